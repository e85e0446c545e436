"""Why a document does not count, in a sentence, in English or Spanish."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import timezone

from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.counting import DUPLICATE, Standing
from wolkvox_billing.reconciliation.settlement_words import title_of
from wolkvox_billing.reconciliation.writer import Writer
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.locales import language_of
from wolkvox_billing.values.numbers import format_amount

SHORT_ID = 12  # characters of a document_id that a person is shown, and types
_TEXTS = {
    "en": {
        "counts": "",
        "reinstated": "{title} of {file} was reinstated on {at} by {by}{why}, and counts",
        "withdrawn": "{title} of {file} was withdrawn on {at} by {by}, and bills nothing{why}",
        "electronic": "{title} of a spreadsheet is {other}, which is loaded too, with the same "
        "totals: the electronic one counts",
        "before": "{title} of a spreadsheet is {other}, which is loaded too, with the same totals: "
        "the one read before counts",
        "duplicate": "{title} is there in {n} contents, {contents}, and nobody knows which one "
        "counts: `wolkvox-billing documents withdraw ID --reason ...` says which one does not",
        "test": "{title} is a test document: it is never reconciled",
        "pre_billing": "{title} comes before the bill: it bills no use",
        "other_supplier": "{title} is of a supplier that the setting `supplier_ids` does not name",
        "of": "{id} of {file}",
        "note": "{title} corrects {corrected}, which is withdrawn: withdraw the note too, or "
        "reinstate what it corrects",
        "is_withdrawn": "{title} of {file} is withdrawn: it bills nothing from now on",
        "is_reinstated": "{title} of {file} is reinstated",
        "instead": "{title} of {file} counts now: withdraw it too where the whole invoice is meant",
        "nothing_added": "nothing is added",
        "open_claim": "{title}: {left} of {claimed} claimed is still open: `wolkvox-billing claim "
        "{month} --withdraw --document {number} --reason ...` takes the claim back, where that is "
        "right",
    },
    "es": {
        "counts": "",
        "reinstated": "{title} de {file} fue repuesta el {at} por {by}{why}, y cuenta",
        "withdrawn": "{title} de {file} fue retirada el {at} por {by}, y no cobra nada{why}",
        "electronic": "{title} de una hoja de cálculo es {other}, que también está cargada, con "
        "los mismos totales: vale la electrónica",
        "before": "{title} de una hoja de cálculo es {other}, que también está cargada, con los "
        "mismos totales: vale la que se leyó antes",
        "duplicate": "{title} está con {n} contenidos, {contents}, y nadie sabe cuál vale: "
        "`wolkvox-billing documents withdraw ID --reason ...` dice cuál no",
        "test": "{title} es un documento de prueba: nunca se concilia",
        "pre_billing": "{title} es anterior a la factura: no cobra ningún uso",
        "other_supplier": "{title} es de un proveedor que el ajuste `supplier_ids` no nombra",
        "of": "{id} de {file}",
        "note": "{title} corrige {corrected}, que está retirada: retire también la nota, o reponga "
        "lo que corrige",
        "is_withdrawn": "{title} de {file} queda retirada: ya no cobra nada",
        "is_reinstated": "{title} de {file} queda repuesta",
        "instead": "{title} de {file} cuenta ahora: retírela también si se trata de toda la "
        "factura",
        "nothing_added": "no se añade nada",
        "open_claim": "{title}: {left} de {claimed} reclamados siguen abiertos: `wolkvox-billing "
        "claim {month} --withdraw --document {number} --reason ...` retira el reclamo, si es así",
    },
}  # fmt: skip


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
    return _TEXTS[language_of(locale)][state].format(
        title=title_of(document.kind, document.number, locale),
        file=document.file_name or "?",
        at=format_moment(decision.decided_at, timezone.utc) if decision else "",
        by=decision.decided_by if decision else "",
        why=f": {decision.reason}" if decision and decision.reason else "",
        other=other or "?",
        n=len(contents),
        contents="; ".join(_named(content, locale) for content in contents),
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
    return _TEXTS[language_of(locale)]["note"].format(
        title=title_of(note.kind, note.number, locale), corrected=note.corrects_number
    )


def tell_decision(standing: Standing, *, is_new: bool, locale: str) -> str:
    """Return what was decided on a document, or that it had been decided already."""
    document, texts = standing.document, _TEXTS[language_of(locale)]
    if not is_new:
        decided = explain_standing(standing, locale) or name_document(document, locale)
        return f"{decided}: {texts['nothing_added']}"
    is_withdrawal = standing.decision is not None and standing.decision.is_withdrawal
    return texts["is_withdrawn" if is_withdrawal else "is_reinstated"].format(
        title=title_of(document.kind, document.number, locale), file=document.file_name or "?"
    )


def tell_substitute(document: BilledDocument, locale: str) -> str:
    """Return that a document counts in place of one that was withdrawn."""
    return _TEXTS[language_of(locale)]["instead"].format(
        title=title_of(document.kind, document.number, locale), file=document.file_name or "?"
    )


def tell_open_claim(claim: OpenClaim, locale: str) -> str:
    """Return that a claim on a document which bills nothing is open, and how it is taken back."""
    money = Writer(locale, claim.billing_currency or "").money
    return _TEXTS[language_of(locale)]["open_claim"].format(
        title=title_of(claim.document_kind, claim.document_number, locale),
        left=money(claim.open_amount),
        claimed=money(claim.claimed_amount),
        month=claim.month,
        number=shlex.quote(claim.document_number or claim.document_id[:SHORT_ID]),
    )


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


def _named(document: BilledDocument, locale: str) -> str:
    return _TEXTS[language_of(locale)]["of"].format(
        id=document.document_id[:SHORT_ID], file=document.file_name or "?"
    )
