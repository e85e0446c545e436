"""One call to the vendor: the request, and what came back.

    GET {base}/api/v2/billing.php?api=REPORT      header `wolkvox-token`

`ask` makes the call and never raises for what the vendor or the network does: the result is an
`Answer`, with the judgement on it. Source of the call: wolkvox's API documentation.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
from contextlib import nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import ConnectionPool, HTTPConnectionPool

from wolkvox_billing.vendor.answer import Judgement, Outcome, judge_answer
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.vendor.reports import CONNECT_SECONDS, MOST_BYTES, READ_SECONDS
from wolkvox_billing.version import __version__

_PIECE = 64 * 1024
_LARGE = 1024 * 1024  # bytes
_judging = threading.Lock()  # large answers: while one is parsed it takes ten times its bytes
USER_AGENT = f"wolkvox-billing/{__version__} python-requests/{requests.__version__}"


class Limits(NamedTuple):
    """What a call may take. `read_seconds` are for the answer as a whole, from the first byte of
    its headers to the last one of its body."""

    connect_seconds: float = CONNECT_SECONDS
    read_seconds: float = READ_SECONDS
    most_bytes: int = MOST_BYTES


_LIMITS = Limits()


@dataclass(frozen=True)
class Answer:
    """What came back from one call, byte for byte (unpacked, where it came compressed)."""

    judgement: Judgement
    http_status: int | None = None
    body: bytes = field(default=b"", repr=False)
    body_bytes: int = 0
    body_sha256: str | None = None
    retry_after: float | None = None  # seconds that the server asks to wait


class _Alarm:
    """Ends a connection once the time for its answer is over. A socket's time-out bounds each wait
    and not their sum: a header or body of one byte a second would hold the token for hours."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.rang = False
        self._timer: threading.Timer | None = None

    def __enter__(self) -> _Alarm:
        self._token = _alarm.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _alarm.reset(self._token)
        if self._timer:
            self._timer.cancel()

    def watch(self, connection: object) -> None:
        """Set the alarm on a socket, or on what stands in for one."""
        inner = getattr(connection, "socket", connection)  # of TLS through a proxy that speaks TLS
        self._timer = threading.Timer(self.seconds, self._ring, [inner])
        self._timer.daemon = True
        self._timer.start()

    def _ring(self, connection: socket.socket) -> None:
        self.rang = True
        with suppress(OSError):  # it is closed already
            # Under TLS too: the method of an SSLSocket would not wake who reads from it.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


_alarm: ContextVar[_Alarm] = ContextVar("alarm")  # of the call that this thread makes


class _Watched:
    """A connection whose alarm is set as soon as the request is sent."""

    def getresponse(self) -> Any:  # it stands before two classes, which do not agree on the type
        _alarm.get().watch(self.sock)  # type: ignore[attr-defined]
        return super().getresponse()  # type: ignore[misc]


class _Http(_Watched, urllib3.connection.HTTPConnection):
    pass


class _Https(_Watched, urllib3.connection.HTTPSConnection):
    pass


class _Adapter(HTTPAdapter):
    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> ConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **options)  # as requests calls it
        assert isinstance(pool, HTTPConnectionPool)
        pool.ConnectionCls = _Https if pool.scheme == "https" else _Http
        return pool


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, so that a redirect is an answer like any other. For a target requests would read
        the whole body first, past our limits and past the record, even where it does not follow."""


def new_session() -> requests.Session:
    """Return a connection to one operation's server, kept alive between calls."""
    session = _Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter())
    session.headers["User-Agent"] = USER_AGENT
    session.headers["Accept"] = "application/json"
    # Or requests would take one from a .netrc, and send it to the vendor.
    session.auth = lambda request: request
    return session


def ask(
    session: requests.Session, operation: Operation, report: str, limits: Limits = _LIMITS
) -> Answer:
    """Return the vendor's answer to one call, whatever it is. One GET; no redirect is followed,
    since requests would carry the token along."""
    received = _Received()
    problem: Judgement | None = None
    with _Alarm(limits.read_seconds) as alarm:
        try:
            with session.get(
                operation.url,
                # A call to this machine is in clear: it goes through nobody else's hands.
                proxies={"http": ""} if operation.url.startswith("http:") else None,
                params={"api": report},
                headers={"wolkvox-token": operation.token},
                timeout=(limits.connect_seconds, limits.read_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                received.read(response, limits.most_bytes)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            problem = _explain(error, operation, limits.read_seconds, received.has_begun)
    if received.size > limits.most_bytes:
        note = f"the answer is larger than {limits.most_bytes} bytes"
        problem = Judgement(Outcome.BAD_ANSWER, note=note)
    elif alarm.rang:  # whatever that looked like: half a header, an end
        problem = _too_late(operation, limits.read_seconds, received.has_begun)
    body = b"".join(received.pieces)
    masked = _mask(body, operation.token)
    with _judging if received.size > _LARGE else nullcontext():
        judgement = problem or judge_answer(received.status or 0, masked)
    if masked is not body and not problem:
        notes = (judgement.note, "the answer repeated the token: it is masked")
        judgement = replace(judgement, note="; ".join(filter(None, notes)))
    return Answer(
        judgement,
        http_status=received.status,
        body=masked,
        body_bytes=received.size,
        body_sha256=received.digest.hexdigest() if received.has_begun else None,
        retry_after=received.retry_after,
    )


class _Received:
    """What has come of an answer: it stays where the connection breaks off."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: float | None = None
        self.pieces: list[bytes] = []
        self.size = 0
        self.digest = hashlib.sha256()

    @property
    def has_begun(self) -> bool:
        return self.status is not None

    def read(self, response: requests.Response, most_bytes: int) -> None:
        """Read a response to its end, or until it is larger than that."""
        self.status = response.status_code
        self.retry_after = _seconds(response.headers.get("Retry-After"))
        while piece := response.raw.read1(_PIECE, decode_content=True):
            self.size += len(piece)
            if self.size > most_bytes:
                break
            self.digest.update(piece)
            self.pieces.append(piece)


def _seconds(header: str | None) -> float | None:
    """Return a Retry-After in seconds; a date, its other form, may be of a clock that is wrong."""
    return float(header) if header and header.isascii() and header.isdigit() else None


def _mask(body: bytes, token: str) -> bytes:
    """Return the body itself, or a copy without the token: a record must not hold a key."""
    for secret in {token.encode(), token.replace("/", "\\/").encode()}:  # PHP escapes a slash
        if secret in body:
            body = body.replace(secret, b"[token]")
    return body


def _explain(error: Exception, operation: Operation, read_seconds: float, began: bool) -> Judgement:
    """Return which step of the call failed, in words for a person."""
    causes = _causes(error)
    host = operation.url.split("/")[2]

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        return Judgement(Outcome.UNREACHABLE, note=f"certificate: {host} could not prove who it is")
    if caused_by(urllib3.exceptions.NameResolutionError, socket.gaierror):
        return Judgement(Outcome.UNREACHABLE, note=f"name: {host} could not be resolved")
    refused = caused_by(urllib3.exceptions.NewConnectionError)  # a kind of ConnectTimeoutError
    if caused_by(urllib3.exceptions.ConnectTimeoutError) and not refused:
        return Judgement(Outcome.UNREACHABLE, note=f"connection: {host} did not take it in time")
    if caused_by(urllib3.exceptions.ReadTimeoutError, requests.Timeout, TimeoutError):
        return _too_late(operation, read_seconds, began)
    if began:
        return Judgement(
            Outcome.BAD_ANSWER, note="the connection ended in the middle of the answer"
        )
    if caused_by(http.client.HTTPException) and not caused_by(http.client.RemoteDisconnected):
        return Judgement(Outcome.BAD_ANSWER, note=f"{host} answered what is not HTTP")
    return Judgement(Outcome.UNREACHABLE, note=f"connection: {host} refused or dropped it")


def _too_late(operation: Operation, read_seconds: float, began: bool) -> Judgement:
    if began:
        note = f"the answer did not end within {read_seconds:g} s"
    else:
        note = f"{operation.url.split('/')[2]} took the call and did not answer in time"
    return Judgement(Outcome.TIMEOUT, note=note)


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return an exception and all that it wraps, as requests and urllib3 nest them."""
    causes: list[BaseException] = []
    queue = [error]
    while queue:
        cause = queue.pop()
        if cause is None or cause in causes:
            continue
        causes.append(cause)
        inner = [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
        queue.extend(item for item in inner if isinstance(item, BaseException))
    return causes
