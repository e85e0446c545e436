"""What is said of an honest explanation: that it stands, what excludes it, what would settle it."""

from __future__ import annotations

from typing import NamedTuple

from wolkvox_billing.values.translation import N_


class Sentences(NamedTuple):
    """The parts of sentences of one explanation; blanks where nothing is to be said."""

    stands: str = ""
    excluded: str = ""
    settled_by: str = ""


TEXTS = {
    "rejected_rows": Sentences(
        N_("{rows} of this report could not be read, so that the use in it is not known"),
        N_("unreadable rows: none of this report in this time"),
        N_("the rows in rejected_rows: ask the vendor what they mean, or report the format"),
    ),
    "repeated_rows": Sentences(
        N_(
            "answers held two amounts for one product and day ({rows}): nobody knows whether they "
            "add up"
        ),
        N_("two amounts for one product: no answer held any"),
        N_("the vendor's word on whether rows of one product add up"),
    ),
    "percentages": Sentences(
        N_("percentages were counted as use ({rows})"),
        settled_by=N_("a row in the line map for each product that is use"),
    ),
    "reset": Sentences(
        N_(
            "the counter showed {before} and fell to about nothing within hours of the month's "
            "turn: its clock may be another one"
        ),
        N_("another clock: no fall was seen within 14 hours of the month's end but at the turn"),
        N_("the vendor's word on when its month ends, and the setting `timezone`"),
    ),
    "small_reset": Sentences(
        excluded=N_(
            "another clock: by the fall within hours of the turn, no more than {missing} may be "
            "missing"
        )
    ),
    "fall": Sentences(
        N_(
            "the counter fell within the month, so that up to {missing} may be missing in its "
            "last reading"
        ),
        N_("a restart or recomputation: no fall was seen within the month"),
        N_("the vendor's word on why the counter fell: see usage_restatements"),
    ),
    "small_fall": Sentences(
        excluded=N_(
            "a restart or recomputation: by the falls that were seen, no more than {missing} may "
            "be wrong"
        )
    ),
    "taken_back": Sentences(
        N_(
            "the counter fell within the month by up to {missing}, so that more of it may be "
            "taken back"
        ),
        settled_by=N_("the vendor's word on why the counter fell: see usage_restatements"),
    ),
    "stillness": Sentences(
        excluded=N_("a counter that lags: the {hours} h before the month's end are counted in")
    ),
    "no_stillness": Sentences(
        excluded=N_("a counter that stands still: it moved up to the end as it did before")
    ),
    "gauge_level": Sentences(
        N_("a level of {level} was seen in the month (the {which}), and a contract may bill it"),
        N_("another level: neither the last, the first nor the average is what was billed"),
        N_("the contract's word on which level counts, and the setting `gauge_month`"),
    ),
    "lag": Sentences(
        excluded=N_(
            "a counter that shows late: the excess is what {time} h before your last reading "
            "held; a known lag is the setting `vendor_lag_hours`"
        )
    ),
    "long_lag": Sentences(
        excluded=N_("a counter that shows late: two days before your last reading held less")
    ),
    "unit": Sentences(
        N_("what was billed is what was measured by a factor of {factor}: the units may differ"),
        N_("another unit: the quantities differ by no such factor"),
        N_("the supplier's word on the unit of the line"),
    ),
    "unit_step": Sentences(
        N_("the line counts in another unit, in steps of {step}, or names a wrong one"),
        N_("the line's unit: what it bills is more steps of {step} away"),
        N_("the supplier's word on the unit of the line"),
    ),
    "rounding": Sentences(
        N_("each call is rounded up ({rounding}), which a total does not show"),
        N_("a rounding of each call ({rounding}): it cannot come to more than as much again"),
        N_("the vendor's list of calls, whose rounded lengths add up to what is billed"),
    ),
    "no_rounding": Sentences(
        excluded=N_(
            "a rounding of each call: the rate card names none; does the contract round up? Then "
            "say so in its column `rounding`"
        )
    ),
    "other_clock": Sentences(
        N_(
            "it is what the month comes to ({low} to {high}) if it is cut by UTC's midnights or "
            "at 18:00"
        ),
        N_("another clock: cut by UTC's midnights, or at 18:00, the month comes to another number"),
        N_("the contract's word on whose midnight ends a month"),
    ),
    "amount": Sentences(
        N_("the contract can make the amount of what was measured and what nobody read"),
        N_("the amount itself: it is not what the contract can make of the use ({most} at most)"),
        N_("a reading in the last minutes of the month: poll at 23:50 and 23:59 of its last day"),
    ),
    "unseen_level": Sentences(
        N_(
            "for up to {hours} h together nobody read, and how high the level was then is not known"
        ),
        N_("a level that nobody saw: no two readings are over {hours} h apart"),
        N_("readings every four hours or more often, or the contract's word on the level"),
    ),
    "unseen_low_level": Sentences(
        excluded=N_(
            "a lower level that nobody saw: the readings alone come to an average of {level}"
        )
    ),
    "note_of_another_month": Sentences(
        N_("note {note} names no month, and may be for this one or another"),
        N_("a note of another month: without {note} it differs as much"),
        N_("the supplier's word on which invoice {note} corrects"),
    ),
    "unmapped": Sentences(
        N_("«{line}» has no report or operation by the line map, and may bill it"),
        N_("a line that the line map does not know: there is none of this time"),
        N_("a row in the line map for «{line}»"),
    ),
    "price_turn": Sentences(
        N_("the price changed on {day}, and what was read then may be of the day before"),
        N_("another day of the change: what was read about {day} does not make up for it"),
        N_("the supplier's word on what it counts before {day}"),
    ),
    "with_tax": Sentences(
        N_("the invoice states no tax, and its amount is the contract's and {rate} % of tax"),
        settled_by=N_("the invoice itself: is its amount with tax?"),
    ),
    "coarse_rate": Sentences(
        N_(
            "the rate of {currency} in {in_currency} is written with so few decimals that it may "
            "make up to {most}"
        ),
        N_("a rounded rate: its decimals make no more than {most}"),
        N_("the rate with all of its decimals, or the other way round"),
    ),
    "guessed_rate": Sentences(
        N_(
            "the document states no rate of {currency} in {in_currency}, and with none of the "
            "file's that it may have used does its amount agree"
        ),
        settled_by=N_("the supplier's word on which exchange rate the document uses"),
    ),
    "tiers_anew": Sentences(
        N_("the price changed on {day}, and the tiers may begin anew then"),
        settled_by=N_("the contract's word on whether tiers begin anew with a price"),
    ),
    "pooled_share": Sentences(
        N_(
            "tiers count all operations together, and not all are billed yet: how the sum is "
            "shared is not in the contract"
        ),
        N_("another share of what all operations cost: none makes this amount"),
        N_("the invoices of the other operations"),
    ),
    "tier_reached": Sentences(
        N_("the quantity is just where a tier begins, which may hold for more only"),
        N_("a tier that holds for more only: it makes another amount"),
        N_("the contract's word on whether a tier holds for just what it begins at"),
    ),
    "other_night": Sentences(
        N_("a night of it holds up to {night}, and may be of the days before or behind it"),
        N_("a night at the period's ends: it holds {night} at most"),
        N_("the contract's word on which night ends a period"),
    ),
    "other_product": Sentences(
        N_("a line for one product may bill «{product}» too"),
        N_("another product: none has just so much that is not billed"),
        N_("a line map whose row names no product, or the supplier's word on what the line bills"),
    ),
    "line_of_other_product": Sentences(
        N_("the line for «{product}» may bill it too"),
        settled_by=N_(
            "a line map whose row names no product, or the supplier's word on what the line bills"
        ),
    ),
    "raised_later": Sentences(
        N_(
            "earlier days were raised when they were over, and the last ones may be yet, by "
            "{missing}"
        ),
        N_("days that are raised when they are over: by what earlier ones were, {missing} at most"),
        N_("a reading of these days a week later"),
    ),
    "never_read_again": Sentences(
        N_(
            "nobody read a day twice, hours apart, once it was over: its number may have been "
            "raised since, by what was on its way then, {missing} in a quarter of an hour of each "
            "day"
        ),
        N_(
            "days that are raised when they are over: nobody looked, and what was on its way then "
            "is {missing} at most, by a quarter of an hour of each day"
        ),
        N_(
            "two readings of a day once it is over, six hours apart, on three days or more, or "
            "the vendor's word on when a day's number is final"
        ),
    ),
    "waived": Sentences(
        N_("less than is worth an alarm ({amount}) was not billed: it may have been waived")
    ),
    "late_invoice": Sentences(
        N_("the supplier's invoices came as late before: this one is due on {due}"),
        N_("a late invoice: none came as late as {due}"),
        N_("the invoice"),
    ),
    "guess": Sentences(
        N_(
            "that the number is a level is a guess from the report's name, and it falls at each "
            "midnight as a count does"
        ),
        N_("a wrong guess of what the number means: it does not fall as a daily count would"),
        N_("the setting `measures`"),
    ),
    "first_month": Sentences(
        N_("what the number means is not shown for certain before a month has turned"),
        N_("another meaning of the number: it was read over a month's turn, or from its start"),
        N_("a reading after the next turn of the month, or the setting `measures`"),
    ),
    "spelling": Sentences(
        N_("products whose names differ in case and blanks only came as several"),
        N_("one product under two spellings: none"),
        N_("the vendor's word on which names are one product"),
    ),
    "renamed_product": Sentences(
        N_("«{older}» ended where «{newer}» began: they may be one counter under two names"),
        N_("a renamed product: none ended where another began"),
        N_("the vendor's word on whether the product was renamed"),
    ),
    "sum_row": Sentences(
        N_("«{product}» is the sum of the others, and may be no use of its own"),
        N_("a sum among the products: none is the sum of the others"),
        N_("a row in the line map for each product that is billed"),
    ),
    "issued_early": Sentences(
        N_("it was issued on {issued}, before its period ended: it may bill an estimate"),
        N_("an estimate: no document was issued before the period ended"),
        N_("the supplier's next invoice or note, which corrects the estimate"),
    ),
    "bold_estimate": Sentences(
        excluded=N_(
            "an estimate: it was issued on {issued}, and the days that were left can hold {left} "
            "more than they did at most"
        )
    ),
    "guessed_period": Sentences(
        N_("no document says which month it bills, and the month from {month} fits as well"),
        N_("another month: the document's fits better than the one beside it"),
        N_("the supplier's word on the month, or the setting `period_rule`"),
    ),
    "cycle": Sentences(
        N_("the supplier bills by a cycle, whose next invoice is due on {due}"),
        N_("a billing cycle: its next invoice was due on {due}"),
        N_("the invoice of the next cycle"),
    ),
    "same_operation": Sentences(
        N_(
            "{operation} and {other} are taken for one operation, which nobody has decided: there "
            "may be two, and their use would be more"
        ),
        N_("another name: no other id reads the same operation"),
        N_("`operations merge`, or names that tell the operations apart"),
    ),
    "other_operation": Sentences(
        N_("one line may bill operation {operation} too, or it has moved there"),
        N_("another operation: none has use that would make up for it"),
        N_("`operation_id` in the line map, or the supplier's word on what a line bills"),
    ),
}
CUT_OFF = Sentences(
    N_("between {reach_low} and {reach_high} the nights of the month's turn explain any number"),
    N_("the nights of the month's turn: they reach from {reach_low} to {reach_high}"),
    N_("the contract's word on which night ends a month, and the setting `cut_off`"),
)
OTHER_UNIT = N_("the supplier's word on what the line counts")
UNREAD = N_("a reading in the last minutes of the month: poll at 23:50 and 23:59 of its last day")
BEHIND = N_(
    "readings every hour, which show how seldom the counter moves, also in the last minutes of "
    "the month; or the vendor's word on how late it counts"
)
FOREIGN = N_("readings around the start of the period, and the contract's word on when it begins")
MEASURES = {
    "copied": N_("what was copied in the month ({quantity})"),
    "called": N_("what was called in the month, by its nights ({quantity})"),
    "after_first_night": N_("what was there after the next month's first night ({quantity})"),
}
LEVELS = {
    "highest": N_("highest"),
    "last": N_("last"),
    "first": N_("first"),
    "average": N_("average"),
    "pro_rata": N_("average by days"),
}
