"""The verb `check`: asks each operation once, and says what works and what to do.

The call counts as one of the day's, like any other. Its answer is shown, and not stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from wolkvox_billing.polls import Clock, Poll, Skip, utc_now
from wolkvox_billing.readings import RejectedRow, read_rows, to_json
from wolkvox_billing.reports import ROW_FIELDS
from wolkvox_billing.source import wolkvox_billing
from wolkvox_billing.verdict import Outcome
from wolkvox_billing.warehouse import configured

ADVICE: dict[Outcome, str] = {
    Outcome.OK: "all is well",
    Outcome.EMPTY: "the vendor answers, and has no use to show for this month",
    Outcome.NOT_FOUND: "the vendor answers that it found nothing for this report",
    Outcome.BAD_TOKEN: "make a token in wolkvox Manager and put it in the settings",
    Outcome.QUOTA_SPENT: "the day's calls are spent: wait for the vendor's midnight, and find who "
    "else calls with this operation's tokens",
    Outcome.TOKEN_BUSY: "another program uses this token now: make one for this program alone",
    Outcome.MAINTENANCE: "the server lets nobody in now: try again later",
    Outcome.UNKNOWN_REPORT: "the server does not know the report: look at the setting `reports`",
    Outcome.BAD_ANSWER: "the answer is not in the vendor's format: look at `base_url` and "
    "`server`, and show the answer to wolkvox",
    Outcome.UNREACHABLE: "look at the setting `server`; ask wolkvox whether this machine's public "
    "address is on the operation's list: others are not let in",
    Outcome.TIMEOUT: "the server took the call and stayed silent: ask wolkvox whether this "
    "machine's public address is on the operation's list, or try again later",
    Outcome.SERVER_ERROR: "the server has a fault of its own: try again later",
}
_STEPS = {
    Outcome.BAD_TOKEN: "token",
    Outcome.QUOTA_SPENT: "quota",
    Outcome.TOKEN_BUSY: "busy",
    Outcome.MAINTENANCE: "maintenance",
    Outcome.UNKNOWN_REPORT: "report",
    Outcome.BAD_ANSWER: "format",
    Outcome.TIMEOUT: "answer",
    Outcome.SERVER_ERROR: "server",
}


class Finding(NamedTuple):
    """What one operation's call showed. `failed_step` is None where all is well."""

    operation_id: str
    server: str
    report: str
    outcome: str
    failed_step: str | None
    says: str
    advice: str
    rows: list[dict[str, str]]  # the first three, as they came


def check(
    *,
    clock: Clock = utc_now,
    on_event: Callable[[Poll | Skip], None] | None = None,
    **settings: Any,
) -> list[Finding]:
    """One Finding per operation, in the order of their names. Raises SettingsError.

    The steps, in order: name, connection, certificate, answer, server, token, quota, busy,
    maintenance, report, format.
    """
    events: list[Poll | Skip] = []

    def note(event: Poll | Skip) -> None:
        events.append(event)
        if on_event:
            on_event(event)

    source = configured(lambda: wolkvox_billing(probe=True, clock=clock, on_event=note, **settings))
    list(source.resources["answers"])
    return sorted(map(_finding, events), key=lambda finding: finding.operation_id)


def _finding(event: Poll | Skip) -> Finding:
    if isinstance(event, Skip):
        why = "busy" if event.reason == "token_in_use" else event.reason
        return Finding(
            event.operation_id, "", event.report, "", why, event.detail, "try again later", []
        )
    verdict = event.verdict
    step = _STEPS.get(event.outcome)
    advice = ADVICE[event.outcome]
    readings, rejected = read_rows(verdict.rows, event.date)
    if verdict.rows and not readings:
        step, advice = "format", "no row could be read: show this to wolkvox, and to us"
    if event.outcome is Outcome.UNREACHABLE:
        step = (verdict.note or "").split(":")[0]
        if step == "certificate":
            advice = "look at the setting `base_url`, and for a proxy that opens connections"
    return Finding(
        operation_id=event.operation.operation_id,
        server=event.operation.server,
        report=event.report,
        outcome=event.outcome.value,
        failed_step=step,
        says="; ".join(filter(None, (verdict.msg, verdict.note, _of_rejected(rejected)))),
        advice=advice,
        rows=[_shown(row) for row in verdict.rows[:3]],
    )


def _of_rejected(rejected: list[RejectedRow]) -> str:
    return f"{len(rejected)} rows could not be read: {rejected[0].reason}" if rejected else ""


def _shown(row: Any) -> dict[str, str]:
    if not isinstance(row, dict):
        return {"row": to_json(row)}
    return {name: str(row[name]) if name in row else "(missing)" for name in ROW_FIELDS}
