"""What a `load` takes beside what else a user could have taken for the same rows.

    python benchmarks/peers.py [--runs 5] [--only 1,60000] [--peers handwritten,curl]

Each peer is a folder of `peers/`, in a virtual environment of its own in `build/peers`, which `make
peers` sets up. All ask the same stand-in vendor over the same socket, one after the other in each
run, load into nothing and then again, and end with the same rows in the same types, which is
checked. The peers that load texts type them by `peers/typed.sql` at the end. None but ours keeps
its calls, what was received before, or what could not be read. Quote the ratios: machines differ.
A million rows, by `--only 1000000` in 20 answers, are no part of `make bench`: dlt's `rest_api` by
its defaults needs 5 GB and 4 minutes and more for a load, and all of them need hours.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from findings import note
from measured import Failed, Used, median, run
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
    """The peer's interpreter; ours where it needs no more than we have."""
    own = BUILD / name / "bin" / "python"
    return own if own.exists() or name != "handwritten" else Path(sys.executable)


def command(name: str) -> list[str | Path]:
    if name == "ours":
        return [sys.executable, "-m", "wolkvox_billing", "load", "--force"]
    script = HERE / name / PEERS[name]
    return [python_of(name) if script.suffix == ".py" else "bash", script]


def settings_of(name: str, vendor: StandIn) -> dict[str, str]:
    folder = BUILD / name
    found = {} if name == "ours" else {"PATH": f"{folder}/bin:/usr/bin:/bin"}
    program = next(folder.glob("lib/*/site-packages/sling_linux_amd64/bin/sling-*"), "")
    return {
        **vendor.settings,
        "VENDOR": vendor.url,
        "PEER_OPERATIONS": vendor.settings["SOURCES__WOLKVOX_BILLING__OPERATIONS"],
        "SLING": str(program),
        "DO_NOT_TRACK": "1",
        "AIRBYTE_OFFLINE_MODE": "1",
        **found,
    }


def check(home: Path, vendor: StandIn, rows: int, answers: int) -> None:
    """The rows are those that the vendor sent, each once, in these types: raises where not.

    In a process of its own, so that this one stays small."""
    subprocess.run(
        [sys.executable, __file__, "check", vendor.url, str(rows), str(answers)],
        cwd=home,
        check=True,
    )


def checked(url: str, rows: int, answers: int) -> None:
    import json
    import urllib.request

    import duckdb
    from standin import REPORT, operations

    db = duckdb.connect()
    if Path("wolkvox.duckdb").exists():
        db.execute("ATTACH 'wolkvox.duckdb' AS it (READ_ONLY)")
        found = f"it.wolkvox_billing.{REPORT}"
    else:
        db.execute("ATTACH 'result.duckdb' AS it (READ_ONLY)")
        found = "it.main.usage"
    columns = "operation_id, operation, description, date, items"
    for one in json.loads(operations(answers)):
        path = f"{url}/api/v2/billing.php?api={REPORT}"
        asked = urllib.request.Request(path, headers={"wolkvox-token": one["token"]})  # noqa: S310
        with urllib.request.urlopen(asked) as answer:  # noqa: S310, our stand-in
            Path(f"{one['name']}.sent").write_bytes(answer.read())
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
    mine, theirs = f"SELECT {columns} FROM {found}", f"SELECT {columns} FROM sent"
    types = [row[1] for row in db.execute(f"DESCRIBE {mine}").fetchall()]
    assert types == ["VARCHAR", "VARCHAR", "VARCHAR", "DATE", "DECIMAL(18,4)"], types
    for one, other in ((mine, theirs), (theirs, mine)):
        differ = db.execute(f"{one} EXCEPT ALL {other} LIMIT 3").fetchall()
        assert not differ, differ
    assert db.execute(f"SELECT count(*) FROM {found}").fetchall() == [(rows,)]


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        yield Path(name)


def compare(
    rows: int, answers: int, runs: int, peers: list[str]
) -> dict[tuple[str, str], list[Used]]:
    """What each took in each run, by peer and load. Who fails is told, and is out of it."""
    found: dict[tuple[str, str], list[Used]] = {}
    failed: set[str] = set()
    with StandIn("rows", str(rows), str(answers)) as vendor:
        for number in range(runs):
            for name in (one for one in peers if one not in failed):
                with folder() as home:
                    settings = settings_of(name, vendor)
                    try:
                        for load in LOADS:
                            used = run(command(name), home, settings)
                            found.setdefault((name, load), []).append(used)
                            check(home, vendor, rows, answers)
                    except (Failed, OSError, subprocess.CalledProcessError) as error:
                        if name in ("ours", "handwritten"):
                            raise
                        failed.add(name)
                        print(f"{name} failed in run {number + 1}: {error}", flush=True)
                        for load in LOADS:
                            found.pop((name, load), None)
    return found


def show(rows: int, answers: int, found: dict[tuple[str, str], list[Used]]) -> None:
    """A table, and the findings that have an aim."""
    for load in LOADS:
        print(f"\n{rows:,} rows in {answers} answers, {load}: medians of "
              f"{len(found['ours', load])}\n"
              f"{'':14}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'wall':>8}{'CPU':>7} of handwritten"
              )  # fmt: skip
        took = {name: median(all_) for (name, when), all_ in found.items() if when == load}
        base = took["handwritten"]
        for name, one in sorted(took.items(), key=lambda pair: pair[1].wall):
            print(f"{name:14}{one.wall:8.2f}{one.cpu:8.2f}{one.peak:9.0f}"
                  f"{one.wall / base.wall:8.2f}{one.cpu / base.cpu:7.2f}")  # fmt: skip
        for name, least in (("singer", 1.0), ("dlt_rest_api", 5.0)):
            if rows == MOST and name in took:
                times = took[name].wall / took["ours"].wall
                note(f"{rows:,} rows, {load}: wall of {name}, of ours", f"{least:g} x at least",
                     f"{times:.1f} x", times >= least)  # fmt: skip


def main() -> None:
    if sys.argv[1:2] == ["check"]:
        checked(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="1,60000", help="rows, with commas between")
    parser.add_argument("--peers", default=",".join(PEERS))
    words = parser.parse_args()
    chosen = words.peers.split(",")
    for rows in (int(one) for one in words.only.split(",")):
        answers = 20 if rows > MOST else 1
        show(rows, answers, compare(rows, answers, words.runs, ["ours", *chosen]))


if __name__ == "__main__":
    main()
