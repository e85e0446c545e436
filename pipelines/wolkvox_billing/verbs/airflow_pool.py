"""Whether Airflow has the pool that the DAG's tasks wait for: without it they wait for ever, and
Airflow says so in its scheduler's log only. Asked by its command: nothing of it is imported."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

NAME = "wolkvox_billing"  # where WOLKVOX_BILLING_POOL does not name another one


class Pool(NamedTuple):
    """Whether nothing is wrong with the pool, and what is to be said of it."""

    is_good: bool
    says: str


def look_at_pool() -> Pool:
    """Return what is wrong with the pool, and the command that mends it; or that it is there.

    Nothing is said where this is no machine of Airflow's: AIRFLOW_HOME is not set, or there is no
    command `airflow`.
    """
    beside = Path(sys.executable).with_name("airflow")
    program = str(beside) if beside.exists() else shutil.which("airflow")
    if not program or not os.environ.get("AIRFLOW_HOME"):
        return Pool(True, "")
    name = os.environ.get("WOLKVOX_BILLING_POOL") or NAME
    try:
        process = subprocess.run(
            [program, "pools", "list", "--output", "json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        # Airflow may print warnings before it.
        pools = json.loads(process.stdout[process.stdout.index("[{") :])
        slots = {pool["pool"]: str(pool["slots"]) for pool in pools}
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return Pool(
            False, f"Airflow does not say which pools it has: look with `{program} pools list`"
        )
    if slots.get(name) == "1":
        return Pool(True, f"Airflow's pool {name} is there, and has one slot")
    state = f"has {slots[name]} slots" if name in slots else "is missing, so its tasks never start"
    return Pool(
        False, f"Airflow's pool {name} {state}: airflow pools set {name} 1 'one call per token'"
    )
