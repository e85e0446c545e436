"""The rate card: what a unit of a report costs by contract, in graduated tiers, from day to day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

from wolkvox_billing.reconciliation.csv_file import Row, read_rows

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
    an unknown report, no number, no date, periods that overlap, a first tier that is not 0."""
    known = set(reports)
    rows = {row.line: row for row in read_rows(file, COLUMNS)}
    rates = [_rate(row, known) for row in rows.values()]
    series: defaultdict[tuple[str, ...], list[Rate]] = defaultdict(list)
    for one in rates:
        series[one.report, one.operation_id, one.product, one.currency].append(one)
    for of_one in series.values():
        _check(of_one, rows)
    return rates


def _rate(row: Row, known: set[str]) -> Rate:
    cells = row.cells
    if cells["report"] not in known:
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
        report=cells["report"],
        operation_id=cells["operation_id"],
        product=cells["product"],
        from_quantity=_number(row, "from_quantity", "0"),
        unit_price=_number(row, "unit_price"),
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
        and one.operation_id in ("", operation_id)
        and one.product in ("", product or "")
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


def _number(row: Row, column: str, default: str = "") -> Decimal:
    text = row.cells[column] or default
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0 or number.adjusted() > 13:
        raise row.wrong(column, f"{text!r}: expected a number such as 1234.56, not negative")
    return number


def _date(row: Row, column: str) -> date:
    try:
        return date.fromisoformat(row.cells[column])
    except ValueError:
        raise row.wrong(
            column, f"{row.cells[column]!r}: expected a day such as 2026-10-31"
        ) from None
