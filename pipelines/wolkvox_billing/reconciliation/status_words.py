"""What each status of a verdict, and of a document, means: a line for a person."""

from __future__ import annotations

from collections.abc import Iterable

from wolkvox_billing.values.translation import N_, translate

MEANINGS = {
    "open_period": N_("the month is not over, or its invoice is not due yet"),
    "duplicate_document": N_("one number with two contents"),
    "unmapped_line": N_("a line that no row of the line map fits"),
    "currency_mismatch": N_("billed in a currency without a price, nor an exchange rate to one"),
    "semantics_undetermined": N_("nobody knows what the report's numbers mean"),
    "usage_not_invoiced": N_("used, and in no invoice"),
    "invoiced_without_usage": N_("billed, and nothing of it was measured"),
    "matched": N_("billed and measured agree"),
    "within_tolerance": N_("equal within what the settings call equal"),
    "unit_mismatch": N_("billed in what seems another unit"),
    "overbilled_quantity": N_("more was billed than was measured, and no explanation is left"),
    "underbilled_quantity": N_("less was billed than was measured, and no explanation is left"),
    "no_price": N_("the quantity is known, and the rate card has no price for it"),
    "price_difference": N_("the quantity agrees, and the price does not"),
    "exchange_difference": N_("quantity and price agree, and the exchange rate does not"),
    "inconclusive_cut_off": N_("the nights of the month's turn can hold the difference"),
    "inconclusive_low_coverage": N_("no more is billed too much than the unread time can hold"),
    "inconclusive_rejected_rows": N_("rows that nobody could read may hold the difference"),
    "inconclusive_repeated_rows": N_("answers held two amounts for one product"),
    "inconclusive_percentages": N_("percentages were counted as use"),
    "inconclusive_reset": N_(
        "the counter fell near the month's turn: its clock may be another one"
    ),
    "inconclusive_fall": N_("the counter fell within the month"),
    "inconclusive_restated": N_("days may be raised after they are over"),
    "inconclusive_clock": N_("cut by another clock, the month comes to what is billed"),
    "inconclusive_gauge_level": N_("another level of the month is what is billed"),
    "inconclusive_rounding": N_("each call may be rounded up"),
    "inconclusive_measure": N_("what the number means is not certain"),
    "inconclusive_product_names": N_("products may be one under two names"),
    "inconclusive_sum_row": N_("a product may be the sum of the others"),
    "inconclusive_issued_early": N_("the invoice was issued before its period ended"),
    "inconclusive_period": N_("the document may be for another month"),
    "inconclusive_unmapped": N_("a line that the line map does not know may bill it"),
    "inconclusive_price": N_("which price holds is not certain"),
    "inconclusive_operation": N_("another operation may be billed with it"),
    "pay": N_("all of it is agreed"),
    "claim": N_("part of it is billed too much, and the supplier is asked for it back"),
    "question": N_("part of it is not supported: ask the supplier"),
    "wait": N_("its period is open"),
}


def meanings_of(statuses: Iterable[str], locale: str) -> list[tuple[str, str]]:
    """Return the statuses that have a meaning, each once, with it in the language of a locale."""
    return [
        (status, translate(MEANINGS[status], locale))
        for status in dict.fromkeys(statuses)
        if status in MEANINGS
    ]
