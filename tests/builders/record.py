"""A record that is written straight into its tables: what a test of marts or verdicts begins with.

The tables are those that a real `load` and `invoices` make, once in a session; rows go in by SQL,
and the marts are refreshed. What polling and loading do themselves, other tests show.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import psycopg2

from builders.project import SERVERS, TOKENS, Project
from builders.worlds import once
from wolkvox_billing.invoices import read_invoices
from wolkvox_billing.invoices.tables import document_rows, line_rows
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.verbs.load import refresh_marts

BEFORE = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)  # when the tables were made
ZONE = ZoneInfo("America/Bogota")
REPORT = "rsync_s3_mp3"


def write_readings(
    project: Project, readings: Sequence[tuple[datetime, str]], product: str, **measures: str
) -> None:
    """A poll of `acme` at each of these times, with what the counter shows then; the marts."""
    with_tables(project)
    polls: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for at, items in readings:
        row = {"operation": "ACME", "description": product, "items": items,
               "date": f"{at.astimezone(ZONE):%Y-%m-%d}"}  # fmt: skip
        project.vendor.now = at
        project.vendor.answer(TOKENS["acme"], REPORT, [row])
        polls.append(poll := _poll(at, [row]))
        rows.append(_reading(poll, row))
    with _writing(project) as tables:
        tables.upsert("polls", ["poll_id"], polls)
        tables.upsert("readings", ["poll_id"], rows)
        key = ["operation_id", "operation", "description", "date"]
        tables.upsert(REPORT, key, [_in_report(row) for row in rows])
    refresh_marts(
        destination=project.destination,
        clock=lambda: project.vendor.now,
        measures={REPORT: "month_to_date", **measures},
    )


def write_documents(project: Project, files: Sequence[Path]) -> None:
    """What these files hold, as `invoices` reads them, in the tables of invoices."""
    with_tables(project)
    documents = list(read_invoices(files, decimal=None, rule="month_before_issue"))
    now = project.vendor.now
    with _writing(project) as tables:
        for document in documents:
            tables.upsert("invoice_documents", ["document_id"], document_rows(document, now))
            tables.upsert("invoice_lines", ["document_id", "line_number"], line_rows(document))


def with_tables(project: Project) -> None:
    """See that a project has all tables; those that it lacks are without a row."""
    if not (project.folder.parent / "dlt").exists():
        once(project, _make_tables)
    names = project.query("SELECT table_name FROM information_schema.tables")
    if ("polls",) not in names:
        _make_tables(project)
    elif ("invoice_lines",) not in names:
        _make_invoice_tables(project)


def _make_tables(project: Project) -> None:
    row = {"operation": "ACME", "description": "AUDIOS", "items": "1", "date": "2026-01-01"}
    project.vendor.now = BEFORE
    project.vendor.answer(TOKENS["acme"], REPORT, [row])
    assert project.load(measures={REPORT: "month_to_date"}).is_good
    for table in ("polls", "readings", REPORT):
        project.execute(f"DELETE FROM wolkvox_billing.{table}")
    _make_invoice_tables(project)


def _make_invoice_tables(project: Project) -> None:
    empty = project.folder / "empty"
    empty.mkdir()
    invoices([empty], destination=project.destination, clock=lambda: BEFORE)
    empty.rmdir()


def _poll(at: datetime, rows: list[dict[str, str]]) -> dict[str, Any]:
    moment = at.astimezone(timezone.utc)
    envelope = {"code": "200", "error": None, "msg": "Successful", "data": rows}
    answer = json.dumps(envelope).encode()
    return {
        "poll_id": f"{moment:%Y%m%dT%H%M%S.%fZ}-{hashlib.sha256(answer).hexdigest()[:12]}",
        "operation_id": "acme",
        "server": SERVERS["acme"],
        "report": REPORT,
        "timezone": ZONE.key,
        "poll_date": at.astimezone(ZONE).date(),
        "started_at": moment,
        "started_epoch": int(moment.timestamp()),
        "finished_at": moment,
        "outcome": "ok",
        "http_status": 200,
        "code": "200",
        "msg": "Successful",
        "rows": len(rows),
        "rejected": 0,
        "answer_sha256": hashlib.sha256(answer).hexdigest(),
        "answer_bytes": len(answer),
        "answer": answer,
    }


def _reading(poll: dict[str, Any], row: dict[str, str]) -> dict[str, Any]:
    return {
        "poll_id": poll["poll_id"],
        "report": REPORT,
        "row_number": 1,
        "operation_id": "acme",
        "operation": row["operation"],
        "description": row["description"],
        "date": date.fromisoformat(row["date"]),
        "items": Decimal(row["items"]),
        "items_raw": row["items"],
        "date_raw": row["date"],
        "read_at": poll["started_at"],
        "read_epoch": poll["started_epoch"],
        "read_date": poll["poll_date"],
        "days_in_answer": 1,
        "is_repeated": False,
    }


def _in_report(reading: dict[str, Any]) -> dict[str, Any]:
    names = ("operation_id", "operation", "description", "date", "items", "items_raw", "date_raw",
             "read_at", "poll_id")  # fmt: skip
    return {name: reading[name] for name in names}


class _Tables:
    """The tables of a project, over a connection of the test's own."""

    def __init__(self, project: Project, database: Any) -> None:
        self.cursor = database.cursor()
        self.place = "?" if project.destination == "duckdb" else "%s"
        self._run("SET TimeZone = 'UTC'")
        [(self.load_id,)] = self._run("SELECT MAX(load_id) FROM wolkvox_billing._dlt_loads")

    def upsert(self, table: str, key: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
        """Put these rows in, each instead of one with its key."""
        for row in rows:
            same = " AND ".join(f"{name} = {self.place}" for name in key)
            values = [row[name] for name in key]
            self._run(f"DELETE FROM wolkvox_billing.{table} WHERE {same}", values)
            own_id = hashlib.sha256(repr([table, values]).encode()).hexdigest()
            full = {**row, "_dlt_load_id": self.load_id, "_dlt_id": own_id}
            names = ", ".join(f'"{name}"' for name in full)
            places = ", ".join([self.place] * len(full))
            self._run(
                f"INSERT INTO wolkvox_billing.{table} ({names}) VALUES ({places})",
                list(full.values()),
            )

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        self.cursor.execute(sql, list(values))
        return self.cursor.fetchall() if sql.startswith("SELECT") else []


@contextmanager
def _writing(project: Project) -> Iterator[_Tables]:
    is_duckdb = project.destination == "duckdb"
    file = str(project.folder / "wolkvox.duckdb")
    with closing(duckdb.connect(file) if is_duckdb else psycopg2.connect(project.dsn)) as database:
        yield _Tables(project, database)
        database.commit()
