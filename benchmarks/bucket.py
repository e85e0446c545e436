"""What a look at the bucket takes, beside what else lists the same server: boto3, s3fs, rclone.

    python benchmarks/bucket.py [--objects 1000000] [--days 200] [--inventory 20000000]

rclone serves a folder of empty files as S3, a folder for each day, and all ask the same server one
after the other. Ours lists, hashes and stores, and looks again; the others list alone. boto3 and
s3fs are asked in a virtual environment of their own, `build/peers/s3`, which `make peers` sets up;
without it they are left out, which is told. The server remembers its folders, as it does by
default: else it reads a folder anew for each thousand names. Of a hundred million objects nobody
makes a listing: DuckDB counts the days of an inventory of `--inventory` rows.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import duckdb
import plain
from findings import Aim, hold, note
from measured import Used, run, show
from peers import BUILD

from builders.buckets import KEY_ID, KEY_SECRET, NAME, name_of, rclone

FIRST = date(2026, 3, 1)
LOOK, AGAIN, PEAK = Aim(60, unit="s"), Aim(10, unit="s"), Aim(300, unit="MB")
BOTO3 = """
import boto3, sys
client = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1")
pages = client.get_paginator("list_objects_v2").paginate(Bucket=sys.argv[2])
print(sum(len(page.get("Contents", ())) for page in pages))
"""
S3FS = """
import s3fs, sys
fs = s3fs.S3FileSystem(endpoint_url=sys.argv[1], client_kwargs={"region_name": "us-east-1"})
print(len(fs.find(sys.argv[2])))
"""


def fill(folder: Path, objects: int, days: int) -> None:
    """Write so many empty files, by days up to today, so that a second look has some to list; those
    of a day are one file under many names."""
    for n in range(days):
        day = datetime.now(timezone.utc).date() - n * timedelta(days=1)
        own = folder / str(day)
        own.mkdir(parents=True)
        first = own / name_of(str(day), "0")
        first.touch()
        for number in range(1, objects // days):
            os.link(first, own / name_of(str(day), str(number)))


def settings(url: str) -> dict[str, str]:
    return {
        "BUCKET__URL": f"s3://{NAME}",
        "BUCKET__ENDPOINT": url,
        "BUCKET__REGION": "us-east-1",
        "BUCKET__OPERATIONS": '{"*": "acme"}',
        "BUCKET__CREDENTIALS__AWS_ACCESS_KEY_ID": KEY_ID,
        "BUCKET__CREDENTIALS__AWS_SECRET_ACCESS_KEY": KEY_SECRET,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": KEY_SECRET,
        "RCLONE_CONFIG_S_TYPE": "s3",
        "RCLONE_CONFIG_S_PROVIDER": "Rclone",
        "RCLONE_CONFIG_S_ENDPOINT": url,
        "RCLONE_CONFIG_S_ENV_AUTH": "true",
    }


def measure(words: argparse.Namespace, url: str, home: Path) -> dict[str, Used]:
    """Return what each took, in turn; ours beside what runs this: a plain install has no extra."""
    env, ours = settings(url), plain.own("wolkvox-billing")
    binary = Path(sys.executable).with_name("rclone")
    took = {
        "ours": run([ours, "bucket", "--full"], home, env),
        "ours again": run([ours, "bucket"], home, env),
        "rclone size": run([binary, "size", f"S:{NAME}"], home, env),
    }
    if words.peers.exists():
        took["boto3"] = run([words.peers, "-c", BOTO3, url, NAME], home, env)
        took["s3fs"] = run([words.peers, "-c", S3FS, url, NAME], home, env)
    else:
        print(f"boto3 and s3fs are left out: there is no {words.peers}")
    with duckdb.connect(str(home / "wolkvox.duckdb"), read_only=True) as db:
        [(stored,)] = db.execute("SELECT COUNT(*) FROM wolkvox_billing.bucket_objects").fetchall()
    assert stored == words.objects // words.days * words.days, stored
    return took


def count_inventory(rows: int, folder: Path) -> float:
    """Return the seconds in which DuckDB counts the days of an inventory, as Parquet."""
    file = folder / "inventory.parquet"
    db = duckdb.connect()
    db.execute(
        f"COPY (SELECT 'acme/' || (DATE '{FIRST}' + (i // 100000)::INT) || '/customer.900.agent.' "
        "|| i % 50 || '.tel.3005550000.id.' || i || '.mp3' AS key, 480000 AS size, "
        f"TIMESTAMP '{FIRST}' + INTERVAL (i // 100000) DAY AS last_modified_date "
        f"FROM range({rows}) AS r(i)) TO '{file}' (FORMAT parquet)"
    )
    began = time.perf_counter()
    days = db.execute(
        "SELECT CAST(last_modified_date AS DATE), COUNT(*), SUM(size) FROM "
        f"read_parquet('{file}') WHERE key LIKE '%.mp3' GROUP BY 1"
    ).fetchall()
    took = time.perf_counter() - began
    assert sum(count for _, count, _ in days) == rows
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--inventory", type=int, default=20_000_000)
    parser.add_argument("--peers", type=Path, default=BUILD / "s3" / "bin" / "python")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bucket-") as folder:
        root, home = Path(folder, "s3"), Path(folder, "home")
        home.mkdir()
        fill(root / NAME, words.objects, words.days)
        with rclone(root, "1h") as port:
            took = measure(words, f"http://127.0.0.1:{port}", home)
        counts = dict.fromkeys(took, 1)
        show(f"{words.objects:,} objects, {words.days} days", counts, took, "rclone size")
        ours, again = took["ours"], took["ours again"]
        pace = f" ({words.objects / ours.wall:,.0f} a second)"
        hold(f"a look at {words.objects:,} objects: wall", LOOK, ours.wall, pace)
        hold(f"a look at {words.objects:,} objects: peak", PEAK, ours.peak)
        hold(f"a second look at {words.objects:,} objects: wall", AGAIN, again.wall)
        seconds = count_inventory(words.inventory, home)
        work = f"DuckDB counts the days of an inventory of {words.inventory:,} rows"
        note(work, "none", f"{seconds:.2f} s", None)


if __name__ == "__main__":
    main()
