"""The rows of an XLSX, within limits, whatever it says of itself.

A formula's value is the one that the spreadsheet program saved with it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.sheets.cells import (
    LONGEST,
    MOST_COLUMNS,
    MOST_LOOKED_AT,
    Numbered,
    Percent,
    Unknown,
)
from wolkvox_billing.invoices.sheets.package import Attributes, Package

MOST_SHEETS = 100
MOST_TEXTS = 1_000_000
_LAST_ROW = 1_048_576  # of any sheet
_NO_VALUE = "a formula without its value: open the file in the spreadsheet program, and save it"
_QUOTED = re.compile(r'"[^"]*"|\\.')


class Sheet(NamedTuple):
    name: str
    rows: Iterator[Numbered]


class Book:
    """The sheets of a workbook, and the day its dates are counted from. Raises Rejected, as do the
    sheets' rows."""

    def __init__(self, parts: Mapping[str, bytes]) -> None:
        self._package = Package(parts)
        self._looked_at = 0
        self.epoch: datetime = WINDOWS_EPOCH
        listed = self._listed()
        targets = self._targets()
        self._texts = self._shared(targets.get("sharedStrings", ""))
        self._formats = self._styles(targets.get("styles", ""))
        self.sheets = []
        for path, name in {targets.get(one, ""): name for one, name in listed.items()}.items():
            if path in self._package:
                self.sheets.append(Sheet(name, self._rows(path)))

    def _listed(self) -> dict[str, str]:
        """The sheets' names by their ids."""
        found: dict[str, str] = {}

        def start(name: str, attributes: Attributes) -> None:
            if name == "sheet":
                reference = next((v for k, v in attributes.items() if k.endswith(":id")), "")
                found.setdefault(reference, attributes.get("name", "")[:40])
                if len(found) > MOST_SHEETS:
                    raise Rejected(f"a workbook of more than {MOST_SHEETS} sheets")
            elif name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
                self.epoch = MAC_EPOCH

        self._package.run("xl/workbook.xml", start)
        return found

    def _targets(self) -> dict[str, str]:
        """The parts by their ids, and the one of each type by that."""
        found: dict[str, str] = {}

        def start(name: str, attributes: Attributes) -> None:
            if name == "Relationship" and len(found) < 10 * MOST_SHEETS:
                path = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "")))
                kind = attributes.get("Type", "").rpartition("/")[2]
                found[attributes.get("Id", "")] = path.lstrip("/").lower()
                found.setdefault(kind, path.lstrip("/").lower())

        self._package.run("xl/_rels/workbook.xml.rels", start)
        return found

    def _shared(self, path: str) -> list[str]:
        """The texts that cells point to, each cut behind what is too long in any case."""
        found: list[str] = []
        text = _Text()

        def start(name: str, _: Attributes) -> None:
            text.start(name)
            if name == "si":
                text.parts = []
                if len(found) == MOST_TEXTS:
                    raise Rejected(f"a workbook of more than {MOST_TEXTS:,} texts")

        def end(name: str) -> None:
            text.end(name)
            if name == "si":
                found.append("".join(text.parts or ()))

        if path in self._package:
            self._package.run(path, start, end, text.add)
        return found

    def _styles(self, path: str) -> list[str]:
        """What a number is by the format of its cell: `date`, `percent` or nothing."""
        formats: dict[int, str] = dict(BUILTIN_FORMATS)
        found: list[str] = []
        inside = False

        def start(name: str, attributes: Attributes) -> None:
            nonlocal inside
            if name == "numFmt":
                formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")[:255]
            elif name == "cellXfs":
                inside = True
            elif name == "xf" and inside and len(found) < MOST_TEXTS:
                found.append(_meaning(formats.get(int(attributes.get("numFmtId", 0)), "")))

        def end(name: str) -> None:
            nonlocal inside
            inside = inside and name != "cellXfs"

        if path in self._package:
            self._package.run(path, start, end)
        return found

    def _rows(self, path: str) -> Iterator[Numbered]:
        """The rows of a sheet that are not blank, a few at a time."""
        done: list[Numbered] = []
        number = column = 0
        values: list[Any] = []
        cell: Attributes | None = None
        text = _Text()
        has_formula = False

        def start(name: str, attributes: Attributes) -> None:
            nonlocal number, column, values, cell, has_formula
            if name == "row":
                self._looked_at += 1
                number = int(attributes.get("r", number + 1))
                values, column = [], 0
                if self._looked_at > MOST_LOOKED_AT or not 1 <= number <= _LAST_ROW:
                    raise Rejected(
                        f"a spreadsheet of more than {MOST_LOOKED_AT:,} rows, blank ones counted, "
                        "or with a row that none has: delete the blank rows"
                    )
            elif name == "c":
                place = attributes.get("r", "").rstrip("0123456789")
                column = column_index_from_string(place) if place else column + 1
                cell, text.parts, has_formula = attributes, None, False
            elif name == "f":
                has_formula = True
            elif cell is not None:
                text.start(name)

        def end(name: str) -> None:
            nonlocal cell
            if name == "c" and cell is not None:
                if column <= MOST_COLUMNS:
                    value = self._value(cell, text.parts, has_formula)
                    if value is not None:
                        values.extend([None] * (column - len(values)))
                        values[column - 1] = value
                cell = None
            elif name == "row":
                if values:
                    done.append((number, values))
            else:
                text.end(name)

        for _ in self._package.walk(path, start, end, text.add):
            yield from done
            done.clear()

    def _value(self, cell: Attributes, parts: list[str] | None, has_formula: bool) -> Any:
        kind, text = cell.get("t", "n"), "".join(parts or ())
        if not text:  # the empty text is a value that a formula can have, and is a blank
            return Unknown(_NO_VALUE) if has_formula and (kind != "str" or parts is None) else None
        if kind == "s":
            return self._texts[int(text)] or None
        if kind == "b":
            return text == "1"
        if kind != "n":
            return text
        number = int(text) if len(text) < 20 and text.lstrip("-").isdecimal() else float(text)
        style = int(cell.get("s", 0))
        meaning = self._formats[style] if style < len(self._formats) else ""
        if meaning == "date":
            try:
                return from_excel(number, self.epoch)
            except (ValueError, OverflowError):
                return number
        return Percent(number) if meaning == "percent" else number


class _Text:
    """The text of a cell or of a shared one, without what tells how it is pronounced."""

    def __init__(self) -> None:
        self.parts: list[str] | None = None
        self._inside = self._spoken = False
        self._left = 0

    def start(self, name: str) -> None:
        if name == "rPh":
            self._spoken = True
        elif name in ("v", "t") and not self._spoken:
            self._inside = True
            if not self.parts:
                self.parts, self._left = [], LONGEST + 1

    def end(self, name: str) -> None:
        if name == "rPh":
            self._spoken = False
        elif name in ("v", "t"):
            self._inside = False

    def add(self, text: str) -> None:
        if self._inside and self._left > 0 and self.parts is not None:
            self.parts.append(text[: self._left])
            self._left -= len(text)


@lru_cache(maxsize=10_000)
def _meaning(number_format: str) -> str:
    if "%" in _QUOTED.sub("", number_format):
        return "percent"
    return "date" if is_date_format(number_format) else ""
