"""The verb `load`: it polls, and puts what waits into the tables; and `refresh_marts`.

    poll ─▶ spool ─▶ drain: extract, normalize, load ─▶ marts
              └── what earlier polls have left

The vendor is asked whatever state the destination is in: an answer is in the spool as soon as it is
read, and leaves it when the destination has it. dlt's packages are made anew each time.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.errors import SettingsError, WarehouseError, WolkvoxError
from wolkvox_billing.marts.engine import Engine
from wolkvox_billing.marts.identities import read_identities
from wolkvox_billing.marts.identity_words import undecided
from wolkvox_billing.marts.meaning import Meaning, read_meaning
from wolkvox_billing.marts.refresh import read_contents, refresh
from wolkvox_billing.marts.sql import MartRows, statements
from wolkvox_billing.polling.drain import Drained, drain
from wolkvox_billing.polling.hosts import hosts_of
from wolkvox_billing.polling.older import load_older
from wolkvox_billing.polling.pace import AskedFolder, Pace
from wolkvox_billing.polling.settings import PollSettings, read_poll_settings
from wolkvox_billing.polling.spool import Series, Spool, waiting_elsewhere
from wolkvox_billing.reconciliation.policy import read_policy
from wolkvox_billing.values.clock import Clock, next_midnight, utc_now
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.vendor.rejections import UnreadableRows
from wolkvox_billing.verbs.meant import warn_of_settings
from wolkvox_billing.verbs.poll import Asking, OnEvent, PollReport, ask
from wolkvox_billing.warehouse.complaints import configured, failure_of, tells_of_damage
from wolkvox_billing.warehouse.duckdb_file import held_open
from wolkvox_billing.warehouse.loading import comment
from wolkvox_billing.warehouse.place import (
    DATASET,
    DESTINATION,
    FILES,
    folder_of,
    location_of,
    opened,
    reading,
)
from wolkvox_billing.warehouse.sql import REFRESHED, among, engine_of, rows_of

logger = logging.getLogger("wolkvox_billing")

NOT_LOADED = "not loaded, kept in the working folder for the next load: {}"
WAIT_ON = "answers that waited, and wait on: {}"
NOT_DESCRIBED = "loaded, and the comments on tables and columns could not be written: {}"
NOT_REFRESHED = "loaded, and the marts could not be refreshed: {}"
ALL_UNREADABLE = (
    "{}, and their use is in no sum: look at the table rejected_rows, and show its rows to "
    "wolkvox, and to us"
)
SOME_UNREADABLE = "{}, and their use is in no sum: see the table rejected_rows"
NOT_RECONCILED = "loaded, and invoices were not compared anew: {}"


@dataclass
class LoadReport(PollReport):
    """What one `load` did: the calls, those not made, and what went wrong afterwards, in words."""

    location: str = ""
    loaded: int = 0  # answers that left the spool, those of earlier polls too


def load(  # public, as `poll` is
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    reports: list[str] | None = None,
    force: bool = False,
    clock: Clock = utc_now,
    on_event: OnEvent | None = None,
    measures: Mapping[str, str] | None = None,
    gauge_month: str | None = None,
    **settings: Any,
) -> LoadReport:
    """Return a LoadReport of one poll of every operation and report, and of all that waited, loaded
    into all tables; the marts are refreshed on DuckDB and PostgreSQL. Its `failures` say what went
    wrong and what to do, a sentence each; [] where all is well.

    reports: names of reports, such as rsync_s3_mp3; those of the settings without it. force: ask
    who was answered less than the pace ago too. on_event: is called with each Poll and Skip as it
    ends. measures, gauge_month, `settings`: a setting of the source, such as `operations`, where
    it shall not come from dlt's configuration.
    Raises SettingsError before anything is asked. What the destination does raises nothing: the
    answers wait in the spool, the report says so, and the next `load` takes them along.
    """
    if reports:
        settings["reports"] = reports
    poll_settings = read_poll_settings(**settings)
    meaning = meaning_of(settings.get("timezone"), measures, gauge_month)
    with opened(destination, dataset, holds=False) as pipeline:
        folder, report = folder_of(pipeline), _begin(pipeline)
        asked_folder = AskedFolder(folder.asked)
        if asked_folder.is_new:
            remember(pipeline, asked_folder)
        pace = Pace(asked_folder, poll_settings.pace, clock, force=force)
        ask(Asking(poll_settings, folder, pace, hosts_of(pipeline)), report, on_event)
        _load_what_waits(report, pipeline, poll_settings, meaning, clock)
    return report


def load_waiting(
    *, destination: str = DESTINATION, dataset: str = DATASET, clock: Clock = utc_now
) -> LoadReport:
    """Return a LoadReport of all that waited, loaded as by `load`; ask nobody.

    Raises SettingsError, and WarehouseError where the working folder cannot be had."""
    poll_settings, meaning = read_poll_settings(), meaning_of()
    with opened(destination, dataset) as pipeline:
        report = _begin(pipeline)
        _load_what_waits(report, pipeline, poll_settings, meaning, clock)
    return report


def _begin(pipeline: dlt.Pipeline) -> LoadReport:
    """Return the report of a load that begins."""
    folder = folder_of(pipeline)
    return LoadReport(
        working_folder=str(folder.path),
        location=location_of(pipeline),
        warnings=waiting_elsewhere(folder),
    )


def _load_what_waits(
    report: LoadReport,
    pipeline: dlt.Pipeline,
    settings: PollSettings,
    meaning: Meaning,
    clock: Clock,
) -> None:
    """Load what waits in the spool and of older versions, and put into the report what became of
    it."""
    folder = folder_of(pipeline)
    spool = Spool(folder.spool)
    report.warnings += spool.told()
    if says := load_older(pipeline, folder):
        report.problems.append(says)
    with held_open(pipeline):
        _drain(report, pipeline, spool, meaning, clock)
        _warn_of_identities(report, pipeline, settings)
    report.lasting += filter(tells_of_damage, report.problems)
    report.waiting = spool.count()


def _drain(
    report: LoadReport,
    pipeline: dlt.Pipeline,
    spool: Spool,
    meaning: Meaning,
    clock: Clock,
) -> None:
    """Load what waits, and make the marts of it."""
    fresh = frozenset(poll.poll_id for poll in report.polls)
    drained = drain(pipeline, spool, clock(), fresh)
    _note(report, spool, drained, fresh)
    if drained.changes:
        _try_step(report, NOT_DESCRIBED, lambda: comment(pipeline, drained.changes))
    has_tables = drained.loaded or (pipeline.default_schema_name and not drained.waits)
    if engine_of(pipeline) in REFRESHED and has_tables:
        is_fresh = _try_step(
            report, NOT_REFRESHED, lambda: refresh(pipeline, meaning, clock(), drained.zones)
        )
        if is_fresh:
            _refill(report, pipeline, anew=drained.has_older_days(clock()))


def _warn_of_identities(report: LoadReport, pipeline: dlt.Pipeline, settings: PollSettings) -> None:
    """Put into the report who counts as another one, by a guess or against the settings."""
    if engine_of(pipeline) not in REFRESHED or not pipeline.default_schema_name:
        return

    def look() -> None:
        with pipeline.sql_client() as client:
            identities = read_identities(client, f"{pipeline.dataset_name}_marts")
            if identities.rows:
                report.warnings += undecided(identities, configured(read_policy).language)
                report.warnings += warn_of_settings(
                    client, pipeline.dataset_name, identities, settings
                )

    with suppress(SettingsError):  # those of the comparison, of which `_refill` tells
        failure_of(look)


def _note(report: LoadReport, spool: Spool, drained: Drained, fresh: frozenset[str]) -> None:
    """Put into the report what became of the answers."""
    report.loaded = len(drained.loaded)
    report.polls = [
        replace(
            poll,
            rejected=drained.rejected.get(poll.poll_id),
            unreadable=drained.unreadable.get(poll.poll_id),
        )
        for poll in report.polls
    ]
    _note_unreadable(report, drained)
    own = {says for poll_id, says in drained.waits.items() if poll_id in fresh}
    report.problems += [NOT_LOADED.format(says) for says in sorted(own)]
    others = set(drained.waits.values()) - own
    report.problems += [WAIT_ON.format(says) for says in sorted(others)]
    known = set(report.warnings)
    report.problems += [says for says in spool.told() if says not in known]


def _note_unreadable(report: LoadReport, drained: Drained) -> None:
    """Put into the report of which operations and reports rows could not be read: of the newest
    answer of which none could, a problem, and of the newest of which some could, a warning."""
    answers: defaultdict[tuple[Series, bool], list[UnreadableRows]] = defaultdict(list)
    for call in sorted(drained.loaded, key=lambda call: call.poll_id):
        if rows := drained.unreadable.get(call.poll_id):
            answers[call.series, rows.are_all].append(rows)
    for (series, are_all), unreadable in sorted(answers.items()):
        says = f"{series.operation_id} {series.report}: {unreadable[-1]}"
        if len(unreadable) > 1:
            says += f", and so in {len(unreadable) - 1} more answers of this load"
        if are_all:
            report.lasting.append(ALL_UNREADABLE.format(says))
        else:
            report.warnings.append(SOME_UNREADABLE.format(says))
    report.problems += report.lasting


def remember(pipeline: dlt.Pipeline, asked_folder: AskedFolder) -> None:
    """Note when operations were answered, and which of them rest, by what the destination has: a
    new working folder goes on where another one stopped. Where it cannot tell, all are due."""
    engine = engine_of(pipeline)
    if engine == FILES or (engine == "duckdb" and not Path(location_of(pipeline)).exists()):
        return

    def read() -> None:
        with pipeline.sql_client() as client:
            polls = client.make_qualified_table_name("polls")
            answered: list[tuple[str, str, datetime]] = rows_of(
                client,
                f"SELECT operation_id, report, MAX(started_at) FROM {polls} "
                f"WHERE {among('outcome', ANSWERS)} GROUP BY operation_id, report",
            )
            spent: list[tuple[str, str, datetime]] = rows_of(
                client,
                f"SELECT operation_id, timezone, MAX(finished_at) FROM {polls} "
                "WHERE outcome = 'quota_spent' GROUP BY operation_id, timezone",
            )
        for operation_id, name, at in answered:
            asked_folder.note_answer(operation_id, name, at)
        for operation_id, zone, at in spent:
            asked_folder.note_rest(operation_id, next_midnight(at, ZoneInfo(zone)))

    with held_open(pipeline):
        failure_of(read)


def _refill(report: LoadReport, pipeline: dlt.Pipeline, *, anew: bool) -> None:
    try:
        policy = configured(read_policy)
        if policy.has_files:
            # Here, since it brings much along that a load without invoices has no use for.
            from wolkvox_billing.reconciliation.mart import refill

            _try_step(report, NOT_RECONCILED, lambda: refill(pipeline, policy, anew=anew))
    except WolkvoxError as error:
        report.warnings.append(NOT_RECONCILED.format(error))


def refresh_marts(  # public, as `poll` is
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    clock: Clock = utc_now,
    timezone: str | None = None,
    measures: Mapping[str, str] | None = None,
    gauge_month: str | None = None,
) -> LoadReport:
    """Make the marts by the settings as they are now, and move their clock; ask nobody. The
    report has no polls; a warning on a destination whose marts we do not make.

    timezone, measures, gauge_month: the setting, where it shall not come from the configuration.
    Raises SettingsError, and WarehouseError where nothing is loaded yet or nothing can be written.
    """
    meaning, report = meaning_of(timezone, measures, gauge_month), LoadReport()
    with opened(destination, dataset) as pipeline:
        report.location = location_of(pipeline)
        if (name := engine_of(pipeline)) in REFRESHED:
            with reading(pipeline):
                refresh(pipeline, meaning, clock())
                _refill(report, pipeline, anew=True)
        else:
            report.warnings.append(f"the marts on {name} are made by `wolkvox-billing sql`")
    return report


def marts_sql(
    dialect: str,
    *,
    record: str | None = None,
    dataset: str = DATASET,
    clock: Clock = utc_now,
) -> Iterator[str]:
    """Yield the statements that make the marts on an engine that `load` does not refresh: run them
    once a day there, and whenever somebody decides on an operation.

    dialect: sqlglot's name of the engine, such as spark or bigquery. record: the destination whose
    record says what operations are called and count as, duckdb or postgres; without it that of the
    dialect or of DuckDB, where there is one. Where there is none each counts as it was read, and
    the calendar of polls begins with last year.
    Raises SettingsError, and WarehouseError where a record is there and cannot be read.
    """
    meaning, now = meaning_of(), clock()
    engine = Engine(dialect, dataset, f"{dataset}_marts")
    contents = _contents_of(record, dialect, dataset, meaning, now)
    if contents is None:
        contents = MartRows(meaning, now, now.date() - timedelta(days=365))
    return statements(engine, contents)


def _contents_of(
    record: str | None, dialect: str, dataset: str, meaning: Meaning, now: datetime
) -> MartRows | None:
    """Return what the tables of the marts are filled with by a record; None where there is none.
    Where operations are not what they were read as there, tell which record says so."""
    destination = record or (dialect if dialect in REFRESHED else DESTINATION)
    contents: MartRows | None = None
    try:
        with opened(destination, dataset, reads=True, of_copy=True) as pipeline:
            location, name = location_of(pipeline), engine_of(pipeline)
            is_there = name != "duckdb" or Path(location).exists()
            if name in REFRESHED and (is_there or record):
                with reading(pipeline):
                    contents = read_contents(pipeline, meaning, now)
    except SettingsError:  # such as a PostgreSQL that nobody has, whose statements are wanted
        if record or destination == DESTINATION:
            raise
    if contents is None:
        return None
    if contents.identities.rows:
        logger.info("operations are called, and count, as in %s", location)
    verdicts_epoch = contents.verdicts_epoch if dialect == destination else None
    return replace(contents, digests=("", ""), verdicts_epoch=verdicts_epoch)


def meaning_of(
    timezone: str | None = None,
    measures: Mapping[str, str] | None = None,
    gauge_month: str | None = None,
) -> Meaning:
    """Return the Meaning by these settings, and by dlt's configuration for the rest."""
    meaning: Meaning = configured(lambda: read_meaning(timezone, measures, gauge_month))
    return meaning


def _try_step(report: LoadReport, problem: str, step: Callable[[], object]) -> bool:
    """Take a step; where it fails, note the problem with what the destination says."""
    says = ""
    try:
        if failure := failure_of(step):
            says = failure.says
    except WarehouseError as error:  # such as a dataset that somebody dropped in these seconds
        says = str(error)
    if says:
        report.problems.append(problem.format(says))
    return not says
