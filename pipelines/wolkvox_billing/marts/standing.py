"""What stands in a warehouse's schemas before a refresh, be it another version's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wolkvox_billing.marts.engine import Engine
from wolkvox_billing.marts.sql import RECONCILED, TABLES, VIEWS, columns_of
from wolkvox_billing.warehouse.sql import Client, Record, records_of, rows_of


@dataclass(frozen=True)
class Standing:
    """The names of tables and views by schema; the row of `refreshed`, empty where there is none.

    What another version made may have other columns than this one's.
    """

    raw: frozenset[str]
    marts: frozenset[str]
    refreshed: Record

    def has_views_of(self, digest: str) -> bool:
        """Whether all views are there, with the tables that they read, and are those."""
        is_whole = self.marts.issuperset((*TABLES, *VIEWS))
        return is_whole and self.refreshed.get("views_digest") == digest


def read_standing(client: Client, engine: Engine) -> Standing:
    """Return what stands there now."""
    names: dict[str, set[str]] = {engine.raw: set(), engine.marts: set()}
    for schema, table in rows_of(
        client,
        "SELECT table_schema, table_name FROM information_schema.tables "
        f"WHERE table_schema IN ('{engine.raw}', '{engine.marts}')",
    ):
        names[schema].add(table)
    marts = names[engine.marts]
    query = f"SELECT * FROM {engine.name('refreshed')}"
    refreshed = records_of(client, query) if "refreshed" in marts else []
    return Standing(
        raw=frozenset(names[engine.raw]),
        marts=frozenset(marts),
        refreshed=refreshed[0] if len(refreshed) == 1 else {},
    )


def around_verdicts(
    client: Client, engine: Engine, tables: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Return the statements to run before the marts are made, and those after it, by which verdicts
    that another version filled stay: their tables get this version's columns. Those that it did not
    know are NULL, and the next `load` or `reconcile` makes all verdicts anew.

    tables: those that stand there.
    """
    before: list[str] = []
    after: list[str] = []
    standing = [table for table in RECONCILED if table in tables]
    for table in standing:
        name, columns = engine.name(table), columns_of(table)
        with client.execute_query(f"SELECT * FROM {name} WHERE FALSE") as cursor:
            former = [column[0] for column in cursor.description]
        if former != columns:
            before.append(f"ALTER TABLE {name} RENAME TO {table}_before")
            common = ", ".join(column for column in columns if column in former)
            if common:
                after.append(f"INSERT INTO {name} ({common}) SELECT {common} FROM {name}_before")
            after.append(f"DROP TABLE {name}_before")
    if before or 0 < len(standing) < len(RECONCILED):
        after.append(f"UPDATE {engine.name('reconciled_by')} SET inputs_digest = NULL WHERE TRUE")
    return before, after
