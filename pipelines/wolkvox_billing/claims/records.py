"""Rows of the table `claims`, which are only ever inserted.

The key is the document and a number, so that of two people who claim the same at the same moment
only one does.
"""

from __future__ import annotations

from dataclasses import asdict, astuple

import dlt

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.reconciliation.claimed import CLAIM_TABLES, CLAIMS, Claim, read_claims
from wolkvox_billing.values.clock import format_second
from wolkvox_billing.warehouse.loading import load_or_raise, load_source, source_of_row


class NotClaimed(WolkvoxError):
    """Somebody else claimed the same at the same moment: nothing was recorded."""


def append_claim(pipeline: dlt.Pipeline, claim: Claim) -> None:
    """Insert a claim. Raises WarehouseError where it cannot be, and NotClaimed where another has
    its key."""
    source = source_of_row(CLAIMS, CLAIM_TABLES[CLAIMS], asdict(claim))
    load_or_raise(
        pipeline, lambda _: load_source(pipeline, source), "not recorded, so claim it again"
    )
    with pipeline.sql_client() as client:
        stored = {c.claim_id: c for c in read_claims(client, pipeline.dataset_name)}[claim.claim_id]
    if astuple(stored) != astuple(claim):
        raise NotClaimed(
            f"{stored.document_number or 'the document'} was claimed by {stored.claimed_by} on "
            f"{format_second(stored.claimed_at)}, at the same moment: run it again"
        )
