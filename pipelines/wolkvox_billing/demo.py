"""The verb `demo`: two months against the stand-in vendor, in a scratch folder.

The stand-in runs as a process of its own and is moved by HTTP only, over the same socket that the
polls use. Nothing of it is imported: it is not part of the product.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.intake import Receipt, invoices
from wolkvox_billing.pipeline import LoadReport, load
from wolkvox_billing.reconcile import reconcile
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reports import TIMEZONE
from wolkvox_billing.warehouse import held_open, opened

FIRST, LAST = date(2026, 9, 1), date(2026, 10, 31)
ZONE = ZoneInfo(TIMEZONE)
OPERATIONS = [
    {"name": "ventas", "server": "0010", "token": "a1" * 32},
    {"name": "soporte", "server": "0011", "token": "b2" * 32},
]
TOKEN = OPERATIONS[0]["token"]
REPORT = "rsync_s3_mp3"
LINE_MAP = f"""\
supplier_id,item_code,pattern,report,operation_id,product,role
,RSYNC-S3-MP3,*Ventas*,{REPORT},ventas,RSYNC S3 MP3,quantity
,RSYNC-S3-MP3,*Sur*,{REPORT},soporte,RSYNC S3 MP3,quantity
"""
RATE_CARD = f"""\
report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to
{REPORT},,,0,100,COP,2026-01-01,
"""


@dataclass
class Story:
    """What happened in the demo, for the command line to tell."""

    folder: Path
    polls: int
    daily: list[tuple[Any, ...]]  # day, use, days covered, month to date; of the last 14 days read
    months: list[tuple[Any, ...]]  # operation, month, use, days read, hours unread at its end
    unread: list[date]
    refusals: list[tuple[Any, ...]]  # outcome, msg, how many
    restated: list[tuple[Any, ...]]  # day, value before, value, read at
    rejected: list[tuple[Any, ...]]  # reason, raw
    invoices: list[Receipt]
    verdicts: list[dict[str, Any]]  # of both months, as in invoice_reconciliation
    location: str


def demo(on_day: Callable[[date], None] | None = None) -> Story:
    """Lives through September and October 2026, and gives the Story. Takes about 20 s.

    Raises SettingsError where the stand-in is not installed: the wheel does not hold it.
    """
    if importlib.util.find_spec("fake_wolkvox") is None:
        raise SettingsError(
            "the demo needs the stand-in vendor, which comes with the project's repository and not "
            "with the wheel: clone it, and run `make demo` there"
        )
    folder = Path(tempfile.mkdtemp(prefix="wolkvox-demo-"))
    with _stand_in() as url, _scratch(folder):
        with opened() as pipeline:
            pass
        with held_open(pipeline):  # nobody else wants this file
            polls = _live(url, on_day)
            receipts = _invoices(url, folder)
            now = datetime.combine(LAST + timedelta(days=5), clock_time(12), ZONE)
            verdicts = [
                row
                for month in ("2026-09", "2026-10")
                for row in reconcile(month, policy=Policy(), clock=lambda: now).rows
            ]
            return _tell(folder, polls, receipts, verdicts)


def _live(url: str, on_day: Callable[[date], None] | None) -> int:
    polls = 0
    day = FIRST
    while day <= LAST:
        if on_day:
            on_day(day)
        if not date(2026, 9, 18) <= day <= date(2026, 9, 20):  # nobody polled: our machine was off
            polls += len(_poll(url, day, clock_time(23, 50)).polls)
        day += timedelta(days=1)
        if day.day == 1:  # ten minutes before and after the month's turn
            polls += len(_poll(url, day, clock_time(0, 10)).polls)
    return polls


def _poll(url: str, day: date, at: clock_time) -> LoadReport:
    now = datetime.combine(day, at, ZONE)
    _control(url, "clock", now=now.isoformat())
    _control(url, "behave")
    _control(url, "answer", token=TOKEN, report=REPORT)
    if day == date(2026, 9, 9):  # two refusals in a row, then an answer
        _control(url, "misbehave", name="token_busy", token=TOKEN, times=2)
    elif day in (date(2026, 10, 8), date(2026, 10, 9)):  # the vendor's server is down
        _control(url, "misbehave", name="drop")
    elif day == date(2026, 9, 24):  # the vendor corrects the day before, and garbles another row
        rows = [
            _row("9,410", date(2026, 9, 23)),
            _row("10,204", day),
            _row("1.234,5", day, "RSYNC S3 MP3 archivo"),
        ]
        _control(url, "answer", token=TOKEN, report=REPORT, rows=rows)
    return load(
        operations=OPERATIONS,
        base_url=url,
        clock=lambda: now,
        retry_pause_seconds=0.0,
        measures={REPORT: "month_to_date"},
    )


def _invoices(url: str, folder: Path) -> list[Receipt]:
    """The invoices of both months, as zips out of mails; one bills 450 audios too many."""
    inbox = folder / "invoices"
    inbox.mkdir()
    for one in OPERATIONS:
        for month in ("2026-09", "2026-10"):
            extra = 450 if (one["token"], month) == (TOKEN, "2026-10") else 0
            sent = _control(url, "invoice", token=one["token"], month=month, extra=extra)
            (inbox / sent["file_name"]).write_bytes(base64.b64decode(sent["zip_base64"]))
    (folder / "line_map.csv").write_text(LINE_MAP)
    (folder / "rate_card.csv").write_text(RATE_CARD)
    return invoices([inbox]).receipts


def _row(items: str, day: date, description: str = "RSYNC S3 MP3") -> dict[str, str]:
    return {
        "operation": "Ventas  Norte",
        "description": description,
        "items": items,
        "date": f"{day} 23:50:00",
    }


def _tell(
    folder: Path, polls: int, receipts: list[Receipt], verdicts: list[dict[str, Any]]
) -> Story:
    with opened() as pipeline, pipeline.sql_client() as client:

        def query(sql: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in client.execute_sql(sql) or ()]

        daily = query(
            "SELECT usage_date, consumed_quantity, days_covered, month_to_date_quantity "
            "FROM wolkvox_billing_marts.usage_daily WHERE operation_id = 'ventas' "
            f"AND usage_date BETWEEN DATE '{FIRST}' AND DATE '{LAST}' "
            "ORDER BY usage_date DESC LIMIT 14"
        )
        months = query(
            "SELECT m.operation_id, m.billing_period_start, m.consumed_quantity, COUNT(*), "
            "m.hours_unread_at_end FROM wolkvox_billing_marts.usage_monthly AS m "
            "JOIN wolkvox_billing_marts.usage_daily AS d ON d.operation_id = m.operation_id "
            "AND d.product = m.product AND d.usage_date >= m.billing_period_start "
            "AND d.usage_date < m.billing_period_end WHERE m.is_closed_period "
            "GROUP BY ALL ORDER BY 1, 2"
        )
        unread = query(
            "SELECT DISTINCT poll_date FROM wolkvox_billing_marts.poll_coverage "
            "WHERE polls_answered = 0 ORDER BY poll_date"
        )
        refusals = query(
            "SELECT outcome, COALESCE(msg, note), COUNT(*) FROM polls "
            "WHERE outcome NOT IN ('ok', 'empty', 'not_found') GROUP BY ALL ORDER BY 1"
        )
        restated = query(
            "SELECT usage_date, previous_quantity, quantity, read_at "
            "FROM wolkvox_billing_marts.usage_restatements ORDER BY read_at, usage_date"
        )
        rejected = query("SELECT reason, raw FROM rejected_rows ORDER BY poll_id, row_number")
    return Story(
        folder=folder,
        polls=polls,
        daily=daily[::-1],
        months=months,
        unread=[day for (day,) in unread],
        refusals=refusals,
        restated=restated,
        rejected=rejected,
        invoices=receipts,
        verdicts=verdicts,
        location=str(folder / "wolkvox.duckdb"),
    )


@contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """The scratch folder as the current one, with dlt's files in it and no setting from outside."""
    before, here = dict(os.environ), Path.cwd()
    for name in before:
        if name.startswith(("SOURCES__", "DESTINATION__", "DLT_")) or name in ("SERVER", "TOKEN"):
            del os.environ[name]
    os.environ["DLT_DATA_DIR"] = str(folder / "dlt")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _stand_in() -> Iterator[str]:
    """The stand-in vendor's address; its process ends with the block."""
    command = [sys.executable, "-m", "fake_wolkvox", "--now", f"{FIRST}T05:00:00+00:00"]
    for one, name in zip(OPERATIONS, ("Ventas  Norte", "Atención Sur"), strict=True):
        command += ["--operation", f"{name}:{one['server']}:{one['token']}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield line.split()[-1]
        finally:
            process.terminate()


def _control(url: str, what: str, **words: Any) -> Any:
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between this machine and itself
        answer = session.post(f"{url}/_fake/{what}", json=words, timeout=10)
        answer.raise_for_status()
        return answer.json()
