"""DuckDB files as a kill leaves them that meets DuckDB while it writes a file out."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb

from builders.duckdb_files import let_go

HEADERS, PAGE = 3 * 4096, 4096


def tear(file: Path, *statements: str, pages: int = 1) -> None:
    """Let these statements be committed in a DuckDB file, and the process be killed while it writes
    the file out: of each block of metadata that is written over while parts of it are in use, only
    so many pages are the new ones. The log is there, as it is until all is written."""
    let_go()
    log = Path(f"{file}.wal")
    with closing(duckdb.connect(str(file))) as db:
        [(size,)] = db.execute("SELECT block_size FROM pragma_database_size()").fetchall()
        query = "SELECT block_id FROM pragma_metadata_info() WHERE free_blocks > 0"
        blocks = [HEADERS + size * block for (block,) in db.execute(query).fetchall()]
        for statement in statements:
            db.execute(statement)
        before, waits = bytearray(file.read_bytes()), log.read_bytes()
    after = file.read_bytes()
    # Blocks at the end DuckDB cuts off, once all is written: no kill leaves a part of them.
    standing = [start for start in blocks if start < len(after)]
    written = [start for start in standing if before[start : start + size] != after[start:][:size]]
    assert written, "nothing was written over"
    for start in written:
        before[start : start + pages * PAGE] = after[start : start + pages * PAGE]
    file.write_bytes(before)
    log.write_bytes(waits)
