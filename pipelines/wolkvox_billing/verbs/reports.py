"""The verb `reports`: what can be asked, and which of it an operation has.

A report that nobody asks for is lost at the month's end, and the settings ask for one unless they
say more. A call counts as one of the day's whatever it returns: `probe` costs 27 an operation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.polling.polls import Poll, Skip
from wolkvox_billing.polling.settings import PollSettings, read_poll_settings
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.vendor.answer import ANSWERS, Outcome
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.verbs.poll import OnEvent, ask_unkept

# What a probe may show and be well: a report that an operation does not have is no failure.
TOLD = ANSWERS | {Outcome.UNKNOWN_REPORT.value}


class ReportLine(NamedTuple):
    """One of the vendor's reports. `is_asked_for` is None where no settings can be read."""

    report: str
    measure: str  # what `items` is taken for: counter, gauge, or auto, which asks the data
    unit: str
    says: str
    is_asked_for: bool | None


class Probe(NamedTuple):
    """What a call for a report showed: its outcome, in the words of `polls`, and its rows."""

    operation_id: str
    report: str
    outcome: str
    rows: int
    says: str


def list_reports() -> list[ReportLine]:
    """Return the vendor's 27 reports, and those that the settings name beside them."""
    try:
        names: list[str] | None = read_poll_settings().reports
    except SettingsError:  # no token yet: whoever looks may be about to choose
        names = None
    lines = [
        ReportLine(name, own.kind, own.unit, own.says, None if names is None else name in names)
        for name, own in REPORTS.items()
    ]
    others = [name for name in names or () if name not in REPORTS]
    return [*lines, *(ReportLine(name, "auto", "units", "", True) for name in others)]


def probe_settings(**settings: Any) -> PollSettings:
    """Return the settings of a probe of all reports: of as many calls as operations times reports.
    Raises SettingsError."""
    chosen = read_poll_settings(**settings)
    more = [name for name in chosen.reports if name not in REPORTS]
    return replace(chosen, reports=[*REPORTS, *more])


def probe(
    settings: PollSettings, *, clock: Clock = utc_now, on_event: OnEvent | None = None
) -> list[Probe]:
    """Return a Probe of each operation and report, in the order of their names. Nothing is stored;
    a refused call is not tried again."""
    return sorted(map(_probe, ask_unkept(settings, clock, on_event)))


def _probe(event: Poll | Skip) -> Probe:
    if isinstance(event, Skip):
        return Probe(event.operation_id, event.report, event.reason, 0, event.detail)
    name, outcome = event.operation.operation_id, event.outcome.value
    return Probe(name, event.report, outcome, event.judgement.count, event.words)


def reports_with_rows(probes: list[Probe]) -> list[str]:
    """Return the reports that had rows for any operation, in the vendor's order."""
    names = {probe.report for probe in probes if probe.rows}
    return [name for name in REPORTS if name in names] + sorted(names - REPORTS.keys())
