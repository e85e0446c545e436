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
from typing import Any, NamedTuple

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


class Spent(NamedTuple):
    cpu: float
    wall: float
    resident: float  # MB


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
            [sys.executable, __file__, "poller"],
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

    def files(self) -> tuple[int, int]:
        """How many files dlt's working folder has, and their bytes."""
        found = [one for one in (self.home / "dlt").rglob("*") if one.is_file()]
        return len(found), sum(one.stat().st_size for one in found)

    def size(self) -> int:
        """The DuckDB file's bytes."""
        return (self.home / "wolkvox.duckdb").stat().st_size


def poller() -> None:
    """Reads times, polls at each, and tells what it took."""
    from wolkvox_billing.verbs.load import load

    page = os.sysconf("SC_PAGE_SIZE")
    for line in sys.stdin:
        moment = datetime.fromisoformat(line.strip())
        cpu, wall = time.process_time(), time.perf_counter()
        made = load(clock=lambda: moment)  # noqa: B023, called before the next one
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if not made.is_good or made.warnings or len(made.polls) != 1:
            raise SystemExit(f"{moment}: {made}")
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * page / 1e6
        print(json.dumps([cpu, wall, resident]), flush=True)


def middle(some: list[Spent]) -> Spent:
    return Spent(*(statistics.median(one) for one in zip(*some, strict=True)))


def compact(file: Path) -> tuple[dict[str, int], int]:
    """Rows of each table, and the bytes of the file once it is written anew."""
    script = """
import duckdb, json, os, sys
with duckdb.connect() as db:
    db.execute(f"ATTACH '{sys.argv[1]}' AS old (READ_ONLY)")
    db.execute(f"ATTACH '{sys.argv[2]}' AS new")
    found = db.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'old'"
    ).fetchall()
    rows = {}
    for schema, table in found:
        db.execute(f"CREATE SCHEMA IF NOT EXISTS new.{schema}")
        name = f"{schema}.{table}"
        db.execute(f"CREATE TABLE new.{name} AS SELECT * FROM old.{name}")
        rows[name] = db.execute(f"SELECT count(*) FROM old.{name}").fetchone()[0]
print(json.dumps(rows))
"""
    new = file.with_name("anew.duckdb")
    new.unlink(missing_ok=True)
    said = subprocess.check_output([sys.executable, "-c", script, file, new], text=True)
    return json.loads(said), new.stat().st_size


def run(home: Path, polls: int, hundred: int, minutes: float, warm: int) -> None:
    with StandIn("counters", "1") as vendor:
        long, moment = Poller(home / "long", vendor.settings), START
        began, early, since = time.perf_counter(), [], []
        marks: list[tuple[int, int, int, int]] = []
        print(f"{'polls':>6} {'CPU s':>7} {'wall s':>7} {'files':>6} {'their kB':>9} "
              f"{'DuckDB MB':>10} {'resident MB':>11} {'minutes':>7}")  # fmt: skip
        for number in range(1, polls - hundred + 1):
            vendor.set_clock(moment)
            spent = long.poll(moment)
            moment += EVERY
            if number > warm:
                since.append(spent)
            if len(since) < hundred:
                continue
            early, one, since = early or since, middle(since), []
            marks.append((number, *long.files(), long.size()))
            if len(marks) % max(1, polls // hundred // 20) == 1:
                files, size, duck = marks[-1][1:]
                print(f"{number:>6} {one.cpu:7.3f} {one.wall:7.3f} {files:6} {size / 1e3:9.1f} "
                      f"{duck / 1e6:10.2f} {one.resident:11.1f} "
                      f"{(time.perf_counter() - began) / 60:7.1f}", flush=True)  # fmt: skip
            if time.perf_counter() - began > 60 * minutes:
                polls = number + hundred
                break
        new = Poller(home / "new", vendor.settings)
        late, fresh = [], []
        for number in range(warm + hundred):
            vendor.set_clock(moment)
            spent = new.poll(moment)
            if number >= warm:
                fresh.append(spent)
                late.append(long.poll(moment))
            moment += EVERY
        files, size = long.files()
        marks.append((polls, files, size, long.size()))
        new.end()
        long.end()
    report(polls, hundred, early, fresh, late, marks)
    sizes = {}
    for one, count in ((new, warm + hundred), (long, polls)):
        rows, anew = compact(one.home / "wolkvox.duckdb")
        sizes[one] = count, one.size(), anew
        print(f"the DuckDB file of {count} polls: {one.size() / 1e6:.2f} MB, written anew "
              f"{anew / 1e6:.2f} MB")  # fmt: skip
    print({name: count for name, count in rows.items() if count >= hundred})
    more, grown, needed = (big - small for big, small in zip(sizes[long], sizes[new], strict=True))
    note(f"{polls:,} polls: what the DuckDB file grows by, of what it would written anew",
         f"{GROWTH:g} x at most",
         f"{grown / max(1, more):,.0f} bytes a poll, {needed / max(1, more):,.0f} written anew",
         grown <= GROWTH * needed if more >= 1000 else None)  # fmt: skip


def report(
    polls: int,
    hundred: int,
    early: list[Spent],
    fresh: list[Spent],
    late: list[Spent],
    marks: list[Any],
) -> None:
    first, new, last = middle(early), middle(fresh), middle(late)
    for name, one in (("first", first), ("new, in turn with the last", new), ("last", last)):
        print(f"{name:28} {one.cpu:.3f} CPU s, {one.wall:.3f} wall s, {one.resident:.0f} MB")
    ratio = last.cpu / new.cpu
    note(f"{polls:,} polls: CPU of the last {hundred} against those of a new record in turn",
         f"{SAME:g} x at most", f"{ratio:.2f} x ({last.cpu:.3f} and {new.cpu:.3f} s; the first "
         f"{hundred} took {first.cpu:.3f})", ratio <= SAME)  # fmt: skip
    before, after = marks[0], marks[-1]
    note(f"{polls:,} polls: files of the working folder, then their kB", "the same",
         f"{before[1]} and {after[1]}; {before[2] / 1e3:.1f} and {after[2] / 1e3:.1f}",
         after[1] <= before[1] and after[2] <= 1.1 * before[2])  # fmt: skip


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
    if words.keep:
        words.keep.mkdir(parents=True)
        run(words.keep, words.polls, words.hundred, words.minutes, words.warm)
        return
    with tempfile.TemporaryDirectory(prefix="bench-month-") as name:
        run(Path(name), words.polls, words.hundred, words.minutes, words.warm)


if __name__ == "__main__":
    main()
