"""The overview: the marts as the notebook shows them, read in moments and never written.

    warehouse or snapshot ──one short connection──▶ Overview   all months: a refresh
                          ──one short connection──▶ Month      one of them: a choice
    warehouse ──reconcile──▶ the evidence of a month

Nothing is held in between: DuckDB lets nobody load into a file that is open anywhere, be it
read-only.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination import Destination
from dlt.common.schema import Schema
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.evidence import order_evidence
from wolkvox_billing.evidence.report.month import (
    Call,
    Counter,
    DayCoverage,
    LoadedReading,
    Page,
    Restatement,
)
from wolkvox_billing.invoices.decisions import WITHDRAWN, read_decisions
from wolkvox_billing.marts.copied import COPIED_PERIOD_COLUMNS, CopiedPeriod
from wolkvox_billing.marts.engine import BESIDE, MARTS
from wolkvox_billing.marts.identities import Identities, read_identities
from wolkvox_billing.marts.reconciled import COLUMNS, ReconciledRow
from wolkvox_billing.reconciliation.billed_lines import read_standings
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS, MapRow
from wolkvox_billing.reconciliation.origin import Traced, find_bases, trace
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.settlement import Settled, read_settled
from wolkvox_billing.reconciliation.standing_words import tell_standings
from wolkvox_billing.values.periods import Period, format_month
from wolkvox_billing.values.periods import read_month as read_period
from wolkvox_billing.verbs.reconcile import reconcile
from wolkvox_billing.warehouse.complaints import causes, configured, is_complaint, plain
from wolkvox_billing.warehouse.configuration import PIPELINE
from wolkvox_billing.warehouse.place import DATASET, DESTINATION
from wolkvox_billing.warehouse.sql import REFRESHED, Client, literal, rows_of, tables_in

Result = TypeVar("Result")
Record = TypeVar("Record", bound=NamedTuple)
SNAPSHOT = "WOLKVOX_BILLING_SNAPSHOT"
PATIENCE = 10.0  # seconds; a load of a few rows has the file for less than one
_one_at_a_time = threading.Lock()  # DuckDB opens a file read-only or not, the same in a process


@dataclass(frozen=True)
class Source:
    """Where the tables are; `snapshot` is a DuckDB file that `publish` made, instead of them."""

    destination: str = DESTINATION
    dataset: str = DATASET
    snapshot: str | None = None

    @property
    def marts(self) -> str:
        return f"{self.dataset}_marts"


class CounterMonth(NamedTuple):
    """A row of `usage_monthly`, with the fields that are used, named as its columns are."""

    operation_id: str
    report: str
    product: str
    billing_period_start: date
    measure: str | None


@dataclass(frozen=True)
class Overview:
    """The marts' rows, of all months. `months` such as 2026-10, the newest first, and `chosen`, the
    newest one that was judged; `operations` by what a person chooses. `advice` is what to do next.
    """

    verdicts: Sequence[ReconciledRow]
    usage: Sequence[CounterMonth]
    restatements: Sequence[Restatement]
    coverage: Sequence[DayCoverage]
    as_of: datetime
    timezone: str
    months: Sequence[str]
    chosen: str | None
    operations: Mapping[str, str]
    advice: Sequence[str]


@dataclass(frozen=True)
class Month:
    """A month of the overview: its Page, where its verdicts came from, its poll_coverage, and what
    was counted in the bucket; `withdrawn`: a sentence for each document that a person withdrew."""

    page: Page
    traced: Sequence[Traced]
    coverage: Sequence[DayCoverage]
    copies: Sequence[CopiedPeriod]
    withdrawn: Sequence[str] = ()


class _Choice(NamedTuple):
    """The month and the operation that a person chose; None for all operations."""

    period: Period
    operation_id: str | None

    def has(self, operation_id: str | None, day: date | None) -> bool:
        """Whether a row is of it. One that names no operation, all of them or no day is of each."""
        start, end = self.period
        is_of_month = day is None or start <= day < end
        own = (None, ALL_OPERATIONS, self.operation_id)
        return is_of_month and (self.operation_id is None or operation_id in own)

    def has_document(self, settled: Settled) -> bool:
        """Whether a document has a part of it, or of nobody knows whom: a line that no row of the
        line map fits, or all of it, where no part names an operation."""
        parts = settled.components
        names = {part.operation_id for part in parts} - {None}
        is_loose = any(part.component == "line" and part.role is None for part in parts)
        is_own = not names or not names.isdisjoint((ALL_OPERATIONS, self.operation_id))
        return self.operation_id is None or is_loose or is_own

    def as_condition(self, day: str, identities: Identities) -> str:
        """Return the same for a raw table's rows, which name both, in SQL."""
        start, end = map(literal, self.period)
        condition = f"{day} >= {start} AND {day} < {end}"
        if self.operation_id:
            condition += f" AND {identities.are('operation_id', self.operation_id)}"
        return condition


def source_by_environment() -> Source:
    """Return the Source by the variables of the command line, and WOLKVOX_BILLING_SNAPSHOT."""
    return Source(
        destination=os.environ.get("WOLKVOX_BILLING_DESTINATION") or DESTINATION,
        dataset=os.environ.get("WOLKVOX_BILLING_DATASET") or DATASET,
        snapshot=os.environ.get(SNAPSHOT) or None,
    )


def read_overview(source: Source, patience: float = PATIENCE) -> Overview:
    """Return the Overview.

    Raises WarehouseError where nothing can be read, with what to do, and SettingsError.
    """

    def read(client: Client) -> Overview:
        marts = source.marts
        [(epoch, zone)] = rows_of(client, f"SELECT as_of_epoch, timezone FROM {marts}.refreshed")
        stored = rows_of(client, f"SELECT {', '.join(COLUMNS)} FROM {marts}.invoice_reconciliation")
        verdicts = [ReconciledRow(*row) for row in stored]
        verdicts.sort(key=lambda row: (not row.is_material, str(astuple(row)[:6])))
        usage = _records(client, CounterMonth, f"{marts}.usage_monthly")
        restatements = _records(client, Restatement, f"{marts}.usage_restatements")
        coverage = _records(client, DayCoverage, f"{marts}.poll_coverage")
        judged = _months(
            row.billing_period_start
            for row in verdicts
            if row.reconciliation_status != "open_period"
        )
        months = _months(
            [
                *(row.billing_period_start for row in verdicts),
                *(day.poll_date for day in coverage),
                *(row.billing_period_start for row in usage),
            ]
        )
        return Overview(
            verdicts=verdicts,
            usage=usage,
            restatements=sorted(restatements, key=lambda row: (row.usage_date, row.operation_id)),
            coverage=sorted(coverage, key=lambda day: (day.poll_date, day.operation_id)),
            as_of=datetime.fromtimestamp(epoch, timezone.utc),
            timezone=zone,
            months=months,
            chosen=next(iter([*judged, *months]), None),
            operations=_operations(coverage, verdicts),
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
    """Return the Month, of one operation or of all. Invoice lines that no operation or period is
    known of are in each. Raises what `read_overview` raises."""
    choice = _Choice(read_period(month), operation_id)
    policy = configured(read_policy)
    verdicts = [
        row for row in overview.verdicts if choice.has(row.operation_id, row.billing_period_start)
    ]

    def read(client: Client) -> Month:
        raw, marts = source.dataset, source.marts
        zones: dict[str, str] = dict(
            rows_of(client, f"SELECT operation_id, timezone FROM {marts}.operations")
        )
        identities = read_identities(client, marts)
        of_day, of_call = (choice.as_condition(day, identities) for day in ("date", "poll_date"))
        calls = _records(client, Call, f"{raw}.polls", of_call)
        readings = _records(client, LoadedReading, f"{raw}.readings", of_day)
        page = Page(
            period=choice.period,
            as_of=overview.as_of,
            settled=[
                each.document
                for each in read_settled(client, marts, choice.period)
                if choice.has_document(each)
            ],
            operation_id=operation_id,
            verdicts=verdicts,
            calls=identities.count(calls),
            readings=identities.count(readings),
            restatements=[
                row for row in overview.restatements if choice.has(row.operation_id, row.usage_date)
            ],
            zones={**zones, "": overview.timezone},
            measures={
                Counter(row.operation_id, row.report, row.product): row.measure or "undetermined"
                for row in overview.usage
                if choice.has(row.operation_id, row.billing_period_start)
            },
            language=policy.language,
        )
        stored = rows_of(client, f"SELECT * FROM {marts}.line_map ORDER BY line_number")
        line_map = [MapRow(*row) for row in stored]
        bases = find_bases(client, raw, verdicts, line_map, policy)
        coverage = [day for day in overview.coverage if choice.has(day.operation_id, day.poll_date)]
        copies = [
            row
            for row in _read_copies(client, marts)
            if choice.has(row.operation_id, row.billing_period_start)
        ]
        withdrawn = _withdrawn(client, raw, choice.period, policy)
        return Month(page, trace(client, raw, bases), coverage, copies, withdrawn)

    return _read(source, read, patience)


def _read_copies(client: Client, marts: str) -> list[CopiedPeriod]:
    """Return copy_reconciliation, by operation and time."""
    columns = ", ".join(COPIED_PERIOD_COLUMNS)
    rows = rows_of(client, f"SELECT {columns} FROM {marts}.copy_reconciliation ORDER BY 1, 4")
    return [CopiedPeriod(*row) for row in rows]


def _withdrawn(client: Client, raw: str, month: Period, policy: Policy) -> list[str]:
    """Return a sentence for each withdrawn document of a month, or of nobody knows which: who
    withdrew it, when, and why."""
    if not read_decisions(client, raw):
        return []
    standings = [
        standing._replace(period=standing.document.period)
        for standing in read_standings(client, raw, policy)
        if standing.state == WITHDRAWN
    ]
    return tell_standings([own for own in standings if own.is_for(month)], policy.language)


def evidence_of(source: Source, month: str) -> tuple[str, bytes]:
    """Return the name and bytes of the month's evidence file, as `reconcile` writes it, without the
    documents' files. Raises what that raises, and SettingsError for a snapshot."""
    if source.snapshot:
        raise SettingsError(
            "this is a snapshot; the evidence is written where the warehouse is: "
            f"wolkvox-billing reconcile --month {month} --evidence DIR"
        )
    with _one_at_a_time, tempfile.TemporaryDirectory() as folder:
        result = reconcile(
            month,
            destination=source.destination,
            dataset=source.dataset,
            evidence=order_evidence(folder, month),
        )
        assert result.evidence  # it was ordered
        return result.evidence.name, result.evidence.read_bytes()


def _read(source: Source, read: Callable[[Client], Result], patience: float) -> Result:
    """What `read` returns; while a load has a DuckDB file, it is tried again."""
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
        holder = "a load has it now; refresh when it is over: " if is_held(error) else ""
        raise WarehouseError(f"the tables cannot be read: {holder}{plain(error)}") from None
    raise AssertionError("a retry ends in a result or an error")


def is_held(error: BaseException) -> bool:
    """Whether a DuckDB file is open in another process, or in this one to be written."""
    text = " ".join(map(str, causes(error)))
    return "Conflicting lock" in text or "different configuration" in text


@contextmanager
def _opened(source: Source) -> Iterator[Client]:
    """A client that can only read, all of one moment."""
    credentials = {"credentials": source.snapshot} if source.snapshot else {}
    name = "duckdb" if source.snapshot else source.destination
    if name not in REFRESHED:
        raise SettingsError(f"the notebook reads {' and '.join(REFRESHED)}, not {name}")
    kind = Destination.from_reference(name, **credentials)
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
        if not {*MARTS, *BESIDE} <= tables_in(opened, source.marts):
            todo = "publish it anew" if source.snapshot else "run `wolkvox-billing load`"
            raise WarehouseError(f"the marts are not there, or of an older version: {todo}")
        yield opened


def _records(
    client: Client, kind: type[Record], table: str, condition: str = "TRUE"
) -> list[Record]:
    """The rows of a table, with the columns that a NamedTuple has as fields."""
    query = f"SELECT {', '.join(kind._fields)} FROM {table} WHERE {condition}"
    return [kind._make(row) for row in rows_of(client, query)]


def _months(days: Iterable[date | None]) -> list[str]:
    """The months of these days, the newest first."""
    return sorted({format_month(day) for day in days if day}, reverse=True)


def _operations(
    coverage: Sequence[DayCoverage], verdicts: Sequence[ReconciledRow]
) -> dict[str, str]:
    names: dict[str, str | None] = {row.operation_id: None for row in verdicts if row.operation_id}
    names |= {day.operation_id: day.operation_name for day in coverage}
    return {f"{name} ({key})" if name else key: key for key, name in sorted(names.items())}


def _advice(client: Client, source: Source, verdicts: Sequence[ReconciledRow]) -> list[str]:
    """What a person does next, where there is nothing to compare yet."""
    has_invoices = "invoice_lines" in tables_in(client, source.dataset) and bool(
        rows_of(client, f"SELECT document_id FROM {source.dataset}.invoice_lines LIMIT 1")
    )
    if not has_invoices:
        return ["No invoice is loaded yet: run `wolkvox-billing invoices PATH`."]
    if not verdicts:
        return [
            "Nothing is judged yet: run `wolkvox-billing reconcile --init`, edit the two files "
            "that it names, and run `wolkvox-billing reconcile`."
        ]
    return []
