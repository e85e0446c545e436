"""What a document asks too little for is set off against what is claimed of it.

Whoever pays what is agreed pays for what is short too: to claim more than the document asks for
beyond that would be to pay less than the contract has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial

from wolkvox_billing.marts.settled import InvoiceComponent
from wolkvox_billing.reconciliation.settlement_words import SettlementWriter

_NOTHING = Decimal()


def with_set_off(
    components: Sequence[InvoiceComponent], writer: SettlementWriter
) -> list[InvoiceComponent]:
    """Return the components of a document, of which no more is claimed than is questioned in sum:
    what is beyond that stays questioned, in their order, with that reason."""
    claimed = sum((part.claimed_amount for part in components), _NOTHING)
    questioned = sum((part.questioned_amount for part in components), _NOTHING)
    beyond = claimed - max(questioned, _NOTHING)
    return unclaimed(components, beyond, partial(writer.text, "set_off"))


def unclaimed(
    components: Iterable[InvoiceComponent], amount: Decimal, explain: Callable[[Decimal], str]
) -> list[InvoiceComponent]:
    """Return the components, of which in their order so much less is claimed in all: it stays
    questioned. explain: says of a part's share why."""
    parts = list(components)
    for place, part in enumerate(parts):
        less = min(part.claimed_amount, amount)
        if less > 0:
            amount -= less
            reason = f"{part.reason} {explain(less)}".strip()
            left = part.claimed_amount - less
            parts[place] = part._replace(claimed_amount=left, reason=reason)
    return parts
