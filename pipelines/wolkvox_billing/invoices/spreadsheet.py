"""CSV and XLSX into documents: a header row, then a line of a document in each row.

A file may hold many documents; rows with one supplier, kind and number are one. A document whose
rows cannot be read is rejected alone, unless what is wrong concerns the whole file.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import WINDOWS_EPOCH

from wolkvox_billing.invoices import headings
from wolkvox_billing.invoices.cells import (
    Cell,
    check_day_first,
    date_in,
    number_in,
    settle_decimal,
    text_of,
)
from wolkvox_billing.invoices.document import Document, Line, Rejected, short, storable, stored
from wolkvox_billing.invoices.period import Period, between

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS = 50_000, 100
_HEADER_WITHIN = 30  # rows: titles and addresses stand above it
_DELIMITERS = (",", ";", "\t")
_KINDS = {
    "invoice": "invoice factura facturadeventa facturaelectronica fv fe 01",
    "credit_note": "creditnote notacredito notadecredito notacreditoelectronica nc 91",
    "debit_note": "debitnote notadebito notadedebito notadebitoelectronica nd 92",
}
_KIND = {name: kind for kind, names in _KINDS.items() for name in [kind, *names.split()]}
_NUMBERS = ("quantity", "unit_price", "net_amount", "tax_amount")
_DATES = ("issue_date", "period_start", "period_end")

Row = dict[str, Cell]  # field → cell


def read_csv(data: bytes, decimal: str | None = None) -> Iterator[Document | Rejected]:
    """The documents of a CSV file. Raises Rejected for the file as a whole."""
    if len(data) > MOST_BYTES:
        raise Rejected(f"a text of {len(data):,} bytes: {MOST_BYTES:,} are the most")
    text = _decoded(data)
    best = max(_DELIMITERS, key=lambda one: _header(_csv_rows(text, one, _HEADER_WITHIN)[0])[1])
    rows, complaint = _csv_rows(text, best)
    if _header(rows)[1] == 0:
        raise Rejected(
            "neither XML nor zip, and as a spreadsheet without a header row: expected headings "
            "such as Nº Factura, Fecha, Concepto, Cantidad, Subtotal, Moneda"
        )
    if complaint:
        raise Rejected(f"no well-formed CSV: {complaint}")
    yield from _documents("csv", [rows], decimal, WINDOWS_EPOCH)


def read_xlsx(
    data: bytes, parts: Mapping[str, bytes], decimal: str | None = None
) -> Iterator[Document | Rejected]:
    """The documents of an XLSX file, all sheets with a header row. Raises Rejected for the file as
    a whole.

    parts: what is in its zip, by name, within limits.
    """
    texts = [part for name, part in parts.items() if name.endswith((".xml", ".rels"))]
    if any(b"<!DOCTYPE" in part or b"<!ENTITY" in part for part in texts):
        raise Rejected("an XLSX with a DTD inside, which none has and a hostile file may")
    in_sheets = [part for name, part in parts.items() if name.startswith("xl/worksheets/")]
    has_formulas = any(b"<f" in part for part in in_sheets)
    try:
        sheets, epoch = _sheets(data)
        formulas = _sheets(data, values=False)[0] if has_formulas else []
    except Rejected:
        raise
    except Exception as error:  # whatever a library meets in a broken file, it is the file's fault
        raise Rejected(
            f"not readable as XLSX: {type(error).__name__}: {short(str(error))}"
        ) from None
    for sheet, same in zip(sheets, formulas, strict=False):
        for row, written in zip(sheet, same, strict=False):
            for cell, formula in zip(row, written, strict=False):
                if cell.value is None and str(formula.value or "").startswith("="):
                    raise Rejected(
                        f"{cell.place} is a formula without its value: open the file in the "
                        "spreadsheet program, and save it"
                    )
    if not any(_header(sheet)[1] for sheet in sheets):
        raise Rejected(
            "no sheet with a header row: expected headings such as Nº Factura, Fecha, Concepto, "
            "Cantidad, Subtotal, Moneda"
        )
    yield from _documents("xlsx", sheets, decimal, epoch)


def _sheets(data: bytes, values: bool = True) -> tuple[list[list[list[Cell]]], datetime]:
    book = openpyxl.load_workbook(
        io.BytesIO(data), read_only=True, data_only=values, keep_links=False
    )
    several = len(book.worksheets) > 1
    sheets = []
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # a file may lie about them
        rows = sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)
        named = f"{sheet.title}!" if several else ""
        sheets.append(
            [
                _cells(row, n, named)
                for n, row in enumerate(rows, 1)
                if any(v is not None for v in row)
            ]
        )
    return sheets, book.epoch


def _csv_rows(text: str, delimiter: str, most: int | None = None) -> tuple[list[list[Cell]], str]:
    """The first rows, or all, and what is wrong with the one that follows."""
    rows: list[list[Cell]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(islice(reader, most), 1):
            rows.append(_cells(row, number))
    except csv.Error as error:
        return rows, str(error)
    return rows, ""


def _cells(row: Sequence[Any], number: int, sheet: str = "") -> list[Cell]:
    return [
        Cell(one, f"{sheet}{get_column_letter(n)}{number}")
        for n, one in enumerate(row[: MOST_COLUMNS + 1], 1)
    ]


def _decoded(data: bytes) -> str:
    """The file's text. Without a BOM it is UTF-8 if it can be, else cp1252, Excel's on Windows."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif data[1:2] == b"\0" or data[:1] == b"\0":
        encodings = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Rejected("neither XML, zip nor text: no kind of file that is read here")


def _header(rows: Sequence[Sequence[Cell]]) -> tuple[int, int]:
    """Where the header row is, and how many of its headings are known; (0, 0) if there is none."""
    found = [(n, headings.fields_of(row)) for n, row in enumerate(rows[:_HEADER_WITHIN])]
    known = [(n, len(fields)) for n, fields in found if headings.is_header(fields)]
    return max(known, key=lambda one: one[1], default=(0, 0))


def _documents(
    file_kind: str, sheets: Sequence[Sequence[Sequence[Cell]]], decimal: str | None, epoch: datetime
) -> Iterator[Document | Rejected]:
    tables = [_rows(sheet) for sheet in sheets if _header(sheet)[1]]
    if sum(len(rows) for rows, _ in tables) > MOST_ROWS:
        raise Rejected(f"a spreadsheet of more than {MOST_ROWS:,} rows")
    all_rows = list(chain.from_iterable(rows for rows, _ in tables))
    check_day_first(row[name] for row in all_rows for name in _DATES if name in row)
    decimal = decimal or settle_decimal(
        row[name] for row in all_rows for name in _NUMBERS if name in row
    )
    for rows, warnings in tables:
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            if number := _text(row, "document_number"):
                kind = headings.plain(_text(row, "document_kind") or "")
                key = (_text(row, "supplier_id") or "", kind, number)
                groups.setdefault(key, []).append(row)
            elif any(headings.plain(text_of(c)) in ("total", "subtotal", "totales", "totalgeneral")
                     for c in row.values()):  # fmt: skip
                warnings.append(f"the row of {_place(row)} is a total: passed over")
            else:
                yield Rejected(f"the row of {_place(row)} has no document number")
        for (*_, number), of_one in groups.items():
            try:
                yield _document(file_kind, of_one, decimal, epoch, warnings)
            except Rejected as error:
                yield Rejected(f"the document {storable(number)}: {error}")


def _rows(sheet: Sequence[Sequence[Cell]]) -> tuple[list[Row], list[str]]:
    """The rows under the header, by field, and warnings that concern all of them."""
    at, _ = _header(sheet)
    header = sheet[at]
    fields = headings.fields_of(header)
    headings.check(fields, header)
    rows: list[Row] = []
    for cells in sheet[at:]:
        if len(cells) > MOST_COLUMNS:
            raise Rejected(f"the row of {cells[0].place} is longer than {MOST_COLUMNS} cells")
    for cells in sheet[at + 1 :]:
        if len(cells) > len(header) and any(text_of(one) for one in cells[len(header) :]):
            raise Rejected(
                f"the row of {cells[0].place} has {len(cells)} cells, the header {len(header)}: "
                "a separator inside a text or number must stand in quotes"
            )
        if any(text_of(one) for one in cells):
            rows.append(
                {
                    name: Cell(cells[n].value, f"{cells[n].place} ({text_of(header[n])})")
                    for n, name in fields.items()
                    if n < len(cells)
                }
            )
    unread = [text_of(one) for n, one in enumerate(header) if n not in fields and text_of(one)]
    return rows, [f"columns that are not read: {', '.join(unread)}"] if unread else []


def _document(
    file_kind: str, rows: list[Row], decimal: str | None, epoch: datetime, warnings: Sequence[str]
) -> Document:
    first = rows[0]
    found = Document(
        document_id="",
        format=file_kind,
        document_kind=_kind(first),
        supplier_id=_text(first, "supplier_id"),
        document_number=_text(first, "document_number"),
        issue_date=date_in(first["issue_date"], epoch) if "issue_date" in first else None,
        billing_currency=_currency(first),
        corrects_number=_text(first, "corrects_number"),
        warnings=list(warnings),
    )
    if "document_kind" not in first or not text_of(first["document_kind"]):
        found.warnings.append("no document kind: taken for an invoice")
    months: list[str] = []
    normal: list[list[str]] = []
    for number, row in enumerate(rows, 1):
        line = _line(row, number, decimal, epoch, found)
        if line.net_amount is None:
            raise Rejected(f"{_place(row, 'net_amount')} is blank: a line needs its amount")
        found.lines.append(line)
        months += filter(None, [_text(row, "period")])
        normal.append([_normal(one) for one in vars(line).values()] + [_text(row, "period") or ""])
        if "issue_date" in row and date_in(row["issue_date"], epoch) != found.issue_date:
            found.warnings.append(f"line {number} has another issue date: the first line's counts")
    found.texts = [months, [one.description for one in found.lines if one.description]]
    periods = {one.period for one in found.lines}
    found.own_period = periods.pop() if len(periods) == 1 else None
    _sums(found)
    head = [found.document_kind, found.supplier_id, found.document_number, found.issue_date,
            found.billing_currency, found.corrects_number]  # fmt: skip
    text = json.dumps([[_normal(one) for one in head], normal], ensure_ascii=True)
    found.document_id = hashlib.sha256(text.encode()).hexdigest()
    return found


def _line(row: Row, number: int, decimal: str | None, epoch: datetime, found: Document) -> Line:
    def amount(name: str) -> Decimal | None:
        exact = number_in(row[name], decimal) if name in row else None
        return None if exact is None else stored(exact, row[name].place, found.warnings)

    return Line(
        operation=_text(row, "operation"),
        description=_text(row, "description"),
        item_code=_text(row, "item_code"),
        quantity=amount("quantity"),
        unit_code=_text(row, "unit"),
        unit_price=amount("unit_price"),
        net_amount=amount("net_amount"),
        tax_amount=amount("tax_amount"),
        billing_currency=_currency(row) or found.billing_currency,
        period=_period(row, number, epoch, found.warnings),
    )


def _period(row: Row, number: int, epoch: datetime, warnings: list[str]) -> Period | None:
    """The period of a row: its end is inclusive, as people write it."""
    start = date_in(row["period_start"], epoch) if "period_start" in row else None
    end = date_in(row["period_end"], epoch) if "period_end" in row else None
    if start and end and start < end and start.day == end.day == 1:
        warnings.append(f"line {number}: the period's end, {end}, is taken for the day after it")
        return Period(start, end)
    period, warning = between(start, end, f"the period of line {number}")
    warnings += [warning] if warning else []
    return period


def _sums(found: Document) -> None:
    """A spreadsheet has no totals of its own: they are those of its rows. A credit note that is
    written with a minus is turned, so that its amounts are positive as in any other format."""
    amounts = [one.net_amount or Decimal() for one in found.lines]
    if found.document_kind == "credit_note" and sum(amounts) < 0:
        found.warnings.append("a credit note with negative amounts: taken without the sign")
        for line in found.lines:
            for name in ("quantity", "net_amount", "tax_amount"):
                value = getattr(line, name)
                if value is not None and (name != "quantity" or value < 0):
                    setattr(line, name, -value)
    found.net_amount = sum((one.net_amount or Decimal() for one in found.lines), Decimal())
    taxes = [one.tax_amount for one in found.lines if one.tax_amount is not None]
    if len(taxes) == len(found.lines):
        found.tax_amount = sum(taxes, Decimal())
        found.payable_amount = found.net_amount + found.tax_amount


def _kind(row: Row) -> str:
    text = _text(row, "document_kind")
    kind = _KIND.get(headings.plain(text)) if text else "invoice"
    if not kind:
        raise Rejected(
            f"{_place(row, 'document_kind')} is {short(text or '')}: expected factura, nota "
            "crédito or nota débito"
        )
    return kind


def _currency(row: Row) -> str | None:
    text = (_text(row, "currency") or "").upper()
    if text and not (len(text) == 3 and text.isascii() and text.isalpha()):
        raise Rejected(f"{_place(row, 'currency')} is {short(text)}: expected a code such as COP")
    return text or None


def _text(row: Row, field: str) -> str | None:
    return storable(text_of(row[field])) if field in row else None


def _place(row: Row, field: str = "") -> str:
    return row[field].place if field in row else next(iter(row.values())).place


def _normal(value: object) -> str:
    """A value in one form, however the file writes it: what the document's hash is made of."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)
