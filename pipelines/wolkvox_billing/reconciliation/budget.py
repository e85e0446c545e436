"""The setting `budget`: what a report or a product may cost a month, and how its month stands.

    [reconciliation.budget]
    rsync_s3_mp3 = "1500000 COP"
    "TTS premium" = "300 USD, 1200000 COP"

A budget is of all operations together. Their forecasts are taken to be independent, so that the
widths of their intervals add up as the sides of a right angle do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from wolkvox_billing.marts.ahead import MAY_PASS, PASSES, WITHIN, Forecast
from wolkvox_billing.values.currencies import is_currency_code
from wolkvox_billing.values.locales import say_month
from wolkvox_billing.values.numbers import format_amount
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.translation import N_, translate

_NOTHING = Decimal()
_TOLD = {
    MAY_PASS: N_(
        "{name}: {month} comes to {low} to {high} {currency}, with a chance of 80 %, and the "
        "budget is {budget}: it may be passed"
    ),
    PASSES: N_(
        "{name}: {month} comes to {low} to {high} {currency}, with a chance of 80 %, and the "
        "budget is {budget}: it is passed"
    ),
}


class Budget(NamedTuple):
    """What a report or a product may cost a month."""

    name: str
    amount: Decimal
    currency: str

    def is_for(self, row: Forecast) -> bool:
        return self.currency == row.billing_currency and plain(self.name) in (
            plain(row.report),
            plain(row.product),
        )


class Outlook(NamedTuple):
    """A budget, and between what the month's cost lies with a chance of 80 %."""

    budget: Budget
    month: date
    low: Decimal
    high: Decimal
    status: str | None  # None: nothing is foreseen, and what was used is below it


def read_budgets(setting: Mapping[str, object] | None) -> list[Budget]:
    """Return the budgets of the setting. Raises ValueError with what was expected."""
    return [budget for name, value in (setting or {}).items() for budget in _read_each(name, value)]


def write_budgets(setting: Mapping[str, object] | None) -> dict[str, str] | None:
    """Return the setting as it is shown: each budget as a text. Raises as `read_budgets`."""
    if not setting:
        return None
    return {
        name: ", ".join(f"{own.amount:f} {own.currency}" for own in _read_each(name, value))
        for name, value in setting.items()
    }


def _read_each(name: str, value: object) -> Iterator[Budget]:
    for amount, currency in _amounts_of(value):
        try:
            number = Decimal(str(amount))
        except InvalidOperation:
            number = Decimal("NaN")
        code = str(currency).strip().upper()
        if not (number.is_finite() and number > 0 and is_currency_code(code)):
            raise ValueError(
                f"{name} is {value!r}: expected an amount above 0 and its currency, such as "
                '"1500000 COP"'
            )
        yield Budget(name, number, code)


def _amounts_of(value: object) -> Iterator[tuple[object, object]]:
    """Yield amounts and currencies, however they are written: `1500000 COP, 300 USD`, a table with
    `amount` and `currency`, or one of currencies."""
    if isinstance(value, str):
        for part in value.split(","):
            amount, _, currency = part.strip().partition(" ")
            yield amount, currency
    elif isinstance(value, Mapping) and value.keys() == {"amount", "currency"}:
        yield value["amount"], value["currency"]
    elif isinstance(value, Mapping) and value:
        yield from ((amount, currency) for currency, amount in value.items())
    else:
        yield value, ""


def with_budgets(rows: Sequence[Forecast], budgets: Iterable[Budget]) -> list[Forecast]:
    """Return the forecasts with the budget that they are for: of a product's and its report's the
    product's."""
    by_row: dict[int, Outlook] = {}
    for outlook in weigh(rows, budgets):
        for n, row in enumerate(rows):
            is_more_exact = n not in by_row or plain(outlook.budget.name) == plain(row.product)
            if outlook.budget.is_for(row) and is_more_exact:
                by_row[n] = outlook
    return [
        replace(row, budget_amount=by_row[n].budget.amount, budget_status=by_row[n].status)
        if n in by_row
        else row
        for n, row in enumerate(rows)
    ]


def weigh(rows: Sequence[Forecast], budgets: Iterable[Budget]) -> list[Outlook]:
    """Return how each budget stands that a forecast is for, in each month."""
    outlooks: list[Outlook] = []
    for budget in budgets:
        own = [row for row in rows if budget.is_for(row)]
        for month in sorted({row.billing_period_start for row in own}):
            outlooks.append(_weigh(budget, [r for r in own if r.billing_period_start == month]))
    return outlooks


def _weigh(budget: Budget, rows: Sequence[Forecast]) -> Outlook:
    expected = below = above = _NOTHING
    is_known = True
    for row in rows:
        if row.expected_cost is None or row.low_cost is None or row.high_cost is None:
            is_known = False
            continue
        expected += row.expected_cost
        below += (row.expected_cost - row.low_cost) ** 2
        above += (row.high_cost - row.expected_cost) ** 2
    low, high = expected - below.sqrt(), expected + above.sqrt()
    status: str | None = WITHIN if is_known else None
    if high > budget.amount:
        status = PASSES if low > budget.amount else MAY_PASS
    return Outlook(budget, rows[0].billing_period_start, low, high, status)


def tell(outlook: Outlook, locale: str) -> str | None:
    """Return a sentence on a budget that is passed or may be, else None."""
    if outlook.status not in _TOLD:
        return None
    return translate(_TOLD[outlook.status], locale).format(
        name=outlook.budget.name,
        month=say_month(outlook.month, locale),
        low=format_amount(outlook.low, locale=locale),
        high=format_amount(outlook.high, locale=locale),
        currency=outlook.budget.currency,
        budget=format_amount(outlook.budget.amount, locale=locale),
    )
