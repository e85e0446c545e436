"""The terms of a contract beside the price of a unit: what a month's use costs by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from builders.facts import billed_line, known, rate, unseen_everywhere, use
from builders.months import OCTOBER_PERIOD as OCTOBER
from builders.months import REPORT
from wolkvox_billing.reconciliation.case import Case, Oddities
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.doubts import judge_again
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Meter, MonthUse
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.unread import Tail, Unread
from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.values.periods import Period

READ_ALL = Unread(Tail(Decimal(), 0, "busiest"))
QUANTITY = MapRow(2, "", "", "audios*", REPORT, "", "", "quantity")
MAP = [
    QUANTITY,
    MapRow(3, "", "", "*minimo*", REPORT, "", "", "price_component"),
    MapRow(4, "", "", "*paquete*", REPORT, "", "", "price_component"),
    MapRow(5, "", "", "*descuento*", REPORT, "", "", "discount"),
]
COMMON = [replace(row, operation_id="*") for row in MAP]
SEPTEMBER = Period(date(2026, 9, 1), date(2026, 10, 1))
FIRST_HALF = Period(date(2026, 10, 1), date(2026, 10, 16))
SECOND_HALF = Period(date(2026, 10, 16), date(2026, 11, 1))


def judged(
    months: Sequence[MonthUse],
    lines: Sequence[BilledLine],
    rates: Sequence[Rate],
    line_map: Sequence[MapRow] = MAP,
    days: dict[Meter, list[DayUse]] | None = None,
) -> list[Verdict]:
    """The verdicts, none of which was doubted, where nothing was left unread."""
    numbered = [line._replace(document_id=f"d{n}") for n, line in enumerate(lines)]
    operations = {month.operation_id: None for month in months} or {"acme": None}
    answered = {(name, REPORT): {date(2026, 9, 1), date(2026, 10, 1)} for name in operations}
    facts = known(list(months), numbered, operations=operations, days=days or {},
                  answered=answered)  # fmt: skip
    comparison = compare(facts, line_map, None)
    observed = unseen_everywhere(comparison, READ_ALL)
    return judge(facts, comparison, observed, Rules(Policy(), rates))


def told(verdicts: Sequence[Verdict]) -> list[tuple[str, int | None, int | None]]:
    """Status, contracted cost, cost variance of each."""
    return [
        (
            verdict.status,
            None if verdict.contracted_cost is None else int(verdict.contracted_cost),
            None if verdict.cost_variance is None else int(verdict.cost_variance),
        )
        for verdict in verdicts
    ]


def line(
    quantity: int | str | None, amount: str, text: str = "audios", **fields: Any
) -> BilledLine:
    stated = None if quantity is None else Decimal(quantity)
    return billed_line(stated, amount, fields.pop("period", OCTOBER), description=text, **fields)


def halves_of(first: int, second: int) -> dict[Meter, list[DayUse]]:
    """So much was used until 15 October, and so much after it."""
    return {
        Meter("acme", REPORT, "AUDIOS"): [
            DayUse(date(2026, 10, 15), 15, Decimal(first)),
            DayUse(date(2026, 10, 31), 16, Decimal(second)),
        ]
    }


def tiers(*prices: tuple[int, str], **fields: Any) -> list[Rate]:
    """Tiers by from_quantity and price."""
    return [
        rate(price, line=n, from_quantity=Decimal(start), **fields)
        for n, (start, price) in enumerate(prices, 2)
    ]


def term(name: str, value: str, **fields: Any) -> Rate:
    return rate(value, line=fields.pop("line", 9), term=name, **fields)


USED = [use(OCTOBER, 12_400)]
MINIMUM = [rate("100"), term("minimum", "1000000")]


def test_a_price_per_thousand() -> None:
    """12,400 at 90,000 for a thousand are 1,116,000, and each is 90."""
    [verdict] = judged(USED, [line(12_400, "1116000")], [rate("90000", per=Decimal(1000))])
    assert told([verdict]) == [("matched", 1_116_000, 0)]
    assert verdict.priced.unit_price == 90


def test_all_units_cost_what_the_tier_says_that_they_reach() -> None:
    """12,400 reach 90 from 10,000 on: 1,116,000, where graduated tiers are 1,216,000; 9,999 cost
    100 each, and 10,000 cost 90."""
    prices = tiers((0, "100"), (10_000, "90"), tiers="all_units")
    assert told(judged(USED, [line(12_400, "1116000")], prices)) == [("matched", 1_116_000, 0)]
    graduated = tiers((0, "100"), (10_000, "90"))
    assert told(judged(USED, [line(12_400, "1216000")], graduated)) == [("matched", 1_216_000, 0)]
    for used, cost in ((9_999, 999_900), (10_000, 900_000)):
        verdicts = judged([use(OCTOBER, used)], [line(used, f"{cost}")], prices)
        assert told(verdicts) == [("matched", cost, 0)]


@pytest.mark.parametrize(
    ("amount", "status"),
    [("900000", "matched"), ("1000000", "inconclusive_price"), ("950000", "price_difference")],
)
def test_a_quantity_just_where_a_tier_begins(amount: str, status: str) -> None:
    """10,000 with 90 from 10,000 on: 900,000; whoever bills 1,000,000 may read it as beyond."""
    prices = tiers((0, "100"), (10_000, "90"), tiers="all_units")
    facts = known([use(OCTOBER, 10_000)], [line(10_000, amount)])
    comparison = compare(facts, MAP, None)
    observed = unseen_everywhere(comparison, READ_ALL)
    [verdict] = judge(facts, comparison, observed, Rules(Policy(), prices))
    if verdict.status == "price_difference":
        verdict = judge_again(Case(verdict, [], Oddities(), facts, comparison))
    assert verdict.status == status


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line(8_000, "800000"), line(None, "200000", "Consumo minimo")], ("matched", 0)),
        ([line(8_000, "800000"), line(1, "200000", "Consumo minimo")], ("matched", 0)),
        ([line(8_000, "1000000")], ("matched", 0)),
        ([line(8_000, "800000")], ("price_difference", -200_000)),
        ([line(8_000, "800000"), line(None, "250000", "Consumo minimo")],
         ("price_difference", 50_000)),
        ([line(None, "1000000", "Consumo minimo")], ("within_tolerance", 0)),
    ],
)  # fmt: skip
def test_a_month_costs_its_minimum(lines: list[BilledLine], expected: tuple[str, int]) -> None:
    """8,000 at 100 are 800,000, and the contract says 1,000,000 at least: the line that tops it up
    is in the same verdict."""
    [(status, cost, variance)] = told(judged([use(OCTOBER, 8_000)], lines, MINIMUM))
    assert (status, cost, variance) == (expected[0], 1_000_000, expected[1])


def test_a_minimum_adds_nothing_to_a_month_that_costs_more() -> None:
    """12,400 at 100 are 1,240,000."""
    assert told(judged(USED, [line(12_400, "1240000")], MINIMUM)) == [("matched", 1_240_000, 0)]


def test_a_minimum_is_owed_where_nothing_was_used() -> None:
    """The vendor answered, and showed no use: the invoice of the minimum is right."""
    verdicts = judged([], [line(None, "1000000", "Consumo minimo")], MINIMUM)
    assert told(verdicts) == [("matched", 1_000_000, 0)]


def test_the_minimum_of_a_month_that_two_invoices_split_is_owed_once() -> None:
    """3,000 and 5,000: the second invoice tops up, or the first one; both by contract."""
    days = halves_of(3_000, 5_000)
    for first, second in (("300000", "700000"), ("500000", "500000")):
        halves = [line(3_000, first, period=FIRST_HALF), line(5_000, second, period=SECOND_HALF)]
        verdicts = judged([use(OCTOBER, 8_000)], halves, MINIMUM, days=days)
        assert told(verdicts) == [("matched", int(first), 0), ("matched", int(second), 0)]


def test_tiers_count_within_a_month_however_many_invoices_split_it() -> None:
    """6,000 and 2,000 with 100 up to 4,000 and 60 beyond: 400,000 + 120,000, then 2,000 at 60."""
    days = halves_of(6_000, 2_000)
    prices = tiers((0, "100"), (4_000, "60"))
    halves = [
        line(6_000, "520000", period=FIRST_HALF),
        line(2_000, "120000", period=SECOND_HALF),
    ]
    verdicts = judged([use(OCTOBER, 8_000)], halves, prices, days=days)
    assert told(verdicts) == [("matched", 520_000, 0), ("matched", 120_000, 0)]
    assert told(judged([use(OCTOBER, 8_000)], halves[:1], prices, days=days)) == [
        ("usage_not_invoiced", 120_000, -120_000), ("matched", 520_000, 0),
    ]  # fmt: skip


def test_each_month_of_an_invoice_has_its_own_tiers() -> None:
    """12,000 in September and 12,000 in October, with 90 beyond 10,000: twice 1,180,000."""
    both = Period(SEPTEMBER.start, OCTOBER.end)
    months = [use(SEPTEMBER, 12_000), use(OCTOBER, 12_000)]
    prices = tiers((0, "100"), (10_000, "90"))
    verdicts = judged(months, [line(24_000, "2360000", period=both)], prices)
    assert told(verdicts) == [("matched", 2_360_000, 0)]


@pytest.mark.parametrize(
    "lines",
    [
        [line(12_400, "1240000"), line(None, "-124000", "Descuento 10 %")],
        [line(12_400, "1240000"), line(1, "-124000", "Descuento 10 %")],
        [line(12_400, "1116000")],
    ],
)
def test_a_discount_is_taken_off(lines: list[BilledLine]) -> None:
    """10 % of 1,240,000, as a line of its own, or in the price of a unit."""
    prices = [rate("100"), term("discount_percent", "10")]
    assert told(judged(USED, lines, prices)) == [("matched", 1_116_000, 0)]


def test_a_discount_holds_on_its_days() -> None:
    """10 % from the 16th on: 6,200 at 100, and 6,200 at 90."""
    days = halves_of(6_200, 6_200)
    prices = [rate("100"), term("discount_percent", "10", valid_from=date(2026, 10, 16))]
    verdicts = judged(USED, [line(12_400, "1178000")], prices, days=days)
    assert told(verdicts) == [("matched", 1_178_000, 0)]


PACKAGE = term("package", "2880000", from_quantity=Decimal(36_000))
SOLD_BEFORE = [use(SEPTEMBER, 35_000), *USED]


def test_a_package_is_drawn_down_in_the_order_of_time() -> None:
    """Of 36,000 for the year 1,000 are left in October: 11,400 of 12,400 at 100."""
    prices = [rate("100"), PACKAGE]
    billed = [
        line(35_000, "0", period=SEPTEMBER),
        line(12_400, "1140000"),
    ]
    september, october = judged(SOLD_BEFORE, billed, prices)
    assert told([september]) == [("matched", 0, 0)]
    assert told([october]) == [("matched", 1_140_000, 0)]
    assert october.priced.packaged == 1_000
    [_, october] = judged(SOLD_BEFORE, [billed[0], line(12_400, "1240000")], prices)
    assert told([october]) == [("price_difference", 1_140_000, 100_000)]


def test_a_package_may_be_billed_where_it_begins() -> None:
    """10,000 for October at 900,000, and 2,400 beyond it at 100."""
    own = replace(PACKAGE, unit_price=Decimal(900_000), from_quantity=Decimal(10_000),
                  valid_from=OCTOBER.start, valid_to=OCTOBER.end)  # fmt: skip
    lines = [line(None, "900000", "Paquete 10.000"), line(12_400, "240000", "audios excedentes")]
    assert told(judged(USED, lines, [rate("100"), own])) == [("matched", 1_140_000, 0)]
    assert told(judged(USED, lines[1:], [rate("100"), own])) == [("matched", 240_000, 0)]


def test_a_package_of_all_operations_is_drawn_by_day() -> None:
    """Of 10,000 acme draws 6,000 and beta 4,000 of its 6,000, since beta's were used later."""
    beta = use(OCTOBER, 6_000, operation_id="beta")
    days = {
        Meter("acme", REPORT, "AUDIOS"): [DayUse(date(2026, 10, 10), 10, Decimal(6_000))],
        Meter("beta", REPORT, "AUDIOS"): [DayUse(date(2026, 10, 20), 20, Decimal(6_000))],
    }
    common = replace(PACKAGE, from_quantity=Decimal(10_000), pooled="all")
    lines = [line(6_000, "0", operation="acme"), line(6_000, "200000", operation="beta")]
    verdicts = judged([use(OCTOBER, 6_000), beta], lines, [rate("100"), common], days=days)
    assert told(verdicts) == [("matched", 0, 0), ("matched", 200_000, 0)]
    apart = replace(common, pooled="operation")
    verdicts = judged([use(OCTOBER, 6_000), beta], lines, [rate("100"), apart], days=days)
    assert told(verdicts) == [("matched", 0, 0), ("price_difference", 0, 200_000)]


def test_a_package_spans_months_and_prices() -> None:
    """36,000 with 1,000 left in October, at 100 until the 15th and 120 from the 16th: 5,200 and
    6,200. 5,000 from 16 October to 15 November pay 3,000 of October, none before, and 2,000 of
    November; what is left of them at October's end pays nothing that was used before they began."""
    change = date(2026, 10, 16)
    prices = [rate("100", valid_to=change), rate("120", valid_from=change), PACKAGE]
    days = halves_of(6_200, 6_200)
    days[USED[0].meter].insert(0, DayUse(date(2026, 9, 30), 30, Decimal(35_000)))
    lines = [line(35_000, "0", period=SEPTEMBER), line(12_400, "1264000")]
    assert told(judged(SOLD_BEFORE, lines, prices, days=days)) == [
        ("matched", 0, 0), ("matched", 1_264_000, 0),
    ]  # fmt: skip
    november = Period(date(2026, 11, 1), date(2026, 12, 1))
    late = replace(PACKAGE, from_quantity=Decimal(5_000), unit_price=Decimal(400_000),
                   valid_from=change, valid_to=date(2026, 11, 16))  # fmt: skip
    days = halves_of(3_000, 3_000)
    days[USED[0].meter] += [
        DayUse(date(2026, 11, 15), 15, Decimal(4_000)),
        DayUse(date(2026, 11, 30), 15, Decimal(1_000)),
    ]
    months = [use(OCTOBER, 6_000), use(november, 5_000)]
    for amount, cost in (("300000", 300_000), ("700000", 700_000)):  # without the package, with it
        lines = [line(6_000, amount), line(5_000, "300000", period=november)]
        assert told(judged(months, lines, [rate("100"), late], days=days)) == [
            ("matched", cost, 0), ("matched", 300_000, 0),
        ]  # fmt: skip


def test_what_nobody_read_may_draw_on_what_is_left_of_a_package() -> None:
    """12,400 of 12,500 measured: of 12,600 billed 100 are beyond the package, at 100 each."""
    own = replace(PACKAGE, from_quantity=Decimal(12_500), valid_from=OCTOBER.start)
    [verdict] = judged(USED, [line(12_600, "10000")], [rate("100"), own])
    assert (verdict.contracted_cost, verdict.price_effect) == (0, 0)


@pytest.mark.parametrize(
    ("used", "amount", "minimum"),
    [(10_500, "1000000", 1_000_000), (10_500, "945000", 945_000), (8_000, "1000000", 1_000_000),
     (8_000, "900000", 900_000)],
)  # fmt: skip
def test_a_discount_may_be_taken_off_before_a_minimum_or_after_it(
    used: int, amount: str, minimum: int
) -> None:
    """10 % off 1,050,000 is less than 1,000,000, which holds; or 10 % is taken off what is more."""
    prices = [*MINIMUM, term("discount_percent", "10", line=10)]
    lines = [line(used, amount)]
    assert told(judged([use(OCTOBER, used)], lines, prices)) == [("matched", minimum, 0)]


TWO = [use(OCTOBER, 12_400), use(OCTOBER, 7_600, operation_id="beta")]
POOLED = tiers((0, "100"), (10_000, "90"), pooled="all")


def test_one_line_for_all_operations() -> None:
    """20,000 of two operations: at 100 it is 2,000,000; tiers of each come to 1,216,000 and
    760,000, tiers over both to 1,900,000."""
    for prices, cost in (
        ([rate("100")], 2_000_000),
        (tiers((0, "100"), (10_000, "90")), 1_976_000),
        (POOLED, 1_900_000),
    ):
        [verdict] = judged(TWO, [line(20_000, f"{cost}")], prices, COMMON)
        assert told([verdict]) == [("matched", cost, 0)]
        assert verdict.key.operation_id == "*"


def test_all_units_over_all_operations() -> None:
    """20,000 reach 90 from 15,000 on: all of them cost 90, in two lines or in one."""
    prices = tiers((0, "100"), (15_000, "90"), tiers="all_units", pooled="all")
    apart = [line(12_400, "1116000", operation="acme"), line(7_600, "684000", operation="beta")]
    assert told(judged(TWO, apart, prices)) == [("matched", 1_116_000, 0), ("matched", 684_000, 0)]
    assert told(judged(TWO, [line(20_000, "1800000")], prices, COMMON)) == [
        ("matched", 1_800_000, 0)
    ]


@pytest.mark.parametrize(
    ("period", "issued", "percents"),
    [
        (OCTOBER, None, (5, 19)), (OCTOBER, date(2026, 10, 3), (5, 19)), (SEPTEMBER, None, (5, 5)),
        (SEPTEMBER, date(2026, 10, 3), (5, 5)), (SEPTEMBER, date(2026, 11, 2), (5, 19)),
    ],
)  # fmt: skip
def test_a_rate_of_tax_that_changes_within_a_month(
    period: Period, issued: date | None, percents: tuple[int, int]
) -> None:
    """From 5 to 19 % on 16 October: an invoice of October may have either, and one of September
    where it is issued in November."""
    change = date(2026, 10, 16)
    rows = [term("tax_percent", "5", valid_to=change), term("tax_percent", "19", valid_from=change)]
    assert Terms(rows).tax_percents(USED[0].meter, "COP", period, issued) == percents


@pytest.mark.parametrize(
    ("acme", "beta"), [("1178000", "722000"), ("1240000", "660000"), ("1140000", "760000")]
)
def test_tiers_over_all_operations_however_they_are_shared(acme: str, beta: str) -> None:
    """1,900,000 in sum, each operation at the average price, or the lower one for either."""
    lines = [line(12_400, acme, operation="acme"), line(7_600, beta, operation="beta")]
    verdicts = judged(TWO, lines, POOLED)
    assert [verdict.status for verdict in verdicts] == ["matched", "matched"]
    assert sum(verdict.contracted_cost or 0 for verdict in verdicts) == 1_900_000


def test_tiers_over_all_operations_that_are_billed_too_high() -> None:
    """1,240,000 and 760,000: by contract 62 % and 38 % of 1,900,000."""
    lines = [line(12_400, "1240000", operation="acme"), line(7_600, "760000", operation="beta")]
    assert told(judged(TWO, lines, POOLED)) == [
        ("price_difference", 1_178_000, 62_000), ("price_difference", 722_000, 38_000),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "status"),
    [("1216000", "inconclusive_price"), ("1140000", "inconclusive_price"),
     ("1178000", "matched"), ("1217000", "price_difference"), ("1139000", "price_difference")],
)  # fmt: skip
def test_a_share_is_doubted_until_all_operations_are_billed(amount: str, status: str) -> None:
    """acme's 12,400 before beta's 7,600 cost 1,216,000, behind them 1,140,000, and at the average
    1,178,000: as long as beta is not billed, each amount between is honest."""
    lines = [line(12_400, amount, operation="acme")._replace(document_id="d")]
    facts = known(TWO, lines, operations={"acme": None, "beta": None})
    comparison = compare(facts, MAP, None)
    observed = unseen_everywhere(comparison, READ_ALL)
    [verdict] = [v for v in judge(facts, comparison, observed, Rules(Policy(), POOLED)) if v.billed]
    if verdict.status == "price_difference":
        verdict = judge_again(Case(verdict, [], Oddities(), facts, comparison))
    assert verdict.status == status


def test_a_minimum_of_all_operations_is_topped_up_by_one_line() -> None:
    """500,000 and 300,000 of 1,000,000 at least: 200,000 in a line for both."""
    months = [use(OCTOBER, 5_000), use(OCTOBER, 3_000, operation_id="beta")]
    lines = [
        line(5_000, "500000", operation="acme"),
        line(3_000, "300000", operation="beta"),
        line(None, "200000", "Consumo minimo"),
    ]
    prices = [rate("100"), term("minimum", "1000000", pooled="all")]
    verdicts = judged(months, lines, prices, [QUANTITY, COMMON[1]])
    assert told(verdicts) == [
        ("within_tolerance", 200_000, 0), ("matched", 500_000, 0), ("matched", 300_000, 0),
    ]  # fmt: skip


def test_a_factor_says_what_one_of_a_line_is() -> None:
    """12.4 of a line per thousand are 12,400, whatever the line calls its unit; without a factor
    the unit says it."""
    by_map = [replace(QUANTITY, factor=Decimal(1000))]
    for code in (None, "94", "KGM", "MIL"):
        [verdict] = judged(USED, [line("12.4", "1240000", unit_code=code)], [rate("100")], by_map)
        assert told([verdict]) == [("matched", 1_240_000, 0)]
        assert verdict.billed_quantity == 12_400
    [verdict] = judged(USED, [line("12.4", "1240000", unit_code="MIL")], [rate("100")])
    assert told([verdict]) == [("matched", 1_240_000, 0)]


def test_what_is_accepted_is_not_compared() -> None:
    """It is left out of every verdict, and is still there."""
    accepted = MapRow(1, "", "", "*soporte*", "", "", "", "accepted")
    facts = known(USED, [line(None, "50000", "Soporte")])
    [left] = compare(facts, [accepted], None).left_out
    assert (left.role, left.line.amount) == ("accepted", 50_000)
