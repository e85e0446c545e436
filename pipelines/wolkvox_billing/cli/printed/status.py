"""What `status --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from wolkvox_billing.cli.printed import Printed
from wolkvox_billing.verbs.call_budget import CallsOfDay
from wolkvox_billing.verbs.status import Freshness


@dataclass(frozen=True, kw_only=True)
class PrintedStatus(Printed):
    """What is loaded, how fresh it is, and what is odd."""

    location: Annotated[str, "Of the tables: a file, or an address without its password"]
    working_folder: str
    dlt_command: Annotated[str, "What shows the pipeline by dlt's own tools"]
    waiting: Annotated[int, "Answers in the spool that are in no table yet"]
    rows: Annotated[Sequence[Freshness], "One of each operation and report"]
    warnings: Sequence[str]
    as_of: Annotated[datetime | None, "The moment of which it speaks; null where nothing is loaded"]
    retired: Annotated[Sequence[str], "What is in the record and in the settings no more"]
    meant: Annotated[
        Sequence[tuple[str, str]] | None,
        "Operation and report of all that the settings mean; null where they cannot be read",
    ]
    calls: Annotated[
        Sequence[CallsOfDay],
        "Of each operation since the vendor's midnight; `allowed` by the setting licences, or null",
    ]
    failures: Annotated[
        Sequence[str],
        "What is older than --stale-after, and with --fail-on-warning the warnings: exit code 1; "
        "else [] and exit code 0",
    ]
    may_pass: Annotated[bool, "Never: look at what loads"] = False
