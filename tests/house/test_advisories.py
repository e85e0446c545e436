"""`make advisories`: a lock that is affected is named, and ours are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from advisories import _LOCKED, LOCKS, main, read

LOCK = """requests=={} \\
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
Marimo==0.25.2 ; python_version >= "3.10" \\
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000
"""


@pytest.mark.parametrize(("version", "code"), [("2.32.3", 1), ("2.34.2", 0)])
def test_an_affected_lock_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str, code: int
) -> None:
    """With the package, version, advisory, what it is, and what to do; another lock ends in 0."""
    lock = tmp_path / "a.lock"
    lock.write_text(LOCK.format(version))
    assert main([lock]) == code
    output = capsys.readouterr().out
    sentence = (
        "a.lock: requests 2.32.3 has CVE-2024-47081 (sends the password of .netrc to another "
        "host; GHSA-9hjg-9r4m-mvj7): lock a version that is not <2.32.4\n"
    )
    assert (sentence in output) == bool(code) and "2026-11-25" in output and "marimo" not in output


def test_what_is_old_on_purpose_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lock of the oldest versions is no failure."""
    lock = tmp_path / "oldest-a.lock"
    lock.write_text(LOCK.format("2.32.3"))
    assert main([lock]) == 0
    assert "(old on purpose)" in capsys.readouterr().out


def test_our_locks_are_not_affected() -> None:
    """What is locked has no weakness that the list knows; and the list is of what is locked."""
    assert main() == 0
    names = {canonicalize_name(n) for lock in LOCKS for n, _ in _LOCKED.findall(lock.read_text())}
    assert {advisory.package for advisory in read()[1]} <= names
