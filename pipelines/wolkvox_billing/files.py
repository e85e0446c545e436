"""Rows as files that a database reads at once, in the place of SQL that it must parse.

    rows, by column ─┬▶ Parquet ─▶ DuckDB, where pyarrow is installed, and the rows are not few
                     ├▶ Parquet ─▶ a Delta table, where the destination is `filesystem`
                     ├▶ CSV     ─▶ PostgreSQL's COPY
                     └▶ rows    ─▶ any other: dlt's own way

By its own way DuckDB needs 7 GB for the vendor's largest answer, and 7 times as long. Not JSON:
DuckDB guesses what is in it, and a text that looks like a time or a UUID comes out as another one.
A Delta table gets all rows as Parquet, and no row as well: by its own way dlt 1.31 cannot make an
empty table there, since it wants to hash the key of a row.
"""

from __future__ import annotations

import csv
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import dlt
from dlt.common.configuration.exceptions import ContextDefaultCannotBeCreated
from dlt.common.schema.typing import TColumnSchema
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable
from dlt.extract.hints import HintsMeta
from dlt.extract.incremental import IncrementalResourceWrapper
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
FEW = 300  # rows that are no matter: pyarrow alone takes 45 MB and 0.2 s
AT_ONCE = 20_000  # rows that are there as dicts at a time
# working folder → table → columns, where somebody has looked: see `packages.load_waiting`
THERE: dict[str, dict[str, set[str]]] = {}


@dataclass
class Columns:
    """Rows of a table, by column: a value that all of them share, or a value of each."""

    count: int
    shared: dict[str, Any]
    values: dict[str, list[Any]]
    # The values in Arrow's form, for another table that has the same ones.
    made: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(rows: list[Any]) -> Columns:
        names = dict.fromkeys(name for row in rows for name in row)
        return Columns(len(rows), {}, {name: [row.get(name) for row in rows] for name in names})

    def rows(self, start: int = 0, end: int | None = None) -> list[dict[str, Any]]:
        some = (column[start:end] for column in self.values.values())
        return [
            {**self.shared, **dict(zip(self.values, row, strict=True))}
            for row in zip(*some, strict=True)
        ]


class AsRows(ItemTransform[Any, dict[str, Any]]):
    """The first step of a resource: steps that others add get rows."""

    def __init__(self, wanted: bool = False) -> None:
        super().__init__(lambda item: item)
        self.wanted = wanted

    def bind(self, pipe: Any) -> AsRows:
        return AsRows(_has_other_steps(pipe))

    def __call__(self, item: Any, meta: Any = None) -> Any:
        return item.rows() if self.wanted and isinstance(item, Columns) else item


class AsFiles(ItemTransform[Any, dict[str, Any]]):
    """The last step of a resource: rows become a file of the load package."""

    placement_affinity: ClassVar[float] = 1.5  # behind what others add, and behind the cursor

    def __init__(
        self,
        table: str,
        columns: Mapping[str, TColumnSchema],
        has_others: bool = False,
        pipeline: dlt.Pipeline | None = None,
    ) -> None:
        super().__init__(lambda item: item)
        self.table, self.columns, self.has_others = table, columns, has_others
        self.pipeline = pipeline

    def bind(self, pipe: Any) -> AsFiles:
        try:
            pipeline = dlt.current.pipeline()
        except ContextDefaultCannotBeCreated:
            pipeline = None  # somebody looks at a resource without one
        return AsFiles(self.table, self.columns, _has_other_steps(pipe), pipeline)

    def __call__(self, item: Any, meta: Any = None) -> Iterator[Any]:
        given: Any = (meta.hints if isinstance(meta, HintsMeta) else None) or {}
        added = given.get("original_columns") or {}
        # In the order of dlt's own schema: a file in another one is written anew.
        columns: dict[str, Any] = {**self.columns, **_OF_DLT, **added}
        if isinstance(item, list) and not item and self._is_loaded(columns):
            return
        form, load_id, folder = self._form(item)
        found = Columns.of(item) if form and isinstance(item, list) else item
        if not form or not {*found.shared, *found.values} <= columns.keys():
            yield from _in_parts(item)
            return
        if not found.count and self._is_there():
            return
        if form == "csv":
            found, others = _parted(found)
            if others:
                yield others
            if not found.count:
                return
        hints = dlt.mark.make_hints(columns={**_OF_DLT, **added})
        one = secrets.token_urlsafe(9)  # the rest of each row's name is short, and packs well
        found.shared["_dlt_load_id"] = load_id
        found.values["_dlt_id"] = [f"{one}{number}" for number in range(found.count)]
        if form == "parquet":
            yield dlt.mark.with_hints(_table(found, columns), hints)
            return
        kind: Any = "csv" if form == "csv" else "parquet"
        with tempfile.TemporaryDirectory(dir=folder) as name:
            file = Path(name, f"rows.{kind}")
            if form == "csv":
                _write_csv(found, columns, file)
            else:
                from pyarrow import parquet

                parquet.write_table(_table(found, columns), file)
            yield dlt.mark.with_file_import(str(file), kind, found.count, hints)

    def _form(self, item: Any) -> tuple[str, str, Path | None]:
        """The format in which the destination takes these rows at once, "" if in none; the package
        that they belong to, and where files may be made."""
        pipeline = self.pipeline
        if not pipeline or not isinstance(item, (list, Columns)):
            return "", "", None
        try:
            load_id = dlt.current.load_package_state()["load_id"]
        except CurrentLoadPackageStateNotAvailable:
            return "", "", None
        kind = pipeline.destination.destination_type if pipeline.destination else ""
        count = len(item) if isinstance(item, list) else item.count
        form = ""
        if pipeline.staging:
            pass
        elif kind == "dlt.destinations.filesystem":
            form = "delta" if find_spec("pyarrow") else ""
        elif self.has_others or not count:
            pass  # what somebody else's step has made may be of any type: dlt knows what to do
        elif any(one.get("data_type") == "binary" for one in self.columns.values()):
            pass
        elif kind == "dlt.destinations.postgres":
            form = "csv"
        elif kind == "dlt.destinations.duckdb" and count > FEW and find_spec("pyarrow"):
            form = "parquet"
        # What a killed run leaves there goes with the next one: see `warehouse.opened`.
        return form, load_id, Path(pipeline.working_dir, "normalize")

    def _is_loaded(self, columns: Mapping[str, Any]) -> bool:
        """Whether the destination has the table: a load without rows of it has no job for it."""
        there = THERE.get(self.pipeline.working_dir, {}) if self.pipeline else {}
        return columns.keys() <= there.get(self.table, set())

    def _is_there(self) -> bool:
        """Whether an earlier package has made the table: without rows it need not be written."""
        pipeline = self.pipeline
        known: Any = (
            pipeline.default_schema.tables if pipeline and pipeline.default_schema_name else {}
        )
        return bool(known.get(self.table, {}).get("x-normalizer", {}).get("seen-data"))


def _has_other_steps(pipe: Any) -> bool:
    ours = (AsRows, AsFiles, IncrementalResourceWrapper)
    return any(not isinstance(one, ours) for one in pipe.steps if one is not pipe.gen)


def _in_parts(item: Any) -> Iterator[Any]:
    if not isinstance(item, Columns):
        yield item
        return
    for start in range(0, item.count, AT_ONCE):
        yield item.rows(start, start + AT_ONCE)


def _parted(found: Columns) -> tuple[Columns, list[dict[str, Any]]]:
    """Rows that dlt's CSV for PostgreSQL can hold, and those that it cannot: it makes a blank text
    NULL, and PostgreSQL before 18 takes a line `\\.` in a text for the end of all."""

    def odd(values: Any) -> bool:
        return "" in values or any(isinstance(one, str) and "\\." in one for one in values)

    if not odd(found.shared.values()) and not any(map(odd, found.values.values())):
        return found, []
    rows = found.rows()
    return (
        Columns.of([row for row in rows if not odd(row.values())]),
        [row for row in rows if odd(row.values())],
    )


def _write_csv(found: Columns, columns: Mapping[str, Any], file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(
            zip(
                *(
                    found.values.get(name) or repeat(found.shared.get(name), found.count)
                    for name in columns
                ),
                strict=True,
            )
        )


def _table(found: Columns, columns: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "bigint": pa.int64(),
        "decimal": pa.decimal128(18, 4),
        "timestamp": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
        "bool": pa.bool_(),
        "binary": pa.binary(),
    }
    fields = [
        pa.field(name, types[hint["data_type"]], hint.get("nullable", True))
        for name, hint in columns.items()
    ]

    def made(name: str, kind: Any) -> Any:
        if name not in found.values:
            return pa.repeat(pa.scalar(found.shared.get(name), kind), found.count)
        if name not in found.made:
            found.made[name] = pa.array(found.values[name], kind)
        return found.made[name]

    table = pa.table([made(one.name, one.type) for one in fields], pa.schema(fields))
    del found.made["_dlt_id"]  # of this table alone
    return table
