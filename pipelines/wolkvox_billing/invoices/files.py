"""The files that a person names: folders are walked, zips are looked into, by content.

No name in a zip is ever a path here: members are read into memory, within limits, and their names
are only words. A link that leads out of its folder, and whatever is no file, is not opened.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from wolkvox_billing.invoices.document import Document, Rejected
from wolkvox_billing.invoices.mail import is_mail, read_mail
from wolkvox_billing.invoices.sheets.html_table import is_html
from wolkvox_billing.invoices.sheets.package import NoWorkbook
from wolkvox_billing.invoices.sheets.spreadsheet import (
    NO_HINTS,
    Hints,
    read_csv,
    read_html,
    read_xlsx,
)
from wolkvox_billing.invoices.ubl import OtherKind, read_xml
from wolkvox_billing.invoices.wrappers import HOW, unwrap_text

MOST_BYTES = 100 * 1024 * 1024  # of a file
MOST_MEMBER_BYTES = 20 * 1024 * 1024  # of a zip's member, unpacked
MOST_UNPACKED_BYTES = 200 * 1024 * 1024  # of all members of a file together
MOST_MEMBERS = 10_000
MOST_ZIPS_DEEP = 2
MOST_TAGS = 3_000_000  # of all XML in a file together
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PACKED = {b"\x1f\x8b": "gzip", b"Rar!": "RAR", b"7z\xbc\xaf": "7z", b"BZh": "bzip2"}
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
_BEFORE_XML = b"\xef\xbb\xbf \t\r\n"  # a BOM and blanks, in any order
_DATA = (".xml", ".csv", ".tsv", ".xlsx", ".xls", ".zip")  # names of what should have been readable
_XML = (b"<", b"\xff\xfe<\0", b"\xfe\xff\0<", b"<\0", b"\0<")
_ESCAPED_XML = (b"&lt;", b"&amp;", b"&#", b"<![CDATA[")  # as a text of a text
_IN_BASE64 = re.compile(rb"[A-Za-z0-9+/]{60}")
_OF_SYSTEMS = ("thumbs.db", "desktop.ini", "__macosx")
PDF = (
    "a PDF, which cannot be read: ask the supplier for the electronic invoice itself, the XML "
    "(UBL 2.1; in Colombia the AttachedDocument in the mail's zip), or a CSV or XLSX of its lines"
)


Content = Document | OtherKind | Rejected


class Paper(NamedTuple):
    """What a file, or a zip's member, is: a document, a UBL kind that is no invoice, or rejected.
    `file_sha256` is of the bytes that `file_name` names; None where they were not read;
    `received_at`: when the mail came that it was attached to."""

    file_name: str
    file_sha256: str | None
    content: Content
    received_at: datetime | None = None


class _Attachment(Rejected):
    """What comes along in a mail, such as its PDF: beside documents in a zip it is passed over."""


def read_file(name: str, data: bytes, hints: Hints = NO_HINTS) -> Iterator[Paper]:
    """Yield what the bytes of a file are, whatever its name says."""
    yield from _FileReader(hints).read(name, data)


def _unwrapped(text: bytes) -> bytes:
    """Return the XML in a text that escapes or encodes it. Raises Rejected where there is none."""
    unwrapped = unwrap_text(text.decode("utf-8", "replace"))
    xml = unwrapped.encode() if isinstance(unwrapped, str) else unwrapped
    if not xml.startswith(_XML):
        raise Rejected(f"a text that is neither XML nor a wrapped one: {HOW}")
    return xml


def _refuse_unreadable(data: bytes) -> None:
    """Raise Rejected for what cannot be read, and name it, as far as its first bytes tell."""
    head = data[:1024]
    if not data.strip():
        raise Rejected("an empty file")
    if b"%PDF-" in head:
        raise _Attachment(PDF)
    if head.startswith(_PICTURES):
        raise _Attachment("a picture, which cannot be read")
    if head.lstrip().lower().startswith(b"mime-version:"):
        raise Rejected("a web archive (MHTML) that calls itself Excel: save it as .xlsx")
    if head.startswith(_OLD_OFFICE):
        raise Rejected(
            "an old Excel file, or one with a password: save it as .xlsx without a password; of a "
            "mail of Outlook's (.msg), save what is attached"
        )
    if kind := next((kind for magic, kind in _PACKED.items() if head.startswith(magic)), ""):
        raise Rejected(f"packed as {kind}, which is not read: unpack it, and give what is in it")


def _told(papers: Iterable[Paper]) -> Iterator[Paper]:
    """Yield these papers without what came along with them, such as pictures and PDF; all of them
    where nothing else came."""
    passed_over: list[Paper] = []
    is_anything_told = False
    for paper in papers:
        should_be_read = paper.file_sha256 is None or paper.file_name.lower().endswith(_DATA)
        if isinstance(paper.content, Rejected) and not should_be_read:
            passed_over.append(paper)
        else:
            is_anything_told = True
            yield paper
    if not is_anything_told:
        yield from passed_over


class _FileReader:
    """Reads a file and all that is in it, within limits of what is unpacked and parsed together."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._bytes_left = MOST_UNPACKED_BYTES
        self._tags_left = MOST_TAGS

    def read(self, name: str, data: bytes, depth: int = 0) -> Iterator[Paper]:
        """Yield what these bytes are; `depth` counts the zips and mails around them."""
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            if data.startswith(_ZIP):
                with _open_zip(data) as archive:
                    names = archive.namelist()
                    if "[Content_Types].xml" not in names:
                        yield from self._read_members(name, archive, depth + 1)
                        return
                    if len(set(names)) < len(names):
                        raise NoWorkbook("an Office file that is no workbook, which cannot be read")
                    parts = {i.filename: self._unpack(archive, i) for i in archive.infolist()}
                contents: Iterator[Content] = read_xlsx(parts, self._hints)
            elif is_mail(data):
                yield from self._read_mail(name, data, depth + 1)
                return
            elif is_html(stripped := data.lstrip(_BEFORE_XML)):
                contents = read_html(self._count_tags(data), self._hints)
            elif stripped.startswith(_ESCAPED_XML) or _IN_BASE64.match(stripped):
                contents = read_xml(self._count_tags(_unwrapped(stripped)))
            elif stripped.startswith(_XML):
                contents = read_xml(self._count_tags(stripped))
            else:
                _refuse_unreadable(data)
                contents = read_csv(data, self._hints)
            for content in contents:
                yield Paper(name, sha256, content)
        except NoWorkbook as error:
            yield Paper(name, sha256, _Attachment(str(error)))
        except Rejected as error:
            yield Paper(name, sha256, error)

    def _read_mail(self, name: str, data: bytes, depth: int) -> Iterator[Paper]:
        """Yield what is attached to a mail. What a mail only shows, such as its text, is none."""
        if depth > MOST_ZIPS_DEEP:
            raise Rejected(f"mails and zips in one another, more than {MOST_ZIPS_DEEP} deep")
        mail = read_mail(data)
        if not mail.attachments:
            raise _Attachment("a mail without an attachment")
        yield from _told(
            # Of a mail that was forwarded in another one, it came with that.
            paper if paper.received_at else paper._replace(received_at=mail.received_at)
            for number, attachment in enumerate(mail.attachments, 1)
            for paper in self._read_part(
                f"{name}/{attachment.name or number}",
                partial(self._count_bytes, attachment.data),
                depth,
            )
        )

    def _read_members(self, name: str, archive: zipfile.ZipFile, depth: int) -> Iterator[Paper]:
        if depth > MOST_ZIPS_DEEP:
            raise Rejected(f"zips in zips, more than {MOST_ZIPS_DEEP} deep")
        members = sorted(filter(_is_member, archive.infolist()), key=lambda info: info.filename)
        if not members:
            yield Paper(name, None, Rejected("a zip without a file in it"))
        yield from _told(
            paper
            for info in members
            if self._bytes_left >= 0  # or it was told
            for paper in self._read_part(
                f"{name}/{info.filename}", partial(self._unpack, archive, info), depth
            )
        )

    def _read_part(self, name: str, unpack: Callable[[], bytes], depth: int) -> Iterator[Paper]:
        """Yield what a member or an attachment is, or why it is not unpacked."""
        try:
            data = unpack()
        except Rejected as error:
            yield Paper(name, None, error)
        else:
            yield from self.read(name, data, depth)

    def _unpack(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        """Return a member's bytes. Raises Rejected where it is damaged, or not harmless, whatever
        it says of its size."""
        if info.flag_bits & 0x1:
            raise Rejected("encrypted: save it without a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Rejected("packed by a rare method: pack it anew as an ordinary zip")
        try:
            with archive.open(info) as member:
                data = member.read(MOST_MEMBER_BYTES + 1)
        except Exception as error:  # zipfile lets through whatever a damaged file makes it meet
            raise Rejected(f"damaged in the zip: {error}") from None
        return self._count_bytes(data)

    def _count_bytes(self, data: bytes) -> bytes:
        """Return a member. Raises Rejected where it is too large, or all of them together are."""
        self._bytes_left -= len(data)
        if len(data) > MOST_MEMBER_BYTES:
            raise Rejected(f"more than {MOST_MEMBER_BYTES:,} bytes when unpacked")
        if self._bytes_left < 0:
            raise Rejected(f"the zip has more than {MOST_UNPACKED_BYTES:,} bytes when unpacked")
        return data

    def _count_tags(self, data: bytes) -> bytes:
        """Return what is to be parsed. Raises Rejected where that would take too long in all."""
        self._tags_left -= data.count(b"<")
        if self._tags_left < 0:
            raise Rejected(f"more than {MOST_TAGS:,} tags in one file")
        return data


def _open_zip(data: bytes) -> zipfile.ZipFile:
    # Counted before zipfile makes an object of each.
    if data.count(b"PK\x01\x02") > MOST_MEMBERS:
        raise Rejected(f"a zip of more than {MOST_MEMBERS:,} files")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # as above
        raise Rejected(f"a zip that is damaged: {error}") from None


def _is_member(info: zipfile.ZipInfo) -> bool:
    return not (info.filename.endswith("/") or _is_of_system(info.filename))


def files_in(paths: Sequence[Path]) -> Iterator[tuple[str, bytes | Rejected]]:
    """Yield the files of these paths by name, with their bytes or why these are not read."""
    for path in paths:
        for name, file in _walk(path):
            try:
                yield name, file if isinstance(file, Rejected) else _read_bytes(file)
            except Rejected as error:
                yield name, error


def _walk(path: Path) -> Iterator[tuple[str, Path | Rejected]]:
    """Yield the files of a path with their names in it, or why one is not followed."""
    if not path.is_dir():
        yield path.name, path
        return
    root = path.resolve()
    errors: list[OSError] = []
    for folder, folders, files in os.walk(path, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted([*files, *links]):
            file = Path(folder, name)
            relative = str(file.relative_to(path))
            if _is_hidden(name):
                continue
            if not file.is_symlink():
                yield relative, file
            elif not file.exists():
                yield relative, Rejected("a link that leads nowhere, or in a circle")
            elif not file.resolve().is_relative_to(root):
                yield relative, Rejected("a link that leads out of the folder: not followed")
            elif file.is_file():
                yield relative, file
    for error in errors:
        relative = os.path.relpath(str(error.filename), path)
        yield relative, Rejected(f"cannot be opened: {error.strerror}")


def _read_bytes(path: Path) -> bytes:
    """Return a file's bytes; what is none, such as a FIFO, is not waited for. Raises Rejected."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Rejected("neither a file nor a folder: not opened")
            if status.st_size > MOST_BYTES:
                raise Rejected(f"a file of {status.st_size:,} bytes: {MOST_BYTES:,} are the most")
            return file.read(MOST_BYTES)
    except OSError as error:
        raise Rejected(f"cannot be opened: {error.strerror}") from None


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or _is_of_system(name)


def _is_of_system(name: str) -> bool:
    return any(part.lower() in _OF_SYSTEMS or part.startswith("._") for part in name.split("/"))
