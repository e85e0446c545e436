"""The verdict on each key: a status, the first of the table that fits, and what the difference is.

difference of cost = what was billed - cost(measured)
                   = cost(billed quantity) - cost(measured)      the volume effect
                   + what was billed - cost(billed quantity)     the price effect
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from wolkvox_billing.reconciliation.facts import BilledLine, Facts
from wolkvox_billing.reconciliation.keys import Billed, Comparison, Key, Measured
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.rate_card import Rate, Tariff, cost, tariffs
from wolkvox_billing.reconciliation.tail import Tail

NO_FINDING = ("open_period", "matched", "within_tolerance", "inconclusive_low_coverage")
COST = Decimal("0.00000001")


@dataclass(frozen=True)
class Verdict:
    """A row of invoice_reconciliation. Amounts are in `key.currency`; None is not known."""

    key: Key
    status: str
    measured: Measured | None
    billed: Billed | None
    consumed: Decimal | None
    billed_quantity: Decimal | None
    unit_price: Decimal | None
    contracted_cost: Decimal | None
    billed_cost: Decimal
    volume_effect: Decimal | None
    price_effect: Decimal | None
    tail: Tail | None
    is_material: bool

    @property
    def quantity_variance(self) -> Decimal | None:
        if self.billed_quantity is None or self.consumed is None:
            return None
        return self.billed_quantity - self.consumed

    @property
    def cost_variance(self) -> Decimal | None:
        return None if self.contracted_cost is None else self.billed_cost - self.contracted_cost

    @property
    def lines(self) -> Sequence[BilledLine]:
        return self.billed.lines if self.billed else ()


@dataclass(frozen=True)
class Priced:
    """What a key's quantities cost by contract; None where no price is known."""

    unit_price: Decimal | None = None
    of_measured: Decimal | None = None
    of_billed: Decimal | None = None


def judge(
    facts: Facts, comparison: Comparison, rates: Sequence[Rate], policy: Policy
) -> list[Verdict]:
    """A Verdict on each key, in the order of the keys."""
    keys = dict.fromkeys([*comparison.billed, *comparison.measured])
    found = [
        _judge(key, comparison.billed.get(key), comparison.measured.get(key), facts, rates, policy)
        for key in keys
    ]
    return sorted(found, key=lambda one: tuple(str(part or "") for part in one.key))


def _judge(
    key: Key,
    billed: Billed | None,
    measured: Measured | None,
    facts: Facts,
    rates: Sequence[Rate],
    policy: Policy,
) -> Verdict:
    if not billed and key.report:
        used = {one.currency for one in rates if one.report == key.report}
        key = key._replace(currency=used.pop() if len(used) == 1 else None)
    # Without a reading it is zero where the vendor answered, and unknown where it did not.
    zero = Decimal() if _was_answered(key, facts) else None
    consumed = measured.quantity if measured else zero
    amount = billed.amount if billed else Decimal()
    quantity = billed.quantity if billed else Decimal()
    priced = _priced(key, consumed, quantity, facts, rates)
    excess = quantity - consumed if quantity is not None and consumed is not None else Decimal()
    tail = _tail(key, measured, facts) if measured and excess > 0 else None
    of_billed = priced.of_billed if quantity is not None else priced.of_measured
    volume = price = None
    if of_billed is not None and priced.of_measured is not None:
        volume, price = of_billed - priced.of_measured, amount - of_billed
    status = _status(key, billed, measured, consumed, quantity, price, tail, facts, rates, policy)
    stake = abs(amount - priced.of_measured) if priced.of_measured is not None else abs(amount)
    return Verdict(
        key=key,
        status=status,
        measured=measured,
        billed=billed,
        consumed=consumed,
        billed_quantity=quantity,
        unit_price=priced.unit_price,
        contracted_cost=priced.of_measured,
        billed_cost=amount,
        volume_effect=volume,
        price_effect=price,
        tail=tail,
        is_material=status not in NO_FINDING and (stake > policy.materiality),
    )


def _status(
    key: Key,
    billed: Billed | None,
    measured: Measured | None,
    consumed: Decimal | None,
    quantity: Decimal | None,
    price_effect: Decimal | None,
    tail: Tail | None,
    facts: Facts,
    rates: Sequence[Rate],
    policy: Policy,
) -> str:
    """The first status that fits; the numbers are those of the table."""
    today = facts.day_at(key.operation_id)
    due = timedelta(days=policy.invoice_due_days)
    if key.period and (today < key.period.end or (not billed and today < key.period.end + due)):
        return "open_period"  # 1
    if billed and any(line.is_duplicate for line in billed.lines):
        return "duplicate_document"  # 2
    if not key.report or not key.period:
        return "unmapped_line"  # 3
    if billed and key.currency not in _currencies(key, rates):
        return "currency_mismatch"  # 4
    if measured and any(use.quantity is None for use in measured.uses):
        return "semantics_undetermined"  # 5
    if not billed:
        return "usage_not_invoiced" if consumed else "matched"  # 6
    if not measured:
        return INCONCLUSIVE if consumed is None else "invoiced_without_usage"  # 7
    if consumed is None or not measured.ends_were_read:
        return INCONCLUSIVE  # 10: the days at the period's ends were not read
    excess = quantity - consumed if quantity is not None else Decimal()
    tolerance = max(policy.tolerance_quantity, policy.tolerance_percent * abs(consumed) / 100)
    agrees = abs(excess) <= tolerance
    if not excess and price_effect == 0:
        return "matched"  # 8
    if agrees and price_effect is not None and abs(price_effect) <= policy.tolerance_amount:
        return "within_tolerance"  # 9
    if agrees:
        return "no_price" if price_effect is None else "price_difference"  # 12
    if excess > 0 and tail and (tail.quantity is None or excess <= tail.quantity):
        return INCONCLUSIVE  # 10
    return "overbilled_quantity" if excess > 0 else "underbilled_quantity"  # 11


INCONCLUSIVE = "inconclusive_low_coverage"


def _tail(key: Key, measured: Measured, facts: Facts) -> Tail | None:
    """What all products of a key together can have used unseen."""
    parts = [facts.tail_of(use, key.period) for use in measured.uses if key.period]
    known = [one for one in parts if one]
    if not known:
        return None
    quantities = [one.quantity for one in known]
    return Tail(
        None if None in quantities else sum((q for q in quantities if q is not None), Decimal()),
        max(one.seconds for one in known),
        "busiest" if all(one.basis == "busiest" for one in known) else known[-1].basis,
    )


def _currencies(key: Key, rates: Sequence[Rate]) -> set[str | None]:
    """The currencies that the rate card knows for a report; one that it does not have at all is no
    mismatch but a missing price."""
    return {one.currency for one in rates if one.report == key.report} or {key.currency}


def _was_answered(key: Key, facts: Facts) -> bool:
    days = facts.answered.get((key.operation_id or "", key.report or ""), set())
    period = key.period
    return period is not None and any(period.start <= day < period.end for day in days)


def _priced(
    key: Key,
    consumed: Decimal | None,
    quantity: Decimal | None,
    facts: Facts,
    rates: Sequence[Rate],
) -> Priced:
    if not (key.report and key.operation_id and key.period and key.currency):
        return Priced()
    found = tariffs(
        rates, key.report, key.operation_id, key.product, key.currency,
        key.period.start, key.period.end,
    )  # fmt: skip
    if not found:
        return Priced()
    shares = _shares(key, found, facts)
    of_measured = None if consumed is None else cost(found, consumed, shares)
    of_billed = None if quantity is None else cost(found, quantity, shares)
    unit_price: Decimal | None = None
    if len(found) == 1 and len(found[0].tiers) == 1:
        unit_price = found[0].tiers[0].unit_price
    elif quantity and of_billed is not None:
        unit_price = (of_billed / quantity).quantize(COST, ROUND_HALF_UP)
    elif consumed and of_measured is not None:
        unit_price = (of_measured / consumed).quantize(COST, ROUND_HALF_UP)
    return Priced(unit_price, of_measured, of_billed)


def _shares(key: Key, found: Sequence[Tariff], facts: Facts) -> list[Decimal]:
    """What was measured while each price held; where nothing was, the number of days."""
    if len(found) == 1:
        return [Decimal(1)]
    days = [
        one
        for (operation_id, report, product), listed in facts.days.items()
        if (operation_id, report) == (key.operation_id, key.report)
        and key.product in (None, product)
        for one in listed
    ]
    shares = [
        sum((one.quantity for one in days if part.start <= one.day < part.end), Decimal())
        for part in found
    ]
    if sum(shares) <= 0 or min(shares) < 0:
        return [Decimal((part.end - part.start).days) for part in found]
    return shares
