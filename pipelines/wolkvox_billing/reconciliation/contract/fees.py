"""What lines that bill no use may cost by the contract: fees by the month, by the year or once, and
the price of packages.

    a line ─▶ the row whose pattern it fits ─▶ the month, year or package that it pays
    lines that pay the same share what is agreed for it: the one that was issued first comes first
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.reconciliation.contract.globs import compile_glob
from wolkvox_billing.reconciliation.contract.rate import FEE, MONTH, PACKAGE, YEAR, Rate
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.values.periods import DAY, Period
from wolkvox_billing.values.spelling import plain

_NOTHING = Decimal()
_IN_ARREARS = timedelta(days=31)  # after a year, for which it may still be billed


class FeeLine(NamedTuple):
    """A line of role `fee`, with the operation and report that the line map gives it."""

    line: BilledLine
    operation_id: str | None = None
    report: str = ""

    @property
    def name(self) -> LineName:
        return self.line.document_id, self.line.line_number


class AgreedFee(NamedTuple):
    """How much of a line's amount a row of the rate card supports: less than none of a note that
    takes back what was agreed, and nothing of one that takes back what was too much."""

    amount: Decimal
    rate: Rate


class _Due(NamedTuple):
    """What a line pays for: a month, a year or a package of a supplier's and an operation's, on
    which days, and a row that says what it may cost."""

    name: tuple[str, ...]
    days: Period
    rate: Rate


LineName = tuple[str, int]  # document_id, line_number


def agreed_fees(rates: Sequence[Rate], fees: Iterable[FeeLine]) -> dict[LineName, AgreedFee]:
    """Return what is agreed of each line that a row of the rate card names; the others are not in
    it: no row says what they may cost. All lines of all months are needed, since what was paid is
    not owed again."""
    rows = _FeeRows(rates)
    lines_of: defaultdict[tuple[_Due, ...], list[FeeLine]] = defaultdict(list)
    for fee in fees:
        if dues := _dues(rows, fee):
            lines_of[dues].append(fee)
    paid: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    agreed: dict[LineName, AgreedFee] = {}
    # What was billed for a longer time is looked at last: its months may be paid already.
    for dues, lines in sorted(lines_of.items(), key=lambda item: (len(item[0]), item[0][0].days)):
        billed = sum((fee.line.amount for fee in lines if fee.line.amount > 0), _NOTHING)
        owed = [_worth(rows, due, billed / len(dues)) - paid[due.name] for due in dues]
        shares = _share_out(lines, max(sum(owed, _NOTHING), _NOTHING))
        agreed |= {name: AgreedFee(amount, dues[0].rate) for name, amount in shares.items()}
        for due in dues:
            paid[due.name] += sum(shares.values(), _NOTHING) / len(dues)
    return agreed


def _share_out(lines: Iterable[FeeLine], left: Decimal) -> dict[LineName, Decimal]:
    """Return how much of each line is agreed where so much is owed for all of them. What a note
    takes back is first what was too much."""
    agreed: dict[LineName, Decimal] = {}
    too_much = _NOTHING
    for fee in sorted(lines, key=_by_issue):
        amount = fee.line.amount
        if amount > 0:
            agreed[fee.name] = min(amount, left)
            left -= agreed[fee.name]
        else:
            agreed[fee.name] = min(amount + too_much, _NOTHING)
        too_much += amount - agreed[fee.name]
    return agreed


def _by_issue(fee: FeeLine) -> tuple[bool, date, str, LineName]:
    line = fee.line
    return line.amount < 0, line.issued or date.max, line.document_number or "", fee.name


def _dues(rows: _FeeRows, fee: FeeLine) -> tuple[_Due, ...]:
    """Return what a line pays for, () where no row of the rate card names it."""
    period = fee.line.period
    rate = rows.naming(fee) if period else None
    if not rate or not period:
        return ()
    whose = str(fee.line.supplier_id), fee.operation_id or "", *rate.subject
    if rate.term == PACKAGE:
        return (_Due((*whose, str(rate.line)), rate.days, rate),)
    if rate.every == MONTH:
        starts = [period.start]
        while (following := _later(period.start, len(starts))) < period.end:
            starts.append(following)
        return tuple(
            _Due((*whose, f"{start:%Y-%m}"), Period(start, _later(start, 1)), rate)
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


class _FeeRows:
    """The rows that say what fees and packages may cost."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rates = sorted((rate for rate in rates if rate.term in (FEE, PACKAGE)), key=_rank)
        self._of_subject: defaultdict[tuple[str, ...], list[Rate]] = defaultdict(list)
        for rate in self._rates:
            self._of_subject[rate.subject].append(rate)
        self._known: dict[tuple[str | None, ...], list[Rate]] = {}  # fees come again each month

    def naming(self, fee: FeeLine) -> Rate | None:
        """Return the row that says what a line may cost: a fee before a package, one with a pattern
        before one without, then the most exact, then the first of the file."""
        line = fee.line
        texts = (line.currency, fee.report, plain(fee.operation_id or ""),
                 plain(line.description or ""))  # fmt: skip
        if texts not in self._known:
            self._known[texts] = [rate for rate in self._rates if _names(rate, *texts)]
        period = line.period
        if not period:
            return None
        rows = self._known[texts]
        holding = (rate for rate in rows if rate.days.overlaps(period))
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


def _names(rate: Rate, currency: str | None, report: str, operation: str, description: str) -> bool:
    """Whether a row is about lines that say this; operation and description are plain."""
    return (
        rate.currency == currency
        and ("" in (rate.report, report) or rate.report == report)
        and plain(rate.operation_id) in ("", operation)
        and (not rate.pattern or compile_glob(rate.pattern)(description) is not None)
    )


def _worth(rows: _FeeRows, due: _Due, billed: Decimal) -> Decimal:
    """Return what may be billed for a month, a year or a package. Where the price holds for a part
    of a month, or changes in it, the contract may mean each price for all of it, or by days: the
    reading that is nearest to what was billed."""
    if due.rate.every != MONTH:
        return due.rate.unit_price
    holding = [rate for rate in rows.alike(due.rate) if rate.days.overlaps(due.days)]
    days = (due.days.end - due.days.start).days
    by_days = _NOTHING
    for rate in holding:
        start, end = max(rate.valid_from, due.days.start), min(rate.valid_to, due.days.end)
        by_days += rate.unit_price * (end - start).days / days
    readings = [cents(by_days), *(rate.unit_price for rate in holding)]
    return min(readings, key=lambda amount: (abs(amount - billed), amount))


def _later(day: date, months: int) -> date:
    """Return the same day some months later, or the last one of that month."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    last = (date(first.year + first.month // 12, first.month % 12 + 1, 1) - first).days
    return first.replace(day=min(day.day, last))
