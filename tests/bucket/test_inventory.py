"""S3 Inventory on a real S3: manifests with CSV and Parquet files, and what we do not take."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow
import pytest
from pyarrow import parquet

from builders.buckets import (
    KEY_ID,
    KEY_SECRET,
    NAME,
    PHONE,
    Gate,
    name_of,
    put,
)
from builders.project import Project
from wolkvox_billing import SettingsError
from wolkvox_billing.verbs.bucket import BucketReport, bucket

MADE = datetime(2026, 11, 2, 6, tzinfo=timezone.utc)
AT = datetime(2026, 11, 1, 7, tzinfo=timezone.utc)
pytestmark = pytest.mark.usefixtures("kept_open")
NOW = datetime(2026, 11, 3, 12, tzinfo=timezone.utc)
KEYS = [f"acme/{name_of('2026-10-31', '1')}", f"acme/ñ %/{name_of('2026-10-31', '2', 'txt')}",
        f"other/{name_of('2026-10-31', '3')}"]  # fmt: skip
SCHEMA = "Bucket, Key, Size, LastModifiedDate, IsLatest, IsDeleteMarker"


@pytest.fixture(autouse=True)
def settings(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "URL": f"s3://{NAME}",
        "REGION": "us-east-1",
        "ENDPOINT": gate.url,
        "CREDENTIALS__AWS_ACCESS_KEY_ID": KEY_ID,
        "CREDENTIALS__AWS_SECRET_ACCESS_KEY": KEY_SECRET,
        "OPERATIONS": '{"acme": "acme"}',
    }.items():
        monkeypatch.setenv(f"BUCKET__{name}", value)


def as_csv(*rows: tuple[str, ...]) -> bytes:
    """Return a file as S3 writes it: without headings, keys as in an address."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return gzip.compress(text.getvalue().encode())


def row_of(
    key: str, size: str = "7", latest: str = "true", deleted: str = "false"
) -> tuple[str, ...]:
    return (NAME, quote(key, safe="/"), size, "2026-11-01T07:00:00.000Z", latest, deleted)


def write(
    root: Path, form: str, *files: bytes, folder: str = "2026-11-02T01-00Z", **other: Any
) -> str:
    """Write an inventory; return the address of its manifest."""
    entries = []
    for n, content in enumerate(files):
        key = f"inv/{NAME}/all/data/{form}-{folder}-{n}"
        put(root / "lists" / key, AT).write_bytes(content)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        entries.append({"key": key, "size": len(content), "MD5checksum": md5})
    manifest = {
        "sourceBucket": NAME,
        "destinationBucket": "arn:aws:s3:::lists",
        "creationTimestamp": str(int(MADE.timestamp() * 1000)),
        "fileFormat": form,
        "fileSchema": SCHEMA,
        "files": entries,
        **other,
    }
    name = f"inv/{NAME}/all/{folder}/manifest.json"
    put(root / "lists" / name, AT).write_text(json.dumps(manifest))
    return f"s3://lists/{name}"


def look(project: Project, monkeypatch: pytest.MonkeyPatch, inventory: str) -> BucketReport:
    monkeypatch.setenv("BUCKET__INVENTORY", inventory)
    return bucket(clock=lambda: NOW)


def found(project: Project) -> list[tuple[Any, ...]]:
    return project.query(
        "SELECT call_date, upload_date, bytes, kind FROM bucket_objects ORDER BY kind"
    )


def test_csv_files(
    project: Project, root: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two packed files: what is another version, or deleted, is not there; nothing is listed, and
    the look speaks as of the inventory."""
    old = row_of(f"acme/{name_of('2026-10-30', '8')}", latest="false")
    deleted = row_of(f"acme/{name_of('2026-10-30', '9')}", "", deleted="true")
    files = as_csv(row_of(KEYS[0]), old, deleted), as_csv(row_of(KEYS[1]), row_of(KEYS[2]))
    report = look(project, monkeypatch, write(root, "CSV", *files))
    assert report.failures == []
    listing = report.listing
    assert (listing.how, listing.is_full, listing.seen_at) == ("inventory", True, MADE)
    assert (listing.objects, listing.bytes, listing.skipped) == (2, 14, 1)
    day = date(2026, 10, 31)
    assert found(project) == [
        (day, date(2026, 11, 1), 7, "audio"),
        (day, date(2026, 11, 1), 7, "chat"),
    ]
    assert (gate.verbs, len(gate.paths)) == ({"GET": 3}, 3)


def test_parquet_files(project: Project, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same by Parquet, whose keys are as they are; below the folder of `url`, and the newest of
    all inventories in a folder."""
    out = io.BytesIO()
    table = pyarrow.table(
        {
            "bucket": [NAME] * 3,
            "key": KEYS,
            "size": [7, 8, 9],
            "last_modified_date": pyarrow.array([AT] * 3, pyarrow.timestamp("ms", "UTC")),
        }
    )
    parquet.write_table(table, out)
    write(root, "Parquet", b"older", folder="2026-11-01T01-00Z")
    write(root, "Parquet", out.getvalue(), folder="2026-11-05T01-00Z")
    monkeypatch.setenv("BUCKET__URL", f"s3://{NAME}/acme")
    monkeypatch.setenv("BUCKET__OPERATIONS", '{"*": "acme"}')
    report = look(project, monkeypatch, f"s3://lists/inv/{NAME}/all")
    assert report.failures == []
    assert (report.listing.objects, report.listing.bytes) == (2, 15)
    assert [row[2:] for row in found(project)] == [(7, "audio"), (8, "chat")]


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"fileFormat": "ORC"}, "expected one of CSV, Parquet; choose one of them"),
        ({"fileSchema": "Bucket, Key"}, "has not the fields Size, LastModifiedDate"),
        ({"sourceBucket": "else"}, "another bucket"),
        ({"creationTimestamp": "soon"}, "not one of S3 Inventory"),
        ({"files": [{"key": f"inv/{NAME}/all/data/none-{PHONE}"}]}, "nothing at this address"),
        ({"fileSchema": "Key, Size, LastModifiedDate"}, "cannot be read"),
    ],
)
def test_what_is_not_taken(
    project: Project, root: Path, monkeypatch: pytest.MonkeyPatch,
    other: dict[str, Any], says: str,
) -> None:  # fmt: skip
    """Each is told with what to do, stored as a look that broke off, and no name is shown."""
    report = look(project, monkeypatch, write(root, "CSV", as_csv(row_of(KEYS[0])), **other))
    [failure] = report.failures
    assert says in failure and PHONE not in failure
    assert project.query("SELECT how, is_complete FROM bucket_listings") == [("inventory", False)]
    assert project.query("SELECT * FROM bucket_objects") == []


def test_a_file_that_was_changed(
    project: Project, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest has an MD5 of each file: half a file is not taken for less."""
    manifest = write(root, "CSV", as_csv(row_of(KEYS[0])), folder="2026-11-03T01-00Z")
    file = root / "lists" / f"inv/{NAME}/all/data/CSV-2026-11-03T01-00Z-0"
    file.write_bytes(file.read_bytes()[:-9])
    assert "not as its manifest has it" in look(project, monkeypatch, manifest).failures[0]


def test_only_s3_has_an_inventory(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of another store it cannot be meant."""
    monkeypatch.setenv("BUCKET__URL", f"file://{tmp_path}")
    with pytest.raises(SettingsError, match="one on S3"):
        look(project, monkeypatch, "s3://lists/manifest.json")
