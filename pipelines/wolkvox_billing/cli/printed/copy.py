"""What `copy --json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from wolkvox_billing.cli.printed import Printed


@dataclass(frozen=True, kw_only=True)
class PrintedCopy(Printed):
    """What was copied, held against where it came from."""

    location: Annotated[str, "Where to: a file, or an address without its password"]
    rows: Annotated[Mapping[str, int], "How many each table has"]
    problems: Annotated[Sequence[str], "What went wrong with the marts; [] and exit code 0"]
    failures: Annotated[Sequence[str], "The problems, by the name that all verbs have for them"]
    warnings: Sequence[str] = ()
