"""A verb of `wolkvox-billing` as the work of a task: its words in, its JSON out.

The command line runs as a child of the task, in Airflow's own Python, or in that of the virtual
environment WOLKVOX_BILLING_VENV where the packages of the two clash. One way for both: the words
are those of a shell, nothing of a run stays behind in the worker, and a child ends with its task.
"""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow.sdk import Connection, MultipleCronTriggerTimetable
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException
from airflow.sdk.log import mask_secret

log = logging.getLogger(__name__)
Json = dict[str, Any]  # an object, as a verb prints it or a person wrote it


def setting(name: str, default: str = "") -> str:
    """Return WOLKVOX_BILLING_…, of the dag-processor's environment and of the workers'."""
    return os.environ.get(f"WOLKVOX_BILLING_{name}") or default


def number(name: str, default: float, expected: str, *, least: float = 0, of: int = 0) -> float:
    """Return the setting as a number that is not less than `least`, and divides `of`; else the file
    does not parse, and Airflow shows what is wrong."""
    text = setting(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value < math.inf or (of and (value % 1 or of % value)):
        raise ValueError(f"WOLKVOX_BILLING_{name} is {text!r}: give {expected}")
    return value


def in_project(path: str) -> str:
    """Return the path as the command line takes it, which runs in the folder of
    WOLKVOX_BILLING_PROJECT; a task looks from a folder of its own. "" stays what it is."""
    return str(Path(setting("PROJECT"), path).absolute()) if path else ""


def run(*words: str, secrets: dict[str, str] | None = None, partly: bool = False) -> Json:
    """Return what the verb printed. Raises AirflowFailException where no retry can help,
    AirflowException where one may; the text says what failed and what to do, and never holds a
    token. With `partly` the failures of a verb that did the rest are handed back, not raised."""
    code, output, last_line = run_child([program(), *words, "--json"], secrets or {})
    result = json_object(output)
    if not code and result is None:  # another program of this name: nothing was done
        raise AirflowFailException(
            f"{words[0]}: printed no JSON object, so nothing is known to be done: is "
            f"{program()} this package's?"
        )
    is_partly_done = partly and code == 1 and result and "failures" in result
    result = result or {}
    for warning in result.get("warnings", ()):
        log.warning(warning)
    if code and not is_partly_done:
        ending = f"ended by signal {-code} ({signal.strsignal(-code)})" if code < 0 else ""
        why = "; ".join(result.get("failures", ())) or result.get("error") or last_line
        text = ": ".join(filter(None, (ending, why))) or f"ended with {code}"
        is_final = code == 2 or result.get("may_pass") is False
        raise (AirflowFailException if is_final else AirflowException)(f"{words[0]}: {text}")
    return result


def run_child(command: list[str], secrets: dict[str, str]) -> tuple[int, str, str]:
    """Return its exit code, what it printed, and the last line of its log, which is this task's."""
    if setpriv := shutil.which("setpriv"):  # Linux: a task that is killed takes its child with it
        # Not TERM, which dlt holds back until the writes that are under way have ended.
        command = [setpriv, "--pdeathsig", "KILL", *command]
    project = setting("PROJECT")
    if project and not Path(project).is_dir():
        raise AirflowFailException(
            f"WOLKVOX_BILLING_PROJECT: there is no folder {project} on this worker: make it, or "
            "name another one"
        )
    last_line = ""
    with (
        tempfile.TemporaryFile("w+", errors="replace") as output,
        subprocess.Popen(
            command,
            cwd=project or None,
            env={**environment(), **secrets},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as child,
    ):
        try:
            for line in child.stderr or ():
                log.info(line.rstrip())
                last_line = line.strip().removeprefix("wolkvox-billing: ") or last_line
            code = child.wait()
        except BaseException:  # the task's time is over
            end(child)
            raise
        output.seek(0)
        return code, output.read(), last_line


def program() -> str:
    """Return the command line's own program: `-m wolkvox_billing` could find the DAG's file of that
    name, which does nothing and ends well."""
    venv = setting("VENV")
    path = Path(venv or sys.prefix, "bin", "wolkvox-billing")
    executable = shutil.which(path) or ("" if venv else shutil.which(path.name))
    if not executable:
        where = "WOLKVOX_BILLING_VENV" if venv else "Airflow's Python"
        raise AirflowFailException(
            f"{where}: there is no program {path} on this worker: install the package there"
        )
    return str(Path(executable).absolute())


def environment() -> dict[str, str]:
    """Return the task's, but for what would make the child another one."""
    # The folder of the DAGs holds a file with the package's name.
    dags = Path(__file__).parent.resolve()
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    others = [path for path in paths if path and Path(path).resolve() != dags]
    # dlt would ask Airflow for each of its settings, 750 times a load.
    own = {"PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false", "PYTHONSAFEPATH": "1"}
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(others)}


def end(child: subprocess.Popen[str]) -> None:
    """End it as Ctrl-C does, which keeps the answers that came; after 10 seconds by force."""
    child.send_signal(signal.SIGINT)
    try:
        _, lines = child.communicate(timeout=10)  # reads on, so that it can say what it has to
        log.info((lines or "").rstrip())
    except subprocess.TimeoutExpired:
        log.warning("not ended after 10 seconds: killed")
    finally:
        child.kill()


def json_object(text: str) -> Json | None:
    """Return the object, or None where the text is none, or half of one."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def operations() -> dict[str, str]:
    """Return whom to ask, of Airflow's Connection, as a variable for the child alone; nothing where
    there is no such Connection: then the settings say it, as at a shell."""
    name = setting("CONNECTION", "wolkvox_billing")
    try:
        connection = Connection.get(name)
    except AirflowNotFoundException:
        return {}
    host = connection.host
    operation = {"name": connection.login or host, "server": host, "token": connection.password}
    extra = json_object(connection.extra or "{}")
    operations = None if extra is None else extra.get("operations") or [operation]
    if not isinstance(operations, list) or not all(isinstance(o, dict) for o in operations):
        raise AirflowFailException(  # what it holds may be a token, and is not shown
            f"the Connection {name}: its extra is to be a JSON object such as "
            '{"operations": [{"name": "ventas", "server": "0010", "token": "..."}]}'
        )
    mask_secret([operation.get("token") for operation in operations])
    return {"SOURCES__WOLKVOX_BILLING__OPERATIONS": json.dumps(operations)}


def tell(context: Any) -> None:
    """Hand the text of a failure to WOLKVOX_BILLING_NOTIFIER, a function named `module.function`;
    Airflow has it in the task's log already. A run tells of what no task could: that it took too
    long, as where the pool is missing."""
    why = context.get("exception") or context.get("reason")
    if why == "task_failure":
        return
    task = context.get("task_instance") or context.get("ti")
    text = f"{context['dag'].dag_id} {task.task_id if task else context.get('run_id')}: {why}"
    log.error(text)
    if notifier := setting("NOTIFIER"):
        module, _, function = notifier.rpartition(".")
        getattr(import_module(module), function)(text)


# The pauses add up to less than `pace_minutes`, so that a retry asks only what is still missing.
TASKS = {
    "retries": 3,
    "retry_delay": timedelta(seconds=number("RETRY_SECONDS", 20, "seconds, 0 or more")),
    "retry_exponential_backoff": 2,
    "execution_timeout": timedelta(minutes=15),
    "on_failure_callback": tell,
}
DAGS = {
    "catchup": False,
    "max_active_runs": 1,
    "dagrun_timeout": timedelta(hours=1),  # a run whose pool is missing would wait for ever
    "on_failure_callback": tell,
    "default_args": TASKS,
    "tags": ["wolkvox"],
}
ZONE = os.environ.get("SOURCES__WOLKVOX_BILLING__TIMEZONE") or "America/Bogota"  # the vendor's
EVERY = int(number("SCHEDULE_MINUTES", 15, "a divisor of 60, at least 5", least=5, of=60))
STALE = number("STALE_MINUTES", 2 * EVERY + 5, "minutes, at least 1", least=1)
CRON = f"*/{EVERY} * * * *" if EVERY < 60 else "0 * * * *"


def schedule(*crons: str) -> MultipleCronTriggerTimetable:
    """Return these, by the vendor's clock; and once as soon as somebody starts the DAG."""
    return MultipleCronTriggerTimetable(*crons, timezone=ZONE, run_immediately=True)
