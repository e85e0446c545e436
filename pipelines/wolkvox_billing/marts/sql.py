"""The statements that make the marts, for more than one engine.

Written once, in DuckDB's dialect kept to plain ANSI, and transpiled by sqlglot. What engines do
differently is computed here or on load instead: `months` and `days` hold starts and ends in seconds
since 1970 for each time zone, so that no view needs a time zone function, a series of dates or a
difference of times. Two words are ours, and are written out before an engine sees them:

    QUANTITY(x)      x as DECIMAL(18, 4); NULL where it does not fit, since one absurd reading must
                     not break the view for all others
    AVERAGE(x, n)    x / n, rounded half up to 4 decimals, by the same steps on every engine; exact
                     while x is below 10**11
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from wolkvox_billing.marts.columns import COLUMNS
from wolkvox_billing.readings import EARLIEST

if TYPE_CHECKING:
    from sqlglot import exp

VIEWS = (
    "stg_readings",
    "day_readings",
    "measured_days",
    "usage_daily",
    "usage_monthly",
    "usage_restatements",
    "poll_coverage",
    "invoice_reconciliation",
)
TABLES = {
    "refreshed": "as_of_epoch BIGINT, timezone VARCHAR, gauge_month VARCHAR, "
    "views_digest VARCHAR, inputs_digest VARCHAR",
    "operations": "operation_id VARCHAR, timezone VARCHAR",
    "renames": "operation_id VARCHAR, report VARCHAR, product VARCHAR, operation_name VARCHAR, "
    "newest_name VARCHAR",
    "reports": "report VARCHAR, measure VARCHAR, consumed_unit VARCHAR",
    "months": "timezone VARCHAR, year_number BIGINT, month_number BIGINT, month_start DATE, "
    "month_end DATE, month_end_epoch BIGINT, days BIGINT",
    "days": "timezone VARCHAR, calendar_date DATE, day_start_epoch BIGINT, day_end_epoch BIGINT",
    "line_map": "line_number BIGINT, supplier_id VARCHAR, item_code VARCHAR, pattern VARCHAR, "
    "report VARCHAR, operation_id VARCHAR, product VARCHAR, role VARCHAR",
    "rate_card": "line_number BIGINT, report VARCHAR, operation_id VARCHAR, product VARCHAR, "
    "from_quantity DECIMAL(18, 4), unit_price DECIMAL(18, 8), currency VARCHAR, valid_from DATE, "
    "valid_to DATE",
    "reconciled": "supplier_id VARCHAR, operation_id VARCHAR, operation_name VARCHAR, "
    "report VARCHAR, product VARCHAR, billing_period_start DATE, billing_period_end DATE, "
    "billing_currency VARCHAR, consumed_quantity DECIMAL(18, 4), billed_quantity DECIMAL(18, 4), "
    "quantity_variance DECIMAL(18, 4), contracted_unit_price DECIMAL(18, 8), "
    "contracted_cost DECIMAL(18, 4), billed_cost DECIMAL(18, 4), cost_variance DECIMAL(18, 4), "
    "volume_effect DECIMAL(18, 4), price_effect DECIMAL(18, 4), invoice_ids VARCHAR, "
    "hours_unread_at_end DECIMAL(18, 4), reconciliation_status VARCHAR, is_material BOOLEAN, "
    "explanation VARCHAR",
    "reconciled_by": "inputs_digest VARCHAR",
}
# What `reconcile` fills: the views are made without it.
RECONCILED = ("line_map", "rate_card", "reconciled", "reconciled_by")
_COMMENT_ON = ("duckdb", "postgres", "redshift")


def statements(
    dialect: str,
    *,
    raw: str,
    marts: str,
    now: datetime,
    first_poll: date,
    timezone: str,
    zones: Mapping[str, str],
    reports: Iterable[tuple[str, str, str]],
    renames: Iterable[tuple[str, ...]] = (),
    gauge_month: str = "max",
    digests: tuple[str, str] = ("", ""),
    keep_views: bool = False,
    has_schema: bool = False,
) -> Iterator[str]:
    """The SQL that makes the marts anew, for an engine by sqlglot's name of its dialect.

    raw, marts: schemas. zones: operation_id → time zone, where `timezone` is for the others.
    keep_views: only the tables that the views read are filled anew.
    has_schema: it is not made, since even IF NOT EXISTS needs the right to make one.
    """
    if dialect != "clickhouse" and not has_schema:  # there dlt has one database, and prefixes in it
        yield f"CREATE SCHEMA IF NOT EXISTS {marts}"
    if not keep_views:
        cascade = " CASCADE" if dialect in _COMMENT_ON else ""
        for view in reversed(VIEWS):
            yield f"DROP VIEW IF EXISTS {_name(view, dialect, marts)}{cascade}"
    used = sorted({timezone, *zones.values()})
    rows: dict[str, Iterable[tuple[object, ...]]] = {
        "refreshed": [(epoch(now), timezone, gauge_month, *digests)],
        "operations": sorted(zones.items()),
        "renames": renames,
        "reports": reports,
        "months": [month for zone in used for month in _months(zone, now)],
        "days": [day for zone in used for day in _days(zone, first_poll, now)],
    }
    for table in TABLES:
        name = _name(table, dialect, marts)
        if not keep_views:
            yield f"DROP TABLE IF EXISTS {name}"
        yield _table(table, dialect, raw, marts)
        if table not in RECONCILED:
            if keep_views:  # else it is new; and a plain table of Spark's deletes no row
                yield f"DELETE FROM {name} WHERE TRUE"
            yield from insert(name, list(rows[table]))
            if dialect == "postgres":  # it takes a table that nobody looked at for hundreds of rows
                yield f"ANALYZE {name}"
    if not keep_views:
        for view in VIEWS:
            yield from _view(view, dialect, raw, marts)


def view_sql(view: str) -> str:
    """A view's file, as it is written."""
    return (resources.files(__package__) / f"{view}.sql").read_text("utf-8")


def grain(view: str) -> str:
    """What one row of a view is: the first line of its file."""
    return view_sql(view).splitlines()[0].removeprefix("-- ")


def literal(value: object) -> str:
    """A value as DuckDB and PostgreSQL write it."""
    if value is None:
        return "NULL"
    if isinstance(value, (int, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    quoted = str(value).replace("'", "''")
    return f"DATE '{value}'" if isinstance(value, date) else f"'{quoted}'"


def epoch(at: datetime) -> int:
    """Seconds since 1970."""
    return int(at.timestamp())


def day_start(day: date, zone: ZoneInfo) -> int:
    """When a day starts in a time zone, in seconds since 1970."""
    return epoch(datetime(day.year, day.month, day.day, tzinfo=zone))


@lru_cache
def _view(view: str, dialect: str, raw: str, marts: str) -> tuple[str, ...]:
    """CREATE VIEW, with what it and its columns hold: beside it, or in it, as the engine likes."""
    import sqlglot
    from sqlglot import exp

    parsed = sqlglot.parse_one(view_sql(view), read="duckdb")
    assert isinstance(parsed, exp.Query)
    columns = [(column, COLUMNS[column]) for column in parsed.named_selects]
    name, query = _name(view, dialect, marts), _rendered(parsed, dialect, raw, marts)

    def text(value: str) -> str:
        return exp.Literal.string(value).sql(dialect)

    if dialect in _COMMENT_ON:
        return (
            f"CREATE VIEW {name} AS {query}",
            f"COMMENT ON VIEW {name} IS {text(grain(view))}",
            *(f"COMMENT ON COLUMN {name}.{c} IS {text(says)}" for c, says in columns),
        )
    if dialect == "clickhouse":  # its views take no comment that sqlglot can read back
        return (f"CREATE VIEW {name} AS {query}",)
    form, of_view = {
        "bigquery": ("OPTIONS (description={})", "OPTIONS (description={})"),
        "snowflake": ("COMMENT {}", "COMMENT={}"),
        "databricks": ("COMMENT {}", "COMMENT {}"),
        "spark": ("COMMENT {}", "COMMENT {}"),
    }[dialect]
    listed = ", ".join(f"{column} {form.format(text(says))}" for column, says in columns)
    return (f"CREATE VIEW {name} ({listed}) {of_view.format(text(grain(view)))} AS {query}",)


def _name(table: str, dialect: str, schema: str) -> str:
    return f"{schema}___{table}" if dialect == "clickhouse" else f"{schema}.{table}"


@lru_cache
def _table(table: str, dialect: str, raw: str, marts: str) -> str:
    """CREATE TABLE."""
    import sqlglot

    statement = f"CREATE TABLE IF NOT EXISTS marts.{table} ({TABLES[table]})"
    return _rendered(sqlglot.parse_one(statement, read="duckdb"), dialect, raw, marts)


def _rendered(tree: exp.Expr, dialect: str, raw: str, marts: str) -> str:
    """A statement with real schema names, in the engine's dialect."""
    import sqlglot
    from sqlglot import exp

    tree = tree.transform(_written_out)
    for table in tree.find_all(exp.Table):
        if table.db in ("raw", "marts"):
            name = _name(table.name, dialect, raw if table.db == "raw" else marts)
            *schema, own = name.split(".")
            table.set("this", exp.to_identifier(own))
            table.set("db", exp.to_identifier(schema[0]) if schema else None)
    # Engines that cannot be told where NULLs go in a window: what is ordered by here is never NULL.
    return str(tree.sql(dialect, comments=False, unsupported_level=sqlglot.ErrorLevel.IGNORE))


def _written_out(node: exp.Expression) -> exp.Expression:
    """Our own words, and windows that have a name, which not every engine knows."""
    from sqlglot import exp

    if isinstance(node, exp.Anonymous) and node.name.upper() == "QUANTITY":
        (x,) = (one.sql("duckdb") for one in node.expressions)
        return _parsed(f"CASE WHEN ABS({x}) < 100000000000000 THEN CAST({x} AS DECIMAL(18, 4)) END")
    if isinstance(node, exp.Anonymous) and node.name.upper() == "AVERAGE":
        x, n = (one.sql("duckdb") for one in node.expressions)
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
    import sqlglot

    return sqlglot.parse_one(expression, read="duckdb").transform(_written_out)


def insert(table: str, rows: list[tuple[object, ...]]) -> Iterator[str]:
    for start in range(0, len(rows), 1000):
        values = ", ".join(
            f"({', '.join(map(literal, row))})" for row in rows[start : start + 1000]
        )
        yield f"INSERT INTO {table} VALUES {values}"


def _months(zone: str, now: datetime) -> Iterator[tuple[object, ...]]:
    """Every month that a reading can have: none may fall out of a join."""
    start, where = EARLIEST, ZoneInfo(zone)
    while start.year <= now.year + 1:
        end = (start + timedelta(days=31)).replace(day=1)
        ends = day_start(end, where)
        yield zone, start.year, start.month, start, end, ends, (end - start).days
        start = end


def _days(zone: str, first: date, now: datetime) -> Iterator[tuple[object, ...]]:
    """Every day on which a call can have been made."""
    where = ZoneInfo(zone)
    day = date(first.year - 1, 1, 1)  # answers of an earlier day may still wait somewhere
    while day.year <= now.year + 1:
        following = day + timedelta(days=1)
        yield zone, day, day_start(day, where), day_start(following, where)
        day = following
