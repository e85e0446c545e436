"""The sections of a month as HTML, for the evidence's report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from wolkvox_billing.evidence.report.charts import draw_bridge, draw_usage, has_bridge
from wolkvox_billing.evidence.report.html import Cell, Money, Quantity, part, table
from wolkvox_billing.evidence.report.month import Page, Usage
from wolkvox_billing.marts.copied import CopiedDay, CopiedPeriod
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import PAY, SettledDocument
from wolkvox_billing.reconciliation.captions import caption, status_word
from wolkvox_billing.reconciliation.settlement import SettledTotal, add_up
from wolkvox_billing.reconciliation.status_words import meanings_of
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.durations import format_span
from wolkvox_billing.values.locales import ENGLISH, language_tag
from wolkvox_billing.values.periods import format_period
from wolkvox_billing.values.translation import N_, ContractWord, phrase, say_in, translate

if TYPE_CHECKING:
    from markupsafe import Markup


def say_as_of(page: Page) -> str:
    """Return up to which moment the marts speak."""
    moment = format_moment(page.as_of, page.zone(""))
    return phrase(N_("As of {moment}."), page.language, moment=moment)


def render_sentence(row: ReconciledRow, locale: str | None = None) -> Markup:
    """Return a verdict in words, marked as of the language that it was written in, be the setting
    another one by now."""
    locale = locale or row.language or ENGLISH
    written_in = language_tag(row.language or "")  # "" is one that nobody knows
    sentence = part(
        "sentence",
        locale,
        status=status_word(row.reconciliation_status, locale),
        says=row.explanation,
        language=written_in,
        is_material=row.is_material,
    )
    doubts = (row.doubts_excluded or row.settled_by or "").splitlines()
    if not doubts:
        return sentence
    says = N_("Looked at, and excluded") if row.doubts_excluded else N_("What would settle it")
    summary = translate(says, locale)
    return sentence + part("doubts", locale, summary=summary, doubts=doubts, language=written_in)


_SUMS = (N_("asked"), N_("agreed"), N_("questioned"), N_("claimed"))


def _sums(row: SettledDocument | SettledTotal) -> list[Money]:
    own = (row.payable_amount, row.agreed_amount, row.questioned_amount, row.claimed_amount)
    return [Money(amount, row.billing_currency) for amount in own]


class Card(NamedTuple):
    """What all documents in a currency come to: each sum's name, and its amount."""

    currency: str
    amounts: Sequence[tuple[str, str]]


def render_settlement(documents: Sequence[SettledDocument], locale: str) -> Markup:
    """Return what to pay: the sums of each currency, a sentence for each document that is not
    simply paid, and a table of all."""
    names = [translate(name, locale) for name in _SUMS]
    cards = [
        Card(
            total.billing_currency or "",
            list(zip(names, (money.printed(locale) for money in _sums(total)), strict=True)),
        )
        for total in add_up(documents)
    ]
    listed = table(
        ["document", "number", "issued", "due", *_SUMS, "to do", "claim until"],
        [
            [caption(row.document_kind, locale), row.document_number, row.issue_date, row.due_date,
             *_sums(row), status_word(row.settlement, locale), row.acceptance_deadline]
            for row in documents
        ],
        locale,
    )  # fmt: skip
    sentences = [
        part(
            "sentence",
            locale,
            status=status_word(row.settlement, locale),
            says=row.explanation,
            is_material=row.is_material,
        )
        for row in documents
        if row.settlement != PAY
    ]
    return _together([part("cards", locale, totals=cards), *sentences, listed])


def render_verdicts(verdicts: Sequence[ReconciledRow], locale: str) -> Markup:
    """Return a table of the verdicts, the differences in units and in money. Where no invoice is in
    one nothing was billed, not even 0."""
    return table(
        ["operation", "report, product", "period", "measured", "billed", "quantity difference",
         "cost difference", "status"],
        [
            [*_named(row, locale), row.consumed_quantity, *_billed_cells(row, locale),
             status_word(row.reconciliation_status, locale)]
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


def render_meanings(statuses: Iterable[str], locale: str) -> Markup:
    """Return what the statuses of a page mean, each beside the word that the files have."""
    named: list[tuple[str, Cell]] = []
    for status, meaning in meanings_of(statuses, locale):
        word = status_word(status, locale)
        named.append((word, Cell(meaning if word == status else f"{meaning} ({status})")))
    return part("legend", locale, named=named)


def render_bridges(verdicts: Sequence[ReconciledRow], locale: str) -> Markup:
    """Return the ways from contracted to billed cost: a table of all, and a chart of each that
    differs."""
    charts = [
        part(
            "figure",
            locale,
            heading=", ".join(filter(None, _named(row, locale))),
            chart=draw_bridge(row, number, locale),
        )
        for number, row in enumerate(verdicts)
        if has_bridge(row)
    ]
    listed = table(
        ["operation", "report, product", "period", "contracted cost", "volume effect",
         "price effect", "exchange effect", "billed cost"],
        [[*_named(row, locale), *_costs(row)] for row in verdicts],
        locale,
    )  # fmt: skip
    return _together([*charts, listed])


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


def _named(row: ReconciledRow, locale: str) -> list[str]:
    """Operation, report with product, and period of a verdict."""
    start, end = row.billing_period_start, row.billing_period_end
    return [
        row.operation_id or "",
        ", ".join(filter(None, (row.report, row.product))),
        format_period(start, end, locale),
    ]


def render_usage(usage: Usage, number: int) -> Markup:
    """Return a counter's chart, what it shows, and its coverage in words."""
    return part(
        "usage",
        usage.locale,
        title=usage.title,
        chart=draw_usage(usage, number),
        caption=_caption(usage),
        coverage=_coverage(usage),
    )


def render_days_and_gaps(usage: Usage, locale: str) -> Markup:
    """Return what the chart shows, in tables."""
    gaps, _ = usage.gaps()
    return table(
        ["no answer from", "to", "for"],
        [
            [*(format_moment(datetime.fromtimestamp(at, timezone.utc), usage.zone) for at in gap),
             say_in(locale, format_span(gap[1] - gap[0]))]
            for gap in gaps
        ],
        locale,
    ) + table(
        ["day", "last value read", "read at", "call"],
        [
            [day, row.items, format_moment(row.read_at, usage.zone), row.poll_id]
            for day, row in usage.last_of_days().items()
        ],
        locale,
    )  # fmt: skip


_LINE = N_(
    "Line: what was read ({measure}), dotted where nobody knows how it went. Hatched: more than "
    "{span} without an answer, and what was left at the end. Below, a tick for each call that was "
    "answered, and a cross for each that was refused or not answered."
)
_COVERAGE = N_(
    "Coverage: {days} of {all} days answered; {answered} calls answered, {refused} refused or not "
    "answered; longest time without an answer that stands out: {span}."
)


def _caption(usage: Usage) -> str:
    _, least = usage.gaps()
    measure = ContractWord(usage.measure or UNKNOWN)
    says = phrase(_LINE, usage.locale, measure=measure, span=format_span(least))
    if not usage.bills:
        return says
    text = N_("Dashed: what was billed.")
    if usage.measure == "daily":
        text = N_("Each value is a day's own; for the whole month: {bill}.")
    return f"{says} {phrase(text, usage.locale, bill=usage.bills[0].label)}"


UNKNOWN = N_("undetermined")


def _coverage(usage: Usage) -> str:
    gaps, _ = usage.gaps()
    return phrase(
        _COVERAGE,
        usage.locale,
        days=len(usage.asked.days),
        all=usage.days,
        answered=len(usage.asked.answered),
        refused=len(usage.asked.refused),
        span=format_span(max((b - a for a, b in gaps), default=0)),
    )


def render_copies(
    periods: Sequence[CopiedPeriod], days: Sequence[CopiedDay], locale: str
) -> Markup | None:
    """Return what was counted in the customer's own bucket beside what the vendor counts and bills,
    a sentence for each period, and each day; None where nobody looked."""
    if not periods:
        return None
    sentences = [
        part(
            "sentence",
            locale,
            status=caption(row.copy_status, locale),
            says=f"{row.operation_id}: {row.explanation}",
        )
        for row in periods
    ]
    compared = table(
        ["operation", "period", "in the bucket", "counted by wolkvox", "billed", "copied later",
         "days without a copy", "status"],
        [
            [row.operation_id,
             format_period(row.billing_period_start, row.billing_period_end, locale),
             row.counted_quantity, row.measured_quantity, row.billed_quantity, row.late_quantity,
             row.missing_days, caption(row.copy_status, locale)]
            for row in periods
        ],
        locale,
    )  # fmt: skip
    by_day = table(
        ["operation", "day", "in the bucket", N_("gone since"), N_("may be copies"), N_("chats")],
        [
            [row.operation_id, row.upload_date,
             *map(Decimal, (row.objects, row.gone_objects, row.unread_objects, row.chat_objects))]
            for row in days
        ],
        locale,
    )  # fmt: skip
    return _together([*sentences, compared, by_day])


def _together(parts: Iterable[Markup]) -> Markup:
    from markupsafe import Markup

    return Markup("\n").join(parts)


def render_restatements(page: Page) -> Markup:
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
