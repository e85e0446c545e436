"""The verb `close`: who signed off a month, when, and on which verdicts; never changed afterwards.

    verdicts of the month ──digest──▶ month_closes   closed ─▶ reopened ─▶ closed ─▶ ...
    verdicts as they are now ──digest──▶ the same? if not, the close no longer holds

`records` are the rows of month_closes, `grounds` what they stand on.
"""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.closing.grounds import (
    Ground,
    NoLongerHolds,
    broken,
    canonical,
    digest,
    doubts,
    untied,
    verdicts_by_month,
)
from wolkvox_billing.closing.records import (
    Close,
    NotClosed,
    append,
    newest,
    next_id,
    read_closes,
)
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices.document import storable
from wolkvox_billing.reconciliation.mart import fill, fill_anew
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.totals import DoesNotTieOut
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.periods import read_month
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, opened, reading
from wolkvox_billing.warehouse.sql import rows_of

__all__ = ["Close", "NoLongerHolds", "NotClosed", "close", "no_longer_hold", "reopen",
           "standing", "standing_in", "warnings_of_closes"]  # fmt: skip


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
    """The Close of a month such as 2026-11, recorded in `month_closes`.

    by: who signs; the user's login name without it. evidence: a file whose SHA-256 is kept.
    reason: closes a month with an alarm, one whose invoice may still come, one without a verdict,
    and one that does not tie out.
    Raises SettingsError for words that cannot be meant, NotClosed for a month that is closed or not
    over, or that needs a reason, and WarehouseError where nothing can be recorded.
    """
    words = _signed(by, reason, evidence, policy)
    with _judged(month, destination, dataset, words.policy, clock) as now:
        _check_over(now)
        if now.last and now.last.status == "closed":
            if not (changed := broken(now.last, now.stands_on)):
                raise NotClosed(f"{now.last}, and still holds: there is nothing to close")
            raise NotClosed(f"{changed}: {_reopen(month)} first")
        if not words.reason and (doubtful := doubts(now.rows)):
            raise NotClosed(
                f"{month} is not closed: {'; '.join(doubtful)}: settle it, or say with --reason "
                "why it is closed all the same"
            )
        return _recorded(now, "closed", words)


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
    """The Close with the status `reopened`, recorded after the one that it reopens.

    Raises SettingsError where no reason is given, and NotClosed for a month that is not closed.
    """
    words = _signed(by, reason, evidence, policy)
    if not words.reason:
        raise SettingsError(f"say with --reason why {month} is reopened")
    with _judged(month, destination, dataset, words.policy, clock) as now:
        if not now.last or now.last.status != "closed":
            state = str(now.last) if now.last else f"{month} was never closed"
            raise NotClosed(f"{state}: there is nothing to reopen")
        return _recorded(now, "reopened", words)


def no_longer_hold(
    *, destination: str = DESTINATION, dataset: str = DATASET
) -> list[NoLongerHolds]:
    """The closes that no longer hold, by the verdicts that `reconcile` has filled in last."""
    _, found = standing(destination=destination, dataset=dataset)
    return found


def standing(
    *, destination: str = DESTINATION, dataset: str = DATASET
) -> tuple[set[str], list[NoLongerHolds]]:
    """The months that are closed and whose close holds, and the closes that no longer do, by the
    verdicts that `reconcile` has filled in last."""
    with opened(destination, dataset) as pipeline, reading(pipeline):
        return standing_in(pipeline)


def standing_in(pipeline: dlt.Pipeline) -> tuple[set[str], list[NoLongerHolds]]:
    """The same, in a warehouse that is held."""
    closed = _closed(pipeline)
    found = _broken(pipeline, closed)
    return {one.month for one in closed} - {one.close.month for one in found}, found


def warnings_of_closes(pipeline: dlt.Pipeline) -> list[str]:
    """What `status` says: the closes that no longer hold by all that is loaded. The mart is filled
    anew where a month is closed, and not otherwise."""
    closed = _closed(pipeline)
    if not closed:
        return []
    try:
        fill(pipeline, configured(read_policy))
    except (SettingsError, DoesNotTieOut) as error:
        months = ", ".join(one.month for one in closed)
        return [f"nobody can tell whether the close of {months} still holds: {error}"]
    return [f"{one}: {_reopen(one.close.month)}" for one in _broken(pipeline, closed)]


def _closed(pipeline: dlt.Pipeline) -> list[Close]:
    """The newest record of each month that is closed."""
    with pipeline.sql_client() as client:
        records = newest(read_closes(client, pipeline.dataset_name)).values()
    return [one for one in records if one.status == "closed"]


def _broken(pipeline: dlt.Pipeline, closed: list[Close]) -> list[NoLongerHolds]:
    """Those that do not hold by the mart's rows as they are; it is not filled anew."""
    if not closed:
        return []
    with pipeline.sql_client() as client:
        verdicts = verdicts_by_month(client, f"{pipeline.dataset_name}_marts")
    compared = (broken(one, canonical(verdicts.get(one.month, []))) for one in closed)
    return [one for one in compared if one]


@dataclass(frozen=True)
class _Words:
    """What the person who signs says."""

    by: str
    reason: str | None
    evidence_sha256: str | None
    policy: Policy


def _signed(
    by: str | None, reason: str | None, evidence: str | Path | None, policy: Policy | None
) -> _Words:
    """Raises SettingsError for words that cannot be meant."""
    proof = _sha256(evidence) if evidence is not None else None
    return _Words(_who(by), _text(reason), proof, policy or configured(read_policy))


def _who(by: str | None) -> str:
    try:
        return _text(by) or getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        raise SettingsError("this user has no login name: say with --by who closes") from None


def _text(given: str | None) -> str | None:
    return storable((given or "").strip()) or None


def _sha256(evidence: str | Path) -> str:
    found = hashlib.sha256()
    try:
        with Path(evidence).open("rb") as file:
            while part := file.read(1 << 20):
                found.update(part)
    except OSError as error:
        raise SettingsError(
            f"the evidence {evidence} cannot be read ({error.strerror}): name the file that "
            "`reconcile --evidence` wrote"
        ) from None
    return found.hexdigest()


@dataclass(frozen=True)
class _Month:
    """A month as it stands now: its newest record, and its verdicts; or that they do not add up."""

    month: str
    at: datetime
    pipeline: dlt.Pipeline
    last: Close | None
    rows: list[Ground]

    @property
    def stands_on(self) -> str:
        return canonical(self.rows)


@contextmanager
def _judged(
    month: str, destination: str, dataset: str, policy: Policy, clock: Clock
) -> Iterator[_Month]:
    """The month by the verdicts of this moment. The warehouse is held for the block, so that what
    is recorded is what was judged."""
    read_month(month)
    with opened(destination, dataset) as pipeline, reading(pipeline):
        at = clock()  # not before: another process may have been waited for
        rows: list[Ground] | None = None
        try:
            fill_anew(pipeline, policy, at)
        except DoesNotTieOut as error:
            rows = untied(error)
        with pipeline.sql_client() as client:
            last = newest(read_closes(client, pipeline.dataset_name)).get(month)
            if rows is None:
                marts = f"{pipeline.dataset_name}_marts"
                rows = verdicts_by_month(client, marts).get(month, [])
        yield _Month(month, at, pipeline, last, rows)


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
        raise NotClosed(f"{now.month} is not over: close it from {end} on; it is {today}")


def _recorded(now: _Month, status: str, words: _Words) -> Close:
    made = Close(
        close_id=next_id(now.month, now.last),
        month=now.month,
        closed_at=now.at.astimezone(timezone.utc),
        closed_by=words.by,
        status=status,
        reason=words.reason,
        policy=json.dumps(words.policy.as_json(), ensure_ascii=False, sort_keys=True),
        evidence_sha256=words.evidence_sha256,
        digest=digest(now.stands_on),
        stands_on=now.stands_on,
    )
    return append(now.pipeline, made)


def _reopen(month: str) -> str:
    return f"reopen it with `wolkvox-billing close {month} --reopen --reason ...`"
