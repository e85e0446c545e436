"""The cells of a spreadsheet: numbers and dates out of what people type.

`6.660` may be six or six thousand. Nobody guesses: all numbers of a file together tell which of `.`
and `,` is before the decimals, or the person who knows says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from wolkvox_billing.invoices.document import Rejected, quoted
from wolkvox_billing.invoices.period import periods_in

SEPARATORS = (".", ",")
LONGEST = 5_000  # characters of a cell
MOST_LOOKED_AT = 200_000  # rows, blank ones too
MOST_COLUMNS = 100  # what stands further right is not looked at
Numbered = tuple[int, list[Any]]  # a row's number, and its values without the blanks at its end

_LONGEST_NUMBER = 60  # and date
_CURRENCY = re.compile(r"^(?:COP|USD|EUR|US)?\s*[$€]?\s*|\s*(?:COP|USD|EUR|[$€])$", re.I)
_BLANKS = re.compile(r"[\s\u00a0\u202f]+")
_DASHES = ("-", "\u2013", "\u2014")  # what accountants write for zero
_ISO = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[T ].*)?", re.ASCII)
# A year of two digits is one of this invoice's time, or `26-11-03` would be a day of 2003.
_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|[2-9]\d)(?:\s.*)?", re.ASCII)
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


class Unknown(NamedTuple):
    """What a cell has in place of a value; `what` is the end of a sentence."""

    what: str


class Cell(NamedTuple):
    """A value as the file has it, and where."""

    value: Any
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


def shown(value: Any) -> str:
    """A value as text: a number that is whole without decimals, as people see it."""
    if value is None or isinstance(value, Unknown):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def text_of(cell: Cell) -> str:
    """A cell as text. Raises Rejected with its place where it has no value, or is endless."""
    if isinstance(cell.value, Unknown):
        raise Rejected(f"{cell.place} is {cell.value.what}")
    text = shown(cell.value)
    if len(text) > LONGEST:
        raise Rejected(f"{cell.place} is longer than {LONGEST:,} characters: shorten it")
    return text


def month_in(cell: Cell) -> tuple[str, str | None]:
    """A cell of the column of months as text, a date as its month; and a warning where nobody can
    read a period in it."""
    value, text = cell.value, text_of(cell)
    if isinstance(value, date):  # Excel turns ago-26 into one
        return f"{value:%Y-%m}", None
    if match := _YEAR_MONTH.fullmatch(text):
        return f"{match[1]}-{match[2]}", None
    if not text or periods_in(text):
        return text, None
    if len(text) <= _LONGEST_NUMBER and periods_in(f"{text} 2000"):
        return text, f"{cell.place} is a month without a year: not taken"
    return text, f"{cell.place} is {quoted(text)}, which names no period: not taken"


def settle_decimal(cells: Iterable[Cell]) -> str | None:
    """Which of `.` and `,` is before decimals in all these cells; None where it does not matter.

    Raises Rejected with the place of a cell where both are possible, or of two that differ.
    """
    says: dict[str, Cell] = {}
    unclear: Cell | None = None
    for cell in cells:
        if not isinstance(cell.value, str):
            continue
        read = numbers_of(cell.value)
        if len(read) == 1:
            says.setdefault(next(iter(read)), cell)
        elif len(set(read.values())) == 2:
            unclear = unclear or cell
    if len(says) == 2:
        dot, comma = says["."], says[","]
        raise Rejected(
            f"{dot.place} is {quoted(dot.value)} and {comma.place} is {quoted(comma.value)}: one "
            "has decimals behind a dot, the other behind a comma"
        )
    if not says and unclear:
        raise Rejected(
            f"{unclear.place} is {quoted(unclear.value)}, which reads in two ways, and no other "
            "number of the file settles it: say --decimal . or --decimal ,"
        )
    return next(iter(says), None)


def numbers_of(text: str) -> dict[str, Decimal]:
    """What a text is as a number, by the mark that is taken to be before decimals: {} for none, and
    both marks with one number where it has neither."""
    return {one: found for one in SEPARATORS if (found := _read(text, one)) is not None}


def number_in(cell: Cell, decimal: str | None) -> Decimal | None:
    """The number in a cell, None in a blank one. Raises Rejected with its place."""
    value = cell.value
    if isinstance(value, Unknown):
        raise Rejected(f"{cell.place} is {value.what}")
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, Percent):
        raise Rejected(f"{cell.place} is a percentage, {value:.2%}: an amount was expected")
    found = None
    if isinstance(value, str):
        found = _read(value, decimal or ".")
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        exact = Decimal(repr(value) if isinstance(value, float) else value)
        # A spreadsheet computes in binary: 0.1 + 0.2 is 0.30000000000000004 in its file.
        found = round(exact, 9) if exact.is_finite() and exact.adjusted() < 18 else None
    if found is None:
        raise Rejected(f"{cell.place} is {quoted(str(value))}, which is no number")
    return found


def _read(text: str, decimal: str) -> Decimal | None:
    """A text as a number with this mark before decimals and the other between thousands."""
    if len(text) > _LONGEST_NUMBER:
        return None
    if text.isascii() and text.isdecimal():
        return Decimal(text) if len(text) <= 40 else None
    text = _BLANKS.sub(" ", text).strip().replace("\u2212", "-")
    negative = text.startswith("(") and text.endswith(")")
    text = text[1:-1].strip() if negative else text
    if _CURRENCY.sub("", text).strip() in _DASHES:
        return Decimal()
    sign = text[:1] if text[:1] in "+-" else ""
    text = _CURRENCY.sub("", text.removeprefix(sign).strip())
    if not sign and text[:1] in ("+", "-"):  # $ -100
        sign, text = text[:1], text[1:]
    elif not sign and text.endswith("-"):  # 100-
        sign, text = "-", text[:-1].strip()
    if negative and sign:  # (-100) is read in two ways
        return None
    if len(text) > 40 or not _NUMBER[decimal].fullmatch(text):
        return None
    text = text.replace(" ", "").replace("," if decimal == "." else ".", "")
    number = Decimal(text.replace(decimal, "."))
    return -number if negative or sign == "-" else number


def date_in(cell: Cell, epoch: datetime | None = None) -> date | None:
    """The date in a cell, None in a blank one: ISO, day/month/year, `3-nov-2026`, or a serial
    number of Excel's. Raises Rejected with its place."""
    value, text = cell.value, text_of(cell)
    if not text:
        return None
    found: Any = None
    try:
        if isinstance(value, str) and len(text) <= _LONGEST_NUMBER:
            found = _typed(text)
        if isinstance(value, date):
            found = value
        elif found is None and _SERIAL.fullmatch(text):
            from openpyxl.utils.datetime import WINDOWS_EPOCH, from_excel

            serial, epoch = float(text), epoch or WINDOWS_EPOCH
            found = from_excel(serial, epoch) if _SERIALS[0] <= serial < _SERIALS[1] else None
    except (ValueError, OverflowError):
        found = None
    found = found.date() if isinstance(found, datetime) else found
    if not isinstance(found, date) or not 2000 <= found.year < 2100:
        raise Rejected(
            f"{cell.place} is {quoted(text)}, which is no date: expected 2026-10-31 or 31/10/2026"
        )
    return found


def _typed(text: str) -> date | None:
    if match := _ISO.fullmatch(text):
        return date(int(match[1]), int(match[3]), int(match[4]))
    if match := _DAY_FIRST.fullmatch(text):
        return date(_year(match[4]), int(match[3]), int(match[1]))
    if match := _NAMED.fullmatch(text):
        months = periods_in(f"{match[2]} 2000")
        return date(_year(match[3]), months[0].start.month, int(match[1])) if months else None
    return None


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)


def check_day_first(cells: Iterable[Cell]) -> None:
    """Raises Rejected where a cell shows that the file writes the month first: then no date of it
    can be believed."""
    for cell in cells:
        text = cell.value.strip() if isinstance(cell.value, str) else ""
        match = _DAY_FIRST.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
        if match and int(match[3]) > 12 >= int(match[1]) >= 1:
            raise Rejected(
                f"{cell.place} is {quoted(text)}, with the month first: dates are read as "
                "day/month/year; write them as 2026-10-31"
            )
