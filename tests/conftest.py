"""What the tests stand on: a stand-in vendor, an empty project folder, a PostgreSQL of their own.

Only the vendor and the clock are ours; sockets, DuckDB and PostgreSQL are real.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

from fake_wolkvox import Vendor
from wolkvox_billing.pipeline import LoadReport, load

NOON = datetime(2026, 11, 10, 17, 0, tzinfo=timezone.utc)  # a Tuesday, 12:00 in Bogotá
TOKENS = {"acme": "a1" * 32, "beta": "b2" * 32, "gama": "c3" * 32}
SERVERS = {"acme": "0010", "beta": "0011", "gama": "0012"}

HOW_TO_GET_POSTGRES = (
    "these tests need PostgreSQL's server programs: install them (Debian: apt-get install "
    "postgresql; macOS: brew install postgresql) or name their folder in PG_BIN"
)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A stand-in vendor with three operations, whose clock stands at NOON until it is moved."""
    with Vendor(now=NOON, operations=[]) as stand_in:
        for name, token in TOKENS.items():
            stand_in.add_operation(name=name.upper(), server=SERVERS[name], token=token)
        yield stand_in


@dataclass
class Project:
    """An empty project folder with settings, in which verbs are called as a person would."""

    folder: Path
    vendor: Vendor
    destination: str = "duckdb"
    settings: dict[str, Any] = field(default_factory=dict)
    dsn: str = ""

    def load(self, **more: Any) -> LoadReport:
        """One `load` by the vendor's clock; new tries come at once."""
        settings = {"retry_pause_seconds": 0.0, **self.settings, **more}
        return load(destination=self.destination, clock=lambda: self.vendor.now, **settings)

    def later(self, **time: float) -> None:
        self.vendor.now += timedelta(**time)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse, over a connection of the test's own. Times come in UTC; the
        dataset is on the search path."""
        if self.destination == "duckdb":
            file = str(self.folder / "wolkvox.duckdb")
            with closing(duckdb.connect(file, read_only=True)) as db:
                db.execute("SET TimeZone = 'UTC'; SET search_path = 'wolkvox_billing'")
                return db.execute(sql).fetchall()
        with closing(psycopg2.connect(self.dsn)) as pg, pg.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'; SET search_path = 'wolkvox_billing'")
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    @contextmanager
    def away(self) -> Iterator[None]:
        """The destination refuses, for real: the DuckDB file is open in another process, or
        PostgreSQL takes no connection to the database."""
        if self.destination == "duckdb":
            with held_open(self.folder / "wolkvox.duckdb"):
                yield
            return
        server, name = self.dsn.rsplit("/", 1)
        with closing(psycopg2.connect(f"{server}/postgres")) as admin:
            admin.autocommit = True
            admin.cursor().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            try:
                yield
            finally:
                admin.cursor().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@contextmanager
def held_open(file: Path) -> Iterator[int]:
    """Another process has this DuckDB file open; gives its id."""
    hold = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1]); "
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder.pid
        finally:
            holder.stdin.close()


def configure(monkeypatch: pytest.MonkeyPatch, vendor: Vendor, *names: str) -> None:
    """Sets the environment so that the operations of these names are asked at the stand-in."""
    operations = [{"name": n, "server": SERVERS[n], "token": TOKENS[n]} for n in names]
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps(operations))
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__BASE_URL", vendor.url)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: Vendor) -> Project:
    """A project on DuckDB that polls the operation `acme`."""
    return _project(tmp_path, monkeypatch, vendor)


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
) -> Project:
    """A project that polls the operation `acme`: once on DuckDB, once on a real PostgreSQL."""
    made = _project(tmp_path, monkeypatch, vendor)
    if request.param == "postgres":
        made.destination = "postgres"
        made.dsn = request.getfixturevalue("new_database")()
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", made.dsn)
    return made


def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: Vendor) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    configure(monkeypatch, vendor, "acme")
    return Project(folder, vendor)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A PostgreSQL server that this session starts on a free port, and ends."""
    programs = _postgres_programs()
    folder = tmp_path_factory.mktemp("postgres")
    demote: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        demote = {"user": "nobody", "cwd": str(folder)}
        for parent in (folder, folder.parent, folder.parent.parent):
            parent.chmod(0o755)
        shutil.chown(folder, "nobody")

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=(log := (folder / "pg_output.txt").open("ab")),
            stderr=log,
            check=False,
            **demote,
        )
        if done.returncode:
            pytest.fail(f"{program} failed:\n{(folder / 'pg_output.txt').read_text()}")

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8")
    port = _free_port()
    options = f"-p {port} -h 127.0.0.1 -k '' -F -c max_connections=200"
    run("pg_ctl", "-D", data, "-w", "-o", options, "start")
    try:
        yield {"host": "127.0.0.1", "port": str(port), "user": "tester"}
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")


@pytest.fixture
def new_database(postgres_server: dict[str, str]) -> Callable[[], str]:
    """Makes an empty database, and gives its address."""

    def make() -> str:
        name = f"t{uuid.uuid4().hex[:12]}"
        at = "postgresql://{user}:unused@{host}:{port}/".format(**postgres_server)
        with closing(psycopg2.connect(at + "postgres")) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {name}")
        return at + name

    return make


def _postgres_programs() -> Path:
    candidates = [Path(os.environ["PG_BIN"])] if "PG_BIN" in os.environ else []
    if found := shutil.which("pg_ctl"):
        candidates.append(Path(found).resolve().parent)
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    candidates += Path("/opt/homebrew/opt").glob("postgresql@*/bin")
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    pytest.fail(HOW_TO_GET_POSTGRES)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
