"""Business days of Colombia, by a calendar written by hand."""

from __future__ import annotations

from datetime import date

import pytest

from wolkvox_billing.values.business_days import add_business_days, business_days_until

THREE_LATER = [
    ("2026-10-05", "2026-10-08"),  # a Monday: Tuesday, Wednesday, Thursday
    ("2026-10-08", "2026-10-14"),  # a Thursday: Friday, and behind the holiday of Monday the 12th
    ("2026-10-10", "2026-10-15"),  # a Saturday counts as a start, and as no day
    ("2026-10-31", "2026-11-05"),  # Saturday, Sunday, All Saints on Monday the 2nd
    ("2026-03-30", "2026-04-06"),  # Easter week: Tuesday, Wednesday; Thursday, Friday are holy
    ("2026-04-01", "2026-04-08"),  # the Wednesday before: Monday, Tuesday, Wednesday
    ("2026-07-09", "2026-07-15"),  # Friday; Monday the 13th is a holiday since 2026
    ("2026-07-10", "2026-07-16"),
    ("2026-12-30", "2027-01-05"),  # Thursday; New Year; Monday, Tuesday
    ("2026-12-23", "2026-12-29"),  # Thursday; Christmas on Friday; Monday, Tuesday
    ("2027-01-07", "2027-01-13"),  # Friday; Epiphany is observed on Monday the 11th
]


@pytest.mark.parametrize(("day", "third"), THREE_LATER)
def test_weekends_and_holidays_are_no_business_days(day: str, third: str) -> None:
    """The third business day after a day, over Easter, the year's end and Mondays that are off."""
    assert add_business_days(date.fromisoformat(day), 3) == date.fromisoformat(third)
    assert business_days_until(date.fromisoformat(day), date.fromisoformat(third)) == 3


def test_a_day_that_is_past_is_no_business_day_away() -> None:
    """Of the day itself, and of one before it, none is left."""
    day = date(2026, 10, 5)
    assert business_days_until(day, day) == business_days_until(day, date(2026, 10, 1)) == 0


def test_beyond_the_last_day_there_is_none() -> None:
    """A year that somebody mistyped raises what a caller can tell."""
    with pytest.raises(OverflowError):
        add_business_days(date(9999, 12, 30), 3)
