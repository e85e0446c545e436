"""What `claim --json` prints: a month's letters, or the claims that are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from wolkvox_billing.cli.printed import Printed, form_of
from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.reconciliation.claimed import Claim
from wolkvox_billing.verbs.claim import ClaimedMonth, UnclaimedDocument


@dataclass(frozen=True, kw_only=True)
class PrintedClaim(Claim):
    """A row of the table claims, and its letter."""

    made: Annotated[
        str, "claimed, claimed_anew (another amount than before), claimed_before (nothing added)"
    ]
    letter: Annotated[Path, "The file"]


@dataclass(frozen=True, kw_only=True)
class PrintedClaims(Printed):
    """Of a month: what was claimed of its documents, and what was not."""

    month: Annotated[str, "Such as 2026-11"]
    claimed: Sequence[PrintedClaim]
    unclaimed: Sequence[UnclaimedDocument]
    says: Annotated[str, "What else there is to say, such as of a claim that was withdrawn"]
    evidence: Annotated[Path | None, "The file that the letters name; null where none was written"]
    warnings: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class PrintedOpenClaims(Printed):
    """Without a month: the claims that are not credited in whole, the oldest first."""

    claims_open: Annotated[Sequence[OpenClaim], "As in claims_open"]
    warnings: Sequence[str] = ()


def claims_as_form(result: ClaimedMonth) -> PrintedClaims:
    """Return what a `claim` of a month prints."""
    claimed = [
        form_of(PrintedClaim, own.claim, made=own.made, letter=own.letter) for own in result.claimed
    ]
    return form_of(PrintedClaims, result, claimed=claimed)
