"""What a close stands on: the month's verdicts as one text; and what has changed in them since.

Status and numbers, not the sentence, which changes with the language, nor the operation's name or
the policy: a close holds as long as its verdicts are the same, by whatever rules.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.closing.records import Close
from wolkvox_billing.marts.reconciled import KEY
from wolkvox_billing.reconciliation.totals import DoesNotTieOut
from wolkvox_billing.values.numbers import format_number
from wolkvox_billing.values.periods import Period, format_month, months_of
from wolkvox_billing.warehouse.sql import rows_of

# What a close stands on: with other columns every close made before would no longer hold.
Ground = dict[str, Any]
# Those that the others follow from come first: they are told when something has changed.
CAUSES = ("reconciliation_status", "consumed_quantity", "billed_quantity", "contracted_unit_price",
          "contracted_cost", "billed_cost")  # fmt: skip
EFFECTS = ("quantity_variance", "cost_variance", "volume_effect", "price_effect", "invoice_ids",
           "hours_unread_at_end", "is_material")  # fmt: skip
_UNTIED = "does_not_tie_out"
_MOST_CHANGES = 5  # are told in one sentence


@dataclass(frozen=True)
class NoLongerHolds:
    """A close whose month has other verdicts now, and what changed, in words."""

    close: Close
    changes: list[str]

    def __str__(self) -> str:
        told = "; ".join(self.changes[:_MOST_CHANGES])
        more = len(self.changes) - _MOST_CHANGES
        return f"{self.close}, and no longer holds: {told}" + (
            f"; and {more} more" if more > 0 else ""
        )


def verdicts_by_month(client: SqlClientBase[Any], marts: str) -> dict[str, list[Ground]]:
    """The rows of invoice_reconciliation as they are, with what a close stands on."""
    columns = (*KEY, *CAUSES, *EFFECTS)
    found: dict[str, list[Ground]] = {}
    for values in rows_of(
        client,
        f"SELECT {', '.join(columns)} FROM {marts}.invoice_reconciliation "
        "WHERE billing_period_start IS NOT NULL",
    ):
        row = dict(zip(columns, values, strict=True))
        period = Period(row["billing_period_start"], row["billing_period_end"])
        for month in months_of(period):  # a quarter is in three
            found.setdefault(format_month(month.start), []).append(row)
    return found


def untied(error: DoesNotTieOut) -> list[Ground]:
    """What a close stands on where the verdicts cannot be shown."""
    return [{_UNTIED: str(error)}]


def doubts(rows: Sequence[Ground]) -> list[str]:
    """Why a month with these verdicts is closed for a reason only, in words."""
    if not rows:
        return ["nothing was measured or billed in it"]
    if _UNTIED in rows[0]:
        return [f"it does not tie out: {rows[0][_UNTIED]}"]
    return [
        f"{_name(row)} is {row['reconciliation_status']}"
        for row in rows
        if row["is_material"] or row["reconciliation_status"] == "open_period"
    ]


def canonical(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as JSON that is the same for the same rows: sorted, numbers as texts of 4 decimals."""
    listed = [json.dumps(_plain(row), sort_keys=True, ensure_ascii=False) for row in rows]
    return f"[{', '.join(sorted(listed))}]"


def digest(stands_on: str) -> str:
    return hashlib.sha256(stands_on.encode()).hexdigest()


def broken(one: Close, stands_on: str) -> NoLongerHolds | None:
    """What is not as it was when a month was closed; None if the close holds."""
    if one.digest == digest(stands_on):
        return None
    before, after = (
        {tuple(row.get(name) for name in KEY): row for row in json.loads(text)}
        for text in (one.stands_on, stands_on)
    )
    keys = sorted({*before, *after}, key=str)
    told = (_change(before.get(key), after.get(key)) for key in keys)
    return NoLongerHolds(one, [text for text in told if text])


def _change(old: Ground | None, new: Ground | None) -> str:
    """What is another thing in a key, in words; "" if nothing is."""
    row = new or old or {}
    if _UNTIED in row:
        return "it does not tie out" if new else "it did not tie out then"
    if not old:
        billed = _shown(row["billed_cost"])
        return f"{_name(row)} is new: {row['reconciliation_status']}, billed {billed}"
    if not new:
        return f"{_name(row)} is gone: it was {row['reconciliation_status']}"
    told = [name for name in CAUSES if old[name] != new[name]]
    told = told or [name for name in EFFECTS if old[name] != new[name]]
    if told == ["invoice_ids"]:  # long, and nobody knows them by heart
        return f"{_name(row)}: other documents bill it, with the same amounts"
    steps = [f"{name} {_shown(old[name])} -> {_shown(new[name])}" for name in told]
    return f"{_name(row)}: {', '.join(steps)}" if steps else ""


def _plain(row: Mapping[str, Any]) -> Ground:
    return {
        name: f"{value:.4f}"
        if isinstance(value, Decimal)
        else value.isoformat()
        if isinstance(value, date)
        else value
        for name, value in row.items()
    }


def _name(row: Ground) -> str:
    """A verdict's key, as short as a person needs it."""
    what = row["product"] or row["report"] or "what no row of the line map fits"
    return " ".join(filter(None, (row["operation_id"], what)))


def _shown(value: Any) -> str:
    """A number of the canonical JSON with marks between thousands; a text as it is."""
    if isinstance(value, str) and value.replace(".", "", 1).lstrip("-").isdigit():
        return format_number(Decimal(value))
    return "unknown" if value is None else str(value)
