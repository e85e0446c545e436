"""Numbers as a person sees them, with the marks of a locale; and how many there are of a thing."""

from __future__ import annotations

from decimal import Decimal

from wolkvox_billing.values.locales import ENGLISH, marks_of


def format_number(value: Decimal | int, *, signed: bool = False, locale: str = ENGLISH) -> str:
    """Return a number without zeros that say nothing: `1,234.5`, or `+1,234.5` if signed."""
    return _localized(f"{Decimal(value).normalize():{'+' if signed else ''},f}", locale)


def format_amount(value: Decimal, *, signed: bool = False, locale: str = ENGLISH) -> str:
    """Return an amount of money to the cent, without its currency: `1,234.50`; of nothing no sign
    is shown."""
    rounded = round(value, 2)
    if not rounded:
        return _localized("0.00", locale)
    return _localized(f"{rounded:{'+' if signed else ''},.2f}", locale)


def format_percent(value: Decimal, *, locale: str = ENGLISH) -> str:
    """Return a share to a tenth, signed: `+17.9 %`."""
    return _localized(f"{value:+,.1f} %", locale)


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Return how many there are of a thing: `1 row`, `1,234 rows`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def _localized(number: str, locale: str) -> str:
    if locale == ENGLISH:
        return number
    return number.translate(str.maketrans(",.", "".join(marks_of(locale))))
