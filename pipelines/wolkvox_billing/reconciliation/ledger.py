"""What was measured, day by day, and what of it is still free: no unit is counted twice."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from wolkvox_billing.reconciliation.facts import DayUse, Facts, Meter, MonthUse
from wolkvox_billing.values.periods import DAY, Period, month_of, months_of
from wolkvox_billing.values.spelling import plain

PLACES = Decimal("0.0001")


class Part(NamedTuple):
    """What a key has of a month's use: how much (None where nobody knows), and of which days."""

    use: MonthUse
    stretch: Period  # the days of the month that are in the key's period
    quantity: Decimal | None
    days: tuple[DayUse, ...] = ()


@dataclass(frozen=True)
class Supply:
    """What is free of a meter in a period. `unanswered`: the stretches in which nobody asked, or
    was answered. `level`: a gauge's, by `gauge_month`, over all of it."""

    parts: list[Part]
    ends_were_read: bool
    unanswered: list[Period]
    level: Decimal | None


class Ledger:
    """The uses by meter, and of each its days with what nobody has taken of them yet."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._meters: defaultdict[tuple[str, str], list[Meter]] = defaultdict(list)
        self._uses: defaultdict[Meter, list[MonthUse]] = defaultdict(list)
        self._free: dict[MonthUse, list[DayUse]] = {}
        self._touched: set[MonthUse] = set()
        for use in facts.months:
            meter = use.meter
            if meter not in self._uses:
                self._meters[use.operation_id, use.report].append(meter)
                self._meters["*", use.report].append(meter)
            self._uses[meter].append(use)
            if use.quantity is not None and not use.is_gauge:
                self._free[use] = days_of(use, facts.days.get(meter, []))
        for meters in self._meters.values():
            meters.sort()

    def meters_of(self, operation_id: str, report: str) -> list[Meter]:
        """Return the meters of a report, of an operation or of all ("*")."""
        return self._meters.get((operation_id, report), [])

    def spell(self, operation_id: str, report: str, product: str) -> str | None:
        """Return a product as the vendor writes it; None for the whole report."""
        names = [meter.product for meter in self.meters_of(operation_id, report)]
        if not product or product in names:
            return product or None
        return next((name for name in names if plain(name) == plain(product)), product)

    def find(self, meter: Meter, period: Period) -> Supply | None:
        """Return what is free of a meter in a period; None if there is no use of it."""
        uses = [use for use in self._uses[meter] if use.period.overlaps(period)]
        if not uses:
            return None
        parts: list[Part] = []
        ends_were_read = True
        days = within(self.facts.days.get(meter, []), period)
        for use in uses:
            stretch = use.period.common(period)
            if stretch != use.period and use.quantity is not None:
                ends_were_read &= _were_ends_read(use, stretch, within(days, stretch))
            if use in self._free:
                free = tuple(within(self._free[use], stretch))
                parts.append(Part(use, stretch, _sum(free), free))
            else:
                parts.append(Part(use, stretch, use.quantity))
        unanswered = [
            month
            for month in months_of(period)
            if not any(month.overlaps(use.period) for use in uses)
            and not self.facts.answers_in(meter.operation_id, meter.report, month)
        ]
        level = None
        if all(use.is_gauge and use.quantity is not None for use in uses):
            is_whole = len(uses) == 1 and parts[0].stretch == uses[0].period
            level = uses[0].quantity if is_whole else self._level(days)
        return Supply(parts, ends_were_read, unanswered, level)

    def take(self, part: Part, most: Decimal | None) -> Part:
        """Take a part of what is free of a counter, no more than `most`, and return it."""
        self._touched.add(part.use)
        if part.use not in self._free:
            return part
        free = within(self._free[part.use], part.stretch)
        still_free = [day for day in self._free[part.use] if day not in free]
        taken = list(free)
        if most is not None and most < _sum(free):
            left, taken = max(most, Decimal()), []
            for use in free:
                quantity = min(max(use.quantity, Decimal()), left)
                left -= quantity
                taken.append(use._replace(quantity=quantity))
                still_free.append(use._replace(quantity=use.quantity - quantity))
        self._free[part.use] = sorted(still_free, key=lambda use: use.day)
        return part._replace(quantity=_sum(taken), days=tuple(taken))

    def is_touched(self, part: Part) -> bool:
        """Whether a key has taken something of the same month."""
        free = self._free.get(part.use)
        return part.use in self._touched and free is not None and _sum(free) != part.use.quantity

    def levels_in(self, cycle_day: int) -> Iterator[tuple[Meter, Period, Supply]]:
        """Yield of each meter what was measured and cannot be added up, such as levels, in each
        billing period of which a day was read. What nobody knows the meaning of has no days."""
        for meter, uses in self._uses.items():
            levels = [use for use in uses if use not in self._free]
            stretches = [part for use in levels for part in months_of(use.period, cycle_day)]
            for cycle in dict.fromkeys(month_of(part.start, cycle_day) for part in stretches):
                supply = self.find(meter, cycle)
                assert supply
                parts = [part for part in supply.parts if part.use in levels]
                is_read = bool(within(self.facts.days.get(meter, []), cycle))
                if is_read or any(part.use.quantity is None for part in parts):
                    yield meter, cycle, replace(supply, parts=parts)

    def leftovers(self) -> list[Part]:
        """Return of each month's use what nobody has, if there is any."""
        parts: list[Part] = []
        for use in self.facts.months:
            free = self._free.get(use)
            if use not in self._touched:
                parts.append(Part(use, use.period, use.quantity, tuple(free or ())))
            elif free and (left := _sum(free)):
                parts.append(Part(use, use.period, left, tuple(free)))
        return parts

    def _level(self, days: Sequence[DayUse]) -> Decimal:
        """Return what a gauge's days come to."""
        quantities = [use.quantity for use in days] or [Decimal()]
        if self.facts.gauge_month == "last":
            return quantities[-1]
        if self.facts.gauge_month == "average":
            return (_sum(days) / max(len(days), 1)).quantize(PLACES, ROUND_HALF_UP)
        return max(quantities)


def days_of(use: MonthUse, days: Sequence[DayUse]) -> list[DayUse]:
    """Return a month's days, whose sum is what the month came to: a difference is in the last."""
    own = within(days, use.period)
    assert use.quantity is not None
    last = use.period.end - DAY
    if not own:
        return [DayUse(last, use.period.length, use.quantity)]
    if difference := use.quantity - _sum(own):
        own.append(DayUse(last, 1, difference))
    return own


def _sum(days: Sequence[DayUse]) -> Decimal:
    return sum((use.quantity for use in days), Decimal())


def _were_ends_read(use: MonthUse, stretch: Period, days: Sequence[DayUse]) -> bool:
    """Whether no reading covers days on both sides of an end that lies in the month."""
    if not days:
        return False
    start_read = (days[0].day - stretch.start).days + 1 >= days[0].covers
    end_read = days[-1].day + DAY == stretch.end
    return (start_read or stretch.start == use.period.start) and (
        end_read or stretch.end == use.period.end
    )


def within(days: Sequence[DayUse], period: Period) -> list[DayUse]:
    """Return those of the days that are in a period; `days` are in their order."""
    first, after = (bisect_left(days, (day,)) for day in period)
    return list(days[first:after])
