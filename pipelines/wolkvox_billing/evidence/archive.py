"""The zip of an evidence file: its members in one order, at one time, with one kind of permission,
so that the same members are the same bytes."""

from __future__ import annotations

import filecmp
import os
import secrets
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.evidence.manifest import MANIFEST
from wolkvox_billing.warehouse.complaints import plain

# Of an evidence file, packed and unpacked: up to here zipfile writes no ZIP64.
MOST_BYTES = 2_000_000_000
MOST_MEMBERS = 60_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name


def write_archive(target: Path, members: Mapping[str, bytes]) -> Path:
    """Write the file of these members, whole or not at all, the manifest first; return its path.

    A file that has the name and other bytes may be what a close stands on: it stays, and the new
    one is NAME.2.zip or the next number that is free. Raises WolkvoxError.
    """
    if sum(map(len, members.values())) > MOST_BYTES or len(members) > MOST_MEMBERS:
        raise WolkvoxError(
            f"{target.name} would have more than {MOST_BYTES:,} bytes or {MOST_MEMBERS:,} members: "
            "give fewer `files`"
        )
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # It holds answers and invoices: for its owner alone, who hands on what is to be handed on.
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            try:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                    for name in sorted(members, key=place_of):
                        info = zipfile.ZipInfo(name, _EPOCH)
                        info.create_system = 3  # Unix, wherever it is written
                        info.external_attr = (stat.S_IFREG | 0o644) << 16
                        info.compress_type = zipfile.ZIP_DEFLATED
                        archive.writestr(info, members[name], compresslevel=9)
                file.flush()
                os.fsync(file.fileno())
                return _name_file(beside, target)
            finally:
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise WolkvoxError(f"{target} could not be written: {plain(error)}") from None


def place_of(name: str) -> tuple[bool, str]:
    """Return a member's place in the order: the manifest is the first."""
    return name != MANIFEST, name


def _name_file(beside: Path, target: Path) -> Path:
    """Put the file under the first name that is free, or that has the same bytes already."""
    name, number = target, 1
    while True:
        if not os.path.lexists(name):
            try:
                os.link(beside, name)  # unlike a move, it never replaces what came meanwhile
            except FileExistsError:
                pass
            except OSError:  # a disk without links
                beside.rename(name)
                return name
            else:
                return name
        if name.is_file() and filecmp.cmp(beside, name, shallow=False):
            return name
        number += 1
        name = target.with_suffix(f".{number}{target.suffix}")
