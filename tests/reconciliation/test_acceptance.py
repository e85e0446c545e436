"""Until when an invoice can be claimed.

October's invoice F-1 is issued on Tuesday, 3 November 2026; Monday the 2nd and the 16th are
holidays.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from builders.documents import element, ubl
from builders.months import BOGOTA, OCTOBER, OCTOBER_PERIOD, bill, invoice, judged, local
from builders.project import Project
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.reconciliation.acceptance import deadlines_of
from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.policy import Policy


def means(form: str | None, due: str | None = None) -> str:
    """How a document is to be paid, in DIAN's code, and when."""
    inside = element("cbc:ID", form) + element("cbc:PaymentDueDate", due)
    return f"{OCTOBER}<cac:PaymentMeans>{inside}</cac:PaymentMeans>"


def document(**parts: Any) -> BilledDocument:
    """An invoice in pesos, read on Thursday, 12 November."""
    empty = BilledDocument(**dict.fromkeys(BilledDocument._fields))  # type: ignore[arg-type]
    read_at = local(12, month=11)
    return empty._replace(kind="invoice", currency="COP", read_at=read_at, **parts)


@pytest.mark.parametrize(
    ("starts", "issued", "last"),
    [
        ("issue", "2026-11-03", date(2026, 11, 6)),
        ("receipt", "2026-11-03", date(2026, 11, 18)),  # read on Thursday 12: 13, 17, 18
        ("service", "2026-11-03", date(2026, 11, 6)),  # nobody can claim before it is issued
        ("earliest", "2026-11-03", date(2026, 11, 6)),
        ("issue", "2026-10-28", date(2026, 11, 3)),  # Wednesday: 29, 30, and behind the holiday 3
        ("service", "2026-10-28", date(2026, 11, 5)),  # from Saturday, 31 October
        ("earliest", "2026-10-28", date(2026, 11, 3)),
        ("issue", None, None),
        ("service", None, date(2026, 11, 5)),
        ("earliest", None, date(2026, 11, 5)),
    ],
)
def test_the_day_from_which_it_counts_is_a_setting(
    starts: str, issued: str | None, last: date | None
) -> None:
    """Three business days from issue, receipt or service; the earliest of them, and none from a day
    that is unknown."""
    issue = date.fromisoformat(issued) if issued else None
    deadlines = deadlines_of(document(issued=issue), [OCTOBER_PERIOD], BOGOTA)
    assert deadlines.by(starts) == last


def test_receipt_is_the_day_on_which_the_mail_came() -> None:
    """Late on Wednesday 4 November, which is Thursday in UTC: 5, 6, 9. A mail whose headers are
    later than the reading of it, on Thursday 12, says nothing: 13, 17, 18."""
    came = document(issued=date(2026, 11, 3), received_at=local(4, 22, month=11))
    assert deadlines_of(came, [], BOGOTA).receipt == date(2026, 11, 9)
    odd = document(issued=date(2026, 11, 3), received_at=local(20, month=11))
    assert deadlines_of(odd, [], BOGOTA).receipt == date(2026, 11, 18)


def test_a_day_that_nobody_can_count_from_gives_none() -> None:
    """Of a year that somebody mistyped there is no deadline, and the others stay."""
    deadlines = deadlines_of(document(issued=date(9999, 12, 30)), [], BOGOTA)
    assert deadlines == (None, None, None)


def test_what_is_paid_at_once_or_is_no_invoice_of_colombia_has_none(project: Project) -> None:
    """Cash by DIAN's code or by the day on which it is due, a credit note, and an invoice in
    dollars without DIAN's code; one with it has a deadline."""
    foreign = {"currency": "USD", "tax": None, "net": "100.00", "periods": OCTOBER}
    documents = [
        invoice("1000", "100000.00", number="F-1", periods=means("1")),
        invoice("1000", "100000.00", number="F-2", periods=means(None, "2026-11-03")),
        invoice("1000", "100000.00", number="F-3", periods=means("2", "2026-11-03")),
        invoice("1000", "100000.00", number="F-4", periods=means(None, "2026-12-03")),
        invoice("10", "1000.00", kind="CreditNote", number="F-5", corrects="F-1"),
        ubl(number="F-6", uuid=None, **foreign),
        ubl(number="F-7", uuid="b" * 96, **foreign),
    ]
    project.vendor.now = local(12, month=11)
    bill(project, *documents)
    last = date(2026, 11, 6)
    settled = judged(project).settled
    assert [each.document.acceptance_deadline for each in settled] == [
        None, None, last, last, None, None, last,
    ]  # fmt: skip


def test_a_start_that_nobody_knows_is_refused() -> None:
    """The setting names the days that there are."""
    with pytest.raises(SettingsError, match="one of earliest, issue, receipt, service"):
        Policy(acceptance_starts="reception")
