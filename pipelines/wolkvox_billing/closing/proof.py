"""The evidence that a close is given. It is taken only where it is whole, of that month and of this
record, and where its verdicts and its settlement are those of now: what is signed is what was
seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb

from wolkvox_billing.closing.grounds import (
    NO_GROUNDS,
    SETTLED_KINDS,
    VERDICT_KINDS,
    Grounds,
    changes_between,
    grounds_by_month,
    settlement_changes,
)
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence.tables import read_tables
from wolkvox_billing.evidence.verification import examine_and_read
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.warehouse.sql import Client, literal, rows_as

_VERDICTS, _CALLS = "invoice_reconciliation.parquet", "polls.parquet"
_SETTLED = "invoice_settlement.parquet"
_CALL = {"poll_id": "VARCHAR", "poll_date": "DATE", "answer_sha256": "VARCHAR"}
_MOST_TOLD = 3  # of what is wrong with it, or of what has changed


class _Call(NamedTuple):
    """A call by which a record is told from another one."""

    poll_id: str
    poll_date: date
    answer_sha256: str | None


@dataclass(frozen=True)
class Proof:
    """An evidence file of a month, its SHA-256, and the verdicts, the settlement and the calls that
    are in it."""

    file: Path
    month: str
    sha256: str
    grounds: Grounds
    calls: Sequence[_Call]

    def check(self, client: Client, raw: str, now: Grounds) -> None:
        """Raises SettingsError where it is another record's, or its verdicts are not those of
        now."""
        if reason := self._is_foreign(client, raw) or self._is_outdated(now):
            raise _refuse(self.file, self.month, reason)

    def _is_foreign(self, client: Client, raw: str) -> str:
        calls = {call for call in self.calls if call.poll_date}  # an older record's have none
        if not calls:
            return ""
        days = [call.poll_date for call in calls]
        of_days = f"poll_date BETWEEN {literal(min(days))} AND {literal(max(days))}"
        own = rows_as(client, _Call, f"{raw}.polls WHERE {of_days}")
        if not (strange := calls.difference(own)):
            return ""
        return (
            f"it is another record's: {len(strange)} of its {len(calls)} calls are not in the "
            f"dataset {raw}, or have another answer there"
        )

    def _is_outdated(self, now: Grounds) -> str:
        if now.untied:
            return f"the month does not tie out now: {now.untied}"
        if self.grounds.as_text() != now.as_text():
            changes = [*changes_between(self.grounds, now)] or ["they are others"]
            return f"its verdicts are not those of now: {'; '.join(changes[:_MOST_TOLD])}"
        if self.grounds.settlement_as_text() != now.settlement_as_text():
            changes = [*settlement_changes(self.grounds, now)]
            return f"what is to be paid by it is not that of now: {'; '.join(changes[:_MOST_TOLD])}"
        return ""


def read_proof(file: Path, month: str) -> Proof:
    """Return the Proof that a file is for a month. Raises SettingsError where it is none."""
    try:
        examined, members = examine_and_read(file, (_VERDICTS, _SETTLED, _CALLS))
    except SettingsError as error:
        text = N_(
            "the evidence {file} cannot be read ({error}): name the file that "
            "`reconcile --evidence` wrote"
        )
        raise SettingsError(Sentence(text, file=file, error=error)) from None
    if examined.problems:
        told = "; ".join(examined.problems[:_MOST_TOLD])
        raise _refuse(file, month, f"it is not as evidence is written: {told}")
    if examined.month != month:
        raise _refuse(file, month, f"it is of {examined.month}")
    if _SETTLED not in members:
        raise _refuse(file, month, "an earlier release wrote it, without what is to be paid")
    try:
        verdicts, settled, called = read_tables(
            (members[_VERDICTS], VERDICT_KINDS),
            (members[_SETTLED], SETTLED_KINDS),
            (members[_CALLS], _CALL),
        )
        grounds = grounds_by_month(verdicts, settled)
        calls = [_Call._make(row) for row in called]
    except (duckdb.Error, TypeError, ValueError, OverflowError):  # another version's, or nobody's
        raise _refuse(file, month, "its tables are of another version") from None
    return Proof(file, month, examined.sha256, grounds.get(month, NO_GROUNDS), calls)


def _refuse(file: Path, month: str, reason: str) -> SettingsError:
    text = N_(
        "the evidence {file} is not taken, since {reason}. Nothing is recorded: write the month's "
        "evidence with `wolkvox-billing reconcile --month {month} --evidence DIR`, look at it, and "
        "name that file"
    )
    return SettingsError(Sentence(text, file=file, reason=reason, month=month))
