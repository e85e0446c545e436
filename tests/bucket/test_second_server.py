"""Another S3 than rclone's, SeaweedFS: it knows who may do what, keeps its own times, and answers a
thousand names a page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import obstore
import pytest
from obstore.store import S3Store

from builders.buckets import LISTS, NAME, PHONE, READS, WRITES, name_of, seaweedfs
from builders.project import Project
from wolkvox_billing.verbs.bucket import BucketReport, bucket

pytestmark = pytest.mark.usefixtures("kept_open")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as address:
        _until_written(store(address, WRITES))
        yield address


def store(address: str, credentials: Mapping[str, str]) -> S3Store:
    return S3Store(
        NAME,
        endpoint=address,
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
        **credentials,
    )


def _until_written(vendors: S3Store) -> None:
    """Wait until the server has a place for what is written: it serves before."""
    end = time.monotonic() + 30
    while True:
        try:
            obstore.put(vendors, "first/x", b"")
            return
        except obstore.exceptions.BaseError:
            assert time.monotonic() < end
            time.sleep(0.1)


@pytest.fixture
def look(
    project: Project, address: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., BucketReport]:
    monkeypatch.setenv("BUCKET__ENDPOINT", address)
    monkeypatch.setenv("BUCKET__REGION", "us-east-1")

    def look(folder: str, credentials: Mapping[str, str] = LISTS, **more: object) -> BucketReport:
        monkeypatch.setenv("BUCKET__URL", f"s3://{NAME}/{folder}")
        for name, value in credentials.items():
            monkeypatch.setenv(f"BUCKET__CREDENTIALS__AWS_{name.upper()}", value)
        return bucket(**more)  # type: ignore[arg-type]

    return look


def test_the_right_to_list_is_enough(address: str, look: Callable[..., BucketReport]) -> None:
    """More than a page is listed by credentials that may write nothing."""
    vendors = store(address, WRITES)
    names = [f"many/{name_of('2026-10-31', str(n))}" for n in range(1010)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: obstore.put(vendors, name, b"x"), names))
    with pytest.raises(obstore.exceptions.PermissionDeniedError):
        obstore.put(store(address, LISTS), "many/y", b"x")
    report = look("many")
    assert (report.failures, report.listing.objects, report.listing.bytes) == ([], 1010, 1010)


@pytest.mark.parametrize(
    ("credentials", "says"),
    [
        (READS, "403 AccessDenied"),
        ({**LISTS, "access_key_id": "AKIANOBODYNOBODY"}, "403 InvalidAccessKeyId"),
        ({**LISTS, "secret_access_key": "elseelseelseelse"}, "403 SignatureDoesNotMatch"),
    ],
)
def test_who_may_not(
    look: Callable[..., BucketReport], credentials: Mapping[str, str], says: str
) -> None:
    """A real server's refusals are told by their codes, without keys and secrets."""
    [failure] = look("first", credentials).failures
    assert says in failure
    assert not any(value in failure for value in credentials.values())


def test_deleted_overwritten_and_odd(
    address: str, look: Callable[..., BucketReport], project: Project
) -> None:
    """By the server's own times: what is deleted is gone, what is overwritten is another object,
    and odd names are listed."""
    vendors = store(address, WRITES)
    for n, odd in enumerate(("", "ñ %20+/", "日本/")):
        obstore.put(vendors, f"some/{odd}{name_of('2026-10-31', str(n))}", b"x" * (n + 1))
    began = datetime.now(timezone.utc)
    look("some", clock=lambda: began)
    obstore.delete(vendors, f"some/{name_of('2026-10-31', '0')}")
    obstore.put(vendors, f"some/日本/{name_of('2026-10-31', '2')}", b"x" * 9)
    later = began + timedelta(days=1)
    assert look("some", clock=lambda: later, full=True).failures == []
    assert project.query("SELECT bytes, is_gone FROM bucket_objects ORDER BY bytes") == [
        (1, True), (2, False), (3, True), (9, False),
    ]  # fmt: skip
    [(newest,)] = project.query("SELECT MAX(uploaded_at) FROM bucket_objects")
    assert abs(newest - began) < timedelta(minutes=5)
    assert PHONE not in str(project.query("SELECT * FROM bucket_objects"))
