"""How folders are laid out: is there one for each day? Then a look needs but the last ones.

2026-10-31, 20261031, 2026/10/31, 2026-10/31 and day=2026-10-31 are days.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import date

from wolkvox_billing.bucket.names import plain_folder, read_day
from wolkvox_billing.bucket.store import ListedObject, Store, Unlistable

_DEEPEST = 8
_PAGE = 1000  # names in an answer of a store
_FEW_DAYS = 2  # in a page: then to ask for each day by itself costs hardly more
_FOLDERS_AT_ONCE = 8
_MOST_BESIDE = 20


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
    tops: list[str] = []
    for folder in sorted(map(plain_folder, globs)):  # what lies in a folder comes after it
        if not any(folder == top or not top or folder.startswith(f"{top}/") for top in tops):
            tops.append(folder)
    return tops


def list_whole(store: Store, folder: str) -> Iterator[list[ListedObject]]:
    """Yield what lies below a folder: where days have large folders of their own several of these
    at once, since a store has a thousand names in an answer. Raises Unlistable."""
    page = next(store.list_all(folder, _PAGE), [])
    days = {day_of_folder(name.rpartition("/")[0]) for name, _, _ in page}
    is_by_day = len(page) == _PAGE and len(days) <= _FEW_DAYS and None not in days
    return list_since(store, folder, date.min) if is_by_day else store.list_all(folder)


def list_beside(store: Store, folders: Sequence[str]) -> Iterator[list[ListedObject]]:
    """Yield the first objects of some folders beside these, of those that may be listed: copies may
    lie in one of them, such as one with a new name."""
    depths = range(_DEEPEST + 1)
    above = {"/".join(folder.split("/")[:depth]) for folder in folders for depth in depths}
    above -= {*folders}
    beside: list[str] = []
    with suppress(Unlistable):
        for level in sorted(above if "" not in folders else ()):
            listed = store.list_level(level).folders
            beside += [each for each in listed if each not in above and each not in folders]
    for folder in beside[:_MOST_BESIDE]:
        with suppress(Unlistable):
            yield next(store.list_all(folder), [])


def list_since(store: Store, folder: str, since: date) -> Iterator[list[ListedObject]]:
    """Yield what lies below a folder, but for folders of days before `since`, several folders at
    once. Raises Unlistable."""
    folders: list[str] = []
    levels = [(folder, 0)]
    while levels:
        above, depth = levels.pop()
        level = store.list_level(above)
        if level.objects:
            yield [*level.objects]
        for below in level.folders:
            day = day_of_folder(below)
            if day is None and depth < _DEEPEST:
                levels.append((below, depth + 1))
            elif day is None or day >= since:
                folders.append(below)
    yield from _list_folders(store, folders)


def _list_folders(store: Store, folders: Sequence[str]) -> Iterator[list[ListedObject]]:
    pending: deque[Future[list[list[ListedObject]]]] = deque()
    with ThreadPoolExecutor(_FOLDERS_AT_ONCE) as pool:
        for folder in folders:
            pending.append(pool.submit(list, store.list_all(folder)))
            if len(pending) >= _FOLDERS_AT_ONCE:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
