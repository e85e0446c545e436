"""The honest explanations of a difference: which the record excludes, and which it leaves open.

    an accusing status ─▶ each explanation of EXPLANATIONS that fits it ─┬▶ stands: inconclusive
                                                                         └▶ excluded, and by what

An accusation is the strongest word that there is: it stays only where no explanation stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from wolkvox_billing.reconciliation.behaviour import Behaviour
from wolkvox_billing.reconciliation.billed_doubts import BILLED
from wolkvox_billing.reconciliation.case import Case, OddAnswers, Oddities
from wolkvox_billing.reconciliation.facts import Facts, MonthUse
from wolkvox_billing.reconciliation.keys import Comparison
from wolkvox_billing.reconciliation.measured_doubts import MEASURED
from wolkvox_billing.reconciliation.verdicts import ACCUSING, UNBILLED, Verdict

EXPLANATIONS = (*MEASURED, *BILLED)


def weigh(
    verdicts: Iterable[Verdict],
    facts: Facts,
    comparison: Comparison,
    behaviours: Mapping[MonthUse, Sequence[Behaviour]],
    odd_answers: OddAnswers,
) -> list[Verdict]:
    """Return the verdicts, each that accuses with the first explanation that stands, or with all
    that the record excludes."""
    weighed: list[Verdict] = []
    for verdict in verdicts:
        if verdict.status in ACCUSING and verdict.key.report and verdict.key.period:
            own = [each for use in verdict.uses for each in behaviours.get(use, ())]
            oddities = Oddities()
            if verdict.status != UNBILLED:  # of which there may be thousands
                oddities = odd_answers.of(verdict.key)
            verdict = judge_again(Case(verdict, own, oddities, facts, comparison))
        weighed.append(verdict)
    return weighed


def judge_again(case: Case) -> Verdict:
    """Return the verdict of a case with its doubts: the first that stands, else all excluded."""
    doubts = [
        doubt
        for statuses, explain in EXPLANATIONS
        if case.status in statuses and (doubt := explain(case))
    ]
    standing = [doubt for doubt in doubts if doubt.status]
    return replace(case.verdict, doubts=tuple(standing[:1] or doubts))
