"""Delta tables in a folder, and their marts in a real Spark: the rows are DuckDB's.

Delta's jars are not on PyPI, so Spark reads the files that Delta's log says are live.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from builders.project import NOON, TOKENS, Project, configure, empty_project
from fake_wolkvox import Vendor
from wolkvox_billing.closing import close
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.marts.engine import MARTS
from wolkvox_billing.polling import polls
from wolkvox_billing.reconciliation.contract.templates import write_templates
from wolkvox_billing.verbs.explain import explain
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.verbs.load import marts_sql, refresh_marts
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.reconcile import init, reconcile
from wolkvox_billing.verbs.status import status

COUNTER, GAUGE, DAILY = "rsync_s3_mp3", "agent_script", "ivr_minutes"
ROOT = Path(__file__).parent.parent.parent
RAW = ("polls", "readings", "rejected_rows", COUNTER, GAUGE, DAILY)
# What is made of polls alone, and so has rows in a story without papers, contract and bucket.
READ = (*RAW, "usage_daily", "usage_monthly", "usage_restatements", "poll_coverage")


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A Spark of this machine alone; its tables are in a folder that goes with it."""
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("spark")),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.log.level": "ERROR",
        "spark.ui.showConsoleProgress": "false",
        # A minute of work is over before it pays to compile it well.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: Vendor) -> Project:
    """A project that polls the operation `acme` into Delta tables in a folder."""
    project = empty_project(tmp_path, monkeypatch, vendor)
    project.destination = "filesystem"
    url = project.folder.joinpath("lake").as_uri()
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", url)
    return project


def delta(lake: Project, table: str) -> DeltaTable:
    return DeltaTable(str(lake.folder / "lake" / "wolkvox_billing" / table))


def stored(lake: Project, table: str) -> list[dict[str, Any]]:
    """Return the rows of a Delta table, without dlt's own columns."""
    rows = delta(lake, table).to_pyarrow_table().to_pylist()
    return [{name: value for name, value in row.items() if name[:5] != "_dlt_"} for row in rows]


def row(items: str, day: str, product: str = "Audios", name: str = "acme") -> dict[str, str]:
    return {"operation": name.upper(), "description": product, "items": items, "date": day}


def test_delta_tables_have_the_types(lake: Project) -> None:
    """Counts are decimals, times are UTC, dates are dates, the answer is bytes, in Delta's own
    schema; and what holds no row yet is a table too."""
    lake.vendor.answer(TOKENS["acme"], COUNTER, [row("10.5", "2026-11-10")])
    assert lake.load().is_good
    types = {
        name: {field.name: str(field.type.type) for field in delta(lake, name).schema().fields}
        for name in ("polls", "readings", "rejected_rows", COUNTER)
    }
    assert types[COUNTER]["items"] == types["readings"]["items"] == "decimal(18,4)"
    assert types[COUNTER]["date"] == types["polls"]["poll_date"] == "date"
    assert types[COUNTER]["read_at"] == types["polls"]["started_at"] == "timestamp"
    assert (types["polls"]["answer"], types["readings"]["row_number"]) == ("binary", "long")
    assert types["readings"]["is_repeated"] == "boolean"
    assert types["rejected_rows"]["raw"] == "string"
    assert stored(lake, "rejected_rows") == []
    [poll] = stored(lake, "polls")
    assert poll["started_at"] == NOON
    assert json.loads(poll["answer"])["data"] == [row("10.5", "2026-11-10")]


def test_a_value_grows_and_nothing_is_lost_or_doubled(lake: Project, tmp_path: Path) -> None:
    """A later answer for the same date is the newest reading, each reading stays, a row that cannot
    be read is a row with its reason, a field that the vendor adds is a column, and an answer that
    is loaded again, as after a kill, adds nothing."""
    spooled: dict[Path, bytes] = {}

    def copy(_: object) -> None:
        files = tmp_path.glob("dlt/wolkvox-billing/*/spool/*.poll")
        spooled.update((file, file.read_bytes()) for file in files)

    lake.vendor.answer(TOKENS["acme"], COUNTER, [row("10", "2026-11-10")])
    assert lake.load().is_good
    lake.later(hours=1)
    answer = [row("12", "2026-11-10") | {"site": "N"}, row("x", "?")]
    lake.vendor.answer(TOKENS["acme"], COUNTER, answer)
    assert lake.load(on_event=copy).is_good
    for table in ("polls", "readings", COUNTER):
        delta(lake, table).optimize.compact()
    [(file, content)] = spooled.items()
    file.write_bytes(content)
    assert lake.load().is_good
    assert not file.exists()
    [newest] = stored(lake, COUNTER)
    assert (newest["items"], newest["read_at"]) == (Decimal(12), NOON + timedelta(hours=1))
    readings = sorted(stored(lake, "readings"), key=lambda reading: reading["read_at"])
    assert [(reading["items"], reading["site"]) for reading in readings] == [(10, None), (12, "N")]
    [rejected] = stored(lake, "rejected_rows")
    assert (rejected["row_number"], json.loads(rejected["raw"])["items"]) == (2, "x")
    assert len(stored(lake, "polls")) == 2


def test_a_folder_that_is_away(lake: Project) -> None:
    """While the folder cannot be had the polling goes on, and the next load takes all along."""
    place = lake.folder / "lake"
    place.write_text("in the way")
    lake.vendor.answer(TOKENS["acme"], COUNTER, [row("10", "2026-11-10")])
    [problem] = lake.load().problems
    assert problem.startswith("not loaded, kept in the working folder for the next load: ")
    place.unlink()
    lake.later(hours=1)
    lake.vendor.answer(TOKENS["acme"], COUNTER, [row("11", "2026-11-10")])
    assert lake.load().is_good
    assert sorted(reading["items"] for reading in stored(lake, "readings")) == [10, 11]
    assert [newest["items"] for newest in stored(lake, COUNTER)] == [11]


@pytest.mark.parametrize(
    "verb",
    [
        lambda: status(destination="filesystem"),
        lambda: publish("copy.duckdb", destination="filesystem"),
        lambda: invoices(["."], destination="filesystem"),
        lambda: reconcile(destination="filesystem"),
        lambda: init(destination="filesystem"),
        lambda: explain("2026-11", destination="filesystem"),
        lambda: close("2026-11", destination="filesystem"),
    ],
)
def test_other_verbs_say_what_to_do(lake: Project, verb: Callable[[], Any]) -> None:
    """What needs a database says so, and what makes the marts instead."""
    write_templates(lake.folder / "line_map.csv", lake.folder / "rate_card.csv")
    with pytest.raises(SettingsError, match=r"does not read Delta tables: .*-billing sql spark"):
        verb()


def test_refresh_leaves_the_marts_to_others(lake: Project) -> None:
    """`refresh` ends well, as the DAG needs it, and says what makes the marts."""
    [warning] = refresh_marts(destination="filesystem").warnings
    assert warning == "the marts on filesystem are made by `wolkvox-billing sql`"


def test_the_commands_of_the_page(lake: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/lake.md says to type makes Delta tables, and the statements for Spark."""
    page = (ROOT / "docs" / "lake.md").read_text()
    [block] = re.findall(r"```sh\n(.*?)```", page, re.S)
    pip, *commands = block.replace("file:///srv/", f"{lake.folder.as_uri()}/").splitlines()
    assert pip == "pip install './wolkvox-billing[lake]'"
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    subprocess.run(["/bin/sh", "-ec", "\n".join(commands)], stdin=subprocess.DEVNULL, check=True)
    assert len(stored(lake, "polls")) == 1
    views = re.findall(r"CREATE VIEW wolkvox_billing_marts.(\w+)", Path("marts.sql").read_text())
    assert set(views) == set(MARTS)  # what they are made of lies in a schema of its own


def live(spark: SparkSession, table: DeltaTable) -> DataFrame:
    """Return a Delta table's rows in Spark: of its live files, by the schema in its log."""
    schema = StructType.fromJson(json.loads(table.schema().to_json()))
    files = table.file_uris()
    return spark.read.schema(schema).parquet(*files) if files else spark.createDataFrame([], schema)


def live_through(project: Project) -> datetime:
    """Load a story of two operations over the turn of a month, asked in one order each time: a
    counter, a gauge and a list of days, with restated days, refusals, a rename and days without a
    poll."""
    vendor, moment = project.vendor, NOON
    acme, beta = TOKENS["acme"], TOKENS["beta"]
    counted = ("10-27 40", "10-28 55", "10-29 54.5", "10-31 90", "11-01 3", "11-02 8.25", "11-03 8")
    for number, (day, items) in enumerate(pair.split() for pair in counted):
        moment = datetime.fromisoformat(f"2026-{day}T23:50:00-05:00")
        vendor.now, today = moment, f"2026-{day}"
        days = [(moment.date() - timedelta(days=back)).isoformat() for back in (1, 0)]
        for token, name in ((acme, "acme"), (beta, "beta")):
            more = [row("1.0001", days[0], "Copia")] if number % 3 == 2 else []
            vendor.answer(token, COUNTER, [row(items, today, name=name), *more])
            vendor.answer(token, GAUGE, [row(str(7 + number % 3), today, "Guión 'ñ'", name)])
            values = [
                row(str(number + 5), days[0], name=name),
                row(str(number + 2), days[1], name=name),
            ]
            vendor.answer(token, DAILY, [*values, row("1.234,5", days[1], "Otro", name)])
        if number == 3:  # the last hour of a month
            vendor.misbehave("maintenance", token=beta)
        if number == 1:
            vendor.misbehave("token_busy", token=acme, report=GAUGE, times=1)
        report = project.load(
            reports=[COUNTER, GAUGE, DAILY], max_parallel=1, gauge_month="average"
        )
        assert report.problems == []
        vendor.behave()
    return moment


def test_the_marts_in_spark_are_duckdbs(
    lake: Project, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delta tables hold the rows that DuckDB's do, and the marts that Spark makes of them too: each
    column but dlt's own, decimals to the last digit, times in UTC."""
    configure(monkeypatch, lake.vendor, "acme", "beta")
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__GAUGE_MONTH", "average")
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__MEASURES", f'{{"{COUNTER}": "month_to_date"}}')
    on_duckdb = Project(lake.folder, lake.vendor)
    for project in (on_duckdb, lake):
        numbers = map("{:03}".format, count())
        monkeypatch.setattr(polls, "new_poll_id", lambda at, of=numbers: f"{at:%s}-{next(of)}")
        now = live_through(project)
    spark.sql("CREATE DATABASE wolkvox_billing")
    for table in ("polls", "readings"):
        live(spark, delta(lake, table)).write.saveAsTable(f"wolkvox_billing.{table}")
    for statement in marts_sql("spark", clock=lambda: now):
        spark.sql(statement)
    tables = {f"wolkvox_billing.{name}": stored(lake, name) for name in RAW}
    for name in (f"wolkvox_billing_marts.{mart}" for mart in MARTS):
        tables[name] = spark.table(name).toArrow().to_pylist()
    for name, rows in tables.items():
        columns = ", ".join(rows[0]) if rows else "*"
        expected = on_duckdb.query(f"SELECT {columns} FROM {name}")
        assert sorted(", ".join(map(exactly, row.values())) for row in rows) == sorted(
            ", ".join(map(exactly, values)) for values in expected
        ), name
        assert bool(rows) == (name.split(".")[-1] in READ), name
    by_hand = spark.sql(
        "SELECT billing_period_start, consumed_quantity, hours_unread_at_end "
        "FROM wolkvox_billing_marts.usage_monthly WHERE operation_id = 'beta' "
        f"AND report = '{COUNTER}' AND product = 'Audios' ORDER BY 1"
    ).collect()
    assert [tuple(month) for month in by_hand] == [
        (date(2026, 10, 1), Decimal("54.5000"), Decimal("48.1667")),
        (date(2026, 11, 1), Decimal("8.0000"), None),
    ]


def exactly(value: Any) -> str:
    """Return a value with its type; a time as UTC."""
    if isinstance(value, datetime):
        return f"{value.timestamp():.6f}"
    return repr(bytes(value) if isinstance(value, (bytes, bytearray)) else value)
