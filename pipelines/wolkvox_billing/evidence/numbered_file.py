"""A file that is written whole or not at all, and never in the place of another one."""

from __future__ import annotations

import filecmp
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.warehouse.complaints import plain


def write_numbered(target: Path, write: Callable[[IO[bytes]], None]) -> Path:
    """Let `write` fill a file, for its owner alone, and return its path.

    A file that has the name and other bytes may be what a close stands on, or hold what a person
    wrote into it: it stays, and the new one is NAME.2.SUFFIX or the next number that is free.
    Raises WolkvoxError where it cannot be written.
    """
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # It holds answers and invoices: for its owner alone, who hands on what is to be handed on.
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            try:
                write(file)
                file.flush()
                os.fsync(file.fileno())
                return _name_file(beside, target)
            finally:
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise WolkvoxError(f"{target} could not be written: {plain(error)}") from None


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
