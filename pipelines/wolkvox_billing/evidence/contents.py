"""What of the warehouse is a month's: the rows of each table, and what the report shows of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timezone
from typing import NamedTuple

import dlt

from wolkvox_billing.evidence.report.month import Call, Counter, LoadedReading, Page, Restatement
from wolkvox_billing.evidence.report.report import LoadedDocument
from wolkvox_billing.evidence.tables import Table, Values, sort_table
from wolkvox_billing.invoices.tables import INVOICE_TABLES
from wolkvox_billing.marts.reconciled import KEY, KINDS, ReconciledRow
from wolkvox_billing.polling.tables import TABLES
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.periods import Period
from wolkvox_billing.warehouse.sql import Client, among, engine_of, listed, literal, rows_of

_KINDS = {"text": "VARCHAR", "bigint": "BIGINT", "decimal": "DECIMAL(18, 4)", "bool": "BOOLEAN",
          "timestamp": "TIMESTAMP WITH TIME ZONE", "date": "DATE"}  # fmt: skip
_RESTATEMENTS = {
    **dict.fromkeys(("operation_id", "operation_name", "report", "product"), "VARCHAR"),
    "usage_date": "DATE",
    "read_at": "TIMESTAMP WITH TIME ZONE",
    **dict.fromkeys(("previous_quantity", "quantity", "quantity_change"), "DECIMAL(18, 4)"),
    "previous_read_at": "TIMESTAMP WITH TIME ZONE",
}


class Contents(NamedTuple):
    """What evidence holds, all of one moment: the report's page, the tables, and all settings that
    decide what numbers mean."""

    page: Page
    tables: dict[str, Table]
    settings: dict[str, object]


def collect_contents(
    pipeline: dlt.Pipeline, month: Period, verdicts: list[ReconciledRow], policy: Policy
) -> Contents:
    """Return the Contents of a month's evidence. `verdicts` are all of the month's."""
    raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
    starts = [row.billing_period_start for row in verdicts if row.billing_period_start]
    ends = [row.billing_period_end for row in verdicts if row.billing_period_end]
    span = Period(min([month.start, *starts]), max([month.end, *ends]))
    with pipeline.sql_client() as client, client.begin_transaction():
        if engine_of(pipeline) == "postgres":
            client.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tables = _tables(_Reader(client, raw, span), marts, verdicts, policy)
        [(epoch, zone, gauge_month)] = rows_of(
            client, f"SELECT as_of_epoch, timezone, gauge_month FROM {marts}.refreshed"
        )
        zones: dict[str, str] = dict(
            rows_of(client, f"SELECT operation_id, timezone FROM {marts}.operations")
        )
        measures = {
            Counter(*counter): measure or "undetermined"
            for *counter, measure in rows_of(
                client,
                f"SELECT operation_id, report, product, measure FROM {marts}.usage_monthly "
                f"WHERE billing_period_start = {literal(month.start)}",
            )
        }
    page = Page(
        period=month,
        as_of=datetime.fromtimestamp(epoch, timezone.utc),
        verdicts=verdicts,
        calls=tables["polls"].as_records(Call),
        readings=tables["readings"].as_records(LoadedReading),
        restatements=tables["usage_restatements"].as_records(Restatement),
        zones={**zones, "": zone},
        measures=measures,
        language=policy.language,
    )
    meaning = {f"measure of {', '.join(c)}": measure for c, measure in sorted(measures.items())}
    settings = {**policy.as_json(), "timezone": zone, "gauge_month": gauge_month, **meaning}
    return Contents(page, tables, settings)


@dataclass(frozen=True)
class _Reader:
    """One connection; `span` is the month, and on to where the last period of a verdict ends."""

    client: Client
    raw: str
    span: Period

    def within(self, column: str) -> str:
        start, end = self.span
        return f"{column} >= {literal(start)} AND {column} < {literal(end)}"

    def read_rows(self, name: str, columns: Collection[str], where: str) -> list[Values]:
        query = f"SELECT {', '.join(columns)} FROM {name} AS t WHERE {where}"
        return rows_of(self.client, query)

    def read_table(self, name: str, where: str) -> Table:
        """Return the rows of one of our tables, without the bytes of answers and dlt's own columns;
        a column that is not there is NULL."""
        key, columns = {**TABLES, **INVOICE_TABLES}[name][1:]
        kinds = {
            column: _KINDS[kind["data_type"]]
            for column, (kind, _) in columns.items()
            if kind["data_type"] in _KINDS
        }
        existing = self._columns(name)
        added = sorted(c for c in existing - columns.keys() if not c.startswith("_dlt"))
        kinds |= dict.fromkeys(added, "VARCHAR")
        selected = [f't."{column}"' if column in existing else "NULL" for column in kinds]
        rows = self.read_rows(f"{self.raw}.{name}", selected, where) if existing else []
        return sort_table(kinds, rows, key)

    def _columns(self, table: str) -> set[str]:
        """Those of one of our tables; none where it is not there."""
        names = rows_of(
            self.client,
            "SELECT column_name FROM information_schema.columns WHERE table_schema = "
            f"{literal(self.raw)} AND table_name = {literal(table)}",
        )
        return {name for (name,) in names}


def _tables(
    reader: _Reader, marts: str, verdicts: list[ReconciledRow], policy: Policy
) -> dict[str, Table]:
    raw, within = reader.raw, reader.within
    polled = f"SELECT poll_id FROM {raw}.readings WHERE {within('date')}"
    is_of_month = _is_document_of_month(reader, verdicts, policy)
    documents = reader.read_table("invoice_documents", is_of_month)
    ids = listed(document.document_id for document in documents.as_records(LoadedDocument))
    restatements = reader.read_rows(
        f"{marts}.usage_restatements", _RESTATEMENTS, within("usage_date")
    )
    return {
        "readings": reader.read_table("readings", within("date")),
        "polls": reader.read_table("polls", f"({within('poll_date')}) OR poll_id IN ({polled})"),
        "usage_restatements": sort_table(
            _RESTATEMENTS,
            restatements,
            ("operation_id", "report", "product", "usage_date", "read_at"),
        ),
        "invoice_documents": documents,
        "invoice_lines": reader.read_table("invoice_lines", f"document_id IN ({ids or 'NULL'})"),
        "invoice_reconciliation": sort_table(KINDS, map(astuple, verdicts), KEY),
    }


def _is_document_of_month(
    reader: _Reader, verdicts: Sequence[ReconciledRow], policy: Policy
) -> str:
    """Return the condition of the month's documents: those in a verdict, those for a time in it,
    and those that one of them corrects."""
    raw, within = reader.raw, reader.within
    billed = {name for row in verdicts for name in (row.invoice_ids or "").split(",") if name}
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
