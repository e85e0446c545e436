"""The sequences in which a naive incremental load loses data, on DuckDB and on PostgreSQL.

Each test compares all that its operation has in the report's table and in `readings` with rows
written by hand. What an operation answers stands before its test: `tells`. They answer in the same
loads, under the same name; all of it is done once on each engine, and copied.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import zip_longest
from typing import Any, TypeAlias

import pytest

from builders.fuzzing import at_length
from builders.project import TOKENS, Project
from builders.record import with_tables
from builders.worlds import once

pytestmark = pytest.mark.usefixtures("kept_open")
REPORT = "rsync_s3_mp3"
COLUMNS = "operation, description, date, items, items_raw, date_raw, read_at"
# At 04:30 UTC on December 1 it is still November in Bogotá, and an hour later December.
FIRST = datetime(2026, 12, 1, 4, 30, tzinfo=timezone.utc)
LATER, LAST = FIRST + timedelta(hours=1), FIRST + timedelta(hours=2)
Row: TypeAlias = dict[str, object]
# What each operation answers, hour by hour: rows, or how it misbehaves.
STORIES: dict[str, tuple[list[Row] | str, ...]] = {}


def tells(operation: str, *answers: list[Row] | str) -> None:
    """Note what an operation answers, hour by hour; afterwards it is asked no more."""
    STORIES[operation] = answers


def row(items: str, day: str = "2026-11-10", product: str = "Audios", **more: object) -> Row:
    """A row as the vendor sends it."""
    return {"operation": "ACME", "description": product, "items": items, "date": day, **more}


def stored(
    items: str, day: str = "2026-11-10", read_at: datetime = FIRST, product: str = "Audios"
) -> tuple[Any, ...]:
    """A row as a table holds it: COLUMNS."""
    amount = Decimal(items + ".0000")
    return ("ACME", product, date.fromisoformat(day), amount, items, day, read_at)


def ask_all(project: Project) -> None:
    """Ask all operations of STORIES. The first two answers of each are loaded as they come; those
    that follow wait, and are loaded together."""
    with_tables(project)
    operations = [
        {"name": name, "server": f"{20 + number:04}", "token": f"{number:02x}" * 32}
        for number, name in enumerate(STORIES)
    ]
    for operation in operations:
        project.vendor.add_operation(**operation)
    for hour, answers in enumerate(zip_longest(*STORIES.values())):
        project.vendor.now = FIRST + timedelta(hours=hour)
        asked: list[dict[str, str]] = []
        refused: list[str] = []
        for operation, answer in zip(operations, answers, strict=True):
            if answer is None:
                continue
            asked.append(operation)
            if isinstance(answer, str):
                project.vendor.misbehave(answer, token=operation["token"])
                refused += [answer] if answer in REFUSALS else []
            else:
                project.vendor.answer(operation["token"], REPORT, answer)
        seconds = {"read_timeout_seconds": 0.2} if "never_answer" in answers else {}
        ask = project.load if hour < 2 else project.poll
        report = ask(operations=asked, **seconds)
        assert report.problems == []
        names = {
            poll.operation.operation_id for poll in report.polls
        }  # of some there are new tries
        assert names == {operation["name"] for operation in asked}
        assert report.is_good == (not refused), refused
        about = {text.split()[0] for text in report.warnings}
        assert about <= UNREADABLE, report.warnings
        project.vendor.behave()
    report = project.load(operations=[operations[[*STORIES].index("refuses")]])
    assert [skip.reason for skip in report.skips] == ["quota"]  # it rests
    assert report.problems == []


@pytest.fixture
def record(warehouse: Project) -> Project:
    """A record with all answers of all operations."""
    once(warehouse, ask_all)
    return warehouse


def table(project: Project, operation: str = "acme") -> list[tuple[Any, ...]]:
    """An operation's rows in the report's table by its key; each row's poll is the one that read
    it."""
    strays = (
        f"SELECT poll_id FROM {REPORT} WHERE NOT EXISTS (SELECT 1 FROM polls WHERE "
        f"polls.poll_id = {REPORT}.poll_id AND polls.started_at = {REPORT}.read_at "
        f"AND polls.operation_id = {REPORT}.operation_id)"
    )
    assert project.query(strays) == []
    return project.query(
        f"SELECT {COLUMNS} FROM {REPORT} WHERE operation_id = '{operation}' ORDER BY 1, 2, 3"
    )


def readings(project: Project, operation: str = "acme") -> list[tuple[Any, ...]]:
    """All readings of an operation in the order of time; each belongs to a poll of that time."""
    strays = (
        "SELECT poll_id FROM readings WHERE NOT EXISTS (SELECT 1 FROM polls WHERE "
        "polls.poll_id = readings.poll_id AND polls.started_at = readings.read_at "
        "AND polls.operation_id = readings.operation_id)"
    )
    assert project.query(strays) == []
    return project.query(
        f"SELECT {COLUMNS} FROM readings WHERE report = '{REPORT}' "
        f"AND operation_id = '{operation}' ORDER BY read_at, row_number"
    )


def polls(project: Project, operation: str, columns: str) -> list[tuple[Any, ...]]:
    """These columns of an operation's polls, in the order of time."""
    return project.query(
        f"SELECT {columns} FROM polls WHERE operation_id = '{operation}' ORDER BY started_at"
    )


def rejected(project: Project, operation: str, columns: str) -> list[tuple[Any, ...]]:
    """These columns of an operation's rejected rows, in the order of time."""
    return project.query(
        f"SELECT {columns} FROM rejected_rows WHERE operation_id = '{operation}' "
        "ORDER BY read_at, row_number"
    )


tells("repeats", [row("5")], [row("5")])


def test_the_same_answer_twice(record: Project) -> None:
    """The same answer twice is one row in the table, read at the later time, and two readings."""
    assert table(record, "repeats") == [stored("5", read_at=LATER)]
    assert readings(record, "repeats") == [stored("5"), stored("5", read_at=LATER)]


tells("grows", [row("5")], [row("9")])


def test_a_value_that_grows_on_the_same_date(record: Project) -> None:
    """A value that grows on the same date is the newest in the table, and both are readings."""
    assert table(record, "grows") == [stored("9", read_at=LATER)]
    assert readings(record, "grows") == [stored("5"), stored("9", read_at=LATER)]


tells(
    "restates",
    [row("5", "2026-11-08"), row("7", "2026-11-10")],
    [row("4", "2026-11-08"), row("7", "2026-11-10")],
)


def test_an_earlier_date_restated(record: Project) -> None:
    """A value of an earlier date that is restated replaces the stored one, be it smaller."""
    assert table(record, "restates") == [
        stored("4", "2026-11-08", LATER),
        stored("7", "2026-11-10", LATER),
    ]
    assert readings(record, "restates") == [
        stored("5", "2026-11-08"),
        stored("7", "2026-11-10"),
        stored("4", "2026-11-08", LATER),
        stored("7", "2026-11-10", LATER),
    ]


tells(
    "late",
    [row("7", "2026-11-10")],
    [row("2", "2026-11-03")],
    [row("8", "2026-11-10"), row("3", "2026-11-04")],
)


def test_a_row_that_arrives_late(record: Project) -> None:
    """A row of an earlier date than the newest stored one is taken, on its own or beside others."""
    assert table(record, "late") == [
        stored("2", "2026-11-03", LATER),
        stored("3", "2026-11-04", LAST),
        stored("8", "2026-11-10", LAST),
    ]
    assert readings(record, "late") == [
        stored("7", "2026-11-10"),
        stored("2", "2026-11-03", LATER),
        stored("8", "2026-11-10", LAST),
        stored("3", "2026-11-04", LAST),
    ]


tells("forgets", [row("5"), row("6", product="Video")], [row("9")])


def test_a_row_that_disappears(record: Project) -> None:
    """A row that the vendor no longer sends stays in the table as it was read last."""
    assert table(record, "forgets") == [stored("9", read_at=LATER), stored("6", product="Video")]
    assert readings(record, "forgets") == [
        stored("5"),
        stored("6", product="Video"),
        stored("9", read_at=LATER),
    ]


tells(
    "turns",
    [row("900", "2026-11-30"), row("2", "2026-12-02")],
    [row("1", "2026-12-01"), row("2", "2026-12-02")],
)


def test_the_month_turned(record: Project) -> None:
    """The month turns at the vendor's midnight, and the old month's rows stay.

    At 04:30 UTC on December 1 it is still November in Bogotá: a row of December 2 is two days
    ahead of the vendor's calendar, and is rejected. After 05:00 UTC it is taken.
    """
    assert rejected(record, "turns", "row_number, reason, read_at") == [
        (2, "2026-12-02 lies in the future: the vendor's calendar says 2026-11-30", FIRST)
    ]
    of_both = [
        stored("900", "2026-11-30"),
        stored("1", "2026-12-01", LATER),
        stored("2", "2026-12-02", LATER),
    ]
    assert table(record, "turns") == of_both
    assert readings(record, "turns") == of_both


tells("five", [row("5")], [row("6")])
tells("fifty", [row("50")], [row("50")])


def test_two_operations_with_the_same_names(record: Project) -> None:
    """Two operations whose vendor names, products and dates are the same stay two."""
    assert table(record, "five") == [stored("6", read_at=LATER)]
    assert table(record, "fifty") == [stored("50", read_at=LATER)]
    assert readings(record, "five") == [stored("5"), stored("6", read_at=LATER)]
    assert readings(record, "fifty") == [stored("50"), stored("50", read_at=LATER)]


tells(
    "adds",
    [row("5")],
    [row("9", seen="2026-11-10T10:00:00-05:00")],
    [row("9", product=f"P{n}", seen=seen)
     for n, seen in enumerate(["2026-11-10", "never", 7.50, None, {"a": [1]}])],
)  # fmt: skip


def test_a_field_added(record: Project) -> None:
    """A field that the vendor adds is a column of `readings`, in which each value stays the text
    that it was, whatever it looks like; the known fields go on as before."""
    last = [stored("9", read_at=LAST, product=f"P{n}") for n in range(5)]
    assert table(record, "adds") == [stored("9", read_at=LATER), *last]
    assert readings(record, "adds") == [stored("5"), stored("9", read_at=LATER), *last]
    seen = "SELECT seen FROM readings WHERE operation_id {} 'adds' ORDER BY read_at, row_number"
    assert record.query(seen.format("=")) == [
        *[(None,), ("2026-11-10T10:00:00-05:00",), ("2026-11-10",), ("never",)],
        *[("7.5",), ("null",), ('{"a": [1]}',)],
    ]
    assert {*record.query(seen.format("<>"))} == {(None,)}
    columns = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'readings' "
        "AND table_schema = 'wolkvox_billing' AND column_name LIKE 'seen%'"
    )
    assert record.query(columns) == [("seen",)]


RENAMED: Row = {"operation": "ACME", "description": "Audios", "cantidad": "9", "date": "2026-11-10"}
MISSING: Row = {"operation": "ACME", "items": "9", "date": "2026-11-10"}
tells("renames", [row("5")], [RENAMED, row("6", product="Video")])
tells("leaves-out", [row("5")], [MISSING, row("6", product="Video")])


@pytest.mark.parametrize(
    ("operation", "raw", "reason"),
    [
        (
            "renames",
            '{"operation": "ACME", "description": "Audios", "cantidad": "9", "date": "2026-11-10"}',
            "no items in the row; it has: 'operation, description, cantidad, date'",
        ),
        (
            "leaves-out",
            '{"operation": "ACME", "items": "9", "date": "2026-11-10"}',
            "no description in the row; it has: 'operation, items, date'",
        ),
    ],
)
def test_a_field_renamed_or_missing(record: Project, operation: str, raw: str, reason: str) -> None:
    """A row with a field renamed or missing is rejected as it came; what is stored stays."""
    both = [stored("5"), stored("6", read_at=LATER, product="Video")]
    assert table(record, operation) == both
    assert readings(record, operation) == both
    columns = "report, row_number, raw, reason, read_at"
    assert rejected(record, operation, columns) == [(REPORT, 1, raw, reason, LATER)]


tells("before", [row("1")], [row("10")])
tells("between", [row("2")], "wrong_token")
tells("behind", [row("3")], [row("30")])


def test_an_operation_that_fails_between_two_that_work(record: Project) -> None:
    """One operation's refusal leaves its stored rows alone, and the others are loaded."""
    assert table(record, "before") == [stored("10", read_at=LATER)]
    assert table(record, "between") == [stored("2")]
    assert table(record, "behind") == [stored("30", read_at=LATER)]
    assert readings(record, "before") == [stored("1"), stored("10", read_at=LATER)]
    assert readings(record, "between") == [stored("2")]
    assert readings(record, "behind") == [stored("3"), stored("30", read_at=LATER)]
    assert polls(record, "before", "outcome") == [("ok",), ("ok",)]
    assert polls(record, "between", "outcome") == [("ok",), ("bad_token",)]
    assert polls(record, "behind", "outcome") == [("ok",), ("ok",)]


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
tells("refuses", [row("5", "2026-11-09"), row("7")], *REFUSALS)


def test_a_refusal_never_changes_a_stored_reading(record: Project) -> None:
    """No refusal, in words or in disguise, adds, removes or changes a row; each is in `polls`."""
    outcomes = defaultdict(set)
    for started_at, outcome in polls(record, "refuses", "started_at, outcome"):
        outcomes[started_at].add(outcome)
    assert outcomes == {
        FIRST + timedelta(hours=hour): {outcome}
        for hour, outcome in enumerate(["ok", *REFUSALS.values()])
    }
    assert table(record, "refuses") == [stored("5", "2026-11-09"), stored("7")]
    assert readings(record, "refuses") == [stored("5", "2026-11-09"), stored("7")]


@pytest.mark.parametrize(
    ("warehouse", "first"),
    at_length(
        [("duckdb", "nothing before"), ("postgres", "a good load before")],
        ("duckdb", "a good load before"), ("postgres", "nothing before"),
    ),
    indirect=["warehouse"],
)  # fmt: skip
@pytest.mark.usefixtures("tables")
def test_a_load_that_failed_after_extraction(warehouse: Project, first: str) -> None:
    """What was read while the destination refused is loaded later: in order, with its own time."""

    def tell(*rows: Row) -> None:
        warehouse.vendor.answer(TOKENS["acme"], REPORT, list(rows))

    early = FIRST - timedelta(hours=1)
    before = []
    if first == "a good load before":
        warehouse.vendor.now = early
        tell(row("4"))
        assert warehouse.load().is_good
        before = [stored("4", read_at=early)]
    warehouse.vendor.now = FIRST
    with warehouse.away():
        tell(row("5"), row("6", product="Video"))
        failed = warehouse.load()
        assert [poll.outcome for poll in failed.polls] == ["ok"]
        assert failed.problems
        assert not failed.is_good
        warehouse.vendor.now = LATER
        tell(row("7"))
        assert not warehouse.load().is_good
    warehouse.vendor.now = LAST
    tell(row("9"))
    assert warehouse.load().is_good
    assert table(warehouse) == [stored("9", read_at=LAST), stored("6", product="Video")]
    assert readings(warehouse) == [
        *before,
        stored("5"),
        stored("6", product="Video"),
        stored("7", read_at=LATER),
        stored("9", read_at=LAST),
    ]


tells("doubles", [row("5"), row("6", product="Video"), row("3")])


def test_two_rows_of_one_key_in_one_answer(record: Project) -> None:
    """Of two rows with one key both are readings, the last is in the table, and a note says so."""
    assert table(record, "doubles") == [stored("3"), stored("6", product="Video")]
    assert readings(record, "doubles") == [stored("5"), stored("6", product="Video"), stored("3")]
    assert polls(record, "doubles", "rows, rejected, note") == [
        (3, 0, "1 of the rows repeat an operation, description and date: the last of each is in "
               "rsync_s3_mp3, all are in readings")
    ]  # fmt: skip


tells("decimals", [
    row("12071.266666666667"),
    {**row("", product="Video"), "items": 0.00005},
    row("1.50000", product="Other"),
])  # fmt: skip


def test_amounts_with_more_decimals_than_are_kept(record: Project) -> None:
    """Seconds in minutes, as a text and as a JSON number, are rounded half up to 4 decimals and
    kept as they came; a note of the call says how many, and the load is good and warns of none."""
    expected = [
        ("Audios", Decimal("12071.2667"), "12071.266666666667"),
        ("Video", Decimal("0.0001"), "5e-05"),
        ("Other", Decimal("1.5000"), "1.50000"),
    ]
    columns = "SELECT description, items, items_raw FROM {} WHERE operation_id = 'decimals'"
    assert record.query(f"{columns.format('readings')} ORDER BY row_number") == expected
    assert record.query(f"{columns.format(REPORT)} ORDER BY description") == sorted(expected)
    assert polls(record, "decimals", "rows, rejected, note") == [
        (3, 0, "2 of the rows have an amount of more than 4 decimals: rounded half up to 4 in "
               "items, and as it came in items_raw")
    ]  # fmt: skip


tells("totals", [row("5"), row("1.234,5", product="Video"), row("6", product="TOTAL")])


def test_a_total_row_and_a_garbled_one(record: Project) -> None:
    """A total row and a garbled one are rejected as they came, with a reason; the rest is read."""
    assert table(record, "totals") == [stored("5")]
    assert readings(record, "totals") == [stored("5")]
    assert rejected(record, "totals", "report, row_number, raw, reason, read_at") == [
        (REPORT, 2,
         '{"operation": "ACME", "description": "Video", "items": "1.234,5", "date": "2026-11-10"}',
         "'1.234,5' is not an amount that reads in one way only: expected digits, with commas "
         "between thousands and a dot before decimals", FIRST),
        (REPORT, 3,
         '{"operation": "ACME", "description": "TOTAL", "items": "6", "date": "2026-11-10"}',
         "a TOTAL row: a sum of other rows, not a reading of its own", FIRST),
    ]  # fmt: skip
    assert polls(record, "totals", "rows, rejected") == [(3, 2)]


tells("unused", [row("5", "2026-11-09")], "not_found", "data_empty", "data_null", [row("0")])


def test_nothing_used_is_told_apart(record: Project) -> None:
    """404, an empty list, null and a "0" are four things; only the "0" is a reading."""
    assert polls(record, "unused", "http_status, code, outcome, rows, note") == [
        (200, "200", "ok", 1, None),
        (404, "404", "not_found", 0, None),
        (200, "200", "empty", 0, "`data` is an empty list"),
        (200, "200", "empty", 0, "`data` is null"),
        (200, "200", "ok", 1, None),
    ]
    zero = stored("0", read_at=FIRST + timedelta(hours=4))
    assert table(record, "unused") == [stored("5", "2026-11-09"), zero]
    assert readings(record, "unused") == [stored("5", "2026-11-09"), zero]
    assert rejected(record, "unused", "*") == []


# Of these a load warns; of all that the others answer nothing is to be said.
UNREADABLE = {"turns", "renames", "leaves-out", "totals"}
