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
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb

from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.marts.columns import COLUMNS
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.marts.sql import MARTS, grain
from wolkvox_billing.marts.standing import read_rows
from wolkvox_billing.polling.hosts import LAST_ANSWERS
from wolkvox_billing.reconciliation.policy import read_policy
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.warehouse.complaints import configured, plain
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading
from wolkvox_billing.warehouse.sql import REFRESHED, engine_of, literal

if TYPE_CHECKING:
    import dlt
    import pyarrow

# Small tables beside the marts, without which nobody could tell of a copy as of when it speaks, in
# whose time zone, and by which line map its verdicts were made.
BESIDE = {
    "refreshed": "One row: the moments up to which the marts, and the verdicts in them, speak",
    "operations": "One row per operation: its time zone",
    "line_map": "One row per row of the line map by which the verdicts were made",
}
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
    """The Snapshot that was made at the path. The marts are refreshed first, and are tables in it.

    The verdicts are made anew where this machine compares by the rules that they were made by;
    elsewhere they stay, a warning says so, and `refreshed.verdicts_epoch` which moment they are of.
    Raises SettingsError for a path that cannot be meant, WarehouseError where nothing is loaded or
    nothing can be read, and WolkvoxError where nothing can be written.
    """
    target = Path(os.path.abspath(path))
    as_file = target.suffix == ".duckdb"
    marts = f"{dataset}_marts"
    if as_file and target.stem in (dataset, marts):
        raise SettingsError(
            f"{target.name} makes the schema {target.stem} in it ambiguous: choose another name"
        )
    _check_replaceable(target, marts, as_file)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    open_to = 0o777 & ~_umask()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened(destination, dataset) as pipeline, reading(pipeline):
            if engine_of(pipeline) not in REFRESHED:
                raise SettingsError(f"publish reads {' and '.join(REFRESHED)}, not {destination}")
            source = Path(location_of(pipeline))
            if target.exists() and source.exists() and target.samefile(source):
                raise SettingsError(f"{target} is the warehouse itself: choose another name")
            for left in target.parent.glob(f".{target.name}.*"):  # of a run that was killed
                if re.fullmatch("[0-9a-f]{8}([.]wal)?", left.name[len(target.name) + 2 :]):
                    _remove(left)
            refresh(pipeline, None, clock())
            warnings = _renew_verdicts(pipeline)
            if not pipeline.default_schema_name:  # this machine never loaded; the warehouse did
                pipeline.sync_destination()
            with _tables(pipeline, {dataset: None, marts: (*MARTS, *BESIDE)}) as (db, tables):
                try:
                    if as_file:
                        rows = _as_file(db, tables, beside, _comments(pipeline))
                    else:
                        rows = _as_folder(db, tables, beside)
                except duckdb.Error as error:
                    raise WolkvoxError(f"{target} could not be written: {plain(error)}") from None
            _sync(beside)
            _move(beside, target, as_file, open_to)
    except OSError as error:
        raise WolkvoxError(f"{target} could not be written: {plain(error)}") from None
    finally:
        _remove(beside)
        _remove(beside.with_name(f"{beside.name}.wal"))
    return Snapshot(target, rows, warnings)


def _renew_verdicts(pipeline: dlt.Pipeline) -> tuple[str, ...]:
    """Makes the verdicts anew, as of the marts' clock, by the rules that they were made by; a
    warning where this machine has others: one that only copies must not judge for all."""
    marts = f"{pipeline.dataset_name}_marts"
    with pipeline.sql_client() as client:
        refreshed = read_rows(client, f"{marts}.refreshed")[0]
        made_by = read_rows(client, f"{marts}.reconciled_by")
    if not made_by:  # nothing was compared yet
        return ()
    # Here, since it brings much along that a copy without verdicts has no use for.
    from wolkvox_billing.reconciliation.mart import fill, policy_digest

    try:
        policy = configured(read_policy)
        if made_by[0].get("policy_digest") == policy_digest(policy):
            fill(pipeline, policy)
            return ()
        why = "another line map, rate card or setting under [reconciliation] than here made them"
    except WolkvoxError as error:
        why = str(error)
    return (f"the verdicts are as of {_moment(refreshed)}, and stay: {why}",)


def _moment(refreshed: Mapping[str, Any]) -> str:
    """The moment of the verdicts on the vendor's clock."""
    epoch, zone = refreshed.get("verdicts_epoch"), refreshed["timezone"]
    if epoch is None:
        return "an unknown moment"
    return f"{datetime.fromtimestamp(epoch, ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def _check_replaceable(target: Path, marts: str, as_file: bool) -> None:
    """Only what `publish` made is replaced. Raises SettingsError."""
    if not target.exists() and not target.is_symlink():
        return
    is_ours = False
    if as_file and target.is_file() and not target.is_symlink():
        with suppress(duckdb.Error), closing(duckdb.connect(str(target), read_only=True)) as db:
            made = "SELECT 1 FROM duckdb_tables() WHERE schema_name = ?"
            is_ours = bool(db.execute(made, [marts]).fetchall())
    elif not as_file and target.is_symlink():
        is_ours = os.readlink(target).startswith(f"{_versions(target).name}/")
    if not is_ours:
        raise SettingsError(
            f"{target} is there, and was not made by `publish`: name a free path, or remove it"
        )


# A table: its name and, as a query of the DuckDB connection, its rows.
Tables = list[tuple[str, str, Callable[[], str]]]


def _as_file(
    db: duckdb.DuckDBPyConnection, tables: Tables, beside: Path, comments: Mapping[str, str]
) -> dict[str, int]:
    db.execute(f"ATTACH '{_quoted(beside)}' AS snapshot (STORAGE_VERSION '{STORAGE_VERSION}')")
    rows: dict[str, int] = {}
    for schema, table, source in tables:
        db.execute(f"CREATE SCHEMA IF NOT EXISTS snapshot.{schema}")
        name = f"snapshot.{schema}.{table}"
        db.execute(f"CREATE TABLE {name} AS {source()}")
        rows[f"{schema}.{table}"] = db.execute(f"SELECT COUNT(*) FROM {name}").fetchall()[0][0]
        for (column,) in db.execute(f"SELECT column_name FROM (DESCRIBE {name})").fetchall():
            if says := comments.get(f"{table}.{column}") or comments.get(column):
                db.execute(f"COMMENT ON COLUMN {name}.{column} IS {literal(says)}")
        if says := comments.get(f"{table}."):
            db.execute(f"COMMENT ON TABLE {name} IS {literal(says)}")
    db.execute("DETACH snapshot")
    return rows


def _comments(pipeline: dlt.Pipeline) -> dict[str, str]:
    """What each table holds, by `table.`, and each column, by `table.column`; by `column` in the
    marts, where a name means the same everywhere."""
    said = {f"{mart}.": grain(mart) for mart in MARTS} | COLUMNS
    said |= {f"{table}.": says for table, says in BESIDE.items()}
    for table in pipeline.default_schema.data_tables():
        said[f"{table['name']}."] = table.get("description") or ""
        for column, hint in table["columns"].items():
            said[f"{table['name']}.{column}"] = hint.get("description") or ""
    return said


def _as_folder(db: duckdb.DuckDBPyConnection, tables: Tables, beside: Path) -> dict[str, int]:
    rows: dict[str, int] = {}
    for schema, table, source in tables:
        file = beside / schema / f"{table}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        copied = db.execute(f"COPY ({source()}) TO '{_quoted(file)}' (FORMAT parquet)").fetchall()
        rows[f"{schema}.{table}"] = copied[0][0]
    return rows


@contextmanager
def _tables(
    pipeline: dlt.Pipeline, schemas: Mapping[str, tuple[str, ...] | None]
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Tables]]:
    """A DuckDB connection, and the warehouse's tables as queries of it, all of one moment; without
    dlt's own, and what hosts tell each other."""
    with closing(duckdb.connect()) as db:
        if engine_of(pipeline) == "duckdb":
            location = _quoted(Path(location_of(pipeline)))
            db.execute(f"ATTACH '{location}' AS warehouse (READ_ONLY); USE warehouse")
            listed = db.execute(_LISTED).fetchall()
            names = _chosen([(schema, table) for schema, table, *_ in listed], schemas)
            yield db, [(s, t, lambda s=s, t=t: f"SELECT * FROM {s}.{t}") for s, t in names]  # type: ignore[misc]
            return
        with pipeline.sql_client() as client:
            pg = client.native_connection
            pg.rollback()
            pg.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
            with pg.cursor() as cursor:
                cursor.execute(_LISTED)
                listed = cursor.fetchall()
            names = _chosen([(schema, table) for schema, table, *_ in listed], schemas)
            yield db, [(s, t, lambda s=s, t=t: _copied(db, pg, s, t, listed)) for s, t in names]  # type: ignore[misc]


_LISTED = (
    "SELECT table_schema, table_name, column_name, data_type, numeric_scale "
    "FROM information_schema.columns "
    "ORDER BY table_schema, table_name, ordinal_position"
)


def _chosen(
    found: list[tuple[str, str]], schemas: Mapping[str, tuple[str, ...] | None]
) -> list[tuple[str, str]]:
    return [
        (schema, table)
        for schema, table in dict.fromkeys(found)
        if schema in schemas
        and table in (schemas[schema] or [table])
        and "_dlt_" not in table
        and table != LAST_ANSWERS
    ]


def _copied(
    db: duckdb.DuckDBPyConnection, pg: Any, schema: str, table: str, listed: list[tuple[Any, ...]]
) -> str:
    """A PostgreSQL table copied into the DuckDB connection, some rows at a time; a query of it."""
    import pyarrow as pa

    columns = [(name, *kind) for s, t, name, *kind in listed if (s, t) == (schema, table)]
    fields = pa.schema([(name, _arrow(kind, scale)) for name, kind, scale in columns])
    db.execute("DROP TABLE IF EXISTS copied")
    with pg.cursor(name=f"publish_{table}") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(f'SELECT * FROM {schema}."{table}"')
        into = "CREATE TABLE copied AS"
        while True:
            rows = cursor.fetchmany(ROWS_AT_ONCE)
            if not rows and into.startswith("INSERT"):
                break
            values = zip(*rows, strict=True) if rows else ((),) * len(columns)
            part = pa.table(
                [
                    pa.array([bytes(v) if isinstance(v, memoryview) else v for v in column], kind)
                    for column, kind in zip(values, fields.types, strict=True)
                ],
                schema=fields,
            )
            db.register("part", part)
            db.execute(f"{into} FROM part")
            into = "INSERT INTO copied"
    return "SELECT * FROM copied"


def _arrow(kind: str, scale: int | None) -> pyarrow.DataType:
    import pyarrow as pa

    return {
        "bigint": pa.int64(),
        "numeric": pa.decimal128(18, 4 if scale is None else scale),
        "timestamp with time zone": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
        "boolean": pa.bool_(),
        "bytea": pa.binary(),
    }.get(kind, pa.string())


def _sync(path: Path) -> None:
    """What is moved into place must be on the disk."""
    for file in [path] if path.is_file() else path.rglob("*.parquet"):
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # it was never made
            path.unlink()


def _move(beside: Path, target: Path, as_file: bool, open_to: int) -> None:
    # It is for others, unlike the warehouse, which `opened` makes for its owner alone.
    for one in [beside, *beside.rglob("*")]:
        one.chmod(open_to if one.is_dir() else open_to & 0o644)
    if as_file:
        beside.replace(target)
        return
    versions = _versions(target)
    versions.mkdir(exist_ok=True)
    versions.chmod(open_to)
    kept = target.resolve().name if target.is_symlink() else ""
    version = versions / f"{_next(versions):08d}"
    beside.rename(version)
    link = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    link.symlink_to(version.relative_to(target.parent))
    link.replace(target)
    for old in versions.iterdir():
        if old.name.isdigit() and old.name not in (kept, version.name):
            shutil.rmtree(old, ignore_errors=True)


def _versions(target: Path) -> Path:
    return target.with_name(f".{target.name}.versions")


def _next(versions: Path) -> int:
    return 1 + max((int(one.name) for one in versions.iterdir() if one.name.isdigit()), default=0)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
