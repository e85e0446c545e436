"""The tax of a document by its rates, and how much of it is questioned.

    what it is on ─▶ the rates that are due ─▶ so much tax on what is agreed ─▶ the rest of it

Due is what the contract says; of a note that the contract says nothing of, what the invoice has
that it corrects; else the document's own rate, up to the highest of the country.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.reconciliation.billed_documents import BilledDocument, StatedLine
from wolkvox_billing.reconciliation.contract.line_map import COMPARED
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.questions import ACCEPTED, TAX_ROLE, JudgedLine
from wolkvox_billing.reconciliation.spreading import ALLOWANCE, LINE, Piece
from wolkvox_billing.values.tax_rates import HIGHEST_RATE, STANDARD_RATES, VAT_RATES

_CENT, _HALF = Decimal("0.01"), Decimal("0.5")
_NOTHING = Decimal()
_VAT_RATES = sorted(map(Decimal, VAT_RATES))
_KNOWN_RATES = frozenset((_NOTHING, *_VAT_RATES))
CONTRACT, INVOICE, COUNTRY = "contract", "invoice", "country"  # who says which rate is due
TaxedLine = tuple[StatedLine, JudgedLine]


class Due(NamedTuple):
    """Between which rates tax is due, in per cent, and who says so."""

    lowest: Decimal
    highest: Decimal
    by: str


class Base(NamedTuple):
    """An amount that tax may be on, and the line that it is of."""

    piece: Piece
    judged: JudgedLine

    @property
    def subject(self) -> object:
        """What is alike in an invoice and in a note on it: the verdict, else the role."""
        row = self.judged.row
        return id(row) if row else self.judged.role


@dataclass
class TaxAtRate:
    """An amount of tax and what it is on, which may be none. Without a rate it is on nothing that
    the document states. `line` is the one that bills the tax by itself."""

    amount: Decimal
    rate: Decimal | None
    bases: list[Base] = field(default_factory=list)
    line: StatedLine | None = None

    @property
    def net(self) -> Decimal:
        return sum((base.piece.amount for base in self.bases), _NOTHING)

    @property
    def may_be_rounded_by(self) -> Decimal:
        """How much rounding it on each amount may come to."""
        is_whole = self.amount == self.amount.to_integral_value()
        return (_HALF if is_whole else _CENT) * len(self.bases)


class CheckedTax(NamedTuple):
    """A tax, and what is questioned of it: what is more than is due (`excess`), and what is on a
    questioned amount; of that `on_claimed` is on a claimed one. `missing` is what is due beyond it
    on what is agreed. `due` is on all that it is on: of several rates the average."""

    tax: TaxAtRate
    due: Due
    excess: Decimal
    on_questioned: Decimal
    on_claimed: Decimal
    missing: Decimal


RatesOfInvoice = Mapping[object, frozenset[Decimal]]  # by Base.subject


def rates_of(document: BilledDocument, taxed: Sequence[TaxedLine]) -> RatesOfInvoice:
    """Return the rates that a document has, by what it has them on."""
    rates: dict[object, frozenset[Decimal]] = {}
    for tax in split_by_rate(document, taxed):
        for base in tax.bases:
            own = rates.get(base.subject, frozenset())
            rates[base.subject] = own | {tax.rate or _NOTHING}
    return rates


def due_on(base: Base, currency: str | None, of_invoice: RatesOfInvoice | None) -> Due:
    """Return the rates that are due on an amount. `of_invoice`: of the one that its document
    corrects, None where there is none."""
    rates = base.piece.tax_rates
    # Accepted with whatever tax it bears, and an allowance may be granted on that too.
    is_free = base.judged.role == ACCEPTED or base.piece.kind == ALLOWANCE
    if rates:
        return Due(_NOTHING if is_free else rates[0], rates[1], CONTRACT)
    if of_invoice and not is_free:
        own = of_invoice.get(base.subject) or frozenset().union(*of_invoice.values())
        if own <= _KNOWN_RATES:  # else it is an average of what it is on
            return Due(min(own), max(own), INVOICE)
    return Due(_NOTHING, highest_rate(currency), COUNTRY)


def highest_rate(currency: str | None) -> Decimal:
    """Return the highest rate that tax can have in a currency, in per cent."""
    return Decimal(STANDARD_RATES.get(currency or "", HIGHEST_RATE))


def check_taxes(
    taxes: Iterable[TaxAtRate], due_of: Callable[[Base], Due], tolerance: Decimal
) -> Iterator[CheckedTax]:
    """Yield each tax with what is questioned of it. What two taxes are on bears it once: the first
    one has it."""
    borne: dict[int, Decimal] = {}  # tax, by the piece that it is on
    for tax in taxes:
        if not (tax.amount or tax.line or any(base.piece.amount for base in tax.bases)):
            continue  # there is nothing that it is on
        rates = [due_of(base) for base in tax.bases]
        dues = [
            _DueAmount.of(base.piece.amount, due, borne.get(id(base.piece), _NOTHING))
            for base, due in zip(tax.bases, rates, strict=True)
        ]
        amounts = _between(tax.amount, dues)
        whole = sum(amounts, _NOTHING)
        for base, amount in zip(tax.bases, amounts, strict=True):
            before = borne.get(id(base.piece), _NOTHING)
            borne[id(base.piece)] = before + (tax.amount * amount / whole if whole else _NOTHING)
        yield _check(tax, rates, amounts, max(tolerance, tax.may_be_rounded_by))


class _DueAmount(NamedTuple):
    """The least and the most tax that is due on an amount; both below nothing on one that is."""

    least: Decimal
    most: Decimal

    @classmethod
    def of(cls, net: Decimal, due: Due, borne: Decimal) -> _DueAmount:
        """Return what is due beyond what the amount bears already."""
        within = max if net > 0 else min
        least = most = within(net * due.highest / 100 - borne, _NOTHING)
        if due.lowest != due.highest:
            least = within(net * due.lowest / 100 - borne, _NOTHING)
        return cls(least, most)


def _between(tax: Decimal, dues: Sequence[_DueAmount]) -> list[Decimal]:
    """Return the tax on each amount: all of them as far from the least to the most that is due as
    brings them nearest to the tax that there is."""
    least = sum((due.least for due in dues), _NOTHING)
    span = sum((due.most for due in dues), _NOTHING) - least
    way = min(max((tax - least) / span, _NOTHING), Decimal(1)) if span else _NOTHING
    return [due.least + (due.most - due.least) * way for due in dues]


def _check(
    tax: TaxAtRate, rates: Sequence[Due], amounts: Sequence[Decimal], tolerance: Decimal
) -> CheckedTax:
    whole = cents(sum(amounts, _NOTHING))
    is_near = abs(tax.amount - whole) <= tolerance
    is_short = abs(tax.amount) < abs(whole) and tax.amount * whole >= 0
    fair = tax.amount if is_near or is_short else whole
    missing = whole - fair if is_short and not is_near else _NOTHING
    weights = amounts if whole else [base.piece.amount for base in tax.bases]
    questioned, claimed = (
        _share_of([base.piece for base in tax.bases], weights, part)
        for part in ("questioned", "claimed")
    )
    return CheckedTax(
        tax,
        _average(rates, [base.piece.amount for base in tax.bases]),
        tax.amount - fair,
        _part(fair, questioned),
        _part(fair, claimed),
        missing - _part(missing, questioned),
    )


def _share_of(pieces: Sequence[Piece], weights: Sequence[Decimal], part: str) -> Decimal:
    """Return which share of what is due on pieces is on this part of them."""
    amounts = [getattr(piece, part) for piece in pieces]
    if pieces and amounts == [piece.amount for piece in pieces]:
        return Decimal(1)
    whole = sum(weights, _NOTHING)
    on_part = [
        weight * amount / piece.amount
        for piece, amount, weight in zip(pieces, amounts, weights, strict=True)
        if amount and piece.amount
    ]
    return sum(on_part, _NOTHING) / whole if whole else _NOTHING


def _part(amount: Decimal, share: Decimal) -> Decimal:
    return amount if share == 1 else cents(amount * share)


def _average(rates: Sequence[Due], amounts: Sequence[Decimal]) -> Due:
    """Return rates that are due on these amounts as one; the lowest of those of which any is."""
    sayers = {due.by for due in rates}
    by = INVOICE if INVOICE in sayers else CONTRACT if sayers == {CONTRACT} else COUNTRY
    return Due(
        _mean([(due.lowest, own) for due, own in zip(rates, amounts, strict=True) if due.lowest]),
        _mean([(due.highest, own) for due, own in zip(rates, amounts, strict=True)]),
        by,
    )


def _mean(rates: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Return the average of rates, each on an amount."""
    if len({rate for rate, _ in rates}) == 1:
        return rates[0][0]
    net = sum((amount for _, amount in rates), _NOTHING)
    return cents(sum((rate * amount for rate, amount in rates), _NOTHING) / net) if net else net


def split_by_rate(document: BilledDocument, taxed: Sequence[TaxedLine]) -> list[TaxAtRate]:
    """Return the document's tax, one entry a rate; each line that is tax by itself; and last what
    bears none."""
    sign = document.sign
    lines = [(line, judged) for line, judged in taxed if judged.role != TAX_ROLE]
    by_rate = _of_lines(sign, lines)
    stated = sum((tax.amount for tax in by_rate.values()), _NOTHING)
    rest = _NOTHING if document.tax is None else sign * document.tax - stated
    if rest:
        _add_rest(by_rate, rest, lines)
    taxes = [*by_rate.values()]
    bases = _bases_of(lines)
    for line, judged in taxed:
        if judged.role == TAX_ROLE:
            amount = judged.own.amount
            free = _without_tax(bases, taxes)
            rate, own = _rate_on(amount, _choose(amount, [free, *_by_role(free)]) or bases)
            taxes.append(TaxAtRate(amount, rate, own, line))
    untaxed = _without_tax(bases, taxes)
    return [*taxes, TaxAtRate(_NOTHING, _NOTHING, untaxed)] if untaxed else taxes


def _of_lines(sign: int, lines: Iterable[TaxedLine]) -> dict[Decimal | None, TaxAtRate]:
    """Return the tax that lines state, by its rate."""
    by_rate: dict[Decimal | None, TaxAtRate] = {}
    for line, judged in lines:
        if not line.tax:
            continue
        tax = sign * line.tax
        rate = _rate_of(tax, judged.own.amount)
        if rate not in by_rate:
            by_rate[rate] = TaxAtRate(_NOTHING, rate)
        by_rate[rate].amount += tax
        by_rate[rate].bases.append(Base(judged.own, judged))
    return by_rate


def _add_rest(
    by_rate: dict[Decimal | None, TaxAtRate], rest: Decimal, lines: Sequence[TaxedLine]
) -> None:
    """Add what the document states beyond its lines: a rounding, or the tax of lines that state
    none, and of what it puts on and takes off as a whole."""
    if by_rate and abs(rest) <= _CENT * len(lines):
        max(by_rate.values(), key=lambda tax: abs(tax.amount)).amount += rest
        return
    beside = [base for base in _bases_of(lines) if base.piece.kind != LINE]
    untaxed = [Base(judged.own, judged) for line, judged in lines if line.tax is None]
    candidates = [[*untaxed, *beside], untaxed, beside, *_by_role([*untaxed, *beside])]
    rate, bases = _rate_on(rest, _choose(rest, candidates))
    entry = by_rate.setdefault(rate, TaxAtRate(_NOTHING, rate))
    entry.amount += rest
    entry.bases += bases


def _choose(tax: Decimal, candidates: Sequence[list[Base]]) -> list[Base]:
    """Return those of which a tax is at a known rate; else the first."""
    known = (bases for bases in candidates if _rate_on(tax, bases)[0] in VAT_RATES)
    return next(known, candidates[0])


def _by_role(bases: Sequence[Base]) -> list[list[Base]]:
    """Return what is billed of use, and each of the other roles, by itself; and each line."""
    by_role: dict[str | None, list[Base]] = {}
    for base in bases:
        role = base.judged.role
        by_role.setdefault(COMPARED[0] if role in COMPARED else role, []).append(base)
    return [*by_role.values(), *([base] for base in bases)]


def _rate_on(tax: Decimal, bases: list[Base]) -> tuple[Decimal | None, list[Base]]:
    net = sum((base.piece.amount for base in bases), _NOTHING)
    return (_rate_of(tax, net), bases) if net else (None, [])


def _bases_of(lines: Iterable[TaxedLine]) -> list[Base]:
    return [Base(piece, judged) for _, judged in lines for piece in judged.pieces]


def _without_tax(bases: Iterable[Base], taxes: Iterable[TaxAtRate]) -> list[Base]:
    taxed = {id(base.piece) for tax in taxes for base in tax.bases}
    return [base for base in bases if id(base.piece) not in taxed]


def _rate_of(tax: Decimal, net: Decimal) -> Decimal | None:
    """Return the rate in per cent: a known one where rounding to the cent, or to whole units of
    money, is all that lies between."""
    if not net:
        return None
    rounding = _HALF if tax == tax.to_integral_value() else _CENT
    rate = tax * 100 / net
    place = bisect(_VAT_RATES, rate)
    around = _VAT_RATES[max(place - 1, 0) : place + 1]
    distance, nearest = min((abs(tax - net * known / 100), known) for known in around)
    return nearest if distance <= rounding else cents(rate)
