"""Which operations were renamed: told by the database as by hand, on DuckDB and on PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import duckdb
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.fuzzing import tries
from wolkvox_billing.marts.renames import Rename, find_renames

pytestmark = pytest.mark.usefixtures("kept_open")
REPORTS = ("rsync_s3_mp3", "vision")
START = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
# By the letters of a language "a" comes before "Z", byte by byte behind it.
NAMES = ("a", "Z", "é")
# The readings of one poll: its moment in hours, operation_id, report, and (name, product).
Answer = tuple[int, str, str, list[tuple[str, str]]]


@dataclass
class Tables:
    """The tables of readings in a database of one of the two engines, and its queries."""

    query: Callable[[str], list[tuple[Any, ...]]]
    execute: Callable[[str], Any]

    def hold(self, answers: list[Answer]) -> None:
        """Keeps these answers alone: all rows in `readings`, the newest in their report's table."""
        for table in ("readings", *REPORTS):
            self.execute(f"DELETE FROM raw.{table}")
        for number, (hour, operation_id, report, listed) in enumerate(answers):
            for name, product in listed:
                values = f"'{operation_id}', '{name}', '{product}', '{at(hour)}', 'poll {number}'"
                self.execute(f"INSERT INTO raw.readings VALUES ('{report}', {values})")
        for report in REPORTS:
            self.execute(
                f"INSERT INTO raw.{report} SELECT operation_id, operation, description, read_at, "
                "poll_id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY operation_id, operation, "
                "description ORDER BY read_at DESC, poll_id DESC) AS place FROM raw.readings "
                f"WHERE report = '{report}') AS placed WHERE place = 1"
            )

    def renames(self) -> list[Rename]:
        return find_renames(self.query, "raw", {"readings", *REPORTS})


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def create(execute: Callable[[str], Any], text: str) -> None:
    execute("CREATE SCHEMA raw")
    columns = f"operation_id {text}, operation {text}, description {text}, read_at TIMESTAMPTZ"
    execute(f"CREATE TABLE raw.readings (report {text}, {columns}, poll_id {text})")
    for report in REPORTS:
        execute(f"CREATE TABLE raw.{report} ({columns}, poll_id {text})")


@pytest.fixture(params=["duckdb", "postgres"])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    """Empty tables; on PostgreSQL with the order of letters of a language, not of bytes."""
    if request.param == "duckdb":
        with closing(duckdb.connect()) as db:
            create(db.execute, "VARCHAR")
            yield Tables(lambda sql: db.execute(sql).fetchall(), db.execute)
        return
    with closing(psycopg2.connect(request.getfixturevalue("new_database")())) as pg:
        pg.autocommit = True
        cursor = pg.cursor()
        create(cursor.execute, 'VARCHAR COLLATE "es-x-icu"')

        def query(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql)
            return cursor.fetchall()

        yield Tables(query, cursor.execute)


def by_hand(answers: list[Answer]) -> set[Rename]:
    """The same by the rule's words: each product's names by their last reading, the newest one
    last; nothing of an operation of which an answer held several."""
    last: defaultdict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    together = set()
    for hour, operation_id, report, listed in answers:
        if len({name for name, _ in listed}) > 1:
            together.add((operation_id, report))
        for name, product in listed:
            hours = last[operation_id, report, product]
            hours[name] = max(hour, hours.get(name, hour))
    renames = set()
    for (operation_id, report, product), hours in last.items():
        *older, newest = sorted(hours, key=lambda name: (hours[name], name.encode()))
        if (operation_id, report) not in together:
            renames |= {Rename(operation_id, report, product, name, newest) for name in older}
    return renames


ANSWERS = st.lists(
    st.tuples(
        st.integers(0, 4),  # so few that two come at one moment
        st.sampled_from(["acme", "beta"]),
        st.sampled_from(REPORTS),
        st.one_of(
            st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from("AB"), max_size=2)).map(
                lambda answer: [(answer[0], product) for product in answer[1]]
            ),
            st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from("AB")), max_size=3),
        ),
    ),
    max_size=8,
)


@settings(
    max_examples=tries(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(ANSWERS)
def test_a_rename_is_what_the_rule_says(tables: Tables, answers: list[Answer]) -> None:
    """Whatever was answered, the renames are those of the rule, each once, in a fixed order."""
    tables.hold(answers)
    renames = tables.renames()
    assert set(renames) == by_hand(answers)
    order = [(REPORTS.index(row.report), row.operation_id, row.product, row.operation_name)
             for row in renames]  # fmt: skip
    assert order == sorted(order, key=lambda row: (row[0], *(part.encode() for part in row[1:])))
    assert len(renames) == len(set(renames))


def test_of_two_names_at_one_moment_the_later_letter_is_the_newest(tables: Tables) -> None:
    """Two calls at one moment, each with another name: the newest is the last one by its bytes,
    whatever the order of letters in the database."""
    tables.hold([(1, "acme", "vision", [("a", "A")]), (1, "acme", "vision", [("Z", "A")])])
    assert tables.renames() == [Rename("acme", "vision", "A", "Z", "a")]


def test_names_that_once_came_together_are_no_rename(tables: Tables) -> None:
    """An answer of long ago with two names, of which nothing is left in the report's table, tells
    that they are two; an operation beside it, and another report, are judged by their own."""
    both = [("a", "A"), ("Z", "B")]
    apart = [(2, [("a", "A"), ("a", "B")]), (3, [("Z", "A"), ("Z", "B")])]
    answers: list[Answer] = [(1, "acme", "vision", both)]
    for operation_id, report in (("acme", "vision"), ("acme", REPORTS[0]), ("beta", "vision")):
        answers += [(hour, operation_id, report, listed) for hour, listed in apart]
    tables.hold(answers)
    assert len(tables.query("SELECT 1 FROM raw.vision WHERE poll_id = 'poll 0'")) == 0
    assert tables.renames() == [
        Rename("acme", REPORTS[0], "A", "a", "Z"),
        Rename("acme", REPORTS[0], "B", "a", "Z"),
        Rename("beta", "vision", "A", "a", "Z"),
        Rename("beta", "vision", "B", "a", "Z"),
    ]


def test_all_readings_are_not_looked_through_for_nothing(tables: Tables) -> None:
    """Where no product has several names, or they stand together in the report's table, `readings`,
    which may hold ten million rows, is not asked, and one or two statements say all."""
    statements: list[str] = []

    def query(sql: str) -> list[tuple[Any, ...]]:
        statements.append(sql)
        return tables.query(sql)

    plain: list[Answer] = [(n, "acme", report, [("a", "A")]) for n in (1, 2) for report in REPORTS]
    beside: list[Answer] = [(3, "beta", "vision", [("a", "A"), ("Z", "A"), ("Z", "B")])]
    for answers, count in ((plain, 1), (plain + beside, 2)):
        tables.hold(answers)
        statements.clear()
        assert find_renames(query, "raw", {"readings", *REPORTS}) == []
        assert len(statements) == count
        assert not any("raw.readings" in sql for sql in statements)
