"""The three-way match in a sentence that a finance person understands, in the language of the
settings."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from wolkvox_billing.marts.copied import (
    COUNTER_ABOVE,
    GONE,
    NOT_COUNTED,
    STANDS_STILL,
    CopiedPeriod,
)
from wolkvox_billing.reconciliation.counted_periods import REPORT, CountedPeriod
from wolkvox_billing.reconciliation.facts import Facts
from wolkvox_billing.reconciliation.writer import Writer
from wolkvox_billing.values.locales import format_month_name
from wolkvox_billing.values.periods import format_days, is_calendar_month, last_day
from wolkvox_billing.values.translation import N_
from wolkvox_billing.vendor.reports import unit_of

_TEXTS = {
    "holds": N_("your bucket holds {counted} copied {when}"),
    "in": N_("in {month}"),
    "from": N_("from {first} to {last}"),
    "counts": N_("wolkvox counts {measured}"),
    "billed": N_("wolkvox billed {billed}"),
    "counts_and_billed": N_("wolkvox counts {measured} and billed {billed}"),
    "same": N_("they are the same"),
    "within": N_("the difference of {difference} is within the tolerance"),
    "as_called": N_("that is what was copied of the calls of this time, whenever it was copied"),
    "may_be": N_("the difference of {difference} may be what came late or cannot be read"),
    "with_others": N_("that is as many as with what may be counted too: {others}"),
    "chats": N_("{chats} chats"),
    "replaced": N_("{replaced} that were copied over"),
    "recopied": N_("{recopied} that were copied once more"),
    "shifted": N_("that is what was copied by another clock: UTC, or the recordings' own time"),
    "units": N_("that is how many megabytes or minutes they are, and no number of copies"),
    "since_read": N_("the counter was read before the last {since} were copied"),
    "not_there": N_("{missing} of them are not there, and nothing that was seen explains it"),
    "since": N_(
        "nobody looked before {first_look}: what was deleted by hand until then is not known"
    ),
    "above": N_("{difference} more than that"),
    "still": N_("nothing was copied of the calls of {days} by the end of the next day"),
    "gone": N_("{gone} were there and are no more, which explains it"),
    "also_gone": N_("{gone} were there and are no more"),
    "late": N_("{late} of calls of this time were copied after it"),
    "empty": N_("{empty} of those in the bucket have no byte"),
    "unread": N_(
        "{unread} files may be copies, and have names or endings that the settings do not fit"
    ),
    "skipped": N_(
        "{skipped} files lie in folders that no row of `operations` fits: are they there?"
    ),
    "skipped_copies": N_(
        "{skipped_copies} files that are named like copies lie in folders that no row of "
        "`operations` fits"
    ),
    "elsewhere": N_(
        "folders of other operations hold {elsewhere} more than is counted: are all of them theirs?"
    ),
    "no_look": N_("no look at all of the bucket came after it: `wolkvox-billing bucket --full`"),
    "expired": N_("up to {expired} may have gone before anybody looked, so nobody can tell"),
    "none": N_("the bucket has no copy of this time or before it, so nobody can tell"),
    "unmeasured": N_("the vendor's count is not known, so there is nothing to compare"),
}


def tell_copies(copied: CountedPeriod, locale: str) -> str:
    """Return what a period's copies come to, as a sentence: what lies in the bucket, what wolkvox
    counts and bills, and what explains a difference."""
    writer = Writer(locale, unit=unit_of(REPORT))
    values = _values(copied, writer)
    parts = ["holds", *_claimed(copied), *_status(copied), *_beside(copied)]
    text = "; ".join(writer.say(_TEXTS[part], **values) for part in parts)
    return f"{text[0].upper()}{text[1:]}."


def copied_rows(counted: Iterable[CountedPeriod], facts: Facts, locale: str) -> list[CopiedPeriod]:
    """Return the rows of copy_reconciliation."""
    return [
        CopiedPeriod(
            operation_id=own.operation_id,
            operation_name=facts.operations.get(own.operation_id),
            report=REPORT,
            billing_period_start=own.period.start,
            billing_period_end=own.period.end,
            counted_quantity=own.counted,
            measured_quantity=own.measured,
            billed_quantity=own.billed,
            measured_variance=None if own.measured is None else own.measured - own.counted,
            billed_variance=None if own.billed is None else own.billed - own.counted,
            late_quantity=own.late,
            gone_quantity=own.gone,
            missing_quantity=own.missing,
            missing_days=len(own.missing_days),
            copy_status=own.status,
            explanation=tell_copies(own, locale),
        )
        for own in counted
    ]


def _claimed(copied: CountedPeriod) -> list[str]:
    if copied.measured is not None and copied.billed is not None:
        return ["counts_and_billed"]
    if copied.measured is not None:
        return ["counts"]
    return ["billed"] if copied.billed is not None else []


def _status(copied: CountedPeriod) -> list[str]:
    match copied.status:
        case "not_counted":
            return [_unknown(copied)]
        case "agrees":
            return [_agreed(copied)]
        case "counter_above_bucket":
            first = copied.first_look
            is_late = first is not None and first > copied.period.start
            return ["not_there", *(["since"] if is_late else [])]
        case "bucket_above_counter":
            return ["above"]
        case "objects_gone":
            return ["gone"]
    return ["still"]


def _unknown(copied: CountedPeriod) -> str:
    if copied.claimed is None:
        return "unmeasured"
    if copied.is_in_reach and copied.may_accuse and copied.is_in_other_units:
        return "units"
    if copied.is_in_reach and copied.expired:
        return "expired"
    is_empty = not copied.counted and not copied.called
    return "none" if is_empty and copied.was_looked_at else "no_look"


def _agreed(copied: CountedPeriod) -> str:
    difference = _difference(copied)
    if not difference:
        return "same"
    if difference <= copied.tolerance:
        return "within"
    if copied.is_as_called:
        return "as_called"
    if copied.is_above_all and copied.is_with_others:
        return "with_others"
    if (copied.claimed or 0) > copied.counted + copied.explained + copied.tolerance:
        return "shifted"
    return "since_read" if (copied.claimed or 0) < copied.counted else "may_be"


def _beside(copied: CountedPeriod) -> list[str]:
    """Return what else is to be known, whatever the status is."""
    status = copied.status
    is_told = {
        "still": copied.missing_days and status not in (STANDS_STILL, NOT_COUNTED),
        "also_gone": copied.gone and status not in (GONE, NOT_COUNTED),
        "late": copied.late and status != NOT_COUNTED,
        "empty": copied.empty,
        "skipped": copied.skipped and status == COUNTER_ABOVE,
        "elsewhere": copied.elsewhere,
        "unread": copied.unread,
        "skipped_copies": copied.skipped_copies,
    }
    return [name for name, is_so in is_told.items() if is_so]


def _difference(copied: CountedPeriod) -> Decimal:
    return abs((copied.claimed or Decimal()) - copied.counted)


def _values(copied: CountedPeriod, writer: Writer) -> dict[str, str]:
    period, number = copied.period, writer.number
    if is_calendar_month(period):
        when = writer.say(_TEXTS["in"], month=format_month_name(period.start, writer.locale))
    else:
        first, last = writer.day(period.start), writer.day(last_day(period))
        when = writer.say(_TEXTS["from"], first=first, last=last)
    quantities = {
        "chats": copied.chats, "replaced": copied.replaced, "recopied": copied.recopied
    }  # fmt: skip
    others = [name for name, quantity in quantities.items() if quantity]
    beside = {name: number(quantity) for name, quantity in quantities.items()}
    return {
        "counted": writer.quantity(copied.counted),
        "others": ", ".join(writer.say(_TEXTS[name], **beside) for name in others),
        "when": when,
        "measured": number(copied.measured),
        "billed": number(copied.billed),
        "difference": number(_difference(copied)),
        "missing": number(copied.missing),
        "since": number(copied.since_read),
        "first_look": writer.day(copied.first_look) if copied.first_look else "",
        "days": format_days(copied.missing_days, writer.locale),
        "gone": number(copied.gone),
        "late": number(copied.late),
        "empty": number(copied.empty),
        "unread": number(copied.unread),
        "skipped": number(Decimal(copied.skipped)),
        "elsewhere": number(copied.elsewhere),
        "skipped_copies": number(Decimal(copied.skipped_copies)),
        "expired": number(copied.expired),
    }
