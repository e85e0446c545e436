"""Why a document does not count, in a sentence, in the language of the settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import timezone

from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.marts.settled import SettledDocument
from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.counting import DUPLICATE, Standing
from wolkvox_billing.reconciliation.settlement_words import title_of
from wolkvox_billing.reconciliation.writer import Writer
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.numbers import format_amount
from wolkvox_billing.values.translation import N_, translate

SHORT_ID = 12  # characters of a document_id that a person is shown, and types
_TEXTS = {
    "counts": "",
    "reinstated": N_("{title} of {file} was reinstated on {at} by {by}{why}, and counts"),
    "withdrawn": N_("{title} of {file} was withdrawn on {at} by {by}, and bills nothing{why}"),
    "electronic": N_(
        "{title} of a spreadsheet is {other}, which is loaded too, with the same totals: the "
        "electronic one counts"
    ),
    "before": N_(
        "{title} of a spreadsheet is {other}, which is loaded too, with the same totals: the one "
        "read before counts"
    ),
    "duplicate": N_(
        "{title} is there in {n} contents, {contents}, and nobody knows which one counts: "
        "`wolkvox-billing documents withdraw ID --reason ...` says which one does not"
    ),
    "test": N_("{title} is a test document: it is never reconciled"),
    "pre_billing": N_("{title} comes before the bill: it bills no use"),
    "other_supplier": N_("{title} is of a supplier that the setting `supplier_ids` does not name"),
    "of": N_("{id} of {file}"),
    "note": N_(
        "{title} corrects {corrected}, which is withdrawn: withdraw the note too, or reinstate "
        "what it corrects"
    ),
    "is_withdrawn": N_("{title} of {file} is withdrawn: it bills nothing from now on"),
    "is_reinstated": N_("{title} of {file} is reinstated"),
    "instead": N_("{title} of {file} counts now: withdraw it too where the whole invoice is meant"),
    "nothing_added": N_("nothing is added"),
    "open_claim": N_(
        "{title}: {left} of {claimed} claimed is still open: `wolkvox-billing claim {month} "
        "--withdraw --document {number} --reason ...` takes the claim back, where that is right"
    ),
    "claim": N_("{title}: {claimed} was claimed on {day} by {by}, and {left} of it is open"),
    "credited_claim": N_("{title}: {claimed} was claimed on {day} by {by}, and notes gave it back"),
    "unclaimed": N_(
        "{title}: {amount} may be claimed, and was not: `wolkvox-billing claim {month}` writes the "
        "letter"
    ),
}


def explain_standing(standing: Standing, locale: str) -> str:
    """Return why a document does not count, or whose word it is that it does; "" where nothing is
    to be said."""
    document, state = standing.document, standing.state
    if state == "superseded":
        state = "electronic" if standing.others[0].format == "ubl" else "before"
    elif state == "counts" and standing.decision:
        state = "reinstated"
    decision = standing.decision
    contents = [document, *standing.others]
    other = standing.others[0].number if standing.others else None
    return _say(
        state,
        document,
        locale,
        at=format_moment(decision.decided_at, timezone.utc) if decision else "",
        by=decision.decided_by if decision else "",
        why=f": {decision.reason}" if decision and decision.reason else "",
        other=other or "?",
        n=len(contents),
        contents="; ".join(_say("of", d, locale, id=d.document_id[:SHORT_ID]) for d in contents),
    )


def tell_standings(standings: Iterable[Standing], locale: str) -> list[str]:
    """Return a sentence for each document that is told, and one for all contents of a number."""
    sentences: list[str] = []
    told: set[str] = set()
    for standing in standings:
        document = standing.document
        if document.document_id not in told:
            sentences.append(explain_standing(standing, locale))
        if standing.state == DUPLICATE:
            told.update(other.document_id for other in standing.others)
    return sentences


def tell_note(note: BilledDocument, locale: str) -> str:
    """Return that a note corrects what is withdrawn."""
    return _say("note", note, locale, corrected=note.corrects_number)


def tell_decision(standing: Standing, *, is_new: bool, locale: str) -> str:
    """Return what was decided on a document, or that it had been decided already."""
    document = standing.document
    if not is_new:
        decided = explain_standing(standing, locale) or name_document(document, locale)
        return f"{decided}: {translate(_TEXTS['nothing_added'], locale)}"
    is_withdrawal = standing.decision is not None and standing.decision.is_withdrawal
    return _say("is_withdrawn" if is_withdrawal else "is_reinstated", document, locale)


def tell_substitute(document: BilledDocument, locale: str) -> str:
    """Return that a document counts in place of one that was withdrawn."""
    return _say("instead", document, locale)


def tell_open_claim(claim: OpenClaim, locale: str) -> str:
    """Return that a claim on a document which bills nothing is open, and how it is taken back."""
    writer = Writer(locale, claim.billing_currency or "")
    money = writer.money
    return writer.say(
        _TEXTS["open_claim"],
        title=title_of(claim.document_kind, claim.document_number, locale),
        left=money(claim.open_amount),
        claimed=money(claim.claimed_amount),
        month=claim.month,
        number=shlex.quote(claim.document_number or claim.document_id[:SHORT_ID]),
    )


def tell_claims(
    month: str, documents: Iterable[SettledDocument], claims: Iterable[OpenClaim], locale: str
) -> list[str]:
    """Return a sentence for each claim on a month's documents, with what is open of it, and for
    each document of which something may be claimed and nothing was."""
    claimed = {claim.document_id: claim for claim in claims}
    sentences: list[str] = []
    for document in documents:
        writer = Writer(locale, document.billing_currency or "")
        title = title_of(document.document_kind, document.document_number, locale)
        if claim := claimed.get(document.document_id):
            sentences.append(
                writer.say(
                    _TEXTS["claim" if claim.open_amount else "credited_claim"],
                    title=title,
                    claimed=writer.money(claim.claimed_amount),
                    left=writer.money(claim.open_amount),
                    by=claim.claimed_by,
                    day=claim.claimed_on,
                )
            )
        elif document.claimed_amount:
            amount = writer.money(document.claimed_amount)
            text = writer.say(_TEXTS["unclaimed"], title=title, amount=amount, month=month)
            sentences.append(text)
    return sentences


def name_document(document: BilledDocument, locale: str) -> str:
    """Return a document's short id, and by what a person tells it from others: `3fa9c1d2e4b5:
    invoice FE1001, 2026-11-03, 118,000.00 COP, a.xml`."""
    amount = document.net if document.payable is None else document.payable
    parts = (
        title_of(document.kind, document.number, locale),
        document.issued and document.issued.isoformat(),
        amount is not None and f"{format_amount(amount, locale=locale)} {document.currency or ''}",
        document.file_name,
    )
    return f"{document.document_id[:SHORT_ID]}: {', '.join(str(part) for part in parts if part)}"


def _say(name: str, document: BilledDocument, locale: str, **values: object) -> str:
    """Return a text about a document, with these values beside its title and its file."""
    title, file = title_of(document.kind, document.number, locale), document.file_name or "?"
    return translate(_TEXTS[name], locale).format(title=title, file=file, **values)
