"""What a PostgreSQL must be, and have, before anybody is asked. It is looked at without dlt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from importlib.util import find_spec
from typing import TYPE_CHECKING

from wolkvox_billing.errors import SettingsError

if TYPE_CHECKING:
    from psycopg2.extensions import connection

ENCODING = "UTF8"


def check_driver(destination: str) -> None:
    """Raise SettingsError where psycopg2 is missing, which comes with our extra."""
    if find_spec("psycopg2") is None:
        raise SettingsError(
            f"the destination {destination} needs PostgreSQL's driver: "
            "pip install 'wolkvox-billing[postgres]'"
        )


def check_server(dsn: str, variable: str) -> None:
    """Do what `check_session` does, at an address for psycopg2."""
    import psycopg2

    check_session(lambda: closing(psycopg2.connect(dsn)), variable)


def check_session(session: Callable[[], AbstractContextManager[connection]], variable: str) -> None:
    """Raise SettingsError for a database that cannot hold every text, and for a server that wants a
    password of which nobody says anything; before anybody is asked. One that is away is no fault:
    answers wait for it.

    variable: where the credentials are set.
    """
    import psycopg2

    try:
        with session() as connected:
            encoding = connected.info.parameter_status("server_encoding")
            database = connected.info.dbname
    except psycopg2.Error as error:
        if "no password supplied" in str(error):
            raise SettingsError(
                f"PostgreSQL wants a password, and there is no password: put it into {variable}, "
                "PGPASSWORD or ~/.pgpass"
            ) from None
        return
    if encoding not in (None, ENCODING):
        raise SettingsError(
            f"the database {database} has the encoding {encoding}, in which not every text of "
            f"wolkvox's can be kept: make another one, CREATE DATABASE {database}_utf8 ENCODING "
            f"'UTF8' TEMPLATE template0, and name it in {variable}"
        )
