"""The vendor's envelope: an answer's bytes to its fields and its rows.

    body ─┬▶ JSON, whole                                   most answers
          └▶ the envelope, and its rows in parts           a large answer
                 ├▶ columns of texts, by pyarrow             rows of the four fields, all texts
                 └▶ JSON                                     any other

Both ways give the same: what a part does not take in full goes the careful way, and so does the
whole answer where its rows cannot be told from what is around them. By column 60,000 rows take a
third of the time and a fifth of the memory of as many objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain
from typing import NamedTuple, TypeAlias, cast, overload

import simplejson

from wolkvox_billing.values.arrow import Arrow, compute, pyarrow
from wolkvox_billing.vendor.reports import ROW_FIELDS

LARGE = 1024 * 1024  # bytes; below, to import pyarrow takes longer than all of its rows
PART = 512 * 1024  # bytes, some 5,000 rows: an odd row makes no more than these be read one by one
_BETWEEN_ROWS = re.compile(rb"\}[ \t\n\r]*,[ \t\n\r]*\{")
_NO_JSON = (ValueError, ArithmeticError, RecursionError)
Json: TypeAlias = dict[str, object]  # an object of JSON's


class Number(Decimal):
    """A JSON number, which prints as it was written."""

    def __new__(cls, written: str) -> Number:
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str

    def __str__(self) -> str:
        return self.written


class Ambiguous(dict[str, object]):
    """A JSON object that has a field twice; `pairs` are all of them."""

    pairs: list[tuple[str, object]]


def _object(pairs: list[tuple[str, object]]) -> Json:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        fields = Ambiguous(fields)
        fields.pairs = pairs
    return fields


def read_json(text: str) -> object:
    """Return the JSON value that a text holds. Numbers are Decimal: a count must not pass through a
    float; a bare NaN is one too, and spoils its row only. Raises ValueError, ArithmeticError or
    RecursionError."""
    value: object = simplejson.loads(
        text,
        object_pairs_hook=_object,
        parse_float=Number,
        parse_int=Number,
        parse_constant=Decimal,
        allow_nan=True,
    )
    return value


class TextRows:
    """Rows that are objects of the four fields and no other, all texts: an Arrow array for each
    field. The objects are read anew out of the answer, where somebody wants one."""

    def __init__(self, columns: dict[str, Arrow], body: bytes, start: int, end: int) -> None:
        self.columns = columns
        self._place = (body, start, end)

    def objects(self) -> list[object]:
        """Return the rows as JSON has them, each with its fields in their order."""
        return _read_objects(*self._place)

    def __len__(self) -> int:
        return len(self.columns["items"])


class Rows(Sequence[object]):
    """The rows of a large answer, in parts."""

    def __init__(self, parts: Sequence[TextRows | list[object]]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[object]:
        return chain.from_iterable(map(objects_of, self.parts))

    @overload
    def __getitem__(self, place: int) -> object: ...
    @overload
    def __getitem__(self, place: slice) -> list[object]: ...
    def __getitem__(self, place: int | slice) -> object:
        return list(self)[place]  # of a few, and seldom


def objects_of(part: TextRows | list[object]) -> list[object]:
    """Return the rows of a part as JSON has them."""
    return part.objects() if isinstance(part, TextRows) else part


def read_envelope(body: bytes) -> tuple[Json, str | None]:
    """Return the envelope, and why the body is none: exactly one of the two says something. `data`
    of a large answer may be Rows."""
    if not body:
        return {}, "the body is empty"
    try:
        envelope: object = _read_large(body) if len(body) > LARGE else None
        if envelope is None:
            envelope = read_json(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return {}, "the body is not UTF-8 text"
    except _NO_JSON:
        return {}, "the body is not JSON"
    if not isinstance(envelope, dict) or envelope.get("code") in (None, False, ""):
        return {}, "the body is JSON, but not the vendor's envelope"
    if isinstance(envelope, Ambiguous):
        return {}, "the envelope has a field twice"
    return envelope, None


def _read_large(body: bytes) -> Json | None:
    """Return the envelope with `data` as Rows; None where that is not certain, or is not JSON.

    The first bracket and the last one are those of `data` if what is around them is an envelope
    whose `data` is an empty list: no other bracket opens before it, and none closes behind it."""
    start, end = body.find(b"[") + 1, body.rfind(b"]")
    between = _BETWEEN_ROWS.search(body, start, max(start, end)) if start else None
    if not between:
        return None
    try:
        envelope = read_json((body[:start] + body[end:]).decode("utf-8-sig"))
        if type(envelope) is not dict or envelope.get("data") != []:
            return None
        envelope["data"] = Rows(list(_read_parts(body, start, end, between[0])))
    except _NO_JSON:
        return None
    return envelope


def _read_parts(
    body: bytes, start: int, end: int, between: bytes
) -> Iterator[TextRows | list[object]]:
    """Yield the rows at these places, in parts that end where two rows are apart by `between`.
    Raises where a part is not a list's content in JSON: the list may be one all the same."""
    first = start
    while first < end:
        cut = body.find(between, first + PART, end)
        last = end if cut < 0 else cut + 1
        columns = _read_columns(body[first:last], between)
        if columns is None:
            yield _read_objects(body, first, last)
        else:
            yield TextRows(columns, body, first, last)
        first = end if cut < 0 else cut + len(between) - 1


def _read_columns(part: bytes, between: bytes) -> dict[str, Arrow] | None:
    """Return the texts of rows by field; None where that is not certain, or they are something
    else.

    Every row is taken to be like the first one, but for the four texts in it. From these texts and
    what is around them all rows are put together again, as they were: so nothing else is there, and
    whatever took them apart has lost nothing. Not by pyarrow's reader of JSON: the process ends
    where it meets a bare null (26.0)."""
    pa = pyarrow()
    pc = compute()
    first_row = part[: part.find(between) + 1] or part
    form = _RowForm.of(first_row.decode(), between.decode())
    every_byte = pa.Array.from_buffers(pa.uint8(), len(part), [None, pa.py_buffer(part)])
    if form is None or pc.min(every_byte).as_py() < ord(" "):  # no text of JSON's holds less
        return None
    texts = _take_apart(part.replace(between, b"}\n" + b" " * (len(between) - 3) + b"{"))
    if texts is None:
        return None
    around = form.around
    again = pc.binary_join_element_wise(
        *(around[0], texts[0], around[1], texts[1], around[2], texts[2], around[3], texts[3]),
        *(around[4], ""),
    )
    if pc.sum(pc.binary_length(again)).as_py() != len(part) + len(between) - 2:
        return None
    if not again.buffers()[2].slice(0, len(part)).equals(pa.py_buffer(part)):
        return None
    columns = dict(zip(form.names, texts, strict=True))
    return _without_escapes(columns) if b"\\" in part else columns


class _RowForm(NamedTuple):
    """What is around the texts of a row: its fields in their order, and all bytes but the texts."""

    names: list[str]
    around: list[str]

    @classmethod
    def of(cls, row: str, between: str) -> _RowForm | None:
        """Return the form of this row, with what parts it from the next one; None of another row
        than one with the four fields, each a text without a quote in it."""
        pieces = row.split('"')  # mark, name, mark, text, and so on, and a mark
        names, marks = pieces[1::4], [mark.strip(" ") for mark in pieces[::2]]
        if marks != [*"{:,:,:,:}"] or sorted(names) != sorted(ROW_FIELDS):
            return None
        fields = [f'{pieces[n]}"{pieces[n + 1]}"{pieces[n + 2]}"' for n in range(0, 16, 4)]
        fields[1:] = [f'"{field}' for field in fields[1:]]
        return cls(names, [*fields, f'"{pieces[16]}{between[1:-1]}'])


def _take_apart(lines: bytes) -> list[Arrow] | None:
    """Return Arrow arrays of the four texts in each line, by the quotes around them; None where a
    line has not as many quotes as names and texts have."""
    pa = pyarrow()
    from pyarrow import csv

    names = [str(number) for number in range(17)]
    texts = names[3::4]
    try:
        table = csv.read_csv(
            pa.BufferReader(lines),
            csv.ReadOptions(use_threads=False, block_size=len(lines) + 1, column_names=names),
            csv.ParseOptions(delimiter='"', quote_char=False),
            csv.ConvertOptions(
                include_columns=texts, column_types=dict.fromkeys(texts, pa.string())
            ),
        )
    except pa.ArrowException:
        return None
    return [table.column(name).combine_chunks() for name in texts]


def _without_escapes(columns: dict[str, Arrow]) -> dict[str, Arrow] | None:
    """Return the texts that these are in JSON; None where one is none, or is half a character, or
    where an amount has an escape: it would be no amount."""
    pa = pyarrow()
    pc = compute()
    if pc.any(pc.match_substring(columns["items"], "\\")).as_py():
        return None
    plain = {"items": columns["items"]}
    for name in set(columns) - {"items"}:
        encoded = columns[name].dictionary_encode()
        try:
            texts = [
                read_json(f'"{text}"') if "\\" in text else text
                for text in encoded.dictionary.to_pylist()
            ]
            plain[name] = pa.array(texts, pa.string()).take(encoded.indices)
        except ValueError:
            return None
    return plain


def _read_objects(body: bytes, start: int, end: int) -> list[object]:
    """Return a list's content in JSON, nested as deep as in the answer."""
    [rows] = cast("list[list[object]]", read_json(f"[[{body[start:end].decode()}]]"))
    return rows
