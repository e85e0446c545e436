"""The verdicts on the nightly copy, beside what was counted of it in the customer's bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from wolkvox_billing.marts.copied import NOT_COUNTED
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.counted_periods import REPORT, CountedPeriod
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.verdicts import NO_FINDING, Verdict
from wolkvox_billing.values.periods import Period

_Place = tuple[str, Period]  # an operation and a billing period


def _place_of(verdict: Verdict) -> _Place | None:
    """Return whose copies of which time a verdict is on; None of anything else."""
    key = verdict.key
    if key.report == REPORT and key.operation_id and key.period:
        return key.operation_id, key.period
    return None


def billed_copies(verdicts: Iterable[Verdict]) -> dict[_Place, Decimal | None]:
    """Return what is billed of the nightly copy, by operation and period: None where any of its
    verdicts states no quantity."""
    billed: dict[_Place, Decimal | None] = {}
    for verdict in verdicts:
        place, quantity = _place_of(verdict), verdict.billed_quantity
        if not place or not verdict.billed:
            continue
        before = billed.get(place, Decimal())
        billed[place] = None if quantity is None or before is None else before + quantity
    return billed


class CopiedVerdicts:
    """What was counted for each verdict, and what billed copies cost that are not there."""

    def __init__(
        self, verdicts: Sequence[Verdict], counted: Iterable[CountedPeriod], policy: Policy
    ) -> None:
        self._counted = {(own.operation_id, own.period): own for own in counted}
        self._policy = policy
        self._billed = Counter(_place_of(verdict) for verdict in verdicts if verdict.billed)

    def of(self, verdict: Verdict) -> CountedPeriod | None:
        """Return what was counted of what a verdict is on; None where nobody can tell."""
        counted = self._of(verdict)
        return None if counted is None or counted.status == NOT_COUNTED else counted

    def status_of(self, verdict: Verdict) -> str | None:
        counted = self._of(verdict)
        return counted.status if counted else None

    def _of(self, verdict: Verdict) -> CountedPeriod | None:
        place = _place_of(verdict) if self._counted else None  # most have no bucket that is read
        return self._counted.get(place) if place else None

    def missing_cost(self, verdict: Verdict) -> Decimal | None:
        """Return what the billed copies cost that are not there, by the contract: of an invoice
        with which nothing else is wrong. None where that is no finding, or where several verdicts
        share the copies, since nobody knows whose are missing."""
        counted, price = self.of(verdict), verdict.priced.unit_price
        if not (counted and counted.missing and price and verdict.billed_quantity):
            return None
        is_agreed = verdict.status in NO_FINDING[1:] and verdict.billed is not None
        is_alone = self._billed[_place_of(verdict)] == 1
        if not (self._policy.copy_findings and is_agreed and is_alone):
            return None
        return cents(min(counted.missing, verdict.billed_quantity) * price)

    def is_material(self, verdict: Verdict) -> bool:
        """Whether that is worth an alarm."""
        cost = self.missing_cost(verdict)
        return cost is not None and cost > self._policy.materiality_in(verdict.key.currency)
