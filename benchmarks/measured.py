"""A command as a process, and what it took: seconds, CPU seconds, and its peak of memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Used(NamedTuple):
    """CPU seconds are those of the process and of all that it waited for; the peak is that of the
    largest of them, in MB, since the kernel keeps no peak of several."""

    wall: float
    cpu: float
    peak: float


class Failed(Exception):
    """The command did not end in 0; its last lines."""


def run(command: Sequence[str | Path], home: Path, settings: Mapping[str, str]) -> Used:
    """Runs it in a folder, which is its home too; what it says is in `said` there. Call it from a
    small process: a child begins with its parent's memory, and counts that."""
    environment = os.environ | settings | {"HOME": str(home), "DLT_DATA_DIR": str(home / "dlt")}
    said = home / "said"
    began = time.perf_counter()
    with said.open("w") as file:
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - began
    if status:
        raise Failed("\n".join(said.read_text(errors="replace").splitlines()[-15:]))
    return Used(took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(some: Sequence[Used]) -> Used:
    return Used(*(statistics.median(one) for one in zip(*some, strict=True)))
