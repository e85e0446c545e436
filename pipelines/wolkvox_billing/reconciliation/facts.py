"""What a comparison starts from: use that was measured, and lines that were billed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wolkvox_billing.marts.identities import NOBODY, Identities
from wolkvox_billing.reconciliation.billed_documents import LineId, Refused, StatedDocument
from wolkvox_billing.reconciliation.copies import NO_COPIES, Copies
from wolkvox_billing.reconciliation.counting import Standing
from wolkvox_billing.values.periods import DAY, Period

EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Meter(NamedTuple):
    """What the vendor counts by itself; a blank product is all of the report together."""

    operation_id: str
    report: str
    product: str


@dataclass(frozen=True)
class MonthUse:
    """What a month came to, by usage_monthly. `quantity` is None where nobody knows."""

    operation_id: str
    report: str
    product: str
    period: Period
    measure: str | None
    quantity: Decimal | None
    last_quantity: Decimal
    unit: str
    last_read_at: datetime
    hours_unread: Decimal | None
    measure_source: str = "setting"  # who says what the number means
    first_read_at: datetime = EARLIEST

    def __hash__(self) -> int:
        return hash((self.meter, self.period))  # of which there is one

    @cached_property
    def meter(self) -> Meter:
        return Meter(self.operation_id, self.report, self.product)

    @property
    def is_gauge(self) -> bool:
        return self.measure == "gauge"


class DayUse(NamedTuple):
    """What was used in the days up to `day`, by usage_daily; `covers` of them, `day` the last."""

    day: date
    covers: int
    quantity: Decimal

    @property
    def stretch(self) -> Period:
        return Period(self.day - (self.covers - 1) * DAY, self.day + DAY)


class BilledLine(NamedTuple):
    """A line of an invoice, with what its document says. A credit note's numbers are negative."""

    document_id: str
    line_number: int
    document_number: str | None
    is_duplicate: bool
    supplier_id: str | None
    operation: str | None
    description: str | None
    item_code: str | None
    quantity: Decimal | None
    amount: Decimal
    currency: str | None
    period: Period | None
    period_source: str | None = None  # who says so: document, line, text, or the setting's rule
    issued: date | None = None
    unit_code: str | None = None
    is_note: bool = False  # a credit or debit note
    corrects_number: str | None = None  # of a note: the number of what it corrects
    has_tax: bool = True  # whether its document states a tax, or that there is none
    # Of a quantity that the file has in another unit than the report, as it is written there, and
    # in which steps.
    written: Decimal | None = None
    step: Decimal = Decimal()

    @property
    def id(self) -> LineId:
        return self.document_id, self.line_number


class ForgottenDay(NamedTuple):
    """A day on which an operation that is left out shows use, under a name of the vendor's."""

    operation_id: str
    operation_name: str
    report: str
    day: date


class DocumentDoubts(NamedTuple):
    """What a document is called, and what is odd in its sums."""

    title: str
    doubts: list[str]


@dataclass(frozen=True)
class Facts:
    """All that is known; `lines` are those that may be compared."""

    now: datetime
    operations: dict[str, str | None]  # operation_id → the vendor's name
    months: list[MonthUse]
    days: dict[Meter, list[DayUse]]  # in their order
    lines: list[BilledLine]
    answered: dict[tuple[str, str], set[date]]  # operation_id, report → days with an answer
    default_zone: ZoneInfo
    zones: dict[str, ZoneInfo] = field(default_factory=dict)  # operation_id → the vendor's
    gauge_month: str = "max"
    cycle_day: int = 1  # on which a billing period begins
    warnings: list[str] = field(default_factory=list)
    doubts: dict[str, DocumentDoubts] = field(default_factory=dict)  # by document_id
    refused: list[Refused] = field(default_factory=list)
    stated: list[StatedDocument] = field(default_factory=list)  # the documents of `lines`
    told: list[Standing] = field(default_factory=list)  # documents that do not simply count
    identities: Identities = NOBODY  # what ids count as: the facts have these
    forgotten: Sequence[ForgottenDay] = ()
    copies: Copies = NO_COPIES  # in the customer's bucket

    @cached_property
    def _uses(self) -> dict[tuple[str, str], list[MonthUse]]:
        uses: defaultdict[tuple[str, str], list[MonthUse]] = defaultdict(list)
        for use in self.months:
            uses[use.operation_id, use.report].append(use)
            uses["*", use.report].append(use)
        return dict(uses)

    def uses_of(self, operation_id: str | None, report: str | None) -> Sequence[MonthUse]:
        """Return the uses of all products and months of an operation and report; of all operations
        together ("*") those of each."""
        return self._uses.get((operation_id or "", report or ""), ())

    @cached_property
    def _by_day(self) -> dict[tuple[Meter, date], DayUse]:
        return {(meter, use.day): use for meter, uses in self.days.items() for use in uses}

    def use_on(self, meter: Meter, day: date) -> DayUse | None:
        """Return what was used in the days up to one, None where none of them was read."""
        return self._by_day.get((meter, day))

    def zone_of(self, operation_id: str | None) -> ZoneInfo:
        return self.zones.get(operation_id or "", self.default_zone)

    def today_of(self, operation_id: str | None) -> date:
        """Return the vendor's calendar day."""
        return self.now.astimezone(self.zone_of(operation_id)).date()

    def answers_in(self, operation_id: str | None, report: str | None, period: Period) -> set[date]:
        """Return the days of a period on which the vendor answered; of all operations together
        ("*") those on which it answered for each that was asked."""
        if operation_id == "*":
            each = [self.answers_in(own, of, period) for own, of in self.answered if of == report]
            return set.intersection(*each) if each else set()
        days = self.answered.get((operation_id or "", report or ""), set())
        return {day for day in days if period.start <= day < period.end}
