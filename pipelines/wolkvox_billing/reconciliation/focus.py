"""Settled documents as charges of FOCUS 1.2: each part of a document is a row of `focus_costs`.

    line of use with a quantity     Usage          fee                          Purchase
    tax                             Tax            what is none of these        Adjustment

A document whose period is still open is not settled, and not in it; nor is one that names no
period. The rules are those of https://focus.finops.org/focus-specification/v1-2/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wolkvox_billing.marts.focused import FocusCost
from wolkvox_billing.marts.settled import WAIT, InvoiceComponent, SettledDocument
from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.components import TAX
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS, FEE
from wolkvox_billing.reconciliation.facts import BilledLine, Facts
from wolkvox_billing.reconciliation.keys import LineId
from wolkvox_billing.reconciliation.questions import JudgedLine
from wolkvox_billing.reconciliation.settlement import Settled, Settlement
from wolkvox_billing.reconciliation.spreading import LINE
from wolkvox_billing.reconciliation.unit_names import name_unit_code
from wolkvox_billing.values.clock import midnight
from wolkvox_billing.values.periods import Period
from wolkvox_billing.vendor.reports import unit_of

PROVIDER, NO_CURRENCY = "wolkvox", "XXX"  # ISO 4217: no currency
SERVICE = ("Business Applications", "Other (Business Applications)")
USAGE, PURCHASE, TAXED, ADJUSTMENT = "Usage", "Purchase", "Tax", "Adjustment"
CORRECTION = "Correction"
FREQUENCIES = {USAGE: "Usage-Based", PURCHASE: "Recurring"}
_NOTES = ("credit_note", "debit_note", "corrected_invoice")
_QUANTITY = "quantity"  # the role of a line
_PRICE, _AMOUNT = Decimal("0.00000001"), Decimal("0.0001")


class Priced(NamedTuple):
    """What is priced of a charge: how much of what, at which price, and by which name."""

    category: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    sku: str

    @property
    def cost(self) -> Decimal:
        return (self.quantity * self.unit_price).quantize(_AMOUNT)


def focus_costs(settlement: Settlement, facts: Facts) -> list[FocusCost]:
    """Return the charges of all documents whose months are settled."""
    documents = {stated.document.document_id: stated.document for stated in facts.stated}
    lines = {(line.document_id, line.line_number): line for line in facts.lines}
    numbers = Counter(each.document.document_number for each in settlement.documents)
    charges: list[FocusCost] = []
    for each in settlement.documents:
        row = each.document
        if row.settlement == WAIT or not (row.billing_period_start and row.billing_period_end):
            continue
        invoice_id = row.document_number or row.document_id
        if numbers[row.document_number] > 1:
            invoice_id += f" ({row.document_id[:8]})"
        papers = _Papers(documents[row.document_id], invoice_id, lines, settlement.lines, facts)
        charges += papers.charges(each)
    return charges


@dataclass(frozen=True)
class _Papers:
    """A document, and the lines of all."""

    document: BilledDocument
    invoice_id: str
    lines: Mapping[LineId, BilledLine]
    judged: Mapping[LineId, JudgedLine]
    facts: Facts

    def charges(self, settled: Settled) -> Iterable[FocusCost]:
        """Yield the document's charges, in their order."""
        priced = {part.component_number: self._price(part) for part in settled.components}
        untaxed = [part for part in settled.components if part.component != TAX]
        billed = sum((part.amount for part in untaxed), Decimal())
        contracted = sum((_contracted(p, priced[p.component_number]) for p in untaxed), Decimal())
        share = contracted / billed if billed else Decimal(1)
        for part in settled.components:
            of_part = priced[part.component_number]
            cost = _contracted(part, of_part)
            if part.component == TAX:  # FOCUS: by the contracted cost of what is taxed
                cost = (part.amount * share).quantize(_AMOUNT)
            yield self._charge(settled.document, part, of_part, cost)

    def _charge(
        self,
        row: SettledDocument,
        part: InvoiceComponent,
        priced: Priced | None,
        contracted: Decimal,
    ) -> FocusCost:
        document = self.document
        issuer = document.supplier_name or document.supplier_id or PROVIDER
        category = priced.category if priced else TAXED if part.component == TAX else ADJUSTMENT
        usage = priced if category == USAGE else None
        start, end = self._moments(Period(*_span(row)))
        charged_from, charged_to = self._moments(self._period_of(part) or Period(*_span(row)))
        operation = part.operation_id if part.operation_id != ALL_OPERATIONS else None
        return FocusCost(
            billed_cost=part.amount,
            billing_account_id=document.customer_id or document.supplier_id or PROVIDER,
            billing_account_name=document.customer_name or None,
            billing_currency=part.billing_currency or NO_CURRENCY,
            billing_period_end=end,
            billing_period_start=start,
            charge_category=category,
            charge_class=CORRECTION if document.kind in _NOTES else None,
            charge_description=part.description or part.component,
            charge_frequency=FREQUENCIES.get(category, "One-Time"),
            charge_period_end=charged_to,
            charge_period_start=charged_from,
            consumed_quantity=usage.quantity if usage else None,
            consumed_unit=usage.unit if usage else None,
            contracted_cost=contracted,
            contracted_unit_price=priced.unit_price if priced else None,
            effective_cost=part.amount,
            invoice_id=self.invoice_id,
            invoice_issuer_name=issuer,
            list_cost=part.amount,
            pricing_category="Standard" if priced else None,
            pricing_quantity=priced.quantity if priced else None,
            pricing_unit=priced.unit if priced else None,
            provider_name=PROVIDER,
            publisher_name=PROVIDER,
            service_category=SERVICE[0],
            service_name=part.report or PROVIDER,
            service_subcategory=SERVICE[1],
            sku_id=priced.sku if priced else None,
            sub_account_id=operation,
            sub_account_name=self.facts.operations.get(operation or "") or operation,
            x_charge_id=f"{part.document_id}|{part.component_number}",
            x_agreed_cost=part.agreed_amount,
            x_questioned_cost=part.questioned_amount,
            x_claimed_cost=part.claimed_amount,
            x_document_id=part.document_id,
            x_reconciliation_status=part.reconciliation_status,
        )

    def _price(self, part: InvoiceComponent) -> Priced | None:
        """Return what is priced of a part: of use that a line states a quantity of, and of fees."""
        if part.component != LINE or part.line_number is None:
            return None
        line = self.lines.get((part.document_id, part.line_number))
        if line is None:
            return None
        if part.role == FEE:
            return self._price_fee(part, line)
        if part.role != _QUANTITY or not part.report or not line.quantity:
            return None
        row = self.judged[part.document_id, part.line_number].row
        price = part.amount / line.quantity
        if row and row.contracted_unit_price is not None and self._is_in_own_currency(line):
            price = row.contracted_unit_price
        unit = unit_of(part.report) or "units"
        sku = f"{part.report}|{part.product}" if part.product else part.report
        return _priced(USAGE, line.quantity, unit, price, sku)

    def _price_fee(self, part: InvoiceComponent, line: BilledLine) -> Priced | None:
        quantity = line.quantity or Decimal(1)
        fee = self.judged[line.document_id, line.line_number].fee
        amount = fee.amount if fee and self._is_in_own_currency(line) else part.amount
        unit = name_unit_code(line.unit_code, Decimal(2), "en") or "units"
        sku = line.item_code or part.description or FEE
        return _priced(PURCHASE, quantity, unit, amount / quantity, sku)

    def _is_in_own_currency(self, line: BilledLine) -> bool:
        return line.currency in (None, self.document.currency)

    def _period_of(self, part: InvoiceComponent) -> Period | None:
        line = self.lines.get((part.document_id, part.line_number or 0))
        return line.period if line else None

    def _moments(self, period: Period) -> tuple[datetime, datetime]:
        start, end = (_moment(day, self.facts.default_zone) for day in period)
        return start, end


def _priced(category: str, quantity: Decimal, unit: str, price: Decimal, sku: str) -> Priced | None:
    """Return what is priced; None where the price would be below nothing, which FOCUS has not."""
    price = price.quantize(_PRICE)
    return Priced(category, quantity, unit.capitalize(), price, sku) if price >= 0 else None


def _contracted(part: InvoiceComponent, priced: Priced | None) -> Decimal:
    return priced.cost if priced else part.amount


def _span(row: SettledDocument) -> tuple[date, date]:
    assert row.billing_period_start  # as `focus_costs` looks
    assert row.billing_period_end
    return row.billing_period_start, row.billing_period_end


@lru_cache(maxsize=5000)  # the first and last days of months: each is that of many charges
def _moment(day: date, zone: ZoneInfo) -> datetime:
    return midnight(day, zone).astimezone(timezone.utc)
