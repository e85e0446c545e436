"""The night of the month's turn: three measures of a month whose report a nightly job fills.

    copied              what stood there at the month's end
    called              less the month's own first night, whose calls are of the month before,
                        plus the next month's first night, whose calls are of this month
    after_first_night   plus the next month's first night

Each is an honest way to bill a month. Which one the supplier takes is the setting `cut_off`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import NamedTuple

from wolkvox_billing.reconciliation.behaviour import Nights, Span
from wolkvox_billing.reconciliation.policy import AFTER_FIRST_NIGHT, CALLED, COPIED, UNKNOWN
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.warehouse.sql import Client, rows_of, tables_in

ENOUGH = 3  # invoices that agree with one measure, and none with another


class CutOff(NamedTuple):
    """What a month comes to by each measure, that which is held against the invoice, what it comes
    to, and between what an invoice is explained by the nights of the turn."""

    measures: Mapping[str, Span]
    chosen: str
    quantity: Decimal
    reach: Span

    @property
    def agreeing(self) -> list[str]:
        """The measures that are known and come to the chosen quantity."""
        return [
            name
            for name, span in self.measures.items()
            if span.is_known and span.low == self.quantity
        ]


def cut_off_of(
    copied: Decimal, nights: Sequence[Nights], missing: Decimal, billed: Decimal, setting: str
) -> CutOff:
    """Return the CutOff of a month. `copied` is the last reading of it, `nights` those of each of
    its products, `missing` what nobody read of it, the night of the turn included."""
    first = reduce(Span.plus, (of_product.first for of_product in nights))
    following = reduce(Span.plus, (of_product.following for of_product in nights))
    missed = sum((of_product.missed for of_product in nights), Decimal())
    last = Span(copied, copied + missed)
    measures = {
        COPIED: last,
        CALLED: last.less(first).plus(following),
        AFTER_FIRST_NIGHT: last.plus(following),
    }
    if setting != UNKNOWN:
        span = measures[setting]
        by_day = max(missing - missed - following.high, Decimal())
        reach = Span(span.low, span.high + by_day)
        return CutOff(measures, setting, min(max(billed, span.low), span.high), reach)
    known = [(span.low, name) for name, span in measures.items() if span.is_known]
    known = known or [(copied, COPIED)]
    quantity, chosen = min(known, key=lambda end: abs(billed - end[0]))
    reach = Span(copied - first.high, copied + missing)
    return CutOff(measures, chosen, quantity, reach)


_PROPOSED = N_(
    "{whose}: {n} invoices agree with what is called {measure}, and none with another measure of "
    "its nights: say {setting} under [reconciliation]"
)


def propose_cut_off(client: Client, marts: str) -> list[str]:
    """Return a sentence for each operation and report whose invoices tell which measure is theirs;
    none where verdicts were never made, or by an older version."""
    if "invoice_reconciliation" not in tables_in(client, marts):
        return []
    agreed: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for operation_id, report, measure, invoices in rows_of(
        client,
        f"SELECT operation_id, report, cut_off, COUNT(*) FROM {marts}.invoice_reconciliation "
        "WHERE cut_off IS NOT NULL GROUP BY operation_id, report, cut_off ORDER BY 1, 2, 3",
    ):
        agreed[operation_id, report][measure] += invoices
    return [
        Sentence(
            _PROPOSED,
            whose=f"{operation_id} {report}",
            n=invoices,
            measure=repr(measure),
            setting=f'cut_off = "{measure}"',
        )
        for (operation_id, report), measures in agreed.items()
        for measure, invoices in measures.items()
        if len(measures) == 1 and invoices >= ENOUGH
    ]
