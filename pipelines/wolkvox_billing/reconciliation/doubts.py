"""The honest explanations of a difference: which the record excludes, and which it leaves open.

    an accusing status ─▶ each explanation of EXPLANATIONS that fits it ─┬▶ stands: inconclusive
                                                                         └▶ excluded, and by what

An accusation is the strongest word that there is: it stays only where no explanation stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.period import month_by_rule
from wolkvox_billing.reconciliation.behaviour import HOUR, LEVEL_GAP, Behaviour
from wolkvox_billing.reconciliation.facts import BilledLine, DayUse, Facts, MonthUse
from wolkvox_billing.reconciliation.keys import Billed, Comparison, Key
from wolkvox_billing.reconciliation.verdicts import ACCUSING, INCONCLUSIVE, Doubt, Verdict
from wolkvox_billing.values.periods import Period, month_of
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.warehouse.sql import Client, literal, rows_of, tables_in

QUANTITY = OVER, UNDER = ("overbilled_quantity", "underbilled_quantity")
UNBILLED = "usage_not_invoiced"
UNUSED = "invoiced_without_usage"
PRICE = "price_difference"
# Seconds and minutes, minutes and hours; hundreds, thousands and millions.
UNIT_FACTORS = tuple(map(Decimal, (60, 100, 1000, 3600, 60_000, 10**6)))
BEGUN = (Decimal(100), Decimal(1000))  # of which one that is begun may be billed whole
LATER = 3  # days beyond which an invoice is later than any before
NEARLY = Decimal("0.02")  # of a quantity: what a doubt need not hit to the unit


class Oddities(NamedTuple):
    """What was odd in the answers of an operation and report in a period: rows that could not be
    read, among them rows of totals, rows of one key with other amounts, and percentages."""

    rejected: int = 0
    totals: int = 0
    repeated: int = 0
    percentages: int = 0


@dataclass(frozen=True)
class Case:
    """A verdict that accuses, with all that may speak for the supplier."""

    verdict: Verdict
    behaviours: Sequence[Behaviour]
    oddities: Oddities
    facts: Facts
    comparison: Comparison

    @property
    def key(self) -> Key:
        return self.verdict.key

    @property
    def status(self) -> str:
        """What is said: of an amount without a quantity, that too much was billed or too little."""
        if self.verdict.status == PRICE and self.verdict.billed_quantity is None:
            return OVER if self.excess > 0 else UNDER
        return self.verdict.status

    @property
    def excess(self) -> Decimal:
        """What was billed beyond what was measured, of an amount without a quantity as much as it
        pays; below nothing where it was less."""
        if self.verdict.billed_quantity is not None:
            return self.verdict.quantity_variance or Decimal()
        cost, consumed = self.verdict.contracted_cost, self.verdict.consumed
        if not cost or not consumed:
            return Decimal()
        return (self.verdict.billed_cost - cost) * consumed / cost

    @property
    def uses(self) -> Sequence[MonthUse]:
        return self.verdict.measured.uses if self.verdict.measured else ()

    @property
    def tail(self) -> Decimal:
        """What nobody read can hold at most."""
        unread = self.verdict.unread
        return (unread.missing.quantity if unread else None) or Decimal()

    @property
    def are_counters(self) -> bool:
        """Whether all is counted up from the month's turn."""
        return all(use.measure == "month_to_date" for use in self.uses)

    @property
    def is_gauge(self) -> bool:
        return any(use.is_gauge for use in self.uses)


Explanation = Callable[[Case], Doubt | None]


def weigh(
    client: Client, dataset: str, verdicts: Sequence[Verdict], facts: Facts, comparison: Comparison,
    behaviours: Mapping[MonthUse, Sequence[Behaviour]],
) -> list[Verdict]:  # fmt: skip
    """Return the verdicts, each that accuses with the first explanation that stands, or with all
    that the record excludes."""
    weighed: list[Verdict] = []
    for verdict in verdicts:
        if verdict.status in ACCUSING and verdict.key.report and verdict.key.period:
            uses = verdict.measured.uses if verdict.measured else ()
            own = [behaviour for use in uses for behaviour in behaviours.get(use, ())]
            oddities = Oddities()
            if verdict.status != UNBILLED:  # of which there may be thousands
                oddities = _read_oddities(client, dataset, verdict.key)
            verdict = judge_again(Case(verdict, own, oddities, facts, comparison))
        weighed.append(verdict)
    return weighed


def judge_again(case: Case) -> Verdict:
    """Return the verdict of a case with its doubts: the first that stands, else all excluded."""
    doubts = [doubt for explain in EXPLANATIONS if (doubt := explain(case))]
    standing = [doubt for doubt in doubts if doubt.status]
    return replace(case.verdict, doubts=tuple(standing[:1] or doubts))


def _read_oddities(client: Client, dataset: str, key: Key) -> Oddities:
    assert key.period
    where = (
        f"{{0}}.operation_id = {literal(key.operation_id)} AND {{0}}.report = {literal(key.report)}"
    )
    days = f"{{0}} >= {literal(key.period.start)} AND {{0}} < {literal(key.period.end)}"
    names = tables_in(client, dataset)
    rejected = totals = 0
    if "rejected_rows" in names:
        [(rejected, totals)] = rows_of(
            client,
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN r.reason LIKE 'a TOTAL row%%' THEN 1 ELSE 0 "
            f"END), 0) FROM {dataset}.rejected_rows AS r INNER JOIN {dataset}.polls AS p "
            f"ON p.poll_id = r.poll_id WHERE r.row_number > 0 AND {where.format('r')} "
            f"AND {days.format('p.poll_date')}",
        )
    [(repeated,)] = rows_of(
        client,
        f"SELECT COUNT(*) FROM {dataset}.readings AS a INNER JOIN {dataset}.readings AS b "
        "ON b.poll_id = a.poll_id AND b.report = a.report AND b.operation = a.operation "
        "AND b.description = a.description AND b.date = a.date AND b.row_number > a.row_number "
        f"AND b.items <> a.items WHERE a.is_repeated AND {where.format('a')} "
        f"AND {days.format('a.date')}",
    )
    [(percentages,)] = rows_of(
        client,
        f"SELECT COUNT(*) FROM {dataset}.readings AS a WHERE {where.format('a')} "
        f"AND {days.format('a.date')} AND a.items_raw LIKE '%%\\%%%%' ESCAPE '\\'",
    )
    return Oddities(int(rejected) - int(totals), int(totals), int(repeated), int(percentages))


# The measured side.


def _rejected_rows(case: Case) -> Doubt | None:
    """Rows that could not be read are use that nobody knows."""
    if case.status not in (*QUANTITY, UNUSED):
        return None
    rows = case.oddities.rejected
    if case.status == UNUSED:
        rows += case.oddities.totals
    return Doubt("rejected_rows", "inconclusive_rejected_rows" if rows else "", {"rows": rows})


def _repeated_rows(case: Case) -> Doubt | None:
    """Two amounts for one key in one answer: nobody knows whether they add up."""
    if case.status not in QUANTITY:
        return None
    rows = case.oddities.repeated
    return Doubt("repeated_rows", "inconclusive_repeated_rows" if rows else "", {"rows": rows})


def _percentages(case: Case) -> Doubt | None:
    """A percentage among the rows is no use, and was added to it."""
    if case.status not in QUANTITY or not case.oddities.percentages:
        return None
    rows = case.oddities.percentages
    return Doubt("percentages", "inconclusive_percentages", {"rows": rows})


def _reset(case: Case) -> Doubt | None:
    """The counter fell to about nothing within hours of the turn: by its own clock that is one."""
    if case.status not in QUANTITY or case.is_gauge:
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
    if case.status not in QUANTITY or case.is_gauge:
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
    """Days' own numbers that the vendor raises after they are over, and may raise again."""
    if case.status != OVER or not any(use.measure == "daily" for use in case.uses):
        return None
    missing = sum((behaviour.may_be_raised for behaviour in case.behaviours), Decimal())
    stands = bool(missing) and case.excess <= missing + case.tail
    status = "inconclusive_restated" if stands else ""
    return Doubt("raised_later", status, {"missing": missing})


def _stillness(case: Case) -> Doubt | None:
    """The counter stands still: what it holds is counted with what nobody read, so this one never
    stands by itself."""
    if case.status != OVER or not case.are_counters:
        return None
    hours = max((behaviour.still_seconds for behaviour in case.behaviours), default=0) // HOUR
    if not hours:
        return Doubt("no_stillness", "", {})
    return Doubt("stillness", "", {"hours": hours})


def _lag(case: Case) -> Doubt | None:
    """The vendor may know what its counter shows later: so long before the last reading the excess
    was counted. It never stands: whoever knows of a lag says so, by `vendor_lag_hours`."""
    if case.status != OVER or len(case.behaviours) != 1:
        return None
    if not case.are_counters:
        return None
    seconds = case.behaviours[0].seconds_that_held(case.excess)
    if seconds is None:
        return Doubt("long_lag", "", {})
    return Doubt("lag", "", {"time": Decimal(max(seconds // HOUR, 1))})


def _gauge_level(case: Case) -> Doubt | None:
    """A level that was seen, or one that a month can be said to be, or a cost between them."""
    if case.status not in (*QUANTITY, PRICE) or not case.is_gauge or not case.behaviours:
        return None
    levels = [behaviour.levels for behaviour in case.behaviours]
    candidates = {
        name: sum((getattr(level, name) for level in levels), Decimal())
        for name in ("highest", "last", "first", "average", "pro_rata")
    }
    if case.status == PRICE:
        return _pro_rata_cost(case, candidates)
    highest = candidates["highest"]
    billed = (case.verdict.consumed or Decimal()) + case.excess
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
    if case.status not in QUANTITY or len(case.behaviours) != 1:
        return None
    spans = case.behaviours[0].by_clock
    billed = (case.verdict.consumed or Decimal()) + case.excess
    for span in spans:
        if span.low <= billed <= span.high:
            return Doubt("other_clock", "inconclusive_clock", {"low": span.low, "high": span.high})
    return Doubt("other_clock", "", {}) if spans else None


def _unseen_level(case: Case) -> Doubt | None:
    """A level that rose and fell, or fell and rose, while nobody read."""
    if case.status not in QUANTITY or not case.is_gauge or not case.behaviours or not case.uses:
        return None
    longest = max(behaviour.longest_gap for behaviour in case.behaviours)
    values = {"hours": max(longest // HOUR, 1)}
    if longest <= LEVEL_GAP:
        return Doubt("unseen_level", "", values)
    billed = (case.verdict.consumed or Decimal()) + case.excess
    least = Decimal()
    for behaviour, use in zip(case.behaviours, case.uses, strict=False):
        month = int((use.period.end - use.period.start).total_seconds())
        seen = 1 - min(Decimal(behaviour.in_gaps) / month, Decimal(1))
        least += min(behaviour.levels.average, behaviour.levels.pro_rata) * seen
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
    fair, billed = case.verdict.contracted_cost, case.verdict.billed_cost
    if not fair or not case.verdict.consumed:
        return None
    least = fair * min(candidates["average"], candidates["pro_rata"]) / case.verdict.consumed
    stands = min(least, fair) * (1 - NEARLY) <= billed < fair
    values = {"which": "pro_rata", "level": candidates["pro_rata"]}
    return Doubt("gauge_level", "inconclusive_gauge_level" if stands else "", values)


def _unit(case: Case) -> Doubt | None:
    """Another unit: hours for minutes, thousands for units, a separator read as decimals."""
    billed, consumed = case.verdict.billed_quantity, case.verdict.consumed
    if case.status not in QUANTITY or not billed or not consumed or case.is_gauge:
        return None
    ratio = abs(billed / consumed)
    price, cost = abs(case.verdict.billed_cost / billed), case.verdict.contracted_cost
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


def _amount(case: Case) -> Doubt | None:
    """The amount is one that the contract can make of the use, whatever the line calls a
    quantity."""
    verdict, priced = case.verdict, case.verdict.priced
    if verdict.status not in (*QUANTITY, PRICE) or not verdict.billed or verdict.cut_off:
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
    if verdict.status != "overbilled_quantity" or case.is_gauge or not verdict.consumed:
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
    if case.status not in QUANTITY or not nights or case.verdict.cut_off:
        return None
    most = max(nights) * len({use.product for use in case.uses})
    stands = abs(case.excess) <= most + case.tail
    night = most.to_integral_value(ROUND_CEILING)
    return Doubt("other_night", "inconclusive_cut_off" if stands else "", {"night": night})


def _waived(case: Case) -> Doubt | None:
    """Less than was used, by less than is worth an alarm: it may have been waived."""
    verdict = case.verdict
    if verdict.status != "underbilled_quantity" or verdict.is_material:
        return None
    if verdict.cost_variance is None:
        return None
    return Doubt("waived", "within_tolerance", {"amount": abs(verdict.cost_variance)})


def _guess(case: Case) -> Doubt | None:
    """A level by the wording of its name only, whose number falls at midnight, as a count does."""
    if case.status not in QUANTITY or not case.is_gauge:
        return None
    if not any(use.measure_source == "guess" for use in case.uses):
        return None
    stands = any(behaviour.falls_each_midnight for behaviour in case.behaviours)
    return Doubt("guess", "semantics_undetermined" if stands else "", {})


def _first_month(case: Case) -> Doubt | None:
    """What a number means is not shown for good before a month has turned."""
    if case.status not in (*QUANTITY, UNBILLED):
        return None
    if not any(use.measure_source == "data" for use in case.uses):
        return None
    stands = any(
        use.measure_source == "data" and not _has_turned(use, case.facts) for use in case.uses
    )
    return Doubt("first_month", "inconclusive_measure" if stands else "", {})


def _has_turned(use: MonthUse, facts: Facts) -> bool:
    """Whether another month of the same shows the turn, or the month was read from near nothing on
    its first two days on."""
    others = [
        month for month in facts.months if month.meter == use.meter and month.period != use.period
    ]
    if others:
        return True
    days = facts.days.get(use.meter, [])
    first = next((day for day in days if use.period.start <= day.day < use.period.end), None)
    if first is None or (first.day - use.period.start).days > 1 or use.quantity is None:
        return False
    return first.quantity * 4 <= use.quantity


def _spelling(case: Case) -> Doubt | None:
    """Products whose names differ in case and blanks only are one."""
    if case.status not in (*QUANTITY, UNBILLED) or not case.uses:
        return None
    names = {use.product for use in _report_uses(case)}
    stands = len({plain(name) for name in names}) < len(names)
    return Doubt("spelling", "inconclusive_product_names" if stands else "", {})


def _renamed_product(case: Case) -> Doubt | None:
    """One product ends where another one begins, at or above it: one counter under two names."""
    if case.status not in (*QUANTITY, UNBILLED):
        return None
    uses = [use for use in _report_uses(case) if not use.is_gauge]
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
    if case.status not in (*QUANTITY, UNBILLED):
        return None
    uses = _report_uses(case)
    total = sum((use.last_quantity for use in uses), Decimal())
    for use in uses:
        if len(uses) > 1 and use.last_quantity > 0 and use.last_quantity * 2 == total:
            return Doubt("sum_row", "inconclusive_sum_row", {"product": use.product})
    return Doubt("sum_row", "", {}) if len(uses) > 1 else None


def _report_uses(case: Case) -> list[MonthUse]:
    """Return the uses of all products of the operation and report in the period."""
    key = case.key
    return [
        use
        for use in case.facts.months
        if (use.operation_id, use.report) == (key.operation_id, key.report)
        and key.period
        and use.period.overlaps(key.period)
    ]


# The billed side.


def _issued_early(case: Case) -> Doubt | None:
    """A document that is issued before its period ends bills an estimate of what is left of it: of
    a counter no more than the busiest day held, for each day that was left."""
    if case.status not in QUANTITY or not case.key.period:
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
    if case.status == UNBILLED:
        return _billed_elsewhere(case)
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
    if case.status not in (*QUANTITY, PRICE):
        return None
    notes = [line for line in case.verdict.lines if line.period_source == "rule" and line.is_note]
    if notes:  # the month would be right without it
        amount = sum((line.amount for line in notes), Decimal())
        variance = case.verdict.cost_variance
        stands = variance is None or abs(variance - amount) < abs(variance)
        numbers = {"note": notes[0].document_number or "?"}
        return Doubt("note_of_another_month", "inconclusive_period" if stands else "", numbers)
    for other, billed in case.comparison.billed.items():
        if (other.supplier_id, other.period) == (case.key.supplier_id, case.key.period):
            continue
        for line in billed.lines:
            is_loose = line.period_source in ("rule", None) and line.is_note
            variance = case.verdict.cost_variance
            if is_loose and variance and abs(variance + line.amount) <= abs(variance) * NEARLY:
                return Doubt("note_of_another_month", "inconclusive_period",
                             {"note": line.document_number or "?"})  # fmt: skip
    return None


def _unmapped(case: Case) -> Doubt | None:
    """A line that no row of the line map fits, or that nothing gives an operation, may bill it."""
    if case.status != UNBILLED or not case.key.period:
        return None
    for other, billed in case.comparison.billed.items():
        is_near = other.period is None or other.overlaps(case.key)
        if not other.report and is_near and billed.amount > 0:
            text = billed.lines[0].description or billed.lines[0].item_code or "?"
            return Doubt("unmapped", "inconclusive_unmapped", {"line": text})
    return Doubt("unmapped", "", {})


# The price.


def _price_turn(case: Case) -> Doubt | None:
    """Where the price changed within the period: what was read on the first day of the new price
    may be of the day before, and tiers may begin anew with it."""
    if case.status != PRICE or case.is_gauge or not case.verdict.priced.turns:
        return None
    billed, tolerance = case.verdict.billed_cost, case.verdict.tolerance
    for turn in case.verdict.priced.turns:
        if turn.lowest - tolerance <= billed <= turn.highest + tolerance:
            return Doubt(turn.name, "inconclusive_price", {"day": turn.day})
    return Doubt("price_turn", "", {"day": case.verdict.priced.turns[0].day})


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
        for use in case.facts.months
        if (use.operation_id, use.report) == (key.operation_id, key.report)
        and key.product in (None, use.product)
        and use.period == month
    ]
    known = [quantity for quantity in quantities if quantity is not None]
    return sum(known, Decimal()) if known and len(known) == len(quantities) else None


def _billed_elsewhere(case: Case) -> Doubt | None:
    """Use that nobody billed: a document that names no month may be for this one."""
    key = case.key
    for other, billed in case.comparison.billed.items():
        if (other.operation_id, other.report) != (key.operation_id, key.report):
            continue
        guessed = [line for line in billed.lines if line.period_source == "rule"]
        months = {_other_month(line) for line in guessed}
        if key.period and key.period in months and _may_bill(case, guessed, key.period):
            return Doubt("guessed_period", "inconclusive_period", {"month": key.period.start})
    return None


def _cycle(case: Case) -> Doubt | None:
    """What a billing cycle leaves of a month is billed with the next one."""
    key = case.key
    if case.status != UNBILLED or not key.period:
        return None
    cycles = [
        other.period
        for other in case.comparison.billed
        if (other.operation_id, other.report) == (key.operation_id, key.report)
        and other.period
        and not _is_of_months(other.period)
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
    if case.status != UNBILLED or not key.period:
        return None
    late = [
        (line.issued - line.period.end).days
        for billed in case.comparison.billed.values()
        for line in billed.lines
        if line.issued and line.period and key.supplier_id in (None, line.supplier_id)
    ]
    if not late:
        return None
    due = key.period.end + timedelta(days=max(late) + LATER)
    is_due = case.verdict.today >= due
    return Doubt("late_invoice", "" if is_due else "open_period", {"due": due})


def _is_of_months(period: Period) -> bool:
    return month_of(period.start).start == period.start and month_of(period.end).start == period.end


def _other_operation(case: Case) -> Doubt | None:
    """One line for several operations, or an operation that moved to another server."""
    key = case.key
    if case.status not in (OVER, UNBILLED):
        return None
    others = [
        (other, billed, case.comparison.measured.get(other)) for other, billed in _others(case)
    ]
    if case.status == UNBILLED:
        consumed = case.verdict.consumed or Decimal()
        for other, billed, measured in others:
            own = (measured.quantity if measured else None) or Decimal()
            quantity = billed.quantity or Decimal()
            if other.operation_id and quantity - own >= consumed * (1 - NEARLY):
                return Doubt("other_operation", "inconclusive_operation",
                             {"operation": other.operation_id})  # fmt: skip
            if measured and _moved(measured.uses, case.uses):
                return Doubt("other_operation", "inconclusive_operation",
                             {"operation": other.operation_id})  # fmt: skip
        return Doubt("other_operation", "", {}) if others else None
    unbilled = [
        (other.operation_id, measured.quantity)
        for other, measured in case.comparison.measured.items()
        if other.report == key.report
        and other.operation_id != key.operation_id
        and other not in case.comparison.billed
        and other.period == key.period
        and measured.quantity
    ]
    total = sum((quantity for _, quantity in unbilled), Decimal())
    if unbilled and case.excess <= total * (1 + NEARLY):
        return Doubt("other_operation", "inconclusive_operation", {"operation": unbilled[0][0]})
    return Doubt("other_operation", "", {}) if unbilled else None


def _other_product(case: Case) -> Doubt | None:
    """One line for several products, of which the line map names one."""
    key = case.key
    if case.status not in (OVER, UNBILLED) or not key.product:
        return None
    beside = [
        (other, case.comparison.billed.get(other), measured)
        for other, measured in case.comparison.measured.items()
        if (other.operation_id, other.report) == (key.operation_id, key.report)
        and other.product != key.product
        and other.overlaps(key)
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
    key = case.key
    for other, billed in case.comparison.billed.items():
        if (
            other.report == key.report
            and other.operation_id != key.operation_id
            and other.overlaps(key)
        ):
            yield other, billed


def _moved(uses: Sequence[MonthUse], later: Sequence[MonthUse]) -> bool:
    """Whether the one operation was read last before the other was read first, within a month."""
    return bool(
        uses
        and later
        and max(use.last_read_at for use in uses) < min(use.first_read_at for use in later)
    )


EXPLANATIONS: tuple[Explanation, ...] = (
    _rejected_rows,
    _repeated_rows,
    _percentages,
    _reset,
    _fall,
    _raised_later,
    _stillness,
    _lag,
    _other_clock,
    _other_night,
    _unit,
    _amount,
    _rounding,
    _gauge_level,
    _unseen_level,
    _guess,
    _first_month,
    _spelling,
    _renamed_product,
    _sum_row,
    _issued_early,
    _guessed_period,
    _note_of_another_month,
    _unmapped,
    _price_turn,
    _cycle,
    _other_operation,
    _other_product,
    _late_invoice,
    _waived,
)
