"""The lines that were billed, out of the tables of invoices."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.document import BILLS
from wolkvox_billing.invoices.period import period_of_line
from wolkvox_billing.reconciliation.contract.names import quote_names
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.tax import Taxed, doubt
from wolkvox_billing.values.periods import Period
from wolkvox_billing.warehouse.sql import Client, rows_of, tables_in


class BilledLines(NamedTuple):
    """The lines, warnings of their documents, and by document_id a doubt of its tax."""

    lines: list[BilledLine]
    warnings: list[str]
    doubts: dict[str, str]


_Name = tuple[str | None, str, str]  # supplier_id, kind, bare number


class _Document(NamedTuple):
    document_id: str
    supplier_id: str | None
    kind: str
    number: str | None
    period_start: date | None
    period_end: date | None
    period_source: str | None
    corrects_number: str | None
    currency: str | None
    tax: Decimal | None
    issued: date | None
    is_test: bool | None
    format: str
    net: Decimal | None
    payable: Decimal | None
    read_at: datetime

    @property
    def period(self) -> Period | None:
        return _period(self.period_start, self.period_end)

    @property
    def name(self) -> _Name:
        """What no other document has."""
        if self.kind == "corrected_invoice":  # nobody knows whether all is replaced, or a part
            return self.supplier_id, "invoice", _bare(self.corrects_number or self.number)
        return self.supplier_id, self.kind, _bare(self.number)

    @property
    def is_without_period(self) -> bool:
        """Whether it is a note that names no period: it is for that of what it corrects."""
        return self.kind != "invoice" and self.period_source in ("rule", None)

    def has_totals_of(self, other: _Document) -> bool:
        """Whether it comes to what the other one does."""
        if self.currency != other.currency:
            return False
        is_net = self.net is not None and self.net == other.net
        is_tax = None in (self.tax, other.tax) or self.tax == other.tax
        return (is_net and is_tax) or (self.payable is not None and self.payable == other.payable)

    @property
    def corrected(self) -> tuple[str | None, str]:
        return self.supplier_id, _bare(self.corrects_number)


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
_Numbers = Counter[_Name]


def read_billed_lines(client: Client, raw: str, policy: Policy) -> BilledLines:
    """Return the lines that were billed, none where no invoice was ever loaded. Documents that are
    tests or bill no use, and those of other suppliers than `supplier_ids` names, are left out."""
    if "invoice_lines" not in tables_in(client, raw):
        return BilledLines([], [], {})
    loaded = [
        _Document(*row)
        for row in rows_of(
            client,
            "SELECT document_id, supplier_id, document_kind, document_number, period_start, "
            "period_end, period_source, corrects_number, billing_currency, tax_amount, issue_date, "
            "is_test, format, net_amount, payable_amount, read_at "
            f"FROM {raw}.invoice_documents",
        )
    ]
    documents = {
        document.document_id: document
        for document in loaded
        if document.is_test is False
        and document.kind in BILLS
        and (not policy.supplier_ids or document.supplier_id in policy.supplier_ids)
    }
    superseded = _superseded(documents.values())
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
    periods: _Periods = {
        (document.supplier_id, _bare(document.number)): document.period
        for document in documents.values()
        if document.kind == "invoice" and document.number and document.period
    }
    numbers = Counter(document.name for document in documents.values() if _bare(document.number))
    suppliers = {str(document.supplier_id or "none") for document in loaded}
    return BilledLines(
        [_billed(line, documents[line.document_id], periods, numbers) for line in lines],
        [
            *_warn_of_suppliers(suppliers, policy),
            *_warn_of_notes(documents.values(), periods),
            *superseded.values(),
        ],
        _doubts(documents, lines),
    )


def _superseded(documents: Iterable[_Document]) -> dict[str, str]:
    """Return a warning by document_id for each spreadsheet's document that is another one too: with
    its kind, its number in whatever spelling, and its totals, as an electronic invoice or in a
    spreadsheet that was read before. A spreadsheet may leave out the supplier."""
    by_number: defaultdict[tuple[str, str], list[_Document]] = defaultdict(list)
    for document in documents:
        if number := _bare(document.number):
            by_number[document.kind, number].append(document)
    warnings: dict[str, str] = {}
    for namesakes in by_number.values():
        counting: list[_Document] = []
        # The XML before spreadsheets, one that names the supplier before one that does not.
        namesakes.sort(key=lambda d: (d.format != "ubl", not d.supplier_id, d.read_at))
        for document in namesakes:
            others = [
                other
                for other in counting
                if document.format != "ubl"
                and document.supplier_id in (other.supplier_id, None)
                and document.has_totals_of(other)
            ]
            if len(others) != 1:
                counting.append(document)
                continue
            kind = document.kind.replace("_", " ")
            form = "the electronic one" if others[0].format == "ubl" else "the one read before"
            warnings[document.document_id] = (
                f"{kind} {document.number} of a spreadsheet is {others[0].number}, which is loaded "
                f"too, with the same totals: {form} counts"
            )
    return warnings


def _billed(line: _Line, document: _Document, periods: _Periods, numbers: _Numbers) -> BilledLine:
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


def _warn_of_notes(documents: Iterable[_Document], periods: _Periods) -> list[str]:
    """Return a warning for each note whose period nobody knows."""
    return [
        f"{note.kind.replace('_', ' ')} {note.number}: names no period, and corrects "
        f"{note.corrects_number or 'nothing that it names'}, which is not loaded: its month is by "
        "the setting `period_rule`"
        for note in documents
        if note.is_without_period and note.corrected not in periods
    ]


def _doubts(documents: dict[str, _Document], lines: Iterable[_Line]) -> dict[str, str]:
    taxed: defaultdict[str, list[Taxed]] = defaultdict(list)
    for line in lines:
        taxed[line.document_id].append(Taxed(line.line_number, line.amount, line.tax))
    doubts: dict[str, str] = {}
    for document_id, taxes in taxed.items():
        document = documents[document_id]
        if text := doubt(document.tax, taxes):
            kind = document.kind.replace("_", " ")
            doubts[document_id] = f"{kind} {document.number or 'without a number'}: {text}"
    return doubts


def _period(start: date | None, end: date | None) -> Period | None:
    return Period(start, end) if start and end else None


def _bare(number: str | None) -> str:
    """Return a number without what people write between its parts: F-1 is F1."""
    return "".join(filter(str.isalnum, number or "")).casefold()
