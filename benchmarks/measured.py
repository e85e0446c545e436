"""A command as a process, and what it took: seconds, CPU seconds, and its peak of memory."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

CUT_OFF = "cut off"


class Used(NamedTuple):
    """CPU seconds are those of the process and of all that it waited for; the peak is that of the
    largest of them, in MB, since the kernel keeps no peak of several."""

    wall: float
    cpu: float
    peak: float


class Failed(Exception):
    """The command did not end in 0; its last lines."""


class CutOff(Exception):
    """The command took longer than it may, and was ended, with all that it had started."""


def run(
    command: Sequence[str | Path],
    home: Path,
    settings: Mapping[str, str],
    longest: float | None = None,
) -> Used:
    """Run it in a folder, which is its home too; what it prints is in `output` there. Call it from
    a small process: a child begins with its parent's memory, and counts that.

    longest: the seconds that it may take. Raises Failed, and CutOff where they are over."""
    environment = os.environ | settings | {"HOME": str(home), "DLT_DATA_DIR": str(home / "dlt")}
    output = home / "output"
    began = time.perf_counter()
    with output.open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=longest is not None,
        )
        ending = threading.Timer(longest or 0, os.killpg, (process.pid, signal.SIGKILL))
        if longest is not None:
            ending.start()
        _, status, used = os.wait4(process.pid, 0)
        ending.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - began
    if longest is not None and took >= longest and process.returncode == -signal.SIGKILL:
        raise CutOff(f"{CUT_OFF} after {longest:g} s")
    if status:
        raise Failed("\n".join(output.read_text(errors="replace").splitlines()[-15:]))
    return Used(took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(runs: Sequence[Used]) -> Used:
    return Used(*(statistics.median(numbers) for numbers in zip(*runs, strict=True)))


def total(runs: Sequence[Used]) -> Used:
    """Return seconds added up, and the largest peak."""
    walls, cpus, peaks = zip(*runs, strict=True)
    return Used(sum(walls), sum(cpus), max(peaks))


def show(
    title: str,
    counts: Mapping[str, int],
    took: Mapping[str, Used],
    base: str,
    others: Mapping[str, str] | None = None,
) -> None:
    """Print a table, the fastest first, with how often each was run, and its seconds as multiples
    of the base's. `others` could not be measured, and why."""
    wide = max(map(len, [*took, *(others or {})])) + 2
    print(f"\n{title}\n{'':{wide}}{'runs':>5}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'wall':>8}"
          f"{'CPU':>7} of {base}")  # fmt: skip
    for name, used in sorted(took.items(), key=lambda pair: pair[1].wall):
        print(f"{name:{wide}}{counts[name]:5}{used.wall:9.2f}{used.cpu:9.2f}{used.peak:9.0f}"
              f"{used.wall / took[base].wall:8.2f}{used.cpu / took[base].cpu:7.2f}")  # fmt: skip
    for name, why in (others or {}).items():
        print(f"{name:{wide}}{why}")
    print(flush=True)
