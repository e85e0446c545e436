"""DuckDB files as a test reads and writes them, beside the product."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

import duckdb

_ONE_AT_A_TIME = Lock()


@contextmanager
def attached(file: Path, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to a file, under the name that it has for whoever opens it; times come in
    UTC. To open a DuckDB of its own for each question takes five times as long."""
    with _ONE_AT_A_TIME, closing(_database().cursor()) as db:
        mode = "READ_ONLY" if read_only else "READ_WRITE"
        db.execute(f"""ATTACH '{file}' AS "{file.stem}" ({mode})""")
        try:
            db.execute(f'USE "{file.stem}"')
            yield db
        finally:
            db.execute("USE memory")
            db.execute(f'DETACH "{file.stem}"')


@cache
def _database() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database
