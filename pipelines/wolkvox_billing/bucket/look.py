"""One look at the bucket: what it lists goes, without names, into a file of its own.

Not into the warehouse at once: a look may break off, or take long, and what it has found counts as
a whole or not at all.
"""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from wolkvox_billing.bucket.layout import (
    day_of_folder,
    list_beside,
    list_since,
    list_whole,
    top_folders,
)
from wolkvox_billing.bucket.names import NameReader
from wolkvox_billing.bucket.settings import BucketSettings
from wolkvox_billing.bucket.store import ListedObject, Store, Unlistable, without_names
from wolkvox_billing.bucket.tables import BUCKET_TABLES, LISTED_COLUMNS, OBJECTS
from wolkvox_billing.values.arrow import Arrow, pyarrow
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.warehouse.bulk import arrow_type

LIST, INVENTORY = "list", "inventory"
# A copy that a night did not finish comes the night after; a look goes back so far.
DAYS_BACK = timedelta(days=7)
_DEFECT = N_("a defect of this program ({defect}): report it, please; no name is in this message")
_MOSTLY = 100  # at most one object in so many lies in no folder of a day
Progress = Callable[[int, float], None]  # objects, seconds


@dataclass(frozen=True)
class Listing:
    """A row of bucket_listings. The next look goes by whether there is a folder for each day."""

    listing_id: str
    started_at: datetime
    finished_at: datetime
    how: str
    seen_at: datetime
    is_full: bool
    objects: int
    bytes: int
    skipped: int
    seconds: Decimal
    is_complete: bool
    reason: str | None
    has_day_folders: bool
    settings_hash: str | None = None  # of a look of an older version neither is known
    skipped_copies: int | None = None


class Reach(NamedTuple):
    """What a look lists: all of it, where `since` is None; else what came on that day or later, by
    folder of day where there is one for each."""

    since: date | None
    has_day_folders: bool


WHOLE = Reach(None, False)


@dataclass
class Look:
    """A look that is being taken. `file` gets the objects, as Parquet."""

    settings: BucketSettings
    reader: NameReader
    file: Path
    on_progress: Progress
    objects: int = 0
    bytes: int = 0
    skipped: int = 0
    skipped_copies: int = 0  # that are named like copies
    in_day_folders: int = 0

    def take(self, chunks: Iterable[list[ListedObject]], since: date | None) -> None:
        """Put what is listed into the file; of what came before `since` the count alone. Raises
        Unlistable."""
        from pyarrow import parquet

        begun = time.monotonic()
        with parquet.ParquetWriter(self.file, self.schema) as writer:
            for chunk in chunks:
                table = without_names(partial(self._table_of, chunk, since), _say_defect)
                if table.num_rows:
                    writer.write_table(table)
                self.on_progress(self.objects + self.skipped, time.monotonic() - begun)

    @cached_property
    def schema(self) -> Arrow:
        columns = BUCKET_TABLES[OBJECTS].columns
        return pyarrow().schema([(name, arrow_type(columns[name][0])) for name in LISTED_COLUMNS])

    @property
    def has_day_folders(self) -> bool:
        others = self.objects - self.in_day_folders
        return self.objects > 0 and others * _MOSTLY <= self.objects

    def _table_of(self, chunk: list[ListedObject], since: date | None) -> Arrow:
        rows: list[tuple[object, ...]] = []
        days: dict[str, bool] = {}
        for name, uploaded_at, size in chunk:
            read = self.reader.read(name, size)
            if read is None:
                self.skipped += 1
                self.skipped_copies += self.reader.pattern.search(name) is not None
                continue
            self.objects += 1
            self.bytes += size
            folder = name.rpartition("/")[0]
            if folder not in days:
                days[folder] = day_of_folder(folder) is not None
            self.in_day_folders += days[folder]
            upload_date = uploaded_at.astimezone(self.settings.zone_of(read.operation_id)).date()
            if since and upload_date < since:
                continue
            seconds = None if read.seconds is None else round(read.seconds, 4)
            rows.append((read.operation_id, read.object_hash, read.name_hash, read.call_date,
                         uploaded_at, upload_date, size, read.kind, seconds))  # fmt: skip
        pa = pyarrow()
        columns = zip(*rows, strict=True) if rows else [()] * len(self.schema)
        return pa.table(list(map(pa.array, columns, self.schema.types)), self.schema)


def _say_defect(error: Exception) -> Sentence:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return Sentence(_DEFECT, defect=f"{type(error).__name__}, {where}")


def take_look(store: Store, look: Look, reach: Reach, now: Callable[[], datetime]) -> Listing:
    """Return what a look at all, or at the last days, came to; also of one that broke off."""
    return note_look(look, _chunks(store, look.settings, reach), Noted(LIST, reach), now)


class Noted(NamedTuple):
    """How a look is taken; as of when an inventory speaks, None where it is the look itself."""

    how: str
    reach: Reach
    seen_at: datetime | None = None


def note_look(
    look: Look,
    chunks: Iterable[list[ListedObject]],
    noted: Noted,
    now: Callable[[], datetime],
) -> Listing:
    """Return the row of a look at these objects."""
    started, begun, reason = now().astimezone(timezone.utc), time.monotonic(), None
    reach = noted.reach
    try:
        look.take(chunks, None if reach.has_day_folders else reach.since)
    except Unlistable as error:
        reason = error.args[0]
    seconds = time.monotonic() - begun
    is_full = reach.since is None
    return Listing(
        listing_id=f"{started:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(6)}",
        started_at=started,
        finished_at=started + timedelta(seconds=seconds),
        how=noted.how,
        seen_at=noted.seen_at or started,
        is_full=is_full,
        objects=look.objects,
        bytes=look.bytes,
        skipped=look.skipped,
        seconds=round(Decimal(seconds), 4),
        is_complete=reason is None,
        reason=reason,
        has_day_folders=look.has_day_folders if is_full else reach.has_day_folders,
        settings_hash=look.settings.fingerprint(look.reader.key),
        skipped_copies=look.skipped_copies,
    )


def _chunks(store: Store, settings: BucketSettings, reach: Reach) -> Iterator[list[ListedObject]]:
    folders = top_folders(settings.operations)
    for folder in folders:
        if reach.since and reach.has_day_folders:
            yield from list_since(store, folder, reach.since)
        else:
            yield from list_whole(store, folder)
    if not reach.since:
        yield from list_beside(store, folders)
