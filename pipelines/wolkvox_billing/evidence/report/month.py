"""What is shown of a month, for the evidence's report and the notebook: the Page, and the Usage of
each counter in it, with the calls, the readings, and the stretches without an answer.

A row of a table or a mart has the fields that are shown, named as its columns are.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import SettledDocument
from wolkvox_billing.reconciliation.unit_names import name_unit
from wolkvox_billing.values.clock import day_start
from wolkvox_billing.values.durations import HOUR, usual_pause
from wolkvox_billing.values.locales import ENGLISH
from wolkvox_billing.values.periods import Period
from wolkvox_billing.values.translation import N_, phrase
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.vendor.reports import REPORTS


class Counter(NamedTuple):
    """What counts in the vendor's house; `product` is "" where it was never read."""

    operation_id: str
    report: str
    product: str


class Call(NamedTuple):
    """A row of `polls`."""

    operation_id: str
    report: str
    poll_date: date
    outcome: str
    started_epoch: int
    poll_id: str


class LoadedReading(NamedTuple):
    """A row of `readings`."""

    operation_id: str
    report: str
    operation: str
    description: str
    date: date
    is_repeated: bool | None
    items: Decimal
    read_at: datetime
    read_epoch: int
    poll_id: str


class Restatement(NamedTuple):
    """A row of `usage_restatements`."""

    operation_id: str
    report: str
    product: str
    usage_date: date
    previous_quantity: Decimal
    quantity: Decimal
    read_at: datetime
    previous_read_at: datetime


class DayCoverage(NamedTuple):
    """A row of `poll_coverage`."""

    poll_date: date
    operation_id: str
    operation_name: str | None
    report: str
    polls: int
    polls_answered: int
    refusals: int
    largest_gap_minutes: int


@dataclass(frozen=True)
class Page:
    """What is shown of a month. `zones` by operation, `""` for others; `measures` what a counter's
    numbers mean."""

    period: Period
    as_of: datetime
    verdicts: Sequence[ReconciledRow]
    calls: Sequence[Call]
    readings: Sequence[LoadedReading]
    restatements: Sequence[Restatement]
    zones: Mapping[str, str]
    measures: Mapping[Counter, str]
    language: str = ENGLISH  # of tables; a sentence has its own
    settled: Sequence[SettledDocument] = ()

    @property
    def month(self) -> str:
        """Its name, such as 2026-10."""
        return self.period.start.isoformat()[:7]

    def zone(self, operation_id: str | None) -> ZoneInfo:
        return ZoneInfo(self.zones.get(operation_id or "") or self.zones[""])


@dataclass
class Asked:
    """The calls of an operation and report in the month; times in seconds since 1970."""

    answered: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    days: set[date] = field(default_factory=set)


class Bill(NamedTuple):
    """A quantity that was billed of a counter, and its label."""

    quantity: Decimal
    label: str


@dataclass(frozen=True)
class Usage:
    """What was read of a counter in the month, and when it was asked."""

    counter: Counter
    period: Period
    as_of: datetime
    zone: ZoneInfo
    measure: str | None
    readings: Sequence[LoadedReading]
    asked: Asked
    bills: Sequence[Bill]
    locale: str = ENGLISH

    @property
    def title(self) -> str:
        return ", ".join(filter(None, self.counter))

    @property
    def unit(self) -> str:
        """What is counted, of many."""
        report = REPORTS.get(self.counter.report)
        return name_unit(report.unit, Decimal(2), self.locale) if report else ""

    @property
    def days(self) -> int:
        """How many the month has."""
        return (self.period.end - self.period.start).days

    @property
    def span(self) -> tuple[int, int]:
        """The month's start and end, in seconds since 1970."""
        return day_start(self.period.start, self.zone), day_start(self.period.end, self.zone)

    def stands_at(self, row: LoadedReading) -> int:
        """Return where a reading stands in time, in seconds since 1970: one of a day that was read
        after it was over at that day's end."""
        return min(row.read_epoch, day_start(row.date, self.zone) + 24 * HOUR - 1)

    def last_of_days(self) -> dict[date, LoadedReading]:
        """Return the last reading of each day, in the order of the days."""
        last = {row.date: row for row in sorted(self.readings, key=lambda row: row.read_epoch)}
        return dict(sorted(last.items()))

    def gaps(self) -> tuple[list[tuple[int, int]], int]:
        """Return the stretches without an answer that stand out, and how long makes one so: three
        times the usual pace, at least 1 and at most 36 hours. What is left at the end always is
        one."""
        start, end = self.span
        end = max(min(end, int(self.as_of.timestamp())), start)
        points = [start, *(at for at in sorted(self.asked.answered) if start <= at <= end), end]
        apart = [b - a for a, b in itertools.pairwise(points[1:-1])]
        usual = 3 * (usual_pause(apart) or 12 * HOUR)
        least = int(min(max(usual, HOUR), 36 * HOUR))
        pairs = itertools.pairwise(points)
        return [(a, b) for a, b in pairs if b - a > least or (b == end and b > a)], least


def usages(page: Page) -> list[Usage]:
    """Return the Usage of each counter; what was asked or billed, and never read, has one too."""
    start, end = page.period
    asked: defaultdict[tuple[str, str], Asked] = defaultdict(Asked)
    for call in page.calls:
        if start <= call.poll_date < end:
            calls = asked[call.operation_id, call.report]
            is_answer = call.outcome in ANSWERS
            (calls.answered if is_answer else calls.refused).append(call.started_epoch)
            if is_answer:
                calls.days.add(call.poll_date)
    read: defaultdict[Counter, list[LoadedReading]] = defaultdict(list)
    for row in page.readings:
        if start <= row.date < end and not row.is_repeated:
            read[Counter(row.operation_id, row.report, row.description)].append(row)
    billed = {(row.operation_id or "", row.report) for row in page.verdicts if row.report}
    unread = {*asked, *billed} - {counter[:2] for counter in read}
    return [
        Usage(
            counter=counter,
            period=page.period,
            as_of=page.as_of,
            zone=page.zone(counter.operation_id),
            measure=page.measures.get(counter),
            readings=read[counter],
            asked=asked[counter[:2]],
            bills=_bills(page, counter),
            locale=page.language,
        )
        for counter in sorted([*read, *(Counter(*pair, "") for pair in unread)])
    ]


def _bills(page: Page, counter: Counter) -> list[Bill]:
    """Return what invoices bill of a counter; where there is none nothing, not even 0."""
    bills: list[Bill] = []
    for row in page.verdicts:
        quantity, product = row.billed_quantity, row.product
        is_of_report = (row.operation_id or "", row.report) == counter[:2]
        if not is_of_report or product not in (None, counter.product):
            continue
        if quantity is not None and row.is_billed:
            is_of_all = product is None and counter.product
            text = N_("billed for the whole report: {n}") if is_of_all else N_("billed: {n}")
            bills.append(Bill(quantity, phrase(text, page.language, n=quantity)))
    return bills
