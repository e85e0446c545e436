"""What a comparison starts from: use that was measured, and lines that were billed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from wolkvox_billing.invoices.period import Period
from wolkvox_billing.reconciliation.unread import Unread


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

    @property
    def is_gauge(self) -> bool:
        return self.measure == "gauge"


@dataclass(frozen=True)
class DayUse:
    """What was used in the days up to `day`, by usage_daily; `covers` of them, `day` the last."""

    day: date
    covers: int
    quantity: Decimal


@dataclass(frozen=True)
class BilledLine:
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


Product = tuple[str, str, str]  # operation_id, report, product


@dataclass
class Facts:
    """All that is known. `answered`: for an operation and report, the days on which the vendor
    answered. `unread_of`: how much nobody saw of a use in a stretch of its month."""

    now: datetime
    today: dict[str, date]  # operation_id → the vendor's calendar day at `now`
    default_today: date
    operations: dict[str, str | None]  # operation_id → the vendor's name
    months: list[MonthUse]
    days: dict[Product, list[DayUse]]
    lines: list[BilledLine]
    answered: dict[tuple[str, str], set[date]]
    unread_of: Callable[[MonthUse, Period], Unread]
    zone_of: Callable[[str | None], ZoneInfo]
    gauge_month: str = "max"
    warnings: list[str] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)  # document_id → a warning of its tax

    def day_at(self, operation_id: str | None) -> date:
        return self.today.get(operation_id or "", self.default_today)

    def answers_in(self, operation_id: str | None, report: str | None, period: Period) -> set[date]:
        """The days of a period on which the vendor answered."""
        days = self.answered.get((operation_id or "", report or ""), set())
        return {day for day in days if period.start <= day < period.end}
