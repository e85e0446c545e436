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


def setting(name: str, default: str = "") -> str:
    """WOLKVOX_BILLING_…, of the dag-processor's environment and of the workers'."""
    return os.environ.get(f"WOLKVOX_BILLING_{name}") or default


def number(name: str, default: float, expected: str, *, least: float = 0, of: int = 0) -> float:
    """The setting as a number that is not less than `least`, and divides `of`; else the file does
    not parse, and Airflow shows what is wrong."""
    given = setting(name, str(default))
    try:
        found = float(given)
    except ValueError:
        found = math.nan
    if not least <= found < math.inf or (of and (found % 1 or of % found)):
        raise ValueError(f"WOLKVOX_BILLING_{name} is {given!r}: give {expected}")
    return found


def in_project(path: str) -> str:
    """The path as the command line takes it, which runs in the folder of WOLKVOX_BILLING_PROJECT;
    a task looks from a folder of its own. "" stays what it is."""
    return str(Path(setting("PROJECT"), path).absolute()) if path else ""


def run(*words: str, secrets: dict[str, str] | None = None, partly: bool = False) -> dict[str, Any]:
    """What the verb printed. Raises AirflowFailException where no retry can help, AirflowException
    where one may; the text says what failed and what to do, and never holds a token. With `partly`
    the failures of a verb that did the rest are handed back, not raised."""
    command = [program(), *words, "--json"]
    if setpriv := shutil.which("setpriv"):  # Linux: a task that is killed takes its child with it
        # Not TERM, which dlt holds back until the writes that are under way have ended.
        command = [setpriv, "--pdeathsig", "KILL", *command]
    project = setting("PROJECT")
    if project and not Path(project).is_dir():
        raise AirflowFailException(
            f"WOLKVOX_BILLING_PROJECT: there is no folder {project} on this worker: make it, or "
            "name another one"
        )
    said = ""
    with (
        tempfile.TemporaryFile("w+", errors="replace") as printed,
        subprocess.Popen(
            command,
            cwd=project or None,
            env={**environment(), **(secrets or {})},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as child,
    ):
        try:
            for line in child.stderr or ():
                log.info(line.rstrip())
                said = line.strip().removeprefix("wolkvox-billing: ") or said
            code = child.wait()
        except BaseException:  # the task's time is over
            end(child)
            raise
        printed.seek(0)
        found = json_object(printed.read())
    if not code and found is None:  # another program of this name: nothing was done
        raise AirflowFailException(
            f"{words[0]}: printed no JSON object, so nothing is known to be done: is "
            f"{program()} this package's?"
        )
    for warning in (found or {}).get("warnings", ()):
        log.warning(warning)
    if code and not (partly and code == 1 and found and "failures" in found):
        found = found or {}
        ended = f"ended by signal {-code} ({signal.strsignal(-code)})" if code < 0 else ""
        why = "; ".join(found.get("failures", ())) or said
        what = ": ".join(filter(None, (ended, why))) or f"ended with {code}"
        is_final = code == 2 or found.get("may_pass") is False
        raise (AirflowFailException if is_final else AirflowException)(f"{words[0]}: {what}")
    return found or {}


def program() -> str:
    """The command line's own program: `-m wolkvox_billing` could find the DAG's file of that name,
    which does nothing and ends well."""
    venv = setting("VENV")
    path = Path(venv or sys.prefix, "bin", "wolkvox-billing")
    found = shutil.which(path) or ("" if venv else shutil.which(path.name))
    if not found:
        where = "WOLKVOX_BILLING_VENV" if venv else "Airflow's Python"
        raise AirflowFailException(
            f"{where}: there is no program {path} on this worker: install the package there"
        )
    return str(Path(found).absolute())


def environment() -> dict[str, str]:
    """The task's, but for what would make the child another one."""
    # The folder of the DAGs holds a file with the package's name.
    dags = Path(__file__).parent.resolve()
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    others = [one for one in paths if one and Path(one).resolve() != dags]
    # dlt would ask Airflow for each of its settings, 750 times a load.
    own = {"PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false", "PYTHONSAFEPATH": "1"}
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(others)}


def end(child: subprocess.Popen[str]) -> None:
    """Ends it as Ctrl-C does, which keeps the answers that came; after 10 seconds by force."""
    child.send_signal(signal.SIGINT)
    try:
        _, rest = child.communicate(timeout=10)  # reads on, so that it can say what it has to
        log.info((rest or "").rstrip())
    except subprocess.TimeoutExpired:
        log.warning("not ended after 10 seconds: killed")
    finally:
        child.kill()


def json_object(text: str) -> dict[str, Any] | None:
    """None where it is none, or half of one."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def operations() -> dict[str, str]:
    """Whom to ask, of Airflow's Connection, as a variable for the child alone; nothing where there
    is no such Connection: then the settings say it, as at a shell."""
    name = setting("CONNECTION", "wolkvox_billing")
    try:
        found = Connection.get(name)
    except AirflowNotFoundException:
        return {}
    one = {"name": found.login or found.host, "server": found.host, "token": found.password}
    extra = json_object(found.extra or "{}")
    several = None if extra is None else extra.get("operations") or [one]
    if not isinstance(several, list) or not all(isinstance(each, dict) for each in several):
        raise AirflowFailException(  # what it holds may be a token, and is not shown
            f"the Connection {name}: its extra is to be a JSON object such as "
            '{"operations": [{"name": "ventas", "server": "0010", "token": "..."}]}'
        )
    mask_secret([each.get("token") for each in several])
    return {"SOURCES__WOLKVOX_BILLING__OPERATIONS": json.dumps(several)}


def tell(context: Any) -> None:
    """Hands the text of a failure to WOLKVOX_BILLING_NOTIFIER, a function named `module.function`;
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
    """These, by the vendor's clock; and once as soon as somebody starts the DAG."""
    return MultipleCronTriggerTimetable(*crons, timezone=ZONE, run_immediately=True)
