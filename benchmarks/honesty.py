"""Is anybody honest accused? Months of honest vendors and billing departments, and what is said.

    make honesty                                  all of it; writes docs/honesty.md
    python benchmarks/honesty.py --months 2       so many months of each, at each cadence
    python benchmarks/honesty.py --only nightly   what has this in its name
    python benchmarks/honesty.py --short          one month at one cadence, without the power
    python benchmarks/honesty.py --asked 23:50,daily        at these cadences only

Each behaviour (`behaviours.py`) is lived through by four operations, which are asked at cadences of
their own; `reconcile` then judges all their months. A finding is any verdict that accuses; a line
that no row of the line map fits accuses nobody, and asks a person for a row. Where a behaviour
shows power, the same months are judged again with invoices that are wrong by a share.
The same seed makes the same months.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import ahead
import history
from behaviours import BEHAVIOURS, CALENDARS, Behaviour, mixtures
from cases import NOON, SHORT, USUAL, Case, live_through
from counters import second_of
from history import Judged
from parts import origin
from report import machine

from wolkvox_billing.vendor.reports import REPORTS

PAGE = Path(__file__).parents[1] / "docs" / "honesty.md"
BOGOTA = ZoneInfo("America/Bogota")
MONTHS = 3
SEED = 22
FAIR = ("matched", "within_tolerance", "open_period", "semantics_undetermined", "unit_mismatch")
AGREED = ("matched", "within_tolerance")
WRONG = (1, 2, 3, 5, 10, 30, -10)  # percent, by which an invoice is too high
MAP = "supplier_id,item_code,pattern,report,operation_id,product,role\n"
CARD = "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to\n"


class Outcome(NamedTuple):
    """What the product says of a month of a case: the worst of its verdicts."""

    kind: str  # one of KINDS
    status: str
    explanation: str


OPEN = Outcome("open", "", "")
WORST = ("finding", "unmapped")  # of months that nobody bills, too
Outcomes = dict[tuple[str, date], Outcome]  # by the case's name, and the first day of the month
KINDS = ("finding", "unmapped", "inconclusive", "agreed", "open")  # the worst first


def kind_of(status: str) -> str:
    if status == "open_period":
        return "open"
    if status == "unmapped_line":
        return "unmapped"
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
        self.now = history.moment_of(second_of(self.behaviour.now) + NOON, BOGOTA)
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
        owner.update(("*", case) for case in self.cases if case.behaviour.cast == "all")
        nobody = [case for case in self.cases if case.behaviour.cast == "two"]
        outcomes: Outcomes = {
            (case.name, month): OPEN for case in self.cases for month in case.account.months[:-1]
        }
        for verdict in verdicts:
            month = verdict.start.replace(day=1) if verdict.start else self.behaviour.last
            outcome = Outcome(kind_of(verdict.status), verdict.status, verdict.explanation)
            cases = [owner[verdict.operation_id]] if verdict.operation_id else nobody or self.cases
            for case in cases:
                if month < case.account.months[0]:
                    continue  # nobody asked yet, and its invoice is not there
                before = outcomes.get((case.name, month), OPEN)
                if outcome.kind in WORST or (case.name, month) in outcomes:
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

    def first(self, kind: str) -> str:
        """The first of this kind as a sentence, '' where there is none."""
        for (name, month), outcome in self.honest.items():
            if outcome.kind == kind:
                return f"{name}, {month:%B %Y}: `{outcome.status}` {outcome.explanation}"
        return ""

    @property
    def tally(self) -> Tally[str]:
        return Tally(outcome.kind for outcome in self.honest.values())

    @property
    def findings(self) -> int:
        return self.tally["finding"]


def judge_together(cases: Sequence[Case]) -> Outcomes:
    """Outcomes of cases that share records where their settings allow it: quick, and less like a
    real account than a record for each behaviour."""
    groups: list[list[Case]] = []
    for case in cases:
        group = next((g for g in groups if _go_together(g, case)), None)
        if group is None:
            groups.append(group := [])
        group.append(case)
    return {key: outcome for g in groups for key, outcome in Warehouse(g).judge().items()}


def _go_together(group: Sequence[Case], case: Case) -> bool:
    behaviour, first = case.behaviour, group[0].behaviour
    measures = measures_of(other.behaviour for other in group)
    return (
        (behaviour.gauge_month, behaviour.period_rule, behaviour.now, behaviour.last)
        == (first.gauge_month, first.period_rule, first.now, first.last)
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
    """Return the lines of both tables, with the first finding of each behaviour between them."""
    mixed = [result for result in results if result.behaviour.mixed]
    plain = [result for result in results if not result.behaviour.mixed]
    plain.sort(key=lambda result: -result.findings)
    total = sum((result.tally for result in results), Tally())
    lines = [
        "## Honest months",
        "",
        "Of each cadence the months with a finding, of how many; then of how many of all it is "
        "said that the line map lacks a row, how many are inconclusive, and how many agree.",
        "",
        f"| behaviour | {' | '.join(cadences)} | not mapped | inconclusive | agreed |",
        f"|---|{'---|' * len(cadences)}---|---|---|",
        *(_counts(result.behaviour.name, [result], cadences) for result in plain),
        *([_counts(f"{len(mixed)} mixtures", mixed, cadences)] if mixed else []),
        "",
        f"**{total['finding']} of {total.total():,} honest months have a finding**; "
        f"{total['inconclusive']} are inconclusive, {total['agreed']} agree. Of "
        f"{total['unmapped']} it is said that the line map lacks a row: that blames nobody, and "
        "yet no verdict is possible, since a row of the map names one operation, the only one, or "
        "all that have the report.",
    ]
    for kind, title in (
        ("finding", "The first finding of each that has one:"),
        ("unmapped", "What is said where the line map lacks a row:"),
    ):
        if sentences := [text for result in [*plain, *mixed] if (text := result.first(kind))]:
            lines += ["", title, "", *(f"- {text}" for text in sentences)]
    return [*lines, *_power(results, cadences)]


def _counts(name: str, results: Sequence[Result], cadences: Sequence[str]) -> str:
    """Return a row of the first table: what came of these, by cadence and in all."""
    tallies = [
        sum((result.of(cadence, result.honest) for result in results), Tally())
        for cadence in cadences
    ]
    cells = [f"{tally['finding']} of {tally.total()}" for tally in tallies]
    total = sum(tallies, Tally())
    others = [str(total[kind]) for kind in ("unmapped", "inconclusive", "agreed")]
    return f"| {name} | {' | '.join([*cells, *others])} |"


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
            tallies = [result.of(cadence, result.wrong[percent]) for percent in percents]
            cells = [str(tally["finding"]) for tally in tallies]
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
    parser.add_argument("--asked", default="", help="at these cadences only, with commas between")
    words = parser.parse_args()
    months = 1 if words.short else words.months
    cadences = [SHORT] if words.short else words.asked.split(",") if words.asked else USUAL
    behaviours = [
        *BEHAVIOURS,
        *CALENDARS,
        *mixtures(3 if words.short else words.mixtures, words.seed),
    ]
    chosen = [b for b in behaviours if words.only.casefold() in b.name.casefold()]
    if not chosen:
        parser.error(f"no behaviour has {words.only!r} in its name")
    wrong = () if words.short or words.no_power else WRONG
    began = time.monotonic()
    results = []
    with history.scratch():
        history.make_tables(sorted({b.report for b in chosen} & REPORTS.keys()))
        for result in try_out(chosen, cadences, months, words.seed, wrong):
            print(f"{result.behaviour.name}: {dict(result.tally)}", file=sys.stderr, flush=True)
            results.append(result)
    lines = show(results, cadences)
    if not (words.short or words.only):
        lines += ["", *ahead.show(ahead.foresee_months(), ahead.look_at_days())]
    print("\n".join(lines))
    print(f"\n{time.monotonic() - began:.0f} s")
    if not (words.short or words.only or words.no_power or words.asked):
        PAGE.write_text(page(lines, began, sys.argv[1:]))


if __name__ == "__main__":
    main()
