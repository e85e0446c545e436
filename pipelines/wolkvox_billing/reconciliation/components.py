"""What a document asks for, in parts that add up to it to the cent.

lines, allowances, charges ─▶ what their verdicts question ─▶ tax by rate ─┐
withheld, rounded, prepaid ────────────────────────────────────────────────┼▶ components
what is left of the payable amount: unexplained ───────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent
from wolkvox_billing.reconciliation.billed_documents import (
    LineId,
    StatedDocument,
    StatedLine,
)
from wolkvox_billing.reconciliation.exchange import Exchanges
from wolkvox_billing.reconciliation.foreign_lines import exchange_lines
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.questions import DUPLICATE, TAX_ROLE, JudgedLine
from wolkvox_billing.reconciliation.settlement_words import SettlementWriter
from wolkvox_billing.reconciliation.spreading import ALLOWANCE, CHARGE, LINE
from wolkvox_billing.reconciliation.tax_by_rate import (
    CONTRACT,
    INVOICE,
    CheckedTax,
    RatesOfInvoice,
    TaxedLine,
    check_taxes,
    due_on,
    rates_of,
    split_by_rate,
)
from wolkvox_billing.reconciliation.verdicts import CURRENCY_MISMATCH
from wolkvox_billing.values.currencies import WHOLE_CURRENCIES

TAX, WITHHOLDING, ROUNDING, PREPAID, UNEXPLAINED = (
    "tax",
    "withholding",
    "rounding",
    "prepaid",
    "unexplained",
)
_NOTHING = Decimal()
_STEPS = tuple(map(Decimal, (10, 50, 100)))
_MOST_ROUNDED = _STEPS[-1]  # where totals are rounded to whole hundreds


class _Part(NamedTuple):
    """A component before it has its place. `own_question` is what no verdict questions of it."""

    component: str
    amount: Decimal
    reason: str
    questioned: Decimal = _NOTHING
    claimed: Decimal = _NOTHING
    own_question: Decimal = _NOTHING
    line: StatedLine | None = None
    role: str | None = None
    row: ReconciledRow | None = None
    status: str | None = None  # of a fee that the contract names, which no verdict has


def payable_of(stated: StatedDocument) -> Decimal:
    """Return what a document asks for, as it adds to what is to be paid; without a stated amount
    what its parts come to."""
    document, lines = stated
    if document.payable is not None:
        return document.sign * document.payable
    net = document.net
    if net is None:
        net = sum((line.amount or _NOTHING for line in lines), _NOTHING)
    tax = document.tax
    if tax is None:
        tax = sum((line.tax or _NOTHING for line in lines), _NOTHING)
    asked = net + document.beside_lines + tax + (document.rounding or _NOTHING)
    return document.sign * (asked - (document.prepaid or _NOTHING))


@dataclass(frozen=True)
class Splitter:
    """Splits documents, of which `stated` has all, by what is questioned of their lines."""

    lines: Mapping[LineId, JudgedLine]
    stated: Mapping[str, StatedDocument]
    policy: Policy
    exchanges: Exchanges

    def split(self, stated: StatedDocument) -> list[InvoiceComponent]:
        """Return the components of a document, which add up to what it asks for."""
        return _Document(self, stated).components()

    def taxed(self, stated: StatedDocument) -> list[TaxedLine]:
        """Return the lines of a document, all in its currency."""
        own = [
            (line, self.lines[line.id])
            for line in stated.lines
            if line.currency in (None, stated.document.currency)
        ]
        return own + exchange_lines(stated, self.lines, self.exchanges)


class _Document:
    """A document that is split."""

    def __init__(self, splitter: Splitter, stated: StatedDocument) -> None:
        self.splitter, self.policy = splitter, splitter.policy
        self.stated, self.document = stated, stated.document
        self.currency = self.document.currency
        self.writer = SettlementWriter(self.policy.language, self.currency or "")
        self.taxed = splitter.taxed(stated)
        self.invoice = splitter.exchanges.corrected(self.document)  # that a note corrects

    def components(self) -> list[InvoiceComponent]:
        parts = [*self._lines(), *self._beside(), *self._taxes()]
        parts += self._rest(sum((part.amount for part in parts), _NOTHING))
        # Many small ones together may be worth an alarm.
        beyond = sum((abs(part.own_question) for part in parts), _NOTHING)
        is_alarming = beyond > self.policy.materiality_in(self.currency)
        return [
            self._component(n, part, is_material=is_alarming and bool(part.own_question))
            for n, part in enumerate(parts, 1)
        ]

    def _component(self, number: int, part: _Part, *, is_material: bool) -> InvoiceComponent:
        row, line = part.row, part.line
        if row and part.questioned:
            is_material = is_material or row.is_material
        return InvoiceComponent(
            document_id=self.document.document_id,
            component_number=number,
            component=part.component,
            line_number=line.line_number if line else None,
            description=line.description if line else None,
            role=part.role,
            amount=part.amount,
            billing_currency=self.currency,
            agreed_amount=part.amount - part.questioned,
            questioned_amount=part.questioned,
            reconciliation_status=row.reconciliation_status if row else part.status,
            operation_id=row.operation_id if row else None,
            report=row.report if row else None,
            product=row.product if row else None,
            billing_period_start=row.billing_period_start if row else None,
            reason=part.reason,
            claimed_amount=part.claimed,
            is_material=is_material,
        )

    def _lines(self) -> Iterator[_Part]:
        writer = self.writer
        for line, judged in self.taxed:
            if judged.role == TAX_ROLE:  # the tax has it
                continue
            own, row, fee = judged.own, judged.row, judged.fee
            reason = writer.verdict(row, judged.questioned_in) if row else writer.role(judged.role)
            status = None
            if judged.is_duplicate:
                reason, status = writer.text("duplicate"), DUPLICATE
            elif judged.unsettled:
                reason, status = writer.unsettled(judged.unsettled, line.amount), CURRENCY_MISMATCH
            elif judged.missing_rate:
                reason = writer.missing_rate(judged.missing_rate)
            elif fee:
                reason = writer.fee(fee, own.amount)
                status = "price_difference" if own.questioned else "matched"
            yield _Part(
                LINE,
                own.amount,
                reason,
                own.questioned,
                own.claimed,
                _NOTHING if row else own.questioned,
                line,
                judged.role,
                row,
                status,
            )

    def _beside(self) -> Iterator[_Part]:
        """Yield what the document takes off and puts on as a whole: what is questioned of it by the
        verdicts on its lines. The verdict is named where it is one."""
        put_on, taken_off = self.document.put_on_and_taken_off
        for kind, stated in ((ALLOWANCE, taken_off), (CHARGE, put_on)):
            own = [
                (piece, judged)
                for _, judged in self.taxed
                for piece in judged.pieces
                if piece.kind == kind
            ]
            if not own:
                continue
            rows = [judged.row for _, judged in own]
            row = rows[0] if all(other is rows[0] for other in rows) else None
            unjudged = [piece.questioned for piece, judged in own if not judged.row]
            questioned = sum((piece.questioned for piece, _ in own), _NOTHING)
            yield _Part(
                kind,
                sum((piece.amount for piece, _ in own), _NOTHING),
                self.writer.beside(
                    kind, stated, row if questioned else None, is_agreed=not questioned
                ),
                questioned,
                sum((piece.claimed for piece, _ in own), _NOTHING),
                sum(unjudged, _NOTHING),
                row=row,
            )

    def _taxes(self) -> Iterator[_Part]:
        """Yield the tax by its rates, and what is due beyond it; of a list that may leave it out
        that is told, and not questioned."""
        of_invoice = self._rates_of_invoice()
        checked = check_taxes(
            split_by_rate(self.document, self.taxed),
            lambda base: due_on(base, self.currency, of_invoice),
            self.policy.tolerance_in(self.currency),
        )
        may_leave_out = self.document.format != "ubl" and self.document.tax is None
        may_leave_out = may_leave_out and all(line.tax is None for line, _ in self.taxed)
        for tax in checked:
            # Of the invoice that says which rate is due, where one does.
            number = self.invoice.number if self.invoice and tax.due.by == INVOICE else None
            if tax.tax.amount or tax.tax.line:
                yield self._tax(tax, number)
            missing = -tax.missing
            if not missing or (may_leave_out and tax.due.by == INVOICE):
                continue
            if may_leave_out:
                yield _Part(TAX, _NOTHING, self.writer.tax_left_out(tax))
                continue
            reason = self.writer.tax_missing(tax, number, self.document.exemption)
            yield _Part(TAX, _NOTHING, reason, questioned=missing, own_question=missing)

    def _tax(self, checked: CheckedTax, number: str | None) -> _Part:
        excess, line = checked.excess, checked.tax.line
        is_claimed = checked.due.by == CONTRACT and excess > 0
        questioned = excess + checked.on_questioned
        claimed = checked.on_claimed + (excess if is_claimed else _NOTHING)
        return _Part(
            TAX,
            checked.tax.amount,
            self.writer.tax(checked, number),
            questioned=questioned,
            claimed=min(claimed, max(questioned, _NOTHING), abs(checked.tax.amount)),
            own_question=excess,
            line=line,
            role=TAX_ROLE if line else None,
        )

    def _rates_of_invoice(self) -> RatesOfInvoice | None:
        """Return the rates of the invoice that a note corrects, None where it is not here, or a
        list that may leave them out."""
        invoice, stated = self.invoice, self.splitter.stated
        if not invoice or invoice.document_id not in stated:
            return None
        taxed = self.splitter.taxed(stated[invoice.document_id])
        if invoice.tax is None and not any(line.tax for line, _ in taxed):
            return None
        return rates_of(invoice, taxed)

    def _rest(self, parts: Decimal) -> Iterator[_Part]:
        """Yield what lies between the parts and what is asked for. What was withheld is taken off
        only where that leads nearer to it; what is left within the tolerance is a rounding."""
        document, writer = self.document, self.writer
        payable, sign = payable_of(self.stated), document.sign
        prepaid = -sign * (document.prepaid or _NOTHING)
        withheld = -sign * (document.withheld or _NOTHING)
        rounding = sign * (document.rounding or _NOTHING)
        gap = payable - parts - prepaid - rounding
        if abs(gap - withheld) >= abs(gap):
            withheld = _NOTHING
        gap -= withheld
        # What was paid before may be for several documents: no more is used than is asked for.
        unused = min(max(sign * gap, _NOTHING), -sign * prepaid) if not payable else _NOTHING
        prepaid, gap = prepaid + sign * unused, gap - sign * unused
        if abs(gap) <= self._rounded_by(payable):
            rounding, gap = rounding + gap, _NOTHING
        if withheld:
            yield _Part(WITHHOLDING, withheld, writer.text("withheld"))
        elif document.withheld:
            yield _Part(WITHHOLDING, _NOTHING, writer.text("not_withheld", document.withheld))
        if rounding:
            yield self._rounding(rounding)
        if prepaid:
            yield _Part(PREPAID, prepaid, writer.prepaid(unused))
        if gap:
            others = [line.line_number for line, judged in self.taxed
                      if judged.unsettled and not judged.unsettled.parity]  # fmt: skip
            reason = writer.unexplained(payable, payable - gap, others)
            yield _Part(UNEXPLAINED, gap, reason, questioned=gap, own_question=gap)

    def _rounded_by(self, payable: Decimal) -> Decimal:
        """Return by how much a payable amount may be rounded without a word: to the nearest ten,
        fifty or hundred that it is, of money without a smaller coin."""
        most = self.policy.tolerance_in(self.currency)
        if self.currency in WHOLE_CURRENCIES and payable:
            most = max([most, *(step / 2 for step in _STEPS if not payable % step)])
        return most

    def _rounding(self, rounding: Decimal) -> _Part:
        most = self.policy.tolerance_in(self.currency)
        if self.currency in WHOLE_CURRENCIES:
            most = max(most, _MOST_ROUNDED)
        if abs(rounding) <= max(most, Decimal(1)):
            return _Part(ROUNDING, rounding, self.writer.text("rounded"))
        reason = self.writer.text("rounded_much")
        return _Part(ROUNDING, rounding, reason, questioned=rounding, own_question=rounding)
