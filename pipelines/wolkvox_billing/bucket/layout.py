"""How folders are laid out: is there one for each day? Then a look needs but the last ones.

2026-10-31, 20261031, 2026/10/31, 2026-10/31 and day=2026-10-31 are days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from wolkvox_billing.bucket.names import plain_folder, read_day
from wolkvox_billing.bucket.store import ListedObject, Store

_DEEPEST = 8


def day_of_folder(folder: str) -> date | None:
    """Return the day of the folder that something lies in, or of one above it; None where none of
    them is of a day."""
    parts = [part.rpartition("=")[2] for part in folder.strip("/").split("/")]
    for end in range(len(parts), 0, -1):
        for length in (1, 2, 3):
            if length <= end and (day := read_day("-".join(parts[end - length : end]))):
                return day
    return None


def top_folders(globs: Iterable[str]) -> list[str]:
    """Return the folders that all operations' objects lie in, none of them in another."""
    folders = sorted({plain_folder(glob) for glob in globs})
    return [
        folder
        for folder in folders
        if not any(
            other != folder and (not other or folder.startswith(f"{other}/")) for other in folders
        )
    ]


def list_since(
    store: Store, folder: str, since: date, depth: int = 0
) -> Iterator[list[ListedObject]]:
    """Yield what lies below a folder, but for folders of days before `since`. Raises Unlistable."""
    level = store.list_level(folder)
    if level.objects:
        yield [*level.objects]
    for below in level.folders:
        day = day_of_folder(below)
        if day is None and depth < _DEEPEST:
            yield from list_since(store, below, since, depth + 1)
        elif day is None or day >= since:
            yield from store.list_all(below)
