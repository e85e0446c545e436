"""What a `poll` takes, in a fresh process, beside a hand-written script and a Singer tap.

    python benchmarks/poll.py [--runs 15] [--peers handwritten,singer]

Ours asks and keeps the answer safe in the spool; the others, which are those of `peers.py`, ask and
put the row into their table. One row; all in turn in each run, each in a folder of its own that
stays. The first run of each makes its files and is not counted. Then ours loads what waits: all
must have the vendor's row, and ours each of its answers.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import plain
from findings import Aim, hold
from measured import Used, median, run, show
from peers import check, command, settings_of
from standin import StandIn

WALL, PEAK, OF_OTHERS = Aim(0.25, 0.15, "s"), Aim(60, unit="MB"), Aim(1.0)


def command_of(name: str) -> list[str | Path]:
    return [plain.program(), "poll", "--force"] if name == "ours" else command(name)


def check_record(home: Path, polls: int) -> None:
    """Fail unless our tables have so many answers of one row each, and the spool none any more."""
    script = """
import duckdb, sys
with duckdb.connect("wolkvox.duckdb", read_only=True) as db:
    sql = ("SELECT count(*), count(DISTINCT poll_id), count(items) FROM wolkvox_billing.readings "
           "UNION ALL SELECT count(*), count(DISTINCT poll_id), count(*) FILTER (outcome = 'ok') "
           "FROM wolkvox_billing.polls")
    counts = db.execute(sql).fetchall()
assert counts == 2 * [3 * (int(sys.argv[1]),)], counts
"""
    subprocess.run([plain.own("python"), "-c", script, str(polls)], cwd=home, check=True)
    assert waiting(home) == []


def waiting(home: Path) -> list[Path]:
    """Return the files of the answers that wait in the spool."""
    return [*home.glob("dlt/wolkvox-billing/*/spool/*.*")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--peers", default="handwritten,singer")
    words = parser.parse_args()
    plain.tell()
    names = ["ours", *words.peers.split(",")]
    took: dict[str, list[Used]] = {name: [] for name in names}
    with StandIn("rows", "1", "1") as vendor, tempfile.TemporaryDirectory(prefix="poll-") as folder:
        homes = {name: Path(folder, name) for name in names}
        for home in homes.values():
            home.mkdir()
        for number in range(1 + words.runs):
            for name, home in homes.items():
                used = run(command_of(name), home, settings_of(name, vendor))
                if number:
                    took[name].append(used)
        assert len(waiting(homes["ours"])) == 1 + words.runs
        run([plain.program(), "load"], homes["ours"], settings_of("ours", vendor))
        check_record(homes["ours"], 1 + words.runs)
        for home in homes.values():
            check(home, vendor, 1, 1)
    medians = {name: median(runs) for name, runs in took.items()}
    counts = {name: len(runs) for name, runs in took.items()}
    base = "handwritten" if "handwritten" in medians else "ours"
    show("one row, a process each: medians", counts, medians, base)
    ours = medians["ours"]
    hold("`poll`, 1 row, fresh process: wall", WALL, ours.wall, f" ({ours.cpu:.2f} CPU s)")
    hold("`poll`, 1 row, fresh process: peak", PEAK, ours.peak)
    for name in names[1:]:
        hold(f"`poll`, 1 row, fresh process: wall, of {name}'s", OF_OTHERS,
             ours.wall / medians[name].wall, f" ({medians[name].wall:.2f} s)")  # fmt: skip


if __name__ == "__main__":
    main()
