"""Which locked packages have a weakness that the kept list of advisories knows: `make advisories`.

advisories.csv says as of when it is. pip-audit would know more; it asks a service on the internet
each time, so that what it says of one commit is another thing tomorrow, and nothing without it.
A lock named oldest-... holds on purpose what is old: what is in it is told, and no failure.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LIST = ROOT / "tests" / "advisories.csv"
LOCKS = (ROOT / "requirements.lock", *sorted((ROOT / "tests").glob("*.lock")))
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.M)


class Advisory(NamedTuple):
    """A weakness: of which versions, its id, what it is, and who says so."""

    package: str
    affected: SpecifierSet
    id: str
    what: str
    source: str


def read(file: Path = LIST) -> tuple[str, list[Advisory]]:
    """The day as of which the list is, and its rows."""
    first, *lines = file.read_text().splitlines()
    dated = re.search(r"As of (\d{4}-\d\d-\d\d)", first)
    assert dated, f"{file}: the first line says as of when the list is"
    return dated[1], [
        Advisory(canonicalize_name(package), SpecifierSet(affected), *more)
        for package, affected, *more in csv.reader(lines[1:])
    ]


def affected(lock: Path, advisories: Iterable[Advisory]) -> Iterator[str]:
    """A sentence for each locked version with a known weakness."""
    locked = [(canonicalize_name(n), Version(v)) for n, v in _LOCKED.findall(lock.read_text())]
    assert locked, f"{lock} locks nothing"
    for name, version in locked:
        for advisory in advisories:
            if advisory.package == name and advisory.affected.contains(version, prereleases=True):
                yield (
                    f"{lock.name}: {name} {version} has {advisory.id} "
                    f"({advisory.what}; {advisory.source}): "
                    f"lock a version that is not {advisory.affected}"
                )


def main(locks: Iterable[Path] = LOCKS, file: Path = LIST) -> int:
    day, advisories = read(file)
    failed = False
    for lock in locks:
        is_old = lock.name.startswith("oldest-")
        sentences = list(affected(lock, advisories))
        for sentence in sentences:
            print(f"{sentence} (old on purpose)" if is_old else sentence)
        failed |= bool(sentences) and not is_old
    print(
        f"{len(advisories)} advisories as of {day}: {'affected' if failed else 'none affects us'}"
    )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
