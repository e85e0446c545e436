"""The evidence's `report.html`: one page that needs nothing from outside, for eyes and for paper.

Colour says nothing that a pattern, a shape or a word does not say too. Every text is escaped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from wolkvox_billing.evidence.answers import MonthMeaning
from wolkvox_billing.evidence.report import html
from wolkvox_billing.evidence.report.html import STYLE, Money, facts, part, table
from wolkvox_billing.evidence.report.month import Page, usages
from wolkvox_billing.evidence.report.sections import (
    UNKNOWN,
    render_bridges,
    render_copies,
    render_days_and_gaps,
    render_meanings,
    render_restatements,
    render_sentence,
    render_settlement,
    render_usage,
    render_verdicts,
    say_as_of,
)
from wolkvox_billing.marts.copied import CopiedDay, CopiedPeriod
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.captions import caption, say_title, status_word
from wolkvox_billing.reconciliation.unit_names import name_unit
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.locales import language_tag, paper_of
from wolkvox_billing.values.periods import format_period
from wolkvox_billing.values.translation import N_, BillingMonth, Sentence, phrase, translate

if TYPE_CHECKING:
    from markupsafe import Markup

_PAPER = """
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
@page { margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages);
  font: 8pt system-ui, sans-serif; } }
@media print {
  body { margin: 0; padding: 0; max-width: none; } .billing { font-size: 10pt; }
  .billing table { font-size: 7.5pt; } .billing td { min-width: 0; }
  .billing td.hash { min-width: 0; word-break: break-all; }
  .billing :is(figcaption, dl:not(.cards), details) { font-size: 7.5pt; }
  .billing .verdict { font-size: 10.5pt; } .billing :is(.wide, .chart) { overflow: visible; }
  tr, figure, .verdict, .cards, dl { break-inside: avoid; }
  h2, h3 { break-after: avoid; } p { orphans: 3; widows: 3; }
  .billing svg { min-width: 0; print-color-adjust: exact; }
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


class ListedClaim(NamedTuple):
    """A row of `claims`."""

    claim_id: str
    document_id: str
    claimed_at: datetime
    claimed_by: str
    billing_currency: str | None
    questioned_amount: Decimal
    claimed_amount: Decimal
    letter_sha256: str | None
    reason: str


@dataclass(frozen=True)
class Annex:
    """What the report shows beside the month's page. `members`: by document_id the member that
    holds the document, None where its file was not given; `notes`: why one does not count."""

    documents: Sequence[LoadedDocument]
    members: Mapping[str, str | None]
    notes: Mapping[str, str]
    decisions: Sequence[ListedDecision]
    claims: Sequence[ListedClaim]
    meanings: Sequence[MonthMeaning]
    interpreted: Sequence[InterpretedReading]
    answers: Sequence[ListedAnswer]
    policy: Mapping[str, object]
    versions: Mapping[str, str]
    warnings: Sequence[str]
    copies: Sequence[CopiedPeriod] = ()
    copied_days: Sequence[CopiedDay] = ()


def render_report(page: Page, annex: Annex) -> str:
    """Return the report as HTML."""
    locale = page.language
    counters = [
        render_usage(usage, n) + render_days_and_gaps(usage, locale)
        for n, usage in enumerate(usages(page))
    ]
    return html.page(
        "report",
        locale,
        language=language_tag(locale),
        style=STYLE + _PAPER,
        paper=paper_of(locale),
        month=BillingMonth(page.period.start),
        as_of=say_as_of(page),
        settlement=render_settlement(page.settled, locale),
        sentences=[render_sentence(verdict, locale) for verdict in page.verdicts],
        verdicts=render_verdicts(page.verdicts, locale),
        totals=_totals(page.verdicts, locale),
        legend=render_meanings(
            [
                *(row.settlement for row in page.settled),
                *(row.reconciliation_status for row in page.verdicts),
            ],
            locale,
        ),
        warnings=annex.warnings,
        bridges=render_bridges(page.verdicts, locale),
        counters=counters,
        meanings=_meanings(annex.meanings, locale),
        interpretations=_interpretations(annex.interpreted, locale),
        restatements=render_restatements(page),
        copies=render_copies(annex.copies, annex.copied_days, locale),
        documents=_documents(annex, locale),
        decisions=_decisions(annex, locale),
        claims=_claims(annex, locale),
        answers=_answers(annex.answers, locale),
        policy=table(
            [N_("setting"), N_("value")], [[n, _listed(v)] for n, v in annex.policy.items()], locale
        ),
        versions=table([N_("what"), N_("version")], list(annex.versions.items()), locale),
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


def _totals(verdicts: Sequence[ReconciledRow], locale: str) -> Markup:
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
            [status_word(status, locale),
             Decimal(total.verdicts), Money(total.billed, currency),
             Money(total.contracted, currency), Money(total.difference, currency, is_signed=True),
             Money(total.unknown, currency), Money(total.unbilled, currency)]
            for (status, currency), total in ordered
        ],
        locale,
    )  # fmt: skip


_SAID_BY = {
    "setting": N_("a setting"),
    "data": N_("the data"),
    "guess": N_("a guess by the report's name"),
}


def _meanings(meanings: Sequence[MonthMeaning], locale: str) -> Markup:
    return table(
        ["operation", "report, product", "period", N_("means"), N_("says who"), N_("used"),
         N_("unit"), N_("last call")],
        [
            [row.operation_id, f"{row.report}, {row.product}",
             format_period(row.billing_period_start, row.billing_period_end, locale),
             status_word(row.measure or UNKNOWN, locale),
             translate(_SAID_BY.get(row.measure_source, N_("nobody")), locale),
             row.consumed_quantity, name_unit(row.consumed_unit or "", Decimal(2), locale),
             row.poll_id]
            for row in meanings
        ],
        locale,
    )  # fmt: skip


def _interpretations(readings: Sequence[InterpretedReading], locale: str) -> Markup:
    """Each text once, however often it was read."""
    times = Counter(reading for reading in readings if reading.interpretation)
    return table(
        ["operation", "report, product", N_("as received"), N_("read as"), N_("because it is"),
         N_("times")],
        [
            [reading.operation_id, f"{reading.report}, {reading.description}", reading.items_raw,
             reading.items, reading.interpretation, Decimal(number)]
            for reading, number in times.items()
        ],
        locale,
    )  # fmt: skip


_COMPLETENESS = {
    "whole": N_("whole: its SHA-256 is that of the file"),
    "cut": N_("cut: the first 64 KiB, and the SHA-256 of the whole"),
    "masked": N_("the token in it was masked before it was kept"),
    "differs": N_("not what the SHA-256 was taken of: look into it"),
    "nothing": N_("nothing came"),
    "left out": N_("left out: too many for one file; it is in the warehouse"),
}


def _answers(answers: Sequence[ListedAnswer], locale: str) -> Markup:
    return table(
        ["call", N_("stands for"), N_("outcome"), N_("bytes received"), N_("SHA-256 as received"),
         N_("kept"), "file"],
        [
            [answer.poll_id, _stands_for(answer, locale), answer.outcome, answer.answer_bytes,
             answer.answer_sha256, translate(_COMPLETENESS[answer.completeness], locale),
             answer.file]
            for answer in answers
        ],
        locale,
    )  # fmt: skip


def _stands_for(answer: ListedAnswer, locale: str) -> str:
    return "; ".join(translate(each, locale) for each in answer.stands_for.split("; "))


def _documents(annex: Annex, locale: str) -> Markup:
    listed = [
        (
            _title(document, locale),
            facts(
                {
                    N_("supplier"): _party(document.supplier_name, document.supplier_id, locale),
                    N_("customer"): _party(document.customer_name, document.customer_id, locale),
                    N_("CUFE or UUID"): document.document_uuid,
                    N_("issued"): document.issue_date,
                    N_("net"): _money(document.net_amount, document, locale),
                    N_("tax"): _money(document.tax_amount, document, locale),
                    N_("to pay"): _money(document.payable_amount, document, locale),
                    N_("file"): document.file_name,
                    N_("SHA-256 of the file"): document.file_sha256,
                    N_("in here"): annex.members[document.document_id]
                    or translate(N_("not given"), locale),
                    N_("note"): annex.notes.get(document.document_id) or None,
                },
                locale,
            ),
        )
        for document in annex.documents
    ]
    return part("documents", locale, listed=listed)


def _decisions(annex: Annex, locale: str) -> Markup | None:
    """Return who said which documents count, None where nobody did."""
    if not annex.decisions:
        return None
    titles = {document.document_id: _title(document, locale) for document in annex.documents}
    return table(
        ["document", "decision", "by", "at", "reason", "SHA-256"],
        [
            [titles[row.document_id], caption(row.decision, locale), row.decided_by,
             format_moment(row.decided_at, timezone.utc), row.reason, row.document_id]
            for row in annex.decisions
        ],
        locale,
    )  # fmt: skip


def _claims(annex: Annex, locale: str) -> Markup | None:
    """Return who claimed what of which document, None where nobody did; 0 is a claim taken back."""
    if not annex.claims:
        return None
    titles = {document.document_id: _title(document, locale) for document in annex.documents}
    return table(
        ["document", "claimed", "questioned", "by", "at", "reason", N_("SHA-256 of the letter")],
        [
            [titles[row.document_id], Money(row.claimed_amount, row.billing_currency),
             Money(row.questioned_amount, row.billing_currency), row.claimed_by,
             format_moment(row.claimed_at, timezone.utc), row.reason, row.letter_sha256]
            for row in annex.claims
        ],
        locale,
    )  # fmt: skip


def _title(document: LoadedDocument, locale: str) -> str:
    title = say_title(document.document_kind, document.document_number)
    if document.is_test:
        title = Sentence(N_("{title} (a test)"), title=title)
    return title.say(locale)


def _party(name: str | None, tax_id: str | None, locale: str) -> str:
    own_id = tax_id and phrase(N_("tax id {id}"), locale, id=tax_id)
    return ", ".join(filter(None, (name, own_id))) or translate(_NOT_STATED, locale)


def _money(amount: Decimal | None, document: LoadedDocument, locale: str) -> Money | str:
    if amount is None:
        return translate(_NOT_STATED, locale)
    return Money(amount, document.billing_currency)


_NOT_STATED = N_("not stated")


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
