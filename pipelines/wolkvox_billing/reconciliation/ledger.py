"""What was measured, day by day, and what of it is still free: no unit is counted twice."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.period import DAY, Period, month_of
from wolkvox_billing.reconciliation.facts import DayUse, Facts, MonthUse, Product
from wolkvox_billing.values.spelling import plain

PLACES = Decimal("0.0001")


class Part(NamedTuple):
    """What a key has of a month's use: how much (None where nobody knows), and of which days."""

    use: MonthUse
    stretch: Period  # the days of the month that are in the key's period
    quantity: Decimal | None
    days: tuple[DayUse, ...] = ()


@dataclass
class Found:
    """What there is of a product in a period. `unanswered`: the stretches in which nobody asked, or
    was answered. `level`: a gauge's, by `gauge_month`, over all of it."""

    parts: list[Part]
    ends_were_read: bool
    unanswered: list[Period]
    level: Decimal | None


class Ledger:
    """The uses by product, and of each its days with what nobody has taken of them yet."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.products: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._uses: defaultdict[Product, list[MonthUse]] = defaultdict(list)
        self._free: dict[MonthUse, list[DayUse]] = {}
        self._touched: set[MonthUse] = set()
        for use in facts.months:
            own = use.operation_id, use.report, use.product
            if own not in self._uses:
                self.products[own[:2]].append(use.product)
            self._uses[own].append(use)
            if use.quantity is not None and not use.is_gauge:
                self._free[use] = _days_of(use, facts.days.get(own, []))

    def spelled(self, operation_id: str, report: str, product: str) -> str | None:
        """A product as the vendor writes it; None for the whole report."""
        names = self.products[operation_id, report]
        alike = [one for one in names if plain(one) == plain(product)]
        return alike[0] if product and product not in names and alike else product or None

    def find(self, product: Product, period: Period) -> Found | None:
        """What is free of a product in a period; None if there is no use of it."""
        uses = [one for one in self._uses[product] if one.period.overlaps(period)]
        if not uses:
            return None
        parts: list[Part] = []
        ends_were_read = True
        read = within(self.facts.days.get(product, []), period)
        for use in uses:
            stretch = Period(max(use.period.start, period.start), min(use.period.end, period.end))
            if stretch != use.period and use.quantity is not None:
                ends_were_read &= _ends_were_read(use, stretch, within(read, stretch))
            if use in self._free:
                free = tuple(within(self._free[use], stretch))
                parts.append(Part(use, stretch, _sum(free), free))
            else:
                parts.append(Part(use, stretch, use.quantity))
        unanswered = [
            month
            for month in months_of(period)
            if not any(month.overlaps(use.period) for use in uses)
            and not self.facts.answers_in(*product[:2], month)
        ]
        level = None
        if all(use.is_gauge and use.quantity is not None for use in uses):
            is_whole = len(uses) == 1 and parts[0].stretch == uses[0].period
            level = uses[0].quantity if is_whole else self._level(read)
        return Found(parts, ends_were_read, unanswered, level)

    def take(self, part: Part, most: Decimal | None) -> Part:
        """A part of what is free of a counter, no more than `most`: it is not free any more."""
        self._touched.add(part.use)
        if part.use not in self._free:
            return part
        free = within(self._free[part.use], part.stretch)
        rest = [one for one in self._free[part.use] if one not in free]
        taken = list(free)
        if most is not None and most < _sum(free):
            left, taken = max(most, Decimal()), []
            for one in free:
                here = min(max(one.quantity, Decimal()), left)
                left -= here
                taken.append(DayUse(one.day, one.covers, here))
                rest.append(DayUse(one.day, one.covers, one.quantity - here))
        self._free[part.use] = sorted(rest, key=lambda one: one.day)
        return part._replace(quantity=_sum(taken), days=tuple(taken))

    def rest(self) -> list[Part]:
        """Each month's use of which nobody has all, and what is left of it."""
        found: list[Part] = []
        for use in self.facts.months:
            free = self._free.get(use)
            if use not in self._touched:
                found.append(Part(use, use.period, use.quantity, tuple(free or ())))
            elif free and (left := _sum(free)):
                found.append(Part(use, use.period, left, tuple(free)))
        return found

    def _level(self, days: Sequence[DayUse]) -> Decimal:
        """What a gauge's days come to."""
        quantities = [one.quantity for one in days] or [Decimal()]
        if self.facts.gauge_month == "last":
            return quantities[-1]
        if self.facts.gauge_month == "average":
            return (_sum(days) / max(len(days), 1)).quantize(PLACES, ROUND_HALF_UP)
        return max(quantities)


def _days_of(use: MonthUse, days: Sequence[DayUse]) -> list[DayUse]:
    """A month's days, whose sum is what the month came to: a difference is in the last one."""
    found = within(days, use.period)
    assert use.quantity is not None
    last = use.period.end - DAY
    if not found:
        return [DayUse(last, (use.period.end - use.period.start).days, use.quantity)]
    if difference := use.quantity - _sum(found):
        found.append(DayUse(last, 1, difference))
    return found


def _sum(days: Sequence[DayUse]) -> Decimal:
    return sum((one.quantity for one in days), Decimal())


def _ends_were_read(use: MonthUse, stretch: Period, days: Sequence[DayUse]) -> bool:
    """Whether no reading covers days on both sides of an end that lies in the month."""
    if not days:
        return False
    start_read = (days[0].day - stretch.start).days + 1 >= days[0].covers
    end_read = days[-1].day + DAY == stretch.end
    return (start_read or stretch.start == use.period.start) and (
        end_read or stretch.end == use.period.end
    )


def within(days: Sequence[DayUse], period: Period) -> list[DayUse]:
    """Those of these days, which are in their order, that are in a period."""
    first, after = (bisect_left(days, day, key=lambda one: one.day) for day in period)
    return list(days[first:after])


def months_of(period: Period) -> list[Period]:
    """A period, cut where months begin."""
    found: list[Period] = []
    start = period.start
    while start < period.end:
        end = min(month_of(start).end, period.end)
        found.append(Period(start, end))
        start = end
    return found
