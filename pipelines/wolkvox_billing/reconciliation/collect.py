"""What was measured, out of the marts: the Facts of a comparison."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wolkvox_billing.marts.identities import Identities, read_identities
from wolkvox_billing.reconciliation.billed_documents import read_refused
from wolkvox_billing.reconciliation.billed_lines import read_billed_lines
from wolkvox_billing.reconciliation.contract.current_ids import lines_under_current_ids
from wolkvox_billing.reconciliation.copies import read_copies
from wolkvox_billing.reconciliation.facts import DayUse, Facts, ForgottenDay, Meter, MonthUse
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.periods import Period
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.warehouse.sql import Client, among, rows_of


def read_facts(client: Client, dataset: str, policy: Policy, tables: Collection[str]) -> Facts:
    """Return the Facts, as of the marts' clock, with the lines that the policy lets count. tables:
    those of the dataset, which a verb asks for once."""
    marts = f"{dataset}_marts"
    [(epoch, default, gauge_month)] = rows_of(
        client, f"SELECT as_of_epoch, timezone, gauge_month FROM {marts}.refreshed"
    )
    zones = rows_of(client, f"SELECT operation_id, timezone FROM {marts}.operations")
    identities = read_identities(client, marts)
    lines, warnings, doubts, stated, told = read_billed_lines(client, dataset, policy, tables)
    named_uses = _read_named_uses(client, marts)
    polled = _read_polled_days(client, dataset, identities)
    return Facts(
        now=datetime.fromtimestamp(epoch, timezone.utc),
        operations=_operations(polled, named_uses),
        months=_months(named_uses),
        days=_read_days(client, marts),
        lines=lines_under_current_ids(lines, identities),
        answered=_answered(polled),
        default_zone=ZoneInfo(default),
        zones={operation_id: ZoneInfo(zone) for operation_id, zone in zones if zone},
        gauge_month=gauge_month,
        cycle_day=policy.billing_cycle_day,
        warnings=warnings,
        doubts=doubts,
        refused=read_refused(client, dataset, tables),
        stated=stated,
        told=told,
        identities=identities,
        forgotten=_read_forgotten(client, dataset, identities),
        copies=read_copies(client, dataset, identities, tables),
    )


class _NamedUse(NamedTuple):
    """A row of usage_monthly: an operation under one of its names."""

    operation_name: str
    use: MonthUse


def _read_named_uses(client: Client, marts: str) -> list[_NamedUse]:
    """Return the rows of usage_monthly, which is asked once: it goes through all readings."""
    return [
        _NamedUse(name, MonthUse(operation_id, report, product, Period(start, end), *values))
        for operation_id, name, report, product, start, end, *values in rows_of(
            client,
            "SELECT operation_id, operation_name, report, product, billing_period_start, "
            "billing_period_end, measure, consumed_quantity, last_quantity, consumed_unit, "
            "last_read_at, hours_unread_at_end, measure_source, first_read_at "
            f"FROM {marts}.usage_monthly "
            "ORDER BY operation_id, report, product, billing_period_start, operation_name",
        )
    ]


class _PolledDay(NamedTuple):
    """A day on which an operation, as it counts, was asked for a report; whether it answered."""

    operation_id: str
    report: str
    day: date
    is_answered: bool


def _read_polled_days(client: Client, raw: str, identities: Identities) -> list[_PolledDay]:
    """Return the days on which somebody was asked."""
    # From the polls themselves: the mart `poll_coverage` knows it too, and takes seconds for ten
    # million of them, since it looks for gaps. A load asks each time.
    answered = f"{among('outcome', ANSWERS)} AS is_answered"
    days = rows_of(
        client, f"SELECT DISTINCT operation_id, report, poll_date, {answered} FROM {raw}.polls"
    )
    return [
        _PolledDay(current, *rest)
        for operation_id, *rest in days
        if (current := identities.current(operation_id))
    ]


def _operations(
    polled: Iterable[_PolledDay], named_uses: Iterable[_NamedUse]
) -> dict[str, str | None]:
    """Return the name that the vendor gave each operation last, None where it gave none."""
    operations: dict[str, str | None] = dict.fromkeys(day.operation_id for day in polled)
    for name, use in sorted(named_uses, key=lambda row: (row.use.last_read_at, row.operation_name)):
        operations[use.operation_id] = name
    return operations


def _months(named_uses: Iterable[_NamedUse]) -> list[MonthUse]:
    """Return the use of each operation, report, product and month: several names of one operation
    that come in the same answer are added up."""
    uses: dict[tuple[Meter, Period], MonthUse] = {}
    for _, use in named_uses:
        other = uses.get((use.meter, use.period))
        uses[use.meter, use.period] = _add(other, use) if other else use
    return list(uses.values())


def _add(use: MonthUse, other: MonthUse) -> MonthUse:
    """Return two names' use as one. What they mean together is not known if they differ in it."""
    quantity = None
    if use.measure == other.measure and use.quantity is not None and other.quantity is not None:
        quantity = use.quantity + other.quantity
    hours = [hours for hours in (use.hours_unread, other.hours_unread) if hours is not None]
    return replace(
        other,
        measure=None if quantity is None else other.measure,
        quantity=quantity,
        last_quantity=use.last_quantity + other.last_quantity,
        last_read_at=max(use.last_read_at, other.last_read_at),
        hours_unread=max(hours, default=None),
        first_read_at=min(use.first_read_at, other.first_read_at),
    )


def _read_days(client: Client, marts: str) -> dict[Meter, list[DayUse]]:
    days: defaultdict[Meter, dict[date, DayUse]] = defaultdict(dict)
    for operation_id, report, product, day, covers, quantity in rows_of(
        client,
        "SELECT operation_id, report, product, usage_date, days_covered, consumed_quantity "
        f"FROM {marts}.usage_daily WHERE consumed_quantity IS NOT NULL "
        "ORDER BY usage_date, operation_name",
    ):
        uses, use = days[Meter(operation_id, report, product)], DayUse(day, covers, quantity)
        if other := uses.get(day):  # the same product under another name of the operation
            use = DayUse(day, max(covers, other.covers), quantity + other.quantity)
        uses[day] = use
    return {meter: list(uses.values()) for meter, uses in days.items()}


def _answered(polled: Iterable[_PolledDay]) -> dict[tuple[str, str], set[date]]:
    answered: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for operation_id, report, day, is_answered in polled:
        if is_answered:
            answered[operation_id, report].add(day)
    return dict(answered)


def _read_forgotten(client: Client, raw: str, identities: Identities) -> list[ForgottenDay]:
    """Return the days on which operations that are left out show use."""
    if not identities.forgotten:
        return []
    return [
        ForgottenDay(*row)
        for row in rows_of(
            client,
            f"SELECT DISTINCT operation_id, operation, report, date FROM {raw}.readings "
            f"WHERE {among('operation_id', identities.forgotten)} AND items > 0 "
            "ORDER BY 1, 2, 3, 4",
        )
    ]
