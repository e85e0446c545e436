"""How the marts are made, and kept: views and small tables, as of a moment."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import dlt

from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.marts import rendered
from wolkvox_billing.marts.decisions import read_operation_decisions
from wolkvox_billing.marts.engine import STAR, Engine
from wolkvox_billing.marts.identities import Identities, find_identities
from wolkvox_billing.marts.meaning import Meaning, meaning_of_tables, read_meaning
from wolkvox_billing.marts.remake import Remaking
from wolkvox_billing.marts.renames import Rename, find_renames
from wolkvox_billing.marts.spellings import Spelling, find_spellings
from wolkvox_billing.marts.sql import VIEWS, MartRows, fill_statements
from wolkvox_billing.marts.standing import Standing, read_standing
from wolkvox_billing.marts.tables import TABLES
from wolkvox_billing.values.clock import epoch
from wolkvox_billing.version import __version__
from wolkvox_billing.warehouse.sql import Client, engine_of, may_change, records_of, rows_of

logger = logging.getLogger("wolkvox_billing")

LOCK_WAIT = "10s"  # for a table of PostgreSQL that somebody else has


def refresh(
    pipeline: dlt.Pipeline,
    meaning: Meaning | None,
    now: datetime,
    zones: Mapping[str, str] | None = None,
    *,
    anew: bool = False,
) -> None:
    """Make the views where they are not there or not these, and moves their clock to `now`.

    meaning: None keeps what the marts mean, by their own tables, since whoever only reads must not
    change it for others; where another version's tables do not tell, the marts stay as they are.
    zones: those of operations asked just now; where all are known, no table is searched for them.
    Where only reading is allowed they stay as they are, if they are there.
    anew: whether somebody decided just now what operations are called.
    In one transaction: a reader sees what was there before, or all that is new.
    Raises WarehouseError where the raw tables are not there yet, or nobody made the marts for whom
    can only read.
    """
    engine = engine_at(pipeline)
    with pipeline.sql_client() as client, client.begin_transaction():
        if meaning is None and not may_change(client, engine.name("refreshed")):
            _check_whole(read_standing(client, engine), engine)
            return
        alone(pipeline, client)
        standing = read_standing(client, engine)
        _check_raw(standing, engine)
        is_current = standing.has_views_of(views_digest(engine.dialect))
        if meaning is None and (anew or not is_current):
            meaning = _read_own_meaning(client, engine, standing)
        if meaning is None:  # what stands there is right, or is not to be touched
            _move_clock(client, engine, standing, now)
            return
        filling = _find_filling(client, engine, standing, meaning, now)
        if (
            is_current
            and standing.refreshed["inputs_digest"] == filling.inputs_digest
            and _knows(client, engine, _zones_of(filling.identities, (zones or {}).items()))
        ):
            _move_clock(client, engine, standing, now)
            return
        contents = _contents(client, engine, standing, filling)
        if is_current:
            client.execute_many(list(fill_statements(engine, contents)))
        else:
            Remaking(client, engine, standing).run(contents)


def read_contents(pipeline: dlt.Pipeline, meaning: Meaning, now: datetime) -> MartRows | None:
    """Return what marts that somebody makes elsewhere of this record are filled with, with what
    people decided here; None where nothing is loaded yet. Only reads."""
    engine = engine_at(pipeline)
    with pipeline.sql_client() as client:
        standing = read_standing(client, engine)
        if not _has_raw(standing):
            return None
        filling = _find_filling(client, engine, standing, meaning, now)
        return _contents(client, engine, standing, filling)


def engine_at(pipeline: dlt.Pipeline) -> Engine:
    """Return the engine and the schemas of the marts of a pipeline's dataset."""
    dataset = pipeline.dataset_name
    return Engine(engine_of(pipeline), dataset, f"{dataset}_marts")


def may_refresh(pipeline: dlt.Pipeline) -> bool:
    """Whether the marts can be changed by whom this is."""
    with pipeline.sql_client() as client:
        return may_change(client, f"{pipeline.dataset_name}_marts.refreshed")


def _has_raw(standing: Standing) -> bool:
    return standing.raw.issuperset(("polls", "readings"))


def _check_raw(standing: Standing, engine: Engine) -> None:
    if not _has_raw(standing):
        raise WarehouseError(f"{engine.raw} has no tables yet: run `wolkvox-billing load` first")


def _check_whole(standing: Standing, engine: Engine) -> None:
    """Raise WarehouseError where not all is there for whom can only read; warn of another
    version's marts."""
    _check_raw(standing, engine)
    if not standing.marts.issuperset({*TABLES, *VIEWS} - {*STAR}):  # whose rights are apart
        raise WarehouseError(
            f"{engine.marts} is not whole for whom can only read: run `wolkvox-billing refresh` as "
            "one that may write, and give this one SELECT on all that is in it"
        )
    if standing.refreshed.get("views_digest") != views_digest(engine.dialect):
        logger.warning("%s is another version's, and stays as it is", engine.marts)


@dataclass(frozen=True)
class Filling:
    """What the marts' tables are to hold."""

    meaning: Meaning
    identities: Identities
    renames: Sequence[Rename]
    spellings: Sequence[Spelling]
    now: datetime

    @property
    def inputs_digest(self) -> str:
        """Return what tells whether tables hold the same: the meaning as it is written there, not
        the settings, so that a reader who keeps it leaves what the next `load` would."""
        meaning = self.meaning.timezone, self.meaning.gauge_month, self.meaning.reports()
        names = self.renames, self.spellings, *self.identities.rows
        text = f"{self.now.year}\n{meaning}\n{names}"
        return hashlib.sha256(text.encode()).hexdigest()


def _find_filling(
    client: Client, engine: Engine, standing: Standing, meaning: Meaning, now: datetime
) -> Filling:
    """Return what is decided and read of operations and products, with this meaning."""
    query = partial(rows_of, client)
    decisions = read_operation_decisions(client, engine.raw, standing.raw)
    identities = find_identities(query, engine.raw, standing.raw, decisions)
    renames = find_renames(query, engine.raw, standing.raw, identities)
    spellings = find_spellings(query, engine.raw, standing.raw, identities)
    return Filling(meaning, identities, renames, spellings, now)


def views_digest(dialect: str) -> str:
    """Return what tells whether tables and views are those of this version."""
    return hashlib.sha256(f"{__version__}\n{rendered.text_of(dialect)}".encode()).hexdigest()


def _read_own_meaning(client: Client, engine: Engine, standing: Standing) -> Meaning | None:
    """Return what the marts mean; the settings' Meaning where they are not there yet; None, with a
    warning, where another version's do not tell."""
    if not standing.refreshed or "reports" not in standing.marts:
        return read_meaning()
    meaning = meaning_of_tables(
        standing.refreshed,
        records_of(client, f"SELECT * FROM {_name_of(engine, standing, 'reports')}"),
    )
    if meaning is None:
        logger.warning(
            "%s is another version's, and does not tell this one what it means: it stays as it is "
            "until `wolkvox-billing load` or `wolkvox-billing refresh`",
            engine.marts,
        )
    return meaning


def _name_of(engine: Engine, standing: Standing, table: str) -> str:
    return f"{engine.marts}.{table}" if table in standing.misplaced else engine.name(table)


def _knows(client: Client, engine: Engine, zones: Mapping[str, str]) -> bool:
    """Whether the marts have these operations, with these time zones."""
    if not zones:
        return True
    query = f"SELECT operation_id, timezone FROM {engine.name('operations')}"
    return zones.items() <= dict(rows_of(client, query)).items()


def _zones_of(identities: Identities, zones: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Return the time zone of each operation, as it counts, by those of ids as they were read: of
    several the last one."""
    counted = ((identities.current(operation_id), zone) for operation_id, zone in zones)
    return {current: zone for current, zone in counted if current and zone}


def _move_clock(client: Client, engine: Engine, standing: Standing, now: datetime) -> None:
    if "as_of_epoch" in standing.refreshed:  # as in all versions that there were
        table = engine.name("refreshed")
        client.execute_sql(f"UPDATE {table} SET as_of_epoch = {epoch(now)}")


def _contents(client: Client, engine: Engine, standing: Standing, filling: Filling) -> MartRows:
    """Return what the tables are filled with, by what is loaded."""
    polls = engine.name("polls", "raw")
    # An operation that is asked no more keeps its zone: its days stay what they were.
    last = f"SELECT MAX(poll_id) FROM {polls} GROUP BY operation_id"
    zones: list[tuple[str, str | None]] = rows_of(
        client,
        f"SELECT operation_id, timezone FROM {polls} WHERE poll_id IN ({last}) ORDER BY poll_id",
    )
    [(first,)] = rows_of(client, f"SELECT MIN(poll_date) FROM {polls}")
    return MartRows(
        meaning=filling.meaning,
        now=filling.now,
        first_poll=first or filling.now.date(),
        zones=_zones_of(filling.identities, zones),
        identities=filling.identities,
        renames=filling.renames,
        spellings=filling.spellings,
        digests=(views_digest(engine.dialect), filling.inputs_digest),
        verdicts_epoch=standing.refreshed.get("verdicts_epoch"),
    )


def alone(pipeline: dlt.Pipeline, client: Client) -> None:
    """Hold the marts on PostgreSQL until the transaction ends: two at once would fill the tables
    twice. A reader in a transaction that it does not end would hold up this one, and behind it all
    other readers: so it waits for LOCK_WAIT at most."""
    if engine_of(pipeline) == "postgres":
        marts = f"{pipeline.dataset_name}_marts"
        client.execute_sql(f"SELECT pg_advisory_xact_lock(hashtext('{marts}'))")
        client.execute_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
