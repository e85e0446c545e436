"""What the warehouse says of one operation and report lately, for the verb `status`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from wolkvox_billing.marts.engine import internal_of
from wolkvox_billing.marts.identities import read_identities
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.vendor.rejections import UnreadableRows, unreadable_rows
from wolkvox_billing.warehouse.sql import Client, among, rows_of

LOOK_BACK = timedelta(days=40)
LOOK_BACK_AT_POLLS = timedelta(days=7)


class CoverageDay(NamedTuple):
    """A day of the vendor's, as in the mart `poll_coverage`."""

    poll_date: date
    polls: int
    polls_answered: int
    last_answer_at: datetime | None


class UsageDay(NamedTuple):
    """A product's day, as in the mart `usage_daily`."""

    operation_name: str
    product: str
    usage_date: date
    measure: str | None
    consumed_quantity: Decimal | None
    days_covered: int | None
    month_to_date_quantity: Decimal | None


class UsageMonth(NamedTuple):
    """A product's month, as in the mart `usage_monthly`."""

    operation_name: str
    product: str
    billing_period_start: date
    last_quantity: Decimal
    last_read_at: datetime


class PastPoll(NamedTuple):
    """A row of the table `polls`."""

    poll_id: str
    outcome: str
    started_at: datetime
    rows: int | None
    rejected: int | None


class Rename(NamedTuple):
    """A row of the mart `renames`."""

    operation_name: str
    newest_name: str


Row = TypeVar("Row", CoverageDay, UsageDay, UsageMonth, PastPoll)


@dataclass
class TrackRecord:
    """One operation and report: its usage and coverage of 40 days, its polls of 7, and what could
    not be read of the newest answer among these."""

    coverage: list[CoverageDay] = field(default_factory=list)
    days: list[UsageDay] = field(default_factory=list)
    months: list[UsageMonth] = field(default_factory=list)
    polls: list[PastPoll] = field(default_factory=list)
    renames: list[Rename] = field(default_factory=list)
    unreadable: UnreadableRows | None = None

    @property
    def newest_answer(self) -> PastPoll | None:
        """The newest of the polls that was answered."""
        return next((poll for poll in reversed(self.polls) if poll.outcome in ANSWERS), None)

    @property
    def last_answer_at(self) -> datetime | None:
        return max(
            (day.last_answer_at for day in self.coverage if day.last_answer_at), default=None
        )

    def cover_until(self, today: date) -> None:
        """Add days without a poll up to today: marts that nobody could refresh end earlier."""
        while self.coverage and self.coverage[-1].poll_date < today:
            following = self.coverage[-1].poll_date + timedelta(days=1)
            self.coverage.append(CoverageDay(following, 0, 0, None))

    def quantities_of_month(self, today: date) -> dict[tuple[str, str], Decimal]:
        """Return the last quantity of each operation's name and product in today's month."""
        first = today.replace(day=1)
        return {
            (month.operation_name, month.product): month.last_quantity
            for month in self.months
            if month.billing_period_start == first
        }

    def names_of_month(self, today: date) -> list[str]:
        """Return the names under which the vendor shows the operation in today's month."""
        return sorted({name for name, _ in self.quantities_of_month(today)})

    def days_of_products(self) -> dict[tuple[str, str], list[UsageDay]]:
        """Return the days of each operation's name and product, the newest last."""
        days: defaultdict[tuple[str, str], list[UsageDay]] = defaultdict(list)
        for day in self.days:
            days[day.operation_name, day.product].append(day)
        return days


def read_zones(client: Client, dataset: str) -> dict[str, ZoneInfo]:
    """Return the vendor's time zone of each operation."""
    zones = rows_of(client, f"SELECT operation_id, timezone FROM {dataset}_marts.operations")
    return {operation_id: ZoneInfo(zone) for operation_id, zone in zones}


def read_track_records(
    client: Client, dataset: str, now: datetime
) -> list[tuple[tuple[str, str], TrackRecord]]:
    """Return the TrackRecord of each operation and report, in their order."""
    marts, internal = f"{dataset}_marts", internal_of(dataset)
    since = (now - LOOK_BACK).date()
    records: defaultdict[tuple[str, str], TrackRecord] = defaultdict(TrackRecord)
    coverage = f"{marts}.poll_coverage WHERE poll_date >= %s ORDER BY poll_date"
    for key, day in _read(client, CoverageDay, coverage, since):
        records[key].coverage.append(day)
    usage = f"{marts}.usage_daily WHERE usage_date >= %s ORDER BY operation_name, product, 5"
    for key, usage_day in _read(client, UsageDay, usage, since):
        records[key].days.append(usage_day)
    for key, month in _read(client, UsageMonth, f"{marts}.usage_monthly"):
        records[key].months.append(month)
    polls = f"{dataset}.polls WHERE started_at >= %s ORDER BY started_at"
    identities = read_identities(client, marts)
    for (read, report), poll in _read(client, PastPoll, polls, now - LOOK_BACK_AT_POLLS):
        if operation_id := identities.current(read):
            records[operation_id, report].polls.append(poll)
    _note_unreadable(client, dataset, records.values())
    for (report,) in rows_of(client, f"SELECT DISTINCT report FROM {internal}.renames"):
        renames: dict[tuple[str, Rename], None] = {}
        for read, *names in rows_of(
            client,
            f"SELECT DISTINCT n.operation_id, n.operation_name, n.newest_name "
            f"FROM {internal}.renames AS n INNER JOIN {dataset}.{report} AS r "
            "ON r.operation_id = n.operation_id AND r.operation = n.operation_name "
            "WHERE n.report = %s AND r.date >= %s ORDER BY 1, 2",
            report,
            since,
        ):
            renames[identities.current(read) or read, Rename(*names)] = None
        for operation_id, rename in renames:
            records[operation_id, report].renames.append(rename)
    return sorted(records.items(), key=lambda item: item[0])


def _note_unreadable(client: Client, dataset: str, records: Iterable[TrackRecord]) -> None:
    """Put into the records what could not be read of their newest answers."""
    rejecting = [(r, poll) for r in records if (poll := r.newest_answer) and poll.rejected]
    if not rejecting:
        return
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    ids = among("poll_id", (poll.poll_id for _, poll in rejecting))
    for poll_id, reason in rows_of(
        client,
        f"SELECT poll_id, reason FROM {dataset}.rejected_rows WHERE {ids} "
        "ORDER BY poll_id, row_number",
    ):
        reasons[poll_id].append(reason)
    for record, poll in rejecting:
        if poll.poll_id in reasons:
            record.unreadable = unreadable_rows(poll.rows or 0, reasons[poll.poll_id])


def _read(
    client: Client, kind: type[Row], source: str, *values: object
) -> Iterator[tuple[tuple[str, str], Row]]:
    """Yield rows of a table or mart, each behind its operation and report. source: what comes
    after FROM; values: for each `%s` in it."""
    columns = ", ".join(kind._fields)
    query = f"SELECT operation_id, report, {columns} FROM {source}"
    for operation_id, report, *row in rows_of(client, query, *values):
        yield (operation_id, report), kind(*row)
