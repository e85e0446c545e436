"""A PostgreSQL server of our own, on a free port of this machine, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2.extensions

HOW_TO_GET_POSTGRES = (
    "this needs PostgreSQL's server programs: install them (Debian: apt-get install postgresql; "
    "macOS: brew install postgresql) or name their folder in PG_BIN"
)
TEMP = tempfile.gettempdir()  # of the machine: a test may have one of its own


class PostgresMissing(Exception):
    """The server's programs are not on this machine."""


# Nothing that a server does for its next day: thousands of databases live a second each.
_UNATTENDED = (
    "-c autovacuum=off -c wal_level=minimal -c max_wal_senders=0 -c full_page_writes=off "
    "-c checkpoint_timeout=1h -c max_wal_size=8GB"
)


@contextmanager
def running_postgres() -> Iterator[str]:
    """Starts a server in a folder that goes with it; gives the address of its database `postgres`.

    Raises PostgresMissing, and RuntimeError with what the server said where it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="postgres-", dir=roomiest()) as name:
        folder = Path(name)
        if os.getuid() == 0:
            shutil.chown(folder, "nobody")
        data, port = folder / "data", free_port()
        _run(
            folder, "initdb", "-D", data, "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8"
        )
        options = f"-p {port} -h 127.0.0.1 -k '' -F -c max_connections=200 {_UNATTENDED}"
        _run(folder, "pg_ctl", "-D", data, "-w", "-o", options, "start")
        try:
            yield f"postgresql://tester:unused@127.0.0.1:{port}/postgres"
        finally:
            pg_ctl(data, "stop")


def roomiest() -> str:
    """Return a folder for what a session makes: in memory where Linux has some GB to spare, since
    databases and dlt's folders are thousands of files."""
    memory = Path("/dev/shm")  # noqa: S108 # what is made there has a name of its own
    has_room = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 8 * 2**30
    return str(memory) if has_room else TEMP


@contextmanager
def administering(server: str) -> Iterator[psycopg2.extensions.cursor]:
    """Yield a cursor that can make and drop databases of a server. Its connection stays for the
    next one: two in three that a test would open are of those that make and drop its database."""
    yield _administrator(server).cursor()


@cache
def _administrator(server: str) -> psycopg2.extensions.connection:
    connection = psycopg2.connect(f"{server}/postgres")
    connection.autocommit = True
    return connection


_SPARE: defaultdict[str, list[str]] = defaultdict(list)  # by server, empty and never used


def create_database(server: str, name: str, template: str = "template1") -> None:
    """Make a database as a copy of another one's files: through its log, as PostgreSQL does since
    15, it takes twice as long."""
    with administering(server) as cursor:
        way = "STRATEGY file_copy" if cursor.connection.server_version >= 150000 else ""
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template} {way}")


def empty_database(server: str, name: str) -> None:
    """Make an empty database, of a spare one where there is one."""
    if not _SPARE[server]:
        create_database(server, name)
        return
    with administering(server) as cursor:
        cursor.execute(f"ALTER DATABASE {_SPARE[server].pop()} RENAME TO {name}")


def put_in_place(server: str, name: str, template: str) -> None:
    """Let an empty database be a copy of another one. Where no test has asked it anything it is
    spared for the next one."""
    if f"{server}/{name}" in _ASKED:
        drop_database(server, name)
    else:
        spare = f"spare_{name}"
        with administering(server) as cursor:
            cursor.execute(f"ALTER DATABASE {name} RENAME TO {spare}")
        _SPARE[server].append(spare)
    create_database(server, name, template)


def drop_database(server: str, name: str) -> None:
    with administering(server) as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


_LEFT: list[tuple[str, str]] = []  # server and database: what the last test had


def leave_databases(server: str, names: list[str]) -> None:
    """Drop what was left before, and leave these for the next time: PostgreSQL waits for a tenth of
    a second where a session of theirs is just ending."""
    for server_before, name in _LEFT:
        drop_database(server_before, name)
    _LEFT[:] = [(server, name) for name in names]


_ASKED: set[str] = set()  # addresses that tests have had sessions at
_LAST: dict[str, psycopg2.extensions.connection] = {}  # the one that is open, by its address


def session(dsn: str) -> psycopg2.extensions.connection:
    """Return a session that stays open for the next question to the same database: to open one
    takes ten times as long."""
    with suppress(KeyError, psycopg2.Error):  # another one's, or the server has ended it
        _LAST[dsn].reset()
        return _LAST[dsn]
    end_session()
    _ASKED.add(dsn)
    _LAST[dsn] = psycopg2.connect(dsn)
    return _LAST[dsn]


def end_session() -> None:
    """Close what is open: a database is copied only while nobody is in it."""
    while _LAST:
        _LAST.popitem()[1].close()


def pg_ctl(data: Path, action: str) -> None:
    """Ends a running server as if its power failed ("stop"), or starts it again ("restart")."""
    _run(data.parent, "pg_ctl", "-D", data, "-w", "-m", "immediate", action)


def _run(folder: Path, program: str, *arguments: object) -> None:
    demote: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        demote = {"user": "nobody", "cwd": str(folder)}
    log = folder / "output.txt"
    with log.open("ab") as output:
        done = subprocess.run(
            [str(_programs() / program), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            **demote,
        )
    if done.returncode:
        raise RuntimeError(f"{program} failed:\n{log.read_text()}")


def _programs() -> Path:
    candidates = [Path(os.environ["PG_BIN"])] if "PG_BIN" in os.environ else []
    if program := shutil.which("pg_ctl"):
        candidates.append(Path(program).resolve().parent)
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    candidates += Path("/opt/homebrew/opt").glob("postgresql@*/bin")
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise PostgresMissing(HOW_TO_GET_POSTGRES)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
