"""The verb `publish`: a copy for BI tools, raw tables and marts, that is never seen half made.

    PATH ends in .duckdb   one DuckDB file, which DuckDB clients from 1.1 on can open
    any other PATH         a folder with PATH/<schema>/<table>.parquet; PATH is a link to the newest

It is written beside its place and moved there in one step. A reader who has the old one open keeps
it: a replaced file lives on until it is closed, and the folder before the newest is kept.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb

from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.marts.columns import COLUMNS, comment_of
from wolkvox_billing.marts.engine import BESIDE, MARTS, STAR, internal_of, star_of
from wolkvox_billing.marts.refresh import may_refresh, refresh
from wolkvox_billing.marts.view_files import grain
from wolkvox_billing.polling.hosts import LAST_ANSWERS
from wolkvox_billing.reconciliation.policy import read_policy
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.warehouse.complaints import configured, plain
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading
from wolkvox_billing.warehouse.sql import REFRESHED, among, engine_of, literal, records_of, rows_of

if TYPE_CHECKING:
    import dlt
    import pyarrow

STORAGE_VERSION = "v1.1.0"  # a file of DuckDB 2's own version opens from 1.5 on only
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Snapshot:
    """What was published: `rows` of each table, by `schema.table`; `warnings` where the verdicts
    are as of an earlier moment than the usage beside them."""

    path: Path
    rows: Mapping[str, int]
    warnings: tuple[str, ...] = ()


def publish(
    path: str | os.PathLike[str],
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    clock: Clock = utc_now,
) -> Snapshot:
    """Write a copy for BI tools to the path, a DuckDB file where it ends in .duckdb, else a folder
    of Parquet, and return its Snapshot. The marts are refreshed first, and are tables in it.

    The verdicts are made anew where this machine compares by the rules that they were made by;
    elsewhere they stay, a warning says so, and `refreshed.verdicts_epoch` which moment they are of.
    Raises SettingsError for a path that cannot be meant, WarehouseError where nothing is loaded or
    nothing can be read, and WolkvoxError where nothing can be written.
    """
    target = Path(os.path.abspath(path))
    _check_target(target, dataset)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    mode = 0o777 & ~_umask()  # before `opened`, which narrows it
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened(destination, dataset, reads=True, holds=False) as pipeline, reading(pipeline):
            _check_source(pipeline, destination, target)
            _remove_leftovers(target)
            with held_open(pipeline):  # until the copy's own connection reads it
                refresh(pipeline, None, clock())
                warnings = (*_renew_verdicts(pipeline), *_warn_of_hidden(pipeline))
            if not pipeline.default_schema_name:  # this machine never loaded; the warehouse did
                pipeline.sync_destination()
            with source_of(pipeline) as source:
                try:
                    if _is_file(target):
                        rows = _write_file(source, beside, _comments(pipeline))
                    else:
                        rows = _write_folder(source, beside)
                except duckdb.Error as error:
                    raise WolkvoxError(f"{target} could not be written: {plain(error)}") from None
            _sync(beside)
            _move(beside, target, mode)
    except OSError as error:
        raise WolkvoxError(f"{target} could not be written: {plain(error)}") from None
    finally:
        _remove(beside)
        _remove(beside.with_name(f"{beside.name}.wal"))
    return Snapshot(target, rows, warnings)


def _is_file(target: Path) -> bool:
    return target.suffix == ".duckdb"


def _check_target(target: Path, dataset: str) -> None:
    """Raise SettingsError where something would be replaced that `publish` did not make."""
    marts = f"{dataset}_marts"
    if _is_file(target) and target.stem in (dataset, marts, internal_of(dataset), star_of(dataset)):
        raise SettingsError(
            f"{target.name} makes the schema {target.stem} in it ambiguous: choose another name"
        )
    if not target.exists() and not target.is_symlink():
        return
    is_ours = False
    if _is_file(target) and target.is_file() and not target.is_symlink():
        with suppress(duckdb.Error), closing(duckdb.connect(str(target), read_only=True)) as db:
            query = "SELECT 1 FROM duckdb_tables() WHERE schema_name = ?"
            is_ours = bool(db.execute(query, [marts]).fetchall())
    elif not _is_file(target) and target.is_symlink():
        is_ours = os.readlink(target).startswith(f"{_versions(target).name}/")
    if not is_ours:
        raise SettingsError(
            f"{target} is there, and was not made by `publish`: name a free path, or remove it"
        )


def _check_source(pipeline: dlt.Pipeline, destination: str, target: Path) -> None:
    """Raise SettingsError where the warehouse cannot be copied there."""
    if engine_of(pipeline) not in REFRESHED:
        raise SettingsError(f"publish reads {' and '.join(REFRESHED)}, not {destination}")
    warehouse = Path(location_of(pipeline))
    if target.exists() and warehouse.exists() and target.samefile(warehouse):
        raise SettingsError(f"{target} is the warehouse itself: choose another name")


def _remove_leftovers(target: Path) -> None:
    """Remove what a `publish` that was killed left beside its target."""
    for path in target.parent.glob(f".{target.name}.*"):
        if re.fullmatch("[0-9a-f]{8}([.]wal)?", path.name[len(target.name) + 2 :]):
            _remove(path)


def _renew_verdicts(pipeline: dlt.Pipeline) -> tuple[str, ...]:
    """Make the verdicts anew, as of the marts' clock, by the rules that they were made by; return a
    warning where this machine has others: one that only copies must not judge for all."""
    marts = f"{pipeline.dataset_name}_marts"
    with pipeline.sql_client() as client:
        refreshed = records_of(client, f"SELECT * FROM {marts}.refreshed")[0]
        internal = internal_of(pipeline.dataset_name)
        policies = records_of(client, f"SELECT * FROM {internal}.reconciled_by")
    if not policies:  # nothing was compared yet
        return ()
    if not may_refresh(pipeline):
        why = "this role or machine can only read"
        return (f"the verdicts are as of {_verdicts_moment(refreshed)}, and stay: {why}",)
    # Here, since it brings much along that a copy without verdicts has no use for.
    from wolkvox_billing.reconciliation.mart import fill, policy_digest

    try:
        policy = configured(read_policy)
        if policies[0].get("policy_digest") == policy_digest(policy):
            fill(pipeline, policy)
            return ()
        why = "another line map, rate card or setting under [reconciliation] than here made them"
    except WolkvoxError as error:
        why = str(error)
    return (f"the verdicts are as of {_verdicts_moment(refreshed)}, and stay: {why}",)


def _warn_of_hidden(pipeline: dlt.Pipeline) -> tuple[str, ...]:
    """Return a warning that names the tables of the record that this role may not read."""
    if engine_of(pipeline) != "postgres":
        return ()
    dataset = pipeline.dataset_name
    schemas = among("nspname", (dataset, f"{dataset}_marts", star_of(dataset)))
    # Of a star that nobody showed to this role all is hidden: its schema is named, and no table.
    is_shown = f"(nspname <> '{star_of(dataset)}' OR has_schema_privilege(n.oid, 'USAGE'))"
    with pipeline.sql_client() as client:
        hidden = rows_of(
            client,
            "SELECT nspname || '.' || relname FROM pg_class "
            "JOIN pg_namespace n ON n.oid = relnamespace "
            f"WHERE {schemas} AND {is_shown} AND relkind IN ('r', 'v') "
            f"AND relname <> '{LAST_ANSWERS}' "
            "AND NOT has_table_privilege(pg_class.oid, 'SELECT') ORDER BY 1",
        )
        closed = rows_of(
            client,
            "SELECT nspname FROM pg_namespace n "
            f"WHERE nspname = {literal(star_of(dataset))} "
            "AND NOT has_schema_privilege(n.oid, 'USAGE')",
        )
    warnings = []
    if hidden:
        names = ", ".join(name for (name,) in hidden)
        warnings.append(Sentence(_HIDDEN, names=names))
    warnings += [Sentence(_NO_STAR, schema=schema) for (schema,) in closed]
    return tuple(warnings)


_HIDDEN = N_("not in the copy, since this role may not read them: {names}")
_NO_STAR = N_("the star is not in the copy, since this role has no USAGE on the schema {schema}")


def _verdicts_moment(refreshed: Mapping[str, Any]) -> str:  # a row of whatever columns there are
    """Return the moment of the verdicts on the vendor's clock, as a text."""
    epoch, zone = refreshed.get("verdicts_epoch"), refreshed["timezone"]
    if epoch is None:
        return "an unknown moment"
    return f"{datetime.fromtimestamp(epoch, ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


class _Column(NamedTuple):
    """A column of a table, as the information schema has it."""

    name: str
    type: str
    precision: int | None
    scale: int | None


class Source(NamedTuple):
    """A DuckDB connection, the warehouse's tables as (schema, name), and what makes a query of one
    for that connection. All of it is of one moment."""

    db: duckdb.DuckDBPyConnection
    tables: list[tuple[str, str]]
    query_of: Callable[[str, str], str]


def _write_file(source: Source, file: Path, comments: Mapping[str, str]) -> dict[str, int]:
    """Write the tables into a DuckDB file; return how many rows each has, by `schema.table`."""
    db = source.db
    db.execute(f"ATTACH '{_quoted(file)}' AS snapshot (STORAGE_VERSION '{STORAGE_VERSION}')")
    rows: dict[str, int] = {}
    for schema, table in source.tables:
        query = source.query_of(schema, table)
        db.execute(f"CREATE SCHEMA IF NOT EXISTS snapshot.{schema}")
        copied = db.execute(f"CREATE TABLE snapshot.{schema}.{table} AS {query}").fetchall()
        rows[f"{schema}.{table}"] = copied[0][0]
    # A comment takes half the time where no thread is waited for and no plan made better.
    db.execute("SET threads = 1; PRAGMA disable_optimizer")
    db.execute(f"BEGIN; {''.join(_statements_of(db, comments))} COMMIT")  # else each is written out
    db.execute("DETACH snapshot")
    return rows


def _statements_of(db: duckdb.DuckDBPyConnection, comments: Mapping[str, str]) -> Iterator[str]:
    """Yield a statement for each comment on the tables of `snapshot` and their columns."""
    tables = db.execute(
        "SELECT schema_name, table_name, list(column_name ORDER BY column_index) "
        "FROM duckdb_columns() WHERE database_name = 'snapshot' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for schema, table, columns in tables:
        name = f"snapshot.{schema}.{table}"
        for column in columns:
            if comment := comments.get(f"{table}.{column}") or comments.get(column):
                yield f"COMMENT ON COLUMN {name}.{column} IS {literal(comment)};"
        if comment := comments.get(f"{table}."):
            yield f"COMMENT ON TABLE {name} IS {literal(comment)};"


def _comments(pipeline: dlt.Pipeline) -> dict[str, str]:
    """Return what each table holds, by `table.`, and each column, by `table.column`; by `column` in
    the marts, where a name means the same everywhere."""
    comments = {f"{mart}.": grain(mart) for mart in (*MARTS, *STAR)}
    comments |= {column: comment_of(column) for column in COLUMNS}
    comments |= {f"{table}.": comment for table, comment in BESIDE.items()}
    for table in pipeline.default_schema.data_tables():
        comments[f"{table['name']}."] = table.get("description") or ""
        for column, hint in table["columns"].items():
            comments[f"{table['name']}.{column}"] = hint.get("description") or ""
    return comments


def _write_folder(source: Source, folder: Path) -> dict[str, int]:
    """Write the tables as Parquet files; return how many rows each has, by `schema.table`."""
    rows: dict[str, int] = {}
    for schema, table in source.tables:
        file = folder / schema / f"{table}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        copy = f"COPY ({source.query_of(schema, table)}) TO '{_quoted(file)}' (FORMAT parquet)"
        rows[f"{schema}.{table}"] = source.db.execute(copy).fetchall()[0][0]
    return rows


@contextmanager
def source_of(pipeline: dlt.Pipeline) -> Iterator[Source]:
    """Open the warehouse for the time of the block."""
    dataset = pipeline.dataset_name
    schemas = among("table_schema", (dataset, f"{dataset}_marts", star_of(dataset)))
    query = f"SELECT DISTINCT table_schema, table_name FROM information_schema.{{}} WHERE {schemas}"
    with closing(duckdb.connect()) as db:
        if engine_of(pipeline) == "duckdb":
            location = _quoted(Path(location_of(pipeline)))
            db.execute(f"ATTACH '{location}' AS warehouse (READ_ONLY); USE warehouse")
            tables = db.execute(query.format("tables")).fetchall()
            yield Source(db, _published(tables, dataset), "SELECT * FROM {}.{}".format)
            return
        with pipeline.sql_client() as client:
            pg = client.native_connection
            pg.rollback()
            pg.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
            with pg.cursor() as cursor:
                cursor.execute(query.format("columns"))
                tables = cursor.fetchall()
                cursor.execute(_OPEN_SCHEMAS)
                opened = {schema for (schema,) in cursor.fetchall()}
            tables = [(schema, table) for schema, table in tables if schema in opened]
            yield Source(db, _published(tables, dataset), partial(_copy, db, pg))


# The columns of a table are shown to whom may select of it, be its schema closed to him.
_OPEN_SCHEMAS = "SELECT nspname FROM pg_namespace n WHERE has_schema_privilege(n.oid, 'USAGE')"


def _published(tables: Iterable[tuple[str, str]], dataset: str) -> list[tuple[str, str]]:
    """Return the tables to publish: raw ones without what hosts tell each other, the marts, what
    stands beside them, and the star. By dlt's own a load goes on from a copy that was restored."""
    published = {f"{dataset}_marts": (*MARTS, *BESIDE), star_of(dataset): STAR}
    return [
        (schema, table)
        for schema, table in sorted(tables)
        if (schema == dataset or table in published.get(schema, ())) and table != LAST_ANSWERS
    ]


def _copy(
    db: duckdb.DuckDBPyConnection,
    pg: Any,  # psycopg2's, which comes with an extra
    schema: str,
    table: str,
) -> str:
    """Copy a PostgreSQL table into the DuckDB connection, some rows at a time; return a query of
    it."""
    import pyarrow as pa

    db.execute("DROP TABLE IF EXISTS copied")
    into = "CREATE TABLE copied AS"
    for batch in pg_batches(pg, schema, table):
        db.register("part", pa.Table.from_batches([batch]))
        db.execute(f"{into} FROM part")
        into = "INSERT INTO copied"
    return "SELECT * FROM copied"


def pg_batches(pg: Any, schema: str, table: str) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows of a PostgreSQL table, some at a time; at least one batch, be it empty."""
    import pyarrow as pa

    with pg.cursor() as cursor:  # of all tables it takes 30 ms
        cursor.execute(
            "SELECT column_name, data_type, numeric_precision, numeric_scale "
            f"FROM information_schema.columns WHERE {among('table_schema', [schema])} "
            f"AND {among('table_name', [table])} ORDER BY ordinal_position"
        )
        columns = [_Column(*row) for row in cursor.fetchall()]
    fields = pa.schema([(column.name, _arrow(column)) for column in columns])
    with pg.cursor(name=f"publish_{table}") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(f'SELECT * FROM {schema}."{table}"')
        is_first = True
        while (rows := cursor.fetchmany(ROWS_AT_ONCE)) or is_first:
            is_first = False
            values = zip(*rows, strict=True) if rows else ((),) * len(fields)
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array([bytes(v) if isinstance(v, memoryview) else v for v in column], kind)
                    for column, kind in zip(values, fields.types, strict=True)
                ],
                schema=fields,
            )


def _arrow(column: _Column) -> pyarrow.DataType:
    import pyarrow as pa

    if column.type == "numeric":
        return pa.decimal128(column.precision or 18, 4 if column.scale is None else column.scale)
    return {
        "bigint": pa.int64(),
        "timestamp with time zone": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
        "boolean": pa.bool_(),
        "bytea": pa.binary(),
    }.get(column.type, pa.string())


def _sync(path: Path) -> None:
    """Wait until it is on the disk, as what is moved into place must be."""
    for file in [path] if path.is_file() else path.rglob("*.parquet"):
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # it was never made
            path.unlink()


def _move(beside: Path, target: Path, mode: int) -> None:
    """Put it in its place, for others to read, unlike the warehouse, which `opened` makes for its
    owner alone."""
    for path in [beside, *beside.rglob("*")]:
        path.chmod(mode if path.is_dir() else mode & 0o644)
    if _is_file(target):
        beside.replace(target)
        return
    versions = _versions(target)
    versions.mkdir(exist_ok=True)
    versions.chmod(mode)
    previous = target.resolve().name if target.is_symlink() else ""
    version = versions / f"{_next(versions):08d}"
    beside.rename(version)
    link = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    link.symlink_to(version.relative_to(target.parent))
    link.replace(target)
    for old in versions.iterdir():
        if old.name.isdigit() and old.name not in (previous, version.name):
            shutil.rmtree(old, ignore_errors=True)


def _versions(target: Path) -> Path:
    return target.with_name(f".{target.name}.versions")


def _next(versions: Path) -> int:
    return 1 + max((int(p.name) for p in versions.iterdir() if p.name.isdigit()), default=0)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
