"""A verdict that accuses, with all that may speak for the supplier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from wolkvox_billing.marts.identities import Identities
from wolkvox_billing.reconciliation.behaviour import Behaviour
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS
from wolkvox_billing.reconciliation.facts import Facts, MonthUse
from wolkvox_billing.reconciliation.keys import Comparison, Key
from wolkvox_billing.reconciliation.verdicts import OVER, PRICE, UNDER, Doubt, Verdict
from wolkvox_billing.values.periods import Period
from wolkvox_billing.vendor.readings import TOTAL
from wolkvox_billing.warehouse.sql import Client, literal, rows_of

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
        cost, consumed = self.verdict.charged.of_measured, self.verdict.consumed
        if not cost or not consumed:
            return Decimal()
        return (self.verdict.billed_cost - cost) * consumed / cost

    @property
    def uses(self) -> Sequence[MonthUse]:
        return self.verdict.uses

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


# What explains a difference honestly, None where there is nothing to say, and of which statuses.
Explanations = tuple[tuple[Collection[str], Callable[[Case], Doubt | None]], ...]


class OddAnswers:
    """What was odd in answers, asked for once of all operations of a report in a period: there may
    be hundreds that are accused. tables: those that are there."""

    def __init__(
        self, client: Client, dataset: str, identities: Identities, tables: Collection[str]
    ) -> None:
        self._client = client
        self._identities = identities
        self._dataset = dataset
        self._has_rejected = "rejected_rows" in tables
        self._known: dict[tuple[str | None, Period], dict[str, Oddities]] = {}

    def of(self, key: Key) -> Oddities:
        """Return what was odd in the answers of a key's operation and report in its period."""
        assert key.period
        place = key.report, key.period
        if place not in self._known:
            self._known[place] = self._read(key.report, key.period)
        by_operation = self._known[place]
        own = self._identities.read_as(key.operation_id or "")
        if key.operation_id == ALL_OPERATIONS:
            own = [read for read in by_operation if self._identities.current(read)]
        odd = (by_operation.get(read, Oddities()) for read in own)
        return Oddities(*map(sum, zip(Oddities(), *odd, strict=True)))

    def _read(self, report: str | None, period: Period) -> dict[str, Oddities]:
        """Return what was odd, by operation as it was read; who is not in it had nothing."""
        raw, of_report = self._dataset, f"a.report = {literal(report)}"

        def within(column: str) -> str:
            days = f"{column} >= {literal(period.start)} AND {column} < {literal(period.end)}"
            return f"{of_report} AND {days}"

        sources = {
            "repeated": f"{raw}.readings AS a INNER JOIN {raw}.readings AS b "
            "ON b.poll_id = a.poll_id AND b.report = a.report AND b.operation = a.operation "
            "AND b.description = a.description AND b.date = a.date "
            "AND b.row_number > a.row_number AND b.items <> a.items "
            f"WHERE a.is_repeated AND {within('a.date')}",
            "percentages": f"{raw}.readings AS a WHERE {within('a.date')} "
            "AND a.items_raw LIKE '%%\\%%%%' ESCAPE '\\'",
        }
        if self._has_rejected:
            rejected = (
                f"{raw}.rejected_rows AS a INNER JOIN {raw}.polls AS p ON p.poll_id = a.poll_id "
                f"WHERE a.row_number > 0 AND {within('p.poll_date')} AND COALESCE(a.reason, '')"
            )
            sources["totals"] = f"{rejected} = {literal(TOTAL)}"
            sources["rejected"] = f"{rejected} <> {literal(TOTAL)}"
        odd: defaultdict[str, Oddities] = defaultdict(Oddities)
        for name, source in sources.items():
            query = f"SELECT a.operation_id, COUNT(*) FROM {source} GROUP BY a.operation_id"
            for operation_id, count in rows_of(self._client, query):
                odd[operation_id] = odd[operation_id]._replace(**{name: int(count)})
        return dict(odd)
