"""The verb `close`: who signed off a month, when, and on which verdicts and settlement; never
changed afterwards.

    verdicts, settlement of the month ──▶ month_closes   closed ─▶ reopened ─▶ closed ─▶ ...
    verdicts, settlement as they are now ──▶ the same? if not, the close no longer holds

`records` are the rows of month_closes, `grounds` what they stand on, `proof` the evidence file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.closing.grounds import (
    NO_GROUNDS,
    Grounds,
    NoLongerHolds,
    compare_grounds,
    digest,
    read_grounds,
)
from wolkvox_billing.closing.records import (
    Close,
    NotClosed,
    append,
    newest,
    next_id,
    read_closes,
)
from wolkvox_billing.closing.signing import signed_words, signer
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.marts.identities import Identities, read_identities
from wolkvox_billing.marts.refresh import may_refresh
from wolkvox_billing.marts.settled import SettledDocument
from wolkvox_billing.reconciliation.claimed import read_open_claims
from wolkvox_billing.reconciliation.mart import fill, fill_anew
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.settlement import read_settled
from wolkvox_billing.reconciliation.standing_words import tell_claims
from wolkvox_billing.reconciliation.totals import DoesNotTieOut
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.periods import read_month
from wolkvox_billing.values.translation import N_, BillingMonth, Sentence, together
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, opened, reading
from wolkvox_billing.warehouse.sql import rows_of

if TYPE_CHECKING:  # it takes as long to come as all else here, and `reconcile` asks for closes
    from wolkvox_billing.closing.proof import Proof

__all__ = ["Close", "NoLongerHolds", "NotClosed", "check_closes", "close", "find_broken_closes",
           "reopen", "settlement_of", "warnings_of_closes"]  # fmt: skip


# The keywords of `close` and `reopen` are what the command line has as options, and what tests set.
def close(
    month: str,
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    by: str | None = None,
    reason: str | None = None,
    evidence: str | Path | None = None,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Close:
    """Return the Close of a month such as 2026-11, recorded in `month_closes`.

    by: who signs; the user's login name without it. evidence: the month's evidence file, whose
    SHA-256 is kept; it has to be whole, of this record, and of the verdicts of now.
    reason: closes a month with an alarm, one whose invoice may still come, one without a verdict,
    and one that does not tie out.
    Raises SettingsError for words that cannot be meant, NotClosed for a month that is closed or not
    over, or that needs a reason, and WarehouseError where nothing can be recorded.
    """
    signature = _sign(month, by, reason, evidence, policy)
    with _judged(month, destination, dataset, signature, clock) as now:
        _check_over(now)
        if now.last and now.last.status == "closed":
            if not (broken := compare_grounds(now.last, now.grounds, now.identities)):
                text = N_("{says}, and still holds: there is nothing to close")
                raise NotClosed(Sentence(text, says=now.last.says))
            text = N_("{says}: {reopen} first")
            raise NotClosed(Sentence(text, says=broken.says, reopen=_reopen(month)))
        if not signature.reason and (doubts := [*now.grounds.doubts(), *now.alarms]):
            text = N_(
                "{month} is not closed: {doubts}: settle it, or say with --reason why it is closed "
                "all the same"
            )
            said = {"month": BillingMonth.named(month), "doubts": together(doubts)}
            raise NotClosed(Sentence(text, **said))
        return _record(now, "closed", signature)


def reopen(
    month: str,
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    by: str | None = None,
    reason: str | None = None,
    evidence: str | Path | None = None,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Close:
    """Return the Close of a month with the status `reopened`, recorded after the one that it
    reopens. by, evidence: as of `close`.

    Raises SettingsError where no reason is given, and NotClosed for a month that is not closed.
    """
    signature = _sign(month, by, reason, evidence, policy)
    if not signature.reason:
        text = N_("say with --reason why {month} is reopened")
        raise SettingsError(Sentence(text, month=BillingMonth.named(month)))
    with _judged(month, destination, dataset, signature, clock) as now:
        if not now.last or now.last.status != "closed":
            never = Sentence(N_("{month} was never closed"), month=BillingMonth.named(month))
            text = N_("{says}: there is nothing to reopen")
            raise NotClosed(Sentence(text, says=now.last.says if now.last else never))
        return _record(now, "reopened", signature)


class SettledMonth(NamedTuple):
    """The documents of a month as they were settled last, a sentence for each claim on them, or
    that may still be made, the language of the settings, and what became of those claims."""

    documents: list[SettledDocument]
    claims: list[str]
    language: str
    claimed: list[OpenClaim]


def settlement_of(
    month: str, *, destination: str = DESTINATION, dataset: str = DATASET
) -> SettledMonth:
    """Return the SettledMonth. A claim is no part of what a close stands on: it changes no verdict,
    and nothing that is to be paid."""
    with (
        opened(destination, dataset, reads=True) as pipeline,
        reading(pipeline),
        pipeline.sql_client() as client,
    ):
        marts = f"{pipeline.dataset_name}_marts"
        settled = [each.document for each in read_settled(client, marts, read_month(month))]
        claims = read_open_claims(client, marts)
    language = configured(read_policy).language
    own_ids = {document.document_id for document in settled}
    claimed = [claim for claim in claims if claim.document_id in own_ids]
    told = tell_claims(month, settled, claimed, language)
    return SettledMonth(settled, told, language, claimed)


class CheckedCloses(NamedTuple):
    """The months whose close holds, and the closes that no longer do."""

    holding: set[str]
    broken: list[NoLongerHolds]


def find_broken_closes(
    *, destination: str = DESTINATION, dataset: str = DATASET
) -> list[NoLongerHolds]:
    """Return the closes that no longer hold, by the verdicts that `reconcile` filled in last."""
    place = opened(destination, dataset, reads=True)
    with place as pipeline, reading(pipeline), held_open(pipeline):
        return check_closes(pipeline).broken


def check_closes(pipeline: dlt.Pipeline) -> CheckedCloses:
    """Return which closes hold by the mart's rows as they are; it is not filled anew."""
    closed = _read_closed(pipeline)
    if not closed:
        return CheckedCloses(set(), [])
    with pipeline.sql_client() as client:
        marts = f"{pipeline.dataset_name}_marts"
        grounds, identities = read_grounds(client, marts), read_identities(client, marts)
    compared = {
        own.month: compare_grounds(own, grounds.get(own.month, NO_GROUNDS), identities)
        for own in closed
    }
    holding = {month for month, doubt in compared.items() if not doubt}
    return CheckedCloses(holding, [doubt for doubt in compared.values() if doubt])


def warnings_of_closes(pipeline: dlt.Pipeline) -> list[str]:
    """Return what `status` says: the closes that no longer hold by all that is loaded. The mart is
    filled anew where a month is closed, and not otherwise; for whom can only read it stays."""
    closed = _read_closed(pipeline)
    if not closed:
        return []
    try:
        policy = configured(read_policy)
        if may_refresh(pipeline):
            fill(pipeline, policy)
    except (SettingsError, DoesNotTieOut) as error:
        months = [BillingMonth.named(close.month) for close in closed]
        text = N_("nobody can tell whether the close of {months} still holds: {error}")
        return [Sentence(text, months=months, error=error.args[0])]
    return [
        Sentence("{says}: {reopen}", says=doubt.says, reopen=_reopen(doubt.close.month))
        for doubt in check_closes(pipeline).broken
    ]


def _read_closed(pipeline: dlt.Pipeline) -> list[Close]:
    """The newest record of each month that is closed."""
    with pipeline.sql_client() as client:
        records = newest(read_closes(client, pipeline.dataset_name)).values()
    return [record for record in records if record.status == "closed"]


@dataclass(frozen=True)
class _Signature:
    """What the person who signs says."""

    by: str
    reason: str | None
    proof: Proof | None
    policy: Policy


def _sign(
    month: str,
    by: str | None,
    reason: str | None,
    evidence: str | Path | None,
    policy: Policy | None,
) -> _Signature:
    """Raises SettingsError for words that cannot be meant."""
    read_month(month)
    proof = None
    if evidence is not None:
        from wolkvox_billing.closing.proof import read_proof

        proof = read_proof(Path(evidence), month)
    return _Signature(signer(by), signed_words(reason), proof, policy or configured(read_policy))


@dataclass(frozen=True)
class _Month:
    """A month as it stands now: its newest record, and what a close of it would stand on."""

    month: str
    at: datetime
    pipeline: dlt.Pipeline
    last: Close | None
    grounds: Grounds
    identities: Identities
    alarms: list[str]  # of what no verdict tells


@contextmanager
def _judged(
    month: str, destination: str, dataset: str, signature: _Signature, clock: Clock
) -> Iterator[_Month]:
    """Give the month by the verdicts of this moment. The warehouse is held for the block, so that
    what is recorded is what was judged. Raises SettingsError for evidence that is not of it."""
    with opened(destination, dataset) as pipeline, reading(pipeline), held_open(pipeline):
        at = clock()  # not before: another process may have been waited for
        untied = ""
        try:
            fill_anew(pipeline, signature.policy, at)
        except DoesNotTieOut as error:
            untied = str(error)
        with pipeline.sql_client() as client:
            last = newest(read_closes(client, pipeline.dataset_name)).get(month)
            marts = f"{pipeline.dataset_name}_marts"
            grounds, settled = Grounds(untied=untied), []
            if not untied:
                # As stored, rounded: they are compared with what is stored later.
                grounds = read_grounds(client, marts).get(month, NO_GROUNDS)
                settled = read_settled(client, marts, read_month(month))
            identities = read_identities(client, marts)
            if signature.proof:
                signature.proof.check(client, pipeline.dataset_name, grounds)
        alarms = [each.document.explanation.rstrip(".") for each in settled if each.is_alarming]
        yield _Month(month, at, pipeline, last, grounds, identities, alarms)


def _check_over(now: _Month) -> None:
    """Raises NotClosed while any operation is in the month, or before it, by its time zone."""
    marts = f"{now.pipeline.dataset_name}_marts"
    with now.pipeline.sql_client() as client:
        zones = rows_of(
            client,
            f"SELECT timezone FROM {marts}.refreshed UNION SELECT timezone FROM {marts}.operations",
        )
    today = min(now.at.astimezone(ZoneInfo(zone)).date() for (zone,) in zones)
    end = read_month(now.month).end
    if today < end:
        text = N_("{month} is not over: close it from {end} on; it is {today}")
        raise NotClosed(Sentence(text, month=BillingMonth.named(now.month), end=end, today=today))


def _record(now: _Month, status: str, signature: _Signature) -> Close:
    stands_on = now.grounds.as_text()
    record = Close(
        close_id=next_id(now.month, now.last),
        month=now.month,
        closed_at=now.at.astimezone(timezone.utc),
        closed_by=signature.by,
        status=status,
        reason=signature.reason,
        policy=json.dumps(signature.policy.as_json(), ensure_ascii=False, sort_keys=True),
        evidence_sha256=signature.proof.sha256 if signature.proof else None,
        digest=digest(stands_on),
        stands_on=stands_on,
        settlement=now.grounds.settlement_as_text(),
    )
    append(now.pipeline, record)
    return record


def _reopen(month: str) -> Sentence:
    text = N_("reopen it with `wolkvox-billing close {month} --reopen --reason ...`")
    return Sentence(text, month=month)
