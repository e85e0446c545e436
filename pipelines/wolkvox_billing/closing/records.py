"""The table `month_closes`: who signed off a month, when, and on what; rows are only ever inserted.

The key is the month and a number: see `warehouse.records`. The newest record of a month counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import dlt

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.translation import N_, BillingMonth, Sentence
from wolkvox_billing.warehouse.columns import TEXT, TIME, Table
from wolkvox_billing.warehouse.records import RecordTable, next_key

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
        "settlement": (
            TEXT,
            "What was asked, agreed, questioned and claimed of each document then, as JSON; NULL "
            "in a record of an earlier release, and where the month did not tie out",
        ),
    },
)


_SAYS = {
    "closed": N_("{month} was closed on {at} by {by}"),
    "reopened": N_("{month} was reopened on {at} by {by}"),
}


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
    settlement: str | None = None

    @property
    def says(self) -> Sentence:
        at = format_moment(self.closed_at, timezone.utc)
        text = _SAYS[self.status]
        return Sentence(text, month=BillingMonth.named(self.month), at=at, by=self.closed_by)

    def __str__(self) -> str:
        return str(self.says)


_RECORDS = RecordTable("month_closes", Close, MONTH_CLOSES, "close the month again")
read_closes = _RECORDS.read  # each month's in their order


def newest(closes: Sequence[Close]) -> dict[str, Close]:
    """Return the newest record of each month."""
    return {close.month: close for close in closes}


def next_id(month: str, last: Close | None) -> str:
    """Return the key of the record that follows on `last`."""
    return next_key(month, last.close_id if last else None)


def append(pipeline: dlt.Pipeline, close: Close) -> None:
    """Insert a record. Raises WarehouseError where it cannot be, and NotClosed where another has
    its key."""
    stored = _RECORDS.append(pipeline, close)
    if stored != close:
        text = N_("{says}, at the same moment: look at it, and run it again")
        raise NotClosed(Sentence(text, says=stored.says))
