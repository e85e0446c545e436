"""A record of months, written in bulk: the calls of a poller, and the documents that came.

The tables are those that a real `load` and `invoices` make; the rows are those that the product
makes of an answer and of a document. What asking, the spool and dlt do, other benchmarks show.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from answers import Responder, Row
from counters import EPOCH
from departments import Issued

from fake_wolkvox import Vendor
from wolkvox_billing.invoices import read_invoices
from wolkvox_billing.invoices.tables import document_rows, line_rows
from wolkvox_billing.polling.polls import Poll
from wolkvox_billing.polling.tables import Batch, poll_row, readings_in, rejected_in
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.vendor.answer import Judgement, Outcome
from wolkvox_billing.vendor.client import Answer
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.vendor.readings import read_rows
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.verbs.load import load, refresh_marts
from wolkvox_billing.verbs.reconcile import reconcile

FILE = "wolkvox.duckdb"
LINE_MAP, RATE_CARD = "line_map.csv", "rate_card.csv"
TOKEN = "a1" * 32  # of the stand-in vendor; it opens nothing
START = datetime(EPOCH.year, EPOCH.month, EPOCH.day, tzinfo=timezone.utc)
MADE = START  # when the tables were
# The newest row of each key, as a load keeps it.
NEWEST = """
INSERT INTO wolkvox_billing.{report} BY NAME
    SELECT operation_id, operation, description, date, items, items_raw, date_raw, read_at, poll_id,
        'made' AS _dlt_load_id, poll_id || row_number AS _dlt_id
    FROM wolkvox_billing.readings WHERE report = '{report}' QUALIFY row_number() OVER (
        PARTITION BY operation_id, operation, description, date
        ORDER BY read_at DESC, row_number DESC) = 1
"""


@dataclass(frozen=True)
class Polled:
    """An operation and report, when it was asked (moments of `counters`), and what it answers."""

    operation_id: str
    report: str
    moments: Sequence[int]
    answer: Responder
    zone: ZoneInfo


@dataclass(frozen=True)
class Judged:
    """A verdict of the product on a key of an operation."""

    operation_id: str | None
    start: date | None
    status: str
    explanation: str


def moment_of(second: int, zone: ZoneInfo) -> datetime:
    """When the vendor's clock shows so many seconds since EPOCH."""
    return (START + timedelta(seconds=second)).replace(tzinfo=zone).astimezone(timezone.utc)


def is_shown(second: int, zone: ZoneInfo) -> bool:
    """Whether a clock shows this: not so in the hour that it leaves out for the summer."""
    shown = moment_of(second, zone).astimezone(zone).replace(tzinfo=timezone.utc)
    return shown == START + timedelta(seconds=second)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of this block's own, which is home, and in which the product works."""
    before, settings = Path.cwd(), dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="bench-honesty-") as name:
        os.environ |= {
            "HOME": name,
            "DLT_DATA_DIR": f"{name}/dlt",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
        }
        folder = Path(name, "project")
        folder.mkdir()
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)
            os.environ.clear()
            os.environ.update(settings)


def make_tables(reports: Sequence[str]) -> None:
    """All tables, without a row, into `empty.duckdb` of this folder."""
    with Vendor(now=MADE, operations=[]) as vendor:
        vendor.add_operation(name="ACME", server="0010", token=TOKEN)
        for report in reports:
            vendor.answer(TOKEN, report, [])
        result = load(
            reports=list(reports),
            clock=lambda: MADE,
            operations=[{"name": "acme", "server": "0010", "token": TOKEN}],
            base_url=vendor.url,
        )
    assert result.is_good, result
    Path("none").mkdir()
    invoices(["none"], clock=lambda: MADE)
    with closing(duckdb.connect(FILE)) as database:
        database.execute("DELETE FROM wolkvox_billing.polls")
    shutil.move(FILE, "empty.duckdb")


def start_anew() -> None:
    """An empty record in this folder, instead of what was there."""
    shutil.copy("empty.duckdb", FILE)


def write_calls(polled: Sequence[Polled]) -> None:
    """These calls, with all that was read in them."""
    rows = _Rows([], [], {})
    for operation in polled:
        _add_operation(rows, operation)
    with _tables() as database:
        _insert(database, "polls", _by_column(rows.polls))
        _insert(database, "rejected_rows", _by_column(rows.rejections))
        _insert(database, "readings", rows.readings)
        for report in sorted({operation.report for operation in polled}):
            database.execute(NEWEST.format(report=report))


@contextmanager
def _tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(FILE)) as database:
        database.execute("SET TimeZone = 'UTC'")
        yield database


class _Rows(NamedTuple):
    """Rows of the raw tables, those of `readings` by their columns."""

    polls: list[dict[str, Any]]
    rejections: list[dict[str, Any]]
    readings: dict[str, list[Any]]


def _add_operation(rows_of: _Rows, polled: Polled) -> None:
    # A server of its own: ids of one server and one name would be taken for one operation.
    server = polled.operation_id
    operation = Operation(polled.operation_id, server, "http://127.0.0.1", TOKEN, polled.zone)
    prefix = hashlib.sha256(polled.operation_id.encode()).hexdigest()[:12]
    columns = rows_of.readings
    known: tuple[list[Row], date] | None = None  # what was answered last, and on which day
    for moment in polled.moments:
        rows = polled.answer(moment)
        judgement = Judgement(Outcome.OK if rows else Outcome.EMPTY, rows=rows, count=len(rows))
        at = moment_of(moment, polled.zone)
        poll_id = f"{at:%Y%m%dT%H%M%S.%fZ}-{prefix}"
        poll = Poll(poll_id, operation, polled.report, at, at, Answer(judgement, 200))
        if known != (rows, poll.date):  # at night the answers are the same for hours
            known = rows, poll.date
            readings, rejected = read_rows(rows, poll.date, {})
        batch = Batch(poll, readings, rejected)
        rows_of.polls.append(poll_row(batch))
        rows_of.rejections.extend(rejected_in(batch))
        if part := len(readings):
            made = readings_in(batch)
            for name, value in made.shared.items():
                columns.setdefault(name, []).extend([value] * part)
            for name, values in made.values.items():
                column = columns.setdefault(name, [])
                column += [None] * (len(columns["poll_id"]) - part - len(column))
                column += values


def _by_column(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


def _insert(database: Any, table: str, columns: dict[str, list[Any]]) -> None:
    """Put these rows into a table; a column that is all None has no type, and is left out."""
    known = {name: column for name, column in columns.items() if set(column) != {None}}
    if not known:
        return
    length = max(map(len, known.values()))
    for column in known.values():  # those of fields that were in some answers only
        column += [None] * (length - len(column))
    rows = pa.table(known)  # noqa: F841  # DuckDB finds it by its name
    database.execute(
        f"INSERT INTO wolkvox_billing.{table} BY NAME "
        "SELECT *, 'made' AS _dlt_load_id, uuid()::VARCHAR AS _dlt_id FROM rows"
    )


def write_documents(issued: Sequence[Issued], now: datetime, rule: str) -> None:
    """These documents, as `invoices` reads them, instead of those that were there."""
    inbox = Path("inbox")
    shutil.rmtree(inbox, ignore_errors=True)
    inbox.mkdir()
    for number, document in enumerate(issued):
        (inbox / f"{number:06}.xml").write_bytes(document.xml)
    papers = list(read_invoices([inbox], rule=rule))
    documents = [row for paper in papers for row in document_rows(paper, now)]
    assert len(documents) == len(issued), "a document was not taken"
    lines = [row for paper in papers for row in line_rows(paper)]
    with _tables() as database:
        for table, rows in (("invoice_documents", documents), ("invoice_lines", lines)):
            database.execute(f"DELETE FROM wolkvox_billing.{table}")
            _insert(database, table, _by_column(rows))


def settle_marts(now: datetime, measures: Mapping[str, str], gauge_month: str) -> None:
    """See that the views are there, with what the numbers mean; nothing is compared yet."""
    for file in (LINE_MAP, RATE_CARD):
        Path(file).unlink(missing_ok=True)
    result = refresh_marts(clock=lambda: now, measures=measures, gauge_month=gauge_month)
    assert result.is_good, result


def judge(line_map: str, rate_card: str, now: datetime, period_rule: str) -> list[Judged]:
    """What `reconcile` says of all months."""
    Path(LINE_MAP).write_text(line_map)
    Path(RATE_CARD).write_text(rate_card)
    result = reconcile(policy=Policy(period_rule=period_rule), clock=lambda: now)
    return [
        Judged(row.operation_id, row.billing_period_start, row.reconciliation_status,
               row.explanation)
        for row in result.rows
    ]  # fmt: skip
