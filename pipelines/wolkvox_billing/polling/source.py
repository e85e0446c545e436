"""The dlt source: how each answer becomes rows of all tables.

    asked now, or out of the spool ─▶ answers ─┬▶ polls, readings, rejected_rows
                                               └▶ rsync_s3_mp3, ...: one table a report

`wolkvox_billing` asks, for whoever has a pipeline of their own; `waiting_answers` is what `load`
puts into its tables. Both fill the same ones.
"""

from __future__ import annotations

import logging
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, cast

import dlt
from dlt.common.configuration import NotResolved, get_fun_spec, known_sections
from dlt.common.configuration.exceptions import ContextDefaultCannotBeCreated
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.schema.typing import TWriteDisposition
from dlt.common.typing import SecretSentinel, TDataItems, TSecretStrValue
from dlt.extract import DltResource, DltSource

from wolkvox_billing.errors import Refused
from wolkvox_billing.polling.pace import AskedState, AskedTimes, Pace
from wolkvox_billing.polling.polls import Poll, Run, Skip, ask_all
from wolkvox_billing.polling.settings import PollSettings, SourceSettings, check_poll_settings
from wolkvox_billing.polling.spool import Series
from wolkvox_billing.polling.tables import (
    TABLES,
    Batch,
    added_columns,
    newest_in,
    poll_row,
    readings_in,
    rejected_in,
    report_table,
)
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.vendor import reports as vendor
from wolkvox_billing.vendor.reading_columns import ReadingKey
from wolkvox_billing.vendor.readings import read_rows
from wolkvox_billing.vendor.rejections import unreadable_rows
from wolkvox_billing.warehouse.bulk import AsFiles, AsRows
from wolkvox_billing.warehouse.columns import hints
from wolkvox_billing.warehouse.configuration import SOURCE_SETTINGS
from wolkvox_billing.warehouse.dlt_gaps import take_only

__source_name__ = "wolkvox_billing"  # dlt reads settings by it, or else by the module's name

logger = logging.getLogger("wolkvox_billing")

_TURNS = 100  # many more than dlt needs for the steps of all tables
# A report's rows have one of each key before dlt gets them: it need not sort and number them.
_DEDUPLICATED = {"x-stage-data-deduplicated": True}


class Declare:
    """Comes before the first batch: each table declares itself, so that it exists while empty."""


# Of more arguments than any other function: users write them, and dlt reads the settings' names,
# types and defaults here.
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
    raise_on_refusal: Annotated[bool, NotResolved()] = False,
    clock: Clock = utc_now,
    on_event: Callable[[Poll | Skip], None] | None = None,
) -> tuple[DltResource, ...]:
    """Return one resource per report, such as `rsync_s3_mp3`, and `polls`, `readings`,
    `rejected_rows`.

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
        raise_on_refusal: raise Refused, inside of what dlt raises of a step, where a call was not
            answered or could not be made. dlt then loads nothing of the run, not even what others
            answered, and the next run asks all again; `load` keeps what came, and tells the same.
        clock: the time now, in UTC.
        on_event: is told of each Poll and each Skip as it happens.

    All tables are merged on their keys, so that a package that dlt loads again adds nothing.
    `with_resources` with names of reports asks for those alone. Raises SettingsError before
    anything is asked. A refusal raises nothing unless it is to: it is a row in `polls`.
    """
    settings = check_poll_settings(
        SourceSettings(
            operations,
            server,
            token,
            reports,
            base_url,
            timezone,
            pace_minutes,
            max_parallel,
            retry_pause_seconds,
            token_wait_seconds,
            connect_timeout_seconds,
            read_timeout_seconds,
        )
    )
    for warning in settings.warnings:
        logger.warning(warning)

    def polls(asked: AskedTimes) -> Iterator[Poll]:
        pace = Pace(AskedState(asked), settings.pace, clock, force=force)
        return _ask(settings, pace, on_event, raise_on_refusal)

    return _resources(polls, settings.reports, on_poll=on_event)


def _ask(
    settings: PollSettings,
    pace: Pace,
    on_event: Callable[[Poll | Skip], None] | None,
    raise_on_refusal: bool,
) -> Iterator[Poll]:
    """Yield the polls of what is selected; tell of the calls that were not made. Raises Refused at
    the end, where it shall."""
    selected = _selected({*TABLES, *settings.reports})
    reports = [report for report in settings.reports if report in selected]
    # Who does not load the record of calls and readings lacks them still: an answer that left no
    # reading is none for the pace.
    note = pace.note if selected >= TABLES.keys() else None
    run = Run(pace.due, pace.clock, settings.manner, keep=note)
    refusals: list[str] = []
    for event in ask_all(settings.operations, reports or settings.reports, run):
        if isinstance(event, Poll):
            if not event.outcome.is_answer:
                name = f"{event.operation.operation_id} {event.report}"
                refusals.append(f"{name}: {event.outcome.value}")
            yield event
            continue
        if event.is_failure:
            refusals.append(f"{event.operation_id} {event.report}: {event.detail}")
        if on_event:
            on_event(event)
    if refusals and raise_on_refusal:
        raise Refused("; ".join(refusals))


def _selected(names: set[str]) -> set[str]:
    """Return the names of the resources that are extracted; all where somebody looks at a resource
    by itself, which is of no source then."""
    try:
        return {*dlt.current.source().selected_resources}
    except ContextDefaultCannotBeCreated:
        return names


def settings_by_dlt(overrides: Mapping[str, object]) -> SourceSettings:
    """Return the source's settings as dlt injects them, where only dlt can tell; overrides win."""
    spec = get_fun_spec(wolkvox_billing._f)  # type: ignore[attr-defined]
    name = "wolkvox_billing"
    resolved = resolve_configuration(
        spec(), sections=(known_sections.SOURCES, name, name), explicit_value=dict(overrides)
    )
    values = {setting.name: resolved[setting.name] for setting in SOURCE_SETTINGS}
    return SourceSettings.of({key: value for key, value in values.items() if value is not None})


def waiting_answers(
    polls: Callable[[], Iterator[Poll]],
    calls: Counter[Series],
    on_poll: Callable[[Poll], None],
    *,
    append: bool,
) -> DltSource:
    """Return a source of calls that were made, newest first: nobody is asked.

    calls: how many there are of each operation and report, so that of two the newer one counts.
    append: nothing of them is in the tables, so that only the reports' are merged.
    """
    reports = sorted({series.report for series in calls})
    resources = _resources(lambda _: polls(), reports, on_poll, append=append, calls=calls)
    return dlt.source(lambda: resources, name="wolkvox_billing", max_table_nesting=0)()


def _resources(
    polls: Callable[[AskedTimes], Iterator[Poll]],
    reports: Sequence[str],
    on_poll: Callable[[Poll], None] | None = None,
    *,
    append: bool = False,
    calls: Counter[Series] | None = None,
) -> tuple[DltResource, ...]:
    """Return the resources of all tables, fed from one reading of the calls."""
    answers = _answers(polls, on_poll)
    rows_of = {
        "polls": lambda batch: [poll_row(batch)],
        "readings": _reading_rows,
        "rejected_rows": lambda batch: rejected_in(batch) or None,
    }
    disposition: TWriteDisposition = "append" if append else "merge"
    resources = [_table(answers, name, rows_of[name], disposition) for name in rows_of]
    resources += [_report(answers, report, calls or Counter()) for report in reports]
    for resource in resources:
        table = TABLES.get(resource.name) or report_table(resource.name)
        more = {} if resource.name in TABLES else _DEDUPLICATED
        resource.apply_hints(additional_table_hints={"description": table.says, **more})
        resource.add_step(AsRows())
        resource.add_step(AsFiles(resource.name, hints(table)["columns"]))
    return (answers, *resources)


def _answers(
    polls: Callable[[AskedTimes], Iterator[Poll]], on_poll: Callable[[Poll], None] | None
) -> DltResource:
    """Return the resource that hands each call to all tables."""

    @dlt.resource(name="answers", selected=False)
    def answers() -> Iterator[Batch | Declare | None]:
        yield Declare()
        state = dlt.current.resource_state()
        fields: dict[str, str] = state.setdefault("fields", {})  # that the vendor added, by column
        for poll in polls(cast(AskedTimes, state)):
            readings, rejected = read_rows(poll.judgement.rows, poll.date, fields, poll.report)
            poll = replace(
                poll,
                rejected=len(rejected),
                unreadable=unreadable_rows(poll.judgement.count, (row.reason for row in rejected)),
            )
            if on_poll:
                on_poll(poll)
            batch = Batch(poll, readings, rejected)
            alive = weakref.ref(batch)
            yield batch
            del poll, readings, rejected, batch  # they are large
            # dlt would take some ten answers before the first is written. It turns to other things
            # when it gets nothing; not for ever, since somebody may look at this resource alone.
            for _ in range(_TURNS):
                if not alive():
                    break
                yield None

    return answers


# No generators: dlt would turn to the next answer while it holds what is left of this one.


def _reading_rows(batch: Batch) -> TDataItems:
    if not batch.readings:
        return None
    columns, added = readings_in(batch), added_columns(set(batch.readings.added))
    return dlt.mark.with_hints(columns, dlt.mark.make_hints(columns=added)) if added else columns


def _table(
    answers: DltResource,
    name: str,
    rows: Callable[[Batch], TDataItems],
    disposition: TWriteDisposition,
) -> DltResource:
    @dlt.transformer(data_from=answers, name=name, **hints(TABLES[name], disposition))
    def table(batch: Batch | Declare) -> TDataItems:
        return dlt.mark.materialize_table_schema() if isinstance(batch, Declare) else rows(batch)

    return table


def _report(answers: DltResource, report: str, calls: Counter[Series]) -> DltResource:
    met: dict[str, set[ReadingKey]] = {}  # keys of newer answers, of an operation that has several

    @dlt.transformer(data_from=answers, name=report, **hints(report_table(report)))
    def newest(
        batch: Batch | Declare,
        # No row is ever filtered: the vendor restates earlier days, and sends late ones. So the
        # cursor is moved by hand, and the key plays no part in it. dlt takes it anew for each
        # answer, and then filters until it is moved: an answer's rows must go at once, whole.
        date: dlt.sources.incremental[Any] = dlt.sources.incremental(
            "date", primary_key=(), allow_external_schedulers=False
        ),
    ) -> TDataItems:
        if isinstance(batch, Declare):
            return dlt.mark.materialize_table_schema()
        if not batch.readings:
            return None
        newest_day = batch.readings.newest_day
        date.advance(max(newest_day, date.last_value or newest_day))
        name = batch.poll.operation.operation_id
        has_several = calls[Series(name, report)] > 1
        columns = newest_in(batch, met.setdefault(name, set()) if has_several else None)
        return columns if columns.count else None

    def is_own(batch: Batch | Declare) -> bool:
        return isinstance(batch, Declare) or batch.poll.report == report

    return take_only(newest, is_own)
