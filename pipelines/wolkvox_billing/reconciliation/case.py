"""A verdict that accuses, with all that may speak for the supplier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from wolkvox_billing.reconciliation.behaviour import Behaviour
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS
from wolkvox_billing.reconciliation.facts import Facts, MonthUse
from wolkvox_billing.reconciliation.keys import Comparison, Key
from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.vendor.readings import TOTAL
from wolkvox_billing.warehouse.sql import Client, literal, rows_of

QUANTITY = OVER, UNDER = ("overbilled_quantity", "underbilled_quantity")
UNBILLED = "usage_not_invoiced"
UNUSED = "invoiced_without_usage"
PRICE = "price_difference"
# Seconds and minutes, minutes and hours; hundreds, thousands and millions.
UNIT_FACTORS = tuple(map(Decimal, (60, 100, 1000, 3600, 60_000, 10**6)))
BEGUN = (Decimal(100), Decimal(1000))  # of which one that is begun may be billed whole
LATER = 3  # days beyond which an invoice is later than any before
NEARLY = Decimal("0.02")  # of a quantity: what a doubt need not hit to the unit


class Oddities(NamedTuple):
    """What was odd in the answers of an operation and report in a period: rows that could not be
    read, among them rows of totals, rows of one key with other amounts, and percentages."""

    rejected: int = 0
    totals: int = 0
    repeated: int = 0
    percentages: int = 0


@dataclass(frozen=True)
class Case:
    """A verdict that accuses, with all that may speak for the supplier."""

    verdict: Verdict
    behaviours: Sequence[Behaviour]
    oddities: Oddities
    facts: Facts
    comparison: Comparison

    @property
    def key(self) -> Key:
        return self.verdict.key

    @property
    def status(self) -> str:
        """What is said: of an amount without a quantity, that too much was billed or too little."""
        if self.verdict.status == PRICE and self.verdict.billed_quantity is None:
            return OVER if self.excess > 0 else UNDER
        return self.verdict.status

    @property
    def excess(self) -> Decimal:
        """What was billed beyond what was measured, of an amount without a quantity as much as it
        pays; below nothing where it was less."""
        if self.verdict.billed_quantity is not None:
            return self.verdict.quantity_variance or Decimal()
        cost, consumed = self.verdict.contracted_cost, self.verdict.consumed
        if not cost or not consumed:
            return Decimal()
        return (self.verdict.billed_cost - cost) * consumed / cost

    @property
    def uses(self) -> Sequence[MonthUse]:
        return self.verdict.measured.uses if self.verdict.measured else ()

    @property
    def tail(self) -> Decimal:
        """What nobody read can hold at most."""
        unread = self.verdict.unread
        return (unread.missing.quantity if unread else None) or Decimal()

    @property
    def billed(self) -> Decimal:
        """How much was billed; of an amount without a quantity, how much it pays."""
        return (self.verdict.consumed or Decimal()) + self.excess

    @cached_property
    def report_uses(self) -> list[MonthUse]:
        """The uses of all products of the operation and report in the period."""
        period = self.key.period
        uses = self.facts.uses_of(self.key.operation_id, self.key.report)
        return [use for use in uses if period and use.period.overlaps(period)]

    @property
    def are_counters(self) -> bool:
        """Whether all is counted up from the month's turn."""
        return all(use.measure == "month_to_date" for use in self.uses)

    @property
    def is_gauge(self) -> bool:
        return any(use.is_gauge for use in self.uses)


def read_oddities(client: Client, dataset: str, key: Key, *, has_rejected: bool) -> Oddities:
    """Return what was odd in the answers of a key's operation and report in its period.
    `has_rejected`: the dataset has the table rejected_rows."""
    assert key.period
    where = f"{{0}}.report = {literal(key.report)}"
    if key.operation_id != ALL_OPERATIONS:
        where += f" AND {{0}}.operation_id = {literal(key.operation_id)}"
    days = f"{{0}} >= {literal(key.period.start)} AND {{0}} < {literal(key.period.end)}"
    rejected = totals = 0
    if has_rejected:
        is_total = f"CASE WHEN r.reason = {literal(TOTAL)} THEN 1 ELSE 0 END"
        [(rejected, totals)] = rows_of(
            client,
            f"SELECT COUNT(*), COALESCE(SUM({is_total}), 0) FROM {dataset}.rejected_rows AS r "
            f"INNER JOIN {dataset}.polls AS p ON p.poll_id = r.poll_id WHERE r.row_number > 0 "
            f"AND {where.format('r')} AND {days.format('p.poll_date')}",
        )
    [(repeated,)] = rows_of(
        client,
        f"SELECT COUNT(*) FROM {dataset}.readings AS a INNER JOIN {dataset}.readings AS b "
        "ON b.poll_id = a.poll_id AND b.report = a.report AND b.operation = a.operation "
        "AND b.description = a.description AND b.date = a.date AND b.row_number > a.row_number "
        f"AND b.items <> a.items WHERE a.is_repeated AND {where.format('a')} "
        f"AND {days.format('a.date')}",
    )
    [(percentages,)] = rows_of(
        client,
        f"SELECT COUNT(*) FROM {dataset}.readings AS a WHERE {where.format('a')} "
        f"AND {days.format('a.date')} AND a.items_raw LIKE '%%\\%%%%' ESCAPE '\\'",
    )
    return Oddities(int(rejected) - int(totals), int(totals), int(repeated), int(percentages))
