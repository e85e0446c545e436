"""The marts for engines that are not here: each statement parses in the engine's own dialect. Those
that are here run them: see test_operations."""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

import click
import pytest
import sqlglot
from click.testing import CliRunner
from sqlglot import exp

from builders.project import Project
from wolkvox_billing.cli.main import main
from wolkvox_billing.marts import sql, transpile
from wolkvox_billing.marts.columns import comment_of
from wolkvox_billing.marts.engine import DIALECTS, MARTS, Engine
from wolkvox_billing.marts.sql import VIEWS
from wolkvox_billing.verbs.load import marts_sql

ELSEWHERE = [dialect for dialect in DIALECTS if dialect not in ("duckdb", "postgres")]


@cache
def statements_of(dialect: str) -> list[str]:
    """The statements where there is no record, which are the same for all tests, with three rows of
    a calendar: of thousands sqlglot takes longer than of all else."""
    with pytest.MonkeyPatch.context() as patch:
        for rows in (sql._months, sql._days):
            patch.setattr(sql, rows.__name__, lambda *of, rows=rows: islice(rows(*of), 3))
        return list(marts_sql(dialect))


@pytest.mark.parametrize("dialect", ELSEWHERE)
def test_each_statement_parses(project: Project, dialect: str) -> None:
    """Each statement is one statement of the engine's dialect, and every view is among them."""
    views = set()
    for statement in statements_of(dialect):
        (tree,) = sqlglot.parse(statement, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
        assert tree is not None
        assert not isinstance(tree, exp.Command), statement
        if isinstance(tree, exp.Create) and tree.kind == "VIEW":
            views.add(tree.find(exp.Table).name.split("___")[-1])  # type: ignore[union-attr]
            assert list(tree.find_all(exp.Anonymous)) == [], statement
    assert views == set(VIEWS)


@pytest.mark.parametrize("dialect", ELSEWHERE)
def test_only_plain_words_are_used(project: Project, dialect: str) -> None:
    """No view uses what engines do differently: no series, no time zone, no interval, no named
    window, no word of our own, no clock."""
    for statement in statements_of(dialect):
        if statement.startswith("CREATE VIEW"):
            query = re.sub(r"'(?:[^'\\]|\\.|'')*'", "''", statement)  # comments have words too
            words = re.findall(
                r"(?i)\b(GENERATE\w+|RANGE\s*\(|TIME ZONE|AT_TIMEZONE|INTERVAL|QUALIFY|WINDOW|"
                r"QUANTITY\s*\(|AVERAGE\s*\(|ARG_M\w+|NOW|CURRENT_\w*TIME\w*|DATE_TRUNC|EPOCH\s*\()",
                query,
            )
            assert words == [], statement


def test_no_engine_changes_what_another_gets() -> None:
    """Redshift has the marts inside of what stands on them, Spark names them, before and after."""
    transpile._parsed_query.cache_clear()
    spark, redshift = (Engine(name, "d", "d_marts") for name in ("spark", "redshift"))
    before = transpile.create_view("fact_usage", spark)
    assert " d_marts.usage_daily" in before[0]
    assert " d_marts.usage_daily" not in transpile.create_view("fact_usage", redshift)[0]
    assert transpile.create_view("fact_usage", spark) == before


def test_bigquery_and_the_others_carry_the_comments(project: Project) -> None:
    """What a column holds is said in each engine's own way."""
    says = comment_of("consumed_quantity")
    assert says.startswith("What was used; NULL where nobody knows what the number means / Lo que")
    forms = {
        "bigquery": f"consumed_quantity OPTIONS (description='{says}')",
        "snowflake": f"consumed_quantity COMMENT '{says}'",
        "databricks": f"consumed_quantity COMMENT '{says}'",
        "spark": f"consumed_quantity COMMENT '{says}'",
        "redshift": "COMMENT ON COLUMN wolkvox_billing_marts.usage_monthly.consumed_quantity IS "
        f"'{says}'",
    }
    assert {*forms, "clickhouse"} == set(ELSEWHERE)
    for dialect, form in forms.items():
        assert form in "\n".join(statements_of(dialect)), dialect


def test_the_command_prints_them(project: Project) -> None:
    """`sql DIALECT` prints the statements, one a line and ended by a semicolon."""
    [dialect, *_] = main.commands["sql"].params
    assert isinstance(dialect.type, click.Choice)
    assert tuple(dialect.type.choices) == DIALECTS
    done = CliRunner().invoke(main, ["sql", "bigquery", "--dataset", "billing"])
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert all(line.endswith(";") for line in lines)
    for mart in MARTS:
        assert any(line.startswith(f"CREATE VIEW billing_marts.{mart} (") for line in lines), mart
    assert "FROM billing.readings AS r" in done.stdout
