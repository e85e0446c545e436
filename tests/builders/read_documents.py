"""Documents that the tests have read."""

from __future__ import annotations

from typing import Any

from builders.documents import (
    declared,
)
from wolkvox_billing.invoices import Document, complete
from wolkvox_billing.invoices.files import read_file

RULE = "month_before_issue"


def whats(data: bytes | str, name: str = "f.xml") -> list[Any]:
    """All that a file is said to be."""
    given = declared(data) if isinstance(data, str) else data
    return [found.what for found in read_file(name, given)]


def only(data: bytes | str, rule: str = RULE) -> Document:
    """The one document in a file, checked and with its period."""
    [what] = whats(data)
    assert isinstance(what, Document), what
    complete(what, rule)
    return what
