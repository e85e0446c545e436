"""Spans of time as a person sees them: in the largest unit of which there are two or more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds
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
    return f"{seconds // HOUR} h" if seconds < days_from else f"{seconds // DAY} days"


def format_age(age: timedelta | None) -> str:
    """Return how long ago something was, "" where it never was."""
    return "" if age is None else format_span(int(age.total_seconds()), 2 * DAY)


def format_rounded(span: timedelta) -> str:
    """Return a span to the nearest minute, or hour: `5 h`."""
    minutes = round(span.total_seconds() / MINUTE)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
