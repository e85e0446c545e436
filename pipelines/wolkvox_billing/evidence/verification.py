"""The verb `verify`: whether an evidence file is as its manifest says. The file is a stranger's: no
name in it is ever a path, no size is believed, and nothing of it is written anywhere."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence.archive import MOST_BYTES, MOST_MEMBERS, place_of
from wolkvox_billing.evidence.layout import find_flaw
from wolkvox_billing.evidence.manifest import (
    ALWAYS,
    LAYOUT,
    MANIFEST,
    VERSIONS,
    Manifest,
    Member,
    is_known,
)
from wolkvox_billing.evidence.recomputed import compare_answers, compare_decisions
from wolkvox_billing.invoices.files import MOST_MEMBER_BYTES
from wolkvox_billing.values.periods import read_month
from wolkvox_billing.values.translation import N_, Sentence

_PART_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Examined:
    """What an evidence file is: its SHA-256, how many members the manifest names, what is wrong
    with them, and the month that it says it is of, None where nothing says it."""

    sha256: str
    members: int
    problems: list[str]
    month: str | None = None


class _Unfit(Exception):
    """It cannot be read on; the sentence says why."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.says = Sentence(text, **values)


def verify(file: str | os.PathLike[str]) -> list[str]:
    """Return what is wrong with an evidence file, each naming the member; [] if it is one that
    `write_evidence` could have written, but for how its members are packed.

    A file whose members and manifest were both changed is told only by the file's own SHA-256,
    which `close` keeps: see `examine`. Raises SettingsError where there is no such file.
    """
    return examine(file).problems


def examine(file: str | os.PathLike[str]) -> Examined:
    """Return an evidence file Examined. No name in it is ever a path, and no size is believed."""
    return examine_and_read(file, ())[0]


def examine_and_read(
    file: str | os.PathLike[str], names: Collection[str]
) -> tuple[Examined, dict[str, bytes]]:
    """Return an evidence file Examined, and the bytes of these members of the file that was
    examined, as far as its layout has them; none where anything is wrong with it."""
    path = Path(file)
    problems: list[str] = []
    manifest: Manifest | None = None
    wanted: dict[str, bytes] = {}
    digest = hashlib.sha256()
    try:
        # What is no file, such as a FIFO, is not waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            about = os.fstat(stream.fileno())
            if not stat.S_ISREG(about.st_mode):
                says = N_("{path} is no file: name a wolkvox-evidence-….zip")
                raise SettingsError(Sentence(says, path=path))
            if about.st_size > MOST_BYTES:
                raise _Unfit(N_("the file has more than {most} bytes"), most=MOST_BYTES)
            while part := stream.read(_PART_BYTES):
                digest.update(part)
            with _open_archive(stream) as archive:
                infos = archive.infolist()
                manifest, text = _read_manifest(archive, infos)
                problems += _compare_members(archive, infos, manifest.members)
                if manifest.as_bytes() != text:
                    says = N_("{manifest}: changed, it is not as it is written")
                    problems.append(Sentence(says, manifest=MANIFEST))
                problems = problems or _compare_versions(archive, manifest)
                problems = problems or _check_layout(stream, infos)
                problems = problems or compare_answers(archive, manifest.members)
                problems = problems or compare_decisions(archive, manifest.members)
                for name in set() if problems else manifest.members.keys() & {*names}:
                    size = manifest.members[name].size
                    wanted[name] = b"".join(_unpack(archive, archive.getinfo(name), size))
    except _Unfit as error:
        problems.append(error.says)
    except OSError as error:
        says, why = N_("{path} cannot be opened: {why}"), error.strerror or error
        raise SettingsError(Sentence(says, path=path, why=why)) from None
    members, month = (len(manifest.members), manifest.month) if manifest else (0, None)
    return Examined(digest.hexdigest(), members, problems, month), wanted


def _open_archive(stream: IO[bytes]) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(stream)
    except Exception as error:  # zipfile lets through whatever a damaged file makes it meet
        raise _Unfit(N_("no zip that can be read: {error}"), error=error) from None
    if len(archive.infolist()) > MOST_MEMBERS:
        raise _Unfit(N_("the zip has more than {most} members"), most=MOST_MEMBERS)
    return archive


def _read_manifest(
    archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo]
) -> tuple[Manifest, bytes]:
    """What the manifest says, and its bytes. Raises _Unfit."""
    manifests = [info for info in infos if info.filename == MANIFEST]
    if len(manifests) != 1:
        says = N_("{manifest}: it is there {n} times, and must be once")
        raise _Unfit(says, manifest=MANIFEST, n=len(manifests))
    text = b"".join(_unpack(archive, manifests[0], MOST_MEMBER_BYTES))
    try:
        parsed = json.loads(text, object_pairs_hook=_refuse_twice)
        datetime.fromisoformat(parsed["created_as_of"])
        read_month(parsed["month"])
        members = {k: Member(v["sha256"], v["size"]) for k, v in parsed["members"].items()}
        manifest = Manifest(parsed["month"], parsed["created_as_of"], members)
        manifest.as_bytes()
    except (
        ValueError, TypeError, KeyError, AttributeError, RecursionError, SettingsError,
    ) as error:  # fmt: skip
        says = N_("{manifest}: it cannot be read: {error}")
        raise _Unfit(says, manifest=MANIFEST, error=repr(error)) from None
    for name, (sha256, size) in members.items():
        if not (isinstance(sha256, str) and type(size) is int and 0 <= size <= MOST_BYTES):
            says = N_("{manifest}: what it says of {member} is no SHA-256 and size")
            raise _Unfit(says, manifest=MANIFEST, member=_printable(name))
    return manifest, text


def _refuse_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name is there twice")
    return dict(pairs)


def _compare_members(
    archive: zipfile.ZipFile,
    infos: Sequence[zipfile.ZipInfo],
    members: Mapping[str, Member],
) -> list[str]:
    problems: list[str] = []

    def tell(text: str, name: str) -> None:
        problems.append(Sentence(text, name=_printable(name)))

    always = ALWAYS.get(_layout_of(archive, infos), ALWAYS[LAYOUT])
    names = {MANIFEST}
    left = MOST_BYTES
    for info in infos:
        name = info.filename
        if name == MANIFEST:
            continue
        if name in names:
            tell(N_("{name}: it is in the zip more than once"), name)
            continue
        names.add(name)
        if name not in members:
            tell(N_("{name}: added, the manifest does not know it"), name)
            continue
        try:
            unpacked = _unpack_whole(archive, info, min(members[name].size, left))
        except _Unfit as error:
            problems.append(error.says)
            continue
        left -= unpacked.size
        if unpacked != members[name]:
            tell(N_("{name}: changed, its SHA-256 is not the manifest's"), name)
    for name in sorted({*members, *always} - names):
        tell(N_("{name}: missing"), name)
    for name, member in members.items():
        if not is_known(name, member.sha256):
            tell(N_("{name}: no evidence has such a member"), name)
    return problems


def _unpack_whole(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> Member:
    """Return what a member is, of so many bytes at most."""
    digest, size = hashlib.sha256(), 0
    for part in _unpack(archive, info, most):
        digest.update(part)
        size += len(part)
    return Member(digest.hexdigest(), size)


def _layout_of(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo]) -> str:
    """Return the layout that evidence says it has; the first one said nothing."""
    try:
        [info] = [info for info in infos if info.filename == VERSIONS]
        return str(json.loads(b"".join(_unpack(archive, info, MOST_MEMBER_BYTES)))["evidence"])
    except (_Unfit, ValueError, TypeError, KeyError, RecursionError):
        return "1"


def _compare_versions(archive: zipfile.ZipFile, manifest: Manifest) -> list[str]:
    """Whether the manifest's month and moment are those of the other member that states them."""
    text = b"".join(_unpack(archive, archive.getinfo(VERSIONS), MOST_MEMBER_BYTES))
    try:
        stated = json.loads(text, object_pairs_hook=_refuse_twice)
        agrees = (stated["month"], stated["created_as_of"]) == manifest[:2]
    except (ValueError, TypeError, KeyError, RecursionError):
        agrees = False
    if agrees:
        return []
    says = N_("{manifest}: changed, {versions} is not of its `month` and `created_as_of`")
    return [Sentence(says, manifest=MANIFEST, versions=VERSIONS)]


def _check_layout(stream: IO[bytes], infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """What of the zip itself is not as it is written."""
    names = [info.filename for info in infos]
    if names != sorted(names, key=place_of):
        return [Sentence(N_("the zip's members are not in their order"))]
    if flaw := find_flaw(stream, infos):
        name, says = flaw
        return [f"{_printable(name)}: changed, {says}" if name else says]
    return []


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    """A member's bytes, unpacked in parts. Raises _Unfit where they are damaged or too many."""
    name = _printable(info.filename)
    if info.flag_bits & 0x1:
        raise _Unfit(N_("{name}: changed, it is encrypted"), name=name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _Unfit(N_("{name}: changed, it is packed by another method"), name=name)
    left = most
    try:
        with archive.open(info) as member:
            while part := member.read(_PART_BYTES):
                left -= len(part)
                if left < 0:
                    break
                yield part
    except Exception as error:  # as in _open_archive
        says = N_("{name}: changed, it is damaged: {error}")
        raise _Unfit(says, name=name, error=error) from None
    if left < 0:
        raise _Unfit(N_("{name}: changed, it has more than {most} bytes"), name=name, most=most)


def _printable(name: str) -> str:
    """A name of a stranger's for a message."""
    return name if name.isprintable() and len(name) < 200 else ascii(name)[:200]
