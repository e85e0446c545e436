"""How much can have been used while nobody read: an upper bound, by what was seen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from wolkvox_billing.reconciliation.facts import MonthUse
from wolkvox_billing.values.periods import Period


class Point(NamedTuple):
    """A moment in seconds since 1970, and what a counter showed then."""

    at: int
    quantity: Decimal


def quantity_at(points: Sequence[Point], at: int) -> Decimal | None:
    """Return what was read up to a moment last, None if nothing; `points` are in their order."""
    place = bisect_right(points, at, key=lambda point: point.at)
    return points[place - 1].quantity if place else None


class Tail(NamedTuple):
    """At most this much, in so many unread seconds; `basis` says by what: `busiest` (the highest
    rate that was seen), `average` (it was never read for so long), or `unknown` (no reading)."""

    quantity: Decimal | None
    seconds: int
    basis: str


class Behind(NamedTuple):
    """Why a counter may be behind what it showed last, so that more counts as unread than the
    seconds that were not read: `seldom` and `step` (it moves every so many seconds), `still` (since
    it was seen to move), `lag` (by the setting), `outage` (it stood still for a while), `night` (a
    nightly job fills it)."""

    reason: str
    not_read: int
    moved_at: int  # seconds since 1970
    every: int = 0


class Unread(NamedTuple):
    """What nobody saw of a use in a period: so much may be missing in what was measured, and so
    much of it may be from before the period (None: nothing tells). `is_at_end`: the unread time is
    one stretch, and the period ends with it. `behind`: why it is more than was not read."""

    missing: Tail
    foreign: Decimal | None = Decimal()
    is_at_end: bool = True
    behind: Behind | None = None


OFTEN = 6  # readings of a day: a level read less often may have been any in between
NOTHING = Tail(Decimal(), 0, "busiest")

Unseen = Mapping[tuple[MonthUse, Period], Unread]  # of a use in a stretch of its month


def bound(points: Sequence[Point], unread: int, factor: Decimal) -> Tail:
    """Return what a counter can have counted in so many seconds: the highest rate between two
    readings at least so far apart, for that time, times `factor`, rounded up."""
    if not unread:
        return NOTHING
    most = max([Decimal(), *_held_in(points, unread, unread)])
    basis = "busiest"
    elapsed = points[-1].at - points[0].at
    if elapsed < unread:
        most, basis = points[-1].quantity * unread / max(elapsed, 1), "average"
    return Tail((most * factor).to_integral_value(ROUND_CEILING), unread, basis)


def unread_of_counter(
    readings: Sequence[Point], month: int, start: int, end: int, factor: Decimal
) -> Unread:
    """Return what nobody saw of a counter in a stretch of its month, at whose start it is zero, so
    that one reading gives a rate too. `month`, `start` and `end` are seconds since 1970."""
    foreign = _unseen(readings, month, start, factor).quantity
    return Unread(_unseen(readings, month, end, factor), foreign)


def _unseen(readings: Sequence[Point], begin: int, at: int, factor: Decimal) -> Tail:
    """Return what was counted between the last reading up to a moment and that moment: bounded by
    the highest rate, and by what the next reading shows."""
    if at <= begin:
        return NOTHING
    zero = Point(begin, Decimal())
    before = [point for point in readings if point.at <= at]
    last = before[-1] if before else zero
    following = next((point for point in readings if point.at > at), None)
    if following is None and not before:
        return Tail(None, at - begin, "unknown")
    tail = bound([zero, *readings], at - last.at, factor)
    most = tail.quantity or Decimal()
    if following is not None:
        most = min(most, max(following.quantity - last.quantity, Decimal()))
    return tail._replace(quantity=most)


class Day(NamedTuple):
    """A day of a period, in seconds since 1970, and what it showed when; () if never read."""

    start: int
    end: int
    points: tuple[Point, ...] = ()

    @property
    def unread(self) -> int:
        """The seconds after its last reading."""
        return self.end - (self.points[-1].at if self.points else self.start)


def unread_of_days(days: Sequence[Day], factor: Decimal) -> Unread:
    """Return what nobody saw of numbers that are a day's own: what is left of each day after its
    last reading can hold as much as any day showed in about so long a time. A time longer than any
    that was seen is unknown: what is read each morning says nothing of the afternoons."""
    unread = sum(day.unread for day in days)
    is_at_end = bool(days) and unread == days[-1].unread
    most: Decimal | None = Decimal()
    for length in (day.unread for day in days if day.unread):
        busiest = max((_busiest(day, length) for day in days), default=Decimal(-1))
        most = None if most is None or busiest < 0 else most + busiest
    if most is None:
        return Unread(Tail(None, unread, "unknown"), Decimal(), is_at_end)
    bound = (most * factor).to_integral_value(ROUND_CEILING)
    return Unread(Tail(bound, unread, "busiest"), Decimal(), is_at_end)


def _busiest(day: Day, length: int) -> Decimal:
    """Return the most that a day showed in a time of this length, or a tenth less; -1 if none."""
    points = [Point(day.start, Decimal()), *day.points]
    return max([Decimal(-1), *_held_in(points, length, length * 9 // 10)])


def _held_in(points: Sequence[Point], seconds: int, least: int) -> Iterator[Decimal]:
    """Yield what so many seconds hold, from each point on, by its rate to the next point that is at
    least so far away."""
    later = 0
    for at, quantity in points:
        while later < len(points) and points[later].at - at < least:
            later += 1
        if later == len(points):
            return
        apart = max(points[later].at - at, 1)
        yield (points[later].quantity - quantity) * seconds / apart


def unread_of_gauge(days: Sequence[Day], gauge_month: str) -> Unread:
    """Return what nobody saw of a level: a day that was read often is known, and another one may
    have had any. Of the month's last level one reading tells."""
    needed, least = (days[-1:], 1) if gauge_month == "last" else (days, OFTEN)
    unread = sum(day.end - day.start for day in needed if len(day.points) < least)
    if not unread:
        return Unread(NOTHING)
    # The highest level that was read is a lower bound; a last one and an average are not.
    foreign = Decimal() if gauge_month == "max" else None
    return Unread(Tail(None, unread, "unknown"), foreign, gauge_month == "last")


def add_unread(parts: Sequence[Unread]) -> Unread:
    """Return what nobody saw of several uses together."""
    missing = NOTHING
    if tails := [part.missing for part in parts if part.missing.seconds]:
        bases = {tail.basis for tail in tails}
        missing = Tail(
            sum_known([tail.quantity for tail in tails]),
            max(tail.seconds for tail in tails),
            next((basis for basis in ("unknown", "average") if basis in bases), "busiest"),
        )
    foreign = sum_known([part.foreign for part in parts])
    longest = max(parts, key=lambda part: part.missing.seconds, default=None)
    behind = longest.behind if longest else None
    return Unread(missing, foreign, all(part.is_at_end for part in parts), behind)


def sum_known(quantities: Sequence[Decimal | None]) -> Decimal | None:
    """Return the sum; None where one of them is not known."""
    known = [quantity for quantity in quantities if quantity is not None]
    return sum(known, Decimal()) if len(known) == len(quantities) else None
