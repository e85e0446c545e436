"""Days that fall out of what such days have: `usage_anomalies`, of the last year.

A day is held against the eight weeks before it: those of its weekday, or the year's holidays. It is
out of the profile where one more observation of such days would be met once in ten thousand, by
Student's t with their scatter and that of their mean (Hahn and Meeker, Statistical Intervals, 1991,
chapter 4). `make honesty` counts the false alarms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from math import sqrt
from typing import NamedTuple

from wolkvox_billing.marts.ahead import LESS, MORE, Anomaly
from wolkvox_billing.reconciliation.day_profile import (
    FEWEST_DAYS,
    HOLIDAY,
    WEEKS,
    YEAR,
    class_of,
    student_t,
)
from wolkvox_billing.reconciliation.facts import DayUse, Facts, Meter
from wolkvox_billing.reconciliation.writer import Writer
from wolkvox_billing.values.business_days import is_holiday
from wolkvox_billing.values.translation import N_, translate

CHANCE = 0.9999  # that an honest day is in its range
_FEWEST_OF_CLASS = 4
_WHOLE, _SMALLEST = Decimal(1), Decimal("0.0001")
_REASONS = {
    (LESS, False): N_(
        "{quantity} on {day}: the same weekday had {expected} on the average of the eight weeks "
        "before, and less than {limit} is not met by chance"
    ),
    (MORE, False): N_(
        "{quantity} on {day}: the same weekday had {expected} on the average of the eight weeks "
        "before, and more than {limit} is not met by chance"
    ),
    (LESS, True): N_(
        "{quantity} on {day}, a holiday: those of the year before had {expected} on the average, "
        "and less than {limit} is not met by chance"
    ),
    (MORE, True): N_(
        "{quantity} on {day}, a holiday: those of the year before had {expected} on the average, "
        "and more than {limit} is not met by chance"
    ),
}


class OddDay(NamedTuple):
    """A day out of its range, which is what such days may have."""

    day: date
    quantity: Decimal
    expected: float
    low: float
    high: float
    is_holiday: bool

    @property
    def kind(self) -> str:
        return LESS if self.quantity < self.expected else MORE


def find_anomalies(facts: Facts, locale: str) -> list[Anomaly]:
    """Return the days, in the order of operation, report, product and day."""
    units = {use.meter: use.unit for use in facts.months if use.measure and not use.is_gauge}
    anomalies: list[Anomaly] = []
    for meter in sorted(units):
        today = facts.today_of(meter.operation_id)
        since = today - YEAR
        days = [day for day in facts.days.get(meter, ()) if since - YEAR <= day.day < today]
        writer = Writer(locale, unit=units[meter])
        anomalies += (_anomaly(meter, odd, facts, writer) for odd in odd_days(days, since))
    return anomalies


def odd_days(days: Sequence[DayUse], since: date = date.min) -> Iterator[OddDay]:
    """Yield the days since a day that are out of their range, of days in their order; of several
    days that were read as one nobody knows what each had."""
    if len(days) < FEWEST_DAYS:  # before anybody asks for holidays, which are slow to import
        return
    before: defaultdict[int, list[tuple[date, float]]] = defaultdict(list)
    for use in days:
        if use.covers != 1:
            continue
        name = HOLIDAY if is_holiday(use.day) else use.day.weekday()
        oldest = use.day - (YEAR if name == HOLIDAY else WEEKS)
        own = before[name] = [each for each in before[name] if each[0] >= oldest]
        quantity = float(use.quantity)
        if use.day >= since and len(own) >= _FEWEST_OF_CLASS:
            profile = class_of([amount for _, amount in own])
            # Where all such days had nearly nothing, one unit more is none too many.
            scatter = sqrt(profile.variance + 1) * sqrt(1 + 1 / profile.days)
            half = student_t((1 + CHANCE) / 2, profile.days - 1) * scatter
            if abs(quantity - profile.mean) > half:
                low, high = max(profile.mean - half, 0.0), profile.mean + half
                yield OddDay(use.day, use.quantity, profile.mean, low, high, name == HOLIDAY)
        own.append((use.day, quantity))


def _anomaly(meter: Meter, odd: OddDay, facts: Facts, writer: Writer) -> Anomaly:
    expected, low, high = (
        Decimal(amount).quantize(_SMALLEST) for amount in (odd.expected, odd.low, odd.high)
    )
    reason = translate(_REASONS[odd.kind, odd.is_holiday], writer.locale).format(
        quantity=writer.quantity(odd.quantity),
        day=writer.day(odd.day),
        expected=writer.number(expected.quantize(_WHOLE)),
        limit=writer.number((low if odd.kind == LESS else high).quantize(_WHOLE)),
    )
    return Anomaly(
        operation_id=meter.operation_id,
        operation_name=facts.operations.get(meter.operation_id),
        report=meter.report,
        product=meter.product,
        usage_date=odd.day,
        consumed_quantity=odd.quantity,
        expected_quantity=expected,
        low_quantity=low,
        high_quantity=high,
        kind=odd.kind,
        reason=reason,
        consumed_unit=writer.unit,
    )
