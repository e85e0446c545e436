"""What `reports --json` prints, with --probe and without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from wolkvox_billing.cli.printed import Printed
from wolkvox_billing.verbs.reports import TOLD, Probe, ReportLine


@dataclass(frozen=True, kw_only=True)
class PrintedReports(Printed):
    """Without --probe: what can be asked. Nobody was."""

    reports: Sequence[ReportLine]
    warnings: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class PrintedProbes(Printed):
    """With --probe: what a call for each report showed."""

    calls: Annotated[int, "How many calls of the day it cost, at the most"]
    probes: Sequence[Probe]
    with_rows: Annotated[Sequence[str], "The reports that had rows for any operation"]
    failures: Annotated[Sequence[str], "What was refused, a sentence each; [] and exit code 0"]
    warnings: Annotated[Sequence[str], "What is odd in the settings"]


def refusals_of(probes: Sequence[Probe]) -> Iterator[str]:
    """Yield a sentence for each call that was refused; a report that an operation does not have is
    no refusal."""
    for probe in probes:
        if probe.outcome not in TOLD:
            says = f": {probe.says}" if probe.says else ""
            yield f"{probe.operation_id} {probe.report}: {probe.outcome}{says}"
