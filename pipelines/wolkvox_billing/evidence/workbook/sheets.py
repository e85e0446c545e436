"""The sheets of a month's workbook. Which columns there are, the rows' types say; here stand those
that lead, and are printed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import NamedTuple

from wolkvox_billing.evidence.workbook.cells import (
    Cells,
    Sheet,
    Value,
    Word,
    cells_of,
    heading_of,
    sum_by_currency,
)
from wolkvox_billing.evidence.workbook.month_facts import MonthFacts, UnreadDay, UsedMonth
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent, SettledDocument
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.reconciliation.settlement import Settled
from wolkvox_billing.values.locales import say_month
from wolkvox_billing.values.translation import N_, translate
from wolkvox_billing.version import __version__

_SETTLEMENT = (
    "document_kind", "document_number", "billing_currency", "payable_amount", "agreed_amount",
    "questioned_amount", "claimed_amount", "settlement", "due_date", "acceptance_deadline",
    "explanation",
)  # fmt: skip
_VERDICTS = (
    "operation_id", "report", "product", "billing_period_start", "billing_currency",
    "consumed_quantity", "billed_quantity", "quantity_variance", "contracted_cost", "billed_cost",
    "cost_variance", "reconciliation_status", "documents", "explanation",
)  # fmt: skip
_COMPONENTS = (
    "document", "component", "line_number", "description", "billing_currency", "amount",
    "agreed_amount", "questioned_amount", "claimed_amount", "reconciliation_status", "reason",
)  # fmt: skip
# What a verdict says of an invoice; where none is in it nothing was billed, not even 0.
_BILLED = ("billed_quantity", "billed_cost", "quantity_variance", "cost_variance")


class Told(NamedTuple):
    """What the sheet About says beside the facts: the settings, what was warned of, and the
    evidence of the same verdicts, None where none was written."""

    month: date
    settings: Mapping[str, object]
    warnings: Sequence[str]
    evidence: str | None = None
    evidence_sha256: str | None = None


def sheets_of(
    verdicts: Sequence[ReconciledRow],
    settled: Sequence[Settled],
    facts: MonthFacts,
    told: Told,
    locale: str,
) -> list[Sheet]:
    """Return the sheets, in their order."""
    return [
        _settlement(settled, locale),
        _verdicts(verdicts, settled, locale),
        _components(settled, locale),
        _usage(facts, locale),
        _unread(facts, locale),
        _about(facts, told, locale),
    ]


def _settlement(settled: Sequence[Settled], locale: str) -> Sheet:
    rows = [cells_of(vars(each.document), locale) for each in settled]
    columns = _in_order(_SETTLEMENT, (field.name for field in fields(SettledDocument)))
    return Sheet(
        title=translate(N_("Settlement"), locale),
        headings=_headings(columns, locale),
        rows=rows,
        sums=sum_by_currency(rows, "document_kind", caption("all", locale)),
        leading=len(_SETTLEMENT),
    )


def _verdicts(verdicts: Sequence[ReconciledRow], settled: Sequence[Settled], locale: str) -> Sheet:
    numbers = {each.document.document_id: each.document.document_number for each in settled}
    groups: dict[str, list[Cells]] = {
        "with a contracted cost": [],
        "billed without a known cost by contract": [],
        "used, and not billed": [],
    }
    rows: list[Cells] = []
    for verdict in verdicts:
        cells = _verdict(verdict, numbers, locale)
        rows.append(cells)
        if not verdict.is_billed:
            groups["used, and not billed"].append(cells)
        elif verdict.contracted_cost is None:
            groups["billed without a known cost by contract"].append(cells)
        else:
            groups["with a contracted cost"].append(cells)
    names = [field.name for field in fields(ReconciledRow)]
    return Sheet(
        title=translate(N_("Verdicts"), locale),
        headings=_headings(_in_order(_VERDICTS, names), locale),
        rows=rows,
        sums=[
            total
            for group, own in groups.items()
            for total in sum_by_currency(own, "operation_id", caption(group, locale))
        ],
        leading=len(_VERDICTS),
    )


def _verdict(
    verdict: ReconciledRow, numbers: Mapping[str, str | None], locale: str
) -> dict[str, Value]:
    cells = cells_of(vars(verdict), locale)
    if not verdict.is_billed:
        effects = [column for column in cells if column.endswith("_effect")]
        cells |= dict.fromkeys((*_BILLED, *effects))
        cells["billed_quantity"] = Word(caption("no invoice", locale))
    ids = (verdict.invoice_ids or "").split(",")
    cells["documents"] = ", ".join(filter(None, map(numbers.get, ids)))
    return cells


def _components(settled: Sequence[Settled], locale: str) -> Sheet:
    rows: list[Cells] = []
    for each in settled:
        kind, number = each.document.document_kind, each.document.document_number
        document = f"{caption(kind, locale)} {number or ''}".rstrip()
        rows += [{"document": document, **cells_of(p._asdict(), locale)} for p in each.components]
    columns = _in_order(_COMPONENTS, InvoiceComponent._fields)
    return Sheet(
        title=translate(N_("Components"), locale),
        headings=_headings(columns, locale),
        rows=rows,
        sums=sum_by_currency(rows, "document", caption("all", locale)),
        leading=len(_COMPONENTS),
    )


def _usage(facts: MonthFacts, locale: str) -> Sheet:
    headings = _headings(UsedMonth._fields, locale)
    for column in ("first_read_at", "last_read_at"):
        headings[column] += f" ({facts.zone})"
    rows = [cells_of(row._asdict(), locale) for row in facts.used]
    printed = UsedMonth._fields.index("operation_name")
    return Sheet(translate(N_("Usage by month"), locale), headings, rows, leading=printed)


def _unread(facts: MonthFacts, locale: str) -> Sheet:
    rows = [cells_of(row._asdict(), locale) for row in facts.unread]
    headings = _headings(UnreadDay._fields, locale)
    return Sheet(translate(N_("Unread days"), locale), headings, rows, leading=len(headings))


def _about(facts: MonthFacts, told: Told, locale: str) -> Sheet:
    """Return as of when, by which settings, and with which evidence all of it is."""
    stated: list[tuple[str, Value]] = [
        (caption("month", locale), say_month(told.month, locale)),
        (f"{caption('as of', locale)} ({facts.zone})", facts.as_of),
        (
            caption("evidence", locale),
            told.evidence or caption("none was written with this workbook", locale),
        ),
    ]
    if told.evidence_sha256:
        stated.append((caption("SHA-256 of the evidence", locale), told.evidence_sha256))
    stated += [(caption("warning", locale), text) for text in told.warnings]
    stated += [(name, _listed(value)) for name, value in told.settings.items()]
    stated.append(("wolkvox-billing", __version__))
    stated.append((caption("printed", locale), caption("the first columns of each sheet", locale)))
    headings = {"what": caption("what", locale), "value": caption("value", locale)}
    rows = [{"what": what, "value": value} for what, value in stated]
    return Sheet(translate(N_("About"), locale), headings, rows, leading=2, widest=70)


def _listed(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _in_order(leading: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return the columns that lead, and then all others."""
    return [*leading, *(name for name in names if name not in leading)]


def _headings(columns: Collection[str], locale: str) -> dict[str, str]:
    """Return the headings by column; of two that a person calls alike, the later one keeps its own
    name, since a filter goes by it."""
    headings: dict[str, str] = {}
    for column in columns:
        heading = heading_of(column, locale)
        headings[column] = column if heading in headings.values() else heading
    return headings
