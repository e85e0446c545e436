"""A table of an evidence file: its rows in one order, as CSV and as Parquet, whatever engine they
come from; and read again out of the Parquet."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import duckdb

from wolkvox_billing.reconciliation.contract.csv_file import RUNS_AS_FORMULA
from wolkvox_billing.warehouse.sql import literal

Values = tuple[object, ...]  # of a row, in the order of its table's columns
Record = TypeVar("Record", bound=NamedTuple)


class Table(NamedTuple):
    """A member's rows, in a fixed order, and each column's SQL type."""

    kinds: dict[str, str]
    rows: list[Values]

    def as_records(self, kind: type[Record]) -> list[Record]:
        """Return the rows with the columns that a NamedTuple has as fields."""
        names = list(self.kinds)
        places = [names.index(name) for name in kind._fields]
        return [kind._make(row[place] for place in places) for row in self.rows]


def sort_table(kinds: dict[str, str], rows: Iterable[Values], key: Sequence[str]) -> Table:
    """Return the Table of these rows, sorted here, since engines sort texts in different ways."""
    names = list(kinds)
    places = [names.index(name) for name in key]

    def order(row: Values) -> list[tuple[bool, Any]]:  # values of a column can be compared
        # Beside the key, the whole row: a mart's key may come twice.
        texts = map(_as_text, row, kinds.values())
        parts = [*(row[place] for place in places), *texts]
        return [(part is None, "" if part is None else part) for part in parts]

    return Table(kinds, sorted(rows, key=order))


def as_members(tables: Mapping[str, Table]) -> dict[str, bytes]:
    """Return each table as two files: NAME.csv and NAME.parquet."""
    return {f"{name}.csv": _csv(table) for name, table in tables.items()} | _parquet(tables)


def _as_text(value: object, kind: str) -> str | None:
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


def shown_in_csv(text: str) -> str:
    """Return a text as a CSV member has it: none that a spreadsheet would run."""
    return f"'{text}" if text.startswith(RUNS_AS_FORMULA) else text


def _csv(table: Table) -> bytes:
    """For spreadsheets: a BOM, since Excel knows UTF-8 by it, and no text that runs as a formula.
    The Parquet beside it has the texts unchanged."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.kinds)
    for row in table.rows:
        cells = []
        for value, kind in zip(row, table.kinds.values(), strict=True):
            cell = _as_text(value, kind)
            cells.append(shown_in_csv(cell) if kind == "VARCHAR" and cell else cell)
        writer.writerow(cells)
    return text.getvalue().encode("utf-8-sig")


@contextmanager
def _in_memory() -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Give DuckDB without a file of its own, and a folder for Parquet files; by one thread, or the
    order of rows were not sure."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(duckdb.connect(config={"threads": 1})) as db,
    ):
        db.execute("SET preserve_insertion_order = true; SET TimeZone = 'UTC'")
        yield db, Path(folder)


def _parquet(tables: Mapping[str, Table]) -> dict[str, bytes]:
    """The tables as DuckDB writes them."""
    members: dict[str, bytes] = {}
    with _in_memory() as (db, folder):
        for name, (kinds, rows) in tables.items():
            source, target = folder / f"{name}.json", folder / f"{name}.parquet"
            with source.open("w", encoding="utf-8") as lines:
                for row in rows:
                    cells = map(_as_text, row, kinds.values())
                    lines.write(f"{json.dumps(dict(zip(kinds, cells, strict=True)))}\n")
            cast = ", ".join(f'CAST("{c}" AS {kind}) AS "{c}"' for c, kind in kinds.items())
            texts = ", ".join(f"\"{column}\": 'VARCHAR'" for column in kinds)
            db.execute(
                f"COPY (SELECT {cast} FROM read_json({literal(source)}, "
                f"format = 'newline_delimited', columns = {{{texts}}})) "
                f"TO {literal(target)} (FORMAT parquet, COMPRESSION zstd)"
            )
            members[f"{name}.parquet"] = target.read_bytes()
    return members


def read_tables(*tables: tuple[bytes, Mapping[str, str]]) -> Iterator[list[Values]]:
    """Yield the rows of tables' Parquet members, each given with columns and SQL types to read it
    as. Raises duckdb.Error where one has others, or is none."""
    with _in_memory() as (db, folder):
        for number, (parquet, kinds) in enumerate(tables):
            file = folder / f"{number}.parquet"
            file.write_bytes(parquet)
            cast = ", ".join(f'CAST("{column}" AS {kind})' for column, kind in kinds.items())
            yield db.execute(f"SELECT {cast} FROM read_parquet({literal(file)})").fetchall()
