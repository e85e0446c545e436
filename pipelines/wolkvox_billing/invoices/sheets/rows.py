"""The rows of a spreadsheet: which one is the header, and which ones are one document.

Only what stands in columns that are read is kept. Rows with one supplier, kind and number are one
document, on whichever sheets they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from wolkvox_billing.invoices.document import Rejected, storable
from wolkvox_billing.invoices.sheets import headings
from wolkvox_billing.invoices.sheets.cells import Cell, Numbered, shown, text_of
from wolkvox_billing.values.tax_id import canonical_id

MOST_ROWS = 50_000
MOST_CHARACTERS = 20_000_000  # in all cells that are read: a text of a workbook may be in many
EXPECTED = "expected headings such as Nº Factura, Fecha, Concepto, Cantidad, Subtotal, Moneda"
HEADER_WITHIN = 30  # rows: titles and addresses stand above it
_MOST_NAMED = 20  # columns and rows, in a warning


class Table:
    """What stands in the header of a sheet, and warnings that concern all documents under it."""

    def __init__(self, sheet: str, number: int, header: Sequence[Any]) -> None:
        names = [shown(one)[: headings.LONGEST_NAME] for one in header]
        fields = headings.fields_of(names)
        headings.check(fields, [Cell(one, n, number, "", sheet) for n, one in enumerate(names, 1)])
        self.sheet, self.width = sheet, len(header)
        self.columns = {field: (n, names[n]) for n, field in fields.items()}
        self.warnings: list[str] = []
        if unread := [one for n, one in enumerate(names) if n not in fields and one]:
            self.warnings.append(f"columns that are not read: {_some(unread)}")


class Row(NamedTuple):
    """A row by fields; a field that is not in `values` is blank."""

    table: Table
    number: int
    values: dict[str, Any]

    @property
    def place(self) -> str:
        return f"row {self.number}" + (f" of {self.table.sheet}" if self.table.sheet else "")

    def cell(self, field: str) -> Cell:
        column, heading = self.table.columns.get(field, (0, ""))
        return Cell(self.values.get(field), column + 1, self.number, heading, self.table.sheet)

    def text(self, field: str) -> str | None:
        return storable(text_of(self.cell(field))) if field in self.values else None


def header_in(rows: Sequence[Numbered]) -> tuple[int, int]:
    """Where the header is, and how many of its headings are known; (0, 0) if there is none."""
    found = [
        (n, headings.fields_of([shown(one) for one in row])) for n, (_, row) in enumerate(rows)
    ]
    known = [(n, len(fields)) for n, fields in found if headings.is_header(fields)]
    return max(known, key=lambda one: one[1], default=(0, 0))


def rows_of(
    sheets: Iterable[tuple[str, Iterator[Numbered]]], only_under_header: bool = False
) -> list[Row]:
    """The rows under the headers of these sheets; one without a header is passed over. A row that
    says it is a total is passed over too, with a warning. Raises Rejected.

    only_under_header: a row longer than the header is wrong, not a note beside the table.
    """
    found: list[Row] = []
    characters = 0
    for sheet, rows in sheets:
        top = list(islice(rows, HEADER_WITHIN))
        at, known = header_in(top)
        if not known:
            continue
        table = Table(sheet, *top[at])
        totals: list[str] = []
        for number, values in chain(top[at + 1 :], rows):
            row = Row(table, number, _read(table, values))
            if any(isinstance(one, str) and headings.is_total(one) for one in values):
                totals.append(row.place)
                continue
            if only_under_header and len(values) > table.width:
                raise Rejected(
                    f"{row.place} has {len(values)} cells, the header {table.width}: a separator "
                    "inside a text or number must stand in quotes"
                )
            if not row.values:
                continue  # a note in a column that is not read: nothing of a line is in it
            found.append(row)
            characters += sum(len(one) for one in row.values.values() if isinstance(one, str))
            if len(found) + len(totals) > MOST_ROWS:
                raise Rejected(f"a spreadsheet of more than {MOST_ROWS:,} rows: split it")
            if characters > MOST_CHARACTERS:
                raise Rejected(
                    f"a spreadsheet of more than {MOST_CHARACTERS:,} characters: split it"
                )
        if totals:
            table.warnings.append(f"passed over, since it says that it is a total: {_some(totals)}")
    return found


def _read(table: Table, values: Sequence[Any]) -> dict[str, Any]:
    return {
        field: values[n]
        for field, (n, _) in table.columns.items()
        if n < len(values) and not (isinstance(values[n], str) and not values[n].strip())
        if values[n] is not None
    }


def documents_in(rows: Sequence[Row]) -> Iterator[list[Row] | Rejected]:
    """The rows of each document, in the order in which they begin. Rejected stands for a document
    that may be incomplete: under one of its rows is one without a number."""
    by_number: dict[str, list[int]] = {}
    broken: dict[int, Row] = {}  # by the row above
    lost: list[Row] = []
    above: int | None = None
    for n, row in enumerate(rows):
        if number := row.text("document_number"):
            by_number.setdefault(number, []).append(n)
            above = n
        elif above is not None and rows[above].table is row.table:
            broken.setdefault(above, row)
        else:
            lost.append(row)
    if lost:
        places = _some([one.place for one in lost])
        yield Rejected(f"no document number: {places}: fill in the number in each row")
    found: list[tuple[int, list[Row] | Rejected]] = []
    for same in by_number.values():
        for numbers, unclear in _apart(rows, same):
            of_one = [rows[n] for n in numbers]
            under = next((broken[n] for n in numbers if n in broken), None)
            reason = unclear
            if under:
                reason = f"{under.place}, under it, has no number: fill in the number in each row"
            if reason:
                name = number_of(of_one)[:60]
                found.append((numbers[0], Rejected(f"the document {name}: {reason}")))
            else:
                found.append((numbers[0], of_one))
    yield from (one for _, one in sorted(found, key=lambda one: one[0]))


def _apart(rows: Sequence[Row], same: list[int]) -> Iterator[tuple[list[int], str]]:
    """Rows of one number by document, and what is unclear about them. A blank is what the others
    have, where they have one thing."""
    groups = [same]
    for field in ("prefix", "supplier_id", "document_kind"):
        apart: list[list[int]] = []
        for group in groups:
            by: dict[str, list[int]] = {}
            for n in group:
                by.setdefault(_key(rows[n], field), []).append(n)
            blank = by.pop("", [])
            if blank and len(by) > 1:
                several = f"{rows[blank[0]].cell(field).place} is blank, and other rows of the same"
                yield group, f"{several} number differ there: fill it in each row"
            elif blank:
                apart.append(group)
            else:
                apart += by.values()
        groups = apart
    yield from ((group, "") for group in groups)


def _key(row: Row, field: str) -> str:
    text = row.text(field) or ""
    if field == "document_kind":
        return headings.kind_of(text) or headings.letters_of(text)
    if field == "supplier_id":
        text = canonical_id(text)
    return "".join(text.split()).casefold()


def number_of(rows: Sequence[Row]) -> str:
    """A document's number, with the prefix in front of it that stands in a column of its own."""
    prefix, number = first(rows, "prefix") or "", first(rows, "document_number") or ""
    repeated = not prefix.isdigit() and number.casefold().startswith(prefix.casefold())
    return number if repeated else prefix + number


def first(rows: Sequence[Row], field: str) -> str | None:
    """The first text in a field that is not blank."""
    return next(filter(None, (row.text(field) for row in rows)), None)


def _some(names: Sequence[str]) -> str:
    more = f", and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
