"""The cells of a rate card: numbers that read in one way, days, and words of a short list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.sheets.cells import find_decimal_marks, numbers_of
from wolkvox_billing.reconciliation.contract.csv_file import CsvRow
from wolkvox_billing.values.dates import MonthFirst, read_entered_day
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.translation import N_

_EARLIEST = 1900  # a year before it is a slip

Marks = Mapping[str, str | None]  # column → the mark before its decimals


class Limit(NamedTuple):
    """What a number of a column may be."""

    decimals: int
    too_large: int


def find_decimal_mark(rows: Sequence[CsvRow], column: str) -> str | None:
    """Return which of `.` and `,` is before decimals in a column; None where none of its numbers
    tells. Raises SettingsError where two of them tell different marks."""
    telling, _ = find_decimal_marks((row, row.cells.get(column, "")) for row in rows)
    if len(telling) == 2:
        first, second = sorted(telling.values(), key=lambda row: row.line)
        raise second.wrong(
            column,
            N_(
                "{column}: expected decimals behind the same mark as in line {line}, "
                "{other}: write both alike"
            ),
            column=repr(second.cells[column]),
            line=str(first.line),
            other=repr(first.cells[column]),
        )
    return next(iter(telling), None)


def read_number(row: CsvRow, column: str, mark: str | None, limit: Limit) -> Decimal:
    """Return the number of a cell. Raises SettingsError where it reads in two ways, or is beyond
    its limit."""
    text = row.cells[column]
    # A dash is a zero in an invoice; here it may as well mean that nobody knows.
    numbers = numbers_of(text) if any(c.isdigit() for c in text) else {}
    currency = row.cells.get("currency", "").upper()
    if any(word not in (currency, currency[:2]) for word in re.findall("[A-Z]+", text.upper())):
        numbers = {}
    if not mark and len(set(numbers.values())) == 2:
        whole, fraction = max(numbers.values()), min(numbers.values()).normalize()
        small = f"{fraction:f}" if fraction == fraction.to_integral() else f"{fraction:f}0"
        raise row.wrong(
            column,
            N_(
                "{text}: expected a number that reads in one way: write {whole} if its mark "
                "is between thousands, {small} if it is before decimals"
            ),
            whole=f"{whole:f}",
            small=small,
        )
    number = numbers.get(mark or ".")
    if number is None or number < 0:
        raise row.wrong(
            column, N_("{text}: expected a number such as 1234.56 or 1.234,56, not negative")
        )
    _check_limit(row, column, number, limit)
    return number


def _check_limit(row: CsvRow, column: str, number: Decimal, limit: Limit) -> None:
    """Raise SettingsError where a cell's number is beyond its limit."""
    if number >= limit.too_large:
        raise row.wrong(
            column, N_("{text}: expected less than {too_large}"), too_large=limit.too_large
        )
    if -int(number.normalize().as_tuple().exponent) > limit.decimals:
        raise row.wrong(
            column,
            N_("{text}: expected at most {decimals} decimals: round it"),
            decimals=limit.decimals,
        )


def read_day(row: CsvRow, column: str) -> date:
    """Return the day of a cell. Raises SettingsError where it is none that can be believed."""
    try:
        day = read_entered_day(row.cells[column])
    except MonthFirst:
        raise row.wrong(
            column,
            N_(
                "{text}: expected day/month/year, and here the month comes first, so that "
                "no date of this file can be believed: write them as 2026-10-31"
            ),
        ) from None
    except ValueError:
        day = None
    if not day or day.year < _EARLIEST:
        raise row.wrong(column, N_("{text}: expected a day such as 2026-10-31 or 31/10/2026"))
    return day


def read_word(row: CsvRow, column: str, words: Sequence[str]) -> str:
    """Return which of the words a cell has, '' where it is blank. Raises SettingsError."""
    word = plain(row.cells.get(column, "")).replace(" ", "_")
    if word and word not in words:
        raise row.wrong(column, N_("{text}: expected one of {words}"), words=", ".join(words))
    return word
