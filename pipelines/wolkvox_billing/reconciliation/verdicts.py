"""The verdict on each key: a status, the first of the table that fits, and what the difference is.

difference of cost = what was billed - cost(measured)
                   = cost(billed quantity) - cost(measured)      the volume effect
                   + what was billed - cost(billed quantity)     the price effect
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from wolkvox_billing.invoices.period import DAY, Period
from wolkvox_billing.reconciliation.contract.rate_card import Rate, Tariff, cost, tariffs
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Facts
from wolkvox_billing.reconciliation.keys import Billed, Comparison, Key, Measured
from wolkvox_billing.reconciliation.ledger import months_of
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.unread import Tail, Unread, added

INCONCLUSIVE = "inconclusive_low_coverage"
NO_FINDING = ("open_period", "matched", "within_tolerance")
COST, SMALL_COST = Decimal("0.0001"), Decimal("0.00000001")


@dataclass(frozen=True)
class Priced:
    """What a key's quantities cost by contract; None where no price is known. `of_missing`: what
    was measured and all that may be missing in it; `of_fewest`: without what may be from before.
    `lowest` and `highest`: what the quantity can cost where a price changed while nobody read."""

    unit_price: Decimal | None = None
    of_measured: Decimal | None = None
    of_billed: Decimal | None = None
    of_missing: Decimal | None = None
    of_fewest: Decimal | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None


@dataclass(frozen=True)
class Verdict:
    """A row of invoice_reconciliation. Amounts are in `key.currency`; None is not known."""

    key: Key
    status: str
    measured: Measured | None
    billed: Billed | None
    consumed: Decimal | None
    billed_quantity: Decimal | None
    billed_cost: Decimal
    volume_effect: Decimal | None
    price_effect: Decimal | None
    priced: Priced
    unread: Unread | None
    is_price_known: bool  # no price changed while nobody read
    is_material: bool

    @property
    def quantity_variance(self) -> Decimal | None:
        if self.billed_quantity is None or self.consumed is None:
            return None
        return self.billed_quantity - self.consumed

    @property
    def contracted_cost(self) -> Decimal | None:
        return self.priced.of_measured

    @property
    def cost_variance(self) -> Decimal | None:
        return None if self.contracted_cost is None else self.billed_cost - self.contracted_cost

    @property
    def lines(self) -> Sequence[BilledLine]:
        return self.billed.lines if self.billed else ()


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
    consumed = measured.quantity if measured else Decimal() if _is_answered(key, facts) else None
    amount = billed.amount if billed else Decimal()
    quantity = billed.quantity if billed else Decimal()
    unread = None
    if measured and key.period and billed and quantity != consumed:
        unread = _unread(key.period, measured, facts)
    priced = _priced(key, consumed, quantity, unread, measured, rates)
    of_billed = priced.of_billed if quantity is not None else priced.of_measured
    volume = price = None
    if of_billed is not None and priced.of_measured is not None:
        volume, price = of_billed - priced.of_measured, amount - of_billed
    is_price_known = not (
        price
        and priced.lowest is not None
        and priced.highest is not None
        and priced.lowest - policy.tolerance_amount
        <= amount
        <= priced.highest + policy.tolerance_amount
    )
    status = _status(
        key, billed, measured, consumed, price, priced, is_price_known, unread, facts, rates, policy
    )
    stake = abs(amount - priced.of_measured) if priced.of_measured is not None else abs(amount)
    if status == "duplicate_document":  # one of the two is not owed at all
        stake = abs(amount)
    if status == INCONCLUSIVE:  # the hours that nobody read excuse a quantity, and not a price
        stake = abs(price) if price and quantity is not None and is_price_known else Decimal()
        stake = stake if stake > policy.tolerance_amount else Decimal()
    return Verdict(
        key=key,
        status=status,
        measured=measured,
        billed=billed,
        consumed=consumed,
        billed_quantity=quantity,
        billed_cost=amount,
        volume_effect=volume,
        price_effect=price,
        priced=priced,
        unread=unread,
        is_price_known=is_price_known,
        is_material=status not in NO_FINDING and stake > policy.materiality,
    )


def _status(
    key: Key,
    billed: Billed | None,
    measured: Measured | None,
    consumed: Decimal | None,
    price_effect: Decimal | None,
    priced: Priced,
    is_price_known: bool,
    unread: Unread | None,
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
    if not billed or (billed.is_nothing and consumed):
        if consumed is not None and consumed < 0:
            return "overbilled_quantity"  # 11: the counter fell after it was billed
        return "usage_not_invoiced" if consumed else "matched"  # 6
    if not measured:
        if consumed is None:
            return INCONCLUSIVE
        return "matched" if billed.is_nothing else "invoiced_without_usage"  # 7
    if consumed is None:
        return "semantics_undetermined"  # 5: counters and gauges cannot be added
    if not measured.ends_were_read:
        return INCONCLUSIVE  # 10: the days at the period's ends were not read
    if billed.quantity is None:
        return _status_of_amount(billed.amount, price_effect, priced, is_price_known, policy)
    short = measured.short_before
    excess = billed.quantity - consumed
    tolerance = max(policy.tolerance_quantity, policy.tolerance_percent * abs(consumed) / 100)
    agrees = abs(excess) <= tolerance
    if not excess and price_effect == 0:
        return "matched"  # 8
    if agrees and price_effect is not None and abs(price_effect) <= policy.tolerance_amount:
        return "within_tolerance"  # 9
    if agrees and price_effect is not None and not is_price_known:
        return INCONCLUSIVE  # the price changed while nobody read
    if agrees:
        return "no_price" if price_effect is None else "price_difference"  # 12
    if unread and excess > 0 and _can_hold(unread.missing.quantity, excess + short):
        return INCONCLUSIVE  # 10
    if unread and excess < 0 and _can_hold(unread.foreign, -excess):
        return INCONCLUSIVE  # 10: what was measured may be from before the period
    return "overbilled_quantity" if excess > 0 else "underbilled_quantity"  # 11


def _status_of_amount(
    amount: Decimal,
    price_effect: Decimal | None,
    priced: Priced,
    is_price_known: bool,
    policy: Policy,
) -> str:
    """Of an invoice that states no quantity: only its amount can be compared, so that it never is
    `matched`."""
    if price_effect is None:
        return "no_price"
    if abs(price_effect) <= policy.tolerance_amount:
        return "within_tolerance"
    if not is_price_known:
        return INCONCLUSIVE
    if price_effect > 0 and (priced.of_missing is None or amount <= priced.of_missing):
        return INCONCLUSIVE
    if price_effect < 0 and (priced.of_fewest is None or amount >= priced.of_fewest):
        return INCONCLUSIVE
    return "price_difference"


def _can_hold(most: Decimal | None, quantity: Decimal) -> bool:
    return most is None or quantity <= most


def _unread(period: Period, measured: Measured, facts: Facts) -> Unread:
    """What nobody saw of all uses of a key together, and of the months in it without one."""
    parts = [facts.unread_of(one.use, one.stretch) for one in measured.parts]
    for stretch in measured.unanswered:
        seconds = int((stretch.end - stretch.start).total_seconds())
        parts.append(Unread(Tail(None, seconds, "unknown"), Decimal(), stretch.end == period.end))
    is_one = all(one.stretch.end == period.end for one in measured.parts)
    found = added(parts)
    return found._replace(is_at_end=found.is_at_end and is_one)


def _currencies(key: Key, rates: Sequence[Rate]) -> set[str | None]:
    """The currencies that the rate card knows for a report; one that it does not have at all is no
    mismatch but a missing price."""
    return {one.currency for one in rates if one.report == key.report} or {key.currency}


def _priced(
    key: Key,
    consumed: Decimal | None,
    quantity: Decimal | None,
    unread: Unread | None,
    measured: Measured | None,
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
    shares, *extremes = _shares(found, measured.days if measured else ())
    compared = quantity if quantity is not None else consumed
    possible = [cost(found, compared, one) for one in extremes if compared is not None]
    of_measured = None if consumed is None else cost(found, consumed, shares)
    of_billed = None if quantity is None else cost(found, quantity, shares)
    missing = unread.missing.quantity if unread else Decimal()
    foreign = unread.foreign if unread else Decimal()
    unit_price: Decimal | None = None
    if len(found) == 1 and len(found[0].tiers) == 1:
        unit_price = found[0].tiers[0].unit_price
    elif quantity and of_billed is not None:
        unit_price = _average(of_billed, quantity)
    elif consumed and of_measured is not None:
        unit_price = _average(of_measured, consumed)
    return Priced(
        unit_price=unit_price,
        of_measured=of_measured,
        of_billed=of_billed,
        of_missing=None
        if consumed is None or missing is None
        else cost(found, consumed + missing, shares),
        of_fewest=None
        if consumed is None or foreign is None
        else cost(found, consumed - foreign, shares),
        lowest=min(possible, default=None),
        highest=max(possible, default=None),
    )


def _average(cost: Decimal, quantity: Decimal) -> Decimal:
    price = cost / quantity
    return price.quantize(COST if abs(price) >= 1 else SMALL_COST, ROUND_HALF_UP)


def _shares(found: Sequence[Tariff], days: Sequence[DayUse]) -> list[list[Decimal]]:
    """What was measured while each price held. A reading that covers days under two prices is
    spread evenly over its days; then it is put into the first price whole, and into the last: these
    are how little and how much can have been used at each. Where nothing was measured, the number
    of days."""
    if len(found) == 1:
        return [[Decimal(1)]]
    spread, early, late = ([Decimal() for _ in found] for _ in range(3))
    for one in _without_falls(days):
        first = max(one.day - (one.covers - 1) * DAY, found[0].start)
        covers = (one.day - first).days + 1
        inside = [
            (n, (min(part.end, one.day + DAY) - max(part.start, first)).days)
            for n, part in enumerate(found)
            if part.start <= one.day and first < part.end
        ]
        for n, part_of in inside:
            spread[n] += one.quantity * part_of / covers
        early[inside[0][0]] += one.quantity
        late[inside[-1][0]] += one.quantity
    if sum(spread) <= 0:
        return [[Decimal((part.end - part.start).days) for part in found]]
    return [spread] if early == late else [spread, early, late]


def _without_falls(days: Sequence[DayUse]) -> list[DayUse]:
    """Days, a fall taken off the days before it: what a counter takes back was not used."""
    kept: list[DayUse] = []
    for one in days:
        fall = -one.quantity
        while fall > 0 and kept:
            last = kept.pop()
            if last.quantity > fall:
                kept.append(replace(last, quantity=last.quantity - fall))
            fall -= last.quantity
        if one.quantity > 0:
            kept.append(one)
    return kept


def _is_answered(key: Key, facts: Facts) -> bool:
    """Whether the vendor answered in each month of the period."""
    return key.period is not None and all(
        facts.answers_in(key.operation_id, key.report, month) for month in months_of(key.period)
    )
