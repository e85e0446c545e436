"""What the notebook says around its numbers, in the language of the settings."""

from __future__ import annotations

from wolkvox_billing.values.translation import N_, translate

_TEXTS = {
    "title": N_("What was billed, and what was used"),
    "as_of": N_("As of {moment}"),
    "all": N_("all operations"),
    "month": N_("Month"),
    "operation": N_("Operation"),
    "refresh": N_("Refresh"),
    "documents": N_("Documents"),
    "no_documents": N_("No document bills this month."),
    "verdicts": N_("Verdicts"),
    "no_verdicts": N_("Nothing of this month was compared yet: run `wolkvox-billing reconcile`."),
    "click": N_("A click on a row opens where its numbers come from."),
    "whole": N_(
        "Documents with a line of this operation, each of them whole: what it asks for others is "
        "in the sums too."
    ),
    "read": N_("What was read"),
    "counter": N_("Counter"),
    "no_reading": N_("Nothing was read in this month."),
    "bridge": N_("From contract to invoice"),
    "all_verdicts": N_("All verdicts of the month that have an invoice and a price."),
    "no_bridge": N_("Nothing here has both an invoice and a price by contract."),
    "coverage": N_("Coverage"),
    "no_call": N_("Nobody was asked in this month."),
    "restated": N_("Values that changed after their day, or that fell"),
    "months": N_("Month by month"),
    "files": N_("Files"),
    "evidence": N_("Write the evidence"),
    "workbook": N_("Write the workbook (XLSX)"),
    "claim": N_("Claim, and write the letters"),
    "about_files": N_(
        "The evidence is one zip with all of this, its tables and a manifest. A claim is recorded, "
        "and its letters name the evidence that comes with them."
    ),
}


def say_text(key: str, locale: str, **values: str) -> str:
    """Return a text of the notebook in the language of a locale."""
    return translate(_TEXTS[key], locale).format(**values)
