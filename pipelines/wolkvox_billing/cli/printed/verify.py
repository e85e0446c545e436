"""What `verify --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from wolkvox_billing.cli.printed import Printed


@dataclass(frozen=True, kw_only=True)
class PrintedExamination(Printed):
    """What an evidence file is."""

    sha256: Annotated[str, "Of the file: what `close` keeps, and all that proves the manifest"]
    members: Annotated[int, "How many the manifest names"]
    problems: Annotated[Sequence[str], "What is wrong with them; [] and exit code 0"]
    month: Annotated[str | None, "That it says it is of; null where nothing says it"]
    failures: Annotated[Sequence[str], "The problems, by the name that all verbs have for them"]
    warnings: Sequence[str] = ()
