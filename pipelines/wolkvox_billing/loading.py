"""One load: what a source gives goes to the destination whole, or is dropped and had again.

dlt's load packages are disposable: an answer stays in the spool, and an invoice in its file, until
the destination has it. So whatever is left of a package is dropped, and made anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
from dlt.common.schema import Schema
from dlt.destinations.sql_client import SqlClientBase
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.files import THERE
from wolkvox_billing.marts import REFRESHED
from wolkvox_billing.marts.sql import literal
from wolkvox_billing.sessions import only_load
from wolkvox_billing.warehouse import (
    causes,
    engine_of,
    held_open,
    in_little_memory,
    is_complaint,
    is_full,
    is_out_of_memory,
    missing,
    plain,
    rows_of,
    table_format,
    tables_in,
)
from wolkvox_billing.working_folder import drop_packages

logger = logging.getLogger("wolkvox_billing")

LONG = 900.0  # seconds for another host that loads


class Failure(NamedTuple):
    """Why a load failed. The destination's fault: it may take the same another time. Its whole: it
    takes nothing now, whatever it is given."""

    says: str
    may_pass: bool
    is_whole: bool


# What the destination has: table → columns; None where that cannot be asked.
Tables = Mapping[str, Collection[str]]


def look_at_destination(pipeline: dlt.Pipeline) -> Tables | None:
    """Return the tables that there are, where that can be asked, and let dlt learn what it knows of
    the destination. Where a table is gone that was made, or the one that it is merged from, dlt's
    notes go too, by which it would take them for made, and fail for ever. What a role may not see
    or change stays as it is."""
    THERE.pop(pipeline.working_dir, None)
    pipeline.sync_destination()
    if engine_of(pipeline) not in REFRESHED:
        return None
    with pipeline.sql_client() as client:
        places = client.dataset_name, client.staging_dataset_name
        there: dict[str, dict[str, set[str]]] = {place: {} for place in places}
        for place, table, column in rows_of(
            client,
            "SELECT table_schema, table_name, column_name FROM information_schema.columns "
            "WHERE table_catalog = current_database() "
            f"AND table_schema IN ({', '.join(map(literal, places))})",
        ):
            there[place].setdefault(table, set()).add(column)
        THERE[pipeline.working_dir] = there[places[0]]
        if pipeline.default_schema_name:
            for place in places:
                _forget_what_is_gone(client, pipeline.default_schema, place, there[place])
    return there[places[0]]


def missing_columns(pipeline: dlt.Pipeline, tables: Tables) -> dict[str, str]:
    """Return a sentence for each table of the destination that lacks a column of ours, by its name.
    Somebody dropped or renamed it: a new one would be empty, and its numbers wrong."""
    if not pipeline.default_schema_name:
        return {}
    sentences = {}
    for table in pipeline.default_schema.data_tables(seen_data_only=True):
        name = str(table["name"])
        lacking = sorted(set(table["columns"]) - set(tables.get(name, table["columns"])))
        if lacking:
            what = f"columns {', '.join(lacking)} of {name} are missing"
            if len(lacking) == 1:
                what = f"column {lacking[0]} of {name} is missing"
            sentences[name] = (
                f"{what}: somebody renamed or dropped it; give it back its name, or add it again"
            )
    return sentences


def _forget_what_is_gone(
    client: SqlClientBase[Any], schema: Schema, place: str, there: Tables
) -> None:
    known = {
        str(table["name"])
        for table in schema.data_tables(seen_data_only=True)
        if place == client.dataset_name or table.get("write_disposition") == "merge"
    }
    if not known <= there.keys() and schema.version_table_name in there:
        with client.with_alternative_dataset_name(place):
            table = client.make_qualified_table_name(schema.version_table_name)
            forget = f"DELETE FROM {table} WHERE schema_name = {literal(schema.name)}"
            # Somebody who may not do that may not see that table either: it is not gone.
            failure_of(lambda: client.execute_sql(forget))


# Tables that a load has made or changed, with the columns that it has made.
Changes = dict[str, Collection[str]]


def load_source(pipeline: dlt.Pipeline, source: DltSource) -> Changes:
    """Load what a source gives, while no other host loads; return which tables it changed. Where it
    fails nothing of it is left in the working folder; some of its rows may be in the tables."""
    try:
        pipeline.extract(source, table_format=table_format(pipeline))
        pipeline.normalize()
        info = _load(pipeline)
        info.raise_on_failed_jobs()
    finally:
        drop_packages(Path(pipeline.working_dir))  # dlt keeps each, 8 files a poll
    return {
        table: changed["columns"].keys()
        for package in info.load_packages
        for table, changed in package.schema_update.items()
    }


def _load(pipeline: dlt.Pipeline) -> Any:
    """Loads many rows into DuckDB one table after the other, since each takes all cores and the
    memory that it can get; and in little memory, as long as that suffices."""
    is_duckdb = engine_of(pipeline) == "duckdb"
    normalized = Path(pipeline.working_dir, "load", "normalized")
    if not is_duckdb or not any(normalized.glob("*/*/*.parquet")):
        return pipeline.load()
    with in_little_memory(pipeline):
        try:
            info = pipeline.load(workers=1)
            _empty_staging(pipeline)
            return info
        except PipelineStepFailed as error:
            if not is_out_of_memory(error):
                raise
    return pipeline.load(workers=1)


def _empty_staging(pipeline: dlt.Pipeline) -> None:
    """Empties dlt's staging tables, before DuckDB writes its file: it would write these rows too,
    and the file would be half as large again."""
    with pipeline.sql_client() as client, client.with_staging_dataset():
        for table in tables_in(client, client.dataset_name):
            if not table.startswith("_dlt"):
                client.execute_sql(f"TRUNCATE {client.make_qualified_table_name(table)}")


def load_or_raise(pipeline: dlt.Pipeline, step: Callable[[Tables], Changes], undone: str) -> None:
    """Take a step that loads what can be had again, and returns what it changed; it gets the tables
    that there are, and those of dlt's schema where nobody can tell. Raises WarehouseError, `undone`
    and why."""

    def steps() -> None:
        with held_open(pipeline, or_fail=True), only_load(pipeline, wait=LONG):
            tables = look_at_destination(pipeline)
            if tables and (lacking := missing_columns(pipeline, tables)):
                raise WarehouseError(f"{undone}: {'; '.join(lacking.values())}")
            known: Any = pipeline.default_schema.tables if pipeline.default_schema_name else {}
            comment(pipeline, step(known if tables is None else tables))

    if failure := failure_of(steps):
        raise WarehouseError(f"{undone}: {failure.says}")


def failure_of(step: Callable[[], Any]) -> Failure | None:
    """Take a step; return what the destination complains of, None if nothing.

    Raises SettingsError where a setting is missing, and whatever does not come from a destination.
    """
    try:
        step()
    except Exception as error:
        chain = causes(error)
        for cause in chain:
            if isinstance(cause, ConfigFieldMissingException):
                raise SettingsError(missing(cause)) from None
            if isinstance(cause, KeyboardInterrupt):  # dlt's, of a signal that came during a load
                raise cause from None
        if not (
            isinstance(error, (PipelineStepFailed, ConfigurationException)) or is_complaint(error)
        ):
            raise
        is_of_rows = isinstance(error, PipelineStepFailed) and (
            error.step in ("extract", "normalize") or any(hasattr(c, "job_id") for c in chain)
        )
        says = plain(error)
        if is_of_rows and not any(map(is_complaint, chain[-1:])) and not is_full(error):
            # Of our own code, or of a library's: the answer is kept, and a person is told where.
            logger.exception("a defect of this program: please report it")
            says = f"{type(chain[-1]).__name__}: {says}"
        return Failure(
            says,
            # PEP 249's word for what is not the statement's fault: a lock, a connection, memory.
            may_pass=any(_is_a(cause, "OperationalError") for cause in chain),
            is_whole=is_full(error) or not is_of_rows,
        )
    return None


def _is_a(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)


def comment(pipeline: dlt.Pipeline, changes: Changes) -> None:
    """Write our sentences beside these tables and columns, where a BI tool shows them. dlt does so
    on BigQuery only; DuckDB and PostgreSQL take the same statement."""
    if engine_of(pipeline) not in REFRESHED:
        return
    with pipeline.sql_client() as client:
        for table in pipeline.default_schema.data_tables():
            columns = changes.get(str(table["name"]), ())
            if not columns:
                continue
            name = client.make_qualified_table_name(str(table["name"]))
            targets = [("TABLE", name, table.get("description"))]
            targets += [
                ("COLUMN", f"{name}.{client.escape_column_name(column)}", hint.get("description"))
                for column, hint in table["columns"].items()
                if column in columns
            ]
            for what, target, says in targets:
                if says:
                    client.execute_sql(f"COMMENT ON {what} {target} IS {literal(says)}")


def keep_newest(pipeline: dlt.Pipeline, of_late: str) -> None:
    """Put the newest readings back into the reports' tables where late answers have put older ones:
    another host, or another project folder, may have loaded while they waited.

    of_late: a condition that late readings fulfil, such as on their `poll_id`.
    """
    if engine_of(pipeline) not in REFRESHED:
        return
    key = ("operation_id", "operation", "description", "date")
    shown = ("items", "items_raw", "date_raw", "read_at", "poll_id")
    with pipeline.sql_client() as client:
        readings = client.make_qualified_table_name("readings")
        tables = pipeline.default_schema.tables
        reports = {name for name, one in tables.items() if {*key, "items_raw"} <= {*one["columns"]}}
        for report in sorted((reports - {"readings"}) & tables_in(client, client.dataset_name)):
            table = client.make_qualified_table_name(report)
            among = f"report = {literal(report)}"
            same = " AND ".join(f"t.{name} = n.{name}" for name in key)
            client.execute_sql(
                f"UPDATE {table} AS t SET {', '.join(f'{name} = n.{name}' for name in shown)} "
                f"FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {', '.join(key)} "
                "ORDER BY read_at DESC, poll_id DESC, row_number DESC) AS place "
                f"FROM {readings} WHERE {among} AND ({', '.join(key)}) IN "
                f"(SELECT {', '.join(key)} FROM {readings} WHERE {among} AND {of_late})) AS n "
                f"WHERE n.place = 1 AND {same} AND t.read_at < n.read_at"
            )


def among(column: str, values: Iterable[str]) -> str:
    """Return the condition that a column has one of these texts."""
    return f"{column} IN ({', '.join(map(literal, sorted(values)))})"
