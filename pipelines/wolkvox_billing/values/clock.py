"""The clock, which is passed in; moments in seconds since 1970, and as a person sees them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def epoch(at: datetime) -> int:
    """Return a moment in seconds since 1970."""
    return int(at.timestamp())


def midnight(day: date, zone: tzinfo | None) -> datetime:
    """Return the moment at which a day starts in a time zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def day_start(day: date, zone: ZoneInfo) -> int:
    """Return when a day starts in a time zone, in seconds since 1970."""
    return epoch(midnight(day, zone))


def next_midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the day after this moment starts in a time zone."""
    return midnight(now.astimezone(zone).date() + timedelta(days=1), zone)


def format_moment(at: datetime, zone: tzinfo | None = None) -> str:
    """Return a moment to the minute, by a time zone or its own: `2026-11-03 09:15 UTC`."""
    return f"{at.astimezone(zone) if zone else at:%Y-%m-%d %H:%M %Z}"


def format_second(at: datetime) -> str:
    """Return a moment to the second, in UTC: `2026-11-03 09:15:20 UTC`."""
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
