"""How much can have been used while nobody read: an upper bound, by what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

HOUR = 3600


class Tail(NamedTuple):
    """At most this much, in so many unread seconds; `basis` says by what: `busiest` (the highest
    rate that was seen), `average` (it was never read for so long), or `unknown` (no reading)."""

    quantity: Decimal | None
    seconds: int
    basis: str


def tail_of(readings: Sequence[tuple[int, Decimal]], start: int, end: int, factor: Decimal) -> Tail:
    """What a counter can have counted after its last reading, up to the period's end.

    readings: when (seconds since 1970) and what it showed since the period began. The bound is the
    highest rate between two readings at least so far apart as the unread time is long, for that
    time, times `factor`, rounded up; from zero at `start` on, so that one reading gives one too.
    """
    if not readings:
        return Tail(None, end - start, "unknown")
    unread = max(end - readings[-1][0], 0)
    if not unread:
        return Tail(Decimal(), 0, "busiest")
    points = [(start, Decimal()), *readings]
    most, later = Decimal(), 0
    for at, value in points:
        while later < len(points) and points[later][0] - at < unread:
            later += 1
        if later == len(points):
            break
        apart = points[later][0] - at
        most = max(most, (points[later][1] - value) * unread / apart)
    basis = "busiest"
    if points[-1][0] - start < unread:
        elapsed = max(points[-1][0] - start, 1)
        most, basis = points[-1][1] * unread / elapsed, "average"
    return Tail((most * factor).to_integral_value(ROUND_CEILING), unread, basis)
