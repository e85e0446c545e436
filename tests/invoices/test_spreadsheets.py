"""Spreadsheets into documents: headings, separators, encodings, numbers, dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from builders.documents import SUPPLIER, ubl, xlsx
from builders.read_documents import contents_in, document_in, documents_in, rejection_of
from builders.sheets import HEADINGS, ROW, changed, csv
from wolkvox_billing.invoices import Document
from wolkvox_billing.invoices.ubl import read_xml
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.periods import Period

OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))


def test_spanish_headings_give_every_field() -> None:
    """The headings that people use are the fields, and a file's sums are those of its rows."""
    document = document_in(csv(HEADINGS, ROW))
    assert (document.document_kind, document.document_number) == ("invoice", "F-1")
    assert (document.supplier_id, document.issue_date) == ("900123456", date(2026, 11, 3))
    assert (document.period, document.period_source) == (OCTOBER, "text")
    assert (document.net_amount, document.tax_amount) == (Decimal(15000), Decimal(2850))
    assert (document.payable_amount, document.billing_currency) == (Decimal(17850), "COP")
    assert document.format == "csv" and document.warnings == []
    [line] = document.lines
    assert line.description == "Grabaciones octubre 2026"
    assert (line.quantity, line.unit_price) == (Decimal(1200), Decimal("12.5"))
    assert (line.net_amount, line.tax_amount) == (Decimal(15000), Decimal(2850))


def test_english_headings_are_the_columns_of_the_tables() -> None:
    """The fields' own names are headings, periods are inclusive, and codes and units are read."""
    names = ("supplier_id,document_kind,document_number,issue_date,period_start,period_end,"
             "operation,description,item_code,quantity,unit,unit_price,net_amount,tax_amount,"
             "currency")  # fmt: skip
    row = "900,credit_note,NC-1,2026-11-03,2026-10-01,2026-10-31,ventas,Audios,RS,5,94,2,10,1.9,USD"
    document = document_in(f"{names}\n{row}")
    assert (document.document_kind, document.period) == ("credit_note", OCTOBER)
    assert document.period_source == "document" and document.billing_currency == "USD"
    [line] = document.lines
    assert (line.operation, line.item_code, line.unit_code) == ("ventas", "RS", "94")
    assert line.period == OCTOBER and line.tax_amount == Decimal("1.9")


@pytest.mark.parametrize(
    "heading",
    ["Nº Factura", "N° FACTURA", "No. Factura", "número  de factura", "Numero_Factura", "factura",
     "NUM. FACTURA", "document_number"],
)  # fmt: skip
def test_a_heading_is_matched_without_case_accents_blanks_and_marks(heading: str) -> None:
    """However the column of numbers is written, it is the column of numbers."""
    headings = [heading if name == "Nº Factura" else name for name in HEADINGS]
    assert document_in(csv(headings, ROW)).document_number == "F-1"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_separators_and_encodings(delimiter: str, codec: str) -> None:
    """Comma, semicolon and tab, in each encoding, give the same document."""
    text = csv(HEADINGS, changed(Concepto="Grabación, año; 2"), delimiter=delimiter)
    document = document_in(text.encode(codec))
    assert document.lines[0].description == "Grabación, año; 2"
    assert (
        document.document_id
        == document_in(csv(HEADINGS, changed(Concepto="Grabación, año; 2"))).document_id
    )


@pytest.mark.parametrize(
    ("quantity", "unit", "net", "value"),
    [
        ("1.200", "12,5", "15.000,00", Decimal(15000)),
        ("1,200", "12.5", "15,000.00", Decimal(15000)),
        ("1200", "12,50", "15000", Decimal(15000)),
        ("1.200", "12,5", "$ 15.000,00", Decimal(15000)),
        ("1.200", "12,5", "COP 15.000", Decimal(15000)),
        ("1.200", "12,5", "-15.000", Decimal(-15000)),
        ("1.200", "12,5", "(15.000)", Decimal(-15000)),
        ("1.200", "12,5", "1.234.567", Decimal(1234567)),
        ("1.200", "12,5", "1 234 567,00", Decimal(1234567)),
        ("1.200", "12,5", "1.234,56-", Decimal("-1234.56")),
        ("1.200", "12,5", "$ -", Decimal(0)),
        ("1.200", "12,5", "-", Decimal(0)),
    ],
)
def test_all_numbers_of_a_file_settle_its_decimals(
    quantity: str, unit: str, net: str, value: Decimal
) -> None:
    """One number that reads in one way only tells for the others, either way."""
    row = changed(Cantidad=quantity, Unitario=unit, Subtotal=net, IVA="")
    document = document_in(csv(HEADINGS, row, delimiter=";"))
    assert document.lines[0].net_amount == value
    assert document.lines[0].quantity == Decimal(1200)


def test_a_number_that_reads_in_two_ways_is_refused_with_its_place() -> None:
    """6.660 alone may be either: refused by its cell, until somebody says which."""
    rows = csv(HEADINGS, changed(Cantidad="6.660", Unitario="", Subtotal="10", IVA=""))
    assert rejection_of(rows) == (
        "F2 (Cantidad) is '6.660', which reads in two ways, and no other number of the file "
        "settles it: say --decimal . or --decimal ,"
    )
    assert document_in(rows, ".").lines[0].quantity == Decimal("6.66")
    assert document_in(rows, ",").lines[0].quantity == Decimal(6660)


def test_two_ways_in_one_file_are_refused_with_both_places() -> None:
    """A file that writes decimals behind a dot and behind a comma is not believed."""
    rows = csv(HEADINGS, changed(Unitario="12,5", Subtotal="15000.25"), delimiter=";")
    assert rejection_of(rows) == (
        "H2 (Subtotal) is '15000.25' and G2 (Vr. Unitario) is '12,5': one has decimals behind a "
        "dot, the other behind a comma"
    )


def test_what_the_person_says_is_not_bent() -> None:
    """With --decimal, a number that does not read that way is refused with its place."""
    rows = csv(HEADINGS, changed(Subtotal="1.234,56"), delimiter=";")
    assert rejection_of(rows, ".").endswith("H2 (Subtotal) is '1.234,56', which is no number")


def test_an_unreadable_number_rejects_its_document_only() -> None:
    """The other documents of the file load."""
    rows = csv(HEADINGS, changed(Factura="F-1", Subtotal="N/A"), changed(Factura="F-2"))
    first, second = contents_in(rows)
    assert str(first) == "the document F-1: H2 (Subtotal) is 'N/A', which is no number"
    assert second.document_number == "F-2"


@pytest.mark.parametrize("text", ["(-100.50)", "(100.50-)", "(+100.50)"])
def test_a_sign_in_parentheses_reads_in_two_ways(text: str) -> None:
    """Parentheses are a minus of their own: with another sign in them it is no number."""
    assert f"H2 (Subtotal) is '{text}', which is no number" in rejection_of(
        csv(HEADINGS, changed(Subtotal=text))
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-03", date(2026, 11, 3)),
        ("2026-11-03 10:20:30", date(2026, 11, 3)),
        ("03/11/2026", date(2026, 11, 3)),
        ("3/11/2026", date(2026, 11, 3)),
        ("03-11-2026", date(2026, 11, 3)),
        ("03.11.2026", date(2026, 11, 3)),
        ("2026/11/03", date(2026, 11, 3)),
        ("03/11/26", date(2026, 11, 3)),
        ("3-nov-2026", date(2026, 11, 3)),
        ("3 de noviembre de 2026", date(2026, 11, 3)),
        ("46329", date(2026, 11, 3)),
        ("", None),
    ],
)
def test_dates(text: str, day: date | None) -> None:
    """ISO, day first, a month by name, and a serial number of Excel's; a blank is NULL."""
    assert document_in(csv(HEADINGS, changed(Fecha=text))).issue_date == day


@pytest.mark.parametrize("text", ["2026-13-01", "31/02/2026", "26-11-03", "99999", "12"])
def test_what_is_no_date_is_refused_with_its_place(text: str) -> None:
    """A date in no known form rejects the document, by its cell."""
    assert f"C2 (Fecha) is '{text}', which is no date" in rejection_of(
        csv(HEADINGS, changed(Fecha=text))
    )


def test_a_file_that_writes_the_month_first_is_refused_whole() -> None:
    """One date that can only be month/day/year makes every other date of the file doubtful."""
    rows = csv(HEADINGS, changed(Fecha="10/11/2026"), changed(Factura="F-2", Fecha="10/31/2026"))
    assert "C3 (Fecha) is '10/31/2026', with the month first" in rejection_of(rows)


def test_one_file_may_hold_many_documents() -> None:
    """Rows of one supplier, kind and number are one document, wherever they stand."""
    rows = csv(
        HEADINGS,
        ROW,
        changed(Factura="F-2", Subtotal="7", IVA="1"),
        changed(Subtotal="100", IVA="19"),
        changed(Tipo="Nota Crédito", Subtotal="5", IVA="1"),
        changed(NIT="800", Subtotal="6", IVA="1"),
    )
    documents = documents_in(rows)
    assert [(d.document_kind, d.document_number, len(d.lines)) for d in documents] == [
        ("invoice", "F-1", 2),
        ("invoice", "F-2", 1),
        ("credit_note", "F-1", 1),
        ("invoice", "F-1", 1),
    ]
    assert [d.net_amount for d in documents] == [Decimal(15100), Decimal(7), Decimal(5), Decimal(6)]


def test_a_credit_note_with_a_minus_is_turned_and_told() -> None:
    """A credit note's amounts are positive in every format: a minus is taken off, and told."""
    document = document_in(
        csv(HEADINGS, changed(Tipo="NC", Cantidad="-3", Subtotal="-5", IVA="-1"))
    )
    assert (document.net_amount, document.tax_amount) == (Decimal(5), Decimal(1))
    assert document.lines[0].quantity == Decimal(3) and document.payable_amount == Decimal(6)
    assert "a credit note with negative amounts: taken without the sign" in document.warnings


def test_a_document_keeps_its_id() -> None:
    """The same rows have the same id in every release: a document that is loaded is known again."""
    assert document_in(csv(HEADINGS, ROW)).document_id == (
        "5fc3eb1cfe8d73b0e5bb4b87e0d99bdccdf31da003932e5bbd6311b667e14572"
    )
    headings = [*HEADINGS, "Desde", "Hasta", "Mes"]
    first = [*ROW, "2026-10-01", "2026-10-31", "oct-26"]
    second = [*changed(Cantidad="", Subtotal="0.10"), "", "", ""]
    assert document_in(csv(headings, first, second)).document_id == (
        "89892e3ed7f5bb973ffd6572ac4d509cc87cce96aa934bfe6d2be18d5a8d1ea3"
    )


@pytest.mark.parametrize("word", ["TOTAL", "Gran total:", "subtotal", "Total general", "Totales"])
@pytest.mark.parametrize("heading", ["Factura", "Concepto", "Moneda"])
def test_a_total_row_is_passed_over_and_told(word: str, heading: str) -> None:
    """A row that says it is a total is no line and no document, whichever cell says it."""
    total = changed(**{"Factura": "", "Concepto": "", heading: word})
    document = document_in(csv(HEADINGS, ROW, total))
    assert document.net_amount == Decimal(15000)
    assert document.warnings == ["passed over, since it says that it is a total: row 3"]


def test_a_total_may_stand_in_a_column_that_is_not_read() -> None:
    """Of a row, all cells are looked at for a word such as total."""
    document = document_in(csv([*HEADINGS, "Notas"], [*ROW, ""], [*ROW, "Total"]))
    assert len(document.lines) == 1


def test_a_row_without_a_number_takes_its_document_with_it() -> None:
    """Under merged cells only the first row has the number: no document of that row alone is
    taken, and the documents beside it are."""
    rows = [changed(Factura="F-0"), ROW, changed(Factura=""), changed(Factura="F-2")]
    first, broken, last = contents_in(csv(HEADINGS, *rows))
    assert (first.document_number, last.document_number) == ("F-0", "F-2")
    assert str(broken) == (
        "the document F-1: row 4, under it, has no number: fill in the number in each row"
    )
    lost, good = contents_in(csv(HEADINGS, changed(Factura=""), ROW))
    assert str(lost) == "no document number: row 2: fill in the number in each row"
    assert good.document_number == "F-1"


def test_a_note_under_the_rows_is_passed_over() -> None:
    """A row with nothing in a column that is read takes no document with it."""
    note = [None] * 11
    assert len(document_in(xlsx([HEADINGS, ROW, [*note, "Gracias"], [" "]])).lines) == 1


def test_a_blank_is_what_the_other_rows_of_the_number_have() -> None:
    """Supplier, kind and currency may stand in one row of a document only, in any."""
    document = document_in(
        csv(HEADINGS, changed(NIT="", Tipo="", Moneda=""), changed(Tipo="Nota crédito"))
    )
    assert (document.supplier_id, document.document_kind) == ("900123456", "credit_note")
    assert [line.billing_currency for line in document.lines] == ["COP", "COP"]
    assert "no document kind: taken for an invoice" not in document.warnings


def test_a_blank_that_may_be_either_is_refused() -> None:
    """Where two suppliers have the number, a row without a supplier may be of both."""
    rows = csv(HEADINGS, ROW, changed(NIT="800111222"), changed(NIT=""))
    assert rejection_of(rows) == (
        "the document F-1: D4 (NIT) is blank, and other rows of the same number differ there: "
        "fill it in each row"
    )


def test_rows_on_two_sheets_are_one_document() -> None:
    """A document may go on on the next sheet."""
    document = document_in(xlsx([HEADINGS, ROW], [HEADINGS, changed(Subtotal="5")]))
    assert document.net_amount == Decimal(15005)


def test_a_prefix_in_a_column_of_its_own_is_of_the_number() -> None:
    """`Prefijo` and `Número` make the number, unless it has the prefix already."""
    headings = ["Prefijo", *HEADINGS]
    rows = [
        ["FE", *changed(Factura="7")],
        ["NC", *changed(Factura="7")],
        ["FE", *changed(Factura="FE8")],
    ]
    assert [d.document_number for d in documents_in(csv(headings, *rows))] == ["FE7", "NC7", "FE8"]


def test_two_issue_dates_in_one_document_are_refused_with_both_places() -> None:
    """Rows of one number with different dates are two documents, or a mistake: refused."""
    assert rejection_of(csv(HEADINGS, ROW, changed(Fecha="2026-12-03"))) == (
        "the document F-1: C2 (Fecha) is 2026-11-03 and C3 (Fecha) is 2026-12-03: one document "
        "has one issue date"
    )


def test_a_sum_that_does_not_fit_is_refused() -> None:
    """Two amounts of 14 digits are one of 15, which no table holds."""
    most = changed(Cantidad="", Unitario="", Subtotal="99999999999999", IVA="")
    assert "the sum of the net amounts does not fit: 14 digits" in rejection_of(
        csv(HEADINGS, most, most)
    )
    taxed = changed(Cantidad="", Unitario="", Subtotal="99999999999999", IVA="1")
    assert "the sum with taxes does not fit: 14 digits" in rejection_of(csv(HEADINGS, taxed))


@pytest.mark.parametrize("heading", ["% IVA", "IVA %", "Tarifa IVA"])
def test_a_rate_is_no_tax_amount(heading: str) -> None:
    """A column of percentages is not read, and told."""
    document = document_in(csv([*HEADINGS, heading], [*ROW, "19"]))
    assert document.tax_amount == Decimal(2850)
    assert document.warnings == [f"columns that are not read: {heading}"]


@pytest.mark.parametrize(
    ("vague", "field", "value"),
    [("Nº", "document_number", "F-1"), ("Ítem", "description", "Grabaciones octubre 2026"),
     ("Base gravable", "net_amount", Decimal(15000))],
)  # fmt: skip
def test_the_exact_heading_counts(vague: str, field: str, value: Any) -> None:
    """Beside an exact heading, a vague one is another thing: not read, and told."""
    document = document_in(csv([vague, *HEADINGS], ["1", *ROW]))
    assert getattr(document if field == "document_number" else document.lines[0], field) == value
    assert document.warnings == [f"columns that are not read: {vague}"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("Factura electrónica de venta", "invoice"), ("FEV", "invoice"), ("1", "invoice"),
     ("Nota de crédito electrónica", "credit_note"), ("91", "credit_note"),
     ("Nota débito", "debit_note"), ("debit_note", "debit_note")],
)  # fmt: skip
def test_kinds(text: str, kind: str) -> None:
    """However a kind is called in Colombia, it is one of three."""
    assert document_in(csv(HEADINGS, changed(Tipo=text))).document_kind == kind


@pytest.mark.parametrize(
    ("text", "supplier_id"),
    [
        ("900.123.456-8", "900123456"),
        ("900.123.456", "900123456"),
        ("900123456-8", "900123456"),
        ("900 123 456 - 8", "900123456"),
        ("900123456", "900123456"),
        ("1.234.567.890-1", "1234567890"),  # a person's
        ("1.234.567-8", "1234567"),
        ("1234567-8", "1234567-8"),  # Finland
        ("123.456.789-09", "123.456.789-09"),  # Brazil
        ("0123.456.789", "0123.456.789"),  # Belgium
        ("NL123456789B01", "NL123456789B01"),
        ("GB 123 4567", "GB1234567"),
        ("ES-B12345678", "ES-B12345678"),
        ("0192:987654321", "0192:987654321"),
    ],
)
def test_a_tax_id_has_one_form(text: str, supplier_id: str) -> None:
    """A NIT is its digits without dots and check digit, another country's id stays as it is but for
    blanks: in a spreadsheet, in UBL, in the setting and in the line map."""
    assert document_in(csv(HEADINGS, changed(NIT=text))).supplier_id == supplier_id
    party = SUPPLIER.replace(">900123456<", f">{text}<")
    [document] = read_xml(ubl(supplier=party))
    assert isinstance(document, Document) and document.supplier_id == supplier_id
    assert Policy(supplier_ids=(text, "800")).supplier_ids == (supplier_id, "800")


def test_what_is_no_tax_id_is_not_kept() -> None:
    """A name in the column of tax ids is NULL with a warning."""
    document = document_in(csv(HEADINGS, changed(NIT="Juan Pérez")))
    assert document.supplier_id is None
    assert "the supplier's tax id has no digit: not taken" in document.warnings


def test_no_name_or_address_is_in_a_message() -> None:
    """What stands in place of a number or date is quoted only if it cannot be of a person."""
    for heading in ("Cantidad", "Fecha"):
        reason = rejection_of(csv(HEADINGS, changed(**{heading: "juan.perez@gmail.com"})))
        assert "a text of 20 characters" in reason and "juan" not in reason
    assert "juan" not in rejection_of(csv(HEADINGS, changed(Tipo="juan.perez@gmail.com.co")))


def test_a_price_that_does_not_make_the_amount_is_told() -> None:
    """12.500 read as 12.5 shows in the amount: 1200 x 12.5 is 15000, and not 15000000."""
    rows = [ROW, changed(Subtotal="15000000.00"), changed(Subtotal="15000.01")]
    assert document_in(csv(HEADINGS, *rows)).warnings == [
        "quantity times unit price is not the net amount in line 2: a discount, or a number that "
        "was misread"
    ]


def test_a_text_full_of_another_separator_is_a_text() -> None:
    """A cell with 200 commas in a file of semicolons is one cell."""
    row = changed(Concepto="," * 200)
    assert document_in(csv(HEADINGS, row, delimiter=";")).lines[0].description == "," * 200


def test_titles_above_the_header_are_passed_over() -> None:
    """The header is the row with the headings, not the first one."""
    assert document_in("Nube de Voz SAS\n\nRelación de facturas\n" + csv(HEADINGS, ROW)).lines


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["a", "b"], ["1", "2"]], "without a header row"),
        ([["Nº Factura", "Fecha", "Moneda"], ["F-1", "2026-11-03", "COP"]],
         "a spreadsheet without a column for net_amount (Subtotal, ...)"),
        ([[*HEADINGS, "Sub Total"], [*ROW, "1"]],
         "H1 'Subtotal' and K1 'Sub Total' both read as net_amount: rename one"),
        ([HEADINGS, [*ROW, "5"]], "row 2 has 11 cells, the header 10"),
        ([HEADINGS, changed(Tipo="Recibo")], "A2 (Tipo) is 'Recibo': expected factura"),
        ([HEADINGS, changed(Moneda="$")], "J2 (Moneda) is '$': expected a code such as COP"),
        ([HEADINGS, changed(Moneda="Pesos")], "J2 (Moneda) is 'PESOS': expected a code"),
        ([HEADINGS, changed(Tipo="Factura anulada")], "F-1 (row 2: Tipo 'Factura anulada')"),
        ([HEADINGS], "no header row with rows of a document under it"),
        ([HEADINGS, changed(Subtotal="")], "H2 (Subtotal) is blank: a line needs its amount"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_rejected_with_its_place(rows: list[list[str]], says: str) -> None:
    """A header that is none, doubled or short, a row that is too long, a word that nobody knows."""
    assert says in rejection_of(csv(*rows))


def test_without_a_currency_a_document_is_rejected() -> None:
    """Nobody guesses the currency."""
    rows = csv(HEADINGS, changed(Moneda=""))
    assert "the document F-1 states no currency" in rejection_of(rows)


def test_a_currency_may_have_its_sign() -> None:
    """COP$ is COP."""
    assert document_in(csv(HEADINGS, changed(Moneda="COP$"))).billing_currency == "COP"


def test_a_quote_that_stands_wrong_is_told() -> None:
    """What is wrong with the CSV is said, not that it has no header."""
    assert rejection_of('"Plan" oro\n' + csv(HEADINGS, ROW)).startswith(
        "no well-formed CSV: row 1: "
    )


def test_columns_that_are_not_read_are_named() -> None:
    """A column that means nothing here is told, so that nobody thinks it counted."""
    document = document_in(csv([*HEADINGS, "Vendedor"], [*ROW, "x"]))
    assert document.warnings == ["columns that are not read: Vendedor"]


def test_a_column_of_months_gives_the_period() -> None:
    """A month in a column of its own is the period by text."""
    document = document_in(csv([*HEADINGS, "Período"], [*changed(Concepto="Audios"), "sep-26"]))
    assert document.period == Period(date(2026, 9, 1), date(2026, 10, 1))
    assert document.period_source == "text"


@pytest.mark.parametrize("month", [date(2026, 9, 1), "202609", 202609, "2026-09", "sept. 2026"])
def test_a_month_in_a_workbook(month: Any) -> None:
    """Excel turns sep-26 into a date: it is the month again."""
    document = document_in(xlsx([[*HEADINGS, "Mes"], [*changed(Concepto="Audios"), month]]))
    assert document.period == Period(date(2026, 9, 1), date(2026, 10, 1))


@pytest.mark.parametrize(
    ("text", "says"),
    [("agosto", "K2 (Mes) is a month without a year: not taken"),
     ("13/2026", "K2 (Mes) is '13/2026', which names no period: not taken")],
)  # fmt: skip
def test_a_month_that_nobody_can_read_is_told(text: str, says: str) -> None:
    """The period then comes from elsewhere, and the warning names the cell."""
    document = document_in(csv([*HEADINGS, "Mes"], [*ROW, text]))
    assert document.period == OCTOBER and says in document.warnings


def test_months_that_differ_are_of_their_lines() -> None:
    """A document over two months has the month of each line."""
    document = document_in(csv([*HEADINGS, "Mes"], [*ROW, "2026-09"], [*ROW, "2026-10"]))
    assert [line.period for line in document.lines] == [
        Period(date(2026, 9, 1), date(2026, 10, 1)), OCTOBER]  # fmt: skip
    assert document.period_source == "line"


def test_a_period_end_on_the_first_of_a_month_is_the_day_after() -> None:
    """From the first to the first is a month, and the warning says how the end was taken."""
    document = document_in(csv([*HEADINGS, "Desde", "Hasta"], [*ROW, "01/10/2026", "01/11/2026"]))
    assert document.period == OCTOBER
    assert (
        "line 1: the period's end, 2026-11-01, is taken for the day after it" in document.warnings
    )


@pytest.mark.parametrize(
    ("heading", "rates", "kept"),
    [
        ("TRM", ["4,012.53"], ("USD", "COP", "4012.53")),
        ("Tasa de cambio", ["4012.53", "4012.53"], (None, None, "4012.53")),
        ("Tipo de cambio", [""], (None, None, None)),
    ],
)
def test_a_column_of_exchange_rates_is_read(
    heading: str, rates: list[str], kept: tuple[str | None, ...]
) -> None:
    """The TRM is that of dollars in pesos; of another rate the sheet does not say which one."""
    document = document_in(csv([*HEADINGS, heading], *([*ROW, rate] for rate in rates)))
    assert (document.exchange_currency, document.exchange_in_currency) == kept[:2]
    assert document.exchange_rate == (Decimal(kept[2]) if kept[2] else None)


@pytest.mark.parametrize(
    ("rates", "says"),
    [
        (["4012.53", "4100.00"], "TRM: 2 rates in one document: none taken"),
        (["sin dato"], "K2 (TRM) is a text of 8 characters, which is no number: the rate is not "
         "taken"),
    ],
)  # fmt: skip
def test_a_column_of_exchange_rates_that_says_nothing_is_told(rates: list[str], says: str) -> None:
    """The document is taken without a rate."""
    document = document_in(csv([*HEADINGS, "TRM"], *([*ROW, rate] for rate in rates)))
    assert document.exchange_rate is None and says in document.warnings
