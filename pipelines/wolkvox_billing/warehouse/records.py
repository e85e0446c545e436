"""Records that people make: who, when, why. Their rows are only ever inserted, and none is changed.

The key of a record is what it is about and a number, so that of two people who make one at the same
moment only one does.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import dlt

from wolkvox_billing.warehouse.columns import TEXT, TIME, Table
from wolkvox_billing.warehouse.loading import load_or_raise, load_source, source_of_row
from wolkvox_billing.warehouse.sql import Client, columns_in, rows_of, tables_in

if TYPE_CHECKING:
    from dlt.common.schema.typing import TColumnSchema

Record = TypeVar("Record")
# The columns of a decision, beside what it is about.
DECIDED: dict[str, tuple[TColumnSchema, str]] = {
    "decided_at": (TIME, "When it was decided (UTC)"),
    "decided_by": (TEXT, "Who decided it"),
    "reason": (TEXT, "Why, in that person's words; NULL where nobody had to ask"),
}


@dataclass(frozen=True)
class RecordTable(Generic[Record]):
    """A table of records, each a frozen dataclass with the table's columns. `again`: what to do
    where one could not be inserted."""

    name: str
    row: type[Record]
    table: Table
    again: str

    def read(self, client: Client, raw: str, tables: Collection[str] | None = None) -> list[Record]:
        """Return all records in the order of their keys; none before the first. What a table of an
        earlier release lacks is None. tables: those that are there, where somebody has asked."""
        if self.name not in (tables_in(client, raw) if tables is None else tables):
            return []
        existing = columns_in(client, f"{raw}.{self.name}")
        names = [column.name for column in fields(self.row)]  # type: ignore[arg-type]
        columns = [name if name in existing else f"NULL AS {name}" for name in names]
        statement = f"SELECT {', '.join(columns)} FROM {raw}.{self.name}"
        return [self.row(*row) for row in rows_of(client, f"{statement} ORDER BY {self._key}")]

    def append(self, pipeline: dlt.Pipeline, record: Record) -> Record:
        """Insert a record, and return that which has its key now: another person's, who was first.
        Raises WarehouseError where it cannot be inserted."""
        values: dict[str, Any] = asdict(record)  # type: ignore[call-overload]
        source = source_of_row(self.name, self.table, values)
        load_or_raise(
            pipeline, lambda _: load_source(pipeline, source), f"not recorded, so {self.again}"
        )
        with pipeline.sql_client() as client:
            records = self.read(client, pipeline.dataset_name)
        return next(own for own in records if getattr(own, self._key) == values[self._key])

    @property
    def _key(self) -> str:
        [key] = self.table.key
        return key


def next_key(subject: str, last: str | None) -> str:
    """Return the key of the record on a subject that follows on `last`, from 1."""
    number = int(last.rpartition(".")[2]) + 1 if last else 1
    return f"{subject}.{number:04}"
