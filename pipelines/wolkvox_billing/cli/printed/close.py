"""What `close --json` prints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from wolkvox_billing.cli.printed import Printed, form_of
from wolkvox_billing.closing import SettledMonth
from wolkvox_billing.closing.grounds import Ground, SettledGround
from wolkvox_billing.closing.records import Close
from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.reconciliation.settlement import SettledTotal, add_up

_Setting = str | int | bool | list[str] | Mapping[str, str] | None


@dataclass(frozen=True)
class UntiedMonth:
    """In the place of verdicts, of a month whose sums do not tie out."""

    does_not_tie_out: Annotated[str, "What does not add up"]


@dataclass(frozen=True, kw_only=True)
class PrintedClose(Printed):
    """The record that was added to month_closes."""

    close_id: Annotated[str, "The month, and the record's number in it"]
    month: Annotated[str, "Such as 2026-11"]
    closed_at: datetime
    closed_by: str
    status: Literal["closed", "reopened"]
    reason: str | None
    settlement_totals: Annotated[
        Sequence[SettledTotal] | None,
        "What the documents come to, by currency; null where the month does not tie out",
    ]
    settlement: Annotated[
        Sequence[SettledGround] | None,
        "What was asked, agreed, questioned and claimed of each document; null as the totals",
    ]
    claims: Annotated[
        Sequence[OpenClaim],
        "The claims on these documents, and what became of them, as in claims_open",
    ]
    policy: Annotated[
        Mapping[str, _Setting], "By which rules it was compared: `policy` of reconcile"
    ]
    evidence_sha256: str | None
    digest: Annotated[str, "SHA-256 of stands_on, as the table has its text"]
    stands_on: Annotated[Sequence[Ground | UntiedMonth], "The verdicts of the month"]
    warnings: Sequence[str] = ()


def close_as_form(record: Close, month: SettledMonth) -> PrintedClose:
    """Return what a `close` prints, with the texts of the record parsed; `month`: what it is of."""
    settlement = totals = None
    if record.settlement is not None:
        settlement = [SettledGround(**row) for row in json.loads(record.settlement)]
        totals = add_up(month.documents)
    return form_of(
        PrintedClose,
        record,
        policy=json.loads(record.policy),
        stands_on=[
            UntiedMonth(**row) if row.keys() == {"does_not_tie_out"} else Ground(**row)
            for row in json.loads(record.stands_on)
        ],
        settlement=settlement,
        settlement_totals=totals,
        claims=month.claimed,
    )
