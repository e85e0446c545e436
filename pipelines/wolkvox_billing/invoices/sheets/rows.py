"""The rows of a spreadsheet: which one is the header, and which ones are one document.

Only what stands in columns that are read is kept. Rows with one supplier, kind and number are one
document, on whichever sheets they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from wolkvox_billing.invoices.document import Party, Rejected, short, storable
from wolkvox_billing.invoices.sheets import headings, labels
from wolkvox_billing.invoices.sheets.cells import (
    Cell,
    CellValue,
    NumberedRow,
    Sheet,
    Span,
    as_text,
    numbers_of,
    text_in,
)
from wolkvox_billing.values.document_number import bare_number
from wolkvox_billing.values.tax_id import canonical_id

AMOUNTS = ("quantity", "unit_price", "net_amount", "tax_amount")
MOST_ROWS = 50_000
MOST_CHARACTERS = 20_000_000  # in all cells that are read: a text of a workbook may be in many
EXPECTED = "expected headings such as Nº Factura, Fecha, Concepto, Cantidad, Subtotal, Moneda"
HEADER_WITHIN = 30  # rows: titles and addresses stand above it
_MOST_MERGED = 200_000  # cells that others reach into
_MOST_NAMED = 20  # columns and rows, in a warning


class HeadedColumn(NamedTuple):
    """A column that is read: its position, from 0, and its heading."""

    position: int
    heading: str


class Header:
    """The header of a table: columns by field, and warnings for all documents under it."""

    def __init__(self, sheet: Sheet, names: Sequence[str], number: int) -> None:
        names = [name[: headings.LONGEST_NAME] for name in names]
        fields = headings.fields_of(names)
        fields, beside = _first_block(fields, names)
        cells = [Cell(name, n, number, sheet=sheet.name) for n, name in enumerate(names, 1)]
        headings.check_fields(fields, cells)
        self.sheet, self.title, self.width = sheet.name, sheet.title, len(names)
        self.is_hidden = sheet.is_hidden
        # Row and column of a merged cell to the row that it begins in: of a hostile file, not all.
        self.merged = dict(islice(_merged_cells(sheet.spans), _MOST_MERGED))
        self.names = names
        nets = [name for name in headings.NET_COLUMNS if name in fields.values()]
        # The column that stands for the net amount, and the one that it is checked with.
        self.net_column, self.total_column = nets[0], nets[-1] if len(nets) > 1 else ""
        fields = {
            n: "net_amount" if field == nets[0] else field
            for n, field in fields.items()
            if field not in nets[1:-1]
        }
        self.columns = {field: HeadedColumn(n, names[n]) for n, field in fields.items()}
        self.warnings: list[str] = []
        if unread := [name for n, name in enumerate(names) if n not in fields and name]:
            self.warnings.append(f"columns that are not read: {list_some(unread)}")
        if beside:
            self.warnings.append("a second table beside the first one is not read")
        if sheet.is_hidden:
            self.warnings.append(f"hidden in the workbook, and read: sheet {sheet.title}")
        hidden = {n for columns in sheet.hidden_columns for n in columns}
        if columns := [n for n, name in enumerate(names) if n in hidden and name]:
            places = [f"{Cell('', n + 1, number).place} ({names[n]})" for n in columns]
            said = "hidden in the workbook, and read" + ("" if set(columns) <= set(fields) else
                                                        " where its heading is known")  # fmt: skip
            self.warnings.append(f"{said}: column {list_some(places)}{self.of_title}")

    @property
    def of_title(self) -> str:
        return f" of {self.title}" if self.title else ""

    def read(self, values: Sequence[CellValue]) -> dict[str, CellValue]:
        """Return the values of a row by field, without blanks."""
        return {
            field: value
            for field, (n, _) in self.columns.items()
            if n < len(values) and (value := values[n]) is not None
            if not isinstance(value, str) or value.strip()
        }


def _merged_cells(spans: Iterable[Span]) -> Iterator[tuple[tuple[int, int], int]]:
    for column, first, last in spans:
        for row in range(first + 1, last + 1):
            yield (column, row), first


def _first_block(fields: dict[int, str], names: Sequence[str]) -> tuple[dict[int, str], bool]:
    """Return the fields of the first of two tables side by side, which a blank column parts, and
    whether there are two."""
    for n, name in enumerate(names):
        first = {at: field for at, field in fields.items() if at < n}
        repeats = set(first.values()) & {field for at, field in fields.items() if at > n}
        if not name and repeats and headings.is_whole(first):
            return first, True
    return fields, False


class SheetRow(NamedTuple):
    """A row by fields; a field that is not in `values` is blank.

    label: how surely it says that it is a total: `strong`, `weak` or nothing.
    """

    header: Header
    number: int
    values: dict[str, CellValue]
    label: str = ""
    is_hidden: bool = False

    @property
    def place(self) -> str:
        return f"row {self.number}" + (f" of {self.header.sheet}" if self.header.sheet else "")

    def cell(self, field: str) -> Cell:
        column = self.header.columns.get(field, HeadedColumn(0, ""))
        value, sheet = self.values.get(field), self.header.sheet
        return Cell(value, column.position + 1, self.number, column.heading, sheet)

    def text(self, field: str) -> str | None:
        return storable(text_in(self.cell(field))) if field in self.values else None


class Rows(NamedTuple):
    """The rows of a file's tables, and those that say that they are no bill."""

    rows: list[SheetRow]
    cancelled: list[SheetRow]


class HeaderPlace(NamedTuple):
    """Where in some rows the header ends, how many of its headings are known, and all of them."""

    position: int
    headings: int
    names: list[str]


def find_header(rows: Sequence[NumberedRow]) -> HeaderPlace | None:
    """Return the place of the row with most known headings, or of two rows that make one header;
    None where no row is a header."""
    texts = [[as_text(value) for value in row.values] for row in rows]
    places: list[HeaderPlace] = []
    for n, names in enumerate(texts):
        fields = headings.fields_of(names)
        if headings.is_header(fields):
            places.append(HeaderPlace(n, len(fields), names))
        if n and _is_all_words(rows[n]):
            joined = _join(texts[n - 1], names)
            both = headings.fields_of(joined)
            alone = max(len(fields), len(headings.fields_of(texts[n - 1])))
            if headings.is_header(both) and len(both) > alone:
                places.append(HeaderPlace(n, len(both), joined))
    return max(places, key=lambda place: place.headings, default=None)


def _has_amount(row: NumberedRow) -> bool:
    """Return whether a row of a sheet without a header has what may be money: a number that is no
    date, beside a text."""
    are_numbers = (isinstance(value, (int, float)) for value in row.values)
    return any(are_numbers) and any(isinstance(value, str) for value in row.values)


def _is_all_words(row: NumberedRow) -> bool:
    return all(
        value is None or (isinstance(value, str) and not any(c.isdigit() for c in value))
        for value in row.values
    )


def _join(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Return one heading for each column of a header on two rows: what both say together, or the
    lower, or the upper, whichever is known. A heading above several columns is of each."""
    joined: list[str] = []
    above = ""
    for n in range(max(len(upper), len(lower))):
        own = upper[n] if n < len(upper) else ""
        above = own or above
        below = lower[n] if n < len(lower) else ""
        texts = [f"{above} {below}".strip() if below else own, below, own]
        joined.append(next((t for t in texts if headings.fields_of([t])), below or own))
    return joined


def rows_of(sheets: Iterable[Sheet], only_under_header: bool = False) -> Rows:
    """Return the rows under the headers of these sheets; one without a header is passed over. A
    footer and a row that is no bill are passed over too, with a warning. Raises Rejected.

    only_under_header: a row longer than the header is wrong, not a note beside the table.
    """
    reading = _Reading(only_under_header)
    unread: list[str] = []
    not_whole: list[Rejected] = []
    elsewhere: list[str] = []  # no bills, on sheets without anything else
    no_bills: list[str] = []
    for sheet in sheets:
        top = list(islice(sheet.rows, HEADER_WITHIN))
        place = find_header(top)
        if not place:
            if sheet.title and (sheet.is_hidden or any(map(_has_amount, top))):
                unread.append(f"{sheet.title}{' (hidden)' if sheet.is_hidden else ''}")
            continue
        try:
            header = Header(sheet, place.names, top[place.position].number)
        except Rejected as error:
            if headings.is_whole(headings.fields_of(place.names)):
                raise
            not_whole.append(error)  # a pivot, say: only if nothing else is there it matters
            unread.append(sheet.title)
            continue
        reading.begin(sheet, header)
        for row in chain(top[place.position + 1 :], sheet.rows):
            reading.take(row)
        before = len(reading.rows)
        no_bills += (of_sheet := reading.end())
        if len(reading.rows) == before:
            elsewhere += of_sheet
    for header in reading.headers if elsewhere else ():
        header.warnings.append(f"not billed, by what its row says: {list_some(elsewhere)}")
    for header in reading.headers if unread else ():
        header.warnings.append(
            f"not read, without a header that has what is needed: sheet {list_some(unread)}"
        )
    if not_whole and not reading.headers:
        raise not_whole[0]
    if no_bills and not reading.rows:
        raise Rejected(f"not billed, by what its row says: {list_some(no_bills)}")
    return Rows(reading.rows, reading.cancelled)


class _Reading:
    """The rows of sheets, as they come."""

    def __init__(self, only_under_header: bool) -> None:
        self.rows: list[SheetRow] = []
        self.cancelled: list[SheetRow] = []
        self.headers: list[Header] = []
        self._only_under_header = only_under_header
        self._count = self._characters = 0

    def begin(self, sheet: Sheet, header: Header) -> None:
        self._sheet, self._header = sheet, header
        self._of_sheet = [header]
        self._hidden: list[str] = []
        self._footers: list[str] = []
        self._no_bills: list[str] = []
        self._known: set[str] = set()
        self._by_number: dict[int, SheetRow] = {}
        self._rows: list[tuple[SheetRow, Sequence[CellValue]]] = []

    def take(self, numbered: NumberedRow) -> None:
        """Keep a row, or pass it over."""
        number, values, is_hidden = numbered
        if self._is_header_again(numbered):
            return
        header = self._header
        row = SheetRow(header, number, header.read(values), is_hidden=is_hidden)
        if is_hidden:
            self._hidden.append(f"{number}")
        if row.values or self._only_under_header:
            self._count += 1
        if self._count > MOST_ROWS:
            raise Rejected(f"a spreadsheet of more than {MOST_ROWS:,} rows: split it")
        texts = [value for value in values if isinstance(value, str)]
        may_be_total = any(map(labels.may_be_total, texts))
        is_first = not (self._rows or self._footers)
        is_below_header = is_first and (_is_of_units(row) or _numbers_columns(values))
        if row.values and not may_be_total and (is_below_header or _is_footer(row)):
            self._footers.append(row.place)
            return
        if self._only_under_header and len(values) > header.width and not may_be_total:
            raise Rejected(
                f"{row.place} has {len(values)} cells, the header {header.width}: a separator "
                "inside a text or number must stand in quotes"
            )
        if not row.values:
            return  # a note in a column that is not read: nothing of a line is in it
        row = row._replace(values=self._merged(row))
        if reason := _no_bill(row, values):
            self.cancelled.append(row)
            name = " ".join(as_text(row.values.get(n)) for n in ("prefix", "document_number"))
            self._no_bills.append(f"{name.strip()[:60] or 'no number'} ({row.place}: {reason})")
            return
        self._rows.append((row, values))
        if header.merged:
            self._by_number[number] = row
        if not may_be_total:
            self._known.update(labels.bare(text) for text in texts if len(text) <= 120)
        self._characters += sum(
            len(value) for value in row.values.values() if isinstance(value, str)
        )
        if self._characters > MOST_CHARACTERS:
            raise Rejected(f"a spreadsheet of more than {MOST_CHARACTERS:,} characters: split it")

    def _is_header_again(self, numbered: NumberedRow) -> bool:
        """Return whether a row is the header of the next page, or of a table below the first."""
        if not _is_all_words(numbered):
            return False
        names = [as_text(value) for value in numbered.values]
        fields = headings.fields_of(names)
        if not headings.is_header(fields):
            return False
        if names != self._header.names and headings.is_whole(fields):
            self._header = Header(self._sheet, names, numbered.number)
            self._of_sheet.append(self._header)
        return True

    def _merged(self, row: SheetRow) -> dict[str, CellValue]:
        """Return a row's values with those of merged cells that began in a row above. An amount in
        merged cells counts once."""
        filled = dict(row.values)
        for field, column in row.header.columns.items() if row.header.merged else ():
            if field in filled or field in (*AMOUNTS, row.header.total_column):
                continue
            first = row.header.merged.get((column.position, row.number))
            top = self._by_number.get(first or 0)
            if top and field in top.values:
                filled[field] = top.values[field]
        return filled

    def end(self) -> list[str]:
        """Label the rows of a sheet, tell what was passed over, and return what is no bill."""
        for row, values in self._rows:
            label = _label(row, values, self._known)
            self.rows.append(row._replace(label=label) if label else row)
        warnings: list[str] = []
        if self._hidden:
            places = f"row {list_some(self._hidden)}{self._header.of_title}"
            warnings.append(f"hidden in the workbook, and read: {places}")
        if self._footers:
            warnings.append(
                f"passed over, with neither number nor amount: {list_some(self._footers)}"
            )
        if self._no_bills:
            warnings.append(f"not billed, by what its row says: {list_some(self._no_bills)}")
            if any("cancelad" in reason.casefold() for reason in self._no_bills):
                warnings.append("`Cancelada` is taken for annulled; if it means paid, write Pagada")
        for header in self._of_sheet:
            header.warnings += [*warnings, *self._sheet.warnings]
        self.headers += self._of_sheet
        return self._no_bills


def _is_footer(row: SheetRow) -> bool:
    """Return whether a row has neither an amount of money nor what can be a document's number."""
    if any(_has_number(row.values.get(field)) for field in ("net_amount", row.header.total_column)):
        return False
    number = as_text(row.values.get("document_number"))
    if number and labels.may_be_number(number):
        return False
    # What stands in place of an amount is an error to tell, if the row is like a line.
    is_priced = all(_has_number(row.values.get(field)) for field in ("quantity", "unit_price"))
    return not (is_priced or {"description", "net_amount"} <= row.values.keys())


def _is_of_units(row: SheetRow) -> bool:
    """Return whether a row right below the header says in what its columns are, such as `und` and
    `COP`: there is no digit in it."""
    return not any(c.isdigit() for value in row.values.values() for c in as_text(value))


def _numbers_columns(values: Sequence[CellValue]) -> bool:
    """Return whether a row right below the header counts the columns: 1, 2, 3 or (1), (2), (3)."""
    texts = [as_text(value).strip(" ()[].") for value in values]
    return len(texts) >= headings.LEAST_KNOWN and texts == [str(n + 1) for n in range(len(texts))]


def _has_number(value: CellValue) -> bool:
    if isinstance(value, str):
        return bool(numbers_of(value))
    return value is not None  # a formula without a value may be any number


def _no_bill(row: SheetRow, values: Sequence[CellValue]) -> str:
    """Return what a row says where it says that it is no bill, or ""."""
    status = as_text(row.values.get("status"))
    if labels.is_no_bill(status):
        return f"{row.cell('status').heading} {short(status)}"
    mark = as_text(row.values.get("is_no_bill"))
    asks_why = headings.letters_of(row.cell("is_no_bill").heading).startswith(("motivo", "causa"))
    if labels.is_yes(mark) or (asks_why and labels.says_something(mark)):
        return f"{row.cell('is_no_bill').heading} {short(mark)}"
    if headings.is_of_no_bill(of_kind := as_text(row.values.get("document_kind"))):
        return f"{row.cell('document_kind').heading} {short(of_kind)}"
    kind = row.header.columns.get("document_kind", HeadedColumn(-1, "")).position
    for n, value in enumerate(values):
        if isinstance(value, str) and n != kind and labels.says_no_bill(value):
            return short(value) if len(value) <= 20 else "anulada"
    return ""


def _label(row: SheetRow, values: Sequence[CellValue], known: set[str]) -> str:
    """Return how surely a row says that it is a total: by the surest of its cells."""
    fields = {column.position: field for field, column in row.header.columns.items()}
    strengths = [
        labels.total_label(value, fields.get(n), known)
        for n, value in enumerate(values)
        if isinstance(value, str)
        and fields.get(n) not in ("status", "is_no_bill")
        and not ("unit_price" in row.values and labels.is_of_pages(value))
    ]
    return labels.STRONG if labels.STRONG in strengths else max(strengths, default="")


class _Group(NamedTuple):
    """Rows of one document, by their places; and what is unclear about them, or ""."""

    indexes: list[int]
    doubt: str = ""


def documents_in(rows: Sequence[SheetRow]) -> Iterator[list[SheetRow] | Rejected]:
    """Yield the rows of each document, in the order in which they begin. Rejected stands for a
    document that may be incomplete: under one of its rows is one without a number."""
    by_number: dict[str, list[int]] = {}
    names = bare_numbers(rows)
    unnumbered: dict[int, SheetRow] = {}  # by the row above
    lost: list[str] = []
    above: int | None = None
    for n, row in enumerate(rows):
        if number := row.text("document_number"):
            by_number.setdefault(names[n] or number, []).append(n)
            above = n
        elif above is not None and rows[above].header is row.header:
            unnumbered.setdefault(above, row)
        else:
            lost.append(row.place)
    if lost:
        places = list_some(lost)
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


def bare_numbers(rows: Sequence[SheetRow]) -> list[str]:
    """Return the bare number of each row, "" where it has none: that by which FE1001 and FE-1001
    are one, also where a prefix stands in a column of its own."""
    whole = {
        bare_number(number_of([row])): bare_number(row.text("document_number") or "")
        for row in rows
        if row.text("prefix")
    }
    bares = [bare_number(row.text("document_number") or "") for row in rows]
    return [
        bare if row.text("prefix") else whole.get(bare, bare)
        for row, bare in zip(rows, bares, strict=True)
    ]


def _split(rows: Sequence[SheetRow], same: list[int]) -> Iterator[_Group]:
    """Yield rows of one number by document. A blank is what the others have, if that is one."""
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
        text = canonical_id(supplier_of(row).tax_id or "")
    if field == "prefix" and (number := row.text("document_number")):
        # FE in its own column, or in front of the number
        text = labels.bare(text or ("" if number.isdigit() else number.rstrip("0123456789")))
    return "".join(text.split()).casefold()


def number_of(rows: Sequence[SheetRow]) -> str:
    """Return a document's number, with the prefix in front of it that stands in its own column."""
    prefix, number = first_text(rows, "prefix") or "", first_text(rows, "document_number") or ""
    is_repeated = not prefix.isdigit() and number.casefold().startswith(prefix.casefold())
    return number if is_repeated else prefix + number


def first_text(rows: Sequence[SheetRow], field: str) -> str | None:
    """Return the first text in a field that is not blank."""
    return next(filter(None, (row.text(field) for row in rows)), None)


_TAX_ID = re.compile(r"(?<![\w.])\d{1,3}(?:\.?\d{3}){2,3}(?:-\d)?(?![\w.])", re.ASCII)


def supplier_of(row: SheetRow) -> Party:
    """Return a row's supplier: a column such as `Proveedor` holds its tax id, its name or both."""
    tax_id, name = row.text("supplier_id"), row.text("supplier")
    if name and not any(c.isalpha() for c in name):
        return Party(tax_id or name, None)
    if name and not tax_id and (match := _TAX_ID.search(name)):
        rest = re.sub(r"\bNIT\b[.:]?", "", name[: match.start()] + name[match.end() :])
        return Party(match[0], rest.strip(" -:()|/,") or None)
    if name and not tax_id and " " not in name and any(c.isdigit() for c in name):
        return Party(name, None)  # another country's
    return Party(tax_id, name)


def list_some(names: Sequence[str]) -> str:
    more = f", and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
