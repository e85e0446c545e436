"""The types of our columns, and a table in dlt's words."""

from __future__ import annotations

from typing import NamedTuple, TypedDict, cast

from dlt.common.schema.typing import TColumnSchema, TWriteDisposition

TEXT: TColumnSchema = {"data_type": "text"}
COUNT: TColumnSchema = {"data_type": "bigint"}
AMOUNT: TColumnSchema = {"data_type": "decimal", "precision": 18, "scale": 4}
# Of rates between currencies: one peso is 0.000249219330447374 dollars.
RATE: TColumnSchema = {"data_type": "decimal", "precision": 38, "scale": 18}
TIME: TColumnSchema = {"data_type": "timestamp", "timezone": True, "precision": 6}
DATE: TColumnSchema = {"data_type": "date"}
FLAG: TColumnSchema = {"data_type": "bool"}
BYTES: TColumnSchema = {"data_type": "binary"}
# A resource takes a strategy too, though the type of dlt's argument does not say so.
INSERT = cast(TWriteDisposition, {"disposition": "merge", "strategy": "insert-only"})


class Table(NamedTuple):
    """What a row of a table is, in a sentence; the columns of its key; each column's type, and a
    sentence."""

    says: str
    key: tuple[str, ...]
    columns: dict[str, tuple[TColumnSchema, str]]


def sql_type(kind: TColumnSchema) -> str:
    """Return a column's type as CREATE TABLE has it, on both engines; "" for bytes."""
    types = {
        "text": "VARCHAR",
        "bigint": "BIGINT",
        "timestamp": "TIMESTAMP WITH TIME ZONE",
        "date": "DATE",
        "bool": "BOOLEAN",
        "decimal": f"DECIMAL({kind.get('precision')}, {kind.get('scale')})",
    }
    return types.get(kind["data_type"] or "", "")


class TableHints(TypedDict):
    """Arguments of `dlt.resource` and `dlt.transformer`."""

    write_disposition: TWriteDisposition
    primary_key: tuple[str, ...]
    columns: dict[str, TColumnSchema]


def hints(table: Table, disposition: TWriteDisposition = "merge") -> TableHints:
    """Return a table in the words of dlt."""
    return {
        "write_disposition": disposition,
        "primary_key": table.key,
        "columns": {
            name: {"name": name, **kind, "description": says, "nullable": name not in table.key}
            for name, (kind, says) in table.columns.items()
        },
    }
