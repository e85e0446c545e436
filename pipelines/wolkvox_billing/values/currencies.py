"""Currencies: how their codes look, which are invoiced in whole units, and how large rates are."""

from __future__ import annotations

from decimal import Decimal

# Currencies that are invoiced in whole units, as the contract names them.
WHOLE_CURRENCIES = ("CLP", "COP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND")
# One of these is many of any of those.
_HARD_CURRENCIES = ("AUD", "CAD", "CHF", "EUR", "GBP", "USD")


def is_currency_code(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha()


def shown_rate(parity: Decimal) -> Decimal:
    """Return a rate as a person reads it: 4012.53, and of a small one all that says something."""
    return round(parity, 4 if parity >= 1 else 9 - parity.adjusted()).normalize()


def is_known_way(currency: str, other: str) -> bool:
    """Return whether it is known which of two currencies is worth more."""
    pairs = ((currency, other), (other, currency))
    return any(a in WHOLE_CURRENCIES and b in _HARD_CURRENCIES for a, b in pairs)


def is_upside_down(currency: str, in_currency: str, rate: Decimal) -> bool:
    """Return whether a rate can only be meant the other way round: one peso is never 4,000
    dollars, nor one dollar a part of a peso."""
    if currency in WHOLE_CURRENCIES and in_currency in _HARD_CURRENCIES:
        return rate > 1
    return currency in _HARD_CURRENCIES and in_currency in WHOLE_CURRENCIES and rate < 1
