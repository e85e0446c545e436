"""The cells of a spreadsheet: numbers and dates out of what people type.

`6.660` may be six or six thousand. Nobody guesses: all numbers of a file together tell which of `.`
and `,` is before the decimals, or the person who knows says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar

from wolkvox_billing.invoices.document import Rejected, quoted
from wolkvox_billing.invoices.period import periods_in
from wolkvox_billing.values.dates import MonthFirst, read_typed_day, read_year

MARKS = (".", ",")  # one is before decimals, the other between thousands
LONGEST = 5_000  # characters of a cell
MOST_LOOKED_AT = 200_000  # rows, blank ones too
MOST_COLUMNS = 100  # what stands further right is not looked at

_LONGEST_NUMBER = 60  # and date
_CURRENCY = re.compile(r"^(?:COP|USD|EUR|US)?\s*[$€]?\s*|\s*(?:COP|USD|EUR|[$€])$", re.I)
_BLANKS = re.compile(r"[\s\u00a0\u202f]+")
_DASHES = ("-", "\u2013", "\u2014")  # what accountants write for zero
_NAMED = re.compile(
    r"(\d{1,2})[\s/.-]+(?:de\s+)?([^\W\d_]{3,10})\.?[\s/.-]+(?:del?\s+)?(\d{4}|[2-9]\d)"
)
_NUMBER = {  # by what is before decimals
    point: re.compile(
        rf"(?:\d+|[1-9]\d{{0,2}}(?:(?:\{group}\d{{3}})+|(?: \d{{3}})+))(?:\{point}\d+)?", re.ASCII
    )
    for point, group in ((".", ","), (",", "."))
}
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_SERIALS = (36526, 73050)  # 2000 to 2099
_YEAR_MONTH = re.compile(r"(20\d\d)(0[1-9]|1[0-2])", re.ASCII)


class Percent(float):
    """A number in a cell that is formatted as a percentage: 0.19 is shown as 19 %."""


class NoValue(NamedTuple):
    """What a cell has in place of a value; `reason` is the end of a sentence."""

    reason: str


CellValue = str | int | float | date | time | timedelta | NoValue | None


class NumberedRow(NamedTuple):
    """A row's number in its sheet, and its values without the blanks at its end."""

    number: int
    values: Sequence[CellValue]
    is_hidden: bool = False


class Span(NamedTuple):
    """Merged cells of a column: its position from 0, the numbers of their first and last row."""

    column: int
    first: int
    last: int


@dataclass
class Sheet:
    """A sheet: `name` stands in places where a file has several, `title` always.

    What is hidden and merged is known once the first row was read.
    """

    name: str
    rows: Iterator[NumberedRow]
    title: str = ""
    is_hidden: bool = False
    hidden_columns: list[range] = field(default_factory=list)  # positions from 0
    spans: list[Span] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Cell(NamedTuple):
    """A value as the file has it, and where."""

    value: CellValue
    column: int = 1
    row: int = 1
    heading: str = ""
    sheet: str = ""

    @property
    def place(self) -> str:
        """`F3 (Cantidad)`, or `Sheet2!F3 (Cantidad)`."""
        sheet = f"{self.sheet}!" if self.sheet else ""
        heading = f" ({self.heading})" if self.heading else ""
        from openpyxl.utils import get_column_letter  # slow to import, and polls come here too

        return f"{sheet}{get_column_letter(self.column)}{self.row}{heading}"


def as_text(value: CellValue) -> str:
    """Return a value as people see it: a number that is whole without decimals."""
    if value is None or isinstance(value, NoValue):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def text_in(cell: Cell) -> str:
    """Return a cell as text. Raises Rejected with its place where it has no value, or no end."""
    if isinstance(cell.value, NoValue):
        raise Rejected(f"{cell.place} is {cell.value.reason}")
    text = as_text(cell.value)
    if len(text) > LONGEST:
        raise Rejected(f"{cell.place} is longer than {LONGEST:,} characters: shorten it")
    return text


def month_in(cell: Cell, warnings: list[str]) -> str:
    """Return a cell of the column of months as text, a date as its month; a warning says where
    nobody can read a period in it."""
    value, text = cell.value, text_in(cell)
    if isinstance(value, date):  # Excel turns ago-26 into one
        return f"{value:%Y-%m}"
    if match := _YEAR_MONTH.fullmatch(text):
        return f"{match[1]}-{match[2]}"
    if text and not periods_in(text):
        fault = f"is {quoted(text)}, which names no period"
        if len(text) <= _LONGEST_NUMBER and periods_in(f"{text} 2000"):
            fault = "is a month without a year"
        warnings.append(f"{cell.place} {fault}: not taken")
    return text


_Place = TypeVar("_Place")


def find_decimal_marks(
    texts: Iterable[tuple[_Place, str]],
) -> tuple[dict[str, _Place], _Place | None]:
    """Return, by mark, the first place whose number can be read with this one before its decimals
    only; and the first place whose number is one with either mark, and not the same one."""
    places: dict[str, _Place] = {}
    ambiguous: _Place | None = None
    for place, text in texts:
        numbers = numbers_of(text)
        if len(numbers) == 1:
            places.setdefault(next(iter(numbers)), place)
        elif ambiguous is None and len(set(numbers.values())) == 2:
            ambiguous = place
    return places, ambiguous


def settle_decimal(cells: Iterable[Cell]) -> str | None:
    """Return which of `.` and `,` is before decimals in all these cells, or None where it does not
    matter.

    Raises Rejected with the place of a cell where both are possible, or of two that differ.
    """
    places, ambiguous = find_decimal_marks(
        (cell, cell.value) for cell in cells if isinstance(cell.value, str)
    )
    if len(places) == 2:
        dot, comma = places["."], places[","]
        raise Rejected(
            f"{dot.place} is {quoted(str(dot.value))} and {comma.place} is "
            f"{quoted(str(comma.value))}: one has decimals behind a dot, the other behind a comma"
        )
    if not places and ambiguous:
        raise Rejected(
            f"{ambiguous.place} is {quoted(str(ambiguous.value))}, which reads in two ways, "
            "and no other number of the file settles it: say --decimal . or --decimal ,"
        )
    return next(iter(places), None)


def numbers_of(text: str) -> dict[str, Decimal]:
    """Return what a text is as a number, by the mark that is taken to be before decimals: {} for no
    number, and both marks with one number where it has neither."""
    numbers = {mark: _parse_number(text, mark) for mark in MARKS}
    return {mark: number for mark, number in numbers.items() if number is not None}


def number_in(cell: Cell, decimal: str | None) -> Decimal | None:
    """Return the number in a cell, None in a blank one. Raises Rejected with its place."""
    value = cell.value
    if isinstance(value, NoValue):
        raise Rejected(f"{cell.place} is {value.reason}")
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, Percent):
        raise Rejected(f"{cell.place} is a percentage, {value:.2%}: an amount was expected")
    number = None
    if isinstance(value, str):
        number = _parse_number(value, decimal or ".")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        exact = Decimal(repr(value))
        # A spreadsheet computes in binary: 0.1 + 0.2 is 0.30000000000000004 in its file.
        number = round(exact, 9) if exact.is_finite() and exact.adjusted() < 18 else None
    if number is None:
        raise Rejected(f"{cell.place} is {quoted(str(value))}, which is no number")
    return number


def _parse_number(text: str, decimal: str) -> Decimal | None:
    """Return a text as a number with this mark before decimals and the other between thousands."""
    if len(text) > _LONGEST_NUMBER:
        return None
    if text.isascii() and text.isdecimal():
        return Decimal(text) if len(text) <= 40 else None
    text = _BLANKS.sub(" ", text).strip().replace("\u2212", "-")
    is_negative = text.startswith("(") and text.endswith(")")
    text = text[1:-1].strip() if is_negative else text
    if _CURRENCY.sub("", text).strip() in _DASHES:
        return Decimal()
    sign = text[:1] if text[:1] in "+-" else ""
    text = _CURRENCY.sub("", text.removeprefix(sign).strip())
    if not sign and text[:1] in ("+", "-"):  # $ -100
        sign, text = text[:1], text[1:]
    elif not sign and text.endswith("-"):  # 100-
        sign, text = "-", text[:-1].strip()
    if is_negative and sign:  # (-100) is read in two ways
        return None
    if len(text) > 40 or not _NUMBER[decimal].fullmatch(text):
        return None
    text = text.replace(" ", "").replace("," if decimal == "." else ".", "")
    number = Decimal(text.replace(decimal, "."))
    return -number if is_negative or sign == "-" else number


def date_in(cell: Cell, epoch: datetime | None = None) -> date | None:
    """Return the date in a cell, None in a blank one: ISO, day/month/year, `3-nov-2026`, or a
    serial number of Excel's. Raises Rejected with its place."""
    value, text = cell.value, text_in(cell)
    if not text:
        return None
    try:
        day = value if isinstance(value, date) else _parse_date(value, text, epoch)
    except (ValueError, OverflowError):
        day = None
    if day is None or not 2000 <= day.year < 2100:
        raise Rejected(
            f"{cell.place} is {quoted(text)}, which is no date: expected 2026-10-31 or 31/10/2026"
        )
    return day.date() if isinstance(day, datetime) else day


def _parse_date(value: CellValue, text: str, epoch: datetime | None) -> date | None:
    typed = isinstance(value, str) and len(text) <= _LONGEST_NUMBER
    if typed and (day := read_typed_day(text) or _parse_named_day(text)):
        return day
    if not _SERIAL.fullmatch(text) or not _SERIALS[0] <= float(text) < _SERIALS[1]:
        return None
    from openpyxl.utils.datetime import WINDOWS_EPOCH, from_excel

    day = from_excel(float(text), epoch or WINDOWS_EPOCH)
    return day if isinstance(day, date) else None


def _parse_named_day(text: str) -> date | None:
    match = _NAMED.fullmatch(text)
    months = periods_in(f"{match[2]} 2000") if match else ()
    if not match or not months:
        return None
    return date(read_year(match[3]), months[0].start.month, int(match[1]))


def check_day_first(cells: Iterable[Cell]) -> None:
    """Raise Rejected where a cell shows that the file writes the month first: then no date of it
    can be believed."""
    for cell in cells:
        text = cell.value.strip() if isinstance(cell.value, str) else ""
        try:
            if len(text) <= _LONGEST_NUMBER:
                read_typed_day(text)
        except MonthFirst:
            raise Rejected(
                f"{cell.place} is {quoted(text)}, with the month first: dates are read as "
                "day/month/year; write them as 2026-10-31"
            ) from None
        except ValueError:  # whoever reads the cell complains of it
            continue
