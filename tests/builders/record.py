"""A record that is written straight into its tables: what a test of marts or verdicts begins with.

The tables are those that a real `load` and `invoices` make, once in a session. The rows are those
that the product makes of an answer and of a document; they go in by SQL, and the marts are
refreshed. What asking, the spool and dlt do, other tests show.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import dlt
import pyarrow
import pytest
from psycopg2.extras import execute_values

from builders.duckdb_files import attached
from builders.postgres import create_database, session
from builders.project import SERVERS, TOKENS, Project, empty_project
from builders.worlds import FOLDER, World, copy, is_empty, keep
from fake_wolkvox import Vendor
from fake_wolkvox.reply import envelope
from wolkvox_billing.invoices import read_invoices
from wolkvox_billing.invoices.tables import document_rows, line_rows
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.polling.polls import Poll
from wolkvox_billing.polling.tables import (
    TABLES,
    Batch,
    newest_in,
    poll_row,
    readings_in,
    rejected_in,
    report_table,
)
from wolkvox_billing.vendor.answer import judge_answer
from wolkvox_billing.vendor.client import Answer
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.vendor.readings import read_rows
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.verbs.load import meaning_of
from wolkvox_billing.warehouse.place import opened

BEFORE = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)  # when the tables were made
ZONE = ZoneInfo("America/Bogota")
REPORT = "rsync_s3_mp3"


class Call(NamedTuple):
    """A call at a moment, and the rows that the vendor answers from then on; or a body that is no
    answer."""

    at: datetime
    rows: Sequence[Mapping[str, str]] | bytes
    report: str = REPORT
    operation: str = "acme"
    zone: ZoneInfo = ZONE


def write_polls(project: Project, *calls: Call, **meaning: Any) -> None:
    """These calls, with all that was read in them, in the tables; and the marts as of the last.

    meaning: measures, gauge_month, timezone, as `refresh` takes them."""
    with_tables(project, {call.report for call in calls})
    rows: dict[str, _Rows] = {}
    for call in calls:
        project.vendor.now = call.at
        if call.operation in TOKENS:
            project.vendor.answer(TOKENS[call.operation], call.report, call.rows)
        for table, rows_of_call in _rows_of(_batch(call)).items():
            rows.setdefault(table, _Rows(rows_of_call.key, [])).rows.extend(rows_of_call.rows)
    with opened(project.destination) as pipeline:
        with _tables_of(project, pipeline) as tables:
            for table, (key, rows_of_table) in rows.items():
                tables.put(table, key, rows_of_table)
        # Not the verdicts, as `refresh_marts` does.
        refresh(pipeline, meaning_of(**meaning), project.vendor.now)


def write_documents(project: Project, files: Sequence[Path]) -> None:
    """What these files hold, as `invoices` reads them, in the tables of invoices."""
    with_tables(project)
    papers = list(read_invoices(files, rule="month_before_issue"))
    now = project.vendor.now
    with _tables_of(project) as tables:
        for paper in papers:
            tables.put("invoice_documents", ["document_id"], document_rows(paper, now))
            tables.put("invoice_lines", ["document_id", "line_number"], line_rows(paper))


def with_tables(project: Project, reports: set[str] | None = None) -> None:
    """See that a project has all tables; those that it lacks are without a row."""
    wanted = {REPORT, *(reports or ())}
    known = project.tables.setdefault(project.dsn, set())
    if wanted <= known:
        return
    if is_empty(project):
        now = project.vendor.now
        copy(_empty_record(project.destination, project.dsn.rpartition("/")[0]), project)
        project.vendor.now = now
        names = {REPORT, "polls", "invoice_lines"}
    else:
        tables = project.query("SELECT table_name FROM information_schema.tables")
        names = {name for (name,) in tables}
    if not {"polls", REPORT} <= names:
        _make_tables(project)
    if "invoice_lines" not in names:
        _make_invoice_tables(project)
    for report in sorted(wanted - names - {REPORT}):
        _copy_table(project, report)
    known |= wanted


@cache
def _empty_record(destination: str, server: str) -> World:
    """Return a record with all tables and no row. What a test sets says nothing of a row that is
    not there, so that all tests of a session have this one."""
    folder = Path(tempfile.mkdtemp(dir=FOLDER.name))
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        vendor = stack.enter_context(Vendor(now=BEFORE, operations=[]))
        vendor.add_operation(name="ACME", server=SERVERS["acme"], token=TOKENS["acme"])
        for name in [name for name in os.environ if name.startswith("SOURCES__")]:
            patch.delenv(name)
        project = empty_project(folder, patch, vendor)
        if destination == "postgres":
            project.destination, project.dsn = destination, f"{server}/w{uuid.uuid4().hex[:12]}"
            create_database(server, project.dsn.rpartition("/")[2])
            patch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
        _make_tables(project)
        _make_invoice_tables(project)
        return keep(project)


def _make_tables(project: Project) -> None:
    """Load an answer without a row."""
    now, answers = project.vendor.now, dict(project.vendor._answers)
    project.vendor.now = BEFORE
    project.vendor.answer(TOKENS["acme"], REPORT, [])
    calls = len(project.vendor.calls)
    assert project.load(reports=[REPORT], force=True).is_good
    project.vendor.now, project.vendor._answers = now, answers
    del project.vendor.calls[calls:]
    project.execute(f"DELETE FROM wolkvox_billing.polls WHERE started_at = '{BEFORE.isoformat()}'")


def _copy_table(project: Project, report: str) -> None:
    """Make the table of a report, as a load makes it: all reports have the same columns."""
    if project.destination == "postgres":
        project.execute(f"CREATE TABLE {report} (LIKE {REPORT} INCLUDING ALL)")
        return
    [(made,)] = project.query(
        f"SELECT sql FROM duckdb_tables() WHERE schema_name = 'wolkvox_billing' "
        f"AND table_name = '{REPORT}'"
    )
    project.execute(made.replace(REPORT, report, 1))


def _make_invoice_tables(project: Project) -> None:
    """Read no paper."""
    empty = project.folder / "empty"
    empty.mkdir()
    invoices([empty], destination=project.destination, clock=lambda: BEFORE)
    empty.rmdir()


def _batch(call: Call) -> Batch:
    body = call.rows if isinstance(call.rows, bytes) else envelope(list(call.rows))
    digest = hashlib.sha256(body).hexdigest()
    answer = Answer(judge_answer(200, body), 200, body, len(body), digest)
    # One that the stand-in vendor has not is at a server of its own.
    server = SERVERS.get(call.operation, call.operation)
    token = TOKENS.get(call.operation, "")
    operation = Operation(call.operation, server, "http://127.0.0.1", token, call.zone)
    at = call.at.astimezone(timezone.utc)
    named = hashlib.sha256(f"{call.operation} {call.report} {digest}".encode()).hexdigest()
    poll_id = f"{at:%Y%m%dT%H%M%S.%fZ}-{named[:12]}"  # the same on each engine
    poll = Poll(poll_id, operation, call.report, at, at, answer)
    readings, rejected = read_rows(poll.judgement.rows, poll.date, {})
    return Batch(poll, readings, rejected)


class _Rows(NamedTuple):
    """Rows of a table, and the columns by which a later one takes an earlier one's place."""

    key: Sequence[str]
    rows: list[Mapping[str, Any]]


def _rows_of(batch: Batch) -> dict[str, _Rows]:
    """Return what an answer puts into each table."""
    report = batch.poll.report
    rows = {
        "polls": _Rows(TABLES["polls"][1], [poll_row(batch)]),
        "rejected_rows": _Rows(TABLES["rejected_rows"][1], list(rejected_in(batch))),
    }
    if batch.readings:
        rows["readings"] = _Rows(TABLES["readings"][1], list(readings_in(batch).rows()))
        rows[report] = _Rows(report_table(report)[1], list(newest_in(batch).rows()))
    return rows


class _Tables:
    """The tables of a project, over a cursor of the test's own."""

    def __init__(self, project: Project, cursor: Any) -> None:
        self.cursor = cursor
        self.is_duckdb = project.destination == "duckdb"
        self._run("SET TimeZone = 'UTC'")
        [(self.load_id,)] = self._run("SELECT MAX(load_id) FROM wolkvox_billing._dlt_loads")

    def put(self, table: str, key: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Put these rows in, each instead of that with its key: of two the later one."""
        newest = {tuple(row[name] for name in key): row for row in rows}
        if not newest:
            return
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for values, row in newest.items():
            own_id = hashlib.sha256(repr([table, list(values)]).encode()).hexdigest()
            full = {**row, "_dlt_load_id": self.load_id, "_dlt_id": own_id}
            by_columns.setdefault(tuple(full), []).append(full)
        for columns, rows_alike in by_columns.items():
            self._replace(f"wolkvox_billing.{table}", key, columns, rows_alike)

    def _replace(
        self, table: str, key: Sequence[str], columns: Sequence[str], rows: list[dict[str, Any]]
    ) -> None:
        names, keys = (", ".join(f'"{name}"' for name in of) for of in (columns, key))
        if self.is_duckdb:  # row by row it takes two milliseconds each
            self.cursor.register("new_rows", pyarrow.Table.from_pylist(rows))
            self.cursor.execute(
                f"DELETE FROM {table} WHERE ({keys}) IN (SELECT ({keys}) FROM new_rows)"
            )
            self.cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM new_rows")
            return
        own_keys = [tuple(row[name] for name in key) for row in rows]
        execute_values(self.cursor, f"DELETE FROM {table} WHERE ({keys}) IN (%s)", own_keys)
        values = [tuple(row.values()) for row in rows]
        execute_values(self.cursor, f"INSERT INTO {table} ({names}) VALUES %s", values)

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        self.cursor.execute(sql, list(values))
        return self.cursor.fetchall() if sql.startswith("SELECT") else []


@contextmanager
def _tables_of(project: Project, pipeline: dlt.Pipeline | None = None) -> Iterator[_Tables]:
    """Yield the tables of a project, over the product's connection where a `pipeline` holds the
    DuckDB file open: it takes a tenth of the time."""
    if project.destination != "duckdb":
        with session(project.dsn) as database, database.cursor() as cursor:
            yield _Tables(project, cursor)
    elif pipeline:
        with pipeline.sql_client() as client:
            yield _Tables(project, client.native_connection)
    else:
        with attached(project.folder / "wolkvox.duckdb", read_only=False) as db:
            yield _Tables(project, db)
