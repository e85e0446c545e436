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
from typing import TYPE_CHECKING

from wolkvox_billing.errors import TokenInUse
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.warehouse.sessions import dsn_of, lock_number, new_session

if TYPE_CHECKING:
    import dlt
    from psycopg2.extensions import connection

    from wolkvox_billing.warehouse.sql import SqlRow

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

    def __init__(self, connect: Callable[[], connection], schema: str) -> None:
        self._connect, self._schema = connect, schema
        self._table = f"{schema}.{LAST_ANSWERS}"
        self._session: connection | None = None
        self._turn = threading.Lock()
        self._is_away = self._has_table = False
        self._is_unheard = False  # the table cannot be had; the locks can
        self._told: set[str] = set()

    def __enter__(self) -> Hosts:
        return self

    def __exit__(self, *_: object) -> None:
        if self._session:
            self._session.close()

    @contextmanager
    def hold_token(
        self, operation: Operation, end: float, stopped: threading.Event | None = None
    ) -> Iterator[None]:
        """Hold the operation's token against all other hosts, if PostgreSQL is there.

        TokenInUse once time.monotonic() is `end`, or once `stopped`.
        """
        lock = lock_number("token", operation.token)

        def take() -> bool | None:
            rows = self._ask("SELECT pg_try_advisory_lock(%s)", lock)
            return rows[0][0] if rows else None

        has_lock = take()
        if has_lock is False:
            holder = next(iter(self._ask(_HOLDER, lock) or ()), ("",))[0] or "another host"
            has_lock = _wait_for(take, operation.operation_id, holder, end, stopped)
        try:
            yield
        finally:
            if has_lock:
                self._ask("SELECT pg_advisory_unlock(%s)", lock)

    def last_answer(self, operation: Operation, report: str) -> datetime | None:
        """Return when a host had the newest answer; None if never, or where nobody can tell."""
        sql = f"SELECT answered_at FROM {self._table} WHERE operation_id = %s AND report = %s"
        rows = self._ask(sql, operation.operation_id, report, table=True)
        return rows[0][0] if rows else None

    def note_answer(self, operation: Operation, report: str, at: datetime) -> None:
        """Tell the other hosts, who will not see the poll before it is loaded."""
        sql = (
            f"INSERT INTO {self._table} VALUES (%s, %s, %s) "
            "ON CONFLICT (operation_id, report) DO UPDATE SET answered_at = excluded.answered_at"
        )
        self._ask(sql, operation.operation_id, report, at, table=True)

    def _ask(self, sql: str, *values: object, table: bool = False) -> list[SqlRow] | None:
        """Return the rows; None where PostgreSQL says no. A session that was lost is made anew,
        once."""
        import psycopg2

        with self._turn:
            for _ in range(2):
                if self._is_away or (table and self._is_unheard):
                    return None
                session = before = self._session
                try:
                    if not session or session.closed:
                        self._session = None
                        session = self._open()
                    if table and not self._has_table:
                        self._make_table(session)
                    with session.cursor() as cursor:
                        cursor.execute(sql, values)
                        return cursor.fetchall() if cursor.description else []
                except psycopg2.Error as error:
                    was_lost = before and self._session is before and before.closed
                    if was_lost:
                        continue
                    self._is_away = not self._session or bool(self._session.closed)
                    self._is_unheard |= table
                    self._tell(error)
                    return None
        return None

    def _tell(self, error: Exception) -> None:
        unseen = "calls" if self._is_away or not self._is_unheard else "answers"
        if unseen not in self._told:
            logger.warning(
                "the %s of other hosts are not seen in this run, only those of this user on this "
                "machine: %s",
                unseen,
                " ".join(str(error).split()),
            )
        self._told.add(unseen)

    def _open(self) -> connection:
        self._session = session = self._connect()
        with session.cursor() as cursor:
            cursor.execute(_LIMITS)
        return session

    def _make_table(self, session: connection) -> None:
        """Make the table where it is not there yet; in one transaction, one at a time."""
        with session.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", (self._table,))
            if cursor.fetchone() == (None,):
                cursor.execute(
                    f"SELECT pg_advisory_xact_lock({lock_number('table', self._schema)});"
                    + _TABLE.format(schema=self._schema, table=self._table)
                )
        self._has_table = True


def _wait_for(
    take: Callable[[], bool | None],
    name: str,
    holder: str,
    end: float,
    stopped: threading.Event | None,
) -> bool | None:
    """Return what `take` says of the token of the operation of this name, once that is not False.
    Raises TokenInUse once time.monotonic() is `end`, or once `stopped`."""
    logger.info("waiting for the token of operation %s: %s uses it", name, holder)
    stopped = stopped or threading.Event()
    while (has_lock := take()) is False:
        left = end - time.monotonic()
        if left <= 0 or stopped.is_set():
            raise TokenInUse(
                f"the token of operation {name} was in use by {holder} for longer than "
                "`token_wait_seconds`: wait for that process, or end it"
            )
        stopped.wait(min(0.25, left))
    return has_lock


def hosts_at(dsn: str, schema: str) -> Hosts:
    """Return what hosts share that load into this schema of a PostgreSQL."""
    return Hosts(lambda: new_session(dsn), f'"{schema}"')


def hosts_of(pipeline: dlt.Pipeline) -> Hosts | None:
    """Return what hosts share that load where this pipeline does; None where that is no
    PostgreSQL."""
    from wolkvox_billing.warehouse.sql import engine_of

    if engine_of(pipeline) != "postgres":
        return None
    return hosts_at(dsn_of(pipeline), pipeline.dataset_name)
