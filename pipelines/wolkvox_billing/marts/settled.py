"""The rows of `invoice_components` and `invoice_settlement`: nothing else knows their columns.

What a document asks for is the sum of its components; of each a part is agreed, and the rest is
questioned. Amounts are signed as they add to what is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, NamedTuple

from wolkvox_billing.marts.reconciled import Column, columns_of_row

# What is to be done with a document.
SETTLEMENTS = PAY, CLAIM, QUESTION, WAIT = ("pay", "claim", "question", "wait")


class InvoiceComponent(NamedTuple):
    """A part of what a document asks for."""

    document_id: Annotated[str, Column("SHA-256 of the document, as in invoice_documents")]
    component_number: Annotated[int, Column("The part's place in the document, from 1")]
    component: Annotated[
        str,
        Column(
            "line, allowance, charge, tax (one a rate), withholding, rounding, prepaid or "
            "unexplained"
        ),
    ]
    line_number: Annotated[int | None, Column("Of a line: its place in the document")]
    description: Annotated[str | None, Column("What is billed, in the supplier's words")]
    role: Annotated[
        str | None,
        Column(
            "What the line map calls such a line: quantity, price_component, fee, discount, tax, "
            "ignore, accepted; NULL where no row fits"
        ),
    ]
    amount: Annotated[Decimal, Column("What it adds to the amount that is asked for")]
    billing_currency: Annotated[str | None, Column("The currency of the amounts")]
    agreed_amount: Annotated[Decimal, Column("What contract and record support of it")]
    questioned_amount: Annotated[Decimal, Column("The rest of it")]
    reconciliation_status: Annotated[
        str | None, Column("The verdict that it is part of; NULL where it is part of none")
    ]
    operation_id: Annotated[str | None, Column("The operation of that verdict")]
    report: Annotated[str | None, Column("The vendor's report of that verdict")]
    product: Annotated[str | None, Column("The product of that verdict")]
    billing_period_start: Annotated[date | None, Column("The first day of that verdict")]
    reason: Annotated[str, Column("Why so much of it is agreed, in one sentence")]
    claimed_amount: Annotated[
        Decimal, Column("Of what is questioned, that which the supplier is blamed for")
    ]
    is_material: Annotated[
        bool, Column("Whether what is questioned is worth an alarm, by `materiality`")
    ]


@dataclass(frozen=True)
class SettledDocument:
    """What is to be paid of a document, and why."""

    document_id: Annotated[str, Column("SHA-256 of the document, as in invoice_documents")]
    supplier_id: Annotated[str | None, Column("The supplier's tax id")]
    document_kind: Annotated[str, Column("invoice, credit_note, debit_note or corrected_invoice")]
    document_number: Annotated[str | None, Column("The number, as the document has it")]
    issue_date: Annotated[date | None, Column("The day of issue, as the document says")]
    due_date: Annotated[date | None, Column("The day on which it is to be paid")]
    billing_currency: Annotated[str | None, Column("The currency of the amounts")]
    payable_amount: Annotated[
        Decimal, Column("What it asks for, tax included; below nothing of a credit note")
    ]
    agreed_amount: Annotated[Decimal, Column("What contract and record support of it")]
    questioned_amount: Annotated[Decimal, Column("The rest of it")]
    claimed_amount: Annotated[
        Decimal, Column("Of what is questioned, that which the supplier is blamed for")
    ]
    settlement: Annotated[
        str,
        Column("pay, claim, question (nobody can settle it from here), wait (its period is open)"),
    ]
    acceptance_deadline: Annotated[
        date | None, Column("The last day to claim, where the law has one; no legal advice")
    ]
    explanation: Annotated[str, Column("The settlement in one sentence")]
    billing_period_start: Annotated[
        date | None, Column("The first day that its lines bill; NULL where none names one")
    ]
    billing_period_end: Annotated[date | None, Column("The day after the last one")]
    is_material: Annotated[bool, Column("Whether anything questioned in it is worth an alarm")]
    settlement_label: Annotated[
        str | None, Column("settlement as a person reads it, in English")
    ] = None
    settlement_label_es: Annotated[
        str | None, Column("settlement as a person reads it, in Spanish")
    ] = None
    month_label: Annotated[
        str | None, Column("The period as a text that sorts: 2026-10, or of another one its days")
    ] = None


COMPONENT_COLUMNS = columns_of_row(InvoiceComponent)
SETTLEMENT_COLUMNS = columns_of_row(SettledDocument)
