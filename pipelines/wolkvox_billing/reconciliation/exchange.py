"""Prices in another currency than the invoice's: which rate holds between the two.

    the setting `exchange_rate` ─┬▶ document    what the document itself states
                                 ├▶ issue_date  the file's of the day of issue
                                 └▶ period_end  the file's of the last day that is billed

A note without a rate has that of the document that it corrects, and is of its day. Where a
document states no rate, nobody knows which one it used: each of the file's that it may be is held
against its amount, and the nearest one counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.contract.exchange_rates import (
    ExchangeRate,
    Quote,
    RateTable,
    quote,
)
from wolkvox_billing.reconciliation.facts import BilledLine, Facts
from wolkvox_billing.reconciliation.policy import DOCUMENT, ISSUE_DATE, PERIOD_END, Policy
from wolkvox_billing.values.currencies import is_known_way, is_upside_down, shown_rate
from wolkvox_billing.values.document_number import bare_number
from wolkvox_billing.values.periods import DAY, Period
from wolkvox_billing.values.translation import N_, Sentence

_FAR = 5  # what is no difference between two rates of one pair
_MOST_APART = Fraction(1, 20)  # a document's rate and that of its day
_AS_STATED, _INVERTED = 1, -1
_LEAST_LEFT = Fraction(1, 10)  # of what was billed and taken back, so that rates average by it


class MissingRate(NamedTuple):
    """A rate that nobody states: what one `currency` is in the other on one of these days."""

    currency: str
    in_currency: str
    days: tuple[date, ...]


class Exchange(NamedTuple):
    """What one of each other currency is in the invoice's: `rates` by the contract, `used` as the
    documents used them; both by what `by` and `used_by` say. `is_guessed` where the contract's is
    that of a document which states none. `missing`: those without which nothing can be compared.
    `spread`: by how large a part of it one of the rates may be rounded."""

    rates: Mapping[str, Decimal]
    used: Mapping[str, Decimal]
    by: str = DOCUMENT
    used_by: str = DOCUMENT
    is_guessed: bool = False
    missing: tuple[MissingRate, ...] = ()
    spread: Decimal = Decimal()


class _Way(NamedTuple):
    """How a rate that was used is taken: where a document states none by which day, and which power
    of one that it states."""

    guess: str
    power: int


class _Share(NamedTuple):
    """A line's amount, with its rate by the contract and as it was used."""

    amount: Fraction
    rate: Quote
    used: Quote


class Exchanges:
    """The rates of the documents that bill, and of the file."""

    def __init__(self, facts: Facts, rates: Iterable[ExchangeRate], policy: Policy) -> None:
        self._table = RateTable(rates)
        self._setting = policy.exchange_rate
        self._documents = {own.document.document_id: own.document for own in facts.stated}
        self._invoices = {
            (document.supplier_id, bare_number(document.number or "")): document
            for document in self._documents.values()
            if document.kind == "invoice" and document.number
        }

    def of(
        self, lines: Sequence[BilledLine], currency: str, others: Collection[str], period: Period
    ) -> list[Exchange]:
        """Return the ways in which lines in a currency may have come from prices in others: one,
        or one for each rate that a document may have used, and one the other way round where a
        document may mean that."""
        exchanges: list[Exchange] = []
        is_stated = all(self._stated(line, other, currency) for line in lines for other in others)
        is_either = any(self._may_be_inverted(line, other) for line in lines for other in others)
        guesses = (DOCUMENT,) if is_stated else (ISSUE_DATE, PERIOD_END)
        powers = (_AS_STATED, _INVERTED) if is_either else (_AS_STATED,)
        for way in (_Way(guess, power) for guess in guesses for power in powers):
            shares = {
                other: [self._share(line, other, currency, period, way) for line in lines]
                for other in others
            }
            known = {other: [*filter(None, own)] for other, own in shares.items()}
            if all(len(own) == len(lines) for own in known.values()):
                exchanges.append(self._exchange(known, way.guess))
        return exchanges or [self._missing(lines, currency, others, period)]

    def known_between(self, document: BilledDocument, other: str) -> list[Decimal]:
        """Return what one `other` may be in a document's currency: by what it states, and by the
        file on its day of issue and on the last one that it bills."""
        stated = _stated_in(document, other, document.currency or "")
        filed = (
            self._table.rate_on(day, other, document.currency or "") for day in _days_of(document)
        )
        return [_decimal(rate.parity) for rate in (stated, *filed) if rate]

    def missing_between(self, document: BilledDocument, other: str | None) -> MissingRate:
        """Return the rate that would say it, by name."""
        return MissingRate(other or "?", document.currency or "?", tuple(_days_of(document)))

    def warnings(self, file: str, document_ids: Collection[str]) -> list[str]:
        """Return a warning for each of the documents whose own rate is far from the file's of its
        day of issue: by the setting `document` it counts all the same."""
        warnings: list[str] = []
        for document in self._documents.values():
            pair = document.exchange_currency, document.exchange_in_currency
            if document.document_id not in document_ids or None in pair or not document.issued:
                continue
            currency, in_currency = map(str, pair)
            filed = self._table.rate_on(document.issued, currency, in_currency)
            own = _stated_in(document, currency, in_currency)
            if own and filed and abs(own.parity - filed.parity) > filed.parity * _MOST_APART:
                by_it, by_file = (shown_rate(_decimal(quote.parity)) for quote in (own, filed))
                warnings.append(
                    Sentence(
                        N_(
                            "{title}: by it one {currency} is {by_it} {in_currency}, and by {file} "
                            "{by_file} on {day}"
                        ),
                        title=document.title,
                        currency=currency,
                        by_it=by_it,
                        in_currency=in_currency,
                        file=file,
                        by_file=by_file,
                        day=document.issued,
                    )
                )
        return sorted(warnings)

    def _exchange(self, shares: Mapping[str, Sequence[_Share]], guess: str) -> Exchange:
        averages = {other: _average(of_lines) for other, of_lines in shares.items()}
        return Exchange(
            {other: rate for other, (rate, _) in averages.items()},
            {other: used for other, (_, used) in averages.items()},
            by=guess if self._setting == DOCUMENT else self._setting,
            used_by=guess,
            is_guessed=self._setting == DOCUMENT != guess,
            spread=_decimal(
                max(
                    (
                        rate.spread
                        for own in shares.values()
                        for share in own
                        for rate in (share.rate, share.used)
                    ),
                    default=Fraction(),
                )
            ),
        )

    def _share(
        self, line: BilledLine, other: str, currency: str, period: Period, way: _Way
    ) -> _Share | None:
        """Return a line with its rates, None where one is not known."""

        def filed(setting: str) -> Quote | None:
            day = self._day(line, period, setting)
            return self._table.rate_on(day, other, currency) if day else None

        stated = self._stated(line, other, currency)
        if stated and way.power == _INVERTED:
            stated = stated.inverted()
        rate = used = stated or filed(way.guess)
        if self._setting != DOCUMENT:
            rate = filed(self._setting)
            used = used or rate
        return _Share(Fraction(line.amount), rate, used) if rate and used else None

    def _stated(self, line: BilledLine, other: str, currency: str) -> Quote | None:
        """Return the rate that a line's document states, or the one that it corrects."""
        document = self._documents.get(line.document_id)
        if not document:
            return None
        stated = _stated_in(document, other, currency)
        corrected = self.corrected(document)
        if stated is None and corrected:
            return _stated_in(corrected, other, currency)
        return stated

    def _may_be_inverted(self, line: BilledLine, other: str) -> bool:
        """Return whether a line's document may state its rate the other way round: where nothing
        says which one is meant, and no amount is by both of them."""
        rate = self._stated(line, other, line.currency or "")
        if rate is None or Fraction(1, _FAR) < rate.parity < _FAR:
            return False
        return not is_known_way(other, line.currency or "")

    def _day(self, line: BilledLine, period: Period, setting: str) -> date | None:
        if setting == PERIOD_END:
            return period.end - DAY
        document = self._documents.get(line.document_id)
        corrected = self.corrected(document) if document else None
        return (corrected.issued if corrected else None) or line.issued

    def corrected(self, document: BilledDocument) -> BilledDocument | None:
        """Return the invoice that a note corrects, None where it is not there."""
        return None if document.kind == "invoice" else self._invoices.get(document.corrected)

    def _missing(
        self, lines: Sequence[BilledLine], currency: str, others: Iterable[str], period: Period
    ) -> Exchange:
        settings = (ISSUE_DATE, PERIOD_END) if self._setting == DOCUMENT else (self._setting,)
        missing: list[MissingRate] = []
        for other in sorted(others):
            days = {
                day
                for line in lines
                for setting in settings
                if (day := self._day(line, period, setting))
                and self._table.rate_on(day, other, currency) is None
                and not (self._setting == DOCUMENT and self._stated(line, other, currency))
            }
            if days:
                missing.append(MissingRate(other, currency, tuple(sorted(days))))
        if not missing:  # of a document without a day of issue
            missing = [MissingRate(other, currency, ()) for other in sorted(others)]
        return Exchange({}, {}, self._setting, missing=tuple(missing))


def _days_of(document: BilledDocument) -> list[date]:
    """Return the last day that a document bills, and that of its issue."""
    last = document.period.end - DAY if document.period else None
    return sorted({day for day in (last, document.issued) if day})


def _stated_in(document: BilledDocument, other: str, currency: str) -> Quote | None:
    """Return what one `other` is in a currency by a document, whichever way round it has that."""
    rate = document.exchange_rate
    if not rate:
        return None
    is_named = bool(document.exchange_currency or document.exchange_in_currency)
    if rate == 1 and (not is_named or is_known_way(other, currency)):
        return None  # programs write it where there is none
    pair = [document.exchange_currency or None, document.exchange_in_currency or None]
    if pair == [None, None]:
        pair = [other, currency]
    elif None in pair:
        rest = {other, currency} - {*pair}
        pair = [code or next(iter(rest), None) for code in pair]
    if {*pair} != {other, currency}:
        return None
    if is_upside_down(pair[0] or "", pair[1] or "", rate):
        pair.reverse()
    return quote(rate) if pair[0] == other else quote(rate).inverted()


def _average(shares: Sequence[_Share]) -> tuple[Decimal, Decimal]:
    """Return the rates of several lines together, by what each of them is in the other currency."""
    weights = [share.amount / share.used.parity for share in shares]
    gross = sum(map(abs, weights), Fraction())
    if abs(sum(weights, Fraction())) < gross * _LEAST_LEFT:  # nearly all was taken back
        weights = [*map(abs, weights)]
    whole = sum(weights, Fraction())
    if not whole:
        weights, whole = [Fraction(1)] * len(shares), Fraction(len(shares))
    pairs = [*zip(weights, shares, strict=True)]
    rate = sum((weight * share.rate.parity for weight, share in pairs), Fraction()) / whole
    used = sum((weight * share.used.parity for weight, share in pairs), Fraction()) / whole
    return _decimal(rate), _decimal(used)


def _decimal(rate: Fraction) -> Decimal:
    return Decimal(rate.numerator) / rate.denominator
