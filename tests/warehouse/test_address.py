"""Where the tables are, told without dlt: it is held against what dlt says, in this process."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg2.extensions
import pytest
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.specs.base_configuration import (
    extract_inner_hint,
    is_hint_not_resolvable,
    is_secret_hint,
)
from dlt.common.destination import Destination
from dlt.destinations.impl.filesystem.configuration import (
    FilesystemDestinationClientConfiguration,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from builders.fuzzing import tries
from builders.places import Places, reload_dlt
from builders.project import Project
from wolkvox_billing import SettingsError
from wolkvox_billing.warehouse import address
from wolkvox_billing.warehouse.address import Address, address_of
from wolkvox_billing.warehouse.configuration import data_dir, read_configuration, run_dir
from wolkvox_billing.warehouse.place import location_of, opened, settings_location
from wolkvox_billing.warehouse.working_folder import working_folder_name

IN_TURN = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=tries(100),
)
URL = "postgresql://loader:pass@db.example:5433/warehouse"


def by_us(destination: str) -> Address | None:
    read = read_configuration()
    assert read is not None
    return address_of(read, destination)


def by_dlt(destination: str) -> Any:
    """dlt's destination of that name, by the settings as they are now."""
    reload_dlt()
    return Destination.from_reference(destination)


def resolved(destination: str) -> Any:
    """dlt's configuration as a load needs it, of which nothing may be missing."""
    kind = by_dlt(destination)
    return kind.configuration(kind.spec()._bind_dataset_name("wolkvox_billing"))


def agreed(destination: str) -> Address:
    """The Address, after it was held against dlt's."""
    ours, kind = by_us(destination), by_dlt(destination)
    assert ours is not None
    assert ours.destination_name == kind.destination_name
    assert f"dlt.destinations.{ours.engine}" == kind.destination_type
    assert ours.location == settings_location(kind)
    if ours.engine == "duckdb":
        kind.config_params["pipeline_name"] = "wolkvox"
        bound = kind.spec()._bind_dataset_name("wolkvox_billing")
        kind.config_params["local_dir"] = os.path.abspath(os.environ.get("DLT_LOCAL_DIR", "."))
        assert ours.file == kind.configuration(bound).data_location()
    if ours.engine == "postgres":
        credentials = kind.configuration(kind.spec(), accept_partial=True).credentials
        theirs = parsed(credentials.to_native_representation())
        if theirs is not None:
            theirs |= {k: str(v) for k, v in credentials.get_query().items()}  # a plus is no blank
        assert parsed(ours.dsn) == theirs
    return ours


def parsed(dsn: str) -> dict[str, str] | None:
    """What libpq reads in an address, None where it refuses it."""
    try:
        parameters: dict[str, str] = psycopg2.extensions.parse_dsn(dsn)
    except psycopg2.ProgrammingError:
        return None
    return parameters


# DuckDB.


@pytest.mark.parametrize("local_dir", [None, "data", "/elsewhere", ""])
def test_a_file_that_nobody_named(
    places: Places, monkeypatch: pytest.MonkeyPatch, local_dir: str | None
) -> None:
    """Where no file is named it is wolkvox.duckdb in dlt's local folder, and has no location."""
    if local_dir is not None:
        monkeypatch.setenv("DLT_LOCAL_DIR", local_dir)
    folder = places.project / (local_dir or "")
    assert agreed("duckdb") == Address("duckdb", "duckdb", "", file=f"{folder}/wolkvox.duckdb")


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("x.duckdb", "x.duckdb"),
        ("data/x y.duckdb", "data/x y.duckdb"),
        ("/a/ñ.duckdb", "/a/ñ.duckdb"),
        ("~/x.duckdb", "~/x.duckdb"),
        ("../x", "../x"),
        ("duckdb:///x.duckdb", "x.duckdb"),
        ("duckdb:////a/x.duckdb", "/a/x.duckdb"),
        ("duckdb:///x@y:z", None),
        (" x ", " x "),
    ],
)
@pytest.mark.parametrize("place", ["variable", "secrets.toml", "table", "bare"])
def test_a_file_that_is_named(
    places: Places, monkeypatch: pytest.MonkeyPatch, text: str, location: str | None, place: str
) -> None:
    """A file's name, or its address, is its location as it is written."""
    keys = ("destination", "duckdb", "credentials")
    if place == "variable":
        monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", text)
    elif place == "bare":
        monkeypatch.setenv("CREDENTIALS", text)
    elif place == "secrets.toml":
        places.put("secrets.toml", keys, text)
    else:
        places.put("secrets.toml", (*keys, "database"), text)
        location = None if "://" in text else location
    if location is None:
        assert by_us("duckdb") is None
    else:
        assert agreed("duckdb").location == location


@given(st.text("ab./ ~+=@,-_é:?%#\\\t*", max_size=12).filter(bool))
@example("//")
@example("//=")
@IN_TURN
def test_any_name_of_a_file(places: Places, name: str) -> None:
    """Whatever a file's name is, its location is dlt's, or dlt is to be asked."""
    for text in (name, f"duckdb:///{name}"):
        with mock.patch.dict(os.environ, {"DESTINATION__DUCKDB__CREDENTIALS": text}):
            if by_us("duckdb"):
                agreed("duckdb")


@pytest.mark.parametrize("text", [":memory:", "duckdb:///:memory:"])
def test_a_file_in_memory_is_refused(
    places: Places, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Tables in memory would be gone with the process: an error says what to set instead."""
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", text)
    with pytest.raises(SettingsError, match=r":memory:.*DESTINATION__DUCKDB__CREDENTIALS"):
        by_us("duckdb")
    with pytest.raises(Exception, match="in-memory"):
        resolved("duckdb")


@pytest.mark.parametrize("destination_type", ["duckdb", "dlt.destinations.duckdb"])
def test_a_destination_of_another_name(places: Places, destination_type: str) -> None:
    """A destination may have a name of its own, for its file and its settings."""
    places.put("config.toml", ("destination", "mine", "destination_type"), destination_type)
    assert agreed("mine") == Address("mine", "duckdb", "", file=f"{places.project}/mine.duckdb")
    places.put("secrets.toml", ("destination", "mine", "credentials"), "x.duckdb")
    assert agreed("mine").location == "x.duckdb"


@pytest.mark.parametrize("destination", ["duckdb", "mine", "postgres"])
def test_the_working_folder_is_found(project: Project, destination: str) -> None:
    """The working folder that a poll would use is the one in which a load works."""
    environment = {
        "DESTINATION__MINE__DESTINATION_TYPE": "duckdb",
        "DESTINATION__MINE__CREDENTIALS": "own.duckdb",
        "DESTINATION__POSTGRES__CREDENTIALS": URL,
    }
    with mock.patch.dict(os.environ, environment):
        ours = by_us(destination)
        assert ours is not None
        name = working_folder_name(
            run_dir(), destination, ours.destination_name, "other_set", ours.location
        )
        with opened(destination, "other_set") as pipeline:
            folder = data_dir() / "wolkvox-billing" / name
            assert Path(pipeline.pipelines_dir) == folder / "pipelines"
            if ours.engine == "duckdb":
                assert location_of(pipeline) == ours.file


# PostgreSQL.


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "postgres://loader:pass@db.example/warehouse",
        "postgresql://loader:p%40%2F%25ss@10.0.0.1:5433/warehouse",
        "postgresql://lo%20ader:a/b:c?d@db/warehouse",
        "postgresql://loader:@db/warehouse",
        "postgresql://loader@db/warehouse",
        "postgresql://loader:pass@[::1]:5433/warehouse",
        "postgresql://loader:pass@db/warehouse?connect_timeout=3&sslmode=require",
        "postgresql://loader:pass@db/warehouse?connect_timeout=15",
        "postgresql://loader:pass@db/warehouse?client_encoding=latin1",
        "postgresql://loader:pass@db/warehouse?options=-c%20search_path%3Da",
        "postgresql://loader:pass@db/warehouse?",
    ],
)
def test_postgres_by_its_address(places: Places, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """An address of PostgreSQL gives the location and the connection that dlt makes of it."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url)
    agreed("postgres")
    monkeypatch.delenv("DESTINATION__POSTGRES__CREDENTIALS")
    places.put("secrets.toml", ("destination", "postgres", "credentials"), url)
    assert agreed("postgres").dsn


FIELDS = {"host": "db", "database": "warehouse", "username": "loader", "password": " p@ss/%+ \n"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"port": 5433},
        {"port": "5433", "connect_timeout": "3"},
        {"query": {"sslmode": "require", "keepalives": 1}},
        {"query": {"connect_timeout": "9"}, "connect_timeout": 4},
        {"password": 12345, "database": "ware house"},
        {"host": "::1"},
    ],
)
def test_postgres_by_a_table(places: Places, more: dict[str, Any]) -> None:
    """A table of host, database, user and so on gives the same as in dlt, with dlt's defaults."""
    places.put("secrets.toml", ("destination", "postgres", "credentials"), {**FIELDS, **more})
    ours = agreed("postgres")
    assert psycopg2.extensions.parse_dsn(ours.dsn)["connect_timeout"] in ("15", "3", "4")


@pytest.mark.parametrize("level", [("destination", "postgres"), ("destination",), ()])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://loader@db/warehouse",
        "postgresql://loader@db:5432/warehouse?connect_timeout=15",
        "postgresql://loader@db:5439/warehouse?connect_timeout=7",
        None,
    ],
)
def test_what_an_address_lacks_is_beside_it(
    places: Places, monkeypatch: pytest.MonkeyPatch, level: tuple[str, ...], url: str | None
) -> None:
    """What the address does not say, or says as the default, comes from settings of its parts."""
    fields = {**FIELDS, "port": "6000", "connect_timeout": "4", "query": '{"sslmode": "require"}'}
    for name, value in fields.items():
        monkeypatch.setenv("__".join((*level, "credentials", name)).upper(), value)
    if url:
        places.put("secrets.toml", ("destination", "postgres", "credentials"), url)
    assert agreed("postgres").dsn


def test_a_password_is_not_shown(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python prints of an Address does not hold the password."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", URL)
    ours = by_us("postgres")
    assert ours is not None
    assert "pass" in ours.dsn and "pass" not in repr(ours)


@pytest.mark.parametrize("missing", [name for name in FIELDS if name != "password"])
def test_what_is_missing_is_for_dlt_to_say(places: Places, missing: str) -> None:
    """Where a part without a default is missing dlt is to be asked, which says what to set."""
    fields = {name: value for name, value in FIELDS.items() if name != missing}
    places.put("secrets.toml", ("destination", "postgres", "credentials"), fields)
    assert by_us("postgres") is None
    with pytest.raises(ConfigurationException):
        resolved("postgres")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "host=db dbname=warehouse",
        "sqlite:///x",
        "postgresql+psycopg2://loader:pass@db/warehouse",
        "postgresql://loader:pass@db",
        "postgresql://loader:pass@db:/warehouse",
        "postgresql://loader:pass@db:x/warehouse",
        "postgresql://loader:pass@/warehouse?host=/mnt",
        "postgresql://loader:pass@a,b/warehouse",
        "postgresql://loader:pass@db/ware%20house",
        "postgresql://loader:pass@db/warehouse?a=1&a=2",
        "postgresql://loader:pass@db/warehouse?connect_timeout=soon",
    ],
)
def test_other_addresses_are_for_dlt(
    places: Places, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Of an address that may be read in several ways, or in none, nothing is said."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", url)
    assert by_us("postgres") is None


@given(
    *(st.text("ab1%@:/?#& é+\"'\\=", min_size=1, max_size=8) for _ in range(3)),
    st.integers(0, 99999),
)
@example("1", "1", "1?=1", 0)
@example("1", "1", "1?a=1", 0)
@IN_TURN
def test_any_part_of_an_address(
    places: Places, username: str, password: str, database: str, port: int
) -> None:
    """Whatever the parts of an address hold, they reach PostgreSQL as dlt hands them on, where
    libpq takes those, or dlt is to be asked."""
    url = f"postgresql://{username}:{password}@db:{port}/{database}"
    with mock.patch.dict(os.environ, {"DESTINATION__POSTGRES__CREDENTIALS": url}):
        if by_us("postgres"):
            agreed("postgres")


@pytest.mark.parametrize(
    "more", [{"query": {"a": [1]}}, {"host": "/mnt"}, {"client_encoding": "latin1"}]
)
def test_other_tables_are_for_dlt(places: Places, more: dict[str, Any]) -> None:
    """Of parts that do not fit into an address nothing is said."""
    places.put("secrets.toml", ("destination", "postgres", "credentials"), {**FIELDS, **more})
    assert by_us("postgres") is None


# Files.


@pytest.mark.parametrize(
    "url",
    [
        *("lake", "lake/", "./lake", "lake/../x", "~/lake", "a%20b", "a b"),
        *("/mnt/lake", "/mnt/lake/", "/mnt/a%20b", "/mnt/../x"),
        *("file:///mnt/lake", "file:///mnt/lake/", "file:///mnt/a%20b", "file:///mnt/../x"),
        *("gs://bucket", "gs://bucket/x", "az://c/x", "abfss://c@h.example/x"),
    ],
)
@pytest.mark.parametrize("local_dir", [None, "data"])
def test_a_folder_or_bucket(
    places: Places, monkeypatch: pytest.MonkeyPatch, url: str, local_dir: str | None
) -> None:
    """A folder is an absolute path, a bucket its scheme and name, as to dlt."""
    if local_dir:
        monkeypatch.setenv("DLT_LOCAL_DIR", local_dir)
    places.put("config.toml", ("destination", "filesystem", "bucket_url"), url)
    assert agreed("filesystem").location


def test_a_folder_behind_a_link(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is a link is the folder it leads to, unless it is given as a file's address."""
    (places.project / "link").symlink_to(places.home)
    monkeypatch.setenv("BUCKET_URL", "link")
    assert agreed("filesystem").location == str(places.home)
    monkeypatch.setenv("BUCKET_URL", f"file://{places.project}/link")
    assert agreed("filesystem").location == str(places.project / "link")


@given(st.text("ab./ ~+=@,-_é:?%#\\20", max_size=12).filter(bool))
@IN_TURN
def test_any_name_of_a_folder(places: Places, name: str) -> None:
    """Whatever a folder's name is, its location is dlt's, or dlt is to be asked."""
    for url in (name, f"file:///{name}", f"gs://{name}"):
        with mock.patch.dict(os.environ, {"DESTINATION__FILESYSTEM__BUCKET_URL": url}):
            if by_us("filesystem"):
                agreed("filesystem")


def test_a_bucket_of_s3(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket of S3 is for dlt to complain of where its package is missing, else its name."""
    monkeypatch.setenv("BUCKET_URL", "s3://bucket/folder")
    monkeypatch.setattr(address, "find_spec", lambda name: None)
    assert by_us("filesystem") is None
    monkeypatch.setattr(address, "find_spec", lambda name: name == "botocore")
    ours = by_us("filesystem")
    assert ours is not None
    of_dlt = FilesystemDestinationClientConfiguration(bucket_url="s3://bucket/folder")
    assert ours.location == of_dlt.data_location() == "s3://bucket"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        " lake",
        "sftp://u@h/x",
        "https://h/x",
        "memory://x",
        "s3://key:secret@b",
        "C:\\lake",
    ],
)
def test_other_buckets_are_for_dlt(
    places: Places, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Of other addresses of files, and of none, nothing is said."""
    monkeypatch.setenv("BUCKET_URL", url)
    assert by_us("filesystem") is None


# What is set beside.

ENGINES = ["duckdb", "postgres", "filesystem"]


@pytest.fixture
def engine(request: pytest.FixtureRequest, places: Places, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each engine, with an address set."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", URL)
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", "lake")
    return str(request.param)


LOGIN = {"database": str, "username": str, "password": str, "host": str, "port": int,
         "connect_timeout": int, "query": dict}  # fmt: skip


def test_each_part_of_postgres_credentials_is_a_field() -> None:
    """What is known of PostgreSQL's credentials are dlt's parts of them, and the driver's name."""
    assert {field.name for field in fields(address._Login)} == {*LOGIN, "drivername"}


@pytest.mark.parametrize("engine", ENGINES)
def test_each_setting_of_dlts_is_known(engine: str) -> None:
    """Each setting that dlt has for a destination is one that is read, or is left to dlt."""

    def resolvable(spec: Any) -> dict[str, Any]:
        hints = spec.get_resolvable_fields()
        return {name: hint for name, hint in hints.items() if not is_hint_not_resolvable(hint)}

    spec = by_dlt(engine).spec
    hints = resolvable(spec)
    known = {"credentials", "bucket_url", *address._FIELDS[engine], *address._FOR_DLT[engine]}
    assert known >= hints.keys() >= known - {"bucket_url"}
    for name, hint in address._FIELDS[engine].items():
        assert extract_inner_hint(hints[name]) is hint and not is_secret_hint(hints[name])
    if engine != "filesystem":
        own = {"duckdb": {"database": str}, "postgres": LOGIN}[engine]
        parts = resolvable(spec.credentials_type())
        secrets = set(address._SECRETS_FOR_DLT[engine])
        assert parts.keys() == {*own, *address._CREDENTIALS_FOR_DLT[engine], *secrets}
        assert {name for name in parts if is_secret_hint(parts[name])} == secrets or (
            engine == "postgres"
        )
        assert {name: extract_inner_hint(parts[name]) for name in own} == own


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_a_setting_beside_changes_nothing(
    engine: str, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that has nothing to do with the address leaves it as it is, and is refused where
    dlt refuses it."""
    before = agreed(engine)
    values = {bool: "true", int: "3", str: "x", dict: "{}"}
    for name, hint in address._FIELDS[engine].items():
        with mock.patch.dict(os.environ, {f"DESTINATION__{name.upper()}": values[hint]}):  # type: ignore[index]
            assert agreed(engine) == before
        if hint is str:
            continue
        with mock.patch.dict(os.environ, {f"DESTINATION__{name.upper()}": "perhaps"}):
            with pytest.raises(SettingsError, match=f"`{name}`.* is 'perhaps': expected"):
                by_us(engine)
            with pytest.raises(ConfigurationException):
                resolved(engine)


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_other_settings_are_for_dlt(
    engine: str, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that moves the address, or that only dlt reads, leaves the address to dlt."""
    assert by_us(engine) is not None
    inner = (*address._CREDENTIALS_FOR_DLT[engine], *address._SECRETS_FOR_DLT[engine])
    variables = [
        *(f"DESTINATION__{engine}__{name}" for name in address._FOR_DLT[engine]),
        *(f"CREDENTIALS__{name}" for name in inner),
    ]
    for variable in variables:
        with mock.patch.dict(os.environ, {variable.upper(): "x"}):
            assert by_us(engine) is None, variable


@pytest.mark.parametrize("level", ["DESTINATION__POSTGRES__", "DESTINATION__", ""])
def test_a_part_of_a_section_is_for_dlt(
    places: Places, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    """A variable within a section that only dlt reads, such as that of CSV, leaves it to dlt."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", URL)
    monkeypatch.setenv(f"{level}CSV_FORMAT__DELIMITER", "|")
    assert by_us("postgres") is None
    reading = resolved("postgres")
    assert reading.csv_format.delimiter == "|"


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_credentials_in_the_wrong_file_are_refused(places: Places, engine: str) -> None:
    """Credentials in config.toml are refused as by dlt, a table of them too."""
    for value in ("x.duckdb", {"database": "x.duckdb"}):
        places.put("config.toml", ("destination", engine, "credentials"), value)
        with pytest.raises(SettingsError, match=r"config\.toml is a secret: put it into secrets"):
            by_us(engine)
        with pytest.raises(ConfigurationException):
            resolved(engine)


@pytest.mark.parametrize("destination", ["bigquery", "nonsense", "dlt.destinations.duckdb", "mine"])
def test_other_destinations_are_for_dlt(
    places: Places, monkeypatch: pytest.MonkeyPatch, destination: str
) -> None:
    """Of a destination of another type, or by its module, nothing is said."""
    monkeypatch.setenv("DESTINATION__MINE__DESTINATION_TYPE", "motherduck")
    assert by_us(destination) is None
