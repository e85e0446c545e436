"""The tables: columns, types, keys and a sentence for each, and a poll's rows in them.

Times are UTC; `date` is the vendor's calendar day; counts are DECIMAL(18,4).
"""

from __future__ import annotations

from dataclasses import dataclass

from dlt.common.schema.typing import TColumnSchema

from wolkvox_billing.polling.polls import KEPT_BYTES, Poll
from wolkvox_billing.values.arrow import ColumnValues
from wolkvox_billing.values.clock import epoch
from wolkvox_billing.vendor.answer import Outcome
from wolkvox_billing.vendor.reading_columns import ReadingKey, Readings
from wolkvox_billing.vendor.readings import RejectedRow
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.bulk import Columns, TableRow
from wolkvox_billing.warehouse.columns import AMOUNT, BYTES, COUNT, DATE, FLAG, TEXT, TIME, Table

_POLL_ID = (TEXT, "The call that this row came from; see polls. Sorts in the order of time")
_OPERATION_ID = (TEXT, "The operation's name in the settings; its server where none is set")
_REPORT = (TEXT, "The vendor's name of the report, such as rsync_s3_mp3")
_ROW_NUMBER = (COUNT, "The row's place in the answer, from 1")
_READ_AT = (TIME, "When the call started (UTC): what came later is not in the count")

_READ = {
    "operation": (TEXT, "The operation's name as the vendor sent it"),
    "description": (TEXT, "The product, as the vendor names it"),
    "date": (DATE, "The row's calendar day in the vendor's time zone"),
    "items": (AMOUNT, "The amount of use, read from items_raw; rounded half up to 4 decimals"),
    "items_raw": (TEXT, "The amount of use as the vendor sent it"),
    "date_raw": (TEXT, "The date as the vendor sent it"),
}

# By its key each table is merged, where rows of it may be there already: see `source`.
TABLES: dict[str, Table] = {
    "polls": Table(
        "One row per call to the vendor, each new try included, whatever became of it",
        ("poll_id",),
        {
            "poll_id": (TEXT, "A name for the call. Sorts in the order of time"),
            "operation_id": _OPERATION_ID,
            "server": (TEXT, "The vendor's server that was asked"),
            "report": _REPORT,
            "timezone": (TEXT, "The vendor's time zone, by the settings"),
            "poll_date": (DATE, "The day of started_at in the vendor's time zone"),
            "started_at": (TIME, "When the call started (UTC)"),
            "started_epoch": (COUNT, "started_at in seconds since 1970, for the views"),
            "finished_at": (TIME, "When the answer was complete, or the call given up (UTC)"),
            "outcome": (TEXT, "What became of it; ok, empty and not_found are answers"),
            "http_status": (COUNT, "The HTTP status; NULL if none came"),
            "code": (TEXT, "`code` of the answer, as text"),
            "msg": (TEXT, "`msg` of the answer: the vendor's words"),
            "rows": (COUNT, "Rows received; each is in readings or in rejected_rows"),
            "rejected": (COUNT, "Rows of them that could not be read"),
            "note": (TEXT, "Our words: what was noticed about the answer"),
            "answer_sha256": (TEXT, "SHA-256 of the whole answer as received"),
            "answer_bytes": (COUNT, "Length of the whole answer"),
            "answer": (BYTES, "The answer's first 64 KiB, byte for byte"),
        },
    ),
    "readings": Table(
        "One row per call and row returned: every reading ever received, as it came and typed",
        ("poll_id", "report", "row_number"),
        {
            "poll_id": _POLL_ID,
            "report": _REPORT,
            "row_number": _ROW_NUMBER,
            "operation_id": _OPERATION_ID,
            **_READ,
            "read_at": _READ_AT,
            "read_epoch": (COUNT, "read_at in seconds since 1970, for the views"),
            "read_date": (DATE, "The day of read_at in the vendor's time zone"),
            "days_in_answer": (COUNT, "Different dates that the answer gave for this product"),
            "is_repeated": (
                FLAG,
                "Whether a later row of the answer has the same key, and counts",
            ),
        },
    ),
    "rejected_rows": Table(
        "Rows that could not be read, as they came, with the reason; row 0 is a whole answer",
        ("poll_id", "row_number"),
        {
            "poll_id": _POLL_ID,
            "row_number": _ROW_NUMBER,
            "operation_id": _OPERATION_ID,
            "report": _REPORT,
            "raw": (TEXT, "The row as JSON; of a whole answer, its first 64 KiB as text"),
            "reason": (TEXT, "Why it could not be read, in words"),
            "read_at": _READ_AT,
        },
    ),
}


def report_table(report: str) -> Table:
    """Return the table of one report: the newest reading of each operation, description and
    date."""
    unit = REPORTS[report].unit if report in REPORTS else "units"
    return Table(
        f"The newest reading of each operation, product and day of the report {report} ({unit})",
        ("operation_id", "operation", "description", "date"),
        {"operation_id": _OPERATION_ID, **_READ, "read_at": _READ_AT, "poll_id": _POLL_ID},
    )


def added_columns(names: set[str]) -> dict[str, TColumnSchema]:
    """Return columns for fields that the vendor added: text, or dlt would read a time out of one
    that looks like it, and put the next that does not into a second column."""
    says = "A field that the vendor added, as it came; JSON where not a text"
    return {name: {"name": name, **TEXT, "description": says} for name in sorted(names)}


@dataclass(frozen=True)
class Batch:
    """One poll with the rows that it brought: what each table takes its part of."""

    poll: Poll
    readings: Readings
    rejected: list[RejectedRow]


def readings_in(batch: Batch) -> Columns:
    """Return the poll's rows in `readings`."""
    poll, readings = batch.poll, batch.readings
    shared: TableRow = {
        **_shared(poll),
        "report": poll.report,
        "read_epoch": epoch(poll.started_at),
        "read_date": poll.date,
    }
    values: dict[str, ColumnValues] = {
        **_read(readings),
        "row_number": readings.column("row_number"),
        "days_in_answer": readings.days_in_answer,
    }
    if readings.repeated:
        values["is_repeated"] = readings.is_repeated
    else:
        shared["is_repeated"] = False
    for name in readings.added:
        values[name] = readings.column(name)
    return Columns(len(readings), shared, values, readings.arrays)


def newest_in(batch: Batch, met: set[ReadingKey] | None = None) -> Columns:
    """Return the poll's rows in its report's table: of two with one key the last one, since it
    counts.

    met: keys of later answers of the operation and report, where several are loaded at once: from
    the newest answer to the oldest, each gives the keys alone that are new, and puts them in.
    """
    newest = batch.readings.newest(met)
    return Columns(len(newest), _shared(batch.poll), _read(newest), newest.arrays)


def _shared(poll: Poll) -> TableRow:
    return {
        "operation_id": poll.operation.operation_id,
        "read_at": poll.started_at,
        "poll_id": poll.poll_id,
    }


def _read(readings: Readings) -> dict[str, ColumnValues]:
    return {name: readings.column(name) for name in _READ}


def poll_row(batch: Batch) -> TableRow:
    """Return the poll's row in `polls`."""
    poll, answer, judgement = batch.poll, batch.poll.answer, batch.poll.judgement
    notes = [judgement.note] if judgement.note else []
    if batch.readings.repeated:
        notes.append(
            f"{batch.readings.repeated} of the rows repeat an operation, description and date: "
            f"the last of each is in {poll.report}, all are in readings"
        )
    if batch.readings.rounded:
        notes.append(
            f"{batch.readings.rounded} of the rows have an amount of more than 4 decimals: rounded "
            "half up to 4 in items, and as it came in items_raw"
        )
    return {
        "poll_id": poll.poll_id,
        "operation_id": poll.operation.operation_id,
        "server": poll.operation.server,
        "report": poll.report,
        "timezone": poll.operation.zone.key,
        "poll_date": poll.date,
        "started_at": poll.started_at,
        "started_epoch": epoch(poll.started_at),
        "finished_at": poll.finished_at,
        "outcome": judgement.outcome.value,
        "http_status": answer.http_status,
        "code": judgement.code,
        "msg": judgement.msg,
        "rows": judgement.count,
        "rejected": len(batch.rejected),
        "note": "; ".join(notes) or None,
        "answer_sha256": answer.body_sha256,
        "answer_bytes": answer.body_bytes if answer.http_status else None,
        "answer": answer.body[:KEPT_BYTES] if answer.http_status else None,
    }


def rejected_in(batch: Batch) -> list[TableRow]:
    """Return the poll's rows in `rejected_rows`; of an answer that is no envelope, one with number
    0."""
    poll, rows = batch.poll, batch.rejected
    if poll.outcome is Outcome.BAD_ANSWER:
        text = poll.answer.body[:KEPT_BYTES].decode("utf-8", "backslashreplace")
        raw = text.replace("\x00", "\\x00")
        rows = [RejectedRow(0, raw, poll.judgement.note or "not the vendor's envelope")]
    return [{**_shared(poll), "report": poll.report, **vars(row)} for row in rows]
