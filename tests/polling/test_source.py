"""The source as somebody uses it who knows dlt, and nothing of this project."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from builders.duckdb_files import let_go
from builders.fuzzing import at_length
from builders.project import NOON, TOKENS, Project, configure
from wolkvox_billing import Refused, wolkvox_billing
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.complaints import causes

pytestmark = [pytest.mark.many_rows, pytest.mark.usefixtures("kept_open")]
REPORT = "rsync_s3_mp3"
# Where it is tables that matter, and not how their rows come.
on_engines = pytest.mark.parametrize("warehouse", ["duckdb", "postgres"], indirect=True)
# Where it is whether rows come by column or one by one: few rows on DuckDB are for faults.
by_files = pytest.mark.parametrize(
    "warehouse", at_length(["duckdb-files", "postgres"], "duckdb"), indirect=True
)
# Where it is what the source gives, which is the same wherever it goes.
from_source = pytest.mark.parametrize(
    "warehouse", at_length(["postgres"], "duckdb-files", "duckdb"), indirect=True
)
ROW = {"operation": "ACME", "description": "Audios", "items": "1,234", "date": "2020-01-02"}


def plain(project: Project) -> dlt.Pipeline:
    """A pipeline as dlt's own guide makes it."""
    return dlt.pipeline("wolkvox", destination=project.destination, dataset_name="wolkvox_billing")


def tables(project: Project) -> list[str]:
    tables = project.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'wolkvox_billing' "
        "AND table_name NOT LIKE '%dlt_%' ORDER BY 1"
    )
    return [name for (name,) in tables]


@by_files
def test_a_plain_run_loads_all_tables(warehouse: Project) -> None:
    """`dlt.pipeline(...).run(wolkvox_billing())` fills the tables, and run again adds no row to
    the report's table."""
    warehouse.vendor.answer(TOKENS["acme"], REPORT, [ROW, {**ROW, "items": "n/a"}])
    before = datetime.now(timezone.utc)
    plain(warehouse).run(wolkvox_billing())
    plain(warehouse).run(wolkvox_billing(force=True))
    newest = "operation_id, operation, description, date, items, items_raw, date_raw"
    row = ("acme", "ACME", "Audios", date(2020, 1, 2), Decimal("1234.0000"), "1,234", "2020-01-02")
    assert warehouse.query(f"SELECT {newest} FROM {REPORT}") == [row]
    rows = warehouse.query(f"SELECT report, row_number, {newest} FROM readings")
    assert rows == [(REPORT, 1, *row)] * 2
    raw = '{"operation": "ACME", "description": "Audios", "items": "n/a", "date": "2020-01-02"}'
    assert warehouse.query("SELECT row_number, raw FROM rejected_rows") == [(2, raw)] * 2
    polls = warehouse.query(
        "SELECT operation_id, server, report, outcome, http_status, code, msg, rows, rejected, "
        "answer_bytes = octet_length(answer) FROM polls"
    )
    said = "Information found for the current month"
    assert polls == [("acme", "0010", REPORT, "ok", 200, "200", said, 2, 1, True)] * 2
    times = f"SELECT min(p.started_at), max(r.read_at) FROM polls p, {REPORT} r"
    [(first, last)] = warehouse.query(times)
    assert before <= first < last <= datetime.now(timezone.utc)


def test_the_resource_is_visible_and_incremental(project: Project) -> None:
    """`rsync_s3_mp3` is a resource of its own: incremental, merged on the contract's key."""
    source = wolkvox_billing()
    assert sorted(source.selected_resources) == ["polls", "readings", "rejected_rows", REPORT]
    resource = source.resources[REPORT]
    assert resource.incremental is not None
    schema = resource.compute_table_schema()
    key = [name for name, hint in schema["columns"].items() if hint.get("primary_key")]
    assert (resource.write_disposition, schema["write_disposition"]) == ("merge", "merge")
    assert key == ["operation_id", "operation", "description", "date"]
    assert project.vendor.calls == []


@from_source
def test_the_cursor_is_the_newest_date_and_filters_nothing(warehouse: Project) -> None:
    """The cursor on `date` stands at the newest date ever seen, and no row is filtered by it."""
    pipeline = plain(warehouse)

    def run_with(*days: str) -> Any:
        warehouse.vendor.answer(TOKENS["acme"], REPORT, [{**ROW, "date": day} for day in days])
        pipeline.run(wolkvox_billing(force=True))
        resource = pipeline.state["sources"]["wolkvox_billing"]["resources"][REPORT]
        return resource["incremental"]["date"]["last_value"]

    assert run_with("2020-01-05", "2020-01-03") == date(2020, 1, 5)
    assert run_with("2020-01-02", "2020-01-04") == date(2020, 1, 5)
    assert run_with("2020-02-01", "2020-01-05") == date(2020, 2, 1)
    assert warehouse.query(f"SELECT date_raw FROM {REPORT} ORDER BY date") == [
        (day,) for day in ("2020-01-02", "2020-01-03", "2020-01-04", "2020-01-05", "2020-02-01")
    ]
    assert warehouse.query("SELECT count(*) FROM readings") == [(6,)]


@by_files
def test_one_call_feeds_all_tables(warehouse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two operations and two reports are four calls, and from them come all rows of all tables."""
    configure(monkeypatch, warehouse.vendor, "acme", "beta")
    for name in ("acme", "beta"):
        for report in (REPORT, "ivr_minutes"):
            rows = [ROW, {**ROW, "description": "TOTAL"}]
            warehouse.vendor.answer(TOKENS[name], report, rows)
    plain(warehouse).run(wolkvox_billing(reports=[REPORT, "ivr_minutes"]))
    asked = sorted((call.token, call.report) for call in warehouse.vendor.calls)
    assert asked == [
        (TOKENS["acme"], "ivr_minutes"),
        (TOKENS["acme"], REPORT),
        (TOKENS["beta"], "ivr_minutes"),
        (TOKENS["beta"], REPORT),
    ]
    four = [(name, report) for name in ("acme", "beta") for report in ("ivr_minutes", REPORT)]
    for table in ("polls", "readings", "rejected_rows"):
        rows = warehouse.query(f"SELECT operation_id, report FROM {table} ORDER BY 1, 2")
        assert (table, rows) == (table, four)
    for report in (REPORT, "ivr_minutes"):
        rows = warehouse.query(f"SELECT operation_id FROM {report} ORDER BY 1")
        assert (report, rows) == (report, [("acme",), ("beta",)])


# Hand-written: name, type, and whether it may be NULL. "decimal" is DECIMAL(18,4).
TYPED = {
    "polls": """
        poll_id text!, operation_id text, server text, report text, timezone text, poll_date date,
        started_at time, started_epoch int, finished_at time, outcome text, http_status int,
        code text, msg text, rows int, rejected int, note text, answer_sha256 text,
        answer_bytes int, answer bytes""",
    "readings": """
        poll_id text!, report text!, row_number int!, operation_id text, operation text,
        description text, date date, items decimal, items_raw text, date_raw text, read_at time,
        read_epoch int, read_date date, days_in_answer int, is_repeated flag""",
    "rejected_rows": """
        poll_id text!, row_number int!, operation_id text, report text, raw text, reason text,
        read_at time""",
    "rsync_s3_mp3": """
        operation_id text!, operation text!, description text!, date date!, items decimal,
        items_raw text, date_raw text, read_at time, poll_id text""",
}
NAMES = {
    "duckdb": {
        "text": "VARCHAR",
        "time": "TIMESTAMP WITH TIME ZONE",
        "int": "BIGINT",
        "bytes": "BLOB",
        "date": "DATE",
        "flag": "BOOLEAN",
        "decimal": "DECIMAL(18,4)",
    },
    "postgres": {
        "text": "character varying",
        "time": "timestamp with time zone",
        "int": "bigint",
        "bytes": "bytea",
        "date": "date",
        "flag": "boolean",
        "decimal": "numeric",
    },
}


@pytest.mark.parametrize(
    ("warehouse", "first_answer"),
    at_length(
        [("duckdb", "data_empty"), ("postgres", "wrong_token")],
        ("duckdb", "wrong_token"), ("postgres", "data_empty"),
    ),
    indirect=["warehouse"],
)  # fmt: skip
def test_the_tables_exist_before_the_first_row(warehouse: Project, first_answer: str) -> None:
    """The tables exist, empty and typed, when the first answer has no row, or is a refusal."""
    warehouse.vendor.misbehave(first_answer)
    plain(warehouse).run(wolkvox_billing())
    assert tables(warehouse) == sorted(TYPED)
    for table, columns in TYPED.items():
        expected = []
        for name, kind in (column.split() for column in columns.split(",")):
            digits = (18, 4) if kind.startswith("decimal") else (None, None)
            type_name = NAMES[warehouse.destination][kind.rstrip("!")]
            expected.append((name, type_name, "NO" if kind.endswith("!") else "YES", *digits))
        columns = warehouse.query(
            "SELECT column_name, data_type, is_nullable, "
            "CASE WHEN upper(data_type) <> 'BIGINT' THEN numeric_precision END, "
            "CASE WHEN upper(data_type) <> 'BIGINT' THEN numeric_scale END "
            "FROM information_schema.columns WHERE table_schema = 'wolkvox_billing' "
            f"AND table_name = '{table}' AND column_name NOT LIKE '%dlt_%' "
            "ORDER BY ordinal_position"
        )
        assert (table, columns) == (table, expected)
        rows = 1 if table == "polls" else 0
        assert (table, warehouse.query(f"SELECT count(*) FROM {table}")) == (table, [(rows,)])


def comments(project: Project) -> list[tuple[Any, ...]]:
    """Table, column and comment of each table, without column, and of each column; none of dlt's
    own."""
    if project.destination == "duckdb":
        rows = project.query(
            "SELECT table_name, NULL, comment FROM duckdb_tables() "
            "WHERE schema_name = 'wolkvox_billing' UNION ALL "
            "SELECT table_name, column_name, comment FROM duckdb_columns() "
            "WHERE schema_name = 'wolkvox_billing'"
        )
    else:
        tables = "c.relkind = 'r' AND c.relnamespace = 'wolkvox_billing'::regnamespace"
        rows = project.query(
            "SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class c "
            f"JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE {tables} "
            "UNION ALL SELECT c.relname, NULL, obj_description(c.oid, 'pg_class') "
            f"FROM pg_class c WHERE {tables}"
        )
    return [row for row in rows if "_dlt_" not in f"{row[0]} {row[1]}"]


@on_engines
def test_each_table_and_column_is_described(warehouse: Project) -> None:
    """Each table and column carries a description: in dlt's schema, and in the database too. So
    does a column or a table that comes with a later load."""
    assert warehouse.load().is_good
    schema = wolkvox_billing().discover_schema()
    described: list[tuple[Any, ...]] = [
        (name, None, schema.tables[name].get("description")) for name in TYPED
    ]
    for name in TYPED:
        columns = schema.tables[name]["columns"]
        described += [(name, column, columns[column].get("description")) for column in columns]
    assert [(table, column) for table, column, says in described if not says] == []
    assert len(described) == 4 + 19 + 15 + 7 + 9
    in_database = [row for row in comments(warehouse) if row[0] in TYPED]
    assert sorted(in_database, key=str) == sorted(described, key=str)
    warehouse.later(hours=1)
    warehouse.vendor.answer(TOKENS["acme"], REPORT, [{**ROW, "region": "Norte"}])
    assert warehouse.load(reports=[REPORT, "vision"]).is_good
    says = {(table, column): comment for table, column, comment in comments(warehouse)}
    assert [name for name, comment in says.items() if not comment] == []
    assert {("readings", "region"), ("vision", None), ("vision", "items")} <= says.keys()


@from_source
def test_all_reports(warehouse: Project) -> None:
    """`reports=["all"]` asks each of the 27 once and gives each a table."""
    plain(warehouse).run(wolkvox_billing(reports=["all"], clock=lambda: NOON))
    assert len(REPORTS) == 27
    assert sorted(str(call.report) for call in warehouse.vendor.calls) == sorted(REPORTS)
    assert tables(warehouse) == sorted([*REPORTS, "polls", "readings", "rejected_rows"])
    each = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in REPORTS)
    read = "SELECT report, count(*) FROM readings GROUP BY report ORDER BY 1"
    rows = warehouse.query(read)
    assert sorted(warehouse.query(each)) == rows
    assert len(rows) == 27


@from_source
def test_with_resources_loads_what_is_named(warehouse: Project) -> None:
    """`with_resources("rsync_s3_mp3")` loads that table alone, with one call."""
    plain(warehouse).run(wolkvox_billing(clock=lambda: NOON).with_resources(REPORT))
    assert tables(warehouse) == [REPORT]
    assert warehouse.query(f"SELECT operation_id, operation, read_at FROM {REPORT}") == [
        ("acme", "ACME", NOON)
    ]
    assert len(warehouse.vendor.calls) == 1


def test_with_resources_asks_for_the_reports_that_are_selected(project: Project) -> None:
    """Of all reports one is asked for where one is selected, with or without the record of calls;
    where none is, the record wants all."""

    def asked(*names: str) -> list[str]:
        before = len(project.vendor.calls)
        source = wolkvox_billing(reports=["ivr_minutes", REPORT], clock=lambda: NOON, force=True)
        plain(project).run(source.with_resources(*names))
        return sorted(str(call.report) for call in project.vendor.calls[before:])

    assert asked("ivr_minutes") == ["ivr_minutes"]
    assert asked("ivr_minutes", "polls") == ["ivr_minutes"]
    assert asked("polls", "readings") == ["ivr_minutes", REPORT]


def test_what_left_no_reading_is_asked_again(project: Project) -> None:
    """A run without the record of calls and readings does not hold up the one that keeps them."""
    plain(project).run(wolkvox_billing(clock=lambda: NOON).with_resources(REPORT))
    plain(project).run(wolkvox_billing(clock=lambda: NOON))
    assert len(project.vendor.calls) == 2
    assert project.query("SELECT count(*) FROM readings") == [(1,)]
    plain(project).run(wolkvox_billing(clock=lambda: NOON))
    assert len(project.vendor.calls) == 2


def test_a_resource_by_itself_is_read(project: Project) -> None:
    """Whoever looks at one resource alone gets its rows, as of any of dlt's."""
    source = wolkvox_billing(clock=lambda: NOON)
    rows = list(source.resources[REPORT])
    assert [(row["operation_id"], row["operation"]) for row in rows] == [("acme", "ACME")]


def test_a_refusal_is_raised_where_it_shall_be(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`raise_on_refusal=True` fails the run by the name of who was refused; nothing of it is
    loaded, and the next run asks all again. Without it the refusal is a row."""
    configure(monkeypatch, project.vendor, "acme", "beta")
    project.vendor.misbehave("wrong_token", token=TOKENS["acme"])
    with pytest.raises(PipelineStepFailed) as failed:
        plain(project).run(wolkvox_billing(clock=lambda: NOON, raise_on_refusal=True))
    [refused] = [e for e in causes(failed.value) if isinstance(e, Refused)]
    assert str(refused) == "acme rsync_s3_mp3: bad_token"
    project.vendor.behave()
    plain(project).run(wolkvox_billing(clock=lambda: NOON, raise_on_refusal=True))
    assert len(project.vendor.calls) == 4
    assert project.query("SELECT operation_id, outcome FROM polls ORDER BY 1") == [
        ("acme", "ok"), ("beta", "ok")]  # fmt: skip


def test_a_naming_that_another_pipeline_sets_does_not_touch_ours(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`[schema] naming` is for whom it was set: our tables and columns are called as ever, those of
    a pipeline of one's own and of dlt's too, with a field that the vendor adds."""

    def names() -> list[tuple[str, str]]:
        return project.query(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'wolkvox_billing' ORDER BY 1, 2"
        )

    project.vendor.answer(TOKENS["acme"], REPORT, [{**ROW, "Extra Field": "x"}])
    plain(project).run(wolkvox_billing(clock=lambda: NOON))
    expected = names()
    for naming in at_length(["direct"], "sql_cs_v1", "duck_case"):
        let_go()
        Path("wolkvox.duckdb").unlink()
        plain(project).drop()
        monkeypatch.setenv("SCHEMA__NAMING", naming)
        plain(project).run(wolkvox_billing(clock=lambda: NOON, force=True))
        assert names() == expected, naming
    assert ("rsync_s3_mp3", "_dlt_id") in expected
    assert ("_dlt_loads", "load_id") in expected
