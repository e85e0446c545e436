"""Questions to a database, and values as DuckDB and PostgreSQL write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import dlt
from dlt.common.destination import Destination
from dlt.destinations.sql_client import SqlClientBase


def engine_name(kind: Destination[Any, Any]) -> str:
    return kind.destination_type.rsplit(".", 1)[-1]


def engine_of(pipeline: dlt.Pipeline) -> str:
    """dlt's name of what runs there, such as `duckdb`, whatever name the settings give it."""
    return engine_name(pipeline.destination)


def rows_of(client: SqlClientBase[Any], query: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query, as tuples whatever the driver gives; none where it has no answer.
    values: for each `%s` in it."""
    return [tuple(row) for row in client.execute_sql(query, *values) or ()]


def tables_in(client: SqlClientBase[Any], schema: str) -> set[str]:
    """The names of the tables and views in a schema; none where there is no such schema."""
    names = rows_of(
        client, f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'"
    )
    return {name for (name,) in names}


def literal(value: object) -> str:
    """A value as DuckDB and PostgreSQL write it."""
    if value is None:
        return "NULL"
    if isinstance(value, (int, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    quoted = str(value).replace("'", "''")
    return f"DATE '{value}'" if isinstance(value, date) else f"'{quoted}'"


def insert(table: str, rows: list[tuple[object, ...]]) -> Iterator[str]:
    for start in range(0, len(rows), 1000):
        values = ", ".join(
            f"({', '.join(map(literal, row))})" for row in rows[start : start + 1000]
        )
        yield f"INSERT INTO {table} VALUES {values}"


REFRESHED = ("duckdb", "postgres")  # engines whose marts `load` refreshes


def listed(values: Iterable[str]) -> str:
    """Return these texts as they stand between the brackets of IN."""
    return ", ".join(map(literal, sorted(values)))


def among(column: str, values: Iterable[str]) -> str:
    """Return the condition that a column has one of these texts."""
    return f"{column} IN ({listed(values)})"
