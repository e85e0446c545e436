"""Where a verdict comes from: the last readings with their calls, the lines with their files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from functools import partial
from typing import Any

from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.invoices.period import Period
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.collect import read_facts
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.facts import BilledLine, MonthUse
from wolkvox_billing.reconciliation.keys import Comparison, Key, compare
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.vendor.answer import Outcome
from wolkvox_billing.warehouse.sql import literal, rows_of

Rows = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class MeasuredFrom:
    """The last reading of a product in the verdict's period, and the poll that brought it; how many
    readings there were. `operation` is the vendor's name."""

    operation: str
    product: str
    measure: str | None
    readings: int
    read_at: datetime
    items_raw: str
    date_raw: str
    poll_id: str
    started_at: datetime
    outcome: str
    http_status: int | None
    answer_sha256: str | None


@dataclass(frozen=True)
class BilledFrom:
    """A line that bills the verdict's key, and its document's file. Of a credit note, negative."""

    document_kind: str
    document_number: str | None
    line_number: int
    description: str | None
    quantity: Decimal | None
    net_amount: Decimal
    billing_currency: str | None
    file_name: str
    file_sha256: str
    document_id: str


@dataclass
class Traced:
    """A row of invoice_reconciliation, with all that it came from. `polls` are those of its period;
    None where nothing says whom to ask."""

    row: ReconciledRow
    polls: int | None = None
    polls_answered: int | None = None
    measured_from: list[MeasuredFrom] = field(default_factory=list)
    billed_from: list[BilledFrom] = field(default_factory=list)


def trace(
    client: SqlClientBase[Any],
    dataset: str,
    verdicts: Sequence[ReconciledRow],
    line_map: Sequence[MapRow],
    policy: Policy,
) -> list[Traced]:
    """Each of the verdicts as a Traced, by queries that only read."""

    rows = partial(rows_of, client)

    facts = read_facts(client, dataset, f"{dataset}_marts", policy)
    comparison = compare(facts, line_map, None)
    return [_traced(rows, dataset, row, comparison) for row in verdicts]


def _traced(rows: Rows, raw: str, row: ReconciledRow, comparison: Comparison) -> Traced:
    start, end = row.billing_period_start, row.billing_period_end
    period = Period(start, end) if start and end else None  # of a line that nothing gives a period
    own = row.operation_id, row.report, row.product, period
    key = Key(row.supplier_id, *own, row.billing_currency)
    billed = comparison.billed.get(key)
    # What nobody billed is measured under a key without a supplier: see the call of `compare`.
    measured = comparison.measured.get(key if billed else Key(None, *own, None))
    found = Traced(row)
    if row.operation_id and row.report and period:
        outcomes = rows(
            f"SELECT outcome FROM {raw}.polls WHERE operation_id = {literal(row.operation_id)} "
            f"AND report = {literal(row.report)} AND {_within('poll_date', period)}"
        )
        found.polls = len(outcomes)
        found.polls_answered = sum(Outcome(outcome).is_answer for (outcome,) in outcomes)
    for use in measured.uses if measured else ():
        assert period  # only a key with one is measured
        found.measured_from += _measured(rows, raw, use, period)
    if billed:
        found.billed_from = [_billed(rows, raw, line) for line in billed.lines]
    return found


def _measured(rows: Rows, raw: str, use: MonthUse, period: Period) -> list[MeasuredFrom]:
    """Of each name that the vendor gave the operation, the last reading of the last day."""
    days = Period(max(use.period.start, period.start), min(use.period.end, period.end))
    readings = rows(
        "SELECT operation, read_at, items_raw, date_raw, poll_id "
        f"FROM {raw}.readings WHERE operation_id = {literal(use.operation_id)} "
        f"AND report = {literal(use.report)} AND description = {literal(use.product)} "
        f"AND {_within('date', days)} AND NOT COALESCE(is_repeated, FALSE) "
        "ORDER BY date, read_epoch, poll_id, row_number"
    )
    last = {one[0]: one for one in readings}
    found: list[MeasuredFrom] = []
    for operation, read_at, items_raw, date_raw, poll_id in last.values():
        [poll] = rows(
            "SELECT started_at, outcome, http_status, answer_sha256 "
            f"FROM {raw}.polls WHERE poll_id = {literal(poll_id)}"
        )
        count = sum(one[0] == operation for one in readings)
        found.append(
            MeasuredFrom(
                operation, use.product, use.measure, count, read_at.astimezone(timezone.utc),
                items_raw, date_raw, poll_id, poll[0].astimezone(timezone.utc), *poll[1:],
            )
        )  # fmt: skip
    return found


def _billed(rows: Rows, raw: str, line: BilledLine) -> BilledFrom:
    [(kind, file_name, file_sha256)] = rows(
        f"SELECT document_kind, file_name, file_sha256 FROM {raw}.invoice_documents "
        f"WHERE document_id = {literal(line.document_id)}"
    )
    return BilledFrom(
        kind, line.document_number, line.line_number, line.description, line.quantity, line.amount,
        line.currency, file_name, file_sha256, line.document_id,
    )  # fmt: skip


def _within(column: str, period: Period) -> str:
    return f"{column} >= {literal(period.start)} AND {column} < {literal(period.end)}"
