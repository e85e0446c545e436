"""Rows as files that a database reads at once, in the place of SQL that it must parse.

    rows, by column ─┬▶ Parquet ─▶ DuckDB, where the rows are not few
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
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeAlias, cast

import dlt
from dlt.common.destination import TLoaderFileFormat
from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable
from dlt.common.typing import TDataItems
from dlt.extract.hints import HintsMeta
from dlt.extract.incremental import IncrementalResourceWrapper
from dlt.extract.items import SupportsPipe
from dlt.extract.items_transform import ItemTransform

from wolkvox_billing.values.arrow import Arrow, ColumnValues, compute, pyarrow, take
from wolkvox_billing.warehouse.dlt_gaps import NO_BYTES, active_pipeline

TableRow: TypeAlias = dict[str, Any]  # of any table, as dlt takes it
ColumnHints: TypeAlias = Mapping[str, TColumnSchema]
Step: TypeAlias = ItemTransform[TDataItems, dict[str, Any]]  # dlt's metrics: none of ours has any

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
# Columns in which a value seldom comes again.
_UNLIKE = {"_dlt_id", "row_number", "items", "items_raw", "raw"}
FEW = 300  # rows that are no matter: pyarrow alone takes 45 MB and 0.2 s
ROWS_AT_ONCE = 20_000  # that are dicts at a time
# working folder → table → columns of the destination, where somebody has looked: see `loading`
LOADED: dict[str, dict[str, set[str]]] = {}


@dataclass
class Columns:
    """Rows of a table, by column: a value that all of them share, or a value of each."""

    count: int
    shared: TableRow
    values: dict[str, ColumnValues]
    # Lists in Arrow's form, for another table that has the same ones.
    arrays: dict[str, Arrow] = field(default_factory=dict)

    @staticmethod
    def of(rows: list[TableRow]) -> Columns:
        names = dict.fromkeys(name for row in rows for name in row)
        return Columns(len(rows), {}, {name: [row.get(name) for row in rows] for name in names})

    def rows(self, start: int = 0, end: int | None = None) -> list[TableRow]:
        parts = (_as_list(column[start:end]) for column in self.values.values())
        return [
            {**self.shared, **dict(zip(self.values, row, strict=True))}
            for row in zip(*parts, strict=True)
        ]

    def take(self, places: list[int]) -> Columns:
        """Return the rows at these places."""
        values = {name: take(column, places) for name, column in self.values.items()}
        return Columns(len(places), self.shared, values)

    @property
    def is_large(self) -> bool:
        """Whether values are in Arrow's form."""
        return not all(isinstance(column, list) for column in self.values.values())


class AsRows(Step):
    """The first step of a resource: steps that others add get rows."""

    def __init__(self, wanted: bool = False) -> None:
        super().__init__(lambda item: item)
        self.wanted = wanted

    def bind(self, pipe: SupportsPipe) -> AsRows:
        return AsRows(_has_other_steps(pipe))

    def __call__(self, item: TDataItems, meta: object = None) -> TDataItems:
        return item.rows() if self.wanted and isinstance(item, Columns) else item


class _Job(NamedTuple):
    """The format in which a destination takes rows at once, "" if in none; the load package that
    they belong to, "" if to none; where files of it may be made."""

    form: str
    load_id: str
    folder: Path


_NOWHERE = _Job("", "", Path())


class AsFiles(Step):
    """The last step of a resource: rows become a file of the load package."""

    placement_affinity: ClassVar[float] = 1.5  # behind what others add, and behind the cursor

    def __init__(
        self,
        table: str,
        columns: ColumnHints,
        has_others: bool = False,
        pipeline: dlt.Pipeline | None = None,
    ) -> None:
        super().__init__(lambda item: item)
        self.table, self.columns, self.has_others = table, columns, has_others
        self.pipeline = pipeline

    def bind(self, pipe: SupportsPipe) -> AsFiles:
        # None where somebody looks at a resource without one.
        return AsFiles(self.table, self.columns, _has_other_steps(pipe), active_pipeline())

    def __call__(self, item: TDataItems, meta: object = None) -> Iterator[TDataItems]:
        added = _added_hints(meta)
        # In the order of dlt's own schema: a file in another one is written anew.
        columns = {**self.columns, **_OF_DLT, **added}
        if isinstance(item, list) and not item and self._is_loaded(columns):
            return
        form, load_id, folder = self._job(item)
        is_list = form and isinstance(item, list)
        rows = Columns.of(item) if is_list else cast(Columns, item)
        if not form or not {*rows.shared, *rows.values} <= columns.keys():
            for part in _in_parts(item):
                yield self._with_no_bytes(part) if load_id else part
            return
        if not rows.count and self._is_known():
            return
        if form == "csv":
            rows, odd_rows = _part_odd(rows)
            if odd_rows:
                yield odd_rows
            if not rows.count:
                return
        hints = dlt.mark.make_hints(columns={**_OF_DLT, **added})
        rows.shared["_dlt_load_id"] = load_id
        rows.values["_dlt_id"] = _row_names(rows)
        if form == "parquet":
            yield dlt.mark.with_hints(_table(rows, columns), hints)
            return
        kind: TLoaderFileFormat = "csv" if form == "csv" else "parquet"
        with tempfile.TemporaryDirectory(dir=folder) as name:
            file = Path(name, f"rows.{kind}")
            if form == "csv":
                _write_csv(rows, columns, file)
            else:
                _write_parquet(_table(rows, columns), file)
            yield dlt.mark.with_file_import(str(file), kind, rows.count, hints)

    def _job(self, item: TDataItems) -> _Job:
        pipeline = self.pipeline
        if not pipeline or not isinstance(item, (list, Columns)):
            return _NOWHERE
        try:
            load_id = dlt.current.load_package_state()["load_id"]
        except CurrentLoadPackageStateNotAvailable:
            return _NOWHERE
        kind = pipeline.destination.destination_type if pipeline.destination else ""
        count = len(item) if isinstance(item, list) else item.count
        form = ""
        if pipeline.staging:
            pass
        elif kind == "dlt.destinations.filesystem":
            form = "delta"
        elif self.has_others or not count:
            pass  # what somebody else's step has made may be of any type: dlt knows what to do
        elif any(hint.get("data_type") == "binary" for hint in self.columns.values()):
            pass
        elif kind == "dlt.destinations.postgres":
            form = "csv"
        elif kind == "dlt.destinations.duckdb" and count > FEW:
            form = "parquet"
        # What a killed run leaves there goes with the next one: see `warehouse.opened`.
        return _Job(form, load_id, Path(pipeline.working_dir, "normalize"))

    def _with_no_bytes(self, item: TDataItems) -> TDataItems:
        """Return rows in which zero bytes are written so that dlt reads them; see NO_BYTES."""
        names = [name for name, hint in self.columns.items() if hint.get("data_type") == "binary"]
        if not names or not isinstance(item, list):
            return item
        return [
            {
                name: NO_BYTES if name in names and value == b"" else value
                for name, value in row.items()
            }
            for row in item
        ]

    def _is_loaded(self, columns: ColumnHints) -> bool:
        """Whether the destination has the table: a load without rows of it has no job for it."""
        tables = LOADED.get(self.pipeline.working_dir, {}) if self.pipeline else {}
        return columns.keys() <= tables.get(self.table, set())

    def _is_known(self) -> bool:
        """Whether an earlier package has made the table: without rows it need not be written."""
        if not self.pipeline or not self.pipeline.default_schema_name:
            return False
        table = self.pipeline.default_schema.tables.get(self.table)
        return bool(table and table.get("x-normalizer", {}).get("seen-data"))


def _added_hints(meta: object) -> TTableSchemaColumns:
    """Return the hints of the columns that rows have and their table has not."""
    hints = meta.hints if isinstance(meta, HintsMeta) else None
    return cast(TTableSchemaColumns, (hints or {}).get("original_columns") or {})


def _has_other_steps(pipe: SupportsPipe) -> bool:
    ours = (AsRows, AsFiles, IncrementalResourceWrapper)
    steps = (pipe[place] for place in range(len(pipe)))
    return any(not isinstance(step, ours) for step in steps if step is not pipe.gen)


def _in_parts(item: TDataItems) -> Iterator[TDataItems]:
    if not isinstance(item, Columns):
        yield item
        return
    for start in range(0, item.count, ROWS_AT_ONCE):
        yield item.rows(start, start + ROWS_AT_ONCE)


def _row_names(rows: Columns) -> ColumnValues:
    """Return a name for each row, unlike all others; what differs is short, and packs well."""
    start = secrets.token_urlsafe(9)
    if not rows.is_large:
        return [f"{start}{number}" for number in range(rows.count)]
    pa = pyarrow()
    numbers = pa.array(range(rows.count), pa.int64()).cast(pa.string())
    return compute().binary_join_element_wise(start, numbers, "")


def _part_odd(rows: Columns) -> tuple[Columns, list[TableRow]]:
    """Return the rows that dlt's CSV for PostgreSQL can hold, and those that it cannot: it makes a
    blank text NULL, and PostgreSQL before 18 takes a line `\\.` in a text for the end of all."""
    if _odd_places([*rows.shared.values()]):
        return rows.take([]), rows.rows()
    places = set[int]().union(*map(_odd_places, rows.values.values()))
    if not places:
        return rows, []
    good = [place for place in range(rows.count) if place not in places]
    return rows.take(good), rows.take(sorted(places)).rows()


def _odd_places(column: ColumnValues) -> list[int]:
    """Return where a column has a text that dlt's CSV for PostgreSQL cannot hold."""
    if isinstance(column, list):
        return [n for n, v in enumerate(column) if isinstance(v, str) and (not v or "\\." in v)]
    if column.type != pyarrow().string():
        return []
    pc = compute()
    is_odd = pc.or_(pc.equal(column, ""), pc.match_substring(column, "\\."))
    places: list[int] = pc.indices_nonzero(is_odd).to_pylist()
    return places


def _write_csv(rows: Columns, columns: ColumnHints, file: Path) -> None:
    if rows.is_large:
        from pyarrow import csv as arrow_csv

        form = arrow_csv.WriteOptions(quoting_style="all_valid")
        arrow_csv.write_csv(_table(rows, columns), file, form)
        return
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(columns)
        cells = (
            rows.values.get(name) or repeat(rows.shared.get(name), rows.count) for name in columns
        )
        writer.writerows(zip(*cells, strict=True))


def _write_parquet(table: Arrow, file: Path) -> None:
    """Write a file that is read once, as a whole: in half the time of pyarrow's own settings, and
    three quarters of the size."""
    from pyarrow import parquet

    alike = [name for name in table.column_names if name not in _UNLIKE]
    parquet.write_table(table, file, use_dictionary=alike, write_statistics=False)


def _as_list(column: ColumnValues) -> list[Any]:
    values: list[Any] = column if isinstance(column, list) else column.to_pylist()
    return values


def arrow_type(hint: TColumnSchema) -> Arrow:
    """Return a column's type in Arrow's form."""
    pa = pyarrow()
    if hint["data_type"] == "decimal":
        return pa.decimal128(hint.get("precision") or 18, hint.get("scale") or 0)
    types: dict[str | None, Arrow] = {
        "text": pa.string(),
        "bigint": pa.int64(),
        "timestamp": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
        "bool": pa.bool_(),
        "binary": pa.binary(),
    }
    return types[hint["data_type"]]


def _table(rows: Columns, columns: ColumnHints) -> Arrow:
    pa = pyarrow()
    fields = [
        pa.field(name, arrow_type(hint), hint.get("nullable", True))
        for name, hint in columns.items()
    ]

    def array_of(name: str, kind: Arrow) -> Arrow:
        if name not in rows.values:
            return pa.repeat(pa.scalar(rows.shared.get(name), kind), rows.count)
        values = rows.values[name]
        if not isinstance(values, list):
            return values
        if name not in rows.arrays:
            rows.arrays[name] = pa.array(values, kind)
        return rows.arrays[name]

    table = pa.table([array_of(field.name, field.type) for field in fields], pa.schema(fields))
    rows.arrays.pop("_dlt_id", None)  # of this table alone
    return table
