"""A month by the name that people give it, such as 2026-11, and the verdicts that are its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices.period import Period, month_of
from wolkvox_billing.marts.reconciled import ReconciledRow


def read_month(text: str) -> Period:
    """Return the Period of a month. Raises SettingsError for what is none."""
    with suppress(ValueError, OverflowError):  # no date is after 9999-12
        if re.fullmatch(r"\d{4}-\d\d", text, re.ASCII):
            return month_of(date.fromisoformat(f"{text}-01"))
    raise SettingsError(f"{text!r} is no month: expected one such as 2026-11")


def of_month(month: Period, rows: Iterable[ReconciledRow]) -> list[ReconciledRow]:
    """Return those of these verdicts whose period has days in the month."""
    return [
        row
        for row in rows
        if row.billing_period_start
        and row.billing_period_end
        and Period(row.billing_period_start, row.billing_period_end).overlaps(month)
    ]
