"""What `load --json` prints: once, or with --every a line for each poll and each load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from wolkvox_billing.cli.printed import Printed
from wolkvox_billing.cli.printed.poll import PrintedPoll, poll_as_form
from wolkvox_billing.verbs.load import LoadReport
from wolkvox_billing.verbs.poll import PollReport


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


def load_as_form(report: LoadReport) -> PrintedLoad:
    """Return what a `load` prints."""
    return PrintedLoad(**_values(poll_as_form(report)), location=report.location)


def poll_of_many_as_form(report: PollReport, at: datetime) -> PollOfMany:
    """Return what a `load --every` prints of a poll."""
    return PollOfMany(**_values(poll_as_form(report)), at=at)


def load_of_many_as_form(report: LoadReport, at: datetime) -> LoadOfMany:
    """Return what a `load --every` prints of a load."""
    return LoadOfMany(**_values(load_as_form(report)), at=at)


def _values(form: Printed) -> dict[str, Any]:  # of types as various as the fields
    return {name: value for name, value in vars(form).items() if name != "version"}
