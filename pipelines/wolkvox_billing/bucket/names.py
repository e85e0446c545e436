"""What the name of an object says: whose it is, of which day, of what kind. The name stays here.

A copy is known again by the part of its name that the pattern finds with its call, and by its size:
not by the folder that it lies in, so that another layout of folders makes no new copies; and what
was overwritten by something else is another one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fnmatch import translate
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

AUDIO, CHAT, OTHER = KINDS = ("audio", "chat", "other")
# As the vendor's help centre has it; what stands before the day may be any ids.
PUBLIC_PATTERN = (
    r"customer\.[^/]*?\.date\.(?P<day>\d{4}-\d{2}-\d{2})-\d{2}-\d{2}-\d{2}\."
    r"[^/]*?\.id\.(?P<call>[^./]+)"
)
EXTENSIONS = ("mp3", "gsm")
_SOUNDS = ("wav", "ogg", "oga", "opus", "m4a", "aac", "flac", "wma", "amr", "webm", "mp3", "gsm")
_TEXTS = ("txt", "html", "htm", "json", "xml", "csv", "pdf")  # that chats are exported as
_GSM = "gsm"
_GSM_BYTES_A_SECOND = 1650  # 33 for each 20 ms; an MP3's rate is not in a listing
_MOST_FOLDERS = 20_000
_MOST_DAYS = 1_000
_ALL = "*"


class ReadName(NamedTuple):
    """What is kept of a name. `call_date` is None where the pattern does not fit: an audio without
    one may be somebody else's."""

    operation_id: str
    object_hash: str
    name_hash: str
    call_date: date | None
    kind: str
    seconds: Decimal | None


@dataclass(frozen=True, repr=False)
class NameReader:
    """Reads names by the settings. `operations` are globs of folders, the first that fits counts;
    `key` is secret, and no `repr` shows it."""

    operations: Mapping[str, str]
    pattern: re.Pattern[str]
    extensions: Sequence[str]
    key: bytes
    _owners: dict[str, str | None] = field(default_factory=dict)

    def read(self, name: str, size: int) -> ReadName | None:
        """Return what is kept of an object; None where it is no operation's, or but a folder."""
        folder, _, own = name.rpartition("/")
        operation_id = self._owner_of(folder)
        if operation_id is None or (not own and not size):
            return None
        fit = self.pattern.search(name)
        extension = own.rpartition(".")[2].lower()
        day = _day_of_call(fit["day"]) if fit else None
        kind, seconds = OTHER, None
        if extension in self.extensions:
            kind = AUDIO
            if extension == _GSM:
                seconds = Decimal(size) / _GSM_BYTES_A_SECOND
        elif extension in _SOUNDS and not day:
            kind = AUDIO  # not of the settings: told, and nobody is accused for as many
        elif extension in _TEXTS and (fit or "chat" in name.lower()):
            kind = CHAT
        # Without the call the rest of two names in two folders may be the same.
        is_of_call = fit and day and "call" in fit.re.groupindex and fit["call"]
        known_by = name[fit.start() :] if fit and is_of_call else name
        hashes = self._hash(f"{size}\n{known_by}"), self._hash(known_by)
        return ReadName(operation_id, *hashes, day, kind, seconds)

    def _hash(self, name: str) -> str:
        text = name.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self.key, digest_size=16).hexdigest()

    def _owner_of(self, folder: str) -> str | None:
        if folder not in self._owners:
            if len(self._owners) >= _MOST_FOLDERS:  # a folder for each call
                self._owners.clear()
            self._owners[folder] = next(
                (owner for glob, owner in self.operations.items() if fits(glob, folder)), None
            )
        return self._owners[folder]


def read_day(text: str) -> date | None:
    """Return the day that a name or folder says, such as 2026-10-31 or 20261031; None for none."""
    digits = re.fullmatch(r"(\d{4})([-_.]?)(\d{2})\2(\d{2})", text, re.ASCII)
    if digits:
        with suppress(ValueError):
            return date(int(digits[1]), int(digits[3]), int(digits[4]))
    return None


_day_of_call = lru_cache(maxsize=_MOST_DAYS)(read_day)  # many calls have one day


def fits(glob: str, folder: str) -> bool:
    """Return whether a folder, or one that it lies in, is meant by a glob: by `acme/*` all that
    lies below `acme`, be it directly."""
    glob, folder = glob.strip("/").removesuffix("/*"), folder.strip("/")
    return glob in ("", _ALL) or bool(
        re.match(translate(glob), folder) or re.match(translate(f"{glob}/*"), folder)
    )


def plain_folder(glob: str) -> str:
    """Return the folder that all that a glob means lies in, "" where that is the whole bucket."""
    parts = glob.strip("/").split("/")
    return "/".join(takewhile(lambda part: not re.search(r"[*?\[]", part), parts))


def read_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of names. Raises ValueError, which says what is wrong with it."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise ValueError(f"no regular expression ({error})") from None
    if "day" not in pattern.groupindex:
        raise ValueError("without the group `day`")
    return pattern
