"""The lock of a token: one call at a time, on this machine and between hosts.

a file of this user's on this machine ─▶ a lock in PostgreSQL, where that is the destination
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from wolkvox_billing.errors import SettingsError, TokenInUse
from wolkvox_billing.vendor.operations import Operation

if TYPE_CHECKING:
    from wolkvox_billing.polling.hosts import Hosts

logger = logging.getLogger("wolkvox_billing")


@contextmanager
def hold_token(
    operation: Operation,
    wait: float,
    stopped: threading.Event | None = None,
    hosts: Hosts | None = None,
) -> Iterator[None]:
    """Hold the operation's token against every other caller on this machine, and on other `hosts`.

    The lock is a file named by a hash of the token, in a folder of the user's; TokenInUse after
    `wait` seconds, or once `stopped`. Other users do not see it, nor other machines without
    `hosts`: there the vendor's own refusal is the guard.
    """
    path = lock_folder() / hashlib.sha256(operation.token.encode()).hexdigest()[:32]
    lock, holder = filelock.FileLock(path.with_suffix(".lock")), path.with_suffix(".holder")
    name, end = operation.operation_id, time.monotonic() + wait
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        logger.info("waiting for the token of operation %s: %s uses it", name, _read(holder))
        while not lock.is_locked:
            left = end - time.monotonic()
            if left <= 0 or (stopped and stopped.is_set()):
                raise TokenInUse(
                    f"the token of operation {name} was in use by {_read(holder)} for more than "
                    f"{wait:g} s (setting `token_wait_seconds`): wait for that process, or end it"
                ) from None
            with suppress(filelock.Timeout):
                lock.acquire(timeout=min(left, 0.2), poll_interval=0.05)
    try:
        holder.write_text(f"process {os.getpid()}")
        with hosts.hold_token(operation, end, stopped) if hosts else nullcontext():
            yield
    finally:
        lock.release()


def lock_folder() -> Path:
    """Return a folder of the user's own: in one that users share, each could replace another's
    files."""
    # Not by `tempfile`, which goes elsewhere where the first folder is full: two processes would
    # not see each other.
    shared = next(filter(None, map(os.environ.get, ("TMPDIR", "TEMP", "TMP"))), "/tmp")  # noqa: S108
    folder = Path(shared) / f"wolkvox-billing-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise SettingsError(f"{folder} cannot be made: {error.strerror}; set TMPDIR") from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise SettingsError(f"{folder} is not a folder of yours: remove it, or set TMPDIR")
    return folder


def _read(holder: Path) -> str:
    try:
        return holder.read_text() or "another process"
    except OSError:
        return "another process"
