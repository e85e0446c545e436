"""What is sent back for a call: the vendor's envelope, its refusals, and any other reply."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=UTF-8"
FOUND = "Information found for the current month"

NO_TOKEN = (401, "PLEASE ENTER THE WOLKVOX-TOKEN")
WRONG_TOKEN = (403, "PLEASE VALIDATE TOKEN")
QUOTA_SPENT = (403, "TOKEN LIMIT EXCEEDED")
TOKEN_BUSY = (403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)")
MAINTENANCE = (403, "THE SERVER IS UNDER BACKUP, PLEASE COME BACK LATER")
UNKNOWN_REPORT = (400, "THE API YOU WANT TO CONSULT DOES NOT EXIST")
MISSING_PARAMETERS = (400, "SOME PARAMETERS ARE REQUIRED")
NOT_FOUND = (404, "Validate dates entered")


@dataclass(frozen=True)
class Reply:
    """One answer on the wire. A body in pieces is sent chunked; no status: nothing is sent."""

    status: int | None
    body: bytes | Iterator[bytes] = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    unsent: int = 0  # bytes that Content-Length promises beyond the body
    hangs: bool = False  # says nothing until the other side goes


def envelope(data: object, **changed: object) -> bytes:
    """Return the vendor's envelope around the data, with fields changed or added."""
    return encoded({"code": 200, "error": None, "msg": FOUND, "data": data} | changed)


def encoded(value: object) -> bytes:
    """Return JSON in UTF-8; half a surrogate pair becomes the JSON escape that stands for it."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


def refusal(status: int, msg: str) -> Reply:
    """Return a refusal as the vendor words it: the HTTP status, and the same again in the body."""
    error = HTTPStatus(status).phrase
    return Reply(status, envelope(None, code=status, error=error, msg=msg))


def page(status: int, title: str, **headers: str) -> Reply:
    """Return an HTML page, as the web server in front of the vendor's code sends it."""
    html = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><h1>{title}</h1></html>\n"
    dashed = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, html.encode(), HTML, dashed)
