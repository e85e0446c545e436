"""What `poll --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from wolkvox_billing.cli.printed import Printed, form_of
from wolkvox_billing.polling.polls import Poll, Skip
from wolkvox_billing.vendor.answer import Outcome
from wolkvox_billing.vendor.rejections import UnreadableRows
from wolkvox_billing.verbs.poll import PollReport


@dataclass(frozen=True, kw_only=True)
class PrintedCall:
    """One call and what became of it."""

    poll_id: Annotated[str, "As in the table polls"]
    operation_id: str
    report: str
    started_at: datetime
    finished_at: datetime
    outcome: Annotated[Outcome, "ok, empty and not_found are answers; all others are refusals"]
    http_status: Annotated[int | None, "null where nothing was answered"]
    code: Annotated[str | None, "The vendor's"]
    msg: Annotated[str | None, "The vendor's words"]
    note: Annotated[str | None, "Ours"]
    rows: Annotated[int, "How many came"]
    rejected: Annotated[int | None, "How many of them are no readings; null where nobody tried"]
    unreadable: Annotated[UnreadableRows | None, "Those of the rejected rows that are a loss"]


@dataclass(frozen=True, kw_only=True)
class PrintedPoll(Printed):
    """The calls, those that were not made, and what went wrong."""

    polls: Sequence[PrintedCall]
    skipped: Annotated[Sequence[Skip], "Calls that were not made, and why"]
    problems: Annotated[Sequence[str], "What went wrong after the calls"]
    failures: Annotated[Sequence[str], "All that went wrong, and what to do; [] and exit code 0"]
    may_pass: Annotated[bool, "Whether something failed that a new try may mend"]
    warnings: Sequence[str]
    waiting: Annotated[int, "Answers in the spool that are in no table yet"]
    working_folder: str


PollForm = TypeVar("PollForm", bound=PrintedPoll)


def poll_as_form(report: PollReport, form: type[PollForm], **own: object) -> PollForm:
    """Return what is printed of a poll, or of a load."""
    return form_of(form, report, polls=[*map(_call, report.polls)], skipped=report.skips, **own)


def _call(poll: Poll) -> PrintedCall:
    return form_of(
        PrintedCall,
        poll,
        operation_id=poll.operation.operation_id,
        http_status=poll.answer.http_status,
        code=poll.judgement.code,
        msg=poll.judgement.msg,
        note=poll.judgement.note,
        rows=poll.judgement.count,
    )
