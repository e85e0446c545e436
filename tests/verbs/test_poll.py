"""The verb `poll`: answers are safe in the spool, no database is needed, and `load` takes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from builders.killing import Stable
from builders.loads import OTHER, REPORT, at, files, readings, tell
from builders.project import NOON, SERVERS, TOKENS, Project, configure, with_mounts
from fake_wolkvox import Vendor
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.polling import settings
from wolkvox_billing.verbs.poll import poll
from wolkvox_billing.warehouse.place import opened

pytestmark = pytest.mark.usefixtures("kept_open")
# What a `poll` must not take the time to import, by what stands for it.
HEAVY = ("dlt", "duckdb", "sqlglot", "sqlalchemy", "pyarrow", "pendulum", "rich", "tenacity",
         "babel", "jinja2")  # fmt: skip

POLL = f"""
import sys
sys.argv = ["wolkvox-billing", "poll", "--force", *sys.argv[1:]]
from wolkvox_billing.cli.main import main
try:
    main()
finally:
    print("imported:", *(name for name in {HEAVY!r} if name in sys.modules))
"""


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a `poll` in a process of its own, which says what it has imported."""
    return subprocess.run(
        [sys.executable, "-c", POLL, *words],
        env={**os.environ, **variables, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_nothing_heavy_is_imported(warehouse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the settings are in variables or in files, and the tables in DuckDB or PostgreSQL, a
    poll imports neither dlt nor a database, and nothing else that takes long."""
    for place, name in (("environment", "acme"), ("files", "0010")):
        if place == "files":
            monkeypatch.delenv("SOURCES__WOLKVOX_BILLING__OPERATIONS")
            Path(".dlt").mkdir()
            Path(".dlt/config.toml").write_text("[sources.wolkvox_billing]\npace_minutes = 10\n")
            Path(".dlt/secrets.toml").write_text(
                f'[sources.wolkvox_billing]\nserver = "0010"\ntoken = "{TOKENS["acme"]}"\n'
            )
        process = run("--destination", warehouse.destination)
        line, *_ = process.stdout.splitlines()
        assert line == f"{name} {REPORT}: ok, 1 row: Information found for the current month"
        assert process.stdout.splitlines()[-1] == "imported:", process.stdout
        assert process.returncode == 0, process.stderr
        assert not list(warehouse.folder.glob("*.duckdb"))
    assert len(files(warehouse)) == 2


@pytest.mark.usefixtures("tables")
def test_polls_and_then_a_load(warehouse: Project) -> None:
    """What polls have read is loaded by the next load, each with the time at which it was read."""
    for items in (5, 7, 4):
        tell(warehouse, items)
        assert [call.outcome for call in warehouse.poll().polls] == ["ok"]
    assert len(files(warehouse)) == 3
    report = warehouse.load(pace_minutes=300)
    assert (report.is_good, [skip.reason for skip in report.skips]) == (True, ["pace"])
    assert files(warehouse) == []
    assert readings(warehouse) == [at(1, 5), at(2, 7), at(3, 4)]
    [(quantity,)] = warehouse.query("SELECT last_quantity FROM wolkvox_billing_marts.usage_monthly")
    assert quantity == 4


@pytest.mark.usefixtures("tables")
def test_polls_and_loads_keep_one_pace(project: Project) -> None:
    """A poll after a load, and a load after a poll, ask nobody within `pace_minutes`; by --force
    they do; a spent quota rests for both."""
    assert [call.outcome for call in project.poll().polls] == ["ok"]
    project.later(minutes=1)
    assert [skip.reason for skip in project.load().skips] == ["pace"]
    project.later(minutes=5)
    assert [call.outcome for call in project.load().polls] == ["ok"]
    assert [skip.reason for skip in project.poll().skips] == ["pace"]
    assert project.poll(force=True).polls
    project.vendor.misbehave("quota_spent", times=1)
    report = project.poll(force=True)
    assert (report.is_good, report.may_pass) == (False, False)
    project.later(hours=2)
    assert [skip.reason for skip in project.poll(force=True).skips] == ["quota"]
    assert [skip.reason for skip in project.load().skips] == ["quota"]


@pytest.mark.usefixtures("tables")
def test_a_refusal_is_kept_too(project: Project) -> None:
    """A refused call ends in 1, says what to do, and is a row of `polls` after the next load."""
    project.vendor.misbehave("wrong_token", times=1)
    process = run("--report", OTHER)
    assert process.returncode == 1
    assert "to do about bad_token: make a token in wolkvox Manager" in process.stdout
    assert project.load().is_good
    outcomes = project.query("SELECT report, outcome FROM polls ORDER BY started_at DESC")
    assert outcomes == [(OTHER, "bad_token"), (REPORT, "ok")]


def test_it_prints_for_machines(project: Project) -> None:
    """--json names each call, what failed, what waits and where."""
    printed, _, _ = run("--json").stdout.partition("imported:")
    report = json.loads(printed)
    [call] = report.pop("polls")
    assert (call["operation_id"], call["outcome"], call["rows"]) == ("acme", "ok", 1)
    assert report.pop("working_folder") == str(files(project)[0].parent.parent)
    assert report == {"version": 1, "skipped": [], "problems": [], "failures": [],
                    "may_pass": False, "warnings": [], "waiting": 1}  # fmt: skip


@pytest.mark.usefixtures("tables")
def test_a_load_under_way_does_not_hold_it_up(project: Project) -> None:
    """While a load has the working folder a poll asks and keeps its answer, which waits for the
    load after that one."""
    with opened():
        assert [call.outcome for call in project.poll().polls] == ["ok"]
    assert len(files(project)) == 1
    assert project.load(pace_minutes=60).is_good
    assert files(project) == []


def test_two_polls_at_once_make_one_call(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has waited for the token looks again whether the call is still due."""
    reports: list[Any] = []
    threads = [threading.Thread(target=lambda: reports.append(project.poll())) for _ in range(2)]
    with project.vendor.hold():
        threads[0].start()
        project.vendor.wait_for_calls(1, 30)
        threads[1].start()
        threads[1].join(0.5)
        assert threads[1].is_alive()
    for thread in threads:
        thread.join(30)
    results = sorted(
        [*(call.outcome.value for call in report.polls), *(skip.reason for skip in report.skips)]
        for report in reports
    )
    assert results == [["ok"], ["pace"]]
    assert (len(project.vendor.calls), project.vendor.violations) == (1, 0)


@pytest.mark.usefixtures("tables")
def test_settings_that_only_dlt_can_tell(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another provider than files and the environment may have a setting, dlt is asked for
    it, and all is as it is without."""
    expected = settings.read_poll_settings(pace_minutes=7.0)
    monkeypatch.setattr(settings, "read_configuration", lambda: None)
    assert settings.read_poll_settings(pace_minutes=7.0) == expected
    assert expected.pace.total_seconds() == 420
    monkeypatch.setattr("wolkvox_billing.verbs.poll.read_configuration", lambda: None)
    assert project.poll().polls
    assert project.load(pace_minutes=60).is_good
    assert files(project) == []
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__MAX_PARALLEL", "many")
    with pytest.raises(SettingsError):
        project.poll()


@pytest.mark.usefixtures("tables")
def test_a_poll_of_another_project_destination_or_dataset(
    project: Project, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each project folder, destination and dataset has a spool of its own, the one that its `load`
    takes from."""
    folders = {project.poll().working_folder, project.poll(dataset="other").working_folder}
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "elsewhere.duckdb")
    folders.add(project.poll().working_folder)
    (tmp_path / "second").mkdir()
    monkeypatch.chdir(tmp_path / "second")
    folders.add(project.poll().working_folder)
    assert len(folders) == 4
    assert project.poll().working_folder == project.load().working_folder


def test_hosts_that_poll_into_one_database(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_database: Any
) -> None:
    """A host that polls waits for another one's call with the same token, and keeps its pace, as
    hosts that load do: what they share is in the same schema."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    places = {"HOME": "home", "TMPDIR": "tmp", "DLT_DATA_DIR": "dlt"}
    other = {name: str(tmp_path / "other" / place) for name, place in places.items()}
    for folder in other.values():
        Path(folder).mkdir(parents=True)
    assert project.load().is_good
    calls = len(project.vendor.calls)
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    with project.vendor.hold():
        thread = threading.Thread(target=lambda: project.poll(force=True))
        thread.start()
        project.vendor.wait_for_calls(calls + 1, 30)
        assert project.query(locks) == [(1,)]
        waiting = subprocess.Popen(
            [sys.executable, "-c", POLL, "--destination", "postgres"],
            env={**os.environ, **other, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert waiting.stderr
        assert "waiting for the token of operation acme: process" in waiting.stderr.readline()
    thread.join(30)
    assert "acme rsync_s3_mp3: ok" in waiting.communicate(timeout=60)[0]
    assert (len(project.vendor.calls), project.vendor.violations) == (calls + 2, 0)
    assert len(project.query("SELECT * FROM last_answers")) == 1


def test_a_full_disk_costs_no_call(project: Project, runs: Stable, tmp_path: Path) -> None:
    """Where an answer could not be written nobody is asked, and it ends in 1."""
    data = tmp_path / "dlt"
    data.mkdir()
    disk = ["-t", "tmpfs", "-o", "size=3m", "tmpfs", str(data)]  # less than what is kept free
    process = with_mounts(runs, [disk], POLL)
    assert "the disk is full" in process.stdout, process.stderr
    assert (process.returncode, project.vendor.calls) == (1, [])


def test_several_operations(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each operation is asked, one's refusal is its own, and all of it waits."""
    configure(monkeypatch, project.vendor, *SERVERS)
    project.vendor.misbehave("maintenance", token=TOKENS["beta"])
    report = poll(clock=lambda: NOON, retry_pause_seconds=0.0)
    outcomes = {(call.operation.operation_id, call.outcome.value) for call in report.polls}
    assert outcomes == {("acme", "ok"), ("beta", "maintenance"), ("gama", "ok")}
    assert report.waiting == len(report.polls) == 6
    assert not report.is_good and report.may_pass


@pytest.mark.parametrize(
    "text", ['{"cut', "[]", '{"answered": [], "resting": {}}', '{"answered": {"acme": {"r": "x"}}}',
             '{"resting": {"acme": "2026-11-10T17:00:00"}, "answered": {}}'],
)  # fmt: skip
def test_a_damaged_note_of_the_last_answer(project: Project, text: str) -> None:
    """Where it cannot be read when an operation was answered, it is asked: that costs one call."""
    assert project.poll().polls
    [note] = files(project)[0].parents[1].glob("asked/*")
    note.write_text(text)
    assert project.poll().polls
    assert [skip.reason for skip in project.poll().skips] == ["pace"]


def test_a_folder_that_cannot_be_made(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no answer could be kept nobody is asked, and the folder is named."""
    monkeypatch.setenv("DLT_DATA_DIR", "/dev/null/nowhere")
    with pytest.raises(WarehouseError, match=r"/dev/null/nowhere/.* so nothing was asked"):
        project.poll()
    assert project.vendor.calls == []


@pytest.mark.parametrize("name", ["wolkvox", "My-Data", "../escaped", "my__data", "billing_", "1a"])
def test_polls_and_loads_take_the_same_datasets(project: Project, name: str) -> None:
    """What `load` would refuse, or dlt would call otherwise, is refused by `poll` too."""
    for verb in (project.poll, project.load):
        with pytest.raises(SettingsError, match="dataset"):
            verb(dataset=name)
    assert project.vendor.calls == []


def test_a_load_under_way_where_only_dlt_can_tell(
    project: Project, monkeypatch: pytest.MonkeyPatch, new_database: Any
) -> None:
    """A poll waits for no load into PostgreSQL either where its settings come through dlt."""
    project.destination, project.dsn = "postgres", new_database()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", project.dsn)
    monkeypatch.setattr("wolkvox_billing.verbs.poll.read_configuration", lambda: None)
    with opened("postgres"):
        assert project.poll().polls
    assert len(project.query("SELECT * FROM last_answers")) == 1
