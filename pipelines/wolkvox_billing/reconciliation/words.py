"""A verdict in one sentence that a finance person understands, in the language of the settings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path

from wolkvox_billing.reconciliation.behaviour import Span
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS
from wolkvox_billing.reconciliation.contract.tariff import cents
from wolkvox_billing.reconciliation.doubt_words import (
    BEHIND,
    CUT_OFF,
    FOREIGN,
    LEVELS,
    MEASURES,
    OTHER_UNIT,
    TEXTS,
    UNREAD,
)
from wolkvox_billing.reconciliation.exchange import MissingRate
from wolkvox_billing.reconciliation.facts import BilledLine, Facts
from wolkvox_billing.reconciliation.policy import COPIED, DOCUMENT
from wolkvox_billing.reconciliation.unit_names import name_unit_code
from wolkvox_billing.reconciliation.unread import NOTHING, Behind, Unread
from wolkvox_billing.reconciliation.verdicts import (
    ACCUSING,
    INCONCLUSIVE,
    UNIT_MISMATCH,
    Doubt,
    Verdict,
)
from wolkvox_billing.reconciliation.writer import Values, Writer, Written
from wolkvox_billing.values.periods import DAY, format_days
from wolkvox_billing.values.translation import N_, Message, Plural
from wolkvox_billing.vendor.reports import REPORTS

MONEY = ("amount", "most")  # values of doubts that are amounts,
QUANTITIES = ("before", "missing", "level", "high", "night", "left")  # quantities,
ROWS = ("rows",)  # and rows of answers
MOST_NAMED = 3  # documents, and lines, in one sentence
ASKING = ("lag", "no_rounding")  # doubts of which the sentence itself speaks
_TEXTS: dict[str, Message] = {
    "and_more": N_("{names} and {n} more"),
    "any_of": N_("{names} or {last}"),
    "billed": N_("wolkvox billed {billed_units}"),
    "billed_amount": N_("wolkvox billed {amount}"),
    "credited": N_("wolkvox credited {credited_units}"),
    "credited_amount": N_("wolkvox credited {credited_amount}"),
    "amount_agrees": N_("the amount agrees with the contract"),
    "net": N_("{net} against the contract{effects}"),
    "effects": N_(" (by quantity {volume}, by price {price}{by_exchange})"),
    "by_exchange": N_(", by exchange rate {effect}"),
    "last": N_("your last reading on {at} showed {consumed_units}"),
    "measured": Plural("{consumed_units} was measured", "{consumed_units} were measured"),
    "by_nights": N_("it is nearest to {by_nights}"),
    "agrees": N_("it agrees with {by_nights}"),
    "beside": Plural(
        "{consumed_units} was measured beside what other lines bill of the same use",
        "{consumed_units} were measured beside what other lines bill of the same use",
    ),
    "more": N_("{variance} more than measured{percent}"),
    "less": N_("{variance} less than measured{percent}"),
    "same": N_("the quantity is the same"),
    "close": N_("the difference of {variance} is within the tolerance"),
    "worth": N_("worth {worth}"),
    "unread": N_("nobody read {time}, which explains at most {tail}"),
    "not_read": N_("nobody read {not_read}"),
    "behind_seldom": N_(
        "the counter was seen to move every {every}, last on {moved_at}: what it may not show of "
        "{time} explains at most {tail}"
    ),
    "behind_still": N_(
        "the counter stood still from {moved_at} on, longer than before: what it may not show of "
        "{time} explains at most {tail}"
    ),
    "behind_step": N_(
        "the counter moves every {every}, last on {moved_at}: what it may not show of {time} "
        "explains at most {tail}"
    ),
    "behind_lag": N_(
        "by the setting `vendor_lag_hours` the counter is behind by {every}: what it may not show "
        "of {time} explains at most {tail}"
    ),
    "behind_outage": N_(
        "the counter stood still for a while in its last two days, and that time explains at most "
        "{tail}, by what it held in other weeks"
    ),
    "behind_night": N_(
        "a nightly job fills the counter: what nights it may not show explains at most {tail}"
    ),
    "lag": N_("the excess is what the {time} hours before your last reading held"),
    "no_rounding": N_("does the contract round up each call?"),
    "by_rule": N_("that it bills this month is by the setting `period_rule` alone"),
    "seldom": N_("{time} are of days that were read too seldom to know every level"),
    "read": N_("nothing was left unread at the end"),
    "cost": N_("by contract that costs {cost}, and {amount} were billed"),
    "open": N_("the month is not over, or its invoice is not due yet"),
    "duplicate": N_("{documents} is there as {contents}: nobody knows which one counts"),
    "duplicate_elsewhere": N_(
        "another content has the number {documents}: nobody knows which one counts"
    ),
    "unmapped": N_("no row of the line map fits {lines}"),
    "no_operation": N_("nothing says which operation is billed by {lines}"),
    "no_period": N_("no period is named by {lines}"),
    "currency": N_("billed in {currency}, in which the rate card has no price for {report}"),
    "no_rate": N_(
        "billed in {currency}, and priced in {foreign}: {rates_file} has no rate of {missing_rates}"
    ),
    "no_rate_stated": N_(
        "billed in {currency}, and priced in {foreign}: the document states no rate, and "
        "{rates_file} has none of {missing_rates}"
    ),
    "rate_on": N_("{currency} in {in_currency} on {days}"),
    "or_on": N_(" or on "),
    "issue_unknown": N_("its day of issue, which it does not state"),
    "exchange": N_("the price is in {foreign}: 1 {foreign} is {parity} by {by}"),
    "exchange_used": N_(", and {parity} by {by}"),
    "by_document": N_("the document"),
    "by_issue_date": N_("{rates_file} on the day of issue"),
    "by_period_end": N_("{rates_file} on {last_day}"),
    "other_unit": N_(
        "the line counts in {other_units}, which cannot be counted into what the report counts"
    ),
    "no_currency": N_("no currency is named, so that no price can be compared"),
    "undetermined": N_("nobody has said what the numbers of {report} mean, nor do they show it"),
    "not_invoiced": Plural(
        "{consumed_units} was used, and no invoice bills it",
        "{consumed_units} were used, and no invoice bills them",
    ),
    "nothing": N_("nothing was used, and nothing was billed"),
    "free": N_("by contract it costs nothing"),
    "leftover": Plural(
        "{consumed_units} was used beside what other lines bill",
        "{consumed_units} were used beside what other lines bill",
    ),
    "fell": N_("the counter fell by {fallen} after other lines had billed it"),
    "no_usage": N_(
        "the vendor answered on {days_answered} of {days} days of this time, last on "
        "{last_answer}, and never showed any use of it"
    ),
    "nobody": N_("nobody was answered in this time"),
    "ends": N_("the days at the period's ends were not read"),
    "unknown_tail": N_("nobody read {time}, and nothing tells what was used then"),
    "foreign": N_("up to {before} of what was measured may be from before this time"),
    "foreign_unknown": N_("nothing tells how much of what was measured is from before this time"),
    "mixed": N_("counters and levels of the report cannot be added up"),
    "no_quantity": N_("the invoice states no quantity of use"),
    "price_unread": N_("the price changed while nobody read: it can cost {lowest} to {highest}"),
    "no_price": N_("the rate card has no price for it"),
    "unpriced": N_("the rate card has no price for {unpriced}, {n_unpriced} of {days} days"),
    "packaged": N_("a package pays for {packaged} of it"),
    "minimum": N_("by contract the month costs {minimum} at least"),
    "all_operations": N_("all operations"),
}


def explanation(verdict: Verdict, facts: Facts, locale: str) -> str:
    """Return the sentence: whose it is, the net difference in money with its parts, what was billed
    and measured, what is unread, and the honest explanation that stands."""
    writer = _writer_of(verdict, locale)
    values = Written(
        _quantities(verdict, writer),
        _amounts(verdict, writer),
        _names(verdict, writer),
        _moments(verdict, facts, writer),
    )
    used = verdict.consumed or Decimal()
    parts = [writer.fill(_TEXTS[part], values, used) for part in _parts(verdict)]
    parts += [
        _exchange(verdict, writer) if term == "exchange" else writer.fill(_TEXTS[term], values)
        for term in _terms(verdict)
    ]
    if any(line.period_source == "rule" for line in verdict.lines) and verdict.key.period:
        parts.append(writer.say(_TEXTS["by_rule"]))
    if verdict.status in ACCUSING:
        parts += [
            writer.say(_TEXTS[doubt.name], **_shown_values(doubt, writer))
            for doubt in verdict.doubts
            if doubt.name in ASKING
        ]
    if doubt := verdict.standing_doubt:
        parts.append(writer.say(TEXTS[doubt.name].stands, **_shown_values(doubt, writer)))
    elif verdict.status == "inconclusive_cut_off":
        parts.append(writer.say(CUT_OFF.stands, **_reach(verdict, writer)))
    whose = _whose(verdict, writer)
    return f"{whose}: {'; '.join(parts)}." if whose else f"{'; '.join(parts)}."


def _terms(verdict: Verdict) -> list[str]:
    """Return the parts for the terms that the cost is by, beside the price of a unit."""
    terms = ["packaged"] if verdict.priced.packaged else []
    terms += ["minimum"] if verdict.priced.minimum is not None else []
    is_exchanged = verdict.exchange and not verdict.exchange.missing
    return [*terms, "exchange"] if is_exchanged else terms


def _writer_of(verdict: Verdict, locale: str) -> Writer:
    uses, report = verdict.uses, verdict.key.report
    unit = uses[0].unit if uses else REPORTS[report].unit if report in REPORTS else ""
    return Writer(locale, verdict.key.currency or "", unit)


def _whose(verdict: Verdict, writer: Writer) -> str:
    """Return the operation, the product and the documents: `acme, AUDIOS, F-1`."""
    numbers = dict.fromkeys(line.document_number for line in verdict.lines)
    documents = _listed(sorted(filter(None, numbers)), writer)
    key = verdict.key
    is_of_all = key.operation_id == ALL_OPERATIONS
    operation = writer.say(_TEXTS["all_operations"]) if is_of_all else key.operation_id
    return ", ".join(filter(None, (operation, key.product or key.report, documents)))


def _listed(names: Sequence[str], writer: Writer) -> str:
    """Return some names, and how many more there are."""
    listed, more = ", ".join(names[:MOST_NAMED]), len(names) - MOST_NAMED
    return writer.say(_TEXTS["and_more"], names=listed, n=more) if more > 0 else listed


def excluded_doubts(verdict: Verdict, locale: str) -> str | None:
    """Return the honest explanations that the record excludes, a line each; None where the verdict
    accuses nobody."""
    if verdict.status not in ACCUSING:
        return None
    writer = _writer_of(verdict, locale)
    lines = [
        writer.say(TEXTS[doubt.name].excluded, **_shown_values(doubt, writer))
        for doubt in verdict.doubts
    ]
    if verdict.cut_off and verdict.quantity_variance:
        lines.append(writer.say(CUT_OFF.excluded, **_reach(verdict, writer)))
    return "\n".join(line for line in lines if line) or None


def settled_by(verdict: Verdict, locale: str) -> str | None:
    """Return what would settle an inconclusive verdict; None of any other."""
    writer = _writer_of(verdict, locale)
    if doubt := verdict.standing_doubt:
        return writer.say(TEXTS[doubt.name].settled_by, **_shown_values(doubt, writer))
    if verdict.status == "inconclusive_cut_off":
        return writer.say(CUT_OFF.settled_by)
    if verdict.status == UNIT_MISMATCH:
        return writer.say(OTHER_UNIT)
    if verdict.status != INCONCLUSIVE:
        return None
    if (verdict.quantity_variance or 0) < 0 and not _is_of_levels(verdict):
        return writer.say(FOREIGN)
    if _is_of_levels(verdict):
        return writer.say(TEXTS["unseen_level"].settled_by)
    is_behind = verdict.unread and verdict.unread.behind
    return writer.say(BEHIND if is_behind else UNREAD)


def _is_of_levels(verdict: Verdict) -> bool:
    return any(use.is_gauge for use in verdict.uses)


def _shown_values(doubt: Doubt, writer: Writer) -> dict[str, str]:
    """Return the values of a doubt's sentences as they are shown."""

    def shown(name: str, value: object) -> str:
        if isinstance(value, Decimal):
            if name in MONEY:
                return writer.money(value)
            return writer.quantity(value) if name in QUANTITIES else writer.number(value)
        if isinstance(value, int) and name in ROWS:
            return writer.rows(value)
        if isinstance(value, date):
            return writer.day(value)
        return writer.say(LEVELS[value]) if value in LEVELS else str(value)

    return {name: shown(name, value) for name, value in doubt.values.items()}


def _reach(verdict: Verdict, writer: Writer) -> dict[str, str]:
    reach = verdict.cut_off.reach if verdict.cut_off else Span(Decimal(), Decimal())
    low, high = (
        reach.low.to_integral_value(ROUND_FLOOR),
        reach.high.to_integral_value(ROUND_CEILING),
    )
    return {"reach_low": writer.number(low), "reach_high": writer.quantity(high)}


def _parts(verdict: Verdict) -> list[str]:
    """Return the parts of the sentence, by the status and what is known."""
    billed = _billed(verdict)
    both = [*billed, *_measured(verdict)]
    worth = ["worth"] if verdict.volume_effect else []
    amount = _amount(verdict)
    match verdict.status:
        case "unmapped_line" if not verdict.key.period:
            return [amount, "no_period"]
        case "unmapped_line":
            is_mapped = verdict.billed and verdict.billed.is_mapped
            return [amount, "no_operation" if is_mapped else "unmapped"]
        case "open_period":
            return [*both, "open"]
        case "duplicate_document":
            if len(_contents(verdict)) > 1:
                return [*_measured(verdict), "duplicate"]
            return [*both, "duplicate_elsewhere"]
        case "currency_mismatch":
            return [amount, _currency(verdict)]
        case "usage_not_invoiced":
            return [*(both if billed else ()), "not_invoiced", *worth]
        case _ if verdict.standing_doubt and verdict.is_unbilled and not billed:
            return ["not_invoiced", *worth]
        case "invoiced_without_usage":
            return [*_net(verdict), *billed, "no_usage"]
        case "no_price":
            return [*both, *_no_price(verdict)]
        case "price_difference" | "exchange_difference":
            return [*_net(verdict), *both, "cost"]
        case "unit_mismatch" if not verdict.standing_doubt:
            return [*_net(verdict), amount, *_measured(verdict), "other_unit"]
        case "semantics_undetermined" if not verdict.standing_doubt:
            is_mixed = all(use.quantity is not None for use in verdict.uses)
            return [*billed, "mixed" if is_mixed else "undetermined"]
        case "matched" if verdict.cut_off:
            return [*billed, "agrees"]
        case "matched":
            if verdict.billed and verdict.measured:
                return [*both, "same"]
            if verdict.billed_cost:
                return [amount]
            return ["not_invoiced", "free"] if verdict.consumed else ["nothing"]
    if not verdict.measured:
        return [*billed, "nobody"]
    if not verdict.measured.ends_were_read:
        return [*both, "ends"]
    return _difference(verdict, billed, worth)


def _billed(verdict: Verdict) -> list[str]:
    """Return the part for what was billed: a quantity, or an amount where none is stated; what was
    taken back is credited."""
    if not verdict.billed:
        return []
    quantity = verdict.billed_quantity
    if quantity is None or (not quantity and verdict.billed_cost):
        return [_amount(verdict)]
    return ["credited" if quantity < 0 else "billed"]


def _amount(verdict: Verdict) -> str:
    return "credited_amount" if verdict.billed_cost < 0 else "billed_amount"


def _net(verdict: Verdict) -> list[str]:
    """Return the part for the difference in money, which comes first where there is one."""
    differs = (
        verdict.cost_variance,
        verdict.volume_effect,
        verdict.price_effect,
        verdict.exchange_effect,
    )
    return ["net"] if any(cents(effect) for effect in differs if effect is not None) else []


def _currency(verdict: Verdict) -> str:
    """Return the part for a currency in which nothing can be compared."""
    if not verdict.exchange:
        return "currency" if verdict.key.currency else "no_currency"
    return "no_rate_stated" if verdict.policy.exchange_rate == DOCUMENT else "no_rate"


def _no_price(verdict: Verdict) -> list[str]:
    if verdict.contracted_cost is not None or not verdict.key.currency:
        return []
    return ["unpriced" if verdict.unpriced else "no_price"]


def _difference(verdict: Verdict, billed: list[str], worth: list[str]) -> list[str]:
    """Return the parts of a sentence about a quantity or an amount that is not the measured one."""
    both = [*_net(verdict), *billed, *_measured(verdict)]
    variance = verdict.quantity_variance or Decimal()
    is_within = verdict.status == "within_tolerance"
    if not variance and verdict.status == INCONCLUSIVE and not verdict.is_price_known:
        return [*both, "price_unread"]
    if (verdict.consumed or 0) < 0:
        return [*billed, "fell", *worth]
    if verdict.billed_quantity is None:
        return [*both, "no_quantity", "cost", *([] if is_within else _unread(verdict))]
    compared = "more" if variance > 0 else "less" if variance else "same"
    if is_within and not verdict.is_agreed:
        return [*both, compared, "amount_agrees"]
    if is_within:
        return [*both, "close" if variance else "same"]
    if not variance:
        return [*both, "same", "cost"]
    return [*both, compared, *_unread(verdict), *_no_price(verdict)]


def _measured(verdict: Verdict) -> list[str]:
    """Return the part for what was measured; of one counter in its whole month, when it was read
    last."""
    if not verdict.measured or verdict.consumed is None:
        return []
    if verdict.measured.is_leftover:
        return ["leftover"]
    if verdict.measured.is_shared:
        return ["beside"]
    uses = verdict.uses
    if verdict.cut_off and verdict.cut_off.chosen != COPIED:
        return ["by_nights"]
    is_last = len(uses) == 1 and uses[0].measure == "month_to_date"
    return ["last" if is_last and uses[0].period == verdict.key.period else "measured"]


def _unread(verdict: Verdict) -> list[str]:
    """Return the part for what nobody saw: of too much, what is missing; of too little, what is
    from before."""
    if not verdict.unread or verdict.cut_off:
        return []
    if verdict.standing_doubt and verdict.standing_doubt.name == "unseen_level":
        return []
    if (verdict.quantity_variance or 0) < 0:
        if verdict.status != INCONCLUSIVE:
            return []
        return ["foreign_unknown" if verdict.unread.foreign is None else "foreign"]
    if verdict.unread.missing.quantity is None:
        return ["seldom" if _is_of_levels(verdict) else "unknown_tail"]
    behind = verdict.unread.behind
    if not behind:
        return ["unread" if verdict.unread.missing.seconds else "read"]
    return ["not_read" if behind.not_read else "read", f"behind_{behind.reason}"]


def _quantities(verdict: Verdict, writer: Writer) -> Values:
    consumed, variance = verdict.consumed or Decimal(), verdict.quantity_variance or Decimal()
    billed = verdict.billed_quantity
    unread = verdict.unread or Unread(NOTHING, None, is_at_end=False)
    behind = unread.behind or Behind("", 0, 0)
    return {
        "billed_units": lambda: writer.quantity(billed),
        "credited_units": lambda: writer.quantity(abs(billed or Decimal())),
        "consumed_units": lambda: writer.quantity(consumed),
        "variance": lambda: writer.quantity(abs(variance)),
        "percent": lambda: writer.percent(variance, consumed),
        "fallen": lambda: writer.quantity(max(-consumed, Decimal())),
        "time": lambda: writer.duration(unread.missing.seconds, is_last=unread.is_at_end),
        "not_read": lambda: writer.duration(behind.not_read, is_last=True),
        "every": lambda: writer.span(behind.every),
        "tail": lambda: writer.quantity(unread.missing.quantity),
        "before": lambda: writer.quantity(unread.foreign),
        "by_nights": lambda: _by_nights(verdict, writer),
    }


def _by_nights(verdict: Verdict, writer: Writer) -> str:
    if not verdict.cut_off:
        return ""
    quantity = writer.quantity(verdict.cut_off.quantity)
    return writer.say(MEASURES[verdict.cut_off.chosen], quantity=quantity)


def _amounts(verdict: Verdict, writer: Writer) -> Values:
    missing = verdict.exchange.missing if verdict.exchange else ()
    return {
        "amount": lambda: writer.money(verdict.billed_cost),
        "credited_amount": lambda: writer.money(abs(verdict.billed_cost)),
        "net": lambda: writer.money(verdict.cost_variance, signed=True),
        "effects": lambda: _effects(verdict, writer),
        "worth": lambda: writer.money(abs(verdict.volume_effect or Decimal())),
        "cost": lambda: writer.money(verdict.contracted_cost),
        "lowest": lambda: writer.money(verdict.priced.lowest),
        "highest": lambda: writer.money(verdict.priced.highest),
        "minimum": lambda: writer.money(verdict.priced.minimum),
        "packaged": lambda: writer.quantity(verdict.priced.packaged),
        "currency": lambda: writer.currency,
        "rates_file": lambda: Path(verdict.policy.exchange_rates).name,
        "foreign": lambda: ", ".join(rate.currency for rate in missing),
        "missing_rates": lambda: _missing_rates(missing, writer),
    }


def _effects(verdict: Verdict, writer: Writer) -> str:
    """Return the parts of a difference in money, '' where no quantity is billed."""
    if verdict.billed_quantity is None:
        return ""
    by_exchange = ""
    if verdict.exchange:
        effect = writer.amount(verdict.exchange_effect, signed=True)
        by_exchange = writer.say(_TEXTS["by_exchange"], effect=effect)
    return writer.say(
        _TEXTS["effects"],
        volume=writer.amount(verdict.volume_effect, signed=True),
        price=writer.amount(verdict.price_effect, signed=True),
        by_exchange=by_exchange,
    )


def _missing_rates(missing: Iterable[MissingRate], writer: Writer) -> str:
    """Return which rates are missing; their days are written as in the file."""
    names = [
        writer.say(
            _TEXTS["rate_on"],
            currency=rate.currency,
            in_currency=rate.in_currency,
            days=writer.say(_TEXTS["or_on"]).join(map(str, rate.days))
            or writer.say(_TEXTS["issue_unknown"]),
        )
        for rate in missing
    ]
    return ", ".join(names)


def _exchange(verdict: Verdict, writer: Writer) -> str:
    """Return what one of each other currency is: by the contract, and as it was used."""
    exchange = verdict.exchange
    assert exchange
    period = verdict.key.period
    last = {"rates_file": Path(verdict.policy.exchange_rates).name,
            "last_day": writer.day(period.end - DAY) if period else ""}  # fmt: skip
    parts = []
    for currency, parity in sorted(exchange.rates.items()):
        by = writer.say(_TEXTS[f"by_{exchange.by}"], **last)
        rate = writer.rate(parity)
        text = writer.say(_TEXTS["exchange"], foreign=currency, parity=rate, by=by)
        if exchange.used[currency] != parity:
            by = writer.say(_TEXTS[f"by_{exchange.used_by}"], **last)
            used = writer.rate(exchange.used[currency])
            text += writer.say(_TEXTS["exchange_used"], parity=used, by=by)
        parts.append(text)
    return "; ".join(parts)


def _names(verdict: Verdict, writer: Writer) -> Values:
    billed = verdict.billed
    documents = {line.document_number or "?" for line in verdict.lines if line.is_duplicate}
    return {
        "report": lambda: verdict.key.report or "",
        "documents": lambda: ", ".join(sorted(documents)),
        "contents": lambda: _alternatives(verdict, writer),
        "lines": lambda: _lines(verdict, writer),
        "other_units": lambda: ", ".join(sorted(billed.other_units)) if billed else "",
    }


def _alternatives(verdict: Verdict, writer: Writer) -> str:
    """Return what each document bills whose number another one has too."""
    *names, last = [_sum_of(lines, writer) for lines in _contents(verdict)] or [""]
    return writer.say(_TEXTS["any_of"], names=", ".join(names), last=last)


def _contents(verdict: Verdict) -> list[list[BilledLine]]:
    """Return the lines of each document whose number another one has too."""
    contents: defaultdict[str, list[BilledLine]] = defaultdict(list)
    for line in verdict.lines:
        if line.is_duplicate:
            contents[line.document_id].append(line)
    return [contents[document_id] for document_id in sorted(contents)]


def _sum_of(lines: Iterable[BilledLine], writer: Writer) -> str:
    """Return what a document bills: `12,400 audios for 1,240,000.00 COP`, or its amount."""
    stated = [line.quantity for line in lines if line.quantity is not None]
    amount = writer.money(sum((line.amount for line in lines), Decimal()))
    if not stated:
        return amount
    return f"{writer.quantity(sum(stated, Decimal()))} ({amount})"


def _lines(verdict: Verdict, writer: Writer) -> str:
    """Return the lines by their descriptions, each with its quantity, unit and amount."""
    lines_of: defaultdict[str, list[BilledLine]] = defaultdict(list)
    for line in verdict.lines:
        lines_of[line.description or line.item_code or "?"].append(line)
    names = []
    for description, lines in sorted(lines_of.items()):
        quantities = [line.quantity for line in lines if line.quantity is not None]
        codes = {line.unit_code for line in lines}
        parts = [writer.money(sum((line.amount for line in lines), Decimal()))]
        if quantities and len(codes) == 1:
            quantity = abs(sum(quantities, Decimal()))
            unit = name_unit_code(codes.pop(), quantity, writer.locale)
            parts.insert(0, f"{writer.number(quantity)} {unit}".strip())
        names.append(f"«{description}» ({'; '.join(parts)})")
    return _listed(names, writer)


def _moments(verdict: Verdict, facts: Facts, writer: Writer) -> Values:
    key, zone = verdict.key, facts.zone_of(verdict.key.operation_id)
    period = key.period
    behind = verdict.unread.behind if verdict.unread else None

    def moved_at() -> str:
        return writer.moment(datetime.fromtimestamp(behind.moved_at, zone)) if behind else ""

    def at() -> str:
        last = max((use.last_read_at for use in verdict.uses), default=None)
        return writer.moment(last.astimezone(zone)) if last else ""

    def days_answered() -> set[date]:
        return facts.answers_in(key.operation_id, key.report, period) if period else set()

    return {
        "moved_at": moved_at,
        "at": at,
        "days": lambda: str(period.length) if period else "",
        "days_answered": lambda: str(len(days_answered())),
        "last_answer": lambda: writer.day(max(days)) if (days := days_answered()) else "",
        "unpriced": lambda: format_days(verdict.unpriced, writer.locale),
        "n_unpriced": lambda: str(len(verdict.unpriced)),
    }
