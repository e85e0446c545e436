"""Invoices: files into documents with their lines, one module per format, and all into the same.

    paths ─▶ files ──┬─▶ ubl ─▶ xml     UBL 2.1: DIAN, Peppol, EN 16931; attached, in a mail's zip
                     └─▶ spreadsheet    delimited (CSV), workbook and package (XLSX), html_table
                           │            ─▶ rows, with headings (which column is what), labels (what
                           │            a row says of itself) and cells (numbers, dates) ─▶
                           │            restated (totals and sheets that say a thing again)
             document ◀────┘            one shape for all; period: from when to when, by whose word
             tables                     the rows of invoice_documents, invoice_lines, rejected_…

    mail                                what is attached to a mail that was saved as a file
    wrappers                            what UBL comes in: headers, base64, text of a text
    type_codes                          which kind an electronic invoice's code makes it
    reading                             all files into checked documents, with their periods

A file is hostile until shown otherwise, and no two suppliers write alike. So what reads in one way
is taken, what is missing is NULL with a warning, and what cannot be compared is rejected with the
reason; the files beside it are read on. PDF is not read.
"""

from __future__ import annotations

from wolkvox_billing.invoices.document import Document, Rejected
from wolkvox_billing.invoices.files import Paper
from wolkvox_billing.invoices.reading import complete_document, read_invoices
from wolkvox_billing.invoices.sheets.spreadsheet import Hints
from wolkvox_billing.invoices.ubl import OtherKind

__all__ = [
    "Document",
    "Hints",
    "OtherKind",
    "Paper",
    "Rejected",
    "complete_document",
    "read_invoices",
]
