"""The marts of another version become this one's: replaced where they stand, and not dropped.

What somebody granted on a view, or built on it, stays with it. What cannot be replaced, since its
columns are others, is set aside, made anew, and dropped at the end; where somebody's own view
stands on it the marts stay as they are, and the view is named. We drop nothing that is not ours: of
somebody's view there may be no other copy, and the record goes on without the marts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.marts.engine import Engine
from wolkvox_billing.marts.sql import (
    VIEWS,
    MartRows,
    fill_statements,
    making,
)
from wolkvox_billing.marts.standing import Standing
from wolkvox_billing.marts.tables import RECONCILED, TABLES
from wolkvox_billing.warehouse.sql import Client, literal, rows_of

ASIDE = "_before"


@dataclass
class Remaking:
    """The marts while they are made anew, in one transaction, as `standing` says they were."""

    client: Client
    engine: Engine
    standing: Standing
    aside: list[str] = field(default_factory=list)  # full names of what is dropped at the end

    def run(self, contents: MartRows) -> None:
        """Make the marts with these contents; verdicts stay. Raises WarehouseError where a schema
        is missing, or somebody's view stands on what must be dropped."""
        self._make_schemas()
        self._move_internal()
        after = self._make_tables()
        self.client.execute_many([*fill_statements(self.engine, contents)])
        if not self._is_postgres:  # a view and its comments take a quarter less without plans
            self.client.execute_sql("PRAGMA disable_optimizer")
        for view in VIEWS:
            self._replace_view(view)
        if not self._is_postgres:
            self.client.execute_sql("PRAGMA enable_optimizer")
        self.client.execute_many(after)
        self._drop_aside()

    @property
    def _is_postgres(self) -> bool:
        return self.engine.dialect == "postgres"

    def _make_schemas(self) -> None:
        """A schema that is there is not made, since even IF NOT EXISTS needs the right to."""
        may = "SELECT has_database_privilege(current_database(), 'CREATE')"
        for schema in self.engine.schemas:
            if schema in self.standing.schemas:
                continue
            if self._is_postgres and rows_of(self.client, may) == [(False,)]:
                raise WarehouseError(
                    f"the schema {schema} is not there, and this role may not make it: CREATE "
                    f"SCHEMA {schema} AUTHORIZATION, and its name, by one that may"
                )
            self.client.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")

    def _move_internal(self) -> None:
        """Put what an older version has among the marts where it is not shown to be picked."""
        for name in sorted(self.standing.misplaced):
            old, new = f"{self.engine.marts}.{name}", self.engine.name(name)
            if self._is_postgres:  # what stands on it follows
                self.client.execute_sql(f"ALTER TABLE {old} SET SCHEMA {self.engine.internal}")
            elif name in VIEWS:
                self.client.execute_sql(f"DROP VIEW {old}")
            else:
                self.client.execute_sql(f"CREATE TABLE {new} AS SELECT * FROM {old}")
                self.client.execute_sql(f"DROP TABLE {old}")

    def _make_tables(self) -> list[str]:
        """Make the tables that are not there, or have other columns; return the statements to run
        at the end, by which verdicts stay: what another version did not know of them is NULL, and
        the next `load` or `reconcile` makes all of them anew."""
        standing = [table for table in TABLES if table in self.standing.marts]
        self.client.execute_many([
            *(f"ALTER TABLE {self.engine.name(t)} RENAME TO {t}{ASIDE}" for t in standing),
            *(statement for table in TABLES for statement in making(table, self.engine)),
        ])  # fmt: skip
        back: list[str] = []
        after: list[str] = []
        for table in standing:
            name = self.engine.name(table)
            aside = f"{name}{ASIDE}"
            columns, former = self._columns(name), self._columns(aside)
            if columns == former:
                back += [f"DROP TABLE {name}", f"ALTER TABLE {aside} RENAME TO {table}"]
                continue
            self.aside.append(f"TABLE {aside}")
            if table in RECONCILED:
                names = {column[0] for column in former}
                common = ", ".join(column[0] for column in columns if column[0] in names)
                if common:
                    after.append(f"INSERT INTO {name} ({common}) SELECT {common} FROM {aside}")
        self.client.execute_many(back)
        known = self.standing.marts.intersection(RECONCILED)
        if after or 0 < len(known) < len(RECONCILED):
            reconciled_by = self.engine.name("reconciled_by")
            after.append(f"UPDATE {reconciled_by} SET inputs_digest = NULL WHERE TRUE")
        return after

    def _columns(self, name: str) -> list[tuple[str, ...]]:
        """Return the names and types of a table's columns, as the driver has them."""
        with self.client.execute_query(f"SELECT * FROM {name} WHERE FALSE") as cursor:
            return [tuple(map(str, column[:6])) for column in cursor.description or ()]

    def _replace_view(self, view: str) -> None:
        create, *comments = making(view, self.engine)
        if not self._is_postgres or view not in self.standing.marts:
            self.client.execute_sql(create)
        elif not self._is_replaced(create):
            name = self.engine.name(view)
            self.client.execute_sql(f"ALTER VIEW {name} RENAME TO {view}{ASIDE}")
            self.aside.append(f"VIEW {name}{ASIDE}")
            self.client.execute_sql(create)
        self.client.execute_many(comments)

    def _is_replaced(self, create: str) -> bool:
        """Replace a view of PostgreSQL; return False where its columns do not allow that. dlt's
        client ends the transaction at any error, so the driver is asked."""
        from psycopg2.errors import InvalidTableDefinition

        with self.client.native_connection.cursor() as cursor:
            cursor.execute("SAVEPOINT replacing")
            try:
                cursor.execute(create)
            except InvalidTableDefinition:
                cursor.execute("ROLLBACK TO SAVEPOINT replacing")
                return False
            cursor.execute("RELEASE SAVEPOINT replacing")
        return True

    def _drop_aside(self) -> None:
        """Drop what was set aside, the newest first: views before the tables that they read."""
        if self._is_postgres and (views := self._views_of_others()):
            raise WarehouseError(
                f"the marts stay as they were: {', '.join(views)} stands on what has other columns "
                "in this version. Drop it, run `wolkvox-billing refresh`, and make it again"
            )
        for each in reversed(self.aside):
            self.client.execute_sql(f"DROP {each}")

    def _views_of_others(self) -> list[str]:
        """Return the views, by their full names, that stand on what was set aside."""
        if not self.aside:
            return []
        names = [each.split(" ")[1] for each in self.aside]
        listed = ", ".join(f"{literal(name)}::regclass" for name in names)
        views = rows_of(
            self.client,
            "SELECT DISTINCT n.nspname || '.' || v.relname FROM pg_depend d "
            "JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class "
            "JOIN pg_namespace n ON n.oid = v.relnamespace "
            "WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass "
            f"AND d.refobjid IN ({listed}) AND v.oid NOT IN ({listed}) ORDER BY 1",
        )
        return [view for (view,) in views]
