"""A bucket with copies in it: a folder, and real servers that show it as S3."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

from builders.project import Project
from wolkvox_billing.bucket.look import LIST, WHOLE, Look, Noted, Reach, note_look
from wolkvox_billing.bucket.names import PUBLIC_PATTERN, NameReader, read_pattern
from wolkvox_billing.bucket.settings import BucketSettings
from wolkvox_billing.bucket.store import ListedObject
from wolkvox_billing.bucket.storing import store_look
from wolkvox_billing.warehouse.place import opened
from wolkvox_billing.warehouse.sql import engine_of

BOGOTA = ZoneInfo("America/Bogota")
PHONE = "573001234567"
AGENT = "agent.Gutierrez77"
NAME = "copies"  # of the bucket
KEY_ID, KEY_SECRET = "AKIATESTTESTTEST", "s3cr3tOfTheBucket0123456789"


def name_of(
    day: str, call: str = "1", extension: str = "mp3", *, phone: str = PHONE, agent: str = AGENT
) -> str:
    """Return the name of a copy, as the vendor's help centre has it. day: such as 2026-10-31."""
    return (
        f"customer.900.{agent}.date.{day}-10-20-30.cod.1.cod2.2.tel.{phone}.id.{call}.{extension}"
    )


def put(file: Path, at: datetime, size: int = 5) -> Path:
    """Write a file of so many bytes, as if it had been copied at that moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    os.utime(file, (at.timestamp(), at.timestamp()))
    return file


@contextmanager
def rclone(root: Path, remembers: str = "0s") -> Iterator[int]:
    """Serve each folder of `root` as a bucket on S3, by rclone; yield the port. remembers: how long
    it takes a folder for what it was when it was last read."""
    binary = shutil.which("rclone") or str(Path(sys.executable).with_name("rclone"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    words = [binary, "serve", "s3", str(root), "--addr", f"127.0.0.1:{port}", "--no-checksum"]
    words += ["--auth-key", f"{KEY_ID},{KEY_SECRET}", "--vfs-cache-mode", "off"]
    words += ["--dir-cache-time", remembers, "--config", os.devnull]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            _await(port, process)
            yield port
        finally:
            process.terminate()


def _await(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args} does not serve: {process.poll()}")


@dataclass
class Gate:
    """Stands before a store on S3: counts what it is asked, lets but GET and HEAD through, and
    answers itself where a test says so. `answers` are (status, body) or (0, "") for a connection
    that ends in the middle; None lets a call through."""

    port: int
    verbs: Counter[str] = field(default_factory=Counter)
    paths: list[str] = field(default_factory=list)
    answers: list[tuple[int, str] | None] = field(default_factory=list)
    always: tuple[int, str] | None = None
    denied: str = ""  # what a path has that nobody may list
    url: str = ""

    def refuse(self, status: int, code: str, times: int = 1, after: int = 0) -> None:
        """Let the store refuse with this code so many times, after so many good answers."""
        self.answers += [None] * after + [(status, error_xml(code))] * times


def error_xml(code: str) -> str:
    """Return what S3 says beside a refusal; it repeats a key of ours, as S3 does."""
    return (
        f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>of {PHONE}</Message>'
        f"<AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId><Resource>/{NAME}/{PHONE}</Resource></Error>"
    )


@contextmanager
def gate_before(port: int) -> Iterator[Gate]:
    """Stand before the store at a port."""
    gate = Gate(port)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(gate))
    server.daemon_threads = True
    gate.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(gate: Gate) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            gate.verbs[self.command] += 1
            gate.paths.append(self.path)
            if self.command not in ("GET", "HEAD"):
                self._answer(405, b"")
                return
            own = gate.answers.pop(0) if gate.answers else gate.always
            if gate.denied and gate.denied in self.path:
                own = (403, error_xml("AccessDenied"))
            if own == (0, ""):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n<?xml")
                self.close_connection = True
            elif own:
                self._answer(own[0], own[1].encode())
            else:
                self._ask()

        def _ask(self) -> None:
            upstream = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=60)
            headers = {**self.headers}
            upstream.request(self.command, self.path, headers=headers)
            response = upstream.getresponse()
            self._answer(response.status, response.read())
            upstream.close()

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """A test says what it wants to know."""

    return Handler


def settings_of(url: str, endpoint: str | None = None, **operations: str) -> BucketSettings:
    """Return settings of a bucket, at an endpoint with our credentials; by default all of it is
    acme's."""
    return BucketSettings(
        url=url,
        operations=operations or {"*": "acme"},
        zones={},
        default_zone=BOGOTA,
        pattern=read_pattern(PUBLIC_PATTERN),
        endpoint=endpoint,
        region="us-east-1",
        credentials={"access_key_id": KEY_ID, "secret_access_key": KEY_SECRET} if endpoint else {},
    )


def see(
    project: Project,
    at: datetime,
    copies: Sequence[ListedObject],
    *,
    full: bool = True,
    operation: str = "acme",
) -> None:
    """A look at the bucket, which lists these objects, in the tables; nothing is compared."""
    settings = settings_of("file:///copies", **{"*": operation})
    reader = NameReader(settings.operations, settings.pattern, settings.extensions, b"k" * 16)
    own = Look(settings, reader, project.folder / "listed.parquet", lambda objects, seconds: None)
    reach = WHOLE if full else Reach(date(2026, 1, 1), False)
    listing = note_look(own, [[*copies]], Noted(LIST, reach), lambda: at)
    with (
        opened(project.destination) as pipeline,
        pipeline.sql_client() as client,
        client.begin_transaction(),
    ):
        store_look(client, pipeline.dataset_name, engine_of(pipeline), listing, own)


def copies_of(
    call_day: date,
    count: int,
    *,
    after: int = 1,
    first: int = 0,
    extension: str = "mp3",
    size: int = 5,
) -> list[ListedObject]:
    """Return so many copies of a day's calls, made at 02:00 in Bogotá so many days after it."""
    day = call_day + timedelta(days=after)
    at = datetime(day.year, day.month, day.day, 2, tzinfo=BOGOTA).astimezone(timezone.utc)
    return [
        ListedObject(f"acme/{name_of(str(call_day), str(first + n), extension)}", at, size)
        for n in range(count)
    ]


LISTS = {"access_key_id": "AKIALISTLISTLIST", "secret_access_key": "listlistlistlist"}
WRITES = {"access_key_id": "AKIAALLALLALLALL", "secret_access_key": "allallallallallall"}
READS = {"access_key_id": "AKIAREADREADREAD", "secret_access_key": "readreadreadread"}
_RIGHTS = {
    "identities": [
        {"name": name, "credentials": [{"accessKey": own["access_key_id"],
                                        "secretKey": own["secret_access_key"]}], "actions": actions}
        for name, own, actions in (
            ("vendor", WRITES, ["Admin", "Read", "List", "Write"]),
            ("customer", LISTS, [f"List:{NAME}"]),  # as docs/bucket.md has it, and no more
            ("somebody", READS, ["Read:else"]),
        )
    ]
}  # fmt: skip


@contextmanager
def seaweedfs(folder: Path) -> Iterator[str]:
    """Serve S3 by SeaweedFS, where who lists may not write; yield its address."""
    binary = shutil.which("weed") or str(Path(sys.executable).with_name("weed"))
    (folder / "rights.json").write_text(json.dumps(_RIGHTS))
    (folder / "data").mkdir()
    master, volume, filer, s3 = _free_ports(4)
    words = [binary, "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    words += [f"-master.port={master}", f"-volume.port={volume}", "-volume.max=4"]
    words += ["-filer", f"-filer.port={filer}", "-master.volumeSizeLimitMB=64"]
    words += ["-s3", f"-s3.port={s3}", f"-s3.config={folder / 'rights.json'}"]
    words += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    words += [f"-filer.localSocket={folder / 'filer'}", f"-s3.localSocket={folder / 's3'}"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(words, stdout=log, stderr=log, text=True, cwd=folder) as process,
    ):
        try:
            _await(s3, process)
            yield f"http://127.0.0.1:{s3}"
        finally:
            process.kill()  # at TERM it waits for its own parts
            for port in (master, volume, filer, s3):
                for left in Path("/tmp").glob(f"seaweedfs-*-{port + 10000}.sock"):  # noqa: S108
                    left.unlink()


def _free_ports(count: int) -> list[int]:
    """Return ports that are free, as are those ten thousand above, which SeaweedFS takes too."""
    ports: list[int] = []
    for port in range(11000 + os.getpid() % 90 * 100, 30000):
        with suppress(OSError), socket.socket() as own, socket.socket() as above:
            own.bind(("127.0.0.1", port))
            above.bind(("127.0.0.1", port + 10000))
            ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError("no ports are free")
