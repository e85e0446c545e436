"""The lines that were billed, out of the tables of invoices."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.decisions import WITHDRAWN, read_decisions
from wolkvox_billing.invoices.document import BILLS
from wolkvox_billing.invoices.period import month_by_rule, period_of_line
from wolkvox_billing.reconciliation.billed_documents import (
    BilledDocument,
    StatedDocument,
    StatedLine,
    read_documents,
    share_out,
)
from wolkvox_billing.reconciliation.contract.names import quote_names
from wolkvox_billing.reconciliation.counting import Standing, find_standings
from wolkvox_billing.reconciliation.facts import BilledLine, DocumentDoubts
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.standing_words import tell_note
from wolkvox_billing.reconciliation.tax import doubt
from wolkvox_billing.values.document_number import bare_number
from wolkvox_billing.values.periods import Period
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.warehouse.sql import Client, rows_of


class BilledLines(NamedTuple):
    """The lines, warnings of their documents, and by document_id what is odd in its sums; the
    documents as they state their parts; and those of which a person is told that they do not count,
    or that nobody knows."""

    lines: list[BilledLine]
    warnings: list[str]
    doubts: dict[str, DocumentDoubts]
    stated: list[StatedDocument]
    told: list[Standing]


_Periods = dict[tuple[str | None, str], Period]  # supplier_id, an invoice's bare number


def read_billed_lines(
    client: Client, raw: str, policy: Policy, tables: Collection[str]
) -> BilledLines:
    """Return the lines that were billed, none where no invoice was ever loaded. Documents that are
    tests or bill no use, and those of other suppliers than `supplier_ids` names, are left out.
    tables: those that are there."""
    if "invoice_lines" not in tables:
        return BilledLines([], [], {}, [], [])
    standings = read_standings(client, raw, policy, tables)
    told = [standing for standing in standings if standing.is_told]
    counting = {each.document.document_id: each.document for each in standings if each.counts}
    documents = {each.document.document_id: each.document for each in told} | counting
    lines = [
        line
        for row in rows_of(
            client,
            "SELECT document_id, line_number, operation, description, item_code, quantity, "
            "net_amount, billing_currency, period_start, period_end, tax_amount, unit_code "
            f"FROM {raw}.invoice_lines ORDER BY document_id, line_number",
        )
        if (line := StatedLine(*row)).document_id in documents
    ]
    all_stated = share_out_lines(documents, lines)
    stated = [each for each in all_stated if each.document.document_id in counting]
    apart = [each for each in all_stated if each.document.document_id not in counting]
    withdrawn = [each.document for each in standings if each.state == WITHDRAWN]
    billed = bill_lines(stated, withdrawn)
    unbilled = bill_lines(apart, [*withdrawn, *counting.values()])
    suppliers = {str(each.document.supplier_id or "none") for each in standings}
    return BilledLines(
        billed,
        [
            *_warn_of_suppliers(suppliers, policy),
            *_warn_of_notes(counting.values(), withdrawn, policy.language),
        ],
        _doubts(stated),
        stated,
        _with_periods(told, [*billed, *unbilled]),
    )


def read_standings(
    client: Client, raw: str, policy: Policy, tables: Collection[str]
) -> list[Standing]:
    """Return whether each document that was ever loaded counts, and why not. tables: those that are
    there."""
    documents = [_in_cycle(document, policy) for document in read_documents(client, raw)]
    return find_standings(documents, read_decisions(client, raw, tables), policy.supplier_ids)


def _with_periods(standings: Iterable[Standing], lines: Iterable[BilledLine]) -> list[Standing]:
    """Return the standings with what their documents' lines bill."""
    periods: defaultdict[str, list[Period]] = defaultdict(list)
    for line in lines:
        if line.period:
            periods[line.document_id].append(line.period)
    return [
        standing._replace(
            period=Period(min(own).start, max(period.end for period in own))
            if (own := periods[standing.document.document_id])
            else standing.document.period
        )
        for standing in standings
    ]


def bill_lines(
    stated: Sequence[StatedDocument], others: Iterable[BilledDocument] = ()
) -> list[BilledLine]:
    """Return the lines of documents that bill, each with what its document puts on and takes off
    as a whole. `others`: documents whose periods count for notes that name none, where these have
    no such invoice."""
    documents = [document for document, _ in stated]
    periods = _periods_of_invoices([*others, *documents])
    names = [document.name for document in documents]
    counts = Counter(name for name in names if name[-1])
    return [
        line
        for (document, lines), name in zip(stated, names, strict=True)
        for line in _billed(document, lines, periods, is_duplicate=counts[name] > 1)
    ]


def read_periods_of_notes(client: Client, raw: str) -> dict[str, Period]:
    """Return by document_id the period of each note that names none, and corrects an invoice that
    is loaded."""
    documents = [
        document
        for document in read_documents(client, raw)
        if document.is_test is False and document.kind in BILLS
    ]
    periods = _periods_of_invoices(documents)
    return {
        note.document_id: periods[note.corrected]
        for note in documents
        if note.is_without_period and note.corrected in periods
    }


def _periods_of_invoices(documents: Iterable[BilledDocument]) -> _Periods:
    """Return the periods of the invoices that name one."""
    return {
        (document.supplier_id, bare_number(document.number)): period
        for document in documents
        if document.kind == "invoice" and document.number and (period := document.period)
    }


def share_out_lines(
    documents: Mapping[str, BilledDocument], lines: Sequence[StatedLine]
) -> list[StatedDocument]:
    """Return the documents, each line with what its document puts on and takes off as a whole, by
    their amounts. That is not done where lines are in another currency than their document."""
    by_document: defaultdict[str, list[StatedLine]] = defaultdict(list)
    for line in lines:
        by_document[line.document_id].append(line)
    stated: list[StatedDocument] = []
    for document_id, own in by_document.items():
        document = documents[document_id]
        charge, allowance = document.put_on_and_taken_off
        is_beside = bool(charge or allowance)
        if is_beside and all(line.currency in (None, document.currency) for line in own):
            amounts = [line.amount or Decimal() for line in own]
            shares = share_out(charge, amounts), share_out(allowance, amounts)
            own = [
                line._replace(charge=put_on, allowance=taken_off)
                for line, put_on, taken_off in zip(own, *shares, strict=True)
            ]
        stated.append(StatedDocument(document, own))
    return stated


def _billed(
    document: BilledDocument, lines: Sequence[StatedLine], periods: _Periods, *, is_duplicate: bool
) -> Iterator[BilledLine]:
    sign, period_of_document, its_source = document.sign, document.period, document.period_source
    if document.is_without_period and document.corrected in periods:
        period_of_document, its_source = periods[document.corrected], "document"
    for line in lines:
        period, source = period_of_document, its_source
        if own := _named_period(line, period, document.issued):
            period, source = own, "text"
        elif own := _period(line.period_start, line.period_end):
            period, source = own, "line"
        yield BilledLine(
            document_id=line.document_id,
            line_number=line.line_number,
            document_number=document.number,
            is_duplicate=is_duplicate,
            supplier_id=document.supplier_id,
            operation=line.operation,
            description=line.description,
            item_code=line.item_code,
            quantity=None if line.quantity is None else sign * line.quantity,
            amount=sign * line.whole_amount,
            currency=line.currency or document.currency,
            period=period,
            period_source=source,
            issued=document.issued,
            unit_code=line.unit_code,
            is_note=document.kind != "invoice",
            corrects_number=document.corrects_number,
            # An electronic invoice that states no tax has none; a list may leave it out.
            has_tax=document.format == "ubl" or not (line.tax is None and document.tax is None),
        )


def _in_cycle(document: BilledDocument, policy: Policy) -> BilledDocument:
    """Return a document, one that names no period with that of the billing cycle."""
    if policy.billing_cycle_day == 1 or document.period_source != "rule" or not document.issued:
        return document
    period = month_by_rule(document.issued, policy.period_rule, policy.billing_cycle_day)
    return document._replace(period_start=period.start, period_end=period.end)


def _named_period(line: StatedLine, period: Period | None, issued: date | None) -> Period | None:
    """Return the one month, or run of days, that a line's own text names, where it is not within
    what its document says: `Ajuste consumo octubre 2026` in November's invoice is October's."""
    own = period_of_line(line.description or "", issued)
    if not own:
        return None
    is_within = period is not None and (period.holds(own) or own.holds(period))
    return None if is_within else own


def _warn_of_suppliers(suppliers: set[str], policy: Policy) -> list[str]:
    """Return a warning for each of `supplier_ids` of whom no document is, if there are some."""
    return [
        Sentence(
            N_(
                "the setting `supplier_ids` under [reconciliation] has {supplier}, and no document "
                "is of that supplier; there is {names}"
            ),
            supplier=supplier_id,
            names=quote_names(suppliers),
        )
        for supplier_id in policy.supplier_ids
        if suppliers and supplier_id not in suppliers
    ]


def _warn_of_notes(
    documents: Collection[BilledDocument], withdrawn: Collection[BilledDocument], locale: str
) -> list[str]:
    """Return a warning for each note whose period nobody knows, and for each that corrects what is
    withdrawn."""
    periods = _periods_of_invoices([*withdrawn, *documents])
    counting, gone = (
        {(d.supplier_id, bare_number(d.number or "")) for d in some if d.kind == "invoice"}
        for some in (documents, withdrawn)
    )
    return [
        Sentence(
            N_(
                "{title}: names no period, and corrects {corrected}, which is not loaded: its "
                "month is by the setting `period_rule`"
            ),
            title=note.title,
            corrected=note.corrects_number or Sentence(N_("nothing that it names")),
        )
        for note in documents
        if note.is_without_period and note.corrected not in periods
    ] + [
        tell_note(note, locale)
        for note in documents
        if note.corrects_number and note.corrected in gone - counting
    ]


def _doubts(stated: Iterable[StatedDocument]) -> dict[str, DocumentDoubts]:
    doubts: dict[str, DocumentDoubts] = {}
    for document, lines in stated:
        text = doubt(document.tax, lines)
        if says := [*document.warnings_of_money, *([text] if text else [])]:
            doubts[document.document_id] = DocumentDoubts(document.title, says)
    return doubts


def _period(start: date | None, end: date | None) -> Period | None:
    return Period(start, end) if start and end else None
