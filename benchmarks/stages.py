"""Where the time of a load and of a poll goes: seconds of each stage, in the place of its profile.

    python benchmarks/stages.py [--only 1,60000] [--runs 3]

Each run is a process of its own, in a plain install, that wraps the functions named in `clocks.py`
in clocks. A stage that is called out of another one is not in that one's seconds, so that they add
up to what the process takes from its start to its end; medians of the runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import plain
from clocks import JOBS, STAGES, START, WORDS
from measured import run
from standin import StandIn

HERE = Path(__file__).parent
END, ALL = "end the process", "all"
Seconds = dict[str, float]


def timed(verb: str, home: Path, settings: dict[str, str]) -> Seconds:
    """Return the seconds of each stage of a process, and of all of it."""
    used = run([plain.python(), HERE / "clocks.py", verb, str(time.time())], home, settings)
    seconds: Seconds = json.loads((home / "output").read_text().splitlines()[-1])
    unknown = seconds.keys() - {START, WORDS, *STAGES[verb], *JOBS}
    assert not unknown, unknown
    end = used.wall - sum(took for stage, took in seconds.items() if stage not in JOBS)
    assert end > 0, "a stage is counted twice"
    return {**seconds, END: end, ALL: used.wall}


def show(title: str, verb: str, columns: dict[str, list[Seconds]]) -> None:
    """Print the medians of each stage, and their share of all."""
    stages = [START, WORDS, *STAGES[verb], END]
    if verb == "load":
        behind = stages.index("dlt's load") + 1
        stages[behind:behind] = JOBS
    print(f"\n{title:38}{''.join(f' {heading:>12}' for heading in columns)}")
    whole = [_median(ALL, runs) for runs in columns.values()]
    for stage in stages:
        cells = [_median(stage, runs) for runs in columns.values()]
        shares = zip(cells, whole, strict=True)
        print(f"{stage:38}{''.join(f' {took:7.3f} {took / of:4.0%}' for took, of in shares)}")
    print(f"{ALL:38}{''.join(f' {took:7.3f}     ' for took in whole)}", flush=True)


def _median(stage: str, runs: Sequence[Seconds]) -> float:
    return statistics.median(seconds.get(stage, 0.0) for seconds in runs)


def measure(rows: int, runs: int) -> set[str]:
    """Print the tables; return the stages that were called."""
    loads: dict[str, list[Seconds]] = {"first load": [], "again": []}
    polls: dict[str, list[Seconds]] = {"first poll": [], "again": []}
    with StandIn("rows", str(rows), "1") as vendor:
        settings = vendor.settings | plain.settings()
        for _ in range(runs):
            for verb, columns in (("load", loads), ("poll", polls)):
                with tempfile.TemporaryDirectory(prefix="bench-stages-") as name:
                    for column in columns.values():
                        column.append(timed(verb, Path(name), settings))
    for verb, columns in (("poll", polls), ("load", loads)):
        show(f"`{verb}`, {rows:,} row{'s' if rows > 1 else ''} in an answer", verb, columns)
    of_all = (seconds for runs in (*loads.values(), *polls.values()) for seconds in runs)
    return {stage for seconds in of_all for stage in seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="1,60000", help="rows, with commas between")
    parser.add_argument("--runs", type=int, default=3)
    words = parser.parse_args()
    plain.tell()
    called = set().union(*(measure(int(rows), words.runs) for rows in words.only.split(",")))
    stages = {stage for stages in (*STAGES.values(), JOBS) for stage in stages}
    if idle := sorted(stages - called):
        print(f"\nnever called: {', '.join(idle)}")


if __name__ == "__main__":
    main()
