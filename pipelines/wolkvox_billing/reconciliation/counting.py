"""Which documents count, and why the others do not. The first that fits:

    of a supplier that is not meant ─▶ withdrawn by a person ─▶ a test ─▶ no bill of use
    ─▶ superseded by another one ─▶ one of several contents of a number ─▶ counts

What is withdrawn is as if it had never come: a spreadsheet that it superseded counts again, and one
content that is left of a number is no duplicate any more. For a person says of *that* document that
it does not count, mostly so that another one does; were its copy to stay out too, an invoice would
be paid by nobody, and nobody would be told. Who means the invoice as a whole withdraws the copy as
well: the verb names it at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from wolkvox_billing.invoices.decisions import WITHDRAWN, Decision
from wolkvox_billing.invoices.document import BILLS
from wolkvox_billing.reconciliation.billed_documents import BilledDocument, Name, find_superseded
from wolkvox_billing.values.periods import Period

COUNTS, DUPLICATE = "counts", "duplicate"
SUPERSEDED = "superseded"
TEST, PRE_BILLING, OTHER_SUPPLIER = "test", "pre_billing", "other_supplier"


class Standing(NamedTuple):
    """Whether a document counts. `decision`: the newest on it; `others`: the one that supersedes
    it, or the other contents of its number; `period`: what its lines bill, where that was asked."""

    document: BilledDocument
    state: str
    decision: Decision | None = None
    others: tuple[BilledDocument, ...] = ()
    period: Period | None = None

    @property
    def counts(self) -> bool:
        return self.state in (COUNTS, DUPLICATE)

    @property
    def is_told(self) -> bool:
        """Whether a person has to hear of it where its month is told: it would bill, and does not,
        or nobody knows whether it should."""
        return self.state in (WITHDRAWN, SUPERSEDED, DUPLICATE)

    def is_for(self, month: Period | None) -> bool:
        """Whether it is of a month, of all, or of none that anybody knows."""
        return month is None or self.period is None or self.period.overlaps(month)


def find_standings(
    documents: Sequence[BilledDocument],
    decisions: Mapping[str, Decision],
    supplier_ids: Collection[str] = (),
) -> list[Standing]:
    """Return the Standing of each document, in their order. `decisions`: the newest by document_id;
    `supplier_ids`: whose documents are meant, all without one."""
    states = {
        document.document_id: _own_state(document, decisions, supplier_ids)
        for document in documents
    }
    bills = [document for document in documents if not states[document.document_id]]
    superseded = find_superseded(bills)
    namesakes: defaultdict[Name, list[BilledDocument]] = defaultdict(list)
    for document in bills:
        if document.document_id not in superseded and document.name[-1]:
            namesakes[document.name].append(document)
    standings: list[Standing] = []
    for document in documents:
        own_id = document.document_id
        state, others = states[own_id], tuple[BilledDocument, ...]()
        if own_id in superseded:
            state, others = SUPERSEDED, (superseded[own_id],)
        elif not state:
            others = tuple(d for d in namesakes[document.name] if d.document_id != own_id)
            state = DUPLICATE if others else COUNTS
        standings.append(Standing(document, state, decisions.get(own_id), others))
    return standings


def _own_state(
    document: BilledDocument, decisions: Mapping[str, Decision], supplier_ids: Collection[str]
) -> str:
    """Return why a document does not count whatever others there are, "" where it may."""
    if supplier_ids and document.supplier_id not in supplier_ids:
        return OTHER_SUPPLIER
    decision = decisions.get(document.document_id)
    if decision and decision.is_withdrawal:
        return WITHDRAWN
    if document.is_test is not False:
        return TEST
    if document.kind not in BILLS:
        return PRE_BILLING
    return ""
