"""The token and the warehouse's password show nowhere: not in a file, not in a word.

Each run is a process of its own, at log level DEBUG, in a folder that holds all that it may write:
project, HOME, TMPDIR and dlt's data. Afterwards every byte of it is searched, and all it printed.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import stat
import subprocess
import sys
import traceback
import zipfile
import zlib
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import duckdb
import pytest

from builders.buckets import (
    AGENT,
    KEY_ID,
    KEY_SECRET,
    NAME,
    PHONE,
    error_xml,
    gate_before,
    name_of,
    put,
    rclone,
)
from builders.evidence import write_evidence
from builders.killing import Stable
from builders.leaks import TOKEN, leaks, read_command_lines, shows
from builders.months import ONE_LINE, ONE_PRICE
from builders.project import NOON, SERVERS, Project
from builders.record import Call, write_polls
from fake_wolkvox import Vendor
from wolkvox_billing import SettingsError, wolkvox_billing
from wolkvox_billing.bucket.inventory import Inventory, list_inventory
from wolkvox_billing.bucket.look import Look
from wolkvox_billing.bucket.names import PUBLIC_PATTERN, NameReader, read_pattern
from wolkvox_billing.bucket.settings import BucketSettings
from wolkvox_billing.bucket.store import ListedObject, Unlistable, open_store
from wolkvox_billing.cli.main import main
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.verbs.publish import publish

REPORT = "rsync_s3_mp3"
PASSWORD = "pg5ecr3tpassw0rd"
OPERATIONS = "SOURCES__WOLKVOX_BILLING__OPERATIONS"
SERVER_VARIABLE = "SOURCES__WOLKVOX_BILLING__SERVER"
TOKEN_VARIABLE = "SOURCES__WOLKVOX_BILLING__TOKEN"

RUN = """
import logging, sys, traceback
logging.basicConfig(level=logging.DEBUG)
import dlt
from wolkvox_billing import wolkvox_billing
from wolkvox_billing.verbs.load import load
from wolkvox_billing.warehouse import sessions

sessions.PATIENCE = 0.3  # where PostgreSQL refuses

def by_load():
    report = load(destination=destination, force=True, retry_pause_seconds=0.0)
    print(report, [vars(poll) for poll in report.polls])

def by_dlt():
    source = wolkvox_billing(force=True, retry_pause_seconds=0.0)
    print(source, repr(source), source.resources, source.schema.to_pretty_yaml())
    pipeline = dlt.pipeline("wolkvox", destination=destination, dataset_name="wolkvox_billing")
    print(pipeline.run(source), pipeline, pipeline.last_trace, repr(pipeline.last_trace))

destination = sys.argv[1]
for way in sys.argv[2:]:
    try:
        {"load": by_load, "dlt": by_dlt}[way]()
    except Exception as error:
        traceback.print_exc()
        print(repr(error), vars(error))
"""


def run(
    runs: Stable, tmp_path: Path, *ways: str, destination: str = "duckdb", script: str = RUN
) -> str:
    """Return all that a process printed that ran once in each of these ways, `load` or plain `dlt`;
    what it wrote is below `tmp_path`."""
    for folder in ("home", "tmp"):
        (tmp_path / folder).mkdir(exist_ok=True)
    more = {"RUNTIME__LOG_LEVEL": "DEBUG", "TMPDIR": str(tmp_path / "tmp")}
    process = runs.script(script, destination, *ways, **more)
    printed = process.stdout + process.stderr
    assert process.returncode == 0, printed
    assert ("DEBUG" in printed) == ("SettingsError" not in printed), printed
    return printed


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The search of these tests finds a token as text, packed, pickled, and in a DuckDB table."""
    packed = base64.b64encode(zlib.compress(json.dumps({"a": TOKEN}).encode()))
    (tmp_path / "1.txt").write_text(f"token={TOKEN}")
    (tmp_path / "2.gz").write_bytes(gzip.compress(b"INSERT '" + packed + b"'"))
    (tmp_path / "3.b64").write_bytes(base64.b64encode(b"x" + TOKEN.encode()))
    (tmp_path / "4.hex").write_text(TOKEN.encode().hex())
    (tmp_path / TOKEN).touch()
    with closing(duckdb.connect(str(tmp_path / "5.duckdb"))) as db:
        db.execute("CREATE TABLE t AS SELECT ? AS a FROM range(9999)", [packed.decode()])
        db.execute(f"COPY t TO '{tmp_path / 't.parquet'}' (FORMAT parquet, COMPRESSION zstd)")
    with zipfile.ZipFile(tmp_path / "45.zip", "w") as archive:
        archive.write(tmp_path / "t.parquet", "t.parquet")
    (tmp_path / "t.parquet").unlink()
    (tmp_path / "6.txt").write_text("a1b2c3 is no token")
    places = leaks(tmp_path)
    assert "45.zip: t.parquet" in places
    assert places[:4] == ["1.txt", "2.gz", "3.b64", "4.hex"]
    assert places[-2:] == ["5.duckdb: t", TOKEN]
    assert "6.txt" not in places


REFUSALS = [  # each is one call; what is tried again meets the next one
    *["wrong_token", "token_busy", "maintenance", "unknown_report", "missing_parameters"],
    *["not_found", "error_in_200", "error_text_in_200", "html", "html_403", "server_error"],
    *["redirect", "redirect_elsewhere", "empty_body", "truncated_json", "data_missing"],
    *["drop", "cut", "text_in_items", "extra_field", "quota_spent"],
]


def test_every_refusal_at_debug(
    project: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path
) -> None:
    """Success and every refusal leave no trace of the token, and a redirect does not carry it."""
    for refusal in REFUSALS:
        project.vendor.misbehave(refusal, times=1)
    # Ten operations, so that each way meets many; whoever searches for TOKEN finds their tokens.
    tokens = {f"a{n}": f"{TOKEN[:-1]}{n}" for n in range(10)}
    for name, token in tokens.items():
        project.vendor.add_operation(name=name, server="0010", token=token)
    operations = [{"name": n, "server": "0010", "token": token} for n, token in tokens.items()]
    monkeypatch.setenv(OPERATIONS, json.dumps(operations))
    printed = run(runs, tmp_path, "load", "dlt")
    assert {call.token for call in project.vendor.calls} == {*tokens.values()}
    assert len(project.vendor.calls) > len(REFUSALS)
    assert project.vendor.elsewhere_calls == []
    assert not shows(printed.encode(), TOKEN), printed
    assert leaks(tmp_path) == []


WAYS = [
    "operations in the environment",
    "operations in secrets.toml",
    "short form in the environment",
    "short form in secrets.toml",
]


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("place", WAYS)
def test_every_place_for_the_token(
    project: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path, place: str
) -> None:
    """Wherever the token is set, and whoever runs the source, it is sent and shows nowhere."""
    secrets = project.folder / ".dlt" / "secrets.toml"
    secrets.parent.mkdir()
    if place != WAYS[0]:
        monkeypatch.delenv(OPERATIONS)
    if place == WAYS[1]:
        secrets.write_text(
            f'[[sources.wolkvox_billing.operations]]\nserver = "0010"\ntoken = "{TOKEN}"\n'
        )
    elif place == WAYS[2]:
        monkeypatch.setenv(SERVER_VARIABLE, "0010")
        monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    elif place == WAYS[3]:
        secrets.write_text(f'[sources.wolkvox_billing]\nserver = "0010"\ntoken = "{TOKEN}"\n')
    project.vendor.misbehave("wrong_token", times=1)
    printed = run(runs, tmp_path, "load", "dlt")
    assert [(call.token, call.status) for call in project.vendor.calls] == [
        (TOKEN, 403),
        (TOKEN, 200),
    ]
    assert not shows(printed.encode(), TOKEN), printed
    assert leaks(tmp_path) == []


def test_a_postgres_that_refuses(
    project: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path
) -> None:
    """With PostgreSQL out of reach neither the token nor its password shows, in answers that wait
    on disk neither."""
    address = f"postgresql://loader:{PASSWORD}@127.0.0.1:1/wolkvox"
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
    printed = run(runs, tmp_path, "dlt", "load", destination="postgres")
    assert len(project.vendor.calls) == 1
    assert list(tmp_path.rglob("spool/*.poll"))  # the answer waits
    for secret in (TOKEN, PASSWORD):
        assert not shows(printed.encode(), secret), printed
    assert leaks(tmp_path, TOKEN, PASSWORD) == []


def test_a_warehouse_that_works(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path
) -> None:
    """A good run into a warehouse leaves neither token nor password behind, nor in its tables."""
    if warehouse.destination == "postgres":
        address = warehouse.dsn.replace(":unused@", f":{PASSWORD}@")
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
    printed = run(runs, tmp_path, "dlt", "load", destination=warehouse.destination)
    assert len(warehouse.query("SELECT * FROM readings")) == 2
    for secret in (TOKEN, PASSWORD):
        assert not shows(printed.encode(), secret), printed
    assert leaks(tmp_path, TOKEN, PASSWORD) == []
    for schema in ("wolkvox_billing", "wolkvox_billing_staging"):
        tables = f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'"
        for (table,) in warehouse.query(tables):
            rows = warehouse.query(f"SELECT * FROM {schema}.{table}")
            plain = repr([[bytes(v) if isinstance(v, memoryview) else v for v in r] for r in rows])
            assert not shows(plain.encode(), TOKEN), table
            assert not shows(plain.encode(), PASSWORD), table


@pytest.mark.usefixtures("tables")
def test_an_answer_that_repeats_the_token(project: Project, runs: Stable, tmp_path: Path) -> None:
    """An answer in which the vendor repeats the token is kept without it, and says so."""
    body = json.dumps({"code": 403, "error": "403", "msg": f"token {TOKEN} is in maintenance"})
    project.vendor.answer(TOKEN, REPORT, body.encode())
    run(runs, tmp_path, "load")
    project.vendor.answer(
        TOKEN,
        REPORT,
        [{"operation": TOKEN, "description": "Audios", "items": "5", "date": "2026-11-10"}],
    )
    printed = run(runs, tmp_path, "load")
    notes = project.query("SELECT note FROM polls ORDER BY poll_id")
    assert notes[-1] == ("the answer repeated the token: it is masked",)
    assert project.query(f"SELECT operation, items_raw FROM {REPORT}") == [("[token]", "5")]
    assert not shows(printed.encode(), TOKEN), printed
    assert leaks(tmp_path) == []


@pytest.mark.usefixtures("tables")
def test_a_killed_run_and_an_evidence_file(project: Project, runs: Stable, tmp_path: Path) -> None:
    """What a killed run leaves in the spool shows no token, nor does an evidence file."""
    body = json.dumps({"code": 403, "error": "403", "msg": f"token {TOKEN} is in maintenance"})
    project.load()
    project.vendor.answer(TOKEN, REPORT, body.encode())
    arguments = {"now": "2026-11-10T18:00:00+00:00"}
    kill = ["wolkvox_billing.polling.spool:Spool.keep", "after"]
    assert runs.run("load", arguments, kill=kill) == -9
    [spooled] = tmp_path.rglob("*.poll")
    assert b"[token] is in maintenance" in spooled.read_bytes()
    Path("line_map.csv").write_text(ONE_LINE)
    Path("rate_card.csv").write_text(ONE_PRICE)
    project.later(days=40)
    write_evidence("evidence", "2026-11", clock=lambda: project.vendor.now)
    assert list(Path("evidence").glob("*.zip"))
    assert leaks(tmp_path) == []


VERBS = """
import logging, os, sys
logging.basicConfig(level=logging.DEBUG)
from wolkvox_billing.cli.main import main
for words in ("check", "load --force --json", "refresh", "invoices inbox", "reconcile --init",
              "reconcile --month 2026-11 --evidence evidence --json", "explain 2026-11",
              "close 2026-11 --reason why", "status --json", "publish copy.duckdb", "publish copy",
              "sql duckdb", "verify evidence/wolkvox-evidence-2026-11.zip"):
    try:
        main(words.split(), standalone_mode=False)
        print("ENDED", words)
    except SystemExit as error:
        print("ENDED", words, error.code)
"""


@pytest.mark.usefixtures("tables")
def test_every_verb_at_debug(
    project: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path
) -> None:
    """No verb prints or leaves it at the level at which everybody logs all; other levels print less
    of the same. Nor does a copy for BI tools show it, a file or a folder, though it holds the
    answers as they came, one of which repeats the token."""
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__RETRY_PAUSE_SECONDS", "0")
    body = json.dumps({"code": 403, "error": "403", "msg": f"token {TOKEN} is in maintenance"})
    project.poll()  # whose answer waits for the load
    project.vendor.answer(TOKEN, REPORT, body.encode())
    (project.folder / "inbox").mkdir()
    (project.folder / "inbox" / "a.xml").write_text(TOKEN)  # that is no invoice, and is not quoted
    printed = run(runs, tmp_path, script=VERBS)
    assert printed.count("ENDED") == 13
    assert not shows(printed.encode(), TOKEN), printed
    (project.folder / "inbox" / "a.xml").unlink()
    assert list(project.folder.rglob("*.parquet"))
    with closing(duckdb.connect("copy.duckdb", read_only=True)) as db:
        answers = db.execute("SELECT outcome FROM wolkvox_billing.polls ORDER BY 1").fetchall()
    assert answers[-1] == ("ok",) and ("maintenance",) in answers
    assert leaks(tmp_path) == []


@pytest.mark.usefixtures("tables")
def test_no_process_shows_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the vendor is asked, no command line of this machine holds the token: `ps` shows those
    to everybody. That of the load is among them."""
    token = os.urandom(32).hex()  # that of no stand-in which another test has started
    project.vendor.add_operation(name="OWN", server="0013", token=token)
    own = [{"name": "own", "server": "0013", "token": token}]
    monkeypatch.setenv(OPERATIONS, json.dumps(own))
    with (
        subprocess.Popen(
            [sys.executable, "-m", "wolkvox_billing", "load"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as child,
        project.vendor.hold(token),
    ):
        project.vendor.wait_for_calls(1, timeout=60)
        command_lines = read_command_lines()
    assert child.returncode == 0
    assert b"load" in command_lines[child.pid]
    assert not [line for line in command_lines.values() if shows(line, token)]


BUGS = [
    ("wolkvox_billing.polling.source.read_rows", "after an answer"),
    ("wolkvox_billing.polling.polls.ask", "in the thread that asks"),
    ("wolkvox_billing.warehouse.loading._load", "in the load"),
    ("wolkvox_billing.verbs.load.refresh", "in the marts"),
]


@pytest.mark.usefixtures("tables")
def test_a_bug_shows_no_token(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception that nobody expects has no token in its traceback, nor in the variables of its
    frames, as rich, pytest or a debugger print them; nor is it logged."""
    for place, _ in BUGS:
        with monkeypatch.context() as patch:
            patch.setattr(place, lambda *_, **__: 1 / 0)
            try:
                report = project.load(force=True)
                text = f"{report.skips} {report.problems}"
            except Exception as error:
                whole = traceback.TracebackException.from_exception(error, capture_locals=True)
                text = "".join(whole.format())
            assert "ZeroDivisionError" in text, place
            assert not shows(text.encode(), TOKEN), text
    assert "Traceback" in caplog.text and not shows(caplog.text.encode(), TOKEN)


def test_no_argument_takes_a_secret() -> None:
    """No verb has an option for a token or a password: `ps` shows arguments to everybody."""
    verbs = [main, *main.commands.values()]
    names = [p.opts for verb in verbs for p in verb.params if isinstance(p, click.Option)]
    assert len(names) > 20
    assert not [words for words in names if re.search("token|password|secret", str(words))]


def check_modes_of_copies(project: Project, mask: int, *copies: str) -> None:
    for copy in (*copies, "bi/copy"):
        publish(copy, clock=lambda: project.vendor.now)
    modes = {
        path: stat.S_IMODE(path.stat().st_mode) for path in [Path("bi"), *Path("bi").rglob("*")]
    }
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o644 & ~mask}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o777 & ~mask}


def check_modes_of_all(project: Project, mask: int) -> None:
    file = project.folder / "wolkvox.duckdb"
    file.chmod(0o664)
    assert project.load(force=True).is_good
    check_modes_of_copies(project, mask, "bi/copy.duckdb")
    assert stat.S_IMODE(file.stat().st_mode) == 0o664
    Path("line_map.csv").write_text(ONE_LINE)
    Path("rate_card.csv").write_text(ONE_PRICE)
    evidence = write_evidence("evidence", "2026-11", clock=lambda: project.vendor.now)
    assert stat.S_IMODE(evidence.stat().st_mode) == 0o600


@pytest.mark.parametrize("mask", [0o022, 0o000])
def test_what_holds_answers_is_its_owners(
    project: Project, runs: Stable, tmp_path: Path, mask: int
) -> None:
    """The working folder, the spool and a new DuckDB file with its log are for their owner, while
    a run is under way too, and so is evidence; a copy for BI is for others; a file that is there
    keeps its mode."""
    before = os.umask(mask)
    try:
        kill = ["wolkvox_billing.verbs.load:refresh", "before"]
        arguments = {"now": "2026-11-10T17:00:00+00:00"}
        assert runs.run("load", arguments, kill=kill, umask=mask) == -9  # in mid-load
        paths = [path for path in (tmp_path / "dlt").rglob("*") if "wolkvox-billing" in str(path)]
        paths = [path for path in paths if path.name not in ("pipelines", "wolkvox-billing")]
        paths += project.folder.glob("wolkvox.duckdb*")
        assert len(paths) > 10
        assert [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
        # What is nobody else's where all is allowed is so where less is.
        check = check_modes_of_copies if mask else check_modes_of_all
        check(project, mask)
        assert os.umask(mask) == mask
    finally:
        os.umask(before)


WRONG = {
    "not JSON": f'[{{"server": "0010", "token": "{TOKEN}"',
    "one quote missing": f'[{{"server": "0010, "token": "{TOKEN}"}}]',
    "the token alone": TOKEN,
    "a text in JSON": f'"{TOKEN}"',
    "an object": f'{{"server": "0010", "token": "{TOKEN}"}}',
    "a list of texts": f'["{TOKEN}"]',
    "server and token swapped": f'[{{"server": "{TOKEN}", "token": "0010"}}]',
    "the token as a key": f'[{{"server": "0010", "{TOKEN}": "token"}}]',
    "a number": f'[{{"server": 10, "token": "{TOKEN}"}}]',
    "a blank in the token": f'[{{"server": "0010", "token": "{TOKEN} "}}]',
    "a line break in the token": json.dumps([{"server": "0010", "token": f"{TOKEN}\n"}]),
    "a list in the token": f'[{{"server": "0010", "token": ["{TOKEN}"]}}]',
    "the token as a name": f'[{{"name": "{TOKEN}", "server": "0010", "token": "{TOKEN}"}}]',
    "the same name twice": json.dumps([{"server": "0010", "token": TOKEN}] * 2),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_setting_is_told_without_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """A wrong `operations` is a SettingsError that names it; no traceback shows what it held."""
    monkeypatch.setenv(OPERATIONS, WRONG[wrong])
    for use in (wolkvox_billing, project.load):
        with pytest.raises(SettingsError, match="operation") as caught:
            use()
        text = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert not shows(text.encode(), TOKEN), text
    assert project.vendor.calls == []


def test_a_wrong_setting_leaves_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path
) -> None:
    """A run that ends on a wrong `operations` prints and leaves nothing of it."""
    monkeypatch.setenv(OPERATIONS, WRONG["not JSON"])
    printed = run(runs, tmp_path, "dlt", "load")
    assert printed.count("SettingsError: ") == 2
    assert not shows(printed.encode(), TOKEN), printed
    assert leaks(tmp_path) == []


@pytest.mark.usefixtures("tables")
def test_no_repr_shows_it(project: Project, vendor: Vendor) -> None:
    """Neither an operation, nor a poll, nor a source made by hand shows the token."""
    operation = Operation("acme", SERVERS["acme"], vendor.url, TOKEN)
    report = project.load()
    by_hand = wolkvox_billing(operations=[{"server": "0010", "token": TOKEN}], base_url=vendor.url)
    assert [poll.operation.token for poll in report.polls] == [TOKEN]
    for value in (operation, report, *report.polls, by_hand, *by_hand.resources.values()):
        for text in (repr(value), str(value), f"{value}"):
            assert not shows(text.encode(), TOKEN), text


BUCKET = """
import logging, sys, traceback
logging.basicConfig(level=logging.DEBUG)
from datetime import timedelta
from wolkvox_billing.bucket import look, store
from wolkvox_billing.cli.main import main
store.MOST_RETRIES, store.FIRST_PAUSE = 1, timedelta(milliseconds=1)
for words in ("bucket", "bucket --full --json", "bucket --full", "bucket --full --json",
              "status --json", "publish copy", "bucket --nonsense"):
    try:
        main(words.split(), standalone_mode=False)
        print("ENDED", words)
    except SystemExit as error:
        print("ENDED", words, error.code)
    except Exception as error:
        print("ENDED", words, repr(error), vars(error))
"""


@pytest.mark.usefixtures("tables")
def test_no_name_of_a_copy_shows(
    project: Project, monkeypatch: pytest.MonkeyPatch, runs: Stable, tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    """Names hold phone numbers and agents, and the store's complaints keys: neither these nor the
    credentials nor the key of the hashes are in what verbs print at DEBUG, or leave on a disk,
    whether a look ends well, is refused, or breaks off."""
    root = tmp_path_factory.mktemp("s3")
    at = datetime(2026, 11, 1, 7, tzinfo=timezone.utc)
    put(root / NAME / "acme" / name_of("2026-10-31"), at)
    hash_key = "0123456789abcdef" * 2
    write_polls(project, Call(NOON, []))
    monkeypatch.setenv("BUCKET__URL", f"s3://{NAME}")
    monkeypatch.setenv("BUCKET__REGION", "us-east-1")
    monkeypatch.setenv("BUCKET__HASH_KEY", hash_key)
    monkeypatch.setenv("BUCKET__CREDENTIALS__AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("BUCKET__CREDENTIALS__AWS_SECRET_ACCESS_KEY", KEY_SECRET)
    with rclone(root) as port, gate_before(port) as gate:
        monkeypatch.setenv("BUCKET__ENDPOINT", gate.url)
        gate.answers = [
            None,
            None,
            (403, error_xml("AccessDenied")),
            (400, error_xml("ExpiredToken")),
        ]
        printed = run(runs, tmp_path, script=BUCKET)
    assert printed.count("ENDED") == 7
    assert project.query("SELECT is_complete FROM bucket_listings ORDER BY listing_id") == [
        (True,), (False,), (False,), (True,),
    ]  # fmt: skip
    assert project.query("SELECT COUNT(*) FROM bucket_objects") == [(1,)]
    assert list(project.folder.rglob("bucket_objects.parquet"))
    assert gate.verbs.keys() == {"GET"}
    secrets = (PHONE, AGENT, KEY_SECRET, KEY_ID, hash_key)
    for secret in secrets:
        assert not shows(printed.encode(), secret), printed
    assert leaks(tmp_path, *secrets) == []


def test_a_bug_shows_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody expects, where names are read, has none in its traceback, nor in the
    variables of its frames."""
    monkeypatch.setattr(NameReader, "read", lambda self, name, size: int(name))
    settings = BucketSettings("file:///x", {"*": "acme"}, {}, ZoneInfo("UTC"), read_pattern(
        PUBLIC_PATTERN))  # fmt: skip
    reader = NameReader(settings.operations, settings.pattern, settings.extensions, b"k" * 16)
    look = Look(settings, reader, tmp_path / "l.parquet", lambda objects, seconds: None)
    chunks = [[ListedObject(name_of("2026-10-31"), datetime.now(timezone.utc), 5)]]
    with pytest.raises(Unlistable, match=r"ValueError, test_secrets\.py") as told:
        look.take(chunks, None)
    whole = traceback.TracebackException.from_exception(told.value, capture_locals=True)
    assert not shows("".join(whole.format()).encode(), PHONE)


def test_a_broken_inventory_shows_no_name(tmp_path: Path) -> None:
    """Its files hold names: none is in a complaint, nor in the variables of its frames, be it that
    a file was changed or cannot be read."""
    (tmp_path / "file").write_bytes(f"{name_of('2026-10-31')},1\n,,,\n".encode())
    store = open_store(BucketSettings(f"file://{tmp_path}", {}, {}, ZoneInfo("UTC"), read_pattern(
        PUBLIC_PATTERN)), f"file://{tmp_path}")  # fmt: skip
    for md5, says in (("0" * 32, "not as its manifest"), ("", "cannot be read")):
        made = datetime.now(timezone.utc)
        inventory = Inventory(made, "CSV", ["Key", "Size"], [("file", md5)], store)
        with pytest.raises(Unlistable, match=says) as told:
            list(list_inventory(inventory, "s3://copies"))
        whole = traceback.TracebackException.from_exception(told.value, capture_locals=True)
        frames = "".join(line for line in whole.format() if "test_secrets" not in line)
        assert not shows(frames.encode(), PHONE)
