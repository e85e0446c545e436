"""Texts of an answer to typed readings, or to a reason."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from builders.readings import ROW, TODAY, answered
from wolkvox_billing.vendor.answer import Outcome, judge_answer
from wolkvox_billing.vendor.readings import Reading, Unreadable, read_date, read_items, read_rows

T = TypeVar("T")
RAW = '{"operation": "ACME", "description": "Audios", "items": "7", "date": "2026-11-10"}'


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
        ("99999999999999.99995", BIG),  # rounded it has 15
    ],
)
def test_an_amount_that_reads_in_two_ways_is_refused(text: str, reason: str) -> None:
    """A text that states no amount, two, or one that overflows the column, is refused with a
    reason that shows it."""
    with pytest.raises(Unreadable) as refused:
        read_items(text)
    assert reason in str(refused.value)
    quoted = ascii(text.strip())
    assert not text.strip() or len(quoted) > 80 or quoted in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12071.266666666667", "12071.2667"),  # 724,276 seconds in minutes
        ("12,071.26666", "12071.2667"),
        ("1.23454999", "1.2345"),
        ("1.23455", "1.2346"),
        ("1.23465", "1.2347"),  # half up, not to the even digit
        ("0.00005", "0.0001"),
        ("0.000049", "0.0000"),
        ("-0.000049", "0.0000"),
        ("-1.00005", "-1.0001"),
        ("9999999999999.99995", "10000000000000.0000"),
        ("99999999999999.99994", "99999999999999.9999"),
        ("81.333333 %", "81.3333"),
    ],
)
def test_an_amount_of_more_decimals_than_are_kept_is_rounded_half_up(
    text: str, expected: str
) -> None:
    """A text with more than 4 decimals is the nearest amount of 4; a half goes away from zero."""
    assert str(read_items(text)) == expected


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("12071.266666666667", "12071.2667"),
        ("0.00005", "0.0001"),
        ("-5e-5", "-0.0001"),
        ("1e-400", "0.0000"),
        ("0.1" + "0" * 5000 + "1", "0.1000"),
    ],
)
def test_a_json_number_of_more_decimals_is_rounded_half_up(literal: str, expected: str) -> None:
    """A JSON number is rounded like a text."""
    assert str(read_items(number(literal))) == expected


def test_an_answer_knows_how_many_amounts_it_had_to_round() -> None:
    """Readings that were rounded are counted: not those whose further decimals are zeros, nor rows
    that were rejected for something else."""
    rows = [
        {**ROW, "items": "1.23456"},
        {**ROW, "items": "-1.23456"},
        {**ROW, "items": "1.50000000"},
        {**ROW, "items": "1.2345"},
        {**ROW, "items": "1.23456", "date": ""},
    ]
    readings, rejected = read_rows(answered(*map(json.dumps, rows)).rows, TODAY)
    assert (readings.rounded, len(readings), len(rejected)) == (2, 4, 1)
    assert next(iter(readings)).items_raw == "1.23456"


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
        ("99999999999999.99995", BIG),
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
        ("Audios-26", FORM),
        ("nov 26", FORM),  # a day, or a month?
        ("2026-13", CALENDAR),
        ("202613", CALENDAR),
        ("0/2026", CALENDAR),
        ("31/02/2026", CALENDAR),
        ("29/11/26", FORM),
        ("11/29/2026", FORM),
        ("2026-12", "lies in the future"),
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
        return next(iter(readings))
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
    assert [reading.row_number for reading in readings] == [1, 4]
    assert [(row.row_number, row.raw) for row in rejected] == [
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
    refusal = read_one(row)
    assert isinstance(refusal, str) and reason in refusal


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
    reading = read_one(changed(**fields))
    assert isinstance(reading, Reading)
    assert (reading.items_raw, reading.date_raw, reading.extra) == ("7", "2026-11-10", extra)


def test_a_thousand_added_fields_make_thirty_columns() -> None:
    """A table does not grow without end because an answer does: the rest share one column."""
    many = {f"f{n}": str(n) for n in range(1000)}
    later = {f"g{n}": "late" for n in range(30)}
    readings, _ = read_rows(answered(changed(**many), changed(**later, f3="again")).rows, TODAY)
    first, second = (reading.extra for reading in readings)
    assert first.keys() == {f"f{n}" for n in range(30)} | {"other_fields"}
    assert json.loads(first["other_fields"]) == {f"f{n}": str(n) for n in range(30, 1000)}
    assert second == {"f3": "again", "other_fields": json.dumps(later)}


@pytest.mark.parametrize("levels", [10, 400, 700, 850, 950, 980, 5000])
def test_a_row_may_be_nested_however_deep(levels: int) -> None:
    """A field nested deeper than Python can write down again spoils neither its row nor the run;
    one that Python cannot even read makes the answer a bad one."""
    nested = "[" * levels + "]" * levels
    judgement = answered(RAW, RAW[:-1] + f', "deep": {nested}}}', f'{{"deep": {nested}}}')

    def read_with_less_room(frames: int) -> tuple[list[int], list[int]]:
        if frames:
            return read_with_less_room(frames - 1)
        readings, rejected = read_rows(judgement.rows, TODAY)
        return [row.row_number for row in readings], [row.row_number for row in rejected]

    fits = {Outcome.OK: ([1, 2], [3]), Outcome.BAD_ANSWER: ([], [])}
    assert read_with_less_room(200) == fits[judgement.outcome]
    assert levels > 400 or judgement.outcome is Outcome.OK


def test_a_field_that_is_there_twice_reads_in_two_ways() -> None:
    """A row with a field twice is rejected, and kept with both."""
    body = b'{"code": 200, "data": [{"operation": "A", "items": "5", "items": "700"}]}'
    readings, [rejected] = read_rows(judge_answer(200, body).rows, TODAY)
    assert (len(readings), rejected.reason) == (0, "the row has a field twice")
    assert rejected.raw == '{"operation": "A", "items": "5", "items": "700"}'


@pytest.mark.parametrize("written", ["1e5", "100.50", "-0", "5E-1", "10000000000000.00"])
def test_a_json_number_is_kept_as_it_was_written(written: str) -> None:
    """The raw text of a number is what the vendor wrote, digit for digit."""
    row = f'{{"operation": "A", "description": "B", "items": {written}, "date": "2026-11-10"}}'
    body = f'{{"code": 200, "data": [{row}]}}'.encode()
    [reading], _ = read_rows(judge_answer(200, body).rows, TODAY)
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
    assert [reading.items for reading in readings] == [*range(1, 61), -5]
    assert rejected == []
