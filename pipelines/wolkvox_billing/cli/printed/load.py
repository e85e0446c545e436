"""What `load --json` prints: once, or with --every a line for each poll and each load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from wolkvox_billing.cli.printed.poll import PrintedPoll


@dataclass(frozen=True, kw_only=True)
class PrintedLoad(PrintedPoll):
    """What a poll prints, and where the tables are."""

    location: Annotated[str, "Of the tables: a file, or an address without its password"]


@dataclass(frozen=True, kw_only=True)
class PollOfMany(PrintedPoll):
    """With --every, of one of its polls, on one line."""

    verb: Literal["poll"] = "poll"
    at: Annotated[datetime, "When it had ended"]


@dataclass(frozen=True, kw_only=True)
class LoadOfMany(PrintedLoad):
    """With --every, of one of its loads, on one line."""

    verb: Literal["load"] = "load"
    at: Annotated[datetime, "When it had ended"]
