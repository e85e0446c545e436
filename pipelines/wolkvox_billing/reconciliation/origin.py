"""Where a verdict comes from: the last readings with their calls, the lines with their files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.marts.engine import internal_of
from wolkvox_billing.marts.identities import Identities, read_identities
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.collect import read_facts
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS, MapRow
from wolkvox_billing.reconciliation.facts import BilledLine, Meter, MonthUse
from wolkvox_billing.reconciliation.keys import Comparison, Key, compare
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.periods import Period
from wolkvox_billing.vendor.answer import Outcome
from wolkvox_billing.warehouse.sql import Client, literal, rows_of, tables_in


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


class Basis(NamedTuple):
    """A row of invoice_reconciliation, and what was compared for it: the months of use, and the
    lines that bill it."""

    row: ReconciledRow
    uses: Sequence[MonthUse]
    lines: Sequence[BilledLine]


@dataclass
class Traced:
    """A row of invoice_reconciliation, with all that it came from. `polls` are those of its period;
    None where nothing says whom to ask."""

    row: ReconciledRow
    polls: int | None = None
    polls_answered: int | None = None
    measured_from: list[MeasuredFrom] = field(default_factory=list)
    billed_from: list[BilledFrom] = field(default_factory=list)


def compare_anew(
    client: Client, dataset: str, line_map: Sequence[MapRow], policy: Policy
) -> Comparison:
    """Return what is compared with what, of all that is stored."""
    return compare(read_facts(client, dataset, policy, tables_in(client, dataset)), line_map, None)


def bases_in(comparison: Comparison, verdicts: Sequence[ReconciledRow]) -> list[Basis]:
    """Return what was compared for verdicts that are only known by their rows, without judging
    anything anew."""
    bases: list[Basis] = []
    for row in verdicts:
        own = row.operation_id, row.report, row.product, _period_of(row)
        key = Key(row.supplier_id, *own, row.billing_currency)
        billed = comparison.billed.get(key)
        # What nobody billed is measured under a key without a supplier: see the call of `compare`.
        measured = comparison.measured.get(key if billed else Key(None, *own, None))
        uses = measured.uses if measured else ()
        bases.append(Basis(row, uses, billed.lines if billed else ()))
    return bases


def trace(client: Client, dataset: str, bases: Sequence[Basis]) -> list[Traced]:
    """Return where each verdict comes from, by queries that only read."""
    identities = read_identities(client, f"{dataset}_marts")
    return [_trace(client, dataset, basis, identities) for basis in bases]


def _period_of(row: ReconciledRow) -> Period | None:
    start, end = row.billing_period_start, row.billing_period_end
    return Period(start, end) if start and end else None  # of a line that nothing gives a period


def _trace(client: Client, raw: str, basis: Basis, identities: Identities) -> Traced:
    row, period = basis.row, _period_of(basis.row)
    traced = Traced(row, billed_from=[_billed_from(client, raw, line) for line in basis.lines])
    if row.operation_id and row.report and period:
        is_of_all = row.operation_id == ALL_OPERATIONS
        own = identities.are("operation_id", row.operation_id)
        of_operation = "" if is_of_all else f" AND {own}"
        outcomes = rows_of(
            client,
            f"SELECT outcome FROM {raw}.polls WHERE report = {literal(row.report)} "
            f"AND {_within('poll_date', period)}{of_operation}",
        )
        traced.polls = len(outcomes)
        traced.polls_answered = sum(Outcome(outcome).is_answer for (outcome,) in outcomes)
    for use in basis.uses:
        assert period  # only a key with one is measured
        traced.measured_from += _measured_from(client, raw, use, period, identities)
    return traced


def spelled_as(client: Client, raw: str, counted: Meter, identities: Identities) -> str:
    """Return the condition for the readings of a product, under each of its spellings; a published
    copy knows of none but the newest."""
    newest = f"description = {literal(counted.product)}"
    if "spellings" not in tables_in(client, internal_of(raw)):
        return f"({newest})"
    return (
        f"({newest} OR description IN (SELECT product FROM {internal_of(raw)}.spellings "
        f"WHERE {identities.are('operation_id', counted.operation_id)} "
        f"AND report = {literal(counted.report)} "
        f"AND newest_product = {literal(counted.product)}))"
    )


def _measured_from(
    client: Client, raw: str, use: MonthUse, period: Period, identities: Identities
) -> list[MeasuredFrom]:
    """Return of each name that the vendor gave the operation the last reading of the last day.
    Raises WarehouseError where the call that brought it is not there."""
    days = use.period.common(period)
    readings = rows_of(
        client,
        "SELECT r.operation, r.read_at, r.items_raw, r.date_raw, r.poll_id, p.started_at, "
        f"p.outcome, p.http_status, p.answer_sha256 FROM {raw}.readings AS r "
        f"LEFT JOIN {raw}.polls AS p ON p.poll_id = r.poll_id "
        f"WHERE {identities.are('r.operation_id', use.operation_id)} "
        f"AND r.report = {literal(use.report)} "
        f"AND {spelled_as(client, raw, use.meter, identities)} "
        f"AND {_within('r.date', days)} AND NOT COALESCE(r.is_repeated, FALSE) "
        "ORDER BY r.date, r.read_epoch, r.poll_id, r.row_number",
    )
    counts = Counter(operation for operation, *_ in readings)
    last = {operation: values for operation, *values in readings}
    for _, items_raw, date_raw, poll_id, started_at, *_ in last.values():
        if started_at is None:  # it was deleted: who says where a number came from says it of all
            raise WarehouseError(
                f"a reading of {use.operation_id} {use.report}, items {items_raw!r} of "
                f"{date_raw!r}, came with the call {poll_id}, and {raw}.polls has no such call: "
                "put back the rows that somebody deleted there, from a backup or a copy that "
                "`publish` made"
            )
    return [
        MeasuredFrom(
            operation,
            use.product,
            use.measure,
            counts[operation],
            read_at.astimezone(timezone.utc),
            items_raw,
            date_raw,
            poll_id,
            started_at.astimezone(timezone.utc),
            *answer,
        )
        for operation, (read_at, items_raw, date_raw, poll_id, started_at, *answer) in last.items()
    ]


def _billed_from(client: Client, raw: str, line: BilledLine) -> BilledFrom:
    [(kind, file_name, file_sha256)] = rows_of(
        client,
        f"SELECT document_kind, file_name, file_sha256 FROM {raw}.invoice_documents "
        f"WHERE document_id = {literal(line.document_id)}",
    )
    return BilledFrom(
        document_kind=kind,
        document_number=line.document_number,
        line_number=line.line_number,
        description=line.description,
        quantity=line.quantity,
        net_amount=line.amount,
        billing_currency=line.currency,
        file_name=file_name,
        file_sha256=file_sha256,
        document_id=line.document_id,
    )


def _within(column: str, period: Period) -> str:
    return f"{column} >= {literal(period.start)} AND {column} < {literal(period.end)}"
