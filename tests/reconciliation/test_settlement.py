"""What to pay: each document in components that add up to what it asks for, and how it is settled.

October shows 1,000 audios, which cost 100 COP each. What is paid of papers is settled without a
warehouse; how it is kept and told, on a record.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builders.documents import element, line, period, ubl
from builders.months import (
    MAP,
    OCTOBER,
    READ,
    REPORT,
    bill,
    judged,
    local,
    read,
    write_maps,
)
from builders.project import Project
from builders.settled_papers import settle_papers
from builders.worlds import once
from wolkvox_billing.cli.main import main
from wolkvox_billing.evidence.report.sections import render_settlement
from wolkvox_billing.marts.settled import COMPONENT_COLUMNS, SETTLEMENT_COLUMNS
from wolkvox_billing.marts.sql import values_of
from wolkvox_billing.reconciliation.settlement import Settled
from wolkvox_billing.verbs.notebook import Source, read_month, read_overview

pytestmark = pytest.mark.usefixtures("kept_open")
WITH_FEE = f"{MAP},,*soporte*,,,,fee\n,,*bolsa*,,,,ignore\n,,*,{REPORT},,,quantity\n"


def money(**amounts: str) -> str:
    """Elements of a monetary total."""
    return "".join(element(f"cbc:{name}", text, currencyID="COP") for name, text in amounts.items())


def use(quantity: str = "1000", net: str = "100000.00", **parts: Any) -> str:
    return line(quantity, net, description="Grabaciones en S3", price=None,
                **{"tax": None, **parts})  # fmt: skip


def invoice(*lines: str, net: str, tax: str | None = None, **parts: Any) -> str:
    return ubl(*lines, net=net, tax=tax, **{"periods": OCTOBER, **parts})


def settled(folder: Path, *documents: str, **options: Any) -> list[Settled]:
    """What is to be paid of these documents, beside the use of October."""
    return settle_papers(folder, *documents, **options).settled


def settled_on_record(project: Project, *documents: str, **options: Any) -> list[Settled]:
    """The same of tables in which a record of October is, and documents that were read."""
    read(project, *READ)
    bill(project, *documents)
    return judged(project, **options).settled


def only(settled: list[Settled]) -> Settled:
    [document] = settled
    return document


def sums(document: Settled) -> tuple[str, int, int, int, int]:
    """Settlement, asked, agreed, questioned and claimed, in pesos."""
    row = document.document
    return (
        row.settlement,
        *map(int, (row.payable_amount, row.agreed_amount, row.questioned_amount,
                   row.claimed_amount)),
    )  # fmt: skip


def parts(document: Settled) -> list[tuple[str, int, int]]:
    """Of each component its name, amount and what is questioned of it."""
    return [
        (part.component, int(part.amount), int(part.questioned_amount))
        for part in document.components
    ]


def test_a_document_that_agrees_is_paid(tmp_path: Path) -> None:
    """Lines and tax add up to what is asked for, and nothing of it is questioned."""
    document = only(settled(tmp_path, invoice(use(), net="100000.00", tax="19000.00")))
    assert sums(document) == ("pay", 119_000, 119_000, 0, 0)
    assert parts(document) == [("line", 100_000, 0), ("tax", 19_000, 0)]
    assert document.document.explanation == (
        "invoice F-1 asks for 119,000.00 COP: all of it is agreed."
    )
    assert not document.document.is_material


def test_what_is_billed_too_much_is_claimed_with_its_tax(tmp_path: Path) -> None:
    """1,450 billed of 1,000: 45,000 are claimed, and 8,550 of tax on them."""
    document = only(settled(tmp_path, invoice(use("1450", "145000.00"), net="145000.00",
                                             tax="27550.00")))  # fmt: skip
    assert sums(document) == ("claim", 172_550, 119_000, 53_550, 53_550)
    assert parts(document) == [("line", 145_000, 45_000), ("tax", 27_550, 8550)]
    [own, tax] = document.components
    assert (own.reconciliation_status, own.operation_id) == ("overbilled_quantity", "acme")
    assert tax.reason == "19 % on 145,000.00 COP: 8,550.00 COP of it is on what is questioned."


def test_a_fee_that_no_contract_names_is_questioned(tmp_path: Path) -> None:
    """350,000 inside of 450,000, which no verdict looks at: told, an alarm, and no `pay`."""
    fee = line("1", "350000.00", description="Soporte mensual", number="2", tax=None, price=None)
    text = invoice(use(), fee, net="450000.00", tax="85500.00")
    document = only(settled(tmp_path, text, line_map=WITH_FEE))
    assert sums(document) == ("question", 535_500, 119_000, 416_500, 0)
    assert parts(document) == [
        ("line", 100_000, 0), ("line", 350_000, 350_000), ("tax", 85_500, 66_500),
    ]  # fmt: skip
    assert document.document.explanation == (
        "invoice F-1 asks for 535,500.00 COP: 119,000.00 agreed, 416,500.00 questioned, of which "
        "0.00 claimed; line 2, Soporte mensual, 350,000.00 (no contract names this fee); tax, "
        "66,500.00 (19 % on 450,000.00 COP: 66,500.00 COP of it is on what is questioned)."
    )
    assert document.document.is_material


def test_what_the_line_map_accepts_is_agreed(tmp_path: Path) -> None:
    """A line of role `accepted` is compared with nothing, and paid with its tax."""
    fee = line("1", "350000.00", description="Soporte mensual", number="2", tax=None, price=None)
    text = invoice(use(), fee, net="450000.00", tax="85500.00")
    accepted = WITH_FEE.replace(",fee", ",accepted")
    document = only(settled(tmp_path, text, line_map=accepted))
    assert sums(document) == ("pay", 535_500, 535_500, 0, 0)
    assert document.components[1].reason == "the line map accepts it."


def test_a_fee_beyond_the_contract_is_claimed(tmp_path: Path) -> None:
    """200,000 are agreed and 350,000 billed: 150,000 are claimed, with their tax."""
    fee = line("1", "350000.00", description="Soporte mensual", number="2", tax=None, price=None)
    card = (
        "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to,term,"
        f"pattern\n{REPORT},,,0,100,COP,2026-01-01,,,\n,,,,200000,COP,2026-01-01,,fee,*soporte*\n"
    )
    text = invoice(use(), fee, net="450000.00", tax="85500.00")
    document = only(settled(tmp_path, text, line_map=WITH_FEE, rate_card=card))
    assert sums(document) == ("claim", 535_500, 357_000, 178_500, 178_500)
    own = document.components[1]
    assert (own.reconciliation_status, own.questioned_amount) == ("price_difference", 150_000)
    assert own.reason == "the contract has 200,000.00 COP for it."
    assert own.is_material


FEE_CARD = (
    "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to,term,"
    f"pattern\n{REPORT},,,0,100,COP,2026-01-01,,,\n,,,,200000,COP,2026-01-01,,fee,*soporte*\n"
)


def fee_and_note(tmp_path: Path, text: str) -> list[Settled]:
    """A fee 150,000 beyond the contract, and a note with this text that gives so much back."""
    fee = line("1", "350000.00", description="Soporte mensual", number="2", tax=None, price=None)
    back = line("1", "150000.00", description=text, kind="CreditNote", tax=None, price=None)
    note = invoice(back, net="150000.00", kind="CreditNote", number="NC-1", corrects="F 001",
                   issued="2026-11-10")  # fmt: skip
    whole = invoice(use(), fee, net="450000.00")
    return settled(tmp_path, whole, note, line_map=WITH_FEE.replace(",,*,", ",,*grabaciones*,"),
                   rate_card=FEE_CARD)  # fmt: skip


def test_a_fee_that_a_note_gives_back_is_not_claimed(tmp_path: Path) -> None:
    """350,000 of 200,000 and a note over 150,000: both are agreed, and it is said why."""
    bill_of_fee, note = fee_and_note(tmp_path, "Soporte mensual")
    assert sums(bill_of_fee) == ("pay", 450_000, 450_000, 0, 0)
    assert sums(note) == ("pay", -150_000, -150_000, 0, 0)
    own = bill_of_fee.components[1]
    assert own.reconciliation_status == "matched"
    assert own.reason == (
        "the contract has 200,000.00 COP for it; 150,000.00 COP of what was too much is given back "
        "by a note."
    )


def test_nobody_is_blamed_for_a_fee_while_a_note_on_it_has_no_place(tmp_path: Path) -> None:
    """A note on the invoice whose text no row of the line map fits may give back that fee: it is
    questioned, and nothing is claimed."""
    bill_of_fee, note = fee_and_note(tmp_path, "Ajuste")
    assert sums(bill_of_fee) == ("question", 450_000, 300_000, 150_000, 0)
    assert sums(note) == ("question", -150_000, 0, -150_000, 0)


def test_a_fee_says_what_the_contract_has_for_it(tmp_path: Path) -> None:
    """Of a fee below the contract the contract's amount, not what is billed; of a second one of the
    month what the first one leaves."""
    fees = [
        line("1", net, description="Soporte", number=f"{n}", tax=None, price=None)
        for n, net in ((2, "150000.00"), (3, "90000.00"))
    ]
    text = invoice(use(), *fees, net="340000.00")
    document = only(settled(tmp_path, text, line_map=WITH_FEE, rate_card=FEE_CARD))
    assert [part.reason for part in document.components[1:]] == [
        "the contract has 200,000.00 COP for it.",
        "the contract has 200,000.00 COP for it, of which other lines leave 50,000.00 COP for this "
        "one.",
    ]
    assert sums(document) == ("claim", 340_000, 300_000, 40_000, 40_000)


def test_a_note_that_keeps_the_tax_is_questioned(tmp_path: Path) -> None:
    """45,000 of use are given back, and the 8,550 of tax on them are not: nobody is blamed, for the
    note may be one that bears no tax; with its tax all is agreed."""
    bill_of_use = invoice(use("1450", "145000.00"), net="145000.00", tax="27550.00")
    texts = [
        invoice(use("450", "45000.00", kind="CreditNote"), net="45000.00", tax=tax,
                kind="CreditNote", number="NC-1", corrects="F-1", issued="2026-11-10")
        for tax in (None, "8550.00")
    ]  # fmt: skip
    paid, without = settled(tmp_path, bill_of_use, texts[0])
    assert sums(paid) == ("pay", 172_550, 172_550, 0, 0)
    assert sums(without) == ("question", -45_000, -53_550, 8_550, 0)
    assert without.components[-1].reason == (
        "F-1 has 19 % of tax, and this note gives none back: 8,550.00 COP."
    )
    assert without.is_alarming
    both = settled(tmp_path, bill_of_use, texts[1])
    assert [sums(each)[0] for each in both] == ["pay", "pay"]


def test_what_is_said_beside_a_sentence_is_in_its_language(project: Project) -> None:
    """Statuses, components and titles of `reconcile` and `explain` in Spanish."""
    read(project, *READ)
    bill(project, invoice(use("1450", "145000.00"), net="145000.00", tax="27550.00"))
    write_maps()
    run = CliRunner(env={"RECONCILIATION__LANGUAGE": "es_CO"}).invoke
    told = run(main, ["reconcile", "--month", "2026-10"]).output
    assert "! reclamar: factura F-1 cobra 172.550,00 COP" in told
    assert "! cantidad facturada de más: acme" in told
    explained = run(main, ["explain", "2026-10"]).output
    assert (
        "\nfactura F-1\n  línea 1 'Grabaciones en S3': 145.000,00 COP, de acuerdo 100.000,00\n"
        "            cantidad facturada de más\n" in explained
    )
    assert "overbilled_quantity" not in explained


def test_small_questions_add_up_to_an_alarm(tmp_path: Path) -> None:
    """Two fees of 3,000 that no contract names, of which 5,000 are worth one; alone none is."""
    fees = [
        line("1", "3000.00", description=f"Soporte {n}", number=f"{n}", tax=None, price=None)
        for n in (2, 3)
    ]
    texts = [
        invoice(use(), *fees, net="106000.00"),
        invoice(fees[0], net="3000.00", number="F-2"),
    ]
    many, alone = settled(tmp_path, *texts, line_map=WITH_FEE)
    assert (sums(many)[3], many.is_alarming, many.document.is_material) == (6000, True, True)
    assert (sums(alone)[3], alone.is_alarming, alone.document.is_material) == (3000, False, False)


def test_nobody_is_blamed_for_a_fee_of_two_documents_with_one_number(tmp_path: Path) -> None:
    """200,000 and 210,000 by contract 200,000: which of them counts nobody knows, so that both are
    questioned, and nothing is claimed; nor is what the line map accepts paid twice."""
    card = (
        "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to,term,"
        f"pattern\n{REPORT},,,0,100,COP,2026-01-01,,,\n,,,,200000,COP,2026-01-01,,fee,*soporte*\n"
    )
    fees = [
        invoice(line("1", net, description="Soporte", tax=None, price=None), net=net)
        for net in ("200000.00", "210000.00")
    ]
    both = settled(tmp_path, *fees, line_map=WITH_FEE, rate_card=card)
    assert sorted(map(sums, both)) == [
        ("question", 200_000, 0, 200_000, 0), ("question", 210_000, 0, 210_000, 0),
    ]  # fmt: skip
    [own] = both[0].components
    assert own.reconciliation_status == "duplicate_document"
    assert own.reason == "another document has this number, and nobody knows which one counts."
    assert both[0].is_alarming
    accepted = settled(tmp_path, *fees, line_map=WITH_FEE.replace(",fee", ",accepted"))
    assert [sums(each)[0] for each in accepted] == ["question", "question"]


def test_tax_beyond_the_contracts_rate_is_claimed(tmp_path: Path) -> None:
    """19 % where the contract has 5: 14,000 of 19,000 are claimed."""
    card = (
        "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to,term\n"
        f"{REPORT},,,0,100,COP,2026-01-01,,\n,,,,5,COP,2026-01-01,,tax_percent\n"
    )
    text = invoice(use(), net="100000.00", tax="19000.00")
    document = only(settled(tmp_path, text, rate_card=card))
    assert sums(document) == ("claim", 119_000, 105_000, 14_000, 14_000)


def test_a_charge_beside_the_lines_is_what_is_questioned(tmp_path: Path) -> None:
    """124,000 put on as a whole are the difference of the verdict, and are counted once."""
    text = invoice(use(), net="100000.00", tax="19000.00", payable="243000.00",
                   more_total=money(ChargeTotalAmount="124000.00"))  # fmt: skip
    document = only(settled(tmp_path, text))
    assert sums(document) == ("claim", 243_000, 119_000, 124_000, 124_000)
    assert parts(document) == [
        ("line", 100_000, 0), ("charge", 124_000, 124_000), ("tax", 19_000, 0),
    ]  # fmt: skip
    assert document.components[1].reconciliation_status == "price_difference"


def test_an_allowance_that_brings_the_price_down_to_the_contract_is_agreed(
    tmp_path: Path,
) -> None:
    """125,000 less 25,000 as a whole are the 1,000 audios at 100."""
    text = invoice(use("1000", "125000.00"), net="125000.00", tax="19000.00", payable="119000.00",
                   more_total=money(AllowanceTotalAmount="25000.00"))  # fmt: skip
    document = only(settled(tmp_path, text))
    assert sums(document) == ("pay", 119_000, 119_000, 0, 0)
    assert parts(document) == [
        ("line", 125_000, 0), ("allowance", -25_000, 0), ("tax", 19_000, 0),
    ]  # fmt: skip


def test_a_rate_of_tax_that_the_country_has_not_is_questioned(tmp_path: Path) -> None:
    """25 % where Colombia's highest is 19: 6,000 of 25,000 are questioned."""
    document = only(settled(tmp_path, invoice(use(), net="100000.00", tax="25000.00")))
    assert sums(document) == ("question", 125_000, 119_000, 6000, 0)
    assert document.components[1].reason == (
        "25 % of tax, where 19 % is the most: 6,000.00 COP more."
    )
    assert document.document.is_material


def test_what_is_asked_for_beyond_the_parts_is_unexplained(tmp_path: Path) -> None:
    """200,000 more than net and tax: a component of its own, and an alarm."""
    document = only(settled(tmp_path, invoice(use(), net="100000.00", tax="19000.00",
                                             payable="319000.00")))  # fmt: skip
    assert sums(document) == ("question", 319_000, 119_000, 200_000, 0)
    assert parts(document)[2:] == [("unexplained", 200_000, 200_000)]
    assert document.components[2].reason == (
        "the document asks for 319,000.00 COP, and its parts come to 119,000.00 COP."
    )
    assert document.document.is_material


def test_tax_is_one_component_a_rate(tmp_path: Path) -> None:
    """19 % on one line and 5 % on the other, which is questioned with its tax."""
    fee = line("1", "40000.00", description="Soporte", number="2", tax="2000.00", price=None)
    text = invoice(use(tax="19000.00"), fee, net="140000.00", tax="21000.00")
    document = only(settled(tmp_path, text, line_map=WITH_FEE))
    assert sums(document) == ("question", 161_000, 119_000, 42_000, 0)
    assert parts(document)[2:] == [("tax", 19_000, 0), ("tax", 2000, 2000)]


def test_withheld_rounded_and_prepaid_are_components(tmp_path: Path) -> None:
    """What was withheld is one where what is asked for is less by it."""
    more = money(PayableRoundingAmount="0.50", PrepaidAmount="30000.00")
    withheld = f"<cac:WithholdingTaxTotal>{money(TaxAmount='2500.00')}</cac:WithholdingTaxTotal>"
    text = invoice(use(), net="100000.00", tax="19000.00", payable="86500.50", more_total=more,
                   periods=OCTOBER + withheld)  # fmt: skip
    document = only(settled(tmp_path, text))
    assert sums(document)[:2] == ("pay", 86_500)
    assert [(part.component, part.amount) for part in document.components[2:]] == [
        ("withholding", -2500), ("rounding", Decimal("0.50")), ("prepaid", -30_000),
    ]  # fmt: skip


def test_a_credit_note_takes_off_what_was_billed_too_much(tmp_path: Path) -> None:
    """1,450 billed and 450 given back: both agree, and the note's components are negative."""
    note = ubl(use("450", "45000.00", kind="CreditNote"), kind="CreditNote", number="NC-1",
               corrects="F-1", net="45000.00", tax="8550.00", periods=OCTOBER)  # fmt: skip
    own = invoice(use("1450", "145000.00"), net="145000.00", tax="27550.00")
    documents = settled(tmp_path, own, note)
    assert [sums(document) for document in documents] == [
        ("pay", 172_550, 172_550, 0, 0), ("pay", -53_550, -53_550, 0, 0),
    ]  # fmt: skip
    assert parts(documents[1]) == [("line", -45_000, 0), ("tax", -8550, 0)]


@pytest.mark.parametrize(
    ("back", "net", "tax", "claimed"),
    [("450", "45000.00", "8550.00", 0), ("200", "20000.00", "3800.00", 29_750)],
)
def test_what_a_note_of_another_month_gives_back_is_not_claimed(
    tmp_path: Path, back: str, net: str, tax: str, claimed: int
) -> None:
    """450 billed too much in October, and a note on that invoice which says that it is September's:
    what it gives back stays questioned, and is not asked for twice."""
    note = ubl(use(back, net, kind="CreditNote"), kind="CreditNote", number="NC-1", corrects="F-1",
               net=net, tax=tax, periods=period("2026-09-01", "2026-09-30"))  # fmt: skip
    own = invoice(use("1450", "145000.00"), net="145000.00", tax="27550.00")
    document = settle_papers(tmp_path, own, note)["F-1"]
    settlement = "claim" if claimed else "question"
    assert sums(document) == (settlement, 172_550, 119_000, 53_550, claimed)
    assert "is given back by credit note NC-1, which is of another time." in (
        document.components[0].reason
    )


def test_a_document_of_an_open_period_waits(project: Project) -> None:
    """Nothing is agreed before the month is over."""
    text = invoice(use(), net="100000.00", tax="19000.00")
    document = only(settled_on_record(project, text, at=local(31, 23, 55)))
    assert sums(document) == ("wait", 119_000, 0, 119_000, 0)
    assert not document.document.is_material


def test_what_nobody_has_mapped_is_questioned(tmp_path: Path) -> None:
    """A line that no row fits is no claim."""
    text = invoice(use(), net="100000.00", tax="19000.00")
    document = only(settled(tmp_path, text, line_map=MAP))
    assert sums(document) == ("question", 119_000, 0, 119_000, 0)
    assert document.components[0].role is None


def test_what_is_billed_short_is_questioned_and_not_claimed(tmp_path: Path) -> None:
    """800 of 1,000: the contract supports 20,000 more than is asked for."""
    document = only(settled(tmp_path, invoice(use("800", "80000.00"), net="80000.00")))
    assert sums(document) == ("question", 80_000, 100_000, -20_000, 0)


def test_the_sentence_is_in_the_language_of_the_settings(tmp_path: Path) -> None:
    """In Spanish as a Colombian reads it."""
    document = only(settled(tmp_path, invoice(use(), net="100000.00", tax="25000.00"),
                            language="es_CO"))  # fmt: skip
    assert document.document.explanation == (
        "factura F-1 cobra 125.000,00 COP: 119.000,00 de acuerdo, 6.000,00 en cuestión, de ello "
        "0,00 reclamado; impuesto, 6.000,00 (25 % de impuesto, donde 19 % es lo máximo: "
        "6.000,00 COP de más)."
    )


def dollars(net: str) -> str:
    own = line("1000", net, description="Grabaciones en S3", price=None, tax=None, currency="USD")
    return invoice(own, net=net, number="F-2", currency="USD")


def with_fee(project: Project) -> None:
    """A fee that no contract names in pesos, and an invoice in dollars, beside the record."""
    once(project, _with_fee)


def _with_fee(project: Project) -> None:
    fee = line("1", "350000.00", description="Soporte mensual", number="2", tax=None, price=None)
    read(project, *READ)
    bill(project, invoice(use(), fee, net="450000.00", tax="85500.00"), dollars("40.00"))
    judged(project, WITH_FEE)


def test_the_command_leads_with_what_to_pay(project: Project) -> None:
    """Asked, agreed, questioned and claimed by document, and in sum by currency, before verdicts;
    what no verdict tells of is an alarm, as it is for Airflow."""
    with_fee(project)
    run = CliRunner().invoke
    done = run(main, ["reconcile", "--month", "2026-10", "--fail-on-material"])
    assert done.exit_code == 1
    amounts = ["535,500.00", "119,000.00", "416,500.00", "0.00"]
    cells = [text.split("\t") for text in done.output.splitlines() if "\t" in text]
    assert cells[:4] == [
        ["invoice F-1", "COP", *amounts, "question", "2026-11-06"],
        ["invoice F-2", "USD", "40.00", "0.00", "40.00", "0.00", "question", "2026-11-06"],
        ["all: 1", "COP", *amounts, "", ""],
        ["all: 1", "USD", "40.00", "0.00", "40.00", "0.00", "", ""],
    ]
    assert "! question: invoice F-1 asks for 535,500.00 COP: " in done.output
    printed = json.loads(run(main, ["reconcile", "--month", "2026-10", "--json"]).stdout)
    assert [float(row["questioned_amount"]) for row in printed["settlement"]] == [416_500, 40]
    assert [row["billing_currency"] for row in printed["settlement_totals"]] == ["COP", "USD"]
    assert [row["component"] for row in printed["components"]] == ["line", "line", "tax", "line"]
    alarm = printed["settlement"][0]["explanation"]
    assert f"2026-10: question: {alarm}" in printed["failures"]


def test_every_surface_leads_with_what_to_pay(project: Project) -> None:
    """`explain`, `close`, the report and the notebook's month have it too; a fee needs a reason to
    be closed over."""
    with_fee(project)
    run = CliRunner().invoke
    sentence = "invoice F-1 asks for 535,500.00 COP"
    explained = run(main, ["explain", "2026-10"]).output
    assert sentence in explained
    assert "  line 2 'Soporte mensual': 350,000.00 COP, agreed 0.00" in explained
    printed = json.loads(run(main, ["explain", "2026-10", "--json"]).stdout)
    assert [len(row["components"]) for row in printed["settlement"]] == [3, 1]
    refused = run(main, ["close", "2026-10", "--by", "ana"]).output
    assert sentence in refused
    closed = run(main, ["close", "2026-10", "--by", "ana", "--reason", "paid"]).output
    assert sentence in closed
    source = Source(destination=project.destination)
    overview = read_overview(source)
    month = read_month(source, overview, "2026-10")
    documents = [each.document for each in month.settled]
    assert [row.questioned_amount for row in documents] == [416_500, 40]
    by_operation = [read_month(source, overview, "2026-10", name) for name in ("acme", "beta")]
    assert [len(each.settled) for each in by_operation] == [2, 0]
    html = render_settlement(documents, "es_CO")
    assert "535.500,00 COP" in html and "preguntar" in html


def test_the_marts_have_the_rows_that_the_verb_gives(warehouse: Project) -> None:
    """invoice_components and invoice_settlement, with the contract's columns, on both engines: what
    is settled of a record is what is settled of the papers."""
    text = invoice(use("1450", "145000.00"), net="145000.00", tax="27550.00")
    document = only(settled_on_record(warehouse, text))
    assert sums(document) == ("claim", 172_550, 119_000, 53_550, 53_550)
    assert parts(document) == [("line", 145_000, 45_000), ("tax", 27_550, 8550)]
    for mart, columns, rows in (
        ("invoice_components", COMPONENT_COLUMNS, [*map(tuple, document.components)]),
        ("invoice_settlement", SETTLEMENT_COLUMNS, [values_of(document.document)]),
    ):
        query = f"SELECT {', '.join(columns)} FROM wolkvox_billing_marts.{mart} ORDER BY 2"
        assert warehouse.query(query) == rows
