"""What a look found, into the warehouse: all of it in one transaction, or nothing.

By SQL of our own and not by dlt, which would take a million rows through a staging table. What was
listed before keeps its first moment and its first upload; what a whole look does not list is gone,
and is listed again when it comes back.
"""

from __future__ import annotations

from dataclasses import astuple, fields
from datetime import datetime
from pathlib import Path

from wolkvox_billing.bucket.look import Listing, Look
from wolkvox_billing.bucket.tables import BUCKET_TABLES, LISTED_COLUMNS, LISTINGS, OBJECTS
from wolkvox_billing.warehouse.columns import Table, sql_type
from wolkvox_billing.warehouse.copying import put_rows
from wolkvox_billing.warehouse.sql import Client, columns_in, listed, literal, rows_of, tables_in

# DuckDB takes a part of many objects after the other, by their hashes, so that memory stays flat.
_PARTS = "0123456789abcdef"
MANY = 100_000  # fewer are taken at once: each part is a pass through file and table
_LISTED = "listed_objects"  # of this session alone
_KEY = "o.operation_id = l.operation_id AND o.object_hash = l.object_hash"


def make_tables(client: Client, raw: str) -> None:
    """Make the tables of the bucket where they are not there, with a sentence for each column. A
    schema that is there is not made, since even IF NOT EXISTS needs the right to."""
    schemas = f"SELECT 1 FROM information_schema.schemata WHERE schema_name = {literal(raw)}"
    if not rows_of(client, schemas):
        client.execute_sql(f"CREATE SCHEMA {raw}")
    present = tables_in(client, raw)
    for name, table in BUCKET_TABLES.items():
        if name not in present:
            client.execute_many([*_making(f"{raw}.{name}", table)])
            continue
        known = columns_in(client, f"{raw}.{name}")
        for column, (hint, says) in table.columns.items():
            if column not in known:  # of an older version
                adding = f"ADD COLUMN {column} {sql_type(hint)}"
                client.execute_sql(f"ALTER TABLE {raw}.{name} {adding}")
                client.execute_sql(f"COMMENT ON COLUMN {raw}.{name}.{column} IS {literal(says)}")


def _making(name: str, table: Table) -> list[str]:
    columns = ", ".join(
        f"{column} {sql_type(hint)}{' NOT NULL' if column in table.key else ''}"
        for column, (hint, _) in table.columns.items()
    )
    return [
        f"CREATE TABLE {name} ({columns})",
        f"COMMENT ON TABLE {name} IS {literal(table.says)}",
        *(
            f"COMMENT ON COLUMN {name}.{column} IS {literal(says)}"
            for column, (_, says) in table.columns.items()
        ),
    ]


def read_last_listing(client: Client, raw: str, *, full: bool = False) -> Listing | None:
    """Return the newest look that came to its end, or the newest whole one; None before one."""
    if LISTINGS not in tables_in(client, raw):
        return None
    known = columns_in(client, f"{raw}.{LISTINGS}")
    columns = [column.name for column in fields(Listing) if column.name in known]
    reach = "is_complete AND is_full" if full else "is_complete"
    rows = rows_of(
        client,
        f"SELECT {', '.join(columns)} FROM {raw}.{LISTINGS} WHERE {reach} "
        "ORDER BY seen_at DESC, listing_id DESC LIMIT 1",
    )
    return Listing(**dict(zip(columns, rows[0], strict=True))) if rows else None


def store_look(client: Client, raw: str, dialect: str, listing: Listing, look: Look) -> None:
    """Put a look into the tables, in the transaction that is open: of one that broke off the row of
    bucket_listings alone."""
    make_tables(client, raw)
    if listing.is_complete:
        for part in _PARTS if dialect == "duckdb" and listing.objects >= MANY else ("",):
            _stage(client, dialect, look.file, part)
            _merge(client, raw, listing, part)
            client.execute_sql(f"DROP TABLE {_LISTED}")
        if listing.is_full:
            _note_gone(client, raw, listing, listed(look.settings.operations.values()))
    names = ", ".join(column.name for column in fields(Listing))
    values = ", ".join(map(_as_sql, astuple(listing)))
    client.execute_sql(f"INSERT INTO {raw}.{LISTINGS} ({names}) VALUES ({values})")


def _as_sql(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return f"TIMESTAMP WITH TIME ZONE '{value.isoformat()}'"
    return literal(value)


def _stage(client: Client, dialect: str, file: Path, part: str) -> None:
    """Put the file's objects into a table of this session, each once: a name may lie in two
    folders, and was copied when the first of them was. part: of those alone whose hash begins so.
    """
    mins = ", ".join(f"MIN({name}) AS {name}" for name in LISTED_COLUMNS[2:])
    mins += ", MAX(upload_date) AS last_upload_date"
    group = (
        f"SELECT operation_id, object_hash, {mins} FROM {{}} WHERE object_hash LIKE '{part}%' "
        "GROUP BY operation_id, object_hash"
    )
    if dialect == "duckdb":
        source = f"read_parquet({literal(str(file))})"
        client.execute_sql(f"CREATE TEMP TABLE {_LISTED} AS {group.format(source)}")
        return
    from pyarrow import parquet

    columns = ", ".join(
        f"{name} {sql_type(BUCKET_TABLES[OBJECTS].columns[name][0])}" for name in LISTED_COLUMNS
    )
    client.execute_sql(f"CREATE TEMP TABLE each_listed ({columns})")
    with parquet.ParquetFile(file) as reader:
        for batch in reader.iter_batches():
            put_rows(client, dialect, "each_listed", batch)
    client.execute_sql(f"CREATE TEMP TABLE {_LISTED} AS {group.format('each_listed')}")
    client.execute_sql("DROP TABLE each_listed")
    client.execute_sql(f"ANALYZE {_LISTED}")


def _merge(client: Client, raw: str, listing: Listing, part: str) -> None:
    """What was listed before is seen again, what was not is new."""
    table, moment = f"{raw}.{OBJECTS}", _as_sql(listing.seen_at)
    key = f"{_KEY} AND o.object_hash LIKE '{part}%'"
    client.execute_sql(
        f"UPDATE {table} AS o SET last_seen_at = GREATEST(last_seen_at, {moment}), "
        f"is_gone = FALSE FROM {_LISTED} AS l WHERE {key}"
    )
    # Where the settings read a name otherwise than before; what is the same is not written again.
    client.execute_sql(
        f"UPDATE {table} AS o SET call_date = l.call_date, kind = l.kind, "
        "uploaded_at = LEAST(o.uploaded_at, l.uploaded_at), upload_date = CASE "
        "WHEN l.uploaded_at <= o.uploaded_at THEN l.upload_date ELSE o.upload_date END, "
        "last_upload_date = GREATEST(o.last_upload_date, o.upload_date, l.last_upload_date) "
        f"FROM {_LISTED} AS l WHERE {key} AND (o.call_date IS DISTINCT FROM l.call_date "
        "OR o.kind <> l.kind OR l.uploaded_at < o.uploaded_at "
        "OR l.last_upload_date > COALESCE(o.last_upload_date, o.upload_date) "
        "OR (l.uploaded_at = o.uploaded_at AND l.upload_date <> o.upload_date))"
    )
    names = (*LISTED_COLUMNS, "last_upload_date")
    client.execute_sql(
        f"INSERT INTO {table} ({', '.join(names)}, first_seen_at, last_seen_at, is_gone) "
        f"SELECT {', '.join(f'l.{name}' for name in names)}, {moment}, {moment}, FALSE "
        f"FROM {_LISTED} AS l WHERE NOT EXISTS (SELECT 1 FROM {table} AS o WHERE {key})"
    )


def _note_gone(client: Client, raw: str, listing: Listing, operations: str) -> None:
    """What a whole look has not listed is gone, of the operations whose folders it looked into; of
    others nobody knows, but for what is one of these operations' now."""
    table = f"{raw}.{OBJECTS}"
    gone = (
        f"UPDATE {table} SET is_gone = TRUE WHERE last_seen_at < {_as_sql(listing.seen_at)} "
        "AND NOT is_gone AND operation_id"
    )
    client.execute_sql(f"{gone} IN ({operations})")
    others = f"SELECT 1 FROM {table} WHERE NOT is_gone AND operation_id NOT IN ({operations})"
    if rows_of(client, f"{others} LIMIT 1"):
        present = f"SELECT object_hash FROM {table} WHERE operation_id IN ({operations})"
        client.execute_sql(
            f"{gone} NOT IN ({operations}) AND object_hash IN ({present} AND NOT is_gone)"
        )
