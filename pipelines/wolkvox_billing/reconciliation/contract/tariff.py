"""What units cost by the rate card, from day to day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise

from wolkvox_billing.reconciliation.contract.rate import ALL_UNITS, Rate
from wolkvox_billing.values.periods import Period

_CENT = Decimal("0.01")
_LEAST = Decimal("0.00001")  # less than any quantity has decimals


@dataclass(frozen=True)
class Tariff:
    """The tiers that hold in one stretch of days, by `from_quantity`, and the percentage that is
    taken off."""

    start: date
    end: date
    tiers: tuple[Rate, ...]
    discount: Decimal = Decimal()

    @property
    def is_of_all_units(self) -> bool:
        return self.tiers[0].tiers == ALL_UNITS

    def beyond_tiers(self) -> Tariff:
        """Return it with tiers that a quantity reaches only where it is more than they begin at."""
        tiers = [
            replace(tier, from_quantity=tier.from_quantity + _LEAST) if tier.from_quantity else tier
            for tier in self.tiers
        ]
        return replace(self, tiers=tuple(tiers)) if self.is_of_all_units else self

    @property
    def is_pooled(self) -> bool:
        return self.tiers[0].is_pooled

    @property
    def dearest(self) -> Decimal:
        """The highest price of a unit."""
        return max(tier.unit_price / tier.per for tier in self.tiers)

    def holds_as(self, other: Tariff) -> bool:
        return (self.tiers, self.discount) == (other.tiers, other.discount)

    def price_at(self, quantity: Fraction) -> Fraction:
        """Return what each unit costs of a quantity, by the tier that it reaches."""
        reached = [tier for tier in self.tiers if tier.from_quantity <= abs(quantity)]
        return self.less_discount(_price(reached[-1]))

    def cost(self, quantity: Fraction) -> Fraction:
        """Return what so many units cost in graduated tiers; of less than none, the same with a
        minus."""
        if quantity < 0:
            return -self.cost(-quantity)
        total, left = Fraction(), quantity
        for tier in reversed(self.tiers):
            start = Fraction(tier.from_quantity)
            if left > start:
                total += (left - start) * _price(tier)
                left = start
        return self.less_discount(total)

    def less_discount(self, amount: Fraction) -> Fraction:
        return amount * Fraction((100 - self.discount) / 100) if self.discount else amount


def _price(tier: Rate) -> Fraction:
    price = Fraction(tier.unit_price)
    return price if tier.per == 1 else price / Fraction(tier.per)


def cents(amount: Decimal | Fraction) -> Decimal:
    """Return an amount rounded half up to cents, of less than nothing the same with a minus."""
    if isinstance(amount, Decimal):
        return amount.quantize(_CENT, ROUND_HALF_UP)
    whole, part = amount.numerator, amount.denominator
    rounded = Decimal((200 * abs(whole) + part) // (2 * part)).scaleb(-2)
    return -rounded if whole < 0 else rounded


def most_exact(rates: Sequence[Rate]) -> list[Rate]:
    """Return those of the rows that name the most: a row that names the operation and product is
    more exact than one that does not."""
    if len(rates) < 2:
        return [*rates]
    exactness = max(rate.exactness for rate in rates)
    return [rate for rate in rates if rate.exactness == exactness]


def tariffs(
    prices: Iterable[Rate], discounts: Iterable[Rate], currency: str | None, period: Period
) -> list[Tariff]:
    """Return what holds in a period by prices and discounts, in stretches; [] where no price is
    known for all of its days. The more exact row wins."""
    prices, discounts = (
        [rate for rate in rates if rate.overlaps(period)] for rates in (prices, discounts)
    )
    edges = {day for rate in (*prices, *discounts) for day in rate.days}
    marks = [period.start, *sorted(day for day in edges if period.start < day < period.end)]
    stretches: list[Tariff] = []
    for start, end in pairwise([*marks, period.end]):
        exact = most_exact([rate for rate in prices if rate.holds_on(start)])
        if not exact:
            return []
        tiers = tuple(sorted(exact, key=lambda rate: rate.from_quantity))
        currencies = (
            "",
            currency,
            tiers[0].priced_in,
        )  # a discount of other prices is none of these
        percents = most_exact(
            [rate for rate in discounts if rate.holds_on(start) and rate.priced_in in currencies]
        )
        tariff = Tariff(start, end, tiers, percents[0].unit_price if percents else Decimal())
        if stretches and stretches[-1].holds_as(tariff):
            tariff = replace(tariff, start=stretches.pop().start)
        stretches.append(tariff)
    return stretches
