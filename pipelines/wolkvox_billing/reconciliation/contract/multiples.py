"""How many of a thing a line may bill, by its own words: its quantity, and what its text counts."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from wolkvox_billing.values.dates import MONTHS
from wolkvox_billing.values.spelling import plain

_MOST = 60
_NUMBERS = {
    name: number
    for number, names in enumerate(
        ("dos two", "tres three", "cuatro four", "cinco five", "seis six", "siete seven",
         "ocho eight", "nueve nine", "diez ten", "once eleven", "doce twelve"), 2
    )
    for name in names.split()
}  # fmt: skip
_SPANS = {"bimestr": 2, "trimestr": 3, "quarter": 3, "cuatrimestr": 4, "semestr": 6}
_COUNTED = re.compile(
    rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)}) ?"
    r"(?:x\b|mes(?:es)?\b|months?\b|operaci|operation|periodo|period|sede|sites?\b|campana|campaign"
    r"|cuota|instal+ment|cuenta|account|instancia|instance|empresa|compan)"
)
_TIMES = re.compile(r"\bx ?(\d{1,2})\b")
_SPAN = re.compile(rf"\b({'|'.join(_SPANS)})")
_WORD = re.compile(r"[a-z]+")


def counts_of(quantity: Decimal | None, description: str | None) -> frozenset[int]:
    """Return the numbers above one that a line says that it bills of a thing."""
    counts = set(_counts_in(plain(description or "")))
    if quantity is not None and quantity == quantity.to_integral_value():
        counts.add(int(abs(quantity)))
    return frozenset(count for count in counts if 1 < count <= _MOST)


@lru_cache(maxsize=1000)
def _counts_in(text: str) -> tuple[int, ...]:
    numbers = [*_COUNTED.findall(text), *_TIMES.findall(text)]
    counts = [_NUMBERS.get(number) or int(number) for number in numbers]
    counts += [_SPANS[span] for span in _SPAN.findall(text)]
    months = {MONTHS[word] for word in _WORD.findall(text) if word in MONTHS}
    return (*counts, len(months))
