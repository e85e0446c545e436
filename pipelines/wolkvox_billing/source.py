"""The dlt source: who is asked for what, and how each answer becomes rows of all tables."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import dlt
from dlt.common.configuration import NotResolved
from dlt.common.typing import SecretSentinel, TSecretStrValue
from dlt.extract import DltResource

from wolkvox_billing import reports as vendor
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.files import AsFiles, AsRows
from wolkvox_billing.hosts import Hosts
from wolkvox_billing.operations import Operation, read_operations
from wolkvox_billing.polls import (
    MOST_RETRIES,
    Clock,
    Manner,
    Poll,
    Skip,
    ask_all,
    utc_now,
)
from wolkvox_billing.readings import read_rows
from wolkvox_billing.tables import (
    TABLES,
    Batch,
    added_columns,
    hints,
    newest_in,
    poll_row,
    readings_in,
    rejected_in,
    report_table,
)
from wolkvox_billing.verdict import Outcome

__source_name__ = "wolkvox_billing"  # dlt reads settings by it, or else by the module's name

logger = logging.getLogger("wolkvox_billing")

CLOCKS_APART = timedelta(minutes=1)  # by so much may the clocks of two hosts differ
_TURNS = 100  # many more than dlt needs for the steps of all tables


class Declare:
    """Comes before the first batch: each table declares itself, so that it exists while empty."""


@dlt.source(name="wolkvox_billing", max_table_nesting=0)
def wolkvox_billing(
    # Typed as secrets: dlt writes the value of any other setting into its trace. `Any`, since it
    # takes a secret list that may be None for no secret, and shows a text that is no list.
    operations: Annotated[Any, SecretSentinel] = None,
    server: str | None = None,
    token: TSecretStrValue | None = None,
    reports: list[str] | None = None,
    base_url: str = vendor.BASE_URL,
    timezone: str = vendor.TIMEZONE,
    pace_minutes: float = 5.0,
    max_parallel: int = 8,
    retry_pause_seconds: float = 2.0,
    token_wait_seconds: float = 300.0,
    connect_timeout_seconds: float = vendor.CONNECT_SECONDS,
    read_timeout_seconds: float = vendor.READ_SECONDS,
    force: Annotated[bool, NotResolved()] = False,  # not for a variable FORCE to set
    probe: Annotated[bool, NotResolved()] = False,
    clock: Clock = utc_now,
    on_event: Callable[[Poll | Skip], None] | None = None,
    hosts: Callable[[], Hosts | None] | None = None,
    keep: Callable[[Poll], None] | None = None,
    kept: Annotated[Any, NotResolved()] = None,
) -> tuple[DltResource, ...]:
    """One resource per report, such as `rsync_s3_mp3`, and `polls`, `readings`, `rejected_rows`.

    Args, each a setting under `[sources.wolkvox_billing]` too, but those from `force` on:
        operations: list of `{name, server, token}`, and `timezone` where it is another; or `server`
            and `token` for one operation.
        reports: the vendor's names; `["all"]` is all 27; `["rsync_s3_mp3"]` if not set.
        base_url: where the vendor is; `{server}` is filled in.
        timezone: the vendor's; decides which day and month it is.
        pace_minutes: an operation and report that answered less than this ago is not asked again.
        max_parallel: operations asked side by side; calls of one token never are.
        retry_pause_seconds: before the first of at most 3 new tries; the pause grows.
        token_wait_seconds: how long to wait for another process or host that uses the token.
        connect_timeout_seconds, read_timeout_seconds: of one call.
        force: ask in spite of the pace.
        probe: one call to each operation, for its first report, whatever the pace says.
        clock: the time now, in UTC.
        on_event: is told of each Poll and each Skip as it happens.
        hosts: gives what other hosts are to be held off by, once the asking begins.
        keep: gets each Poll as soon as it is there, in the thread that asked.
        kept: Polls of an earlier run, which are loaded as they are; nobody is asked.

    Raises SettingsError before anything is asked. A refusal raises nothing: it is a row in `polls`.
    """
    for name, value in (("server", server), ("token", token), ("operations", operations)):
        if value and os.environ.get(name.upper()) == value:
            raise SettingsError(
                f"the variable {name.upper()} would be taken for the setting `{name}`: unset it, "
                f"and set SOURCES__WOLKVOX_BILLING__{name.upper()}"
            )
    accounts = read_operations(operations, server, token, base_url, timezone)
    names, warnings = vendor.choose_reports(reports or ["rsync_s3_mp3"])
    for warning in warnings:
        logger.warning(warning)
    if probe:
        names = names[:1]
    if not 0 <= pace_minutes <= 44640 or max_parallel < 1:
        raise SettingsError("`pace_minutes` is 0 to 44640, and `max_parallel` at least 1")
    if not (0 <= retry_pause_seconds <= 3600 and 0 <= token_wait_seconds <= 86400):
        raise SettingsError("`retry_pause_seconds` is 0 to 3600, `token_wait_seconds` 0 to 86400")
    if not (0 < connect_timeout_seconds <= 3600 and 0 < read_timeout_seconds <= 3600):
        raise SettingsError(
            "`connect_timeout_seconds` and `read_timeout_seconds` are more than 0, at most 3600"
        )
    # A schedule of that pace never hits the second: it must not find every other call too early.
    pace = timedelta(minutes=pace_minutes)
    pace -= min(pace / 10, timedelta(seconds=15))
    manner = Manner(
        max_parallel=max_parallel,
        most_retries=0 if probe else MOST_RETRIES,
        retry_pause=retry_pause_seconds,
        token_wait=token_wait_seconds,
        connect_seconds=connect_timeout_seconds,
        read_seconds=read_timeout_seconds,
    )

    @dlt.resource(name="answers", selected=False)
    def answers() -> Iterator[Batch | Declare | None]:
        """Asks, and hands each poll to all tables."""
        yield Declare()
        state = dlt.current.resource_state()
        answered: dict[str, dict[str, str]] = state.setdefault("answered", {})
        resting: dict[str, str] = state.setdefault("resting", {})
        fields: dict[str, str] = state.setdefault("fields", {})  # that the vendor added, by column

        def due(
            operation: Operation, report: str, elsewhere: datetime | None = None
        ) -> Skip | None:
            if probe:
                return None
            name, now = operation.operation_id, clock()
            last = elsewhere or _time(answered.get(name, {}).get(report))
            rest = _time(resting.get(name))
            # A time ahead of the clock was written before the clock was set back: it holds nothing.
            # Another host's clock may be somewhat ahead.
            if rest and now < rest <= now + timedelta(days=1, hours=1):
                until = f"the day's calls are spent: resting until {rest:%Y-%m-%d %H:%M %Z}"
                return Skip(name, report, "quota", until)
            if last and not force and -CLOCKS_APART <= now - last < pace:
                seconds = max(0, (now - last).total_seconds())
                ago = f"answered {seconds:.0f} s ago, within `pace_minutes`"
                return Skip(name, report, "pace", ago)
            return None

        def note(noted: dict[str, str], name: str, time: datetime) -> None:
            before = _time(noted.get(name))
            if kept is None or not before or before < time:
                noted[name] = time.isoformat()

        def asked() -> Iterator[Poll | Skip]:
            others = hosts() if hosts else None
            return ask_all(
                accounts, names, due=due, clock=clock, manner=manner, hosts=others, keep=keep
            )

        for event in asked() if kept is None else kept:
            if isinstance(event, Skip):
                if on_event:
                    on_event(event)
                continue
            typed, rejected = read_rows(event.verdict.rows, event.date, fields)
            event = replace(event, rejected=len(rejected))
            if on_event:
                on_event(event)
            name = event.operation.operation_id
            if event.outcome.is_answer:
                note(answered.setdefault(name, {}), event.report, event.started_at)
            elif event.outcome is Outcome.QUOTA_SPENT:
                note(resting, name, _next_midnight(event.finished_at, event.operation.zone))
            batch = Batch(event, typed, rejected)
            alive = weakref.ref(batch)
            yield batch
            del event, typed, rejected, batch  # they are large
            # dlt would take some ten answers before the first is written. It turns to other things
            # when it gets nothing; not for ever, since somebody may look at this resource alone.
            for _ in range(_TURNS):
                if not alive():
                    break
                yield None

    # No generators: dlt would turn to the next answer while it holds what is left of this one.
    @dlt.transformer(data_from=answers, name="polls", **hints(TABLES["polls"]))
    def polls(batch: Batch | Declare) -> Any:
        if isinstance(batch, Declare):
            return dlt.mark.materialize_table_schema()
        return [poll_row(batch)]

    @dlt.transformer(data_from=answers, name="readings", **hints(TABLES["readings"]))
    def readings(batch: Batch | Declare) -> Any:
        if isinstance(batch, Declare):
            return dlt.mark.materialize_table_schema()
        if not batch.readings:
            return None
        added = added_columns(set().union(*batch.readings.extra))
        hint = dlt.mark.make_hints(columns=added) if added else None
        found = readings_in(batch)
        return dlt.mark.with_hints(found, hint) if hint else found

    @dlt.transformer(data_from=answers, name="rejected_rows", **hints(TABLES["rejected_rows"]))
    def rejected_rows(batch: Batch | Declare) -> Any:
        if isinstance(batch, Declare):
            return dlt.mark.materialize_table_schema()
        return rejected_in(batch) or None

    def report_resource(report: str) -> DltResource:
        @dlt.transformer(data_from=answers, name=report, **hints(report_table(report)))
        def newest(
            batch: Batch | Declare,
            # No row is ever filtered: the vendor restates earlier days, and sends late ones. So the
            # cursor is moved by hand, and the key plays no part in it. dlt takes it anew for each
            # answer, and then filters until it is moved: an answer's rows must go at once, whole.
            date: dlt.sources.incremental[Any] = dlt.sources.incremental(
                "date", primary_key=(), allow_external_schedulers=False
            ),
        ) -> Any:
            if isinstance(batch, Declare):
                return dlt.mark.materialize_table_schema()
            if batch.poll.report != report or not batch.readings:
                return None
            newest_day = max(batch.readings.date)
            date.advance(max(newest_day, date.last_value or newest_day))
            return newest_in(batch)

        return newest

    resources = (answers, polls, readings, rejected_rows, *map(report_resource, names))
    for resource in resources[1:]:
        says, key, columns = TABLES.get(resource.name) or report_table(resource.name)
        resource.apply_hints(additional_table_hints={"description": says})
        resource.add_step(AsRows())
        resource.add_step(AsFiles(resource.name, hints((says, key, columns))["columns"]))
    return resources


def _next_midnight(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
