"""The verb `load`: what it keeps when something fails, and what it leaves when all is well."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from builders.killing import Stable
from builders.project import NOON, TOKENS, Project, held_open, with_mounts
from builders.record import Call, write_polls
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.verbs.status import status
from wolkvox_billing.warehouse import place as warehouse

pytestmark = pytest.mark.usefixtures("kept_open", "tables")
REPORT = "rsync_s3_mp3"
LATER = NOON + timedelta(hours=1)
MANY = int(os.environ.get("WOLKVOX_TEST_POLLS", "3"))  # 200 take a minute


def tell(project: Project, items: str) -> None:
    """Let the vendor answer one row with this amount."""
    project.vendor.answer(TOKENS["acme"], REPORT, [row(items)])


def row(items: str) -> dict[str, str]:
    return {"operation": "ACME", "description": "Audios", "items": items, "date": "2026-11-10"}


def stored(items: str, read_at: datetime = NOON) -> tuple[Any, ...]:
    return ("acme", "ACME", "Audios", date(2026, 11, 10), Decimal(f"{items}.0000"), read_at)


COLUMNS = "operation_id, operation, description, date, items, read_at"
TABLE = f"SELECT {COLUMNS} FROM {REPORT} ORDER BY 1, 2, 3, 4"
READINGS = f"SELECT {COLUMNS} FROM readings ORDER BY read_at"


def test_a_poll_leaves_no_pile(project: Project, tmp_path: Path) -> None:
    """After many polls all that is beside the DuckDB file is as large as after two."""

    def size() -> tuple[int, int]:
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        files = [path for path in files if ".duckdb" not in path.name]
        return len(files), sum(path.stat().st_size for path in files)

    sizes = []
    for _ in range(MANY):
        assert project.load().is_good
        project.later(minutes=10)
        sizes.append(size())
    (few_files, few_bytes), (files, bytes_) = sizes[1], sizes[-1]
    assert files == few_files > 0
    assert bytes_ == pytest.approx(few_bytes, rel=0.1)
    assert project.query("SELECT count(*) FROM polls") == [(MANY,)]


def test_a_wiped_working_folder_changes_nothing(warehouse: Project, tmp_path: Path) -> None:
    """With the working folder gone the tables stay as they are; what was asked a moment ago is
    known from the destination, and the next poll goes on."""
    tell(warehouse, "5")
    assert warehouse.load().is_good
    shutil.rmtree(tmp_path / "dlt")
    assert warehouse.query(TABLE) == [stored("5")]
    warehouse.later(minutes=1)
    report = warehouse.load()
    assert [skip.reason for skip in report.skips] == ["pace"]
    assert report.is_good
    assert len(warehouse.vendor.calls) == 1
    warehouse.later(minutes=4)
    tell(warehouse, "7")
    report = warehouse.load()
    assert report.is_good and [poll.outcome for poll in report.polls] == ["ok"]
    later = NOON + timedelta(minutes=5)
    assert warehouse.query(TABLE) == [stored("7", later)]
    assert warehouse.query(READINGS) == [stored("5"), stored("7", later)]
    assert warehouse.query("SELECT count(*) FROM polls") == [(2,)]


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_a_spent_quota_survives_a_wiped_working_folder(warehouse: Project, tmp_path: Path) -> None:
    """Resting after a spent quota is known from the destination too, and ends at the vendor's
    midnight, which is 05:00 UTC. It is known by what the pace is known by, which the test before
    asks each engine."""
    warehouse.vendor.misbehave("quota_spent", times=1)
    assert not warehouse.load().is_good
    shutil.rmtree(tmp_path / "dlt")
    warehouse.later(hours=11, minutes=59)
    report = warehouse.load(force=True)
    assert [skip.reason for skip in report.skips] == ["quota"]
    assert not report.is_good
    assert len(warehouse.vendor.calls) == 1
    warehouse.later(minutes=1)
    assert warehouse.load().is_good


def test_two_project_folders_share_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two project folders of one user share no pace, no waiting answers, and no file."""
    other = Project(tmp_path / "other", project.vendor)
    other.folder.mkdir()
    tell(project, "5")
    waiting = project.poll()
    monkeypatch.chdir(other.folder)
    tell(project, "50")
    second = other.load()
    assert second.is_good
    assert [poll.outcome for poll in second.polls] == ["ok"]
    assert other.query(READINGS) == [stored("50")]
    monkeypatch.chdir(project.folder)
    project.later(hours=1)
    tell(project, "7")
    first = project.load()
    assert first.is_good and first.working_folder == waiting.working_folder
    assert project.query(READINGS) == [stored("5"), stored("7", LATER)]
    assert other.query(READINGS) == [stored("50")]
    assert (first.location, first.working_folder) != (second.location, second.working_folder)
    assert Path(second.location) == other.folder / "wolkvox.duckdb"


def test_two_destinations_share_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """DuckDB and PostgreSQL in one project folder share no pace and no waiting answers, and two
    databases of one server do not either."""
    names = [request.getfixturevalue("new_database")() for _ in range(2)]
    tell(project, "5")
    folders = {project.poll().working_folder}
    others = [Project(project.folder, project.vendor, "postgres", dsn=name) for name in names]
    for number, other in enumerate(others, 1):
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", other.dsn)
        tell(project, str(number * 10))
        report = other.load()
        assert [poll.outcome for poll in report.polls] == ["ok"]
        assert report.is_good
        folders.add(report.working_folder)
    project.later(hours=1)
    tell(project, "7")
    assert project.load().is_good
    assert project.query(READINGS) == [stored("5"), stored("7", LATER)]
    assert [other.query(READINGS) for other in others] == [[stored("10")], [stored("20")]]
    assert len(folders) == 3


def test_two_datasets_share_nothing(project: Project) -> None:
    """Two datasets in one DuckDB file share no pace and no waiting answers."""
    tell(project, "5")
    assert project.poll().is_good
    tell(project, "50")
    assert [poll.outcome for poll in project.load(dataset="second").polls] == ["ok"]
    second = READINGS.replace("readings", "second.readings")
    project.later(hours=1)
    tell(project, "7")
    assert project.load().is_good
    assert project.query(READINGS) == [stored("5"), stored("7", LATER)]
    assert project.query(second) == [stored("50")]


def test_a_locked_duckdb_file(project: Project) -> None:
    """Who holds the DuckDB file is said; the answers wait, and the next run loads them."""
    write_polls(project, Call(NOON, [row("5")]))
    tell(project, "6")
    project.later(minutes=30)
    file = project.folder / "wolkvox.duckdb"
    with held_open(file) as holder:
        report = project.load()
    assert len(report.problems) == 1
    problem = report.problems[0].removeprefix(
        "not loaded, kept in the working folder for the next load: "
    )
    assert problem.startswith(f"the DuckDB file {file} is open in another program: ")
    assert f"(PID {holder})" in problem
    assert [poll.outcome for poll in report.polls] == ["ok"]
    assert not report.is_good
    assert project.query(READINGS) == [stored("5")]
    project.later(minutes=30)
    tell(project, "7")
    assert project.load().is_good
    half = NOON + timedelta(minutes=30)
    assert project.query(READINGS) == [stored("5"), stored("6", half), stored("7", LATER)]


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_waiting_answers_do_not_stop_the_polling(warehouse: Project) -> None:
    """A run that finds waiting answers loads them and asks the vendor, both; on PostgreSQL, as
    test_what_dlt_has_damaged_is_made_anew does it on DuckDB."""
    tell(warehouse, "5")
    assert warehouse.poll().is_good
    warehouse.later(hours=1)
    tell(warehouse, "7")
    report = warehouse.load()
    assert report.is_good
    assert [poll.outcome for poll in report.polls] == ["ok"]
    assert len(warehouse.vendor.calls) == 2
    assert warehouse.query(READINGS) == [stored("5"), stored("7", LATER)]
    assert warehouse.query("SELECT count(*) FROM polls") == [(2,)]


def test_a_schedule_of_that_pace_makes_every_poll(project: Project) -> None:
    """A `load` every 5 minutes, give or take some seconds, is never too early for its own pace; one
    after 4 minutes is. What was asked by a `poll` counts as what a `load` asked."""
    for seconds, ask in ((0, project.poll), (300, project.poll), (296, project.load)):
        project.later(seconds=seconds)
        assert [poll.outcome for poll in ask().polls] == ["ok"]
    project.later(seconds=290)
    assert [poll.outcome for poll in project.poll().polls] == ["ok"]
    project.later(minutes=4)
    assert [skip.reason for skip in project.load().skips] == ["pace"]


def test_answers_for_another_address_are_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Answers that wait for an address that was mended since are not loaded into the new one, and
    are named until somebody loads them."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://a:b@127.0.0.1:1/wrong")
    other = Project(project.folder, project.vendor, "postgres")
    waiting = other.load()
    assert "kept in the working folder" in waiting.problems[0]
    other.dsn = request.getfixturevalue("new_database")()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", other.dsn)
    mended = other.load()
    assert mended.is_good
    [warning] = mended.warnings
    assert waiting.working_folder in warning
    assert status(destination="postgres").warnings[0] == warning
    assert project.load().warnings == []


def test_what_a_killed_run_left_half_done_goes(project: Project) -> None:
    """The next run removes what a killed one left of its normalizing: it would pile up."""
    first = project.load()
    dlts = Path(first.working_folder) / "pipelines" / "wolkvox"
    leftover = dlts / "normalize" / "0123456789abcdef" / "new_jobs"
    leftover.mkdir(parents=True)
    (leftover / "half.jsonl").write_text("x")
    assert project.load(force=True).is_good
    assert not leftover.parent.exists()


def change(schema: Path) -> None:
    """Make a value in dlt's file another one than its hash says."""
    schema.write_text(schema.read_text().replace('"data_type": "text"', '"data_type": "double"', 1))


def test_what_dlt_has_damaged_is_made_anew(project: Project) -> None:
    """Where dlt's own files are damaged, or gone, or somebody else's, a load begins with new ones:
    nothing is in them that is not in the destination, and nothing is lost that waits, of a `poll`
    or of a `load` that found no destination."""
    tell(project, "1")
    own = Path(project.load().working_folder) / "pipelines" / "wolkvox"
    damages: tuple[Callable[[], object], ...] = (
        lambda: (own / "state.json").write_text('{"cut'),
        lambda: change(own / "schemas" / "wolkvox_billing.schema.json"),
        lambda: shutil.rmtree(own),
    )
    for number, damage in enumerate(damages, 1):
        project.later(hours=1)
        tell(project, str(2 * number))
        if number == len(damages):
            with project.away():
                assert not project.load().is_good
        else:
            assert project.poll().is_good
        damage()
        project.later(hours=1)
        tell(project, str(2 * number + 1))
        assert project.load().is_good
        stored_items = [items for *_, items, _ in project.query(READINGS)]
        assert stored_items == [*range(1, 2 * number + 2)]


@pytest.mark.parametrize(
    "file", [":memory:", "nowhere/wolkvox.duckdb", "wolkvox_billing.duckdb", "."]
)
def test_a_file_that_cannot_be_is_said_before_asking(
    project: Project, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """A DuckDB file without a folder, or with the name of its schema, costs no call."""
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", f"duckdb:///{file}")
    with pytest.raises(SettingsError, match="DESTINATION__DUCKDB__CREDENTIALS"):
        project.load()
    assert project.vendor.calls == []


def test_fields_that_change_all_the_time_are_bounded(project: Project) -> None:
    """However often the vendor renames a field, `readings` gets no more than 30 columns for them,
    of one load or of several; the rest is in one column, and nothing is lost."""
    for first, last in ((0, 14), (14, 28), (28, 32), (32, 36), (36, 40)):
        added = {f"field_{n}": str(n) for n in range(first, last)}
        project.vendor.answer(TOKENS["acme"], REPORT, [row("5") | added])
        project.later(hours=1)
        ask = project.load if last in (28, 32, 40) else project.poll
        assert ask().is_good
    columns = project.query(
        "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'readings' "
        "AND table_schema = 'wolkvox_billing' AND column_name LIKE 'field_%'"
    )
    assert columns == [(30,)]
    others = project.query(
        "SELECT field_29, other_fields FROM readings ORDER BY read_at DESC LIMIT 3"
    )
    assert others == [
        (None, '{"field_36": "36", "field_37": "37", "field_38": "38", "field_39": "39"}'),
        (None, '{"field_32": "32", "field_33": "33", "field_34": "34", "field_35": "35"}'),
        ("29", '{"field_30": "30", "field_31": "31"}'),
    ]


# Of each of several disks, in one process, since each would import everything anew.
FULL = """
import json, os, shutil, sys
from contextlib import closing, suppress
from pathlib import Path
import duckdb
from wolkvox_billing import WolkvoxError
from wolkvox_billing.verbs.load import load

def poll():
    try:
        problems = load(force=True).problems
    except WolkvoxError as error:
        problems = [str(error)]
    with closing(duckdb.connect("wolkvox.duckdb", read_only=True)) as db:
        db.execute("SET search_path = 'wolkvox_billing'")
        rows = db.execute("SELECT poll_id FROM readings ORDER BY 1").fetchall()
        [(count,)] = db.execute("SELECT count(*) FROM rsync_s3_mp3").fetchall()
    return {"problems": problems, "readings": [poll_id for (poll_id,) in rows], "table": count}

def try_disk(disk, project, working_folder):
    os.chdir(project)
    shutil.copy(sys.argv[2], "wolkvox.duckdb")
    os.environ["DLT_DATA_DIR"] = working_folder
    results = [poll()]
    filler = Path(disk, "filler")
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 512, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    results.append(poll())
    filler.unlink()
    return [*results, poll()]

print(json.dumps([try_disk(*places) for places in json.loads(sys.argv[1])]))
"""


def test_a_full_disk(project: Project, runs: Stable, tmp_path: Path) -> None:
    """A full disk is said plainly, be it that of the tables or of the working folder; what is
    loaded stays, and with room again the next run goes on."""
    tables, working_folder, others = tmp_path / "tables", tmp_path / "working", tmp_path / "others"
    for folder in (tables, working_folder, others):
        folder.mkdir()
    places = [(tables, tables, others / "dlt"), (working_folder, others, working_folder)]
    disks = [
        ["-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)] for disk in (tables, working_folder)
    ]
    words = json.dumps(places, default=str), str(project.folder / "wolkvox.duckdb")
    process = with_mounts(runs, disks, FULL, *words)
    assert process.returncode == 0, process.stderr
    of_tables, of_working_folder = json.loads(process.stdout)
    # Answers that were written wait, and are loaded now; those that found no room are not.
    for (before, full, after), loaded in ((of_tables, 3), (of_working_folder, 2)):
        assert before["problems"] == []
        assert full["problems"]
        assert all("disk is full" in problem for problem in full["problems"]), full["problems"]
        assert (len(before["readings"]), before["table"]) == (1, 1)
        assert (full["readings"], full["table"]) == (before["readings"], 1)
        assert after["problems"] == []
        assert len(after["readings"]) == loaded
        assert after["readings"][0] == before["readings"][0]
        assert after["table"] == 1
    # Nor was one asked for that could not have been written: each costs one of the day's calls.
    assert len(project.vendor.calls) == 3 + 2


def test_files_need_what_makes_tables_of_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The destination `filesystem` without the extra `lake`, or without a place, asks nobody: dlt
    would append to bare files there what it merges elsewhere."""
    project.destination = "filesystem"
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(SettingsError, match=r"pip install 'wolkvox-billing\[lake\]'"):
        project.load()
    monkeypatch.setattr(warehouse, "find_spec", lambda _: "it is here")
    with pytest.raises(SettingsError, match="set DESTINATION__FILESYSTEM__BUCKET_URL"):
        project.load()
    assert project.vendor.calls == []
