"""From what was measured and billed to the verdict on each key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.reconciliation.contract.line_map import QUANTITY
from wolkvox_billing.reconciliation.contract.rate import MINIMUM, PACKAGE, UNIT_PRICE
from wolkvox_billing.reconciliation.contract.tariff import Tariff
from wolkvox_billing.reconciliation.contract.terms import Terms
from wolkvox_billing.reconciliation.courses import Courses
from wolkvox_billing.reconciliation.cut_off import CutOff, cut_off_of
from wolkvox_billing.reconciliation.exchange import Exchange, Exchanges
from wolkvox_billing.reconciliation.facts import Facts, Meter
from wolkvox_billing.reconciliation.keys import Billed, Comparison, Key, Measured
from wolkvox_billing.reconciliation.minimums import add_minimums
from wolkvox_billing.reconciliation.observed import Observed
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.pools import agree_in_sum
from wolkvox_billing.reconciliation.pricing import Course, Priced, price
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.unread import NOTHING, Tail, Unread, Unseen, add_unread
from wolkvox_billing.reconciliation.verdicts import FIRST_NIGHT_IS_OVER, MANY, Verdict
from wolkvox_billing.values.periods import DAY, Period, months_of
from wolkvox_billing.vendor.reports import is_nightly

_NOTHING = Decimal()


def judge(facts: Facts, comparison: Comparison, observed: Observed, rules: Rules) -> list[Verdict]:
    """Return the Verdict on each key, in the order of the keys. `observed` has the disputed parts.
    None of them was doubted yet."""
    courses = Courses(Terms(rules.rates), facts, comparison)
    exchanges = Exchanges(facts, rules.exchange_rates, rules.policy)
    bench = _Bench(facts, comparison, observed, rules.policy, courses, exchanges)
    keys = dict.fromkeys([*comparison.billed, *comparison.measured])
    ways = [bench.judge(key) for key in keys]
    rounds = [
        bench.judge_together([own[min(n, len(own) - 1)] for own in ways])
        for n in range(max(map(len, ways), default=0))
    ]
    verdicts = [
        min(own, key=lambda verdict: abs(verdict.price_effect or _NOTHING))
        for own in zip(*rounds, strict=True)
    ]
    return sorted(verdicts, key=lambda verdict: tuple(str(part or "") for part in verdict.key))


class _Bench(NamedTuple):
    """All that a key is judged by, beside other keys' verdicts."""

    facts: Facts
    comparison: Comparison
    observed: Observed
    policy: Policy
    courses: Courses
    exchanges: Exchanges

    def judge(self, key: Key) -> list[Verdict]:
        """Return the Verdict on a key, as if it were the only one of its month; one for each
        exchange rate that its documents may have used."""
        billed, measured = self.comparison.billed.get(key), self.comparison.measured.get(key)
        others = self._other_currencies(key, measured) if billed else set[str]()
        if not (billed and others and key.currency and key.period):
            return [self._judge(key, None)]
        exchanges = self.exchanges.of(billed.lines, key.currency, others, key.period)
        return [self._judge(key, exchange) for exchange in exchanges]

    def judge_together(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Return the verdicts with what the contract says of several of them together, at its
        exchange rates and at those that the documents used."""
        judged = self._add_what_is_common(verdicts)
        if not any(verdict.as_used for verdict in verdicts):
            return judged
        by_used = self._add_what_is_common([verdict.at_used_rates() for verdict in verdicts])
        return [
            replace(verdict, as_used=used.priced if verdict.as_used else None)
            for verdict, used in zip(judged, by_used, strict=True)
        ]

    def _add_what_is_common(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        return agree_in_sum(add_minimums(verdicts, self._terms_of))

    def _terms_of(self, verdict: Verdict) -> Terms:
        return self._terms(verdict.key, verdict.exchange.rates if verdict.exchange else {})

    def _terms(self, key: Key, rates: Mapping[str, Decimal]) -> Terms:
        terms = self.courses.terms
        return terms.exchanged(key.report, key.currency or "", rates) if rates else terms

    def _other_currencies(self, key: Key, measured: Measured | None) -> set[str]:
        """Return the other currencies without whose rates a key's cost is not known: that of its
        prices, where its own has none; and those of terms that are of no prices in them."""
        if not (key.report and key.operation_id and key.period):
            return set()
        if self.courses.terms.is_all_in(key.currency, key.report):
            return set()
        prices = self.courses.priced_in(key, measured)
        others = set[str]()
        if prices - {key.currency} and not self.courses.of(key, measured):
            others = prices - {key.currency or ""}
            if len(others) > 1:  # whose prices these are, nobody says
                return set()
        meter = Meter(key.operation_id, key.report, key.product or "")
        for term in (MINIMUM, PACKAGE):
            others |= self.courses.terms.currencies_of(term, meter, key.period) - prices
        return others - {key.currency or ""}

    def _judge(self, key: Key, exchange: Exchange | None) -> Verdict:
        facts, billed = self.facts, self.comparison.billed.get(key)
        measured = self.comparison.measured.get(key)
        terms = self.courses.terms
        currencies = terms.currencies(key.report)
        unread = cut_off = None
        consumed = measured.quantity if measured else _consumed_unread(key, facts)
        if billed and measured and key.period and self.comparison.is_disputed(key):
            unread = _unread(key.period, measured, self.observed.unseen)
        if not billed:
            key = key._replace(currency=min(currencies) if len(currencies) == 1 else None)
        courses = self._courses(key, exchange.rates if exchange else {})
        of_key = courses.of(key, measured)
        tariffs_of_key = [tariff for course in of_key for tariff in course.tariffs]
        if billed and measured and self._is_lump(billed, measured.quantity, tariffs_of_key):
            billed = replace(billed, quantity=None)
        if unread and billed and measured:
            cut_off = _cut_off(key, billed, measured, self.observed, self.policy)
            consumed = cut_off.quantity if cut_off else consumed
        use = _Use(billed, consumed, unread)
        as_used = None
        if exchange and exchange.used != exchange.rates:
            used = self._courses(key, exchange.used)
            as_used = use.price(used.of(key, measured), used.prepaid(key))
        return Verdict(
            key,
            billed,
            measured,
            consumed,
            unread,
            use.price(of_key, courses.prepaid(key)),
            currencies,
            facts.today_of(key.operation_id),
            self.policy,
            cut_off,
            _awaits_night(key, facts),
            terms.rounding(key.report),
            () if of_key else _unpriced(key, courses.terms),
            any(tariff.is_pooled for tariff in tariffs_of_key),
            exchange=exchange,
            as_used=as_used,
        )

    def _is_lump(self, billed: Billed, used: Decimal | None, tariffs: Sequence[Tariff]) -> bool:
        """Return whether a quantity is one thing, whose price is that of many units: it says
        nothing of how much was used. That of a line which only adds to the price is none at all."""
        if not tariffs or used is None or used < MANY:
            return False
        roles = self.comparison.roles
        amounts = [
            abs(line.amount)
            for line in billed.lines
            if abs(line.quantity or 0) == 1 and roles.get(line.id, QUANTITY) == QUANTITY
        ]
        return bool(amounts) and max(amounts) > MANY * max(tariff.dearest for tariff in tariffs)

    def _courses(self, key: Key, rates: Mapping[str, Decimal]) -> Courses:
        return self.courses.by(self._terms(key, rates))


class _Use(NamedTuple):
    """What of a key has a price: what is billed and used of it, and what of that nobody read."""

    billed: Billed | None
    consumed: Decimal | None
    unread: Unread | None

    def price(self, courses: Sequence[Course], prepaid: Decimal) -> Priced:
        """Return what it costs by these courses. `prepaid`: the price of the packages that begin
        in its period."""
        quantity = self.billed.quantity if self.billed else Decimal()
        priced = price(courses, self.consumed, quantity, self.unread or Unread(NOTHING))
        return _with_package(priced, self.billed, prepaid) if self.billed else priced


def _with_package(priced: Priced, billed: Billed, prepaid: Decimal) -> Priced:
    """Return what a key costs with the packages that begin in it, where that is what it bills."""
    cost = priced.of_measured
    if (
        not prepaid
        or cost is None
        or abs(billed.amount - cost - prepaid) > abs(billed.amount - cost)
    ):
        return priced
    return priced.raised(prepaid, prepaid)


def _cut_off(
    key: Key, billed: Billed, measured: Measured, observed: Observed, policy: Policy
) -> CutOff | None:
    """Return the CutOff of a whole month of a nightly copy; None of anything else, and of use that
    several lines share."""
    behaviours = [each for use in measured.uses for each in observed.behaviours.get(use, ())]
    nights = [behaviour.nights for behaviour in behaviours if behaviour.nights]
    is_whole = all(part.stretch == part.use.period == key.period for part in measured.parts)
    if not nights or len(nights) < len(behaviours) or not is_whole:
        return None
    if measured.is_shared or measured.unanswered or None in (measured.quantity, billed.quantity):
        return None
    tails = [observed.unseen[part.use, part.stretch].missing.quantity for part in measured.parts]
    missing = sum((tail for tail in tails if tail is not None), Decimal())
    assert measured.quantity is not None
    assert billed.quantity is not None
    return cut_off_of(measured.quantity, nights, missing, billed.quantity, policy.cut_off)


def _awaits_night(key: Key, facts: Facts) -> bool:
    """Whether a nightly copy's month waits for the first night of the next one: on its first day,
    until it was read in the morning."""
    if not key.period or not is_nightly(key.report):
        return False
    if facts.today_of(key.operation_id) != key.period.end:
        return False
    zone = facts.zone_of(key.operation_id)
    return not any(
        use.period.start == key.period.end
        and use.last_read_at.astimezone(zone).hour >= FIRST_NIGHT_IS_OVER
        for use in facts.uses_of(key.operation_id, key.report)
    )


def _consumed_unread(key: Key, facts: Facts) -> Decimal | None:
    """Return what was used where no reading shows it: nothing if the vendor answered in each month
    of the period, else nobody knows."""
    is_answered = key.period is not None and all(
        facts.answers_in(key.operation_id, key.report, month) for month in months_of(key.period)
    )
    return Decimal() if is_answered else None


def _unread(period: Period, measured: Measured, unseen: Unseen) -> Unread:
    """Return what nobody saw of all uses of a key together, and of the months in it without one."""
    parts = [unseen[part.use, part.stretch] for part in measured.parts]
    for stretch in measured.unanswered:
        seconds = int((stretch.end - stretch.start).total_seconds())
        parts.append(Unread(Tail(None, seconds, "unknown"), Decimal(), stretch.end == period.end))
    unread = add_unread(parts)
    are_last = all(part.stretch.end == period.end for part in measured.parts)
    return unread._replace(is_at_end=unread.is_at_end and are_last)


def _unpriced(key: Key, terms: Terms) -> tuple[date, ...]:
    """Return the days of a period that have no price, where others have one."""
    if not (key.report and key.operation_id and key.period and key.currency):
        return ()
    meter = Meter(key.operation_id, key.report, key.product or "")
    if not terms.of(UNIT_PRICE, meter, key.currency):
        return ()
    unpriced = [
        day
        for day in key.period.days
        if not terms.tariffs(meter, key.currency, Period(day, day + DAY))
    ]
    return tuple(unpriced) if len(unpriced) < key.period.length else ()
