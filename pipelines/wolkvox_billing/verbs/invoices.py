"""The verb `invoices`: what people received as files, into the warehouse.

What is loaded already is never changed: rows are only inserted, by keys that are made of what a
document says. So files may be read again, and a run that was killed is run again.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import dlt
from dlt.extract import DltResource, DltSource

from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.invoices import Document, Hints, OtherKind, Paper, Rejected, read_invoices
from wolkvox_billing.invoices.decisions import read_decisions
from wolkvox_billing.invoices.document import BILLS
from wolkvox_billing.invoices.tables import (
    INVOICE_TABLES,
    document_rows,
    line_rows,
    rejected_rows,
    rejection_id,
)
from wolkvox_billing.reconciliation.billed_lines import read_periods_of_notes, read_standings
from wolkvox_billing.reconciliation.mart import fill_anew
from wolkvox_billing.reconciliation.policy import PERIOD_RULES, Policy, read_policy
from wolkvox_billing.reconciliation.standing_words import explain_standing
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.locales import ENGLISH
from wolkvox_billing.values.tax_id import canonical_id
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.verbs.load import NOT_RECONCILED
from wolkvox_billing.warehouse.bulk import AsFiles, TableRow
from wolkvox_billing.warehouse.columns import INSERT, hints
from wolkvox_billing.warehouse.complaints import configured, failure_of
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.loading import Changes, Tables, load_or_raise, load_source
from wolkvox_billing.warehouse.place import (
    DATASET,
    DESTINATION,
    check_readable,
    location_of,
    opened,
)
from wolkvox_billing.warehouse.sql import REFRESHED, Client, among, engine_of, rows_of, tables_in

# What is looked up in the warehouse, and handed to dlt, together.
PAPERS_AT_ONCE = 500
LINES_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was made of one document, or of one file that is none; `--json` prints these fields.

    `made` is `loaded`, `loaded before`, `read twice`, `no invoice` or `rejected`.
    """

    file_name: str
    made: str
    reason: str = ""
    document_id: str | None = None
    document_kind: str | None = None
    document_number: str | None = None
    supplier_id: str | None = None
    supplier_name: str | None = None
    period_start: date | None = None
    period_end: date | None = None
    period_source: str | None = None
    net_amount: Decimal | None = None
    billing_currency: str | None = None
    lines: int = 0
    is_test: bool = False
    is_withdrawn: bool = False
    warnings: tuple[str, ...] = ()


@dataclass
class Intake:
    """What one `invoices` did. `other_kinds` counts UBL documents that are no invoices."""

    receipts: list[Receipt] = field(default_factory=list)
    other_kinds: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    location: str = ""
    language: str = ENGLISH

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(receipt.made for receipt in self.receipts))

    @property
    def net_amounts(self) -> dict[str, Decimal]:
        """What the documents of this run come to, each once, by currency; credit notes taken off,
        tests, what bills no use and what is withdrawn left out."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for receipt in self.receipts:
            is_bill = receipt.document_kind in BILLS
            is_bill = is_bill and not (receipt.is_test or receipt.is_withdrawn)
            is_counted = receipt.made in ("loaded", "loaded before") and is_bill
            if is_counted and receipt.net_amount:
                sign = -1 if receipt.document_kind == "credit_note" else 1
                sums[receipt.billing_currency or ""] += sign * receipt.net_amount
        return dict(sums)


def invoices(
    paths: Sequence[str | Path],
    *,  # as the other verbs: where to, how to read, and what a test or a terminal hands in
    destination: str = DESTINATION,
    dataset: str = DATASET,
    decimal: str | None = None,
    currency: str | None = None,
    supplier: str | None = None,
    period_rule: str | None = None,
    clock: Clock = utc_now,
    on_paper: Callable[[Paper], None] | None = None,
) -> Intake:
    """Load the invoices in `paths`, files, folders and zips, into `invoice_documents`,
    `invoice_lines` and `rejected_documents`, and return what became of each. The mart
    `invoice_reconciliation` is filled anew, as `load` does.

    decimal: what is before decimals in spreadsheets, `.` or `,`; None lets each file tell.
    currency, supplier: a code and a tax id, for spreadsheets that state none.
    period_rule: for documents that name no period; None takes the setting. on_paper: is called
    with each Paper before it is loaded.
    Raises SettingsError before anything is read, and WarehouseError where nothing can be loaded.
    """
    hints = _hints_of(decimal, currency, supplier, period_rule)
    if absent := [str(path) for path in paths if not Path(path).exists()]:
        raise SettingsError(Sentence(N_("there is no {absent}"), absent=", ".join(absent)))
    policy = configured(read_policy)
    rule = period_rule or policy.period_rule
    intake = Intake(language=policy.language)
    with opened(destination, dataset) as pipeline:
        check_readable(pipeline)
        intake.location = location_of(pipeline)

        def read() -> Iterator[Paper]:
            for paper in read_invoices([Path(p) for p in paths], hints=hints, rule=rule):
                if on_paper:
                    on_paper(paper)
                yield paper

        def load(tables: Tables) -> Changes:
            changes: Changes = {}
            if not INVOICE_TABLES.keys() <= tables.keys():
                changes = load_source(pipeline, _empty_tables())
            return changes | load_source(pipeline, _tables(pipeline, read(), intake, clock()))

        with held_open(pipeline):
            load_or_raise(pipeline, load, "not loaded, so read the files again")
            if engine_of(pipeline) in REFRESHED:
                intake.receipts = _with_periods_of_notes(pipeline, intake.receipts)
                intake.receipts = _with_decisions(pipeline, intake.receipts, policy)
                if complaint := compare_anew(pipeline, policy, clock()):
                    intake.warnings = [NOT_RECONCILED.format(complaint)]
    return intake


def _hints_of(
    decimal: str | None, currency: str | None, supplier: str | None, period_rule: str | None
) -> Hints:
    """Return what helps to read a spreadsheet. Raises SettingsError for what cannot be meant."""
    if period_rule not in (None, *PERIOD_RULES) or decimal not in (None, ".", ","):
        text = N_("`period_rule` is one of {rules}, and `decimal` . or ,")
        raise SettingsError(Sentence(text, rules=PERIOD_RULES))
    if currency is not None and not re.fullmatch("[A-Za-z]{3}", currency):
        raise SettingsError(Sentence(N_("`currency` is a code of three letters such as COP")))
    if supplier is not None and not any(c.isdigit() for c in supplier):
        raise SettingsError(Sentence(N_("`supplier` is a tax id, such as a NIT")))
    return Hints(decimal, currency and currency.upper(), supplier and canonical_id(supplier))


def compare_anew(pipeline: dlt.Pipeline, policy: Policy, now: datetime) -> str:
    """Fill the mart `invoice_reconciliation`; return why it stays as it was, "" where it does not.
    What is loaded stays loaded, and `reconcile` will say the same."""
    if not policy.has_files:
        return ""
    try:
        with held_open(pipeline):
            failure = failure_of(lambda: fill_anew(pipeline, policy, now))
    except WolkvoxError as error:
        return str(error)
    return failure.says if failure else ""


def _with_decisions(
    pipeline: dlt.Pipeline, receipts: Sequence[Receipt], policy: Policy
) -> list[Receipt]:
    """Return the receipts, that of a withdrawn document, which was read again, with who withdrew it
    and why."""
    with pipeline.sql_client() as client:
        raw = pipeline.dataset_name
        tables = tables_in(client, raw)
        decisions = read_decisions(client, raw, tables)
        withdrawn = {own_id for own_id, word in decisions.items() if word.is_withdrawal}
        if not withdrawn.intersection(receipt.document_id for receipt in receipts):
            return [*receipts]
        standings = read_standings(client, raw, policy, tables)
    says = {
        standing.document.document_id: explain_standing(standing, policy.language)
        for standing in standings
        if standing.document.document_id in withdrawn
    }
    return [
        replace(receipt, is_withdrawn=True, warnings=(*receipt.warnings, sentence))
        if (sentence := says.get(receipt.document_id or ""))
        else receipt
        for receipt in receipts
    ]


def _with_periods_of_notes(pipeline: dlt.Pipeline, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Return the receipts, a note that names no period with that of the document that it corrects,
    in which `reconcile` judges it; be it loaded before the note or behind it."""
    if not any(receipt.document_kind != "invoice" and receipt.document_id for receipt in receipts):
        return [*receipts]
    with pipeline.sql_client() as client:
        periods = read_periods_of_notes(client, pipeline.dataset_name)
    return [
        replace(receipt, period_start=period.start, period_end=period.end, period_source="document")
        if (period := periods.get(receipt.document_id or ""))
        else receipt
        for receipt in receipts
    ]


def _tables(
    pipeline: dlt.Pipeline, papers: Iterator[Paper], intake: Intake, now: datetime
) -> DltSource:
    """Return the three tables, out of one reading of the files; `intake` gets the receipts."""

    @dlt.resource(name="files", selected=False)
    def files() -> Iterator[list[Paper]]:
        with pipeline.sql_client() as client:
            known = KnownDocuments(client)
            for batch in _batches(papers):
                known.look_up(batch)
                receipts = [known.receive(paper) for paper in batch]
                intake.receipts += receipts
                intake.other_kinds.update(
                    str(paper.content) for paper in batch if isinstance(paper.content, OtherKind)
                )
                yield [
                    paper
                    for paper, receipt in zip(batch, receipts, strict=True)
                    if receipt.made == "loaded" or known.note_refusal(paper)
                ]

    def table(name: str, rows: Callable[[Paper], Sequence[TableRow]]) -> DltResource:
        how = hints(INVOICE_TABLES[name], INSERT)

        @dlt.transformer(data_from=files, name=name, **how)
        def rows_of_batch(batch: list[Paper]) -> Iterator[list[TableRow]]:
            yield [row for paper in batch for row in rows(paper)]

        rows_of_batch.add_step(AsFiles(name, how["columns"]))
        return rows_of_batch

    return _source(
        files,
        table("invoice_documents", lambda paper: document_rows(paper, now)),
        table("invoice_lines", line_rows),
        table("rejected_documents", lambda paper: rejected_rows(paper, now)),
    )


def _empty_tables() -> DltSource:
    """Return the three tables without a row, so that each exists before it has one. Appended: dlt
    1.31 makes an empty table for every disposition but the one that only inserts."""

    def schema_alone() -> Iterator[object]:
        yield dlt.mark.materialize_table_schema()

    tables = INVOICE_TABLES.items()
    return _source(
        *(dlt.resource(schema_alone, name=name, **hints(t, "append")) for name, t in tables)
    )


def _source(*resources: DltResource) -> DltSource:
    """Return a source with the name of the schema that all tables of the dataset are in."""
    for resource in resources:
        if resource.name in INVOICE_TABLES:
            description = INVOICE_TABLES[resource.name].says
            resource.apply_hints(additional_table_hints={"description": description})
    return dlt.source(lambda: resources, name="wolkvox_billing", max_table_nesting=0)()


def _batches(papers: Iterator[Paper]) -> Iterator[list[Paper]]:
    batch: list[Paper] = []
    lines = 0
    for paper in papers:
        batch.append(paper)
        lines += len(paper.content.lines) if isinstance(paper.content, Document) else 0
        if len(batch) == PAPERS_AT_ONCE or lines >= LINES_AT_ONCE:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch


class _Number(NamedTuple):
    """What should name one document only."""

    supplier_id: str | None
    document_kind: str
    document_number: str


class _Namesake(NamedTuple):
    """A document that is known, and what tells whether another one of its number is a copy."""

    document_id: str
    format: str
    net_amount: Decimal | None
    currency: str | None

    def is_copy_of(self, other: _Namesake) -> bool:
        """Whether one of the two is a spreadsheet with the totals of the other."""
        is_same = self.net_amount is not None and self[2:] == other[2:]
        return is_same and (self.format, other.format) != ("ubl", "ubl")


class KnownDocuments:
    """Which documents are known: those in the warehouse, and those of this run so far."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stored_lines: dict[str, int] = {}  # by document_id
        self._met: set[str] = set()  # document_id of this run; row_hash of what was rejected
        self._first: dict[_Number, _Namesake] = {}

    def look_up(self, batch: Sequence[Paper]) -> None:
        """Ask the warehouse for the documents of a batch, and for others with their numbers."""
        documents = [paper.content for paper in batch if isinstance(paper.content, Document)]
        if not documents:
            return
        ids = {document.document_id for document in documents}
        numbers = {document.document_number or "" for document in documents}
        name = self._client.make_qualified_table_name
        rows = rows_of(
            self._client,
            "SELECT document_id, supplier_id, document_kind, document_number, format, net_amount, "
            "billing_currency, (SELECT COUNT(*) "
            f"FROM {name('invoice_lines')} AS l WHERE l.document_id = d.document_id) "
            f"FROM {name('invoice_documents')} AS d "
            f"WHERE {among('document_id', ids)} OR {among('document_number', numbers)}",
        )
        for document_id, supplier_id, kind, number, *totals, lines in rows:
            self._stored_lines[document_id] = lines
            namesake = _Namesake(document_id, *totals)
            self._first.setdefault(_Number(supplier_id, kind, number), namesake)

    def note_refusal(self, paper: Paper) -> bool:
        """Return whether it was rejected for the first time in this run: its key may come once."""
        if not isinstance(paper.content, Rejected):
            return False
        row_hash = rejection_id(paper)
        is_new = row_hash not in self._met
        self._met.add(row_hash)
        return is_new

    def receive(self, paper: Paper) -> Receipt:
        """Return what becomes of a document or file; a document with another's number is told."""
        document = paper.content
        if isinstance(document, OtherKind):
            return Receipt(paper.file_name, "no invoice", f"a UBL {document}")
        if isinstance(document, Rejected):
            return Receipt(paper.file_name, "rejected", str(document))
        fate = "loaded"
        if document.document_id in self._met:
            fate = "read twice"
        elif self._stored_lines.get(document.document_id) == len(document.lines):
            fate = "loaded before"  # with fewer lines, a run died between the two tables
        self._met.add(document.document_id)
        if fate == "loaded":
            self._warn_of_namesake(document)
        period = document.period
        return Receipt(
            file_name=paper.file_name,
            made=fate,
            document_id=document.document_id,
            document_kind=document.document_kind,
            document_number=document.document_number,
            supplier_id=document.supplier_id,
            supplier_name=document.supplier_name,
            period_start=period.start if period else None,
            period_end=period.end if period else None,
            period_source=document.period_source,
            net_amount=document.net_amount,
            billing_currency=document.billing_currency,
            lines=len(document.lines),
            is_test=document.is_test,
            warnings=tuple(document.warnings),
        )

    def _warn_of_namesake(self, document: Document) -> None:
        if not document.document_number:
            return
        number = _Number(document.supplier_id, document.document_kind, document.document_number)
        namesake = _Namesake(
            document.document_id, document.format, document.net_amount, document.billing_currency
        )
        first = self._first.setdefault(number, namesake)
        if first.document_id == document.document_id:
            return
        text = (
            "another document has this supplier, kind and number, and other content: {other}; both "
            "are kept, and nobody knows which one counts"
        )
        if namesake.is_copy_of(first):
            text = (
                "another document has this supplier, kind and number, and the same totals: "
                "{other}; both are kept, and one counts: the electronic one, or that which was "
                "read first"
            )
        document.warnings.append(text.format(other=first.document_id[:12]))
