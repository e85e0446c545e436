"""What a close stands on: the month's verdicts as one text; and what has changed in them since.

Status and numbers, not the sentence, which changes with the language, nor the operation's name or
the policy: a close holds as long as its verdicts are the same, by whatever rules.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from wolkvox_billing.closing.records import Close
from wolkvox_billing.marts.reconciled import KEY, KINDS
from wolkvox_billing.values.numbers import format_number
from wolkvox_billing.values.periods import Period, format_month, months_of
from wolkvox_billing.warehouse.sql import Client, rows_of

# Those that the others follow from come first: they are told when something has changed.
CAUSES = ("reconciliation_status", "consumed_quantity", "billed_quantity", "contracted_unit_price",
          "contracted_cost", "billed_cost")  # fmt: skip
EFFECTS = ("quantity_variance", "cost_variance", "volume_effect", "price_effect", "invoice_ids",
           "hours_unread_at_end", "is_material")  # fmt: skip
_UNTIED = "does_not_tie_out"
_MOST_CHANGES = 5  # are told in one sentence


class Ground(NamedTuple):
    """What a close stands on of one verdict: numbers as texts of 4 decimals, days in ISO 8601. With
    other fields every close made before would no longer hold."""

    supplier_id: str | None
    operation_id: str | None
    report: str | None
    product: str | None
    billing_period_start: str | None
    billing_period_end: str | None
    billing_currency: str | None
    reconciliation_status: str
    consumed_quantity: str | None
    billed_quantity: str | None
    contracted_unit_price: str | None
    contracted_cost: str | None
    billed_cost: str | None
    quantity_variance: str | None
    cost_variance: str | None
    volume_effect: str | None
    price_effect: str | None
    invoice_ids: str | None
    hours_unread_at_end: str | None
    is_material: bool

    @property
    def key(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in KEY)

    def __str__(self) -> str:
        """Its key, as short as a person needs it."""
        subject = self.product or self.report or "what no row of the line map fits"
        return " ".join(filter(None, (self.operation_id, subject)))


# Of invoice_reconciliation: what a close stands on, by the columns' types.
VERDICT_KINDS = {name: KINDS[name] for name in Ground._fields}


class Grounds(NamedTuple):
    """What a close stands on: a month's verdicts, or why they do not add up."""

    verdicts: Sequence[Ground] = ()
    untied: str = ""

    def as_text(self) -> str:
        """Return JSON that is the same for the same verdicts: sorted."""
        rows: list[Any] = [row._asdict() for row in self.verdicts]
        if self.untied:
            rows = [{_UNTIED: self.untied}]
        texts = [json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows]
        return f"[{', '.join(sorted(texts))}]"

    def doubts(self) -> list[str]:
        """Return why a month with these verdicts is closed for a reason only, in words."""
        if self.untied:
            return [f"it does not tie out: {self.untied}"]
        if not self.verdicts:
            return ["nothing was measured or billed in it"]
        return [
            f"{row} is {row.reconciliation_status}"
            for row in self.verdicts
            if row.is_material or row.reconciliation_status == "open_period"
        ]


@dataclass(frozen=True)
class NoLongerHolds:
    """A close whose month has other verdicts now, and what changed, in words."""

    close: Close
    changes: list[str]

    def __str__(self) -> str:
        changes = "; ".join(self.changes[:_MOST_CHANGES])
        more = len(self.changes) - _MOST_CHANGES
        return f"{self.close}, and no longer holds: {changes}" + (
            f"; and {more} more" if more > 0 else ""
        )


def read_grounds(client: Client, marts: str) -> dict[str, Grounds]:
    """Return what a close of each month would stand on, by invoice_reconciliation as it is."""
    return grounds_by_month(
        rows_of(
            client,
            f"SELECT {', '.join(VERDICT_KINDS)} "
            f"FROM {marts}.invoice_reconciliation WHERE billing_period_start IS NOT NULL",
        )
    )


def grounds_by_month(rows: Iterable[tuple[Any, ...]]) -> dict[str, Grounds]:
    """Return what a close of each month would stand on, by rows with VERDICT_KINDS."""
    verdicts: dict[str, list[Ground]] = {}
    start, end = map(Ground._fields.index, ("billing_period_start", "billing_period_end"))
    for row in rows:
        ground = Ground._make(map(_as_json, row))
        for month in months_of(Period(row[start], row[end])):  # a quarter is in three
            verdicts.setdefault(format_month(month.start), []).append(ground)
    return {month: Grounds(grounds) for month, grounds in verdicts.items()}


def digest(stands_on: str) -> str:
    return hashlib.sha256(stands_on.encode()).hexdigest()


def compare_grounds(close: Close, now: Grounds) -> NoLongerHolds | None:
    """Return what is not as it was when a month was closed; None if the close holds."""
    text = now.as_text()
    if close.digest == digest(text):
        return None
    return NoLongerHolds(close, changes_between(_parse(close.stands_on), now))


def changes_between(before: Grounds, now: Grounds) -> list[str]:
    """Return what is another thing now, in words."""
    return list(_changes(before, _parse(now.as_text())))


def _parse(stands_on: str) -> Grounds:
    rows = json.loads(stands_on)
    if rows and _UNTIED in rows[0]:
        return Grounds(untied=rows[0][_UNTIED])
    return Grounds([Ground._make(map(row.get, Ground._fields)) for row in rows])


def _changes(before: Grounds, now: Grounds) -> Iterator[str]:
    """What is another thing in each key, in words."""
    old, new = ({row.key: row for row in grounds.verdicts} for grounds in (before, now))
    for key in sorted({*old, *new}, key=str):
        if key not in old:
            row = new[key]
            yield f"{row} is new: {row.reconciliation_status}, billed {_printed(row.billed_cost)}"
        elif key not in new:
            yield f"{old[key]} is gone: it was {old[key].reconciliation_status}"
        elif change := _change(old[key], new[key]):
            yield change
    if now.untied:
        yield "it does not tie out"
    elif before.untied:
        yield "it did not tie out then"


def _change(old: Ground, new: Ground) -> str:
    """What is another thing in a key; "" if nothing is."""
    changed = [name for name in CAUSES if getattr(old, name) != getattr(new, name)]
    changed = changed or [name for name in EFFECTS if getattr(old, name) != getattr(new, name)]
    if changed == ["invoice_ids"]:  # long, and nobody knows them by heart
        return f"{new}: other documents bill it, with the same amounts"
    steps = [
        f"{name} {_printed(getattr(old, name))} -> {_printed(getattr(new, name))}"
        for name in changed
    ]
    return f"{new}: {', '.join(steps)}" if steps else ""


def _as_json(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:.4f}"
    return value.isoformat() if isinstance(value, date) else value


def _printed(value: object) -> str:
    """A number with marks between thousands; a text as it is."""
    if isinstance(value, str) and value.replace(".", "", 1).lstrip("-").isdigit():
        return format_number(Decimal(value))
    return "unknown" if value is None else str(value)
