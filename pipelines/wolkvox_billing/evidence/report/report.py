"""The evidence's `report.html`: one page that needs nothing from outside, for eyes and for paper.

Colour says nothing that a pattern, a shape or a word does not say too. Every text is escaped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from wolkvox_billing.evidence.report.html import STYLE, Money, table, text
from wolkvox_billing.evidence.report.month import Counter, Page, usages
from wolkvox_billing.evidence.report.sections import (
    bridges,
    days_and_gaps,
    restatements,
    sentence,
    usage,
    verdicts,
)
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.values.clock import format_moment

__all__ = ["Counter", "Page", "report"]

_PAPER = """
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
@media print {
  body { margin: 0; max-width: none; } .billing { font-size: 11px; }
  tr, figure, .verdict { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""


def report(page: Page) -> str:
    """The page as HTML."""
    title = f"Usage and invoices of {text(page.month)}"
    parts = [
        f"<h1>{title}</h1>",
        f"<p>As of {text(format_moment(page.as_of, page.zone('')))}. Every figure here comes from "
        "the files beside this page; <code>manifest.json</code> holds the SHA-256 of each.</p>",
        "<h2>Verdicts</h2>",
        *(sentence(one, page.language) for one in page.rows),
        verdicts(page.rows),
        "<h2>Totals</h2>",
        _totals(page.rows),
        *(f"<p>Warning: {text(one)}</p>" for one in page.warnings),
        "<h2>Volume and price</h2>",
        bridges(page.rows),
        "<h2>What was read</h2>",
        *(usage(one, number) + days_and_gaps(one) for number, one in enumerate(usages(page))),
        "" if usages(page) else "<p>Nothing was asked in this month.</p>",
        "<h2>Values that changed after their day, or that fell</h2>",
        restatements(page),
        "<h2>Documents</h2>",
        _documents(page),
        "<h2>Policy</h2>",
        table(["setting", "value"], [[name, _plain(v)] for name, v in page.policy.items()]),
        "<h2>Versions</h2>",
        table(["what", "version"], [[name, value] for name, value in page.versions.items()]),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # Nothing is fetched and nothing runs, even if a text were to get through.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{STYLE}{_PAPER}</style>\n"
        '</head>\n<body class="billing">\n' + "\n".join(parts) + "\n</body>\n</html>\n"
    )


@dataclass
class _Sum:
    keys: int = 0
    billed: Decimal = Decimal()
    contracted: Decimal = Decimal()
    unknown: int = 0


def _totals(rows: Sequence[ReconciledRow]) -> str:
    """What each status comes to in each currency; a contract's cost that nobody knows is said."""
    sums: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)
    for row in rows:
        for status in (row.reconciliation_status, "all"):
            one = sums[status, row.billing_currency or ""]
            one.keys += 1
            one.billed += row.billed_cost or 0
            one.contracted += row.contracted_cost or 0
            one.unknown += row.contracted_cost is None
    ordered = sorted(sums.items(), key=lambda item: (item[0][0] == "all", item[0]))
    return table(
        ["status", "verdicts", "billed", "by contract", "without a known cost by contract"],
        [
            [status, Decimal(one.keys), Money(one.billed, currency),
             Money(one.contracted, currency), Decimal(one.unknown)]
            for (status, currency), one in ordered
        ],
    )  # fmt: skip


def _documents(page: Page) -> str:
    return table(
        ["kind", "number", "supplier", "issued", "net", "file", "SHA-256 of the file", "in here"],
        [
            [str(one["document_kind"]).replace("_", " ") + (" (a test)" if one["is_test"] else ""),
             one["document_number"], one["supplier_id"], one["issue_date"],
             Money(one["net_amount"], one["billing_currency"]), one["file_name"],
             one["file_sha256"], page.given[one["document_id"]] or "not given"]
            for one in page.tables["invoice_documents"]
        ],
    )  # fmt: skip


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
