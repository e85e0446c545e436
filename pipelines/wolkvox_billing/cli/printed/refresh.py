"""What `refresh --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from wolkvox_billing.cli.printed import Printed


@dataclass(frozen=True, kw_only=True)
class PrintedRefresh(Printed):
    """Which marts were made anew."""

    location: Annotated[str, "Of the marts: a file, or an address without its password"]
    failures: Annotated[Sequence[str], "What went wrong; [] and exit code 0"]
    warnings: Sequence[str]
