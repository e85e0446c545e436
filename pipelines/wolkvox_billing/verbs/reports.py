"""The verb `reports`: what can be asked, and which of it an operation has.

A report that nobody asks for is lost at the month's end, and the settings ask for one unless they
say more. A call counts as one of the day's whatever it returns: `probe` costs 27 an operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.polling.polls import Poll, Run, Skip, ask_all
from wolkvox_billing.polling.settings import PollSettings, read_poll_settings
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.vendor.answer import ANSWERS, Outcome
from wolkvox_billing.vendor.reports import REPORTS

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
        ReportLine(name, report.kind, report.unit, report.says, _is_in(name, names))
        for name, report in REPORTS.items()
    ]
    others = [name for name in names or () if name not in REPORTS]
    return [*lines, *(ReportLine(name, "auto", "units", "", True) for name in others)]


def _is_in(name: str, names: list[str] | None) -> bool | None:
    return None if names is None else name in names


def probe_settings(**settings: Any) -> PollSettings:
    """Return the settings of a probe of all reports: of as many calls as operations times reports.
    Raises SettingsError."""
    chosen = read_poll_settings(**settings)
    more = [name for name in chosen.reports if name not in REPORTS]
    return replace(chosen, reports=[*REPORTS, *more])


def probe(
    settings: PollSettings,
    *,
    clock: Clock = utc_now,
    on_event: Callable[[Poll | Skip], None] | None = None,
) -> list[Probe]:
    """Return a Probe of each operation and report, in the order of their names. Nothing is stored;
    a refused call is not tried again."""
    return sorted(_probes(settings, clock, on_event))


def _probes(
    settings: PollSettings, clock: Clock, on_event: Callable[[Poll | Skip], None] | None
) -> Iterator[Probe]:
    run = Run(lambda *_: None, clock, replace(settings.manner, most_retries=0))
    for event in ask_all(settings.operations, settings.reports, run):
        if on_event:
            on_event(event)
        if isinstance(event, Skip):
            yield Probe(event.operation_id, event.report, event.reason, 0, event.detail)
            continue
        judgement = event.judgement
        says = "; ".join(filter(None, (judgement.msg, judgement.note)))
        name = event.operation.operation_id
        yield Probe(name, event.report, event.outcome.value, judgement.count, says)


def reports_with_rows(probes: list[Probe]) -> list[str]:
    """Return the reports that had rows for any operation, in the vendor's order."""
    names = {probe.report for probe in probes if probe.rows}
    return [name for name in REPORTS if name in names] + sorted(names - REPORTS.keys())
