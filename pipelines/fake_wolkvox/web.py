"""The sockets: listeners that can be closed at once, the vendor's call, the controls over HTTP."""

import json
import socket
import sys
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from . import mail, misbehaviour, reply
from .reply import Reply
from .traffic import Call

if TYPE_CHECKING:
    from .vendor import Vendor

CONTROL = "/_fake/"


class Server(ThreadingMixIn, TCPServer):
    """Serves each connection in a thread, and knows its connections so that it can end them."""

    allow_reuse_address = True
    daemon_threads = False  # so that server_close waits for them
    request_queue_size = 128

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], vendor: "Vendor") -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.vendor = vendor
        self._connections: set[socket.socket] = set()
        self._lock = Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
            super().shutdown_request(request)

    def end_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # the other side was quicker
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away is its own business; anything else is a bug here, and is shown.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Listener:
    """A server in a thread of its own, that can be stopped and started on the same port."""

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], vendor: "Vendor") -> None:
        self._port = port
        self._handler = handler
        self._vendor = vendor
        self._running: tuple[Server, Thread] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        server = Server(self._port, self._handler, self._vendor)
        self._port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        self._running = server, thread

    def stop(self) -> None:
        if self._running:
            server, thread = self._running
            self._running = None
            server.shutdown()
            server.end_connections()
            server.server_close()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    """What both listeners have in common: the manners of the vendor's web server."""

    protocol_version = "HTTP/1.1"
    timeout = 5  # how long an idle connection is kept, as the vendor keeps it
    disable_nagle_algorithm = True
    server: Server

    def version_string(self) -> str:
        return "Apache"

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.server.vendor.now.timestamp())

    def log_message(self, format: str, *args: Any) -> None:
        pass  # `calls` is the log

    def called(self) -> Call:
        self.connection.settimeout(None)  # only an idle connection has a time limit
        return self.server.vendor.call(self.path, {k.lower(): v for k, v in self.headers.items()})

    def send(self, answer: Reply, call: Call | None = None) -> None:
        """Put an answer on the wire. The call is over before its last byte goes out: a client that
        calls again as soon as it has read the answer must not meet its own earlier call."""
        if answer.status is None:
            while answer.hangs and self.connection.recv(1024):
                pass
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        if isinstance(answer.body, bytes):
            self.send_header("Content-Length", str(len(answer.body) + answer.unsent))
            self.leave(call)
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection |= answer.unsent > 0
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in filter(None, answer.body):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.leave(call)
            self.wfile.write(b"0\r\n\r\n")
        self.connection.settimeout(self.timeout)

    def leave(self, call: Call | None) -> None:
        if call:
            self.server.vendor.leave(call)


class ElsewhereHandler(Handler):
    """The host that a redirect points to: it takes everything, and answers as if all were well."""

    def do_GET(self) -> None:
        call = self.called()
        call.status = 200
        self.server.vendor.elsewhere_calls.append(call)
        self.send(Reply(200, reply.envelope([])))


class BillingHandler(Handler):
    """The vendor's host: the billing call, and the controls beside it."""

    def do_GET(self) -> None:
        if self.path.startswith(CONTROL):
            self.control()
            return
        call = self.called()
        try:
            self.send(self.server.vendor.take(call, self.connection), call)
        finally:
            self.leave(call)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith(CONTROL):
            self.control(body)
        else:
            self.send(reply.page(405, "405 Method Not Allowed"))

    def control(self, body: bytes = b"") -> None:
        order = f"{self.command} {self.path.removeprefix(CONTROL)}"
        try:
            result = self.obey(order, json.loads(body or b"{}"))
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as problem:
            self.send(Reply(400, reply.encoded({"error": repr(problem)})))
        else:
            self.send(Reply(200, reply.encoded(result)))

    def obey(self, order: str, words: dict[str, Any]) -> object:  # JSON, as it came
        vendor = self.server.vendor
        if order == "GET calls":
            calls = [
                asdict(call) | {"received_at": call.received_at.isoformat()}
                for call in list(vendor.calls)
            ]
            return {"now": vendor.now.isoformat(), "calls": calls, "violations": vendor.violations}
        if order == "GET misbehaviours":
            return misbehaviour.described()
        if order == "POST clock":
            # Python 3.10 does not read the Z.
            vendor.now = datetime.fromisoformat(words["now"].replace("Z", "+00:00"))
        elif order == "POST answer":
            body = words.get("body_base64")
            answer = words.get("rows") if body is None else b64decode(body, validate=True)
            vendor.answer(words["token"], words["report"], answer)
        elif order == "POST misbehave":
            vendor.misbehave(**words)
        elif order == "POST behave":
            vendor.behave()
        elif order == "POST copy":
            return {"now": vendor.now.isoformat(), "copied": vendor.copy(**words)}
        elif order == "POST invoice":
            packed = vendor.invoice(**words)
            return {
                "now": vendor.now.isoformat(),
                "file_name": mail.file_name(packed),
                "zip_base64": b64encode(packed).decode(),
            }
        else:
            raise ValueError(f"there is no {order}")
        return {"now": vendor.now.isoformat()}
