"""The documents in each verdict, one by one; and the statuses that there are, with their labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.marts.bridged import VerdictDocument
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.captions import label
from wolkvox_billing.reconciliation.verdicts import Verdict, severity_of


class StatusLabel(NamedTuple):
    """A row of the star's dimension of statuses."""

    status_key: str
    status_label: str
    status_label_es: str
    severity: int


def bridge(
    judged: Iterable[tuple[Verdict, ReconciledRow]], documents: Mapping[str, BilledDocument]
) -> list[VerdictDocument]:
    """Return each verdict's documents, which come to what is billed in it.

    documents: those that bill, by document_id."""
    bridged: list[VerdictDocument] = []
    for verdict, row in judged:
        amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
        for line in verdict.lines:
            amounts[line.document_id] += line.amount
        for document_id in sorted(amounts):
            document = documents[document_id]
            bridged.append(
                VerdictDocument(
                    verdict_key=row.verdict_key or "",
                    document_id=document_id,
                    document_number=document.number,
                    document_kind=document.kind,
                    issue_date=document.issued,
                    amount=amounts[document_id],
                    billing_currency=row.billing_currency,
                    supplier_id=row.supplier_id,
                    operation_id=row.operation_id,
                    report=row.report,
                    product=row.product,
                    billing_period_start=row.billing_period_start,
                    billing_period_end=row.billing_period_end,
                )
            )
    return bridged


def label_statuses(statuses: Iterable[str | None]) -> Sequence[StatusLabel]:
    """Return the labels of the statuses that occur."""
    return [
        StatusLabel(status, label(status, "en"), label(status, "es"), severity_of(status))
        for status in sorted(set(filter(None, statuses)))
    ]
