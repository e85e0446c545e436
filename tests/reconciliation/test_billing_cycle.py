"""The setting `billing_cycle_day`: billing periods that begin on another day than the first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.facts import billed_line, known, rate, unseen_everywhere, use
from builders.months import OCTOBER_PERIOD, READ, bill, invoice, judged, local, read, statuses
from builders.project import Project
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Meter
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.unread import Tail, Unread
from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.values.periods import DAY, Period, month_of, months_of

pytestmark = pytest.mark.usefixtures("kept_open")
REPORT = "rsync_s3_mp3"
SEPTEMBER = Period(date(2026, 9, 1), date(2026, 10, 1))
CYCLE = Period(date(2026, 9, 26), date(2026, 10, 26))
NEXT = Period(date(2026, 10, 26), date(2026, 11, 26))
USED = [
    DayUse(date(2026, 9, 25), 25, Decimal(9_000)),
    DayUse(date(2026, 9, 30), 5, Decimal(2_000)),
    DayUse(date(2026, 10, 25), 25, Decimal(10_000)),
    DayUse(date(2026, 10, 31), 6, Decimal(2_400)),
]


def verdicts(*lines: BilledLine, day: int = 26, tiered: bool = False) -> list[Verdict]:
    """September and October by days, 11,000 and 12,400, with a cycle from this day on."""
    months = [use(SEPTEMBER, 11_000), use(OCTOBER_PERIOD, 12_400)]
    days = {Meter("acme", REPORT, "AUDIOS"): USED}
    facts = known(months, list(lines), days=days, cycle_day=day)
    line_map = [MapRow(1, "", "", "", REPORT, "", "", "quantity")]
    comparison = compare(facts, line_map, None)
    rates = [rate("100"), *([rate("90", from_quantity=Decimal(10_000))] if tiered else [])]
    observed = unseen_everywhere(comparison, Unread(Tail(Decimal(), 0, "busiest")))
    return judge(facts, comparison, observed, Rules(Policy(billing_cycle_day=day), rates))


def test_what_nobody_billed_follows_the_cycle() -> None:
    """12,000 from 26 September to 25 October are billed; 9,000 before and 2,400 after are not."""
    told = [
        (verdict.key.period, verdict.status, verdict.consumed)
        for verdict in verdicts(billed_line(12_000, "1200000", CYCLE))
    ]
    before = Period(date(2026, 8, 26), date(2026, 9, 26))
    assert sorted(told, key=lambda row: row[0].start if row[0] else date.min) == [
        (before, "usage_not_invoiced", 9_000),
        (CYCLE, "matched", 12_000),
        (NEXT, "usage_not_invoiced", 2_400),
    ]


def test_tiers_count_within_a_cycle() -> None:
    """12,000 with 90 beyond 10,000: 1,180,000, in one invoice or in two."""
    [cost] = [v.contracted_cost for v in verdicts(billed_line(12_000, "1", CYCLE), tiered=True)
              if v.billed]  # fmt: skip
    assert cost == 1_180_000
    halves = [
        billed_line(2_000, "1", Period(CYCLE.start, date(2026, 10, 1)), document_id="a"),
        billed_line(10_000, "1", Period(date(2026, 10, 1), CYCLE.end), document_id="b"),
    ]
    costs = [
        verdict.contracted_cost for verdict in verdicts(*halves, tiered=True) if verdict.billed
    ]
    assert costs == [200_000, 980_000]


def test_an_invoice_is_due_when_its_cycle_is_over(project: Project) -> None:
    """1,000 until 31 October: the cycle from 26 October ends on 25 November, and its invoice is due
    15 days later; the calendar month's was due on 16 November."""
    read(project, *READ)
    assert statuses(judged(project, at=local(20, month=11))) == ["usage_not_invoiced"]
    result = judged(project, at=local(20, month=11), billing_cycle_day=26)
    periods = [(row.billing_period_start, row.reconciliation_status) for row in result.rows]
    assert periods == [(CYCLE.start, "usage_not_invoiced"), (NEXT.start, "open_period")]


def test_a_document_without_a_period_is_for_the_cycle_before_it(project: Project) -> None:
    """Issued on 28 October, it bills 26 September to 25 October."""
    read(project, *READ)
    bill(project, invoice("1000", "100000.00", periods="", issued="2026-10-28"))
    result = judged(project, billing_cycle_day=26)
    billed = [row.billing_period_start for row in result.rows if row.billed_cost]
    assert billed == [CYCLE.start]


@pytest.mark.parametrize("day", [0, 29, 31])
def test_a_day_that_not_every_month_has_is_refused(day: int) -> None:
    """With what is expected."""
    with pytest.raises(SettingsError, match=r"billing_cycle_day` .* expected a day from 1 to 28"):
        Policy(billing_cycle_day=day)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 28))
def test_each_day_is_in_one_cycle(day: date, first_day: int) -> None:
    """Which begins on the setting's day, and after which the next one begins."""
    cycle = month_of(day, first_day)
    assert cycle.start <= day < cycle.end
    assert cycle.start.day == cycle.end.day == first_day
    assert month_of(cycle.start - DAY, first_day).end == cycle.start
    assert months_of(Period(day, cycle.end), first_day) == [Period(day, cycle.end)]


@pytest.mark.parametrize(
    ("billed", "expected"),
    [
        ([], [(CYCLE, 12), (NEXT, 15)]),
        ([billed_line(12, "1200", CYCLE)], [(NEXT, 15)]),
    ],
)
def test_a_level_that_nobody_billed_follows_the_cycle(
    billed: list[BilledLine], expected: list[tuple[Period, int]]
) -> None:
    """10 agents on 27 September, 12 on 10 October, 15 on the 27th: a cycle of which no day was
    read is not owed, and one that is billed is not owed again."""
    levels = ((27, 9, 10), (10, 10, 12), (27, 10, 15))
    days = [DayUse(date(2026, month, day), 1, Decimal(level)) for day, month, level in levels]
    months = [use(SEPTEMBER, 10, "gauge"), use(OCTOBER_PERIOD, 15, "gauge")]
    facts = known(months, billed, days={Meter("acme", REPORT, "AUDIOS"): days}, cycle_day=26)
    comparison = compare(facts, [MapRow(1, "", "", "", REPORT, "", "", "quantity")], None)
    observed = unseen_everywhere(comparison, Unread(Tail(Decimal(), 0, "busiest")))
    told = judge(facts, comparison, observed, Rules(Policy(billing_cycle_day=26), [rate("100")]))
    assert [
        (verdict.key.period, verdict.consumed)
        for verdict in told
        if verdict.status == "usage_not_invoiced"
    ] == expected


def test_what_nobody_knows_the_meaning_of_follows_the_cycle() -> None:
    """Each cycle that its month touches is undetermined."""
    facts = known([replace(use(OCTOBER_PERIOD, 15, None), quantity=None)], [], cycle_day=26)
    comparison = compare(facts, [], None)
    assert [(key.period, own.quantity) for key, own in comparison.measured.items()] == [
        (CYCLE, None), (NEXT, None),
    ]  # fmt: skip
