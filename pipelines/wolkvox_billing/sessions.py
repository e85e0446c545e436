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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import dlt
from dlt.common.destination.exceptions import DestinationTransientException

logger = logging.getLogger("wolkvox_billing")

# After 20 s of silence three probes, 10 s apart: the server's, so that it frees what a dead host
# held, and ours, so that nobody waits for a dead server.
_SERVER_PROBES = "-ctcp_keepalives_idle=20 -ctcp_keepalives_interval=10 -ctcp_keepalives_count=3"
_OUR_PROBES: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}


@contextmanager
def only_load(pipeline: dlt.Pipeline, *, wait: float = 900) -> Iterator[None]:
    """Holds a PostgreSQL dataset against the loads of other hosts. dlt merges out of one staging
    table for each table, and empties it first: of two loads at once one would lose its rows.

    Raises DestinationTransientException after `wait` seconds. A server that is away is no matter:
    the load says it.
    """
    if pipeline.destination.destination_name != "postgres":
        yield
        return
    import psycopg2

    client: Any = pipeline.sql_client()
    lock, session = lock_number("load", client.fully_qualified_dataset_name()), None
    try:
        with suppress(psycopg2.OperationalError):
            session = new_session(client)
        if session:
            with session.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", (lock,))
                if cursor.fetchone() == (False,):
                    logger.info("waiting for another host that loads into the same dataset")
                    cursor.execute(f"SET lock_timeout = '{wait:g}s'")
                    try:
                        cursor.execute("SELECT pg_advisory_lock(%s)", (lock,))
                    except psycopg2.errors.LockNotAvailable:
                        raise DestinationTransientException(
                            f"another host loads into the same dataset for more than {wait:g} s"
                        ) from None
        yield
    finally:
        if session:
            session.close()


def new_session(client: Any) -> Any:
    """A session by the destination's credentials as dlt resolved them; other hosts read its name
    where they wait."""
    import psycopg2

    given = client.credentials.get_query().get("options", "")
    session = psycopg2.connect(
        dsn=client.credentials.to_native_representation(),
        options=f"{given} {_SERVER_PROBES}",
        application_name=f"process {os.getpid()} on {socket.gethostname()}",
        **_OUR_PROBES,
    )
    session.autocommit = True
    return session


def lock_number(kind: str, text: str) -> int:
    """The number of a lock, which leads back to no token; other programs' locks begin otherwise."""
    digest = hashlib.sha256(f"wolkvox-billing {kind}\n{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
