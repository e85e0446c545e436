"""Hosts that load into one PostgreSQL: one call at a time with a token, and one pace.

    host A ─┬─ the token's lock ─ answered a moment ago? ─ one call ─┬─ the dataset's lock ─ load
    host B ─┘       (waits)        (not asked again)                 └─       (waits)

The locks are advisory ones, held by sessions; see `sessions`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wolkvox_billing.errors import TokenInUse
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.warehouse.sessions import lock_number, new_session

if TYPE_CHECKING:
    import dlt

logger = logging.getLogger("wolkvox_billing")

LAST_ANSWERS = "last_answers"  # a table of the dataset, on PostgreSQL only
_HOLDER = (
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.granted AND l.locktype = 'advisory' AND l.objsubid = 1 "
    "AND a.datname = current_database() "
    "AND (l.classid::bigint << 32) | l.objid::bigint = %s"
)
# What has the table elsewhere holds up neither the calls nor an answer that came.
_LIMITS = "SET lock_timeout = '5s'; SET statement_timeout = '10s'"
_TABLE = """
DO $$ BEGIN
    IF to_regnamespace('{schema}') IS NULL THEN CREATE SCHEMA {schema}; END IF;
END $$;
CREATE TABLE IF NOT EXISTS {table} (
    operation_id text, report text, answered_at timestamptz NOT NULL,
    PRIMARY KEY (operation_id, report));
COMMENT ON TABLE {table} IS 'One row per operation and report: how hosts that ask keep one pace';
COMMENT ON COLUMN {table}.operation_id IS 'The operation''s name in the settings';
COMMENT ON COLUMN {table}.report IS 'The vendor''s name of the report';
COMMENT ON COLUMN {table}.answered_at IS 'When the newest call that was answered started (UTC)';
"""


class Hosts:
    """One run's session, which its threads share: psycopg2 lets one statement through at a time.

    Where PostgreSQL cannot be had, or only its table, the run goes on without it, and says so once.
    """

    def __init__(self, connect: Callable[[], Any], schema: str) -> None:
        self._connect, self._schema = connect, schema
        self._table = f"{schema}.{LAST_ANSWERS}"
        self._session: Any = None
        self._one = threading.Lock()
        self._away = self._there = False
        self._said: set[str] = set()
        self._unheard = False  # the table cannot be had; the locks can

    def __enter__(self) -> Hosts:
        return self

    def __exit__(self, *_: object) -> None:
        if self._session:
            self._session.close()

    @contextmanager
    def holding(
        self, operation: Operation, end: float, stopped: threading.Event | None = None
    ) -> Iterator[None]:
        """Holds the operation's token against all other hosts, if PostgreSQL is there.

        TokenInUse once time.monotonic() is `end`, or once `stopped`.
        """
        lock = lock_number("token", operation.token)

        def taken() -> bool | None:
            rows = self._ask("SELECT pg_try_advisory_lock(%s)", lock)
            return rows[0][0] if rows else None

        got = taken()
        if got is False:
            got = self._waited_for(taken, lock, operation.operation_id, end, stopped)
        try:
            yield
        finally:
            if got:
                self._ask("SELECT pg_advisory_unlock(%s)", lock)

    def _waited_for(
        self,
        taken: Callable[[], bool | None],
        lock: int,
        name: str,
        end: float,
        stopped: threading.Event | None,
    ) -> bool | None:
        import tenacity  # of use where somebody else has the token only

        holder = next(iter(self._ask(_HOLDER, lock) or ()), ("",))[0] or "another host"
        logger.info("waiting for the token of operation %s: %s uses it", name, holder)
        stopped = stopped or threading.Event()
        waiting = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda got: got is False),
            stop=lambda _: time.monotonic() >= end or stopped.is_set(),
            wait=lambda _: min(0.25, max(0.0, end - time.monotonic())),
            sleep=tenacity.sleep_using_event(stopped),
            retry_error_callback=lambda _: False,
        )
        got: bool | None = waiting(taken)
        if got is False:
            raise TokenInUse(
                f"the token of operation {name} was in use by {holder} for longer than "
                "`token_wait_seconds`: wait for that process, or end it"
            )
        return got

    def last_answer(self, operation: Operation, report: str) -> datetime | None:
        """When a host had the newest answer; None if never, or where nobody can tell."""
        sql = f"SELECT answered_at FROM {self._table} WHERE operation_id = %s AND report = %s"
        rows = self._ask(sql, operation.operation_id, report, table=True)
        return rows[0][0] if rows else None

    def note_answer(self, operation: Operation, report: str, at: datetime) -> None:
        """Tells the other hosts, who will not see the poll before it is loaded."""
        sql = (
            f"INSERT INTO {self._table} VALUES (%s, %s, %s) "
            "ON CONFLICT (operation_id, report) DO UPDATE SET answered_at = excluded.answered_at"
        )
        self._ask(sql, operation.operation_id, report, at, table=True)

    def _ask(self, sql: str, *values: object, table: bool = False) -> list[tuple[Any, ...]] | None:
        """The rows; None where PostgreSQL says no. A session that was lost is made anew, once."""
        import psycopg2

        with self._one:
            for _ in range(2):
                if self._away or (table and self._unheard):
                    return None
                had = self._session
                try:
                    if not had or had.closed:
                        self._session = None
                        self._open()
                    if table and not self._there:
                        self._make_table()
                    with self._session.cursor() as cursor:
                        cursor.execute(sql, values)
                        return cursor.fetchall() if cursor.description else []
                except psycopg2.Error as error:
                    lost = had and self._session is had and had.closed
                    if lost:
                        continue
                    self._away = not self._session or bool(self._session.closed)
                    self._unheard |= table
                    self._say(error)
                    return None
        return None

    def _say(self, error: Exception) -> None:
        unseen = "calls" if self._away or not self._unheard else "answers"
        if unseen not in self._said:
            logger.warning(
                "the %s of other hosts are not seen in this run, only those of this user on this "
                "machine: %s",
                unseen,
                " ".join(str(error).split()),
            )
        self._said.add(unseen)

    def _open(self) -> None:
        self._session = self._connect()
        with self._session.cursor() as cursor:
            cursor.execute(_LIMITS)

    def _make_table(self) -> None:
        """Where it is not there yet; in one transaction, one at a time."""
        with self._session.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", (self._table,))
            if cursor.fetchone() == (None,):
                cursor.execute(
                    f"SELECT pg_advisory_xact_lock({lock_number('table', self._schema)});"
                    + _TABLE.format(schema=self._schema, table=self._table)
                )
        self._there = True


def hosts_at(dsn: str, schema: str) -> Hosts:
    """Return what hosts share that load into this schema of a PostgreSQL."""
    return Hosts(lambda: new_session(dsn), f'"{schema}"')


def hosts_of(pipeline: dlt.Pipeline) -> Hosts | None:
    """Return what hosts share that load where this pipeline does; None where that is no
    PostgreSQL."""
    from wolkvox_billing.warehouse.sql import engine_of

    if engine_of(pipeline) != "postgres":
        return None
    client: Any = pipeline.sql_client()
    return hosts_at(client.credentials.to_native_representation(), pipeline.dataset_name)
