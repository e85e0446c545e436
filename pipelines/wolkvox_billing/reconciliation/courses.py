"""By which prices a key's quantities are priced: of each operation, and of each month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import date
from decimal import Decimal
from functools import cached_property
from operator import add
from typing import NamedTuple

from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS
from wolkvox_billing.reconciliation.contract.rate import PACKAGE, UNIT_PRICE, Rate
from wolkvox_billing.reconciliation.contract.tariff import Tariff, cents
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.facts import DayUse, Facts, Meter, MonthUse
from wolkvox_billing.reconciliation.keys import Comparison, Key, Measured
from wolkvox_billing.reconciliation.ledger import Part
from wolkvox_billing.reconciliation.packages import DrawDown
from wolkvox_billing.reconciliation.pricing import Course, TierMonth
from wolkvox_billing.values.periods import Period, month_of, months_of

_NOTHING = Decimal()


class _Beside(NamedTuple):
    """What tiers count with a key's units: see TierMonth."""

    before: tuple[Tariff, ...] = ()
    counted: tuple[Decimal, ...] = ()
    others: tuple[Decimal, ...] = ()


class _Beyond(NamedTuple):
    """Days' use beyond what packages pay, which is so much of it."""

    days: list[DayUse]
    drawn: Decimal


class _PartOf(NamedTuple):
    """A part of use, and in which key it was measured."""

    key: Key
    measured: Measured
    part: Part


class Courses:
    """The courses of keys, by the terms of a contract and all that was measured."""

    def __init__(self, terms: Terms, facts: Facts, comparison: Comparison) -> None:
        self.terms = self._contract = terms
        self._currencies: dict[Key, str | None] = {}
        self._facts = facts
        self._comparison = comparison
        self._draw_downs: dict[tuple[str, tuple[Rate, ...]], DrawDown] = {}

    def by(self, terms: Terms) -> Courses:
        """Return the courses by these terms, over the same use."""
        if terms is self.terms:
            return self
        courses = copy(self)
        courses.terms = terms
        return courses

    def priced_in(self, key: Key, measured: Measured | None) -> set[str]:
        """Return in which currencies a key's units have a price; its own first of all."""
        if not (key.report and key.operation_id and key.period):
            return set()
        operations = {key.operation_id}
        if key.operation_id == ALL_OPERATIONS and measured:
            operations |= {part.use.operation_id for part in measured.parts}
        return {
            currency
            for name in operations
            for currency in self._contract.currencies_of(
                UNIT_PRICE, Meter(name, key.report, key.product or ""), key.period
            )
        }

    def _is_priced_as(self, key: Key, measured: Measured, other: Key, their: Measured) -> bool:
        """Whether two keys' prices are in one currency, whatever they are billed in."""
        if other.currency in (None, key.currency):
            return True
        return self._currency_of(other, their) == self._currency_of(key, measured)

    def _currency_of(self, key: Key, measured: Measured | None) -> str | None:
        """Return the currency of a key's prices: its own, or the only other one."""
        if key not in self._currencies:
            currencies = self.priced_in(key, measured)
            is_other = len(currencies) == 1 and key.currency not in currencies
            self._currencies[key] = currencies.pop() if is_other else key.currency
        return self._currencies[key]

    def of(self, key: Key, measured: Measured | None) -> list[Course]:
        """Return a key's courses; none where no price is known for all of its days."""
        if not (key.report and key.operation_id and key.period and key.currency):
            return []
        courses: list[Course] = []
        for operation_id, parts in self._by_operation(key, measured).items():
            meter = Meter(operation_id, key.report, key.product or "")
            months: list[TierMonth] = []
            for month in tier_months(key.period, self._facts.cycle_day):
                days = month.common(key.period)
                stretches = self._tariffs(meter, key.currency, days)
                if not stretches:
                    return []
                beside = self._beside(key, measured, meter, month, stretches)
                months.append(TierMonth(month, stretches, *beside))
            courses.append(self._draw(key, operation_id, parts, months))
        return courses

    def prepaid(self, key: Key) -> Decimal:
        """Return the price of the packages that begin in a key's period: the line that bills them
        may be among those of use."""
        prices = (
            package.unit_price
            for package in self._packages(key, key.operation_id or "")
            if key.period and package.valid_from >= key.period.start
        )
        return cents(sum(prices, _NOTHING))

    def _by_operation(self, key: Key, measured: Measured | None) -> dict[str, list[Part]]:
        """Return a key's use by whose tiers it counts in: of each operation, or of all."""
        parts = measured.parts if measured else []
        assert key.operation_id
        assert key.report
        if key.operation_id != ALL_OPERATIONS or not parts:
            return {key.operation_id: parts}
        meter = Meter(ALL_OPERATIONS, key.report, key.product or "")
        assert key.period
        common = self._tariffs(meter, key.currency, key.period)
        if common and all(tariff.is_pooled for tariff in common):
            return {ALL_OPERATIONS: parts}
        by_operation: dict[str, list[Part]] = {}
        for part in parts:
            by_operation.setdefault(part.use.operation_id, []).append(part)
        return by_operation

    def _tariffs(self, meter: Meter, currency: str | None, days: Period) -> tuple[Tariff, ...]:
        return tuple(self.terms.tariffs(meter, currency, days))

    def _beside(
        self,
        key: Key,
        measured: Measured | None,
        meter: Meter,
        month: Period,
        stretches: tuple[Tariff, ...],
    ) -> _Beside:
        earlier = Period(month.start, stretches[0].start)
        before: tuple[Tariff, ...] = ()
        if earlier.start < earlier.end:
            before = self._tariffs(meter, key.currency, earlier)
        tiered = [tariff for tariff in (*before, *stretches) if len(tariff.tiers) > 1]
        if not (tiered and measured and key.period):
            return _Beside()
        is_pooled = any(tariff.is_pooled for tariff in tiered)
        if not is_pooled and not before and self._is_billed(key):
            return _Beside()
        own = {part.use.operation_id for part in measured.parts}
        counted = [_NOTHING for _ in (*before, *stretches)]
        others = [_NOTHING for _ in stretches]
        for other, their, part in self._parts_in(month, key.report, None if is_pooled else own):
            if their is measured or not self._counts_with(key, other):
                continue
            if not self._is_priced_as(key, measured, other, their):
                continue
            days = self._beyond([part], self._draw_downs_of(key, part.use)).days
            earlier_units = [_sum_within(days, each) for each in before]
            within = [_sum_within(days, each) for each in stretches]
            is_own = part.use.operation_id in own
            if not is_own:
                others = list(map(add, others, within))
            if not is_own or self._rank(other) >= self._rank(key):
                within = [_NOTHING for _ in stretches]
            counted = list(map(add, counted, (*earlier_units, *within)))
        return _Beside(before, tuple(counted), tuple(others))

    @cached_property
    def _parts(self) -> dict[tuple[str | None, str | None, date], list[_PartOf]]:
        """All parts of use by report, operation (None: all of them) and calendar month."""
        parts: defaultdict[tuple[str | None, str | None, date], list[_PartOf]] = defaultdict(list)
        for key, measured in self._comparison.measured.items():
            for part in measured.parts:
                for operation_id in (part.use.operation_id, None):
                    place = key.report, operation_id, part.use.period.start
                    parts[place].append(_PartOf(key, measured, part))
        return dict(parts)

    def _parts_in(
        self, period: Period, report: str | None, operation_ids: Iterable[str] | None
    ) -> list[_PartOf]:
        """Return the parts of the months that a period touches, of these operations or of all."""
        return [
            part
            for operation_id in ([None] if operation_ids is None else operation_ids)
            for month in months_of(period)
            for part in self._parts.get((report, operation_id, month.start.replace(day=1)), ())
        ]

    def _is_billed(self, key: Key) -> bool:
        return key in self._comparison.billed

    def _counts_with(self, key: Key, other: Key) -> bool:
        """Whether two keys' use is counted by the same tiers. What nobody billed has a key of each
        product."""
        are_billed = self._is_billed(key) and self._is_billed(other)
        is_of_all = None in (key.product, other.product)
        return other.product == key.product or (is_of_all and not are_billed)

    def _rank(self, key: Key) -> tuple[bool, bool]:
        """Return by what keys of the same days come one after the other: what is left, last."""
        return not self._is_billed(key), key.operation_id == ALL_OPERATIONS

    def _draw(
        self, key: Key, operation_id: str, parts: Sequence[Part], months: Sequence[TierMonth]
    ) -> Course:
        """Return the course of an operation's use, less what packages pay of it."""
        used = sum((part.quantity for part in parts if part.quantity), _NOTHING)
        uses = {part.use.operation_id: part.use for part in parts}
        draw_downs = {
            id(each): each for use in uses.values() for each in self._draw_downs_of(key, use)
        }
        if not uses and (packages := self._packages(key, operation_id)):
            own = self._draw_down(packages, operation_id)
            draw_downs = {id(own): own}
        beyond = self._beyond(parts, list(draw_downs.values()))
        left = _NOTHING
        if key.period and len(draw_downs) == 1:  # of several, one's rest is not for another's use
            [own] = draw_downs.values()
            left = own.left_before(key.period.end)
        return Course(tuple(months), beyond.days, used, beyond.drawn, left)

    def _beyond(self, parts: Iterable[Part], draw_downs: Sequence[DrawDown]) -> _Beyond:
        """Return the days of parts of use with what no package pays of them."""
        if not draw_downs:
            return _Beyond([day for part in parts for day in part.days], _NOTHING)
        days: list[DayUse] = []
        paid = _NOTHING
        for part in parts:
            for day in part.days:
                place = part.use.meter, day.day
                drawn = sum((each.drawn.get(place, _NOTHING) for each in draw_downs), _NOTHING)
                drawn = min(drawn, max(day.quantity, _NOTHING))
                paid += drawn
                days.append(day._replace(quantity=day.quantity - drawn) if drawn else day)
        return _Beyond(days, paid)

    def _draw_downs_of(self, key: Key, use: MonthUse) -> list[DrawDown]:
        """Return what use of an operation draws from, by the packages that pay a key's."""
        packages = self._packages(key, use.operation_id)
        if not packages:
            return []
        own = ALL_OPERATIONS if packages[0].is_pooled else use.operation_id
        return [self._draw_down(packages, own)]

    def _packages(self, key: Key, operation_id: str) -> list[Rate]:
        """Return the packages that pay a key's use, or what was used before it in the month."""
        if not (key.report and key.period):
            return []
        meter = Meter(operation_id, key.report, key.product or "")
        if not self.terms.of(PACKAGE, meter, key.currency):
            return []
        first = tier_months(key.period, self._facts.cycle_day)[0]
        days = Period(first.start, key.period.end)
        return self.terms.holding(PACKAGE, meter, key.currency, days)

    def _draw_down(self, packages: Sequence[Rate], operation_id: str) -> DrawDown:
        own = operation_id, tuple(packages)
        if own not in self._draw_downs:
            self._draw_downs[own] = DrawDown(packages, operation_id, self._facts)
        return self._draw_downs[own]


def tier_months(period: Period, cycle_day: int) -> list[Period]:
    """Return the months of the billing cycle in which the tiers of a period's use count. What is
    neither months nor a part of one, such as from the 26th to the 25th, counts by itself."""
    first, last = month_of(period.start, cycle_day), month_of(period.end, cycle_day)
    if period.end <= first.end:
        return [first]
    if (period.start, period.end) == (first.start, last.start):
        return months_of(period, cycle_day)
    return [period]


def _sum_within(days: Iterable[DayUse], tariff: Tariff) -> Decimal:
    quantities = (day.quantity for day in days if tariff.start <= day.day < tariff.end)
    return sum(quantities, _NOTHING)
