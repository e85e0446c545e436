"""The warehouse: where the tables are, opened by one process at a time; its complaints in words.

dlt keeps one working folder per pipeline name and user; two projects, destinations or datasets
would share state and waiting answers. So each has a folder of its own, which `opened` holds.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dlt
import filelock
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.destination import AnyDestination, Destination
from dlt.common.destination.configuration import CsvFormatConfiguration
from dlt.common.destination.exceptions import DestinationException, UnknownDestinationModule
from dlt.common.exceptions import MissingDependencyException
from dlt.common.schema.exceptions import SchemaException
from dlt.common.schema.typing import TTableFormat
from dlt.common.storages.exceptions import StorageException

from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.warehouse.complaints import configured, is_complaint, plain
from wolkvox_billing.warehouse.configuration import PIPELINE
from wolkvox_billing.warehouse.dlt_gaps import (
    EngineSettings,
    KeptConnections,
    completed_by_libpq,
    drop_packages,
    fail_at_refused_rows,
    location_by_libpq,
    open_read_only,
    read_schema_once,
    resolve_once,
    save_time,
)
from wolkvox_billing.warehouse.duckdb_file import held_open, may_be_written
from wolkvox_billing.warehouse.known_settings import refuse_stray_settings
from wolkvox_billing.warehouse.postgres import check_driver, check_server, check_session
from wolkvox_billing.warehouse.published import note_own, refuse_copy
from wolkvox_billing.warehouse.sql import engine_name, engine_of
from wolkvox_billing.warehouse.working_folder import (
    ALL,
    LOCK,
    WorkingFolder,
    check_dataset,
    working_folder_name,
)

if TYPE_CHECKING:
    from dlt.destinations.impl.postgres.configuration import PostgresCredentials
    from duckdb import DuckDBPyConnection
    from psycopg2.extensions import connection

logger = logging.getLogger("wolkvox_billing")

DATASET = "wolkvox_billing"
DESTINATION = "duckdb"
LOCK_WAIT = 60.0  # seconds, for a table; dlt tries five times
# No statement waits long for a table that somebody keeps: the run ends, its answers wait on disk,
# and the next one may ask the vendor. The marts are wide queries over one table: to compile them
# takes longer than to run them, and by default there is memory for no hash of the days; of a
# million readings usage_monthly takes a seventh of the time.
POSTGRES_OPTIONS = {"lock_timeout": f"{LOCK_WAIT:.0f}s", "jit": "off", "work_mem": "64MB"}
FILES = "filesystem"  # dlt's destination of a folder or a bucket, where files become Delta tables


class _Place(NamedTuple):
    """A destination as dlt resolved it, and the working folder of a dataset in it. is_whole:
    whether the settings have all credentials of a PostgreSQL, with what libpq adds."""

    factory: AnyDestination
    folder: WorkingFolder
    is_whole: bool


def _place(destination: str, dataset: str) -> _Place:
    """Return the destination by dlt's configuration, checked as far as can be without asking it.
    Raises SettingsError."""
    # What is polled is nobody's business.
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    check_dataset(dataset)
    refuse_stray_settings()
    save_time()
    credentials: PostgresCredentials | None = None
    try:
        factory = Destination.from_reference(destination)
        assert factory is not None
        if engine_name(factory) == "postgres":
            check_driver(destination)
            # A job of a load that was killed may be done again. Where dlt's own ids must be unique
            # that is an error, and the package waits for ever; the merge sorts it out.
            credentials = configured(partial(_with_options, factory))
            factory = Destination.from_reference(
                destination, create_indexes=False, credentials=credentials
            )
            assert factory is not None
            fail_at_refused_rows(factory)
        if engine_name(factory) == FILES:
            _check_files(factory)
        if engine_name(factory) in ("duckdb", "postgres"):
            resolve_once(factory)
    except UnknownDestinationModule:
        raise SettingsError(f"dlt knows no destination {destination!r}") from None
    except MissingDependencyException as error:
        raise SettingsError(f"the destination {destination} needs more: {error}") from None
    return _Place(factory, _folder(destination, factory, dataset), credentials is not None)


def _folder(destination: str, factory: AnyDestination, dataset: str) -> WorkingFolder:
    context = dlt.current.run_context()
    own = working_folder_name(
        context.run_dir, destination, factory.destination_name, dataset, settings_location(factory)
    )
    return WorkingFolder(Path(context.data_dir, ALL, own))


@contextmanager
def opened(  # what, and how: four ways that verbs differ in
    destination: str = DESTINATION,
    dataset: str = DATASET,
    *,
    wait: float = 900,
    reads: bool = False,
    of_copy: bool = False,
    holds: bool = True,
) -> Iterator[dlt.Pipeline]:
    """Give the dlt pipeline of one destination and dataset, as this project folder means it, and
    hold it against other processes for the block.

    reads: a DuckDB file that takes no writing, or is read elsewhere, is opened for reading alone.
    of_copy: the file may be a copy that `publish` made, for who reads its tables and no more.
    holds: whether a DuckDB file that is there stays open for the block: to open it takes a tenth of
    what a verb takes.

    Raises SettingsError, and WarehouseError where the folder cannot be used.
    """
    place = _place(destination, dataset)
    own_file: Path | None = None
    with _private(), _only_one(place.folder.path, wait), ExitStack() as held:
        if engine_name(place.factory) == "postgres":
            held.callback(KeptConnections(place.factory).close)
        with _usable(destination, place):
            pipeline = _pipeline(place, dataset)
            if engine_of(pipeline) == "duckdb":
                file, connection = _file_of(pipeline, place.factory), None
                if holds or reads:
                    connection = held.enter_context(_held(pipeline, place.factory, reads=reads))
                if not of_copy:
                    refuse_copy(file, dataset, place.folder, connection)
                    own_file = file
                if not holds:
                    held.close()
            if place.is_whole:
                check_session(partial(_session, pipeline), _variable(place.factory, "CREDENTIALS"))
        yield pipeline
        held.close()  # the file is written out
        if own_file:
            note_own(own_file, place.folder)


@contextmanager
def _session(pipeline: dlt.Pipeline) -> Iterator[connection]:
    with pipeline.sql_client() as client:
        yield client.native_connection


@contextmanager
def _usable(destination: str, place: _Place) -> Iterator[None]:
    """Turn what goes wrong while a place is opened into a SettingsError, and what does with its
    working folder into a WarehouseError."""
    try:
        yield
    except DestinationException as error:
        raise SettingsError(
            f"the destination {destination} cannot be had by "
            f"{_variable(place.factory, 'CREDENTIALS')}: {plain(error)}"
        ) from None
    except (OSError, ValueError) as error:
        raise WarehouseError(
            f"the working folder {place.folder.path} cannot be used ({plain(error)}): mend it, or "
            "remove it; only answers that were not loaded yet are in there and nowhere else"
        ) from None


def _pipeline(place: _Place, dataset: str) -> dlt.Pipeline:
    """Return the pipeline of a place; what dlt has noted of it is made anew where it is damaged, or
    of another version."""
    older = Path(dlt.current.run_context().get_data_entity("pipelines"), ALL)
    place.folder.take_over(older / place.folder.path.name)
    drop_packages(place.folder.pipelines / PIPELINE)
    make = partial(configured, partial(_make_pipeline, place, dataset))
    try:
        return make()
    except (OSError, ValueError, SchemaException, StorageException) as error:
        logger.warning("%s is made anew: %s", place.folder.pipelines, plain(error))
        shutil.rmtree(place.folder.pipelines)
        return make()


def _make_pipeline(place: _Place, dataset: str) -> dlt.Pipeline:
    pipeline = dlt.pipeline(
        PIPELINE,
        destination=place.factory,
        dataset_name=dataset,
        pipelines_dir=str(place.folder.pipelines),
    )
    read_schema_once(pipeline)
    if pipeline.default_schema_name:
        _ = pipeline.default_schema  # it is read now, and not in the middle of a load
    return pipeline


@contextmanager
def _held(
    pipeline: dlt.Pipeline, factory: AnyDestination, *, reads: bool
) -> Iterator[DuckDBPyConnection | None]:
    """Hold a DuckDB file that is there; for reading alone where whoever `reads` may not write it,
    or somebody else reads it. Yield the connection, None where there is none."""
    file = Path(location_of(pipeline))
    if not file.is_file():
        yield None
        return
    if reads and not may_be_written(file):
        open_read_only(factory)
    with ExitStack() as held:
        connection = held.enter_context(held_open(pipeline))
        if reads and not connection:
            open_read_only(factory)
            connection = held.enter_context(held_open(pipeline))
        yield connection


def _variable(factory: AnyDestination, setting: str) -> str:
    return f"DESTINATION__{factory.destination_name.upper()}__{setting}"


def _file_of(pipeline: dlt.Pipeline, factory: AnyDestination) -> Path:
    """Return the DuckDB file of a pipeline. Raises SettingsError for one that cannot be, before
    anybody is asked."""
    pipeline.destination_client()  # complains of a file that it cannot have
    file, dataset = Path(location_of(pipeline)), pipeline.dataset_name
    how = f"set another one in {_variable(factory, 'CREDENTIALS')}"
    if file.stem in [f"{dataset}{end}" for end in ("", "_marts", "_internal", "_bi")]:
        raise SettingsError(
            f"the DuckDB file {file} has the name of the schema {file.stem}, which DuckDB could "
            f"not tell apart: {how}"
        )
    if str(file) == ":memory:" or not file.parent.is_dir() or file.is_dir():
        raise SettingsError(f"{file} cannot be a DuckDB file, since its folder must exist: {how}")
    return file


def _check_files(factory: AnyDestination) -> None:
    """Raise SettingsError where Delta tables cannot be, before anybody is asked."""
    if not find_spec("deltalake"):  # dlt would append to bare files, and double what comes again
        raise SettingsError(
            "the destination filesystem needs Delta tables: pip install 'wolkvox-billing[lake]'"
        )
    if not settings_location(factory):
        raise SettingsError(
            "the destination filesystem needs a folder or bucket: set "
            f"{_variable(factory, 'BUCKET_URL')}"
        )


@contextmanager
def _private() -> Iterator[None]:
    """Make what holds answers for its owner alone: the working folder, a new DuckDB file with its
    log. A file that exists keeps its mode, which somebody may have chosen."""
    mask = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(mask)


@contextmanager
def _only_one(folder: Path, wait: float) -> Iterator[None]:
    """Hold a working folder: a second process waits, since dlt's files are for one at a time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:  # made before this was private
            folder.chmod(0o700)
        lock = filelock.FileLock(folder / LOCK, poll_interval=0.05)
        try:
            lock.acquire(timeout=0.5)
        except filelock.Timeout:
            logger.info("waiting for another process that uses %s", folder)
            lock.acquire(timeout=wait)
    except filelock.Timeout:
        raise WarehouseError(f"another process uses {folder} for more than {wait:g} s") from None
    except OSError as error:
        raise WarehouseError(f"{folder} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def table_format(pipeline: dlt.Pipeline) -> TTableFormat | None:
    """Return what files become tables by, None where the destination has tables of its own."""
    return "delta" if engine_of(pipeline) == FILES else None


def check_readable(pipeline: dlt.Pipeline) -> None:
    """Raise SettingsError where the tables are but files, which no verb reads."""
    if engine_of(pipeline) == FILES:
        raise SettingsError(
            "this command does not read Delta tables: only `load` knows the destination "
            "filesystem. Read them with an engine of yours, where `wolkvox-billing sql spark` "
            "makes the marts; or load into duckdb or postgres"
        )


def folder_of(pipeline: dlt.Pipeline) -> WorkingFolder:
    """Return the working folder that a pipeline was opened in."""
    return WorkingFolder(Path(pipeline.pipelines_dir).parent)


def resolved(destination: str, dataset: str) -> tuple[WorkingFolder, str]:
    """Return the working folder of a destination and dataset, where only dlt can tell, and an
    address for psycopg2, "" where it is no PostgreSQL. Raises SettingsError."""
    factory, folder, is_whole = _place(destination, dataset)
    if engine_name(factory) == "duckdb":
        refuse_copy(Path(settings_location(factory)), dataset, folder)
    if not is_whole:
        return folder, ""
    dsn = _settings_of(factory).credentials.to_native_representation()
    check_server(dsn, _variable(factory, "CREDENTIALS"))
    return folder, dsn


@contextmanager
def reading(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Turn what a destination complains of into a WarehouseError, and a missing setting into a
    SettingsError. Tables that are but files are said; so is a DuckDB file that is not there, since
    opening it would make it."""
    check_readable(pipeline)
    location = location_of(pipeline)
    if engine_of(pipeline) == "duckdb" and not Path(location).exists():
        raise WarehouseError(f"there is no {location} yet: run `wolkvox-billing load` first")
    with using(location):
        yield


@contextmanager
def using(location: str) -> Iterator[None]:
    """Turn what the destination at this location complains of into a WarehouseError, and a missing
    setting into a SettingsError."""
    try:
        yield
    except ConfigurationException as error:
        raise SettingsError(plain(error)) from None
    except Exception as error:
        if not is_complaint(error):
            raise
        raise WarehouseError(f"{location} cannot be used: {plain(error, location)}") from None


def location_of(pipeline: dlt.Pipeline) -> str:
    """Return where the tables are, for a person: the DuckDB file, or the server and database."""
    try:
        client = configured(pipeline.destination_client)
        return _location(client.config) or str(pipeline.destination.destination_name)
    except (ConfigurationException, DestinationException):
        return str(pipeline.destination.destination_name)


def _location(settings: EngineSettings) -> str:
    """Return what dlt says of where the tables are; of a PostgreSQL that has no host, whose host
    libpq knows, what libpq does."""
    credentials = getattr(settings, "credentials", None)
    is_postgres = settings.destination_type == "postgres"
    if is_postgres and credentials and not credentials.is_partial() and not credentials.host:
        return location_by_libpq(credentials)
    return str(settings.data_location() or "")


def _settings_of(factory: AnyDestination) -> EngineSettings:
    """Return a destination's settings, be it that some are missing."""
    return factory.configuration(factory.spec(), accept_partial=True)


def _with_options(factory: AnyDestination) -> PostgresCredentials | None:
    """Return PostgreSQL's credentials with POSTGRES_OPTIONS, before those of the address, which
    win. None where they are not whole. Raises SettingsError."""
    settings = _settings_of(factory)
    if dict(settings.csv_format or {}) != dict(CsvFormatConfiguration()):
        raise SettingsError(
            "the setting `csv_format` of PostgreSQL cannot be kept: rows go there as CSV of a form "
            "of their own. Unset "
            f"{_variable(factory, 'CSV_FORMAT')}__..., or the same in .dlt/*.toml"
        )
    credentials: PostgresCredentials | None = settings.credentials
    if credentials and credentials.is_partial():
        credentials = completed_by_libpq(credentials)
    if not credentials:
        return None
    query = dict(credentials.query or {})
    ours = [f"-c{name}={value}" for name, value in POSTGRES_OPTIONS.items()]
    # Tabs: a blank becomes a plus in dlt's address, which libpq takes for a plus.
    options = "\t".join([*ours, *query.get("options", "").split()])
    credentials.query = {**query, "options": options}
    return credentials


def settings_location(factory: AnyDestination) -> str:
    """Return what dlt says of a destination before there is a pipeline, "" where it cannot tell."""
    try:
        return _location(_settings_of(factory))
    except (ConfigurationException, DestinationException, AttributeError):
        return ""
