"""Rows of the table `claims`. The key is the document and a number: see `warehouse.records`."""

from __future__ import annotations

import dlt

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.reconciliation.claimed import CLAIM_TABLES, CLAIMS, Claim
from wolkvox_billing.values.clock import format_second
from wolkvox_billing.warehouse.records import RecordTable


class NotClaimed(WolkvoxError):
    """Somebody else claimed the same at the same moment: nothing was recorded."""


_RECORDS = RecordTable(CLAIMS, Claim, CLAIM_TABLES[CLAIMS], "claim it again")


def append_claim(pipeline: dlt.Pipeline, claim: Claim) -> None:
    """Insert a claim. Raises WarehouseError where it cannot be, and NotClaimed where another has
    its key."""
    stored = _RECORDS.append(pipeline, claim)
    if stored != claim:
        raise NotClaimed(
            f"{stored.document_number or 'the document'} was claimed by {stored.claimed_by} on "
            f"{format_second(stored.claimed_at)}, at the same moment: run it again"
        )
