"""Where the marts' statements run: an engine, by sqlglot's name of its dialect, and its schemas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Engine:
    """An engine's dialect, and what the schemas `raw` and `marts` of our SQL are called there."""

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

    def name(self, table: str, schema: str = "marts") -> str:
        """Return a table's full name; schema: `raw` or `marts`, as our SQL calls them."""
        prefix = self.raw if schema == "raw" else self.marts
        return f"{prefix}.{table}" if self.has_schemas else f"{prefix}___{table}"
