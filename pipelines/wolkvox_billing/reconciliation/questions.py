"""How much of each line is questioned.

of a verdict                     its cost variance, shared out: see `spreading`
what is compared with nothing    all of it, unless the line map accepts it
a fee                            what is beyond that of the contract
tax                              by its rate, see `tax_by_rate`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import repeat
from typing import NamedTuple

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.billed_documents import LineId, StatedDocument
from wolkvox_billing.reconciliation.contract.fees import AgreedFee, FeeLine, agreed_fees
from wolkvox_billing.reconciliation.contract.line_map import FEE
from wolkvox_billing.reconciliation.contract.rate import PACKAGE, Rate
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.exchange import Exchanges, MissingRate
from wolkvox_billing.reconciliation.facts import BilledLine, Meter
from wolkvox_billing.reconciliation.keys import Comparison, LeftOut
from wolkvox_billing.reconciliation.spreading import (
    ALLOWANCE,
    CHARGE,
    LINE,
    Piece,
    spread,
    spread_over,
)
from wolkvox_billing.reconciliation.verdicts import ACCUSING, CURRENCY_MISMATCH, NO_FINDING, Verdict
from wolkvox_billing.values.document_number import bare_number
from wolkvox_billing.values.periods import DAY, Period

TAX_ROLE = "tax"
DUPLICATE = "duplicate_document"
ACCEPTED = "accepted"  # the role of a line that is compared with nothing, and agreed
OPEN = NO_FINDING[0]
_AGREED = NO_FINDING[1:]
# Of which nobody can say how much is owed, even where a price is known.
_UNKNOWN = (OPEN, DUPLICATE, "unmapped_line", CURRENCY_MISMATCH,
            "semantics_undetermined")  # fmt: skip
_NOTHING = Decimal()


@dataclass(frozen=True)
class Contract:
    """The rows of the rate card, the exchange rates between their currencies and lines', and whose
    operations they are."""

    rates: Sequence[Rate]
    exchanges: Exchanges
    operations: Sequence[str] = ()

    @cached_property
    def _currencies_of_fees(self) -> set[str]:
        return {rate.currency for rate in self.rates if rate.term in (FEE, PACKAGE)}

    def fee_line(self, left_out: LeftOut) -> FeeLine:
        """Return a line that bills a fee, with the rates at which it may be one of each currency
        that fees have."""
        line = left_out.line
        exchanges = {
            currency: tuple(self.exchanges.of([line], line.currency, [currency], line.period))
            for currency in self._currencies_of_fees - {line.currency}
            if line.currency and line.period
        }
        return FeeLine(line, left_out.operation_id, left_out.report, exchanges, self.operations)


class UnsettledRate(NamedTuple):
    """What one of a line's `currency` is in its document's as that one makes it, nothing where it
    does not say it; and the rate that it cannot be held against."""

    currency: str
    parity: Decimal
    missing: MissingRate


class JudgedLine(NamedTuple):
    """A line in its pieces, its own amount first. `row` is that of the verdict that it is part of;
    of one that is part of none `fee` is what the contract has of it, where it names it, and
    `is_duplicate` whether another document has the same number. `role` is the line map's, None
    where no row fits."""

    pieces: Sequence[Piece]
    role: str | None
    row: ReconciledRow | None = None
    fee: AgreedFee | None = None
    is_duplicate: bool = False
    missing_rate: MissingRate | None = None  # without which the contract's fee is not known
    unsettled: UnsettledRate | None = None  # of a line in another currency than its document
    questioned_in: Sequence[str | None] = ()  # numbers of the documents that its verdict is about

    @property
    def own(self) -> Piece:
        return self.pieces[0]

    def exchanged(self, parity: Decimal) -> JudgedLine:
        """Return the line in another currency, in which one of its own is so much."""
        pieces = [
            piece._replace(
                amount=cents(piece.amount * parity),
                questioned=cents(piece.questioned * parity),
                claimed=cents(piece.claimed * parity),
            )
            for piece in self.pieces
        ]
        return self._replace(pieces=pieces)


def question_lines(
    documents: Sequence[StatedDocument],
    comparison: Comparison,
    judged: Iterable[tuple[Verdict, ReconciledRow]],
    contract: Contract,
) -> dict[LineId, JudgedLine]:
    """Return each line of the documents with how much of it is questioned."""
    rates = contract.rates
    pieces = dict(_pieces(documents))
    taxes = _Taxes(rates)
    lines: dict[LineId, JudgedLine] = {}
    unplaced: list[BilledLine] = []
    for verdict, row in judged:
        unplaced += verdict.lines if row.report is None else ()
        lines.update(_lines_of(verdict, row, pieces, taxes, comparison.roles))
    left_out = comparison.left_out
    fee_lines = [contract.fee_line(each) for each in left_out if each.role == FEE]
    fees = agreed_fees(rates, fee_lines)
    missing = {fee.line.id: fee.missing_of(rates) for fee in fee_lines if fee.line.id not in fees}
    corrected = _corrected_by(unplaced + [
        line for role, line, *_ in left_out
        if role != TAX_ROLE and line.id not in fees
    ])  # fmt: skip
    for role, line, operation_id, report in left_out:
        line_id = line.id
        own, fee = pieces[line_id], fees.get(line_id)
        is_claimed = (line.supplier_id, bare_number(line.document_number or "")) not in corrected
        shares = _question_left_out(own, role, line, fee, is_claimed=is_claimed)
        tax_rates = taxes.rates_of(line, Meter(operation_id or "", report, ""))
        judged_pieces = [*map(_judged, own, shares, repeat(tax_rates))]
        is_duplicate = line.is_duplicate and role != TAX_ROLE
        lines[line_id] = JudgedLine(judged_pieces, role, None, fee, is_duplicate,
                                    missing.get(line_id))  # fmt: skip
    return lines


def _lines_of(
    verdict: Verdict,
    row: ReconciledRow,
    pieces: Mapping[LineId, Sequence[Piece]],
    taxes: _Taxes,
    roles: Mapping[LineId, str],
) -> Iterator[tuple[LineId, JudgedLine]]:
    """Yield the lines of a verdict with what it questions of each."""
    meter = Meter(row.operation_id or "", row.report or "", row.product or "")
    own = [(line, piece) for line in verdict.lines for piece in pieces[line.id]]
    shares = _question(row, own, verdict)
    in_question = {
        line.document_id: line.document_number
        for (line, _), share in zip(own, shares, strict=True)
        if share.questioned
    }
    rest = iter(shares)
    for line in verdict.lines:
        tax_rates = taxes.rates_of(line, meter)
        judged = [_judged(piece, next(rest), tax_rates) for piece in pieces[line.id]]
        elsewhere = () if line.document_id in in_question else tuple(in_question.values())
        yield line.id, JudgedLine(judged, roles.get(line.id), row, questioned_in=elsewhere)


def _corrected_by(lines: Iterable[BilledLine]) -> set[tuple[str | None, str]]:
    """Return supplier and bare number of what is corrected by those of the lines that give money
    back, of which nobody knows what for: it may be any line of that document."""
    return {
        (line.supplier_id, bare_number(line.corrects_number))
        for line in lines
        if line.amount < 0 and line.corrects_number
    }


class _Taxes:
    """The rates of tax that the contract names, which many lines ask for."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._terms = Terms(rates)
        self._known: dict[tuple[object, ...], tuple[Decimal, Decimal] | None] = {}

    def rates_of(self, line: BilledLine, meter: Meter) -> tuple[Decimal, Decimal] | None:
        """Return the lowest and the highest that may be meant."""
        period = line.period
        if not period and line.issued:
            period = Period(line.issued, line.issued + DAY)
        if not period:
            return None
        name = meter, line.currency, period, line.issued
        if name not in self._known:
            self._known[name] = self._terms.tax_percents(*name)
        return self._known[name]


def _question_left_out(
    pieces: Sequence[Piece], role: str, line: BilledLine, fee: AgreedFee | None, *, is_claimed: bool
) -> list[_Share]:
    """Return what is questioned of the pieces of a line that no verdict has: of a fee that the
    contract names what is beyond it and no note gives back, which may be claimed unless the line's
    own words explain it; of others all or nothing. Of two documents with one number nobody knows
    which one counts."""
    is_agreed = role == ACCEPTED and not line.is_duplicate
    if is_agreed or role == TAX_ROLE:
        return [_Share(_NOTHING, _NOTHING)] * len(pieces)
    if not fee or line.is_duplicate:
        return [_Share(piece.amount, _NOTHING) for piece in pieces]
    too_much = line.amount - fee.amount - fee.given_back
    is_claimed = is_claimed and not fee.is_guessed
    claimed = spread(too_much - fee.perhaps if is_claimed else _NOTHING, pieces)
    return [*map(_Share, spread(too_much, pieces), claimed)]


class _Share(NamedTuple):
    """How much of a piece is questioned and claimed."""

    questioned: Decimal
    claimed: Decimal


def _judged(piece: Piece, share: _Share, tax_rates: tuple[Decimal, Decimal] | None) -> Piece:
    """Return a piece so questioned. Nothing is claimed of what is billed short, and no more of a
    piece than it is."""
    claimed = min(max(share.claimed, _NOTHING), abs(piece.amount))
    return Piece(piece.kind, piece.amount, share.questioned, claimed, tax_rates)


def _pieces(documents: Iterable[StatedDocument]) -> Iterable[tuple[LineId, list[Piece]]]:
    for document, lines in documents:
        for line in lines:
            pieces = [Piece(LINE, document.sign * (line.amount or _NOTHING))]
            if line.charge:
                pieces.append(Piece(CHARGE, document.sign * line.charge))
            if line.allowance:
                pieces.append(Piece(ALLOWANCE, -document.sign * line.allowance))
            yield line.id, pieces


def _question(
    row: ReconciledRow, pieces: Sequence[tuple[BilledLine, Piece]], verdict: Verdict
) -> list[_Share]:
    """Return what a verdict questions of the pieces of its lines."""
    status, variance = row.reconciliation_status, row.cost_variance
    own = [piece for _, piece in pieces]
    if status in _AGREED:
        missing = spread(row.missing_copies_cost or _NOTHING, own)
        return [*map(_Share, missing, missing)]
    if variance is None or status in _UNKNOWN:
        questioned = [piece.amount for piece in own]
    else:
        questioned = spread_over(variance, pieces, verdict.tolerance)
    claimed = questioned if status in ACCUSING else [_NOTHING] * len(own)
    return [*map(_Share, questioned, claimed)]
