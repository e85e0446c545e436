"""Contracts as files, and invoices of several lines, through the tables of both engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.documents import line, ubl
from builders.facts import use
from builders.months import (
    CARD,
    MAP,
    OCTOBER,
    OCTOBER_PERIOD,
    REPORT,
    bill,
    judged,
    local,
    only,
    read,
)
from builders.project import SERVERS, Project
from builders.record import Call, write_polls
from builders.settled_papers import Used, judged_alone
from wolkvox_billing.verbs.explain import explain

pytestmark = pytest.mark.usefixtures("kept_open")
TERMS = CARD.strip() + ",term,per,tiers,pooled,every,pattern\n"
FACTORS = MAP.strip() + ",factor\n"


def paper(*lines: tuple[str | None, str, str], number: str = "F-1") -> str:
    """An invoice of October: quantity, amount and text of each line."""
    own = "".join(
        line(quantity, net, description=text, price=None, tax=None, number=str(n))
        for n, (quantity, net, text) in enumerate(lines, 1)
    )
    total = sum(float(net) for _, net, _ in lines)
    return ubl(own, number=number, net=f"{total:.2f}", tax=None, periods=OCTOBER)


def used(project: Project, quantity: str) -> None:
    read(project, (local(1), "10"), (local(15), "500"), (local(31, 23, 59), quantity))


def test_the_minimum_of_the_page(warehouse: Project) -> None:
    """8,000 at 100 with a minimum of 1,000,000: 800,000 for use and 200,000 on top are matched."""
    used(warehouse, "8000")
    bill(
        warehouse,
        paper(("8000", "800000.00", "Grabaciones"), (None, "200000.00", "Consumo mínimo")),
    )
    row = only(
        judged(
            warehouse,
            f"{MAP},,*grabaciones*,{REPORT},,,quantity\n,,*minimo*,{REPORT},,,price_component\n",
            f"{TERMS}{REPORT},,,0,100,COP,2026-01-01,,unit_price,,,,,\n"
            f"{REPORT},,,,1000000,COP,2026-01-01,,minimum,,,,,\n",
        )
    )
    assert (row.reconciliation_status, row.contracted_cost) == ("matched", 1_000_000)
    assert row.explanation.endswith("by contract the month costs 1,000,000.00 COP at least.")


def test_a_line_per_thousand_for_all_operations(warehouse: Project) -> None:
    """12,400 and 7,600 of two operations, billed as 20 thousands at 90,000: one verdict, whose
    readings are those of both."""
    calls = [
        Call(at, [{"operation": name.upper(), "description": "AUDIOS", "items": items,
                   "date": f"{at:%Y-%m-%d}"}], operation=name)
        for name, last in (("acme", "12400"), ("beta", "7600"))
        for at, items in ((local(1), "10"), (local(31, 23, 59), last))
    ]  # fmt: skip
    write_polls(warehouse, *calls, measures={REPORT: "month_to_date"})
    bill(warehouse, paper(("20", "1800000.00", "Grabaciones por mil")))
    row = only(
        judged(
            warehouse,
            f"{FACTORS},,*por mil*,{REPORT},*,,quantity,1000\n",
            f"{TERMS}{REPORT},,,0,100000,COP,2026-01-01,,,1000,all_units,all,,\n"
            f"{REPORT},,,15000,90000,COP,2026-01-01,,,1000,all_units,all,,\n",
        )
    )
    assert (row.reconciliation_status, row.operation_id) == ("matched", "*")
    assert (row.consumed_quantity, row.billed_quantity) == (20_000, 20_000)
    assert (row.contracted_cost, row.contracted_unit_price) == (1_800_000, 90)
    assert row.explanation.startswith("all operations, rsync_s3_mp3, F-1: wolkvox billed 20,000")
    told = explain("2026-10", destination=warehouse.destination, clock=lambda: warehouse.vendor.now)
    [traced] = told.verdicts
    assert [each.operation for each in traced.measured_from] == ["ACME", "BETA"]
    assert traced.polls == 4
    factors = "SELECT operation_id, factor FROM wolkvox_billing_marts.line_map"
    assert warehouse.query(factors) == [("*", 1000)]


def test_a_discount_of_the_document_or_a_line(tmp_path: Path) -> None:
    """10 % off 800,000 as a line of its own."""
    row = judged_alone(
        tmp_path,
        paper(("8000", "800000.00", "Grabaciones"), (None, "-80000.00", "Descuento")),
        used=Used((use(OCTOBER_PERIOD, 8000),)),
        line_map=f"{MAP},,*grabaciones*,{REPORT},,,quantity\n,,*descuento*,{REPORT},,,discount\n",
        rate_card=f"{TERMS}{REPORT},,,0,100,COP,2026-01-01,,,,,,,\n"
        f"{REPORT},,,,10,COP,2026-01-01,,discount_percent,,,,,\n",
    )
    assert row.reconciliation_status == "matched"


def test_use_that_costs_nothing_by_contract_is_missed_on_no_invoice(tmp_path: Path) -> None:
    """What a package paid for, or has a price of 0, is billed by nobody, and nobody is blamed; one
    that costs is."""
    used = Used((use(OCTOBER_PERIOD, 8000),))
    package = f"{REPORT},,,36000,2880000,COP,2026-01-01,,package,,,,,\n"
    price = f"{REPORT},,,0,100,COP,2026-01-01,,unit_price,,,,,\n"
    for card, status in (
        (price.replace(",100,", ",0,"), "matched"),
        (price, "usage_not_invoiced"),
        (price + package, "matched"),
    ):
        row = judged_alone(tmp_path, used=used, line_map=MAP, rate_card=TERMS + card)
        assert row.reconciliation_status == status
    assert row.explanation.endswith(
        "8,000 audios were used, and no invoice bills them; by contract it costs nothing; a "
        "package pays for 8,000 audios of it."
    )


def test_nobody_is_accused_while_two_ids_are_taken_for_one_operation(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ids of one server and one name may be two operations: 2,000 billed of 1,000 read is no
    finding until somebody decides, and the sentence says what would."""
    monkeypatch.setitem(SERVERS, "beta", SERVERS["acme"])
    row = {"operation": "ACME", "description": "AUDIOS"}
    calls = [
        Call(at, [{**row, "items": items, "date": f"{at:%Y-%m-%d}"}], operation=name)
        for name, at, items in (
            ("acme", local(1), "10"), ("acme", local(15), "500"),
            ("beta", local(16), "520"), ("beta", local(31, 23, 59), "1000"),
        )
    ]  # fmt: skip
    write_polls(project, *calls, measures={REPORT: "month_to_date"})
    bill(project, paper(("2000", "200000.00", "Grabaciones")))
    verdict = only(judged(project, at=local(20, month=11)))
    assert verdict.reconciliation_status == "inconclusive_operation"
    assert "acme and beta are taken for one operation, which nobody has decided" in (
        verdict.explanation
    )
    assert "operations merge" in str(verdict.settled_by)
