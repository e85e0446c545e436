"""Sessions of PostgreSQL, for the advisory locks that they hold; and the lock of a dataset.

The server frees what a process held when it ends, and within a minute what a host held that is dead
or cut off. A pgbouncer that pools by transaction cannot hold these locks, since the session is
somebody else's after each statement: let the loader's credentials lead to the server itself, or to
a pool by session.
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import dlt
    from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
    from psycopg2.extensions import connection

logger = logging.getLogger("wolkvox_billing")

# After 20 s of silence three probes, 10 s apart: the server's, so that it frees what a dead host
# held; and ours where a session is made, so that nobody waits for a dead server.
_SERVER_PROBES = "-ctcp_keepalives_idle=20 -ctcp_keepalives_interval=10 -ctcp_keepalives_count=3"
# What the server would end a silent or a waiting session by, where its version knows it.
_NO_TIMEOUTS = """
SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout',
'idle_in_transaction_session_timeout', 'statement_timeout', 'lock_timeout', 'transaction_timeout')
"""
PATIENCE = 5.0  # seconds for a server that gives no session, such as one with too many clients


@contextmanager
def only_load(pipeline: dlt.Pipeline, *, wait: float = 900) -> Iterator[None]:
    """Hold a PostgreSQL dataset against the loads of other hosts. dlt merges out of one staging
    table for each table, and empties it first: of two loads at once one would lose its rows.

    Raises DestinationTransientException after `wait` seconds, and what psycopg2 says of a server
    that gives no lock. Where the server ended the session meanwhile, that is said.
    """
    from dlt.common.destination.exceptions import DestinationTransientException

    from wolkvox_billing.warehouse.sql import engine_of

    if engine_of(pipeline) != "postgres":
        yield
        return
    dsn, dataset = dsn_of(pipeline), pipeline.sql_client().fully_qualified_dataset_name()
    session = _hold(dsn, lock_number("load", dataset), wait)
    if not session:  # not said while psycopg2's error is handled: that would be shown instead
        raise DestinationTransientException(
            f"another host loads into the same dataset for more than {wait:g} s"
        )
    try:
        yield
        if complaint := _why_ended(session):
            logger.warning(
                "the lock against loads of other hosts was lost during this load, and rows may be "
                "missing if another host loaded meanwhile: %s",
                complaint,
            )
    finally:
        session.close()


def _hold(dsn: str, lock: int, wait: float) -> connection | None:
    """Return a session that holds a lock, or None where another one has it for longer than `wait`
    seconds. Who is thrown out of the line stands in it again."""
    import psycopg2
    import tenacity

    end = time.monotonic() + wait
    last = min(end, time.monotonic() + PATIENCE)

    def take() -> connection | None:
        nonlocal last
        session, has_lock = new_session(dsn), False
        try:
            with session.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", (lock,))
                if cursor.fetchone() == (False,):
                    logger.info("waiting for another host that loads into the same dataset")
                    left = max(1, round(1000 * (end - time.monotonic())))
                    cursor.execute(f"SET lock_timeout = {left}")
                    try:
                        cursor.execute("SELECT pg_advisory_lock(%s)", (lock,))
                    except psycopg2.errors.LockNotAvailable:
                        return None
                    except psycopg2.Error:
                        last = min(end, time.monotonic() + PATIENCE)
                        raise
            has_lock = True
            return session
        finally:
            if not has_lock:
                session.close()

    trying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(psycopg2.Error),
        stop=lambda _: time.monotonic() >= last,
        wait=tenacity.wait_fixed(0.25),
        reraise=True,
    )
    return trying(take)


def _why_ended(session: connection) -> str:
    """Return what the server says of a session that it has ended; "" where it lives."""
    import psycopg2

    try:
        with session.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error as error:
        return " ".join(str(error).split())
    return ""


def new_session(dsn: str) -> connection:
    """Return a session of psycopg2's by an address with all that dlt was told, which the server
    does not end for its silence; other hosts read its name where they wait."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    options = parse_dsn(dsn).get("options", "")
    session = psycopg2.connect(
        dsn=dsn,
        options=f"{options} {_SERVER_PROBES}",
        application_name=f"process {os.getpid()} on {socket.gethostname()}",
        keepalives=1,
        keepalives_idle=20,
        keepalives_interval=10,
        keepalives_count=3,
        tcp_user_timeout=50_000,
    )
    session.autocommit = True
    try:
        with session.cursor() as cursor:
            cursor.execute(_NO_TIMEOUTS)
    except psycopg2.Error:
        session.close()
        raise
    return session


def dsn_of(pipeline: dlt.Pipeline) -> str:
    """Return the address, for psycopg2, of the PostgreSQL that a pipeline loads into."""
    client = cast("Psycopg2SqlClient", pipeline.sql_client())
    return str(client.credentials.to_native_representation())


def lock_number(kind: str, text: str) -> int:
    """Return the number of a lock, which leads back to no token, and is no other program's."""
    digest = hashlib.sha256(f"wolkvox-billing {kind}\n{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
