"""What a month costs at least by contract. What its verdicts come to together may be less: the rest
is in one of them, where it was billed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS
from wolkvox_billing.reconciliation.contract.rate import DISCOUNT, MINIMUM, Rate, by_days
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.facts import Meter
from wolkvox_billing.reconciliation.pricing import MonthCost, add_up
from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.values.periods import DAY, Period

_NOTHING = Decimal()


class _Scope(NamedTuple):
    """Whose cost is at least so much: of a month of an operation, or of all."""

    report: str
    operation_id: str
    product: str
    currency: str | None
    month: Period


class _Share(NamedTuple):
    """A verdict's cost of a month, by its place among all; and what one of the minimum's currency
    is in the verdict's."""

    place: int
    cost: MonthCost
    parity: Fraction = Fraction(1)

    def exchanged(self, amount: Fraction, other: _Share) -> Fraction:
        """Return an amount of this verdict's in another share's currency."""
        if self.parity == other.parity:
            return amount
        return amount * other.parity / self.parity


def add_minimums(
    verdicts: Sequence[Verdict], terms_of: Callable[[Verdict], Terms]
) -> list[Verdict]:
    """Return the verdicts, those with what a month costs more by its minimum that bill it. A month
    that is not over, and one of which a cost is not known, has none. Of one that is billed in two
    currencies the costs add up in that of the verdict which bears the rest."""
    raised = list(verdicts)
    scopes: defaultdict[_Scope, list[_Share]] = defaultdict(list)
    minimums: dict[tuple[int, _Scope], list[Rate]] = {}
    for place, verdict in enumerate(verdicts):
        for cost in verdict.priced.months:
            if rows := _holding(MINIMUM, verdict, cost.month, terms_of):
                operation_id = "" if rows[0].is_pooled else verdict.key.operation_id or ""
                currency = rows[0].priced_in or verdict.key.currency
                scope = _Scope(rows[0].report, operation_id, rows[0].product, currency, cost.month)
                scopes[scope].append(_Share(place, cost, verdict.parity_in(currency)))
                minimums[place, scope] = rows
    for scope, shares in scopes.items():
        own = [raised[share.place] for share in shares]
        if any(share.cost.of_measured is None for share in shares):
            continue
        if all(scope.month.end <= verdict.today for verdict in own):
            bearer = _bearer(raised, shares) if len(shares) > 1 else shares[0]
            discounts = _holding(DISCOUNT, raised[bearer.place], scope.month, terms_of)
            readings = _readings(minimums[bearer.place, scope], discounts, scope.month)
            raised[bearer.place] = _raise(raised, shares, bearer, readings)
    return raised


def _holding(
    term: str, verdict: Verdict, month: Period, terms_of: Callable[[Verdict], Terms]
) -> list[Rate]:
    key = verdict.key
    meter = Meter(key.operation_id or ALL_OPERATIONS, key.report or "", key.product or "")
    return terms_of(verdict).holding(term, meter, key.currency, month)


def _raise(
    verdicts: Sequence[Verdict],
    shares: Sequence[_Share],
    bearer: _Share,
    readings: Sequence[Decimal],
) -> Verdict:
    """Return the bearer's verdict with what is missing to the minimum, of which the reading counts
    that is nearest to what was billed."""
    of_measured = add_up(s.exchanged(s.cost.of_measured or Fraction(), bearer) for s in shares)
    of_billed = add_up(share.exchanged(_fair(share.cost), bearer) for share in shares)
    verdict = verdicts[bearer.place]
    if min(of_measured, of_billed) >= Fraction(max(readings)):
        return verdict
    # Where a verdict is of several months, what it bills of this one is not known.
    billed = cents(
        add_up(
            share.exchanged(Fraction(verdicts[share.place].billed_cost), bearer) for share in shares
        )
    )
    total = cents(of_measured)
    minimum = min(readings, key=lambda amount: (abs(max(amount, total) - billed), amount))
    missing = _missing(minimum, of_measured, bearer.cost.of_measured or Fraction())
    of_bearer = _missing(minimum, of_billed, _fair(bearer.cost))
    if not missing and not of_bearer:
        return verdict
    priced = verdict.priced.raised(missing, of_bearer)
    return replace(verdict, priced=replace(priced, minimum=minimum))


def _missing(minimum: Decimal, total: Fraction, own: Fraction) -> Decimal:
    """Return what is missing in a total to the minimum, to the cent of the verdict's own cost."""
    missing = Fraction(minimum) - total
    return cents(own + missing) - cents(own) if missing > 0 else _NOTHING


def _fair(cost: MonthCost) -> Fraction:
    """Return what was billed costs; without a quantity, what was measured does."""
    fair = cost.of_measured if cost.of_billed is None else cost.of_billed
    return fair or Fraction()


def _bearer(verdicts: Sequence[Verdict], shares: Iterable[_Share]) -> _Share:
    """Return where the rest was billed: in the verdict with the most above its own cost, else in
    the last one of the month."""

    def excess(share: _Share) -> Fraction:
        verdict = verdicts[share.place]
        own = verdict.billed_cost - (verdict.contracted_cost or _NOTHING)
        return Fraction(own) / share.parity if own > verdict.tolerance else Fraction()

    def is_last(share: _Share) -> tuple[object, ...]:
        key = verdicts[share.place].key
        return key.period.end if key.period else DAY, key.product is None, str(key)

    return max(shares, key=lambda share: (excess(share), *is_last(share)))


def _readings(rates: Sequence[Rate], discounts: Iterable[Rate], month: Period) -> list[Decimal]:
    """Return what the minimum of a month may be. Where it holds for a part of the month, or changes
    in it, the contract may mean it by days or whole; and a discount may be taken off it, or off
    what it is held against."""
    readings = [by_days(rates, month), *(rate.unit_price for rate in rates)]
    percents = [Decimal(), *(rate.unit_price for rate in discounts)]
    return [cents(amount * (100 - percent) / 100) for amount in readings for percent in percents]
