"""Credit notes of a list that annul what the list says is no bill: such an invoice bills nothing,
so that its note, which gives it back, takes nothing off."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal

from wolkvox_billing.invoices.document import Document, Rejected
from wolkvox_billing.invoices.sheets.cells import number_in
from wolkvox_billing.invoices.sheets.rows import SheetRow, list_some, number_of
from wolkvox_billing.values.document_number import bare_number

_NUMBER = re.compile(r"[A-Za-z]{0,10}[ -]?\d[\d-]*")


def without_annulments(
    contents: Sequence[Document | Rejected], cancelled: Sequence[SheetRow], decimal: str | None
) -> Iterator[Document | Rejected]:
    """Yield these documents without the credit notes that annul what is cancelled, as a note says,
    or, where it does not say what it corrects, its amount. The others tell of them."""
    nets = _nets_of(cancelled, decimal)
    told: list[str] = []
    remaining: list[Document | Rejected] = []
    for content in contents:
        annulled = _annulled_by(content, nets) if isinstance(content, Document) else ""
        if annulled and isinstance(content, Document):
            told.append(f"{content.document_number} (it takes back {annulled})")
        else:
            remaining.append(content)
    says = f"not billed, by what its row says that it annuls: {list_some(told)}"
    documents = [content for content in remaining if isinstance(content, Document)]
    for document in documents if told else ():
        document.warnings.append(says)
    yield from remaining
    if told and not documents:
        yield Rejected(says)


def _nets_of(rows: Sequence[SheetRow], decimal: str | None) -> dict[str, Decimal]:
    """Return what each cancelled invoice comes to, by its number as it is compared."""
    nets: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        net = None
        with suppress(Rejected):
            net = number_in(row.cell("net_amount"), decimal)
        nets[bare_number(number_of([row]))] += abs(net or Decimal())
    nets.pop("", None)
    return dict(nets)


def _annulled_by(document: Document, nets: dict[str, Decimal]) -> str:
    """Return the number of what is cancelled that a credit note gives back, or ""."""
    if document.document_kind != "credit_note" or not nets:
        return ""
    texts = [line.description or "" for line in document.lines]
    named = {bare_number(match) for text in texts for match in _NUMBER.findall(text)}
    named.add(bare_number(document.corrects_number or ""))
    if annulled := sorted(named & nets.keys()):
        return annulled[0].upper()
    if document.corrects_number:
        return ""
    net = abs(document.net_amount or Decimal())
    same = [number for number, amount in nets.items() if net and amount == net]
    return same[0].upper() if len(same) == 1 else ""
