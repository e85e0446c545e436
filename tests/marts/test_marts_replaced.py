"""Marts that are made anew: who may read them, and what others built on them, stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest

from builders.loads import begin
from builders.project import Project
from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.marts.engine import BESIDE, MARTS, is_for_readers
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.marts.sql import VIEWS
from wolkvox_billing.marts.tables import TABLES
from wolkvox_billing.verbs.load import meaning_of, refresh_marts
from wolkvox_billing.warehouse.place import opened

pytestmark = pytest.mark.usefixtures("kept_open")
SCHEMA, INNER = "wolkvox_billing_marts", "wolkvox_billing_internal"
USAGE = f"SELECT usage_date, month_to_date_quantity FROM {SCHEMA}.usage_daily"


@pytest.fixture
def on_postgres(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> Iterator[Project]:
    """A project with one reading in a PostgreSQL, and a role for readers."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    begin(project)
    yield project
    project.execute("DROP OWNED BY reader, loader; DROP ROLE reader, loader")


def rights_of_page() -> str:
    """Return the statements by which our page for readers lets a role read."""
    text = Path(__file__).parents[2].joinpath("docs/bi.md").read_text("utf-8")
    [block] = re.findall(r"```sql\n(CREATE ROLE reader.*?)```", text, re.S)
    return str(block)


def read_as_reader(project: Project, query: str) -> list[tuple[object, ...]]:
    address = project.dsn.replace("tester:unused", "reader:unused")
    with closing(psycopg2.connect(address)) as pg, pg, pg.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def make_anew(project: Project) -> None:
    """Make the marts as after an upgrade, as another version left them."""
    project.execute(f"UPDATE {SCHEMA}.refreshed SET views_digest = 'another'")
    with opened(project.destination) as pipeline:
        refresh(pipeline, meaning_of(), project.vendor.now + timedelta(hours=1))


def test_a_reader_still_reads(on_postgres: Project) -> None:
    """By the page's words a role reads the marts, those that are made anew too, be it that one
    was dropped."""
    on_postgres.execute("CREATE ROLE loader LOGIN SUPERUSER")
    on_postgres.execute(rights_of_page())
    before = read_as_reader(on_postgres, USAGE)
    assert len(before) == 1
    make_anew(on_postgres)
    assert read_as_reader(on_postgres, USAGE) == before
    on_postgres.execute(f"DROP VIEW {SCHEMA}.usage_daily")
    address = on_postgres.dsn.replace("tester:unused", "loader:unused")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
        refresh_marts(destination="postgres", clock=lambda: on_postgres.vendor.now)
    assert read_as_reader(on_postgres, USAGE) == before


def test_somebodys_view_stays(on_postgres: Project) -> None:
    """A view that somebody built on a mart, or on what marts are made of, outlives marts made
    anew with the same columns, and follows what they show."""
    on_postgres.execute("CREATE ROLE loader; CREATE ROLE reader; CREATE SCHEMA acme")
    on_postgres.execute(f"CREATE VIEW acme.v_month AS {USAGE}")
    on_postgres.execute(f"CREATE VIEW acme.v_days AS SELECT * FROM {INNER}.days")
    before = on_postgres.query("SELECT * FROM acme.v_month")
    make_anew(on_postgres)
    assert on_postgres.query("SELECT * FROM acme.v_month") == before
    assert on_postgres.query("SELECT count(*) > 0 FROM acme.v_days") == [(True,)]


@pytest.mark.parametrize("built_on", ["the view", "another view", "a table"])
def test_somebodys_view_is_not_dropped(on_postgres: Project, built_on: str) -> None:
    """Where a mart's columns change, and somebody's view stands on it, the marts stay as they are,
    and the view is named; without it they are made."""
    project = on_postgres
    project.execute("CREATE ROLE loader; CREATE ROLE reader; CREATE SCHEMA acme")
    mart = f"{INNER}.days" if built_on == "a table" else f"{SCHEMA}.usage_restatements"
    if built_on == "a table":
        project.execute(f"ALTER TABLE {mart} ADD COLUMN theirs text")
    else:  # a column more than this version has cannot be taken away
        [(text,)] = project.query(f"SELECT pg_get_viewdef('{mart}'::regclass)")
        inner = str(text).rstrip(";")
        project.execute(
            f"CREATE OR REPLACE VIEW {mart} AS SELECT *, 1 AS theirs FROM ({inner}) AS t"
        )
    project.execute(f"CREATE VIEW acme.v_own AS SELECT * FROM {mart}")
    if built_on == "another view":
        project.execute("CREATE VIEW acme.v_on_it AS SELECT * FROM acme.v_own")
    before = project.query(USAGE)
    with pytest.raises(WarehouseError, match=r"stay as they were: acme\.v_own stands on"):
        make_anew(project)
    assert project.query("SELECT count(theirs) FROM acme.v_own") is not None
    assert project.query(USAGE) == before
    project.execute("DROP VIEW acme.v_own CASCADE")
    make_anew(project)
    assert project.query(f"SELECT * FROM {mart} LIMIT 0") == []
    columns = "SELECT column_name FROM information_schema.columns WHERE column_name = 'theirs'"
    assert project.query(columns) == []
    assert project.query("SELECT 1 FROM pg_class WHERE relname LIKE '%\\_before'") == []


def test_an_older_version_had_all_in_one_schema(warehouse: Project) -> None:
    """What an older version has among the marts moves to where no tool shows it, and is filled as
    before; nothing of it is left."""
    begin(warehouse)
    before = warehouse.query(USAGE)
    for name in [*TABLES, *VIEWS]:
        if is_for_readers(name):
            continue
        if warehouse.destination == "postgres":
            warehouse.execute(f"ALTER TABLE {INNER}.{name} SET SCHEMA {SCHEMA}")
        elif name in TABLES:
            warehouse.execute(f"CREATE TABLE {SCHEMA}.{name} AS SELECT * FROM {INNER}.{name}")
        else:
            warehouse.execute(f"CREATE VIEW {SCHEMA}.{name} AS SELECT 1 AS old")
    warehouse.execute(f"DROP SCHEMA {INNER} CASCADE")
    make_anew(warehouse)
    assert warehouse.query(USAGE) == before
    names = warehouse.query(
        f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{SCHEMA}'"
    )
    assert {name for (name,) in names} == {*MARTS, *BESIDE}


def test_a_schema_that_may_not_be_made(on_postgres: Project) -> None:
    """A loader that may make no schema is told which one it needs."""
    project = on_postgres
    project.execute("CREATE ROLE reader; CREATE ROLE loader LOGIN")
    name = project.dsn.rsplit("/", 1)[1]
    for schema in ("wolkvox_billing", SCHEMA):
        project.execute(f"GRANT ALL ON SCHEMA {schema} TO loader")
        project.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO loader")
    project.execute(f"REVOKE CREATE ON DATABASE {name} FROM loader; DROP SCHEMA {INNER} CASCADE")
    address = project.dsn.replace("tester:unused", "loader:unused")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
        with pytest.raises(WarehouseError, match=f"{INNER} is not there, and this role may not"):
            refresh_marts(destination="postgres", clock=lambda: project.vendor.now)
