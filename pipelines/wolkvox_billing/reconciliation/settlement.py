"""What to pay: each document settled, with the components that add up to what it asks for.

    verdicts, lines that are compared with nothing ─▶ questions ─▶ components ─▶ settlement

`tie_out` holds all of it against the documents: what does not add up is not shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import (
    CLAIM,
    PAY,
    QUESTION,
    WAIT,
    InvoiceComponent,
    SettledDocument,
)
from wolkvox_billing.marts.sql import values_of
from wolkvox_billing.reconciliation.acceptance import deadlines_of
from wolkvox_billing.reconciliation.billed_documents import LineId, StatedDocument
from wolkvox_billing.reconciliation.captions import label
from wolkvox_billing.reconciliation.components import Splitter, payable_of
from wolkvox_billing.reconciliation.contract.line_map import COMPARED
from wolkvox_billing.reconciliation.exchange import Exchanges
from wolkvox_billing.reconciliation.facts import BilledLine, Facts
from wolkvox_billing.reconciliation.given_back import (
    notes_of_other_months,
    unclaimed_lines,
    without_given_back,
)
from wolkvox_billing.reconciliation.keys import Comparison
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.questions import OPEN, Contract, JudgedLine, question_lines
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.set_off import with_set_off
from wolkvox_billing.reconciliation.settlement_words import SettlementWriter
from wolkvox_billing.reconciliation.totals import DEFECT, DoesNotTieOut
from wolkvox_billing.reconciliation.verdicts import CURRENCY_MISMATCH, Verdict
from wolkvox_billing.values.periods import Period, label_period
from wolkvox_billing.warehouse.sql import Client, literal, rows_as

_NOTHING = Decimal()


class Settlement(NamedTuple):
    """All documents, settled; and each line with what is questioned and claimed of it."""

    documents: list[Settled]
    lines: Mapping[LineId, JudgedLine]

    def questions_of(self, verdict: Verdict) -> Questions:
        """Return what of a verdict's lines is questioned and claimed."""
        pieces = [piece for line in verdict.lines for piece in self.lines[line.id].pieces]
        return Questions(
            sum((piece.questioned for piece in pieces), _NOTHING),
            sum((piece.claimed for piece in pieces), _NOTHING),
        )


class Questions(NamedTuple):
    """Of amounts before tax, in the currency of their lines."""

    questioned: Decimal
    claimed: Decimal


class Settled(NamedTuple):
    """A document, and what it asks for in parts."""

    document: SettledDocument
    components: list[InvoiceComponent]

    @property
    def is_alarming(self) -> bool:
        """Whether anything is worth an alarm that no verdict tells of."""
        return any(part.is_material and not _is_in_verdict(part) for part in self.components)

    def is_for(self, month: Period) -> bool:
        """Whether any of its lines bills a time with days in the month."""
        start, end = self.document.billing_period_start, self.document.billing_period_end
        return bool(start and end and Period(start, end).overlaps(month))


@dataclass(frozen=True)
class SettledTotal:
    """What all documents in a currency come to; the fields are those of `reconcile --json`."""

    billing_currency: str
    documents: int
    payable_amount: Decimal
    agreed_amount: Decimal
    questioned_amount: Decimal
    claimed_amount: Decimal


def settle(
    facts: Facts,
    comparison: Comparison,
    judged: Sequence[tuple[Verdict, ReconciledRow]],
    rules: Rules,
) -> Settlement:
    """Return each document that bills, settled, by supplier, day and number. `judged`: all verdicts
    with their rows. Raises DoesNotTieOut."""
    lines: defaultdict[str, list[BilledLine]] = defaultdict(list)
    for line in facts.lines:
        lines[line.document_id].append(line)
    policy, exchanges = rules.policy, Exchanges(facts, rules.exchange_rates, rules.policy)
    contract = Contract(rules.rates, exchanges, sorted(facts.operations))
    lines_judged = question_lines(facts.stated, comparison, judged, contract)
    by_id = {stated.document.document_id: stated for stated in facts.stated}
    splitter = Splitter(lines_judged, by_id, policy, contract.exchanges)
    given_back = notes_of_other_months(facts.stated, lines)
    settled: list[Settled] = []
    for stated in facts.stated:
        document, parts = stated.document, splitter.split(stated)
        writer = SettlementWriter(policy.language, document.currency or "")
        notes = given_back.get(document.document_id, ())
        components = with_set_off(without_given_back(parts, notes, writer), writer)
        if components != parts:
            lines_judged |= unclaimed_lines(stated.lines, lines_judged, parts, components)
        own = lines[document.document_id]
        settled.append(_settle(stated, components, own, policy, facts.default_zone))
    tie_out(facts.stated, settled, lines)
    return Settlement(sorted(settled, key=_place), lines_judged)


def _is_in_verdict(part: InvoiceComponent) -> bool:
    if part.reconciliation_status == CURRENCY_MISMATCH and not part.report:  # of the line alone
        return False
    return part.reconciliation_status is not None and part.role in (None, *COMPARED)


def _place(settled: Settled) -> tuple[str, ...]:
    row = settled.document
    parts = (row.supplier_id, row.issue_date, row.document_number, row.document_id)
    return tuple(str(part or "") for part in parts)


def _settle(
    stated: StatedDocument,
    components: list[InvoiceComponent],
    lines: Sequence[BilledLine],
    policy: Policy,
    zone: tzinfo,
) -> Settled:
    document, settlement = stated.document, _settlement_of(components)
    periods = [line.period for line in lines if line.period]
    start = min((period.start for period in periods), default=None)
    end = max((period.end for period in periods), default=None)
    row = SettledDocument(
        document_id=document.document_id,
        supplier_id=document.supplier_id,
        document_kind=document.kind,
        document_number=document.number,
        issue_date=document.issued,
        due_date=document.due,
        billing_currency=document.currency,
        payable_amount=payable_of(stated),
        agreed_amount=sum((part.agreed_amount for part in components), _NOTHING),
        questioned_amount=sum((part.questioned_amount for part in components), _NOTHING),
        claimed_amount=sum((part.claimed_amount for part in components), _NOTHING),
        settlement=settlement,
        acceptance_deadline=deadlines_of(document, periods, zone).by(policy.acceptance_starts),
        explanation="",
        billing_period_start=start,
        billing_period_end=end,
        is_material=any(part.is_material for part in components),
        settlement_label=label(settlement, "en"),
        settlement_label_es=label(settlement, "es"),
        month_label=label_period(start, end),
    )
    writer = SettlementWriter(policy.language, document.currency or "")
    return Settled(replace(row, explanation=writer.settlement(row, components)), components)


def _settlement_of(components: Iterable[InvoiceComponent]) -> str:
    questioned = [part for part in components if part.questioned_amount]
    if not questioned:
        return PAY
    if any(part.claimed_amount for part in questioned):
        return CLAIM
    is_open = any(part.reconciliation_status == OPEN for part in questioned)
    return WAIT if is_open else QUESTION


def tie_out(
    documents: Sequence[StatedDocument],
    settled: Sequence[Settled],
    lines: Mapping[str, Sequence[BilledLine]],
) -> None:
    """Raises DoesNotTieOut where the components of a document are not what it asks for, what is
    agreed and questioned of one is not its amount, or its lines and what is beside them are not
    what verdicts were made of."""
    for stated, (row, components) in zip(documents, settled, strict=True):
        document = stated.document
        payable = payable_of(stated)
        total = sum((part.amount for part in components), _NOTHING)
        if not total == payable == row.payable_amount:
            raise DoesNotTieOut(
                f"the components of {document.title} come to {total:f}, it asks for {payable:f}: "
                f"{DEFECT}"
            )
        for part in components:
            if part.agreed_amount + part.questioned_amount != part.amount:
                raise DoesNotTieOut(
                    f"of {part.component} in the components of {document.title} "
                    f"{part.agreed_amount:f} is agreed and {part.questioned_amount:f} questioned, "
                    f"of {part.amount:f}: {DEFECT}"
                )
        exchanged = {
            line.line_number
            for line in stated.lines
            if line.currency not in (None, document.currency)
        }
        own = [
            part.amount
            for part in components
            if (part.line_number is not None and part.line_number not in exchanged)
            or part.component in ("allowance", "charge")
        ]
        judged = [
            line.amount
            for line in lines[document.document_id]
            if line.currency in (None, document.currency)
        ]
        if sum(own, _NOTHING) != sum(judged, _NOTHING):
            raise DoesNotTieOut(
                f"the lines in the components of {document.title} come to "
                f"{sum(own, _NOTHING):f}, those that were judged to "
                f"{sum(judged, _NOTHING):f}: {DEFECT}"
            )


def settled_tables(settled: Iterable[Settled]) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of the tables that the marts read."""
    documents = [*settled]
    return {
        "components": [part for each in documents for part in each.components],
        "settled": [values_of(each.document) for each in documents],
    }


def read_settled(client: Client, marts: str, month: Period) -> list[Settled]:
    """Return the documents of a month as the marts have them, by supplier, day and number."""
    start, end = map(literal, month)
    of_month = f"billing_period_start < {end} AND billing_period_end > {start}"
    settled = f"{marts}.invoice_settlement WHERE {of_month}"
    documents = rows_as(client, SettledDocument, settled)
    components: defaultdict[str, list[InvoiceComponent]] = defaultdict(list)
    for component in rows_as(
        client,
        InvoiceComponent,
        f"{marts}.invoice_components WHERE document_id IN (SELECT document_id FROM {settled}) "
        "ORDER BY document_id, component_number",
    ):
        components[component.document_id].append(component)
    return sorted((Settled(row, components[row.document_id]) for row in documents), key=_place)


def add_up(documents: Iterable[SettledDocument]) -> list[SettledTotal]:
    """Return what documents come to, by currency: there is no sum over two."""
    by_currency: defaultdict[str, list[SettledDocument]] = defaultdict(list)
    for row in documents:
        by_currency[row.billing_currency or ""].append(row)
    return [
        SettledTotal(
            currency,
            len(rows),
            sum((row.payable_amount for row in rows), _NOTHING),
            sum((row.agreed_amount for row in rows), _NOTHING),
            sum((row.questioned_amount for row in rows), _NOTHING),
            sum((row.claimed_amount for row in rows), _NOTHING),
        )
        for currency, rows in sorted(by_currency.items())
    ]
