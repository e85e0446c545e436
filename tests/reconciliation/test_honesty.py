"""Nobody honest is accused: the short form of `benchmarks/honesty.py`, which says what is tried."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders.duckdb_files import kept_open, let_go

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SEED = 22

# Who is honest and accused today, by the reason. Whoever mends a reason takes the names out.
KNOWN_BY_REASON: dict[str, list[str]] = {
    "a first invoice that comes after the setting `invoice_due_days`": [
        "invoice: issued on the 18th"
    ],
}
# Of whom it is said, accusing nobody, that the line map lacks a row: it cannot name two operations.
UNMAPPED = {"invoice: one line for two operations"}
KNOWN = {name for names in KNOWN_BY_REASON.values() for name in names}


@pytest.fixture(scope="module")
def honesty() -> Iterator[Any]:
    """The benchmark, in a folder of its own with empty tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        benchmark = importlib.import_module("honesty")
        with benchmark.history.scratch():
            benchmark.history.make_tables(sorted({b.report for b in benchmark.BEHAVIOURS}))
            start = benchmark.history.start_anew
            patch.setattr(benchmark.history, "start_anew", lambda: (let_go(), start()))
            with kept_open():
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
    unmapped = {names[name] for (name, _), each in outcomes.items() if each.kind == "unmapped"}
    assert unmapped == UNMAPPED


def test_nobody_is_accused_in_odd_months_that_are_read_at_ten_to_midnight(honesty: Any) -> None:
    """February, the turn of the year, and months in which clocks are changed, read at 23:50 only:
    each kind of counter, of which every day's own number, read once, is agreed or inconclusive."""
    cases = [
        honesty.live_through(behaviour, number, "23:50", 1, SEED)
        for number, behaviour in enumerate(honesty.CALENDARS)
    ]
    outcomes = honesty.judge_together(cases)
    assert len(outcomes) == len(cases) == 49
    accused = {name: o.explanation for (name, _), o in outcomes.items() if o.kind == "finding"}
    assert accused == {}, "\n".join(f"{k}: {v}" for k, v in accused.items())


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
    assert "| behaviour | to the end | not mapped | inconclusive | agreed |" in lines
    assert any(line.startswith("**0 of 1 honest months have a finding**") for line in lines)
    assert "| counter | asked | months | +10 % |" in lines
    assert "| live counter | to the end | 1 | 1 |" in lines
