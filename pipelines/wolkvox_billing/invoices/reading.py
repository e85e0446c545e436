"""Every document of files, folders and zips: checked, and with its period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from wolkvox_billing.invoices.document import Document, Rejected, check_document, turn_credit_note
from wolkvox_billing.invoices.files import Paper, files_in, read_file
from wolkvox_billing.invoices.period import settle_period
from wolkvox_billing.invoices.sheets.spreadsheet import NO_HINTS, Hints


def read_invoices(
    paths: Sequence[Path], *, hints: Hints = NO_HINTS, rule: str = "month_before_issue"
) -> Iterator[Paper]:
    """Yield every document in these files, folders and zips, checked and with its period; and all
    that was rejected. Raises nothing for what a file holds.

    hints: what a person says of spreadsheets that do not say it themselves.
    rule: `month_before_issue` or `issue_month`, for a document that names no period.
    """
    for name, data in files_in(paths):
        if isinstance(data, Rejected):
            yield Paper(name, None, data)
            continue
        for paper in read_file(name, data, hints):
            if isinstance(paper.content, Document):
                try:
                    complete_document(paper.content, rule)
                except Rejected as error:
                    paper = paper._replace(content=error)
            yield paper


def complete_document(document: Document, rule: str) -> None:
    """Turn a credit note that is written with a minus, check a document, and settle its period.

    Raises Rejected.
    """
    turn_credit_note(document)
    check_document(document)
    own_periods = [line.period for line in document.lines if line.period]
    settled = settle_period(
        document.own_period, own_periods, document.texts, document.issue_date, rule
    )
    document.period, document.period_source = settled.period, settled.source
    document.texts.clear()  # they are not stored, and may be large
    document.warnings += settled.warnings
