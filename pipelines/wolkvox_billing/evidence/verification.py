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
from typing import IO, Any

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence.archive import MOST_BYTES, MOST_MEMBERS, in_order
from wolkvox_billing.evidence.layout import flaw
from wolkvox_billing.evidence.manifest import (
    ALWAYS,
    MANIFEST,
    VERSIONS,
    Manifest,
    Member,
    is_known,
)
from wolkvox_billing.invoices.files import MOST_MEMBER_BYTES
from wolkvox_billing.values.periods import read_month

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
    """What is wrong with an evidence file, each naming the member; [] if it is one that
    `write_evidence` could have written, but for how its members are packed.

    A file whose members and manifest were both changed is told only by the file's own SHA-256,
    which `close` keeps: see `examine`. Raises SettingsError where there is no such file.
    """
    return examine(file).problems


def examine(file: str | os.PathLike[str]) -> Examined:
    """An evidence file Examined. No name in it is ever a path, and no size is believed."""
    path = Path(file)
    problems: list[str] = []
    members: Mapping[str, Member] = {}
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
                said, text = _manifest(archive, infos)
                members = said.members
                problems += _compared(archive, infos, members)
                if said.as_bytes() != text:
                    problems.append(f"{MANIFEST}: changed, it is not as it is written")
                problems = problems or _agreed(archive, said)
                problems = problems or _laid_out(opened_file, infos)
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


def _manifest(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo]) -> tuple[Manifest, bytes]:
    """What the manifest says, and its bytes. Raises _Unfit."""
    found = [one for one in infos if one.filename == MANIFEST]
    if len(found) != 1:
        raise _Unfit(f"{MANIFEST}: it is there {len(found)} times, and must be once")
    text = b"".join(_bytes_of(archive, found[0], MOST_MEMBER_BYTES))
    try:
        said = json.loads(text, object_pairs_hook=_once)
        datetime.fromisoformat(said["created_as_of"])
        read_month(said["month"])
        members = {k: Member(v["sha256"], v["size"]) for k, v in said["members"].items()}
        manifest = Manifest(said["month"], said["created_as_of"], members)
        manifest.as_bytes()
    except (
        ValueError, TypeError, KeyError, AttributeError, RecursionError, SettingsError,
    ) as error:  # fmt: skip
        raise _Unfit(f"{MANIFEST}: it cannot be read: {error!r}") from None
    for name, (sha256, size) in members.items():
        if not (isinstance(sha256, str) and type(size) is int and 0 <= size <= MOST_BYTES):
            raise _Unfit(f"{MANIFEST}: what it says of {_shown(name)} is no SHA-256 and size")
    return manifest, text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name is there twice")
    return dict(pairs)


def _compared(
    archive: zipfile.ZipFile,
    infos: Sequence[zipfile.ZipInfo],
    members: Mapping[str, Member],
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
    problems += [f"{_shown(name)}: missing" for name in sorted({*members, *ALWAYS} - seen)]
    problems += [
        f"{_shown(name)}: no evidence has such a member"
        for name, one in members.items()
        if not is_known(name, one.sha256)
    ]
    return problems


def _agreed(archive: zipfile.ZipFile, said: Manifest) -> list[str]:
    """Whether the manifest's month and moment are those of the other member that states them."""
    text = b"".join(_bytes_of(archive, archive.getinfo(VERSIONS), MOST_MEMBER_BYTES))
    try:
        stated = json.loads(text, object_pairs_hook=_once)
        agrees = (stated["month"], stated["created_as_of"]) == said[:2]
    except (ValueError, TypeError, KeyError, RecursionError):
        agrees = False
    if agrees:
        return []
    return [f"{MANIFEST}: changed, {VERSIONS} is not of its `month` and `created_as_of`"]


def _laid_out(file: IO[bytes], infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """What of the zip itself is not as it is written."""
    names = [one.filename for one in infos]
    if names != sorted(names, key=in_order):
        return ["the zip's members are not in their order"]
    if found := flaw(file, infos):
        name, says = found
        return [f"{_shown(name)}: changed, {says}" if name else says]
    return []


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


def _shown(name: str) -> str:
    """A name of a stranger's for a message."""
    return name if name.isprintable() and len(name) < 200 else ascii(name)[:200]
