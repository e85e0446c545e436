"""How a period is called."""

from __future__ import annotations

from datetime import date

import pytest

from wolkvox_billing.values.periods import format_period, label_period


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (date(2026, 2, 1), date(2026, 3, 1), "2026-02"),
        (date(2026, 12, 1), date(2027, 1, 1), "2026-12"),
        (date(2026, 10, 1), date(2026, 12, 1), "2026-10-01 to 2026-11-30"),
        (date(2026, 10, 1), date(2026, 10, 31), "2026-10-01 to 2026-10-30"),
        (date(2026, 10, 2), date(2026, 11, 1), "2026-10-02 to 2026-10-31"),
        (date(9999, 12, 1), date(9999, 12, 31), "9999-12-01 to 9999-12-30"),
    ],
)
def test_a_calendar_month_has_a_name(start: date, end: date, says: str) -> None:
    """Any other period has its first and last day, be it in the last month that a date can have,
    as a slip of somebody's makes it."""
    assert format_period(start, end) == says
    assert label_period(start, end) == says.replace(" to ", "/")
