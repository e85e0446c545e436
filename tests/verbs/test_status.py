"""`status`: what is loaded, how fresh it is, and what it warns of."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from builders.project import SERVERS, TOKENS, Project, configure
from builders.record import Call, write_polls
from wolkvox_billing.verbs.status import Product, Status, status

pytestmark = pytest.mark.usefixtures("kept_open")
BOGOTA = ZoneInfo("America/Bogota")
REPORT = "rsync_s3_mp3"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BOGOTA)


MEASURES = {REPORT: "month_to_date"}


def call(moment: str, operation: str = "acme", name: str = "ACME", **items: str) -> Call:
    """A call at a moment in Bogotá; the vendor's counter shows these amounts, by product."""
    rows = [
        {"operation": name, "description": product, "items": amount, "date": moment[:10]}
        for product, amount in items.items()
    ]
    return Call(at(moment), rows, operation=operation)


def refusal(moment: str) -> Call:
    return Call(at(moment), b"maintenance")


def write(project: Project, *calls: Call) -> None:
    write_polls(project, *calls, measures=MEASURES)


def status_at(project: Project, moment: str) -> Status:
    """Return what `status` tells at a moment in Bogotá."""
    return status(destination=project.destination, clock=lambda: at(moment))


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__MEASURES", json.dumps(MEASURES))


def test_this_month_so_far(warehouse: Project) -> None:
    """Each product's month so far and its newest day's change; last month's do not show."""
    write(
        warehouse,
        call("2026-10-31 23:50", Audios="900", Old="7"),
        call("2026-11-09 23:50", Audios="100", Video="5"),
        call("2026-11-12 10:00", Audios="160", Video="5"),
    )
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
    write(warehouse, call("2026-10-31 23:50", Audios="900"), refusal("2026-11-01 08:00"))
    state = status_at(warehouse, "2026-11-01 08:00")
    [row] = state.rows
    assert (row.products, row.read_at) == ([], at("2026-10-31 23:50"))
    assert (row.polls_24h, row.refusals_24h) == (2, 1)
    assert row.days_without_answer == [date(2026, 11, 1)]


def counter(amounts: dict[int, int], operation: str = "acme") -> list[Call]:
    """A call at the end of each day of November."""
    return [
        call(f"2026-11-{day:02} 23:50", operation, Audios=str(amount))
        for day, amount in amounts.items()
    ]


MOVED = {2: 10, 3: 20, 4: 30, 5: 40, 6: 50}  # Monday to Friday
STILL = [
    ({7: 50, 8: 50, 9: 50}, ""),  # a weekend and a Monday
    ({9: 50, 10: 50}, "since 9 Nov"),
    ({9: 50, 10: 50, 11: 50}, "since 9 Nov"),
    ({9: 50, 10: 60}, ""),
    ({9: 60, 10: 60, 11: 60, 12: 60}, "since 10 Nov"),
]


def test_a_counter_that_stands_still(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A counter that moved on working days and stands still on two of them is warned of. Each is an
    operation of its own in one record."""
    by_day: dict[int, list[Call]] = defaultdict(list)
    judged: dict[int, list[str]] = defaultdict(list)  # who is, at the end of which day
    for n, (later, _) in enumerate(STILL):
        monkeypatch.setitem(SERVERS, f"op-{n}", f"{20 + n:04}")
        monkeypatch.setitem(TOKENS, f"op-{n}", f"{n:02x}" * 32)
        for own in counter(MOVED | later, f"op-{n}"):
            by_day[own.at.day].append(own)
        judged[max(later)].append(f"op-{n}")
    configure(monkeypatch, project.vendor, *(f"op-{n}" for n in range(len(STILL))))
    told: dict[str, list[str]] = {}
    unwritten: list[Call] = []
    for day in range(2, 13):
        unwritten += by_day[day]
        if day in judged:
            write(project, *unwritten)
            unwritten = []
            warnings = status_at(project, f"2026-11-{day + 1:02} 00:10").warnings
            for name in judged[day]:
                told[name] = [warning for warning in warnings if warning.split()[0] == name]
    for (later, warned), warnings in zip(STILL, (told[name] for name in sorted(told)), strict=True):
        assert len(warnings) == bool(warned), later
        assert all("nightly copy" in w and warned in w for w in warnings), later


def test_a_counter_that_hardly_ever_moves_is_not_warned_of(project: Project) -> None:
    """A counter that stood still on most working days is no news."""
    write(project, *counter({2: 10, 3: 10, 4: 10, 5: 10, 6: 20, 9: 20, 10: 20}))
    assert status_at(project, "2026-11-11 00:10").warnings == []


def test_an_operation_that_is_not_read_as_usual(project: Project) -> None:
    """An operation that was answered every 15 minutes is late after an hour, and not before; one
    that is polled once a day is late after three days."""
    write(project, *(call(f"2026-11-10 12:{n:02}", Audios="5") for n in (0, 15, 30, 45)))
    assert status_at(project, "2026-11-10 13:40").warnings == []
    assert status_at(project, "2026-11-10 14:45").warnings == [
        "acme rsync_s3_mp3: last answered 2 h ago, usually every 15 min: is the schedule running?"
    ]


def test_a_daily_poll_is_late_after_three_days(project: Project) -> None:
    """What is usual is told by the last polls: three times that is late."""
    write(project, *(call(f"2026-11-{day:02} 12:00", Audios=f"{day}") for day in (9, 10, 11)))
    assert status_at(project, "2026-11-14 11:00").warnings == []
    assert status_at(project, "2026-11-14 13:00").warnings == [
        "acme rsync_s3_mp3: last answered 73 h ago, usually every 24 h: is the schedule running?"
    ]


def test_the_months_end_comes_near(project: Project) -> None:
    """In the last day of the vendor's month an answer older than an hour is warned of."""
    write(project, call("2026-11-29 23:30", Audios="5"))
    assert status_at(project, "2026-11-29 23:59").warnings == []
    assert status_at(project, "2026-11-30 00:20").warnings == []
    assert status_at(project, "2026-11-30 20:00").warnings == [
        "acme rsync_s3_mp3: the month ends in 4 h, and the last answer is 20 h old: what is not "
        "read before is lost"
    ]


def test_a_long_silence_is_not_forgotten(project: Project) -> None:
    """An operation whose last answers are older than a week is warned of all the same."""
    write(project, *(call(f"2026-11-{day:02} 12:00", Audios=f"{day}") for day in (2, 3)))
    assert status_at(project, "2026-11-20 12:00").warnings == [
        "acme rsync_s3_mp3: last answered 408 h ago: is the schedule running?"
    ]


def test_an_operation_under_two_names(project: Project) -> None:
    """Where the vendor shows an operation under two names, each is shown, and that is said."""
    moment = "2026-11-10 12:00"
    rows = [
        row
        for name, items in (("SUR", "7"), ("NORTE", "500"))
        for row in call(moment, name=name, Audios=items).rows
    ]
    write(project, Call(at(moment), rows))
    state = status_at(project, "2026-11-10 12:01")
    assert [(p.product, p.so_far) for p in state.rows[0].products] == [
        ("Audios (NORTE)", 500),
        ("Audios (SUR)", 7),
    ]
    assert "under 2 names this month (NORTE, SUR)" in state.warnings[0]


def test_a_renamed_operation_is_one(project: Project) -> None:
    """An operation that the vendor calls otherwise from one answer to the next goes on as one, and
    `status` says that this is how it was taken."""
    write(
        project,
        call("2026-11-09 12:00", name="ACME", Audios="500"),
        call("2026-11-10 12:00", name="ACME SAS", Audios="530"),
    )
    state = status_at(project, "2026-11-10 12:01")
    assert [(p.product, p.so_far, p.change) for p in state.rows[0].products] == [
        ("Audios", 530, 30)
    ]
    assert "called it 'ACME' before and 'ACME SAS' now" in state.warnings[0]


def test_an_absurd_change_breaks_nothing(project: Project) -> None:
    """A change that does not fit a number is shown as unknown."""
    write(
        project,
        call("2026-11-09 12:00", Audios="99999999999999"),
        call("2026-11-10 12:00", Audios="-99999999999999"),
    )
    assert status_at(project, "2026-11-10 12:01").rows[0].products[0].change is None


def test_nothing_but_refusals(project: Project) -> None:
    """An operation that was never answered is said to be so."""
    write(project, refusal("2026-11-10 12:00"))
    assert status_at(project, "2026-11-10 12:01").warnings == [
        "acme rsync_s3_mp3: was never answered in the last 40 days"
    ]
