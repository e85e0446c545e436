"""The verdict on each key: a status, the first of STATUSES that fits, and what the difference is.

difference of cost = what was billed - cost(measured)
                   = cost(billed quantity) - cost(measured)      the volume effect
                   + what was billed - cost(billed quantity)     the price effect

Where the contract is in another currency, both costs are at the rate that the contract names, and

    what was billed - cost(billed quantity)
                   = cost at the documents' rate - cost          the exchange effect
                   + what was billed - cost at their rate        the price effect
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from wolkvox_billing.reconciliation.cut_off import CutOff
from wolkvox_billing.reconciliation.exchange import Exchange
from wolkvox_billing.reconciliation.facts import BilledLine, MonthUse
from wolkvox_billing.reconciliation.keys import Billed, Key, Measured
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.pricing import Priced
from wolkvox_billing.reconciliation.unread import Unread

INCONCLUSIVE, CUT_OFF = "inconclusive_low_coverage", "inconclusive_cut_off"
CURRENCY_MISMATCH, UNIT_MISMATCH = "currency_mismatch", "unit_mismatch"
NO_FINDING = ("open_period", "matched", "within_tolerance")
# What blames somebody: said only where no honest explanation stands, see `doubts`.
ACCUSING = OVER, UNDER, UNBILLED, UNUSED, PRICE, EXCHANGE = (
    "overbilled_quantity",
    "underbilled_quantity",
    "usage_not_invoiced",
    "invoiced_without_usage",
    "price_difference",
    "exchange_difference",
)
QUANTITY = OVER, UNDER
# To sort and colour verdicts by: how much there is for a person to do.
AGREES, IS_OPEN, UNPROVABLE, UNSETTLED, BILLED_SHORT, OTHER_PRICE, BILLED_TOO_MUCH = range(7)
_SEVERITIES = {
    **dict.fromkeys(NO_FINDING, AGREES),
    "open_period": IS_OPEN,
    UNDER: BILLED_SHORT,
    UNBILLED: BILLED_SHORT,
    PRICE: OTHER_PRICE,
    EXCHANGE: OTHER_PRICE,
    OVER: BILLED_TOO_MUCH,
    UNUSED: BILLED_TOO_MUCH,
    "duplicate_document": BILLED_TOO_MUCH,
}
MANY = 10  # units that one thing costs as much as, so that it is none of them
_HALF_A_CENT = Decimal("0.005")
FIRST_NIGHT_IS_OVER = 6  # o'clock, on the first day of the next month


class Doubt(NamedTuple):
    """An honest explanation that was looked at, and the status that it gives the verdict where it
    stands; '' where the record excludes it. `values` are those of its sentences."""

    name: str
    status: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Verdict:
    """A row of invoice_reconciliation. Amounts are in `key.currency`; None is not known."""

    key: Key
    billed: Billed | None
    measured: Measured | None
    consumed: Decimal | None
    unread: Unread | None
    priced: Priced
    currencies: frozenset[str]  # that the rate card has for the report
    today: date
    policy: Policy
    cut_off: CutOff | None = None
    awaits_night: bool = False  # the next month's first night is not over, or was not read
    rounding: str = ""  # of each call, by the rate card
    unpriced: tuple[date, ...] = ()  # days without a price, where others of the period have one
    is_pooled: bool = False  # priced with other operations' use
    doubts: tuple[Doubt, ...] = ()
    exchange: Exchange | None = None  # of a contract in another currency
    as_used: Priced | None = None  # at the rate that the documents used, where that is another one

    @property
    def charged(self) -> Priced:
        """What its quantities cost at the exchange rate that the documents used."""
        return self.as_used or self.priced

    @property
    def contract_currency(self) -> str | None:
        """The currency of the contract: of several the first."""
        return min(self.exchange.rates, default=None) if self.exchange else self.key.currency

    @property
    def one_of_contract(self) -> Fraction:
        """What one of the contract's currency is in the invoice's."""
        return self.parity_in(self.contract_currency)

    def parity_in(self, currency: str | None) -> Fraction:
        """Return what one of a currency is in the invoice's, by the contract."""
        rates = self.exchange.rates if self.exchange else {}
        return Fraction(rates.get(currency or "", 1))

    def at_used_rates(self) -> Verdict:
        """Return the verdict as if the contract named the rates that the documents used."""
        exchange = self.exchange and self.exchange._replace(rates=self.exchange.used)
        return replace(self, priced=self.charged, exchange=exchange, as_used=None)

    @property
    def billed_quantity(self) -> Decimal | None:
        return self.billed.quantity if self.billed else Decimal()

    @property
    def billed_cost(self) -> Decimal:
        return self.billed.amount if self.billed else Decimal()

    @property
    def lines(self) -> Sequence[BilledLine]:
        return self.billed.lines if self.billed else ()

    @property
    def uses(self) -> Sequence[MonthUse]:
        return self.measured.uses if self.measured else ()

    @property
    def quantity_variance(self) -> Decimal | None:
        if self.billed_quantity is None or self.consumed is None:
            return None
        return self.billed_quantity - self.consumed

    @property
    def contracted_cost(self) -> Decimal | None:
        return self.priced.of_measured

    @property
    def cost_variance(self) -> Decimal | None:
        return None if self.contracted_cost is None else self.billed_cost - self.contracted_cost

    @property
    def volume_effect(self) -> Decimal | None:
        if self._fair_cost is None or self.contracted_cost is None:
            return None
        return self._fair_cost - self.contracted_cost

    @property
    def price_effect(self) -> Decimal | None:
        fair = self._fair_by(self.charged)
        if fair is None or self.contracted_cost is None:
            return None
        return self.billed_cost - fair

    @property
    def exchange_effect(self) -> Decimal | None:
        fair, used = self._fair_cost, self._fair_by(self.charged)
        if fair is None or used is None or self.contracted_cost is None:
            return None
        return used - fair

    @property
    def amount_effect(self) -> Decimal | None:
        """By how much the billed quantity was billed too high: by its price or its rate."""
        if self.price_effect is None or self.exchange_effect is None:
            return None
        return self.price_effect + self.exchange_effect

    @property
    def _fair_cost(self) -> Decimal | None:
        return self._fair_by(self.priced)

    def _fair_by(self, priced: Priced) -> Decimal | None:
        """Return what the billed quantity costs; without one, what was measured does."""
        return priced.of_measured if self.billed_quantity is None else priced.of_billed

    @property
    def costs_as_agreed(self) -> bool:
        """Whether the amount is what the contract makes of the use, which is not nothing."""
        variance = self.cost_variance
        is_near = variance is not None and abs(variance) <= self.tolerance
        return bool(self.contracted_cost) and is_near

    @property
    def is_price_known(self) -> bool:
        """Whether the amount cannot be explained by a price that changed while nobody read."""
        low, high, tolerance = self.charged.lowest, self.charged.highest, self.tolerance
        if not self.price_effect or low is None or high is None:
            return True
        return not low - tolerance <= self.billed_cost <= high + tolerance

    @property
    def tolerance(self) -> Decimal:
        """Within how much amounts agree: by the policy; where all lines are in whole units of money
        by half a unit each at least, and where a line's quantity is whole by the price of less than
        one."""
        tolerance = self.policy.tolerance_in(self.key.currency)
        amounts = [line.amount for line in self.lines]
        if amounts and all(amount == amount.to_integral_value() for amount in amounts):
            tolerance = max(tolerance, Decimal("0.5") * len(amounts))
        return tolerance + self._rounded_in_exchange

    @property
    def _rounded_in_exchange(self) -> Decimal:
        """How much exchanging rounds: half a cent of the contract's currency in each line; or of
        the invoice's in each unit's price, as long as that is a thousandth at the most."""
        if not self.exchange:
            return Decimal()
        parity = max([*self.exchange.used.values(), Decimal()])
        of_lines = _HALF_A_CENT * parity * len(self.lines)
        of_units = _HALF_A_CENT * abs(self.billed_quantity or Decimal())
        return max(of_lines, min(of_units, abs(self.billed_cost) / 1000))

    @property
    def standing_doubt(self) -> Doubt | None:
        return next((doubt for doubt in self.doubts if doubt.status), None)

    @property
    def is_unbilled(self) -> bool:
        """Whether something was measured, and nothing of it is billed in the end."""
        return bool(self.consumed and (not self.billed or self.billed.is_nothing))

    @property
    def is_compared(self) -> bool:
        """Whether a quantity or an amount is held against what was measured."""
        return bool(
            self.billed and self.measured and self.measured.ends_were_read and not self.is_unbilled
        )

    @property
    def is_agreed(self) -> bool:
        """Whether the quantities are within the tolerance of each other."""
        if self.quantity_variance is None or self.consumed is None:
            return False
        percent = self.policy.tolerance_percent * abs(self.consumed) / 100
        if abs(self.quantity_variance) <= max(self.policy.tolerance_quantity, percent):
            return True
        return self._is_rounded

    @property
    def _is_rounded(self) -> bool:
        """Whether a part of a unit is all that a whole quantity differs by, line by line."""
        quantities = [line.quantity for line in self.lines if line.quantity is not None]
        is_whole = all(quantity == quantity.to_integral_value() for quantity in quantities)
        return is_whole and abs(self.quantity_variance or Decimal()) < max(len(quantities), 1)

    @cached_property
    def status(self) -> str:
        if self.standing_doubt:
            return self.standing_doubt.status
        return next(status for status, fits in STATUSES if fits(self))

    @property
    def stake(self) -> Decimal:
        """The amount that is in question."""
        if self.status.startswith("inconclusive_"):  # a quantity is excused, and not a price
            effect = abs(self.amount_effect or Decimal())
            is_known = self.billed_quantity is not None and self.is_price_known
            return effect if is_known and effect > self.tolerance else Decimal()
        if self.cost_variance is None or self.status == "duplicate_document":
            return abs(self.billed_cost)  # of a duplicate, one of the two is not owed at all
        return abs(self.cost_variance)

    @property
    def is_material(self) -> bool:
        limit = self.policy.materiality_in(self.key.currency)
        return self.status not in NO_FINDING and self.stake > limit


def severity_of(status: str) -> int:
    """Return how much a status asks of a person."""
    if status.startswith("inconclusive_"):
        return UNPROVABLE
    return _SEVERITIES.get(status, UNSETTLED)


def _is_open(verdict: Verdict) -> bool:
    if not verdict.key.period:
        return False
    if verdict.awaits_night:
        return True
    wait = timedelta(days=0 if verdict.billed else verdict.policy.invoice_due_days)
    return verdict.today < verdict.key.period.end + wait


def _has_wrong_currency(verdict: Verdict) -> bool:
    """A report that the rate card does not have at all is no mismatch but a missing price."""
    if verdict.exchange:
        return bool(verdict.exchange.missing)
    currencies = verdict.currencies
    return bool(verdict.billed and currencies and verdict.key.currency not in currencies)


def _has_other_unit(verdict: Verdict) -> bool:
    """Whatever the numbers are: kilograms that happen to be as many say nothing of audios."""
    return bool(verdict.billed and verdict.billed.other_units)


def _is_undetermined(verdict: Verdict) -> bool:
    """Nobody knows what the numbers mean, or counters and gauges would have to be added."""
    return bool(verdict.measured and verdict.consumed is None)


def _is_not_invoiced(verdict: Verdict) -> bool:
    """What costs nothing by contract, such as what a package paid for, is billed by nobody."""
    is_used = verdict.is_unbilled and (verdict.consumed or 0) > 0
    return is_used and verdict.contracted_cost != 0


def _is_without_usage(verdict: Verdict) -> bool:
    is_answered = not verdict.measured and verdict.consumed is not None
    is_billed = bool(verdict.billed and not verdict.billed.is_nothing)
    return is_answered and is_billed and not verdict.costs_as_agreed


def _is_matched(verdict: Verdict) -> bool:
    if not (verdict.billed and verdict.measured):
        is_free = verdict.is_unbilled and verdict.contracted_cost == 0
        return verdict.consumed == 0 or is_free
    costs_the_same = verdict.price_effect == 0 and verdict.exchange_effect == 0
    return verdict.is_compared and verdict.quantity_variance == 0 and costs_the_same


def _is_within_tolerance(verdict: Verdict) -> bool:
    """An invoice that states no quantity is compared by its amount only, so never `matched`."""
    effect = verdict.amount_effect
    if not verdict.is_compared or effect is None:
        return False
    # The amount is what the contract makes of the use, whatever the line calls a quantity.
    if verdict.costs_as_agreed:
        return True
    is_agreed = verdict.is_agreed or verdict.billed_quantity is None
    return is_agreed and abs(effect) <= verdict.tolerance


def _is_cut_off(verdict: Verdict) -> bool:
    """Whether the nights of the month's turn can hold the difference."""
    cut_off, billed = verdict.cut_off, verdict.billed_quantity
    if not cut_off or billed is None or verdict.is_agreed or not verdict.is_compared:
        return False
    return cut_off.reach.low <= billed <= cut_off.reach.high


def _is_inconclusive(verdict: Verdict) -> bool:
    """What nobody read can explain the difference."""
    if not verdict.measured:  # nobody was answered
        return True
    if verdict.is_unbilled:
        return False
    if not verdict.measured.ends_were_read:
        return True
    if verdict.billed_quantity is None:
        return not verdict.is_price_known or _can_explain_amount(verdict)
    if verdict.is_agreed:
        return not verdict.is_price_known
    return _can_explain_quantity(verdict, verdict.measured)


def _can_explain_amount(verdict: Verdict) -> bool:
    effect, priced = verdict.price_effect or Decimal(), verdict.charged
    if effect > 0:
        return priced.of_most is None or verdict.billed_cost <= priced.of_most
    if effect < 0:
        return priced.of_fewest is None or verdict.billed_cost >= priced.of_fewest
    return False


def _can_explain_quantity(verdict: Verdict, measured: Measured) -> bool:
    if not verdict.unread or verdict.cut_off:  # whose reach has what nobody read
        return False
    variance = verdict.quantity_variance or Decimal()
    if variance > 0:
        most = verdict.unread.missing.quantity
        return most is None or variance + measured.short_before <= most
    return verdict.unread.foreign is None or -variance <= verdict.unread.foreign


def _is_overbilled(verdict: Verdict) -> bool:
    """Beyond what nobody read; or the counter fell after it was billed."""
    is_more = (verdict.quantity_variance or 0) > 0 and not verdict.is_agreed
    return is_more or verdict.is_unbilled


def _has_other_price(verdict: Verdict) -> bool:
    """Whether the price is another one, at the exchange rate that the documents used."""
    return not verdict.exchange_effect or abs(verdict.price_effect or Decimal()) > verdict.tolerance


# In the order of docs/reconcile.md. The first that fits counts, so that a predicate need not say
# again that none before it does; where the quantity agrees and a price is known, only the price and
# the exchange rate are left.
STATUSES: tuple[tuple[str, Callable[[Verdict], bool]], ...] = (
    ("open_period", _is_open),
    ("duplicate_document", lambda verdict: any(line.is_duplicate for line in verdict.lines)),
    ("unmapped_line", lambda verdict: not (verdict.key.report and verdict.key.period)),
    (CURRENCY_MISMATCH, _has_wrong_currency),
    (UNIT_MISMATCH, _has_other_unit),
    ("semantics_undetermined", _is_undetermined),
    (UNBILLED, _is_not_invoiced),
    (UNUSED, _is_without_usage),
    ("matched", _is_matched),
    ("within_tolerance", _is_within_tolerance),
    (CUT_OFF, _is_cut_off),
    (INCONCLUSIVE, _is_inconclusive),
    (OVER, _is_overbilled),
    (UNDER, lambda v: (v.quantity_variance or 0) < 0 and not v.is_agreed),
    ("no_price", lambda verdict: verdict.price_effect is None),
    (PRICE, _has_other_price),
    (EXCHANGE, lambda verdict: True),
)
