"""An Airflow of our own on 127.0.0.1, for as long as it is needed: its processes, and its REST API.

It runs the project's DAGs in build/airflow, keeps its tables in PostgreSQL, and writes all else
below one folder. Whoever starts it gives the settings of the DAGs as environment.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import tenacity

from builders.killing import Stable, stable
from builders.postgres import free_port

ROOT = Path(__file__).parents[2]
BIN = ROOT / "build" / "airflow" / "bin"
DAGS = ROOT / "pipelines" / "dags"
PROGRAMS = ("api-server", "scheduler --skip-serve-logs", "dag-processor")
# What its programs, and the tasks that they fork, would each import anew.
MODULES = (
    "airflow.__main__",
    "airflow.cli.commands.api_server_command",
    "airflow.cli.commands.dag_processor_command",
    "airflow.cli.commands.db_command",
    "airflow.cli.commands.scheduler_command",
    "airflow.cli.commands.task_command",
    "airflow.executors.local_executor",
    "airflow.jobs.scheduler_job_runner",
    "airflow.providers.standard.decorators.python",
    "airflow.sdk.execution_time.task_runner",
)
# The command `airflow`, which leads a session of its own; several are divided by a comma.
COMMAND = """
import os, sys
from itertools import groupby
from airflow.__main__ import main
os.setsid()
for is_comma, command in groupby(sys.argv[1:], ",".__eq__):
    if not is_comma:
        sys.argv = ["airflow", *command]
        main()
"""


@dataclass
class Airflow:
    """A running Airflow; `folder` holds all that it writes."""

    folder: Path
    url: str
    environment: dict[str, str]
    runs: Stable
    session: requests.Session = field(default_factory=requests.Session)

    def api(self, method: str, path: str, **words: Any) -> Any:
        """Return what the REST API answers to a call."""
        answer = self.session.request(method, f"{self.url}/api/v2/{path}", timeout=30, **words)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def start(self, *words: str, **more: str) -> int:
        """Start a command of Airflow's as a process that need not import everything anew; return
        its id."""
        return self.runs.start(
            "script",
            {"code": COMMAND, "words": words},
            env={**self.environment, **more},
            cwd=self.folder,
            output=self.folder / f"{words[0]}.out",
        )

    def command(self, *words: str, **more: str) -> None:
        """Run a command of Airflow's, or several that a comma divides; fail where one does."""
        code = self.runs.wait(self.start(*words, **more))
        assert code == 0, (self.folder / f"{words[0]}.out").read_text()

    def program(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program of Airflow's Python, with the environment of its processes."""
        return subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            env={**self.environment, **more},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def trigger(self, dag: str) -> str:
        """Start a run as a person does; return its id."""
        run: str = self.api("POST", f"dags/{dag}/dagRuns", json={"logical_date": None})[
            "dag_run_id"
        ]
        return run

    def state(self, dag: str, run: str) -> str:
        return str(self.api("GET", f"dags/{dag}/dagRuns/{run}")["state"])

    def ended(self, dag: str, run: str, seconds: float = 180) -> str:
        """Return the state of a run, once it has ended."""
        return until(lambda: self.state(dag, run), lambda s: s in ("success", "failed"), seconds)

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """Return the task instances of a run, by name; of a mapped one the last."""
        tasks = self.api("GET", f"dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in tasks}

    def states(self, dag: str, run: str) -> dict[str, str]:
        return {name: task["state"] for name, task in self.tasks(dag, run).items()}

    def log(self, dag: str, run: str) -> str:
        """Return what the tasks of a run wrote."""
        files = sorted((self.folder / "logs" / f"dag_id={dag}" / f"run_id={run}").rglob("*.log"))
        return "\n".join(file.read_text() for file in files)


def until(ask: Callable[[], Any], is_it: Callable[[Any], bool] = bool, seconds: float = 60) -> Any:
    """Return what `ask` gives, once it is what is waited for; fail with the last of it."""
    waiting = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda state: not is_it(state))
        | tenacity.retry_if_exception_type(requests.ConnectionError),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(0.4),
    )
    try:
        return waiting(ask)
    except tenacity.RetryError as error:
        last = error.last_attempt
        last_word = last.exception() or last.result()
        raise AssertionError(f"not within {seconds:g} s; at last: {last_word}") from None


@contextmanager
def running_airflow(
    folder: Path, database: str, settings: Mapping[str, str], port: int = 0
) -> Iterator[Airflow]:
    """Start Airflow on an empty database, and end it with all that it started."""
    if not (BIN / "airflow").exists():
        raise FileNotFoundError(f"there is no {BIN}: run `make test-airflow`, which sets it up")
    url = f"http://127.0.0.1:{port or free_port()}"
    environment = _environment(folder, database, url) | dict(settings)
    path = filter(None, [environment.get("PYTHONPATH")])
    with stable(BIN / "python", [*path], MODULES, env=environment) as runs:
        airflow = Airflow(folder, url, environment, runs)
        airflow.session.trust_env = False  # no proxy stands between this machine and itself
        airflow.command("db", "migrate")
        running: list[int] = []
        try:
            for program in PROGRAMS:
                running.append(airflow.start(*program.split()))
            until(lambda: _is_healthy(airflow), seconds=90)
            token = airflow.session.get(f"{url}/auth/token", timeout=30).json()["access_token"]
            airflow.session.headers["Authorization"] = f"Bearer {token}"
            yield airflow
        finally:
            _end(runs, running)


def _is_healthy(airflow: Airflow) -> bool:
    parts = airflow.session.get(f"{airflow.url}/api/v2/monitor/health", timeout=30).json()
    return all(
        parts[name]["status"] == "healthy"
        for name in ("metadatabase", "scheduler", "dag_processor")
    )


def _environment(folder: Path, database: str, url: str) -> dict[str, str]:
    (folder / "tmp").mkdir(parents=True)
    own = {
        "CORE__DAGS_FOLDER": str(DAGS),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "API__HOST": "127.0.0.1",
        "API__PORT": url.rsplit(":", 1)[1],
        "API__BASE_URL": url,
        "API__SECRET_KEY": secrets.token_hex(16),
        "API__WORKERS": "1",
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "DATABASE__SQL_ALCHEMY_CONN": database.replace("postgresql:", "postgresql+psycopg2:"),
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        # A file of DAGs is parsed when it has changed, and not each half a minute besides.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "AIRFLOW_HOME": str(folder),
        "DLT_DATA_DIR": str(folder / "dlt"),
        "NO_PROXY": "127.0.0.1",
        **{f"AIRFLOW__{name}": value for name, value in own.items()},
    }


def _end(runs: Stable, running: list[int]) -> None:
    """Ask each to end; what is left of the sessions that they began, workers that outlive the
    scheduler among them, is killed."""
    for process in running:
        os.kill(process, signal.SIGTERM)
    for process in running:
        with suppress(AssertionError):
            until(lambda process=process: runs.look(process) is not None, seconds=15)
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
