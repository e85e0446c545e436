"""The report of `make faults`: what was done to runs, and how many tests of it passed.

    python benchmarks/faults.py JUNIT_XML NOTES docs/faults.md

The notes are lines that the tests themselves wrote, such as how many runs were killed. Ends in 1
where a test failed.
"""

from __future__ import annotations

import ast
import sys
import xml.etree.ElementTree as ET  # our own pytest wrote the file
from collections import Counter
from pathlib import Path

from parts import commit
from report import machine


def main(junit: Path, notes: Path, report: Path) -> int:
    counts: dict[str, Counter[str]] = {}
    for case in ET.parse(junit).iter("testcase"):  # noqa: S314 # our own pytest wrote it
        result = next((e.tag for e in case if e.tag in ("failure", "error", "skipped")), "passed")
        module = str(case.get("classname")).replace(".", "/")
        counts.setdefault(module, Counter())[result] += 1
    rows = [
        f"| {_first_line(module)} | [`{Path(module).name}`](../{module}.py) | {n['passed']} "
        f"| {n['failure'] + n['error']} | {n['skipped']} |"
        for module, n in sorted(counts.items())
    ]
    lines = sorted(notes.read_text().splitlines()) if notes.exists() else []
    report.parent.mkdir(exist_ok=True)
    report.write_text(
        "# What was done to runs, and what came of it\n\n"
        f"Made by `make faults`, which writes this file, of {commit()}.\n\n"
        + "\n".join(machine())
        + "\n\n"
        "| | tests | passed | failed | skipped |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n\nWhat the tests counted:\n\n"
        + "\n".join(f"- {line}" for line in lines)
        + "\n\nA kill can tear DuckDB's file, and `restore` mends it: "
        "[how, and how often](operate.md#after-a-kill-or-a-power-cut).\n"
    )
    failed = sum(n["failure"] + n["error"] for n in counts.values())
    print(report.read_text())
    return 1 if failed or not counts else 0


def _first_line(module: str) -> str:
    text = ast.get_docstring(ast.parse(Path(f"{module}.py").read_text())) or module
    return text.split("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])))
