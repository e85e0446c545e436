"""Whoever can only read runs each verb that only looks: a role with SELECT, a file in use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TypedDict

import duckdb
import psycopg2
import pytest

from builders.buckets import copies_of, see
from builders.loads import begin
from builders.months import ONE_PRICE, bill, invoice, judged, local, read, statuses
from builders.months import READ as READINGS
from builders.project import Project
from wolkvox_billing.closing import settlement_of
from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.evidence import order_evidence
from wolkvox_billing.reconciliation.mart import NOT_STORED
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.translation import say_in
from wolkvox_billing.verbs.claim import list_claims
from wolkvox_billing.verbs.dbt import write_dbt_sources
from wolkvox_billing.verbs.documents import documents
from wolkvox_billing.verbs.explain import explain
from wolkvox_billing.verbs.operations import operations
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.reconcile import reconcile
from wolkvox_billing.verbs.status import status

READ = (
    "GRANT USAGE ON SCHEMA wolkvox_billing, wolkvox_billing_marts, "
    "wolkvox_billing_internal, wolkvox_billing_bi TO reader; "
    "GRANT SELECT ON ALL TABLES IN SCHEMA wolkvox_billing, wolkvox_billing_marts, "
    "wolkvox_billing_internal, wolkvox_billing_bi TO reader"
)
HOLD = (
    "import duckdb, sys; held = duckdb.connect(sys.argv[1], read_only=True); "
    "print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def reader(project: Project, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a role that reads, of a project on PostgreSQL with one reading."""
    project.destination, project.dsn = "postgres", request.getfixturevalue("new_database")()
    monkeypatch = request.getfixturevalue("monkeypatch")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    begin(project)
    project.execute("CREATE ROLE reader LOGIN")
    address = project.dsn.replace("tester:unused", "reader:unused")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
    yield address
    project.execute("DROP OWNED BY reader; DROP ROLE reader")


@contextmanager
def role_that_reads(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be a role that may read all, and no more, for the block."""
    project.execute(f"CREATE ROLE looker LOGIN; {READ.replace('reader', 'looker')}")
    address = project.dsn.replace("tester:unused", "looker:unused")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
    try:
        yield
    finally:
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
        project.execute("DROP OWNED BY looker; DROP ROLE looker")


@contextmanager
def read_elsewhere(file: Path) -> Iterator[None]:
    """Let another process read this DuckDB file, so that nobody can open it for writing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.stdin.close()


def test_a_role_that_reads(project: Project, reader: str) -> None:
    """Status tells of days since the last load, and publish copies all, by a role with SELECT."""
    project.execute(READ)
    now = project.vendor.now + timedelta(days=2)
    state = status(destination="postgres", clock=lambda: now)
    assert state.rows[0].days_without_answer[-2:] == [date(2026, 11, 11), date(2026, 11, 12)]
    assert state.rows[0].age == timedelta(days=2)
    snapshot = publish("x.duckdb", destination="postgres", clock=lambda: now)
    assert snapshot.rows["wolkvox_billing.polls"] == 1
    assert snapshot.rows["wolkvox_billing_marts.usage_daily"] == 1
    assert snapshot.warnings == ()


def test_a_role_that_reads_a_part(project: Project, reader: str) -> None:
    """What a role may not read is not left out of a copy in silence: whom nobody showed the star's
    schema gets a copy without it, and is told, in the language. Without the raw tables there is no
    status."""
    project.execute(
        READ + "; REVOKE SELECT ON wolkvox_billing.rejected_rows FROM reader"
        "; REVOKE USAGE ON SCHEMA wolkvox_billing_bi FROM reader"
    )
    snapshot = publish("x.duckdb", destination="postgres")
    hidden, no_star = snapshot.warnings
    assert hidden == (
        "not in the copy, since this role may not read them: wolkvox_billing.rejected_rows"
    )
    assert no_star == (
        "the star is not in the copy, since this role has no USAGE on the schema wolkvox_billing_bi"
    )
    assert not [table for table in snapshot.rows if table.startswith("wolkvox_billing_bi.")]
    assert say_in("es_CO", no_star) == (
        "la estrella no está en la copia: este rol no tiene USAGE sobre el esquema "
        "wolkvox_billing_bi"
    )
    project.execute("REVOKE ALL ON SCHEMA wolkvox_billing FROM reader")
    project.execute("REVOKE ALL ON ALL TABLES IN SCHEMA wolkvox_billing FROM reader")
    with pytest.raises(WarehouseError, match="has no tables yet"):
        publish("y.duckdb", destination="postgres")


def begin_billed(project: Project) -> None:
    """A month that was read, billed and looked at in the bucket, with verdicts that are stored."""
    read(project, *READINGS)
    see(project, local(3, month=11), copies_of(date(2026, 10, 20), 3))
    bill(project, invoice("1200", "120000"))
    assert statuses(judged(project)) == ["overbilled_quantity"]


def check_verbs_that_look(project: Project) -> list[str]:
    """Run each verb that only looks; return the warnings of `reconcile`."""
    place: Place = {"destination": project.destination}
    result = judged(project, rate_card=f"{ONE_PRICE}\n")
    assert statuses(result) == ["overbilled_quantity"]
    assert "Your bucket holds 3 audios" in (result.rows[0].explanation or "")
    [explained] = explain("2026-10", policy=Policy(), **place).verdicts
    assert explained.row.billed_quantity == 1200
    assert list_claims(policy=Policy(), **place) == ([], "en")
    assert [each.document_number for each in documents(policy=Policy(), **place).documents]
    assert [row.operation_id for row in operations(**place).operations] == ["acme"]
    assert "polls" in write_dbt_sources("models", **place).tables["wolkvox_billing"]
    assert settlement_of("2026-10", **place)[0]
    state = status(clock=lambda: project.vendor.now, **place)
    assert state.rows and any("the bucket was last looked at" in text for text in state.warnings)
    evidence = order_evidence("out", "2026-10")
    with pytest.raises(WarehouseError, match=r"verdicts that are stored.*the one that loads"):
        reconcile("2026-10", policy=Policy(), evidence=evidence, **place)
    return result.warnings


class Place(TypedDict):
    destination: str


def test_verbs_that_look_by_a_role_that_reads(
    project: Project, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They say what they say to the loader, and change nothing; what is not stored is said."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    begin_billed(project)
    marts = "SELECT * FROM wolkvox_billing_marts.refreshed"
    before = project.query(marts)
    with role_that_reads(project, monkeypatch):
        warnings = check_verbs_that_look(project)
    assert warnings == [NOT_STORED]
    assert project.query(marts) == before


def test_verbs_that_look_at_a_file_that_somebody_reads(project: Project) -> None:
    """They do the same with a DuckDB file that another process reads."""
    begin_billed(project)
    with read_elsewhere(project.folder / "wolkvox.duckdb"):
        assert check_verbs_that_look(project) == [NOT_STORED]


def test_a_database_that_takes_no_writing(project: Project, reader: str) -> None:
    """On a replica, or where a database is read only, the loader's own role reads."""
    with closing(psycopg2.connect(project.dsn)) as pg, pg, pg.cursor() as cursor:
        name = project.dsn.rsplit("/", 1)[1]
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        cursor.execute(f"GRANT ALL ON DATABASE {name} TO reader; {READ}")
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA wolkvox_billing_marts TO reader")
    assert status(destination="postgres").rows
    with closing(psycopg2.connect(project.dsn)) as pg, pg.cursor() as cursor:
        pg.set_session(readonly=False, autocommit=True)
        cursor.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")


def test_a_file_that_somebody_reads(project: Project) -> None:
    """While another process reads the DuckDB file status and publish read it too."""
    begin(project)
    now = project.vendor.now + timedelta(days=2)
    with read_elsewhere(project.folder / "wolkvox.duckdb"):
        state = status(clock=lambda: now)
        snapshot = publish("x.duckdb", clock=lambda: now)
    assert state.rows[0].days_without_answer[-1] == date(2026, 11, 12)
    with closing(duckdb.connect("x.duckdb", read_only=True)) as db:
        assert db.execute("SELECT count(*) FROM wolkvox_billing_marts.usage_daily").fetchall() == [
            (1,)
        ]
    assert snapshot.rows["wolkvox_billing.readings"] == 1
