"""Rows of claims and of what is claimed, of which a test says only what it is about."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from wolkvox_billing.marts.settled import SettledDocument
from wolkvox_billing.reconciliation.billed_documents import BilledDocument, StatedDocument
from wolkvox_billing.reconciliation.settlement import Settled

SUPPLIER_ID = "900123456"
ISSUED = date(2026, 11, 3)


def blank(row: type, **values: Any) -> Any:
    """A row of which only these values are known."""
    return row(**{**dict.fromkeys(row.__annotations__), **values})


def document(**values: Any) -> BilledDocument:
    """A document of which only these values are known."""
    empty = BilledDocument(**dict.fromkeys(BilledDocument._fields))  # type: ignore[arg-type]
    return empty._replace(**values)


def invoice(document_id: str = "a", number: str | None = "F-1") -> StatedDocument:
    """An invoice of 3 November in pesos."""
    own = document(document_id=document_id, kind="invoice", number=number, currency="COP",
                   supplier_id=SUPPLIER_ID, issued=ISSUED)  # fmt: skip
    return StatedDocument(own, [])


def note(document_id: str, payable: int, **values: Any) -> StatedDocument:
    """A credit note on F-1."""
    own = {"supplier_id": SUPPLIER_ID, "currency": "COP", "corrects_number": "F 001",
           "number": document_id.upper(), "issued": date(2026, 11, 10), **values}  # fmt: skip
    return StatedDocument(
        document(document_id=document_id, kind="credit_note", payable=Decimal(payable), **own), []
    )


def settled(claimed: int, document_id: str = "a", number: str | None = "F-1") -> Settled:
    """F-1, of which so many pesos are claimed."""
    row = blank(
        SettledDocument, document_id=document_id, document_number=number, billing_currency="COP",
        document_kind="invoice", supplier_id=SUPPLIER_ID, issue_date=ISSUED, settlement="claim",
        claimed_amount=Decimal(claimed), payable_amount=Decimal(172_550),
    )  # fmt: skip
    return Settled(row, [])


def on(day: int) -> datetime:
    """Noon in Bogotá on a day of November."""
    return datetime(2026, 11, day, 17, tzinfo=timezone.utc)
