"""What a `load` takes beside what else a user could have taken for the same rows.

    python benchmarks/peers.py [--runs 5] [--only 1,60000] [--peers handwritten,curl]

Each peer is a folder of `peers/`, in a virtual environment of its own in `build/peers`, which `make
peers` sets up; ours is in a plain install. All ask the same stand-in vendor over the same socket,
one after the other in each run, load into nothing and then again, and end with the same rows in the
same types, which is checked. The peers that load texts type them by `peers/typed.sql` at the end.
None but ours keeps its calls, what was received before, or what could not be read. Quote the
ratios: machines differ.
A million rows are in 20 answers. Who needs more than `--longest` seconds for a load is cut off,
which is told in its row; who needs more than `--slow` is run once only. dlt's `rest_api` by its
defaults needs 5 GB there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import plain
from findings import note
from measured import CutOff, Failed, Used, median, run, show
from standin import StandIn

HERE, BUILD = Path(__file__).parent / "peers", Path(__file__).parents[1] / "build" / "peers"
MOST = 60_000  # rows of one answer, by the vendor's page
LOADS = ("first load", "again")


PEERS = {  # and what each is run by
    "handwritten": "load.py",
    "curl": "load.sh",
    "dlt_rest_api": "load.py",
    "singer": "load.sh",
    "sling": "load.sh",
    "airbyte": "load.py",
}


def python_of(name: str) -> Path:
    """Return the peer's interpreter; ours where it needs no more than we have."""
    own = BUILD / name / "bin" / "python"
    return own if own.exists() or name != "handwritten" else plain.own("python")


def command(name: str) -> list[str | Path]:
    if name == "ours":
        return [plain.program(), "load", "--force"]
    script = HERE / name / PEERS[name]
    return [python_of(name) if script.suffix == ".py" else "bash", script]


def settings_of(name: str, vendor: StandIn) -> dict[str, str]:
    folder = BUILD / name
    own = plain.settings() if name == "ours" else {"PATH": f"{folder}/bin:/usr/bin:/bin"}
    program = next(folder.glob("lib/*/site-packages/sling_linux_amd64/bin/sling-*"), "")
    return {
        **vendor.settings,
        "VENDOR": vendor.url,
        "PEER_OPERATIONS": vendor.settings["SOURCES__WOLKVOX_BILLING__OPERATIONS"],
        "SLING": str(program),
        "DO_NOT_TRACK": "1",
        "AIRBYTE_OFFLINE_MODE": "1",
        **own,
    }


def check(home: Path, vendor: StandIn, rows: int, answers: int) -> None:
    """Raise where the rows are not those that the vendor sent, each once, in the same types.

    In a process of its own, so that this one stays small."""
    subprocess.run(
        [plain.own("python"), __file__, "check", vendor.url, str(rows), str(answers)],
        cwd=home,
        check=True,
    )


def check_rows(url: str, rows: int, answers: int) -> None:
    import json
    import urllib.request

    import duckdb
    from standin import REPORT, operations

    db = duckdb.connect()
    if Path("wolkvox.duckdb").exists():
        db.execute("ATTACH 'wolkvox.duckdb' AS it (READ_ONLY)")
        table = f"it.wolkvox_billing.{REPORT}"
    else:
        db.execute("ATTACH 'result.duckdb' AS it (READ_ONLY)")
        table = "it.main.usage"
    columns = "operation_id, operation, description, date, items"
    for operation in json.loads(operations(answers)):
        path = f"{url}/api/v2/billing.php?api={REPORT}"
        headers = {"wolkvox-token": operation["token"]}
        request = urllib.request.Request(path, headers=headers)  # noqa: S310, our stand-in
        with urllib.request.urlopen(request) as answer:  # noqa: S310, the same
            Path(f"{operation['name']}.sent").write_bytes(answer.read())
    # Read as one text a row, and cut by hand: not the way of any peer.
    db.execute(
        "CREATE TABLE sent AS SELECT"
        " regexp_extract(filename, '(op[0-9]+).sent', 1) AS operation_id,"
        " row->>'operation' AS operation, row->>'description' AS description,"
        " strptime(left(row->>'date', 10), '%Y-%m-%d')::DATE AS date,"
        " (split_part(translate(row->>'items', ',', ''), '.', 1)"
        "  || '.' || rpad(split_part(row->>'items', '.', 2), 4, '0'))::DECIMAL(18, 4) AS items"
        " FROM (SELECT filename, unnest(from_json(content::JSON->'data', '[\"JSON\"]')) AS row"
        " FROM read_text('*.sent'))"
    )
    mine, theirs = f"SELECT {columns} FROM {table}", f"SELECT {columns} FROM sent"
    types = [row[1] for row in db.execute(f"DESCRIBE {mine}").fetchall()]
    assert types == ["VARCHAR", "VARCHAR", "VARCHAR", "DATE", "DECIMAL(18,4)"], types
    for left, right in ((mine, theirs), (theirs, mine)):
        differ = db.execute(f"{left} EXCEPT ALL {right} LIMIT 3").fetchall()
        assert not differ, differ
    assert db.execute(f"SELECT count(*) FROM {table}").fetchall() == [(rows,)]


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        yield Path(name)


class Comparison:
    """What each of the peers took for two loads in each run; and what became of those that failed,
    or were cut off, by peer and load."""

    def __init__(self, rows: int, answers: int, longest: float, slow: float) -> None:
        self.rows, self.answers, self.longest, self.slow = rows, answers, longest, slow
        self.took: dict[str, dict[str, list[Used]]] = {load: {} for load in LOADS}
        self.why: dict[str, dict[str, str]] = {load: {} for load in LOADS}
        self._done: set[str] = set()  # who is not run again

    def measure(self, runs: int, peers: list[str]) -> None:
        with StandIn("rows", str(self.rows), str(self.answers)) as vendor:
            for number in range(runs):
                for name in peers:
                    if name not in self._done:
                        self._load_twice(name, number, vendor)

    def _load_twice(self, name: str, number: int, vendor: StandIn) -> None:
        settings = settings_of(name, vendor)
        with folder() as home:
            for load in LOADS:
                try:
                    used = run(command(name), home, settings, self.longest)
                    self.took[load].setdefault(name, []).append(used)
                    check(home, vendor, self.rows, self.answers)
                    if self.rows > MOST and used.wall > self.slow:
                        self._done.add(name)
                except CutOff as error:
                    self._leave_out(name, str(error), LOADS[LOADS.index(load) :])
                    return
                except (Failed, OSError, subprocess.CalledProcessError) as error:
                    if name in ("ours", "handwritten"):
                        raise
                    print(f"{name} failed in run {number + 1}: {error}", flush=True)
                    self._leave_out(name, "failed: see above", LOADS)
                    return

    def _leave_out(self, name: str, why: str, loads: Sequence[str]) -> None:
        """Drop the peer's numbers of these loads, and run it no more."""
        if name == "ours":
            raise SystemExit(f"ours was {why}")
        self._done.add(name)
        for load in loads:
            self.took[load].pop(name, None)
            self.why[load][name] = why if load == loads[0] else "not measured either"

    def report(self) -> None:
        of = f"{self.rows:,} row{'s' if self.rows > 1 else ''} in {self.answers} answers"
        for load in LOADS:
            took = self.took[load]
            medians = {name: median(runs) for name, runs in took.items()}
            counts = {name: len(runs) for name, runs in took.items()}
            base = "handwritten" if "handwritten" in medians else "ours"
            show(f"{of}, {load}: medians", counts, medians, base, self.why[load])
            for name, least in (("singer", 1.0), ("dlt_rest_api", 5.0)):
                if self.rows == MOST and name in medians:
                    times = medians[name].wall / medians["ours"].wall
                    note(f"`load`, {self.rows:,} rows, {load}: wall of {name}, of ours",
                         f"{least:g} x at least", f"{times:.1f} x", times >= least)  # fmt: skip


def main() -> None:
    if sys.argv[1:2] == ["check"]:
        check_rows(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="1,60000,1000000", help="rows, with commas between")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--longest", type=float, default=300, help="seconds of a load")
    parser.add_argument("--slow", type=float, default=60, help="seconds of a load of many rows")
    words = parser.parse_args()
    plain.tell()
    for rows in map(int, words.only.split(",")):
        comparison = Comparison(rows, 20 if rows > MOST else 1, words.longest, words.slow)
        comparison.measure(words.runs, ["ours", *words.peers.split(",")])
        comparison.report()


if __name__ == "__main__":
    main()
