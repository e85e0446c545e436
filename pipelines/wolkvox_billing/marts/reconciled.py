"""A row of `invoice_reconciliation`: the only place that knows its columns.

The table's DDL, the types in an evidence file, the comments in a database, the JSON and the tables
on a terminal come from the fields below, in their order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, NamedTuple, get_args, get_type_hints

TEXT, DATE, FLAG, COUNT = "VARCHAR", "DATE", "BOOLEAN", "BIGINT"
MOMENT = "TIMESTAMPTZ"
AMOUNT, PRICE = "DECIMAL(18, 4)", "DECIMAL(18, 8)"


# Of a column, by the type of its values.
_KINDS = {str: TEXT, date: DATE, bool: FLAG, int: COUNT, datetime: MOMENT, Decimal: AMOUNT}


class Column(NamedTuple):
    """What a database is told of a column: a sentence, and its type where that is not the one of
    its values."""

    says: str
    kind: str = ""


@dataclass(frozen=True)
class ReconciledRow:
    """A verdict on one supplier, operation, report, product, period and currency. A NULL product is
    the whole report; a period is from its start to before its end. Money is in `billing_currency`.
    """

    supplier_id: Annotated[str | None, Column("The supplier's tax id")]
    operation_id: Annotated[str | None, Column("The operation's name in the settings")]
    operation_name: Annotated[
        str | None,
        Column("The operation's name as the vendor writes it, of a renamed one the newest"),
    ]
    report: Annotated[str | None, Column("The vendor's report, such as rsync_s3_mp3")]
    product: Annotated[str | None, Column("The product, as the vendor describes it")]
    billing_period_start: Annotated[
        date | None, Column("The month's first day, in the vendor's time zone")
    ]
    billing_period_end: Annotated[date | None, Column("The day after the month's last one")]
    billing_currency: Annotated[str | None, Column("The currency of the amounts")]
    consumed_quantity: Annotated[
        Decimal | None, Column("What was used; NULL where nobody knows what the number means")
    ]
    billed_quantity: Annotated[
        Decimal | None, Column("How much was billed; NULL where no line states a quantity")
    ]
    quantity_variance: Annotated[Decimal | None, Column("billed_quantity less consumed_quantity")]
    contracted_unit_price: Annotated[
        Decimal | None,
        Column("A unit's price by the rate card, 8 decimals; of several the average", PRICE),
    ]
    contracted_cost: Annotated[
        Decimal | None, Column("What the measured quantity costs by the rate card, to the cent")
    ]
    billed_cost: Annotated[
        Decimal | None, Column("What was billed, before tax; credit notes taken off")
    ]
    cost_variance: Annotated[Decimal | None, Column("billed_cost less contracted_cost")]
    volume_effect: Annotated[
        Decimal | None,
        Column("What the billed quantity costs by the rate card, less contracted_cost"),
    ]
    price_effect: Annotated[
        Decimal | None,
        Column(
            "billed_cost less what the billed quantity costs by the rate card, in two currencies "
            "at the documents' own exchange rate"
        ),
    ]
    exchange_effect: Annotated[
        Decimal | None,
        Column(
            "What the billed quantity costs at the documents' own exchange rate, less what it costs"
            " at the contract's; 0 in one currency"
        ),
    ]
    invoice_ids: Annotated[
        str | None, Column("The document_id of each invoice in it, separated by commas")
    ]
    hours_unread_at_end: Annotated[
        Decimal | None,
        Column("Hours from the last reading to the month's end; NULL before that end"),
    ]
    reconciliation_status: Annotated[str, Column("The verdict: the first status that fits")]
    is_material: Annotated[
        bool, Column("Whether the difference is worth an alarm, by the setting materiality")
    ]
    explanation: Annotated[str, Column("The verdict in one sentence")]
    cut_off: Annotated[
        str | None,
        Column("Of a nightly copy: the measure of the month that the invoice agrees with"),
    ] = None
    doubts_excluded: Annotated[
        str | None,
        Column("Of an accusation: the honest explanations, and what excludes each, by lines"),
    ] = None
    settled_by: Annotated[
        str | None, Column("Of an inconclusive verdict: what would settle it")
    ] = None
    language: Annotated[
        str | None, Column("Of the sentences: the setting language as it was then")
    ] = None
    copy_status: Annotated[
        str | None, Column("Of the nightly copy: that of copy_reconciliation; else NULL")
    ] = None
    missing_copies_cost: Annotated[
        Decimal | None,
        Column("What billed copies cost that are not in the bucket, where it is a finding"),
    ] = None
    verdict_key: Annotated[
        str | None,
        Column("The verdict's key as one text: a digest of the seven columns that it is of"),
    ] = None
    is_invoiced: Annotated[
        bool | None, Column("Whether an invoice is in it; where none is, nothing was billed")
    ] = None
    questioned_cost: Annotated[
        Decimal | None,
        Column("Of billed_cost, what contract and record do not support; before tax"),
    ] = None
    claimed_cost: Annotated[
        Decimal | None,
        Column("Of questioned_cost, that which the supplier is blamed for; before tax"),
    ] = None
    status_label: Annotated[
        str | None, Column("reconciliation_status as a person reads it, in English")
    ] = None
    status_label_es: Annotated[
        str | None, Column("reconciliation_status as a person reads it, in Spanish")
    ] = None
    severity: Annotated[
        int | None,
        Column(
            "Of the status, to sort and colour by: 0 agrees, 1 is open, 2 cannot be proved, 3 "
            "waits for a person, 4 billed short, 5 another price, 6 billed too much"
        ),
    ] = None
    month_label: Annotated[
        str | None, Column("The period as a text that sorts: 2026-10, or of another one its days")
    ] = None
    product_label: Annotated[
        str | None, Column("The product in plain words; of the whole report that one's name")
    ] = None
    consumed_unit: Annotated[str | None, Column("What is counted, such as audios")] = None
    verdicts_as_of: Annotated[
        datetime | None, Column("The moment up to which the verdict speaks (UTC)")
    ] = None

    @property
    def is_billed(self) -> bool:
        """Whether an invoice is in it: without one nothing was billed, not even 0."""
        return bool(self.invoice_ids)


KEY = (
    "supplier_id",
    "operation_id",
    "report",
    "product",
    "billing_period_start",
    "billing_period_end",
    "billing_currency",
)


def key_of(*parts: object) -> str:
    """Return a key of several columns as one text, of which no two come to the same."""
    text = json.dumps([None if part is None else str(part) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def columns_of_row(row: type) -> dict[str, Column]:
    """Return the columns of a row's type, in the order of its fields."""
    columns: dict[str, Column] = {}
    for name, hint in get_type_hints(row, include_extras=True).items():
        [column] = hint.__metadata__
        values, *_ = get_args(hint.__origin__) or (hint.__origin__,)
        columns[name] = column._replace(kind=column.kind or _KINDS[values])
    return columns


def kinds_of(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return the type of each column, as CREATE TABLE has it."""
    return {name: column.kind for name, column in columns.items()}


COLUMNS = columns_of_row(ReconciledRow)
KINDS = kinds_of(COLUMNS)
