"""What a month will come to, how that stands by a budget, and days that fall out of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders.documents import ubl
from builders.facts import known, rate, use
from builders.months import OCTOBER_PERIOD, REPORT, bill, judged, local, read
from builders.project import Project
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.marts.ahead import MAY_PASS, PASSES, WITHIN, Forecast
from wolkvox_billing.reconciliation.anomalies import find_anomalies, odd_days
from wolkvox_billing.reconciliation.budget import read_budgets
from wolkvox_billing.reconciliation.day_profile import (
    DayProfile,
    NotEnoughDays,
    student_t,
)
from wolkvox_billing.reconciliation.facts import DayUse, Facts, Meter
from wolkvox_billing.reconciliation.forecast import forecast_months, foresee, month_so_far
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs.status import status

ACME = Meter("acme", REPORT, "AUDIOS")
TODAY = date(2026, 10, 16)
WEEK = (100, 100, 100, 100, 100, 40, 0)  # from Monday
BOGOTA = ZoneInfo("America/Bogota")


def days(first: date, last: date, week: Sequence[int] = WEEK) -> list[DayUse]:
    """Each day up to the last one as its weekday, and in turn 10 more and 10 less."""
    return [
        DayUse(day, 1, Decimal(max(week[day.weekday()] + (10 if n // 7 % 2 else -10), 0)))
        for n, day in enumerate(first + timedelta(days=n) for n in range((last - first).days + 1))
    ]


def facts(history: list[DayUse], today: date = TODAY, **fields: Any) -> Facts:
    moment = datetime(today.year, today.month, today.day, 12, tzinfo=BOGOTA)
    return known([use(OCTOBER_PERIOD, 1)], [], days={ACME: history}, now=moment, **fields)


def forecast(budgets: dict[str, Any] | None = None, price: str = "100") -> Forecast:
    """Of October on the 16th, of acme's AUDIOS, after ten weeks."""
    history = days(date(2026, 8, 3), TODAY - timedelta(days=1))
    [row] = forecast_months(facts(history), [rate(price)], read_budgets(budgets))
    return row


@pytest.mark.parametrize(
    ("chance", "freedom", "quantile"),
    [(0.9, 3, 1.638), (0.9, 7, 1.415), (0.9, 20, 1.325), (0.975, 10, 2.228), (0.99, 30, 2.457)],
)
def test_student_s_quantiles_are_those_of_the_tables(
    chance: float, freedom: float, quantile: float
) -> None:
    assert student_t(chance, freedom) == pytest.approx(quantile, abs=0.005)


def test_a_month_is_what_is_known_and_what_such_days_have() -> None:
    """16 days are to come: 11 workdays with 100, 3 Saturdays with 40, 2 Sundays with 5 (0 and 10 in
    turn)."""
    history = days(date(2026, 8, 3), TODAY - timedelta(days=1))
    so_far = month_so_far(history, TODAY)
    assert so_far.known == sum(day.quantity for day in history if day.day >= date(2026, 10, 1))
    assert (so_far.known_before, len(so_far.days_to_come)) == (TODAY, 16)
    outcome, _ = foresee(history, so_far, Decimal(1))
    assert outcome
    rest = outcome.expected - so_far.known
    assert rest == pytest.approx(11 * 100 + 3 * 40 + 2 * 5, abs=5)
    assert outcome.low < outcome.expected < outcome.high
    assert outcome.expected - outcome.low == pytest.approx(outcome.high - outcome.expected, abs=1)


def test_what_was_seen_today_is_no_whole_day() -> None:
    """A reading of today counts as the least that the month comes to, and the day is to come."""
    history = [*days(date(2026, 8, 3), TODAY - timedelta(days=1)), DayUse(TODAY, 1, Decimal(9999))]
    so_far = month_so_far(history, TODAY)
    assert so_far.days_to_come[0] == TODAY
    outcome, _ = foresee(history, so_far, Decimal(1))
    assert outcome and outcome.low == so_far.seen == so_far.known + 9999


def test_the_last_day_is_known_after_it() -> None:
    """On the 1st the month begins: nothing is known, and all its days are to come."""
    so_far = month_so_far(days(date(2026, 8, 3), date(2026, 9, 30)), date(2026, 10, 1))
    assert (so_far.known, len(so_far.days_to_come)) == (0, 31)


def test_less_than_four_weeks_say_nothing() -> None:
    """And days that were read as one count for none."""
    three = days(TODAY - timedelta(days=21), TODAY - timedelta(days=1))
    [row] = forecast_months(facts(three), [rate("100")], [])
    assert (row.expected_quantity, row.high_cost, row.days_known) == (None, None, 0)
    gaps = [day._replace(covers=2) for day in days(date(2026, 8, 3), TODAY - timedelta(days=1))]
    [row] = forecast_months(facts(gaps), [rate("100")], [])
    assert row.expected_quantity is None


def test_holidays_are_days_of_their_own() -> None:
    """Who uses nothing on Colombia's holidays is foreseen with nothing on the next one: 2 November
    2026, a Monday; its other Mondays have 100."""
    holidays = {date(2026, 8, 7), date(2026, 8, 17), date(2026, 10, 12)}
    history = [
        day._replace(quantity=Decimal()) if day.day in holidays else day
        for day in days(date(2026, 7, 27), date(2026, 11, 1))
    ]
    profile = DayProfile(history, before=date(2026, 11, 2))
    assert profile.sum_over([date(2026, 11, 2)], 0.8).expected == 0
    assert profile.sum_over([date(2026, 11, 9)], 0.8).expected == pytest.approx(100, abs=10)


def test_a_level_is_not_foreseen() -> None:
    """Of licences nobody knows tomorrow's by its weekday."""
    gauge = [use(OCTOBER_PERIOD, 20, "gauge")]
    own = replace(facts(days(date(2026, 8, 3), TODAY - timedelta(days=1))), months=gauge)
    assert forecast_months(own, [rate("100")], []) == []
    assert find_anomalies(own, "en") == []


def test_costs_are_by_tiers() -> None:
    """The first 1,000 at 100 COP, the rest at 50."""
    history = days(date(2026, 8, 3), TODAY - timedelta(days=1))
    tiers = [rate("100"), rate("50", line=3, from_quantity=Decimal(1000))]
    [row] = forecast_months(facts(history), tiers, [])
    assert row.expected_quantity and row.expected_quantity > 1000
    assert row.expected_cost == 100_000 + (row.expected_quantity - 1000) * 50
    [row] = forecast_months(facts(history), [], [])
    assert (row.billing_currency, row.expected_cost) == (None, None)


@pytest.mark.parametrize(
    ("budget", "status"), [("900000 COP", WITHIN), ("240000 COP", MAY_PASS), ("1000 COP", PASSES)]
)
def test_a_budget_is_within_the_interval_or_beside_it(budget: str, status: str) -> None:
    """At 100 COP the month comes to about 240,000 COP."""
    row = forecast({REPORT: budget})
    assert (row.budget_status, row.budget_amount) == (status, Decimal(budget.split()[0]))


def test_a_budget_of_a_product_goes_before_its_report_s() -> None:
    """And one in another currency is for nobody."""
    row = forecast({REPORT: "1000 COP", "audios": "900000 COP", "AUDIOS": "1 USD"})
    assert (row.budget_amount, row.budget_status) == (900_000, WITHIN)


def test_a_budget_is_written_in_more_than_one_way() -> None:
    """As a text with both, as a table, or by currency; and what it is not, is told."""
    ways: list[Any] = ["1500000 COP", {"amount": 1500000, "currency": "COP"}, {"COP": "1500000"}]
    for way in ways:
        assert Policy(budget={REPORT: way}).budget == {REPORT: "1500000 COP"}
    assert len(read_budgets({REPORT: "300 USD, 1200000 COP"})) == 2
    for wrong in ("1500000", "COP", "-1 COP", "much COP", "", 5, {}, "1 PESO"):
        with pytest.raises(SettingsError, match=r"`budget` under \[reconciliation\]: rsync_s3_mp3"):
            Policy(budget={REPORT: wrong})  # type: ignore[dict-item]


def test_days_that_are_not_as_such_days_are() -> None:
    """A Wednesday without anything, and a Sunday with 400; an honest week is quiet."""
    history = days(date(2026, 8, 3), TODAY - timedelta(days=1))
    assert list(odd_days(history)) == []
    odd = {date(2026, 10, 7): 0, date(2026, 10, 11): 400}
    history = [
        day._replace(quantity=Decimal(odd.get(day.day, int(day.quantity)))) for day in history
    ]
    [less, more] = find_anomalies(facts(history), "en")
    assert (less.usage_date, less.kind, less.consumed_quantity) == (date(2026, 10, 7), "less", 0)
    assert less.reason.startswith("0 audios on 7 Oct: the same weekday had 100 on the average")
    assert (more.usage_date, more.kind) == (date(2026, 10, 11), "more")
    [less, _] = find_anomalies(facts(history), "es_CO")
    assert less.reason.startswith("0 audios el 7 oct: el mismo día de la semana tuvo 100")


def test_too_little_history_raises() -> None:
    with pytest.raises(NotEnoughDays):
        DayProfile([], TODAY)


def test_status_warns_of_a_budget(warehouse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine weeks of 10 audios a day, at 100 COP: a month comes to 31,000 COP, and the budget of
    20,000 is passed; one of 90,000 is not told."""
    first = date(2026, 8, 14)
    read(
        warehouse,
        *(
            (local(day.day, 23, 50, month=day.month), str(10 * day.day))
            for day in (first + timedelta(days=n) for n in range(63))
        ),
    )
    bill(warehouse, ubl(net="0.00", tax=None))
    monkeypatch.setenv("RECONCILIATION__BUDGET", '{"rsync_s3_mp3": "20000 COP"}')
    now = local(16, month=10)
    judged(warehouse, at=now, budget={REPORT: "20000 COP"})
    [row] = warehouse.query_dicts("SELECT * FROM wolkvox_billing_marts.forecast")
    assert (row["expected_quantity"], row["expected_cost"]) == (310, 31_000)
    assert (row["budget_status"], row["month_label"]) == (PASSES, "2026-10")
    warnings = status(destination=warehouse.destination, clock=lambda: now).warnings
    [told] = [text for text in warnings if "budget" in text]
    assert told.startswith("rsync_s3_mp3: 2026-10 comes to ") and "20,000.00: it is passed" in told
    monkeypatch.setenv("RECONCILIATION__BUDGET", '{"rsync_s3_mp3": "90000 COP"}')
    warnings = status(destination=warehouse.destination, clock=lambda: now).warnings
    assert [text for text in warnings if "budget" in text] == []
