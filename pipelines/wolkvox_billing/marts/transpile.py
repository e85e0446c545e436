"""The marts' statements in an engine's own dialect, by sqlglot.

Two words of the views' SQL are ours, and are written out before an engine sees them:

    QUANTITY(x)      x as DECIMAL(18, 4); NULL where it does not fit, since one absurd reading must
                     not break the view for all others
    AVERAGE(x, n)    x / n, rounded half up to 4 decimals, by the same steps on every engine; exact
                     while x is below 10**11
"""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp

from wolkvox_billing.marts.columns import COLUMNS, comment_of
from wolkvox_billing.marts.engine import MARTS, Engine
from wolkvox_billing.marts.tables import TABLES
from wolkvox_billing.marts.view_files import grain, view_sql


def create_table(table: str, engine: Engine) -> str:
    """Return CREATE TABLE."""
    columns = ", ".join(f"{name} {kind}" for name, kind in TABLES[table].items())
    statement = f"CREATE TABLE IF NOT EXISTS marts.{table} ({columns})"
    return _rendered(sqlglot.parse_one(statement, read="duckdb"), engine)


def create_view(view: str, engine: Engine) -> tuple[str, ...]:
    """Return CREATE VIEW, with what it and its columns hold: beside it, or in it, as the engine
    likes."""

    def text(value: str) -> str:
        return exp.Literal.string(value).sql(engine.dialect)

    # An engine whose DROP CASCADEs would take the star with a mart that is made anew; Spark, which
    # has its own way with the CTEs of a subquery, takes no two of one name.
    parsed = _parsed_view(view) if engine.comments_on else _parsed_query(view)
    columns = [
        (_quoted(column, engine), text(comment_of(column))) for column in parsed.named_selects
    ]
    name, rendered, row = engine.name(view), _rendered(parsed, engine), text(grain(view))
    if engine.comments_on:
        return (
            f"CREATE OR REPLACE VIEW {name} AS {rendered}",
            f"COMMENT ON VIEW {name} IS {row}",
            *(f"COMMENT ON COLUMN {name}.{column} IS {says}" for column, says in columns),
        )
    if engine.dialect == "clickhouse":  # its views take no comment that sqlglot can read back
        return (f"CREATE VIEW {name} AS {rendered}",)
    form, of_view = {
        "bigquery": ("OPTIONS (description={})", "OPTIONS (description={})"),
        "snowflake": ("COMMENT {}", "COMMENT={}"),
        "databricks": ("COMMENT {}", "COMMENT {}"),
        "spark": ("COMMENT {}", "COMMENT {}"),
    }[engine.dialect]
    listed = ", ".join(f"{column} {form.format(says)}" for column, says in columns)
    return (f"CREATE VIEW {name} ({listed}) {of_view.format(row)} AS {rendered}",)


def _quoted(column: str, engine: Engine) -> str:
    """Return a column's name as the engine takes it as it is: FOCUS has large letters in its."""
    identifier = exp.to_identifier(column, quoted=column != column.lower())
    return str(identifier.sql(engine.dialect))


def describe_columns(view: str) -> list[tuple[str, str]]:
    """Return a view's columns, in their order, each with its sentence."""
    return [(column, COLUMNS[column]) for column in _parsed_query(view).named_selects]


@lru_cache
def _parsed_query(view: str) -> exp.Query:
    """Return a view's query, which nobody changes; of one that has all columns of a table, with
    their names."""
    parsed = sqlglot.parse_one(view_sql(view), read="duckdb")
    assert isinstance(parsed, exp.Query)
    if isinstance(parsed, exp.Select) and parsed.is_star:
        [table] = parsed.find_all(exp.Table)
        columns = (exp.column(name, table.alias) for name in TABLES[table.name])
        return parsed.select(*columns, append=False)
    return parsed


def _parsed_view(view: str) -> exp.Query:
    """Return a view's query, with that of each mart in its place: so each can be dropped alone."""
    parsed = _parsed_query(view).copy()
    for table in list(parsed.find_all(exp.Table)):
        if table.db == "marts" and table.name in MARTS:
            table.replace(_parsed_view(table.name).subquery(table.alias_or_name))
    return parsed


def _rendered(tree: exp.Expr, engine: Engine) -> str:
    """Return a statement with the engine's names of schemas, in its dialect."""
    tree = tree.transform(_written_out)
    for table in tree.find_all(exp.Table):
        if table.db in ("raw", "marts"):
            *schema, own = engine.name(table.name, table.db).split(".")
            table.set("this", exp.to_identifier(own))
            table.set("db", exp.to_identifier(schema[0]) if schema else None)
    # Engines that cannot be told where NULLs go in a window: what is ordered by here is never NULL.
    ignore = sqlglot.ErrorLevel.IGNORE
    return str(tree.sql(engine.dialect, comments=False, unsupported_level=ignore))


def _written_out(node: exp.Expression) -> exp.Expression:
    """Our own words, and windows that have a name, which not every engine knows."""
    if isinstance(node, exp.Anonymous) and node.name.upper() == "QUANTITY":
        (x,) = (argument.sql("duckdb") for argument in node.expressions)
        return _parsed(f"CASE WHEN ABS({x}) < 100000000000000 THEN CAST({x} AS DECIMAL(18, 4)) END")
    if isinstance(node, exp.Anonymous) and node.name.upper() == "AVERAGE":
        x, n = (argument.sql("duckdb") for argument in node.expressions)
        rounded = f"FLOOR(CAST(20000 * {x} + {n} AS DOUBLE) / (2 * {n})) / 10000"
        return _parsed(f"CAST({rounded} AS DECIMAL(38, 4))")
    if isinstance(node, exp.Select) and node.args.get("windows"):
        named = {window.name: window for window in node.args["windows"]}
        for window in node.find_all(exp.Window):
            meant = named.get(window.alias)
            if meant:
                for part in ("partition_by", "order", "spec"):
                    window.set(part, meant.args.get(part))
                window.set("alias", None)
        node.set("windows", None)
    return node


def _parsed(expression: str) -> exp.Expression:
    return sqlglot.parse_one(expression, read="duckdb").transform(_written_out)
