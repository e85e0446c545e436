"""The night of the month's turn: three honest measures of a month, through the whole of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from builders.documents import period
from builders.months import (
    MAP,
    REPORT,
    bill,
    calls_of,
    invoice,
    judged,
    local,
    only,
    read,
    statuses,
)
from builders.papers_on_record import judged_unstored
from builders.project import Project
from builders.record import write_polls
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.verbs.status import status

pytestmark = pytest.mark.usefixtures("kept_open")
NIGHTS = [(local(day, 23, 50), str(100 * day)) for day in range(1, 32)]  # 100 a night
FIRST_NIGHT = (local(1, 12, month=11), "130")  # of November


# One operation each, whose invoice bills so many.
QUANTITIES = ("3100", "3130", "3230", "3001", "3115", "3229")
LINE_MAP = MAP + "".join(f",,*{n}*,{REPORT},op-{n},,quantity\n" for n in QUANTITIES)
SAID: dict[str, dict[str, ReconciledRow]] = {}  # by engine, and by the quantity


@pytest.fixture
def said(warehouse: Project) -> dict[str, ReconciledRow]:
    """What is said of each quantity beside a record that was read each night and in the first one
    of November; judged once on each engine."""
    engine = warehouse.destination
    if engine not in SAID:
        calls = [
            call for n in QUANTITIES for call in calls_of(*NIGHTS, FIRST_NIGHT, operation=f"op-{n}")
        ]
        write_polls(warehouse, *calls, measures={REPORT: "month_to_date"})
        bill(warehouse, *(
            invoice(n, f"{n}00.00", about=f"Grabaciones {n}", number=f"F-{n}", uuid=None)
            for n in QUANTITIES
        ))  # fmt: skip
        rows = judged(warehouse, LINE_MAP).rows
        SAID[engine] = {str(row.operation_id).removeprefix("op-"): row for row in rows}
    return SAID[engine]


@pytest.mark.parametrize(
    ("quantity", "says"),
    [
        ("3100", None),  # copied: the last reading
        ("3130", "called in the month, by its nights (3,130 audios)"),  # 3,100 - 100 + 130
        ("3230", "after the next month's first night (3,230 audios)"),
    ],
)
def test_each_honest_measure_is_matched(
    said: dict[str, ReconciledRow], quantity: str, says: str | None
) -> None:
    """An invoice that agrees with one of the three is matched, and the sentence says with which."""
    row = said[quantity]
    assert (row.reconciliation_status, row.quantity_variance) == ("matched", 0)
    assert (says or "3,100 audios; the quantity is the same") in row.explanation


@pytest.mark.parametrize("quantity", ["3001", "3115", "3229"])
def test_what_a_night_can_hold_is_no_finding(said: dict[str, ReconciledRow], quantity: str) -> None:
    """Within one night at either end, 100 before it and 130 behind."""
    row = said[quantity]
    assert (row.reconciliation_status, row.is_material) == ("inconclusive_cut_off", False)
    assert "the setting `cut_off`" in str(row.settled_by)
    assert "between 3,000 and 3,2" in row.explanation


@pytest.mark.parametrize(
    ("quantity", "status_of_it", "variance"),
    [("3700", "overbilled_quantity", 470), ("2600", "underbilled_quantity", -500)],
)
def test_beyond_the_nights_it_counts_from_the_nearest(
    project: Project, quantity: str, status_of_it: str, variance: int
) -> None:
    """3,700 are 470 more than what was there after the first night, 2,600 are 500 less than what
    was copied."""
    read(project, *NIGHTS, FIRST_NIGHT)
    row = only(judged_unstored(project, invoice(quantity, f"{quantity}00.00")))
    assert (row.reconciliation_status, row.quantity_variance) == (status_of_it, variance)
    assert "the nights of the month's turn" in row.doubts_excluded


def test_a_known_cut_off_is_the_measured_quantity(project: Project) -> None:
    """By contract what was called counts, 3,130: the other two are too little, or too much."""
    read(project, *NIGHTS, FIRST_NIGHT)
    for quantity, expected in (
        ("3130", "matched"),
        ("3100", "underbilled_quantity"),
        ("3230", "overbilled_quantity"),
    ):
        paper = invoice(quantity, f"{quantity}00.00")
        policy: dict[str, Any] = {"cut_off": "called", "materiality": Decimal(0)}
        row = only(judged_unstored(project, paper, **policy))
        assert (row.reconciliation_status, row.consumed_quantity) == (expected, 3130)


def test_a_month_waits_for_the_night_of_its_turn(project: Project) -> None:
    """On the 1st it is open until that night was read in the morning; on the 2nd it is not."""
    read(project, *NIGHTS)

    def said(at: datetime) -> list[str]:
        return statuses(judged_unstored(project, invoice("3700", "370000.00"), at=at))

    assert said(local(1, 0, 30, month=11)) == ["open_period"]
    assert said(local(1, 9, month=11)) == ["open_period"]
    assert said(local(2, 0, month=11)) == ["overbilled_quantity"]
    read(project, (local(1, 8, month=11), "130"))
    assert said(local(1, 9, month=11)) == ["overbilled_quantity"]


def test_a_night_that_failed_moves_nothing_but_days(project: Project) -> None:
    """The copy of the 10th came with that of the 11th: 3,100 all the same."""
    caught_up = [(at, "900" if at.day == 10 else items) for at, items in NIGHTS]
    read(project, *caught_up, FIRST_NIGHT)
    assert statuses(judged_unstored(project, invoice("3130", "313000.00"))) == ["matched"]


def test_three_invoices_that_agree_propose_the_cut_off(project: Project) -> None:
    """August to October by what was called: `status` says so, and no more where it is set."""
    months = ((8, 31), (9, 30), (10, 31), (11, 1))
    # 100 a night, and in the first one so many as the month's number
    nights = [
        (local(day, 23, 50, month), str(100 * day - 100 + month))
        for month, days in months
        for day in range(1, days + 1)
    ]
    read(project, *nights)
    for month, days in months[:3]:
        first, last = f"2026-{month:02}-01", f"2026-{month:02}-{days}"
        quantity = 100 * days - 100 + month + 1  # less its own first night, and the next one more
        bill(project, invoice(str(quantity), f"{quantity}00.00", number=f"F-{month}",
                              periods=period(first, last)))  # fmt: skip
    judged(project)
    warnings = status(clock=lambda: project.vendor.now).warnings
    proposals = [text for text in warnings if "cut_off" in text]
    assert proposals == [
        f"acme {REPORT}: 3 invoices agree with what is called 'called', and none with another "
        'measure of its nights: say cut_off = "called" under [reconciliation]'
    ]
