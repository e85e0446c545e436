"""What the marts' numbers mean: by the settings, or as the marts themselves say."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.vendor.operations import read_zone
from wolkvox_billing.vendor.reports import REPORTS, TIMEZONE, known_report
from wolkvox_billing.warehouse.configuration import read_section
from wolkvox_billing.warehouse.known_settings import SOURCE
from wolkvox_billing.warehouse.sql import Record

logger = logging.getLogger("wolkvox_billing")

MEASURES = ("month_to_date", "daily", "gauge", "auto")
_HINTS = {"timezone": str, "measures": dict, "gauge_month": str}
GAUGE_MONTHS = ("max", "last", "average")


@dataclass(frozen=True)
class Meaning:
    """The settings that the views depend on: what the numbers mean, and whose days they are."""

    timezone: str = TIMEZONE
    measures: Mapping[str, str] = field(default_factory=dict)
    gauge_month: str = "max"

    def __post_init__(self) -> None:
        read_zone(self.timezone)
        if not isinstance(self.measures, Mapping):
            raise SettingsError(
                'the setting `measures` is a table, such as {rsync_s3_mp3 = "daily"}'
            )
        for report, measure in self.measures.items():
            if measure not in MEASURES:
                raise SettingsError(
                    f"the setting `measures` says {measure!r} for {report}: expected one of "
                    f"{', '.join(MEASURES)}"
                )
        if self.gauge_month not in GAUGE_MONTHS:
            raise SettingsError(
                f"the setting `gauge_month` is {self.gauge_month!r}: expected one of "
                f"{', '.join(GAUGE_MONTHS)}"
            )

    def measure(self, report: str) -> str:
        """Return what a report's numbers mean. A gauge is one by its name; any other
        report is `auto` unless set: the data tells."""
        is_gauge = report in REPORTS and REPORTS[report].kind == "gauge"
        return self.measures.get(report) or ("gauge" if is_gauge else "auto")

    def reports(self) -> list[tuple[str, str, str, str]]:
        """Return of each report that is known or set its name, its measure, who says so (`setting`,
        or `guess` where only the vendor's wording does), and its unit."""
        units = {name: report.unit for name, report in REPORTS.items()}
        return [
            (name, self.measure(name), "setting" if self.measures.get(name) else "guess",
             units.get(name, "units"))
            for name in sorted({*REPORTS, *self.measures})
        ]  # fmt: skip


def read_meaning(
    timezone: str | None = None,
    measures: Mapping[str, str] | None = None,
    gauge_month: str | None = None,
) -> Meaning:
    """Return the Meaning by these values, and for the others by the settings. Raises
    SettingsError."""
    overrides = {"timezone": timezone, "measures": measures, "gauge_month": gauge_month}
    values: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    hints = {name: hint for name, hint in _HINTS.items() if name not in values}
    meaning = Meaning(**{**read_section(SOURCE, hints), **values})
    measures = {}
    for name, measure in meaning.measures.items():
        report, warning = known_report("the setting `measures`", name)
        measures[report] = measure
        if warning:
            logger.warning("`measures`: %s", warning)
    return replace(meaning, measures=measures)


def _is_set(row: Mapping[str, str]) -> bool:
    """Whether a report's measure is a setting; an older version does not say, and what is no
    default is one."""
    if "measure_source" in row:
        return bool(row["measure_source"] == "setting")
    return bool(row["measure"] != Meaning().measure(row["report"]))


def meaning_of_tables(refreshed: Record, reports: Iterable[Record]) -> Meaning | None:
    """Return the Meaning that the marts' own tables hold, or None where it cannot be read from
    them: another version may have other columns, or measures that this one does not know.

    refreshed: the table's row. reports: that table's rows.
    """
    try:
        return Meaning(
            timezone=refreshed["timezone"],
            measures={row["report"]: row["measure"] for row in reports if _is_set(row)},
            gauge_month=refreshed["gauge_month"],
        )
    except (KeyError, SettingsError):
        return None
