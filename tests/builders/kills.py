"""How often `make faults` kills, and where it notes what it did."""

from __future__ import annotations

import os
from pathlib import Path

KILLS = int(os.environ.get("WOLKVOX_TEST_KILLS", "0"))  # `make faults` sets it


def note(text: str) -> None:
    """Note a line of what `make faults` prints."""
    if file := os.environ.get("WOLKVOX_TEST_REPORT"):
        with Path(file).open("a") as lines:
            lines.write(f"{text}\n")
