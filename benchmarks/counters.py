"""Numbers of an honest vendor: what a counter shows at any moment, and what an invoice bills of it.

A Counter is made of use (`live`, `nightly`, `daily`, `gauge`), and then goes wrong in honest ways
(`frozen`, `moved`, `lagging`, ...), which may be put one on another. Moments are seconds of the
vendor's own clock since EPOCH: no daylight saving, and no zone.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple, Protocol

EPOCH = date(2026, 1, 1)
MINUTE, HOUR, DAY = 60, 3600, 86_400
NIGHT = 3 * HOUR  # when the nightly copy runs
# Of a day's use, an hour's part; and of a week's days, Monday first, how busy they are.
HOURS = (1, 1, 0, 0, 1, 2, 6, 20, 60, 80, 85, 80, 60, 65, 80, 85, 75, 50, 30, 18, 10, 6, 4, 2)
LONG_HOURS = (20, 12, 8, 6, 6, 10, 20, 40, 60, 70, 75, 75, 65, 65, 70, 75, 75, 70, 65, 60, 60, 55,
              45, 30)  # fmt: skip
WEEK = (1.15, 1.05, 1.0, 1.0, 1.1, 0.4, 0.05)


def second_of(day: date) -> int:
    return (day - EPOCH).days * DAY


@cache
def _date_of(number: int) -> date:
    return EPOCH + timedelta(days=number)


def date_of(at: int) -> date:
    return _date_of(at // DAY)


@cache
def _month_of(number: int) -> Span:
    first = _date_of(number).replace(day=1)
    return Span(second_of(first), second_of((first + timedelta(days=32)).replace(day=1)))


def month_of(at: int) -> Span:
    """The calendar month that a moment is in."""
    return _month_of(at // DAY)


class Span(NamedTuple):
    """From a moment to before another one."""

    start: int
    end: int


class Use(Protocol):
    """How many units were used up to a moment, since some moment before all others."""

    def until(self, at: int) -> int: ...


class Busy:
    """Use by the hour, with quiet Sundays and no two days alike."""

    def __init__(
        self, rng: random.Random, span: Span, per_month: float, growing_days: int = 0
    ) -> None:
        self.start = span.start
        hours = HOURS if rng.random() < 0.6 else LONG_HOURS
        amounts = []
        for number in range((span.end - span.start) // DAY):
            day = date_of(span.start + number * DAY)
            expected = per_month / 30.4 * WEEK[day.weekday()] * rng.lognormvariate(0, 0.15)
            if growing_days:  # a roll-out: each day more than the one before, weekends too
                expected = per_month / 30.4 * min(1 + number, growing_days) / growing_days
            amounts += [_poisson(rng, expected * part / sum(hours)) for part in hours]
        self.amounts = amounts
        self.before = [0, *accumulate(amounts)]
        self.phases = [rng.randrange(HOUR) for _ in amounts]

    def until(self, at: int) -> int:
        hour, second = divmod(at - self.start, HOUR)
        if hour >= len(self.amounts):
            return self.before[-1]
        within = (self.amounts[hour] * second + self.phases[hour]) // HOUR
        return self.before[hour] + within


class Rare:
    """Single uses, so many a day."""

    def __init__(self, rng: random.Random, span: Span, per_day: float) -> None:
        self.moments = []
        at = float(span.start)
        while (at := at + rng.expovariate(per_day / DAY)) < span.end:
            self.moments.append(int(at))

    def until(self, at: int) -> int:
        return bisect_right(self.moments, at)


def _poisson(rng: random.Random, expected: float) -> int:
    if expected > 30:
        return max(round(rng.gauss(expected, math.sqrt(expected))), 0)
    count, limit, product = 0, math.exp(-expected), rng.random()
    while product > limit:
        product *= rng.random()
        count += 1
    return count


@dataclass(frozen=True)
class Counter:
    """`shows`: the number at a moment, in units of 1/`scale`. `bills`: what an honest invoice says
    of a span of whole days. `dated`: the moment by which the vendor dates the number."""

    shows: Callable[[int], int]
    bills: Callable[[int, int], Decimal]
    scale: int = 1
    dated: Callable[[int], int] = int

    def text(self, number: int) -> str:
        """A number as the vendor writes it."""
        if self.scale == 1:
            return str(number)
        return f"{Decimal(number) / self.scale:.2f}"


Kind = Callable[[Use, random.Random], Counter]
Effect = Callable[[Counter, random.Random], Counter]


def fixed(rng: random.Random, draw: Callable[[random.Random, Span], int]) -> Callable[[Span], int]:
    """A number that is drawn once for each month, whoever asks first."""
    seed = rng.random()
    return lru_cache(maxsize=None)(
        lambda month: draw(random.Random(f"{seed} {month.start}"), month)  # noqa: S311
    )


# What is counted.


def live(use: Use, rng: random.Random) -> Counter:
    """Each use counts at once, from zero at the month's turn."""
    return Counter(lambda at: use.until(at) - use.until(month_of(at).start), _called(use))


def _called(use: Use, scale: int = 1) -> Callable[[int, int], Decimal]:
    return lambda start, end: Decimal(use.until(end) - use.until(start)) / scale


def minutes(use: Use, rng: random.Random) -> Counter:
    """A live counter with two decimals."""
    return replace(live(use, rng), scale=100, bills=_called(use, 100))


def seconds(use: Use, rng: random.Random) -> Counter:
    """A live counter of seconds, which are billed as minutes with two decimals."""
    called = _called(use, 60)
    return replace(live(use, rng), scale=60, bills=lambda *span: round(called(*span), 2))


def turning(seconds: int, *, bills_its_own: bool) -> Kind:
    """A live counter whose month begins so much later than the calendar's (before it, where
    negative), as by another clock; the invoice follows its own month or the calendar's."""

    def kind(use: Use, rng: random.Random) -> Counter:
        def shows(at: int) -> int:
            start = month_of(at - seconds).start
            return use.until(at) - use.until(start + min(seconds, 0))

        def bills(start: int, end: int) -> Decimal:
            moved = seconds if bills_its_own else 0
            return _called(use)(start + moved, end + moved)

        return Counter(shows, bills)

    return kind


def billed_until(seconds: int) -> Kind:
    """A live counter, and an invoice over months that end so much before (after) the calendar's."""

    def kind(use: Use, rng: random.Random) -> Counter:
        called = _called(use)
        return replace(
            live(use, rng), bills=lambda start, end: called(start + seconds, end + seconds)
        )

    return kind


def nightly(measure: str) -> Kind:
    """What was called on a day is copied, and counted, at 03:00 of the next one. An invoice bills
    what was `copied` in a month, `called` in it, or is there `after_first_night` of the next."""

    def kind(use: Use, rng: random.Random) -> Counter:
        def copied(at: int) -> int:
            return use.until((at - NIGHT) // DAY * DAY)

        def bills(start: int, end: int) -> Decimal:
            first = start if measure == "called" else start - DAY
            last = end - DAY if measure == "copied" else end
            return Decimal(use.until(last) - use.until(first))

        return Counter(lambda at: copied(at) - copied(month_of(at).start), bills)

    return kind


def caught_up(use: Use, rng: random.Random) -> Counter:
    """A nightly copy that failed in one night of each month, and was caught up in the next."""
    failed = fixed(rng, lambda r, month: month.start + r.randrange(5, 25) * DAY)

    def copied(at: int) -> int:
        day = (at - NIGHT) // DAY * DAY
        return use.until(day - DAY if day == failed(month_of(day)) else day)

    def bills(start: int, end: int) -> Decimal:
        return Decimal(use.until(end - DAY) - use.until(start - DAY))

    return Counter(lambda at: copied(at) - copied(month_of(at).start), bills)


def daily(use: Use, rng: random.Random) -> Counter:
    """The day's own number, from zero at each midnight."""
    return Counter(lambda at: use.until(at) - use.until(at // DAY * DAY), _called(use))


def never_reset(use: Use, rng: random.Random) -> Counter:
    """Counts on over the turns of months."""
    return Counter(use.until, _called(use))


# Levels: of a level, the use is how busy the days are, and nothing more.


Steps = list[tuple[int, int]]  # from which moment on a level is how high
Levels = Callable[[random.Random, Span], Steps]  # those of a month


def gauge(levels: Levels, billed: str) -> Kind:
    """A level that changes at moments of each month, and an invoice over its `max`, `last`,
    `first`, `average` or `pro rata` (whole days, by the level at the end of each)."""

    def kind(use: Use, rng: random.Random) -> Counter:
        seed = rng.random()

        @cache
        def steps(month: Span) -> Steps:
            return levels(random.Random(f"{seed} {month.start}"), month)  # noqa: S311

        def shows(at: int) -> int:
            changes = steps(month_of(at))
            return changes[bisect_right(changes, (at, 10**9)) - 1][1]

        def bills(start: int, end: int) -> Decimal:
            changes = [change for change in steps(month_of(start)) if change[0] < end]
            if billed == "max":
                return Decimal(max(level for _, level in changes))
            if billed == "first":
                return Decimal(changes[0][1])
            if billed == "last":
                return Decimal(changes[-1][1])
            if billed == "pro rata":
                days = range(start, end, DAY)
                return round(Decimal(sum(shows(day + DAY - 1) for day in days)) / len(days), 2)
            ends = [at for at, _ in changes[1:]] + [end]
            area = sum(
                level * (until - at) for (at, level), until in zip(changes, ends, strict=True)
            )
            return round(Decimal(area) / (end - start), 2)

        return Counter(shows, bills)

    return kind


def office_hours(rng: random.Random, month: Span) -> Steps:
    """Licences that are active now: some in office hours of weekdays, and none at night."""
    level = 10 + month.start // DAY % 7 * 5
    steps = [(month.start, 0)]
    for day in range(month.start, month.end, DAY):
        if date_of(day).weekday() < 6:
            steps += [(day + 8 * HOUR, level), (day + 18 * HOUR, 0)]
    return steps


def peak(rng: random.Random, month: Span) -> Steps:
    """Twenty, and for six hours of one day three more."""
    at = month.start + rng.randrange(2, 28) * DAY + rng.randrange(6, 12) * HOUR
    return [(month.start, 20), (at, 23), (at + 6 * HOUR, 20)]


def stairs(rng: random.Random, month: Span) -> Steps:
    """A level that changes in the course of the month, twice."""
    days = sorted(rng.sample(range(3, 27), 2))
    levels = [rng.randrange(10, 40) for _ in range(3)]
    moments = [month.start, *(month.start + day * DAY + 10 * HOUR for day in days)]
    return list(zip(moments, levels, strict=True))


def growing(rng: random.Random, month: Span) -> Steps:
    """More from month to month, and the same all month."""
    return [(month.start, 10 + month.start // DAY // 30 * 5)]


def joining(rng: random.Random, month: Span) -> Steps:
    """Five more from one day of the month on; at its end they are let go."""
    day = rng.randrange(8, 22)
    return [(month.start, 20), (month.start + day * DAY, 25)]


# Honest ways to go wrong.


def frozen(hours: int) -> Effect:
    """Stands still for the last hours of each month."""

    def effect(counter: Counter, rng: random.Random) -> Counter:
        def shows(at: int) -> int:
            return counter.shows(min(at, month_of(at).end - hours * HOUR))

        return replace(counter, shows=shows)

    return effect


def stale_for(hours: int) -> Effect:
    """Stands still for so long somewhere in each month, and then catches up."""

    def effect(counter: Counter, rng: random.Random) -> Counter:
        began = fixed(rng, lambda r, month: month.start + r.randrange(3, 25) * DAY)

        def shows(at: int) -> int:
            start = began(month_of(at))
            return counter.shows(start if start <= at < start + hours * HOUR else at)

        return replace(counter, shows=shows)

    return effect


def updated_every(hours: int) -> Effect:
    """Shows what was at the last whole hour, or every so many hours; the turn is in time."""

    def effect(counter: Counter, rng: random.Random) -> Counter:
        return replace(counter, shows=lambda at: counter.shows(at // (hours * HOUR) * hours * HOUR))

    return effect


def lagging(hours: int) -> Effect:
    """Shows what was so long ago; what is late at the month's turn is never shown."""

    def effect(counter: Counter, rng: random.Random) -> Counter:
        def shows(at: int) -> int:
            return counter.shows(max(at - hours * HOUR, month_of(at).start))

        return replace(counter, shows=shows)

    return effect


def dipping(*, each_night: bool) -> Effect:
    """Computed anew around midnight, and 3 % low from 23:50 to 00:10; in each night, or in that of
    the month's last day alone."""

    def effect(counter: Counter, rng: random.Random) -> Counter:
        def shows(at: int) -> int:
            number, second = counter.shows(at), at % DAY
            is_night = second >= DAY - 10 * MINUTE or second < 10 * MINUTE
            is_last = at >= month_of(at).end - 10 * MINUTE
            return number * 97 // 100 if is_night and (each_night or is_last) else number

        return replace(counter, shows=shows)

    return effect


def moved(counter: Counter, rng: random.Random) -> Counter:
    """Moves to another server on one day of each month, and begins anew there."""
    when = fixed(rng, lambda r, month: month.start + r.randrange(5, 26) * DAY + 14 * HOUR)

    def shows(at: int) -> int:
        start = when(month_of(at))
        return counter.shows(at) - (counter.shows(start) if at >= start else 0)

    return replace(counter, shows=shows)


def recovered(counter: Counter, rng: random.Random) -> Counter:
    """Records of an outage on the last day are recovered after the turn: billed, and not shown."""

    def shows(at: int) -> int:
        outage = month_of(at).end - 10 * HOUR
        lost = counter.shows(min(at, outage + HOUR)) - counter.shows(outage)
        return counter.shows(at) - (lost if at > outage else 0)

    return replace(counter, shows=shows)


def corrected(first: date) -> Effect:
    """Takes a tenth back, once, on a day after the months that are judged."""

    def effect(counter: Counter, rng: random.Random) -> Counter:
        start = second_of(first)

        def shows(at: int) -> int:
            number = counter.shows(at)
            if start <= at < month_of(start).end:
                return number - counter.shows(start) // 10
            return number

        return replace(counter, shows=shows)

    return effect


def dated_by_utc(counter: Counter, rng: random.Random) -> Counter:
    """Dated by UTC: from 19:00 on a number has tomorrow's date."""
    return replace(counter, dated=lambda at: at + 5 * HOUR)


def dated_first(counter: Counter, rng: random.Random) -> Counter:
    """Dated on the month's first day, whatever the day."""
    return replace(counter, dated=lambda at: month_of(at).start)
