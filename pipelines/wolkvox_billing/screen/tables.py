"""The table beside each chart, with what the chart shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal

from wolkvox_billing.evidence.report.month import Restatement, Usage
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.screen.charts import Bridge, MonthCost
from wolkvox_billing.screen.pages import render, say_moment
from wolkvox_billing.values.durations import format_span
from wolkvox_billing.values.locales import format_month_name, short_date
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.values.periods import format_period
from wolkvox_billing.values.translation import N_, say_in
from wolkvox_billing.verbs.notebook import Month

Cells = Sequence[str]
_AS_TABLE = N_("As a table")
_MOST_ROWS = 400


def table_of_counter(usage: Usage) -> str:
    """Return the gaps of a counter, and the last value of each day."""
    locale, zone = usage.locale, usage.zone
    gaps, _ = usage.gaps()
    last_of_day = {row.date: row for row in sorted(usage.readings, key=lambda row: row.read_epoch)}
    days = _table(
        ["day", "last value read", "read at", "call"],
        [
            [
                short_date(day, locale),
                format_number(row.items, locale=locale),
                say_moment(row.read_at, zone, locale),
                row.poll_id,
            ]
            for day, row in sorted(last_of_day.items())
        ],
        locale,
        numbers=(1,),
    )
    return days + _table(
        ["no answer from", "to", "for"],
        [
            [
                *(say_moment(datetime.fromtimestamp(at, timezone.utc), zone, locale) for at in gap),
                say_in(locale, format_span(gap[1] - gap[0])),
            ]
            for gap in gaps
        ],
        locale,
        says=N_("The gaps"),
    )


def table_of_bridge(bridge: Bridge, locale: str) -> str:
    """Return the steps from contract to invoice, with their signs."""
    return _table(
        ["step", "amount", "currency"],
        [
            [
                step.name,
                format_amount(step.amount, signed=not step.is_total, locale=locale),
                bridge.currency,
            ]
            for step in bridge.steps
        ],
        locale,
        numbers=(1,),
    )


def table_of_coverage(month: Month) -> str:
    """Return the calls and answers of each day."""
    locale = month.language
    return _table(
        ["day", "operation", "report", "calls", "answered", "refused", "longest gap"],
        [
            [
                short_date(day.poll_date, locale),
                day.operation_id,
                day.report,
                *(
                    format_number(Decimal(count), locale=locale)
                    for count in (day.polls, day.polls_answered, day.refusals)
                ),
                say_in(locale, format_span(day.largest_gap_minutes * 60)),
            ]
            for day in month.coverage[:_MOST_ROWS]
        ],
        locale,
        numbers=(3, 4, 5, 6),
    )


def table_of_months(currency: str, months: Sequence[MonthCost], locale: str) -> str:
    """Return what was billed in each month, and what that costs by contract."""
    return _table(
        ["month", "contracted cost", "billed cost", "difference", "currency",
         "billed without a known cost by contract"],
        [
            [
                format_month_name(month.start, locale),
                format_amount(month.contracted, locale=locale),
                format_amount(month.billed, locale=locale),
                format_amount(month.billed - month.contracted, signed=True, locale=locale),
                currency,
                str(month.without_price),
            ]
            for month in reversed(months)
        ],
        locale,
        numbers=(1, 2, 3, 5),
    )  # fmt: skip


def render_copies(month: Month) -> str:
    """Return what was counted in the customer's own bucket, beside what wolkvox counts and bills,
    with a sentence for each period; nothing where nobody looked."""
    locale = month.language

    def number(value: Decimal | int | None) -> str:
        return "" if value is None else format_number(Decimal(value), locale=locale)

    if not month.copies:
        return ""
    return _table(
        ["operation", "period", "in the bucket", "counted by wolkvox", "billed", "copied later",
         "days without a copy", "status", "explanation"],
        [
            [
                row.operation_id,
                format_period(row.billing_period_start, row.billing_period_end, locale),
                number(row.counted_quantity),
                number(row.measured_quantity),
                number(row.billed_quantity),
                number(row.late_quantity),
                number(row.missing_days),
                caption(row.copy_status, locale),
                row.explanation,
            ]
            for row in month.copies
        ],
        locale,
        numbers=(2, 3, 4, 5, 6),
        says=N_("Copies in your bucket"),
    )  # fmt: skip


def table_of_restatements(rows: Sequence[Restatement], month: Month) -> str:
    """Return the values that changed after their day, or that fell."""
    locale = month.language
    return _table(
        ["day", "operation", "report", "product", "before", "then", "read at"],
        [
            [
                short_date(row.usage_date, locale),
                row.operation_id,
                row.report,
                row.product,
                format_number(row.previous_quantity, locale=locale),
                format_number(row.quantity, locale=locale),
                say_moment(row.read_at, month.zone(row.operation_id), locale),
            ]
            for row in rows
        ],
        locale,
        numbers=(4, 5),
        says=N_("Values that changed after their day, or that fell"),
    )


def _table(
    headings: Sequence[str],
    rows: Sequence[Cells],
    locale: str,
    numbers: Sequence[int] = (),
    says: str = _AS_TABLE,
) -> str:
    names = [caption(heading, locale) for heading in headings]
    return render("table.html.jinja", locale, headings=names, rows=rows, numbers=numbers, says=says)
