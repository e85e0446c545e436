"""`make airflow`: the DAGs in a local Airflow, with the stand-in vendor and PostgreSQL, to look at.

All of it listens on 127.0.0.1, lives in a folder that goes with it, and ends with Ctrl-C. Whoever
is on this machine may open the page: nobody signs in.
"""

from __future__ import annotations

import json
import signal
import tempfile
import threading
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import psycopg2

from builders.local_airflow import Airflow, running_airflow, until
from builders.postgres import PostgresMissing, running_postgres
from fake_wolkvox import DEFAULT_OPERATIONS, Vendor


def main() -> None:
    stopped = threading.Event()
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, lambda *_: stopped.set())
    print("starting: half a minute", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="wolkvox-airflow-") as name,
        running_postgres() as dsn,
        Vendor(now=datetime.now(timezone.utc)) as vendor,
    ):
        folder, server = Path(name), dsn.rsplit("/", 1)[0]
        with closing(psycopg2.connect(dsn)) as connection:
            connection.autocommit = True
            for database in ("airflow", "warehouse"):
                connection.cursor().execute(f"CREATE DATABASE {database}")
        (folder / "inbox").mkdir()
        settings = {
            "WOLKVOX_BILLING_DESTINATION": "postgres",
            "WOLKVOX_BILLING_PROJECT": name,
            "WOLKVOX_BILLING_PUBLISH": str(folder / "usage.duckdb"),
            "WOLKVOX_BILLING_INVOICES": str(folder / "inbox"),
            "DESTINATION__POSTGRES__CREDENTIALS": f"{server}/warehouse",
            "SOURCES__WOLKVOX_BILLING__BASE_URL": vendor.url,
        }
        with running_airflow(folder, f"{server}/airflow", settings) as airflow:
            set_up(airflow)
            print(f"Airflow:   {airflow.url}\nwarehouse: {server}/warehouse")
            print(f"invoices:  {folder / 'inbox'}\nend it with Ctrl-C", flush=True)
            while not stopped.wait(1):
                vendor.now = datetime.now(timezone.utc)
            print("ending", flush=True)


def set_up(airflow: Airflow) -> None:
    """The pool, the Connection with both operations, and the DAGs that poll, started."""
    pool = {"name": "wolkvox_billing", "slots": 1, "description": "one call per token"}
    airflow.api("POST", "pools", json=pool)
    operations = [
        {"name": o.name, "server": o.server, "token": o.token} for o in DEFAULT_OPERATIONS
    ]
    connection = {"connection_id": "wolkvox_billing", "conn_type": "generic"}
    extra = json.dumps({"operations": operations})
    airflow.api("POST", "connections", json={**connection, "extra": extra})
    for dag in ("wolkvox_billing", "wolkvox_billing_age"):
        until(lambda dag=dag: any(o["dag_id"] == dag for o in airflow.api("GET", "dags")["dags"]))
        airflow.api("PATCH", f"dags/{dag}", json={"is_paused": False})


if __name__ == "__main__":
    try:
        main()
    except (PostgresMissing, FileNotFoundError) as error:
        raise SystemExit(str(error)) from None
