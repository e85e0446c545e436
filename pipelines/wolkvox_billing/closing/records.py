"""The table `month_closes`: who signed off a month, when, and on what; rows are only ever inserted.

The key is the month and a number, so that of two people who record at the same moment only one
does. The newest record of a month counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from datetime import datetime, timezone

import dlt
from dlt.extract import DltSource

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.warehouse.columns import INSERT, TEXT, TIME, Table, hints
from wolkvox_billing.warehouse.loading import load_or_raise, load_source
from wolkvox_billing.warehouse.sql import Client, rows_of, tables_in

MONTH_CLOSES = Table(
    "One row per close or reopening of a month; the newest of a month counts, and none is changed",
    ("close_id",),
    {
        "close_id": (TEXT, "The month and the record's number in it, from 1"),
        "month": (TEXT, "The month, such as 2026-11"),
        "closed_at": (TIME, "When it was recorded (UTC)"),
        "closed_by": (TEXT, "Who recorded it"),
        "status": (TEXT, "closed or reopened"),
        "reason": (TEXT, "Why, in that person's words; NULL where nobody had to ask"),
        "policy": (TEXT, "Settings of the comparison, and SHA-256 of its files, as JSON"),
        "evidence_sha256": (TEXT, "SHA-256 of the evidence file; NULL if none was given"),
        "digest": (TEXT, "SHA-256 of stands_on: another one now means that it no longer holds"),
        "stands_on": (TEXT, "The month's verdicts as they were then, as JSON"),
    },
)


class NotClosed(WolkvoxError):
    """The month cannot be closed, or reopened, as it is: nothing was recorded."""


@dataclass(frozen=True)
class Close:
    """A row of month_closes."""

    close_id: str
    month: str
    closed_at: datetime
    closed_by: str
    status: str  # closed, reopened
    reason: str | None
    policy: str
    evidence_sha256: str | None
    digest: str
    stands_on: str

    def __str__(self) -> str:
        at = format_moment(self.closed_at, timezone.utc)
        return f"{self.month} was {self.status} on {at} by {self.closed_by}"


def read_closes(client: Client, raw: str) -> list[Close]:
    """Return all records, each month's in their order; none before the first."""
    if "month_closes" not in tables_in(client, raw):
        return []
    columns = ", ".join(column.name for column in fields(Close))
    rows = rows_of(client, f"SELECT {columns} FROM {raw}.month_closes ORDER BY close_id")
    return [Close(*row) for row in rows]


def newest(closes: Sequence[Close]) -> dict[str, Close]:
    """Return the newest record of each month."""
    return {close.month: close for close in closes}


def next_id(month: str, last: Close | None) -> str:
    """Return the key of the record that follows on `last`."""
    number = int(last.close_id.rsplit(".")[-1]) + 1 if last else 1
    return f"{month}.{number:04}"


def append(pipeline: dlt.Pipeline, close: Close) -> None:
    """Insert a record. Raises WarehouseError where it cannot be, and NotClosed where another has
    its key."""
    load_or_raise(
        pipeline,
        lambda _: load_source(pipeline, _source(close)),
        "not recorded, so close the month again",
    )
    with pipeline.sql_client() as client:
        stored = {c.close_id: c for c in read_closes(client, pipeline.dataset_name)}[close.close_id]
    if astuple(stored) != astuple(close):
        raise NotClosed(f"{stored}, at the same moment: look at it, and run it again")


def _source(close: Close) -> DltSource:
    """A source with the name of the schema that all tables of the dataset are in."""
    says, *_ = MONTH_CLOSES
    table = dlt.resource([asdict(close)], name="month_closes", **hints(MONTH_CLOSES, INSERT))
    table.apply_hints(additional_table_hints={"description": says})
    return dlt.source(lambda: table, name="wolkvox_billing", max_table_nesting=0)()
