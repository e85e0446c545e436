"""Periods: from a day to before another, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.values.locales import ENGLISH, format_day, short_date, short_month
from wolkvox_billing.values.translation import N_, Sentence, translate

DAY = timedelta(days=1)
_TO, _NONE = N_(" to "), N_("none")  # between two days, and of no day


class Period(NamedTuple):
    """From `start` to before `end`."""

    start: date
    end: date

    def __str__(self) -> str:
        return f"{self.start} to {self.end - DAY}"

    def holds(self, other: Period) -> bool:
        return self.start <= other.start and other.end <= self.end

    def has(self, day: date) -> bool:
        return self.start <= day < self.end

    def overlaps(self, other: Period) -> bool:
        return self.start < other.end and other.start < self.end

    def common(self, other: Period) -> Period:
        """Return the days of both, of periods that overlap."""
        return Period(max(self.start, other.start), min(self.end, other.end))

    @property
    def length(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days

    @property
    def days(self) -> list[date]:
        return [self.start + n * DAY for n in range(self.length)]


@lru_cache(maxsize=4096)  # of few days, and asked for each line
def month_of(day: date, first_day: int = 1) -> Period:
    """Return the month that a day is in; of a cycle that begins on another day than the first, from
    that day to before the same of the next month."""
    start = day.replace(day=first_day)
    if start > day:
        start = (day.replace(day=1) - DAY).replace(day=first_day)
    return Period(start, (start.replace(day=1) + timedelta(days=32)).replace(day=first_day))


def months_of(period: Period, first_day: int = 1) -> list[Period]:
    """Return a period cut where months begin, or a cycle's."""
    months: list[Period] = []
    start = period.start
    while start < period.end:
        end = min(month_of(start, first_day).end, period.end)
        months.append(Period(start, end))
        start = end
    return months


def read_month(text: str) -> Period:
    """Return a month by the name that people give it, such as 2026-11. Raises SettingsError."""
    with suppress(ValueError, OverflowError):  # no date is after 9999-12
        if re.fullmatch(r"\d{4}-\d\d", text, re.ASCII):
            return month_of(date.fromisoformat(f"{text}-01"))
    raise SettingsError(
        Sentence(N_("{text} is no month: expected one such as 2026-11"), text=repr(text))
    )


def format_month(day: date) -> str:
    """Return the name of the month that a day is in: `2026-11`."""
    return day.isoformat()[:7]


def last_day(period: Period) -> date:
    return period.end - DAY


def is_calendar_month(period: Period) -> bool:
    return period.start.day == period.end.day == 1 and 0 < period.length <= 31


def format_period(start: date | None, end: date | None, locale: str = ENGLISH) -> str:
    """Return a calendar month as a table has it, any other period by its first and last day, and ""
    for one that nobody knows."""
    if not start or not end:
        return ""
    period = Period(start, end)
    if is_calendar_month(period):
        return short_month(start, locale)
    days = (short_date(day, locale) for day in (start, last_day(period)))
    return translate(_TO, locale).join(days)


def label_period(start: date | None, end: date | None) -> str | None:
    """Return a calendar month as `2026-10`, any other period by its first and last day as ISO 8601
    has them, `2026-09-26/2026-10-25`: in no language, and in the order of time when sorted."""
    if not start or not end:
        return None
    is_month = is_calendar_month(Period(start, end))
    return format_month(start) if is_month else f"{start}/{end - DAY}"


def format_days(days: Sequence[date], locale: str = ENGLISH) -> str:
    """Return days as runs: `18 Sep to 20 Sep, 3 Oct`; `none` where there are none."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    to = translate(_TO, locale)
    texts = [
        to.join(format_day(day, locale) for day in dict.fromkeys((run[0], run[-1]))) for run in runs
    ]
    return ", ".join(texts) or translate(_NONE, locale)
