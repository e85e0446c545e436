"""The tables of invoices: columns, types, keys and a sentence for each, and a document's rows.

Rows are only ever inserted: a key that is there already is left as it is.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from wolkvox_billing.invoices.document import Document, Rejected, storable
from wolkvox_billing.invoices.files import Found
from wolkvox_billing.warehouse.columns import AMOUNT, COUNT, DATE, FLAG, TEXT, TIME, Table

_DOCUMENT_ID = (TEXT, "SHA-256 of the document's canonical XML, or of a spreadsheet's rows")
_PERIOD_START = (DATE, "First day of what is billed")
_PERIOD_END = (DATE, "The day after the last one")
_CURRENCY = (TEXT, "The currency of the amounts, such as COP")

INVOICE_TABLES: dict[str, Table] = {
    "invoice_documents": (
        "One row per invoice, credit note or debit note that was read, as its first file had it",
        ("document_id",),
        {
            "document_id": _DOCUMENT_ID,
            "supplier_id": (TEXT, "The supplier's tax id (in Colombia the NIT)"),
            "supplier_name": (
                TEXT,
                "The name; NULL if the document says that it is a person",
            ),
            "document_kind": (TEXT, "invoice, credit_note or debit_note"),
            "document_number": (TEXT, "The number; suppliers and kinds share numbers"),
            "document_uuid": (TEXT, "DIAN's unique code (CUFE or CUDE)"),
            "issue_date": (DATE, "The day of issue, as the document says"),
            "period_start": _PERIOD_START,
            "period_end": _PERIOD_END,
            "period_source": (TEXT, "Who says so: document, line, text, or the setting's rule"),
            "billing_currency": _CURRENCY,
            "net_amount": (AMOUNT, "The sum of the lines as the document states it, before tax"),
            "tax_amount": (AMOUNT, "All taxes, as the document states them"),
            "payable_amount": (AMOUNT, "What is to be paid, as the document states it"),
            "is_test": (FLAG, "A test document (DIAN profile 2), which is never reconciled"),
            "corrects_number": (TEXT, "The number of the document that this one refers to"),
            "format": (TEXT, "ubl, csv or xlsx"),
            "file_name": (TEXT, "The file it came from; in a zip with the member's name"),
            "file_sha256": (TEXT, "SHA-256 of what file_name names"),
            "warnings": (TEXT, "What was noticed, one sentence a line; NULL if nothing"),
            "read_at": (TIME, "When it was read first (UTC)"),
        },
    ),
    "invoice_lines": (
        "One row per line of a document",
        ("document_id", "line_number"),
        {
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
        },
    ),
    "rejected_documents": (
        "One row per file or document that could not be taken, with the reason",
        ("row_hash",),
        {
            "row_hash": (TEXT, "SHA-256 of the three columns that follow"),
            "file_name": (TEXT, "The file; in a zip with the member's name"),
            "file_sha256": (TEXT, "SHA-256 of what file_name names; NULL if it was not read"),
            "reason": (TEXT, "Why it was not taken, in words"),
            "read_at": (TIME, "When it was refused first (UTC)"),
        },
    ),
}


def document_rows(found: Found, read_at: datetime) -> list[dict[str, Any]]:
    """A document's row in `invoice_documents`."""
    one = found.what
    if not isinstance(one, Document):
        return []
    return [
        {
            "document_id": one.document_id,
            "supplier_id": one.supplier_id,
            "supplier_name": one.supplier_name,
            "document_kind": one.document_kind,
            "document_number": one.document_number,
            "document_uuid": one.document_uuid,
            "issue_date": one.issue_date,
            "period_start": one.period.start if one.period else None,
            "period_end": one.period.end if one.period else None,
            "period_source": one.period_source,
            "billing_currency": one.billing_currency,
            "net_amount": one.net_amount,
            "tax_amount": one.tax_amount,
            "payable_amount": one.payable_amount,
            "is_test": one.is_test,
            "corrects_number": one.corrects_number,
            "format": one.format,
            "file_name": storable(found.file_name),
            "file_sha256": found.file_sha256,
            "warnings": storable("\n".join(map(str, map(storable, one.warnings)))),
            "read_at": read_at,
        }
    ]


def line_rows(found: Found) -> list[dict[str, Any]]:
    """A document's rows in `invoice_lines`."""
    one = found.what
    if not isinstance(one, Document):
        return []
    return [
        {
            "document_id": one.document_id,
            "line_number": number,
            "line_id": line.line_id,
            "operation": line.operation,
            "description": line.description,
            "item_code": line.item_code,
            "quantity": line.quantity,
            "unit_code": line.unit_code,
            "unit_price": line.unit_price,
            "net_amount": line.net_amount,
            "tax_amount": line.tax_amount,
            "billing_currency": line.billing_currency,
            "period_start": line.period.start if line.period else None,
            "period_end": line.period.end if line.period else None,
        }
        for number, line in enumerate(one.lines, 1)
    ]


def rejected_rows(found: Found, read_at: datetime) -> list[dict[str, Any]]:
    """The row in `rejected_documents` of what was rejected."""
    if not isinstance(found.what, Rejected):
        return []
    return [{"row_hash": rejection_id(found), **_rejection(found), "read_at": read_at}]


def rejection_id(found: Found) -> str:
    """The key of what was rejected: the same whenever the same file is refused for the same."""
    return hashlib.sha256("\n".join(map(str, _rejection(found).values())).encode()).hexdigest()


def _rejection(found: Found) -> dict[str, Any]:
    return {
        "file_name": storable(found.file_name),
        "file_sha256": found.file_sha256,
        "reason": storable(str(found.what)),
    }
