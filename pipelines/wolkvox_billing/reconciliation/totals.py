"""What verdicts come to: each unit and each amount is in one of them, or none of them is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.reconciliation.facts import Facts
from wolkvox_billing.reconciliation.keys import Comparison
from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.values.periods import Period
from wolkvox_billing.values.translation import N_, Sentence

DEFECT = Sentence(
    N_("a defect of this program; please report it, with the line map and the rate card")
)


class DoesNotTieOut(WolkvoxError):
    """The verdicts do not add up to what was measured and billed: nothing of them is shown."""


@dataclass(frozen=True)
class BilledTotal:
    reconciliation_status: str
    billing_currency: str
    billed_cost: Decimal


@dataclass(frozen=True)
class ConsumedTotal:
    reconciliation_status: str
    consumed_unit: str
    consumed_quantity: Decimal


@dataclass(frozen=True)
class LeftOutTotal:
    role: str
    billing_currency: str | None
    billed_cost: Decimal


@dataclass(frozen=True)
class BilledLinesTotal:
    billing_currency: str | None
    billed_cost: Decimal


@dataclass(frozen=True)
class Totals:
    """What each status comes to, by currency and unit, and each role that is not compared; the
    fields are those of `reconcile --json`. `billed_lines` is what all lines come to, by currency:
    no sum is over two of them."""

    billed_cost: list[BilledTotal]
    consumed_quantity: list[ConsumedTotal]
    left_out: list[LeftOutTotal]
    billed_lines: list[BilledLinesTotal]


def tie_out(
    facts: Facts, comparison: Comparison, verdicts: Sequence[Verdict], month: Period | None = None
) -> Totals:
    """Return the Totals of a month, or of all. All verdicts are checked against all that was billed
    and measured. Raises DoesNotTieOut."""
    _check(facts, comparison, verdicts)

    def is_in(period: Period | None) -> bool:
        return month is None or (period is not None and period.overlaps(month))

    billed: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    consumed: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    left_out: defaultdict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    for verdict in verdicts:
        if not is_in(verdict.key.period):
            continue
        billed[verdict.status, verdict.key.currency or ""] += verdict.billed_cost
        if measured := verdict.measured:
            is_gauge = any(use.is_gauge for use in measured.uses)
            quantity = (measured.quantity or Decimal()) if is_gauge else measured.counted
            consumed[verdict.status, measured.uses[0].unit] += quantity
    for each in comparison.left_out:
        if is_in(each.line.period):
            left_out[each.role, each.line.currency] += each.line.amount
    return Totals(
        [BilledTotal(*key, amount) for key, amount in sorted(billed.items()) if amount],
        [ConsumedTotal(*key, quantity) for key, quantity in sorted(consumed.items())],
        [LeftOutTotal(*key, amount) for key, amount in left_out.items()],
        _by_currency([*billed.items(), *left_out.items()]),
    )


def _by_currency(
    totals: Sequence[tuple[tuple[str, str | None], Decimal]],
) -> list[BilledLinesTotal]:
    """Return what totals of a status or role, and a currency, come to in each currency."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (_, currency), amount in totals:
        sums[currency or ""] += amount
    return [BilledLinesTotal(currency, amount) for currency, amount in sorted(sums.items())
            if amount]  # fmt: skip


def _check(facts: Facts, comparison: Comparison, verdicts: Sequence[Verdict]) -> None:
    billed = sum((verdict.billed_cost for verdict in verdicts), Decimal())
    billed += sum((each.line.amount for each in comparison.left_out), Decimal())
    lines = sum((line.amount for line in facts.lines), Decimal())
    if billed != lines:
        raise DoesNotTieOut(
            Sentence(
                N_("the verdicts bill {billed}, the lines {lines}: {defect}"),
                billed=f"{billed:f}",
                lines=f"{lines:f}",
                defect=DEFECT,
            )
        )
    measured = [verdict.measured for verdict in verdicts if verdict.measured]
    counted = sum((of_key.counted for of_key in measured), Decimal())
    months = sum((use.quantity or Decimal() for use in facts.months if not use.is_gauge), Decimal())
    if counted != months:
        raise DoesNotTieOut(
            Sentence(
                N_("the verdicts count {counted}, the months {months}: {defect}"),
                counted=f"{counted:f}",
                months=f"{months:f}",
                defect=DEFECT,
            )
        )
