"""Texts of an answer to typed readings, or to a reason; and any answer at all to an outcome."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
import simplejson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wolkvox_billing import readings as readings_module
from wolkvox_billing import verdict as verdict_module
from wolkvox_billing.readings import Reading, Unreadable, read_date, read_items, read_rows
from wolkvox_billing.verdict import Outcome, Texts, Verdict, judge

T = TypeVar("T")
TODAY = date(2026, 11, 10)
ROW = {"operation": "ACME", "description": "Audios", "items": "7", "date": "2026-11-10"}
RAW = '{"operation": "ACME", "description": "Audios", "items": "7", "date": "2026-11-10"}'


def answered(*rows: str) -> Verdict:
    """The verdict on an answer with these rows, each in JSON."""
    return judge(200, b'{"code": 200, "error": null, "data": [%b]}' % ", ".join(rows).encode())


def number(literal: str) -> Any:
    """A JSON number as it comes out of an answer."""
    [value] = answered(literal).rows
    return value


# What `items` states.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "0.0000"),
        ("4", "4.0000"),
        ("1856", "1856.0000"),
        ("007", "7.0000"),
        ("-3", "-3.0000"),
        ("+3", "3.0000"),
        ("-0", "0.0000"),
        (" 12 ", "12.0000"),
        ("\t12\r\n", "12.0000"),
        ("\xa012\u2003", "12.0000"),
        ("1,234", "1234.0000"),
        ("12,345,678", "12345678.0000"),
        ("-1,234.5", "-1234.5000"),
        ("9,336.00 %", "9336.0000"),
        ("2.887", "2.8870"),
        ("12%", "12.0000"),
        ("0.0001", "0.0001"),
        ("1.50000000", "1.5000"),
        ("99999999999999.9999", "99999999999999.9999"),
        ("-99,999,999,999,999.9999", "-99999999999999.9999"),
    ],
)
def test_an_amount_that_reads_in_one_way_is_taken_exactly(text: str, expected: str) -> None:
    """A text that states one amount is that amount, with the column's four decimals."""
    assert str(read_items(text)) == expected


UNCLEAR = "reads in one way only"
BIG = "14 digits before the point are the most"
FINE = "has more than 4 decimals"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the amount is blank, which is not zero"),
        (" \t\xa0", "the amount is blank, which is not zero"),
        *(
            (text, UNCLEAR)
            for text in (
                *("1.234,5", "1.234.567", "1,23", "1,2345", "12,34,567", "1234,567", ",123"),
                *("0,123", "00,123", "1,", "1.", ".5", "1..5", "1e5", "1E5", "0x10", "1_000"),
                *(
                    "NaN",
                    "nan",
                    "Infinity",
                    "-inf",
                    "\u0663",
                    "\uff11\uff12",
                    "1\u066c234",
                    "²",
                    "½",
                ),
                *("- 3", "--3", "3-", "(3)", "+-3", "%", "5%%", "5 % 1", "1 234", "1'234"),
                *("2026-11-10", "10/11/2026", "n/a", "TOTAL", "7 audios", "$7", "true", "null"),
                *("7\x00", "\ud800", "0" * 61),
            )
        ),
        ("100000000000000", BIG),
        ("-100,000,000,000,000", BIG),
        ("9" * 60, BIG),
        ("99999999999999.99999", FINE),
        ("0.00001", FINE),
        ("1.23456", FINE),
    ],
)
def test_an_amount_that_reads_in_two_ways_is_refused(text: str, reason: str) -> None:
    """A text that states no amount, two, or one that overflows the column, is refused with a
    reason that shows it."""
    with pytest.raises(Unreadable) as refused:
        read_items(text)
    assert reason in str(refused.value)
    shown = ascii(text.strip())
    assert not text.strip() or len(shown) > 80 or shown in str(refused.value)


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("7", "7.0000"),
        ("-7", "-7.0000"),
        ("0", "0.0000"),
        ("-0.0", "0.0000"),
        ("0e99999", "0.0000"),
        ("1e5", "100000.0000"),
        ("0.1", "0.1000"),
        ("12345678901234.5678", "12345678901234.5678"),  # a float has fewer digits
        ("99999999999999.9999", "99999999999999.9999"),
    ],
)
def test_a_json_number_does_not_pass_through_a_float(literal: str, expected: str) -> None:
    """A JSON number is taken digit by digit."""
    assert str(read_items(number(literal))) == expected


@pytest.mark.parametrize(
    ("literal", "reason"),
    [
        ("null", "the amount is null, which is not zero"),
        ("NaN", "NaN is not a number"),
        ("-Infinity", "-Infinity is not a number"),
        ("1e14", BIG),
        ("1e400", BIG),
        ("9" * 5000, BIG),
        ("0.00001", FINE),
        ("1e-400", FINE),
        ("0.1" + "0" * 5000 + "1", FINE),
        ("true", "'true' is not an amount"),
        ("false", "'false' is not an amount"),
        ("[]", "'[]' is not an amount"),
        ("[7]", "'[7]' is not an amount"),
        ('{"n": 7}', "is not an amount"),
    ],
)
def test_a_json_value_that_is_no_amount_is_refused(literal: str, reason: str) -> None:
    """A JSON value other than a number in range and a text is refused with the reason."""
    with pytest.raises(Unreadable) as refused:
        read_items(number(literal))
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 250


# What `date` states.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-10", date(2026, 11, 10)),
        ("2026-01-18 19:34:31", date(2026, 1, 18)),
        ("2026-01-18T19:34:31", date(2026, 1, 18)),
        ("2026-01-18 19:34:31.123456", date(2026, 1, 18)),
        ("2026-01-18  19:34", date(2026, 1, 18)),
        ("2026-11-10 23:59:59", date(2026, 11, 10)),
        ("20230130", date(2023, 1, 30)),
        ("2024/5/27 10:1:18", date(2024, 5, 27)),
        ("2024/05/27", date(2024, 5, 27)),
        (" 2026-1-8 ", date(2026, 1, 8)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2000-01-01", date(2000, 1, 1)),
        ("2026-11-11", date(2026, 11, 11)),  # a day ahead
        ("2026-11-11 23:59:59", date(2026, 11, 11)),
        (Decimal("20230130"), date(2023, 1, 30)),
    ],
)
def test_a_date_in_a_known_form_is_taken(text: object, expected: date) -> None:
    """A date in a form that the vendor uses is its calendar day, whatever the time."""
    assert read_date(text, TODAY) == expected


FORM = "is not a date in a known form"
CALENDAR = "is not a time of the calendar"
FUTURE = "lies in the future: the vendor's calendar says 2026-11-10"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "the date is missing"),
        ("", "the date is missing"),
        ("  ", FORM),
        ("2026-11-12", FUTURE),
        ("2026-12-01", FUTURE),
        ("9999-12-31", FUTURE),
        ("20261112", FUTURE),
        ("1999-12-31", "1999-12-31 is before wolkvox existed"),
        ("1970-01-01", "1970-01-01 is before wolkvox existed"),
        ("0001-01-01", "0001-01-01 is before wolkvox existed"),
        ("0000-00-00", CALENDAR),
        ("0000-00-00 00:00:00", CALENDAR),
        ("00000000", CALENDAR),
        ("2026-02-29", CALENDAR),
        ("2026-13-01", CALENDAR),
        ("2026-11-31", CALENDAR),
        ("20261131", CALENDAR),
        ("2026-11-10 24:00:00", CALENDAR),
        ("2026-11-10 10:60", CALENDAR),
        ("1794330000", FORM),  # seconds since 1970
        ("1794330000000", FORM),
        (Decimal("1794330000"), FORM),
        ("2026-11/10", FORM),
        ("10-11-2026", FORM),
        ("10/11/2026", FORM),
        ("26-11-10", FORM),
        ("2026-11", FORM),
        ("202611", FORM),
        ("2026-11-10 10", FORM),
        ("2026-11-10T10:00:00Z", FORM),  # naive local time is what the vendor sends
        ("2026-11-10 10:00:00 PM", FORM),
        ("\u0662\u0660\u0662\u0666-\u0661\u0661-\u0661\u0660", FORM),  # Arabic digits
        ("".join(chr(0xFF10 + int(digit)) for digit in "20261110"), FORM),
        ("TOTAL", FORM),
        ("2026-11-10\x00", FORM),
        ("\ud800", FORM),
        (Decimal("NaN"), FORM),
        (True, FORM),
        ([], FORM),
    ],
)
def test_a_date_that_is_none_or_not_sane_is_refused(value: object, reason: str) -> None:
    """A date in another form, outside the calendar, or outside the sane range is refused."""
    with pytest.raises(Unreadable) as refused:
        read_date(value, TODAY)
    assert reason in str(refused.value)


# Rows.


def read_one(row: str) -> Reading | str:
    """The reading of a row in JSON, or the reason; what is rejected must be there as it came."""
    readings, rejected = read_rows(answered(row).rows, TODAY)
    assert len(readings) + len(rejected) == 1
    if readings:
        return readings[0]
    assert json.loads(rejected[0].raw) == json.loads(row)
    return rejected[0].reason


def changed(**fields: object) -> str:
    return json.dumps({**ROW, **fields})


def test_a_row_becomes_a_reading_as_it_came() -> None:
    """A reading holds the row's texts as they came, beside their values."""
    row = changed(operation="Ventas  Norte ", items=" 1,234 ", date="2026/11/9 10:1:18")
    assert read_one(row) == Reading(
        row_number=1,
        operation="Ventas  Norte ",
        description="Audios",
        items=Decimal("1234.0000"),
        items_raw=" 1,234 ",
        date=date(2026, 11, 9),
        date_raw="2026/11/9 10:1:18",
        extra={},
    )


def test_every_row_is_in_one_list_under_its_number() -> None:
    """Good rows and bad ones keep their numbers, and a bad one is kept in JSON, as it came."""
    readings, rejected = read_rows(
        answered(RAW, '{"items": 1.50}', RAW.replace("7", "n/a"), RAW, "7").rows, TODAY
    )
    assert [one.row_number for one in readings] == [1, 4]
    assert [(one.row_number, one.raw) for one in rejected] == [
        (2, '{"items": 1.50}'),
        (3, RAW.replace("7", "n/a")),
        (5, "7"),
    ]


TOTAL = "a TOTAL row: a sum of other rows, not a reading of its own"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("null", "the row is not an object with named fields"),
        ('"7"', "the row is not an object with named fields"),
        ("[]", "the row is not an object with named fields"),
        ("{}", "no operation, description, items, date in the row"),
        (
            '{"operation": "A", "description": "B", "cantidad": "7", "date": "2026-11-10"}',
            "no items in the row; it has: 'operation, description, cantidad, date'",
        ),
        ('{"operation": "A", "items": "7", "date": "2026-11-10"}', "no description in the row"),
        (changed(description="TOTAL"), TOTAL),
        (changed(operation=" Total: "), TOTAL),
        (changed(date="total"), TOTAL),
        (changed(operation=None), "operation is 'null', not a text"),
        (changed(description=7), "description is '7', not a text"),
        (changed(operation="A\x00"), "operation holds a character that databases cannot store"),
        (changed(description="\ud800"), "description holds a character that databases cannot"),
        (changed(items=None), "the amount is null, which is not zero"),
        (changed(items=""), "the amount is blank, which is not zero"),
        (changed(items="7\x00"), UNCLEAR),
        (changed(date=""), "the date is missing"),
        (changed(date="2026-11-12"), FUTURE),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_as_it_came(row: str, reason: str) -> None:
    """A row that is no reading is kept in JSON, beside a reason that a person understands."""
    found = read_one(row)
    assert isinstance(found, str) and reason in found


@pytest.mark.parametrize("name", ["TOTAL MINUTES", "TOTALS", "Subtotal", ""])
def test_a_product_is_not_a_total_for_its_name(name: str) -> None:
    """Only the word TOTAL alone makes a total; any other product, and a blank one, is read."""
    assert isinstance(read_one(changed(description=name)), Reading)


@pytest.mark.parametrize(
    ("fields", "extra"),
    [
        ({"server": "0010"}, {"server": "0010"}),
        ({"Server": "0010"}, {"server": "0010"}),
        ({"unit": None, "n": 1}, {"unit": "null", "n": "1"}),
        ({"tags": ["a", {"b": 1}]}, {"tags": '["a", {"b": 1}]'}),
        ({"server": "a", "SERVER": "b"}, {"server": "a", "other_fields": '{"SERVER": "b"}'}),
        *(
            ({name: "mine"}, {"other_fields": json.dumps({name: "mine"}, ensure_ascii=False)})
            for name in (
                *("poll_id", "Poll_Id", "report", "row_number", "operation_id", "items_raw"),
                *(
                    "date_raw",
                    "read_at",
                    "other_fields",
                    "Items",
                    "DATE",
                    "_dlt_id",
                    "_dlt_load_id",
                ),
                *(
                    "",
                    " ",
                    "a b",
                    "a.b",
                    "a__b",
                    "año",
                    "1st",
                    'a"; DROP TABLE polls; --',
                    "x" * 41,
                ),
            )
        ),
        ({"note": "a\x00b"}, {"other_fields": '{"note": "a\\u0000b"}'}),
        ({"note": "\ud800"}, {"other_fields": '{"note": "\\ud800"}'}),
        ({"a\x00": "b"}, {"other_fields": '{"a\\u0000": "b"}'}),
    ],
)
def test_an_added_field_overwrites_none_of_ours(
    fields: dict[str, Any], extra: dict[str, str]
) -> None:
    """A field that the vendor adds is kept: in a column of its own where it has a plain name that
    is not one of ours, else in `other_fields`."""
    found = read_one(changed(**fields))
    assert isinstance(found, Reading)
    assert (found.items_raw, found.date_raw, found.extra) == ("7", "2026-11-10", extra)


def test_a_thousand_added_fields_make_thirty_columns() -> None:
    """A table does not grow without end because an answer does: the rest share one column."""
    many = {f"f{n}": str(n) for n in range(1000)}
    later = {f"g{n}": "late" for n in range(30)}
    readings, _ = read_rows(answered(changed(**many), changed(**later, f3="again")).rows, TODAY)
    first, second = (one.extra for one in readings)
    assert first.keys() == {f"f{n}" for n in range(30)} | {"other_fields"}
    assert json.loads(first["other_fields"]) == {f"f{n}": str(n) for n in range(30, 1000)}
    assert second == {"f3": "again", "other_fields": json.dumps(later)}


@pytest.mark.parametrize("levels", [10, 400, 700, 850, 950, 980, 5000])
def test_a_row_may_be_nested_however_deep(levels: int) -> None:
    """A field nested deeper than Python can write down again spoils neither its row nor the run;
    one that Python cannot even read makes the answer a bad one."""
    nested = "[" * levels + "]" * levels
    verdict = answered(RAW, RAW[:-1] + f', "deep": {nested}}}', f'{{"deep": {nested}}}')

    def read_with_less_room(frames: int) -> tuple[list[int], list[int]]:
        if frames:
            return read_with_less_room(frames - 1)
        readings, rejected = read_rows(verdict.rows, TODAY)
        return [one.row_number for one in readings], [one.row_number for one in rejected]

    fits = {Outcome.OK: ([1, 2], [3]), Outcome.BAD_ANSWER: ([], [])}
    assert read_with_less_room(200) == fits[verdict.outcome]
    assert levels > 400 or verdict.outcome is Outcome.OK


# Anything at all.

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
    found = value_or_reason(lambda: read_items(text))
    if isinstance(found, str):
        assert found.isprintable()
        return
    assert found.as_tuple().exponent == -4 and abs(found) < 10**14
    assert str(read_items(str(found))) == str(found)
    assert str(read_items(f"{found:,}")) == str(found)


@given(st.decimals(-(10**14) + 1, 10**14 - 1, places=4))
def test_any_amount_that_fits_is_read_as_it_is_printed(amount: Decimal) -> None:
    """Each amount of the column, printed plainly or with commas, reads as itself."""
    assert read_items(f"{amount:f}") == amount == read_items(f" {amount:,} %")


@given(TEXTS | st.dates().map(str), st.dates(date(2000, 1, 1), date(2999, 1, 1)))
def test_any_text_is_one_day_or_one_reason(text: str, today: date) -> None:
    """Any text is one day in the sane range, and that printed reads the same, or a reason."""
    found = value_or_reason(lambda: read_date(text, today))
    if isinstance(found, str):
        assert found.isprintable()
        return
    assert date(2000, 1, 1) <= found <= today + timedelta(days=1)
    assert read_date(str(found), today) == read_date(f"{found:%Y%m%d}", today) == found


@given(st.lists(ROWS, max_size=6))
def test_any_rows_are_parted_into_two(rows: list[Any]) -> None:
    """Any JSON values as rows: each is in exactly one of the lists, as it came."""
    readings, rejected = read_rows(rows, TODAY)
    assert len(readings) + len(rejected) == len(rows)
    numbers = [one.row_number for one in readings] + [one.row_number for one in rejected]
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
        "items": st.sampled_from(["7", "1,234.5", "0", "1\n2", "12,345,678,901,234"]) | DIGITS,
        "date": st.sampled_from(["2026-11-10", "20261110", "TOTAL", "2026-13-01"]) | DIGITS,
    }
)


@given(st.lists(PLAIN, min_size=1, max_size=4) | st.lists(PLAIN | ROWS, max_size=6))
def test_rows_by_column_read_as_one_by_one(rows: list[Any]) -> None:
    """Rows are the same readings and rejections by column, where they can be, and one by one."""
    by_column = read_rows(rows, TODAY)
    held = Texts.of(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readings_module, "_read_plain", lambda *_: None)
        one_by_one = read_rows(rows, TODAY)
    for found in (by_column, read_rows(held.held_once(), TODAY) if held else by_column):
        assert list(found[0]) == list(one_by_one[0]) and found[1] == one_by_one[1]
        assert [str(one.items) for one in found[0]] == [str(one.items) for one in one_by_one[0]]


SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")])


@given(
    st.lists(PLAIN | ROWS, max_size=3), SEPARATORS, st.booleans(), st.sampled_from(["", "a", "b"])
)
@example([{"a": ":"}], (",", ":"), True, "a")
@example([{"a": '":'}], (",", ":"), False, "a")
def test_an_envelope_reads_the_same_with_and_without_a_look_at_each_object(
    rows: list[Any], separators: tuple[str, str], is_ascii: bool, twice: str
) -> None:
    """The short way of parsing makes of any envelope what the long one does, or leaves it to that
    one; it never takes one in which an object has a field twice."""
    body = {"code": 200, "data": rows}
    text = str(
        simplejson.dumps(
            body, separators=separators, ensure_ascii=is_ascii, use_decimal=True, allow_nan=True
        )
    )
    if twice and text.endswith("}]}"):
        text = text[:-3] + f', "{twice}": 1, "{twice}": 2}}]}}'
    whole = judge(200, text.encode("utf-8", "surrogatepass"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verdict_module, "_read_flat", lambda text: None)
        again = judge(200, text.encode("utf-8", "surrogatepass"))
    assert (whole.outcome, whole.note) == (again.outcome, again.note)
    assert [repr_of(row) for row in whole.rows] == [repr_of(row) for row in again.rows]
    assert [type(row) for row in whole.rows] == [type(row) for row in again.rows]


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


def judged(status: int, body: bytes) -> Verdict:
    """The verdict, which must hold together: rows with `ok` only, texts that a database takes."""
    verdict = judge(status, body)
    assert isinstance(verdict.outcome, Outcome)
    assert bool(verdict.rows) is (verdict.outcome is Outcome.OK)
    assert not (verdict.outcome.is_answer and status not in (200, 404))
    for text in (verdict.code, verdict.msg, verdict.note):
        assert "\x00" not in (text or "") and (text or "").encode() is not None
    return verdict


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
    verdict = judged(status, text.encode())
    readings, rejected = read_rows(verdict.rows, TODAY)
    assert len(readings) + len(rejected) == len(verdict.rows)
    if isinstance(body, dict) and "code" in body and str(body["code"]) not in ("200", "404"):
        unsaid = body["code"] is None or body["code"] is False
        assert unsaid or not verdict.outcome.is_answer
    assert all(math.isfinite(one.items) for one in readings)


def test_a_field_that_is_there_twice_reads_in_two_ways() -> None:
    """A row with a field twice is rejected, and kept with both."""
    body = b'{"code": 200, "data": [{"operation": "A", "items": "5", "items": "700"}]}'
    readings, [rejected] = read_rows(judge(200, body).rows, TODAY)
    assert (len(readings), rejected.reason) == (0, "the row has a field twice")
    assert rejected.raw == '{"operation": "A", "items": "5", "items": "700"}'


@pytest.mark.parametrize("written", ["1e5", "100.50", "-0", "5E-1", "10000000000000.00"])
def test_a_json_number_is_kept_as_it_was_written(written: str) -> None:
    """The raw text of a number is what the vendor wrote, digit for digit."""
    row = f'{{"operation": "A", "description": "B", "items": {written}, "date": "2026-11-10"}}'
    body = f'{{"code": 200, "data": [{row}]}}'.encode()
    [reading], _ = read_rows(judge(200, body).rows, TODAY)
    assert (reading.items_raw, reading.items) == (written, Decimal(written))


@pytest.mark.parametrize("mark", ["\uf026", "\uf02a", "\uf02f"])
def test_a_text_that_dlt_would_change_is_rejected(mark: str) -> None:
    """A name that begins with one of dlt's own marks would come out as another text."""
    row = {"operation": "A", "description": f"{mark}cd", "items": "5", "date": "2026-11-10"}
    readings, [rejected] = read_rows([row], TODAY)
    assert (len(readings), rejected.raw.isascii()) == (0, True)


def test_an_odd_amount_behind_many_short_ones() -> None:
    """One amount that is not plain among sixty that are costs no time: an answer like that held up
    all polling once."""
    rows = [ROW | {"items": str(n)} for n in range(1, 61)] + [ROW | {"items": "-5"}]
    readings, rejected = read_rows(answered(*map(json.dumps, rows)).rows, TODAY)
    assert [one.items for one in readings] == [*range(1, 61), -5]
    assert rejected == []
