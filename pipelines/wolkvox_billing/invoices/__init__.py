"""Invoices: files into documents with their lines, one module per format, and all into the same.

    paths ─▶ files ──┬─▶ ubl ─▶ xml     UBL 2.1: DIAN, Peppol, EN 16931; attached, in a mail's zip
                     └─▶ spreadsheet    delimited (CSV), workbook and package (XLSX) ─▶ rows, with
                           │            headings (which column is what) and cells (numbers, dates)
             document ◀────┘            one shape for all; period: from when to when, by whose word
             tables                     the rows of invoice_documents, invoice_lines, rejected_…

    spelling, tax_id                    texts and tax ids in the one form that they are compared in

A file is hostile until shown otherwise, and no two suppliers write alike. So what reads in one way
is taken, what is missing is NULL with a warning, and what cannot be compared is rejected with the
reason; the files beside it are read on. PDF is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from wolkvox_billing.invoices.document import Document, Rejected, check, turn
from wolkvox_billing.invoices.files import Found, find
from wolkvox_billing.invoices.period import settle
from wolkvox_billing.invoices.ubl import OtherKind

__all__ = ["Document", "Found", "OtherKind", "Rejected", "read_invoices"]


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
