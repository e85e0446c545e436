"""The DAGs in a real Airflow, against the stand-in vendor and a real PostgreSQL.

One Airflow for all, which takes half a minute to start; so the tests change the Connection, not the
settings, and each asks operations of its own, which no other test has asked before. What several
look at is run once.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

from builders.buckets import name_of, put
from builders.killing import Stable, stable
from builders.leaks import leaks, read_command_lines, shows
from builders.local_airflow import BIN, DAGS, ROOT, Airflow, running_airflow, until
from fake_wolkvox import Vendor
from wolkvox_billing.verbs.load import load
from wolkvox_demo.demo import LINE_MAP, OVERBILLED, RATE_CARD

DAG, AGE, INVOICES = "wolkvox_billing", "wolkvox_billing_age", "wolkvox_billing_invoices"
BUCKET = "wolkvox_billing_bucket"
# Of Airflow, for the DAGs' files.
IMPORTED_BY_DAGS = (
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.decorators.short_circuit",
    "airflow.sdk.execution_time.task_runner",
    "airflow.timetables.trigger",
)
REPORT = "rsync_s3_mp3"
NOTIFIER = """
from pathlib import Path
def tell(text):
    with (Path(__file__).parent / "told.txt").open("a") as file:
        file.write(text + "\\n")
"""


@dataclass
class World:
    """What all tests share: Airflow, the stand-in vendor, the warehouse."""

    airflow: Airflow
    vendor: Vendor
    dsn: str
    operations: dict[str, dict[str, str]]

    def operation(self, name: str, is_known: bool = True) -> dict[str, str]:
        """Add a new operation, as the Connection holds it; one that is not known has a wrong
        token."""
        number = len(self.operations)
        token = f"{number:02d}{name}".encode().hex().ljust(64, "0123456789abcdef"[number])
        if is_known:
            self.vendor.add_operation(name=name.upper(), server=f"{number:04d}", token=token)
        self.operations[name] = {"name": name, "server": f"{number:04d}", "token": token}
        return self.operations[name]

    def connect(self, *operations: dict[str, str]) -> None:
        """Make the Connection hold these: the short form for one, `extra` for several."""
        if len(operations) == 1:
            [own] = operations
            values = {"host": own["server"], "login": own["name"], "password": own["token"]}
        else:
            values = {"extra": json.dumps({"operations": operations})}
        empty = {"host": None, "login": None, "password": None, "extra": None}
        words = {"connection_id": DAG, "conn_type": "generic", **empty, **values}
        known = self.airflow.api("GET", "connections")["connections"]
        if known:
            self.airflow.api("DELETE", f"connections/{DAG}")
        self.airflow.api("POST", "connections", json=words)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.dsn)) as pg, pg.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def counts(self, name: str) -> tuple[int, ...]:
        """Return how many polls, readings and rows of the report there are of an operation."""
        of = "(SELECT count(*) FROM wolkvox_billing.{} WHERE operation_id = '{}')"
        tables = ", ".join(of.format(table, name) for table in ("polls", "readings", REPORT))
        return self.query(f"SELECT {tables}")[0]

    def calls(self, operation: dict[str, str]) -> int:
        return sum(call.token == operation["token"] for call in self.vendor.calls)

    @property
    def notices(self) -> str:
        return (self.airflow.folder / "told.txt").read_text()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[World]:
    """Airflow with the DAGs, their pool, and nothing loaded yet."""
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "team_notifier.py").write_text(NOTIFIER.replace("__file__", repr(str(folder / "x"))))
    (folder / "told.txt").touch()
    for name in ("project", "inbox", "bi"):
        (folder / name).mkdir()
    with closing(psycopg2.connect(f"{postgres_server}/postgres")) as connection:
        connection.autocommit = True
        for name in ("airflow", "warehouse"):
            connection.cursor().execute(f"CREATE DATABASE {name}")
    dsn = f"{postgres_server}/warehouse"
    with Vendor(now=datetime.now(timezone.utc), operations=[]) as vendor:
        settings = {
            "PYTHONPATH": str(folder),
            "WOLKVOX_BILLING_DESTINATION": "postgres",
            "WOLKVOX_BILLING_PROJECT": str(folder / "project"),
            "WOLKVOX_BILLING_PUBLISH": str(folder / "bi" / "usage.duckdb"),
            "WOLKVOX_BILLING_INVOICES": str(folder / "inbox"),
            "WOLKVOX_BILLING_EVIDENCE": str(folder / "evidence"),
            "WOLKVOX_BILLING_BUCKET": "yes",
            "WOLKVOX_BILLING_NOTIFIER": "team_notifier.tell",
            "WOLKVOX_BILLING_RETRY_SECONDS": "1",
            "WOLKVOX_BILLING_STILL_SECONDS": "4",
            "WOLKVOX_BILLING_SCHEDULE_MINUTES": "60",
            "DESTINATION__POSTGRES__CREDENTIALS": dsn,
            "SOURCES__WOLKVOX_BILLING__BASE_URL": vendor.url,
            "SOURCES__WOLKVOX_BILLING__RETRY_PAUSE_SECONDS": "0",
            "SOURCES__WOLKVOX_BILLING__MEASURES": json.dumps({REPORT: "month_to_date"}),
        }
        with running_airflow(folder, f"{postgres_server}/airflow", settings) as airflow:
            pool = {"name": DAG, "slots": 1, "description": "one call per token"}
            airflow.api("POST", "pools", json=pool)
            yield World(airflow, vendor, dsn, {})


def scheduled(airflow: Airflow, dag: str) -> str:
    """Return the run that the schedule makes as soon as a DAG is no longer paused."""
    until(lambda: any(known["dag_id"] == dag for known in airflow.api("GET", "dags")["dags"]))
    airflow.api("PATCH", f"dags/{dag}", json={"is_paused": False})
    first, *_ = until(lambda: airflow.api("GET", f"dags/{dag}/dagRuns")["dag_runs"])
    assert first["run_type"] == "scheduled"
    return str(first["dag_run_id"])


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stable]:
    """Airflow's Python with the DAGs' folder on its path as Airflow has it, where a warning of
    something that will go is an error; its runs need not import Airflow anew."""
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path_factory.mktemp("home"))}
    strict = ["-W", "error::DeprecationWarning"]
    with stable(BIN / "python", [DAGS], IMPORTED_BY_DAGS, strict, environment) as runs:
        yield runs


def python(interpreter: Stable, folder: Path, program: str, *words: str) -> str:
    """Return the last line that a program prints in Airflow's Python."""
    output, errors = folder / "output", folder / "errors"
    code = interpreter.run(
        "script",
        {"code": program, "words": words},
        env={"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(folder), "PYTHONPATH": str(DAGS)},
        cwd=folder,
        output=output,
        errors=errors,
    )
    assert code == 0, errors.read_text()
    return output.read_text().splitlines()[-1]


def test_parsing_imports_neither_dlt_nor_the_product(interpreter: Stable, tmp_path: Path) -> None:
    """The files of the DAGs parse without a warning of Airflow's, and import no more than it."""
    files = sorted(map(str, DAGS.glob("*.py")))
    assert len(files) == 3
    parse = (
        "import sys, runpy, warnings\n"
        "warnings.simplefilter('error')\n"
        "for name in sys.argv[1:]: runpy.run_path(name)\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('dlt', 'wolkvox_billing')])"
    )
    assert python(interpreter, tmp_path, parse, *files) == "[]"


def test_the_last_polls_of_a_month(interpreter: Stable, tmp_path: Path) -> None:
    """By the vendor's clock, every 15 minutes, and at 23:53 and 23:59 of a month's last day."""
    ask = """
import runpy, sys, pendulum, wolkvox_verb
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import MultipleCronTriggerTimetable
dag = runpy.run_path(sys.argv[1])
clock = MultipleCronTriggerTimetable(dag["CRON"], dag["MONTH_END"], timezone=wolkvox_verb.ZONE)
start, run, times = pendulum.datetime(2028, 2, 29, 23, 40, tz="America/Bogota"), None, []
for _ in range(5):
    run = clock.next_dagrun_info(
        last_automated_data_interval=run and run.data_interval,
        restriction=TimeRestriction(start, None, catchup=True),
    )
    times.append(f"{run.run_after.in_tz('America/Bogota'):DD HH:mm}")
print(*times, sep=", ")
"""
    times = python(interpreter, tmp_path, ask, str(DAGS / "wolkvox_billing.py"))
    assert times == "29 23:45, 29 23:53, 29 23:59, 01 00:00, 01 00:15"


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("echo '{\"failures\": []}'", "{'failures': []}"),
        ("true", "AirflowFailException load: printed no JSON object"),
        ("echo '[1]'", "AirflowFailException load: printed no JSON object"),
        (
            "echo '{\"fail'; echo 'no \\377 disk' >&2; exit 1",
            "AirflowException load: no \ufffd disk",
        ),
        ("echo late >&2; kill -9 $$", "AirflowException load: ended by signal 9 (Killed): late"),
        ("echo 'no token' >&2; exit 2", "AirflowFailException load: no token"),
        (
            """echo '{"version": 1, "error": "no file", "exit_code": 1}'; echo bye >&2; exit 1""",
            "AirflowException load: no file",
        ),
        ('echo "{\\"path\\": \\"$PYTHONPATH\\"}"', "{'path': ''}"),
    ],
)
def test_what_becomes_of_a_verb(
    interpreter: Stable, tmp_path: Path, script: str, result: str
) -> None:
    """Only what printed a JSON object has succeeded; what no retry can help is final; a signal is
    named first; and the folder of the DAGs, with a file of the package's name, is on no path."""
    program = tmp_path / "venv" / "bin" / "wolkvox-billing"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    assert verb(interpreter, tmp_path, f"venv = {str(program.parent.parent)!r}").startswith(result)


@pytest.mark.parametrize("name", ["VENV", "PROJECT"])
def test_a_folder_that_is_not_there(interpreter: Stable, tmp_path: Path, name: str) -> None:
    """A setting that names no folder of this worker is final, and named."""
    result = verb(interpreter, tmp_path, f"{name.lower()} = '/nowhere'")
    assert result.startswith(f"AirflowFailException WOLKVOX_BILLING_{name}: there is no ")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("SCHEDULE_MINUTES", ["0", "-5", "3", "7", "7.5", "90", "abc", "nan"]),
        ("RETRY_SECONDS", ["-1", "abc", "inf"]),
        ("STALE_MINUTES", ["0", "-5", "abc", "nan"]),
    ],
)
def test_a_number_that_cannot_be_meant(
    interpreter: Stable, tmp_path: Path, name: str, values: list[str]
) -> None:
    """The file does not parse, and the error names the variable, what came and what is expected."""
    program = """
import os, sys
name, *values = sys.argv[1:]
import importlib, json, wolkvox_verb
errors = []
for value in values:
    os.environ[name] = value
    try:
        importlib.reload(wolkvox_verb)
    except ValueError as error:
        errors.append(str(error))
print(json.dumps(errors))
"""
    errors = json.loads(python(interpreter, tmp_path, program, f"WOLKVOX_BILLING_{name}", *values))
    assert [error.split(": give ")[0] for error in errors] == [
        f"WOLKVOX_BILLING_{name} is {value!r}" for value in values
    ]


def verb(interpreter: Stable, folder: Path, setting: str) -> str:
    """Return what `load` handed back, or raised, with this setting; in one line."""
    name, value = setting.split(" = ")
    program = f"""
import os
os.environ["WOLKVOX_BILLING_{name.upper()}"] = {value}
from wolkvox_verb import run
try:
    print(run("load"))
except Exception as error:
    print(type(error).__name__, error)
"""
    return python(interpreter, folder, program)


def test_the_last_polls_ask_in_spite_of_the_pace(interpreter: Stable, tmp_path: Path) -> None:
    """From 23:50 of a month's last day on `load` is forced, but for its retries."""
    ask = """
import runpy, sys
from datetime import datetime
words = runpy.run_path(sys.argv[1])["last_words"]
times = [(2, 28, 23, 59), (2, 29, 23, 49), (2, 29, 23, 50), (2, 29, 23, 59), (3, 1, 0, 0)]
print([words(datetime(2028, *time), 1) for time in times], words(datetime(2028, 2, 29, 23, 59), 2))
"""
    words = python(interpreter, tmp_path, ask, str(DAGS / "wolkvox_billing.py"))
    assert words == "[[], [], ['--force'], ['--force'], []] []"


@pytest.fixture(scope="module")
def first_run(world: World) -> str:
    """The first scheduled run, of an operation that answers, and of another one that is maintained
    during all tries of one load."""
    norte, late = world.operation("norte"), world.operation("late")
    world.connect(norte, late)
    world.vendor.misbehave("maintenance", token=late["token"], times=4)
    run = scheduled(world.airflow, DAG)
    assert world.airflow.api("GET", "importErrors")["import_errors"] == []
    assert world.airflow.ended(DAG, run) == "success", world.airflow.log(DAG, run)
    return run


def test_a_scheduled_run_fills_the_marts(world: World, first_run: str) -> None:
    """The first scheduled run loads, refreshes, publishes, and tells who schedules on the Asset."""
    assert world.airflow.states(DAG, first_run) == {
        "load": "success", "marts": "success", "publish": "success", "failed": "skipped",
    }  # fmt: skip
    marts = """
        SELECT operation_id, last_quantity > 0 FROM wolkvox_billing_marts.usage_monthly ORDER BY 1
    """
    rows = [("late", True), ("norte", True)]
    assert world.query(marts) == rows
    copy = world.airflow.folder / "bi" / "usage.duckdb"
    with closing(duckdb.connect(str(copy), read_only=True)) as db:
        assert db.execute(marts).fetchall() == rows
    [event] = world.airflow.api("GET", "assets/events")["asset_events"]
    assert (event["name"], event["source_task_id"]) == (DAG, "publish")


def test_a_retry_asks_only_what_is_missing(world: World, first_run: str) -> None:
    """What fails and may pass is tried again, and what was answered is not asked twice."""
    assert world.airflow.tasks(DAG, first_run)["load"]["try_number"] == 2
    assert (world.calls(world.operations["norte"]), world.calls(world.operations["late"])) == (1, 5)
    assert world.counts("norte") == (1, 1, 1)
    assert world.counts("late") == (5, 1, 1)
    assert "late rsync_s3_mp3: maintenance" in world.airflow.log(DAG, first_run)


def test_two_manual_runs_keep_one_call_per_token(world: World) -> None:
    """Of two runs that people start at once one waits for the other, and both succeed. No command
    line shows the token meanwhile."""
    sur = world.operation("sur")
    world.connect(sur)
    before = len(world.vendor.calls)
    with world.vendor.hold(sur["token"]):
        first, second = (world.airflow.trigger(DAG) for _ in range(2))
        world.vendor.wait_for_calls(before + 1, timeout=60)
        states = sorted(world.airflow.state(DAG, run) for run in (first, second))
        assert states == ["queued", "running"]
        assert processes_of(world.airflow, "load")
        assert not [line for line in read_command_lines().values() if shows(line, sur["token"])]
    assert [world.airflow.ended(DAG, run) for run in (first, second)] == ["success"] * 2
    assert world.vendor.most_in_flight(sur["token"]) == 1
    assert world.vendor.violations == 0
    assert world.calls(sur) == 1  # the second was within the pace
    assert world.counts("sur") == (1, 1, 1)


def test_a_task_killed_in_the_middle_of_a_write(world: World) -> None:
    """A task that gets SIGKILL while PostgreSQL holds its write up takes the command line with it;
    the retry loads the answer that was received, and asks nobody."""
    este = world.operation("este")
    world.connect(este)
    with closing(psycopg2.connect(world.dsn)) as blocker:
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE wolkvox_billing.polls IN ACCESS EXCLUSIVE MODE")
        run = world.airflow.trigger(DAG)
        until(lambda: world.query("SELECT 1 FROM pg_locks WHERE NOT granted"))
        child = until(lambda: processes_of(world.airflow, "load"))[0]
        os.kill(parent(child), signal.SIGKILL)
        until(lambda: is_over(child))
    assert world.airflow.ended(DAG, run) == "success", world.airflow.log(DAG, run)
    assert world.airflow.tasks(DAG, run)["load"]["try_number"] == 2
    assert world.calls(este) == 1
    assert world.counts("este") == (1, 1, 1)


def test_a_worker_with_an_empty_home(world: World) -> None:
    """Another worker, without a file of the first one's, knows from the destination who was asked
    when; once the pace is over it goes on, and no row is lost or doubled."""
    este = world.operations["este"]
    env = {
        "HOME": str(world.airflow.folder / "another"),
        "DLT_DATA_DIR": str(world.airflow.folder / "another" / "dlt"),
        "SOURCES__WOLKVOX_BILLING__OPERATIONS": json.dumps([este]),
        "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",  # as the DAG has it
    }
    for pace, counts in (("60", (1, 1, 1)), ("0", (2, 2, 1))):
        pause = {"SOURCES__WOLKVOX_BILLING__PACE_MINUTES": pace}
        process = world.airflow.program("wolkvox-billing", "load", **env, **pause)
        assert process.returncode == 0, process.stdout + process.stderr
        assert world.counts("este") == counts
        assert world.calls(este) == counts[0]


def processes_of(airflow: Airflow, verb: str) -> list[int]:
    """Return the processes of a verb that this Airflow's tasks started."""
    processes = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            home = str(airflow.folder).encode() in (path.parent / "environ").read_bytes()
        except OSError:  # it has ended
            continue
        is_ours = any(word.endswith(b"/wolkvox-billing") for word in words)
        if home and is_ours and verb.encode() in words:
            processes.append(int(path.parent.name))
    return processes


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


def is_over(process: int) -> bool:
    """Return whether it has ended, be it that nobody has asked yet how."""
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_fresh_data_is_no_finding(world: World) -> None:
    """The run of the age succeeds while each operation that is asked is answered."""
    run = scheduled(world.airflow, AGE)
    assert world.airflow.ended(AGE, run) == "success", world.airflow.log(AGE, run)


def test_a_wrong_token_fails_the_run(world: World) -> None:
    """A wrong token fails the run without a retry, and names the operation and what to do; the
    other operation is loaded, and its marts are shown."""
    right, wrong = world.operation("right"), world.operation("wrong", is_known=False)
    world.connect(right, wrong)
    run = world.airflow.trigger(DAG)
    assert world.airflow.ended(DAG, run) == "failed"
    assert world.airflow.states(DAG, run) == {
        "load": "failed", "marts": "success", "publish": "success", "failed": "failed",
    }  # fmt: skip
    assert world.airflow.tasks(DAG, run)["load"]["try_number"] == 1
    assert world.counts("right") == (1, 1, 1)
    failure = "wrong rsync_s3_mp3: bad_token"
    assert failure in world.airflow.log(DAG, run)
    [line] = [line for line in world.notices.splitlines() if failure in line]
    assert line.startswith(f"{DAG} load: load: ")
    assert "make a token in wolkvox Manager" in line


def test_old_data_fails_a_run(world: World) -> None:
    """An operation that was not answered for longer than the setting is named, and no other one."""
    run = world.airflow.trigger(AGE)
    assert world.airflow.ended(AGE, run) == "failed"
    [line] = [line for line in world.notices.splitlines() if line.startswith(AGE)]
    assert line.startswith(f"{AGE} age: status: wrong rsync_s3_mp3: not answered")


def test_check_names_the_missing_pool(world: World) -> None:
    """`check` says that the pool is missing, and the command that makes it."""
    env = {
        "SOURCES__WOLKVOX_BILLING__SERVER": "0000",
        "SOURCES__WOLKVOX_BILLING__TOKEN": world.operations["norte"]["token"],
    }
    process = world.airflow.program(
        "wolkvox-billing", "check", WOLKVOX_BILLING_POOL="absent", **env
    )
    assert process.returncode == 1
    assert "pool absent is missing" in process.stderr
    assert "airflow pools set absent 1" in process.stderr


@pytest.fixture(scope="module")
def venv_used(world: World) -> Path:
    """Two tasks that were run by themselves, by the command line of another venv, on a DuckDB file;
    the file that this command line touches."""
    world.connect(world.operation("oeste"))
    venv, used = world.airflow.folder / "venv", world.airflow.folder / "used"
    (venv / "bin").mkdir(parents=True)
    program = venv / "bin" / "wolkvox-billing"
    program.write_text(f'#!/bin/sh\ntouch {used}\nexec {ROOT}/.venv/bin/wolkvox-billing "$@"\n')
    program.chmod(0o755)
    bucket = world.airflow.folder / "copies"
    for call in "12":
        put(bucket / name_of("2026-10-31", call), datetime.now(timezone.utc))
    world.airflow.command(
        "tasks", "test", DAG, "load", ",", "tasks", "test", BUCKET, "bucket",
        WOLKVOX_BILLING_VENV=str(venv),
        WOLKVOX_BILLING_DESTINATION="duckdb",
        BUCKET__URL=f"file://{bucket}",
        BUCKET__OPERATIONS=json.dumps({"*": "oeste"}),
        BUCKET__HASH_KEY="a key that all workers share",
    )  # fmt: skip
    return used


def test_a_venv_of_its_own_and_duckdb(world: World, venv_used: Path) -> None:
    """The command line of another venv does the same, here into a DuckDB file; no package of
    Airflow's Python is used."""
    assert venv_used.exists()
    assert in_duckdb(world, "SELECT operation_id FROM wolkvox_billing.polls") == [("oeste",)]


@pytest.mark.usefixtures("venv_used")
def test_the_copies_are_counted(world: World) -> None:
    """By the task of the bucket, in the same venv, which has what it lists with: a look at the
    bucket is stored beside what was polled, and compared."""
    looks = "SELECT objects, is_complete FROM wolkvox_billing.bucket_listings"
    assert in_duckdb(world, looks) == [(2, True)]
    periods = "SELECT operation_id, counted_quantity FROM wolkvox_billing_marts.copy_reconciliation"
    assert in_duckdb(world, periods) == [("oeste", 2)]


def in_duckdb(world: World, sql: str) -> list[tuple[Any, ...]]:
    file = world.airflow.folder / "project" / "wolkvox.duckdb"
    with closing(duckdb.connect(str(file), read_only=True)) as db:
        return db.execute(sql).fetchall()


def test_the_invoices_find_the_overbilled_month(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invoice that is dropped in the folder is read and compared: the month in which 2,450
    audios too many were billed fails the run with its sentence, and the evidence is written."""
    folder = world.airflow.folder
    (folder / "project" / "line_map.csv").write_text(LINE_MAP)
    (folder / "project" / "rate_card.csv").write_text(RATE_CARD.replace("2026-01-01", "2020-01-01"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", world.dsn)
    ventas = {"name": "ventas", "server": "0010", "token": "d4" * 32}
    with Vendor(operations=[]) as vendor:
        vendor.add_operation(name="Ventas  Norte", server="0010", token=ventas["token"])
        # The month begins at 05:00 UTC; its last reading is a minute before the next one.
        for when in ("04-01T05:01", "04-11T05:00", "04-21T05:00", "05-01T04:59", "05-01T05:01"):
            vendor.now = now = datetime.fromisoformat(f"2025-{when}:00+00:00")
            report = load(
                destination="postgres", clock=lambda now=now: now, operations=[ventas],
                base_url=vendor.url, measures={REPORT: "month_to_date"},
            )  # fmt: skip
            assert report.is_good, report
        (folder / "inbox" / "mail.zip").write_bytes(
            vendor.invoice(ventas["token"], "2025-04", extra=OVERBILLED)
        )
    run = scheduled(world.airflow, INVOICES)
    assert world.airflow.ended(INVOICES, run) == "failed"
    log = world.airflow.log(INVOICES, run)
    states = world.airflow.states(INVOICES, run)
    assert states == {
        "look": "success", "invoices": "success", "rejected": "success", "reconcile": "success",
        "material": "failed", "remember": "success",
    }, log  # fmt: skip
    assert "overbilled_quantity" in log
    [line] = [line for line in world.notices.splitlines() if "overbilled_quantity" in line]
    assert line.startswith(
        f"{INVOICES} material: reconcile: 2025-04: overbilled_quantity: ventas, "
    )
    assert f"{OVERBILLED:,} audios more than measured" in line
    assert (folder / "evidence" / "wolkvox-evidence-2025-04.zip").exists()


def test_no_token_shows_anywhere(world: World) -> None:
    """Nothing that Airflow wrote shows a token, in all that went before: no log, no output, no
    table of its own or of the warehouse (rendered fields and XCom are there), no answer."""
    assert len(world.operations) == 7
    folder = world.airflow.folder
    tables = (
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = "
        "'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    texts = [json.dumps(world.airflow.api("GET", f"connections/{DAG}")).encode()]
    for dsn in (world.dsn, world.dsn.replace("warehouse", "airflow")):
        with closing(psycopg2.connect(dsn)) as pg, pg.cursor() as cursor:
            cursor.execute(tables)
            for schema, table in cursor.fetchall():
                cursor.execute(f'SELECT * FROM "{schema}"."{table}"')
                rows = [
                    [bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor
                ]
                texts.append(f"{table} {rows}".encode())
    assert len(texts) > 60
    for token in (operation["token"] for operation in world.operations.values()):
        assert leaks(folder, token) == []
        assert [text[:40] for text in texts if shows(text, token)] == []
