"""Questions to a database, and values as DuckDB and PostgreSQL write them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import dlt
from dlt.common.destination import AnyDestination
from dlt.destinations.sql_client import SqlClientBase

Client: TypeAlias = SqlClientBase[Any]  # of any driver: nobody asks for the connection in it
SqlRow: TypeAlias = tuple[Any, ...]  # only the query knows the types of its columns
Record: TypeAlias = dict[str, Any]  # the same by its columns, where these may be any
Row = TypeVar("Row")


def engine_name(destination: AnyDestination) -> str:
    """Return dlt's name of an engine, such as `duckdb`, whatever name the settings give it."""
    return destination.destination_type.rsplit(".", 1)[-1]


def engine_of(pipeline: dlt.Pipeline) -> str:
    """Return dlt's name of the engine that a pipeline loads into."""
    return engine_name(pipeline.destination)


def rows_of(client: Client, query: str, *values: object) -> list[SqlRow]:
    """Return the rows of a query, as tuples whatever the driver gives; none where it has no answer.

    values: for each `%s` in it.
    """
    return [tuple(row) for row in client.execute_sql(query, *values) or ()]


def rows_as(client: Client, kind: type[Row], source: str) -> list[Row]:
    """Return rows as a NamedTuple or dataclass has them, whose fields are their columns. source:
    what comes after FROM."""
    columns = getattr(kind, "_fields", None) or [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return [kind(*row) for row in rows_of(client, f"SELECT {', '.join(columns)} FROM {source}")]


def records_of(client: Client, query: str) -> list[Record]:
    """Return the rows of a query, each by the columns that it has."""
    with client.execute_query(query) as cursor:
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def tables_in(client: Client, schema: str) -> set[str]:
    """Return the names of the tables and views in a schema; none where there is no such schema."""
    return {name for _, name in tables_of_schemas(client, [schema])}


def tables_of_schemas(client: Client, schemas: Collection[str]) -> list[tuple[str, str]]:
    """Return schema and name of all tables and views in schemas, those that are there. DuckDB takes
    half the time for its own functions that it takes for information_schema."""
    query = (
        "SELECT table_schema, table_name FROM information_schema.tables "
        f"WHERE {among('table_schema', schemas)}"
    )
    if client.capabilities.sqlglot_dialect == "duckdb":
        here = among("schema_name", schemas)
        query = (
            f"SELECT schema_name, table_name FROM duckdb_tables() WHERE {here} UNION ALL "
            f"SELECT schema_name, view_name FROM duckdb_views() WHERE {here}"
        )
    return [(schema, name) for schema, name in rows_of(client, query)]


def columns_in(client: Client, table: str) -> set[str]:
    """Return the names of the columns of a table that is there, named with its schema. It is not
    asked of information_schema, where DuckDB goes through all views."""
    with client.execute_query(f"SELECT * FROM {table} LIMIT 0") as cursor:
        return {column[0] for column in cursor.description or ()}


def columns_of_schemas(client: Client, schemas: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return schema, table and column of all columns that the role may see. PostgreSQL's
    information_schema says what it takes for each type besides, an eighth of a load of few rows."""
    if client.capabilities.sqlglot_dialect == "postgres":
        query = (
            "SELECT nspname, relname, attname FROM pg_attribute "
            "JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace "
            f"WHERE {among('nspname', schemas)} AND relkind IN ('r', 'v', 'f', 'p') "
            "AND attnum > 0 AND NOT attisdropped AND (pg_has_role(relowner, 'USAGE') "
            "OR has_column_privilege(c.oid, attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))"
        )
    else:
        query = (
            "SELECT schema_name, table_name, column_name FROM duckdb_columns() "
            f"WHERE database_name = current_database() AND {among('schema_name', schemas)}"
        )
    return [(schema, table, column) for schema, table, column in rows_of(client, query)]


def may_change(client: Client, table: str) -> bool:
    """Whether a table can be written, and its schema with it: by this role's rights, and where the
    database or the file takes any writing; True where it is not there."""
    if client.capabilities.sqlglot_dialect == "duckdb":
        return not client.credentials.read_only
    [(may,)] = rows_of(
        client,
        "SELECT current_setting('transaction_read_only') = 'off' "
        f"AND COALESCE(has_table_privilege(to_regclass({literal(table)}), 'UPDATE'), true)",
    )
    return bool(may)


def literal(value: object) -> str:
    """Return a value as DuckDB and PostgreSQL write it."""
    if value is None:
        return "NULL"
    if isinstance(value, (int, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    quoted = str(value).replace("'", "''")
    return f"DATE '{value}'" if isinstance(value, date) else f"'{quoted}'"


def insert(table: str, rows: list[tuple[object, ...]]) -> Iterator[str]:
    """Yield the statements that put rows into a table, a thousand each."""
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
