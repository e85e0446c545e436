"""Which pieces of a verdict's lines explain its variance.

what comes to it by itself            a document that bills it, or else single pieces: the last one
                                      first, and all of it; what others bill is then as agreed
what is billed beyond the contract    first what a document puts on beside its lines; then what the
                                      documents bill, of which the first one has what is agreed
what is billed short of it            first what a document takes off, then what lines take off,
                                      then the other lines
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from wolkvox_billing.reconciliation.billed_documents import share_out
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.values.document_number import bare_number

LINE, ALLOWANCE, CHARGE = "line", "allowance", "charge"
_NOTHING = Decimal()
_MOST_ALIKE = 3  # pieces that a variance may be together,
_MOST_SEARCHED = 40  # of so many


class Piece(NamedTuple):
    """An amount of a line by itself, or of what its document puts on or takes off; as it adds to
    what is asked for. `questioned` and `claimed` are parts of it; `tax_rates` are the lowest and
    the highest rate of tax that the contract may mean for it, None where it names none."""

    kind: str
    amount: Decimal
    questioned: Decimal = _NOTHING
    claimed: Decimal = _NOTHING
    tax_rates: tuple[Decimal, Decimal] | None = None


def spread_over(
    variance: Decimal, pieces: Sequence[tuple[BilledLine, Piece]], tolerance: Decimal
) -> list[Decimal]:
    """Return the variance of a verdict in parts, one for each piece of its lines. Where pieces come
    to it within the tolerance, they are all of it."""
    amounts = [piece.amount for _, piece in pieces]
    documents = _by_document(pieces)
    for items in (documents, [[n] for n in range(len(pieces))]):
        if explaining := _explaining(variance, items, amounts, tolerance):
            return [amount if n in explaining else _NOTHING for n, amount in enumerate(amounts)]
    own = [piece for _, piece in pieces]
    is_beside = any(piece.kind != LINE and piece.amount > 0 for piece in own)
    if variance <= 0 or len(documents) == 1 or is_beside:
        return spread(variance, own)
    parts = [_NOTHING] * len(pieces)
    for places, share in _fill(variance, documents, amounts, tolerance):
        for n, part in zip(places, spread(share, [own[n] for n in places]), strict=True):
            parts[n] = part
    return parts


def _by_document(pieces: Iterable[tuple[BilledLine, Piece]]) -> list[list[int]]:
    """Return the places of what each document bills, in the order of issue, notes last; that of a
    note which gives back with what it gives back."""
    lines = [line for line, _ in pieces]
    bills = {
        bare_number(line.document_number): line.document_id
        for line in lines
        if line.document_number and line.amount > 0
    }
    places: dict[str, list[int]] = {}
    for n in sorted(range(len(lines)), key=lambda n: _by_issue(lines[n])):
        line = lines[n]
        document_id = line.document_id
        if line.is_note and line.amount < 0:
            document_id = bills.get(bare_number(line.corrects_number or ""), document_id)
        places.setdefault(document_id, []).append(n)
    return [*places.values()]


def _by_issue(line: BilledLine) -> tuple[object, ...]:
    return (line.is_note, line.issued or date.max, line.document_number or "", line.document_id,
            line.line_number)  # fmt: skip


def _explaining(
    variance: Decimal,
    items: Sequence[Sequence[int]],
    amounts: Sequence[Decimal],
    tolerance: Decimal,
) -> set[int]:
    """Return the places of the fewest items that come to a variance, the last ones first; none
    where no few of them do, or all of them together."""
    sums = [sum((amounts[n] for n in places), _NOTHING) for places in items]
    last_first = [n for n in reversed(range(len(items))) if sums[n] * variance > 0]
    for count in range(1, min(_MOST_ALIKE, len(items) - 1) + 1):
        for some in combinations(last_first[:_MOST_SEARCHED], count):
            if abs(sum((sums[n] for n in some), _NOTHING) - variance) <= tolerance:
                return {place for n in some for place in items[n]}
    return set()


def _fill(
    variance: Decimal,
    documents: Sequence[Sequence[int]],
    amounts: Sequence[Decimal],
    tolerance: Decimal,
) -> Iterator[tuple[Sequence[int], Decimal]]:
    """Yield the documents with how much of each is beyond what is agreed of all: of that the first
    one has as much as it bills, and the next one what is left."""
    sums = [sum((amounts[n] for n in places), _NOTHING) for places in documents]
    left = sum(sums, _NOTHING) - variance
    left -= sum((own for own in sums if own < 0), _NOTHING)
    for places, own in zip(documents, sums, strict=True):
        if own <= 0:
            continue
        share = own - max(min(own, left), _NOTHING)
        left -= own - share
        if share > tolerance:
            yield places, share


def spread(variance: Decimal, pieces: Sequence[Piece]) -> list[Decimal]:
    """Return a variance in parts, one a piece: it is taken out of those first that explain it."""
    if not variance:
        return [_NOTHING] * len(pieces)
    parts, left = [_NOTHING] * len(pieces), variance
    tiers: tuple[list[int], ...] = ([], [], [])
    for n, piece in enumerate(pieces):
        is_of_its_sign = piece.amount and (piece.amount > 0) == (variance > 0)
        tiers[(1 if piece.kind == LINE else 0) if is_of_its_sign else 2].append(n)
    for tier in tiers[:2]:
        amounts = [pieces[n].amount for n in tier]
        total = sum(amounts, _NOTHING)
        shares = share_out(left, amounts) if abs(left) < abs(total) else amounts
        for n, share in zip(tier, shares, strict=True):
            parts[n] = share
            left -= share
    if left and pieces:
        rest = tiers[2] or [*range(len(pieces))]
        for n, share in zip(
            rest, share_out(left, [abs(pieces[n].amount) for n in rest]), strict=True
        ):
            parts[n] += share
    return parts
