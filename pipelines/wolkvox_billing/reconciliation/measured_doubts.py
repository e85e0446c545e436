"""Explanations of what was measured: rows, falls, clocks, nights, units, levels, names."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from wolkvox_billing.reconciliation.behaviour import HOUR, LEVEL_GAP
from wolkvox_billing.reconciliation.case import BEGUN, NEARLY, UNIT_FACTORS, Case, Explanations
from wolkvox_billing.reconciliation.facts import Facts, MonthUse
from wolkvox_billing.reconciliation.restated import NONE_RAISED
from wolkvox_billing.reconciliation.verdicts import (
    INCONCLUSIVE,
    OVER,
    PRICE,
    QUANTITY,
    UNBILLED,
    UNUSED,
    Doubt,
)
from wolkvox_billing.values.spelling import plain


def _rejected_rows(case: Case) -> Doubt | None:
    """Rows that could not be read are use that nobody knows."""
    rows = case.oddities.rejected
    if case.status == UNUSED:
        rows += case.oddities.totals
    return Doubt("rejected_rows", "inconclusive_rejected_rows" if rows else "", {"rows": rows})


def _repeated_rows(case: Case) -> Doubt | None:
    """Two amounts for one key in one answer: nobody knows whether they add up."""
    rows = case.oddities.repeated
    return Doubt("repeated_rows", "inconclusive_repeated_rows" if rows else "", {"rows": rows})


def _percentages(case: Case) -> Doubt | None:
    """A percentage among the rows is no use, and was added to it."""
    rows = case.oddities.percentages
    return Doubt("percentages", "inconclusive_percentages", {"rows": rows}) if rows else None


def _reset(case: Case) -> Doubt | None:
    """The counter fell to about nothing within hours of the turn: by its own clock that is one."""
    if case.is_gauge:
        return None
    turns = [behaviour.at_turn for behaviour in case.behaviours if behaviour.at_turn is not None]
    if not turns:
        return Doubt("reset", "", {})
    missing = sum((turn.missing for turn in turns), Decimal())
    if abs(case.excess) > missing + case.tail:
        return Doubt("small_reset", "", {"missing": missing})
    return Doubt("reset", "inconclusive_reset", {"before": max(turn.before for turn in turns)})


def _fall(case: Case) -> Doubt | None:
    """What a counter lost in the month, by a restart or a recomputation, may be missing."""
    if case.is_gauge:
        return None
    missing = sum((behaviour.missing for behaviour in case.behaviours), Decimal())
    largest = sum((behaviour.largest_fall for behaviour in case.behaviours), Decimal())
    if not largest:
        return Doubt("fall", "", {})
    most = missing if case.excess > 0 else largest
    if not most or abs(case.excess) > most + case.tail:
        return Doubt("small_fall", "", {"missing": most})
    name = "fall" if case.excess > 0 else "taken_back"
    return Doubt(name, "inconclusive_fall", {"missing": most})


def _raised_later(case: Case) -> Doubt | None:
    """Days' own numbers that the vendor raises after they are over: by as much as it raised others,
    and where nobody looked again, by what may have been on its way."""
    if not any(use.measure == "daily" for use in case.uses):
        return None
    raises = NONE_RAISED
    for behaviour in case.behaviours:
        raises = raises.plus(behaviour.raises)
    # What nobody read of a day is reckoned by its busiest time: what was on its way is in it.
    most = raises.by_growth + max(raises.unread + raises.rest, case.tail)
    stands = bool(raises.total) and case.excess <= most
    name = "never_read_again" if raises.unread else "raised_later"
    status = "inconclusive_restated" if stands else ""
    return Doubt(name, status, {"missing": raises.total})


def _stillness(case: Case) -> Doubt | None:
    """The counter stands still: what it holds is counted with what nobody read, so this one never
    stands by itself."""
    if not case.are_counters:
        return None
    hours = max((behaviour.still_seconds for behaviour in case.behaviours), default=0) // HOUR
    if not hours:
        return Doubt("no_stillness", "", {})
    return Doubt("stillness", "", {"hours": hours})


def _lag(case: Case) -> Doubt | None:
    """The vendor may know what its counter shows later: so long before the last reading the excess
    was counted. It never stands: whoever knows of a lag says so, by `vendor_lag_hours`."""
    if len(case.behaviours) != 1 or not case.are_counters:
        return None
    seconds = case.behaviours[0].seconds_that_held(case.excess)
    if seconds is None:
        return Doubt("long_lag", "", {})
    return Doubt("lag", "", {"time": Decimal(max(seconds // HOUR, 1))})


def _gauge_level(case: Case) -> Doubt | None:
    """A level that was seen, or one that a month can be said to be, or a cost between them."""
    if not case.is_gauge or not case.behaviours:
        return None
    levels = [behaviour.levels for behaviour in case.behaviours]
    candidates = {
        name: sum((getattr(level, name) for level in levels), Decimal())
        for name in ("highest", "last", "first", "average", "pro_rata")
    }
    if case.status == PRICE:
        return _pro_rata_cost(case, candidates)
    highest = candidates["highest"]
    billed = case.billed
    a_day = highest / 28  # by days, nobody knows whether the first and the last one count
    for name, level in candidates.items():
        is_by_days = name in ("average", "pro_rata") and billed <= highest
        nearly = max(NEARLY * level, a_day) if is_by_days else Decimal()
        if abs(billed - level) <= max(nearly, Decimal("0.5")):
            return Doubt("gauge_level", "inconclusive_gauge_level", {"which": name, "level": level})
    unread = case.verdict.unread  # a level that was read seldom may have been any in between
    is_seldom = bool(unread and unread.missing.quantity is None)
    stands = billed <= highest and (case.excess > 0 or is_seldom or _has_vanished(case))
    values = {"which": "highest", "level": highest}
    return Doubt("gauge_level", "inconclusive_gauge_level" if stands else "", values)


def _other_clock(case: Case) -> Doubt | None:
    """A month that is cut by UTC's midnights, or at the end of a business day."""
    if len(case.behaviours) != 1:
        return None
    spans = case.behaviours[0].by_clock
    billed = case.billed
    for span in spans:
        if span.low <= billed <= span.high:
            return Doubt("other_clock", "inconclusive_clock", {"low": span.low, "high": span.high})
    return Doubt("other_clock", "", {}) if spans else None


def _unseen_level(case: Case) -> Doubt | None:
    """A level that rose and fell, or fell and rose, while nobody read."""
    if not case.is_gauge or not case.behaviours or not case.uses:
        return None
    longest = max(behaviour.longest_gap for behaviour in case.behaviours)
    values = {"hours": max(longest // HOUR, 1)}
    if longest <= LEVEL_GAP:
        return Doubt("unseen_level", "", values)
    billed = case.billed
    least = Decimal()
    for behaviour, use in zip(case.behaviours, case.uses, strict=False):
        month = int((use.period.end - use.period.start).total_seconds())
        share = 1 - min(Decimal(behaviour.in_gaps) / month, Decimal(1))
        least += min(behaviour.levels.average, behaviour.levels.pro_rata) * share
    if billed < least * (1 - NEARLY):
        return Doubt("unseen_low_level", "", {"level": least.quantize(Decimal("0.01"))})
    return Doubt("unseen_level", "inconclusive_low_coverage", values)


def _has_vanished(case: Case) -> bool:
    """Whether a row was sent no more, on a day within the period, though the vendor answered."""
    key = case.key
    assert key.period
    zone = case.facts.zone_of(key.operation_id)
    answered = case.facts.answers_in(key.operation_id, key.report, key.period)
    last = [use.last_read_at.astimezone(zone).date() for use in case.uses]
    return bool(answered and last and min(last) < max(answered))


def _pro_rata_cost(case: Case, candidates: Mapping[str, Decimal]) -> Doubt | None:
    """Licences that joined within the month may be billed by the days that were left of it."""
    fair, billed = case.verdict.charged.of_measured, case.verdict.billed_cost
    if not fair or not case.verdict.consumed:
        return None
    least = fair * min(candidates["average"], candidates["pro_rata"]) / case.verdict.consumed
    stands = min(least, fair) * (1 - NEARLY) <= billed < fair
    values = {"which": "pro_rata", "level": candidates["pro_rata"]}
    return Doubt("gauge_level", "inconclusive_gauge_level" if stands else "", values)


def _unit(case: Case) -> Doubt | None:
    """Another unit: hours for minutes, thousands for units, a separator read as decimals."""
    billed, consumed = case.verdict.billed_quantity, case.verdict.consumed
    if not billed or not consumed or case.is_gauge:
        return None
    ratio = abs(billed / consumed)
    price, cost = abs(case.verdict.billed_cost / billed), case.verdict.charged.of_measured
    price_ratio = price * abs(consumed) / cost if cost and ratio * 2 < 1 else Decimal()
    low, high = consumed, consumed + case.tail  # what nobody read blurs a ratio
    for factor in UNIT_FACTORS:
        is_begun = factor in BEGUN and billed > 1 and 0 <= billed * factor - consumed < factor
        # one of them costs so much as this many units, or is so many of them
        ratios = (price_ratio / factor, ratio / factor, ratio * factor)
        is_blurred = any(low <= times <= high for times in (billed / factor, billed * factor))
        if is_begun or is_blurred or any(abs(times - 1) <= NEARLY for times in ratios):
            return Doubt("unit", "unit_mismatch", {"factor": factor})
    return Doubt("unit", "", {})


def _unit_of_lines(case: Case) -> Doubt | None:
    """The line says in which unit it counts: in steps that are larger than the difference."""
    billed, consumed = case.verdict.billed_quantity, case.verdict.consumed
    if not billed or consumed is None:
        return None
    lines = case.verdict.lines
    steps = sum((line.step for line in lines), Decimal())
    if not steps:
        return None
    # The unit may be a wrong one: as it is written it is what was measured.
    written = sum((line.written or line.quantity or Decimal() for line in lines), Decimal())
    stands = abs(case.excess) < steps or written == consumed
    return Doubt("unit_step", "unit_mismatch" if stands else "", {"step": steps.normalize()})


def _amount(case: Case) -> Doubt | None:
    """The amount is one that the contract can make of the use, whatever the line calls a
    quantity."""
    verdict, priced = case.verdict, case.verdict.charged
    if not verdict.billed or verdict.cut_off:
        return None
    if priced.of_measured is None or priced.of_most is None or priced.of_fewest is None:
        return None
    least, most = priced.of_fewest - verdict.tolerance, priced.of_most + verdict.tolerance
    stands = bool(case.tail) and least <= verdict.billed_cost <= most
    return Doubt("amount", INCONCLUSIVE if stands else "", {"most": priced.of_most})


def _rounding(case: Case) -> Doubt | None:
    """Calls that are rounded up one by one: how much that comes to, a total does not tell. No more
    than as much again, where calls take at least as long as what they are rounded to."""
    verdict = case.verdict
    if verdict.status != OVER or case.is_gauge or not verdict.consumed:
        return None
    if verdict.rounding:
        stands = case.excess <= verdict.consumed
        status = "inconclusive_rounding" if stands else ""
        return Doubt("rounding", status, {"rounding": verdict.rounding})
    is_time = any(use.unit == "minutes" for use in case.uses)
    looks_so = is_time and NEARLY < case.excess / verdict.consumed < 1
    return Doubt("no_rounding", "", {}) if looks_so else None


def _other_night(case: Case) -> Doubt | None:
    """A nightly copy that is billed by fortnights, cycles or several months: at either end a night
    is of the days before it."""
    nights = [behaviour.nights.most for behaviour in case.behaviours if behaviour.nights]
    if not nights or case.verdict.cut_off:
        return None
    most = max(nights) * len({use.product for use in case.uses})
    stands = abs(case.excess) <= most + case.tail
    night = most.to_integral_value(ROUND_CEILING)
    return Doubt("other_night", "inconclusive_cut_off" if stands else "", {"night": night})


def _guess(case: Case) -> Doubt | None:
    """A level by the wording of its name only, whose number falls at midnight, as a count does."""
    if not case.is_gauge or not any(use.measure_source == "guess" for use in case.uses):
        return None
    stands = any(behaviour.falls_each_midnight for behaviour in case.behaviours)
    return Doubt("guess", "semantics_undetermined" if stands else "", {})


def _first_month(case: Case) -> Doubt | None:
    """What a number means is not shown for good before a month has turned."""
    if not any(use.measure_source == "data" for use in case.uses):
        return None
    stands = any(
        use.measure_source == "data" and not _has_turned(use, case.facts) for use in case.uses
    )
    return Doubt("first_month", "inconclusive_measure" if stands else "", {})


def _has_turned(use: MonthUse, facts: Facts) -> bool:
    """Whether another month of the same shows the turn, or the month was read from near nothing on
    its first two days on."""
    uses = facts.uses_of(use.operation_id, use.report)
    if any(other.product == use.product and other.period != use.period for other in uses):
        return True
    days = facts.days.get(use.meter, [])
    first = next((day for day in days if use.period.has(day.day)), None)
    if first is None or (first.day - use.period.start).days > 1 or use.quantity is None:
        return False
    return first.quantity * 4 <= use.quantity


def _spelling(case: Case) -> Doubt | None:
    """Products whose names differ in case and blanks only are one."""
    if not case.uses:
        return None
    names = {use.product for use in case.report_uses}
    stands = len({plain(name) for name in names}) < len(names)
    return Doubt("spelling", "inconclusive_product_names" if stands else "", {})


def _renamed_product(case: Case) -> Doubt | None:
    """One product ends where another one begins, at or above it: one counter under two names."""
    uses = [use for use in case.report_uses if not use.is_gauge]
    for older in uses:
        for newer in uses:
            if (
                older.last_read_at < newer.first_read_at
                and newer.last_quantity >= older.last_quantity > 0
            ):
                values = {"older": older.product, "newer": newer.product}
                return Doubt("renamed_product", "inconclusive_product_names", values)
    return Doubt("renamed_product", "", {}) if len(uses) > 1 else None


def _sum_row(case: Case) -> Doubt | None:
    """A product that is the sum of the others is no use of its own."""
    uses = case.report_uses
    total = sum((use.last_quantity for use in uses), Decimal())
    for use in uses:
        if len(uses) > 1 and use.last_quantity > 0 and use.last_quantity * 2 == total:
            return Doubt("sum_row", "inconclusive_sum_row", {"product": use.product})
    return Doubt("sum_row", "", {}) if len(uses) > 1 else None


# Of which statuses each of them is one, in their order: of several that stand the first counts.
MEASURED: Explanations = (
    ((*QUANTITY, UNUSED), _rejected_rows),
    (QUANTITY, _repeated_rows),
    (QUANTITY, _percentages),
    (QUANTITY, _reset),
    (QUANTITY, _fall),
    ((OVER,), _raised_later),
    ((OVER,), _stillness),
    ((OVER,), _lag),
    (QUANTITY, _other_clock),
    (QUANTITY, _other_night),
    (QUANTITY, _unit_of_lines),
    (QUANTITY, _unit),
    ((*QUANTITY, PRICE), _amount),
    ((OVER,), _rounding),
    ((*QUANTITY, PRICE), _gauge_level),
    (QUANTITY, _unseen_level),
    (QUANTITY, _guess),
    ((*QUANTITY, UNBILLED), _first_month),
    ((*QUANTITY, UNBILLED), _spelling),
    ((*QUANTITY, UNBILLED), _renamed_product),
    ((*QUANTITY, UNBILLED), _sum_row),
)
