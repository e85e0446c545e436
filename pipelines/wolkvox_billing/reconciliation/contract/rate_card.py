"""The rate card: what a unit of a report costs by contract, in graduated tiers, from day to day."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from wolkvox_billing.invoices.sheets.cells import find_decimal_marks, numbers_of
from wolkvox_billing.reconciliation.contract.csv_file import CsvRow, read_rows
from wolkvox_billing.reconciliation.contract.names import unknown_names
from wolkvox_billing.reconciliation.facts import Meter, MonthUse
from wolkvox_billing.values.dates import MonthFirst, read_entered_day
from wolkvox_billing.values.periods import DAY, Period
from wolkvox_billing.values.spelling import plain

COLUMNS = (
    "report",
    "operation_id",
    "product",
    "from_quantity",
    "unit_price",
    "currency",
    "valid_from",
    "valid_to",
)
# How each call is rounded up before the contract counts it, such as `minute` or `6_seconds`.
OPTIONAL = ("rounding",)
CENT = Decimal("0.01")
FOREVER = date.max
_EARLIEST = 1900  # a year before it is a slip
_SOMETIME = 2099  # and one from it on means for ever


class _Limit(NamedTuple):
    """What a column of the table rate_card holds."""

    decimals: int
    too_large: int


# DECIMAL(18, 8) holds a digit more, since an average of prices rounded to cents may be larger than
# any of them.
_LIMITS = {"from_quantity": _Limit(4, 10**14), "unit_price": _Limit(8, 10**9)}


@dataclass(frozen=True)
class Rate:
    """A tier: each unit beyond `from_quantity` costs `unit_price`, from `valid_from` to before
    `valid_to`. A blank operation or product means all. `rounding`: to what each call is rounded up
    before it is billed, such as `minute` or `6_seconds`."""

    line: int
    report: str
    operation_id: str
    product: str
    from_quantity: Decimal
    unit_price: Decimal
    currency: str
    valid_from: date
    valid_to: date
    rounding: str = ""

    @property
    def exactness(self) -> tuple[bool, bool]:
        """The larger, the more it names: a product says more than an operation."""
        return bool(self.product), bool(self.operation_id)

    @property
    def subject(self) -> tuple[str, ...]:
        """What it is the price of, and in which currency."""
        return self.report, plain(self.operation_id), plain(self.product), self.currency


@dataclass(frozen=True)
class Tariff:
    """The tiers that hold in one stretch of days, by `from_quantity`."""

    start: date
    end: date
    tiers: tuple[Rate, ...]

    def cost(self, quantity: Decimal) -> Decimal:
        """Return what so many units cost, unrounded; of less than none, the same with a minus."""
        if quantity < 0:
            return -self.cost(-quantity)
        total = Decimal()
        ends = [tier.from_quantity for tier in self.tiers[1:]] + [quantity]
        for tier, end in zip(self.tiers, ends, strict=True):
            total += max(min(quantity, end) - tier.from_quantity, Decimal()) * tier.unit_price
        return total


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def read_rate_card(file: Path, reports: Iterable[str]) -> list[Rate]:
    """Return the rates of a rate card, in the file's order.

    Raises SettingsError with line and column for what cannot be meant: an unknown report, no number
    or one that reads in two ways, no date, periods that overlap, a first tier that is not 0.
    """
    known = {plain(report): report for report in reports}
    rows = {row.line: row for row in read_rows(file, COLUMNS, OPTIONAL)}
    marks = {column: _decimal_mark(list(rows.values()), column) for column in _LIMITS}
    rates = [_rate(row, known, marks) for row in rows.values()]
    series: defaultdict[tuple[str, ...], list[Rate]] = defaultdict(list)
    for rate in rates:
        series[rate.subject].append(rate)
    for alike in series.values():
        _check(alike, rows)
    return rates


def warn_of_card(
    rates: Sequence[Rate], file: str, operations: Collection[str], months: Sequence[MonthUse]
) -> list[str]:
    """Return a warning for each row that seems to end a day early (at a month's last day, or a day
    before the next price begins), or that names an operation or product that nobody has."""
    warnings: list[str] = []
    begins = {(*rate.subject, rate.valid_from) for rate in rates}
    for rate in rates:
        if rate.valid_to.year >= _SOMETIME:
            continue
        next_day = rate.valid_to + DAY
        if next_day.day == 1 or (*rate.subject, next_day) in begins:
            warnings.append(
                f"{file}, line {rate.line}, column valid_to: {rate.valid_to} is the first day on "
                f"which the price no longer holds; if it is the last one on which it does, write "
                f"{next_day}"
            )
    return warnings + unknown_names(rates, file, operations, months)


def _rate(row: CsvRow, known: Mapping[str, str], marks: Mapping[str, str | None]) -> Rate:
    cells = row.cells
    report = known.get(plain(cells["report"]))
    if not report:
        raise row.wrong("report", f"{cells['report']!r} is no report that wolkvox has")
    currency = cells["currency"].upper()
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise row.wrong("currency", f"{currency!r}: expected a code such as COP")
    start = _date(row, "valid_from")
    end = _date(row, "valid_to") if cells["valid_to"] else FOREVER
    if end <= start:
        raise row.wrong("valid_to", f"{end} is not after valid_from, {start}")
    return Rate(
        line=row.line,
        report=report,
        operation_id=cells["operation_id"],
        product=cells["product"],
        from_quantity=_number(row, "from_quantity", marks, "0"),
        unit_price=_number(row, "unit_price", marks),
        currency=currency,
        valid_from=start,
        valid_to=end,
        rounding=_rounding(row),
    )


def _rounding(row: CsvRow) -> str:
    text = plain(row.cells.get("rounding", ""))
    if text and not re.fullmatch(r"minute|second|\d+_?(?:s|seconds)", text):
        raise row.wrong("rounding", f"{text!r}: expected minute, or 6_seconds and the like")
    return text


def _check(rates: Sequence[Rate], rows: Mapping[int, CsvRow]) -> None:
    """Raise SettingsError unless tiers of one stretch have the same days, stretches do not overlap,
    and the first tier is 0. The rates name the same operation, report, product and currency."""
    stretches: defaultdict[Period, list[Rate]] = defaultdict(list)
    for rate in rates:
        stretches[Period(rate.valid_from, rate.valid_to)].append(rate)
    before: Period | None = None
    for days, tiers in sorted(stretches.items()):
        first = min(tiers, key=lambda tier: tier.from_quantity)
        if before and days.start < before.end:
            raise rows[first.line].wrong(
                "valid_from", f"{days.start} lies before {before.end}, when the rate before it ends"
            )
        if first.from_quantity:
            raise rows[first.line].wrong(
                "from_quantity", f"{first.from_quantity}: the first tier of these days begins at 0"
            )
        quantities = [tier.from_quantity for tier in tiers]
        for tier in tiers:
            if quantities.count(tier.from_quantity) > 1:
                raise rows[tier.line].wrong("from_quantity", f"{tier.from_quantity} is there twice")
        before = days


def tariffs(
    rates: Sequence[Rate], meter: Meter, currency: str | None, period: Period
) -> list[Tariff]:
    """Return what holds in a period, in stretches; [] where no price is known for all of its days.
    A row that names the operation and product is more exact than one that does not."""
    fitting = [
        rate
        for rate in rates
        if rate.report == meter.report
        and rate.currency == currency
        and plain(rate.operation_id) in ("", plain(meter.operation_id))
        and plain(rate.product) in ("", plain(meter.product))
        and period.overlaps(Period(rate.valid_from, rate.valid_to))
    ]
    edges = {day for rate in fitting for day in (rate.valid_from, rate.valid_to)}
    marks = [period.start, *sorted(day for day in edges if period.start < day < period.end)]
    stretches: list[Tariff] = []
    for start, end in pairwise([*marks, period.end]):
        valid = [rate for rate in fitting if rate.valid_from <= start and end <= rate.valid_to]
        if not valid:
            return []
        exactness = max(rate.exactness for rate in valid)
        exact = [rate for rate in valid if rate.exactness == exactness]
        tiers = tuple(sorted(exact, key=lambda rate: rate.from_quantity))
        if stretches and stretches[-1].tiers == tiers:
            start = stretches.pop().start
        stretches.append(Tariff(start, end, tiers))
    return stretches


def cost(stretches: Sequence[Tariff], quantity: Decimal, shares: Sequence[Decimal]) -> Decimal:
    """Return what a quantity costs, rounded half up to cents. Over several stretches it is spread
    by `shares` (what was measured in each), and the tiers go on from one to the next."""
    total, so_far, whole = Decimal(), Decimal(), sum(shares)
    for n, (stretch, share) in enumerate(zip(stretches, shares, strict=True)):
        is_last = n == len(stretches) - 1
        until = quantity if is_last else so_far + quantity * share / whole
        total += stretch.cost(until) - stretch.cost(so_far)
        so_far = until
    return cents(total)


def _decimal_mark(rows: Sequence[CsvRow], column: str) -> str | None:
    """Return which of `.` and `,` is before decimals in a column; None where none of its numbers
    tells. Raises SettingsError where two of them tell different marks."""
    telling, _ = find_decimal_marks((row, row.cells[column]) for row in rows)
    if len(telling) == 2:
        first, second = sorted(telling.values(), key=lambda row: row.line)
        raise second.wrong(
            column,
            f"{second.cells[column]!r}: expected decimals behind the same mark as in line "
            f"{first.line}, {first.cells[column]!r}: write both alike",
        )
    return next(iter(telling), None)


def _number(
    row: CsvRow, column: str, marks: Mapping[str, str | None], default: str = ""
) -> Decimal:
    text = row.cells[column] or default
    mark, limit = marks[column], _LIMITS[column]
    # A dash is a zero in an invoice; here it may as well mean that nobody knows.
    numbers = numbers_of(text) if any(c.isdigit() for c in text) else {}
    currency = row.cells["currency"].upper()
    if any(word not in (currency, currency[:2]) for word in re.findall("[A-Z]+", text.upper())):
        numbers = {}
    if not mark and len(set(numbers.values())) == 2:
        whole, fraction = max(numbers.values()), min(numbers.values()).normalize()
        small = f"{fraction:f}" if fraction == fraction.to_integral() else f"{fraction:f}0"
        raise row.wrong(
            column,
            f"{text!r}: expected a number that reads in one way: write {whole:f} if its mark is "
            f"between thousands, {small} if it is before decimals",
        )
    number = numbers.get(mark or ".")
    if number is None or number < 0:
        raise row.wrong(
            column, f"{text!r}: expected a number such as 1234.56 or 1.234,56, not negative"
        )
    if number >= limit.too_large:
        raise row.wrong(column, f"{text!r}: expected less than {limit.too_large:,}")
    if -int(number.normalize().as_tuple().exponent) > limit.decimals:
        raise row.wrong(column, f"{text!r}: expected at most {limit.decimals} decimals: round it")
    return number


def _date(row: CsvRow, column: str) -> date:
    text = row.cells[column]
    try:
        day = read_entered_day(text)
    except MonthFirst:
        raise row.wrong(
            column,
            f"{text!r}: expected day/month/year, and here the month comes first, so that no date "
            "of this file can be believed: write them as 2026-10-31",
        ) from None
    except ValueError:
        day = None
    if not day or day.year < _EARLIEST:
        raise row.wrong(column, f"{text!r}: expected a day such as 2026-10-31 or 31/10/2026")
    return day
