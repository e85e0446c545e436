"""How many of the day's calls an operation has made: the vendor allows its licences times 1,000,
over all tokens of the operation (source: the API's newer pages)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.values.clock import midnight
from wolkvox_billing.verbs.track_record import TrackRecord
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.configuration import read_section
from wolkvox_billing.warehouse.known_settings import SOURCE

CALLS_OF_A_LICENCE = 1000
_NEARLY = 0.9


class CallsOfDay(NamedTuple):
    """The calls of an operation since the vendor's midnight; of how many, where `licences` says."""

    operation_id: str
    calls: int
    allowed: int | None

    @property
    def is_nearly_spent(self) -> bool:
        return self.allowed is not None and self.calls >= _NEARLY * self.allowed


def read_licences() -> int | None:
    """Return the setting `licences`: how many licences each operation has. Raises SettingsError."""
    licences = configured(lambda: read_section(SOURCE, {"licences": int})).get("licences")
    if licences is None:
        return None
    if not isinstance(licences, int) or licences < 1:
        raise SettingsError(f"the setting `licences` is {licences}: expected a number above 0")
    return licences


def calls_of_day(calls: Mapping[str, int]) -> list[CallsOfDay]:
    """Return the calls of each operation beside those that it may make, in the order of names.
    Raises SettingsError."""
    licences = read_licences()
    allowed = None if licences is None else licences * CALLS_OF_A_LICENCE
    return [CallsOfDay(name, count, allowed) for name, count in sorted(calls.items())]


def calls_since_midnight(record: TrackRecord, now: datetime) -> int:
    """Return how many calls of a report were made today; `now` is on the vendor's clock."""
    begin = midnight(now.date(), now.tzinfo)
    return sum(poll.started_at >= begin for poll in record.polls)
