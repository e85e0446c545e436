"""The zip of an evidence file: its members in one order, at one time, with one kind of permission,
so that the same members are the same bytes."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.evidence.manifest import MANIFEST
from wolkvox_billing.evidence.numbered_file import write_numbered

# Of an evidence file, packed and unpacked: up to here zipfile writes no ZIP64.
MOST_BYTES = 2_000_000_000
MOST_MEMBERS = 60_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name


def write_archive(target: Path, members: Mapping[str, bytes]) -> Path:
    """Write the file of these members, the manifest first, and return its path: NAME.zip, or
    NAME.2.zip where that is another file. Raises WolkvoxError."""
    if sum(map(len, members.values())) > MOST_BYTES or len(members) > MOST_MEMBERS:
        raise WolkvoxError(
            f"{target.name} would have more than {MOST_BYTES:,} bytes or {MOST_MEMBERS:,} members: "
            "give fewer `files`"
        )

    def pack(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in sorted(members, key=place_of):
                archive.writestr(describe_member(name), members[name], compresslevel=9)

    return write_numbered(target, pack)


def describe_member(name: str) -> zipfile.ZipInfo:
    """Return what a zip says of a member whose bytes alone make it another one."""
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix, wherever it is written
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def place_of(name: str) -> tuple[bool, str]:
    """Return a member's place in the order: the manifest is the first."""
    return name != MANIFEST, name
