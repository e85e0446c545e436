"""CSV and XLSX into documents: a header row, then a line of a document in each row.

A file may hold many documents. One whose rows cannot be read is rejected alone, unless what is
wrong concerns the whole file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.document import (
    Document,
    Line,
    Rejected,
    fit_amount,
    fit_rate,
    quoted,
    short,
)
from wolkvox_billing.invoices.period import period_between, periods_in
from wolkvox_billing.invoices.sheets import headings, labels
from wolkvox_billing.invoices.sheets.annulments import without_annulments
from wolkvox_billing.invoices.sheets.cells import (
    Percent,
    Sheet,
    as_text,
    check_day_first,
    date_in,
    month_in,
    number_in,
    settle_decimal,
)
from wolkvox_billing.invoices.sheets.delimited import csv_rows
from wolkvox_billing.invoices.sheets.headings import letters_of
from wolkvox_billing.invoices.sheets.html_table import html_tables
from wolkvox_billing.invoices.sheets.restated import Table
from wolkvox_billing.invoices.sheets.rows import (
    AMOUNTS,
    EXPECTED,
    Rows,
    SheetRow,
    documents_in,
    first_text,
    list_some,
    number_of,
    rows_of,
    supplier_of,
)
from wolkvox_billing.values.currencies import is_currency_code
from wolkvox_billing.values.periods import Period
from wolkvox_billing.values.tax_id import read_tax_id
from wolkvox_billing.values.tax_rates import VAT_RATES

_OF_DOLLARS = ("trm", "tasarepresentativadelmercado")
_DATES = ("issue_date", "period_start", "period_end")
# What a document's id is made of, in this order: it is the same in every release.
_IDENTIFYING = ("document_kind", "supplier_id", "document_number", "issue_date",
                "billing_currency", "corrects_number")  # fmt: skip
_IDENTIFYING_OF_LINES = ("line_id", "operation", "description", "item_code", "quantity",
                         "unit_code", "unit_price", "net_amount", "tax_amount",
                         "billing_currency", "period")  # fmt: skip


class Hints(NamedTuple):
    """What a person says of spreadsheets that do not: the mark before decimals, the currency and
    the supplier of lists without one."""

    decimal: str | None = None
    currency: str | None = None
    supplier_id: str | None = None


NO_HINTS = Hints()


class Notation(NamedTuple):
    """How a file writes numbers and dates: the mark before decimals, the day that Excel's serial
    numbers are counted from, None where it is Windows' Excel."""

    decimal: str | None
    epoch: datetime | None
    hints: Hints


def read_csv(data: bytes, hints: Hints = NO_HINTS) -> Iterator[Document | Rejected]:
    """Yield the documents of a CSV file. Raises Rejected for the file as a whole."""
    table = rows_of([Sheet("", csv_rows(data))], only_under_header=True)
    yield from _read_documents("csv", table, hints)


def read_xlsx(parts: Mapping[str, bytes], hints: Hints = NO_HINTS) -> Iterator[Document | Rejected]:
    """Yield the documents of an XLSX file, all sheets with a header row. Raises Rejected for the
    file as a whole.

    parts: what is in its zip, by name, within limits.
    """
    from wolkvox_billing.invoices.sheets.workbook import Book  # openpyxl is slow to import

    book = Book(parts)
    table = rows_of(_named(book.sheets))
    yield from _read_documents("xlsx", table, hints, book.epoch)


def read_html(data: bytes, hints: Hints = NO_HINTS) -> Iterator[Document | Rejected]:
    """Yield the documents of the tables in an HTML file, which programs call .xls. Raises
    Rejected for the file as a whole."""
    table = rows_of(_named(html_tables(data)))
    yield from _read_documents("html", table, hints)


def _named(sheets: Sequence[Sheet]) -> Sequence[Sheet]:
    """Return sheets that are named in places where there are several."""
    for sheet in sheets if len(sheets) == 1 else ():
        sheet.name = ""
    return sheets


def _read_documents(
    file_format: str, read: Rows, hints: Hints, epoch: datetime | None = None
) -> Iterator[Document | Rejected]:
    nothing = Rejected(f"no header row with rows of a document under it: {EXPECTED}")
    if not read.rows:
        raise nothing
    notation = Notation(hints.decimal or _settle_mark(read.rows), epoch, hints)
    table = Table(read.rows, notation.decimal)
    rows = table.without_restated()
    yield from table.refusals
    if not rows and not table.refusals:
        raise nothing
    check_day_first(row.cell(name) for row in rows for name in _DATES if name in row.values)
    contents = [
        document_rows
        if isinstance(document_rows, Rejected)
        else _read_or_refuse(file_format, document_rows, table, notation)
        for document_rows in documents_in(rows)
    ]
    yield from without_annulments(contents, read.cancelled, notation.decimal)


def _read_or_refuse(
    file_format: str, rows: Sequence[SheetRow], table: Table, notation: Notation
) -> Document | Rejected:
    try:
        document = _read_document(file_format, rows, notation)
        numbers = {row.text("document_number") or "" for row in rows}
        taxes = (table.taxes.get(number, Decimal()) for number in numbers)
        _take_tax(document, sum(taxes, Decimal()))
    except Rejected as error:
        return Rejected(f"the document {number_of(rows)[:60]}: {error}")
    return document


def _take_tax(document: Document, tax: Decimal) -> None:
    """Set the tax that a row of its own states, where no line states one."""
    net = document.net_amount
    if tax and net is not None and all(line.tax_amount is None for line in document.lines):
        document.tax_amount = fit_amount(tax, "the tax", document.warnings)
        document.payable_amount = fit_amount(net + tax, "the sum with taxes", document.warnings)


def _settle_mark(rows: Sequence[SheetRow]) -> str | None:
    """Return the mark before decimals by all numbers but those of totals, which are asked only
    where the others do not tell. Raises Rejected."""
    lines = [row for row in rows if row.label != labels.STRONG] or rows
    numbers = [row.cell(name) for row in lines for name in AMOUNTS if name in row.values]
    totals = [row.cell(row.header.total_column) for row in lines if row.header.total_column]
    try:
        return settle_decimal(numbers) or settle_decimal(totals)
    except Rejected:
        with suppress(Rejected):
            settle_decimal(numbers)
            return None  # only the totals are unclear, and they are no more than checked
        return settle_decimal([*numbers, *totals])


def _read_document(file_format: str, rows: Sequence[SheetRow], notation: Notation) -> Document:
    headers = dict.fromkeys(row.header for row in rows)
    warnings = [warning for header in headers for warning in header.warnings]
    suppliers = [supplier_of(row) for row in rows]
    supplier_id = next((supplier.tax_id for supplier in suppliers if supplier.tax_id), None)
    if not supplier_id and notation.hints.supplier_id:
        supplier_id = notation.hints.supplier_id
        warnings.append("the list states no supplier: taken is the one that was given")
    document = Document(
        document_id="",
        format=file_format,
        document_kind=_kind(rows, warnings),
        supplier_id=read_tax_id(supplier_id, warnings),
        supplier_name=next((supplier.name for supplier in suppliers if supplier.name), None),
        document_number=number_of(rows),
        issue_date=_issue_date(rows, notation),
        billing_currency=next(filter(None, (_currency(row, notation) for row in rows)), None),
        corrects_number=first_text(rows, "corrects_number"),
        warnings=warnings,
    )
    if not document.billing_currency and notation.hints.currency:
        document.billing_currency = notation.hints.currency
        warnings.append("the list states no currency: taken is the one that was given")
    months: list[str] = []
    for number, row in enumerate(rows, 1):
        line = _read_line(row, number, notation, document)
        _take_unit_price(row, number, line, notation, warnings)
        _take_net(row, number, line, warnings)
        if line.net_amount is None:
            place = row.cell("net_amount").place
            raise Rejected(f"{place} is blank: a line needs its amount")
        months.append(month_in(row.cell("period"), warnings))
        document.lines.append(line)
    document.document_id = _digest(document, months)
    _take_months(document, months)
    _compare_prices(document)
    _add_up(document)
    _doubt_rates(document)
    _compare_totals(document, rows, notation)
    _take_exchange_rate(document, rows, notation)
    return document


def _take_exchange_rate(document: Document, rows: Sequence[SheetRow], notation: Notation) -> None:
    """Set the rate between two currencies where the rows state one, and it reads in one way; the
    TRM is that of dollars in pesos."""
    cells = [row.cell("exchange_rate") for row in rows if row.text("exchange_rate")]
    if not cells:
        return
    first = cells[0]
    try:
        mark = notation.decimal or settle_decimal(cells)
        rates = {rate for cell in cells if (rate := number_in(cell, mark))}
    except Rejected as error:
        document.warnings.append(f"{error}: the rate is not taken")
        return
    if len(rates) > 1:
        document.warnings.append(f"{first.heading}: {len(rates)} rates in one document: none taken")
        return
    for rate in rates:
        document.exchange_rate = fit_rate(rate, first.place, document.warnings)
        if letters_of(first.heading) in _OF_DOLLARS and document.exchange_rate:
            document.exchange_currency, document.exchange_in_currency = "USD", "COP"


def _read_line(row: SheetRow, number: int, notation: Notation, document: Document) -> Line:
    def amount(field: str) -> Decimal | None:
        cell = row.cell(field)
        is_rate = isinstance(cell.value, Percent) or "%" in as_text(cell.value)
        if field == "tax_amount" and is_rate:
            document.warnings.append(f"{cell.place} is the rate of the tax, and no amount")
            return None
        exact = number_in(cell, notation.decimal)
        return None if exact is None else fit_amount(exact, cell.place, document.warnings)

    return Line(
        operation=row.text("operation"),
        description=row.text("description"),
        item_code=row.text("item_code"),
        quantity=amount("quantity"),
        unit_code=row.text("unit"),
        unit_price=amount("unit_price"),
        net_amount=amount("net_amount"),
        tax_amount=amount("tax_amount"),
        billing_currency=_currency(row, notation) or document.billing_currency,
        period=_period(row, number, notation, document.warnings),
    )


def _take_unit_price(
    row: SheetRow, number: int, line: Line, notation: Notation, warnings: list[str]
) -> None:
    """Set price and net amount of a line whose `Valor` is a price: beside a total that is quantity
    x `Valor`, with the tax or without it, or a tax that is one of that and of nothing else."""
    value, quantity = line.net_amount, line.quantity
    if row.header.net_column != "value" or line.unit_price is not None:
        return
    if not value or quantity is None or quantity == 1:
        return
    product, tax = quantity * value, line.tax_amount or Decimal()
    if row.header.total_column:
        with suppress(Rejected):
            total = number_in(row.cell(row.header.total_column), notation.decimal)
            sums = (product, product + tax)
            if total is None or not any(_is_about(total, amount) for amount in sums):
                return
        by = "the total"
    elif tax and _is_tax_of(product, tax) and not _is_tax_of(value, tax):
        by = "the tax"
    else:
        return
    line.unit_price, line.net_amount = value, round(product, 4)
    heading = row.cell("net_amount").heading
    warnings.append(f"line {number}: {heading} is taken for the price, by {by}")


def _is_tax_of(net: Decimal, tax: Decimal) -> bool:
    return any(_is_about(tax, net * rate / 100) for rate in VAT_RATES)


def _take_net(row: SheetRow, number: int, line: Line, warnings: list[str]) -> None:
    """Set the net amount of a line that has a total in place of one: with the tax or without it,
    as quantity and price, or the rate, tell. What was taken is told."""
    column, total = row.header.net_column, line.net_amount
    if column in ("net_amount", "value") or total is None:
        return
    tax = line.tax_amount
    heading = row.cell("net_amount").heading
    if line.quantity is not None and line.unit_price is not None:
        product = line.quantity * line.unit_price
        if _is_about(total, product):
            return
        if tax and _is_about(total - tax, product):
            line.net_amount = total - tax
            warnings.append(f"line {number}: {heading} is with tax, which is taken off")
            return
        rate = next((r for r in VAT_RATES if _is_about(total, product * (100 + r) / 100)), None)
        if product and rate and tax is None:
            line.net_amount = round(product, 4)
            line.tax_amount = total - line.net_amount
            warnings.append(
                f"line {number}: {heading} is quantity x price and {rate} % of tax, and no column "
                "states the tax: it is taken off"
            )
            return
    if not tax:
        return
    if _is_tax_of(total - tax, tax) or (column == "total" and not _is_tax_of(total, tax)):
        line.net_amount = total - tax
        warnings.append(f"line {number}: no net amount: {heading} is taken to be with tax")
    else:
        warnings.append(f"line {number}: no net amount: {heading} is taken to be without tax")


def _is_about(amount: Decimal, other: Decimal) -> bool:
    return abs(amount - other) <= max(Decimal("0.01"), abs(other) * Decimal("0.0001"))


def _doubt_rates(document: Document) -> None:
    """Warn where a column of taxes holds their rate, such as 19 on 100,000."""
    rates = [Decimal(rate) / part for rate in VAT_RATES for part in (1, 100)]
    for number, line in enumerate(document.lines, 1):
        net, tax = line.net_amount, line.tax_amount
        if not net or tax not in rates or _is_tax_of(abs(net), tax):
            continue
        if abs(abs(net) * (tax if tax < 1 else tax / 100) - tax) > 1:
            document.warnings.append(
                f"the column of the tax seems to hold its rate: {tax.normalize():f} on "
                f"{net.normalize():f} in line {number} is no tax amount"
            )
            return


def _compare_totals(document: Document, rows: Sequence[SheetRow], notation: Notation) -> None:
    """Warn where a total beside the net amounts is neither net nor with tax, of its line or of the
    whole document."""
    net = document.net_amount or Decimal()
    tax = sum((line.tax_amount or Decimal() for line in document.lines), Decimal())
    differing: list[str] = []
    for row, line in zip(rows, document.lines, strict=True):
        if not row.header.total_column:
            continue
        cell = row.cell(row.header.total_column)
        try:
            total = number_in(cell, notation.decimal)
        except Rejected as error:
            document.warnings.append(f"not compared: {error}")
            continue
        own = line.net_amount or Decimal()
        sums = [own, own + (line.tax_amount or Decimal()), net, net + tax]
        if line.tax_amount is None:  # nobody states the tax that the total may have
            sums += [amount * (100 + rate) / 100 for amount in (own, net) for rate in VAT_RATES]
        if total is not None and not any(abs(abs(total) - abs(s)) <= 1 for s in sums):
            differing.append(cell.place)
    if differing:
        document.warnings.append(
            "a total that is neither the net amount nor that with tax; the net amount counts: "
            + list_some(differing)
        )


def _period(row: SheetRow, number: int, notation: Notation, warnings: list[str]) -> Period | None:
    """Return the period of a row: its end is inclusive, as people write it."""
    start = date_in(row.cell("period_start"), notation.epoch)
    end = date_in(row.cell("period_end"), notation.epoch)
    if start and end and start < end and start.day == end.day == 1:
        warnings.append(f"line {number}: the period's end, {end}, is taken for the day after it")
        return Period(start, end)
    return period_between(start, end, f"the period of line {number}", warnings)


def _digest(document: Document, months: Sequence[str]) -> str:
    """Return the SHA-256 of what the rows say, in whatever form the file has it."""
    digest = hashlib.sha256(_normalized(getattr(document, name) for name in _IDENTIFYING))
    for line, month in zip(document.lines, months, strict=True):
        values = (getattr(line, name) for name in _IDENTIFYING_OF_LINES)
        digest.update(_normalized([*values, month]))
    return digest.hexdigest()


def _normalized(values: Iterable[object]) -> bytes:
    texts = [
        f"{value.normalize():f}"
        if isinstance(value, Decimal)
        else str("" if value is None else value)
        for value in values
    ]
    return json.dumps(texts).encode()


def _take_months(document: Document, months: Sequence[str]) -> None:
    """Set the periods that the column of months gives: one for all is the document's, by its text;
    where they differ, each is its line's."""
    periods = [set(periods_in(month)) for month in months]
    if len(set().union(*periods)) > 1 and all(len(named) <= 1 for named in periods):
        for line, named in zip(document.lines, periods, strict=True):
            line.period = line.period or next(iter(named), None)
        months = []
    document.texts = [
        list(filter(None, months)),
        [line.description for line in document.lines if line.description],
    ]
    own_periods = {line.period for line in document.lines}
    document.own_period = own_periods.pop() if len(own_periods) == 1 else None


def _compare_prices(document: Document) -> None:
    """Warn where quantity times price is another amount: the sign of a misread 12.500."""
    differing: list[str] = []
    for number, line in enumerate(document.lines, 1):
        if line.quantity is None or line.unit_price is None or line.net_amount is None:
            continue
        net = abs(line.net_amount)
        difference = abs(abs(line.quantity * line.unit_price) - net)
        if difference > max(Decimal("0.01"), net * Decimal("0.005")):
            differing.append(str(number))
    if differing:
        more = f" and {len(differing) - 5:,} more" if len(differing) > 5 else ""
        document.warnings.append(
            f"quantity times unit price is not the net amount in line {', '.join(differing[:5])}"
            f"{more}: a discount, or a number that was misread"
        )


def _add_up(document: Document) -> None:
    """Set the totals: a spreadsheet has none of its own, they are those of its rows."""
    warnings = document.warnings
    net = sum((line.net_amount or Decimal() for line in document.lines), Decimal())
    document.net_amount = fit_amount(net, "the sum of the net amounts", warnings)
    taxes = [line.tax_amount for line in document.lines if line.tax_amount is not None]
    if len(taxes) == len(document.lines):
        tax = sum(taxes, Decimal())
        document.tax_amount = fit_amount(tax, "the sum of the taxes", warnings)
        document.payable_amount = fit_amount(net + tax, "the sum with taxes", warnings)


def _issue_date(rows: Sequence[SheetRow], notation: Notation) -> date | None:
    places: dict[date, str] = {}
    for row in rows:
        cell = row.cell("issue_date")
        if day := date_in(cell, notation.epoch):
            places.setdefault(day, cell.place)
    if len(places) > 1:
        (day, place), (other, other_place) = list(places.items())[:2]
        raise Rejected(
            f"{place} is {day} and {other_place} is {other}: one document has one issue date"
        )
    return next(iter(places), None)


def _kind(rows: Sequence[SheetRow], warnings: list[str]) -> str:
    for row in rows:
        if text := row.text("document_kind"):
            if kind := headings.kind_of(text):
                return kind
            raise Rejected(
                f"{row.cell('document_kind').place} is {_quote_word(text)}: expected factura, nota "
                "crédito or nota débito"
            )
    warnings.append("no document kind: taken for an invoice")
    return "invoice"


# `$` and pesos are of many countries: with `--currency` it is as if the list stated none.
_NO_CURRENCY = ("", "peso", "pesos", "moneda", "ml", "local")
_CURRENCIES = {
    "pesoscolombianos": "COP",
    "pesocolombiano": "COP",
    "col": "COP",
    "us": "USD",
    "usdolar": "USD",
    "usdolares": "USD",
    "dolaresamericanos": "USD",
    "dolaresestadounidenses": "USD",
    "euro": "EUR",
    "euros": "EUR",
}


def _currency(row: SheetRow, notation: Notation) -> str | None:
    text = (row.text("currency") or "").upper()
    if letters_of(text) in _NO_CURRENCY and notation.hints.currency:
        return None
    code = _CURRENCIES.get(letters_of(text), text.strip("$ "))
    if text and not is_currency_code(code):
        place = row.cell("currency").place
        raise Rejected(f"{place} is {_quote_word(text)}: expected a code such as COP")
    return code or None


def _quote_word(text: str) -> str:
    return short(text) if len(text) <= 20 else quoted(text)
