"""Where a document's or a verdict's numbers come from, as HTML: the sentence, the components, the
readings with their calls and answers, the lines with their files."""

from __future__ import annotations

from operator import attrgetter

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent
from wolkvox_billing.reconciliation.origin import Traced
from wolkvox_billing.reconciliation.settlement import Settled
from wolkvox_billing.reconciliation.settlement_words import title_of
from wolkvox_billing.screen.pages import render
from wolkvox_billing.values.locales import language_tag
from wolkvox_billing.values.periods import format_period
from wolkvox_billing.values.translation import N_
from wolkvox_billing.verbs.notebook import Month


def render_document(month: Month, settled: Settled) -> str:
    """Return the trail of a document: what it asks for in parts, and its file."""
    row = settled.document
    file = month.files.get(row.document_id)
    parties = (file.supplier_name if file else None, row.supplier_id)
    return render(
        "document.html.jinja",
        month.language,
        row=row,
        parts=settled.components,
        file=file,
        title=title_of(row.document_kind, row.document_number, month.language),
        supplier=", ".join(filter(None, parties)),
        zone=month.zone(""),
    )


def render_verdict(month: Month, traced: Traced) -> str:
    """Return the trail of a verdict. Its sentence is marked as of the language that it was written
    in, be the setting another one by now."""
    row = traced.row
    return render(
        "verdict.html.jinja",
        month.language,
        row=row,
        title=name_verdict(row, month.language),
        written_in=language_tag(row.language or ""),  # "" is one that nobody knows
        doubts=(row.doubts_excluded or row.settled_by or "").splitlines(),
        doubts_title=N_("Looked at, and excluded")
        if row.doubts_excluded
        else N_("What would settle it"),
        parts=[part for each in month.settled for part in each.components if _is_part(part, row)],
        numbers={
            each.document.document_id: each.document.document_number for each in month.settled
        },
        measured=traced.measured_from,
        billed=traced.billed_from,
        polls=traced.polls,
        answered=traced.polls_answered,
        zone=month.zone(row.operation_id),
    )


def name_verdict(row: ReconciledRow, locale: str) -> str:
    """Return whose a verdict is: operation, report, product and period."""
    period = format_period(row.billing_period_start, row.billing_period_end, locale)
    return " · ".join(filter(None, (row.operation_id, row.report, row.product, period)))


def _is_part(part: InvoiceComponent, row: ReconciledRow) -> bool:
    """Whether a document's part is in a verdict."""
    key = attrgetter("operation_id", "report", "product", "billing_period_start")
    return bool(key(part) == key(row))
