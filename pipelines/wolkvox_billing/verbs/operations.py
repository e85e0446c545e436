"""The verb `operations`: what operations are called, which are one, which are left out; and a
person's word on it.

    a name ─▶ may it be? ─▶ operation_decisions ─▶ identities ─▶ the marts of all months
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property, partial
from itertools import groupby
from operator import itemgetter

import dlt

from wolkvox_billing.errors import SettingsError, WarehouseError, short
from wolkvox_billing.marts.decisions import (
    FORGOTTEN,
    MERGED,
    RENAMED,
    RESTORED,
    OperationDecision,
    append_operation_decision,
    next_operation_decision_id,
    read_operation_decisions,
)
from wolkvox_billing.marts.identities import (
    Identities,
    Names,
    VendorsName,
    are_two,
    find_identities,
    follow,
    read_identities,
    read_vendors_names,
    standing,
)
from wolkvox_billing.marts.identity_words import undecided
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.polling.settings import PollSettings
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.clock import Clock, format_moment, utc_now
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.translation import N_, ContractWord, Sentence, say_in
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.verbs.deciding import Decider
from wolkvox_billing.verbs.meant import settings_if_any, warn_of_settings
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading
from wolkvox_billing.warehouse.sql import REFRESHED, Client, among, engine_of, rows_of, tables_in

COUNTS = "counts"


@dataclass(frozen=True)
class ListedOperation:
    """An id as it was read, and what it counts as: None where it is left out. `standing`: counts,
    renamed, merged, forgotten, same (as another one, by server and name), alike (of those two
    others). `in_settings`: None where they cannot be read."""

    operation_id: str
    counts_as: str | None
    standing: str
    operation_names: tuple[str, ...]
    servers: tuple[str, ...]
    first_answer_at: datetime | None
    last_answer_at: datetime | None
    in_settings: bool | None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None


@dataclass
class Listing:
    """All operations that were ever asked, or decided on."""

    operations: list[ListedOperation]
    location: str


@dataclass
class DecidedOperation:
    """What was decided; `is_new` where it was not so before. `warnings`: what it changed
    elsewhere."""

    decision: OperationDecision
    is_new: bool
    says: str
    warnings: list[str] = field(default_factory=list)
    location: str = ""


def operations(*, destination: str = DESTINATION, dataset: str = DATASET) -> Listing:
    """Return the Listing of all operations. Only reads, a published copy too. Raises WarehouseError
    where the destination cannot be read."""
    with opened(destination, dataset, reads=True, of_copy=True) as pipeline, reading(pipeline):
        with pipeline.sql_client() as client:
            record = _read_record(client, pipeline.dataset_name)
        location = location_of(pipeline)
    names = {*record.asked, *record.names.current, *record.names.forgotten}
    return Listing([_listed(name, record) for name in sorted(names)], location)


# The keywords are what the command line has as options, and what tests set.
def rename(
    old: str,
    new: str,
    *,
    reason: str | None = None,
    by: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> DecidedOperation:
    """Return the DecidedOperation that all that was read as `old` is called `new`, in the marts of
    all months. Nothing of it is changed or deleted; reason and by are kept with the decision.

    reason: why, in that person's words. by: who decides; the user's login name without it.
    Raises SettingsError for a name that cannot be meant, and WarehouseError where nothing can be
    recorded.
    """
    decider = Decider(reason, by, destination, dataset, policy, clock)
    return _decide(decider, lambda record: _rename(old, new.strip(), record))


def merge(
    name: str,
    other: str,
    *,
    reason: str | None = None,
    by: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> DecidedOperation:
    """Return the DecidedOperation that all that was read of the operation `name` is the `other`
    one's: one counter, one series. reason, by and errors are those of `rename`."""
    decider = Decider(reason, by, destination, dataset, policy, clock)
    return _decide(decider, lambda record: _merge(name, other, record))


def forget(
    name: str,
    *,
    reason: str | None = None,
    by: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> DecidedOperation:
    """Return the DecidedOperation that the operation `name` is in no mart. Nothing of it is
    deleted. reason, by and errors are those of `rename`."""
    decider = Decider(reason, by, destination, dataset, policy, clock)
    return _decide(decider, lambda record: _forget(name, record))


def restore(
    name: str,
    *,
    reason: str | None = None,
    by: str | None = None,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> DecidedOperation:
    """Return the DecidedOperation that the last decision on the operation `name` holds no more; or,
    of one that shares server and name with another one, that they are two. reason, by and errors
    are those of `rename`."""
    decider = Decider(reason, by, destination, dataset, policy, clock)
    return _decide(decider, lambda record: _restore(name, record))


@dataclass(frozen=True)
class _Asked:
    """How an id was read: by the servers that were asked, and when they answered."""

    servers: tuple[str, ...]
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class _Record:
    """All that a decision is held against."""

    client: Client
    raw: str
    decisions: Sequence[OperationDecision]
    asked: dict[str, _Asked]  # by operation_id, as it was read
    named: Sequence[VendorsName]
    identities: Identities
    settings: PollSettings | None

    @cached_property
    def names(self) -> Names:
        return follow(self.decisions)

    @property
    def called(self) -> set[str]:
        """What operations are called."""
        return {self.names.name(read) for read in self.asked}

    def of(self, name: str) -> list[_Asked]:
        return [self.asked[read] for read in self.names.members(name) if read in self.asked]

    def servers_of(self, name: str) -> set[str]:
        return {server.casefold() for own in self.of(name) for server in own.servers}

    def vendors_names_of(self, name: str) -> dict[str, str]:
        """Return the vendor's names of an operation by their spelling without case and accents."""
        own = self.names.members(name)
        return {plain(n.vendors_name): n.vendors_name for n in self.named if n.operation_id in own}

    def server_in_settings(self, name: str) -> str | None:
        own = self.settings.operations if self.settings else ()
        return next((o.server.casefold() for o in own if o.operation_id == name), None)

    def find(self, name: str) -> str:
        """Return a name that an operation has now. Raises SettingsError for any other."""
        if name in self.names.forgotten:
            by = _told(self.names.forgotten[name])
            text = N_(
                "{name} was forgotten {by}: `wolkvox-billing operations restore {name}` first"
            )
            raise SettingsError(Sentence(text, name=name, by=by))
        if name in self.called:
            return name
        if (current := self.names.name(name)) != name:
            moved = self.names.moved_by[name]
            text = N_("{name} is {current}, {decision} {by}: say {current}")
            decided = {"decision": ContractWord(moved.decision), "by": _told(moved)}
            raise SettingsError(Sentence(text, name=name, current=current, **decided))
        if self.server_in_settings(name) is not None:
            text = N_(
                "{name} is in the settings, and was never asked: change it there, or run "
                "`wolkvox-billing load` first"
            )
            raise SettingsError(Sentence(text, name=name))
        text = N_("no operation is {name}: {called}")
        raise SettingsError(Sentence(text, name=short(name), called=_near(name, self.called)))


@dataclass(frozen=True)
class _Wish:
    """What is to be recorded, and in which words it is told; `decision` is one that says the same
    already."""

    operation_id: str
    kind: str
    says: str
    new_operation_id: str | None = None
    undoes: str | None = None
    decision: OperationDecision | None = None


def _rename(old: str, new: str, record: _Record) -> _Wish:
    if not new or not new.isprintable():
        raise SettingsError(Sentence(N_("the new name is a text of printable characters")))
    names = record.names
    if names.name(old) == new and old != new:
        return _said_before(old, names)
    name = record.find(old)
    if new == name:
        raise SettingsError(Sentence(N_("{name} is called so already"), name=name))
    if new in names.forgotten:
        text = N_("{new} is the name of one that is forgotten: choose another one")
        raise SettingsError(Sentence(text, new=new))
    _check_free(new, name, record)
    text = N_("{name} is {new} now, with all that was read of it")
    return _Wish(name, RENAMED, Sentence(text, name=name, new=new), new)


def _check_free(new: str, name: str, record: _Record) -> None:
    """Raise SettingsError where the operation `name` cannot be called `new`, since that is, or was,
    another one's name."""
    names, own = record.names, record.names.members(name)
    if new not in own and new in record.called:
        text = N_(
            "{new} is in use: `wolkvox-billing operations merge {name} {new}` makes them one, else "
            "choose another name"
        )
        raise SettingsError(Sentence(text, new=new, name=name))
    if new not in own and (new in names.current or new in record.asked):
        text = N_("{new} is what {other} was read as, and counts there: choose another name")
        raise SettingsError(Sentence(text, new=new, other=names.name(new)))
    server, servers = record.server_in_settings(new), record.servers_of(name)
    if server and servers and server not in servers:
        text = N_(
            "{new} is another operation in the settings, on server {server} and not {servers} as "
            "{name}: choose another name"
        )
        raise SettingsError(
            Sentence(text, new=new, server=server, servers=sorted(servers), name=name)
        )


def _merge(name: str, other: str, record: _Record) -> _Wish:
    names = record.names
    if name == other:
        text = N_("{name} cannot be merged into itself: name two operations")
        raise SettingsError(Sentence(text, name=name))
    if names.name(name) == other:
        return _said_before(name, names)
    if names.name(other) == name:
        moved = names.moved_by[other]
        text = N_(
            "{other} is {name}, {decision} {by}: they are one; `wolkvox-billing operations rename "
            "{name} {other}` gives it the other name"
        )
        decided = {"decision": ContractWord(moved.decision), "by": _told(moved)}
        raise SettingsError(Sentence(text, other=other, name=name, **decided))
    name = record.find(name)
    if other not in record.called and record.server_in_settings(other) is not None:
        text = N_(
            "{other} was never asked: `wolkvox-billing operations rename {name} {other}` makes all "
            "that was read of the first one its own"
        )
        raise SettingsError(Sentence(text, other=other, name=name))
    other = record.find(other)
    _check_one(name, other, record)
    text = N_("all that was read of {name} is {other}'s now")
    return _Wish(name, MERGED, Sentence(text, name=name, other=other), other)


def _check_one(name: str, other: str, record: _Record) -> None:
    """Raise SettingsError for two that were answered in one time, and cannot be one: of each day
    only one of their numbers would count."""
    spans = [
        (min(a.first for a in own if a.first), max(a.last for a in own if a.last))
        for own in (record.of(name), record.of(other))
        if any(a.first for a in own)
    ]
    if len(spans) < 2 or spans[0][1] < spans[1][0] or spans[1][1] < spans[0][0]:
        return
    first, second = record.vendors_names_of(name), record.vendors_names_of(other)
    why = ""
    if first and second and not first.keys() & second.keys():
        text = N_("wolkvox calls them {names} and {others}")
        why = Sentence(text, names=_listed_names(first), others=_listed_names(second))
    elif are_two(
        partial(rows_of, record.client),
        record.raw,
        record.names.members(name),
        record.names.members(other),
        record.named,
    ):
        why = Sentence(N_("what they read cannot be one counter: it falls from one to the other"))
    if why:
        day = min(last for _, last in spans).date()
        text = N_(
            "{name} and {other} were both answered until {day}, and {why}: as one, only one of "
            "their numbers would count each day; `operations forget` leaves one of them out"
        )
        raise SettingsError(Sentence(text, name=name, other=other, day=day, why=why))


def _listed_names(names: dict[str, str]) -> str:
    return ", ".join(repr(name) for name in sorted(names.values()))


def _forget(name: str, record: _Record) -> _Wish:
    if said := record.names.forgotten.get(name):
        says = Sentence(N_("{name} was forgotten already {said}"), name=name, said=_told(said))
        return _Wish(name, FORGOTTEN, says, decision=said)
    text = N_(
        "{name} is in no mart any more; nothing of it is deleted, and `wolkvox-billing operations "
        "restore {name}` takes it back"
    )
    return _Wish(record.find(name), FORGOTTEN, Sentence(text, name=name))


def _restore(name: str, record: _Record) -> _Wish:
    holding = [row for row in standing(record.decisions) if row.decision != RESTORED]
    own = [row for row in holding if row.operation_id == name]
    own = own or [row for row in holding if row.new_operation_id == name]
    if own:
        last = own[-1]
        for later in holding[holding.index(last) + 1 :]:
            if last.new_operation_id == later.operation_id:
                text = N_(
                    "after it {said} {told}: `wolkvox-billing operations restore {operation_id}` "
                    "first"
                )
                words = {"said": _said(later), "told": _told(later)}
                raise SettingsError(Sentence(text, **words, operation_id=later.operation_id))
        says = Sentence(N_("undone: {said} {told}"), said=_said(last), told=_told(last))
        return _Wish(last.operation_id, RESTORED, says, undoes=last.decision_id)
    for row in record.identities.rows:
        if row.operation_id == name and row.decision not in (RENAMED, MERGED, FORGOTTEN):
            text = N_("{name} and {other} are two operations, and both count")
            says = Sentence(text, name=name, other=row.other_id)
            return _Wish(name, RESTORED, says, row.other_id)
    for said in standing(record.decisions):
        if said.decision == RESTORED and said.operation_id == name:
            text = N_("{name} and {other} are two already, {told}")
            says = Sentence(text, name=name, other=said.new_operation_id, told=_told(said))
            return _Wish(name, RESTORED, says, said.new_operation_id, decision=said)
    known = {*record.asked, *record.names.current}
    if name in known:
        text = N_("nothing was decided on {name}: there is nothing to restore")
        raise SettingsError(Sentence(text, name=name))
    text = N_("no operation is {name}: {known}")
    raise SettingsError(Sentence(text, name=short(name), known=_near(name, known)))


def _said_before(name: str, names: Names) -> _Wish:
    said = names.moved_by[name]
    text = N_("{name} is {other} already, {decided} {told}")
    decided = {"decided": ContractWord(said.decision), "told": _told(said)}
    says = Sentence(text, name=name, other=names.name(name), **decided)
    return _Wish(name, said.decision, says, said.new_operation_id, decision=said)


def _said(decision: OperationDecision) -> Sentence:
    text = N_("{name} was {decided}")
    if decision.new_operation_id:
        text = N_("{name} was {decided} into {other}")
    decided = ContractWord(decision.decision)
    name, other = decision.operation_id, decision.new_operation_id
    return Sentence(text, name=name, decided=decided, other=other)


def _told(decision: OperationDecision) -> Sentence:
    at = format_moment(decision.decided_at, timezone.utc)
    return Sentence(N_("on {at} by {by}"), at=at, by=decision.decided_by)


def _near(name: str, known: Collection[str]) -> str:
    by_spelling = {plain(own): own for own in known}
    near = difflib.get_close_matches(plain(name), [*by_spelling], n=3, cutoff=0.6)
    if near:
        return Sentence(N_("did you mean {names}?"), names=[by_spelling[own] for own in near])
    return Sentence(N_("`wolkvox-billing operations` lists all"))


def _decide(decider: Decider, wish_of: Callable[[_Record], _Wish]) -> DecidedOperation:
    """Record what is wished, where it may be and is not so already, and make the marts of it.
    Raises SettingsError, and WarehouseError where nothing can be recorded."""
    by, policy = decider.name, decider.rules
    with decider.at_work() as pipeline:
        raw, location = pipeline.dataset_name, location_of(pipeline)
        with pipeline.sql_client() as client:
            _check_warehouse(pipeline)
            record = _read_record(client, raw)
            wish = wish_of(record)
        says = say_in(policy.language, wish.says)
        if wish.decision:
            return DecidedOperation(wish.decision, False, says, location=location)
        own = OperationDecision(
            decision_id=next_operation_decision_id(record.decisions),
            operation_id=wish.operation_id,
            decision=wish.kind,
            new_operation_id=wish.new_operation_id,
            undoes=wish.undoes,
            decided_at=decider.now(),
            decided_by=by,
            reason=decider.reason,
        )
        stored = append_operation_decision(pipeline, own)
        if stored != own:
            text = N_(
                "{said} {told}, at the same moment: look at `wolkvox-billing operations`, and run "
                "it again"
            )
            raise WarehouseError(Sentence(text, said=_said(stored), told=_told(stored)))
        decided = DecidedOperation(own, True, says, location=location)
        refresh(pipeline, None, decider.clock(), anew=True)
        decided.warnings += decider.compare_anew(pipeline, policy)
        with pipeline.sql_client() as client:
            identities = read_identities(client, f"{raw}_marts")
            decided.warnings += undecided(identities, policy.language)
            decided.warnings += warn_of_settings(client, raw, identities, record.settings)
    return decided


def _check_warehouse(pipeline: dlt.Pipeline) -> None:
    """Raise SettingsError where nobody makes marts of decisions."""
    if engine_of(pipeline) not in REFRESHED:
        text = N_("operations are decided on in {refreshed} only")
        raise SettingsError(Sentence(text, refreshed=" and ".join(REFRESHED)))


def _read_record(client: Client, raw: str) -> _Record:
    """Return the record. Raises WarehouseError before a first load."""
    tables = tables_in(client, raw)
    if not tables.issuperset(("polls", "readings")):
        raise WarehouseError(
            Sentence(N_("{raw} has no tables yet: run `wolkvox-billing load` first"), raw=raw)
        )
    query = partial(rows_of, client)
    decisions = read_operation_decisions(client, raw)
    answered = f"CASE WHEN {among('outcome', ANSWERS)} THEN started_at END"
    calls = query(
        f"SELECT operation_id, server, MIN({answered}), MAX({answered}) FROM {raw}.polls "
        "GROUP BY operation_id, server ORDER BY operation_id, server"
    )
    asked: dict[str, _Asked] = {}
    for operation_id, own in groupby(calls, key=itemgetter(0)):
        _, servers, first, last = (filter(None, values) for values in zip(*own, strict=True))
        asked[operation_id] = _Asked(
            tuple(servers), min(first, default=None), max(last, default=None)
        )
    return _Record(
        client=client,
        raw=raw,
        decisions=decisions,
        asked=asked,
        named=read_vendors_names(query, raw, tables),
        identities=find_identities(query, raw, tables, decisions),
        settings=settings_if_any(),
    )


def _listed(read: str, record: _Record) -> ListedOperation:
    asked = record.asked.get(read) or _Asked((), None, None)
    identity = next((row for row in record.identities.rows if row.operation_id == read), None)
    names = record.names
    said = names.forgotten.get(names.name(read)) or names.moved_by.get(read)
    settings = record.settings
    return ListedOperation(
        operation_id=read,
        counts_as=record.identities.current(read),
        standing=identity.decision if identity else COUNTS,
        operation_names=tuple(
            sorted({named.vendors_name for named in record.named if named.operation_id == read})
        ),
        servers=asked.servers,
        first_answer_at=asked.first and asked.first.astimezone(timezone.utc),
        last_answer_at=asked.last and asked.last.astimezone(timezone.utc),
        in_settings=None
        if settings is None
        else read in {own.operation_id for own in settings.operations},
        decided_by=said.decided_by if said else None,
        decided_at=said.decided_at.astimezone(timezone.utc) if said else None,
        reason=said.reason if said else None,
    )
