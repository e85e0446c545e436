"""A part of the report: what one benchmark printed and found, kept until it is run again.

`NAME.txt` begins with a line that says what was measured, when, and on how busy a machine; then
comes what was printed. `NAME.jsonl` has the findings, in the order of the table's columns.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import plain

HERE = Path(__file__).parent
MEASURED = ("pipelines", "benchmarks")  # a change elsewhere changes no result


class Part(NamedTuple):
    origin: str
    printed: str
    findings: list[list[str]]


def run(name: str, words: Sequence[str], folder: Path) -> bool:
    """Run a benchmark, show what it prints while it comes, and keep it; return whether it ended
    well.

    Until its end it writes beside what is kept: a run that is killed leaves the part as it was."""
    folder.mkdir(parents=True, exist_ok=True)
    text, findings = folder / f"{name}.txt.new", folder / f"{name}.jsonl.new"
    findings.write_text("")
    command = [f"{name}.py", *words]
    began = time.monotonic()
    with text.open("w", buffering=1) as file:

        def tell(line: str) -> None:
            print(line, file=file)
            print(line, flush=True)

        print(f"== {name}", flush=True)
        tell(origin(command))
        process = subprocess.Popen(
            # Unbuffered by a word, since a variable would reach what is measured, too.
            [plain.own("python"), "-u", HERE / command[0], *words],
            env=os.environ | {"BENCHMARK_FINDINGS": str(findings)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        for line in process.stdout:
            tell(line.rstrip())
        if code := process.wait():
            tell(f"FAILED with exit code {code}")
            with findings.open("a") as more:  # else the table would just be shorter
                print(json.dumps([name, "ends well", "", f"exit code {code}", "FAILED"]), file=more)
        tell(f"({(time.monotonic() - began) / 60:.1f} minutes)")
    for path in (findings, text):  # a part is there when its text is
        path.replace(path.with_suffix(""))
    return not code


def read_part(name: str, folder: Path) -> Part | None:
    """Return what the last whole run left; None where there was none."""
    text = folder / f"{name}.txt"
    if not text.exists():
        return None
    origin, _, printed = text.read_text().partition("\n")
    findings = (folder / f"{name}.jsonl").read_text().splitlines()
    return Part(origin, printed.strip("\n"), [json.loads(line) for line in findings])


def origin(command: Sequence[str]) -> str:
    """Return of what and when a result is; by the commit of now: each part is a new process."""
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return (
        f"`{' '.join(command)}`, measured at {commit()}, "
        f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC; load average when it began: {busy}"
    )


def commit() -> str:
    short = git("rev-parse", "--short", "HEAD")
    changed = git("status", "--porcelain", "--", *MEASURED)
    return f"`{short}`{' + changes' if changed else ''}" if short else "no commit that git knows"


def git(*words: str) -> str:
    """Return what git says in this clone; nothing where there is no git, or no clone."""
    try:
        command = ["git", "-C", str(HERE.parent), *words]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""
