"""The spool is the log: an answer leaves it when the destination has it, whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pytest

from builders.duckdb_files import let_go
from builders.fuzzing import at_length
from builders.killing import Stable
from builders.loads import (
    NOT_LOADED,
    OTHER,
    REPORT,
    at,
    begin,
    files,
    poll,
    readings,
    tell,
    wait,
)
from builders.months import invoice
from builders.project import TOKENS, Project, configure
from wolkvox_billing import wolkvox_billing
from wolkvox_billing.polling import drain
from wolkvox_billing.polling.polls import Poll
from wolkvox_billing.polling.spool import Spool
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.verbs.status import status
from wolkvox_billing.warehouse.place import opened

pytestmark = pytest.mark.usefixtures("kept_open")
ROW = {"operation": "ACME", "description": "Audios", "date": "2026-11-10"}
REFUSED = f"acme {REPORT}: an answer could not be loaded while others were, and is kept in "


# What is the same on each engine: the other one is for faults.
on_postgres = pytest.mark.parametrize("warehouse", at_length(["postgres"], "duckdb"), indirect=True)
# Where it is how many rows go, too: few on DuckDB are for faults.
by_files = pytest.mark.parametrize(
    "warehouse", at_length(["duckdb-files", "postgres"], "duckdb"), indirect=True
)


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(run: Callable[[], Any]) -> None:
    """Does it in a process of its own, which must kill itself on the way."""
    let_go()
    pid = os.fork()
    if not pid:
        try:
            run()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def refuse(project: Project, amount: int) -> Callable[[], None]:
    """From now on the table `readings` takes no row of this amount; what ends that."""
    table = "wolkvox_billing.readings"
    if project.destination == "postgres":
        project.execute(f"ALTER TABLE {table} ADD CONSTRAINT odd CHECK (items <> {amount})")
        return lambda: project.execute(f"ALTER TABLE {table} DROP CONSTRAINT odd")
    [(definition,)] = project.query(
        "SELECT sql FROM duckdb_tables() WHERE schema_name = 'wolkvox_billing' "
        "AND table_name = 'readings'"
    )

    def anew(definition: str) -> None:
        project.execute("ALTER TABLE wolkvox_billing.readings RENAME TO before")
        project.execute(definition)
        project.execute("INSERT INTO wolkvox_billing.readings FROM wolkvox_billing.before")
        project.execute("DROP TABLE wolkvox_billing.before")

    anew(definition.rstrip().removesuffix(");") + f", CHECK (items <> {amount}));")
    return lambda: anew(definition)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many answers each load into the destination was given, in turn."""
    counts: list[int] = []
    waiting_answers = drain.waiting_answers

    def counted(polls: Any, calls: Any, *more: Any, **named: Any) -> Any:
        counts.append(calls.total())
        return waiting_answers(polls, calls, *more, **named)

    monkeypatch.setattr(drain, "waiting_answers", counted)
    return counts


# Rounds.


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("warehouse", "bound"),
    at_length([("duckdb", "MOST_BYTES"), ("postgres", "MOST_ANSWERS")], ("duckdb", "MOST_ANSWERS")),
    indirect=["warehouse"],
)
def test_a_backlog_is_loaded_in_rounds(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch, loads: list[int], bound: str
) -> None:
    """What a long outage has left is loaded oldest first, so many answers or bytes at a time, and
    the newest reading is the last one's."""
    size = max(file.stat().st_size for file in wait(warehouse, 5, 7, 4))
    monkeypatch.setattr(drain, bound, 2 if bound == "MOST_ANSWERS" else size + 1)
    assert poll(warehouse, 9).is_good
    assert loads == [2, 2]
    assert readings(warehouse) == [at(1, 5), at(2, 7), at(3, 4), at(4, 9)]
    assert files(warehouse) == []


@by_files
@pytest.mark.usefixtures("tables")
def test_a_round_of_one_operation_and_report(warehouse: Project, loads: list[int]) -> None:
    """Answers of one operation and report that are loaded together leave the newest reading of each
    day in the report's table, also of a day that only an older one has."""
    for days in ({"09": 1, "10": 2}, {"10": 3}, {"09": 4}, {"10": 5}):
        warehouse.later(hours=1)
        rows = [{**ROW, "items": str(n), "date": f"2026-11-{day}"} for day, n in days.items()]
        warehouse.vendor.answer(TOKENS["acme"], REPORT, rows)
        assert warehouse.poll().is_good
    warehouse.load()
    assert loads == [4]
    assert warehouse.query(f"SELECT items FROM {REPORT} ORDER BY date") == [(4,), (5,)]
    assert len(warehouse.query("SELECT * FROM readings")) == 5


@on_postgres
@pytest.mark.usefixtures("tables")
def test_what_is_there_already_is_not_loaded_again(warehouse: Project, loads: list[int]) -> None:
    """A file of the spool that somebody put back, such as from a backup, is known to be loaded, and
    leaves without another load; one that was loaded in part is loaded once."""
    [file] = wait(warehouse, 5)
    content = file.read_bytes()
    assert warehouse.load(pace_minutes=300).is_good
    assert poll(warehouse, 7).is_good
    for _ in range(2):
        file.write_bytes(content)
        assert warehouse.load(pace_minutes=300).is_good
        assert files(warehouse) == []
        assert readings(warehouse) == [at(1, 5), at(2, 7)]
    assert loads == [1, 1]
    [(load_id,)] = warehouse.query("SELECT min(_dlt_load_id) FROM polls")
    warehouse.execute(f"DELETE FROM wolkvox_billing._dlt_loads WHERE load_id = '{load_id}'")
    file.write_bytes(content)
    assert warehouse.load(pace_minutes=300).is_good
    assert loads == [1, 1, 1]
    assert readings(warehouse) == [at(1, 5), at(2, 7)]
    assert len(warehouse.query("SELECT * FROM polls")) == 2


# What the destination does not take.


@by_files
def test_an_answer_that_cannot_be_loaded(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch, loads: list[int]
) -> None:
    """One answer that the destination refuses is found, named and kept, and the others are loaded:
    those before it and behind it, of its operation and of others. It leaves nothing in any table,
    and no older reading as the newest: not at first, and not when it is tried again after a day.
    Once the destination takes it, it is loaded, and the newest reading stays the newest."""
    begin(warehouse)
    configure(monkeypatch, warehouse.vendor, "acme", "beta")
    mended = refuse(warehouse, 13)
    wait(warehouse, 7, 13, 4, reports=[REPORT, OTHER])
    tell(warehouse, 9)
    report = warehouse.load(reports=[REPORT, OTHER])
    [said] = report.problems
    assert said.startswith(REFUSED) and "tried again each day" in said
    [file] = files(warehouse)
    assert str(file.with_suffix("")) in said
    assert of_acme(warehouse) == [5, 7, 4, 9]
    others = f"SELECT count(*) FROM polls WHERE report <> '{REPORT}' OR operation_id <> 'acme'"
    assert warehouse.query(others) == [(4 * 3,)]
    loads.clear()
    tell(warehouse, 6)
    again = warehouse.load()
    assert (again.is_good, again.warnings, loads) == (True, [said], [2])
    now = {"clock": lambda: warehouse.vendor.now}
    assert said in status(destination=warehouse.destination, **now).warnings
    warehouse.later(hours=25)
    warehouse.vendor.answer(TOKENS["acme"], REPORT, [{**ROW, "items": "1", "date": "2026-11-11"}])
    loads.clear()
    warehouse.load()
    assert loads == [2, 1]
    assert of_acme(warehouse) == [5, 7, 4, 9, 6]
    mended()
    warehouse.later(hours=23)
    tell(warehouse, 3)
    assert warehouse.load().is_good
    assert files(warehouse) == []
    assert of_acme(warehouse) == [5, 7, 13, 4, 9, 6, 3]


def of_acme(project: Project) -> list[int]:
    """What was read of acme's counter on 2026-11-10, in turn. The report's table has the last of
    it, and no row is in a table whose poll is not."""
    where = "operation_id = 'acme' AND description = 'Audios' AND date = '2026-11-10'"
    items = [
        items
        for (items,) in project.query(
            f"SELECT items FROM readings WHERE report = '{REPORT}' AND {where} ORDER BY read_at"
        )
    ]
    assert project.query(f"SELECT items FROM {REPORT} WHERE {where}") == [(items[-1],)]
    polls = project.query("SELECT poll_id FROM polls WHERE outcome = 'ok' ORDER BY 1")
    assert polls == project.query("SELECT DISTINCT poll_id FROM readings ORDER BY 1")
    return items


def test_a_text_that_one_database_refuses(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Callable[[], str]
) -> None:
    """A dash that a PostgreSQL does not take holds up its own answer and no other one."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    begin(project)
    for table in ("readings", REPORT):
        no_dash = "CHECK (description NOT LIKE '%—%') NOT VALID"
        project.execute(f"ALTER TABLE wolkvox_billing.{table} ADD {no_dash}")
    project.later(hours=1)
    odd = {**ROW, "description": "Audios — S3", "items": "7"}
    project.vendor.answer(TOKENS["acme"], REPORT, [odd])
    assert project.poll().is_good
    wait(project, 4)
    [said] = poll(project, 9).problems
    assert said.startswith(REFUSED)
    assert readings(project) == [at(1, 5), at(3, 4), at(4, 9)]


def test_a_destination_that_takes_nothing_is_not_tried_for_ever(
    project: Project, monkeypatch: pytest.MonkeyPatch, loads: list[int], new_database: Any
) -> None:
    """Whatever waits, a destination that takes no row of any is tried once, and no answer is held
    to be at fault: all of it waits."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    reports = [REPORT, OTHER, "ivr_calls", "asr_calls", "vision"]
    assert project.load(reports=reports).is_good
    wait(project, 7, 4, 8, reports=reports)
    project.execute("ALTER TABLE wolkvox_billing.readings ADD CHECK (row_number < 1) NOT VALID")
    loads.clear()
    problems = project.load(reports=reports, pace_minutes=300).problems
    assert problems
    assert all(says.startswith("answers that waited, and wait on: ") for says in problems)
    assert loads == [15]
    assert len(files(project)) == 15
    assert {file.suffix for file in files(project)} == {".tried"}


@on_postgres
def test_refused_answers_hold_up_nobody_else(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is refused, of one operation and two reports, before and behind: all answers of
    other operations and reports are loaded, in the first run, when the refused ones are tried
    again, and when more come."""
    begin(warehouse)
    configure(monkeypatch, warehouse.vendor, "acme", "beta")
    monkeypatch.setattr(drain, "MOST_ANSWERS", 4)
    reports = {"reports": [REPORT, OTHER, "ivr_calls"]}
    refuse(warehouse, 13)
    for day in range(2):
        warehouse.later(hours=1)
        for report in (REPORT, OTHER):
            warehouse.vendor.answer(TOKENS["acme"], report, [{**ROW, "items": "13"}])
        if day == 0:  # two of each wait
            assert warehouse.poll(**reports).is_good
            warehouse.later(hours=1)
        warehouse.load(**reports)
        told = warehouse.query(
            "SELECT operation_id, report, count(*) FROM polls GROUP BY 1, 2 ORDER BY 1, 2"
        )
        good = 2 + day
        assert told == [
            ("acme", "ivr_calls", good),
            ("acme", REPORT, 1),  # of the beginning
            ("beta", "ivr_calls", good),
            ("beta", OTHER, good),
            ("beta", REPORT, good),
        ]
        warehouse.later(hours=25)
    assert {file.suffix for file in files(warehouse)} == {".refused"}
    assert len(status_warnings(warehouse)) == 2  # a sentence for each report, not for each answer


def status_warnings(project: Project) -> list[str]:
    now = {"clock": lambda: project.vendor.now}
    warnings = status(destination=project.destination, **now).warnings
    return [text for text in warnings if "could not be loaded while others were" in text]


def test_loads_that_fail_are_bounded(
    project: Project, monkeypatch: pytest.MonkeyPatch, loads: list[int]
) -> None:
    """One run makes no more than so many loads that fail; what is left is found by the next ones.
    Of the refused ones one is tried again in a day, and the others once it passes."""
    monkeypatch.setattr(drain, "MOST_FAILURES", 2)
    begin(project)
    mended = refuse(project, 13)
    wait(project, *[13] * 3)
    for _ in range(3):
        loads.clear()
        project.load(pace_minutes=30000)
        assert len(loads) <= 3
    assert {file.suffix for file in files(project)} == {".refused"}
    project.later(hours=25)
    loads.clear()
    project.load(pace_minutes=30000)
    project.load(pace_minutes=30000)
    assert loads == [1]
    mended()
    project.later(hours=25)
    loads.clear()
    assert project.load(pace_minutes=30000).is_good
    assert loads == [1, 2]
    assert files(project) == []
    assert len(readings(project)) == 4


@on_postgres
def test_a_column_that_somebody_renamed(warehouse: Project, loads: list[int]) -> None:
    """A column of ours that is gone is said by its name; nothing is loaded into the void, nothing
    is set aside, and what goes elsewhere is loaded. With its name back all is loaded."""
    begin(warehouse)
    warehouse.execute(f"ALTER TABLE wolkvox_billing.{REPORT} RENAME COLUMN items TO amount")
    loads.clear()
    [said] = poll(warehouse, 7).problems
    assert said.startswith(f"{NOT_LOADED}column items of {REPORT} is missing: ")
    assert loads == []
    tell(warehouse, 8)
    assert len(warehouse.load(reports=[REPORT, OTHER]).problems) == 1
    assert loads == [1]
    told = warehouse.query(f"SELECT count(*) FROM readings WHERE report = '{OTHER}'")
    assert told == [(1,)]
    warehouse.execute(f"ALTER TABLE wolkvox_billing.{REPORT} RENAME COLUMN amount TO items")
    assert poll(warehouse, 9).is_good
    told = warehouse.query(f"SELECT items FROM readings WHERE report = '{REPORT}' ORDER BY read_at")
    assert told == [(5,), (7,), (8,), (9,)]


@on_postgres
def test_a_column_of_the_invoices_that_somebody_dropped(warehouse: Project) -> None:
    """Invoices are not read into a table that lacks a column, and it is named."""
    Path("bill.xml").write_text(invoice("1000", "100000.00"))
    Path("other.xml").write_text(invoice("2000", "200000.00"))
    where = {"destination": warehouse.destination}
    assert invoices(["bill.xml"], **where).counts == {"loaded": 1}
    warehouse.execute(
        "ALTER TABLE wolkvox_billing.invoice_documents RENAME COLUMN net_amount TO net"
    )
    with pytest.raises(Exception, match="column net_amount of invoice_documents is missing"):
        invoices(["other.xml"], **where)
    assert warehouse.query("SELECT count(*) FROM invoice_lines") == [(1,)]


# Killed, and damaged.


def test_killed_while_the_newest_is_put_back(project: Project, tmp_path: Path) -> None:
    """A run that dies after it has loaded old answers, and before the newer ones of another project
    folder count again, is ended by the next one."""
    begin(project)
    wait(project, 7)
    home = tmp_path / "other"
    home.mkdir()
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.chdir(home)
        file = str(project.folder / "wolkvox.duckdb")
        elsewhere.setenv("DESTINATION__DUCKDB__CREDENTIALS", file)
        assert poll(project, 9).is_good
    project.later(minutes=1)

    def load() -> None:
        drain.keep_newest = die  # type: ignore[assignment]
        project.load(pace_minutes=120)

    killed(load)
    assert project.query(f"SELECT items FROM {REPORT}") == [(7,)]
    assert project.load(pace_minutes=120).is_good
    assert readings(project) == [at(1, 5), at(2, 7), at(3, 9)]


@pytest.mark.usefixtures("tables")
def test_a_damaged_file_is_known_by_its_hash(project: Project) -> None:
    """Whichever byte of a file is another one, or missing, it is no answer: it is set aside and
    named, and holds up nothing."""
    [file] = wait(project, 7)
    whole = file.read_bytes()
    spool = Spool(file.parent)
    now = project.vendor.now
    for place in range(len(whole)):
        for damaged in (
            whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :],
            whole[:place],
        ):
            file.write_bytes(damaged)
            assert [spool.read(call) for call in spool.waiting(now)] in ([], [None]), place
            [aside] = file.parent.glob("*.unreadable")
            aside.unlink()
    file.write_bytes(whole[:-20])
    [said] = poll(project, 9).problems
    assert said.startswith(f"an answer could not be read again, and is kept in {file.parent}")
    again = poll(project, 8)
    assert (again.is_good, again.warnings) == (True, [said])
    assert readings(project) == [at(2, 9), at(3, 8)]


def test_a_file_that_cannot_be_read_now(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the disk does not give at this moment is no damaged one: the others are loaded,
    it is named, and the next load takes it."""
    begin(project)
    [file] = wait(project, 7)
    read = Path.read_bytes

    def fails(path: Path) -> bytes:
        if path.stem == file.stem:
            raise OSError(5, "Input/output error")
        return read(path)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_bytes", fails)
        [said] = poll(project, 9).problems
    assert said.startswith("answers that waited, and wait on: ") and "cannot be read" in said
    assert [left.stem for left in files(project)] == [file.stem]
    assert poll(project, 8).is_good
    assert readings(project) == [at(1, 5), at(2, 7), at(3, 9), at(4, 8)]


@on_postgres
def test_copies_of_a_file_are_no_second_answer(warehouse: Project) -> None:
    """Where somebody has put the spool back from a copy, beside what was tried meanwhile, or has
    copied a file to another name, the answer is there once."""
    begin(warehouse)
    [file] = wait(warehouse, 7)
    content = file.read_bytes()
    with warehouse.away():
        warehouse.load(pace_minutes=300)
    for name in (f"{file.stem}.poll", f"{file.stem} (1).poll", f"Copy of {file.stem}.poll"):
        (file.parent / name).write_bytes(content)
    poll(warehouse, 9)
    assert readings(warehouse) == [at(1, 5), at(2, 7), at(3, 9)]
    assert len(warehouse.query("SELECT * FROM polls")) == 3
    assert sorted(path.suffix for path in file.parent.iterdir()) == [".unreadable"] * 2
    assert poll(warehouse, 8).is_good


def test_a_file_that_cannot_be_opened_is_no_success(project: Project) -> None:
    """What waits and cannot be opened, or understood here, is named, and not given up."""
    begin(project)
    [file] = wait(project, 7)
    content = file.read_bytes()
    file.unlink()
    file.mkdir()
    [said] = poll(project, 9).problems
    assert "cannot be read now" in said
    file.rmdir()
    file.write_bytes(content)
    zones = "wolkvox_billing.polling.spool.ZoneInfo"
    with pytest.MonkeyPatch.context() as machine:
        machine.setattr(zones, lambda name: {}[name])
        assert any("cannot be read" in text for text in poll(project, 8).problems)
    assert poll(project, 6).is_good
    told = [at(1, 5), at(2, 7), at(3, 9), at(4, 8), at(5, 6)]
    assert readings(project) == told


def test_a_clock_set_back_keeps_nothing_refused(project: Project) -> None:
    """What was refused while the clock was ahead is tried again once it is right."""
    begin(project)
    mended = refuse(project, 13)
    project.later(days=400)
    tell(project, 13)
    project.load()
    mended()
    project.later(days=-399)
    assert files(project)[0].suffix == ".refused"
    project.load()
    assert files(project) == []


@pytest.mark.usefixtures("tables")
def test_a_report_in_the_spool_that_looks_misspelt(project: Project) -> None:
    """What was asked for as a report of its own is loaded as such, and stops no polling."""
    project.vendor.answer(TOKENS["acme"], f"{REPORT}3", [{**ROW, "items": "7"}])
    assert project.poll(reports=[f"new:{REPORT}3"]).is_good
    assert poll(project, 9).is_good
    assert project.query(f"SELECT items FROM {REPORT}3") == [(7,)]
    assert project.query("SELECT rows FROM polls") == [(1,)] * 2


@pytest.mark.usefixtures("tables")
def test_an_answer_that_the_disk_does_not_take(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that cannot be kept is said to be lost, the operation is not asked for more, and
    the next run asks again, in spite of the pace."""

    def full(self: Spool, poll: Poll) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as small:
        small.setattr(Spool, "keep", full)
        report = project.load(reports=[REPORT, OTHER])
    assert [skip.reason for skip in report.skips] == ["failed", "failed"]
    assert "could not be kept: [Errno 28] No space left" in report.skips[0].detail
    assert (report.is_good, report.polls, len(project.vendor.calls)) == (False, [], 1)
    assert project.load().is_good
    assert len(project.vendor.calls) == 2


# Other people's tools, and older versions.


# What dlt's command line is.
DLT = "import sys; from dlt._workspace.cli._dlt import _main; sys.exit(_main())"


def test_dlts_own_tools_delete_nothing_that_waits(project: Project, runs: Stable) -> None:
    """dlt's command line finds the pipeline where `status` says, and neither it nor `dlt.attach`
    nor the dashboard's look at all pipelines deletes an answer that waits, whatever they are
    pointed at: what dlt does not know in its own folder it takes for rubbish."""
    begin(project)
    [file] = wait(project, 7)
    content = file.read_bytes()
    own = file.parent.parent
    data = own.parents[1]
    line = status(clock=lambda: project.vendor.now).dlt_command
    assert line == f"DLT_DATA_DIR={own} dlt pipeline wolkvox info"

    def shell(*words: str, **variables: str) -> str:
        """What a command of dlt's prints; whether it ends well is its own affair."""
        let_go()
        done = runs.script(DLT, *words, **variables)
        return done.stdout + done.stderr

    told = shell("pipeline", "wolkvox", "info", DLT_DATA_DIR=str(own))
    assert "wolkvox_billing" in told and "readings" in told, told
    shell("pipeline", "--list-pipelines", DLT_DATA_DIR=str(data))
    shell("pipeline", "wolkvox-billing", "info", DLT_DATA_DIR=str(data))
    shell("pipeline", own.name, "info", DLT_DATA_DIR=str(own.parent))
    shell("pipeline", "wolkvox", "drop-pending-packages", DLT_DATA_DIR=str(own))
    for name, folder in (("wolkvox-billing", data), (own.name, data / "wolkvox-billing")):
        with pytest.raises(Exception, match=r"(?i)no .*state"):
            dlt.attach(name, pipelines_dir=str(folder / "pipelines"))
    assert file.read_bytes() == content
    assert poll(project, 9).is_good
    assert readings(project) == [at(1, 5), at(2, 7), at(3, 9)]
    shutil.rmtree(own / "pipelines")
    assert poll(project, 8).is_good


def older(project: Project, **more: Any) -> Path:
    """A version before the spool was the log has asked, and its answer waits in a load package, by
    the way that it kept them; gives its working folder."""
    with opened(project.destination) as pipeline:
        own = Path(pipeline.pipelines_dir).parent
        before = own.parents[1] / "pipelines" / "wolkvox-billing" / own.name
        left = dlt.pipeline(
            "wolkvox",
            destination=pipeline.destination,
            dataset_name="wolkvox_billing",
            pipelines_dir=str(before),
        )
        left.extract(wolkvox_billing(clock=lambda: project.vendor.now, force=True, **more))
        left.normalize()
        pipeline.activate()
    return before


@pytest.mark.parametrize(
    "warehouse", at_length(["postgres"], "duckdb-files", "duckdb"), indirect=True
)
def test_what_an_older_version_left_is_loaded_once(warehouse: Project) -> None:
    """Answers that wait in load packages of an older version, and in its spool, are moved out of
    dlt's folder and loaded once; while they cannot be, they are named, and hold up nothing."""
    begin(warehouse)
    tell(warehouse, 7)
    before = older(warehouse)
    tell(warehouse, 4)
    older(warehouse)
    [file] = wait(warehouse, 8)
    (before / "spool").mkdir()
    file.rename(before / "spool" / file.name)
    with warehouse.away():
        [said, *_] = poll(warehouse, 6).problems
    assert said.startswith("answers that an older version has left wait in ")
    assert not before.exists()
    assert poll(warehouse, 9).is_good
    told = [at(1, 5), at(2, 7), at(3, 4), at(4, 8), at(5, 6), at(6, 9)]
    assert readings(warehouse) == told
    assert poll(warehouse, 3).is_good
    assert readings(warehouse) == [*told, at(7, 3)]
    assert not list(before.parents[2].glob("*/*/older"))


def test_a_damaged_package_of_an_older_version(project: Project) -> None:
    """A package that nobody can read is named by each load until somebody looks at it, and holds up
    neither the others nor the polling."""
    begin(project)
    tell(project, 7)
    before = older(project)
    [package] = before.glob("wolkvox/load/normalized/*")
    (package / "schema.json").write_text("")
    tell(project, 4)
    older(project)
    for items in (8, 9):
        [said] = poll(project, items).problems
        assert "schema.json is damaged" in said
    assert readings(project) == [at(1, 5), at(3, 4), at(4, 8), at(5, 9)]


def test_invoices_that_fail_leave_nothing_behind(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that dies while it loads invoices holds up no answer; they are read again."""
    begin(project)
    Path("bill.xml").write_text(invoice("1000", "100000.00"))

    def load() -> None:
        monkeypatch.setattr("wolkvox_billing.warehouse.loading._load", die)
        invoices(["bill.xml"])

    killed(load)
    assert poll(project, 7).is_good
    assert readings(project) == [at(1, 5), at(2, 7)]
    assert invoices(["bill.xml"]).counts == {"loaded": 1}
