"""What is attached to a mail that was saved as a file (.eml)."""

from __future__ import annotations

import email
import re
from email import policy
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


def attachments_in(data: bytes) -> list[Attachment]:
    """Return what is attached to a mail, and to mails that are forwarded in it: every part that has
    a name, or is no text."""
    attachments: list[Attachment] = []
    message = email.message_from_bytes(data, policy=policy.compat32)
    for number, part in enumerate(message.walk()):
        if number == MOST_PARTS:
            break
        name = part.get_filename() or ""
        if part.is_multipart() or (part.get_content_maintype() == "text" and not name):
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            name = name if name.isprintable() else ""
            attachments.append(Attachment(name.replace("\\", "/").split("/")[-1], content))
    return attachments
