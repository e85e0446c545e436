"""How the verbs' results are listed: a poll, an invoice, a verdict, ... as cells of a table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from wolkvox_billing.values.locales import ENGLISH
from wolkvox_billing.values.numbers import format_amount, format_count, format_number
from wolkvox_billing.values.translation import N_, Plural, phrase, say_in, translate
from wolkvox_billing.vendor.advice import ADVICE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from wolkvox_billing.marts.reconciled import ReconciledRow
    from wolkvox_billing.marts.settled import SettledDocument
    from wolkvox_billing.polling.polls import Poll
    from wolkvox_billing.reconciliation.settlement import SettledTotal
    from wolkvox_billing.verbs.documents import ListedDocument
    from wolkvox_billing.verbs.invoices import Receipt
    from wolkvox_billing.verbs.poll import PollReport
    from wolkvox_billing.verbs.status import Freshness, Product

Cells = list[object]
VERDICT_HEADINGS = [
    N_("operation"), N_("product"), N_("period"), N_("measured"), N_("billed"),
    N_("cost difference"), N_("status"),
]  # fmt: skip
SETTLEMENT_HEADINGS = [
    N_("document"), N_("currency"), N_("asked"), N_("agreed"), N_("questioned"), N_("claimed"),
    N_("to do"), N_("claim until"),
]  # fmt: skip
FRESHNESS_HEADINGS = [
    N_("operation"), N_("report"), N_("product"), N_("this month"), N_("change"), N_("age"),
    N_("polls in 24 h"), N_("unread days"),
]  # fmt: skip
RECEIPT_HEADINGS = [
    N_("document"), N_("supplier"), N_("period"), N_("net"), N_("lines"), N_("result"),
]  # fmt: skip
DOCUMENT_HEADINGS = [
    N_("id"), N_("document"), N_("supplier"), N_("issued"), N_("asked"), N_("currency"),
    N_("format"), N_("file"), N_("status"),
]  # fmt: skip
_BY = {"line": N_("by line"), "text": N_("by text"), "rule": N_("by rule")}
_WARNINGS = Plural("{n} warning", "{n} warnings")
_OF_DAYS = Plural("{change} in {n} day", "{change} in {n} days")


def poll_as_row(poll: Poll) -> Cells:
    words = poll.words
    count = str(poll.judgement.count)
    if poll.unreadable:
        count += f", {poll.unreadable.count} unreadable"
        words += "\nsee the table rejected_rows"
    return [poll.operation.operation_id, poll.report, poll.outcome.value, count, words]


def advice_of(report: PollReport) -> list[str]:
    """Return what to do about each kind of refusal, once, however many calls had it."""
    outcomes = {poll.outcome: None for poll in report.polls if not poll.outcome.is_answer}
    return [f"to do about {outcome.value}: {ADVICE[outcome]}" for outcome in outcomes]


def sum_of(report: PollReport) -> str:
    """Return how many calls there were, and how they ended: `54 calls: 52 ok, 2 not asked`."""
    ends = Counter(poll.outcome.value for poll in report.polls)
    if report.skips:
        ends["not asked"] = len(report.skips)
    said = ", ".join(f"{count} {end}" for end, count in ends.most_common())
    return f"{format_count(len(report.polls), 'call')}{f': {said}' if said else ''}"


def poll_report_as_lines(report: PollReport) -> list[str]:
    """Return what a `poll` says: a line for each call, each call that was not made, each kind of
    refusal with what to do, each problem and each warning."""
    lines = []
    for poll in report.polls:
        name = f"{poll.operation.operation_id} {poll.report}"
        rows = format_count(poll.judgement.count, "row")
        lines.append(f"{name}: {poll.outcome.value}, {rows}: {poll.words}")
    lines += [f"{s.operation_id} {s.report}: not asked: {s.detail}" for s in report.skips]
    warnings = [f"warning: {text}" for text in report.warnings]
    return [*lines, *advice_of(report), *report.problems, *warnings]


def alarm_of(row: ReconciledRow | SettledDocument, status: str) -> str:
    """Return what is worth an alarm in a verdict or document, as a sentence that stands alone: its
    month, its status, whose it is, what differs."""
    month = f"{row.billing_period_start or ''}"[:7]
    return ": ".join(filter(None, (month, status, row.explanation)))


def kind_and_number(kind: str, number: str | None, locale: str) -> str:
    """Return a document as a table has it: its kind, and its number if it has one."""
    from wolkvox_billing.reconciliation.captions import caption  # of no use to a poll

    return f"{caption(kind, locale)} {number or ''}".rstrip()


def amounts_of(locale: str, *amounts: Decimal) -> Cells:
    return [format_amount(amount, locale=locale) for amount in amounts]


def settlement_as_rows(documents: Sequence[SettledDocument], locale: str) -> list[Cells]:
    """Return a row for each document, and one for all of each currency."""
    from wolkvox_billing.reconciliation.captions import caption  # both of no use to a poll
    from wolkvox_billing.reconciliation.settlement import add_up

    def cells(title: str, row: SettledDocument | SettledTotal, to_do: str, until: object) -> Cells:
        own = (row.payable_amount, row.agreed_amount, row.questioned_amount, row.claimed_amount)
        return [title, row.billing_currency, *amounts_of(locale, *own), to_do, until]

    rows = []
    for row in documents:
        title = kind_and_number(row.document_kind, row.document_number, locale)
        rows.append(cells(title, row, caption(row.settlement, locale), row.acceptance_deadline))
    for total in add_up(documents):
        rows.append(cells(f"{caption('all', locale)}: {total.documents:,}", total, "", ""))
    return rows


def captions(headings: list[str], locale: str) -> list[str]:
    """Return the headings of a table in the language of a locale."""
    from wolkvox_billing.reconciliation.captions import caption  # of no use to a poll

    return [caption(heading, locale) for heading in headings]


def receipt_as_row(receipt: Receipt, locale: str = ENGLISH) -> Cells:
    from wolkvox_billing.values.periods import format_period  # of no use to a poll

    kind = receipt.document_kind or ""
    name = receipt.document_number or receipt.file_name
    result = translate(receipt.made, locale)
    warnings = phrase(_WARNINGS, locale, len(receipt.warnings), n=len(receipt.warnings))
    net = period = ""
    if receipt.net_amount is not None:
        net = f"{format_amount(receipt.net_amount, locale=locale)} {receipt.billing_currency}"
    if receipt.period_start and receipt.period_end:
        period = format_period(receipt.period_start, receipt.period_end, locale)
        by = _BY.get(receipt.period_source or "")
        period += f" ({translate(by, locale)})" if by else ""
    return [
        name if kind == "invoice" else f"{name} ({translate(kind.replace('_', ' '), locale)})",
        receipt.supplier_name or receipt.supplier_id,
        period,
        net,
        str(receipt.lines),
        f"{result}, {warnings}" if receipt.warnings else result,
    ]


def document_as_row(row: ListedDocument, locale: str) -> Cells:
    from wolkvox_billing.reconciliation.captions import caption  # both of no use to a poll
    from wolkvox_billing.reconciliation.standing_words import SHORT_ID

    asked = row.payable_amount
    return [
        row.document_id[:SHORT_ID],
        kind_and_number(row.document_kind, row.document_number, locale),
        row.supplier_name or row.supplier_id,
        row.issue_date,
        "" if asked is None else format_amount(asked, locale=locale),
        row.billing_currency,
        row.format,
        row.file_name,
        caption(row.standing, locale),
    ]


def verdict_as_row(row: ReconciledRow, locale: str = ENGLISH) -> Cells:
    """Return a verdict's cells. Where no invoice is in it nothing was billed, not even 0."""
    from wolkvox_billing.reconciliation.captions import caption  # both of no use to a poll
    from wolkvox_billing.values.periods import format_period

    def number(value: Decimal | None) -> str:
        return "" if value is None else format_number(value, locale=locale)

    start, end = row.billing_period_start, row.billing_period_end
    money = ""
    if row.is_billed and row.cost_variance is not None:
        amount = format_amount(row.cost_variance, signed=True, locale=locale)
        money = f"{amount} {row.billing_currency}"
    return [
        row.operation_id,
        row.product or row.report or caption("no report", locale),
        format_period(start, end, locale),
        number(row.consumed_quantity),
        number(row.billed_quantity) if row.is_billed else caption("no invoice", locale),
        money,
        caption(row.reconciliation_status, locale),
    ]


def freshness_as_rows(freshness: Freshness, locale: str) -> list[Cells]:
    """Return a row for each product: its month so far, the newest day's change, how fresh it is."""
    from wolkvox_billing.values.durations import format_age
    from wolkvox_billing.values.periods import format_days  # of no use to a poll

    products = [
        [product.product, _so_far(product, locale), _change(product, locale)]
        for product in freshness.products
    ]
    polls = {"polls": freshness.polls_24h, "refused": freshness.refusals_24h}
    asked = [
        say_in(locale, format_age(freshness.age)),
        phrase(N_("{polls}, {refused} refused"), locale, **polls),
        format_days(freshness.days_without_answer, locale),
    ]
    return [
        [freshness.operation_id, freshness.report, *product, *asked]
        for product in products or [[translate(N_("none this month"), locale), "", ""]]
    ]


def _so_far(product: Product, locale: str) -> str:
    if product.so_far is None:
        text = N_("{quantity} (meaning undetermined)")
        return phrase(text, locale, quantity=product.last_quantity)
    return format_number(product.so_far, locale=locale)


def _change(product: Product, locale: str) -> str:
    if product.change is None or product.measure == "gauge":
        return ""
    change = format_number(product.change, signed=True, locale=locale)
    days = product.days_covered or 1
    return phrase(_OF_DAYS, locale, days, change=change, n=days) if days > 1 else change
