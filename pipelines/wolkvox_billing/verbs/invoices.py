"""The verb `invoices`: what people received as files, into the warehouse.

What is loaded already is never changed: rows are only inserted, by keys that are made of what a
document says. So files may be read again, and a run that was killed is run again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase
from dlt.extract import DltResource, DltSource

from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.invoices import Document, Found, OtherKind, Rejected, read_invoices
from wolkvox_billing.invoices.tables import (
    INVOICE_TABLES,
    document_rows,
    line_rows,
    rejected_rows,
    rejection_id,
)
from wolkvox_billing.reconciliation.mart import fill_anew
from wolkvox_billing.reconciliation.policy import PERIOD_RULES, read_policy
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.verbs.load import NOT_RECONCILED
from wolkvox_billing.warehouse.bulk import AsFiles
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
from wolkvox_billing.warehouse.sql import REFRESHED, among, engine_of, rows_of

AT_ONCE = 500  # documents that are looked up in the warehouse, and handed to dlt, together
LINES_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was made of one document, or of one file that is none."""

    file_name: str
    made: str  # loaded, loaded before, read twice, no invoice, rejected
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
    warnings: tuple[str, ...] = ()


@dataclass
class Intake:
    """What one `invoices` did. `other_kinds` counts UBL documents that are no invoices."""

    receipts: list[Receipt] = field(default_factory=list)
    other_kinds: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    location: str = ""

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(one.made for one in self.receipts))

    @property
    def net_amounts(self) -> dict[str, Decimal]:
        """By currency, what the documents of this run come to, each once; credit notes taken off,
        test documents left out."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in self.receipts:
            if one.made in ("loaded", "loaded before") and not one.is_test and one.net_amount:
                sign = -1 if one.document_kind == "credit_note" else 1
                sums[one.billing_currency or ""] += sign * one.net_amount
        return dict(sums)


def invoices(
    paths: Sequence[str | Path],
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    decimal: str | None = None,
    period_rule: str | None = None,
    clock: Clock = utc_now,
    on_found: Callable[[Found], None] | None = None,
) -> Intake:
    """An Intake of these files, folders and zips, loaded into `invoice_documents`, `invoice_lines`
    and `rejected_documents`. The mart `invoice_reconciliation` is filled anew, as `load` does.

    decimal: what is before decimals in spreadsheets, `.` or `,`; None lets each file tell.
    period_rule: for documents that name no period; None takes the setting.
    Raises SettingsError before anything is read, and WarehouseError where nothing can be loaded.
    """
    if period_rule not in (None, *PERIOD_RULES) or decimal not in (None, ".", ","):
        raise SettingsError(
            f"`period_rule` is one of {', '.join(PERIOD_RULES)}, and `decimal` . or ,"
        )
    if absent := [str(path) for path in paths if not Path(path).exists()]:
        raise SettingsError(f"there is no {', '.join(absent)}")
    rule = period_rule or configured(read_policy).period_rule
    result = Intake()
    with opened(destination, dataset) as pipeline:
        check_readable(pipeline)
        result.location = location_of(pipeline)

        def found() -> Iterator[Found]:
            for one in read_invoices([Path(p) for p in paths], decimal=decimal, rule=rule):
                if on_found:
                    on_found(one)
                yield one

        def loading(tables: Tables) -> Changes:
            changes: Changes = {}
            if not INVOICE_TABLES.keys() <= tables.keys():
                changes = load_source(pipeline, _empty_tables())
            return changes | load_source(pipeline, _tables(pipeline, found(), result, clock()))

        load_or_raise(pipeline, loading, "not loaded, so read the files again")
        if engine_of(pipeline) in REFRESHED:
            result.warnings = _compared_anew(pipeline, clock())
    return result


def _compared_anew(pipeline: dlt.Pipeline, now: datetime) -> list[str]:
    """Fills the mart `invoice_reconciliation`; a warning where it stays as it was. What is loaded
    stays loaded, and `reconcile` will say the same."""
    try:
        with held_open(pipeline):
            failure = failure_of(lambda: _refill(pipeline, now))
            said = failure.says if failure else ""
    except WolkvoxError as error:
        said = str(error)
    return [NOT_RECONCILED.format(said)] if said else []


def _refill(pipeline: dlt.Pipeline, now: datetime) -> None:
    policy = configured(read_policy)
    if policy.has_files:
        fill_anew(pipeline, policy, now)


def _tables(
    pipeline: dlt.Pipeline, found: Iterator[Found], result: Intake, now: datetime
) -> DltSource:
    """The three tables, out of one reading of the files."""

    @dlt.resource(name="files", selected=False)
    def files() -> Iterator[list[Found]]:
        with pipeline.sql_client() as client:
            known = _Known(client)
            for batch in _batches(found):
                known.look_up(batch)
                receipts = [known.receipt(one) for one in batch]
                result.receipts += receipts
                result.other_kinds.update(
                    str(one.what) for one in batch if isinstance(one.what, OtherKind)
                )
                yield [
                    one
                    for one, receipt in zip(batch, receipts, strict=True)
                    if receipt.made == "loaded" or known.is_new_refusal(one)
                ]

    def table(name: str, rows: Callable[[Found], list[dict[str, Any]]]) -> DltResource:
        how = hints(INVOICE_TABLES[name], INSERT)

        @dlt.transformer(data_from=files, name=name, **how)
        def of_batch(batch: list[Found]) -> Iterator[Any]:
            yield [row for one in batch for row in rows(one)]

        of_batch.add_step(AsFiles(name, how["columns"]))
        return of_batch

    return _source(
        files,
        table("invoice_documents", lambda one: document_rows(one, now)),
        table("invoice_lines", line_rows),
        table("rejected_documents", lambda one: rejected_rows(one, now)),
    )


def _empty_tables() -> DltSource:
    """The three tables without a row, so that each exists before it has one. Appended, since dlt
    1.31 makes an empty table for every disposition but the one that only inserts."""
    return _source(
        *(
            dlt.resource(
                lambda: (yield dlt.mark.materialize_table_schema()),
                name=name,
                **hints(table, "append"),
            )
            for name, table in INVOICE_TABLES.items()
        )
    )


def _source(*resources: DltResource) -> DltSource:
    """A source with the name of the schema that all tables of the dataset are in."""
    for one in resources:
        if one.name in INVOICE_TABLES:
            says, *_ = INVOICE_TABLES[one.name]
            one.apply_hints(additional_table_hints={"description": says})
    return dlt.source(lambda: resources, name="wolkvox_billing", max_table_nesting=0)()


def _batches(found: Iterator[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    lines = 0
    for one in found:
        batch.append(one)
        lines += len(one.what.lines) if isinstance(one.what, Document) else 0
        if len(batch) == AT_ONCE or lines >= LINES_AT_ONCE:
            yield batch
            batch, lines = [], 0
    if batch:
        yield batch


class _Known:
    """Which documents there are: in the warehouse, and in this run so far."""

    def __init__(self, client: SqlClientBase[Any]) -> None:
        self.client = client
        self.stored: dict[str, int] = {}  # document_id → lines of it in the warehouse
        self.met: set[str] = set()  # document_id of this run; row_hash of what was rejected
        self.numbers: dict[tuple[str | None, ...], str] = {}  # supplier, kind, number → document_id

    def look_up(self, batch: Sequence[Found]) -> None:
        """Asks the warehouse for the documents of a batch, and for others with their numbers."""
        documents = [one.what for one in batch if isinstance(one.what, Document)]
        if not documents:
            return
        are_there = among("document_id", {one.document_id for one in documents})
        have_their_numbers = among(
            "document_number", {one.document_number or "" for one in documents}
        )
        name = self.client.make_qualified_table_name
        rows = rows_of(
            self.client,
            "SELECT document_id, supplier_id, document_kind, document_number, (SELECT COUNT(*) "
            f"FROM {name('invoice_lines')} AS l WHERE l.document_id = d.document_id) "
            f"FROM {name('invoice_documents')} AS d "
            f"WHERE {are_there} OR {have_their_numbers}",
        )
        for document_id, *number, lines in rows:
            self.stored[document_id] = lines
            self.numbers.setdefault(tuple(number), document_id)

    def is_new_refusal(self, found: Found) -> bool:
        """Whether it was rejected, and not in this run already: its key may come once only."""
        if not isinstance(found.what, Rejected):
            return False
        row_hash = rejection_id(found)
        is_new = row_hash not in self.met
        self.met.add(row_hash)
        return is_new

    def receipt(self, found: Found) -> Receipt:
        """What is made of a document or file; a document with another's number is told so."""
        one = found.what
        if isinstance(one, OtherKind):
            return Receipt(found.file_name, "no invoice", f"a UBL {one}")
        if isinstance(one, Rejected):
            return Receipt(found.file_name, "rejected", str(one))
        made = "loaded"
        if one.document_id in self.met:
            made = "read twice"
        elif self.stored.get(one.document_id) == len(one.lines):  # else a run died between the two
            made = "loaded before"
        self.met.add(one.document_id)
        if made == "loaded" and one.document_number:
            number = (one.supplier_id, one.document_kind, one.document_number)
            other = self.numbers.setdefault(number, one.document_id)
            if other != one.document_id:
                one.warnings.append(
                    "another document has this supplier, kind and number, and other content: "
                    f"{other[:12]}; both are kept, and nobody knows which one counts"
                )
        return Receipt(
            file_name=found.file_name,
            made=made,
            document_id=one.document_id,
            document_kind=one.document_kind,
            document_number=one.document_number,
            supplier_id=one.supplier_id,
            supplier_name=one.supplier_name,
            period_start=one.period.start if one.period else None,
            period_end=one.period.end if one.period else None,
            period_source=one.period_source,
            net_amount=one.net_amount,
            billing_currency=one.billing_currency,
            lines=len(one.lines),
            is_test=one.is_test,
            warnings=tuple(one.warnings),
        )
