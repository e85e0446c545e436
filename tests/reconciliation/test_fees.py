"""What the contract supports of lines that bill no use: fees, and the price of packages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from builders.facts import billed_line, rate
from builders.months import OCTOBER_PERIOD
from wolkvox_billing.reconciliation.contract.fees import FeeLine, agreed_fees
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.values.periods import Period

NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
HALVES = [
    Period(date(2026, 10, 1), date(2026, 10, 16)),
    Period(date(2026, 10, 16), date(2026, 11, 1)),
]


def fee(value: str = "200000", pattern: str = "*cargo fijo*", **fields: Any) -> Rate:
    """A fee of all reports."""
    every = fields.pop("every", "month")
    return rate(value, report="", term="fee", pattern=pattern, every=every, **fields)


def paper(
    number: int,
    amount: str,
    period: Period | None = OCTOBER_PERIOD,
    description: str = "Cargo fijo mensual",
    operation: str | None = "acme",
    **fields: Any,
) -> FeeLine:
    """A document with one line."""
    own = billed_line(1, amount, period, document_id=f"d{number}", document_number=f"F-{number}",
                      description=description, **fields)  # fmt: skip
    return FeeLine(own, operation)


def agreed(rates: Sequence[Rate], *lines: FeeLine) -> dict[str, int]:
    """What is agreed, by document."""
    return {document: int(own.amount) for (document, _), own in agreed_fees(rates, lines).items()}


def test_a_fee_is_agreed_up_to_its_price() -> None:
    """200,000 is agreed: of 350,000 the rest is too much, 150,000 is agreed whole."""
    assert agreed([fee()], paper(1, "350000")) == {"d1": 200_000}
    assert agreed([fee()], paper(1, "200000")) == {"d1": 200_000}
    assert agreed([fee()], paper(1, "150000")) == {"d1": 150_000}


def test_a_fee_that_no_row_names_is_not_agreed() -> None:
    """By its text, its currency, its days, its operation; or without a period."""
    other_text = paper(1, "5", description="Soporte")
    assert agreed([fee()], other_text, paper(2, "5", currency="USD"), paper(3, "5", None)) == {}
    assert agreed([fee(valid_from=date(2026, 11, 1))], paper(1, "5")) == {}
    assert agreed([fee(operation_id="beta")], paper(1, "5")) == {}


def test_a_month_is_paid_once() -> None:
    """Two invoices of October's fee: the second one is too much; November has its own."""
    lines = [paper(2, "200000", issued=date(2026, 11, 9)), paper(3, "200000", NOVEMBER)]
    first = paper(1, "200000", issued=date(2026, 11, 2))
    assert agreed([fee()], *lines, first) == {"d1": 200_000, "d2": 0, "d3": 200_000}


def test_halves_of_a_month_share_its_fee() -> None:
    """120,000 and 120,000 of 200,000: of the second half 80,000 is agreed."""
    halves = [paper(n, "120000", half) for n, half in enumerate(HALVES)]
    assert agreed([fee()], *halves) == {"d0": 120_000, "d1": 80_000}


def test_two_months_in_one_line_are_two_fees() -> None:
    """And where one of them was billed by itself, it is not owed again."""
    both = paper(1, "400000", Period(date(2026, 10, 1), date(2026, 12, 1)))
    assert agreed([fee()], both) == {"d1": 400_000}
    assert agreed([fee()], both, paper(2, "200000")) == {"d1": 200_000, "d2": 200_000}


def test_each_operation_has_its_fee() -> None:
    """A row without an operation holds for each of them."""
    lines = paper(1, "200000"), paper(2, "200000", operation="beta")
    assert agreed([fee()], *lines) == {"d1": 200_000, "d2": 200_000}


def test_a_note_takes_back_what_was_too_much_first() -> None:
    """350,000 of 200,000: a note over 150,000 takes nothing of what is agreed, one over 350,000
    all of it."""
    bill = paper(1, "350000")
    assert agreed([fee()], bill, paper(2, "-150000")) == {"d1": 200_000, "d2": 0}
    assert agreed([fee()], bill, paper(2, "-350000")) == {"d1": 200_000, "d2": -200_000}


def given_back(rates: Sequence[Rate], *lines: FeeLine) -> dict[str, int]:
    """What notes give back of what was too much, by document."""
    fees = agreed_fees(rates, lines)
    return {document: int(own.given_back) for (document, _), own in fees.items()}


def test_what_a_note_gives_back_is_not_too_much_any_more() -> None:
    """Of 150,000 too much 100,000 or all; of a note over 350,000 the 150,000 that were too much."""
    bill = paper(1, "350000")
    for note, back in (("-100000", 100_000), ("-150000", 150_000), ("-350000", 150_000)):
        assert given_back([fee()], bill, paper(2, note)) == {"d1": back, "d2": -back}


def test_a_note_gives_back_what_was_too_much_in_what_it_corrects() -> None:
    """Of F-1 50,000 and of F-2 all 200,000 are too much: a note on F-1 over 50,000 is of F-1, one
    that names nothing of the last one."""
    bills = (
        paper(1, "250000", issued=date(2026, 11, 1)),
        paper(2, "200000", issued=date(2026, 11, 2)),
    )
    on_first = paper(3, "-50000", corrects_number="F 1")
    assert given_back([fee()], *bills, on_first) == {"d1": 50_000, "d2": 0, "d3": -50_000}
    assert given_back([fee()], *bills, paper(3, "-50000")) == {"d1": 0, "d2": 50_000, "d3": -50_000}
    large = paper(3, "-220000", corrects_number="F-1")
    assert given_back([fee()], *bills, large) == {"d1": 50_000, "d2": 170_000, "d3": -220_000}


def test_a_fee_of_a_year_is_owed_once_a_year() -> None:
    """From the day on which it begins, whichever month bills it."""
    yearly = fee("1200000", every="year", valid_from=date(2026, 3, 1))
    spring = Period(date(2027, 3, 1), date(2027, 4, 1))
    issued = date(2026, 11, 1)
    lines = paper(1, "1200000", issued=issued), paper(2, "1200000", NOVEMBER)
    assert agreed([yearly], *lines, paper(3, "1200000", spring)) == {
        "d1": 1_200_000, "d2": 0, "d3": 1_200_000,
    }  # fmt: skip


def test_a_fee_of_a_year_may_be_billed_in_the_month_after() -> None:
    """The last year of a contract that ends with September is billed in October, once; in November
    no row names it."""
    yearly = fee("1200000", every="year", valid_from=date(2025, 10, 1), valid_to=date(2026, 10, 1))
    late = paper(1, "1300000", issued=date(2026, 11, 1))
    assert agreed([yearly], late, paper(2, "1200000", NOVEMBER)) == {"d1": 1_200_000}
    summer = paper(
        3, "1200000", Period(date(2026, 7, 1), date(2026, 8, 1)), issued=date(2026, 8, 1)
    )
    assert agreed([yearly], late, summer) == {"d1": 0, "d3": 1_200_000}


def test_a_fee_of_once_is_owed_once() -> None:
    """A set-up that is billed again in another month is not agreed again."""
    setup = fee("500000", "*instalacion*", every="once")
    lines = [
        paper(n, "500000", month, "Instalación", issued=date(2026, 11, n))
        for n, month in enumerate((OCTOBER_PERIOD, NOVEMBER), 1)
    ]
    assert agreed([setup], *lines) == {"d1": 500_000, "d2": 0}


@pytest.mark.parametrize(
    ("billed", "supported"),
    [("200000", 200_000), ("250000", 250_000), ("225806", 225_806), ("260000", 250_000)],
)
def test_a_fee_that_changes_within_the_month_is_read_in_favour(billed: str, supported: int) -> None:
    """From 200,000 to 250,000 on the 16th: either price for all of October, or by days (15 and 16
    of 31 days are 225,806.45)."""
    rates = [fee(valid_to=date(2026, 10, 16)), fee("250000", valid_from=date(2026, 10, 16))]
    assert agreed(rates, paper(1, billed)) == {"d1": supported}


def test_a_row_with_a_pattern_comes_before_one_without() -> None:
    """And the more exact one before the other."""
    rates = [fee("1", ""), fee("2"), fee("3", operation_id="acme")]
    assert agreed(rates, paper(1, "9")) == {"d1": 3}
    assert agreed(rates, paper(1, "9", description="Soporte")) == {"d1": 1}


def test_a_package_has_its_price_once() -> None:
    """2,880,000 for a year, billed in October; a second line of it is too much."""
    year = rate("2880000", term="package", from_quantity=Decimal(36_000), pattern="*paquete*",
                valid_to=date(2027, 1, 1))  # fmt: skip
    lines = [
        paper(n, "2880000", month, "Paquete anual", issued=date(2026, 11, n))
        for n, month in enumerate((OCTOBER_PERIOD, NOVEMBER), 1)
    ]
    assert agreed([year], *lines) == {"d1": 2_880_000, "d2": 0}
