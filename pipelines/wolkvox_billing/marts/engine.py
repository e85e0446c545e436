"""Where the marts' statements run: an engine, by sqlglot's name of its dialect, and its schemas.

What our SQL calls `marts` lies in three schemas: what is there to be read in NAME_marts, where a
tool shows it to be picked, the same as a star in NAME_bi, and what the marts are made of in
NAME_internal.
"""

from __future__ import annotations

from dataclasses import dataclass

# Those for which there are statements that make the marts, by sqlglot's names.
DIALECTS = (
    "duckdb",
    "postgres",
    "bigquery",
    "snowflake",
    "databricks",
    "spark",
    "redshift",
    "clickhouse",
)
MARTS = (
    "usage_daily",
    "usage_monthly",
    "usage_restatements",
    "poll_coverage",
    "invoice_reconciliation",
    "invoice_components",
    "invoice_settlement",
    "claims_open",
    "bucket_daily",
    "copy_reconciliation",
    "verdict_documents",
    "focus_costs",
    "forecast",
    "usage_anomalies",
)
# The same as a star, for tools that want one: keys of one column, in a schema of its own.
STAR = (
    "dim_operation",
    "dim_product",
    "dim_date",
    "dim_status",
    "dim_document",
    "bridge_verdict_document",
    "fact_verdict",
    "fact_usage",
    "fact_coverage",
    "fact_component",
)
# Small tables beside the marts, without which nobody could tell as of when they speak, in whose
# time zone, and by which line map their verdicts were made.
BESIDE = {
    "refreshed": "One row: the moments up to which the marts, and the verdicts in them, speak",
    "operations": "One row per operation: its time zone",
    "identities": "One row per operation_id that counts as another one, or is left out",
    "line_map": "One row per row of the line map by which the verdicts were made",
}


def internal_of(dataset: str) -> str:
    """Return the name of the schema of a dataset that is nobody's to read."""
    return f"{dataset}_internal"


def star_of(dataset: str) -> str:
    """Return the name of the schema of a dataset that has the marts as a star."""
    return f"{dataset}_bi"


def is_for_readers(table: str) -> bool:
    """Whether a table or view of the marts is there to be read; the others they are made of."""
    return table in MARTS or table in BESIDE or table in STAR


@dataclass(frozen=True)
class Engine:
    """An engine's dialect, and what the schemas `raw` and `marts` of our SQL are called there; of
    the marts what is not for readers has a schema of its own."""

    dialect: str
    raw: str
    marts: str

    @property
    def comments_on(self) -> bool:
        """Whether it knows COMMENT ON, and a DROP that CASCADEs."""
        return self.dialect in ("duckdb", "postgres", "redshift")

    @property
    def has_schemas(self) -> bool:
        """Whether there are schemas; dlt's ClickHouse has one database, and prefixes in it."""
        return self.dialect != "clickhouse"

    @property
    def internal(self) -> str:
        return internal_of(self.raw)

    @property
    def star(self) -> str:
        return star_of(self.raw)

    def schema_of(self, table: str) -> str:
        """Return the schema of a table or view of the marts."""
        if table in STAR:
            return self.star
        return self.marts if is_for_readers(table) else self.internal

    @property
    def schemas(self) -> tuple[str, ...]:
        """Return the schemas of tables and views that are made of what was read."""
        return self.marts, self.internal, self.star

    def name(self, table: str, schema: str = "marts") -> str:
        """Return a table's full name; schema: `raw` or `marts`, as our SQL calls them."""
        prefix = self.raw if schema == "raw" else self.schema_of(table)
        return f"{prefix}.{table}" if self.has_schemas else f"{prefix}___{table}"
