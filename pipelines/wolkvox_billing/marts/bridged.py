"""The rows of `verdict_documents`: nothing else knows their columns."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, NamedTuple

from wolkvox_billing.marts.reconciled import COLUMNS, Column, columns_of_row


class VerdictDocument(NamedTuple):
    """A document in a verdict: what its lines bill of it."""

    verdict_key: Annotated[str, COLUMNS["verdict_key"]]
    document_id: Annotated[str, Column("SHA-256 of the document, as in invoice_documents")]
    document_number: Annotated[str | None, Column("The number, as the document has it")]
    document_kind: Annotated[str, Column("invoice, credit_note, debit_note or corrected_invoice")]
    issue_date: Annotated[date | None, Column("The day of issue, as the document says")]
    amount: Annotated[Decimal, Column("What it adds to the amount that is asked for")]
    billing_currency: Annotated[str | None, COLUMNS["billing_currency"]]
    supplier_id: Annotated[str | None, COLUMNS["supplier_id"]]
    operation_id: Annotated[str | None, COLUMNS["operation_id"]]
    report: Annotated[str | None, COLUMNS["report"]]
    product: Annotated[str | None, COLUMNS["product"]]
    billing_period_start: Annotated[date | None, COLUMNS["billing_period_start"]]
    billing_period_end: Annotated[date | None, COLUMNS["billing_period_end"]]


BRIDGED_COLUMNS = columns_of_row(VerdictDocument)
