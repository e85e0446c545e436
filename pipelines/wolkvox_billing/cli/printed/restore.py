"""What `restore --json` prints."""

from __future__ import annotations

from dataclasses import dataclass

from wolkvox_billing.cli.printed.copy import PrintedCopy


@dataclass(frozen=True, kw_only=True)
class PrintedRestore(PrintedCopy):
    """What was put back, held against the copy."""
