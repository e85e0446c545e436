"""One function per misbehaviour; its name is how it is asked for, its docstring what it does."""

import gzip as gzip_format
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event

from . import reply
from .reply import Reply, envelope, page, refusal
from .world import Row

MEGABYTE = 1_000_000
HUGE_MEGABYTES = 300


@dataclass(frozen=True)
class Scene:
    """What a misbehaviour may use: the rows of a good answer, and the vendor's circumstances."""

    rows: list[Row]
    path: str
    elsewhere_url: str
    slow_seconds: float
    closing: Event


Misbehaviour = Callable[[Scene], Reply]
MISBEHAVIOURS: dict[str, Misbehaviour] = {}


def _misbehaviour(function: Misbehaviour) -> Misbehaviour:
    MISBEHAVIOURS[function.__name__] = function
    return function


def described() -> dict[str, str]:
    """Return name and one line about each misbehaviour."""
    return {name: (function.__doc__ or "").strip() for name, function in MISBEHAVIOURS.items()}


# The vendor's own refusals.


@_misbehaviour
def wrong_token(scene: Scene) -> Reply:
    """403: the token is not valid."""
    return refusal(*reply.WRONG_TOKEN)


@_misbehaviour
def quota_spent(scene: Scene) -> Reply:
    """403: the day's calls are spent."""
    return refusal(*reply.QUOTA_SPENT)


@_misbehaviour
def token_busy(scene: Scene) -> Reply:
    """403: someone else uses the token now."""
    return refusal(*reply.TOKEN_BUSY)


@_misbehaviour
def maintenance(scene: Scene) -> Reply:
    """403 with a text that the vendor has not published: backup or maintenance."""
    return refusal(*reply.MAINTENANCE)


@_misbehaviour
def unknown_report(scene: Scene) -> Reply:
    """400: the report does not exist."""
    return refusal(*reply.UNKNOWN_REPORT)


@_misbehaviour
def missing_parameters(scene: Scene) -> Reply:
    """400: a parameter is missing."""
    return refusal(*reply.MISSING_PARAMETERS)


@_misbehaviour
def not_found(scene: Scene) -> Reply:
    """404: nothing was found."""
    return refusal(*reply.NOT_FOUND)


# Refusals in disguise, and pages of the web server.


@_misbehaviour
def error_in_200(scene: Scene) -> Reply:
    """HTTP 200 whose body says 403: the token is not valid."""
    return Reply(200, refusal(*reply.WRONG_TOKEN).body)


@_misbehaviour
def error_text_in_200(scene: Scene) -> Reply:
    """HTTP 200 and code 200 with rows, but with an error text."""
    return Reply(200, envelope(scene.rows, error="The query was interrupted"))


@_misbehaviour
def html(scene: Scene) -> Reply:
    """HTTP 200 with an HTML page."""
    return page(200, "Welcome")


@_misbehaviour
def html_403(scene: Scene) -> Reply:
    """HTTP 403 with an HTML page."""
    return page(403, "403 Forbidden")


@_misbehaviour
def html_404(scene: Scene) -> Reply:
    """HTTP 404 with an HTML page."""
    return page(404, "404 Not Found")


@_misbehaviour
def server_error(scene: Scene) -> Reply:
    """HTTP 500 with an HTML page."""
    return page(500, "500 Internal Server Error")


@_misbehaviour
def bad_gateway(scene: Scene) -> Reply:
    """HTTP 502 with an HTML page."""
    return page(502, "502 Bad Gateway")


@_misbehaviour
def too_many_requests(scene: Scene) -> Reply:
    """HTTP 429 that asks to come back after a second."""
    return page(429, "429 Too Many Requests", Retry_After="1")


@_misbehaviour
def retry_after(scene: Scene) -> Reply:
    """HTTP 503 that asks to come back after a second."""
    return page(503, "503 Service Unavailable", Retry_After="1")


@_misbehaviour
def redirect(scene: Scene) -> Reply:
    """HTTP 302 to another path of the same host."""
    return page(302, "302 Found", Location="/moved" + scene.path)


@_misbehaviour
def redirect_elsewhere(scene: Scene) -> Reply:
    """HTTP 302 to another host, which records what it is sent."""
    return page(302, "302 Found", Location=scene.elsewhere_url + scene.path)


# Bodies that are hard to read.


@_misbehaviour
def empty_body(scene: Scene) -> Reply:
    """HTTP 200 with nothing in it."""
    return Reply(200)


@_misbehaviour
def truncated_json(scene: Scene) -> Reply:
    """A whole HTTP answer whose JSON ends in the middle."""
    body = envelope(scene.rows)
    return Reply(200, body[: len(body) // 2])


@_misbehaviour
def php_warning(scene: Scene) -> Reply:
    """A PHP warning before a valid answer."""
    warning = b"<br />\n<b>Warning</b>:  Undefined index: items in <b>billing.php</b><br />\n"
    return Reply(200, warning + envelope(scene.rows))


@_misbehaviour
def bom(scene: Scene) -> Reply:
    """A valid answer after a byte order mark."""
    return Reply(200, b"\xef\xbb\xbf" + envelope(scene.rows))


@_misbehaviour
def gzip(scene: Scene) -> Reply:
    """A valid answer, compressed."""
    packed = gzip_format.compress(envelope(scene.rows))
    return Reply(200, packed, headers={"Content-Encoding": "gzip"})


@_misbehaviour
def gzip_bomb(scene: Scene) -> Reply:
    """A few hundred kilobytes that unpack to 300 MB of blanks."""

    def pieces() -> Iterator[bytes]:
        blanks, checksum = b" " * MEGABYTE, 0
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)  # without gzip's header and end
        packed = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)  # the same each time
        yield b"\x1f\x8b\x08" + bytes(7)
        for _ in range(HUGE_MEGABYTES):
            checksum = zlib.crc32(blanks, checksum)
            yield packed
        yield packer.flush() + struct.pack("<II", checksum, HUGE_MEGABYTES * MEGABYTE)

    return Reply(200, pieces(), headers={"Content-Encoding": "gzip"})


@_misbehaviour
def huge(scene: Scene) -> Reply:
    """300 MB of rows, in JSON that is valid to its end."""

    def pieces() -> Iterator[bytes]:
        before, after = envelope(["|"]).split(b'"|"')
        row = reply.encoded({"operation": "", "description": "", "items": "1", "date": ""})
        block = (row + b", ") * (MEGABYTE // len(row))
        yield before
        for _ in range(HUGE_MEGABYTES):
            yield block
        yield row + after

    return Reply(200, pieces())


@_misbehaviour
def deep_json(scene: Scene) -> Reply:
    """100,000 arrays, each in the one before it."""
    before, after = envelope("|").split(b'"|"')
    return Reply(200, before + b"[" * 100_000 + b"]" * 100_000 + after)


@_misbehaviour
def not_utf8(scene: Scene) -> Reply:
    """Valid JSON in Latin-1 with an accent, though it claims to be UTF-8."""
    accented = [{**row, "description": "GRABACIÓN"} for row in scene.rows]
    return Reply(200, envelope(accented).decode().encode("latin-1", "replace"))


# Envelopes and rows that are not as documented.


@_misbehaviour
def code_as_text(scene: Scene) -> Reply:
    """A valid answer whose code is a text."""
    return Reply(200, envelope(scene.rows, code="200"))


@_misbehaviour
def data_missing(scene: Scene) -> Reply:
    """An envelope without data."""
    return Reply(200, reply.encoded({"code": 200, "error": None, "msg": reply.FOUND}))


@_misbehaviour
def data_null(scene: Scene) -> Reply:
    """An envelope whose data is null."""
    return Reply(200, envelope(None))


@_misbehaviour
def data_empty(scene: Scene) -> Reply:
    """An envelope whose data is an empty list."""
    return Reply(200, envelope([]))


@_misbehaviour
def data_object(scene: Scene) -> Reply:
    """An envelope whose data is one row, not a list of rows."""
    return Reply(200, envelope(scene.rows[0] if scene.rows else {}))


@_misbehaviour
def data_text(scene: Scene) -> Reply:
    """An envelope whose data is a text."""
    return Reply(200, envelope("No records"))


@_misbehaviour
def zero_row(scene: Scene) -> Reply:
    """The normal rows, each with "0"."""
    return Reply(200, envelope([{**row, "items": "0"} for row in scene.rows]))


@_misbehaviour
def nan(scene: Scene) -> Reply:
    """The normal rows, each with a bare NaN, which is no JSON."""
    return Reply(200, envelope([{**row, "items": float("nan")} for row in scene.rows]))


@_misbehaviour
def text_in_items(scene: Scene) -> Reply:
    """The normal rows, each with "n/a" for its amount."""
    return Reply(200, envelope([{**row, "items": "n/a"} for row in scene.rows]))


@_misbehaviour
def total_row(scene: Scene) -> Reply:
    """The normal rows and a TOTAL row after them."""
    texts = [str(row.get("items", "")).replace(",", "") for row in scene.rows]
    total = sum(int(text) for text in texts if text.isdecimal())
    last = {**(scene.rows or [{}])[-1], "description": "TOTAL", "items": f"{total:,}"}
    return Reply(200, envelope([*scene.rows, last]))


@_misbehaviour
def extra_field(scene: Scene) -> Reply:
    """The normal rows with a field more."""
    return Reply(200, envelope([{**row, "server": "0010"} for row in scene.rows]))


@_misbehaviour
def renamed_field(scene: Scene) -> Reply:
    """The normal rows with items under another name."""
    new = {"items": "cantidad"}
    renamed = [{new.get(name, name): row[name] for name in row} for row in scene.rows]
    return Reply(200, envelope(renamed))


@_misbehaviour
def missing_field(scene: Scene) -> Reply:
    """The normal rows without their description."""
    rows = [{name: row[name] for name in row if name != "description"} for row in scene.rows]
    return Reply(200, envelope(rows))


# Connections that fail.


@_misbehaviour
def drop(scene: Scene) -> Reply:
    """Closes the connection without a byte."""
    return Reply(None)


@_misbehaviour
def cut(scene: Scene) -> Reply:
    """Closes the connection in the middle of the body."""
    body = envelope(scene.rows)
    half = len(body) // 2
    return Reply(200, body[:half], unsent=len(body) - half)


@_misbehaviour
def slow_body(scene: Scene) -> Reply:
    """Sends one byte per `slow_seconds` until the client goes or the vendor closes."""

    def pieces() -> Iterator[bytes]:
        for byte in envelope(scene.rows):
            yield bytes([byte])
            if scene.closing.wait(scene.slow_seconds):
                return

    return Reply(200, pieces())


@_misbehaviour
def never_answer(scene: Scene) -> Reply:
    """Takes the call and says nothing until the client goes or the vendor closes."""
    return Reply(None, hangs=True)
