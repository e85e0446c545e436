"""The types of our columns, and a table in dlt's words."""

from __future__ import annotations

from typing import Any

from dlt.common.schema.typing import TColumnSchema

TEXT: TColumnSchema = {"data_type": "text"}
COUNT: TColumnSchema = {"data_type": "bigint"}
AMOUNT: TColumnSchema = {"data_type": "decimal", "precision": 18, "scale": 4}
TIME: TColumnSchema = {"data_type": "timestamp", "timezone": True, "precision": 6}
DATE: TColumnSchema = {"data_type": "date"}
FLAG: TColumnSchema = {"data_type": "bool"}
BYTES: TColumnSchema = {"data_type": "binary"}


# What a table holds, its key, and its columns.
Table = tuple[str, tuple[str, ...], dict[str, tuple[TColumnSchema, str]]]


def hints(table: Table, disposition: Any = "merge") -> dict[str, Any]:
    """The table in the words of `dlt.resource` and `dlt.transformer`."""
    _, key, columns = table
    return {
        "write_disposition": disposition,
        "primary_key": key,
        "columns": {
            name: {"name": name, **kind, "description": says, "nullable": name not in key}
            for name, (kind, says) in columns.items()
        },
    }


INSERT = {"disposition": "merge", "strategy": "insert-only"}
