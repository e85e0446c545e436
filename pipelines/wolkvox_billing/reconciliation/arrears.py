"""Lines that bill no use by their own words: interest, fines, and what a late payment costs."""

from __future__ import annotations

import re

from wolkvox_billing.values.spelling import plain

_WORDS = re.compile(
    r"\b(?:interes(?:es)?|mora|moratori[oa]s?|recargos?|sancion(?:es)?|multas?|penalidad(?:es)?"
    r"|penalizacion(?:es)?|atrasos?|tardi[oa]s?|extemporane[oa]s?|cobranzas?|reconexion(?:es)?"
    r"|financiacion|financier[oa]s?|interests?|arrears|overdue|penalt(?:y|ies)"
    r"|late (?:fees?|payments?|charges?)|dunning|reconnections?)\b"
)


def is_of_arrears(description: str | None) -> bool:
    """Return whether a line says that it bills a late payment, or the like, and no use."""
    return _WORDS.search(plain(description or "")) is not None
