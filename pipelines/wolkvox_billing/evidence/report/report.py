"""The evidence's `report.html`: one page that needs nothing from outside, for eyes and for paper.

Colour says nothing that a pattern, a shape or a word does not say too. Every text is escaped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.evidence.answers import MonthMeaning
from wolkvox_billing.evidence.report.html import STYLE, Money, escape, facts, table
from wolkvox_billing.evidence.report.month import Page, usages
from wolkvox_billing.evidence.report.sections import (
    render_bridges,
    render_days_and_gaps,
    render_restatements,
    render_sentence,
    render_settlement,
    render_status,
    render_usage,
    render_verdicts,
)
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.periods import format_period

_PAPER = """
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
@media print {
  body { margin: 0; max-width: none; } .billing { font-size: 11px; }
  tr, figure, .verdict { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""


class LoadedDocument(NamedTuple):
    """A row of `invoice_documents`, with the fields that are shown, named as its columns are."""

    document_id: str
    document_kind: str
    is_test: bool
    document_number: str | None
    document_uuid: str | None
    supplier_id: str | None
    supplier_name: str | None
    customer_id: str | None
    customer_name: str | None
    issue_date: date | None
    net_amount: Decimal | None
    tax_amount: Decimal | None
    payable_amount: Decimal | None
    billing_currency: str | None
    file_name: str
    file_sha256: str


class InterpretedReading(NamedTuple):
    """A row of `readings`, with how its number was read where it reads in two ways."""

    operation_id: str
    report: str
    description: str
    items_raw: str
    items: Decimal
    interpretation: str | None


class ListedAnswer(NamedTuple):
    """A row of `answers`."""

    poll_id: str
    stands_for: str
    outcome: str
    answer_bytes: int | None
    answer_sha256: str | None
    completeness: str
    file: str | None


class ListedDecision(NamedTuple):
    """A row of `document_decisions`."""

    document_id: str
    decision: str
    decided_at: datetime
    decided_by: str
    reason: str | None


@dataclass(frozen=True)
class Annex:
    """What the report shows beside the month's page. `members`: by document_id the member that
    holds the document, None where its file was not given; `notes`: why one does not count."""

    documents: Sequence[LoadedDocument]
    members: Mapping[str, str | None]
    notes: Mapping[str, str]
    decisions: Sequence[ListedDecision]
    meanings: Sequence[MonthMeaning]
    interpreted: Sequence[InterpretedReading]
    answers: Sequence[ListedAnswer]
    policy: Mapping[str, object]
    versions: Mapping[str, str]
    warnings: Sequence[str]


def render_report(page: Page, annex: Annex) -> str:
    """Return the report as HTML."""
    title = f"Usage and invoices of {escape(page.month)}"
    counters = usages(page)
    parts = [
        f"<h1>{title}</h1>",
        f"<p>As of {escape(format_moment(page.as_of, page.zone('')))}. Every figure here comes "
        "from the files beside this page; <code>manifest.json</code> holds the SHA-256 of "
        "each.</p>",
        "<h2>What to pay</h2>",
        render_settlement(page.settled, page.language),
        "<h2>Verdicts</h2>",
        *(render_sentence(verdict) for verdict in page.verdicts),
        render_verdicts(page.verdicts, page.language),
        "<h2>Totals</h2>",
        _totals(page.verdicts, page.language),
        *(f"<p>Warning: {escape(warning)}</p>" for warning in annex.warnings),
        "<h2>Volume and price</h2>",
        render_bridges(page.verdicts, page.language),
        "<h2>What was read</h2>",
        *(
            render_usage(usage, n) + render_days_and_gaps(usage, page.language)
            for n, usage in enumerate(counters)
        ),
        "" if counters else "<p>Nothing was asked in this month.</p>",
        "<h2>What the numbers mean, and who says so</h2>",
        _meanings(annex.meanings, page.language),
        "<h2>Numbers that read in two ways</h2>",
        _interpretations(annex.interpreted, page.language),
        "<h2>Values that changed after their day, or that fell</h2>",
        render_restatements(page),
        "<h2>Documents</h2>",
        _documents(annex, page.language),
        _decisions(annex, page.language),
        "<h2>Answers that the verdicts stand on</h2>",
        _answers(annex.answers, page.language),
        "<h2>Policy</h2>",
        table(["setting", "value"], [[name, _listed(v)] for name, v in annex.policy.items()]),
        "<h2>Versions</h2>",
        table(["what", "version"], list(annex.versions.items())),
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
    """What verdicts come to: `billed` = `contracted` + `difference` + `unknown`, which no contract
    has a price for; beside it what was used, and is in no invoice. None where there is nothing."""

    verdicts: int = 0
    billed: Decimal | None = None
    contracted: Decimal | None = None
    difference: Decimal | None = None
    unknown: Decimal | None = None
    unbilled: Decimal | None = None

    def add(self, row: ReconciledRow) -> None:
        self.verdicts += 1
        if not row.is_billed:
            self.unbilled = _add(self.unbilled, row.contracted_cost)
            return
        self.billed = _add(self.billed, row.billed_cost)
        self.contracted = _add(self.contracted, row.contracted_cost)
        self.difference = _add(self.difference, row.cost_variance)
        if row.contracted_cost is None:
            self.unknown = _add(self.unknown, row.billed_cost)


def _add(total: Decimal | None, amount: Decimal | None) -> Decimal | None:
    return total if amount is None else (total or Decimal()) + amount


def _totals(verdicts: Sequence[ReconciledRow], locale: str) -> str:
    """Return a table of what each status comes to in each currency. What nobody has a price for is
    no part of the cost by contract, nor of the difference."""
    sums: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)
    for row in verdicts:
        for status in (row.reconciliation_status, "all"):
            sums[status, row.billing_currency or ""].add(row)
    ordered = sorted(sums.items(), key=lambda item: (item[0][0] == "all", item[0]))
    return table(
        ["status", "verdicts", "billed", "by contract", "cost difference",
         "billed without a known cost by contract", "used, and not billed"],
        [
            [caption(status, locale) if status == "all" else render_status(status, locale),
             Decimal(total.verdicts), Money(total.billed, currency),
             Money(total.contracted, currency), Money(total.difference, currency, is_signed=True),
             Money(total.unknown, currency), Money(total.unbilled, currency)]
            for (status, currency), total in ordered
        ],
        locale,
    )  # fmt: skip


_SAID_BY = {"setting": "a setting", "data": "the data", "guess": "a guess by the report's name"}


def _meanings(meanings: Sequence[MonthMeaning], locale: str) -> str:
    return table(
        ["operation", "report, product", "period", "means", "says who", "used", "unit",
         "last call"],
        [
            [row.operation_id, f"{row.report}, {row.product}",
             format_period(row.billing_period_start, row.billing_period_end),
             row.measure or "undetermined", _SAID_BY.get(row.measure_source, "nobody"),
             row.consumed_quantity, row.consumed_unit, row.poll_id]
            for row in meanings
        ],
        locale,
    )  # fmt: skip


def _interpretations(readings: Sequence[InterpretedReading], locale: str) -> str:
    """Each text once, however often it was read."""
    times = Counter(reading for reading in readings if reading.interpretation)
    return table(
        ["operation", "report, product", "as received", "read as", "because it is", "times"],
        [
            [reading.operation_id, f"{reading.report}, {reading.description}", reading.items_raw,
             reading.items, reading.interpretation, Decimal(number)]
            for reading, number in times.items()
        ],
        locale,
    )  # fmt: skip


_COMPLETENESS = {
    "whole": "whole: its SHA-256 is that of the file",
    "cut": "cut: the first 64 KiB, and the SHA-256 of the whole",
    "masked": "the token in it was masked before it was kept",
    "differs": "not what the SHA-256 was taken of: look into it",
    "nothing": "nothing came",
    "left out": "left out: too many for one file; it is in the warehouse",
}


def _answers(answers: Sequence[ListedAnswer], locale: str) -> str:
    return table(
        ["call", "stands for", "outcome", "bytes received", "SHA-256 as received", "kept", "file"],
        [
            [answer.poll_id, answer.stands_for, answer.outcome, answer.answer_bytes,
             answer.answer_sha256, _COMPLETENESS[answer.completeness], answer.file]
            for answer in answers
        ],
        locale,
    )  # fmt: skip


def _documents(annex: Annex, locale: str) -> str:
    return "".join(
        f"<h3>{escape(_title(document))}</h3>"
        + facts(
            {
                "supplier": _party(document.supplier_name, document.supplier_id),
                "customer": _party(document.customer_name, document.customer_id),
                "CUFE or UUID": document.document_uuid,
                "issued": document.issue_date,
                "net": _money(document.net_amount, document),
                "tax": _money(document.tax_amount, document),
                "to pay": _money(document.payable_amount, document),
                "file": document.file_name,
                "SHA-256 of the file": document.file_sha256,
                "in here": annex.members[document.document_id] or "not given",
                **({"note": note} if (note := annex.notes.get(document.document_id)) else {}),
            },
            locale,
        )
        for document in annex.documents
    ) or table([], [])


def _decisions(annex: Annex, locale: str) -> str:
    """Return who said which documents count, "" where nobody did."""
    if not annex.decisions:
        return ""
    titles = {document.document_id: _title(document) for document in annex.documents}
    return "<h2>Decisions on documents</h2>" + table(
        ["document", "decision", "by", "at", "reason", "SHA-256"],
        [
            [titles[row.document_id], caption(row.decision, locale), row.decided_by,
             format_moment(row.decided_at, timezone.utc), row.reason, row.document_id]
            for row in annex.decisions
        ],
        locale,
    )  # fmt: skip


def _title(document: LoadedDocument) -> str:
    kind = document.document_kind.replace("_", " ")
    number = document.document_number or "without a number"
    return f"{kind} {number}" + (" (a test)" if document.is_test else "")


def _party(name: str | None, tax_id: str | None) -> str:
    stated = ", ".join(filter(None, (name, tax_id and f"tax id {tax_id}")))
    return stated or "not stated"


def _money(amount: Decimal | None, document: LoadedDocument) -> Money | str:
    return "not stated" if amount is None else Money(amount, document.billing_currency)


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
