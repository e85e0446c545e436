"""Anything at all: any text to a reading or to a reason, and any answer to an outcome."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

import pyarrow as pa
import pytest
import simplejson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders.readings import ROW, TODAY, answered
from wolkvox_billing.vendor import readings as readings_module
from wolkvox_billing.vendor.answer import Judgement, Outcome, judge_answer
from wolkvox_billing.vendor.envelope import Rows, TextRows
from wolkvox_billing.vendor.readings import Unreadable, read_date, read_items, read_rows

T = TypeVar("T")

settings.register_profile("no deadline", deadline=None)  # a busy machine is no defect
settings.load_profile("no deadline")

DIGITS = st.text("0123456789,.+-% eE/:T", max_size=24)
TEXTS = st.text(st.characters(codec=None), max_size=24) | DIGITS
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.decimals(allow_nan=False)
    | st.just(Decimal("NaN"))
    | TEXTS
    | st.sampled_from(["TOTAL", "1,234", "2026-11-10", "20260229"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ROWS = VALUES | st.fixed_dictionaries(
    {}, optional=dict.fromkeys((*ROW, "Items", "poll_id", "added"), VALUES)
)


def value_or_reason(read: Callable[[], T]) -> T | str:
    try:
        return read()
    except Unreadable as reason:
        return str(reason)


@given(TEXTS)
@example("9" * 60)
def test_any_text_is_one_amount_or_one_reason(text: str) -> None:
    """Any text is one amount that fits the column, and that printed reads the same, or a reason."""
    number = value_or_reason(lambda: read_items(text))
    if isinstance(number, str):
        assert number.isprintable()
        return
    assert number.as_tuple().exponent == -4 and abs(number) < 10**14
    assert str(read_items(str(number))) == str(number)
    assert str(read_items(f"{number:,}")) == str(number)


@given(st.decimals(-(10**14) + 1, 10**14 - 1, places=4))
def test_any_amount_that_fits_is_read_as_it_is_printed(amount: Decimal) -> None:
    """Each amount of the column, printed plainly or with commas, reads as itself."""
    assert read_items(f"{amount:f}") == amount == read_items(f" {amount:,} %")


@given(TEXTS | st.dates().map(str), st.dates(date(2000, 1, 1), date(2999, 1, 1)))
def test_any_text_is_one_day_or_one_reason(text: str, today: date) -> None:
    """Any text is one day in the sane range, and that printed reads the same, or a reason."""
    day = value_or_reason(lambda: read_date(text, today))
    if isinstance(day, str):
        assert day.isprintable()
        return
    assert date(2000, 1, 1) <= day <= today + timedelta(days=1)
    assert read_date(str(day), today) == read_date(f"{day:%Y%m%d}", today) == day


@given(st.lists(ROWS, max_size=6))
def test_any_rows_are_parted_into_two(rows: list[Any]) -> None:
    """Any JSON values as rows: each is in exactly one of the lists, as it came."""
    readings, rejected = read_rows(rows, TODAY)
    assert len(readings) + len(rejected) == len(rows)
    numbers = [row.row_number for row in readings] + [row.row_number for row in rejected]
    assert sorted(numbers) == list(range(1, len(rows) + 1))
    for reading in readings:
        assert reading.items_raw == str(rows[reading.row_number - 1]["items"])
    for row in rejected:
        assert row.reason.isprintable() and "\x00" not in row.raw
        [again] = answered(row.raw).rows
        assert repr_of(again) == repr_of(rows[row.row_number - 1])


PLAIN = st.fixed_dictionaries(
    {
        "operation": st.sampled_from(["ACME", "ACMÉ", " total: "]) | TEXTS,
        "description": st.sampled_from(["Audios", ":x", "TOTAL", "a\x00b"]) | TEXTS,
        "items": st.sampled_from(["7", "1,234.5", "0", "1\n2", "12,345,678,901,234"])
        | st.sampled_from(["12071.266666666667", "0.00005", "1,234.50000", "1.23465"])
        | DIGITS,
        "date": st.sampled_from(["2026-11-10", "20261110", "TOTAL", "2026-13-01"]) | DIGITS,
    }
)


@given(st.lists(PLAIN, min_size=1, max_size=4) | st.lists(PLAIN | ROWS, max_size=6))
def test_rows_by_column_read_as_one_by_one(rows: list[Any]) -> None:
    """Rows are the same readings and rejections by column, where they can be, and one by one."""
    by_column = read_rows(rows, TODAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readings_module, "_read_plain", lambda *_: None)
        one_by_one = read_rows(rows, TODAY)
    assert list(by_column[0]) == list(one_by_one[0]) and by_column[1] == one_by_one[1]
    assert by_column[0].rounded == one_by_one[0].rounded
    for ours, theirs in zip(by_column[0], one_by_one[0], strict=True):
        assert str(ours.items) == str(theirs.items)


@given(st.lists(st.decimals(0, 10**13 - 1, places=20), min_size=1, max_size=4), st.integers(0, 20))
def test_any_plain_amount_is_rounded_half_up_in_each_way_of_reading(
    amounts: list[Decimal], places: int
) -> None:
    """One by one, by column and by pyarrow an amount is the whole number of ten-thousandths that is
    nearest, the upper one of two that are equally near, and the same amounts count as rounded."""
    texts = [f"{amount:.{places}f}" for amount in amounts]
    shares = [Fraction(text) * 10_000 for text in texts]
    expected = [Decimal(math.floor(share + Fraction(1, 2))).scaleb(-4) for share in shares]
    rows = [{**ROW, "items": text} for text in texts]
    columns = {name: pa.array([row[name] for row in rows]) for name in ROW}
    for way in (rows, [*rows, None], Rows([TextRows(columns, b"", 0, 0)])):
        readings, _ = read_rows(way, TODAY)
        assert [reading.items for reading in readings] == expected
        assert readings.rounded == sum(share.denominator > 1 for share in shares)


def repr_of(value: Any) -> str:
    """A form in which equal JSON is equal text, NaN and the sign of zero included."""
    if isinstance(value, dict):
        return str(sorted((repr_of(name), repr_of(inner)) for name, inner in value.items()))
    if isinstance(value, list):
        return str([repr_of(inner) for inner in value])
    if isinstance(value, str):  # JSON has no two halves of one character beside each other
        return repr(json.loads(json.dumps(value)))
    return str(value)


STATUSES = st.sampled_from([0, 200, 204, 302, 400, 401, 403, 404, 418, 429, 500, 503, 999])


def judged(status: int, body: bytes) -> Judgement:
    """The judgement, which must hold together: rows with `ok` only, texts that a database takes."""
    judgement = judge_answer(status, body)
    assert isinstance(judgement.outcome, Outcome)
    assert bool(judgement.rows) is (judgement.outcome is Outcome.OK)
    assert not (judgement.outcome.is_answer and status not in (200, 404))
    for text in (judgement.code, judgement.msg, judgement.note):
        assert "\x00" not in (text or "") and (text or "").encode() is not None
    return judgement


@given(STATUSES, st.binary(max_size=64))
@example(200, b"")
@example(200, b"\xff\xfe")
@example(200, b'{"code": 1e99999999999999999999}')
@example(200, b'{"code": ' + b"9" * 5000 + b"}")
@example(200, b"[" * 100_000)
@example(200, b'{"code": 200, "msg": ' + b"[" * 900 + b"]" * 900 + b', "data": []}')
def test_any_bytes_get_an_outcome(status: int, body: bytes) -> None:
    """Any bytes under any status are an outcome, and no traceback."""
    judged(status, body)


@given(
    STATUSES,
    VALUES
    | st.fixed_dictionaries(
        {"code": st.sampled_from([200, "200", 403, 404, "500"]) | VALUES},
        optional={"error": VALUES, "msg": VALUES, "data": st.lists(ROWS, max_size=3) | VALUES},
    ),
)
def test_any_json_gets_an_outcome(status: int, body: Any) -> None:
    """Any JSON body is an outcome, and its rows are read, with no traceback."""
    text = str(simplejson.dumps(body, use_decimal=True, allow_nan=True))
    judgement = judged(status, text.encode())
    readings, rejected = read_rows(judgement.rows, TODAY)
    assert len(readings) + len(rejected) == len(judgement.rows)
    if isinstance(body, dict) and "code" in body and str(body["code"]) not in ("200", "404"):
        unsaid = body["code"] is None or body["code"] is False
        assert unsaid or not judgement.outcome.is_answer
    assert all(math.isfinite(reading.items) for reading in readings)
