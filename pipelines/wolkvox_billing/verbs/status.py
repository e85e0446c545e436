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

from wolkvox_billing.closing import warnings_of_closes
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.polling.spool import Spool, waiting_elsewhere
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.verbs.load import meaning_of
from wolkvox_billing.warehouse.place import (
    DATASET,
    DESTINATION,
    check_readable,
    folder_of,
    location_of,
    opened,
    reading,
)
from wolkvox_billing.warehouse.sql import REFRESHED, engine_of, rows_of

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
    answered_at: datetime | None = None  # an answer without rows is one too
    asked_at: datetime | None = None  # in the last week
    products: list[Product] = field(default_factory=list)
    polls_24h: int = 0
    refusals_24h: int = 0
    days_without_answer: list[date] = field(default_factory=list)  # of this month, as the vendor's


@dataclass
class Status:
    location: str
    working_folder: str
    dlt_command: str  # what shows the pipeline by dlt's own tools
    waiting: int  # answers in the spool that are in no table yet
    rows: list[Freshness]
    warnings: list[str]
    as_of: datetime | None = None

    def stale(self, after: timedelta) -> list[str]:
        """A sentence for each operation and report that was not answered for so long. One that was
        not even asked in a week, while others were, is asked no more: it is not meant. Who rests
        after a spent quota, or waits for its token, is."""
        if self.as_of is None or not self.rows:
            return [f"nothing is loaded in {self.location}: does the schedule run?"]
        since = self.as_of - after
        asked = [row for row in self.rows if row.asked_at]
        return [
            f"{row.operation_id} {row.report}: "
            + (
                f"last answered {_hours(self.as_of - row.answered_at)} ago"
                if row.answered_at
                else "not answered in 40 days"
            )
            + f", more than {_hours(after)}: does the schedule run, and what does it say?"
            for row in asked or self.rows
            if not row.answered_at or row.answered_at < since
        ]


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
        check_readable(pipeline)
        if engine_of(pipeline) not in REFRESHED:
            raise SettingsError(f"status reads {' and '.join(REFRESHED)}, not {destination}")
        location = location_of(pipeline)
        folder = folder_of(pipeline)
        spool = Spool(folder.spool)
        found = Status(location, str(folder.path), folder.dlt_command, spool.count(), [], [])
        found.warnings += [*waiting_elsewhere(folder), *spool.told()]
        if engine_of(pipeline) == "duckdb" and not Path(location).exists():
            return found
        with reading(pipeline):
            found.as_of = now = clock()
            try:
                refresh(pipeline, None, now)
            except WarehouseError:  # there are no tables yet
                return found
            _read(pipeline, ZoneInfo(meaning.timezone), now, found)
            found.warnings += warnings_of_closes(pipeline)
    return found


@dataclass
class _Seen:
    """What the warehouse says of one operation and report lately: rows, without these two."""

    coverage: list[Any] = field(default_factory=list)  # day, polls, answered, last answer
    days: list[Any] = field(
        default_factory=list
    )  # name, product, day, measure, use, covers, so far
    months: list[Any] = field(default_factory=list)  # name, product, month, last quantity, read at
    polls: list[Any] = field(default_factory=list)  # outcome, started at, rejected; of 7 days
    renames: list[Any] = field(default_factory=list)  # name before, name now


def _read(pipeline: dlt.Pipeline, default_zone: ZoneInfo, now: datetime, found: Status) -> None:
    raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
    since = now - timedelta(days=40)
    seen: defaultdict[tuple[str, str], _Seen] = defaultdict(_Seen)
    with pipeline.sql_client() as client:
        zones = {
            name: ZoneInfo(zone)
            for name, zone in rows_of(
                client, f"SELECT operation_id, timezone FROM {marts}.operations"
            )
        }
        for part, sql, *values in (
            (
                "coverage",
                "SELECT operation_id, report, poll_date, polls, polls_answered, last_answer_at "
                f"FROM {marts}.poll_coverage WHERE poll_date >= %s ORDER BY 1, 2, 3",
                since.date(),
            ),
            (
                "days",
                "SELECT operation_id, report, operation_name, product, usage_date, measure, "
                f"consumed_quantity, days_covered, month_to_date_quantity FROM {marts}.usage_daily "
                "WHERE usage_date >= %s ORDER BY operation_name, product, usage_date",
                since.date(),
            ),
            (
                "months",
                "SELECT operation_id, report, operation_name, product, billing_period_start, "
                f"last_quantity, last_read_at FROM {marts}.usage_monthly ORDER BY 1, 2, 3, 4, 5",
            ),
            (
                "polls",
                f"SELECT operation_id, report, outcome, started_at, rejected FROM {raw}.polls "
                "WHERE started_at >= %s ORDER BY started_at",
                now - timedelta(days=7),
            ),
        ):
            for operation, report, *row in rows_of(client, str(sql), *values):
                getattr(seen[operation, report], str(part)).append(row)
        renamed = f"SELECT DISTINCT report FROM {marts}.renames ORDER BY 1"
        for (report,) in rows_of(client, renamed):
            for operation, *names in rows_of(
                client,
                f"SELECT DISTINCT n.operation_id, n.operation_name, n.newest_name "
                f"FROM {marts}.renames AS n INNER JOIN {raw}.{report} AS r "
                "ON r.operation_id = n.operation_id AND r.operation = n.operation_name "
                "WHERE n.report = %s AND r.date >= %s ORDER BY 1, 2",
                report,
                since.date(),
            ):
                seen[operation, report].renames.append(names)
    for (operation, report), facts in sorted(seen.items(), key=lambda one: one[0]):
        local = now.astimezone(zones.get(operation, default_zone))
        found.rows.append(_freshness(operation, report, facts, local))
        found.warnings += [f"{operation} {report}: {one}" for one in _warnings(facts, local)]


def _freshness(operation: str, report: str, seen: _Seen, now: datetime) -> Freshness:
    """`now` is on the vendor's clock, here and below."""
    row = Freshness(operation, report)
    if read := [last for *_, last in seen.months]:
        row.read_at = max(read).astimezone(timezone.utc)
        row.age = now - row.read_at
    row.answered_at = _last_answer(seen)
    row.asked_at = max((at for _, at, _ in seen.polls), default=None)
    recent = [outcome for outcome, at, _ in seen.polls if now - at <= DAY]
    row.polls_24h = len(recent)
    row.refusals_24h = sum(outcome not in ANSWERS for outcome in recent)
    row.days_without_answer = [
        day for day, _, answered, _ in seen.coverage
        if not answered and (day.year, day.month) == (now.year, now.month)
    ]  # fmt: skip
    lasts = _this_month(seen, now)
    for (name, product), days in _by_product(seen).items():
        if (name, product) in lasts:
            label = f"{product} ({name})" if len(_names(seen, now)) > 1 else product
            row.products.append(_product(label, lasts[name, product], days))
    return row


def _warnings(seen: _Seen, now: datetime) -> list[str]:
    """What looks wrong; nothing of an operation that is asked no more."""
    if not any(asked for _, asked, *_ in seen.coverage):
        return []
    said: list[str] = []
    if len(names := _names(seen, now)) > 1:
        said.append(
            f"wolkvox shows it under {len(names)} names this month ({', '.join(names)}) in "
            "the same answers: each is counted"
        )
    for before, newest in seen.renames:
        said.append(
            f"wolkvox called it {before!r} before and {newest!r} now, never both in one answer: "
            "taken as the same, renamed"
        )
    for (_, product), days in _by_product(seen).items():
        if since := _stands_still(days, now.date()):
            said.append(
                f"{product} has not moved on working days since {since:%d %b}: the vendor's "
                "nightly copy may be broken"
            )
    unreadable = [rejected for outcome, _, rejected in seen.polls if outcome in ANSWERS]
    if unreadable and unreadable[-1]:
        said.append(
            f"{unreadable[-1]} rows of the newest answer could not be read: see the table "
            "rejected_rows"
        )
    return said + _late(seen, now)


def _this_month(seen: _Seen, now: datetime) -> dict[tuple[str, str], Decimal]:
    month = now.date().replace(day=1)
    return {(name, product): last for name, product, of, last, _ in seen.months if of == month}


def _names(seen: _Seen, now: datetime) -> list[str]:
    return sorted({name for name, _ in _this_month(seen, now)})


def _by_product(seen: _Seen) -> dict[tuple[str, str], list[Any]]:
    days: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for name, product, *day in seen.days:
        days[name, product].append(day)
    return days


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


def _last_answer(seen: _Seen) -> datetime | None:
    return max((at for *_, at in seen.coverage if at), default=None)


def _late(seen: _Seen, now: datetime) -> list[str]:
    """What to say of an operation that was not answered for longer than it usually is, or that the
    month's end may overtake."""
    last = _last_answer(seen)
    if last is None:
        return ["was never answered in the last 40 days"]
    said: list[str] = []
    age = now - last
    answers = [at for outcome, at, _ in seen.polls if outcome in ANSWERS]
    pauses = [(b - a).total_seconds() for a, b in pairwise(answers)]
    usual = timedelta(seconds=median(pauses)) if pauses else timedelta()
    if not pauses and age > 2 * DAY:  # what is usual shows in the last week only
        said.append(f"last answered {_hours(age)} ago: is the schedule running?")
    if pauses and age > max(USUAL_PAUSES * usual, LEAST_LATE):
        said.append(
            f"last answered {_hours(age)} ago, usually every {_hours(usual)}: is the schedule "
            "running?"
        )
    month_end = datetime.combine(
        (now.date().replace(day=1) + timedelta(days=31)).replace(day=1),
        datetime.min.time(),
        now.tzinfo,
    )
    left = month_end.astimezone(timezone.utc) - now
    if left <= DAY and age > LEAST_LATE:
        said.append(
            f"the month ends in {_hours(left)}, and the last answer is {_hours(age)} old: what is "
            "not read before is lost"
        )
    return said


def _hours(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
