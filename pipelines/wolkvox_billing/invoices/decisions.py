"""The table `document_decisions`: which document a person took out of what is billed, who, when and
why, or put back; rows are only ever inserted.

The key is the document and a number: see `warehouse.records`. The newest decision on a document
counts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import dlt

from wolkvox_billing.warehouse.columns import TEXT, Table
from wolkvox_billing.warehouse.records import DECIDED, RecordTable
from wolkvox_billing.warehouse.sql import Client

WITHDRAWN, REINSTATED = "withdrawn", "reinstated"
DECISIONS = "document_decisions"
DECISION_TABLES = {
    DECISIONS: Table(
        "One row per decision on whether a document counts; the newest of a document counts, and "
        "none is changed",
        ("decision_id",),
        {
            "decision_id": (TEXT, "The document_id and the decision's number on it, from 1"),
            "document_id": (TEXT, "The document, as in invoice_documents"),
            "decision": (TEXT, "withdrawn (it bills nothing) or reinstated"),
            **DECIDED,
        },
    )
}


@dataclass(frozen=True)
class Decision:
    """A row of document_decisions."""

    decision_id: str
    document_id: str
    decision: str  # withdrawn, reinstated
    decided_at: datetime
    decided_by: str
    reason: str | None

    @property
    def is_withdrawal(self) -> bool:
        return self.decision == WITHDRAWN


_RECORDS = RecordTable(DECISIONS, Decision, DECISION_TABLES[DECISIONS], "decide it again")


def append_decision(pipeline: dlt.Pipeline, own: Decision) -> Decision:
    """Insert a decision, and return that which has its key now: see `RecordTable.append`."""
    return _RECORDS.append(pipeline, own)


def read_decisions(client: Client, raw: str, tables: Collection[str]) -> dict[str, Decision]:
    """Return the newest decision on each document, by document_id; none before the first. tables:
    those that are there."""
    return {decision.document_id: decision for decision in _RECORDS.read(client, raw, tables)}
