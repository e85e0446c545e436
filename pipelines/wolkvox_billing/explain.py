"""The verb `explain`: each verdict of a month, walked back to what it came from.

verdict ─┬▶ its last reading ─▶ the poll that brought it ─▶ SHA-256 of the answer
         └▶ the lines that bill it ─▶ their document ─▶ SHA-256 of its file
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices.period import Period
from wolkvox_billing.marts.sql import literal
from wolkvox_billing.polls import Clock, utc_now
from wolkvox_billing.reconcile import reconcile
from wolkvox_billing.reconciliation.facts import BilledLine, MonthUse
from wolkvox_billing.reconciliation.keys import Comparison, Key, compare
from wolkvox_billing.reconciliation.line_map import MapRow, read_line_map
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.reading import read_facts
from wolkvox_billing.reports import REPORTS
from wolkvox_billing.terminal import shown_number, shown_period
from wolkvox_billing.verdict import Outcome
from wolkvox_billing.warehouse import DATASET, DESTINATION, configured, opened, reading, rows_of

Row = dict[str, Any]
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

    row: Row
    polls: int | None = None
    polls_answered: int | None = None
    measured_from: list[MeasuredFrom] = field(default_factory=list)
    billed_from: list[BilledFrom] = field(default_factory=list)


@dataclass
class Explained:
    month: str
    verdicts: list[Traced]
    location: str


def explain(
    month: str,
    *,
    product: str | None = None,
    report: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Explained:
    """The Explained of a month such as 2026-11, or of its verdicts with a product or report.

    Raises what `reconcile` raises, and SettingsError for a product or report that is not in it.
    """
    policy = policy or configured(read_policy)
    found = reconcile(month, destination=destination, dataset=dataset, policy=policy, clock=clock)
    line_map = read_line_map(Path(policy.line_map), REPORTS)
    with (
        opened(destination, dataset) as pipeline,
        reading(pipeline),
        pipeline.sql_client() as client,
    ):
        traced = trace(client, pipeline.dataset_name, found.rows, line_map, policy)
    kept = [one for one in traced if _fits(one, product, report)]
    if traced and not kept:
        there = sorted({f"{p} ({r})" for one in traced for r, p in _named(one) if p})
        wanted = " of the report ".join(filter(None, (product or "verdict", report)))
        raise SettingsError(f"{month} has no {wanted}: there is {', '.join(there) or 'no product'}")
    for one in kept:
        if product and one.row["product"] is None:  # of a whole report, what was asked for
            one.measured_from = [m for m in one.measured_from if m.product == product]
    return Explained(month, kept, found.location)


def trace(
    client: SqlClientBase[Any],
    dataset: str,
    verdicts: Sequence[Row],
    line_map: Sequence[MapRow],
    policy: Policy,
) -> list[Traced]:
    """Each of the verdicts as a Traced, by queries that only read."""

    rows = partial(rows_of, client)

    facts = read_facts(client, dataset, f"{dataset}_marts", policy)
    comparison = compare(facts, line_map, None)
    return [_traced(rows, dataset, row, comparison) for row in verdicts]


def as_lines(one: Traced) -> list[str]:
    """A Traced for a terminal: its heading, and then what it came from."""
    row = one.row
    start, end = row["billing_period_start"], row["billing_period_end"]
    name = (row["operation_id"], row["product"] or row["report"] or "no report")
    lines = [
        " ".join(filter(None, (*name, shown_period(start, end), row["reconciliation_status"]))),
        f"  {row['explanation']}",
    ]
    if one.polls is not None:
        lines.append(f"  polls     {one.polls:,} in this period, {one.polls_answered:,} answered")
    for seen in one.measured_from:
        status = "" if seen.http_status is None else f", HTTP {seen.http_status}"
        lines += [
            f"  measured  {seen.product} of {seen.operation}, {seen.measure or 'undetermined'}, "
            f"by {seen.readings:,} readings; the last one:",
            f"            read {_moment(seen.read_at)}, items {seen.items_raw!r}, "
            f"date {seen.date_raw!r}",
            f"            poll {seen.poll_id}, started {_moment(seen.started_at)}",
            f"            {seen.outcome}{status}, answer {_hash(seen.answer_sha256)}",
        ]
    for line in one.billed_from:
        kind = "" if line.document_kind == "invoice" else f" ({line.document_kind})"
        quantity = "" if line.quantity is None else f" {shown_number(line.quantity)} for"
        lines += [
            f"  billed    {line.document_number or 'no number'}{kind} line {line.line_number}, "
            f"{line.description or 'no description'!r}:{quantity} {line.net_amount:,.2f} "
            f"{line.billing_currency or ''}".rstrip(),
            f"            file {line.file_name}, {_hash(line.file_sha256)}",
            f"            document {_hash(line.document_id)}",
        ]
    return lines


def _moment(at: datetime) -> str:
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def _hash(sha256: str | None) -> str:
    return f"sha256 {sha256[:16]}" if sha256 else "none"


def _named(one: Traced) -> list[tuple[str | None, str | None]]:
    """The reports and products that a verdict is about."""
    report = one.row["report"]
    return [(report, one.row["product"]), *((report, seen.product) for seen in one.measured_from)]


def _fits(one: Traced, product: str | None, report: str | None) -> bool:
    return any(report in (None, r) and product in (None, p) for r, p in _named(one))


def _traced(rows: Rows, raw: str, row: Row, comparison: Comparison) -> Traced:
    start, end = row["billing_period_start"], row["billing_period_end"]
    period = Period(start, end) if start else None  # of a line that nothing gives a period
    own = row["operation_id"], row["report"], row["product"], period
    key = Key(row["supplier_id"], *own, row["billing_currency"])
    billed = comparison.billed.get(key)
    # What nobody billed is measured under a key without a supplier: see the call of `compare`.
    measured = comparison.measured.get(key if billed else Key(None, *own, None))
    found = Traced(row)
    if row["operation_id"] and row["report"] and period:
        outcomes = rows(
            f"SELECT outcome FROM {raw}.polls WHERE operation_id = {literal(row['operation_id'])} "
            f"AND report = {literal(row['report'])} AND {_within('poll_date', period)}"
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
