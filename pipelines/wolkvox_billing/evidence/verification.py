"""The verb `verify`: whether an evidence file is as its manifest says. The file is a stranger's: no
name in it is ever a path, no size is believed, and nothing of it is written anywhere."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence.archive import MANIFEST, MOST_BYTES, MOST_MEMBERS
from wolkvox_billing.invoices.files import MOST_MEMBER_BYTES
from wolkvox_billing.reconciliation.month import read_month

_AT_ONCE = 1024 * 1024


@dataclass(frozen=True)
class Examined:
    """What an evidence file is: its SHA-256, how many members the manifest names, and what is
    wrong with them."""

    sha256: str
    members: int
    problems: list[str]


class _Unfit(Exception):
    """It cannot be read on; the text says why."""


def verify(file: str | os.PathLike[str]) -> list[str]:
    """What is wrong with an evidence file, each naming the member; [] if nothing is.

    A file whose members and manifest were both changed is told only by the file's own SHA-256,
    which `close` keeps: see `examine`. Raises SettingsError where there is no such file.
    """
    return examine(file).problems


def examine(file: str | os.PathLike[str]) -> Examined:
    """An evidence file Examined. No name in it is ever a path, and no size is believed."""
    path = Path(file)
    problems: list[str] = []
    members: dict[str, tuple[str, int]] = {}
    digest = hashlib.sha256()
    try:
        # What is no file, such as a FIFO, is not waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened_file:
            about = os.fstat(opened_file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise SettingsError(f"{path} is no file: name a wolkvox-evidence-….zip")
            if about.st_size > MOST_BYTES:
                raise _Unfit(f"the file has more than {MOST_BYTES:,} bytes")
            while part := opened_file.read(_AT_ONCE):
                digest.update(part)
            with _archive(opened_file) as archive:
                infos = archive.infolist()
                members = _manifest(archive, infos)
                problems += _compared(archive, infos, members)
                if not problems and not _is_seamless(archive, infos, about.st_size):
                    problems.append("the zip holds bytes that belong to no member")
    except _Unfit as error:
        problems.append(str(error))
    except OSError as error:
        raise SettingsError(f"{path} cannot be opened: {error.strerror or error}") from None
    return Examined(digest.hexdigest(), len(members), problems)


def _archive(file: Any) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile lets through whatever a damaged file makes it meet
        raise _Unfit(f"no zip that can be read: {error}") from None
    if len(archive.infolist()) > MOST_MEMBERS:
        raise _Unfit(f"the zip has more than {MOST_MEMBERS:,} members")
    return archive


def _manifest(
    archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo]
) -> dict[str, tuple[str, int]]:
    """What the manifest says: SHA-256 and size of each member. Raises _Unfit."""
    found = [one for one in infos if one.filename == MANIFEST]
    if len(found) != 1:
        raise _Unfit(f"{MANIFEST}: it is there {len(found)} times, and must be once")
    text = b"".join(_bytes_of(archive, found[0], MOST_MEMBER_BYTES))
    try:
        said = json.loads(text, object_pairs_hook=_once)
        datetime.fromisoformat(said["created_as_of"])
        read_month(said["month"])
        members = {str(k): (v["sha256"], v["size"]) for k, v in said["members"].items()}
    except (
        ValueError, TypeError, KeyError, AttributeError, RecursionError, SettingsError,
    ) as error:  # fmt: skip
        raise _Unfit(f"{MANIFEST}: it cannot be read: {error!r}") from None
    for name, (sha256, size) in members.items():
        if not (isinstance(sha256, str) and isinstance(size, int) and 0 <= size <= MOST_BYTES):
            raise _Unfit(f"{MANIFEST}: what it says of {_shown(name)} is no SHA-256 and size")
    return members


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name is there twice")
    return dict(pairs)


def _compared(
    archive: zipfile.ZipFile,
    infos: Sequence[zipfile.ZipInfo],
    members: Mapping[str, tuple[str, int]],
) -> list[str]:
    problems: list[str] = []
    seen = {MANIFEST}
    left = MOST_BYTES
    for info in infos:
        name = info.filename
        if name == MANIFEST:
            continue
        if name in seen:
            problems.append(f"{_shown(name)}: it is in the zip more than once")
            continue
        seen.add(name)
        if name not in members:
            problems.append(f"{_shown(name)}: added, the manifest does not know it")
            continue
        sha256, size = members[name]
        digest, read = hashlib.sha256(), 0
        try:
            for part in _bytes_of(archive, info, min(size, left)):
                digest.update(part)
                read += len(part)
        except _Unfit as error:
            problems.append(str(error))
            continue
        left -= read
        if read != size or digest.hexdigest() != sha256:
            problems.append(f"{_shown(name)}: changed, its SHA-256 is not the manifest's")
    problems += [f"{_shown(name)}: missing" for name in members if name not in seen]
    if MANIFEST in members:
        problems.append(f"{MANIFEST}: it names itself")
    return problems


def _bytes_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    """A member's bytes, unpacked in parts. Raises _Unfit where they are damaged or too many."""
    shown = _shown(info.filename)
    if info.flag_bits & 0x1:
        raise _Unfit(f"{shown}: changed, it is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _Unfit(f"{shown}: changed, it is packed by another method")
    left = most
    try:
        with archive.open(info) as member:
            while part := member.read(_AT_ONCE):
                left -= len(part)
                if left < 0:
                    break
                yield part
    except Exception as error:  # as in _archive
        raise _Unfit(f"{shown}: changed, it is damaged: {error}") from None
    if left < 0:
        raise _Unfit(f"{shown}: changed, it has more than {most:,} bytes")


def _is_seamless(
    archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo], file_size: int
) -> bool:
    """Whether nothing is hidden before, between or behind the members: each begins where the one
    before ends, and nothing but the table of contents follows."""
    at = contents = 0
    for one in infos:
        name = len(one.filename.encode())
        if one.header_offset != at or one.extra or one.comment:
            return False
        at += 30 + name + one.compress_size
        contents += 46 + name
    return at == archive.start_dir and at + contents + 22 == file_size


def _shown(name: str) -> str:
    """A name of a stranger's for a message."""
    return name if name.isprintable() and len(name) < 200 else ascii(name)[:200]
