"""What a status looks like: a word, a shape and a colour, of which each says it alone."""

from __future__ import annotations

from typing import NamedTuple

from wolkvox_billing.reconciliation.captions import caption


class Mark(NamedTuple):
    """A shape, the name of its colour in the style sheet, and the colour as a tint that both themes
    bear behind their own text."""

    shape: str
    name: str
    tint: str


AGREED = Mark("●", "agreed", "rgba(22, 143, 86, 0.18)")
OPEN = Mark("○", "open", "rgba(120, 130, 145, 0.18)")
UNPROVED = Mark("◇", "unproved", "rgba(124, 92, 214, 0.18)")
WAITING = Mark("■", "waiting", "rgba(202, 138, 4, 0.20)")
SHORT = Mark("▼", "short", "rgba(2, 122, 176, 0.18)")
PRICED = Mark("◆", "priced", "rgba(217, 100, 20, 0.20)")
OVER = Mark("▲", "over", "rgba(213, 45, 60, 0.20)")

_MARKS = {
    **dict.fromkeys(("matched", "within_tolerance", "pay"), AGREED),
    **dict.fromkeys(("open_period", "wait"), OPEN),
    "semantics_undetermined": UNPROVED,
    **dict.fromkeys(("underbilled_quantity", "usage_not_invoiced"), SHORT),
    **dict.fromkeys(("price_difference", "exchange_difference"), PRICED),
    **dict.fromkeys(("overbilled_quantity", "invoiced_without_usage", "claim"), OVER),
}


def mark_of(status: str) -> Mark:
    """Return the Mark of a status or a settlement; of one that is not known here, that somebody has
    to look at it."""
    if status.startswith("inconclusive_"):
        return UNPROVED
    return _MARKS.get(status, WAITING)


def say_status(status: str, locale: str) -> str:
    """Return a status or settlement as its shape and its word: `▲ overbilled quantity`."""
    return f"{mark_of(status).shape} {caption(status, locale)}"
