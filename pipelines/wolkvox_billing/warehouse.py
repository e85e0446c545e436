"""The warehouse: where the tables are, opened by one process at a time; its complaints in words.

dlt keeps one working folder per pipeline name and user; two projects, destinations or datasets
would share state and waiting answers. So each has a folder of its own, which `opened` holds.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import dlt
import filelock
from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
from dlt.common.destination import Destination
from dlt.common.destination.configuration import CsvFormatConfiguration
from dlt.common.destination.exceptions import DestinationException, UnknownDestinationModule
from dlt.common.exceptions import MissingDependencyException
from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.configuration import PIPELINE, working_folder_name
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.working_folder import LOCK, WorkingFolder, drop_packages

if TYPE_CHECKING:
    from wolkvox_billing.hosts import Hosts

logger = logging.getLogger("wolkvox_billing")

DATASET = "wolkvox_billing"
DESTINATION = "duckdb"
LOCK_WAIT = 60.0  # seconds, for a table; dlt tries five times
LITTLE_MEMORY = "300MB"  # for a load of many rows
FILES = "filesystem"  # dlt's destination of a folder or a bucket, where files become Delta tables


def _place(destination: str, dataset: str) -> _Place:
    """The destination by dlt's configuration, checked as far as can be without asking it. Raises
    SettingsError."""
    # What is polled is nobody's business.
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", dataset) or dataset == PIPELINE:
        raise SettingsError(f"{dataset!r} cannot be a dataset: use letters, digits and _")
    try:
        kind = Destination.from_reference(destination)
        assert kind is not None
        if _engine(kind) == "postgres":
            # A job of a load that was killed may be done again. Where dlt's own ids must be unique
            # that is an error, and the package waits for ever; the merge sorts it out.
            credentials = configured(partial(_impatient, kind))
            kind = Destination.from_reference(
                destination, create_indexes=False, credentials=credentials
            )
            assert kind is not None
        if _engine(kind) == FILES:
            _check_files(kind)
        if _engine(kind) in ("duckdb", "postgres"):
            _resolve_once(kind)
    except UnknownDestinationModule:
        raise SettingsError(f"dlt knows no destination {destination!r}") from None
    except MissingDependencyException as error:
        raise SettingsError(f"the destination {destination} needs more: {error}") from None
    return _Place(kind, _folder(destination, kind, dataset))


def _folder(destination: str, kind: Destination[Any, Any], dataset: str) -> WorkingFolder:
    context = dlt.current.run_context()
    own = working_folder_name(
        context.run_dir, destination, kind.destination_name, dataset, _data_location(kind)
    )
    return WorkingFolder(Path(context.data_dir) / "wolkvox-billing" / own)


class _Place(NamedTuple):
    """A destination as dlt resolved it, and the working folder of a dataset in it."""

    kind: Destination[Any, Any]
    folder: WorkingFolder


@contextmanager
def opened(
    destination: str = DESTINATION, dataset: str = DATASET, *, wait: float = 900
) -> Iterator[dlt.Pipeline]:
    """The dlt pipeline of one destination and dataset, as this project folder means it, held
    against other processes for the block.

    Raises SettingsError, and WarehouseError where the folder cannot be used.
    """
    kind, folder = _place(destination, dataset)
    before = Path(dlt.current.run_context().get_data_entity("pipelines")) / "wolkvox-billing"
    with _private(), _only_one(folder.path, wait):
        try:
            folder.take_over(before / folder.path.name)
            drop_packages(folder.pipelines / PIPELINE)
            try:
                pipeline = configured(lambda: _pipeline(kind, dataset, folder))
            except (OSError, ValueError) as error:  # dlt's own files are damaged
                logger.warning("%s is made anew: %s", folder.pipelines, plain(error))
                shutil.rmtree(folder.pipelines)
                pipeline = configured(lambda: _pipeline(kind, dataset, folder))
            if _engine(kind) == "duckdb":
                pipeline.destination_client()  # complains of a file that it cannot have
                _check_file(Path(location_of(pipeline)), dataset, _variable(kind, "CREDENTIALS"))
        except DestinationException as error:
            raise SettingsError(
                f"the destination {destination} cannot be had by "
                f"{_variable(kind, 'CREDENTIALS')}: {plain(error)}"
            ) from None
        except (OSError, ValueError) as error:
            raise WarehouseError(
                f"the working folder {folder.path} cannot be used ({plain(error)}): mend it, or "
                "remove it; only answers that were not loaded yet are in there and nowhere else"
            ) from None
        yield pipeline


def _pipeline(kind: Destination[Any, Any], dataset: str, folder: WorkingFolder) -> dlt.Pipeline:
    return dlt.pipeline(
        PIPELINE,
        destination=kind,
        dataset_name=dataset,
        pipelines_dir=str(folder.pipelines),
    )


def _engine(kind: Destination[Any, Any]) -> str:
    return kind.destination_type.rsplit(".", 1)[-1]


def engine_of(pipeline: dlt.Pipeline) -> str:
    """dlt's name of what runs there, such as `duckdb`, whatever name the settings give it."""
    return _engine(pipeline.destination)


def _resolve_once(kind: Destination[Any, Any]) -> None:
    """dlt reads a destination's settings anew for each client that it makes, some forty a load: a
    fifth of what a poll takes. They do not change while it is open, so each client gets a copy."""
    read = kind.configuration
    known: dict[tuple[object, ...], Any] = {}

    def configuration(initial_config: Any, accept_partial: bool = False) -> Any:
        if initial_config is None:
            return read(initial_config, accept_partial)
        filled_in = initial_config.dataset_name, initial_config.default_schema_name
        is_mock = initial_config.credentials is not None  # of dlt's, to learn what an engine can
        if (key := (accept_partial, is_mock, *filled_in)) not in known:
            known[key] = read(initial_config, accept_partial)
        made = known[key].copy()
        if _engine(kind) == "duckdb" and not accept_partial:
            made.credentials.on_resolved()  # its connections are its own
        return made

    kind.configuration = configuration  # type: ignore


def _variable(kind: Destination[Any, Any], setting: str) -> str:
    return f"DESTINATION__{kind.destination_name.upper()}__{setting}"


def _check_file(file: Path, dataset: str, variable: str) -> None:
    """What can be known of a DuckDB file before anybody is asked. Raises SettingsError."""
    how = f"set another one in {variable}"
    if file.stem in (dataset, f"{dataset}_marts"):
        raise SettingsError(
            f"the DuckDB file {file} has the name of the schema {file.stem}, which DuckDB could "
            f"not tell apart: {how}"
        )
    if str(file) == ":memory:" or not file.parent.is_dir() or file.is_dir():
        raise SettingsError(f"{file} cannot be a DuckDB file, since its folder must exist: {how}")


def _check_files(kind: Destination[Any, Any]) -> None:
    """What can be known of a folder or bucket before anybody is asked. Raises SettingsError."""
    if not find_spec("deltalake"):  # dlt would append to bare files, and double what comes again
        raise SettingsError(
            "the destination filesystem needs Delta tables: pip install 'wolkvox-billing[lake]'"
        )
    if not _data_location(kind):
        raise SettingsError(
            "the destination filesystem needs a folder or bucket: set "
            f"{_variable(kind, 'BUCKET_URL')}"
        )


@contextmanager
def _private() -> Iterator[None]:
    """What holds answers is made for its owner alone: the working folder, a new DuckDB file with
    its log. A file that is there keeps its mode, which somebody may have chosen."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _only_one(folder: Path, wait: float) -> Iterator[None]:
    """Holds a working folder: a second process waits, since dlt's files are for one at a time."""
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


@contextmanager
def held_open(pipeline: dlt.Pipeline, *, or_fail: bool = False) -> Iterator[None]:
    """A DuckDB file open for the block, so that dlt, which opens and closes it some seven times a
    load, does not write it out each time: a load takes a third less. Not while the vendor is asked:
    no reader could open the file meanwhile.

    A load must have it, `or_fail`: in a file that it gets later another project's load may be half
    done, and both use the same staging tables. Raises DestinationException then."""
    client = pipeline.sql_client() if engine_of(pipeline) == "duckdb" else None
    try:
        if client:
            try:
                client.open_connection()
            except DestinationException:
                if or_fail:
                    raise
        yield
    finally:
        if client:
            client.close_connection()


@contextmanager
def in_little_memory(pipeline: dlt.Pipeline) -> Iterator[None]:
    """A DuckDB file that is held open takes no more than LITTLE_MEMORY for the block, in the place
    of four fifths of the machine's: it would keep all that it read. Where somebody has set another
    limit, that one stays."""
    import duckdb  # of no use to a load into another destination

    asked = "SELECT current_setting('memory_limit')"
    with pipeline.sql_client() as client:
        [[limit]] = client.execute_sql(asked) or []
        if duckdb.execute(asked).fetchall() != [(limit,)]:
            yield
            return
        client.execute_sql(f"SET memory_limit = '{LITTLE_MEMORY}'")
        # Rows of a table have no order that anybody relies on; to keep it takes memory and time.
        client.execute_sql("SET preserve_insertion_order = false")
        try:
            yield
        finally:
            client.execute_sql(f"SET memory_limit = '{limit}'")
            client.execute_sql("RESET preserve_insertion_order")


def table_format(pipeline: dlt.Pipeline) -> Any:
    """What files become tables by, where the destination is but files; None where it has tables."""
    return "delta" if engine_of(pipeline) == FILES else None


def check_readable(pipeline: dlt.Pipeline) -> None:
    """Raises SettingsError where the tables are but files, which no verb reads."""
    if engine_of(pipeline) == FILES:
        raise SettingsError(
            "this command does not read Delta tables: only `load` knows the destination "
            "filesystem. Read them with an engine of yours, where `wolkvox-billing sql spark` "
            "makes the marts; or load into duckdb or postgres"
        )


def folder_of(pipeline: dlt.Pipeline) -> WorkingFolder:
    """Return the working folder that a pipeline was opened in."""
    return WorkingFolder(Path(pipeline.pipelines_dir).parent)


def place_of(destination: str, dataset: str) -> tuple[WorkingFolder, Hosts | None]:
    """Return the working folder of a destination and dataset, and what is shared with other hosts
    that load there, where only dlt can tell. Raises SettingsError, WarehouseError."""
    from wolkvox_billing.hosts import hosts_of

    kind, folder = _place(destination, dataset)
    if _engine(kind) != "postgres":
        return folder, None
    with opened(destination, dataset) as pipeline:
        return folder, hosts_of(pipeline)


def waiting_elsewhere(pipeline: dlt.Pipeline) -> list[str]:
    """A sentence for each working folder of this project, destination and dataset, but for another
    address of it, in which answers wait: once the address was mended, nobody would load them."""
    own = folder_of(pipeline).path
    others = own.parent.glob(f"{own.name.rsplit('-', 1)[0]}-*")
    return [
        f"answers wait in {other}, for another address of the destination: load with that one"
        for other in sorted(others)
        if other != own
        and (WorkingFolder(other).spool.count() or WorkingFolder(other).older.exists())
    ]


@contextmanager
def reading(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Turns what a destination complains of into a WarehouseError, and a missing setting into a
    SettingsError. Tables that are but files are said; so is a DuckDB file that is not there, since
    opening it would make it."""
    check_readable(pipeline)
    location = location_of(pipeline)
    if engine_of(pipeline) == "duckdb" and not Path(location).exists():
        raise WarehouseError(f"there is no {location} yet: run `wolkvox-billing load` first")
    try:
        yield
    except ConfigurationException as error:
        raise SettingsError(plain(error)) from None
    except Exception as error:
        if not is_complaint(error):
            raise
        raise WarehouseError(f"{location} cannot be used: {plain(error)}") from None


def rows_of(client: SqlClientBase[Any], query: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query, as tuples whatever the driver gives; none where it has no answer.
    values: for each `%s` in it."""
    return [tuple(row) for row in client.execute_sql(query, *values) or ()]


def tables_in(client: SqlClientBase[Any], schema: str) -> set[str]:
    """The names of the tables and views in a schema; none where there is no such schema."""
    found = rows_of(
        client, f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'"
    )
    return {name for (name,) in found}


def is_complaint(error: BaseException) -> bool:
    """Whether it comes from a destination: from dlt, or from a database's driver, whose errors all
    are of a class `Error` (PEP 249)."""
    return isinstance(error, DestinationException) or any(
        kind.__name__ == "Error" for kind in type(error).__mro__
    )


def configured(make: Callable[[], Any]) -> Any:
    """What `make` makes of the settings; dlt's complaint about one becomes a SettingsError.

    dlt's text is not passed on: it may show the value, and the value may be a token.
    """
    try:
        return make()
    except ConfigFieldMissingException as error:
        raise SettingsError(missing(error)) from None
    except ConfigurationException as error:
        names = [str(getattr(error, name, "")) for name in ("field_name", "spec_name")]
        which = next(filter(None, names), "credentials")
        place = "sources.wolkvox_billing" if "wolkvox" in f"{names}".lower() else "destination"
        raise SettingsError(
            f"a setting cannot be read ({which}): see [{place}...] in .dlt/*.toml, and the "
            f"variables {place.upper().replace('.', '__')}__..."
        ) from None


def missing(error: ConfigFieldMissingException) -> str:
    """The settings that dlt misses, with a variable that it looked for."""
    tried = re.search(r"'(DESTINATION__[A-Z0-9_]+?__CREDENTIALS)__", str(error.traces))
    where = f": set {tried[1]}, or the same in .dlt/secrets.toml" if tried else ""
    return f"settings are missing: {', '.join(error.fields)}{where}"


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
    if is_full(error):
        return f"the disk is full: {innermost}"
    return innermost[:500] or type(chain[-1]).__name__


def is_full(error: BaseException) -> bool:
    return any(
        (isinstance(one, OSError) and one.errno == errno.ENOSPC) or "No space left" in str(one)
        for one in causes(error)
    )


def is_out_of_memory(error: BaseException) -> bool:
    return any("Out of Memory" in str(one) for one in causes(error))


def _impatient(kind: Destination[Any, Any]) -> Any:
    """PostgreSQL's credentials, by which no statement waits long for a table that somebody keeps:
    the run ends, its answers wait on disk, and the next one may ask the vendor."""
    spec: Any = kind.configuration(kind.spec(), accept_partial=True)
    if dict(spec.csv_format or {}) != dict(CsvFormatConfiguration()):
        raise SettingsError(
            "the setting `csv_format` of PostgreSQL cannot be kept: rows go there as CSV of a form "
            "of their own. Unset "
            f"{_variable(kind, 'CSV_FORMAT')}__..., or the same in .dlt/*.toml"
        )
    credentials = spec.credentials
    if credentials and not credentials.is_partial():
        given = (credentials.query or {}).get("options", "")
        options = f"-clock_timeout={round(1000 * LOCK_WAIT)} {given}".strip()
        credentials.query = {**(credentials.query or {}), "options": options}
        return credentials
    return None


def _data_location(kind: Destination[Any, Any]) -> str:
    try:
        return str(kind.configuration(kind.spec(), accept_partial=True).data_location())
    except (ConfigurationException, DestinationException, AttributeError):
        return ""
