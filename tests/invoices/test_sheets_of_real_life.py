"""Spreadsheets as people keep them: totals, summaries, copies, what is hidden, cancelled or written
under the table. What counts is counted once, and what is passed over is told."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import PatternFill

from builders.documents import titled, ubl, zipped
from builders.read_documents import contents_in, document_in, documents_in, rejection_of
from builders.sheets import DETAIL, HEADINGS, changed, csv, listed
from wolkvox_billing.invoices import Document, Hints, Rejected, complete_document
from wolkvox_billing.invoices.files import read_file
from wolkvox_billing.invoices.sheets.labels import bare

NET, LINES = Decimal(100_000), 2


def row(**cells: object) -> list[object]:
    """A row of the list with only these cells, by heading without blanks and marks."""
    names = ["Tipo", "Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Unitario", "Subtotal",
             "IVA", "Moneda"]  # fmt: skip
    return [cells.get(name) for name in names]


def assert_counted_once(*rows: list[object], as_workbook: bool = True) -> Document:
    """The invoice of the list, in two lines, is all that a file of these rows bills: a CSV, and a
    workbook."""
    workbooks = [titled({"Facturas": [HEADINGS, *rows]})] if as_workbook else []
    for data in (listed(HEADINGS, *rows), *workbooks):
        document = document_in(data)
        assert (document.document_number, document.net_amount) == ("FE-1001", NET)
        assert len(document.lines) == LINES and document.tax_amount == Decimal(19_000)
    return document


TOTAL = {"Cantidad": 1000, "Subtotal": 100000, "IVA": 19000, "Moneda": "COP"}
OF_DOCUMENT = {"Tipo": "Factura", "Fecha": "2026-11-03", "NIT": "900123456"}
TOTAL_LABELS = [
    "Total FE-1001", "Total proveedor", "Total factura", "TOTAL FACTURA FE-1001:", "FE-1001 Total",
    "Subtotal FE-1001", "Sub-total", "Gran total", "Total general", "Total a pagar", "TOTALES",
    "T O T A L", "Total facturado octubre 2026", "Suma", "SUMAS IGUALES", "Suma total",
    "Sumatoria", "Total documentos: 1", "Total NIT 900123456", "Total 900123456", "Total mes",
    "Valor total", "Importe total", "Neto a pagar", "Suma y sigue", "Viene de la página anterior",
    "Grand total", "Invoice total", "Total invoice FE-1001", "Total amount due", "Amount due",
    "Total for supplier", "Page total", "Sum", "Carried forward", "Subtotals", "TOTAL COP",
    "Total (sin IVA)", "Total página 1 de 2", "∑", "Total Grabaciones RSYNC S3 MP3 octubre 2026",
    "*** TOTAL ***", "Total acumulado", "Running total", "Total por factura",
]  # fmt: skip


@pytest.mark.parametrize("label", TOTAL_LABELS)
def test_a_row_that_says_total_is_no_row_wherever_it_says_so(label: str) -> None:
    """However people write it, and in whichever column, a total is neither a document nor a line,
    and costs no invoice."""
    for cells in (
        {"Factura": label},
        {"Concepto": label},
        {"Tipo": label},
        {"Fecha": label},
        {"NIT": label},
        {"Moneda": label},
        {**OF_DOCUMENT, "Factura": label},
        {**OF_DOCUMENT, "Factura": "FE-1001", "Concepto": label},
        {**OF_DOCUMENT, "Concepto": label},
    ):
        # Rows of a workbook are looked at as those of a CSV are: one column is tried in both.
        in_both = cells == {"Factura": label}
        document = assert_counted_once(*DETAIL, row(**TOTAL | cells), as_workbook=in_both)
        assert any("says that it is a total: row 4" in w for w in document.warnings)


@pytest.mark.parametrize("name", ["VA", "Van", "Pasa a factura", "Vienen de datos"])
def test_a_line_with_a_price_may_be_called_like_what_is_carried_over(name: str) -> None:
    """What goes from page to page has no price of its own: with one it is a line."""
    for amount in (0, 500):
        own = {"Factura": "FE-1001", "Concepto": name, "Cantidad": amount, "Unitario": 1}
        extra = row(**OF_DOCUMENT | own | {"Subtotal": amount, "IVA": 0, "Moneda": "COP"})
        document = document_in(listed(HEADINGS, *DETAIL, extra))
        assert [line.description for line in document.lines][LINES:] == [name]
        assert document.net_amount == NET + amount


@pytest.mark.parametrize("label", ["Total FE-1001", "Gran total", "Total general"])
def test_a_total_may_stand_above_or_between(label: str) -> None:
    """Wherever the row stands, it is a total."""
    total = row(**TOTAL | {"Factura": label})
    assert_counted_once(total, *DETAIL)
    assert_counted_once(DETAIL[0], total, DETAIL[1])
    assert_counted_once(total, DETAIL[0], total, DETAIL[1], total)


def test_a_total_with_a_name_of_a_supplier_is_a_total() -> None:
    """What is named elsewhere in the table, or stands in the column of numbers, is no product."""
    total = row(**TOTAL | {"Factura": "Total Nube de Voz SAS"})
    assert_counted_once(*DETAIL, total)
    assert_counted_once(*DETAIL, row(**TOTAL | {"Concepto": "Total Nube de Voz SAS"}))


def test_totals_of_several_invoices_and_of_all() -> None:
    """A total under each invoice, one under each supplier and one under all bill nothing."""
    second = [*DETAIL[0][:1], "FE-1002", *DETAIL[0][2:]]
    documents = documents_in(
        listed(
            HEADINGS,
            *DETAIL,
            row(Factura="Total FE-1001", Subtotal=100000, IVA=19000),
            second,
            row(Factura="Total FE-1002", Subtotal=60000, IVA=11400),
            row(NIT="Total 900123456", Subtotal=160000, IVA=30400),
            row(Concepto="Total general", Subtotal=160000, IVA=30400, Cantidad=1600),
        )
    )
    assert [(d.document_number, d.net_amount) for d in documents] == [
        ("FE-1001", NET), ("FE-1002", Decimal(60000))]  # fmt: skip


@pytest.mark.parametrize(
    "cells",
    [
        {"Subtotal": 100000},
        {"Subtotal": 100000, "IVA": 19000, "Cantidad": 1000},
        {"Subtotal": 119000},
        {**OF_DOCUMENT, "Factura": "FE-1001", "Subtotal": 100000, "IVA": 19000, "Cantidad": 1000},
        {**OF_DOCUMENT, "Factura": "FE-1001", "Concepto": "Consumo del período", **TOTAL},
        {**OF_DOCUMENT, "Factura": "FE-1001", "Unitario": 100, **TOTAL,
         "Concepto": "Grabaciones RSYNC S3 MP3 octubre 2026"},
        {"Factura": "2", **TOTAL},
    ],
)  # fmt: skip
def test_a_sum_of_the_rows_above_is_a_total_without_a_label(cells: dict[str, object]) -> None:
    """Arithmetic tells as well: a row that is the sum of those above it is passed over."""
    document = assert_counted_once(*DETAIL, row(**cells))
    assert any("it is the sum of the rows above it: row 4" in w for w in document.warnings)


UNDER = [
    [row(Concepto="IVA 19%", Subtotal=19000), row(Concepto="Total a pagar", Subtotal=119000)],
    [row(Concepto="Retefuente 4%", Subtotal=-4000), row(Subtotal=115000)],
    [row(Subtotal=1234)],
    [row(Concepto="Saldo", Subtotal=0), row(Concepto="Anticipo", Subtotal=-1)],
    [row(Factura="Saldo anterior", Subtotal=50000)],
    [row(Factura="Promedio", Subtotal=50000), row(Factura="Cuenta", Subtotal=2)],
    [row(Factura="Registros: 2", Cantidad=2), row(Concepto="Página", Cantidad=1)],
    [row(Factura="Octubre", Subtotal=100000, Moneda="COP")],
]


@pytest.mark.parametrize("rows", UNDER)
def test_what_stands_under_a_table_costs_no_invoice(rows: list[list[object]]) -> None:
    """Taxes, balances, counts and sums without a document's number are passed over, and told."""
    document = assert_counted_once(*DETAIL, *rows)
    assert any("passed over" in warning for warning in document.warnings)


@pytest.mark.parametrize("text", [None, "Servicios de octubre", "Resumen"])
def test_a_sum_above_its_rows_is_a_total(text: str | None) -> None:
    """A row that is the sum of those of its number below it, and has no price, is no line."""
    assert_counted_once(row(**OF_DOCUMENT | TOTAL, Factura="FE-1001", Concepto=text), *DETAIL)


def test_a_total_of_what_is_cancelled_too_costs_no_invoice() -> None:
    """A sum that counts a cancelled row agrees with nothing, and refuses nothing."""
    rows = [[*HEADINGS, "Estado"], *([*r, "Emitida"] for r in DETAIL),
            [*DETAIL[0][:1], "FE-1000", *DETAIL[0][2:], "Cancelada"],
            row(Subtotal=160000, IVA=30400)]  # fmt: skip
    document = document_in(listed(*rows))
    assert document.net_amount == NET
    assert "`Cancelada` is taken for annulled; if it means paid, write Pagada" in document.warnings


def test_a_line_that_happens_to_be_a_sum_is_a_line() -> None:
    """With a text and a price of its own, or another quantity, it is a line, and told."""
    other = row(**OF_DOCUMENT | TOTAL, Factura="FE-1001", Concepto="Grabación de pantalla",
                Unitario=100)  # fmt: skip
    document = document_in(listed(HEADINGS, *DETAIL, other))
    assert document.net_amount == 2 * NET
    assert any("taken for a line: row 4" in warning for warning in document.warnings)
    fees = [changed(Concepto=name, Cantidad="1", Unitario=n, Subtotal=n, IVA="0")
            for name, n in (("Cargo A", "10"), ("Cargo B", "20"), ("Cargo C", "30"))]  # fmt: skip
    assert document_in(csv(HEADINGS, *fees)).net_amount == Decimal(60)


def test_a_product_called_total_is_a_line() -> None:
    """`Total Care` adds up to nothing above it: a line, and told."""
    care = row(**OF_DOCUMENT, Factura="FE-1001", Concepto="Total Care soporte", Cantidad=1,
               Unitario=5000, Subtotal=5000, IVA=950, Moneda="COP")  # fmt: skip
    document = document_in(listed(HEADINGS, *DETAIL, care))
    assert document.net_amount == Decimal(105_000)
    assert any("taken for a line: row 4" in warning for warning in document.warnings)
    middle = [*DETAIL[0][:4], "Servicio total care plan", *DETAIL[0][5:]]
    assert document_in(listed(HEADINGS, middle)).net_amount == Decimal(60000)


def test_a_supplier_called_total_loses_no_invoice() -> None:
    """Total Play is a company: two invoices of one amount are two."""
    rows = [[*DETAIL[0][:1], number, *DETAIL[0][2:], "TOTAL PLAY"] for number in ("FE-1", "FE-2")]
    assert len(documents_in(listed([*HEADINGS, "Proveedor"], *rows))) == 2
    assert len(documents_in(listed([*HEADINGS, "Forma de pago"], *rows))) == 2


def test_invoices_whose_only_line_says_total_are_invoices() -> None:
    """A list with one row an invoice, `Total facturado`, is a list of invoices."""
    rows = [[*DETAIL[0][:1], number, *DETAIL[0][2:4], "Total facturado octubre", *DETAIL[0][5:]]
            for number in ("FE-1001", "FE-1002", "FE-1003")]  # fmt: skip
    assert [d.net_amount for d in documents_in(listed(HEADINGS, *rows))] == [Decimal(60000)] * 3


LABELS = st.sampled_from(TOTAL_LABELS)
FIELDS = st.sampled_from(["Factura", "Concepto", "Tipo", "NIT", "Moneda"])


@settings(max_examples=60, deadline=None)
@given(
    amounts=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 10**7)), min_size=1, max_size=8),
    totals=st.lists(st.tuples(st.integers(0, 8), LABELS, FIELDS, st.integers(1, 10**8)),
                    max_size=5),
)  # fmt: skip
def test_totals_anywhere_change_no_sum(
    amounts: list[tuple[int, int]], totals: list[tuple[int, str, str, int]]
) -> None:
    """A table with total rows inserted anywhere sums to what it summed to before."""
    rows: list[list[object]] = [
        row(**OF_DOCUMENT, Factura=f"FE-{number}", Concepto=f"Audios {n}", Cantidad=net,
            Unitario=1, Subtotal=net, IVA=0, Moneda="COP")
        for n, (number, net) in enumerate(amounts)
    ]  # fmt: skip
    before = {d.document_number: d.net_amount for d in documents_in(listed(HEADINGS, *rows))}
    for at, label, field, net in totals:
        rows.insert(min(at, len(rows)), row(**{"Subtotal": net, "Cantidad": net, field: label}))
    after = {d.document_number: d.net_amount for d in documents_in(listed(HEADINGS, *rows))}
    assert after == before


# Sheets that say a thing again.

SUMMARY = [["Nº Factura", "Fecha", "NIT", "Subtotal", "IVA", "Moneda"],
           ["FE-1001", "2026-11-03", "900123456", 100000, 19000, "COP"]]  # fmt: skip
FULL = [HEADINGS, *DETAIL]


@pytest.mark.parametrize(
    "sheets",
    [
        {"Detalle": FULL, "Resumen": SUMMARY},
        {"Resumen": SUMMARY, "Detalle": FULL},
        {"Facturas": FULL, "Copia de Facturas": FULL},
        {"Facturas": FULL, "Hoja2": FULL, "Hoja3": FULL},
        {"Resumen": [["Nº Factura", "Fecha", "NIT", "Total", "Moneda"],
                     ["FE1001", "2026-11-03", "900123456", 119000, "COP"]], "Detalle": FULL},
        {"Detalle": FULL, "Tabla dinámica": [["Etiquetas de fila", "Suma de Subtotal"],
                                            ["FE-1001", 100000], ["Total general", 100000]]},
        {"Detalle": FULL, "TD": [["Nº Factura", "Subtotal", "IVA", "Cantidad"],
                                 ["FE-1001", 100000, 19000, 1000],
                                 ["(en blanco)", None, None, None],
                                 ["Total general", 100000, 19000, 1000]]},
        {"Uno": FULL[:2], "Dos": [HEADINGS, DETAIL[1]], "Resumen": SUMMARY},
        {"Resumen": SUMMARY, "Uno": FULL[:2], "Dos": [HEADINGS, DETAIL[1]]},
        {"Detalle": FULL, "Resumen": [*SUMMARY, ["Total", None, None, 100000, 19000, None]]},
        {"Detalle": FULL, "Una línea": [HEADINGS, [*DETAIL[0][:4], "Grabaciones", 1000, 100,
                                                   100000, 19000, "COP"]]},
        {"Todo": [*FULL, [], *SUMMARY]},
        {"Todo": [*FULL, *FULL[:1], ["Total", None, None, None, None, 1000, None, 100000, 19000]]},
    ],
)  # fmt: skip
def test_a_sheet_that_restates_another_bills_nothing(sheets: dict[str, Any]) -> None:
    """Detail and summary in any order, copies, pivots and tables below tables: the invoice is
    billed once, by the table that says most."""
    document = document_in(titled(sheets))
    assert (bare(document.document_number or ""), document.net_amount) == ("fe1001", NET)
    assert len(document.lines) == LINES and document.tax_amount == Decimal(19000)


@settings(max_examples=40, deadline=None)
@given(
    invoices=st.lists(st.lists(st.integers(1, 10**6), min_size=1, max_size=4), min_size=1,
                      max_size=4),
    is_first=st.booleans(),
    is_with_tax=st.booleans(),
    spelling=st.sampled_from(["FE-{}", "FE{}", "fe 0{}", "Factura FE-{}"]),
)  # fmt: skip
def test_a_summary_of_any_list_changes_no_sum(
    invoices: list[list[int]], is_first: bool, is_with_tax: bool, spelling: str
) -> None:
    """Beside a list, before or behind it, by net amounts or with tax, in whatever spelling: each
    invoice is billed once, as the list says."""
    detail = [
        row(**OF_DOCUMENT, Factura=f"FE-{n}", Concepto=f"Audios {at}", Cantidad=net, Unitario=1,
            Subtotal=net, IVA=net, Moneda="COP")
        for n, nets in enumerate(invoices, 1001) for at, net in enumerate(nets)
    ]  # fmt: skip
    summary = [["Nº Factura", "Fecha", "NIT", "Total" if is_with_tax else "Subtotal", "Moneda"]]
    for n, nets in enumerate(invoices, 1001):
        amount = sum(nets) * (2 if is_with_tax else 1)
        summary.append([spelling.format(n), "2026-11-03", "900123456", amount, "COP"])
    sheets = {"Lista": [HEADINGS, *detail], "Por factura": summary}
    if is_first:
        sheets = dict(reversed(sheets.items()))
    documents = documents_in(titled(sheets))
    assert {bare(d.document_number or ""): d.net_amount for d in documents} == {
        f"fe{n}": sum(nets) for n, nets in enumerate(invoices, 1001)
    }


def test_a_sheet_that_lacks_what_is_needed_costs_no_other() -> None:
    """A pivot with three known headings and no net amount is told, beside a list that has all."""
    pivot = [["Nº Factura", "Fecha", "NIT", "Suma de Subtotal"],
             ["FE-1001", "2026-11-03", "900123456", 100000]]  # fmt: skip
    document = document_in(titled({"Pivote": pivot, "Detalle": FULL}))
    assert document.net_amount == NET
    assert any("not read" in w and "Pivote" in w for w in document.warnings)
    assert "without a column for net_amount" in rejection_of(titled({"Pivote": pivot}))


@pytest.mark.parametrize("number", ["FE-1001 y FE-1002", "2 facturas", None, "R-1"])
def test_a_sum_over_all_of_another_sheet_is_no_invoice(number: str | None) -> None:
    """One row that is the sum of all rows of a sheet, under whatever number, restates them."""
    second = [*DETAIL[1][:1], "FE-1002", *DETAIL[1][2:]]
    total = ["Factura", number, None, "900123456", "Servicios", None, None, 100000, 19000, "COP"]
    for sheets in (
        {"Detalle": [HEADINGS, DETAIL[0], second], "R": [HEADINGS, total]},
        {"R": [HEADINGS, total], "Detalle": [HEADINGS, DETAIL[0], second]},
    ):
        documents = documents_in(titled(sheets))
        assert [d.document_number for d in documents] == ["FE-1001", "FE-1002"]
        assert any("the sum of all of sheet Detalle: row 2 of R" in w
                   for w in documents[0].warnings)  # fmt: skip


def test_what_only_the_summary_says_is_taken() -> None:
    """Date, supplier and currency may stand in the summary alone."""
    detail = [["Nº Factura", "Concepto", "Cantidad", "Subtotal", "IVA"],
              ["FE-1001", "Audios", 600, 60000, 11400],
              ["FE-1001", "Audios", 400, 40000, 7600]]  # fmt: skip
    document = document_in(titled({"Detalle": detail, "Resumen": SUMMARY}))
    assert (document.supplier_id, document.billing_currency) == ("900123456", "COP")
    assert document.issue_date and document.net_amount == NET


def test_a_summary_that_disagrees_refuses_its_invoice_with_both_sheets() -> None:
    """Which of the two is right nobody knows, and the sum of both is wrong."""
    wrong = [SUMMARY[0], ["FE-1001", "2026-11-03", "900123456", 90000, 17100, "COP"],
             ["FE-1002", "2026-11-03", "900123456", 5, 1, "COP"]]  # fmt: skip
    refused, other = contents_in(titled({"Detalle": FULL, "Resumen": wrong}))
    assert str(refused).startswith("the document FE-1001: of sheet Detalle says 100,000")
    assert "Resumen" in str(refused) and isinstance(other, Document)


def test_an_invoice_may_go_on_on_another_sheet() -> None:
    """Two operations on two sheets with the same amount are two parts of an invoice."""
    names = [*HEADINGS, "Operación"]
    sheets = {name: [names, [*DETAIL[0], name]] for name in ("Ventas", "Soporte")}
    assert document_in(titled(sheets)).net_amount == Decimal(120_000)


def test_two_spellings_of_a_number_are_one_document() -> None:
    """FE1001 and FE-1001, and a prefix in a column of its own."""
    rows = [DETAIL[0], [*DETAIL[1][:1], "FE1001", *DETAIL[1][2:]]]
    assert document_in(listed(HEADINGS, *rows)).net_amount == NET
    split = [["Prefijo", *HEADINGS], *(["FE", r[0], 1001, *r[2:]] for r in DETAIL)]
    assert document_in(titled({"Detalle": split, "Resumen": SUMMARY})).net_amount == NET
    assert [bare(text) for text in ("FE-1001", "fe 1001", "1-23", "12-3")] == [
        "fe1001", "fe1001", "1-23", "12-3"]  # fmt: skip


# What is hidden.


def hide(**what: Any) -> Any:
    def change(book: Any) -> None:
        sheet = book.worksheets[what.get("at", 0)]
        for number in what.get("rows", ()):
            sheet.row_dimensions[number].hidden = True
        for letter in what.get("columns", ()):
            sheet.column_dimensions[letter].hidden = True
        sheet.sheet_state = what.get("state", "visible")
        sheet["A1"].fill = PatternFill()

    return change


def test_what_is_hidden_is_told_with_its_place() -> None:
    """A hidden row, column or sheet is read, and told in a warning that says where it is."""
    other = [*DETAIL[0][:1], "FE-0999", *DETAIL[0][2:]]
    for document in documents_in(titled({"Facturas": [*FULL, other]}, hide(rows=[4]))):
        assert "hidden in the workbook, and read: row 4 of Facturas" in document.warnings
    document = document_in(titled({"Facturas": FULL}, hide(columns="FI")))
    assert any("hidden" in w and "F1 (Cantidad), I1 (IVA) of Facturas" in w
               for w in document.warnings)  # fmt: skip
    for state in ("hidden", "veryHidden"):
        document = document_in(titled({"Facturas": FULL, "b": [["x"]]}, hide(state=state)))
        assert "hidden in the workbook, and read: sheet Facturas" in document.warnings
    document = document_in(titled({"Listas": [["x"]], "F": FULL}, hide(state="hidden")))
    assert any("sheet Listas (hidden)" in w for w in document.warnings)


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_copy_of_a_sheet_bills_nothing(state: str) -> None:
    """The visible one counts, and the copy is told."""
    for at in (0, 1):
        data = titled({"Uno": FULL, "Dos": FULL}, hide(at=at, state=state))
        document = document_in(data)
        assert document.net_amount == NET
        assert not any("read: sheet" in warning for warning in document.warnings)
        assert any("restates another table" in warning for warning in document.warnings)


def test_a_hidden_copy_of_a_row_bills_nothing() -> None:
    """A hidden row that repeats a visible one is passed over, and told."""
    document = document_in(titled({"F": [*FULL, DETAIL[1]]}, hide(rows=[4])))
    assert document.net_amount == NET
    assert any("it repeats a row that is visible: row 4" in w for w in document.warnings)


# What stands around the table.


@pytest.mark.parametrize(
    "footer",
    [
        {"Tipo": "Elaborado por: sistema"}, {"Factura": "Elaborado por: Contabilidad"},
        {"Factura": "Página 1 de 2"}, {"Factura": "Page 1"}, {"Tipo": "Procesado en Bogotá"},
        {"Factura": "Procesado en SIIGO 2026-11-05", "Fecha": "2026-11-05"},
        {"Concepto": "Nota: valores en pesos"}, {"NIT": "Revisado por"},
        {"Moneda": "Página 1"}, {"Cantidad": "Página 2"}, {"Subtotal": "________"},
        {"Fecha": "Impreso el 05/11/2026"}, {"Factura": "Generado por SAP"},
        {"Factura": "Printed on 2026-11-05 10:00"}, {"Concepto": "Prepared by"},
        {"Fecha": "2026-11-05"}, {"Factura": "Fuente: ERP", "Concepto": "Software contable"},
    ],
)  # fmt: skip
def test_a_footer_in_a_read_column_is_passed_over(footer: dict[str, object]) -> None:
    """What holds neither number nor amount costs no invoice, above, between and below."""
    document = assert_counted_once(*DETAIL, row(**footer))
    assert any("neither number nor amount: row 4" in w for w in document.warnings)
    assert_counted_once(DETAIL[0], row(**footer), DETAIL[1])


def test_a_header_on_two_rows() -> None:
    """A group above several headings, or a heading that is cut in two, make one header."""
    upper = ["Tipo", "Nº Factura", "Fecha", "NIT", "Concepto", "Consumo", None, "Valores", None,
             "Moneda"]  # fmt: skip
    lower = [None, None, None, None, None, "Cantidad", "Vr. Unitario", "Subtotal", "IVA", None]
    assert document_in(titled({"F": [["Empresa SAS"], upper, lower, *DETAIL]})).net_amount == NET
    upper = ["Tipo", "Nº", "Fecha", "NIT", "Concepto", "Cantidad", "Valor", None, "Valor", "Moneda"]
    lower = [None, "Factura", "Emisión", "Proveedor", None, None, "unitario", "neto", "IVA", None]
    document = document_in(titled({"F": [upper, lower, *DETAIL]}))
    assert (document.net_amount, document.tax_amount) == (NET, Decimal(19000))
    assert document.supplier_id == "900123456" and document.lines[0].unit_price == Decimal(100)
    upper = ["Datos", None, None, None, "Detalle", None, None, "Valores", None, None]
    assert document_in(titled({"F": [upper, HEADINGS, *DETAIL]})).net_amount == NET


def test_a_header_on_every_page() -> None:
    """A header that comes again is no row."""
    assert_counted_once(DETAIL[0], list(HEADINGS), DETAIL[1])


def test_merged_cells_are_of_all_their_rows() -> None:
    """Number, date and supplier in cells that are merged downwards are those of each row; an
    amount counts once."""
    bare_row = [None, None, None, None, *DETAIL[1][4:]]

    def merge(book: Any) -> None:
        for letter in "ABCDJ":
            book.worksheets[0].merge_cells(f"{letter}2:{letter}3")

    document = document_in(titled({"F": [HEADINGS, DETAIL[0], bare_row]}, merge))
    assert document.net_amount == NET and len(document.lines) == LINES


def test_blank_columns_and_titles() -> None:
    """Blank columns between, and titles over merged cells above, change nothing."""
    rows = [[x for value in r for x in (None, value)] for r in (HEADINGS, *DETAIL)]

    def merge(book: Any) -> None:
        book.worksheets[0].merge_cells("A1:J1")

    data = titled({"F": [["Relación de compras 01/10/2026 - 31/10/2026"], [], *rows]}, merge)
    assert document_in(data).net_amount == NET


def test_a_second_table_beside_the_first_is_not_read() -> None:
    """A summary to the right, behind a blank column, is told."""
    beside = [[*HEADINGS, None, *SUMMARY[0]], [*DETAIL[0], None, *SUMMARY[1]], DETAIL[1]]
    document = document_in(titled({"F": beside}))
    assert document.net_amount == NET
    assert "a second table beside the first one is not read" in document.warnings


# What is no bill.


@pytest.mark.parametrize("heading", ["Estado", "Estado factura", "Status", "Estado DIAN"])
@pytest.mark.parametrize(
    "status",
    ["Anulada", "ANULADO", "Cancelada", "Cancelled", "canceled", "Void", "Voided", "Borrador",
     "Draft", "Rechazada por la DIAN", "Rejected", "Proforma", "Pro-forma", "No válida",
     "Reversada", "Devuelta", "Anulada con NC-17", "Sin efecto", "Eliminada", "Deleted",
     "Reemplazada", "Superseded", "Por emitir", "Cotización", "Nula", "Invalid"],
)  # fmt: skip
def test_a_status_that_says_no_bill(heading: str, status: str) -> None:
    """A row that is cancelled, a draft or the like is not billed, and told by name."""
    rows = [[*HEADINGS, heading], *([*r, "Emitida"] for r in DETAIL),
            [*DETAIL[0][:1], "FE-1000", *DETAIL[0][2:], status]]  # fmt: skip
    document = document_in(listed(*rows))
    assert document.document_number == "FE-1001" and document.net_amount == NET
    assert any("not billed" in w and "FE-1000 (row 4" in w for w in document.warnings)


@pytest.mark.parametrize(
    "status",
    ["Emitida", "Pagada", "Pendiente", "Aprobada", "Aceptada", "Activa", "Vencida", "Paid", "Open",
     "Issued", "No anulada", "Not cancelled", "Sin anular", "Contabilizada", "Parcialmente anulada",
     "Enviada", "", "1", "Pago rechazado", "Error en pago", "Reemplaza FE-1000"],
)  # fmt: skip
def test_a_status_that_says_nothing_of_the_kind(status: str) -> None:
    """An invoice that is issued, paid or open is a bill."""
    rows = [[*HEADINGS, "Estado"], *([*r, status] for r in DETAIL)]
    assert document_in(listed(*rows)).net_amount == NET


@pytest.mark.parametrize(
    ("heading", "mark"), [("Anulada", "Sí"), ("Anulado", "X"), ("Void", "yes"), ("Anulada", "1")]
)
def test_a_column_that_asks(heading: str, mark: str) -> None:
    """A column called `Anulada` says it with a mark, and its `No` says nothing."""
    rows = [[*HEADINGS, heading], *([*r, "No"] for r in DETAIL),
            [*DETAIL[0][:1], "FE-1000", *DETAIL[0][2:], mark]]  # fmt: skip
    assert document_in(listed(*rows)).net_amount == NET


def test_what_another_sheet_passes_over_is_told_too() -> None:
    """A sheet of cancelled invoices, or of totals, has no document to tell of them."""
    other = [HEADINGS, [*DETAIL[0][:1], "FE-1000", *DETAIL[0][2:4], "Anulada", *DETAIL[0][5:]]]
    document = document_in(titled({"Facturas": FULL, "Anuladas": other}))
    assert any("not billed" in w and "FE-1000" in w for w in document.warnings)
    document = document_in(titled({"F": FULL, "T": [HEADINGS, row(Factura="Total", Subtotal=1)]}))
    assert any("it is a total: row 2 of T" in warning for warning in document.warnings)


def test_a_row_may_say_it_in_its_text() -> None:
    """`ANULADA` in place of a concept, or in a column that is not read."""
    cancelled = [*DETAIL[0][:1], "FE-1000", *DETAIL[0][2:4], "FACTURA ANULADA", *DETAIL[0][5:]]
    assert_counted_once(*DETAIL, cancelled)
    rows = [[*HEADINGS, "Observaciones"], *DETAIL,
            [*DETAIL[0][:1], "FE-1000", *DETAIL[0][2:], "Anulada por NC 17"]]  # fmt: skip
    assert document_in(listed(*rows)).net_amount == NET


def test_a_file_with_nothing_but_cancelled_rows_is_refused_by_name() -> None:
    """Nothing is left, and the reason says why."""
    reason = rejection_of(listed([*HEADINGS, "Estado"], [*DETAIL[0], "Anulada"]))
    assert reason == "not billed, by what its row says: FE-1001 (row 2: Estado 'Anulada')"


# Headings.


def replaced(**names: str) -> list[str]:
    """HEADINGS with others in place."""
    return [names.get(name, name) for name in HEADINGS]


@pytest.mark.parametrize("heading", ["Valor", "Total", "Valor total", "Vr. Total", "Importe",
                                     "Total factura", "Monto", "Amount"])  # fmt: skip
def test_an_amount_by_another_heading(heading: str) -> None:
    """A list without a net amount has it in another column; quantity and price tell which it is."""
    document = document_in(listed(replaced(Subtotal=heading), *DETAIL))
    assert (document.net_amount, document.tax_amount) == (NET, Decimal(19000))
    gross = [[*r[:7], r[7] + r[8], *r[8:]] for r in DETAIL]
    if heading not in ("Valor", "Importe", "Monto", "Amount"):
        document = document_in(listed(replaced(Subtotal=heading), *gross))
        assert (document.net_amount, document.payable_amount) == (NET, Decimal(119_000))
        no_tax = [[*r[:8], None, *r[9:]] for r in gross]
        assert document_in(listed(replaced(Subtotal=heading), *no_tax)).net_amount == NET


@pytest.mark.parametrize("heading", ["Total", "Valor total", "Total factura", "Valor", "Vr Total"])
def test_a_total_beside_a_net_amount_is_checked(heading: str) -> None:
    """With tax or without, of the line or of the document: it agrees; another is told, and refuses
    nothing."""
    for totals in ([71400, 47600], [60000, 40000], [119000, 119000], [100000, None]):
        rows = [[*r, total] for r, total in zip(DETAIL, totals, strict=True)]
        document = document_in(listed([*HEADINGS, heading], *rows))
        assert document.net_amount == NET and not any("total" in w for w in document.warnings)
    rows = [[*r, 7] for r in DETAIL]
    document = document_in(listed([*HEADINGS, heading], *rows))
    assert document.net_amount == NET
    assert any("neither the net amount nor that with tax" in w for w in document.warnings)


def test_a_total_may_have_marks_of_its_own() -> None:
    """It helps to settle decimals, and does not refuse where it is unclear itself."""
    line = changed(Cantidad="1.000", Unitario="100", Subtotal="100.000", IVA="19.000")
    names = [*HEADINGS, "Total"]
    document = document_in(csv(names, [*line, "119.000,00"], delimiter=";"))
    assert document.net_amount == NET and document.warnings == []
    line = changed(Cantidad="1000", Unitario="100", Subtotal="100000", IVA="19000")
    assert document_in(csv(names, [*line, "119.000"], delimiter=";")).net_amount == NET


def test_a_percentage_as_text_is_a_rate() -> None:
    """`19%` in the column of the tax is told, and no amount."""
    rows = [[*r[:8], "19%", *r[9:], r[7] * 1.19] for r in DETAIL]
    document = document_in(listed([*HEADINGS, "Total"], *rows))
    assert (document.net_amount, document.tax_amount) == (NET, None)
    assert "I2 (IVA) is the rate of the tax, and no amount" in document.warnings
    assert not any("neither the net" in warning for warning in document.warnings)


def test_a_value_that_is_a_price_is_told_by_the_total() -> None:
    """Cantidad, Valor and Total: where Valor x Cantidad is the total, Valor is the price."""
    names = ["Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Valor", "Total", "Moneda"]
    data = listed(names, ["FE-1", "2026-11-03", "900123456", "Audios", 1000, 100, 100000, "COP"])
    document = document_in(data)
    assert document.net_amount == NET and document.lines[0].unit_price == Decimal(100)
    assert "line 1: Valor is taken for the price, by the total" in document.warnings


def test_several_totals_refuse_nothing() -> None:
    """Valor total and Total factura beside each other, with a net amount or without."""
    rows = [[*r, r[7], 119000] for r in DETAIL]
    assert document_in(listed([*HEADINGS, "Valor total", "Total factura"], *rows)).net_amount == NET
    names = [*replaced(Subtotal="Valor total"), "Total factura"]
    assert document_in(listed(names, *([*r, 119000] for r in DETAIL))).net_amount == NET


@pytest.mark.parametrize(
    ("text", "supplier_id", "name"),
    [("900123456", "900123456", None), ("900.123.456-8", "900123456", None),
     ("Nube de Voz SAS", None, "Nube de Voz SAS"),
     ("900123456-8 Nube de Voz SAS", "900123456", "Nube de Voz SAS"),
     ("Nube de Voz SAS (NIT 900123456)", "900123456", "Nube de Voz SAS")],
)  # fmt: skip
def test_a_supplier_by_id_or_name(text: str, supplier_id: str | None, name: str | None) -> None:
    """`Proveedor` holds a NIT, a name or both."""
    for heading in ("Proveedor", "Supplier", "Vendor"):
        rows = [[*r[:3], text, *r[4:]] for r in DETAIL]
        document = document_in(listed(replaced(NIT=heading), *rows))
        assert (document.supplier_id, document.supplier_name) == (supplier_id, name)
    document = document_in(listed([*HEADINGS, "Proveedor"], *([*r, text] for r in DETAIL)))
    assert document.supplier_id == "900123456"


@pytest.mark.parametrize("rate", ["19", "0,19", "0.19"])
def test_a_rate_in_the_column_of_taxes_is_told(rate: str) -> None:
    """19 on a net of 100,000 is no IVA."""
    rows = [[*r[:8], rate, *r[9:]] for r in DETAIL]
    document = document_in(listed(HEADINGS, *rows))
    assert any("the column of the tax seems to hold its rate" in w for w in document.warnings)
    assert document_in(listed(HEADINGS, *DETAIL)).warnings == []
    small = changed(Cantidad="1", Unitario="100", Subtotal="100", IVA="19")
    assert document_in(csv(HEADINGS, small)).warnings == []


# What a person says.


def test_currency_and_supplier_of_a_list_without_them() -> None:
    """What is given counts where the list says nothing, and only there; it is told."""
    without = listed([h for h in HEADINGS if h not in ("NIT", "Moneda")],
                     *([*r[:3], *r[4:9]] for r in DETAIL)).encode()  # fmt: skip
    [paper] = read_file("f.csv", without, Hints(currency="COP", supplier_id="900123456"))
    document = paper.content
    assert isinstance(document, Document)
    complete_document(document, "month_before_issue")
    assert (document.billing_currency, document.supplier_id) == ("COP", "900123456")
    assert sum("that was given" in warning for warning in document.warnings) == 2
    [paper] = read_file("f.csv", listed(*FULL).encode(), Hints(currency="USD", supplier_id="800"))
    assert isinstance(paper.content, Document)
    assert (paper.content.billing_currency, paper.content.supplier_id) == ("COP", "900123456")
    for symbol in ("$", "Pesos"):  # which are of many countries
        rows = [[*r[:9], symbol] for r in DETAIL]
        [paper] = read_file("f.csv", listed(HEADINGS, *rows).encode(), Hints(currency="COP"))
        assert isinstance(paper.content, Document) and paper.content.billing_currency == "COP"
    [paper] = read_file("f.xml", ubl().encode(), Hints(currency="USD", supplier_id="800"))
    assert isinstance(paper.content, Document) and paper.content.billing_currency == "COP"


# Files that are not what they are called.


def renamed(data: bytes, main: str, folder: str) -> bytes:
    """A workbook whose main part has another name, in another folder."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    moved = {}
    for name, part in parts.items():
        path = name.replace("xl/workbook.xml", f"{folder}{main}").replace("xl/", folder)
        moved[path.replace("workbook.xml.rels", f"{main}.rels")] = part.replace(
            b"xl/workbook.xml", f"{folder}{main}".encode()
        ).replace(b'"/xl/', f'"/{folder}'.encode())
    return zipped(moved)


@pytest.mark.parametrize(
    ("main", "folder"), [("workbook2.xml", "xl/"), ("Book.xml", "data/"), ("book.xml", "")]
)
def test_the_main_part_is_found_by_its_relationships(main: str, folder: str) -> None:
    """A workbook may call its parts as it likes."""
    assert document_in(renamed(titled({"F": FULL}), main, folder)).net_amount == NET


def html_of(rows: list[list[object]], before: str = "", after: str = "") -> str:
    cells = ["".join(f"<td>{'' if v is None else v}</td>" for v in r) for r in rows]
    return f"{before}<table>{''.join(f'<tr>{c}</tr>' for c in cells)}</table>{after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("<html><head><meta charset=utf-8></head><body>", "</body></html>"),
        ('<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://x/y.dtd"><html><body>', ""),
        ('<?xml version="1.0" encoding="utf-8"?><html xmlns:x="urn:schemas-microsoft-com:office:'
         'excel"><head><style>td{x:y}</style></head><body><div>', "</div></body></html>"),
        ("\ufeff\r\n<style>.a{}</style><center>", "<table><tr><td>Total</td></tr></table>"),
    ],
)  # fmt: skip
def test_an_html_table_called_xls_is_read_and_says_so(before: str, after: str) -> None:
    """What programs export as .xls is a table of HTML: read, and told."""
    for codec in ("utf-8", "utf-16"):
        document = document_in(html_of(FULL, before, after).encode(codec))
        assert document.format == "html" and document.net_amount == NET
        assert any("an HTML table, and no workbook" in w for w in document.warnings)


def test_an_html_table_with_spans_and_hidden_rows() -> None:
    """Rows that a cell reaches over, columns that a title does, and what a style hides."""
    first = "".join(f"<td rowspan=2>{v}</td>" for v in DETAIL[0][:4])
    rest = ["".join(f"<td>{v}</td>" for v in r[4:]) for r in DETAIL]
    head = "".join(f"<th>{h}</th>" for h in HEADINGS)
    text = (
        "<table><tr><td colspan=10>Relación</td></tr>"
        f"<tr>{head}</tr><tr>{first}{rest[0]}</tr><tr style='display: none'>{rest[1]}</tr></table>"
    )
    document = document_in(text)
    assert document.net_amount == NET
    assert any("hidden in the workbook, and read: row 4" in w for w in document.warnings)


def test_html_without_a_table_is_refused() -> None:
    """A page that says that a session is over is no list of invoices."""
    [rejection] = contents_in("<html><body>Sesión expirada</body></html>")
    assert isinstance(rejection, Rejected)
    assert "web archive" in rejection_of("MIME-Version: 1.0\r\nContent-Type: multipart/related")
