"""A case: a behaviour that is lived through by an account, which is asked at a cadence.

The same words make the same months, since all that is drawn hangs on the seed and the two names.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from zlib import crc32
from zoneinfo import ZoneInfo

from answers import Responder, Row
from behaviours import Behaviour
from counters import DAY, HOUR, MINUTE, Busy, Counter, Rare, Span, Use, month_of, second_of
from departments import Account, Issued
from history import Polled, is_shown

from wolkvox_billing.vendor.reports import REPORTS

NOON = 12 * HOUR
# Units a month, from least to most.
SIZES = ((40, 400), (400, 4000), (4000, 40_000), (40_000, 400_000))

# When an operation is asked, in a span.
Cadence = Callable[[random.Random, Span], Iterator[int]]


def every(minutes: int) -> Cadence:
    def cadence(rng: random.Random, span: Span) -> Iterator[int]:
        offset = rng.randrange(minutes * MINUTE)
        return iter(range(span.start + offset, span.end, minutes * MINUTE))

    return cadence


def once_a_day(rng: random.Random, span: Span) -> Iterator[int]:
    """At an hour of the operation's own, give or take a quarter of an hour."""
    hour = rng.randrange(DAY - 15 * MINUTE)
    for day in range(span.start, span.end, DAY):
        yield day + hour + rng.randrange(15 * MINUTE)


def with_gaps(rng: random.Random, span: Span) -> Iterator[int]:
    """Every quarter of an hour, with gaps of hours each week, and of days each month."""
    at = span.start + rng.randrange(15 * MINUTE)
    while at < span.end:
        yield at
        at += 15 * MINUTE
        if rng.random() < 1 / (7 * 96):
            at += rng.randrange(HOUR, 14 * HOUR)
        elif rng.random() < 1 / (20 * 96):
            at += rng.randrange(DAY, 5 * DAY)


def to_the_end(hours: int) -> Cadence:
    """Seldom, on a month's last day every hour, and in its last two hours every five minutes: few
    calls, and all of the turn is seen."""

    def cadence(rng: random.Random, span: Span) -> Iterator[int]:
        at = span.start + rng.randrange(5 * MINUTE)
        while at < span.end:
            yield at
            left = month_of(at).end - at
            at += 5 * MINUTE if left <= 2 * HOUR else HOUR if left <= DAY else hours * HOUR

    return cadence


def at_ten_to_midnight(rng: random.Random, span: Span) -> Iterator[int]:
    """Once a day, at 23:50, as a person would set it up who wants the month's last reading."""
    return iter(range(span.start + DAY - 10 * MINUTE, span.end, DAY))


SHORT, EVENINGS = "to the end", "23:50"
CADENCES: dict[str, Cadence] = {
    "5 min": every(5),
    "hourly": every(60),
    "daily": once_a_day,
    "gaps": with_gaps,
    SHORT: to_the_end(hours=6),
    EVENINGS: at_ten_to_midnight,
}
SHORT_OF_LEVELS = to_the_end(hours=2)  # in office hours the licences of the night are not seen
USUAL = [name for name in CADENCES if name not in (SHORT, EVENINGS)]


@dataclass(frozen=True)
class Case:
    """A behaviour at a cadence: operations, the account that bills them, and its documents."""

    behaviour: Behaviour
    cadence: str
    polled: Sequence[Polled]
    account: Account

    @property
    def name(self) -> str:
        return f"{self.behaviour.name} ({self.cadence})"

    def documents(self, percent: int = 0) -> list[Issued]:
        """The documents, over so much more than what was used."""
        account = replace(self.account, used=_wrong(self.account.used, percent))
        return self.behaviour.department(account)

    def map_row(self) -> str:
        """Its row in the line map: of several operations a person can name none, the first, or
        all that have the report."""
        behaviour = self.behaviour
        operation = {"two": "", "all": "*"}.get(behaviour.cast, self.polled[0].operation_id)
        return f",{self.account.code},,{behaviour.report},{operation},{behaviour.mapped},quantity\n"

    def card_rows(self) -> str:
        return "".join(
            f"{p.report},{p.operation_id},,0,{self.account.price},COP,2026-01-01,\n"
            for p in self.polled
        )


def _wrong(used: Callable[[int, int], Decimal], percent: int) -> Callable[[int, int], Decimal]:
    if not percent:
        return used
    rounding = ROUND_CEILING if percent > 0 else ROUND_FLOOR

    def wrong(start: int, end: int) -> Decimal:
        return (used(start, end) * (100 + percent) / 100).to_integral_value(rounding)

    return wrong


def live_through(behaviour: Behaviour, number: int, cadence: str, months: int, seed: int) -> Case:
    """The months up to the last one, at a cadence. The same words, the same months."""
    rng = random.Random(f"{seed} {behaviour.name} {cadence}")  # noqa: S311
    first = behaviour.last
    for _ in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    starts = [first]
    while starts[-1] <= behaviour.last:
        starts.append((starts[-1] + timedelta(days=32)).replace(day=1))
    code = f"A{number:03}-{list(CADENCES).index(cadence)}"
    began = second_of(first.replace(day=behaviour.since))
    is_level = REPORTS[behaviour.report].kind == "gauge"
    ask = SHORT_OF_LEVELS if is_level and cadence == SHORT else CADENCES[cadence]
    moments = [*ask(rng, Span(began, second_of(starts[-1]) + 3 * DAY))]
    moments += range(moments[-1] // DAY * DAY + DAY + NOON, second_of(behaviour.now), DAY)
    end, zone = second_of(behaviour.now) + NOON, ZoneInfo(behaviour.zone)
    moments = [at for at in moments if at < end and is_shown(at, zone)]
    turn = second_of(behaviour.last) + rng.randrange(8, 22) * DAY + 11 * HOUR
    counters = []
    for _ in range(2 if behaviour.cast in ("two", "all") else 1):
        span = Span(second_of(first) - 40 * DAY, second_of(starts[-1]) + 30 * DAY)
        use = _use(behaviour, rng, span, _size(behaviour, cadence))
        counter = behaviour.kind(use, rng)
        for effect in behaviour.effects:
            counter = effect(counter, rng)
        counters.append(counter)
    answers = [behaviour.face(counter, rng) for counter in counters]
    if behaviour.cast == "moved":
        answers = list(_at_two_servers(answers[0], counters[0], turn))
    polled = [
        Polled(f"{code}-{place}", behaviour.report, moments, answer, zone)
        for place, answer in enumerate(answers)
    ]

    def used(start: int, end: int) -> Decimal:
        return sum((counter.bills(start, end) for counter in counters), Decimal())

    account = Account(code, used, behaviour.price, starts)
    return Case(behaviour, cadence, polled, account)


def _size(behaviour: Behaviour, cadence: str) -> tuple[int, int]:
    """Of the usual cadences each has another one, but where cadences are compared."""
    if cadence not in USUAL or behaviour.shows_power:
        return SIZES[2]
    return SIZES[(crc32(behaviour.name.encode()) + USUAL.index(cadence)) % len(SIZES)]


def _use(behaviour: Behaviour, rng: random.Random, span: Span, size: tuple[int, int]) -> Use:
    if behaviour.rare:
        return Rare(rng, span, behaviour.rare)
    least, most = map(math.log, size)
    return Busy(
        rng, span, behaviour.parts * math.exp(rng.uniform(least, most)), behaviour.growing_days
    )


def _at_two_servers(answer: Responder, counter: Counter, turn: int) -> Iterator[Responder]:
    """What the server answers that an operation leaves at a moment, and the one that it goes to."""

    def before(at: int) -> list[Row]:
        return answer(at) if at < turn else []

    def after(at: int) -> list[Row]:
        if at < turn:
            return []
        started = counter.shows(turn) if month_of(at) == month_of(turn) else 0
        return [{**row, "items": str(int(row["items"]) - started)} for row in answer(at)]

    yield before
    yield after
