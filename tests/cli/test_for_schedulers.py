"""What a scheduler is told: whether a failure may pass, what failed, how old the data is."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from builders.killing import Stable
from builders.project import NOON, Project, configure
from builders.record import Call, write_polls
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.values.clock import utc_now
from wolkvox_billing.verbs import call_budget
from wolkvox_billing.verbs.airflow_pool import look_at_pool
from wolkvox_billing.verbs.call_budget import CallsOfDay
from wolkvox_billing.verbs.status import status

pytestmark = pytest.mark.usefixtures("kept_open", "tables")


MAY_PASS = {
    "wrong_token": False,
    "quota_spent": False,
    "unknown_report": False,
    "token_busy": True,
    "maintenance": True,
    "server_error": True,
    "html": True,
    "drop": True,
}


def test_what_may_pass(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token, a spent quota and a report that is not there need somebody, or another day;
    all else may pass. The sentence names the operation and what to do; one that works says none.
    Each is an operation of one load, whose report is looked at as if it were the only one beside
    one that works."""
    operations = dict(zip([*MAY_PASS, "works"], project.operations(len(MAY_PASS) + 1), strict=True))
    for misbehaviour in MAY_PASS:
        project.vendor.misbehave(misbehaviour, token=operations[misbehaviour]["token"])
    report = project.load(operations=[*operations.values()])
    calls = {
        kind: [poll for poll in report.polls if poll.operation.operation_id == operation["name"]]
        for kind, operation in operations.items()
    }
    for misbehaviour, may_pass in MAY_PASS.items():
        own = replace(report, polls=calls[misbehaviour] + calls["works"])
        assert (own.is_good, own.may_pass) == (False, may_pass), misbehaviour
        [sentence] = own.failures
        assert sentence.startswith(f"{operations[misbehaviour]['name']} rsync_s3_mp3: ")
    names = project.query("SELECT operation_id FROM rsync_s3_mp3")
    assert names == [(operations["works"]["name"],)]
    rests = project.load(operations=[operations["quota_spent"]])
    assert (rests.is_good, rests.may_pass) == (False, False)
    assert "resting until" in rests.failures[0]


def test_a_failure_that_may_pass_beside_one_that_may_not(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one failure may pass, a new try is worth it; so it is for what was not loaded."""
    configure(monkeypatch, project.vendor, "acme", "beta")
    assert not project.poll().may_pass
    project.later(minutes=5)
    project.vendor.misbehave("wrong_token", token="a1" * 32)
    project.vendor.misbehave("maintenance", token="b2" * 32)
    refused = project.poll()
    assert refused.may_pass
    assert len(refused.failures) == 2
    project.vendor.behave()
    with project.away():
        report = project.load()
    assert report.may_pass
    assert "not loaded" in report.failures[0]


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_how_old_is_too_old(warehouse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever of the settings was not answered for so long is named, asked or not; who is in them
    no more is told of, and not late. Without settings, whoever was not asked in a week while others
    were is asked no more; where nobody is asked, all are late; that nothing is loaded is said. On
    PostgreSQL, since test_meant.py has these rules on DuckDB."""

    def stale(is_told: bool = True) -> list[str]:
        now = warehouse.vendor.now
        with monkeypatch.context() as reader:
            if not is_told:
                reader.delenv("SOURCES__WOLKVOX_BILLING__OPERATIONS")
            state = status(destination=warehouse.destination, clock=lambda: now)
        retired[:] = [sentence.split(",")[0] for sentence in state.retired]
        return [sentence.split(",")[0] for sentence in state.stale(timedelta(minutes=35))]

    retired: list[str] = []
    configure(monkeypatch, warehouse.vendor, "acme", "beta", "gama")
    [nothing] = stale(is_told=False)
    assert nothing.startswith("nothing is loaded in ")
    write_polls(warehouse, *(Call(NOON, [], operation=name) for name in ("acme", "beta", "gama")))
    warehouse.later(minutes=30)
    assert stale() == []
    configure(monkeypatch, warehouse.vendor, "acme", "beta")

    def refuse_acme() -> None:
        now = warehouse.vendor.now
        write_polls(warehouse, Call(now, b"maintenance"), Call(now, [], operation="beta"))

    refuse_acme()
    warehouse.later(minutes=20)
    late = {name: f"{name} rsync_s3_mp3: last answered 50 min ago" for name in ("acme", "gama")}
    assert stale() == [late["acme"]]
    assert retired == ["not in the settings any more: gama"]
    assert stale(is_told=False) == [*late.values()]
    warehouse.later(days=7)
    refuse_acme()
    assert [sentence.split()[0] for sentence in stale(is_told=False)] == ["acme"]
    warehouse.later(days=8)
    assert [sentence.split()[0] for sentence in stale()] == ["acme", "beta"]
    assert [sentence.split()[0] for sentence in stale(is_told=False)] == ["acme", "beta", "gama"]


def test_the_command_line_tells(project: Project, runs: Stable) -> None:
    """`load`, `refresh`, `status`, `reconcile` and `invoices` have what failed in their JSON."""
    for words, code in (
        (["load"], 0),
        (["refresh"], 0),
        (["status", "--stale-after", "30"], 0),
        (["status", "--stale-after", "0"], 1),
    ):
        code_of_main = "from wolkvox_billing.cli.main import run; run()"
        process = runs.script(code_of_main, *words, "--json")
        assert process.returncode == code, process.stderr
        result = json.loads(process.stdout)
        assert len(result["failures"]) == code, result
        assert not result.get("may_pass")


def test_a_warning_may_end_in_1(project: Project) -> None:
    """`status --fail-on-warning` fails where there is a warning, with its words among the failures;
    without it, and where there is none, it ends in 0."""
    strict = ["status", "--fail-on-warning", "--json"]
    now = utc_now()  # by which the command line judges
    reading = {"operation": "A", "description": "B", "date": f"{now:%Y-%m-%d}"}
    write_polls(project, Call(now - timedelta(minutes=1), [{**reading, "items": "5"}]))
    assert CliRunner().invoke(main, strict).exit_code == 0
    write_polls(project, Call(now, [{**reading, "items": n} for n in ("5", "no number")]))
    done = CliRunner().invoke(main, strict)
    failures = json.loads(done.output)["failures"]
    assert (done.exit_code, "could not be read" in "; ".join(failures)) == (1, True)
    assert CliRunner().invoke(main, ["status", "--json"]).exit_code == 0


@pytest.mark.parametrize(
    ("printed", "problem"),
    [
        ('[{"pool": "wolkvox_billing", "slots": "1"}]', ""),
        ('a warning\n[{"pool": "wolkvox_billing", "slots": 1}]', ""),
        ('[{"pool": "default_pool", "slots": "128"}]', "is missing"),
        ('[{"pool": "wolkvox_billing", "slots": "2"}]', "has 2 slots"),
        ("no such table", "does not say"),
    ],
)
def test_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str, problem: str
) -> None:
    """Where Airflow is, its command tells of the pool; without AIRFLOW_HOME it is not called."""
    command = tmp_path / "airflow"
    command.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\ncat <<'END'\n{printed}\nEND\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    assert look_at_pool() == (True, "")
    assert not (tmp_path / "called").exists()
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    pool = look_at_pool()
    assert pool.is_good == (not problem)
    assert (problem or "is there") in pool.says


def test_status_tells_how_many_of_the_days_calls_are_spent(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls since the vendor's midnight, of licences times 1,000; nearly all of them are a
    warning."""
    before_midnight = NOON.replace(hour=4)  # 23:00 of the day before in Bogotá
    write_polls(
        project, *(Call(at, []) for at in (before_midnight, NOON, NOON + timedelta(minutes=6)))
    )

    def told() -> tuple[list[CallsOfDay], list[str]]:
        state = status(clock=lambda: project.vendor.now)
        return state.calls, [text for text in state.warnings if "calls are spent" in text]

    assert told() == ([("acme", 2, None)], [])
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__LICENCES", "3")
    assert told() == ([("acme", 2, 3000)], [])
    monkeypatch.setattr(call_budget, "CALLS_OF_A_LICENCE", 1)
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__LICENCES", "2")
    assert told() == ([("acme", 2, 2)], ["acme: 2 of the day's 2 calls are spent"])
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__LICENCES", "0")
    with pytest.raises(SettingsError, match="expected a number above 0"):
        told()
