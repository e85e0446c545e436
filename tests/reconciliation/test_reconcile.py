"""`reconcile`: each status by hand-written numbers, in the documented order; on both engines in one
record of many of them. What is judged of papers alone is judged without a warehouse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.documents import declared, line, period, ubl
from builders.facts import billed_line, known, rate, unseen_everywhere, use
from builders.fuzzing import at_length, tries
from builders.months import (
    CARD,
    MAP,
    OCTOBER,
    OCTOBER_PERIOD,
    ONE_LINE,
    ONE_PRICE,
    READ,
    REPORT,
    bill,
    calls_of,
    invoice,
    judged,
    local,
    only,
    poll,
    read,
    receive,
    statuses,
    write_maps,
)
from builders.papers_on_record import judged_unstored
from builders.project import TOKENS, Project, on_postgres_beside
from builders.record import Call, write_polls
from builders.settled_papers import judged_alone, settle_papers
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation import mart
from wolkvox_billing.reconciliation.contract.line_map import MapRow, read_line_map
from wolkvox_billing.reconciliation.contract.rate_card import read_rate_card
from wolkvox_billing.reconciliation.facts import DayUse
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.totals import BilledLinesTotal, LeftOutTotal, tie_out
from wolkvox_billing.reconciliation.unread import Point, Tail, Unread, unread_of_counter
from wolkvox_billing.reconciliation.words import explanation
from wolkvox_billing.values.periods import Period
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.verbs.reconcile import reconcile

pytestmark = pytest.mark.usefixtures("kept_open")


def test_matched(warehouse: Project) -> None:
    """Quantity and amount are equal: every number of the row is there, and nothing is alarming. The
    mart invoice_reconciliation has that row, with the contract's columns."""
    read(warehouse, *READ)
    bill(warehouse, invoice("1000", "100000.00"))
    row = only(judged(warehouse))
    assert row.reconciliation_status == "matched" and not row.is_material
    assert (row.supplier_id, row.operation_id) == ("900123456", "acme")
    assert (row.report, row.product, row.billing_currency) == (REPORT, None, "COP")
    assert (row.consumed_quantity, row.billed_quantity) == (1000, 1000)
    assert (row.quantity_variance, row.contracted_unit_price) == (0, 100)
    assert (row.contracted_cost, row.billed_cost, row.cost_variance) == (100000, 100000, 0)
    assert (row.volume_effect, row.price_effect) == (0, 0)
    assert row.hours_unread_at_end == Decimal("0.1667")
    assert row.explanation == (
        "acme, rsync_s3_mp3, F-1: wolkvox billed 1,000 audios; your last reading on 31 Oct 23:50 "
        "showed 1,000 audios; "
        "the quantity is the same."
    )
    [stored] = warehouse.query(
        f"SELECT {', '.join(vars(row))} FROM wolkvox_billing_marts.invoice_reconciliation "
        "WHERE billing_period_start = DATE '2026-10-01'"
    )
    assert list(stored) == list(vars(row).values())


def test_both_engines_say_the_same(
    project: Project, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each number and word of every row of one record: a month that notes bring to what was used,
    one that is billed too much, in another currency too, and twice, products with a line of their
    own and with one for the others, a period of its own, and a line that no row fits."""
    maps = f"{MAP},,*acme,{REPORT},acme,,quantity\n,,*beta,{REPORT},beta,,quantity\n" + (
        f",,*ventas,{REPORT},gama,VENTAS,quantity\n,,*otras,{REPORT},gama,,quantity\n"
    )
    note = {"corrects": "F-1", "issued": "2026-12-20", "periods": ""}
    papers = [
        _about("acme", "1050", "105000.00", number="F-1"),
        _about("acme", "100", "10000.00", kind="CreditNote", number="N-1", **note),
        _about("acme", "50", "5000.00", kind="DebitNote", number="D-1", **note),
        _about("beta", "1450", "145000.00", number="F-2"),
        _about("beta", "10", "25.00", number="F-3", currency="USD"),
        _about("ventas", "200", "20000.00", number="F-4",
               periods=period("2026-10-01", "2026-10-15")),
        _about("ventas", "100", "10000.00", number="F-5",
               periods=period("2026-10-16", "2026-10-31")),
        _about("otras", "300", "30000.00", number="F-6"),
        _about("otras", "300", "30000.00", number="F-6", payable="1"),
        _about("minutos", "7", "700.00", number="F-7"),
        _about("acme", "9", "900.00", number="F-8", profile="2"),
    ]  # fmt: skip
    results = []
    for engine in ("duckdb", "postgres"):
        if engine == "postgres":
            project = on_postgres_beside(project, monkeypatch, new_database())
        write_polls(
            project,
            *calls_of(*READ),
            *calls_of(*READ[:2], (local(31, 23, 40), "1000"), operation="beta"),
            *products_of_gama(15, VENTAS="200", SOPORTE="100", CHAT="50"),
            *products_of_gama(31, VENTAS="300", SOPORTE="200", CHAT="100"),
            measures={REPORT: "month_to_date"},
        )
        bill(project, *papers)
        results.append(judged(project, maps, at=local(31, month=12)))
    assert results[0].rows == results[1].rows
    assert results[0].warnings == results[1].warnings
    assert results[0].totals == results[1].totals
    assert sorted((_subject(row), row.reconciliation_status) for row in results[0].rows) == [
        ("- - COP 2026-10-01", "unmapped_line"),
        ("acme - COP 2026-10-01", "matched"),
        ("beta - COP 2026-10-01", "overbilled_quantity"),
        ("beta - USD 2026-10-01", "currency_mismatch"),
        ("gama - COP 2026-10-01", "duplicate_document"),
        ("gama VENTAS COP 2026-10-01", "matched"),
        ("gama VENTAS COP 2026-10-16", "matched"),
    ]


def _about(name: str, quantity: str, net: str, **parts: Any) -> str:
    return invoice(quantity, net, f"Grabaciones {name}", uuid=None, **parts)


def _subject(row: ReconciledRow) -> str:
    parts = row.operation_id, row.product, row.billing_currency, row.billing_period_start
    return " ".join(str(part or "-") for part in parts)


def products_of_gama(day: int, **items: str) -> list[Call]:
    """A call in a day's last minute, and how many of each product it shows."""
    at = local(day, 23, 59)
    calls = [calls_of((at, number), product=name) for name, number in items.items()]
    return [Call(at, [row for [call] in calls for row in call.rows], operation="gama")]


def test_the_mart_knows_an_invoice_when_it_was_read(warehouse: Project) -> None:
    """`invoices` fills the mart anew, as `load` does; nobody has to run `reconcile` first."""
    read(warehouse, *READ)
    judged(warehouse)
    receive(warehouse, invoice("1450", "145000.00"))
    mart = "SELECT reconciliation_status, billed_quantity FROM wolkvox_billing_marts."
    assert warehouse.query(f"{mart}invoice_reconciliation") == [("overbilled_quantity", 1450)]


# Each engine counts what is loaded in one of the next two, at length in both.
@pytest.mark.parametrize("warehouse", at_length(["postgres"], "duckdb"), indirect=True)
@pytest.mark.usefixtures("tables")
def test_a_load_judges_anew_where_something_else_is_known(warehouse: Project) -> None:
    """The mart has the verdicts of the day's first load, until the rules, the invoices or a month
    that is over are others: on a long record they take as long as ten polls."""

    def stored() -> list[tuple[Any, ...]]:
        return warehouse.query(
            "SELECT reconciliation_status, consumed_quantity, contracted_cost "
            "FROM wolkvox_billing_marts.invoice_reconciliation ORDER BY billing_period_start"
        )

    write_maps()
    poll(warehouse, (local(3), "10"))
    assert stored() == [("open_period", 10, 1000)]
    poll(warehouse, (local(3, 13), "20"))
    assert stored() == [("open_period", 10, 1000)]
    Path("rate_card.csv").write_text(ONE_PRICE.replace(",100,", ",200,"))
    poll(warehouse, (local(3, 14), "30"))
    assert stored() == [("open_period", 30, 6000)]
    poll(warehouse, (local(4), "40"))
    assert stored() == [("open_period", 40, 8000)]
    poll(warehouse, (local(1, month=11), "1"))
    assert stored() == [("open_period", 40, 8000), ("open_period", 1, 200)]
    warehouse.vendor.now = local(1, 13, month=11)  # the vendor restates a day of October
    row = {"operation": "ACME", "description": "AUDIOS", "items": "45", "date": "2026-10-04"}
    warehouse.vendor.answer(TOKENS["acme"], REPORT, [row])
    assert warehouse.load(measures={REPORT: "month_to_date"}, force=True).is_good
    assert stored() == [("open_period", 45, 9000), ("open_period", 1, 200)]


@pytest.mark.parametrize("warehouse", at_length(["duckdb"], "postgres"), indirect=True)
@pytest.mark.usefixtures("tables")
def test_a_month_that_is_over_is_judged_anew_when_it_is_read_again(warehouse: Project) -> None:
    """The same number, read once more after the month, ends what nobody had read of it."""
    read(warehouse, (local(1), "10"), (local(15), "500"), (local(31, 12), "1000"))
    write_maps()
    bill(warehouse, invoice("1030", "103000.00"))
    asked = (
        "SELECT reconciliation_status, hours_unread_at_end FROM "
        "wolkvox_billing_marts.invoice_reconciliation WHERE billing_period_start = '2026-10-01'"
    )
    poll(warehouse, (local(1, 1, month=11), "1"))
    assert warehouse.query(asked) == [("open_period", 12)]
    poll(warehouse, (local(1, 12, month=11), "2"))
    assert warehouse.query(asked) == [("inconclusive_cut_off", 12)]
    warehouse.vendor.now = local(1, 13, month=11)
    row = {"operation": "ACME", "description": "AUDIOS", "items": "1000", "date": "2026-10-31"}
    warehouse.vendor.answer(TOKENS["acme"], REPORT, [row])
    assert warehouse.load(measures={REPORT: "month_to_date"}, force=True).is_good
    assert warehouse.query(asked) == [("overbilled_quantity", 0)]


@pytest.mark.usefixtures("tables")
def test_what_comes_while_verdicts_are_made_is_judged_by_the_next_load(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules that change while a load judges are not held to be those that it judged by."""
    write_maps()

    def slow(*words: Any) -> Any:
        Path("rate_card.csv").write_text(ONE_PRICE.replace(",100,", ",200,"))
        return judge(*words)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(mart, "judge", slow)
        poll(project, (local(3), "11"))
    cost = "SELECT contracted_cost FROM wolkvox_billing_marts.invoice_reconciliation"
    assert project.query(cost) == [(1100,)]
    poll(project, (local(3, 13), "11"))
    assert project.query(cost) == [(2200,)]


def test_invoices_are_loaded_whatever_the_line_map_says(project: Project) -> None:
    """Without a line map there is nothing to compare by; a wrong one, or one before the first
    load, is a warning. The invoice is loaded, and the mart stays as it was."""
    Path("one.xml").write_bytes(declared(invoice("1000", "100000.00")))
    for line_map, load, says in (
        (None, False, None),
        (ONE_LINE, False, "wolkvox_billing has no tables yet: run `wolkvox-billing load` first"),
        (f"{MAP},,*,nonsense,,,quantity\n", True, "line_map.csv, line 2, column report"),
        (ONE_LINE, True, None),
    ):
        if line_map:
            write_maps(line_map)
        if load:
            read(project, *READ[:1])
        result = invoices(["one.xml"], clock=lambda: project.vendor.now)
        assert [receipt.made[:6] for receipt in result.receipts] == ["loaded"]
        warning = f"loaded, and invoices were not compared anew: {says}"
        assert [text.startswith(warning) for text in result.warnings] == ([True] if says else [])


def test_the_command_says_why_invoices_are_not_compared(project: Project) -> None:
    """A wrong line map is told by `invoices`, which ends in 0 all the same."""
    Path("one.xml").write_bytes(declared(invoice("1000", "100000.00")))
    write_maps(f"{MAP},,*,nonsense,,,quantity\n")
    read(project, *READ[:1])
    done = CliRunner().invoke(main, ["invoices", "one.xml"])
    assert done.exit_code == 0
    assert "warning: loaded, and invoices were not compared anew: line_map.csv, l" in done.output
    printed = json.loads(CliRunner().invoke(main, ["invoices", "one.xml", "--json"]).stdout)
    [warning] = printed["warnings"]
    assert "column report" in warning


def test_an_open_month_is_no_finding(project: Project) -> None:
    """Before the month is over nothing is judged, whatever was billed."""
    read(project, *READ[:2])
    assert statuses(judged_unstored(project, invoice("9999", "999900.00"), at=local(20))) == [
        "open_period"
    ]


def test_a_missing_invoice_is_a_finding_when_it_is_due(project: Project) -> None:
    """Until `invoice_due_days` after the month nothing is missing; then it is."""
    read(project, *READ)
    assert statuses(judged_unstored(project, at=local(15, month=11))) == ["open_period"]
    row = only(judged_unstored(project, at=local(16, month=11)))
    assert row.reconciliation_status == "usage_not_invoiced"
    assert (row.contracted_cost, row.billed_cost) == (100000, 0)
    assert (row.volume_effect, row.price_effect) == (-100000, 0)
    assert row.explanation.startswith("acme, AUDIOS: 1,000 audios were used, and no invoice")


def test_two_contents_of_one_number_count_for_nobody(tmp_path: Path) -> None:
    """The same number with other content comes before every other verdict on what was billed."""
    papers = invoice("1000", "100000.00"), invoice("1000", "100000.00", payable="1")
    row = judged_alone(tmp_path, *papers)
    assert row.reconciliation_status == "duplicate_document" and row.billed_quantity == 2000


def test_a_line_that_no_row_fits_has_a_key_of_its_own(project: Project) -> None:
    """It has no report, and the explanation quotes it."""
    read(project, *READ)
    result = judged_unstored(
        project, invoice("1000", "100000.00"), line_map=f"{MAP},,*minutos*,{REPORT},,,quantity\n"
    )
    assert sorted(statuses(result)) == ["inconclusive_unmapped", "unmapped_line"]
    [row] = [row for row in result.rows if row.reconciliation_status == "unmapped_line"]
    assert row.report is None and row.billed_cost == 100000 and row.is_material
    assert "fits «Grabaciones en S3» (1,000 units; 100,000.00 COP)" in row.explanation
    assert result.warnings == [
        "line_map.csv, line 2, column pattern: no invoice line is taken by this row"
    ]


def test_a_currency_without_a_price_is_a_mismatch(tmp_path: Path) -> None:
    """Billed in dollars where the contract is in pesos."""
    row = judged_alone(tmp_path, invoice("1000", "25.00", currency="USD"))
    assert (row.reconciliation_status, row.billing_currency) == ("currency_mismatch", "USD")


def test_what_nobody_can_read_is_undetermined(project: Project) -> None:
    """Without a setting and with too little data, the meaning is not guessed."""
    write_polls(project, *calls_of(*READ))
    row = only(judged_unstored(project, invoice("1000", "100000.00")))
    assert row.reconciliation_status == "semantics_undetermined"
    assert row.consumed_quantity is None and row.contracted_cost is None


def test_billed_while_the_vendor_showed_nothing(project: Project) -> None:
    """The vendor answered in the month, and never with a row: there was no use."""
    write_polls(project, Call(local(20), []))
    row = only(judged_unstored(project, invoice("1000", "100000.00")))
    assert row.reconciliation_status == "invoiced_without_usage" and row.is_material
    assert (row.consumed_quantity, row.quantity_variance) == (0, 1000)


def test_billed_while_nobody_asked_is_inconclusive(project: Project) -> None:
    """Without an answer in the month nothing can be said against the invoice."""
    read(project, (local(2, month=11), "5"))
    row = only(judged_unstored(project, invoice("1000", "100000.00")))
    assert row.reconciliation_status == "inconclusive_low_coverage" and not row.is_material
    assert row.consumed_quantity is None and row.quantity_variance is None
    assert "nobody was answered in this time" in row.explanation


@pytest.mark.parametrize(
    ("quantity", "policy", "status"),
    [
        ("1005", {"tolerance_quantity": Decimal(5)}, "within_tolerance"),
        ("1300", {"tolerance_quantity": Decimal(300)}, "within_tolerance"),
        ("1301", {"tolerance_quantity": Decimal(300)}, "overbilled_quantity"),
        ("1010", {"tolerance_percent": Decimal(1)}, "within_tolerance"),
        ("990", {"tolerance_percent": Decimal(1)}, "within_tolerance"),
        ("700", {"tolerance_percent": Decimal(30)}, "within_tolerance"),
        ("699", {"tolerance_percent": Decimal(30)}, "underbilled_quantity"),
    ],
)
def test_the_tolerance_of_quantities(
    tmp_path: Path, quantity: str, policy: dict[str, Any], status: str
) -> None:
    """Quantities agree within the larger of the two tolerances; prices are as agreed."""
    row = judged_alone(tmp_path, invoice(quantity, f"{quantity}00.00"), **policy)
    assert row.reconciliation_status == status
    assert row.price_effect == 0


def test_overbilled_beyond_what_was_left_unread(project: Project) -> None:
    """An excess larger than any that the unread minutes can hold is overbilled, with its worth."""
    read(project, *READ[:2], (local(31, 23, 20), "990"), (local(31, 23, 40), "1000"))
    row = only(judged_unstored(project, invoice("1450", "145000.00")))
    assert row.reconciliation_status == "overbilled_quantity" and row.is_material
    assert (row.quantity_variance, row.cost_variance) == (450, 45000)
    assert (row.volume_effect, row.price_effect) == (45000, 0)


def test_what_the_unread_hours_can_hold_is_inconclusive(project: Project) -> None:
    """Of a nightly copy that was read at noon, up to the night of the turn: 100 a night."""
    read(project, (local(29, 12), "800"), (local(30, 12), "900"), (local(31, 12), "1000"))
    row = only(judged_unstored(project, invoice("1100", "110000.00")))
    assert row.reconciliation_status == "inconclusive_cut_off"
    assert "the nights of the month's turn explain any number" in row.explanation


def test_underbilled_is_never_excused_by_unread_hours(project: Project) -> None:
    """A counter's last reading is a lower bound: too little is too little."""
    read(project, (local(15), "1000"))
    row = only(judged_unstored(project, invoice("700", "70000.00")))
    assert row.reconciliation_status == "underbilled_quantity"
    assert (row.volume_effect, row.price_effect) == (-30000, 0)


def test_the_price_is_compared_when_the_quantity_agrees(tmp_path: Path) -> None:
    """Another price than the contract's is a price difference; without a contract there is none."""
    row = judged_alone(tmp_path, invoice("1000", "110000.00"))
    assert row.reconciliation_status == "price_difference"
    assert (row.volume_effect, row.price_effect) == (0, 10000)
    assert (
        "by contract that costs 100,000.00 COP, and 110,000.00 COP were billed" in row.explanation
    )
    row = judged_alone(tmp_path, invoice("1000", "110000.00"), rate_card=CARD)
    assert row.reconciliation_status == "no_price" and row.contracted_cost is None


def test_tiers_are_graduated(tmp_path: Path) -> None:
    """600 at 100 and 400 at 80 are 92,000; 1,100 billed are 8,000 more."""
    tiers = f"{ONE_PRICE}{REPORT},,,600,80,COP,2026-01-01,\n"
    row = judged_alone(tmp_path, invoice("1100", "100000.00"), rate_card=tiers)
    assert (row.contracted_cost, row.volume_effect, row.price_effect) == (92000, 8000, 0)
    assert row.contracted_unit_price == Decimal("90.9091")  # 100,000 for 1,100


def test_a_price_that_changes_in_mid_month_holds_for_what_was_used_then(project: Project) -> None:
    """500 up to the 15th at 100, 500 after it at 110: 105,000."""
    read(project, *READ)
    card = f"{CARD}{REPORT},,,0,100,COP,2026-01-01,2026-10-16\n{REPORT},,,0,110,COP,2026-10-16,\n"
    row = only(judged_unstored(project, invoice("1000", "105000.00"), rate_card=card))
    assert (row.reconciliation_status, row.contracted_cost) == ("matched", 105000)


def test_notes_change_what_was_billed(tmp_path: Path) -> None:
    """A credit note takes off, a debit note puts on, in the month of what they correct."""
    credit = invoice("100", "10000.00", kind="CreditNote", number="N-1", corrects="F-1", periods="",
                     issued="2026-12-20")  # fmt: skip
    debit = invoice("50", "5000.00", kind="DebitNote", number="D-1", corrects="F-1", periods="",
                    issued="2026-12-21")  # fmt: skip
    row = judged_alone(tmp_path, invoice("1050", "105000.00"), credit, debit)
    assert row.reconciliation_status == "matched"
    assert row.billed_cost == 100000 and len(row.invoice_ids.split(",")) == 3


def test_a_credit_note_with_a_minus_takes_off_too(tmp_path: Path) -> None:
    """-100 units over -10,000 in a credit note are taken off what was billed, and not put on."""
    credit = invoice("-100", "-10000.00", kind="CreditNote", number="N-1", corrects="F-1",
                     payable="-10000.00")  # fmt: skip
    row = judged_alone(tmp_path, invoice("1100", "110000.00"), credit)
    assert (row.reconciliation_status, row.billed_quantity) == ("matched", 1000)
    assert row.billed_cost == 100000


def test_tax_that_does_not_add_up_is_told(project: Project) -> None:
    """A document's tax against its lines' and a line's against its net amount: one warning for a
    document of the month, and none for a cent of rounding or for lines that state no tax."""
    read(project, *READ)

    def taxed(number: str, tax: str | None, *lines: str | None, month: str = OCTOBER) -> str:
        own = (
            line("10", "1000.00", tax=tax_of_line, price=None, description="Grabaciones")
            for tax_of_line in lines
        )
        return ubl(*own, number=number, tax=tax, net=f"{len(lines)}000.00", periods=month)

    bill(
        project,
        taxed("F-1", "190.00", "190.00"),
        taxed("F-2", "380.02", "190.00", "190.00"),
        taxed("F-3", "190.00", None),
        taxed("F-4", "500.00", "190.00", "190.00"),
        taxed("F-5", "300.02", "300.02"),
        taxed("F-6", None, "300.01"),
        taxed("F-7", "9.00", "19.00", month=period("2026-09-01", "2026-09-30")),
    )
    warnings = sorted(judged(project).warnings)
    doubt = "its tax does not add up; withholdings may explain it:"
    assert warnings == [
        f"invoice F-4: {doubt} it states 500.00, and its lines 380.00",
        f"invoice F-5: {doubt} line 1 states 300.02 on 1,000.00, more than 30%",
    ]
    every = reconcile(
        destination=project.destination, policy=Policy(), clock=lambda: project.vendor.now
    )
    september = f"invoice F-7: {doubt} it states 9.00, and its lines 19.00"
    assert sorted(every.warnings) == [*warnings, september]


def test_many_lines_make_one_key(project: Project) -> None:
    """Lines of several invoices, a discount and a price component are added; a fee is left out."""
    read(project, *READ)
    two = ubl(
        line("600", "60000.00", description="Grabaciones A", price=None, tax=None),
        line("400", "45000.00", number="2", description="Grabaciones B", price=None, tax=None),
        line(None, "-5000.00", number="3", description="Descuento", price=None, tax=None),
        line("1", "7000.00", number="4", description="Cargo fijo", price=None, tax=None),
        net="107000.00",
        tax=None,
        periods=OCTOBER,
    )
    maps = f"{ONE_LINE},,descuento,{REPORT},,,discount\n,,*cargo*,,,,fee\n"
    result = judged_unstored(project, two, line_map=maps)
    row = only(result)
    assert (row.reconciliation_status, row.billed_quantity) == ("matched", 1000)
    assert result.totals.left_out == [LeftOutTotal("fee", "COP", Decimal(7000))]
    assert result.totals.billed_lines == [BilledLinesTotal("COP", Decimal(107000))]


def test_one_line_covers_all_products_that_no_other_line_names(project: Project) -> None:
    """A line for a product takes it; a line for the report takes the others, each use once."""
    for product, items in (("A", "300"), ("B", "200"), ("C", "100")):
        read(project, (local(31, 23, 59), items), product=product)
    two = ubl(
        line("300", "30000.00", description="Grabaciones A", price=None, tax=None),
        line("300", "30000.00", number="2", description="Grabaciones otras", price=None, tax=None),
        net="60000.00", tax=None, periods=OCTOBER,
    )  # fmt: skip
    maps = f"{MAP},,*A,{REPORT},,A,quantity\n,,*otras,{REPORT},,,quantity\n"
    result = judged_unstored(project, two, line_map=maps)
    rows = [(row.product, row.consumed_quantity, row.reconciliation_status) for row in result.rows]
    assert rows == [(None, 300, "matched"), ("A", 300, "matched")]


def test_two_operations_on_one_invoice(project: Project) -> None:
    """Lines that the map gives to two operations are two keys."""
    calls = [
        *calls_of((local(31, 23, 59), "300"), operation="acme"),
        *calls_of((local(31, 23, 59), "200"), operation="beta"),
    ]
    write_polls(project, *calls, measures={REPORT: "month_to_date"})
    two = ubl(
        line("300", "30000.00", description="Grabaciones de acme", price=None, tax=None),
        line("200", "20000.00", number="2", description="De beta", price=None, tax=None),
        net="50000.00", tax=None, periods=OCTOBER,
    )  # fmt: skip
    maps = f"{MAP},,*acme,{REPORT},acme,,quantity\n,,*beta,{REPORT},beta,,quantity\n"
    result = judged_unstored(project, two, line_map=maps)
    assert [(row.operation_id, row.billed_quantity) for row in result.rows] == [
        ("acme", 300), ("beta", 200)]  # fmt: skip
    assert statuses(result) == ["matched", "matched"]
    unclear = judged_unstored(project, two, line_map=f"{MAP},,*,{REPORT},,,quantity\n")
    assert "nothing says which operation is billed by" in unclear.rows[0].explanation


def test_a_period_of_its_own_is_compared_with_its_days(project: Project) -> None:
    """From the 11th to the 20th: what the days of that stretch used, if both ends were read."""
    read(project, (local(10, 23), "100"), (local(15), "500"), (local(20, 23), "900"),
         (local(31, 23, 59), "1000"))  # fmt: skip
    stretch = period("2026-10-11", "2026-10-20")
    result = judged_unstored(project, invoice("800", "80000.00", periods=stretch))
    rows = {str(row.billing_period_start): row for row in result.rows}
    assert rows["2026-10-11"].reconciliation_status == "matched"
    assert rows["2026-10-01"].consumed_quantity == 200  # what that invoice does not bill
    assert rows["2026-10-01"].reconciliation_status == "usage_not_invoiced"


def test_a_period_whose_ends_were_not_read_is_inconclusive(project: Project) -> None:
    """Where a reading covers days on both sides of the period's end, nothing can be said."""
    read(project, (local(5), "100"), (local(15), "500"), (local(31, 23, 59), "1000"))
    result = judged_unstored(
        project, invoice("400", "40000.00", periods=period("2026-10-08", "2026-10-15"))
    )
    assert "inconclusive_low_coverage" in statuses(result)


def test_a_test_document_is_not_compared(tmp_path: Path) -> None:
    """DIAN's test documents bill nothing."""
    row = judged_alone(tmp_path, invoice("1000", "100000.00", profile="2"))
    assert row.reconciliation_status == "usage_not_invoiced"


def test_other_suppliers_are_left_out(project: Project) -> None:
    """With `supplier_ids` only the vendor's own invoices count."""
    read(project, *READ)
    bill(project, invoice("1000", "100000.00"))
    row = only(judged(project, supplier_ids=("800",)))
    assert (row.reconciliation_status, row.supplier_id) == ("usage_not_invoiced", "800")


def test_materiality_is_what_is_worth_an_alarm(tmp_path: Path) -> None:
    """A difference of 45,000 is an alarm below that materiality only."""
    for materiality, alarm in (("44999.99", True), ("45000", False)):
        policy: dict[str, Any] = {"materiality": Decimal(materiality)}
        row = judged_alone(tmp_path, invoice("1450", "145000.00"), **policy)
        assert (row.reconciliation_status, row.is_material) == ("overbilled_quantity", alarm)


def test_the_sentence_in_spanish(project: Project) -> None:
    """The same verdict, with Spanish words and marks in numbers."""
    read(project, *READ)
    row = only(
        judged_unstored(
            project, invoice("1450", "145000.00"), language="es", tail_factor=Decimal(0)
        )
    )
    assert row.explanation == (
        "acme, rsync_s3_mp3, F-1: +45.000,00 COP frente al contrato (por cantidad +45.000,00, por "
        "precio 0,00); wolkvox facturó 1.450 audios; su última lectura del 31 oct 23:50 mostraba "
        "1.000 audios; 450 audios más de lo medido (+45,0 %)."
    )


# Files that a finance person edits.


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (f",,*,{REPORT},,,pay", "line_map.csv, line 2, column role: 'pay': expected one of"),
        (
            ",,*,recordings,,,quantity",
            "line_map.csv, line 2, column report: 'recordings' is no report",
        ),
        (f",,*,{REPORT},,,quantity,x", "line_map.csv, line 2, column role: 8 cells, and 7 columns"),
    ],
)
def test_a_wrong_line_map_is_named_by_line_and_column(tmp_path: Path, row: str, says: str) -> None:
    """The error says where the row is and what was expected."""
    file = tmp_path / "line_map.csv"
    file.write_text(f"{MAP}{row}\n")
    with pytest.raises(SettingsError) as error:
        read_line_map(file, REPORTS)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("recordings,,,0,1,COP,2026-01-01,", "line 2, column report"),
        (f"{REPORT},,,0,1.234,5,COP,2026-01-01,", "the row has 9 cells, the header 8: a ','"),
        (f"{REPORT},,,0,x,COP,2026-01-01,", "line 2, column unit_price: 'x': expected a number"),
        (f"{REPORT},,,0,-1,COP,2026-01-01,", "column unit_price: '-1'"),
        (f"{REPORT},,,0,1,$,2026-01-01,", "column currency: '$'"),
        (f"{REPORT},,,0,1,COP,01/01/26,", "column valid_from: '01/01/26': expected a day"),
        (f"{REPORT},,,0,1,COP,2026-02-01,2026-01-01", "column valid_to: 2026-01-01 is not after"),
        (f"{REPORT},,,5,1,COP,2026-01-01,", "column from_quantity: 5: the first tier"),
        (f"{REPORT},,,0,1,COP,2026-01-01,\n{REPORT},,,0,2,COP,2026-01-01,",
         "column from_quantity: 0 is there twice"),
        (f"{REPORT},,,0,1,COP,2026-01-01,\n{REPORT},,,0,2,COP,2026-06-01,",
         "line 3, column valid_from: 2026-06-01 lies before"),
    ],
)  # fmt: skip
def test_a_wrong_rate_card_is_named_by_line_and_column(
    tmp_path: Path, rows: str, says: str
) -> None:
    """Unknown reports, no numbers, overlapping periods, gaps in tiers: refused by their place."""
    file = tmp_path / "rate_card.csv"
    file.write_text(f"{CARD}{rows}\n")
    with pytest.raises(SettingsError) as error:
        read_rate_card(file, REPORTS)
    assert says in str(error.value)


def test_nothing_is_compared_by_wrong_files(project: Project) -> None:
    """`reconcile` refuses what is wrong in the line map or in the rate card."""
    read(project, *READ[:1])
    with pytest.raises(SettingsError, match=r"line_map\.csv, line 2, column role: 'pay'"):
        judged(project, f"{MAP},,*,{REPORT},,,pay\n")
    with pytest.raises(SettingsError, match=r"rate_card\.csv, line 2, column unit_price: 'x'"):
        judged(project, rate_card=f"{CARD}{REPORT},,,0,x,COP,2026-01-01,\n")


def test_a_nit_that_a_person_writes_fits(project: Project) -> None:
    """With dots and a check digit, in the line map and in the setting, it is the document's."""
    read(project, *READ)
    bill(project, invoice("1000", "100000.00"))
    own, other = ("900.123.456-7",), ("900.123.457-7",)
    for nit, status in ((own, "matched"), (other, "unmapped_line")):
        line_map = f"{MAP}{nit[0]},,*grabaciones*,{REPORT},,,quantity\n"
        rows = settle_papers(project.folder, invoice("1000", "100000.00"), line_map=line_map).rows
        assert status in [row.reconciliation_status for row in rows]
    assert statuses(judged(project, supplier_ids=own)) == ["matched"]
    assert statuses(judged(project, supplier_ids=other)) == ["usage_not_invoiced"]


def test_init_writes_both_files_and_proposes_rows(project: Project) -> None:
    """--init writes what is missing, with comments, and proposes a row for each line without one;
    what a person has written is not touched, and nothing is proposed twice."""
    read(project, *READ)
    bill(project, invoice("1000", "100000.00"))
    run = CliRunner().invoke
    done = run(main, ["reconcile", "--init"])
    assert done.exit_code == 0, done.output
    assert "1 row proposed" in done.output
    assert "# proposed: 900123456,RSYNC,grabaciones en s*," in Path("line_map.csv").read_text()
    assert "0 rows proposed" in run(main, ["reconcile", "--init"]).output
    assert run(main, ["reconcile", "--month", "2026-10"]).exit_code == 0


def test_the_command_prints_verdicts_and_json(project: Project) -> None:
    """The command tells each verdict in its sentence; --json gives the mart's rows;
    --fail-on-material ends in 1 where there is an alarm."""
    read(project, *READ)
    bill(project, invoice("9450", "945000.00"))
    write_maps()
    run = CliRunner().invoke
    done = run(main, ["reconcile", "--month", "2026-10"])
    assert done.exit_code == 0 and "wolkvox billed 9,450 audios" in done.output
    assert run(main, ["reconcile", "--month", "2026-10", "--fail-on-material"]).exit_code == 1
    printed = json.loads(run(main, ["reconcile", "--month", "2026-10", "--json"]).stdout)
    assert printed["month"] == "2026-10" and printed["policy"]["tolerance_amount"] is None
    assert printed["policy"]["line_map_sha256"] == hashlib.sha256(ONE_LINE.encode()).hexdigest()
    assert printed["rows"][0]["billed_quantity"] == "9450.0000"
    assert printed["rows"][0]["billing_period_start"] == "2026-10-01"
    assert printed["is_closed"] is False
    row = printed["rows"][0]
    assert printed["failures"] == [f"2026-10: overbilled_quantity: {row['explanation']}"]
    closed = run(main, ["close", "2026-10", "--reason", "paid", "--by", "ana"])
    assert closed.exit_code == 0, closed.output
    assert json.loads(run(main, ["reconcile", "--month", "2026-10", "--json"]).stdout)["is_closed"]


@pytest.mark.parametrize("month", ["2026-13", "October", "2026", "2026-10-01"])
def test_a_month_that_is_none_is_a_wrong_word(project: Project, month: str) -> None:
    """A month is written 2026-10."""
    with pytest.raises(SettingsError, match="is no month: expected one such as 2026-11"):
        reconcile(month)


def test_the_policy_is_read_from_the_settings(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each setting under [reconciliation] has a variable; a wrong one is refused by its name."""
    monkeypatch.setenv("RECONCILIATION__TOLERANCE_PERCENT", "1.5")
    monkeypatch.setenv("RECONCILIATION__INVOICE_DUE_DAYS", "20")
    monkeypatch.setenv("RECONCILIATION__SUPPLIER_IDS", '["900123456", "800"]')
    expected = replace(Policy(), tolerance_percent=Decimal("1.5"), invoice_due_days=20,
                       supplier_ids=("900123456", "800"))  # fmt: skip
    assert read_policy() == expected
    for name, value in (("TOLERANCE_PERCENT", "-1"), ("MATERIALITY", "much"), ("LANGUAGE", "fr")):
        with monkeypatch.context() as wrong:
            wrong.setenv(f"RECONCILIATION__{name}", value)
            with pytest.raises(SettingsError, match=name.lower()):
                read_policy()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("tolerance_percent", "101"),
        ("tolerance_amount", "1e400"),
        ("tolerance_quantity", "-1"),
        ("invoice_due_days", "99999999999999999999"),
        ("vendor_lag_hours", "nan"),
        ("tail_factor", "1e9"),
        ("line_map", " "),
        ("rate_card", ""),
        ("supplier_ids", "[[1]]"),
        ("supplier_ids", '["900123456", ""]'),
    ],
)
def test_a_rule_that_cannot_be_meant_is_named(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    """A rule out of all bounds, an empty name of a file and what is no tax id are refused, in
    words for a person."""
    monkeypatch.setenv(f"RECONCILIATION__{setting.upper()}", value)
    with pytest.raises(SettingsError, match=f"`{setting}` .* expected ") as error:
        read_policy()
    assert "Decimal" not in str(error.value)


def test_an_unread_tail_has_a_bound() -> None:
    """The most that was used between two readings so long apart; from the month's start on."""
    hour = 3600
    readings = [Point(at * hour, Decimal(items)) for at, items in ((1, 10), (2, 40), (3, 45))]

    def tail(points: list[Point], end: int, factor: int) -> Tail:
        return unread_of_counter(points, 0, 0, end, Decimal(factor)).missing

    assert tail(readings, 4 * hour, 1) == (30, hour, "busiest")
    assert tail(readings, 5 * hour, 1) == (40, 2 * hour, "busiest")
    # twice the rate of 90 in two hours, for half an hour
    assert tail([Point(2 * hour, Decimal(90))], 2 * hour + 1800, 2) == (
        45,
        1800,
        "busiest",
    )
    assert tail(readings, 3 * hour, 1) == (0, 0, "busiest")
    assert tail(readings, 9 * hour, 2) == (180, 6 * hour, "average")
    assert tail([], 9 * hour, 1) == (None, 9 * hour, "unknown")


# What holds for any month.


amounts = st.integers(0, 10**7).map(lambda n: Decimal(n) / 100)
counts = st.integers(0, 10**6).map(Decimal)


@settings(max_examples=tries(200), deadline=None)
@given(
    used=st.lists(st.tuples(counts, st.booleans()), min_size=1, max_size=4),
    billed=st.lists(
        st.tuples(
            st.integers(0, 5),  # the product; beyond those that are there: none, or unknown
            st.none() | counts,
            amounts,
            st.sampled_from(["COP", "USD"]),
            st.sampled_from([1, -1]),
            st.sampled_from([OCTOBER_PERIOD, Period(date(2026, 10, 5), date(2026, 10, 20)), None]),
            st.booleans(),
        ),
        max_size=6,
    ),
    prices=st.lists(amounts, min_size=1, max_size=3),
)
def test_verdicts_add_up(
    used: list[tuple[Decimal, bool]], billed: list[tuple[Any, ...]], prices: list[Decimal]
) -> None:
    """Whatever was used and billed: every line and every unit is in one verdict, the effects add up
    to the difference of cost to the cent, and nothing that does not tie out is shown."""
    months = [
        use(OCTOBER_PERIOD, quantity, product=f"P{n}") for n, (quantity, _) in enumerate(used)
    ]
    months = [
        month if is_known else replace(month, measure=None, quantity=None)
        for month, (_, is_known) in zip(months, used, strict=True)
    ]
    days = {
        month.meter: [DayUse(date(2026, 10, 31), 31, month.quantity)]
        for month in months
        if month.quantity is not None
    }
    lines = [
        billed_line(stated if stated is None else sign * stated, sign * amount, period,
                    document_id=str(n), document_number=f"F-{n}", is_duplicate=twice,
                    description=f"p{product}", currency=currency)
        for n, (product, stated, amount, currency, sign, period, twice) in enumerate(billed)
    ]  # fmt: skip
    line_map = [MapRow(n, "", "", f"p{n}", REPORT, "", f"P{n}", "quantity") for n in range(4)]
    line_map.append(MapRow(9, "", "", "p4", REPORT, "", "", "price_component"))
    rates = [rate(price, line=n, from_quantity=Decimal(1000 * n)) for n, price in enumerate(prices)]
    facts = known(months, lines, days=days, answered={("acme", REPORT): {date(2026, 10, 3)}})
    comparison = compare(facts, line_map, "900")
    unseen = unseen_everywhere(comparison, Unread(Tail(Decimal(5), 60, "busiest")))
    verdicts = judge(facts, comparison, unseen, Rules(Policy(), rates))
    totals = tie_out(facts, comparison, verdicts)
    by_currency = {total.billing_currency: total.billed_cost for total in totals.billed_lines}
    for currency in {billed.currency for billed in lines}:
        amounts = [billed.amount for billed in lines if billed.currency == currency]
        assert by_currency.get(currency or "", 0) == sum(amounts)
    judged_lines = sorted(line.document_id for verdict in verdicts for line in verdict.lines)
    assert judged_lines == sorted(line.document_id for line in lines)
    for verdict in verdicts:
        assert explanation(verdict, facts, "en").endswith(".")
        assert explanation(verdict, facts, "es").endswith(".")
        if verdict.volume_effect is not None and verdict.price_effect is not None:
            assert verdict.volume_effect + verdict.price_effect == verdict.cost_variance
