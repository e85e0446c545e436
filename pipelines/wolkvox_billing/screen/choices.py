"""What a person can choose, by the names that are shown: months, operations, counters."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from wolkvox_billing.evidence.report.month import Counter
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.screen.pages import say_moment
from wolkvox_billing.screen.words import say_text
from wolkvox_billing.values.locales import format_month_name
from wolkvox_billing.verbs.notebook import Month, Overview


def name_months(overview: Overview) -> dict[str, str]:
    """Return the months by their names in the language, the newest first."""
    return {
        format_month_name(date.fromisoformat(f"{month}-01"), overview.language): month
        for month in overview.months
    }


def name_operations(overview: Overview) -> dict[str, str | None]:
    """Return the operations by their names, all of them first."""
    return {say_text("all", overview.language): None, **overview.operations}


def say_as_of(overview: Overview) -> str:
    """Return up to which moment the marts speak."""
    moment = say_moment(overview.as_of, ZoneInfo(overview.timezone), overview.language)
    return say_text("as_of", overview.language, moment=moment)


def name_counters(month: Month) -> dict[str, Counter]:
    """Return the counters of a month by their names; what was asked and never read is one too."""
    read = {counter[:2] for counter in month.counters}
    unread = {(day.operation_id, day.report) for day in month.coverage} - read
    counters = sorted([*month.counters, *(Counter(*pair, "") for pair in unread)])
    return {" · ".join(filter(None, counter)): counter for counter in counters}


def counter_of(month: Month, verdict: ReconciledRow | None) -> Counter | None:
    """Return the counter that a verdict is about; without one that of the first verdict, which is
    the one that matters most."""
    counters = list(name_counters(month).values())
    for row in [verdict] if verdict else month.verdicts:
        for counter in counters:
            if _is_about(row, counter):
                return counter
    return counters[0] if counters else None


def _is_about(row: ReconciledRow, counter: Counter) -> bool:
    is_of_operation = row.operation_id in (counter.operation_id, "*")
    is_of_product = row.product in (None, counter.product)
    return is_of_operation and row.report == counter.report and is_of_product
