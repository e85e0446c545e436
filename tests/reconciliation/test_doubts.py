"""Each honest explanation: the smallest month in which it stands, and one step further where it is
excluded and the accusation stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from builders.documents import line, period, ubl
from builders.months import CARD, MAP, bill, invoice, judged, local
from builders.papers_on_record import judged_unstored
from builders.project import Project
from builders.record import REPORT, Call, write_polls
from builders.worlds import once
from wolkvox_billing.marts.reconciled import ReconciledRow

pytestmark = pytest.mark.usefixtures("kept_open")
COUNTED = "ivr_calls"
LEVEL = "contact_center_licenses"
# 1,000 in the month; what is not read of its last day can hold 71.
READ = [(local(1), 10), (local(15), 500), (local(31, 23, 50), 1000)]
Reading = tuple[datetime, object]


def write(project: Project, readings: Sequence[Reading], **more: str | None) -> None:
    """These readings. What many tests begin with is written once in a session."""
    if readings is READ:
        once(project, _write, readings, **more)
    else:
        _write(project, readings, **more)


def _write(
    project: Project,
    readings: Sequence[Reading],
    report: str = COUNTED,
    product: str = "LLAMADAS",
    measure: str | None = "month_to_date",
    operation: str = "acme",
) -> None:
    calls = [
        Call(at, [_row(at, items, product)], report=report, operation=operation)
        for at, items in readings
    ]
    write_polls(project, *calls, measures={report: measure} if measure else {})


def write_products(project: Project, *answers: tuple[datetime, dict[str, object]]) -> None:
    calls = [
        Call(at, [_row(at, items, product) for product, items in rows.items()], report=COUNTED)
        for at, rows in answers
    ]
    write_polls(project, *calls, measures={COUNTED: "month_to_date"})


def _row(at: datetime, items: object, product: str) -> dict[str, str]:
    day = f"{at:%Y-%m-%d}"
    return {"operation": "ACME", "description": product, "items": str(items), "date": day}


def say(
    project: Project,
    quantity: object = None,
    net: object = None,
    report: str = COUNTED,
    document: str | None = None,
    policy: dict[str, Any] | None = None,
    **more: Any,
) -> ReconciledRow:
    """What is said of October, where an invoice bills so much at 100 each."""
    if not document:
        amount = Decimal(str(quantity)) * 100 if net is None else Decimal(str(net))
        stated = None if quantity is None else str(quantity)
        document = invoice(stated, f"{amount:.2f}", **more)
    [row] = say_all(project, document, report=report, **(policy or {}))
    return row


def say_all(
    project: Project, *documents: str, report: str = COUNTED, card: str = "", **policy: Any
) -> list[ReconciledRow]:
    line_map = f"{MAP},,*grabaciones*,{report},acme,,quantity\n"
    card = card or f"{CARD}{report},,,0,100,COP,2026-01-01,\n"
    return judged_unstored(project, *documents, line_map=line_map, rate_card=card, **policy).rows


def check(row: ReconciledRow, status: str, text: str) -> None:
    """It has this status; its sentence says why where the explanation stands, and else what
    excludes it."""
    assert row.reconciliation_status == status
    if row.doubts_excluded:
        assert text in row.doubts_excluded
    else:
        assert text in row.explanation
        assert row.settled_by or status in ("within_tolerance", "open_period")


# What was measured.


def test_rejected_rows(project: Project) -> None:
    write(project, READ)
    check(say(project, 1300), "overbilled_quantity", "unreadable rows: none")
    write(project, [(local(20), "7 calls")])
    check(say(project, 1300), "inconclusive_rejected_rows", "1 row of this report")


def test_repeated_rows(project: Project) -> None:
    write(project, READ)
    check(say(project, 1300), "overbilled_quantity", "two amounts for one product: no answer")
    at = local(20)
    rows = [_row(at, 600, "LLAMADAS"), _row(at, 300, "LLAMADAS")]
    write_polls(project, Call(at, rows, report=COUNTED), measures={COUNTED: "month_to_date"})
    check(say(project, 1300), "inconclusive_repeated_rows", "product and day (1 row): nobody")


def test_percentages(project: Project) -> None:
    write(project, READ)
    assert say(project, 1300).reconciliation_status == "overbilled_quantity"
    write(project, [(local(31, 23, 50), "81%")], product="USO")
    check(say(project, 1300), "inconclusive_percentages", "percentages were counted as use (1 row)")


def test_a_reset_by_another_clock(project: Project) -> None:
    """1,000 at 18:00 of the last day, and 3 at 20:00: 1,000 may be missing, and no more."""
    write(project, [*READ[:2], (local(31, 18), 1000), (local(31, 20), 3)])
    check(say(project, 1000), "inconclusive_reset", "showed 1,000 calls and fell to about nothing")
    check(say(project, 2900), "overbilled_quantity", "no more than 1,000 calls may be missing")


def test_a_reset_that_is_late_hides_no_more_than_it_held(project: Project) -> None:
    """1,004 at 00:05 of November, and nothing ten minutes later: 4 and a quarter of an hour."""
    late = [(local(1, 0, 5, 11), 1004), (local(1, 0, 15, 11), 0)]
    write(project, [*READ, *late])
    check(say(project, 1300), "overbilled_quantity", "no more than 5 calls may be missing")


def test_a_fall_within_the_month(project: Project) -> None:
    """600 before a restart and 400 behind it: 600 may be missing, and 85 of the day in which nobody
    read, by twice the 590 in 14 days before; no more."""
    write(project, [(local(1), 10), (local(15), 600), (local(16), 0), (local(31, 23, 50), 400)])
    check(say(project, 1000), "inconclusive_fall", "up to 685 calls may be missing")
    check(say(project, 300), "inconclusive_fall", "fell within the month by up to 600")
    check(say(project, 2000), "overbilled_quantity", "no more than 685 calls may be wrong")
    check(say(project, None, net=100_000), "inconclusive_fall", "up to 685 calls may be missing")
    check(
        say(project, None, net=200_000), "price_difference", "no more than 685 calls may be wrong"
    )


def test_a_slip_is_no_fall(project: Project) -> None:
    """Nothing is shown at one reading, five minutes before and behind it 900: a restart is not made
    up for so soon."""
    slip = [(local(28, 10), 900), (local(28, 10, 5), 0), (local(28, 10, 10), 900)]
    write(project, [*READ[:2], *slip, READ[2]])
    check(say(project, 1300), "overbilled_quantity", "no fall was seen within the month")


def test_days_own_numbers_do_not_fall_at_midnight(project: Project) -> None:
    """20 a day, read at 23:50, or on the morning after with 5 of that day's own: 620. 100 too much
    are no fall of a counter."""
    days = [(local(day, 23, 50), 20) for day in range(1, 32)]
    write(project, days, report="interactions", measure="daily")
    row = say(project, 720, report="interactions")
    check(row, "overbilled_quantity", "no fall was seen within the month")
    lists = [
        Call(
            local(day, 9),
            [_row(local(day - 1), 20, "LLAMADAS"), _row(local(day), 5, "LLAMADAS")],
            report="interactions",
        )
        for day in range(2, 32)
    ]
    write_polls(project, *lists, measures={"interactions": "daily"})
    row = say(project, 720, report="interactions")
    check(row, "overbilled_quantity", "no fall was seen within the month")


def at_midnights(project: Project) -> None:
    """20 a day, read one minute before and behind the end of each."""
    evenings = [(local(day, 23, 59), 20) for day in range(1, 32)]
    write(project, evenings, report="interactions", measure="daily")
    midnights = [
        Call(local(day % 31 + 1, 0, 1, 10 + day // 31), [_row(local(day), 20, "LLAMADAS")],
             report="interactions")
        for day in range(1, 32)
    ]  # fmt: skip
    write_polls(project, *midnights, measures={"interactions": "daily"})


def read_days(project: Project, days: range, items: int, after: timedelta) -> None:
    """Each of these days of October by itself, so long after it began."""
    calls = [
        Call(local(day, 0) + after, [_row(local(day), items, "LLAMADAS")], report="interactions")
        for day in days
    ]
    write_polls(project, *calls, measures={"interactions": "daily"})


TO_THE_UNIT = {"materiality": Decimal(0)}
NEXT_MORNING = timedelta(hours=33)


def say_days(project: Project, quantity: int) -> ReconciledRow:
    return say(project, quantity, report="interactions", policy=TO_THE_UNIT)


def test_days_that_are_raised_after_they_are_over(project: Project) -> None:
    """20 a day at its midnight, and 22 on the morning after, but for the last one: 2 may be added
    to its 20 of 680. Where the mornings show 20 nothing may be."""
    at_midnights(project)
    read_days(project, range(1, 31), 20, NEXT_MORNING)
    check(
        say_days(project, 622),
        "overbilled_quantity",
        "by what earlier ones were, 0 interactions at most",
    )
    read_days(project, range(1, 31), 22, NEXT_MORNING + timedelta(hours=1))
    check(say_days(project, 682), "inconclusive_restated", "the last ones may be yet, by 2")
    check(
        say_days(project, 690),
        "overbilled_quantity",
        "by what earlier ones were, 2 interactions at most",
    )


def test_days_at_which_nobody_looked_again(project: Project) -> None:
    """620, read at midnights alone: whether they are raised in the night nobody knows. A quarter of
    an hour of each is 620 / 96, which is 7 at most."""
    at_midnights(project)
    row = say_days(project, 627)
    check(row, "inconclusive_restated", "7 interactions in a quarter of an hour of each day")
    assert "once it is over, six hours apart" in row.settled_by
    check(say_days(project, 628), "overbilled_quantity", "nobody looked, and what was on its way")


def test_days_of_the_month_before_show_how_days_are_raised(project: Project) -> None:
    """October's were read once, after an hour. Three of September's were too, and grew by 2 until
    the evening, so that October's 620 may be 682."""
    read_days(project, range(1, 32), 20, timedelta(hours=25))
    raised = [
        Call(local(day, month=9) + after, [_row(local(day, month=9), items, "LLAMADAS")],
             report="interactions")
        for day in (27, 28, 29)
        for after, items in ((timedelta(hours=12, minutes=30), 20), (timedelta(hours=30), 22))
    ]  # fmt: skip
    write_polls(project, *raised, measures={"interactions": "daily"})
    check(say_days(project, 682), "inconclusive_restated", "may be yet, by 62")
    check(
        say_days(project, 683),
        "overbilled_quantity",
        "by what earlier ones were, 62 interactions at most",
    )


def test_stillness_and_lag_never_stand(project: Project) -> None:
    """300 in the last 36 hours: an excess of 290 is what they held, and the last day's is counted
    in."""
    write(project, [*READ[:2], (local(30), 700), READ[2]])
    row = say(project, 1290, policy={"tail_factor": Decimal(1)})
    check(row, "overbilled_quantity", "the excess is what 35 h before your last reading held")
    check(row, "overbilled_quantity", "the 24 h before the month's end are counted in")
    row = say(project, 1400, policy={"tail_factor": Decimal(1)})
    check(row, "overbilled_quantity", "two days before your last reading held less")


def test_another_unit(project: Project) -> None:
    """1,001 are 16.67 by sixty, 1.001 by a thousand and 11 hundreds, of which the last is begun; 20
    are none of it."""
    write(project, [*READ[:2], (local(31, 23, 50), 1001)])
    for quantity in ("16.67", "1.001", "11"):
        check(say(project, quantity), "unit_mismatch", "the units may differ")
    check(say(project, 20), "underbilled_quantity", "by no such factor")


def test_one_thing_whose_price_is_that_of_many_says_no_quantity(project: Project) -> None:
    """One monthly use for 100,000 pesos is the contract's cost; 110,000 is too much money, not too
    little use."""
    write(project, READ)
    row = say(project, 1, net=100_000)
    assert (row.reconciliation_status, row.billed_quantity) == ("within_tolerance", None)
    row = say(project, 1, net=110_000)
    assert row.reconciliation_status == "price_difference"
    assert "that costs 100,000.00 COP, and 110,000.00 COP were billed" in row.explanation


def levels(*changes: tuple[int, int]) -> list[Reading]:
    """A level from a day on, read every four hours."""
    return [
        (local(day, hour, 1), max((first, level) for first, level in changes if first <= day)[1])
        for day in range(1, 32)
        for hour in range(0, 24, 4)
    ]


def test_a_level_that_was_seen(project: Project) -> None:
    """20, and 10 from the 16th on: 10 may be billed. 21 was never seen, nor may it have been."""
    write(project, levels((1, 20), (16, 10)), report=LEVEL, measure=None)
    check(
        say(project, 10, report=LEVEL),
        "inconclusive_gauge_level",
        "a level of 10 licences was seen",
    )
    row = say(project, 21, report=LEVEL)
    check(row, "overbilled_quantity", "neither the last, the first nor the average")
    check(row, "overbilled_quantity", "no two readings are over 4 h apart")
    check(row, "overbilled_quantity", "does not fall as a daily count would")


def test_a_level_that_nobody_saw(project: Project) -> None:
    """None at night, read once a night, or six times: 20 by day may be billed."""
    write(project, [(local(day, 3), 0) for day in range(1, 32)], report=LEVEL, measure=None)
    row = say(project, 20, report=LEVEL)
    check(row, "inconclusive_low_coverage", "744 hours of it are of days that were read too seldom")
    assert "every four hours or more often" in row.settled_by
    more = [(local(day, hour), 0) for day in range(1, 32) for hour in (0, 1, 2, 4, 5)]
    write(project, more, report=LEVEL, measure=None)
    row = say(project, 20, report=LEVEL)
    check(row, "inconclusive_low_coverage", "for up to 19 h together nobody read")
    assert "nothing was left unread" not in row.explanation


def test_a_level_that_nobody_saw_is_no_lower_than_the_others_make_it(project: Project) -> None:
    """Read every four hours, but once at 21:00 instead of 04:00: 25 may have been there in
    those eight hours, and 5 is less than the others come to."""
    read = [reading for reading in levels((1, 20)) if reading[0] != local(9, 4, 1)]
    read.append((local(9, 21), 20))
    write(project, read, report=LEVEL, measure=None)
    check(say(project, 25, report=LEVEL), "inconclusive_low_coverage", "for up to 8 h together")
    row = say(project, 5, report=LEVEL, policy={"materiality": Decimal(0)})
    check(row, "underbilled_quantity", "come to an average of 19.")


def test_a_night_at_the_end_of_a_fortnight(project: Project) -> None:
    """100 a night: 1,500 were copied in the first fortnight, and of the night to the 1st, which was
    September's, 1,400 were called. 1,200 are two nights less than that."""
    nights = [(local(day, 23, 50), 100 * day) for day in range(1, 32)]
    write(project, nights, report=REPORT)
    half = {"periods": period("2026-10-01", "2026-10-15"), "issued": "2026-10-17", "uuid": None}
    for quantity, status in (("1420", "inconclusive_cut_off"), ("1200", "underbilled_quantity")):
        document = invoice(quantity, f"{quantity}00.00", **half)
        rows = say_all(project, document, report=REPORT, at=local(16, month=11))
        [row] = [row for row in rows if row.billed_quantity]
        check(row, status, "100")


def test_a_line_for_another_product_too(project: Project) -> None:
    """The map names VENTAS, of which there are 1,000, and 300 of SOPORTE are not billed: 1,300 are
    both; 1,400 are more than both, and 1,100 are not just so many."""
    write_products(project, *[(at, {"VENTAS": n, "SOPORTE": n * 3 // 10}) for at, n in READ])
    line_map = f"{MAP},,*grabaciones*,{COUNTED},acme,VENTAS,quantity\n"
    card = f"{CARD}{COUNTED},,,0,100,COP,2026-01-01,\n"
    for quantity, expected in (
        ("1300", ["inconclusive_product_names", "inconclusive_product_names"]),
        ("1450", ["usage_not_invoiced", "overbilled_quantity"]),
        ("1150", ["usage_not_invoiced", "overbilled_quantity"]),
    ):
        project.execute("DELETE FROM wolkvox_billing.invoice_documents")
        project.execute("DELETE FROM wolkvox_billing.invoice_lines")
        bill(project, invoice(quantity, f"{quantity}00.00"))
        rows = judged(project, line_map, card).rows
        assert [row.reconciliation_status for row in rows] == expected


def test_units_and_amounts_are_said_in_the_language(project: Project) -> None:
    write(project, READ)
    row = say(project, 1300, policy={"language": "es"})
    assert row.explanation.startswith(
        "acme, ivr_calls, F-1: +30.000,00 COP frente al contrato (por cantidad +30.000,00, por "
        "precio 0,00); wolkvox facturó 1.300 llamadas; su última lectura del 31 oct"
    )
    assert (
        "nadie leyó los últimos 10 minutos; se vio moverse el contador cada 336 horas, por última "
        "vez el 31 oct 23:50: lo que puede no mostrar de las últimas 24 horas explica como máximo "
        "71 llamadas"
    ) in row.explanation
    assert "(107.100,00 COP como máximo)" in row.doubts_excluded


def test_a_level_by_its_name_alone(project: Project) -> None:
    """It rises within days and falls at each midnight, as calls do: 9 a day were 279. One that
    stays is a level."""
    calls = [(local(day, hour), n) for day in range(1, 32) for hour, n in ((10, 5), (22, 9))]
    write(project, calls, report="video_call", measure=None)
    row = say(project, 279, report="video_call", policy={"materiality": Decimal(0)})
    assert row.reconciliation_status in ("semantics_undetermined", "inconclusive_low_coverage")
    assert "cannot be added up" not in row.explanation


def test_the_first_month(project: Project) -> None:
    """From the 10th on it rises from 300 to 1,000: no turn shows that it begins at nothing. Read
    from the 1st on it does."""
    later = [(local(day, 23, 50), 300 + 700 * (day - 10) // 21) for day in range(10, 32)]
    write(project, later, report="sentiment_analysis", measure="auto")
    row = say(project, 1300, report="sentiment_analysis")
    check(row, "inconclusive_measure", "is not shown for certain before a month has turned")
    first = [(local(day, 23, 50), 30 * day) for day in range(1, 10)]
    write(project, first, report="sentiment_analysis", measure="auto")
    row = say(project, 1300, report="sentiment_analysis")
    check(row, "overbilled_quantity", "it was read over a month's turn, or from its start")


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("Llamadas ", "inconclusive_product_names", "differ in case and blanks only"),
        ("OTRAS", "underbilled_quantity", "one product under two spellings: none"),
    ],
)
def test_spellings(project: Project, name: str, status: str, text: str) -> None:
    for at, items in READ:
        write_products(project, (at, {"LLAMADAS": items, name: items // 2}))
    check(say(project, 1000), status, text)


@pytest.mark.parametrize(
    ("day", "status", "text"),
    [
        (17, "inconclusive_product_names", "«VENTAS» ended where «VENTAS 2» began"),
        (14, "underbilled_quantity", "none ended where another began"),
    ],
)
def test_a_renamed_product(project: Project, day: int, status: str, text: str) -> None:
    """500 until the 15th under one name, and 1,000 under another one: from the 17th on it may be
    the same; what began before the 15th is not."""
    write(project, READ[:2], product="VENTAS")
    write(project, [(local(day), 510), READ[2]], product="VENTAS 2")
    check(say(project, 1000), status, text)


@pytest.mark.parametrize(
    ("total", "status", "text"),
    [
        (1000, "inconclusive_sum_row", "«GENERAL» is the sum of the others"),
        (1100, "underbilled_quantity", "none is the sum of the others"),
    ],
)
def test_a_row_of_the_sum(project: Project, total: int, status: str, text: str) -> None:
    rows = {"VENTAS": 400, "SOPORTE": 600, "GENERAL": total}
    write_products(project, (local(1), dict.fromkeys(rows, 5)), (local(31, 23, 50), {**rows}))
    check(say(project, 1000), status, text)


# What was billed.


def test_an_estimate(project: Project) -> None:
    """Issued on the 28th: for four days no more than the busiest day, 35, can be estimated, which
    is 140, where 125 were used; 71 more were not read. 1,080 can be, 1,100 cannot."""
    write(project, READ)
    early = {"issued": "2026-10-28"}
    check(say(project, 1080, **early), "inconclusive_issued_early", "issued on 28 Oct, before")
    check(say(project, 1100, **early), "overbilled_quantity", "the days that were left can hold")
    row = say(project, 1000, net=130_000, **early)
    assert row.reconciliation_status == "price_difference"  # no estimate changes a price
    check(say(project, 1300), "overbilled_quantity", "no document was issued before")


def test_a_month_by_rule(project: Project) -> None:
    """Issued on 31 October without a period, it is September's by rule, and may be October's; of
    the 20th it cannot be."""
    write(project, [(local(1, month=9), 10), (local(30, 23, 50, 9), 400), *READ])
    row = say(project, 1000, issued="2026-10-31", periods="")
    check(row, "inconclusive_period", "no document says which month it bills")
    row = say(project, 1000, issued="2026-10-20", periods="")
    assert row.reconciliation_status == "usage_not_invoiced"


def test_a_note_that_names_no_month(project: Project) -> None:
    """200 are taken back, of a month that nobody knows; where the note names the invoice, it is
    October's."""
    write(project, READ)
    own = line("200", "20000.00", kind="CreditNote", description="Grabaciones", price=None,
               tax=None)  # fmt: skip
    note = {"kind": "CreditNote", "number": "N-1", "uuid": None, "issued": "2026-11-10",
            "tax": None, "net": "20000.00", "payable": "20000.00"}  # fmt: skip
    right = invoice("1000", "100000.00", uuid=None)
    [row] = say_all(project, right, ubl(own, **note))
    check(row, "inconclusive_period", "note N-1 names no month")
    assert "which invoice N-1 corrects" in row.settled_by
    [row] = say_all(project, right, ubl(own, **note, corrects="F-1"))
    assert row.reconciliation_status == "underbilled_quantity"


def test_a_note_that_names_no_month_may_be_for_an_earlier_one(project: Project) -> None:
    """200 too much in October, and a note over 200 in November's."""
    write(project, READ)
    own = line("200", "20000.00", kind="CreditNote", description="Grabaciones", price=None,
               tax=None)  # fmt: skip
    note = ubl(own, kind="CreditNote", number="N-1", uuid=None, issued="2026-12-10", tax=None,
               net="20000.00", payable="20000.00")  # fmt: skip
    [row] = say_all(project, invoice("1200", "120000.00", uuid=None), note)
    check(row, "inconclusive_period", "note N-1 names no month")
    [row] = say_all(project, invoice("1300", "130000.00", uuid=None), note)
    assert row.reconciliation_status == "overbilled_quantity"


def test_a_line_that_the_map_does_not_know(project: Project) -> None:
    write(project, READ)
    other = line("1000", "100000.00", description="Llamadas", price=None, tax=None)
    document = ubl(other, tax=None, net="100000.00", periods=period("2026-10-01", "2026-10-31"))
    rows = say_all(project, document)
    assert {row.reconciliation_status for row in rows} == {"unmapped_line", "inconclusive_unmapped"}
    [row] = [row for row in rows if row.operation_id]
    check(row, "inconclusive_unmapped", "«Llamadas» has no report or operation")
    assert "1,000 calls were used, and no invoice bills them" in row.explanation
    check(say_all(project)[0], "usage_not_invoiced", "does not know: there is none")


def test_a_price_that_changes_in_mid_month(project: Project) -> None:
    """500 up to the 15th at 100, then 500 at 130: 115,000. The 40 that were read on the 16th may be
    of the day before, 113,800; 110,000 are less than that."""
    write(project, [READ[0], (local(15, 23, 50), 500), (local(16, 23, 50), 540), READ[2]])
    card = (f"{CARD}{COUNTED},,,0,100,COP,2026-01-01,2026-10-16\n"
            f"{COUNTED},,,0,130,COP,2026-10-16,\n")  # fmt: skip
    [row] = say_all(project, invoice("1000", "113800.00"), card=card)
    check(row, "inconclusive_price", "the price changed on 16 Oct")
    [row] = say_all(project, invoice("1000", "110000.00"), card=card)
    check(row, "price_difference", "about 16 Oct does not make up for it")


def test_tiers_may_begin_anew_with_a_price(project: Project) -> None:
    """Beyond 400 half the price: 400 at 100 and 100 at 50, then 500 at 65 by tiers that go on; by
    such as begin anew 400 at 130 and 100 at 65. 45,000 + 32,500 or + 58,500."""
    write(project, [READ[0], (local(15, 23, 50), 500), (local(16, 23, 50), 540), READ[2]])
    card = CARD + "".join(
        f"{COUNTED},,,0,{price},COP,{days}\n{COUNTED},,,400,{price // 2},COP,{days}\n"
        for price, days in ((100, "2026-01-01,2026-10-16"), (130, "2026-10-16,"))
    )
    [row] = say_all(project, invoice("1000", "103500.00"), card=card)
    check(row, "inconclusive_price", "the tiers may begin anew")
    [row] = say_all(project, invoice("1000", "113500.00"), card=card)
    check(row, "price_difference", "about 16 Oct does not make up for it")


def test_a_billing_cycle(project: Project) -> None:
    """Up to the 25th is billed, and the rest is due with the next one: 25 days and 15 later."""
    write(project, [READ[0], (local(25, 23, 50), 800), (local(26, 23, 50), 830), READ[2]])
    first = invoice("800", "80000.00", issued="2026-10-27",
                    periods=period("2026-10-01", "2026-10-25"))  # fmt: skip
    for at, status in ((local(30, month=11), "open_period"),
                       (local(10, month=12), "usage_not_invoiced")):  # fmt: skip
        [rest] = [row for row in say_all(project, first, at=at) if row.invoice_ids is None
                  or row.reconciliation_status != "matched"]  # fmt: skip
        assert rest.reconciliation_status == status
    assert "its next invoice was due on 5 Dec" in rest.doubts_excluded


EXPLAINED, TOO_MUCH = "inconclusive_operation", "overbilled_quantity"
OF_BOTH = {  # what is billed to acme and to beta, and what is said of both
    # One line for both; 71 of acme's last day and 17 of beta's may be in it.
    ("1500", None): [EXPLAINED, EXPLAINED],
    ("1590", None): [EXPLAINED, EXPLAINED],
    ("1610", None): [TOO_MUCH, EXPLAINED],
    # No more than beta used, and yet not what it used.
    ("1480", None): [TOO_MUCH, "usage_not_invoiced"],
    ("1200", None): [TOO_MUCH, "usage_not_invoiced"],
    # 200 of beta's are on acme's line; none of them; a hundred.
    ("1200", "300"): [EXPLAINED, EXPLAINED],
    ("1200", "500"): [TOO_MUCH, "matched"],
    ("1200", "400"): [TOO_MUCH, EXPLAINED],
    # Nobody else's line bills beta's.
    ("1000", None): ["matched", "usage_not_invoiced"],
    ("1000", "300"): ["matched", "underbilled_quantity"],
}


def test_a_line_for_two_operations(two_operations: Project) -> None:
    """An excess is explained by another operation's use if it is all that is not billed of it."""
    said = {
        (acme, beta): say_of_both(
            two_operations,
            invoice(acme, f"{acme}00.00"),
            *([invoice_of_beta(beta)] if beta else []),
        )
        for acme, beta in OF_BOTH
    }
    assert said == OF_BOTH


def test_a_line_for_two_operations_that_states_no_quantity(two_operations: Project) -> None:
    """150,000 pay for 1,500 at 100 each: both; 120,000 for 200 more than acme used."""
    both = say_of_both(two_operations, invoice(None, "150000.00"))
    assert both == [EXPLAINED, EXPLAINED]
    both = say_of_both(two_operations, invoice(None, "120000.00"))
    assert both == ["price_difference", "usage_not_invoiced"]


def invoice_of_beta(quantity: str) -> str:
    own = line(quantity, f"{quantity}00.00", description="Beta", price=None, tax=None)
    return ubl(own, number="F-2", uuid=None, tax=None, net=f"{quantity}00.00",
               periods=period("2026-10-01", "2026-10-31"))  # fmt: skip


@pytest.fixture
def two_operations(project: Project) -> Project:
    """1,000 calls of acme, and 500 of beta, whose busiest days held 17.5."""
    write(project, READ)
    days = [(local(1), 5), (local(15), 250), (local(31, 23, 50), 500)]
    write(project, days, operation="beta")
    return project


def say_of_both(project: Project, *documents: str) -> list[str]:
    """What is said of acme, and of beta."""
    line_map = f"{MAP},,*grabaciones*,{COUNTED},acme,,quantity\n,,beta,{COUNTED},beta,,quantity\n"
    card = f"{CARD}{COUNTED},,,0,100,COP,2026-01-01,\n"
    rows = judged_unstored(
        project, *documents, line_map=line_map, rate_card=card, materiality=Decimal(0)
    ).rows
    return [
        row.reconciliation_status for row in sorted(rows, key=lambda row: str(row.operation_id))
    ]


def test_an_invoice_that_is_as_late_as_the_one_before(project: Project) -> None:
    """September's came on 25 October: October's is due 27 days after its end."""
    write(project, [(local(1, month=9), 10), (local(30, 23, 50, 9), 400), *READ])
    before = invoice("400", "40000.00", issued="2026-10-25",
                     periods=period("2026-09-01", "2026-09-30"))  # fmt: skip
    [row] = say_all(project, before, at=local(20, month=11))
    check(row, "open_period", "this one is due on 28 Nov")
    [row] = say_all(project, before, at=local(30, month=11))
    check(row, "usage_not_invoiced", "none came as late as 28 Nov")


def test_a_small_amount_may_be_waived(project: Project) -> None:
    """One of 1,000 is worth 100 pesos, a hundred are worth 10,000."""
    write(project, READ)
    check(say(project, 999), "within_tolerance", "it may have been waived")
    assert say(project, 900).reconciliation_status == "underbilled_quantity"


def test_rows_of_totals_alone_are_use_that_nobody_knows(project: Project) -> None:
    """The only row is called TOTAL: that there was no use is not known."""
    write(project, [(local(1), 10), (local(31, 23, 50), 1000)], product="TOTAL")
    row = say(project, 1000)
    check(row, "inconclusive_rejected_rows", "2 rows of this report could not be read")
