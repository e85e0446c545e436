"""What `explain --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from wolkvox_billing.cli.printed import Printed, form_of
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent, SettledDocument
from wolkvox_billing.reconciliation.origin import BilledFrom, MeasuredFrom
from wolkvox_billing.verbs.explain import Explained


@dataclass(frozen=True, kw_only=True)
class ExplainedDocument(SettledDocument):
    """What is to be paid of a document, and what it asks for in parts."""

    components: Annotated[Sequence[InvoiceComponent], "As in invoice_components"]


@dataclass(frozen=True, kw_only=True)
class ExplainedVerdict(ReconciledRow):
    """A verdict, as in invoice_reconciliation, and what it came from."""

    polls: Annotated[int | None, "In its period; null where nothing says whom to ask"]
    polls_answered: Annotated[int | None, "How many of them were answered"]
    measured_from: Annotated[Sequence[MeasuredFrom], "The last reading of each product in it"]
    billed_from: Annotated[Sequence[BilledFrom], "The lines that bill it"]


@dataclass(frozen=True, kw_only=True)
class PrintedExplanation(Printed):
    """Where the verdicts and the sums of a month come from."""

    month: Annotated[str, "Such as 2026-11"]
    settlement: Sequence[ExplainedDocument]
    not_counted: Annotated[Sequence[str], "Why documents of the month do not count"]
    verdicts: Sequence[ExplainedVerdict]
    warnings: Sequence[str] = ()


def explanation_as_form(explained: Explained) -> PrintedExplanation:
    """Return what an `explain` prints."""
    documents = [
        form_of(ExplainedDocument, settled.document, components=settled.components)
        for settled in explained.settled
    ]
    verdicts = [
        ExplainedVerdict(
            **vars(traced.row),
            polls=traced.polls,
            polls_answered=traced.polls_answered,
            measured_from=traced.measured_from,
            billed_from=traced.billed_from,
        )
        for traced in explained.verdicts
    ]
    return form_of(PrintedExplanation, explained, settlement=documents, verdicts=verdicts)
