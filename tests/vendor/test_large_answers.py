"""A large answer is judged and read by column, in parts: the same as any other, row by row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.fuzzing import tries
from builders.readings import ROW, TODAY
from wolkvox_billing.polling.polls import Poll
from wolkvox_billing.polling.tables import Batch, newest_in, poll_row, readings_in, rejected_in
from wolkvox_billing.vendor import envelope
from wolkvox_billing.vendor.answer import Judgement, judge_answer
from wolkvox_billing.vendor.client import Answer
from wolkvox_billing.vendor.envelope import Ambiguous, Rows, TextRows
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.vendor.reading_columns import LargeReadings, ReadingKey, Readings
from wolkvox_billing.vendor.readings import RejectedRow, read_rows

settings.register_profile("no deadline", deadline=None)  # a busy machine is no defect
settings.load_profile("no deadline")


@contextmanager
def every_answer_is_large(part: int = envelope.PART) -> Iterator[None]:
    """For the block each answer goes the way of a large one, in parts of so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelope, "LARGE", 0)
        patch.setattr(envelope, "PART", part)
        yield


def shape(value: Any) -> Any:
    """A form in which JSON values are equal where type, order of fields and digits are."""
    if isinstance(value, Ambiguous):
        return "twice", [(name, shape(inner)) for name, inner in value.pairs]
    if isinstance(value, dict):
        return "object", [(name, shape(inner)) for name, inner in value.items()]
    if isinstance(value, list):
        return "list", [shape(inner) for inner in value]
    return type(value), str(value)


def facts(judgement: Judgement) -> Any:
    """All that a judgement says."""
    said = judgement.outcome, judgement.code, judgement.msg, judgement.note, judgement.count
    return said, [shape(row) for row in judgement.rows]


# JSON that is written by hand: blanks, escapes, fields that are there twice, and texts that look
# like what is between rows.

BLANKS = st.sampled_from(["", "", "", " ", "\n", "\t \r\n"])
INNER = st.sampled_from(
    [
        *("ACME", "Audios", "TOTAL", " total: ", "", "ñ💡", "\u2028", "\ufeff", "\x7f"),
        *("}, {", "},{", "]", "[", "[]", "NULL", ","),
        *('\\"', "\\\\", "\\/", "\\u0000", "\\u00f1", "\\uf026", "\\n", "\\u0022"),
        *("\\ud83d\\ude00", "\\ud800", "\\udc00", "\\ud800\\u0041"),
    ]
)
BROKEN = st.sampled_from(["\n", '"', "\\x", "\\", "\x00"])
PIECES = st.integers(0, 30).flatmap(lambda chance: BROKEN if chance == 0 else INNER)
STRINGS = st.lists(PIECES, max_size=2).map(lambda pieces: f'"{"".join(pieces)}"')
OTHERS = st.sampled_from(
    [
        *("7", "-0", "1e5", "100.50", "9" * 30, "null", "true", "false", "NaN", "-Infinity"),
        *("[]", "{}", '{"a": 1, "a": 2}', '[{"a": "b"}, {"a": "b"}]', "[" * 40 + "]" * 40),
    ]
)
ITEMS = st.sampled_from(
    [
        *('"7"', '"1,234.5"', '"0.0001"', '"-3"', '" 7 "', '"1,23"', '"00000000000007"'),
        *('"\\u0037"', '"12071.266666666667"', '"1,234.56785"', '"0.00005"', '"1.500000"'),
    ]
)
DAYS = st.sampled_from(
    [
        *('"2026-11-10"', '"2026-11-09"', '"20261109"', '"2026-11-09 10:00"', '"2026\\/11\\/08"'),
        *('"TOTAL"', '"2027-01-01"', '""'),
    ]
)
NAMES = st.sampled_from(['"ACME"', '"Audios"', '"Video"', '"\\u00f1"', '"TOTAL"'])


def objects(fields: list[tuple[str, str]], blank: str) -> str:
    return "{" + f",{blank}".join(f'"{name}":{blank}{value}' for name, value in fields) + "}"


GOOD = st.tuples(NAMES, NAMES, ITEMS, DAYS).map(lambda values: list(zip(ROW, values, strict=True)))
ODD = st.lists(
    st.tuples(
        st.sampled_from([*ROW, "Items", "poll_id", "added", "\\u006ftems", "\\u0069tems", ""]),
        STRINGS | OTHERS | ITEMS | DAYS,
    ),
    max_size=6,
)
REORDERED = GOOD.flatmap(st.permutations)
TEXTS = st.tuples(STRINGS, STRINGS, ITEMS, DAYS).map(lambda v: list(zip(ROW, v, strict=True)))
ROWS = st.tuples(GOOD | GOOD | GOOD | TEXTS | REORDERED | ODD, st.just("") | BLANKS).map(
    lambda drawn: objects(*drawn)
)
LISTS = st.tuples(
    st.lists(ROWS, min_size=2, max_size=8)
    | st.lists(GOOD.map(lambda fields: objects(fields, " ")), min_size=2, max_size=8)
    | st.lists(ROWS | OTHERS | STRINGS, max_size=8),
    st.sampled_from([",", ",", ", ", ",\n  ", " ,"]),
    BLANKS,
).map(lambda drawn: f"[{drawn[2]}{drawn[1].join(drawn[0])}{drawn[2]}]")
SAID = st.sampled_from(
    ["null", "false", '"found"', '"see [1]"', '"]"', "[]", "[[]]", '{"data": []}', '""']
)
AROUND = st.just([]) | st.lists(
    st.tuples(st.sampled_from(["msg", "msg", "more", "more", "error", "data"]), SAID), max_size=2
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """An answer, mostly a whole one."""
    before = [("code", draw(st.sampled_from(["200"] * 6 + ['"200"', "403", "null"])))]
    fields = [*before, *draw(AROUND), ("data", draw(LISTS)), *draw(AROUND)]
    text = draw(st.sampled_from(["", "", "", "\ufeff"])) + objects(fields, draw(BLANKS))
    body = text.encode()
    if draw(st.integers(0, 9)) == 0:  # a byte more, or some less
        place = draw(st.integers(0, len(body)))
        more = draw(
            st.sampled_from(
                [b"", b"]", b"[", b"}", b"{", b",", b'"', b"\\", b"\xff", b"\n", b"\xed\xa0\x80"]
            )
        )
        body = body[:place] + more + body[place + draw(st.integers(0, 3)) :]
    return body


PARTS = st.sampled_from([1, 60, 150, 400, envelope.PART])


@settings(max_examples=tries(600))
@given(bodies(), PARTS)
def test_a_large_answer_is_judged_as_any_other(body: bytes, part: int) -> None:
    """Any answer, whole or damaged, has the same judgement and the same rows both ways."""
    with every_answer_is_large(part):
        large = facts(judge_answer(200, body))
    assert large == facts(judge_answer(200, body))


AS_IT_IS = b'{"operation": "A", "description": "B", "items": "1", "date": "2026-11-10"}'
LOOKALIKES = {
    "another field": AS_IT_IS.replace(b"items", b"itemz"),
    "another order": b'{"description": "B", "operation": "A", "items": "1", "date": "2026-11-10"}',
    "a field twice": AS_IT_IS.replace(b"description", b"operation"),
    "a tab in a text": AS_IT_IS.replace(b"A", b"A\tB"),
    "a line in a text": AS_IT_IS.replace(b"A", b"A\nB"),
    "a NUL in a text": AS_IT_IS.replace(b"A", b"A\x00B"),
    "half a character": AS_IT_IS.replace(b"A", b"\xed\xa0\x80"),
    "no UTF-8": AS_IT_IS.replace(b"A", b"\xff"),
    "another mark": AS_IT_IS.replace(b": ", b"; "),
    "no comma": AS_IT_IS.replace(b", ", b"  "),
    "no quote": AS_IT_IS.replace(b'"1"', b"1"),
    "half a number": AS_IT_IS.replace(b'"1"', b'1""2'),
    "an escaped quote": AS_IT_IS.replace(b'"A"', b'"A\\"'),
    "an escape that is none": AS_IT_IS.replace(b"A", b"\\x"),
    "half a character, escaped": AS_IT_IS.replace(b"A", b"\\ud800"),
    "what is between rows": AS_IT_IS.replace(b"A", b"}, {"),
    "a row more": AS_IT_IS + b" " + AS_IT_IS,
    "a null": b"null",
    "the list's end": AS_IT_IS + b'], "more": [' + AS_IT_IS,
    "another list": AS_IT_IS + b"], [" + AS_IT_IS,
    "nothing": b"",
}


@pytest.mark.parametrize("alone", [True, False], ids=["all rows", "one row"])
@pytest.mark.parametrize("row", LOOKALIKES.values(), ids=LOOKALIKES.keys())
def test_a_row_that_looks_plain(row: bytes, alone: bool) -> None:
    """What differs from a plain row by little is judged as in any other answer, whether all rows
    are like that or one among plain ones."""
    rows = [row, row, row] if alone else [AS_IT_IS, row, AS_IT_IS]
    body = b'{"code": 200, "data": [%b]}' % b", ".join(rows)
    with every_answer_is_large():
        large = facts(judge_answer(200, body))
    assert large == facts(judge_answer(200, body))


@pytest.mark.parametrize(
    "around",
    [
        b'{"code": 200, "more": [%b], "data": null}',
        b'{"code": 200, "more": [%b], "data": []}',
        b'{"code": 200, "data": [], "more": [%b]}',
        b'{"code": 200, "data": {"data": [%b]}}',
        b'{"code": 200, "data": [[%b]]}',
        b'{"code": 200, "data": [%b], "data": []}',
        b'{"code": 200, "data": [%b], "msg": "]"}',
        b'{"code": 200, "msg": "[", "data": [%b]}',
        b'{"code": 200, "msg": "[1]", "data": [%b]}',
        b'{"code": 200, "data": "[%b]"}',
        b'\xef\xbb\xbf{"code": 200, "data": [%b]}',
        b'{"code": 200, "data": [%b]} {}',
        b'[{"code": 200, "data": [%b]}]',
        b"[%b]",
        b'{"code": 200, "data": [%b]',
        b'{"code": 200, "data": %b}',
    ],
)
def test_rows_in_another_place(around: bytes) -> None:
    """Rows that are not what `data` of the envelope is are not taken for it."""
    body = around % b", ".join([AS_IT_IS] * 3)
    with every_answer_is_large():
        large = facts(judge_answer(200, body))
    assert large == facts(judge_answer(200, body))


OPERATION = Operation("acme", "0010", "https://x", "secret", ZoneInfo("America/Bogota"))
NOW = datetime(2026, 11, 10, 17, tzinfo=timezone.utc)


def batch_of(body: bytes) -> tuple[Batch, dict[str, str]]:
    """What is loaded of an answer, and the columns that the vendor's fields got."""
    fields: dict[str, str] = {"added": "added"}
    judgement = judge_answer(200, body)
    readings, rejected = read_rows(judgement.rows, TODAY, fields)
    answer = Answer(judgement, 200, body, len(body), "0")
    poll = Poll("p1", OPERATION, "rsync_s3_mp3", NOW, NOW, answer)
    return Batch(poll, readings, rejected), fields


def loaded(batch: Batch, met: set[ReadingKey] | None) -> list[Any]:
    """The rows of all tables, amounts with their digits."""
    tables = [readings_in(batch).rows(), newest_in(batch, met).rows(), rejected_in(batch)]
    return [[{**row, "items": str(row.get("items"))} for row in rows] for rows in tables]


@settings(max_examples=tries(300))
@given(
    st.lists(ROWS | GOOD.map(lambda fields: objects(fields, " ")), min_size=1, max_size=12), PARTS
)
def test_a_large_answer_is_read_as_any_other(rows: list[str], part: int) -> None:
    """Any rows become the same rows of each table both ways, also beside keys that later answers
    had, which are then the same too."""
    body = f'{{"code": 200, "data": [{", ".join(rows)}]}}'.encode()
    batch, fields = batch_of(body)
    with every_answer_is_large(part):
        large, large_fields = batch_of(body)
    assert (large_fields, large.rejected) == (fields, batch.rejected)
    assert list(large.readings) == list(batch.readings)
    assert (large.readings.added, large.readings.repeated) == (
        batch.readings.added,
        batch.readings.repeated,
    )
    assert poll_row(large) == poll_row(batch)
    first: set[ReadingKey] = {("ACME", "Audios", date(2026, 11, 9)), ("ACME", "ACME", TODAY)}
    met, large_met = set(first), set(first)
    assert loaded(large, None) == loaded(batch, None)
    assert loaded(large, large_met) == loaded(batch, met)
    assert large_met == met > first or large_met == met == first
    if batch.readings:
        newest_day = max(reading.date for reading in large.readings)
        assert large.readings.newest_day == batch.readings.newest_day == newest_day


def body_of(rows: list[dict[str, Any]], **form: Any) -> bytes:
    return json.dumps({"code": 200, "error": None, "data": rows}, **form).encode()


def many(count: int) -> list[dict[str, Any]]:
    """Rows of no two keys, of two operations."""
    return [
        {
            "operation": f"ACME{n % 2}",
            "description": f"Audios ñ {n % 50}",
            "items": f"{n % 977},{n % 1000:03}.5" if n % 977 else "0.25",
            "date": f"2026-{1 + n // 50 % 10:02}-{1 + n // 500 % 28:02}",
        }
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "form",
    [{}, {"separators": (",", ":")}, {"ensure_ascii": False}],
    ids=["spaced", "compact", "not ASCII"],
)
def test_a_plain_large_answer_goes_by_column(form: dict[str, Any]) -> None:
    """Of a large answer in any usual form each part is columns of texts, none is objects."""
    body = body_of(many(12_500), **form)
    judgement = judge_answer(200, body)
    assert len(body) > envelope.LARGE and isinstance(judgement.rows, Rows)
    assert len(judgement.rows.parts) > 1
    assert all(isinstance(part, TextRows) for part in judgement.rows.parts)
    readings, rejected = read_rows(judgement.rows, TODAY)
    assert isinstance(readings, LargeReadings) and (len(readings), rejected) == (12_500, [])


@pytest.mark.parametrize("odd", [{"items": 7}, {"added": "x"}, {"date": None}, {"operation": '"'}])
def test_an_odd_row_costs_its_part_alone(odd: dict[str, Any]) -> None:
    """One row that is not of four plain texts makes objects of its own part, and of no other."""
    rows = many(12_500)
    rows[-1] |= odd
    parts = judge_answer(200, body_of(rows)).rows.parts  # type: ignore[attr-defined]
    assert [isinstance(part, list) for part in parts] == [False] * (len(parts) - 1) + [True]


def imported(*sizes: int) -> list[str]:
    """What a process that reads answers of so many rows has of pyarrow after each: its allocator,
    "" where it has none."""
    code = """
import sys
from datetime import date
from wolkvox_billing import wolkvox_billing
from wolkvox_billing.vendor.readings import read_rows
from wolkvox_billing.vendor.answer import judge_answer
for body in sys.stdin.buffer:
    rows = judge_answer(200, body).rows
    assert len(read_rows(rows, date(2026, 11, 10))[0]) == len(rows)
    pyarrow = sys.modules.get("pyarrow")
    print(pyarrow.default_memory_pool().backend_name if pyarrow else "")
"""
    command = [sys.executable, "-c", code]
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    bodies = b"\n".join(body_of(many(size)) for size in sizes)
    return subprocess.check_output(command, input=bodies, env=paths).decode().splitlines()


def test_pyarrow_is_imported_for_a_large_answer_alone() -> None:
    """Neither the package nor an answer of a few rows imports pyarrow, which takes 45 MB; with a
    large one it comes with an allocator that gives memory back."""
    assert imported(300, 12_500) == ["", "system"]


def answer_of(*rows: tuple[str, str, str]) -> Readings:
    """The readings of these descriptions, amounts and days."""
    readings, rejected = read_rows(
        [{**ROW, "description": name, "items": items, "date": day} for name, items, day in rows],
        TODAY,
    )
    assert rejected == []
    return readings


def test_of_several_answers_the_newest_reading_of_each_key() -> None:
    """From the newest answer to the oldest, each gives the keys that none before had, by the last
    of its rows."""
    newest = answer_of(("A", "3", "2026-11-10"), ("A", "4", "2026-11-10"))
    before = answer_of(("A", "2", "2026-11-10"), ("B", "2", "2026-11-10"), ("A", "2", "2026-11-09"))
    oldest = answer_of(("A", "1", "2026-11-10"), ("B", "1", "2026-11-10"))
    met: set[ReadingKey] = set()
    newest_of_each = [
        [(row.description, int(row.items), row.date.day) for row in answer.newest(met)]
        for answer in (newest, before, oldest)
    ]
    assert newest_of_each == [[("A", 4, 10)], [("B", 2, 10), ("A", 2, 9)], []]
    assert len(met) == 3


def test_a_rejected_row_of_a_large_answer_is_kept_as_it_came() -> None:
    """A row that cannot be read is kept with its fields in the vendor's order, under its number."""
    rows = [dict(reversed(row.items())) for row in many(12_500)]
    rows[9_000]["items"] = "n/a"
    readings, [rejected] = read_rows(judge_answer(200, body_of(rows)).rows, TODAY)
    assert len(readings) == 12_499 and isinstance(rejected, RejectedRow)
    assert (rejected.row_number, json.loads(rejected.raw)) == (9_001, rows[9_000])
    assert list(json.loads(rejected.raw)) == ["date", "items", "description", "operation"]
