"""What the looks at the bucket have shown: copies by the days when they were made, and by those of
their calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from wolkvox_billing.bucket.names import AUDIO, CHAT
from wolkvox_billing.bucket.tables import LISTINGS, OBJECTS
from wolkvox_billing.marts.copied import CopiedDay
from wolkvox_billing.marts.identities import Identities
from wolkvox_billing.warehouse.sql import Client, columns_in, rows_of

_NOTHING = Decimal()
_SECONDS = 60


class CopyGroup(NamedTuple):
    """Objects of an operation that were copied on one day, of calls of one day, and of a kind."""

    operation_id: str
    call_date: date | None
    upload_date: date
    kind: str
    is_gone: bool
    objects: int
    bytes: int
    empty: int
    timed: int
    seconds: Decimal | None
    is_replaced: bool = False  # gone, and something else has its name
    utc_date: date | None = None  # the copy's day in UTC; None is the same
    again_date: date | None = None  # when it was last copied again as it was

    @property
    def is_copy(self) -> bool:
        return self.kind == AUDIO and self.call_date is not None and not self.is_gone


class SeenAt(NamedTuple):
    """A look that came to its end: as of when, whether it went through all of it, and how much of
    what it listed is no operation's."""

    at: datetime
    is_full: bool
    skipped: int = 0
    skipped_copies: int = 0  # of these those that are named like copies
    settings_hash: str | None = None


class Looks(NamedTuple):
    """The looks that came to their end, of which one at the least went through all of it."""

    each: Sequence[SeenAt]

    @property
    def last(self) -> datetime:
        return max(look.at for look in self.each)

    @property
    def last_full(self) -> SeenAt:
        return max((look for look in self.each if look.is_full), key=lambda look: look.at)


@dataclass(frozen=True)
class Copies:
    """What the looks at the bucket have shown; nothing where nobody looked. seen_at: by operation
    the first and the last looks that saw any of its objects; one that is not named was looked at by
    all of them."""

    looks: Looks | None = None
    groups: Sequence[CopyGroup] = ()
    seen_at: Mapping[str, Collection[datetime]] = field(default_factory=dict)
    _by_operation: dict[str, list[CopyGroup]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for group in self.groups:
            self._by_operation.setdefault(group.operation_id, []).append(group)

    @property
    def operations(self) -> list[str]:
        return sorted(self._by_operation)

    def of(self, operation_id: str) -> Sequence[CopyGroup]:
        return self._by_operation.get(operation_id, ())

    def looks_at(self, operation_id: str) -> Looks | None:
        """Return the looks that went into an operation's folders: those that saw something of it,
        and those by the same settings. By others it may not have been meant, so that they say
        nothing of what is not there. None where no whole one did."""
        if self.looks is None or operation_id not in self.seen_at:
            return self.looks
        moments = self.seen_at[operation_id]
        settings = {look.settings_hash for look in self.looks.each if look.at in moments}
        own = [look for look in self.looks.each if look.settings_hash in settings]
        return Looks(own) if any(look.is_full for look in own) else None

    @cached_property
    def days(self) -> list[CopiedDay]:
        """The rows of bucket_daily."""
        groups: defaultdict[tuple[str, date], list[CopyGroup]] = defaultdict(list)
        for group in self.groups:
            groups[group.operation_id, group.upload_date].append(group)
        return [_day(*key, groups[key]) for key in sorted(groups)]


def _day(operation_id: str, day: date, groups: Sequence[CopyGroup]) -> CopiedDay:
    copies = [group for group in groups if group.is_copy]
    objects = count_objects(copies)
    is_timed = objects > 0 and sum(group.timed for group in copies) == objects
    seconds = sum((group.seconds or _NOTHING for group in copies), _NOTHING)
    present = [group for group in groups if not group.is_gone]
    return CopiedDay(
        operation_id=operation_id,
        upload_date=day,
        objects=objects,
        bytes=sum(group.bytes for group in copies),
        audio_minutes=round(seconds / _SECONDS, 4) if is_timed else None,
        empty_objects=sum(group.empty for group in copies),
        gone_objects=count_objects(gone_of(groups)),
        unread_objects=count_objects(unread_of(present)),
        chat_objects=count_objects(group for group in present if group.kind == CHAT),
        other_objects=count_objects(
            g for g in present if g.kind not in (AUDIO, CHAT) and g.call_date is None
        ),
    )


def count_objects(groups: Iterable[CopyGroup]) -> int:
    return sum(group.objects for group in groups)


def lost_of(groups: Iterable[CopyGroup]) -> list[CopyGroup]:
    """Return the copies that are there no more, be it that something else has their names."""
    return [g for g in groups if g.is_gone and g.kind == AUDIO and g.call_date is not None]


def gone_of(groups: Iterable[CopyGroup]) -> list[CopyGroup]:
    """Return the copies in the place of which nothing is."""
    return [g for g in lost_of(groups) if not g.is_replaced]


def unread_of(groups: Iterable[CopyGroup]) -> list[CopyGroup]:
    """Return what may be copies, and is not counted: audios with other names, and other files with
    the names of copies."""
    return [
        g
        for g in groups
        if (g.kind == AUDIO and g.call_date is None)
        or (g.kind not in (AUDIO, CHAT) and g.call_date is not None)
    ]


NO_COPIES = Copies()
_EPOCH = date(1970, 1, 1).toordinal()
_UTC_DAY = "CAST(FLOOR(EXTRACT(EPOCH FROM uploaded_at) / 86400) AS BIGINT)"
_GROUP = "operation_id, upload_date, call_date, kind, is_gone, is_replaced, utc_day, again_date"


def _overwritten(raw: str, objects: str) -> str:
    """Return the condition that something else of its operation has the name of an object that is
    gone. objects: by what operations count as."""
    gone = f"SELECT name_hash FROM {raw}.{OBJECTS} WHERE is_gone"
    present = f"SELECT operation_id, name_hash FROM {objects} WHERE NOT is_gone"
    return f"(operation_id, name_hash) IN ({present} AND name_hash IN ({gone}))"


def read_copies(
    client: Client, raw: str, identities: Identities, tables: Collection[str]
) -> Copies:
    """Return what was counted, by what operations count as; nothing where nobody looked. tables:
    those that are there."""
    if not {LISTINGS, OBJECTS} <= {*tables}:
        return NO_COPIES
    looks = _read_looks(client, raw)
    if not any(look.is_full for look in looks):
        return NO_COPIES
    columns = ["object_hash", "name_hash", "call_date", "upload_date", "kind", "is_gone", "bytes",
               "audio_seconds", "first_seen_at", "last_seen_at", "uploaded_at"]  # fmt: skip
    again = "CAST(NULL AS DATE)"  # in a record of an older version
    if "last_upload_date" in columns_in(client, f"{raw}.{OBJECTS}"):
        columns.append("last_upload_date")
        again = "CASE WHEN last_upload_date > upload_date THEN last_upload_date END"
    objects = identities.counted(f"{raw}.{OBJECTS}", columns)
    if identities.moved:  # the same copy under two ids is one, and gone where both have it gone
        objects = (
            "(SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY operation_id, object_hash "
            f"ORDER BY is_gone, uploaded_at) AS place FROM {objects}) AS each_one "
            "WHERE place = 1) AS once"
        )
    rows = rows_of(
        client,
        "SELECT operation_id, call_date, upload_date, kind, is_gone, COUNT(*), "
        "CAST(SUM(bytes) AS BIGINT), CAST(SUM(CASE WHEN bytes = 0 THEN 1 ELSE 0 END) AS BIGINT), "
        "COUNT(audio_seconds), SUM(audio_seconds), "
        f"is_gone AND {_overwritten(raw, objects)} AS is_replaced, {_UTC_DAY} AS utc_day, "
        f"{again} AS again_date FROM {objects} GROUP BY {_GROUP} ORDER BY {_GROUP}",
    )
    groups = [
        CopyGroup._make((*row, date.fromordinal(_EPOCH + utc_day), again_date))
        for *row, utc_day, again_date in rows
    ]
    seen_at: defaultdict[str, set[datetime]] = defaultdict(set)
    for operation_id, first, last in rows_of(
        client, f"SELECT DISTINCT operation_id, first_seen_at, last_seen_at FROM {objects}"
    ):
        seen_at[operation_id] |= {first, last}
    return Copies(Looks(looks), groups, seen_at)


def _read_looks(client: Client, raw: str) -> list[SeenAt]:
    """Return the looks that came to their end, by their time; those of an older version do not say
    by which settings they were taken."""
    known = columns_in(client, f"{raw}.{LISTINGS}")
    copies = "COALESCE(skipped_copies, 0)" if "skipped_copies" in known else "0"
    settings = "settings_hash" if "settings_hash" in known else "NULL"
    rows = rows_of(
        client,
        f"SELECT seen_at, is_full, skipped, {copies}, {settings} FROM {raw}.{LISTINGS} "
        "WHERE is_complete ORDER BY 1",
    )
    return [SeenAt(*row) for row in rows]
