"""Hosts that share no disk: only PostgreSQL and the vendor stand between them, and no row is lost.

A host is a process with a home, a folder for temporary files and a project folder of its own.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from builders.killing import Stable
from builders.project import NOON, TOKENS, Project, configure, empty_project
from fake_wolkvox import Vendor
from wolkvox_billing.polling import hosts
from wolkvox_billing.polling.polls import Poll
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.warehouse.complaints import failure_of
from wolkvox_billing.warehouse.place import opened
from wolkvox_billing.warehouse.sessions import lock_number, only_load

pytestmark = pytest.mark.usefixtures("kept_open", "tables")
REPORT = "rsync_s3_mp3"

LOAD = """
import json, logging, sys
from datetime import datetime
from wolkvox_billing.verbs.load import load

logging.basicConfig(stream=sys.stdout, format="%(message)s")
logging.getLogger("wolkvox_billing").setLevel("INFO")
now, settings = json.loads(sys.argv[1])
report = load(destination="postgres", clock=lambda: datetime.fromisoformat(now), **settings)
made = [one.outcome.value for one in report.polls] + [one.reason for one in report.skips]
print(json.dumps([made, report.problems]), flush=True)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: Vendor,
            request: pytest.FixtureRequest) -> Project:  # fmt: skip
    """A project that polls the operation `acme` into a PostgreSQL."""
    project = empty_project(tmp_path, monkeypatch, vendor)
    project.destination, project.dsn = "postgres", request.getfixturevalue("new_database")()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    return project


def disk(tmp_path: Path, name: str) -> dict[str, str]:
    """The folders of a host, made; by the variables that lead there."""
    places = {"HOME": "home", "TMPDIR": "tmp", "DLT_DATA_DIR": "dlt", "PWD": "project"}
    folders = {variable: tmp_path / name / folder for variable, folder in places.items()}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {variable: str(folder) for variable, folder in folders.items()}


class Host:
    """A load on another host, by the vendor's clock."""

    def __init__(self, runs: Stable, project: Project, name: str, settings: dict[str, Any]) -> None:
        own = disk(project.folder.parent, name)
        output, self._errors = (Path(own["HOME"], name) for name in ("output", "errors"))
        os.mkfifo(output)
        words = [json.dumps([project.vendor.now.isoformat(), settings])]
        order = {"output": output, "errors": self._errors, "more": own}
        self._runs = runs
        self.pid = runs.start("script", {"code": LOAD, "words": words}, **order)
        self._output = output.open()

    def read_until(self, text: str) -> str:
        """Return the next line that begins with a text."""
        for line in self._output:
            if line.startswith(text):
                return line.rstrip("\n")
        raise AssertionError(f"it ended without: {text}")

    def told(self) -> list[str]:
        """Return what it made, once it has ended well: outcomes, and reasons of skips."""
        lines = self._output.read().splitlines()
        assert self._runs.wait(self.pid) == 0, self._errors.read_text()
        outcomes, problems = json.loads(lines[-1])
        assert problems == []
        return list(outcomes)

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.pid in self._runs.running:
            os.kill(self.pid, signal.SIGKILL)
            self._runs.wait(self.pid)

    def close(self) -> None:
        self.kill()
        self._output.close()


StartsHost = Callable[..., Host]


@pytest.fixture
def host(runs: Stable, project: Project) -> Iterator[StartsHost]:
    """Starts a load on another host of this name, with these settings; it ends with the test, or
    after a minute."""
    with ExitStack() as ends:

        def start(name: str, **settings: Any) -> Host:
            started = ends.enter_context(closing(Host(runs, project, name, settings)))
            end = threading.Timer(60, os.kill, (started.pid, signal.SIGKILL))
            end.start()
            ends.callback(end.cancel)
            return started

        yield start


@contextmanager
def held_back(project: Project) -> Iterator[ExitStack]:
    """No answer comes before this is closed."""
    with ExitStack() as held:
        held.enter_context(project.vendor.hold())
        yield held


POLLS = "SELECT operation_id, report, outcome, started_at FROM polls ORDER BY started_at, 1"
LOCKS = "SELECT * FROM pg_locks WHERE locktype = 'advisory'"
OURS = "FROM pg_stat_activity WHERE application_name LIKE 'process %'"
READ_AT = "SELECT operation_id, read_at FROM readings ORDER BY read_at, 1"


@pytest.mark.parametrize("force", [True, False])
def test_hosts_take_turns_with_a_token(project: Project, force: bool, host: StartsHost) -> None:
    """A host waits while another one's call with the same token is in flight, and says for whom;
    then it calls if it must, and otherwise keeps the pace by an answer that is not loaded yet."""
    with held_back(project) as held:
        a = host("a")
        project.vendor.wait_for_calls(1, 30)
        b = host("b", force=force)
        waiting = b.read_until("waiting for the token of operation acme")
        assert f": process {a.pid} on " in waiting
        statements = project.query("SELECT query FROM pg_stat_activity")
        locks = project.query("SELECT l::text FROM pg_locks l WHERE locktype = 'advisory'")
        assert locks and TOKENS["acme"][:8] not in f"{statements}{locks}"
        held.close()
        assert b.told() == (["ok"] if force else ["pace"])
        assert a.told() == ["ok"]
    assert (len(project.vendor.calls), project.vendor.violations) == (1 + force, 0)
    assert project.query(READ_AT) == [("acme", NOON)] * (1 + force)
    assert len(project.query(POLLS)) == 1 + force
    assert project.query(LOCKS) == []


def test_hosts_that_ask_ten_operations_at_once(
    project: Project, monkeypatch: pytest.MonkeyPatch, host: StartsHost
) -> None:
    """Three hosts ask the same ten operations side by side, in spite of the pace: no token is in
    two calls at once, every call is answered, and each answer is there once."""
    tokens = {f"op{n}": f"{n:x}" * 64 for n in range(10)}
    told_of = [{"name": n, "server": f"01{n[2:]}", "token": token} for n, token in tokens.items()]
    for operation in told_of:
        project.vendor.add_operation(**operation)
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps(told_of))
    with held_back(project) as held:
        first = host("a", force=True)
        project.vendor.wait_for_calls(1, 30)
        others = [host(name, force=True) for name in "bc"]
        for process in others:
            process.read_until("waiting for the token of operation")
        held.close()
        for process in (first, *others):
            assert process.told() == ["ok"] * 10
    assert (len(project.vendor.calls), project.vendor.violations) == (30, 0)
    for table in ("polls", "readings"):
        counts = project.query(
            f"SELECT operation_id, count(*), count(DISTINCT poll_id) FROM {table} GROUP BY 1"
        )
        assert sorted(counts) == sorted((name, 3, 3) for name in tokens), table


def test_a_token_is_free_once_its_host_is_dead(project: Project, host: StartsHost) -> None:
    """Who waits for a token gets it when the process that held it on another host is killed; what
    that one had asked for is no row, and not in the way."""
    with held_back(project) as held:
        a = host("a")
        project.vendor.wait_for_calls(1, 30)
        b = host("b")
        b.read_until("waiting for the token")
        a.kill()
        project.vendor.wait_for_calls(2, 30)
        held.close()
        assert b.told() == ["ok"]
    assert project.vendor.violations == 0
    assert project.query(READ_AT) == [("acme", NOON)]


def test_a_token_that_another_host_keeps_is_left_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch, host: StartsHost
) -> None:
    """After `token_wait_seconds` the call is not made, and who uses the token is told; other
    operations are asked."""
    with project.vendor.hold(TOKENS["acme"]):
        a = host("a")
        project.vendor.wait_for_calls(1, 30)
        configure(monkeypatch, project.vendor, "acme", "beta")
        report = project.load(token_wait_seconds=0.3)
        assert [poll.operation.operation_id for poll in report.polls] == ["beta"]
        [skip] = report.skips
        assert (skip.operation_id, skip.reason) == ("acme", "token_in_use")
        assert f"in use by process {a.pid} on " in skip.detail
        a.kill()
    assert (len(project.vendor.calls), project.vendor.violations) == (2, 0)


def test_without_postgresql_the_polling_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While PostgreSQL is away all operations are asked, one warning says that other hosts are not
    seen, and the next run loads what waited."""
    caplog.set_level(logging.WARNING, "wolkvox_billing")
    configure(monkeypatch, project.vendor, *TOKENS)
    with project.away():
        assert [poll.outcome for poll in project.load().polls] == ["ok"] * 3
    [warning] = [message for message in caplog.messages if "calls of other hosts" in message]
    assert "not currently accepting connections" in warning
    project.later(hours=1)
    assert project.load().is_good
    assert len(project.query(POLLS)) == len(project.query(READ_AT)) == 6


def test_a_session_that_is_lost_is_made_anew(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """Where PostgreSQL ends the session between two calls, the next one holds its token again."""
    caplog.set_level(logging.WARNING, "wolkvox_billing")
    held: list[int] = []

    def end_it(_: object) -> None:
        if not held:  # the session after it may just be opening: no call of ours was in it
            held.append(len(project.query(f"SELECT pg_terminate_backend(pid) {OURS}")))

    reports = [REPORT, "ivr_minutes", "ivr_calls"]
    assert project.load(reports=reports, on_event=end_it).is_good
    assert held == [1]
    assert "calls of other hosts" not in caplog.text
    assert len(project.query("SELECT * FROM last_answers")) == 3


def test_a_host_goes_on_where_another_one_stopped(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A host with an empty home keeps the pace of the one before it; each call's poll and readings
    are there once, and the newest reading is the last one, when the first host comes back too."""

    def on(name: str, items: str) -> list[str]:
        own = disk(tmp_path, name)
        monkeypatch.chdir(own["PWD"])
        monkeypatch.setattr(tempfile, "tempdir", own["TMPDIR"])
        for variable, folder in own.items():
            monkeypatch.setenv(variable, folder)
        row = {"operation": "ACME", "description": "Audios", "items": items, "date": "2026-11-10"}
        project.vendor.answer(TOKENS["acme"], REPORT, [row])
        events: list[Any] = []
        assert project.load(on_event=events.append).is_good
        return [e.outcome.value if isinstance(e, Poll) else e.reason for e in events]

    assert on("a", "5") == ["ok"]
    project.later(minutes=1)
    assert on("b", "6") == ["pace"]
    project.later(minutes=9)
    assert on("b", "7") == ["ok"]
    project.later(minutes=10)
    assert on("a", "9") == ["ok"]
    times = [NOON, NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)]
    assert project.query(POLLS) == [("acme", REPORT, "ok", time) for time in times]
    assert project.query(READ_AT) == [("acme", time) for time in times]
    assert project.query(f"SELECT items, read_at FROM {REPORT}") == [(9, times[-1])]
    published = publish(tmp_path / "copy", destination="postgres").rows
    assert published["wolkvox_billing.polls"] == 3
    assert "wolkvox_billing.last_answers" not in published


def test_hosts_load_one_after_the_other(project: Project, host: StartsHost) -> None:
    """While a host's load is under way another one asks, and waits before it loads: both polls
    are there, though dlt fills and empties the same staging tables for both."""
    assert project.load().is_good
    with closing(psycopg2.connect(project.dsn)) as reader, closing(reader.cursor()) as cursor:
        project.later(hours=1)
        cursor.execute("LOCK TABLE wolkvox_billing.polls IN EXCLUSIVE MODE")  # no merge gets on
        a = host("a")
        stuck = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'polls'::regclass"
        end = time.monotonic() + 60
        while not project.query(stuck):
            assert time.monotonic() < end
        project.later(hours=1)
        b = host("b")
        b.read_until("waiting for another host that loads")
        reader.rollback()
        assert a.told() == b.told() == ["ok"]
    times = [("acme", NOON + timedelta(hours=hours)) for hours in range(3)]
    assert project.query(READ_AT) == times
    assert [row[3] for row in project.query(POLLS)] == [time for _, time in times]


def test_the_server_ends_no_silent_session(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """The locks outlive the server's time limits for sessions; where the lock of a load is lost
    all the same, that is said."""
    database = project.dsn.rsplit("/", 1)[1]
    project.execute(f"ALTER DATABASE {database} SET idle_session_timeout = 200")
    with opened("postgres") as pipeline:
        with only_load(pipeline):
            time.sleep(0.6)
            assert project.query(LOCKS) != []
        assert caplog.messages == []
        with only_load(pipeline):
            project.query(f"SELECT pg_terminate_backend(pid) {OURS}")
    assert "rows may be missing if another host loaded meanwhile" in caplog.text


def test_who_is_thrown_out_of_the_line_stands_in_it_again(project: Project) -> None:
    """Who waits for another host's load goes on waiting when the server ends the statement, or the
    session; after the time to wait it is told in words why there was no load."""
    waiting = "FROM pg_stat_activity WHERE wait_event = 'advisory'"
    with opened("postgres") as pipeline, ThreadPoolExecutor() as pool:

        def loaded(wait: float) -> str:
            failure = failure_of(lambda: ExitStack().enter_context(only_load(pipeline, wait=wait)))
            return failure.says if failure else ""

        with only_load(pipeline):
            assert loaded(0.2) == "another host loads into the same dataset for more than 0.2 s"
            other = pool.submit(loaded, 60)
            for end_it in ("pg_cancel_backend", "pg_terminate_backend"):
                while not project.query(f"SELECT {end_it}(pid) {waiting}"):
                    assert not other.done()
                while project.query(f"SELECT pid {waiting}") == []:
                    assert not other.done()
        assert other.result() == ""


def test_no_load_without_its_lock(project: Project) -> None:
    """Where the server gives no session in some seconds there is no load, and it says why."""
    refused = pytest.raises(psycopg2.OperationalError, match="not currently accepting")
    with opened("postgres") as pipeline, project.away(), refused:
        ExitStack().enter_context(only_load(pipeline, wait=0.5))


def test_a_table_that_is_held_elsewhere_holds_up_no_answer(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where somebody keeps the table of last answers, the calls go on after some seconds, and
    one warning says that answers of other hosts are not seen."""
    limits = hosts._LIMITS.replace("lock_timeout = '5s'", "lock_timeout = '0.2s'")
    assert limits != hosts._LIMITS
    monkeypatch.setattr(hosts, "_LIMITS", limits)
    assert project.load().is_good
    project.later(hours=1)
    with closing(psycopg2.connect(project.dsn)) as other, closing(other.cursor()) as cursor:
        cursor.execute("LOCK TABLE wolkvox_billing.last_answers")
        assert project.load(reports=[REPORT, "ivr_minutes"]).is_good
    [warning] = [message for message in caplog.messages if "of other hosts" in message]
    assert warning.startswith("the answers of other hosts are not seen")
    assert "lock timeout" in warning


def test_what_is_left_from_before_does_not_hold_up_the_calls(project: Project) -> None:
    """A host with answers left from before asks while another one loads, and then loads both."""
    assert project.load().is_good
    project.later(hours=1)
    with project.away():
        project.load()
    project.later(hours=1)
    calls = len(project.vendor.calls)
    with ThreadPoolExecutor() as pool, ExitStack() as other:
        lock = lock_number("load", '"wolkvox_billing"')
        cursor = other.enter_context(closing(psycopg2.connect(project.dsn))).cursor()
        cursor.execute("SELECT pg_advisory_lock(%s)", (lock,))
        run = pool.submit(project.load)
        project.vendor.wait_for_calls(calls + 1, 30)
        other.close()
        assert run.result().is_good
    assert len(project.query(READ_AT)) == 3


def test_a_loader_that_may_make_no_schema(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    new_database: Callable[[], str],
) -> None:
    """The schemas may be made for the loader: then it needs no right to make any; and where it may
    not have the table of last answers either, the token's lock is taken all the same."""
    project.dsn = new_database()  # without a table
    server, database = project.dsn.split("@")[1].rsplit("/", 1)
    role = f"loader_{database}"
    project.execute(f"CREATE ROLE {role} LOGIN")
    for schema in ("", "_staging", "_marts", "_internal", "_bi"):
        project.execute(f"CREATE SCHEMA wolkvox_billing{schema} AUTHORIZATION {role}")
    loader = f"postgresql://{role}:unused@{server}/{database}"
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", loader)
    assert project.load().is_good
    assert len(project.query("SELECT * FROM last_answers")) == 1
    assert "of other hosts" not in caplog.text
    project.execute("ALTER TABLE wolkvox_billing.last_answers OWNER TO tester")
    project.later(hours=1)
    with held_back(project) as held, ThreadPoolExecutor() as pool:
        run = pool.submit(project.load)
        project.vendor.wait_for_calls(2, 30)
        assert len(project.query(LOCKS)) == 1
        held.close()
        assert run.result().is_good
    assert "the answers of other hosts are not seen" in caplog.text
