"""Polls wolkvox, and keeps what BI tools read up to date.

    load ──▶ marts ──▶ publish     (where WOLKVOX_BILLING_PUBLISH is set)
      └────────┴─────────┴──▶ failed: one of them did, and so has the run

The last step before `failed` updates the Asset `wolkvox_billing`: schedule on it what reads the
tables. The verbs are those of the command line, and so are the settings; docs/airflow.md lists
the few that are the DAG's own. `wolkvox_billing_age` says when data is old, whatever became of the
polls. `wolkvox_billing_bucket` counts the copies in the customer's own bucket each morning, where
WOLKVOX_BILLING_BUCKET is set.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import Asset, chain, dag, task
from airflow.sdk.exceptions import AirflowFailException

from wolkvox_verb import CRON, DAGS, STALE, ZONE, operations, run, schedule, setting

DATA = Asset("wolkvox_billing")
POOL = setting("POOL", "wolkvox_billing")
COPY = setting("PUBLISH")
# What nobody read before the month's end is lost.
MONTH_END = "53,59 23 L * *"
# The vendor copies at night; what it could not finish comes the night after.
AFTER_NIGHTLY_COPY = "35 7 * * *"
LAST_POLLS = timedelta(minutes=10)


@dag(schedule=schedule(CRON, MONTH_END), doc_md=__doc__, **DAGS)
def wolkvox_billing():
    @task(pool=POOL)  # of one slot: wolkvox forbids two calls at once with one token
    def load(ti=None):
        """Asks all operations, side by side; fails once the rest is loaded."""
        words = last_words(datetime.now(ZoneInfo(ZONE)), ti.try_number)
        run("load", *words, secrets=operations())

    # What was loaded is shown, whatever else failed: so these run, and the run fails by `failed`.
    @task(trigger_rule="all_done", outlets=[] if COPY else [DATA])
    def marts():
        run("refresh")

    @task(outlets=[DATA])
    def publish():
        run("publish", COPY)

    @task(trigger_rule="one_failed", retries=0, on_failure_callback=None)
    def failed():
        raise AirflowFailException("a step of this run failed: its log says why, and what to do")

    steps = [load(), marts()]
    if COPY:
        steps.append(publish())
    chain(*steps)
    steps >> failed()


def last_words(now: datetime, tries: int) -> list[str]:
    """Return --force in a month's last ten minutes, by the vendor's clock: a poll that began late
    would make the last one "within the pace". A retry asks only what is still missing."""
    is_last = (now + LAST_POLLS).month != now.month
    return ["--force"] if is_last and tries == 1 else []


@dag(schedule=schedule(CRON), doc_md=__doc__, **DAGS)
def wolkvox_billing_age():
    @task
    def age():
        """Fails, and so tells, where an operation was not answered for two polls and a bit."""
        run("status", "--stale-after", str(STALE), "--fail-on-warning")

    age()


@dag(schedule=schedule(AFTER_NIGHTLY_COPY), doc_md=__doc__, **DAGS)
def wolkvox_billing_bucket():
    @task
    def bucket():
        """Fails where the bucket could not be listed to its end; the last look stands then."""
        run("bucket", secrets=operations())

    bucket()


wolkvox_billing()
wolkvox_billing_age()
if setting("BUCKET"):
    wolkvox_billing_bucket()
