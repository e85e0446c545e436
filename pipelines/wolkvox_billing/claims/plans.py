"""What is to be done about each document of a month: claim it, claim it anew, or write its letter
again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.marts.claimed import CREDITED, OPEN, OpenClaim
from wolkvox_billing.marts.settled import CLAIM, SettledDocument
from wolkvox_billing.reconciliation.billed_documents import StatedDocument
from wolkvox_billing.reconciliation.claimed import Claim, became_of, notes_on
from wolkvox_billing.reconciliation.settlement import Settled
from wolkvox_billing.values.document_number import is_called
from wolkvox_billing.values.translation import N_, BillingMonth, Sentence

CLAIMED, CLAIMED_ANEW, CLAIMED_BEFORE = "claimed", "claimed_anew", "claimed_before"
_SHORTEST = 8  # characters of a document_id that may stand for it
_MOST_NAMED = 8  # documents in one message


class Plan(NamedTuple):
    """A document that is claimed: its row of `claims` before evidence and letter are known, and
    what became of the claim before it. `is_again`: its letter is that of a row that is there."""

    settled: Settled
    stated: StatedDocument
    made: str
    claim: Claim
    before: OpenClaim | None
    is_again: bool = False

    def with_evidence(self, name: str, sha256: str) -> Plan:
        """Return the plan with the file that its letter names."""
        claim = replace(self.claim, evidence_name=name, evidence_sha256=sha256)
        return self._replace(claim=claim)


@dataclass(frozen=True)
class Planner:
    """Who claims a month, and when; the documents that count, by document_id, and the claims on
    each so far, by the name of a claim."""

    month: str
    at: datetime
    by: str
    zone: tzinfo
    stated: Mapping[str, StatedDocument]
    claims: Mapping[tuple[str | None, ...], Sequence[Claim]]

    def plan(self, settled: Settled) -> Plan:
        """Return what is to be done about a document of which something is claimed. It is the same
        claim again where what is claimed is what is still open of it."""
        row = settled.document
        stated = self.stated[row.document_id]
        own = self._claims_on(settled)
        fresh = _numbered(self._row(settled), own)
        if not own:
            return Plan(settled, stated, CLAIMED, fresh, None)
        last, before = own[-1], self._became_of(own)
        if before.status == CREDITED or last.is_withdrawal:
            return Plan(settled, stated, CLAIMED, fresh, None)
        if before.status == OPEN and before.claimed_amount == row.claimed_amount:
            former = self._before_last(own)
            return Plan(settled, stated, CLAIMED_BEFORE, last, former, is_again=True)
        if before.open_amount == row.claimed_amount:
            rest = replace(fresh, claim_id=last.claim_id)
            return Plan(settled, stated, CLAIMED_BEFORE, rest, before)
        return Plan(settled, stated, CLAIMED_ANEW, fresh, before)

    def is_given_back(self, settled: Settled) -> bool:
        """Return whether what is claimed is what was claimed before, and notes gave back: the
        settlement of the document does not show it, for they are no part of its verdicts."""
        own = self._claims_on(settled)
        if not own or own[-1].is_withdrawal:
            return False
        before = self._became_of(own)
        is_same = before.claimed_amount == settled.document.claimed_amount
        return is_same and before.status == CREDITED

    def became_of(self, settled: Settled) -> OpenClaim | None:
        """Return what became of the newest claim on a document; None where there is none."""
        own = self._claims_on(settled)
        return self._became_of(own) if own else None

    def withdrawal(self, name: str, reason: str) -> tuple[Claim, OpenClaim]:
        """Return the row that takes back the claim on a document of the month, and what had become
        of the claim. Raises SettingsError where there is no such claim."""
        meant = [
            own
            for own in self.claims.values()
            if own[-1].month == self.month
            and not own[-1].is_withdrawal
            and _is_meant(name, own[-1])
        ]
        if len(meant) != 1:
            month = BillingMonth.named(self.month)
            text = N_(
                "{n} claims of {month} are on {name}: `wolkvox-billing claim` lists those that are "
                "open"
            )
            raise SettingsError(Sentence(text, n=len(meant), month=month, name=repr(name)))
        [own] = meant
        row = replace(
            _numbered(own[-1], own),
            claimed_at=self.at,
            claimed_by=self.by,
            claimed_amount=Decimal(),
            letter_sha256=None,
            evidence_sha256=None,
            evidence_name=None,
            reason=reason,
        )
        return row, self._became_of(own)

    def _claims_on(self, settled: Settled) -> Sequence[Claim]:
        return self.claims.get(self._row(settled).name, ())

    def _became_of(self, own: Sequence[Claim]) -> OpenClaim:
        return became_of(own, [*self.stated.values()], self.zone)

    def _before_last(self, own: Sequence[Claim]) -> OpenClaim | None:
        """Return what had become of the last claim but one when the last one was made, as its
        letter has it."""
        *earlier, last = own
        if not earlier or earlier[-1].is_withdrawal:
            return None
        then = (last.notes_before or "").split(",")
        notes = [self.stated[document_id] for document_id in then if document_id in self.stated]
        before = became_of(earlier, notes, self.zone)
        return None if before.status == CREDITED else before

    def _row(self, settled: Settled) -> Claim:
        row = settled.document
        claim = Claim(
            claim_id="",
            month=self.month,
            document_id=row.document_id,
            supplier_id=row.supplier_id,
            document_kind=row.document_kind,
            document_number=row.document_number,
            issue_date=row.issue_date,
            claimed_at=self.at,
            claimed_by=self.by,
            billing_currency=row.billing_currency,
            payable_amount=row.payable_amount,
            agreed_amount=row.agreed_amount,
            questioned_amount=row.questioned_amount,
            claimed_amount=row.claimed_amount,
            acceptance_deadline=row.acceptance_deadline,
            letter_sha256=None,
            evidence_sha256=None,
            evidence_name=None,
            reason=row.explanation,
            notes_before=None,
        )
        notes = notes_on(claim, self.stated.values())
        ids = sorted(note.document.document_id for note in notes)
        return replace(claim, notes_before=",".join(ids) or None)


def is_claimed(settled: Settled) -> bool:
    """Whether a finding blames the supplier for anything in a document."""
    return settled.document.settlement == CLAIM and settled.document.claimed_amount > 0


def choose_document(name: str, settled: Sequence[Settled], month: str) -> Settled:
    """Return the document of a month with a number or id. Raises SettingsError for none or
    several."""
    meant = [each for each in settled if _is_meant(name, each.document)]
    if len(meant) == 1:
        return meant[0]
    asked = {"name": repr(name), "month": BillingMonth.named(month)}
    if meant:
        ids = [each.document.document_id[:12] for each in meant]
        text = N_("{name} is {n} documents of {month}: name one by its id, {ids}")
        raise SettingsError(Sentence(text, **asked, n=len(meant), ids=ids))
    numbers = [each.document.document_number or each.document.document_id[:12] for each in settled]
    told = ", ".join(numbers[:_MOST_NAMED]) + (", ..." if numbers[_MOST_NAMED:] else "")
    text = N_("no document {name} bills {month}: there is {documents}")
    raise SettingsError(Sentence(text, **asked, documents=told or "none"))


def _is_meant(name: str, row: Claim | SettledDocument) -> bool:
    return is_called(name, row.document_number, row.document_id, shortest=_SHORTEST)


def _numbered(claim: Claim, own: Sequence[Claim]) -> Claim:
    return replace(claim, claim_id=f"{claim.document_id}.{len(own) + 1:04}")
