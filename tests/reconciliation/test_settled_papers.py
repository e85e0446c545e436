"""What to pay of papers as a Colombian controller meets them: each ties out, and each amount that
is questioned or claimed can be defended to both sides.

A record of October shows 1,000 audios at 100 COP each, where nothing else is said.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from builders.documents import element, line, period, ubl
from builders.facts import use
from builders.months import CARD, MAP, OCTOBER, OCTOBER_PERIOD, REPORT
from builders.settled_papers import Paid, Used, settle_papers
from wolkvox_billing.reconciliation.settlement import Settled

pytestmark = pytest.mark.usefixtures("kept_open")
EVERYTHING = f"{MAP},,*,{REPORT},,,quantity\n"
WITH_FEE = f"{MAP},,*soporte*,,,,fee\n,,*iva*,,,,tax\n,,*acepta*,,,,accepted\n" + (
    EVERYTHING.removeprefix(MAP)
)
TERMS = (
    "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to,term,every,"
    f"pattern\n{REPORT},,,0,100,COP,2026-01-01,,,,\n"
)
FEE = ",,,,200000,COP,2026-01-01,,fee,month,*soporte*\n"


def tax_row(percent: str, start: str = "2026-01-01", end: str = "", report: str = "") -> str:
    return f"{report},,,,{percent},COP,{start},{end},tax_percent,,\n"


TAX_19 = tax_row("19")


def billed(
    quantity: str = "1000", net: str = "100000.00", text: str = "Grabaciones en S3", **parts: Any
) -> str:
    return line(quantity, net, description=text, **{"price": None, "tax": None, "code": None,
                                                    **parts})  # fmt: skip


def paper(*lines: str, net: str, tax: str | None = None, **parts: Any) -> str:
    return ubl(*lines, net=net, tax=tax, **{"periods": OCTOBER, **parts})


def note(kind: str, own: str, net: str, tax: str | None = None, **parts: Any) -> str:
    """A note on F-1."""
    number = "NC-1" if kind == "CreditNote" else "ND-1"
    return paper(own, net=net, tax=tax, **{"kind": kind, "number": number, "corrects": "F-1",
                                           "issued": "2026-11-10", **parts})  # fmt: skip


BOTH = Used((use(OCTOBER_PERIOD, 600), use(OCTOBER_PERIOD, 400, operation_id="beta")))
MAP_OF_BOTH = f"{MAP},,*soporte*,,,,fee\n,,*acme*,{REPORT},acme,,quantity\n" + (
    f",,*beta*,{REPORT},beta,,quantity\n"
)
USE = billed()
INVOICE = paper(USE, net="100000.00", tax="19000.00")


def sums(settled: Settled) -> tuple[str, int, int, int, int]:
    """Settlement, asked, agreed, questioned and claimed, in pesos."""
    row = settled.document
    amounts = row.payable_amount, row.agreed_amount, row.questioned_amount, row.claimed_amount
    return (row.settlement, *map(int, amounts))


def reasons(settled: Settled, component: str) -> list[str]:
    return [part.reason for part in settled.components if part.component == component]


def questions(settled: Settled) -> list[tuple[str, int, int]]:
    """Of each component its name, and what is questioned and claimed of it."""
    return [
        (part.component, int(part.questioned_amount), int(part.claimed_amount))
        for part in settled.components
    ]


def paid(folder: Path, *papers: str, **how: Any) -> Paid:
    return settle_papers(folder, *papers, **how)


def only(folder: Path, *papers: str, **how: Any) -> Settled:
    [settled] = settle_papers(folder, *papers, **how).settled
    return settled


# The rate of a note.


def test_a_credit_note_at_another_rate_of_tax_gives_back_too_little(tmp_path: Path) -> None:
    """450 given back at 5 % where the invoice has 19: 2,250 of 8,550, and 6,300 are asked after."""
    own = billed("450", "45000.00", kind="CreditNote")
    invoice = paper(billed("1450", "145000.00"), net="145000.00", tax="27550.00")
    settled = paid(tmp_path, invoice, note("CreditNote", own, "45000.00", "2250.00"))
    assert sums(settled["F-1"]) == ("pay", 172_550, 172_550, 0, 0)
    assert sums(settled["NC-1"]) == ("question", -47_250, -53_550, 6300, 0)
    assert reasons(settled["NC-1"], "tax") == [
        "5 % on -45,000.00 COP.",
        "5 % of tax, where F-1 has 19 %: 6,300.00 COP less.",
    ]


@pytest.mark.parametrize(
    ("rate_card", "tax", "questioned", "claimed"),
    [
        (TERMS, "2500.00", -7000, 0),
        (TERMS + TAX_19, "2500.00", -7000, 0),
        (TERMS, None, -9500, 0),
        (TERMS, "9500.00", 0, 0),
        (TERMS + tax_row("5"), "9500.00", 7000, 7000),
    ],
)
def test_a_debit_note_at_another_rate_of_tax(
    tmp_path: Path, rate_card: str, tax: str | None, questioned: int, claimed: int
) -> None:
    """50,000 at 5 % or none where the invoice, or the contract, has 19; more than the contract has
    is claimed."""
    own = billed("500", "50000.00", kind="DebitNote")
    invoice = paper(billed("500", "50000.00"), net="50000.00", tax="9500.00")
    settled = paid(tmp_path, invoice, note("DebitNote", own, "50000.00", tax), rate_card=rate_card)
    assert sums(settled["ND-1"])[3:] == (questioned, claimed)


def test_a_note_has_the_rate_of_what_it_is_on(tmp_path: Path) -> None:
    """Of an invoice with 19 % on support and none on use: a note on use without tax is agreed, and
    one with 19 % on it gives back what was never billed."""
    fee = billed("1", "200000.00", "Soporte", number="2", tax="38000.00")
    invoice = paper(billed("1450", "145000.00"), fee, net="345000.00", tax="38000.00")
    own = billed("450", "45000.00", kind="CreditNote")
    for tax, questioned in ((None, 0), ("8550.00", -8550)):
        settled = paid(tmp_path, invoice, note("CreditNote", own, "45000.00", tax),
                       line_map=WITH_FEE, rate_card=TERMS + FEE)  # fmt: skip
        assert sums(settled["F-1"])[0] == "pay"
        assert sums(settled["NC-1"])[3:] == (questioned, 0)


# Tax by the contract.


@pytest.mark.parametrize(("tax", "missing"), [("5000.00", -14_000), ("0.00", -19_000),
                                              (None, -19_000), ("18999.00", 0)])  # fmt: skip
def test_less_tax_than_the_contract_has_is_told(
    tmp_path: Path, tax: str | None, missing: int
) -> None:
    """5 % or none where the contract has 19: nobody is blamed, and it is no `pay`; a peso less is a
    rounding."""
    text = paper(USE, net="100000.00", tax=tax)
    settled = only(tmp_path, text, rate_card=TERMS + TAX_19)
    assert sums(settled)[3:] == (missing, 0)
    assert sums(settled)[0] == ("question" if missing else "pay")
    if missing:
        rate = 5 if tax == "5000.00" else 0
        told = f"{rate} % of tax, where the contract has 19 %: {-missing:,}.00 COP less."
        assert reasons(settled, "tax")[-1] == told
        assert settled.is_alarming


def test_why_a_document_is_exempt_is_told(tmp_path: Path) -> None:
    """The reason that the document states stands with what is missing by the contract."""
    exempt = "".join(
        f"<cac:{name}>" for name in ("TaxTotal", "TaxSubtotal", "TaxCategory")
    ) + element("cbc:TaxExemptionReasonCode", "VATEX-CO-480")
    exempt += "</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>"
    text = paper(billed(more=exempt), net="100000.00")
    [told] = reasons(only(tmp_path, text, rate_card=TERMS + TAX_19), "tax")
    assert told == (
        "0 % of tax, where the contract has 19 %: 19,000.00 COP less; "
        "it says that it is exempt: 'VATEX-CO-480'."
    )


def test_what_is_too_much_is_claimed_less_the_tax_that_is_too_little(tmp_path: Path) -> None:
    """450 too many at 5 % where the contract has 19: 45,000 and their 2,250 are questioned, and
    14 % of the other 100,000 are missing: to claim all of the first is to pay less than is due."""
    text = paper(billed("1450", "145000.00"), net="145000.00", tax="7250.00")
    settled = only(tmp_path, text, rate_card=TERMS + TAX_19)
    assert questions(settled) == [
        ("line", 45_000, 31_000),
        ("tax", 2250, 2250),
        ("tax", -14_000, 0),
    ]
    assert sums(settled) == ("claim", 152_250, 119_000, 33_250, 33_250)
    assert settled.components[0].reason.endswith(
        " 14,000.00 COP of it is not claimed: so much too little is asked for in other parts of "
        "the document."
    )


def test_what_the_document_does_not_ask_for_is_not_claimed(tmp_path: Path) -> None:
    """450 too many, 53,550 with tax; and the document asks for 22,550 less than its parts."""
    text = paper(billed("1450", "145000.00"), net="145000.00", tax="27550.00", payable="150000.00")
    settled = only(tmp_path, text)
    assert questions(settled) == [
        ("line", 45_000, 22_450),
        ("tax", 8550, 8550),
        ("unexplained", -22_550, 0),
    ]
    assert sums(settled) == ("claim", 150_000, 119_000, 31_000, 31_000)


@pytest.mark.parametrize(
    ("acme", "beta", "expected"),
    [
        # 200 too many and 50 too few, then 100 and 600: 19 % of tax is on either.
        (800, 850 - 500, ("claim", 136_850, 119_000, 17_850, 17_850)),
        (700, 300 - 200, ("question", 95_200, 119_000, -23_800, 0)),
    ],
)
def test_what_is_short_in_one_line_is_set_off_against_another(
    tmp_path: Path, acme: int, beta: int, expected: tuple[str, int, int, int, int]
) -> None:
    """Of one operation too many and of the other too few were billed, 600 and 400 used."""
    lines = [
        billed(str(quantity), f"{quantity * 100}.00", f"Grabaciones {name}", number=str(n))
        for n, (name, quantity) in enumerate((("acme", acme), ("beta", beta)), 1)
    ]
    net = (acme + beta) * 100
    text = paper(*lines, net=f"{net}.00", tax=f"{net * 19 // 100}.00")
    settled = only(tmp_path, text, used=BOTH, line_map=MAP_OF_BOTH)
    assert sums(settled) == expected


@pytest.mark.parametrize("quantity", [800, 1450])
def test_a_verdict_claims_what_is_left_of_it(tmp_path: Path, quantity: int) -> None:
    """A fee of 50,000 too much, and use that is 20,000 short or 45,000 too much: what is set off is
    taken from the line that claims."""
    fee = billed("1", "250000.00", "Soporte", number="2")
    net = f"{quantity * 100 + 250_000}.00"
    text = paper(billed(str(quantity), f"{quantity * 100}.00"), fee, net=net)
    settled = only(tmp_path, text, line_map=WITH_FEE, rate_card=TERMS + FEE)
    own = {800: [-20_000, 50_000, 0, 30_000], 1450: [45_000, 50_000, 45_000, 50_000]}[quantity]
    assert [part.questioned_amount for part in settled.components] == own[:2]
    assert [part.claimed_amount for part in settled.components] == own[2:]


def test_a_list_may_leave_tax_out(tmp_path: Path) -> None:
    """A spreadsheet without a column of tax: what the contract has is told, and not questioned; one
    that states 5 % is questioned."""
    head = "Tipo;Nº Factura;Fecha;NIT;Concepto;Cantidad;Vr. Unitario;Subtotal;Moneda"
    row = "Factura;F-1;2026-11-03;900123456;Grabaciones octubre 2026;1000;100;100000;COP"
    settled = only(tmp_path, f"{head}\n{row}\n", rate_card=TERMS + TAX_19)
    assert sums(settled) == ("pay", 100_000, 100_000, 0, 0)
    assert reasons(settled, "tax") == [
        "it states no tax, and the contract has 19 %: 19,000.00 COP."
    ]
    settled = only(tmp_path, f"{head};IVA\n{row};5000\n", rate_card=TERMS + TAX_19)
    assert sums(settled) == ("question", 105_000, 119_000, -14_000, 0)


TWO_RATES = tax_row("5", end="2026-10-16") + tax_row("19", "2026-10-16")


def halves(second: str, tax: str) -> str:
    """October in two lines, issued before the rate changes."""
    spans = (("2026-10-01", "2026-10-15", "50000.00"), ("2026-10-16", "2026-10-31", second))
    lines = [
        billed("500", net, number=str(n), more=period(start, end))
        for n, (start, end, net) in enumerate(spans, 1)
    ]
    net = f"{50_000 + float(second):.2f}"
    return paper(*lines, net=net, tax=tax, issued="2026-10-14")


@pytest.mark.parametrize(
    ("second", "tax", "expected"),
    [
        # 5 % of 50,000 and 19 % of as much are 12,000.
        ("50000.00", "12000.00", ("pay", 112_000, 112_000, 0, 0)),
        ("50000.00", "19000.00", ("claim", 119_000, 112_000, 7000, 7000)),
        # 30,000 too many in the second half, with their 5,700; 7,000 of the first half's tax.
        ("80000.00", "24700.00", ("claim", 154_700, 112_000, 42_700, 42_700)),
        ("80000.00", "17700.00", ("claim", 147_700, 112_000, 35_700, 35_700)),
    ],
)
def test_a_rate_of_tax_that_changes_within_the_month_is_claimed_once(
    tmp_path: Path, second: str, tax: str, expected: tuple[str, int, int, int, int]
) -> None:
    """5 % until the 15th and 19 % from the 16th on: each half has its own, whichever is wrong."""
    days = {date(2026, 10, day): {5: 500, 20: 500}.get(day, 0) for day in range(1, 32)}
    used = Used.of_days(days)
    settled = only(tmp_path, halves(second, tax), rate_card=TERMS + TWO_RATES, used=used)
    assert sums(settled) == expected


@pytest.mark.parametrize("tax", ["5000.00", "19000.00", "12258.06"])
def test_one_line_over_both_rates_may_have_either(tmp_path: Path, tax: str) -> None:
    """Nothing says by which day the contract means it: 5 %, 19 %, or by days."""
    text = paper(USE, net="100000.00", tax=tax)
    assert sums(only(tmp_path, text, rate_card=TERMS + TWO_RATES))[0] == "pay"


@pytest.mark.parametrize("tax_of_fee", ["38000.00", None])
def test_tax_on_fees_only(tmp_path: Path, tax_of_fee: str | None) -> None:
    """By the contract use bears none: whether the line states it or the document does; 19 % on all
    of it is too much on the use alone."""
    rate_card = TERMS + FEE + TAX_19 + tax_row("0", report=REPORT)
    fee = billed("1", "200000.00", "Soporte", number="2", tax=tax_of_fee)
    text = paper(USE, fee, net="300000.00", tax="38000.00")
    how: dict[str, str] = {"line_map": WITH_FEE, "rate_card": rate_card}
    assert sums(only(tmp_path, text, **how)) == ("pay", 338_000, 338_000, 0, 0)
    fee = billed("1", "200000.00", "Soporte", number="2")
    text = paper(USE, fee, net="300000.00", tax="57000.00")
    assert sums(only(tmp_path, text, **how)) == ("claim", 357_000, 338_000, 19_000, 19_000)


def test_tax_that_a_line_bills_is_not_due_again(tmp_path: Path) -> None:
    """19,000 as a line, and as the document's tax: one of them is too much; two lines of tax are
    each on their own line, and what is beyond 5 % is claimed of each once."""
    tax = billed("1", "19000.00", "IVA", number="3")
    twice = paper(USE, tax, net="119000.00", tax="19000.00")
    assert sums(only(tmp_path, twice, line_map=WITH_FEE))[1:] == (138_000, 119_000, 19_000, 0)
    fee = billed("1", "200000.00", "Soporte", number="2")
    two = paper(USE, fee, tax, billed("1", "38000.00", "Más IVA", number="4"), net="357000.00")
    how: dict[str, str] = {"line_map": WITH_FEE, "rate_card": TERMS + FEE + TAX_19}
    assert sums(only(tmp_path, two, **how)) == ("pay", 357_000, 357_000, 0, 0)
    how["rate_card"] = TERMS + FEE + tax_row("5")
    assert sums(only(tmp_path, two, **how)) == ("claim", 357_000, 315_000, 42_000, 42_000)


def test_tax_on_the_profit_of_an_aiu_alone(tmp_path: Path) -> None:
    """Administration, contingencies and profit as lines that are accepted, 19 % on the profit: what
    is accepted is with whatever tax it bears."""
    aiu = [
        billed("1", net, f"Acepta {name}", number=str(n))
        for n, (name, net) in enumerate(
            (("administración", "10000.00"), ("imprevistos", "5000.00"), ("utilidad", "5000.00")), 2
        )
    ]
    text = paper(USE, *aiu, net="120000.00", tax="950.00")
    rate_card = TERMS + TAX_19 + tax_row("0", report=REPORT)
    settled = only(tmp_path, text, line_map=WITH_FEE, rate_card=rate_card)
    assert sums(settled) == ("pay", 120_950, 120_950, 0, 0)


# What is a document's own.


@pytest.mark.parametrize("text", ["Intereses de mora", "Recargo por pago tardío", "Late fee"])
def test_interest_is_no_use_though_a_row_takes_all_lines(tmp_path: Path, text: str) -> None:
    """25,000 of interest in a debit note under `*`: the invoice is right, and paid; the note is a
    fee that no contract names. Within the invoice it is the same."""
    own = billed("1", "25000.00", text, kind="DebitNote")
    settled = paid(tmp_path, INVOICE, note("DebitNote", own, "25000.00"), line_map=EVERYTHING)
    assert sums(settled["F-1"]) == ("pay", 119_000, 119_000, 0, 0)
    assert sums(settled["ND-1"]) == ("question", 25_000, 0, 25_000, 0)
    inside = paper(USE, billed("1", "25000.00", text, number="2"), net="125000.00", tax="19000.00")
    settled_inside = only(tmp_path, inside, line_map=EVERYTHING)
    assert sums(settled_inside) == ("question", 144_000, 119_000, 25_000, 0)


@pytest.mark.parametrize(
    "text",
    ["Consumo tardío septiembre", "Grabaciones campaña cobranzas", "Llamadas de reconexión",
     "Minutos, cartera financiera", "Recordings of the reconnection campaign"],
)  # fmt: skip
def test_use_may_be_late_or_of_a_campaign_that_collects_debts(tmp_path: Path, text: str) -> None:
    """Its words are those of interest and fines too: what names use is use, under `*`."""
    own = paper(billed(text=text), net="100000.00", tax="19000.00")
    assert sums(only(tmp_path, own, line_map=EVERYTHING)) == ("pay", 119_000, 119_000, 0, 0)


@pytest.mark.parametrize(
    "text",
    ["Pago tardío del consumo de octubre", "Gastos de cobranza", "Gasto de cobranza, llamadas",
     "Reconexión", "Intereses, consumo tardío"],
)  # fmt: skip
def test_a_late_payment_of_use_is_no_use(tmp_path: Path, text: str) -> None:
    """It is a fee that no contract names, whatever use it is the payment of."""
    inside = paper(USE, billed("1", "25000.00", text, number="2"), net="125000.00", tax="19000.00")
    settled = only(tmp_path, inside, line_map=EVERYTHING)
    assert sums(settled) == ("question", 144_000, 119_000, 25_000, 0)


@pytest.mark.parametrize(
    ("net", "listed", "counting"),
    [
        ("100000.40", "100000", 1),
        ("100000.60", "100000", 1),
        ("100000.60", "100001", 1),
        ("100000.4567", "100000,46", 1),
        ("100000.40", "100002", 2),
        ("100000.00", "100000,40", 2),
        ("100000.40", "99999,90", 2),
    ],
)
def test_a_list_without_cents_is_a_copy_of_the_invoice(
    tmp_path: Path, net: str, listed: str, counting: int
) -> None:
    """Rounded or cut to the peso, or to the cent; another peso, or cents that the invoice has not,
    is another content."""
    head = "Tipo;Nº Factura;Fecha;NIT;Concepto;Cantidad;Vr. Unitario;Subtotal;Moneda"
    row = f"Factura;F-1;2026-11-03;900123456;Grabaciones octubre 2026;1000;100;{listed};COP"
    settled = paid(tmp_path, paper(billed("1000", net), net=net), f"{head}\n{row}\n").settled
    assert len(settled) == counting
    assert {each.document.settlement for each in settled} == ({"pay"} if counting == 1 else
                                                              {"question"})  # fmt: skip


def test_what_a_debit_note_bills_beyond_the_contract_stays_with_it(tmp_path: Path) -> None:
    """7,000 more by a note of any text: it is claimed of the note, and the invoice says where."""
    own = billed("1", "7000.00", "Ajuste de tarifa", kind="DebitNote")
    settled = paid(tmp_path, INVOICE, note("DebitNote", own, "7000.00", "1330.00"),
                   line_map=EVERYTHING)  # fmt: skip
    assert sums(settled["F-1"]) == ("pay", 119_000, 119_000, 0, 0)
    assert sums(settled["ND-1"]) == ("claim", 8330, 0, 8330, 8330)
    assert settled["F-1"].components[0].reason.endswith(" What is questioned of it is in ND-1.")


@pytest.mark.parametrize(
    ("first", "second", "claimed"),
    [
        # The same use twice: the second invoice is the one too many.
        ("100000.00", "100000.00", [0, 100_000]),
        # A part, and then all of it: the second one is what the contract has.
        ("60000.00", "100000.00", [60_000, 0]),
        # Neither is: the first one comes first.
        ("80000.00", "50000.00", [0, 30_000]),
        ("130000.00", "20000.00", [30_000, 20_000]),
        # Within a peso of the contract is the contract.
        ("100000.60", "20000.00", [0, 20_000]),
    ],
)
def test_of_two_invoices_one_is_right(
    tmp_path: Path, first: str, second: str, claimed: list[int]
) -> None:
    """What the contract has for the use is agreed of the one that bills it, else in their order."""
    papers = [
        paper(billed(str(int(float(net) / 100)), net), net=net, number=f"F-{n}",
              issued=f"2026-11-{n:02}")
        for n, net in enumerate((first, second), 1)
    ]  # fmt: skip
    settled = paid(tmp_path, *papers)
    assert [sums(settled[number])[4] for number in ("F-1", "F-2")] == claimed


def test_what_a_note_takes_back_is_taken_off_its_own_invoice(tmp_path: Path) -> None:
    """Two invoices of 1,000, and a note that gives the first one back: each is agreed."""
    second = paper(USE, net="100000.00", number="F-2", issued="2026-11-12")
    back = billed(kind="CreditNote")
    papers = INVOICE, note("CreditNote", back, "100000.00", "19000.00"), second
    assert {sums(each)[0] for each in paid(tmp_path, *papers).settled} == {"pay"}


def test_a_charge_and_an_allowance_that_cancel_out_are_told(tmp_path: Path) -> None:
    """20,000 put on and taken off: agreed, each with its own reason, and the settlement says so."""
    totals = {"AllowanceTotalAmount": "20000.00", "ChargeTotalAmount": "20000.00"}
    more = "".join(element(f"cbc:{n}", text, currencyID="COP") for n, text in totals.items())
    settled = only(tmp_path, paper(USE, net="100000.00", tax="19000.00", more_total=more))
    assert sums(settled) == ("pay", 119_000, 119_000, 0, 0)
    shared = "it is shared out over the lines, which agree with it."
    assert reasons(settled, "charge") == [
        f"the document puts 20,000.00 COP on as a whole: {shared}"
    ]
    assert reasons(settled, "allowance") == [
        f"the document takes 20,000.00 COP off as a whole: {shared}"
    ]
    assert settled.document.explanation == (
        "invoice F-1 asks for 119,000.00 COP: all of it is agreed; charge of the document, "
        "20,000.00."
    )


TWO_PRODUCTS = (
    f"{CARD.rstrip()},term\n{REPORT},,AUDIOS,0,100,COP,2026-01-01,,\n"
    f"{REPORT},,VIDEOS,0,200,COP,2026-01-01,,\n{REPORT},,VIDEOS,,10,COP,2026-01-01,,"
    "discount_percent\n"
)


@pytest.mark.parametrize(
    ("allowance", "settlement", "claimed"),
    [("10000.00", "pay", 0), ("4000.00", "claim", 6000)],
)
def test_an_allowance_that_is_a_discount_on_one_product(
    tmp_path: Path, allowance: str, settlement: str, claimed: int
) -> None:
    """10 % off videos alone, 10,000 of 100,000, taken off beside the lines: nothing is missing in
    either product; 4,000 are 6,000 too few."""
    lines = [billed(text="Audios"), billed("500", "100000.00", "Videos", number="2")]
    more = element("cbc:AllowanceTotalAmount", allowance, currencyID="COP")
    payable = f"{200_000 - float(allowance):.2f}"
    text = paper(*lines, net="200000.00", payable=payable, more_total=more)
    videos = use(OCTOBER_PERIOD, 500, product="VIDEOS")
    line_map = f"{MAP},,*audio*,{REPORT},,AUDIOS,quantity\n,,*video*,{REPORT},,VIDEOS,quantity\n"
    settled = only(tmp_path, text, line_map=line_map, rate_card=TWO_PRODUCTS,
                   used=Used((use(OCTOBER_PERIOD, 1000), videos)))  # fmt: skip
    assert (sums(settled)[0], sums(settled)[3]) == (settlement, claimed)


def test_no_more_is_claimed_than_a_document_is_too_much(tmp_path: Path) -> None:
    """12,000 too many of one operation, and 5,000 taken off both as a whole, which nobody says
    whose they are: 7,000 and their tax are claimed, not what is left of the 12,000."""
    lines = [billed("600", "60000.00", "Acme"), billed("400", "52000.00", "Beta", number="2")]
    more = element("cbc:AllowanceTotalAmount", "5000.00", currencyID="COP")
    text = paper(*lines, net="112000.00", tax="20330.00", payable="127330.00", more_total=more)
    settled = only(tmp_path, text, line_map=MAP_OF_BOTH, used=BOTH)
    assert sums(settled) == ("claim", 127_330, 119_000, 8330, 8330)


# Units, currencies, payable amounts.


@pytest.mark.parametrize("unit", ["KGM", "HUR", "gb"])
def test_a_unit_that_cannot_be_counted_is_told_before_all_else(tmp_path: Path, unit: str) -> None:
    """1,000 hours or kilograms are no 1,000 audios, whatever the numbers are: it is told, also
    where nobody knows what the report's numbers mean. The money agrees, and is agreed."""
    text = paper(billed(unit=unit), net="100000.00", tax="19000.00")
    settled = paid(tmp_path, text)
    assert settled.rows[0].reconciliation_status == "unit_mismatch"
    assert f"the line counts in {unit}" in settled.rows[0].explanation
    assert sums(settled["F-1"]) == ("pay", 119_000, 119_000, 0, 0)
    unknown = replace(use(OCTOBER_PERIOD, 1000, None), quantity=None)
    assert paid(tmp_path, text, used=Used((unknown,))).rows[0].reconciliation_status == (
        "unit_mismatch"
    )
    dear = paper(billed(unit=unit, net="150000.00"), net="150000.00")
    assert sums(only(tmp_path, dear)) == ("question", 150_000, 100_000, 50_000, 0)


def dollars(**parts: Any) -> str:
    own = billed(net="100.00", currency="USD")
    return paper(own, billed("1", "5.00", "Soporte", number="2", currency="USD"),
                 net="420000.00", tax="79800.00", **parts)  # fmt: skip


def test_lines_in_dollars_without_a_rate_are_lines(tmp_path: Path) -> None:
    """105 dollars in an invoice of 420,000 pesos that states no rate: each line as the invoice
    makes it, 4,000 pesos the dollar, in question, and the rate that is missing by name."""
    settled = only(tmp_path, dollars(), line_map=WITH_FEE)
    assert sums(settled) == ("question", 499_800, 0, 499_800, 0)
    first, second, _ = settled.components
    assert [(part.component, part.amount, part.reconciliation_status)
            for part in (first, second)] == [
        ("line", 400_000, "currency_mismatch"), ("line", 20_000, "currency_mismatch"),
    ]  # fmt: skip
    assert first.reason == (
        "it is 100.00 USD, and with no rate of USD in COP that is known on 2026-10-31, 2026-11-03 "
        "the document comes to its sum: it makes 1 USD 4,000 COP of it."
    )
    assert settled.is_alarming


def test_lines_in_dollars_at_the_rate_of_the_file(tmp_path: Path) -> None:
    """4,000 on the day of issue: a contract in dollars agrees, to the peso; by 3,900 the invoice
    does not come to its sum, and it is in question."""
    rate_card = TERMS.replace("0,100,COP", "0,0.1,USD") + ",,,,5,USD,2026-01-01,,fee,month,\n"
    for rate, settlement in (("4000", "pay"), ("3900", "question")):
        rates = f"date,currency,in_currency,rate\n2026-11-03,USD,COP,{rate}\n"
        settled = only(tmp_path, dollars(), line_map=WITH_FEE, rate_card=rate_card,
                       exchange_rates=rates)  # fmt: skip
        assert sums(settled)[0] == settlement


def test_lines_in_two_other_currencies_are_named(tmp_path: Path) -> None:
    """Nobody can say which part of 420,000 pesos either is: both lines, and a sum without
    explanation."""
    euros = billed("1", "5.00", "Soporte", number="2", currency="EUR")
    text = paper(billed(net="100.00", currency="USD"), euros, net="420000.00")
    settled = only(tmp_path, text, line_map=WITH_FEE)
    assert questions(settled) == [("line", 0, 0), ("line", 0, 0), ("unexplained", 420_000, 0)]
    assert "of EUR in COP" in reasons(settled, "line")[1]


@pytest.mark.parametrize(
    ("payable", "questioned"),
    [("119360.00", 0), ("119350.00", 0), ("119400.00", 0), ("119362.00", 5), ("119340.00", -17)],
)
def test_a_payable_amount_that_is_rounded_to_tens(
    tmp_path: Path, payable: str, questioned: int
) -> None:
    """119,357 asked for as 119,360, 119,350 or 119,400: a rounding; 119,362 and 119,340 are
    none."""
    text = paper(billed("1003", "100300.00"), net="100300.00", tax="19057.00", payable=payable)
    settled = only(tmp_path, text, used=Used((use(OCTOBER_PERIOD, 1003),)))
    assert sums(settled)[3] == questioned


@pytest.mark.parametrize(
    ("prepaid", "payable", "used"),
    [("50000.00", "69000.00", 50_000), ("150000.00", "0.00", 119_000)],
)  # fmt: skip
def test_no_more_of_what_was_paid_before_is_used_than_is_asked_for(
    tmp_path: Path, prepaid: str, payable: str, used: int
) -> None:
    """119,000 of 150,000 leave 31,000 for the next invoice."""
    more = element("cbc:PrepaidAmount", prepaid, currencyID="COP")
    text = paper(USE, net="100000.00", tax="19000.00", payable=payable, more_total=more)
    settled = only(tmp_path, text)
    assert sums(settled)[0] == "pay"
    assert settled.components[-1].amount == -used
    assert ("31,000.00 COP of that is left" in settled.components[-1].reason) == (used == 119_000)


@pytest.mark.parametrize(("payable", "amount"), [("114534.00", -4466), ("119000.00", 0)])
def test_withholding_tax_is_told_where_it_is_not_taken_off(
    tmp_path: Path, payable: str, amount: int
) -> None:
    """ReteIVA and reteICA, 4,466 in sum: a part of what is asked for, or told beside it."""
    withheld = "".join(
        "<cac:WithholdingTaxTotal>"
        f"{element('cbc:TaxAmount', text, currencyID='COP')}</cac:WithholdingTaxTotal>"
        for text in ("3500.00", "966.00")
    )
    text = paper(USE, net="100000.00", tax="19000.00", payable=payable, periods=OCTOBER + withheld)
    settled = only(tmp_path, text)
    assert sums(settled)[0] == "pay"
    assert settled.components[-1].component == "withholding"
    assert settled.components[-1].amount == amount
    assert ("states 4,466.00 COP" in settled.components[-1].reason) == (not amount)


# Fees.


def with_fee(quantity: str, net: str, text: str = "Soporte mensual", **parts: Any) -> str:
    fee = billed(quantity, net, text, number="2", **parts)
    return paper(USE, fee, net=f"{100_000 + float(net):.2f}")


@pytest.mark.parametrize(
    ("quantity", "net", "text", "expected"),
    [
        ("2", "400000.00", "Soporte", ("question", 200_000, 0)),
        ("1", "400000.00", "Soporte 2 meses", ("question", 200_000, 0)),
        ("1", "400000.00", "Soporte, dos operaciones", ("question", 200_000, 0)),
        ("1", "400000.00", "Soporte bimestral", ("question", 200_000, 0)),
        ("1", "400000.00", "Soporte septiembre y octubre de 2026", ("pay", 0, 0)),
        ("1", "400000.00", "Soporte", ("claim", 200_000, 200_000)),
        # What is beyond two of them no words explain.
        ("2", "500000.00", "Soporte", ("claim", 300_000, 100_000)),
        # 31 days of one month are not 31 fees.
        ("31", "350000.00", "Soporte", ("claim", 150_000, 150_000)),
    ],
)
def test_a_line_that_bills_a_fee_twice_by_its_own_words(
    tmp_path: Path, quantity: str, net: str, text: str, expected: tuple[str, int, int]
) -> None:
    """The contract has 200,000 a month: what quantity, period or text explain is asked after, and
    agreed where it names both months; the rest is claimed."""
    settled = only(
        tmp_path, with_fee(quantity, net, text), line_map=WITH_FEE, rate_card=TERMS + FEE
    )
    settlement, _, _, questioned, claimed = sums(settled)
    assert (settlement, questioned, claimed) == expected


def test_why_the_second_of_two_fees_is_not_claimed(tmp_path: Path) -> None:
    """It is said with the amount."""
    text = with_fee("2", "400000.00")
    settled = only(tmp_path, text, line_map=WITH_FEE, rate_card=TERMS + FEE)
    assert settled.components[1].reason == (
        "the contract has 200,000.00 COP for it; by its own words the line bills 2 of it, and the "
        "contract does not say for what: 200,000.00 COP is not claimed."
    )


FEE_OF_EACH = FEE.replace(",,,,", ",acme,,,", 1) + (FEE.replace(",,,,200000", ",beta,,,150000", 1))


@pytest.mark.parametrize(
    ("fees", "quantity", "net", "expected"),
    [
        (FEE, "2", "400000.00", ("pay", 0, 0)),
        (FEE, "1", "400000.00", ("claim", 200_000, 200_000)),
        (FEE_OF_EACH, "1", "350000.00", ("pay", 0, 0)),
        (FEE_OF_EACH, "1", "390000.00", ("claim", 40_000, 40_000)),
    ],
)
def test_a_fee_for_two_operations_on_one_line(
    tmp_path: Path, fees: str, quantity: str, net: str, expected: tuple[str, int, int]
) -> None:
    """Two of 200,000 for the two operations that there are, or 200,000 and 150,000 that the
    contract has for each; what is beyond both is claimed."""
    lines = [billed("600", "60000.00", "Acme"), billed("400", "40000.00", "Beta", number="2")]
    fee = billed(quantity, net, "Soporte", number="3")
    text = paper(*lines, fee, net=f"{100_000 + float(net):.2f}")
    settled = only(tmp_path, text, line_map=MAP_OF_BOTH, rate_card=TERMS + fees, used=BOTH)
    settlement, _, _, questioned, claimed = sums(settled)
    assert (settlement, questioned, claimed) == expected


def test_a_fee_of_a_year_in_twelfths(tmp_path: Path) -> None:
    """Twelve of 100,000 are the 1,200,000 of the year; the thirteenth is claimed."""
    yearly = ",,,,1200000,COP,2026-01-01,,fee,year,*soporte*\n"
    months = [(n, f"2026-{min(n, 12):02}-01", f"2026-{min(n, 12):02}-28") for n in range(1, 14)]
    papers = [
        paper(billed("1", "100000.00", f"Soporte cuota {n}"), net="100000.00", number=f"F-{n:02}",
              periods=period(start, end), issued=end)
        for n, start, end in months
    ]  # fmt: skip
    settled = paid(tmp_path, *papers, line_map=WITH_FEE, rate_card=TERMS + yearly)
    assert [each.document.settlement for each in settled.settled] == ["pay"] * 12 + ["claim"]


def test_twelfths_of_a_fee_that_are_rounded_up(tmp_path: Path) -> None:
    """83,334 twelve times are 8 more than a million, and agreed; so are 40 cents above a fee."""
    yearly = ",,,,1000000,COP,2026-01-01,,fee,year,*soporte*\n"
    papers = [
        paper(billed("1", "83334.00", "Soporte"), net="83334.00", number=f"F-{month}",
              periods=period(f"2026-{month:02}-01", f"2026-{month:02}-28"))
        for month in range(1, 13)
    ]  # fmt: skip
    settled = paid(tmp_path, *papers, line_map=WITH_FEE, rate_card=TERMS + yearly)
    assert {each.document.settlement for each in settled.settled} == {"pay"}
    settled_cents = only(tmp_path, with_fee("1", "200000.40"), line_map=WITH_FEE,
                         rate_card=TERMS + FEE)  # fmt: skip
    assert sums(settled_cents)[0] == "pay"


def test_a_minimum_that_another_document_tops_up(tmp_path: Path) -> None:
    """150,000 at least: 50,000 in a second invoice are agreed, and of 80,000 there 30,000 are
    claimed, of that one."""
    line_map = f"{MAP},,*minimo*,{REPORT},,,price_component\n{EVERYTHING.removeprefix(MAP)}"
    rate_card = TERMS + f"{REPORT},,,,150000,COP,2026-01-01,,minimum,,\n"
    for net, claimed in (("50000.00", 0), ("80000.00", 30_000)):
        second = paper(billed("1", net, "Consumo mínimo"), net=net, number="F-2")
        settled = paid(tmp_path, INVOICE, second, line_map=line_map, rate_card=rate_card)
        assert sums(settled["F-1"])[0] == "pay"
        assert sums(settled["F-2"])[4] == claimed
