"""What a day costs: 288 polls and 24 loads, a process each or one that stays, and runs of others.

    python benchmarks/day.py [--scale 0.0833] [--polls 12] [--peers handwritten,singer]

A day of cron: every five minutes a `poll`, and after each twelfth a `load` of what waits, the first
of which makes the tables. `staying` is `load --every 5m`, one process that does the same by a clock
that runs fast: see `staying.py`. Beside them as many runs of the hand-written script and of the
Singer tap of `peers.py`, in turn, each of which asks, and puts the row into its table. The vendor
answers one row each time. The CPU seconds of all processes are added up, their children's included.
`--scale` is the share of a day that is run, in whole hours; `--polls` are those of an hour.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import plain
from findings import Aim, hold
from measured import Used, run, show, total
from peers import check, settings_of
from poll import check_record, command_of
from standin import StandIn
from staying import run_stay

HOURS, POLLS_AN_HOUR = 24, 12
STAYING = Aim(15, unit="CPU s")
AIMS = {"handwritten": Aim(1.1, 0.7), "singer": Aim(0.5)}


def measure(hours: int, polls: int, peers: list[str]) -> dict[str, list[Used]]:
    """Return what each process took, by whose it was; ours are `poll` and `load`, and `staying`,
    which does what both of them do."""
    took: dict[str, list[Used]] = {name: [] for name in ("poll", "load", "staying", *peers)}
    with StandIn("rows", "1", "1") as vendor, tempfile.TemporaryDirectory(prefix="day-") as folder:
        homes = {name: Path(folder, name) for name in ("ours", "staying", *peers)}
        for home in homes.values():
            home.mkdir()
        settings = settings_of("ours", vendor)
        for number in range(1, hours * polls + 1):
            took["poll"].append(run(command_of("ours"), homes["ours"], settings))
            if number % polls == 0:  # asked a moment ago: it asks nobody
                took["load"].append(run([plain.program(), "load"], homes["ours"], settings))
            for name in peers:
                took[name].append(run(command_of(name), homes[name], settings_of(name, vendor)))
        check_record(homes["ours"], hours * polls)
        took["staying"].append(run_stay(homes["staying"], vendor, hours * polls, hours * polls))
        # What was answered since its last load; by this one's clock a call is due too.
        run([plain.program(), "load"], homes["staying"], settings)
        check_record(homes["staying"], hours * polls + 1)
        for home in homes.values():
            check(home, vendor, 1, 1)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="the share of a day")
    parser.add_argument("--polls", type=int, default=POLLS_AN_HOUR, help="in an hour")
    parser.add_argument("--peers", default="handwritten,singer")
    words = parser.parse_args()
    plain.tell()
    hours = max(1, round(words.scale * HOURS))
    peers = words.peers.split(",")
    took = measure(hours, words.polls, peers)
    is_whole = hours == HOURS
    day = "a day" if is_whole else f"{hours} of the {HOURS} hours of a day"
    of = f"{day}: {hours * words.polls} `poll`s and {hours} `load`s"
    totals = {name: total(runs) for name, runs in took.items()}
    totals["ours"] = total([totals["poll"], totals["load"]])
    counts = {name: len(runs) for name, runs in took.items()}
    counts["ours"] = counts["poll"] + counts["load"]
    base = "handwritten" if "handwritten" in totals else "ours"
    show(f"{of}, a process each: seconds added up, the largest peak", counts, totals, base)
    ours, staying = totals["ours"], totals["staying"]
    if is_whole:
        hold("a day by `load --every 5m`, one process: CPU", STAYING, staying.cpu,
             f" ({staying.peak:.0f} MB at most)")  # fmt: skip
    for name in peers:
        if name in AIMS:
            hold(f"{of}: CPU, of {counts[name]} runs of {name}", AIMS[name],
                 ours.cpu / totals[name].cpu,
                 f" ({ours.cpu:.1f} and {totals[name].cpu:.1f} s)")  # fmt: skip


if __name__ == "__main__":
    main()
