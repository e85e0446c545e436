"""What a poll and `status` take on a record of 10.5 million readings, in turn with an empty one.

    python benchmarks/record.py [--days 1825] [--polls 20]

The record is that of `marts.py`: 20 operations, 5 years, every 5 minutes; beside them one that is
polled, by a process that is warm. Once without a line map and a rate card, so that the views are
refreshed, and once with them, so that each poll reconciles all months too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import plain
from findings import note
from measured import Used, median, run
from month import EVERY, SAME, START, WARM, Poller, Spent, middle
from standin import StandIn

STATUS = [plain.own("wolkvox-billing"), "status", "--json"]
FILL = """
SET TimeZone = 'UTC';
CREATE TEMP TABLE filling AS {readings};
INSERT INTO wolkvox_billing.readings BY NAME
    SELECT *, 'made' AS _dlt_load_id, poll_id AS _dlt_id FROM filling;
INSERT INTO wolkvox_billing.polls BY NAME
    SELECT poll_id, operation_id, '0010' AS server, report, 'America/Bogota' AS timezone,
        read_date AS poll_date, read_at AS started_at, read_epoch AS started_epoch,
        read_at AS finished_at, 'ok' AS outcome, 200 AS http_status, 1 AS rows, 0 AS rejected,
        'made' AS _dlt_load_id, poll_id AS _dlt_id
    FROM filling;
INSERT INTO wolkvox_billing.rsync_s3_mp3 BY NAME
    SELECT operation_id, operation, description, date, items, items_raw, date_raw, read_at, poll_id,
        'made' AS _dlt_load_id, poll_id AS _dlt_id
    FROM filling QUALIFY row_number() OVER (
        PARTITION BY operation_id, operation, description, date ORDER BY read_at DESC) = 1;
"""


class Plan(NamedTuple):
    days: int
    polls: int
    warm: int  # polls that do not count
    runs: int  # of `status`


def fill(days: int) -> None:
    """Put readings of so many days before START into the file in this folder."""
    from datetime import timedelta

    import duckdb
    from marts import READINGS

    start, end = START - timedelta(days=days), START
    readings = READINGS.format(start=start.replace(tzinfo=None), end=end.replace(tzinfo=None))
    with duckdb.connect("wolkvox.duckdb") as db:
        db.execute(FILL.format(readings=readings))
        [(count,)] = db.execute("SELECT count(*) FROM wolkvox_billing.readings").fetchall()
        print(f"{count:,}")


def compare(home: Path, plan: Plan, *, reconciles: bool) -> None:
    with StandIn("counters", "1") as vendor:
        moment = START
        big, small = (
            Poller(home / name, vendor.settings, reconciles=reconciles) for name in ("big", "small")
        )
        vendor.set_clock(moment)
        big.poll(moment)
        words = [plain.own("python"), __file__, "fill", str(plan.days)]
        count = subprocess.check_output(words, cwd=big.home, text=True).strip()
        took: dict[Poller, list[Spent]] = {big: [], small: []}
        for number in range(plan.warm + plan.polls):
            moment += EVERY
            vendor.set_clock(moment)
            for poller in (small, big):
                spent = poller.poll(moment)
                if number >= plan.warm:
                    took[poller].append(spent)
        for poller in (big, small):
            poller.end()
        status: dict[Poller, list[Used]] = {big: [], small: []}
        for _ in range(plan.runs):
            for poller in (small, big):
                status[poller].append(run(STATUS, poller.home, vendor.settings))
    much, little = middle(took[big]), middle(took[small])
    kind = "refreshes and reconciles" if reconciles else "refreshes"
    note(f"a poll that {kind}, on {count} readings: CPU, of that on an empty record",
         f"{SAME:g} x at most", f"{much.cpu / little.cpu:.2f} x ({much.cpu:.3f} and "
         f"{little.cpu:.3f} s; wall {much.wall / little.wall:.2f} x)",
         much.cpu <= SAME * little.cpu)  # fmt: skip
    if not plan.runs:
        return
    of_big, of_small = median(status[big]), median(status[small])
    note(f"`status` on {count} readings: CPU and wall, of those on an empty record", "none",
         f"{of_big.cpu / of_small.cpu:.2f} x and {of_big.wall / of_small.wall:.2f} x "
         f"({of_big.wall:.2f} s, {of_big.peak:.0f} MB)", None)  # fmt: skip


def main() -> None:
    if sys.argv[1:2] == ["fill"]:
        fill(int(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=5 * 365)
    parser.add_argument("--polls", type=int, default=20)
    parser.add_argument("--warm", type=int, default=WARM, help="polls that do not count")
    parser.add_argument("--runs", type=int, default=5, help="of `status`")
    parser.add_argument("--kinds", default="refreshes,reconciles")
    words = parser.parse_args()
    plan = Plan(words.days, words.polls, words.warm, words.runs)
    for kind in words.kinds.split(","):
        with tempfile.TemporaryDirectory(prefix="bench-record-") as name:
            compare(Path(name), plan, reconciles=kind == "reconciles")


if __name__ == "__main__":
    main()
