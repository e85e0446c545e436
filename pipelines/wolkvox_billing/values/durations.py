"""Spans of time as a person writes them, and sees them: in the largest unit that is there twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from statistics import median

from wolkvox_billing.values.translation import Plural, Sentence

MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds
_SPAN = r"(?:([0-9]{1,5})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,5})s)?"
_DAYS = Plural("{n} day", "{n} days")
_LITTLE = 0.05  # of the time: pauses that hold less of it, of those that somebody makes,
_HABIT = 3  # stand in a row where there are so many longer ones


def choose_unit(seconds: int) -> tuple[int, str]:
    """Return how many whole `seconds`, `minutes` or `hours` a span has, and which of them."""
    if seconds >= 2 * HOUR:
        return seconds // HOUR, "hours"
    if seconds >= 2 * MINUTE:
        return seconds // MINUTE, "minutes"
    return seconds, "seconds"


def usual_pause(pauses: Sequence[float]) -> float | None:
    """Return the pause that is usual among these, in seconds: their median, but of somebody who
    asks twice in a row once a day, a day. None where there is none."""
    rest = sorted(pauses)
    while rest:
        usual = median(rest)
        longer = [pause for pause in rest if pause > 3 * usual]
        if len(longer) < _HABIT or sum(rest) - sum(longer) > _LITTLE * sum(rest):
            return usual
        rest = longer
    return None


def format_span(seconds: int, days_from: int = 3 * DAY) -> str:
    """Return a span as whole minutes, hours, or, from so many seconds on, days: `5 h`."""
    if seconds < 2 * HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < days_from:
        return f"{seconds // HOUR} h"
    return Sentence(_DAYS, seconds // DAY, n=seconds // DAY)


def format_age(age: timedelta | None) -> str:
    """Return how long ago something was, "" where it never was."""
    return "" if age is None else format_span(int(age.total_seconds()), 2 * DAY)


def format_rounded(span: timedelta) -> str:
    """Return a span to the nearest minute, or hour: `5 h`."""
    minutes = round(span.total_seconds() / MINUTE)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"


def read_duration(text: str) -> timedelta:
    """Return a span as people write it, each number with its unit: `90s`, `5m`, `1h30m`, `2d`.
    Raises ValueError for anything else, a bare number and nothing at all included."""
    match = re.fullmatch(_SPAN, text.strip())
    numbers = [int(number or 0) for number in match.groups()] if match else []
    if not any(numbers):
        raise ValueError(f"{text!r} is no span of time: expected one such as 90s, 5m, 1h or 1h30m")
    days, hours, minutes, seconds = numbers
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def format_duration(span: timedelta) -> str:
    """Return a span of whole seconds as `read_duration` reads it: `5m`, `1h30m`."""
    minutes, seconds = divmod(round(span.total_seconds()), MINUTE)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
