"""Business days of Colombia: neither Saturday nor Sunday, nor one of its holidays."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta
from functools import lru_cache

_DAY = timedelta(days=1)


@lru_cache(maxsize=10_000)
def add_business_days(day: date, count: int) -> date:
    """Return the business day that is so many after a day, which may be none itself. Raises
    OverflowError where that is beyond the last day that there is."""
    while count > 0:
        day += _DAY
        count -= _is_business_day(day)
    return day


def business_days_until(day: date, last: date) -> int:
    """Return how many business days lie after a day, up to the last one; 0 where that is past."""
    return sum(_is_business_day(day + n * _DAY) for n in range(1, (last - day).days + 1))


@lru_cache(maxsize=10_000)
def is_holiday(day: date) -> bool:
    """Whether a day is one of Colombia's holidays, be it a Sunday too."""
    return day in _holidays()


def _is_business_day(day: date) -> bool:
    return day.weekday() < 5 and not is_holiday(day)


@lru_cache
def _holidays() -> Container[date]:
    from holidays import country_holidays  # as slow to import as a poll: few verbs need it

    return country_holidays("CO")
