"""The table beside each chart, with what the chart shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timezone
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

_MOST_ROWS = 400


def table_of_counter(usage: Usage) -> str:
    """Return the gaps of a counter, and the last value of each day."""
    locale, zone = usage.locale, usage.zone
    gaps, _ = usage.gaps()
    days = _table(
        ["day", "last value read", "read at", "call"],
        [
            [day, row.items, say_moment(row.read_at, zone, locale), row.poll_id]
            for day, row in usage.last_of_days().items()
        ],
        locale,
        numbers=(1,),
    )
    return days + _table(
        ["no answer from", "to", "for"],
        [
            [*(say_moment(datetime.fromtimestamp(at, timezone.utc), zone, locale) for at in gap),
             say_in(locale, format_span(gap[1] - gap[0]))]
            for gap in gaps
        ],
        locale,
        says=N_("The gaps"),
    )  # fmt: skip


def table_of_bridge(bridge: Bridge, locale: str) -> str:
    """Return the steps from contract to invoice, with their signs."""
    return _table(
        [N_("step"), "amount", "currency"],
        [
            [step.name, format_amount(step.amount, signed=not step.is_total, locale=locale),
             bridge.currency]
            for step in bridge.steps
        ],
        locale,
        numbers=(1,),
    )  # fmt: skip


def table_of_coverage(month: Month) -> str:
    """Return the calls and answers of each day."""
    return _table(
        ["day", "operation", "report", "calls", "answered", "refused", N_("longest gap")],
        [
            [day.poll_date, day.operation_id, day.report, day.polls, day.polls_answered,
             day.refusals, say_in(month.language, format_span(day.largest_gap_minutes * 60))]
            for day in month.coverage[:_MOST_ROWS]
        ],
        month.language,
        numbers=(3, 4, 5, 6),
    )  # fmt: skip


def table_of_months(currency: str, months: Sequence[MonthCost], locale: str) -> str:
    """Return what was billed in each month, and what that costs by contract."""
    return _table(
        ["month", "contracted cost", "billed cost", "difference", "currency",
         "billed without a known cost by contract"],
        [
            [format_month_name(month.start, locale), format_amount(month.contracted, locale=locale),
             format_amount(month.billed, locale=locale),
             format_amount(month.billed - month.contracted, signed=True, locale=locale),
             currency, str(month.without_price)]
            for month in reversed(months)
        ],
        locale,
        numbers=(1, 2, 3, 5),
    )  # fmt: skip


def render_copies(month: Month) -> str:
    """Return what was counted in the customer's own bucket, beside what wolkvox counts and bills,
    with a sentence for each period; nothing where nobody looked."""
    locale = month.language
    if not month.copies:
        return ""
    return _table(
        ["operation", "period", "in the bucket", "counted by wolkvox", "billed", "copied later",
         "days without a copy", "status", "explanation"],
        [
            [row.operation_id,
             format_period(row.billing_period_start, row.billing_period_end, locale),
             row.counted_quantity, row.measured_quantity, row.billed_quantity, row.late_quantity,
             row.missing_days, caption(row.copy_status, locale), row.explanation]
            for row in month.copies
        ],
        locale,
        numbers=(2, 3, 4, 5, 6),
        says=N_("Copies in your bucket"),
    )  # fmt: skip


def table_of_restatements(rows: Sequence[Restatement], month: Month) -> str:
    """Return the values that changed after their day, or that fell."""
    return _table(
        ["day", "operation", "report", "product", "before", "then", "read at"],
        [
            [row.usage_date, row.operation_id, row.report, row.product, row.previous_quantity,
             row.quantity,
             say_moment(row.read_at, month.zone(row.operation_id), month.language)]
            for row in rows
        ],
        month.language,
        numbers=(4, 5),
        says=N_("Values that changed after their day, or that fell"),
    )  # fmt: skip


def _table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str | date | Decimal | int | None]],
    locale: str,
    numbers: Sequence[int] = (),
    says: str = N_("As a table"),
) -> str:
    """Return a table; numbers and days are written as the locale does. numbers: the places of the
    columns that stand to the right."""

    def written(value: str | date | Decimal | int | None) -> str:
        if isinstance(value, date):
            return short_date(value, locale)
        if isinstance(value, (Decimal, int)):
            return format_number(value, locale=locale)
        return value or ""

    return render(
        "table.html.jinja",
        locale,
        headings=headings,
        rows=[[*map(written, row)] for row in rows],
        numbers=numbers,
        says=says,
    )
