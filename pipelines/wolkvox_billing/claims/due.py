"""What `status` says of claims: of which documents the days run out, and which claims stay open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.marts.claimed import CREDITED, OpenClaim
from wolkvox_billing.marts.settled import CLAIM, QUESTION
from wolkvox_billing.reconciliation.billed_lines import read_standings
from wolkvox_billing.reconciliation.captions import say_title
from wolkvox_billing.reconciliation.claimed import claims_on_nothing, read_open_claims
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.standing_words import tell_open_claim
from wolkvox_billing.values.business_days import business_days_until
from wolkvox_billing.values.periods import format_month
from wolkvox_billing.values.translation import N_, Amount, Plural, Sentence
from wolkvox_billing.warehouse.sql import Client, among, rows_as, tables_in

WARNED_BEFORE = 2  # business days before the last day to claim
_MOST_NAMED = 5  # documents in one warning


_DUE = N_(
    "{title}: {questioned} questioned, {claimed} of it claimed, can be claimed until {last} "
    "({when}): see `wolkvox-billing claim {month}`; a count of days, no legal advice"
)
_DAYS_LEFT = Plural("{n} business day left", "{n} business days left")
_TOO_LATE = N_(
    "something is questioned, and was not claimed by the last day, of {documents}: ask who advises "
    "you what can still be done"
)
_DAYS = Plural("{n} day", "{n} days")


class DueDocument(NamedTuple):
    """A document of which something is claimed or questioned, and the last day to claim it."""

    document_id: str
    document_kind: str
    document_number: str | None
    billing_currency: str | None
    questioned_amount: Decimal
    claimed_amount: Decimal
    acceptance_deadline: date
    billing_period_start: date | None

    @property
    def title(self) -> Sentence:
        return say_title(self.document_kind, self.document_number)


def warn_of_claims(client: Client, raw: str, policy: Policy, today: date) -> list[str]:
    """Return the warnings of `status`, by the marts as they were filled last. What is worth no
    alarm by `materiality` is left out; a claim on what bills nothing any more is told."""
    marts = f"{raw}_marts"
    due = [
        document
        for document in _read_due(client, marts)
        if abs(document.questioned_amount) > policy.materiality_in(document.billing_currency)
    ]
    claims = read_open_claims(client, marts)
    warnings = say_what_is_due(due, claims, today)
    if any(claim.open_amount for claim in claims):
        standings = read_standings(client, raw, policy, tables_in(client, raw))
        warnings += [
            tell_open_claim(c, policy.language) for c in claims_on_nothing(claims, standings)
        ]
    return warnings


def say_what_is_due(
    due: Iterable[DueDocument], claims: Sequence[OpenClaim], today: date
) -> list[str]:
    """Return a sentence for each document whose last day is near, for all whose last day is past,
    and for each claim that is not credited in whole. What was claimed is no longer due."""
    claimed = {claim.document_id for claim in claims}
    due = [document for document in due if document.document_id not in claimed]
    return [*_warn_before(due, today), *_warn_after(due, today), *_warn_of_open(claims, today)]


def _read_due(client: Client, marts: str) -> list[DueDocument]:
    if "invoice_settlement" not in tables_in(client, marts):  # another version's
        return []
    is_due = f"{among('settlement', (CLAIM, QUESTION))} AND acceptance_deadline IS NOT NULL"
    order = "acceptance_deadline, document_number, document_id"
    source = f"{marts}.invoice_settlement WHERE {is_due} ORDER BY {order}"
    return rows_as(client, DueDocument, source)


def _warn_before(due: Iterable[DueDocument], today: date) -> Iterator[str]:
    for document in due:
        last = document.acceptance_deadline
        left = business_days_until(today, last)
        if last < today or left > WARNED_BEFORE:
            continue
        currency = document.billing_currency or ""
        yield Sentence(
            _DUE,
            title=document.title,
            questioned=Amount(document.questioned_amount, currency),
            claimed=Amount(document.claimed_amount),
            last=last,
            when=Sentence(_DAYS_LEFT, left, n=left) if left else Sentence(N_("today")),
            month=format_month(document.billing_period_start or last),
        )


def _warn_after(due: Sequence[DueDocument], today: date) -> Iterator[str]:
    late = [document for document in due if document.acceptance_deadline < today]
    if not late:
        return
    named: object = [
        Sentence("{title} ({day})", title=document.title, day=document.acceptance_deadline)
        for document in late[-_MOST_NAMED:]
    ]
    if (more := len(late) - _MOST_NAMED) > 0:
        named = Sentence(N_("{names} and {n} more"), names=named, n=more)
    yield Sentence(_TOO_LATE, documents=named)


def _warn_of_open(claims: Iterable[OpenClaim], today: date) -> Iterator[str]:
    for claim in claims:
        if claim.status == CREDITED:
            continue
        currency = claim.billing_currency or ""
        days = (today - claim.open_since).days
        yield Sentence(
            N_("{title}: {left} of {claimed} claimed is open since {since} ({days})"),
            title=say_title(claim.document_kind, claim.document_number),
            left=Amount(claim.open_amount, currency),
            claimed=Amount(claim.claimed_amount),
            since=claim.open_since,
            days=Sentence(_DAYS, days, n=days),
        )
