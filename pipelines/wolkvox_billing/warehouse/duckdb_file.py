"""A DuckDB file while it is loaded: open once, in little memory, and no larger than it must be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dlt
from dlt.common.destination.exceptions import DestinationException

from wolkvox_billing.warehouse.complaints import DamagedFile, is_damage
from wolkvox_billing.warehouse.sql import engine_of, tables_in

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LITTLE_MEMORY = "300MB"  # for a load of many rows


def may_be_written(file: Path) -> bool:
    """Whether a file's rights, and those of its folder, allow that it is written."""
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


@contextmanager
def held_open(
    pipeline: dlt.Pipeline, *, or_fail: bool = False
) -> Iterator[DuckDBPyConnection | None]:
    """Hold a DuckDB file open for the block, so that dlt, which opens and closes it some seven
    times a load, does not write it out each time: a load takes a third less. Not while the vendor
    is asked: no reader could open the file meanwhile. Yield the connection, None where it cannot
    be had.

    A load must have it, `or_fail`: in a file that it gets later another project's load may be half
    done, and both use the same staging tables. Raises DestinationException then."""
    client = pipeline.sql_client() if engine_of(pipeline) == "duckdb" else None
    connection: DuckDBPyConnection | None = None
    try:
        if client:
            try:
                connection = client.open_connection()
            except DestinationException:
                if or_fail:
                    raise
        yield connection
    except Exception as error:
        if client and or_fail and is_damage(error):
            raise DamagedFile(client.credentials.database) from error
        raise
    finally:
        if client:
            client.close_connection()


@contextmanager
def in_little_memory(pipeline: dlt.Pipeline, most: str = LITTLE_MEMORY) -> Iterator[None]:
    """Let a DuckDB file that is held open take no more than `most` for the block, in place of four
    fifths of the machine's: it would keep all that it read. Where somebody has set another limit,
    that one stays."""
    import duckdb  # of no use to a load into another destination

    query = "SELECT current_setting('memory_limit')"
    with pipeline.sql_client() as client:
        [[limit]] = client.execute_sql(query) or []
        if duckdb.execute(query).fetchall() != [(limit,)]:
            yield
            return
        client.execute_sql(f"SET memory_limit = '{most}'")
        # Rows of a table have no order that anybody relies on; to keep it takes memory and time.
        client.execute_sql("SET preserve_insertion_order = false")
        try:
            yield
        finally:
            client.execute_sql(f"SET memory_limit = '{limit}'")
            client.execute_sql("RESET preserve_insertion_order")


def empty_staging(pipeline: dlt.Pipeline) -> None:
    """Empty dlt's staging tables, before DuckDB writes its file: it would write these rows too,
    and the file would be half as large again."""
    with pipeline.sql_client() as client, client.with_staging_dataset():
        for table in tables_in(client, client.dataset_name):
            if not table.startswith("_dlt"):
                client.execute_sql(f"TRUNCATE {client.make_qualified_table_name(table)}")
