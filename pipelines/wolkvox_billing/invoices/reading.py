"""Every document of files, folders and zips: checked, and with its period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from wolkvox_billing.invoices.document import Document, Rejected, check, turn
from wolkvox_billing.invoices.files import Found, find
from wolkvox_billing.invoices.period import settle


def read_invoices(
    paths: Sequence[Path], *, decimal: str | None = None, rule: str = "month_before_issue"
) -> Iterator[Found]:
    """Every document in these files, folders and zips, checked and with its period; and all that
    was rejected, as Found. Raises nothing for what a file holds.

    decimal: what is before decimals in spreadsheets, `.` or `,`; None lets the file tell.
    rule: `month_before_issue` or `issue_month`, for a document that names no period.
    """
    for found in find(paths, decimal):
        if isinstance(found.what, Document):
            try:
                complete(found.what, rule)
            except Rejected as error:
                found = found._replace(what=error)
        yield found


def complete(document: Document, rule: str) -> None:
    """Turns a credit note that is written with a minus, checks a document, and settles its period.
    Raises Rejected."""
    turn(document)
    check(document)
    settled = settle(
        document.own_period,
        [line.period for line in document.lines if line.period],
        document.texts,
        document.issue_date,
        rule,
    )
    document.period, document.period_source = settled.period, settled.source
    document.texts.clear()  # they are not kept, and may be large
    document.warnings += settled.warnings
