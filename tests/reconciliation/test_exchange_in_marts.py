"""A contract in dollars and invoices in pesos, through the tables of both engines; what is settled
of papers, without a warehouse."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builders.documents import line, ubl
from builders.evidence import members_of, write_evidence
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
    statuses,
    write_maps,
)
from builders.project import Project
from builders.settled_papers import Paid, Used, settle_papers
from wolkvox_billing.cli.main import main
from wolkvox_billing.evidence import verify
from wolkvox_billing.evidence.report.sections import render_bridges
from wolkvox_billing.verbs.reconcile import Reconciliation

pytestmark = pytest.mark.usefixtures("kept_open")
DOLLARS = f"{CARD}{REPORT},,,0,0.025,USD,2026-01-01,\n"
LINES = f"{MAP},,*grabaciones*,{REPORT},,,quantity\n,,*soporte*,,,,fee\n"
TERMS = CARD.strip() + ",term,every,pattern\n"
FEE = f"{TERMS}{REPORT},,,0,0.025,USD,2026-01-01,,,,\n,,,,50,USD,2026-01-01,,fee,month,*soporte*\n"
RATE = (
    "<cac:PaymentExchangeRate><cbc:SourceCurrencyCode>{}</cbc:SourceCurrencyCode>"
    "<cbc:TargetCurrencyCode>{}</cbc:TargetCurrencyCode><cbc:CalculationRate>{}"
    "</cbc:CalculationRate></cac:PaymentExchangeRate>"
)
AT_4100 = RATE.format("USD", "COP", "4100.00")
FILE = "date,currency,in_currency,rate\n2026-10-30,USD,COP,4000\n2026-11-03,USD,COP,4100\n"


def paper(*lines: tuple[str, str, str], rate: str = "", **more: Any) -> str:
    """An invoice of October: quantity, amount and text of each line."""
    own = "".join(
        line(quantity, net, description=text, price=None, tax=None, number=str(n))
        for n, (quantity, net, text) in enumerate(lines, 1)
    )
    total = sum(Decimal(net) for _, net, _ in lines)
    return ubl(own, **{"net": f"{total}", "tax": None, "periods": OCTOBER + rate, **more})


def used(project: Project, *papers: str) -> None:
    """12,400 audios, and these papers."""
    read(project, (local(1), "10"), (local(15), "500"), (local(31, 23, 59), "12400"))
    bill(project, *papers)


def by_file(project: Project, card: str = DOLLARS, **policy: Any) -> Reconciliation:
    Path("exchange_rates.csv").write_text(FILE)
    return judged(project, LINES, card, **policy)


USE = ("12400", "1271000.00", "Grabaciones en S3")


def settled(folder: Path, *papers: str, card: str = DOLLARS, **how: Any) -> Paid:
    """What is to be paid of these papers beside 12,400 audios."""
    used = Used((use(OCTOBER_PERIOD, 12_400),))
    return settle_papers(folder, *papers, used=used, line_map=LINES, rate_card=card, **how)


def test_the_example_of_the_page(warehouse: Project) -> None:
    """310 dollars at 4,100 are matched by the document's own rate, and 31,000 too much by the
    period's end: the mart, the settlement and the file's rows have it on both engines."""
    used(warehouse, paper(USE, rate=AT_4100))
    assert only(by_file(warehouse)).reconciliation_status == "matched"
    result = by_file(warehouse, exchange_rate="period_end")
    asked = (
        "SELECT reconciliation_status, contracted_cost, cost_variance, volume_effect, "
        "price_effect, exchange_effect, contracted_unit_price, is_material "
        "FROM wolkvox_billing_marts.invoice_reconciliation"
    )
    assert warehouse.query(asked) == [
        ("exchange_difference", 1_240_000, 31_000, 0, 0, 31_000, 100, True)
    ]
    own = result.settled[0].document
    assert (own.settlement, own.agreed_amount, own.questioned_amount, own.claimed_amount) == (
        "claim", 1_240_000, 31_000, 31_000,
    )  # fmt: skip
    rates = "SELECT line_number, currency, in_currency, rate FROM "
    assert warehouse.query(f"{rates}wolkvox_billing_internal.exchange_rates ORDER BY date") == [
        (2, "USD", "COP", 4000), (3, "USD", "COP", 4100),
    ]  # fmt: skip
    stated = "exchange_currency, exchange_in_currency, exchange_rate"
    assert warehouse.query(f"SELECT {stated} FROM invoice_documents") == [("USD", "COP", 4100)]


def test_a_rate_keeps_its_decimals_in_the_warehouse(warehouse: Project) -> None:
    """0.000243902439024390 dollars for a peso are 4,100 pesos for a dollar, to 18 decimals."""
    used(warehouse, paper(USE, rate=RATE.format("COP", "USD", "0.000243902439024390")))
    [(rate,)] = warehouse.query("SELECT exchange_rate FROM invoice_documents")
    assert rate == Decimal("0.000243902439024390")
    assert statuses(judged(warehouse, LINES, DOLLARS)) == ["matched"]


def test_without_a_rate_it_stays_a_mismatch(tmp_path: Path) -> None:
    """Named, questioned in whole, and claimed of nobody."""
    result = settled(tmp_path, paper(USE))
    [row] = result.rows
    assert row.reconciliation_status == "currency_mismatch"
    assert row.explanation.endswith(
        "billed in COP, and priced in USD: the document states no rate, and exchange_rates.csv "
        "has none of USD in COP on 2026-10-31 or on 2026-11-03."
    )
    own = result["F-1"].document
    assert (own.settlement, own.claimed_amount) == ("question", 0)


def test_a_fee_in_dollars(tmp_path: Path) -> None:
    """50 a month are 205,000 pesos at 4,100: 225,000 are 20,000 too much, and without a rate
    nobody knows."""
    text = paper(USE, ("1", "225000.00", "Soporte"), rate=AT_4100)
    parts = settled(tmp_path, text, card=FEE)["F-1"].components
    assert [(part.questioned_amount, part.claimed_amount) for part in parts] == [
        (0, 0), (20_000, 20_000),
    ]  # fmt: skip
    assert parts[1].reason == (
        "the contract has 205,000.00 COP for it, priced in USD: 1 USD is 4,100 COP."
    )


def test_a_fee_without_a_rate_is_claimed_of_nobody(tmp_path: Path) -> None:
    """It says which rate is missing; and by a guessed one it is questioned only."""
    text = paper(USE, ("1", "225000.00", "Soporte"))
    fee = settled(tmp_path, text, card=FEE)["F-1"].components[1]
    assert (fee.questioned_amount, fee.claimed_amount) == (225_000, 0)
    assert fee.reason == (
        "the contract has it in USD, and no rate of USD in COP on 2026-10-31, 2026-11-03 is known."
    )
    fee = settled(tmp_path, text, card=FEE, exchange_rates=FILE)["F-1"].components[1]
    assert (fee.questioned_amount, fee.claimed_amount) == (20_000, 0)


def test_every_surface_has_the_exchange_effect(project: Project) -> None:
    """The JSON, the sentence on the terminal, and the way from contracted to billed cost."""
    text = paper(USE, rate=AT_4100)
    used(project, text)
    write_maps(LINES, DOLLARS)
    Path("exchange_rates.csv").write_text(FILE)
    words = ["reconcile", "--month", "2026-10"]
    env = {"RECONCILIATION__EXCHANGE_RATE": "period_end", "COLUMNS": "120"}
    printed = json.loads(CliRunner().invoke(main, [*words, "--json"], env=env).stdout)
    [row] = printed["rows"]
    assert (row["exchange_effect"], row["reconciliation_status"]) == (
        "31000.00", "exchange_difference",
    )  # fmt: skip
    shown = " ".join(CliRunner().invoke(main, words, env=env).output.split())
    assert "by exchange rate +31,000.00" in shown
    rows = settled(project.folder, text, exchange_rates=FILE, exchange_rate="period_end").rows
    html = render_bridges(rows, "es")
    assert "efecto de cambio" in html and "+31.000,00" in html


def test_a_line_in_another_currency_than_its_document(tmp_path: Path) -> None:
    """310 dollars in a document of 1,271,000 pesos at 4,100 are a part of what it asks for; of one
    that asks for 310 pesos they are questioned, with what it makes of a dollar."""
    own = line("12400", "310.00", description="Grabaciones", price=None, tax=None, currency="USD")
    whole = ubl(own, net="1271000.00", tax=None, periods=OCTOBER + AT_4100)
    result = settled(tmp_path, whole)
    [row] = result.rows
    assert (row.reconciliation_status, row.billing_currency) == ("matched", "USD")
    document = result["F-1"].document
    assert (document.settlement, document.agreed_amount) == ("pay", 1_271_000)
    other = ubl(own, net="310.00", tax=None, periods=OCTOBER + AT_4100, number="F-2")
    [component] = settled(tmp_path, whole, other)["F-2"].components
    assert (component.component, component.amount) == ("line", 310)
    assert (component.questioned_amount, component.claimed_amount) == (310, 0)
    assert component.reconciliation_status == "currency_mismatch"
    assert "it makes 1 USD 1 COP of it" in component.reason


def test_a_rate_far_from_the_files_is_told(project: Project) -> None:
    """By the document it is matched; that it has 4,800 and the file 4,100 is a warning."""
    text = paper(("12400", "1488000.00", "Grabaciones"), rate=RATE.format("USD", "COP", "4800"))
    used(project, text)
    result = by_file(project)
    assert only(result).reconciliation_status == "matched"
    [told] = [warning for warning in result.warnings if "by it one" in warning]
    assert told == (
        "invoice F-1: by it one USD is 4,800 COP, and by exchange_rates.csv 4,100 on 2026-11-03"
    )


def test_the_evidence_has_the_file(project: Project) -> None:
    """As the finance people wrote it, and it is whole; without the file it is as before."""
    used(project, paper(USE, rate=AT_4100))
    write_maps(LINES, DOLLARS)
    Path("exchange_rates.csv").write_text(FILE)
    settings = {"destination": project.destination, "clock": lambda: project.vendor.now}
    file = write_evidence("with", "2026-10", **settings)
    assert members_of(file)["exchange_rates.csv"] == FILE.encode()
    assert verify(file) == []
    Path("exchange_rates.csv").unlink()
    file = write_evidence("without", "2026-10", **settings)
    assert "exchange_rates.csv" not in members_of(file) and verify(file) == []
