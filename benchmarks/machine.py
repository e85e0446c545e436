"""What a report was measured on."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path


def described() -> str:
    """The processor, memory, system and versions, and the day, in one line of Markdown."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in ("dlt", "duckdb", "pyarrow"))
    return (
        f"Measured {datetime.now(timezone.utc):%Y-%m-%d} on {os.cpu_count()} x "
        f"{names[0] if names else platform.machine()}, {memory:.0f} GB, {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}, {packages}; "
        f"load average when it ended: {os.getloadavg()[0]:.1f}."
    )
