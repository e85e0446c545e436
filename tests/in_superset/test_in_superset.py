"""The dashboard of notebooks/superset in a fresh Superset, over the published copy and over
PostgreSQL: each chart shows what SQL says, and the page has no error on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from selenium.webdriver.common.by import By

from builders.browser import running_browser
from builders.local_airflow import until
from builders.local_superset import PASSWORD, ROOT, Superset, running_superset
from builders.postgres import running_postgres
from builders.story_of_bi import lived, put_into_postgres

SCREENS = ROOT / "build" / "screens"
M = "wolkvox_billing_marts"
SAFE = "?access_mode=read_only&enable_external_access=false"
# What each chart shows, said once more; days, which come in a form of their own, are left out.
SHOWN = {
    "Billed": f"SELECT SUM(billed_cost) FROM {M}.invoice_reconciliation",
    "By contract": f"SELECT SUM(contracted_cost) FROM {M}.invoice_reconciliation "
    "WHERE invoice_ids IS NOT NULL",
    "Questioned": f"SELECT SUM(questioned_cost) FROM {M}.invoice_reconciliation",
    "Claimed": f"SELECT SUM(claimed_cost) FROM {M}.invoice_reconciliation",
    "Verdicts by operation and product": "SELECT status_label, severity, month_label, "
    "operation_name, product_label, consumed_unit, consumed_quantity, billed_quantity, "
    "quantity_variance, billing_currency, cost_variance, questioned_cost, claimed_cost, "
    f"explanation FROM {M}.invoice_reconciliation",
    "What to pay, by document": "SELECT document_kind, document_number, month_label, "
    "billing_currency, payable_amount, agreed_amount, questioned_amount, claimed_amount, "
    f"settlement_label FROM {M}.invoice_settlement",
    "Recordings copied, month to date (audios)": "SELECT operation_name, "
    f"SUM(month_to_date_quantity) FROM {M}.usage_daily WHERE report = 'rsync_s3_mp3' "
    "GROUP BY usage_date, operation_name",
    "Longest time unread each day (hours)": "SELECT operation_name, "
    f"MAX(largest_gap_minutes) / 60.0 FROM {M}.poll_coverage GROUP BY poll_date, operation_name",
    "What this month will come to, with a chance of 80 %": "SELECT month_label, operation_name, "
    "product, consumed_unit, consumed_quantity, low_quantity, expected_quantity, high_quantity, "
    "billing_currency, expected_cost, high_cost, budget_amount, budget_status "
    f"FROM {M}.forecast",
    "Days that fall out of what such days have": "SELECT operation_name, product, kind, "
    f"consumed_quantity, consumed_unit, reason FROM {M}.usage_anomalies",
    "Values that were restated": "SELECT operation_name, product, previous_quantity, quantity, "
    f"quantity_change FROM {M}.usage_restatements",
}
DAYS = ("issue_date", "acceptance_deadline", "usage_date", "poll_date", "read_at")


class Place:
    """A Superset over a database, and what asks that database without it."""

    def __init__(self, superset: Superset, connection: Any) -> None:
        self.superset, self.connection = superset, connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


@pytest.fixture(scope="module", params=["the copy", "PostgreSQL"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("superset")
    with lived(folder / "demo") as copy:
        if request.param == "the copy":
            with (
                running_superset(folder / "home", f"duckdb:///{copy}{SAFE}") as superset,
                closing(duckdb.connect(str(copy), read_only=True)) as connection,
            ):
                yield Place(superset, connection)
            return
        with running_postgres() as dsn:
            put_into_postgres(dsn)
            address = dsn.replace("postgresql://", "postgresql+psycopg2://")
            with (
                running_superset(folder / "home", address) as superset,
                closing(psycopg2.connect(dsn)) as connection,
            ):
                yield Place(superset, connection)


def plain(value: Any) -> str:
    """A value as text, a number to its fourth decimal."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f"{float(value):.4f}"
    return str(value)


def test_each_chart_shows_what_sql_says(place: Place) -> None:
    """All charts of the dashboard, each with its rows and numbers."""
    answers = place.superset.answers()
    assert answers.keys() == SHOWN.keys()
    for name, query in SHOWN.items():
        shown = [
            tuple(plain(value) for column, value in row.items() if column not in DAYS)
            for row in answers[name]
        ]
        expected = [tuple(map(plain, row)) for row in place.rows(query)]
        assert sorted(shown) == sorted(expected), name
        assert shown or name.startswith("Days that fall out"), name


def test_nobody_reads_other_files(place: Place) -> None:
    """By the connection of the page a query reads no file of Superset's machine."""
    databases = place.superset.api("GET", "database/")["result"]
    query = "SELECT * FROM read_text('/etc/hostname')"
    asked = {"database_id": databases[0]["id"], "sql": query, "runAsync": False}
    answer = place.superset.session.post(f"{place.superset.url}/api/v1/sqllab/execute/", json=asked,
                                         timeout=60)  # fmt: skip
    assert not answer.ok
    assert "read_text" in answer.text or "disabled" in answer.text


def test_the_page_has_no_error(place: Place, tmp_path: Path) -> None:
    """Chromium draws every chart; the picture lies in build/screens."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    with running_browser(tmp_path) as browser:
        driver = browser.driver
        driver.set_window_size(1500, 2300)
        driver.get(f"{place.superset.url}/login/")
        until(lambda: driver.find_elements(By.CSS_SELECTOR, "input#username"))
        driver.find_element(By.CSS_SELECTOR, "input#username").send_keys("admin")
        driver.find_element(By.CSS_SELECTOR, "input#password").send_keys(PASSWORD)
        driver.find_element(By.CSS_SELECTOR, "button[type=submit], input[type=submit]").click()
        until(lambda: "/login" not in driver.current_url)
        driver.get(place.superset.dashboard)
        until(lambda: _drawn(driver) >= len(SHOWN), seconds=90)
        shots = [b""]  # until nothing moves any more
        until(lambda: shots.append(driver.get_screenshot_as_png()) or shots[-1] == shots[-2])
        name = "superset_postgres" if "psycopg2" in str(type(place.connection)) else "superset"
        (SCREENS / f"{name}.png").write_bytes(shots[-1])
        errors = "[data-test=chart-error], .ant-alert-error, .error-alert"
        assert [each.text for each in driver.find_elements(By.CSS_SELECTOR, errors)] == []


def _drawn(driver: Any) -> int:
    """How many charts are drawn; none while one of them still loads."""
    if driver.find_elements(By.CSS_SELECTOR, ".loading, [data-test=loading-indicator]"):
        return 0
    return len(driver.find_elements(By.CSS_SELECTOR, ".slice_container"))
