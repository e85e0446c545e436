"""`make bench`: runs all benchmarks, shows what they print, and writes it down.

    python benchmarks/report.py [--short] [--only month,peers] [--to docs/bench.md]

The report begins with each aim, what was measured and whether it is met; then comes what each
benchmark printed. `remarks.md` beside this file is written by hand, and taken over as it is: there
stands why an aim is missed. With `--short` the counts are small: that all of it still runs, and
gives equal rows, is a test; its times say nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from peers import BUILD, PEERS

HERE = Path(__file__).parent
# The words of the long form, and of the short one; None where it is not part of that.
BENCHMARKS: dict[str, tuple[list[str], list[str] | None]] = {
    "loads": ([], ["--runs", "1", "--only", "1"]),
    "peers": ([], ["--runs", "1", "--only", "2000", "--peers", "handwritten"]),
    "operations": ([], ["--operations", "4", "--seconds", "0", "--parallel", "2", "--runs", "1"]),
    "month": (["--minutes", "60"], ["--polls", "8", "--hundred", "2", "--warm", "1"]),
    "record": (
        [],
        ["--days", "1", "--polls", "1", "--warm", "1", "--runs", "0", "--kinds", "reconciles"],
    ),
    "marts": ([], ["--days", "2", "--no-postgres"]),
    "invoices": ([], ["20"]),
    "reconciliation": ([], None),
}
COMPARED = ("duckdb", "duckdb_cli", "dlt", "pyarrow", "singer_sdk", "target_duckdb",
            "sling_linux_amd64", "airbyte", "airbyte_cdk")  # fmt: skip


def machine() -> list[str]:
    """What it is measured on."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    busy = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return [
        f"- {datetime.now(timezone.utc):%Y-%m-%d}, {cpu}, {os.cpu_count()} cores, {memory:.0f} GiB",
        f"- {platform.system()} {platform.release()}, Python {platform.python_version()}",
        f"- load average when it began: {busy}; above the number of cores the seconds are those of "
        "a machine that did other things too, and the ratios are what counts",
        f"- ours: dlt {version('dlt')}, DuckDB {version('duckdb')}, pyarrow {version('pyarrow')}",
        *(f"- {name}: {found}" for name in PEERS if (found := versions(name))),
    ]


def versions(peer: str) -> str:
    """What of note is in a peer's virtual environment."""
    found = {
        one.name.split("-")[0]: one.name.split("-")[1].removesuffix(".dist")
        for one in BUILD.glob(f"{peer}/lib/*/site-packages/*.dist-info")
    }
    return ", ".join(f"{name} {found[name]}" for name in COMPARED if name in found)


def run(name: str, words: list[str], findings: Path) -> str:
    """What a benchmark prints, shown while it comes. Its failure is part of it, and not the end."""
    began = datetime.now(timezone.utc)
    print(f"== {name} {' '.join(words)}", flush=True)
    process = subprocess.Popen(
        [sys.executable, HERE / f"{name}.py", *words],
        env=os.environ | {"BENCHMARK_FINDINGS": str(findings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line.rstrip())
    if process.wait():
        lines.append(f"FAILED with exit code {process.returncode}")
    minutes = (datetime.now(timezone.utc) - began).total_seconds() / 60
    return "\n".join([*lines, f"({minutes:.1f} minutes)"]).strip()


def page(said: dict[str, str], findings: Path) -> str:
    lines = [json.loads(line) for line in findings.read_text().splitlines()]
    rows = [f"| {' | '.join(str(cell) for cell in line)} |" for line in lines]
    parts = [
        "# How fast it is",
        "`make bench` writes this page; what is written by hand stands in "
        "[`benchmarks/remarks.md`](../benchmarks/remarks.md).",
        "\n".join(machine()),
        "\n".join(["| work | aim | measured | |", "|---|---|---|---|", *rows]),
        (HERE / "remarks.md").read_text().strip(),
    ]
    for name, text in said.items():
        doc = (HERE / f"{name}.py").read_text().split('"""')[1].splitlines()[0]
        parts.append(f"## {name}\n\n{doc}\n\n```\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default=",".join(BENCHMARKS), help="names, with commas between")
    parser.add_argument("--to", type=Path, default=HERE.parent / "docs" / "bench.md")
    words = parser.parse_args()
    said: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        findings = Path(folder, "findings")
        findings.touch()
        for name in words.only.split(","):
            chosen = BENCHMARKS[name][1 if words.short else 0]
            if chosen is not None:
                said[name] = run(name, chosen, findings)
        words.to.parent.mkdir(exist_ok=True)
        words.to.write_text(page(said, findings))
    failed = [name for name, text in said.items() if "FAILED with exit code" in text]
    raise SystemExit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
