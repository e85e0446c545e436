"""The sequences in which a naive incremental load loses data, on DuckDB and on PostgreSQL.

Each test compares the whole of the report's table and of `readings` with rows written by hand.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from builders.project import NOON, TOKENS, Project, configure
from builders.worlds import once

pytestmark = pytest.mark.usefixtures("kept_open")
REPORT = "rsync_s3_mp3"
COLUMNS = "operation_id, operation, description, date, items, items_raw, date_raw, read_at"
LATER = NOON + timedelta(hours=1)
LAST = NOON + timedelta(hours=2)


def row(
    items: str, day: str = "2026-11-10", product: str = "Audios", **more: object
) -> dict[str, object]:
    """A row as the vendor sends it."""
    return {"operation": "ACME", "description": product, "items": items, "date": day, **more}


def stored(
    items: str,
    day: str = "2026-11-10",
    read_at: datetime = NOON,
    product: str = "Audios",
    operation_id: str = "acme",
) -> tuple[Any, ...]:
    """A row as a table holds it: COLUMNS."""
    amount = Decimal(items + ".0000")
    return (operation_id, "ACME", product, date.fromisoformat(day), amount, items, day, read_at)


def tell(project: Project, *rows: dict[str, object], operation: str = "acme") -> None:
    """From now on the vendor answers these rows."""
    project.vendor.answer(TOKENS[operation], REPORT, list(rows))


def begin(project: Project) -> None:
    """The first load of an empty project, of one row."""
    tell(project, row("5"))
    assert project.load().is_good


def table(project: Project) -> list[tuple[Any, ...]]:
    """The report's table by its key; each row's poll is the one that read it."""
    strays = (
        f"SELECT poll_id FROM {REPORT} WHERE NOT EXISTS (SELECT 1 FROM polls WHERE "
        f"polls.poll_id = {REPORT}.poll_id AND polls.started_at = {REPORT}.read_at "
        f"AND polls.operation_id = {REPORT}.operation_id)"
    )
    assert project.query(strays) == []
    return project.query(f"SELECT {COLUMNS} FROM {REPORT} ORDER BY 1, 2, 3, 4")


def readings(project: Project) -> list[tuple[Any, ...]]:
    """All readings in the order of time; each belongs to a poll of that time."""
    strays = (
        "SELECT poll_id FROM readings WHERE NOT EXISTS (SELECT 1 FROM polls WHERE "
        "polls.poll_id = readings.poll_id AND polls.started_at = readings.read_at)"
    )
    assert project.query(strays) == []
    return project.query(
        f"SELECT {COLUMNS} FROM readings WHERE report = '{REPORT}' "
        "ORDER BY read_at, operation_id, row_number"
    )


def test_the_same_answer_twice(warehouse: Project) -> None:
    """The same answer twice is one row in the table, read at the later time, and two readings."""
    once(warehouse, begin)
    warehouse.later(hours=1)
    assert warehouse.load().is_good
    assert table(warehouse) == [stored("5", read_at=LATER)]
    assert readings(warehouse) == [stored("5"), stored("5", read_at=LATER)]


def test_a_value_that_grows_on_the_same_date(warehouse: Project) -> None:
    """A value that grows on the same date is the newest in the table, and both are readings."""
    once(warehouse, begin)
    warehouse.later(hours=1)
    tell(warehouse, row("9"))
    assert warehouse.load().is_good
    assert table(warehouse) == [stored("9", read_at=LATER)]
    assert readings(warehouse) == [stored("5"), stored("9", read_at=LATER)]


@pytest.mark.usefixtures("tables")
def test_an_earlier_date_restated(warehouse: Project) -> None:
    """A value of an earlier date that is restated replaces the stored one, be it smaller."""
    tell(warehouse, row("5", "2026-11-08"), row("7", "2026-11-10"))
    assert warehouse.load().is_good
    warehouse.later(hours=1)
    tell(warehouse, row("4", "2026-11-08"), row("7", "2026-11-10"))
    assert warehouse.load().is_good
    assert table(warehouse) == [
        stored("4", "2026-11-08", LATER),
        stored("7", "2026-11-10", LATER),
    ]
    assert readings(warehouse) == [
        stored("5", "2026-11-08"),
        stored("7", "2026-11-10"),
        stored("4", "2026-11-08", LATER),
        stored("7", "2026-11-10", LATER),
    ]


@pytest.mark.usefixtures("tables")
def test_a_row_that_arrives_late(warehouse: Project) -> None:
    """A row of an earlier date than the newest stored one is taken, on its own or beside others."""
    tell(warehouse, row("7", "2026-11-10"))
    assert warehouse.load().is_good
    warehouse.later(hours=1)
    tell(warehouse, row("2", "2026-11-03"))
    assert warehouse.load().is_good
    warehouse.later(hours=1)
    tell(warehouse, row("8", "2026-11-10"), row("3", "2026-11-04"))
    assert warehouse.load().is_good
    assert table(warehouse) == [
        stored("2", "2026-11-03", LATER),
        stored("3", "2026-11-04", LAST),
        stored("8", "2026-11-10", LAST),
    ]
    assert readings(warehouse) == [
        stored("7", "2026-11-10"),
        stored("2", "2026-11-03", LATER),
        stored("8", "2026-11-10", LAST),
        stored("3", "2026-11-04", LAST),
    ]


@pytest.mark.usefixtures("tables")
def test_a_row_that_disappears(warehouse: Project) -> None:
    """A row that the vendor no longer sends stays in the table as it was read last."""
    tell(warehouse, row("5"), row("6", product="Video"))
    assert warehouse.load().is_good
    warehouse.later(hours=1)
    tell(warehouse, row("9"))
    assert warehouse.load().is_good
    assert table(warehouse) == [stored("9", read_at=LATER), stored("6", product="Video")]
    assert readings(warehouse) == [
        stored("5"),
        stored("6", product="Video"),
        stored("9", read_at=LATER),
    ]


@pytest.mark.usefixtures("tables")
def test_the_month_turned(warehouse: Project) -> None:
    """The month turns at the vendor's midnight, and the old month's rows stay.

    At 04:30 UTC on December 1 it is still November in Bogotá: a row of December 2 is two days
    ahead of the vendor's calendar, and is rejected. After 05:00 UTC it is taken.
    """
    november = warehouse.vendor.now = datetime(2026, 12, 1, 4, 30, tzinfo=timezone.utc)
    tell(warehouse, row("900", "2026-11-30"), row("2", "2026-12-02"))
    assert warehouse.load().is_good
    assert table(warehouse) == [stored("900", "2026-11-30", november)]
    assert warehouse.query("SELECT row_number, reason FROM rejected_rows") == [
        (2, "2026-12-02 lies in the future: the vendor's calendar says 2026-11-30")
    ]
    december = warehouse.vendor.now = datetime(2026, 12, 1, 5, 30, tzinfo=timezone.utc)
    tell(warehouse, row("1", "2026-12-01"), row("2", "2026-12-02"))
    assert warehouse.load().is_good
    assert table(warehouse) == [
        stored("900", "2026-11-30", november),
        stored("1", "2026-12-01", december),
        stored("2", "2026-12-02", december),
    ]
    assert readings(warehouse) == [
        stored("900", "2026-11-30", november),
        stored("1", "2026-12-01", december),
        stored("2", "2026-12-02", december),
    ]
    assert warehouse.query("SELECT count(*) FROM rejected_rows") == [(1,)]


@pytest.mark.usefixtures("tables")
def test_two_operations_with_the_same_names(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two operations whose vendor names, products and dates are the same stay two."""
    configure(monkeypatch, warehouse.vendor, "acme", "beta")
    tell(warehouse, row("5"))
    tell(warehouse, row("50"), operation="beta")
    assert warehouse.load().is_good
    warehouse.later(hours=1)
    tell(warehouse, row("6"))
    assert warehouse.load().is_good
    assert table(warehouse) == [
        stored("6", read_at=LATER),
        stored("50", read_at=LATER, operation_id="beta"),
    ]
    assert readings(warehouse) == [
        stored("5"),
        stored("50", operation_id="beta"),
        stored("6", read_at=LATER),
        stored("50", read_at=LATER, operation_id="beta"),
    ]


def test_a_field_added(warehouse: Project) -> None:
    """A field that the vendor adds is a column of `readings`, in which each value stays the text
    that it was, whatever it looks like; the known fields go on as before."""
    once(warehouse, begin)
    warehouse.later(hours=1)
    tell(warehouse, row("9", seen="2026-11-10T10:00:00-05:00"))
    assert warehouse.load().is_good
    warehouse.later(hours=1)
    odd = ["2026-11-10", "never", 7.50, None, {"a": [1]}]
    tell(warehouse, *[row("9", product=f"P{n}", seen=seen) for n, seen in enumerate(odd)])
    assert warehouse.load().is_good
    last = [stored("9", read_at=LAST, product=f"P{n}") for n in range(5)]
    assert table(warehouse) == [stored("9", read_at=LATER), *last]
    assert readings(warehouse) == [stored("5"), stored("9", read_at=LATER), *last]
    assert warehouse.query("SELECT seen FROM readings ORDER BY read_at, row_number") == [
        *[(None,), ("2026-11-10T10:00:00-05:00",), ("2026-11-10",), ("never",)],
        *[("7.5",), ("null",), ('{"a": [1]}',)],
    ]
    columns = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'readings' "
        "AND table_schema = 'wolkvox_billing' AND column_name LIKE 'seen%'"
    )
    assert warehouse.query(columns) == [("seen",)]


@pytest.mark.parametrize(
    ("changed", "raw", "reason"),
    [
        (
            {"operation": "ACME", "description": "Audios", "cantidad": "9", "date": "2026-11-10"},
            '{"operation": "ACME", "description": "Audios", "cantidad": "9", "date": "2026-11-10"}',
            "no items in the row; it has: 'operation, description, cantidad, date'",
        ),
        (
            {"operation": "ACME", "items": "9", "date": "2026-11-10"},
            '{"operation": "ACME", "items": "9", "date": "2026-11-10"}',
            "no description in the row; it has: 'operation, items, date'",
        ),
    ],
    ids=["renamed", "missing"],
)
def test_a_field_renamed_or_missing(
    warehouse: Project, changed: dict[str, object], raw: str, reason: str
) -> None:
    """A row with a field renamed or missing is rejected as it came; what is stored stays."""
    once(warehouse, begin)
    warehouse.later(hours=1)
    tell(warehouse, changed, row("6", product="Video"))
    assert warehouse.load().is_good
    assert table(warehouse) == [stored("5"), stored("6", read_at=LATER, product="Video")]
    assert readings(warehouse) == [stored("5"), stored("6", read_at=LATER, product="Video")]
    assert warehouse.query("SELECT operation_id, report, row_number, raw, reason, read_at "
                           "FROM rejected_rows") == [
        ("acme", REPORT, 1, raw, reason, LATER)
    ]  # fmt: skip


@pytest.mark.usefixtures("tables")
def test_an_operation_that_fails_between_two_that_work(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One operation's refusal leaves its stored rows alone, and the others are loaded."""
    configure(monkeypatch, warehouse.vendor, "acme", "beta", "gama")
    for number, name in enumerate(TOKENS, 1):
        tell(warehouse, row(str(number)), operation=name)
    assert warehouse.load().is_good
    warehouse.later(hours=1)
    for number, name in enumerate(TOKENS, 1):
        tell(warehouse, row(str(number * 10)), operation=name)
    warehouse.vendor.misbehave("wrong_token", token=TOKENS["beta"])
    assert not warehouse.load().is_good
    assert table(warehouse) == [
        stored("10", read_at=LATER),
        stored("2", operation_id="beta"),
        stored("30", read_at=LATER, operation_id="gama"),
    ]
    assert readings(warehouse) == [
        stored("1"),
        stored("2", operation_id="beta"),
        stored("3", operation_id="gama"),
        stored("10", read_at=LATER),
        stored("30", read_at=LATER, operation_id="gama"),
    ]
    outcomes = "SELECT operation_id, outcome FROM polls ORDER BY started_at, operation_id"
    assert warehouse.query(outcomes) == [
        *[("acme", "ok"), ("beta", "ok"), ("gama", "ok")],
        *[("acme", "ok"), ("beta", "bad_token"), ("gama", "ok")],
    ]


REFUSALS = {  # what the vendor does → the outcome of the call
    "wrong_token": "bad_token",
    "token_busy": "token_busy",
    "maintenance": "maintenance",
    "unknown_report": "unknown_report",
    "missing_parameters": "unknown_report",
    "error_in_200": "bad_token",
    "error_text_in_200": "bad_answer",
    "html": "bad_answer",
    "server_error": "server_error",
    "redirect": "bad_answer",
    "truncated_json": "bad_answer",
    "data_missing": "bad_answer",
    "drop": "unreachable",
    "cut": "bad_answer",
    "never_answer": "timeout",
    "quota_spent": "quota_spent",
}


@pytest.mark.usefixtures("tables")
def test_a_refusal_never_changes_a_stored_reading(warehouse: Project) -> None:
    """No refusal, in words or in disguise, adds, removes or changes a row; each is in `polls`."""
    tell(warehouse, row("5", "2026-11-09"), row("7"))
    assert warehouse.load().is_good
    kept = [stored("5", "2026-11-09"), stored("7")]
    tell(warehouse, row("0", "2026-11-09"), row("8"))  # what the refusals keep back
    asked = {}
    for refusal, outcome in REFUSALS.items():
        warehouse.later(hours=1)
        warehouse.vendor.misbehave(refusal)
        seconds = {"read_timeout_seconds": 0.2} if refusal == "never_answer" else {}
        assert not warehouse.poll(**seconds).is_good, refusal
        warehouse.vendor.behave()
        asked[warehouse.vendor.now] = {outcome}
    assert not warehouse.load().is_good  # it rests, since the last one was of a spent quota
    seen = defaultdict(set)
    for started_at, outcome in warehouse.query("SELECT started_at, outcome FROM polls"):
        seen[started_at].add(outcome)
    assert seen == {NOON: {"ok"}, **asked}
    assert table(warehouse) == kept
    assert readings(warehouse) == kept


@pytest.mark.parametrize("first", ["a good load before", "nothing before"])
@pytest.mark.usefixtures("tables")
def test_a_load_that_failed_after_extraction(warehouse: Project, first: str) -> None:
    """What was read while the destination refused is loaded later: in order, with its own time."""
    early = NOON - timedelta(hours=1)
    before = []
    if first == "a good load before":
        warehouse.vendor.now = early
        tell(warehouse, row("4"))
        assert warehouse.load().is_good
        before = [stored("4", read_at=early)]
        warehouse.vendor.now = NOON
    with warehouse.away():
        tell(warehouse, row("5"), row("6", product="Video"))
        failed = warehouse.load()
        assert [poll.outcome for poll in failed.polls] == ["ok"]
        assert failed.problems
        assert not failed.is_good
        warehouse.vendor.now = LATER
        tell(warehouse, row("7"))
        assert not warehouse.load().is_good
    warehouse.vendor.now = LAST
    tell(warehouse, row("9"))
    assert warehouse.load().is_good
    assert table(warehouse) == [stored("9", read_at=LAST), stored("6", product="Video")]
    assert readings(warehouse) == [
        *before,
        stored("5"),
        stored("6", product="Video"),
        stored("7", read_at=LATER),
        stored("9", read_at=LAST),
    ]


@pytest.mark.usefixtures("tables")
def test_two_rows_of_one_key_in_one_answer(warehouse: Project) -> None:
    """Of two rows with one key both are readings, the last is in the table, and a note says so."""
    tell(warehouse, row("5"), row("6", product="Video"), row("3"))
    assert warehouse.load().is_good
    assert table(warehouse) == [stored("3"), stored("6", product="Video")]
    assert readings(warehouse) == [stored("5"), stored("6", product="Video"), stored("3")]
    assert warehouse.query("SELECT rows, rejected, note FROM polls") == [
        (3, 0, "1 of the rows repeat an operation, description and date: the last of each is in "
               "rsync_s3_mp3, all are in readings")
    ]  # fmt: skip


@pytest.mark.usefixtures("tables")
def test_amounts_with_more_decimals_than_are_kept(warehouse: Project) -> None:
    """Seconds in minutes, as a text and as a JSON number, are rounded half up to 4 decimals and
    kept as they came; a note of the call says how many."""
    tell(
        warehouse,
        row("12071.266666666667"),
        {**row("", product="Video"), "items": 0.00005},
        row("1.50000", product="Other"),
    )
    report = warehouse.load()
    assert (report.is_good, report.warnings) == (True, [])
    expected = [
        ("Audios", Decimal("12071.2667"), "12071.266666666667"),
        ("Video", Decimal("0.0001"), "5e-05"),
        ("Other", Decimal("1.5000"), "1.50000"),
    ]
    columns = "description, items, items_raw"
    by_row = f"SELECT {columns} FROM readings ORDER BY row_number"
    assert warehouse.query(by_row) == expected
    assert warehouse.query(f"SELECT {columns} FROM {REPORT} ORDER BY description") == sorted(
        expected
    )
    assert warehouse.query("SELECT rows, rejected, note FROM polls") == [
        (3, 0, "2 of the rows have an amount of more than 4 decimals: rounded half up to 4 in "
               "items, and as it came in items_raw")
    ]  # fmt: skip


@pytest.mark.usefixtures("tables")
def test_a_total_row_and_a_garbled_one(warehouse: Project) -> None:
    """A total row and a garbled one are rejected as they came, with a reason; the rest is read."""
    tell(warehouse, row("5"), row("1.234,5", product="Video"), row("6", product="TOTAL"))
    assert warehouse.load().is_good
    assert table(warehouse) == [stored("5")]
    assert readings(warehouse) == [stored("5")]
    assert warehouse.query("SELECT operation_id, report, row_number, raw, reason, read_at "
                           "FROM rejected_rows ORDER BY row_number") == [
        ("acme", REPORT, 2,
         '{"operation": "ACME", "description": "Video", "items": "1.234,5", "date": "2026-11-10"}',
         "'1.234,5' is not an amount that reads in one way only: expected digits, with commas "
         "between thousands and a dot before decimals", NOON),
        ("acme", REPORT, 3,
         '{"operation": "ACME", "description": "TOTAL", "items": "6", "date": "2026-11-10"}',
         "a TOTAL row: a sum of other rows, not a reading of its own", NOON),
    ]  # fmt: skip
    assert warehouse.query("SELECT rows, rejected FROM polls") == [(3, 2)]


@pytest.mark.usefixtures("tables")
def test_nothing_used_is_told_apart(warehouse: Project) -> None:
    """404, an empty list, null and a "0" are four things; only the "0" is a reading."""
    tell(warehouse, row("5", "2026-11-09"))
    assert warehouse.load().is_good
    for answer in ("not_found", "data_empty", "data_null"):
        warehouse.later(hours=1)
        warehouse.vendor.misbehave(answer, times=1)
        assert warehouse.poll().is_good
    warehouse.later(hours=1)
    tell(warehouse, row("0"))
    assert warehouse.load().is_good
    told = "SELECT http_status, code, outcome, rows, note FROM polls ORDER BY started_at"
    assert warehouse.query(told) == [
        (200, "200", "ok", 1, None),
        (404, "404", "not_found", 0, None),
        (200, "200", "empty", 0, "`data` is an empty list"),
        (200, "200", "empty", 0, "`data` is null"),
        (200, "200", "ok", 1, None),
    ]
    zero = stored("0", read_at=NOON + timedelta(hours=4))
    assert table(warehouse) == [stored("5", "2026-11-09"), zero]
    assert readings(warehouse) == [stored("5", "2026-11-09"), zero]
    assert warehouse.query("SELECT * FROM rejected_rows") == []
