"""The table `operation_decisions`: what a person calls an operation from now on, which two are one,
which is left out; who said so, when and why. Rows are only ever inserted.

The key is a number: see `warehouse.records`. What is
undone is told by a row of its own, which names the one that it undoes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import dlt

from wolkvox_billing.warehouse.columns import TEXT, Table
from wolkvox_billing.warehouse.records import DECIDED, RecordTable

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
            **DECIDED,
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


_RECORDS = RecordTable(
    OPERATION_DECISIONS, OperationDecision, OPERATION_TABLES[OPERATION_DECISIONS], "decide it again"
)
read_operation_decisions = _RECORDS.read  # all of them, in their order


def append_operation_decision(pipeline: dlt.Pipeline, own: OperationDecision) -> OperationDecision:
    """Insert a decision, and return that which has its key now: see `RecordTable.append`."""
    return _RECORDS.append(pipeline, own)


def next_operation_decision_id(decisions: Sequence[OperationDecision]) -> str:
    """Return the key of the decision that follows."""
    return f"{int(decisions[-1].decision_id) + 1 if decisions else 1:06}"
