"""What a `load` takes beside a hand-written dlt pipeline that asks the same vendor for the same.

    python benchmarks/loads.py [--runs 5] [--only 1,60000]

Each run is a process of its own, in turn with the one that it is compared to. Ours fills four
tables by four keys, judges each answer, reads each text, and makes the views. The bare one fills
one table by the report's key: from dicts as they come where the answer is one row, else from Arrow
tables whose items and dates are cast. Quote the ratios: machines differ. The vendor's own time is
in both.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import findings

REPORT = "rsync_s3_mp3"
MOST = 60_000  # rows of one answer, by the vendor's page
NOW = datetime(2026, 11, 10, 17, tzinfo=timezone.utc)
KEY = ("operation", "description", "date")
AIMS = {  # rows, answers → wall by first load or again, and MB
    (1, 1): (1.1, 150),
    (MOST, 1): (1.5, 350),
    (1_000_000, 20): (2.0, 600),
}


class Used(NamedTuple):
    wall: float
    cpu: float
    peak: float


# What the other processes do.


def vend(rows: int, answers: int) -> None:
    """The stand-in vendor, until its input ends. The answers are made beforehand."""
    from fake_wolkvox import Vendor
    from fake_wolkvox.reply import envelope

    with Vendor(now=NOW, operations=[]) as vendor:
        found = [
            {
                "operation": "ACME",
                "description": f"Audios {n % 2000:04}",
                "items": f"{n % 977},{n % 1000:03}.5" if n % 977 else f"{n % 1000}.25",
                "date": f"2026-{1 + n // 2000 % 10:02}-{1 + n // 20000 % 28:02}",
            }
            for n in range(rows // answers)
        ]
        body = envelope(found)
        for number in range(answers):
            vendor.add_operation(name=f"OP{number}", server=f"{number:04}", token=token(number))
            vendor.answer(token(number), REPORT, body)
        print(vendor.url, flush=True)
        sys.stdin.read()


def token(number: int) -> str:
    return f"{number:02}" * 32


def ours(destination: str, answers: int) -> None:
    """One `load`, as the command line does it."""
    from wolkvox_billing.cli import main

    operations = [
        {"name": f"op{n}", "server": f"{n:04}", "token": token(n)} for n in range(answers)
    ]
    os.environ["SOURCES__WOLKVOX_BILLING__OPERATIONS"] = json.dumps(operations)
    main(["load", "--force", "--destination", destination])


def bare(destination: str, answers: int) -> None:
    """What somebody writes who knows dlt, and wants one table."""
    import dlt
    from dlt.sources.helpers import requests

    def answer(number: int) -> list[dict[str, str]]:
        url = f"{os.environ['SOURCES__WOLKVOX_BILLING__BASE_URL']}/api/v2/billing.php"
        headers = {"wolkvox-token": token(number)}
        reply = requests.get(url, params={"api": REPORT}, headers=headers)
        return reply.json()["data"]

    @dlt.resource(name=REPORT, write_disposition="merge", primary_key=("operation_id", *KEY))
    def dicts() -> Any:
        for number in range(answers):
            yield [{"operation_id": f"op{number}", **row} for row in answer(number)]

    @dlt.resource(name=REPORT, write_disposition="merge", primary_key=("operation_id", *KEY))
    def tables() -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        for number in range(answers):
            got = pa.Table.from_pylist(answer(number))
            amounts = pc.replace_substring(got["items"], ",", "").cast(pa.decimal128(18, 4))
            got = got.set_column(2, "items", amounts)
            got = got.set_column(3, "date", got["date"].cast(pa.date32()))
            yield got.append_column("operation_id", pa.array([f"op{number}"] * len(got)))

    pipeline = dlt.pipeline("bare", destination=destination, dataset_name="bare_data")
    pipeline.run(tables() if os.environ.get("ARROW") else dicts())


def warm(load: Callable[[], object]) -> None:
    """The CPU seconds of the third to seventh load of a process."""
    took = []
    for _ in range(7):
        began = time.process_time()
        load()
        took.append(time.process_time() - began)
    print(f"{statistics.median(took[2:]):.2f}")


def warm_ours(destination: str) -> None:
    from wolkvox_billing.pipeline import load

    operation = {"name": "op0", "server": "0000", "token": token(0)}
    warm(lambda: load(destination=destination, operations=[operation], force=True))


# What this process does.


def run(home: Path, words: list[str], **settings: str) -> Used:
    """A process of its own in a project folder. Kept small, this one is no part of the peak."""
    environment = os.environ | settings | {"HOME": str(home), "DLT_DATA_DIR": str(home / "dlt")}
    said = home / "said"
    began = time.perf_counter()
    with said.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, __file__, *words], cwd=home, env=environment, stdout=file, stderr=file
        )
        _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    if status:
        raise SystemExit(said.read_text())
    return Used(took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def check(home: Path, rows: int, polls: int) -> None:
    """Both have the same rows, and ours has all of them again in `readings`."""
    script = """
import duckdb, sys
rows, polls = map(int, sys.argv[1:])
key = "operation_id, operation, description, date"
db = duckdb.connect()
db.execute("ATTACH 'ours/wolkvox.duckdb' AS ours (READ_ONLY)")
db.execute("ATTACH 'bare/bare.duckdb' AS bare (READ_ONLY)")
ask = lambda sql: db.execute(sql).fetchall()
mine = f"SELECT {key}, items FROM ours.wolkvox_billing.rsync_s3_mp3"
other = (
    "SELECT operation_id, operation, description, date::DATE, "
    "replace(items::VARCHAR, ',', '')::DECIMAL(18, 4) FROM bare.bare_data.rsync_s3_mp3"
)
assert ask(f"SELECT count(*) FROM ({mine})") == [(rows,)]
assert ask(f"({mine} EXCEPT {other}) UNION ALL ({other} EXCEPT {mine})") == []
read = f"SELECT {key}, items FROM ours.wolkvox_billing.readings GROUP BY ALL"
assert ask(f"SELECT count(*) FROM ({read} HAVING count(*) = {polls})") == [(rows,)]
"""
    command = [sys.executable, "-c", script, str(rows), str(polls)]
    subprocess.run(command, cwd=home, check=True)


def compare(rows: int, answers: int, runs: int, destination: str) -> None:
    """Two loads, into nothing and again, by ours and by the bare one; medians of the runs."""
    with tempfile.TemporaryDirectory(prefix="bench-loads-") as name:
        home = Path(name)
        vendor = subprocess.Popen(
            [sys.executable, __file__, "vend", str(rows), str(answers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert vendor.stdin
        assert vendor.stdout
        settings = {
            "SOURCES__WOLKVOX_BILLING__BASE_URL": vendor.stdout.readline().strip(),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
            **({"ARROW": "1"} if rows > 1 else {}),
        }
        found: dict[tuple[str, str], list[Used]] = {}
        try:
            for _ in range(runs):
                for who in ("bare", "ours"):
                    shutil.rmtree(home / who, ignore_errors=True)
                    (home / who).mkdir()
                for load in ("first load", "again"):
                    for who in ("bare", "ours"):
                        used = run(home / who, [who, destination, str(answers)], **settings)
                        found.setdefault((load, who), []).append(used)
                check(home, rows, 2)
            if rows == 1:
                run(home / "ours", ["warm", destination], **settings)
                warmth = (home / "ours" / "said").read_text().splitlines()[-1]
                run(home / "bare", ["warm-bare", destination], **settings)
                bare_warmth = (home / "bare" / "said").read_text().splitlines()[-1]
        finally:
            vendor.stdin.close()
            vendor.wait()
    aim, most = AIMS.get((rows, answers), (None, None))
    for load in ("first load", "again"):
        mine, other = (median(found[load, who]) for who in ("ours", "bare"))
        print(
            f"{rows:>9,} {answers:>3} {load:10} {other.wall:7.2f} {mine.wall:7.2f} "
            f"{mine.wall / other.wall:6.2f} {mine.cpu / other.cpu:6.2f} {aim or '':>5} "
            f"{other.peak:7.0f} {mine.peak:7.0f} {most or '':>5}",
            flush=True,
        )
        if aim and most:
            work = f"{rows:,} rows in {answers} answers, {load}"
            ratio = mine.wall / other.wall
            findings.note(
                f"{work}, wall of a bare pipeline", f"{aim} x", f"{ratio:.2f} x", ratio <= aim
            )
            findings.note(f"{work}, peak", f"{most} MB", f"{mine.peak:.0f} MB", mine.peak <= most)
    if rows == 1:
        measured = f"{warmth} CPU s; the bare pipeline {bare_warmth}"
        findings.note("one row in a warm process", "0.3 CPU s", measured, float(warmth) <= 0.3)


def median(found: list[Used]) -> Used:
    return Used(*(statistics.median(one) for one in zip(*found, strict=True)))


def main() -> None:
    roles: dict[str, Callable[[list[str]], None]] = {
        "vend": lambda words: vend(int(words[0]), int(words[1])),
        "ours": lambda words: ours(words[0], int(words[1])),
        "bare": lambda words: bare(words[0], int(words[1])),
        "warm": lambda words: warm_ours(words[0]),
        "warm-bare": lambda words: warm(lambda: bare(words[0], 1)),
    }
    if len(sys.argv) > 1 and sys.argv[1] in roles:
        roles[sys.argv[1]](sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="1,60000,1000000", help="rows, with commas between")
    words = parser.parse_args()
    print(f"{'':24} {'wall s':>15} {'ours / bare':>13} {'':>5} {'peak MB':>15}")
    print(
        f"{'rows':>9} {'of':>3} {'':10} {'bare':>7} {'ours':>7} {'wall':>6} {'CPU':>6} {'aim':>5} "
        f"{'bare':>7} {'ours':>7} {'aim':>5}"
    )
    for rows in (int(one) for one in words.only.split(",")):
        compare(rows, 20 if rows > MOST else 1, words.runs, "duckdb")


if __name__ == "__main__":
    main()
