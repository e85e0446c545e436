"""`init` and `reports`: a first day, from an empty folder to a choice of reports."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from builders.project import TOKENS, Project, configure
from wolkvox_billing.cli.main import main
from wolkvox_billing.polling.settings import read_poll_settings
from wolkvox_billing.reconciliation.policy import Policy, read_policy

TOKEN = TOKENS["acme"]


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, words, input=typed)


@pytest.fixture
def empty(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder without settings; the stand-in is where a variable says."""
    monkeypatch.delenv("SOURCES__WOLKVOX_BILLING__OPERATIONS")
    return project


def test_init_writes_the_settings_and_asks_once(empty: Project) -> None:
    """Server, token and reports are typed; the files hold them, and `check` runs at the end."""
    done = run("init", typed=f"0010\n{TOKEN}\nrsync_s3_mp3, ivr_minutes\n")
    assert (done.exit_code, TOKEN in done.output) == (0, False), done.output
    assert "0010 (server 0010, rsync_s3_mp3): works" in done.output
    assert f"*/5 * * * *        cd {empty.folder} && " in done.output
    assert len(empty.vendor.calls) == 1
    settings = read_poll_settings()
    assert [operation.operation_id for operation in settings.operations] == ["0010"]
    assert settings.reports == ["rsync_s3_mp3", "ivr_minutes"]
    assert read_policy() == Policy()


def test_init_keeps_the_token_to_its_owner_and_out_of_git(empty: Project) -> None:
    """secrets.toml is 0600, and git does not see it."""
    assert run("init", "--server", "0010", "--report", "ivr_minutes", typed=f"{TOKEN}\n").output
    secrets = Path(".dlt/secrets.toml")
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    git = shutil.which("git")
    assert git
    subprocess.run([git, "init", "-q"], check=True)
    ignored = subprocess.run([git, "check-ignore", "-q", str(secrets)], check=False)
    assert ignored.returncode == 0


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (f"00.10\n{TOKEN}\nall\n", "`server` is the server's nomenclature"),
        ("0010\na b\nall\n", "its `token` has blanks or characters"),
        (f"0010\n{TOKEN}\nivr_minuts\n", "did you mean ivr_minutes"),
        ("", "the input ended before it said what --server would, and nothing is written"),
        ("0010\n", "the input ended before the token"),
        (f"0010\n{TOKEN}\n", "the input ended before it said what --report would"),
    ],
)
def test_init_writes_nothing_that_cannot_be_meant(empty: Project, typed: str, says: str) -> None:
    """A wrong word ends in 2, and leaves no file."""
    done = run("init", typed=typed)
    assert (done.exit_code, says in done.output) == (2, True), done.output
    assert not Path(".dlt/secrets.toml").exists()
    assert empty.vendor.calls == []


def test_init_writes_over_nothing(empty: Project) -> None:
    """A config.toml of a person's stays and counts; a secrets.toml ends it."""
    Path(".dlt").mkdir()
    mine = '[sources.wolkvox_billing]\nreports = ["tts_chars"]\n'
    Path(".dlt/config.toml").write_text(mine)
    words = ("init", "--server", "0010", "--report", "ivr_minutes")
    done = run(*words, typed=f"{TOKEN}\n")
    assert ".dlt/config.toml is there already, and stays" in done.output
    assert Path(".dlt/config.toml").read_text() == mine
    assert read_poll_settings().reports == ["tts_chars"]
    for again in (words, ("init",)):
        done = run(*again)  # before anything is typed
        assert (done.exit_code, "secrets.toml is there already" in done.output) == (2, True)


def test_init_keeps_the_choice_of_reports_where_config_toml_names_none(empty: Project) -> None:
    """Beside settings of a person's for something else the reports that were typed count."""
    Path(".dlt").mkdir()
    Path(".dlt/config.toml").write_text("[runtime]\nlog_level = 'ERROR'\n")
    done = run("init", typed=f"0010\n{TOKEN}\nivr_minutes\n")
    assert "stays: `reports` are in .dlt/secrets.toml" in done.output
    assert (TOKEN in done.output, read_poll_settings().reports) == (False, ["ivr_minutes"])


def test_reports_lists_the_27_without_a_token(empty: Project) -> None:
    """Who has no token yet sees what can be asked; with settings, what is."""
    done = run("reports", "--json")
    lines = json.loads(done.output)["reports"]
    assert (done.exit_code, len(lines)) == (0, 27)
    assert lines[0] == {
        "report": "rsync_s3_mp3",
        "measure": "counter",
        "unit": "audios",
        "says": "recordings that the nightly job copied to S3",
        "is_asked_for": None,
    }
    assert empty.vendor.calls == []


def test_reports_says_which_are_asked_for(project: Project) -> None:
    """By the settings, one unless they say more."""
    lines = json.loads(run("reports", "--json").output)["reports"]
    assert [line["report"] for line in lines if line["is_asked_for"]] == ["rsync_s3_mp3"]


def test_a_probe_states_its_cost_and_says_what_has_rows(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two operations cost 54 calls, which is said before; what had rows is a line to copy, and
    nothing is stored."""
    configure(monkeypatch, project.vendor, "acme", "beta")
    for name in ("acme", "beta"):
        for report in ("amazon_s3", "vision"):
            project.vendor.answer(TOKENS[name], report, [])
    done = run("reports", "--probe")
    assert done.exit_code == 0, done.output
    assert "54 calls, of the day's licences x 1,000" in done.output.splitlines()[0]
    assert len(project.vendor.calls) == 54
    last = done.output.splitlines()[-1]
    assert last.startswith('those with rows: reports = ["rsync_s3_mp3", "ivr_minutes", ')
    assert "vision" not in last
    assert "amazon_s3" not in last
    assert not Path("wolkvox.duckdb").exists()


def test_a_probe_that_is_refused_ends_in_1(project: Project) -> None:
    """A wrong token is told, is no empty report, and costs one call and not 27."""
    project.vendor.misbehave("wrong_token", token=TOKEN)
    done = run("reports", "--probe", "--json")
    printed = json.loads(done.stdout)
    assert (done.exit_code, printed["calls"], printed["with_rows"]) == (1, 27, [])
    assert {probe["outcome"] for probe in printed["probes"]} == {"bad_token", "refused"}
    assert len(project.vendor.calls) == 1
