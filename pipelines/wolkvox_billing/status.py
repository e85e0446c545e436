"""The verb `status`: what is loaded, how fresh it is, where the gaps are, and what looks wrong."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.marts import REFRESHED, refresh
from wolkvox_billing.pipeline import meaning_of
from wolkvox_billing.polls import Clock, utc_now
from wolkvox_billing.verdict import Outcome
from wolkvox_billing.warehouse import (
    DATASET,
    DESTINATION,
    location_of,
    opened,
    reading,
    waiting_elsewhere,
)

_ANSWERS = tuple(outcome.value for outcome in Outcome if outcome.is_answer)
DAY = timedelta(days=1)
USUAL_PAUSES = 3  # an operation is late after so many of its usual pauses between answers,
LEAST_LATE = timedelta(hours=1)  # and after this at the least


@dataclass(frozen=True)
class Product:
    """This month so far, by the marts. `so_far` is NULL where nobody knows what the number means,
    and then `last_quantity` is all there is; `change` is that of the newest day."""

    product: str
    measure: str | None
    so_far: Decimal | None
    last_quantity: Decimal
    usage_date: date
    change: Decimal | None
    days_covered: int | None


@dataclass
class Freshness:
    """One operation and report: its newest reading, and how it was asked lately."""

    operation_id: str
    report: str
    read_at: datetime | None = None
    age: timedelta | None = None
    products: list[Product] = field(default_factory=list)
    polls_24h: int = 0
    refusals_24h: int = 0
    days_without_answer: list[date] = field(default_factory=list)  # of this month, as the vendor's


@dataclass
class Status:
    location: str
    working_folder: str
    waiting_packages: int  # answers on disk that are not loaded yet
    rows: list[Freshness]
    warnings: list[str]


def status(
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    timezone: str | None = None,
    clock: Clock = utc_now,
) -> Status:
    """A Status; its `rows` are in the order of operation and report, and empty before a first load.

    A day without an answer counts from the month's start, or from the first poll if that came
    later, up to today in the vendor's time zone. The marts are refreshed first.
    Raises WarehouseError where the destination cannot be read.
    """
    meaning = meaning_of(timezone)
    with opened(destination, dataset) as pipeline:
        if pipeline.destination.destination_name not in REFRESHED:
            raise SettingsError(f"status reads {' and '.join(REFRESHED)}, not {destination}")
        location = location_of(pipeline)
        waiting = len(pipeline.list_extracted_load_packages())
        waiting += len(pipeline.list_normalized_load_packages())
        found = Status(location, pipeline.working_dir, waiting, [], [])
        found.warnings += waiting_elsewhere(pipeline)
        if pipeline.destination.destination_name == "duckdb" and not Path(location).exists():
            return found
        with reading(pipeline):
            now = clock()
            try:
                refresh(pipeline, None, now)
            except WarehouseError:  # there are no tables yet
                return found
            _read(pipeline, ZoneInfo(meaning.timezone), now, found)
    return found


def _read(pipeline: dlt.Pipeline, default_zone: ZoneInfo, now: datetime, found: Status) -> None:
    raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
    with pipeline.sql_client() as client:

        def query(sql: str, *values: Any) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in client.execute_sql(sql, *values) or ()]

        zones = {
            name: ZoneInfo(zone)
            for name, zone in query(f"SELECT operation_id, timezone FROM {marts}.operations")
        }
        since = now - timedelta(days=40)
        coverage = query(
            "SELECT operation_id, report, poll_date, polls, polls_answered, last_answer_at "
            f"FROM {marts}.poll_coverage WHERE poll_date >= %s ORDER BY 1, 2, 3",
            since.date(),
        )
        days = query(
            "SELECT operation_id, report, operation_name, product, usage_date, measure, "
            f"consumed_quantity, days_covered, month_to_date_quantity FROM {marts}.usage_daily "
            "WHERE usage_date >= %s ORDER BY operation_name, product, usage_date",
            since.date(),
        )
        months = query(
            "SELECT operation_id, report, operation_name, product, billing_period_start, "
            f"last_quantity, last_read_at FROM {marts}.usage_monthly ORDER BY 1, 2, 3, 4, 5"
        )
        polls = query(
            f"SELECT operation_id, report, outcome, started_at, rejected FROM {raw}.polls "
            "WHERE started_at >= %s ORDER BY started_at",
            now - timedelta(days=7),
        )
    keys = sorted({(row[0], row[1]) for row in (*coverage, *months)})
    for operation, report in keys:
        today = now.astimezone(zones.get(operation, default_zone)).date()

        def own(rows: list[tuple[Any, ...]], key: Any = (operation, report)) -> list[Any]:
            return [row[2:] for row in rows if row[:2] == key]

        row = Freshness(operation, report)
        found.rows.append(row)
        if read := [last for *_, last in own(months)]:
            row.read_at = max(read).astimezone(timezone.utc)
            row.age = now - row.read_at
        recent = [outcome for outcome, at, _ in own(polls) if now - at <= DAY]
        row.polls_24h = len(recent)
        row.refusals_24h = sum(outcome not in _ANSWERS for outcome in recent)
        row.days_without_answer = [
            day for day, _, answered, _ in own(coverage)
            if not answered and (day.year, day.month) == (today.year, today.month)
        ]  # fmt: skip
        month = today.replace(day=1)
        lasts = {(name, product): last for name, product, of, last, _ in own(months) if of == month}
        names = sorted({name for name, _ in lasts})
        if len(names) > 1:
            found.warnings.append(
                f"{operation} {report}: wolkvox shows it under {len(names)} names this month "
                f"({', '.join(names)}): if it was renamed, its use is counted under each"
            )
        of_products: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for name, product, *day in own(days):
            of_products[name, product].append(day)
        for (name, product), read_days in of_products.items():
            label = f"{product} ({name})" if len(names) > 1 else product
            if (name, product) in lasts:
                row.products.append(_product(label, lasts[name, product], read_days))
            if since_day := _stands_still(read_days, today):
                found.warnings.append(
                    f"{operation} {report}: {label} has not moved on working days since "
                    f"{since_day:%d %b}: the vendor's nightly copy may be broken"
                )
        answers = [at for outcome, at, _ in own(polls) if outcome in _ANSWERS]
        unreadable = [rejected for outcome, _, rejected in own(polls) if outcome in _ANSWERS]
        if unreadable and unreadable[-1]:
            found.warnings.append(
                f"{operation} {report}: {unreadable[-1]} rows of the newest answer could not be "
                "read: see the table rejected_rows"
            )
        last = max((at for *_, at in own(coverage) if at), default=None)
        if not any(asked for _, asked, *_ in own(coverage)):
            continue  # it is asked no more
        found.warnings += _late(f"{operation} {report}", answers, last, now, today,
                                zones.get(operation, default_zone))  # fmt: skip


def _product(name: str, last_quantity: Decimal, days: list[Any]) -> Product:
    day, measure, change, covered, so_far = days[-1]
    return Product(name, measure, so_far, last_quantity, day, change, covered)


def _stands_still(days: list[Any], today: date) -> date | None:
    """The first of the last working days on which a count stood still, two at the least, while it
    moved on most of the five before; None where all is well, or it is no count."""
    working = [
        (day, used) for day, measure, used, *_ in days
        if day.weekday() < 5 and day < today and measure in ("month_to_date", "daily")
    ]  # fmt: skip
    still: list[date] = []
    while working and working[-1][1] == 0:
        still.append(working.pop()[0])
    moved = sum(bool(used) and used > 0 for _, used in working[-5:])
    return still[-1] if len(still) >= 2 and moved >= 3 else None


def _late(
    who: str,
    answers: list[datetime],
    last: datetime | None,
    now: datetime,
    today: date,
    zone: ZoneInfo,
) -> list[str]:
    """What to say of an operation that was not answered for longer than it usually is, or that the
    month's end may overtake."""
    said: list[str] = []
    if last is None:
        return [f"{who}: was never answered in the last 40 days"]
    age = now - last
    pauses = [(b - a).total_seconds() for a, b in pairwise(answers)]
    usual = timedelta(seconds=median(pauses)) if pauses else timedelta()
    if not pauses and age > 2 * DAY:  # what is usual shows in the last week only
        said.append(f"{who}: last answered {_hours(age)} ago: is the schedule running?")
    if pauses and age > max(USUAL_PAUSES * usual, LEAST_LATE):
        said.append(
            f"{who}: last answered {_hours(age)} ago, usually every {_hours(usual)}: is the "
            "schedule running?"
        )
    month_end = datetime.combine(
        (today.replace(day=1) + timedelta(days=31)).replace(day=1), datetime.min.time(), zone
    )
    left = month_end - now
    if left <= DAY and age > LEAST_LATE:
        said.append(
            f"{who}: the month ends in {_hours(left)}, and the last answer is {_hours(age)} old: "
            "what is not read before is lost"
        )
    return said


def _hours(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
