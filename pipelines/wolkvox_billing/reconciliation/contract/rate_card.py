"""The rate card: what a unit of a report costs by contract, in graduated tiers, from day to day."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path

from wolkvox_billing.invoices.sheets.cells import numbers_of
from wolkvox_billing.reconciliation.contract.csv_file import Row, read_rows
from wolkvox_billing.reconciliation.contract.names import unknown_names
from wolkvox_billing.reconciliation.facts import MonthUse
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
CENT = Decimal("0.01")
FOREVER = date.max
# As the table rate_card holds them: decimals, and what is too large. DECIMAL(18, 8) holds a digit
# more, since an average of prices rounded to cents may be larger than any of them.
_LIMITS = {"from_quantity": (4, 10**14), "unit_price": (8, 10**9)}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)  # ISO, saved again by Excel
_EARLIEST = 1900  # a year before it is a slip
_SOMETIME = 2099  # and one from it on means for ever


@dataclass(frozen=True)
class Rate:
    """A tier: each unit beyond `from_quantity` costs `unit_price`, from `valid_from` to before
    `valid_to`. A blank operation or product means all."""

    line: int
    report: str
    operation_id: str
    product: str
    from_quantity: Decimal
    unit_price: Decimal
    currency: str
    valid_from: date
    valid_to: date


@dataclass(frozen=True)
class Tariff:
    """The tiers that hold in one stretch of days, by `from_quantity`."""

    start: date
    end: date
    tiers: tuple[Rate, ...]

    def cost(self, quantity: Decimal) -> Decimal:
        """What so many units cost, unrounded; of less than none, the same with a minus."""
        if quantity < 0:
            return -self.cost(-quantity)
        total = Decimal()
        ends = [one.from_quantity for one in self.tiers[1:]] + [quantity]
        for tier, end in zip(self.tiers, ends, strict=True):
            total += max(min(quantity, end) - tier.from_quantity, Decimal()) * tier.unit_price
        return total


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def read_rate_card(file: Path, reports: Iterable[str]) -> list[Rate]:
    """The rates of a rate card. Raises SettingsError with line and column for what cannot be meant:
    an unknown report, no number or one that reads in two ways, no date, periods that overlap, a
    first tier that is not 0."""
    known = {plain(one): one for one in reports}
    rows = {row.line: row for row in read_rows(file, COLUMNS)}
    decimals = {column: _settled(list(rows.values()), column) for column in _LIMITS}
    rates = [_rate(row, known, decimals) for row in rows.values()]
    series: defaultdict[tuple[str, ...], list[Rate]] = defaultdict(list)
    for one in rates:
        key = one.report, plain(one.operation_id), plain(one.product), one.currency
        series[key].append(one)
    for of_one in series.values():
        _check(of_one, rows)
    return rates


def warnings_of(
    rates: Sequence[Rate], file: str, operations: Collection[str], months: Sequence[MonthUse]
) -> list[str]:
    """Rows that name what nobody has, and those that seem to end a day early."""
    said: list[str] = []
    for one in rates:
        if one.valid_to.year < _SOMETIME and (one.valid_to + timedelta(days=1)).day == 1:
            said.append(
                f"{file}, line {one.line}, column valid_to: {one.valid_to} is the first day on "
                f"which the price no longer holds; if it is the last one on which it does, write "
                f"{one.valid_to + timedelta(days=1)}"
            )
    return said + unknown_names(rates, file, operations, months)


def _rate(row: Row, known: Mapping[str, str], decimals: Mapping[str, str | None]) -> Rate:
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
        from_quantity=_number(row, "from_quantity", decimals, "0"),
        unit_price=_number(row, "unit_price", decimals),
        currency=currency,
        valid_from=start,
        valid_to=end,
    )


def _check(rates: Sequence[Rate], rows: dict[int, Row]) -> None:
    """Tiers of one stretch have the same days; stretches do not overlap; the first tier is 0."""
    stretches: defaultdict[tuple[date, date], list[Rate]] = defaultdict(list)
    for one in rates:
        stretches[one.valid_from, one.valid_to].append(one)
    before: tuple[date, date] | None = None
    for days, tiers in sorted(stretches.items()):
        first = min(tiers, key=lambda one: one.from_quantity)
        if before and days[0] < before[1]:
            raise rows[first.line].wrong(
                "valid_from", f"{days[0]} lies before {before[1]}, when the rate before it ends"
            )
        if first.from_quantity:
            raise rows[first.line].wrong(
                "from_quantity", f"{first.from_quantity}: the first tier of these days begins at 0"
            )
        quantities = [one.from_quantity for one in tiers]
        for one in tiers:
            if quantities.count(one.from_quantity) > 1:
                raise rows[one.line].wrong("from_quantity", f"{one.from_quantity} is there twice")
        before = days


def tariffs(
    rates: Sequence[Rate],
    report: str,
    operation_id: str,
    product: str | None,
    currency: str | None,
    start: date,
    end: date,
) -> list[Tariff]:
    """What holds from `start` to before `end`, in stretches; [] where no price is known for all of
    these days. A row that names the operation and product is more exact than one that does not."""
    fitting = [
        one
        for one in rates
        if one.report == report
        and one.currency == currency
        and plain(one.operation_id) in ("", plain(operation_id))
        and plain(one.product) in ("", plain(product or ""))
        and one.valid_from < end
        and start < one.valid_to
    ]
    found: list[Tariff] = []
    edges = {day for one in fitting for day in (one.valid_from, one.valid_to) if start < day < end}
    marks = sorted({start, end, *edges})
    for first, last in pairwise(marks):
        here = [one for one in fitting if one.valid_from <= first and last <= one.valid_to]
        if not here:
            return []
        exact = max((bool(one.product), bool(one.operation_id)) for one in here)
        tiers = [one for one in here if (bool(one.product), bool(one.operation_id)) == exact]
        tiers.sort(key=lambda one: one.from_quantity)
        if found and [t.line for t in found[-1].tiers] == [t.line for t in tiers]:
            found[-1] = Tariff(found[-1].start, last, tuple(tiers))
        else:
            found.append(Tariff(first, last, tuple(tiers)))
    return found


def cost(stretches: Sequence[Tariff], quantity: Decimal, shares: Sequence[Decimal]) -> Decimal:
    """What a quantity costs, rounded half up to cents. Over several stretches it is spread by
    `shares` (what was measured in each), and the tiers go on from one to the next."""
    total, so_far, whole = Decimal(), Decimal(), sum(shares)
    for n, (one, share) in enumerate(zip(stretches, shares, strict=True)):
        is_last = n == len(stretches) - 1
        until = quantity if is_last else so_far + quantity * share / whole
        total += one.cost(until) - one.cost(so_far)
        so_far = until
    return cents(total)


def _settled(rows: Sequence[Row], column: str) -> str | None:
    """Which of `.` and `,` is before decimals in a column; None where none of its numbers says."""
    says: dict[str, Row] = {}
    for row in rows:
        read = numbers_of(row.cells[column])
        if len(read) == 1:
            says.setdefault(next(iter(read)), row)
    if len(says) == 2:
        first, second = sorted(says.values(), key=lambda row: row.line)
        raise second.wrong(
            column,
            f"{second.cells[column]!r}: expected decimals behind the same mark as in line "
            f"{first.line}, {first.cells[column]!r}: write both alike",
        )
    return next(iter(says), None)


def _number(
    row: Row, column: str, decimals: Mapping[str, str | None], default: str = ""
) -> Decimal:
    text = row.cells[column] or default
    mark, (most_decimals, too_large) = decimals[column], _LIMITS[column]
    # A dash is a zero in an invoice; here it may as well mean that nobody knows.
    read = numbers_of(text) if any(c.isdigit() for c in text) else {}
    currency = row.cells["currency"].upper()
    if any(word not in (currency, currency[:2]) for word in re.findall("[A-Z]+", text.upper())):
        read = {}
    if not mark and len(set(read.values())) == 2:
        whole, fraction = max(read.values()), min(read.values()).normalize()
        small = f"{fraction:f}" if fraction == fraction.to_integral() else f"{fraction:f}0"
        raise row.wrong(
            column,
            f"{text!r}: expected a number that reads in one way: write {whole:f} if its mark is "
            f"between thousands, {small} if it is before decimals",
        )
    number = read.get(mark or ".")
    if number is None or number < 0:
        raise row.wrong(
            column, f"{text!r}: expected a number such as 1234.56 or 1.234,56, not negative"
        )
    if number >= too_large:
        raise row.wrong(column, f"{text!r}: expected less than {too_large:,}")
    if -int(number.normalize().as_tuple().exponent) > most_decimals:
        raise row.wrong(column, f"{text!r}: expected at most {most_decimals} decimals: round it")
    return number


def _date(row: Row, column: str) -> date:
    text = row.cells[column]
    iso, day_first = _ISO.fullmatch(text), _DAY_FIRST.fullmatch(text)
    parts = [int(one) for one in (iso.groups() if iso else ())]
    parts = [int(one) for one in reversed(day_first.groups())] if day_first else parts
    if day_first and parts[1] > 12 >= parts[2]:
        raise row.wrong(
            column,
            f"{text!r}: expected day/month/year, and here the month comes first, so that no date "
            "of this file can be believed: write them as 2026-10-31",
        )
    try:
        found = date(*parts)
    except (TypeError, ValueError):
        found = date.min
    if found.year < _EARLIEST:
        raise row.wrong(column, f"{text!r}: expected a day such as 2026-10-31 or 31/10/2026")
    return found
