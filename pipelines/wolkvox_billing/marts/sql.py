"""The statements that make the marts, for more than one engine.

Written once, in DuckDB's dialect kept to plain ANSI. For DuckDB and PostgreSQL they are shipped as
those engines want them (`rendered`), for others sqlglot makes them (`transpile`). What engines do
differently is computed here or on load instead: `months` and `days` hold starts and ends in seconds
since 1970 for each time zone, so that no view needs a time zone function, a series of dates or a
difference of times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from wolkvox_billing.marts import rendered
from wolkvox_billing.marts.engine import MARTS, STAR, Engine
from wolkvox_billing.marts.identities import NOBODY, Identities
from wolkvox_billing.marts.meaning import Meaning
from wolkvox_billing.marts.renames import Rename
from wolkvox_billing.marts.spellings import Spelling
from wolkvox_billing.marts.tables import CALENDAR, RECONCILED, TABLES
from wolkvox_billing.values.clock import day_start, epoch
from wolkvox_billing.values.periods import Period, months_of
from wolkvox_billing.vendor.readings import EARLIEST
from wolkvox_billing.warehouse.sql import insert, literal

# In the order in which they are made: what the marts stand on comes first.
VIEWS = ("stg_readings", "day_readings", "measured_days", *MARTS, *STAR)
_ROWS_OF_A_STATEMENT = 5000
_BETWEEN = "\x1f"  # values of a column in one text; no text that is loaded has it
_FEW_ROWS = 10  # from some twenty on columns take less time


@dataclass(frozen=True)
class MartRows:
    """What the small tables beside the views hold.

    first_poll: the day of the first call. zones: operation_id, as it counts → time zone, where the
    meaning's is for the others. digests: of the views, and of what they are made with.
    verdicts_epoch: what the verdicts that stay speak of.
    """

    meaning: Meaning
    now: datetime
    first_poll: date
    zones: Mapping[str, str] = field(default_factory=dict)
    identities: Identities = NOBODY
    renames: Sequence[Rename] = ()
    spellings: Sequence[Spelling] = ()
    digests: tuple[str, str] = ("", "")
    verdicts_epoch: int | None = None

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Return the rows of each table that `refresh` fills."""
        meaning = self.meaning
        settings = (meaning.timezone, meaning.gauge_month, *self.digests, self.verdicts_epoch)
        zones = sorted({meaning.timezone, *self.zones.values()})
        return {
            "refreshed": [(epoch(self.now), *settings)],
            "operations": [*sorted(self.zones.items())],
            "identities": [*self.identities.rows],
            "renames": [*self.renames],
            "spellings": [*self.spellings],
            "reports": [*meaning.reports()],
            "months": [month for zone in zones for month in _months(zone, self.now)],
            "days": [day for zone in zones for day in _days(zone, self.first_poll, self.now)],
        }


def statements(engine: Engine, contents: MartRows) -> Iterator[str]:
    """Yield the SQL that makes the marts anew, for whoever runs it by hand; see `remake`."""
    if engine.has_schemas:
        yield from (f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in engine.schemas)
    for view in reversed(VIEWS):
        yield f"DROP VIEW IF EXISTS {engine.name(view)}"
    is_shipped = engine.dialect in rendered.DIALECTS
    for table in TABLES:
        if not (is_shipped and table in RECONCILED):  # whose verdicts stay
            yield f"DROP TABLE IF EXISTS {engine.name(table)}"
        yield from making(table, engine)
    yield from fill_statements(engine, contents, are_new=True)
    for view in VIEWS:
        yield from making(view, engine)


def fill_statements(engine: Engine, contents: MartRows, *, are_new: bool = False) -> Iterator[str]:
    """Yield the SQL that fills the tables which the views read; those that are new are empty, and
    a plain table of Spark's deletes no row."""
    rows = contents.rows()
    is_shipped = engine.dialect in rendered.DIALECTS
    for table in TABLES:
        if table in RECONCILED:
            continue
        name = engine.name(table)
        if not are_new:
            yield f"DELETE FROM {name} WHERE TRUE"
        is_by_column = is_shipped and table in CALENDAR
        yield from (insert_columns if is_by_column else insert)(name, rows[table])
        if engine.dialect == "postgres":  # it takes a table that nobody looked at for large
            yield f"ANALYZE {name}"


def transpiled(name: str, engine: Engine) -> tuple[str, ...]:
    """Return the statements that make a table or view, by sqlglot."""
    from wolkvox_billing.marts import transpile

    if name in TABLES:
        return (transpile.create_table(name, engine),)
    return transpile.create_view(name, engine)


@lru_cache
def making(name: str, engine: Engine) -> tuple[str, ...]:
    """Return the statements that make a table or view: those that are shipped, or transpiled
    ones."""
    if engine.dialect in rendered.DIALECTS:
        return rendered.statements_of(engine)[name]
    return transpiled(name, engine)


def values_of(row: object) -> tuple[object, ...]:
    """Return the values of a dataclass as they are; `dataclasses.astuple` copies each, deeply."""
    return tuple(vars(row).values())


def insert_columns(table: str, rows: Sequence[tuple[object, ...]]) -> Iterator[str]:
    """Yield the same for DuckDB and PostgreSQL: a few rows as values, of more each column as one
    text, or as one value where all rows have the same. DuckDB reads a calendar so in 5 ms, and in
    80 ms as values; one verdict in 8 ms, and in 1 ms as values."""
    if 0 < len(rows) <= _FEW_ROWS:
        listed = ", ".join(f"({', '.join(map(_as_value, row))})" for row in rows)
        yield f"INSERT INTO {table} VALUES {listed}"
        return
    kinds = TABLES[table.split(".")[-1]].values()
    for start in range(0, len(rows), _ROWS_OF_A_STATEMENT):
        texts: list[str] = []
        values: list[str] = []
        columns = zip(*rows[start : start + _ROWS_OF_A_STATEMENT], strict=True)
        for n, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
            value = _as_value(column[0])
            # The first one is a list always: it says how many rows there are.
            if not n or column.count(column[0]) < len(column):
                texts.append(f"UNNEST(STRING_TO_ARRAY({_as_text(column)}, CHR(31))) AS c{n}")
                value = f"CASE WHEN c{n} <> '-' THEN SUBSTR(c{n}, 2) END"
            values.append(f"CAST({value} AS {kind})")
        yield f"INSERT INTO {table} SELECT {', '.join(values)} FROM (SELECT {', '.join(texts)}) t"


def _as_text(values: Iterable[object]) -> str:
    """Return a column as one literal: each value behind a mark, a dash where there is none."""
    texts = ["-" if value is None else f"={value!s}" for value in values]
    joined = _BETWEEN.join(texts)
    if joined.count(_BETWEEN) >= len(texts):  # a text has it
        joined = _BETWEEN.join(text.replace(_BETWEEN, " ") for text in texts)
    return literal(joined)


def _as_value(value: object) -> str:
    """Return a value as a text that takes the type of its column, NULL where there is none."""
    return "NULL" if value is None else literal(str(value).replace(_BETWEEN, " "))


def _months(zone: str, now: datetime) -> Iterator[tuple[object, ...]]:
    """Yield every month that a reading can have: none may fall out of a join."""
    where = ZoneInfo(zone)
    for start, end in months_of(Period(EARLIEST, date(now.year + 2, 1, 1))):
        ends, days = day_start(end, where), (end - start).days
        yield zone, start.year, start.month, start, end, ends, days, start.isoweekday()


def _days(zone: str, first: date, now: datetime) -> Iterator[tuple[object, ...]]:
    """Yield every day on which a call can have been made."""
    where = ZoneInfo(zone)
    day = date(first.year - 1, 1, 1)  # answers of an earlier day may still wait somewhere
    while day.year <= now.year + 1:
        following = day + timedelta(days=1)
        yield zone, day, day_start(day, where), day_start(following, where)
        day = following
