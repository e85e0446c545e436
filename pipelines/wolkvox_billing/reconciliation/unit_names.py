"""What is counted, in words: of a report, and of an invoice's line; of one and of many."""

from __future__ import annotations

from decimal import Decimal

from wolkvox_billing.values.translation import Plural, translate

# The unit of `reports` → its name for one, and for many.
UNITS = {
    "audios": Plural("audio", "audios"),
    "minutes": Plural("minute", "minutes"),
    "recordings": Plural("recording", "recordings"),
    "interactions": Plural("interaction", "interactions"),
    "analyses": Plural("analysis", "analyses"),
    "calls": Plural("call", "calls"),
    "uses": Plural("use", "uses"),
    "characters": Plural("character", "characters"),
    "licences": Plural("licence", "licences"),
    "connectors": Plural("connector", "connectors"),
    "units": Plural("unit", "units"),
    "hours": Plural("hour", "hours"),
    "seconds": Plural("second", "seconds"),
    "days": Plural("day", "days"),
    "months": Plural("month", "months"),
    "thousands": Plural("thousand", "thousands"),
    "hundreds": Plural("hundred", "hundreds"),
    "rows": Plural("row", "rows"),
}
# UN/ECE Rec 20, and what people write instead. Another code stands as the line has it.
_CODES = {
    **dict.fromkeys(("94", "C62", "EA", "H87", "NAR", "NIU", "PCE", "UN", "UND"), "units"),
    "SEC": "seconds",
    "MIN": "minutes",
    "HUR": "hours",
    "DAY": "days",
    "MON": "months",
    **dict.fromkeys(("MIL", "T3"), "thousands"),
    **dict.fromkeys(("CEN", "HC"), "hundreds"),
    **dict.fromkeys(("", "ZZ"), ""),
}


def name_unit(unit: str, quantity: Decimal, locale: str) -> str:
    """Return the unit of so many, in a language; one that is not known as it is."""
    return translate(UNITS[unit], locale, quantity) if unit in UNITS else unit


def name_unit_code(code: str | None, quantity: Decimal, locale: str) -> str:
    """Return the unit of an invoice's line by its code, '' where it has none."""
    text = (code or "").strip()
    return name_unit(_CODES.get(text.upper(), text), quantity, locale)
