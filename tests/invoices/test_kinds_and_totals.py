"""What an electronic invoice is by its type code, and what it adds and takes off as a whole."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.documents import element, line, ubl
from builders.read_documents import contents_in, document_in, rejection_of
from wolkvox_billing.invoices import Document

_NOTES = ["81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532", "91", "95"]


def coded(code: str, kind: str = "Invoice", **parts: str | None) -> str:
    name = "CreditNoteTypeCode" if kind == "CreditNote" else "InvoiceTypeCode"
    return ubl(kind=kind, periods=element(f"cbc:{name}", code), **parts)


@pytest.mark.parametrize("code", _NOTES)
def test_an_invoice_whose_code_is_a_credits_gives_back(code: str) -> None:
    """Every credit code of UNCL 1001 and of DIAN makes a credit note of an Invoice, and it is told;
    its lines are read as an Invoice's."""
    document = document_in(coded(code, corrects="F-0"))
    assert document.document_kind == "credit_note"
    assert document.lines[0].quantity == 100 and document.net_amount == 12500
    assert document.warnings == [f"an invoice whose type code {code} says that it is a credit note"]


def test_such_a_credit_may_be_written_with_a_minus() -> None:
    """A credit by its code that has negative amounts is turned like any credit note."""
    text = ubl(
        line("-100", "-12500.00", tax="-2375.00"),
        periods=element("cbc:InvoiceTypeCode", "381"),
        net="-12500.00",
        tax="-2375.00",
        payable="-14875.00",
        corrects="F-0",
    )
    document = document_in(text)
    assert (document.net_amount, document.lines[0].quantity) == (12500, 100)


@pytest.mark.parametrize("code", ["325", "310", "130", "386", "500"])
def test_what_comes_before_the_bill_bills_no_use(code: str) -> None:
    """A pro forma and a prepayment are kept as what they are, and it is told."""
    document = document_in(coded(code))
    assert document.document_kind in ("pro_forma", "prepayment")
    assert "it bills no use" in document.warnings[0] and code in document.warnings[0]


@pytest.mark.parametrize(
    "code",
    [
        "01",
        "1",
        "02",
        "03",
        "04",
        "20",
        "380",
        "388",
        "393",
        "82",
        "SalesInvoice",
        "Factura de venta",
    ],
)
def test_a_code_of_a_bill_changes_nothing(code: str) -> None:
    """An invoice with an invoice's code is one, without a word."""
    document = document_in(coded(code))
    assert (document.document_kind, document.warnings) == ("invoice", [])


@pytest.mark.parametrize("code", ["92", "383", "80", "84"])
def test_an_invoice_whose_code_is_a_debits_is_a_debit_note(code: str) -> None:
    """So are the codes of debit notes."""
    assert document_in(coded(code)).document_kind == "debit_note"


@pytest.mark.parametrize("code", ["381", "91", "95", "396"])
def test_a_credit_notes_own_code_changes_nothing(code: str) -> None:
    """A CreditNote with a credit's code is one, without a word."""
    document = document_in(coded(code, "CreditNote", corrects="F-0"))
    assert (document.document_kind, document.warnings) == ("credit_note", [])


def test_a_credit_note_with_an_invoices_code_stays_one_and_is_told() -> None:
    """Where root and code disagree so, the root counts, and both are named."""
    document = document_in(coded("380", "CreditNote", corrects="F-0"))
    assert document.document_kind == "credit_note"
    assert document.warnings == [
        "its type code 380 is that of an invoice, and the document is a credit note, which counts"
    ]


def test_a_corrected_invoice_is_a_kind_of_its_own() -> None:
    """What replaces an earlier invoice is kept as that, and told."""
    document = document_in(coded("384", corrects="F-0"))
    assert document.document_kind == "corrected_invoice"
    assert "says that it is a corrected one" in document.warnings[0]


_KNOWN = {"invoice", "corrected_invoice", "credit_note", "debit_note", "pro_forma", "prepayment"}


@pytest.mark.parametrize("code", ["999", "ABC", "38", "3800", "381x", "-381"])
@pytest.mark.parametrize("kind", ["Invoice", "CreditNote"])
def test_a_code_that_nobody_knows_is_refused_with_it(code: str, kind: str) -> None:
    """What is in neither list is not guessed: the reason names the document and the code."""
    reason = rejection_of(coded(code, kind))
    assert "the document F-1: the type code" in reason and repr(code) in reason


@given(st.integers(0, 1100))
def test_any_code_is_a_kind_or_a_reason(code: int) -> None:
    """Whatever number stands there, the document has a kind that is known or is refused by it."""
    [content] = contents_in(coded(str(code)))
    if isinstance(content, Document):
        assert content.document_kind in _KNOWN
    else:
        assert repr(str(code)) in str(content)


# Beside the lines.


def charge(amount: str, is_charge: bool) -> str:
    indicator = element("cbc:ChargeIndicator", str(is_charge).lower())
    return (
        f"<cac:AllowanceCharge>{indicator}{element('cbc:Amount', amount, currencyID='COP')}"
        "</cac:AllowanceCharge>"
    )


def total(**amounts: str) -> str:
    return "".join(element(f"cbc:{name}", text, currencyID="COP") for name, text in amounts.items())


def test_an_allowance_of_the_document_is_kept_and_adds_up() -> None:
    """Ten per cent off beside the lines: the amount is kept, and nothing is odd."""
    document = document_in(
        ubl(
            periods=charge("1250.00", False),
            more_total=total(TaxExclusiveAmount="11250", AllowanceTotalAmount="1250.00"),
            tax="2137.50",
            payable="13387.50",
        )
    )
    assert document.allowance_amount == 1250 and document.charge_amount is None
    assert document.warnings == ["the document as a whole takes 1,250 off, which no line holds"]


def test_allowances_without_a_total_are_added_up() -> None:
    """Several of its own, without a total of them, are their sum; charges are apart."""
    document = document_in(
        ubl(
            periods=charge("1000", False) + charge("250", False) + charge("3000", True),
            payable="16625.00",
        )
    )
    assert (document.allowance_amount, document.charge_amount) == (1250, 3000)
    assert document.warnings == [
        "the document as a whole takes 1,250 off, which no line holds",
        "the document as a whole puts 3,000 on, which no line holds",
    ]


def test_an_allowance_that_differs_from_its_total_is_told() -> None:
    """Where both are stated and differ, the total counts and the warning has both."""
    document = document_in(
        ubl(
            periods=charge("1000", False),
            more_total=total(AllowanceTotalAmount="1250.00"),
            payable="13625.00",
        )
    )
    assert document.allowance_amount == 1250
    assert document.warnings[0] == (
        "its allowances add up to 1,000, and its total of them says 1,250, which counts"
    )


def test_rounding_and_what_was_paid_before_are_kept() -> None:
    """A rounding with its sign, and a prepaid amount, lead to what is asked for."""
    document = document_in(
        ubl(
            more_total=total(PayableRoundingAmount="-0.40", PrepaidAmount="5000.00"),
            payable="9874.60",
        )
    )
    assert (document.rounding_amount, document.prepaid_amount) == (Decimal("-0.4"), 5000)
    assert document.warnings == []


@pytest.mark.parametrize("payable", ["14875.00", "14375.00"])
def test_withholdings_are_kept_and_may_be_taken_off_or_not(payable: str) -> None:
    """What is withheld is no tax; a document may ask for the whole or for the rest."""
    withheld = (
        "<cac:WithholdingTaxTotal>"
        + element("cbc:TaxAmount", "500.00", currencyID="COP")
        + "</cac:WithholdingTaxTotal>"
    )
    document = document_in(ubl(periods=withheld, payable=payable))
    assert (document.withheld_amount, document.tax_amount) == (500, 2375)
    assert document.warnings == []


def test_parts_that_do_not_lead_to_what_is_asked_for_are_told() -> None:
    """A charge that the payable amount does not hold is a warning with every part."""
    document = document_in(ubl(more_total=total(ChargeTotalAmount="124000.00")))
    assert document.warnings[1] == (
        "its parts come to 138,875 (net 12,500, less 0, plus 124,000, tax 2,375, rounding 0, "
        "prepaid 0), and it asks for 14,875"
    )


@pytest.mark.parametrize(
    "where",
    [
        element("cbc:DueDate", "2026-12-03"),
        "<cac:PaymentMeans><cbc:PaymentDueDate>2026-12-03</cbc:PaymentDueDate></cac:PaymentMeans>",
        "<cac:PaymentTerms><cbc:PaymentDueDate>2026-12-03</cbc:PaymentDueDate></cac:PaymentTerms>",
    ],
)
def test_the_due_date_is_read_where_it_stands(where: str) -> None:
    """UBL has three places for it."""
    assert document_in(ubl(periods=where)).due_date == date(2026, 12, 3)


RATE = (
    "<cac:PaymentExchangeRate><cbc:SourceCurrencyCode>{}</cbc:SourceCurrencyCode>{}"
    "<cbc:TargetCurrencyCode>{}</cbc:TargetCurrencyCode><cbc:CalculationRate>{}</cbc:CalculationRate>"
    "{}<cbc:Date>2026-10-31</cbc:Date></cac:PaymentExchangeRate>"
)
BASE = "<cbc:SourceCurrencyBaseRate>{}</cbc:SourceCurrencyBaseRate>"
DIVIDE = "<cbc:MathematicOperatorCode>Divide</cbc:MathematicOperatorCode>"


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        (("USD", "", "COP", "4012.53", ""), ("USD", "COP", "4012.53")),
        (("COP", "", "USD", "0.000249219330447374", ""), ("COP", "USD", "0.000249219330447374")),
        (("COP", "", "USD", "4012.53", DIVIDE), ("USD", "COP", "4012.53")),
        (("JPY", BASE.format("100"), "COP", "2750.00", ""), ("JPY", "COP", "27.5")),
        (("USD", BASE.format("1.00"), "COP", "4100", ""), ("USD", "COP", "4100")),
        (("USD", BASE.format("4100"), "COP", "4100", ""), ("USD", "COP", "4100")),
    ],
)
def test_an_exchange_rate_keeps_its_decimals(
    stated: tuple[str, ...], kept: tuple[str, str, str]
) -> None:
    """Its currencies, its day, and all of its decimals; of 100 yen a hundredth, and a rate to
    divide by is that of the other currency."""
    document = document_in(ubl(periods=RATE.format(*stated)))
    assert (document.exchange_currency, document.exchange_in_currency) == kept[:2]
    assert document.exchange_rate == Decimal(kept[2])
    assert (document.exchange_rate_date, document.warnings) == (date(2026, 10, 31), [])


@pytest.mark.parametrize(
    ("rate", "says"),
    [
        ("-4100", "the exchange rate is '-4100', which is no rate: not taken"),
        ("TRM", "the exchange rate: cbc:CalculationRate is 'TRM', which is no number: not taken"),
    ],
)
def test_a_rate_that_is_none_costs_no_document(rate: str, says: str) -> None:
    """Its amounts stand, and it is told."""
    document = document_in(ubl(periods=RATE.format("USD", "", "COP", rate, "")))
    assert (document.exchange_rate, document.warnings) == (None, [says])
    assert document_in(ubl(periods=RATE.format("COP", "", "COP", "0.00", ""))).warnings == []


# The currency of the totals.


def relabelled(text: str, currency: str) -> str:
    label = "<cbc:DocumentCurrencyCode>{}</cbc:DocumentCurrencyCode>"
    return text.replace(label.format("COP"), label.format(currency))


@pytest.mark.parametrize("currency", ["USD", "EUR", "usd"])
def test_the_totals_are_in_the_currency_of_their_amounts(currency: str) -> None:
    """A label that says another currency than the amounts is told, and the amounts' counts."""
    document = document_in(relabelled(ubl(), currency))
    assert (document.billing_currency, document.tax_amount) == ("COP", 2375)
    assert {billed.billing_currency for billed in document.lines} == {"COP"}
    assert document.warnings == [
        f"it says '{currency.upper()}', and its totals are in 'COP', which counts"
    ]


def test_totals_in_two_currencies_are_refused() -> None:
    """A net in pesos and a payable amount in dollars: refused with both."""
    payable = '<cbc:PayableAmount currencyID="{}">'
    text = ubl().replace(payable.format("COP"), payable.format("USD"))
    assert "its totals are in COP and USD" in rejection_of(text)


def test_amounts_without_a_currency_take_the_label() -> None:
    """Without attributes there is only the label."""
    document = document_in(ubl().replace(' currencyID="COP"', ""))
    assert (document.billing_currency, document.warnings) == ("COP", [])


def test_lines_in_another_currency_than_the_totals_are_told() -> None:
    """Lines in dollars under totals in pesos keep theirs, and it is told."""
    document = document_in(ubl(line(currency="USD")))
    assert document.billing_currency == "COP"
    assert "lines in USD, and a document in COP" in document.warnings
