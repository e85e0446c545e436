"""The sections of a month as HTML, which the evidence's report and the notebook share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from wolkvox_billing.evidence.report.charts import draw_bridge, draw_usage, has_bridge
from wolkvox_billing.evidence.report.html import Money, Quantity, escape, facts, table
from wolkvox_billing.evidence.report.month import DayCoverage, Page, Usage
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import PAY, SettledDocument
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.reconciliation.origin import BilledFrom, MeasuredFrom, Traced
from wolkvox_billing.reconciliation.settlement import SettledTotal, add_up
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.durations import format_span
from wolkvox_billing.values.locales import language_tag
from wolkvox_billing.values.numbers import format_count
from wolkvox_billing.values.periods import format_period
from wolkvox_billing.values.translation import N_, translate


def say_as_of(page: Page) -> str:
    """Return up to which moment the marts speak."""
    return f"As of {format_moment(page.as_of, page.zone(''))}."


def say_whose(page: Page) -> str:
    """Return which documents a page of one operation has; '' of a page of all."""
    return translate(_WHOLE, page.language) if page.operation_id else ""


_WHOLE = N_(
    "Documents with a line of this operation, each of them whole: what it asks for others is in "
    "the sums too."
)


def render_sentence(row: ReconciledRow) -> str:
    """Return a verdict in words, marked as of the language that it was written in, be the setting
    another one by now."""
    written_in = language_tag(row.language or "")  # "" is one that nobody knows
    kind, mark = ("verdict material", "Worth an alarm: ") if row.is_material else ("verdict", "")
    return (
        f'<p class="{kind}">{mark}<strong>{escape(row.reconciliation_status)}</strong>: '
        f'<span lang="{escape(written_in)}">{escape(row.explanation)}</span></p>'
        + _render_doubts(row, written_in)
    )


def _render_doubts(row: ReconciledRow, language: str) -> str:
    """Return the honest explanations that were excluded, or what would settle the verdict."""
    doubts = (row.doubts_excluded or row.settled_by or "").splitlines()
    if not doubts:
        return ""
    items = "".join(f'<li lang="{escape(language)}">{escape(doubt)}</li>' for doubt in doubts)
    says = "Looked at, and excluded" if row.doubts_excluded else "What would settle it"
    return f"<details><summary>{says}</summary><ul>{items}</ul></details>"


def render_settlement(documents: Sequence[SettledDocument], locale: str) -> str:
    """Return what to pay: the sums of each currency, the documents, and a sentence for each that is
    not simply paid."""
    sums = ("asked", "agreed", "questioned", "claimed")

    def amounts(row: SettledDocument | SettledTotal) -> list[Money]:
        own = (row.payable_amount, row.agreed_amount, row.questioned_amount, row.claimed_amount)
        return [Money(amount, row.billing_currency) for amount in own]

    listed = table(
        ["document", "number", "issued", "due", *sums, "to do", "claim until"],
        [
            [caption(row.document_kind, locale), row.document_number, row.issue_date, row.due_date,
             *amounts(row), render_status(row.settlement, locale), row.acceptance_deadline]
            for row in documents
        ],
        locale,
    )  # fmt: skip
    totals = table(
        ["currency", "documents", *sums],
        [
            [total.billing_currency, Decimal(total.documents), *amounts(total)]
            for total in add_up(documents)
        ],
        locale,
    )
    return "\n".join([totals, *map(_render_settled, documents), listed])


def _render_settled(row: SettledDocument) -> str:
    if row.settlement == PAY:
        return ""
    kind, mark = ("verdict material", "Worth an alarm: ") if row.is_material else ("verdict", "")
    return (
        f'<p class="{kind}">{mark}<strong>{escape(row.settlement)}</strong>: '
        f"{escape(row.explanation)}</p>"
    )


def render_verdicts(verdicts: Sequence[ReconciledRow], locale: str) -> str:
    """Return a table of the verdicts, the differences in units and in money. Where no invoice is in
    one nothing was billed, not even 0."""
    return table(
        ["operation", "report, product", "period", "measured", "billed", "quantity difference",
         "cost difference", "status"],
        [
            [*_named(row), row.consumed_quantity, *_billed_cells(row, locale),
             render_status(row.reconciliation_status, locale)]
            for row in verdicts
        ],
        locale,
    )  # fmt: skip


def _billed_cells(row: ReconciledRow, locale: str) -> list[object]:
    """Return what was billed, and how that differs in units and in money."""
    if not row.is_billed:
        return [caption("no invoice", locale), None, None]
    variance = row.quantity_variance
    return [
        row.billed_quantity,
        None if variance is None else Quantity(variance),
        Money(row.cost_variance, row.billing_currency, is_signed=True),
    ]


def render_status(status: str, locale: str) -> str:
    """Return a status as the contract has it, and in the language of the page where that is another
    one."""
    translated = caption(status, locale)
    return status if translated == status.replace("_", " ") else f"{status}: {translated}"


def render_bridges(verdicts: Sequence[ReconciledRow], locale: str) -> str:
    """Return the ways from contracted to billed cost: a table of all, and a chart of each that
    differs."""
    charts = [
        f"<figure><h3>{escape(', '.join(filter(None, _named(row))))}</h3>"
        f"{draw_bridge(row, number, locale)}</figure>"
        for number, row in enumerate(verdicts)
        if has_bridge(row)
    ]
    listed = table(
        ["operation", "report, product", "period", "contracted cost", "volume effect",
         "price effect", "exchange effect", "billed cost"],
        [
            [*_named(row), *_costs(row)]
            for row in verdicts
        ],
        locale,
    )  # fmt: skip
    return "\n".join([*charts, listed])


def _costs(row: ReconciledRow) -> list[Money]:
    """Return contracted cost, the effects and billed cost; without an invoice the first only."""
    currency = row.billing_currency
    contracted = Money(row.contracted_cost, currency)
    if not row.is_billed:
        return [contracted, *[Money(None, currency)] * 4]
    effects = (row.volume_effect, row.price_effect, row.exchange_effect)
    return [
        contracted,
        *(Money(effect, currency, is_signed=True) for effect in effects),
        Money(row.billed_cost, currency),
    ]


def _named(row: ReconciledRow) -> list[str]:
    """Operation, report with product, and period of a verdict."""
    start, end = row.billing_period_start, row.billing_period_end
    return [
        row.operation_id or "",
        ", ".join(filter(None, (row.report, row.product))),
        format_period(start, end),
    ]


def render_usage(usage: Usage, number: int) -> str:
    """Return a counter's chart, what it shows, and its coverage in words."""
    return (
        f"<h3>{escape(usage.title)}</h3>\n<figure>{draw_usage(usage, number)}"
        f"<figcaption>{escape(_caption(usage))}</figcaption></figure>\n"
        f"<p>{escape(_coverage(usage))}</p>"
    )


def render_days_and_gaps(usage: Usage, locale: str) -> str:
    """Return what the chart shows, in tables."""
    gaps, _ = usage.gaps()
    last_of_day = {row.date: row for row in sorted(usage.readings, key=lambda row: row.read_epoch)}
    return table(
        ["no answer from", "to", "for"],
        [
            [*(format_moment(datetime.fromtimestamp(at, timezone.utc), usage.zone) for at in gap),
             format_span(gap[1] - gap[0])]
            for gap in gaps
        ],
        locale,
    ) + table(
        ["day", "last value read", "read at", "call"],
        [
            [day, row.items, format_moment(row.read_at, usage.zone), row.poll_id]
            for day, row in sorted(last_of_day.items())
        ],
        locale,
    )  # fmt: skip


def _caption(usage: Usage) -> str:
    _, least = usage.gaps()
    caption = (
        f"Line: what was read{f' ({usage.measure})' if usage.measure else ''}, dotted where nobody "
        f"knows how it went. Hatched: more than {format_span(least)} without an answer, and what "
        "was left at the end. Below, a tick for each call that was answered, and a cross for each "
        "that was refused or not answered."
    )
    if not usage.bills:
        return caption
    if usage.measure == "daily":
        return f"{caption} Each value is a day's own; for the whole month: {usage.bills[0].label}."
    return f"{caption} Dashed: what was billed."


def _coverage(usage: Usage) -> str:
    gaps, _ = usage.gaps()
    calls = format_count(len(usage.asked.answered), "call")
    return (
        f"Coverage: {len(usage.asked.days)} of {usage.days} days answered; {calls} answered, "
        f"{len(usage.asked.refused)} refused or not answered; longest time without an answer that "
        "stands out: "
        f"{format_span(max((b - a for a, b in gaps), default=0))}."
    )


def render_restatements(page: Page) -> str:
    """Return a table of values that changed after their day, or that fell."""
    return table(
        ["operation", "report", "product", "day", "before", "then", "read at"],
        [
            [row.operation_id, row.report, row.product, row.usage_date, row.previous_quantity,
             row.quantity, format_moment(row.read_at, page.zone(row.operation_id))]
            for row in page.restatements
        ],
        page.language,
    )  # fmt: skip


def render_coverage(days: Sequence[DayCoverage], locale: str) -> str:
    return table(
        ["day", "operation", "report", "calls", "answered", "refused", "longest gap in minutes"],
        [
            [day.poll_date, day.operation_id, day.report, day.polls, day.polls_answered,
             day.refusals, day.largest_gap_minutes]
            for day in days
        ],
        locale,
    )  # fmt: skip


def render_origin(verdict: Traced, zone: ZoneInfo, locale: str) -> str:
    """Return what a verdict came from: the last readings with their calls, and the lines with their
    files."""
    parts = ["<h3>Measured: the last reading of each product</h3>"]
    parts += [_measured(last, zone, locale) for last in verdict.measured_from] or ["<p>None.</p>"]
    if verdict.polls is not None:
        polls, answered = verdict.polls, verdict.polls_answered
        parts.append(f"<p>{format_count(polls, 'call')} in this period, {answered:,} answered.</p>")
    parts.append("<h3>Billed: each line</h3>")
    parts += [_billed(line, locale) for line in verdict.billed_from] or ["<p>None.</p>"]
    return "".join(parts)


def _measured(last: MeasuredFrom, zone: ZoneInfo, locale: str) -> str:
    status = "" if last.http_status is None else f", HTTP {last.http_status}"
    return facts(
        {
            "product": last.product,
            "operation": last.operation,
            "meaning": last.measure or "undetermined",
            "readings": Decimal(last.readings),
            "read at": format_moment(last.read_at, zone),
            "items, as received": last.items_raw,
            "date, as received": last.date_raw,
            "call": f"{last.poll_id}: {last.outcome}{status}",
            "SHA-256 of the answer": last.answer_sha256,
        },
        locale,
    )


def _billed(line: BilledFrom, locale: str) -> str:
    return facts(
        {
            line.document_kind.replace("_", " "): line.document_number or "no number",
            "line": f"{line.line_number}: {line.description or 'no description'}",
            "quantity": line.quantity,
            "net": Money(line.net_amount, line.billing_currency),
            "file": line.file_name,
            "SHA-256 of the file": line.file_sha256,
            "document_id": line.document_id,
        },
        locale,
    )
