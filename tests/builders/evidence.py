"""Evidence written by `reconcile`, and what is in such a file."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wolkvox_billing.evidence import order_evidence
from wolkvox_billing.evidence.archive import write_archive
from wolkvox_billing.evidence.manifest import Manifest, Member
from wolkvox_billing.verbs.reconcile import reconcile


def write_evidence(
    folder: str | os.PathLike[str],
    month: str,
    files: Sequence[str | os.PathLike[str]] = (),
    **settings: Any,
) -> Path:
    """Reconcile a month, and return its evidence file."""
    order = order_evidence(folder, month, files)
    evidence = reconcile(month, evidence=order, **settings).evidence
    assert evidence
    return evidence


def members_of(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(file: Path, change: Mapping[str, bytes | None]) -> Path:
    """A copy with members changed or added, as evidence is written; None leaves one out."""
    members = {k: v for k, v in {**members_of(file), **change}.items() if v is not None}
    return write_archive(file.with_name("copy.zip"), members)


def forge(file: Path, change: Mapping[str, bytes | None]) -> Path:
    """A copy with members changed, added or left out, and a manifest that agrees with them."""
    members = {k: v for k, v in {**members_of(file), **change}.items() if v is not None}
    said = json.loads(members.pop("manifest.json"))
    sums = {
        name: Member(hashlib.sha256(data).hexdigest(), len(data)) for name, data in members.items()
    }
    manifest = Manifest(said["month"], said["created_as_of"], sums).as_bytes()
    return write_archive(file.with_name("forged.zip"), {"manifest.json": manifest, **members})


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
