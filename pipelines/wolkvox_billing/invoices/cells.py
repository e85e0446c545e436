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

from openpyxl.utils.datetime import WINDOWS_EPOCH, from_excel

from wolkvox_billing.invoices.document import Rejected, short

SEPARATORS = (".", ",")
_CURRENCY = re.compile(r"^(?:COP|USD|EUR|US)?\s*[$€]?\s*|\s*(?:COP|USD|EUR|[$€])$", re.I)
_BLANKS = re.compile(r"[\s\u00a0\u202f]+")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:\s.*)?", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_SERIALS = (36526, 73050)  # 2000 to 2099


class Cell(NamedTuple):
    """A value as the file has it, and where: `F3 (Cantidad)`."""

    value: Any
    place: str


def text_of(cell: Cell) -> str:
    """A cell as text: a number that is whole without decimals, as people see it."""
    value = cell.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def settle_decimal(cells: Iterable[Cell]) -> str | None:
    """Which of `.` and `,` is before decimals in all these cells; None where it does not matter.

    Raises Rejected with the place of a cell where both are possible, or of two that differ.
    """
    says: dict[str, Cell] = {}
    unclear: Cell | None = None
    for cell in cells:
        if not isinstance(cell.value, str):
            continue
        read = {one: found for one in SEPARATORS if (found := _read(cell.value, one)) is not None}
        if len(read) == 1:
            says.setdefault(next(iter(read)), cell)
        elif len(set(read.values())) == 2:
            unclear = unclear or cell
    if len(says) == 2:
        dot, comma = says["."], says[","]
        raise Rejected(
            f"{dot.place} is {short(dot.value)} and {comma.place} is {short(comma.value)}: one has "
            "decimals behind a dot, the other behind a comma"
        )
    if not says and unclear:
        raise Rejected(
            f"{unclear.place} is {short(unclear.value)}, which reads in two ways, and no other "
            "number of the file settles it: say --decimal . or --decimal ,"
        )
    return next(iter(says), None)


def number_in(cell: Cell, decimal: str | None) -> Decimal | None:
    """The number in a cell, None in a blank one. Raises Rejected with its place."""
    value = cell.value
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    found = None
    if isinstance(value, str):
        found = _read(value, decimal or ".")
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        exact = Decimal(repr(value) if isinstance(value, float) else value)
        # A spreadsheet computes in binary: 0.1 + 0.2 is 0.30000000000000004 in its file.
        found = round(exact, 9) if exact.is_finite() and exact.adjusted() < 18 else None
    if found is None:
        raise Rejected(f"{cell.place} is {short(str(value))}, which is no number")
    return found


def _read(text: str, decimal: str) -> Decimal | None:
    """A text as a number with this mark before decimals and the other between thousands."""
    text = _BLANKS.sub(" ", text).strip().replace("\u2212", "-")
    negative = text.startswith("(") and text.endswith(")")
    text = text[1:-1].strip() if negative else text
    sign = text[:1] if text[:1] in "+-" else ""
    text = _CURRENCY.sub("", text.removeprefix(sign).strip())
    if not sign and text[:1] in ("+", "-"):  # $ -100
        sign, text = text[:1], text[1:]
    point, group = re.escape(decimal), re.escape("," if decimal == "." else ".")
    whole = rf"(?:\d+|[1-9]\d{{0,2}}(?:{group}\d{{3}})+)"
    if len(text) > 40 or not re.fullmatch(rf"{whole}(?:{point}\d+)?", text, re.ASCII):
        return None
    number = Decimal(text.replace("," if decimal == "." else ".", "").replace(decimal, "."))
    return -number if negative != (sign == "-") else number


def date_in(cell: Cell, epoch: datetime = WINDOWS_EPOCH) -> date | None:
    """The date in a cell, None in a blank one: ISO, day/month/year, or a serial number of Excel's.

    Raises Rejected with its place.
    """
    value, text = cell.value, text_of(cell)
    if not text:
        return None
    found: Any = None
    try:
        if isinstance(value, date):
            found = value
        elif isinstance(value, str) and (match := _ISO.fullmatch(text)):
            found = date(int(match[1]), int(match[2]), int(match[3]))
        elif isinstance(value, str) and (match := _DAY_FIRST.fullmatch(text)):
            found = date(int(match[4]), int(match[3]), int(match[1]))
        elif _SERIAL.fullmatch(text) and _SERIALS[0] <= float(text) < _SERIALS[1]:
            found = from_excel(float(text), epoch)
    except (ValueError, OverflowError):
        found = None
    found = found.date() if isinstance(found, datetime) else found
    if not isinstance(found, date) or not 2000 <= found.year < 2100:
        raise Rejected(
            f"{cell.place} is {short(text)}, which is no date: expected 2026-10-31 or 31/10/2026"
        )
    return found


def check_day_first(cells: Iterable[Cell]) -> None:
    """Raises Rejected where a cell shows that the file writes the month first: then no date of it
    can be believed."""
    for cell in cells:
        match = _DAY_FIRST.fullmatch(text_of(cell)) if isinstance(cell.value, str) else None
        if match and int(match[3]) > 12 >= int(match[1]) >= 1:
            raise Rejected(
                f"{cell.place} is {short(text_of(cell))}, with the month first: dates are read as "
                "day/month/year; write them as 2026-10-31"
            )
