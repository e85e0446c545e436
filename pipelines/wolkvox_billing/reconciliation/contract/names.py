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
    """Return a warning for each operation and product of a row that no operation has; none where
    nothing was ever asked. The use may come later, so that it is no error."""
    warnings: list[str] = []
    if not operations:
        return warnings
    for row in rows:
        own = {name for name in operations if plain(name) == plain(row.operation_id)}
        if row.operation_id and not own:
            warnings.append(
                f"{file}, line {row.line}, column operation_id: {short(row.operation_id)} is no "
                f"operation that was asked; there is {quote_names(operations)}"
            )
        products = {
            use.product
            for use in months
            if use.report == row.report and use.operation_id in (own or operations)
        }
        if row.product and plain(row.product) not in map(plain, products):
            warnings.append(
                f"{file}, line {row.line}, column product: {short(row.product)} is no product of "
                f"{row.report} that was read; there is {quote_names(products)}"
            )
    return warnings


def quote_names(names: Collection[str]) -> str:
    """Return the names in quotes, as a person reads them; of many, the first ones."""
    more = len(names) - _MOST_NAMED
    text = ", ".join(map(short, sorted(names)[:_MOST_NAMED]))
    return (f"{text} and {more} more" if more > 0 else text) or "none so far"
