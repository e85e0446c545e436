"""Looks at a real S3, served by rclone, through a gate that counts, refuses and breaks off; and at
a folder. What comes out of a look, and what a store's complaint becomes."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pyarrow import parquet

from builders.buckets import (
    KEY_ID,
    KEY_SECRET,
    NAME,
    PHONE,
    Gate,
    error_xml,
    name_of,
    put,
    settings_of,
)
from wolkvox_billing import SettingsError
from wolkvox_billing.bucket import store as stores
from wolkvox_billing.bucket.look import WHOLE, Listing, Look, Reach, take_look
from wolkvox_billing.bucket.names import NameReader
from wolkvox_billing.bucket.settings import BucketSettings
from wolkvox_billing.bucket.store import open_store

NOW = datetime(2026, 11, 3, 12, tzinfo=timezone.utc)


def look(
    settings: BucketSettings, file: Path, reach: Reach = WHOLE
) -> tuple[Listing, list[dict[str, object]]]:
    """Return what a look came to, and the objects that it has put into its file."""
    reader = NameReader(settings.operations, settings.pattern, settings.extensions, b"k" * 16)
    own = Look(settings, reader, file, lambda objects, seconds: None)
    listing = take_look(open_store(settings, settings.url), own, reach, lambda: NOW)
    rows: list[dict[str, object]] = parquet.read_table(file).to_pylist()
    return listing, rows


def look_through(gate: Gate, folder: str, tmp_path: Path, reach: Reach = WHOLE) -> Listing:
    settings = settings_of(f"s3://{NAME}/{folder}", gate.url)
    return look(settings, tmp_path / "l.parquet", reach)[0]


def test_a_page_has_a_thousand_keys(root: Path, gate: Gate, tmp_path: Path) -> None:
    """Of 2,500 objects all are listed, by nothing but GET."""
    for n in range(2500):
        put(root / NAME / "many" / name_of("2026-10-31", str(n)), NOW, size=0)
    listing = look_through(gate, "many", tmp_path)
    assert (listing.is_complete, listing.is_full, listing.how) == (True, True, "list")
    assert (listing.objects, listing.bytes, listing.skipped) == (2500, 0, 0)
    assert gate.verbs == {"GET": 4}  # one of them to see how folders are laid out


def test_what_a_look_keeps(root: Path, gate: Gate, tmp_path: Path) -> None:
    """Of two operations in one bucket, by the vendor's day: 02:00 in UTC is the evening before in
    Bogotá. What is no operation's is skipped, and told where it is named like a copy."""
    late = datetime(2026, 11, 1, 2, tzinfo=timezone.utc)
    put(root / NAME / "two" / "a" / name_of("2026-10-31"), late, 7)
    put(root / NAME / "two" / "b" / "x" / name_of("2026-10-30", extension="txt"), NOW, 11)
    put(root / NAME / "two" / "c" / name_of("2026-10-30"), NOW, 13)
    settings = settings_of(f"s3://{NAME}/two", gate.url, a="acme", b="beta")
    listing, rows = look(settings, tmp_path / "l.parquet")
    assert (listing.objects, listing.bytes, listing.skipped) == (2, 18, 1)
    kept = [(r["operation_id"], r["upload_date"], r["call_date"], r["kind"]) for r in rows]
    assert kept == [
        ("acme", date(2026, 10, 31), date(2026, 10, 31), "audio"),
        ("beta", date(2026, 11, 3), date(2026, 10, 30), "chat"),
    ]
    assert sum("c%2F" in path for path in gate.paths) == 1  # is there a copy in it? no more
    settings = settings_of(f"s3://{NAME}/two", gate.url, **{"[ab]": "acme"})
    assert look(settings, tmp_path / "l.parquet")[0].skipped == 1


def test_odd_characters(root: Path, gate: Gate, tmp_path: Path) -> None:
    """Blanks, accents, percent, plus, and all else that a key can have."""
    odd = ["a b", "ñandú", "100%25", "a+b", "#1?x=y&z", "~'(!)*", "日本", "a\tb", "e\u0301"]
    for n, folder in enumerate(odd):
        put(root / NAME / "odd" / folder / name_of("2026-10-31", f"{n}~ %"), NOW)
    listing = look_through(gate, "odd", tmp_path)
    assert (listing.is_complete, listing.objects) == (True, len(odd))


def test_a_folder_of_this_machine(tmp_path: Path) -> None:
    """A NAS that is mounted is listed as a store is."""
    put(tmp_path / "nas" / "2026-10-31" / name_of("2026-10-31"), NOW, 7)
    put(tmp_path / "nas" / "ñ #" / name_of("2026-10-30"), NOW, 0)
    listing, rows = look(settings_of(f"file://{tmp_path / 'nas'}"), tmp_path / "l.parquet")
    assert (listing.objects, listing.bytes) == (2, 7)
    assert {row["kind"] for row in rows} == {"audio"}
    with pytest.raises(SettingsError, match="is it mounted"):
        open_store(settings_of(f"file://{tmp_path / 'no'}"), f"file://{tmp_path / 'no'}")


def test_a_folder_with_a_new_name(tmp_path: Path) -> None:
    """Copies that lie beside the folders of operations, on any level above them, are no operation's
    and are told; a look at the last days alone does not look for them."""
    for folder in ("x/ventas/2026-10-30", "x/Ventas Norte/2026-10-31", "y"):
        put(tmp_path / "nas" / folder / name_of("2026-10-31"), NOW)
    put(tmp_path / "nas" / "y" / "readme.md", NOW)
    settings = settings_of(f"file://{tmp_path / 'nas'}", **{"x/ventas/*": "acme"})
    listing, rows = look(settings, tmp_path / "l.parquet")
    assert (listing.objects, listing.skipped, listing.skipped_copies, len(rows)) == (1, 3, 2, 1)
    last_days = Reach(date(2026, 10, 29), True)
    assert look(settings, tmp_path / "l.parquet", last_days)[0].skipped == 0


def test_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    """An old NAS has accents of one byte: the look breaks off, and the name is in no text."""
    file = put(tmp_path / "nas" / name_of("2026-10-31"), NOW)
    os.link(file, os.fsencode(file) + b"\xf1.mp3")
    listing, _ = look(settings_of(f"file://{tmp_path / 'nas'}"), tmp_path / "l.parquet")
    assert not listing.is_complete and listing.reason
    assert "no UTF-8" in listing.reason and PHONE not in listing.reason


def test_only_what_can_have_changed(root: Path, gate: Gate, tmp_path: Path) -> None:
    """Where each day has a folder a later look asks for the last ones alone; what lies beside them
    is always listed."""
    for day in range(1, 31):
        put(root / NAME / "days" / f"2026-10-{day:02}" / name_of(f"2026-10-{day:02}"), NOW)
    whole = look_through(gate, "days", tmp_path)
    assert (whole.objects, whole.has_day_folders) == (30, True)
    put(root / NAME / "days" / "else" / name_of("2026-10-02", "2"), NOW)
    gate.paths.clear()
    listing = look_through(gate, "days", tmp_path, Reach(date(2026, 10, 29), True))
    assert (listing.objects, listing.is_full, listing.is_complete) == (3, False, True)
    assert len(gate.paths) == 4  # the folders, two days of them, and the one beside


def test_large_folders_of_days(root: Path, gate: Gate, tmp_path: Path) -> None:
    """Where a page is of one day each day is asked for by itself, and nothing is left out that lies
    beside them."""
    for day, count in ((1, 1001), (2, 3), (3, 2)):
        for n in range(count):
            name = name_of(f"2026-10-{day:02}", str(n))
            put(root / NAME / "large" / f"2026-10-{day:02}" / name, NOW, size=0)
    put(root / NAME / "large" / name_of("2026-10-02", "beside"), NOW, size=0)
    put(root / NAME / "large" / "else" / name_of("2026-10-02", "else"), NOW, size=0)
    listing = look_through(gate, "large", tmp_path)
    assert (listing.objects, listing.has_day_folders, listing.is_full) == (1008, True, True)
    assert any("2026-10-03" in path for path in gate.paths)


def test_changes_by_upload(root: Path, gate: Gate, tmp_path: Path) -> None:
    """Without folders of days all is listed, and what came before is only counted."""
    for n, at in enumerate((NOW - timedelta(days=9), NOW - timedelta(days=1), NOW)):
        put(root / NAME / "flat" / name_of("2026-10-31", str(n)), at)
    assert not look_through(gate, "flat", tmp_path).has_day_folders
    settings = settings_of(f"s3://{NAME}/flat", gate.url)
    listing, rows = look(settings, tmp_path / "l.parquet", Reach(date(2026, 11, 2), False))
    assert (listing.objects, len(rows)) == (3, 2)


REFUSALS = [
    (403, "AccessDenied", "may list"),
    (400, "ExpiredToken", "have expired"),
    (403, "InvalidAccessKeyId", "does not know this key"),
    (403, "SignatureDoesNotMatch", "not the key's"),
    (403, "RequestTimeTooSkewed", "clock"),
    (404, "NoSuchBucket", "`url`"),
    (400, "AuthorizationHeaderMalformed", "`region`"),
    (503, "SlowDown", "tried several times"),
    (500, "InternalError", "tried several times"),
    (418, "WhoKnows", "did not list all of it"),
]


@pytest.mark.parametrize(("status", "code", "says"), REFUSALS)
def test_refusals(gate: Gate, tmp_path: Path, status: int, code: str, says: str) -> None:
    """Each is told with its status and code, what was expected and what to do; nothing else of what
    the store says comes out."""
    gate.always = (status, error_xml(code))
    reason = look_through(gate, "x", tmp_path).reason
    assert reason and says in reason and str(status) in reason
    for secret in (PHONE, KEY_ID, KEY_SECRET, gate.url, "Resource"):
        assert secret not in reason


def test_a_folder_that_nobody_may_list(root: Path, gate: Gate, tmp_path: Path) -> None:
    """One denied folder of several: the look is not complete, though others could be listed."""
    put(root / NAME / "some" / "a" / name_of("2026-10-31"), NOW)
    settings = settings_of(f"s3://{NAME}/some", gate.url, a="acme", secret="beta")
    gate.denied = "secret"
    listing, rows = look(settings, tmp_path / "l.parquet")
    own = settings_of(f"s3://{NAME}/some", gate.url, a="acme")
    assert look(own, tmp_path / "l.parquet")[0].is_complete  # it is nobody's then
    assert (listing.is_complete, listing.objects, len(rows)) == (False, 1, 1)
    assert listing.reason and "403 AccessDenied" in listing.reason


def test_slow_down_is_waited_for(root: Path, gate: Gate, tmp_path: Path) -> None:
    """A store that asks to slow down once gives the same answer a moment later."""
    put(root / NAME / "slow" / name_of("2026-10-31"), NOW)
    gate.refuse(503, "SlowDown", times=2)
    listing = look_through(gate, "slow", tmp_path)
    assert (listing.is_complete, listing.objects, gate.verbs["GET"]) == (True, 1, 4)


def test_a_listing_that_is_cut(root: Path, gate: Gate, tmp_path: Path) -> None:
    """A page that ends in the middle, each time, ends the look: it is not complete."""
    for n in range(1500):
        put(root / NAME / "cut" / name_of("2026-10-31", str(n)), NOW, size=0)
    gate.answers = [None, (0, ""), (0, ""), (0, ""), (0, "")]
    listing = look_through(gate, "cut", tmp_path)
    assert not listing.is_complete
    assert listing.reason and PHONE not in listing.reason and gate.url not in listing.reason


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address at which nothing is, is told without it."""
    monkeypatch.setattr(stores, "MOST_RETRIES", 0)
    settings = settings_of(f"s3://{NAME}", "http://127.0.0.1:1")
    listing, rows = look(settings, tmp_path / "l.parquet")
    assert (listing.is_complete, rows) == (False, [])
    assert listing.reason and "did not answer" in listing.reason


def test_a_key_that_no_path_can_have(gate: Gate, tmp_path: Path) -> None:
    """S3 takes `a//b`; who lists it is told what to do, and not the key."""
    gate.always = (
        200,
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents>"
        f"<Key>a//{name_of('2026-10-31')}</Key><Size>1</Size>"
        "<LastModified>2026-11-01T07:00:00.000Z</LastModified></Contents></ListBucketResult>",
    )
    reason = look_through(gate, "", tmp_path).reason
    assert reason and "empty folder" in reason and PHONE not in reason
