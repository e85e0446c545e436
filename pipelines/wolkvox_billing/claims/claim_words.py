"""What `claim` says on a terminal."""

from __future__ import annotations

from datetime import tzinfo
from typing import NamedTuple

from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.marts.settled import SettledDocument
from wolkvox_billing.reconciliation.settlement_words import SettlementWriter
from wolkvox_billing.reconciliation.writer import Writer
from wolkvox_billing.values.locales import format_date
from wolkvox_billing.values.translation import N_, phrase, translate

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
    """A locale, and the time zone whose days are told."""

    locale: str
    zone: tzinfo

    def text(self, name: str, **values: object) -> str:
        return phrase(_TEXTS[name], self.locale, **values)

    def claimed(self, made: str, row: SettledDocument, before: OpenClaim | None) -> str:
        """Return what was done about a document. before: what became of the claim before."""
        money = Writer(self.locale, row.billing_currency or "").money
        values = {"title": self._title(row), "amount": money(row.claimed_amount)}
        return self.text(made, **values, **self._before(before))

    def unclaimed(self, row: SettledDocument, before: OpenClaim | None) -> str:
        """Return why nothing is claimed of a document."""
        name = "nothing_now" if before and before.open_amount else "nothing"
        if before and not before.open_amount and row.claimed_amount:
            name = "given_back"
        return self.text(name, title=self._title(row), why=row.explanation, **self._before(before))

    def withdrawn(self, before: OpenClaim) -> str:
        """Return that a claim was withdrawn."""
        writer = SettlementWriter(self.locale, before.billing_currency or "")
        title = writer.title(before.document_kind, before.document_number)
        return self.text("withdrawn", title=title, **self._before(before))

    def _before(self, before: OpenClaim | None) -> dict[str, str]:
        if not before:
            return {}
        money = Writer(self.locale, before.billing_currency or "").money
        return {
            "before": money(before.claimed_amount),
            "left": money(before.open_amount),
            "day": format_date(before.claimed_on, self.locale),
            "by": before.claimed_by,
        }

    def _title(self, row: SettledDocument) -> str:
        writer = SettlementWriter(self.locale, row.billing_currency or "")
        return writer.title(row.document_kind, row.document_number)


def none_open(locale: str) -> str:
    """Return that no claim is open."""
    return translate(_TEXTS["none_open"], locale)
