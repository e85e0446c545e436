"""The terms of the contract, by what they say something of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise, product

from wolkvox_billing.reconciliation.contract.rate import DISCOUNT, TAX, UNIT_PRICE, Rate, exchange
from wolkvox_billing.reconciliation.contract.tariff import Tariff
from wolkvox_billing.reconciliation.facts import Meter
from wolkvox_billing.values.periods import Period
from wolkvox_billing.values.spelling import plain


class Terms:
    """The rows of a rate card by term, report, operation and product: verdicts look up those that
    may hold for them, of a contract of hundreds."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rows: defaultdict[tuple[str, ...], list[Rate]] = defaultdict(list)
        self._known: dict[tuple[str | None, ...], list[Rate]] = {}  # as each month asks for it
        prices: defaultdict[str | None, list[Rate]] = defaultdict(list)
        self._of_report: defaultdict[str, list[Rate]] = defaultdict(list)
        self._exchanged: dict[tuple[object, ...], Terms] = {}
        self._said_in: dict[str | None, set[str]] = {}  # currencies, by report
        for rate in rates:
            self._of_report[rate.report].append(rate)
            key = rate.term, rate.report, plain(rate.operation_id), plain(rate.product)
            self._rows[key].append(rate)
            if rate.term == UNIT_PRICE:
                prices[rate.report].append(rate)
        self._currencies = {
            report: frozenset(rate.currency for rate in own) for report, own in prices.items()
        }
        self._roundings = {
            report: next((rate.rounding for rate in own if rate.rounding), "")
            for report, own in prices.items()
        }

    def _of(self, term: str, meter: Meter) -> list[Rate]:
        """Return the rows of a term that speak of a meter, in whatever currency."""
        names = meter.report, plain(meter.operation_id), plain(meter.product)
        keys = product([term], *({"", name} for name in names))
        return [rate for key in keys for rate in self._rows.get(key, ())]

    def of(self, term: str, meter: Meter, currency: str | None) -> list[Rate]:
        """Return the rows of a term that speak of a meter in a currency, on whatever days."""
        place = term, currency, *meter
        if place not in self._known:
            rows = self._of(term, meter)
            self._known[place] = [rate for rate in rows if rate.currency in ("", currency)]
        return self._known[place]

    def currencies(self, report: str | None) -> frozenset[str]:
        """Return those in which a report has prices."""
        return self._currencies.get(report, frozenset())

    def rounding(self, report: str | None) -> str:
        """Return to what each call is rounded up, '' where no price of the report says it."""
        return self._roundings.get(report, "")

    def tariffs(self, meter: Meter, currency: str | None, period: Period) -> list[Tariff]:
        """Return what units of a meter cost in a period, in stretches; [] where no price is known
        for all of its days. The more exact row wins."""
        prices, discounts = (
            [rate for rate in self.of(term, meter, currency) if rate.overlaps(period)]
            for term in (UNIT_PRICE, DISCOUNT)
        )
        edges = {day for rate in (*prices, *discounts) for day in rate.days}
        marks = [period.start, *sorted(day for day in edges if period.start < day < period.end)]
        stretches: list[Tariff] = []
        for start, end in pairwise([*marks, period.end]):
            exact = _most_exact([rate for rate in prices if rate.holds_on(start)])
            if not exact:
                return []
            tiers = tuple(sorted(exact, key=lambda rate: rate.from_quantity))
            # A discount of other prices is in none of these.
            currencies = ("", currency, tiers[0].priced_in)
            held = [rate for rate in discounts if rate.holds_on(start)]
            percents = _most_exact([rate for rate in held if rate.priced_in in currencies])
            tariff = Tariff(start, end, tiers, percents[0].unit_price if percents else Decimal())
            if stretches and stretches[-1].holds_as(tariff):
                tariff = replace(tariff, start=stretches.pop().start)
            stretches.append(tariff)
        return stretches

    def said_in(self, report: str | None) -> set[str]:
        """Return the currencies in which anything is said of a report."""
        if report not in self._said_in:
            self._said_in[report] = {rate.currency for rate in self._rows_of(report)}
        return self._said_in[report]

    def is_all_in(self, currency: str | None, report: str | None) -> bool:
        """Return whether nothing is said of a report in another currency."""
        return self.said_in(report) <= {"", currency}

    def currencies_of(self, term: str, meter: Meter, period: Period) -> set[str]:
        """Return in which currencies a term says something of a meter in a period."""
        return {rate.currency for rate in self._of(term, meter) if rate.overlaps(period)}

    def exchanged(self, report: str | None, currency: str, rates: Mapping[str, Decimal]) -> Terms:
        """Return what is said of a report, with what is in other currencies in this one too: one of
        each is what `rates` has for it."""
        name = report, currency, *sorted(rates.items())
        if name not in self._exchanged:
            self._exchanged[name] = Terms(
                exchange(row, currency, rates[row.currency]) if row.currency in rates else row
                for row in self._rows_of(report)
            )
        return self._exchanged[name]

    def _rows_of(self, report: str | None) -> list[Rate]:
        return [*self._of_report.get("", ()), *self._of_report.get(report or "-", ())]

    def holding(self, term: str, meter: Meter, currency: str | None, period: Period) -> list[Rate]:
        """Return the rows of a term that hold for a meter in a period: the most exact of them, the
        one that ends first before the others."""
        rows = [rate for rate in self.of(term, meter, currency) if rate.overlaps(period)]
        return sorted(
            _most_exact(rows), key=lambda rate: (rate.valid_to, rate.valid_from, rate.line)
        )

    def tax_percents(
        self, meter: Meter, currency: str | None, period: Period, issued: date | None
    ) -> tuple[Decimal, Decimal] | None:
        """Return the lowest and the highest rate of tax that the contract names for a meter on a
        day of a period, or on that of the document, by either of which it may be meant; None where
        it names none. Of a line that bills no report, the meter's names are blank."""
        rows = self.of(TAX, meter, currency)
        begun = [rate.valid_from for rate in rows if period.start < rate.valid_from < period.end]
        days = [period.start, *begun, *([issued] if issued else [])]
        on_days = [_most_exact([rate for rate in rows if rate.holds_on(day)]) for day in days]
        percents = [rate.unit_price for exact in on_days for rate in exact[:1]]
        return (min(percents), max(percents)) if percents else None


def _most_exact(rates: Sequence[Rate]) -> list[Rate]:
    """Return those of the rows that name the most: a row that names the operation and product is
    more exact than one that does not."""
    if len(rates) < 2:
        return [*rates]
    exactness = max(rate.exactness for rate in rates)
    return [rate for rate in rates if rate.exactness == exactness]
