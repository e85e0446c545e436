"""CSV and XLSX into documents: headings, separators, encodings, numbers, dates."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from documents import SUPPLIER, ubl, xlsx, zipped
from wolkvox_billing.invoices import Document, Rejected, complete
from wolkvox_billing.invoices.files import read_file
from wolkvox_billing.invoices.period import Period
from wolkvox_billing.invoices.ubl import read_xml
from wolkvox_billing.reconciliation.policy import Policy

OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))
HEADINGS = ["Tipo", "Nº Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Vr. Unitario",
            "Subtotal", "IVA", "Moneda"]  # fmt: skip
ROW = ["Factura", "F-1", "2026-11-03", "900123456", "Grabaciones octubre 2026", "1200", "12.5",
       "15000.00", "2850.00", "COP"]  # fmt: skip


def csv(*rows: list[str], delimiter: str = ",") -> str:
    return "\n".join(
        delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in rows
    )


def changed(**cells: str) -> list[str]:
    """ROW with other cells, by heading without blanks and marks."""
    names = ["Tipo", "Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Unitario", "Subtotal",
             "IVA", "Moneda"]  # fmt: skip
    return [cells.get(name, value) for name, value in zip(names, ROW, strict=True)]


def whats(data: bytes | str, decimal: str | None = None) -> list[Any]:
    given = data.encode() if isinstance(data, str) else data
    found = [one.what for one in read_file("lines.csv", given, decimal)]
    for one in found:
        if isinstance(one, Document):
            complete(one, "month_before_issue")
    return found


def only(data: bytes | str, decimal: str | None = None) -> Document:
    [what] = whats(data, decimal)
    assert isinstance(what, Document), what
    return what


def reason(data: bytes | str, decimal: str | None = None) -> str:
    [what] = whats(data, decimal)
    assert isinstance(what, Rejected), what
    return str(what)


def test_spanish_headings_give_every_field() -> None:
    """The headings that people use are the fields, and a file's sums are those of its rows."""
    found = only(csv(HEADINGS, ROW))
    assert (found.document_kind, found.document_number) == ("invoice", "F-1")
    assert (found.supplier_id, found.issue_date) == ("900123456", date(2026, 11, 3))
    assert (found.period, found.period_source) == (OCTOBER, "text")
    assert (found.net_amount, found.tax_amount) == (Decimal(15000), Decimal(2850))
    assert (found.payable_amount, found.billing_currency) == (Decimal(17850), "COP")
    assert found.format == "csv" and found.warnings == []
    [line] = found.lines
    assert line.description == "Grabaciones octubre 2026"
    assert (line.quantity, line.unit_price) == (Decimal(1200), Decimal("12.5"))
    assert (line.net_amount, line.tax_amount) == (Decimal(15000), Decimal(2850))


def test_english_headings_are_the_columns_of_the_tables() -> None:
    """The fields' own names are headings, periods are inclusive, and codes and units are read."""
    names = ("supplier_id,document_kind,document_number,issue_date,period_start,period_end,"
             "operation,description,item_code,quantity,unit,unit_price,net_amount,tax_amount,"
             "currency")  # fmt: skip
    row = "900,credit_note,NC-1,2026-11-03,2026-10-01,2026-10-31,ventas,Audios,RS,5,94,2,10,1.9,USD"
    found = only(f"{names}\n{row}")
    assert (found.document_kind, found.period) == ("credit_note", OCTOBER)
    assert found.period_source == "document" and found.billing_currency == "USD"
    [line] = found.lines
    assert (line.operation, line.item_code, line.unit_code) == ("ventas", "RS", "94")
    assert line.period == OCTOBER and line.tax_amount == Decimal("1.9")


@pytest.mark.parametrize(
    "heading",
    ["Nº Factura", "N° FACTURA", "No. Factura", "número  de factura", "Numero_Factura", "factura",
     "NUM. FACTURA", "document_number"],
)  # fmt: skip
def test_a_heading_is_matched_without_case_accents_blanks_and_marks(heading: str) -> None:
    """However the column of numbers is written, it is the column of numbers."""
    headings = [heading if one == "Nº Factura" else one for one in HEADINGS]
    assert only(csv(headings, ROW)).document_number == "F-1"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_separators_and_encodings(delimiter: str, codec: str) -> None:
    """Comma, semicolon and tab, in each encoding, give the same document."""
    text = csv(HEADINGS, changed(Concepto="Grabación, año; 2"), delimiter=delimiter)
    found = only(text.encode(codec))
    assert found.lines[0].description == "Grabación, año; 2"
    assert (
        found.document_id == only(csv(HEADINGS, changed(Concepto="Grabación, año; 2"))).document_id
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
    found = only(csv(HEADINGS, row, delimiter=";"))
    assert found.lines[0].net_amount == value
    assert found.lines[0].quantity == Decimal(1200)


def test_a_number_that_reads_in_two_ways_is_refused_with_its_place() -> None:
    """6.660 alone may be either: refused by its cell, until somebody says which."""
    rows = csv(HEADINGS, changed(Cantidad="6.660", Unitario="", Subtotal="10", IVA=""))
    assert reason(rows) == (
        "F2 (Cantidad) is '6.660', which reads in two ways, and no other number of the file "
        "settles it: say --decimal . or --decimal ,"
    )
    assert only(rows, ".").lines[0].quantity == Decimal("6.66")
    assert only(rows, ",").lines[0].quantity == Decimal(6660)


def test_two_ways_in_one_file_are_refused_with_both_places() -> None:
    """A file that writes decimals behind a dot and behind a comma is not believed."""
    rows = csv(HEADINGS, changed(Unitario="12,5", Subtotal="15000.25"), delimiter=";")
    assert reason(rows) == (
        "H2 (Subtotal) is '15000.25' and G2 (Vr. Unitario) is '12,5': one has decimals behind a "
        "dot, the other behind a comma"
    )


def test_what_the_person_says_is_not_bent() -> None:
    """With --decimal, a number that does not read that way is refused with its place."""
    rows = csv(HEADINGS, changed(Subtotal="1.234,56"), delimiter=";")
    assert reason(rows, ".").endswith("H2 (Subtotal) is '1.234,56', which is no number")


def test_an_unreadable_number_rejects_its_document_only() -> None:
    """The other documents of the file load."""
    rows = csv(HEADINGS, changed(Factura="F-1", Subtotal="N/A"), changed(Factura="F-2"))
    first, second = whats(rows)
    assert str(first) == "the document F-1: H2 (Subtotal) is 'N/A', which is no number"
    assert second.document_number == "F-2"


@pytest.mark.parametrize("text", ["(-100.50)", "(100.50-)", "(+100.50)"])
def test_a_sign_in_parentheses_reads_in_two_ways(text: str) -> None:
    """Parentheses are a minus of their own: with another sign in them it is no number."""
    assert f"H2 (Subtotal) is '{text}', which is no number" in reason(
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
    assert only(csv(HEADINGS, changed(Fecha=text))).issue_date == day


@pytest.mark.parametrize("text", ["2026-13-01", "31/02/2026", "26-11-03", "99999", "12"])
def test_what_is_no_date_is_refused_with_its_place(text: str) -> None:
    """A date in no known form rejects the document, by its cell."""
    assert f"C2 (Fecha) is '{text}', which is no date" in reason(csv(HEADINGS, changed(Fecha=text)))


def test_a_file_that_writes_the_month_first_is_refused_whole() -> None:
    """One date that can only be month/day/year makes every other date of the file doubtful."""
    rows = csv(HEADINGS, changed(Fecha="10/11/2026"), changed(Factura="F-2", Fecha="10/31/2026"))
    assert "C3 (Fecha) is '10/31/2026', with the month first" in reason(rows)


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
    found = whats(rows)
    assert [(one.document_kind, one.document_number, len(one.lines)) for one in found] == [
        ("invoice", "F-1", 2),
        ("invoice", "F-2", 1),
        ("credit_note", "F-1", 1),
        ("invoice", "F-1", 1),
    ]
    assert [one.net_amount for one in found] == [Decimal(15100), Decimal(7), Decimal(5), Decimal(6)]


def test_a_credit_note_with_a_minus_is_turned_and_told() -> None:
    """A credit note's amounts are positive in every format: a minus is taken off, and told."""
    found = only(csv(HEADINGS, changed(Tipo="NC", Cantidad="-3", Subtotal="-5", IVA="-1")))
    assert (found.net_amount, found.tax_amount) == (Decimal(5), Decimal(1))
    assert found.lines[0].quantity == Decimal(3) and found.payable_amount == Decimal(6)
    assert "a credit note with negative amounts: taken without the sign" in found.warnings


@pytest.mark.parametrize("word", ["TOTAL", "Gran total:", "subtotal", "Total general", "Totales"])
@pytest.mark.parametrize("heading", ["Factura", "Concepto", "Moneda"])
def test_a_total_row_is_passed_over_and_told(word: str, heading: str) -> None:
    """A row that says it is a total is no line and no document, whichever cell says it."""
    total = changed(**{"Factura": "", "Concepto": "", heading: word})
    found = only(csv(HEADINGS, ROW, total))
    assert found.net_amount == Decimal(15000)
    assert found.warnings == ["passed over, since it says that it is a total: row 3"]


def test_a_total_may_stand_in_a_column_that_is_not_read() -> None:
    """Of a row, all cells are looked at for a word such as total."""
    found = only(csv([*HEADINGS, "Notas"], [*ROW, ""], [*ROW, "Total"]))
    assert len(found.lines) == 1


def test_a_row_without_a_number_takes_its_document_with_it() -> None:
    """Under merged cells only the first row has the number: no document of that row alone is
    taken, and the documents beside it are."""
    rows = [changed(Factura="F-0"), ROW, changed(Factura=""), changed(Factura="F-2")]
    first, broken, last = whats(csv(HEADINGS, *rows))
    assert (first.document_number, last.document_number) == ("F-0", "F-2")
    assert str(broken) == (
        "the document F-1: row 4, under it, has no number: fill in the number in each row"
    )
    lost, good = whats(csv(HEADINGS, changed(Factura=""), ROW))
    assert str(lost) == "no document number: row 2: fill in the number in each row"
    assert good.document_number == "F-1"


def test_a_note_under_the_rows_is_passed_over() -> None:
    """A row with nothing in a column that is read takes no document with it."""
    note = [None] * 11
    assert len(only(xlsx([HEADINGS, ROW, [*note, "Gracias"], [" "]])).lines) == 1


def test_a_blank_is_what_the_other_rows_of_the_number_have() -> None:
    """Supplier, kind and currency may stand in one row of a document only, in any."""
    found = only(csv(HEADINGS, changed(NIT="", Tipo="", Moneda=""), changed(Tipo="Nota crédito")))
    assert (found.supplier_id, found.document_kind) == ("900123456", "credit_note")
    assert [one.billing_currency for one in found.lines] == ["COP", "COP"]
    assert "no document kind: taken for an invoice" not in found.warnings


def test_a_blank_that_may_be_either_is_refused() -> None:
    """Where two suppliers have the number, a row without a supplier may be of both."""
    rows = csv(HEADINGS, ROW, changed(NIT="800111222"), changed(NIT=""))
    assert reason(rows) == (
        "the document F-1: D4 (NIT) is blank, and other rows of the same number differ there: "
        "fill it in each row"
    )


def test_rows_on_two_sheets_are_one_document() -> None:
    """A document may go on on the next sheet."""
    found = only(xlsx([HEADINGS, ROW], [HEADINGS, changed(Subtotal="5")]))
    assert found.net_amount == Decimal(15005)


def test_a_prefix_in_a_column_of_its_own_is_of_the_number() -> None:
    """`Prefijo` and `Número` make the number, unless it has the prefix already."""
    headings = ["Prefijo", *HEADINGS]
    rows = [
        ["FE", *changed(Factura="7")],
        ["NC", *changed(Factura="7")],
        ["FE", *changed(Factura="FE8")],
    ]
    assert [one.document_number for one in whats(csv(headings, *rows))] == ["FE7", "NC7", "FE8"]


def test_two_issue_dates_in_one_document_are_refused_with_both_places() -> None:
    """Rows of one number with different dates are two documents, or a mistake: refused."""
    assert reason(csv(HEADINGS, ROW, changed(Fecha="2026-12-03"))) == (
        "the document F-1: C2 (Fecha) is 2026-11-03 and C3 (Fecha) is 2026-12-03: one document "
        "has one issue date"
    )


def test_a_sum_that_does_not_fit_is_refused() -> None:
    """Two amounts of 14 digits are one of 15, which no table holds."""
    most = changed(Cantidad="", Unitario="", Subtotal="99999999999999", IVA="")
    assert "the sum of the net amounts does not fit: 14 digits" in reason(csv(HEADINGS, most, most))
    taxed = changed(Cantidad="", Unitario="", Subtotal="99999999999999", IVA="1")
    assert "the sum with taxes does not fit: 14 digits" in reason(csv(HEADINGS, taxed))


@pytest.mark.parametrize("heading", ["% IVA", "IVA %", "Tarifa IVA"])
def test_a_rate_is_no_tax_amount(heading: str) -> None:
    """A column of percentages is not read, and told."""
    found = only(csv([*HEADINGS, heading], [*ROW, "19"]))
    assert found.tax_amount == Decimal(2850)
    assert found.warnings == [f"columns that are not read: {heading}"]


@pytest.mark.parametrize(
    ("vague", "field", "value"),
    [("Nº", "document_number", "F-1"), ("Ítem", "description", "Grabaciones octubre 2026"),
     ("Base gravable", "net_amount", Decimal(15000))],
)  # fmt: skip
def test_the_exact_heading_counts(vague: str, field: str, value: Any) -> None:
    """Beside an exact heading, a vague one is another thing: not read, and told."""
    found = only(csv([vague, *HEADINGS], ["1", *ROW]))
    assert getattr(found if field == "document_number" else found.lines[0], field) == value
    assert found.warnings == [f"columns that are not read: {vague}"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("Factura electrónica de venta", "invoice"), ("FEV", "invoice"), ("1", "invoice"),
     ("Nota de crédito electrónica", "credit_note"), ("91", "credit_note"),
     ("Nota débito", "debit_note"), ("debit_note", "debit_note")],
)  # fmt: skip
def test_kinds(text: str, kind: str) -> None:
    """However a kind is called in Colombia, it is one of three."""
    assert only(csv(HEADINGS, changed(Tipo=text))).document_kind == kind


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
    assert only(csv(HEADINGS, changed(NIT=text))).supplier_id == supplier_id
    party = SUPPLIER.replace(">900123456<", f">{text}<")
    [document] = read_xml(ubl(supplier=party))
    assert isinstance(document, Document) and document.supplier_id == supplier_id
    assert Policy(supplier_ids=(text, "800")).supplier_ids == (supplier_id, "800")


def test_what_is_no_tax_id_is_not_kept() -> None:
    """A name in the column of tax ids is NULL with a warning."""
    found = only(csv(HEADINGS, changed(NIT="Juan Pérez")))
    assert found.supplier_id is None
    assert "the supplier's tax id has no digit: not taken" in found.warnings


def test_no_name_or_address_is_in_a_message() -> None:
    """What stands in place of a number or date is quoted only if it cannot be of a person."""
    for heading in ("Cantidad", "Fecha"):
        said = reason(csv(HEADINGS, changed(**{heading: "juan.perez@gmail.com"})))
        assert "a text of 20 characters" in said and "juan" not in said
    assert "juan" not in reason(csv(HEADINGS, changed(Tipo="juan.perez@gmail.com.co")))


def test_a_price_that_does_not_make_the_amount_is_told() -> None:
    """12.500 read as 12.5 shows in the amount: 1200 x 12.5 is 15000, and not 15000000."""
    rows = [ROW, changed(Subtotal="15000000.00"), changed(Subtotal="15000.01")]
    assert only(csv(HEADINGS, *rows)).warnings == [
        "quantity times unit price is not the net amount in line 2: a discount, or a number that "
        "was misread"
    ]


def test_a_text_full_of_another_separator_is_a_text() -> None:
    """A cell with 200 commas in a file of semicolons is one cell."""
    row = changed(Concepto="," * 200)
    assert only(csv(HEADINGS, row, delimiter=";")).lines[0].description == "," * 200


def test_titles_above_the_header_are_passed_over() -> None:
    """The header is the row with the headings, not the first one."""
    assert only("Nube de Voz SAS\n\nRelación de facturas\n" + csv(HEADINGS, ROW)).lines


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
        ([HEADINGS, changed(Tipo="Factura anulada")], "A2 (Tipo) is 'Factura anulada': expected"),
        ([HEADINGS], "no header row with rows of a document under it"),
        ([HEADINGS, changed(Subtotal="")], "H2 (Subtotal) is blank: a line needs its amount"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_rejected_with_its_place(rows: list[list[str]], says: str) -> None:
    """A header that is none, doubled or short, a row that is too long, a word that nobody knows."""
    assert says in reason(csv(*rows))


def test_without_a_currency_a_document_is_rejected() -> None:
    """Nobody guesses the currency."""
    with pytest.raises(Rejected, match="the document F-1 states no currency"):
        whats(csv(HEADINGS, changed(Moneda="")))


def test_a_currency_may_have_its_sign() -> None:
    """COP$ is COP."""
    assert only(csv(HEADINGS, changed(Moneda="COP$"))).billing_currency == "COP"


def test_a_quote_that_stands_wrong_is_told() -> None:
    """What is wrong with the CSV is said, not that it has no header."""
    assert reason('"Plan" oro\n' + csv(HEADINGS, ROW)).startswith("no well-formed CSV: row 1: ")


def test_columns_that_are_not_read_are_named() -> None:
    """A column that means nothing here is told, so that nobody thinks it counted."""
    found = only(csv([*HEADINGS, "Vendedor"], [*ROW, "x"]))
    assert found.warnings == ["columns that are not read: Vendedor"]


def test_a_column_of_months_gives_the_period() -> None:
    """A month in a column of its own is the period by text."""
    found = only(csv([*HEADINGS, "Período"], [*changed(Concepto="Audios"), "sep-26"]))
    assert found.period == Period(date(2026, 9, 1), date(2026, 10, 1))
    assert found.period_source == "text"


@pytest.mark.parametrize("month", [date(2026, 9, 1), "202609", 202609, "2026-09", "sept. 2026"])
def test_a_month_in_a_workbook(month: Any) -> None:
    """Excel turns sep-26 into a date: it is the month again."""
    found = only(xlsx([[*HEADINGS, "Mes"], [*changed(Concepto="Audios"), month]]))
    assert found.period == Period(date(2026, 9, 1), date(2026, 10, 1))


@pytest.mark.parametrize(
    ("text", "says"),
    [("agosto", "K2 (Mes) is a month without a year: not taken"),
     ("13/2026", "K2 (Mes) is '13/2026', which names no period: not taken")],
)  # fmt: skip
def test_a_month_that_nobody_can_read_is_told(text: str, says: str) -> None:
    """The period then comes from elsewhere, and the warning names the cell."""
    found = only(csv([*HEADINGS, "Mes"], [*ROW, text]))
    assert found.period == OCTOBER and says in found.warnings


def test_months_that_differ_are_of_their_lines() -> None:
    """A document over two months has the month of each line."""
    found = only(csv([*HEADINGS, "Mes"], [*ROW, "2026-09"], [*ROW, "2026-10"]))
    assert [one.period for one in found.lines] == [
        Period(date(2026, 9, 1), date(2026, 10, 1)), OCTOBER]  # fmt: skip
    assert found.period_source == "line"


def test_a_period_end_on_the_first_of_a_month_is_the_day_after() -> None:
    """From the first to the first is a month, and the warning says how the end was taken."""
    found = only(csv([*HEADINGS, "Desde", "Hasta"], [*ROW, "01/10/2026", "01/11/2026"]))
    assert found.period == OCTOBER
    assert "line 1: the period's end, 2026-11-01, is taken for the day after it" in found.warnings


def test_a_workbook_is_the_same_document_as_its_csv() -> None:
    """XLSX with real numbers and dates has the id and the lines of the same rows in CSV."""
    row = ["Factura", "F-1", date(2026, 11, 3), 900123456, "Grabaciones octubre 2026", 1200,
           12.5, 15000, 2850.0, "COP"]  # fmt: skip
    found = only(xlsx([HEADINGS, row]))
    same = only(csv(HEADINGS, ROW))
    assert found.format == "xlsx" and found.lines == same.lines
    assert found.document_id == same.document_id


def test_all_sheets_with_a_header_are_read() -> None:
    """A sheet without one is passed over, and places name their sheet."""
    found = whats(
        xlsx([["notas"]], [HEADINGS, ROW], [[], HEADINGS, changed(Factura="F-2", IVA="x")])
    )
    assert [getattr(one, "document_number", None) for one in found] == ["F-1", None]
    assert "Sheet3!I3 (IVA) is 'x'" in str(found[1])
    assert "no header row with rows" in reason(xlsx([["a"], ["b"]]))


def test_a_serial_number_in_a_workbook_is_its_date() -> None:
    """A date whose cell is not formatted as one is Excel's serial number."""
    assert only(xlsx([HEADINGS, [*ROW[:2], 46329, *ROW[3:]]])).issue_date == date(2026, 11, 3)


def test_what_a_spreadsheet_computed_in_binary_is_what_it_shows() -> None:
    """0.1 + 0.2 in a workbook is 0.3, and no warning."""
    found = only(xlsx([HEADINGS, [*ROW[:7], 0.1 + 0.2, None, "COP"]]))
    assert found.net_amount == Decimal("0.3")
    assert not any("decimals" in one for one in found.warnings)


def edited(data: bytes, **changes: tuple[str, str]) -> bytes:
    """A workbook with a text in a part replaced; `sheet1`, `styles`, ... are the parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    for part, (old, new) in changes.items():
        name = next(one for one in parts if one.endswith(f"/{part}.xml"))
        assert old.encode() in parts[name]
        parts[name] = parts[name].replace(old.encode(), new.encode())
    return zipped(parts)


def test_a_formula_without_its_value_is_refused_with_its_place() -> None:
    """A workbook that no spreadsheet program has computed has no values: not zero, refused. In a
    column that is not read it does not matter."""
    said = reason(xlsx([HEADINGS, [*ROW[:7], "=F2*G2", None, "COP"]]))
    assert said.startswith("the document F-1: H2 (Subtotal) is a formula without its value")
    assert only(xlsx([[], [*HEADINGS, "Notas"], [], [*ROW, "=1+1"]])).net_amount == Decimal(15000)


def test_a_formula_whose_value_is_the_empty_text_is_a_blank() -> None:
    """Excel keeps `""` as an empty value of a text: the cell is blank."""
    data = edited(
        xlsx([HEADINGS, [*ROW[:8], "=5", "COP"]]), sheet1=('<c r="I2"><f>', '<c r="I2" t="str"><f>')
    )
    assert only(data).tax_amount is None


def test_a_percentage_is_no_amount() -> None:
    """A cell that shows 19 % in the column of taxes is refused with its place."""
    data = io.BytesIO(xlsx([HEADINGS, [*ROW[:8], 0.19, "COP"]]))
    book = openpyxl.load_workbook(data)
    book.worksheets[0]["I2"].number_format = "0.00%"
    saved = io.BytesIO()
    book.save(saved)
    assert "I2 (IVA) is a percentage, 19.00%: an amount was expected" in reason(saved.getvalue())


def test_a_cell_that_is_endless_is_refused_with_its_place() -> None:
    """5,000 characters are the most of a cell."""
    row = changed(Concepto="x" * 5001)
    for data in (xlsx([HEADINGS, row]), csv(HEADINGS, row)):
        assert "E2 (Concepto) is longer than 5,000 characters" in reason(data)


@pytest.mark.parametrize("name", ["xl/sharedStrings.xml", "xl/theme/theme1.xml", "xl/else.bin"])
@pytest.mark.parametrize(
    ("codec", "says"),
    [("utf-8", "an XLSX with a DTD inside"), ("utf-8-sig", "an XLSX with a DTD inside"),
     ("utf-16", "not in UTF-8"), ("utf-16-le", "not in UTF-8"), ("utf-16-be", "not in UTF-8")],
)  # fmt: skip
def test_no_part_of_a_workbook_has_a_dtd(name: str, codec: str, says: str) -> None:
    """An entity is refused in whatever encoding, and whatever its part is called."""
    with zipfile.ZipFile(io.BytesIO(xlsx([HEADINGS, ROW]))) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    parts[name] = '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode(codec)
    assert says in reason(zipped(parts))


BLANK_ROWS = "".join(f'<row r="{n}"/>' for n in range(3, 200_010))
SHEETS = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(101))
BOUNDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a row far away": (
        lambda: edited(xlsx([HEADINGS, ROW]), sheet1=('<row r="2"', '<row r="1000000000"')),
        "or with a row that none has"),
    "blank rows": (
        lambda: edited(xlsx([HEADINGS, ROW]), sheet1=("</sheetData>", f"{BLANK_ROWS}</sheetData>")),
        "a spreadsheet of more than 200,000 rows, blank ones counted"),
    "deep": (
        lambda: edited(xlsx([HEADINGS, ROW]), sheet1=("<sheetData>", "<a>" * 200 + "<sheetData>")),
        "more than 100 deep"),
    "rows": (
        lambda: edited(xlsx([HEADINGS, ROW]), sheet1=(
            "</sheetData>", "<row><c><v>1</v></c></row>" * 50_000 + "</sheetData>")),
        "a spreadsheet of more than 50,000 rows"),
    "sheets": (
        lambda: edited(xlsx([HEADINGS, ROW]), workbook=("<sheets>", f"<sheets>{SHEETS}")),
        "a workbook of more than 100 sheets"),
    "rows of a CSV": (lambda: (csv(HEADINGS) + "\n1" * 1_000_000).encode(), "50,000 rows"),
    "blank rows of a CSV": (lambda: (csv(HEADINGS) + "\n" * 19_000_000).encode(), "200,000 rows"),
    "separators": (
        lambda: (csv(HEADINGS) + ("\n" + "," * 99) * 190_000).encode(), "no header row with rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOUNDS)
def test_what_has_no_end_is_left(name: str) -> None:
    """Rows, sheets and depth beyond the limits are not read on."""
    make, says = BOUNDS[name]
    data = make()
    began = time.monotonic()
    assert says in reason(data)
    assert time.monotonic() - began < 5


def as_excel_writes(rows: str, texts: str) -> bytes:
    """A workbook with its texts in a part of their own, which cells point to."""
    return zipped(
        {
            "[Content_Types].xml": b"<Types/>",
            "xl/workbook.xml": b'<workbook xmlns:r="r"><sheets><sheet name="a" r:id="s"/></sheets>'
            b"</workbook>",
            "xl/_rels/workbook.xml.rels": b"<Relationships>"
            b'<Relationship Id="s" Type="x/worksheet" Target="/xl/worksheets/sheet1.xml"/>'
            b'<Relationship Id="t" Type="x/sharedStrings" Target="sharedStrings.xml"/>'
            b"</Relationships>",
            "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>"
            "".encode(),
            "xl/sharedStrings.xml": f"<sst>{texts}</sst>".encode(),
        }
    )


HEADER_ROW = '<row r="1">' + "".join(f'<c t="s"><v>{n}</v></c>' for n in range(10)) + "</row>"
TEXTS = "".join(f"<si><t>{one}</t></si>" for one in HEADINGS)


def test_texts_that_cells_point_to_are_read() -> None:
    """Excel keeps each text once: a formatted one in runs, and one with its pronunciation."""
    texts = (
        "<si><r><t>Graba</t></r><r><t>ciones</t></r><rPh><t>no</t></rPh></si><si><t>COP</t></si>"
    )
    row = (
        '<row r="5"><c r="B5"><v>7</v></c><c r="C5"><v>46329</v></c><c r="E5" t="s"><v>10</v></c>'
        '<c r="H5"><f>1+1</f><v>1234.5</v></c><c r="J5" t="s"><v>11</v></c></row>'
    )
    found = only(as_excel_writes(HEADER_ROW + row, TEXTS + texts))
    assert (found.document_number, found.issue_date) == ("7", date(2026, 11, 3))
    assert found.lines[0].description == "Grabaciones"
    assert (found.net_amount, found.billing_currency) == (Decimal("1234.5"), "COP")


def test_what_breaks_a_workbook_is_not_quoted() -> None:
    """A cell that is no number, though its type says so, may hold whatever."""
    row = "<row><c/><c><v>juan@gmail.com</v></c></row>"
    said = reason(as_excel_writes(HEADER_ROW + row, TEXTS))
    assert said == "not readable as XLSX: xl/worksheets/sheet1.xml: ValueError"


def test_one_text_in_many_rows_is_bounded() -> None:
    """A workbook holds a text once, however many cells show it: what they show is counted."""
    row = '<row><c/><c><v>9</v></c><c/><c/><c t="s"><v>10</v></c></row>'
    data = as_excel_writes(HEADER_ROW + row * 5_000, f"{TEXTS}<si><t>{'x' * 200_000}</t></si>")
    assert reason(data) == "a spreadsheet of more than 20,000,000 characters: split it"


def test_no_row_is_lost_between_the_first_and_the_others() -> None:
    """The header is looked for in 30 rows; of 100, all are lines."""
    rows = [changed(Subtotal="1", Cantidad="", Unitario="") for _ in range(100)]
    assert only(csv(HEADINGS, *rows)).net_amount == Decimal(100)
    assert only(xlsx([HEADINGS, *rows])).net_amount == Decimal(100)
