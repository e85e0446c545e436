"""The verbs `restore` and `copy`: a record goes into an empty destination, and is held against it.

    restore   of what `publish` wrote: a DuckDB file, or a folder of Parquet; or of a DuckDB file
              that a kill has torn, be it the record's own, which is mended in its place
    copy      of a destination, into one of another engine

All raw tables go there in one transaction, with dlt's own, so that the next `load` goes on where
the last one stopped. The marts are made anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.polling.hosts import LAST_ANSWERS
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.verbs.load import refresh_marts
from wolkvox_billing.verbs.publish import Source, pg_batches, source_of
from wolkvox_billing.warehouse.complaints import plain
from wolkvox_billing.warehouse.copying import (
    Content,
    batches_of,
    content_of,
    counts_in,
    put_rows,
    put_table,
)
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.loading import comment
from wolkvox_billing.warehouse.place import (
    DATASET,
    DESTINATION,
    location_of,
    opened,
    reading,
    using,
)
from wolkvox_billing.warehouse.sessions import only_load
from wolkvox_billing.warehouse.sql import REFRESHED, Client, engine_of, literal, tables_in
from wolkvox_billing.warehouse.torn_file import is_damaged, mend, mended_copy

if TYPE_CHECKING:
    import dlt
    import pyarrow

OnTable = Callable[[str], None]


@dataclass(frozen=True)
class Copied:
    """What was copied: the rows of each table, where to, and what went wrong with the marts."""

    location: str
    rows: dict[str, int]
    problems: list[str]


class _Target(NamedTuple):
    """Where a record goes, by whose clock its marts are made, and who is told of each table."""

    destination: str
    dataset: str
    clock: Clock
    on_table: OnTable


def restore(
    copy: str | os.PathLike[str],
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    clock: Clock = utc_now,
    on_table: OnTable = lambda _: None,
) -> Copied:
    """Return what was Copied: of what `publish` wrote, into a destination that is empty or lost; or
    what is in the destination's own DuckDB file, which a kill has torn, and which is mended.

    copy: the path of that, a DuckDB file or a folder of Parquet. on_table: is called with the name
    of each table as it begins.
    Raises SettingsError for a path that is no copy, and where the destination holds rows;
    WarehouseError where what is there afterwards is not what the copy has, and for a file that is
    damaged otherwise than by a kill.
    """
    path, target = Path(os.path.abspath(copy)), _Target(destination, dataset, clock, on_table)
    with ExitStack() as held:
        if path.is_file() and is_damaged(path):
            on_table(f"what {path} still holds")
            if copied := _mend_own(path, target):
                return copied
            path = held.enter_context(mended_copy(path)).copy
        return _put(held.enter_context(_copy_at(path, dataset)), target, path)


def _mend_own(path: Path, target: _Target) -> Copied | None:
    """Mend a torn file that is the destination's; None where the destination is another one."""
    with opened(target.destination, target.dataset, holds=False) as pipeline:
        if not _is_file_of(pipeline, path):
            return None
        file = Path(location_of(pipeline))  # beside which its log is: the path may be a link to it
        contents = mend(file)
    raw = {table.name: content.rows for table, content in contents.items()
           if table.schema == target.dataset}  # fmt: skip
    return _with_marts(str(file), raw, target)


def _is_file_of(pipeline: dlt.Pipeline, path: Path) -> bool:
    """Whether a path is that of the DuckDB file that a pipeline loads into."""
    file = Path(location_of(pipeline))
    return engine_of(pipeline) == "duckdb" and file.exists() and path.samefile(file)


def copy(
    to: str,
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    clock: Clock = utc_now,
    on_table: OnTable = lambda _: None,
) -> Copied:
    """Return what was Copied: of the record of one destination, into another one that is empty.
    The first one is left as it is.

    to: dlt's name of the other one, duckdb or postgres. on_table and errors are those of `restore`.
    """
    if to == destination:
        raise SettingsError(f"{to} is where the record is: name another destination in --to")
    with opened(destination, dataset, reads=True, holds=False) as pipeline, reading(pipeline):
        _check_engine(pipeline)
        with source_of(pipeline) as source:
            return _put(source, _Target(to, dataset, clock, on_table))


@contextmanager
def _copy_at(path: Path, dataset: str) -> Iterator[Source]:
    """Open a copy that `publish` made. Raises SettingsError for what is none."""
    no_copy = f"{path} is no copy that `publish` made of the dataset {dataset}: name one"
    with closing(duckdb.connect()) as db:
        try:
            if path.is_file():
                db.execute(f"ATTACH {literal(path)} AS published (READ_ONLY); USE published")
            files = sorted((path / dataset).glob("*.parquet")) if path.is_dir() else []
            if files:
                db.execute(f"CREATE SCHEMA {dataset}")
            for file in files:
                view = f'{dataset}."{file.stem}"'
                db.execute(f"CREATE VIEW {view} AS SELECT * FROM read_parquet({literal(file)})")
            query = "SELECT table_name FROM information_schema.tables WHERE table_schema = ?"
            tables = sorted(name for (name,) in db.execute(query, [dataset]).fetchall())
        except duckdb.Error as error:
            raise SettingsError(f"{path} cannot be read: {plain(error)}") from None
        if "polls" not in tables:
            raise SettingsError(no_copy)
        named = [(dataset, table) for table in tables]
        yield Source(db, named, 'SELECT * FROM {}."{}"'.format)


def _check_engine(pipeline: dlt.Pipeline) -> None:
    if (name := engine_of(pipeline)) not in REFRESHED:
        raise SettingsError(f"a record is copied between {' and '.join(REFRESHED)}, not {name}")


def _put(source: Source, target: _Target, path: Path | None = None) -> Copied:
    """Put a record into a destination; return what was Copied. `path`: where it comes from, where
    that is a path."""
    with opened(target.destination, target.dataset) as pipeline:
        _check_engine(pipeline)
        location = location_of(pipeline)
        if path and _is_file_of(pipeline, path):
            raise SettingsError(f"{path} is the record itself, and can be read: name a copy of it")
        with using(location), held_open(pipeline), only_load(pipeline):
            rows = _put_tables(source, pipeline, target.on_table)
            pipeline.sync_destination()
            if pipeline.default_schema_name:  # a copy of an older version has none
                known = pipeline.default_schema.tables
                comment(pipeline, {name: known[name]["columns"] for name in rows if name in known})
    return _with_marts(location, rows, target)


def _with_marts(location: str, rows: dict[str, int], target: _Target) -> Copied:
    """Make the marts anew; return what was Copied before."""
    target.on_table("the marts")
    report = refresh_marts(
        destination=target.destination, dataset=target.dataset, clock=target.clock
    )
    return Copied(location, rows, report.problems + report.warnings)


def _put_tables(source: Source, pipeline: dlt.Pipeline, on_table: OnTable) -> dict[str, int]:
    """Put all raw tables there, in one transaction; return how many rows each has."""
    dataset, dialect = pipeline.dataset_name, engine_of(pipeline)
    tables = [table for schema, table in source.tables if schema == dataset]
    rows: dict[str, int] = {}
    with pipeline.sql_client() as client, client.begin_transaction():
        _check_free(client, dataset, tables)
        client.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {dataset}")
        for table in tables:
            on_table(table)
            query, name = source.query_of(dataset, table), f'{dataset}."{table}"'
            expected = _put_table(client, dialect, name, batches_of(source.db, query))
            stored = content_of(_batches_at(client, dialect, dataset, table))
            if stored != expected:
                raise WarehouseError(
                    f"{table} has {stored.rows} rows after it was copied, or others, of "
                    f"{expected.rows}: nothing was kept; report it, please"
                )
            rows[table] = expected.rows
    return rows


def _check_free(client: Client, dataset: str, tables: list[str]) -> None:
    """Raise SettingsError where the destination holds rows, which a copy would take the place
    of."""
    stored = tables_in(client, dataset) - {LAST_ANSWERS}
    counts = counts_in(client, dataset, {name for name in stored if not name.startswith("_dlt")})
    held = [f"{table} ({rows} rows)" for table, rows in counts.items() if rows]
    if held:
        raise SettingsError(
            f"the destination is not empty: {dataset} there has {', '.join(held)}. Nothing was "
            "touched: name an empty one"
        )


def _put_table(
    client: Client, dialect: str, name: str, batches: Iterator[pyarrow.RecordBatch]
) -> Content:
    """Put batches into a new table; return what they come to."""
    rows = digest = 0
    for number, batch in enumerate(batches):
        if number == 0:
            put_table(client, dialect, name, batch)
        put_rows(client, dialect, name, batch)
        content = content_of(iter([batch]))
        rows, digest = rows + content.rows, (digest + content.digest) % 2**128
    return Content(rows, digest)


def _batches_at(
    client: Client, dialect: str, dataset: str, table: str
) -> Iterator[pyarrow.RecordBatch]:
    """Yield what is in the destination's table, in the transaction that put it there."""
    if dialect == "duckdb":
        yield from batches_of(client.native_connection, f'SELECT * FROM {dataset}."{table}"')
        return
    yield from pg_batches(client.native_connection, dataset, table)
