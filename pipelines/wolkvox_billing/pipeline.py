"""The verbs `load` and `refresh_marts`, and the pipeline that every other verb opens.

    pending? ─▶ load what an earlier run left behind ─▶ extract ─▶ normalize ─▶ load ─▶ marts
                    spool? ─▶ extract what it received ───┘

dlt's own `pipeline.run` loads a package that is left behind *instead of* asking the vendor, so one
that cannot be loaded would end the polling. Here each step stands alone: the vendor is asked
whatever state the destination is in, and its answers wait on disk until they are loaded.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
from dlt.pipeline.exceptions import PipelineStepFailed

from wolkvox_billing.errors import SettingsError, WarehouseError, WolkvoxError
from wolkvox_billing.hosts import hosts_of
from wolkvox_billing.marts import REFRESHED, Meaning, read_meaning, refresh
from wolkvox_billing.marts.sql import literal, statements
from wolkvox_billing.packages import (
    Loaded,
    drop,
    load_waiting,
    normalized_and_loaded,
    set_aside,
    tidy,
    waiting,
)
from wolkvox_billing.polls import Clock, Poll, Skip, utc_now
from wolkvox_billing.reconciliation.policy import read_policy
from wolkvox_billing.reports import REPORTS
from wolkvox_billing.source import wolkvox_billing
from wolkvox_billing.spool import Spool
from wolkvox_billing.warehouse import (
    DATASET,
    DESTINATION,
    SPOOL,
    causes,
    configured,
    engine_of,
    held_open,
    is_complaint,
    is_full,
    location_of,
    missing,
    opened,
    plain,
    reading,
    table_format,
    waiting_elsewhere,
)

NOT_LOADED = "not loaded, kept in the working folder for the next load: {}"
NOT_DESCRIBED = "loaded, and the comments on tables and columns could not be written: {}"
NOT_REFRESHED = "loaded, and the marts could not be refreshed: {}"
NOT_RECONCILED = "loaded, and invoices were not compared anew: {}"
AT_ONCE = 5.0  # seconds for another host that loads, before the vendor is asked: what is left is
# loaded with the answers
ROOM_FOR_ANSWERS = 4 * 1024 * 1024  # bytes; a poll of a few rows takes 75 KiB


@dataclass
class LoadReport:
    """What one `load` did: the calls, those not made, and what went wrong afterwards, in words."""

    polls: list[Poll] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    location: str = ""
    working_folder: str = ""

    @property
    def refused(self) -> list[Poll]:
        """The last try of each call that was not answered."""
        last = {(poll.operation.operation_id, poll.report): poll for poll in self.polls}
        return [poll for poll in last.values() if not poll.outcome.is_answer]

    @property
    def is_good(self) -> bool:
        """True where the last try of each call was answered, nothing rests, and all is loaded."""
        failed = self.refused or any(skip.is_failure for skip in self.skips)
        return not failed and not self.problems

    @property
    def may_pass(self) -> bool:
        """True where something failed that a `load` in a minute may do; False where all is well
        too. What was not asked after a refusal shares the refusal's fate."""
        return (
            bool(self.problems)
            or any(not poll.outcome.needs_somebody for poll in self.refused)
            or any(skip.reason in ("token_in_use", "stopped", "failed") for skip in self.skips)
        )


def load(
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    reports: list[str] | None = None,
    force: bool = False,
    clock: Clock = utc_now,
    on_event: Callable[[Poll | Skip], None] | None = None,
    measures: Mapping[str, str] | None = None,
    gauge_month: str | None = None,
    **settings: Any,
) -> LoadReport:
    """A LoadReport of one poll of every operation and report, loaded into all tables; the marts
    are refreshed on DuckDB and PostgreSQL.

    `settings` are those of the source, where they shall not come from dlt's configuration.
    Raises SettingsError before anything is asked. What the destination does raises nothing: the
    answers wait in the working folder, the report says so, and the next `load` takes them along.
    """
    result = LoadReport()
    loads: list[Loaded] = []

    def note(event: Poll | Skip) -> None:
        if isinstance(event, Poll):
            result.polls.append(event.without_rows())
        else:
            result.skips.append(event)
        if on_event:
            on_event(event)

    if reports:
        settings["reports"] = reports
    source = configured(
        lambda: wolkvox_billing(
            force=force,
            clock=clock,
            on_event=note,
            hosts=lambda: hosts_of(pipeline),
            keep=lambda poll: spool.keep(poll),
            **settings,
        )
    )
    meaning = meaning_of(settings.get("timezone"), measures, gauge_month)
    with opened(destination, dataset) as pipeline:
        result.working_folder = pipeline.working_dir
        result.location = location_of(pipeline)
        spool = Spool(Path(pipeline.pipelines_dir, SPOOL))

        result.warnings += [*waiting_elsewhere(pipeline), *set_aside(pipeline).values()]
        result.warnings += spool.unreadable()
        _try(result, NOT_LOADED, lambda: loads.append(load_waiting(pipeline, wait=AT_ONCE)))
        result.problems.clear()  # what matters is whether this run's own load succeeds
        free = shutil.disk_usage(pipeline.working_dir).free
        if free < ROOM_FOR_ANSWERS:  # an answer that cannot be written would be lost
            result.problems.append(
                f"the disk is full: {free} bytes are free in {pipeline.working_dir}, so nothing "
                "was asked"
            )
            return result
        has_waited = any(loaded.info for loaded in loads)
        for polls in spool.waiting():
            has_waited = True
            _take_along(result, pipeline, spool, polls, settings)
        try:
            pipeline.extract(source, table_format=table_format(pipeline))
            spool.drop(result.polls)
        except PipelineStepFailed as error:
            if is_full(error):
                result.problems.append(f"{plain(error)} (in {result.working_folder})")
                return result
            raise next((c for c in causes(error) if isinstance(c, WolkvoxError)), error) from None
        with held_open(pipeline):
            if _try(result, NOT_LOADED, lambda: loads.append(normalized_and_loaded(pipeline))):
                tidy(pipeline)
                result.problems += [one for loaded in loads for one in loaded.problems]
                if any(loaded.changes_tables for loaded in loads):
                    _try(result, NOT_DESCRIBED, lambda: comment(pipeline))
                if engine_of(pipeline) in REFRESHED:
                    zones = {p.operation.operation_id: p.operation.zone.key for p in result.polls}
                    if _try(
                        result, NOT_REFRESHED, lambda: refresh(pipeline, meaning, clock(), zones)
                    ):
                        _refill(pipeline, result, anew=has_waited)
    return result


def _take_along(
    result: LoadReport,
    pipeline: dlt.Pipeline,
    spool: Spool,
    polls: list[Poll],
    settings: dict[str, Any],
) -> None:
    """Extracts what an earlier run received and did not live to extract. What cannot be extracted
    stays, is told, and holds up neither the others nor the polling."""
    # Once asked for, a report's name was right: it is not held to be a misspelling.
    names = {poll.report if poll.report in REPORTS else f"new:{poll.report}" for poll in polls}
    try:
        source = wolkvox_billing(**{**settings, "reports": sorted(names)}, kept=polls)
        pipeline.extract(source, table_format=table_format(pipeline))
        spool.drop(polls)
    except (PipelineStepFailed, SettingsError) as error:
        if len(polls) > 1 and not is_full(error):
            for poll in polls:
                _take_along(result, pipeline, spool, [poll], settings)
        else:
            where = f"kept in {spool.folder}, for the next load"
            result.problems.append(f"an answer of an earlier run, {where}: {plain(error)}")


def _refill(pipeline: dlt.Pipeline, result: LoadReport, *, anew: bool) -> None:
    try:
        policy = configured(read_policy)
        if policy.has_files:
            # Here, since it brings much along that a load without invoices has no use for.
            from wolkvox_billing.reconcile import refill

            _try(result, NOT_RECONCILED, lambda: refill(pipeline, policy, anew=anew))
    except WolkvoxError as error:
        result.warnings.append(NOT_RECONCILED.format(error))


def refresh_marts(
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    clock: Clock = utc_now,
    timezone: str | None = None,
    measures: Mapping[str, str] | None = None,
    gauge_month: str | None = None,
) -> LoadReport:
    """Makes the marts by the settings as they are now, and moves their clock; asks nobody. The
    report has no polls; a warning on a destination whose marts we do not make.

    Raises SettingsError, and WarehouseError where nothing is loaded yet or nothing can be written.
    """
    meaning, result = meaning_of(timezone, measures, gauge_month), LoadReport()
    with opened(destination, dataset) as pipeline:
        result.location = location_of(pipeline)
        if (name := engine_of(pipeline)) in REFRESHED:
            with reading(pipeline):
                refresh(pipeline, meaning, clock())
                _refill(pipeline, result, anew=True)
        else:
            result.warnings.append(f"the marts on {name} are made by `wolkvox-billing sql`")
    return result


def marts_sql(dialect: str, *, dataset: str = DATASET, clock: Clock = utc_now) -> Iterator[str]:
    """The statements that make the marts on an engine that `load` does not refresh. The calendar
    of polls begins with last year. Raises SettingsError."""
    meaning, now = meaning_of(), clock()
    return statements(
        dialect,
        raw=dataset,
        marts=f"{dataset}_marts",
        now=now,
        first_poll=now.date() - timedelta(days=365),
        timezone=meaning.timezone,
        gauge_month=meaning.gauge_month,
        zones={},
        reports=meaning.reports(),
    )


def load_or_drop(pipeline: dlt.Pipeline, step: Callable[[], Any], undone: str) -> None:
    """Takes a step that loads what can be had again, after what waits: where it fails nothing of it
    is left behind, since it would hold up the polls. Raises WarehouseError, `undone` and why."""
    with held_open(pipeline):
        if said := complaint_of(lambda: load_waiting(pipeline)):
            raise WarehouseError(f"{undone}: {said}")
        before = set(waiting(pipeline))
        try:
            if said := complaint_of(step) or complaint_of(lambda: comment(pipeline)):
                raise WarehouseError(f"{undone}: {said}")
        except BaseException:
            drop(set(waiting(pipeline)) - before)
            raise
    tidy(pipeline)


def meaning_of(
    timezone: str | None = None,
    measures: Mapping[str, str] | None = None,
    gauge_month: str | None = None,
) -> Meaning:
    """The Meaning by these settings, and by dlt's configuration for the rest."""
    meaning: Meaning = configured(lambda: read_meaning(timezone, measures, gauge_month))
    return meaning


def _try(result: LoadReport, what_fails: str, step: Callable[[], Any]) -> bool:
    try:
        said = complaint_of(step)
    except WarehouseError as error:  # such as a dataset that somebody dropped in these seconds
        said = str(error)
    if said:
        result.problems.append(what_fails.format(said))
    return not said


def complaint_of(step: Callable[[], Any]) -> str:
    """What the destination complains of when a step is taken, in words; "" if nothing.

    Raises SettingsError where a setting is missing, and whatever does not come from a destination.
    """
    try:
        step()
    except Exception as error:
        for one in causes(error):
            if isinstance(one, ConfigFieldMissingException):
                raise SettingsError(missing(one)) from None
            if isinstance(one, KeyboardInterrupt):  # dlt's, of a signal that came during a load
                raise one from None
        if not (
            isinstance(error, (PipelineStepFailed, ConfigurationException)) or is_complaint(error)
        ):
            raise
        return plain(error)
    return ""


def comment(pipeline: dlt.Pipeline) -> None:
    """Writes our sentences beside tables and columns, where a BI tool shows them. dlt does so on
    BigQuery only; DuckDB and PostgreSQL take the same statement."""
    if engine_of(pipeline) not in REFRESHED:
        return
    with pipeline.sql_client() as client:
        for table in pipeline.default_schema.data_tables():
            name = client.make_qualified_table_name(str(table["name"]))
            targets = [("TABLE", name, table.get("description"))]
            targets += [
                ("COLUMN", f"{name}.{client.escape_column_name(column)}", hint.get("description"))
                for column, hint in table["columns"].items()
            ]
            for what, target, says in targets:
                if says:
                    client.execute_sql(f"COMMENT ON {what} {target} IS {literal(says)}")
