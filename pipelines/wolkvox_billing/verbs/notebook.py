"""The notebook's rows: the marts as it shows them, read in moments and never written.

    warehouse or snapshot ──one short connection──▶ Overview        what can be chosen: a refresh
                          ──one short connection──▶ Month           one of them: a choice
                          ──one short connection──▶ Traced, Usage   a verdict, a counter: a click
    warehouse ──reconcile, claim──▶ workbook, evidence and letters of a month

Nothing is held in between: DuckDB lets nobody load into a file that is open anywhere, be it
read-only.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination import Destination
from dlt.common.schema import Schema
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from wolkvox_billing.closing.grounds import (
    NO_GROUNDS,
    NoLongerHolds,
    compare_grounds,
    read_grounds,
)
from wolkvox_billing.closing.records import Close, newest, read_closes
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.evidence import order_evidence
from wolkvox_billing.evidence.report.month import (
    Call,
    Counter,
    DayCoverage,
    LoadedReading,
    Page,
    Restatement,
    Usage,
    usages,
)
from wolkvox_billing.evidence.workbook import order_workbook
from wolkvox_billing.invoices.decisions import WITHDRAWN, read_decisions
from wolkvox_billing.marts.ahead import Forecast
from wolkvox_billing.marts.copied import CopiedPeriod
from wolkvox_billing.marts.engine import BESIDE, MARTS, internal_of
from wolkvox_billing.marts.identities import read_identities
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.billed_lines import read_standings
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS, MapRow
from wolkvox_billing.reconciliation.facts import Meter
from wolkvox_billing.reconciliation.keys import Comparison
from wolkvox_billing.reconciliation.origin import (
    Traced,
    bases_in,
    compare_anew,
    spelled_as,
    trace,
)
from wolkvox_billing.reconciliation.policy import read_policy
from wolkvox_billing.reconciliation.settlement import Settled, read_settled
from wolkvox_billing.reconciliation.standing_words import tell_standings
from wolkvox_billing.values.periods import DAY, Period, format_month, months_of
from wolkvox_billing.values.periods import read_month as read_period
from wolkvox_billing.values.translation import N_, translate
from wolkvox_billing.verbs.claim import claim
from wolkvox_billing.verbs.reconcile import reconcile
from wolkvox_billing.warehouse.complaints import causes, configured, is_complaint, plain
from wolkvox_billing.warehouse.configuration import PIPELINE
from wolkvox_billing.warehouse.place import DATASET, DESTINATION
from wolkvox_billing.warehouse.sql import (
    REFRESHED,
    Client,
    among,
    literal,
    rows_as,
    rows_of,
    tables_in,
)

SNAPSHOT = "WOLKVOX_BILLING_SNAPSHOT"
PATIENCE = 10.0  # seconds; a load of a few rows has the file for less than one
_one_at_a_time = threading.Lock()  # DuckDB opens a file read-only or not, the same in a process


@dataclass(frozen=True)
class Source:
    """Where the tables are; `snapshot` is a DuckDB file that `publish` made, instead of them.
    `patience`: how many seconds one that somebody else has open is waited for."""

    destination: str = DESTINATION
    dataset: str = DATASET
    snapshot: str | None = None
    patience: float = PATIENCE

    @property
    def marts(self) -> str:
        return f"{self.dataset}_marts"


class MonthlyCost(NamedTuple):
    """What a month's verdicts of an operation and a currency come to. `billed_cost` and
    `contracted_cost` are of those that have both, `without_price` how many more are billed."""

    billing_period_start: date
    operation_id: str | None
    billing_currency: str | None
    billed_cost: Decimal | None
    contracted_cost: Decimal | None
    without_price: int


class CloseState(NamedTuple):
    """The newest record of a month's close, and why it no longer holds, None where it does."""

    close: Close
    broken: NoLongerHolds | None


class DocumentFile(NamedTuple):
    """Where a document came from; a row of `invoice_documents`."""

    document_id: str
    document_uuid: str | None
    supplier_name: str | None
    format: str
    file_name: str
    file_sha256: str
    read_at: datetime


@dataclass(frozen=True)
class Overview:
    """What there is to be chosen. `months` such as 2026-10, the newest first, and `chosen`, the
    newest one that was judged; `operations` by what a person chooses. `advice` is what to do next.
    """

    as_of: datetime
    timezone: str
    months: Sequence[str]
    chosen: str | None
    operations: Mapping[str, str]
    costs: Sequence[MonthlyCost]
    language: str
    advice: Sequence[str]


@dataclass(frozen=True)
class Month:
    """A month of the overview, of one operation or of all, as the marts have it. `counters` are
    those that were read; `claimed` the documents of which a claim is recorded; `copies` what was
    counted in the bucket, where somebody looked; `withdrawn` a sentence for each document that a
    person withdrew."""

    period: Period
    operation_id: str | None
    as_of: datetime
    zones: Mapping[str, str]
    language: str
    settled: Sequence[Settled]
    files: Mapping[str, DocumentFile]
    verdicts: Sequence[ReconciledRow]
    counters: Sequence[Counter]
    coverage: Sequence[DayCoverage]
    close: CloseState | None
    claimed: frozenset[str]
    copies: Sequence[CopiedPeriod]
    forecasts: Sequence[Forecast]
    withdrawn: Sequence[str]

    @property
    def name(self) -> str:
        return format_month(self.period.start)

    def zone(self, operation_id: str | None) -> ZoneInfo:
        return ZoneInfo(self.zones.get(operation_id or "") or self.zones[""])


class _Choice(NamedTuple):
    """The month and the operation that a person chose; None for all operations."""

    period: Period
    operation_id: str | None

    @property
    def of_operation(self) -> str:
        """Return the condition of a mart's rows. One that names no operation is of each."""
        if not self.operation_id:
            return "TRUE"
        names = f"{literal(self.operation_id)}, {literal(ALL_OPERATIONS)}"
        return f"(operation_id IS NULL OR operation_id IN ({names}))"

    def on(self, day: str) -> str:
        """Return the condition of rows of a day of the month."""
        start, end = map(literal, self.period)
        return f"({day} >= {start} AND {day} < {end}) AND {self.of_operation}"

    @property
    def overlapping(self) -> str:
        """Return the condition of rows of a billing period. One without a period is of each."""
        start, end = map(literal, self.period)
        return (
            f"(billing_period_start IS NULL OR billing_period_start < {end} "
            f"AND billing_period_end > {start}) AND {self.of_operation}"
        )

    def has_document(self, settled: Settled) -> bool:
        """Whether a document has a part of it, or of nobody knows whom: a line that no row of the
        line map fits, or all of it, where no part names an operation."""
        parts = settled.components
        names = {part.operation_id for part in parts} - {None}
        is_loose = any(part.component == "line" and part.role is None for part in parts)
        is_own = not names or not names.isdisjoint((ALL_OPERATIONS, self.operation_id))
        return self.operation_id is None or is_loose or is_own


def source_by_environment() -> Source:
    """Return the Source by the variables of the command line, and WOLKVOX_BILLING_SNAPSHOT."""
    return Source(
        destination=os.environ.get("WOLKVOX_BILLING_DESTINATION") or DESTINATION,
        dataset=os.environ.get("WOLKVOX_BILLING_DATASET") or DATASET,
        snapshot=os.environ.get(SNAPSHOT) or None,
    )


def read_overview(source: Source) -> Overview:
    """Return the Overview.

    Raises WarehouseError where nothing can be read, with what to do, and SettingsError.
    """
    marts, raw = source.marts, source.dataset
    with _reading(source) as client:
        [(epoch, zone)] = rows_of(client, f"SELECT as_of_epoch, timezone FROM {marts}.refreshed")
        verdicts = rows_of(
            client,
            "SELECT billing_period_start, operation_id, MAX(operation_name), "
            "MAX(CASE WHEN reconciliation_status = 'open_period' THEN 0 ELSE 1 END) "
            f"FROM {marts}.invoice_reconciliation GROUP BY billing_period_start, operation_id",
        )
        polled = rows_of(
            client,
            "SELECT DISTINCT operation_id, CAST(date_trunc('month', poll_date) AS DATE) "
            f"FROM {raw}.polls",
        )
        months = _months_through([*(day for day, *_ in verdicts), *(day for _, day in polled)])
        judged = _months_of(day for day, *_, is_judged in verdicts if is_judged)
        identities = read_identities(client, marts)
        names = {current for name, _ in polled if (current := identities.current(name))}
        return Overview(
            as_of=datetime.fromtimestamp(epoch, timezone.utc),
            timezone=zone,
            months=months,
            chosen=next(iter([*judged, *months]), None),
            operations=_operations(
                {**dict.fromkeys(names), **{key: name for _, key, name, _ in verdicts if key}}
            ),
            costs=rows_as(client, MonthlyCost, f"({_COSTS.format(marts=marts)}) AS costs"),
            language=configured(read_policy).language,
            advice=_advice(client, source, has_verdicts=bool(verdicts)),
        )


def read_month(
    source: Source, overview: Overview, month: str, operation_id: str | None = None
) -> Month:
    """Return the Month, of one operation or of all. Invoice lines that no operation or period is
    known of are in each. Raises what `read_overview` raises."""
    choice, marts = _Choice(read_period(month), operation_id), source.marts
    with _reading(source) as client:
        settled = [
            each for each in read_settled(client, marts, choice.period) if choice.has_document(each)
        ]
        coverage = rows_as(
            client, DayCoverage, f"{marts}.poll_coverage WHERE {choice.on('poll_date')}"
        )
        claimed = rows_of(
            client, f"SELECT document_id FROM {marts}.claims_open WHERE claimed_amount > 0"
        )
        return Month(
            period=choice.period,
            operation_id=operation_id,
            as_of=overview.as_of,
            zones=_zones(client, marts, overview),
            language=overview.language,
            settled=settled,
            files=_read_files(client, source.dataset, settled),
            verdicts=_read_verdicts(client, marts, choice),
            counters=_read_counters(client, source, choice),
            coverage=sorted(coverage, key=lambda day: (day.poll_date, day.operation_id)),
            close=_read_close(client, source, choice.period),
            withdrawn=_withdrawn(client, source.dataset, choice.period),
            copies=rows_as(
                client,
                CopiedPeriod,
                f"{marts}.copy_reconciliation WHERE {choice.overlapping} "
                "AND counted_quantity IS NOT NULL ORDER BY operation_id, billing_period_start",
            ),
            forecasts=rows_as(
                client,
                Forecast,
                f"{marts}.forecast WHERE {choice.overlapping} "
                "AND expected_quantity IS NOT NULL ORDER BY operation_id, report, product",
            ),
            claimed=frozenset(document_id for (document_id,) in claimed),
        )


class Trails:
    """Where verdicts come from. What is compared with what is read for the first one, and once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._comparison: Comparison | None = None

    def read(self, verdict: ReconciledRow) -> Traced:
        """Return where a verdict comes from. Raises what `read_overview` raises."""
        raw, marts = self.source.dataset, self.source.marts
        with _reading(self.source) as client:
            if not self._comparison:
                stored = rows_of(client, f"SELECT * FROM {marts}.line_map ORDER BY line_number")
                line_map = [MapRow(*row) for row in stored]
                self._comparison = compare_anew(client, raw, line_map, configured(read_policy))
            [traced] = trace(client, raw, bases_in(self._comparison, [verdict]))
            return traced


def read_usage(source: Source, month: Month, counter: Counter) -> Usage | None:
    """Return what was read of a counter in a month, when it was asked, and what was billed of it;
    None where nothing was. Raises what `read_overview` raises."""
    start, end = map(literal, month.period)
    raw, marts = source.dataset, source.marts
    with _reading(source) as client:
        identities = read_identities(client, marts)
        own = (
            f"{identities.are('operation_id', counter.operation_id)} "
            f"AND report = {literal(counter.report)}"
        )
        of_calls = f"{own} AND poll_date >= {start} AND poll_date < {end}"
        of_product = spelled_as(client, raw, Meter(*counter), identities)
        of_readings = f"{own} AND {of_product} AND date >= {start} AND date < {end}"
        calls = rows_as(client, Call, f"{raw}.polls WHERE {of_calls}")
        readings = rows_as(client, LoadedReading, f"{raw}.readings WHERE {of_readings}")
        page = Page(
            period=month.period,
            as_of=month.as_of,
            verdicts=month.verdicts,
            calls=identities.count(calls),
            readings=[
                row._replace(description=counter.product) for row in identities.count(readings)
            ],
            restatements=(),
            zones=month.zones,
            measures=_read_measure(client, marts, counter, month.period),
            language=month.language,
        )
        return next((own for own in usages(page) if own.counter[:2] == counter[:2]), None)


def read_restatements(source: Source, month: Month) -> list[Restatement]:
    """Return the month's values that changed after their day, or that fell, in the order of days.
    Raises what `read_overview` raises."""
    of_month = _Choice(month.period, month.operation_id).on("usage_date")
    table = f"{source.marts}.usage_restatements WHERE {of_month}"
    with _reading(source) as client:
        rows = rows_as(client, Restatement, table)
    return sorted(rows, key=lambda row: (row.usage_date, row.operation_id))


class WrittenFile(NamedTuple):
    """A file for a person to keep."""

    name: str
    data: bytes


class Written(NamedTuple):
    """What was written, and what is said about it."""

    files: Sequence[WrittenFile]
    says: Sequence[str] = ()


def write_evidence(source: Source, month: str) -> Written:
    """Return the month's evidence file, as `reconcile` writes it, without the documents' files.
    Raises what that raises, and SettingsError for a snapshot."""
    with _scratch(source, f"reconcile --month {month} --evidence DIR") as folder:
        result = reconcile(
            month,
            destination=source.destination,
            dataset=source.dataset,
            evidence=order_evidence(folder, month),
        )
        assert result.evidence  # it was ordered
        return Written(_files_of(result.evidence))


def write_workbook(source: Source, month: str) -> Written:
    """Return the month's workbook, as `reconcile` writes it. Raises what `write_evidence` does."""
    target = f"wolkvox-{month}.xlsx"
    with _scratch(source, f"reconcile --month {month} --xlsx {target}") as folder:
        result = reconcile(
            month,
            destination=source.destination,
            dataset=source.dataset,
            workbook=order_workbook(folder / target, month),
        )
        assert result.workbook  # it was ordered
        return Written(_files_of(result.workbook))


def write_claim(source: Source, month: str) -> Written:
    """Return the letters of what is claimed in the month and the evidence that they name, as
    `claim` writes them; each claim is recorded. Raises what that raises, and SettingsError for a
    snapshot."""
    with _scratch(source, f"claim {month}") as folder:
        result = claim(month, out=folder, destination=source.destination, dataset=source.dataset)
        letters = [claimed.letter for claimed in result.claimed]
        says = [result.says, *(claimed.says for claimed in result.claimed),
                *(document.says for document in result.unclaimed)]  # fmt: skip
        return Written(_files_of(*letters, result.evidence), [text for text in says if text])


@contextmanager
def _scratch(source: Source, words: str) -> Iterator[Path]:
    """A folder for files that are written, which nobody else writes at the same time."""
    if source.snapshot:
        raise SettingsError(
            f"this is a snapshot; files are written where the warehouse is: wolkvox-billing {words}"
        )
    with _one_at_a_time, tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _files_of(*paths: Path | None) -> list[WrittenFile]:
    return [WrittenFile(path.name, path.read_bytes()) for path in paths if path]


@contextmanager
def _reading(source: Source) -> Iterator[Client]:
    """Give a client that can only read; while a load has a DuckDB file, it is tried again."""
    try:
        with ExitStack() as stack:
            for attempt in Retrying(
                stop=stop_after_delay(source.patience),
                wait=wait_fixed(0.1),
                retry=retry_if_exception(is_held),
                reraise=True,
            ):
                with attempt:
                    client = stack.enter_context(_opened(source))
            yield client
    except ConfigurationException as error:
        raise SettingsError(plain(error)) from None
    except Exception as error:
        if not is_complaint(error):
            raise
        holder = "a load has it now; refresh when it is over: " if is_held(error) else ""
        raise WarehouseError(f"the tables cannot be read: {holder}{plain(error)}") from None


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
    with _one_at_a_time, client.sql_client as opened, opened.begin_transaction():
        if name == "postgres":
            opened.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if not {*MARTS, *BESIDE} <= tables_in(opened, source.marts):
            todo = "publish it anew" if source.snapshot else "run `wolkvox-billing load`"
            raise WarehouseError(f"the marts are not there, or of an older version: {todo}")
        yield opened


# Of each month, operation and currency; what nobody billed has no currency.
_COSTS = """
    SELECT billing_period_start, operation_id, billing_currency,
        SUM(CASE WHEN contracted_cost IS NOT NULL THEN billed_cost END) AS billed_cost,
        SUM(CASE WHEN billed_cost IS NOT NULL THEN contracted_cost END) AS contracted_cost,
        SUM(CASE WHEN contracted_cost IS NULL AND billed_cost IS NOT NULL THEN 1 ELSE 0 END)
            AS without_price
    FROM {marts}.invoice_reconciliation
    WHERE invoice_ids IS NOT NULL AND billing_period_start IS NOT NULL
    GROUP BY billing_period_start, operation_id, billing_currency
"""


def _months_of(days: Iterable[date | None]) -> list[str]:
    """Return the months of these days, the newest first."""
    return sorted({format_month(day) for day in days if day}, reverse=True)


def _months_through(days: Iterable[date | None]) -> list[str]:
    """Return all months from the first to the last of these days, the newest first: those in which
    nobody was asked are months too."""
    known = sorted(day for day in days if day)
    if not known:
        return []
    return _months_of(period.start for period in months_of(Period(known[0], known[-1] + DAY)))


def _zones(client: Client, marts: str, overview: Overview) -> dict[str, str]:
    zones = rows_of(client, f"SELECT operation_id, timezone FROM {marts}.operations")
    return {**dict(zones), "": overview.timezone}


def _read_verdicts(client: Client, marts: str, choice: _Choice) -> list[ReconciledRow]:
    """Return the verdicts of a choice, those that are worth an alarm first, the dearest of them
    first."""
    table = f"{marts}.invoice_reconciliation WHERE {choice.overlapping}"
    return sorted(
        rows_as(client, ReconciledRow, table),
        key=lambda row: (
            not row.is_material,
            -abs(row.cost_variance or Decimal()),
            str(astuple(row)[:6]),
        ),
    )


def _read_counters(client: Client, source: Source, choice: _Choice) -> list[Counter]:
    """Return the counters that were read in the month, each under its newest spelling."""
    raw, internal = source.dataset, internal_of(source.dataset)
    identities = read_identities(client, source.marts)
    start, end = map(literal, choice.period)
    read = rows_of(
        client,
        f"SELECT DISTINCT operation_id, report, description FROM {raw}.readings "
        f"WHERE date >= {start} AND date < {end}",
    )
    spellings: dict[tuple[object, ...], str] = {}
    if "spellings" in tables_in(client, internal):
        columns = "operation_id, report, product, newest_product"
        for *key, newest_product in rows_of(client, f"SELECT {columns} FROM {internal}.spellings"):
            spellings[tuple(key)] = newest_product
    counters = [
        counter._replace(product=spellings.get(counter, counter.product))
        for counter in identities.count(Counter(*row) for row in read)
    ]
    return sorted({c for c in counters if choice.operation_id in (None, c.operation_id)})


def _read_measure(
    client: Client, marts: str, counter: Counter, month: Period
) -> dict[Counter, str]:
    """Return what a counter's numbers mean. It is asked of one alone: the view goes through all of
    its readings."""
    operation_id, report, product = map(literal, counter)
    rows = rows_of(
        client,
        f"SELECT measure FROM {marts}.usage_monthly WHERE operation_id = {operation_id} "
        f"AND report = {report} AND product = {product} "
        f"AND billing_period_start = {literal(month.start)}",
    )
    return {counter: next((measure for (measure,) in rows if measure), "undetermined")}


def _read_files(client: Client, raw: str, settled: Sequence[Settled]) -> dict[str, DocumentFile]:
    """Return where documents came from, by their ids."""
    ids = [each.document.document_id for each in settled]
    if not ids:
        return {}
    table = f"{raw}.invoice_documents WHERE {among('document_id', ids)}"
    return {row.document_id: row for row in rows_as(client, DocumentFile, table)}


def _read_close(client: Client, source: Source, month: Period) -> CloseState | None:
    """Return how a month is closed; None where it was never."""
    close = newest(read_closes(client, source.dataset)).get(format_month(month.start))
    if not close or close.status != "closed":
        return CloseState(close, None) if close else None
    grounds = read_grounds(client, source.marts, month)
    return CloseState(close, compare_grounds(close, grounds.get(close.month, NO_GROUNDS)))


def _withdrawn(client: Client, raw: str, month: Period) -> list[str]:
    """Return a sentence for each withdrawn document of a month, or of nobody knows which: who
    withdrew it, when, and why."""
    tables = tables_in(client, raw)
    if not read_decisions(client, raw, tables):
        return []
    policy = configured(read_policy)
    standings = [
        standing._replace(period=standing.document.period)
        for standing in read_standings(client, raw, policy, tables)
        if standing.state == WITHDRAWN
    ]
    return tell_standings([own for own in standings if own.is_for(month)], policy.language)


def _operations(names: Mapping[str, str | None]) -> dict[str, str]:
    return {f"{name} ({key})" if name else key: key for key, name in sorted(names.items())}


def _advice(client: Client, source: Source, *, has_verdicts: bool) -> list[str]:
    """Return what a person does next, where there is nothing to compare yet."""
    language = configured(read_policy).language
    has_table = "invoice_lines" in tables_in(client, source.dataset)
    a_line = f"SELECT document_id FROM {source.dataset}.invoice_lines LIMIT 1"
    if not (has_table and rows_of(client, a_line)):
        return [translate(_NO_INVOICE, language)]
    return [] if has_verdicts else [translate(_NO_VERDICT, language)]


_NO_INVOICE = N_("No invoice is loaded yet: run `wolkvox-billing invoices PATH`.")
_NO_VERDICT = N_(
    "Nothing is judged yet: run `wolkvox-billing reconcile --init`, edit the two files that it "
    "names, and run `wolkvox-billing reconcile`."
)
