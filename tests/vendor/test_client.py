"""One call over a real socket: what is sent, and what becomes of anything that may come back."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from builders.calls import MISBEHAVED, REPORT, ROW, TOKEN, WHOLE, call
from fake_wolkvox import MISBEHAVIOURS, Vendor
from fake_wolkvox.misbehaviour import Scene
from fake_wolkvox.reply import Reply, envelope, page
from wolkvox_billing import __version__
from wolkvox_billing.vendor.client import Limits, ask, new_session
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.vendor.reports import CONNECT_SECONDS, MOST_BYTES, READ_SECONDS


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def reply_with(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Callable[[Reply], None]:
    """Makes the vendor answer anything at all."""

    def answer(reply: Reply) -> None:
        def special(scene: Scene) -> Reply:
            return reply

        monkeypatch.setitem(MISBEHAVIOURS, "special", special)
        vendor.misbehave("special")

    return answer


# What is sent.


def test_one_get_is_sent_as_documented(vendor: Vendor) -> None:
    """A call is one GET with the report, the token's header, and our name and version."""
    answer = call(vendor.url)
    assert answer.judgement.outcome == "ok"
    [sent] = vendor.calls
    assert sent.path == "/api/v2/billing.php?api=rsync_s3_mp3"
    assert sent.headers["wolkvox-token"] == TOKEN
    assert sent.headers["user-agent"].startswith(f"wolkvox-billing/{__version__} ")
    assert sent.headers["accept"] == "application/json"
    assert "authorization" not in sent.headers


def test_the_limits_are_the_documented_ones() -> None:
    """A call waits 10 s for the connection and 60 s for the answer, and takes 256 MB at most."""
    assert (CONNECT_SECONDS, READ_SECONDS, MOST_BYTES) == (10, 60, 268_435_456)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_no_redirect_is_followed(
    vendor: Vendor, reply_with: Callable[[Reply], None], status: int, elsewhere: bool
) -> None:
    """A redirect is a bad answer: the token goes to no other path and to no other host."""
    to = (vendor.elsewhere_url if elsewhere else "/moved") + "/api/v2/billing.php"
    moved = page(status, "Moved", Location=to)
    reply_with(moved)
    answer = call(vendor.url)
    assert (answer.judgement.outcome, answer.http_status) == ("bad_answer", status)
    assert answer.body == moved.body
    assert (len(vendor.calls), vendor.elsewhere_calls) == (1, [])


@pytest.mark.parametrize(
    "location",
    ["http://[", "//", "\xe9", "javascript:", "", "file:///etc/passwd", "http://169.254.169.254/"],
)
def test_a_broken_redirect_is_a_bad_answer(
    vendor: Vendor, reply_with: Callable[[Reply], None], location: str
) -> None:
    """Where a redirect points to plays no part: it is an answer, though a bad one."""
    reply_with(page(302, "Moved", Location=location))
    answer = call(vendor.url)
    assert (answer.judgement.outcome, answer.http_status) == ("bad_answer", 302)


def test_a_redirect_is_read_within_the_limits(
    vendor: Vendor, reply_with: Callable[[Reply], None]
) -> None:
    """A redirect with an endless body is refused at the largest size, as any answer."""
    reply_with(Reply(302, (b"x" * 1000 for _ in range(5000)), headers={"Location": "/moved"}))
    answer = call(vendor.url, most_bytes=100_000)
    assert answer.judgement.note == "the answer is larger than 100000 bytes"


# What comes back.


def test_each_misbehaviour_is_in_the_table() -> None:
    """Whatever the stand-in vendor can do has its outcome below."""
    assert MISBEHAVED.keys() == MISBEHAVIOURS.keys()


@pytest.mark.parametrize("name", MISBEHAVED)
def test_each_misbehaviour_has_its_outcome(vendor: Vendor, name: str) -> None:
    """Whatever the vendor does is one outcome, with its HTTP status and what we noticed."""
    vendor.answer(TOKEN, REPORT, [ROW])
    vendor.slow_seconds = 0.05
    vendor.misbehave(name)
    answer = call(vendor.url, read_seconds=0.3 if name in ("slow_body", "never_answer") else 10,
                  most_bytes=1_000_000)  # fmt: skip
    judgement = answer.judgement
    note = judgement.note and judgement.note.replace(
        vendor.url.removeprefix("http://"), "127.0.0.1"
    )
    assert (judgement.outcome.value, answer.http_status, note) == MISBEHAVED[name]
    assert bool(judgement.rows) is (judgement.outcome == "ok")
    assert len(vendor.calls) == 1


def said(code: object, msg: str, **more: object) -> bytes:
    return json.dumps({"code": code, "error": None, "msg": msg, "data": None, **more}).encode()


ROWS: dict[str, Any] = {"data": [ROW]}
BUSY = "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        # The vendor's table, line by line.
        (400, said(400, "THE API YOU WANT TO CONSULT DOES NOT EXIST"), "unknown_report"),
        (400, said(400, "SOME PARAMETERS ARE REQUIRED"), "unknown_report"),
        (401, said(401, "PLEASE ENTER THE WOLKVOX-TOKEN"), "bad_token"),
        (403, said(403, "PLEASE VALIDATE TOKEN"), "bad_token"),
        (403, said(403, "TOKEN LIMIT EXCEEDED"), "quota_spent"),
        (403, said(403, BUSY), "token_busy"),
        (403, said(403, BUSY.replace("2", "1").lower()), "token_busy"),
        (403, said(403, "BACKUP IN PROGRESS"), "maintenance"),
        (403, said(403, ""), "maintenance"),
        (404, said(404, "Validate dates entered"), "not_found"),
        # The same inside HTTP 200, with the code as a number or as text.
        (200, said("400", "THE API YOU WANT TO CONSULT DOES NOT EXIST"), "unknown_report"),
        (200, said(401, "PLEASE ENTER THE WOLKVOX-TOKEN"), "bad_token"),
        (200, said("403", "PLEASE VALIDATE TOKEN", **ROWS), "bad_token"),
        (200, said(403, "TOKEN LIMIT EXCEEDED"), "quota_spent"),
        (200, said("403", BUSY), "token_busy"),
        (200, said(403, "BACKUP IN PROGRESS"), "maintenance"),
        (200, said("404", "Validate dates entered"), "not_found"),
        (200, said(500, "oops", **ROWS), "server_error"),
        (200, said(200, "TOKEN LIMIT EXCEEDED", error="403"), "quota_spent"),
        (200, said(200, "", error="PLEASE VALIDATE TOKEN", **ROWS), "bad_token"),
        # A refusal in words, beside code 200 and without rows, is not an empty month.
        (200, said(200, "TOKEN LIMIT EXCEEDED"), "quota_spent"),
        (200, said(200, "PLEASE VALIDATE TOKEN", data=[]), "bad_token"),
        (200, said("200", BUSY), "token_busy"),
        (200, said(200, "THE API YOU WANT TO CONSULT DOES NOT EXIST"), "unknown_report"),
        (200, said(None, "", **ROWS), "bad_answer"),
        (200, said(False, "", **ROWS), "bad_answer"),
        (200, b'{"code": 403, "code": 200, "data": [{}]}', "bad_answer"),
        (200, b'{"code": 200, "data": [], "data": [{}]}', "bad_answer"),
        # Success is never decided by `msg`, nor believed under another status.
        (200, said(200, "TOKEN LIMIT EXCEEDED", **ROWS), "ok"),
        (200, said("200", "1 records were found", **ROWS), "ok"),
        (200, said(200, "", error="", **ROWS), "ok"),
        (403, said(200, "", **ROWS), "maintenance"),
        (404, said(200, "", **ROWS), "bad_answer"),
        (500, said(200, "", **ROWS), "server_error"),
        (202, said(200, "", **ROWS), "bad_answer"),
        (200, said(2000, "", **ROWS), "bad_answer"),
        (200, said("ok", "", **ROWS), "bad_answer"),
        (200, said("", "", **ROWS), "bad_answer"),
        (200, b"[]", "bad_answer"),
        (200, b"null", "bad_answer"),
        (200, b'"200"', "bad_answer"),
        (200, b'{"data": []}', "bad_answer"),
        (200, WHOLE + b"<br />", "bad_answer"),
        (200, WHOLE.decode().encode("utf-16"), "bad_answer"),
        (404, b"", "bad_answer"),
    ],
)
def test_each_refusal_is_known(
    vendor: Vendor,
    reply_with: Callable[[Reply], None],
    status: int,
    body: bytes,
    outcome: str,
) -> None:
    """A refusal is known by its status and text, wherever the vendor puts it, and is no answer."""
    reply_with(Reply(status, body))
    answer = call(vendor.url)
    assert (answer.judgement.outcome, answer.http_status) == (outcome, status)
    assert answer.body == body


def test_a_refusal_is_told_in_the_vendors_words(vendor: Vendor) -> None:
    """The code and the text of an answer are kept as text, beside no row."""
    judgement = call(vendor.url, token="d4" * 32).judgement
    assert (judgement.code, judgement.msg, judgement.rows) == ("403", "PLEASE VALIDATE TOKEN", [])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("60", 60),
        ("86400", 86400),
        ("Wed, 11 Nov 2026 05:00:00 GMT", None),
        ("-1", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_pause_that_the_server_asks_for_is_read(
    vendor: Vendor, reply_with: Callable[[Reply], None], header: str, seconds: float | None
) -> None:
    """Retry-After counts where it is a number of seconds."""
    reply_with(page(503, "Busy", Retry_After=header))
    assert call(vendor.url).retry_after == seconds


# The record of what came.

ODD = b'\xef\xbb\xbf {"code":\t"200",\r\n "data": [1.50], "x": "\\u00e9\xc3\xa9\\u0000"}\n\n'


@pytest.mark.parametrize("body", [WHOLE, ODD, b"\x00\xff\xfe<br />", b"", bytes(range(256)) * 999])
@pytest.mark.parametrize("packed", [False, True])
def test_what_came_is_kept_byte_for_byte(
    vendor: Vendor, reply_with: Callable[[Reply], None], body: bytes, packed: bool
) -> None:
    """The body is kept as it came, unpacked, with its length and SHA-256."""
    headers = {"Content-Encoding": "gzip"} if packed else {}
    reply_with(Reply(200, gzip.compress(body) if packed else body, headers=headers))
    answer = call(vendor.url)
    assert (answer.body, answer.body_bytes) == (body, len(body))
    assert answer.body_sha256 == hashlib.sha256(body).hexdigest()


def test_what_came_before_the_cut_is_kept(vendor: Vendor) -> None:
    """Of an answer that ends in the middle, what came is kept."""
    vendor.answer(TOKEN, REPORT, [ROW])
    vendor.misbehave("cut")
    answer = call(vendor.url)
    assert answer.body == WHOLE[: len(WHOLE) // 2]
    assert answer.body_sha256 == hashlib.sha256(answer.body).hexdigest()


def test_no_answer_leaves_no_record_of_one(vendor: Vendor) -> None:
    """Where nothing came, there is neither status nor hash."""
    vendor.misbehave("drop")
    answer = call(vendor.url)
    assert (answer.http_status, answer.body, answer.body_bytes) == (None, b"", 0)
    assert answer.body_sha256 is None


def test_a_token_in_the_answer_is_masked(
    vendor: Vendor, reply_with: Callable[[Reply], None]
) -> None:
    """An answer that repeats the token is kept without it, and says so; the hash is of what
    came."""
    body = said(403, f"PLEASE VALIDATE TOKEN {TOKEN}", token=TOKEN)
    reply_with(Reply(403, body))
    answer = call(vendor.url)
    assert answer.judgement.outcome == "bad_token"
    assert answer.judgement.msg == "PLEASE VALIDATE TOKEN [token]"
    assert answer.judgement.note == "the answer repeated the token: it is masked"
    assert answer.body == body.replace(TOKEN.encode(), b"[token]")
    assert answer.body_sha256 == hashlib.sha256(body).hexdigest()
    assert TOKEN not in repr(answer)


# Limits.


@pytest.mark.parametrize(("most", "outcome"), [(len(WHOLE), "ok"), (len(WHOLE) - 1, "bad_answer")])
def test_an_answer_has_a_largest_size(vendor: Vendor, most: int, outcome: str) -> None:
    """An answer is taken up to the limit, and refused one byte beyond it."""
    vendor.answer(TOKEN, REPORT, [ROW])
    assert call(vendor.url, most_bytes=most).judgement.outcome == outcome


@pytest.mark.parametrize("name", ["gzip_bomb", "huge"])
def test_an_endless_answer_does_not_fill_the_memory(vendor: Vendor, name: str) -> None:
    """300 MB, packed or plain, take no more memory than a few times the limit."""
    vendor.misbehave(name)
    tracemalloc.start()
    try:
        answer = call(vendor.url, most_bytes=2_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.judgement.note == "the answer is larger than 2000000 bytes"
    assert answer.body_bytes < 2_200_000
    assert peak < 16_000_000  # the stand-in vendor's own pieces, of 1 MB each, included


def test_a_body_that_trickles_ends_by_the_deadline(vendor: Vendor) -> None:
    """Each byte comes in time, the whole does not: the call ends at the limit for the whole."""
    vendor.slow_seconds = 0.01
    vendor.answer(TOKEN, REPORT, [ROW] * 1000)  # 1000 s
    vendor.misbehave("slow_body")
    started = time.monotonic()
    answer = call(vendor.url, read_seconds=0.3)
    assert answer.judgement.outcome == "timeout"
    assert 0.3 <= time.monotonic() - started < 5
    assert envelope([ROW] * 1000).startswith(answer.body) and answer.body


# No connection.


def test_a_closed_port_is_unreachable(vendor: Vendor) -> None:
    """A server that takes no connection is unreachable."""
    vendor.close()
    judgement = call(vendor.url).judgement
    assert (judgement.outcome, (judgement.note or "")[:11]) == ("unreachable", "connection:")
    assert (judgement.note or "").endswith("refused or dropped it")


def test_a_silent_address_is_unreachable() -> None:
    """A server that does not answer the knock, as for an IP off its list, is unreachable: no call
    was sent, so it is no time-out."""
    with closing(socket.socket()) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        host, port = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # fill the queue: the next knock is dropped
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex((host, port))
        judgement = call(f"http://{host}:{port}", connect_seconds=0.3).judgement
        for connection in waiting:
            connection.close()
    assert judgement.outcome == "unreachable"
    assert judgement.note == f"connection: {host}:{port} did not take it in time"


def test_a_name_that_does_not_exist_is_unreachable() -> None:
    """A name that cannot be resolved is told apart from a server that takes no connection."""
    judgement = call("https://wvx.invalid").judgement
    assert judgement.outcome == "unreachable"
    assert judgement.note == "name: wvx.invalid could not be resolved"


@contextmanager
def https_server(certificate: trustme.LeafCert) -> Iterator[tuple[int, list[str]]]:
    """An HTTPS server with this certificate; its port, and the tokens that it got."""
    tokens: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(self.headers["wolkvox-token"])
            self.send_response(200)
            self.send_header("Content-Length", str(len(WHOLE)))
            self.end_headers()
            self.wfile.write(WHOLE)

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1], tokens
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("name", "until", "trusted", "outcome"),
    [
        ("localhost", None, True, "ok"),
        ("localhost", None, False, "unreachable"),
        ("wv0010.example", None, True, "unreachable"),
        ("localhost", LONG_AGO, True, "unreachable"),
    ],
    ids=["good", "of an unknown authority", "of another host", "expired"],
)
def test_the_certificate_is_checked(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    until: datetime | None,
    trusted: bool,
    outcome: str,
) -> None:
    """A server that cannot prove who it is gets no token, and is unreachable for that reason."""
    authority = trustme.CA()
    if trusted:
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with https_server(authority.issue_cert(name, not_after=until)) as (port, tokens):
        judgement = call(f"https://localhost:{port}").judgement
    assert judgement.outcome == outcome
    proof = f"certificate: localhost:{port} could not prove who it is"
    assert (judgement.note, tokens) == ((None, [TOKEN]) if outcome == "ok" else (proof, []))


def test_a_connection_is_kept_between_calls(vendor: Vendor) -> None:
    """A server that closed the kept connection is asked again over a new one."""
    operation = Operation("acme", "0010", f"{vendor.url}/api/v2/billing.php", TOKEN)
    with new_session() as session:
        assert ask(session, operation, REPORT).judgement.outcome == "ok"
        vendor.close()
        vendor.start()
        assert ask(session, operation, REPORT).judgement.outcome == "ok"


def test_a_refusal_leaves_the_connection_usable(vendor: Vendor) -> None:
    """After any misbehaviour the next call of the same session is answered."""
    operation = Operation("acme", "0010", f"{vendor.url}/api/v2/billing.php", TOKEN)
    with new_session() as session:
        for name in ("server_error", "truncated_json", "cut", "huge", "drop", "redirect"):
            vendor.misbehave(name, times=1)
            assert (
                ask(session, operation, REPORT, Limits(most_bytes=9999)).judgement.outcome != "ok"
            )
            assert ask(session, operation, REPORT).judgement.outcome == "ok", name
