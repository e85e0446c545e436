"""The terms of the contract that hold beside the price of a unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from wolkvox_billing.reconciliation.contract.rate import TAX, Rate
from wolkvox_billing.reconciliation.contract.tariff import fitting, most_exact
from wolkvox_billing.reconciliation.facts import Meter


def tax_percent_on(
    rates: Sequence[Rate], meter: Meter, currency: str | None, day: date
) -> Decimal | None:
    """Return the rate of tax that the contract names for a meter on a day, None where it names
    none. Of a line that bills no report, the meter's names are blank."""
    return _percent_on(rates, TAX, meter, currency, day)


def _percent_on(
    rates: Sequence[Rate], term: str, meter: Meter, currency: str | None, day: date
) -> Decimal | None:
    rows = fitting(rates, term, meter, currency)
    rows = most_exact([rate for rate in rows if rate.valid_from <= day < rate.valid_to])
    return rows[0].unit_price if rows else None
