"""The overview: the marts as the notebook shows them, read in moments and never written.

    warehouse or snapshot ──one short connection──▶ Overview   all months: a refresh
                          ──one short connection──▶ Month      one of them: a choice
    warehouse ──write_evidence──▶ the evidence of a month

Nothing is held in between: DuckDB lets nobody load into a file that is open anywhere, be it
read-only.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination import Destination
from dlt.common.schema import Schema
from dlt.destinations.sql_client import SqlClientBase
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.evidence import write_evidence
from wolkvox_billing.evidence.report.month import Page
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.sql import MARTS
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.origin import Traced, trace
from wolkvox_billing.reconciliation.policy import read_policy
from wolkvox_billing.values import periods
from wolkvox_billing.verbs.publish import BESIDE
from wolkvox_billing.warehouse.complaints import causes, configured, is_complaint, plain
from wolkvox_billing.warehouse.configuration import PIPELINE
from wolkvox_billing.warehouse.place import DATASET, DESTINATION
from wolkvox_billing.warehouse.sql import REFRESHED, literal, tables_in

Row = dict[str, Any]
Found = TypeVar("Found")
SNAPSHOT = "WOLKVOX_BILLING_SNAPSHOT"
PATIENCE = 10.0  # seconds; a load of a few rows has the file for less than one
_one_at_a_time = threading.Lock()  # DuckDB opens a file read-only or not, the same in a process
_POLLS = "operation_id, report, poll_date, outcome, started_epoch"  # without the bytes of answers
_READINGS = (
    "operation_id, report, description, date, is_repeated, items, read_at, read_epoch, poll_id"
)


@dataclass(frozen=True)
class Source:
    """Where the tables are; `snapshot` is a DuckDB file that `publish` made, instead of them."""

    destination: str = DESTINATION
    dataset: str = DATASET
    snapshot: str | None = None


@dataclass(frozen=True)
class Overview:
    """The marts' rows by mart. `months` such as 2026-10, the newest first, and `chosen`, the newest
    one that was judged; `operations` by what a person chooses. `advice` is what to do next."""

    marts: Mapping[str, Sequence[Row]]  # without the verdicts
    verdicts: Sequence[ReconciledRow]
    as_of: datetime
    timezone: str
    months: Sequence[str]
    chosen: str | None
    operations: Mapping[str, str]
    advice: Sequence[str]


@dataclass(frozen=True)
class Month:
    """A month of the overview: its Page, where its verdicts came from, and its poll_coverage."""

    page: Page
    traced: Sequence[Traced]
    coverage: Sequence[Row]


def source_by_environment() -> Source:
    """The Source by the variables that the command line knows, and WOLKVOX_BILLING_SNAPSHOT."""
    return Source(
        destination=os.environ.get("WOLKVOX_BILLING_DESTINATION") or DESTINATION,
        dataset=os.environ.get("WOLKVOX_BILLING_DATASET") or DATASET,
        snapshot=os.environ.get(SNAPSHOT) or None,
    )


def read_overview(source: Source, patience: float = PATIENCE) -> Overview:
    """The Overview.

    Raises WarehouseError where nothing can be read, with what to do, and SettingsError.
    """

    def read(client: SqlClientBase[Any]) -> Overview:
        marts = f"{source.dataset}_marts"
        found = {one: _rows(client, f"SELECT * FROM {marts}.{one}") for one in MARTS}
        [refreshed] = _rows(client, f"SELECT * FROM {marts}.refreshed")
        verdicts = [ReconciledRow(**row) for row in found.pop("invoice_reconciliation")]
        verdicts.sort(key=lambda row: (not row.is_material, str(astuple(row)[:6])))
        for mart, day in (("usage_restatements", "usage_date"), ("poll_coverage", "poll_date")):
            found[mart].sort(key=lambda row, day=day: (row[day], row["operation_id"]))  # type: ignore[misc]
        judged = _months_of([row for row in verdicts if row.reconciliation_status != "open_period"])
        months = {*judged, *_months_of(verdicts)}
        months |= {*_months(found["poll_coverage"], "poll_date")}
        months |= {*_months(found["usage_monthly"], "billing_period_start")}
        newest = sorted(months, reverse=True)
        return Overview(
            marts=found,
            verdicts=verdicts,
            as_of=datetime.fromtimestamp(refreshed["as_of_epoch"], timezone.utc),
            timezone=refreshed["timezone"],
            months=newest,
            chosen=max(judged, default=next(iter(newest), None)),
            operations=_operations(found["poll_coverage"], verdicts),
            advice=_advice(client, source, verdicts),
        )

    return _read(source, read, patience)


def read_month(
    source: Source,
    overview: Overview,
    month: str,
    operation_id: str | None = None,
    patience: float = PATIENCE,
) -> Month:
    """The Month, of one operation or of all. Invoice lines that no operation or period is known of
    are in each. Raises what `read_overview` raises."""
    start, end = periods.read_month(month)
    policy = configured(read_policy)

    def kept(mart: str, day: str) -> list[Row]:
        return [
            row
            for row in overview.marts[mart]
            if (row[day] is None or start <= row[day] < end)
            and (operation_id is None or row["operation_id"] in (None, operation_id))
        ]

    verdicts = [
        row
        for row in overview.verdicts
        if (row.billing_period_start is None or start <= row.billing_period_start < end)
        and (operation_id is None or row.operation_id in (None, operation_id))
    ]

    def read(client: SqlClientBase[Any]) -> Month:
        raw, marts = source.dataset, f"{source.dataset}_marts"
        own = f"AND operation_id = {literal(operation_id)}" if operation_id else ""

        def of(table: str, columns: str, day: str) -> list[Row]:
            return _rows(
                client,
                f"SELECT {columns} FROM {raw}.{table} WHERE {day} >= {literal(start)} "
                f"AND {day} < {literal(end)} {own}",
            )

        zones = {
            row["operation_id"]: row["timezone"]
            for row in _rows(client, f"SELECT operation_id, timezone FROM {marts}.operations")
        }
        line_map = [
            MapRow(*row.values())
            for row in _rows(client, f"SELECT * FROM {marts}.line_map ORDER BY line_number")
        ]
        tables: dict[str, Sequence[Row]] = {
            "polls": of("polls", _POLLS, "poll_date"),
            "readings": of("readings", _READINGS, "date"),
            "usage_restatements": kept("usage_restatements", "usage_date"),
        }
        page = Page(
            month=month,
            start=start,
            end=end,
            as_of=overview.as_of,
            rows=verdicts,
            tables=tables,
            zones={**zones, "": overview.timezone},
            measures={
                (row["operation_id"], row["report"], row["product"]): row["measure"]
                or "undetermined"
                for row in kept("usage_monthly", "billing_period_start")
            },
            given={},
            policy={},
            versions={},
            language=policy.language,
        )
        traced = trace(client, raw, verdicts, line_map, policy)
        return Month(page, traced, kept("poll_coverage", "poll_date"))

    return _read(source, read, patience)


def evidence_of(source: Source, month: str) -> tuple[str, bytes]:
    """The name and bytes of the month's evidence file, as `write_evidence` writes it, without the
    documents' files. Raises what that raises, and SettingsError for a snapshot."""
    if source.snapshot:
        raise SettingsError(
            "this is a snapshot; the evidence is written where the warehouse is: "
            f"wolkvox-billing reconcile --month {month} --evidence DIR"
        )
    with _one_at_a_time, tempfile.TemporaryDirectory() as folder:
        file = write_evidence(folder, month, destination=source.destination, dataset=source.dataset)
        return file.name, file.read_bytes()


def _read(source: Source, read: Callable[[SqlClientBase[Any]], Found], patience: float) -> Found:
    """What `read` finds; while a load has a DuckDB file, it is tried again."""
    try:
        for attempt in Retrying(
            stop=stop_after_delay(patience),
            wait=wait_fixed(0.1),
            retry=retry_if_exception(is_held),
            reraise=True,
        ):
            with attempt, _one_at_a_time, _opened(source) as client:
                return read(client)
    except ConfigurationException as error:
        raise SettingsError(plain(error)) from None
    except Exception as error:
        if not is_complaint(error):
            raise
        what = "a load has it now; refresh when it is over: " if is_held(error) else ""
        raise WarehouseError(f"the tables cannot be read: {what}{plain(error)}") from None
    raise AssertionError("a retry ends in a result or an error")


def is_held(error: BaseException) -> bool:
    """Whether a DuckDB file is open in another process, or in this one to be written."""
    said = " ".join(map(str, causes(error)))
    return "Conflicting lock" in said or "different configuration" in said


@contextmanager
def _opened(source: Source) -> Iterator[SqlClientBase[Any]]:
    """A client that can only read, all of one moment."""
    where = {"credentials": source.snapshot} if source.snapshot else {}
    name = "duckdb" if source.snapshot else source.destination
    if name not in REFRESHED:
        raise SettingsError(f"the notebook reads {' and '.join(REFRESHED)}, not {name}")
    kind = Destination.from_reference(name, **where)
    assert kind is not None
    if name == "duckdb":
        kind.config_params["pipeline_name"] = PIPELINE  # it names the file, unless a setting does
    spec = kind.spec()._bind_dataset_name(source.dataset)  # type: ignore[attr-defined]
    client: Any = configured(lambda: kind.client(Schema(source.dataset), spec))
    if name == "duckdb":
        file = Path(client.config.data_location())
        if not file.is_file():
            todo = f"publish {file}" if source.snapshot else "load"
            raise WarehouseError(f"there is no file {file} yet: run `wolkvox-billing {todo}` first")
        client.config.credentials.read_only = True
    with client.sql_client as opened, opened.begin_transaction():
        if name == "postgres":
            opened.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if not {*MARTS, *BESIDE} <= tables_in(opened, f"{source.dataset}_marts"):
            todo = "publish it anew" if source.snapshot else "run `wolkvox-billing load`"
            raise WarehouseError(f"the marts are not there, or of an older version: {todo}")
        yield opened


def _rows(client: SqlClientBase[Any], query: str) -> list[Row]:
    with client.execute_query(query) as cursor:
        names = [one[0] for one in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _months(rows: Sequence[Row], day: str) -> list[str]:
    return [periods.format_month(row[day]) for row in rows if row[day]]


def _months_of(verdicts: Sequence[ReconciledRow]) -> list[str]:
    starts = (row.billing_period_start for row in verdicts)
    return [periods.format_month(start) for start in starts if start]


def _operations(coverage: Sequence[Row], verdicts: Sequence[ReconciledRow]) -> dict[str, str]:
    names: dict[str, str | None] = {row.operation_id: None for row in verdicts if row.operation_id}
    names |= {row["operation_id"]: row["operation_name"] for row in coverage}
    return {f"{name} ({one})" if name else one: one for one, name in sorted(names.items())}


def _advice(
    client: SqlClientBase[Any], source: Source, verdicts: Sequence[ReconciledRow]
) -> list[str]:
    """What a person does next, where there is nothing to compare yet."""
    has_invoices = "invoice_lines" in tables_in(client, source.dataset) and bool(
        _rows(client, f"SELECT document_id FROM {source.dataset}.invoice_lines LIMIT 1")
    )
    if not has_invoices:
        return ["No invoice is loaded yet: run `wolkvox-billing invoices PATH`."]
    if not verdicts:
        return [
            "Nothing is judged yet: run `wolkvox-billing reconcile --init`, edit the two files "
            "that it names, and run `wolkvox-billing reconcile`."
        ]
    return []
