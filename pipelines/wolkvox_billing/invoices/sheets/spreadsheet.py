"""CSV and XLSX into documents: a header row, then a line of a document in each row.

A file may hold many documents. One whose rows cannot be read is rejected alone, unless what is
wrong concerns the whole file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from openpyxl.utils.datetime import WINDOWS_EPOCH

from wolkvox_billing.invoices.document import (
    Document,
    Line,
    Rejected,
    quoted,
    short,
    stored,
)
from wolkvox_billing.invoices.period import Period, between, periods_in
from wolkvox_billing.invoices.sheets import headings
from wolkvox_billing.invoices.sheets.cells import (
    check_day_first,
    date_in,
    month_in,
    number_in,
    settle_decimal,
)
from wolkvox_billing.invoices.sheets.delimited import csv_rows
from wolkvox_billing.invoices.sheets.rows import (
    EXPECTED,
    Row,
    documents_in,
    first,
    number_of,
    rows_of,
)
from wolkvox_billing.invoices.sheets.workbook import Book
from wolkvox_billing.values.tax_id import read_tax_id

_NUMBERS = ("quantity", "unit_price", "net_amount", "tax_amount")
_DATES = ("issue_date", "period_start", "period_end")


def read_csv(data: bytes, decimal: str | None = None) -> Iterator[Document | Rejected]:
    """The documents of a CSV file. Raises Rejected for the file as a whole."""
    yield from _documents(
        "csv", rows_of([("", csv_rows(data))], only_under_header=True), decimal, WINDOWS_EPOCH
    )


def read_xlsx(
    parts: Mapping[str, bytes], decimal: str | None = None
) -> Iterator[Document | Rejected]:
    """The documents of an XLSX file, all sheets with a header row. Raises Rejected for the file as
    a whole.

    parts: what is in its zip, by name, within limits.
    """
    book = Book(parts)
    several = len(book.sheets) > 1
    rows = rows_of((one.name if several else "", one.rows) for one in book.sheets)
    yield from _documents("xlsx", rows, decimal, book.epoch)


def _documents(
    file_kind: str, rows: Sequence[Row], decimal: str | None, epoch: datetime
) -> Iterator[Document | Rejected]:
    if not rows:
        raise Rejected(f"no header row with rows of a document under it: {EXPECTED}")
    check_day_first(row.cell(name) for row in rows for name in _DATES if name in row.values)
    decimal = decimal or settle_decimal(
        row.cell(name) for row in rows for name in _NUMBERS if name in row.values
    )
    for of_one in documents_in(rows):
        if isinstance(of_one, Rejected):
            yield of_one
            continue
        try:
            yield _document(file_kind, of_one, decimal, epoch)
        except Rejected as error:
            yield Rejected(f"the document {number_of(of_one)[:60]}: {error}")


def _document(
    file_kind: str, rows: Sequence[Row], decimal: str | None, epoch: datetime
) -> Document:
    warnings = [one for table in dict.fromkeys(row.table for row in rows) for one in table.warnings]
    found = Document(
        document_id="",
        format=file_kind,
        document_kind=_kind(rows, warnings),
        supplier_id=read_tax_id(first(rows, "supplier_id"), warnings),
        document_number=number_of(rows),
        issue_date=_issued(rows, epoch),
        billing_currency=next(filter(None, map(_currency, rows)), None),
        corrects_number=first(rows, "corrects_number"),
        warnings=warnings,
    )
    head = [found.document_kind, found.supplier_id, found.document_number, found.issue_date,
            found.billing_currency, found.corrects_number]  # fmt: skip
    digest = hashlib.sha256(_normal(head))
    months: list[str] = []
    for number, row in enumerate(rows, 1):
        line = _line(row, number, decimal, epoch, found)
        if line.net_amount is None:
            place = row.cell("net_amount").place
            raise Rejected(f"{place} is blank: a line needs its amount")
        month, warning = month_in(row.cell("period"))
        found.warnings += [warning] if warning else []
        found.lines.append(line)
        months.append(month)
        digest.update(_normal([*vars(line).values(), month]))
    found.document_id = digest.hexdigest()
    _months(found, months)
    _compare_prices(found)
    _sums(found)
    return found


def _line(row: Row, number: int, decimal: str | None, epoch: datetime, found: Document) -> Line:
    def amount(name: str) -> Decimal | None:
        cell = row.cell(name)
        exact = number_in(cell, decimal)
        return None if exact is None else stored(exact, cell.place, found.warnings)

    return Line(
        operation=row.text("operation"),
        description=row.text("description"),
        item_code=row.text("item_code"),
        quantity=amount("quantity"),
        unit_code=row.text("unit"),
        unit_price=amount("unit_price"),
        net_amount=amount("net_amount"),
        tax_amount=amount("tax_amount"),
        billing_currency=_currency(row) or found.billing_currency,
        period=_period(row, number, epoch, found.warnings),
    )


def _period(row: Row, number: int, epoch: datetime, warnings: list[str]) -> Period | None:
    """The period of a row: its end is inclusive, as people write it."""
    start, end = date_in(row.cell("period_start"), epoch), date_in(row.cell("period_end"), epoch)
    if start and end and start < end and start.day == end.day == 1:
        warnings.append(f"line {number}: the period's end, {end}, is taken for the day after it")
        return Period(start, end)
    period, warning = between(start, end, f"the period of line {number}")
    warnings += [warning] if warning else []
    return period


def _months(found: Document, months: Sequence[str]) -> None:
    """The periods that the column of months gives: one for all is the document's, by its text;
    where they differ, each is its line's."""
    named = [set(periods_in(one)) for one in months]
    if len(set().union(*named)) > 1 and all(len(one) <= 1 for one in named):
        for line, one in zip(found.lines, named, strict=True):
            line.period = line.period or next(iter(one), None)
        months = []
    found.texts = [
        list(filter(None, months)),
        [one.description for one in found.lines if one.description],
    ]
    periods = {one.period for one in found.lines}
    found.own_period = periods.pop() if len(periods) == 1 else None


def _compare_prices(found: Document) -> None:
    """Warns where quantity times price is another amount: the sign of a misread 12.500."""
    differ: list[str] = []
    for number, one in enumerate(found.lines, 1):
        if None not in (one.quantity, one.unit_price, one.net_amount):
            net = abs(one.net_amount or Decimal())
            far = abs(abs((one.quantity or Decimal()) * (one.unit_price or Decimal())) - net)
            if far > max(Decimal("0.01"), net * Decimal("0.005")):
                differ.append(str(number))
    if differ:
        more = f" and {len(differ) - 5:,} more" if len(differ) > 5 else ""
        found.warnings.append(
            f"quantity times unit price is not the net amount in line {', '.join(differ[:5])}"
            f"{more}: a discount, or a number that was misread"
        )


def _sums(found: Document) -> None:
    """A spreadsheet has no totals of its own: they are those of its rows."""
    net = sum((one.net_amount or Decimal() for one in found.lines), Decimal())
    found.net_amount = stored(net, "the sum of the net amounts", found.warnings)
    taxes = [one.tax_amount for one in found.lines if one.tax_amount is not None]
    if len(taxes) == len(found.lines):
        tax = sum(taxes, Decimal())
        found.tax_amount = stored(tax, "the sum of the taxes", found.warnings)
        found.payable_amount = stored(net + tax, "the sum with taxes", found.warnings)


def _issued(rows: Sequence[Row], epoch: datetime) -> date | None:
    found: dict[date, str] = {}
    for row in rows:
        cell = row.cell("issue_date")
        if day := date_in(cell, epoch):
            found.setdefault(day, cell.place)
    if len(found) > 1:
        (day, place), (other, other_place) = list(found.items())[:2]
        raise Rejected(
            f"{place} is {day} and {other_place} is {other}: one document has one issue date"
        )
    return next(iter(found), None)


def _kind(rows: Sequence[Row], warnings: list[str]) -> str:
    row = next((one for one in rows if one.text("document_kind")), None)
    text = row.text("document_kind") if row else None
    if not row or not text:
        warnings.append("no document kind: taken for an invoice")
        return "invoice"
    if kind := headings.kind_of(text):
        return kind
    raise Rejected(
        f"{row.cell('document_kind').place} is {_word(text)}: expected factura, nota crédito or "
        "nota débito"
    )


def _currency(row: Row) -> str | None:
    text = (row.text("currency") or "").upper()
    code = text.strip("$ ")
    if text and not (len(code) == 3 and code.isascii() and code.isalpha()):
        place = row.cell("currency").place
        raise Rejected(f"{place} is {_word(text)}: expected a code such as COP")
    return code or None


def _word(text: str) -> str:
    return short(text) if len(text) <= 20 else quoted(text)


def _normal(values: Sequence[object]) -> bytes:
    """Values in one form, however the file writes them: what the document's hash is made of."""
    texts = [
        f"{one.normalize():f}" if isinstance(one, Decimal) else "" if one is None else str(one)
        for one in values
    ]
    return json.dumps(texts).encode()
