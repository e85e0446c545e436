"""What is compared with what: one Key for each supplier, operation, report, product, period and
currency, with all that was billed and all that was measured in it.

Each line that was billed is in one key, and each unit that was measured is counted in one key:

    a key that names a product has it; one for the whole report has the products that no other names
    keys that bill the same use share it: the shorter period first, each gets what it bills of what
        is left, and the last one gets the rest
    what is left of a month in the end is in a key of its own, that nobody billed
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.period import DAY, Period
from wolkvox_billing.invoices.spelling import plain
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Facts, MonthUse, Product
from wolkvox_billing.reconciliation.line_map import COMPARED, MapRow, first_fit, operation_of

PLACES = Decimal("0.0001")


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

    @property
    def is_nothing(self) -> bool:
        """What was billed was taken back, or is nothing from the start."""
        return not self.quantity and not self.amount


class Part(NamedTuple):
    """What a key has of a month's use; None where nobody knows."""

    use: MonthUse
    stretch: Period  # the days of the month that are in the key's period
    quantity: Decimal | None


@dataclass
class Measured:
    """What was measured in a key. `quantity` is None where nobody knows what the number means, or
    counters and gauges would have to be added. `unanswered`: the stretches in which nobody asked,
    or was answered. `is_shared`: other keys bill the same use."""

    quantity: Decimal | None
    parts: list[Part]
    ends_were_read: bool = True
    unanswered: list[Period] = field(default_factory=list)
    is_shared: bool = False

    @property
    def uses(self) -> list[MonthUse]:
        return [one.use for one in self.parts]

    @property
    def counted(self) -> Decimal:
        """Of counters, which can be added up."""
        known = [one.quantity for one in self.parts if one.quantity and not one.use.is_gauge]
        return sum(known, Decimal())


@dataclass
class Comparison:
    """All keys, and what is not compared: fees, taxes and ignored lines."""

    billed: dict[Key, Billed]
    measured: dict[Key, Measured]
    left_out: list[tuple[str, BilledLine]]  # the role, and the line


def compare(facts: Facts, line_map: Sequence[MapRow], supplier_id: str | None) -> Comparison:
    """The Comparison. `supplier_id` is whose key use gets that nobody billed."""
    there = _Uses(facts)
    billed: defaultdict[Key, Billed] = defaultdict(Billed)
    left_out: list[tuple[str, BilledLine]] = []
    for line in facts.lines:
        row = first_fit(line_map, line.supplier_id, line.item_code, line.description)
        if row and row.role not in COMPARED:
            left_out.append((row.role, line))
            continue
        operation = operation_of(row, line.operation, facts.operations) if row else None
        key = Key(line.supplier_id, None, None, None, line.period, line.currency)
        if row and operation and line.period:
            product = there.spelled(operation, row.report, row.product)
            key = key._replace(operation_id=operation, report=row.report, product=product)
        found = billed[key]
        found.lines.append(line)
        found.is_mapped = found.is_mapped and row is not None
        found.amount += line.amount
        if line.quantity is not None and (not row or row.role == "quantity"):
            found.quantity = (found.quantity or Decimal()) + line.quantity
    measured = _shared_out(there, billed)
    left = there.left_of(measured)
    for use, quantity in left:
        key = Key(supplier_id, use.operation_id, use.report, use.product, use.period, None)
        measured[key] = Measured(quantity, [Part(use, use.period, quantity)])
    return Comparison(dict(billed), measured, left_out)


class _Uses:
    """What was measured, by product."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.of_product: defaultdict[Product, list[MonthUse]] = defaultdict(list)
        self.products: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for use in facts.months:
            own = use.operation_id, use.report, use.product
            if own not in self.of_product:
                self.products[own[:2]].append(use.product)
            self.of_product[own].append(use)

    def spelled(self, operation_id: str, report: str, product: str) -> str | None:
        """A product as the vendor writes it; None for the whole report."""
        names = self.products[operation_id, report]
        alike = [one for one in names if plain(one) == plain(product)]
        return alike[0] if product and product not in names and alike else product or None

    def in_period(self, product: Product, period: Period) -> Measured | None:
        """What was measured of a product in a period, of whole months or of their days; None if
        nothing was."""
        uses = [one for one in self.of_product[product] if overlap(one.period, period)]
        if not uses:
            return None
        parts: list[Part] = []
        ends_were_read = True
        for use in uses:
            stretch = Period(max(use.period.start, period.start), min(use.period.end, period.end))
            quantity = use.quantity
            if stretch != use.period and quantity is not None:
                days = _within(self.facts.days.get(product, []), stretch)
                quantity = self._of_days(use, days)
                ends_were_read &= _ends_were_read(use, stretch, days)
            parts.append(Part(use, stretch, quantity))
        known = [one.quantity for one in parts if one.quantity is not None]
        total = sum(known, Decimal())
        if any(use.is_gauge for use in uses) and len(uses) > 1:
            days = _within(self.facts.days.get(product, []), period)
            total = self._of_days(uses[0], days)
        unanswered = [
            month
            for month in _months(period)
            if not any(overlap(month, use.period) for use in uses)
            and not self.facts.answers_in(product[0], product[1], month)
        ]
        is_mixed = len({use.is_gauge for use in uses}) > 1
        is_known = len(known) == len(parts) and not is_mixed
        return Measured(total if is_known else None, parts, ends_were_read, unanswered)

    def _of_days(self, use: MonthUse, days: Sequence[DayUse]) -> Decimal:
        """What days come to: a counter's are added up, a gauge's are as `gauge_month` says."""
        if not days:
            return Decimal()
        quantities = [one.quantity for one in days]
        if not use.is_gauge:
            return sum(quantities, Decimal())
        if self.facts.gauge_month == "last":
            return quantities[-1]
        if self.facts.gauge_month == "average":
            return (sum(quantities, Decimal()) / len(days)).quantize(PLACES, ROUND_HALF_UP)
        return max(quantities)

    def left_of(self, measured: dict[Key, Measured]) -> list[tuple[MonthUse, Decimal | None]]:
        """Each month's use of which no key has all, and how much is left."""
        counted: defaultdict[MonthUse, Decimal] = defaultdict(Decimal)
        touched: set[MonthUse] = set()
        for one in measured.values():
            for part in one.parts:
                touched.add(part.use)
                counted[part.use] += part.quantity or Decimal()
        found: list[tuple[MonthUse, Decimal | None]] = []
        for use in self.facts.months:
            if use not in touched:
                found.append((use, use.quantity))
            elif use.quantity is not None and not use.is_gauge and use.quantity != counted[use]:
                found.append((use, use.quantity - counted[use]))
        return found


Group = tuple[str, str, str | None]  # operation_id, report, product


def _shared_out(there: _Uses, billed: dict[Key, Billed]) -> dict[Key, Measured]:
    """What was measured in each key that was billed: first those that name a product."""
    groups: defaultdict[Group, list[Key]] = defaultdict(list)
    for key in billed:
        if key.operation_id and key.report and key.period:
            groups[key.operation_id, key.report, key.product].append(key)
    named: defaultdict[Product, list[Period]] = defaultdict(list)
    counted: defaultdict[MonthUse, Decimal] = defaultdict(Decimal)
    found: dict[Key, Measured] = {}
    for (operation_id, report, product), keys in sorted(
        groups.items(), key=lambda item: (item[0][2] is None, str(item[0]))
    ):
        keys.sort(key=lambda key: (_length(key.period), str(key)))
        for n, key in enumerate(keys):
            assert key.period is not None
            names = [product] if product else there.products[operation_id, report]
            parts: list[Measured] = []
            for name in sorted(names):
                own = operation_id, report, name
                if product:
                    named[own].append(key.period)
                elif any(overlap(key.period, other) for other in named[own]):
                    continue
                if part := there.in_period(own, key.period):
                    parts.append(part)
            if not parts:
                continue
            one = _together(parts)
            earlier = [k for k in keys[:n] if overlapping(k, key)]
            later = [k for k in keys[n + 1 :] if overlapping(k, key)]
            one.is_shared = bool(earlier or later)
            limit = max(billed[key].quantity or Decimal(), Decimal()) if later else None
            taken = [found[k] for k in earlier if k in found]
            _take(one, limit, counted, sum((t.quantity or Decimal() for t in taken), Decimal()))
            found[key] = one
    return found


def _together(parts: Sequence[Measured]) -> Measured:
    """Several products as one."""
    known = [one.quantity for one in parts if one.quantity is not None]
    is_mixed = len({use.is_gauge for one in parts for use in one.uses}) > 1
    is_known = len(known) == len(parts) and not is_mixed
    return Measured(
        quantity=sum(known, Decimal()) if is_known else None,
        parts=[part for one in parts for part in one.parts],
        ends_were_read=all(one.ends_were_read for one in parts),
        unanswered=[stretch for one in parts for stretch in one.unanswered],
    )


def _take(
    one: Measured,
    limit: Decimal | None,
    counted: defaultdict[MonthUse, Decimal],
    taken_by_others: Decimal,
) -> None:
    """Takes from each use what no other key has yet, in all no more than `limit`."""
    gauges = [use for use in one.uses if use.is_gauge]
    if gauges and one.is_shared and one.quantity is not None:  # a level: nothing of it is used up
        left = max(one.quantity - taken_by_others, Decimal())
        one.quantity = left if limit is None else min(left, limit)
    parts: list[Part] = []
    for part in one.parts:
        quantity = part.quantity
        if quantity is not None and not part.use.is_gauge:
            if one.is_shared and part.use.quantity is not None:
                quantity = min(quantity, part.use.quantity - counted[part.use])
            if limit is not None:
                quantity = min(quantity, limit)
                limit -= quantity
            counted[part.use] += quantity
        parts.append(part._replace(quantity=quantity))
    one.parts = parts
    if one.quantity is not None and not gauges:
        one.quantity = sum((part.quantity or Decimal() for part in parts), Decimal())


def _ends_were_read(use: MonthUse, stretch: Period, days: Sequence[DayUse]) -> bool:
    """Whether no reading covers days on both sides of an end that lies in the month."""
    if not days:
        return False
    start_read = (days[0].day - stretch.start).days + 1 >= days[0].covers
    end_read = days[-1].day + DAY == stretch.end
    return (start_read or stretch.start == use.period.start) and (
        end_read or stretch.end == use.period.end
    )


def _within(days: Sequence[DayUse], period: Period) -> list[DayUse]:
    return [one for one in days if period.start <= one.day < period.end]


def _months(period: Period) -> list[Period]:
    """A period, cut where months begin."""
    found: list[Period] = []
    start = period.start
    while start < period.end:
        end = min((start.replace(day=1) + timedelta(days=31)).replace(day=1), period.end)
        found.append(Period(start, end))
        start = end
    return found


def _length(period: Period | None) -> int:
    return (period.end - period.start).days if period else 0


def overlapping(one: Key, other: Key) -> bool:
    return bool(one.period and other.period and overlap(one.period, other.period))


def overlap(one: Period, other: Period) -> bool:
    return one.start < other.end and other.start < one.end
