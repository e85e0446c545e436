"""The verb `documents`: which documents count, which do not and why; and a person's word on one.

ID ─▶ one document, or the candidates ─▶ document_decisions ─▶ the mart anew, the closes held
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal

import dlt

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices.decisions import (
    REINSTATED,
    WITHDRAWN,
    Decision,
    append_decision,
)
from wolkvox_billing.invoices.document import short
from wolkvox_billing.reconciliation.billed_documents import StatedDocument
from wolkvox_billing.reconciliation.billed_lines import read_standings
from wolkvox_billing.reconciliation.claimed import (
    claims_on_nothing,
    is_claim_on,
    read_open_claims,
)
from wolkvox_billing.reconciliation.components import payable_of
from wolkvox_billing.reconciliation.counting import COUNTS, DUPLICATE, Standing
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.standing_words import (
    explain_standing,
    name_document,
    tell_decision,
    tell_open_claim,
    tell_substitute,
)
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.document_number import bare_number, is_called
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.verbs.deciding import Decider
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading
from wolkvox_billing.warehouse.records import next_key
from wolkvox_billing.warehouse.sql import Client, rows_of, tables_in

_SHORTEST = 4  # characters of a document_id that may stand for it
_MOST_NAMED = 8  # candidates in one message
_NO_BILL = "not billed, by what its row says"


@dataclass(frozen=True)
class ListedDocument:
    """A document, and whether it counts; `--json` prints these fields. Amounts are signed as they
    add to what is asked for. `standing`: counts, duplicate, superseded, withdrawn, test,
    pre_billing or other_supplier; `other_ids`: of the one that supersedes it, or of the other
    contents of its number."""

    document_id: str
    document_number: str | None
    document_kind: str
    supplier_id: str | None
    supplier_name: str | None
    issue_date: date | None
    period_start: date | None
    period_end: date | None
    net_amount: Decimal | None
    payable_amount: Decimal | None
    billing_currency: str | None
    format: str
    file_name: str | None
    read_at: datetime
    counts: bool
    standing: str
    why: str
    other_ids: tuple[str, ...]
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


@dataclass(frozen=True)
class CancelledRows:
    """What a file's rows say is no bill: in no document, and told by name."""

    file_name: str
    says: str


@dataclass
class Listing:
    """All documents that were ever loaded, and what files' rows say is none."""

    documents: list[ListedDocument]
    cancelled: list[CancelledRows]
    location: str
    language: str


@dataclass
class Decided:
    """A document after a decision on it; `is_new` where there was none of the kind before.
    `says`: what was decided; `warnings`: what it changed elsewhere."""

    document: ListedDocument
    decision: Decision | None
    is_new: bool
    says: str
    warnings: list[str] = field(default_factory=list)
    location: str = ""


def documents(
    *, destination: str = DESTINATION, dataset: str = DATASET, policy: Policy | None = None
) -> Listing:
    """Return the Listing of all documents, by supplier, day and number. Only reads, a published
    copy too. Raises WarehouseError where the destination cannot be read."""
    policy = policy or configured(read_policy)
    with opened(destination, dataset, reads=True, of_copy=True) as pipeline, reading(pipeline):
        with pipeline.sql_client() as client:
            standings = _read_standings(client, pipeline.dataset_name, policy)
            cancelled = _read_cancelled(client, pipeline.dataset_name)
        location = location_of(pipeline)
    listed_documents = [_listed(standing, policy.language) for standing in standings]
    return Listing(sorted(listed_documents, key=_place), cancelled, location, policy.language)


# The keywords are what the command line has as options, and what tests set.
def withdraw(
    name: str,
    *,
    reason: str | None = None,
    by: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Decided:
    """Return a document Decided, which bills nothing from now on. It is never deleted.

    name: its document_id, an unambiguous beginning of that, or its number where only one has it.
    by: who decides; the user's login name without it. reason: why it does not count.
    Raises SettingsError for a name that means no document or several, and without a reason, and
    WarehouseError where nothing can be recorded.
    """
    decider = Decider(reason, by, destination, dataset, policy, clock)
    if not decider.reason:
        raise SettingsError(Sentence(N_("say with --reason why {name} does not count"), name=name))
    return _decide(name, WITHDRAWN, decider)


def reinstate(
    name: str,
    *,
    reason: str | None = None,
    by: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> Decided:
    """Return a document Decided, whose withdrawal counts no more. name, by and errors are those of
    `withdraw`; a reason is not asked for."""
    decider = Decider(reason, by, destination, dataset, policy, clock)
    return _decide(name, REINSTATED, decider)


def _decide(name: str, decision: str, decider: Decider) -> Decided:
    policy, by = decider.rules, decider.name
    with decider.at_work() as pipeline:
        with pipeline.sql_client() as client:
            before = _read_standings(client, pipeline.dataset_name, policy)
        meant = find_document(name, before, policy.language)
        document_id, last, is_new = meant.document.document_id, meant.decision, False
        if decision != (last.decision if last else REINSTATED):
            own = Decision(
                decision_id=next_key(document_id, last.decision_id if last else None),
                document_id=document_id,
                decision=decision,
                decided_at=decider.now(),
                decided_by=by,
                reason=decider.reason,
            )
            last = append_decision(pipeline, own)
            is_new = last == own  # else somebody decided the same at the same moment
        with pipeline.sql_client() as client:
            after = _read_standings(client, pipeline.dataset_name, policy)
        [standing] = [each for each in after if each.document.document_id == document_id]
        decided = Decided(
            document=_listed(standing, policy.language),
            decision=last,
            is_new=is_new,
            says=tell_decision(standing, is_new=is_new, locale=policy.language),
            warnings=[*_told_beside(document_id, before, after, policy.language)],
            location=location_of(pipeline),
        )
        if is_new:
            decided.warnings += decider.compare_anew(pipeline, policy)
            decided.warnings += _warn_of_claims(pipeline, standing, after, policy.language)
    return decided


def _warn_of_claims(
    pipeline: dlt.Pipeline, decided: Standing, standings: Sequence[Standing], locale: str
) -> list[str]:
    """Return a warning for a claim that is open on a document which bills nothing any more."""
    with pipeline.sql_client() as client:
        claims = read_open_claims(client, f"{pipeline.dataset_name}_marts")
    own = [claim for claim in claims if is_claim_on(claim, decided.document)]
    return [tell_open_claim(claim, locale) for claim in claims_on_nothing(own, standings)]


def _told_beside(
    document_id: str, before: Iterable[Standing], after: Iterable[Standing], locale: str
) -> Iterator[str]:
    """Yield what the decision changed of other documents: one counts in the place of a withdrawn
    one, or does not beside a reinstated one; and why the document itself does not count, or nobody
    knows, though it is not withdrawn."""
    states = {standing.document.document_id: standing.state for standing in before}
    told: set[str] = set()
    for standing in after:
        own_id, state = standing.document.document_id, standing.state
        if own_id == document_id:
            if state not in (COUNTS, WITHDRAWN):
                told.add(explain_standing(standing, locale))
        elif state == states.get(own_id):
            continue
        elif state == COUNTS:
            told.add(tell_substitute(standing.document, locale))
        elif state != DUPLICATE:  # told with the document itself
            told.add(explain_standing(standing, locale))
    yield from sorted(told)


def find_document(name: str, standings: Sequence[Standing], locale: str) -> Standing:
    """Return the document that a name means. Raises SettingsError for none, with names near it, and
    for several, with what tells them apart."""
    if not standings:
        text = N_("there is no {name}: no document is loaded, see `invoices`")
        raise SettingsError(Sentence(text, name=repr(name)))
    meant = [
        each
        for each in standings
        if is_called(name, each.document.number, each.document.document_id, shortest=_SHORTEST)
    ]
    if len(meant) == 1:
        return meant[0]
    if not meant:
        near = _near(bare_number(name), standings, locale)
        text = N_("no document is {name}: {documents}")
        raise SettingsError(Sentence(text, name=short(name), documents=near))
    candidates = _name_some(meant, locale)
    text = N_("{name} may be any of {n} documents; name one by its id: {documents}")
    raise SettingsError(Sentence(text, name=short(name), n=len(meant), documents=candidates))


def _near(number: str, standings: Sequence[Standing], locale: str) -> str:
    """Return the documents whose numbers are near one, or where all of them are."""
    by_number: defaultdict[str, list[Standing]] = defaultdict(list)
    for standing in standings:
        by_number[bare_number(standing.document.number or "")].append(standing)
    near = difflib.get_close_matches(number, [*filter(None, by_number)], n=3, cutoff=0.6)
    if not near:
        return "`wolkvox-billing documents` lists all"
    return f"did you mean {_name_some([each for n in near for each in by_number[n]], locale)}?"


def _name_some(standings: Sequence[Standing], locale: str) -> str:
    names = [name_document(standing.document, locale) for standing in standings[:_MOST_NAMED]]
    more = len(standings) - _MOST_NAMED
    return "; ".join(names) + (f"; and {more} more" if more > 0 else "")


def _read_standings(client: Client, raw: str, policy: Policy) -> list[Standing]:
    tables = tables_in(client, raw)
    return read_standings(client, raw, policy, tables) if "invoice_documents" in tables else []


def _read_cancelled(client: Client, raw: str) -> list[CancelledRows]:
    """Return what files say that is no bill, each once: it stands in the warnings of the documents
    of the file, or in why the file was refused."""
    tables = tables_in(client, raw)
    told: dict[CancelledRows, None] = {}
    for table, column in (("invoice_documents", "warnings"), ("rejected_documents", "reason")):
        if table not in tables:
            continue
        for file_name, text in rows_of(
            client,
            f"SELECT file_name, {column} FROM {raw}.{table} "
            f"WHERE {column} LIKE '%%{_NO_BILL}%%' ORDER BY 1, 2",
        ):
            for sentence in text.split("\n"):
                if sentence.startswith(_NO_BILL):
                    told[CancelledRows(file_name or "?", sentence)] = None
    return [*told]


def _listed(standing: Standing, locale: str) -> ListedDocument:
    document, decision = standing.document, standing.decision
    payable = None
    if not document.payable is document.net is None:
        payable = payable_of(StatedDocument(document, []))
    return ListedDocument(
        document_id=document.document_id,
        document_number=document.number,
        document_kind=document.kind,
        supplier_id=document.supplier_id,
        supplier_name=document.supplier_name,
        issue_date=document.issued,
        period_start=document.period_start,
        period_end=document.period_end,
        net_amount=None if document.net is None else document.sign * document.net,
        payable_amount=payable,
        billing_currency=document.currency,
        format=document.format,
        file_name=document.file_name,
        read_at=document.read_at.astimezone(timezone.utc),
        counts=standing.counts,
        standing=standing.state,
        why=explain_standing(standing, locale),
        other_ids=tuple(other.document_id for other in standing.others),
        decided_by=decision.decided_by if decision else None,
        decided_at=decision.decided_at.astimezone(timezone.utc) if decision else None,
        reason=decision.reason if decision else None,
    )


def _place(row: ListedDocument) -> tuple[str, ...]:
    parts = (row.supplier_id, row.issue_date, row.document_number, row.read_at, row.document_id)
    return tuple(str(part or "") for part in parts)
