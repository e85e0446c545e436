"""Packages of units that were paid before: use draws them down in the order of time."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.facts import Facts, Meter
from wolkvox_billing.reconciliation.ledger import days_of
from wolkvox_billing.values.periods import DAY
from wolkvox_billing.values.spelling import plain

_NOTHING = Decimal()


class _DayOf(NamedTuple):
    """A day's use of a meter."""

    day: date
    meter: Meter
    quantity: Decimal


class DrawDown:
    """What use of an operation and report, or of all operations ("*"), draws from packages: of two
    that are open from the one that ends first, on one day by the operations' ids."""

    def __init__(self, packages: Sequence[Rate], operation_id: str, facts: Facts) -> None:
        self.packages = packages
        self.drawn: defaultdict[tuple[Meter, date], Decimal] = defaultdict(Decimal)
        self._days: list[date] = []
        self._left: list[tuple[Decimal, ...]] = []
        left = [package.from_quantity for package in packages]
        for use in self._uses(operation_id, facts):
            quantity = use.quantity
            for n, package in enumerate(packages):
                if not package.holds_on(use.day):
                    continue
                # What a counter takes back was not drawn.
                back = left[n] - package.from_quantity
                taken = max(min(quantity, left[n]), back)
                left[n] -= taken
                quantity -= taken
                self.drawn[use.meter, use.day] += taken
            self._days.append(use.day)
            self._left.append(tuple(left))

    def _uses(self, operation_id: str, facts: Facts) -> list[_DayOf]:
        first, reports = self.packages[0], {package.report for package in self.packages}
        start = min(package.valid_from for package in self.packages)
        uses = [
            _DayOf(day.day, use.meter, day.quantity)
            for report in reports
            for use in facts.uses_of(operation_id, report)
            if plain(first.product) in ("", plain(use.product))
            and use.quantity is not None
            and not use.is_gauge
            and use.period.end > start
            for day in days_of(use, facts.days.get(use.meter, []))
        ]
        return sorted(uses)

    def left_before(self, day: date) -> Decimal:
        """Return what is left of the packages that are open on the day before."""
        place = bisect_left(self._days, day)
        left = self._left[place - 1] if place else [each.from_quantity for each in self.packages]
        return sum(
            (
                units
                for units, package in zip(left, self.packages, strict=True)
                if package.holds_on(day - DAY)
            ),
            _NOTHING,
        )
