"""What is counted, in words: of a report, and of an invoice's line; of one and of many."""

from __future__ import annotations

from decimal import Decimal

# By language, the unit of `reports` → its name for one, and for many.
UNITS: dict[str, dict[str, tuple[str, str]]] = {
    "en": {
        "audios": ("audio", "audios"),
        "minutes": ("minute", "minutes"),
        "recordings": ("recording", "recordings"),
        "interactions": ("interaction", "interactions"),
        "analyses": ("analysis", "analyses"),
        "calls": ("call", "calls"),
        "uses": ("use", "uses"),
        "characters": ("character", "characters"),
        "licences": ("licence", "licences"),
        "connectors": ("connector", "connectors"),
        "units": ("unit", "units"),
        "hours": ("hour", "hours"),
        "seconds": ("second", "seconds"),
        "days": ("day", "days"),
        "months": ("month", "months"),
        "thousands": ("thousand", "thousands"),
        "hundreds": ("hundred", "hundreds"),
        "rows": ("row", "rows"),
    },
    "es": {
        "audios": ("audio", "audios"),
        "minutes": ("minuto", "minutos"),
        "recordings": ("grabación", "grabaciones"),
        "interactions": ("interacción", "interacciones"),
        "analyses": ("análisis", "análisis"),
        "calls": ("llamada", "llamadas"),
        "uses": ("uso", "usos"),
        "characters": ("carácter", "caracteres"),
        "licences": ("licencia", "licencias"),
        "connectors": ("conector", "conectores"),
        "units": ("unidad", "unidades"),
        "hours": ("hora", "horas"),
        "seconds": ("segundo", "segundos"),
        "days": ("día", "días"),
        "months": ("mes", "meses"),
        "thousands": ("millar", "millares"),
        "hundreds": ("centena", "centenas"),
        "rows": ("fila", "filas"),
    },
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


def name_unit(unit: str, quantity: Decimal, language: str) -> str:
    """Return the unit of so many, in a language; one that is not known as it is."""
    singular, plural = UNITS[language].get(unit, (unit, unit))
    return singular if abs(quantity) == 1 else plural


def name_unit_code(code: str | None, quantity: Decimal, language: str) -> str:
    """Return the unit of an invoice's line by its code, '' where it has none."""
    text = (code or "").strip()
    return name_unit(_CODES.get(text.upper(), text), quantity, language)
