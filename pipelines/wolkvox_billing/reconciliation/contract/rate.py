"""A row of the rate card: a term of the contract, and the days on which it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from wolkvox_billing.values.periods import Period
from wolkvox_billing.values.spelling import plain

TERMS = UNIT_PRICE, FEE, MINIMUM, PACKAGE, DISCOUNT, TAX = (
    "unit_price",
    "fee",
    "minimum",
    "package",
    "discount_percent",
    "tax_percent",
)
PERCENTS = (DISCOUNT, TAX)
TIERS = GRADUATED, ALL_UNITS = ("graduated", "all_units")
POOLED = OPERATION, ALL = ("operation", "all")
EVERY = MONTH, YEAR, ONCE = ("month", "year", "once")
FOREVER = date.max


@dataclass(frozen=True)
class Rate:
    """What `unit_price` is by the row's `term`, from `valid_from` to before `valid_to`:

        unit_price         what `per` units beyond `from_quantity` cost; with `all_units`, what
                           all units cost of a quantity that reaches it
        fee                what the lines that `pattern` fits cost each month or year, or once
        minimum            what a month costs at least
        package            what `from_quantity` units cost over all days on which it holds
        discount_percent   what is taken off; tax_percent: what is put on

    A blank report, operation or product means all. `pooled`: whether tiers, minimum and package
    are of each operation, or of `all` together. `rounding`: to what each call is rounded up before
    it is billed, such as `minute` or `6_seconds`."""

    line: int
    report: str
    operation_id: str
    product: str
    from_quantity: Decimal
    unit_price: Decimal
    currency: str
    valid_from: date
    valid_to: date
    rounding: str = ""
    term: str = UNIT_PRICE
    per: Decimal = Decimal(1)
    tiers: str = GRADUATED
    pooled: str = OPERATION
    every: str = ""  # of a fee
    pattern: str = ""

    def __hash__(self) -> int:
        return hash(self.line)  # of one file each row has another

    @property
    def days(self) -> Period:
        return Period(self.valid_from, self.valid_to)

    def overlaps(self, period: Period) -> bool:
        return self.valid_from < period.end and period.start < self.valid_to

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day < self.valid_to

    @property
    def is_pooled(self) -> bool:
        return self.pooled == ALL

    @property
    def subject(self) -> tuple[str, ...]:
        """What it says something of: rows of one subject hold one after another."""
        names = self.operation_id, self.product, self.pattern
        return self.term, self.report, self.currency, *map(plain, names)

    @property
    def priced_in(self) -> str:
        """The currency that the contract has it in."""
        return self.currency

    @property
    def exactness(self) -> tuple[bool, bool, bool, bool]:
        """The larger, the more it names: what is in the invoice's currency comes first, and a
        product says more than an operation."""
        is_own = self.priced_in == self.currency
        return is_own, bool(self.report), bool(self.product), bool(self.operation_id)


@dataclass(frozen=True)
class ExchangedRate(Rate):
    """A row whose value was exchanged into `currency` from that of the contract."""

    contract_currency: str = ""

    @property
    def priced_in(self) -> str:
        return self.contract_currency


def by_days(rates: Iterable[Rate], period: Period) -> Decimal:
    """Return what rows come to that hold for a part of a period each, by their days of it."""
    shares = (rate.unit_price * rate.days.common(period).length for rate in rates)
    return sum((share / period.length for share in shares), Decimal())


def exchange(rate: Rate, currency: str, parity: Decimal) -> Rate:
    """Return a row in another currency, in which one of its own is so much."""
    value = rate.unit_price if rate.term in PERCENTS else rate.unit_price * parity
    own = {**vars(rate), "unit_price": value, "currency": currency}
    return ExchangedRate(**own, contract_currency=rate.currency)
