"""When the next poll of a process that stays is due, by the clock of each operation's vendor.

    the poll before + `every` ─────────────────────┐
    10 minutes before the month ends: 23:50 ───────┼─▶ the first of them
    1 minute before it ends: 23:59 ────────────────┘

What nobody read before the month's end is lost, so the last calls of a month are made though the
pace would hold them. Nothing here waits, or looks at a clock: whoever asks gives the moment.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wolkvox_billing.values.clock import midnight
from wolkvox_billing.values.periods import month_of

LAST_CALLS = (timedelta(minutes=10), timedelta(minutes=1))  # before the month's end
SET_BACK = timedelta(minutes=1)  # a clock that is mended by less than this goes on


class Rhythm(NamedTuple):
    """How often a process that stays asks, and how often it loads."""

    every: timedelta
    load_every: timedelta


def month_end(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which the month of a moment ends in a time zone."""
    first = midnight(month_of(at.astimezone(zone).date()).end, zone)
    end = first.astimezone(timezone.utc)
    # Where clocks are set back over midnight the month has its last hour twice.
    return end if end > at else first.replace(fold=1).astimezone(timezone.utc)


def next_poll(before: datetime, every: timedelta, zones: Collection[ZoneInfo]) -> datetime:
    """Return when a poll is due after the one that began at a moment."""
    last_calls = [month_end(before, zone) - left for zone in zones for left in LAST_CALLS]
    return min([before + every, *(moment for moment in last_calls if moment > before)])


def is_last_call_due(answered: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether the moment of one of the month's last calls has come since an answer."""
    end = month_end(answered, zone)
    return any(answered < end - left <= now for left in LAST_CALLS)


def is_over(since: datetime, span: timedelta, now: datetime) -> bool:
    """Return whether a span is over by the clock; also where the clock was set back before its
    start: what it says of the span is not known."""
    return now >= since + span or since - now > SET_BACK
