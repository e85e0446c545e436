"""What of the warehouse is a month's: the rows of each table, and what the report shows of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.evidence.report.report import Counter, Page
from wolkvox_billing.evidence.tables import Table, in_order
from wolkvox_billing.invoices.tables import INVOICE_TABLES
from wolkvox_billing.marts.reconciled import KEY, KINDS, ReconciledRow
from wolkvox_billing.polling.tables import TABLES
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.periods import Period
from wolkvox_billing.warehouse.sql import engine_of, literal, rows_of

_KINDS = {"text": "VARCHAR", "bigint": "BIGINT", "decimal": "DECIMAL(18, 4)", "bool": "BOOLEAN",
          "timestamp": "TIMESTAMP WITH TIME ZONE", "date": "DATE"}  # fmt: skip
_RESTATEMENTS = {
    **dict.fromkeys(("operation_id", "operation_name", "report", "product"), "VARCHAR"),
    "usage_date": "DATE",
    "read_at": "TIMESTAMP WITH TIME ZONE",
    **dict.fromkeys(("previous_quantity", "quantity", "quantity_change"), "DECIMAL(18, 4)"),
    "previous_read_at": "TIMESTAMP WITH TIME ZONE",
}
Row = dict[str, Any]


def collect(
    pipeline: dlt.Pipeline, month: Period, rows: list[ReconciledRow], policy: Policy
) -> tuple[Page, dict[str, Table]]:
    """What the report shows, and the tables: all of one moment. `rows` are the month's verdicts."""
    raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
    first = min([month.start, *(r.billing_period_start for r in rows if r.billing_period_start)])
    last = max([month.end, *(r.billing_period_end for r in rows if r.billing_period_end)])
    with pipeline.sql_client() as client, client.begin_transaction():
        if engine_of(pipeline) == "postgres":
            client.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        read = _Reading(client, raw, Period(first, last))
        tables = _tables(read, marts, month, rows, policy)
        [(epoch, zone, gauge_month)] = read.query(
            f"SELECT as_of_epoch, timezone, gauge_month FROM {marts}.refreshed"
        )
        zones = dict(read.query(f"SELECT operation_id, timezone FROM {marts}.operations"))
        measures: dict[Counter, str] = {
            (o, r, p): measure or "undetermined"
            for o, r, p, measure in read.query(
                f"SELECT operation_id, report, product, measure FROM {marts}.usage_monthly "
                f"WHERE billing_period_start = {literal(month.start)}"
            )
        }
    meaning = {"timezone": zone, "gauge_month": gauge_month}
    meaning |= {f"measure of {', '.join(one)}": says for one, says in sorted(measures.items())}
    page = Page(
        month=month.start.isoformat()[:7],
        start=month.start,
        end=month.end,
        as_of=datetime.fromtimestamp(epoch, timezone.utc),
        rows=rows,
        tables={name: table.rows for name, table in tables.items()},
        zones={**zones, "": zone},
        measures=measures,
        given={},
        policy={**policy.as_json(), **meaning},
        versions={},
        language=policy.language,
    )
    return page, tables


@dataclass(frozen=True)
class _Reading:
    """One connection; `span` is the month, and on to where the last period of a verdict ends."""

    client: SqlClientBase[Any]
    raw: str
    span: Period

    def query(self, query: str) -> list[tuple[Any, ...]]:
        return rows_of(self.client, query)

    def within(self, column: str) -> str:
        start, end = self.span
        return f"{column} >= {literal(start)} AND {column} < {literal(end)}"

    def columns(self, table: str) -> set[str]:
        """Those of one of our tables; none where it is not there."""
        found = self.query(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = "
            f"{literal(self.raw)} AND table_name = {literal(table)}"
        )
        return {name for (name,) in found}

    def rows(self, name: str, columns: Collection[str], where: str) -> list[Row]:
        listed = ", ".join(f't."{one}"' for one in columns)
        found = self.query(f"SELECT {listed} FROM {name} AS t WHERE {where}")
        return [dict(zip(columns, row, strict=True)) for row in found]

    def of(self, table: str, where: str) -> Table:
        """The rows of one of our tables, without the bytes of answers and dlt's own columns."""
        key, columns = {**TABLES, **INVOICE_TABLES}[table][1:]
        kinds = {
            name: _KINDS[kind["data_type"]]
            for name, (kind, _) in columns.items()
            if kind["data_type"] in _KINDS
        }
        there = self.columns(table)
        added = sorted(one for one in there - columns.keys() if not one.startswith("_dlt"))
        kinds |= dict.fromkeys(added, "VARCHAR")
        chosen = [one for one in kinds if one in there]
        rows = self.rows(f"{self.raw}.{table}", chosen, where) if there else []
        return in_order(kinds, rows, key)


def _tables(
    read: _Reading, marts: str, month: Period, rows: list[ReconciledRow], policy: Policy
) -> dict[str, Table]:
    raw, within = read.raw, read.within
    ids = f"SELECT poll_id FROM {raw}.readings WHERE {within('date')}"
    documents = read.of("invoice_documents", _of_month(read, rows, policy))
    listed = ", ".join(literal(one["document_id"]) for one in documents.rows) or "NULL"
    restated = read.rows(f"{marts}.usage_restatements", _RESTATEMENTS, within("usage_date"))
    return {
        "readings": read.of("readings", within("date")),
        "polls": read.of("polls", f"({within('poll_date')}) OR poll_id IN ({ids})"),
        "usage_restatements": in_order(
            _RESTATEMENTS, restated, ("operation_id", "report", "product", "usage_date", "read_at")
        ),
        "invoice_documents": documents,
        "invoice_lines": read.of("invoice_lines", f"document_id IN ({listed})"),
        "invoice_reconciliation": in_order(KINDS, map(asdict, rows), KEY),
    }  # fmt: skip


def _of_month(read: _Reading, rows: Sequence[ReconciledRow], policy: Policy) -> str:
    """Which documents are the month's: those in a verdict, those for a time in it, and those that
    one of them corrects."""
    raw, within = read.raw, read.within
    named = {one for row in rows for one in (row.invoice_ids or "").split(",") if one}
    lines = f"SELECT document_id FROM {raw}.invoice_lines WHERE {within('period_start')}"
    of_month = f"{within('period_start')} OR document_id IN ({lines})"
    if named:
        of_month += f" OR document_id IN ({', '.join(map(literal, sorted(named)))})"
    if policy.supplier_ids:
        of_month = (
            f"({of_month}) AND supplier_id IN ({', '.join(map(literal, policy.supplier_ids))})"
        )
    return (
        f"({of_month}) OR EXISTS (SELECT 1 FROM {raw}.invoice_documents AS n WHERE "
        f"n.corrects_number = t.document_number AND n.supplier_id = t.supplier_id "
        f"AND n.document_id IN (SELECT document_id FROM {raw}.invoice_documents WHERE {of_month}))"
    )
