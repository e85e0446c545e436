"""Workbooks of Excel into documents: typed cells, sheets, formulas, zips that have no end."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import openpyxl
import pytest

from builders.documents import xlsx, zipped
from builders.fuzzing import at_length
from builders.read_documents import contents_in, document_in, rejection_of
from builders.sheets import HEADINGS, ROW, changed, csv
from wolkvox_billing.invoices import Document


def test_a_workbook_is_the_same_document_as_its_csv() -> None:
    """XLSX with real numbers and dates has the id and the lines of the same rows in CSV."""
    row = ["Factura", "F-1", date(2026, 11, 3), 900123456, "Grabaciones octubre 2026", 1200,
           12.5, 15000, 2850.0, "COP"]  # fmt: skip
    document = document_in(xlsx([HEADINGS, row]))
    same = document_in(csv(HEADINGS, ROW))
    assert document.format == "xlsx" and document.lines == same.lines
    assert document.document_id == same.document_id


def test_all_sheets_with_a_header_are_read() -> None:
    """A sheet without one is passed over, and places name their sheet."""
    document, rejection = contents_in(
        xlsx([["notas"]], [HEADINGS, ROW], [[], HEADINGS, changed(Factura="F-2", IVA="x")])
    )
    assert isinstance(document, Document) and document.document_number == "F-1"
    assert "Sheet3!I3 (IVA) is 'x'" in str(rejection)
    assert "no header row with rows" in rejection_of(xlsx([["a"], ["b"]]))


def test_a_serial_number_in_a_workbook_is_its_date() -> None:
    """A date whose cell is not formatted as one is Excel's serial number."""
    assert document_in(xlsx([HEADINGS, [*ROW[:2], 46329, *ROW[3:]]])).issue_date == date(
        2026, 11, 3
    )


def test_what_a_spreadsheet_computed_in_binary_is_what_it_shows() -> None:
    """0.1 + 0.2 in a workbook is 0.3, and no warning."""
    document = document_in(xlsx([HEADINGS, [*ROW[:7], 0.1 + 0.2, None, "COP"]]))
    assert document.net_amount == Decimal("0.3")
    assert not any("decimals" in warning for warning in document.warnings)


def edited(data: bytes, **changes: tuple[str, str]) -> bytes:
    """A workbook with a text in a part replaced; `sheet1`, `styles`, ... are the parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for part, (old, new) in changes.items():
        name = next(name for name in parts if name.endswith(f"/{part}.xml"))
        assert old.encode() in parts[name]
        parts[name] = parts[name].replace(old.encode(), new.encode())
    return zipped(parts)


def test_a_formula_without_its_value_is_refused_with_its_place() -> None:
    """A workbook that no spreadsheet program has computed has no values: not zero, refused. In a
    column that is not read it does not matter."""
    reason = rejection_of(xlsx([HEADINGS, [*ROW[:7], "=F2*G2", None, "COP"]]))
    assert reason.startswith("the document F-1: H2 (Subtotal) is a formula without its value")
    assert document_in(xlsx([[], [*HEADINGS, "Notas"], [], [*ROW, "=1+1"]])).net_amount == Decimal(
        15000
    )


def test_a_formula_whose_value_is_the_empty_text_is_a_blank() -> None:
    """Excel keeps `""` as an empty value of a text: the cell is blank."""
    data = edited(
        xlsx([HEADINGS, [*ROW[:8], "=5", "COP"]]), sheet1=('<c r="I2"><f>', '<c r="I2" t="str"><f>')
    )
    assert document_in(data).tax_amount is None


def test_a_percentage_is_no_amount() -> None:
    """A cell that shows 19 % in the column of taxes is their rate, and told with its place; in that
    of amounts it is refused."""
    data = io.BytesIO(xlsx([HEADINGS, [*ROW[:8], 0.19, "COP"]]))
    book = openpyxl.load_workbook(data)
    book.worksheets[0]["I2"].number_format = "0.00%"
    saved = io.BytesIO()
    book.save(saved)
    document = document_in(saved.getvalue())
    assert (document.net_amount, document.tax_amount) == (Decimal(15000), None)
    assert "I2 (IVA) is the rate of the tax, and no amount" in document.warnings
    book.worksheets[0]["H2"] = 0.15
    book.worksheets[0]["H2"].number_format = "0.00%"
    saved = io.BytesIO()
    book.save(saved)
    assert "H2 (Subtotal) is a percentage" in rejection_of(saved.getvalue())


def test_a_cell_that_is_endless_is_refused_with_its_place() -> None:
    """5,000 characters are the most of a cell."""
    row = changed(Concepto="x" * 5001)
    for data in (xlsx([HEADINGS, row]), csv(HEADINGS, row)):
        assert "E2 (Concepto) is longer than 5,000 characters" in rejection_of(data)


@pytest.mark.parametrize("name", ["xl/sharedStrings.xml", "xl/theme/theme1.xml", "xl/else.bin"])
@pytest.mark.parametrize(
    ("codec", "says"),
    [("utf-8", "an XLSX with a DTD inside"), ("utf-8-sig", "an XLSX with a DTD inside"),
     ("utf-16", "not in UTF-8"), ("utf-16-le", "not in UTF-8"), ("utf-16-be", "not in UTF-8")],
)  # fmt: skip
def test_no_part_of_a_workbook_has_a_dtd(name: str, codec: str, says: str) -> None:
    """An entity is refused in whatever encoding, and whatever its part is called."""
    with zipfile.ZipFile(io.BytesIO(xlsx([HEADINGS, ROW]))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[name] = '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode(codec)
    assert says in rejection_of(zipped(parts))


BLANK_ROWS = "".join(f'<row r="{n}"/>' for n in range(3, 200_010))
SHEETS = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(101))
# At length as many as are looked at, or as fit into a file.
MERGED = at_length([2_005], 20_005)[-1]
ROWS, BLANK, SEPARATED = at_length(
    [(100_000, 2_000_000, 20_000)], (1_000_000, 19_000_000, 190_000)
)[-1]
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
    "merged cells": (
        lambda: edited(xlsx([HEADINGS, changed(Subtotal="x")]), sheet1=(
            "</sheetData>", "</sheetData>" + "".join(
                f'<mergeCell ref="A{n}:CV{n + 9000}"/>' for n in range(5, MERGED)))),
        "H2 (Subtotal) is 'x'"),
    "rows of a CSV": (lambda: (csv(HEADINGS) + "\n1" * ROWS).encode(), "50,000 rows"),
    "blank rows of a CSV": (lambda: (csv(HEADINGS) + "\n" * BLANK).encode(), "200,000 rows"),
    "separators": (
        lambda: (csv(HEADINGS) + ("\n" + "," * 99) * SEPARATED).encode(),
        "no header row with rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOUNDS)
def test_what_has_no_end_is_left(name: str) -> None:
    """Rows, sheets and depth beyond the limits are not read on."""
    make, says = BOUNDS[name]
    data = make()
    began = time.process_time()  # a busy machine takes longer, and does no more
    assert says in rejection_of(data)
    assert time.process_time() - began < 5


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
TEXTS = "".join(f"<si><t>{heading}</t></si>" for heading in HEADINGS)


def test_texts_that_cells_point_to_are_read() -> None:
    """Excel keeps each text once: a formatted one in runs, and one with its pronunciation."""
    texts = (
        "<si><r><t>Graba</t></r><r><t>ciones</t></r><rPh><t>no</t></rPh></si><si><t>COP</t></si>"
    )
    row = (
        '<row r="5"><c r="B5"><v>7</v></c><c r="C5"><v>46329</v></c><c r="E5" t="s"><v>10</v></c>'
        '<c r="H5"><f>1+1</f><v>1234.5</v></c><c r="J5" t="s"><v>11</v></c></row>'
    )
    document = document_in(as_excel_writes(HEADER_ROW + row, TEXTS + texts))
    assert (document.document_number, document.issue_date) == ("7", date(2026, 11, 3))
    assert document.lines[0].description == "Grabaciones"
    assert (document.net_amount, document.billing_currency) == (Decimal("1234.5"), "COP")


def test_what_breaks_a_workbook_is_not_quoted() -> None:
    """A cell that is no number, though its type says so, may hold whatever."""
    row = "<row><c/><c><v>juan@gmail.com</v></c></row>"
    reason = rejection_of(as_excel_writes(HEADER_ROW + row, TEXTS))
    assert reason == "not readable as XLSX: xl/worksheets/sheet1.xml: ValueError"


def test_one_text_in_many_rows_is_bounded() -> None:
    """A workbook holds a text once, however many cells show it: what they show is counted."""
    row = '<row><c/><c><v>9</v></c><c/><c/><c t="s"><v>10</v></c></row>'
    data = as_excel_writes(HEADER_ROW + row * 5_000, f"{TEXTS}<si><t>{'x' * 200_000}</t></si>")
    assert rejection_of(data) == "a spreadsheet of more than 20,000,000 characters: split it"


def test_no_row_is_lost_between_the_first_and_the_others() -> None:
    """The header is looked for in 30 rows; of 100, all are lines."""
    rows = [changed(Subtotal="1", Cantidad="", Unitario="") for _ in range(100)]
    assert document_in(csv(HEADINGS, *rows)).net_amount == Decimal(100)
    assert document_in(xlsx([HEADINGS, *rows])).net_amount == Decimal(100)
