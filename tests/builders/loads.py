"""Loads of one row, an hour apart, and what is in the tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from builders.project import NOON, TOKENS, Project
from builders.worlds import once
from wolkvox_billing.verbs.load import LoadReport

REPORT, OTHER = "rsync_s3_mp3", "ivr_minutes"
NOT_LOADED = "not loaded, kept in the working folder for the next load: "


def tell(project: Project, items: int) -> None:
    """An hour later the vendor answers one row of this amount."""
    project.later(hours=1)
    row = {"operation": "ACME", "description": "Audios", "date": "2026-11-10"}
    project.vendor.answer(TOKENS["acme"], REPORT, [{**row, "items": str(items)}])


def poll(project: Project, items: int, **more: Any) -> LoadReport:
    """A load an hour after the one before, which is answered one row of this amount."""
    tell(project, items)
    report = project.load(**more)
    assert [poll.outcome for poll in report.polls] == ["ok"]
    return report


def wait(project: Project, *items: int, **more: Any) -> list[Path]:
    """An answer of each amount, an hour after the one before, waits; gives the files."""
    for amount in items:
        tell(project, amount)
        assert project.poll(**more).is_good
    return files(project)


def begin(project: Project) -> None:
    """The first load of an empty project, which is answered one row of 5; done once in a session
    and copied."""
    once(project, _first)


def _first(project: Project) -> None:
    poll(project, 5)


def readings(project: Project) -> list[tuple[datetime, Decimal]]:
    readings = project.query("SELECT read_at, items FROM readings ORDER BY read_at")
    assert (
        project.query(f"SELECT max(read_at) FROM readings UNION ALL SELECT read_at FROM {REPORT}")
        == [(readings[-1][0],)] * 2
    )  # the report's table has the newest one
    return [(at, items) for at, items in readings]


def at(hour: int, items: int) -> tuple[datetime, Decimal]:
    return NOON + timedelta(hours=hour), Decimal(items)


def files(project: Project) -> list[Path]:
    """What waits in the spool, oldest first."""
    folder = project.folder.parent / "dlt" / "wolkvox-billing"
    return sorted(
        file for file in folder.glob("*/spool/*") if file.suffix in (".poll", ".tried", ".refused")
    )
