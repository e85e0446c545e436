"""What stands in a warehouse's schemas before a refresh, be it another version's."""

from __future__ import annotations

from dataclasses import dataclass

from wolkvox_billing.marts.engine import Engine, is_for_readers
from wolkvox_billing.marts.sql import VIEWS
from wolkvox_billing.marts.tables import TABLES
from wolkvox_billing.warehouse.sql import (
    Client,
    Record,
    among,
    records_of,
    rows_of,
    tables_of_schemas,
)


@dataclass(frozen=True)
class Standing:
    """The names of tables and views; the row of `refreshed`, empty where there is none.

    What another version made may have other columns than this one's, and an older one's `misplaced`
    are internal ones that lie among the marts. schemas: those of the marts that are there.
    """

    raw: frozenset[str]
    marts: frozenset[str]
    misplaced: frozenset[str]
    schemas: frozenset[str]
    refreshed: Record

    def has_views_of(self, digest: str) -> bool:
        """Whether all views are there, with the tables that they read, and are those."""
        is_whole = self.marts.issuperset((*TABLES, *VIEWS))
        return is_whole and not self.misplaced and self.refreshed.get("views_digest") == digest


def read_standing(client: Client, engine: Engine) -> Standing:
    """Return what stands there now."""
    schemas = (engine.raw, *engine.schemas)
    names: dict[str, set[str]] = {schema: set() for schema in schemas}
    for schema, table in tables_of_schemas(client, schemas):
        names[schema].add(table)
    ours = names[engine.marts].intersection((*TABLES, *VIEWS)) - names[engine.internal]
    misplaced = {name for name in ours if not is_for_readers(name)}
    marts = names[engine.marts] | names[engine.internal] | names[engine.star]
    own = rows_of(
        client,
        "SELECT schema_name FROM information_schema.schemata "
        f"WHERE {among('schema_name', schemas[1:])}",
    )
    query = f"SELECT * FROM {engine.name('refreshed')}"
    refreshed = records_of(client, query) if "refreshed" in marts else []
    return Standing(
        raw=frozenset(names[engine.raw]),
        marts=frozenset(marts),
        misplaced=frozenset(misplaced),
        schemas=frozenset(schema for (schema,) in own),
        refreshed=refreshed[0] if len(refreshed) == 1 else {},
    )
