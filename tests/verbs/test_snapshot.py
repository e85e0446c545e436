"""`publish`: a copy for BI tools, read by real clients: what is in it, and never half of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars
import pytest
import sqlalchemy

from builders.months import MAP, ONE_PRICE
from builders.project import NOON, TOKENS, Project
from builders.record import Call, write_polls
from builders.worlds import once
from wolkvox_billing.errors import SettingsError, WarehouseError, WolkvoxError
from wolkvox_billing.marts.engine import BESIDE, MARTS, STAR
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs.publish import Snapshot, _renew_verdicts, publish
from wolkvox_billing.verbs.reconcile import reconcile
from wolkvox_billing.warehouse.place import opened

pytestmark = pytest.mark.usefixtures("kept_open")
OLDEST = Path(__file__).parents[2] / "build" / "oldest-duckdb" / "bin" / "python"
RAW = [
    "_dlt_loads",
    "_dlt_pipeline_state",
    "_dlt_version",
    "polls",
    "readings",
    "rejected_rows",
    "rsync_s3_mp3",
]
USAGE = "SELECT usage_date, consumed_quantity FROM wolkvox_billing_marts.usage_daily ORDER BY 1"


MEASURES = {"rsync_s3_mp3": "month_to_date"}


def day(project: Project, number: int, items: str) -> None:
    """This day of November was read, of a counter that shows this amount."""
    write_polls(project, call(number, items), measures=MEASURES)


def load_days(project: Project, *days: tuple[int, str]) -> None:
    """The same of several days by polls and a `load`, into a project without invoices."""
    for number, items in days:
        project.vendor.now, rows, report, *_ = call(number, items)
        project.vendor.answer(TOKENS["acme"], report, rows)
        assert project.poll().is_good
    assert project.load(measures=MEASURES, pace_minutes=60).is_good


def call(number: int, items: str) -> Call:
    row = {"operation": "ACME", "description": "Audios", "date": f"2026-11-{number:02}"}
    garbled = {**row, "items": "1.234,5"}
    return Call(NOON.replace(day=number), [{**row, "items": items}, garbled])


def publish_copy(project: Project, path: str, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__MEASURES", json.dumps(MEASURES))
    return publish(path, destination=project.destination, clock=lambda: project.vendor.now)


def begin_published(project: Project, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """The 10th was read, and is published there: what many tests begin with, done once."""
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__MEASURES", json.dumps(MEASURES))
    once(project, _publish_a_day, path)


def _publish_a_day(project: Project, path: str) -> None:
    day(project, 10, "40")
    publish(path, clock=lambda: project.vendor.now)


def test_a_file_and_a_folder_hold_all_tables(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file has the raw tables and the marts, as tables, value for value and with comments;
    dlt's own are left out. The folder has a Parquet file a table; numbers come as decimals, dates
    as dates.

    It is published by a machine that never loaded: another working folder has nothing to know from,
    and the warehouse tells all that the copy needs. Of usage alone, where no invoice was ever
    compared, there is nothing to warn of. A DuckDB client of version 1.1 reads the file too."""
    load_days(warehouse, (10, "40"), (11, "1,240.25"))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "another"))
    snapshot = publish_copy(warehouse, "bi/usage.duckdb", monkeypatch)
    assert snapshot.path == warehouse.folder / "bi" / "usage.duckdb"
    assert snapshot.warnings == ()
    with closing(duckdb.connect(str(snapshot.path), read_only=True)) as db:
        db.execute("SET TimeZone = 'UTC'")
        tables = db.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        assert sorted(tables) == [
            *(("wolkvox_billing", table) for table in RAW),
            *(("wolkvox_billing_bi", table) for table in sorted(STAR)),
            *(("wolkvox_billing_marts", mart) for mart in sorted((*MARTS, *BESIDE))),
        ]
        assert db.execute(USAGE).fetchall() == [
            (date(2026, 11, 10), Decimal("40.0000")),
            (date(2026, 11, 11), Decimal("1200.2500")),
        ]
        for schema, table in tables:
            query = f"SELECT * FROM {schema}.{table} ORDER BY ALL"
            columns = len(db.execute(f"DESCRIBE {schema}.{table}").fetchall())
            places = ", ".join(str(column + 1) for column in range(min(columns, 5)))
            ordered = query.replace("ORDER BY ALL", f"ORDER BY {places}")
            warehouse_rows = [[_plain(v) for v in row] for row in warehouse.query(ordered)]
            rows = [[_plain(v) for v in row] for row in db.execute(ordered).fetchall()]
            assert (table, rows) == (table, warehouse_rows)
            assert snapshot.rows[f"{schema}.{table}"] == len(rows)
        bare = db.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL "
            "AND NOT internal AND column_name NOT LIKE '_dlt_%' "
            "AND table_name NOT LIKE '_dlt_%' UNION ALL "
            "SELECT table_name, NULL FROM duckdb_tables() WHERE comment IS NULL "
            "AND table_name NOT LIKE '_dlt_%'"
        ).fetchall()
        assert bare == []
        [(says,)] = db.execute(
            "SELECT comment FROM duckdb_tables() WHERE table_name = 'readings'"
        ).fetchall()
        assert says.startswith("One row per call and row returned")
    assert oldest_client_reads(snapshot.path) == [
        "1.1. [(datetime.date(2026, 11, 10), Decimal('40.0000')), "
        "(datetime.date(2026, 11, 11), Decimal('1200.2500'))]",
        "[(2,)]",
    ]
    read_folder(publish_copy(warehouse, "usage", monkeypatch))


def read_folder(snapshot: Snapshot) -> None:
    """Read with polars what is published of the two days in a folder."""
    files = sorted(str(file.relative_to("usage")) for file in Path("usage").rglob("*.parquet"))
    assert files == [f"{name.replace('.', '/')}.parquet" for name in sorted(snapshot.rows)]
    frame = polars.read_parquet("usage/wolkvox_billing_marts/usage_daily.parquet")
    kinds = frame.schema
    assert kinds["consumed_quantity"] == polars.Decimal(18, 4)
    assert kinds["usage_date"] == polars.Date
    assert kinds["read_at"] == polars.Datetime("us", "UTC")
    assert kinds["days_covered"] == polars.Int64
    columns = ["usage_date", "consumed_quantity", "days_covered"]
    assert frame.sort("usage_date").select(columns).rows() == [
        (date(2026, 11, 10), Decimal("40.0000"), 10),
        (date(2026, 11, 11), Decimal("1200.2500"), 1),
    ]
    raw = polars.read_parquet("usage/wolkvox_billing/polls.parquet")
    assert raw["answer"].dtype == polars.Binary and raw.height == 2


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    return bytes(value) if isinstance(value, memoryview) else value


def oldest_client_reads(file: Path) -> list[str]:
    """Return what a DuckDB client of version 1.1, in an environment of its own, reads of a file."""
    assert OLDEST.exists(), "`make test` sets up build/oldest-duckdb, which this needs"
    script = (
        f"import duckdb; db = duckdb.connect('{file}', read_only=True); "
        f"print(duckdb.__version__[:4], db.execute('''{USAGE}''').fetchall()); "
        "print(db.execute('SELECT COUNT(*) FROM wolkvox_billing.polls').fetchall())"
    )
    process = subprocess.run([OLDEST, "-c", script], capture_output=True, text=True, check=False)
    assert not process.returncode, process.stderr
    return process.stdout.splitlines()


def test_sqlalchemy_reads_the_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A BI tool that speaks SQLAlchemy sees schemas, tables and typed columns, and reads them."""
    begin_published(project, monkeypatch, "usage.duckdb")
    engine = sqlalchemy.create_engine(
        f"duckdb:///{project.folder / 'usage.duckdb'}",
        connect_args={"read_only": True},
        poolclass=sqlalchemy.NullPool,
    )
    inspector = sqlalchemy.inspect(engine)
    assert set(MARTS) <= set(inspector.get_table_names(schema="wolkvox_billing_marts"))
    with engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text(USAGE)).fetchall()
        assert [tuple(row) for row in rows] == [(date(2026, 11, 10), Decimal("40.0000"))]
        text = "INSERT INTO wolkvox_billing.polls (poll_id) VALUES ('mine')"
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="read-only"):
            connection.execute(sqlalchemy.text(text))
    engine.dispose()


def test_psql_reads_the_marts(
    project: Project, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """On PostgreSQL psql reads the views in place, and shows their comments."""
    project.destination, project.dsn = "postgres", request.getfixturevalue("new_database")()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    day(project, 10, "40")

    def psql(*words: str) -> str:
        process = subprocess.run(
            ["/usr/bin/env", "psql", project.dsn, "-At", *words],
            capture_output=True,
            text=True,
            check=True,
        )
        return process.stdout

    assert psql("-c", USAGE) == "2026-11-10|40.0000\n"
    assert "What was used" in psql("-c", r"\d+ wolkvox_billing_marts.usage_daily") or (
        "What was used" in psql("-c", "SELECT col_description('wolkvox_billing_marts.usage_daily'"
                                "::regclass, 7)")
    )  # fmt: skip


HOLDER = """
import sys, duckdb
db = duckdb.connect(sys.argv[1], read_only=True)
for line in sys.stdin:
    print(db.execute("SELECT COUNT(*) FROM wolkvox_billing_marts.usage_daily").fetchone()[0],
          flush=True)
"""
CROWD = """
import os, sys, duckdb

def look():
    path = os.path.realpath(sys.argv[1])  # of a folder: one version, whatever comes in between
    if path.endswith(".duckdb"):
        db = duckdb.connect(path, read_only=True)
        tables = ("wolkvox_billing.readings", "wolkvox_billing_marts.usage_daily")
    else:
        db = duckdb.connect()
        files = ("wolkvox_billing/readings", "wolkvox_billing_marts/usage_daily")
        tables = [f"'{path}/{file}.parquet'" for file in files]
    with db:
        read, used = (db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables)
    assert read == used, (read, used)
    return used

for line in sys.stdin:
    print(look(), flush=True)
    while look() != int(line):
        pass
"""


@contextmanager
def reader_of(path: str, script: str) -> Iterator[Callable[[int], int]]:
    """Let another process read a copy that will have so many days, and yield what asks it how many
    there are. HOLDER has the file open, CROWD opens it until it has those. It has to end well."""
    with subprocess.Popen(
        [sys.executable, "-c", script, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        to, answers = reader.stdin, reader.stdout
        assert to and answers

        def ask(days: int) -> int:
            print(days, file=to, flush=True)
            return int(answers.readline())

        yield ask
        to.close()
        assert reader.wait() == 0


def test_readers_of_a_file_that_is_published_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the old file open reads on in it; whoever opens it later sees the new one; who
    opens it all the time finds it whole, and can finish."""
    path = "usage.duckdb"
    begin_published(project, monkeypatch, path)
    with reader_of(path, HOLDER) as holder, reader_of(path, CROWD) as crowd:
        assert holder(1) == 1
        day(project, 12, "90")
        assert crowd(2) == 1
        publish_copy(project, path, monkeypatch)
        assert holder(2) == 1
    with closing(duckdb.connect(path, read_only=True)) as db:
        assert db.execute(USAGE).fetchall()[-1] == (date(2026, 11, 12), Decimal("50.0000"))
    assert sorted(os.listdir()) == [path, "wolkvox.duckdb"]


def test_readers_of_a_folder_that_is_published_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opens it all the time, while it is published again and again, finds it whole, and can
    finish: the folder before the newest stays, older ones go."""
    begin_published(project, monkeypatch, "usage")
    versions = [Path("usage").resolve()]
    with reader_of("usage", CROWD) as crowd:
        for days, number in ((2, 11), (3, 12)):
            day(project, number, f"{number * 10}")
            assert crowd(days) == days - 1
            versions.append(publish_copy(project, "usage", monkeypatch).path.resolve())
    assert {name for name in os.listdir() if name.startswith(".")} == {".usage.versions"}
    assert [version.exists() for version in versions] == [False, True, True]


def test_a_path_that_cannot_be_meant_is_refused(project: Project) -> None:
    """The warehouse itself, by another path too; a name that makes a schema ambiguous; a file, link
    or folder of somebody's; a place that cannot be written: each is refused and left as it is."""
    once(project, day, 10, "40")
    (project.folder / "mine").mkdir()
    (project.folder / "mine" / "letter.txt").write_text("dear")
    (project.folder / "link").symlink_to("mine")
    (project.folder / "there").symlink_to(".")
    with closing(duckdb.connect("own.duckdb")) as db:
        db.execute("CREATE TABLE t (a INTEGER)")
    for path in ("there/wolkvox.duckdb", "wolkvox.duckdb", "wolkvox_billing.duckdb", "mine",
                 "link", "own.duckdb", "mine/letter.txt"):  # fmt: skip
        with pytest.raises(SettingsError, match=path):
            publish(path)
    with pytest.raises(WolkvoxError, match="could not be written"):
        publish("mine/letter.txt/usage.duckdb")
    assert os.listdir("mine") == ["letter.txt"]
    assert os.readlink("link") == "mine"
    with closing(duckdb.connect("own.duckdb", read_only=True)) as db:
        assert db.execute("FROM t").fetchall() == []
    assert len(project.query("SELECT * FROM readings")) == 1


def test_a_failed_copy_leaves_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a copy fails half-way the old one stays, nothing is left beside it, and it is said."""
    begin_published(project, monkeypatch, "usage.duckdb")
    before = Path("usage.duckdb").read_bytes()
    monkeypatch.setattr("wolkvox_billing.verbs.publish.STORAGE_VERSION", "v0.0.1")
    with pytest.raises(WolkvoxError, match=r"usage\.duckdb could not be written"):
        publish_copy(project, "usage.duckdb", monkeypatch)
    assert Path("usage.duckdb").read_bytes() == before
    assert sorted(os.listdir()) == ["usage.duckdb", "wolkvox.duckdb"]


def test_nothing_is_published_before_a_load(warehouse: Project) -> None:
    """Without tables there is nothing to publish, which is said; no file is made."""
    with pytest.raises(WarehouseError, match="wolkvox-billing load"):
        publish("usage.duckdb", destination=warehouse.destination)
    assert os.listdir() == []


LINE_MAP = MAP  # without a row
RATE_CARD, DEARER = ONE_PRICE, ONE_PRICE.replace("100", "200")


def judge(project: Project) -> None:
    """Readings of October, and as of the last day of it the verdict on them: the month is
    open."""
    Path("line_map.csv").write_text(LINE_MAP)
    Path("rate_card.csv").write_text(RATE_CARD)
    row = {"operation": "ACME", "description": "Audios"}
    calls = [
        Call(datetime(2026, 10, n, 17, tzinfo=timezone.utc),
             [{**row, "items": items, "date": f"2026-10-{n}"}])
        for n, items in ((15, "500"), (31, "1000"))
    ]  # fmt: skip
    write_polls(project, *calls, measures=MEASURES)
    clock = lambda: project.vendor.now  # noqa: E731
    reconcile("2026-10", destination=project.destination, policy=Policy(), clock=clock)


OVERDUE = datetime(2026, 12, 24, 17, tzinfo=timezone.utc)  # the invoice of October is not there
COPIED = (
    "SELECT reconciliation_status, verdicts_epoch, as_of_epoch "
    "FROM wolkvox_billing_marts.invoice_reconciliation CROSS JOIN wolkvox_billing_marts.refreshed "
    "WHERE billing_period_start = '2026-10-01'"
)


def verdict_in_copy(project: Project) -> tuple[Snapshot, tuple[Any, ...]]:
    """Return what is published when the month is long over, and of October's verdict in it the
    status, its moment, and that of the usage beside it."""
    snapshot = publish("usage.duckdb", destination=project.destination, clock=lambda: OVERDUE)
    with closing(duckdb.connect(str(snapshot.path), read_only=True)) as db:
        [verdict] = db.execute(COPIED).fetchall()
    return snapshot, verdict


def test_verdicts_are_of_the_moment_that_the_copy_states(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the line map, the rate card and the settings are at hand by which the verdicts were
    made, wherever the files are, they are made anew: the copy's verdicts are of its own moment."""
    once(warehouse, judge)
    assert warehouse.query(COPIED)[0][0] == "open_period"
    Path("line_map.csv").rename("our_map.csv")
    monkeypatch.setenv("RECONCILIATION__LINE_MAP", "our_map.csv")
    snapshot, verdict = verdict_in_copy(warehouse)
    moment = int(OVERDUE.timestamp())
    assert verdict == ("usage_not_invoiced", moment, moment)
    assert snapshot.warnings == ()
    assert warehouse.query(COPIED) == [verdict]


ELSEWHERE: dict[str, Callable[[pytest.MonkeyPatch], object]] = {
    "no files": lambda _: Path("line_map.csv").rename("gone.csv"),
    "another rate card": lambda _: Path("rate_card.csv").write_text(DEARER),
    "another setting": lambda patch: patch.setenv("RECONCILIATION__TOLERANCE_PERCENT", "5"),
    "wrong": lambda patch: patch.setenv("RECONCILIATION__TOLERANCE_PERCENT", "-5"),
}


def test_a_machine_with_other_rules_judges_nothing(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the verdicts were made by other rules than are at hand they stay as they are, in the
    warehouse too; the copy has their moment, and a warning tells of it. The copy is made for one
    such machine, and what it is told by is asked for each."""
    once(warehouse, judge)
    before = warehouse.query(COPIED)[0][:2]
    assert before == (
        "open_period",
        int(datetime(2026, 10, 31, 17, tzinfo=timezone.utc).timestamp()),
    )
    stayed = (*before, int(OVERDUE.timestamp()))
    for kind, change in ELSEWHERE.items():
        with monkeypatch.context() as patch:
            change(patch)
            if kind == "another rate card":
                snapshot, verdict = verdict_in_copy(warehouse)
                assert verdict == stayed
                [warning] = snapshot.warnings
            else:
                with opened(warehouse.destination, reads=True) as pipeline:
                    refresh(pipeline, None, OVERDUE)
                    [warning] = _renew_verdicts(pipeline)
        assert warehouse.query(COPIED) == [stayed], kind
        assert warning.startswith(
            "the verdicts are as of 2026-10-31 12:00 (America/Bogota), and stay: "
        )
        assert ("tolerance_percent" in warning) == (kind == "wrong")
        Path("line_map.csv").write_text(LINE_MAP)
        Path("rate_card.csv").write_text(RATE_CARD)
