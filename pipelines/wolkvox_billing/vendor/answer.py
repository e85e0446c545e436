"""The judgement of an answer: decided before any row of it is believed.

    HTTP status     body                                     outcome          asked again?
    200             code 200, rows                           ok               no
    200             code 200, `data` [] or null              empty            no
    404             envelope                                 not_found        no
    401             envelope                                 bad_token        no
    403             PLEASE VALIDATE TOKEN                    bad_token        no
    403             TOKEN LIMIT EXCEEDED                     quota_spent      not today
    403             ...LIMIT OF SIMULTANEOUS REQUESTS...     token_busy       after a pause
    403             any other text                           maintenance      after a pause
    400             envelope                                 unknown_report   no
    5xx             anything                                 server_error     after a pause
    429 [guess]     anything                                 token_busy       after a pause
    any other       or a body that is not the envelope       bad_answer       no
    no answer       name, connection, certificate            unreachable      after a pause
    no answer       in time: the call may still run          timeout          no

A refusal inside HTTP 200 is judged by the `code` of the body, as if it were the status.
Source: wolkvox's API documentation, except where marked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from wolkvox_billing.vendor.envelope import Rows, read_envelope


class Outcome(str, Enum):
    """What became of a call."""

    OK = "ok"
    EMPTY = "empty"
    NOT_FOUND = "not_found"
    BAD_TOKEN = "bad_token"
    QUOTA_SPENT = "quota_spent"
    TOKEN_BUSY = "token_busy"
    MAINTENANCE = "maintenance"
    UNKNOWN_REPORT = "unknown_report"
    BAD_ANSWER = "bad_answer"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"

    @property
    def is_answer(self) -> bool:
        """True where the vendor said what was used, be it nothing; False for every refusal."""
        return self in (Outcome.OK, Outcome.EMPTY, Outcome.NOT_FOUND)

    @property
    def is_passing(self) -> bool:
        """True where the same call may succeed after a pause."""
        return self in (
            Outcome.TOKEN_BUSY,
            Outcome.MAINTENANCE,
            Outcome.UNREACHABLE,
            Outcome.SERVER_ERROR,
        )

    @property
    def needs_somebody(self) -> bool:
        """True where no later call succeeds by itself, or none of this day: a scheduler that tries
        again would only cost calls."""
        return self in (Outcome.BAD_TOKEN, Outcome.QUOTA_SPENT, Outcome.UNKNOWN_REPORT)

    @property
    def ends_the_operation(self) -> bool:
        """True where asking the operation's next report would only cost another call, or run
        beside one that may still be running."""
        return self in (
            Outcome.BAD_TOKEN,
            Outcome.QUOTA_SPENT,
            Outcome.TOKEN_BUSY,
            Outcome.MAINTENANCE,
            Outcome.UNREACHABLE,
            Outcome.TIMEOUT,
        )


# As the table `polls` has them.
ANSWERS = frozenset(outcome.value for outcome in Outcome if outcome.is_answer)


@dataclass(frozen=True)
class Judgement:
    """What an answer turned out to be. `rows` only where the outcome is ok, and `count` of them
    stays when they are let go; `note` is ours."""

    outcome: Outcome
    code: str | None = None
    msg: str | None = None
    rows: Sequence[object] = field(default_factory=list)
    note: str | None = None
    count: int = 0


def judge_answer(status: int, body: bytes) -> Judgement:
    """Return what an answer is, by its HTTP status and its body: see the table on top."""
    envelope, why_not = read_envelope(body)
    code = _text(envelope.get("code"))
    msg = _text(envelope.get("msg"))
    error = envelope.get("error")
    said = f"{msg or ''} {_text(error) or ''}".upper()
    effective = status
    if status == 200 and code is not None and code != "200":
        effective = int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0

    def judgement(outcome: Outcome, note: str | None = None) -> Judgement:
        return Judgement(outcome, code, msg, note=note)

    if effective >= 500:
        return judgement(Outcome.SERVER_ERROR, f"the server answered {effective}")
    if effective == 429:
        return judgement(Outcome.TOKEN_BUSY, "the server asks for fewer calls")
    if why_not:
        return judgement(Outcome.BAD_ANSWER, f"HTTP {status}: {why_not}")
    if effective == 200 and error:  # believe neither, unless it is a refusal that we know
        known = _known_refusal(said)
        return judgement(known or Outcome.BAD_ANSWER, "an error beside code 200")
    if status == 404 and code != "404":
        return judgement(Outcome.BAD_ANSWER, f"HTTP 404 with code {code} contradicts itself")
    if effective == 403:
        return judgement(_known_refusal(said) or Outcome.MAINTENANCE)
    if effective in (400, 401, 404):
        return judgement(
            {400: Outcome.UNKNOWN_REPORT, 401: Outcome.BAD_TOKEN, 404: Outcome.NOT_FOUND}[effective]
        )
    if effective != 200:
        note = f"HTTP {status} with code {code} is no answer that the vendor documents"
        return judgement(Outcome.BAD_ANSWER, note)
    if "data" not in envelope:
        return judgement(Outcome.BAD_ANSWER, "the answer has no `data`")
    data = envelope["data"]
    if not data and (known := _known_refusal(said)):
        return judgement(known, "a refusal in words, beside code 200 and without rows")
    if data is None or data == []:
        return judgement(Outcome.EMPTY, f"`data` is {'null' if data is None else 'an empty list'}")
    if not isinstance(data, (list, Rows)):
        return judgement(Outcome.BAD_ANSWER, "`data` is not a list of rows")
    return Judgement(Outcome.OK, code, msg, rows=data, count=len(data))


def _known_refusal(said: str) -> Outcome | None:
    """Return the refusal that the vendor's text stands for; `said` in capitals."""
    refusals = {
        "VALIDATE TOKEN": Outcome.BAD_TOKEN,
        "ENTER THE WOLKVOX-TOKEN": Outcome.BAD_TOKEN,
        "SIMULTANEOUS REQUESTS": Outcome.TOKEN_BUSY,
        "TOKEN LIMIT EXCEEDED": Outcome.QUOTA_SPENT,
        "YOU WANT TO CONSULT DOES NOT EXIST": Outcome.UNKNOWN_REPORT,
        "PARAMETERS ARE REQUIRED": Outcome.UNKNOWN_REPORT,
    }
    return next((outcome for text, outcome in refusals.items() if text in said), None)


def _text(value: object) -> str | None:
    """Return a value of the envelope for a text column, which may hold neither NUL nor half a
    character; its whole is in the answer's bytes."""
    if value is None or value is False:
        return None
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", str(value))[:2000]
