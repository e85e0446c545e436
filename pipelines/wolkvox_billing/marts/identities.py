"""What each operation counts as: an operation_id as it was read, and what it is called today.

    operation_decisions ──in their order──▶ what a person said ─┐
    reports' tables, polls ─▶ ids of one server and one name ───┴─▶ identities

Two ids that read one server, and whose answers carry one name of wolkvox's, are one operation,
unless what they read cannot be one counter: it is counted once, in one series by time, as the id
that came last. That is a guess, and told until somebody decides. Where answers show that there are
two counters, both count, and that is told too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar

from wolkvox_billing.marts.decisions import FORGOTTEN, OperationDecision
from wolkvox_billing.values.periods import DAY
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.sql import Client, SqlRow, among, listed, literal, rows_as, tables_in

Query = Callable[[str], list[SqlRow]]

IDENTITIES = "identities"
SAME, ALIKE = "same", "alike"  # by server and name: one operation; two, by what they read
_LATELY = 2 * 86400  # of ids that were answered within so many seconds, the one that came last
_COMPARED_DAYS = 7  # the last ones that both were asked for
_LEAST_FALLS = 3


class Identity(NamedTuple):
    """A row of `identities`: an id as it was read, the one that it counts as (None: it is left
    out), and why: renamed, merged, forgotten, same, alike. The last three say, of what nobody
    decided, with whom it shares server and name."""

    operation_id: str
    current_id: str | None
    decision: str
    other_id: str | None = None
    server: str | None = None
    operation_name: str | None = None


class _RawRow(Protocol):
    """A row of a raw table: a NamedTuple."""

    @property
    def operation_id(self) -> str: ...
    def _replace(self, *, operation_id: str) -> Any: ...  # of its own type


Counted = TypeVar("Counted", bound=_RawRow)


@dataclass(frozen=True)
class Identities:
    """The rows of `identities`; an id that is in none of them counts as itself."""

    rows: Sequence[Identity] = ()

    @cached_property
    def _current(self) -> dict[str, str | None]:
        return {row.operation_id: row.current_id for row in self.rows}

    @property
    def moved(self) -> list[Identity]:
        """The ids that count as another one."""
        return [row for row in self.rows if row.current_id not in (None, row.operation_id)]

    @property
    def forgotten(self) -> list[str]:
        return sorted(row.operation_id for row in self.rows if row.current_id is None)

    def current(self, operation_id: str) -> str | None:
        """Return what an id counts as; None where it is left out."""
        return self._current.get(operation_id, operation_id)

    def read_as(self, current_id: str) -> list[str]:
        """Return the ids that count as this one."""
        ids = {name for name, current in self._current.items() if current == current_id}
        return sorted(ids | ({current_id} if self.current(current_id) == current_id else set()))

    def are(self, column: str, current_id: str) -> str:
        """Return the condition that a column of a raw table is one of an operation's ids."""
        ids = self.read_as(current_id)
        if len(ids) == 1:
            return f"{column} = {literal(ids[0])}"
        return among(column, ids) if ids else "1 = 0"

    def count(self, rows: Iterable[Counted]) -> list[Counted]:
        """Return rows of a raw table by the ids that they count as, without what is left out."""
        if not self.rows:
            return list(rows)
        current = ((self.current(row.operation_id), row) for row in rows)
        return [row._replace(operation_id=name) for name, row in current if name]

    def counted(self, table: str, columns: Sequence[str]) -> str:
        """Return a raw table as FROM takes it, by the ids that its rows count as."""
        moved, forgotten = self.moved, self.forgotten
        if not moved and not forgotten:
            return table
        current = "operation_id"
        if moved:
            cases = (f"WHEN {literal(r.operation_id)} THEN {literal(r.current_id)}" for r in moved)
            current = f"CASE operation_id {' '.join(cases)} ELSE operation_id END AS operation_id"
        where = f" WHERE operation_id NOT IN ({listed(forgotten)})" if forgotten else ""
        return f"(SELECT {', '.join((current, *columns))} FROM {table}{where}) AS counted"


NOBODY = Identities()


def read_identities(client: Client, marts: str) -> Identities:
    """Return what the marts hold; nothing in those of an older version, or in an older copy."""
    if IDENTITIES not in tables_in(client, marts):
        return NOBODY
    return Identities(rows_as(client, Identity, f"{marts}.{IDENTITIES} ORDER BY operation_id"))


# What people decided.


@dataclass
class Names:
    """What operations are called, by decisions: `current` by ids as they were read; `moved_by` the
    decision that moved each last; `forgotten` by what they are called; `apart`: pairs that are two,
    though they share server and name."""

    current: dict[str, str] = field(default_factory=dict)
    moved_by: dict[str, OperationDecision] = field(default_factory=dict)
    forgotten: dict[str, OperationDecision] = field(default_factory=dict)
    apart: set[frozenset[str]] = field(default_factory=set)

    def name(self, operation_id: str) -> str:
        """Return what an id is called now."""
        return self.current.get(operation_id, operation_id)

    def members(self, name: str) -> list[str]:
        """Return the ids that are called so."""
        own = [name] if name not in self.current else []
        return own + [read for read, current in self.current.items() if current == name]


def standing(decisions: Iterable[OperationDecision]) -> list[OperationDecision]:
    """Return the decisions that no later one undid, without those that undid one."""
    decisions = list(decisions)
    undone = {decision.undoes for decision in decisions}
    return [row for row in decisions if row.decision_id not in undone and not row.undoes]


def follow(decisions: Iterable[OperationDecision]) -> Names:
    """Return what operations are called after these decisions."""
    names = Names()
    for decision in standing(decisions):
        name, other = decision.operation_id, decision.new_operation_id
        if decision.decision == FORGOTTEN:
            names.forgotten[name] = decision
        elif other and decision.is_move:
            for read in names.members(name):
                names.current[read] = other
                names.moved_by[read] = decision
            names.current.setdefault(other, other)
        elif other:
            names.apart.add(frozenset((name, other)))
    return names


# What their answers say.


class _Polled(NamedTuple):
    """When an operation was answered by a server, first and last, in seconds since 1970."""

    server: str
    first: int
    last: int


def find_identities(
    query: Query, raw: str, tables: Collection[str], decisions: Iterable[OperationDecision] = ()
) -> Identities:
    """Return what each id counts as, by the decisions and by what was read.

    raw: the schema. tables: the names of those in it. In the usual case, where no two operations
    have the same name at wolkvox, one statement over the reports' tables says so.
    """
    names = follow(decisions)
    guesses = {guess.operation_id: guess for guess in _find_same(query, raw, tables, names)}
    rows = {guess.operation_id: guess for guess in guesses.values() if guess.decision == ALIKE}
    for read in {*names.current, *names.forgotten, *guesses}:
        name = names.name(read)
        current = _end_of(name, guesses)
        if name in names.forgotten:
            rows[read] = Identity(read, None, FORGOTTEN)
        elif read != name:
            rows[read] = Identity(read, current, names.moved_by[read].decision)
        elif current != name:
            rows[read] = guesses[name]._replace(current_id=current, other_id=current)
    return Identities([rows[read] for read in sorted(rows)])


def _end_of(name: str, guesses: Mapping[str, Identity]) -> str:
    """Return where a chain of guesses ends: `_find_same` gives none that comes back."""
    while name in guesses and guesses[name].decision == SAME:
        name = guesses[name].current_id or name
    return name


class VendorsName(NamedTuple):
    """A name at the vendor's of an operation, as it was read, and the last day with it."""

    operation_id: str
    vendors_name: str
    last_day: date


def _find_same(query: Query, raw: str, tables: Collection[str], names: Names) -> Iterator[Identity]:
    """Yield an Identity for each operation that shares server and vendor's name with one that came
    later, in the order of these names."""
    by_name: defaultdict[str, list[VendorsName]] = defaultdict(list)
    for named in read_vendors_names(query, raw, tables):
        if names.name(named.operation_id) not in names.forgotten:
            by_name[plain(named.vendors_name)].append(named)
    shared = {
        vendors_name: own
        for vendors_name, own in sorted(by_name.items())
        if vendors_name and len({names.name(named.operation_id) for named in own}) > 1
    }
    if not shared:
        return
    polled = _polled(query, raw, {named.operation_id for own in shared.values() for named in own})
    guesses: dict[str, Identity] = {}
    for own in shared.values():
        for guess in _guesses(own, polled, names):
            name, newest = guess.operation_id, guess.current_id
            if not newest or name in guesses or _end_of(newest, guesses) == name:
                continue
            if are_two(query, raw, names.members(name), names.members(newest), own):
                guess = guess._replace(decision=ALIKE, current_id=name)
            guesses[name] = guess
            yield guess


def read_vendors_names(query: Query, raw: str, tables: Collection[str]) -> list[VendorsName]:
    """Return the names in each report's answers, for each operation_id as it was read."""
    selects = [
        f"SELECT operation_id, operation, MAX(date) FROM {raw}.{report} "
        "GROUP BY operation_id, operation"
        for report in REPORTS
        if report in tables
    ]
    return [VendorsName(*row) for row in query(" UNION ALL ".join(selects))] if selects else []


def _polled(query: Query, raw: str, ids: Collection[str]) -> dict[str, list[_Polled]]:
    """Return by operation_id, as it was read, when each server answered."""
    polled: defaultdict[str, list[_Polled]] = defaultdict(list)
    for operation_id, *call in query(
        "SELECT operation_id, server, MIN(started_epoch), MAX(started_epoch) "
        f"FROM {raw}.polls WHERE {among('operation_id', ids)} AND {among('outcome', ANSWERS)} "
        "AND server IS NOT NULL GROUP BY operation_id, server"
    ):
        polled[operation_id].append(_Polled(*call))
    return dict(polled)


def _guesses(
    own: Sequence[VendorsName], polled: Mapping[str, Sequence[_Polled]], names: Names
) -> Iterator[Identity]:
    """Yield each operation of one vendor's name as the one of its server that came last, of those
    that were answered lately; without pairs that a person holds apart."""
    by_server: defaultdict[str, dict[str, list[_Polled]]] = defaultdict(dict)
    spelled = {named.operation_id: named.vendors_name for named in own}
    for operation_id in sorted(spelled):
        for call in polled.get(operation_id, ()):
            calls = by_server[call.server.casefold()]
            calls.setdefault(names.name(operation_id), []).append(call)
    for _, calls in sorted(by_server.items()):
        last = {name: max(call.last for call in own) for name, own in calls.items()}
        first = {name: min(call.first for call in own) for name, own in calls.items()}
        lately = [name for name in calls if last[name] >= max(last.values()) - _LATELY]
        newest = max(lately, key=lambda name: (first[name], name))
        for name, (call, *_) in calls.items():
            if name != newest and frozenset((name, newest)) not in names.apart:
                vendors_name = min(spelled[read] for read in names.members(name) if read in spelled)
                yield Identity(name, newest, SAME, newest, call.server, vendors_name)


def are_two(
    query: Query,
    raw: str,
    ids: Sequence[str],
    other_ids: Sequence[str],
    named: Sequence[VendorsName],
) -> bool:
    """Return whether what two operations read cannot be one counter, which does not fall within a
    day, again and again, where the other one reads it. Of their last days in common; a level may
    go up and down."""
    last = [
        max((n.last_day for n in named if n.operation_id in own), default=date.min)
        for own in (ids, other_ids)
    ]
    if date.min in last:
        return False
    since = literal(min(last) - _COMPARED_DAYS * DAY)
    own, other = listed(ids), listed(other_ids)
    levels = listed(name for name, report in REPORTS.items() if report.kind == "gauge")
    [(turns, falls)] = query(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN items < items_before THEN 1 ELSE 0 END), 0) FROM ("
        "SELECT is_own, items, LAG(is_own) OVER of_the_day AS own_before, "
        "LAG(items) OVER of_the_day AS items_before FROM ("
        f"SELECT CASE WHEN operation_id IN ({own}) THEN 1 ELSE 0 END AS is_own, report, operation, "
        f"description, date, items, read_epoch, poll_id FROM {raw}.readings "
        f"WHERE operation_id IN ({own}, {other}) AND date > {since} AND NOT COALESCE(is_repeated, "
        f"FALSE) AND report NOT IN ({levels})) AS both_read WINDOW of_the_day AS ("
        "PARTITION BY report, operation, description, date ORDER BY read_epoch, poll_id)) AS steps "
        "WHERE is_own <> own_before"
    )
    return bool(falls >= _LEAST_FALLS and falls * 4 >= turns)
