"""The first answer: what a month asks for and what is agreed of it, how long there is to claim, how
much of the month was read, and whether it is closed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from wolkvox_billing.marts.ahead import Forecast
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
from wolkvox_billing.values.translation import N_, Amount, Plural, phrase
from wolkvox_billing.vendor.reports import unit_of
from wolkvox_billing.verbs.notebook import Month

_SOON = 3  # days to the deadline
_MOST_DAYS = 5  # of those without an answer are named
_DAYS = Plural("{n} day", "{n} days")
_DOCUMENTS = Plural("{n} document", "{n} documents")
_CLAIMS = Plural("{n} document to claim", "{n} documents to claim")


@dataclass(frozen=True)
class Card:
    """A figure, and what is said under it. `key` is what tests know it by, `label` its name, which
    the template says in the language."""

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
        Card(key, key, NOTHING, phrase(N_("no document"), locale))
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
        return Card(key, key, value, note, total.billing_currency, mark)

    def share(amount: Decimal) -> str:
        if not total.payable_amount:
            return ""
        percent = format_number(round(100 * amount / total.payable_amount, 1), locale=locale)
        return phrase(N_("{percent} of what is asked"), locale, percent=f"{percent} %")

    questioned, claimed = total.questioned_amount, total.claimed_amount
    asked_by = phrase(_DOCUMENTS, locale, total.documents, n=total.documents)
    to_claim = phrase(_CLAIMS, locale, claims, n=claims)
    return [
        money("asked", total.payable_amount, asked_by, OPEN),
        money("agreed", total.agreed_amount, share(total.agreed_amount), AGREED),
        money("questioned", questioned, share(questioned), WAITING if questioned else AGREED),
        money("claimed", claimed, to_claim, OVER if claimed else AGREED),
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
    if not deadlines:
        note = phrase(N_("no document waits for a claim"), locale)
        return Card("deadline", N_("to claim"), NOTHING, note, mark=AGREED)
    day, number = next((row for row in deadlines if row[0] >= today), deadlines[-1])
    left = (day - today).days
    value = phrase(_DAYS, locale, left, n=abs(left)) if left else phrase(N_("today"), locale)
    value = f"\u2212{value}" if left < 0 else value
    says = N_("{number}, until {day}") if left >= 0 else N_("{number}: the last day was {day}")
    note = phrase(says, locale, number=number, day=format_day_and_year(day, locale))
    return Card("deadline", N_("to claim"), value, note, mark=WAITING if left > _SOON else OVER)


def coverage_card(month: Month) -> Card:
    """Return on how many days each operation and report was answered, of those that the month had
    so far."""
    locale = month.language
    days = days_so_far(month)
    unread = unread_days(month)
    if not month.coverage:
        note = phrase(N_("nobody was asked"), locale)
    elif unread:
        more = " …" if len(unread) > _MOST_DAYS else ""
        named = format_days(unread[:_MOST_DAYS], locale) + more
        note = phrase(N_("not read: {days}"), locale, days=named)
    else:
        note = phrase(N_("each day was read"), locale)
    value = f"{len(days) - len(unread)} / {len(days)}"
    mark = UNPROVED if unread else AGREED
    return Card("coverage", N_("days read"), value, note, mark=mark)


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
    worst = max((row.copy_status for row in month.copies), key=COPY_STATUSES.index)
    note = phrase(
        N_("the vendor counts {quantity}: {status}"),
        locale,
        quantity=sum(known, Decimal()) if known else NOTHING,
        status=caption(worst, locale),
    )
    unit = name_unit(unit_of(month.copies[0].report), counted, locale)
    mark = AGREED if worst == AGREES else WAITING
    value = format_number(counted, locale=locale)
    return [Card("bucket", N_("in your bucket"), value, note, unit, mark)]


def forecast_cards(month: Month) -> list[Card]:
    """Return what a month that runs is expected to cost, in each currency. Of one counter alone the
    interval is known: those of several do not add up."""
    locale = month.language
    expected: defaultdict[str, list[Forecast]] = defaultdict(list)
    for row in month.forecasts:
        if row.billing_currency and row.expected_cost is not None:
            expected[row.billing_currency].append(row)
    cards: list[Card] = []
    for currency, rows in sorted(expected.items()):
        total = sum((row.expected_cost or Decimal() for row in rows), Decimal())
        note = phrase(N_("of all counters with a price"), locale)
        if len(rows) == 1 and rows[0].low_cost is not None and rows[0].high_cost is not None:
            low, high = Amount(rows[0].low_cost), Amount(rows[0].high_cost)
            note = phrase(N_("{low} to {high}, four times in five"), locale, low=low, high=high)
        value = format_amount(total, locale=locale)
        cards.append(Card("forecast", N_("expected by its end"), value, note, currency))
    return cards


def close_card(month: Month) -> Card:
    """Return whether the month is closed, by whom, and whether that still holds."""
    locale, state, zone = month.language, month.close, month.zone("")
    value, mark = phrase(N_("open"), locale), OPEN
    if not state:
        is_over = month.as_of.astimezone(zone).date() >= month.period.end
        note = phrase(N_("nobody closed it") if is_over else N_("not over yet"), locale)
    else:
        is_closed = state.close.status == "closed"
        says = N_("by {name}, {day}") if is_closed else N_("reopened by {name}, {day}")
        day = format_day_and_year(state.close.closed_at.astimezone(zone).date(), locale)
        note = phrase(says, locale, name=state.close.closed_by, day=day)
        if is_closed and state.broken:
            value, mark = phrase(N_("closed, and changed since"), locale), WAITING
        elif is_closed:
            value, mark = phrase(N_("closed"), locale), AGREED
    return Card("state", N_("the month"), value, note, mark=mark, has_shape=True)
