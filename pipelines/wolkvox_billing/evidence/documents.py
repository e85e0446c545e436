"""The documents of a month as they were received: found by their SHA-256, kept byte for byte."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from wolkvox_billing.evidence.report.report import LoadedDocument
from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.files import files_in, read_file


class DocumentFiles(NamedTuple):
    """The files of a month's documents, by the member that each is; and by document_id the member
    that holds the document, None where its file was not given."""

    members: dict[str, bytes]
    member_of: dict[str, str | None]


class _File(NamedTuple):
    name: str
    data: bytes
    sha256: str
    documents: set[str]  # file_sha256 of those that it holds

    @property
    def member(self) -> str:
        return f"documents/{self.sha256[:12]}-{self.name}"


def find_documents(documents: Sequence[LoadedDocument], paths: Sequence[Path]) -> DocumentFiles:
    """Return the files that hold documents of the month. A file in a zip is given as the whole zip,
    as it was received."""
    holders: dict[str, _File] = {}  # by file_sha256: the bare file, or the one of smallest SHA-256
    for file in _files(paths, {document.file_sha256 for document in documents}):
        for sha256 in file.documents:
            rivals = [file, holders.get(sha256, file)]
            # Of files with the same bytes, that of the first name.
            holders[sha256] = min(rivals, key=lambda f: (f.sha256 != sha256, f.sha256, f.name))
    member_of = {
        document.document_id: holder.member
        if (holder := holders.get(document.file_sha256))
        else None
        for document in documents
    }
    return DocumentFiles({file.member: file.data for file in holders.values()}, member_of)


def _files(paths: Sequence[Path], wanted: Collection[str]) -> Iterator[_File]:
    """Those that hold a document that is wanted."""
    for name, data in files_in(paths):
        if isinstance(data, Rejected):
            continue  # its document is then one that was not given
        sha256 = hashlib.sha256(data).hexdigest()
        inside = {sha256, *(document.file_sha256 or "" for document in read_file(name, data))}
        if held := inside.intersection(wanted):
            yield _File(_basename(name), data, sha256, held)


def _basename(name: str) -> str:
    """A name that is one on every system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name.rsplit("/", 1)[-1])[-80:]
