"""The workbook of a month, for people: what `reconcile` printed, as XLSX.

    reconciliation ─▶ rows of the marts ─▶ sheets (cells) ─▶ xlsx ─▶ FILE
    month_facts: usage by month, days without an answer ─┘

The evidence's CSV stay for machines, which hold them against hashes: their marks are the same in
every language. Whoever opens figures in Excel has them here, as numbers and days.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence.numbered_file import write_numbered
from wolkvox_billing.evidence.workbook.month_facts import MonthFacts, read_month_facts
from wolkvox_billing.evidence.workbook.sheets import Told, sheets_of
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.settlement import Settled
from wolkvox_billing.values.periods import Period, read_month
from wolkvox_billing.values.translation import N_, Sentence

__all__ = ["MonthFacts", "WorkbookOrder", "order_workbook", "read_month_facts", "write_workbook"]

_SUFFIX = ".xlsx"


@dataclass(frozen=True)
class WorkbookOrder:
    """A month whose workbook is wanted, and the file."""

    month: Period
    target: Path


def order_workbook(file: str | os.PathLike[str], month: str) -> WorkbookOrder:
    """Return the WorkbookOrder of a month such as 2026-11 into a file, checked before anything is
    done. Raises SettingsError for what cannot be meant."""
    target = Path(os.path.abspath(file))
    if target.suffix.lower() != _SUFFIX:
        says = N_("{file} does not end in {suffix}: expected such as month{suffix}")
        raise SettingsError(Sentence(says, file=file, suffix=_SUFFIX))
    if target.is_dir():
        says = N_("{file} is a folder: name a file in it, such as month{suffix}")
        raise SettingsError(Sentence(says, file=file, suffix=_SUFFIX))
    parent = next(path for path in target.parents if os.path.lexists(path))
    if not parent.is_dir():
        says = N_("{parent} is no folder: name one for the workbook")
        raise SettingsError(Sentence(says, parent=parent))
    return WorkbookOrder(read_month(month), target)


@dataclass(frozen=True)
class Reconciled:
    """What one `reconcile` came to; `evidence` is the file that it wrote, None without one."""

    policy: Policy
    rows: Sequence[ReconciledRow]
    settled: Sequence[Settled]
    warnings: Sequence[str]
    evidence: Path | None


def write_workbook(order: WorkbookOrder, reconciled: Reconciled, facts: MonthFacts) -> Path:
    """Write the workbook of a month, and return it. One that is there already is never replaced,
    since a person may have written into it: with other bytes it is NAME.2.xlsx. Raises
    WolkvoxError."""
    from wolkvox_billing.evidence.workbook.xlsx import Book, pack_book  # openpyxl takes its time

    locale = reconciled.policy.language
    told = Told(order.month.start, _settings(reconciled, facts),
                reconciled.warnings, *_evidence(reconciled.evidence))  # fmt: skip
    sheets = sheets_of(reconciled.rows, reconciled.settled, facts, told, locale)
    book = Book(told.month, facts.as_of, facts.zone, locale, sheets)
    return write_numbered(order.target, lambda file: pack_book(book, file))


def _settings(reconciled: Reconciled, facts: MonthFacts) -> Mapping[str, object]:
    return {
        **reconciled.policy.as_json(),
        "timezone": str(facts.zone),
        "gauge_month": facts.gauge_month,
    }


def _evidence(file: Path | None) -> tuple[str | None, str | None]:
    """Return the name and the SHA-256 of the evidence of the same verdicts."""
    return (file.name, hashlib.sha256(file.read_bytes()).hexdigest()) if file else (None, None)
