"""The marts over any months at all: what must hold whatever was polled, and in whatever order."""

from __future__ import annotations

import calendar
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import dlt
import duckdb
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.fuzzing import tries
from builders.project import Project
from wolkvox_billing.marts.engine import Engine
from wolkvox_billing.marts.meaning import Meaning
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.marts.sql import MartRows, statements
from wolkvox_billing.polling.polls import Poll, new_poll_id
from wolkvox_billing.polling.tables import TABLES, Batch, poll_row, readings_in
from wolkvox_billing.vendor.answer import Judgement, Outcome
from wolkvox_billing.vendor.client import Answer
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.vendor.readings import ListedReadings, Reading
from wolkvox_billing.warehouse.columns import hints

pytestmark = pytest.mark.usefixtures("kept_open")
BOGOTA = ZoneInfo("America/Bogota")
REPORT = "rsync_s3_mp3"
TYPES = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "decimal": "DECIMAL(18, 4)",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
    "bool": "BOOLEAN",
    "binary": "BLOB",
}
MEASURES = ("month_to_date", "daily", "gauge")

AMOUNTS = st.integers(0, 10**9).map(lambda n: Decimal(n).scaleb(-4).quantize(Decimal("0.0001")))
MINUTES = st.integers(0, 3 * 31 * 24 * 60 - 1)  # of August to October, and a day


@dataclass
class Warehouse:
    """A DuckDB with the raw tables, empty, and the marts over them."""

    db: duckdb.DuckDBPyConnection
    measure: str = ""
    tables: dict[str, list[str]] = field(default_factory=dict)

    def hold(self, batches: list[Batch], measure: str) -> None:
        """These polls and no others, in this order, with this setting."""
        for table, columns in self.tables.items():
            self.db.execute(f"DELETE FROM wolkvox_billing.{table}")
            rows = [
                {column: row.get(column) for column in columns}
                for batch in batches
                for row in ([poll_row(batch)] if table == "polls" else readings_in(batch).rows())
            ]
            if rows:  # one by one they take two milliseconds each
                self.db.register("new_rows", pyarrow.Table.from_pylist(rows))
                self.db.execute(f"INSERT INTO wolkvox_billing.{table} SELECT * FROM new_rows")
        self.db.execute("UPDATE wolkvox_billing_internal.reports SET measure = ?", [measure])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.db.execute(sql).fetchall()

    def marts(self) -> dict[str, list[tuple[Any, ...]]]:
        names = ("usage_daily", "usage_monthly", "usage_restatements", "poll_coverage")
        return {name: sorted(self.query(f"SELECT * FROM marts.{name}"), key=str) for name in names}


@pytest.fixture(scope="module")
def raw() -> Iterator[Warehouse]:
    with closing(duckdb.connect()) as db:
        db.execute("SET TimeZone = 'UTC'; CREATE SCHEMA wolkvox_billing")
        raw = Warehouse(db)
        for table in ("polls", "readings"):
            columns = TABLES[table].columns
            raw.tables[table] = list(columns)
            listed = ", ".join(
                f"{name} {TYPES[kind['data_type']]}" for name, (kind, _) in columns.items()
            )
            db.execute(f"CREATE TABLE wolkvox_billing.{table} ({listed})")
        now = datetime(2026, 11, 2, tzinfo=timezone.utc)
        contents = MartRows(Meaning(), now, first_poll=date(2026, 8, 1))
        for statement in statements(Engine("duckdb", "wolkvox_billing", "marts"), contents):
            db.execute(statement)
        yield raw


@st.composite
def months(draw: st.DrawFn) -> list[Batch]:
    """Polls of three months, each with a few products; days ahead of the poll and behind it too,
    and now and then a refusal."""
    operation = Operation("acme", "0010", "https://x", "secret", BOGOTA)
    start = datetime(2026, 8, 1, tzinfo=BOGOTA)
    batches = []
    for minute in draw(st.lists(MINUTES, min_size=1, max_size=25, unique=True)):
        moment = (start + timedelta(minutes=minute)).astimezone(timezone.utc)
        today = moment.astimezone(BOGOTA).date()
        listed = draw(
            st.lists(
                st.tuples(st.sampled_from("AB"), st.sampled_from([0, 0, 0, 1, 5]), AMOUNTS),
                max_size=4,
            )
        )
        rows = [
            Reading(n, "ACME", product, items, str(items), today - timedelta(days=back), "", {})
            for n, (product, back, items) in enumerate(listed, 1)
        ]
        outcome = Outcome.OK if rows else draw(st.sampled_from([Outcome.EMPTY, Outcome.BAD_TOKEN]))
        answer = Answer(Judgement(outcome, rows=[{}] * len(rows)), http_status=200)
        poll = Poll(new_poll_id(moment), operation, REPORT, moment, moment, answer)
        batches.append(Batch(poll, ListedReadings.of(rows), []))
    return batches


EXAMPLES = settings(
    max_examples=tries(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@EXAMPLES
@given(months(), st.sampled_from([*MEASURES, "auto"]), st.randoms(use_true_random=False))
def test_what_holds_of_any_polls(
    raw: Warehouse, batches: list[Batch], measure: str, chance: random.Random
) -> None:
    """No reading is counted twice, the days add up to the month, and polls that are loaded in any
    other order give the same marts, row by row."""
    raw.hold(sorted(batches, key=lambda batch: batch.poll.started_at), measure)
    check_each_is_counted_once(raw, batches)
    if measure in MEASURES:
        check_the_days_add_up(raw, measure)
    before = raw.marts()
    chance.shuffle(batches)
    raw.hold(batches, measure)
    assert raw.marts() == before


def check_the_days_add_up(raw: Warehouse, measure: str) -> None:
    """For a counter and a daily count the days' use adds up to the month's; for a gauge too the
    last day's month-to-date is the month's. The days covered never exceed the month."""
    of_days = raw.query(
        "SELECT product, date_trunc('month', usage_date)::DATE, SUM(consumed_quantity), "
        "arg_max(month_to_date_quantity, usage_date), SUM(days_covered), COUNT(*), "
        "MAX(consumed_quantity) FROM marts.usage_daily GROUP BY ALL ORDER BY 1, 2"
    )
    of_months = raw.query(
        "SELECT product, billing_period_start, consumed_quantity FROM marts.usage_monthly "
        "ORDER BY 1, 2"
    )
    assert [row[:2] for row in of_days] == [row[:2] for row in of_months]
    for (_, month, total, so_far, covered, count, most), (*_, consumed) in zip(
        of_days, of_months, strict=True
    ):
        assert consumed == so_far == (most if measure == "gauge" else total)
        assert count <= covered <= calendar.monthrange(month.year, month.month)[1]


def check_each_is_counted_once(raw: Warehouse, batches: list[Batch]) -> None:
    """Each day's value is that of one reading: the last one of its product and day, by hand."""
    newest: dict[tuple[str, date], Decimal] = {}
    for batch in sorted(batches, key=lambda batch: batch.poll.started_at):
        for reading in batch.readings:
            newest[reading.description, reading.date] = reading.items
    sums: dict[tuple[str, date], Decimal] = {}
    lasts: dict[tuple[str, date], Decimal] = {}
    for (product, day), items in sorted(newest.items()):
        key = product, day.replace(day=1)
        sums[key] = sums.get(key, Decimal(0)) + items
        lasts[key] = items
    usage = raw.query(
        "SELECT product, billing_period_start, sum_of_daily_quantity, last_quantity "
        "FROM marts.usage_monthly ORDER BY 1, 2"
    )
    assert usage == [(*key, sums[key], lasts[key]) for key in sorted(sums)]
    assert len(newest) == raw.query("SELECT COUNT(*) FROM marts.usage_daily")[0][0]


@EXAMPLES
@given(months())
def test_a_change_is_never_unseen(raw: Warehouse, batches: list[Batch]) -> None:
    """Where a counter's use of a day is negative, a restatement says so: of that day, or of an
    earlier one of its month that was raised afterwards."""
    raw.hold(batches, "month_to_date")
    unseen = raw.query(
        "SELECT u.product, u.usage_date FROM marts.usage_daily u WHERE u.consumed_quantity < 0 "
        "AND NOT EXISTS (SELECT 1 FROM marts.usage_restatements r WHERE r.product = u.product "
        "AND date_trunc('month', r.usage_date) = date_trunc('month', u.usage_date))"
    )
    assert unseen == []


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(months(), st.randoms(use_true_random=False))
def test_the_same_poll_again_changes_nothing(
    project: Project, batches: list[Batch], chance: random.Random
) -> None:
    """Polls that are loaded a second time, through dlt's merge, change no mart."""
    pipeline = dlt.pipeline("wolkvox", destination="duckdb", dataset_name="wolkvox_billing")
    again = chance.sample(batches, (len(batches) + 1) // 2)

    def load(some: list[Batch]) -> list[list[tuple[Any, ...]]]:
        tables = {
            "polls": [poll_row(batch) for batch in some],
            "readings": [row for batch in some for row in readings_in(batch).rows()],
        }
        pipeline.run(
            [
                dlt.resource(rows, name=name, **hints(TABLES[name]))
                for name, rows in tables.items()
                if rows
            ]
        )
        moment = datetime(2026, 11, 2, tzinfo=timezone.utc)
        refresh(pipeline, Meaning(measures={REPORT: "month_to_date"}), moment)
        names = ("usage_daily", "usage_monthly", "usage_restatements", "poll_coverage")
        return [
            sorted(project.query(f"SELECT * FROM wolkvox_billing_marts.{name}"), key=str)
            for name in names
        ]

    if any(batch.readings for batch in batches):
        assert load(batches) == load(again)
