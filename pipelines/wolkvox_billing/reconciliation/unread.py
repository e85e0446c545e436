"""How much can have been used while nobody read: an upper bound, by what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

HOUR = 3600

Point = tuple[int, Decimal]  # a moment in seconds since 1970, and what a counter showed then


class Tail(NamedTuple):
    """At most this much, in so many unread seconds; `basis` says by what: `busiest` (the highest
    rate that was seen), `average` (it was never read for so long), or `unknown` (no reading)."""

    quantity: Decimal | None
    seconds: int
    basis: str


class Unread(NamedTuple):
    """What nobody saw of a use in a period: so much may be missing in what was measured, and so
    much of it may be from before the period (None: nothing tells). `is_at_end`: the unread time is
    one stretch, and the period ends with it."""

    missing: Tail
    foreign: Decimal | None = Decimal()
    is_at_end: bool = True


NOTHING = Tail(Decimal(), 0, "busiest")


def tail_of(readings: Sequence[Point], start: int, end: int, factor: Decimal) -> Tail:
    """What a counter can have counted after its last reading, up to the period's end.

    readings: what it showed since the period began. The bound is the highest rate between two
    readings at least so far apart as the unread time is long, for that time, times `factor`,
    rounded up; from zero at `start` on, so that one reading gives one too.
    """
    if not readings:
        return Tail(None, end - start, "unknown")
    unread = max(end - readings[-1][0], 0)
    return _bound([(start, Decimal()), *readings], unread, factor)


def _bound(points: Sequence[Point], unread: int, factor: Decimal) -> Tail:
    if not unread:
        return NOTHING
    most, later = Decimal(), 0
    for at, value in points:
        while later < len(points) and points[later][0] - at < unread:
            later += 1
        if later == len(points):
            break
        apart = points[later][0] - at
        most = max(most, (points[later][1] - value) * unread / apart)
    basis = "busiest"
    if points[-1][0] - points[0][0] < unread:
        elapsed = max(points[-1][0] - points[0][0], 1)
        most, basis = points[-1][1] * unread / elapsed, "average"
    return Tail((most * factor).to_integral_value(ROUND_CEILING), unread, basis)


def unread_of_counter(
    readings: Sequence[Point], month: tuple[int, int], start: int, end: int, factor: Decimal
) -> Unread:
    """Of a counter that counts from the month's start on, in a stretch of that month."""
    foreign = _unseen(readings, month[0], start, factor).quantity
    return Unread(_unseen(readings, month[0], end, factor), foreign)


def _unseen(readings: Sequence[Point], begin: int, at: int, factor: Decimal) -> Tail:
    """What was counted between the last reading up to a moment and that moment: bounded by the
    highest rate, and by what the next reading shows."""
    if at <= begin:
        return NOTHING
    before = [one for one in readings if one[0] <= at]
    last, shown = before[-1] if before else (begin, Decimal())
    after = next((value for moment, value in readings if moment > at), None)
    if after is None and not before:
        return Tail(None, at - begin, "unknown")
    tail = _bound([(begin, Decimal()), *readings], at - last, factor)
    most = tail.quantity or Decimal()
    if after is not None:
        most = min(most, max(after - shown, Decimal()))
    return tail._replace(quantity=most)


class Day(NamedTuple):
    """A day of a period, in seconds since 1970, and what it showed when; () if never read."""

    start: int
    end: int
    read: tuple[Point, ...] = ()

    @property
    def unread(self) -> int:
        return self.end - (self.read[-1][0] if self.read else self.start)


def unread_of_days(days: Sequence[Day], factor: Decimal) -> Unread:
    """Of numbers that are a day's own: what is left of each day after its last reading can hold as
    much as any day showed in about so long a time. A time longer than any that was seen is unknown:
    what is read each morning says nothing of the afternoons."""
    unread = sum(one.unread for one in days)
    is_at_end = bool(days) and unread == days[-1].unread
    most: Decimal | None = Decimal()
    for length in (one.unread for one in days if one.unread):
        seen = max((_busiest(one, length) for one in days), default=Decimal(-1))
        most = None if most is None or seen < 0 else most + seen
    if most is None:
        return Unread(Tail(None, unread, "unknown"), Decimal(), is_at_end)
    bound = (most * factor).to_integral_value(ROUND_CEILING)
    return Unread(Tail(bound, unread, "busiest"), Decimal(), is_at_end)


def _busiest(day: Day, length: int) -> Decimal:
    """The most that a day showed in a time of this length, or a tenth less; -1 if in none."""
    points = [(day.start, Decimal()), *day.read]
    most, least = Decimal(-1), length * 9 // 10
    later = 0
    for at, value in points:
        while later < len(points) and points[later][0] - at < least:
            later += 1
        if later == len(points):
            break
        apart = max(points[later][0] - at, 1)
        most = max(most, (points[later][1] - value) * length / apart)
    return most


def unread_of_gauge(days: Sequence[Day], gauge_month: str) -> Unread:
    """Of a level: a day that was read is known, and one that was not may have had any."""
    needed = days[-1:] if gauge_month == "last" else days
    unread = sum(one.end - one.start for one in needed if not one.read)
    if not unread:
        return Unread(NOTHING)
    # The highest level that was seen is a lower bound; a last one and an average are not.
    foreign = Decimal() if gauge_month == "max" else None
    return Unread(Tail(None, unread, "unknown"), foreign, gauge_month == "last")


def added(parts: Sequence[Unread]) -> Unread:
    """What several uses together can have had unseen."""
    tails = [one.missing for one in parts if one.missing.seconds]
    if not tails:
        missing = NOTHING
    else:
        known = [one.quantity for one in tails if one.quantity is not None]
        quantity = sum(known, Decimal()) if len(known) == len(tails) else None
        bases = {one.basis for one in tails} - {"busiest"}
        basis = "unknown" if "unknown" in bases else next(iter(bases), "busiest")
        missing = Tail(quantity, max(one.seconds for one in tails), basis)
    foreign = [one.foreign for one in parts if one.foreign is not None]
    return Unread(
        missing,
        sum(foreign, Decimal()) if len(foreign) == len(parts) else None,
        all(one.is_at_end for one in parts),
    )
