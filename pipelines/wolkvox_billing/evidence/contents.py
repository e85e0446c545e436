"""What of the warehouse is a month's: the rows of each table, and what the report shows of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timezone
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

import dlt

from wolkvox_billing.evidence.answers import (
    Measured,
    MonthMeaning,
    choose_answers,
    read_answers,
)
from wolkvox_billing.evidence.report.month import Call, Counter, LoadedReading, Page, Restatement
from wolkvox_billing.evidence.report.report import LoadedDocument
from wolkvox_billing.evidence.tables import Table, Values, sort_table
from wolkvox_billing.invoices.decisions import DECISION_TABLES
from wolkvox_billing.invoices.tables import INVOICE_TABLES
from wolkvox_billing.marts.copied import COPIED_DAY_COLUMNS, COPIED_PERIOD_COLUMNS
from wolkvox_billing.marts.decisions import OPERATION_DECISIONS, OPERATION_TABLES
from wolkvox_billing.marts.identities import IDENTITIES, Identities, Identity, read_identities
from wolkvox_billing.marts.reconciled import KEY, KINDS, kinds_of
from wolkvox_billing.marts.settled import COMPONENT_COLUMNS, SETTLEMENT_COLUMNS
from wolkvox_billing.polling.tables import TABLES
from wolkvox_billing.reconciliation.claimed import CLAIM_TABLES, CLAIMS
from wolkvox_billing.reconciliation.counting import Standing
from wolkvox_billing.reconciliation.mart import Filled
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.settlement import Settled, read_settled, settled_tables
from wolkvox_billing.values.periods import DAY, Period
from wolkvox_billing.vendor.readings import interpret_items
from wolkvox_billing.warehouse.columns import sql_type
from wolkvox_billing.warehouse.sql import (
    Client,
    among,
    columns_in,
    engine_of,
    listed,
    literal,
    rows_of,
    tables_in,
)

_RESTATEMENTS = {
    **dict.fromkeys(("operation_id", "operation_name", "report", "product"), "VARCHAR"),
    "usage_date": "DATE",
    "read_at": "TIMESTAMP WITH TIME ZONE",
    **dict.fromkeys(("previous_quantity", "quantity", "quantity_change"), "DECIMAL(18, 4)"),
    "previous_read_at": "TIMESTAMP WITH TIME ZONE",
}
_USAGE = {
    **dict.fromkeys(("operation_id", "operation_name", "report", "product"), "VARCHAR"),
    **dict.fromkeys(("billing_period_start", "billing_period_end"), "DATE"),
    **dict.fromkeys(("measure", "measure_source"), "VARCHAR"),
    **dict.fromkeys(
        ("consumed_quantity", "last_quantity", "sum_of_daily_quantity"), "DECIMAL(18, 4)"
    ),
    "consumed_unit": "VARCHAR",
    "is_closed_period": "BOOLEAN",
    **dict.fromkeys(("first_read_at", "last_read_at"), "TIMESTAMP WITH TIME ZONE"),
    "hours_unread_at_end": "DECIMAL(18, 4)",
    "poll_id": "VARCHAR",
}


class Contents(NamedTuple):
    """What evidence holds, all of one moment: the report's page, the tables, all settings that
    decide what numbers mean, by their members the answers that the verdicts stand on, and the
    documents that do not simply count."""

    page: Page
    tables: dict[str, Table]
    settings: dict[str, object]
    answers: dict[str, bytes]
    told: list[Standing]


def collect_contents(
    pipeline: dlt.Pipeline, month: Period, filled: Filled, policy: Policy
) -> Contents:
    """Return the Contents of a month's evidence. `filled`: all of the month."""
    verdicts = filled.rows
    raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
    starts = [row.billing_period_start for row in verdicts if row.billing_period_start]
    ends = [row.billing_period_end for row in verdicts if row.billing_period_end]
    span = Period(min([month.start, *starts]), max([month.end, *ends]))
    with pipeline.sql_client() as client, client.begin_transaction():
        if engine_of(pipeline) == "postgres":
            client.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        [(epoch, zone, gauge_month)] = rows_of(
            client, f"SELECT as_of_epoch, timezone, gauge_month FROM {marts}.refreshed"
        )
        identities = read_identities(client, marts)
        reader = _Reader(client, raw, span, identities)
        tables = _tables(reader, filled, policy)
        tables |= _identity_tables(reader) | _copied_tables(reader)
        zones = rows_of(client, f"SELECT operation_id, timezone FROM {marts}.operations")
        settled = read_settled(client, marts, month)
        tables |= _settled_tables(settled)
        meanings = tables["usage_monthly"].as_records(MonthMeaning)
        measures = {
            Counter(row.operation_id, row.report, row.product): row.measure or "undetermined"
            for row in meanings
            if row.billing_period_start == month.start
        }
        page = Page(
            period=month,
            as_of=datetime.fromtimestamp(epoch, timezone.utc),
            settled=[each.document for each in settled],
            verdicts=verdicts,
            calls=identities.count(tables["polls"].as_records(Call)),
            readings=identities.count(tables["readings"].as_records(LoadedReading)),
            restatements=tables["usage_restatements"].as_records(Restatement),
            zones={**dict(zones), "": zone},
            measures=measures,
            language=policy.language,
        )
        uses = choose_answers(
            Measured(verdicts, meanings, page.readings, page.calls, page.restatements, gauge_month)
        )
        days = [call.poll_date for call in page.calls if call.poll_date]
        called = Period(min(days, default=span.start), max(days, default=span.start) + DAY)
        tables["answers"], answers = read_answers(client, raw, uses, called)
    meaning = {f"measure of {', '.join(c)}": measure for c, measure in sorted(measures.items())}
    settings = {**policy.as_json(), "timezone": zone, "gauge_month": gauge_month, **meaning}
    return Contents(page, tables, settings, answers, filled.told)


def _settled_tables(settled: Sequence[Settled]) -> dict[str, Table]:
    tables = settled_tables(settled)
    return {
        "invoice_components": sort_table(
            kinds_of(COMPONENT_COLUMNS),
            tables["components"],
            ("document_id", "component_number"),
        ),
        "invoice_settlement": sort_table(
            kinds_of(SETTLEMENT_COLUMNS),
            tables["settled"],
            ("supplier_id", "document_number", "document_id"),
        ),
    }


@dataclass(frozen=True)
class _Reader:
    """One connection; `span` is the month, and on to where the last period of a verdict ends."""

    client: Client
    raw: str
    span: Period
    identities: Identities

    @cached_property
    def tables(self) -> set[str]:
        return tables_in(self.client, self.raw)

    def within(self, column: str) -> str:
        start, end = self.span
        return f"{column} >= {literal(start)} AND {column} < {literal(end)}"

    @property
    def overlapping(self) -> str:
        """The condition that a billing period has a day in the span."""
        start, end = map(literal, self.span)
        return f"billing_period_start < {end} AND billing_period_end > {start}"

    def read_mart(self, name: str, kinds: dict[str, str], where: str, key: Sequence[str]) -> Table:
        """Return the rows of a mart with these columns."""
        mart = f"{self.raw}_marts.{name}"
        return sort_table(kinds, self._read_rows(mart, kinds, where), key)

    def _read_rows(self, name: str, columns: Collection[str], where: str) -> list[Values]:
        query = f"SELECT {', '.join(columns)} FROM {name} AS t WHERE {where}"
        return rows_of(self.client, query)

    def read_table(self, name: str, where: str) -> Table:
        """Return the rows of one of our tables, without the bytes of answers and dlt's own columns;
        a column that is not there is NULL."""
        known = {**TABLES, **INVOICE_TABLES, **DECISION_TABLES, **CLAIM_TABLES, **OPERATION_TABLES}
        key, columns = known[name][1:]
        kinds = {column: sql for column, (kind, _) in columns.items() if (sql := sql_type(kind))}
        is_there = name in self.tables
        existing = columns_in(self.client, f"{self.raw}.{name}") if is_there else set[str]()
        added = sorted(c for c in existing - columns.keys() if not c.startswith("_dlt"))
        kinds |= dict.fromkeys(added, "VARCHAR")
        selected = [f't."{column}"' if column in existing else "NULL" for column in kinds]
        rows = self._read_rows(f"{self.raw}.{name}", selected, where) if existing else []
        return sort_table(kinds, rows, key)


def _tables(reader: _Reader, filled: Filled, policy: Policy) -> dict[str, Table]:
    raw, within = reader.raw, reader.within
    # With the nights of the month's turn, which a cut-off is told by.
    turn = replace(reader, span=Period(reader.span.start - DAY, reader.span.end + 2 * DAY))
    counts = "TRUE"
    if reader.identities.forgotten:
        counts = f"NOT ({among('operation_id', reader.identities.forgotten)})"
    read = f"{turn.within('date')} AND {counts}"
    polled = f"SELECT poll_id FROM {raw}.readings WHERE {read}"
    is_of_month = _is_document_of_month(reader, filled, policy)
    documents = reader.read_table("invoice_documents", is_of_month)
    ids = listed(document.document_id for document in documents.as_records(LoadedDocument))
    is_of_documents = f"document_id IN ({ids or 'NULL'})"
    return {
        "readings": _interpreted(reader.read_table("readings", read)),
        "polls": reader.read_table(
            "polls", f"(({within('poll_date')}) OR poll_id IN ({polled})) AND {counts}"
        ),
        "usage_restatements": reader.read_mart(
            "usage_restatements",
            _RESTATEMENTS,
            within("usage_date"),
            ("operation_id", "report", "product", "usage_date", "read_at"),
        ),
        "usage_monthly": reader.read_mart(
            "usage_monthly",
            _USAGE,
            reader.overlapping,
            ("operation_id", "report", "product", "billing_period_start", "operation_name"),
        ),
        "invoice_documents": documents,
        **{
            name: reader.read_table(name, is_of_documents)
            for name in ("document_decisions", "invoice_lines", CLAIMS)
        },
        "invoice_reconciliation": sort_table(KINDS, map(astuple, filled.rows), KEY),
    }


def _identity_tables(reader: _Reader) -> dict[str, Table]:
    """Return what operations count as, and who decided it, where any counts as another."""
    if not reader.identities.rows:
        return {}
    kinds = dict.fromkeys(Identity._fields, "VARCHAR")
    return {
        OPERATION_DECISIONS: reader.read_table(OPERATION_DECISIONS, "TRUE"),
        IDENTITIES: sort_table(kinds, reader.identities.rows, ("operation_id",)),
    }


def _copied_tables(reader: _Reader) -> dict[str, Table]:
    """Return what was counted in the bucket, by day and by billing period, where anybody looked."""
    tables = {
        name: reader.read_mart(name, kinds_of(columns), where, [*columns][:4])
        for name, columns, where in (
            ("bucket_daily", COPIED_DAY_COLUMNS, reader.within("upload_date")),
            ("copy_reconciliation", COPIED_PERIOD_COLUMNS, reader.overlapping),
        )
    }
    return {name: table for name, table in tables.items() if table.rows}


def _interpreted(readings: Table) -> Table:
    """Return the readings with a column that says how a number was read that reads in two ways."""
    kinds = {**readings.kinds, "interpretation": "VARCHAR"}
    columns = [name for name in readings.kinds if name != "interpretation"]  # a field of theirs
    places = [list(readings.kinds).index(name) for name in columns]
    raw, items = columns.index("items_raw"), columns.index("items")
    rows = [tuple(row[place] for place in places) for row in readings.rows]
    return Table(
        {name: kinds[name] for name in (*columns, "interpretation")},
        [(*row, interpret_items(str(row[raw]), Decimal(str(row[items])))) for row in rows],
    )


def _is_document_of_month(reader: _Reader, filled: Filled, policy: Policy) -> str:
    """Return the condition of the month's documents: those in a verdict, those for a time in it, be
    it that they do not count, and those that one of them corrects."""
    raw, within = reader.raw, reader.within
    billed = {name for row in filled.rows for name in (row.invoice_ids or "").split(",") if name}
    billed |= {standing.document.document_id for standing in filled.told}
    lines = f"SELECT document_id FROM {raw}.invoice_lines WHERE {within('period_start')}"
    of_month = f"{within('period_start')} OR document_id IN ({lines})"
    if billed:
        of_month += f" OR {among('document_id', billed)}"
    if policy.supplier_ids:
        of_month = f"({of_month}) AND {among('supplier_id', policy.supplier_ids)}"
    return (
        f"({of_month}) OR EXISTS (SELECT 1 FROM {raw}.invoice_documents AS n WHERE "
        f"n.corrects_number = t.document_number AND n.supplier_id = t.supplier_id "
        f"AND n.document_id IN (SELECT document_id FROM {raw}.invoice_documents WHERE {of_month}))"
    )
