"""The lines that were billed, out of the tables of invoices."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.document import BILLS
from wolkvox_billing.invoices.period import period_of_line
from wolkvox_billing.reconciliation.billed_documents import (
    BilledDocument,
    Name,
    find_superseded,
    read_documents,
    share_out,
)
from wolkvox_billing.reconciliation.contract.names import quote_names
from wolkvox_billing.reconciliation.facts import BilledLine, DocumentDoubts
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.tax import Taxed, doubt
from wolkvox_billing.values.document_number import bare_number
from wolkvox_billing.values.periods import Period
from wolkvox_billing.warehouse.sql import Client, rows_of, tables_in


class BilledLines(NamedTuple):
    """The lines, warnings of their documents, and by document_id what is odd in its sums."""

    lines: list[BilledLine]
    warnings: list[str]
    doubts: dict[str, DocumentDoubts]


class _Line(NamedTuple):
    document_id: str
    line_number: int
    operation: str | None
    description: str | None
    item_code: str | None
    quantity: Decimal | None
    amount: Decimal | None
    currency: str | None
    period_start: date | None
    period_end: date | None
    tax: Decimal | None
    unit_code: str | None


_Periods = dict[tuple[str | None, str], Period]  # supplier_id, an invoice's bare number
_Numbers = Counter[Name]


def read_billed_lines(client: Client, raw: str, policy: Policy) -> BilledLines:
    """Return the lines that were billed, none where no invoice was ever loaded. Documents that are
    tests or bill no use, and those of other suppliers than `supplier_ids` names, are left out."""
    if "invoice_lines" not in tables_in(client, raw):
        return BilledLines([], [], {})
    loaded = read_documents(client, raw)
    documents = {
        document.document_id: document
        for document in loaded
        if document.is_test is False
        and document.kind in BILLS
        and (not policy.supplier_ids or document.supplier_id in policy.supplier_ids)
    }
    superseded = find_superseded(documents.values())
    for document_id in superseded:
        del documents[document_id]
    lines = [
        line
        for row in rows_of(
            client,
            "SELECT document_id, line_number, operation, description, item_code, quantity, "
            "net_amount, billing_currency, period_start, period_end, tax_amount, unit_code "
            f"FROM {raw}.invoice_lines ORDER BY document_id, line_number",
        )
        if (line := _Line(*row)).document_id in documents
    ]
    periods = _periods_of_invoices(documents.values())
    numbers = Counter(document.name for document in documents.values() if document.name[-1])
    suppliers = {str(document.supplier_id or "none") for document in loaded}
    shares = _share_out(documents, lines)
    return BilledLines(
        [_billed(line, documents[line.document_id], periods, numbers) for line in shares],
        [
            *_warn_of_suppliers(suppliers, policy),
            *_warn_of_notes(documents.values(), periods),
            *superseded.values(),
        ],
        _doubts(documents, lines),
    )


def read_periods_of_notes(client: Client, raw: str) -> dict[str, Period]:
    """Return by document_id the period of each note that names none, and corrects an invoice that
    is loaded."""
    documents = [
        document
        for document in read_documents(client, raw)
        if document.is_test is False and document.kind in BILLS
    ]
    periods = _periods_of_invoices(documents)
    return {
        note.document_id: periods[note.corrected]
        for note in documents
        if note.is_without_period and note.corrected in periods
    }


def _periods_of_invoices(documents: Iterable[BilledDocument]) -> _Periods:
    return {
        (document.supplier_id, bare_number(document.number)): document.period
        for document in documents
        if document.kind == "invoice" and document.number and document.period
    }


def _share_out(documents: Mapping[str, BilledDocument], lines: Sequence[_Line]) -> list[_Line]:
    """Return the lines with what their documents put on and take off as a whole, by their amounts.
    That is not done where lines are in another currency than their document."""
    by_document: defaultdict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        by_document[line.document_id].append(line)
    shared: list[_Line] = []
    for document_id, own in by_document.items():
        document = documents[document_id]
        beside = document.beside_lines
        if beside and all(line.currency in (None, document.currency) for line in own):
            parts = share_out(beside, [line.amount or Decimal() for line in own])
            own = [
                line._replace(amount=(line.amount or Decimal()) + part)
                for line, part in zip(own, parts, strict=True)
            ]
        shared += own
    return shared


def _billed(
    line: _Line, document: BilledDocument, periods: _Periods, numbers: _Numbers
) -> BilledLine:
    period, source = document.period, document.period_source
    if document.is_without_period and document.corrected in periods:
        period, source = periods[document.corrected], "document"
    if own := _named_period(line, period, document.issued):
        period, source = own, "text"
    elif own := _period(line.period_start, line.period_end):
        period, source = own, "line"
    sign = -1 if document.kind == "credit_note" else 1
    return BilledLine(
        document_id=line.document_id,
        line_number=line.line_number,
        document_number=document.number,
        is_duplicate=numbers[document.name] > 1,
        supplier_id=document.supplier_id,
        operation=line.operation,
        description=line.description,
        item_code=line.item_code,
        quantity=None if line.quantity is None else sign * line.quantity,
        amount=sign * (line.amount or Decimal()),
        currency=line.currency or document.currency,
        period=period,
        period_source=source,
        issued=document.issued,
        unit_code=line.unit_code,
        is_note=document.kind != "invoice",
        # An electronic invoice that states no tax has none; a list may leave it out.
        has_tax=document.format == "ubl" or not (line.tax is None and document.tax is None),
    )


def _named_period(line: _Line, period: Period | None, issued: date | None) -> Period | None:
    """Return the one month, or run of days, that a line's own text names, where it is not within
    what its document says: `Ajuste consumo octubre 2026` in November's invoice is October's."""
    own = period_of_line(line.description or "", issued)
    if not own:
        return None
    is_within = period is not None and (period.holds(own) or own.holds(period))
    return None if is_within else own


def _warn_of_suppliers(suppliers: set[str], policy: Policy) -> list[str]:
    """Return a warning for each of `supplier_ids` of whom no document is, if there are some."""
    return [
        f"the setting `supplier_ids` under [reconciliation] has {supplier_id}, and no document is "
        f"of that supplier; there is {quote_names(suppliers)}"
        for supplier_id in policy.supplier_ids
        if suppliers and supplier_id not in suppliers
    ]


def _warn_of_notes(documents: Iterable[BilledDocument], periods: _Periods) -> list[str]:
    """Return a warning for each note whose period nobody knows."""
    return [
        f"{note.title}: names no period, and corrects "
        f"{note.corrects_number or 'nothing that it names'}, which is not loaded: its month is by "
        "the setting `period_rule`"
        for note in documents
        if note.is_without_period and note.corrected not in periods
    ]


def _doubts(
    documents: dict[str, BilledDocument], lines: Iterable[_Line]
) -> dict[str, DocumentDoubts]:
    taxed: defaultdict[str, list[Taxed]] = defaultdict(list)
    for line in lines:
        taxed[line.document_id].append(Taxed(line.line_number, line.amount, line.tax))
    doubts: dict[str, DocumentDoubts] = {}
    for document_id, taxes in taxed.items():
        document = documents[document_id]
        text = doubt(document.tax, taxes)
        if says := [*document.warnings_of_money, *([text] if text else [])]:
            doubts[document_id] = DocumentDoubts(document.title, says)
    return doubts


def _period(start: date | None, end: date | None) -> Period | None:
    return Period(start, end) if start and end else None
