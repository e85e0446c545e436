"""What is attached to a mail that was saved as a file (.eml)."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import NamedTuple

MOST_PARTS = 1000
# Headers that a mail begins with. A saved web page begins with MIME-Version too, and has no `From`.
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:[ \t]")
_FROM = re.compile(rb"^(?:From|Received|Return-Path|Delivered-To|Message-ID):[ \t]", re.M | re.I)
_WEB_PAGE = re.compile(rb"^Snapshot-Content-Location:", re.M | re.I)


class Attachment(NamedTuple):
    name: str
    data: bytes


def is_mail(data: bytes) -> bool:
    """Return whether a file's bytes begin with the headers of a mail."""
    head = data[:20_000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not _HEADER.match(head) or not re.search(rb"^Content-Type:", data[:20_000], re.M | re.I):
        return False
    return bool(_FROM.search(head)) and not _WEB_PAGE.search(head)


class Mail(NamedTuple):
    """When a mail came, and what is attached to it."""

    received_at: datetime | None
    attachments: list[Attachment]


def read_mail(data: bytes) -> Mail:
    message = email.message_from_bytes(data)
    return Mail(_received_at(message), list(_attachments_in(message)))


def _attachments_in(message: Message) -> Iterator[Attachment]:
    """Yield what is attached to a mail, and to mails that are forwarded in it: every part that has
    a name, or is no text."""
    for part in islice(message.walk(), MOST_PARTS):
        name = part.get_filename() or ""
        if part.is_multipart() or (part.get_content_maintype() == "text" and not name):
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            name = name if name.isprintable() else ""
            yield Attachment(name.replace("\\", "/").split("/")[-1], content)


def _received_at(message: Message) -> datetime | None:
    """Return when a mail came, in UTC: by the first of its `Received`, which the server wrote that
    we took it from, else by its `Date`; None where neither has a moment."""
    received = message.get_all("Received") or []
    stamps = [str(header).rpartition(";")[2] for header in received[:1]]
    for stamp in [*stamps, str(message.get("Date") or "")]:
        try:
            moment = parsedate_to_datetime(stamp.strip())
            if moment.tzinfo is None:  # `-0000`: in UTC, of nobody knows which place
                moment = moment.replace(tzinfo=timezone.utc)
            return moment.astimezone(timezone.utc)
        except (TypeError, ValueError, IndexError, OverflowError):
            continue
    return None
