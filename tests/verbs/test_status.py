"""`status`: what is loaded, how fresh it is, and what it warns of."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from builders.loads import files
from builders.project import TOKENS, Project
from wolkvox_billing.verbs.status import Product, Status, status

pytestmark = pytest.mark.usefixtures("kept_open", "tables")
BOGOTA = ZoneInfo("America/Bogota")
REPORT = "rsync_s3_mp3"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BOGOTA)


def poll(project: Project, moment: str, **items: str) -> None:
    """Run a `poll` at a moment in Bogotá; the vendor's counter shows these amounts, by product."""
    project.vendor.now = at(moment)
    rows = [
        {"operation": "ACME", "description": product, "items": amount, "date": moment[:10]}
        for product, amount in items.items()
    ]
    project.vendor.answer(TOKENS["acme"], REPORT, rows)
    assert project.poll(pace_minutes=0).is_good


def status_at(project: Project, moment: str) -> Status:
    """Return what `status` tells at a moment in Bogotá, once what waits is loaded."""
    if files(project):
        assert project.load(pace_minutes=44640).is_good
    return status(destination=project.destination, clock=lambda: at(moment))


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    measures = json.dumps({REPORT: "month_to_date"})
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__MEASURES", measures)


def test_this_month_so_far(warehouse: Project) -> None:
    """Each product's month so far and its newest day's change; last month's do not show."""
    poll(warehouse, "2026-10-31 23:50", Audios="900", Old="7")
    poll(warehouse, "2026-11-09 23:50", Audios="100", Video="5")
    poll(warehouse, "2026-11-12 10:00", Audios="160", Video="5")
    [row] = status_at(warehouse, "2026-11-12 12:30").rows
    day = date(2026, 11, 12)
    assert row.products == [
        Product("Audios", "month_to_date", Decimal(160), Decimal(160), day, Decimal(60), 3),
        Product("Video", "month_to_date", Decimal(5), Decimal(5), day, Decimal(0), 3),
    ]
    assert row.age == timedelta(hours=2, minutes=30)
    assert (row.polls_24h, row.refusals_24h) == (1, 0)
    assert [day.day for day in row.days_without_answer] == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11]


def test_a_month_without_a_reading_yet(warehouse: Project) -> None:
    """On the first of a month, before its first answer, nothing is shown as this month's."""
    poll(warehouse, "2026-10-31 23:50", Audios="900")
    warehouse.vendor.misbehave("wrong_token")
    warehouse.vendor.now = at("2026-11-01 08:00")
    warehouse.load()
    state = status_at(warehouse, "2026-11-01 08:00")
    [row] = state.rows
    assert (row.products, row.read_at) == ([], at("2026-10-31 23:50"))
    assert (row.polls_24h, row.refusals_24h) == (2, 1)
    assert row.days_without_answer == [date(2026, 11, 1)]


def counter(project: Project, amounts: dict[int, int]) -> None:
    for number, amount in amounts.items():
        poll(project, f"2026-11-{number:02} 23:50", Audios=str(amount))


MOVED = {2: 10, 3: 20, 4: 30, 5: 40, 6: 50}  # Monday to Friday


STILL = [
    ({7: 50, 8: 50, 9: 50}, ""),  # a weekend and a Monday
    ({9: 50, 10: 50}, "since 9 Nov"),
    ({9: 50, 10: 50, 11: 50}, "since 9 Nov"),
    ({9: 50, 10: 60}, ""),
    ({9: 60, 10: 60, 11: 60, 12: 60}, "since 10 Nov"),
]


def test_a_counter_that_stands_still(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A counter that moved on working days and stands still on two of them is warned of."""
    operations, judged = project.operations(len(STILL)), 0
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps(operations))
    judged_on = {max(later) for later, _ in STILL}
    for day in range(2, 13):
        project.vendor.now, due = at(f"2026-11-{day:02} 23:50"), []
        for operation, (later, _) in zip(operations, STILL, strict=True):
            if amount := (MOVED | later).get(day):
                row = {"operation": operation["name"], "description": "Audios",
                       "items": str(amount), "date": f"2026-11-{day:02}"}  # fmt: skip
                project.vendor.answer(operation["token"], REPORT, [row])
                due.append(operation)
        ask = project.load if day in judged_on else project.poll
        if due:
            assert ask(operations=due, pace_minutes=0).is_good
        for operation, (later, warned) in zip(operations, STILL, strict=True):
            if max(later) == day:
                all_warnings = status_at(project, f"2026-11-{day + 1:02} 00:10").warnings
                by_operation: dict[str, list[str]] = {other["name"]: [] for other in operations}
                for warning in all_warnings:
                    by_operation[warning.split()[0]].append(warning)
                warnings = by_operation[operation["name"]]
                assert len(warnings) == bool(warned), later
                assert all("nightly copy" in w and warned in w for w in warnings), later
                judged += 1
    assert judged == len(STILL)


def test_a_counter_that_hardly_ever_moves_is_not_warned_of(project: Project) -> None:
    """A counter that stood still on most working days is no news."""
    counter(project, {2: 10, 3: 10, 4: 10, 5: 10, 6: 20, 9: 20, 10: 20})
    assert status_at(project, "2026-11-11 00:10").warnings == []


def test_an_operation_that_is_not_read_as_usual(project: Project) -> None:
    """An operation that was answered every 15 minutes is late after an hour, and not before; one
    that is polled once a day is late after three days."""
    for minute in (0, 15, 30, 45):
        poll(project, f"2026-11-10 12:{minute:02}", Audios="5")
    assert status_at(project, "2026-11-10 13:40").warnings == []
    assert status_at(project, "2026-11-10 14:45").warnings == [
        "acme rsync_s3_mp3: last answered 2 h ago, usually every 15 min: is the schedule running?"
    ]


def test_a_daily_poll_is_late_after_three_days(project: Project) -> None:
    """What is usual is told by the last polls: three times that is late."""
    for day in (9, 10, 11):
        poll(project, f"2026-11-{day:02} 12:00", Audios=str(day))
    assert status_at(project, "2026-11-14 11:00").warnings == []
    assert status_at(project, "2026-11-14 13:00").warnings == [
        "acme rsync_s3_mp3: last answered 73 h ago, usually every 24 h: is the schedule running?"
    ]


def test_the_months_end_comes_near(project: Project) -> None:
    """In the last day of the vendor's month an answer older than an hour is warned of."""
    poll(project, "2026-11-29 23:30", Audios="5")
    assert status_at(project, "2026-11-29 23:59").warnings == []
    assert status_at(project, "2026-11-30 00:20").warnings == []
    assert status_at(project, "2026-11-30 20:00").warnings == [
        "acme rsync_s3_mp3: the month ends in 4 h, and the last answer is 20 h old: what is not "
        "read before is lost"
    ]


def test_a_long_silence_is_not_forgotten(project: Project) -> None:
    """An operation whose last answers are older than a week is warned of all the same."""
    for day in (2, 3):
        poll(project, f"2026-11-{day:02} 12:00", Audios=str(day))
    assert status_at(project, "2026-11-20 12:00").warnings == [
        "acme rsync_s3_mp3: last answered 408 h ago: is the schedule running?"
    ]


def test_an_operation_under_two_names(project: Project) -> None:
    """Where the vendor shows an operation under two names, each is shown, and that is said."""
    project.vendor.now = at("2026-11-10 12:00")
    rows = [
        {"operation": name, "description": "Audios", "items": items, "date": "2026-11-10"}
        for name, items in (("SUR", "7"), ("NORTE", "500"))
    ]
    project.vendor.answer(TOKENS["acme"], REPORT, rows)
    assert project.load().is_good
    state = status_at(project, "2026-11-10 12:01")
    assert [(p.product, p.so_far) for p in state.rows[0].products] == [
        ("Audios (NORTE)", 500),
        ("Audios (SUR)", 7),
    ]
    assert "under 2 names this month (NORTE, SUR)" in state.warnings[0]


def test_a_renamed_operation_is_one(project: Project) -> None:
    """An operation that the vendor calls otherwise from one answer to the next goes on as one, and
    `status` says that this is how it was taken."""
    for day, name, items in (("09", "ACME", "500"), ("10", "ACME SAS", "530")):
        project.vendor.now = at(f"2026-11-{day} 12:00")
        row = {"operation": name, "description": "Audios", "items": items,
               "date": f"2026-11-{day}"}  # fmt: skip
        project.vendor.answer(TOKENS["acme"], REPORT, [row])
        assert project.load(measures={REPORT: "month_to_date"}).is_good
    state = status_at(project, "2026-11-10 12:01")
    assert [(p.product, p.so_far, p.change) for p in state.rows[0].products] == [
        ("Audios", 530, 30)
    ]
    assert "called it 'ACME' before and 'ACME SAS' now" in state.warnings[0]


def test_an_absurd_change_breaks_nothing(project: Project) -> None:
    """A change that does not fit a number is shown as unknown."""
    poll(project, "2026-11-09 12:00", Audios="99999999999999")
    poll(project, "2026-11-10 12:00", Audios="-99999999999999")
    assert status_at(project, "2026-11-10 12:01").rows[0].products[0].change is None


def test_nothing_but_refusals(project: Project) -> None:
    """An operation that was never answered is said to be so."""
    project.vendor.misbehave("wrong_token")
    project.vendor.now = at("2026-11-10 12:00")
    project.load()
    assert status_at(project, "2026-11-10 12:01").warnings == [
        "acme rsync_s3_mp3: was never answered in the last 40 days"
    ]
