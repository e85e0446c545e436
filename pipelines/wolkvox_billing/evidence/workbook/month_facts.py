"""What a month's workbook shows beside the verdicts: what was used, month by month, and the days on
which nobody was answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS
from wolkvox_billing.values.periods import DAY, Period
from wolkvox_billing.warehouse.sql import Client, literal, rows_as, rows_of


class UsedMonth(NamedTuple):
    """A row of `usage_monthly`, its columns in the order of the sheet."""

    operation_id: str
    report: str
    product: str
    billing_period_start: date
    billing_period_end: date
    consumed_quantity: Decimal | None
    consumed_unit: str
    measure: str | None
    measure_source: str
    hours_unread_at_end: Decimal | None
    is_closed_period: bool
    first_read_at: datetime
    last_read_at: datetime
    operation_name: str | None
    last_quantity: Decimal | None
    sum_of_daily_quantity: Decimal | None
    poll_id: str


class UnreadDay(NamedTuple):
    """A day that is over, on which an operation and report were not answered; `refusals` of the
    `polls` were refused, or not answered at all."""

    operation_id: str
    report: str
    poll_date: date
    polls: int
    refusals: int


@dataclass(frozen=True)
class MonthFacts:
    """All of one moment, that of the verdicts."""

    as_of: datetime
    zone: ZoneInfo
    gauge_month: str
    used: Sequence[UsedMonth]
    unread: Sequence[UnreadDay]


class _Coverage(NamedTuple):
    """A row of `poll_coverage`."""

    operation_id: str
    report: str
    poll_date: date
    polls: int
    polls_answered: int
    refusals: int


def read_month_facts(
    pipeline: dlt.Pipeline, month: Period, verdicts: Collection[ReconciledRow]
) -> MonthFacts:
    """Return the MonthFacts of a month: what was used until it ended, and its unread days, also of
    what `verdicts` name and nobody asked."""
    marts = f"{pipeline.dataset_name}_marts"
    with pipeline.sql_client() as client:
        [(epoch, default, gauge_month)] = rows_of(
            client, f"SELECT as_of_epoch, timezone, gauge_month FROM {marts}.refreshed"
        )
        zones: dict[str, str] = dict(
            rows_of(client, f"SELECT operation_id, timezone FROM {marts}.operations")
        )
        used = _read_used(client, marts, month)
        covered = _read_coverage(client, marts, month)
    as_of = datetime.fromtimestamp(epoch, timezone.utc)
    asked = {(row.operation_id, row.report) for row in covered}
    asked |= {
        (row.operation_id, row.report)
        for row in verdicts
        if row.report and row.operation_id and row.operation_id != ALL_OPERATIONS
    }
    by_day = {row[:3]: row for row in covered}
    unread: list[UnreadDay] = []
    for operation_id, report in sorted(asked):
        today = as_of.astimezone(ZoneInfo(zones.get(operation_id) or default)).date()
        day = month.start
        while day < min(month.end, today):
            key = (operation_id, report, day)
            row = by_day.get(key, _Coverage(*key, polls=0, polls_answered=0, refusals=0))
            if not row.polls_answered:
                unread.append(UnreadDay(*key, row.polls, row.refusals))
            day += DAY
    return MonthFacts(as_of, ZoneInfo(default), gauge_month, used, unread)


def _read_used(client: Client, marts: str, month: Period) -> list[UsedMonth]:
    is_begun = f"billing_period_start < {literal(month.end)}"
    rows = rows_as(client, UsedMonth, f"{marts}.usage_monthly WHERE {is_begun}")
    # Sorted here, since engines sort texts in different ways.
    return sorted(rows, key=lambda row: (row[:4], row.poll_id))


def _read_coverage(client: Client, marts: str, month: Period) -> list[_Coverage]:
    start, end = map(literal, month)
    of_month = f"poll_date >= {start} AND poll_date < {end}"
    return rows_as(client, _Coverage, f"{marts}.poll_coverage WHERE {of_month}")
