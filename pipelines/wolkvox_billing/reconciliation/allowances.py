"""What a document takes off as a whole, put to the lines that it is for.

Nothing in a document says which of its lines an allowance is for, so that it is shared out over all
of them by their amounts. Where it is what the contract takes off some of them, it is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from wolkvox_billing.reconciliation.billed_documents import (
    LineId,
    StatedDocument,
    StatedLine,
    share_out,
)
from wolkvox_billing.reconciliation.contract.line_map import (
    COMPARED,
    MapRow,
    OperationNames,
    first_fits,
)
from wolkvox_billing.reconciliation.contract.rate import DISCOUNT, Rate
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.facts import Facts, Meter
from wolkvox_billing.reconciliation.policy import Policy

_NOTHING = Decimal()


def place_allowances(
    facts: Facts, line_map: Sequence[MapRow], rates: Sequence[Rate], policy: Policy
) -> Facts:
    """Return the facts, in which each allowance that is the contract's discount on some lines is
    taken off these."""
    discounted = [stated for stated in facts.stated if any(line.allowance for line in stated.lines)]
    if not discounted or not any(rate.term == DISCOUNT for rate in rates):
        return facts
    percents = _percents(facts, discounted, line_map, Terms(rates))
    placed: dict[str, StatedDocument] = {}
    for stated in discounted:
        document = stated.document
        if lines := _placed(stated, percents, policy.tolerance_in(document.currency)):
            placed[document.document_id] = StatedDocument(document, lines)
    amounts = {
        line.id: document.sign * line.whole_amount
        for document, lines in placed.values()
        for line in lines
    }
    return replace(
        facts,
        stated=[placed.get(stated.document.document_id, stated) for stated in facts.stated],
        lines=[line._replace(amount=amounts.get(line.id, line.amount)) for line in facts.lines],
    )


def _placed(
    stated: StatedDocument, percents: dict[LineId, Decimal], tolerance: Decimal
) -> list[StatedLine]:
    """Return a document's lines with its allowance on those that the contract has a discount for;
    none where it is not what that comes to."""
    allowance = sum((line.allowance for line in stated.lines), _NOTHING)
    parts = [(line.amount or _NOTHING) * percents.get(line.id, _NOTHING) for line in stated.lines]
    if abs(sum(parts, _NOTHING) / 100 - allowance) > tolerance:
        return []
    shares = share_out(allowance, parts)
    return [
        line._replace(allowance=share) for line, share in zip(stated.lines, shares, strict=True)
    ]


def _percents(
    facts: Facts, documents: Sequence[StatedDocument], line_map: Sequence[MapRow], terms: Terms
) -> dict[LineId, Decimal]:
    """Return by line what the contract takes off it, in per cent."""
    names = OperationNames(facts.operations)
    own = {stated.document.document_id for stated in documents}
    lines = [line for line in facts.lines if line.document_id in own]
    percents: dict[LineId, Decimal] = {}
    for line, row in zip(lines, first_fits(line_map, lines), strict=True):
        if not row or row.role not in COMPARED or not line.period:
            continue
        meter = Meter(names.billed_by(row, line.operation) or "", row.report, row.product)
        if discounts := terms.holding(DISCOUNT, meter, line.currency, line.period):
            percents[line.id] = discounts[0].unit_price
    return percents
