"""What quantities cost by contract, where prices change within a period too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

from wolkvox_billing.reconciliation.contract.tariff import Tariff, cents
from wolkvox_billing.reconciliation.facts import DayUse
from wolkvox_billing.reconciliation.unread import Unread
from wolkvox_billing.values.periods import DAY

_PRICE, _SMALL_PRICE = Decimal("0.0001"), Decimal("0.00000001")


class Turn(NamedTuple):
    """An honest way to price a period in which the price changed on a `day`, and between what its
    costs lie: `price_turn` by another day for what was read at the change, `tiers_anew` by tiers
    that begin anew with the price."""

    name: str
    day: date
    lowest: Decimal
    highest: Decimal


@dataclass(frozen=True)
class Priced:
    """What a key's quantities cost by contract; None where no price is known. `of_most`: what was
    measured and all that may be missing in it; `of_fewest`: without what may be from before.
    `lowest` and `highest`: what the quantity can cost where a price changed while nobody read."""

    unit_price: Decimal | None = None
    of_measured: Decimal | None = None
    of_billed: Decimal | None = None
    of_most: Decimal | None = None
    of_fewest: Decimal | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    turns: tuple[Turn, ...] = ()


def price(
    tariffs: Sequence[Tariff],
    days: Sequence[DayUse],
    consumed: Decimal | None,
    billed: Decimal | None,
    unread: Unread,
) -> Priced:
    """Return what quantities cost. `tariffs` are those of the period, [] where no price is known;
    `days` tell how much was used at each."""
    if not tariffs:
        return Priced()
    shares, *extremes = _shares(tariffs, days)

    def cost_of(quantity: Decimal | None, more: Decimal | None = Decimal(0)) -> Decimal | None:
        return None if quantity is None or more is None else cost(tariffs, quantity + more, shares)

    compared = consumed if billed is None else billed
    possible = [cost(tariffs, compared, split) for split in extremes if compared is not None]
    of_measured, of_billed = cost_of(consumed), cost_of(billed)
    unit_price: Decimal | None = None
    if len(tariffs) == 1 and len(tariffs[0].tiers) == 1:
        unit_price = tariffs[0].tiers[0].unit_price
    elif billed and of_billed is not None:
        unit_price = _average(of_billed, billed)
    elif consumed and of_measured is not None:
        unit_price = _average(of_measured, consumed)
    return Priced(
        unit_price=unit_price,
        of_measured=of_measured,
        of_billed=of_billed,
        of_most=cost_of(consumed, unread.missing.quantity),
        of_fewest=cost_of(consumed, None if unread.foreign is None else -unread.foreign),
        lowest=min(possible, default=None),
        highest=max(possible, default=None),
        turns=() if compared is None else tuple(_turns(tariffs, days, compared, shares)),
    )


def _turns(
    tariffs: Sequence[Tariff], days: Sequence[DayUse], quantity: Decimal, shares: Sequence[Decimal]
) -> Iterator[Turn]:
    """Return how else a quantity may be priced where the price changes. A day's use is read in part
    on the day after: at night, or in the morning."""
    if len(tariffs) < 2:
        return
    for number, tariff in enumerate(tariffs[1:], 1):
        moved = []
        for first, to in ((number, number - 1), (number - 1, number)):
            day = tariff.start - (DAY if first < number else 0 * DAY)
            near = sum((use.quantity for use in days if use.day == day), Decimal())
            near = min(max(near, Decimal()), shares[first])
            other = list(shares)
            other[first], other[to] = shares[first] - near, shares[to] + near
            moved.append(cost(tariffs, quantity, other))
        moved.append(cost(tariffs, quantity, shares))
        yield Turn("price_turn", tariff.start, min(moved), max(moved))
    if any(len(tariff.tiers) > 1 for tariff in tariffs):
        whole = sum(shares)
        parts = [Fraction(quantity) * Fraction(share) / Fraction(whole) for share in shares]
        anew = cents(sum(map(Tariff.cost, tariffs, parts), Fraction()))
        yield Turn("tiers_anew", tariffs[1].start, anew, anew)


def cost(stretches: Sequence[Tariff], quantity: Decimal, shares: Sequence[Decimal]) -> Decimal:
    """Return what a quantity costs, rounded half up to cents. Over several stretches it is spread
    by `shares` (what was measured in each), and the tiers go on from one to the next."""
    total, so_far, whole = Fraction(), Fraction(), Fraction(sum(shares, Decimal()) or 1)
    for stretch, share in zip(stretches, shares, strict=True):
        until = so_far + Fraction(quantity) * Fraction(share) / whole
        total += stretch.cost(until) - stretch.cost(so_far)
        so_far = until
    return cents(total)


def _average(amount: Decimal, quantity: Decimal) -> Decimal:
    unit_price = amount / quantity
    return unit_price.quantize(_PRICE if abs(unit_price) >= 1 else _SMALL_PRICE, ROUND_HALF_UP)


def _shares(tariffs: Sequence[Tariff], days: Sequence[DayUse]) -> list[list[Decimal]]:
    """Return what was measured while each price held. A reading that covers days under two prices
    is spread evenly over its days; then it is put into the first price whole, and into the last:
    these are how little and how much can have been used at each. Where nothing was measured, the
    number of days."""
    if len(tariffs) == 1:
        return [[Decimal(1)]]
    spread, early, late = ([Decimal() for _ in tariffs] for _ in range(3))
    for use in _without_falls(days):
        first = max(use.day - (use.covers - 1) * DAY, tariffs[0].start)
        covers = (use.day - first).days + 1
        overlaps = [
            (n, (min(tariff.end, use.day + DAY) - max(tariff.start, first)).days)
            for n, tariff in enumerate(tariffs)
            if tariff.start <= use.day and first < tariff.end
        ]
        for n, covered in overlaps:
            spread[n] += use.quantity * covered / covers
        early[overlaps[0][0]] += use.quantity
        late[overlaps[-1][0]] += use.quantity
    if sum(spread) <= 0:
        return [[Decimal((tariff.end - tariff.start).days) for tariff in tariffs]]
    return [spread] if early == late else [spread, early, late]


def _without_falls(days: Sequence[DayUse]) -> list[DayUse]:
    """Return the days, a fall taken off those before it: what a counter takes back was not used."""
    used: list[DayUse] = []
    for use in days:
        fall = -use.quantity
        while fall > 0 and used:
            last = used.pop()
            if last.quantity > fall:
                used.append(replace(last, quantity=last.quantity - fall))
            fall -= last.quantity
        if use.quantity > 0:
            used.append(use)
    return used
