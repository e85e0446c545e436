"""The first answer: what a month asks for and what is agreed of it, how long there is to claim, how
much of the month was read, and whether it is closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from wolkvox_billing.marts.copied import AGREES, COPY_STATUSES
from wolkvox_billing.marts.settled import PAY
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.reconciliation.settlement import SettledTotal, add_up
from wolkvox_billing.reconciliation.unit_names import name_unit
from wolkvox_billing.screen.marks import AGREED, OPEN, OVER, UNPROVED, WAITING, Mark
from wolkvox_billing.screen.pages import NOTHING, render
from wolkvox_billing.values.locales import format_day_and_year
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.values.periods import DAY, format_days
from wolkvox_billing.values.translation import N_, Plural, translate
from wolkvox_billing.vendor.reports import unit_of
from wolkvox_billing.verbs.notebook import Month

_SOON = 3  # days to the deadline
_MOST_DAYS = 5  # of those without an answer are named
_TEXTS = {
    "deadline": N_("to claim"),
    "no_deadline": N_("no document waits for a claim"),
    "until": N_("{number}, until {day}"),
    "past": N_("{number}: the last day was {day}"),
    "today": N_("today"),
    "coverage": N_("days read"),
    "all_read": N_("each day was read"),
    "nobody_asked": N_("nobody was asked"),
    "unread": N_("not read: {days}"),
    "state": N_("the month"),
    "closed": N_("closed"),
    "closed_by": N_("by {name}, {day}"),
    "not_as_it_was": N_("closed, and changed since"),
    "open": N_("open"),
    "reopened_by": N_("reopened by {name}, {day}"),
    "running": N_("not over yet"),
    "never_closed": N_("nobody closed it"),
    "no_document": N_("no document"),
    "bucket": N_("in your bucket"),
    "vendor_counts": N_("the vendor counts {quantity}: {status}"),
    "ahead": N_("expected by its end"),
    "between": N_("{low} to {high}, four times in five"),
    "in_all": N_("of all counters with a price"),
    "of_asked": N_("{percent} of what is asked"),
}
_DAYS = Plural("{n} day", "{n} days")
_DOCUMENTS = Plural("{n} document", "{n} documents")
_CLAIMS = Plural("{n} document to claim", "{n} documents to claim")


@dataclass(frozen=True)
class Card:
    """A figure with its name, and what is said under it. `key` is what tests know it by."""

    key: str
    label: str
    value: str
    note: str = ""
    unit: str = ""
    mark: Mark = OPEN
    has_shape: bool = False


def render_cards(month: Month, now: datetime) -> str:
    """Return the cards as HTML: a row of each currency, and one of the month."""
    rows = [_money_cards(total, month) for total in add_up(each.document for each in month.settled)]
    state = [
        deadline_card(month, now),
        coverage_card(month),
        *copy_cards(month),
        *forecast_cards(month),
        close_card(month),
    ]
    return render("cards.html.jinja", month.language, rows=[*(rows or [_no_money(month)]), state])


def _no_money(month: Month) -> list[Card]:
    """Return the cards of a month without a document: nothing is billed, which is not 0."""
    locale = month.language
    return [
        Card(key, caption(key, locale), NOTHING, translate(_TEXTS["no_document"], locale))
        for key in ("asked", "agreed", "questioned", "claimed")
    ]


def _money_cards(total: SettledTotal, month: Month) -> list[Card]:
    locale = month.language
    claims = sum(
        bool(each.document.claimed_amount)
        for each in month.settled
        if (each.document.billing_currency or "") == total.billing_currency
    )

    def money(key: str, amount: Decimal, note: str, mark: Mark) -> Card:
        value = format_amount(amount, locale=locale)
        return Card(key, caption(key, locale), value, note, total.billing_currency, mark)

    def share(amount: Decimal) -> str:
        if not total.payable_amount:
            return ""
        percent = format_number(round(100 * amount / total.payable_amount, 1), locale=locale)
        return _say("of_asked", locale, percent=f"{percent} %")

    questioned, claimed = total.questioned_amount, total.claimed_amount
    return [
        money("asked", total.payable_amount, _count(_DOCUMENTS, total.documents, locale), OPEN),
        money("agreed", total.agreed_amount, share(total.agreed_amount), AGREED),
        money("questioned", questioned, share(questioned), WAITING if questioned else AGREED),
        money("claimed", claimed, _count(_CLAIMS, claims, locale), OVER if claimed else AGREED),
    ]


def deadline_card(month: Month, now: datetime) -> Card:
    """Return how many days are left to claim what is not agreed, and not claimed yet: by the first
    deadline that is still ahead, else by the last one that is over."""
    locale = month.language
    today = now.astimezone(month.zone("")).date()
    deadlines = sorted(
        (each.document.acceptance_deadline, each.document.document_number or "")
        for each in month.settled
        if each.document.acceptance_deadline
        and each.document.settlement != PAY
        and each.document.document_id not in month.claimed
    )
    label = _say("deadline", locale)
    if not deadlines:
        return Card("deadline", label, NOTHING, _say("no_deadline", locale), mark=AGREED)
    ahead = [deadline for deadline in deadlines if deadline[0] >= today]
    day, number = ahead[0] if ahead else deadlines[-1]
    said = {"number": number, "day": format_day_and_year(day, locale)}
    if not ahead:
        ago = _count(_DAYS, (today - day).days, locale)
        return Card("deadline", label, f"\u2212{ago}", _say("past", locale, **said), mark=OVER)
    left = (day - today).days
    value = _count(_DAYS, left, locale) if left else _say("today", locale)
    mark = WAITING if left > _SOON else OVER
    return Card("deadline", label, value, _say("until", locale, **said), mark=mark)


def coverage_card(month: Month) -> Card:
    """Return on how many days each operation and report was answered, of those that the month had
    so far."""
    locale = month.language
    days = days_so_far(month)
    unread = unread_days(month)
    if not month.coverage:
        note = _say("nobody_asked", locale)
    elif unread:
        named = format_days(unread[:_MOST_DAYS], locale)
        note = _say("unread", locale, days=named + (" …" if len(unread) > _MOST_DAYS else ""))
    else:
        note = _say("all_read", locale)
    value = f"{len(days) - len(unread)} / {len(days)}"
    return Card("coverage", _say("coverage", locale), value, note,
                mark=UNPROVED if unread else AGREED)  # fmt: skip


def days_so_far(month: Month) -> list[date]:
    """Return the days of a month, up to the moment of the marts."""
    today = month.as_of.astimezone(month.zone("")).date()
    first, end = month.period
    last = min(end - DAY, max(today, first))
    return [first + DAY * n for n in range((last - first).days + 1)]


def unread_days(month: Month) -> list[date]:
    """Return the days so far on which an operation and report was not answered that is asked."""
    asked = {(day.operation_id, day.report) for day in month.coverage}
    answered = {
        (day.operation_id, day.report, day.poll_date)
        for day in month.coverage
        if day.polls_answered
    }
    return [
        day
        for day in days_so_far(month)
        if not asked or any((*pair, day) not in answered for pair in asked)
    ]


def copy_cards(month: Month) -> list[Card]:
    """Return how many audios lie in the bucket, where somebody has looked: the sum of the
    operations, by the worst of their statuses."""
    locale = month.language
    if not month.copies:
        return []
    counted = sum((row.counted_quantity or Decimal() for row in month.copies), Decimal())
    known = [row.measured_quantity for row in month.copies if row.measured_quantity is not None]
    statuses = {row.copy_status for row in month.copies}
    worst = next(status for status in (*reversed(COPY_STATUSES),) if status in statuses)
    note = _say(
        "vendor_counts",
        locale,
        quantity=format_number(sum(known, Decimal()), locale=locale) if known else NOTHING,
        status=caption(worst, locale),
    )
    unit = name_unit(unit_of(month.copies[0].report), counted, locale)
    mark = AGREED if worst == AGREES else WAITING
    value = format_number(counted, locale=locale)
    return [Card("bucket", _say("bucket", locale), value, note, unit, mark)]


def forecast_cards(month: Month) -> list[Card]:
    """Return what a month that runs is expected to cost, in each currency. Of one counter alone the
    interval is known: those of several do not add up."""
    locale = month.language
    cards: list[Card] = []
    for currency in sorted({row.billing_currency or "" for row in month.forecasts} - {""}):
        rows = [
            row
            for row in month.forecasts
            if row.billing_currency == currency and row.expected_cost is not None
        ]
        if not rows:
            continue
        expected = sum((row.expected_cost or Decimal() for row in rows), Decimal())
        note = _say("in_all", locale)
        if len(rows) == 1 and rows[0].low_cost is not None and rows[0].high_cost is not None:
            low, high = (format_amount(cost, locale=locale)
                         for cost in (rows[0].low_cost, rows[0].high_cost))  # fmt: skip
            note = _say("between", locale, low=low, high=high)
        value = format_amount(expected, locale=locale)
        cards.append(Card("forecast", _say("ahead", locale), value, note, currency, OPEN))
    return cards


def close_card(month: Month) -> Card:
    """Return whether the month is closed, by whom, and whether that still holds."""
    locale, state = month.language, month.close
    label = _say("state", locale)
    if not state:
        is_over = month.as_of.astimezone(month.zone("")).date() >= month.period.end
        note = _say("never_closed" if is_over else "running", locale)
        return Card("state", label, _say("open", locale), note, has_shape=True)
    by = {
        "name": state.close.closed_by,
        "day": format_day_and_year(state.close.closed_at.astimezone(month.zone("")).date(), locale),
    }
    if state.close.status != "closed":
        note = _say("reopened_by", locale, **by)
        return Card("state", label, _say("open", locale), note, has_shape=True)
    if state.broken:
        value = _say("not_as_it_was", locale)
        return Card("state", label, value, _say("closed_by", locale, **by), "", WAITING, True)
    value = _say("closed", locale)
    return Card("state", label, value, _say("closed_by", locale, **by), "", AGREED, True)


def _say(text: str, locale: str, **values: str) -> str:
    return translate(_TEXTS[text], locale).format(**values)


def _count(noun: Plural, n: int, locale: str) -> str:
    return translate(noun, locale, n).format(n=format_number(n, locale=locale))
