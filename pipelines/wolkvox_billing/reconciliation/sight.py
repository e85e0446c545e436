"""Which days' copies a look can have seen: what a lifecycle rule deletes before anybody looks is in
no table.

How long copies stay nobody says. But those of the oldest usual day that a whole look listed were
there for so long: so whatever was copied on a day was there until as many days later, and was seen
by any look within them. A few older ones tell nothing: a rule may spare some.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from wolkvox_billing.reconciliation.facts import DayUse
from wolkvox_billing.values.periods import Period

_NOTHING = Decimal()
_LATELY = 6  # days back that a look at the last ones goes, at the least


def first_usual(copied: Mapping[date, int]) -> date:
    """Return the first day with at least a quarter of the copies of the median one."""
    usual = median(copied.values())
    return min(day for day, copies in copied.items() if 4 * copies >= usual)


class LookedOn(NamedTuple):
    """The day of a look, and whether it was at all of the bucket."""

    day: date
    is_full: bool


@dataclass(frozen=True)
class Sight:
    """The looks at an operation's copies, and the first usual day that the last whole one listed.

    A copy may go in the course of a day: the oldest day's may be in part.
    """

    looks: Sequence[LookedOn]
    oldest: date

    @property
    def _stay(self) -> int:
        """How many days a copy stays, at the least."""
        last = max(look.day for look in self.looks if look.is_full)
        return (last - self.oldest).days - 1

    def sees(self, day: date) -> bool:
        """Whether all that was copied on a day was there when somebody looked."""
        return any(
            0 <= (look.day - day).days <= (self._stay if look.is_full else min(self._stay, _LATELY))
            for look in self.looks
        )

    def unseen(self, uses: Iterable[DayUse], period: Period, factor: Decimal) -> Decimal:
        """Return how many copies of a period may have gone before anybody looked, by the counter's
        days. Where it showed nothing before the oldest copy, nothing has gone: copying began then.
        Of use that spans several days, of which some were not seen, their share, and `factor`
        times that, since days differ."""
        known = [*uses]
        if not any(use.quantity for use in known if use.stretch.start < self.oldest):
            return _NOTHING
        return sum((self._unseen_of(use, factor) for use in known if period.has(use.day)), _NOTHING)

    def _unseen_of(self, use: DayUse, factor: Decimal) -> Decimal:
        unseen = sum(not self.sees(day) for day in use.stretch.days)
        if use.covers == 1 or unseen == use.covers:
            return use.quantity if unseen else _NOTHING
        return min(use.quantity, use.quantity * unseen * factor / use.covers)
