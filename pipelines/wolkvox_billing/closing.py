"""The verb `close`: who signed off a month, when, and on which verdicts; never changed afterwards.

    verdicts of the month ──digest──▶ month_closes   closed ─▶ reopened ─▶ closed ─▶ ...
    verdicts as they are now ──digest──▶ the same? if not, the close no longer holds

Each record is a row of its own, and the newest of a month counts. Its key is the month and a
number, so that of two people who record at the same moment only one does.
"""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dlt
from dlt.destinations.sql_client import SqlClientBase
from dlt.extract import DltSource

from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.intake import INSERT
from wolkvox_billing.invoices.document import storable
from wolkvox_billing.marts.sql import literal
from wolkvox_billing.pipeline import load_or_drop, normalized_and_loaded
from wolkvox_billing.polls import Clock, utc_now
from wolkvox_billing.reconcile import DoesNotTieOut, fill, reconcile
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.tables import TEXT, TIME, Table, hints
from wolkvox_billing.warehouse import (
    DATASET,
    DESTINATION,
    configured,
    opened,
    reading,
)

Row = dict[str, Any]

MONTH_CLOSES: Table = (
    "One row per close or reopening of a month; the newest of a month counts, and none is changed",
    ("close_id",),
    {
        "close_id": (TEXT, "The month and the record's number in it, from 1"),
        "month": (TEXT, "The month, such as 2026-11"),
        "closed_at": (TIME, "When it was recorded (UTC)"),
        "closed_by": (TEXT, "Who recorded it"),
        "status": (TEXT, "closed or reopened"),
        "reason": (TEXT, "Why, in that person's words; NULL where nobody had to ask"),
        "policy": (TEXT, "The settings of the comparison, as JSON"),
        "evidence_sha256": (TEXT, "SHA-256 of the evidence file; NULL if none was given"),
        "digest": (TEXT, "SHA-256 of stands_on: another one now means that it no longer holds"),
        "stands_on": (TEXT, "The month's verdicts as they were then, as JSON"),
    },
)

# What a close stands on: status and numbers, not the sentence, which changes with the language, nor
# the operation's name. With other columns every close made before would no longer hold.
KEY = ("supplier_id", "operation_id", "report", "product", "billing_period_start",
       "billing_period_end", "billing_currency")  # fmt: skip
# Those that the others follow from come first: they are told when something has changed.
CAUSES = ("reconciliation_status", "consumed_quantity", "billed_quantity", "contracted_unit_price",
          "contracted_cost", "billed_cost")  # fmt: skip
EFFECTS = ("quantity_variance", "cost_variance", "volume_effect", "price_effect", "invoice_ids",
           "hours_unread_at_end", "is_material")  # fmt: skip
_UNTIED = "does_not_tie_out"
_MOST_CHANGES = 5  # are told in one sentence


class NotClosed(WolkvoxError):
    """The month cannot be closed, or reopened, as it is: nothing was recorded."""


@dataclass(frozen=True)
class Close:
    """A row of month_closes."""

    close_id: str
    month: str
    closed_at: datetime
    closed_by: str
    status: str  # closed, reopened
    reason: str | None
    policy: str
    evidence_sha256: str | None
    digest: str
    stands_on: str

    def __str__(self) -> str:
        at = self.closed_at.astimezone(timezone.utc)
        return f"{self.month} was {self.status} on {at:%Y-%m-%d %H:%M} UTC by {self.closed_by}"


@dataclass(frozen=True)
class NoLongerHolds:
    """A close whose month has other verdicts now, and what changed, in words."""

    close: Close
    changes: list[str]

    def __str__(self) -> str:
        told = "; ".join(self.changes[:_MOST_CHANGES])
        more = len(self.changes) - _MOST_CHANGES
        return f"{self.close}, and no longer holds: {told}" + (
            f"; and {more} more" if more > 0 else ""
        )


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
    who, why, proof = _who(by), _text(reason), _sha256(evidence)
    policy = policy or configured(read_policy)
    untied = _compared(month, destination, dataset, policy, clock)
    with opened(destination, dataset) as pipeline, reading(pipeline):
        with pipeline.sql_client() as client:
            last = _newest(_closes(client, pipeline.dataset_name)).get(month)
            rows = _verdicts(client, pipeline).get(month, [])
            _check_over(month, client, pipeline, clock())
        stands_on = canonical(untied or rows)
        if last and last.status == "closed":
            if last.digest == _digest(stands_on):
                raise NotClosed(f"{last}, and still holds: there is nothing to close")
            raise NotClosed(f"{_changed(last, stands_on)}: {_reopen(month)} first")
        if not why and (doubts := _doubts(untied, rows)):
            raise NotClosed(
                f"{month} is not closed: {'; '.join(doubts)}: settle it, or say with --reason why "
                "it is closed all the same"
            )
        return _append(pipeline, month, last, clock(), who, "closed", why, policy, proof, stands_on)


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
    who, why, proof = _who(by), _text(reason), _sha256(evidence)
    if not why:
        raise SettingsError(f"say with --reason why {month} is reopened")
    policy = policy or configured(read_policy)
    untied = _compared(month, destination, dataset, policy, clock)
    with opened(destination, dataset) as pipeline, reading(pipeline):
        with pipeline.sql_client() as client:
            last = _newest(_closes(client, pipeline.dataset_name)).get(month)
            rows = _verdicts(client, pipeline).get(month, [])
        if not last or last.status != "closed":
            state = str(last) if last else f"{month} was never closed"
            raise NotClosed(f"{state}: there is nothing to reopen")
        now, stands_on = clock(), canonical(untied or rows)
        return _append(pipeline, month, last, now, who, "reopened", why, policy, proof, stands_on)


def no_longer_hold(
    *, destination: str = DESTINATION, dataset: str = DATASET
) -> list[NoLongerHolds]:
    """The closes that no longer hold, by the verdicts that `reconcile` has filled in last."""
    with opened(destination, dataset) as pipeline, reading(pipeline):
        return closes_that_no_longer_hold(pipeline)


def closes_that_no_longer_hold(pipeline: dlt.Pipeline) -> list[NoLongerHolds]:
    """Of each month whose newest record is `closed`: the close whose digest is not that of the
    mart's rows as they are. The mart is not filled anew."""
    with pipeline.sql_client() as client:
        closed = _closed(client, pipeline.dataset_name)
        if not closed:
            return []
        verdicts = _verdicts(client, pipeline)
    compared = [(one, canonical(verdicts.get(one.month, []))) for one in closed]
    return [_changed(one, now) for one, now in compared if one.digest != _digest(now)]


def warnings_of_closes(pipeline: dlt.Pipeline) -> list[str]:
    """What `status` says: the closes that no longer hold by all that is loaded. The mart is filled
    anew where a month is closed, and not otherwise."""
    with pipeline.sql_client() as client:
        closed = _closed(client, pipeline.dataset_name)
    if not closed:
        return []
    try:
        fill(pipeline, configured(read_policy))
    except (SettingsError, DoesNotTieOut) as error:
        months = ", ".join(one.month for one in closed)
        return [f"nobody can tell whether the close of {months} still holds: {error}"]
    found = closes_that_no_longer_hold(pipeline)
    return [f"{one}: {_reopen(one.close.month)}" for one in found]


def canonical(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as JSON that is the same for the same rows: sorted, numbers as texts of 4 decimals."""
    listed = [json.dumps(_plain(row), sort_keys=True, ensure_ascii=False) for row in rows]
    return f"[{', '.join(sorted(listed))}]"


def _plain(row: Mapping[str, Any]) -> Row:
    return {
        name: f"{value:.4f}"
        if isinstance(value, Decimal)
        else value.isoformat()
        if isinstance(value, date)
        else value
        for name, value in row.items()
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _who(by: str | None) -> str:
    try:
        return _text(by) or getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        raise SettingsError("this user has no login name: say with --by who closes") from None


def _text(given: str | None) -> str | None:
    return storable((given or "").strip()) or None


def _sha256(evidence: str | Path | None) -> str | None:
    if evidence is None:
        return None
    digest = hashlib.sha256()
    try:
        with Path(evidence).open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
    except OSError as error:
        raise SettingsError(
            f"the evidence {evidence} cannot be read ({error.strerror}): name the file that "
            "`reconcile --evidence` wrote"
        ) from None
    return digest.hexdigest()


def _compared(
    month: str, destination: str, dataset: str, policy: Policy, clock: Clock
) -> list[Row]:
    """Fills the mart; where that does not tie out, the row that a close then stands on."""
    try:
        reconcile(month, destination=destination, dataset=dataset, policy=policy, clock=clock)
    except DoesNotTieOut as error:
        return [{_UNTIED: str(error)}]
    return []


def _doubts(untied: list[Row], rows: list[Row]) -> list[str]:
    """What needs a reason, in words."""
    if untied:
        return [f"it does not tie out: {untied[0][_UNTIED]}"]
    if not rows:
        return ["nothing was measured or billed in it"]
    return [
        f"{_name(row)} is {row['reconciliation_status']}"
        for row in rows
        if row["is_material"] or row["reconciliation_status"] == "open_period"
    ]


def _check_over(
    month: str, client: SqlClientBase[Any], pipeline: dlt.Pipeline, now: datetime
) -> None:
    """Raises NotClosed while any operation is in the month, or before it, by its time zone."""
    marts = f"{pipeline.dataset_name}_marts"
    zones = client.execute_sql(
        f"SELECT timezone FROM {marts}.refreshed UNION SELECT timezone FROM {marts}.operations"
    )
    today = min(now.astimezone(ZoneInfo(zone)).date() for (zone,) in zones or ())
    end = (date.fromisoformat(f"{month}-01") + timedelta(days=31)).replace(day=1)
    if today < end:
        raise NotClosed(f"{month} is not over: close it from {end} on; it is {today}")


def _reopen(month: str) -> str:
    return f"reopen it with `wolkvox-billing close {month} --reopen --reason ...`"


def _verdicts(client: SqlClientBase[Any], pipeline: dlt.Pipeline) -> dict[str, list[Row]]:
    """The mart's rows by month, with what a close stands on."""
    columns = (*KEY, *CAUSES, *EFFECTS)
    found: dict[str, list[Row]] = {}
    for values in (
        client.execute_sql(
            f"SELECT {', '.join(columns)} FROM {pipeline.dataset_name}_marts.invoice_reconciliation"
            " WHERE billing_period_start IS NOT NULL"
        )
        or ()
    ):
        row = dict(zip(columns, values, strict=True))
        found.setdefault(f"{row['billing_period_start']:%Y-%m}", []).append(row)
    return found


def _closes(client: SqlClientBase[Any], raw: str) -> list[Close]:
    """All records, each month's in their order; none before the first."""
    there = client.execute_sql(
        "SELECT table_name FROM information_schema.tables "
        f"WHERE table_schema = {literal(raw)} AND table_name = 'month_closes'"
    )
    if not there:
        return []
    columns = ", ".join(one.name for one in fields(Close))
    rows = client.execute_sql(f"SELECT {columns} FROM {raw}.month_closes ORDER BY close_id")
    return [Close(*row) for row in rows or ()]


def _newest(closes: Sequence[Close]) -> dict[str, Close]:
    return {one.month: one for one in closes}


def _closed(client: SqlClientBase[Any], raw: str) -> list[Close]:
    """The newest record of each month that is closed."""
    return [one for one in _newest(_closes(client, raw)).values() if one.status == "closed"]


def _append(
    pipeline: dlt.Pipeline,
    month: str,
    last: Close | None,
    now: datetime,
    by: str,
    status: str,
    reason: str | None,
    policy: Policy,
    evidence_sha256: str | None,
    stands_on: str,
) -> Close:
    """Inserts the record that follows on `last`. Raises WarehouseError where it cannot."""
    number = int(last.close_id.rsplit(".")[-1]) + 1 if last else 1
    made = Close(
        close_id=f"{month}.{number:04}",
        month=month,
        closed_at=now.astimezone(timezone.utc),
        closed_by=by,
        status=status,
        reason=reason,
        policy=json.dumps(policy.as_json(), ensure_ascii=False, sort_keys=True),
        evidence_sha256=evidence_sha256,
        digest=_digest(stands_on),
        stands_on=stands_on,
    )

    def loading() -> None:
        pipeline.extract(_source(made))
        normalized_and_loaded(pipeline)

    load_or_drop(pipeline, loading, "not recorded, so close the month again")
    with pipeline.sql_client() as client:
        stored = {one.close_id: one for one in _closes(client, pipeline.dataset_name)}
    if astuple(stored[made.close_id]) != astuple(made):
        raise NotClosed(
            f"{stored[made.close_id]}, at the same moment: look at it, and run it again"
        )
    return made


def _source(made: Close) -> DltSource:
    """A source with the name of the schema that all tables of the dataset are in."""
    says, *_ = MONTH_CLOSES
    table = dlt.resource([asdict(made)], name="month_closes", **hints(MONTH_CLOSES, INSERT))
    table.apply_hints(additional_table_hints={"description": says})
    return dlt.source(lambda: table, name="wolkvox_billing", max_table_nesting=0)()


def _changed(one: Close, now: str) -> NoLongerHolds:
    """What is not as it was when a month was closed, in words."""
    before, after = ({_key(row): row for row in json.loads(text)} for text in (one.stands_on, now))
    changes: list[str] = []
    for key in sorted({*before, *after}, key=str):
        old, new = before.get(key), after.get(key)
        row = new or old or {}
        if _UNTIED in row:
            changes.append("it does not tie out" if new else "it did not tie out then")
        elif not old:
            billed = _shown(row["billed_cost"])
            changes.append(f"{_name(row)} is new: {row['reconciliation_status']}, billed {billed}")
        elif not new:
            changes.append(f"{_name(row)} is gone: it was {row['reconciliation_status']}")
        else:
            told = [name for name in CAUSES if old[name] != new[name]]
            told = told or [name for name in EFFECTS if old[name] != new[name]]
            if told == ["invoice_ids"]:  # long, and nobody knows them by heart
                changes.append(f"{_name(row)}: other documents bill it, with the same amounts")
            elif told:
                steps = [f"{name} {_shown(old[name])} -> {_shown(new[name])}" for name in told]
                changes.append(f"{_name(row)}: {', '.join(steps)}")
    return NoLongerHolds(one, changes)


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in KEY)


def _name(row: Row) -> str:
    """A verdict's key, as short as a person needs it."""
    what = row["product"] or row["report"] or "what no row of the line map fits"
    return " ".join(filter(None, (row["operation_id"], what)))


def _shown(value: Any) -> str:
    """A number of the canonical JSON with marks between thousands; a text as it is."""
    if isinstance(value, str) and value.replace(".", "", 1).lstrip("-").isdigit():
        return f"{Decimal(value).normalize():,f}"
    return "unknown" if value is None else str(value)
