"""When a process that stays asks: by its rhythm, and before a month ends by the vendor's clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox_billing.polling.schedule import (
    is_last_call_due,
    is_over,
    month_end,
    next_poll,
)

BOGOTA, MADRID = ZoneInfo("America/Bogota"), ZoneInfo("Europe/Madrid")
# Clocks are set at midnight in some of them, by half an hour in one, and over a whole day in one.
ZONES = [BOGOTA, MADRID, *map(ZoneInfo, (
    "America/Santiago", "America/Asuncion", "America/Havana", "America/Sao_Paulo",
    "America/St_Johns", "Africa/Cairo", "Asia/Beirut", "Asia/Kathmandu", "Australia/Lord_Howe",
    "Pacific/Apia", "Pacific/Kiritimati", "UTC",
))]  # fmt: skip
MOMENTS = st.integers(1_104_600_000, 2_145_800_000).map(  # from 2005 to 2037
    lambda seconds: datetime.fromtimestamp(seconds, timezone.utc)
)
SPANS = st.timedeltas(timedelta(seconds=10), timedelta(days=1))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("before", "zone", "due"),
    [
        ("2026-11-10 17:00", BOGOTA, "2026-11-10 17:05"),
        ("2026-12-01 04:46", BOGOTA, "2026-12-01 04:50"),  # 23:50 in Bogota
        ("2026-12-01 04:50", BOGOTA, "2026-12-01 04:55"),
        ("2026-12-01 04:55", BOGOTA, "2026-12-01 04:59"),
        ("2026-12-01 04:59", BOGOTA, "2026-12-01 05:04"),
        ("2026-12-01 04:59:30", BOGOTA, "2026-12-01 05:04:30"),
        ("2027-01-01 04:58", BOGOTA, "2027-01-01 04:59"),  # the year's end
        ("2028-03-01 04:48", BOGOTA, "2028-03-01 04:50"),  # the 29th of February
        ("2027-02-28 22:47", MADRID, "2027-02-28 22:50"),
        ("2026-10-31 22:49", MADRID, "2026-10-31 22:50"),  # six days after clocks were set back
        ("2026-03-31 21:46", MADRID, "2026-03-31 21:50"),  # two after they were set forward
    ],
)
def test_the_last_calls_of_a_month(before: str, zone: ZoneInfo, due: str) -> None:
    """Every five minutes, and at 23:50 and 23:59 of the last day by the zone's clock."""
    assert next_poll(utc(before), timedelta(minutes=5), [zone]) == utc(due)


def test_each_zone_has_last_calls_of_its_own() -> None:
    """Of operations in two time zones either month's end is met, in the order of time."""
    before, polls = utc("2026-11-30 22:46"), []
    while before < utc("2026-12-01 05:10"):
        before = next_poll(before, timedelta(hours=3), [BOGOTA, MADRID])
        polls.append(f"{before:%H:%M}")
    assert polls == ["22:50", "22:59", "01:59", "04:50", "04:59", "07:59"]


@given(MOMENTS, SPANS, st.sets(st.sampled_from(ZONES), min_size=1, max_size=3))
def test_no_poll_comes_late_or_twice(
    before: datetime, every: timedelta, zones: set[ZoneInfo]
) -> None:
    """The next poll is after the one before, and never later than the rhythm says; whatever last
    call lies within the rhythm is not passed over."""
    due = next_poll(before, every, zones)
    assert before < due <= before + every
    for zone in zones:
        assert not any(
            is_last_call_due(before, before + (due - before) * part / 4, zone) for part in (1, 2, 3)
        )
        if is_last_call_due(before, before + every, zone):
            assert due < before + every or is_last_call_due(before, due, zone)


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_month_ends_where_the_calendar_turns(at: datetime, zone: ZoneInfo) -> None:
    """A microsecond before its end the zone's calendar has another month than at its end, which is
    at most 31 days and two hours away."""
    end = month_end(at, zone)
    assert at < end <= at + timedelta(days=31, hours=2)
    last, first = ((end - timedelta(microseconds=part)).astimezone(zone) for part in (1, 0))
    assert (last.year, last.month) != (first.year, first.month)
    assert first.day == 1


def test_a_month_whose_last_hour_comes_twice() -> None:
    """St. John's set its clocks from 00:01 of the 1st of November back to 23:01: the month ends
    there twice, and each end has its last calls."""
    zone = ZoneInfo("America/St_Johns")
    first, second = utc("2009-11-01 02:30"), utc("2009-11-01 03:30")
    assert month_end(first - timedelta(minutes=5), zone) == first
    assert (first + timedelta(minutes=10)).astimezone(zone).date() == date(2009, 10, 31)
    assert month_end(first + timedelta(minutes=10), zone) == second


@pytest.mark.parametrize(
    ("minutes", "is_due"), [(-600, True), (-2, True), (-0.5, False), (0, False), (4.9, False),
                            (5, True), (600, True)],
)  # fmt: skip
def test_a_clock_that_jumps(minutes: float, is_due: bool) -> None:
    """A span is over after its time, a clock that was set forward or slept included; and where the
    clock is before its start, but for the moment by which clocks are mended all the time."""
    since = utc("2026-11-10 17:00")
    now = since + timedelta(minutes=minutes)
    assert is_over(since, timedelta(minutes=5), now) is is_due
