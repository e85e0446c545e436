"""The key of the hashes: a secret of the settings, or one that is made once and kept.

Whoever has it could try all phone numbers; so it is none of the tables, and its file is its owner's
alone. Where it is lost nothing can be read wrongly: the next look is a whole one, knows no object
again, and takes all that it knew before for gone.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from wolkvox_billing.errors import SettingsError, WarehouseError

FILE = "bucket.key"
_LEAST = 16  # characters of a key that somebody sets


def read_key(setting: str | None, folder: Path) -> bytes:
    """Return the key by the settings, or the one in this working folder, which is made where it is
    not there. Raises SettingsError for one that is too short, WarehouseError for a file that cannot
    be used; neither shows it."""
    if setting is not None:
        key = setting.strip().encode()
        if len(key) < _LEAST:
            raise SettingsError(
                f"the setting `hash_key` under [bucket] is short: expected {_LEAST} characters or "
                "more that nobody can guess, such as `openssl rand -hex 32` prints"
            )
        return key[:64]  # as much as BLAKE2b takes
    file = folder / FILE
    try:
        with suppress(FileExistsError):
            _write(file)
        key = file.read_bytes()
    except OSError as error:
        raise WarehouseError(f"{file} cannot be used: {error.strerror}") from None
    if len(key) != 64:
        raise WarehouseError(
            f"{file} is no key of ours: put it back from a copy, or remove it; without it the next "
            "look knows no object again"
        )
    return key


def _write(file: Path) -> None:
    """Write a new key as a whole, for its owner alone. Raises FileExistsError for another's."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.exists():
        return
    beside = file.with_name(f".{FILE}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(secrets.token_bytes(64))
            out.flush()
            os.fsync(out.fileno())
        os.link(beside, file)  # of two at once the first
    finally:
        beside.unlink(missing_ok=True)
