"""What quantities cost by contract, where prices change within a period too.

quantity ─▶ each operation, by what was measured of it ─▶ less what a package pays
         ─▶ each month and price, by its days ─▶ tiers, which count within a month ─▶ cents
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from operator import add
from typing import NamedTuple

from wolkvox_billing.reconciliation.contract.tariff import Tariff, cents
from wolkvox_billing.reconciliation.facts import DayUse
from wolkvox_billing.reconciliation.unread import Unread
from wolkvox_billing.values.periods import DAY, Period

_PRICE, _SMALL_PRICE = Decimal("0.0001"), Decimal("0.00000001")
_NOTHING = Fraction()
POOLED_SHARE, TIER_REACHED = "pooled_share", "tier_reached"


class Turn(NamedTuple):
    """Another honest way to price a period, and between what its costs lie. Where the price changed
    on a `day`: `price_turn` by another day for what was read at the change, `tiers_anew` by tiers
    that begin anew with the price. Where tiers count other operations too: `pooled_share` by
    whose units come first. `tier_reached` by whether a tier holds for just what it begins at."""

    name: str
    day: date
    lowest: Decimal
    highest: Decimal


@dataclass(frozen=True)
class TierMonth:
    """The prices of a period's days in a month, within which tiers count.

    `before`: the prices of the month's days before them. `counted`: at each of all these prices the
    units that other verdicts count first. `others`: at each price of the period the units of other
    operations that tiers count with these. Both are blank where there are none."""

    month: Period
    tariffs: tuple[Tariff, ...]
    before: tuple[Tariff, ...] = ()
    counted: tuple[Decimal, ...] = ()
    others: tuple[Decimal, ...] = ()

    def cost(self, units: Sequence[Fraction]) -> Fraction:
        """Return what so many units at each price cost, unrounded: of what they cost with those of
        other operations as much as they are of them."""
        if not any(self.others):
            return self._cost_of(units)
        together = [own + Fraction(other) for own, other in zip(units, self.others, strict=True)]
        whole = sum(together, _NOTHING)
        return self._cost_of(together) * sum(units, _NOTHING) / whole if whole else _NOTHING

    def behind_others(self) -> TierMonth:
        """Return the month with other operations' units among those that are counted first."""
        nothing = [Decimal()] * len(self.tariffs)
        others = [Decimal()] * len(self.before) + list(self.others or nothing)
        counted = self.counted or [Decimal()] * len(others)
        return replace(self, counted=tuple(map(add, counted, others)), others=())

    def _cost_of(self, units: Sequence[Fraction]) -> Fraction:
        if not any(self.counted):
            return _cost(self.tariffs, units)
        counted = [Fraction(units) for units in self.counted]
        own = [*(_NOTHING for _ in self.before), *units]
        tariffs = (*self.before, *self.tariffs)
        return _cost(tariffs, list(map(add, counted, own))) - _cost(tariffs, counted)


def _cost(tariffs: Sequence[Tariff], units: Sequence[Fraction]) -> Fraction:
    """Return what a month's units at each price cost, whose tiers go on from one to the next."""
    costs: list[Fraction] = []
    for n, (tariff, quantity) in enumerate(zip(tariffs, units, strict=True)):
        if tariff.is_of_all_units:
            costs.append(tariff.price_at(add_up(units)) * quantity)
        elif n:
            level = add_up(units[:n])
            costs.append(tariff.cost(level + quantity) - tariff.cost(level))
        else:
            costs.append(tariff.cost(quantity))
    return add_up(costs)


def add_up(parts: Iterable[Fraction]) -> Fraction:
    """Return a sum. Most often it is of one fraction, and adding nothing to that takes its time."""
    first, *others = [*parts] or [_NOTHING]
    return sum(others, first)


@dataclass(frozen=True)
class Course:
    """The use of an operation, or of all together, in a period. `used` is all that was measured, by
    which quantities are shared among several operations; `packaged` units of it are paid by a
    package, and `days` are those beyond it. What was not read may draw on what is `left` of it."""

    months: tuple[TierMonth, ...]
    days: Sequence[DayUse] = ()
    used: Decimal = Decimal()
    packaged: Decimal = Decimal()
    left: Decimal = Decimal()

    def beyond_tiers(self) -> Course:
        """Return the course with all-units tiers that hold only for more than they begin at."""
        months = [
            replace(
                month,
                tariffs=tuple(map(Tariff.beyond_tiers, month.tariffs)),
                before=tuple(map(Tariff.beyond_tiers, month.before)),
            )
            for month in self.months
        ]
        return replace(self, months=tuple(months))

    @property
    def is_shared(self) -> bool:
        return any(any(month.others) for month in self.months)

    def as_first(self) -> Course:
        """Return the course as if other operations' units came behind its own."""
        return replace(self, months=tuple(replace(month, others=()) for month in self.months))

    def as_last(self) -> Course:
        """Return the course as if other operations' units came before its own."""
        return replace(self, months=tuple(month.behind_others() for month in self.months))

    @property
    def tariffs(self) -> list[Tariff]:
        return [tariff for month in self.months for tariff in month.tariffs]

    def costs(self, quantity: Fraction, shares: Sequence[Decimal]) -> list[Fraction]:
        """Return what a quantity costs in each month. It is spread over the prices by `shares`."""
        if quantity > 0 and (self.packaged or self.left):
            read = min(quantity, Fraction(self.used))
            unread = max(quantity - read - Fraction(self.left), _NOTHING)
            quantity = max(read - Fraction(self.packaged), _NOTHING) + unread
        units = iter([quantity])
        if len(shares) > 1:
            whole = Fraction(sum(shares, Decimal()))
            units = iter([quantity * Fraction(share) / whole for share in shares])
        return [month.cost([next(units) for _ in month.tariffs]) for month in self.months]


class MonthCost(NamedTuple):
    """What was measured and billed of a month costs, unrounded; None where it is not known."""

    month: Period
    of_measured: Fraction | None
    of_billed: Fraction | None


@dataclass(frozen=True)
class Priced:
    """What a key's quantities cost by contract; None where no price is known. `of_most`: what was
    measured and all that may be missing in it; `of_fewest`: without what may be from before.
    `lowest` and `highest`: what the quantity can cost where a price changed while nobody read.
    `packaged`: the units that a package pays; `minimum`: what it costs at least, where it is that.
    """

    unit_price: Decimal | None = None
    of_measured: Decimal | None = None
    of_billed: Decimal | None = None
    of_most: Decimal | None = None
    of_fewest: Decimal | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    turns: tuple[Turn, ...] = ()
    months: tuple[MonthCost, ...] = ()
    packaged: Decimal = Decimal()
    minimum: Decimal | None = None

    def raised(self, of_measured: Decimal, of_billed: Decimal) -> Priced:
        """Return it with all costs raised by this much: those of what was billed by the other."""

        def plus(cost: Decimal | None, more: Decimal = of_measured) -> Decimal | None:
            return None if cost is None else cost + more

        turns = [
            turn._replace(lowest=turn.lowest + of_billed, highest=turn.highest + of_billed)
            for turn in self.turns
        ]
        return replace(
            self,
            of_measured=plus(self.of_measured),
            of_billed=plus(self.of_billed, of_billed),
            of_most=plus(self.of_most),
            of_fewest=plus(self.of_fewest),
            lowest=plus(self.lowest, of_billed),
            highest=plus(self.highest, of_billed),
            turns=tuple(turns),
        )


class _Split(NamedTuple):
    """How quantities are spread: the share of each operation, and within it of each price."""

    courses: Sequence[Course]
    shares: Sequence[Sequence[Decimal]]

    def costs(self, quantity: Decimal) -> list[list[Fraction]]:
        """Return what a quantity costs, of each course by month."""
        if len(self.courses) == 1:
            return [self.courses[0].costs(Fraction(quantity), self.shares[0])]
        weights = [Fraction(course.used) for course in self.courses]
        whole = sum(weights, _NOTHING)
        if whole <= 0:
            weights, whole = [Fraction(1)] * len(weights), Fraction(len(weights))
        return [
            course.costs(Fraction(quantity) * weight / whole, shares)
            for course, weight, shares in zip(self.courses, weights, self.shares, strict=True)
        ]

    def cost(self, quantity: Decimal) -> Decimal:
        return _total(self.costs(quantity))


class _Cost(NamedTuple):
    """What a quantity costs, of each course by month, and in cents."""

    by_month: list[list[Fraction]]
    total: Decimal


def price(
    courses: Sequence[Course], consumed: Decimal | None, billed: Decimal | None, unread: Unread
) -> Priced:
    """Return what quantities cost; nothing of it is known without courses."""
    if not courses:
        return Priced()
    spread, *extremes = _splits(courses)
    known: dict[Decimal, _Cost] = {}

    def of(quantity: Decimal) -> _Cost:
        if quantity not in known:  # the same quantity is measured and billed, most often
            costs = spread.costs(quantity)
            known[quantity] = _Cost(costs, _total(costs))
        return known[quantity]

    def cost_of(quantity: Decimal | None, more: Decimal | None = Decimal(0)) -> Decimal | None:
        if quantity is None or more is None:
            return None
        return of(quantity + more).total

    compared = consumed if billed is None else billed
    possible = [split.cost(compared) for split in extremes if compared is not None]
    of_measured, of_billed = cost_of(consumed), cost_of(billed)
    return Priced(
        unit_price=_unit_price(courses, (billed, of_billed), (consumed, of_measured)),
        of_measured=of_measured,
        of_billed=of_billed,
        of_most=cost_of(consumed, unread.missing.quantity),
        of_fewest=cost_of(consumed, None if unread.foreign is None else -unread.foreign),
        lowest=min(possible, default=None),
        highest=max(possible, default=None),
        turns=() if compared is None else tuple(_turns(spread, compared)),
        months=tuple(
            _by_month(courses, *(None if q is None else of(q).by_month for q in (consumed, billed)))
        ),
        packaged=min(
            sum((course.packaged for course in courses), Decimal()),
            max(consumed or Decimal(), Decimal()),
        ),
    )


def _total(costs: Iterable[Iterable[Fraction]]) -> Decimal:
    return cents(add_up(cost for of_course in costs for cost in of_course))


def _by_month(courses: Sequence[Course], *costs_of: list[list[Fraction]] | None) -> list[MonthCost]:
    """Return costs by month, of all courses together."""
    places: dict[Period, list[tuple[int, int]]] = {}
    for number, course in enumerate(courses):
        for place, month in enumerate(course.months):
            places.setdefault(month.month, []).append((number, place))
    return [
        MonthCost(
            month,
            *(None if costs is None else add_up(costs[n][m] for n, m in own) for costs in costs_of),
        )
        for month, own in places.items()
    ]


def _unit_price(
    courses: Sequence[Course], *costs: tuple[Decimal | None, Decimal | None]
) -> Decimal | None:
    """Return the only price that there is, else the average of the first quantity that is known."""
    tariffs = [tariff for course in courses for tariff in course.tariffs]
    tiers = tariffs[0].tiers
    is_plain = len(tiers) == 1 and not any(tariff.discount for tariff in tariffs)
    if is_plain and all(tariff.tiers == tiers for tariff in tariffs):
        tier = tiers[0]
        if tier.per != 1:
            return _average(tier.unit_price, tier.per)
        return tier.unit_price if tier.priced_in == tier.currency else round(tier.unit_price, 8)
    for quantity, cost in costs:
        if quantity and cost is not None:
            return _average(cost, quantity)
    return None


def _turns(spread: _Split, quantity: Decimal) -> Iterator[Turn]:
    """Return how else a quantity may be priced: by other operations' units before it or behind it;
    and where the price changes. A day's use is read in part on the day after: at night, or in the
    morning."""
    if any(course.is_shared for course in spread.courses):
        ways = [
            spread._replace(courses=list(map(way, spread.courses))).cost(quantity)
            for way in (Course.as_first, Course.as_last)
        ]
        start = spread.courses[0].tariffs[0].start
        yield Turn(POOLED_SHARE, start, min(ways), max(ways))
    if any(tariff.is_of_all_units for course in spread.courses for tariff in course.tariffs):
        beyond = spread._replace(courses=list(map(Course.beyond_tiers, spread.courses)))
        cost = beyond.cost(quantity)
        if cost != spread.cost(quantity):
            yield Turn(TIER_REACHED, spread.courses[0].tariffs[0].start, cost, cost)
    for place, course in enumerate(spread.courses):
        shares, tariffs = spread.shares[place], course.tariffs
        changes = [
            number
            for number in range(1, len(tariffs))
            if not tariffs[number].holds_as(tariffs[number - 1])
        ]
        for number in changes:
            moved = [spread.cost(quantity)]
            for first, to in ((number, number - 1), (number - 1, number)):
                day = tariffs[number].start - (DAY if first < number else 0 * DAY)
                near = sum((use.quantity for use in course.days if use.day == day), Decimal())
                near = min(max(near, Decimal()), shares[first])
                other = list(shares)
                other[first], other[to] = shares[first] - near, shares[to] + near
                others = [*spread.shares[:place], other, *spread.shares[place + 1 :]]
                moved.append(spread._replace(shares=others).cost(quantity))
            yield Turn("price_turn", tariffs[number].start, min(moved), max(moved))
        if changes and any(len(tariff.tiers) > 1 for tariff in tariffs):
            courses = [*spread.courses[:place], _anew(course), *spread.courses[place + 1 :]]
            anew = spread._replace(courses=courses).cost(quantity)
            yield Turn("tiers_anew", tariffs[changes[0]].start, anew, anew)


def _anew(course: Course) -> Course:
    """Return a course whose tiers begin anew with each price."""
    months = [TierMonth(month.month, (each,)) for month in course.months for each in month.tariffs]
    return replace(course, months=tuple(months))


def _average(amount: Decimal, quantity: Decimal) -> Decimal:
    unit_price = amount / quantity
    return unit_price.quantize(_PRICE if abs(unit_price) >= 1 else _SMALL_PRICE, ROUND_HALF_UP)


def _splits(courses: Sequence[Course]) -> list[_Split]:
    """Return how quantities are spread; and, where readings cover days under two prices, the two
    ways in which they can be."""
    ways = [_shares(course.tariffs, course.days) for course in courses]
    return [
        _Split(courses, [way[min(n, len(way) - 1)] for way in ways])
        for n in range(max(map(len, ways)))
    ]


def _shares(tariffs: Sequence[Tariff], days: Sequence[DayUse]) -> list[list[Decimal]]:
    """Return what was measured while each price held. A reading that covers days under two prices
    is spread evenly over its days; then it is put into the first price whole, and into the last:
    these are how little and how much can have been used at each. Where nothing was measured, the
    number of days."""
    if len(tariffs) == 1:
        return [[Decimal(1)]]
    spread, early, late = ([Decimal() for _ in tariffs] for _ in range(3))
    for use in _without_falls(days):
        first = max(use.stretch.start, tariffs[0].start)
        covers = (use.day - first).days + 1
        overlaps = [
            (n, (min(tariff.end, use.day + DAY) - max(tariff.start, first)).days)
            for n, tariff in enumerate(tariffs)
            if tariff.start <= use.day and first < tariff.end
        ]
        for n, covered in overlaps:
            spread[n] += use.quantity * covered / covers
        early[overlaps[0][0]] += use.quantity
        late[overlaps[-1][0]] += use.quantity
    if sum(spread) <= 0:
        return [[Decimal((tariff.end - tariff.start).days) for tariff in tariffs]]
    return [spread] if early == late else [spread, early, late]


def _without_falls(days: Sequence[DayUse]) -> list[DayUse]:
    """Return the days, a fall taken off those before it: what a counter takes back was not used."""
    used: list[DayUse] = []
    for use in days:
        fall = -use.quantity
        while fall > 0 and used:
            last = used.pop()
            if last.quantity > fall:
                used.append(last._replace(quantity=last.quantity - fall))
            fall -= last.quantity
        if use.quantity > 0:
            used.append(use)
    return used
