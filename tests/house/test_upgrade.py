"""What the oldest dependencies have left, the locked ones read on.

`make test` sets up build/oldest-dependencies: of each package that pyproject.toml names, the oldest
version that it allows. Of dlt that is 1.31.0, which is the newest too, so far: what differs is
DuckDB (1.4), lxml, sqlglot, tenacity and the others. `make lock` makes the lock anew.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest

from builders.killing import Stable, stable
from builders.project import TOKENS, Project

ROOT = Path(__file__).parents[2]
OLDEST = ROOT / "build" / "oldest-dependencies" / "bin" / "python"
REPORT = "rsync_s3_mp3"


def count_up(project: Project, items: str) -> str:
    """Let the counter show this an hour later; return the time then."""
    project.later(hours=1)
    row = {"operation": "ACME", "description": "Audios", "items": items, "date": "2026-11-10"}
    project.vendor.answer(TOKENS["acme"], REPORT, [row])
    return project.vendor.now.isoformat()


def at(hour: int) -> datetime:
    return datetime(2026, 11, 10, hour, tzinfo=timezone.utc)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Let no other process open a DuckDB file; nothing reads or writes it."""
    with file.open("r+b") as handle:
        fcntl.lockf(handle, fcntl.LOCK_EX)
        yield


def away(project: Project) -> AbstractContextManager[None]:
    if project.destination == "postgres":
        return project.away()
    return locked(project.folder / "wolkvox.duckdb")


@pytest.fixture(scope="module")
def oldest() -> Iterator[Stable]:
    """Starts runs in the environment of the oldest dependencies, which import everything once."""
    assert OLDEST.exists(), "`make test` sets up build/oldest-dependencies, which this needs"
    with stable(OLDEST, [ROOT / "pipelines"]) as started:
        yield started


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"], indirect=True)
def test_what_the_oldest_dependencies_left_is_read_on(
    warehouse: Project, tmp_path: Path, oldest: Stable
) -> None:
    """Loaded rows, and answers that wait in the spool, of a run whose destination was away and of
    one that was killed: the next load has them all, once, in the tables that are there; and knows
    when it was answered."""
    where = {"destination": warehouse.destination, "force": True}
    assert oldest.run("load", {**where, "now": count_up(warehouse, "10")}) == 0
    with away(warehouse):
        assert oldest.run("load", {**where, "now": count_up(warehouse, "20")}) == 0
        kill = ["wolkvox_billing.polling.pace:Pace.note", "after"]
        assert oldest.run("load", {**where, "now": count_up(warehouse, "30")}, kill=kill) == -9
    read = f"SELECT items, read_at, poll_id IN (SELECT poll_id FROM {REPORT}) FROM readings"
    assert warehouse.query(read) == [(10, at(18), True)]
    assert len([*(tmp_path / "dlt").rglob("*.poll"), *(tmp_path / "dlt").rglob("*.tried")]) == 2

    report = warehouse.load()
    assert report.is_good and [skip.reason for skip in report.skips] == ["pace"]
    count_up(warehouse, "40")
    assert warehouse.load().is_good
    assert warehouse.query(f"{read} ORDER BY read_at") == [
        (10, at(18), False),
        (20, at(19), False),
        (30, at(20), False),
        (40, at(21), True),
    ]
    [(quantity,)] = warehouse.query("SELECT last_quantity FROM wolkvox_billing_marts.usage_monthly")
    assert quantity == 40
    assert not list((tmp_path / "dlt").glob("*/*/spool/*"))
