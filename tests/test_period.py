"""The period of a document: its own, its lines', a month in its text, or the setting's rule."""

from __future__ import annotations

from datetime import date

import pytest

from documents import line, period, ubl
from test_ubl import only
from wolkvox_billing.invoices.period import Period, periods_in


def days(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))


SEPTEMBER = days("2026-09-01", "2026-10-01")
OCTOBER = days("2026-10-01", "2026-11-01")


@pytest.mark.parametrize(
    "text",
    [
        "octubre 2026",
        "Octubre de 2026",
        "OCTUBRE DEL 2026.",
        "oct-26",
        "oct. 2026",
        "oct/2026",
        "oct'26",
        "10/2026",
        "10-2026",
        "2026-10",
        "2026/10",
        "October 2026",
        "consumo del 1 al 31 de octubre de 2026",
        "Consumo del 01 de octubre al 31 de octubre de 2026",
        "del 1/10/2026 al 31/10/2026",
        "01/10/2026 - 31/10/2026",
        "2026-10-01 a 2026-10-31",
        "October 1 to 31, 2026",
        "October 1 - October 31, 2026",
        "1-31 October 2026",
        "1st to 31st of October, 2026",
        "octubre \n  2026",
        "Audios rsync s3 mp3 oct-26",
        "Consumo Octubre 2026, vence el 15 de noviembre de 2026",
    ],
)
def test_a_month_in_a_text_is_read(text: str) -> None:
    """A month with its year, in Spanish or English, by name or number, is that month."""
    assert set(periods_in(text)) == {OCTOBER}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "octubre",  # of which year?
        "oct 26",  # a day
        "vence el 15 de octubre de 2026",
        "fecha 15/10/2026",
        "1-oct-26",
        "2026-10-15",
        "October 15, 2026",
        "contrato 2025/2026",
        "factura 10/2026-4",
        "NIT 900.123.10-2026-1",
        "13/2026",
        "mayor 2026",
        "31 de junio de 2026",
        "del 31 al 1 de octubre de 2026",
        "tel 310 2026 10",
    ],
)
def test_what_is_no_period_is_not_taken_for_one(text: str) -> None:
    """A single day, a month without a year, a number that only looks like one: nothing."""
    assert periods_in(text) == ()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("octubre a diciembre de 2026", "2026-10-01", "2027-01-01"),
        ("octubre y noviembre 2026", "2026-10-01", "2026-12-01"),
        ("diciembre 2026 a enero 2027", "2026-12-01", "2027-02-01"),
        ("del 15 de diciembre al 14 de enero de 2027", "2026-12-15", "2027-01-15"),
        ("del 15 de septiembre de 2026 al 14 de octubre de 2026", "2026-09-15", "2026-10-15"),
        ("febrero 2028", "2028-02-01", "2028-03-01"),
        ("setiembre 2026", "2026-09-01", "2026-10-01"),
    ],
)
def test_longer_and_other_periods_are_read(text: str, start: str, end: str) -> None:
    """Runs of days and of months, over the turn of a year too."""
    assert periods_in(text) == (days(start, end),)


def test_the_documents_own_period_comes_first() -> None:
    """Its own period counts, with its end inclusive; the lines', the text's and the rule's do not,
    and each that says something else is told with both."""
    found = only(
        ubl(
            line(description="Consumo agosto 2026", more=period("2026-09-01", "2026-09-30")),
            periods=period("2026-10-01", "2026-10-31"),
            issued="2026-10-31",
        )
    )
    assert (found.period, found.period_source) == (OCTOBER, "document")
    assert found.warnings == [
        "the document's own period is 2026-10-01 to 2026-10-31, "
        "and the period of its lines is 2026-09-01 to 2026-09-30",
        "the document's own period is 2026-10-01 to 2026-10-31, "
        "and the period that its text names is 2026-08-01 to 2026-08-31",
    ]


def test_then_its_lines_period() -> None:
    """Without one of its own, that of its lines counts; of several, all of them together."""
    own = period("2026-09-01", "2026-09-30")
    found = only(ubl(line(more=own, description="Consumo septiembre de 2026")))
    assert (found.period, found.period_source, found.warnings) == (SEPTEMBER, "line", [])
    two = only(
        ubl(line(more=own), line(number="2", more=period("2026-10-01", "2026-10-31")), net="25000")
    )
    assert two.period == days("2026-09-01", "2026-11-01")
    assert two.warnings == [
        "its lines have 2 periods: taken is all of 2026-09-01 to 2026-10-31"
    ]  # fmt: skip


def test_then_a_month_that_its_text_names() -> None:
    """Without periods, a month in the lines' texts counts before one in the notes."""
    notes = ["Autorización vigente hasta septiembre de 2026"]
    found = only(ubl(line(description="Consumo octubre 2026"), issued="2027-01-05", notes=notes))
    assert (found.period, found.period_source) == (OCTOBER, "text")
    found = only(ubl(issued="2027-01-05", notes=notes))
    assert (found.period, found.period_source) == (SEPTEMBER, "text")


def test_a_text_that_names_two_months_is_not_taken() -> None:
    """Of two different months none is taken: the rule's is, and the warning names both."""
    found = only(
        ubl(line(description="octubre 2026"), line(description="agosto 2026"), net="25000.00")
    )
    assert (found.period, found.period_source) == (OCTOBER, "rule")
    assert found.warnings == [
        "the text names 2026-08-01 to 2026-08-31 and 2026-10-01 to 2026-10-31: none is taken"
    ]


@pytest.mark.parametrize(
    ("rule", "issued", "start", "end"),
    [
        ("month_before_issue", "2026-11-03", "2026-10-01", "2026-11-01"),
        ("month_before_issue", "2027-01-31", "2026-12-01", "2027-01-01"),
        ("issue_month", "2026-11-03", "2026-11-01", "2026-12-01"),
    ],
)
def test_at_last_the_settings_rule(rule: str, issued: str, start: str, end: str) -> None:
    """A document that says nothing gets the month before its issue, or that of its issue."""
    found = only(ubl(issued=issued), rule)
    assert (found.period, found.period_source) == (days(start, end), "rule")


def test_a_period_that_ends_before_it_starts_is_not_taken() -> None:
    """Such a period is told, and the next source counts."""
    found = only(ubl(periods=period("2026-10-31", "2026-10-01")))
    assert found.period_source == "rule"
    assert found.warnings == [
        "the document's period ends (2026-10-01) before it starts (2026-10-31): not taken"
    ]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (("2026-10-01", None), "2026-10-01 to 2026-10-31"),
        ((None, "2026-10-31"), "2026-10-01 to 2026-10-31"),
        (("2026-10-05", None), "2026-10-05 to 2026-10-31"),
    ],
)
def test_half_a_period_is_filled_by_the_month_and_told(
    given: tuple[str | None, str | None], taken: str
) -> None:
    """A period with one end only goes to the end, or from the beginning, of that month."""
    found = only(ubl(periods=period(*given)))
    assert str(found.period) == taken and found.period_source == "document"
    assert f"taken is the month's, {taken}" in found.warnings[0]


def test_a_date_that_is_none_is_told() -> None:
    """An unreadable date is NULL with a warning that shows it."""
    found = only(ubl(issued="2026-02-30", periods=period("2026-10-01", "2026-10-31")))
    assert found.issue_date is None
    assert "cbc:IssueDate is '2026-02-30', which is no date: not taken" in found.warnings


def test_a_date_with_a_zone_or_time_is_its_day() -> None:
    """xs:date may carry a zone: the day counts."""
    assert only(ubl(issued="2026-11-03-05:00")).issue_date == date(2026, 11, 3)


def test_without_any_word_there_is_no_period() -> None:
    """No period, no month named, no date of issue: NULL, and a warning."""
    found = only(ubl(issued=None))
    assert (found.period, found.period_source) == (None, None)
    assert "no period, and no issue date to tell one by" in found.warnings
