"""What 10,000 polls on end come to: a month and more at 5 minutes, in one warm process.

    python benchmarks/month.py [--polls 10000] [--hundred 100] [--minutes 60]

The clock is moved by 5 minutes a poll, ours and the vendor's; a line map and a rate card are there,
so that each poll reconciles too. A machine is another one an hour later: so the last hundred polls
are made in turn with those of a second process, whose record is empty but for ten polls. When the
minutes are over before the polls are, it ends with those that were made, and says how many.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import plain
from findings import note
from standin import StandIn

START = datetime(2026, 10, 1, 5, 2, tzinfo=timezone.utc)
EVERY = timedelta(minutes=5)
WARM = 10  # polls that import, make the tables, and settle; see `--warm`
SAME = 1.10  # what the last hundred may take of the first
GROWTH = 1.5  # what the file may grow by, of what one grows by that is written at once
LINE_MAP = """supplier_id,item_code,pattern,report,operation_id,product,role
,,,rsync_s3_mp3,,,quantity
"""
RATE_CARD = """report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to
rsync_s3_mp3,,,0,12.5,COP,2026-01-01,
"""


class Plan(NamedTuple):
    polls: int
    hundred: int  # polls whose median is one measure
    minutes: float  # after which no more polls are made
    warm: int  # polls that do not count


class Spent(NamedTuple):
    """What a poll took."""

    cpu: float
    wall: float
    resident: float  # MB


class Mark(NamedTuple):
    """What the disk holds at a moment."""

    files: int  # of dlt's working folder
    file_bytes: int
    duckdb_bytes: int


class Poller:
    """A process that makes a poll whenever it is told the time, in a project folder of its own."""

    def __init__(self, home: Path, settings: dict[str, str], *, reconciles: bool = True) -> None:
        self.home = home
        home.mkdir(exist_ok=True)
        if reconciles:
            (home / "line_map.csv").write_text(LINE_MAP)
            (home / "rate_card.csv").write_text(RATE_CARD)
        env = os.environ | settings | {"HOME": str(home), "DLT_DATA_DIR": str(home / "dlt")}
        self._process = subprocess.Popen(
            [plain.own("python"), __file__, "poller"],
            cwd=home,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def poll(self, moment: datetime) -> Spent:
        assert self._process.stdin
        assert self._process.stdout
        print(moment.isoformat(), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the polling process ended: see above")
        return Spent(*json.loads(line))

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    @property
    def duckdb(self) -> Path:
        return self.home / "wolkvox.duckdb"

    def mark(self) -> Mark:
        sizes = [p.stat().st_size for p in (self.home / "dlt").rglob("*") if p.is_file()]
        return Mark(len(sizes), sum(sizes), self.duckdb.stat().st_size)


def poller() -> None:
    """Read times, poll at each, and print what it took."""
    from wolkvox_billing.verbs.load import load

    page = os.sysconf("SC_PAGE_SIZE")
    for line in sys.stdin:
        moment = datetime.fromisoformat(line.strip())
        cpu, wall = time.process_time(), time.perf_counter()
        report = load(clock=lambda: moment)  # noqa: B023, called before the next one
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if not report.is_good or report.warnings or len(report.polls) != 1:
            raise SystemExit(f"{moment}: {report}")
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * page / 1e6
        print(json.dumps([cpu, wall, resident]), flush=True)


def middle(polls: list[Spent]) -> Spent:
    return Spent(*(statistics.median(numbers) for numbers in zip(*polls, strict=True)))


def compact(file: Path) -> tuple[dict[str, int], int]:
    """Return the rows of each table, and the bytes of the file once it is written anew."""
    script = """
import duckdb, json, os, sys
with duckdb.connect() as db:
    db.execute(f"ATTACH '{sys.argv[1]}' AS old (READ_ONLY)")
    db.execute(f"ATTACH '{sys.argv[2]}' AS new")
    tables = db.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'old'"
    ).fetchall()
    rows = {}
    for schema, table in tables:
        db.execute(f"CREATE SCHEMA IF NOT EXISTS new.{schema}")
        name = f"{schema}.{table}"
        db.execute(f"CREATE TABLE new.{name} AS SELECT * FROM old.{name}")
        rows[name] = db.execute(f"SELECT count(*) FROM old.{name}").fetchone()[0]
print(json.dumps(rows))
"""
    new = file.with_name("anew.duckdb")
    new.unlink(missing_ok=True)
    rows = subprocess.check_output([sys.executable, "-c", script, file, new], text=True)
    return json.loads(rows), new.stat().st_size


def run(home: Path, plan: Plan) -> None:
    with StandIn("counters", "1") as vendor:
        long = Poller(home / "long", vendor.settings)
        early, marks, alone = poll_alone(vendor, long, plan)
        new = Poller(home / "new", vendor.settings)
        moment = START + alone * EVERY
        late, fresh = [], []
        for number in range(plan.warm + plan.hundred):
            vendor.set_clock(moment)
            spent = new.poll(moment)
            if number >= plan.warm:
                fresh.append(spent)
                late.append(long.poll(moment))
            moment += EVERY
        polls = alone + plan.hundred
        marks.append(long.mark())
        new.end()
        long.end()
    report_cpu(polls, early, fresh, late)
    before, after = marks[0], marks[-1]
    note(f"{polls:,} polls: files of the working folder, then their kB", "the same",
         f"{before.files} and {after.files}; "
         f"{before.file_bytes / 1e3:.1f} and {after.file_bytes / 1e3:.1f}",
         after.files <= before.files
         and after.file_bytes <= 1.1 * before.file_bytes)  # fmt: skip
    report_growth(new, long, polls, plan)


def poll_alone(vendor: StandIn, long: Poller, plan: Plan) -> tuple[list[Spent], list[Mark], int]:
    """Poll until the last hundred are left, or the minutes are over; print a line now and then.
    Return what the first hundred took, a Mark after each hundred, and how many polls were made."""
    began, early, since = time.perf_counter(), [], []
    marks: list[Mark] = []
    number = 0
    print(f"{'polls':>6} {'CPU s':>7} {'wall s':>7} {'files':>6} {'their kB':>9} "
          f"{'DuckDB MB':>10} {'resident MB':>11} {'minutes':>7}")  # fmt: skip
    for number in range(1, plan.polls - plan.hundred + 1):
        moment = START + (number - 1) * EVERY
        vendor.set_clock(moment)
        spent = long.poll(moment)
        if number > plan.warm:
            since.append(spent)
        if len(since) < plan.hundred:
            continue
        early, usual, since = early or since, middle(since), []
        mark = long.mark()
        marks.append(mark)
        minutes = (time.perf_counter() - began) / 60
        if len(marks) % max(1, plan.polls // plan.hundred // 20) == 1:
            print(f"{number:>6} {usual.cpu:7.3f} {usual.wall:7.3f} {mark.files:6} "
                  f"{mark.file_bytes / 1e3:9.1f} {mark.duckdb_bytes / 1e6:10.2f} "
                  f"{usual.resident:11.1f} {minutes:7.1f}", flush=True)  # fmt: skip
        if minutes > plan.minutes:
            break
    return early, marks, number


def report_cpu(polls: int, early: list[Spent], fresh: list[Spent], late: list[Spent]) -> None:
    first, new, last = middle(early), middle(fresh), middle(late)
    for name, spent in (("first", first), ("new, in turn with the last", new), ("last", last)):
        print(f"{name:28} {spent.cpu:.3f} CPU s, {spent.wall:.3f} wall s, {spent.resident:.0f} MB")
    ratio, hundred = last.cpu / new.cpu, len(late)
    note(f"{polls:,} polls: CPU of the last {hundred} against those of a new record in turn",
         f"{SAME:g} x at most", f"{ratio:.2f} x ({last.cpu:.3f} and {new.cpu:.3f} s; the first "
         f"{hundred} took {first.cpu:.3f})", ratio <= SAME)  # fmt: skip


def report_growth(new: Poller, long: Poller, polls: int, plan: Plan) -> None:
    """Report what the DuckDB file grows by, beside what it would grow by if written at once."""
    sizes: dict[Poller, tuple[int, int, int]] = {}  # polls, bytes, bytes when written anew
    for poller, count in ((new, plan.warm + plan.hundred), (long, polls)):
        rows, anew = compact(poller.duckdb)
        size = poller.duckdb.stat().st_size
        sizes[poller] = count, size, anew
        print(f"the DuckDB file of {count} polls: {size / 1e6:.2f} MB, written anew "
              f"{anew / 1e6:.2f} MB")  # fmt: skip
    print({name: count for name, count in rows.items() if count >= plan.hundred})
    more, grown, needed = (big - small for big, small in zip(sizes[long], sizes[new], strict=True))
    note(f"{polls:,} polls: what the DuckDB file grows by, of what it would written anew",
         f"{GROWTH:g} x at most",
         f"{grown / max(1, more):,.0f} bytes a poll, {needed / max(1, more):,.0f} written anew",
         grown <= GROWTH * needed if more >= 1000 else None)  # fmt: skip


def main() -> None:
    if sys.argv[1:] == ["poller"]:
        poller()
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--polls", type=int, default=10_000)
    parser.add_argument("--hundred", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--warm", type=int, default=WARM, help="polls that do not count")
    parser.add_argument("--keep", type=Path, help="a folder that stays, to look at")
    words = parser.parse_args()
    plan = Plan(words.polls, words.hundred, words.minutes, words.warm)
    if words.keep:
        words.keep.mkdir(parents=True)
        run(words.keep, plan)
        return
    with tempfile.TemporaryDirectory(prefix="bench-month-") as name:
        run(Path(name), plan)


if __name__ == "__main__":
    main()
