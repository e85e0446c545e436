"""One load: what a source gives goes to the destination whole, or is dropped and had again.

dlt's load packages are disposable: an answer stays in the spool, and an invoice in its file, until
the destination has it. So whatever is left of a package is dropped, and made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

import dlt
from dlt.common.pipeline import LoadInfo
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.warehouse.bulk import LOADED
from wolkvox_billing.warehouse.columns import INSERT, Table, hints
from wolkvox_billing.warehouse.complaints import failure_of, is_out_of_memory
from wolkvox_billing.warehouse.dlt_gaps import drop_packages, forget_what_is_gone
from wolkvox_billing.warehouse.duckdb_file import empty_staging, held_open, in_little_memory
from wolkvox_billing.warehouse.place import table_format
from wolkvox_billing.warehouse.sessions import only_load
from wolkvox_billing.warehouse.sql import (
    REFRESHED,
    Client,
    columns_of_schemas,
    engine_of,
    literal,
    tables_in,
)

LONG = 900.0  # seconds for another host that loads


# What the destination has: table → columns; None where that cannot be asked.
Tables = Mapping[str, Collection[str]]


def look_at_destination(pipeline: dlt.Pipeline) -> Tables | None:
    """Return the tables that there are, where that can be asked, and let dlt learn what it knows of
    the destination. Where a table is gone that was made, or the one that it is merged from, dlt's
    notes go too, by which it would take them for made, and fail for ever. What a role may not see
    or change stays as it is."""
    LOADED.pop(pipeline.working_dir, None)
    pipeline.sync_destination()
    if engine_of(pipeline) not in REFRESHED:
        return None
    with pipeline.sql_client() as client:
        places = client.dataset_name, client.staging_dataset_name
        columns: dict[str, dict[str, set[str]]] = {place: {} for place in places}
        for place, table, column in columns_of_schemas(client, places):
            columns[place].setdefault(table, set()).add(column)
        LOADED[pipeline.working_dir] = columns[places[0]]
        if pipeline.default_schema_name:
            for place in places:
                forget_what_is_gone(client, pipeline.default_schema, place, columns[place])
    return columns[places[0]]


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
            gap = f"columns {', '.join(lacking)} of {name} are missing"
            if len(lacking) == 1:
                gap = f"column {lacking[0]} of {name} is missing"
            sentences[name] = (
                f"{gap}: somebody renamed or dropped it; give it back its name, or add it again"
            )
    return sentences


# Tables that a load has made or changed, with the columns that it has made.
Changes = dict[str, Collection[str]]


def load_source(pipeline: dlt.Pipeline, source: DltSource) -> Changes:
    """Load what a source gives, while no other host loads; return which tables it changed. Where it
    fails nothing of it is left in the working folder; some of its rows may be in the tables."""
    try:
        # None is dlt's default too, though its type does not say so.
        pipeline.extract(source, table_format=table_format(pipeline))  # type: ignore[arg-type]
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


def source_of_row(name: str, table: Table, row: Mapping[str, object]) -> DltSource:
    """Return a source that inserts one row, of a table that is only ever appended to; it has the
    name of the schema that all tables of the dataset are in."""
    resource = dlt.resource([dict(row)], name=name, **hints(table, INSERT))
    resource.apply_hints(additional_table_hints={"description": table.says})
    return dlt.source(lambda: resource, name="wolkvox_billing", max_table_nesting=0)()


def _load(pipeline: dlt.Pipeline) -> LoadInfo:
    """Load many rows into DuckDB one table after the other, since each takes all cores and the
    memory that it can get; and in little memory, as long as that suffices."""
    is_duckdb = engine_of(pipeline) == "duckdb"
    normalized = Path(pipeline.working_dir, "load", "normalized")
    if not is_duckdb or not any(normalized.glob("*/*/*.parquet")):
        return pipeline.load()
    with in_little_memory(pipeline):
        try:
            info = pipeline.load(workers=1)
            empty_staging(pipeline)
            return info
        except PipelineStepFailed as error:
            if not is_out_of_memory(error):
                raise
    return pipeline.load(workers=1)


def load_or_raise(pipeline: dlt.Pipeline, step: Callable[[Tables], Changes], undone: str) -> None:
    """Take a step that loads what can be had again, and returns what it changed; it gets the tables
    that there are, and those of dlt's schema where nobody can tell. Raises WarehouseError, `undone`
    and why."""

    def steps() -> None:
        with held_open(pipeline, or_fail=True), only_load(pipeline, wait=LONG):
            tables = look_at_destination(pipeline)
            if tables and (lacking := missing_columns(pipeline, tables)):
                raise WarehouseError(f"{undone}: {'; '.join(lacking.values())}")
            if tables is None:
                tables = pipeline.default_schema.tables if pipeline.default_schema_name else {}
            comment(pipeline, step(tables))

    if failure := failure_of(steps):
        raise WarehouseError(f"{undone}: {failure.says}")


def comment(pipeline: dlt.Pipeline, changes: Changes) -> None:
    """Write our sentences beside these tables and columns, where a BI tool shows them. dlt does so
    on BigQuery only; DuckDB and PostgreSQL take the same statement."""
    if not changes or engine_of(pipeline) not in REFRESHED:
        return
    with pipeline.sql_client() as client, client.begin_transaction():  # else each is written out
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
            for kind, target, says in targets:
                if says:
                    client.execute_sql(f"COMMENT ON {kind} {target} IS {literal(says)}")


def keep_newest(pipeline: dlt.Pipeline, of_late: str) -> None:
    """Put the newest readings back into the reports' tables where late answers have put older ones:
    another host, or another project folder, may have loaded while they waited.

    of_late: a condition that late readings fulfil, such as on their `poll_id`.
    """
    if engine_of(pipeline) not in REFRESHED:
        return
    with pipeline.sql_client() as client:
        tables = pipeline.default_schema.tables
        columns = {*_KEY, "items_raw"}
        reports = {name for name, table in tables.items() if columns <= {*table["columns"]}}
        readings = client.make_qualified_table_name("readings")
        for report in sorted((reports - {"readings"}) & tables_in(client, client.dataset_name)):
            late = f"report = {literal(report)} AND {of_late}"
            keys = f"SELECT {', '.join(_KEY)} FROM {readings} WHERE {late}"
            client.execute_sql(_update(client, report, keys, "t.read_at < n.read_at"))


def put_back(pipeline: dlt.Pipeline, reports: Collection[str], of_failed: str) -> None:
    """Take rows out of reports' tables that a load which did not end has put there, and put back
    the newest readings that there are of their keys.

    of_failed: a condition that their rows fulfil, such as on their `poll_id`.
    """
    with pipeline.sql_client() as client:
        for report in sorted(set(reports) & tables_in(client, client.dataset_name)):
            table = client.make_qualified_table_name(report)
            keys = f"SELECT {', '.join(_KEY)} FROM {table} WHERE {of_failed}"
            client.execute_sql(_update(client, report, keys, "TRUE"))
            client.execute_sql(f"DELETE FROM {table} WHERE {of_failed}")


def _update(client: Client, report: str, keys: str, condition: str) -> str:
    """Return the statement that puts the newest readings of these keys into a report's table, whose
    rows are `t` in a condition, and `n` the readings."""
    readings = client.make_qualified_table_name("readings")
    table = client.make_qualified_table_name(report)
    key = ", ".join(_KEY)
    values = ("items", "items_raw", "date_raw", "read_at", "poll_id")
    same = " AND ".join(f"t.{name} = n.{name}" for name in _KEY)
    return (
        f"UPDATE {table} AS t SET {', '.join(f'{name} = n.{name}' for name in values)} "
        f"FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {key} "
        "ORDER BY read_at DESC, poll_id DESC, row_number DESC) AS place "
        f"FROM {readings} WHERE report = {literal(report)} AND ({key}) IN ({keys})) AS n "
        f"WHERE n.place = 1 AND {same} AND {condition}"
    )


def refuses_copies(pipeline: dlt.Pipeline, tables: Collection[str]) -> str:
    """Return why the destination would not take a copy of a row that it has in one of these tables,
    "" where it would, or has none. It is asked in transactions that are rolled back."""

    def copy() -> None:
        with pipeline.sql_client() as client:
            for table in sorted(set(tables) & tables_in(client, client.dataset_name)):
                name = client.make_qualified_table_name(table)
                columns = list(
                    map(client.escape_column_name, pipeline.default_schema.tables[table]["columns"])
                )
                # In an older dataset dlt's ids are unique.
                own = client.escape_column_name("_dlt_id")
                copied = [f"{own} || '-'" if column == own else column for column in columns]
                with suppress(_Undone), client.begin_transaction():
                    client.execute_sql(
                        f"INSERT INTO {name} ({', '.join(columns)}) "
                        f"SELECT {', '.join(copied)} FROM {name} LIMIT 1"
                    )
                    raise _Undone

    failure = failure_of(copy)
    return failure.says if failure else ""


class _Undone(Exception):
    """Rolls a transaction back."""


_KEY = ("operation_id", "operation", "description", "date")
