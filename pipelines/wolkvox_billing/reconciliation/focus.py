"""Settled documents as charges of FOCUS 1.2: each part of a document is a row of `focus_costs`.

    line of use with a quantity     Usage          fee                          Purchase
    tax                             Tax            what is none of these        Adjustment

A document whose period is still open is not settled, and not in it; nor is one that names no
period. The rules are those of https://focus.finops.org/focus-specification/v1-2/. The view has most
columns from the components; here is what they do not say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wolkvox_billing.marts.settled import WAIT, InvoiceComponent
from wolkvox_billing.reconciliation.billed_documents import BilledDocument, LineId
from wolkvox_billing.reconciliation.components import TAX
from wolkvox_billing.reconciliation.contract.line_map import FEE, QUANTITY
from wolkvox_billing.reconciliation.facts import BilledLine, Facts
from wolkvox_billing.reconciliation.questions import JudgedLine
from wolkvox_billing.reconciliation.settlement import Settlement
from wolkvox_billing.reconciliation.spreading import LINE
from wolkvox_billing.reconciliation.unit_names import name_unit_code
from wolkvox_billing.values.clock import midnight
from wolkvox_billing.values.periods import Period
from wolkvox_billing.vendor.reports import unit_of

PROVIDER = "wolkvox"
USAGE, PURCHASE = "Usage", "Purchase"
CORRECTION = "Correction"
_NOTES = ("credit_note", "debit_note", "corrected_invoice")
_PRICE, _AMOUNT = Decimal("0.00000001"), Decimal("0.0001")


class FocusedDocument(NamedTuple):
    """A row of `focused`: what all charges of a document share, and no other table has."""

    document_id: str
    billing_account_id: str
    billing_account_name: str | None
    billing_period_start: datetime
    billing_period_end: datetime
    charge_class: str | None
    invoice_id: str
    invoice_issuer_name: str


class FocusedCharge(NamedTuple):
    """A row of `focused_charges`: what makes a charge another one than its component and its
    document say."""

    document_id: str
    component_number: int
    charge_category: str | None
    charge_period_start: datetime | None
    charge_period_end: datetime | None
    contracted_cost: Decimal
    contracted_unit_price: Decimal | None
    pricing_quantity: Decimal | None
    pricing_unit: str | None
    sku_id: str | None


class Priced(NamedTuple):
    """What is priced of a charge: how much of what, at which price, and by which name."""

    category: str
    unit_price: Decimal
    quantity: Decimal
    unit: str
    sku: str

    @property
    def cost(self) -> Decimal:
        return (self.quantity * self.unit_price).quantize(_AMOUNT)


def focus_tables(settlement: Settlement, facts: Facts) -> dict[str, Sequence[tuple[object, ...]]]:
    """Return the rows of all documents whose months are settled, and of their charges."""
    documents = {stated.document.document_id: stated.document for stated in facts.stated}
    lines = {line.id: line for line in facts.lines}
    numbers = Counter(each.document.document_number for each in settlement.documents)
    focused: list[FocusedDocument] = []
    charges: list[FocusedCharge] = []
    for row, components in settlement.documents:
        if row.settlement == WAIT or not (row.billing_period_start and row.billing_period_end):
            continue
        invoice_id = row.document_number or row.document_id
        if numbers[row.document_number] > 1:
            invoice_id += f" ({row.document_id[:8]})"
        period = Period(row.billing_period_start, row.billing_period_end)
        document = documents[row.document_id]
        papers = _Papers(document, period, lines, settlement.lines, facts.default_zone)
        focused.append(papers.focused(invoice_id))
        charges += papers.charges(components)
    return {"focused": focused, "focused_charges": charges}


@dataclass(frozen=True)
class _Papers:
    """A document, the period that it bills, and the lines of all."""

    document: BilledDocument
    period: Period
    lines: Mapping[LineId, BilledLine]
    judged: Mapping[LineId, JudgedLine]
    zone: ZoneInfo

    def focused(self, invoice_id: str) -> FocusedDocument:
        document = self.document
        return FocusedDocument(
            document.document_id,
            document.customer_id or document.supplier_id or PROVIDER,
            document.customer_name or None,
            *_moments(self.period, self.zone),
            CORRECTION if document.kind in _NOTES else None,
            invoice_id,
            document.supplier_name or document.supplier_id or PROVIDER,
        )

    def charges(self, components: Sequence[InvoiceComponent]) -> Iterator[FocusedCharge]:
        """Yield the charges that are priced, are of another time than the document, or cost
        another amount by the contract."""
        priced = [self._price(part) for part in components]
        costs = [own.cost if own else part.amount
                 for part, own in zip(components, priced, strict=True)]  # fmt: skip
        untaxed = [n for n, part in enumerate(components) if part.component != TAX]
        billed = sum((components[n].amount for n in untaxed), Decimal())
        contracted = sum((costs[n] for n in untaxed), Decimal())
        share = contracted / billed if billed else Decimal(1)
        for part, own, cost in zip(components, priced, costs, strict=True):
            if part.component == TAX:  # FOCUS: by the contracted cost of what is taxed
                cost = (part.amount * share).quantize(_AMOUNT)
            period = self._other_period(part)
            if own or period or cost != part.amount:
                start, end = _moments(period, self.zone) if period else (None, None)
                yield FocusedCharge(
                    part.document_id,
                    part.component_number,
                    own.category if own else None,
                    start,
                    end,
                    cost,
                    own.unit_price if own else None,
                    own.quantity if own else None,
                    own.unit if own else None,
                    own.sku if own else None,
                )

    def _other_period(self, part: InvoiceComponent) -> Period | None:
        """Return what a part bills, where that is another time than its document's."""
        line = self.lines.get((part.document_id, part.line_number or 0))
        return line.period if line and line.period != self.period else None

    def _price(self, part: InvoiceComponent) -> Priced | None:
        """Return what is priced of a part: of use that a line states a quantity of, and of fees."""
        if part.component != LINE or part.line_number is None or part.role not in (FEE, QUANTITY):
            return None
        line = self.lines.get((part.document_id, part.line_number))
        if line is None:
            return None
        if part.role == FEE:
            return self._price_fee(part, line)
        if not part.report or not line.quantity:
            return None
        row = self.judged[line.id].row
        price = part.amount / line.quantity
        if row and row.contracted_unit_price is not None and self._is_in_own_currency(line):
            price = row.contracted_unit_price
        unit = unit_of(part.report) or "units"
        sku = f"{part.report}|{part.product}" if part.product else part.report
        return _priced(USAGE, price, line.quantity, unit, sku)

    def _price_fee(self, part: InvoiceComponent, line: BilledLine) -> Priced | None:
        quantity = line.quantity or Decimal(1)
        fee = self.judged[line.id].fee
        amount = fee.amount if fee and self._is_in_own_currency(line) else part.amount
        unit = name_unit_code(line.unit_code, Decimal(2), "en") or "units"
        sku = line.item_code or part.description or FEE
        return _priced(PURCHASE, amount / quantity, quantity, unit, sku)

    def _is_in_own_currency(self, line: BilledLine) -> bool:
        return line.currency in (None, self.document.currency)


def _priced(category: str, price: Decimal, quantity: Decimal, unit: str, sku: str) -> Priced | None:
    """Return what is priced; None where the price would be below nothing, which FOCUS has not."""
    price = price.quantize(_PRICE)
    return Priced(category, price, quantity, unit.capitalize(), sku) if price >= 0 else None


@lru_cache(maxsize=5000)  # the months of many charges
def _moments(period: Period, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start, end = (midnight(day, zone).astimezone(timezone.utc) for day in period)
    return start, end
