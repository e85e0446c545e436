"""Line map and rate card by what operations count as today: people keep files longer than names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from wolkvox_billing.marts.identities import Identities
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.values.spelling import plain

Row = TypeVar("Row", MapRow, Rate)


def under_current_ids(rows: Iterable[Row], identities: Identities) -> list[Row]:
    """Return the rows of a file, each by what its operation counts as. Of one that is left out, or
    that nobody knows, it stays as it is written."""
    current = _current_by_spelling(identities)
    return [
        replace(row, operation_id=current.get(plain(row.operation_id), row.operation_id))
        for row in rows
    ]


def lines_under_current_ids(
    lines: Sequence[BilledLine], identities: Identities
) -> list[BilledLine]:
    """Return invoice lines, each with what the operation that it names by an id counts as."""
    current = _current_by_spelling(identities)
    if not current:
        return [*lines]
    return [
        line._replace(operation=current.get(plain(line.operation or ""), line.operation))
        for line in lines
    ]


def _current_by_spelling(identities: Identities) -> dict[str, str]:
    return {plain(row.operation_id): row.current_id or "" for row in identities.moved}
