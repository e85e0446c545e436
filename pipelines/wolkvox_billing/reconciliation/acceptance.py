"""Until when an invoice can be claimed, by a count of days; it is no legal advice.

A Colombian invoice on credit counts as accepted three business days after it was received unless it
is claimed (RADIAN, event 031). Sources differ on the day from which they count, so there are three:

    issue      the day of issue, as the document says
    receipt    the day on which its mail came, by the mail's headers; of papers that were read from
               a folder that on which they were read: the invoice came then, or before
    service    the last day that it bills, by its period

None of them is before the day of issue: nobody can claim what is not there yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, tzinfo
from typing import NamedTuple

from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.policy import EARLIEST_START
from wolkvox_billing.values.business_days import add_business_days
from wolkvox_billing.values.periods import DAY, Period

BUSINESS_DAYS = 3
_CASH = "cash"
_CUFE = re.compile("[0-9a-f]{96}", re.IGNORECASE)


class Deadlines(NamedTuple):
    """The last day on which an invoice can be claimed, counted from each of three days; None where
    that day is unknown."""

    issue: date | None = None
    receipt: date | None = None
    service: date | None = None

    def by(self, acceptance_starts: str) -> date | None:
        """Return the day by the setting."""
        if acceptance_starts != EARLIEST_START:
            day: date | None = getattr(self, acceptance_starts)
            return day
        return min((day for day in self if day), default=None)


def deadlines_of(document: BilledDocument, periods: Iterable[Period], zone: tzinfo) -> Deadlines:
    """Return the Deadlines of a document, without any where no law sets one that we know.

    periods: those that its lines bill. zone: in which a moment is a day.
    """
    if not _is_on_credit_in_colombia(document):
        return Deadlines()
    end = max((period.end for period in periods), default=None)
    starts = (document.issued, document.came_at.astimezone(zone).date(), end - DAY if end else None)
    return Deadlines(*(_last_day(start, document.issued) for start in starts))


def _last_day(start: date | None, issued: date | None) -> date | None:
    if not start:
        return None
    try:
        return add_business_days(max(start, issued or start), BUSINESS_DAYS)
    except OverflowError:  # of the year 9999, which somebody mistyped
        return None


def _is_on_credit_in_colombia(document: BilledDocument) -> bool:
    """Whether it is an invoice of Colombia, by its currency or by DIAN's code, that is not paid at
    once. A note is not accepted in this way."""
    if document.kind != "invoice":
        return False
    if document.currency != "COP" and not _CUFE.fullmatch(document.uuid or ""):
        return False
    if document.payment_form:
        return document.payment_form != _CASH
    is_due_at_once = document.due and document.issued and document.due <= document.issued
    return not is_due_at_once
