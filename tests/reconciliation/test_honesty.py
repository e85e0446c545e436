"""Nobody honest is accused: the short form of `benchmarks/honesty.py`, which says what is tried."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SEED = 22

# Who is honest and accused today, by the reason. Whoever mends a reason takes the names out.
KNOWN_BY_REASON = {
    "the night of the month's turn has three honest measures, and one is known": [
        "nightly copy, billed by called",
        "nightly copy, billed by called, judged on the 1st",
        "nightly copy, billed by after_first_night",
        "nightly copy, billed by after_first_night, judged on the 1st",
        "nightly counter of another report, billed by called",
        "auto: nightly copy",
    ],
    "what a counter shows after a fall is taken for a lower bound": [
        "computed anew on the last night, 3 % low",
        "dips by 3 % each midnight",
        "server moved in mid-month, counter anew",
        "reset 5 minutes early",
        "reset by UTC, billed by UTC",
        "reset by UTC, billed by the calendar",
    ],
    "unread time begins at the last answer, and not at the last change": [
        "frozen for the last 36 hours",
        "lags 3 hours",
    ],
    "an excess is not said as time before the last reading": [
        "daily numbers, listed, late until 03:00",
        "outage of the last day recovered after the turn",
        "billed by the month of UTC",
        "billed by a month that is cut at 18:00",
    ],
    "`auto` decides before a turn of the month was seen, or by lists that rise": [
        "auto: lists of month-to-date numbers",
        "auto: month-to-date numbers of yesterday and today",
        "auto: rare daily numbers, 0.05 a day",
    ],
    "a gauge that nobody set may be a counter": [
        "daily numbers of a report that is called a gauge",
    ],
    "a gauge's day is its last reading, and its month one measure of five": [
        "licences: none at night, billed by max",
        "licences: none at night, billed by average",
        "licences: none at night, average set and billed",
        "licences: peak of 6 hours, billed by max",
        "licences: changed twice, billed by average",
        "licences: changed twice, billed by pro rata",
        "licences: changed twice, average set and billed",
        "licences: more join, two lines by the days left",
        "licences: the row vanishes, billed by average",
    ],
    "rows that cannot be read, or not in one way only, are no doubt": [
        "rows: all rows have a unit behind the number",
        "rows: dots between thousands",
        "rows: separator changed in mid-month",
        "rows: in thousands, three decimals",
        "rows: a single row named TOTAL",
        "rows: one of two products unreadable",
    ],
    "products are taken by their spelling, and each for a use of its own": [
        "rows: case of a name changes",
        "rows: blanks of a name change",
        "rows: product renamed in mid-month",
        "rows: product renamed in mid-month, the map names the old one",
        "rows: sum replaced by its parts in mid-month",
        "rows: a row TOTAL GENERAL beside the parts",
        "rows: a sum with another name beside the parts",
        "rows: a row of percent",
        "rows: two rows of one name",
    ],
    "a period that is guessed, or not over at the issue, accuses like one that is stated": [
        "licences: billed in advance, no period named",
        "invoice: issued on the last day, no period named",
        "invoice: issued on the 28th, the rest estimated",
    ],
    "an invoice is due 15 days after the calendar's month": [
        "invoice: issued on the 18th",
        "invoice: billing cycle 26-25, on 18 Nov",
    ],
    "what is rounded, or nothing to speak of, is held against the cent and the unit": [
        "invoice: whole pesos, price of 4 decimals",
        "invoice: whole pesos, price of 2 decimals",
        "invoice: whole pesos, three lines",
        "invoice: minutes rounded, amount exact",
        "invoice: three units waived",
    ],
    "an amount that is right does not excuse a quantity of another kind": [
        "invoice: quantity 1, the whole amount",
        "invoice: a plan and the units beyond it",
    ],
    "unit codes are read by no rule": [
        "invoice: lines per thousand (MIL)",
        "invoice: lines per thousand, no unit said",
        "invoice: minutes billed in hours (HUR)",
    ],
    "a line bills one operation": [
        "invoice: one line for two operations",
        "invoice: one line for an operation that moved to another",
    ],
}
KNOWN = {name for names in KNOWN_BY_REASON.values() for name in names}


@pytest.fixture(scope="module")
def honesty() -> Iterator[Any]:
    """The benchmark, in a folder of its own with empty tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        benchmark = importlib.import_module("honesty")
        with benchmark.history.scratch():
            benchmark.history.make_tables(sorted({b.report for b in benchmark.BEHAVIOURS}))
            yield benchmark


def test_nobody_honest_is_accused(honesty: Any) -> None:
    """A month of each behaviour, asked to its end, has no finding, but for those that are KNOWN."""
    cases = [
        honesty.live_through(behaviour, number, honesty.SHORT, 1, SEED)
        for number, behaviour in enumerate(honesty.BEHAVIOURS)
    ]
    outcomes = honesty.judge_together(cases)
    names = {case.name: case.behaviour.name for case in cases}
    accused = {
        names[name]: f"{outcome.status}: {outcome.explanation}"
        for (name, _), outcome in outcomes.items()
        if outcome.kind == "finding"
    }
    assert {name: says for name, says in accused.items() if name not in KNOWN} == {}
    assert sorted(KNOWN - accused.keys()) == [], "no longer accused: take them out of KNOWN"


def test_a_live_counter_shows_one_percent_too_much(honesty: Any) -> None:
    """Read every five minutes, it finds each month of an invoice that is 1 % too high."""
    [live] = [b for b in honesty.BEHAVIOURS if b.name == "live counter"]
    case = honesty.live_through(live, 3, "5 min", 2, SEED)
    outcomes = honesty.Warehouse([case]).judge(percent=1)
    assert [outcome.status for outcome in outcomes.values()] == ["overbilled_quantity"] * 2


def test_the_page_has_both_tables(honesty: Any) -> None:
    """Of a behaviour it says how many honest months are accused, and how many wrong ones."""
    [live] = [b for b in honesty.BEHAVIOURS if b.name == "live counter"]
    results = list(honesty.try_out([live], [honesty.SHORT], 1, SEED, wrong=(10,)))
    lines = honesty.show(results, [honesty.SHORT])
    assert "| behaviour | to the end | inconclusive | agreed |" in lines
    assert any(line.startswith("**0 of 1 honest months have a finding**") for line in lines)
    assert "| counter | asked | months | +10 % |" in lines
    assert "| live counter | to the end | 1 | 1 |" in lines
