"""What stands in `dlt_gaps` is still needed: where a test fails here, dlt does it itself."""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from functools import partial
from types import SimpleNamespace
from typing import Annotated, Any

import dlt
import duckdb
import jsonpath_ng.ext
import psycopg2
import pytest
import yaml
from dlt.common import json, jsonpath, validation
from dlt.common.configuration import inject
from dlt.common.configuration.providers import environ
from dlt.common.configuration.specs import BaseConfiguration, base_configuration
from dlt.common.destination import Destination, client, utils
from dlt.common.exceptions import DictValidationException
from dlt.common.runtime import exec_info
from dlt.common.schema import Schema, normalizers
from dlt.common.schema import schema as schemas
from dlt.common.schema import utils as schema_utils
from dlt.common.schema.typing import TTableSchema
from dlt.common.schema.utils import new_table
from dlt.common.storages import SchemaStorage
from dlt.common.typing import SecretSentinel, get_type_hints
from dlt.destinations.impl.duckdb.configuration import DuckDbConnectionPool, DuckDbCredentials
from dlt.destinations.impl.postgres import factory as postgres
from dlt.extract import extract, hints
from dlt.normalize import worker

from builders.loads import OTHER, REPORT, begin, files, poll
from builders.project import Project
from wolkvox_billing.polling import source
from wolkvox_billing.warehouse import dlt_gaps, loading, place

pytestmark = pytest.mark.usefixtures("kept_open")


def test_dlt_does_not_read_zero_bytes_yet() -> None:
    """Of zero bytes on its own way dlt makes a text."""
    written = json.typed_dumpb({"zero": b"", "mended": dlt_gaps.NO_BYTES})
    read = json.typed_loadb(written)
    assert (type(read["zero"]), read["mended"]) == (str, b"")


def test_dlt_reads_a_destinations_settings_over_and_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load reads the settings of its destination more than ten times, and once by us."""
    begin(project)

    def reads(resolve: Any) -> int:
        count = 0

        def counted(kind: Any) -> None:
            read = kind.configuration

            def configuration(*words: Any, **named: Any) -> Any:
                nonlocal count
                count += 1
                return read(*words, **named)

            kind.configuration = configuration
            resolve(kind)

        with monkeypatch.context() as patched:
            patched.setattr(place, "resolve_once", counted)
            project.later(hours=1)
            assert project.load().is_good
        return count

    assert reads(lambda kind: None) > 10 > reads(dlt_gaps.resolve_once)


def test_dlt_makes_a_relation_of_each_pragma(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load makes a relation for each connection to a DuckDB file, for a pragma of the whole
    database, and none by us."""
    begin(project)
    relations: list[str] = []
    sql = duckdb.DuckDBPyConnection.sql

    def noted(connection: Any, query: str, **more: Any) -> Any:
        relations.append(query)
        return sql(connection, query, **more)

    monkeypatch.setattr(duckdb.DuckDBPyConnection, "sql", noted)
    with monkeypatch.context() as without:
        without.setattr(dlt_gaps, "_apply_settings", DuckDbConnectionPool._apply_local_config)
        assert poll(project, 7).is_good
    assert relations == ["PRAGMA enable_checkpoint_on_shutdown"] * len(relations)
    assert len(relations) > 5
    relations.clear()
    assert poll(project, 8).is_good
    assert relations == []


def test_a_pragma_of_the_settings_goes_to_each_connection() -> None:
    """As in dlt, before its own; without any, its own goes to the first connection alone."""
    connection, other = _Statements(), _Statements()
    pool = DuckDbConnectionPool(DuckDbCredentials("wolkvox.duckdb", pragmas=["theirs"]))
    pool._apply_local_config(other, {"search_path": "marts"}, ["own"])
    for pool._conn_borrows in (0, 1):
        connection.statements.clear()
        dlt_gaps._apply_settings(pool, connection, {"search_path": "marts"}, ["own"])  # type: ignore[arg-type]
        assert connection.statements == other.statements
    assert connection.statements[:2] == ["PRAGMA theirs", "PRAGMA own"]
    pool.credentials.pragmas = None
    connection.statements.clear()
    for pool._conn_borrows in (0, 1):
        dlt_gaps._apply_settings(pool, connection, None, ["own"])  # type: ignore[arg-type]
    assert connection.statements == ["PRAGMA own"]


class _Statements:
    """A connection to DuckDB that notes what it is told."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, statement: str, *_: Any) -> None:
        self.statements.append(statement)

    sql = execute


def test_dlt_checks_parts_of_a_schema_over_and_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load checks its standing hints and the columns of tables more than twenty times, and by us
    each part once; what is wrong is refused each time."""
    begin(project)
    checked: list[str] = []

    def noted(check: Callable[..., None], *words: Any, **named: Any) -> None:
        checked.append(repr((words, named)))
        check(*words, **named)

    for module, name in ((schemas, "validate_dict"), (hints, "validate_dict_ignoring_xkeys")):
        monkeypatch.setattr(module, name, partial(noted, getattr(validation, name)))
    with monkeypatch.context() as without:
        without.setattr(dlt_gaps, "remember_valid_parts", lambda: None)
        assert poll(project, 7).is_good
    assert len(checked) > 20
    parts = set(checked)
    checked.clear()
    assert poll(project, 8).is_good
    assert len(checked) == len(set(checked)) and set(checked) <= parts
    for _ in range(2):
        with pytest.raises(DictValidationException):
            hints.validate_dict_ignoring_xkeys(TTableSchema, {"name": 5}, ".")
        hints.validate_dict_ignoring_xkeys(TTableSchema, {"name": "five"}, ".")
    assert len(checked) == len(set(checked)) + 1


def test_what_is_remembered_of_parts_has_a_bound() -> None:
    """Another pipeline of this process may have any number of them."""
    valid: set[tuple[object, ...]] = set()
    for number in range(500):
        dlt_gaps._check_once(lambda part: None, valid, number)
    assert len(valid) == 100


def test_dlt_counts_the_fields_of_settings_to_see_whether_they_are_there(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load counts them more than a hundred times, and hardly ever by us; the answer is the
    same."""
    begin(project)
    counted: list[Any] = []
    count = BaseConfiguration.__len__

    def noted(settings: BaseConfiguration) -> int:
        counted.append(settings)
        return count(settings)

    monkeypatch.setattr(BaseConfiguration, "__len__", noted)
    ours = vars(BaseConfiguration).get("__bool__", dlt_gaps._has_fields)
    assert ours is dlt_gaps._has_fields
    with monkeypatch.context() as without:
        without.delattr(BaseConfiguration, "__bool__", raising=False)
        without.setattr(dlt_gaps, "tell_truth_at_once", lambda: None)
        assert poll(project, 7).is_good
    assert len(counted) > 100
    counted.clear()
    assert poll(project, 8).is_good
    assert len(counted) < 10
    assert [bool(BaseConfiguration()), bool(DuckDbCredentials())] == [False, True]


def test_dlt_copies_tables_as_if_anything_were_in_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load copies parts of its schema more than thirty times by `deepcopy`, and none by us, with
    the same outcome; what is neither a dictionary nor a list nor simple goes that way still."""
    begin(project)
    copied: list[Any] = []

    def noted(part: Any) -> Any:
        copied.append(deepcopy(part))
        return deepcopy(part)

    for module in (schemas, schema_utils):
        monkeypatch.setattr(module, "deepcopy", noted)
    with monkeypatch.context() as without:
        without.setattr(dlt_gaps, "copy_parts_directly", lambda: None)
        assert poll(project, 7).is_good
    assert len(copied) > 30
    parts = [*copied]
    assert poll(project, 8).is_good
    assert len(copied) == len(parts)
    odd = SimpleNamespace(parts=[1])
    for part in (*parts, {"hints": [{"odd": (1, [2])}]}, {"when": [date(2026, 1, 1), 1.5, None]}):
        copy = schema_utils.deepcopy(part)
        assert copy == part
        assert not _objects(copy) & _objects(part)
    [copy] = schema_utils.deepcopy([odd])
    copy.parts.append(2)
    assert odd.parts == [1]


def _objects(part: Any) -> set[int]:
    """Return the identities of the dictionaries and lists in a part of a schema."""
    if not isinstance(part, (dict, list, tuple)):
        return set()
    inner = part.values() if isinstance(part, dict) else part
    own = set() if isinstance(part, tuple) else {id(part)}
    return own.union(*map(_objects, inner))


def note_resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the kind of each part of the settings which dlt resolves."""
    resolved: list[str] = []
    resolve = inject.resolve_configuration

    def noted(config: Any, **more: Any) -> Any:
        resolved.append(type(config).__name__)
        return resolve(config, **more)

    monkeypatch.setattr(inject, "resolve_configuration", noted)
    return resolved


def test_dlt_looks_for_settings_of_what_it_passes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load resolves settings of its functions that prepare tables and schemas more than fifty
    times, and by us a few times, where it passes less than they take."""
    begin(project)
    resolved = note_resolved(monkeypatch)
    own = ("PrepareLoadTableConfiguration", "ImportNormalizersConfiguration")
    with monkeypatch.context() as without:
        without.setattr(dlt_gaps, "call_with_what_is_passed", lambda: None)
        without.setattr(schemas, "import_normalizers", normalizers.import_normalizers)
        for module in (client, utils):
            without.setattr(module, "prepare_load_table", worker.prepare_load_table)
        assert poll(project, 7).is_good
    assert sum(map(resolved.count, own)) > 50
    resolved.clear()
    assert poll(project, 8).is_good
    assert sum(map(resolved.count, own)) < 5


def test_dlt_reads_the_settings_of_a_cursor_for_each_item(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With three reports it reads them four times for each, for its table and each answer, and by
    us twice, for its table and its own answer."""
    begin(project)
    resolved = note_resolved(monkeypatch)

    def poll_all() -> bool:
        project.later(hours=1)
        report = project.load(reports=[REPORT, OTHER, "ivr_calls"])
        return report.is_good and len(report.polls) == 3

    with monkeypatch.context() as without:  # all rows go into each report's table then
        without.setattr(source, "take_only", lambda transformer, _: transformer)
        assert poll_all()
    assert resolved.count("ReportNewestConfiguration") == 3 * 4
    resolved.clear()
    assert poll_all()
    assert resolved.count("ReportNewestConfiguration") == 3 * 2


def test_a_later_dlt_may_have_things_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not where it was takes its time again; what comes after it is spared still."""
    monkeypatch.delattr(client, "prepare_load_table")
    monkeypatch.setattr(validation, "get_type_hints", get_type_hints)
    dlt_gaps.save_time()
    assert validation.get_type_hints is not get_type_hints  # type: ignore[attr-defined]


def test_dlt_takes_types_of_settings_apart_over_and_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load asks hundreds of times whether a type is a secret, and by us once of each type; what
    has no hash is asked each time."""
    begin(project)
    asked: list[Any] = []

    def is_secret_hint(hint: Any) -> bool:
        asked.append(hint)
        return base_configuration.is_secret_hint(hint)

    monkeypatch.setattr(environ, "is_secret_hint", is_secret_hint)
    with monkeypatch.context() as without:
        without.setattr(dlt_gaps, "remember_secret_hints", lambda: None)
        assert poll(project, 7).is_good
    assert len(asked) > 300
    asked.clear()
    assert poll(project, 8).is_good
    assert len(asked) < 100
    secret, unhashable = Annotated[str, SecretSentinel], Annotated[str, []]
    for _ in range(2):
        assert [environ.is_secret_hint(hint) for hint in (secret, str)] == [True, False]
        assert not environ.is_secret_hint(unhashable)
    assert asked[-2:] == [unhashable] * 2


def test_dlt_takes_the_fields_of_a_schema_apart_over_and_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load asks more than thirty times which fields a part of a schema may have, and by us once
    of each kind, with the same answer."""
    begin(project)
    asked: list[Any] = []

    def fields(kind: Any, **names: Any) -> Any:
        asked.append(kind)
        return get_type_hints(kind, **names)

    monkeypatch.setattr(validation, "get_type_hints", fields)
    with monkeypatch.context() as without:
        without.setattr(dlt_gaps, "remember_fields", lambda: None)
        assert poll(project, 7).is_good
    assert len(asked) > 30
    kinds = set(asked)
    asked.clear()
    assert poll(project, 8).is_good
    assert len(asked) == len(set(asked)) and set(asked) <= kinds
    for kind in kinds:
        names = vars(sys.modules[kind.__module__])
        assert validation.get_type_hints(kind) == get_type_hints(kind, globalns=names)


def test_dlt_parses_the_paths_to_fields_over_and_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load parses the same few paths again and again, and by us each once, with the same
    answer."""
    begin(project)
    parsed: list[str] = []

    def parse(path: str) -> Any:
        parsed.append(path)
        return jsonpath_ng.ext.parse(path)

    monkeypatch.setattr(jsonpath, "_parse", parse)
    with monkeypatch.context() as without:
        without.setattr(dlt_gaps, "remember_paths", lambda: None)
        assert poll(project, 7).is_good
    assert len(parsed) > 3 * len(set(parsed))
    paths = set(parsed)
    parsed.clear()
    assert poll(project, 8).is_good
    assert len(parsed) == len(set(parsed)) and set(parsed) <= paths
    for path in paths:
        assert jsonpath.compile_path(path) == parse(path)


def test_dlt_writes_hints_by_python_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The columns of each resource go through PyYAML's own writer, and by us through none; what is
    in dlt's record of the load reads the same."""
    begin(project)
    written: list[Any] = []
    dump = yaml.dump

    def noted(hints: Any, **more: Any) -> str:
        text: str = dump(hints, **more)
        written.append(yaml.safe_load(text))
        return text

    monkeypatch.setattr(yaml, "dump", noted)
    monkeypatch.setattr(extract, "yaml", yaml)
    with monkeypatch.context() as without:
        without.setattr(dlt_gaps, "write_hints_at_once", lambda: None)
        assert poll(project, 7).is_good
    assert len(written) > 2
    before = [*written]
    assert poll(project, 8).is_good
    assert written == before
    assert [yaml.safe_load(extract.yaml.dump(hints)) for hints in before] == before


def test_dlt_asks_the_settings_for_the_pipeline_that_runs(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads those of a new one, and makes it where none runs; by us nothing is read."""
    with place.opened() as pipeline:
        resolved: list[Any] = []
        resolve = inject.resolve_configuration

        def noted(config: Any, **more: Any) -> Any:
            resolved.append(config)
            return resolve(config, **more)

        monkeypatch.setattr(inject, "resolve_configuration", noted)
        assert dlt.current.pipeline() is pipeline
        assert resolved
        resolved.clear()
        assert dlt_gaps.active_pipeline() is pipeline
        assert resolved == []
        pipeline.deactivate()
        assert dlt_gaps.active_pipeline() is None


def test_dlt_reads_its_schema_over_and_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load reads the file of its schema more than ten times, and a few times by us: once where it
    is opened."""
    begin(project)
    reads: list[str] = []
    read = SchemaStorage.load_schema

    def load_schema(storage: SchemaStorage, name: str) -> Schema:
        reads.append(name)
        return read(storage, name)

    monkeypatch.setattr(SchemaStorage, "load_schema", load_schema)
    with monkeypatch.context() as without:
        without.setattr(place, "read_schema_once", lambda pipeline: None)
        assert poll(project, 7).is_good
    often = len(reads)
    assert poll(project, 8).is_good
    assert often > 10 > len(reads) - often
    reads.clear()
    with place.opened():
        assert reads == ["wolkvox_billing"]


def test_a_schema_whose_file_changed_is_read_again(project: Project) -> None:
    """Whoever writes the file, its tables are those of the pipeline; what was changed in the
    pipeline and not written yet stays until then."""
    begin(project)
    with place.opened() as pipeline:
        schema = pipeline.default_schema
        storage = SchemaStorage(pipeline.schemas.config)
        other = storage.load_schema(schema.name)
        other.update_table(new_table("of_another"))
        storage.save_schema(other)
        assert "of_another" in pipeline.default_schema.tables
        assert pipeline.default_schema is schema
        schema.update_table(new_table("own"))
        assert "own" in pipeline.default_schema.tables
        pipeline.schemas.save_schema(schema)
        assert "own" in SchemaStorage(pipeline.schemas.config).load_schema(schema.name).tables
        assert "own" in pipeline.default_schema.tables


def test_dlt_looks_for_a_package_that_it_does_without_over_and_over(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """It looks for a driver with each client of a PostgreSQL, and for its paid sister with each
    step, and by us once."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", new_database())
    looked: Counter[str] = Counter()
    for module, name in (
        (postgres, "get_adbc_driver_location"),
        (exec_info, "get_dlthub_version"),
    ):
        look = inspect.unwrap(getattr(module, name))

        def noted(look: Callable[[], Any] = look) -> Any:
            looked[look.__name__] += 1
            return look()

        monkeypatch.setattr(module, name, noted)

    def work() -> None:
        with place.opened("postgres") as pipeline:
            for _ in range(3):
                pipeline.destination_client()
                exec_info.get_execution_context()

    with monkeypatch.context() as without:
        without.setattr(dlt_gaps, "look_once", lambda: None)
        work()
    assert looked["get_adbc_driver_location"] > 5
    assert looked["get_dlthub_version"] == 3
    looked.clear()
    work()
    assert looked == {"get_adbc_driver_location": 1, "get_dlthub_version": 1}


def test_dlt_copies_refused_rows_again(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """Rows that PostgreSQL refuses are copied again as if it had been away, and once by us."""
    from dlt.destinations.impl.postgres.postgres import PostgresCsvCopyJob

    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "2")  # of five tries, a second each
    begin(project)
    project.execute("ALTER TABLE wolkvox_billing.readings ADD CONSTRAINT odd CHECK (items <> 13)")
    copied: list[str] = []
    run = PostgresCsvCopyJob.run

    def noted(job: Any) -> None:
        copied.append(job.load_table_name)
        run(job)

    monkeypatch.setattr(PostgresCsvCopyJob, "run", noted)

    def copies() -> int:
        copied.clear()
        [said] = poll(project, 13).problems
        assert "could not be loaded" in said
        return copied.count("readings")

    with monkeypatch.context() as without:
        without.setattr(place, "fail_at_refused_rows", lambda kind: None)
        assert copies() == 2
    [refused] = files(project)
    refused.unlink()
    assert copies() == 1


def test_dlt_connects_for_each_client(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """A load makes more than ten connections to PostgreSQL, and half as many by us; one that the
    server ends between two clients is made anew."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    begin(project)
    made: list[Any] = []
    connect = psycopg2.connect

    def noted(*words: Any, **named: Any) -> Any:
        made.append(connect(*words, **named))
        return made[-1]

    monkeypatch.setattr(psycopg2, "connect", noted)

    def connections(items: int) -> int:
        made.clear()
        assert poll(project, items).is_good
        return len(made)

    with monkeypatch.context() as without:
        without.setattr(dlt_gaps.KeptConnections, "_change", lambda *_: None)
        before = connections(3)
    assert before > 10 > before / 2 >= connections(4)

    with place.opened("postgres") as pipeline:
        with pipeline.sql_client() as client:
            [[ended]] = client.execute_sql("SELECT pg_backend_pid()") or []
        project.execute(f"SELECT pg_terminate_backend({ended}, 5000)")
        with pipeline.sql_client() as client:
            [[pid]] = client.execute_sql("SELECT pg_backend_pid()") or []
        with pipeline.sql_client() as client:
            assert client.execute_sql("SELECT pg_backend_pid()") == [(pid,)]
        last = made[-1]
        assert not last.closed
    assert pid != ended
    assert last.closed


class _Session:
    """A connection of psycopg2's that is in no transaction."""

    info = SimpleNamespace(transaction_status=0)
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class _Client:
    """dlt's client of a PostgreSQL, as far as its connection goes."""

    _conn: _Session | None = None

    def open_connection(self) -> _Session:
        self._conn = _Session()
        return self._conn

    def close_connection(self) -> None:
        raise AssertionError("it is given back")

    def fully_qualified_dataset_name(self) -> str:
        return "wolkvox_billing"

    def _reset_connection(self) -> None:
        assert self._conn
        assert not self._conn.is_closed


def test_a_connection_that_was_silent_for_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the vendor is asked a firewall may forget it: an answer on it would never come. One
    that was used a moment ago is used again, and a long silence ends it."""
    client = _Client()
    made = SimpleNamespace(client=lambda: SimpleNamespace(sql_client=client))
    kept = dlt_gaps.KeptConnections(made)  # type: ignore[arg-type]
    made.client()
    now = [100.0]
    monkeypatch.setattr(dlt_gaps.time, "monotonic", lambda: now[0])

    def used() -> _Session:
        session = client.open_connection()
        client.close_connection()
        return session

    first = used()
    now[0] += 59
    assert used() is first
    now[0] += 61
    second = used()
    assert (second is first, first.is_closed, second.is_closed) == (False, True, False)
    kept.close()
    assert second.is_closed


def test_dlt_takes_a_dropped_table_for_made(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody takes its notes away, dlt fails for ever at a table that somebody dropped."""
    begin(project)
    project.execute(f"DROP TABLE wolkvox_billing.{REPORT}")
    with monkeypatch.context() as without:
        without.setattr(loading, "forget_what_is_gone", lambda *_: None)
        for items in (7, 4):
            assert poll(project, items).problems
    assert poll(project, 9).is_good


def test_dlt_wants_a_password_that_libpq_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """dlt calls credentials without a password incomplete, which `completed_by_libpq` mends."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://loader@db/warehouse")
    factory = Destination.from_reference("postgres")
    credentials = factory.configuration(factory.spec(), accept_partial=True).credentials
    assert credentials.is_partial()
    whole = dlt_gaps.completed_by_libpq(credentials)
    assert whole and not whole.is_partial()
