"""Reads the invoices of a folder, and compares them with what was measured.

    look ──▶ invoices ──┬─▶ reconcile, a task for each month ──┬─▶ material: a difference is worth
                        │                                      │   an alarm, and so the run fails
                        │                                      └─▶ remember: all of it is done
                        └─▶ rejected: a file could not be read, and so the run fails

Each morning up to a month's 20th for the month before; and whenever something changed in the folder
WOLKVOX_BILLING_INVOICES, for the months of the invoices too. `reconcile` writes the evidence to
WOLKVOX_BILLING_EVIDENCE where something is new; `material` fails with the sentences of its alarms,
once a day until the month is closed.
"""

from __future__ import annotations

import hashlib
import time
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

from wolkvox_verb import CRON, DAGS, ZONE, in_project, number, run, schedule, setting

FOLDER = in_project(setting("INVOICES"))
EVIDENCE = in_project(setting("EVIDENCE", "evidence"))
# A month without an invoice is an alarm once `invoice_due_days` are over, which are 15: from the
# 16th on. The mornings after it are for a longer setting, and for an Airflow that stood still.
LAST_MORNING = 20
MORNING = f"5 7 1-{LAST_MORNING} * *"
MORNINGS = [f"{day:02} 07:05" for day in range(1, LAST_MORNING + 1)]
RECENT = timedelta(days=92)
STILL_SECONDS = number("STILL_SECONDS", 60, "seconds, such as 60")
AT_MOST = 20


@task.short_circuit
def look(ti=None, dag_run=None) -> bool:
    """Tells whether there is something to do: a change in the folder, the morning, a person.
    Not while a file is being written: then a later run does it."""
    is_morning = dag_run.run_after.astimezone(ZoneInfo(ZONE)).strftime("%d %H:%M") in MORNINGS
    is_asked = is_morning or dag_run.run_type == "manual"
    return (is_asked or folder_stamp() != last_time(ti, "seen")) and stands_still()


@task
def invoices(ti=None, dag_run=None) -> list[str]:
    """Returns the months to compare."""
    stamp = folder_stamp()  # not after: a file may come meanwhile
    is_new = stamp != last_time(ti, "seen") or dag_run.run_type == "manual"
    result = run("invoices", FOLDER, partly=True) if FOLDER else {"documents": []}
    ti.xcom_push(key="is_new", value=is_new)
    failures = result.get("failures", [])
    known = last_time(ti, "rejected") or []  # here: later this run may have remembered its own
    ti.xcom_push(key="rejected", value=failures)
    ti.xcom_push(key="untold", value=[text for text in failures if text not in known])
    ti.xcom_push(key="seen", value=stamp)
    return months_to_compare(result["documents"] if is_new else [])


@task(retries=0)
def rejected(ti=None) -> None:
    """Fails where a file could not be read that was not told of yet, beside the others."""
    if new := ti.xcom_pull(task_ids="invoices", key="untold"):
        more = [f"and {len(new) - AT_MOST} more"] if len(new) > AT_MOST else []
        raise AirflowFailException(f"invoices: not loaded: {'; '.join(new[:AT_MOST] + more)}")


@task
def reconcile(month: str, ti=None) -> list[str]:
    """Returns what is worth an alarm; nothing of a month whose close holds."""
    words = ["--month", month]
    is_new = ti.xcom_pull(task_ids="invoices", key="is_new")
    if is_new or not list(Path(EVIDENCE).glob(f"*-{month}*.zip")):
        words += ["--evidence", EVIDENCE, *(["--files", FOLDER] if FOLDER else [])]
    result = run("reconcile", *words)
    return [] if result.get("is_closed") else result["failures"]


@task(retries=0)
def material(alarms: list[list[str]]) -> None:
    """Fails where a difference is worth an alarm, once all months are compared."""
    if sentences := list(chain.from_iterable(alarms)):
        raise AirflowFailException(f"reconcile: {'; '.join(sentences)}")


@task
def remember(ti=None) -> None:
    """Remembers it only now, after all months: what failed above is done again by the next
    run."""
    for key in ("seen", "rejected"):
        ti.xcom_push(key=key, value=ti.xcom_pull(task_ids="invoices", key=key))


@dag(schedule=schedule(MORNING, *([CRON] if FOLDER else [])), doc_md=__doc__, **DAGS)
def wolkvox_billing_invoices():
    months = invoices()
    look() >> months >> rejected()
    alarms = reconcile.expand(month=months)
    material(alarms)
    alarms >> remember()


def months_to_compare(documents: list[dict]) -> list[str]:
    """Return the month before this one, those of invoices that were loaded now, and those of the
    last three months that have an invoice: a run that broke off may have loaded it."""
    today = datetime.now(ZoneInfo(ZONE)).date()
    months = {f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"}
    for document in documents:
        month = (document["period_start"] or "")[:7]
        is_recent = f"{today - RECENT:%Y-%m}" <= month
        if month and (document["made"] == "loaded" or is_recent):
            months.add(month)
    return sorted(months)


def last_time(ti, key: str):
    """Return what the newest run that did all of it kept; None before the first."""
    return ti.xcom_pull(task_ids="remember", key=key, include_prior_dates=True)


def files() -> list[Path]:
    return sorted(path for path in Path(FOLDER).rglob("*") if path.is_file()) if FOLDER else []


def folder_stamp() -> str:
    """Return the folder's files by name, size and time, as one hash."""
    stats = [(str(path), path.stat()) for path in files()]
    facts = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def stands_still() -> bool:
    """Wait until no file was touched for STILL_SECONDS, 10 times that at most; return whether that
    is so. A copy may bring the time of its original: the last change to the file counts."""
    for _ in range(40):
        now = time.time()
        # A clock that is ahead, as on a share, keeps nobody waiting.
        if not any(0 <= now - path.stat().st_ctime < STILL_SECONDS for path in files()):
            return True
        time.sleep(STILL_SECONDS / 4)
    return False


wolkvox_billing_invoices()
