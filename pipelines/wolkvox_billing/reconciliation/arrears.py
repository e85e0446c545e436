"""Lines that bill no use by their own words: interest, fines, and what a late payment costs."""

from __future__ import annotations

import re

from wolkvox_billing.values.spelling import plain

_WORDS = re.compile(
    r"\b(?:interes(?:es)?|mora|moratori[oa]s?|recargos?|sancion(?:es)?|multas?|penalidad(?:es)?"
    r"|penalizacion(?:es)?|interests?|arrears|overdue|penalt(?:y|ies)"
    r"|late (?:fees?|payments?|charges?)|dunning)\b"
)
# What use may be called by as well: of a campaign that collects debts, or that was billed late.
_WORDS_OF_USE_TOO = re.compile(
    r"\b(?:atrasos?|tardi[oa]s?|extemporane[oa]s?|cobranzas?|reconexion(?:es)?|financiacion"
    r"|financier[oa]s?|reconnections?)\b"
)
_USE = re.compile(
    r"\b(?:consumos?|usos?|grabacion(?:es)?|audios?|llamadas?|minutos?|licencias?|interaccion(?:es)?"
    r"|analisis|caracteres|conector(?:es)?|campanas?|usage|uses?|recordings?|calls?|minutes?"
    r"|licen[cs]es?|interactions?|campaigns?)\b"
)
_PAYMENT = re.compile(r"\b(?:pagos?|abonos?|cargos?|gastos?|payments?|charges?)\b")


def is_of_arrears(description: str | None) -> bool:
    """Return whether a line says that it bills a late payment, or the like, and no use."""
    text = plain(description or "")
    if _WORDS.search(text):
        return True
    is_use = _USE.search(text) and not _PAYMENT.search(text)
    return bool(_WORDS_OF_USE_TOO.search(text)) and not is_use
