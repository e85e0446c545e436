"""Texts that somebody else wrote: on a terminal, and in a database."""

from __future__ import annotations

import re

# PostgreSQL's text holds neither NUL nor half a character; dlt takes the last ones for marks of its
# own, and changes a text that begins with one.
UNSTORABLE = re.compile("[\x00\ud800-\udfff\uf026-\uf02f]")


def harmless(text: str) -> str:
    """Return a text for a terminal or a page: what does not print is shown by its number."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
