"""Where the tables are, told from the settings without dlt: for a process that must be cheap.

dlt's rules of three destinations, and nothing else: of any other, and of settings whose meaning
dlt alone knows, the answer is None, and whoever gets it asks dlt.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.warehouse.configuration import PIPELINE, Configuration, T, has_variables


@dataclass(frozen=True)
class Address:
    """A destination as the settings name it.

    location: what dlt says of it before there is a pipeline, by which the working folder is named:
    a DuckDB file as it is written in the settings, "" where none is.
    file: DuckDB's, absolute, as a new working folder would have it; dlt keeps to its first one.
    dsn: PostgreSQL's, for psycopg2. It holds the password, where the settings have one.
    """

    destination_name: str
    engine: str  # duckdb, postgres or filesystem
    location: str
    file: str = ""
    dsn: str = field(default="", repr=False)


def address_of(configuration: Configuration, destination: str) -> Address | None:
    """Return the Address of a destination by its name or dlt's type; None where dlt must be asked.

    dlt must be asked of what is not DuckDB, PostgreSQL, a folder or a bucket, of what is not set
    and has no default, and of settings that may mean something else. Raises SettingsError for
    those that dlt would not take.
    """
    own = ("destination", destination)
    kind = configuration.value_in([own], "destination_type", object)
    engine = kind.removeprefix("dlt.destinations.") if isinstance(kind, str) and kind else ""
    if (kind and not engine) or "." in destination:
        return None
    engine = engine or destination
    if engine not in _FIELDS or _is_for_dlt(configuration, engine, own):
        return None
    for name, hint in _FIELDS[engine].items():
        configuration.value(name, hint, *own)
    if engine == "duckdb":
        return _duckdb(configuration, destination, is_named=bool(kind))
    if engine == "postgres":
        return _postgres(configuration, destination)
    return _filesystem(configuration, destination)


# What may be set beside, and changes no address: it is read, so that what dlt would refuse is
# refused here too.
_TABLES: dict[str, type] = {
    "environment": str,
    "staging_dataset_name_layout": str,
    "enable_dataset_name_normalization": bool,
    "info_tables_query_threshold": int,
}
_DATABASE: dict[str, type] = {
    **_TABLES,
    "truncate_tables_on_staging_destination_before_load": bool,
    "create_indexes": bool,
}
_FIELDS: dict[str, dict[str, type]] = {
    "duckdb": _DATABASE,
    "postgres": _DATABASE,
    "filesystem": {
        **_TABLES,
        "as_staging_destination": bool,
        "warn_unsafe_layout_separators": bool,
        "read_only": bool,
        "kwargs": dict,
        "client_kwargs": dict,
        "config_kwargs": dict,
        "max_state_files": int,
        "always_refresh_views": bool,
        "deltalake_storage_options": dict,
        "deltalake_configuration": dict,
        "deltalake_streamed_exec": bool,
        "iceberg_table_properties": dict,
        "iceberg_namespace_properties": dict,
        "iceberg_use_catalog_purge": bool,
    },
}
# What changes an address, or is of a form that only dlt reads; the last are sections of their own.
_FOR_DLT = {
    "duckdb": ("destination_name", "replace_strategy", "staging_config"),
    "postgres": ("destination_name", "replace_strategy", "staging_config", "csv_format"),
    "filesystem": (
        *("destination_name", "replace_strategy", "layout"),
        *("current_datetime", "extra_placeholders"),
    ),
}
_CREDENTIALS_FOR_DLT = {
    "duckdb": (
        *("username", "host", "port", "query", "read_only", "extensions", "global_config"),
        *("pragmas", "local_config", "session_timezone"),
    ),
    "postgres": ("client_encoding", "session_timezone"),
    "filesystem": (),
}
_SECRETS_FOR_DLT = {"duckdb": ("password", "statements"), "postgres": (), "filesystem": ()}


def _is_for_dlt(configuration: Configuration, engine: str, own: tuple[str, ...]) -> bool:
    def is_set(name: str) -> bool:
        sections = (own[:depth] for depth in (2, 1, 0))
        return configuration.value(name, object, *own) is not None or (
            name in ("staging_config", "csv_format")
            and any(has_variables(*path, name) for path in sections)
        )

    inner = _credential_sections(own[1])
    return (
        any(map(is_set, _FOR_DLT[engine]))
        or any(
            configuration.value_in(inner, name, object) is not None
            for name in _CREDENTIALS_FOR_DLT[engine]
        )
        or any(
            configuration.value_in(inner, name, object, secret=True) is not None
            for name in _SECRETS_FOR_DLT[engine]
        )
    )


def _credential_sections(destination: str) -> list[tuple[str, ...]]:
    """Return where dlt looks for a part of the credentials; never for the bare key."""
    return [
        ("destination", destination, "credentials"),
        ("destination", "credentials"),
        ("credentials",),
    ]


def _local_dir() -> str:
    return os.path.abspath(os.environ.get("DLT_LOCAL_DIR", "."))


def _duckdb(configuration: Configuration, destination: str, *, is_named: bool) -> Address | None:
    whole = configuration.value("credentials", object, "destination", destination, secret=True)
    database: str | None
    if isinstance(whole, str):
        database = whole
        if "://" in whole:
            address = re.fullmatch(r"duckdb:///([^?%]+)", whole)
            if not address:
                return None
            database = address[1]
    elif whole is None or isinstance(whole, Mapping):
        paths = _credential_sections(destination)
        database = configuration.value_in(paths, "database", str)
        if database is None:
            name = f"{destination if is_named else PIPELINE}.duckdb"
            return Address(destination, "duckdb", "", os.path.join(_local_dir(), name))
    else:
        return None
    if database == ":memory:":
        raise SettingsError(
            "the credentials of the destination are :memory:, which would be gone with the "
            f"process: set a file in DESTINATION__{destination.upper()}__CREDENTIALS"
        )
    # Of other names, such as those with a colon or two slashes in front, dlt has its own opinion.
    if not re.fullmatch(r"(?!//|/\Z)[\w./ ~+=@,-]{1,250}", database):
        return None
    return Address(destination, "duckdb", database, os.path.join(_local_dir(), database))


_POSTGRES_URL = re.compile(
    r"(?P<drivername>postgres|postgresql)://"
    r"(?P<username>[^:/@?#\s]+)(?::(?P<password>[^@\s]*))?@"
    r"(?P<host>[\w.-]+|\[[0-9A-Fa-f:]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"/(?P<database>[^?%#/\s]+)(?:\?(?P<query>\S*))?"
)


@dataclass(frozen=True)
class _Login:
    """PostgreSQL's credentials, as far as a URL names them."""

    drivername: str = "postgresql"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    database: str | None = None
    query: Mapping[str, object] | None = None
    connect_timeout: int | None = None


def _postgres(configuration: Configuration, destination: str) -> Address | None:
    whole = configuration.value("credentials", object, "destination", destination, secret=True)
    login: _Login | None = _Login()
    if whole is not None and not isinstance(whole, Mapping):
        login = _read_url(whole) if isinstance(whole, str) else None
    if login is None:
        return None
    paths = _credential_sections(destination)

    def look(name: str, hint: type[T], of_url: T | None, default: T | None = None) -> T | None:
        # What the URL says, unless it is the default: dlt takes that for not said.
        if of_url is not None and of_url != default:
            return of_url
        value = configuration.value_in(paths, name, hint, secret=name == "password")
        return default if value is None else value

    database = look("database", str, login.database)
    username = look("username", str, login.username)
    password = look("password", str, login.password)
    host = look("host", str, login.host)
    port = look("port", int, login.port, 5432)
    timeout = look("connect_timeout", int, login.connect_timeout, 15)
    query = {**(look("query", dict, login.query) or {}), "connect_timeout": timeout}
    if not database or username is None or host is None:
        return None
    if not re.fullmatch(r"[\w.-]+|[0-9A-Fa-f:]+", host):
        return None
    if not all(isinstance(value, (str, int)) for value in query.values()):
        return None
    user = quote(username, safe="")
    if password is not None:  # else libpq looks for it, or the server wants none
        user += f":{quote(password.strip(), safe='')}"
    server = f"[{host}]" if ":" in host else host
    options = urlencode(query, quote_via=quote)  # by `%20`: libpq takes a plus for a plus
    address = f"{server}:{port}/{quote(database, safe='')}?{options}"
    dsn = f"{login.drivername}://{user}@{address}"
    return Address(destination, "postgres", f"{host}:{port or 5432}/{database}", dsn=dsn)


def _read_url(url: str) -> _Login | None:
    """Return the parts that a URL names, None for a URL of another form."""
    match = _POSTGRES_URL.fullmatch(url)
    if not match:
        return None
    pairs = parse_qsl(match["query"] or "")
    query = dict(pairs)
    timeout = query.get("connect_timeout", "15")
    if len(query) < len(pairs) or not re.fullmatch("[0-9]{1,9}", timeout):
        return None
    return _Login(
        drivername=match["drivername"],
        username=unquote(match["username"]),
        password=None if match["password"] is None else unquote(match["password"]),
        host=match["host"].strip("[]"),
        port=int(match["port"]) if match["port"] else None,
        database=match["database"],
        query=query,
        connect_timeout=int(timeout),
    )


_BUCKET = re.compile(r"(s3|gs|gcs|az|abfs|abfss|adl|azure)://[\w.-]+(@[\w.-]+)?(?=/|$)")


def _filesystem(configuration: Configuration, destination: str) -> Address | None:
    url = configuration.value("bucket_url", str, "destination", destination)
    whole = configuration.value("credentials", object, "destination", destination, secret=True)
    if not url or url != url.strip():
        return None
    if bucket := _BUCKET.match(url):
        # dlt asks AWS' package for credentials, and complains where it is missing.
        is_complete = bucket[1] != "s3" or find_spec("botocore") is not None
        is_plain = whole is None or isinstance(whole, Mapping)
        return Address(destination, "filesystem", bucket[0]) if is_complete and is_plain else None
    if whole is not None:
        return None
    if match := re.fullmatch(r"file://(/[\w./ %~+=@,-]*)", url):
        location = str(Path(unquote(match[1])))
    elif re.fullmatch(r"[\w./ %~+=@,-]+", url):
        location = str(Path(_local_dir(), url).resolve())
    else:
        return None
    return Address(destination, "filesystem", location) if location != "/" else None
