"""The tables of an HTML file: what many programs call an Excel file and name .xls."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree, html

from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.sheets.cells import (
    LONGEST,
    MOST_COLUMNS,
    MOST_LOOKED_AT,
    CellValue,
    NumberedRow,
    Sheet,
    Span,
)
from wolkvox_billing.invoices.sheets.delimited import decoded

MOST_BYTES = 20 * 1024 * 1024
MOST_TABLES = 100
IS_HTML = "an HTML table, and no workbook, whatever its name says: read as it is"
_START = re.compile(
    rb"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|html|head|body|table|meta|style|div|center"
    rb"|title|font|p|span)\b",
    re.I | re.S,
)
_TABLE = re.compile(rb"<\0?t\0?a\0?b\0?l\0?e\0?[\s>]", re.I)  # in UTF-16 too
_CHARSET = re.compile(r"^\s*<\?xml[^>]*\?>")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


def is_html(data: bytes) -> bool:
    """Return whether a file without its BOM begins as HTML, and has a table."""
    head = data[:4096]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").lstrip("\ufeff").encode("utf-8", "replace")
    return bool(_START.match(head)) and bool(_TABLE.search(data))


def html_tables(data: bytes) -> list[Sheet]:
    """Return each table as a sheet. Nothing that it refers to is fetched. Raises Rejected."""
    if len(data) > MOST_BYTES:
        raise Rejected(f"an HTML of {len(data):,} bytes: {MOST_BYTES:,} are the most")
    text = _CHARSET.sub("", decoded(data)[0])
    try:
        root = html.document_fromstring(text, parser=html.HTMLParser(no_network=True))
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise Rejected(f"no readable HTML: {type(error).__name__}") from None
    tables = list(root.iter("table"))
    if len(tables) > MOST_TABLES:
        raise Rejected(f"an HTML of more than {MOST_TABLES} tables")
    sheets: list[Sheet] = []
    for number, table in enumerate(tables, 1):
        title = f"table {number}"
        sheet = Sheet(title, iter(()), title, _is_hidden(table), warnings=[IS_HTML])
        sheet.rows = _rows(table, sheet)
        sheets.append(sheet)
    return sheets


def _rows(table: etree._Element, sheet: Sheet) -> Iterator[NumberedRow]:
    """Yield the rows of a table that are not blank, without those of tables inside it."""
    own = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
    if len(own) > MOST_LOOKED_AT:
        raise Rejected(f"an HTML table of more than {MOST_LOOKED_AT:,} rows")
    rows: list[NumberedRow] = []
    taken: set[tuple[int, int]] = set()  # row and column that a cell of a row above reaches into
    for number, row in enumerate(own, 1):
        values: list[CellValue] = []
        for cell in row.iterchildren("td", "th"):
            while (number, len(values)) in taken:
                values.append(None)
            if len(values) >= MOST_COLUMNS:
                break
            at, text = len(values), " ".join("".join(cell.itertext()).split())[: LONGEST + 1]
            wide = min(_count(cell, "colspan"), MOST_COLUMNS - at)
            tall = min(_count(cell, "rowspan"), len(own) - number + 1, 1000)
            values += [text or None, *[None] * (wide - 1)]
            if tall > 1:
                sheet.spans += [Span(n, number, number + tall - 1) for n in range(at, at + wide)]
                taken |= {(number + r, n) for r in range(1, tall) for n in range(at, at + wide)}
        while values and values[-1] is None:
            values.pop()
        if values:
            rows.append(NumberedRow(number, values, _is_hidden(row)))
    yield from rows


def _count(cell: etree._Element, name: str) -> int:
    text = cell.get(name, "1").strip()
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 5 else 1


def _is_hidden(element: etree._Element) -> bool:
    return "hidden" in element.attrib or bool(_HIDDEN.search(element.get("style", "")))
