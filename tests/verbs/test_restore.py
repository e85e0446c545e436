"""A record that is put elsewhere: out of what `publish` wrote, or from one engine to the other."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from builders.buckets import copies_of, see
from builders.duckdb_files import let_go
from builders.loads import begin, poll
from builders.project import NOON, Project
from builders.record import Call, write_polls
from builders.worlds import once
from wolkvox_billing import SettingsError
from wolkvox_billing.cli.staying import stay_and_tell
from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.polling.schedule import Rhythm
from wolkvox_billing.verbs import restore as restore_module
from wolkvox_billing.verbs.load import refresh_marts
from wolkvox_billing.verbs.poll import PollReport
from wolkvox_billing.verbs.poll import poll as poll_alone
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.restore import copy, restore
from wolkvox_billing.verbs.status import status
from wolkvox_billing.verbs.stay import Plan
from wolkvox_billing.warehouse import published

ODD = (
    "INSERT INTO rejected_rows "
    "(poll_id, row_number, operation_id, report, raw, reason, read_at, _dlt_load_id, _dlt_id) "
    "VALUES "
    "('p', 1, 'a', 'r', '', '', now(), '1', '1'), "
    "('p', 2, 'a', 'r', 'x,\"y\"\nz \\x00', 'ñ', now(), '1', '2')"
)
RAW = ("polls", "readings", "rsync_s3_mp3", "rejected_rows", "invoice_documents", "_dlt_loads",
       "bucket_listings", "bucket_objects")  # fmt: skip


@pytest.fixture
def record(warehouse: Project) -> Project:
    """A record of which there is a copy in a file and in a folder."""
    once(warehouse, _publish)
    return warehouse


def _publish(project: Project) -> None:
    _fill(project)
    for path in ("bi/usage.duckdb", "bi/usage"):
        publish(path, destination=project.destination, clock=lambda: project.vendor.now)


def _fill(project: Project) -> None:
    """A reading, texts that are odd in CSV, the tables of papers, an answer, and a look at the
    bucket."""
    row = {"operation": "ACME", "description": "Audios", "items": "5", "date": "2026-11-10"}
    write_polls(project, Call(NOON, [row]))
    see(project, project.vendor.now, copies_of(date(2026, 11, 8), 2))
    project.execute(ODD)


def rows(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the raw tables, and of a mart, in an order of their own."""
    names = [*RAW, "wolkvox_billing_marts.usage_daily"]
    tables = {}
    for name in names:
        values = project.query(f"SELECT * FROM {name}")
        plain = [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in values]
        tables[name] = sorted(plain, key=repr)
    return tables


def lose(project: Project) -> None:
    """Let a destination be lost: the file, or all schemas."""
    if project.destination == "duckdb":
        let_go()
        (project.folder / "wolkvox.duckdb").unlink()
        return
    for name in ("_bi", "_marts", "_internal", "_staging", ""):
        project.execute(f"DROP SCHEMA IF EXISTS wolkvox_billing{name} CASCADE")


@pytest.mark.usefixtures("kept_open")
def test_a_lost_record_is_put_back(record: Project) -> None:
    """Out of a file or a folder all rows come back, byte by byte, with the marts, and the next load
    goes on."""
    before = rows(record)
    for path in ("bi/usage.duckdb", "bi/usage"):
        lose(record)
        copied = restore(path, destination=record.destination, clock=lambda: record.vendor.now)
        assert copied.problems == []
        assert copied.rows["polls"] == 1
        assert rows(record) == before
        assert poll(record, 7).is_good
        assert record.query("SELECT COUNT(*) FROM readings") == [(2,)]


@pytest.mark.usefixtures("kept_open")
def test_what_is_there_and_what_came_out_otherwise(
    record: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is put over rows that are there, which are named and stay. Where what is there
    afterwards is not what the copy has, nothing is kept, and another try begins anew."""
    path, destination = "bi/usage.duckdb", record.destination
    before = rows(record)
    with pytest.raises(SettingsError, match=r"not empty: .* polls \(1 rows\), readings"):
        restore(path, destination=destination)
    assert rows(record) == before
    lose(record)
    with monkeypatch.context() as patch:
        patch.setattr(restore_module, "_batches_at", lambda *_: iter([]))
        with pytest.raises(WarehouseError, match="nothing was kept"):
            restore(path, destination=destination)
    assert restore(path, destination=destination).rows["polls"] == 1


@pytest.mark.parametrize("path", ["nothing", "text.duckdb", "wolkvox.duckdb"])
def test_what_is_no_copy(project: Project, path: str) -> None:
    """A path that is no copy is refused, and nothing is made."""
    Path("text.duckdb").write_text("no database")
    with pytest.raises(SettingsError, match=r"is no copy that `publish`|cannot be read"):
        restore(path)
    assert not os.path.exists("wolkvox.duckdb")


@pytest.mark.usefixtures("kept_open")
def test_a_published_copy_in_the_place_of_the_record(project: Project) -> None:
    """A copy that somebody uses as the record's file is refused before anybody is asked, and what
    to do is said."""
    once(project, _publish)
    ask(project)
    let_go()
    Path("bi/usage.duckdb").replace("wolkvox.duckdb")
    calls = len(project.vendor.calls)
    plan = Plan(Rhythm(timedelta(minutes=5), timedelta(hours=1)), "duckdb", "wolkvox_billing")
    for verb in (
        project.load,
        status,
        lambda: ask(project),
        lambda: stay_and_tell(plan, as_json=False),
    ):
        with pytest.raises(SettingsError, match=r"is a copy that `publish` made.*restore"):
            verb()
    assert len(project.vendor.calls) == calls


def ask(project: Project) -> PollReport:
    return poll_alone(clock=lambda: project.vendor.now)


def test_a_record_is_looked_at_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll opens the DuckDB file only where something else has written it since the last look."""
    begin(project)
    ask(project)
    looked = Mock(side_effect=published.is_published)
    monkeypatch.setattr(published, "is_published", looked)
    ask(project)
    poll(project, 7)
    ask(project)
    assert refresh_marts(clock=lambda: project.vendor.now, gauge_month="last").is_good
    ask(project)
    assert looked.call_count == 0
    project.execute("CREATE TABLE ours (n INTEGER)")
    ask(project)
    assert looked.call_count == 1


@pytest.mark.usefixtures("kept_open")
def test_to_the_other_engine_and_back(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """A record goes to PostgreSQL and back to a DuckDB file with the same rows, raw ones and those
    of the marts; where it came from it stays as it is."""
    once(project, _fill)
    now = project.vendor.now
    before = rows(project)
    other = Project(project.folder, project.vendor, "postgres", dsn=new_database())
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", other.dsn)
    assert copy("postgres", clock=lambda: now).problems == []
    assert rows(project) == before
    assert rows(other) == before
    lose(project)
    assert copy("duckdb", destination="postgres", clock=lambda: now).problems == []
    assert rows(project) == before
    with pytest.raises(SettingsError, match="name another destination"):
        copy("postgres", destination="postgres")
