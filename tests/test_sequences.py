"""The sequences in which a naive incremental load loses data, on DuckDB and on PostgreSQL."""
from __future__ import annotations

from decimal import Decimal
from typing import Any

from conftest import TOKENS, Project


def row(items: str, date: str = "2026-11-10", description: str = "Audios") -> dict[str, Any]:
    return {"operation": "ACME", "description": description, "items": items, "date": date}


def test_a_value_that_grows_on_the_same_date_replaces_the_older_one(warehouse: Project) -> None:
    """A value that grows on the same date is the newest in the table, and both are readings."""
    warehouse.vendor.answer(TOKENS["acme"], "rsync_s3_mp3", [row("5")])
    assert warehouse.load().is_good
    warehouse.later(minutes=15)
    warehouse.vendor.answer(TOKENS["acme"], "rsync_s3_mp3", [row("9")])
    assert warehouse.load().is_good
    assert warehouse.query("SELECT items FROM rsync_s3_mp3") == [(Decimal("9.0000"),)]
    assert warehouse.query("SELECT items FROM readings ORDER BY read_at") == [
        (Decimal("5.0000"),),
        (Decimal("9.0000"),),
    ]
