"""What dlt 1.31 does not do, or does otherwise than we need, each with what it saves or mends.

tests/warehouse/test_dlt_gaps.py fails once dlt does it itself, for each but `drop_packages`, which
saves only that dlt's own way needs the destination.
"""

from __future__ import annotations

import inspect
import os
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from copy import deepcopy
from functools import cache, partial, wraps
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import dlt
from dlt.common import jsonpath, validation
from dlt.common.configuration import configspec
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import environ
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.destination import AnyDestination
from dlt.common.destination import client as destination_client
from dlt.common.destination import utils as destination_utils
from dlt.common.json import PUA_START, json
from dlt.common.pipeline import PipelineContext
from dlt.common.runtime import exec_info
from dlt.common.schema import Schema
from dlt.common.schema import schema as schemas
from dlt.common.schema import utils as schema_utils
from dlt.common.storages.live_schema_storage import LiveSchemaStorage
from dlt.common.typing import TSecretStrValue
from dlt.destinations.impl.postgres import factory as postgres
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from dlt.destinations.sql_client import raise_database_error
from dlt.extract import DltResource, extract, hints

from wolkvox_billing.warehouse.complaints import failure_of
from wolkvox_billing.warehouse.sql import Client, engine_name, literal

if TYPE_CHECKING:
    from dlt.destinations.impl.duckdb.configuration import DuckDbConnectionPool
    from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
    from duckdb import DuckDBPyConnection
    from psycopg2.extensions import connection

Hint: TypeAlias = Any  # the type of a setting, as dlt has it
EngineSettings: TypeAlias = Any  # of a destination, as dlt has them: each engine's are its own
JobClient: TypeAlias = Any  # dlt's of a destination: each engine's is its own, and is changed here


def resolve_once(destination: AnyDestination) -> None:
    """Give each client of a destination a copy of its settings. dlt reads them anew for each that
    it makes, some forty a load: a fifth of what a poll takes. They do not change while it is open.
    All clients of a DuckDB file have their connections from one that is open, which dlt keeps for
    those of one load: each by itself sets five settings first, fifteen times a load."""
    read: Callable[..., EngineSettings] = destination.configuration
    resolved: dict[tuple[object, ...], EngineSettings] = {}
    pools: dict[str, DuckDbConnectionPool] = {}

    def configuration(initial: EngineSettings, accept_partial: bool = False) -> EngineSettings:
        if initial is None:
            return read(initial, accept_partial)
        is_mock = initial.credentials is not None  # of dlt's, to learn what an engine can
        key = (accept_partial, is_mock, initial.dataset_name, initial.default_schema_name)
        if key not in resolved:
            resolved[key] = read(initial, accept_partial)
        copy = resolved[key].copy()
        if engine_name(destination) == "duckdb" and not accept_partial:
            copy.credentials.on_resolved()
            own = copy.credentials.conn_pool
            own._apply_local_config = partial(_apply_settings, own)
            copy.credentials.conn_pool = pools.setdefault(copy.credentials.database, own)
        return copy

    destination.configuration = configuration  # type: ignore


def _apply_settings(
    pool: DuckDbConnectionPool,
    connection: DuckDBPyConnection,
    settings: Mapping[str, object] | None = None,
    pragmas: Collection[str] | None = None,
) -> None:
    """Apply what each connection of a pool is to have, as the pool itself does. dlt makes a
    relation of each pragma, which takes DuckDB thrice as long as a statement; and its own one,
    which is of the whole database, it applies to each connection."""
    own = pool.credentials.pragmas or ()
    if own or not pool._conn_borrows:
        for pragma in (*own, *(pragmas or ())):
            connection.execute(f"PRAGMA {pragma}")
    all_settings = {**(pool.credentials.local_config or {}), **(settings or {})}
    pool._apply_config(connection, "SESSION", all_settings)


def open_read_only(destination: AnyDestination) -> None:
    """Let a DuckDB file be opened for reading alone from now on: in dlt that is a setting, and
    whoever may not write cannot know."""
    read: Callable[..., EngineSettings] = destination.configuration

    def configuration(*words: Any, **named: Any) -> EngineSettings:
        settings = read(*words, **named)
        if settings.credentials:
            settings.credentials.read_only = True
            if settings.credentials.conn_pool:
                settings.credentials.conn_pool.credentials.read_only = True
        return settings

    destination.configuration = configuration  # type: ignore


def save_time() -> None:
    """Spare dlt what it does over and over, once a process. What a later dlt has elsewhere takes
    its time there again."""
    for gap in (
        call_with_what_is_passed,
        copy_parts_directly,
        look_once,
        remember_fields,
        remember_paths,
        remember_secret_hints,
        remember_valid_parts,
        tell_truth_at_once,
        write_hints_at_once,
    ):
        with suppress(AttributeError):
            gap()


def remember_secret_hints() -> None:
    """Let dlt remember which types of settings are secrets. It takes a type apart for each name
    under which a setting may stand, 1,400 times a load: a tenth of what it takes to open a
    destination."""
    ask = environ.is_secret_hint  # type: ignore[attr-defined]
    if not (isinstance(ask, partial) and ask.func is _ask_once):
        environ.is_secret_hint = partial(  # type: ignore[attr-defined]
            _ask_once, cache(ask), ask
        )


def _ask_once(remembered: Callable[[Hint], bool], ask: Callable[[Hint], bool], hint: Hint) -> bool:
    try:
        return remembered(hint)
    except TypeError:  # a type with something in it that has no hash
        return ask(hint)


def remember_fields() -> None:
    """Let dlt remember which fields the parts of a schema may have. It takes their types apart each
    time that it checks one, fifty times a load: a fiftieth of what that takes."""
    ask = validation.get_type_hints  # type: ignore[attr-defined]
    if not isinstance(ask, partial):
        remembered = partial(_fields_once, cache(ask))
        validation.get_type_hints = remembered  # type: ignore[attr-defined]


def _fields_once(ask: Callable[..., Mapping[str, Hint]], kind: Hint, **_: object) -> Any:
    return ask(kind)  # whose module has the names in it, as it has in what dlt passes


def remember_valid_parts() -> None:
    """Let dlt remember which parts of a schema it has checked. It checks its own standing hints and
    the columns of our tables at each load, thirty times in all: a twenty-fifth of what that
    takes."""
    for module, name in ((schemas, "validate_dict"), (hints, "validate_dict_ignoring_xkeys")):
        check = getattr(module, name)
        if not (isinstance(check, partial) and check.func is _check_once):
            setattr(module, name, partial(_check_once, check, set()))


_MOST_PARTS = 200  # remembered; ours are seven


def _check_once(
    check: Callable[..., None], valid: set[tuple[object, ...]], *words: Any, **named: Any
) -> None:
    part = tuple(map(repr, (words, named)))
    if part not in valid:
        check(*words, **named)
        if len(valid) >= _MOST_PARTS:  # of somebody else's pipelines in this process
            valid.clear()
        valid.add(part)


def copy_parts_directly() -> None:
    """Let dlt copy parts of a schema, which are dictionaries and lists, as such: fifty tables a
    load. `deepcopy` looks up what each text is in them."""
    schemas.deepcopy = schema_utils.deepcopy = _copy_part  # type: ignore


def _copy_part(part: Any) -> Any:
    kind = type(part)
    if kind is dict:
        return {name: _copy_part(value) for name, value in part.items()}
    if kind is list:
        return [_copy_part(value) for value in part]
    return part if kind in (str, bool, int, type(None)) else deepcopy(part)


def call_with_what_is_passed() -> None:
    """Let dlt call functions of its own with what it passes. It looks for settings of theirs,
    eighty times a load, though it passes all that they take."""
    for module, name in (
        (destination_client, "prepare_load_table"),
        (destination_utils, "prepare_load_table"),
        (schemas, "import_normalizers"),
    ):
        setattr(module, name, inspect.unwrap(getattr(module, name)))


def remember_paths() -> None:
    """Let dlt remember the paths to fields that it has parsed. It makes a parser for each, over and
    over for the same few: a twentieth of a load."""
    parse = jsonpath._parse  # type: ignore[attr-defined]
    if not isinstance(parse, partial):
        jsonpath._parse = partial(cache(parse))  # type: ignore[attr-defined]


def tell_truth_at_once() -> None:
    """Let dlt see at once whether a part of the settings is there. It counts its fields each time,
    350 times a load: a fiftieth of what that takes."""
    if "__bool__" not in vars(BaseConfiguration):
        BaseConfiguration.__bool__ = _has_fields  # type: ignore[attr-defined]


def _has_fields(configuration: BaseConfiguration) -> bool:
    return any(True for _ in configuration)


def look_once() -> None:
    """Let dlt look once for a package that it does without. Python remembers none that is not there
    and goes through its whole path each time: forty times a load into PostgreSQL, a tenth of what
    that takes."""
    for module, name in (
        (postgres, "get_adbc_driver_location"),
        (exec_info, "get_dlthub_version"),
    ):
        look = getattr(module, name)
        if not hasattr(look, "cache_info"):
            setattr(module, name, cache(look))


def write_hints_at_once() -> None:
    """Let dlt write the columns of each resource as JSON, which is YAML too, into its record of a
    load. In YAML's own way, by Python alone, they take a twelfth of a load of few rows."""
    extract.yaml = _JsonForYaml()  # type: ignore[attr-defined]


class _JsonForYaml:
    """What of the module `yaml` dlt's extract uses."""

    @staticmethod
    def dump(hints: object, **_: object) -> str:
        return json.dumps(hints)


def take_only(transformer: DltResource, is_wanted: Callable[[Any], bool]) -> DltResource:
    """Let a transformer be called for those items alone that it wants. dlt resolves the settings of
    its arguments, such as a cursor, for each item that comes: of all 27 reports, 27 times for each
    answer. A step before the transformer it would take for the transformer, once it is cloned."""
    call = transformer._pipe.gen
    assert callable(call)

    @wraps(call)
    def take(item: Any, *words: Any, **named: Any) -> Any:
        return call(item, *words, **named) if is_wanted(item) else None

    transformer._pipe.replace_gen(take)
    return transformer


def active_pipeline() -> dlt.Pipeline | None:
    """Return the pipeline that runs, None where none does. `dlt.current.pipeline()` reads the
    settings of a new one each time, a twentieth of a load of few rows, and makes one for None."""
    context = Container()[PipelineContext]
    return cast(dlt.Pipeline, context.pipeline()) if context.is_active() else None


def read_schema_once(pipeline: dlt.Pipeline) -> None:
    """Let a pipeline read its schema's file again only where it has changed. dlt reads and checks
    it each time that it wants the schema, some twenty times a load, and builds it anew: a seventh
    of what a load of few rows takes, and of what a reconcile does."""
    storage = pipeline.schemas
    assert isinstance(storage, LiveSchemaStorage)
    pipeline._schema_storage = _SchemasReadOnce(storage)


class _SchemasReadOnce(LiveSchemaStorage):
    """Schemas as dlt has them, each as long as its file is the same."""

    def __init__(self, storage: LiveSchemaStorage) -> None:
        super().__init__(storage.config)
        self.live_schemas = storage.live_schemas
        # As they were when their schemas were read.
        self._files: dict[str, tuple[int, ...]] = {n: self._file_of(n) for n in self.live_schemas}

    def __getitem__(self, name: str) -> Schema:
        file = self._file_of(name)
        if file and file == self._files.get(name):
            return self.live_schemas[name]
        schema = super().__getitem__(name)
        if file:
            self._files[name] = file
        return schema

    def set_live_schema(self, schema: Schema) -> Schema:
        self._files.pop(schema.name, None)  # it is not the file's, until that is read or written
        return super().set_live_schema(schema)

    def _file_of(self, name: str) -> tuple[int, ...]:
        """Return what tells a schema's file from the next one, which dlt puts into its place; ()
        where there is none, or somebody has it imported from elsewhere."""
        if self.config.import_schema_path:
            return ()
        try:
            file = Path(self.storage.make_full_path(self._file_name_in_store(name, "json"))).stat()
        except OSError:
            return ()
        return file.st_ino, file.st_mtime_ns, file.st_size


def fail_at_refused_rows(destination: AnyDestination) -> None:
    """Fail at once at rows that PostgreSQL refuses. What it says against the rows of a COPY dlt
    does not tell from a lost connection: it tries the same rows five times, with a second in
    between. Now it fails as by any other statement of dlt's, at once where it is the rows; a lock
    or a connection is tried again as before."""
    from dlt.destinations.impl.postgres.postgres import PostgresCsvCopyJob

    def change(job_client: JobClient) -> None:
        create = job_client.create_load_job

        def create_load_job(*words: Any, **named: Any) -> Any:
            job: Any = create(*words, **named)
            if isinstance(job, PostgresCsvCopyJob):
                job.run = partial(  # type: ignore[method-assign]
                    _by_kind_of_error, job_client.sql_client, job.run
                )
            return job

        job_client.create_load_job = create_load_job

    _change_clients(destination, change)


def _change_clients(destination: AnyDestination, change: Callable[[JobClient], None]) -> None:
    make = destination.client

    def client(*words: Any, **named: Any) -> JobClient:
        job_client = make(*words, **named)
        change(job_client)
        return job_client

    destination.client = client  # type: ignore


@raise_database_error
def _by_kind_of_error(_: Client, run: Callable[[], None]) -> None:
    run()


MOST_IDLE_SECONDS = 60  # of a kept connection; networks forget silent ones after 4 minutes or more


class _Idle(NamedTuple):
    """A connection that a client has done with, and when, by time.monotonic()."""

    session: connection
    since: float


class KeptConnections:
    """Connections to a PostgreSQL that clients of dlt's have done with, for the next ones. dlt
    makes one for each client, a dozen a load: over a network, with TLS, each takes some five ways
    there and back. `close` ends them; what is given back later is closed at once. One that was
    silent while the vendor was asked is not used again: a firewall may have forgotten it without a
    word, and whoever waits for an answer on it waits for a quarter of an hour."""

    def __init__(self, destination: AnyDestination) -> None:
        self._idle: dict[str, list[_Idle]] | None = {}  # by the dataset that they look into
        _change_clients(destination, self._change)

    def close(self) -> None:
        idle, self._idle = self._idle or {}, None
        for session, _ in chain.from_iterable(idle.values()):
            session.close()

    def _change(self, job_client: JobClient) -> None:
        client: Psycopg2SqlClient = job_client.sql_client
        client.open_connection = partial(self._open, client)  # type: ignore[method-assign]
        client.close_connection = partial(self._give_back, client)  # type: ignore[method-assign]

    def _open(self, client: Psycopg2SqlClient) -> connection:
        import psycopg2  # of no use to a load into another destination

        idle = (self._idle or {}).get(client.fully_qualified_dataset_name(), [])
        with suppress(IndexError):
            while True:
                session, since = idle.pop()  # no two of dlt's jobs get the same
                if time.monotonic() - since > MOST_IDLE_SECONDS:
                    session.close()
                    continue
                client._conn = session
                with suppress(psycopg2.Error):  # the server has ended it
                    client._reset_connection()
                    return session
        return cast("connection", type(client).open_connection(client))

    def _give_back(self, client: Psycopg2SqlClient) -> None:
        session, client._conn = client._conn, None
        if not session:
            return
        # In a transaction, or broken: to close it rolls back, as it does in dlt.
        if self._idle is None or session.info.transaction_status:
            session.close()
        else:
            idle = self._idle.setdefault(client.fully_qualified_dataset_name(), [])
            idle.append(_Idle(session, time.monotonic()))


def forget_what_is_gone(
    client: Client, schema: Schema, place: str, tables: Mapping[str, Collection[str]]
) -> None:
    """Let dlt make tables again that somebody dropped. By its notes it takes them for made, and
    every later load into them fails.

    place: a schema; tables: those that are in it.
    """
    noted = {
        str(table["name"])
        for table in schema.data_tables(seen_data_only=True)
        if place == client.dataset_name or table.get("write_disposition") == "merge"
    }
    if not noted <= tables.keys() and schema.version_table_name in tables:
        with client.with_alternative_dataset_name(place):
            versions = client.make_qualified_table_name(schema.version_table_name)
            forget = f"DELETE FROM {versions} WHERE schema_name = {literal(schema.name)}"
            # Somebody who may not do that may not see that table either: it is not gone.
            failure_of(lambda: client.execute_sql(forget))


# Zero bytes on dlt's own way. It marks bytes by a character before their base64, and 1.31 does not
# read a mark alone (`custom_pua_decode`): of b"" a text would come out, in a column of its own. A
# blank is no base64, and is passed over.
NO_BYTES = chr(PUA_START + 5) + " "


# Where dlt's load packages are in a pipeline's folder, whole or half made.
_PACKAGES = ("normalize", "normalize/extracted", "load/new", "load/normalized", "load/loaded")


def drop_packages(folder: Path) -> None:
    """Remove dlt's packages out of a pipeline's folder, whole or half made. Not by dlt's
    `abort_packages`, which needs the destination."""
    for place in _PACKAGES:
        for package in (folder / place).glob("*"):
            if package.is_dir() and package.name != "extracted":
                shutil.rmtree(package, ignore_errors=True)


@configspec(init=False)
class CompletedCredentials(PostgresCredentials):
    """dlt's, of which any part may be missing. dlt wants user, password, host and database in its
    settings; libpq takes a password from `.pgpass`, PGPASSWORD and PGPASSFILE, the rest from PG...
    variables or a service, and a server may want no password."""

    database: str | None = None  # type: ignore[assignment]
    username: str | None = None  # type: ignore[assignment]
    password: TSecretStrValue | None = None  # type: ignore[assignment]
    host: str | None = None  # type: ignore[assignment]
    port: int | None = 5432  # type: ignore[assignment]


def completed_by_libpq(credentials: PostgresCredentials) -> PostgresCredentials | None:
    """Return credentials that dlt takes for whole, of which libpq adds what the settings do not
    say; None where libpq could not tell either which database is meant."""
    query = dict(credentials.query or {})
    is_by_service = bool(query.get("service") or os.environ.get("PGSERVICE"))
    has_database = credentials.database or query.get("dbname") or os.environ.get("PGDATABASE")
    says_something = credentials.database or credentials.host or credentials.username or query
    if not says_something or not (has_database or is_by_service):
        return None

    whole = CompletedCredentials()
    whole.update({name: value for name, value in dict(credentials).items() if value is not None})
    if not credentials.host and credentials.port == 5432:  # dlt's own, which nobody has set
        whole.port = None
    whole.resolve()
    return whole


def location_by_libpq(credentials: PostgresCredentials) -> str:
    """Return where libpq finds the database, as a text: dlt has none where no host is set."""
    query = dict(credentials.query or {})
    service = query.get("service") or os.environ.get("PGSERVICE")
    host = credentials.host or query.get("host") or os.environ.get("PGHOST")
    port = credentials.port or query.get("port") or os.environ.get("PGPORT")
    database = credentials.database or query.get("dbname") or os.environ.get("PGDATABASE")
    if service and not (host and database):
        return "/".join(filter(None, [f"service {service}", database]))
    return f"{host or 'local socket'}:{port or 5432}/{database}"
