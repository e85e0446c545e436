"""What `publish --json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from wolkvox_billing.cli.printed import Printed


@dataclass(frozen=True, kw_only=True)
class PrintedSnapshot(Printed):
    """What was published."""

    path: Annotated[Path, "The file, or the folder, that readers open"]
    rows: Annotated[Mapping[str, int], "How many each table has, by `schema.table`"]
    warnings: Annotated[
        Sequence[str], "Such as where verdicts are of an earlier moment than the usage beside them"
    ]
