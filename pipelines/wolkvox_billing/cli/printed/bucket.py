"""What `bucket --json` prints: the look, and what it was compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from wolkvox_billing.cli.printed import Printed
from wolkvox_billing.marts.copied import CopiedPeriod


@dataclass(frozen=True, kw_only=True)
class PrintedListing:
    """A row of bucket_listings."""

    listing_id: str
    started_at: datetime
    finished_at: datetime
    how: Annotated[str, "list or inventory"]
    seen_at: Annotated[datetime, "As of when it tells what there is"]
    is_full: Annotated[bool, "Whether it went through all of it"]
    objects: int
    bytes: int
    skipped: Annotated[int, "Objects that are no operation's"]
    seconds: Decimal
    is_complete: Annotated[bool, "false: nothing of it is stored, and the last one stands"]
    reason: Annotated[str | None, "Why it broke off"]


@dataclass(frozen=True, kw_only=True)
class PrintedBucket(Printed):
    """What one look came to."""

    listing: PrintedListing
    periods: Annotated[
        Sequence[CopiedPeriod], "The last three of each operation, as in copy_reconciliation"
    ]
    location: Annotated[str, "Of the tables: a file, or an address without its password"]
    failures: Annotated[Sequence[str], "What went wrong, a sentence each; [] and exit code 0"]
    warnings: Sequence[str]
