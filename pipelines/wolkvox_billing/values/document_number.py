"""A document's number as it is compared, however a person or program spells it."""

from __future__ import annotations

import re
from functools import lru_cache

from wolkvox_billing.values.spelling import plain

# `Factura No. FE-1001`: words in front of a number, not a prefix such as FACT-1001.
_TITLE = re.compile(
    r"(?:(?:factura(?: electronica)?(?: de venta)?|invoice|nota (?:de )?(?:credito|debito)"
    r"|(?:credit|debit) note)[ :.#]+|(?:n[o\u00b0]?|nro|num|numero|number)[ :.#]+|# ?)(?=.*\d)"
)
_GROUPED = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{3})+(?![\d.])")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_DIGITS = re.compile(r"\d+$")


@lru_cache(maxsize=50_000)  # in a cache too small for all, none is there when it is asked for
def bare_number(text: str) -> str:
    """Return a number without what people write in front of it, between its parts and before its
    digits: `FE-1001`, `fe 01001` and `Factura No. FE1.001` are `fe1001`. Between two digits any
    mark is one hyphen, so that `1-23` is not `12-3`."""
    text = plain(text)
    while title := _TITLE.match(text):
        text = text[title.end() :]
    text = _GROUPED.sub(lambda match: match[0].replace(".", ""), text)
    text = _ZEROS.sub("", text)
    text = re.sub(r"(?<=\d)[\W_]+(?=\d)", "-", text)
    return re.sub(r"[^\w-]|_|(?<!\d)-|-(?!\d)", "", text)


def is_called(name: str, number: str | None, document_id: str, *, shortest: int) -> bool:
    """Return whether a person who says `name` means a document: by its number, however that is
    spelled, or by a beginning of its id with so many characters at the least."""
    wanted, beginning = bare_number(name), name.strip().lower()
    is_begun = len(beginning) >= shortest and document_id.lower().startswith(beginning)
    return is_begun or (wanted != "" and bare_number(number or "") == wanted)


def digits_of(number: str) -> str:
    """Return the digits at the end of a bare number, which a list without prefixes has alone."""
    match = _DIGITS.search(number)
    return match[0] if match else ""
