"""Cells of a workbook: what a value of a mart's column is for a person.

A column is known by its name, so that a new one of a row is shown without a word here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from wolkvox_billing.evidence.report.html import Money, Quantity
from wolkvox_billing.marts.settled import CLAIM, PAY, WAIT
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.reconciliation.unit_names import name_unit
from wolkvox_billing.reconciliation.verdicts import ACCUSING, NO_FINDING


class Tone(Enum):
    """What a word's colour says beside it."""

    PLAIN, GOOD, OPEN, DOUBTFUL, BLAMED = range(5)


class Word(NamedTuple):
    """A word of a short list, in the language of the settings."""

    text: str
    tone: Tone = Tone.PLAIN


Value = str | int | Decimal | date | datetime | Money | Quantity | Word | None
Cells = Mapping[str, Value]  # of a row, by column


@dataclass(frozen=True)
class Sheet:
    """A sheet: rows and sums by column. `headings` by column, in order, of which the first
    `leading` ones are printed; `widest` how wide any column may be, in characters."""

    title: str
    headings: Mapping[str, str]
    rows: Sequence[Cells]
    sums: Sequence[Cells] = ()
    leading: int = 0
    widest: int = 0


_STATUSES = ("reconciliation_status", "settlement")
_WORDS = ("document_kind", "component", "role", "measure", "measure_source", "cut_off")
_TONES = {
    **dict.fromkeys(NO_FINDING, Tone.GOOD),
    **dict.fromkeys(ACCUSING, Tone.BLAMED),
    "open_period": Tone.OPEN,
    PAY: Tone.GOOD,
    WAIT: Tone.OPEN,
    CLAIM: Tone.BLAMED,
}
_MONEY = ("amount", "_amount", "_cost", "_price", "_effect", "cost_variance")
_SIGNED = ("_variance", "_effect")
# What a person calls a column, where that is not its name.
_HEADINGS = {
    "operation_id": "operation",
    "document_number": "number",
    "issue_date": "issued",
    "due_date": "due",
    "acceptance_deadline": "claim until",
    "billing_currency": "currency",
    "payable_amount": "asked",
    "amount": "asked",
    "agreed_amount": "agreed",
    "questioned_amount": "questioned",
    "claimed_amount": "claimed",
    "settlement": "to do",
    "reconciliation_status": "status",
    "consumed_quantity": "measured",
    "billed_quantity": "billed",
    "quantity_variance": "quantity difference",
    "cost_variance": "cost difference",
    "is_material": "alarm",
    "billing_period_start": "from",
    "billing_period_end": "to before",
    "is_closed_period": "month over",
    "poll_date": "day",
    "polls": "calls",
    "refusals": "refused",
}


def heading_of(column: str, locale: str) -> str:
    """Return a column's heading in the language of a locale."""
    return caption(_HEADINGS.get(column, column), locale)


def cells_of(row: Mapping[str, object], locale: str) -> dict[str, Value]:
    """Return a mart's row as cells by column; amounts are in its `billing_currency`."""
    currency = row.get("billing_currency")
    code = currency if isinstance(currency, str) else None
    return {column: _cell(column, value, code, locale) for column, value in row.items()}


def _cell(column: str, value: object, currency: str | None, locale: str) -> Value:
    match value:
        case bool():
            tone = Tone.BLAMED if value and column == "is_material" else Tone.PLAIN
            return Word(caption("yes" if value else "no", locale), tone)
        case str() if column in _STATUSES:
            return status_word(value, locale)
        case str() if column == "consumed_unit":
            return name_unit(value, Decimal(2), locale)
        case str() if column in _WORDS:
            return Word(caption(value, locale))
        case Decimal() if column.endswith(_MONEY):
            return Money(value, currency, column.endswith(_SIGNED))
        case Decimal() if column.endswith(_SIGNED):
            return Quantity(value)
        case None | str() | int() | Decimal() | date():
            return value
    return str(value)


def status_word(status: str, locale: str) -> Word:
    """Return a status, or what to do with a document. What is neither well nor blamed on anybody is
    doubtful."""
    return Word(caption(status, locale), _TONES.get(status, Tone.DOUBTFUL))


def sum_by_currency(rows: Sequence[Cells], label_column: str, label: str) -> list[dict[str, Value]]:
    """Return a row of sums for each currency: of each amount, that of all that the sheet shows.
    Prices add up to nothing."""
    by_currency: defaultdict[str, list[Cells]] = defaultdict(list)
    for row in rows:
        by_currency[str(row.get("billing_currency") or "")].append(row)
    sums: list[dict[str, Value]] = []
    for currency, own in sorted(by_currency.items()):
        totals: defaultdict[str, Decimal] = defaultdict(Decimal)
        for column, value in (cell for row in own for cell in row.items()):
            if column.endswith("_price") or not isinstance(value, Money):
                continue
            if value.amount is not None:
                totals[column] += value.amount
        money = {
            column: Money(total, currency or None, column.endswith(_SIGNED))
            for column, total in totals.items()
        }
        named = {label_column: f"{label}: {len(own):d}", "billing_currency": currency}
        sums.append({**named, **money})
    return sums
