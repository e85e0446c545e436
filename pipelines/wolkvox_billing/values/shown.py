"""Numbers, periods and texts as a person sees them, on a terminal or a page."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal


def harmless(text: str) -> str:
    """A text of the vendor's for a terminal: what does not print is shown by its number."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def shown_number(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def shown_period(start: date, end: date) -> str:
    """A calendar month as `2026-10`, any other period by its first and last day."""
    last = end - timedelta(days=1)
    if start.day == 1 and end.day == 1 and (start.year, start.month) == (last.year, last.month):
        return f"{start:%Y-%m}"
    return f"{start} to {last}"


def ago(age: timedelta | None) -> str:
    if age is None:
        return ""
    minutes = int(age.total_seconds() // 60)
    days, hours = minutes // 1440, minutes // 60
    return f"{days} days" if days > 1 else f"{hours} h" if hours > 1 else f"{minutes} min"


def in_runs(days: list[date]) -> str:
    """Days as runs: `18 to 20 Sep, 3 Oct`."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    shown = [
        f"{run[0]:%d %b}" if len(run) == 1 else f"{run[0]:%d %b} to {run[-1]:%d %b}" for run in runs
    ]
    return ", ".join(shown) or "none"


# PostgreSQL's text holds neither NUL nor half a character; dlt takes the last ones for marks of its
# own, and changes a text that begins with one.
UNSTORABLE = re.compile("[\x00\ud800-\udfff\uf026-\uf02f]")
