"""What credit notes of another month give back of a document: nobody claims it.

A note is in the verdict of the use that it gives back. One that says that it is of another period
than the document which it corrects is in a verdict of that period, so that the document's own still
finds too much: to claim that would be to ask twice for the same money.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import NamedTuple, TypeAlias

from wolkvox_billing.marts.settled import InvoiceComponent
from wolkvox_billing.reconciliation.billed_documents import (
    BilledDocument,
    LineId,
    StatedDocument,
    StatedLine,
)
from wolkvox_billing.reconciliation.components import payable_of
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.reconciliation.questions import JudgedLine
from wolkvox_billing.reconciliation.set_off import unclaimed
from wolkvox_billing.reconciliation.settlement_words import SettlementWriter
from wolkvox_billing.reconciliation.spreading import LINE
from wolkvox_billing.values.document_number import bare_number

_ALL, _SMALLEST = Fraction(1), Decimal("0.0001")
Lines: TypeAlias = Mapping[str, Sequence[BilledLine]]  # by document_id


class GivenBack(NamedTuple):
    """A credit note, and what it gives back, tax included: an amount above 0."""

    note: BilledDocument
    amount: Decimal


def notes_of_other_months(
    documents: Iterable[StatedDocument], lines: Lines
) -> dict[str, list[GivenBack]]:
    """Return by the document_id of each invoice the credit notes on it that are of another time."""
    documents = list(documents)
    notes: defaultdict[tuple[str | None, str], list[StatedDocument]] = defaultdict(list)
    for stated in documents:
        if stated.document.kind == "credit_note" and stated.document.corrects_number:
            notes[stated.document.corrected].append(stated)
    given_back: dict[str, list[GivenBack]] = {}
    for stated in documents if notes else ():
        document = stated.document
        if document.kind == "credit_note":
            continue
        elsewhere = [
            GivenBack(note.document, -payable_of(note))
            for note in notes.get((document.supplier_id, bare_number(document.number or "")), ())
            if note.document.currency == document.currency
            and payable_of(note) < 0
            and not _is_of_one_time(lines, document, note.document)
        ]
        if elsewhere:
            given_back[document.document_id] = elsewhere
    return given_back


def _is_of_one_time(lines: Lines, document: BilledDocument, note: BilledDocument) -> bool:
    own, others = (
        [line.period for line in lines.get(each.document_id, ()) if line.period]
        for each in (document, note)
    )
    return any(period.overlaps(other) for period in own for other in others)


def without_given_back(
    components: Sequence[InvoiceComponent],
    given_back: Sequence[GivenBack],
    writer: SettlementWriter,
) -> list[InvoiceComponent]:
    """Return the components, of which nothing is claimed that these notes give back: it stays
    questioned, with that reason."""
    parts = list(components)
    for note, amount in given_back:
        parts = unclaimed(parts, amount, partial(writer.given_back_by, note))
    return parts


def unclaimed_lines(
    lines: Iterable[StatedLine],
    judged: Mapping[LineId, JudgedLine],
    before: Iterable[InvoiceComponent],
    left: Iterable[InvoiceComponent],
) -> dict[LineId, JudgedLine]:
    """Return the lines of a document of which less is claimed than before, so that a verdict claims
    what its documents do. Of what the document puts on or takes off, each line bears its share."""
    shares: dict[tuple[str, int | None], Fraction] = {}
    for old, new in zip(before, left, strict=True):
        if old.claimed_amount != new.claimed_amount:
            share = Fraction(new.claimed_amount) / Fraction(old.claimed_amount)
            shares[old.component, old.line_number] = share
    unclaimed: dict[LineId, JudgedLine] = {}
    for line in lines:
        own = judged[line.id]
        pieces = [
            piece._replace(claimed=_share_of(piece.claimed, shares.get(place, _ALL)))
            for piece in own.pieces
            for place in [(piece.kind, line.line_number if piece.kind == LINE else None)]
        ]
        if pieces != [*own.pieces]:
            unclaimed[line.id] = own._replace(pieces=pieces)
    return unclaimed


def _share_of(amount: Decimal, share: Fraction) -> Decimal:
    part = Fraction(amount) * share
    return (Decimal(part.numerator) / Decimal(part.denominator)).quantize(_SMALLEST)
