"""What lines that bill no use may cost by the contract: fees by the month, by the year or once, and
the price of packages.

    a line ─▶ the row whose pattern it fits ─▶ the months, year or package that it pays, of an
    operation or of each ─▶ lines that pay the same share what is agreed for it: the one that was
    issued first comes first ─▶ what is beyond that, and what the line's own words explain of it
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.period import periods_in
from wolkvox_billing.reconciliation.billed_documents import LineId
from wolkvox_billing.reconciliation.contract.globs import compile_glob
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS
from wolkvox_billing.reconciliation.contract.multiples import counts_of
from wolkvox_billing.reconciliation.contract.rate import FEE, MONTH, PACKAGE, YEAR, Rate, by_days
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.exchange import Exchange, MissingRate
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.values.currencies import WHOLE_CURRENCIES
from wolkvox_billing.values.document_number import bare_number
from wolkvox_billing.values.periods import DAY, Period, format_month
from wolkvox_billing.values.spelling import plain

_CENT = Decimal("0.01")
_ROUNDED = Decimal("0.0001")  # of a rate: what is no matter
_NOTHING = Decimal()
_IN_ARREARS = timedelta(days=31)  # after a year, for which it may still be billed


class FeeLine(NamedTuple):
    """A line of role `fee`, with the operation and report that the line map gives it; and all
    operations that there are."""

    line: BilledLine
    operation_id: str | None = None
    report: str = ""
    exchanges: Mapping[str, Sequence[Exchange]] = {}  # currency → how it may be exchanged
    operations: Sequence[str] = ()

    @property
    def counts(self) -> frozenset[int]:
        """How many of a fee it may bill, by its quantity or its text."""
        return counts_of(self.line.quantity, self.line.description)

    def comes_to(self, price: Decimal, rate: Rate) -> bool:
        """Return whether it bills this much of a row's currency."""
        amount, own = abs(self.line.amount), price * self.parity_of(rate)
        return abs(amount - own) <= self._unit

    def rounding_in(self, rate: Rate) -> Decimal:
        """Return how much it may be rounded up, in a row's currency."""
        return self._unit / self.parity_of(rate) if self.line.amount > 0 else _NOTHING

    @property
    def _unit(self) -> Decimal:
        return Decimal(1) if self.line.currency in WHOLE_CURRENCIES else _CENT

    @property
    def names(self) -> tuple[str, str, str]:
        """Its report, operation and description, the latter two plain."""
        operation, description = self.operation_id or "", self.line.description or ""
        return self.report, plain(operation), plain(description)

    def of_each(self) -> list[FeeLine]:
        """Return it as if it were of each operation by itself."""
        return [self._replace(operation_id=operation_id) for operation_id in self.operations]

    def has(self, currency: str) -> bool:
        """Return whether what is in a currency can be held against it."""
        if currency == (self.line.currency or ""):
            return True
        return any(not exchange.missing for exchange in self.exchanges.get(currency, ()))

    def missing_of(self, rates: Iterable[Rate]) -> MissingRate | None:
        """Return the exchange rate without which a row cannot be held against it that names it."""
        for rate in rates:
            period = self.line.period
            if rate.term not in (FEE, PACKAGE) or not (period and rate.overlaps(period)):
                continue
            if _names(rate, *self.names):
                for exchange in self.exchanges.get(rate.currency, ()):
                    return next(iter(exchange.missing), None)
        return None

    def parity_of(self, rate: Rate) -> Decimal:
        """Return what one of a row's currency is in the line's: of several that it may be the one
        by which the line is nearest to the row."""
        if rate.currency == self.line.currency:
            return Decimal(1)
        parities = [exchange.rates[rate.currency] for exchange in self.exchanges[rate.currency]]
        amount = abs(self.line.amount)
        return min(parities, key=lambda parity: abs(amount - rate.unit_price * parity))

    def is_guessed(self, rate: Rate) -> bool:
        """Return whether nobody states the exchange rate, or with few decimals only."""
        exchanges = self.exchanges.get(rate.currency, ())
        return any(exchange.is_guessed or exchange.spread > _ROUNDED for exchange in exchanges)

    def amount_in(self, rate: Rate) -> Decimal:
        """Return what it bills, in a row's currency."""
        return self.line.amount / self.parity_of(rate)

    def own(self, share: Decimal, rate: Rate) -> Decimal:
        """Return a part of it that is in a row's currency in its own, where only rounding lies
        between the whole of it."""
        parity = self.parity_of(rate)
        if rate.currency == self.line.currency:
            return share
        amount, own = self.line.amount, cents(share * parity)
        return amount if abs(amount - own) <= max(self._unit, parity * _CENT) / 2 else own


class AgreedFee(NamedTuple):
    """How much of a line's amount a row of the rate card supports: less than none of a note that
    takes back what was agreed, and nothing of one that takes back what was too much. `given_back`
    is how much of what was too much notes take back: of a note it is less than none. `worth` is
    what the contract has for all lines that pay the same. `perhaps` is what is too much, and may be
    the same fee again: `times` of it by the line's own quantity or text."""

    amount: Decimal
    rate: Rate
    is_guessed: bool = False  # by an exchange rate that no document states
    parity: Decimal = Decimal(1)  # of the row's currency, in the line's
    given_back: Decimal = _NOTHING
    worth: Decimal = _NOTHING
    perhaps: Decimal = _NOTHING
    times: int = 1


class _Due(NamedTuple):
    """What a line pays for: a month, a year or a package of a supplier's and an operation's, on
    which days, and a row that says what it may cost."""

    name: tuple[str, ...]
    days: Period
    rate: Rate


def agreed_fees(rates: Sequence[Rate], fees: Iterable[FeeLine]) -> dict[LineId, AgreedFee]:
    """Return what is agreed of each line that a row of the rate card names; the others are not in
    it: no row says what they may cost. All lines of all months are needed, since what was paid is
    not owed again."""
    rows = _FeeRows(rates)
    lines_of: defaultdict[tuple[_Due, ...], list[FeeLine]] = defaultdict(list)
    for fee in fees:
        if dues := _dues(rows, fee):
            lines_of[dues].append(fee)
    paid: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    agreed: dict[LineId, AgreedFee] = {}
    # What was billed for a longer time is looked at last: its months may be paid already.
    for dues, lines in sorted(lines_of.items(), key=lambda item: (len(item[0]), item[0][0].days)):
        rate = dues[0].rate
        amounts = [fee.amount_in(rate) for fee in lines]
        billed = sum((amount for amount in amounts if amount > 0), _NOTHING)
        worths = [_worth(rows, due, billed / len(dues)) for due in dues]
        owed = [worth - paid[due.name] for worth, due in zip(worths, dues, strict=True)]
        left = max(sum(owed, _NOTHING), _NOTHING)
        if left and left < billed <= left + sum((fee.rounding_in(rate) for fee in lines), _NOTHING):
            left = billed  # twelfths of a year's fee, each rounded up
        shares = _share_out(lines, left, rate)
        given_back = _give_back(lines, shares, rate)
        for fee in lines:
            parity = fee.parity_of(rate)
            own = AgreedFee(
                fee.own(shares[fee.line.id], rate),
                rate,
                fee.is_guessed(rate),
                parity,
                cents(given_back[fee.line.id] * parity),
                cents(sum(worths, _NOTHING) * parity),
            )
            agreed[fee.line.id] = _with_multiples(own, fee)
        for due in dues:
            paid[due.name] += sum(shares.values(), _NOTHING) / len(dues)
    return agreed


def _with_multiples(own: AgreedFee, fee: FeeLine) -> AgreedFee:
    """Return what is agreed of a line, with what more its own words explain: nobody is blamed for
    two months or two operations on one line, at the price of one each."""
    too_much = fee.line.amount - own.amount - own.given_back
    if too_much <= 0:
        return own
    price = own.rate.unit_price * own.parity
    counts = [count for count in fee.counts if fee.line.amount / count * 2 >= price]
    if not counts:
        return own
    perhaps = min(max(cents(max(counts) * price) - own.amount, _NOTHING), too_much)
    return own._replace(perhaps=perhaps, times=max(counts)) if perhaps else own


def _share_out(lines: Iterable[FeeLine], left: Decimal, rate: Rate) -> dict[LineId, Decimal]:
    """Return how much of each line is agreed where so much is owed for all of them, in the currency
    of the row. What a note takes back is first what was too much."""
    agreed: dict[LineId, Decimal] = {}
    too_much = _NOTHING
    for fee in sorted(lines, key=_by_issue):
        amount = fee.amount_in(rate)
        if amount > 0:
            agreed[fee.line.id] = min(amount, left)
            left -= agreed[fee.line.id]
        else:
            agreed[fee.line.id] = min(amount + too_much, _NOTHING)
        too_much += amount - agreed[fee.line.id]
    return agreed


def _give_back(
    lines: Sequence[FeeLine], agreed: Mapping[LineId, Decimal], rate: Rate
) -> dict[LineId, Decimal]:
    """Return how much of what was too much in each line notes take back, and as much less than none
    of each note: first of the document that it corrects."""
    given_back = {fee.line.id: _NOTHING for fee in lines}
    notes = [fee for fee in lines if fee.line.amount <= 0]
    if not notes:
        return given_back
    too_much = {fee.line.id: fee.amount_in(rate) - agreed[fee.line.id] for fee in lines}
    # The last one comes first: it is the one that nothing was left for.
    bills = sorted((fee for fee in lines if fee.line.amount > 0), key=_by_issue, reverse=True)
    for note in sorted(notes, key=_by_issue):
        corrected = bare_number(note.line.corrects_number or "")
        for fee in sorted(bills, key=lambda bill: not _has_number(bill.line, corrected)):
            left = given_back[note.line.id] - too_much[note.line.id]
            part = min(left, too_much[fee.line.id] - given_back[fee.line.id])
            given_back[fee.line.id] += part
            given_back[note.line.id] -= part
    return given_back


def _has_number(line: BilledLine, number: str) -> bool:
    return number != "" and bare_number(line.document_number or "") == number


def _by_issue(fee: FeeLine) -> tuple[bool, date, str, LineId]:
    line = fee.line
    return line.amount < 0, line.issued or date.max, line.document_number or "", fee.line.id


def _dues(rows: _FeeRows, fee: FeeLine) -> tuple[_Due, ...]:
    """Return what a line pays for, () where no row of the rate card names it."""
    period = fee.line.period
    if not period:
        return ()
    return tuple(
        due for own in _payers(rows, fee) if (rate := rows.naming(own))
        for due in _dues_of(own, rate, period)
    )  # fmt: skip


def _payers(rows: _FeeRows, fee: FeeLine) -> list[FeeLine]:
    """Return a line as it is, or as of each operation: of one that names none, or all of them,
    where the contract has a fee for each, and it comes to their sum, or no other row names it."""
    if fee.operation_id not in (None, "", ALL_OPERATIONS) or len(fee.operations) < 2:
        return [fee]
    rated = [(own, rate) for own in fee.of_each() if (rate := rows.naming(own))]
    rates = [rate for _, rate in rated]
    if len({rate.currency for rate in rates}) != 1:
        return [fee]
    is_said = fee.operation_id == ALL_OPERATIONS or len(rated) in fee.counts
    price = sum((rate.unit_price for rate in rates), _NOTHING)
    is_of_each = is_said and fee.comes_to(price, rates[0])
    return [own for own, _ in rated] if is_of_each or not rows.naming(fee) else [fee]


def _dues_of(fee: FeeLine, rate: Rate, period: Period) -> tuple[_Due, ...]:
    whose = str(fee.line.supplier_id), fee.operation_id or "", *rate.subject
    if rate.term == PACKAGE:
        return (_Due((*whose, str(rate.line)), rate.days, rate),)
    if rate.every == MONTH:
        starts = _months_from(period)
        named = periods_in(fee.line.description or "")
        if len(named) == 1 and named[0] != period and named[0].holds(period):
            more = _months_from(named[0])
            if fee.comes_to(rate.unit_price * len(more), rate):
                starts = more
        return tuple(
            _Due((*whose, format_month(start)), Period(start, _later(start, 1)), rate)
            for start in starts
        )
    if rate.every == YEAR:
        years = 0
        day = min(period.start, rate.valid_to - DAY)
        while (end := _later(rate.valid_from, 12 * (years + 1))) <= day:
            years += 1
        start = _later(rate.valid_from, 12 * years)
        return (_Due((*whose, f"{start}"), Period(start, end), rate),)
    return (_Due((*whose, "once"), rate.days, rate),)


def _months_from(period: Period) -> list[date]:
    """Return the first days of the months that begin with a period."""
    starts = [period.start]
    while (following := _later(period.start, len(starts))) < period.end:
        starts.append(following)
    return starts


class _FeeRows:
    """The rows that say what fees and packages may cost."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rates = sorted((rate for rate in rates if rate.term in (FEE, PACKAGE)), key=_rank)
        self._of_subject: defaultdict[tuple[str, ...], list[Rate]] = defaultdict(list)
        for rate in self._rates:
            self._of_subject[rate.subject].append(rate)
        self._known: dict[tuple[object, ...], list[Rate]] = {}  # fees come again each month

    def naming(self, fee: FeeLine) -> Rate | None:
        """Return the row that says what a line may cost: a fee before a package, one with a pattern
        before one without, one in its currency, then the most exact, then the first of the file."""
        line = fee.line
        currencies = frozenset(filter(fee.has, {line.currency or "", *fee.exchanges}))
        texts = fee.names
        if (line.currency, currencies, texts) not in self._known:
            naming = [rate for rate in self._rates
                      if rate.currency in currencies and _names(rate, *texts)]  # fmt: skip
            self._known[line.currency, currencies, texts] = sorted(
                naming,
                key=lambda rate: (
                    rate.term != FEE,
                    not rate.pattern,
                    rate.currency != line.currency,
                ),
            )
        period = line.period
        if not period:
            return None
        rows = self._known[line.currency, currencies, texts]
        holding = (rate for rate in rows if rate.overlaps(period))
        return next(holding, None) or next((rate for rate in rows if _is_due(rate, period)), None)

    def alike(self, rate: Rate) -> list[Rate]:
        """Return the rows of the same subject, which hold one after another."""
        return self._of_subject[rate.subject]


def _is_due(rate: Rate, period: Period) -> bool:
    """Whether a fee of a year that is over may be billed in a period: in the month after it."""
    return rate.every == YEAR and rate.valid_to <= period.start < rate.valid_to + _IN_ARREARS


def _rank(rate: Rate) -> tuple[object, ...]:
    exactness = (not says for says in rate.exactness)
    return rate.term != FEE, not rate.pattern, *exactness, rate.line


def _names(rate: Rate, report: str, operation: str, description: str) -> bool:
    """Whether a row is about lines that say this, in whatever currency; operation and description
    are plain."""
    return (
        ("" in (rate.report, report) or rate.report == report)
        and plain(rate.operation_id) in ("", operation)
        and (not rate.pattern or compile_glob(rate.pattern)(description))
    )


def _worth(rows: _FeeRows, due: _Due, billed: Decimal) -> Decimal:
    """Return what may be billed for a month, a year or a package. Where the price holds for a part
    of a month, or changes in it, the contract may mean each price for all of it, or by days: the
    reading that is nearest to what was billed."""
    if due.rate.every != MONTH:
        return due.rate.unit_price
    holding = [rate for rate in rows.alike(due.rate) if rate.overlaps(due.days)]
    readings = [cents(by_days(holding, due.days)), *(rate.unit_price for rate in holding)]
    return min(readings, key=lambda amount: (abs(amount - billed), amount))


def _later(day: date, months: int) -> date:
    """Return the same day some months later, or the last one of that month."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    last = (date(first.year + first.month // 12, first.month % 12 + 1, 1) - first).days
    return first.replace(day=min(day.day, last))
