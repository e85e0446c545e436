"""What is known of a month, without a warehouse: use that was measured, and lines that bill it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from builders.months import OCTOBER_PERIOD, REPORT
from wolkvox_billing.reconciliation.contract.rate import FOREVER, Rate
from wolkvox_billing.reconciliation.facts import BilledLine, Facts, MonthUse
from wolkvox_billing.reconciliation.keys import Comparison
from wolkvox_billing.reconciliation.observed import Observed
from wolkvox_billing.reconciliation.unread import Unread
from wolkvox_billing.values.periods import Period


def use(
    period: Period, quantity: int | Decimal, measure: str | None = "month_to_date", **fields: Any
) -> MonthUse:
    """What a month of acme's AUDIOS came to, read in its last minute."""
    read_at = datetime(period.end.year, period.end.month, 1, 4, 59, tzinfo=timezone.utc)
    own = MonthUse("acme", REPORT, "AUDIOS", period, measure, Decimal(quantity), Decimal(quantity),
                   "audios", read_at, Decimal())  # fmt: skip
    return replace(own, **fields)


def billed_line(
    quantity: int | Decimal | None,
    amount: str | Decimal,
    period: Period | None = OCTOBER_PERIOD,
    **fields: Any,
) -> BilledLine:
    stated = None if quantity is None else Decimal(quantity)
    own = BilledLine("d", 1, "F-1", False, "900", None, "audios", None, stated, Decimal(amount),
                     "COP", period)  # fmt: skip
    return own._replace(**fields)


def rate(price: str | Decimal, currency: str = "COP", *, line: int = 2, **fields: Any) -> Rate:
    """A rate of all operations and products, for ever."""
    own = Rate(line, REPORT, "", "", Decimal(), Decimal(price), currency, date(2026, 1, 1), FOREVER)
    return replace(own, **fields)


def known(months: list[MonthUse], lines: list[BilledLine], **fields: Any) -> Facts:
    """The Facts of acme in January 2027, when every invoice is due."""
    own = Facts(
        now=datetime(2027, 1, 31, tzinfo=timezone.utc),
        operations={"acme": "ACME"},
        months=months,
        days={},
        lines=lines,
        answered={},
        default_zone=ZoneInfo("America/Bogota"),
    )
    return replace(own, **fields)


def unseen_everywhere(comparison: Comparison, unread: Unread) -> Observed:
    """The same of each part that is disputed, whose readings leave nothing else open."""
    return Observed({(part.use, part.stretch): unread for part in comparison.disputed_parts}, {})
