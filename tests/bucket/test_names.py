"""What a name of a copy says, and that nothing of it is kept but a hash, a day and a kind."""

from __future__ import annotations

import stat
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.buckets import AGENT, PHONE, name_of
from wolkvox_billing import SettingsError
from wolkvox_billing.bucket.hash_key import FILE, read_key
from wolkvox_billing.bucket.layout import day_of_folder, top_folders
from wolkvox_billing.bucket.names import (
    EXTENSIONS,
    PUBLIC_PATTERN,
    NameReader,
    ReadName,
    fits,
    read_pattern,
)
from wolkvox_billing.errors import WarehouseError

KEY = b"a key that nobody knows"


def reader(
    operations: dict[str, str] | None = None, pattern: str = PUBLIC_PATTERN, key: bytes = KEY
) -> NameReader:
    return NameReader(operations or {"*": "acme"}, read_pattern(pattern), EXTENSIONS, key)


def read(name: str, size: int = 5, **settings: object) -> ReadName:
    own = reader(**settings).read(name, size)  # type: ignore[arg-type]
    assert own
    return own


def test_a_public_name_says_day_and_kind() -> None:
    """Of an audio the day of the call; how long it lasts is told of GSM alone, by its size."""
    mp3 = read(f"acme/{name_of('2026-10-31')}")
    assert (mp3.operation_id, mp3.call_date, mp3.kind, mp3.seconds) == (
        "acme", date(2026, 10, 31), "audio", None,
    )  # fmt: skip
    assert read(f"acme/{name_of('2026-10-31', extension='GSM')}", 3300).seconds == Decimal(2)


@pytest.mark.parametrize(
    ("name", "kind", "day"),
    [
        (name_of("2026-10-31", extension="txt"), "chat", date(2026, 10, 31)),
        ("chats/2026/export.json", "chat", None),
        ("report.pdf", "other", None),
        (name_of("2026-10-31", extension="zip"), "other", date(2026, 10, 31)),
        ("music on hold.mp3", "audio", None),
        (name_of("2026-13-31"), "audio", None),
        ("mp3.", "other", None),
        (name_of("2026-10-31", extension="wav"), "other", date(2026, 10, 31)),
        ("call.WAV", "audio", None),  # may be a copy
    ],
)
def test_what_is_no_audio_of_a_day(name: str, kind: str, day: date | None) -> None:
    """Chats lie beside audios, and others' files beside both; a day that is none is none."""
    own = read(name)
    assert (own.kind, own.call_date) == (kind, day)


def test_a_copy_is_known_again_wherever_it_lies() -> None:
    """By its own name and size, under one key: another layout of folders makes no new copies, and
    what was overwritten by something else is another one."""
    own = read(f"2026-10-31/{name_of('2026-10-31')}").object_hash
    assert read(f"old/2026/10/31/{name_of('2026-10-31')}").object_hash == own
    others = {
        read(name_of("2026-10-31"), 6).object_hash,
        read(name_of("2026-10-31", call="2")).object_hash,
        read(name_of("2026-10-31"), key=b"another").object_hash,
    }
    assert len(others | {own}) == 4
    names = {read(name_of("2026-10-31"), size).name_hash for size in (5, 6)}
    assert len(names) == 1 and not names & (others | {own})


def test_a_pattern_may_take_the_day_from_a_folder() -> None:
    """Of names that say nothing of a day: the pattern sees the folders too, and what it finds is
    what a copy is known by."""
    pattern = r"(?P<day>\d{4}-\d\d-\d\d)/(?P<call>\d+)\."
    first = read("a/2026-10-31/1.mp3", pattern=pattern)
    assert first.call_date == date(2026, 10, 31)
    assert read("a/2026-11-01/1.mp3", pattern=pattern).object_hash != first.object_hash
    assert read("b/2026-10-31/1.mp3", pattern=pattern).object_hash == first.object_hash


@pytest.mark.parametrize("folder", ["b", "a/b"])
def test_names_without_a_call_are_known_with_their_folders(folder: str) -> None:
    """Numbers that begin anew in each folder: two files of one name and size are two copies."""
    pattern = r"(?P<day>\d{8})-\d+\.mp3"
    first = read("a/20261031-1.mp3", pattern=pattern)
    assert first.call_date == date(2026, 10, 31)
    assert read(f"{folder}/20261031-1.mp3", pattern=pattern).object_hash != first.object_hash


@pytest.mark.parametrize(("text", "says"), [("(", "no regular"), (r"(?P<call>\d)", "`day`")])
def test_a_pattern_that_cannot_be(text: str, says: str) -> None:
    """No regular expression, or one without a day, is said."""
    with pytest.raises(ValueError, match=says):
        read_pattern(text)


def test_whose_a_folder_is() -> None:
    """The first glob that fits a folder, or one above it, by `audios/*` also what lies in `audios`
    itself; what fits none is nobody's, and so is a
    mark that a store puts in the place of a folder."""
    own = reader({"audios/acme*": "acme", "audios/*": "beta"})
    owners = [
        name and name.operation_id
        for name in (
            own.read(f"{folder}{name_of('2026-10-31')}", 5)
            for folder in ("audios/acme-1/2026/", "audios/else/", "audios/", "", "audiosx/a/")
        )
    ]
    assert owners == ["acme", "beta", "beta", None, None]
    assert own.read("audios/acme/", 0) is None


def test_globs_of_folders() -> None:
    """With slashes around them or not; and the folders that all of it lies in are listed once."""
    assert fits("/acme/", "acme") and fits("acme", "acme/2026") and fits("*", "")
    assert not fits("acme", "acme2") and not fits("acme/x", "acme")
    assert top_folders(["a/b*", "a", "c/d/*/e"]) == ["a", "c/d"]
    assert top_folders(["*", "a"]) == [""]


@pytest.mark.parametrize(
    "folder",
    [
        "2026-10-31",
        "20261031/x",
        "a/2026/10/31",
        "2026-10/31",
        "day=2026-10-31",
        "y=2026/m=10/d=31",
    ],
)
def test_folders_of_a_day(folder: str) -> None:
    """However a day is written in folders."""
    assert day_of_folder(folder) == date(2026, 10, 31)


@pytest.mark.parametrize("folder", ["", "acme", "2026/10", "2026-10", "20261331", "202610310"])
def test_folders_of_no_day(folder: str) -> None:
    """A month, a number or a word is no day."""
    assert day_of_folder(folder) is None


@given(st.text(), st.integers(0, 10**12))
def test_any_name_can_be_read(name: str, size: int) -> None:
    """Whatever a key of S3 is made of: nothing of it is in what is kept, and nothing fails."""
    own = reader().read(name, size)
    assert own is None or (own.kind in ("audio", "chat", "other") and len(own.object_hash) == 32)


def test_nothing_of_a_name_is_kept() -> None:
    """Neither phone nor agent is in what is read of a name, and the key is in no `repr`."""
    text = f"{read(name_of('2026-10-31'))} {reader()!r}"
    assert PHONE not in text and AGENT not in text and KEY.decode() not in text


def test_a_key_is_made_once_and_its_owners_alone(tmp_path: Path) -> None:
    """Without one in the settings: at random, in the working folder, and the same ever after."""
    key = read_key(None, tmp_path)
    assert (len(key), read_key(None, tmp_path)) == (64, key)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert read_key(None, tmp_path / "other") != key


def test_a_key_of_the_settings(tmp_path: Path) -> None:
    """It counts, and no file is made; a short one is refused without being shown."""
    assert read_key(" 0123456789abcdef\n", tmp_path) == b"0123456789abcdef"
    assert [*tmp_path.iterdir()] == []
    with pytest.raises(SettingsError, match="16 characters or more") as told:
        read_key("hunter2", tmp_path)
    assert "hunter2" not in str(told.value)


def test_a_key_that_is_broken(tmp_path: Path) -> None:
    """It is not made anew in silence: without it no object is known again."""
    (tmp_path / FILE).write_bytes(b"short")
    with pytest.raises(WarehouseError, match="knows no object again"):
        read_key(None, tmp_path)
