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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from wolkvox_billing.reconciliation.arrears import is_of_arrears
from wolkvox_billing.reconciliation.billed_documents import LineId
from wolkvox_billing.reconciliation.contract.line_map import (
    ALL_OPERATIONS,
    COMPARED,
    FEE,
    QUANTITY,
    MapRow,
    OperationNames,
    first_fits,
)
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Facts, Meter, MonthUse
from wolkvox_billing.reconciliation.ledger import Ledger, Part, Supply, within
from wolkvox_billing.reconciliation.units import count_by, count_in, is_of_something_else
from wolkvox_billing.reconciliation.unread import sum_known
from wolkvox_billing.values.periods import Period, month_of, months_of
from wolkvox_billing.vendor.reports import is_nightly, unit_of


class Key(NamedTuple):
    """A row's key. Without a report: lines that nobody has mapped. Without a product: all products
    of the report that no other key has."""

    supplier_id: str | None
    operation_id: str | None
    report: str | None
    product: str | None
    period: Period | None
    currency: str | None

    def overlaps(self, other: Key) -> bool:
        return bool(self.period and other.period and self.period.overlaps(other.period))

    def may_share(self, other: Key) -> bool:
        """Whether both can be of the same use of a report."""
        operations = {self.operation_id, other.operation_id}
        return (len(operations) == 1 or ALL_OPERATIONS in operations) and self.overlaps(other)


@dataclass
class Billed:
    """What was billed in a key. `quantity` is None where no line states one; `is_mapped` where the
    line map knows all lines; `other_units` are those of quantities that cannot be counted into the
    report's."""

    quantity: Decimal | None = None
    amount: Decimal = Decimal()
    lines: list[BilledLine] = field(default_factory=list)
    is_mapped: bool = True
    other_units: frozenset[str] = frozenset()

    def add(self, other: Billed) -> None:
        self.lines += other.lines
        self.amount += other.amount
        self.is_mapped = self.is_mapped and other.is_mapped
        self.other_units |= other.other_units
        if other.quantity is not None:
            self.quantity = (self.quantity or Decimal()) + other.quantity

    @property
    def is_nothing(self) -> bool:
        """Whether all was taken back, or is nothing from the start."""
        return not self.quantity and not self.amount


@dataclass(frozen=True)
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
    is_leftover: bool = False  # what other keys have left of a month

    @property
    def uses(self) -> list[MonthUse]:
        return [part.use for part in self.parts]

    @property
    def days(self) -> list[DayUse]:
        return [day for part in self.parts for day in part.days]

    @property
    def counted(self) -> Decimal:
        """Of counters, which can be added up."""
        counters = [part for part in self.parts if not part.use.is_gauge]
        return sum((part.quantity for part in counters if part.quantity), Decimal())


class LeftOut(NamedTuple):
    """A line that is not compared, its role, and the operation and report that the line map gives
    it."""

    role: str
    line: BilledLine
    operation_id: str | None = None
    report: str = ""


class ShortBilled(NamedTuple):
    """How much of an operation's use is not billed to it, and what nobody read of that use."""

    operation_id: str
    quantity: Decimal
    unread: Decimal


class KeysByPlace:
    """Keys by operation and by month: of ten thousand, few are beside each other."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._of_operation: defaultdict[tuple[str | None, ...], list[Key]] = defaultdict(list)
        self._in_month: defaultdict[tuple[str | None, date], list[Key]] = defaultdict(list)
        for key in keys:
            self._of_operation[key.operation_id, key.report].append(key)
            for first in _first_days(key.period):
                self._in_month[key.report, first].append(key)

    def of_operation(self, key: Key) -> Sequence[Key]:
        """Return those of a key's operation and report."""
        return self._of_operation.get((key.operation_id, key.report), ())

    def beside(self, key: Key) -> list[Key]:
        """Return those of a key's report whose period has days of the key's."""
        months = [self._in_month.get((key.report, day), ()) for day in _first_days(key.period)]
        return [other for other in dict.fromkeys(chain(*months)) if other.overlaps(key)]


def _first_days(period: Period | None) -> list[date]:
    """Return the first day of each calendar month that a period touches."""
    return [month.start.replace(day=1) for month in months_of(period)] if period else []


@dataclass(frozen=True)
class Comparison:
    """All keys, and what is not compared: fees, taxes and ignored lines."""

    billed: dict[Key, Billed]
    measured: dict[Key, Measured]
    left_out: list[LeftOut]
    roles: dict[LineId, str] = field(default_factory=dict)  # by the line map, where a row fits
    taking: frozenset[int] = frozenset()  # lines of the line map's file that take one
    ends_with_another_night: bool = False  # by the setting `cut_off`
    _short: dict[tuple[str | None, Period], list[ShortBilled]] = field(default_factory=dict)

    def is_disputed(self, key: Key) -> bool:
        """Whether another quantity is billed than measured: what nobody read may explain it. Of a
        level always, which may be billed by days; and of a nightly copy whose month ends with
        another night."""
        billed, measured = self.billed.get(key), self.measured.get(key)
        if not (billed and measured):
            return False
        is_other = self.ends_with_another_night and is_nightly(key.report)
        is_level = any(part.use.is_gauge for part in measured.parts)
        return is_other or is_level or billed.quantity != measured.quantity

    @cached_property
    def _billed_keys(self) -> KeysByPlace:
        return KeysByPlace(self.billed)

    @cached_property
    def _measured_keys(self) -> KeysByPlace:
        return KeysByPlace(self.measured)

    @cached_property
    def billed_without_report(self) -> list[tuple[Key, Billed]]:
        """What was billed of which no report is known."""
        return [(key, billed) for key, billed in self.billed.items() if key.report is None]

    def billed_of(self, key: Key) -> list[tuple[Key, Billed]]:
        """Return what was billed of a key's operation and report, in all periods."""
        return [(other, self.billed[other]) for other in self._billed_keys.of_operation(key)]

    def billed_beside(self, key: Key) -> list[tuple[Key, Billed]]:
        """Return what was billed of a key's report in its period, of any operation."""
        return [(other, self.billed[other]) for other in self._billed_keys.beside(key)]

    def measured_of(self, key: Key) -> list[tuple[Key, Measured]]:
        """Return what was measured of a key's operation and report, in all periods."""
        return [(other, self.measured[other]) for other in self._measured_keys.of_operation(key)]

    def measured_beside(self, key: Key) -> list[tuple[Key, Measured]]:
        """Return what was measured of a key's report in its period, of any operation."""
        return [(other, self.measured[other]) for other in self._measured_keys.beside(key)]

    def short_billed(self, key: Key) -> list[ShortBilled]:
        """Return the operations whose use of a key's report in its period is not billed to them, or
        not all of it; the largest first. There may be hundreds of keys that ask for it."""
        if not key.period:
            return []
        if (key.report, key.period) not in self._short:
            self._short[key.report, key.period] = _short_billed(self, key, key.period)
        return self._short[key.report, key.period]

    @cached_property
    def loose_notes(self) -> list[tuple[Key, BilledLine]]:
        """The lines of notes that name no month, and no invoice that is here."""
        return [
            (key, line)
            for key, owed in self.billed.items()
            for line in owed.lines
            if line.is_note and line.period_source in ("rule", None)
        ]

    @cached_property
    def latest_issues(self) -> dict[str | None, int]:
        """For each supplier the most days after a period's end on which a line of it was issued."""
        latest: dict[str | None, int] = {}
        for line in (line for owed in self.billed.values() for line in owed.lines):
            if line.issued and line.period:
                days = (line.issued - line.period.end).days
                latest[line.supplier_id] = max(latest.get(line.supplier_id, days), days)
        return latest

    @property
    def disputed_parts(self) -> list[Part]:
        return [
            part
            for key, measured in self.measured.items()
            if self.is_disputed(key)
            for part in measured.parts
        ]


def _short_billed(comparison: Comparison, key: Key, period: Period) -> list[ShortBilled]:
    short: defaultdict[str, Decimal] = defaultdict(Decimal)
    uses: defaultdict[str, list[Measured]] = defaultdict(list)
    for other, measured in comparison.measured_beside(key):
        billed = comparison.billed.get(other)
        owed = billed.quantity if billed else Decimal()
        used = measured.quantity
        if other.operation_id is None or owed is None or used is None:
            continue
        if other.period and not period.holds(other.period):
            inside = (day for day in measured.days if period.has(day.day))
            used = sum((day.quantity for day in inside), Decimal())
        short[other.operation_id] += used - owed
        uses[other.operation_id].append(measured)
    of_operations = [
        ShortBilled(name, quantity, sum(map(_unread_of, uses[name]), Decimal()))
        for name, quantity in short.items()
        if quantity > 0
    ]
    return sorted(of_operations, key=lambda use: -use.quantity)


def _unread_of(measured: Measured) -> Decimal:
    """Return what nobody read: of each day that was not read, and of one at least, as much as the
    busiest day held."""
    busiest = max((day.quantity / day.covers for day in measured.days), default=Decimal())
    hours = max((use.hours_unread or Decimal() for use in measured.uses), default=Decimal())
    return busiest * max(hours / 24, Decimal(1))


def compare(facts: Facts, line_map: Sequence[MapRow], supplier_id: str | None) -> Comparison:
    """Return the Comparison. `supplier_id` is whose key use gets that nobody billed."""
    ledger = Ledger(facts)
    names = OperationNames(facts.operations)
    billed: defaultdict[Key, Billed] = defaultdict(Billed)
    left_out: list[LeftOut] = []
    roles: dict[LineId, str] = {}
    taking: set[int] = set()
    for line, row in zip(facts.lines, first_fits(line_map, facts.lines), strict=True):
        role = _role(row, line) if row else None
        if row and role:
            roles[line.id] = role
            taking.add(row.line)
        operation = names.billed_by(row, line.operation) if row else None
        if row and role and role not in COMPARED:
            left_out.append(LeftOut(role, line, operation, row.report))
            continue
        whose: tuple[str | None, str | None, str | None] = (None, None, None)
        if row and operation and line.period:
            whose = operation, row.report, ledger.spell(operation, row.report, row.product)
            line = _in_unit_of(row, line)
        key = Key(line.supplier_id, *whose, line.period, line.currency)
        quantity = line.quantity if role in (QUANTITY, None) else None
        is_other = quantity is not None and is_of_something_else(line.unit_code, key.report)
        units = frozenset({line.unit_code or ""} if is_other else ())
        billed[key].add(Billed(quantity, line.amount, [line], row is not None, units))
    _take_back(billed)
    measured = _share_out(ledger, billed)
    for period, parts in _cut_into_cycles(ledger.leftovers(), facts.cycle_day):
        key = Key(supplier_id, *parts[0].use.meter, period, None)
        measured[key] = _left_over(parts, ledger)
    if facts.cycle_day != 1:
        for meter, period, level in _levels_left(ledger, measured, facts.cycle_day):
            measured[Key(supplier_id, *meter, period, None)] = level
    return Comparison(dict(billed), measured, left_out, roles, taking=frozenset(taking))


def _role(row: MapRow, line: BilledLine) -> str:
    """Return what a line bills by the map; where a row takes all lines for use, one that says that
    it is interest or the like is a fee, which no use explains."""
    if row.role == QUANTITY and row.names_no_line and is_of_arrears(line.description):
        return FEE
    return row.role


def _cut_into_cycles(leftovers: Iterable[Part], cycle_day: int) -> list[tuple[Period, list[Part]]]:
    """Return what nobody has billed by the billing period that it is for, of each meter; in another
    cycle than the calendar's what can be added up alone."""
    parts: defaultdict[tuple[Meter, Period], list[Part]] = defaultdict(list)
    for part in leftovers:
        if cycle_day == 1:
            parts[part.use.meter, part.use.period].append(part)
            continue
        for stretch in months_of(part.stretch, cycle_day):
            days = tuple(within(part.days, stretch))
            if days:
                own = Part(part.use, stretch, sum((day.quantity for day in days), Decimal()), days)
                parts[part.use.meter, month_of(stretch.start, cycle_day)].append(own)
    return [(period, own) for (_, period), own in parts.items()]


def _levels_left(
    ledger: Ledger, measured: Mapping[Key, Measured], cycle_day: int
) -> list[tuple[Meter, Period, Measured]]:
    """Return the levels of billing periods of which no day is billed, and what was read there and
    nobody knows the meaning of."""
    billed: defaultdict[Meter, list[Period]] = defaultdict(list)
    for key, own in measured.items():
        for use in own.uses:
            if key.period:
                billed[use.meter].append(key.period)
    return [
        (meter, cycle, Measured(supply.level, supply.parts))
        for meter, cycle, supply in ledger.levels_in(cycle_day)
        if not any(cycle.overlaps(period) for period in billed[meter])
    ]


def _left_over(parts: list[Part], ledger: Ledger) -> Measured:
    quantity = sum_known([part.quantity for part in parts])
    return Measured(quantity, parts, is_leftover=any(map(ledger.is_touched, parts)))


def _in_unit_of(row: MapRow, line: BilledLine) -> BilledLine:
    """Return a line with its quantity in the report's unit: by the map, or by the line's unit."""
    written = line.quantity
    if written is None:
        return line
    if row.factor is not None:
        count = count_by(written, row.factor)
        # Whatever the line calls its unit, a person has said what it is.
        line = line._replace(unit_code=None)
    elif line.unit_code:
        count = count_in(written, line.unit_code, unit_of(row.report))
    else:
        return line
    return line._replace(quantity=count.quantity, written=written, step=count.step)


def _take_back(billed: dict[Key, Billed]) -> None:
    """Put what is billed with a minus, such as a credit note for a part of a month, into the key
    that it takes it from: of the same operation and report in a time that is common to both, best
    of the same product, else of the whole report, else of another product."""
    keys = KeysByPlace(billed)
    for note in [key for key, owed in billed.items() if owed.amount < 0 and key.report]:
        others = [
            key
            for key in keys.of_operation(note)
            if key in billed
            and billed[key].amount > 0
            and key[:3] == note[:3]
            and key.currency == note.currency
            and key.overlaps(note)
        ]
        others.sort(key=lambda key: (key.product != note.product, key.product or "", str(key)))
        if others:
            billed[others[0]].add(billed.pop(note))


def _share_out(ledger: Ledger, billed: dict[Key, Billed]) -> dict[Key, Measured]:
    """Return what was measured in each key that was billed."""
    groups: defaultdict[tuple[str, str], list[Key]] = defaultdict(list)
    reports = {key.report for key in billed if key.operation_id == ALL_OPERATIONS}
    for key in billed:
        if key.operation_id and key.report and key.period:
            # A line for all operations shares the use of each.
            operation_id = ALL_OPERATIONS if key.report in reports else key.operation_id
            groups[operation_id, key.report].append(key)
    measured: dict[Key, Measured] = {}
    for (operation_id, _), keys in groups.items():
        # An amount without a quantity says nothing of how much it bills: it gets what is left.
        is_common = operation_id == ALL_OPERATIONS
        keys.sort(key=lambda key: (is_common and billed[key].quantity is None,
                                   key.operation_id == ALL_OPERATIONS,
                                   key.product is None, billed[key].quantity is None,
                                   _length(key), str(key)))  # fmt: skip
        places = KeysByPlace(keys)
        for n, key in enumerate(keys):
            beside = places.beside(key)
            overlapping = [other for other in beside if other is not key and other.may_share(key)]
            rivals = [
                other
                for other in overlapping
                if (other.operation_id, other.product) == (key.operation_id, key.product)
            ]
            earlier = [other for other in keys[:n] if other in rivals] if rivals else []
            limit = None
            if len(earlier) < len(rivals):  # another one gets the rest
                limit = max(billed[key].quantity or Decimal(), Decimal())
            taken = _take(ledger, key, limit, [measured[k] for k in earlier if k in measured])
            if not taken:
                continue
            measured[key] = taken
            if not overlapping:
                continue
            of_parts = [
                other
                for other in overlapping
                if other.product or other.operation_id != key.operation_id
            ]
            short = [_short(billed[other], measured.get(other)) for other in earlier]
            measured[key] = replace(
                taken,
                is_shared=bool(rivals or (not key.product and of_parts)),
                short_before=sum(short, Decimal()),
            )
    return measured


def _take(
    ledger: Ledger, key: Key, limit: Decimal | None, earlier: Sequence[Measured]
) -> Measured | None:
    """Take what is free for a key, no more than `limit`; None where there is no use at all."""
    assert key.operation_id
    assert key.report
    assert key.period
    meters = [
        meter
        for meter in ledger.meters_of(key.operation_id, key.report)
        if key.product in (meter.product, None)
    ]
    supplies = [supply for meter in meters if (supply := ledger.find(meter, key.period))]
    if not supplies:
        return None
    left, parts = limit, []
    for supply in supplies:
        for part in supply.parts:
            taken = ledger.take(part, left)
            if left is not None and taken.quantity is not None and not part.use.is_gauge:
                left -= taken.quantity
            parts.append(taken)
    quantity = _level(supplies, limit, earlier)
    if quantity is None and not any(part.use.is_gauge or part.quantity is None for part in parts):
        quantity = sum((part.quantity for part in parts if part.quantity), Decimal())
    return Measured(
        quantity=quantity,
        parts=parts,
        ends_were_read=all(supply.ends_were_read for supply in supplies),
        unanswered=[stretch for supply in supplies for stretch in supply.unanswered],
    )


def _level(
    supplies: Sequence[Supply], limit: Decimal | None, earlier: Sequence[Measured]
) -> Decimal | None:
    """Return what gauges leave for a key, since nothing of a level is used up by reading it; None
    where not all are gauges."""
    levels = [supply.level for supply in supplies if supply.level is not None]
    if len(levels) < len(supplies):
        return None
    had = sum((other.quantity for other in earlier if other.quantity), Decimal())
    level = max(sum(levels, Decimal()) - had, Decimal())
    return level if limit is None else min(level, limit)


def _short(billed: Billed, measured: Measured | None) -> Decimal:
    """Return what a key bills beyond what there was for it."""
    supply = (measured.quantity if measured else None) or Decimal()
    return max((billed.quantity or Decimal()) - supply, Decimal())


def _length(key: Key) -> int:
    return key.period.length if key.period else 0
