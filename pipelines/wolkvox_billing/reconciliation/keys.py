"""What is compared with what: one Key for each supplier, operation, report, product, period and
currency, with all that was billed and all that was measured in it.

Each line that was billed is in one key, and each unit that was measured is counted in one key:

    what is taken back (a credit note) is in the key of what it takes it from
    a key that names a product has its use; then one for the whole report has what is left
    keys that bill the same use share it: the shorter period first, each gets what it bills of what
        is left, and the last one gets the rest
    what is left of a month in the end is in a key of its own, that nobody billed
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.period import Period
from wolkvox_billing.reconciliation.contract.line_map import (
    COMPARED,
    MapRow,
    first_fit,
    operation_of,
)
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Facts, MonthUse
from wolkvox_billing.reconciliation.ledger import Found, Ledger, Part


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

    def add(self, line: BilledLine, quantity: Decimal | None, is_mapped: bool) -> None:
        self.lines.append(line)
        self.amount += line.amount
        self.is_mapped = self.is_mapped and is_mapped
        if quantity is not None:
            self.quantity = (self.quantity or Decimal()) + quantity

    def merge(self, other: Billed) -> None:
        self.lines += other.lines
        self.amount += other.amount
        self.is_mapped = self.is_mapped and other.is_mapped
        if other.quantity is not None:
            self.quantity = (self.quantity or Decimal()) + other.quantity

    @property
    def is_nothing(self) -> bool:
        """What was billed was taken back, or is nothing from the start."""
        return not self.quantity and not self.amount


@dataclass
class Measured:
    """What was measured in a key. `quantity` is None where nobody knows what the number means, or
    counters and gauges would have to be added. `unanswered`: the stretches in which nobody asked,
    or was answered. `is_shared`: other keys bill the same use; `short_before`: what those before
    this one bill beyond what there was, so that unread time is not held against it twice."""

    quantity: Decimal | None
    parts: list[Part]
    ends_were_read: bool = True
    unanswered: list[Period] = field(default_factory=list)
    is_shared: bool = False
    short_before: Decimal = Decimal()
    is_rest: bool = False  # what other keys have left of a month

    @property
    def uses(self) -> list[MonthUse]:
        return [one.use for one in self.parts]

    @property
    def days(self) -> list[DayUse]:
        return [day for part in self.parts for day in part.days]

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
    ledger = Ledger(facts)
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
            product = ledger.spelled(operation, row.report, row.product)
            key = key._replace(operation_id=operation, report=row.report, product=product)
        is_quantity = line.quantity is not None and (not row or row.role == "quantity")
        billed[key].add(line, line.quantity if is_quantity else None, row is not None)
    _take_back(billed)
    measured = _shared_out(ledger, billed)
    for part in ledger.rest():
        use = part.use
        key = Key(supplier_id, use.operation_id, use.report, use.product, use.period, None)
        is_rest = part.quantity != use.quantity
        measured[key] = Measured(part.quantity, [part], is_rest=is_rest)
    return Comparison(dict(billed), measured, left_out)


def _take_back(billed: dict[Key, Billed]) -> None:
    """Puts what is billed with a minus, such as a credit note for a part of a month, into the key
    that it takes it from: of the same operation and report in a time that is common to both, best
    of the same product, else of the whole report, else of another product."""
    for note in [key for key, one in billed.items() if one.amount < 0 and key.report]:
        others = [
            key
            for key, one in billed.items()
            if one.amount > 0
            and key[:3] == note[:3]
            and key.currency == note.currency
            and overlapping(key, note)
        ]
        others.sort(key=lambda key: (key.product != note.product, key.product or "", str(key)))
        if others:
            billed[others[0]].merge(billed.pop(note))


Group = tuple[str | None, str | None]  # operation_id, report


def _shared_out(ledger: Ledger, billed: dict[Key, Billed]) -> dict[Key, Measured]:
    """What was measured in each key that was billed."""
    groups: defaultdict[Group, list[Key]] = defaultdict(list)
    for key in billed:
        if key.operation_id and key.report and key.period:
            groups[key.operation_id, key.report].append(key)
    found: dict[Key, Measured] = {}
    for keys in groups.values():
        # An amount without a quantity says nothing of how much it bills: it gets what is left.
        keys.sort(key=lambda key: (key.product is None, billed[key].quantity is None,
                                   _length(key), str(key)))  # fmt: skip
        for n, key in enumerate(keys):
            earlier, later = (
                [
                    other
                    for other in some
                    if other.product == key.product and overlapping(other, key)
                ]
                for some in (keys[:n], keys[n + 1 :])
            )
            limit = max(billed[key].quantity or Decimal(), Decimal()) if later else None
            if one := _measured(ledger, key, limit, [found[k] for k in earlier if k in found]):
                of_products = [other for other in keys if other.product and overlapping(other, key)]
                one.is_shared = bool(earlier or later or (not key.product and of_products))
                short = [_short(billed[k], found.get(k)) for k in earlier]
                one.short_before = sum(short, Decimal())
                found[key] = one
    return found


def _measured(
    ledger: Ledger, key: Key, limit: Decimal | None, earlier: Sequence[Measured]
) -> Measured | None:
    """Takes what is free for a key, no more than `limit`; None where there is no use at all."""
    assert key.operation_id
    assert key.report
    assert key.period
    names = [key.product] if key.product else sorted(ledger.products[key.operation_id, key.report])
    there: list[Found] = []
    for name in names:
        if one := ledger.find((key.operation_id, key.report, name), key.period):
            there.append(one)
    if not there:
        return None
    left, parts = limit, []
    for one in there:
        for part in one.parts:
            taken = ledger.take(part, left)
            if left is not None and taken.quantity is not None and not part.use.is_gauge:
                left -= taken.quantity
            parts.append(taken)
    quantity: Decimal | None = None
    if all(one.level is not None for one in there):  # a level, of which nothing is used up
        levels = [one.level for one in there if one.level is not None]
        quantity = sum(levels, Decimal()) - sum(
            (e.quantity or Decimal() for e in earlier), Decimal()
        )
        quantity = max(quantity, Decimal())
        quantity = quantity if limit is None else min(quantity, limit)
    elif not any(part.use.is_gauge or part.quantity is None for part in parts):
        quantity = sum((part.quantity for part in parts if part.quantity), Decimal())
    return Measured(
        quantity=quantity,
        parts=parts,
        ends_were_read=all(one.ends_were_read for one in there),
        unanswered=[stretch for one in there for stretch in one.unanswered],
    )


def _short(billed: Billed, measured: Measured | None) -> Decimal:
    """What a key bills beyond what there was for it."""
    there = (measured.quantity if measured else None) or Decimal()
    return max((billed.quantity or Decimal()) - there, Decimal())


def _length(key: Key) -> int:
    return (key.period.end - key.period.start).days if key.period else 0


def overlapping(one: Key, other: Key) -> bool:
    return bool(one.period and other.period and one.period.overlaps(other.period))
