"""The marts: what was used, as SQL views over `polls` and `readings`, one file each.

    readings ─▶ stg_readings ─▶ day_readings ─▶ measured_days ─┬▶ usage_daily
                     │                                │        └▶ usage_monthly
                     └────────────────────────────────┴▶ usage_restatements
    polls ─▶ poll_coverage

What `items` means is decided in `measured_days.sql`, and nowhere else. Beside the views stand
small tables that `refresh` fills: `refreshed` (the moment up to which the views speak),
`operations` (their time zones), `renames` (of operations that the vendor calls otherwise now),
`reports` (the settings `measures` and `gauge_month`), `months` and `days` (see `sql`).
"""

from __future__ import annotations

import difflib
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.marts.columns import COLUMNS
from wolkvox_billing.marts.sql import TABLES, VIEWS, epoch, literal, statements, view_sql
from wolkvox_billing.operations import read_zone
from wolkvox_billing.reports import REPORTS, TIMEZONE
from wolkvox_billing.version import __version__
from wolkvox_billing.warehouse import engine_of, rows_of

logger = logging.getLogger("wolkvox_billing")

MARTS = (
    "usage_daily",
    "usage_monthly",
    "usage_restatements",
    "poll_coverage",
    "invoice_reconciliation",
)
MEASURES = ("month_to_date", "daily", "gauge", "auto")
GAUGE_MONTHS = ("max", "last", "average")
REFRESHED = ("duckdb", "postgres")  # what `load` refreshes, and the tests run

__all__ = ["MARTS", "REFRESHED", "VIEWS", "Meaning", "read_meaning", "refresh"]


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
            if report not in REPORTS:
                near = difflib.get_close_matches(report, REPORTS, n=1, cutoff=0.75)
                hint = f"; did you mean {near[0]}?" if near else ""
                logger.warning("`measures` names %r, which wolkvox does not have%s", report, hint)
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

    def reports(self) -> list[tuple[str, str, str]]:
        """report, measure and unit of each report that is known or set."""
        units = {name: report.unit for name, report in REPORTS.items()}
        return [
            (name, self.measure(name), units.get(name, "units"))
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
    pipeline: dlt.Pipeline,
    meaning: Meaning | None,
    now: datetime,
    zones: Mapping[str, str] | None = None,
) -> None:
    """Makes the views where they are not there or not these, and moves their clock to `now`.

    meaning: None keeps what the views mean, since whoever only reads must not change it for others.
    zones: those of operations asked just now; where all are known, no table is searched for them.
    In one transaction: a reader sees what was there before, or all that is new.
    Raises WarehouseError where the raw tables are not there yet.
    """
    raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
    parts = [__version__, *map(view_sql, VIEWS), repr(COLUMNS), repr(TABLES)]
    views = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    with pipeline.sql_client() as client, client.begin_transaction():
        rows = partial(rows_of, client)

        alone(pipeline, client)
        listed = "SELECT table_schema, table_name FROM information_schema.tables"
        there = rows(f"{listed} WHERE table_schema IN ('{raw}', '{marts}')")
        if (raw, "polls") not in there or (raw, "readings") not in there:
            raise WarehouseError(f"{raw} has no tables yet: run `wolkvox-billing load` first")
        stored, known = [], {}
        if all((marts, name) in there for name in (*TABLES, *VIEWS)):
            stored = rows(f"SELECT views_digest, inputs_digest FROM {marts}.refreshed")
            known = dict(rows(f"SELECT operation_id, timezone FROM {marts}.operations"))
        keep_views = [row[0] for row in stored] == [views]
        renames = [] if meaning is None and keep_views else _renames(rows, raw, there)
        inputs = hashlib.sha256(f"{now.year}\n{meaning}\n{renames}".encode()).hexdigest()
        same_inputs = meaning is None or stored == [(views, inputs)]
        if keep_views and same_inputs and (zones or {}).items() <= known.items():
            client.execute_sql(f"UPDATE {marts}.refreshed SET as_of_epoch = {epoch(now)}")
            return
        meaning = meaning or read_meaning()
        polls = f"{raw}.polls"
        # An operation that is asked no more keeps its zone: its days stay what they were.
        last = f"SELECT MAX(poll_id) FROM {polls} GROUP BY operation_id"
        found = rows(f"SELECT operation_id, timezone FROM {polls} WHERE poll_id IN ({last})")
        [(first,)] = rows(f"SELECT MIN(poll_date) FROM {polls}")
        schemata = "SELECT 1 FROM information_schema.schemata WHERE schema_name"
        for statement in statements(
            client.capabilities.sqlglot_dialect or "duckdb",
            raw=raw,
            marts=marts,
            now=now,
            first_poll=first or now.date(),
            timezone=meaning.timezone,
            gauge_month=meaning.gauge_month,
            zones={name: zone for name, zone in found if zone},
            reports=meaning.reports(),
            renames=renames,
            digests=(views, inputs),
            keep_views=keep_views,
            has_schema=bool(rows(f"{schemata} = '{marts}'")),
        ):
            client.execute_sql(statement)


def alone(pipeline: dlt.Pipeline, client: SqlClientBase[Any]) -> None:
    """Holds the marts on PostgreSQL until the transaction ends: two at once would fill the tables
    twice. A reader in a transaction that it does not end would hold up this one, and behind it all
    other readers: so it waits for 10 s at most."""
    if engine_of(pipeline) == "postgres":
        marts = f"{pipeline.dataset_name}_marts"
        client.execute_sql(f"SELECT pg_advisory_xact_lock(hashtext('{marts}'))")
        client.execute_sql("SET LOCAL lock_timeout = '10s'")


def _renames(
    rows: Callable[[str], list[tuple[Any, ...]]], raw: str, there: Sequence[tuple[Any, ...]]
) -> list[tuple[str, ...]]:
    """operation_id, report, product, an older name of the operation, and its newest one: where one
    product of an operation came under several names, and no answer for it ever held two, the vendor
    has renamed the operation, and its counter goes on. `status` tells of it, since it is a guess.

    Which names there are is asked of the tables of reports, which hold a row a day; all readings
    are looked through only for an operation that has several.
    """
    found: list[tuple[str, ...]] = []
    for report in (name for name in REPORTS if (raw, name) in there):
        names: dict[tuple[str, str], list[str]] = {}  # the newest one last
        for operation_id, product, name, _ in rows(
            f"SELECT operation_id, description, operation, MAX(read_at) FROM {raw}.{report} "
            "GROUP BY operation_id, description, operation ORDER BY 4, 3"
        ):
            names.setdefault((operation_id, product), []).append(name)
        if all(len(one) == 1 for one in names.values()):
            continue
        several = {operation_id for (operation_id, _), one in names.items() if len(one) > 1}
        together = rows(
            f"SELECT DISTINCT operation_id FROM {raw}.readings WHERE report = {literal(report)} "
            f"AND operation_id IN ({', '.join(map(literal, sorted(several)))}) "
            "GROUP BY operation_id, poll_id HAVING COUNT(DISTINCT operation) > 1"
        )
        found += [
            (operation_id, report, product, older, newest)
            for (operation_id, product), (*others, newest) in names.items()
            if (operation_id,) not in together
            for older in others
        ]
    return found
