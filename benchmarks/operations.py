"""What a run of many operations takes, when each answers after half a second.

    python benchmarks/operations.py [--operations 200] [--seconds 0.5] [--parallel 8,50] [--runs 3]

In a plain install. The ideal is that `max_parallel` calls are always in flight, and beside them no
more than a poll of one operation takes, whose half second is off; that poll is made in turn with
the others.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from math import ceil
from pathlib import Path

import plain
from findings import note
from measured import Used, median, run
from standin import StandIn

AIM = 1.3
COUNT = """
import duckdb, sys
with duckdb.connect("wolkvox.duckdb", read_only=True) as db:
    print(*db.execute("SELECT count(*), count(DISTINCT operation_id) FROM wolkvox_billing.readings "
                 "WHERE items IS NOT NULL").fetchall())
"""


def poll(vendor: StandIn, home: Path, parallel: int, operations: int) -> Used:
    """Return what a run into an existing file took, after one that has made it; check both."""
    settings = vendor.settings | plain.settings()
    settings["SOURCES__WOLKVOX_BILLING__MAX_PARALLEL"] = str(parallel)
    load = [plain.program(), "load", "--force"]
    run(load, home, settings)
    used = run(load, home, settings)
    counts = subprocess.check_output([sys.executable, "-c", COUNT], cwd=home, text=True)
    assert counts == f"({2 * operations}, {operations})\n", counts
    return used


def compare(operations: int, seconds: float, parallel: list[int], runs: int) -> None:
    of_one: list[Used] = []
    many: dict[int, list[Used]] = {each: [] for each in parallel}
    with ExitStack() as stack:
        single = stack.enter_context(StandIn("slow", str(seconds), "1"))
        vendor = stack.enter_context(StandIn("slow", str(seconds), str(operations)))
        for _ in range(runs):
            for each in (1, *parallel):
                with tempfile.TemporaryDirectory(prefix="bench-operations-") as name:
                    if each == 1:
                        of_one.append(poll(single, Path(name), 1, 1))
                    else:
                        many[each].append(poll(vendor, Path(name), each, operations))
        counted = vendor.ask("counted")
    alone = median(of_one)
    print(f"one operation: {alone.wall:.2f} s, {alone.cpu:.2f} CPU s, medians of {runs}")
    for each in parallel:
        took = median(many[each])
        ideal = seconds * ceil(operations / each) + alone.wall - seconds
        note(
            f"{operations} operations, each answering after {seconds:g} s, `max_parallel` {each}: "
            "wall, of the ideal",
            f"{AIM:g} x at most",
            f"{took.wall / ideal:.2f} x ({took.wall:.1f} of {ideal:.1f} s, {took.cpu:.1f} CPU s, "
            f"{took.peak:.0f} MB)",
            took.wall <= AIM * ideal,
        )
    most, calls = counted["most_in_flight"], 2 * runs * len(parallel) * operations
    assert counted["calls"] == calls, counted
    note("two calls of one token at once, by the vendor's count", "none",
         f"{counted['violations']} in {calls:,} calls, of which up to {most} were in flight",
         counted["violations"] == 0)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--parallel", default="8,50", help="numbers, with commas between")
    parser.add_argument("--runs", type=int, default=3)
    words = parser.parse_args()
    plain.tell()
    parallel = [int(number) for number in words.parallel.split(",")]
    compare(words.operations, words.seconds, parallel, words.runs)


if __name__ == "__main__":
    main()
