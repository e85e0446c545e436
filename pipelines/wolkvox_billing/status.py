"""The verb `status`: what is loaded, how fresh it is, and where the gaps are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.pipeline import (
    DATASET,
    DESTINATION,
    location_of,
    only_one,
    open_pipeline,
    plain,
)
from wolkvox_billing.polls import Clock, utc_now
from wolkvox_billing.reports import TIMEZONE
from wolkvox_billing.verdict import Outcome

_ANSWERS = tuple(outcome.value for outcome in Outcome if outcome.is_answer)


@dataclass
class Freshness:
    """One operation and report: its newest reading, and how it was asked lately."""

    operation_id: str
    report: str
    read_at: datetime | None = None
    age: timedelta | None = None
    values: list[tuple[str, date, Decimal]] = field(default_factory=list)  # product, day, items
    polls_24h: int = 0
    refusals_24h: int = 0
    days_without_answer: list[date] = field(default_factory=list)  # of this month, as the vendor's


@dataclass
class Status:
    location: str
    working_folder: str
    waiting_packages: int  # answers on disk that are not loaded yet
    rows: list[Freshness]


def status(
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    timezone: str | None = None,
    clock: Clock = utc_now,
) -> Status:
    """A Status; its `rows` are in the order of operation and report, and empty before a first load.

    A day without an answer counts from the month's start, or from the first poll if that came
    later, up to today in the vendor's time zone. Raises WarehouseError where the destination
    cannot be read.
    """
    zone = ZoneInfo(timezone or dlt.config.get("sources.wolkvox_billing.timezone", str) or TIMEZONE)
    pipeline = open_pipeline(destination, dataset)
    with only_one(pipeline):
        location = location_of(pipeline)
        waiting = len(pipeline.list_extracted_load_packages())
        waiting += len(pipeline.list_normalized_load_packages())
        rows: list[Freshness] = []
        # Opening a DuckDB file that is not there would make it.
        if pipeline.destination.destination_name != "duckdb" or Path(location).exists():
            try:
                rows = _read(pipeline, zone, clock())
            except DatabaseUndefinedRelation:
                pass
            except ConfigurationException as error:
                raise SettingsError(plain(error)) from None
            except DatabaseException as error:
                raise WarehouseError(f"{location} cannot be read: {plain(error)}") from None
    return Status(location, pipeline.working_dir, waiting, rows)


def _read(pipeline: dlt.Pipeline, zone: ZoneInfo, now: datetime) -> list[Freshness]:
    today = now.astimezone(zone).date()
    month_start = datetime(today.year, today.month, 1, tzinfo=zone)
    since = min(month_start, now - timedelta(days=1)).astimezone(timezone.utc)
    with pipeline.sql_client() as client:

        def query(sql: str, *values: Any) -> list[tuple[Any, ...]]:
            names = {t: client.make_qualified_table_name(t) for t in ("polls", "readings")}
            return [tuple(row) for row in client.execute_sql(sql.format(**names), *values) or ()]

        known = query(
            "SELECT operation_id, report, MIN(started_at) FROM {polls} "
            "GROUP BY operation_id, report"
        )
        polls = query(
            "SELECT operation_id, report, outcome, started_at FROM {polls} WHERE started_at >= %s",
            since,
        )
        newest = query(
            "SELECT r.operation_id, r.report, r.description, r.date, r.items, r.read_at "
            "FROM {readings} r JOIN (SELECT operation_id, report, MAX(poll_id) AS poll_id "
            "FROM {readings} GROUP BY operation_id, report) n ON r.poll_id = n.poll_id "
            "ORDER BY r.row_number"
        )
    rows = {(op, report): Freshness(op, report) for op, report, _ in sorted(known)}
    answered: dict[tuple[str, str], set[date]] = defaultdict(set)
    for operation, report, outcome, started in polls:
        row = rows[operation, report]
        if outcome in _ANSWERS:
            answered[operation, report].add(started.astimezone(zone).date())
        if now - started <= timedelta(days=1):
            row.polls_24h += 1
            row.refusals_24h += outcome not in _ANSWERS
    for operation, report, description, day, items, read_at in newest:
        row = rows[operation, report]
        row.read_at, row.age = read_at, now - read_at
        row.values.append((description, day, items))
    for operation, report, first in known:
        day = max(month_start.date(), first.astimezone(zone).date())
        while day <= today:
            if day not in answered[operation, report]:
                rows[operation, report].days_without_answer.append(day)
            day += timedelta(days=1)
    return list(rows.values())
