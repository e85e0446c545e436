"""The verb `explain`: each verdict of a month, walked back to what it came from.

verdict ─┬▶ its last reading ─▶ the poll that brought it ─▶ SHA-256 of the answer
         └▶ the lines that bill it ─▶ their document ─▶ SHA-256 of its file
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.reconciliation.contract.line_map import read_line_map
from wolkvox_billing.reconciliation.mart import fill_anew
from wolkvox_billing.reconciliation.origin import Traced, trace
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.values.clock import Clock, format_second, utc_now
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.values.periods import format_period, read_month
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading


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
    period = read_month(month)
    with opened(destination, dataset) as pipeline, reading(pipeline):
        filled = fill_anew(pipeline, policy, clock(), period)
        line_map = read_line_map(Path(policy.line_map), REPORTS)
        with pipeline.sql_client() as client:
            traced = trace(client, pipeline.dataset_name, filled.rows, line_map, policy)
        location = location_of(pipeline)
    kept = [one for one in traced if _fits(one, product, report)]
    if traced and not kept:
        there = sorted({f"{p} ({r})" for one in traced for r, p in _named(one) if p})
        wanted = " of the report ".join(filter(None, (product or "verdict", report)))
        raise SettingsError(f"{month} has no {wanted}: there is {', '.join(there) or 'no product'}")
    for one in kept:
        if product and one.row.product is None:  # of a whole report, what was asked for
            one.measured_from = [m for m in one.measured_from if m.product == product]
    return Explained(month, kept, location)


def as_lines(one: Traced) -> list[str]:
    """A Traced for a terminal: its heading, and then what it came from."""
    row = one.row
    start, end = row.billing_period_start, row.billing_period_end
    period = format_period(start, end) or "no period"
    name = (row.operation_id, row.product or row.report or "no report", period)
    lines = [
        " ".join(filter(None, (*name, row.reconciliation_status))),
        f"  {row.explanation}",
    ]
    if one.polls is not None:
        lines.append(f"  polls     {one.polls:,} in this period, {one.polls_answered:,} answered")
    for seen in one.measured_from:
        status = "" if seen.http_status is None else f", HTTP {seen.http_status}"
        lines += [
            f"  measured  {seen.product} of {seen.operation}, {seen.measure or 'undetermined'}, "
            f"by {seen.readings:,} readings; the last one:",
            f"            read {format_second(seen.read_at)}, items {seen.items_raw!r}, "
            f"date {seen.date_raw!r}",
            f"            poll {seen.poll_id}, started {format_second(seen.started_at)}",
            f"            {seen.outcome}{status}, answer {_hash(seen.answer_sha256)}",
        ]
    for line in one.billed_from:
        kind = "" if line.document_kind == "invoice" else f" ({line.document_kind})"
        quantity = "" if line.quantity is None else f" {format_number(line.quantity)} for"
        lines += [
            f"  billed    {line.document_number or 'no number'}{kind} line {line.line_number}, "
            f"{line.description or 'no description'!r}:{quantity} {format_amount(line.net_amount)} "
            f"{line.billing_currency or ''}".rstrip(),
            f"            file {line.file_name}, {_hash(line.file_sha256)}",
            f"            document {_hash(line.document_id)}",
        ]
    return lines


def _hash(sha256: str | None) -> str:
    return f"sha256 {sha256[:16]}" if sha256 else "none"


def _named(one: Traced) -> list[tuple[str | None, str | None]]:
    """The reports and products that a verdict is about."""
    report = one.row.report
    return [(report, one.row.product), *((report, seen.product) for seen in one.measured_from)]


def _fits(one: Traced, product: str | None, report: str | None) -> bool:
    return any(report in (None, r) and product in (None, p) for r, p in _named(one))
