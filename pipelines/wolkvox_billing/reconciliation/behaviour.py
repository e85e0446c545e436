"""How a counter or a level behaved in a month, by its readings: what they leave open.

    falls      what fell may be missing in the last reading: a restart, a move, a recomputation
    the turn   a fall to about nothing within hours of it is the turn, by another clock
    stillness  a counter that moves seldom, or stands still longer than ever, may be behind
    nights     a nightly job brings the calls of the last day in the next month's first night
    levels     a gauge's highest, last, first and average level: each is what people bill

Moments are seconds since 1970.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.restated import NONE_RAISED, Raises
from wolkvox_billing.reconciliation.unread import Behind, Point, Tail, Unread, bound, quantity_at

HOUR, DAY = 3600, 86400
TURN = 14 * HOUR  # no clock of another country's is further away
SELDOM = 2 * HOUR  # between changes: what moves less often shows little of a month's last hours
LEVEL_GAP = 4 * HOUR  # between readings: a level that rose and fell in less is hardly billed
MORNING = 8 * HOUR  # of a day: a night's copy is over
SLIP = 2 * HOUR  # what is shown for longer is no slip
SLIPS = 40  # a counter with more falls than this is odd in another way
A_NIGHT = Decimal(3)  # no night holds more than three average ones, where several were read as one
SLIP_FACTOR = Decimal(4)  # of the busiest time that was seen
FIRST_HOURS = Decimal(2)
_SAME = Decimal("0.0001")


class Span(NamedTuple):
    """A quantity that lies between two; both are the same where it is known."""

    low: Decimal
    high: Decimal

    @property
    def is_known(self) -> bool:
        return self.low == self.high

    def plus(self, other: Span) -> Span:
        return Span(self.low + other.low, self.high + other.high)

    def less(self, other: Span) -> Span:
        return Span(self.low - other.high, self.high - other.low)


class Turn(NamedTuple):
    """A fall to about nothing within hours of the month's end: what was read before it, and what
    of the month may be missing in the last reading if that fall is the turn."""

    before: Decimal
    missing: Decimal


class Levels(NamedTuple):
    """What a gauge's month can be said to be; `average` is weighted by time. `pro_rata` is the same
    over the whole month, as nothing where no row was read."""

    highest: Decimal
    last: Decimal
    first: Decimal
    average: Decimal
    pro_rata: Decimal


class Stillness(NamedTuple):
    """A counter may be behind for so long before the month's end: it was seen to move last at
    `moved_at`, and moves seldom, `every` so many seconds, or stood still longer than ever (0)."""

    seconds: int
    moved_at: int
    every: int


@dataclass(frozen=True)
class Nights:
    """What a nightly copy brought: the month's own first night and the next month's, and the most
    that one night can hold by those that were read; `missed` is the most that the month's nights
    after its last reading can hold. `are_shown`: readings show that it is one, and not the report's
    name alone."""

    first: Span
    following: Span
    most: Decimal
    missed: Decimal
    are_shown: bool


@dataclass(frozen=True)
class Behaviour:
    """What a use's readings of a month leave open. `missing` is what falls may have taken out of
    the last reading, `largest_fall` the most that one of them took; `at_turn` is a fall within
    hours of the month's end; `longest_gap` in seconds between two readings, and the seconds
    `in_gaps` in which a level may change unseen."""

    levels: Levels
    missing: Decimal = Decimal()
    largest_fall: Decimal = Decimal()
    at_turn: Turn | None = None
    stillness: Stillness | None = None
    still_holds: Decimal = Decimal()
    nights: Nights | None = None
    falls_each_midnight: bool = False
    longest_gap: int = 0
    in_gaps: int = 0
    recent: tuple[Point, ...] = ()  # of the last two days, one an hour
    by_clock: tuple[Span, ...] = ()  # what the month comes to by UTC's midnights, and cut at 18:00
    raises: Raises = NONE_RAISED  # of days' own numbers, after they were read last

    @property
    def still_seconds(self) -> int:
        """For how long before the month's end the counter may be behind."""
        return self.stillness.seconds if self.stillness else 0

    def seconds_that_held(self, quantity: Decimal) -> int | None:
        """Return how long before the last reading so much was counted; None where the last two days
        did not hold it."""
        for point in reversed(self.recent):
            if self.recent[-1].quantity - point.quantity >= quantity:
                return self.recent[-1].at - point.at
        return None


def behaviour_of(  # the flags are of the report, and the rest of its month
    points: Sequence[Point],
    following: Sequence[Point],
    start: int,
    end: int,
    *,
    is_nightly: bool = False,
    is_daily: bool = False,
) -> Behaviour:
    """Return the Behaviour of what was read in a month from `start` to `end`, at least one point,
    in the order of moments; `following` is what was read in the two days after it.

    is_nightly: the report is filled by a nightly job, by its name; readings may show otherwise.
    is_daily: the number is a day's own, so that its falls at midnights are none.
    """
    by_readings = is_night_copy(points, start)
    is_copy = is_nightly if by_readings is None else by_readings
    falls = _falls(points, start, is_daily=is_daily)
    fallen = [before.quantity - after.quantity for before, after in falls]
    moments = [start, *(point.at for point in points), end]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return Behaviour(
        levels=_levels(points, start, end),
        missing=sum(fallen, Decimal()) if is_daily else _missing(falls, points, start),
        largest_fall=max(fallen, default=Decimal()),
        at_turn=_at_turn(points, following, end),
        stillness=stillness_of(points, start, end),
        still_holds=_held_in_other_weeks(points, start, end),
        nights=_nights(points, following, start, end, bool(by_readings)) if is_copy else None,
        falls_each_midnight=_falls_each_midnight(points, start),
        longest_gap=max(gaps),
        in_gaps=sum(gap for gap in gaps if gap > LEVEL_GAP),
        recent=_recent(points),
    )


def _recent(points: Sequence[Point]) -> tuple[Point, ...]:
    hours = {point.at // HOUR: point for point in points if point.at >= points[-1].at - 2 * DAY}
    return tuple(hours.values())


def count_between(
    before: Sequence[Point], points: Sequence[Point], after: Sequence[Point], start: int, end: int
) -> Span | None:
    """Return what was counted between two moments near the month's ends, between the readings
    around them; None where nothing was read around one. `before` and `after` are what the counter
    showed in the months beside it, which begin anew."""
    counted = [Point(point.at, point.quantity - before[-1].quantity) for point in before]
    counted += points
    counted += [Point(point.at, points[-1].quantity + point.quantity) for point in after]
    around: list[tuple[Point, Point]] = []
    for moment in (start, end):
        pair = next(((a, b) for a, b in pairwise(counted) if a.at <= moment <= b.at), None)
        if pair is None or pair[1].at - pair[0].at > 2 * HOUR:
            return None
        around.append(pair)
    (first, second), (third, last) = around
    return Span(third.quantity - second.quantity, last.quantity - first.quantity)


def hours_before(points: Sequence[Point], start: int, seconds: int) -> list[Point]:
    """Return what the hours before a month's start held at most, where nobody read them, as two
    readings at once: as much as the same hours held before another midnight of the month."""
    midnights = range(start + DAY, points[-1].at + 1, DAY)
    most = max([Decimal(), *(_held_between(points, at - seconds, at) for at in midnights)])
    return [Point(start - seconds, Decimal()), Point(start - seconds + 1, most)]


def without_slips(points: Sequence[Point]) -> list[Point]:
    """Return a counter's points without what it showed for a moment only: less than before, until
    it was back sooner than it can have counted; or more than twice what came before and behind."""
    clean = list(points)
    if sum(after.quantity < before.quantity for before, after in pairwise(points)) > SLIPS:
        return clean
    for _ in range(SLIPS):
        places = range(1, len(clean))
        slip = next((slip for place in places if (slip := _slip_at(clean, place))), None)
        if slip is None:
            return clean
        del clean[slip]
    return list(points)


def _slip_at(points: Sequence[Point], place: int) -> slice | None:
    """Return the points from a place on that are a slip."""
    before = points[place - 1]
    is_fall = points[place].quantity < before.quantity
    if not is_fall and points[place].quantity <= 2 * before.quantity:
        return None
    for back in range(place + 1, len(points)):
        after = points[back]
        if after.at - before.at > SLIP:
            return None
        run = points[place:back]
        if is_fall and after.quantity >= before.quantity:
            grown = after.quantity - min(point.quantity for point in run)
            others = [*points[:place], *points[back:]]
            most = bound(others, after.at - before.at, SLIP_FACTOR).quantity or Decimal()
            return slice(place, back) if grown > most else None
        if not is_fall and before.quantity <= after.quantity < points[place].quantity:
            is_far = min(point.quantity for point in run) > 2 * after.quantity > 0
            return slice(place, back) if is_far else None
    return None


def _falls(points: Sequence[Point], start: int, *, is_daily: bool) -> list[tuple[Point, Point]]:
    return [
        (before, after)
        for before, after in pairwise(points)
        if after.quantity < before.quantity
        and not (is_daily and _are_about_a_midnight(before, after, start))
    ]


def _are_about_a_midnight(before: Point, after: Point, start: int) -> bool:
    """Whether a midnight lies between two readings, give or take the hour of a clock that is
    changed for the summer. What is read of a day after it is over stands at its midnight."""
    return any(
        (before.at - 1 + hour - start) // DAY != (after.at + hour - start) // DAY
        for hour in (-HOUR, 0, HOUR)
    )


def after_turn(points: Sequence[Point], start: int) -> list[Point]:
    """Return the points without those of the first day on which a counter still showed the month
    before, since it turns by a clock that is late."""
    turned = 0
    for place, (before, after) in enumerate(pairwise(points), 1):
        if after.at < start + DAY and after.quantity * 2 < before.quantity:
            turned = place
    return list(points[turned:])


def _levels(points: Sequence[Point], start: int, end: int) -> Levels:
    quantities = [point.quantity for point in points]
    weighted = seconds = held = Decimal()
    for point, later in zip(points, [*points[1:], Point(end, Decimal())], strict=True):
        lasted = max(later.at - point.at, 0)
        weighted += point.quantity * lasted
        seconds += lasted
        held += point.quantity * min(lasted, DAY)
    average = weighted / seconds if seconds else quantities[-1]
    return Levels(
        max(quantities),
        quantities[-1],
        quantities[0],
        average.quantize(_SAME, ROUND_HALF_UP),
        (held / (end - start)).quantize(_SAME, ROUND_HALF_UP),
    )


def _missing(falls: Sequence[tuple[Point, Point]], points: Sequence[Point], start: int) -> Decimal:
    """Return what falls may have taken out of the last reading: what stood there before a restart,
    else the peak less the last reading. A fall to less than half is a restart, and so may be one
    that nobody saw for so long that the counter can have come so far anew. On the first day a fall
    is the turn's, by a clock that is late."""
    restarted = peak = Decimal()
    rises = [Point(start, Decimal()), *points]
    for before, after in falls:
        if after.at < start + DAY:
            continue
        again = bound(rises, after.at - before.at, Decimal(2)).quantity or Decimal()
        if after.quantity * 2 < before.quantity or after.quantity <= again:
            restarted += before.quantity + again  # and what was used until it began anew
        peak = max(peak, before.quantity)
    return restarted if restarted else max(peak - points[-1].quantity, Decimal())


def _at_turn(points: Sequence[Point], following: Sequence[Point], end: int) -> Turn | None:
    """Return a fall to about nothing within hours of the month's end, on either side of it; None
    where there is none. One just behind the end is the turn itself where nothing was read in
    between. Before the end all that was there is missing; behind it, what was still counted, and as
    much as the month's first hours can hold, which the month before has."""
    near = [point for point in points if point.at >= end - TURN]
    before = [point for point in points if point.at < end - TURN][-1:]
    for earlier, later in pairwise([*before, *near]):
        if later.quantity * 10 < earlier.quantity:
            return Turn(earlier.quantity, earlier.quantity)
    late = [point for point in following if end <= point.at < end + TURN]
    for earlier, later in pairwise(late):
        if later.quantity * 10 < earlier.quantity and earlier.quantity >= points[-1].quantity:
            more = earlier.quantity - points[-1].quantity
            held = bound(points, later.at - end, FIRST_HOURS).quantity or Decimal()
            return Turn(earlier.quantity, more + held)
    return None


def _changes(points: Sequence[Point], start: int) -> list[tuple[int, int]]:
    """Return for each change when it was seen, and when the value before it was read last."""
    changes: list[tuple[int, int]] = []
    before = Point(start, Decimal())
    for point in points:
        if point.quantity != before.quantity:
            changes.append((point.at, before.at))
        before = point
    return changes


def stillness_of(points: Sequence[Point], start: int, end: int) -> Stillness | None:
    """Return since when a counter may be behind: before its last change, where it moves less often
    than every two hours, or stood still longer at the end than ever before; None where it does not.
    Of a change that nobody saw for long, a day at most: the slowest job that is known is nightly.
    """
    changes = _changes(points, start)
    if not changes:
        return None
    moments = [start, *(moved for moved, _ in changes)]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    moved, before = changes[-1]
    still = end - moved
    is_seldom = median(gaps) > SELDOM
    is_longest = len(gaps) > 1 and still > max(max(gaps), SELDOM)
    if not (is_seldom or is_longest):
        return None
    every = 0 if is_longest else int(median(gaps))
    return Stillness(end - max(before, moved - DAY), moved, every)


def _held_in_other_weeks(points: Sequence[Point], start: int, end: int) -> Decimal:
    """Return what the counter grew, at most, in other weeks in the hours of the month's last two
    days in which it was seen to stand still: an outage, of which the vendor may count more later.
    Still is what takes ten times as long as it does between two changes."""
    changes = _changes(points, start)
    least = max(min(10 * _usual_gap(points, start), SELDOM), HOUR // 2)
    stands = [(moved, until) for (moved, _), (_, until) in pairwise(changes)]
    if changes and points[-1].at - changes[-1][0] >= least:
        stands.append((changes[-1][0], end))
    held = Decimal()
    for since, until in stands:
        if until - since < least or since < end - 2 * DAY:
            continue
        grown = [
            _held_between(points, since - week * 7 * DAY, until - week * 7 * DAY)
            for week in range(1, 5)
            if since - week * 7 * DAY >= start
        ]
        held += max([Decimal(), *grown])
    return held


def _held_between(points: Sequence[Point], start: int, end: int) -> Decimal:
    """Return what was counted between two moments at most: from the last reading up to the one, to
    the first from the other one on, or to the last that there is."""
    after = next((point for point in points if point.at >= end), points[-1])
    return after.quantity - (quantity_at(points, start) or Decimal())


def is_night_copy(points: Sequence[Point], start: int) -> bool | None:
    """Return whether a nightly job fills the counter: most of a day's growth came between two
    readings of its night. None where the readings are too few to tell."""
    by_day: defaultdict[int, list[Point]] = defaultdict(list)
    for point in points:
        by_day[(point.at - start) // DAY].append(point)
    nightly = other = 0
    before = Point(start, Decimal())
    for day, own in by_day.items():
        steps = [
            (later.quantity - earlier.quantity, later.at, later.at - earlier.at)
            for earlier, later in pairwise([before, *own])
        ]
        growth = own[-1].quantity - before.quantity
        before = own[-1]
        if growth <= 0 or len(own) < 4:
            continue
        largest, at, apart = max(steps)
        is_by_morning = at <= start + day * DAY + MORNING + HOUR
        if largest * 10 >= growth * 8 and is_by_morning and apart <= 12 * HOUR:
            nightly += 1
        else:
            other += 1
    if nightly + other < 5:
        return None
    return nightly > other


def _nights(
    points: Sequence[Point], following: Sequence[Point], start: int, end: int, are_shown: bool
) -> Nights:
    nights = [*_night_amounts(points, start), *_night_amounts(following, end)]
    most = max(nights, default=Decimal())
    first, of_next = _first_night(points, start, most), _first_night(following, end, most)
    mornings = range(start + MORNING, end + 1, DAY)
    missed = most * sum(1 for morning in mornings if morning > points[-1].at)
    return Nights(first, of_next, most, missed, are_shown)


def _night_amounts(points: Sequence[Point], start: int) -> list[Decimal]:
    """Return the most that a single night can have brought, for each stretch between readings with
    a night in it. Of several nights read as one, no night is taken to hold over three times an
    average one."""
    amounts: list[Decimal] = []
    before = Point(start, Decimal())
    for point in points:
        growth = point.quantity - before.quantity
        nights = (point.at - start) // DAY - (before.at - start) // DAY
        if before.at == start:
            nights += 1
        if growth > 0:
            amounts.append(min(growth, growth * A_NIGHT / max(nights, 1)))
        if nights or growth < 0:
            before = point
    return amounts


def _first_night(points: Sequence[Point], start: int, most: Decimal) -> Span:
    """Return what the first night of a month brought: what was read on the first day, once its
    night was over; where nothing was, between nothing and the most of a night."""
    day = [point for point in after_turn(points, start) if point.at < start + DAY]
    if day and day[-1].at >= start + MORNING - 2 * HOUR:
        return Span(day[-1].quantity, day[-1].quantity)
    later = [point.quantity for point in points if point.at >= start + DAY]
    high = min([most, *later[:1]]) if later else most
    low = day[-1].quantity if day else Decimal()
    return Span(min(low, high), max(low, high))


def _falls_each_midnight(points: Sequence[Point], start: int) -> bool:
    """Return whether the number is a day's own: it rises within days and falls at each midnight."""
    midnights = falls = falls_within = 0
    for earlier, later in pairwise(points):
        is_midnight = (earlier.at - start) // DAY != (later.at - start) // DAY
        fell = later.quantity < earlier.quantity
        is_about = fell and _are_about_a_midnight(earlier, later, start)
        midnights += is_midnight and earlier.quantity > 0
        falls += is_about
        falls_within += fell and not is_about
    return falls >= 6 and falls_within == 0 and falls * 10 >= midnights * 9


def widen(  # of one month all but the policy
    unread: Unread,
    points: Sequence[Point],
    behaviour: Behaviour,
    start: int,
    end: int,
    policy: Policy,
) -> Unread:
    """Return what nobody saw of a counter up to its month's end, with what the vendor may know
    later than we read it: its known lag, the time in which the counter stood still, the time
    between two of its changes; of a nightly copy, the nights of the turn."""
    if unread.missing.quantity is None:
        return unread
    not_read = max(end - points[-1].at, 0)
    changes = _changes(points, start)
    by_night = Behind("night", not_read, changes[-1][0] if changes else start)
    if behaviour.nights:
        return _widen_by_nights(unread, behaviour.nights, by_night)
    step, lag = _usual_gap(points, start), int(policy.vendor_lag_hours * HOUR)
    seconds = max(not_read + lag + step, behaviour.still_seconds)
    tail = bound([Point(start, Decimal()), *points], seconds, policy.tail_factor)
    of_time = max(tail.quantity or Decimal(), unread.missing.quantity)
    most = (behaviour.still_holds * policy.tail_factor).to_integral_value(ROUND_CEILING)
    behind: Behind | None = None
    if most > of_time:
        behind = by_night._replace(reason="outage")
    elif behaviour.stillness and seconds > not_read + lag + step:
        every = behaviour.stillness.every
        behind = by_night._replace(reason="seldom" if every else "still", every=every)
    elif step or lag:
        behind = by_night._replace(reason="step" if step else "lag", every=step or lag)
    return unread._replace(missing=Tail(max(of_time, most), seconds, tail.basis), behind=behind)


def _widen_by_nights(unread: Unread, nights: Nights, behind: Behind) -> Unread:
    by_day, foreign = unread.missing.quantity or Decimal(), unread.foreign
    of_nights = nights.missed + nights.following.high
    if not nights.are_shown:  # it may grow by day all the same
        of_nights = max(of_nights, by_day)
    return unread._replace(
        missing=unread.missing._replace(quantity=of_nights),
        foreign=None if foreign is None else max(foreign, nights.first.high),
        behind=behind if of_nights > by_day else None,
    )


def _usual_gap(points: Sequence[Point], start: int) -> int:
    """Return the seconds between two changes, as a rule, where it was read more often: what is
    counted by the hour is behind by up to an hour. Nothing where each reading shows a change."""
    moments = [moved for moved, _ in _changes(points, start)]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    read = [later.at - earlier.at for earlier, later in pairwise(points)]
    if not gaps or median(gaps) * 2 <= median(read) * 3:
        return 0
    return int(min(median(gaps), SELDOM))
