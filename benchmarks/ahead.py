"""Does the forecast hold what it says, and does an honest day raise an alarm? Of `make honesty`.

Months of honest use (`counters.Busy`, by the weekday, no two days alike; `counters.Rare`) of four
sizes, each with eight to thirteen weeks before it, looked at from a day that is drawn. The same
seed makes the same months.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from cases import SIZES
from counters import DAY, Busy, Rare, Span, Use, date_of, month_of, second_of

from wolkvox_billing.reconciliation.anomalies import odd_days
from wolkvox_billing.reconciliation.facts import DayUse
from wolkvox_billing.reconciliation.forecast import foresee, month_so_far

SEED = 26
MONTHS = 1000  # that are foreseen
YEARS = 100  # of operations, whose days are looked at
RARE = 0.3  # a day, of one operation in ten


class Holding(NamedTuple):
    """Of so many months how many came to what was foreseen, and how wide that was on the average,
    in percent of the month."""

    months: int
    held: int
    width: float

    @property
    def share(self) -> float:
        return self.held / self.months


class Alarms(NamedTuple):
    """Of so many years of operations how many days were called odd."""

    years: float
    days: int

    @property
    def a_year(self) -> float:
        return self.days / self.years


def foresee_months(months: int = MONTHS, seed: int = SEED) -> Holding:
    """Return how often a month comes to what lies in its interval."""
    rng = random.Random(f"{seed} months")  # noqa: S311 - the same months each time
    held, widths = 0, 0.0
    for number in range(months):
        start = date(2026, 1 + rng.randrange(12), 1)
        end = date_of(month_of(second_of(start)).end)
        before = start - timedelta(days=rng.randrange(56, 92))
        days = [*_days(_use(rng, before, end, number), before, end)]
        today = start + timedelta(days=rng.randrange((end - start).days))
        known = [day for day in days if day.day < today]
        outcome, _ = foresee(known, month_so_far(known, today), Decimal(1))
        assert outcome, "eight weeks are enough"
        came_to = sum(day.quantity for day in days if day.day >= start)
        held += outcome.low <= came_to <= outcome.high
        widths += float(outcome.high - outcome.low) / float(came_to or 1)
    return Holding(months, held, 100 * widths / months)


def look_at_days(years: int = YEARS, seed: int = SEED) -> Alarms:
    """Return how many days of honest years are called odd."""
    rng = random.Random(f"{seed} years")  # noqa: S311
    start, end = date(2025, 1, 1), date(2026, 1, 1)
    uses = [_use(rng, start, end, number) for number in range(years)]
    return Alarms(years, sum(len([*odd_days([*_days(use, start, end)])]) for use in uses))


def _use(rng: random.Random, start: date, end: date, number: int) -> Use:
    span = Span(second_of(start), second_of(end))
    if number % 10 == 9:
        return Rare(rng, span, RARE)
    return Busy(rng, span, rng.uniform(*SIZES[number % len(SIZES)]))


def _days(use: Use, start: date, end: date) -> Iterator[DayUse]:
    at = second_of(start)
    while at < second_of(end):
        used = use.until(at + DAY) - use.until(at)
        yield DayUse(date_of(at), 1, Decimal(used))
        at += DAY


def show(holding: Holding, alarms: Alarms) -> Sequence[str]:
    """Return the lines of the page."""
    return [
        "## Looking ahead",
        "",
        f"Of {holding.months:,} honest months, each looked at on a day of it, {holding.share:.1%} "
        "came to what lies in the interval of `forecast`, which says 80 %; it is "
        f"{holding.width:.0f} % of the month wide on the average. Of {alarms.years:,.0f} honest "
        f"years of operations {alarms.days:,} days are in `usage_anomalies`: {alarms.a_year:.2f} a "
        "year and operation.",
    ]
