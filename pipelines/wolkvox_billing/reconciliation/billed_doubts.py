"""Explanations of what was billed: periods, estimates, notes, cycles, prices, other keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from itertools import combinations

from wolkvox_billing.invoices.period import month_by_rule
from wolkvox_billing.marts.identities import SAME
from wolkvox_billing.reconciliation.case import LATER, NEARLY, Case, Explanations
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, MonthUse
from wolkvox_billing.reconciliation.keys import Billed, Key
from wolkvox_billing.reconciliation.pricing import POOLED_SHARE, TIER_REACHED
from wolkvox_billing.reconciliation.unread import sum_known
from wolkvox_billing.reconciliation.verdicts import (
    ACCUSING,
    EXCHANGE,
    OVER,
    PRICE,
    QUANTITY,
    UNBILLED,
    UNDER,
    UNUSED,
    Doubt,
)
from wolkvox_billing.values.periods import Period, month_of
from wolkvox_billing.values.tax_rates import VAT_RATES

MANY = 8  # operations of which any several may be on one line; of more, all of them


def _issued_early(case: Case) -> Doubt | None:
    """A document that is issued before its period ends bills an estimate of what is left of it: of
    a counter no more than the busiest day held, for each day that was left."""
    if not case.key.period:
        return None
    end = case.key.period.end
    days = [line.issued for line in case.verdict.lines if line.issued and line.issued < end]
    if not days:
        return Doubt("issued_early", "", {})
    issued = min(days)
    used = [] if case.is_gauge or not case.verdict.measured else case.verdict.measured.days
    if used and case.excess > 0:
        busiest = max(day.quantity / day.covers for day in used)
        since = sum((_used_since(issued, day) for day in used), Decimal())
        left = busiest * (end - issued).days - since
        if case.excess > max(left, Decimal()) + case.tail:
            values = {"issued": issued, "left": left.quantize(Decimal(1), ROUND_CEILING)}
            return Doubt("bold_estimate", "", values)
    return Doubt("issued_early", "inconclusive_issued_early", {"issued": issued})


def _used_since(day: date, use: DayUse) -> Decimal:
    """Return what was used from a day on, of a reading that covers days, evenly."""
    covered = min(max((use.day - day).days + 1, 0), use.covers)
    return use.quantity * covered / use.covers


def _guessed_period(case: Case) -> Doubt | None:
    """The month is by the setting alone, and the other month fits as well."""
    guessed = [line for line in case.verdict.lines if line.period_source == "rule"]
    if not guessed:
        return None
    billed = case.verdict.billed_quantity
    measured = case.verdict.consumed
    for month in sorted({month for line in guessed if (month := _other_month(line))}):
        other = _measured_in(case, month)
        if not _may_bill(case, guessed, month):
            continue
        if other is None or billed is None or measured is None:
            stands = case.is_gauge or other is not None
        else:
            stands = abs(billed - other) <= max(abs(billed - measured), NEARLY * billed)
        if stands:
            return Doubt("guessed_period", "inconclusive_period", {"month": month.start})
    return Doubt("guessed_period", "", {})


def _note_of_another_month(case: Case) -> Doubt | None:
    """A note that names no month, and no invoice that is here, may be for any month."""
    notes = [line for line in case.verdict.lines if line.period_source == "rule" and line.is_note]
    if notes:  # the month would be right without it
        amount = sum((line.amount for line in notes), Decimal())
        variance = case.verdict.cost_variance
        stands = variance is None or abs(variance - amount) < abs(variance)
        numbers = {"note": notes[0].document_number or "?"}
        return Doubt("note_of_another_month", "inconclusive_period" if stands else "", numbers)
    variance = case.verdict.cost_variance
    for other, line in case.comparison.loose_notes:
        if (other.supplier_id, other.period) == (case.key.supplier_id, case.key.period):
            continue
        if variance and abs(variance + line.amount) <= abs(variance) * NEARLY:
            return Doubt("note_of_another_month", "inconclusive_period",
                         {"note": line.document_number or "?"})  # fmt: skip
    return None


def _unmapped(case: Case) -> Doubt | None:
    """A line that no row of the line map fits, or that nothing gives an operation, may bill it."""
    for other, billed in case.comparison.billed_without_report:
        is_near = other.period is None or other.overlaps(case.key)
        if is_near and billed.amount > 0:
            text = billed.lines[0].description or billed.lines[0].item_code or "?"
            return Doubt("unmapped", "inconclusive_unmapped", {"line": text})
    return Doubt("unmapped", "", {})


# The price.


def _price_turn(case: Case) -> Doubt | None:
    """Where the price changed within the period: what was read on the first day of the new price
    may be of the day before, and tiers may begin anew with it. Where tiers count operations that
    are not billed yet: how the sum is shared is not in the contract."""
    if case.is_gauge or not case.verdict.charged.turns:
        return None
    billed, tolerance = case.verdict.billed_cost, case.verdict.tolerance
    for turn in case.verdict.charged.turns:
        if turn.lowest - tolerance <= billed <= turn.highest + tolerance:
            return Doubt(turn.name, "inconclusive_price", {"day": turn.day})
    turn = case.verdict.charged.turns[0]
    name = turn.name if turn.name in (POOLED_SHARE, TIER_REACHED) else "price_turn"
    return Doubt(name, "", {"day": turn.day})


def _with_tax(case: Case) -> Doubt | None:
    """An invoice that states no tax may bill with it: what the contract makes, and a rate of it."""
    cost, billed = case.verdict.charged.of_measured, case.verdict.billed_cost
    lines = case.verdict.lines
    if not cost or any(line.has_tax for line in lines):
        return None
    for rate in VAT_RATES[:1] if case.key.currency == "COP" else VAT_RATES:
        if abs(billed - cost * (100 + rate) / 100) <= case.verdict.tolerance:
            return Doubt("with_tax", "inconclusive_price", {"rate": Decimal(rate)})
    return None


def _guessed_rate(case: Case) -> Doubt | None:
    """A document that states no exchange rate, where its own is the one that counts."""
    exchange = case.verdict.exchange
    if case.verdict.status not in (PRICE, EXCHANGE) or not exchange or not exchange.is_guessed:
        return None
    currencies = {"currency": min(exchange.rates), "in_currency": case.key.currency or ""}
    return Doubt("guessed_rate", "inconclusive_price", currencies)


def _coarse_rate(case: Case) -> Doubt | None:
    """An exchange rate that is written with so few decimals that it may be the right one."""
    verdict, exchange = case.verdict, case.verdict.exchange
    if verdict.status not in (PRICE, EXCHANGE) or not exchange or not exchange.spread:
        return None
    most = exchange.spread * abs(verdict.billed_cost)
    stands = abs(verdict.amount_effect or Decimal()) <= most
    currencies = {"currency": min(exchange.rates), "in_currency": case.key.currency or ""}
    return Doubt(
        "coarse_rate", "inconclusive_price" if stands else "", {**currencies, "most": most}
    )


def _other_month(line: BilledLine) -> Period | None:
    """Return the month that the other period rule gives a line."""
    if not line.issued or not line.period:
        return None
    months = (month_by_rule(line.issued, rule) for rule in ("month_before_issue", "issue_month"))
    return next((month for month in months if month != line.period), None)


def _may_bill(case: Case, lines: Sequence[BilledLine], month: Period) -> bool:
    """Whether lines may be for a month: a level is billed in advance, a count when the month is
    over, or in its last days."""
    return case.is_gauge or any(
        line.issued and line.issued >= month.end - timedelta(days=4) for line in lines
    )


def _measured_in(case: Case, month: Period) -> Decimal | None:
    key = case.key
    quantities = [
        use.quantity
        for use in case.facts.uses_of(key.operation_id, key.report)
        if key.product in (None, use.product) and use.period == month
    ]
    return sum_known(quantities) if quantities else None


def _billed_elsewhere(case: Case) -> Doubt | None:
    """Use that nobody billed: a document that names no month may be for this one."""
    key = case.key
    for _, billed in case.comparison.billed_of(key):
        guessed = [line for line in billed.lines if line.period_source == "rule"]
        months = {_other_month(line) for line in guessed}
        if key.period and key.period in months and _may_bill(case, guessed, key.period):
            return Doubt("guessed_period", "inconclusive_period", {"month": key.period.start})
    return None


def _cycle(case: Case) -> Doubt | None:
    """What a billing cycle leaves of a month is billed with the next one."""
    key = case.key
    if not key.period:
        return None
    cycles = [
        other.period
        for other, _ in case.comparison.billed_of(key)
        if other.period and not _is_of_months(other.period)
    ]
    if not cycles:
        return None
    last, first = max(cycles, key=lambda cycle: cycle.end), min(cycles)
    if key.period.end > last.end >= key.period.start:
        due = (
            last.end
            + (last.end - last.start)
            + timedelta(days=case.verdict.policy.invoice_due_days)
        )
        is_due = case.verdict.today >= due
        return Doubt("cycle", "" if is_due else "open_period", {"due": due})
    if key.period.start < first.start:
        return Doubt("cycle", "inconclusive_period", {"due": first.start})
    return None


def _late_invoice(case: Case) -> Doubt | None:
    """The supplier's invoices come later than the setting says: as late as its other ones came."""
    key = case.key
    if not key.period:
        return None
    latest = case.comparison.latest_issues
    late = latest.values() if key.supplier_id is None else [latest.get(key.supplier_id)]
    days = max((days for days in late if days is not None), default=None)
    if days is None:
        return None
    due = key.period.end + timedelta(days=days + LATER)
    is_due = case.verdict.today >= due
    return Doubt("late_invoice", "" if is_due else "open_period", {"due": due})


def _is_of_months(period: Period) -> bool:
    return month_of(period.start).start == period.start and month_of(period.end).start == period.end


def _other_operation(case: Case) -> Doubt | None:
    """One line for several operations: the excess is what is not billed to others, all of it."""
    key = case.key
    short = [
        own for own in case.comparison.short_billed(key) if own.operation_id != key.operation_id
    ]
    several = [uses for n in range(1, MANY) for uses in combinations(short[:MANY], n)]
    for uses in [*several, short]:
        least = sum((use.quantity for use in uses), Decimal())
        most = least + case.tail + sum((use.unread for use in uses), Decimal())
        if uses and least * (1 - NEARLY) <= case.excess <= most + least * NEARLY:
            return _of_operation(uses[0].operation_id)
    return Doubt("other_operation", "", {}) if short else None


def _of_operation(operation_id: str) -> Doubt:
    return Doubt("other_operation", "inconclusive_operation", {"operation": operation_id})


def _line_of_other_operation(case: Case) -> Doubt | None:
    """What is not billed is billed to another operation if that one's lines bill so much more than
    it used."""
    others = list(_others(case))
    is_unbilled = case.status == UNBILLED
    missing = (case.verdict.consumed or Decimal()) if is_unbilled else -case.excess
    for other, billed in others:
        measured = case.comparison.measured.get(other)
        paid = _paid_for(case, billed)
        if not other.operation_id or paid is None:
            continue
        more = paid - ((measured.quantity if measured else None) or Decimal())
        has_moved = is_unbilled and measured and _moved(measured.uses, case.uses)
        if more >= missing * (1 - NEARLY) or (has_moved and more > 0):
            return _of_operation(other.operation_id)
    return Doubt("other_operation", "", {}) if others else None


def _paid_for(case: Case, billed: Billed) -> Decimal | None:
    """Return how much was billed; of an amount without a quantity, what it pays at the contract's
    price of the case."""
    cost = case.verdict.charged.of_measured
    if billed.quantity is not None or not cost:
        return billed.quantity
    return billed.amount * (case.verdict.consumed or Decimal()) / cost


def _other_product(case: Case) -> Doubt | None:
    """One line for several products, of which the line map names one."""
    key = case.key
    if not key.product:
        return None
    beside = [
        (other, case.comparison.billed.get(other), measured)
        for other, measured in case.comparison.measured_of(key)
        if other.product != key.product and other.overlaps(key)
    ]
    for other, billed, measured in beside:
        used = measured.quantity or Decimal()
        more = ((billed.quantity if billed else None) or Decimal()) - used
        excess, unbilled = case.excess, used
        if case.status == UNBILLED and billed:
            excess, unbilled = more, case.verdict.consumed or Decimal()
        elif case.status == UNBILLED or billed:
            continue
        if abs(excess - unbilled) <= NEARLY * unbilled + case.tail:
            name = "other_product" if case.status == OVER else "line_of_other_product"
            values = {"product": other.product or key.product}
            return Doubt(name, "inconclusive_product_names", values)
    return Doubt("other_product", "", {}) if beside else None


def _others(case: Case) -> Iterator[tuple[Key, Billed]]:
    """Yield what the same supplier bills of the report for other operations; of use that nobody
    billed, what any supplier does."""
    key = case.key
    is_billed = bool(case.verdict.billed)
    for other, billed in case.comparison.billed_beside(key):
        if is_billed and other.supplier_id != key.supplier_id:
            continue
        if other.operation_id != key.operation_id:
            yield other, billed


def _moved(uses: Sequence[MonthUse], later: Sequence[MonthUse]) -> bool:
    """Whether the one operation was read last before the other was read first, within a month."""
    return bool(
        uses
        and later
        and max(use.last_read_at for use in uses) < min(use.first_read_at for use in later)
    )


def _forgotten_operation(case: Case) -> Doubt | None:
    """An operation that a person left out had use in the period: one line may bill it too."""
    if case.excess <= 0 or not case.key.period:
        return None
    start, end = case.key.period
    for use in case.facts.forgotten:
        if use.report == case.key.report and start <= use.day < end:
            return _of_operation(use.operation_id)
    return None


def _guessed_identity(case: Case) -> Doubt | None:
    """Several ids count as this operation, since they read one server and one name; nobody decided
    that, and two operations may be behind them."""
    for row in case.facts.identities.rows:
        if row.decision == SAME and case.key.operation_id in (row.operation_id, row.current_id):
            names = {"operation": row.operation_id, "other": row.other_id or row.current_id}
            return Doubt("same_operation", "inconclusive_operation", names)
    return None


def _waived(case: Case) -> Doubt | None:
    """Less than was used, by less than is worth an alarm: it may have been waived."""
    verdict = case.verdict
    if verdict.status != UNDER or verdict.is_material or verdict.cost_variance is None:
        return None
    return Doubt("waived", "within_tolerance", {"amount": abs(verdict.cost_variance)})


# Of which statuses each of them is one, in their order: of several that stand the first counts.
BILLED: Explanations = (
    (QUANTITY, _issued_early),
    ((UNBILLED,), _billed_elsewhere),
    ((*QUANTITY, UNUSED, PRICE, EXCHANGE), _guessed_period),
    ((*QUANTITY, PRICE), _note_of_another_month),
    ((UNBILLED,), _unmapped),
    ((PRICE,), _price_turn),
    ((PRICE,), _with_tax),
    (ACCUSING, _guessed_rate),
    (ACCUSING, _coarse_rate),
    ((UNBILLED,), _cycle),
    (ACCUSING, _guessed_identity),
    ((OVER,), _other_operation),
    ((UNBILLED, UNDER), _line_of_other_operation),
    ((OVER, UNUSED, PRICE), _forgotten_operation),
    ((OVER, UNBILLED), _other_product),
    ((UNBILLED,), _late_invoice),
    ((UNDER,), _waived),
)
