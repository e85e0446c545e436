"""How much days' own numbers may be raised once their days are over.

    read again   days that were read when this one was read last, and hours later: what they grew
    never        nobody looked at a day again hours later, so that the record does not tell: what a
                 quarter of an hour of the day holds. As old as that, as a rule, are calls that are
                 in progress or on their way when a day ends; and at its average rate, which is more
                 than midnight's. It comes to about a hundredth of the month.

`at` of a Point is its age here: the seconds since its day was over, below nothing within the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal
from operator import add
from typing import NamedTuple

from wolkvox_billing.reconciliation.unread import Point, quantity_at

LATER = 6 * 3600  # what a night's job adds is there
ENOUGH = 3  # days that were read again show what the others do
WEEK = 7 * 86_400  # a day's number that was read so late is final
QUARTERS = 4 * 24  # of an hour, in a day

Day = Sequence[Point]  # at least one, in the order of age


class Raises(NamedTuple):
    """What may be added to days after they were read last: `by_growth` by what others grew,
    `unread` where nobody looked. `rest`: the same as the first of days that were read before they
    were over only, so that what was used in the rest of them is in it."""

    by_growth: Decimal = Decimal()
    unread: Decimal = Decimal()
    rest: Decimal = Decimal()

    @property
    def total(self) -> Decimal:
        return self.by_growth + self.unread + self.rest

    def plus(self, other: Raises) -> Raises:
        return Raises(*map(add, self, other))


NONE_RAISED = Raises()


def raises_of(days: Iterable[Day], others: Iterable[Day] = ()) -> Raises:
    """Return what may be added to days. `others` are days of the same counter that show, as these
    do themselves, how much a day grows."""
    own = list(days)
    all_days = [*own, *others]
    by_growth = unread = rest = Decimal()
    for day in own:
        last = day[-1]
        grown = [
            (other[-1].at - max(last.at, 0), other[-1].quantity - then)
            for other in all_days
            if other[-1].at > last.at and (then := quantity_at(other, last.at)) is not None
        ]
        most = max([Decimal(), *(quantity for _, quantity in grown)])
        looked_later = sum(apart >= LATER for apart, _ in grown)
        if looked_later < ENOUGH and last.at < WEEK and not _was_read_again(day):
            unread += max(most, last.quantity / QUARTERS)
        elif last.at < 0:
            rest += most
        else:
            by_growth += most
    return Raises(by_growth, unread.to_integral_value(ROUND_CEILING), rest)


def _was_read_again(day: Day) -> bool:
    """Whether a day was read when it was over, and again hours later."""
    over = [point.at for point in day if point.at >= 0]
    return bool(over) and over[-1] - over[0] >= LATER
