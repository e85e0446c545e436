"""A DuckDB file that a kill or a power cut has torn, and that is whole again with one number set.

    file:  two headers ─▶ blocks of metadata, some parts of each in use, the others free ─▶ rows
    log:   what was committed since the file was written; it goes when all of that is in the file

DuckDB writes new metadata into the free parts of a block, and that block over itself, while the
header still needs its other parts: 256 KiB under one checksum. A write that ends half way leaves
the parts that are needed as they were, since they are the same before and after, under a checksum
that is of neither: DuckDB (1.1 to 2.0) then opens nothing. With the checksum of what is there, the
file is the one of before that write, and its log brings what was committed since.

Only that is mended: a block of metadata with free parts, beside a log, where all rows can be read
afterwards and be written out. Anything else may be other damage, which a checksum must not hide.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple

import duckdb

from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.warehouse.complaints import is_damage, plain

logger = logging.getLogger("wolkvox_billing")

_LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
_FIRST_BLOCK = 3 * 4096  # behind the headers
_CHECKSUM = re.compile(
    r"computed checksum (\d+) does not match stored checksum (\d+) in block at location (\d+)"
)
_NOT_AS_TORN = (
    "{file} is damaged, and not only as a kill leaves it ({why}). Move it elsewhere, with "
    "{file}.wal if that is there, and put back what there is of it: a backup of the file, or "
    "`wolkvox-billing restore` of the newest copy that `publish` made. Answers that wait in the "
    "working folder are not lost: the next `load` takes them"
)


class Content(NamedTuple):
    """What a table holds: its rows, and a hash of them in any order."""

    rows: int
    digest: int


class TableName(NamedTuple):
    """A table of a file."""

    schema: str
    name: str


Contents = dict[TableName, Content]


class Patch(NamedTuple):
    """A checksum that is not its block's: where it stands, what it is, what it must be."""

    location: int
    stored: int
    computed: int


class Mended(NamedTuple):
    """A copy of a torn file that is whole: what it holds, and which checksums were set."""

    copy: Path
    contents: Contents
    patches: list[Patch]


def is_damaged(file: Path) -> bool:
    """Whether a DuckDB file is damaged: it, or a table in it, cannot be read. What else keeps
    somebody from reading it, such as a lock, is no damage."""
    try:
        _read(file)
    except duckdb.Error as error:
        return is_damage(error)
    return False


def mend(file: Path) -> Contents:
    """Mend a torn file in its place, by its checksums alone, once a copy was whole with them;
    return what it holds. Raises WarehouseError for other damage, and leaves the file as it is."""
    with mended_copy(file) as mended:
        try:
            with file.open("r+b", buffering=0) as target:
                _set_checksums(target, mended.patches)
                os.fsync(target.fileno())
            logger.warning("%s was torn, and is whole: %s", file, mended.patches)
        except OSError as error:
            raise WarehouseError(f"{file} cannot be mended: {plain(error)}") from None
        return mended.contents


@contextmanager
def mended_copy(file: Path) -> Iterator[Mended]:
    """Give a copy of a torn file that is whole, for the block; the file stays as it is. Raises
    WarehouseError for other damage, and where there is no room for a copy beside it."""
    with ExitStack() as held:
        try:
            beside = TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent)
            mended = _mended_in(Path(held.enter_context(beside)), file)
        except OSError as error:
            raise WarehouseError(f"{file} cannot be mended: {plain(error)}") from None
        except duckdb.Error as error:
            why = " ".join(str(error).split())[:300]
            raise WarehouseError(_NOT_AS_TORN.format(file=file, why=why)) from None
        yield mended


def _mended_in(folder: Path, file: Path) -> Mended:
    copy = Path(shutil.copy(file, folder))
    logs = [log for end in _LOGS if (log := Path(f"{file}{end}")).is_file()]
    for log in logs:
        shutil.copy(log, folder)
    patches = _mend(copy, has_log=bool(logs))
    return Mended(copy, _written_out(copy), patches)


def _set_checksums(target: BinaryIO, patches: Iterable[Patch]) -> None:
    """Set checksums that are as they were found. Raises WarehouseError for another one."""
    for patch in patches:
        target.seek(patch.location)
        if target.read(8) != patch.stored.to_bytes(8, "little"):
            raise WarehouseError("somebody else writes the DuckDB file: end that, and try again")
        target.seek(patch.location)
        target.write(patch.computed.to_bytes(8, "little"))


def _mend(copy: Path, *, has_log: bool) -> list[Patch]:
    """Set the checksums that a tear has left wrong, until all can be read; return them. Raises
    DuckDB's complaint where it is of other damage."""
    patches: list[Patch] = []
    while complaint := _complaint(copy):
        patch = _patch_of(complaint)
        is_known = patch and patch.location in [known.location for known in patches]
        if not has_log or not patch or is_known:
            raise complaint
        with copy.open("r+b", buffering=0) as target:
            _set_checksums(target, [patch])
        patches.append(patch)
        last = complaint
    with closing(duckdb.connect(str(copy), read_only=True)) as db:
        [(size,)] = db.execute("SELECT block_size FROM pragma_database_size()").fetchall()
        query = "SELECT block_id FROM pragma_metadata_info() WHERE free_blocks > 0"
        may_be_torn = {_FIRST_BLOCK + block * size for (block,) in db.execute(query).fetchall()}
    if not {patch.location for patch in patches} <= may_be_torn:
        raise last
    return patches


def _complaint(file: Path) -> duckdb.Error | None:
    try:
        _read(file)
    except duckdb.Error as error:
        return error
    return None


def _patch_of(complaint: duckdb.Error) -> Patch | None:
    numbers = _CHECKSUM.search(str(complaint))
    if not numbers:
        return None
    computed, stored, location = map(int, numbers.groups())
    return Patch(location, stored, computed)


def _written_out(copy: Path) -> Contents:
    """Let DuckDB put the log into the file, as the next load will; return what is in it. Raises
    WarehouseError where that is another content than before."""
    contents = _read(copy)
    with closing(duckdb.connect(str(copy))) as db:
        db.execute("CHECKPOINT")
    if _read(copy) != contents:
        raise WarehouseError(
            f"{copy.name} has other rows once it is written out: report it, please"
        )
    return contents


def _read(file: Path) -> Contents:
    """Return what each table of a file holds, of which every value is read."""
    contents: Contents = {}
    with closing(duckdb.connect(str(file), read_only=True)) as db:
        tables = (
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL"
        )
        for schema, name in db.execute(tables).fetchall():
            [(rows, digest)] = db.execute(
                'SELECT count(*), coalesce(bit_xor(hash("a row")), 0) '
                f'FROM "{schema}"."{name}" AS "a row"'
            ).fetchall()
            contents[TableName(schema, name)] = Content(rows, digest)
    return contents
