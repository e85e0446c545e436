"""A table of an evidence file: its rows in one order, as CSV and as Parquet, whatever engine they
come from."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from wolkvox_billing.reconciliation.contract.csv_file import RUNS_AS_FORMULA
from wolkvox_billing.warehouse.sql import literal

Row = Mapping[str, Any]  # of any of the tables in a file


class Table(NamedTuple):
    """A member's rows, in a fixed order, and each column's SQL type."""

    kinds: dict[str, str]
    rows: list[Row]


def in_order(kinds: dict[str, str], rows: Iterable[Row], key: Sequence[str]) -> Table:
    """The Table of these rows, sorted here, since engines sort texts in different ways. A column
    that a row does not have is NULL."""

    def place(row: Row) -> list[tuple[bool, Any]]:
        # Beside the key, the whole row: a mart's key may come twice.
        whole = (_as_text(value, kinds[one]) for one, value in row.items())
        parts = [*(row[one] for one in key), *whole]
        return [(one is None, "" if one is None else one) for one in parts]

    return Table(kinds, sorted(({one: row.get(one) for one in kinds} for row in rows), key=place))


def as_members(tables: Mapping[str, Table]) -> dict[str, bytes]:
    """Each table as two files: NAME.csv and NAME.parquet."""
    return {f"{name}.csv": _csv(table) for name, table in tables.items()} | _parquet(tables)


def _as_text(value: Any, kind: str) -> str | None:
    """A value as CSV and JSON have it, the same from every engine."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        at = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return at.astimezone(timezone.utc).isoformat()
    scale = re.fullmatch(r"DECIMAL\(\d+, (\d+)\)", kind)
    return f"{value:.{scale[1]}f}" if scale else str(value)


def _csv(table: Table) -> bytes:
    """For spreadsheets: a BOM, since Excel knows UTF-8 by it, and no text that runs as a formula.
    The Parquet beside it has the texts unchanged."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(table.kinds)
    for row in table.rows:
        cells = []
        for name, kind in table.kinds.items():
            text = _as_text(row[name], kind)
            if kind == "VARCHAR" and text and text.startswith(RUNS_AS_FORMULA):
                text = f"'{text}"
            cells.append(text)
        writer.writerow(cells)
    return written.getvalue().encode("utf-8-sig")


def _parquet(tables: Mapping[str, Table]) -> dict[str, bytes]:
    """The tables as DuckDB writes them; by one thread, or the order of rows were not sure."""
    members: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder, closing(duckdb.connect()) as db:
        db.execute("SET threads = 1; SET preserve_insertion_order = true; SET TimeZone = 'UTC'")
        for name, (kinds, rows) in tables.items():
            source, target = Path(folder, f"{name}.json"), Path(folder, f"{name}.parquet")
            with source.open("w", encoding="utf-8") as lines:
                for row in rows:
                    texts = {one: _as_text(value, kinds[one]) for one, value in row.items()}
                    lines.write(f"{json.dumps(texts)}\n")
            cast = ", ".join(f'CAST("{one}" AS {kind}) AS "{one}"' for one, kind in kinds.items())
            texts_of = ", ".join(f"\"{one}\": 'VARCHAR'" for one in kinds)
            db.execute(
                f"COPY (SELECT {cast} FROM read_json({literal(source)}, "
                f"format = 'newline_delimited', columns = {{{texts_of}}})) "
                f"TO {literal(target)} (FORMAT parquet, COMPRESSION zstd)"
            )
            members[f"{name}.parquet"] = target.read_bytes()
    return members
