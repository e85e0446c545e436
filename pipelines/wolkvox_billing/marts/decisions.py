"""The table `operation_decisions`: what a person calls an operation from now on, which two are one,
which is left out; who said so, when and why. Rows are only ever inserted.

The key is a number, so that of two people who decide at the same moment only one does. What is
undone is told by a row of its own, which names the one that it undoes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

import dlt

from wolkvox_billing.warehouse.columns import TEXT, TIME, Table
from wolkvox_billing.warehouse.loading import load_or_raise, load_source, source_of_row
from wolkvox_billing.warehouse.sql import Client, rows_of, tables_in

RENAMED, MERGED, FORGOTTEN, RESTORED = "renamed", "merged", "forgotten", "restored"
OPERATION_DECISIONS = "operation_decisions"
OPERATION_TABLES = {
    OPERATION_DECISIONS: Table(
        "One row per decision on what operations are called, and which count; none is changed",
        ("decision_id",),
        {
            "decision_id": (TEXT, "The decision's number, from 1"),
            "operation_id": (TEXT, "The operation that it is about, as it was called then"),
            "decision": (
                TEXT,
                "renamed, merged (into new_operation_id), forgotten (it is in no mart) or restored",
            ),
            "new_operation_id": (
                TEXT,
                "What it is from then on; of restored ones what it is not, where no decision said "
                "that it is",
            ),
            "undoes": (TEXT, "Of restored ones the decision_id of the decision that holds no more"),
            "decided_at": (TIME, "When it was decided (UTC)"),
            "decided_by": (TEXT, "Who decided it"),
            "reason": (TEXT, "Why, in that person's words; NULL where nobody had to ask"),
        },
    )
}


@dataclass(frozen=True)
class OperationDecision:
    """A row of operation_decisions."""

    decision_id: str
    operation_id: str
    decision: str  # renamed, merged, forgotten, restored
    new_operation_id: str | None
    undoes: str | None
    decided_at: datetime
    decided_by: str
    reason: str | None

    @property
    def is_move(self) -> bool:
        """Whether the operation is another one from then on."""
        return self.decision in (RENAMED, MERGED)


def read_operation_decisions(client: Client, raw: str) -> list[OperationDecision]:
    """Return all decisions, in their order; none before the first."""
    if OPERATION_DECISIONS not in tables_in(client, raw):
        return []
    columns = ", ".join(column.name for column in fields(OperationDecision))
    rows = rows_of(client, f"SELECT {columns} FROM {raw}.{OPERATION_DECISIONS} ORDER BY 1")
    return [OperationDecision(*row) for row in rows]


def next_operation_decision_id(decisions: Sequence[OperationDecision]) -> str:
    """Return the key of the decision that follows."""
    return f"{int(decisions[-1].decision_id) + 1 if decisions else 1:06}"


def append_operation_decision(
    pipeline: dlt.Pipeline, decision: OperationDecision
) -> OperationDecision:
    """Insert a decision, and return that which has its key now: another person's, who was first.
    Raises WarehouseError where it cannot be inserted."""
    source = source_of_row(
        OPERATION_DECISIONS, OPERATION_TABLES[OPERATION_DECISIONS], asdict(decision)
    )
    load_or_raise(
        pipeline, lambda _: load_source(pipeline, source), "not recorded, so decide it again"
    )
    with pipeline.sql_client() as client:
        decisions = read_operation_decisions(client, pipeline.dataset_name)
    return next(row for row in decisions if row.decision_id == decision.decision_id)
