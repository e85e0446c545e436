"""Where a token may be seen, and whether it is."""

from __future__ import annotations

import base64
import gzip
import io
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import duckdb

from builders.project import TOKENS

TOKEN = TOKENS["acme"]


def shows(data: bytes, secret: str, depth: int = 3) -> bool:
    """Return whether a quarter of the secret is in the data: in hex, base64 and compressed too."""
    piece = secret[: max(8, len(secret) // 4)].encode()
    encoded = [base64.b64encode(b"\0" * n + piece)[4 if n else 0 : -4] for n in range(3)]
    if any(form in data for form in (piece, piece.hex().encode(), *encoded)):
        return True
    return depth > 0 and any(shows(inner, secret, depth - 1) for inner in _unpacked(data))


def _unpacked(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\x1f\x8b"):
        yield gzip.decompress(data)
    if data.startswith(b"PK"):  # an evidence file
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from map(archive.read, archive.namelist())
    for match in re.finditer(rb"eJ[0-9A-Za-z+/]{20,}={0,2}", data):  # zlib in base64: dlt's state
        with suppress(ValueError, zlib.error):
            yield zlib.decompress(base64.b64decode(match[0]))


def leaks(tmp_path: Path, *secrets: str) -> list[str]:
    """Return the files below that show one of the secrets, TOKEN where none is named, but for the
    one that was made to hold it; and the tables that do, since a DuckDB file holds texts in forms
    of its own."""

    def is_told(data: bytes) -> bool:
        return any(shows(data, secret) for secret in secrets or (TOKEN,))

    places = []
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        if path.name == "secrets.toml":
            continue
        name = str(path.relative_to(tmp_path))
        if is_told(path.read_bytes()) or is_told(name.encode()):
            places.append(name)
        if path.suffix == ".parquet" and is_told(_rows_of_parquet(path)):
            places.append(f"{name}: rows")
        if path.suffix == ".zip" and zipfile.is_zipfile(path):  # evidence
            places += [f"{name}: {member}" for member, rows in _tables_in(path) if is_told(rows)]
        if path.suffix == ".duckdb":
            with closing(duckdb.connect(str(path), read_only=True)) as db:
                for schema, table in db.execute(
                    "SELECT schema_name, table_name FROM duckdb_tables()"
                ).fetchall():
                    rows = db.execute(f'FROM "{schema}"."{table}"').fetchall()
                    if is_told(repr(rows).encode()):
                        places.append(f"{name}: {table}")
    return places


def _rows_of_parquet(path: Path) -> bytes:
    return repr(duckdb.sql(f"FROM read_parquet('{path}')").fetchall()).encode()


def _tables_in(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the Parquet members of an evidence file, and their rows: they are packed."""
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        for member in archive.namelist():
            if member.endswith(".parquet"):
                (table := Path(folder, "table.parquet")).write_bytes(archive.read(member))
                yield member, _rows_of_parquet(table)


def read_command_lines() -> dict[int, bytes]:
    """Return what `ps` shows of each process, by its id."""
    command_lines = {}
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            command_lines[int(file.parent.name)] = file.read_bytes()
    return command_lines
