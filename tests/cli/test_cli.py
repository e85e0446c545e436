"""The command line: what a person and a script see; where it is one that others start, remember
things by or look at, as processes of their own."""

from __future__ import annotations

import errno
import json
import logging
import os
import pty
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest
from click.testing import CliRunner, Result

from builders.duckdb_files import let_go
from builders.killing import Stable
from builders.pages import tables_page
from builders.project import TOKENS, Project, configure, held_open
from builders.record import Call, write_polls
from fake_wolkvox import Vendor
from wolkvox_billing.cli import setting_up
from wolkvox_billing.cli.main import main
from wolkvox_billing.values.clock import utc_now
from wolkvox_billing.verbs import load
from wolkvox_billing.verbs.load import LoadReport
from wolkvox_billing.version import __version__

pytestmark = pytest.mark.usefixtures("kept_open")
REPORT = "rsync_s3_mp3"


MAIN = "from wolkvox_billing.cli.main import run; run()"
TERMINAL = {"TERM": "xterm", "TTY_COMPATIBLE": "1"}  # for rich
AT_ONCE = {"COLUMNS": "200", "SOURCES__WOLKVOX_BILLING__RETRY_PAUSE_SECONDS": "0"}


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the current project folder, as a process; new tries come at once."""
    let_go()
    return subprocess.run(
        [sys.executable, "-m", "wolkvox_billing", *words],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            **AT_ONCE,
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def command(*words: str, **environment: str) -> Result:
    """Run the same in this process, which need not import everything anew. What a process would
    show as a traceback is raised."""
    logger = logging.getLogger("wolkvox_billing")
    logger.handlers.clear()  # it holds the stderr that was one's when it was made
    try:
        result = CliRunner().invoke(main, words, env={**AT_ONCE, **environment})
    finally:
        logger.handlers.clear()
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def started(runs: Stable, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the same as a process that has everything imported."""
    return runs.script(MAIN, *words, **AT_ONCE)


def read_now(project: Project, product: str) -> None:
    """An operation was read by the clock that the command line has: 5 of this product."""
    now = utc_now()
    row = {"operation": "A", "description": product, "items": "5", "date": f"{now:%Y-%m-%d}"}
    write_polls(project, Call(now, [row]))


ENDINGS = [
    ("code_as_text", "ok", 0),
    ("data_empty", "empty", 0),
    ("data_null", "empty", 0),
    ("not_found", "not_found", 0),
    ("wrong_token", "bad_token", 1),
    ("quota_spent", "quota_spent", 1),
    ("token_busy", "token_busy", 1),
    ("maintenance", "maintenance", 1),
    ("unknown_report", "unknown_report", 1),
    ("html", "bad_answer", 1),
    ("drop", "unreachable", 1),
    ("server_error", "server_error", 1),
]


@pytest.mark.usefixtures("tables")
def test_load_ends_by_its_outcome(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """`load` ends in 0 for an answer and in 1 for a refusal, and names the outcome. Each is an
    operation of one load; how the command ends is seen of each one's calls alone."""
    operations = project.operations(len(ENDINGS))
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps(operations))
    for operation, (misbehaviour, _, _) in zip(operations, ENDINGS, strict=True):
        project.vendor.misbehave(misbehaviour, token=operation["token"])
    reports: list[LoadReport] = []
    run_load = load.load
    monkeypatch.setattr(load, "load", lambda **how: reports.append(run_load(**how)) or reports[0])
    assert command("load").exit_code == 1
    for operation, (_, outcome, code) in zip(operations, ENDINGS, strict=True):
        calls = [p for p in reports[0].polls if p.operation.operation_id == operation["name"]]
        own = replace(reports[0], polls=calls)
        monkeypatch.setattr(load, "load", lambda own=own, **_: own)
        result = command("load")
        assert (result.exit_code, outcome in result.stdout) == (code, True), result.output


@pytest.mark.usefixtures("tables")
def test_load_says_that_it_kept_the_pace(project: Project, runs: Stable) -> None:
    """A second `load` within the pace asks nothing, says so, and ends in 0; `--force` asks."""
    assert started(runs, "load").returncode == 0
    again = command("load")
    assert again.exit_code == 0
    assert "not asked" in again.stdout and "pace_minutes" in again.stdout
    assert len(project.vendor.calls) == 1
    assert command("load", "--force").exit_code == 0
    assert len(project.vendor.calls) == 2


@pytest.mark.usefixtures("tables")
def test_load_rests_after_the_days_calls_are_spent(project: Project, runs: Stable) -> None:
    """After a spent quota the next `load` does not ask, says until when, and ends in 1."""
    project.vendor.misbehave("quota_spent", times=1)
    assert started(runs, "load").returncode == 1
    again = command("load", "--force")
    assert again.exit_code == 1
    assert "resting until" in again.stdout
    assert len(project.vendor.calls) == 1


@pytest.mark.usefixtures("tables")
def test_load_prints_json_for_machines(project: Project, runs: Stable) -> None:
    """`load --json` prints one JSON object on stdout, and one line per call on stderr."""
    result = started(runs, "load", "--json")
    report = json.loads(result.stdout)
    assert [(p["operation_id"], p["outcome"], p["rows"]) for p in report["polls"]] == [
        ("acme", "ok", 1)
    ]
    assert report["problems"] == [] and report["location"].endswith("wolkvox.duckdb")
    assert result.stderr.count("acme rsync_s3_mp3 ok 1 row ") == 1


@pytest.mark.usefixtures("tables")
def test_a_named_report_is_asked(project: Project) -> None:
    """`--report` chooses what is asked, and each report has a table of its own."""
    assert command("load", "--report", "ivr_minutes", "--report", "vision").exit_code == 0
    assert [call.report for call in project.vendor.calls] == ["ivr_minutes", "vision"]
    assert len(project.query("SELECT * FROM vision")) == 1


WRONG = [
    ({"SOURCES__WOLKVOX_BILLING__REPORTS": '["rsync_mp3"]'}, "rsync_s3_mp3"),
    ({"SOURCES__WOLKVOX_BILLING__BASE_URL": "http://example.org"}, "base_url"),
    ({"SOURCES__WOLKVOX_BILLING__OPERATIONS": "[]"}, "operations"),
    ({"SOURCES__WOLKVOX_BILLING__OPERATIONS": '[{"server": 10, "token": "s3cr3t"}]'}, "server"),
    ({"SOURCES__WOLKVOX_BILLING__OPERATIONS": '[{"token": "s3cr3t"'}, "operations"),
    ({"SOURCES__WOLKVOX_BILLING__TIMEZONE": "Bogota"}, "timezone"),
    ({"SOURCES__WOLKVOX_BILLING__PACE_MINUTES": "soon"}, "pace_minutes"),
    ({"WOLKVOX_BILLING_DESTINATION": "duckdbb"}, "duckdbb"),
    ({"WOLKVOX_BILLING_DESTINATION": "postgres"}, "DESTINATION__POSTGRES__CREDENTIALS"),
]


@pytest.mark.parametrize(("environment", "word"), WRONG)
def test_a_wrong_setting_is_named(project: Project, environment: dict[str, str], word: str) -> None:
    """A wrong setting ends in 2, is named, and shows neither a traceback nor a token."""
    result = command("load", **environment)
    assert result.exit_code == 2, result.stdout + result.stderr
    assert word in result.stderr
    assert "Traceback" not in result.stderr and "s3cr3t" not in result.stderr


def test_missing_settings_are_named(
    project: Project, runs: Stable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without operations the message says which file or variable to set."""
    monkeypatch.delenv("SOURCES__WOLKVOX_BILLING__OPERATIONS")
    result = started(runs, "load")
    assert result.returncode == 2
    assert ".dlt/secrets.toml" in result.stderr
    assert "SOURCES__WOLKVOX_BILLING__TOKEN" in result.stderr


@pytest.mark.usefixtures("tables")
def test_a_locked_duckdb_file_names_its_holder(project: Project) -> None:
    """While another process holds the file, `load` says who, keeps the answer, loads it later."""
    with held_open(project.folder / "wolkvox.duckdb") as holder:
        result = command("load", "--force")
        status = command("status")
    assert result.exit_code == 1
    assert f"PID {holder}" in result.stdout and "next load" in result.stdout
    assert status.exit_code == 1 and f"PID {holder}" in status.stderr
    assert "Traceback" not in status.stderr
    assert command("load", "--force").exit_code == 0
    assert project.query("SELECT COUNT(*) FROM readings") == [(2,)]


CHECKS = [
    ("wrong_token", "token", "wolkvox Manager"),
    ("quota_spent", "quota", "midnight"),
    ("token_busy", "busy", "another program"),
    ("maintenance", "maintenance", "later"),
    ("unknown_report", "report", "reports"),
    ("html", "format", "base_url"),
    ("drop", "connection", "public address"),
    ("server_error", "server", "later"),
]


@pytest.mark.parametrize(("misbehaviour", "step", "advice"), CHECKS)
def test_check_names_the_step_that_fails(
    project: Project, misbehaviour: str, step: str, advice: str
) -> None:
    """`check` makes one call, names the step that fails, says what to do, and ends in 1."""
    project.vendor.misbehave(misbehaviour)
    result = command("check")
    assert result.exit_code == 1
    assert f"fails at: {step}" in result.stdout
    assert advice in result.stdout
    assert len(project.vendor.calls) == 1


@pytest.mark.usefixtures("tables")
def test_an_answer_that_nobody_can_read_is_no_success(project: Project) -> None:
    """Rows that cannot be read show in `load`, `status` and `check`, which fails at the format."""
    row = {"operation": "ACME", "description": "Audios", "items": "1.234,5", "date": "2026-11-10"}
    project.vendor.answer(TOKENS["acme"], REPORT, [row, row])
    assert "2, 2 unreadable" in command("load").stdout
    assert json.loads(command("load", "--force", "--json").stdout)["polls"][0]["rejected"] == 2
    assert "in the newest answer none of 2 rows could be read" in command("status").stdout
    result = command("check")
    assert result.exit_code == 1
    assert "fails at: format" in result.stdout and "'1.234,5' is not an amount" in result.stdout


@pytest.mark.parametrize("verb", ["status", "load"])
@pytest.mark.parametrize("obstacle", ["no server", "no DuckDB file", "a wrong zone", "no folder"])
def test_what_cannot_be_opened_is_said(project: Project, verb: str, obstacle: str) -> None:
    """A destination or folder that cannot be used is a sentence and an exit code, no traceback."""
    words, environment, code = [verb], {}, 1
    if obstacle == "no server":
        words += ["--destination", "postgres"]
        address = "postgresql://a:b@127.0.0.1:1/x"
        environment = {"DESTINATION__POSTGRES__CREDENTIALS": address}
    elif obstacle == "no DuckDB file":
        (project.folder / "wolkvox.duckdb").write_text("dear diary " * 999)
    elif obstacle == "a wrong zone":
        environment, code = {"SOURCES__WOLKVOX_BILLING__TIMEZONE": "Bogota"}, 2
    else:
        (project.folder / "file").touch()
        environment = {"DLT_DATA_DIR": str(project.folder / "file" / "x")}
    result = command(*words, **environment)
    assert (result.exit_code, "Traceback" in result.stderr) == (code, False), result.stderr
    assert result.stdout or result.stderr.startswith("wolkvox-billing: ")


def test_check_tells_a_name_from_a_connection(project: Project) -> None:
    """A name that does not resolve, and a port where nobody listens, are two findings."""
    nameless = {"SOURCES__WOLKVOX_BILLING__BASE_URL": "https://wv{server}.invalid"}
    assert "fails at: name" in command("check", **nameless).stdout
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = {
            "SOURCES__WOLKVOX_BILLING__BASE_URL": f"http://127.0.0.1:{probe.getsockname()[1]}"
        }
        assert "fails at: connection" in command("check", **closed).stdout


def test_check_shows_the_first_rows(
    project: Project, runs: Stable, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`check` asks each operation once and shows what came; a terminal escape is made harmless."""
    configure(monkeypatch, vendor, "acme", "beta")
    rows = [{"operation": "A\x1b[31m", "description": "d", "items": "7", "date": "2026-11-10"}]
    vendor.answer(TOKENS["acme"], REPORT, rows)
    result = started(runs, "check")
    assert result.returncode == 0
    assert result.stdout.count(": works") == 2
    assert "\\x1b[31m" in result.stdout and "\x1b" not in result.stdout
    assert len(vendor.calls) == 2


def test_status_before_anything_is_loaded(project: Project, runs: Stable) -> None:
    """`status` without a load says what to do, makes no file, and ends in 0."""
    result = started(runs, "status")
    assert result.returncode == 0
    assert "wolkvox-billing load" in result.stdout
    assert not (project.folder / "wolkvox.duckdb").exists()


def test_status_on_postgres(
    project: Project, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status` reads what `load` wrote, on PostgreSQL too."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", new_database())
    assert "nothing is loaded" in command("status", "--destination", "postgres").stdout
    assert command("load", "--destination", "postgres").exit_code == 0
    status = json.loads(command("status", "--destination", "postgres", "--json").stdout)
    assert [(row["operation_id"], row["polls_24h"]) for row in status["rows"]] == [("acme", 1)]


@pytest.mark.usefixtures("tables")
def test_a_person_sees_progress_and_a_pipe_does_not(project: Project, runs: Stable) -> None:
    """On a terminal the progress is drawn; in a pipe there is one plain line per call."""
    leader, follower = pty.openpty()
    drawn = bytearray()

    def watch() -> None:
        with suppress(OSError):  # how Linux ends a terminal that nobody holds
            while piece := os.read(leader, 4096):
                drawn.extend(piece)

    watching = threading.Thread(target=watch)
    watching.start()
    words = {"code": MAIN, "words": ["load"]}
    assert not runs.run("script", words, errors=os.ttyname(follower), more={"TERM": "xterm"})
    os.close(follower)
    watching.join(30)
    os.close(leader)
    assert b"\x1b[" in drawn and b"asking wolkvox" in drawn
    assert "\x1b" not in started(runs, "load", "--force").stderr


def test_help_and_version_and_completion(tmp_path: Path) -> None:
    """Help names every verb, the version is one line, and bash is told how to complete words."""
    words = run("--help").stdout
    assert all(verb in words for verb in ("load", "check", "status", "demo"))
    assert run("--version").stdout == f"wolkvox-billing, version {__version__}\n"
    bash = run(_WOLKVOX_BILLING_COMPLETE="bash_source").stdout
    assert "complete" in bash
    assert run("load", "--nonsense").returncode == 2


def test_a_table_in_a_pipe_is_a_line_a_row(project: Project) -> None:
    """Where nobody watches, rows have tabs between cells, no lines round them, and no word is cut,
    however narrow the place is; on a terminal they are a table with headings."""
    name = "un producto de nombre largo que no cabe en ninguna columna"
    read_now(project, name)
    piped = command("status", COLUMNS="40").output
    [row] = [line.split("\t") for line in piped.splitlines() if "\t" in line]
    assert row[:4] == ["acme", REPORT, name, "5 (meaning undetermined)"]
    table = click.unstyle(command("status", COLUMNS="200", **TERMINAL).output)
    assert "┃ operation ┃ report" in table
    assert f"│ {name} │" in table


@pytest.mark.usefixtures("tables")
def test_advice_is_given_once_and_a_sum_ends_a_load(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two operations with one refusal are told what to do once; the last line counts all calls."""
    configure(monkeypatch, project.vendor, "acme", "beta", "gama")
    for name in ("acme", "beta"):
        project.vendor.misbehave("wrong_token", token=TOKENS[name])
    for verb, last in (("poll", ""), ("load", "2 calls: 2 bad_token, 1 not asked")):
        done = command(verb)
        advice = [line for line in done.output.splitlines() if "make a token" in line]
        assert (done.exit_code, len(advice)) == (1, 1), done.output
        assert advice[0].startswith("to do about bad_token: ")
        assert done.output.splitlines()[-1] == last or not last


STATUS_TWICE = """
import sys
from wolkvox_billing.cli.main import main
sys.stdout.reconfigure(encoding="cp1252")  # as Python does on such a terminal
for words in (["status"], ["status", "--json"]):
    try:
        main(words)
    except SystemExit as end:
        assert not end.code
    sys.stdout.flush()
    print("---", flush=True)
"""


def test_any_terminal_gets_its_words(project: Project, runs: Stable) -> None:
    """What a terminal or pipe has no character for comes out as `?`; --json is UTF-8 always."""
    read_now(project, "Grabacion 通话")
    let_go()
    printed = runs.script(STATUS_TWICE, **AT_ONCE)
    assert printed.returncode == 0, printed
    table, as_json, _ = printed.stdout.split("---\n")
    assert "Grabacion ??" in table
    assert json.loads(as_json)["rows"][0]["products"][0]["product"] == "Grabacion 通话"


@pytest.mark.usefixtures("tables")
def test_without_a_folder_for_temporary_files_a_line_says_so(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that has no such folder is told of, and what to set; no traceback."""
    assert command("reconcile", "--init").exit_code == 0
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    done = command("reconcile", "--month", "2026-10", "--evidence", "evidence")
    says = "no folder takes temporary files: set TMPDIR" in done.output
    assert (done.exit_code, says) == (1, True), done.output


def test_what_cannot_be_printed_is_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk of what is printed is full that is said, in 1 and without a traceback."""

    def print_nothing(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(setting_up, "print_table", print_nothing)
    done = command("reports")
    assert (done.exit_code, "the disk is full: what was to be" in done.output) == (1, True)


def test_demo_tells_the_whole_story(project: Project, runs: Stable) -> None:
    """`demo` lives through two months and shows counts, gap, refusals, a restated day, a garbled
    row, the invoices, a verdict of each kind, the evidence, the claim, and October's close,
    reopening and second close; what it prints is in the file that it names."""
    own = {"TMPDIR": str(project.folder), "COLUMNS": "140", **TERMINAL}
    result = runs.script(MAIN, "demo", **own)
    assert result.returncode == 0, result.stderr
    for text in ("13,696", "18 Sep to 20 Sep, 30 Sep, 8 Oct to 9 Oct", "EXCEEDS THE LIMIT",
                 "1.234,5", "WVX26106952", "1,614,600.00", "NC26106952",
                 "! overbilled_quantity: ventas, RSYNC S3 MP3, WVX26106952: +245,000.00 COP "
                 "against the contract (by quantity +245,000.00, by price 0.00); wolkvox billed "
                 "16,146 audios;",
                 "2,450 audios more than measured (+17.9 %).",
                 "  inconclusive_cut_off: ",
                 "wolkvox billed 12,912 audios;",
                 "531 audios more than measured",  # which the last nights, unread, can hold
                 "it agrees with what was called in the month, by its nights (14,356 audios)",
                 " members, as the manifest says",
                 "2026-10 was closed on 2026-11-06 17:00 UTC by finance: 2,450 audios claimed",
                 "and no longer holds: ventas RSYNC S3 MP3: billed_quantity 16,146 -> 15,696",
                 "invoice WVX26106952: 291,550.00 COP claimed",
                 "│ 291,550.00 │ 53,550.00 │ 238,000.00 │ 2026-11-05 │",
                 "2026-10 was reopened on 2026-11-12 18:00 UTC by finance",
                 "2026-10 was closed on 2026-11-12 19:00 UTC by finance"):  # fmt: skip
        assert text in click.unstyle(result.stdout)
    (report,) = project.folder.glob("wolkvox-demo-*/report.html")
    assert "2,450 audios more than measured" in report.read_text()
    (file,) = project.folder.glob("wolkvox-demo-*/wolkvox.duckdb")
    assert (Path(__file__).parents[2] / "docs" / "tables.md").read_text() == tables_page(file)
    with closing(duckdb.connect(str(file), read_only=True)) as db:
        last: Any = db.execute(
            "SELECT items FROM wolkvox_billing.rsync_s3_mp3 "
            "WHERE operation_id = 'ventas' AND date = '2026-10-31'"
        ).fetchone()
        billed = db.execute(
            "SELECT d.period_start, l.quantity FROM wolkvox_billing.invoice_documents AS d "
            "JOIN wolkvox_billing.invoice_lines AS l USING (document_id) ORDER BY 1, 2"
        ).fetchall()
    assert last[0] == 13696
    # of October's, one bills 2,450 more than were copied, and a note gives 450 back; the other one
    # bills what was called: without the month's first night
    assert [(f"{month:%m}", int(count)) for month, count in billed] == [
        ("09", 12912), ("09", 13874), ("10", 450), ("10", 14356), ("10", 16146)]  # fmt: skip


# A process whose standard streams are closed: Python has none then.
UNHEARD = f"""
import os, sys
os.close(1), os.close(2)
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None
{MAIN}
"""


@pytest.mark.usefixtures("tables")
def test_a_load_that_nobody_can_hear(project: Project, runs: Stable) -> None:
    """A service may start it without standard streams: the vendor is asked, the answer loaded."""
    assert runs.script(UNHEARD, "load").returncode == 0
    assert project.query("SELECT count(*) FROM readings") == [(1,)]
