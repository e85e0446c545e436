"""One S3 for all tests of a bucket, served by rclone, and a gate before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from builders.buckets import NAME, Gate, gate_before, rclone
from wolkvox_billing.bucket import store as stores


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its buckets: of copies, and of lists."""
    folder = tmp_path_factory.mktemp("s3")
    for name in (NAME, "lists"):
        (folder / name).mkdir()
    return folder


@pytest.fixture(scope="session")
def port(root: Path) -> Iterator[int]:
    with rclone(root) as port:
        yield port


@pytest.fixture
def gate(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """What counts the calls, refuses and breaks off; who is refused does not wait long."""
    monkeypatch.setattr(stores, "FIRST_PAUSE", timedelta(milliseconds=1))
    monkeypatch.setattr(stores, "MOST_RETRIES", 2)
    with gate_before(port) as gate:
        yield gate
