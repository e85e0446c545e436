"""How much of each line is questioned: its verdict's cost variance, shared out.

what is billed beyond the contract    first what the document puts on beside its lines, then the
                                      lines, by their amounts
what is billed short of it            first what the document takes off, then what lines take
                                      off, then the other lines
what is compared with nothing         all of it, unless the line map accepts it; tax is
                                      questioned by its rate, see `tax_by_rate`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.billed_documents import StatedDocument, share_out
from wolkvox_billing.reconciliation.contract.fees import AgreedFee, FeeLine, agreed_fees
from wolkvox_billing.reconciliation.contract.rate import PACKAGE, Rate
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.exchange import Exchanges, MissingRate
from wolkvox_billing.reconciliation.facts import BilledLine, Meter
from wolkvox_billing.reconciliation.keys import Comparison, LeftOut, LineId
from wolkvox_billing.reconciliation.verdicts import ACCUSING, NO_FINDING, Verdict
from wolkvox_billing.values.document_number import bare_number
from wolkvox_billing.values.periods import DAY, Period

LINE, ALLOWANCE, CHARGE = "line", "allowance", "charge"
FEE, TAX_ROLE = "fee", "tax"  # roles of the line map
DUPLICATE = "duplicate_document"
ACCEPTED = "accepted"  # the role of a line that is compared with nothing, and agreed
OPEN = NO_FINDING[0]
_AGREED = NO_FINDING[1:]
# Of which nobody can say how much is owed, even where a price is known.
_UNKNOWN = (OPEN, DUPLICATE, "unmapped_line", "currency_mismatch",
            "semantics_undetermined")  # fmt: skip
_NOTHING = Decimal()


@dataclass(frozen=True)
class Contract:
    """The rows of the rate card, and the exchange rates between their currencies and lines'."""

    rates: Sequence[Rate]
    exchanges: Exchanges

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
        return FeeLine(line, left_out.operation_id, left_out.report, exchanges)


class Piece(NamedTuple):
    """An amount of a line by itself, or of what its document puts on or takes off; as it adds to
    what is asked for. `questioned` and `claimed` are parts of it; `tax_percent` is the rate of tax
    that the contract names for it."""

    kind: str
    amount: Decimal
    questioned: Decimal = _NOTHING
    claimed: Decimal = _NOTHING
    tax_percent: Decimal | None = None


@dataclass(frozen=True)
class JudgedLine:
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
        return replace(self, pieces=pieces)


def question_lines(
    documents: Iterable[StatedDocument],
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
        own = [
            piece._replace(
                tax_percent=taxes.percent_of(
                    line, Meter(row.operation_id or "", row.report or "", row.product or "")
                )
            )
            for line in verdict.lines
            for piece in pieces[line.document_id, line.line_number]
        ]
        questioned = iter(_question(row, own))
        for line in verdict.lines:
            line_id = line.document_id, line.line_number
            parts = [next(questioned) for _ in pieces[line_id]]
            lines[line_id] = JudgedLine(parts, comparison.roles.get(line_id), row)
    left_out = comparison.left_out
    fee_lines = [contract.fee_line(each) for each in left_out if each.role == FEE]
    fees = agreed_fees(rates, fee_lines)
    missing = {fee.name: fee.missing_of(rates) for fee in fee_lines if fee.name not in fees}
    corrected = _corrected_by(unplaced + [
        line for role, line, *_ in left_out
        if role != TAX_ROLE and (line.document_id, line.line_number) not in fees
    ])  # fmt: skip
    for role, line, operation_id, report in left_out:
        line_id = line.document_id, line.line_number
        percent = taxes.percent_of(line, Meter(operation_id or "", report, ""))
        own = [piece._replace(tax_percent=percent) for piece in pieces[line_id]]
        fee = fees.get(line_id)
        is_claimed = (line.supplier_id, bare_number(line.document_number or "")) not in corrected
        questioned_pieces = _question_left_out(own, role, line, fee, is_claimed=is_claimed)
        is_duplicate = line.is_duplicate and role != TAX_ROLE
        lines[line_id] = JudgedLine(questioned_pieces, role, None, fee, is_duplicate,
                                    missing.get(line_id))  # fmt: skip
    return lines


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
        self._known: dict[tuple[object, ...], Decimal | None] = {}

    def percent_of(self, line: BilledLine, meter: Meter) -> Decimal | None:
        period = line.period
        if not period and line.issued:
            period = Period(line.issued, line.issued + DAY)
        if not period:
            return None
        name = meter, line.currency, period, line.issued
        if name not in self._known:
            self._known[name] = self._terms.tax_percent(*name)
        return self._known[name]


def _question_left_out(
    pieces: Sequence[Piece],
    role: str,
    line: BilledLine,
    fee: AgreedFee | None,
    *,
    is_claimed: bool,
) -> list[Piece]:
    """Return the pieces of a line that no verdict has, with what is questioned of each: of a fee
    that the contract names what is beyond it and no note gives back, which may be claimed; of
    others all or nothing. Of two documents with one number nobody knows which one counts."""
    is_agreed = role == ACCEPTED and not line.is_duplicate
    if is_agreed or role == TAX_ROLE:
        return [*pieces]
    if not fee or line.is_duplicate:
        return [piece._replace(questioned=piece.amount) for piece in pieces]
    return _with_questions(pieces, spread(line.amount - fee.amount - fee.given_back, pieces),
                           is_claimed=is_claimed and not fee.is_guessed)  # fmt: skip


def _with_questions(
    pieces: Sequence[Piece], questioned: Sequence[Decimal], *, is_claimed: bool
) -> list[Piece]:
    """Return the pieces so questioned. Nothing is claimed of what is billed short."""
    return [
        piece._replace(questioned=amount, claimed=max(amount, _NOTHING) if is_claimed else _NOTHING)
        for piece, amount in zip(pieces, questioned, strict=True)
    ]


def _pieces(documents: Iterable[StatedDocument]) -> Iterable[tuple[LineId, list[Piece]]]:
    for document, lines in documents:
        for line in lines:
            pieces = [Piece(LINE, document.sign * (line.amount or _NOTHING))]
            if line.charge:
                pieces.append(Piece(CHARGE, document.sign * line.charge))
            if line.allowance:
                pieces.append(Piece(ALLOWANCE, -document.sign * line.allowance))
            yield (line.document_id, line.line_number), pieces


def _question(row: ReconciledRow, pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces of a verdict with what it questions of each."""
    status, variance = row.reconciliation_status, row.cost_variance
    if status in _AGREED:
        missing = spread(row.missing_copies_cost or _NOTHING, pieces)
        return _with_questions(pieces, missing, is_claimed=True) if any(missing) else [*pieces]
    if variance is None or status in _UNKNOWN:
        questioned = [piece.amount for piece in pieces]
    else:
        questioned = spread(variance, pieces)
    return _with_questions(pieces, questioned, is_claimed=status in ACCUSING)


def spread(variance: Decimal, pieces: Sequence[Piece]) -> list[Decimal]:
    """Return a variance in parts, one a piece: it is taken out of those first that explain it."""
    parts, left = [_NOTHING] * len(pieces), variance
    tiers: tuple[list[int], ...] = ([], [], [])
    for n, piece in enumerate(pieces):
        is_of_its_sign = piece.amount and (piece.amount > 0) == (variance > 0)
        tiers[(1 if piece.kind == LINE else 0) if is_of_its_sign else 2].append(n)
    for tier in tiers[:2]:
        amounts = [pieces[n].amount for n in tier]
        total = sum(amounts, _NOTHING)
        shares = share_out(left, amounts) if abs(left) < abs(total) else amounts
        for n, share in zip(tier, shares, strict=True):
            parts[n] = share
            left -= share
    if left and pieces:
        rest = tiers[2] or [*range(len(pieces))]
        for n, share in zip(
            rest, share_out(left, [abs(pieces[n].amount) for n in rest]), strict=True
        ):
            parts[n] += share
    return parts
