"""The network and the vendor at their worst: at each byte, at each place of a run, in any tempo."""

from __future__ import annotations

import gzip
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from builders.calls import MISBEHAVED, REPORT, WHOLE, call
from builders.fuzzing import at_length
from fake_wolkvox import MISBEHAVIOURS, Vendor
from wolkvox_billing.polling.polls import Manner, Poll, Run, ask_all
from wolkvox_billing.vendor.client import Limits
from wolkvox_billing.vendor.operations import Operation

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PACKED = gzip.compress(WHOLE)
FORMS = {
    "by its length": JSON + b"Content-Length: %d\r\n\r\n" % len(WHOLE) + WHOLE,
    "in chunks": JSON
    + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(WHOLE), WHOLE),
    "to the connection's end": JSON + b"Connection: close\r\n\r\n" + WHOLE,
    "compressed": JSON
    + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED)
    + PACKED,
}


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads one request of each connection, does this, and closes it; its address."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):  # the client had enough
                    request = b""
                    while b"\r\n\r\n" not in request and (more := connection.recv(4096)):
                        request += more
                    answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # the locks are this test's own


@pytest.mark.parametrize("form", FORMS)
def test_cut_at_every_byte(form: str) -> None:
    """An answer that ends before its last byte is no answer, wherever it was cut; and says so."""
    whole, sent = FORMS[form], [0]

    with server(lambda connection: connection.sendall(whole[: sent[0]])) as url:
        for size in range(len(whole) + 1):
            sent[0] = size
            answer = call(url)
            judgement = answer.judgement
            if size == len(whole) or judgement.outcome == "ok":
                # In chunks, nothing that is missed stands in the last line ends.
                assert (judgement.outcome, answer.body) == ("ok", WHOLE), size
                continue
            assert judgement.outcome == ("bad_answer" if size else "unreachable"), size
            assert judgement.rows == []
            assert judgement.note


ENDLESS = {
    "a header, byte by byte": (JSON + b"X-More: ", b"x"),
    "header after header": (JSON, b"X: y\r\n"),
    "the status line": (b"HTTP/1.1 200 ", b"O"),
    "one 100 Continue after the other": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "blanks in the body": (JSON + b"\r\n", b" "),
    "nothing": (b"", b""),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_trickles_ends_by_the_deadline(name: str) -> None:
    """Each byte comes in time, the answer does not: the call ends at the limit for the whole."""
    first, again = ENDLESS[name]
    gone = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(first)
        while not gone.wait(0.02):
            connection.sendall(again)

    with server(trickle) as url:
        began = time.monotonic()
        judgement = call(url, read_seconds=0.4).judgement
        took = time.monotonic() - began
        gone.set()
    assert judgement.outcome == "timeout"
    assert 0.3 < took < 5


@pytest.mark.parametrize("again", [b"X: y\r\n", b"x"], ids=["lines", "one line"])
def test_a_header_that_never_ends(again: bytes) -> None:
    """As fast as the wire takes it, an endless header is refused at the size that HTTP has."""

    def flood(connection: socket.socket) -> None:
        connection.sendall(JSON + b"X-More: ")
        while True:
            connection.sendall(again * 10_000)

    with server(flood) as url:
        judgement = call(url).judgement
    assert judgement.outcome == "bad_answer"
    assert (judgement.note or "").endswith("answered what is not HTTP")


FIVE = [f"{name}{number}" * 16 for number, name in enumerate("abcde")]  # tokens
ENDLESS_ONES = {"gzip_bomb", "huge"}  # 300 MB each: in test_client, and by their size alone


@pytest.mark.parametrize("name", sorted(MISBEHAVIOURS.keys() - ENDLESS_ONES))
def test_a_misbehaviour_at_each_place_of_a_run(name: str) -> None:
    """Of five operations one meets it, be it the first or the last, and at length any: it has its
    outcome, after its new tries, and the other four are answered."""
    with Vendor(operations=[]) as vendor:
        vendor.slow_seconds = 0.05
        for number, token in enumerate(FIVE):
            vendor.add_operation(name=f"O{number}", server="0010", token=token)
        url = f"{vendor.url}/api/v2/billing.php"
        five = [Operation(f"o{number}", "0010", url, token) for number, token in enumerate(FIVE)]
        slow = name in ("slow_body", "never_answer")
        # What is slow is waited for at two places only, and long enough that a busy machine, which
        # takes a while for the four good answers, is no misbehaviour.
        manner = Manner(
            retry_pause=0, sleep=lambda _: None, limits=Limits(read_seconds=1.5 if slow else 60)
        )
        for place in [five[0], five[4]] if slow else at_length([five[0], five[4]], *five[1:4]):
            vendor.misbehave(name, token=place.token)
            last: dict[str, str] = {}
            for event in ask_all(five, [REPORT], Run(lambda *_: None, manner=manner)):
                assert isinstance(event, Poll)
                last[event.operation.operation_id] = event.outcome.value
            vendor.behave()
            expected = {operation.operation_id: "ok" for operation in five}
            assert last == expected | {place.operation_id: MISBEHAVED[name][0]}
        assert (vendor.violations, vendor.elsewhere_calls) == (0, [])
