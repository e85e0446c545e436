"""What was used, by the marts: on DuckDB and on PostgreSQL, against tables written by hand."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders.killing import Stable
from builders.project import SERVERS, TOKENS, Project, configure
from builders.record import Call, write_polls
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.marts.engine import MARTS, STAR
from wolkvox_billing.marts.sql import VIEWS
from wolkvox_billing.marts.view_files import view_sql
from wolkvox_billing.reconciliation.contract import line_map, rate_card
from wolkvox_billing.verbs.load import refresh_marts
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.status import status
from wolkvox_billing.warehouse.place import DATASET, resolved

pytestmark = pytest.mark.usefixtures("kept_open")
REPORT = "rsync_s3_mp3"
COUNTER = {"measures": {REPORT: "month_to_date"}}
DAILY = "product, usage_date, measure, consumed_quantity, days_covered, month_to_date_quantity"
MONTHLY = (
    "product, billing_period_start, measure, measure_source, consumed_quantity, last_quantity, "
    "sum_of_daily_quantity, is_closed_period, hours_unread_at_end"
)
RESTATED = "usage_date, read_at, previous_quantity, quantity, quantity_change, previous_read_at"
COVERAGE = "poll_date, polls, polls_answered, largest_gap_minutes, refusals"


def at(text: str, zone: str = "America/Bogota") -> datetime:
    """A moment on the vendor's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)


def say(
    project: Project, moment: str, *rows: str, report: str = REPORT, name: str = "acme", **more: Any
) -> None:
    """A call at a moment in Bogotá; the vendor answers rows of `date items [product]`."""
    write_polls(project, call(moment, *rows, report=report, name=name), **more)


def call(moment: str, *rows: str, report: str = REPORT, name: str = "acme") -> Call:
    answer = []
    for row in rows:
        day, items, product = f"{row} Audios".split()[:3]
        answer.append(
            {"operation": name.upper(), "description": product, "items": items, "date": day}
        )
    return Call(at(moment), answer, report, name)


def counter(project: Project, days: str, **more: Any) -> None:
    """A poll at 23:50 of each `MM-DD:items` of 2026; the counter's date is that of the query."""
    listed = (day.split(":") for day in days.split())
    calls = [call(f"2026-{day} 23:50", f"2026-{day} {items}") for day, items in listed]
    write_polls(project, *calls, **more)


def came_to(project: Project, moment: str, outcome: str, status: int) -> None:
    """Let the poll of a moment, which has no reading, be one that came to this outcome."""
    project.execute(
        f"UPDATE wolkvox_billing.polls SET outcome = '{outcome}', http_status = {status} "
        f"WHERE started_at = '{at(moment).isoformat()}' AND rows = 0"
    )


def rows(project: Project, mart: str, columns: str, where: str = "TRUE") -> list[str]:
    """A mart's rows as texts, in the order of their columns: numbers without needless zeros."""
    records = project.query(
        f"SELECT {columns} FROM wolkvox_billing_{'marts' if mart in MARTS else 'internal'}.{mart} "
        f"WHERE {where} ORDER BY {columns}"
    )
    return [" ".join(map(_written, row)) for row in records]


def _written(value: Any) -> str:
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return f"{value.astimezone(ZoneInfo('America/Bogota')):%d/%H:%M}"
    return "-" if value is None else str(value)


def table(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def test_a_day_under_two_names_is_one(warehouse: Project) -> None:
    """An operation that the vendor renames within a day has one row for it, under its newest name:
    with the last reading, and the moment of the first, which came under the older one."""
    calls = []
    for hour, name, items in map(str.split, ("08 ACME 10", "09 ACME 12", "15 SAS 30", "16 SAS 31")):
        row = {"operation": name, "description": "Audios", "items": items, "date": "2026-11-10"}
        calls.append(Call(at(f"2026-11-10 {hour}:00"), [row]))
    write_polls(warehouse, *calls)
    columns = "operation_name, quantity, first_read_at, read_at"
    assert rows(warehouse, "day_readings", columns) == ["SAS 31 10/08:00 10/16:00"]
    assert rows(warehouse, "stg_readings", "operation_name, name_as_read, quantity") == [
        "SAS ACME 10",
        "SAS ACME 12",
        "SAS SAS 30",
        "SAS SAS 31",
    ]


def test_a_month_to_date_counter_with_a_gap(warehouse: Project) -> None:
    """Three days that nobody read are spanned by the next one, whose days_covered tells; they are
    rows in poll_coverage, no use is invented for them, and the days add up to the month."""
    days = "10-01:10 10-02:25 10-06:60 10-07:60 10-08:75 10-09:80 10-10:81 10-11:100"
    counter(warehouse, days)
    assert rows(warehouse, "usage_daily", DAILY) == table("""
        Audios 2026-10-01 month_to_date 10 1  10
        Audios 2026-10-02 month_to_date 15 1  25
        Audios 2026-10-06 month_to_date 35 4  60
        Audios 2026-10-07 month_to_date  0 1  60
        Audios 2026-10-08 month_to_date 15 1  75
        Audios 2026-10-09 month_to_date  5 1  80
        Audios 2026-10-10 month_to_date  1 1  81
        Audios 2026-10-11 month_to_date 19 1 100
    """)
    assert rows(warehouse, "usage_monthly", MONTHLY) == table("""
        Audios 2026-10-01 month_to_date data 100 100 491 False -
    """)
    assert rows(warehouse, "poll_coverage", COVERAGE, "poll_date < '2026-10-08'") == table("""
        2026-10-01 1 1 1430 0
        2026-10-02 1 1 1430 0
        2026-10-03 0 0 1440 0
        2026-10-04 0 0 1440 0
        2026-10-05 0 0 1440 0
        2026-10-06 1 1 1430 0
        2026-10-07 1 1 1430 0
    """)
    assert rows(warehouse, "usage_restatements", RESTATED) == []


def test_a_daily_list(warehouse: Project) -> None:
    """An answer that lists the month's days is a daily list by the data: the days are summed."""
    write_polls(
        warehouse,
        call("2026-10-01 23:50", "2026-10-01 7"),
        call("2026-10-03 23:50", "2026-10-01 7", "2026-10-02 0", "2026-10-03 12"),
    )
    assert rows(warehouse, "usage_daily", DAILY) == table("""
        Audios 2026-10-01 daily  7 1  7
        Audios 2026-10-02 daily  0 1  7
        Audios 2026-10-03 daily 12 1 19
    """)
    assert rows(warehouse, "usage_monthly", MONTHLY) == table("""
        Audios 2026-10-01 daily data 19 12 19 False -
    """)


def test_two_dates_in_one_answer_do_not_make_a_list(warehouse: Project) -> None:
    """A counter whose answer once repeats the day before, corrected, stays a counter."""
    counter(warehouse, "10-01:10 10-02:20 10-03:30 10-04:40 10-05:50 10-06:60")
    say(warehouse, "2026-10-07 23:50", "2026-10-06 62", "2026-10-07 70")
    assert rows(warehouse, "usage_monthly", MONTHLY) == table("""
        Audios 2026-10-01 month_to_date data 70 70 282 False -
    """)
    assert rows(warehouse, "usage_restatements", RESTATED) == table("""
        2026-10-06 07/23:50 60 62 2 06/23:50
    """)


def test_a_gauge(warehouse: Project) -> None:
    """A gauge is one by its report's name; its month is the `gauge_month` of its days."""
    days = ((1, 10), (2, 12), (9, 11))
    calls = [
        call(f"2026-10-0{day} 12:00", f"2026-10-0{day} {items}", report="agent_script")
        for day, items in days
    ]
    write_polls(warehouse, *calls, gauge_month="max")
    for how, october, so_far in (
        ("max", "12", "10 12 12"),
        ("last", "11", "10 12 11"),
        ("average", "11", "10 11 11"),
    ):
        if how != "max":  # which it was written with
            now, where = warehouse.vendor.now, warehouse.destination
            refresh_marts(destination=where, clock=lambda now=now: now, gauge_month=how)  # type: ignore[misc]
        first, second, third = so_far.split()
        assert rows(warehouse, "usage_daily", DAILY) == table(f"""
            Audios 2026-10-01 gauge 10 1 {first}
            Audios 2026-10-02 gauge 12 1 {second}
            Audios 2026-10-09 gauge 11 1 {third}
        """)
        assert rows(warehouse, "usage_monthly", MONTHLY + ", consumed_unit") == table(f"""
            Audios 2026-10-01 gauge guess {october} 11 33 False - licences
        """)


def test_an_average_is_rounded_half_up(warehouse: Project) -> None:
    """1 and 2 and 2 are 1.6667 on average; 0 and 0.0001 are 0.0001."""
    write_polls(
        warehouse,
        call("2026-10-01 12:00", "2026-10-01 1 A", "2026-10-01 0 B", report="rsync"),
        call("2026-10-02 12:00", "2026-10-02 2 A", "2026-10-02 0.0001 B", report="rsync"),
        call("2026-10-03 12:00", "2026-10-03 2 A", report="rsync"),
        gauge_month="average",
    )
    assert rows(warehouse, "usage_monthly", "product, consumed_quantity") == [
        "A 1.6667",
        "B 0.0001",
    ]


def test_a_restated_day(warehouse: Project) -> None:
    """A value that changed after its day was over is a restatement, and the newest one counts; a
    value that grows on its own day is none."""
    write_polls(
        warehouse,
        call("2026-10-01 12:00", "2026-10-01 4"),
        call("2026-10-01 23:50", "2026-10-01 9"),
        call("2026-10-02 23:50", "2026-10-01 11", "2026-10-02 5"),
        call("2026-10-03 00:10", "2026-10-01 8", "2026-10-02 5"),
        measures={REPORT: "daily"},
    )
    assert rows(warehouse, "usage_restatements", RESTATED) == table("""
        2026-10-01 02/23:50  9 11  2 01/23:50
        2026-10-01 03/00:10 11  8 -3 02/23:50
    """)
    assert rows(warehouse, "usage_daily", DAILY) == table("""
        Audios 2026-10-01 daily 8 1  8
        Audios 2026-10-02 daily 5 1 13
    """)


def test_a_value_that_falls_on_its_own_day(warehouse: Project) -> None:
    """A value that falls is a restatement on its own day too."""
    hours = (("09", 5), ("12", 7), ("15", 6))
    calls = [call(f"2026-10-01 {hour}:00", f"2026-10-01 {items}") for hour, items in hours]
    write_polls(warehouse, *calls)
    assert rows(warehouse, "usage_restatements", RESTATED) == table("""
        2026-10-01 01/15:00 7 6 -1 01/12:00
    """)


def test_who_only_reads_changes_no_meaning(warehouse: Project, tmp_path: Path) -> None:
    """`status` and `publish` move the marts' clock, and leave what the numbers mean to `load`."""
    say(warehouse, "2026-10-01 12:00", "2026-10-01 5", **COUNTER)
    later = at("2026-11-02 12:00")
    status(destination=warehouse.destination, clock=lambda: later)
    if not warehouse.dsn:  # it refreshes the marts by the same function, and copies them for long
        publish(tmp_path / "copy.duckdb", destination=warehouse.destination, clock=lambda: later)
    assert rows(warehouse, "usage_monthly", "measure, is_closed_period") == ["month_to_date True"]


def test_a_view_that_was_dropped_comes_back(warehouse: Project) -> None:
    """A view that somebody dropped is there again after the next refresh."""
    say(warehouse, "2026-10-01 12:00", "2026-10-01 5", **COUNTER)
    warehouse.execute("DROP VIEW wolkvox_billing_marts.poll_coverage")
    refresh_marts(destination=warehouse.destination, clock=lambda: warehouse.vendor.now, **COUNTER)  # type: ignore[arg-type]
    assert len(rows(warehouse, "poll_coverage", COVERAGE)) == 1


TWICE = """
import sys
from wolkvox_billing.verbs.load import refresh_marts
print("ready", flush=True)
for line in open(sys.argv[1]):
    refresh_marts(destination="postgres", gauge_month=line.strip())
    print("done", flush=True)
"""


def test_two_refreshes_at_once(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    runs: Stable,
    new_database: Callable[[], str],
) -> None:
    """Two machines that refresh at once, each with another setting, count nothing twice."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    say(project, "2026-10-01 12:00", "2026-10-01 5", **COUNTER)
    with ExitStack() as stack:
        said = []
        for name in ("one", "two"):
            to, of = project.folder / f"{name}.to", project.folder / f"{name}.of"
            os.mkfifo(to)
            os.mkfifo(of)
            pid = runs.start(
                "script", {"code": TWICE, "words": [str(to)]}, output=of,
                errors=project.folder / f"{name}.errors",
                more={"DLT_DATA_DIR": str(project.folder / name)},
            )  # fmt: skip
            stack.callback(runs.wait, pid)
            out = stack.enter_context(of.open())
            assert out.readline() == "ready\n"
            said.append((stack.enter_context(to.open("w", buffering=1)), out))
        for round_ in range(6):
            for number, (into, _) in enumerate(said):
                into.write(("max", "last", "average")[(round_ + number) % 3] + "\n")
            assert [out.readline() for _, out in said] == ["done\n"] * 2
            assert rows(project, "usage_monthly", "last_quantity") == ["5"]
            assert project.query("SELECT COUNT(*) FROM wolkvox_billing_marts.refreshed") == [(1,)]


def test_a_counter_that_resets(warehouse: Project) -> None:
    """A counter that falls within a month is a restatement; the day's use is negative and seen, and
    the month is what the counter says last. A fall at the month's turn is no restatement."""
    counter(warehouse, "09-30:50 10-01:10 10-02:30 10-03:4 10-04:9", **COUNTER)
    assert rows(warehouse, "usage_restatements", RESTATED) == table("""
        2026-10-03 03/23:50 30 4 -26 02/23:50
    """)
    assert rows(warehouse, "usage_daily", DAILY, "usage_date > '2026-10-01'") == table("""
        Audios 2026-10-02 month_to_date  20 1 30
        Audios 2026-10-03 month_to_date -26 1  4
        Audios 2026-10-04 month_to_date   5 1  9
    """)
    assert rows(warehouse, "usage_monthly", MONTHLY) == table("""
        Audios 2026-09-01 month_to_date setting 50 50 50 True 0.1667
        Audios 2026-10-01 month_to_date setting  9  9 53 False -
    """)


def test_a_fall_is_seen_where_the_measure_is_unknown(warehouse: Project) -> None:
    """A fall keeps the data from saying that a counter is one, and shows as a restatement."""
    counter(warehouse, "10-01:10 10-02:20 10-03:30 10-04:40 10-05:50 10-06:60 10-07:70 10-08:9")
    assert rows(warehouse, "usage_monthly", MONTHLY) == table("""
        Audios 2026-10-01 - undetermined - 9 289 False -
    """)
    assert rows(warehouse, "usage_daily", DAILY, "usage_date = '2026-10-08'") == table("""
        Audios 2026-10-08 - - - -
    """)
    assert rows(warehouse, "usage_restatements", RESTATED) == table("""
        2026-10-08 08/23:50 70 9 -61 07/23:50
    """)


LOOKS = [
    ("10-01:1 10-02:2 10-03:3 10-04:4 10-05:5 10-06:6", "- undetermined"),  # 5 rises
    ("10-01:1 10-02:2 10-03:3 10-04:4 10-05:5 10-06:6 10-07:7", "month_to_date data"),
    ("09-30:5 10-01:5 10-02:6 10-03:7 10-04:8 10-05:9 10-06:10 10-07:11", "- undetermined"),
    ("09-30:0 10-01:5 10-02:6 10-03:7 10-04:8 10-05:9 10-06:10 10-07:11", "month_to_date data"),
    ("09-30:5 10-03:5 10-04:6 10-05:7 10-06:8 10-07:9 10-08:10 10-09:11",
     "month_to_date data"),  # the turn was not seen
    ("10-01:5 10-02:3 10-03:6", "- undetermined"),  # one fall
    ("10-01:5 10-02:3 10-03:6 10-04:2", "daily data"),
    ("10-01:5 10-02:5 10-03:5 10-04:5 10-05:5 10-06:5 10-07:5 10-08:5 10-09:5",
     "- undetermined"),
    ("10-01:5 10-02:5 10-03:5 10-04:5 10-05:5 10-06:5 10-07:5 10-08:5 10-09:5 10-10:5",
     "gauge data"),
]  # fmt: skip


def test_the_data_says_what_it_looks_like(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`auto` tells a counter by 6 rises without a fall and a reset at each turn of a month, a daily
    count by falls, a gauge by flatness, and says `undetermined` for less."""
    looks = [(dict(text.split(":") for text in days.split()), measure) for days, measure in LOOKS]
    calls = []
    for operation, (days, _) in zip(project.operations(len(looks)), looks, strict=True):
        name = operation["name"]
        monkeypatch.setitem(SERVERS, name, operation["server"])
        monkeypatch.setitem(TOKENS, name, operation["token"])
        calls += [
            call(f"2026-{day} 23:50", f"2026-{day} {items}", name=name)
            for day, items in days.items()
        ]
    write_polls(project, *sorted(calls, key=lambda call: call.at))
    meanings = rows(project, "usage_monthly", "operation_id, measure, measure_source")
    polls = rows(project, "poll_coverage", "operation_id, poll_date", "polls > 0")
    for number, (days, measure) in enumerate(looks):
        name = f"more-{number} "
        said = {text.removeprefix(name) for text in meanings if text.startswith(name)}
        assert said == {measure}, days
        assert len([text for text in polls if text.startswith(name)]) == len(days)


def test_a_setting_wins(project: Project) -> None:
    """What a person sets is believed over the data, and said to be a setting."""
    counter(project, "10-01:5 10-02:3 10-03:6 10-04:2")
    moment = project.vendor.now
    for measure, total in (("month_to_date", "2"), ("daily", "16"), ("gauge", "6")):
        refresh_marts(clock=lambda: moment, measures={REPORT: measure})
        assert rows(project, "usage_monthly", MONTHLY) == table(f"""
            Audios 2026-10-01 {measure} setting {total} 2 16 False -
        """)


def test_settings_come_from_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`measures` and `gauge_month` are read as dlt reads settings, and a wrong one is named before
    anything is asked."""
    section = "SOURCES__WOLKVOX_BILLING__"
    monkeypatch.setenv(section + "MEASURES", json.dumps({REPORT: "gauge"}))
    monkeypatch.setenv(section + "GAUGE_MONTH", "last")
    counter(project, "10-01:5 10-02:3")
    assert rows(project, "usage_monthly", "measure, measure_source, consumed_quantity") == [
        "gauge setting 3"
    ]
    calls = len(project.vendor.calls)
    for name, value in (("MEASURES", '{"vision": "weekly"}'), ("GAUGE_MONTH", "median")):
        monkeypatch.setenv(section + name, value)
        with pytest.raises(SettingsError, match=name.lower()):
            project.load()
        monkeypatch.delenv(section + name)
    assert len(project.vendor.calls) == calls


def test_two_products(warehouse: Project) -> None:
    """Products of one report are counted apart; each has its own measure."""
    days = [(f"2026-10-0{day}", day) for day in range(1, 8)]
    calls = [
        call(f"{day} 23:50", f"{day} {number * 10} Audios", f"{day} {9 - number} Video")
        for day, number in days
    ]
    write_polls(warehouse, *calls)
    assert rows(warehouse, "usage_monthly", MONTHLY) == table("""
        Audios 2026-10-01 month_to_date data 70 70 280 False -
        Video 2026-10-01 daily data 35 2 35 False -
    """)


def test_an_empty_month(warehouse: Project) -> None:
    """A month in which the vendor answers without rows has no usage, which is not zero; that it was
    asked and answered is in poll_coverage. The months beside it are not touched."""
    write_polls(
        warehouse,
        call("2026-09-30 23:50", "2026-09-30 40"),
        call("2026-10-01 12:00"),
        call("2026-10-03 12:00"),
        call("2026-11-01 00:10", "2026-11-01 2"),
        **COUNTER,
    )
    came_to(warehouse, "2026-10-03 12:00", "not_found", 404)
    assert rows(warehouse, "usage_monthly", MONTHLY) == table("""
        Audios 2026-09-01 month_to_date setting 40 40 40 True 0.1667
        Audios 2026-11-01 month_to_date setting  2  2  2 False -
    """)
    coverage = rows(warehouse, "poll_coverage", COVERAGE, "poll_date < '2026-10-05'")
    assert coverage == table("""
        2026-09-30 1 1 1430 0
        2026-10-01 1 1  720 0
        2026-10-02 0 0 1440 0
        2026-10-03 1 1  720 0
        2026-10-04 0 0 1440 0
    """)
    assert len(rows(warehouse, "poll_coverage", COVERAGE)) == 1 + 31 + 1


def test_a_month_whose_last_9_hours_were_not_read(warehouse: Project) -> None:
    """The hours between the last reading and the month's end are known once the month is over."""
    say(warehouse, "2026-10-31 15:00", "2026-10-31 80", **COUNTER)
    hours = "is_closed_period, hours_unread_at_end, last_quantity"
    assert rows(warehouse, "usage_monthly", hours) == ["False - 80"]
    say(warehouse, "2026-11-02 15:00", "2026-11-02 3", **COUNTER)
    assert rows(warehouse, "usage_monthly", hours, "billing_period_start < '2026-11-01'") == [
        "True 9 80"
    ]


def test_the_month_turns_at_the_vendors_midnight(warehouse: Project) -> None:
    """A query at 00:03 on the first belongs to the new month; a row of it dated in the month before
    belongs to that one, which then has no hour unread."""
    write_polls(
        warehouse,
        call("2026-10-31 23:58", "2026-10-31 90"),
        call("2026-11-01 00:03", "2026-10-31 91", "2026-11-01 1"),
        **COUNTER,
    )
    assert rows(warehouse, "usage_monthly", MONTHLY + ", billing_period_end") == table("""
        Audios 2026-10-01 month_to_date setting 91 91 91 True 0 2026-11-01
        Audios 2026-11-01 month_to_date setting  1  1  1 False - 2026-12-01
    """)
    assert rows(warehouse, "usage_daily", DAILY) == table("""
        Audios 2026-10-31 month_to_date 91 31 91
        Audios 2026-11-01 month_to_date  1  1  1
    """)
    assert rows(warehouse, "usage_restatements", RESTATED) == table("""
        2026-10-31 01/00:03 90 91 1 31/23:58
    """)


def test_two_operations_in_two_zones(warehouse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each operation's month ends, and its days begin, in its own time zone: of one that is added
    later from its first poll on; and one that is asked no more keeps its zone."""
    say(warehouse, "2026-10-31 10:00", "2026-10-31 5")
    both = [
        {"name": "acme", "server": SERVERS["acme"], "token": TOKENS["acme"]},
        {"name": "beta", "server": SERVERS["beta"], "token": TOKENS["beta"],
         "timezone": "Europe/Madrid"},
    ]  # fmt: skip
    row = {"operation": "X", "description": "Audios", "items": "5", "date": "2026-10-31"}
    for name in ("acme", "beta"):
        warehouse.vendor.answer(TOKENS[name], REPORT, [row])
    # 18:30 UTC on the 31st is 19:30 in Madrid (winter time since the 25th), 13:30 in Bogotá.
    warehouse.vendor.now = datetime(2026, 10, 31, 18, 30, tzinfo=timezone.utc)
    assert warehouse.load(operations=both).is_good
    gap = "largest_gap_minutes"
    assert rows(warehouse, "poll_coverage", gap, "operation_id = 'beta'") == ["1170"]  # to 19:30
    warehouse.vendor.now = datetime(2026, 10, 31, 23, 30, tzinfo=timezone.utc)
    configure(monkeypatch, warehouse.vendor, "acme")
    assert warehouse.load().is_good
    columns = "operation_id, is_closed_period, hours_unread_at_end"
    assert rows(warehouse, "usage_monthly", columns) == ["acme False -", "beta True 4.5"]
    now = warehouse.vendor.now
    refresh_marts(destination=warehouse.destination, clock=lambda: now)
    assert rows(warehouse, "usage_monthly", columns) == ["acme False -", "beta True 4.5"]
    assert rows(warehouse, "poll_coverage", f"operation_id, {COVERAGE}") == table("""
        acme 2026-10-31 3 3  600 0
        beta 2026-10-31 1 1 1170 0
        beta 2026-11-01 0 0   30 0
    """)


def test_coverage_counts_refusals_and_gaps(warehouse: Project) -> None:
    """A refusal is a poll and no answer: the gap goes on across it, and a day of refusals only is a
    day without an answer."""
    write_polls(
        warehouse,
        call("2026-10-01 06:00", "2026-10-01 1"),
        call("2026-10-01 10:00"),
        call("2026-10-02 12:00"),
        call("2026-10-01 20:15", "2026-10-01 2"),  # arrives late, and counts
    )
    for moment in ("2026-10-01 10:00", "2026-10-02 12:00"):
        came_to(warehouse, moment, "bad_token", 403)
    warehouse.vendor.now = at("2026-10-02 18:00")
    refresh_marts(destination=warehouse.destination, clock=lambda: warehouse.vendor.now)
    columns = f"operation_id, operation_name, report, first_answer_at, last_answer_at, {COVERAGE}"
    assert rows(warehouse, "poll_coverage", columns) == table("""
        acme ACME rsync_s3_mp3 01/06:00 01/20:15 2026-10-01 3 2  855 1
        acme ACME rsync_s3_mp3 -        -        2026-10-02 1 0 1080 1
    """)


def test_coverage_has_the_newest_name(warehouse: Project) -> None:
    """Each day has the name that the operation's last answer had, of several in it the last by the
    alphabet; products that came under one name alone rename nothing."""
    calls = []
    for day, answer in (("01", "ACME Audios"), ("02", "SAS Videos, LTD Mails"), ("03", "")):
        answered = [
            {"operation": name, "description": product, "items": "1", "date": f"2026-10-{day}"}
            for name, product in map(str.split, filter(None, answer.split(", ")))
        ]
        calls.append(Call(at(f"2026-10-{day} 12:00"), answered))
    write_polls(warehouse, *calls)
    columns = "operation_name, poll_date, polls_answered"
    assert rows(warehouse, "poll_coverage", columns) == table("""
        SAS 2026-10-01 1
        SAS 2026-10-02 1
        SAS 2026-10-03 1
    """)


def test_all_reports_in_one_place(warehouse: Project) -> None:
    """The marts hold every report that was ever loaded, a new one too, each with its unit."""
    reports = (REPORT, "ivr_minutes", "a_new_report")
    calls = [call("2026-10-01 12:00", "2026-10-01 5", report=report) for report in reports]
    write_polls(warehouse, *calls)
    assert rows(warehouse, "usage_daily", "report, consumed_unit") == table("""
        a_new_report units
        ivr_minutes minutes
        rsync_s3_mp3 audios
    """)
    assert rows(warehouse, "poll_coverage", "report") == ["a_new_report", "ivr_minutes", REPORT]


def test_over_nothing(warehouse: Project) -> None:
    """Before a load the verb says what to do; after a first refusal the marts are there, and empty
    but for the poll."""
    with pytest.raises(WarehouseError, match="wolkvox-billing load"):
        refresh_marts(destination=warehouse.destination)
    warehouse.vendor.misbehave("wrong_token")
    assert not warehouse.load().problems
    counts = {mart: len(rows(warehouse, mart, "1")) for mart in MARTS}
    assert counts == {**dict.fromkeys(MARTS, 0), "poll_coverage": 1}


def test_a_refusal_changes_nothing(warehouse: Project) -> None:
    """A refused poll leaves usage as it was."""
    counter(warehouse, "10-01:10 10-02:30", **COUNTER)
    before = rows(warehouse, "usage_daily", DAILY)
    warehouse.later(minutes=10)
    warehouse.vendor.misbehave("maintenance")
    assert not warehouse.load(**COUNTER).is_good
    assert rows(warehouse, "usage_daily", DAILY) == before
    assert len(before) == 2


def test_two_rows_of_one_key_in_one_answer(warehouse: Project) -> None:
    """The last one counts, once, and is no restatement of the first."""
    say(warehouse, "2026-10-01 12:00", "2026-10-01 9", "2026-10-01 4", **COUNTER)
    assert rows(warehouse, "usage_daily", DAILY) == ["Audios 2026-10-01 month_to_date 4 1 4"]
    assert rows(warehouse, "usage_restatements", RESTATED) == []


def test_an_absurd_number_breaks_no_view(warehouse: Project) -> None:
    """Amounts of 14 digits whose sum does not fit are NULL there; all else stays readable."""
    most = "99999999999999"
    write_polls(
        warehouse,
        call("2026-10-01 12:00", f"2026-10-01 {most}", "2026-10-01 5 Video"),
        call("2026-10-02 12:00", f"2026-10-02 {most}", "2026-10-02 6 Video"),
        call("2026-10-03 12:00", f"2026-10-03 -{most}", "2026-10-03 7 Video"),
    )
    columns = "product, last_quantity, sum_of_daily_quantity"
    assert rows(warehouse, "usage_monthly", columns) == [f"Audios -{most} {most}", "Video 7 18"]
    refresh_marts(
        destination=warehouse.destination,
        clock=lambda: warehouse.vendor.now,
        measures={REPORT: "month_to_date"},
    )
    columns = "product, usage_date, consumed_quantity"
    assert rows(warehouse, "usage_daily", columns, "usage_date = '2026-10-03'") == [
        "Audios 2026-10-03 -",
        "Video 2026-10-03 1",
    ]


def test_numbers_are_numbers_and_dates_are_dates(warehouse: Project) -> None:
    """A BI tool sees DECIMAL(18,4), BIGINT, DATE, timestamps with time zone and BOOLEAN."""
    say(warehouse, "2026-10-01 12:00", "2026-10-01 5")
    columns = warehouse.query(
        "SELECT column_name, lower(data_type) FROM information_schema.columns "
        "WHERE table_schema = 'wolkvox_billing_marts' "
        "AND table_name IN ('usage_daily', 'usage_monthly', 'usage_restatements', 'poll_coverage')"
    )
    names = {"double precision": "double", "character varying": "text", "varchar": "text"}
    kinds = {
        column: names.get(kind, kind).replace("numeric", "decimal(18,4)")
        for column, kind in columns
    }
    expected = {
        "timestamp with time zone": "first_answer_at first_read_at last_answer_at last_read_at "
        "previous_read_at read_at",
        "date": "billing_period_end billing_period_start poll_date usage_date",
        "bigint": "days_covered largest_gap_minutes polls polls_answered refusals",
        "boolean": "is_closed_period",
        "decimal(18,4)": "consumed_quantity hours_unread_at_end last_quantity "
        "month_to_date_quantity previous_quantity quantity quantity_change sum_of_daily_quantity",
        "text": "consumed_unit measure measure_source month_label operation_id operation_name "
        "poll_id product report",
    }
    assert kinds == {column: kind for kind, listed in expected.items() for column in listed.split()}


def test_each_view_and_column_has_a_comment(warehouse: Project) -> None:
    """A BI tool shows a sentence for each view and column, in the database itself."""
    say(warehouse, "2026-10-01 12:00", "2026-10-01 5")
    schemas = "('wolkvox_billing_marts', 'wolkvox_billing_internal', 'wolkvox_billing_bi')"
    if warehouse.destination == "duckdb":
        comments = warehouse.query(
            "SELECT view_name, NULL, comment FROM duckdb_views() "
            f"WHERE schema_name IN {schemas} UNION ALL "
            "SELECT c.table_name, c.column_name, c.comment FROM duckdb_columns() c "
            "JOIN duckdb_views() v ON v.view_name = c.table_name "
            f"AND v.schema_name = c.schema_name WHERE c.schema_name IN {schemas}"
        )
    else:
        own = f"relkind = 'v' AND nspname IN {schemas}"
        comments = warehouse.query(
            "SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            f"JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE {own} "
            "UNION ALL SELECT relname, NULL, obj_description(c.oid, 'pg_class') FROM pg_class c "
            f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {own}"
        )
    assert {view for view, _, _ in comments} == set(VIEWS)
    assert len(comments) > 80
    assert [comment for comment in comments if not comment[2]] == []


def test_what_stands_on_a_mart_survives(warehouse: Project) -> None:
    """A view of somebody's own over a mart outlives loads, another setting and the year's turn."""
    say(warehouse, "2026-10-01 12:00", "2026-10-01 5", **COUNTER)
    warehouse.execute(
        "CREATE VIEW mine AS SELECT SUM(consumed_quantity) AS total "
        "FROM wolkvox_billing_marts.usage_monthly"
    )
    say(warehouse, "2026-10-02 12:00", "2026-10-02 7", measures={REPORT: "daily"})
    assert warehouse.query("SELECT total FROM mine") == [(12,)]
    say(warehouse, "2027-01-01 12:00", "2027-01-01 1", measures={REPORT: "daily"})
    assert warehouse.query("SELECT total FROM mine") == [(13,)]
    days = "SELECT MAX(calendar_date) FROM wolkvox_billing_internal.days"
    assert warehouse.query(days) == [(date(2028, 12, 31),)]


def test_a_row_of_long_ago_counts(warehouse: Project) -> None:
    """The earliest date that a reading can have has its month, and so has the newest."""
    say(warehouse, "2026-12-31 12:00", "2000-01-01 5", "2027-01-01 6", **COUNTER)
    assert rows(warehouse, "usage_monthly", "billing_period_start, last_quantity") == [
        "2000-01-01 5",
        "2027-01-01 6",
    ]


def test_both_engines_give_the_same_rows(
    project: Project, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Whatever was polled, each mart has the same rows on DuckDB and on PostgreSQL, to the digit.

    The last polls are not the same calls, so that their ids differ: those are left out.
    """
    other = Project(project.folder, project.vendor, "postgres")
    other.dsn = request.getfixturevalue("new_database")()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", other.dsn)
    configure(monkeypatch, project.vendor, "acme", "beta", "gama")
    reports = [REPORT, "interactions", "contact_center_licenses"]
    Path("line_map.csv").write_text(",".join(line_map.COLUMNS) + "\n")
    rate = f"{REPORT},,,0,100,COP,2026-01-01,"
    Path("rate_card.csv").write_text(f"{','.join(rate_card.COLUMNS)}\n{rate}\n")
    project.vendor.now = at("2026-09-28 21:00")
    for step in range(9):
        project.vendor.behave()
        if step in (3, 7):
            project.vendor.misbehave("maintenance", token=TOKENS["beta"])
        project.poll(reports=reports)
        project.later(hours=13 if step % 3 else 60)
    spools = [resolved(place.destination, DATASET)[0].spool for place in (project, other)]
    shutil.copytree(*spools, dirs_exist_ok=True)
    for place in (project, other):
        place.load(reports=reports, gauge_month="average", pace_minutes=300)
    # The stand-in's own counters grow and restart; here is a list, restated, with an odd number.
    listed = ["2026-10-08 1.25", "2026-10-09 3", "2026-10-08 2.5 Video"]
    for extra in ([], ["2026-10-08 0.0001"]):
        for place in (project, other):
            say(place, f"2026-10-1{len(extra)} 09:00", *listed, *extra, report="vision")
    for mart in (*MARTS, *STAR):
        schema = "wolkvox_billing_bi" if mart in STAR else "wolkvox_billing_marts"
        query = f"SELECT * FROM {schema}.{mart}"
        answers = [place.query_dicts(query) for place in (project, other)]
        assert answers[0] == answers[1]
        is_of_others = mart in (
            "invoice_components", "invoice_settlement", "claims_open", "bucket_daily",
            "copy_reconciliation", "verdict_documents", "focus_costs", "usage_anomalies",
            "dim_document", "bridge_verdict_document", "fact_component",
        )  # fmt: skip
        assert answers[0] or is_of_others, mart


def test_the_files_say_their_grain() -> None:
    """Each view is a file, and its first line is its grain."""
    from wolkvox_billing.marts import sql

    folder = Path(sql.__file__).parent
    assert sorted(path.stem for path in folder.glob("*.sql")) == sorted(VIEWS)
    for view in VIEWS:
        assert view_sql(view).startswith("-- One row per "), view
