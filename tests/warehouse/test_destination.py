"""The destination misbehaves: polling goes on, answers wait, and each is loaded once, as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from builders.duckdb_files import let_go
from builders.fuzzing import at_length
from builders.killing import Stable
from builders.loads import NOT_LOADED, OTHER, REPORT, at, begin, poll, readings, tell, wait
from builders.postgres import pg_ctl, running_postgres
from builders.project import NOON, TOKENS, Project, with_mounts
from wolkvox_billing.marts import refresh
from wolkvox_billing.warehouse import place as places

pytestmark = pytest.mark.usefixtures("kept_open")


def admin(project: Project, sql: str) -> None:
    """One statement of whoever owns the PostgreSQL server, which holds whatever a database says."""
    with closing(psycopg2.connect(f"{project.dsn.rsplit('/', 1)[0]}/postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(sql)


READ_ONLY = """
import sys
from datetime import datetime
from wolkvox_billing.verbs.load import load

report = load(clock=lambda: datetime.fromisoformat(sys.argv[1]), retry_pause_seconds=0.0)
print([one.outcome.value for one in report.polls], report.problems)
"""


@contextmanager
def altered(project: Project) -> Iterator[None]:
    """Somebody changed a table so that no answer fits: that is no fault of an answer."""
    project.execute("ALTER TABLE wolkvox_billing.readings RENAME COLUMN items TO amount")
    yield
    project.execute("ALTER TABLE wolkvox_billing.readings RENAME COLUMN amount TO items")


@contextmanager
def kept_by_somebody(project: Project) -> Iterator[None]:
    """Somebody holds the report's table in PostgreSQL."""
    with closing(psycopg2.connect(project.dsn)) as somebody:
        somebody.cursor().execute(f"LOCK TABLE wolkvox_billing.{REPORT}")
        yield


def test_a_server_that_takes_no_rows(warehouse: Project) -> None:
    """While nothing can be written, be it that the database is read-only or that somebody changed a
    table, each run asks, and says that its answer waits; the next good run loads all in order,
    once, with the times at which they were read. No answer is held to be at fault."""
    begin(warehouse)
    with altered(warehouse):
        for items in (7, 4):
            report = poll(warehouse, items)
            assert [problem[: len(NOT_LOADED)] for problem in report.problems] == [NOT_LOADED]
    if warehouse.destination == "postgres":
        name = warehouse.dsn.rsplit("/", 1)[1]
        admin(warehouse, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        [said] = poll(warehouse, 8).problems
        assert "read-only" in said
        admin(warehouse, f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    report = poll(warehouse, 9)
    assert report.is_good
    assert report.warnings == []
    told = [at(1, 5), at(2, 7), at(3, 4), at(4, 8), at(5, 9)]
    if warehouse.destination == "duckdb":
        told[3:] = [at(4, 9)]
    assert readings(warehouse) == told


def test_a_file_that_is_read_only(project: Project, runs: Stable) -> None:
    """An answer waits while the DuckDB file is on a disk that takes no writing."""
    begin(project)
    project.later(hours=1)
    file = str(project.folder / "wolkvox.duckdb")
    let_go()
    mounts = [["--bind", file, file], ["-o", "remount,ro,bind", file]]
    done = with_mounts(runs, mounts, READ_ONLY, project.vendor.now.isoformat())
    assert done.stdout.startswith(f"['ok'] ['{NOT_LOADED}"), done.stderr
    assert "Read-only file system" in done.stdout
    assert poll(project, 9).is_good
    assert readings(project) == [at(1, 5), at(2, 5), at(3, 9)]


def test_a_schema_that_somebody_dropped(warehouse: Project) -> None:
    """Answers that wait while the schema is dropped are loaded into a new one; the next polls go
    on. What was loaded before is gone: that is what was dropped."""
    begin(warehouse)
    wait(warehouse, 7)
    for schema in ("wolkvox_billing_marts", "wolkvox_billing"):
        warehouse.execute(f"DROP SCHEMA {schema} CASCADE")
    assert poll(warehouse, 9).is_good
    assert readings(warehouse) == [at(2, 7), at(3, 9)]
    warehouse.execute("DROP SCHEMA wolkvox_billing CASCADE")
    assert poll(warehouse, 6).is_good
    assert readings(warehouse) == [at(4, 6)]
    assert warehouse.query("SELECT count(*) FROM wolkvox_billing_marts.usage_daily") == [(1,)]


OWN, STAGING = f"wolkvox_billing.{REPORT}", f"wolkvox_billing_staging.{REPORT}"
EMPTY = "wolkvox_billing.rejected_rows"


@pytest.mark.parametrize(
    ("warehouse", "table"),
    at_length(
        [("duckdb", OWN), ("duckdb", STAGING), ("postgres", EMPTY), ("postgres", STAGING)],
        ("duckdb", EMPTY), ("postgres", OWN),
    ),
    indirect=["warehouse"],
)  # fmt: skip
def test_a_table_that_somebody_dropped(warehouse: Project, table: str) -> None:
    """A single table that is gone is made again by the next load, be it that answers
    wait for it, that it has no row for it, or that it is dropped while the vendor is asked. Each is
    tried on one engine, and on both where the table is that of dlt's own; faults try all."""
    sql = f"DROP TABLE {table}"
    begin(warehouse)
    wait(warehouse, 7)
    warehouse.execute(sql)
    assert poll(warehouse, 4).is_good
    assert [items for _, items in readings(warehouse)] == [5, 7, 4]
    tell(warehouse, 3)
    report = warehouse.load(on_event=lambda _: warehouse.execute(sql))
    assert [poll.outcome for poll in report.polls] == ["ok"]
    assert poll(warehouse, 9).is_good
    assert [items for _, items in readings(warehouse)] == [5, 7, 4, 3, 9]
    assert warehouse.query("SELECT count(*) FROM rejected_rows") == [(0,)]


def test_a_schema_dropped_while_the_vendor_is_asked(warehouse: Project) -> None:
    """What somebody drops in these seconds raises nothing, and is made again."""
    begin(warehouse)
    warehouse.later(hours=1)
    warehouse.vendor.answer(TOKENS["acme"], REPORT, [])
    drop = "DROP SCHEMA IF EXISTS wolkvox_billing CASCADE"
    report = warehouse.load(on_event=lambda _: warehouse.execute(drop))
    assert report.is_good
    assert poll(warehouse, 9).is_good
    assert readings(warehouse) == [at(3, 9)]


def test_a_role_that_may_not_see_all(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """The table of a report that is polled no more, and that the loader's role may not see, holds
    up no answer of another one, though it looks as if it were gone."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    assert project.load(reports=[OTHER]).is_good
    poll(project, 5)
    role = project.dsn.rsplit("/", 1)[1]  # a role is of the whole server
    schemas = "wolkvox_billing, wolkvox_billing_staging"
    for sql in (
        f"CREATE ROLE {role} LOGIN PASSWORD 'unused'",
        f"GRANT USAGE, CREATE ON SCHEMA {schemas} TO {role}",
        f"GRANT ALL ON ALL TABLES IN SCHEMA {schemas} TO {role}",
        f"REVOKE DELETE ON wolkvox_billing._dlt_version FROM {role}",
        f"REVOKE ALL ON {OTHER} FROM {role}",
    ):
        project.execute(sql)
    address = project.dsn.split("@")[1]
    monkeypatch.setenv(
        "DESTINATION__POSTGRES__CREDENTIALS", f"postgresql://{role}:unused@{address}"
    )
    tell(project, 7)
    project.load()  # the marts are another role's
    told = project.query(f"SELECT items FROM readings WHERE report = '{REPORT}' ORDER BY read_at")
    assert told == [(5,), (7,)]


def test_a_destination_by_a_name_of_its_own(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """A PostgreSQL that the settings give another name is loaded like any: nobody who holds a table
    holds up a run for ever, and the marts are there."""
    project.destination, project.dsn = "billing", new_database()
    monkeypatch.setenv("DESTINATION__BILLING__DESTINATION_TYPE", "postgres")
    monkeypatch.setenv("DESTINATION__BILLING__CREDENTIALS", project.dsn)
    monkeypatch.setitem(places.POSTGRES_OPTIONS, "lock_timeout", "100ms")
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "2")  # of five tries, a second each
    poll(project, 5)
    with kept_by_somebody(project):
        [said] = poll(project, 7).problems
        assert "lock timeout" in said
    assert poll(project, 9).is_good
    assert readings(project) == [at(1, 5), at(2, 7), at(3, 9)]
    told = project.query("SELECT last_quantity FROM wolkvox_billing_marts.usage_monthly")
    assert told == [(9,)]


def test_a_table_that_somebody_keeps(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """Who holds a table in PostgreSQL holds up no run for ever, and only answers that go
    into it: they wait on disk, are named, and are loaded once it is free."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    monkeypatch.setitem(places.POSTGRES_OPTIONS, "lock_timeout", "100ms")
    monkeypatch.setattr(refresh, "LOCK_WAIT", "0.1s")
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")  # of five tries, a second each
    begin(project)
    with kept_by_somebody(project):
        [said] = poll(project, 7).problems
        assert said.startswith(NOT_LOADED)
        assert "lock timeout" in said
        project.later(hours=1)
        said = project.load(reports=[OTHER]).problems[0]
        assert said.startswith("answers that waited, and wait on: ")
        assert "lock timeout" in said
        told = project.query(f"SELECT read_at FROM readings WHERE report = '{OTHER}'")
        assert told == [(NOON + timedelta(hours=3),)]
    assert poll(project, 9).is_good
    told = project.query(f"SELECT items FROM readings WHERE report = '{REPORT}' ORDER BY read_at")
    assert told == [(5,), (7,), (9,)]


def test_a_server_that_is_restarted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL ends in the middle of a load and comes back: the next run loads what waits."""
    from dlt.load.load import Load

    submit, calls = Load.submit_job, 0
    project.destination = "postgres"
    with running_postgres() as dsn:
        project.dsn = dsn
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", dsn)
        monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")  # of five tries, a second each
        poll(project, 5)
        [(folder,)] = project.query("SHOW data_directory")

        def ended_at_the_third(*args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 3:
                pg_ctl(Path(folder), "stop")
            return submit(*args, **more)

        with monkeypatch.context() as broken:
            broken.setattr(Load, "submit_job", ended_at_the_third)
            report = poll(project, 7)
        assert [problem[: len(NOT_LOADED)] for problem in report.problems] == [NOT_LOADED]
        pg_ctl(Path(folder), "restart")
        assert poll(project, 9).is_good
        assert readings(project) == [at(1, 5), at(2, 7), at(3, 9)]


@pytest.mark.parametrize("warehouse", at_length(["postgres"], "duckdb"), indirect=True)
def test_answers_that_waited_elsewhere(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Answers that waited in one project folder while another one loaded newer ones into the same
    warehouse are loaded, and the reports' tables keep the newest."""
    begin(warehouse)
    wait(warehouse, 7)
    file = warehouse.folder / "wolkvox.duckdb"
    home = tmp_path / "other"
    home.mkdir()
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(home)
        elsewhere.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(file))
        assert poll(warehouse, 9).is_good
    warehouse.later(minutes=1)
    report = warehouse.load(
        pace_minutes=120
    )  # too early for another call: only what waits is loaded
    assert [skip.reason for skip in report.skips] == ["pace"]
    assert readings(warehouse) == [at(1, 5), at(2, 7), at(3, 9)]


def test_sessions_in_postgres_have_our_options_and_those_of_the_address(
    new_database: Callable[[], str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session compiles no query and sorts in memory; what the address says wins, be it two
    options with a blank between."""
    dsn = f"{new_database()}?options=-c%20statement_timeout%3D90s%20-cwork_mem%3D32MB"
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", dsn)
    names = ("lock_timeout", "jit", "statement_timeout", "work_mem")
    with places.opened("postgres") as pipeline, pipeline.sql_client() as client:
        settings = [client.execute_sql(f"SHOW {name}") for name in names]
    assert settings == [[("1min",)], [("off",)], [("90s",)], [("32MB",)]]
