"""What `reconcile --json` prints, with --init and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from wolkvox_billing.cli.printed import Printed, form_of
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent, SettledDocument
from wolkvox_billing.reconciliation.policy import StatedPolicy
from wolkvox_billing.reconciliation.settlement import SettledTotal
from wolkvox_billing.reconciliation.totals import Totals
from wolkvox_billing.verbs.reconcile import Reconciliation


@dataclass(frozen=True, kw_only=True)
class PrintedReconciliation(Printed):
    """The verdicts of a month or of all, and what to pay."""

    month: Annotated[str | None, "Such as 2026-11; null for all months"]
    policy: Annotated[StatedPolicy, "By which rules it was compared: the settings"]
    settlement: Annotated[
        Sequence[SettledDocument], "What to pay of each document, as in invoice_settlement"
    ]
    settlement_totals: Annotated[Sequence[SettledTotal], "What they come to, by currency"]
    components: Annotated[
        Sequence[InvoiceComponent], "What the documents ask for, as in invoice_components"
    ]
    rows: Annotated[Sequence[ReconciledRow], "The verdicts, as in invoice_reconciliation"]
    totals: Totals
    warnings: Sequence[str]
    evidence: Annotated[Path | None, "The file that --evidence wrote"]
    xlsx: Annotated[Path | None, "The file that --xlsx wrote"]
    is_closed: Annotated[bool, "Whether the month is closed, and the close holds"]
    failures: Annotated[
        Sequence[str], "What is worth an alarm, a sentence each: exit code 1 by --fail-on-material"
    ]
    may_pass: Annotated[bool, "Never: a verdict stays until something else is known"] = False


@dataclass(frozen=True, kw_only=True)
class PrintedContract(Printed):
    """Of --init: the files for a person to edit."""

    written: Annotated[Sequence[Path], "Those that were not there yet"]
    proposed: Annotated[
        Sequence[Mapping[str, str]], "Rows of the line map, by column, for lines that no row fits"
    ]
    warnings: Sequence[str] = ()


def reconciliation_as_form(
    reconciliation: Reconciliation, material: Sequence[str]
) -> PrintedReconciliation:
    """Return what a `reconcile` prints."""
    settled = reconciliation.settled
    return form_of(
        PrintedReconciliation,
        reconciliation,
        policy=reconciliation.policy.stated(),
        settlement=[each.document for each in settled],
        settlement_totals=reconciliation.settled_totals,
        components=[part for each in settled for part in each.components],
        xlsx=reconciliation.workbook,
        failures=material,
    )
