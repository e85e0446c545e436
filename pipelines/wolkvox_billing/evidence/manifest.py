"""The manifest of an evidence file: its month, its moment, and the SHA-256 and size of each member;
and which members there are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

MANIFEST = "manifest.json"
VERSIONS = "versions.json"
RATES = "exchange_rates.csv"  # where the contract has such a file
# What each layout of evidence holds always; versions.json says which one it is, and that of the
# first versions nothing. A file that was written once is checked by its own.
LAYOUT = "4"
_FIRST = ("readings", "polls", "usage_restatements", "invoice_documents", "invoice_lines",
          "invoice_reconciliation")  # fmt: skip
_SECOND = (*_FIRST, "usage_monthly", "answers")
_THIRD = (*_SECOND, "invoice_components", "invoice_settlement")
_TABLES = {
    "1": _FIRST,
    "2": _SECOND,
    "3": _THIRD,
    LAYOUT: (*_THIRD, "document_decisions", "claims"),
}
ALWAYS = {
    layout: {
        *(f"{table}.{kind}" for table in tables for kind in ("csv", "parquet")),
        *("report.html", "line_map.csv", "rate_card.csv", "policy.json", VERSIONS),
    }
    for layout, tables in _TABLES.items()
}
# What it holds where there is anything of the kind: what operations count as, and who decided it;
# what was counted in the customer's bucket.
_SOMETIMES = {
    f"{table}.{kind}"
    for table in ("identities", "operation_decisions", "bucket_daily", "copy_reconciliation")
    for kind in ("csv", "parquet")
}
_ANSWER = re.compile(r"answers/[A-Za-z0-9._-]{1,90}")
_DOCUMENT = re.compile(r"documents/([0-9a-f]{12})-[A-Za-z0-9._-]{1,80}")


class Member(NamedTuple):
    """What the manifest says of a member."""

    sha256: str
    size: int


class Manifest(NamedTuple):
    """The month, such as 2026-10; the moment of which it is, as a text; and each member."""

    month: str
    created_as_of: str
    members: Mapping[str, Member]

    def as_bytes(self) -> bytes:
        """Return the one way to write it."""
        members = {name: member._asdict() for name, member in sorted(self.members.items())}
        return as_json({**self._asdict(), "members": members})


def is_known(name: str, sha256: str) -> bool:
    """Whether evidence has such a member: one of ALWAYS, an answer, or a document, which is named
    by its SHA-256; and the exchange rates."""
    document = _DOCUMENT.fullmatch(name)
    is_document = document is not None and sha256.startswith(document[1])
    return (
        name in {*ALWAYS[LAYOUT], *_SOMETIMES, RATES}
        or is_document
        or bool(_ANSWER.fullmatch(name))
    )


def as_json(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return f"{text}\n".encode()
