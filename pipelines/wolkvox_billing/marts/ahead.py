"""The rows of `forecast` and `usage_anomalies`: nothing else knows their columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from wolkvox_billing.marts.reconciled import COLUMNS, Column, columns_of_row

# How a month stands by its budget: below it, the interval passes it, all of the interval is above.
WITHIN, MAY_PASS, PASSES = "within", "may_pass", "passes"
LESS, MORE = "less", "more"  # than such days have

# Where a column is in both marts, it means the same.
_EXPECTED = Column(
    "What is expected: of a month in all, NULL where less than four weeks are known; of a day the "
    "average of such days",
)
_LOW = Column("From here to high_quantity: a month by 80 %, a day that is no anomaly")
_HIGH = Column("From low_quantity to here: a month by 80 %, a day that is no anomaly")


@dataclass(frozen=True)
class Forecast:
    """What a month that runs will come to, at a chance of 80 %."""

    operation_id: Annotated[str, COLUMNS["operation_id"]]
    operation_name: Annotated[str | None, COLUMNS["operation_name"]]
    report: Annotated[str, COLUMNS["report"]]
    product: Annotated[str, COLUMNS["product"]]
    billing_period_start: Annotated[date, COLUMNS["billing_period_start"]]
    billing_period_end: Annotated[date, COLUMNS["billing_period_end"]]
    forecast_from: Annotated[date, Column("The first day that is not known in whole")]
    days_known: Annotated[
        int, Column("Whole days of the last eight weeks that the forecast stands on")
    ]
    consumed_quantity: Annotated[Decimal, COLUMNS["consumed_quantity"]]
    expected_quantity: Annotated[Decimal | None, _EXPECTED]
    low_quantity: Annotated[Decimal | None, _LOW]
    high_quantity: Annotated[Decimal | None, _HIGH]
    consumed_unit: Annotated[str | None, COLUMNS["consumed_unit"]]
    billing_currency: Annotated[
        str | None, Column("The currency of the amounts; NULL where the use has no price")
    ]
    expected_cost: Annotated[
        Decimal | None,
        Column("expected_quantity by the rate card's prices, tiers and discounts; before tax"),
    ]
    low_cost: Annotated[Decimal | None, Column("The same of low_quantity")]
    high_cost: Annotated[Decimal | None, Column("The same of high_quantity")]
    budget_amount: Annotated[
        Decimal | None,
        Column("The setting budget of the report or product a month: of all operations"),
    ]
    budget_status: Annotated[
        str | None,
        Column("All operations by the budget: within, may_pass (the interval passes it) or passes"),
    ]
    month_label: Annotated[str | None, COLUMNS["month_label"]]


@dataclass(frozen=True)
class Anomaly:
    """A day that falls out of what such days had in the eight weeks before it."""

    operation_id: Annotated[str, COLUMNS["operation_id"]]
    operation_name: Annotated[str | None, COLUMNS["operation_name"]]
    report: Annotated[str, COLUMNS["report"]]
    product: Annotated[str, COLUMNS["product"]]
    usage_date: Annotated[date, Column("The day in the vendor's time zone")]
    consumed_quantity: Annotated[Decimal, COLUMNS["consumed_quantity"]]
    expected_quantity: Annotated[Decimal, _EXPECTED]
    low_quantity: Annotated[Decimal, _LOW]
    high_quantity: Annotated[Decimal, _HIGH]
    kind: Annotated[str, Column("less or more than such days have")]
    reason: Annotated[str, Column("Why it is one, in a sentence")]
    consumed_unit: Annotated[str | None, COLUMNS["consumed_unit"]]


FORECAST_COLUMNS, ANOMALY_COLUMNS = map(columns_of_row, (Forecast, Anomaly))
