"""The rows of invoices: columns, types, keys and a sentence for each, and a document's rows.

Rows are only ever inserted: a key that is in a table already is left as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime

from wolkvox_billing.invoices.document import Document, Rejected, storable
from wolkvox_billing.invoices.files import Paper
from wolkvox_billing.values.periods import Period
from wolkvox_billing.warehouse.bulk import TableRow
from wolkvox_billing.warehouse.columns import AMOUNT, COUNT, DATE, FLAG, RATE, TEXT, TIME, Table

_DOCUMENT_ID = (TEXT, "SHA-256 of the document's canonical XML, or of a spreadsheet's rows")
_CURRENCY = (TEXT, "The currency of the amounts, such as COP")
_OF_DOCUMENTS = {
    "document_id": _DOCUMENT_ID,
    "supplier_id": (TEXT, "The supplier's tax id (in Colombia the NIT)"),
    "supplier_name": (TEXT, "The name; NULL if the document says that it is a person"),
    "customer_id": (TEXT, "The customer's tax id; NULL where the document does not state it"),
    "customer_name": (TEXT, "The name; NULL if the document says that it is a person"),
    "document_kind": (
        TEXT,
        "invoice, credit_note, debit_note, corrected_invoice; pro_forma and prepayment, which bill "
        "no use",
    ),
    "document_number": (TEXT, "The number; suppliers and kinds share numbers"),
    "document_uuid": (TEXT, "DIAN's unique code (CUFE or CUDE)"),
    "issue_date": (DATE, "The day of issue, as the document says"),
    "period_start": (DATE, "First day of what is billed"),
    "period_end": (DATE, "The day after the last one"),
    "period_source": (TEXT, "Who says so: document, line, text, or the setting's rule"),
    "billing_currency": _CURRENCY,
    "net_amount": (AMOUNT, "The sum of the lines as the document states it, before tax"),
    "tax_amount": (AMOUNT, "All taxes, as the document states them"),
    "payable_amount": (AMOUNT, "What is to be paid, as the document states it"),
    "allowance_amount": (AMOUNT, "What it takes off beside its lines, as a positive amount"),
    "charge_amount": (AMOUNT, "What it puts on beside its lines"),
    "rounding_amount": (AMOUNT, "What its total is rounded by, with its sign"),
    "prepaid_amount": (AMOUNT, "What was paid before, and is taken off what is to be paid"),
    "withheld_amount": (AMOUNT, "Withholding taxes, as the document states them"),
    "due_date": (DATE, "The day on which it is to be paid"),
    "payment_form": (TEXT, "cash or credit, by DIAN's code; NULL where the document has none"),
    "exchange_currency": (TEXT, "The currency of which one is `exchange_rate` of the other"),
    "exchange_in_currency": (TEXT, "The other currency"),
    "exchange_rate": (RATE, "The rate between its two currencies, as the document states it"),
    "exchange_rate_date": (DATE, "The day of which the rate is, as the document says"),
    "is_test": (FLAG, "A test document (DIAN profile 2), which is never reconciled"),
    "corrects_number": (TEXT, "The number of the document that this one refers to"),
    "format": (TEXT, "ubl, csv, xlsx or html"),
    "file_name": (TEXT, "The file it came from; in a zip with the member's name"),
    "file_sha256": (TEXT, "SHA-256 of what file_name names"),
    "warnings": (TEXT, "What was noticed, one sentence a line; NULL if nothing"),
    "read_at": (TIME, "When it was read first (UTC)"),
    "received_at": (
        TIME,
        "When the mail came that it was attached to, by the mail's headers (UTC); NULL where it "
        "was read from no mail",
    ),
}
_OF_LINES = {
    "document_id": _DOCUMENT_ID,
    "line_number": (COUNT, "The line's place in the document, from 1"),
    "line_id": (TEXT, "The line's own number or name"),
    "operation": (TEXT, "The operation, where the file names one"),
    "description": (TEXT, "What is billed, in the supplier's words"),
    "item_code": (TEXT, "The supplier's code for it, or the standard one"),
    "quantity": (AMOUNT, "How much is billed"),
    "unit_code": (TEXT, "Of what; a code of UN/ECE in UBL"),
    "unit_price": (AMOUNT, "The price of one unit, as the document states it"),
    "net_amount": (AMOUNT, "The line's amount before tax"),
    "tax_amount": (AMOUNT, "The line's taxes, as the document states them"),
    "billing_currency": _CURRENCY,
    "period_start": (DATE, "First day of the line's own period; NULL if it has none"),
    "period_end": (DATE, "The day after its last one"),
}
_OF_REJECTIONS = {
    "row_hash": (TEXT, "SHA-256 of the three columns that follow"),
    "file_name": (TEXT, "The file; in a zip with the member's name"),
    "file_sha256": (TEXT, "SHA-256 of what file_name names; NULL if it was not read"),
    "reason": (TEXT, "Why it was not taken, in words"),
    "read_at": (TIME, "When it was refused first (UTC)"),
}
INVOICE_TABLES: dict[str, Table] = {
    "invoice_documents": Table(
        "One row per invoice, credit note or debit note that was read, as its first file had it",
        ("document_id",),
        _OF_DOCUMENTS,
    ),
    "invoice_lines": Table(
        "One row per line of a document", ("document_id", "line_number"), _OF_LINES
    ),
    "rejected_documents": Table(
        "One row per file or document that could not be taken, with the reason",
        ("row_hash",),
        _OF_REJECTIONS,
    ),
}


def document_rows(paper: Paper, read_at: datetime) -> list[TableRow]:
    """Return the row of a document; [] where the paper is none."""
    document = paper.content
    if not isinstance(document, Document):
        return []
    own = {
        **_days_of(document.period),
        "file_name": storable(paper.file_name),
        "file_sha256": paper.file_sha256,
        "warnings": storable("\n".join(map(str, map(storable, document.warnings)))),
        "read_at": read_at,
        "received_at": paper.received_at,
    }
    return [_row("invoice_documents", vars(document) | own)]


def line_rows(paper: Paper) -> list[TableRow]:
    """Return the rows of a document's lines; [] where the paper is none."""
    document = paper.content
    if not isinstance(document, Document):
        return []
    rows: list[TableRow] = []
    for number, line in enumerate(document.lines, 1):
        own = {"document_id": document.document_id, "line_number": number, **_days_of(line.period)}
        rows.append(_row("invoice_lines", vars(line) | own))
    return rows


def _days_of(period: Period | None) -> dict[str, date | None]:
    start, end = period or (None, None)
    return {"period_start": start, "period_end": end}


def _row(table: str, values: Mapping[str, object]) -> TableRow:
    """Return those of these values that are named as a table's columns are."""
    return {name: values[name] for name in INVOICE_TABLES[table].columns}


def rejected_rows(paper: Paper, read_at: datetime) -> list[TableRow]:
    """Return the row of what was rejected; [] where the paper was not."""
    if not isinstance(paper.content, Rejected):
        return []
    return [
        {
            "row_hash": rejection_id(paper),
            "file_name": storable(paper.file_name),
            "file_sha256": paper.file_sha256,
            "reason": storable(str(paper.content)),
            "read_at": read_at,
        }
    ]


def rejection_id(paper: Paper) -> str:
    """Return the key of what was rejected: the same of the same file, for the same reason."""
    name, reason = storable(paper.file_name), storable(str(paper.content))
    return hashlib.sha256(f"{name}\n{paper.file_sha256}\n{reason}".encode()).hexdigest()
