"""What a day uses, by its weekday and Colombia's holidays, as the operation's own days have it.

Days are of eight classes: the seven weekdays, and holidays where the operation has lived through
enough of them. Of each class its last eight weeks count (of holidays the last year), with their
mean m and their variance s², n of them, and days are taken to be independent. Then k days to come
of a class use k·m, with a variance of s²·(k + k²/n): that of the days, and that of the mean. Sums
over classes add up, and Student's t with the degrees of freedom of Welch and Satterthwaite makes
the interval. It is the prediction interval of a sum of future observations of several groups, as
in Hahn and Meeker, Statistical Intervals (1991), chapter 4; and of B. L. Welch, Biometrika 34
(1947). `make honesty` measures how often it holds.

s² is no less than half the mean and a twentieth: what is counted in units scatters by its mean even
where all days are alike (Poisson), of which eight days may show half; and a class that only ever
showed 0 says little of the next such day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from wolkvox_billing.reconciliation.facts import DayUse
from wolkvox_billing.values.business_days import is_holiday

WEEKS = timedelta(weeks=8)
YEAR = timedelta(days=365)
FEWEST_DAYS = 28  # whole ones, before anything is said
FEWEST_OF_CLASS = 3
HOLIDAY = 7  # beside the weekdays, from Monday: 0


class DayClass(NamedTuple):
    """What days of a class had: how many there were, their mean, and the variance of one."""

    days: int
    mean: float
    variance: float

    def variance_of(self, count: int) -> float:
        """Return the variance of so many days to come, of which the mean is not known better."""
        return self.variance * (count + count * count / self.days)


class Interval(NamedTuple):
    """What is expected, and between what it lies with the chance that was asked for."""

    expected: float
    low: float
    high: float


class DayProfile:
    """The classes of an operation's days, before a day; of several days that were read as one
    nobody knows what each had. Raises NotEnoughDays."""

    def __init__(self, history: Iterable[DayUse], before: date) -> None:
        recent: defaultdict[int, list[float]] = defaultdict(list)
        holidays: list[float] = []
        since = before - YEAR
        last_year = [use for use in history if use.covers == 1 and since <= use.day < before]
        if len(last_year) < FEWEST_DAYS:  # before anybody asks for holidays: slow to import
            raise NotEnoughDays
        for use in last_year:
            if is_holiday(use.day):
                holidays.append(float(use.quantity))
            elif use.day >= before - WEEKS:
                recent[use.day.weekday()].append(float(use.quantity))
        self.days = sum(map(len, recent.values()))
        if self.days < FEWEST_DAYS or len(recent) < HOLIDAY:
            raise NotEnoughDays
        if min(map(len, recent.values())) < FEWEST_OF_CLASS:
            raise NotEnoughDays
        self._classes = {weekday: class_of(values) for weekday, values in recent.items()}
        if len(holidays) >= FEWEST_OF_CLASS:
            self._classes[HOLIDAY] = class_of(holidays)

    def _name(self, day: date) -> int:
        return HOLIDAY if HOLIDAY in self._classes and is_holiday(day) else day.weekday()

    def sum_over(self, days: Sequence[date], chance: float) -> Interval:
        """Return what days to come use together."""
        counts: defaultdict[int, int] = defaultdict(int)
        for day in days:
            counts[self._name(day)] += 1
        if not counts:
            return Interval(0.0, 0.0, 0.0)
        parts = [(self._classes[name], count) for name, count in counts.items()]
        expected = sum(own.mean * count for own, count in parts)
        variances = [own.variance_of(count) for own, count in parts]
        whole = sum(variances)
        freedom = whole**2 / sum(
            variance**2 / (own.days - 1)
            for variance, (own, _) in zip(variances, parts, strict=True)
        )
        half = student_t((1 + chance) / 2, freedom) * sqrt(whole)
        return Interval(expected, expected - half, expected + half)


class NotEnoughDays(Exception):
    """There are too few whole days to say anything of those to come."""


def class_of(values: Sequence[float]) -> DayClass:
    """Return the class of days that had these amounts, two or more."""
    count = len(values)
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    return DayClass(count, mean, max(variance, abs(mean) / 2 + 0.05))


@lru_cache(maxsize=1000)
def student_t(chance: float, freedom: float) -> float:
    """Return the quantile of Student's t, to a hundredth from 3 degrees of freedom on: Abramowitz
    and Stegun, Handbook of Mathematical Functions (1964), 26.7.5."""
    z = NormalDist().inv_cdf(chance)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return sum(term / freedom**power for power, term in enumerate(terms))
