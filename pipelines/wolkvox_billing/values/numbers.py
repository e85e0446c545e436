"""Numbers as a person sees them, with marks between thousands."""

from __future__ import annotations

from decimal import Decimal


def format_number(value: Decimal, *, signed: bool = False) -> str:
    """Return a number without zeros that say nothing: `1,234.5`, or `+1,234.5` if signed."""
    return f"{value.normalize():{_sign(signed)},f}"


def format_amount(value: Decimal, *, signed: bool = False) -> str:
    """Return an amount of money to the cent, without its currency: `1,234.50`."""
    return f"{value:{_sign(signed)},.2f}"


def _sign(signed: bool) -> str:
    return "+" if signed else ""
