"""A product that the vendor spells in two ways is one, but where both come in one answer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from builders.months import REPORT, bill, invoice, judged, local, only, read
from builders.project import Project
from builders.record import Call, write_polls

pytestmark = pytest.mark.usefixtures("kept_open")


def test_case_and_blanks_make_no_product(warehouse: Project) -> None:
    """A counter whose name alternates is one counter, under the name that was read last: 1,000 at
    the end, and not 1,990."""
    read(warehouse, (local(1), "10"), (local(31, 22), "990"), product="Audios  ñ")
    read(warehouse, (local(15), "500"), (local(31, 23, 59), "1000"), product="AUDIOS Ñ")
    assert warehouse.query(
        "SELECT product, consumed_quantity FROM wolkvox_billing_marts.usage_monthly"
    ) == [("AUDIOS Ñ", 1000)]
    bill(warehouse, invoice("1000", "100000.00"))
    row = only(judged(warehouse))
    assert (row.reconciliation_status, row.consumed_quantity) == ("matched", 1000)


def test_two_spellings_in_one_answer_are_two(project: Project) -> None:
    """Nobody knows whether they add up: both stay, and a difference accuses nobody."""
    rows = [
        {"operation": "ACME", "description": name, "items": items, "date": "2026-10-31"}
        for name, items in (("Audios", "600"), ("AUDIOS", "400"))
    ]
    write_polls(project, Call(local(31, 23, 59), rows), measures={REPORT: "month_to_date"})
    quantities = "SELECT consumed_quantity FROM wolkvox_billing_marts.usage_monthly ORDER BY 1"
    assert project.query(quantities) == [(Decimal(400),), (Decimal(600),)]
    bill(project, invoice("5000", "500000.00"))
    assert only(judged(project)).reconciliation_status == "inconclusive_product_names"
