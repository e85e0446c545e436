"""The marts' statements as they are shipped: what sqlglot would make, and nobody waits for it."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from builders.project import Project
from wolkvox_billing.marts import sql
from wolkvox_billing.marts.engine import MARTS, Engine
from wolkvox_billing.marts.rendered import DIALECTS, statements_of, text_of
from wolkvox_billing.marts.rendered.__main__ import render
from wolkvox_billing.marts.sql import TABLES, VIEWS, transpiled
from wolkvox_billing.values.clock import day_start


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_shipped_statements_are_those_of_the_views(dialect: str) -> None:
    """Each engine's file holds what its views, tables and comments come to today."""
    assert text_of(dialect) == render(dialect), (
        f"marts/rendered/{dialect}.sql is stale: a view, table, comment or sqlglot changed; "
        "run `make views`, and commit what it writes"
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_schemas_name_is_filled_in(dialect: str) -> None:
    """With the names of a dataset's schemas, the shipped statements are what sqlglot makes."""
    engine = Engine(dialect, "billing", "billing_marts")
    shipped = statements_of(engine)
    assert list(shipped) == [*TABLES, *VIEWS]
    for name, statements in shipped.items():
        assert statements == transpiled(name, engine)


def test_no_load_waits_for_sqlglot(warehouse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first load of a dataset makes all views where nothing can be transpiled."""

    def transpiled(name: str, engine: Engine) -> tuple[str, ...]:
        raise AssertionError(f"{name} was transpiled for {engine}")

    sql.making.cache_clear()
    monkeypatch.setattr(sql, "transpiled", transpiled)
    assert warehouse.load().is_good
    for mart in MARTS:
        warehouse.query(f"SELECT * FROM wolkvox_billing_marts.{mart}")


def test_the_calendar_is_whole(warehouse: Project) -> None:
    """Each day from the year before the first poll to next year's end, and each month that a
    reading can have, has its start and end in the vendor's time zone."""
    assert warehouse.load().is_good
    zone, name = ZoneInfo("America/Bogota"), "America/Bogota"
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(3 * 365)]
    assert warehouse.query("SELECT * FROM wolkvox_billing_internal.days ORDER BY 2") == [
        (name, day, day_start(day, zone), day_start(day + timedelta(days=1), zone)) for day in days
    ]
    months = warehouse.query("SELECT * FROM wolkvox_billing_internal.months ORDER BY 2, 3")
    starts = [date(2000 + n // 12, 1 + n % 12, 1) for n in range(28 * 12 + 1)]
    assert months == [
        (
            name,
            start.year,
            start.month,
            start,
            end,
            day_start(end, zone),
            (end - start).days,
            start.isoweekday(),
        )
        for start, end in pairwise(starts)
    ]


def test_texts_are_stored_as_they_are(warehouse: Project) -> None:
    """Blank, none, quoted, with a percent sign or a line's end: each row comes back as it was, of
    a few rows, which go in as values, and of many, which go in by columns."""
    assert warehouse.load().is_good
    table = "wolkvox_billing_internal.spellings"
    few: list[tuple[object, ...]] = [("", None, "50 %, it's", "a\nb"), ("-", "=", " x ", "%s")]
    for rows in (few, few * 6):
        warehouse.execute(f"DELETE FROM {table}")
        for statement in sql.insert_columns(table, rows):
            warehouse.execute(statement)
        assert warehouse.query(f"SELECT * FROM {table} ORDER BY 1") == sorted(rows, key=str)
