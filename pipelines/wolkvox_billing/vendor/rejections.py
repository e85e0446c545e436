"""How many rows of an answer could not be read, in numbers and in words.

A TOTAL row beside readings is no loss: its number is theirs. Where nothing else came it is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wolkvox_billing.vendor.readings import TOTAL


@dataclass(frozen=True)
class UnreadableRows:
    """Of the `rows` of an answer `count` could not be read, the first of them for this reason."""

    rows: int
    count: int
    reason: str

    @property
    def are_all(self) -> bool:
        """Whether nothing is left of the answer."""
        return self.count == self.rows

    def __str__(self) -> str:
        if not self.are_all:
            says = f"{self.count} of {self.rows} rows could not be read"
        elif self.rows > 1:
            says = f"none of {self.rows} rows could be read"
        else:
            says = "the only row could not be read"
        return f"{says} ({'the first: ' if self.count > 1 else ''}{self.reason})"


def unreadable_rows(rows: int, reasons: Iterable[str]) -> UnreadableRows | None:
    """Return what could not be read of an answer of so many rows, by the reason of each row that
    was rejected, in their order; None where that is nothing, or but TOTAL rows beside readings."""
    rejected = list(reasons)
    others = [reason for reason in rejected if reason != TOTAL]
    if rejected and len(rejected) == rows:
        return UnreadableRows(rows, rows, (others or rejected)[0])
    return UnreadableRows(rows, len(others), others[0]) if others else None
