"""The zip of an evidence file: its members in one order, at one time, with one kind of permission,
so that the same members are the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.evidence.manifest import MANIFEST
from wolkvox_billing.evidence.numbered_file import write_numbered
from wolkvox_billing.values.archives import describe_member
from wolkvox_billing.values.translation import N_, Sentence

# Of an evidence file, packed and unpacked: up to here zipfile writes no ZIP64.
MOST_BYTES = 2_000_000_000
MOST_MEMBERS = 60_000


def write_archive(target: Path, members: Mapping[str, bytes]) -> Path:
    """Write the file of these members, the manifest first, and return its path: NAME.zip, or
    NAME.2.zip where that is another file. Raises WolkvoxError."""
    if sum(map(len, members.values())) > MOST_BYTES or len(members) > MOST_MEMBERS:
        says = N_(
            "{target} would have more than {bytes} bytes or {members} members: give fewer `files`"
        )
        most = {"bytes": MOST_BYTES, "members": MOST_MEMBERS}
        raise WolkvoxError(Sentence(says, target=target.name, **most))

    def pack(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in sorted(members, key=place_of):
                archive.writestr(describe_member(name), members[name], compresslevel=9)

    return write_numbered(target, pack)


def place_of(name: str) -> tuple[bool, str]:
    """Return a member's place in the order: the manifest is the first."""
    return name != MANIFEST, name
