"""The verb `bucket` over days, on both engines: what is new, seen again, late, gone and back; and
what is stored of a look that broke off. The bucket is a folder here; S3 is in test_listing."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builders.buckets import KEY_SECRET, PHONE, copies_of, gate_before, name_of, put, see
from builders.duckdb_files import let_go
from builders.leaks import leaks, shows
from builders.months import local, read
from builders.project import Project
from wolkvox_billing import SettingsError
from wolkvox_billing.bucket import store as stores
from wolkvox_billing.bucket import storing
from wolkvox_billing.bucket.hash_key import FILE
from wolkvox_billing.cli.main import main
from wolkvox_billing.marts.identities import Identities
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.reconciliation.copies import read_copies
from wolkvox_billing.reconciliation.mart import fill_copies
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs.bucket import BucketReport, bucket
from wolkvox_billing.verbs.copies_told import stands_still
from wolkvox_billing.verbs.status import status
from wolkvox_billing.warehouse.place import opened
from wolkvox_billing.warehouse.sql import tables_in

pytestmark = pytest.mark.usefixtures("kept_open")
FIRST = datetime(2026, 11, 3, 12, tzinfo=timezone.utc)
OBJECTS = (
    "SELECT call_date, upload_date, bytes, kind, first_seen_at = last_seen_at, is_gone "
    "FROM bucket_objects ORDER BY call_date, bytes"
)


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the bucket of the operation `acme`."""
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setenv("BUCKET__URL", f"file://{folder}")
    return folder


def look(project: Project, at: datetime = FIRST, **more: Any) -> BucketReport:
    return bucket(destination=project.destination, clock=lambda: at, **more)


def states(project: Project) -> dict[str, bool]:
    """Return each object's day, and whether it is gone."""
    rows = project.query("SELECT call_date, is_gone FROM bucket_objects ORDER BY call_date")
    return {f"{day:%d}": is_gone for day, is_gone in rows}


def test_a_look_is_stored(warehouse: Project, copies: Path) -> None:
    """Its row, and one of each object, with neither name nor phone; the same on both engines."""
    put(copies / name_of("2026-10-30"), FIRST - timedelta(days=3), 7)
    put(copies / "2026" / name_of("2026-10-31", extension="txt"), FIRST - timedelta(hours=10), 0)
    report = look(warehouse)
    assert (report.is_good, report.listing.objects, report.listing.bytes) == (True, 2, 7)
    day = FIRST.date()
    assert warehouse.query(OBJECTS) == [
        (day.replace(month=10, day=30), day.replace(month=10, day=31), 7, "audio", True, False),
        (day.replace(month=10, day=31), day.replace(day=2), 0, "chat", True, False),
    ]
    [row] = warehouse.query(
        "SELECT how, is_full, objects, bytes, skipped, is_complete, reason FROM bucket_listings"
    )
    assert row == ("list", True, 2, 7, 0, True, None)
    for table in ("bucket_objects", "bucket_listings"):
        assert not shows(repr(warehouse.query(f"SELECT * FROM {table}")).encode(), PHONE)


def test_what_goes_comes_back_and_is_overwritten(
    warehouse: Project, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole look tells what is gone; it is there again once it is listed again. What was
    overwritten by something else is gone, and the new content is another object; what was copied
    again as it was keeps the day of its first copy, wherever it lies then. So it is whether DuckDB
    takes a look at once or, as of many objects, in parts."""
    monkeypatch.setattr(storing, "MANY", 3)  # as the first look lists and the last, not the second
    moment = FIRST - timedelta(days=3)
    kept, gone, other = (put(copies / name_of(f"2026-10-{d}"), moment, d) for d in (28, 29, 30))
    look(warehouse)
    gone.unlink()
    put(other, FIRST, 99)
    kept.unlink()
    put(copies / "new" / kept.name, FIRST, 28)
    second = FIRST + timedelta(days=1)
    look(warehouse, second, full=True)
    assert warehouse.query(
        "SELECT bytes, is_gone, uploaded_at, first_seen_at, last_seen_at FROM bucket_objects "
        "ORDER BY bytes"
    ) == [
        (28, False, moment, FIRST, second),
        (29, True, moment, FIRST, FIRST),
        (30, True, moment, FIRST, FIRST),
        (99, False, FIRST, second, second),
    ]
    put(gone, second, 29)
    look(warehouse, second + timedelta(days=1), full=True)
    [row] = warehouse.query("SELECT is_gone, uploaded_at FROM bucket_objects WHERE bytes = 29")
    assert row == (False, moment)


def test_a_later_look_lists_the_last_days(warehouse: Project, copies: Path) -> None:
    """It finds what is new there, and says of nothing that it is gone; the first look of a billing
    period is a whole one again."""
    for day in (1, 20, 30):
        put(copies / f"2026-10-{day:02}" / name_of(f"2026-10-{day:02}"), FIRST)
    assert look(warehouse).listing.is_full
    (copies / "2026-10-01" / name_of("2026-10-01")).unlink()
    (copies / "2026-10-30" / name_of("2026-10-30")).unlink()
    put(copies / "2026-11-02" / name_of("2026-11-02"), FIRST)
    put(copies / "2026-10-05" / name_of("2026-10-05"), FIRST)  # late by a month
    report = look(warehouse, FIRST + timedelta(days=1))
    assert (report.listing.is_full, report.listing.objects) == (False, 1)
    assert states(warehouse) == {"01": False, "02": False, "20": False, "30": False}
    assert look(warehouse, FIRST.replace(month=12)).listing.is_full
    assert states(warehouse) == {"01": True, "02": False, "05": False, "20": False, "30": True}


def test_a_look_that_breaks_off(warehouse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stored as not complete, with the reason; of objects nothing is, and the last complete
    look stays the last one."""
    monkeypatch.setattr(stores, "MOST_RETRIES", 0)
    monkeypatch.setenv("BUCKET__URL", "s3://copies")
    monkeypatch.setenv("BUCKET__REGION", "us-east-1")
    monkeypatch.setenv("BUCKET__CREDENTIALS__AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("BUCKET__CREDENTIALS__AWS_SECRET_ACCESS_KEY", KEY_SECRET)
    page = (
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x"
        f"</NextContinuationToken><Contents><Key>{name_of('2026-10-31')}</Key><Size>1</Size>"
        "<LastModified>2026-11-01T07:00:00.000Z</LastModified></Contents></ListBucketResult>"
    )
    with gate_before(1) as gate:
        monkeypatch.setenv("BUCKET__ENDPOINT", gate.url)
        gate.answers = [(200, page), (403, "<Error><Code>AccessDenied</Code></Error>")]
        report = look(warehouse)
    assert not report.is_good
    assert report.failures == [report.listing.reason]
    assert warehouse.query("SELECT is_complete, objects FROM bucket_listings") == [(False, 0)]
    assert warehouse.query("SELECT * FROM bucket_objects") == []
    assert gate.verbs == {"GET": 2}


def test_a_key_that_was_lost(warehouse: Project, copies: Path, tmp_path: Path) -> None:
    """Nothing is known again without it, so the next look is a whole one: no copy counts twice."""
    put(copies / name_of("2026-11-01"), FIRST - timedelta(days=1))
    look(warehouse)
    [file] = tmp_path.rglob(FILE)
    file.unlink()
    assert look(warehouse, FIRST + timedelta(days=1)).listing.is_full
    assert not look(warehouse, FIRST + timedelta(days=2)).listing.is_full
    assert warehouse.query("SELECT is_gone FROM bucket_objects ORDER BY 1") == [(False,), (True,)]


def test_what_copies_are_known_by_is_another(
    project: Project, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another key, or by settings that read names otherwise, nothing is known again: the next
    look is a whole one, and no copy counts twice. So each of three settings in turn."""
    put(copies / "acme" / name_of("2026-11-01"), FIRST - timedelta(days=1))
    look(project)
    for number, (setting, value) in enumerate(
        {
            "HASH_KEY": "a key that somebody set after the first look",
            "OPERATIONS": '{"*": "beta"}',
            "PATTERN": r"date\.(?P<day>\d{4}-\d\d-\d\d)",
        }.items()
    ):
        monkeypatch.setenv(f"BUCKET__{setting}", value)
        day = FIRST + timedelta(days=1 + 2 * number)
        assert look(project, day).listing.is_full, setting
        assert not look(project, day + timedelta(days=1)).listing.is_full, setting
        objects = project.query("SELECT is_gone FROM bucket_objects ORDER BY 1")
        assert objects == [(False,), *[(True,)] * (number + 1)], setting
        assert value not in repr(project.query("SELECT * FROM bucket_listings"))


def test_an_operation_that_is_meant_no_more(
    warehouse: Project, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks into the other folder alone does not know that its copies are gone."""
    for name in "ab":
        put(copies / name / name_of("2026-11-01", name), FIRST - timedelta(days=1))
    monkeypatch.setenv("BUCKET__OPERATIONS", json.dumps({"a": "acme", "b": "beta"}))
    look(warehouse)
    monkeypatch.setenv("BUCKET__OPERATIONS", json.dumps({"a": "acme"}))
    (copies / "a" / name_of("2026-11-01", "a")).unlink()
    assert look(warehouse, FIRST + timedelta(days=1)).listing.is_full
    rows = warehouse.query("SELECT operation_id, is_gone FROM bucket_objects ORDER BY 1")
    assert rows == [("acme", True), ("beta", False)]


def test_a_record_of_an_older_version(warehouse: Project, copies: Path) -> None:
    """Nobody knows what its copies are known by: the next look is a whole one, and says so from
    then on."""
    put(copies / name_of("2026-11-01"), FIRST - timedelta(days=1))
    look(warehouse)
    with opened(warehouse.destination) as pipeline, pipeline.sql_client() as client:
        for table, column in (
            ("bucket_listings", "settings_hash"),
            ("bucket_listings", "skipped_copies"),
            ("bucket_objects", "last_upload_date"),
        ):
            client.execute_sql(f"ALTER TABLE wolkvox_billing.{table} DROP COLUMN {column}")
        tables = tables_in(client, "wolkvox_billing")
        assert read_copies(client, "wolkvox_billing", Identities(), tables).days[0].objects == 1
    assert look(warehouse, FIRST + timedelta(days=1)).listing.is_full
    assert not look(warehouse, FIRST + timedelta(days=2)).listing.is_full


def test_two_operations_by_the_settings(
    project: Project, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each folder is whose the settings say; copies that were listed and are nobody's are told,
    since a counter may count them; without settings and with several operations nobody is guessed.
    """
    put(copies / "a" / name_of("2026-10-30"), FIRST)
    put(copies / "b" / name_of("2026-10-30"), FIRST)
    put(copies / "c" / name_of("2026-10-30"), FIRST)
    monkeypatch.setenv("BUCKET__OPERATIONS", json.dumps({"a": "acme", "b": "beta"}))
    assert (look(project).listing.skipped, len(look(project, full=True).warnings)) == (1, 1)
    assert project.query("SELECT operation_id FROM bucket_objects ORDER BY 1") == [
        ("acme",), ("beta",),
    ]  # fmt: skip
    monkeypatch.setenv("BUCKET__OPERATIONS", json.dumps({"[ab]": "acme"}))
    report = look(project, full=True)
    assert (report.listing.skipped, len(report.warnings)) == (1, 1)
    assert report.warnings[0].startswith("1 file that is named like a copy lies in a folder")
    monkeypatch.delenv("BUCKET__OPERATIONS")
    operations = json.dumps(project.operations(2))
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", operations)
    with pytest.raises(SettingsError, match="whose each folder is"):
        look(project)


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("URL", "ftp://x", "s3://bucket"),
        ("URL", "s3://me:hunter2@copies", "not shown"),
        ("URL", "", "no `url`"),
        ("ENDPOINT", "nowhere", "minio"),
        ("ENDPOINT", "http://me:hunter2@minio:9000", "not shown"),
        ("ENDPOINT", "me:hunter2@minio:9000", "not shown"),
        ("ENDPOINT", "https://me.blob.core.windows.net/?sv=1&sig=hunter2", "not shown"),
        ("URL", "s3:/me:hunter2@copies", "not shown"),
        ("PATTERN", "(", "regular expression"),
        ("EXTENSIONS", '[""]', "blank"),
        ("OPERATIONS", '{"a": ""}', "blank operation"),
        ("TIMEZONE", "Bogota", "America/Bogota"),
        ("HASH_KEY", "hunter2", "16 characters"),
        ("URLL", "x", "did you mean `url`"),
    ],
)
def test_settings_that_cannot_be(
    project: Project, copies: Path, monkeypatch: pytest.MonkeyPatch,
    setting: str, value: str, says: str,
) -> None:  # fmt: skip
    """Each is told before anything is listed, and no secret is shown."""
    monkeypatch.setenv(f"BUCKET__{setting}", value)
    with pytest.raises(SettingsError, match=says) as told:
        look(project)
    assert "hunter2" not in str(told.value)


def test_credentials_are_secrets(
    project: Project, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those in config.toml are refused, without being shown."""
    Path(".dlt").mkdir()
    Path(".dlt/config.toml").write_text('[bucket.credentials]\naws_access_key_id = "AKIAHUNTER"\n')
    monkeypatch.setenv("BUCKET__URL", "s3://copies")
    with pytest.raises(SettingsError, match=r"secrets\.toml") as told:
        look(project)
    assert "HUNTER" not in str(told.value)


def test_the_command(
    project: Project, copies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for a person, an object for machines; no file below shows a phone number."""
    put(copies / name_of("2026-10-30"), FIRST, 7)
    result = CliRunner().invoke(main, ["bucket"])
    assert (result.exit_code, result.exception) == (0, None), result.output
    assert "all of it: 1 object, 7 bytes, 0 skipped" in result.output
    printed = json.loads(CliRunner().invoke(main, ["bucket", "--full", "--json"]).stdout)
    assert (printed["listing"]["objects"], printed["failures"], printed["periods"]) == (1, [], [])
    (copies / name_of("2026-10-30")).unlink()
    let_go()
    assert leaks(tmp_path, PHONE) == []


def test_what_the_command_tells(project: Project, copies: Path) -> None:
    """Where the counter was polled: how each period compares, without any contract; and an empty
    bucket is told, and accuses nobody."""
    read(project, (local(1, 12), "0"), (local(31, 12), "2"))
    for n in (1, 2):
        put(copies / name_of("2026-10-20", str(n)), local(21, 2))
    [own] = look(project, local(2, month=11)).periods
    assert (own.copy_status, own.counted_quantity, own.measured_quantity) == ("agrees", 2, 2)
    assert own.explanation.startswith("Your bucket holds 2 audios copied in October 2026")
    for file in copies.iterdir():
        file.unlink()
    report = look(project, local(3, month=11), full=True)
    assert "nobody is held against an empty bucket" in report.warnings[0]
    assert [own.copy_status for own in report.periods] == ["objects_gone"]


def test_status_tells_of_a_copy_that_stands_still(project: Project, copies: Path) -> None:
    """No audio came since Thursday the 12th, though people worked on the 12th and the 13th; and a
    look that was not taken for days is told."""
    read(project, (local(1, 12, month=11), "0"), (local(16, 9, month=11), "8"))
    nights = [
        copy for day in (2, 3, 4, 5, 6, 9, 10, 11) for copy in copies_of(date(2026, 11, day), 1)
    ]
    see(project, local(16, 10, month=11), nights)
    with opened() as pipeline:
        refresh(pipeline, None, local(16, 10, month=11))
        fill_copies(pipeline, Policy())

    def told(at: datetime) -> str:
        return " ".join(status(clock=lambda: at).warnings)

    says = told(local(16, 11, month=11))
    assert "acme: no audio was copied since 12 Nov, by the bucket" in says
    assert "was last looked at" not in says
    assert "the bucket was last looked at 73 h ago" in told(local(19, 11, month=11))


@pytest.mark.parametrize(
    ("days", "looked_on", "stands"),
    [
        ([3, 4, 5, 6, 7, 10, 11, 12], 16, True),  # nothing on Friday and Saturday
        ([3, 4, 5, 6, 7, 10, 11, 12, 13], 16, False),  # on Saturday alone
        ([3, 4, 5, 6, 7, 10, 11, 12, 13, 14], 17, False),  # a weekend
        ([3], 6, False),  # it has hardly begun: nobody knows what is usual
    ],
)
def test_when_a_copy_stands_still(days: list[int], looked_on: int, stands: bool) -> None:
    """By days that follow on working ones; the day of the look is not over."""
    copied = [date(2026, 11, day) for day in days]
    assert stands_still(copied, date(2026, 11, looked_on)) == stands
