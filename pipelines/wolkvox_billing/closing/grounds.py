"""What a close stands on: the month's verdicts as one text, and what was asked, agreed, questioned
and claimed of its documents as another one; and what has changed in them since.

Status and numbers, not the sentence, which changes with the language, nor the operation's name or
the policy: a close holds as long as its verdicts and its settlement are the same, by whatever
rules. A close of an earlier release kept no settlement, or no exchange effect, and holds without
them. What an operation counts as by what people decided later, it counted as then.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from wolkvox_billing.closing.records import Close
from wolkvox_billing.marts.identities import NOBODY, Identities
from wolkvox_billing.marts.reconciled import KEY, KINDS
from wolkvox_billing.marts.settled import SETTLEMENT_COLUMNS
from wolkvox_billing.reconciliation.captions import say_title
from wolkvox_billing.reconciliation.verdicts import NO_FINDING
from wolkvox_billing.values.periods import Period, format_month, months_of
from wolkvox_billing.values.translation import N_, ContractWord, Sentence, together
from wolkvox_billing.warehouse.sql import Client, literal, rows_of

# Those that the others follow from come first: they are told when something has changed.
CAUSES = ("reconciliation_status", "consumed_quantity", "billed_quantity", "contracted_unit_price",
          "contracted_cost", "billed_cost")  # fmt: skip
EFFECTS = ("quantity_variance", "cost_variance", "volume_effect", "price_effect",
           "exchange_effect", "invoice_ids", "hours_unread_at_end", "is_material")  # fmt: skip
# What two verdicts come to that are one by a later decision, if these are the same in both.
_ADDED = ("consumed_quantity", "billed_quantity", "contracted_cost", "billed_cost",
          "quantity_variance", "cost_variance", "volume_effect", "price_effect",
          "exchange_effect")  # fmt: skip
_SAME = ("reconciliation_status", "contracted_unit_price")
# Of a document, those that are told when they have changed.
SUMS = ("payable_amount", "agreed_amount", "questioned_amount", "claimed_amount", "settlement",
        "billing_currency")  # fmt: skip
_UNTIED = "does_not_tie_out"
_KEPT_LATER = "exchange_effect"
_MOST_CHANGES = 5  # are told in one sentence


class Ground(NamedTuple):
    """What a close stands on of one verdict: numbers as texts of 4 decimals, days in ISO 8601. A
    close made before has not the last field, and is compared without it."""

    supplier_id: str | None
    operation_id: str | None
    report: str | None
    product: str | None
    billing_period_start: str | None
    billing_period_end: str | None
    billing_currency: str | None
    reconciliation_status: str
    consumed_quantity: str | None
    billed_quantity: str | None
    contracted_unit_price: str | None
    contracted_cost: str | None
    billed_cost: str | None
    quantity_variance: str | None
    cost_variance: str | None
    volume_effect: str | None
    price_effect: str | None
    invoice_ids: str | None
    hours_unread_at_end: str | None
    is_material: bool
    exchange_effect: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in KEY)

    @property
    def says(self) -> Sentence:
        """Its key, as short as a person needs it."""
        unmapped = Sentence(N_("what no row of the line map fits"))
        subject = self.product or self.report or unmapped
        return together(filter(None, (self.operation_id, subject)), " ")

    def with_other(self, other: Ground) -> Ground:
        """Return what both are together; this one alone where they cannot be added up."""
        if any(getattr(self, name) != getattr(other, name) for name in _SAME):
            return self
        sums: dict[str, Any] = {
            name: _sum_of(getattr(self, name), getattr(other, name)) for name in _ADDED
        }
        ids = {*_ids_in(self.invoice_ids), *_ids_in(other.invoice_ids)}
        hours = [*filter(None, (self.hours_unread_at_end, other.hours_unread_at_end))]
        return self._replace(
            **sums,
            invoice_ids=",".join(sorted(ids)) or None,
            hours_unread_at_end=max(hours, key=Decimal, default=None),
            is_material=self.is_material or other.is_material,
        )


def _sum_of(number: str | None, other: str | None) -> str | None:
    return None if number is None or other is None else f"{Decimal(number) + Decimal(other):.4f}"


def _ids_in(invoice_ids: str | None) -> list[str]:
    return invoice_ids.split(",") if invoice_ids else []


class SettledGround(NamedTuple):
    """What a close stands on of one document: numbers as texts of 4 decimals."""

    document_id: str
    supplier_id: str | None
    document_kind: str
    document_number: str | None
    billing_currency: str | None
    payable_amount: str
    agreed_amount: str
    questioned_amount: str
    claimed_amount: str
    settlement: str

    @property
    def says(self) -> Sentence:
        return say_title(self.document_kind, self.document_number)


# Of invoice_reconciliation: what a close stands on, by the columns' types.
VERDICT_KINDS = {name: KINDS[name] for name in Ground._fields}
# Of invoice_settlement, with the time that decides of which months a document is.
_TIMES = ("billing_period_start", "billing_period_end")
SETTLED_KINDS = {name: SETTLEMENT_COLUMNS[name].kind for name in (*SettledGround._fields, *_TIMES)}


class Grounds(NamedTuple):
    """What a close stands on: a month's verdicts, or why they do not add up; and its documents as
    they were settled, None where nobody kept that."""

    verdicts: Sequence[Ground] = ()
    untied: str = ""
    settled: Sequence[SettledGround] | None = None

    def as_text(self) -> str:
        """Return JSON that is the same for the same verdicts: sorted."""
        if self.untied:
            return _as_sorted_json([{_UNTIED: self.untied}])
        return _as_sorted_json([row._asdict() for row in self.verdicts])

    def settlement_as_text(self) -> str | None:
        """Return the same of the documents."""
        if self.untied or self.settled is None:
            return None
        return _as_sorted_json([row._asdict() for row in self.settled])

    def under(self, identities: Identities) -> Grounds:
        """Return the verdicts by what their operations count as now; those of two operations that
        are one, together."""
        by_key: dict[tuple[object, ...], Ground] = {}
        for row in self.verdicts:
            current = row.operation_id and identities.current(row.operation_id)
            own = row._replace(operation_id=current or row.operation_id)
            by_key[own.key] = by_key[own.key].with_other(own) if own.key in by_key else own
        return self._replace(verdicts=[*by_key.values()])

    def without(self, name: str) -> Grounds:
        """Return the verdicts without one of their fields."""
        nothing: dict[str, Any] = {name: None}
        return self._replace(verdicts=[row._replace(**nothing) for row in self.verdicts])

    def doubts(self) -> list[str]:
        """Return why a month with these verdicts is closed for a reason only, in words."""
        if self.untied:
            return [Sentence(N_("it does not tie out: {why}"), why=self.untied)]
        if not self.verdicts:
            return [Sentence(N_("nothing was measured or billed in it"))]
        return [
            _doubt_of(row)
            for row in self.verdicts
            if row.is_material or row.reconciliation_status == "open_period"
        ]


@dataclass(frozen=True)
class NoLongerHolds:
    """A close whose month has other verdicts or another settlement now, and what changed, in
    words: first in its verdicts, then in its documents."""

    close: Close
    changes: list[str]
    settlement_changes: list[str] = field(default_factory=list)

    @property
    def says(self) -> Sentence:
        changes = together(_first(self.changes) + _first(self.settlement_changes))
        text = N_("{says}, and no longer holds: {changes}")
        return Sentence(text, says=self.close.says, changes=changes)

    def __str__(self) -> str:
        return str(self.says)


def _doubt_of(row: Ground) -> Sentence:
    if row.reconciliation_status in NO_FINDING[1:]:  # and yet material
        text = N_("{whose} is billed for copies that are not in the bucket")
        return Sentence(text, whose=row.says)
    status = ContractWord(row.reconciliation_status)
    return Sentence(N_("{whose} is {status}"), whose=row.says, status=status)


def _first(changes: Sequence[str]) -> list[str]:
    more = len(changes) - _MOST_CHANGES
    return [*changes[:_MOST_CHANGES], *([Sentence(N_("and {n} more"), n=more)] if more > 0 else [])]


# Of a month without a verdict and without a document.
NO_GROUNDS = Grounds(settled=())


def read_grounds(client: Client, marts: str, month: Period | None = None) -> dict[str, Grounds]:
    """Return what a close of each month would stand on, by the marts as they are; of one month
    alone where it is given."""
    of_month = ""
    if month:
        start, end = map(literal, month)
        of_month = f" AND billing_period_start < {end} AND billing_period_end > {start}"
    verdicts, documents = (
        rows_of(
            client,
            f"SELECT {', '.join(kinds)} FROM {marts}.{mart} "
            f"WHERE billing_period_start IS NOT NULL{of_month}",
        )
        for mart, kinds in (
            ("invoice_reconciliation", VERDICT_KINDS),
            ("invoice_settlement", SETTLED_KINDS),
        )
    )
    return grounds_by_month(verdicts, documents)


def grounds_by_month(
    verdict_rows: Iterable[tuple[Any, ...]], document_rows: Iterable[tuple[Any, ...]]
) -> dict[str, Grounds]:
    """Return what a close of each month would stand on, by rows with VERDICT_KINDS, and with
    SETTLED_KINDS."""
    verdicts: defaultdict[str, list[Ground]] = defaultdict(list)
    settled: defaultdict[str, list[SettledGround]] = defaultdict(list)
    start, end = map(Ground._fields.index, _TIMES)
    for row in verdict_rows:
        for month in months_of(Period(row[start], row[end])):  # a quarter is in three
            verdicts[format_month(month.start)].append(Ground._make(map(_as_json, row)))
    for row in document_rows:
        if all(row[-len(_TIMES) :]):
            document = SettledGround._make(map(_as_json, row[: -len(_TIMES)]))
            for month in months_of(Period(*row[-len(_TIMES) :])):
                settled[format_month(month.start)].append(document)
    return {
        month: Grounds(verdicts[month], settled=settled[month]) for month in {*verdicts, *settled}
    }


def digest(stands_on: str) -> str:
    return hashlib.sha256(stands_on.encode()).hexdigest()


def compare_grounds(
    close: Close, now: Grounds, identities: Identities = NOBODY
) -> NoLongerHolds | None:
    """Return what is not as it was when a month was closed; None if the close holds."""
    before = _parse(close.stands_on, close.settlement).under(identities)
    if not all(_KEPT_LATER in row for row in json.loads(close.stands_on)):
        now = now.without(_KEPT_LATER)
    is_whole = close.digest == digest(close.stands_on)
    are_same_verdicts = is_whole and before.as_text() == now.as_text()
    settlement = now.settlement_as_text()
    is_same_settlement = close.settlement is None or close.settlement == settlement
    if are_same_verdicts and (is_same_settlement or settlement is None):
        return None
    changes, of_documents = changes_between(before, now), settlement_changes(before, now)
    return NoLongerHolds(close, [*changes], [*of_documents])


def _parse(stands_on: str, settlement: str | None) -> Grounds:
    rows = json.loads(stands_on)
    settled = None
    if settlement is not None:
        documents = json.loads(settlement)
        settled = [SettledGround._make(map(row.get, SettledGround._fields)) for row in documents]
    if rows and _UNTIED in rows[0]:
        return Grounds(untied=rows[0][_UNTIED], settled=settled)
    return Grounds([Ground._make(map(row.get, Ground._fields)) for row in rows], settled=settled)


def settlement_changes(before: Grounds, now: Grounds) -> Iterator[str]:
    """Yield what is another thing now in each document, in words; nothing where one of the two is
    not known."""
    if before.settled is None or now.settled is None:
        return
    old, new = ({row.document_id: row for row in rows} for rows in (before.settled, now.settled))
    rows = {**old, **new}
    for document_id in sorted(rows, key=lambda own_id: (rows[own_id].says, own_id)):
        row = rows[document_id]
        if document_id not in old:
            sums = [
                Sentence("{name} {value}", name=name, value=_printed(getattr(row, name)))
                for name in map(ContractWord, SUMS[:4])
            ]
            yield Sentence(N_("{whose} is new: {sums}"), whose=row.says, sums=sums)
        elif document_id not in new:
            text = N_("{whose} is gone: it asked for {amount}")
            yield Sentence(text, whose=row.says, amount=_printed(row.payable_amount))
        elif steps := _steps(old[document_id], row, SUMS):
            yield Sentence("{whose}: {steps}", whose=row.says, steps=steps)


def changes_between(before: Grounds, now: Grounds) -> Iterator[str]:
    """Yield what is another thing now in each key of the verdicts, in words."""
    old, new = ({row.key: row for row in grounds.verdicts} for grounds in (before, now))
    for key in sorted({*old, *new}, key=str):
        row = new.get(key) or old[key]
        status = ContractWord(row.reconciliation_status)
        if key not in old:
            text = N_("{whose} is new: {status}, billed {amount}")
            amount = _printed(row.billed_cost)
            yield Sentence(text, whose=row.says, status=status, amount=amount)
        elif key not in new:
            yield Sentence(N_("{whose} is gone: it was {status}"), whose=row.says, status=status)
        elif change := _change(old[key], row):
            yield change
    if now.untied:
        yield Sentence(N_("it does not tie out"))
    elif before.untied:
        yield Sentence(N_("it did not tie out then"))


def _change(old: Ground, new: Ground) -> str:
    """What is another thing in a key; "" if nothing is."""
    changed = [name for name in CAUSES if getattr(old, name) != getattr(new, name)]
    changed = changed or [name for name in EFFECTS if getattr(old, name) != getattr(new, name)]
    if changed == ["invoice_ids"]:  # long, and nobody knows them by heart
        text = N_("{whose}: other documents bill it, with the same amounts")
        return Sentence(text, whose=new.says)
    steps = _steps(old, new, changed)
    return Sentence("{whose}: {steps}", whose=new.says, steps=steps) if steps else ""


def _steps(
    old: tuple[object, ...], new: tuple[object, ...], names: Iterable[str]
) -> list[Sentence]:
    """Return the old and the new value of each of these fields that is another one now."""
    values = [(ContractWord(name), getattr(old, name), getattr(new, name)) for name in names]
    return [
        Sentence("{name} {was} -> {now}", name=name, was=_printed(was), now=_printed(now))
        for name, was, now in values
        if was != now
    ]


def _as_sorted_json(rows: Iterable[dict[str, Any]]) -> str:
    texts = [json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows]
    return f"[{', '.join(sorted(texts))}]"


def _as_json(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:.4f}"
    return value.isoformat() if isinstance(value, date) else value


def _printed(value: object) -> object:
    """A number, which is written as a locale does; a contract's word; a text as it is."""
    if isinstance(value, str) and value.replace(".", "", 1).lstrip("-").isdigit():
        return Decimal(value)
    return Sentence(N_("unknown")) if value is None else ContractWord(value)
