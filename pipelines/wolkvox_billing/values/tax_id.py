"""A tax id in one form, whoever wrote it: a file, a setting or the line map."""

from __future__ import annotations

import re

# Colombia's: of a company 9 digits, of a person up to 10; dots between thousands, and a check digit
# behind the hyphen. Without dots 7 digits are no NIT: a Finnish id is written 1234567-8.
_NIT = re.compile(r"(\d{1,3}(?:\.\d{3}){2}|\d(?:\.\d{3}){3}|\d{8,10})(?:-\d)?", re.ASCII)


def canonical_id(text: str) -> str:
    """Return a NIT as its digits, without the check digit; any other id as it is, without
    blanks."""
    written = "".join(text.split())
    nit = _NIT.fullmatch(written)
    return nit[1].replace(".", "") if nit else written


def read_tax_id(text: str | None, warnings: list[str], party: str = "supplier") -> str | None:
    """Return the tax id of a document's party, by the one form; None, with a warning, for what has
    no digit: it may be a person's name."""
    if text and not any(c.isdigit() for c in text):
        warnings.append(f"the {party}'s tax id has no digit: not taken")
        return None
    return canonical_id(text or "") or None
