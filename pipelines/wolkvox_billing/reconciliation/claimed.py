"""What was claimed, and what of it is still open.

    claims (append-only) ──newest of a document──┐
    credit notes that came after it ─────────────┴─▶ claims_open

A note that was there when the claim was made is in its verdict already, and closes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, get_type_hints

from wolkvox_billing.marts.claimed import CREDITED, CREDITED_IN_PART, OPEN, OpenClaim
from wolkvox_billing.reconciliation.billed_documents import BilledDocument, StatedDocument
from wolkvox_billing.reconciliation.components import payable_of
from wolkvox_billing.reconciliation.counting import Standing
from wolkvox_billing.values.document_number import bare_number
from wolkvox_billing.warehouse.columns import AMOUNT, DATE, TEXT, TIME, Table
from wolkvox_billing.warehouse.sql import Client, rows_as, tables_in

CLAIMS = "claims"
_NOTHING = Decimal()


@dataclass(frozen=True)
class Claim:
    """A row of `claims`. Amounts are in the document's currency, with tax."""

    claim_id: Annotated[str, (TEXT, "The document_id and the claim's number on it, from 1")]
    month: Annotated[str, (TEXT, "The month that was claimed, such as 2026-11")]
    document_id: Annotated[str, (TEXT, "The document, as in invoice_documents")]
    supplier_id: Annotated[str | None, (TEXT, "The supplier's tax id")]
    document_kind: Annotated[str, (TEXT, "invoice, credit_note, debit_note, corrected_invoice")]
    document_number: Annotated[str | None, (TEXT, "The number, as the document has it")]
    issue_date: Annotated[date | None, (DATE, "The day of issue, as the document says")]
    claimed_at: Annotated[datetime, (TIME, "When it was claimed (UTC)")]
    claimed_by: Annotated[str, (TEXT, "Who claimed it")]
    billing_currency: Annotated[str | None, (TEXT, "The currency of the amounts")]
    payable_amount: Annotated[Decimal, (AMOUNT, "What the document asks for, tax included")]
    agreed_amount: Annotated[Decimal, (AMOUNT, "What was agreed of it then")]
    questioned_amount: Annotated[Decimal, (AMOUNT, "What was questioned of it then")]
    claimed_amount: Annotated[
        Decimal, (AMOUNT, "What was claimed of it; 0 where the claim was withdrawn")
    ]
    acceptance_deadline: Annotated[
        date | None, (DATE, "The last day to claim it, by a count of days")
    ]
    letter_sha256: Annotated[
        str | None, (TEXT, "SHA-256 of the letter, as it was written; NULL of a withdrawal")
    ]
    evidence_sha256: Annotated[str | None, (TEXT, "SHA-256 of the evidence that the letter names")]
    evidence_name: Annotated[str | None, (TEXT, "The name of that file")]
    reason: Annotated[str, (TEXT, "The settlement of the document then, or why it was withdrawn")]
    notes_before: Annotated[
        str | None, (TEXT, "document_id of the credit notes that were there already, with commas")
    ]

    @property
    def number(self) -> int:
        """Its place among the claims on the document, from 1."""
        return int(self.claim_id.rpartition(".")[2])

    @property
    def is_withdrawal(self) -> bool:
        return not self.claimed_amount

    @property
    def name(self) -> tuple[str | None, ...]:
        """What claims on one document have in common, be it read from two files."""
        number = bare_number(self.document_number or "")
        if not number:
            return (self.document_id,)
        return self.supplier_id, self.document_kind, number


CLAIM_TABLES = {
    CLAIMS: Table(
        "One row per claim on a document; the newest of a document counts, and none is changed",
        ("claim_id",),
        {
            name: hint.__metadata__[0]
            for name, hint in get_type_hints(Claim, include_extras=True).items()
        },
    )
}


def read_claims(client: Client, raw: str, tables: Collection[str]) -> list[Claim]:
    """Return all claims in the order in which they were made; none before the first. tables: those
    that are there."""
    if CLAIMS not in tables:
        return []
    return rows_as(client, Claim, f"{raw}.{CLAIMS} ORDER BY claimed_at, claim_id")


def claims_by_name(claims: Iterable[Claim]) -> dict[tuple[str | None, ...], list[Claim]]:
    """Return the claims on each document in their order, which no clock decides."""
    by_name: defaultdict[tuple[str | None, ...], list[Claim]] = defaultdict(list)
    for claim in sorted(claims, key=lambda claim: claim.number):
        by_name[claim.name].append(claim)
    return dict(by_name)


def open_claims(
    claims: Iterable[Claim], documents: Iterable[StatedDocument], zone: tzinfo
) -> list[OpenClaim]:
    """Return what became of the newest claim on each document, by the documents that count; nothing
    of one that was withdrawn."""
    notes = [stated for stated in documents if stated.document.kind == "credit_note"]
    return [
        became_of(own, notes, zone)
        for own in claims_by_name(claims).values()
        if not own[-1].is_withdrawal
    ]


def claims_on_nothing(
    claims: Iterable[OpenClaim], standings: Sequence[Standing]
) -> list[OpenClaim]:
    """Return the claims that are still open though the document bills nothing any more, nor another
    one with its number."""
    counting = [standing.document for standing in standings if standing.counts]
    return [
        claim
        for claim in claims
        if claim.open_amount and not any(is_claim_on(claim, document) for document in counting)
    ]


def is_claim_on(claim: OpenClaim, document: BilledDocument) -> bool:
    """Whether a claim is on a document, be it read from another file."""
    name = claim.supplier_id, claim.document_kind, bare_number(claim.document_number or "")
    return claim.document_id == document.document_id or (name[-1] != "" and name == document.name)


def notes_on(claim: Claim, notes: Iterable[StatedDocument]) -> list[StatedDocument]:
    """Return the credit notes that refer to a claimed document: of its supplier, in its currency,
    and not issued before it."""
    number = bare_number(claim.document_number or "")
    return [
        stated
        for stated in notes
        if number
        and stated.document.kind == "credit_note"
        and stated.document.corrected == (claim.supplier_id, number)
        and stated.document.currency == claim.billing_currency
        and not _is_before(stated.document.issued, claim.issue_date)
    ]


def _is_before(day: date | None, other: date | None) -> bool:
    return bool(day and other and day < other)


def _notes_after(claim: Claim, notes: Iterable[StatedDocument]) -> list[StatedDocument]:
    before = set((claim.notes_before or "").split(","))
    return [n for n in notes_on(claim, notes) if n.document.document_id not in before]


def _credited(notes: Iterable[StatedDocument]) -> Decimal:
    return -sum((payable_of(note) for note in notes), _NOTHING)


def became_of(own: Sequence[Claim], notes: Sequence[StatedDocument], zone: tzinfo) -> OpenClaim:
    """Return what became of the newest of the claims on a document, by these credit notes."""
    *_, claim = own
    after = _notes_after(claim, notes)
    credited = _credited(after)
    left = max(claim.claimed_amount - credited, _NOTHING)
    status = OPEN if not credited else CREDITED_IN_PART if left else CREDITED
    numbers = sorted(note.document.number or "?" for note in after)
    return OpenClaim(
        claim_id=claim.claim_id,
        month=claim.month,
        document_id=claim.document_id,
        supplier_id=claim.supplier_id,
        document_kind=claim.document_kind,
        document_number=claim.document_number,
        issue_date=claim.issue_date,
        billing_currency=claim.billing_currency,
        claimed_amount=claim.claimed_amount,
        credited_amount=credited,
        open_amount=left,
        status=status,
        open_since=_open_since(own, notes).astimezone(zone).date(),
        claimed_on=claim.claimed_at.astimezone(zone).date(),
        claimed_by=claim.claimed_by,
        acceptance_deadline=claim.acceptance_deadline,
        credit_notes=",".join(numbers) or None,
    )


def _open_since(own: Sequence[Claim], notes: Sequence[StatedDocument]) -> datetime:
    """Return when the first claim was made that what came before the next did not give back."""
    since = own[0].claimed_at
    for claim, following in pairwise(own):
        before = set((following.notes_before or "").split(","))
        between = [n for n in _notes_after(claim, notes) if n.document.document_id in before]
        if _credited(between) >= claim.claimed_amount:
            since = following.claimed_at
    return since


def read_open_claims(client: Client, marts: str) -> list[OpenClaim]:
    """Return the rows of `claims_open` as they were filled last, the oldest first."""
    if "claims_open" not in tables_in(client, marts):  # another version's
        return []
    order = "open_since, supplier_id, document_number, document_id"
    return rows_as(client, OpenClaim, f"{marts}.claims_open ORDER BY {order}")
