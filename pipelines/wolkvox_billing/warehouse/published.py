"""Whether a DuckDB file is a copy that `publish` made, told before anybody is asked.

DuckDB takes longer to open a file than a poll takes, so what was looked at, and is none, is noted
in the working folder by its size and time: a poll looks again where something else than `load` has
written the file.
"""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.warehouse.working_folder import WorkingFolder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def refuse_copy(
    file: Path, dataset: str, folder: WorkingFolder, db: DuckDBPyConnection | None = None
) -> None:
    """Raise SettingsError where a DuckDB file is a copy that `publish` made.

    db: a connection to it, where it is open already."""
    if not file.is_file() or _noted(folder) == _identity(file):
        return
    marts = f"{dataset}_marts"
    is_copy = _is_copy(db, marts) if db else is_published(file, marts)
    if is_copy:
        raise SettingsError(
            f"{file} is a copy that `publish` made, and is only read: to go on from it move it "
            "elsewhere, and `wolkvox-billing restore` it"
        )
    if is_copy is not None:
        note_own(file, folder)


def note_own(file: Path, folder: WorkingFolder) -> None:
    """Note that a file, as it is now, is no copy. Where that cannot be, it is looked at again."""
    with suppress(OSError):
        folder.looked_at.write_text(_identity(file))


def is_published(file: Path, marts: str) -> bool | None:
    """Whether a DuckDB file is a copy that `publish` made, where the marts are tables; None where
    nobody can look into it now."""
    import duckdb  # of no use to a poll of a file that was looked at

    try:
        with closing(duckdb.connect(str(file), read_only=True)) as db:
            return _is_copy(db, marts)
    except duckdb.Error:
        return None


def _is_copy(db: DuckDBPyConnection, marts: str) -> bool:
    """Whether the marts of an open file are tables. It is asked of one of them, of which only a
    table has a storage: to list all tables takes half as long as to open the file."""
    import duckdb

    try:
        db.execute(f"SELECT 1 FROM pragma_storage_info('{marts}.usage_daily') LIMIT 1")
    except duckdb.CatalogException:  # it is a view, or is not there
        return False
    return True


def _noted(folder: WorkingFolder) -> str:
    try:
        return folder.looked_at.read_text()
    except OSError:
        return ""


def _identity(file: Path) -> str:
    status = file.stat()
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
