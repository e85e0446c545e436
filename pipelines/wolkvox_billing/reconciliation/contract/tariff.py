"""What units cost by the rate card, from day to day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from wolkvox_billing.reconciliation.contract.rate import ALL_UNITS, Rate

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
