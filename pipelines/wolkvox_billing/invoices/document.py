"""A document: an invoice, a credit note or a debit note, as every format is read into it.

What a file does not state is None, and `warnings` says so. Amounts are exact, in the document's
currency, and as the document has them: a credit note's are positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.invoices.period import Period
from wolkvox_billing.values.shown import UNSTORABLE

_MOST_CHARACTERS = 4000  # of a text that is kept


class Rejected(WolkvoxError):
    """A file or document that is not taken; the text is the reason, for a person."""


@dataclass
class Line:
    """One line of a document. `period` is the line's own, where it has one."""

    line_id: str | None = None
    operation: str | None = None
    description: str | None = None
    item_code: str | None = None
    quantity: Decimal | None = None
    unit_code: str | None = None
    unit_price: Decimal | None = None
    net_amount: Decimal | None = None
    tax_amount: Decimal | None = None
    billing_currency: str | None = None
    period: Period | None = None


@dataclass
class Document:
    """One document with its lines; `texts` may name a month, the first group that does counts; they
    are not kept."""

    document_id: str
    format: str
    document_kind: str
    supplier_id: str | None = None
    supplier_name: str | None = None
    document_number: str | None = None
    document_uuid: str | None = None
    issue_date: date | None = None
    own_period: Period | None = None
    period: Period | None = None
    period_source: str | None = None
    billing_currency: str | None = None
    net_amount: Decimal | None = None
    tax_amount: Decimal | None = None
    payable_amount: Decimal | None = None
    is_test: bool = False
    corrects_number: str | None = None
    lines: list[Line] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unexplained: list[int] = field(default_factory=list)  # lines that quantity x price is not


def turn(document: Document) -> None:
    """Takes the minus off a credit note that is written with one, in whatever format, and warns.

    Its own net total says whether it is, or, without one, the sum of its lines. Where these are the
    same amount with two signs, each is turned by itself.
    """
    net = document.net_amount
    total = sum((one.net_amount for one in document.lines if one.net_amount is not None), Decimal())
    are_negative = (total if net is None or net == -total else net) < 0
    is_negative = are_negative if net is None else net < 0
    if document.document_kind != "credit_note" or not (are_negative or is_negative):
        return
    document.warnings.append("a credit note with negative amounts: taken without the sign")
    if is_negative:
        _negate(document, "net_amount", "tax_amount", "payable_amount")
    for line in document.lines if are_negative else ():
        is_credit = (line.net_amount or Decimal()) <= 0
        # Of what is given back, a quantity or a price may be written without a minus.
        if not (is_credit and (line.quantity or Decimal()) > 0):
            _negate(line, "quantity")
        if is_credit and (line.unit_price or Decimal()) < 0:
            _negate(line, "unit_price")
        _negate(line, "net_amount", "tax_amount")


def _negate(one: Document | Line, *names: str) -> None:
    for name in names:
        value = getattr(one, name)
        setattr(one, name, -value if value else value)


def check(document: Document) -> None:
    """Warns of what is missing and of what does not add up; Rejected without currency or lines."""
    name = document.document_number or "without a number"
    if not document.lines:
        raise Rejected(f"the document {name} has no lines: nothing in it can be compared")
    if not document.billing_currency:
        raise Rejected(f"the document {name} states no currency")
    missing = [one for one in _EXPECTED if getattr(document, one) is None]
    if document.format == "ubl" and not document.document_uuid:
        missing.append("document_uuid")
    for one in _EXPECTED_OF_LINES:
        without = [str(n) for n, line in enumerate(document.lines, 1) if getattr(line, one) is None]
        if without:
            missing.append(f"{one} of {_listed(without)}")
    if missing:
        document.warnings.append(f"not stated: {', '.join(missing)}")
    if document.unexplained:
        listed = _listed([str(n) for n in document.unexplained])
        first = document.lines[document.unexplained[0] - 1]
        document.warnings.append(
            f"quantity x price is not the amount, which counts, of {listed}: "
            f"{shown(first.quantity or Decimal())} x {shown(first.unit_price or Decimal())} "
            f"and {shown(first.net_amount or Decimal())}"
        )
    if document.document_kind == "credit_note" and not document.corrects_number:
        document.warnings.append("a credit note that does not say what it corrects")
    if document.is_test:
        document.warnings.append("a test document: it is never reconciled")
    others = {one.billing_currency for one in document.lines} - {document.billing_currency, None}
    if others:
        document.warnings.append(
            f"lines in {', '.join(sorted(filter(None, others)))}, "
            f"and a document in {document.billing_currency}"
        )
    total = sum((one.net_amount for one in document.lines if one.net_amount is not None), Decimal())
    if document.net_amount not in (None, total):
        document.warnings.append(
            f"the lines add up to {shown(total)}, and the total says "
            f"{shown(document.net_amount or total)}"
        )


_EXPECTED = ("supplier_id", "document_number", "issue_date", "net_amount",
             "tax_amount", "payable_amount")  # fmt: skip
_EXPECTED_OF_LINES = ("description", "quantity", "net_amount")


def _listed(numbers: Sequence[str]) -> str:
    """Line numbers for a person; of many, the first ones."""
    shown = ", ".join(numbers[:5]) + (", ..." if len(numbers) > 5 else "")
    return f"line{'s' if len(numbers) > 1 else ''} {shown}"


def stored(amount: Decimal, where: str, warnings: list[str]) -> Decimal:
    """An amount as the tables hold it, DECIMAL(18,4); more decimals are rounded with a warning.

    Raises Rejected where it does not fit.
    """
    if amount and amount.adjusted() > 13:
        raise Rejected(f"{where} does not fit: 14 digits before the point are the most")
    rounded = round(amount, 4)
    if rounded != amount:
        warnings.append(f"{where} is {amount:f}, kept with 4 decimals")
    return rounded


def shown(amount: Decimal) -> str:
    """An amount for a person, without zeros that say nothing."""
    return f"{amount.normalize():,f}"


def storable(text: str | None) -> str | None:
    """A text as a database takes it: blanks around it go, what cannot be stored is shown by its
    number, one that is too long is cut and says so; None if nothing is left."""
    text = (text or "").strip()
    if len(text) > _MOST_CHARACTERS + 40:  # what was cut already is not cut again
        text = f"{text[:_MOST_CHARACTERS]}... (cut: {len(text):,} characters)"
    return UNSTORABLE.sub(lambda found: ascii(found[0])[1:-1], text) or None


def short(text: str) -> str:
    """A text of a file's for a message: quoted, harmless on a terminal, and not endless."""
    shown = ascii(text) if UNSTORABLE.search(text) else repr(text)
    return shown if len(shown) <= 60 else shown[:56] + "...'"


def quoted(text: str) -> str:
    """What stands where a number or date should, for a message that is kept: a person's name or
    address, which may have got there, is not quoted. Three letters, as in N/A, name nobody."""
    letters = sum(c.isalpha() for c in text)
    return (
        short(text) if len(text) <= 60 and letters <= 3 else f"a text of {len(text):,} characters"
    )
