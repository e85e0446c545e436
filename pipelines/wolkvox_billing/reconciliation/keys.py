"""What is compared with what: one Key for each supplier, operation, report, product, period and
currency, with all that was billed and all that was measured in it.

Each unit that was measured is counted in one key, and each line that was billed is in one key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.period import DAY, Period
from wolkvox_billing.invoices.spelling import plain
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Facts, MonthUse, Product
from wolkvox_billing.reconciliation.line_map import (
    COMPARED,
    MapRow,
    first_fit,
    operation_of,
    product_of,
)


class Key(NamedTuple):
    """A row's key. Without a report: lines that nobody has mapped. Without a product: all products
    of the report that no other key has."""

    supplier_id: str | None
    operation_id: str | None
    report: str | None
    product: str | None
    period: Period | None
    currency: str | None


@dataclass
class Billed:
    """What was billed in a key. `quantity` is None where no line states one; `is_mapped` where the
    line map knows all lines."""

    quantity: Decimal | None = None
    amount: Decimal = Decimal()
    lines: list[BilledLine] = field(default_factory=list)
    is_mapped: bool = True


@dataclass
class Measured:
    """What was measured in a key. `quantity` is None where nobody knows what the number means, or
    counters and gauges would have to be added. `counted` is what of counters this key has, and no
    other: where two keys are compared with the same use, the first one counts it."""

    quantity: Decimal | None
    uses: list[MonthUse]
    counted: Decimal
    ends_were_read: bool = True


@dataclass
class Comparison:
    """All keys, and what is not compared: the amounts of fees, taxes and ignored lines."""

    billed: dict[Key, Billed]
    measured: dict[Key, Measured]
    left_out: dict[tuple[str, str | None], Decimal]  # role, currency → amount


def compare(facts: Facts, line_map: Sequence[MapRow], supplier_id: str | None) -> Comparison:
    """The Comparison. `supplier_id` is whose key use gets that nobody billed."""
    billed: defaultdict[Key, Billed] = defaultdict(Billed)
    left_out: defaultdict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    products: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for use in facts.months:
        products[use.operation_id, use.report].add(use.product)
    for line in facts.lines:
        row = first_fit(line_map, line.supplier_id, line.item_code, line.description)
        if row and row.role not in COMPARED:
            left_out[row.role, line.currency] += line.amount
            continue
        operation = operation_of(row, line.operation, facts.operations) if row else None
        key = Key(line.supplier_id, None, None, None, line.period, line.currency)
        if row and operation and line.period:
            key = key._replace(
                operation_id=operation,
                report=row.report,
                product=product_of(row, products[operation, row.report]),
            )
        found = billed[key]
        found.lines.append(line)
        found.is_mapped = found.is_mapped and row is not None
        found.amount += line.amount
        if line.quantity is not None and (not row or row.role == "quantity"):
            found.quantity = (found.quantity or Decimal()) + line.quantity
    measured, taken = _claimed(facts, list(billed))
    for use in facts.months:
        rest = _rest(facts, use, taken[use.operation_id, use.report, use.product])
        if rest is not None:
            key = Key(supplier_id, use.operation_id, use.report, use.product, use.period, None)
            measured[key] = rest
    return Comparison(dict(billed), measured, dict(left_out))


Taken = defaultdict[Product, list[Period]]  # the periods that keys have of a product


def _claimed(facts: Facts, keys: Sequence[Key]) -> tuple[dict[Key, Measured], Taken]:
    """What was measured in each key that was billed: first those that name a product."""
    found: dict[Key, Measured] = {}
    taken: Taken = defaultdict(list)
    for key in sorted(keys, key=lambda key: (key.product is None, str(key))):
        if not (key.operation_id and key.report and key.period):
            continue
        parts: list[Measured] = []
        for product in _products(facts, key):
            own = key.operation_id, key.report, product
            is_free = not any(overlap(key.period, other) for other in taken[own])
            # A product that another key has is not in the report as a whole; a key that names it is
            # compared with it all the same.
            if is_free or key.product:
                part = _in_period(facts, own, key.period)
                parts += [part if is_free else replace(part, counted=Decimal())]
            if is_free:
                taken[own].append(key.period)
        if parts := [one for one in parts if one.uses]:
            quantities = [one.quantity for one in parts]
            known = [one for one in quantities if one is not None]
            is_mixed = len({use.measure == "gauge" for one in parts for use in one.uses}) > 1
            found[key] = Measured(
                quantity=None if is_mixed or len(known) < len(parts) else sum(known, Decimal()),
                uses=[use for one in parts for use in one.uses],
                counted=sum((one.counted for one in parts), Decimal()),
                ends_were_read=all(one.ends_were_read for one in parts),
            )
    return found, taken


def _products(facts: Facts, key: Key) -> list[str]:
    """The products of a key's report, or the one that it names."""
    there = {
        one.product
        for one in facts.months
        if (one.operation_id, one.report) == (key.operation_id, key.report)
    }
    if key.product is None:
        return sorted(there)
    return sorted(one for one in there if plain(one) == plain(key.product))


def _in_period(facts: Facts, product: Product, period: Period) -> Measured:
    """What was measured of a product in a period: of whole months, or of its days."""
    uses = [
        one
        for one in facts.months
        if (one.operation_id, one.report, one.product) == product and overlap(one.period, period)
    ]
    is_gauge = any(one.measure == "gauge" for one in uses)
    if _is_whole_months(period):
        known = [one.quantity for one in uses if one.quantity is not None]
        total = max(known, default=Decimal()) if is_gauge else sum(known, Decimal())
        counted = Decimal() if is_gauge else total
        return Measured(total if len(known) == len(uses) else None, uses, counted)
    days = _days_in(facts, product, period)
    total = sum((one.quantity for one in days), Decimal())
    if is_gauge:
        highest = max((one.quantity for one in days), default=None)
        return Measured(highest, uses, Decimal())
    # A reading covers the days since the one before: these must not reach over the period's ends.
    start_read = bool(days) and (days[0].day - period.start).days + 1 >= days[0].covers
    end_read = bool(days) and days[-1].day + DAY == period.end
    is_known = all(one.quantity is not None for one in uses)
    return Measured(total if is_known else None, uses, total, start_read and end_read)


def _rest(facts: Facts, use: MonthUse, taken: Sequence[Period]) -> Measured | None:
    """What of a month's use no billed key has; None if nothing is left."""
    taken = [one for one in taken if overlap(one, use.period)]
    is_gauge = use.measure == "gauge"
    if not taken:
        counted = Decimal() if is_gauge else use.quantity or Decimal()
        return Measured(use.quantity, [use], counted)
    if is_gauge or use.quantity is None or any(_is_whole_months(one) for one in taken):
        return None
    days = _days_in(facts, (use.operation_id, use.report, use.product), use.period)
    left = use.quantity - sum(
        (
            one.quantity
            for one in days
            if any(period.start <= one.day < period.end for period in taken)
        ),
        Decimal(),
    )
    return Measured(left, [use], left) if left else None


def _days_in(facts: Facts, product: Product, period: Period) -> list[DayUse]:
    return [one for one in facts.days.get(product, []) if period.start <= one.day < period.end]


def overlap(one: Period, other: Period) -> bool:
    return one.start < other.end and other.start < one.end


def _is_whole_months(period: Period) -> bool:
    return period.start.day == 1 and period.end.day == 1
