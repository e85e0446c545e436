"""Rates between currencies by the day, as a finance person writes them down: the file
`exchange_rates.csv`.

A rate holds from its day on until the next one of the file, for a week at the most: the TRM that is
certified for a Friday holds on Saturday, Sunday and a Monday that is a holiday.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from wolkvox_billing.reconciliation.contract.card_cells import (
    Limit,
    find_decimal_mark,
    read_day,
    read_number,
)
from wolkvox_billing.reconciliation.contract.csv_file import CsvRow, read_rows
from wolkvox_billing.values.currencies import is_currency_code, is_upside_down
from wolkvox_billing.values.translation import N_

COLUMNS = ("date", "currency", "in_currency", "rate")
HOLDS_FOR = 7  # days
_RATE = Limit(18, 10**9)


@dataclass(frozen=True)
class ExchangeRate:
    """On a day one `currency` is `rate` `in_currency`."""

    line: int
    day: date
    currency: str
    in_currency: str
    rate: Decimal


def read_exchange_rates(file: Path) -> list[ExchangeRate]:
    """Return the rates of a file, in its order; none where there is no such file.

    Raises SettingsError with line and column for what cannot be meant: no date, no code of a
    currency, a rate that is none or is the other way round, two rates of one day.
    """
    if not file.exists():
        return []
    rows = read_rows(file, COLUMNS)
    mark = find_decimal_mark(rows, "rate")
    rates = [_rate(row, mark) for row in rows]
    places: dict[tuple[date, str, str], int] = {}
    for row, rate in zip(rows, rates, strict=True):
        place = rate.day, rate.currency, rate.in_currency
        if place in places:
            raise row.wrong(
                "rate",
                N_(
                    "{currency} in {in_currency} on {day} is in line {place} already: "
                    "expected one rate of a day"
                ),
                currency=rate.currency,
                in_currency=rate.in_currency,
                day=rate.day,
                place=places[place],
            )
        places[place] = rate.line
    return rates


def _rate(row: CsvRow, mark: str | None) -> ExchangeRate:
    codes = {name: row.cells[name].upper() for name in ("currency", "in_currency")}
    for name, code in codes.items():
        if not is_currency_code(code):
            raise row.wrong(
                name, N_("{name}: expected a code such as COP"), name=repr(row.cells[name])
            )
    currency, in_currency = codes.values()
    if currency == in_currency:
        raise row.wrong(
            "in_currency",
            N_("{in_currency}: expected another currency than `currency`"),
            in_currency=in_currency,
        )
    rate = read_number(row, "rate", mark, _RATE)
    if not rate:
        raise row.wrong("rate", N_("0: expected what one of `currency` is in `in_currency`"))
    if is_upside_down(currency, in_currency, rate):
        raise row.wrong(
            "rate",
            N_(
                "{rate}: expected what one {currency} is in {in_currency}; that is what one "
                "{in_currency} is in {currency}: write {in_currency} under `currency`"
            ),
            rate=f"{rate:f}",
            currency=currency,
            in_currency=in_currency,
        )
    return ExchangeRate(row.line, read_day(row, "date"), currency, in_currency, rate)


class Quote(NamedTuple):
    """What one of a currency is in another; and by how large a part of it that may be rounded: a
    peso of 0.00024 dollars may be anything from 0.000235 to 0.000245."""

    parity: Fraction
    spread: Fraction = Fraction()

    def inverted(self) -> Quote:
        return self._replace(parity=1 / self.parity)


def quote(rate: Decimal) -> Quote:
    """Return a rate as it is written; one of which digits stand before the point is exact."""
    parity = Fraction(rate)
    if rate >= 1:
        return Quote(parity)
    last = int(rate.normalize().as_tuple().exponent)
    return Quote(parity, Fraction(10) ** last / 2 / parity)


class RateTable:
    """The rates of a file, by their two currencies and their day."""

    def __init__(self, rates: Iterable[ExchangeRate]) -> None:
        self._rates: defaultdict[tuple[str, str], list[ExchangeRate]] = defaultdict(list)
        for rate in sorted(rates, key=lambda rate: rate.day):
            self._rates[rate.currency, rate.in_currency].append(rate)

    def rate_on(self, day: date, currency: str, in_currency: str) -> Quote | None:
        """Return what one `currency` is in the other on a day: the last rate at or before it, no
        older than a week. A rate the other way round is used inverted, where there is none this
        way. None where there is neither."""
        if rate := self._last(day, currency, in_currency):
            return quote(rate.rate)
        if rate := self._last(day, in_currency, currency):
            return quote(rate.rate).inverted()
        return None

    def _last(self, day: date, currency: str, in_currency: str) -> ExchangeRate | None:
        rates = self._rates.get((currency, in_currency), [])
        place = bisect_right(rates, day, key=lambda rate: rate.day)
        if not place or (day - rates[place - 1].day).days > HOLDS_FOR:
            return None
        return rates[place - 1]
