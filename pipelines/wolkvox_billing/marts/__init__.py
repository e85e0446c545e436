"""The marts: what was used, as SQL views over `polls` and `readings`, one file each.

    readings ─▶ stg_readings ─▶ day_readings ─▶ measured_days ─┬▶ usage_daily
                     │                                │        └▶ usage_monthly
                     └────────────────────────────────┴▶ usage_restatements
    polls ─▶ poll_coverage

What `items` means is decided in `measured_days.sql`, and nowhere else. Beside the views stand
small tables that `refresh` fills: `refreshed` (the moment up to which the views speak),
`operations` (their time zones), `reports` (the settings `measures` and `gauge_month`), `months` and
`days` (see `sql`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseUndefinedRelation

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.marts.sql import DIALECTS, VIEWS, epoch, statements, view_sql
from wolkvox_billing.operations import read_zone
from wolkvox_billing.reports import REPORTS, TIMEZONE

MARTS = ("usage_daily", "usage_monthly", "usage_restatements", "poll_coverage")
MEASURES = ("month_to_date", "daily", "gauge", "auto")
GAUGE_MONTHS = ("max", "last", "average")
REFRESHED = ("duckdb", "postgres")  # what `load` refreshes, and the tests run

__all__ = ["DIALECTS", "MARTS", "REFRESHED", "VIEWS", "Meaning", "read_meaning", "refresh"]


@dataclass(frozen=True)
class Meaning:
    """The settings that the views depend on: what the numbers mean, and whose days they are."""

    timezone: str = TIMEZONE
    measures: Mapping[str, str] = field(default_factory=dict)
    gauge_month: str = "max"

    def __post_init__(self) -> None:
        read_zone(self.timezone)
        if not isinstance(self.measures, Mapping):
            raise SettingsError(
                'the setting `measures` is a table, such as {rsync_s3_mp3 = "daily"}'
            )
        for report, measure in self.measures.items():
            if measure not in MEASURES:
                raise SettingsError(
                    f"the setting `measures` says {measure!r} for {report}: expected one of "
                    f"{', '.join(MEASURES)}"
                )
        if self.gauge_month not in GAUGE_MONTHS:
            raise SettingsError(
                f"the setting `gauge_month` is {self.gauge_month!r}: expected one of "
                f"{', '.join(GAUGE_MONTHS)}"
            )

    def measure(self, report: str) -> str:
        """A counter is `auto` unless set: the data tells. A gauge is one by its name."""
        is_gauge = report in REPORTS and REPORTS[report].kind == "gauge"
        return self.measures.get(report) or ("gauge" if is_gauge else "auto")

    def reports(self) -> list[tuple[str, str, str, str]]:
        """report, measure, unit, gauge_month: of each report that is known or set."""
        units = {name: report.unit for name, report in REPORTS.items()}
        return [
            (name, self.measure(name), units.get(name, "units"), self.gauge_month)
            for name in sorted({*REPORTS, *self.measures})
        ]


def read_meaning(
    timezone: str | None = None,
    measures: Mapping[str, str] | None = None,
    gauge_month: str | None = None,
) -> Meaning:
    """A Meaning of what is given, and of dlt's configuration for the rest. Raises SettingsError."""

    def setting(name: str, kind: type) -> Any:
        return dlt.config.get(f"sources.wolkvox_billing.{name}", kind)

    return Meaning(
        timezone=timezone or setting("timezone", str) or TIMEZONE,
        measures=measures if measures is not None else setting("measures", dict) or {},
        gauge_month=gauge_month or setting("gauge_month", str) or "max",
    )


def refresh(
    pipeline: dlt.Pipeline, meaning: Meaning, now: datetime, zones: Mapping[str, str] | None = None
) -> None:
    """Makes the views where they are not there or not these, and moves their clock to `now`.

    `zones` are those of operations asked just now: where all are known, no table is searched for
    them. In one transaction: a reader sees what was there before, or all that is new.
    Raises WarehouseError where the raw tables are not there yet.
    """
    raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
    views = hashlib.sha256("\n".join(map(view_sql, VIEWS)).encode()).hexdigest()
    inputs = hashlib.sha256(f"{now.year}\n{meaning}".encode()).hexdigest()
    with pipeline.sql_client() as client:
        stored = _rows(client, f"SELECT views_digest, inputs_digest FROM {marts}.refreshed")
        known = dict(_rows(client, f"SELECT operation_id, timezone FROM {marts}.operations") or [])
        if stored == [(views, inputs)] and (zones or {}).items() <= known.items():
            client.execute_sql(f"UPDATE {marts}.refreshed SET as_of_epoch = {epoch(now)}")
            return
        polls = f"{raw}.polls"
        # An operation that is asked no more keeps its zone: its days stay what they were.
        last = f"SELECT MAX(poll_id) FROM {polls} GROUP BY operation_id"
        found = _rows(
            client, f"SELECT operation_id, timezone FROM {polls} WHERE poll_id IN ({last})"
        )
        if found is None:
            raise WarehouseError(f"{raw} has no tables yet: run `wolkvox-billing load` first")
        first = _rows(client, f"SELECT MIN(poll_date) FROM {polls}") or [(None,)]
        dialect = client.capabilities.sqlglot_dialect or "duckdb"
        with client.begin_transaction():
            for statement in statements(
                dialect,
                raw=raw,
                marts=marts,
                now=now,
                first_poll=first[0][0] or now.date(),
                timezone=meaning.timezone,
                zones=dict(found),
                reports=meaning.reports(),
                digests=(views, inputs),
                keep_views=[views] == [row[0] for row in stored or []],
            ):
                client.execute_sql(statement)


def _rows(client: Any, query: str) -> list[tuple[Any, ...]] | None:
    """The rows of a small query; None where the table is not there."""
    try:
        return [tuple(row) for row in client.execute_sql(query) or ()]
    except DatabaseUndefinedRelation:
        return None
