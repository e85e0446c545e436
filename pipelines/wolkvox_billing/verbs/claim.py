"""The verb `claim`: the letters of a month, and the rows in `claims`.

    verdicts of now ─▶ settled documents ─▶ what is claimed ─▶ evidence ─▶ claims ─▶ letters
                                            what is not, and why

A claim is recorded before its letter is written: what was sent can be known without the letter.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from typing import IO, NamedTuple
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.claims.claim_words import ClaimWriter
from wolkvox_billing.claims.letter import Letter, write_letter
from wolkvox_billing.claims.plans import (
    CLAIMED_BEFORE,
    Plan,
    Planner,
    choose_document,
    is_claimed,
)
from wolkvox_billing.claims.records import append_claim
from wolkvox_billing.closing.grounds import NO_GROUNDS, read_grounds
from wolkvox_billing.closing.proof import Proof, read_proof
from wolkvox_billing.closing.signing import signed_words, signer
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence import Order, collect_contents, order_evidence, write_evidence
from wolkvox_billing.evidence.numbered_file import write_numbered
from wolkvox_billing.marts.claimed import CREDITED, OpenClaim
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.marts.settled import PAY
from wolkvox_billing.reconciliation.acceptance import deadlines_of
from wolkvox_billing.reconciliation.billed_lines import read_billed_lines
from wolkvox_billing.reconciliation.claimed import (
    Claim,
    claims_by_name,
    read_claims,
    read_open_claims,
)
from wolkvox_billing.reconciliation.mart import Filled, fill_anew, fill_claims
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.settlement import Settled, read_settled
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.periods import Period, read_month
from wolkvox_billing.values.translation import N_, BillingMonth, Sentence
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading
from wolkvox_billing.warehouse.sql import Client, rows_as, rows_of, tables_in

_LETTER = ".docx"


@dataclass(frozen=True)
class ClaimedDocument:
    """A letter, and the claim that it is of. `made`: claimed, claimed_anew (another amount than
    before), claimed_before (no row was added)."""

    claim: Claim
    made: str
    letter: Path
    says: str


@dataclass(frozen=True)
class UnclaimedDocument:
    """A document of which nothing is claimed, and why."""

    document_id: str
    document_kind: str
    document_number: str | None
    supplier_id: str | None
    settlement: str
    says: str


@dataclass
class ClaimedMonth:
    """What `claim` did about the documents of a month; `evidence` is the file that was written,
    `location` where the tables are, `language` that of the sentences."""

    month: str
    language: str
    location: str
    claimed: list[ClaimedDocument] = field(default_factory=list)
    unclaimed: list[UnclaimedDocument] = field(default_factory=list)
    evidence: Path | None = None
    says: str = ""


# The keywords are what the command line has as options, and what tests set.
def claim(
    month: str,
    *,
    document: str | None = None,
    out: str | Path = ".",
    evidence: str | Path | None = None,
    files: Sequence[str | Path] = (),
    by: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> ClaimedMonth:
    """Return the ClaimedMonth of a month such as 2026-11: a letter for each of its documents of
    which something is claimed, in the folder or file `out`, and a row of `claims` for each that was
    not claimed so before.

    document: the only one that is claimed, by its number or document_id. evidence: the month's
    evidence file, as `close` takes it; without one it is written beside the letters, with what
    `files` has of the invoices. by: who claims; the user's login name without it.
    Raises SettingsError for words that cannot be meant, DoesNotTieOut, and WarehouseError where
    nothing can be recorded.
    """
    period = read_month(month)
    policy = policy or configured(read_policy)
    folder = Path(out).parent if Path(out).suffix.lower() == _LETTER else Path(out)
    desk = _Desk(
        period=period,
        month=month,
        by=signer(by, "claims"),
        policy=policy,
        target=Path(out),
        proof=read_proof(Path(evidence), month) if evidence is not None else None,
        order=order_evidence(folder, month, files),
    )
    with opened(destination, dataset) as pipeline, reading(pipeline), held_open(pipeline):
        return _Claiming(desk, pipeline, clock()).run(document)


# As above.
def withdraw_claim(
    month: str,
    *,
    document: str,
    reason: str | None,
    by: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> ClaimedMonth:
    """Return the ClaimedMonth in which a claim on a document of the month was withdrawn, by a row
    of `claims` with the amount 0; no letter is written.

    document: its number or document_id. by: who withdraws; the user's login name without it.
    Raises SettingsError without a reason, and where no such claim is open.
    """
    policy = policy or configured(read_policy)
    if not (why := signed_words(reason)):
        raise SettingsError(Sentence(N_("say with --reason why the claim is withdrawn")))
    desk = _Desk(read_month(month), month, signer(by, "withdraws"), policy)
    with opened(destination, dataset) as pipeline, reading(pipeline), held_open(pipeline):
        return _Claiming(desk, pipeline, clock()).withdraw(document, why)


def list_claims(
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> tuple[list[OpenClaim], str]:
    """Return the claims that are not credited in whole, the oldest first, and the language of the
    settings. Raises WarehouseError where nothing is loaded."""
    place = opened(destination, dataset, reads=True)
    with place as pipeline, reading(pipeline), held_open(pipeline):
        refresh(pipeline, None, clock())
        with pipeline.sql_client() as client:
            claims = read_open_claims(client, f"{pipeline.dataset_name}_marts")
    language = (policy or configured(read_policy)).language
    return [claim for claim in claims if claim.status != CREDITED], language


class _Desk(NamedTuple):
    """What the person who claims says. There is an order of evidence where there is no proof."""

    period: Period
    month: str
    by: str
    policy: Policy
    target: Path = Path()
    proof: Proof | None = None
    order: Order | None = None


class _Claiming:
    """A month by the verdicts of this moment, and what is claimed of it."""

    def __init__(self, desk: _Desk, pipeline: dlt.Pipeline, at: datetime) -> None:
        self.desk, self.pipeline = desk, pipeline
        raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
        self.filled: Filled = fill_anew(pipeline, desk.policy, at, desk.period)
        with pipeline.sql_client() as client:
            if desk.proof:
                now = read_grounds(client, marts).get(desk.month, NO_GROUNDS)
                desk.proof.check(client, raw, now)
            # As stored, rounded: they are compared with what was stored before.
            self.settled = read_settled(client, marts, desk.period)
            self.verdicts = rows_as(
                client,
                ReconciledRow,
                f"{marts}.invoice_reconciliation WHERE invoice_ids IS NOT NULL "
                "ORDER BY billing_period_start, operation_id, report, product",
            )
            tables = tables_in(client, raw)
            stated = read_billed_lines(client, raw, desk.policy, tables).stated
            self.planner = Planner(
                month=desk.month,
                at=at.astimezone(timezone.utc),
                by=desk.by,
                zone=_zone_of(client, marts),
                stated={each.document.document_id: each for each in stated},
                claims=claims_by_name(read_claims(client, raw, tables)),
            )
        language, location = desk.policy.language, location_of(pipeline)
        self.writer = ClaimWriter(language)
        self.result = ClaimedMonth(desk.month, language=language, location=location)

    def run(self, document: str | None) -> ClaimedMonth:
        """Return what was done, about one document or all."""
        month, settled, result = self.desk.month, self.settled, self.result
        if document:
            settled = [choose_document(document, settled, month)]
        plans = [self.planner.plan(each) for each in settled if self._is_due(each)]
        self._check_target(plans)
        result.unclaimed = [
            self._unclaimed(each)
            for each in settled
            if not self._is_due(each) and (document or self._is_told(each))
        ]
        if not settled:
            result.says = self.writer.text("no_document", month=BillingMonth.named(month))
        plans, result.evidence = self._prove(plans)
        targets = _name_letters(self.desk, plans)
        result.claimed = [*map(self._claim, plans, targets)]
        if any(plan.made != CLAIMED_BEFORE for plan in plans):
            self._refill()
        return result

    def withdraw(self, document: str, reason: str) -> ClaimedMonth:
        """Return what was done about a claim that is no longer made."""
        row, before = self.planner.withdrawal(document, reason)
        append_claim(self.pipeline, row)
        self._refill()
        self.result.says = self.writer.withdrawn(before)
        return self.result

    def _refill(self) -> None:
        """Let `claims_open` have what was claimed."""
        fill_claims(self.pipeline, self.desk.policy, self.planner.zone)

    def _prove(self, plans: Sequence[Plan]) -> tuple[list[Plan], Path | None]:
        """Return the plans with the evidence that their letters name, and the file where it had to
        be written: of a letter that is written again it is the former one."""
        if all(plan.is_again for plan in plans):
            return [*plans], None
        desk, written = self.desk, None
        if desk.proof:
            name, sha256 = desk.proof.file.name, desk.proof.sha256
        else:
            assert desk.order
            contents = collect_contents(self.pipeline, desk.period, self.filled, desk.policy)
            written = write_evidence(desk.order, contents, desk.policy, self.filled.warnings)
            name, sha256 = written.name, hashlib.sha256(written.read_bytes()).hexdigest()
        proven = [plan if plan.is_again else plan.with_evidence(name, sha256) for plan in plans]
        return proven, written

    def _claim(self, plan: Plan, target: Path) -> ClaimedDocument:
        """Return a document claimed: recorded where it was not, and with its letter written."""
        data = write_letter(self._letter(plan))
        claim = plan.claim
        if not plan.is_again:
            claim = replace(claim, letter_sha256=hashlib.sha256(data).hexdigest())
        if plan.made != CLAIMED_BEFORE:
            append_claim(self.pipeline, claim)

        def fill_file(file: IO[bytes]) -> None:
            file.write(data)

        letter = write_numbered(target, fill_file)
        before = self.planner.became_of(plan.settled)
        says = self.writer.claimed(plan.made, plan.settled.document, before)
        return ClaimedDocument(claim, plan.made, letter, says)

    def _letter(self, plan: Plan) -> Letter:
        row, document = plan.settled.document, plan.stated.document
        start, end = row.billing_period_start, row.billing_period_end
        periods = [Period(start, end)] if start and end else []
        return Letter(
            claim=plan.claim,
            day=plan.claim.claimed_at.astimezone(self.planner.zone).date(),
            document=document,
            settled=plan.settled,
            verdicts=_verdicts_of(plan.settled, self.verdicts),
            deadlines=deadlines_of(document, periods, self.planner.zone),
            before=plan.before,
            locale=self.desk.policy.language,
        )

    def _unclaimed(self, settled: Settled) -> UnclaimedDocument:
        row = settled.document
        return UnclaimedDocument(
            row.document_id,
            row.document_kind,
            row.document_number,
            row.supplier_id,
            row.settlement,
            self.writer.unclaimed(row, self.planner.became_of(settled)),
        )

    def _is_due(self, settled: Settled) -> bool:
        return is_claimed(settled) and not self.planner.is_given_back(settled)

    def _is_told(self, settled: Settled) -> bool:
        """Whether a document is worth a word of which nothing is claimed: what is questioned, or
        was claimed and is open."""
        before = self.planner.became_of(settled)
        is_open = before is not None and before.open_amount > 0
        return settled.document.settlement != PAY or is_open

    def _check_target(self, plans: Sequence[Plan]) -> None:
        """Raise SettingsError where one file is to hold several letters."""
        if self.desk.target.suffix.lower() == _LETTER and len(plans) > 1:
            text = N_(
                "{n} letters do not fit into {target}: name a folder with --out, or one document "
                "with --document"
            )
            raise SettingsError(Sentence(text, n=len(plans), target=self.desk.target.name))


def _zone_of(client: Client, marts: str) -> tzinfo:
    [(zone,)] = rows_of(client, f"SELECT timezone FROM {marts}.refreshed")
    return ZoneInfo(zone)


def _verdicts_of(settled: Settled, verdicts: Iterable[ReconciledRow]) -> list[ReconciledRow]:
    """Return the verdicts by which parts of a document are claimed."""
    keys = {
        (part.operation_id, part.report, part.product, part.billing_period_start)
        for part in settled.components
        if part.claimed_amount and part.report
    }
    return [
        row
        for row in verdicts
        if (row.operation_id, row.report, row.product, row.billing_period_start) in keys
        and settled.document.document_id in (row.invoice_ids or "").split(",")
    ]


def _name_letters(desk: _Desk, plans: Sequence[Plan]) -> list[Path]:
    """Return where each letter goes: no two to one place."""
    if desk.target.suffix.lower() == _LETTER:
        return [desk.target] * len(plans)
    stems = [
        re.sub(r"[^A-Za-z0-9._-]+", "_", plan.claim.document_number or plan.claim.document_id[:12])
        for plan in plans
    ]
    count = Counter(stem.lower() for stem in stems)
    names = [
        stem[-60:] if count[stem.lower()] == 1 else f"{stem[-60:]}-{plan.claim.document_id[:8]}"
        for stem, plan in zip(stems, plans, strict=True)
    ]
    return [desk.target / f"claim-{desk.month}-{name}{_LETTER}" for name in names]
