"""The rows of an XLSX, within limits, whatever it says of itself.

A formula's value is the one that the spreadsheet program saved with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import islice

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.sheets.cells import (
    LONGEST,
    MOST_COLUMNS,
    MOST_LOOKED_AT,
    CellValue,
    NoValue,
    NumberedRow,
    Percent,
    Sheet,
    Span,
)
from wolkvox_billing.invoices.sheets.package import Attributes, Handlers, Package, main_part

MOST_SHEETS = 100
MOST_TEXTS = 1_000_000
_LAST_ROW = 1_048_576  # of any sheet
_TOO_MANY_ROWS = (
    f"a spreadsheet of more than {MOST_LOOKED_AT:,} rows, blank ones counted, or with a row that "
    "none has: delete the blank rows"
)
_NO_VALUE = "a formula without its value: open the file in the spreadsheet program, and save it"
_TRUE = ("1", "true")
_MOST_MERGED = 20_000
_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']"
)
_QUOTED = re.compile(r'"[^"]*"|\\.')


class Book:
    """The sheets of a workbook, and the day its dates are counted from. Raises Rejected, as do the
    sheets' rows."""

    def __init__(self, parts: Mapping[str, bytes]) -> None:
        self._package = Package(parts)
        self._main = main_part(self._package)
        self._rows_left = MOST_LOOKED_AT
        self.epoch: datetime = WINDOWS_EPOCH
        named = self._named_sheets()
        targets = self._package.relationships(self._main, 10 * MOST_SHEETS)
        self._texts = self._shared_texts(targets.get("sharedStrings", ""))
        self._meanings = self._meanings_of_styles(targets.get("styles", ""))
        self.sheets: list[Sheet] = []
        paths = {targets.get(key, ""): sheet for key, sheet in named.items()}
        for path, sheet in paths.items():
            if path in self._package:
                sheet.rows = self._rows(path, sheet)
                self.sheets.append(sheet)

    def _named_sheets(self) -> dict[str, Sheet]:
        """Return the sheets by their ids, still without their rows."""
        sheets: dict[str, Sheet] = {}

        def start(name: str, attributes: Attributes) -> None:
            if name == "sheet":
                reference = next((v for k, v in attributes.items() if k.endswith(":id")), "")
                is_hidden = attributes.get("state", "visible") != "visible"
                title = attributes.get("name", "")[:40]
                sheets.setdefault(reference, Sheet(title, iter(()), title, is_hidden))
                if len(sheets) > MOST_SHEETS:
                    raise Rejected(f"a workbook of more than {MOST_SHEETS} sheets")
            elif name == "workbookPr" and attributes.get("date1904") in _TRUE:
                self.epoch = MAC_EPOCH

        self._package.run(self._main, Handlers(start))
        return sheets

    def _shared_texts(self, path: str) -> list[str]:
        """Return the texts that cells point to, each cut behind what is too long in any case."""
        texts: list[str] = []
        text = _Text()

        def start(name: str, _: Attributes) -> None:
            text.start(name)
            if name == "si":
                text.parts = []
                if len(texts) == MOST_TEXTS:
                    raise Rejected(f"a workbook of more than {MOST_TEXTS:,} texts")

        def end(name: str) -> None:
            text.end(name)
            if name == "si":
                texts.append("".join(text.parts or ()))

        self._package.run(path, Handlers(start, end, text.add))
        return texts

    def _meanings_of_styles(self, path: str) -> list[str]:
        """Return what a number is by the style of its cell: `date`, `percent` or nothing."""
        formats: dict[int, str] = dict(BUILTIN_FORMATS)
        meanings: list[str] = []
        is_inside = False

        def start(name: str, attributes: Attributes) -> None:
            nonlocal is_inside
            if name == "numFmt":
                formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")[:255]
            elif name == "cellXfs":
                is_inside = True
            elif name == "xf" and is_inside and len(meanings) < MOST_TEXTS:
                meanings.append(_meaning(formats.get(int(attributes.get("numFmtId", 0)), "")))

        def end(name: str) -> None:
            nonlocal is_inside
            is_inside = is_inside and name != "cellXfs"

        self._package.run(path, Handlers(start, end))
        return meanings

    def _rows(self, path: str, sheet: Sheet) -> Iterator[NumberedRow]:
        """Yield the rows of a sheet that are not blank, a few at a time."""
        reader = _SheetReader(self, sheet)
        sheet.spans += _spans(self._package.part(path))
        for _ in self._package.walk(path, Handlers(reader.start, reader.end, reader.text.add)):
            yield from reader.rows
            reader.rows.clear()

    def count_row(self) -> None:
        """Raise Rejected where there are more rows in all than can be read in good time."""
        self._rows_left -= 1
        if self._rows_left < 0:
            raise Rejected(_TOO_MANY_ROWS)

    def value_of(self, cell: Attributes, parts: list[str] | None, has_formula: bool) -> CellValue:
        """Return the value of a cell with this text: None of a blank one."""
        kind, text = cell.get("t", "n"), "".join(parts or ())
        if not text:  # the empty text is a value that a formula can have, and is a blank
            return NoValue(_NO_VALUE) if has_formula and (kind != "str" or parts is None) else None
        if kind == "s":
            return self._texts[int(text)] or None
        if kind == "b":
            return text == "1"
        if kind != "n":
            return text
        number = int(text) if len(text) < 20 and text.lstrip("-").isdecimal() else float(text)
        style = int(cell.get("s", 0))
        meaning = self._meanings[style] if style < len(self._meanings) else ""
        if meaning == "date":
            try:
                moment: CellValue = from_excel(number, self.epoch)
            except (ValueError, OverflowError):
                return number
            return moment
        return Percent(number) if meaning == "percent" else number


class _SheetReader:
    """The rows of a sheet while its XML goes by: `rows` are those that have ended since."""

    def __init__(self, book: Book, sheet: Sheet) -> None:
        self.rows: list[NumberedRow] = []
        self._sheet = sheet
        self._is_hidden = self._are_rows_hidden = False
        self.text = _Text()
        self._book = book
        self._number = self._column = 0
        self._values: list[CellValue] = []
        self._cell: Attributes | None = None
        self._has_formula = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._book.count_row()
            self._number = int(attributes.get("r", self._number + 1))
            self._values, self._column = [], 0
            hidden = attributes.get("hidden", "1" if self._are_rows_hidden else "0")
            self._is_hidden = hidden in _TRUE or _is_zero(attributes.get("ht"))
            if not 1 <= self._number <= _LAST_ROW:
                raise Rejected(_TOO_MANY_ROWS)
        elif name == "c":
            column = attributes.get("r", "").rstrip("0123456789")
            self._column = column_index_from_string(column) if column else self._column + 1
            self._cell, self.text.parts, self._has_formula = attributes, None, False
        elif name == "f":
            self._has_formula = True
        elif name == "col" and len(self._sheet.hidden_columns) < MOST_COLUMNS:
            if attributes.get("hidden") in _TRUE or _is_zero(attributes.get("width")):
                first = int(attributes.get("min", 1))
                last = min(int(attributes.get("max", first)), MOST_COLUMNS)
                self._sheet.hidden_columns.append(range(first - 1, last))
        elif name == "sheetFormatPr":
            self._are_rows_hidden = attributes.get("zeroHeight") in _TRUE
        elif self._cell is not None:
            self.text.start(name)

    def end(self, name: str) -> None:
        if name == "c" and self._cell is not None:
            if self._column <= MOST_COLUMNS:
                value = self._book.value_of(self._cell, self.text.parts, self._has_formula)
                if value is not None:
                    self._values.extend([None] * (self._column - len(self._values)))
                    self._values[self._column - 1] = value
            self._cell = None
        elif name == "row":
            if self._values:
                self.rows.append(NumberedRow(self._number, self._values, self._is_hidden))
        else:
            self.text.end(name)


class _Text:
    """The text of a cell or of a shared one, without what tells how it is pronounced."""

    def __init__(self) -> None:
        self.parts: list[str] | None = None
        self._is_inside = self._is_spoken = False
        self._characters_left = 0

    def start(self, name: str) -> None:
        if name == "rPh":
            self._is_spoken = True
        elif name in ("v", "t") and not self._is_spoken:
            self._is_inside = True
            if not self.parts:
                self.parts, self._characters_left = [], LONGEST + 1

    def end(self, name: str) -> None:
        if name == "rPh":
            self._is_spoken = False
        elif name in ("v", "t"):
            self._is_inside = False

    def add(self, text: str) -> None:
        if self._is_inside and self._characters_left > 0 and self.parts is not None:
            self.parts.append(text[: self._characters_left])
            self._characters_left -= len(text)


def _is_zero(size: str | None) -> bool:
    return size is not None and float(size) == 0


def _spans(part: bytes) -> list[Span]:
    """Return what is merged downwards in a sheet, by columns. It stands behind the rows, which are
    read as they come: so it is looked for before."""
    spans: list[Span] = []
    for match in islice(_MERGED.finditer(part), _MOST_MERGED):
        first, last = (column_index_from_string(match[n].decode()) for n in (1, 3))
        top, bottom = int(match[2]), int(match[4])
        if bottom > top and last <= MOST_COLUMNS:
            spans += [Span(n - 1, top, bottom) for n in range(first, last + 1)]
    return spans


@lru_cache(maxsize=10_000)
def _meaning(number_format: str) -> str:
    if "%" in _QUOTED.sub("", number_format):
        return "percent"
    return "date" if is_date_format(number_format) else ""
