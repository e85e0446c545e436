"""Numbers and days as the locale of the settings writes them, and how many there are of a thing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.durations import usual_pause
from wolkvox_billing.values.locales import format_day, short_date
from wolkvox_billing.values.numbers import (
    format_amount,
    format_count,
    format_number,
    format_percent,
)
from wolkvox_billing.values.periods import format_days, format_period
from wolkvox_billing.values.translation import N_, BillingMonth, Sentence


@pytest.mark.parametrize(
    ("locale", "number", "amount", "percent"),
    [
        ("en", "12,912.5", "+1,240,000.00", "-3.6 %"),
        ("es", "12.912,5", "+1.240.000,00", "-3,6 %"),
        ("es_CO", "12.912,5", "+1.240.000,00", "-3,6 %"),
        ("es_MX", "12,912.5", "+1,240,000.00", "-3.6 %"),
    ],
)
def test_marks_of_a_locale(locale: str, number: str, amount: str, percent: str) -> None:
    """Colombia reads 12,912 as twelve point nine; Mexico does not."""
    assert format_number(Decimal("12912.500"), locale=locale) == number
    assert format_amount(Decimal(1_240_000), signed=True, locale=locale) == amount
    assert format_percent(Decimal("-3.6"), locale=locale) == percent


def test_nothing_has_no_sign() -> None:
    assert format_amount(Decimal("-0.001"), signed=True) == "0.00"
    assert format_amount(Decimal(0), signed=True, locale="es") == "0,00"


def test_days_of_a_locale() -> None:
    """Runs of days, and none of them."""
    days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 3)]
    assert format_days(days) == "31 Oct to 1 Nov, 3 Nov"
    assert format_days(days, "es_CO") == "31 oct a 1 nov, 3 nov"
    assert (format_days([]), format_days([], "es")) == ("none", "ninguno")
    assert format_day(date(2026, 1, 5), "es") == "5 ene"


def test_one_is_one_and_none_are_many() -> None:
    assert [format_count(count, "row") for count in (0, 1, 2, 1234)] == [
        "0 rows", "1 row", "2 rows", "1,234 rows",
    ]  # fmt: skip
    assert format_count(1, "answer waits", "answers wait") == "1 answer waits"


@pytest.mark.parametrize("language", ["es_XX", "es-CO", "fr", "fr_CA", "", "es_", "es_CO@euro"])
def test_a_language_that_is_none_is_refused(language: str) -> None:
    """The message says which ones there are."""
    with pytest.raises(SettingsError, match="en or es, or a locale of them such as es_CO"):
        Policy(language=language)
    assert Policy(language="es_CO").language == "es_CO"


MINUTE, DAY = 60, 86_400


@pytest.mark.parametrize(
    ("pauses", "usual"),
    [
        ([], None),
        ([5 * MINUTE] * 100, 5 * MINUTE),
        ([5 * MINUTE] * 100 + [3 * DAY], 5 * MINUTE),  # an outage is no habit
        ([5 * MINUTE] * 500 + [DAY] * 3, 5 * MINUTE),  # nor are three, of who asks all day long
        ([10, DAY, 10, DAY, 10, DAY, 10], DAY),  # twice in a row, once a day
        ([10, 10, DAY, 10, 10, DAY, 10, 10, DAY], DAY),
        ([20], 20),
        ([DAY] * 3, DAY),
    ],
)
def test_the_usual_pause(pauses: list[float], usual: float | None) -> None:
    assert usual_pause(pauses) == usual


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en", "2026-11-05"), ("es_CO", "5/11/2026"), ("es", "5 nov 2026"), ("en_US", "Nov 5, 2026")],
)
def test_a_day_in_a_table(locale: str, text: str) -> None:
    assert short_date(date(2026, 11, 5), locale) == text


@pytest.mark.parametrize(
    ("locale", "month", "period"),
    [
        ("en", "2026-10", "2026-09-26 to 2026-10-25"),
        ("es_CO", "oct de 2026", "26/09/2026 a 25/10/2026"),
        ("es", "oct 2026", "26 sept 2026 a 25 oct 2026"),
        ("en_US", "Oct 2026", "Sep 26, 2026 to Oct 25, 2026"),
    ],
)
def test_a_period_is_the_locales(locale: str, month: str, period: str) -> None:
    """A month has its name, and another period its first and last day; plain English has both as
    file names have them."""
    assert format_period(date(2026, 10, 1), date(2026, 11, 1), locale) == month
    assert format_period(date(2026, 9, 26), date(2026, 10, 26), locale) == period
    assert format_period(None, None, locale) == ""


def test_a_month_in_a_sentence_is_said() -> None:
    """As the locale says it, and in plain English as it is typed."""
    sentence = Sentence(N_("{month} was never closed"), month=BillingMonth.named("2026-10"))
    assert sentence == "2026-10 was never closed"
    assert sentence.say("es_CO") == "octubre de 2026 nunca se cerró"
