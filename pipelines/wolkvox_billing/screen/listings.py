"""The tables of documents and verdicts, as marimo's table takes them, and as CSV.

Numbers stay numbers and days stay days, so that they sort and filter as such; how they are written
is beside them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import NamedTuple

import pyarrow as pa

from wolkvox_billing.evidence.tables import shown_in_csv
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.reconciliation.settlement import Settled
from wolkvox_billing.reconciliation.settlement_words import title_of
from wolkvox_billing.reconciliation.unit_names import name_unit
from wolkvox_billing.screen.marks import Mark, mark_of, say_status
from wolkvox_billing.values.locales import list_separator, short_date
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.values.periods import format_period
from wolkvox_billing.vendor.reports import unit_of

_MANY = Decimal(10)


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    STATUS = "status"
    DAY = "day"
    MONEY = "money"
    DIFFERENCE = "difference"  # of money, with its sign
    QUANTITY = "quantity"
    CHANGE = "change"  # of a quantity, with its sign


_NUMBERS = (Kind.MONEY, Kind.DIFFERENCE, Kind.QUANTITY, Kind.CHANGE)
Value = str | date | Decimal | None


class Column(NamedTuple):
    name: str
    kind: Kind
    values: Sequence[Value]


@dataclass(frozen=True)
class Listing:
    """Columns of as many rows, the mark of each row's status, and how a locale writes them."""

    columns: Sequence[Column]
    marks: Sequence[Mark]
    locale: str

    def as_table(self) -> pa.Table:
        """Return the rows as they sort: numbers as floats, which no sum is made of."""
        return pa.table({column.name: _array(column) for column in self.columns})

    @property
    def formats(self) -> dict[str, Callable[[object], str]]:
        """Return how the values of each column are written."""
        return {
            column.name: partial(_write, column.kind, self.locale)
            for column in self.columns
            if column.kind not in (Kind.TEXT, Kind.STATUS)
        }

    @property
    def right(self) -> dict[str, str]:
        """Return the columns that stand to the right."""
        return {column.name: "right" for column in self.columns if column.kind in _NUMBERS}

    def style_cell(self, row: str, column: str, value: object) -> Mapping[str, str]:
        """Return the style of a cell by its row and column: of a status its colour."""
        if all(own.name != column or own.kind is not Kind.STATUS for own in self.columns):
            return {}
        tint = self.marks[int(row)].tint
        return {"fontWeight": "600", "whiteSpace": "nowrap", "backgroundColor": tint}

    def as_csv(self) -> bytes:
        """Return the rows as a spreadsheet of the locale opens them: `;` and decimal commas where
        it has these."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=list_separator(self.locale), lineterminator="\r\n")
        writer.writerow(column.name for column in self.columns)
        cells = ([_cell(value, column.kind, self.locale) for value in column.values]
                 for column in self.columns)  # fmt: skip
        writer.writerows(zip(*cells, strict=True))
        return text.getvalue().encode("utf-8-sig")


def list_documents(settled: Sequence[Settled], locale: str) -> Listing:
    """Return what is to be done with each document, in the order of the mart."""
    rows = [each.document for each in settled]
    return _listing(
        [
            Column("to do", Kind.STATUS, [say_status(row.settlement, locale) for row in rows]),
            Column("document", Kind.TEXT,
                   [title_of(row.document_kind, row.document_number, locale) for row in rows]),
            Column("asked", Kind.MONEY, [row.payable_amount for row in rows]),
            Column("agreed", Kind.MONEY, [row.agreed_amount for row in rows]),
            Column("questioned", Kind.MONEY, [row.questioned_amount for row in rows]),
            Column("claimed", Kind.MONEY, [row.claimed_amount for row in rows]),
            Column("currency", Kind.TEXT, [row.billing_currency or "" for row in rows]),
            Column("claim until", Kind.DAY, [row.acceptance_deadline for row in rows]),
            Column("due", Kind.DAY, [row.due_date for row in rows]),
            Column("issued", Kind.DAY, [row.issue_date for row in rows]),
            Column("supplier", Kind.TEXT, [row.supplier_id or "" for row in rows]),
        ],
        [mark_of(row.settlement) for row in rows],
        locale,
    )  # fmt: skip


def _listing(columns: Sequence[Column], marks: Sequence[Mark], locale: str) -> Listing:
    """Return a Listing, the names in the language, without the columns in which nothing stands."""
    return Listing(
        [
            column._replace(name=caption(column.name, locale))
            for place, column in enumerate(columns)
            if place == 0 or any(value not in (None, "") for value in column.values)
        ],
        marks,
        locale,
    )


def list_verdicts(verdicts: Sequence[ReconciledRow], locale: str) -> Listing:
    """Return the verdicts, in their order. Where no invoice is in one nothing was billed, not even
    0."""

    def billed(value: Callable[[ReconciledRow], Decimal | None]) -> list[Decimal | None]:
        return [value(row) if row.is_billed else None for row in verdicts]

    return _listing(
        [
            Column("status", Kind.STATUS,
                   [say_status(row.reconciliation_status, locale) for row in verdicts]),
            Column("product", Kind.TEXT, [name_product(row) for row in verdicts]),
            Column("operation", Kind.TEXT,
                   [row.operation_name or row.operation_id or "" for row in verdicts]),
            Column("cost difference", Kind.DIFFERENCE, billed(lambda row: row.cost_variance)),
            Column("billed cost", Kind.MONEY, billed(lambda row: row.billed_cost)),
            Column("contracted cost", Kind.MONEY, [row.contracted_cost for row in verdicts]),
            Column("currency", Kind.TEXT, [row.billing_currency or "" for row in verdicts]),
            Column("billed", Kind.QUANTITY, billed(lambda row: row.billed_quantity)),
            Column("measured", Kind.QUANTITY, [row.consumed_quantity for row in verdicts]),
            Column("quantity difference", Kind.CHANGE, billed(lambda row: row.quantity_variance)),
            Column("unit", Kind.TEXT,
                   [name_unit(unit_of(row.report), _MANY, locale) for row in verdicts]),
            Column("period", Kind.TEXT,
                   [format_period(row.billing_period_start, row.billing_period_end, locale)
                    for row in verdicts]),
            Column("report", Kind.TEXT, [row.report or "" for row in verdicts]),
        ],
        [mark_of(row.reconciliation_status) for row in verdicts],
        locale,
    )  # fmt: skip


def name_product(row: ReconciledRow) -> str:
    """Return what a verdict is about, as short as a table has it."""
    return row.product or row.product_label or row.report or ""


def _array(column: Column) -> pa.Array:
    if column.kind in _NUMBERS:
        numbers = [None if value is None else float(str(value)) for value in column.values]
        return pa.array(numbers, pa.float64())
    kind = pa.date32() if column.kind is Kind.DAY else pa.string()
    return pa.array(column.values, kind)


def _write(kind: Kind, locale: str, value: object) -> str:
    """Return a value of `as_table` as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, date):
        return short_date(value, locale)
    number = Decimal(str(value))
    if kind in (Kind.MONEY, Kind.DIFFERENCE):
        return format_amount(number, signed=kind is Kind.DIFFERENCE, locale=locale)
    return format_number(number, signed=kind is Kind.CHANGE, locale=locale)


def _cell(value: Value, kind: Kind, locale: str) -> str:
    """Return a value as a spreadsheet reads it: no marks between thousands, which it may take for
    a text, and nothing that it takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        number = (
            f"{value:.2f}" if kind in (Kind.MONEY, Kind.DIFFERENCE) else f"{value.normalize():f}"
        )
        return number.replace(".", ",") if list_separator(locale) == ";" else number
    if isinstance(value, date):
        return value.isoformat()
    return shown_in_csv(value)
