"""What becomes of the memory of `load --every 5m` over 10,000 polls: a month and more of them.

    python benchmarks/staying.py [--polls 10000] [--mark 1000]

One process polls every five minutes and loads every hour, by a clock that is moved on whenever it
waits, all its looks at the clock included; but for the time that a load takes. The vendor answers
one row each time. Its resident memory after `--mark` polls is held against that at the end; so are
its open files. Each quarter is printed, which tells what grows from what only warms up. All answers
must be in the tables then. `day.py` runs the same for a day.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import plain
from findings import note
from measured import Used, run
from standin import StandIn

START = datetime(2026, 11, 10, 5, tzinfo=timezone.utc)
EVERY, LOAD_EVERY = timedelta(minutes=5), timedelta(hours=1)
GROWTH = 2.0  # MB that the memory may be larger by


class FastTime(threading.Event):
    """A clock that moves on while somebody waits, and stands while a load is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.loads = START, None

    def wait(self, timeout: float | None = None) -> bool:
        assert self.loads
        if self.loads.is_busy:
            time.sleep(0.02)
        else:
            self.now += timedelta(seconds=timeout or 0)
        return self.is_set()


def stay(polls: int, mark: int) -> None:
    """Stay for so many polls; print resident MB and open files after `mark` of them, and all."""
    from wolkvox_billing.cli.main import OBJECTS_BETWEEN_COLLECTIONS
    from wolkvox_billing.polling.schedule import Rhythm
    from wolkvox_billing.verbs.loader import Loader
    from wolkvox_billing.verbs.stay import Plan, stay

    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)  # as the command line does
    time_ = FastTime()
    done = 0

    class Count:
        def begins(self, settings: Any) -> None: ...
        def called(self, event: Any) -> None: ...

        def polled(self, report: Any) -> None:
            nonlocal done
            assert report.is_good, report
            done += 1
            if done in {mark, *(polls * part // 4 for part in (1, 2, 3)), polls}:
                print(json.dumps([done, resident(), len(os.listdir("/proc/self/fd"))]), flush=True)
            if done == polls:
                time_.set()

        def loaded(self, report: Any) -> None:
            assert report.is_good, report

    time_.loads = Loader("duckdb", "wolkvox_billing", lambda: time_.now)
    plan = Plan(Rhythm(EVERY, LOAD_EVERY), "duckdb", "wolkvox_billing")
    stay(plan, Count(), time_.loads, time_, lambda: time_.now)


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run_stay(home: Path, vendor: StandIn, polls: int, mark: int) -> Used:
    """Run it as a process; return what it took with its loads."""
    settings = vendor.settings | plain.settings()
    return run([plain.python(), __file__, "stay", str(polls), str(mark)], home, settings)


def main() -> None:
    if sys.argv[1:2] == ["stay"]:
        stay(int(sys.argv[2]), int(sys.argv[3]))
        os._exit(0)  # as the command line ends
    from poll import check_record

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--polls", type=int, default=10_000)
    parser.add_argument("--mark", type=int, default=1000)
    words = parser.parse_args()
    plain.tell()
    with StandIn("rows", "1", "1") as vendor, tempfile.TemporaryDirectory(prefix="stay-") as folder:
        used = run_stay(Path(folder), vendor, words.polls, words.mark)
        lines = (Path(folder) / "output").read_text().splitlines()
        # What was answered since its last load; by this one's clock a call is due too.
        run([plain.program(), "load"], Path(folder), vendor.settings | plain.settings())
        check_record(Path(folder), words.polls + 1)
    marks = [json.loads(line) for line in lines]
    for polls, memory, files in marks:
        print(f"after {polls:,} polls: {memory:.1f} MB resident, {files} open files")
    [early], late = [row for row in marks if row[0] == words.mark], marks[-1]
    print(
        f"{used.cpu:.0f} CPU s in all, loads included; the largest process took {used.peak:.0f} MB"
    )
    note(f"`load --every 5m`, {late[0]:,} polls and a load each hour: memory and open files, after "
         f"{early[0]:,} and at the end", f"{GROWTH:g} MB and no file more at most",
         f"{early[1]:.1f} and {late[1]:.1f} MB, {early[2]} and {late[2]} files",
         late[1] - early[1] <= GROWTH and late[2] <= early[2])  # fmt: skip


if __name__ == "__main__":
    main()
