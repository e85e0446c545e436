"""Reads the invoices of a folder, and compares them with what was measured.

    look ──▶ invoices ──┬─▶ reconcile, a task for each month
                        └─▶ rejected: a file could not be read, and so the run fails

Each morning of a month's first half for the month before; and whenever something changed in the
folder WOLKVOX_BILLING_INVOICES, for the months of the invoices too. `reconcile` writes the evidence
to WOLKVOX_BILLING_EVIDENCE, and fails where a difference is worth an alarm, with its sentences.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

from wolkvox_verb import CRON, DAGS, ZONE, run, schedule, setting

FOLDER = setting("INVOICES")
EVIDENCE = setting("EVIDENCE", "evidence")
MORNING = "5 7 1-15 * *"
MORNINGS = [f"{day:02} 07:05" for day in range(1, 16)]


@dag(schedule=schedule(MORNING, *([CRON] if FOLDER else [])), doc_md=__doc__, **DAGS)
def wolkvox_billing_invoices():
    @task.short_circuit
    def look(ti=None, dag_run=None) -> bool:
        """Whether there is something to do: a change in the folder, the morning, a person."""
        before = ti.xcom_pull(task_ids="invoices", key="seen", include_prior_dates=True)
        is_morning = dag_run.run_after.astimezone(ZoneInfo(ZONE)).strftime("%d %H:%M") in MORNINGS
        return seen() != before or is_morning or dag_run.run_type == "manual"

    @task
    def invoices(ti=None) -> list[str]:
        """The months to compare: those of new invoices, and the one before this."""
        before = seen()  # not after: a file may come meanwhile
        found = run("invoices", FOLDER, partly=True) if FOLDER else {"documents": []}
        new = [one["period_start"] for one in found["documents"] if one["made"] == "loaded"]
        last = datetime.now(ZoneInfo(ZONE)).replace(day=1) - timedelta(days=1)
        months = {f"{last:%Y-%m}", *(start[:7] for start in new if start)}
        ti.xcom_push(key="rejected", value=found.get("failures", []))
        ti.xcom_push(key="seen", value=before)  # only now: what failed above is done again
        return sorted(months)

    @task(retries=0)
    def rejected(ti=None) -> None:
        """Fails where a file could not be read, beside the others, which are compared."""
        if files := ti.xcom_pull(task_ids="invoices", key="rejected"):
            raise AirflowFailException(f"invoices: not loaded: {'; '.join(files)}")

    @task
    def reconcile(month: str) -> None:
        words = ["--month", month, "--evidence", EVIDENCE, "--fail-on-material"]
        run("reconcile", *words, *(["--files", FOLDER] if FOLDER else []))

    months = invoices()
    look() >> months >> rejected()
    reconcile.expand(month=months)


def seen() -> str:
    """The folder's files by name, size and time, as one hash."""
    files = sorted(path for path in Path(FOLDER).rglob("*") if path.is_file()) if FOLDER else []
    facts = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


wolkvox_billing_invoices()
