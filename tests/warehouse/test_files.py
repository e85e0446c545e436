"""Rows that go into a warehouse as files: the same rows as by dlt's own way, at every size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import pytest

from builders.fuzzing import at_length
from builders.project import NOON, SERVERS, TOKENS, Project, configure
from builders.record import with_tables
from builders.worlds import once
from wolkvox_billing import wolkvox_billing
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.vendor import envelope
from wolkvox_billing.warehouse import bulk as files
from wolkvox_billing.warehouse import duckdb_file, loading

pytestmark = [pytest.mark.many_rows, pytest.mark.usefixtures("kept_open")]
REPORT = "rsync_s3_mp3"
MANY = 2 * files.FEW + 3
# Where answers are large, which go into DuckDB as files in any case.
on_engines = pytest.mark.parametrize("warehouse", ["duckdb", "postgres"], indirect=True)


@pytest.fixture(autouse=True)
def begun(request: pytest.FixtureRequest) -> None:
    """All tables are there, empty, but for what is made once and copied: it begins with nothing."""
    if "odd_values" not in request.fixturenames:
        request.getfixturevalue("tables")


def row(product: str, items: str = "1", day: str = "2026-11-10", **more: object) -> dict[str, Any]:
    return {"operation": "ACME", "description": product, "items": items, "date": day, **more}


def tell(project: Project, rows: list[Any]) -> None:
    project.vendor.answer(TOKENS["acme"], REPORT, rows)


def jobs(project: Project) -> set[tuple[str, str]]:
    """Table and format of each file that a load gives to the destination; gz is dlt's own."""
    names: list[list[str]] = []
    really_load = loading._load

    def load(pipeline: dlt.Pipeline) -> Any:
        folder = Path(pipeline.working_dir, "load", "normalized")
        names.extend(file.name.split(".") for file in folder.glob("*/new_jobs/*.*.*.*"))
        return really_load(pipeline)

    with pytest.MonkeyPatch.context() as watched:
        watched.setattr(loading, "_load", load)
        assert project.load(force=True).is_good
    return {(name[0], name[-1]) for name in names}


@on_engines
def test_small_and_large_answers_in_one_table(warehouse: Project) -> None:
    """A small answer, a large one, and a small one again are each in the tables, as they came; the
    files of a large one are gone from the working folder."""
    sizes = (1, MANY, 2)
    for hour, size in enumerate(sizes):
        warehouse.vendor.now = NOON + timedelta(hours=hour)
        tell(warehouse, [row(f"P{n}", f"{hour + 1},{n % 1000:03}.25") for n in range(size)])
        report = warehouse.load()
        assert report.is_good
        left = [file.suffix for file in Path(report.working_folder).rglob("*")]
        assert not {".parquet", ".csv"} & {*left}
    count = "SELECT count(*), count(DISTINCT _dlt_id), count(_dlt_load_id) FROM readings"
    assert warehouse.query(count) == [(sum(sizes), sum(sizes), sum(sizes))]
    loads = "SELECT DISTINCT _dlt_load_id FROM readings ORDER BY 1"
    assert warehouse.query(loads) == warehouse.query(loads.replace("readings", "polls"))
    hours = [2 if n < sizes[2] else 1 for n in range(MANY)]
    expected = [
        (f"P{n}", Decimal((hour + 1) * 1000 + n % 1000) + Decimal("0.25"), hour)
        for n, hour in enumerate(hours)
    ]
    rows = warehouse.query(f"SELECT description, items, read_at FROM {REPORT}")
    since = [(name, items, (at - NOON).seconds // 3600) for name, items, at in rows]
    assert sorted(since) == sorted(expected)


def test_no_day_of_an_answer_is_lost_beside_a_later_one_of_another(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large answers of several operations that come together are all whole in the report's table,
    whatever days each has: dlt's cursor filters none of them."""
    configure(monkeypatch, project.vendor, *TOKENS)
    for back, token in enumerate(TOKENS.values()):
        days = [f"2026-11-{10 - back - n % 7:02}" for n in range(MANY)]
        rows = [row(f"P{n}", day=day) for n, day in enumerate(days)]
        project.vendor.answer(token, REPORT, rows)
    assert project.load().is_good
    counts = project.query(f"SELECT operation_id, count(*), min(date) FROM {REPORT} GROUP BY 1")
    assert sorted(counts) == [
        (name, MANY, date(2026, 11, 4 - back)) for back, name in enumerate(sorted(TOKENS))
    ]


TIME = "2026-11-10T10:00:00"
# What a database could take for something else, or for the end of all.
TEXTS = (
    "",
    " ",
    "NULL",
    "\\N",
    "\\.",
    "a\n\\.\nb",
    'a "quoted", one',
    "two\r\nlines",
    TIME,
    "D1C7D1C7-AAAA-4BBB-8CCC-D1C7D1C7D1C7",
    "1e5",
    "true",
    '{"a": 1}',
    "ñ\u2028💡",
)


# Answers are read as they are by their size; and each as if it were large, which those of
# `duckdb-files` are in any case.
by_size = pytest.mark.parametrize(
    ("warehouse", "by_column"),
    at_length(
        [("duckdb", False), ("duckdb-files", True), ("postgres", True)],
        ("duckdb", True), ("postgres", False),
    ),
    indirect=["warehouse"],
)  # fmt: skip


PLAIN = ["99999999999999.9999", "0.0001", "0", "12,345,678,901.25"]
ODD = ["-99999999999999.9999", "-0.0001", " 7 %"]


def load_odd_values(project: Project, by_column: bool) -> None:
    """Two loads: of `acme`, of an operation for each of the other texts, of `beta`, which answers
    amounts, and of `gama`, which answers zero bytes.

    What looks like a time is the first text that is ever loaded, alone; the others come in an
    answer, and so a file, each, and in one together, with a field of its own."""
    with_tables(project)
    alone = sorted(TEXTS, key=TIME.__ne__)
    others = project.operations(len(alone) - 1)
    three = [{"name": n, "server": SERVERS[n], "token": TOKENS[n]} for n in TOKENS]
    project.vendor.misbehave("empty_body", token=TOKENS["gama"])

    def tell_text(token: str, name: str, texts: Sequence[str]) -> None:
        good = [row(text, **{name: text}) for text in texts]
        rows = good + [row(text, "n/a") for text in texts]
        project.vendor.answer(token, REPORT, rows)

    def tell_amounts(amounts: list[str]) -> None:
        rows = [row(f"P{n}", items, "2000-01-01") for n, items in enumerate(amounts)]
        project.vendor.answer(TOKENS["beta"], REPORT, rows)

    with pytest.MonkeyPatch.context() as patch:
        if by_column:
            patch.setattr(envelope, "LARGE", 0)
        tell_text(TOKENS["acme"], "seen", alone[:1])
        tell_amounts(PLAIN)
        project.load(operations=three)
        project.later(hours=1)
        for operation, text in zip(others, alone[1:], strict=True):
            tell_text(operation["token"], "seen", [text])
        tell_text(TOKENS["acme"], "together", TEXTS)
        tell_amounts(PLAIN + ODD)
        report = project.load(operations=[*three, *others])
    assert report.problems == []
    assert [poll.operation.operation_id for poll in report.refused] == ["gama"]


@pytest.fixture
def odd_values(warehouse: Project, by_column: bool) -> Project:
    """A record of odd values, of answers that are read by column, or as they are."""
    once(warehouse, load_odd_values, by_column)
    return warehouse


@by_size
def test_a_text_is_what_it_was(odd_values: Project, by_column: bool) -> None:
    """A text is the same text in the tables, alone or among others: as a product's name, in a field
    that the vendor added, and in a row that could not be read."""
    of_texts = "operation_id NOT IN ('beta', 'gama')"
    expected = sorted((text, text) for text in TEXTS)
    for name in ("seen", "together"):
        rows = f"SELECT description, {name} FROM readings WHERE {name} IS NOT NULL"
        assert sorted(odd_values.query(rows)) == expected
    count = f"SELECT count(*) FROM readings WHERE {of_texts}"
    assert odd_values.query(count) == [(2 * len(TEXTS),)]
    # The one that looks like a time is acme's both times: the second takes the first one's place.
    texts = odd_values.query(f"SELECT description FROM {REPORT} WHERE {of_texts}")
    others = [text for text in TEXTS if text != TIME]
    assert sorted(texts) == sorted((text,) for text in [*TEXTS, *others])
    rejected = f"SELECT count(*), count(raw) FROM rejected_rows WHERE {of_texts}"
    assert odd_values.query(rejected) == [(2 * len(TEXTS), 2 * len(TEXTS))]


@by_size
def test_numbers_and_days_at_their_ends(odd_values: Project, by_column: bool) -> None:
    """The largest and smallest amounts and the earliest day are stored to the last digit."""
    expected = [
        (Decimal(items.strip(" %").replace(",", "")), items, date(2000, 1, 1))
        for items in PLAIN + PLAIN + ODD
    ]
    columns = "SELECT items, items_raw, date FROM {} WHERE operation_id = 'beta' ORDER BY "
    newest = odd_values.query(columns.format(REPORT) + "description")
    assert newest == expected[len(PLAIN) :]
    assert odd_values.query(columns.format("readings") + "read_at, row_number") == expected


@by_size
def test_an_answer_of_zero_bytes(odd_values: Project, by_column: bool) -> None:
    """An answer of zero bytes is stored as zero bytes, which is not NULL, among others in one load,
    and adds no column."""
    stored = "SELECT octet_length(answer), answer_bytes, count(*) FROM polls"
    where = f"{stored} WHERE outcome = 'bad_answer' GROUP BY 1, 2"
    assert odd_values.query(where) == [(0, 0, 2)]
    whole = "SELECT count(*) FROM polls WHERE octet_length(answer) = answer_bytes"
    assert odd_values.query(whole) == [(3 + 3 + len(TEXTS) - 1,)]
    names = "SELECT column_name FROM information_schema.columns WHERE table_name = 'polls'"
    assert [name for (name,) in odd_values.query(names) if "v_text" in name] == []


@on_engines
def test_a_large_answer_of_rows_that_cannot_be_read(warehouse: Project) -> None:
    """Each of them is in rejected_rows, under its number, and the load is no success."""
    tell(warehouse, [row(f"P{n}", "n/a") for n in range(MANY)])
    [problem] = warehouse.load().problems
    assert f"none of {MANY} rows could be read (the first: 'n/a' is not an amount" in problem
    counted = "SELECT count(*), min(row_number), max(row_number) FROM rejected_rows"
    assert warehouse.query(counted) == [(MANY, 1, MANY)]


def test_the_way_by_the_number_of_rows(project: Project) -> None:
    """On DuckDB few rows go dlt's own way, many as Parquet."""
    of_rows = {"readings", REPORT}
    tell(project, [row("P")])
    assert {form for _, form in jobs(project)} == {"gz"}
    project.later(hours=1)
    tell(project, [row(f"P{n}") for n in range(MANY)])
    assert {table for table, form in jobs(project) if form == "parquet"} == of_rows
    assert project.load(force=True).is_good
    assert project.query(f"SELECT count(*) FROM {REPORT}") == [(MANY + 1,)]


def test_steps_of_a_user_see_rows(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody adds to a resource gets rows, whatever becomes of them; and a resource that is
    looked at without a pipeline gives rows."""
    monkeypatch.setattr(files, "FEW", 0)
    tell(project, [row("P", "1"), row("Q", "2")])
    source = wolkvox_billing(clock=lambda: NOON)
    source.resources[REPORT].add_filter(lambda row: row["description"] == "Q")
    pipeline = dlt.pipeline("wolkvox", destination="duckdb", dataset_name="wolkvox_billing")
    pipeline.run(source)
    assert project.query(f"SELECT description FROM {REPORT}") == [("Q",)]
    assert project.query("SELECT count(*) FROM readings") == [(2,)]
    rows = list(wolkvox_billing(clock=lambda: NOON, force=True).resources["readings"])
    assert [row["description"] for row in rows if row] == ["P", "Q"]


def test_another_destination(project: Project, tmp_path: Path) -> None:
    """A destination that is neither takes the same rows by dlt's own way."""
    tell(project, [row(f"P{n}") for n in range(MANY)])
    bucket = dlt.destinations.filesystem(bucket_url=(tmp_path / "bucket").as_uri())
    pipeline = dlt.pipeline("wolkvox", destination=bucket, dataset_name="wolkvox_billing")
    pipeline.run(wolkvox_billing(clock=lambda: NOON), loader_file_format="parquet")
    import pyarrow.dataset

    written = pyarrow.dataset.dataset(tmp_path / "bucket" / "wolkvox_billing" / "readings")
    assert written.count_rows() == MANY


def test_a_load_that_needs_more_memory_gets_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large answer is loaded where the little memory that a load is given does not suffice."""
    monkeypatch.setattr(duckdb_file, "LITTLE_MEMORY", "1MB")
    tell(project, [row(f"P{n}") for n in range(MANY)])
    assert project.load().is_good
    assert project.query(f"SELECT count(*) FROM {REPORT}") == [(MANY,)]


@on_engines
def test_a_step_of_a_user_may_make_another_type(warehouse: Project) -> None:
    """What somebody's step makes of an amount or a text in a large answer is stored as dlt does it
    with a small one: a float in a column of decimals, an object as JSON."""
    tell(warehouse, [row(f"P{n}", "2") for n in range(MANY)])
    source = wolkvox_billing(clock=lambda: NOON)
    source.resources[REPORT].add_map(lambda row: {**row, "items": float(row["items"]) / 4})
    source.resources["readings"].add_map(lambda row: {**row, "items_raw": {"as": "object"}})
    destination, dataset = warehouse.destination, "wolkvox_billing"
    dlt.pipeline("wolkvox", destination=destination, dataset_name=dataset).run(source)
    assert warehouse.query(f"SELECT DISTINCT items FROM {REPORT}") == [(Decimal("0.5"),)]
    assert warehouse.query("SELECT DISTINCT items_raw FROM readings") == [('{"as":"object"}',)]


@pytest.mark.parametrize(
    "warehouse", at_length(["duckdb-files", "postgres"], "duckdb"), indirect=True
)
def test_no_job_for_a_table_without_rows(warehouse: Project) -> None:
    """Each table is there after the first load; from then on a load has jobs for those only that it
    has rows of."""
    warehouse.settings["dataset"] = "another"  # in which there is no table yet
    tables = []
    for _ in range(2):
        tell(warehouse, [row("P1")])
        tables.append({table for table, _ in jobs(warehouse)} - {"_dlt_pipeline_state"})
    with_rows = {"polls", "readings", REPORT}
    assert tables == [with_rows | {"rejected_rows"}, with_rows]
    assert warehouse.query("SELECT count(*) FROM another.rejected_rows") == [(0,)]


def test_another_form_of_csv_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """Rows go into PostgreSQL as CSV of one form: a setting of another one is refused before
    anybody is asked."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", new_database())
    monkeypatch.setenv("DESTINATION__POSTGRES__CSV_FORMAT__DELIMITER", "|")
    project.destination = "postgres"
    with pytest.raises(SettingsError, match="DESTINATION__POSTGRES__CSV_FORMAT"):
        project.load()
    assert project.vendor.calls == []


def test_a_large_load_is_in_the_file_once(project: Project) -> None:
    """What many rows went through on their way is empty again: the DuckDB file has them once."""
    tell(project, [row(f"P{n}") for n in range(MANY)])
    assert project.load().is_good
    for table in ("readings", REPORT):
        assert project.query(f"SELECT count(*) FROM wolkvox_billing.{table}") == [(MANY,)]
    assert project.query(f"SELECT count(*) FROM wolkvox_billing_staging.{REPORT}") == [(0,)]
