"""What a month costs by a contract, unit by unit, as slowly as a person would do it.

It shares nothing with the product: it was written from the page of the contract alone. Each unit is
walked in the order of time; what a package pays is dropped; the others are numbered within their
month, and each gets the price of its number and its day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

MONEY = ("unit_price", "minimum", "package")
Use = Mapping[tuple[str, date], int]  # operation and day → units


class Row(NamedTuple):
    """A row of the rate card, of all operations."""

    term: str
    value: Fraction
    start: date
    end: date
    from_quantity: int = 0
    per: int = 1
    all_units: bool = False
    pooled: bool = False


class Unit(NamedTuple):
    """A unit that was used."""

    day: date
    operation: str


def units_of(use: Use) -> list[Unit]:
    """Return each unit in the order of time, of one day by operation."""
    return sorted(Unit(day, name) for (name, day), n in use.items() for _ in range(n))


def not_in_package(units: Sequence[Unit], rows: Sequence[Row]) -> list[Unit]:
    """Return the units that no package pays."""
    left: list[Unit] = []
    drawn: dict[tuple[int, str], int] = {}
    packages = sorted(enumerate(rows), key=lambda item: (item[1].end, item[1].start))
    for unit in units:
        for n, row in packages:
            whose = n, "all" if row.pooled else unit.operation
            is_open = row.term == "package" and row.start <= unit.day < row.end
            if is_open and drawn.get(whose, 0) < row.from_quantity:
                drawn[whose] = drawn.get(whose, 0) + 1
                break
        else:
            left.append(unit)
    return left


def price_of(number: int, whole: int, day: date, rows: Sequence[Row]) -> Fraction:
    """Return the price of the unit of this number in a month of so many, less its discount."""
    tiers = [row for row in rows if row.term == "unit_price" and row.start <= day < row.end]
    tiers.sort(key=lambda row: row.from_quantity)
    price = Fraction(0)
    for tier in tiers:
        if tier.all_units and tier.from_quantity <= whole:
            price = tier.value / tier.per
        if not tier.all_units and tier.from_quantity < number:
            price = tier.value / tier.per
    for row in rows:
        if row.term == "discount_percent" and row.start <= day < row.end:
            price -= price * row.value / 100
    return price


def readings(rows: Sequence[Row], month: tuple[date, date]) -> list[list[Row]]:
    """Return the rows as each reading of the contract has them: a discount may be taken off what
    the minimum is held against, or off the minimum, to the cent."""
    discounts = {
        row.value
        for row in rows
        if row.term == "discount_percent" and row.start < month[1] and month[0] < row.end
    }
    return [
        [
            row._replace(value=to_cents(row.value * (100 - percent) / 100))
            if row.term == "minimum"
            else row
            for row in rows
        ]
        for percent in sorted({Fraction(0), *discounts})
    ]


def to_cents(amount: Fraction) -> Fraction:
    return Fraction(math.floor(amount * 100 + Fraction(1, 2)), 100)


class Billed(NamedTuple):
    """What was billed of each operation, and of all together."""

    each: int
    all: int


def rate_by_the_nearest(
    rows: Sequence[Row],
    use: Use,
    month: tuple[date, date],
    billed: Billed,
    exchange_rate: Fraction = Fraction(1),
) -> dict[str, Fraction]:
    """Return the same as `rate`, by that reading of the contract which is nearest to what was
    billed of each operation, or of all. exchange_rate: what one of the rows' currency is in that of
    the result."""
    rows = [
        row._replace(value=row.value * exchange_rate) if row.term in MONEY else row for row in rows
    ]
    costs = [rate(reading, use, month) for reading in readings(rows, month)]

    def nearest(name: str) -> Fraction:
        own = billed.all if name == "all" else billed.each
        return min((cost[name] for cost in costs), key=lambda cost: (abs(cost - own), cost))

    return {name: nearest(name) for name in costs[0]}


def rate(rows: Sequence[Row], use: Use, month: tuple[date, date]) -> dict[str, Fraction]:
    """Return what each operation's use of a month costs; where tiers or a minimum are of all
    together, their sum stands under "all"."""
    units = not_in_package(units_of(use), rows)
    units = [unit for unit in units if month[0] <= unit.day < month[1]]
    is_pooled = any(row.pooled for row in rows if row.term == "unit_price")
    costs = {name: Fraction(0) for name, _ in use}
    for name in ["all"] if is_pooled else list(costs):
        own = [unit for unit in units if is_pooled or unit.operation == name]
        for number, unit in enumerate(own, 1):
            costs[unit.operation] += price_of(number, len(own), unit.day, rows)
    minimums = [row for row in rows if row.term == "minimum"]
    pooled = [row.value for row in minimums if row.pooled]
    for row in minimums:
        if not row.pooled:
            costs = {name: max(cost, row.value) for name, cost in costs.items()}
    if is_pooled or pooled:
        return {"all": max([sum(costs.values(), Fraction(0)), *pooled])}
    return costs
