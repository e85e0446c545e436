"""Random contracts and use: the product's cost is the rater's, to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rater import Billed, Row, Use
from rater import rate_by_the_nearest as rated

from builders.facts import billed_line, known, rate, unseen_everywhere, use
from builders.months import OCTOBER_PERIOD, REPORT
from wolkvox_billing.reconciliation.contract.exchange_rates import ExchangeRate
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.facts import DayUse, Meter
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.unread import Tail, Unread
from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.values.periods import Period

pytestmark = pytest.mark.usefixtures("kept_open")
READ_ALL = Unread(Tail(Decimal(), 0, "busiest"))
START, END = date(2026, 1, 1), date(9999, 12, 31)
DAYS = [date(2026, 9, 1) + timedelta(days=n) for n in range(61)]
MONTHS = [Period(date(2026, 9, 1), date(2026, 10, 1)), OCTOBER_PERIOD]
CUT = date(2026, 10, 17)
HALVES = [Period(MONTHS[1].start, CUT), Period(CUT, MONTHS[1].end)]
DAY_IN_OCTOBER = st.sampled_from(DAYS[31:])
PRICES = st.integers(0, 5_000).map(lambda n: Fraction(n, 100))


@st.composite
def tiers(draw: st.DrawFn, start: date, end: date, *, pooled: bool) -> list[Row]:
    """One to three tiers on these days."""
    all_units, per = draw(st.booleans()), draw(st.sampled_from([1, 1, 3, 10, 1000]))
    froms = sorted(draw(st.sets(st.integers(1, 60), max_size=2)))
    return [
        Row("unit_price", draw(PRICES), start, end, n, per, all_units, pooled) for n in [0, *froms]
    ]


@st.composite
def contracts(draw: st.DrawFn) -> list[Row]:
    """Tiers that may change in October, and of the other terms those that it has."""
    pooled = draw(st.booleans())
    change = draw(st.none() | DAY_IN_OCTOBER)
    rows = draw(tiers(START, change or END, pooled=pooled))
    if change:
        rows += draw(tiers(change, END, pooled=pooled))
    if draw(st.booleans()):
        percent = Fraction(draw(st.integers(0, 1000)), 10)
        rows.append(Row("discount_percent", percent, draw(DAY_IN_OCTOBER), END))
    if draw(st.booleans()):
        of_all = pooled or draw(st.booleans())  # who has which share of all's cost nobody says
        rows.append(Row("minimum", draw(PRICES) * 20, START, END, pooled=of_all))
    if draw(st.booleans()):
        units, until = draw(st.integers(1, 80)), draw(st.just(END) | DAY_IN_OCTOBER)
        begin = draw(st.sampled_from(DAYS[:31]))
        if until > begin:
            own = draw(st.booleans())
            rows.append(Row("package", Fraction(5), begin, until, units, pooled=own))
    return rows


@st.composite
def uses(draw: st.DrawFn) -> dict[tuple[str, date], int]:
    """Units of two operations on some days, of each some in either half of October."""
    used: dict[tuple[str, date], int] = {}
    for name in ("acme", "beta"):
        days = draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=8))
        for day in {*days, draw(st.sampled_from(DAYS[30:46])), draw(st.sampled_from(DAYS[46:]))}:
            used[name, day] = draw(st.integers(1, 30))
    return used


def card_of(rows: list[Row], currency: str = "COP") -> list[Rate]:
    return [
        rate(
            Decimal(row.value.numerator) / row.value.denominator,
            currency,
            line=n,
            term=row.term,
            from_quantity=Decimal(row.from_quantity),
            per=Decimal(row.per),
            tiers="all_units" if row.all_units else "graduated",
            pooled="all" if row.pooled else "operation",
            valid_from=row.start,
            valid_to=row.end,
        )
        for n, row in enumerate(rows)
    ]


def judged(
    rows: list[Row],
    used: Use,
    periods: list[Period],
    *,
    is_common: bool,
    dollar: ExchangeRate | None = None,
) -> list[Verdict]:
    """The verdicts of October, whose lines bill for 1 peso what was measured. `dollar`: what one
    is, where the contract is in dollars."""
    months, lines, days = [], [], {}
    for name in ("acme", "beta"):
        own = {day: used.get((name, day), 0) for day in DAYS}
        days[Meter(name, REPORT, "AUDIOS")] = [DayUse(d, 1, Decimal(n)) for d, n in own.items()]
        for month in MONTHS:
            total = sum(n for day, n in own.items() if month.start <= day < month.end)
            months.append(use(month, total, operation_id=name))
        for period in periods:
            quantity = sum(n for day, n in own.items() if period.start <= day < period.end)
            lines.append((name, period, quantity))
    if is_common:
        lines = [("", period, sum(n for _, other, n in lines if other == period))
                 for period in periods]  # fmt: skip
    billed = [
        billed_line(quantity, "1", period, operation=name or None, document_id=f"d{n}")
        for n, (name, period, quantity) in enumerate(lines)
    ]
    facts = known(months, billed, days=days, operations={"acme": None, "beta": None})
    line_map = [MapRow(1, "", "", "", REPORT, "*" if is_common else "", "", "quantity")]
    comparison = compare(facts, line_map, None)
    observed = unseen_everywhere(comparison, READ_ALL)
    card = card_of(rows, dollar.currency if dollar else "COP")
    policy = Policy(exchange_rate="period_end")
    verdicts = judge(facts, comparison, observed, Rules(policy, card, [dollar] if dollar else []))
    return [verdict for verdict in verdicts if verdict.billed]


def cents(amount: Fraction) -> Decimal:
    return (Decimal(amount.numerator) / amount.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)


def total(verdicts: list[Verdict]) -> Decimal:
    return sum((verdict.contracted_cost or Decimal() for verdict in verdicts), Decimal())


@settings(max_examples=60, deadline=None)
@given(contracts(), uses())
def test_each_operations_month_costs_what_the_rater_says(rows: list[Row], used: Use) -> None:
    """A line for each; where it counts all operations together, their sum does."""
    verdicts = judged(rows, used, [OCTOBER_PERIOD], is_common=False)
    costs = rated(rows, used, OCTOBER_PERIOD, Billed(1, 2))
    if "all" in costs:
        assert abs(total(verdicts) - cents(costs["all"])) <= Decimal("0.01")
        return
    of_product = {verdict.key.operation_id: verdict.contracted_cost for verdict in verdicts}
    assert of_product == {name: cents(cost) for name, cost in costs.items()}


@settings(max_examples=60, deadline=None)
@given(contracts(), uses())
def test_one_line_for_all_costs_what_the_rater_says(rows: list[Row], used: Use) -> None:
    """To the cent, whether tiers count each operation or all together."""
    rows = [row if row.term != "minimum" else row._replace(pooled=True) for row in rows]
    [verdict] = judged(rows, used, [OCTOBER_PERIOD], is_common=True)
    assert verdict.contracted_cost == cents(
        sum(rated(rows, used, OCTOBER_PERIOD, Billed(1, 1)).values())
    )


@settings(max_examples=60, deadline=None)
@given(contracts(), uses())
def test_a_month_in_two_invoices_costs_what_the_rater_says(rows: list[Row], used: Use) -> None:
    """Each half may be rounded."""
    verdicts = judged(rows, used, HALVES, is_common=False)
    cost = cents(sum(rated(rows, used, OCTOBER_PERIOD, Billed(2, 4)).values()))
    assert abs(total(verdicts) - cost) <= Decimal("0.02")


@settings(max_examples=40, deadline=None)
@given(contracts(), uses(), st.integers(1, 10**7))
def test_a_contract_in_dollars_costs_what_the_rater_says(
    rows: list[Row], used: Use, pesos: int
) -> None:
    """One line for all operations, at any rate of the period's end; the package itself is billed by
    no line."""
    rows = [row if row.term != "minimum" else row._replace(pooled=True) for row in rows]
    dear = Fraction(10**6)
    rows = [row if row.term != "package" else row._replace(value=dear) for row in rows]
    rate = Decimal(pesos) / 1000
    dollar = ExchangeRate(2, date(2026, 10, 31), "USD", "COP", rate)
    [verdict] = judged(rows, used, [OCTOBER_PERIOD], is_common=True, dollar=dollar)
    costs = rated(rows, used, OCTOBER_PERIOD, Billed(1, 1), Fraction(rate))
    assert verdict.contracted_cost == cents(sum(costs.values()))
