"""An empty project folder with settings, in which verbs are called as a person would."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from builders.duckdb_files import attached, let_go
from builders.killing import Stable
from builders.postgres import administering, session
from fake_wolkvox import Vendor
from wolkvox_billing.verbs.load import LoadReport, load
from wolkvox_billing.verbs.poll import PollReport, poll
from wolkvox_billing.warehouse import sessions

NOON = datetime(2026, 11, 10, 17, 0, tzinfo=timezone.utc)  # a Tuesday, 12:00 in Bogotá
TOKENS = {"acme": "a1" * 32, "beta": "b2" * 32, "gama": "c3" * 32}
SERVERS = {"acme": "0010", "beta": "0011", "gama": "0012"}


@dataclass
class Project:
    """An empty project folder with settings, in which verbs are called as a person would."""

    folder: Path
    vendor: Vendor
    destination: str = "duckdb"
    settings: dict[str, Any] = field(default_factory=dict)
    dsn: str = ""
    # Of reports, that `builders.record` has seen to, by the address of the database.
    tables: dict[str, set[str]] = field(default_factory=dict)

    def load(self, **more: Any) -> LoadReport:
        """Run a `load` by the vendor's clock; new tries come at once."""
        settings = {"retry_pause_seconds": 0.0, **self.settings, **more}
        return load(destination=self.destination, clock=lambda: self.vendor.now, **settings)

    def poll(self, **more: Any) -> PollReport:
        """Run a `poll` by the vendor's clock: its answer waits for the next `load`."""
        settings = {"retry_pause_seconds": 0.0, **self.settings, **more}
        return poll(destination=self.destination, clock=lambda: self.vendor.now, **settings)

    def later(self, **time: float) -> None:
        self.vendor.now += timedelta(**time)

    def operations(self, count: int) -> list[dict[str, str]]:
        """Add so many operations at the vendor; return them as `load` takes them."""
        operations = [
            {"name": f"more-{n}", "server": f"{20 + n:04}", "token": f"{n:02x}" * 32}
            for n in range(count)
        ]
        for operation in operations:
            self.vendor.add_operation(**operation)
        return operations

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return rows of the warehouse, over a connection of the test's own. Times come in UTC; the
        dataset is on the search path."""
        return self._run(sql)[1]

    def query_dicts(self, sql: str) -> list[dict[str, Any]]:
        """Return the same in a fixed order, each row by its columns, without the ids of polls."""
        names, rows = self._run(sql)
        dicts = [dict(zip(names, row, strict=True)) for row in rows]
        return sorted(({k: v for k, v in row.items() if k != "poll_id"} for row in dicts), key=str)

    def execute(self, sql: str) -> None:
        """Run a statement of somebody else's."""
        self._run(sql, read_only=False)

    def _run(self, sql: str, read_only: bool = True) -> tuple[list[str], list[tuple[Any, ...]]]:
        if self.destination == "duckdb":
            with attached(self.folder / "wolkvox.duckdb", read_only=read_only) as db:
                db.execute("SET search_path = 'wolkvox.wolkvox_billing'")
                result = db.execute(sql)
                return [column[0] for column in result.description or ()], result.fetchall()
        with session(self.dsn) as pg, pg.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'; SET search_path = 'wolkvox_billing'")
            cursor.execute(sql)
            rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
            return [column[0] for column in cursor.description or ()], rows

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let the destination refuse, for real: the DuckDB file is open in another process, or
        PostgreSQL takes no connection to the database."""
        if self.destination == "duckdb":
            with held_open(self.folder / "wolkvox.duckdb"):
                yield
            return
        server, name = self.dsn.rsplit("/", 1)
        with administering(server) as cursor:
            cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            try:
                yield
            finally:
                cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@contextmanager
def held_open(file: Path) -> Iterator[int]:
    """Let another process have this DuckDB file open; yield its id."""
    let_go()
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


def with_mounts(
    runs: Stable, mounts: Sequence[Sequence[str]], code: str, *words: str
) -> subprocess.CompletedProcess[str]:
    """Run a script with these words in a process that mounts what no other one sees. Skips the test
    where the machine forbids that."""
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-rm", "true"], check=False).returncode:
        pytest.skip("this machine lets no process mount anything of its own (unshare -rm)")
    return runs.script(code, *words, mounts=mounts)


def configure(monkeypatch: pytest.MonkeyPatch, vendor: Vendor, *names: str) -> None:
    """Set the environment so that the operations of these names are asked at the stand-in."""
    operations = [{"name": n, "server": SERVERS[n], "token": TOKENS[n]} for n in names]
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps(operations))
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__BASE_URL", vendor.url)


def empty_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: Vendor) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    # The locks of a test's tokens are its own, in this process and in those that it starts.
    (tmp_path / "locks").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "locks"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "locks"))
    # Who is turned away by a PostgreSQL asks again for five seconds.
    monkeypatch.setattr(sessions, "PATIENCE", 0.3)
    configure(monkeypatch, vendor, "acme")
    return Project(folder, vendor)


def on_postgres_beside(project: Project, monkeypatch: pytest.MonkeyPatch, dsn: str) -> Project:
    """An empty project on this database, with the vendor of another one; it is where verbs are
    called from now on."""
    folder = project.folder.parent / "beside"
    folder.mkdir()
    other = empty_project(folder, monkeypatch, project.vendor)
    other.destination, other.dsn = "postgres", dsn
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", dsn)
    return other
