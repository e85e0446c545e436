"""One call to the vendor: the request, and what came back.

    GET {base}/api/v2/billing.php?api=REPORT      header `wolkvox-token`

`ask` makes the call and never raises for what the vendor or the network does: the result is an
`Answer`, with the verdict on it. Source of the call: wolkvox's API documentation.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
from contextlib import nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from wolkvox_billing.vendor.answer import Outcome, Verdict, judge
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.vendor.reports import CONNECT_SECONDS, MOST_BYTES, READ_SECONDS
from wolkvox_billing.version import __version__

_PIECE = 64 * 1024
_LARGE = 1024 * 1024  # bytes
_judging = threading.Lock()  # large answers: while one is parsed it takes ten times its bytes
USER_AGENT = f"wolkvox-billing/{__version__} python-requests/{requests.__version__}"


@dataclass(frozen=True)
class Answer:
    """What came back from one call, byte for byte (unpacked, where it came compressed)."""

    verdict: Verdict
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

    def watch(self, connection: Any) -> None:
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

    def getresponse(self) -> Any:
        _alarm.get().watch(self.sock)  # type: ignore[attr-defined]
        return super().getresponse()  # type: ignore[misc]


class _Http(_Watched, urllib3.connection.HTTPConnection):
    pass


class _Https(_Watched, urllib3.connection.HTTPSConnection):
    pass


class _Adapter(HTTPAdapter):
    def get_connection_with_tls_context(self, *args: Any, **more: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **more)
        pool.ConnectionCls = _Https if pool.scheme == "https" else _Http
        return pool


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, so that a redirect is an answer like any other. For a target requests would read
        the whole body first, past our limits and past the record, even where it does not follow."""


def new_session() -> requests.Session:
    """A connection to one operation's server, kept alive between calls."""
    session = _Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter())
    session.headers["User-Agent"] = USER_AGENT
    session.headers["Accept"] = "application/json"
    session.auth = _no_auth
    return session


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """In the place of what requests would take from a .netrc, and send to the vendor."""
    return request


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
    requests would carry the token along. `read_seconds` bounds the answer as a whole, from
    the first byte of its headers to the last one of its body.
    """
    status: int | None = None
    retry_after: float | None = None
    pieces: list[bytes] = []
    size, digest = 0, hashlib.sha256()
    problem: Verdict | None = None
    with _Alarm(read_seconds) as alarm:
        try:
            with session.get(
                operation.url,
                # A call to this machine is in clear: it goes through nobody else's hands.
                proxies={"http": ""} if operation.url.startswith("http:") else None,
                params={"api": report},
                headers={"wolkvox-token": operation.token},
                timeout=(connect_seconds, read_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                status = response.status_code
                retry_after = _seconds(response.headers.get("Retry-After"))
                while piece := response.raw.read1(_PIECE, decode_content=True):
                    size += len(piece)
                    if size > most_bytes:
                        problem = Verdict(
                            Outcome.BAD_ANSWER, note=f"the answer is larger than {most_bytes} bytes"
                        )
                        break
                    digest.update(piece)
                    pieces.append(piece)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            problem = _explain(error, operation, read_seconds, began=status is not None)
    if alarm.rang and size <= most_bytes:  # whatever that looked like: half a header, an end
        problem = _too_late(operation, read_seconds, began=status is not None)
    body = b"".join(pieces)
    masked = _mask(body, operation.token)
    with _judging if size > _LARGE else nullcontext():
        verdict = problem or _noting(judge(status or 0, masked), masked is not body)
    return Answer(
        verdict,
        http_status=status,
        body=masked,
        body_bytes=size,
        body_sha256=digest.hexdigest() if status is not None else None,
        retry_after=retry_after,
    )


def _seconds(header: str | None) -> float | None:
    """A Retry-After in seconds; its other form, a date, is no promise worth a clock's error."""
    return float(header) if header and header.isascii() and header.isdigit() else None


def _mask(body: bytes, token: str) -> bytes:
    """The body itself, or a copy without the token: a record must not hold a key."""
    for secret in {token.encode(), token.replace("/", "\\/").encode()}:  # PHP escapes a slash
        if secret in body:
            body = body.replace(secret, b"[token]")
    return body


def _noting(verdict: Verdict, masked: bool) -> Verdict:
    if not masked:
        return verdict
    note = "; ".join(filter(None, (verdict.note, "the answer repeated the token: it is masked")))
    return replace(verdict, note=note)


def _explain(error: Exception, operation: Operation, read_seconds: float, began: bool) -> Verdict:
    """Which step of the call failed, in words for a person."""
    causes = _causes(error)
    host = operation.url.split("/")[2]

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        return Verdict(Outcome.UNREACHABLE, note=f"certificate: {host} could not prove who it is")
    if caused_by(urllib3.exceptions.NameResolutionError, socket.gaierror):
        return Verdict(Outcome.UNREACHABLE, note=f"name: {host} could not be resolved")
    refused = caused_by(urllib3.exceptions.NewConnectionError)  # a kind of ConnectTimeoutError
    if caused_by(urllib3.exceptions.ConnectTimeoutError) and not refused:
        return Verdict(Outcome.UNREACHABLE, note=f"connection: {host} did not take it in time")
    if caused_by(urllib3.exceptions.ReadTimeoutError, requests.Timeout, TimeoutError):
        return _too_late(operation, read_seconds, began)
    if began:
        return Verdict(Outcome.BAD_ANSWER, note="the connection ended in the middle of the answer")
    if caused_by(http.client.HTTPException) and not caused_by(http.client.RemoteDisconnected):
        return Verdict(Outcome.BAD_ANSWER, note=f"{host} answered what is not HTTP")
    return Verdict(Outcome.UNREACHABLE, note=f"connection: {host} refused or dropped it")


def _too_late(operation: Operation, read_seconds: float, began: bool) -> Verdict:
    if began:
        note = f"the answer did not end within {read_seconds:g} s"
    else:
        note = f"{operation.url.split('/')[2]} took the call and did not answer in time"
    return Verdict(Outcome.TIMEOUT, note=note)


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
