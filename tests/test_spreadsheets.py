"""CSV and XLSX into documents: headings, separators, encodings, numbers, dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from documents import xlsx
from wolkvox_billing.invoices import Document, Rejected, complete
from wolkvox_billing.invoices.files import read_file
from wolkvox_billing.invoices.period import Period

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
        ("1.200", "0,125", "15 000,00".replace(" ", ""), Decimal(15000)),
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


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-03", date(2026, 11, 3)),
        ("2026-11-03 10:20:30", date(2026, 11, 3)),
        ("03/11/2026", date(2026, 11, 3)),
        ("3/11/2026", date(2026, 11, 3)),
        ("03-11-2026", date(2026, 11, 3)),
        ("03.11.2026", date(2026, 11, 3)),
        ("46329", date(2026, 11, 3)),
        ("", None),
    ],
)
def test_dates(text: str, day: date | None) -> None:
    """ISO, day first, and a serial number of Excel's; a blank is NULL."""
    assert only(csv(HEADINGS, changed(Fecha=text))).issue_date == day


@pytest.mark.parametrize("text", ["2026-13-01", "31/02/2026", "ayer", "3/11/26", "99999", "12"])
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
    assert found.lines[0].quantity == Decimal(3)
    assert "a credit note with negative amounts: taken without the sign" in found.warnings


def test_a_total_row_is_passed_over_and_told() -> None:
    """A row without a number that says it is a total is no line; any other is rejected."""
    total = changed(Factura="", Concepto="TOTAL", Cantidad="", Unitario="")
    nameless = changed(Factura="")
    found = whats(csv(HEADINGS, ROW, nameless, total))
    assert str(found[0]) == "the row of A3 (Tipo) has no document number"
    assert found[1].net_amount == Decimal(15000)
    assert "the row of A4 (Tipo) is a total: passed over" in found[1].warnings


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
        ([HEADINGS, [*ROW, "5"]], "the row of A2 has 11 cells, the header 10"),
        ([HEADINGS, changed(Tipo="Recibo")], "A2 (Tipo) is 'Recibo': expected factura"),
        ([HEADINGS, changed(Moneda="$")], "J2 (Moneda) is '$': expected a code such as COP"),
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


def test_columns_that_are_not_read_are_named() -> None:
    """A column that means nothing here is told, so that nobody thinks it counted."""
    found = only(csv([*HEADINGS, "Vendedor"], [*ROW, "x"]))
    assert found.warnings == ["columns that are not read: Vendedor"]


def test_a_column_of_months_gives_the_period() -> None:
    """A month in a column of its own is the period by text."""
    found = only(csv([*HEADINGS, "Período"], [*changed(Concepto="Audios"), "sep-26"]))
    assert found.period == Period(date(2026, 9, 1), date(2026, 10, 1))
    assert found.period_source == "text"


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
    assert "no sheet with a header row" in reason(xlsx([["a"], ["b"]]))


def test_a_serial_number_in_a_workbook_is_its_date() -> None:
    """A date whose cell is not formatted as one is Excel's serial number."""
    assert only(xlsx([HEADINGS, [*ROW[:2], 46329, *ROW[3:]]])).issue_date == date(2026, 11, 3)


def test_what_a_spreadsheet_computed_in_binary_is_what_it_shows() -> None:
    """0.1 + 0.2 in a workbook is 0.3, and no warning."""
    found = only(xlsx([HEADINGS, [*ROW[:7], 0.1 + 0.2, None, "COP"]]))
    assert found.net_amount == Decimal("0.3")
    assert not any("decimals" in one for one in found.warnings)


def test_a_formula_without_its_value_is_refused_with_its_place() -> None:
    """A workbook that no spreadsheet program has computed has no values: not zero, refused."""
    assert "H2 is a formula without its value" in reason(
        xlsx([HEADINGS, [*ROW[:7], "=F2*G2", None, "COP"]])
    )
