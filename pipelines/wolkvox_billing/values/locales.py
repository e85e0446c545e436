"""Locales: how a place writes its numbers and its days, by Babel. `es_CO` has 12.912,5, and `es_MX`
12,912.5.

Babel is asked for where another locale than plain English is: it takes as long to come as a poll.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

ENGLISH = "en"
# Where a letter has 8.5 by 11 inches; elsewhere it is A4. The Unicode consortium lists them.
_LETTER = ("BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE")


class Marks(NamedTuple):
    """What a locale writes between thousands, and before decimals."""

    thousands: str
    decimal: str


def language_of(locale: str) -> str:
    """Return the language of a locale: `es` of `es_CO`."""
    return locale.partition("_")[0]


def language_tag(locale: str) -> str:
    """Return a locale as a page names it: `es-CO`."""
    return locale.replace("_", "-")


def paper_of(locale: str) -> str:
    """Return the paper of a place as a style sheet names it; of a language alone `A4`."""
    return "letter" if locale.rpartition("_")[-1] in _LETTER else "A4"


def is_locale(text: str) -> bool:
    """Return whether a text names a locale that is known."""
    from babel import Locale, UnknownLocaleError

    try:
        return text.replace("_", "").isalnum() and str(Locale.parse(text)) == text
    except (UnknownLocaleError, ValueError):
        return False


@lru_cache
def marks_of(locale: str) -> Marks:
    if locale == ENGLISH:
        return Marks(",", ".")
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return Marks(get_group_symbol(locale), get_decimal_symbol(locale))


def list_separator(locale: str) -> str:
    """Return what parts cells of a CSV for Excel: `;` where a comma is before decimals."""
    return ";" if marks_of(locale).decimal == "," else ","


@lru_cache
def month_names(locale: str) -> list[str]:
    """Return the short names of the months, January's first."""
    if locale == ENGLISH:
        return [f"{date(2026, month, 1):%b}" for month in range(1, 13)]
    from babel.dates import get_month_names

    names = get_month_names("abbreviated", locale=locale)
    return [names[month].rstrip(".") for month in range(1, 13)]


def format_date(day: date, locale: str = ENGLISH) -> str:
    """Return a day as a letter has it: `November 5, 2026`, `5 de noviembre de 2026`."""
    from babel.dates import format_date as write_date

    return write_date(day, "long", locale=locale)


def format_month_name(day: date, locale: str = ENGLISH) -> str:
    """Return the month of a day as it is said: `October 2026`, `octubre de 2026`."""
    if locale == ENGLISH:
        return f"{day:%B %Y}"
    from babel.dates import format_skeleton

    return format_skeleton("yMMMM", day, locale=locale)


def say_month(day: date, locale: str = ENGLISH) -> str:
    """Return the month of a day as a sentence has it: `2026-10`, and in another locale than plain
    English as that one says it: `octubre de 2026`."""
    return f"{day:%Y-%m}" if locale == ENGLISH else format_month_name(day, locale)


def short_month(day: date, locale: str = ENGLISH) -> str:
    """Return the month of a day as a table has it: `2026-10`, and in another locale than plain
    English as that one writes it: `oct de 2026`."""
    if locale == ENGLISH:
        return f"{day:%Y-%m}"
    from babel.dates import format_skeleton

    return format_skeleton("yMMM", day, locale=locale)


def short_date(day: date, locale: str = ENGLISH) -> str:
    """Return a day as a table has it: `2026-11-05`, and in another locale than plain English as
    that one writes it: `5/11/2026`."""
    if locale == ENGLISH:
        return day.isoformat()
    from babel.dates import format_date as write_date

    return write_date(day, "medium", locale=locale)


def format_day(day: date, locale: str = ENGLISH) -> str:
    """Return a day without its year: `31 Oct`."""
    return f"{day.day} {month_names(locale)[day.month - 1]}"


def format_day_and_year(day: date, locale: str = ENGLISH) -> str:
    """Return a day as a sentence has it: `31 Oct 2026`."""
    return f"{format_day(day, locale)} {day.year}"
