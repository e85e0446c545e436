"""How fast the marts answer over 10.5 million readings: 20 operations, 5 years, every 5 minutes.

    make bench                                 both engines
    python benchmarks/marts.py --days 90       a smaller one
    python benchmarks/marts.py --no-postgres   DuckDB alone

Prints each mart's seconds (the best of three, or of one that takes more than 20) beside those of a
hand-written query that only finds the last reading of each day, in the same run: quote the ratio,
machines differ.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import psycopg2

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from findings import note

from builders.postgres import running_postgres
from wolkvox_billing.marts.engine import MARTS, Engine
from wolkvox_billing.marts.meaning import Meaning
from wolkvox_billing.marts.sql import MartRows, statements
from wolkvox_billing.warehouse.place import POSTGRES_OPTIONS

LAST_DAY = date(2026, 10, 31)
OPERATIONS = 20
MINUTES = 5
LONGEST = 2  # seconds that `usage_monthly` may take on DuckDB
RAW, VIEWS = "wolkvox_billing", "wolkvox_billing_marts"

# The readings of a counter that starts anew each month, in the order in which polls arrive.
READINGS = f"""
    SELECT
        strftime(moment, '%Y%m%dT%H%M%S.000000Z-') || left(md5(moment::VARCHAR || o), 12)
            AS poll_id,
        'rsync_s3_mp3' AS report,
        1::BIGINT AS row_number,
        'operation ' || o AS operation_id,
        'OPERATION  ' || o AS operation,
        'RSYNC S3 MP3' AS description,
        (moment - INTERVAL 5 HOUR)::DATE AS date,
        (100 * day(moment - INTERVAL 5 HOUR) + hour(moment - INTERVAL 5 HOUR))::DECIMAL(18, 4)
            AS items,
        'as it came' AS items_raw,
        'as it came' AS date_raw,
        moment::TIMESTAMPTZ AS read_at,
        epoch(moment)::BIGINT AS read_epoch,
        (moment - INTERVAL 5 HOUR)::DATE AS read_date,
        1::BIGINT AS days_in_answer,
        FALSE AS is_repeated
    FROM range(TIMESTAMP '{{start}}', TIMESTAMP '{{end}}', INTERVAL {MINUTES} MINUTE)
            AS times(moment),
        range({OPERATIONS}) AS operations(o)
    ORDER BY moment, o
"""
POLLS = """
    SELECT poll_id, operation_id, report, 'America/Bogota' AS timezone, read_date AS poll_date,
        read_at AS started_at, read_epoch AS started_epoch, 'ok' AS outcome
    FROM wolkvox_billing.readings
"""
BARE = f"""
    SELECT operation_id, operation, report, description, date, MAX(read_at)
    FROM {RAW}.readings GROUP BY operation_id, operation, report, description, date
"""
QUERIES = {
    "bare: last reading of a day": BARE,
    **{mart: f"SELECT * FROM {VIEWS}.{mart}" for mart in MARTS},
    "usage_daily of a month": f"SELECT * FROM {VIEWS}.usage_daily WHERE usage_date >= '2026-10-01'",
}

Rows = list[Any]  # of each query another kind
Query = Callable[[str], Rows]


@contextmanager
def duckdb_with_readings(folder: Path, days: int) -> Iterator[tuple[Query, str]]:
    """Yield a query of a DuckDB with the raw tables, and its file."""
    end = datetime.combine(LAST_DAY + timedelta(days=1), datetime.min.time()) + timedelta(hours=5)
    file = str(folder / "bench.duckdb")
    with closing(duckdb.connect(file)) as db:
        db.execute("SET threads = 2; SET TimeZone = 'UTC'")
        db.execute(f"CREATE SCHEMA {RAW}")
        start = end - timedelta(days=days)
        db.execute(f"CREATE TABLE {RAW}.readings AS {READINGS.format(start=start, end=end)}")
        db.execute(f"CREATE TABLE {RAW}.polls AS {POLLS}")
        yield lambda sql: db.execute(sql).fetchall(), file


@contextmanager
def postgres_with_readings(folder: Path, query: Query) -> Iterator[Query]:
    """Yield a query of a PostgreSQL with the same rows, copied over."""
    with running_postgres() as dsn, closing(psycopg2.connect(dsn)) as pg:
        pg.autocommit = True
        cursor = pg.cursor()
        cursor.execute(f"CREATE SCHEMA {RAW}")
        for table in ("readings", "polls"):
            kinds = query(
                "SELECT column_name, data_type FROM information_schema.columns "
                f"WHERE table_name = '{table}' AND table_schema = '{RAW}' ORDER BY ordinal_position"
            )
            columns = ", ".join(f"{name} {kind}" for name, kind in kinds)
            cursor.execute(f"CREATE TABLE {RAW}.{table} ({columns})")
            csv = folder / f"{table}.csv"
            query(f"COPY {RAW}.{table} TO '{csv}' (HEADER false)")
            with csv.open() as file:
                cursor.copy_expert(f"COPY {RAW}.{table} FROM STDIN (FORMAT csv)", file)
            csv.unlink()
        cursor.execute("VACUUM ANALYZE")

        def run(sql: str) -> Rows:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

        cursor.execute("SET TimeZone = 'UTC'")
        for name, value in POSTGRES_OPTIONS.items():  # as our verbs ask
            cursor.execute(f"SET {name} = '{value}'")
        yield run


def measure(engine: str, query: Query) -> dict[str, list[str]]:
    """Print a line with the time of each query; return the rows of each mart, as texts."""
    now = datetime.combine(LAST_DAY + timedelta(days=1), datetime.min.time(), timezone.utc)
    began = time.perf_counter()
    rows_of_tables = MartRows(
        Meaning(),
        now=now + timedelta(hours=6),
        first_poll=query(f"SELECT MIN(poll_date) FROM {RAW}.polls")[0][0],
        zones={f"operation {n}": "America/Bogota" for n in range(OPERATIONS)},
    )
    for statement in statements(Engine(engine, RAW, VIEWS), rows_of_tables):
        query(statement)
    print(f"{engine:9} {'all views made':28} {time.perf_counter() - began:7.2f} s")
    mart_rows, bare = {}, 0.0
    for name, sql in QUERIES.items():
        best, runs = float("inf"), 0
        while runs < 3 and (not runs or best < 20):
            began = time.perf_counter()
            rows = query(sql)
            best, runs = min(best, time.perf_counter() - began), runs + 1
        bare = bare or best
        print(f"{engine:9} {name:28} {best:7.2f} s {best / bare:6.1f} x bare {len(rows):8,} rows")
        if (engine, name) == ("duckdb", "usage_monthly"):
            note("`usage_monthly` on DuckDB over all readings", f"{LONGEST} s", f"{best:.2f} s",
                 best < LONGEST)  # fmt: skip
        if name in MARTS:  # each engine has a class of its own for UTC
            mart_rows[name] = sorted(repr([str(value) for value in row]) for row in rows)
    return mart_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=5 * 365)
    parser.add_argument("--no-postgres", action="store_true")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with duckdb_with_readings(folder, words.days) as (query, file):
            count = query(f"SELECT COUNT(*) FROM {RAW}.readings")[0][0]
            size = Path(file).stat().st_size / 1e6
            print(f"{count:,} readings, {size:,.0f} MB in DuckDB {duckdb.__version__}")
            of_duckdb = measure("duckdb", query)
            if words.no_postgres:
                return
            with postgres_with_readings(folder, query) as other:
                of_postgres = measure("postgres", other)
        print("same rows on both engines:", of_duckdb == of_postgres)


if __name__ == "__main__":
    main()
