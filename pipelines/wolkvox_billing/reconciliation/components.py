"""What a document asks for, in parts that add up to it to the cent.

lines, allowances, charges ─▶ what their verdicts question ─▶ tax by rate ─┐
withheld, rounded, prepaid ────────────────────────────────────────────────┼▶ components
what is left of the payable amount: unexplained ───────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent
from wolkvox_billing.reconciliation.billed_documents import (
    BilledDocument,
    StatedDocument,
    StatedLine,
)
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.exchange import Exchanges
from wolkvox_billing.reconciliation.keys import LineId
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.questions import (
    ALLOWANCE,
    CHARGE,
    DUPLICATE,
    LINE,
    JudgedLine,
    Piece,
)
from wolkvox_billing.reconciliation.settlement_words import SettlementWriter
from wolkvox_billing.reconciliation.tax_by_rate import (
    TaxAtRate,
    TaxedLine,
    find_untaxed,
    highest_rate,
    split_by_rate,
)
from wolkvox_billing.values.currencies import WHOLE_CURRENCIES

TAX, WITHHOLDING, ROUNDING, PREPAID, UNEXPLAINED = (
    "tax",
    "withholding",
    "rounding",
    "prepaid",
    "unexplained",
)
_NOTHING = Decimal()
_MOST_ROUNDED = Decimal(100)  # where totals are rounded to whole hundreds


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
    """Splits documents by what is questioned of their lines."""

    lines: Mapping[LineId, JudgedLine]
    policy: Policy
    exchanges: Exchanges

    def split(self, stated: StatedDocument) -> list[InvoiceComponent]:
        """Return the components of a document, which add up to what it asks for."""
        document = stated.document
        writer = SettlementWriter(self.policy.language, document.currency or "")
        taxed = [
            (line, self.lines[line.document_id, line.line_number])
            for line in stated.lines
            if line.currency in (None, document.currency)
        ]
        taxed += self._exchanged(stated)
        parts = [
            *_line_parts(taxed, writer),
            *_beside_parts(taxed, writer),
            *self._tax_parts(document, taxed, writer),
            *self._missing_tax(document, taxed, writer),
        ]
        parts += self._rest(stated, sum((part.amount for part in parts), _NOTHING), writer)
        # Many small ones together may be worth an alarm.
        beyond = sum((abs(part.own_question) for part in parts), _NOTHING)
        is_alarming = beyond > self.policy.materiality_in(document.currency)
        return [
            self._component(document, n, part, is_material=is_alarming and bool(part.own_question))
            for n, part in enumerate(parts, 1)
        ]

    def _exchanged(self, stated: StatedDocument) -> list[TaxedLine]:
        """Return the lines that are in another currency than their document in its own, at the rate
        that it states; none where they do not come to what it says that its lines do."""
        document, exchanged, net = stated.document, list[TaxedLine](), _NOTHING
        for line in stated.lines:
            parity = self.exchanges.stated_by(document, line.currency)
            if parity is None:
                return []
            if line.currency not in (None, document.currency):
                judged = self.lines[line.document_id, line.line_number].exchanged(parity)
                tax = None if line.tax is None else cents(line.tax * parity)
                exchanged.append((line._replace(tax=tax), judged))
            net += (line.amount or _NOTHING) * parity
        if document.net is None or abs(net - document.net) > max(Decimal(1), abs(net) / 1000):
            return []
        return exchanged

    def _tax_parts(
        self, document: BilledDocument, taxed: Sequence[TaxedLine], writer: SettlementWriter
    ) -> Iterator[_Part]:
        highest = highest_rate(document.currency)
        tolerance = self.policy.tolerance_in(document.currency)
        for tax in split_by_rate(document, taxed):
            fair = tax.fair_amount(highest, tolerance)
            excess = tax.amount - fair
            on_questioned, on_claimed = (
                tax.share_on(sum(map(amount_of, tax.pieces), _NOTHING), fair)
                for amount_of in _AMOUNTS_OF_PIECES
            )
            is_claimed = tax.is_by_contract and excess > 0
            yield _Part(
                TAX,
                tax.amount,
                _tax_reason(tax, excess, on_questioned, tax.highest(highest), writer),
                questioned=excess + on_questioned,
                claimed=on_claimed + (excess if is_claimed else _NOTHING),
                own_question=excess,
                line=tax.line,
                role="tax" if tax.line else None,
            )

    def _missing_tax(
        self,
        document: BilledDocument,
        taxed: Sequence[TaxedLine],
        writer: SettlementWriter,
    ) -> Iterator[_Part]:
        """Yield the tax of an invoice that a note on it does not give back: it is questioned, for
        what is given back may bear no tax."""
        invoice = self.exchanges.corrected(document)
        rate = find_untaxed(document, invoice)
        net = sum((piece.amount for _, own in taxed for piece in own.pieces), _NOTHING)
        if rate is None or any(line.tax or own.role == TAX for line, own in taxed):
            return
        missing = -cents(net * rate / 100)
        if missing > self.policy.tolerance_in(document.currency):
            reason = writer.tax_kept(invoice.number if invoice else None, rate, missing)
            yield _Part(TAX, _NOTHING, reason, questioned=missing, own_question=missing)

    def _rest(
        self, stated: StatedDocument, parts: Decimal, writer: SettlementWriter
    ) -> Iterator[_Part]:
        """Yield what lies between the parts and what is asked for. What was withheld is taken off
        only where that leads nearer to it; what is left within the tolerance is a rounding."""
        document, lines = stated
        payable, sign = payable_of(stated), document.sign
        prepaid = -sign * (document.prepaid or _NOTHING)
        withheld = -sign * (document.withheld or _NOTHING)
        rounding = sign * (document.rounding or _NOTHING)
        gap = payable - parts - prepaid - rounding
        if abs(gap - withheld) >= abs(gap):
            withheld = _NOTHING
        gap -= withheld
        if abs(gap) <= self.policy.tolerance_in(document.currency):
            rounding, gap = rounding + gap, _NOTHING
        if withheld:
            yield _Part(WITHHOLDING, withheld, writer.text("withheld"))
        if rounding:
            yield self._rounding(document, rounding, writer)
        if prepaid:
            yield _Part(PREPAID, prepaid, writer.text("prepaid"))
        if gap:
            others = []
            if not self._exchanged(stated):
                others = [n.line_number for n in lines
                          if n.currency not in (None, document.currency)]  # fmt: skip
            reason = writer.unexplained(payable, payable - gap, others)
            yield _Part(UNEXPLAINED, gap, reason, questioned=gap, own_question=gap)

    def _rounding(
        self, document: BilledDocument, rounding: Decimal, writer: SettlementWriter
    ) -> _Part:
        most = self.policy.tolerance_in(document.currency)
        if document.currency in WHOLE_CURRENCIES:
            most = max(most, _MOST_ROUNDED)
        if abs(rounding) <= max(most, Decimal(1)):
            return _Part(ROUNDING, rounding, writer.text("rounded"))
        reason = writer.text("rounded_much")
        return _Part(ROUNDING, rounding, reason, questioned=rounding, own_question=rounding)

    def _component(
        self, document: BilledDocument, number: int, part: _Part, *, is_material: bool
    ) -> InvoiceComponent:
        row, line = part.row, part.line
        if row and part.questioned:
            is_material = is_material or row.is_material
        return InvoiceComponent(
            document_id=document.document_id,
            component_number=number,
            component=part.component,
            line_number=line.line_number if line else None,
            description=line.description if line else None,
            role=part.role,
            amount=part.amount,
            billing_currency=document.currency,
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


_AMOUNTS_OF_PIECES: tuple[Callable[[Piece], Decimal], ...] = (
    lambda piece: piece.questioned,
    lambda piece: piece.claimed,
)


def _line_parts(taxed: Sequence[TaxedLine], writer: SettlementWriter) -> Iterator[_Part]:
    for line, judged in taxed:
        if judged.role == TAX:  # the tax has it
            continue
        own, row, fee = judged.own, judged.row, judged.fee
        reason = row.explanation if row else writer.role(judged.role)
        status = None
        if judged.is_duplicate:
            reason, status = writer.text("duplicate"), DUPLICATE
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


def _beside_parts(taxed: Sequence[TaxedLine], writer: SettlementWriter) -> Iterator[_Part]:
    """Yield what the document takes off and puts on as a whole: what is questioned of it by the
    verdicts on its lines. The verdict is named where it is one."""
    for kind in (ALLOWANCE, CHARGE):
        own = [
            (piece, judged) for _, judged in taxed for piece in judged.pieces if piece.kind == kind
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
            row.explanation if row else writer.text("beside" if questioned else "beside_agreed"),
            questioned,
            sum((piece.claimed for piece, _ in own), _NOTHING),
            sum(unjudged, _NOTHING),
            row=row,
        )


def _tax_reason(
    tax: TaxAtRate,
    excess: Decimal,
    on_questioned: Decimal,
    highest: Decimal,
    writer: SettlementWriter,
) -> str:
    if tax.rate is None:
        return writer.text("tax_on_nothing")
    if excess:
        return writer.tax_beyond(tax.rate, highest, excess)
    return writer.tax(tax.rate, tax.net, on_questioned)
