"""One call to the vendor: the request, and the judgement of what came back.

    GET {base}/api/v2/billing.php?api=REPORT      header `wolkvox-token`

`ask` makes the call and never raises for what the vendor or the network does: the result is an
`Answer`, with an outcome. `judge` decides that outcome before any row is believed:

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

import hashlib
import re
import socket
import time
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

import requests
import simplejson
import urllib3

from wolkvox_billing.operations import Operation
from wolkvox_billing.reports import CONNECT_SECONDS, MOST_BYTES, READ_SECONDS
from wolkvox_billing.version import __version__

_PIECE = 64 * 1024
USER_AGENT = f"wolkvox-billing/{__version__} python-requests/{requests.__version__}"


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
    def ends_the_operation(self) -> bool:
        """True where asking the operation's next report would only cost another call, or run
        beside one that may still be running."""
        return self in (
            Outcome.BAD_TOKEN,
            Outcome.QUOTA_SPENT,
            Outcome.UNREACHABLE,
            Outcome.TIMEOUT,
        )


@dataclass(frozen=True)
class Verdict:
    """What an answer turned out to be. `rows` only where the outcome is ok; `note` is ours."""

    outcome: Outcome
    code: str | None = None
    msg: str | None = None
    rows: list[Any] = field(default_factory=list)
    note: str | None = None


@dataclass(frozen=True)
class Answer:
    """What came back from one call, byte for byte (unpacked, where it came compressed)."""

    verdict: Verdict
    http_status: int | None = None
    body: bytes = field(default=b"", repr=False)
    body_bytes: int = 0
    body_sha256: str | None = None
    retry_after: float | None = None  # seconds that the server asks to wait


def new_session() -> requests.Session:
    """A connection to one operation's server, kept alive between calls."""
    session = requests.Session()
    session.headers["User-Agent"] = USER_AGENT
    session.headers["Accept"] = "application/json"
    return session


def ask(
    session: requests.Session,
    operation: Operation,
    report: str,
    *,
    connect_seconds: float = CONNECT_SECONDS,
    read_seconds: float = READ_SECONDS,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """The vendor's answer to one call, whatever it is. One GET; no redirect is followed, since
    requests would carry the token along. `read_seconds` bounds each wait, and the body as a whole.
    """
    status: int | None = None
    retry_after: float | None = None
    pieces: list[bytes] = []
    size, digest = 0, hashlib.sha256()
    problem: Verdict | None = None
    try:
        with session.get(
            operation.url,
            params={"api": report},
            headers={"wolkvox-token": operation.token},
            timeout=(connect_seconds, read_seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            status = response.status_code
            retry_after = _seconds(response.headers.get("Retry-After"))
            deadline = time.monotonic() + read_seconds
            while piece := response.raw.read1(_PIECE, decode_content=True):
                size += len(piece)
                if size > most_bytes:
                    problem = Verdict(
                        Outcome.BAD_ANSWER, note=f"the answer is larger than {most_bytes} bytes"
                    )
                    break
                digest.update(piece)
                pieces.append(piece)
                if time.monotonic() > deadline:
                    problem = Verdict(
                        Outcome.TIMEOUT, note=f"the answer did not end within {read_seconds:g} s"
                    )
                    break
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        problem = _explain(error, operation, began=status is not None)
    body = b"".join(pieces)
    masked = _mask(body, operation.token)
    return Answer(
        problem or _noting(judge(status or 0, masked), masked is not body),
        http_status=status,
        body=masked,
        body_bytes=size,
        body_sha256=digest.hexdigest() if status is not None else None,
        retry_after=retry_after,
    )


def judge(status: int, body: bytes) -> Verdict:
    """What an answer is, by its HTTP status and its body: see the table on top."""
    envelope, why_not = _read_envelope(body)
    code = _text(envelope.get("code"))
    msg = _text(envelope.get("msg"))
    error = envelope.get("error")
    said = f"{msg or ''} {_text(error) or ''}".upper()
    effective = status
    if status == 200 and code is not None and code != "200":
        effective = int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0

    def verdict(outcome: Outcome, note: str | None = None) -> Verdict:
        return Verdict(outcome, code, msg, note=note)

    if effective >= 500:
        return verdict(Outcome.SERVER_ERROR, f"the server answered {effective}")
    if effective == 429:
        return verdict(Outcome.TOKEN_BUSY, "the server asks for fewer calls")
    if why_not:
        return verdict(Outcome.BAD_ANSWER, f"HTTP {status}: {why_not}")
    if effective == 200 and error:  # believe neither, unless it is a refusal that we know
        known = _known_refusal(said)
        return verdict(known or Outcome.BAD_ANSWER, "an error beside code 200")
    if status == 404 and code != "404":
        return verdict(Outcome.BAD_ANSWER, f"HTTP 404 with code {code} contradicts itself")
    if effective == 403:
        return verdict(_known_refusal(said) or Outcome.MAINTENANCE)
    if effective in (400, 401, 404):
        return verdict(
            {400: Outcome.UNKNOWN_REPORT, 401: Outcome.BAD_TOKEN, 404: Outcome.NOT_FOUND}[effective]
        )
    if effective != 200:
        note = f"HTTP {status} with code {code} is no answer that the vendor documents"
        return verdict(Outcome.BAD_ANSWER, note)
    if "data" not in envelope:
        return verdict(Outcome.BAD_ANSWER, "the answer has no `data`")
    data = envelope["data"]
    if data is None or data == []:
        return verdict(Outcome.EMPTY, f"`data` is {'null' if data is None else 'an empty list'}")
    if not isinstance(data, list):
        return verdict(Outcome.BAD_ANSWER, "`data` is not a list of rows")
    return Verdict(Outcome.OK, code, msg, rows=data)


def _known_refusal(said: str) -> Outcome | None:
    """The refusal that the vendor's text stands for; `said` in capitals."""
    for text, outcome in (
        ("VALIDATE TOKEN", Outcome.BAD_TOKEN),
        ("ENTER THE WOLKVOX-TOKEN", Outcome.BAD_TOKEN),
        ("SIMULTANEOUS REQUESTS", Outcome.TOKEN_BUSY),
        ("TOKEN LIMIT EXCEEDED", Outcome.QUOTA_SPENT),
    ):
        if text in said:
            return outcome
    return None


def _read_envelope(body: bytes) -> tuple[dict[str, Any], str | None]:
    """The envelope, and why the body is none: exactly one of the two says something."""
    if not body:
        return {}, "the body is empty"
    try:
        # Numbers as Decimal: a count must not pass through a float.
        found = simplejson.loads(
            body.decode("utf-8-sig"),
            use_decimal=True,
            parse_int=Decimal,
            parse_constant=Decimal,  # a bare NaN spoils its row only
            allow_nan=True,
        )
    except UnicodeDecodeError:
        return {}, "the body is not UTF-8 text"
    except (ValueError, ArithmeticError, RecursionError):
        return {}, "the body is not JSON"
    if not isinstance(found, dict) or "code" not in found:
        return {}, "the body is JSON, but not the vendor's envelope"
    return found, None


def _text(value: object) -> str | None:
    """A value of the envelope for a text column, which may hold neither NUL nor half a character;
    its whole is in the answer's bytes."""
    if value is None or value is False:
        return None
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", str(value))[:2000]


def _seconds(header: str | None) -> float | None:
    """A Retry-After in seconds; its other form, a date, is no promise worth a clock's error."""
    return float(header) if header and header.isascii() and header.isdigit() else None


def _mask(body: bytes, token: str) -> bytes:
    """The body itself, or a copy without the token: a record must not hold a key."""
    secret = token.encode()
    return body.replace(secret, b"[token]") if secret in body else body


def _noting(verdict: Verdict, masked: bool) -> Verdict:
    if not masked:
        return verdict
    note = "; ".join(filter(None, (verdict.note, "the answer repeated the token: it is masked")))
    return Verdict(verdict.outcome, verdict.code, verdict.msg, verdict.rows, note)


def _explain(error: Exception, operation: Operation, began: bool) -> Verdict:
    """Which step of the call failed, in words for a person."""
    causes = _causes(error)
    host = operation.url.split("/")[2]

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        return Verdict(Outcome.UNREACHABLE, note=f"certificate: {host} could not prove who it is")
    if caused_by(urllib3.exceptions.NameResolutionError, socket.gaierror):
        return Verdict(Outcome.UNREACHABLE, note=f"name: {host} could not be resolved")
    if caused_by(urllib3.exceptions.ConnectTimeoutError):
        return Verdict(Outcome.UNREACHABLE, note=f"connection: {host} did not take it in time")
    if caused_by(urllib3.exceptions.ReadTimeoutError, requests.Timeout, TimeoutError):
        return Verdict(Outcome.TIMEOUT, note=f"{host} took the call and did not answer in time")
    if began:
        return Verdict(Outcome.BAD_ANSWER, note="the connection ended in the middle of the answer")
    return Verdict(Outcome.UNREACHABLE, note=f"connection: {host} refused or dropped it")


def _causes(error: BaseException | None) -> list[BaseException]:
    """An exception and all that it wraps, as requests and urllib3 nest them."""
    found: list[BaseException] = []
    queue = [error]
    while queue:
        one = queue.pop()
        if one is None or one in found:
            continue
        found.append(one)
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        queue.extend(item for item in inner if isinstance(item, BaseException))
    return found
