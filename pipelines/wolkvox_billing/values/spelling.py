"""The spelling of a text, which does not matter where people's words are compared."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import filterfalse


@lru_cache(maxsize=50_000)
def plain(text: str) -> str:
    """Return a text without case, accents and runs of blanks. It may be longer: `½` has three."""
    text = unicodedata.normalize("NFKD", text).casefold()  # a letter, and behind it its accents
    if not text.isascii():
        text = "".join(filterfalse(unicodedata.combining, text))
    return " ".join(text.split())
