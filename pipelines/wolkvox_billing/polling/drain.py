"""What waits in the spool goes to the destination, and leaves the spool once it is there.

    spool ─▶ which are there already? ─▶ a round, oldest first ─▶ extract, normalize, load ─▶ gone
                                            │ refused
                                            └▶ each operation and report alone, then in halves:
                                               what is taken is loaded, what is not is set aside

A round holds at most MOST_ANSWERS answers and MOST_BYTES, so that a long outage's backlog takes no
more memory than these do. Rows of a load that did not end are taken out again, by the ids of its
polls; then they are appended, and the reports' tables are merged on their key. Whether an answer is
at fault, or the destination, shows in whether it would take a copy of a row that it has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.polling.polls import Poll
from wolkvox_billing.polling.source import waiting_answers
from wolkvox_billing.polling.spool import Series, Spool, Waiting
from wolkvox_billing.polling.tables import TABLES
from wolkvox_billing.vendor.rejections import UnreadableRows
from wolkvox_billing.warehouse.complaints import Failure, failure_of
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.loading import (
    LONG,
    Changes,
    Tables,
    keep_newest,
    load_source,
    look_at_destination,
    missing_columns,
    put_back,
    refuses_copies,
)
from wolkvox_billing.warehouse.sessions import only_load
from wolkvox_billing.warehouse.sql import REFRESHED, among, engine_of, rows_of, tables_in

MOST_ANSWERS = 500
MOST_BYTES = 64 * 1024 * 1024
MOST_FAILURES = 40  # loads of one run, after which the rest waits for the next one
IDS_AT_ONCE = 1000  # in one question to the destination


@dataclass
class Drained:
    """What became of what waited. `loaded` are the calls that left the spool; `rejected` says how
    many rows are no readings, by poll_id, and `unreadable` which of them are a loss; `waits` says
    why others go on waiting, by poll_id; `refused` are the ids of those that were set aside."""

    loaded: list[Waiting] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, UnreadableRows] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    changes: Changes = field(default_factory=dict)

    def note_waits(self, calls: Iterable[Waiting], says: str) -> None:
        """These calls wait on, as far as they were not loaded or set aside, nor wait already."""
        gone = self.refused | {call.poll_id for call in self.loaded}
        for call in calls:
            if call.poll_id not in gone:
                self.waits.setdefault(call.poll_id, says)

    def has_older_days(self, now: datetime) -> bool:
        """Whether an answer was loaded that came before the vendor's today."""
        return any(
            call.started_at.astimezone(zone).date() < now.astimezone(zone).date()
            for call in self.loaded
            for zone in [ZoneInfo(call.timezone)]
        )

    @property
    def zones(self) -> dict[str, str]:
        """The time zone of each operation of which something was loaded."""
        return {call.operation_id: call.timezone for call in self.loaded}


def drain(
    pipeline: dlt.Pipeline, spool: Spool, now: datetime, fresh: frozenset[str] = frozenset()
) -> Drained:
    """Load what waits in the spool. What the destination complains of raises nothing: see Drained.

    fresh: ids of polls that this run has made, which are in no table for certain.
    """
    done = Drained()
    calls = spool.waiting(now)
    done.waits |= {file.stem: f"{file} cannot be read now" for file in spool.closed}
    if not calls:
        return done

    def steps() -> None:
        with held_open(pipeline, or_fail=True), only_load(pipeline, wait=LONG):
            _Drain(pipeline, spool, now, done).load(calls, fresh)

    if failure := failure_of(steps):
        done.note_waits(calls, failure.says)
    return done


class _Away(Exception):
    """The destination takes nothing now."""


class _Drain:
    """One draining of a spool, while nobody else loads into the destination."""

    def __init__(self, pipeline: dlt.Pipeline, spool: Spool, now: datetime, done: Drained) -> None:
        self.pipeline, self.spool, self.now, self.done = pipeline, spool, now, done
        self.has_sql = engine_of(pipeline) in REFRESHED
        self.newest: dict[Series, str] = {}  # the newest poll_id that the destination has
        self.in_part: set[str] = set()  # ids of polls of which rows may be in the tables
        self.failures = 0  # loads that failed

    def load(self, calls: Sequence[Waiting], fresh: frozenset[str]) -> None:
        """Load these calls, oldest first, round by round; then those that were refused a day ago,
        of each operation and report the newest alone, and the others once it passes."""
        tables = look_at_destination(self.pipeline)
        if tables is not None:
            calls = self._with_their_columns(calls, tables)
            calls = self._not_there_yet(calls, tables, fresh)
        self.in_part = {call.poll_id for call in calls if call.was_tried}
        refused = [call for call in calls if call.was_refused]
        left = iter([call for call in calls if not call.was_refused])
        try:
            while calls := _round(left):
                self._load_round(self.spool.mark_tried(calls))
        except _Away as away:
            self.done.note_waits((*calls, *left), str(away))
        else:
            with suppress(_Away):
                self._try_refused(refused)

    def _with_their_columns(self, calls: Sequence[Waiting], tables: Tables) -> list[Waiting]:
        lacking = missing_columns(self.pipeline, tables)
        for_all = next((lacking[name] for name in TABLES if name in lacking), "")
        for call in calls:
            if says := for_all or lacking.get(call.report, ""):
                self.done.waits[call.poll_id] = says
        return [call for call in calls if call.poll_id not in self.done.waits]

    def _not_there_yet(
        self, calls: Sequence[Waiting], tables: Tables, fresh: frozenset[str]
    ) -> list[Waiting]:
        """Return the calls that the destination does not have; the others leave the spool."""
        if not calls or not {"polls", "_dlt_loads"} <= tables.keys():
            return list(calls)
        with self.pipeline.sql_client() as client:
            polls = client.make_qualified_table_name("polls")
            oldest = min(call.poll_id for call in calls)
            for operation_id, report, poll_id in rows_of(
                client,
                f"SELECT operation_id, report, MAX(poll_id) FROM {polls} "
                "WHERE poll_id > %s AND outcome = 'ok' AND started_at <= %s "
                "GROUP BY operation_id, report",
                oldest,
                self.now,  # what seems to come from the future holds nothing: see `pace`
            ):
                self.newest[Series(operation_id, report)] = poll_id
            loads = client.make_qualified_table_name("_dlt_loads")
            is_whole: dict[str, bool] = {}  # of the ids that are there
            unsure = [call.poll_id for call in calls if call.poll_id not in fresh]
            for start in range(0, len(unsure), IDS_AT_ONCE):
                ids = among("p.poll_id", unsure[start : start + IDS_AT_ONCE])
                is_whole |= dict(
                    rows_of(
                        client,
                        f"SELECT p.poll_id, COUNT(l.load_id) > 0 FROM {polls} AS p "
                        f"LEFT JOIN {loads} AS l ON l.load_id = p._dlt_load_id AND l.status = 0 "
                        f"WHERE {ids} GROUP BY p.poll_id",
                    )
                )
        self._acknowledge([call for call in calls if is_whole.get(call.poll_id)])
        return [
            # In part, though its file does not say so: somebody has put the file back.
            self.spool.mark_tried([call])[0] if call.poll_id in is_whole else call
            for call in calls
            if not is_whole.get(call.poll_id)
        ]

    def _load_round(self, calls: Sequence[Waiting]) -> None:
        """Load calls that belong together; of those that fail, each operation and report alone."""
        if not (failure := self._load(calls)):
            return
        self._end_if_away(failure)
        groups = _groups(calls)
        for (_, report), group in groups.items():
            its_own = failure if len(groups) == 1 else self._load(group)
            if its_own:
                self._end_if_away(its_own)
                self._divide(group, report, its_own)

    def _divide(self, calls: Sequence[Waiting], report: str, failure: Failure) -> None:
        """Find those calls of one operation and report that the destination refuses, in halves of
        halves. Where it would not even take a copy of a row that it has, it is the table."""
        if self._is_of_table(report, failure):
            for call in calls:
                self.done.waits[call.poll_id] = failure.says
        elif len(calls) == 1:
            self.spool.refuse(calls[0], failure.says, self.now)
            self.done.refused.add(calls[0].poll_id)
        else:
            middle = len(calls) // 2
            for half in (calls[:middle], calls[middle:]):
                if its_own := self._load(half):
                    self._end_if_away(its_own)
                    self._divide(half, report, its_own)

    def _try_refused(self, calls: Sequence[Waiting]) -> None:
        for (_, report), group in _groups(calls).items():
            *others, newest = group
            [tried] = self.spool.mark_tried([newest])
            if failure := self._load([tried]):
                self._end_if_away(failure)
                self._divide([tried], report, failure)
            else:
                for again in _rounds(others):
                    self._load_round(self.spool.mark_tried(again))

    def _is_of_table(self, report: str, failure: Failure) -> bool:
        """Whether the report's table, or the destination, is what takes no rows now: a lock, or a
        copy of a row that is there already is refused too. Elsewhere than in SQL, always."""
        return failure.may_pass or not self.has_sql or bool(refuses_copies(self.pipeline, [report]))

    def _end_if_away(self, failure: Failure) -> None:
        """Raise _Away where it is no use to go on."""
        if failure.is_whole:
            raise _Away(failure.says)
        if self.has_sql and not failure.may_pass and refuses_copies(self.pipeline, list(TABLES)):
            raise _Away(failure.says)

    def _load(self, calls: Sequence[Waiting]) -> Failure | None:
        """Load these calls together; why they could not be. Then nothing of them is left. Raises
        _Away after too many loads that failed."""
        if self.failures >= MOST_FAILURES:
            raise _Away(f"{self.failures} loads failed, so the rest waits for the next run")
        if failure := failure_of(lambda: self._undo(calls)):  # such as a table that is locked
            self.failures += 1
            return failure._replace(is_whole=False)
        self.in_part |= {call.poll_id for call in calls}
        taken: list[Waiting] = []

        def polls() -> Iterator[Poll]:
            for call in sorted(calls, key=lambda call: call.poll_id, reverse=True):
                if poll := self.spool.read(call):
                    taken.append(call)
                    yield poll

        def note(poll: Poll) -> None:
            self.done.rejected[poll.poll_id] = poll.rejected or 0
            if poll.unreadable:
                self.done.unreadable[poll.poll_id] = poll.unreadable

        counts = Counter(call.series for call in calls)
        source = waiting_answers(polls, counts, note, append=self.has_sql)
        changes: list[Changes] = []
        if failure := failure_of(lambda: changes.append(load_source(self.pipeline, source))):
            self.failures += 1
            failure_of(lambda: self._undo(calls))  # where that fails too, the next load does it
            return failure
        self.done.changes |= changes[0]
        self._acknowledge(taken)
        gone = {call.poll_id for call in taken}
        for call in calls:
            if call.poll_id not in gone and call.file.exists():
                self.done.waits[call.poll_id] = f"{call.file} cannot be read now"
        return None

    def _undo(self, calls: Sequence[Waiting]) -> None:
        """Take out of the tables what a load that did not end has put there of these calls."""
        ids = self.in_part & {call.poll_id for call in calls}
        if not ids or not self.has_sql:
            return
        condition = among("poll_id", ids)
        with self.pipeline.sql_client() as client:
            for table in TABLES.keys() & tables_in(client, client.dataset_name):
                name = client.make_qualified_table_name(table)
                client.execute_sql(f"DELETE FROM {name} WHERE {condition}")
        put_back(self.pipeline, {call.report for call in calls}, condition)
        self.in_part -= ids

    def _acknowledge(self, calls: Sequence[Waiting]) -> None:
        """Let calls go that the destination has. First the newest readings are put back where one
        that is late has put its own: a run that ends in between does it again."""
        late = [call.poll_id for call in calls if call.poll_id < self.newest.get(call.series, "")]
        for call in calls:
            self.newest[call.series] = max(self.newest.get(call.series, ""), call.poll_id)
        if late:
            keep_newest(self.pipeline, among("poll_id", late))
        self.spool.drop(calls)
        self.in_part -= {call.poll_id for call in calls}
        self.done.loaded += calls


def _groups(calls: Iterable[Waiting]) -> dict[Series, list[Waiting]]:
    """Return the calls of each operation and report, in their order."""
    groups: defaultdict[Series, list[Waiting]] = defaultdict(list)
    for call in calls:
        groups[call.series].append(call)
    return groups


def _round(calls: Iterator[Waiting]) -> list[Waiting]:
    """Return the next calls that are loaded together: at least one, if there is any."""
    together: list[Waiting] = []
    size = 0
    for call in islice(calls, MOST_ANSWERS):
        together.append(call)
        size += call.size
        if size >= MOST_BYTES:
            break
    return together


def _rounds(calls: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    left = iter(calls)
    while together := _round(left):
        yield together
