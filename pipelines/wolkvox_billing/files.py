"""Rows as files that a database reads at once, in the place of SQL that it must parse.

    a list of rows ─▶ JSON ─▶ Parquet, by DuckDB's own hand ─▶ DuckDB
                   ─▶ CSV                                   ─▶ PostgreSQL's COPY
                   ─▶ as it is                              ─▶ any other destination: dlt's own way

dlt takes the files into the package of the answer as they are. Its own way costs 25 times the
memory and 6 times the time, an Arrow table needs a package of 130 MB; and JSON that DuckDB loads
by itself is not the same text any more where it looks like a time or a UUID.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import dlt
from dlt.common.configuration.exceptions import ContextDefaultCannotBeCreated
from dlt.common.json import json
from dlt.common.normalizers.utils import generate_dlt_ids
from dlt.common.schema.typing import TColumnSchema
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable
from dlt.extract.hints import HintsMeta
from dlt.extract.items_transform import ItemTransform

Row = Mapping[str, Any]

_OF_DLT: dict[str, TColumnSchema] = {
    "_dlt_load_id": {"name": "_dlt_load_id", "data_type": "text", "nullable": False},
    "_dlt_id": {
        "name": "_dlt_id",
        "data_type": "text",
        "nullable": False,
        "unique": True,
        "row_key": True,
    },
}
_DUCKDB = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "decimal": "DECIMAL(18, 4)",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
    "bool": "BOOLEAN",
}
_LONGEST = 8 * 1024 * 1024  # bytes of a row, half of what DuckDB takes for an object


class AsFiles(ItemTransform[Any, dict[str, Any]]):
    """The last step of a resource: a list of rows becomes a file of the load package."""

    placement_affinity: ClassVar[float] = 1.5  # behind what others add, and behind the cursor

    def __init__(self, columns: Mapping[str, TColumnSchema]) -> None:
        super().__init__(lambda item: item)
        self.columns = columns

    def __call__(self, item: Any, meta: Any = None) -> Iterator[Any]:
        form, load_id, folder = _form()
        hints: Any = (meta.hints if isinstance(meta, HintsMeta) else None) or {}
        added = hints.get("original_columns") or {}
        columns: dict[str, Any] = {**self.columns, **added, **_OF_DLT}
        kinds = {name: str(column["data_type"]) for name, column in columns.items()}
        ours = form and isinstance(item, list) and item
        if not ours or not all(row.keys() <= kinds.keys() for row in item):
            yield item
            return
        rows, others = (item, []) if form == "parquet" else _parted(item)
        if others:
            yield others
        if not rows:
            return
        ids = generate_dlt_ids(len(rows))
        rows = [
            {**row, "_dlt_load_id": load_id, "_dlt_id": one}
            for row, one in zip(rows, ids, strict=True)
        ]
        with tempfile.TemporaryDirectory(dir=folder) as name:
            file = Path(name, f"rows.{form}")
            if form == "csv":
                _write_csv(rows, kinds, file)
            elif not _write_parquet(rows, kinds, file):
                yield item
                return
            hints = dlt.mark.make_hints(columns={**added, **_OF_DLT})
            yield dlt.mark.with_file_import(str(file), form, len(rows), hints)


def _form() -> tuple[Any, str, Path | None]:
    """The format of the destination that rows are extracted for, "" for none of ours; the package
    and where files may be made."""
    try:
        load_id = dlt.current.load_package_state()["load_id"]
        pipeline = dlt.current.pipeline()
    except (CurrentLoadPackageStateNotAvailable, ContextDefaultCannotBeCreated):
        return "", "", None  # somebody looks at a resource without a pipeline
    kind = pipeline.destination.destination_type.rpartition(".")[2] if pipeline.destination else ""
    form = {"duckdb": "parquet", "postgres": "csv"}.get("" if pipeline.staging else kind, "")
    # What a killed run leaves there goes with the next one: see `warehouse.opened`.
    return form, load_id, Path(pipeline.working_dir, "normalize")


def _parted(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Rows that dlt's CSV for PostgreSQL can hold, and those that it cannot: it makes a blank text
    NULL, and PostgreSQL before 18 takes a line `\\.` in a text for the end of all."""
    fit: list[Row] = []
    others: list[Row] = []
    for row in rows:
        values = row.values()
        odd = "" in values or any(isinstance(one, str) and "\\." in one for one in values)
        (others if odd else fit).append(row)
    return fit, others


def _write_csv(rows: list[Row], kinds: Mapping[str, str], file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(kinds), quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(rows: list[Row], kinds: Mapping[str, str], file: Path) -> bool:
    """By way of JSON, in which nothing is guessed: each column has its type. False if too long."""
    import duckdb

    lines = [json.dumpb(row) for row in rows]
    if max(map(len, lines)) > _LONGEST:
        return False
    text = file.with_suffix(".jsonl")
    text.write_bytes(b"\n".join(lines))
    columns = ", ".join(f"'{name}': '{_DUCKDB[kind]}'" for name, kind in kinds.items())
    with duckdb.connect(config={"threads": 1}) as db:
        db.execute(
            f"COPY (SELECT * FROM read_json('{text}', format = 'newline_delimited', "
            f"columns = {{{columns}}})) TO '{file}' (FORMAT parquet)"
        )
    text.unlink()
    return True
