"""What the vendor's texts say in another country's way: months, days first, dots in thousands."""

from __future__ import annotations

import calendar
import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.readings import ROW, TODAY, answered
from wolkvox_billing.marts.meaning import Meaning
from wolkvox_billing.vendor.readings import Unreadable, read_date, read_rows
from wolkvox_billing.vendor.reports import REPORTS


@pytest.mark.parametrize(
    "text",
    [
        "2026-11",
        "2026/11",
        "202611",
        "11/2026",
        "11-2026",
        "November 2026",
        "noviembre 2026",
        "NOVIEMBRE DE 2026",
        "noviembre del 2026",
        "nov-26",
        "nov. 2026",
        "Nov/2026",
        "nov'26",
        "2026-nov",
        " noviembre   2026 ",
        Decimal("202611"),
    ],
)
def test_a_month_is_the_day_of_its_query(text: object) -> None:
    """The running month, however it is written, is a reading of the day on which it was asked."""
    assert read_date(text, TODAY) == TODAY


@pytest.mark.parametrize(
    ("text", "today", "day"),
    [
        ("2026-10", date(2026, 11, 10), date(2026, 10, 31)),  # late: capped at its last day
        ("octubre 2026", date(2026, 11, 1), date(2026, 10, 31)),
        ("feb-28", date(2028, 3, 5), date(2028, 2, 29)),
        ("2026-11", date(2026, 11, 30), date(2026, 11, 30)),
        ("2026-12", date(2026, 11, 30), date(2026, 12, 1)),  # clocks differ by minutes
    ],
)
def test_another_month_is_late_or_restated_and_no_refusal(
    text: str, today: date, day: date
) -> None:
    """A month that is over is its last day; one that begins tomorrow is its first."""
    assert read_date(text, today) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("29/11/2026", date(2026, 11, 29)),
        ("13-11-2026 10:20:30", date(2026, 11, 13)),
        ("30.11.2026", date(2026, 11, 30)),
        ("11/11/2026", date(2026, 11, 11)),
        ("31/10/2026 23:59", date(2026, 10, 31)),
    ],
)
def test_a_day_first_is_read_where_it_is_no_month(text: str, day: date) -> None:
    """A day written first is read if it cannot be a month, or is the same both ways."""
    assert read_date(text, date(2026, 11, 30)) == day


@pytest.mark.parametrize("text", ["10/11/2026", "01-12-2026", "12.01.2026", "11/29/2026"])
def test_a_day_of_two_months_is_refused(text: str) -> None:
    """What can be two days, or is written month first, is refused as before."""
    with pytest.raises(Unreadable, match="is not a date in a known form"):
        read_date(text, date(2026, 12, 31))


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.integers(0, 400))
def test_a_month_lies_within_itself_and_not_behind_its_query(first: date, later: int) -> None:
    """Whatever month is sent whenever it is asked for later, its day is in it and not ahead."""
    today = first + timedelta(days=later)
    for text in (f"{first:%Y-%m}", f"{first.month}/{first.year}", f"{first:%Y%m}",
                 f"{calendar.month_name[first.month]} {first.year}"):  # fmt: skip
        day = read_date(text, today)
        assert (day.year, day.month) == (first.year, first.month) and day <= today


def test_the_text_of_a_month_stays_and_months_are_no_list_of_days() -> None:
    """`date_raw` is what came; two months in an answer do not make its numbers daily."""
    rows = [{**ROW, "date": text} for text in ("2026-10", "2026-11")]
    readings, rejected = read_rows(answered(*map(json.dumps, rows)).rows, TODAY)
    assert not rejected
    assert [(reading.date, reading.date_raw) for reading in readings] == [
        (date(2026, 10, 31), "2026-10"),
        (TODAY, "2026-11"),
    ]
    assert list(readings.days_in_answer) == [1, 1]


def test_months_of_a_large_answer_are_no_list_of_days_either() -> None:
    """The same where the answer is read by column."""
    rows = [{**ROW, "description": f"Audios {n}", "date": text}
            for n in range(12_000) for text in ("2026-10", "nov-26")]  # fmt: skip
    readings, rejected = read_rows(answered(*map(json.dumps, rows)).rows, TODAY)
    assert not rejected and set(readings.column("date").to_pylist()) == {
        date(2026, 10, 31),
        TODAY,
    }
    assert set(readings.days_in_answer.to_pylist()) == {1}


def amounts(report: str, *items: object) -> tuple[list[Decimal], list[str]]:
    """The amounts that are read of these, each of another day of one product, and the reasons."""
    rows = [{**ROW, "items": text, "date": f"2026-11-{n:02}"} for n, text in enumerate(items, 1)]
    readings, rejected = read_rows(answered(*map(json.dumps, rows)).rows, TODAY, report=report)
    return [reading.items for reading in readings], [row.reason for row in rejected]


@pytest.mark.parametrize("report", ["rsync_s3_mp3", "ivr_calls", "interactions", "pbx_licenses"])
@pytest.mark.parametrize("text", ["1.004", "2.500", "12.000", "-1.004", 1.004])
def test_a_fraction_of_whole_things_is_rejected(report: str, text: object) -> None:
    """An amount with three digits behind a dot, of what is counted whole: nobody knows."""
    read, [reason] = amounts(report, text)
    assert read == [] and "reads in two ways, and this report counts whole things" in reason


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["998", "1.004"], [998, 1004]),
        (["1.004", "1,010"], [1004, 1010]),
        (["900", "1.004", "1.110"], [900, 1004, 1110]),
        (["650,000", "700.125"], [650_000, 700_125]),
    ],
)
def test_a_neighbour_shows_that_it_is_thousands(items: list[str], expected: list[int]) -> None:
    """Where another row of the product says about as much, the dot is between thousands."""
    assert amounts("rsync_s3_mp3", *items) == (list(map(Decimal, expected)), [])


def test_no_other_product_and_no_smaller_amount_shows_it() -> None:
    """A neighbour of another size says nothing, and neither does another product's."""
    assert amounts("rsync_s3_mp3", "4", "1.004")[0] == [4]
    rows = [{**ROW, "items": "1.004"}, {**ROW, "description": "Chats", "items": "998"}]
    readings, rejected = read_rows(
        answered(*map(json.dumps, rows)).rows, TODAY, report="rsync_s3_mp3"
    )
    assert ([reading.items for reading in readings], len(rejected)) == ([998], 1)


@pytest.mark.parametrize(
    ("report", "text", "expected"),
    [
        ("ivr_minutes", "2.887", "2.887"),
        ("rec_screen", "2.887", "2.887"),
        ("stereo_rec", "12.500", "12.5"),
        ("rsync_s3_mp3", "0.004", "0.004"),  # no thousands begin with a zero
        ("rsync_s3_mp3", "2.887 %", "2.887"),
        ("rsync_s3_mp3", "1.5", "1.5"),
        ("rsync_s3_mp3", "1,234.567", "1234.567"),
        ("new_report", "2.887", "2.887"),
    ],
)
def test_an_amount_of_time_or_percent_stays_a_fraction(
    report: str, text: str, expected: str
) -> None:
    """Minutes, percentages and reports that nobody knows are read as before."""
    assert amounts(report, text) == ([Decimal(expected)], [])


def test_one_odd_amount_of_a_large_answer_is_rejected_alone() -> None:
    """A large answer, read by column, rejects the same."""
    rows = [{**ROW, "description": f"Audios {n}", "items": "1.004" if n == 9 else "7"}
            for n in range(12_000)]  # fmt: skip
    readings, rejected = read_rows(
        answered(*map(json.dumps, rows)).rows, TODAY, report="rsync_s3_mp3"
    )
    assert (len(readings), [row.row_number for row in rejected]) == (11_999, [10])


def test_units_and_measures_are_those_of_the_vendors_pages() -> None:
    """Screen and stereo recordings are time; what is told in two ways is left to the data."""
    for report in ("rec_screen", "rec_screen_on_demand", "stereo_rec"):
        assert REPORTS[report].unit == "minutes"
    meaning = Meaning(timezone="America/Bogota", measures={}, gauge_month="max")
    assert meaning.measure("wp_connectors_official") == meaning.measure("interactions") == "auto"
    assert meaning.measure("pbx_licenses") == "gauge"
