"""The clock, which is passed in, and moments in seconds since 1970."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def epoch(at: datetime) -> int:
    """Seconds since 1970."""
    return int(at.timestamp())


def day_start(day: date, zone: ZoneInfo) -> int:
    """When a day starts in a time zone, in seconds since 1970."""
    return epoch(datetime(day.year, day.month, day.day, tzinfo=zone))
