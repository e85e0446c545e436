"""What `status` says of last days and of open claims; F-1 can be claimed until 6 November 2026."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from builders.claims import blank
from wolkvox_billing.claims.due import DueDocument, say_what_is_due
from wolkvox_billing.marts.claimed import OpenClaim

DUE = DueDocument("a", "invoice", "F-1", "COP", Decimal(53_550), Decimal(45_000),
                  date(2026, 11, 6), date(2026, 10, 1))  # fmt: skip


def claim(status: str = "open", document_id: str = "a") -> OpenClaim:
    row = blank(
        OpenClaim, document_id=document_id, document_kind="invoice", document_number="F-1",
        billing_currency="COP", claimed_amount=Decimal(45_000), open_amount=Decimal(40_000),
        open_since=date(2026, 11, 5), status=status,
    )  # fmt: skip
    assert isinstance(row, OpenClaim)
    return row


@pytest.mark.parametrize(
    ("day", "when"),
    [
        ("2026-11-03", None),  # three business days
        ("2026-11-04", "2 business days left"),
        ("2026-11-05", "1 business day left"),
        ("2026-11-06", "today"),
    ],
)
def test_two_business_days_before_the_last_one_it_is_told(day: str, when: str | None) -> None:
    """With what is questioned and claimed of it, and what to do."""
    said = say_what_is_due([DUE], [], date.fromisoformat(day))
    assert said == (
        [
            "invoice F-1: 53,550.00 COP questioned, 45,000.00 of it claimed, can be claimed until "
            f"2026-11-06 ({when}): see `wolkvox-billing claim 2026-10`; a count of days, no legal "
            "advice"
        ]
        if when
        else []
    )


def test_last_days_that_are_past_are_told_together() -> None:
    """However many they are; the newest by their names."""
    due = [
        DUE._replace(document_number=f"F-{n}", acceptance_deadline=date(2026, 11, n))
        for n in range(1, 8)
    ]
    [text] = say_what_is_due(due, [], date(2026, 11, 9))
    assert text == (
        "something is questioned, and was not claimed by the last day, of invoice F-3 "
        "(2026-11-03), invoice F-4 (2026-11-04), invoice F-5 (2026-11-05), invoice F-6 "
        "(2026-11-06), invoice F-7 (2026-11-07) and 2 more: ask who advises you what can still be "
        "done"
    )


def test_a_claim_ends_the_last_day_and_is_told_while_it_is_open() -> None:
    """Until it is credited in whole."""
    today = date(2026, 11, 9)
    told = ["invoice F-1: 40,000.00 COP of 45,000.00 claimed is open since 2026-11-05 (4 days)"]
    assert say_what_is_due([DUE], [claim()], today) == told
    assert say_what_is_due([DUE], [claim("credited_in_part")], today) == told
    assert say_what_is_due([DUE], [claim("credited")], today) == []
