"""S3 Inventory: all objects in files that the store itself writes each day or week, in the place of
a listing, which takes a call for each thousand.

    manifest.json ─▶ files, CSV or Parquet, one after the other ─▶ objects

The files hold names, so they are read in memory and are on no disk of ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus, urlsplit

from wolkvox_billing.bucket.settings import BucketSettings
from wolkvox_billing.bucket.store import (
    OBJECTS_AT_ONCE,
    ListedObject,
    Store,
    Unlistable,
    open_store,
    without_names,
)
from wolkvox_billing.values.arrow import Arrow, pyarrow
from wolkvox_billing.values.translation import N_, Sentence

MANIFEST = "manifest.json"
CSV, PARQUET = "CSV", "Parquet"
_COLUMNS = {  # ours, as a Parquet file has it and as a manifest names it
    "key": "Key",
    "size": "Size",
    "last_modified_date": "LastModifiedDate",
    "is_latest": "IsLatest",
    "is_delete_marker": "IsDeleteMarker",
}
_NEEDED = ("key", "size", "last_modified_date")


class Inventory(NamedTuple):
    """What a manifest says: as of when, in which form, the columns of a CSV, and each file with its
    MD5."""

    made_at: datetime
    form: str
    columns: Sequence[str]
    files: Sequence[tuple[str, str]]
    store: Store


def open_inventory(settings: BucketSettings) -> Inventory:
    """Return the inventory that the settings name, or the newest in the folder that they name.
    Raises SettingsError, and Unlistable where it cannot be read, or is of another bucket or form
    than we read."""
    assert settings.inventory
    place = urlsplit(settings.inventory)
    # A manifest names its files from the root of its bucket.
    store = open_store(settings, f"{place.scheme}://{place.netloc}")
    name = unquote(place.path).strip("/")
    if not name.endswith(MANIFEST):
        name = _newest(store, name)
    manifest = _read_manifest(store, name)
    own = urlsplit(settings.url)
    if own.scheme == "s3" and manifest.get("sourceBucket") != own.netloc:
        raise Unlistable(Sentence(_OTHER_BUCKET))
    form = str(manifest.get("fileFormat"))
    if form not in (CSV, PARQUET):
        raise Unlistable(Sentence(_OTHER_FORM, form=form[:20], known=f"{CSV}, {PARQUET}"))
    schema = [column.strip() for column in str(manifest.get("fileSchema")).split(",")]
    if form == CSV:
        _check_columns([ours for ours, theirs in _COLUMNS.items() if theirs in schema])
    try:
        made_at = datetime.fromtimestamp(int(manifest["creationTimestamp"]) / 1000, timezone.utc)
        files = [(str(file["key"]), str(file.get("MD5checksum", ""))) for file in manifest["files"]]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Unlistable(Sentence(_NO_MANIFEST)) from None
    return Inventory(made_at, form, schema, files, store)


_OTHER_BUCKET = N_(
    "the inventory is of another bucket than `url` under [bucket]: name that of this one"
)
_OTHER_FORM = N_(
    "the inventory has files of the form {form}: expected one of {known}; choose one of them in "
    "the inventory's configuration at the store"
)
_NO_MANIFEST = N_(
    "the inventory's manifest.json is not one of S3 Inventory: expected creationTimestamp, "
    "fileFormat, fileSchema and files; name another one in `inventory` under [bucket]"
)


def _newest(store: Store, folder: str) -> str:
    """Return the manifest of the newest inventory below a folder: each has a folder that is named
    by its time, such as 2026-11-01T01-00Z."""
    manifests = [
        f"{below}/{MANIFEST}"
        for below in sorted(store.list_level(folder).folders, reverse=True)
        if below.rpartition("/")[2][:4].isdigit()
    ]
    for manifest in manifests:
        own = store.list_level(manifest.rpartition("/")[0])
        if any(listed.name == manifest for listed in own.objects):
            return manifest
    raise Unlistable(Sentence(_NO_INVENTORY))


_NO_INVENTORY = N_(
    "no inventory lies where `inventory` under [bucket] says: the first one comes within 48 hours "
    "of its configuration; name its manifest.json, or the folder of all of them"
)


def _read_manifest(store: Store, name: str) -> Mapping[str, Any]:
    try:
        manifest = json.loads(store.read(name))
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise Unlistable(Sentence(_NO_MANIFEST))
    return manifest


def _check_columns(columns: Sequence[str]) -> None:
    missing = [_COLUMNS[name] for name in _NEEDED if name not in columns]
    if missing:
        raise Unlistable(Sentence(_NO_FIELDS, missing=missing))


_NO_FIELDS = N_(
    "the inventory has not the fields {missing}: add them in its configuration at the store"
)


def list_inventory(inventory: Inventory, url: str) -> Iterator[list[ListedObject]]:
    """Yield the objects below an address by their names below it. Raises Unlistable."""
    prefix = unquote(urlsplit(url).path).strip("/") if not url.startswith("file:") else ""
    for name, md5 in inventory.files:
        batches = _batches(inventory, _read_file(inventory, name, md5))
        read_next = partial(_next_objects, batches, inventory.form, prefix)
        # pyarrow shows the row that it cannot read.
        while (objects := without_names(read_next, _say_unreadable)) is not None:
            yield objects
            objects = []  # or the next complaint's frame would hold names


_UNREADABLE = N_(
    "a file of the inventory cannot be read ({complaint}): wait for the next one, or list the "
    "bucket"
)


def _say_unreadable(error: Exception) -> Sentence:
    return Sentence(_UNREADABLE, complaint=type(error).__name__)


def _read_file(inventory: Inventory, name: str, md5: str) -> bytes:
    """Return what is in a file. Raises Unlistable where that is not what the manifest says."""
    content = inventory.store.read(name)
    if md5 and hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        content = b""  # it holds names, and whoever shows an exception may show this
        raise Unlistable(Sentence(_CHANGED))
    return content


_CHANGED = N_("a file of the inventory is not as its manifest has it: wait for the next one")


def _batches(inventory: Inventory, content: bytes) -> Iterator[Arrow]:
    """Yield the rows of a file, with the columns of ours that it has."""
    pa = pyarrow()
    if inventory.form == PARQUET:
        from pyarrow import parquet

        file = parquet.ParquetFile(pa.BufferReader(content))
        columns = [name for name in _COLUMNS if name in file.schema_arrow.names]
        _check_columns(columns)
        yield from file.iter_batches(OBJECTS_AT_ONCE, columns=columns)
        return
    from pyarrow import csv

    by_name = {theirs: ours for ours, theirs in _COLUMNS.items()}
    names = [by_name.get(column, column) for column in inventory.columns]
    columns = [name for name in _COLUMNS if name in names]
    source = pa.BufferReader(content)
    if content[:2] == b"\x1f\x8b":
        source = pa.CompressedInputStream(source, "gzip")
    texts = dict.fromkeys(columns, pa.string())
    yield from csv.open_csv(
        source,
        csv.ReadOptions(column_names=names, block_size=4 * 1024 * 1024),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(column_types=texts, include_columns=columns, strings_can_be_null=False),
    )


def _next_objects(batches: Iterator[Arrow], form: str, prefix: str) -> list[ListedObject] | None:
    """Return the objects in the next rows, each in its newest version; None behind the last."""
    if (batch := next(batches, None)) is None:
        return None
    columns, unsaid = batch.to_pydict(), [None] * batch.num_rows
    is_latest = columns.get("is_latest", unsaid)
    is_marker = columns.get("is_delete_marker", unsaid)
    objects = []
    for key, size, at, latest, marker in zip(
        columns["key"], columns["size"], columns["last_modified_date"], is_latest, is_marker,
        strict=True,
    ):  # fmt: skip
        name = unquote_plus(key) if form == CSV else key
        is_gone = str(latest).lower() == "false" or str(marker).lower() == "true"
        if is_gone or (prefix and not name.startswith(f"{prefix}/")):
            continue
        own = name[len(prefix) + 1 :] if prefix else name
        objects.append(ListedObject(own, _moment(at), int(size or 0)))
    return objects


def _moment(value: object) -> datetime:
    """Return a moment as a file has it: 2026-11-01T07:00:00.000Z, or one without a zone in UTC."""
    at = value
    if not isinstance(at, datetime):
        at = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)
