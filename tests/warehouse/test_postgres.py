"""PostgreSQL as libpq reaches it, be it without a password, and the databases that are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner

from builders.loads import REPORT, begin
from builders.postgres import administering, drop_database
from builders.project import TOKENS, Project
from wolkvox_billing import SettingsError
from wolkvox_billing.cli.main import main
from wolkvox_billing.verbs.status import status
from wolkvox_billing.warehouse import postgres as postgres_module
from wolkvox_billing.warehouse.place import folder_of, location_of, opened
from wolkvox_billing.warehouse.postgres import check_server
from wolkvox_billing.warehouse.sql import among, columns_of_schemas, rows_of

CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"
VARIABLES = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSERVICE")


@pytest.fixture
def on_postgres(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> Project:
    """A project whose tables are in a PostgreSQL, without any of libpq's variables."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    project.destination, project.dsn = "postgres", new_database()
    return project


def _parts(dsn: str) -> dict[str, str]:
    return psycopg2.extensions.parse_dsn(dsn)


def test_a_role_is_told_the_columns_that_it_may_see(
    on_postgres: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are those of the information schema: of what the role may read, write or owns."""
    monkeypatch.setenv(CREDENTIALS, on_postgres.dsn)
    begin(on_postgres)
    role = on_postgres.dsn.rsplit("/", 1)[1]  # a role is of the whole server
    on_postgres.execute(
        f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA wolkvox_billing TO {role}; "
        f"GRANT SELECT (poll_id, rows) ON polls TO {role}; GRANT INSERT ON readings TO {role}; "
        f"CREATE VIEW seen AS SELECT poll_id FROM polls; GRANT SELECT ON seen TO {role}; "
        "ALTER TABLE readings DROP COLUMN items_raw"
    )
    schemas = ["wolkvox_billing", "wolkvox_billing_staging"]
    by_standard = (
        "SELECT table_schema, table_name, column_name FROM information_schema.columns "
        f"WHERE {among('table_schema', schemas)}"
    )
    for user in ("tester", role):
        monkeypatch.setenv(CREDENTIALS, on_postgres.dsn.replace("tester:", f"{user}:"))
        with opened("postgres") as pipeline, pipeline.sql_client() as client:
            columns = columns_of_schemas(client, schemas)
            assert sorted(columns) == sorted(rows_of(client, by_standard))
    assert {table for _, table, _ in columns} == {"polls", "readings", "seen"}
    assert [name for _, table, name in sorted(columns) if table == "polls"] == ["poll_id", "rows"]


@pytest.mark.parametrize("way", ["trust", "host elsewhere", "variables", "service"])
def test_an_address_that_libpq_completes(
    on_postgres: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    """Where libpq finds the database without a password, host or user in the settings, a load
    finds it, and its tables."""
    parts = _parts(on_postgres.dsn)
    user, port, database = parts["user"], parts["port"], parts["dbname"]
    if way == "trust":
        url = f"postgresql://{user}@127.0.0.1:{port}/{database}"
    elif way == "host elsewhere":
        url = f"postgresql:///{database}?host=127.0.0.1&port={port}&user={user}"
    elif way == "variables":
        url = f"postgresql:///{database}"
        for name, value in {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": user}.items():
            monkeypatch.setenv(name, value)
    else:
        url = "postgresql:///?service=billing"
        file = tmp_path / "services"
        lines = [f"{name}={parts[name]}" for name in ("host", "port", "dbname", "user")]
        file.write_text("\n".join(["[billing]", *lines]))
        monkeypatch.setenv("PGSERVICEFILE", str(file))
    monkeypatch.setenv(CREDENTIALS, url)
    begin(on_postgres)
    assert on_postgres.query(f"SELECT count(*) FROM {REPORT}") == [(1,)]


def test_each_service_has_a_working_folder(
    on_postgres: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two databases that settings name without a host have not one working folder: what waits for
    one would go into the other."""
    folders = set()
    for service in ("a", "b"):
        monkeypatch.setenv(CREDENTIALS, f"postgresql:///?service={service}")
        with opened("postgres") as pipeline:
            folders.add(folder_of(pipeline).path)
            assert location_of(pipeline) == f"service {service}"
    assert len(folders) == 2


@pytest.fixture
def locked_server(postgres_server: str, new_database: Callable[[], str]) -> Iterator[str]:
    """The address, without a password, of a role of whom the server wants one: `secret`."""
    dsn = new_database()
    with closing(psycopg2.connect(dsn)) as pg, pg, pg.cursor() as cursor:
        cursor.execute("SHOW hba_file")
        [file] = cursor.fetchone() or [""]
        hba = Path(file)
        before = hba.read_text()
        cursor.execute("CREATE ROLE locked LOGIN SUPERUSER PASSWORD 'secret'")
    _write_rules(dsn, hba, f"host all locked 127.0.0.1/32 scram-sha-256\n{before}")
    try:
        yield dsn.replace("tester:unused@", "locked@")
    finally:
        _write_rules(dsn, hba, before)
        with closing(psycopg2.connect(dsn)) as pg, pg, pg.cursor() as cursor:
            cursor.execute("DROP OWNED BY locked; DROP ROLE locked")


def _write_rules(dsn: str, hba: Path, text: str) -> None:
    hba.write_text(text)
    with closing(psycopg2.connect(dsn)) as pg, pg, pg.cursor() as cursor:
        cursor.execute("SELECT pg_reload_conf()")


def _wants_password(dsn: str) -> bool:
    try:
        psycopg2.connect(dsn).close()
    except psycopg2.OperationalError as error:
        return "no password supplied" in str(error)
    return False


def test_a_password_that_nobody_tells(
    on_postgres: Project, monkeypatch: pytest.MonkeyPatch, locked_server: str, tmp_path: Path
) -> None:
    """A server that wants a password which nobody tells is said before anybody is asked; PGPASSWORD
    and a .pgpass tell it."""
    for _ in range(100):  # the server reads its rules anew when it comes to it
        if _wants_password(locked_server):
            break
    monkeypatch.setenv(CREDENTIALS, locked_server)
    for verb in (on_postgres.load, on_postgres.poll):
        with pytest.raises(SettingsError, match="there is no password: put it into DESTINATION__P"):
            verb()
    assert not on_postgres.vendor.calls
    monkeypatch.setenv("PGPASSWORD", "secret")
    check_server(locked_server, CREDENTIALS)
    monkeypatch.delenv("PGPASSWORD")
    file = tmp_path / "pgpass"
    file.write_text("127.0.0.1:*:*:locked:secret\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    on_postgres.vendor.answer(TOKENS["acme"], REPORT, [])
    assert on_postgres.poll().is_good


def test_a_database_that_cannot_hold_every_text(
    on_postgres: Project, monkeypatch: pytest.MonkeyPatch, postgres_server: str
) -> None:
    """A database of another encoding than UTF8 is refused by each verb, with what to do, before
    anybody is asked."""
    with administering(postgres_server) as cursor:
        cursor.execute(
            "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    monkeypatch.setenv(CREDENTIALS, f"{postgres_server}/latin")
    try:
        for verb in (on_postgres.load, on_postgres.poll, lambda: status(destination="postgres")):
            with pytest.raises(SettingsError, match=r"encoding LATIN1.*TEMPLATE template0"):
                verb()
        assert not on_postgres.vendor.calls
    finally:
        drop_database(postgres_server, "latin")


@pytest.mark.parametrize(
    "words",
    [
        *(["load"], ["poll"], ["status"], ["refresh"], ["publish", "x.duckdb"]),
        *(["reconcile", "--month", "2026-10"], ["invoices", "x"], ["explain", "2026-10"]),
    ],
    ids=lambda words: words[0],
)
def test_a_driver_that_is_missing(
    on_postgres: Project, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Without the extra each verb ends in 2, and names what is to be installed."""
    monkeypatch.setenv(CREDENTIALS, on_postgres.dsn)
    monkeypatch.setattr(postgres_module, "find_spec", lambda _: None)
    monkeypatch.setenv("WOLKVOX_BILLING_DESTINATION", "postgres")
    (on_postgres.folder / "x").mkdir()
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, result.output
    assert "pip install 'wolkvox-billing[postgres]'" in result.output
