"""The engines for which there are statements that make the marts. Apart, since `--help` lists
them, and what makes the statements is slow to import."""

from __future__ import annotations

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
