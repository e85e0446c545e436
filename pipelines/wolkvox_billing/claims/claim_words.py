"""What `claim` says on a terminal."""

from __future__ import annotations

from typing import NamedTuple

from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.marts.settled import SettledDocument
from wolkvox_billing.reconciliation.captions import say_title
from wolkvox_billing.values.locales import format_date
from wolkvox_billing.values.translation import N_, Amount, phrase

_TEXTS = {
    "claimed": N_("{title}: {amount} claimed"),
    "claimed_anew": N_("{title}: {amount} claimed, in place of {before} of {day}"),
    "claimed_before": N_(
        "{title}: claimed on {day} by {by} already, {before}, of which {left} is still open: the "
        "letter is written again, and nothing else"
    ),
    "nothing": N_("nothing is claimed: {why}"),
    "nothing_now": N_(
        "{title}: {before} was claimed on {day}, {left} is still open, and nothing is claimed of "
        "it now: withdraw it with `--withdraw`, where that is right; {why}"
    ),
    "given_back": N_(
        "{title}: {before} was claimed on {day}, and notes gave all of it back: it is not claimed "
        "again; {why}"
    ),
    "withdrawn": N_("{title}: the claim over {before} of {day} is withdrawn"),
    "no_document": N_("no document bills {month}"),
    "none_open": N_("no claim is open"),
}


class ClaimWriter(NamedTuple):
    """Says in the language of a locale what was done about documents. before: what became of the
    claim before."""

    locale: str

    def text(self, name: str, **values: object) -> str:
        return phrase(_TEXTS[name], self.locale, **values)

    def claimed(self, made: str, row: SettledDocument, before: OpenClaim | None) -> str:
        """Return what was done about a document."""
        amount = Amount(row.claimed_amount, row.billing_currency)
        return self._text(made, row, before, amount=amount)

    def unclaimed(self, row: SettledDocument, before: OpenClaim | None) -> str:
        """Return why nothing is claimed of a document."""
        name = "nothing_now" if before and before.open_amount else "nothing"
        if before and not before.open_amount and row.claimed_amount:
            name = "given_back"
        return self._text(name, row, before, why=row.explanation)

    def withdrawn(self, before: OpenClaim) -> str:
        """Return that a claim was withdrawn."""
        return self._text("withdrawn", before, before)

    def _text(
        self,
        name: str,
        row: SettledDocument | OpenClaim,
        before: OpenClaim | None,
        **values: object,
    ) -> str:
        values["title"] = say_title(row.document_kind, row.document_number)
        if before:
            values |= {
                "before": Amount(before.claimed_amount, before.billing_currency),
                "left": Amount(before.open_amount, before.billing_currency),
                "day": format_date(before.claimed_on, self.locale),
                "by": before.claimed_by,
            }
        return self.text(name, **values)
