"""The tax of a document by its rates, and how much of it is questioned: what is on a questioned
amount, and what is beyond the rate that the contract or the country has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from wolkvox_billing.reconciliation.billed_documents import BilledDocument, StatedLine
from wolkvox_billing.reconciliation.questions import LINE, JudgedLine, Piece
from wolkvox_billing.values.tax_rates import HIGHEST_RATE, STANDARD_RATES, VAT_RATES

_CENT = Decimal("0.01")
_NOTHING = Decimal()
TaxedLine = tuple[StatedLine, JudgedLine]


@dataclass
class TaxAtRate:
    """An amount of tax and what it is on. Without a rate it is on nothing that the document
    states. `line` is the one that bills the tax by itself."""

    amount: Decimal
    rate: Decimal | None
    pieces: list[Piece] = field(default_factory=list)
    line: StatedLine | None = None

    @property
    def net(self) -> Decimal:
        return sum((piece.amount for piece in self.pieces), _NOTHING)

    @property
    def is_by_contract(self) -> bool:
        """Whether the contract names the rate of all that it is on."""
        return bool(self.pieces) and all(piece.tax_percent is not None for piece in self.pieces)

    def highest(self, most: Decimal) -> Decimal:
        """Return the highest rate that it can have: the contract's, else `most`; of several the
        average."""
        return self._at_highest(most) * 100 / self.net if self.net else most

    def _at_highest(self, most: Decimal) -> Decimal:
        amounts = [
            piece.amount * (most if piece.tax_percent is None else piece.tax_percent) / 100
            for piece in self.pieces
        ]
        return sum(amounts, _NOTHING)

    def fair_amount(self, highest: Decimal, tolerance: Decimal) -> Decimal:
        """Return as much of it as the contract's rate allows, else the highest of the country."""
        if self.rate is None:
            return _NOTHING
        most = _cents(self._at_highest(highest))
        is_beyond = abs(self.amount) > abs(most) + tolerance or self.amount * self.net < 0
        return most if is_beyond else self.amount

    def share_on(self, part: Decimal, fair: Decimal) -> Decimal:
        """Return how much of the fair amount is on a part of the net."""
        net = self.net
        if not part or not net:
            return _NOTHING
        return fair if part == net else _cents(fair * part / net)


def highest_rate(currency: str | None) -> Decimal:
    """Return the highest rate that tax can have in a currency, in per cent."""
    return Decimal(STANDARD_RATES.get(currency or "", HIGHEST_RATE))


def find_untaxed(document: BilledDocument, invoice: BilledDocument | None) -> Decimal | None:
    """Return the rate of the tax that a note should give back with what it gives back, and does
    not: of an electronic one without any tax, on an invoice that has one rate on all of it."""
    is_untaxed = document.format == "ubl" and not document.tax and document.kind == "credit_note"
    if not (is_untaxed and invoice and invoice.tax and invoice.net):
        return None
    rate = _rate_of(invoice.tax, invoice.net + invoice.beside_lines)
    return rate if rate in VAT_RATES else None


def split_by_rate(document: BilledDocument, taxed: Sequence[TaxedLine]) -> list[TaxAtRate]:
    """Return the document's tax, one entry a rate; and each line that is tax by itself."""
    sign = document.sign
    lines = [(line, judged) for line, judged in taxed if judged.role != "tax"]
    by_rate = _of_lines(sign, lines)
    stated = sum((tax.amount for tax in by_rate.values()), _NOTHING)
    rest = _NOTHING if document.tax is None else sign * document.tax - stated
    if rest:
        _add_rest(by_rate, rest, lines)
    own = [
        TaxAtRate(judged.own.amount, *_rate_on(judged.own.amount, _pieces_of(lines)), line)
        for line, judged in taxed
        if judged.role == "tax"
    ]
    return [*by_rate.values(), *own]


def _of_lines(sign: int, lines: Iterable[TaxedLine]) -> dict[Decimal | None, TaxAtRate]:
    """Return the tax that lines state, by its rate."""
    by_rate: dict[Decimal | None, TaxAtRate] = {}
    for line, judged in lines:
        if not line.tax:
            continue
        tax = sign * line.tax
        rate = _rate_of(tax, judged.own.amount)
        entry = by_rate.setdefault(rate, TaxAtRate(_NOTHING, rate))
        entry.amount += tax
        entry.pieces.append(judged.own)
    return by_rate


def _add_rest(
    by_rate: dict[Decimal | None, TaxAtRate], rest: Decimal, lines: Sequence[TaxedLine]
) -> None:
    """Add what the document states beyond its lines: a rounding, or the tax of lines that state
    none, and of what it puts on and takes off as a whole."""
    if by_rate and abs(rest) <= _CENT * len(lines):
        max(by_rate.values(), key=lambda tax: abs(tax.amount)).amount += rest
        return
    beside = [piece for _, judged in lines for piece in judged.pieces if piece.kind != LINE]
    untaxed = [judged.own for line, judged in lines if line.tax is None]
    candidates = [_rate_on(rest, pieces) for pieces in ([*untaxed, *beside], untaxed, beside)]
    rate, pieces = next((entry for entry in candidates if entry[0] in VAT_RATES), candidates[0])
    entry = by_rate.setdefault(rate, TaxAtRate(_NOTHING, rate))
    entry.amount += rest
    entry.pieces += pieces


def _rate_on(tax: Decimal, pieces: list[Piece]) -> tuple[Decimal | None, list[Piece]]:
    net = sum((piece.amount for piece in pieces), _NOTHING)
    return (_rate_of(tax, net), pieces) if net else (None, [])


def _pieces_of(lines: Iterable[TaxedLine]) -> list[Piece]:
    return [piece for _, judged in lines for piece in judged.pieces]


def _rate_of(tax: Decimal, net: Decimal) -> Decimal | None:
    """Return the rate in per cent: a known one where rounding to the cent, or to whole units of
    money, is all that lies between."""
    if not net:
        return None
    rounding = Decimal("0.5") if tax == tax.to_integral_value() else _CENT
    distance, nearest = min((abs(tax - net * rate / 100), rate) for rate in VAT_RATES)
    if distance <= rounding:
        return Decimal(nearest)
    return (tax * 100 / net).quantize(_CENT, ROUND_HALF_UP)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
