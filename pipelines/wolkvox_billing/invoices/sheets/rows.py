"""The rows of a spreadsheet: which one is the header, and which ones are one document.

Only what stands in columns that are read is kept. Rows with one supplier, kind and number are one
document, on whichever sheets they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from wolkvox_billing.invoices.document import Rejected, storable
from wolkvox_billing.invoices.sheets import headings
from wolkvox_billing.invoices.sheets.cells import Cell, CellValue, NumberedRow, as_text, text_in
from wolkvox_billing.values.tax_id import canonical_id

MOST_ROWS = 50_000
MOST_CHARACTERS = 20_000_000  # in all cells that are read: a text of a workbook may be in many
EXPECTED = "expected headings such as Nº Factura, Fecha, Concepto, Cantidad, Subtotal, Moneda"
HEADER_WITHIN = 30  # rows: titles and addresses stand above it
_MOST_NAMED = 20  # columns and rows, in a warning


class Column(NamedTuple):
    """A column that is read: its position, from 0, and its heading."""

    position: int
    heading: str


class Header:
    """The header of a sheet: columns by field, and warnings for all documents under it."""

    def __init__(self, sheet: str, row: NumberedRow) -> None:
        names = [as_text(value)[: headings.LONGEST_NAME] for value in row.values]
        fields = headings.fields_of(names)
        cells = [Cell(name, n, row.number, sheet=sheet) for n, name in enumerate(names, 1)]
        headings.check_fields(fields, cells)
        self.sheet, self.width = sheet, len(names)
        self.columns = {field: Column(n, names[n]) for n, field in fields.items()}
        self.warnings: list[str] = []
        if unread := [name for n, name in enumerate(names) if n not in fields and name]:
            self.warnings.append(f"columns that are not read: {_list_some(unread)}")

    def read(self, values: Sequence[CellValue]) -> dict[str, CellValue]:
        """Return the values of a row by field, without blanks."""
        return {
            field: value
            for field, (n, _) in self.columns.items()
            if n < len(values) and (value := values[n]) is not None
            if not isinstance(value, str) or value.strip()
        }


class SheetRow(NamedTuple):
    """A row by fields; a field that is not in `values` is blank."""

    header: Header
    number: int
    values: dict[str, CellValue]

    @property
    def place(self) -> str:
        return f"row {self.number}" + (f" of {self.header.sheet}" if self.header.sheet else "")

    def cell(self, field: str) -> Cell:
        column = self.header.columns.get(field, Column(0, ""))
        value, sheet = self.values.get(field), self.header.sheet
        return Cell(value, column.position + 1, self.number, column.heading, sheet)

    def text(self, field: str) -> str | None:
        return storable(text_in(self.cell(field))) if field in self.values else None


class HeaderPlace(NamedTuple):
    """Where in some rows the header is, and how many of its headings are known."""

    position: int
    headings: int


def find_header(rows: Sequence[NumberedRow]) -> HeaderPlace | None:
    """Return the place of the row with most known headings, None where no row is a header."""
    all_fields = [headings.fields_of([as_text(value) for value in row.values]) for row in rows]
    places = [
        HeaderPlace(n, len(fields))
        for n, fields in enumerate(all_fields)
        if headings.is_header(fields)
    ]
    return max(places, key=lambda place: place.headings, default=None)


def rows_of(
    sheets: Iterable[tuple[str, Iterator[NumberedRow]]], only_under_header: bool = False
) -> list[SheetRow]:
    """Return the rows under the headers of these sheets; one without a header is passed over. A row
    that says it is a total is passed over too, with a warning. Raises Rejected.

    only_under_header: a row longer than the header is wrong, not a note beside the table.
    """
    rows: list[SheetRow] = []
    characters = 0
    for sheet, numbered in sheets:
        top = list(islice(numbered, HEADER_WITHIN))
        place = find_header(top)
        if not place:
            continue
        header = Header(sheet, top[place.position])
        totals: list[str] = []
        for number, values in chain(top[place.position + 1 :], numbered):
            row = SheetRow(header, number, header.read(values))
            if any(isinstance(value, str) and headings.is_total(value) for value in values):
                totals.append(row.place)
                continue
            if only_under_header and len(values) > header.width:
                raise Rejected(
                    f"{row.place} has {len(values)} cells, the header {header.width}: a separator "
                    "inside a text or number must stand in quotes"
                )
            if not row.values:
                continue  # a note in a column that is not read: nothing of a line is in it
            rows.append(row)
            characters += sum(len(value) for value in row.values.values() if isinstance(value, str))
            if len(rows) + len(totals) > MOST_ROWS:
                raise Rejected(f"a spreadsheet of more than {MOST_ROWS:,} rows: split it")
            if characters > MOST_CHARACTERS:
                raise Rejected(
                    f"a spreadsheet of more than {MOST_CHARACTERS:,} characters: split it"
                )
        if totals:
            header.warnings.append(
                f"passed over, since it says that it is a total: {_list_some(totals)}"
            )
    return rows


class _Group(NamedTuple):
    """Rows of one document, by their places; and what is unclear about them, or ""."""

    indexes: list[int]
    doubt: str = ""


def documents_in(rows: Sequence[SheetRow]) -> Iterator[list[SheetRow] | Rejected]:
    """Yield the rows of each document, in the order in which they begin. Rejected stands for a
    document that may be incomplete: under one of its rows is one without a number."""
    by_number: dict[str, list[int]] = {}
    unnumbered: dict[int, SheetRow] = {}  # by the row above
    lost: list[str] = []
    above: int | None = None
    for n, row in enumerate(rows):
        if number := row.text("document_number"):
            by_number.setdefault(number, []).append(n)
            above = n
        elif above is not None and rows[above].header is row.header:
            unnumbered.setdefault(above, row)
        else:
            lost.append(row.place)
    if lost:
        places = _list_some(lost)
        yield Rejected(f"no document number: {places}: fill in the number in each row")
    groups = [group for same in by_number.values() for group in _split(rows, same)]
    for indexes, doubt in sorted(groups, key=lambda group: group.indexes[0]):
        document = [rows[n] for n in indexes]
        if under := next((unnumbered[n] for n in indexes if n in unnumbered), None):
            doubt = f"{under.place}, under it, has no number: fill in the number in each row"
        if doubt:
            yield Rejected(f"the document {number_of(document)[:60]}: {doubt}")
        else:
            yield document


def _split(rows: Sequence[SheetRow], same: list[int]) -> Iterator[_Group]:
    """Yield rows of one number by document. A blank is what the others have, where they have one
    thing."""
    groups = [same]
    for field in ("prefix", "supplier_id", "document_kind"):
        parts: list[list[int]] = []
        for group in groups:
            by_key: dict[str, list[int]] = {}
            for n in group:
                by_key.setdefault(_key(rows[n], field), []).append(n)
            blank = by_key.pop("", [])
            if blank and len(by_key) > 1:
                place = rows[blank[0]].cell(field).place
                yield _Group(
                    group,
                    f"{place} is blank, and other rows of the same number differ there: fill it in "
                    "each row",
                )
            elif blank:
                parts.append(group)
            else:
                parts += by_key.values()
        groups = parts
    yield from map(_Group, groups)


def _key(row: SheetRow, field: str) -> str:
    text = row.text(field) or ""
    if field == "document_kind":
        return headings.kind_of(text) or headings.letters_of(text)
    if field == "supplier_id":
        text = canonical_id(text)
    return "".join(text.split()).casefold()


def number_of(rows: Sequence[SheetRow]) -> str:
    """Return a document's number, with the prefix in front of it that stands in its own column."""
    prefix, number = first_text(rows, "prefix") or "", first_text(rows, "document_number") or ""
    is_repeated = not prefix.isdigit() and number.casefold().startswith(prefix.casefold())
    return number if is_repeated else prefix + number


def first_text(rows: Sequence[SheetRow], field: str) -> str | None:
    """Return the first text in a field that is not blank."""
    return next(filter(None, (row.text(field) for row in rows)), None)


def _list_some(names: Sequence[str]) -> str:
    more = f", and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
