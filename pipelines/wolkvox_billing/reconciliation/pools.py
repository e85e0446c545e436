"""Prices that count all operations together: how a supplier shares the sum out among lines is not
in the contract, so where the sum is right, each of them is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.pricing import POOLED_SHARE
from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.values.periods import Period

_NOTHING = Decimal()


def agree_in_sum(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts, those of a report that is priced over all operations with what was
    billed as their cost, where that comes to what the contract makes of all."""
    pools: defaultdict[tuple[str | None, str | None, Period | None], list[int]] = defaultdict(list)
    for place, verdict in enumerate(verdicts):
        if verdict.is_pooled:
            pools[verdict.key.report, verdict.contract_currency, verdict.key.period].append(place)
    agreed = list(verdicts)
    for places in pools.values():
        own = [verdicts[place] for place in places]
        if not all(verdict.billed or not verdict.consumed for verdict in own):
            continue  # whose share it is may be seen when the others are billed
        for place in places:
            agreed[place] = _without_shares(verdicts[place])
        if len(own) > 1 and _is_right(own):
            for place, verdict in zip(places, _as_billed(own), strict=True):
                agreed[place] = verdict
    return agreed


def _without_shares(verdict: Verdict) -> Verdict:
    """Return a verdict without the doubt about its share of what is billed in sum."""
    turns = tuple(turn for turn in verdict.priced.turns if turn.name != POOLED_SHARE)
    return replace(verdict, priced=replace(verdict.priced, turns=turns))


def _as_billed(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts with what was billed as their cost; what the sum differs by, within the
    tolerance, is in the largest one."""
    costs = [verdict.billed_cost for verdict in verdicts]
    largest = max(range(len(costs)), key=lambda n: _in_contract(verdicts[n], costs[n]))
    costs[largest] -= cents(_variance(verdicts) * verdicts[largest].one_of_contract)
    return [
        replace(verdict, priced=replace(verdict.priced, of_measured=cost, of_billed=cost))
        for verdict, cost in zip(verdicts, costs, strict=True)
    ]


def _is_right(verdicts: Sequence[Verdict]) -> bool:
    """Whether all quantities agree, and the sum of the amounts does."""
    costs = [verdict.contracted_cost for verdict in verdicts]
    if None in costs or any(verdict.quantity_variance for verdict in verdicts):
        return False
    tolerance = max(_in_contract(verdict, verdict.tolerance) for verdict in verdicts)
    return abs(_variance(verdicts)) <= tolerance


def _variance(verdicts: Sequence[Verdict]) -> Fraction:
    """Return what was billed beyond the contract, in its currency."""
    return sum((_in_contract(each, each.cost_variance or _NOTHING) for each in verdicts),
               Fraction())  # fmt: skip


def _in_contract(verdict: Verdict, amount: Decimal) -> Fraction:
    return Fraction(amount) / verdict.one_of_contract
