"""The marts' statements as they are shipped: what sqlglot would make, and nobody waits for it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from builders.project import NOON, Project
from builders.record import Call, write_polls
from wolkvox_billing.marts import filling, sql
from wolkvox_billing.marts.engine import MARTS, Engine
from wolkvox_billing.marts.refresh import engine_at
from wolkvox_billing.marts.rendered import DIALECTS, statements_of, text_of
from wolkvox_billing.marts.rendered.__main__ import render
from wolkvox_billing.marts.sql import VIEWS, transpiled
from wolkvox_billing.marts.tables import TABLES
from wolkvox_billing.values.clock import day_start
from wolkvox_billing.warehouse.place import DATASET, opened

pytestmark = pytest.mark.usefixtures("kept_open")


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
    write_polls(warehouse, Call(NOON, []))
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


@pytest.mark.usefixtures("tables")
def test_texts_are_stored_as_they_are(warehouse: Project) -> None:
    """Blank, none, quoted, with a percent sign or a line's end: each row comes back as it was, of
    a few rows, which go in as values, and of many, which go in by columns."""
    table = "wolkvox_billing_internal.spellings"
    few: list[tuple[object, ...]] = [("", None, "50 %, it's", "a\nb"), ("-", "=", " x ", "%s")]
    alike: tuple[object, ...] = ("a", None, "the same", "the same")
    for rows in (few, few * 6, [alike] * 12):
        warehouse.execute(f"DELETE FROM {table}")
        for statement in sql.insert_columns(table, rows):
            warehouse.execute(statement)
        assert warehouse.query(f"SELECT * FROM {table} ORDER BY 1") == sorted(rows, key=str)


@pytest.mark.usefixtures("tables")
def test_many_rows_are_stored_as_few_are(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there goes; texts, numbers, moments and none come as they are, and decimals that a
    column has not are rounded as engines do it: half away from nothing."""
    at = datetime(2026, 10, 1, 5, tzinfo=timezone.utc)
    rows = [
        ("a", 1, "50 %", at, None, Decimal("1.00005"), Decimal("-0.000000015"), None, "", "é"),
        ("b", 2, None, None, at, Decimal("-7"), None, Decimal("1E+3"), "-", "a\nb"),
        ("c", 3, None, None, None, Decimal("0E-8"), None, Decimal("0.1"), "=", None),
    ]
    stored = [
        (*rows[0][:5], Decimal("1.0001"), Decimal("-0.00000002"), *rows[0][7:]),
        rows[1],
        rows[2],
    ]
    for fewest in (1, 1000):
        monkeypatch.setattr(filling, "_MANY", fewest)
        monkeypatch.setattr(filling, "_ROWS_AT_ONCE", 2)
        with opened(warehouse.destination, DATASET) as pipeline, pipeline.sql_client() as client:
            for _ in range(2):
                filling.fill_tables(client, engine_at(pipeline), {"focused_charges": iter(rows)})
        table = "wolkvox_billing_internal.focused_charges"
        assert warehouse.query(f"SELECT * FROM {table} ORDER BY 1") == stored
