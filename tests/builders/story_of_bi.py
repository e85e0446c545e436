"""The demo's record, as BI tools get it: a published copy, and a PostgreSQL with the same."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

from wolkvox_billing import publish
from wolkvox_billing.verbs.reconcile import reconcile
from wolkvox_billing.verbs.restore import copy
from wolkvox_demo.demo import demo

NOON = datetime(2026, 11, 3, 12, tzinfo=timezone(timedelta(hours=-5)))


@contextmanager
def lived(folder: Path) -> Iterator[Path]:
    """Live through the demo in a folder, and stay in the project that it leaves; yield a published
    copy."""
    folder.mkdir(parents=True, exist_ok=True)
    before, temporary = Path.cwd(), tempfile.tempdir
    try:
        tempfile.tempdir = str(folder)
        demo(lambda day: None)
        [project] = folder.glob("wolkvox-demo-*")
        os.chdir(project)
        budget = '{"rsync_s3_mp3": "400000 COP"}'
        with patch.dict(os.environ, {"RECONCILIATION__BUDGET": budget}):
            reconcile(clock=_noon)
            yield publish(folder / "usage.duckdb", clock=_noon).path
    finally:
        tempfile.tempdir = temporary
        os.chdir(before)


def put_into_postgres(dsn: str) -> None:
    """Copy the record of the project that somebody is in, with its verdicts."""
    with patch.dict(os.environ, {"DESTINATION__POSTGRES__CREDENTIALS": dsn}):
        copy("postgres", clock=_noon)
        reconcile(destination="postgres", clock=_noon)


def _noon() -> datetime:
    return NOON
