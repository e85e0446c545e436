"""How the verbs' results are listed: a poll, an invoice, a verdict, ... as a row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wolkvox_billing.values.shown import shown_number, shown_period
from wolkvox_billing.vendor.advice import ADVICE

if TYPE_CHECKING:
    from wolkvox_billing.marts.reconciled import ReconciledRow
    from wolkvox_billing.polling.polls import Poll
    from wolkvox_billing.verbs.invoices import Receipt
    from wolkvox_billing.verbs.poll import PollReport
    from wolkvox_billing.verbs.status import Freshness

VERDICT_HEADINGS = [
    "operation", "product", "period", "measured", "billed", "difference", "status",
]  # fmt: skip
RECEIPT_HEADINGS = ["document", "supplier", "period", "net", "lines", "result"]


def _said(poll: Poll) -> str:
    """The vendor's words about a call, and ours."""
    return "; ".join(filter(None, (poll.verdict.msg, poll.verdict.note)))


def poll_as_row(poll: Poll) -> list[Any]:
    said = _said(poll)
    if not poll.outcome.is_answer:
        said = f"{said}\n{ADVICE[poll.outcome]}"
    count = str(poll.verdict.count)
    if poll.rejected:
        count += f", {poll.rejected} unreadable"
        said = f"{said}\nsee the table rejected_rows"
    return [poll.operation.operation_id, poll.report, poll.outcome.value, count, said]


def failures_of(report: PollReport) -> list[str]:
    """A sentence for each thing that went wrong in a `load`: what, and what to do."""
    refused = [
        f"{poll.operation.operation_id} {poll.report}: {poll.outcome.value}"
        f" ({_said(poll)}): {ADVICE[poll.outcome]}"
        for poll in report.refused
    ]
    skipped = [
        f"{skip.operation_id} {skip.report}: not asked: {skip.detail}"
        for skip in report.skips
        if skip.is_failure
    ]
    return [*refused, *skipped, *report.problems]


def poll_report_as_json(report: PollReport) -> dict[str, Any]:
    """What `poll` and `load` print for machines."""
    return {
        "polls": [poll_as_json(poll) for poll in report.polls],
        "skipped": [vars(skip) for skip in report.skips],
        "problems": report.problems,
        "failures": failures_of(report),
        "may_pass": report.may_pass,
        "warnings": report.warnings,
        "waiting": report.waiting,
        "working_folder": report.working_folder,
    }


def lines_of(report: PollReport) -> list[str]:
    """What a `poll` says: a line for each call, each that was not made, and what went wrong."""
    lines = []
    for poll in report.polls:
        name = f"{poll.operation.operation_id} {poll.report}"
        lines.append(f"{name}: {poll.outcome.value}, {poll.verdict.count} rows: {_said(poll)}")
        if not poll.outcome.is_answer:
            lines.append(f"  to do: {ADVICE[poll.outcome]}")
    lines += [f"{s.operation_id} {s.report}: not asked: {s.detail}" for s in report.skips]
    return [*lines, *report.problems, *(f"warning: {text}" for text in report.warnings)]


def poll_as_json(poll: Poll) -> dict[str, Any]:
    return {
        "poll_id": poll.poll_id,
        "operation_id": poll.operation.operation_id,
        "report": poll.report,
        "started_at": poll.started_at,
        "finished_at": poll.finished_at,
        "outcome": poll.outcome.value,
        "http_status": poll.answer.http_status,
        "code": poll.verdict.code,
        "msg": poll.verdict.msg,
        "note": poll.verdict.note,
        "rows": poll.verdict.count,
        "rejected": poll.rejected,
    }


def alarm_of(row: ReconciledRow) -> str:
    """A verdict as a sentence that stands alone: whose month it is, and what was found."""
    month = f"{row.billing_period_start or ''}"[:7]
    whose = (month, *verdict_as_row(row)[:2])
    return f"{' '.join(filter(None, whose))}: {row.reconciliation_status}: {row.explanation}"


def receipt_as_row(receipt: Receipt) -> list[Any]:
    kind = (receipt.document_kind or "").replace("_", " ")
    name = receipt.document_number or receipt.file_name
    warnings = f"{len(receipt.warnings)} warning{'s' if len(receipt.warnings) > 1 else ''}"
    period = ""
    if receipt.period_start and receipt.period_end:
        period = shown_period(receipt.period_start, receipt.period_end)
        period += "" if receipt.period_source == "document" else f" (by {receipt.period_source})"
    return [
        name if kind == "invoice" else f"{name} ({kind})",
        receipt.supplier_name or receipt.supplier_id,
        period,
        ""
        if receipt.net_amount is None
        else f"{receipt.net_amount:,.2f} {receipt.billing_currency}",
        str(receipt.lines),
        f"{receipt.made}, {warnings}" if receipt.warnings else receipt.made,
    ]


def verdict_as_row(row: ReconciledRow) -> list[Any]:
    start, end = row.billing_period_start, row.billing_period_end
    variance = row.cost_variance
    money = "" if variance is None else f"{variance:+,.2f} {row.billing_currency}"
    return [
        row.operation_id,
        row.product or row.report or "no report",
        shown_period(start, end) if start and end else "",
        row.consumed_quantity,
        row.billed_quantity,
        money,
        row.reconciliation_status.replace("_", " "),  # so that it wraps between words
    ]


def products_of(freshness: Freshness) -> list[tuple[str, Any, str]]:
    """What is known of each product: its name, the month so far, the newest day's change."""
    shown: list[tuple[str, Any, str]] = []
    for product in freshness.products:
        so_far = f"{shown_number(product.last_quantity)} (meaning undetermined)"
        change = ""
        if product.so_far is not None:
            so_far = shown_number(product.so_far)
        if product.change is not None and product.measure != "gauge":
            change = f"{product.change:+,.4f}".rstrip("0").rstrip(".")
            if (product.days_covered or 1) > 1:
                change += f" in {product.days_covered} days"
        shown.append((product.product, so_far, change))
    return shown or [("none this month", "", "")]
