"""What stands in `dlt_gaps` is still needed: where a test fails here, dlt does it itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dlt.common import json

from builders.loads import REPORT, begin, files, poll
from builders.project import Project
from wolkvox_billing.warehouse import dlt_gaps, loading, place


def test_dlt_does_not_read_zero_bytes_yet() -> None:
    """Of zero bytes on its own way dlt makes a text."""
    written = json.typed_dumpb({"zero": b"", "mended": dlt_gaps.NO_BYTES})
    read = json.typed_loadb(written)
    assert (type(read["zero"]), read["mended"]) == (str, b"")


def test_dlt_reads_a_destinations_settings_over_and_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load reads the settings of its destination more than ten times, and once by us."""

    def reads(resolve: Any) -> int:
        count = 0

        def counted(kind: Any) -> None:
            read = kind.configuration

            def configuration(*words: Any, **named: Any) -> Any:
                nonlocal count
                count += 1
                return read(*words, **named)

            kind.configuration = configuration
            resolve(kind)

        with monkeypatch.context() as patched:
            patched.setattr(place, "resolve_once", counted)
            project.later(hours=1)
            assert project.load().is_good
        return count

    assert reads(lambda kind: None) > 10 > reads(dlt_gaps.resolve_once)


def test_dlt_copies_refused_rows_again(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """Rows that PostgreSQL refuses are copied again as if it had been away, and once by us."""
    from dlt.destinations.impl.postgres.postgres import PostgresCsvCopyJob

    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "2")  # of five tries, a second each
    begin(project)
    project.execute("ALTER TABLE wolkvox_billing.readings ADD CONSTRAINT odd CHECK (items <> 13)")
    copied: list[str] = []
    run = PostgresCsvCopyJob.run

    def noted(job: Any) -> None:
        copied.append(job.load_table_name)
        run(job)

    monkeypatch.setattr(PostgresCsvCopyJob, "run", noted)

    def copies() -> int:
        copied.clear()
        [said] = poll(project, 13).problems
        assert "could not be loaded" in said
        return copied.count("readings")

    with monkeypatch.context() as without:
        without.setattr(place, "fail_at_refused_rows", lambda kind: None)
        assert copies() == 2
    [refused] = files(project)
    refused.unlink()
    assert copies() == 1


def test_dlt_takes_a_dropped_table_for_made(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody takes its notes away, dlt fails for ever at a table that somebody dropped."""
    begin(project)
    project.execute(f"DROP TABLE wolkvox_billing.{REPORT}")
    with monkeypatch.context() as without:
        without.setattr(loading, "forget_what_is_gone", lambda *_: None)
        for items in (7, 4):
            assert poll(project, items).problems
    assert poll(project, 9).is_good
