"""Where the time of a load goes: seconds of each stage, in the place of its profile.

    python benchmarks/stages.py [--only 1,60000] [--runs 3]

Each run is a process of its own that wraps the functions below in clocks. A stage that is called
out of another one is not in that one's seconds, so that they add up to the whole; medians of the
runs.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from standin import StandIn

# stage: where its functions are
STAGES = {
    "look at the destination, what waits": ["wolkvox_billing.pipeline:load_waiting"],
    "ask the vendor": ["wolkvox_billing.polls:ask"],
    "keep the answer on disk": ["wolkvox_billing.spool:Spool.keep"],
    "read texts as numbers and days": ["wolkvox_billing.source:read_rows"],
    "rows of four tables": [
        f"wolkvox_billing.source:{name}"
        for name in ("poll_row", "readings_in", "rejected_in", "newest_in")
    ],
    "their columns in Arrow": ["wolkvox_billing.files:_table"],
    "the rest of dlt's extract": ["dlt:Pipeline.extract"],
    "dlt's normalize": ["dlt:Pipeline.normalize"],
    "dlt's load": ["dlt:Pipeline.load"],
    "refresh the marts": ["wolkvox_billing.pipeline:refresh"],
    "open and close DuckDB, and the rest": ["wolkvox_billing.pipeline:load"],
}
# What `dlt's load` waits for, in threads of its own, some side by side: not added up.
JOBS = {
    "  in it: files into staging tables": [
        "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run",
        "dlt.destinations.insert_job_client:InsertValuesLoadJob.run",
    ],
    "  in it: merges": ["dlt.destinations.job_client_impl:SqlLoadJob.run"],
}


class Clocks:
    """Seconds by stage; what a stage calls that is one itself is taken off its own."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner = threading.local()

    def wrap(self, stage: str, path: str) -> None:
        module, _, names = path.partition(":")
        owner: Any = importlib.import_module(module)
        *outer, name = names.split(".")
        for one in outer:
            owner = getattr(owner, one)
        setattr(owner, name, self._timed(stage, getattr(owner, name)))

    def _timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **named: Any) -> Any:
            before, self._inner.took = getattr(self._inner, "took", 0.0), 0.0
            began = time.perf_counter()
            try:
                return function(*args, **named)
            finally:
                took = time.perf_counter() - began
                self.seconds[stage] += took - self._inner.took
                self._inner.took = before + took

        return timed


def timed_load(began: float) -> None:
    """One load in this process, whose start `began`; prints the seconds of each stage."""
    import dlt  # noqa: F401, for the clocks

    import wolkvox_billing.pipeline as product

    clocks = Clocks()
    for stage, paths in (STAGES | JOBS).items():
        for path in paths:
            clocks.wrap(stage, path)
    clocks.seconds["start Python, import"] = time.time() - began
    report = product.load(force=True)
    if not report.is_good:
        raise SystemExit(str(report))
    print(json.dumps(clocks.seconds))


def show(rows: int, runs: int) -> None:
    found: dict[str, list[dict[str, float]]] = {"first": [], "again": []}
    with StandIn("rows", str(rows), "1") as vendor:
        for _ in range(runs):
            with tempfile.TemporaryDirectory(prefix="bench-stages-") as name:
                settings = {"HOME": name, "DLT_DATA_DIR": str(Path(name, "dlt"))}
                for which in found:
                    said = subprocess.check_output(
                        [sys.executable, __file__, "load", str(time.time())],
                        cwd=name,
                        env=os.environ | vendor.settings | settings,
                        text=True,
                    )
                    found[which].append(json.loads(said.splitlines()[-1]))
    stages = ("start Python, import", *STAGES)
    whole = [
        statistics.median(sum(one[stage] for stage in stages if stage in one) for one in runs_of)
        for runs_of in found.values()
    ]
    lines = [*STAGES]
    at = lines.index("dlt's load") + 1
    for stage in (stages[0], *lines[:at], *JOBS, *lines[at:]):
        cells = ""
        for runs_of, total in zip(found.values(), whole, strict=True):
            seconds = statistics.median(one.get(stage, 0) for one in runs_of)
            cells += f" {seconds:7.3f} {seconds / total:4.0%}"
        print(f"{stage:38}{cells}")
    print(f"{'all':38} {whole[0]:7.3f} {'':4} {whole[1]:7.3f}")


def main() -> None:
    if sys.argv[1:2] == ["load"]:
        timed_load(float(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="1,60000", help="rows, with commas between")
    parser.add_argument("--runs", type=int, default=3)
    words = parser.parse_args()
    for rows in map(int, words.only.split(",")):
        print(f"\n{f'{rows:,} rows in an answer':38} {'first load':>12} {'again':>12}")
        show(rows, words.runs)


if __name__ == "__main__":
    main()
