"""The short form of `benchmarks/ahead.py`: whether forecasts hold, and honest days stay quiet."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def ahead() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("ahead")


def test_an_interval_of_80_percent_holds_as_often(ahead: Any) -> None:
    """Of the page's 1,000 honest months 75 to 85 %; of 150 chance takes or gives 7 more."""
    holding = ahead.foresee_months(150)
    assert 0.72 <= holding.share <= 0.88


def test_honest_days_raise_no_alarm(ahead: Any) -> None:
    """At most one a year and operation; of ten operations of all sizes."""
    assert ahead.look_at_days(10).a_year <= 1
