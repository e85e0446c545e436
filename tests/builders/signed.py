"""Records that people make, such as a close, written straight into their table: a row that goes
through dlt takes a tenth of a second. That way others are tested, `by_dlt`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import dlt
import pytest

from wolkvox_billing.warehouse.columns import sql_type
from wolkvox_billing.warehouse.records import RecordTable


@contextmanager
def straight() -> Iterator[None]:
    """Let records go straight into their tables for this block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordTable, "append", _append)
        yield


def _append(self: RecordTable[Any], pipeline: dlt.Pipeline, record: Any) -> Any:
    """Insert a record, in a table that is made for the first one, and return it as it is there."""
    raw, values = pipeline.dataset_name, asdict(record)
    table = f"{raw}.{self.name}"
    own = [f"{name} {sql_type(kind)}" for name, (kind, _) in self.table.columns.items()]
    marks = ", ".join(["%s"] * len(values))
    with pipeline.sql_client() as client:
        client.execute_sql(
            f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(own)}, "
            "_dlt_load_id VARCHAR NOT NULL, _dlt_id VARCHAR NOT NULL)"
        )
        client.execute_sql(
            f"INSERT INTO {table} ({', '.join(values)}, _dlt_load_id, _dlt_id) "
            f"VALUES ({marks}, 'straight', %s)",
            *values.values(), values[self._key],
        )  # fmt: skip
        records = self.read(client, raw)
    [stored] = [own for own in records if getattr(own, self._key) == values[self._key]]
    return stored
