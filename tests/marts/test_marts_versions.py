"""Marts that another version made: who only reads changes neither their meaning nor a verdict."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from builders.documents import declared, line, period, ubl
from builders.project import Project
from builders.record import Call, write_documents, write_polls
from builders.worlds import once
from wolkvox_billing.marts.meaning import Meaning
from wolkvox_billing.marts.reconciled import COLUMNS
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.reconciliation.mart import refill
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.reconcile import reconcile
from wolkvox_billing.verbs.status import status
from wolkvox_billing.warehouse.place import opened

pytestmark = pytest.mark.usefixtures("kept_open")
REPORT = "rsync_s3_mp3"
SETTINGS: dict[str, Any] = {"measures": {REPORT: "month_to_date"}, "gauge_month": "last"}
BOGOTA = timezone(timedelta(hours=-5))
LATER = datetime(2026, 11, 30, 12, tzinfo=BOGOTA)
MARTS = "wolkvox_billing_marts"
INTERNAL = "wolkvox_billing_internal"
VERDICTS = f"SELECT * FROM {MARTS}.invoice_reconciliation WHERE billing_period_start = '2026-10-01'"
MEANT = f"SELECT measure, measure_source, consumed_quantity FROM {MARTS}.usage_monthly"


def read_on(day: int, items: str) -> Call:
    """A poll on this day of October 2026 of a counter that shows this amount."""
    row = {"operation": "ACME", "description": "AUDIOS", "items": items, "date": f"2026-10-{day}"}
    return Call(datetime(2026, 10, day, 23, 50, tzinfo=BOGOTA), [row])


def load_later(project: Project, **settings: Any) -> None:
    """A poll at LATER, which says the same of October."""
    project.vendor.now = LATER
    assert project.load(force=True, **{**SETTINGS, **settings}).is_good


def judge(project: Project) -> None:
    """A counter of three readings, of which the data alone would not tell that it is one, and an
    invoice that matches it."""
    Path("line_map.csv").write_text(
        "supplier_id,item_code,pattern,report,operation_id,product,role\n"
        f",,*grabaciones*,{REPORT},,,quantity\n"
    )
    Path("rate_card.csv").write_text(
        "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to\n"
        f"{REPORT},,,0,100,COP,2026-01-01,\n"
    )
    write_polls(project, read_on(10, "10"), read_on(15, "500"), read_on(31, "1000"), **SETTINGS)
    own = line("1000", "100000.00", description="Grabaciones en S3", price=None, tax=None,
               currency="COP")  # fmt: skip
    october = period("2026-10-01", "2026-10-31")
    Path("invoice.xml").write_bytes(
        declared(ubl(own, net="100000.00", tax=None, periods=october, currency="COP"))
    )
    project.vendor.now = LATER
    write_documents(project, [Path("invoice.xml")])
    reconcile(destination=project.destination, clock=lambda: LATER)
    [verdict] = verdicts(project)
    assert verdict["reconciliation_status"] == "matched"


def verdicts(project: Project) -> list[dict[str, Any]]:
    return project.query_dicts(VERDICTS)


def made_by_another_version(project: Project) -> None:
    project.execute(f"UPDATE {MARTS}.refreshed SET views_digest = 'another'")


def read(project: Project, at: datetime = LATER) -> None:
    """What a machine does that only reads, and has none of the settings."""
    status(destination=project.destination, clock=lambda: at)


def test_a_reader_keeps_what_the_marts_mean(warehouse: Project, tmp_path: Path) -> None:
    """`status` and `publish` where no setting is known make this version's views over the meaning
    that is there: usage and verdicts stay, also those that `reconcile` makes then."""
    once(warehouse, judge)
    before, meant = verdicts(warehouse), warehouse.query(MEANT)
    assert meant == [("month_to_date", "setting", 1000)]

    def copy(project: Project) -> None:
        publish(tmp_path / "copy.duckdb", destination=project.destination, clock=lambda: LATER)

    # What makes the marts is the same function; a copy takes longer than all the rest.
    for reader in [read] if warehouse.dsn else [read, copy]:
        made_by_another_version(warehouse)
        reader(warehouse)
        assert warehouse.query(MEANT) == meant
        assert verdicts(warehouse) == before
        assert warehouse.query(f"SELECT gauge_month FROM {MARTS}.refreshed") == [("last",)]
        [(digest,)] = warehouse.query(f"SELECT views_digest FROM {MARTS}.refreshed")
        assert digest != "another"
    made_by_another_version(warehouse)
    reconcile(destination=warehouse.destination, clock=lambda: LATER)
    assert verdicts(warehouse) == before


def test_a_dropped_view_does_not_change_what_the_others_mean(warehouse: Project) -> None:
    """A reader who finds a view missing makes it again, by the meaning that is there."""
    once(warehouse, judge)
    before, meant = verdicts(warehouse), warehouse.query(MEANT)
    warehouse.execute(f"DROP VIEW {MARTS}.poll_coverage")
    read(warehouse)
    assert (verdicts(warehouse), warehouse.query(MEANT)) == (before, meant)
    assert warehouse.query(f"SELECT COUNT(*) FROM {MARTS}.poll_coverage") != [(0,)]


def test_the_next_load_sets_its_meaning(warehouse: Project) -> None:
    """After a reader has made the views anew, a `load` whose settings are others means by those;
    one whose settings are the same finds its meaning there, and fills no table again."""
    once(warehouse, judge)
    made_by_another_version(warehouse)
    read(warehouse)
    digests = f"SELECT views_digest, inputs_digest FROM {MARTS}.refreshed"
    after_reading = warehouse.query(digests)
    load_later(warehouse)
    assert warehouse.query(digests) == after_reading
    load_later(warehouse, measures={REPORT: "daily"}, gauge_month="max")
    assert warehouse.query(MEANT) == [("daily", "setting", 1510)]
    assert warehouse.query(digests) != after_reading
    assert warehouse.query(f"SELECT gauge_month FROM {MARTS}.refreshed") == [("max",)]
    [verdict] = verdicts(warehouse)
    assert verdict["reconciliation_status"] == "underbilled_quantity"


def test_a_meaning_that_cannot_be_read_is_left_alone(
    warehouse: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """Where another version's tables do not tell this one what they mean, a reader changes nothing
    but the clock, and says what to do; the next `load` makes the marts by its settings."""
    once(warehouse, judge)
    before = verdicts(warehouse)
    made_by_another_version(warehouse)
    warehouse.execute(f"UPDATE {INTERNAL}.reports SET measure = 'of tomorrow'")
    with opened(warehouse.destination) as pipeline:
        refresh(pipeline, None, LATER + timedelta(hours=1))
    assert "until `wolkvox-billing load` or `wolkvox-billing refresh`" in caplog.text
    assert warehouse.query(f"SELECT views_digest, as_of_epoch FROM {MARTS}.refreshed") == [
        ("another", int(LATER.timestamp()) + 3600)
    ]
    assert warehouse.query(f"SELECT DISTINCT measure FROM {INTERNAL}.reports") == [("of tomorrow",)]
    assert verdicts(warehouse) == before
    load_later(warehouse)
    assert warehouse.query(MEANT) == [("month_to_date", "setting", 1000)]


def test_a_column_that_is_not_there_yet(
    warehouse: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """A table without a column in which this version writes the meaning does not tell it; the marts
    stay as they are, and no verdict changes."""
    once(warehouse, judge)
    before = verdicts(warehouse)
    made_by_another_version(warehouse)
    warehouse.execute(f"ALTER TABLE {MARTS}.refreshed RENAME COLUMN timezone TO zone")
    with opened(warehouse.destination) as pipeline:
        refresh(pipeline, None, LATER)
    assert "does not tell" in caplog.text
    assert verdicts(warehouse) == before
    with opened(warehouse.destination) as pipeline:
        refresh(pipeline, Meaning(**SETTINGS), LATER)
    assert warehouse.query(MEANT) == [("month_to_date", "setting", 1000)]
    assert verdicts(warehouse) == before


def test_verdicts_outlive_a_change_of_their_tables(warehouse: Project) -> None:
    """Verdicts that a version filled which had fewer columns, more of them and in another order
    stay; what it did not know is NULL, until a `load` makes them anew, though it brings nothing."""
    once(warehouse, judge)
    [before] = verdicts(warehouse)
    made_by_another_version(warehouse)
    for statement in (
        f"ALTER TABLE {INTERNAL}.reconciled RENAME TO old",
        f"CREATE TABLE {INTERNAL}.reconciled AS SELECT explanation, 1 AS theirs, supplier_id, "
        "operation_id, operation_name, report, product, billing_period_start, billing_period_end, "
        "billing_currency, consumed_quantity, billed_quantity, quantity_variance, "
        "contracted_cost, billed_cost, cost_variance, invoice_ids, hours_unread_at_end, "
        f"reconciliation_status, is_material FROM {INTERNAL}.old",
        f"ALTER TABLE {INTERNAL}.reconciled_by RENAME COLUMN policy_digest TO theirs",
    ):
        warehouse.execute(statement)
    read(warehouse)
    names = [*COLUMNS]
    unknown = ("contracted_unit_price", "volume_effect", "price_effect", "exchange_effect",
               *names[names.index("language"):])  # fmt: skip
    assert verdicts(warehouse) == [{**before, **dict.fromkeys(unknown)}]
    listed = warehouse.query(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'reconciled_by' "
        f"AND table_schema = '{INTERNAL}' ORDER BY ordinal_position"
    )
    assert listed == [("inputs_digest",), ("policy_digest",)]
    with opened(warehouse.destination) as pipeline:
        refill(pipeline, Policy(), anew=False)
    assert verdicts(warehouse) == [before]


def test_a_version_without_settlements_is_filled_anew(warehouse: Project) -> None:
    """The verdicts of a version that settled no document stay, and the next fill settles them."""
    once(warehouse, judge)
    made_by_another_version(warehouse)
    for mart, table in (("components", "components"), ("settlement", "settled")):
        warehouse.execute(f"DROP VIEW {MARTS}.invoice_{mart}")
        warehouse.execute(f"DROP TABLE {INTERNAL}.{table} CASCADE")  # the star stands on it
    read(warehouse)
    asked = f"SELECT settlement, payable_amount FROM {MARTS}.invoice_settlement"
    assert len(verdicts(warehouse)) == 1
    assert warehouse.query(asked) == []
    with opened(warehouse.destination) as pipeline:
        refill(pipeline, Policy(), anew=False)
    assert warehouse.query(asked) == [("pay", 100000)]
