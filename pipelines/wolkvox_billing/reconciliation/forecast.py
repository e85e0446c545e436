"""What the months that run will come to: `forecast`, one row per product and currency.

    days before today ─▶ day profile ─▶ the days to come ─▶ + what is known of the month ─▶ cost

Of a counter or of daily numbers; of a level nobody knows tomorrow's by its weekday. Costs are by
the unit prices, tiers and discounts of the rate card, of several in a month by their days; not by
minimums, packages, or tiers that several operations or products share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

from wolkvox_billing.marts.ahead import Forecast
from wolkvox_billing.reconciliation.budget import Budget, read_budgets, tell, weigh, with_budgets
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.contract.tariff import Tariff, cents
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.day_profile import DayProfile, NotEnoughDays
from wolkvox_billing.reconciliation.facts import DayUse, Facts, Meter, MonthUse
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.periods import DAY, Period, label_period, month_of
from wolkvox_billing.warehouse.sql import Client, rows_as, tables_in

CHANCE = 0.8  # that a month comes to what lies in the interval
_WHOLE, _SMALLEST = Decimal(1), Decimal("0.0001")
_LONGEST_AGO = 40 * DAY  # since a reading, of what is still used


class Outcome(NamedTuple):
    """What a month comes to: expected, and between what with the chance."""

    expected: Decimal
    low: Decimal
    high: Decimal


class MonthSoFar(NamedTuple):
    """A month that runs: what was used before a day, which is the first one not known in whole; and
    what was seen of all of it."""

    month: Period
    known: Decimal
    known_before: date
    seen: Decimal

    @property
    def days_to_come(self) -> list[date]:
        return Period(self.known_before, self.month.end).days


def forecast_months(
    facts: Facts, rates: Sequence[Rate], budgets: Iterable[Budget]
) -> list[Forecast]:
    """Return the forecasts, with their budgets, in the order of operation, report and product."""
    terms = Terms(rates)
    newest: dict[Meter, MonthUse] = {}
    for use in facts.months:
        if use.meter not in newest or newest[use.meter].period.start < use.period.start:
            newest[use.meter] = use
    rows: list[Forecast] = []
    for meter in sorted(newest):
        rows += _forecast(newest[meter], facts, terms)
    return with_budgets(rows, budgets)


def warn_of_budgets(client: Client, raw: str, policy: Policy) -> list[str]:
    """Return a sentence for each budget that a month passes, or may pass, by the forecasts as they
    were made last."""
    budgets = read_budgets(policy.budget)
    marts = f"{raw}_marts"
    if not budgets or "forecast" not in tables_in(client, marts):  # another version's
        return []
    rows = rows_as(client, Forecast, f"{marts}.forecast")
    told = [tell(outlook, policy.language) for outlook in weigh(rows, budgets)]
    return [sentence for sentence in told if sentence]


def _forecast(use: MonthUse, facts: Facts, terms: Terms) -> Iterator[Forecast]:
    """Yield a product's forecast in each currency that it has prices in; without one of use. Of a
    level there is none, nor of what is used no more."""
    meter, today = use.meter, facts.today_of(use.operation_id)
    days = facts.days.get(meter, [])
    if use.is_gauge or use.quantity is None or not days or today - days[-1].day > _LONGEST_AGO:
        return
    so_far = month_so_far(days, today)
    is_whole = all(day.quantity == day.quantity.to_integral_value() for day in days[-60:])
    outcome, days_known = foresee(days, so_far, _WHOLE if is_whole else _SMALLEST)
    prices: list[tuple[str | None, list[Tariff]]] = [
        (currency, own)
        for currency in sorted(terms.said_in(meter.report))
        if (own := terms.tariffs(meter, currency, so_far.month))
    ]
    for currency, own in prices or [(None, [])]:
        costs = outcome and own and Outcome(*(_cost(own, so_far.month, q) for q in outcome))
        yield Forecast(
            operation_id=meter.operation_id,
            operation_name=facts.operations.get(meter.operation_id),
            report=meter.report,
            product=meter.product,
            billing_period_start=so_far.month.start,
            billing_period_end=so_far.month.end,
            forecast_from=so_far.known_before,
            days_known=days_known,
            consumed_quantity=so_far.seen,
            expected_quantity=outcome.expected if outcome else None,
            low_quantity=outcome.low if outcome else None,
            high_quantity=outcome.high if outcome else None,
            consumed_unit=use.unit,
            billing_currency=currency,
            expected_cost=costs.expected if costs else None,
            low_cost=costs.low if costs else None,
            high_cost=costs.high if costs else None,
            budget_amount=None,
            budget_status=None,
            month_label=label_period(*so_far.month),
        )


def month_so_far(days: Sequence[DayUse], today: date) -> MonthSoFar:
    """Return what is known of today's month. Today is not over: what it showed is seen, and not
    known in whole."""
    month = month_of(today)
    own = [day for day in days if month.has(day.day)]
    whole = [day for day in own if day.day < today]
    return MonthSoFar(
        month,
        sum((day.quantity for day in whole), Decimal()),
        whole[-1].day + DAY if whole else month.start,
        sum((day.quantity for day in own), Decimal()),
    )


def foresee(
    days: Iterable[DayUse], so_far: MonthSoFar, unit: Decimal
) -> tuple[Outcome | None, int]:
    """Return what the month comes to, None where too little is known, and by how many days; in
    units of so much."""
    try:
        profile = DayProfile(days, so_far.known_before)
    except NotEnoughDays:
        return None, 0
    rest = profile.sum_over(so_far.days_to_come, CHANCE)
    expected, low, high = (
        max(so_far.known + Decimal(amount).quantize(unit, ROUND_HALF_UP), so_far.seen)
        for amount in rest
    )
    return Outcome(expected, low, high), profile.days


def _cost(prices: Sequence[Tariff], month: Period, quantity: Decimal) -> Decimal:
    """Return what a quantity costs; where prices change within the month, by the days of each."""
    units, total, days = Fraction(quantity), Fraction(), 0
    for tariff in prices:
        held = month.common(Period(tariff.start, tariff.end)).length
        days += held
        whole = tariff.price_at(units) * units if tariff.is_of_all_units else tariff.cost(units)
        total += whole * held
    return cents(total / days) if days else Decimal()
