"""Many at once: processes that poll the same and different operations into one warehouse.

Two of them; `make faults` starts twenty.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builders.killing import Stable
from builders.kills import KILLS, note
from builders.project import SERVERS, TOKENS, Project, configure
from fake_wolkvox import Vendor

pytestmark = pytest.mark.usefixtures("tables")
MANY = 20 if KILLS else 2


def all_at_once(
    runs: Stable, project: Project, tmp_path: Path, envs: list[dict[str, str]], **settings: Any
) -> list[list[Any]]:
    """A run for each of these environments, all started before one ends; what each made, and its
    problems."""
    arguments = {"destination": project.destination, "now": project.vendor.now.isoformat(),
             "force": True, "retry_pause_seconds": 0.0, **settings}  # fmt: skip
    places = [(tmp_path / f"result{n}", tmp_path / f"output{n}") for n in range(len(envs))]
    with project.vendor.hold():
        started = [
            runs.start("load", arguments, result=result, output=output, more=env)
            for env, (result, output) in zip(envs, places, strict=True)
        ]
        project.vendor.wait_for_calls(1, 60)
    runs_made = []
    for pid, (result, output) in zip(started, places, strict=True):
        assert runs.wait(pid) == 0, output.read_text()
        assert "Traceback" not in output.read_text()
        runs_made.append(json.loads(result.read_text())[0])
    assert project.vendor.violations == 0
    return runs_made


def named(vendor: Vendor, *names: str) -> dict[str, str]:
    """The variable that names these operations."""
    told = [{"name": n, "server": SERVERS[n], "token": TOKENS[n]} for n in names]
    return {"SOURCES__WOLKVOX_BILLING__OPERATIONS": json.dumps(told)}


def own(tmp_path: Path, number: int) -> dict[str, str]:
    """The folders of a project, a user and a host of its own, but for the locks."""
    places = {"PWD": "project", "DLT_DATA_DIR": "dlt", "HOME": "home"}
    folders = {name: tmp_path / f"{number}" / folder for name, folder in places.items()}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {name: str(folder) for name, folder in folders.items()}


def check(project: Project, answers: int) -> None:
    """Each answer is there once: as many as the vendor gave."""
    assert len(project.vendor.calls) == answers
    for table in ("polls", "readings"):
        [counts] = project.query(f"SELECT count(*), count(DISTINCT poll_id) FROM {table}")
        assert counts == (answers, answers), table


def test_one_project(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path
) -> None:
    """Processes of one project folder come one after the other, and each loads what it asked."""
    configure(monkeypatch, warehouse.vendor, "acme", "beta")
    for outcomes, problems in all_at_once(runs, warehouse, tmp_path, [{}] * MANY):
        assert (outcomes, problems) == (["ok", "ok"], [])
    check(warehouse, 2 * MANY)
    note(f"{warehouse.destination}: {MANY} processes at once in one project folder")


def test_projects_with_one_warehouse(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path
) -> None:
    """Processes of many projects ask one operation and others, into one warehouse. A DuckDB file
    that another one has open is said, and what was read is loaded by that project's next run."""
    vendor, names = warehouse.vendor, list(TOKENS)
    if warehouse.destination == "duckdb":
        file = warehouse.folder / "wolkvox.duckdb"
        monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", f"duckdb:///{file}")
    assert warehouse.load().is_good
    asked = [("acme", names[n % 3]) if n % 3 else ("acme",) for n in range(MANY)]
    envs = [own(tmp_path, n) | named(vendor, *which) for n, which in enumerate(asked)]
    results = all_at_once(runs, warehouse, tmp_path, envs)
    answers = 1 + sum(map(len, asked))
    assert [outcomes for outcomes, _ in results] == [["ok"] * len(which) for which in asked]
    told = [" ".join(problems) for _, problems in results]
    assert all("is open in another program" in text for text in told if text)
    if warehouse.destination == "postgres":
        assert not any(told)
    warehouse.later(hours=1)
    for env, problem in zip(envs, told, strict=True):  # one by one: nobody has the file open
        if problem:
            [(outcomes, problems)] = all_at_once(runs, warehouse, tmp_path, [env])
            assert problems == []
            answers += len(outcomes)
    check(warehouse, answers)
    note(f"{warehouse.destination}: {MANY} processes at once, each in a project of its own")


def test_pending_answers_of_many_projects(
    project: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path
) -> None:
    """Many projects in whose folders answers wait load into one DuckDB file at once, again and
    again until each has: none empties the staging tables of another."""
    file = project.folder / "wolkvox.duckdb"
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", f"duckdb:///{file}")
    assert project.load().is_good
    envs = [own(tmp_path, n) for n in range(MANY)]
    answers, waiting = 1, envs
    with project.away():
        for _, problems in all_at_once(runs, project, tmp_path, envs):
            answers += 1
            assert problems
    for _ in range(5 * MANY):
        if not waiting:
            break
        results = all_at_once(runs, project, tmp_path, waiting)
        answers += len(waiting)
        waiting = [env for env, result in zip(waiting, results, strict=True) if result[1]]
    assert not waiting
    check(project, answers)
