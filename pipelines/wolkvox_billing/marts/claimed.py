"""The rows of `claims_open`: nothing else knows their columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from wolkvox_billing.marts.reconciled import Column, columns_of_row

# What became of a claim.
OPEN, CREDITED_IN_PART, CREDITED = "open", "credited_in_part", "credited"


@dataclass(frozen=True)
class OpenClaim:
    """What was claimed of a document, and what of it was given back since."""

    claim_id: Annotated[str, Column("The newest claim on the document, as in claims")]
    month: Annotated[str, Column("The month that was claimed, such as 2026-11")]
    document_id: Annotated[str, Column("SHA-256 of the document, as in invoice_documents")]
    supplier_id: Annotated[str | None, Column("The supplier's tax id")]
    document_kind: Annotated[str, Column("invoice, credit_note, debit_note or corrected_invoice")]
    document_number: Annotated[str | None, Column("The number, as the document has it")]
    issue_date: Annotated[date | None, Column("The day of issue, as the document says")]
    billing_currency: Annotated[str | None, Column("The currency of the amounts")]
    claimed_amount: Annotated[
        Decimal, Column("Of what is questioned, that which the supplier is blamed for")
    ]
    credited_amount: Annotated[
        Decimal, Column("What credit notes gave back that refer to it and came after the claim")
    ]
    open_amount: Annotated[Decimal, Column("What of the claim was not given back yet")]
    status: Annotated[str, Column("open, credited_in_part or credited")]
    open_since: Annotated[
        date, Column("The day of the first claim on it that was not given back in whole")
    ]
    claimed_on: Annotated[date, Column("The day of the newest claim on it")]
    claimed_by: Annotated[str, Column("Who claimed it last")]
    acceptance_deadline: Annotated[
        date | None, Column("The last day to claim, where the law has one; no legal advice")
    ]
    credit_notes: Annotated[str | None, Column("The numbers of those credit notes, with commas")]


CLAIM_COLUMNS = columns_of_row(OpenClaim)
