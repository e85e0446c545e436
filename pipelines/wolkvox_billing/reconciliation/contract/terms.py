"""The terms of the contract, by what they say something of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from wolkvox_billing.reconciliation.contract.rate import (
    DISCOUNT,
    MINIMUM,
    PACKAGE,
    TAX,
    UNIT_PRICE,
    Rate,
)
from wolkvox_billing.reconciliation.contract.tariff import fitting, most_exact
from wolkvox_billing.reconciliation.facts import Meter
from wolkvox_billing.values.periods import Period


class Terms:
    """The rows of a rate card by term and report."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rows: defaultdict[tuple[str, str], list[Rate]] = defaultdict(list)
        for rate in rates:
            self._rows[rate.term, rate.report].append(rate)

    def of(self, term: str, report: str | None) -> list[Rate]:
        """Return the rows of a term that speak of a report."""
        rows = self._rows.get((term, ""), [])
        return [*rows, *self._rows.get((term, report), [])] if report else rows

    def prices(self, report: str | None) -> list[Rate]:
        """Return the prices of a report's units."""
        return self.of(UNIT_PRICE, report)

    def costs(self, report: str | None) -> list[Rate]:
        """Return what `tariffs` goes by: prices and discounts."""
        return [*self.prices(report), *self.of(DISCOUNT, report)]

    def packages(self, meter: Meter, currency: str | None, period: Period) -> list[Rate]:
        """Return the packages that pay use of a meter in a period: the most exact of them, the one
        that ends first before the others."""
        return _overlapping(self.of(PACKAGE, meter.report), PACKAGE, meter, currency, period)

    def minimums(self, meter: Meter, currency: str | None, period: Period) -> list[Rate]:
        """Return the minimums that hold for a meter in a period: the most exact of them."""
        return _overlapping(self.of(MINIMUM, meter.report), MINIMUM, meter, currency, period)


def _overlapping(
    rates: Sequence[Rate], term: str, meter: Meter, currency: str | None, period: Period
) -> list[Rate]:
    rows = [rate for rate in fitting(rates, term, meter, currency) if rate.days.overlaps(period)]
    return sorted(most_exact(rows), key=lambda rate: (rate.valid_to, rate.valid_from, rate.line))


def tax_percent_on(
    rates: Sequence[Rate], meter: Meter, currency: str | None, day: date
) -> Decimal | None:
    """Return the rate of tax that the contract names for a meter on a day, None where it names
    none. Of a line that bills no report, the meter's names are blank."""
    rows = [rate for rate in fitting(rates, TAX, meter, currency) if rate.holds_on(day)]
    return next((rate.unit_price for rate in most_exact(rows)), None)
