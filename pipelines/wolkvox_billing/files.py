"""Rows as files that a database reads at once, in the place of SQL that it must parse.

    a list of rows ─┬▶ Parquet  ─▶ DuckDB, where pyarrow is installed, and the rows are not few
                    ├▶ Parquet  ─▶ a Delta table, where the destination is `filesystem`
                    ├▶ CSV      ─▶ PostgreSQL's COPY
                    └▶ as it is ─▶ any other: dlt's own way

dlt takes the files into the answer's package as they are. By its own way DuckDB needs 7 GB for the
vendor's largest answer, and 7 times as long. Not JSON: DuckDB guesses what is in it, and a text
that looks like a time or a UUID comes out as another one. A Delta table gets all rows as Parquet,
and no row as well: by its own way dlt 1.31 cannot make an empty table there, since it wants to hash
the key of a row.
"""

from __future__ import annotations

import csv
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import dlt
from dlt.common.configuration.exceptions import ContextDefaultCannotBeCreated
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
FEW = 1000  # rows that are no matter: pyarrow alone takes 45 MB and 0.2 s


class AsFiles(ItemTransform[Any, dict[str, Any]]):
    """The last step of a resource: a list of rows becomes a file of the load package."""

    placement_affinity: ClassVar[float] = 1.5  # behind what others add, and behind the cursor

    def __init__(self, table: str, columns: Mapping[str, TColumnSchema]) -> None:
        super().__init__(lambda item: item)
        self.table, self.columns = table, columns

    def __call__(self, item: Any, meta: Any = None) -> Iterator[Any]:
        hints: Any = (meta.hints if isinstance(meta, HintsMeta) else None) or {}
        added = hints.get("original_columns") or {}
        # In the order of dlt's own schema: a file in another one is written anew.
        columns: dict[str, Any] = {**self.columns, **_OF_DLT, **added}
        form, load_id, folder = self._form(item)
        if not form or not set().union(*item) <= columns.keys():
            yield item
            return
        if not item and self._is_there():
            return
        rows, others = (item, []) if form == "parquet" else _parted(item)
        if others:
            yield others
        if not rows and item:
            return
        values = {name: [row.get(name) for row in rows] for name in columns}
        values["_dlt_load_id"] = [load_id] * len(rows)
        digits = secrets.token_hex(10 * len(rows))
        values["_dlt_id"] = [digits[n : n + 20] for n in range(0, len(digits), 20)]
        hints = dlt.mark.make_hints(columns={**_OF_DLT, **added})
        with tempfile.TemporaryDirectory(dir=folder) as name:
            file = Path(name, f"rows.{form}")
            if form == "csv":
                _write_csv(values, file)
            else:
                _write_parquet(values, columns, file)
            yield dlt.mark.with_file_import(str(file), form, len(rows), hints)

    def _form(self, item: Any) -> tuple[Any, str, Path | None]:
        """The format in which the destination takes these rows at once, "" if in none; the package
        that they belong to, and where files may be made."""
        if not isinstance(item, list):
            return "", "", None
        try:
            load_id = dlt.current.load_package_state()["load_id"]
            pipeline = dlt.current.pipeline()
        except (CurrentLoadPackageStateNotAvailable, ContextDefaultCannotBeCreated):
            return "", "", None  # somebody looks at a resource without a pipeline
        kind = pipeline.destination.destination_type if pipeline.destination else ""
        has_arrow = find_spec("pyarrow") is not None
        form = ""
        if pipeline.staging:
            pass
        elif kind == "dlt.destinations.filesystem":
            form = "parquet" if has_arrow else ""
        elif not item or any(one.get("data_type") == "binary" for one in self.columns.values()):
            pass
        elif kind == "dlt.destinations.postgres":
            form = "csv"
        elif kind == "dlt.destinations.duckdb" and len(item) > FEW and has_arrow:
            form = "parquet"
        # What a killed run leaves there goes with the next one: see `warehouse.opened`.
        return form, load_id, Path(pipeline.working_dir, "normalize")

    def _is_there(self) -> bool:
        """Whether an earlier package has made the table: without rows it need not be written."""
        pipeline = dlt.current.pipeline()
        known: Any = pipeline.default_schema.tables if pipeline.default_schema_name else {}
        return bool(known.get(self.table, {}).get("x-normalizer", {}).get("seen-data"))


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


def _write_csv(values: Mapping[str, list[Any]], file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(values)
        writer.writerows(zip(*values.values(), strict=True))


def _write_parquet(values: Mapping[str, list[Any]], hints: Mapping[str, Any], file: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = {
        "text": pa.string(),
        "bigint": pa.int64(),
        "decimal": pa.decimal128(18, 4),
        "timestamp": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
        "bool": pa.bool_(),
        "binary": pa.binary(),
    }
    schema = pa.schema(
        pa.field(name, types[hint["data_type"]], hint.get("nullable", True))
        for name, hint in hints.items()
    )
    parquet.write_table(pa.table(dict(values), schema), file)
    pa.default_memory_pool().release_unused()
