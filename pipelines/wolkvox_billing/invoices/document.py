"""A document: an invoice, a credit note or a debit note, as every format is read into it.

What a file does not state is None, and `warnings` says so. Amounts are exact, in the document's
currency, and as the document has them: a credit note's are positive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.values.numbers import format_number
from wolkvox_billing.values.periods import Period
from wolkvox_billing.values.texts import UNSTORABLE

# Documents of other kinds are kept, and bill nothing.
BILLS = ("invoice", "corrected_invoice", "credit_note", "debit_note")
EXEMPT = "exempt from tax by its own word: "  # how that warning begins
_MOST_CHARACTERS = 4000  # of a text that is stored
_CENT = Decimal("0.01")


class Rejected(WolkvoxError):
    """A file or document that is not taken; the text is the reason, for a person."""


class Party(NamedTuple):
    """A document's supplier or customer, as far as it is kept."""

    tax_id: str | None
    name: str | None


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
    """One document with its lines.

    One `exchange_currency` is `exchange_rate` `exchange_in_currency`; the two are None where the
    file states a rate alone. `texts` are read for a month that they name, and are not stored: the
    first group that names one counts. `unexplained` are the numbers of the lines whose amount is
    not quantity x price.
    """

    document_id: str
    format: str
    document_kind: str
    supplier_id: str | None = None
    supplier_name: str | None = None
    customer_id: str | None = None
    customer_name: str | None = None
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
    allowance_amount: Decimal | None = None
    charge_amount: Decimal | None = None
    rounding_amount: Decimal | None = None
    prepaid_amount: Decimal | None = None
    withheld_amount: Decimal | None = None
    due_date: date | None = None
    payment_form: str | None = None  # cash, credit
    exchange_currency: str | None = None
    exchange_in_currency: str | None = None
    exchange_rate: Decimal | None = None
    exchange_rate_date: date | None = None
    is_test: bool = False
    corrects_number: str | None = None
    lines: list[Line] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unexplained: list[int] = field(default_factory=list)


def turn_credit_note(document: Document) -> None:
    """Take the minus off a credit note that is written with one, in whatever format, and warn.

    Its own net total says whether it is, or, without one, the sum of its lines. Where these are the
    same amount with two signs, each is turned by itself.
    """
    if document.document_kind != "credit_note":
        return
    net, total = document.net_amount, _sum_of_lines(document)
    are_lines_negative = (total if net is None or net == -total else net) < 0
    is_total_negative = are_lines_negative if net is None else net < 0
    if not (are_lines_negative or is_total_negative):
        return
    document.warnings.append("a credit note with negative amounts: taken without the sign")
    if is_total_negative:
        _negate(
            document, "net_amount", "tax_amount", "payable_amount", "allowance_amount",
            "charge_amount", "rounding_amount", "prepaid_amount", "withheld_amount",
        )  # fmt: skip
    for line in document.lines if are_lines_negative else ():
        is_credit = (line.net_amount or Decimal()) <= 0
        # Of what is given back, a quantity or a price may be written without a minus.
        if not (is_credit and (line.quantity or Decimal()) > 0):
            _negate(line, "quantity")
        if is_credit and (line.unit_price or Decimal()) < 0:
            _negate(line, "unit_price")
        _negate(line, "net_amount", "tax_amount")


def _negate(part: Document | Line, *names: str) -> None:
    for name in names:
        amount = getattr(part, name)
        setattr(part, name, -amount if amount else amount)


def _sum_of_lines(document: Document) -> Decimal:
    return sum((line.net_amount or Decimal() for line in document.lines), Decimal())


def check_document(document: Document) -> None:
    """Warn of what is missing and of what does not add up.

    Raises Rejected where the document has no currency, or no lines.
    """
    name = document.document_number or "without a number"
    if not document.lines:
        raise Rejected(f"the document {name} has no lines: nothing in it can be compared")
    if not document.billing_currency:
        raise Rejected(f"the document {name} states no currency")
    document.warnings += _doubts_about(document)


def _doubts_about(document: Document) -> Iterator[str]:
    if missing := list(_missing_in(document)):
        yield f"not stated: {', '.join(missing)}"
    if document.unexplained:
        first = document.lines[document.unexplained[0] - 1]
        quantity, price, amount = (
            format_number(number or Decimal())
            for number in (first.quantity, first.unit_price, first.net_amount)
        )
        yield (
            "quantity x price is not the amount, which counts, of "
            f"{_list_lines(document.unexplained)}: {quantity} x {price} and {amount}"
        )
    if document.document_kind == "credit_note" and not document.corrects_number:
        yield "a credit note that does not say what it corrects"
    if document.is_test:
        yield "a test document: it is never reconciled"
    currencies = {line.billing_currency or "" for line in document.lines}
    if others := sorted(currencies - {document.billing_currency, ""}):
        yield f"lines in {', '.join(others)}, and a document in {document.billing_currency}"
    net, total = document.net_amount, _sum_of_lines(document)
    if net not in (None, total):
        stated = format_number(net or total)
        yield f"the lines add up to {format_number(total)}, and the total says {stated}"
    yield from _doubts_about_totals(document)


def _doubts_about_totals(document: Document) -> Iterator[str]:
    """Yield a warning where net, tax and what the document adds and takes off as a whole do not
    lead to what it asks for, with what was withheld or without."""
    parts = (document.allowance_amount, document.charge_amount, document.rounding_amount,
             document.prepaid_amount, document.withheld_amount)  # fmt: skip
    net, tax, payable = document.net_amount, document.tax_amount, document.payable_amount
    if net is None or payable is None:
        return
    allowance, charge, rounding, prepaid, withheld = (part or Decimal() for part in parts)
    expected = net - allowance + charge + (tax or Decimal()) + rounding - prepaid
    if all(abs(payable - amount) > _CENT for amount in (expected, expected - withheld)):
        yield (
            f"its parts come to {format_number(expected)} (net {format_number(net)}, less "
            f"{format_number(allowance)}, plus {format_number(charge)}, tax "
            f"{format_number(tax or Decimal())}, rounding {format_number(rounding)}, prepaid "
            f"{format_number(prepaid)}), and it asks for {format_number(payable)}"
        )


_EXPECTED = ("supplier_id", "document_number", "issue_date", "net_amount",
             "tax_amount", "payable_amount")  # fmt: skip
_EXPECTED_OF_LINES = ("description", "quantity", "net_amount")


def _missing_in(document: Document) -> Iterator[str]:
    """Yield what a document or its lines should state, and do not."""
    yield from (name for name in _EXPECTED if getattr(document, name) is None)
    if document.format == "ubl" and not document.document_uuid:
        yield "document_uuid"
    for name in _EXPECTED_OF_LINES:
        blank = [n for n, line in enumerate(document.lines, 1) if getattr(line, name) is None]
        if blank:
            yield f"{name} of {_list_lines(blank)}"


def _list_lines(numbers: Sequence[int]) -> str:
    """Return line numbers for a person: of many, the first five."""
    listed = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")
    return f"line{'s' if len(numbers) > 1 else ''} {listed}"


def fit_rate(rate: Decimal, name: str, warnings: list[str]) -> Decimal | None:
    """Return a rate between currencies as the tables hold it, DECIMAL(38,18); rounding it is a
    warning. One that is none, or does not fit, is told and not taken: the amounts stand."""
    if rate <= 0 or not -18 <= rate.adjusted() <= 13:
        warnings.append(f"{name} is {short(str(rate))}, which is no rate: not taken")
        return None
    rounded = round(rate, 18)
    if rounded != rate:
        warnings.append(f"{name} is {rate:f}, kept with 18 decimals")
    return rounded.normalize()


def fit_amount(amount: Decimal, name: str, warnings: list[str]) -> Decimal:
    """Return an amount as the tables hold it, DECIMAL(18,4); rounding it is a warning.

    Raises Rejected where it does not fit.
    """
    if amount and amount.adjusted() > 13:
        raise Rejected(f"{name} does not fit: 14 digits before the point are the most")
    rounded = round(amount, 4)
    if rounded != amount:
        warnings.append(f"{name} is {amount:f}, kept with 4 decimals")
    return rounded


def storable(text: str | None) -> str | None:
    """Return a text as a database takes it, or None if nothing is left of it.

    Blanks around it go, what cannot be stored is shown by its number, and one that is too long is
    cut and says so.
    """
    text = (text or "").strip()
    if len(text) > _MOST_CHARACTERS + 40:  # what was cut already is not cut again
        text = f"{text[:_MOST_CHARACTERS]}... (cut: {len(text):,} characters)"
    return UNSTORABLE.sub(lambda match: ascii(match[0])[1:-1], text) or None


def short(text: str) -> str:
    """Return a text of a file's for a message: quoted, harmless on a terminal, and not endless."""
    literal = ascii(text) if UNSTORABLE.search(text) else repr(text)
    return literal if len(literal) <= 60 else literal[:56] + "...'"


def quoted(text: str) -> str:
    """Return what stands where a number or date should, for a message that is stored.

    A person's name or address, which may have got there, is not quoted. Three letters, as in N/A,
    name nobody.
    """
    letters = sum(c.isalpha() for c in text)
    if len(text) <= 60 and letters <= 3:
        return short(text)
    return f"a text of {len(text):,} characters"
