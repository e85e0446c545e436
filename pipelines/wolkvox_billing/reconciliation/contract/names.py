"""Names in the line map and the rate card that nobody has: a price by one of them never holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from wolkvox_billing.invoices.document import short
from wolkvox_billing.reconciliation.facts import MonthUse
from wolkvox_billing.values.spelling import plain

_MOST_NAMED = 10


class Naming(Protocol):
    """A row of either file."""

    @property
    def line(self) -> int: ...
    @property
    def report(self) -> str: ...
    @property
    def operation_id(self) -> str: ...
    @property
    def product(self) -> str: ...


def unknown_names(
    rows: Iterable[Naming], file: str, operations: Collection[str], months: Sequence[MonthUse]
) -> list[str]:
    """A warning for each operation and product of a row that no operation has; none where nothing
    was ever asked. The use may come later, so that it is no error."""
    said: list[str] = []
    if not operations:
        return said
    for row in rows:
        own = {one for one in operations if plain(one) == plain(row.operation_id)}
        if row.operation_id and not own:
            said.append(
                f"{file}, line {row.line}, column operation_id: {short(row.operation_id)} is no "
                f"operation that was asked; there is {listed(operations)}"
            )
        there = {
            one.product
            for one in months
            if one.report == row.report and one.operation_id in (own or operations)
        }
        if row.product and plain(row.product) not in map(plain, there):
            said.append(
                f"{file}, line {row.line}, column product: {short(row.product)} is no product of "
                f"{row.report} that was read; there is {listed(there)}"
            )
    return said


def listed(names: Collection[str]) -> str:
    """Names for a person; of many, the first ones."""
    more = len(names) - _MOST_NAMED
    shown = ", ".join(map(short, sorted(names)[:_MOST_NAMED]))
    return (f"{shown} and {more} more" if more > 0 else shown) or "none so far"
