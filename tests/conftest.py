"""What the tests stand on: a stand-in vendor, an empty project folder, a PostgreSQL of their own.

Only the vendor and the clock are ours; sockets, DuckDB and PostgreSQL are real.
"""

from __future__ import annotations

import gc
import json
import os
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import click
import pytest

from builders import duckdb_files, signed
from builders.killing import Stable, stable
from builders.places import Places, empty_places
from builders.postgres import (
    PostgresMissing,
    empty_database,
    leave_databases,
    roomiest,
    running_postgres,
)
from builders.project import NOON, SERVERS, TOKENS, Project, empty_project
from builders.record import with_tables
from fake_wolkvox import Vendor
from wolkvox_billing.cli import terminal
from wolkvox_billing.cli.main import OBJECTS_BETWEEN_COLLECTIONS
from wolkvox_billing.cli.printed import Printed, PrintedError
from wolkvox_billing.vendor import envelope
from wolkvox_billing.warehouse import bulk as files


def pytest_configure() -> None:
    """Python searches for rubbish as seldom as where the command line runs: see `cli.main`. What
    tests write is in memory where there is room."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", roomiest())


def pytest_collection_finish() -> None:
    """What is collected stays to the end: nobody looks through it. pyarrow 25, of Python 3.10, goes
    through all objects each time that it has read a CSV."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Half as many again as there are cores: workers wait a third of the time for others."""
    return (yield) * 3 // 2


@pytest.fixture(scope="session", autouse=True)
def printed_by_schema() -> Iterator[None]:
    """Whatever a test has a verb print with --json, in this process, is held against its schema."""
    json_text = terminal.json_text

    def checked(form: Printed, indent: int | None = None) -> str:
        from builders.schemas import validator_of  # where there is one to print only

        text = json_text(form, indent)
        context = click.get_current_context(silent=True)  # `load --every` has none in a test
        verb = (context and context.info_name) or "load"
        validator_of("status" if isinstance(form, PrintedError) else verb)(json.loads(text))
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "json_text", checked)
        yield


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A stand-in vendor with three operations, whose clock stands at NOON until it is moved."""
    with Vendor(now=NOON, operations=[]) as stand_in:
        for name, token in TOKENS.items():
            stand_in.add_operation(name=name.upper(), server=SERVERS[name], token=token)
        yield stand_in


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: Vendor) -> Project:
    """A project on DuckDB that polls the operation `acme`."""
    return empty_project(tmp_path, monkeypatch, vendor)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Who asks for a `warehouse` gets each in turn."""
    by_mark = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    has_its_own = any(names == "warehouse" or "warehouse" in (*names,) for names in by_mark)
    if "warehouse" in metafunc.fixturenames and not has_its_own:
        ways = ["duckdb", "postgres"]
        if metafunc.definition.get_closest_marker("many_rows"):
            ways.append("duckdb-files")
        metafunc.parametrize("warehouse", ways, indirect=True)


@pytest.fixture
def warehouse(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
) -> Project:
    """A project that polls the operation `acme`: on DuckDB, as few rows go there and, in a test of
    `many_rows`, as many do, and on a real PostgreSQL, where all go one way."""
    made = empty_project(tmp_path, monkeypatch, vendor)
    if request.param == "duckdb-files":
        monkeypatch.setattr(files, "FEW", 0)
        monkeypatch.setattr(envelope, "LARGE", 0)
    if request.param == "postgres":
        made.destination = "postgres"
        made.dsn = request.getfixturevalue("new_database")()
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", made.dsn)
    return made


@pytest.fixture
def tables(request: pytest.FixtureRequest) -> None:
    """See that a test's project has all tables, empty: a first load takes twice as long as others.
    For `usefixtures`; a test without a project is left alone."""
    for name in ("project", "warehouse"):
        if name in request.fixturenames:
            with_tables(request.getfixturevalue(name))


@pytest.fixture
def kept_open() -> Iterator[None]:
    """Keep a test's DuckDB file open in this process until it ends, where no other process is to
    open it, and nothing is told of how it is written: a verb takes a third less."""
    with duckdb_files.kept_open():
        yield


@pytest.fixture
def straight_records(request: pytest.FixtureRequest) -> Iterator[None]:
    """Write what people record straight into its table: see `builders.signed`. A test that is
    `by_dlt` goes the whole way."""
    if request.node.get_closest_marker("by_dlt"):
        yield
        return
    with signed.straight():
        yield


@pytest.fixture(scope="session")
def runs() -> Iterator[Stable]:
    """Starts runs as processes of their own, which need not import everything anew."""
    with stable() as started:
        yield started


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """Where settings may stand, all of it empty."""
    yield from empty_places(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server that this session starts, and ends; see `postgres`."""
    try:
        with running_postgres() as dsn:
            yield dsn.rsplit("/", 1)[0]
    except PostgresMissing as error:
        pytest.fail(str(error))


@pytest.fixture
def new_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes an empty database that goes with the test, and gives its address."""
    names: list[str] = []

    def make() -> str:
        names.append(f"t{uuid.uuid4().hex[:12]}")
        empty_database(postgres_server, names[-1])
        return f"{postgres_server}/{names[-1]}"

    yield make
    leave_databases(postgres_server, names)
