"""The rows of invoices: columns, types, keys and a sentence for each, and a document's rows.

Rows are only ever inserted: a key that is in a table already is left as it is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, get_type_hints

from dlt.common.schema.typing import TColumnSchema

from wolkvox_billing.invoices.document import Document, Rejected, storable
from wolkvox_billing.invoices.files import Paper
from wolkvox_billing.warehouse.columns import (
    AMOUNT,
    COUNT,
    DATE,
    FLAG,
    RATE,
    TEXT,
    TIME,
    Table,
)

_DOCUMENT_ID = (TEXT, "SHA-256 of the document's canonical XML, or of a spreadsheet's rows")
_PERIOD_START = (DATE, "First day of what is billed")
_PERIOD_END = (DATE, "The day after the last one")
_CURRENCY = (TEXT, "The currency of the amounts, such as COP")


@dataclass(frozen=True)
class DocumentRow:
    """A row of `invoice_documents`."""

    document_id: Annotated[str, _DOCUMENT_ID]
    supplier_id: Annotated[str | None, (TEXT, "The supplier's tax id (in Colombia the NIT)")]
    supplier_name: Annotated[
        str | None, (TEXT, "The name; NULL if the document says that it is a person")
    ]
    customer_id: Annotated[
        str | None, (TEXT, "The customer's tax id; NULL where the document does not state it")
    ]
    customer_name: Annotated[
        str | None, (TEXT, "The name; NULL if the document says that it is a person")
    ]
    document_kind: Annotated[
        str,
        (
            TEXT,
            "invoice, credit_note, debit_note, corrected_invoice; pro_forma and prepayment, which "
            "bill no use",
        ),
    ]
    document_number: Annotated[str | None, (TEXT, "The number; suppliers and kinds share numbers")]
    document_uuid: Annotated[str | None, (TEXT, "DIAN's unique code (CUFE or CUDE)")]
    issue_date: Annotated[date | None, (DATE, "The day of issue, as the document says")]
    period_start: Annotated[date | None, _PERIOD_START]
    period_end: Annotated[date | None, _PERIOD_END]
    period_source: Annotated[
        str | None, (TEXT, "Who says so: document, line, text, or the setting's rule")
    ]
    billing_currency: Annotated[str | None, _CURRENCY]
    net_amount: Annotated[
        Decimal | None, (AMOUNT, "The sum of the lines as the document states it, before tax")
    ]
    tax_amount: Annotated[Decimal | None, (AMOUNT, "All taxes, as the document states them")]
    payable_amount: Annotated[
        Decimal | None, (AMOUNT, "What is to be paid, as the document states it")
    ]
    allowance_amount: Annotated[
        Decimal | None,
        (AMOUNT, "What it takes off beside its lines, as a positive amount"),
    ]
    charge_amount: Annotated[
        Decimal | None,
        (AMOUNT, "What it puts on beside its lines"),
    ]
    rounding_amount: Annotated[
        Decimal | None,
        (AMOUNT, "What its total is rounded by, with its sign"),
    ]
    prepaid_amount: Annotated[
        Decimal | None,
        (AMOUNT, "What was paid before, and is taken off what is to be paid"),
    ]
    withheld_amount: Annotated[
        Decimal | None,
        (AMOUNT, "Withholding taxes, as the document states them"),
    ]
    due_date: Annotated[date | None, (DATE, "The day on which it is to be paid")]
    payment_form: Annotated[
        str | None, (TEXT, "cash or credit, by DIAN's code; NULL where the document has none")
    ]
    exchange_currency: Annotated[
        str | None, (TEXT, "The currency of which one is `exchange_rate` of the other")
    ]
    exchange_in_currency: Annotated[str | None, (TEXT, "The other currency")]
    exchange_rate: Annotated[
        Decimal | None, (RATE, "The rate between its two currencies, as the document states it")
    ]
    exchange_rate_date: Annotated[
        date | None, (DATE, "The day of which the rate is, as the document says")
    ]
    is_test: Annotated[bool, (FLAG, "A test document (DIAN profile 2), which is never reconciled")]
    corrects_number: Annotated[
        str | None, (TEXT, "The number of the document that this one refers to")
    ]
    format: Annotated[str, (TEXT, "ubl, csv, xlsx or html")]
    file_name: Annotated[
        str | None, (TEXT, "The file it came from; in a zip with the member's name")
    ]
    file_sha256: Annotated[str | None, (TEXT, "SHA-256 of what file_name names")]
    warnings: Annotated[
        str | None, (TEXT, "What was noticed, one sentence a line; NULL if nothing")
    ]
    read_at: Annotated[datetime, (TIME, "When it was read first (UTC)")]
    received_at: Annotated[
        datetime | None,
        (
            TIME,
            "When the mail came that it was attached to, by the mail's headers (UTC); NULL where "
            "it was read from no mail",
        ),
    ]


@dataclass(frozen=True)
class LineRow:
    """A row of `invoice_lines`."""

    document_id: Annotated[str, _DOCUMENT_ID]
    line_number: Annotated[int, (COUNT, "The line's place in the document, from 1")]
    line_id: Annotated[str | None, (TEXT, "The line's own number or name")]
    operation: Annotated[str | None, (TEXT, "The operation, where the file names one")]
    description: Annotated[str | None, (TEXT, "What is billed, in the supplier's words")]
    item_code: Annotated[str | None, (TEXT, "The supplier's code for it, or the standard one")]
    quantity: Annotated[Decimal | None, (AMOUNT, "How much is billed")]
    unit_code: Annotated[str | None, (TEXT, "Of what; a code of UN/ECE in UBL")]
    unit_price: Annotated[
        Decimal | None, (AMOUNT, "The price of one unit, as the document states it")
    ]
    net_amount: Annotated[Decimal | None, (AMOUNT, "The line's amount before tax")]
    tax_amount: Annotated[Decimal | None, (AMOUNT, "The line's taxes, as the document states them")]
    billing_currency: Annotated[str | None, _CURRENCY]
    period_start: Annotated[
        date | None, (DATE, "First day of the line's own period; NULL if it has none")
    ]
    period_end: Annotated[date | None, (DATE, "The day after its last one")]


@dataclass(frozen=True)
class RejectedDocumentRow:
    """A row of `rejected_documents`."""

    row_hash: Annotated[str, (TEXT, "SHA-256 of the three columns that follow")]
    file_name: Annotated[str | None, (TEXT, "The file; in a zip with the member's name")]
    file_sha256: Annotated[
        str | None, (TEXT, "SHA-256 of what file_name names; NULL if it was not read")
    ]
    reason: Annotated[str | None, (TEXT, "Why it was not taken, in words")]
    read_at: Annotated[datetime, (TIME, "When it was refused first (UTC)")]


def _columns_of(row: type) -> dict[str, tuple[TColumnSchema, str]]:
    hints = get_type_hints(row, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


INVOICE_TABLES: dict[str, Table] = {
    "invoice_documents": Table(
        "One row per invoice, credit note or debit note that was read, as its first file had it",
        ("document_id",),
        _columns_of(DocumentRow),
    ),
    "invoice_lines": Table(
        "One row per line of a document",
        ("document_id", "line_number"),
        _columns_of(LineRow),
    ),
    "rejected_documents": Table(
        "One row per file or document that could not be taken, with the reason",
        ("row_hash",),
        _columns_of(RejectedDocumentRow),
    ),
}


def document_rows(paper: Paper, read_at: datetime) -> list[DocumentRow]:
    """Return the row of a document; [] where the paper is none."""
    document = paper.content
    if not isinstance(document, Document):
        return []
    period = document.period
    return [
        DocumentRow(
            document_id=document.document_id,
            supplier_id=document.supplier_id,
            supplier_name=document.supplier_name,
            customer_id=document.customer_id,
            customer_name=document.customer_name,
            document_kind=document.document_kind,
            document_number=document.document_number,
            document_uuid=document.document_uuid,
            issue_date=document.issue_date,
            period_start=period.start if period else None,
            period_end=period.end if period else None,
            period_source=document.period_source,
            billing_currency=document.billing_currency,
            net_amount=document.net_amount,
            tax_amount=document.tax_amount,
            payable_amount=document.payable_amount,
            allowance_amount=document.allowance_amount,
            charge_amount=document.charge_amount,
            rounding_amount=document.rounding_amount,
            prepaid_amount=document.prepaid_amount,
            withheld_amount=document.withheld_amount,
            due_date=document.due_date,
            payment_form=document.payment_form,
            exchange_currency=document.exchange_currency,
            exchange_in_currency=document.exchange_in_currency,
            exchange_rate=document.exchange_rate,
            exchange_rate_date=document.exchange_rate_date,
            is_test=document.is_test,
            corrects_number=document.corrects_number,
            format=document.format,
            file_name=storable(paper.file_name),
            file_sha256=paper.file_sha256,
            warnings=storable("\n".join(map(str, map(storable, document.warnings)))),
            read_at=read_at,
            received_at=paper.received_at,
        )
    ]


def line_rows(paper: Paper) -> list[LineRow]:
    """Return the rows of a document's lines; [] where the paper is none."""
    document = paper.content
    if not isinstance(document, Document):
        return []
    return [
        LineRow(
            document_id=document.document_id,
            line_number=number,
            line_id=line.line_id,
            operation=line.operation,
            description=line.description,
            item_code=line.item_code,
            quantity=line.quantity,
            unit_code=line.unit_code,
            unit_price=line.unit_price,
            net_amount=line.net_amount,
            tax_amount=line.tax_amount,
            billing_currency=line.billing_currency,
            period_start=line.period.start if line.period else None,
            period_end=line.period.end if line.period else None,
        )
        for number, line in enumerate(document.lines, 1)
    ]


def rejected_rows(paper: Paper, read_at: datetime) -> list[RejectedDocumentRow]:
    """Return the row of what was rejected; [] where the paper was not."""
    if not isinstance(paper.content, Rejected):
        return []
    name, reason = storable(paper.file_name), storable(str(paper.content))
    return [RejectedDocumentRow(rejection_id(paper), name, paper.file_sha256, reason, read_at)]


def rejection_id(paper: Paper) -> str:
    """Return the key of what was rejected: the same whenever the same file is refused for the same
    reason."""
    name, reason = storable(paper.file_name), storable(str(paper.content))
    return hashlib.sha256(f"{name}\n{paper.file_sha256}\n{reason}".encode()).hexdigest()
