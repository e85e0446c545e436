"""How rows get into the tables that `reconcile` fills, of which there may be a hundred thousand.

DuckDB    many rows as a table of Arrow's, which it reads where it lies: a third of the time
else      as SQL: see `insert_columns`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice

from wolkvox_billing.marts.engine import Engine
from wolkvox_billing.marts.sql import insert_columns
from wolkvox_billing.marts.tables import TABLES
from wolkvox_billing.values.arrow import Arrow, pyarrow
from wolkvox_billing.warehouse.sql import Client

_ROWS_AT_ONCE = 20_000
_MANY = 2_000  # rows: with fewer importing pyarrow takes longer


def fill_tables(
    client: Client, engine: Engine, tables: Mapping[str, Iterable[tuple[object, ...]]]
) -> None:
    """Put these rows into tables, in the place of those that they have. What is little goes at
    once: to be asked takes a statement as long as to put a row in."""
    statements = [f"DELETE FROM {engine.name(table)} WHERE TRUE" for table in tables]
    for table, rows in tables.items():
        name, rest = engine.name(table), iter(rows)
        while part := [*islice(rest, _ROWS_AT_ONCE)]:
            if len(part) < _MANY:
                statements += insert_columns(name, part)
                continue
            client.execute_many(statements)
            statements = []
            if engine.dialect == "duckdb":
                client.native_connection.register("filling", _as_arrow(table, part))
                client.execute_sql(f"INSERT INTO {name} SELECT * FROM filling")
                client.native_connection.unregister("filling")
            else:
                for statement in insert_columns(name, part):
                    client.execute_sql(statement)
    client.execute_many(statements)


def _as_arrow(table: str, rows: Sequence[tuple[object, ...]]) -> Arrow:
    arrays = [*map(_as_array, zip(*rows, strict=True), TABLES[table].values())]
    return pyarrow().table(arrays, names=[str(number) for number in range(len(arrays))])


def _as_array(values: Sequence[object], kind: str) -> Arrow:
    """Return a column as an array of Arrow's."""
    pa = pyarrow()
    types = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
        "DATE": pa.date32(),
        "BOOLEAN": pa.bool_(),
    }
    if kind in types:
        return pa.array(values, types[kind])
    precision, scale = map(int, kind.removeprefix("DECIMAL(").removesuffix(")").split(","))
    try:
        return pa.array(values, pa.decimal128(precision, scale))
    except pa.ArrowInvalid:  # more decimals than the column has: rounded as engines do it
        least = Decimal(1).scaleb(-scale)
        rounded = [
            value.quantize(least, ROUND_HALF_UP) if isinstance(value, Decimal) else value
            for value in values
        ]
        return pa.array(rounded, pa.decimal128(precision, scale))
