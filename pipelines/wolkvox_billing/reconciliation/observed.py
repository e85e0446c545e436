"""What the readings of a month's use show, and what they leave open: read where it is disputed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wolkvox_billing.marts.engine import internal_of
from wolkvox_billing.reconciliation.behaviour import (
    Behaviour,
    after_turn,
    behaviour_of,
    count_between,
    hours_before,
    widen,
    without_slips,
)
from wolkvox_billing.reconciliation.facts import Facts, Meter, MonthUse
from wolkvox_billing.reconciliation.ledger import Part
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.restated import Raises, raises_of
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
from wolkvox_billing.vendor.reports import is_nightly
from wolkvox_billing.warehouse.sql import Client, among, literal, rows_of

CUT_AT_18 = -6 * 3600  # the end of a business day, before midnight
BESIDE = 62 * DAY  # two months on either side
READ_AT_ONCE = 10  # uses, whose readings of a month are some ten thousand each


class _Reading(NamedTuple):
    """What was read of a day; one that was read after it was over stands at its end."""

    day: date
    point: Point
    age: int = 0  # seconds from its day's end to the moment; below nothing within the day


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
    for uses in _in_groups(stretches):
        for use, trails in _read_trails(client, internal_of(dataset), uses, facts):
            behaviours[use] = [trail.behaviour for trail in trails]
            for period in stretches[use]:
                unseen[use, period] = add_unread(
                    [trail.unread_in(period, facts.gauge_month, policy) for trail in trails]
                )
    return Observed(unseen, behaviours)


def _in_groups(uses: Iterable[MonthUse]) -> Iterator[Sequence[MonthUse]]:
    """Yield the uses of one report and month, a few at a time: a month has many readings."""
    of_month: defaultdict[tuple[str, Period], list[MonthUse]] = defaultdict(list)
    for use in uses:
        of_month[use.report, use.period].append(use)
    for own in of_month.values():
        for start in range(0, len(own), READ_AT_ONCE):
            yield own[start : start + READ_AT_ONCE]


@dataclass(frozen=True)
class _Trail:
    """What was read of a use under one name of its operation, in the order of moments: in its
    month, on the day before and in the two days after it. `beside`: what was read of days of the
    months beside it, where this one does not show how its days grow when they are over."""

    use: MonthUse
    zone: ZoneInfo
    readings: Sequence[_Reading]
    beside: Sequence[_Reading] = ()

    @cached_property
    def own(self) -> list[_Reading]:
        """What was read of the month itself."""
        return [reading for reading in self.readings if self.use.period.has(reading.day)]

    @property
    def start(self) -> int:
        return day_start(self.use.period.start, self.zone)

    @property
    def end(self) -> int:
        return day_start(self.use.period.end, self.zone)

    @property
    def is_counter(self) -> bool:
        return self.use.measure == "month_to_date"

    @cached_property
    def points(self) -> list[Point]:
        """What the month's numbers were, of a counter without slips and what it showed of the month
        before."""
        points = [reading.point for reading in self.own]
        return after_turn(without_slips(points), self.start) if self.is_counter else points

    @cached_property
    def behaviour(self) -> Behaviour:
        month, is_daily = self.use.period, self.use.measure == "daily"
        after = [reading.point for reading in self.readings if reading.day >= month.end]
        behaviour = behaviour_of(
            self.points,
            after,
            self.start,
            self.end,
            is_nightly=self.is_counter and is_nightly(self.use.report),
            is_daily=is_daily,
        )
        if is_daily:
            return replace(behaviour, raises=self.raises)
        if not self.is_counter:
            return behaviour
        before = [reading.point for reading in self.readings if reading.day < month.start]
        own = [reading.point for reading in self.own]
        offset = datetime.fromtimestamp(self.start, self.zone).utcoffset() or timedelta()
        counts = (
            count_between(
                before if before or seconds > 0 else hours_before(own, self.start, -seconds),
                own,
                after,
                self.start + seconds,
                self.end + seconds,
            )
            for seconds in (int(offset.total_seconds()), CUT_AT_18)
        )
        return replace(behaviour, by_clock=tuple(count for count in counts if count))

    @cached_property
    def raises(self) -> Raises:
        return raises_of(_by_age(self.own), _by_age(self.beside))

    def unread_in(self, period: Period, gauge_month: str, policy: Policy) -> Unread:
        """Return how much nobody saw in a stretch of the month."""
        if self.is_counter:
            start, end = (day_start(day, self.zone) for day in period)
            unread = unread_of_counter(self.points, self.start, start, end, policy.tail_factor)
            if period.end < self.use.period.end:
                return unread
            return widen(unread, self.points, self.behaviour, self.start, end, policy)
        by_day: defaultdict[date, list[Point]] = defaultdict(list)
        for reading in self.own:
            by_day[reading.day].append(reading.point)
        days = [
            Day(day_start(day, self.zone), day_start(day + DAY, self.zone), tuple(by_day[day]))
            for day in period.days
        ]
        if self.use.is_gauge:
            return unread_of_gauge(days, gauge_month)
        return unread_of_days(days, policy.tail_factor)


def _by_age(readings: Iterable[_Reading]) -> list[list[Point]]:
    """Return what was read of each day, by how long it was over."""
    days: defaultdict[date, list[Point]] = defaultdict(list)
    for reading in readings:
        days[reading.day].append(Point(reading.age, reading.point.quantity))
    return [sorted(points, key=lambda point: point.at) for points in days.values()]


def _read_trails(
    client: Client, internal: str, uses: Sequence[MonthUse], facts: Facts
) -> Iterator[tuple[MonthUse, list[_Trail]]]:
    """Yield each of the uses of one report and month with a trail for each name of its operation
    that has readings in the month."""
    month = uses[0].period
    days = Period(month.start - DAY, month.end + 2 * DAY)
    readings = _read_days(client, internal, uses, days, facts)
    for use in uses:
        zone = facts.zone_of(use.operation_id)
        trails = {name: _Trail(use, zone, own) for name, own in readings.get(use.meter, {}).items()}
        trails = {name: trail for name, trail in trails.items() if trail.own}
        if use.measure == "daily" and any(trail.raises.unread for trail in trails.values()):
            longer = Period(month.start - BESIDE, month.end + BESIDE)
            around = _read_days(client, internal, [use], longer, facts).get(use.meter, {})
            trails = {
                name: replace(trail, beside=[r for r in around[name] if not month.has(r.day)])
                for name, trail in trails.items()
            }
        yield use, list(trails.values())


def _read_days(
    client: Client, internal: str, uses: Sequence[MonthUse], days: Period, facts: Facts
) -> Mapping[Meter, Mapping[str, list[_Reading]]]:
    """Return what was read on these days of what uses of one report count, in the order of moments,
    by the name of the operation."""
    readings: defaultdict[Meter, defaultdict[str, list[_Reading]]]
    readings = defaultdict(lambda: defaultdict(list))
    report = uses[0].report
    for operation_id, product, name, day, epoch, quantity in rows_of(
        client,
        "SELECT operation_id, product, operation_name, usage_date, read_epoch, quantity "
        f"FROM {internal}.stg_readings WHERE report = {literal(report)} "
        f"AND {among('operation_id', {use.operation_id for use in uses})} "
        f"AND {among('product', {use.product for use in uses})} "
        f"AND usage_date >= {literal(days.start)} AND usage_date < {literal(days.end)} "
        "ORDER BY read_epoch, poll_id",
    ):
        end = day_start(day + DAY, facts.zone_of(operation_id))
        reading = _Reading(day, Point(min(epoch, end), quantity), epoch - end)
        readings[Meter(operation_id, report, product)][name].append(reading)
    for names in readings.values():
        for own in names.values():
            own.sort(key=lambda reading: reading.point.at)
    return readings
