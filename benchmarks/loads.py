"""What a `load` takes beside a hand-written dlt pipeline that asks the same vendor for the same.

    python benchmarks/loads.py [--runs 5] [--only 1,60000] [--longest 900] [--warm 7]

Each run is a process of its own, in turn with the one that it is compared to, in the environment of
a plain install. Ours fills four tables by four keys, judges each answer, reads each text, and makes
the views. The bare one, `bare.py`, fills one table by the report's key: from dicts as they come
where the answer is one row, else from Arrow tables whose items and dates are cast. At a million
rows dlt's lists run too, from dicts as they come: once, and each load for `--longest` seconds at
most. One row is loaded three times as often as the others, since it is a matter of hundredths.
Quote the ratios: machines differ. The vendor's own time is in all of them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import plain
from findings import Aim, hold, note
from measured import CUT_OFF, CutOff, Failed, Used, median, run, show
from standin import StandIn

HERE = Path(__file__).parent
MOST = 60_000  # rows of one answer, by the vendor's page
LOADS = ("first load", "again")
# rows → wall of the bare pipeline's, by load, and MB
AIMS = {
    1: ({"first load": Aim(1.15, 0.9), "again": Aim(1.05, 0.9)}, Aim(150, unit="MB")),
    MOST: (dict.fromkeys(LOADS, Aim(1.5, 1.0)), Aim(350, unit="MB")),
    1_000_000: (dict.fromkeys(LOADS, Aim(2.5, 1.5)), Aim(600, unit="MB")),
}
OF_LISTS = Aim(0.5)
OURS, BARE, LISTS = "ours", "bare", "lists"


def command(name: str, rows: int) -> list[str | Path]:
    if name == OURS:
        return [plain.program(), "load", "--force"]
    kind = "arrow" if name == BARE and rows > 1 else "dicts"
    return [plain.python(), HERE / "bare.py", kind]


def check(home: Path, rows: int, name: str) -> None:
    """Fail unless ours has the same rows as the other one, and all of them twice in `readings`."""
    script = """
import duckdb, sys
rows, name = int(sys.argv[1]), sys.argv[2]
key = "operation_id, operation, description, date"
db = duckdb.connect()
db.execute("ATTACH 'ours/wolkvox.duckdb' AS ours (READ_ONLY)")
db.execute(f"ATTACH '{name}/bare.duckdb' AS bare (READ_ONLY)")
ask = lambda sql: db.execute(sql).fetchall()
mine = f"SELECT {key}, items FROM ours.wolkvox_billing.rsync_s3_mp3"
other = (
    "SELECT operation_id, operation, description, date::DATE, "
    "replace(items::VARCHAR, ',', '')::DECIMAL(18, 4) FROM bare.bare_data.rsync_s3_mp3"
)
assert ask(f"SELECT count(*) FROM ({mine})") == [(rows,)]
assert ask(f"({mine} EXCEPT {other}) UNION ALL ({other} EXCEPT {mine})") == []
read = f"SELECT {key}, items FROM ours.wolkvox_billing.readings GROUP BY ALL"
assert ask(f"SELECT count(*) FROM ({read} HAVING count(*) = 2)") == [(rows,)]
"""
    subprocess.run([plain.own("python"), "-c", script, str(rows), name], cwd=home, check=True)


class Comparison:
    """Two loads, into nothing and again, by each of those that are compared."""

    def __init__(self, rows: int, answers: int, home: Path, longest: float) -> None:
        self.rows, self.answers, self.home, self.longest = rows, answers, home, longest
        self.took: dict[str, dict[str, list[Used]]] = {load: {} for load in LOADS}
        self.cut_off: dict[str, str] = {}  # load → why dlt's lists were not measured
        self.warm: dict[str, str] = {}

    def measure(self, runs: int, warm: int) -> None:
        with StandIn("rows", str(self.rows), str(self.answers)) as vendor:
            settings = vendor.settings | plain.settings()
            for number in range(runs):
                names = [BARE, OURS]
                if self.rows > MOST and not number:
                    names.append(LISTS)
                for name in names:
                    shutil.rmtree(self.home / name, ignore_errors=True)
                    (self.home / name).mkdir()
                for load in LOADS:
                    for name in names:
                        self._load(load, name, settings)
                check(self.home, self.rows, BARE)
                if LISTS in names and not self.cut_off:
                    check(self.home, self.rows, LISTS)
            for name in (BARE, OURS) if self.rows == 1 else ():
                program = [plain.python(), HERE / "warm.py", name, str(warm)]
                run(program, self.home / name, settings)
                self.warm[name] = (self.home / name / "output").read_text().splitlines()[-1]

    def _load(self, load: str, name: str, settings: dict[str, str]) -> None:
        home, longest = self.home / name, self.longest if name == LISTS else None
        if name == LISTS and self.cut_off:
            self.cut_off[load] = "not run, since the first load did not end"
            return
        try:
            used = run(command(name, self.rows), home, settings, longest)
            self.took[load].setdefault(name, []).append(used)
        except CutOff as error:
            self.cut_off[load] = str(error)
        except Failed as error:
            if name != LISTS:
                raise
            print(f"{name} failed: {error}", flush=True)
            self.cut_off[load] = "failed: see above"

    def report(self) -> None:
        of = f"{self.rows:,} row{'s' if self.rows > 1 else ''}"
        if self.answers > 1:
            of += f" in {self.answers} answers"
        aims, peak = AIMS.get(self.rows, ({}, None))
        for load in LOADS:
            took = self.took[load]
            medians = {name: median(runs) for name, runs in took.items()}
            others = {LISTS: self.cut_off[load]} if load in self.cut_off else {}
            counts = {name: len(runs) for name, runs in took.items()}
            show(f"{of}, {load}: medians", counts, medians, BARE, others)
            mine = medians[OURS]
            if peak:
                ratio = mine.wall / medians[BARE].wall
                hold(f"`load`, {of}, {load}: wall, of a bare dlt pipeline", aims[load], ratio)
                hold(f"`load`, {of}, {load}: peak", peak, mine.peak)
            if LISTS in medians:
                lists = medians[LISTS]
                hold(f"`load`, {of}, {load}: wall, of dlt's lists", OF_LISTS,
                     mine.wall / lists.wall, f" ({mine.wall:.1f} and {lists.wall:.1f} s; "
                     f"{mine.peak:.0f} and {lists.peak:.0f} MB)")  # fmt: skip
            elif (why := self.cut_off.get(load, "")).startswith(CUT_OFF):
                hold(f"`load`, {of}, {load}: wall, of dlt's lists", OF_LISTS,
                     mine.wall / self.longest, f" ({why})", at_most=True)  # fmt: skip
        if self.warm:
            note("`load`, 1 row, in a warm process", "none", f"{self.warm[OURS]} CPU s; the bare "
                 f"pipeline {self.warm[BARE]}", None)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="1,60000,1000000", help="rows, with commas between")
    parser.add_argument("--longest", type=float, default=900, help="seconds of a load of lists")
    parser.add_argument("--warm", type=int, default=7, help="loads in a process that is warm")
    words = parser.parse_args()
    plain.tell()
    for rows in map(int, words.only.split(",")):
        with tempfile.TemporaryDirectory(prefix="bench-loads-") as name:
            comparison = Comparison(rows, 20 if rows > MOST else 1, Path(name), words.longest)
            runs = 3 * words.runs if rows == 1 and words.runs > 1 else words.runs
            comparison.measure(runs, words.warm)
            comparison.report()


if __name__ == "__main__":
    main()
