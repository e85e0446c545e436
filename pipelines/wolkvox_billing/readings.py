"""The rows of an answer, as typed readings, or as rejected rows with the reason.

The vendor sends texts, and publishes no filled-in row: every format below was seen on other
endpoints of its API, none is promised. So a text that reads in exactly one way is taken, and any
other is kept as it came beside a reason. Nothing is dropped, and nothing is made zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from datetime import time as clock_time
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import simplejson

from wolkvox_billing.reports import ROW_FIELDS
from wolkvox_billing.verdict import Ambiguous

Day = date  # a name for the type, where `date` is a field
EARLIEST = date(2000, 1, 1)  # before wolkvox: an epoch, or a zero date
_MOST_COLUMNS = 30  # fields of the vendor's that become columns; the others share one

_ITEMS = re.compile(r"([+-]?)(\d+|[1-9]\d{0,2}(?:,\d{3})+)(\.\d+)?\s*%?", re.ASCII)
_DATE = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?)?",
    re.ASCII,
)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*", re.ASCII)
_FIELDS = frozenset(ROW_FIELDS)
_TOTAL = "a TOTAL row: a sum of other rows, not a reading of its own"
_TOO_DEEP = '"(nested too deeply to be written here: the answer itself is in polls)"'
# PostgreSQL's text holds neither NUL nor half a character; dlt takes the last ones for marks of its
# own, and changes a text that begins with one.
UNSTORABLE = re.compile("[\x00\ud800-\udfff\uf026-\uf02f]")
# Columns of ours that a field of the vendor's may not overwrite, whatever its case.
_OURS = frozenset({"poll_id", "report", "row_number", "operation_id", "items_raw", "date_raw",
                   "read_at", "read_epoch", "read_date", "days_in_answer", "is_repeated",
                   "other_fields"})  # fmt: skip


class Unreadable(ValueError):
    """A text that reads in no way, or in two; the message is the reason, for a person."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of an answer, typed. `row_number` counts from 1, in the answer's order."""

    row_number: int
    operation: str
    description: str
    items: Decimal
    items_raw: str
    date: Day
    date_raw: str
    extra: dict[str, str]  # fields that the vendor added, by column; JSON where not a text

    @property
    def key(self) -> tuple[str, str, Day]:
        return self.operation, self.description, self.date


@dataclass(frozen=True)
class RejectedRow:
    """One row that could not be read: as it came, in JSON, with the reason."""

    row_number: int
    raw: str
    reason: str


def read_items(value: object) -> Decimal:
    """The amount of use that an `items` states, exactly; Unreadable if it states none, or two.

    Taken: an integer, thousands grouped by commas, decimals behind a dot, a sign, blanks around,
    a `%`; a JSON number.
    """
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise Unreadable(f"{value} is not a number")
        number, shown = value, str(value)
    elif isinstance(value, str):
        text = value.strip()
        if not text:
            raise Unreadable("the amount is blank, which is not zero")
        match = _ITEMS.fullmatch(text)
        if not match or len(text) > 60:
            raise Unreadable(
                f"{_short(text)} is not an amount that reads in one way only: expected digits, "
                "with commas between thousands and a dot before decimals"
            )
        sign, whole, decimals = match.groups(default="")
        number, shown = Decimal(sign + whole.replace(",", "") + decimals), text
    elif value is None:
        raise Unreadable("the amount is null, which is not zero")
    else:
        raise Unreadable(f"{_short(to_json(value))} is not an amount")
    if number and number.adjusted() > 13:
        raise Unreadable(f"{_short(shown)} does not fit: 14 digits before the point are the most")
    if number and (number.adjusted() < -4 or number != round(number, 4)):
        raise Unreadable(f"{_short(shown)} has more than 4 decimals")
    return round(number, 4) if number else Decimal("0.0000")


def read_date(value: object, today: date) -> date:
    """The vendor's calendar date that a `date` states; Unreadable if none, or not a sane one.

    `today` is the vendor's: a date may be one day ahead of it, since clocks differ, and no more.
    """
    if value is None or value == "":
        raise Unreadable("the date is missing")
    text = str(value).strip() if isinstance(value, (str, Decimal)) else to_json(value)
    match = _DATE.fullmatch(text)
    try:
        if match:
            year, _, month, day, *at = match.groups(default="0")
            found = date(int(year), int(month), int(day))
            hour, minute, second = map(int, at)
            clock_time(hour, minute, second)
        elif match := _COMPACT_DATE.fullmatch(text):
            found = date(int(match[1]), int(match[2]), int(match[3]))
        else:
            raise Unreadable(f"{_short(text)} is not a date in a known form, such as 2026-11-23")
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable(f"{_short(text)} is not a time of the calendar") from None
    if found < EARLIEST:
        raise Unreadable(f"{found} is before wolkvox existed")
    if found > today + timedelta(days=1):
        raise Unreadable(f"{found} lies in the future: the vendor's calendar says {today}")
    return found


def read_rows(
    rows: list[Any], today: date, columns: dict[str, str] | None = None
) -> tuple[list[Reading], list[RejectedRow]]:
    """All rows of one answer: each is in exactly one of the two lists.

    columns: column → field name, of the fields that the vendor added before; new ones are put in.
    """
    readings: list[Reading] = []
    rejected: list[RejectedRow] = []
    met = _Met({} if columns is None else columns, set(), {})
    for number, row in enumerate(rows, 1):
        try:
            readings.append(_read_row(number, row, today, met))
        except Unreadable as reason:
            rejected.append(RejectedRow(number, to_json(row), str(reason)))
    return readings, rejected


def to_json(value: object) -> str:
    """JSON with the digits that numbers came with, and escapes where a database needs them."""
    if isinstance(value, Ambiguous):  # of a field that is there twice, both
        return "{" + ", ".join(f"{to_json(k)}: {to_json(v)}" for k, v in value.pairs) + "}"
    dump = partial(simplejson.dumps, value, use_decimal=True, allow_nan=True)
    try:
        text = str(dump(ensure_ascii=False))
        return str(dump(ensure_ascii=True)) if UNSTORABLE.search(text) else text
    except RecursionError:
        return _TOO_DEEP


class _Met(NamedTuple):
    """What the rows of an answer had in common so far: it is not judged again."""

    columns: dict[str, str]
    names: set[tuple[str, str]]
    days: dict[str, date]


def _read_row(number: int, row: Any, today: date, met: _Met) -> Reading:
    if not isinstance(row, dict):
        raise Unreadable("the row is not an object with named fields")
    if isinstance(row, Ambiguous):
        raise Unreadable("the row has a field twice")
    if not row.keys() >= _FIELDS:
        missing = [name for name in ROW_FIELDS if name not in row]
        raise Unreadable(f"no {', '.join(missing)} in the row; it has: {_short(', '.join(row))}")
    operation, description, when = row["operation"], row["description"], row["date"]
    is_text = isinstance(operation, str) and isinstance(description, str)
    if not is_text or (operation, description) not in met.names:
        _check_names(row)
        met.names.add((operation, description))
    if _is_total(when):
        raise Unreadable(_TOTAL)
    items = read_items(row["items"])
    day = met.days.get(when) if isinstance(when, str) else None
    if not day:
        day = read_date(when, today)
        if isinstance(when, str):
            met.days[when] = day
    return Reading(
        row_number=number,
        operation=operation,
        description=description,
        items=items,
        items_raw=str(row["items"]),
        date=day,
        date_raw=str(when),
        extra=_extra(row, met.columns) if len(row) > len(_FIELDS) else {},
    )


def _check_names(row: dict[str, Any]) -> None:
    for name in ("operation", "description"):
        if not isinstance(row[name], str):
            raise Unreadable(f"{name} is {_short(to_json(row[name]))}, not a text")
        if UNSTORABLE.search(row[name]):
            raise Unreadable(f"{name} holds a character that databases cannot store")
    if _is_total(row["operation"]) or _is_total(row["description"]):
        raise Unreadable(_TOTAL)


def _is_total(value: object) -> bool:
    return isinstance(value, str) and value.strip().rstrip(":").casefold() == "total"


def _extra(row: dict[str, Any], columns: dict[str, str]) -> dict[str, str]:
    """The fields that the vendor added. The first few with plain names become columns, the others
    share one: a table must not grow without end because an answer does."""
    extra: dict[str, str] = {}
    others: dict[str, Any] = {}
    for name, value in row.items():
        if name in ROW_FIELDS:
            continue
        column = name.lower()
        text = value if isinstance(value, str) else to_json(value)
        plain = _COLUMN.fullmatch(name) and len(name) <= 40 and column not in {*ROW_FIELDS, *_OURS}
        if plain and (column in columns or len(columns) < _MOST_COLUMNS):
            plain = columns.setdefault(column, name) == name and not UNSTORABLE.search(text)
            if plain:
                extra[column] = text
                continue
        others[name] = value
    if others:
        extra["other_fields"] = to_json(others)
    return extra


def _short(text: str) -> str:
    """A text of the vendor's for a message: quoted, harmless on a terminal, and not endless."""
    shown = ascii(text)
    return shown if len(shown) <= 80 else shown[:76] + "...'"
