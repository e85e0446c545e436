"""sources.yml in a real dbt: it is parsed without a warning, its tests and its freshness run, and a
model stands on it, on the copy in DuckDB and on a PostgreSQL."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
import yaml
from dbt.cli.main import dbtRunner
from psycopg2.extensions import parse_dsn

from builders.documents import declared, line, ubl
from builders.project import TOKENS, Project, configure
from wolkvox_billing import publish, read_invoices, reconcile, write_dbt_sources
from wolkvox_billing.reconciliation.contract.templates import write_templates

MODEL = """
select operation_id, product, billing_period_start, last_quantity
from {{ source('wolkvox_billing_marts', 'usage_monthly') }}
"""


class Dbt(NamedTuple):
    """A dbt project in a folder, and its runner."""

    folder: Path

    def run(self, *words: str) -> dict[str, str]:
        """Run a command, and return what became of each node that it ran, by its name."""
        return {node.node.name: str(node.status.value) for node in self._results(*words)}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, as dbt shows them."""
        [node] = self._results("show", "--inline", query)
        return [tuple(row) for row in node.agate_table.rows]

    def _results(self, *words: str) -> list[Any]:
        place = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        result = dbtRunner().invoke(["--warn-error", "--quiet", *words, *place])
        if result.exception:
            raise result.exception
        return [*getattr(result.result, "results", [])]


def dbt_on(project: Project, output: dict[str, object]) -> Dbt:
    """Return a dbt project that has the sources of a record, and a model over one of them."""
    folder = project.folder / "analytics"
    models = folder / "models"
    write_dbt_sources(models, destination=project.destination)
    (models / "months.sql").write_text(MODEL)
    settings = {"name": "analytics", "version": "1.0", "profile": "usage"}
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    profile = {"usage": {"target": "own", "outputs": {"own": {"schema": "own", **output}}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    return Dbt(folder)


def dbt_of(project: Project) -> Dbt:
    """Return a dbt project on the published copy, or on the PostgreSQL."""
    if project.destination == "duckdb":
        publish("usage.duckdb")
        return dbt_on(project, {"type": "duckdb", "path": str(project.folder / "usage.duckdb")})
    dsn = parse_dsn(project.dsn)
    place = {"host": dsn["host"], "port": int(dsn["port"]), "dbname": dsn["dbname"]}
    user = {"user": dsn["user"], "password": dsn.get("password", "")}
    return dbt_on(project, {"type": "postgres", "threads": 1, **place, **user})


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """dbt tells nobody of its runs. What it counts as now is the machine's clock."""
    monkeypatch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    monkeypatch.setenv("DO_NOT_TRACK", "1")


def asked(project: Project, ago: timedelta = timedelta(0)) -> None:
    """Poll and load, so long ago."""
    project.vendor.now = datetime.now(timezone.utc) - ago
    project.load()


def test_dbt_reads_the_record(warehouse: Project) -> None:
    """All sources are parsed without a warning, each key holds, answers are fresh, and a model over
    usage_monthly has what the mart has."""
    asked(warehouse)
    (warehouse.folder / "a.xml").write_bytes(declared(ubl(line(), number="F-2")))
    read_invoices(["a.xml"], destination=warehouse.destination)
    write_templates(Path("line_map.csv"), Path("rate_card.csv"), "en")
    reconcile(destination=warehouse.destination)
    months = "SELECT product, last_quantity FROM wolkvox_billing_marts.usage_monthly"
    measured = warehouse.query(months)
    dbt = dbt_of(warehouse)
    assert dbt.run("parse") == {}
    results = dbt.run("build")
    assert results.pop("months") == "success"
    assert {"polls_key", "usage_monthly_key", "invoice_reconciliation_key"} <= set(results)
    assert len(results) > 40 and set(results.values()) == {"pass"}
    assert dbt.run("source", "freshness") == {"polls": "pass"}
    assert dbt.rows("select product, last_quantity from {{ ref('months') }}") == measured


def test_a_row_that_is_there_twice_is_red(project: Project) -> None:
    """A key of one column, one of several, and one with a NULL in it: dbt names each table, and no
    other."""
    asked(project)
    dbt = dbt_of(project)
    with closing(duckdb.connect("usage.duckdb")) as db:
        db.execute("SET search_path = 'wolkvox_billing'")
        db.execute("INSERT INTO polls FROM polls; INSERT INTO rsync_s3_mp3 FROM rsync_s3_mp3")
        verdict = "INSERT INTO wolkvox_billing_marts.invoice_reconciliation BY NAME "
        for product in ("NULL", "NULL", "''"):
            db.execute(f"{verdict} SELECT 'acme' AS operation_id, {product} AS product")
    results = dbt.run("test")
    failed = {name for name, status in results.items() if status != "pass"}
    assert failed == {"polls_key", "rsync_s3_mp3_key", "invoice_reconciliation_key"}


@pytest.mark.parametrize(("hours", "state"), [(3, "warn"), (7, "error")])
def test_one_operation_that_is_silent_is_stale(
    project: Project, monkeypatch: pytest.MonkeyPatch, hours: int, state: str
) -> None:
    """Freshness is of the operation that waits longest, whatever the others were answered; a
    refusal is no answer."""
    configure(monkeypatch, project.vendor, "acme", "beta")
    asked(project, timedelta(hours=hours))
    project.vendor.misbehave("maintenance", token=TOKENS["beta"])
    asked(project)
    assert dbt_of(project).run("source", "freshness") == {"polls": state}


def test_one_that_is_asked_no_more_is_not_stale(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for an operation that left the settings over a week ago."""
    configure(monkeypatch, project.vendor, "acme", "beta")
    asked(project, timedelta(days=8))
    configure(monkeypatch, project.vendor, "acme")
    asked(project)
    assert dbt_of(project).run("source", "freshness") == {"polls": "pass"}
