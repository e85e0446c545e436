"""The rows of `invoice_components` and `invoice_settlement`: nothing else knows their columns.

What a document asks for is the sum of its components; of each a part is agreed, and the rest is
questioned. Amounts are signed as they add to what is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, NamedTuple

from wolkvox_billing.marts.reconciled import (
    AMOUNT,
    COUNT,
    DATE,
    FLAG,
    TEXT,
    Column,
    columns_of_row,
    kinds_of,
)

# What is to be done with a document.
SETTLEMENTS = PAY, CLAIM, QUESTION, WAIT = ("pay", "claim", "question", "wait")


class InvoiceComponent(NamedTuple):
    """A part of what a document asks for."""

    document_id: Annotated[str, Column(TEXT, "SHA-256 of the document, as in invoice_documents")]
    component_number: Annotated[int, Column(COUNT, "The part's place in the document, from 1")]
    component: Annotated[
        str,
        Column(
            TEXT,
            "line, allowance, charge, tax (one a rate), withholding, rounding, prepaid or "
            "unexplained",
        ),
    ]
    line_number: Annotated[int | None, Column(COUNT, "Of a line: its place in the document")]
    description: Annotated[str | None, Column(TEXT, "What is billed, in the supplier's words")]
    role: Annotated[
        str | None,
        Column(
            TEXT,
            "What the line map calls such a line: quantity, price_component, fee, discount, tax, "
            "ignore, accepted; NULL where no row fits",
        ),
    ]
    amount: Annotated[Decimal, Column(AMOUNT, "What it adds to the amount that is asked for")]
    billing_currency: Annotated[str | None, Column(TEXT, "The currency of the amounts")]
    agreed_amount: Annotated[Decimal, Column(AMOUNT, "What contract and record support of it")]
    questioned_amount: Annotated[Decimal, Column(AMOUNT, "The rest of it")]
    reconciliation_status: Annotated[
        str | None, Column(TEXT, "The verdict that it is part of; NULL where it is part of none")
    ]
    operation_id: Annotated[str | None, Column(TEXT, "The operation of that verdict")]
    report: Annotated[str | None, Column(TEXT, "The vendor's report of that verdict")]
    product: Annotated[str | None, Column(TEXT, "The product of that verdict")]
    billing_period_start: Annotated[date | None, Column(DATE, "The first day of that verdict")]
    reason: Annotated[str, Column(TEXT, "Why so much of it is agreed, in one sentence")]
    claimed_amount: Annotated[
        Decimal, Column(AMOUNT, "Of what is questioned, that which the supplier is blamed for")
    ]
    is_material: Annotated[
        bool, Column(FLAG, "Whether what is questioned is worth an alarm, by `materiality`")
    ]


@dataclass(frozen=True)
class SettledDocument:
    """What is to be paid of a document, and why."""

    document_id: Annotated[str, Column(TEXT, "SHA-256 of the document, as in invoice_documents")]
    supplier_id: Annotated[str | None, Column(TEXT, "The supplier's tax id")]
    document_kind: Annotated[
        str, Column(TEXT, "invoice, credit_note, debit_note or corrected_invoice")
    ]
    document_number: Annotated[str | None, Column(TEXT, "The number, as the document has it")]
    issue_date: Annotated[date | None, Column(DATE, "The day of issue, as the document says")]
    due_date: Annotated[date | None, Column(DATE, "The day on which it is to be paid")]
    billing_currency: Annotated[str | None, Column(TEXT, "The currency of the amounts")]
    payable_amount: Annotated[
        Decimal, Column(AMOUNT, "What it asks for, tax included; below nothing of a credit note")
    ]
    agreed_amount: Annotated[Decimal, Column(AMOUNT, "What contract and record support of it")]
    questioned_amount: Annotated[Decimal, Column(AMOUNT, "The rest of it")]
    claimed_amount: Annotated[
        Decimal, Column(AMOUNT, "Of what is questioned, that which the supplier is blamed for")
    ]
    settlement: Annotated[
        str,
        Column(
            TEXT, "pay, claim, question (nobody can settle it from here), wait (its period is open)"
        ),
    ]
    acceptance_deadline: Annotated[
        date | None, Column(DATE, "The last day to claim, where the law has one; no legal advice")
    ]
    explanation: Annotated[str, Column(TEXT, "The settlement in one sentence")]
    billing_period_start: Annotated[
        date | None, Column(DATE, "The first day that its lines bill; NULL where none names one")
    ]
    billing_period_end: Annotated[date | None, Column(DATE, "The day after the last one")]
    is_material: Annotated[
        bool, Column(FLAG, "Whether anything questioned in it is worth an alarm")
    ]
    settlement_label: Annotated[
        str | None, Column(TEXT, "settlement as a person reads it, in English")
    ] = None
    settlement_label_es: Annotated[
        str | None, Column(TEXT, "settlement as a person reads it, in Spanish")
    ] = None
    month_label: Annotated[
        str | None,
        Column(TEXT, "The period as a text that sorts: 2026-10, or of another one its days"),
    ] = None


COMPONENT_COLUMNS = columns_of_row(InvoiceComponent)
SETTLEMENT_COLUMNS = columns_of_row(SettledDocument)
COMPONENTS_KINDS, SETTLEMENT_KINDS = map(kinds_of, (COMPONENT_COLUMNS, SETTLEMENT_COLUMNS))
# Where a column is in both marts, or in `invoice_reconciliation` too, it means the same.
SETTLED_COMMENTS = {
    name: column.says
    for columns in (COMPONENT_COLUMNS, SETTLEMENT_COLUMNS)
    for name, column in columns.items()
}
