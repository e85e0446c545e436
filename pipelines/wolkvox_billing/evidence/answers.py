"""The answers that a month's verdicts stand on, as they were received, so that a stranger can read
the numbers out of them again.

    verdicts, usage_monthly, readings, polls ─▶ which calls, and what each is for
    polls.answer ─▶ answers/POLL_ID.json, and a row of the table `answers` with its SHA-256
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from wolkvox_billing.evidence.report.month import Call, LoadedReading, Restatement
from wolkvox_billing.evidence.tables import Table, sort_table
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.polling.polls import KEPT_BYTES
from wolkvox_billing.reconciliation.contract.line_map import ALL_OPERATIONS
from wolkvox_billing.values.periods import DAY, Period
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.translation import N_
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.warehouse.sql import Client, among, rows_of

# What an answer is for, the weightiest first: beyond these bounds the last ones are left out.
LAST = N_("last reading of the month")
EMPTY = N_("answered without a row")
HIGHEST = N_("highest level")
EACH_DAY = N_("last reading of a day")
ENDS = N_("end of a billed period")
TURN = N_("night of the month's turn")
CHANGED = N_("value that fell, or changed after its day")
LEVEL = N_("change of a level")
_ORDER = (LAST, EMPTY, HIGHEST, EACH_DAY, ENDS, TURN, CHANGED, LEVEL)
MOST_ANSWERS, MOST_BYTES = 3000, 64 * 1024 * 1024
_AT_ONCE = 500

KINDS = {
    **dict.fromkeys(("poll_id", "answer_sha256", "file", "file_sha256"), "VARCHAR"),
    "file_bytes": "BIGINT",
    "outcome": "VARCHAR",
    "answer_bytes": "BIGINT",
    **dict.fromkeys(("completeness", "stands_for", "operation_id", "report"), "VARCHAR"),
}
WHOLE, CUT, MASKED, DIFFERS, NOTHING, LEFT_OUT = (
    "whole", "cut", "masked", "differs", "nothing", "left out",
)  # fmt: skip


class MonthMeaning(NamedTuple):
    """A row of `usage_monthly`."""

    operation_id: str
    report: str
    product: str
    billing_period_start: date
    billing_period_end: date
    measure: str | None
    measure_source: str
    consumed_quantity: Decimal | None
    consumed_unit: str
    last_read_at: datetime
    poll_id: str


@dataclass(frozen=True)
class Measured:
    """What the verdicts of a month are measured by."""

    verdicts: Sequence[ReconciledRow]
    meanings: Sequence[MonthMeaning]
    readings: Sequence[LoadedReading]
    calls: Sequence[Call]
    changes: Sequence[Restatement]
    gauge_month: str


def choose_answers(measured: Measured) -> dict[str, str]:
    """Return the poll_id of each answer that the verdicts' numbers stand on, and for what, the
    weightiest first."""
    measured = replace(measured, verdicts=_by_operation(measured))
    edges: defaultdict[tuple[str | None, str | None], set[date]] = defaultdict(set)
    for row in measured.verdicts:
        ends = (row.billing_period_start, row.billing_period_end)
        edges[row.operation_id, row.report] |= {day for day in ends if day}
    series = _series_of(measured.readings)
    uses: defaultdict[str, set[str]] = defaultdict(set)
    for meaning in measured.meanings:
        pair = (meaning.operation_id, meaning.report)
        if pair not in edges:
            continue
        uses[meaning.poll_id].add(LAST)
        for readings in series.get((*pair, plain(meaning.product)), ()):
            for poll_id, use in _of_series(readings, meaning, edges[pair], measured.gauge_month):
                uses[poll_id].add(use)
    for poll_id, use in (*_without_rows(measured), *_changed(measured)):
        uses[poll_id].add(use)
    in_tables = {row.poll_id for rows in (measured.readings, measured.calls) for row in rows}
    ranked = {
        poll_id: sorted(uses[poll_id], key=_ORDER.index)
        for poll_id in sorted(uses.keys() & in_tables)
    }
    return {
        poll_id: "; ".join(own)
        for poll_id, own in sorted(ranked.items(), key=lambda item: _ORDER.index(item[1][0]))
    }


def _by_operation(measured: Measured) -> list[ReconciledRow]:
    """Return the verdicts, one on all operations together as one on each that was asked."""
    asked = {(call.report, call.operation_id) for call in measured.calls}
    rows: list[ReconciledRow] = []
    for row in measured.verdicts:
        operations: list[str | None] = [row.operation_id]
        if row.operation_id == ALL_OPERATIONS:
            operations = [name for report, name in sorted(asked) if report == row.report]
        rows += [replace(row, operation_id=name) for name in operations]
    return rows


def _series_of(
    readings: Iterable[LoadedReading],
) -> dict[tuple[str, str, str], list[list[LoadedReading]]]:
    """Return by operation, report and product the readings of each spelling and name, in order."""
    named: defaultdict[tuple[str, ...], list[LoadedReading]] = defaultdict(list)
    for reading in readings:
        if not reading.is_repeated:
            named[reading[:4]].append(reading)
    series: defaultdict[tuple[str, str, str], list[list[LoadedReading]]] = defaultdict(list)
    for (operation_id, report, _, description), own in named.items():
        own.sort(key=lambda reading: (reading.read_epoch, reading.poll_id))
        series[operation_id, report, plain(description)].append(own)
    return dict(series)


def _of_series(
    readings: Sequence[LoadedReading], meaning: MonthMeaning, edges: Set[date], gauge_month: str
) -> Iterator[tuple[str, str]]:
    """Yield the calls of one product, as it was named, that its month's number stands on. edges:
    where periods begin and end that are billed."""
    start, end = meaning.billing_period_start, meaning.billing_period_end
    days: defaultdict[date, list[LoadedReading]] = defaultdict(list)
    for reading in readings:
        days[reading.date].append(reading)
    own = [reading for reading in readings if start <= reading.date < end]
    if not own:
        return
    yield days[max(reading.date for reading in own)][-1].poll_id, LAST
    is_average = meaning.measure == "gauge" and gauge_month == "average"
    if meaning.measure == "daily" or is_average:
        yield from ((day[-1].poll_id, EACH_DAY) for at, day in days.items() if start <= at < end)
    if is_average:
        yield own[0].poll_id, LEVEL
        yield from ((b.poll_id, LEVEL) for a, b in pairwise(own) if a.items != b.items)
    if meaning.measure == "gauge":
        yield max(own, key=lambda reading: (reading.items, -reading.read_epoch)).poll_id, HIGHEST
    if meaning.measure in (None, "month_to_date"):
        for at in (start - DAY, start, start + DAY, end - DAY, end, end + DAY):
            for reading in (*days.get(at, ())[:1], *days.get(at, ())[-1:]):
                yield reading.poll_id, TURN
    for edge in edges:
        before = [at for at in days if at < edge]
        if before and start < edge < end:
            yield days[max(before)][-1].poll_id, ENDS


def _without_rows(measured: Measured) -> Iterator[tuple[str, str]]:
    """Yield the day's last answers of verdicts on what the vendor answered, and had no row of."""
    read = {(meaning.operation_id, meaning.report) for meaning in measured.meanings}
    for row in measured.verdicts:
        pair, start, end = (
            (row.operation_id, row.report), row.billing_period_start, row.billing_period_end,
        )  # fmt: skip
        is_empty = pair not in read or row.reconciliation_status == "invoiced_without_usage"
        if not (is_empty and start and end):
            continue
        last: dict[date, str] = {}
        for call in sorted(measured.calls, key=lambda call: call.poll_id):
            if (call.operation_id, call.report) == pair and call.outcome in ANSWERS:
                last[call.poll_date] = call.poll_id
        yield from ((poll_id, EMPTY) for day, poll_id in last.items() if start <= day < end)


def _changed(measured: Measured) -> Iterator[tuple[str, str]]:
    """Yield the calls before and after each value that changed after its day, or that fell."""
    pairs = {(row.operation_id, row.report) for row in measured.verdicts}
    calls = {
        (reading.operation_id, reading.report, reading.read_at): reading.poll_id
        for reading in measured.readings
        if (reading.operation_id, reading.report) in pairs
    }
    for change in measured.changes:
        for at in (change.read_at, change.previous_read_at):
            if poll_id := calls.get((change.operation_id, change.report, at)):
                yield poll_id, CHANGED


class KeptAnswer(NamedTuple):
    """A row of `polls`, with what was kept of the answer."""

    poll_id: str
    operation_id: str
    report: str
    outcome: str
    answer_sha256: str | None
    answer_bytes: int | None
    note: str | None
    answer: bytes | None


def read_answers(
    client: Client, raw: str, uses: Mapping[str, str], days: Period
) -> tuple[Table, dict[str, bytes]]:
    """Return the table `answers`, and the answers by the members that they are.

    uses: by poll_id what the answer is for, as `choose_answers` returns it. days: those of the
    calls, so that no other part of a long record is searched."""
    rows: list[tuple[object, ...]] = []
    files: dict[str, bytes] = {}
    size = 0
    for answer in _kept_answers(client, raw, list(uses), days):
        completeness, data = _completeness(answer), answer.answer
        size += len(data or b"")
        if len(files) >= MOST_ANSWERS or size > MOST_BYTES:
            completeness, data = LEFT_OUT, None
        name = None if data is None else _member(answer.poll_id, completeness)
        if name and data is not None:
            files[name] = data
        rows.append(
            (
                answer.poll_id,
                answer.answer_sha256,
                name,
                None if data is None else hashlib.sha256(data).hexdigest(),
                None if data is None else len(data),
                answer.outcome,
                answer.answer_bytes,
                completeness,
                uses[answer.poll_id],
                answer.operation_id,
                answer.report,
            )
        )
    return sort_table(KINDS, rows, ("poll_id",)), files


def _kept_answers(
    client: Client, raw: str, poll_ids: Sequence[str], days: Period
) -> Iterator[KeptAnswer]:
    columns = ", ".join(KeptAnswer._fields)
    for start in range(0, len(poll_ids), _AT_ONCE):
        wanted = poll_ids[start : start + _AT_ONCE]
        answers = {
            row[0]: KeptAnswer._make((*row[:-1], None if row[-1] is None else bytes(row[-1])))
            for row in rows_of(
                client,
                f"SELECT {columns} FROM {raw}.polls WHERE {among('poll_id', wanted)} "
                f"AND poll_date >= DATE '{days.start}' AND poll_date < DATE '{days.end}'",
            )
        }
        yield from (answers[poll_id] for poll_id in wanted if poll_id in answers)


def _completeness(answer: KeptAnswer) -> str:
    """Return how what was kept stands to what was received, whose SHA-256 is `answer_sha256`."""
    if answer.answer is None:
        return NOTHING
    if hashlib.sha256(answer.answer).hexdigest() == answer.answer_sha256:
        return WHOLE
    if (answer.answer_bytes or 0) > KEPT_BYTES <= len(answer.answer):
        return CUT
    return MASKED if "it is masked" in (answer.note or "") else DIFFERS


def _member(poll_id: str, completeness: str) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", poll_id)[:80]
    return f"answers/{name}.{'cut.txt' if completeness == CUT else 'json'}"
