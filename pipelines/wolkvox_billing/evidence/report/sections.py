"""The sections of a month as HTML, which the evidence's report and the notebook share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from wolkvox_billing.evidence.report.charts import bridge_chart, has_bridge, usage_chart
from wolkvox_billing.evidence.report.html import Money, facts, table, text
from wolkvox_billing.evidence.report.month import Page, Row, Usage
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.origin import Traced
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.durations import format_span
from wolkvox_billing.values.periods import format_period


def as_of(page: Page) -> str:
    """Up to which moment the marts speak."""
    return f"As of {format_moment(page.as_of, page.zone(''))}."


def sentence(row: ReconciledRow, language: str) -> str:
    """A verdict in words."""
    kind, mark = ("verdict material", "Worth an alarm: ") if row.is_material else ("verdict", "")
    return (
        f'<p class="{kind}">{mark}<strong>{text(row.reconciliation_status)}</strong>: '
        f'<span lang="{text(language)}">{text(row.explanation)}</span></p>'
    )


def verdicts(rows: Sequence[ReconciledRow]) -> str:
    """A table of them."""
    return table(
        ["operation", "report, product", "period", "measured", "billed", "difference", "status"],
        [
            [*_named(row), row.consumed_quantity, row.billed_quantity,
             row.quantity_variance, row.reconciliation_status]
            for row in rows
        ],
    )  # fmt: skip


def bridges(rows: Sequence[ReconciledRow]) -> str:
    """From contracted to billed cost: a table of all, and a chart of each that differs."""
    charts = [
        f"<figure><h3>{text(', '.join(filter(None, _named(row))))}</h3>"
        f"{bridge_chart(row, number)}</figure>"
        for number, row in enumerate(rows)
        if has_bridge(row)
    ]
    listed = table(
        ["operation", "report, product", "period", "contracted cost", "volume effect",
         "price effect", "billed cost"],
        [
            [*_named(row),
             *(Money(getattr(row, name), row.billing_currency) for name in
               ("contracted_cost", "volume_effect", "price_effect", "billed_cost"))]
            for row in rows
        ],
    )  # fmt: skip
    return "\n".join([*charts, listed])


def _named(row: ReconciledRow) -> list[str]:
    """Operation, report with product, and period of a verdict."""
    start, end = row.billing_period_start, row.billing_period_end
    return [
        row.operation_id or "",
        ", ".join(filter(None, (row.report, row.product))),
        format_period(start, end),
    ]


def usage(one: Usage, number: int) -> str:
    """A counter's chart, what it shows, and its coverage in words."""
    return (
        f"<h3>{text(one.title)}</h3>\n<figure>{usage_chart(one, number)}"
        f"<figcaption>{text(_caption(one))}</figcaption></figure>\n<p>{text(_coverage(one))}</p>"
    )


def days_and_gaps(one: Usage) -> str:
    """What the chart shows, in tables."""
    gaps, _ = one.gaps()
    last_of_day = {row["date"]: row for row in sorted(one.read, key=lambda row: row["read_epoch"])}
    return table(
        ["no answer from", "to", "for"],
        [
            [*(format_moment(datetime.fromtimestamp(e, timezone.utc), one.zone) for e in pair),
             format_span(pair[1] - pair[0])]
            for pair in gaps
        ],
    ) + table(
        ["day", "last value read", "read at", "call"],
        [
            [day, row["items"], format_moment(row["read_at"], one.zone), row["poll_id"]]
            for day, row in sorted(last_of_day.items())
        ],
    )  # fmt: skip


def _caption(one: Usage) -> str:
    _, least = one.gaps()
    said = (
        f"Line: what was read{f' ({one.measure})' if one.measure else ''}, dotted where nobody "
        f"knows how it went. Hatched: more than {format_span(least)} without an answer, and what "
        "was left at the end. Below, a tick for each call that was answered, and a cross for each "
        "that was refused or not answered."
    )
    if not one.billed:
        return said
    if one.measure == "daily":
        return f"{said} Each value is a day's own; for the whole month: {one.billed[0][1]}."
    return f"{said} Dashed: what was billed."


def _coverage(one: Usage) -> str:
    gaps, _ = one.gaps()
    return (
        f"Coverage: {len(one.asked.days)} of {(one.end - one.start).days} days answered; "
        f"{len(one.asked.answered)} calls answered, {len(one.asked.refused)} refused or not "
        "answered; longest time without an answer that stands out: "
        f"{format_span(max((b - a for a, b in gaps), default=0))}."
    )


def restatements(page: Page) -> str:
    """A table of values that changed after their day, or that fell."""
    return table(
        ["operation", "report", "product", "day", "before", "then", "read at"],
        [
            [one["operation_id"], one["report"], one["product"], one["usage_date"],
             one["previous_quantity"], one["quantity"],
             format_moment(one["read_at"], page.zone(one["operation_id"]))]
            for one in page.tables["usage_restatements"]
        ],
    )  # fmt: skip


def coverage(rows: Sequence[Row]) -> str:
    """A table of poll_coverage."""
    return table(
        ["day", "operation", "report", "calls", "answered", "refused", "longest gap in minutes"],
        [
            [row["poll_date"], row["operation_id"], row["report"], row["polls"],
             row["polls_answered"], row["refusals"], row["largest_gap_minutes"]]
            for row in rows
        ],
    )  # fmt: skip


def origin(one: Traced, zone: ZoneInfo) -> str:
    """What a verdict came from: the last readings with their calls, and the lines with their
    files."""
    parts = ["<h3>Measured: the last reading of each product</h3>"]
    for seen in one.measured_from:
        status = "" if seen.http_status is None else f", HTTP {seen.http_status}"
        parts.append(
            facts(
                {
                    "product": seen.product,
                    "operation": seen.operation,
                    "meaning": seen.measure or "undetermined",
                    "readings": Decimal(seen.readings),
                    "read at": format_moment(seen.read_at, zone),
                    "items, as received": seen.items_raw,
                    "date, as received": seen.date_raw,
                    "call": f"{seen.poll_id}: {seen.outcome}{status}",
                    "SHA-256 of the answer": seen.answer_sha256,
                }
            )
        )
    if not one.measured_from:
        parts.append("<p>None.</p>")
    if one.polls is not None:
        parts.append(f"<p>{one.polls:,} calls in this period, {one.polls_answered:,} answered.</p>")
    parts.append("<h3>Billed: each line</h3>")
    for line in one.billed_from:
        parts.append(
            facts(
                {
                    line.document_kind.replace("_", " "): line.document_number or "no number",
                    "line": f"{line.line_number}: {line.description or 'no description'}",
                    "quantity": line.quantity,
                    "net": Money(line.net_amount, line.billing_currency),
                    "file": line.file_name,
                    "SHA-256 of the file": line.file_sha256,
                    "document_id": line.document_id,
                }
            )
        )
    return "".join(parts) + ("" if one.billed_from else "<p>None.</p>")
