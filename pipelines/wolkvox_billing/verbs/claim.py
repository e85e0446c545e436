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
from decimal import Decimal
from pathlib import Path
from typing import IO, NamedTuple
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.claims.claim_words import ClaimWriter
from wolkvox_billing.claims.letter import Letter, write_letter
from wolkvox_billing.claims.records import append_claim
from wolkvox_billing.closing.grounds import Grounds, read_grounds
from wolkvox_billing.closing.proof import Proof, read_proof
from wolkvox_billing.closing.signing import signed_words, signer
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence import Order, collect_contents, order_evidence, write_evidence
from wolkvox_billing.evidence.numbered_file import write_numbered
from wolkvox_billing.marts.claimed import CREDITED, OPEN, OpenClaim
from wolkvox_billing.marts.reconciled import COLUMNS, ReconciledRow
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.marts.settled import CLAIM, PAY
from wolkvox_billing.reconciliation.acceptance import deadlines_of
from wolkvox_billing.reconciliation.billed_documents import StatedDocument
from wolkvox_billing.reconciliation.billed_lines import read_billed_lines
from wolkvox_billing.reconciliation.claimed import (
    Claim,
    became_of,
    claims_by_name,
    notes_on,
    read_claims,
    read_open_claims,
)
from wolkvox_billing.reconciliation.mart import Filled, fill, fill_anew
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.settlement import Settled, read_settled
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.document_number import bare_number
from wolkvox_billing.values.periods import Period, read_month
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading
from wolkvox_billing.warehouse.sql import Client, rows_of

CLAIMED, CLAIMED_ANEW, CLAIMED_BEFORE = "claimed", "claimed_anew", "claimed_before"
_LETTER = ".docx"
_MOST_NAMED = 8  # documents in one message


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
    """What `claim` did about the documents of a month; `evidence` is the file that was written."""

    month: str
    claimed: list[ClaimedDocument] = field(default_factory=list)
    unclaimed: list[UnclaimedDocument] = field(default_factory=list)
    evidence: Path | None = None
    says: str = ""
    location: str = ""
    language: str = ""


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
        result = _Claiming(desk, pipeline, clock()).run(document)
        result.location = location_of(pipeline)
    return result


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

    Raises SettingsError without a reason, and where no such claim is open.
    """
    policy = policy or configured(read_policy)
    if not (why := signed_words(reason)):
        raise SettingsError("say with --reason why the claim is withdrawn")
    desk = _Desk(read_month(month), month, signer(by, "withdraws"), policy)
    with opened(destination, dataset) as pipeline, reading(pipeline), held_open(pipeline):
        result = _Claiming(desk, pipeline, clock()).withdraw(document, why)
        result.location = location_of(pipeline)
    return result


def list_claims(
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> tuple[list[OpenClaim], str]:
    """Return the claims that are not credited in whole, the oldest first, and the language of the
    settings. Raises WarehouseError where nothing is loaded."""
    with opened(destination, dataset) as pipeline, reading(pipeline), held_open(pipeline):
        refresh(pipeline, None, clock())
        with pipeline.sql_client() as client:
            claims = read_open_claims(client, f"{pipeline.dataset_name}_marts")
    language = (policy or configured(read_policy)).language
    return [claim for claim in claims if claim.status != CREDITED], language


class _Desk(NamedTuple):
    """What the person who claims says."""

    period: Period
    month: str
    by: str
    policy: Policy
    target: Path = Path()
    proof: Proof | None = None
    order: Order | None = None


class _Plan(NamedTuple):
    """A document that is claimed: its row of `claims` before evidence and letter are known, and
    what became of the claim before it. `is_again`: its letter is that of the row."""

    settled: Settled
    stated: StatedDocument
    made: str
    claim: Claim
    before: OpenClaim | None
    is_again: bool = False


class _Claiming:
    """A month by the verdicts of this moment, and what is claimed of it."""

    def __init__(self, desk: _Desk, pipeline: dlt.Pipeline, at: datetime) -> None:
        self.desk, self.pipeline = desk, pipeline
        self.at = at.astimezone(timezone.utc)
        self.raw, self.marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
        self.filled: Filled = fill_anew(pipeline, desk.policy, at, desk.period)
        with pipeline.sql_client() as client:
            if desk.proof:
                now = read_grounds(client, self.marts).get(desk.month, Grounds())
                desk.proof.check(client, self.raw, now)
            self.zone = _zone_of(client, self.marts)
            # As stored, rounded: they are compared with what was stored before.
            self.settled = read_settled(client, self.marts, desk.period)
            stated = read_billed_lines(client, self.raw, desk.policy).stated
            self.verdicts = _read_verdicts(client, self.marts)
            self.claims = claims_by_name(read_claims(client, self.raw))
        self.stated = {each.document.document_id: each for each in stated}
        self.writer = ClaimWriter(desk.policy.language, self.zone)

    def run(self, document: str | None) -> ClaimedMonth:
        """Return what was done, about one document or all."""
        settled = _choose(document, self.settled, self.desk.month) if document else self.settled
        plans = [self._plan(each) for each in settled if _is_claimed(each)]
        self._check_target(plans)
        result = ClaimedMonth(
            self.desk.month,
            unclaimed=[
                self._unclaimed(each)
                for each in settled
                if not _is_claimed(each) and (document or self._is_told(each))
            ],
            says="" if settled else self.writer.text("no_document", month=self.desk.month),
            language=self.desk.policy.language,
        )
        plans, result.evidence = self._prove(plans)
        names = _name_letters(self.desk, plans)
        for plan, name in zip(plans, names, strict=True):
            result.claimed.append(self._claim(plan, name))
        if any(plan.made != CLAIMED_BEFORE for plan in plans):
            fill(self.pipeline, self.desk.policy)
        return result

    def withdraw(self, document: str, reason: str) -> ClaimedMonth:
        """Return what was done about a claim that is no longer made."""
        number = bare_number(document)
        open_claims = [
            own
            for own in self.claims.values()
            if own[-1].month == self.desk.month
            and not own[-1].is_withdrawal
            and (number == bare_number(own[-1].document_number or "")
                 or own[-1].document_id.startswith(document.strip().lower()))
        ]  # fmt: skip
        if len(open_claims) != 1:
            raise SettingsError(
                f"{len(open_claims)} claims of {self.desk.month} are on {document!r}: "
                "`wolkvox-billing claim` lists those that are open"
            )
        [own] = open_claims
        before = became_of(own, [*self.stated.values()], self.zone)
        record = replace(
            self._numbered(own[-1], own),
            claimed_at=self.at,
            claimed_by=self.desk.by,
            claimed_amount=Decimal(),
            letter_sha256=None,
            evidence_sha256=None,
            evidence_name=None,
            reason=reason,
        )
        append_claim(self.pipeline, record)
        fill(self.pipeline, self.desk.policy)
        language = self.desk.policy.language
        says = self.writer.withdrawn(before)
        return ClaimedMonth(self.desk.month, says=says, language=language)

    def _plan(self, settled: Settled) -> _Plan:
        """Return what is to be done about a document of which something is claimed. It is the same
        claim again where what is claimed is what is still open of it."""
        row = settled.document
        stated = self.stated[row.document_id]
        fresh = self._row(settled)
        own, notes = self.claims.get(fresh.name, []), [*self.stated.values()]
        if not own:
            return _Plan(settled, stated, CLAIMED, fresh, None)
        last, before = own[-1], became_of(own, notes, self.zone)
        if before.status == CREDITED or last.is_withdrawal:
            return _Plan(settled, stated, CLAIMED, self._numbered(fresh, own), None)
        if before.status == OPEN and before.claimed_amount == row.claimed_amount:
            there = (last.notes_before or "").split(",")
            earlier = [n for n in notes if n.document.document_id in there]
            then = became_of(own[:-1], earlier, self.zone) if own[1:] else None
            if then and (then.status == CREDITED or own[-2].is_withdrawal):
                then = None
            return _Plan(settled, stated, CLAIMED_BEFORE, last, then, is_again=True)
        if before.open_amount == row.claimed_amount:
            rest = replace(fresh, claim_id=last.claim_id)
            return _Plan(settled, stated, CLAIMED_BEFORE, rest, before)
        return _Plan(settled, stated, CLAIMED_ANEW, self._numbered(fresh, own), before)

    def _row(self, settled: Settled) -> Claim:
        row = settled.document
        claim = Claim(
            claim_id=f"{row.document_id}.0001",
            month=self.desk.month,
            document_id=row.document_id,
            supplier_id=row.supplier_id,
            document_kind=row.document_kind,
            document_number=row.document_number,
            issue_date=row.issue_date,
            claimed_at=self.at,
            claimed_by=self.desk.by,
            billing_currency=row.billing_currency,
            payable_amount=row.payable_amount,
            agreed_amount=row.agreed_amount,
            questioned_amount=row.questioned_amount,
            claimed_amount=row.claimed_amount,
            acceptance_deadline=row.acceptance_deadline,
            letter_sha256="",
            evidence_sha256="",
            evidence_name="",
            reason=row.explanation,
            notes_before=None,
        )
        notes = notes_on(claim, self.stated.values())
        ids = sorted(note.document.document_id for note in notes)
        return replace(claim, notes_before=",".join(ids) or None)

    def _numbered(self, claim: Claim, own: Sequence[Claim]) -> Claim:
        return replace(claim, claim_id=f"{claim.document_id}.{len(own) + 1:04}")

    def _prove(self, plans: Sequence[_Plan]) -> tuple[list[_Plan], Path | None]:
        """Return the plans with the evidence that their letters name, and the file where it had to
        be written: of a letter that is written again it is the former one."""
        if all(plan.is_again for plan in plans):
            return [*plans], None
        proof, written = self.desk.proof, None
        if proof:
            name, sha256 = proof.file.name, proof.sha256
        else:
            assert self.desk.order  # where there is no proof
            contents = collect_contents(
                self.pipeline, self.desk.period, self.filled.rows, self.desk.policy
            )
            written = write_evidence(
                self.desk.order, contents, self.desk.policy, self.filled.warnings
            )
            name, sha256 = written.name, hashlib.sha256(written.read_bytes()).hexdigest()
        proven = [
            plan
            if plan.is_again
            else plan._replace(
                claim=replace(plan.claim, evidence_name=name, evidence_sha256=sha256)
            )
            for plan in plans
        ]
        return proven, written

    def _claim(self, plan: _Plan, target: Path) -> ClaimedDocument:
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
        own, notes = self.claims.get(claim.name, []), [*self.stated.values()]
        before = became_of(own, notes, self.zone) if own else None
        says = self.writer.claimed(plan.made, plan.settled.document, before)
        return ClaimedDocument(claim, plan.made, letter, says)

    def _letter(self, plan: _Plan) -> Letter:
        row, document = plan.settled.document, plan.stated.document
        start, end = row.billing_period_start, row.billing_period_end
        periods = [Period(start, end)] if start and end else []
        return Letter(
            claim=plan.claim,
            day=plan.claim.claimed_at.astimezone(self.zone).date(),
            document=document,
            settled=plan.settled,
            verdicts=_verdicts_of(plan.settled, self.verdicts),
            deadlines=deadlines_of(document, periods, self.zone),
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
            self.writer.unclaimed(row, self._became_of(settled)),
        )

    def _is_told(self, settled: Settled) -> bool:
        """Whether a document is worth a word of which nothing is claimed: what is questioned, or
        was claimed and is open."""
        before = self._became_of(settled)
        is_open = before is not None and before.open_amount > 0
        return settled.document.settlement != PAY or is_open

    def _became_of(self, settled: Settled) -> OpenClaim | None:
        own = self.claims.get(self._row(settled).name, [])
        return became_of(own, [*self.stated.values()], self.zone) if own else None

    def _check_target(self, plans: Sequence[_Plan]) -> None:
        """Raise SettingsError where one file is to hold several letters."""
        if self.desk.target.suffix.lower() == _LETTER and len(plans) > 1:
            raise SettingsError(
                f"{len(plans)} letters do not fit into {self.desk.target.name}: name a folder with "
                "--out, or one document with --document"
            )


def _is_claimed(settled: Settled) -> bool:
    return settled.document.settlement == CLAIM and settled.document.claimed_amount > 0


def _zone_of(client: Client, marts: str) -> tzinfo:
    [(zone,)] = rows_of(client, f"SELECT timezone FROM {marts}.refreshed")
    return ZoneInfo(zone)


def _read_verdicts(client: Client, marts: str) -> list[ReconciledRow]:
    columns = ", ".join(COLUMNS)
    return [
        ReconciledRow(*row)
        for row in rows_of(
            client,
            f"SELECT {columns} FROM {marts}.invoice_reconciliation WHERE invoice_ids IS NOT NULL "
            "ORDER BY billing_period_start, operation_id, report, product",
        )
    ]


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


def _choose(name: str, settled: Sequence[Settled], month: str) -> list[Settled]:
    """Return the document of a month with a number or id. Raises SettingsError for none or
    several."""
    number, beginning = bare_number(name), name.strip().lower()
    meant = [
        each
        for each in settled
        if (number and bare_number(each.document.document_number or "") == number)
        or (len(beginning) >= 8 and each.document.document_id.startswith(beginning))
    ]
    if len(meant) == 1:
        return meant
    if meant:
        ids = ", ".join(each.document.document_id[:12] for each in meant)
        raise SettingsError(
            f"{name!r} is {len(meant)} documents of {month}: name one by its id, {ids}"
        )
    numbers = [each.document.document_number or each.document.document_id[:12] for each in settled]
    told = ", ".join(numbers[:_MOST_NAMED]) + (", ..." if numbers[_MOST_NAMED:] else "")
    raise SettingsError(f"no document {name!r} bills {month}: there is {told or 'none'}")


def _name_letters(desk: _Desk, plans: Sequence[_Plan]) -> list[Path]:
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
