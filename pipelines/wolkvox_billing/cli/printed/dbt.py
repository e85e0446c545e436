"""What `dbt --json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from wolkvox_billing.cli.printed import Printed


@dataclass(frozen=True, kw_only=True)
class PrintedSources(Printed):
    """What was written for dbt."""

    path: Annotated[Path, "The file"]
    tables: Annotated[Mapping[str, list[str]], "The tables of each source in it"]
    warnings: Sequence[str] = ()
