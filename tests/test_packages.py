"""What waits in a working folder when a run dies at the worst moment, or when files are damaged."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Project
from test_destination import NOT_LOADED, OTHER, REPORT, at, poll, readings, tell
from test_reconcile import invoice
from wolkvox_billing import packages
from wolkvox_billing.intake import invoices
from wolkvox_billing.spool import Spool


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(run: Callable[[], Any]) -> None:
    """Does it in a process of its own, which must kill itself on the way."""
    pid = os.fork()
    if not pid:
        try:
            run()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def waits(project: Project, *items: int) -> Path:
    """5 is loaded, and an answer of each amount waits; gives the package of the last one."""
    poll(project, 5)
    with project.away():
        for one in items:
            folder = Path(poll(project, one).working_folder)
    return max(folder.glob("load/normalized/*"))


def loaded_elsewhere(project: Project, tmp_path: Path, items: int) -> None:
    """Another project folder loads a newer answer into the same warehouse."""
    home = tmp_path / "other"
    home.mkdir()
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.chdir(home)
        file = str(project.folder / "wolkvox.duckdb")
        elsewhere.setenv("DESTINATION__DUCKDB__CREDENTIALS", file)
        assert poll(project, items).is_good
    project.later(minutes=1)


def test_killed_while_invoices_are_given_up(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that dies while it drops what it could not load takes no later answer along."""
    poll(project, 5)
    Path("bill.xml").write_text(invoice("1000", "100000.00"))

    def give_up() -> None:
        monkeypatch.setattr(packages, "_load", lambda pipeline: 1 / 0)
        monkeypatch.setattr("wolkvox_billing.pipeline.drop", die)
        invoices(["bill.xml"])

    killed(give_up)
    assert poll(project, 7).is_good
    assert poll(project, 9).is_good
    assert readings(project) == [at(1, 5), at(2, 7), at(3, 9)]


@pytest.mark.parametrize("name", ["schema.json", "load_package_state.json", "schema_updates.json"])
def test_a_damaged_package(project: Project, name: str) -> None:
    """A package whose own files are cut off is set aside and named, and blocks nothing."""
    package = waits(project, 7)
    (package / name).write_text("")
    (package.parent / ".DS_Store").write_text("")
    [said] = poll(project, 9).problems
    assert said.startswith(f"a package of answers could not be loaded: {name} is damaged")
    again = poll(project, 8)
    assert (again.is_good, again.warnings) == (True, [said])
    assert readings(project) == [at(1, 5), at(3, 9), at(4, 8)]


def test_killed_before_the_newest_is_put_back(project: Project, tmp_path: Path) -> None:
    """A run that dies after it has loaded old answers leaves word, and the next one ends it."""
    waits(project, 7)
    loaded_elsewhere(project, tmp_path, 9)

    def load() -> None:
        packages._keep_newest = die  # type: ignore[assignment]
        project.load(pace_minutes=120)

    killed(load)
    project.load(pace_minutes=120)
    assert readings(project) == [at(1, 5), at(2, 7), at(3, 9)]


def test_an_old_answer_before_a_damaged_one(project: Project, tmp_path: Path) -> None:
    """Of two answers that waited one is loaded and the other is damaged, while a newer one is
    there: the newest stays. The damaged one is set aside when the next answer is loaded."""
    package = waits(project, 7, 8)
    loaded_elsewhere(project, tmp_path, 9)
    [file] = package.glob("new_jobs/readings.*")
    file.write_bytes(b"damaged")
    [said] = project.load(pace_minutes=120).problems
    assert said.startswith(NOT_LOADED)
    assert readings(project) == [at(1, 5), at(2, 7), at(4, 9)]
    [said] = poll(project, 6).problems
    assert said.startswith("a package of answers could not be loaded")
    assert [items for _, items in readings(project)] == [5, 7, 9, 6]


def test_killed_while_a_package_is_aside(project: Project) -> None:
    """Nobody has given it up: the next run puts it back, and loads it."""
    package = waits(project, 7)

    def load() -> None:
        from dlt.load.exceptions import LoadClientJobRetry
        from dlt.load.load import Load

        put, one = packages._put_aside, Load.load_single_package

        def fails(self: Load, load_id: str, schema: Any) -> None:
            if load_id == package.name:
                raise LoadClientJobRetry(load_id, "readings.1.csv", 5, 5, "busy", Exception("busy"))
            one(self, load_id, schema)

        Load.load_single_package = fails  # type: ignore[method-assign]
        packages._put_aside = lambda *args: (put(*args), die())  # type: ignore
        project.load()

    tell(project, 8)
    killed(load)
    assert (package.parents[2].parent / "set_aside" / package.name).exists()
    assert poll(project, 9).is_good
    assert readings(project) == [at(1, 5), at(2, 7), at(3, 8), at(4, 9)]


def test_another_reports_rows_prove_nothing(project: Project) -> None:
    """A report's table is changed, and an answer of another report can be loaded: the first one
    waits, and is loaded once the table is mended."""
    poll(project, 5)
    project.execute(f"ALTER TABLE wolkvox_billing.{REPORT} RENAME COLUMN items TO amount")
    assert poll(project, 7).problems[0].startswith(NOT_LOADED)
    project.later(hours=1)
    said = project.load(reports=[OTHER]).problems[0]
    assert said.startswith("answers that waited, and wait on: ")
    project.execute(f"ALTER TABLE wolkvox_billing.{REPORT} RENAME COLUMN amount TO items")
    assert poll(project, 9).is_good
    told = project.query(f"SELECT items FROM readings WHERE report = '{REPORT}' ORDER BY read_at")
    assert told == [(5,), (7,), (9,)]


def test_a_copy_of_what_is_aside(project: Project) -> None:
    """Who copies a package back, instead of moving it, breaks nothing."""
    package = waits(project, 7)
    [file] = package.glob("new_jobs/readings.*")
    file.write_bytes(b"damaged")
    poll(project, 8)
    aside = package.parents[2].parent / "set_aside" / package.name
    shutil.copytree(aside, package)
    assert len(poll(project, 9).problems) == 1
    assert poll(project, 6).is_good
    assert readings(project) == [at(1, 5), at(3, 8), at(4, 9), at(5, 6)]


def spooled(project: Project) -> Path:
    """A run was killed when 7 was in the spool; gives the file."""
    poll(project, 5)

    def run() -> None:
        keep = Spool.keep
        Spool.keep = lambda *args: (keep(*args), die())  # type: ignore
        project.load()

    tell(project, 7)
    killed(run)
    [file] = project.folder.parent.rglob("*.poll")
    return file


def test_a_cut_answer_in_the_spool(project: Project) -> None:
    """An answer that lost its end on the disk is no answer without rows: it is kept, and named."""
    file = spooled(project)
    file.write_bytes(file.read_bytes()[:-20])
    assert poll(project, 9).warnings == []
    [said] = poll(project, 8).warnings
    assert said.startswith(f"an answer could not be read again, and is kept in {file.parent}")
    assert project.query("SELECT outcome, rows FROM polls") == [("ok", 1)] * 3


def test_a_report_in_the_spool_that_looks_misspelt(project: Project) -> None:
    """What was asked for as a report of its own is loaded as such, and stops no polling."""
    file = spooled(project)
    line, _, body = file.read_bytes().partition(b"\n")
    head = {**json.loads(line), "report": f"{REPORT}3"}
    file.write_bytes(json.dumps(head).encode() + b"\n" + body)
    assert poll(project, 9).is_good
    assert project.query(f"SELECT items FROM {REPORT}3") == [(7,)]
    assert project.query("SELECT rows FROM polls") == [(1,)] * 3
