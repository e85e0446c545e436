"""The documents of a month as they were received: found by their SHA-256, kept byte for byte."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.files import read_bytes, read_file, walk

Row = Mapping[str, Any]


def find_documents(
    documents: Sequence[Row], paths: Sequence[Path]
) -> tuple[dict[str, bytes], dict[str, str | None]]:
    """The files that hold documents of the month, as members, and each document's member. A file
    in a zip is given as the whole zip, as it was received."""
    wanted = {one["file_sha256"] for one in documents}
    found: dict[str, tuple[str, bytes]] = {}  # SHA-256 of a file's bytes → name, bytes
    holders: dict[str, str] = {}  # file_sha256 → the smallest SHA-256 of a file that holds it
    for path in paths:
        for name, file in walk(path):
            if isinstance(file, Rejected):
                continue
            try:
                data = read_bytes(file)
            except Rejected:
                continue  # its document is then one that was not given
            sha256 = hashlib.sha256(data).hexdigest()
            held = {sha256, *(one.file_sha256 or "" for one in read_file(name, data))} & wanted
            basename = _basename(name)
            for one in held:
                bare_first = min(holders.get(one, sha256), sha256, key=lambda x: (x != one, x))
                holders[one] = bare_first
            if held and (sha256 not in found or basename < found[sha256][0]):
                found[sha256] = basename, data
    members = {
        f"documents/{sha256[:12]}-{found[sha256][0]}": found[sha256][1]
        for sha256 in sorted(set(holders.values()))
    }
    given: dict[str, str | None] = {}
    for document in documents:
        holder = holders.get(document["file_sha256"])
        member = f"documents/{holder[:12]}-{found[holder][0]}" if holder else None
        given[document["document_id"]] = member
    return members, given


def _basename(name: str) -> str:
    """A name that is one on every system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name.rsplit("/", 1)[-1])[-80:]
