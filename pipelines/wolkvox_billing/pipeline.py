"""The verbs `load` and `refresh_marts`, and the pipeline that every other verb opens.

    pending? ─▶ load what an earlier run left behind ─▶ extract ─▶ normalize ─▶ load ─▶ marts

dlt's own `pipeline.run` loads a package that is left behind *instead of* asking the vendor, so one
that cannot be loaded would end the polling. Here each step stands alone: the vendor is asked
whatever state the destination is in, and its answers wait on disk until they are loaded.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
import filelock
from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import DestinationException, UnknownDestinationModule
from dlt.common.pipeline import LoadInfo
from dlt.pipeline.exceptions import PipelineStepFailed

from wolkvox_billing import wolkvox_billing
from wolkvox_billing.errors import SettingsError, WarehouseError, WolkvoxError
from wolkvox_billing.marts import REFRESHED, Meaning, read_meaning, refresh
from wolkvox_billing.marts.sql import statements
from wolkvox_billing.polls import Clock, Poll, Skip, utc_now

PIPELINE = "wolkvox"
DATASET = "wolkvox_billing"
DESTINATION = "duckdb"
NOT_LOADED = "not loaded, kept in the working folder for the next load: {}"
NOT_REFRESHED = "loaded, and the marts could not be refreshed: {}"
ROOM_FOR_ANSWERS = 4 * 1024 * 1024  # bytes; a poll of a few rows takes 75 KiB


@dataclass
class LoadReport:
    """What one `load` did: the calls, those not made, and what went wrong afterwards, in words."""

    polls: list[Poll] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    location: str = ""
    working_folder: str = ""

    @property
    def is_good(self) -> bool:
        """True where the last try of each call was answered, nothing rests, and all is loaded."""
        last = {(poll.operation.operation_id, poll.report): poll for poll in self.polls}
        answered = all(poll.outcome.is_answer for poll in last.values())
        return answered and not self.problems and not any(skip.is_failure for skip in self.skips)


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

    def note(event: Poll | Skip) -> None:
        (result.polls if isinstance(event, Poll) else result.skips).append(event)  # type: ignore[arg-type]
        if on_event:
            on_event(event)

    if reports:
        settings["reports"] = reports
    source = configured(
        lambda: wolkvox_billing(force=force, clock=clock, on_event=note, **settings)
    )
    meaning = meaning_of(settings.get("timezone"), measures, gauge_month)
    pipeline = open_pipeline(destination, dataset)
    result.working_folder = pipeline.working_dir
    with only_one(pipeline):
        result.location = location_of(pipeline)
        if pipeline.has_pending_data:
            _try(result, NOT_LOADED, lambda: (pipeline.normalize(), _load(pipeline)))
        else:
            _try(result, NOT_LOADED, pipeline.sync_destination)
        result.problems.clear()  # what matters is whether this run's own load succeeds
        free = shutil.disk_usage(pipeline.working_dir).free
        if free < ROOM_FOR_ANSWERS:  # an answer that cannot be written would be lost
            result.problems.append(
                f"the disk is full: {free} bytes are free in {pipeline.working_dir}, so nothing "
                "was asked"
            )
            return result
        try:
            pipeline.extract(source)
        except PipelineStepFailed as error:
            if _is_full(error):
                result.problems.append(f"{plain(error)} (in {result.working_folder})")
                return result
            raise next((c for c in causes(error) if isinstance(c, WolkvoxError)), error) from None
        if _try(result, NOT_LOADED, lambda: (pipeline.normalize(), _load(pipeline))):
            _tidy(pipeline)
            if pipeline.destination.destination_name in REFRESHED:
                zones = {p.operation.operation_id: p.operation.zone.key for p in result.polls}
                _try(result, NOT_REFRESHED, lambda: refresh(pipeline, meaning, clock(), zones))
    return result


def refresh_marts(
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    clock: Clock = utc_now,
    timezone: str | None = None,
    measures: Mapping[str, str] | None = None,
    gauge_month: str | None = None,
) -> None:
    """Makes the marts by the settings as they are now, and moves their clock; asks nobody.

    Raises SettingsError, and WarehouseError where nothing is loaded yet or nothing can be written.
    """
    meaning = meaning_of(timezone, measures, gauge_month)
    pipeline = open_pipeline(destination, dataset)
    with only_one(pipeline), reading(pipeline):
        refresh(pipeline, meaning, clock())


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
        zones={},
        reports=meaning.reports(),
    )


@contextmanager
def reading(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Turns what a destination complains of into a WarehouseError, and a missing setting into a
    SettingsError. A DuckDB file that is not there is said, since opening it would make it."""
    location = location_of(pipeline)
    if pipeline.destination.destination_name == "duckdb" and not Path(location).exists():
        raise WarehouseError(f"there is no {location} yet: run `wolkvox-billing load` first")
    try:
        yield
    except ConfigurationException as error:
        raise SettingsError(plain(error)) from None
    except DestinationException as error:
        raise WarehouseError(f"{location} cannot be used: {plain(error)}") from None


def open_pipeline(destination: str = DESTINATION, dataset: str = DATASET) -> dlt.Pipeline:
    """The dlt pipeline of one destination and dataset, as this project folder means it.

    dlt keeps one working folder per pipeline name and user; two projects, destinations or datasets
    would share state and waiting answers. So each has a folder of its own, below dlt's.
    """
    os.environ.setdefault(
        "RUNTIME__DLTHUB_TELEMETRY", "false"
    )  # what is polled is nobody's business
    context = dlt.current.run_context()
    try:
        kind = Destination.from_reference(destination)
        assert kind is not None
        where = _data_location(kind)
    except UnknownDestinationModule:
        raise SettingsError(f"dlt knows no destination {destination!r}") from None
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", dataset) or dataset == PIPELINE:
        raise SettingsError(f"{dataset!r} cannot be a dataset: use letters, digits and _")
    identity = "\n".join((os.path.abspath(context.run_dir), destination, dataset, where))
    own = f"{kind.destination_name}-{dataset}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"
    folder = Path(context.get_data_entity("pipelines")) / "wolkvox-billing" / own
    pipeline: dlt.Pipeline = configured(
        lambda: dlt.pipeline(
            PIPELINE, destination=kind, dataset_name=dataset, pipelines_dir=str(folder)
        )
    )
    return pipeline


def configured(make: Callable[[], Any]) -> Any:
    """What `make` makes of the settings; dlt's complaint about one becomes a SettingsError.

    dlt's text is not passed on: it may show the value, and the value may be a token.
    """
    try:
        return make()
    except ConfigFieldMissingException as error:
        raise SettingsError(f"settings are missing: {', '.join(error.fields)}") from None
    except ConfigurationException as error:
        names = [str(getattr(error, name, "")) for name in ("field_name", "spec_name")]
        which = next(filter(None, names), "one of them")
        raise SettingsError(
            f"a setting cannot be read ({which}): see [sources.wolkvox_billing] in .dlt/*.toml and "
            "the variables SOURCES__WOLKVOX_BILLING__..."
        ) from None


@contextmanager
def only_one(pipeline: dlt.Pipeline, wait: float = 900) -> Iterator[None]:
    """Holds the working folder: a second process waits, since dlt's files are for one at a time."""
    path = Path(pipeline.working_dir).parent / "in_use.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(path, timeout=wait, poll_interval=0.05):
            yield
    except filelock.Timeout:
        raise WarehouseError(
            f"another process uses {path.parent} for more than {wait:g} s"
        ) from None


def location_of(pipeline: dlt.Pipeline) -> str:
    """Where the tables are, for a person: the DuckDB file, or the server and database."""
    try:
        client = configured(lambda: pipeline.destination_client())
        return str(client.config.data_location() or pipeline.destination.destination_name)
    except (ConfigurationException, DestinationException):
        return str(pipeline.destination.destination_name)


def causes(error: BaseException | None) -> list[BaseException]:
    """An exception and all that led to it, the outermost first."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def plain(error: BaseException) -> str:
    """What went wrong at the destination, in one line for a person."""
    chain = causes(error)
    innermost = " ".join(str(chain[-1]).split())
    if lock := re.search(
        r"lock on file \"([^\"]+)\".*?Conflicting lock is held in (\S.*?\))", innermost
    ):
        return f"the DuckDB file {lock[1]} is open in another program: {lock[2]}; close it there"
    if _is_full(error):
        return f"the disk is full: {innermost}"
    return innermost[:500] or type(chain[-1]).__name__


def _is_full(error: BaseException) -> bool:
    return any(
        (isinstance(one, OSError) and one.errno == errno.ENOSPC) or "No space left" in str(one)
        for one in causes(error)
    )


def _data_location(kind: Destination[Any, Any]) -> str:
    try:
        return str(kind.configuration(kind.spec(), accept_partial=True).data_location())
    except (ConfigurationException, DestinationException, AttributeError):
        return ""


def _load(pipeline: dlt.Pipeline) -> LoadInfo:
    info = pipeline.load()
    info.raise_on_failed_jobs()
    if any(package.schema_update for package in info.load_packages):
        _comment(pipeline)
    return info


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
        step()
    except (PipelineStepFailed, DestinationException, ConfigurationException) as error:
        missing = next(
            (c for c in causes(error) if isinstance(c, ConfigFieldMissingException)), None
        )
        if missing:
            raise SettingsError(
                f"the destination's settings are missing: {', '.join(missing.fields)}"
            ) from None
        result.problems.append(what_fails.format(plain(error)))
        return False
    return True


def _comment(pipeline: dlt.Pipeline) -> None:
    """Writes our sentences beside tables and columns, where a BI tool shows them. dlt does so on
    BigQuery only; DuckDB and PostgreSQL take the same statement."""
    if pipeline.destination.destination_name not in ("duckdb", "postgres"):
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
                    quoted = str(says).replace("'", "''")
                    client.execute_sql(f"COMMENT ON {what} {target} IS '{quoted}'")


def _tidy(pipeline: dlt.Pipeline) -> None:
    """Removes what is loaded: dlt keeps every package, 8 files a poll. One with a job that failed
    stays."""
    for package in Path(pipeline.working_dir, "load", "loaded").glob("*"):
        if not any((package / "failed_jobs").glob("*")):
            shutil.rmtree(package, ignore_errors=True)
