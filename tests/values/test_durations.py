"""Spans of time as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox_billing.values.durations import format_duration, read_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("2d", 172_800), (" 10s ", 10),
     ("0h1m", 60)],
)  # fmt: skip
def test_a_number_with_its_unit(text: str, seconds: int) -> None:
    """Each number has a unit, the larger before the smaller."""
    assert read_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", " ", "5", "0", "0s", "0h0m", "-5m", "+5m", "5 m", "m", "1.5h", "5M", "5min", "30m1h",
     "5m5m", "\u0665m", "999999h", "5m\n5m", "PT5M"],
)  # fmt: skip
def test_what_is_no_span_is_refused(text: str) -> None:
    """A bare number might be of any unit, and nothing at all is no rhythm; it says what does."""
    with pytest.raises(ValueError, match=r"is no span of time: expected one such as 90s, 5m, 1h"):
        read_duration(text)


@given(st.integers(1, 10**8))
def test_what_is_shown_can_be_read(seconds: int) -> None:
    """A span is shown as it is read, to the second."""
    span = timedelta(seconds=seconds)
    if seconds < 99_999 * 3600:
        assert read_duration(format_duration(span)) == span
