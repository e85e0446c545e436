"""The table `document_decisions`: which document a person took out of what is billed, who, when and
why, or put back; rows are only ever inserted.

The key is the document and a number, so that of two people who decide at the same moment only one
does. The newest decision on a document counts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime

import dlt

from wolkvox_billing.warehouse.columns import TEXT, TIME, Table
from wolkvox_billing.warehouse.loading import load_or_raise, load_source, source_of_row
from wolkvox_billing.warehouse.sql import Client, rows_of, tables_in

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
            "decided_at": (TIME, "When it was decided (UTC)"),
            "decided_by": (TEXT, "Who decided it"),
            "reason": (TEXT, "Why, in that person's words; NULL where nobody had to ask"),
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


def read_decisions(client: Client, raw: str) -> dict[str, Decision]:
    """Return the newest decision on each document, by document_id; none before the first."""
    if DECISIONS not in tables_in(client, raw):
        return {}
    columns = ", ".join(column.name for column in fields(Decision))
    rows = rows_of(client, f"SELECT {columns} FROM {raw}.{DECISIONS} ORDER BY decision_id")
    return {decision.document_id: decision for decision in (Decision(*row) for row in rows)}


def next_decision_id(document_id: str, last: Decision | None) -> str:
    """Return the key of the decision that follows on `last`."""
    number = int(last.decision_id.rsplit(".")[-1]) + 1 if last else 1
    return f"{document_id}.{number:04}"


def append_decision(pipeline: dlt.Pipeline, decision: Decision) -> Decision:
    """Insert a decision, and return that which has its key now: another person's, who was first.
    Raises WarehouseError where it cannot be inserted."""
    source = source_of_row(DECISIONS, DECISION_TABLES[DECISIONS], asdict(decision))
    load_or_raise(
        pipeline, lambda _: load_source(pipeline, source), "not recorded, so decide it again"
    )
    with pipeline.sql_client() as client:
        return read_decisions(client, pipeline.dataset_name)[decision.document_id]
