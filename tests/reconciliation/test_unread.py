"""What nobody read: it is never called overbilled, whatever the measure and the period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.documents import period
from builders.facts import billed_line, known, rate, unseen_everywhere, use
from builders.fuzzing import tries
from builders.months import MAP, READ, REPORT, bill, calls_of, invoice, judged, local, only, read
from builders.months import OCTOBER_PERIOD as OCTOBER
from builders.papers_on_record import judged_unstored
from builders.project import Project
from builders.record import Call, write_polls
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Meter, MonthUse
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.policy import LANGUAGES, Policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.totals import BilledLinesTotal
from wolkvox_billing.reconciliation.unread import (
    Behind,
    Day,
    Point,
    Tail,
    Unread,
    unread_of_counter,
    unread_of_days,
    unread_of_gauge,
)
from wolkvox_billing.reconciliation.verdicts import Verdict
from wolkvox_billing.reconciliation.words import explanation, settled_by
from wolkvox_billing.values.periods import Period

pytestmark = pytest.mark.usefixtures("kept_open")
HOUR, DAY = 3600, 86_400
LINE_MAP = [MapRow(2, "", "", "", REPORT, "", "", "quantity")]
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
DECEMBER = Period(date(2026, 12, 1), date(2027, 1, 1))
ALL_READ = Unread(Tail(Decimal(), 0, "busiest"))


def verdicts_on(
    months: list[MonthUse],
    *lines: BilledLine,
    unread: Unread = ALL_READ,
    line_map: Sequence[MapRow] = LINE_MAP,
    rates: Sequence[Rate] = (rate("100"),),
    **known_too: Any,
) -> list[Verdict]:
    """The verdicts on these lines, and their sentences: none may be missing."""
    facts = known(months, list(lines), **known_too)
    comparison = compare(facts, line_map, None)
    verdicts = judge(
        facts, comparison, unseen_everywhere(comparison, unread), Rules(Policy(), rates)
    )
    assert all(
        explanation(verdict, facts, language) for verdict in verdicts for language in LANGUAGES
    )
    return verdicts


def verdict_on(months: list[MonthUse], *lines: BilledLine, **more: Any) -> Verdict:
    [verdict] = verdicts_on(months, *lines, **more)
    return verdict


def of_audios(*days: tuple[int, int, int]) -> dict[Meter, list[DayUse]]:
    """Days of October: which one, how many it covers, and how much was used in them."""
    return {
        Meter("acme", REPORT, "AUDIOS"): [
            DayUse(date(2026, 10, day), covers, Decimal(quantity)) for day, covers, quantity in days
        ]
    }


def answered_on(day: date) -> dict[tuple[str, str], set[date]]:
    return {("acme", REPORT): {day}}


# How much can be unseen.

READINGS = [Point(hour * HOUR, Decimal(10 * hour)) for hour in (10, 34, 58)]


def test_a_period_that_ends_in_mid_month_is_bounded_by_the_next_reading() -> None:
    """Read each day at 10:00, ten an hour: of the second day's last 14 hours at most 240 are unseen
    (what the next reading shows), by the busiest rate 140; of the first day's as many are from
    before."""
    unread = unread_of_counter(READINGS, 0, DAY, 2 * DAY, Decimal(1))
    assert unread.missing == (140, 14 * HOUR, "busiest")
    assert unread.foreign == 140
    assert unread_of_counter(READINGS, 0, DAY, 2 * DAY, Decimal(9)).missing.quantity == 240


def test_a_stretch_without_a_reading_before_it_is_bounded_by_the_one_after() -> None:
    """Before the first reading at most what it shows was used."""
    unread = unread_of_counter(READINGS, 0, 0, 5 * HOUR, Decimal(9))
    assert unread == Unread(Tail(Decimal(100), 5 * HOUR, "busiest"))


def test_each_day_of_a_daily_number_can_hold_what_followed_its_last_reading() -> None:
    """A day of 240 that was read hourly, and two whose last 4 hours were not read: the busiest 4
    hours showed 100. What is read in the mornings only says nothing of the afternoons."""
    busy = [Decimal(5 if hour <= 12 else 25 if hour <= 16 else 10) for hour in range(1, 25)]
    points = [Point(n * HOUR, sum(busy[:n], Decimal())) for n in range(1, 25)]
    days = [Day(0, DAY, tuple(points))]
    assert unread_of_days(days, Decimal(2)).missing == (0, 0, "busiest")
    days += [
        Day(n * DAY, (n + 1) * DAY, (Point(n * DAY + 20 * HOUR, Decimal(180)),)) for n in (1, 2)
    ]
    of_both = Unread(Tail(Decimal(200), 8 * HOUR, "busiest"), is_at_end=False)
    assert unread_of_days(days, Decimal(1)) == of_both
    mornings = [
        Day(n * DAY, (n + 1) * DAY, (Point(n * DAY + 8 * HOUR, Decimal(40)),)) for n in range(2)
    ]
    assert unread_of_days(mornings, Decimal(9)).missing == (None, 32 * HOUR, "unknown")


@pytest.mark.parametrize(
    ("gauge_month", "missing", "foreign"),
    [("max", None, 0), ("last", 0, 0), ("average", None, None)],
)
def test_a_level_on_a_day_that_nobody_read_is_unknown(
    gauge_month: str, missing: int | None, foreign: int | None
) -> None:
    """The highest level may have been higher then, an average anything; the last one is known."""
    days = [Day(0, DAY), Day(DAY, 2 * DAY, (Point(DAY + HOUR, Decimal(10)),))]
    unread = unread_of_gauge(days, gauge_month)
    assert (unread.missing.quantity, unread.foreign) == (missing, foreign)


# What follows from it.


def test_a_quarter_with_a_month_that_nobody_polled_is_inconclusive() -> None:
    """October and December at 1,000, nothing known of November, 3,000 billed. If the vendor
    answered in November without a row, it was not used, and 1,000 are too many."""
    quarter = billed_line(3000, "300000", Period(date(2026, 10, 1), date(2027, 1, 1)))
    months = [use(OCTOBER, 1000), use(DECEMBER, 1000)]
    assert verdict_on(months, quarter).status == "inconclusive_low_coverage"
    answered = verdict_on(months, quarter, answered=answered_on(date(2026, 11, 3)))
    assert (answered.status, answered.quantity_variance) == ("overbilled_quantity", 1000)


def test_an_unread_level_is_inconclusive() -> None:
    """12 licences billed, 10 seen on two days: on the others there may have been 12."""
    unread = Unread(Tail(None, 29 * DAY, "unknown"))
    verdict = verdict_on([use(OCTOBER, 10, "gauge")], billed_line(12, "1200"), unread=unread)
    assert verdict.status == "inconclusive_low_coverage"
    assert (
        verdict_on([use(OCTOBER, 10, "gauge")], billed_line(12, "1200")).status
        == "overbilled_quantity"
    )


def test_too_little_may_be_use_from_before_the_period() -> None:
    """Where the period begins unread, what was measured may be the days' before it."""
    unread = Unread(Tail(Decimal(), 0, "busiest"), Decimal(50))
    assert verdict_on([use(OCTOBER, 1000)], billed_line(950, "95000"), unread=unread).status == (
        "inconclusive_low_coverage"
    )
    assert verdict_on([use(OCTOBER, 1000)], billed_line(949, "94900"), unread=unread).status == (
        "underbilled_quantity"
    )


@pytest.mark.parametrize(
    ("locale", "says"),
    [
        ("en", "up to 50 audios of what was measured may be from before this time"),
        ("es_CO", "hasta 50 audios de lo medido puede ser de antes de este tiempo"),
    ],
)
def test_it_says_how_much_may_be_from_before_the_period(locale: str, says: str) -> None:
    """50 of 1,000 audios, where the period's first days were not read."""
    unread = Unread(Tail(Decimal(), 0, "busiest"), Decimal(50))
    months, lines = [use(OCTOBER, 1000)], [billed_line(950, "95000")]
    verdict = verdict_on(months, *lines, unread=unread)
    assert says in explanation(verdict, known(months, lines), locale)


def test_a_line_without_a_quantity_never_matches() -> None:
    """Its amount can be what was measured costs, or too much by more than the unread time holds."""
    tail = Unread(Tail(Decimal(100), 12 * HOUR, "busiest"))
    used = [use(OCTOBER, 1000)]
    verdicts = [
        verdict_on(used, billed_line(None, amount), unread=tail)
        for amount in ("100000", "110000", "110001", "94999")
    ]
    assert [(verdict.status, verdict.is_material) for verdict in verdicts] == [
        ("within_tolerance", False),
        ("inconclusive_low_coverage", False),
        ("price_difference", True),
        ("price_difference", True),
    ]


@pytest.mark.parametrize(
    ("reason", "english", "spanish"),
    [
        ("seldom", "was seen to move every 12 hours, last on 31 Oct 12:00",
         "se vio moverse el contador cada 12 horas, por última vez el 31 oct 12:00"),
        ("still", "stood still from 31 Oct 12:00 on", "estuvo quieto desde el 31 oct 12:00"),
        ("step", "the counter moves every 12 hours", "el contador se mueve cada 12 horas"),
        ("lag", "by the setting `vendor_lag_hours`", "por el ajuste `vendor_lag_hours`"),
        ("outage", "stood still for a while in its last two days", "quieto un tiempo en sus dos"),
        ("night", "a nightly job fills the counter", "un proceso nocturno llena el contador"),
    ],
)  # fmt: skip
def test_it_says_what_was_read_and_why_more_counts_as_unread(
    reason: str, english: str, spanish: str
) -> None:
    """Read at 23:50, and what it may not show of the last 24 hours is 400 at most."""
    moved_at = int(local(31, 12).timestamp())
    because = Behind(reason, 600, moved_at, 12 * HOUR)
    unread = Unread(Tail(Decimal(400), 24 * HOUR, "busiest"), behind=because)
    months, line = [use(OCTOBER, 1000)], billed_line(1300, "130000")
    verdict = verdict_on(months, line, unread=unread)
    facts = known(months, [line])
    for language, not_read, text in (
        ("en", "nobody read the last 10 minutes; ", english),
        ("es", "nadie leyó los últimos 10 minutos; ", spanish),
    ):
        sentence = explanation(verdict, facts, language)
        assert not_read in sentence
        assert text in sentence
        assert "400" in sentence
        assert "nobody read the last 24 hours" not in sentence
    assert "how late it counts" in (settled_by(verdict, "en") or "")


def test_unread_hours_excuse_a_quantity_and_not_a_price() -> None:
    """1,001 billed at 200 where 100 is agreed: one may be unseen, 100,100 COP are an alarm."""
    tail = Unread(Tail(Decimal(100), 12 * HOUR, "busiest"))
    verdict = verdict_on([use(OCTOBER, 1000)], billed_line(1001, "200200"), unread=tail)
    assert (verdict.status, verdict.price_effect, verdict.is_material) == (
        "inconclusive_low_coverage", 100100, True)  # fmt: skip
    fair = verdict_on([use(OCTOBER, 1000)], billed_line(1001, "100100"), unread=tail)
    assert (fair.status, fair.is_material) == ("inconclusive_low_coverage", False)


def test_a_price_that_changed_while_nobody_read_is_no_price_difference() -> None:
    """100 until the 14th, 110 from the 15th on; read on the 1st and the 31st only: 1,000 can cost
    100,000 to 110,000. Spread over its 30 days, of which 17 are at 110, it costs 105,666.67."""
    middle = date(2026, 10, 15)
    rates = [rate("100", valid_to=middle), rate("110", valid_from=middle)]
    days = of_audios((31, 30, 1000))
    for amount, status in (
        ("100000", "inconclusive_low_coverage"),
        ("110000", "inconclusive_low_coverage"),
        ("110001.02", "price_difference"),
    ):
        verdict = verdict_on(
            [use(OCTOBER, 1000)], billed_line(1000, amount), days=days, rates=rates
        )
        assert (verdict.status, verdict.contracted_cost) == (status, Decimal("105666.67"))


def test_nothing_billed_and_nothing_used_is_matched() -> None:
    """An invoice that was taken back whole is none."""
    back = [billed_line(10, "1000"), billed_line(-10, "-1000", document_id="n")]
    assert verdict_on([], *back, answered=answered_on(date(2026, 10, 3))).status == "matched"
    assert (
        verdict_on([], back[0], answered=answered_on(date(2026, 10, 3))).status
        == "invoiced_without_usage"
    )


def test_an_old_day_that_is_read_again_tells_nothing_of_the_months_end(
    warehouse: Project,
) -> None:
    """Read on the 31st at 12:00; in November the 15th is sent again: the last 12 hours are as
    unread as before."""
    again = {"operation": "ACME", "description": "AUDIOS", "items": "501", "date": "2026-10-15"}
    calls = calls_of((local(1), "0"), (local(15), "500"), (local(31), "1000"))
    late = Call(local(2, month=11), [again])
    write_polls(warehouse, *calls, late, measures={REPORT: "month_to_date"})
    row = only(judged_unstored(warehouse, invoice("1036", "103600.00")))
    assert row.reconciliation_status == "inconclusive_cut_off"
    assert row.hours_unread_at_end == 12
    assert "your last reading on 31 Oct 12:00 showed 1,000 audios" in row.explanation


def test_daily_numbers_read_in_the_morning(project: Project) -> None:
    """33 on five days at 08:00, 1,000 billed: 16 hours of each of them were not read."""
    calls = calls_of(*((local(day, 8), "33") for day in (1, 2, 3, 30, 31)))
    write_polls(project, *calls, measures={REPORT: "daily"})
    row = only(judged_unstored(project, invoice("1000", "100000.00")))
    assert (row.consumed_quantity, row.reconciliation_status) == (
        165, "inconclusive_low_coverage")  # fmt: skip
    # 26 days and 5 times 16 hours
    assert "nobody read 704 hours of it, and nothing tells what was used then" in row.explanation


# Who shares what.


def test_two_currencies_share_the_use() -> None:
    """600 in pesos and 400 in dollars of 1,000: both match. 50 too many are in the last one."""
    rates = [rate("100"), rate("1", "USD")]

    def of(dollars: int) -> list[tuple[str | None, str, Decimal | None]]:
        lines = [billed_line(600, "60000"), billed_line(dollars, str(dollars), currency="USD")]
        verdicts = verdicts_on([use(OCTOBER, 1000)], *lines, rates=rates)
        return [(verdict.key.currency, verdict.status, verdict.consumed) for verdict in verdicts]

    assert of(400) == [("COP", "matched", 600), ("USD", "matched", 400)]
    assert of(450) == [("COP", "matched", 600), ("USD", "overbilled_quantity", 400)]
    assert of(300) == [("COP", "matched", 600), ("USD", "underbilled_quantity", 400)]


def test_a_supplementary_invoice_shares_the_month() -> None:
    """900 of October, and 100 more of its second half: together the 1,000 that were used."""
    half = Period(date(2026, 10, 16), date(2026, 11, 1))
    days = of_audios((15, 15, 500), (31, 16, 500))
    verdicts = verdicts_on(
        [use(OCTOBER, 1000)], billed_line(900, "90000"), billed_line(100, "10000", half), days=days
    )
    assert [(verdict.status, verdict.consumed) for verdict in verdicts] == [
        ("matched", 900),
        ("matched", 100),
    ]


def test_a_product_is_known_whatever_its_case(project: Project) -> None:
    """`Audios` in the line map is the vendor's AUDIOS."""
    read(project, *READ)
    line_map = f"{MAP},,*,{REPORT},,Audios,quantity\n"
    result = judged_unstored(project, invoice("1000", "100000.00"), line_map=line_map)
    assert [(row.product, row.reconciliation_status) for row in result.rows] == [
        ("AUDIOS", "matched")
    ]


def test_an_operation_that_was_renamed_in_mid_month_is_one(warehouse: Project) -> None:
    """500 as ACME, then 1,000 as ACME SAS: 1,000 were used, billed or not."""
    before = calls_of((local(1), "10"), (local(15), "500"))
    after = [
        Call(call.at, [{**row, "operation": "ACME SAS"} for row in call.rows])
        for call in calls_of((local(16), "520"), (local(31, 23, 59), "1000"))
    ]
    write_polls(warehouse, *before, *after, measures={REPORT: "month_to_date"})
    alone = only(judged_unstored(warehouse))
    assert (alone.consumed_quantity, alone.reconciliation_status) == (
        1000, "usage_not_invoiced")  # fmt: skip
    billed = only(judged_unstored(warehouse, invoice("1000", "100000.00")))
    assert billed.reconciliation_status == "matched"


def test_two_names_in_one_answer_are_added(project: Project) -> None:
    """NORTE and SUR under one token: the invoice bills both."""
    rows = [
        {"operation": name, "description": "AUDIOS", "items": items, "date": "2026-10-31"}
        for name, items in (("NORTE", "700"), ("SUR", "300"))
    ]
    at = local(31, 23, 59)
    calls = Call(at, rows), Call(at + timedelta(minutes=6), rows[:1])  # SUR is not in every answer
    write_polls(project, *calls, measures={REPORT: "month_to_date"})
    row = only(judged_unstored(project, invoice("1000", "100000.00")))
    assert (row.consumed_quantity, row.reconciliation_status) == (1000, "matched")


def test_half_a_month_that_two_suppliers_bill_is_there_once() -> None:
    """1,500 of the first half, billed by two: one of them is too much, and the second half is
    billed by nobody."""
    half = Period(date(2026, 10, 1), date(2026, 10, 16))
    days = of_audios((15, 15, 1500), (31, 16, 1600))
    lines = [
        billed_line(1500, "150000", half, supplier_id=supplier, document_id=supplier)
        for supplier in ("900", "901")
    ]
    verdicts = verdicts_on([use(OCTOBER, 3100)], *lines, days=days)
    assert sorted((verdict.status, verdict.consumed) for verdict in verdicts) == [
        ("matched", 1500), ("overbilled_quantity", 0), ("usage_not_invoiced", 1600)]  # fmt: skip


def test_a_named_product_leaves_the_report_its_other_months() -> None:
    """October of AUDIOS by name, the quarter as a whole: 1,000 a month, all of it billed."""
    named = MapRow(1, "", "A", "", REPORT, "", "AUDIOS", "quantity")
    quarter = Period(date(2026, 10, 1), date(2027, 1, 1))
    lines = [billed_line(1000, "100000", item_code="A"), billed_line(2000, "200000", quarter)]
    months = [use(OCTOBER, 1000), use(NOVEMBER, 1000), use(DECEMBER, 1000)]
    verdicts = verdicts_on(months, *lines, line_map=[named, *LINE_MAP])
    assert [(verdict.key.product, verdict.status, verdict.consumed) for verdict in verdicts] == [
        (None, "matched", 2000), ("AUDIOS", "matched", 1000)]  # fmt: skip


def test_a_note_is_taken_off_what_it_gives_back() -> None:
    """1,000 billed, and 50 of the first half given back: 950 were used."""
    half = Period(date(2026, 10, 1), date(2026, 10, 16))
    verdict = verdict_on(
        [use(OCTOBER, 950)], billed_line(1000, "100000"), billed_line(-50, "-5000", half)
    )
    assert (verdict.status, verdict.billed_quantity, verdict.billed_cost) == ("matched", 950, 95000)


def test_one_unread_tail_excuses_one_excess() -> None:
    """500 measured, at most 400 unread; 600 and 400 billed: the second one is beyond it."""
    rates = [rate("100"), rate("1", "USD")]
    unread = Unread(Tail(Decimal(400), 12 * HOUR, "busiest"))
    lines = [billed_line(600, "60000"), billed_line(400, "400", currency="USD")]
    verdicts = verdicts_on([use(OCTOBER, 500)], *lines, rates=rates, unread=unread)
    assert [(verdict.key.currency, verdict.status) for verdict in verdicts] == [
        ("COP", "inconclusive_low_coverage"), ("USD", "overbilled_quantity")]  # fmt: skip


def test_a_fall_is_taken_off_the_days_before_it() -> None:
    """900 and 100 at 100, then 10 taken back on the first day at 200: 990 cost 99,000."""
    middle = date(2026, 10, 16)
    rates = [rate("100", valid_to=middle), rate("200", valid_from=middle)]
    days = of_audios((14, 14, 900), (15, 1, 100), (16, 1, -10))
    verdict = verdict_on([use(OCTOBER, 990)], billed_line(990, "99000"), days=days, rates=rates)
    assert (verdict.status, verdict.contracted_cost) == ("matched", 99000)


def test_a_counter_that_falls_after_it_was_billed_is_questioned() -> None:
    """600 by the 15th were billed, and then 100 were taken back."""
    half = Period(date(2026, 10, 1), date(2026, 10, 16))
    days = of_audios((15, 15, 600), (20, 5, -100))
    verdicts = verdicts_on([use(OCTOBER, 500)], billed_line(600, "60000", half), days=days)
    assert [(verdict.status, verdict.consumed) for verdict in verdicts] == [
        ("overbilled_quantity", -100), ("matched", 600)]  # fmt: skip


@settings(max_examples=tries(300), deadline=None)
@given(
    used=st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)),
        min_size=1, max_size=3,
    ),
    billed=st.lists(
        st.tuples(
            st.none() | st.sampled_from(["A0", "A1"]),
            st.none() | st.integers(-300, 1500),
            st.sampled_from(
                [(1, 11, 10), (1, 16, 10), (16, 1, 11), (1, 1, 11), (1, 1, 12), (5, 20, 10)]
            ),
            st.sampled_from(["900", "901"]),
            st.sampled_from(["COP", "USD"]),
        ),
        max_size=6,
    ),
)  # fmt: skip
def test_no_unit_is_counted_twice(
    used: list[tuple[int, int, int]], billed: list[tuple[Any, ...]]
) -> None:
    """Whoever bills what of a counter: all keys together have what was measured, and in no stretch
    of days more than was measured in it."""
    cuts = (date(2026, 10, 10), date(2026, 10, 15), date(2026, 10, 31))
    months, days = [], {}
    for n, parts in enumerate(used):
        months.append(use(OCTOBER, sum(parts), product=f"A{n}"))
        days[months[-1].meter] = [
            DayUse(day, 1, Decimal(part)) for day, part in zip(cuts, parts, strict=True)
        ]
    lines = [
        billed_line(quantity, str((quantity or 10) * 100),
             Period(date(2026, 10, start), date(2026, month, end)), item_code=product or "",
             supplier_id=supplier, currency=currency, document_id=str(n))
        for n, (product, quantity, (start, end, month), supplier, currency) in enumerate(billed)
    ]  # fmt: skip
    line_map = [MapRow(n, "", f"A{n}", "", REPORT, "", f"A{n}", "quantity") for n in range(2)]
    verdicts = verdicts_on(months, *lines, days=days, line_map=[*line_map, *LINE_MAP])
    taken: Counter[tuple[str, date]] = Counter()
    for verdict in verdicts:
        for part in verdict.measured.parts if verdict.measured else ():
            for day in part.days:
                assert day.quantity >= 0
                taken[part.use.product, day.day] += int(day.quantity)
    measured = {
        (f"A{n}", day): part
        for n, parts in enumerate(used)
        for day, part in zip(cuts, parts, strict=True)
    }
    assert {key: taken[key] for key in measured} == measured


# Which month shows what.


def test_a_period_of_two_months_is_shown_in_both(project: Project) -> None:
    """An invoice over October and November is in the verdicts and totals of each of them."""
    read(project, (local(31, 23, 59), "1000"), (local(30, 23, 59, month=11), "500"))
    bill(project, invoice("1500", "150000.00", periods=period("2026-10-01", "2026-11-30")))
    at = local(1, month=12) + timedelta(days=30)
    october = judged(project, at=at)
    from wolkvox_billing.verbs.reconcile import reconcile

    november = reconcile("2026-11", policy=Policy(), clock=lambda: at)
    september = reconcile("2026-09", policy=Policy(), clock=lambda: at)
    assert october.rows == november.rows and only(november).reconciliation_status == "matched"
    assert november.totals.billed_lines == [BilledLinesTotal("COP", Decimal(150000))]
    assert (september.rows, september.totals.billed_lines) == ([], [])


def test_a_note_that_corrects_nobody_knows_what_is_told(project: Project) -> None:
    """A note finds its invoice whatever dashes are in its number; one that finds none is told."""
    read(project, *READ)
    note = {"kind": "CreditNote", "periods": "", "issued": "2026-12-05"}
    bill(project, invoice("1100", "110000.00", number="F-1"),
         invoice("100", "10000.00", number="N-1", corrects="F1", **note))  # fmt: skip
    result = judged(project)
    assert only(result).billed_quantity == 1000 and not result.warnings
    bill(project, invoice("1", "100.00", number="N-2", corrects="F9", **note))
    [warning] = judged(project).warnings
    assert "credit note N-2: names no period, and corrects F9, which is not loaded" in warning
