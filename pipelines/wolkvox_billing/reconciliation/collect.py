"""What was measured, out of the marts: the Facts of a comparison, and what nobody saw of a use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wolkvox_billing.reconciliation.behaviour import (
    Behaviour,
    after_turn,
    behaviour_of,
    count_between,
    raised_later,
    widen,
    without_slips,
)
from wolkvox_billing.reconciliation.billed_lines import read_billed_lines
from wolkvox_billing.reconciliation.facts import DayUse, Facts, Meter, MonthUse
from wolkvox_billing.reconciliation.ledger import Part
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.unread import (
    Day,
    Point,
    Unread,
    Unseen,
    add_unread,
    unread_of_counter,
    unread_of_days,
    unread_of_gauge,
)
from wolkvox_billing.values.clock import day_start
from wolkvox_billing.values.periods import DAY, Period
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.sql import Client, among, literal, rows_of


def read_facts(client: Client, dataset: str, policy: Policy) -> Facts:
    """Return the Facts, as of the marts' clock, with the lines that the policy lets count."""
    marts = f"{dataset}_marts"
    [(epoch, default, gauge_month)] = rows_of(
        client, f"SELECT as_of_epoch, timezone, gauge_month FROM {marts}.refreshed"
    )
    zones = rows_of(client, f"SELECT operation_id, timezone FROM {marts}.operations")
    lines, warnings, doubts = read_billed_lines(client, dataset, policy)
    return Facts(
        now=datetime.fromtimestamp(epoch, timezone.utc),
        operations=_read_operations(client, dataset, marts),
        months=_read_months(client, marts),
        days=_read_days(client, marts),
        lines=lines,
        answered=_read_answered(client, dataset),
        default_zone=ZoneInfo(default),
        zones={operation_id: ZoneInfo(zone) for operation_id, zone in zones if zone},
        gauge_month=gauge_month,
        warnings=warnings,
        doubts=doubts,
    )


def _read_operations(client: Client, raw: str, marts: str) -> dict[str, str | None]:
    # From the polls themselves: the mart `poll_coverage` knows it too, and takes seconds for ten
    # million of them, since it looks for gaps. A load asks each time.
    asked = rows_of(client, f"SELECT DISTINCT operation_id FROM {raw}.polls")
    operations: dict[str, str | None] = dict.fromkeys(operation_id for (operation_id,) in asked)
    operations |= rows_of(
        client,
        f"SELECT operation_id, operation_name FROM {marts}.usage_monthly "
        "GROUP BY operation_id, operation_name ORDER BY MAX(last_read_at), operation_name",
    )  # so that the name that the vendor gave last stays
    return operations


def _read_months(client: Client, marts: str) -> list[MonthUse]:
    """Return the use of each operation, report, product and month: several names of one operation
    that come in the same answer are added up."""
    uses: dict[tuple[Meter, Period], MonthUse] = {}
    for operation_id, report, product, start, end, *values in rows_of(
        client,
        "SELECT operation_id, report, product, billing_period_start, billing_period_end, "
        "measure, consumed_quantity, last_quantity, consumed_unit, last_read_at, "
        f"hours_unread_at_end, measure_source, first_read_at FROM {marts}.usage_monthly "
        "ORDER BY operation_id, report, product, billing_period_start, operation_name",
    ):
        use = MonthUse(operation_id, report, product, Period(start, end), *values)
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


def _read_answered(client: Client, raw: str) -> dict[tuple[str, str], set[date]]:
    answered: defaultdict[tuple[str, str], set[date]] = defaultdict(set)
    for operation_id, report, day in rows_of(
        client,
        f"SELECT DISTINCT operation_id, report, poll_date FROM {raw}.polls "
        f"WHERE {among('outcome', ANSWERS)}",
    ):
        answered[operation_id, report].add(day)
    return dict(answered)


class _Reading(NamedTuple):
    """What was read of a day; one that was read after it was over stands at its end."""

    day: date
    point: Point
    age: int = 0  # seconds from its day's end to the moment; below nothing within the day


CUT_AT_18 = -6 * 3600  # the end of a business day, before midnight


class Observed(NamedTuple):
    """What nobody saw of the disputed parts of months' uses, and how each use behaved, under each
    name of its operation."""

    unseen: Unseen
    behaviours: Mapping[MonthUse, list[Behaviour]]


def observe(
    client: Client, dataset: str, facts: Facts, parts: Iterable[Part], policy: Policy
) -> Observed:
    """Return what the readings show of each part of a month's use, and what they leave open."""
    stretches: defaultdict[MonthUse, list[Period]] = defaultdict(list)
    for part in parts:
        stretches[part.use].append(part.stretch)
    unseen: dict[tuple[MonthUse, Period], Unread] = {}
    behaviours: dict[MonthUse, list[Behaviour]] = {}
    for use, periods in stretches.items():  # one use after the other: a month has many readings
        readings = _read_readings(client, f"{dataset}_marts", use, facts.zone_of(use.operation_id))
        own = [_behaviour(use, of_name, facts) for of_name in readings]
        behaviours[use] = own
        for period in periods:
            unseen[use, period] = add_unread(
                [
                    _unread(use, period, of_name, behaviour, facts, policy)
                    for of_name, behaviour in zip(readings, own, strict=True)
                ]
            )
    return Observed(unseen, behaviours)


def _read_readings(
    client: Client, marts: str, use: MonthUse, zone: ZoneInfo
) -> list[list[_Reading]]:
    """Return what was read in a month, on the day before and in the two days after it, for each
    name of its operation, in the order of moments."""
    readings: defaultdict[str, list[_Reading]] = defaultdict(list)
    for name, day, epoch, quantity in rows_of(
        client,
        f"SELECT operation_name, usage_date, read_epoch, quantity FROM {marts}.stg_readings "
        f"WHERE operation_id = {literal(use.operation_id)} AND report = {literal(use.report)} "
        f"AND product = {literal(use.product)} AND usage_date >= {literal(use.period.start - DAY)} "
        f"AND usage_date < {literal(use.period.end + 2 * DAY)} ORDER BY read_epoch, poll_id",
    ):
        end = day_start(day + DAY, zone)
        readings[name].append(_Reading(day, Point(min(epoch, end), quantity), epoch - end))
    return [
        sorted(of_name, key=lambda read: read.point.at)
        for of_name in readings.values()
        if any(use.period.start <= reading.day < use.period.end for reading in of_name)
    ]


def _behaviour(use: MonthUse, readings: Sequence[_Reading], facts: Facts) -> Behaviour:
    zone, end = facts.zone_of(use.operation_id), use.period.end
    is_counter = use.measure == "month_to_date"
    report = REPORTS.get(use.report)
    own = [reading.point for reading in readings if use.period.start <= reading.day < end]
    start = day_start(use.period.start, zone)
    behaviour = behaviour_of(
        after_turn(without_slips(own), start) if is_counter else own,
        [reading.point for reading in readings if reading.day >= end],
        start,
        day_start(end, zone),
        is_nightly=is_counter and bool(report and report.is_nightly),
        is_daily=use.measure == "daily",
    )
    if use.measure == "daily":
        return replace(behaviour, may_be_raised=_may_be_raised(readings, use.period))
    if not is_counter:
        return behaviour
    before = [reading.point for reading in readings if reading.day < use.period.start]
    after = [reading.point for reading in readings if reading.day >= end]
    offset = datetime.fromtimestamp(start, zone).utcoffset() or timedelta()
    counts = (
        count_between(before, own, after, start + seconds, day_start(end, zone) + seconds)
        for seconds in (int(offset.total_seconds()), CUT_AT_18)
    )
    return replace(behaviour, by_clock=tuple(count for count in counts if count))


def _may_be_raised(readings: Sequence[_Reading], period: Period) -> Decimal:
    days: defaultdict[date, list[Point]] = defaultdict(list)
    for reading in readings:
        if period.start <= reading.day < period.end:
            days[reading.day].append(Point(reading.age, reading.point.quantity))
    return raised_later([sorted(day, key=lambda point: point.at) for day in days.values()])


def _unread(
    use: MonthUse,
    period: Period,
    readings: Sequence[_Reading],
    behaviour: Behaviour,
    facts: Facts,
    policy: Policy,
) -> Unread:
    """Return how much nobody saw of a use under one name of its operation."""
    zone = facts.zone_of(use.operation_id)
    month = use.period
    own = [reading for reading in readings if month.start <= reading.day < month.end]
    if use.measure == "month_to_date":
        first, start, end = (day_start(day, zone) for day in (month.start, *period))
        points = after_turn(without_slips([reading.point for reading in own]), first)
        unread = unread_of_counter(points, first, start, end, policy.tail_factor)
        if period.end < month.end:
            return unread
        return widen(unread, points, behaviour, first, end, policy)
    by_day: defaultdict[date, list[Point]] = defaultdict(list)
    for reading in own:
        by_day[reading.day].append(reading.point)
    days = [
        Day(day_start(day, zone), day_start(day + DAY, zone), tuple(by_day[day]))
        for day in (period.start + n * DAY for n in range((period.end - period.start).days))
    ]
    if use.is_gauge:
        return unread_of_gauge(days, facts.gauge_month)
    return unread_of_days(days, policy.tail_factor)
