"""Tables of one engine put into another one, in batches, and held against what they came from.

Rows go through Arrow, whose types both engines have. A table's digest is the same on each: of the
sum of its rows' hashes, so that no order of rows matters.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.warehouse.sql import Client, rows_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow

ROWS_AT_ONCE = 50_000
_SUM = 2**128


class Content(NamedTuple):
    """What a table holds: how many rows, and the sum of their hashes."""

    rows: int
    digest: int


class Table(NamedTuple):
    """A table to be copied: its name without a schema, and what reads it in DuckDB."""

    name: str
    query: Callable[[], str]


def batches_of(db: duckdb.DuckDBPyConnection, query: str) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows of a query, some at a time; at least one batch, be it empty."""
    import pyarrow as pa

    db.execute("SET TimeZone = 'UTC'")
    relation: Any = db.sql(query)  # DuckDB 2 calls it otherwise than 1.4
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    reader = read(ROWS_AT_ONCE)
    is_empty = True
    for batch in reader:
        is_empty = False
        yield batch
    if is_empty:
        columns = [pa.array([], field.type) for field in reader.schema]
        yield pa.RecordBatch.from_arrays(columns, schema=reader.schema)


def content_of(batches: Iterator[pyarrow.RecordBatch]) -> Content:
    """Return what these rows come to."""
    rows = total = 0
    for batch in batches:
        names = sorted(batch.schema.names)
        columns = [batch.column(name).to_pylist() for name in names]
        for row in zip(*columns, strict=True):
            text = repr(tuple(map(_canonical, row))).encode()
            total += int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "big")
        rows += batch.num_rows
    return Content(rows, total % _SUM)


def _canonical(value: Any) -> object:  # of whatever type a column has
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    return value


def put_table(client: Client, dialect: str, name: str, batch: pyarrow.RecordBatch) -> None:
    """Make a table with the columns of a batch in place of one that has no row."""
    columns = ", ".join(f'"{field.name}" {_type(field.type, dialect)}' for field in batch.schema)
    client.execute_sql(f"DROP TABLE IF EXISTS {name}")
    client.execute_sql(f"CREATE TABLE {name} ({columns})")


def put_rows(client: Client, dialect: str, name: str, batch: pyarrow.RecordBatch) -> None:
    """Put the rows of a batch into a table with the same columns."""
    if not batch.num_rows:
        return
    columns = ", ".join(f'"{column}"' for column in batch.schema.names)
    if dialect == "duckdb":
        import pyarrow as pa

        connection = client.native_connection
        connection.register("copied_rows", pa.Table.from_batches([batch]))
        connection.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM copied_rows")
        connection.unregister("copied_rows")
        return
    with client.native_connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {name} ({columns}) FROM STDIN (FORMAT csv)", _as_csv(batch))


def _as_csv(batch: pyarrow.RecordBatch) -> io.BytesIO:
    """Return rows as PostgreSQL reads them: what is none is without quotes, bytes are hex."""
    import pyarrow as pa
    from pyarrow import csv

    arrays = []
    for column in batch.columns:
        is_bytes = pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)
        if is_bytes:
            texts = [None if v is None else f"\\x{v.hex()}" for v in column.to_pylist()]
            column = pa.array(texts, pa.string())
        arrays.append(column)
    out = io.BytesIO()
    form = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    csv.write_csv(pa.RecordBatch.from_arrays(arrays, names=batch.schema.names), out, form)
    out.seek(0)
    return out


def _type(kind: pyarrow.DataType, dialect: str) -> str:
    """Return an engine's name of a type. Raises WarehouseError for one that we know not."""
    import pyarrow as pa

    is_postgres = dialect == "postgres"
    if pa.types.is_decimal(kind):
        return f"NUMERIC({kind.precision}, {kind.scale})"
    for is_kind, name in (
        (pa.types.is_int64, "BIGINT"),
        (pa.types.is_integer, "INTEGER"),
        (pa.types.is_timestamp, "TIMESTAMP WITH TIME ZONE"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_floating, "DOUBLE PRECISION"),
        (pa.types.is_string, "VARCHAR"),
        (pa.types.is_large_string, "VARCHAR"),
        (pa.types.is_binary, "BYTEA" if is_postgres else "BLOB"),
        (pa.types.is_large_binary, "BYTEA" if is_postgres else "BLOB"),
    ):
        if is_kind(kind):
            return name
    raise WarehouseError(f"a column of the type {kind} cannot be copied: report it, please")


def counts_in(client: Client, schema: str, tables: set[str]) -> dict[str, int]:
    """Return how many rows each of these tables has."""
    return {
        table: int(rows_of(client, f'SELECT COUNT(*) FROM {schema}."{table}"')[0][0])
        for table in sorted(tables)
    }
