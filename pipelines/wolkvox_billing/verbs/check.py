"""The verb `check`: asks each operation once, and says what works and what to do.

The call counts as one of the day's, like any other. Its answer is shown, and not stored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from wolkvox_billing.bucket.settings import check_bucket_settings
from wolkvox_billing.marts.meaning import read_meaning
from wolkvox_billing.polling.polls import Poll, Skip
from wolkvox_billing.polling.settings import read_poll_settings
from wolkvox_billing.reconciliation.policy import read_policy
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.vendor.advice import ADVICE
from wolkvox_billing.vendor.answer import Outcome
from wolkvox_billing.vendor.readings import read_rows, to_json
from wolkvox_billing.vendor.rejections import UnreadableRows, unreadable_rows
from wolkvox_billing.vendor.reports import ROW_FIELDS
from wolkvox_billing.verbs.call_budget import read_licences
from wolkvox_billing.verbs.poll import OnEvent, ask_unkept
from wolkvox_billing.warehouse.complaints import configured

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
    unreadable: UnreadableRows | None = None


def check(
    *,
    clock: Clock = utc_now,
    on_event: OnEvent | None = None,
    **settings: Any,
) -> list[Finding]:
    """Return one Finding per operation, in the order of their names. Raises SettingsError for any
    setting that is wrong, those of views, comparison and bucket too, before it asks anybody.

    on_event: is called with each Poll and Skip as it ends. `settings`: as of `load`.
    The steps, in order: name, connection, certificate, answer, server, token, quota, busy,
    maintenance, report, format.
    """
    poll_settings = read_poll_settings(**settings)
    configured(read_meaning)
    configured(read_policy)
    read_licences()
    zones = {own.operation_id: own.zone for own in poll_settings.operations}
    configured(lambda: check_bucket_settings(zones))
    first_report = replace(poll_settings, reports=poll_settings.reports[:1])
    findings = map(_finding, ask_unkept(first_report, clock, on_event))
    return sorted(findings, key=lambda finding: finding.operation_id)


def _finding(event: Poll | Skip) -> Finding:
    if isinstance(event, Skip):
        why = "busy" if event.reason == "token_in_use" else event.reason
        return Finding(
            event.operation_id, "", event.report, "", why, event.detail, "try again later", []
        )
    judgement = event.judgement
    # A refusal without a step of its own is one all the same.
    step = None if event.outcome.is_answer else _STEPS.get(event.outcome, event.outcome.value)
    advice = ADVICE[event.outcome]
    _, rejected = read_rows(judgement.rows, event.date, report=event.report)
    unreadable = unreadable_rows(judgement.count, (row.reason for row in rejected))
    if unreadable and unreadable.are_all:
        step, advice = "format", "no row could be read: show this to wolkvox, and to us"
    if event.outcome is Outcome.UNREACHABLE:
        step = (judgement.note or "").split(":")[0]
        if step == "certificate":
            advice = "look at the setting `base_url`, and for a proxy that opens connections"
    return Finding(
        operation_id=event.operation.operation_id,
        server=event.operation.server,
        report=event.report,
        outcome=event.outcome.value,
        failed_step=step,
        says="; ".join(filter(None, (judgement.msg, judgement.note, str(unreadable or "")))),
        advice=advice,
        rows=[_as_texts(row) for row in judgement.rows[:3]],
        unreadable=unreadable,
    )


def _as_texts(row: object) -> dict[str, str]:
    if not isinstance(row, dict):
        return {"row": to_json(row)}
    return {name: str(row[name]) if name in row else "(missing)" for name in ROW_FIELDS}
