"""What dlt 1.31 does not do, or does otherwise than we need, each with what it saves or mends.

tests/warehouse/test_dlt_gaps.py fails once dlt does it itself, for each but `drop_packages`, which
saves only that dlt's own way needs the destination.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from dlt.common.destination import Destination
from dlt.common.json import PUA_START
from dlt.common.schema import Schema
from dlt.destinations.sql_client import SqlClientBase, raise_database_error

from wolkvox_billing.warehouse.complaints import failure_of
from wolkvox_billing.warehouse.sql import engine_name, literal


def resolve_once(kind: Destination[Any, Any]) -> None:
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
        if engine_name(kind) == "duckdb" and not accept_partial:
            made.credentials.on_resolved()  # its connections are its own
        return made

    kind.configuration = configuration  # type: ignore


def fail_at_refused_rows(kind: Destination[Any, Any]) -> None:
    """What PostgreSQL says against the rows of a COPY dlt does not tell from a lost connection: it
    tries the same rows five times, with a second in between. Now it fails as by any other statement
    of dlt's, at once where it is the rows; a lock or a connection is tried again as before."""
    from dlt.destinations.impl.postgres.postgres import PostgresCsvCopyJob

    make_client = kind.client

    def client(*words: Any, **named: Any) -> Any:
        made: Any = make_client(*words, **named)
        create = made.create_load_job

        def create_load_job(*words: Any, **named: Any) -> Any:
            job: Any = create(*words, **named)
            if isinstance(job, PostgresCsvCopyJob):
                job.run = partial(  # type: ignore[method-assign]
                    _by_kind_of_error, made.sql_client, job.run
                )
            return job

        made.create_load_job = create_load_job
        return made

    kind.client = client  # type: ignore


@raise_database_error
def _by_kind_of_error(_: SqlClientBase[Any], run: Callable[[], None]) -> None:
    run()


def forget_what_is_gone(
    client: SqlClientBase[Any], schema: Schema, place: str, there: Mapping[str, Collection[str]]
) -> None:
    """Let dlt make tables again that somebody dropped. By its notes it takes them for made, and
    every later load into them fails.

    place: a schema; there: what is in it, table → columns.
    """
    known = {
        str(table["name"])
        for table in schema.data_tables(seen_data_only=True)
        if place == client.dataset_name or table.get("write_disposition") == "merge"
    }
    if not known <= there.keys() and schema.version_table_name in there:
        with client.with_alternative_dataset_name(place):
            table = client.make_qualified_table_name(schema.version_table_name)
            forget = f"DELETE FROM {table} WHERE schema_name = {literal(schema.name)}"
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
