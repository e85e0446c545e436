"""The tax of a document: no verdict looks at it, so a warning says where it does not add up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from wolkvox_billing.reconciliation.billed_documents import StatedLine
from wolkvox_billing.values.translation import N_, Amount, Sentence, together

_CENT = Decimal("0.01")
_MOST = Decimal("0.30")  # of a line's net amount; the highest VAT there is is 27 %


def doubt(stated: Decimal | None, lines: Sequence[StatedLine]) -> str | None:
    """Return what does not add up in a document that states this tax; None if nothing. Each line
    may be rounded by a cent; lines that state no tax are no doubt."""
    taxes = [line.tax for line in lines if line.tax is not None]
    total = sum(taxes, Decimal())
    flaws: list[str] = []
    if taxes and stated is not None and abs(stated - total) > _CENT * len(lines):
        text = N_("it states {stated}, and its lines {total}")
        flaws.append(Sentence(text, stated=Amount(stated), total=Amount(total)))
    for line in lines:
        net, tax = line.amount, line.tax
        if net is not None and tax and abs(tax) > _MOST * abs(net) + _CENT:
            text = N_("line {n} states {tax} on {net}, more than {most}")
            most = f"{_MOST:.0%}"
            flaws.append(
                Sentence(text, n=line.line_number, tax=Amount(tax), net=Amount(net), most=most)
            )
    if len(flaws) > 3:
        flaws[3:] = [Sentence(N_("and {n} more"), n=len(flaws) - 3)]
    if not flaws:
        return None
    text = N_("its tax does not add up; withholdings may explain it: {flaws}")
    return Sentence(text, flaws=together(flaws))
