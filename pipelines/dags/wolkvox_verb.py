"""A verb of `wolkvox-billing` as the work of a task: its words in, its JSON out.

The command line runs as a child of the task, in Airflow's own Python, or in that of the virtual
environment WOLKVOX_BILLING_VENV where the packages of the two clash. One way for both: the words
are those of a shell, nothing of a run stays behind in the worker, and a child ends with its task.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
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


def run(*words: str, secrets: dict[str, str] | None = None, partly: bool = False) -> dict[str, Any]:
    """What the verb printed. Raises AirflowFailException where no retry can help, AirflowException
    where one may; the text says what failed and what to do, and never holds a token. With `partly`
    the failures of a verb that did the rest are handed back, not raised."""
    venv = setting("VENV")
    command = [str(Path(venv, "bin", "python")) if venv else sys.executable]
    command += ["-m", "wolkvox_billing", *words, "--json"]
    if setpriv := shutil.which("setpriv"):  # Linux: a task that is killed takes its child with it
        # Not TERM, which dlt holds back until the writes that are under way have ended.
        command = [setpriv, "--pdeathsig", "KILL", *command]
    # dlt would ask Airflow for each of its settings, 750 times a load; and the DAG's file has the
    # package's name, should the project's folder be the one that it lies in.
    own = {"PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false", "PYTHONSAFEPATH": "1"}
    said = ""
    with (
        tempfile.TemporaryFile("w+") as printed,
        subprocess.Popen(
            command,
            cwd=setting("PROJECT") or None,
            env={**os.environ, **own, **(secrets or {})},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
        ) as child,
    ):
        try:
            for line in child.stderr or ():
                log.info(line.rstrip())
                said = line.strip().removeprefix("wolkvox-billing: ") or said
        except BaseException:  # the task's time is over
            child.kill()
            raise
        code = child.wait()
        printed.seek(0)
        text = printed.read()
    found: dict[str, Any] = json.loads(text) if text.strip() else {}
    for warning in found.get("warnings", ()):
        log.warning(warning)
    if code and not (partly and "failures" in found):
        what = "; ".join(found.get("failures", ())) or said or f"ended by signal {-code}"
        is_final = code == 2 or found.get("may_pass") is False
        raise (AirflowFailException if is_final else AirflowException)(f"{words[0]}: {what}")
    return found


def operations() -> dict[str, str]:
    """Whom to ask, of Airflow's Connection, as a variable for the child alone; nothing where there
    is no such Connection: then the settings say it, as at a shell."""
    try:
        found = Connection.get(setting("CONNECTION", "wolkvox_billing"))
    except AirflowNotFoundException:
        return {}
    one = {"name": found.login or found.host, "server": found.host, "token": found.password}
    several = found.extra_dejson.get("operations") or [one]
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
    "retry_delay": timedelta(seconds=float(setting("RETRY_SECONDS", "20"))),
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
EVERY = int(setting("SCHEDULE_MINUTES", "15"))
CRON = f"*/{EVERY} * * * *" if EVERY < 60 else "0 * * * *"


def schedule(*crons: str) -> MultipleCronTriggerTimetable:
    """These, by the vendor's clock; and once as soon as somebody starts the DAG."""
    return MultipleCronTriggerTimetable(*crons, timezone=ZONE, run_immediately=True)
