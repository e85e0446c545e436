"""The rows of an answer, as typed readings, or as rejected rows with the reason.

The vendor sends texts, and publishes no filled-in row: every format below was seen on other
endpoints of its API, none is promised. So a text that reads in exactly one way is taken, and any
other is kept as it came beside a reason. Nothing is dropped, and what is no amount is never zero.
Amounts are kept with 4 decimals: one with more, such as minutes out of seconds, is rounded half up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import chain
from typing import NamedTuple, cast

import simplejson

from wolkvox_billing.values.arrow import compute, pyarrow
from wolkvox_billing.values.dates import read_sent_day, read_sent_month
from wolkvox_billing.values.periods import DAY, month_of
from wolkvox_billing.values.texts import UNSTORABLE
from wolkvox_billing.vendor.envelope import Ambiguous, Json, Rows, TextRows, objects_of
from wolkvox_billing.vendor.reading_columns import (
    LargeReadings,
    ListedReadings,
    Reading,
    Readings,
)
from wolkvox_billing.vendor.reports import REPORTS, ROW_FIELDS

EARLIEST = date(2000, 1, 1)  # before wolkvox: an epoch, or a zero date
_MOST_COLUMNS = 30  # fields of the vendor's that become columns; the others share one

_ITEMS = re.compile(r"([+-]?)(\d+|[1-9]\d{0,2}(?:,\d{3})+)(\.\d+)?\s*%?", re.ASCII)
# Amounts in the one form that nearly all have, a line each; what is not in it is read one by one.
# A line fits in one way only: in two, an odd one would be tried 2^n ways, for days.
# Of 13 digits at the most, so that it fits rounded too, and 20 decimals: Arrow holds 38 in all.
_PLAIN_ITEM = r"(?:[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3}|[0-9]{1,13})(?:\.[0-9]{1,20})?"
_PLAIN_ITEMS = re.compile(f"(?:{_PLAIN_ITEM}\n)+")
# Of whole things it is no fraction: thousands, by another country's mark, or no amount at all.
_PERHAPS_THOUSANDS = r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}"
_ANY_PERHAPS_THOUSANDS = re.compile(f"^{_PERHAPS_THOUSANDS}$", re.MULTILINE)
_ROUNDED = r"\.[0-9]{4}[0-9]*[1-9]"  # in a plain amount: it has more decimals than are kept
_ROUNDED_ITEMS = re.compile(_ROUNDED)
_ZERO = Decimal("0.0000")
_ROWS_AT_ONCE = 5000  # an odd row makes no more than these be read one by one
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*", re.ASCII)
_FIELDS = frozenset(ROW_FIELDS)
TOTAL = "a TOTAL row: a sum of other rows, not a reading of its own"
_TOO_DEEP = '"(nested too deeply to be written here: the answer itself is in polls)"'
# Columns of ours that a field of the vendor's may not overwrite, whatever its case.
_OURS = frozenset({"poll_id", "report", "row_number", "operation_id", "items_raw", "date_raw",
                   "read_at", "read_epoch", "read_date", "days_in_answer", "is_repeated",
                   "other_fields"})  # fmt: skip


class Unreadable(ValueError):
    """A text that reads in no way, or in two; the message is the reason, for a person."""


@dataclass(frozen=True)
class RejectedRow:
    """One row that could not be read: as it came, in JSON, with the reason."""

    row_number: int
    raw: str
    reason: str


def read_items(value: object) -> Decimal:
    """Return the amount of use that an `items` states, rounded half up to 4 decimals. Raises
    Unreadable if it states none, or two.

    Taken: an integer, thousands grouped by commas, decimals behind a dot, a sign, blanks around,
    a `%`; a JSON number.
    """
    return _read_amount(value)[0]


def _read_amount(value: object) -> tuple[Decimal, bool]:
    """Return what `read_items` does, and whether it had to be rounded."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise Unreadable(f"{value} is not a number")
        number, text = value, str(value)
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
        number = Decimal(sign + whole.replace(",", "") + decimals)
    elif value is None:
        raise Unreadable("the amount is null, which is not zero")
    else:
        raise Unreadable(f"{_short(to_json(value))} is not an amount")
    if not number:
        return _ZERO, False
    fits = number.adjusted() <= 13
    items = number.quantize(_ZERO, ROUND_HALF_UP) if fits else number
    if items.adjusted() > 13:
        raise Unreadable(f"{_short(text)} does not fit: 14 digits before the point are the most")
    return items or _ZERO, items != number  # `or`: -0.00001 is no -0


def interpret_items(items_raw: str, items: Decimal) -> str | None:
    """Return in which of two ways an amount's text was read; None where it reads in one."""
    text = items_raw.strip().removesuffix("%").rstrip()
    if not re.fullmatch(_PERHAPS_THOUSANDS, text):
        return None
    thousands = Decimal(text.replace(".", ""))
    if items == thousands:
        return f"thousands: {thousands:,}; with decimals behind the dot it would be {text}"
    return f"decimals: {text}; with a dot between thousands it would be {thousands:,}"


def read_date(value: object, today: date) -> date:
    """Return the vendor's calendar date that a `date` states. Raises Unreadable if it states none,
    or not a sane one.

    A month is the day of the query, or where it was over by then its last day: what it counts is
    the month's use up to there.

    `today` is the vendor's: a date may be one day ahead of it, since clocks differ, and no more.
    """
    if value is None or value == "":
        raise Unreadable("the date is missing")
    text = str(value).strip() if isinstance(value, (str, Decimal)) else to_json(value)
    try:
        day = read_sent_day(text)
        if not day and (first := read_sent_month(text)):
            day = max(first, min(today, month_of(first).end - DAY))
    except ValueError:
        raise Unreadable(f"{_short(text)} is not a time of the calendar") from None
    if not day:
        raise Unreadable(f"{_short(text)} is not a date in a known form, such as 2026-11-23")
    if day < EARLIEST:
        raise Unreadable(f"{day} is before wolkvox existed")
    if day > today + timedelta(days=1):
        raise Unreadable(f"{day} lies in the future: the vendor's calendar says {today}")
    return day


def read_rows(
    rows: Sequence[object], today: date, columns: dict[str, str] | None = None, report: str = ""
) -> tuple[Readings, list[RejectedRow]]:
    """Return all rows of an answer, each in exactly one of the two.

    report: where it counts whole things, an amount such as 1.004 is thousands if another row of the
    same product says about as much, and is rejected if none does.
    columns: column → field name, of the fields that the vendor added before; new ones are put in.
    """
    rejected: list[RejectedRow] = []
    counts_whole_things = report in REPORTS and REPORTS[report].counts_whole_things
    amounts = _WholeAmounts(rows) if counts_whole_things else None
    met = _Met(today, {} if columns is None else columns, set(), {}, amounts)
    if not isinstance(rows, Rows):
        return _read_listed(rows, 1, met, rejected), rejected
    parts: list[Readings] = []
    first = 1
    for part in rows.parts:
        large = _read_texts(part, first, met) if isinstance(part, TextRows) else None
        if large is None:
            parts.append(_read_listed(objects_of(part), first, met, rejected))
        else:
            parts.append(large)
        first += len(part)
    return LargeReadings.joined(parts), rejected


def _read_listed(
    rows: Sequence[object], first: int, met: _Met, rejected: list[RejectedRow]
) -> ListedReadings:
    """Return the readings of rows that are numbered from `first` on; those that are none go to
    `rejected`. What is plain is read by column, as much as `_ROWS_AT_ONCE`; any other row alone."""
    readings = ListedReadings.of()
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        numbers = range(first + start, first + start + len(part))
        if _read_plain(readings, numbers, part, met):
            continue
        for number, row in zip(numbers, part, strict=True):
            try:
                reading, is_rounded = _read_row(number, row, met)
                readings.append(reading)
                readings.rounded += is_rounded
            except Unreadable as reason:
                rejected.append(RejectedRow(number, to_json(row), str(reason)))
    return readings


def _text_columns(rows: Sequence[object]) -> list[list[str]] | None:
    """Return rows that are objects of the four fields and no other, all texts, by column; None
    where one of them is something else."""
    if set(map(type, rows)) != {dict}:
        return None
    objects = cast("Sequence[dict[str, str]]", rows)
    if set(map(len, objects)) != {len(ROW_FIELDS)}:
        return None
    try:
        columns = [[row[name] for row in objects] for name in ROW_FIELDS]
    except KeyError:
        return None
    return columns if set(map(type, chain(*columns))) == {str} else None


def _read_plain(
    readings: ListedReadings, numbers: Sequence[int], rows: Sequence[object], met: _Met
) -> bool:
    """Append what `_read_row` reads of each of these rows, by column and in a quarter of the time;
    return False, and append nothing, where one cannot be read, or its amount is not a plain one."""
    if not (texts := _text_columns(rows)):
        return False
    operations, descriptions, items_raw, dates_raw = texts
    lines = "\n".join([*items_raw, ""])
    if lines.count("\n") != len(items_raw) or not _PLAIN_ITEMS.fullmatch(lines):
        return False
    if met.whole_amounts and _ANY_PERHAPS_THOUSANDS.search(lines):
        return False
    if not _can_be_read({*operations, *descriptions}, set(dates_raw), met):
        return False
    amounts = map(Decimal, lines.replace(",", "").split())
    items = [amount.quantize(_ZERO, ROUND_HALF_UP) for amount in amounts]
    days = [met.days[text] for text in dates_raw]
    readings.extend((numbers, operations, descriptions, items, items_raw, days, dates_raw))
    readings.rounded += len(_ROUNDED_ITEMS.findall(lines))
    return True


def _read_texts(rows: TextRows, first: int, met: _Met) -> LargeReadings | None:
    """Return what `_read_plain` reads, by pyarrow and in a fifth of its time."""
    pa = pyarrow()
    pc = compute()
    operation, description, items_raw, date_raw = (rows.columns[name] for name in ROW_FIELDS)
    if not pc.all(pc.match_substring_regex(items_raw, f"^{_PLAIN_ITEM}$")).as_py():
        return None
    if (
        met.whole_amounts
        and pc.any(pc.match_substring_regex(items_raw, f"^{_PERHAPS_THOUSANDS}$")).as_py()
    ):
        return None
    date_texts = date_raw.dictionary_encode()
    dates = date_texts.dictionary.to_pylist()
    names = {*pc.unique(operation).to_pylist(), *pc.unique(description).to_pylist()}
    if not _can_be_read(names, set(dates), met):
        return None
    days = pa.array([met.days[text] for text in dates], pa.date32())
    items = pc.replace_substring(items_raw, ",", "")
    if rounded := pc.sum(pc.match_substring_regex(items_raw, _ROUNDED)).as_py():
        items = pc.round(items.cast(pa.decimal128(38, 20)), 4, "half_towards_infinity")
    columns = {
        "row_number": pa.array(range(first, first + len(rows)), pa.int64()),
        "operation": operation,
        "description": description,
        "items": items.cast(pa.decimal128(18, 4)),
        "items_raw": items_raw,
        "date": days.take(date_texts.indices),
        "date_raw": date_raw,
    }
    return LargeReadings(columns, [{}] * len(rows), rounded)


def _can_be_read(names: set[str], dates: set[str], met: _Met) -> bool:
    """Whether these operations, descriptions and dates can be read, all; then they are in `met`."""
    new = names - met.names
    if any(map(UNSTORABLE.search, new)) or any(map(_is_total, new)):
        return False
    met.names.update(new)
    try:
        for text in dates - met.days.keys():
            if _is_total(text):
                return False
            met.days[text] = read_date(text, met.today)
    except Unreadable:
        return False
    return True


def to_json(value: object) -> str:
    """Return JSON with numbers' digits as they came, and escapes where a database needs them."""
    if isinstance(value, Ambiguous):  # of a field that is there twice, both
        return "{" + ", ".join(f"{to_json(k)}: {to_json(v)}" for k, v in value.pairs) + "}"
    dump = partial(simplejson.dumps, value, use_decimal=True, allow_nan=True)
    try:
        text = str(dump(ensure_ascii=False))
        return str(dump(ensure_ascii=True)) if UNSTORABLE.search(text) else text
    except RecursionError:
        return _TOO_DEEP


class _Met(NamedTuple):
    """The day of an answer, and what its rows had in common so far: it is not judged again."""

    today: date
    columns: dict[str, str]
    names: set[str]  # of operations and of products
    days: dict[str, date]
    whole_amounts: _WholeAmounts | None = None  # of a report that counts whole things


class _WholeAmounts:
    """The amounts of an answer that read in one way, by product: gathered when one is asked for."""

    def __init__(self, rows: Iterable[object]) -> None:
        self._rows = rows
        self._amounts: dict[tuple[str, str], list[Decimal]] | None = None

    def read(self, product: tuple[str, str], items: object) -> object:
        """Return what `items` states as `read_items` takes it. Raises Unreadable for an amount of
        thousands by another country's mark that no other row of the product shows to be one."""
        text = str(items).strip()
        if not re.fullmatch(_PERHAPS_THOUSANDS, text):
            return items
        thousands = Decimal(text.replace(".", ""))
        if self._amounts is None:
            self._amounts = self._gather()
        if any(
            abs(thousands) <= 2 * abs(amount) <= 4 * abs(thousands)
            for amount in self._amounts.get(product, ())
        ):
            return str(thousands)
        raise Unreadable(
            f"{_short(text)} reads in two ways, and this report counts whole things: "
            f"{thousands:,} if the dot is between thousands, which no other row shows"
        )

    def _gather(self) -> dict[tuple[str, str], list[Decimal]]:
        amounts: dict[tuple[str, str], list[Decimal]] = {}
        for row in self._rows:
            if not isinstance(row, dict) or not row.keys() >= _FIELDS:
                continue
            if re.fullmatch(_PERHAPS_THOUSANDS, str(row["items"]).strip()):
                continue
            try:
                amount = read_items(row["items"])
            except Unreadable:
                continue
            if amount == amount.to_integral_value():
                product = (str(row["operation"]), str(row["description"]))
                amounts.setdefault(product, []).append(amount)
        return amounts


def _read_row(number: int, row: object, met: _Met) -> tuple[Reading, bool]:
    """Return the reading of a row, and whether its amount had to be rounded. Raises Unreadable."""
    if not isinstance(row, dict):
        raise Unreadable("the row is not an object with named fields")
    if isinstance(row, Ambiguous):
        raise Unreadable("the row has a field twice")
    if not row.keys() >= _FIELDS:
        missing = [name for name in ROW_FIELDS if name not in row]
        raise Unreadable(f"no {', '.join(missing)} in the row; it has: {_short(', '.join(row))}")
    operation, description, when = row["operation"], row["description"], row["date"]
    is_text = isinstance(operation, str) and isinstance(description, str)
    if not is_text or not {operation, description} <= met.names:
        _check_names(operation, description)
        met.names.update((operation, description))
    if _is_total(when):
        raise Unreadable(TOTAL)
    items_sent = row["items"]
    if met.whole_amounts and isinstance(items_sent, (str, Decimal)):
        items_sent = met.whole_amounts.read((str(operation), str(description)), items_sent)
    items, is_rounded = _read_amount(items_sent)
    day = met.days.get(when) if isinstance(when, str) else None
    if not day:
        day = read_date(when, met.today)
        if isinstance(when, str):
            met.days[when] = day
    reading = Reading(
        row_number=number,
        operation=operation,
        description=description,
        items=items,
        items_raw=str(row["items"]),
        date=day,
        date_raw=str(when),
        extra=_extra(row, met.columns) if len(row) > len(_FIELDS) else {},
    )
    return reading, is_rounded


def _check_names(operation: object, description: object) -> None:
    for name, value in (("operation", operation), ("description", description)):
        if not isinstance(value, str):
            raise Unreadable(f"{name} is {_short(to_json(value))}, not a text")
        if UNSTORABLE.search(value):
            raise Unreadable(f"{name} holds a character that databases cannot store")
    if _is_total(operation) or _is_total(description):
        raise Unreadable(TOTAL)


def _is_total(value: object) -> bool:
    return isinstance(value, str) and value.strip().rstrip(":").casefold() == "total"


def _extra(row: Json, columns: dict[str, str]) -> dict[str, str]:
    """Return the fields that the vendor added. The first few with plain names become columns, the
    others share one: a table must not grow without end because an answer does."""
    extra: dict[str, str] = {}
    others: Json = {}
    for name, value in row.items():
        if name in ROW_FIELDS:
            continue
        column = name.lower()
        text = value if isinstance(value, str) else to_json(value)
        can_name = _COLUMN.fullmatch(name) and len(name) <= 40
        is_free = column in columns or len(columns) < _MOST_COLUMNS
        if (
            can_name
            and column not in {*ROW_FIELDS, *_OURS}
            and is_free
            and columns.setdefault(column, name) == name
            and not UNSTORABLE.search(text)
        ):
            extra[column] = text
        else:
            others[name] = value
    if others:
        extra["other_fields"] = to_json(others)
    return extra


def _short(text: str) -> str:
    """Return a text of the vendor's for a message: quoted, harmless on a terminal, not endless."""
    quoted = ascii(text)
    return quoted if len(quoted) <= 80 else quoted[:76] + "...'"
