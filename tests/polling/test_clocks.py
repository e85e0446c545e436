"""Clocks: what is set back, jumps, stands in another zone or turns the month loses no reading."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from builders.killing import Stable
from builders.project import NOON, TOKENS, Project, configure

pytestmark = pytest.mark.usefixtures("kept_open", "tables")
REPORT = "rsync_s3_mp3"
READ = "SELECT operation_id, date, items_raw, read_at, read_date FROM readings ORDER BY poll_id"
MONTHS = (
    "SELECT billing_period_start, billing_period_end, last_quantity "
    "FROM wolkvox_billing_marts.usage_monthly ORDER BY 1"
)


def tell(project: Project, items: str, day: str, operation: str = "acme") -> None:
    """From now on the vendor answers one row."""
    row = {"operation": operation, "description": "Audios", "items": items, "date": day}
    project.vendor.answer(TOKENS[operation], REPORT, [row])


def at(project: Project, moment: datetime, items: str, day: str) -> list[str]:
    """The outcomes of one load at this time."""
    project.vendor.now = moment
    tell(project, items, day)
    report = project.load()
    assert report.problems == []
    return [poll.outcome.value for poll in report.polls]


def test_a_clock_that_is_set_back(project: Project) -> None:
    """After an hour back the vendor is asked, since the answer that seems to come from the future
    holds nothing; all three are readings, and the table has the one that was read last."""
    back = NOON - timedelta(hours=1)
    assert at(project, NOON, "5", "2026-11-10") == ["ok"]
    assert at(project, back, "6", "2026-11-10") == ["ok"]
    assert at(project, back + timedelta(minutes=6), "7", "2026-11-10") == ["ok"]
    assert [row[2] for row in project.query(READ)] == ["6", "7", "5"]
    assert project.query(f"SELECT items FROM {REPORT}") == [(7,)]


def test_a_clock_that_jumps_a_month(project: Project) -> None:
    """A month ahead and back again: each call is made and kept, and each month has its own."""
    assert at(project, NOON, "5", "2026-11-10") == ["ok"]
    assert at(project, NOON + timedelta(days=30), "9", "2026-12-10") == ["ok"]
    assert at(project, NOON + timedelta(hours=1), "6", "2026-11-10") == ["ok"]
    assert len(project.query(READ)) == 3
    assert project.query(f"SELECT date, items FROM {REPORT} ORDER BY 1") == [
        (date(2026, 11, 10), 6),
        (date(2026, 12, 10), 9),
    ]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_host_in_another_zone(project: Project, runs: Stable, tmp_path: Path, zone: str) -> None:
    """Whatever the machine's zone is, days and months are the vendor's: 14 hours ahead of UTC and
    11 behind, at the last minute of the vendor's November."""
    last = datetime(2026, 12, 1, 4, 59, tzinfo=timezone.utc)
    project.vendor.now = last
    tell(project, "900", "2026-11-30")
    arguments = {"destination": "duckdb", "now": last.isoformat()}
    output = tmp_path / "output"
    assert runs.run("load", arguments, more={"TZ": zone}, output=output) == 0, output.read_text()
    assert project.query(READ) == [("acme", date(2026, 11, 30), "900", last, date(2026, 11, 30))]
    assert project.query("SELECT poll_date FROM polls") == [(date(2026, 11, 30),)]
    assert project.query(MONTHS) == [(date(2026, 11, 1), date(2026, 12, 1), 900)]


def test_the_month_turns_within_a_run(warehouse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two operations one is asked in the month's last second, the other in the first one of the
    new month: each reading is in the month in which it was asked for."""
    configure(monkeypatch, warehouse.vendor, "acme", "beta")
    last = warehouse.vendor.now = datetime(2026, 12, 1, 4, 59, 59, tzinfo=timezone.utc)
    tell(warehouse, "900", "2026-11-30")
    tell(warehouse, "1", "2026-12-01", "beta")
    real, asked = warehouse.vendor.call, []

    def call(*args: Any) -> Any:
        skip = real(*args)
        if asked:
            return skip
        asked.append(skip)
        warehouse.later(seconds=2)
        return skip

    monkeypatch.setattr(warehouse.vendor, "call", call)
    report = warehouse.load(max_parallel=1)
    assert report.is_good
    turned = last + timedelta(seconds=2)
    assert warehouse.query(READ) == [
        ("acme", date(2026, 11, 30), "900", last, date(2026, 11, 30)),
        ("beta", date(2026, 12, 1), "1", turned, date(2026, 12, 1)),
    ]
    assert warehouse.query(MONTHS) == [
        (date(2026, 11, 1), date(2026, 12, 1), 900),
        (date(2026, 12, 1), date(2027, 1, 1), 1),
    ]


def test_a_leap_day(project: Project) -> None:
    """29 February is a day of its month where there is one, and no date where there is none."""
    leap = datetime(2028, 2, 29, 17, 0, tzinfo=timezone.utc)
    assert at(project, leap, "5", "2028-02-29") == ["ok"]
    project.vendor.now = leap + timedelta(hours=1)
    tell(project, "6", "2027-02-29")
    [problem] = project.load().problems
    assert "the only row could not be read ('2027-02-29' is not a time of the calendar)" in problem
    assert project.query(READ) == [("acme", date(2028, 2, 29), "5", leap, date(2028, 2, 29))]
    assert project.query("SELECT reason FROM rejected_rows") == [
        ("'2027-02-29' is not a time of the calendar",)
    ]
    assert project.query(MONTHS) == [(date(2028, 2, 1), date(2028, 3, 1), 5)]
