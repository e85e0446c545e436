"""A tax id in one form, whoever wrote it: a file, a setting or the line map."""

from __future__ import annotations

import re

# Colombia's: of a company 9 digits, of a person up to 10; dots between thousands, and a check digit
# behind the hyphen. Without dots 7 digits are no NIT: a Finnish id is written 1234567-8.
_NIT = re.compile(r"(\d{1,3}(?:\.\d{3}){2}|\d(?:\.\d{3}){3}|\d{8,10})(?:-\d)?", re.ASCII)

_WEIGHTS = (41, 37, 29, 23, 19, 17, 13, 7, 3)  # DIAN's, of a company's nine digits


def canonical_id(text: str) -> str:
    """Return a NIT as its digits, without the check digit; any other id without blanks."""
    written = "".join(text.split())
    nit = _NIT.fullmatch(written)
    if not nit:
        return written
    digits = nit[1].replace(".", "")
    return digits[:9] if _ends_with_check_digit(digits) else digits


def _ends_with_check_digit(digits: str) -> bool:
    """Return whether ten digits are those of a company, which begin with 8 or 9, and its check
    digit without a hyphen. A person's ten begin with 1."""
    if len(digits) != 10 or digits[0] not in "89":
        return False
    rest = sum(int(d) * w for d, w in zip(digits[:9], _WEIGHTS, strict=True)) % 11
    return digits[9] == str(rest if rest < 2 else 11 - rest)


def read_tax_id(text: str | None, warnings: list[str], party: str = "supplier") -> str | None:
    """Return the tax id of a document's party, by the one form; None, with a warning, for what has
    no digit: it may be a person's name."""
    if text and not any(c.isdigit() for c in text):
        warnings.append(f"the {party}'s tax id has no digit: not taken")
        return None
    return canonical_id(text or "") or None
