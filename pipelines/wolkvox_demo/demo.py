"""The demo: two months against the stand-in vendor, in a scratch folder.

    live through both months ─▶ copies are counted ─▶ the invoices come ─▶ verdicts, evidence,
              claim, close of October ─▶
              a credit note comes over a part of it ─▶ reopened, settled, closed again

The stand-in runs as a process of its own and is moved by HTTP only, over the same socket that the
polls use. Nothing of it is imported: it is not part of the product.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests

from wolkvox_billing.closing import close, find_broken_closes, reopen
from wolkvox_billing.evidence import examine, order_evidence
from wolkvox_billing.marts.copied import CopiedPeriod
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.clock import Clock
from wolkvox_billing.vendor.reports import TIMEZONE
from wolkvox_billing.verbs.bucket import bucket
from wolkvox_billing.verbs.claim import claim, list_claims
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.verbs.load import load
from wolkvox_billing.verbs.poll import poll
from wolkvox_billing.verbs.reconcile import reconcile
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.place import opened
from wolkvox_demo.story import Settled, Story, look_back

FIRST, LAST = date(2026, 9, 1), date(2026, 10, 31)
ZONE = ZoneInfo(TIMEZONE)
OPERATIONS = [
    {"name": "ventas", "server": "0010", "token": "a1" * 32},
    {"name": "soporte", "server": "0011", "token": "b2" * 32},
]
TOKEN = OPERATIONS[0]["token"]
OVERBILLED = 2450  # audios, in October's invoice of `ventas`: more than any night can hold
CREDITED = 450  # of them are given back
KEPT_BACK = 1200  # audios of `ventas` that October's counter has, and the bucket has not
FAILED_NIGHT = 15  # of October, of `soporte`: made good the night after
# October's invoice of `soporte` bills what was called in it: without the month's first night, whose
# calls are of September; that of November is a Sunday's, and brings nothing.
FIRST_NIGHT = 497
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


def demo(on_day: Callable[[date], None] | None = None) -> Story:
    """Live through September and October 2026, and return the Story."""
    folder = Path(tempfile.mkdtemp(prefix="wolkvox-demo-"))
    with _stand_in() as url, _scratch(folder):
        with opened() as pipeline:
            pass
        with held_open(pipeline):  # nobody else wants this file
            polls = _live(url, on_day)
            return look_back(folder, polls, _settle(url, folder), LAST)


def _live(url: str, on_day: Callable[[date], None] | None) -> int:
    polls = 0
    day = FIRST
    while day <= LAST:
        if on_day:
            on_day(day)
        if not date(2026, 9, 18) <= day <= date(2026, 9, 20):  # nobody polled: our machine was off
            polls += _poll(url, day, clock_time(23, 50))
        day += timedelta(days=1)
        if day.day == 1:  # ten minutes before and after the month's turn
            last = clock_time(0, 10)
            polls += _poll(url, day, last)
            if day > LAST:
                last = clock_time(12, 0)  # the first night of November is over
                polls += _poll(url, day, last)
            _load(url, day, last)
    return polls


def _poll(url: str, day: date, at: clock_time) -> int:
    """Return how many calls were made: they are safe in the spool at once, and loaded when the
    month has turned."""
    now = datetime.combine(day, at, ZONE)
    _control(url, "clock", now=now.isoformat())
    is_odd = _play(url, day)
    report = poll(
        operations=OPERATIONS, base_url=url, clock=lambda: now, retry_pause_seconds=0.0, force=True
    )
    if is_odd:
        _control(url, "behave")
        _control(url, "answer", token=TOKEN, report=REPORT)
    return len(report.polls)


def _play(url: str, day: date) -> bool:
    """Let the vendor do what it did on that day; return whether that is anything odd."""
    if day == date(2026, 9, 9):  # two refusals in a row, then an answer
        _control(url, "misbehave", name="token_busy", token=TOKEN, times=2)
    elif day in (date(2026, 10, 8), date(2026, 10, 9)):  # the vendor's server is down
        _control(url, "misbehave", name="drop")
    elif day == date(2026, 9, 30):  # and one operation's, in the last hours of a month
        _control(url, "misbehave", name="maintenance", token=OPERATIONS[1]["token"])
    elif day == date(2026, 9, 24):  # the vendor corrects the day before, and garbles another row
        rows = [
            _row("9,410", date(2026, 9, 23)),
            _row("10,204", day),
            _row("1.234,5", day, "RSYNC S3 MP3 archivo"),
        ]
        _control(url, "answer", token=TOKEN, report=REPORT, rows=rows)
    else:
        return False
    return True


def _load(url: str, day: date, at: clock_time) -> None:
    load(
        operations=OPERATIONS,
        base_url=url,
        clock=lambda: datetime.combine(day, at, ZONE),
        pace_minutes=60,  # asked a moment ago: what waits is loaded
        measures={REPORT: "month_to_date"},
    )


def _settle(url: str, folder: Path) -> Settled:
    """Read the invoices of both months, of which one bills too much, and sign off."""
    copies = _count(url, folder)
    inbox, october = folder / "invoices", "2026-10"
    inbox.mkdir()
    (folder / "line_map.csv").write_text(LINE_MAP)
    (folder / "rate_card.csv").write_text(RATE_CARD)
    for operation in OPERATIONS:
        for month in ("2026-09", october):
            extra = 0
            if month == october:
                extra = OVERBILLED if operation["token"] == TOKEN else -FIRST_NIGHT
            _receive(url, inbox, token=operation["token"], month=month, extra=extra)
    receipts = invoices([inbox]).receipts
    policy = Policy()
    order = order_evidence(folder / "evidence", october, [inbox])
    september = reconcile("2026-09", policy=policy, clock=_november(5))
    result = reconcile(october, policy=policy, evidence=order, clock=_november(5))
    evidence = result.evidence
    assert evidence  # it was ordered
    report = folder / "report.html"
    with zipfile.ZipFile(evidence) as archive:
        report.write_bytes(archive.read(report.name))
    by = "finance"
    [claimed] = claim(
        october, by=by, out=folder / "claims", evidence=evidence, policy=policy,
        clock=_november(5, 13),
    ).claimed  # fmt: skip
    closed = close(
        october, by=by, reason="2,450 audios claimed back: a credit note is promised",
        evidence=evidence, policy=policy, clock=_november(6),
    )  # fmt: skip
    _receive(url, inbox, token=TOKEN, month=october, extra=OVERBILLED, credited=CREDITED)
    second_receipts = invoices([inbox]).receipts
    verdicts_after = reconcile(october, policy=policy, clock=_november(12)).rows
    (doubt,) = find_broken_closes()
    reason = "a credit note has come"
    reopened = reopen(october, by=by, reason=reason, policy=policy, clock=_november(12, 13))
    closed_again = close(
        october, by=by, reason="2,000 audios are still claimed", policy=policy,
        clock=_november(12, 14),
    )  # fmt: skip
    claims, _ = list_claims(policy=policy, clock=_november(12, 14))
    return Settled(
        copies=copies,
        receipts=receipts,
        verdicts=[*september.rows, *result.rows],
        evidence=evidence,
        examined=examine(evidence),
        report=report,
        claimed=claimed,
        claims=claims,
        note=[receipt for receipt in second_receipts if receipt.document_kind == "credit_note"],
        doubt=str(doubt),
        verdicts_after=verdicts_after,
        records=[closed, reopened, closed_again],
    )


def _count(url: str, folder: Path) -> list[CopiedPeriod]:
    """Let the vendor copy what it counts into a folder that stands for the customer's bucket, and
    count it: one month agrees, one has a night that was made good, one lacks copies."""
    ventas, soporte = (operation["token"] for operation in OPERATIONS)
    for token, name, month, own in (
        (ventas, "ventas", "2026-09", {}),
        (soporte, "soporte", "2026-09", {}),
        (soporte, "soporte", "2026-10", {"failed": [FAILED_NIGHT]}),
        (ventas, "ventas", "2026-10", {"kept_back": KEPT_BACK}),
    ):
        place = str(folder / "bucket" / name)
        _control(url, "copy", token=token, month=month, folder=place, **own)
    os.environ["BUCKET__URL"] = f"file://{folder / 'bucket'}"
    os.environ["BUCKET__OPERATIONS"] = json.dumps({"ventas": "ventas", "soporte": "soporte"})
    periods = bucket(clock=_november(2)).periods
    return [own for own in periods if own.counted_quantity]


def _november(day: int, hour: int = 12) -> Clock:
    return lambda: datetime(2026, 11, day, hour, tzinfo=ZONE)


def _receive(url: str, inbox: Path, **order: object) -> None:
    """Save a mail's zip, as a person would out of the mail."""
    mail = _control(url, "invoice", **order)
    (inbox / mail["file_name"]).write_bytes(base64.b64decode(mail["zip_base64"]))


def _row(items: str, day: date, description: str = "RSYNC S3 MP3") -> dict[str, str]:
    return {
        "operation": "Ventas  Norte",
        "description": description,
        "items": items,
        "date": f"{day} 23:50:00",
    }


@contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """Work in the scratch folder, with dlt's files in it and no setting from outside."""
    environment, start = dict(os.environ), Path.cwd()
    for name in environment:
        is_dlts = name.startswith(("SOURCES__", "DESTINATION__", "BUCKET__", "DLT_"))
        if is_dlts or name in ("SERVER", "TOKEN"):
            del os.environ[name]
    os.environ["DLT_DATA_DIR"] = str(folder / "dlt")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(start)
        os.environ.clear()
        os.environ.update(environment)


@contextmanager
def _stand_in() -> Iterator[str]:
    """Yield the stand-in vendor's address; its process ends with the block."""
    command = [sys.executable, "-m", "fake_wolkvox", "--now", f"{FIRST}T05:00:00+00:00"]
    for operation, name in zip(OPERATIONS, ("Ventas  Norte", "Atención Sur"), strict=True):
        command += ["--operation", f"{name}:{operation['server']}:{operation['token']}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield line.split()[-1]
        finally:
            process.terminate()


def _control(url: str, order: str, **words: object) -> Any:  # JSON, of each order another one
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between this machine and itself
        answer = session.post(f"{url}/_fake/{order}", json=words, timeout=60)
        answer.raise_for_status()
        return answer.json()
