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
from typing import Annotated, Any

import dlt
from dlt.common.configuration import NotResolved, get_fun_spec, known_sections
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.typing import SecretSentinel, TSecretStrValue
from dlt.extract import DltResource, DltSource

from wolkvox_billing.polling.pace import AskedState, Pace
from wolkvox_billing.polling.polls import Poll, Skip, ask_all
from wolkvox_billing.polling.settings import check_poll_settings
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
from wolkvox_billing.vendor.readings import read_rows
from wolkvox_billing.warehouse.bulk import AsFiles, AsRows
from wolkvox_billing.warehouse.columns import hints
from wolkvox_billing.warehouse.configuration import SOURCE_SETTINGS

__source_name__ = "wolkvox_billing"  # dlt reads settings by it, or else by the module's name

logger = logging.getLogger("wolkvox_billing")

_TURNS = 100  # many more than dlt needs for the steps of all tables
# A report's rows have one of each key before dlt gets them: it need not sort and number them.
_DEDUPLICATED = {"x-stage-data-deduplicated": True}


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
    clock: Clock = utc_now,
    on_event: Callable[[Poll | Skip], None] | None = None,
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
        clock: the time now, in UTC.
        on_event: is told of each Poll and each Skip as it happens.

    All tables are merged on their keys, so that a package that dlt loads again adds nothing.
    Raises SettingsError before anything is asked. A refusal raises nothing: it is a row in `polls`.
    """
    settings = check_poll_settings(
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
    for warning in settings.warnings:
        logger.warning(warning)

    def asked(state: dict[str, Any]) -> Iterator[Poll]:
        pace = Pace(AskedState(state), settings.pace, clock, force=force)
        for event in ask_all(
            settings.operations,
            settings.reports,
            due=pace.due,
            clock=clock,
            manner=settings.manner,
            keep=pace.note,
        ):
            if isinstance(event, Poll):
                yield event
            elif on_event:
                on_event(event)

    return _resources(asked, settings.reports, on_poll=on_event)


def settings_by_dlt(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source's settings as dlt injects them, where only dlt can tell; these win."""
    spec = get_fun_spec(wolkvox_billing._f)  # type: ignore[attr-defined]
    name = "wolkvox_billing"
    resolved = resolve_configuration(
        spec(), sections=(known_sections.SOURCES, name, name), explicit_value=dict(given)
    )
    values = {setting.name: resolved[setting.name] for setting in SOURCE_SETTINGS}
    return {key: value for key, value in values.items() if value is not None}


def waiting_answers(
    polls: Callable[[], Iterator[Poll]],
    calls: Counter[tuple[str, str]],
    on_poll: Callable[[Poll], None],
    *,
    append: bool,
) -> DltSource:
    """Return a source of calls that were made, newest first: nobody is asked.

    calls: how many there are of each operation and report, so that of two the newer one counts.
    append: nothing of them is in the tables, so that only the reports' are merged.
    """
    reports = sorted({report for _, report in calls})
    resources = _resources(lambda _: polls(), reports, on_poll, append=append, calls=calls)
    return dlt.source(lambda: resources, name="wolkvox_billing", max_table_nesting=0)()


def _resources(
    polls: Callable[[dict[str, Any]], Iterator[Poll]],
    reports: Sequence[str],
    on_poll: Callable[[Poll], None] | None = None,
    *,
    append: bool = False,
    calls: Counter[tuple[str, str]] | None = None,
) -> tuple[DltResource, ...]:
    """Return the resources of all tables, fed from one reading of the calls."""
    disposition = "append" if append else "merge"

    @dlt.resource(name="answers", selected=False)
    def answers() -> Iterator[Batch | Declare | None]:
        """Hands each call to all tables."""
        yield Declare()
        state = dlt.current.resource_state()
        fields: dict[str, str] = state.setdefault("fields", {})  # that the vendor added, by column
        for poll in polls(state):
            readings, rejected = read_rows(poll.verdict.rows, poll.date, fields)
            poll = replace(poll, rejected=len(rejected))
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

    def rows(batch: Batch) -> Any:
        if not batch.readings:
            return None
        added = added_columns(set(batch.readings.added))
        hint = dlt.mark.make_hints(columns=added) if added else None
        columns = readings_in(batch)
        return dlt.mark.with_hints(columns, hint) if hint else columns

    tables: dict[str, Callable[[Batch], Any]] = {
        "polls": lambda batch: [poll_row(batch)],
        "readings": rows,
        "rejected_rows": lambda batch: rejected_in(batch) or None,
    }
    resources = [_table(answers, name, tables[name], disposition) for name in tables]
    resources += [_report(answers, report, calls or Counter()) for report in reports]
    for resource in resources:
        says, key, columns = TABLES.get(resource.name) or report_table(resource.name)
        more: Any = {} if resource.name in TABLES else _DEDUPLICATED
        resource.apply_hints(additional_table_hints={"description": says, **more})
        resource.add_step(AsRows())
        resource.add_step(AsFiles(resource.name, hints((says, key, columns))["columns"]))
    return (answers, *resources)


# No generators: dlt would turn to the next answer while it holds what is left of this one.


def _table(
    answers: DltResource, name: str, rows: Callable[[Batch], Any], disposition: str
) -> DltResource:
    @dlt.transformer(data_from=answers, name=name, **hints(TABLES[name], disposition))
    def table(batch: Batch | Declare) -> Any:
        return dlt.mark.materialize_table_schema() if isinstance(batch, Declare) else rows(batch)

    return table


def _report(answers: DltResource, report: str, calls: Counter[tuple[str, str]]) -> DltResource:
    met: dict[str, set[Any]] = {}  # keys of newer answers, of an operation that has several

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
        newest_day = batch.readings.newest_day
        date.advance(max(newest_day, date.last_value or newest_day))
        name = batch.poll.operation.operation_id
        several = calls[name, report] > 1
        columns = newest_in(batch, met.setdefault(name, set()) if several else None)
        return columns if columns.count else None

    return newest
