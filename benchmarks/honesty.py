"""Is anybody honest accused? Months of honest vendors and billing departments, and what is said.

    make honesty                                  all of it; writes docs/honesty.md
    python benchmarks/honesty.py --months 2       so many months of each, at each cadence
    python benchmarks/honesty.py --only nightly   what has this in its name
    python benchmarks/honesty.py --short          one month at one cadence, without the power

Each behaviour (`behaviours.py`) is lived through by four operations, which are asked at cadences of
their own; `reconcile` then judges all their months. A finding is any verdict that accuses. Where a
behaviour shows power, the same months are judged again with invoices that are wrong by a share.
The same seed makes the same months.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import history
from answers import Responder, Row
from behaviours import BEHAVIOURS, LAST_MONTH, Behaviour, mixtures
from counters import DAY, HOUR, MINUTE, Busy, Counter, Rare, Span, Use, month_of, second_of
from departments import Account, Issued
from history import Judged, Polled
from parts import origin
from report import machine

from wolkvox_billing.vendor.reports import REPORTS

PAGE = Path(__file__).parents[1] / "docs" / "honesty.md"
MONTHS = 3
SEED = 22
FAIR = ("matched", "within_tolerance", "open_period", "semantics_undetermined", "unit_mismatch")
AGREED = ("matched", "within_tolerance")
# Units a month, from least to most.
SIZES = ((40, 400), (400, 4000), (4000, 40_000), (40_000, 400_000))
WRONG = (1, 2, 3, 5, 10, 30, -10)  # percent, by which an invoice is too high
MAP = "supplier_id,item_code,pattern,report,operation_id,product,role\n"
CARD = "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to\n"

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


def hourly_to_the_end(rng: random.Random, span: Span) -> Iterator[int]:
    """Each hour, and on a month's last day every five minutes: few calls, and the turn is seen."""
    at = span.start + rng.randrange(5 * MINUTE)
    while at < span.end:
        yield at
        at += 5 * MINUTE if month_of(at).end - at <= DAY else HOUR


SHORT = "to the end"
CADENCES: dict[str, Cadence] = {
    "5 min": every(5),
    "hourly": every(60),
    "daily": once_a_day,
    "gaps": with_gaps,
    SHORT: hourly_to_the_end,
}
USUAL = [name for name in CADENCES if name != SHORT]


@dataclass(frozen=True)
class Case:
    """A behaviour at a cadence: operations, the account that bills them, and its documents."""

    behaviour: Behaviour
    cadence: str
    polled: Sequence[Polled]
    account: Account
    rng_seed: str

    @property
    def name(self) -> str:
        return f"{self.behaviour.name} ({self.cadence})"

    def documents(self, percent: int = 0) -> list[Issued]:
        """The documents, over so much more than what was used."""
        account = replace(self.account, used=_wrong(self.account.used, percent))
        return self.behaviour.department(account, random.Random(self.rng_seed))  # noqa: S311

    def map_row(self) -> str:
        """Its row in the line map: of several operations a person can name none, or the first."""
        behaviour = self.behaviour
        operation = "" if behaviour.cast == "two" else self.polled[0].operation_id
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
    first = LAST_MONTH
    for _ in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    starts = [first]
    while starts[-1] <= LAST_MONTH:
        starts.append((starts[-1] + timedelta(days=32)).replace(day=1))
    code = f"A{number:03}-{list(CADENCES).index(cadence)}"
    began = second_of(first.replace(day=behaviour.since))
    moments = [*CADENCES[cadence](rng, Span(began, second_of(starts[-1]) + 3 * DAY))]
    moments += range(moments[-1] // DAY * DAY + DAY + 12 * HOUR, second_of(behaviour.now), DAY)
    turn = second_of(LAST_MONTH) + rng.randrange(8, 22) * DAY + 11 * HOUR
    counters = []
    for _ in range(2 if behaviour.cast == "two" else 1):
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
        Polled(f"{code}-{place}", behaviour.report, moments, lru_cache(maxsize=2)(answer))
        for place, answer in enumerate(answers)
    ]

    def used(start: int, end: int) -> Decimal:
        return sum((counter.bills(start, end) for counter in counters), Decimal())

    account = Account(code, used, behaviour.price, starts)
    return Case(behaviour, cadence, polled, account, f"{seed} {code}")


def _size(behaviour: Behaviour, cadence: str) -> tuple[int, int]:
    """Of the usual cadences each has another one."""
    if cadence == SHORT:
        return SIZES[2]
    return SIZES[(crc32(behaviour.name.encode()) + USUAL.index(cadence)) % len(SIZES)]


def _use(behaviour: Behaviour, rng: random.Random, span: Span, size: tuple[int, int]) -> Use:
    if behaviour.rare:
        return Rare(rng, span, behaviour.rare)
    least, most = map(math.log, size)
    return Busy(rng, span, math.exp(rng.uniform(least, most)), behaviour.growing_days)


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


# What came of it.


class Outcome(NamedTuple):
    """What the product says of a month of a case: the worst of its verdicts."""

    kind: str  # "finding", "inconclusive", "agreed" or "open"
    status: str
    explanation: str


OPEN = Outcome("open", "", "")
Outcomes = dict[tuple[str, date], Outcome]  # by the case's name, and the first day of the month
KINDS = ("finding", "inconclusive", "agreed", "open")


def kind_of(status: str) -> str:
    if status == "open_period":
        return "open"
    if status in AGREED:
        return "agreed"
    if status in FAIR or status.startswith("inconclusive_"):
        return "inconclusive"
    return "finding"


class Warehouse:
    """Some cases in one record, which is in this folder until the next one is written. They have
    the same settings, but for the measures of reports that differ."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases, self.behaviour = cases, cases[0].behaviour
        today = self.behaviour.now
        self.now = datetime(today.year, today.month, today.day, 17, tzinfo=timezone.utc)
        history.start_anew()
        history.write_calls([p for case in cases for p in case.polled])
        measures = measures_of(case.behaviour for case in cases)
        history.settle_marts(self.now, measures, self.behaviour.gauge_month)

    def judge(self, percent: int = 0) -> Outcomes:
        """What `reconcile` says of each month, with invoices that are wrong by so much."""
        documents = [
            document
            for case in self.cases
            for document in case.documents(percent)
            if document.on <= self.now.date()
        ]
        rule = self.behaviour.period_rule
        history.write_documents(documents, self.now, rule)
        line_map = MAP + "".join(case.map_row() for case in self.cases)
        rate_card = CARD + "".join(case.card_rows() for case in self.cases)
        return self._outcomes(history.judge(line_map, rate_card, self.now, rule))

    def _outcomes(self, verdicts: Sequence[Judged]) -> Outcomes:
        owner = {p.operation_id: case for case in self.cases for p in case.polled}
        nobody = [case for case in self.cases if case.behaviour.cast == "two"]
        outcomes: Outcomes = {
            (case.name, month): OPEN for case in self.cases for month in case.account.months[:-1]
        }
        for verdict in verdicts:
            month = verdict.start.replace(day=1) if verdict.start else LAST_MONTH
            outcome = Outcome(kind_of(verdict.status), verdict.status, verdict.explanation)
            cases = [owner[verdict.operation_id]] if verdict.operation_id else nobody
            for case in cases:
                if month < case.account.months[0]:
                    continue  # nobody asked yet, and its invoice is not there
                before = outcomes.get((case.name, month), OPEN)
                if outcome.kind == "finding" or (case.name, month) in outcomes:
                    outcomes[case.name, month] = min(before, outcome, key=_rank)
        return outcomes


def _rank(outcome: Outcome) -> int:
    return KINDS.index(outcome.kind)


def measures_of(behaviours: Iterable[Behaviour]) -> dict[str, str]:
    return {b.report: b.measure for b in behaviours if b.measure}


class Result(NamedTuple):
    """Outcomes of a behaviour: of its honest months, and by the percent that invoices are wrong."""

    behaviour: Behaviour
    honest: Outcomes
    wrong: dict[int, Outcomes]

    def of(self, cadence: str, outcomes: Outcomes) -> Tally[str]:
        name = f"{self.behaviour.name} ({cadence})"
        return Tally(outcome.kind for key, outcome in outcomes.items() if key[0] == name)

    @property
    def first(self) -> tuple[str, date, Outcome] | None:
        """The first finding."""
        findings = (
            (*key, outcome) for key, outcome in self.honest.items() if outcome.kind == "finding"
        )
        return next(findings, None)

    @property
    def findings(self) -> int:
        return sum(outcome.kind == "finding" for outcome in self.honest.values())


def judge_together(cases: Sequence[Case]) -> Outcomes:
    """Outcomes of cases that share records where their settings allow it: quick, and less like a
    real account than a record for each behaviour."""
    groups: list[list[Case]] = []
    for case in cases:
        group = next((g for g in groups if _go_together(g, case)), None)
        if group is None:
            groups.append(group := [])
        group.append(case)
    return {key: found for g in groups for key, found in Warehouse(g).judge().items()}


def _go_together(group: Sequence[Case], case: Case) -> bool:
    behaviour, first = case.behaviour, group[0].behaviour
    measures = measures_of(other.behaviour for other in group)
    return (
        (behaviour.gauge_month, behaviour.period_rule, behaviour.now)
        == (first.gauge_month, first.period_rule, first.now)
        and measures.get(behaviour.report, behaviour.measure) == behaviour.measure
        and behaviour.cast == first.cast
    )


def try_out(
    behaviours: Sequence[Behaviour],
    cadences: Sequence[str],
    months: int,
    seed: int,
    wrong: Sequence[int] = WRONG,
) -> Iterator[Result]:
    """The Result of each behaviour, in a record of its own."""
    for number, behaviour in enumerate(behaviours):
        cases = [live_through(behaviour, number, cadence, months, seed) for cadence in cadences]
        warehouse = Warehouse(cases)
        honest = warehouse.judge()
        is_wrong = {p: warehouse.judge(p) for p in wrong if behaviour.shows_power}
        yield Result(behaviour, honest, is_wrong)


# The page.


def show(results: Sequence[Result], cadences: Sequence[str]) -> list[str]:
    """The two tables, and the first finding of each behaviour."""
    lines = [
        "## Honest months",
        "",
        "Of each cadence the months with a finding, of how many; then how many of all are "
        "inconclusive, and how many agree.",
        "",
        f"| behaviour | {' | '.join(cadences)} | inconclusive | agreed |",
        f"|---|{'---|' * len(cadences)}---|---|",
    ]
    total: Tally[str] = Tally()
    plain = [result for result in results if not result.behaviour.mixed]
    for result in sorted(plain, key=lambda result: -result.findings):
        counts = [result.of(cadence, result.honest) for cadence in cadences]
        cells = [f"{count['finding']} of {count.total()}" for count in counts]
        both = sum(counts, Tally())
        lines.append(
            f"| {result.behaviour.name} | {' | '.join(cells)} | {both['inconclusive']} "
            f"| {both['agreed']} |"
        )
        total += both
    if mixed := [result for result in results if result.behaviour.mixed]:
        counts = [
            sum((result.of(cadence, result.honest) for result in mixed), Tally())
            for cadence in cadences
        ]
        cells = [f"{count['finding']} of {count.total()}" for count in counts]
        both = sum(counts, Tally())
        lines.append(
            f"| {len(mixed)} mixtures | {' | '.join(cells)} | {both['inconclusive']} "
            f"| {both['agreed']} |"
        )
        total += both
    lines += [
        "",
        f"**{total['finding']} of {total.total():,} honest months have a finding**; "
        f"{total['inconclusive']} are inconclusive, {total['agreed']} agree.",
    ]
    if accused := [result for result in results if result.findings]:
        lines += ["", "The first finding of each that has one:", ""]
        for result in sorted(accused, key=lambda result: -result.findings):
            assert result.first
            name, month, outcome = result.first
            lines.append(f"- {name}, {month:%B %Y}: `{outcome.status}` {outcome.explanation}")
    return [*lines, *_power(results, cadences)]


def _power(results: Sequence[Result], cadences: Sequence[str]) -> list[str]:
    tried = [result for result in results if result.wrong]
    if not tried:
        return []
    percents = list(tried[0].wrong)
    heads = [f"{percent:+} %" for percent in percents]
    lines = [
        "",
        "## Wrong invoices",
        "",
        "The same months, with a quantity that is wrong by so much, and at least by one unit: in "
        "how many of them it is found.",
        "",
        f"| counter | asked | months | {' | '.join(heads)} |",
        f"|---|---|---|{'---|' * len(percents)}",
    ]
    for result in tried:
        for cadence in cadences:
            found = [result.of(cadence, result.wrong[percent]) for percent in percents]
            cells = [str(count["finding"]) for count in found]
            months = result.of(cadence, result.honest).total()
            lines.append(
                f"| {result.behaviour.name} | {cadence} | {months} | {' | '.join(cells)} |"
            )
    return lines


def page(lines: Sequence[str], began: float, words: Sequence[str]) -> str:
    text = [
        "# Whether anybody honest is accused",
        "",
        "`make honesty` writes this page: months of honest vendors and billing departments, each "
        "with a behaviour that [`benchmarks/behaviours.py`](../benchmarks/behaviours.py) names, "
        "and what `reconcile` says of them.",
        "",
        *machine(),
        f"- {origin(['honesty.py', *words])}",
        "",
        *lines,
        "",
        f"It took {time.monotonic() - began:.0f} s.",
    ]
    return "\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--months", type=int, default=MONTHS, help="of each, at each cadence")
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--mixtures", type=int, default=24)
    parser.add_argument("--no-power", action="store_true")
    parser.add_argument("--short", action="store_true")
    words = parser.parse_args()
    months = 1 if words.short else words.months
    cadences = [SHORT] if words.short else USUAL
    behaviours = [*BEHAVIOURS, *mixtures(3 if words.short else words.mixtures, words.seed)]
    chosen = [b for b in behaviours if words.only.casefold() in b.name.casefold()]
    if not chosen:
        parser.error(f"no behaviour has {words.only!r} in its name")
    wrong = () if words.short or words.no_power else WRONG
    began = time.monotonic()
    results = []
    with history.scratch():
        history.make_tables(sorted({b.report for b in chosen} & REPORTS.keys()))
        for result in try_out(chosen, cadences, months, words.seed, wrong):
            count = sum((result.of(cadence, result.honest) for cadence in cadences), Tally())
            print(f"{result.behaviour.name}: {dict(count)}", file=sys.stderr, flush=True)
            results.append(result)
    lines = show(results, cadences)
    print("\n".join(lines))
    print(f"\n{time.monotonic() - began:.0f} s")
    if not (words.short or words.only or words.no_power):
        PAGE.write_text(page(lines, began, sys.argv[1:]))


if __name__ == "__main__":
    main()
