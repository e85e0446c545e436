"""The three-way match of the nightly copy: what lies in the bucket, what the vendor counts, and
what it bills.

    bucket_objects ─▶ by day ─▶ by period ─┐
    usage, verdicts ───────────────────────┴─▶ a status, the first that fits

Copies that the vendor counts and the bucket has not are told only where nothing honest explains
them: what came late, what was there and went, files that nobody can read the name of, and what may
have gone before anybody looked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

from wolkvox_billing.bucket.names import AUDIO, CHAT
from wolkvox_billing.marts.copied import (
    AGREES,
    BUCKET_ABOVE,
    COUNTER_ABOVE,
    GONE,
    NOT_COUNTED,
    STANDS_STILL,
)
from wolkvox_billing.reconciliation.copies import (
    CopyGroup,
    Looks,
    count_objects,
    gone_of,
    lost_of,
    unread_of,
)
from wolkvox_billing.reconciliation.facts import DayUse, Facts
from wolkvox_billing.reconciliation.policy import CALLED, COPIED, UNKNOWN, Policy
from wolkvox_billing.reconciliation.sight import LookedOn, Sight, first_usual
from wolkvox_billing.values.periods import DAY, Period, month_of

REPORT = "rsync_s3_mp3"
_NOTHING = Decimal()
_LATEST = 7 * DAY  # a copy of a period is of a call of it, or of one so long before it


class CopiedSize(NamedTuple):
    """What a counter in other units would show of copies; None where nobody can tell."""

    megabytes: Decimal
    minutes: Decimal | None

    def is_about(self, quantity: Decimal) -> bool:
        """Whether a number is that of the megabytes, of a million bytes or of 2 ** 20, or of the
        minutes, and not of the copies."""
        sizes = (self.megabytes, self.megabytes * 1_000_000 / 2**20, self.minutes)
        return any(size and abs(quantity - size) <= max(Decimal(1), size / 200) for size in sizes)


@dataclass(frozen=True)
class CountedPeriod:
    """A billing period of an operation: what was counted, measured and billed, and what of a
    difference something honest explains. `measured` and `billed` are None where nobody knows."""

    operation_id: str
    period: Period
    counted: Decimal
    called: Decimal  # copies of calls of the period, whenever they were made
    late: Decimal
    again: Decimal  # of calls before the period and copied after it: most likely once more
    gone: Decimal
    gone_late: Decimal  # of those in `late` and `again`, that are there no more
    replaced: Decimal  # whose names something else has: a counter may have counted both
    recopied: Decimal  # once more in it, as they were: a counter may have counted both
    chats: Decimal  # which a counter may count too
    shifted: Decimal  # in the period by UTC, or by the night after the time that a copy kept
    size: CopiedSize
    unread: Decimal  # may be copies, and are not counted: see `unread_of`
    empty: Decimal
    skipped: int  # of the whole bucket, in folders that are no operation's
    skipped_copies: int  # of these those that are named like copies
    expired: Decimal  # what may have gone before anybody looked
    since_read: Decimal  # copied on the day of the last reading, or after it
    missing_days: Sequence[date]
    measured: Decimal | None
    billed: Decimal | None
    first_look: date | None  # of all
    was_looked_at: bool  # after it, or of one that runs in it
    is_in_reach: bool
    may_accuse: bool
    policy: Policy
    elsewhere: Decimal = _NOTHING  # more than is claimed, in folders of other operations

    @property
    def claimed(self) -> Decimal | None:
        """What the vendor says that it copied."""
        return self.billed if self.measured is None else self.measured

    @property
    def tolerance(self) -> Decimal:
        percent = self.policy.tolerance_percent * abs(self.claimed or _NOTHING) / 100
        return max(self.policy.tolerance_quantity, percent)

    @property
    def explained(self) -> Decimal:
        """How many copies that are not counted in the period something honest explains."""
        late = _NOTHING if self.policy.cut_off == COPIED else self.late
        seen = late + self.again + self.gone + self.gone_late + self.unread + self.expired
        return seen + self.skipped_copies + self.elsewhere

    @property
    def missing(self) -> Decimal:
        """Copies that are claimed and that nothing explains; 0 where that cannot be said."""
        if self.status != COUNTER_ABOVE or self.claimed is None:
            return _NOTHING
        return self.claimed - self._most - self.explained

    @property
    def _most(self) -> Decimal:
        """How many are counted, by the clock by which they are more."""
        return max(self.counted, self.shifted)

    @cached_property
    def status(self) -> str:
        """The first that fits, in the order of docs/bucket.md."""
        claimed, tolerance = self.claimed, self.tolerance
        if not self.is_in_reach or claimed is None:
            return NOT_COUNTED
        if self._agrees_with(self.counted) or self.is_as_called:
            return AGREES
        if self.is_above_all:
            if self.is_with_others:
                return AGREES
            is_told = self.may_accuse and not self.is_in_other_units
            return COUNTER_ABOVE if is_told else NOT_COUNTED
        if claimed < self.counted - tolerance:
            is_later = claimed >= self.counted - self.since_read - tolerance
            return AGREES if is_later else BUCKET_ABOVE
        if self.missing_days:
            return STANDS_STILL
        if self.gone:
            return GONE
        # What came late, or bears a name that is not read, may be what is missing.
        return NOT_COUNTED if self.expired else AGREES

    def _agrees_with(self, quantity: Decimal) -> bool:
        return self.claimed is not None and abs(self.claimed - quantity) <= self.tolerance

    @property
    def is_above_all(self) -> bool:
        """Whether more is claimed than what is counted and what explains a difference."""
        return (self.claimed or _NOTHING) > self._most + self.explained + self.tolerance

    @property
    def is_with_others(self) -> bool:
        """Whether it is the copies together with all chats, with all that were copied over, or once
        more as they were, or with several of them: nobody says whether the counter counts these.
        What fits none is no such count."""
        kinds = [own for own in (self.chats, self.replaced, self.recopied) if own]
        others = [
            sum(chosen, _NOTHING)
            for count in range(1, len(kinds) + 1)
            for chosen in combinations(kinds, count)
        ]
        claimed = self.claimed or _NOTHING
        return any(
            -self.since_read - self.tolerance
            <= claimed - self.counted - other
            <= self.explained + self.tolerance
            for other in others
        )

    @property
    def is_in_other_units(self) -> bool:
        return self.claimed is not None and self.size.is_about(self.claimed)

    @property
    def is_as_called(self) -> bool:
        """Whether it is what was copied of the period's calls, where that may be what is meant."""
        return self.policy.cut_off in (UNKNOWN, CALLED) and self._agrees_with(self.called)


def count_periods(
    facts: Facts, billed: Mapping[tuple[str, Period], Decimal | None], policy: Policy
) -> list[CountedPeriod]:
    """Return each billing period in which something was copied, measured or billed, by operation
    and time; nothing where nobody ever looked at the bucket. billed: what documents bill of an
    operation and period, None where a line states no quantity."""
    copies, cycle_day = facts.copies, policy.billing_cycle_day
    if not copies.looks:
        return []
    operations = {name: _Counting(name, facts, policy) for name in copies.operations}
    places = {place for place in billed if place[0] in operations}
    for operation_id, own in operations.items():
        days = [group.upload_date for group in own.copied]
        days += [use.period.start for use in facts.uses_of(operation_id, REPORT)]
        if cycle_day > 1:
            days += [use.day for use in own.days]
        places |= {(operation_id, month_of(day, cycle_day)) for day in days}
    periods = [operations[place[0]].count(place[1], billed.get(place)) for place in sorted(places)]
    surplus: defaultdict[Period, Decimal] = defaultdict(Decimal)
    for counted in periods:
        if counted.status == BUCKET_ABOVE and counted.claimed is not None:
            surplus[counted.period] += counted.counted - counted.claimed
    return [
        replace(counted, elsewhere=surplus[counted.period])
        if counted.status == COUNTER_ABOVE and counted.period in surplus
        else counted
        for counted in periods
    ]


class _Measured(NamedTuple):
    """What the vendor counts in a period, and when that was last read; None is not known."""

    quantity: Decimal | None
    last_read_at: datetime | None


@dataclass(frozen=True)
class _Counting:
    """All that an operation's periods are counted by."""

    operation_id: str
    facts: Facts
    policy: Policy

    @cached_property
    def groups(self) -> Sequence[CopyGroup]:
        return self.facts.copies.of(self.operation_id)

    @cached_property
    def copied(self) -> list[CopyGroup]:
        return [group for group in self.groups if group.is_copy]

    @cached_property
    def looks(self) -> Looks | None:
        return self.facts.copies.looks_at(self.operation_id)

    @cached_property
    def days(self) -> list[DayUse]:
        """The counter's days, of all products."""
        return [
            use
            for meter, uses in self.facts.days.items()
            if (meter.operation_id, meter.report) == (self.operation_id, REPORT)
            for use in uses
        ]

    @cached_property
    def oldest(self) -> date | None:
        days = (group.upload_date for group in self.groups if group.is_copy or group.is_gone)
        return min(days, default=None)

    @cached_property
    def sight(self) -> Sight | None:
        """What looks can have seen; None where the last whole one has no copy."""
        present = Counter[date]()
        for group in self.copied:
            present[group.upload_date] += group.objects
        if not (self.looks and present):
            return None
        seen = [LookedOn(self._day_of(look.at), look.is_full) for look in self.looks.each]
        return Sight(seen, first_usual(present))

    def count(self, period: Period, billed: Decimal | None) -> CountedPeriod:
        """Return what was counted in a period, beside what is billed of it."""
        groups, copied, looks = self.groups, self.copied, self.looks
        within = [group for group in copied if _holds(period, group.upload_date)]
        called = [group for group in copied if _holds(period, group.call_date)]
        in_time = [group for group in groups if _holds(period, group.upload_date)]
        measured = self._measured(period)
        read = measured.last_read_at
        read_on = self._day_of(read) if read else period.end
        return CountedPeriod(
            operation_id=self.operation_id,
            period=period,
            counted=_quantity(within),
            called=_quantity(called),
            late=_quantity(g for g in called if g.upload_date >= period.end),
            again=_quantity(group for group in copied if _is_again(group, period)),
            gone=_quantity(gone_of(in_time)),
            gone_late=_quantity(_gone_late(groups, period)),
            replaced=_quantity(group for group in lost_of(in_time) if group.is_replaced),
            recopied=_quantity(group for group in copied if _holds(period, group.again_date)),
            chats=_quantity(group for group in in_time if group.kind == CHAT),
            shifted=_shifted(copied, period),
            size=_size_of(within),
            unread=_quantity(_unread(groups, period)),
            empty=Decimal(sum(group.empty for group in within)),
            skipped=looks.last_full.skipped if looks else 0,
            skipped_copies=looks.last_full.skipped_copies if looks else 0,
            expired=self._expired(period),
            since_read=_quantity(g for g in within if g.upload_date >= read_on),
            missing_days=self._missing_days(period),
            measured=measured.quantity,
            billed=billed,
            first_look=self._day_of(min(look.at for look in looks.each)) if looks else None,
            was_looked_at=self._was_looked_at(period),
            is_in_reach=self._is_in_reach(period, measured),
            may_accuse=self._may_accuse(period, read),
            policy=self.policy,
        )

    def _day_of(self, at: datetime) -> date:
        return at.astimezone(self.facts.zone_of(self.operation_id)).date()

    def _is_over(self, period: Period) -> bool:
        return period.end <= self.facts.today_of(self.operation_id)

    def _measured(self, period: Period) -> _Measured:
        """Return the vendor's count: of a calendar month as usage_monthly has it, of another cycle
        by its days, where none of them reaches over its ends."""
        months = self.facts.uses_of(self.operation_id, REPORT)
        own = [use for use in months if use.period.overlaps(period)]
        read = max((use.last_read_at for use in own), default=None)
        if any(use.quantity is None for use in own):
            return _Measured(None, read)
        if whole := [use.quantity or _NOTHING for use in own if use.period == period]:
            return _Measured(sum(whole, _NOTHING), read)
        days = [use for use in self.days if use.stretch.overlaps(period)]
        if not days or not all(period.holds(use.stretch) for use in days):
            return _Measured(None, read)
        return _Measured(sum((use.quantity for use in days), _NOTHING), read)

    def _expired(self, period: Period) -> Decimal:
        """Return how many copies may have gone before anybody looked."""
        if not self.sight:
            return _NOTHING
        return round(self.sight.unseen(self.days, period, self.policy.tail_factor), 4)

    def _was_looked_at(self, period: Period) -> bool:
        due = period.end if self._is_over(period) else period.start
        return self.looks is not None and self._day_of(self.looks.last) >= due

    def _is_in_reach(self, period: Period, measured: _Measured) -> bool:
        """Whether a look can tell of the period: it came after its end or, of one that runs, after
        its start; and what was copied then cannot all have gone before the first look. Where no
        counter tells on which days it was copied, nothing of it can."""
        if self.oldest is None or not self._was_looked_at(period):
            return False
        sight = self.sight
        if sight and measured.quantity is None:
            return all(sight.sees(day) for day in period.days)
        is_seen = sight is None or any(sight.sees(day) for day in period.days)
        return self.oldest < period.end or is_seen

    def _may_accuse(self, period: Period, read: datetime | None) -> bool:
        """Whether copies that no look has found are not there: a whole one came after the period
        and the night that follows it; of one that runs after the counter was read, since others do
        not list what came late into folders of days before."""
        if not self.looks:
            return False
        last = self.looks.last_full.at
        if self._is_over(period):
            return self._day_of(last) > period.end
        return read is not None and read <= last

    def _missing_days(self, period: Period) -> list[date]:
        """Return the days with calls of which nothing was copied by the end of the next one, as far
        as a look can tell: by the days of the copies' names, or by the counter."""
        if not (self.looks and self.oldest):
            return []
        by_call: defaultdict[date, set[date]] = defaultdict(set)
        for group in self.groups:
            if group.kind == AUDIO and group.call_date:
                by_call[group.call_date].add(group.upload_date)
        uploads = set().union(*by_call.values())
        counted = {use.day for use in self.days if use.covers == 1 and use.quantity > 0}
        known_until = self._day_of(self.looks.last) - DAY
        sight = self.sight
        return [
            day
            for day in period.days
            if self.oldest <= day < known_until
            and (
                (day in by_call and min(by_call[day]) > day + DAY)
                or (
                    day in counted
                    and day not in by_call
                    and not uploads & {day - DAY, day, day + DAY}
                    and (sight is None or sight.sees(day))
                )
            )
        ]


def _quantity(groups: Iterable[CopyGroup]) -> Decimal:
    return Decimal(count_objects(groups))


def _is_again(group: CopyGroup, period: Period) -> bool:
    """Whether it is of a call shortly before the period, and was copied after it."""
    return (
        group.call_date is not None
        and period.start - _LATEST <= group.call_date < period.start
        and group.upload_date >= period.end
    )


def _gone_late(groups: Sequence[CopyGroup], period: Period) -> Iterator[CopyGroup]:
    for group in gone_of(groups):
        is_of_period = _holds(period, group.call_date) or _is_again(group, period)
        if is_of_period and group.upload_date >= period.end:
            yield group


def _unread(groups: Sequence[CopyGroup], period: Period) -> Iterator[CopyGroup]:
    for group in unread_of(groups):
        if period.start <= group.upload_date < period.end + _LATEST:
            yield group


def _shifted(copied: Sequence[CopyGroup], period: Period) -> Decimal:
    """Return how many copies are of the period by another clock, by that by which they are more:
    by UTC, or by the night after the call where a copy kept the recording's own time, as rsync
    does."""
    by_utc = (g for g in copied if _holds(period, g.utc_date or g.upload_date))
    by_night = (
        g for g in copied if _holds(period, g.upload_date + (g.upload_date == g.call_date) * DAY)
    )
    return max(_quantity(by_utc), _quantity(by_night))


def _size_of(copied: Sequence[CopyGroup]) -> CopiedSize:
    megabytes = Decimal(sum(group.bytes for group in copied)) / 1_000_000
    is_timed = sum(group.timed for group in copied) == count_objects(copied)
    seconds = sum((group.seconds or _NOTHING for group in copied), _NOTHING)
    return CopiedSize(megabytes, seconds / 60 if is_timed else None)


def _holds(period: Period, day: date | None) -> bool:
    return day is not None and period.has(day)
