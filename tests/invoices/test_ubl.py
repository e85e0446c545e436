"""UBL into documents: each field, and each trap that real documents hold. All are synthetic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

import pytest

from builders.documents import (
    PDF,
    SUPPLIER,
    attached,
    declared,
    element,
    line,
    namespaces,
    period,
    ubl,
    zipped,
)
from builders.read_documents import contents_in, document_in, rejection_of
from wolkvox_billing.invoices import Document, OtherKind
from wolkvox_billing.invoices.files import read_file
from wolkvox_billing.values.periods import Period

OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))


def test_every_field_is_read_where_ubl_has_it() -> None:
    """A whole invoice gives each of its fields, exactly."""
    text = ubl(
        line("100", "12500.00", number="7", code="RSYNC", base="100", tax="2375.00",
             more=period("2026-10-02", "2026-10-30")),
        periods=period("2026-10-01", "2026-10-31"),
        corrects="F-0",
    )  # fmt: skip
    document = document_in(text)
    assert document.document_kind == "invoice" and document.format == "ubl"
    assert (document.document_number, document.document_uuid) == ("F-1", "a" * 96)
    assert (document.supplier_id, document.supplier_name) == ("900123456", "Nube de Voz SAS")
    assert (document.issue_date, document.period) == (date(2026, 11, 3), OCTOBER)
    assert (document.period_source, document.billing_currency) == ("document", "COP")
    assert (document.net_amount, document.tax_amount) == (Decimal(12500), Decimal(2375))
    assert (document.payable_amount, document.corrects_number) == (Decimal(14875), "F-0")
    assert not document.is_test and document.warnings == []
    [billed] = document.lines
    assert (billed.line_id, billed.description) == ("7", "Grabaciones copiadas a S3")
    assert (billed.item_code, billed.unit_code, billed.billing_currency) == ("RSYNC", "94", "COP")
    assert (billed.quantity, billed.unit_price) == (Decimal(100), Decimal(125))
    assert (billed.net_amount, billed.tax_amount) == (Decimal(12500), Decimal(2375))
    assert billed.period == Period(date(2026, 10, 2), date(2026, 10, 31))


@pytest.mark.parametrize(
    ("root", "kind"),
    [("Invoice", "invoice"), ("CreditNote", "credit_note"), ("DebitNote", "debit_note")],
)
def test_the_kind_comes_from_the_root_element(root: str, kind: str) -> None:
    """The kind is the root's, whatever the number's prefix and the references say, and each kind's
    own names of lines, quantities and totals are read."""
    document = document_in(ubl(kind=root, number="NC424", corrects="F-1"))
    assert (document.document_kind, document.document_number) == (kind, "NC424")
    assert document.lines[0].quantity == Decimal(100) and document.net_amount == Decimal(12500)


def test_a_line_inside_an_extension_is_no_line() -> None:
    """An un-prefixed InvoiceLine inside UBLExtensions is not read: only the root's own children."""
    inside = "<InvoiceLine><ID>9</ID></InvoiceLine>" + line("5", "99.00")
    document = document_in(
        ubl(
            before=f"<ext:UBLExtensions><ext:UBLExtension>{inside}</ext:UBLExtension></ext:UBLExtensions>"
        )
    )
    assert [billed.quantity for billed in document.lines] == [Decimal(100)]


def test_the_lines_amount_counts_and_not_quantity_by_price() -> None:
    """Where an allowance makes quantity x price another number, the line's amount counts, and a
    warning states both."""
    document = document_in(ubl(line("100", "12000.00", price="125.00"), net="12000.00"))
    assert document.lines[0].net_amount == Decimal(12000)
    assert document.warnings == [
        "quantity x price is not the amount, which counts, of line 1: 100 x 125 and 12,000"
    ]


def test_a_lines_own_allowance_explains_its_amount() -> None:
    """A price for ten, less the line's allowance, is the amount: the base quantity is believed."""
    allowance = (
        "<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator>"
        "<cbc:Amount>50.00</cbc:Amount></cac:AllowanceCharge>"
    )
    document = document_in(
        ubl(line("100", "450.00", price="50.00", base="10", more=allowance), net="450")
    )
    assert document.lines[0].unit_price == Decimal(5) and document.warnings == []


@pytest.mark.parametrize(
    ("price", "base", "unit_price"),
    [
        ("125.00", "100", Decimal(125)),  # the base only repeats the quantity
        ("12500.00", "100", Decimal(125)),  # the price is for so many
        ("125.00", None, Decimal(125)),
        ("125.00", "0", Decimal(125)),
    ],
)
def test_a_base_quantity_is_believed_where_only_it_explains_the_amount(
    price: str, base: str | None, unit_price: Decimal
) -> None:
    """A base quantity that repeats the quantity changes nothing; one that the price is for does."""
    document = document_in(ubl(line("100", "12500.00", price=price, base=base)))
    assert document.lines[0].unit_price == unit_price and document.warnings == []


def test_lines_that_do_not_add_up_are_kept_with_both_sums() -> None:
    """A document whose lines come to another sum than its total loads, with a warning."""
    document = document_in(ubl(line("100", "12500.00"), net="13000.00"))
    assert document.net_amount == Decimal(13000)
    assert document.warnings == ["the lines add up to 12,500, and the total says 13,000"]


def test_what_a_document_takes_off_as_a_whole_is_told() -> None:
    """An allowance on the document, which no line holds, is a warning with its amount."""
    document = document_in(
        ubl(
            more_total=element("cbc:AllowanceTotalAmount", "500.00", currencyID="COP"),
            payable="14375.00",
        )
    )
    assert document.allowance_amount == 500
    assert document.warnings == ["the document as a whole takes 500 off, which no line holds"]


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n  \t"])
@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "UTF-16"])
def test_an_attached_document_is_the_document(escaped: bool, before: str, encoding: str) -> None:
    """A document inside an AttachedDocument, as CDATA or escaped, after a BOM or blanks, declaring
    any encoding, is the same document as the bare one."""
    text = ubl(line(description="Grabación nº 1"))
    inner = f'{before}<?xml version="1.0" encoding="{encoding}"?>{text}'
    document = document_in(attached(inner, escaped=escaped))
    assert document.document_id == document_in(text).document_id
    assert document.lines[0].description == "Grabación nº 1"


def test_what_is_attached_beside_the_document_is_not_read() -> None:
    """The ApplicationResponse that an AttachedDocument carries in its references is no document."""
    reference = (
        "<cac:ParentDocumentLineReference><cac:DocumentReference><cac:Attachment>"
        "<cac:ExternalReference><cbc:Description>&lt;ApplicationResponse/></cbc:Description>"
        "</cac:ExternalReference></cac:Attachment></cac:DocumentReference>"
        "</cac:ParentDocumentLineReference>"
    )
    assert document_in(attached(ubl(), more=reference)).document_number == "F-1"


def test_attached_documents_are_read_two_deep_and_no_more() -> None:
    """An AttachedDocument in an AttachedDocument is read; a third one is rejected."""
    assert document_in(attached(attached(ubl(), escaped=True))).document_number == "F-1"
    deep = attached(attached(attached(ubl(), escaped=True), escaped=True))
    assert "more than 2 deep" in rejection_of(deep)


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-be"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
    ],
)
def test_each_encoding_gives_the_same_document(encoding: str, codec: str) -> None:
    """A document in any encoding, with a BOM or without, has the same texts and the same id."""
    text = ubl(line(description="Grabación nº 1"))
    assert document_in(declared(text, encoding, codec)) == document_in(text)


def test_a_copy_in_another_form_is_the_same_document() -> None:
    """The id does not depend on the declaration, comments, attribute order or kind of quotes."""
    text = ubl()
    other = text.replace("<cbc:ID>F-1", "<!-- a copy --><cbc:ID >F-1").replace(
        ' unitCode="94"', " unitCode='94'"
    )
    assert other != text
    assert document_in(text.encode()).document_id == document_in(b"\n" + other.encode()).document_id
    assert document_in(ubl(number="F-2")).document_id != document_in(text).document_id


def test_the_id_is_the_canonical_xmls_hash() -> None:
    """Anybody can compute a document's id with Python's own canonical XML."""
    from hashlib import sha256
    from xml.etree.ElementTree import canonicalize

    text = ubl(line(description='a "b" & <c>\n d'), before="<?note x?>")
    assert document_in(text).document_id == sha256(canonicalize(text).encode()).hexdigest()


def test_a_mails_zip_holds_one_document() -> None:
    """In a mail's zip the PDF beside the XML is passed over quietly."""
    data = zipped({"fv1.pdf": PDF, "ad1.xml": declared(attached(ubl()))})
    [paper] = read_file("mail.zip", data)
    assert paper.file_name == "mail.zip/ad1.xml"
    assert isinstance(paper.content, Document)
    assert paper.content.document_id == document_in(ubl()).document_id


def test_free_lines_and_negative_quantities_are_kept() -> None:
    """A line that costs nothing and one that takes back are lines like any other."""
    document = document_in(
        ubl(
            line("100", "12500.00"),
            line("5", "0.00", number="2", price="0.00", tax="0"),
            line("-10", "-1250.00", number="3", tax="-237.50"),
            net="11250.00",
        )
    )
    assert [billed.net_amount for billed in document.lines] == [
        Decimal(12500),
        Decimal(),
        Decimal(-1250),
    ]
    assert document.lines[2].quantity == Decimal(-10) and document.warnings == []


def test_a_credit_note_without_a_reference_loads_with_a_warning() -> None:
    """A credit note that does not say what it corrects is kept, and says so."""
    document = document_in(ubl(kind="CreditNote"))
    assert document.corrects_number is None
    assert document.warnings == ["a credit note that does not say what it corrects"]


def credit(*lines: tuple[str | None, str, str], **totals: str | None) -> Document:
    """A credit note with lines of a quantity, a net amount and a price, each taxed with 19 %."""
    lines_xml = [
        line(quantity, net, kind="CreditNote", price=price, number=str(n),
             tax=str(Decimal(net) * 19 / 100))
        for n, (quantity, net, price) in enumerate(lines, 1)
    ]  # fmt: skip
    return document_in(ubl(*lines_xml, kind="CreditNote", corrects="F-1", **totals))


TURNED = "a credit note with negative amounts: taken without the sign"


def test_a_credit_note_with_a_minus_is_turned_whole() -> None:
    """What is given back is positive, and what is charged again in it negative; it is told."""
    document = credit(("-100", "-10000", "100"), ("10", "1000", "100"),
                   net="-9000", tax="-1710", payable="-10710")  # fmt: skip
    assert [
        (billed.quantity, billed.net_amount, billed.tax_amount) for billed in document.lines
    ] == [
        (100, 10000, 1900),
        (-10, -1000, -190),
    ]
    assert [billed.unit_price for billed in document.lines] == [100, 100]
    assert (document.net_amount, document.tax_amount, document.payable_amount) == (
        9000,
        1710,
        10710,
    )
    assert document.warnings == [TURNED]


@pytest.mark.parametrize(("quantity", "price"), [("100", "-100"), ("-100", "-100")])
def test_a_quantity_or_price_without_a_minus_is_not_given_one(quantity: str, price: str) -> None:
    """100 at -100 is 100 given back, and none of them charged."""
    [billed] = credit((quantity, "-10000", price), net="-10000", tax=None, payable=None).lines
    assert (billed.quantity, billed.unit_price, billed.net_amount) == (100, 100, 10000)


@pytest.mark.parametrize(
    ("nets", "total", "turned", "is_told"),
    [
        (("-10000", "3000"), None, [10000, -3000], True),
        (("10000", "-3000"), "7000", [10000, -3000], False),
        (("10000", "-3000"), None, [10000, -3000], False),
        (("-10000",), "10000", [10000], True),  # the sign is the lines' own
        (("10000",), "-10000", [10000], True),  # or the total's
        (("0",), "0", [0], False),
    ],
)
def test_a_credit_note_goes_by_its_total(
    nets: tuple[str, ...], total: str | None, turned: list[int], is_told: bool
) -> None:
    """Its net total, or without one its lines' sum, says whether it is written with a minus."""
    document = credit(*((None, amount, "1") for amount in nets), net=total, tax=None, payable=None)
    assert [billed.net_amount for billed in document.lines] == turned
    assert document.net_amount == (abs(int(total)) if total else None)
    assert (TURNED in document.warnings) == is_told


def test_an_invoice_keeps_its_minus() -> None:
    """Only a credit note is turned: an invoice over less than nothing stays one."""
    document = document_in(
        ubl(line("-1", "-125.00", tax=None), net="-125.00", tax=None, payable=None)
    )
    assert (document.lines[0].quantity, document.net_amount) == (-1, -125)


def test_a_discrepancy_response_names_what_is_corrected() -> None:
    """Without a billing reference, the discrepancy response's one counts."""
    response = (
        "<cac:DiscrepancyResponse><cbc:ReferenceID>F-9</cbc:ReferenceID></cac:DiscrepancyResponse>"
    )
    assert document_in(ubl(kind="CreditNote", periods=response)).corrects_number == "F-9"


def test_a_test_document_is_marked() -> None:
    """DIAN's profile 2 is a test document."""
    document = document_in(ubl(profile="2"))
    assert document.is_test and document.warnings == ["a test document: it is never reconciled"]


@pytest.mark.parametrize(
    ("make", "missing"),
    [
        (lambda: ubl(uuid=None), "document_uuid"),
        (lambda: ubl(number=None), "document_number"),
        (lambda: ubl(issued=None, periods=period("2026-10-01", "2026-10-31")), "issue_date"),
        (lambda: ubl(supplier=""), "supplier_id"),
        (lambda: ubl(net=None), "net_amount"),
        (lambda: ubl(net=""), "net_amount"),
        (lambda: ubl(tax=None), "tax_amount"),
        (lambda: ubl(payable=None), "payable_amount"),
        (lambda: ubl(line(quantity=None)), "quantity of line 1"),
        (lambda: ubl(line(description=None)), "description of line 1"),
        (lambda: ubl(line(net=None), net="0"), "net_amount of line 1"),
    ],
)
def test_a_missing_field_is_null_and_a_warning(make: Callable[[], str], missing: str) -> None:
    """A document without an optional field loads, and the warning names the field."""
    assert f"not stated: {missing}" in document_in(make()).warnings


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ubl(line(currency=None), currency=None), "the document F-1 states no currency"),
        (lambda: ubl("<!-- no line -->"), "the document F-1 has no lines"),
        (
            lambda: ubl(line(net="doce mil")),
            "the document F-1: line 1: cbc:LineExtensionAmount is a text of 8 characters, which is",
        ),
        (lambda: ubl(line(quantity="1,5")), "is '1,5', which is no number"),
        (lambda: ubl(line(price="NaN")), "is 'NaN', which is no number"),
        (lambda: ubl(payable="1E3"), "is '1E3', which is no number"),
        (lambda: ubl(tax="x"), "the document's tax is 'x', which is no number"),
        (lambda: ubl(net="123456789012345.00"), "14 digits before the point are the most"),
        (lambda: "<Invoice/>", "expected a UBL 2.1 Invoice"),
        (lambda: "<html><body>login</body></html>", "expected a UBL 2.1 Invoice"),
        (lambda: attached(""), "an AttachedDocument with nothing in"),
        (lambda: attached("hola"), "no well-formed XML"),
    ],
)
def test_what_cannot_be_compared_is_rejected_by_name_and_reason(
    make: Callable[[], str], says: str
) -> None:
    """No currency, no lines, no numbers, no UBL: rejected, and the reason names it."""
    assert says in rejection_of(make())


def test_the_currency_may_stand_on_the_amounts_only() -> None:
    """UBL 2.0 has no DocumentCurrencyCode: that of all amounts counts, if it is one."""
    text = ubl(line(currency="USD"), currency="USD").replace(
        "<cbc:DocumentCurrencyCode>USD</cbc:DocumentCurrencyCode>", ""
    )
    assert document_in(text).billing_currency == "USD"
    mixed = text.replace('currencyID="USD"', 'currencyID="COP"', 1)
    assert "states no currency" in rejection_of(mixed)


def test_a_line_in_another_currency_keeps_it() -> None:
    """A line's currency is that of its amount, and a difference from the document's is told."""
    document = document_in(ubl(line(currency="USD")))
    assert document.lines[0].billing_currency == "USD"
    assert "lines in USD, and a document in COP" in document.warnings


def test_peppols_second_tax_total_is_not_added() -> None:
    """A tax total in the tax office's currency repeats the one in the document's."""
    second = f"<cac:TaxTotal>{element('cbc:TaxAmount', '99', currencyID='EUR')}</cac:TaxTotal>"
    assert document_in(ubl(periods=second)).tax_amount == Decimal(2375)


def test_peppol_has_its_supplier_and_product_elsewhere() -> None:
    """Without a PartyTaxScheme the legal entity counts, and a line's name stands before its
    description."""
    supplier = (
        "<cac:AccountingSupplierParty><cac:Party><cac:PartyLegalEntity>"
        "<cbc:RegistrationName>Wolke BV</cbc:RegistrationName><cbc:CompanyID>NL8200</cbc:CompanyID>"
        "</cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>"
    )
    document = document_in(
        ubl(line(name="Recordings", description="copied in October"), supplier=supplier)
    )
    assert (document.supplier_id, document.supplier_name) == ("NL8200", "Wolke BV")
    assert document.lines[0].description == "Recordings: copied in October"


def test_more_decimals_than_a_table_holds_are_told() -> None:
    """A price of six decimals is kept with four, and the warning states it whole."""
    document = document_in(ubl(line("1000000", "1234.57", price="0.00123457"), net="1234.57"))
    assert document.lines[0].unit_price == Decimal("0.0012")
    assert document.warnings == ["line 1: unit price is 0.00123457, kept with 4 decimals"]


def test_other_ubl_documents_are_named_and_no_failure() -> None:
    """An ApplicationResponse is no invoice: it is said so, and nothing is rejected."""
    name = "urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2"
    [content] = contents_in(f'<ApplicationResponse xmlns="{name}"/>')
    assert isinstance(content, OtherKind) and str(content) == "ApplicationResponse"


def test_a_comment_in_a_text_does_not_cut_it() -> None:
    """A comment or processing instruction inside a number or text changes nothing of it."""
    text = (
        ubl().replace("12500.00", "125<!-- x -->00.00").replace("Grabaciones", "Graba<?x?>ciones")
    )
    document = document_in(text)
    assert document.net_amount == Decimal(12500)
    assert document.lines[0].description == "Grabaciones copiadas a S3"


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf\r\n", b"\r\n\xef\xbb\xbf", b" \n"])
def test_what_stands_before_a_file_is_passed_over(before: bytes) -> None:
    """A BOM and blanks before the declaration, in any order, are no fault."""
    assert document_in(before + declared(ubl())).document_number == "F-1"


def test_a_wrong_declaration_of_utf_16_is_not_believed() -> None:
    """Bytes in UTF-8 that say UTF-16 are read as what they are."""
    text = ubl(line(description="Grabación"))
    assert document_in(declared(text, "utf-16", "utf-8")).lines[0].description == "Grabación"


def test_one_of_several_attachments_may_be_something_else() -> None:
    """An attached text and an attached ApplicationResponse do not hide the invoice beside them."""
    other = f"<ApplicationResponse {namespaces('ApplicationResponse')}/>"
    first, second = (
        f"<cac:Attachment><cac:ExternalReference><cbc:Description>{escape(inner)}</cbc:Description>"
        "</cac:ExternalReference></cac:Attachment>"
        for inner in ("hola", other)
    )
    document, other_kind = contents_in(attached(ubl(), more=first + second))
    assert isinstance(document, Document) and str(other_kind) == "ApplicationResponse"


def test_the_supplier_is_the_one_of_the_vat_scheme() -> None:
    """Of several tax schemes the one of VAT names the supplier; a NIT is its digits."""
    scheme = (
        "<cac:PartyTaxScheme><cbc:CompanyID>{}</cbc:CompanyID><cac:TaxScheme><cbc:ID>{}</cbc:ID>"
        "</cac:TaxScheme></cac:PartyTaxScheme>"
    )
    party = scheme.format("Foretaksregisteret", "TAX") + scheme.format("NO999MVA", "VAT")
    whole = (
        f"<cac:AccountingSupplierParty><cac:Party>{party}</cac:Party></cac:AccountingSupplierParty>"
    )
    assert document_in(ubl(supplier=whole)).supplier_id == "NO999MVA"
    assert (
        document_in(ubl(supplier=SUPPLIER.replace(">900123456<", ">900.123.456-8<"))).supplier_id
        == "900123456"
    )
    named = document_in(ubl(supplier=SUPPLIER.replace(">900123456<", ">Ana Perez<")))
    assert named.supplier_id is None and "Ana" not in str(named.warnings)


def test_a_currency_is_its_code_in_capitals() -> None:
    """Case and blanks of a currency do not make another one."""
    document = document_in(
        ubl(currency="cop").replace("<cbc:DocumentCurrencyCode>", "<cbc:DocumentCurrencyCode> ")
    )
    assert (document.billing_currency, document.tax_amount) == ("COP", Decimal(2375))


def test_a_text_without_end_is_cut_and_says_so() -> None:
    """A description of a million characters is kept up to 4,000."""
    document = document_in(ubl(line(description="x" * 1_000_000)))
    assert document.lines[0].description == "x" * 4000 + "... (cut: 1,000,000 characters)"


def test_a_document_of_too_many_lines_is_rejected() -> None:
    """20,000 lines are the most."""
    assert "20,001 lines: 20,000 are the most" in rejection_of(
        ubl(*["<cac:InvoiceLine/>"] * 20_001)
    )


PERSON = SUPPLIER.replace(
    "<cbc:AdditionalAccountID>1<", "<cbc:AdditionalAccountID>02<"
).replace("Nube de Voz SAS", "Ana Maria Perez")  # fmt: skip


CUSTOMER = SUPPLIER.replace("Supplier", "Customer").replace("900123456", "860.001.002-3").replace(
    "Nube de Voz SAS", "Ventas del Norte SAS"
)  # fmt: skip


def test_the_customer_is_read_as_the_supplier_is() -> None:
    """By tax id and registered name; of a natural person the id alone, with a warning; a document
    without one has none, and none is asked for."""
    document = document_in(ubl(supplier=SUPPLIER + CUSTOMER))
    assert (document.supplier_id, document.supplier_name) == ("900123456", "Nube de Voz SAS")
    assert (document.customer_id, document.customer_name) == ("860001002", "Ventas del Norte SAS")
    person = CUSTOMER.replace("AccountID>1<", "AccountID>2<")
    document = document_in(ubl(supplier=SUPPLIER + person))
    assert (document.customer_id, document.customer_name) == ("860001002", None)
    assert "the customer is a natural person: the name is not kept" in document.warnings
    named = CUSTOMER.replace("860.001.002-3", "Ana Perez")
    document = document_in(ubl(supplier=SUPPLIER + named))
    assert document.customer_id is None
    assert "the customer's tax id has no digit: not taken" in document.warnings
    legal = CUSTOMER.replace("PartyTaxScheme", "PartyLegalEntity")  # as Peppol has it
    document = document_in(ubl(supplier=SUPPLIER + legal))
    assert (document.customer_id, document.customer_name) == ("860001002", "Ventas del Norte SAS")
    document = document_in(ubl())
    assert (document.customer_id, document.customer_name, document.warnings) == (None, None, [])


def test_no_personal_data_is_kept() -> None:
    """A natural person's name, and everybody's telephone, mail address and place, are nowhere in
    what is kept of a document."""
    contact = (
        "<cac:Contact><cbc:Name>Luis Rojas</cbc:Name><cbc:Telephone>3001234567</cbc:Telephone>"
        "<cbc:ElectronicMail>luis@example.com</cbc:ElectronicMail></cac:Contact>"
        "<cac:PostalAddress><cbc:StreetName>Calle 1 2-3</cbc:StreetName></cac:PostalAddress>"
    )
    customer = (
        "<cac:AccountingCustomerParty><cac:Party><cac:PartyName><cbc:Name>Luis Rojas</cbc:Name>"
        f"</cac:PartyName>{contact}</cac:Party></cac:AccountingCustomerParty>"
    )
    supplier = PERSON.replace("</cac:Party>", f"{contact}</cac:Party>") + customer
    document = document_in(ubl(supplier=supplier, notes=["Llame a Luis Rojas, 3001234567"]))
    assert document.supplier_id == "900123456" and document.supplier_name is None
    assert document.customer_name is None
    document.texts.clear()  # read for a period, and not kept: see the table's columns
    for secret in ("Luis", "Ana", "3001234567", "example.com", "Calle"):
        assert secret not in repr(document)
