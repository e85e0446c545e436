"""What waits in the spool goes to the destination, and leaves the spool once it is there.

    spool ─▶ which are there already? ─▶ a round, oldest first ─▶ extract, normalize, load ─▶ gone
                                            │ refused
                                            └▶ report by report, then in halves: those that it takes
                                               are loaded, those that it does not are set aside

A round holds at most MOST_ANSWERS answers and MOST_BYTES, so that a long outage's backlog takes no
more memory than these do. Rows of a round that a killed run has loaded in part are removed first,
by the ids of its polls, and then appended; the reports' tables are merged on their key.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.loading import (
    LONG,
    Changes,
    Failure,
    Tables,
    among,
    failure_of,
    keep_newest,
    load_source,
    look_at_destination,
    missing_columns,
)
from wolkvox_billing.marts import REFRESHED
from wolkvox_billing.polls import Poll
from wolkvox_billing.sessions import only_load
from wolkvox_billing.source import waiting_answers
from wolkvox_billing.spool import Spool, Waiting
from wolkvox_billing.tables import TABLES
from wolkvox_billing.warehouse import engine_of, held_open, rows_of, tables_in

MOST_ANSWERS = 500
MOST_BYTES = 64 * 1024 * 1024
AT_ONCE = 1000  # ids in one question to the destination

Key = tuple[str, str]  # operation_id, report


@dataclass
class Drained:
    """What became of what waited. `loaded` are the calls that left the spool; `rejected` the rows
    that could not be read, by poll_id; `waits` says why others go on waiting, by poll_id."""

    loaded: list[Waiting] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    changes: Changes = field(default_factory=dict)

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
    if not calls:
        return done

    def steps() -> None:
        with held_open(pipeline, or_fail=True), only_load(pipeline, wait=LONG):
            _Drain(pipeline, spool, now, done).load(calls, fresh)

    if failure := failure_of(steps):
        gone = {call.poll_id for call in done.loaded}
        for call in calls:
            if call.poll_id not in gone:
                done.waits.setdefault(call.poll_id, failure.says)
    return done


class _Away(Exception):
    """The destination takes nothing now."""


class _Drain:
    """One draining of a spool, while nobody else loads into the destination."""

    def __init__(self, pipeline: dlt.Pipeline, spool: Spool, now: datetime, done: Drained) -> None:
        self.pipeline, self.spool, self.now, self.done = pipeline, spool, now, done
        self.appends = engine_of(pipeline) in REFRESHED
        self.newest: dict[Key, str] = {}  # the newest poll_id that the destination has
        self.takes_none = 0  # reports of which it took nothing, one after the other
        self.in_part: set[str] = set()  # ids of polls of which rows may be in the tables

    def load(self, calls: Sequence[Waiting], fresh: frozenset[str]) -> None:
        """Load these calls, oldest first, round by round."""
        tables = look_at_destination(self.pipeline)
        if tables is not None:
            calls = self._with_their_columns(calls, tables)
            calls = self._not_there_yet(calls, tables, fresh)
        left = iter(calls)
        try:
            while calls := _round(left):
                self._load_round(calls)
        except _Away as away:
            for call in (*calls, *left):
                if call.file.exists():
                    self.done.waits.setdefault(call.poll_id, str(away))

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
        """The calls that the destination does not have; the others leave the spool."""
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
                self.newest[operation_id, report] = poll_id
            loads = client.make_qualified_table_name("_dlt_loads")
            there: dict[str, bool] = {}  # is it whole?
            unsure = [call.poll_id for call in calls if call.poll_id not in fresh]
            for start in range(0, len(unsure), AT_ONCE):
                ids = among("p.poll_id", unsure[start : start + AT_ONCE])
                there |= dict(
                    rows_of(
                        client,
                        f"SELECT p.poll_id, COUNT(l.load_id) > 0 FROM {polls} AS p "
                        f"LEFT JOIN {loads} AS l ON l.load_id = p._dlt_load_id AND l.status = 0 "
                        f"WHERE {ids} GROUP BY p.poll_id",
                    )
                )
        self._acknowledge([call for call in calls if there.get(call.poll_id)])
        return [
            # In part, though its file does not say so: somebody has put the file back.
            self.spool.mark_tried([call])[0] if call.poll_id in there else call
            for call in calls
            if not there.get(call.poll_id)
        ]

    def _load_round(self, calls: Sequence[Waiting]) -> None:
        self.in_part |= {call.poll_id for call in calls if call.was_tried}
        calls = self.spool.mark_tried(calls)
        if not (failure := self._load(calls)):
            return
        self._end_if_away(failure)
        reports: defaultdict[str, list[Waiting]] = defaultdict(list)
        for call in calls:
            reports[call.report].append(call)
        for of_report in reports.values():
            its_own = failure if len(reports) == 1 else self._load(of_report)
            if its_own:
                self._end_if_away(its_own)
                self._divide(of_report, its_own)

    def _divide(self, calls: Sequence[Waiting], failure: Failure) -> None:
        """Find those calls of one report that the destination refuses. Whether it is they, or the
        destination, shows in whether it takes another one of the report."""
        if failure.may_pass or len(calls) == 1:
            self._wait(calls, failure)
            return
        *others, second, newest = calls
        of_newest = self._load([newest])
        if of_newest:
            self._end_if_away(of_newest)
            if of_second := self._load([second]):
                self._end_if_away(of_second)
                self._wait(calls, of_second)
                return
        refused = [(newest, of_newest)] if of_newest else []
        refused += self._halve(others if of_newest else [*others, second])
        for call, its_own in refused:
            self.spool.refuse(call, its_own.says, self.now)
            self.done.refused.append(call.poll_id)

    def _halve(self, calls: Sequence[Waiting]) -> list[tuple[Waiting, Failure]]:
        """Load these calls, in halves of halves where one holds up others; those that failed."""
        if not calls or not (failure := self._load(calls)):
            return []
        self._end_if_away(failure)
        if failure.may_pass:
            self._wait(calls, failure)
            return []
        if len(calls) == 1:
            return [(calls[0], failure)]
        middle = len(calls) // 2
        return [*self._halve(calls[:middle]), *self._halve(calls[middle:])]

    def _wait(self, calls: Sequence[Waiting], failure: Failure) -> None:
        """The destination takes none of a report now. Where that is so of the first two reports,
        and it has taken nothing else, nothing more is tried."""
        for call in calls:
            self.done.waits[call.poll_id] = failure.says
        self.takes_none += 1
        if self.takes_none > 1 and not self.done.loaded:
            raise _Away(failure.says)

    def _end_if_away(self, failure: Failure) -> None:
        if failure.is_whole:
            raise _Away(failure.says)

    def _load(self, calls: Sequence[Waiting]) -> Failure | None:
        """Load these calls together; why they could not be."""
        self._remove_rows(calls)
        self.in_part |= {call.poll_id for call in calls}
        taken: list[Waiting] = []

        def polls() -> Iterator[Poll]:
            for call in sorted(calls, reverse=True):
                if poll := self.spool.read(call):
                    taken.append(call)
                    yield poll

        def note(poll: Poll) -> None:
            self.done.rejected[poll.poll_id] = poll.rejected or 0

        keys = Counter((call.operation_id, call.report) for call in calls)
        source = waiting_answers(polls, keys, note, append=self.appends)
        changes: list[Changes] = []
        if failure := failure_of(lambda: changes.append(load_source(self.pipeline, source))):
            return failure
        self.done.changes |= changes[0]
        self._acknowledge(taken)
        for call in calls:
            if call not in taken and call.file.exists():
                self.done.waits[call.poll_id] = f"{call.file} cannot be read"
        return None

    def _remove_rows(self, calls: Sequence[Waiting]) -> None:
        """Removes what a load that did not end has put into tables that are appended to."""
        ids = self.in_part & {call.poll_id for call in calls}
        if not ids or not self.appends:
            return
        with self.pipeline.sql_client() as client:
            for table in TABLES.keys() & tables_in(client, client.dataset_name):
                name = client.make_qualified_table_name(table)
                client.execute_sql(f"DELETE FROM {name} WHERE {among('poll_id', ids)}")

    def _acknowledge(self, calls: Sequence[Waiting]) -> None:
        """The destination has these calls. First the newest readings are put back where one that is
        late has put its own: a run that ends in between does it again."""
        late = []
        for call in calls:
            newest = self.newest.get((call.operation_id, call.report), "")
            if call.poll_id < newest:
                late.append(call.poll_id)
        for call in calls:
            key = call.operation_id, call.report
            self.newest[key] = max(self.newest.get(key, ""), call.poll_id)
        if late:
            keep_newest(self.pipeline, among("poll_id", late))
        self.spool.drop(calls)
        self.done.loaded += calls


def _round(calls: Iterator[Waiting]) -> list[Waiting]:
    """The next calls that are loaded together: at least one, if there is any."""
    together: list[Waiting] = []
    size = 0
    for call in islice(calls, MOST_ANSWERS):
        together.append(call)
        size += call.size
        if size >= MOST_BYTES:
            break
    return together
