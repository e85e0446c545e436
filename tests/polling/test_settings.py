"""Settings: what is taken, and what each wrong one says, without ever showing a token."""

from __future__ import annotations

import itertools
import json
import logging
from typing import Any

import pytest

from builders.project import NOON, TOKENS, Project
from wolkvox_billing import SettingsError, wolkvox_billing
from wolkvox_billing.vendor.operations import Operation, read_operations
from wolkvox_billing.vendor.reports import REPORTS, choose_reports

pytestmark = pytest.mark.usefixtures("kept_open")
TOKEN = TOKENS["acme"]
HEX = "a1" * 16  # a shorter token
ACME = {"name": "acme", "server": "0010", "token": TOKEN}
BETA = {"name": "beta", "server": "0010", "token": TOKENS["beta"]}

# Operations.


def asked_at(server: str) -> str:
    return f"https://wv{server}.wolkvox.com/api/v2/billing.php"


def test_the_short_form_is_one_operation() -> None:
    """`server` and `token` are one operation, named after its server."""
    expected = Operation("0010", "0010", asked_at("0010"), TOKEN)
    assert read_operations(None, "0010", TOKEN) == [expected]


@pytest.mark.parametrize("form", [list, tuple, json.dumps])
def test_operations_are_a_list_of_tables(form: Any) -> None:
    """`operations` is a list of tables, or JSON of one; two may share a server, and the name of one
    is its server where none is set."""
    nameless = {"server": "0007", "token": TOKENS["gama"]}
    assert read_operations(form([ACME, BETA, nameless]), None, None) == [
        Operation("acme", "0010", asked_at("0010"), TOKEN),
        Operation("beta", "0010", asked_at("0010"), TOKENS["beta"]),
        Operation("0007", "0007", asked_at("0007"), TOKENS["gama"]),
    ]


def test_an_operation_does_not_show_its_token() -> None:
    """The token is not in what Python prints of an operation."""
    assert TOKEN not in repr(read_operations([ACME], None, None))


@pytest.mark.parametrize(
    ("operations", "server", "token", "says"),
    [
        (None, None, None, "no server and token is set"),
        (None, "0010", None, "no token is set"),
        (None, "", TOKEN, "no server is set"),
        ([ACME], "0010", TOKEN, "both `operations` and `server`/`token` are set"),
        ([ACME], None, TOKEN, "both `operations` and `server`/`token` are set"),
        ([], None, None, "`operations` under [sources.wolkvox_billing] is empty"),
        (ACME, None, None, "`operations` under [sources.wolkvox_billing] is not a list"),
        (json.dumps(ACME), None, None, "is not a list, or JSON of one"),
        (f"[{{token: {TOKEN}}}]", None, None, "is not a list, or JSON of one"),
        (TOKEN, None, None, "is not a list, or JSON of one"),
        (7, None, None, "is not a list, or JSON of one"),
        ([ACME, TOKEN], None, None, "operation 2 of `operations` under [sources.wolkvox_billing]"),
        ([{**ACME, "tokn": TOKEN}], None, None, "has 'tokn'; it takes name, server, token"),
        ([{**ACME, TOKEN: "token"}], None, None, "has a longer value; it takes name, server"),
        ([{**ACME, "server": 10}], None, None, 'with its leading zeros, such as "0010"; got 10'),
        ([{**ACME, "server": None}], None, None, "`server` is the server's nomenclature"),
        ([{**ACME, "server": "00.10"}], None, None, "`server` is the server's nomenclature"),
        ([{**ACME, "server": "10/x@"}], None, None, "`server` is the server's nomenclature"),
        ([{**ACME, "server": TOKEN, "token": "0010"}], None, None, "got a longer value"),
        ([{**ACME, "server": HEX, "token": "0010"}], None, None, "got a longer value"),
        (None, TOKEN, "0010", "`server` is the server's nomenclature"),
        (None, HEX, "0010", "`server` is the server's nomenclature"),
        ([{"server": "0010"}], None, None, "(server 0010): its `token` is missing"),
        ([{**ACME, "token": ""}], None, None, "its `token` is missing"),
        ([{**ACME, "token": f" {TOKEN}"}], None, None, "its `token` has blanks or characters"),
        ([{**ACME, "token": f"{TOKEN}\n"}], None, None, "its `token` has blanks or characters"),
        ([{**ACME, "token": f"{TOKEN}é"}], None, None, "its `token` has blanks or characters"),
        ([{**ACME, "token": [TOKEN]}], None, None, "its `token` has blanks or characters"),
        ([{**ACME, "name": " "}], None, None, "`name` is a text of printable characters"),
        ([{**ACME, "name": None}], None, None, "`name` is a text of printable characters"),
        ([{**ACME, "name": "a\x1b[2J"}], None, None, "`name` is a text of printable characters"),
        ([{**ACME, "name": f"x{TOKEN}"}], None, None, "`name` holds the token"),
        ([{**ACME, "timezone": "Mars/Olympus"}], None, None, "`timezone` is 'Mars/Olympus'"),
        ([{**ACME, "timezone": TOKEN}], None, None, "`timezone` is a longer value"),
        ([ACME, {**BETA, "name": "acme"}], None, None, "two operations have the name 'acme'"),
    ],
)
def test_wrong_operations_are_said_without_the_token(
    operations: object, server: str | None, token: str | None, says: str
) -> None:
    """Wrong operations are an error that names the setting, and never holds a token."""
    with pytest.raises(SettingsError) as error:
        read_operations(operations, server, token)
    assert says in str(error.value)
    words = repr(error.value) + repr(error.value.__cause__)
    assert TOKEN not in words and HEX not in words
    assert error.value.__suppress_context__ or error.value.__context__ is None


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://wv{server}.wolkvox.com", "https://wv0010.wolkvox.com/api/v2/billing.php"),
        ("https://proxy.example/w/{server}/", "https://proxy.example/w/0010/api/v2/billing.php"),
        ("https://10.1.2.3:8443", "https://10.1.2.3:8443/api/v2/billing.php"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v2/billing.php"),
        ("http://127.9.9.9", "http://127.9.9.9/api/v2/billing.php"),
        ("http://[::1]:8080", "http://[::1]:8080/api/v2/billing.php"),
        ("http://localhost:8080", "http://localhost:8080/api/v2/billing.php"),
    ],
)
def test_the_vendor_is_asked_at_base_url(base_url: str, url: str) -> None:
    """The server goes into `base_url`, the documented path behind it; http goes to loopback."""
    assert [operation.url for operation in read_operations([ACME], None, None, base_url)] == [url]


UNPROTECTED = "would send the token unprotected"
UNLIKE = "`base_url` must look like https://wv{server}.wolkvox.com"


@pytest.mark.parametrize(
    ("base_url", "says"),
    [
        ("http://wv{server}.wolkvox.com", UNPROTECTED),
        ("http://127.0.0.1.example.com", UNPROTECTED),
        ("http://localhost.example.com", UNPROTECTED),
        ("http://0.0.0.0", UNPROTECTED),
        ("http://192.168.1.2", UNPROTECTED),
        ("http://2130706433", UNPROTECTED),
        ("ftp://127.0.0.1", UNPROTECTED),
        ("http://127.0.0.1@example.com", UNLIKE),
        ("http://127.0.0.1\\@example.com", UNLIKE),
        ("http://example.com#@127.0.0.1", UNLIKE),
        ("https://user:secret@example.com", UNLIKE),
        ("https://example.com?x=", UNLIKE),
        ("wv{server}.wolkvox.com", UNLIKE),
        ("", UNLIKE),
        ("https://example.com:port", "is no address"),
        ("https://[::1", "is no address"),
    ],
)
def test_no_token_leaves_unprotected(base_url: str, says: str) -> None:
    """An address that is not https, nor this machine, is an error that names the setting."""
    with pytest.raises(SettingsError) as error:
        read_operations([ACME], None, None, base_url)
    assert "`base_url`" in str(error.value) and says in str(error.value)
    assert "secret" not in str(error.value)


# Reports.


def test_all_is_each_of_the_vendors_reports() -> None:
    """`["all"]` is all 27 without a warning, and may stand beside a new one."""
    chosen, warnings = choose_reports(["all"])
    assert (len(chosen), chosen, warnings) == (27, list(REPORTS), [])
    assert len(choose_reports(["all", "ivr_calls", "new:whatsapp"])[0]) == 28


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_is_known(name: str) -> None:
    """Each of the vendor's reports is taken alone, without a warning."""
    assert choose_reports([name]) == ([name], [])


def test_reports_keep_their_order_once_each() -> None:
    """Reports are asked for in the order given, and once each."""
    names = ["rsync", "ivr_calls", "rsync", "new:ivr_calls"]
    assert choose_reports(names) == (["rsync", "ivr_calls"], [])


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("rsync_s3_mp4", "rsync_s3_mp3"),
        ("ivr_minute", "ivr_minutes"),
        ("rec_screens", "rec_screen"),
        ("wp_connector_official", "wp_connectors_official"),
        ("RSYNC_S3_MP3", "rsync_s3_mp3"),
        ("rsync-s3-mp3", "rsync_s3_mp3"),
        (" ivr_calls", "ivr_calls"),
    ],
)
def test_a_misspelt_report_lists_the_near_ones(name: str, near: str) -> None:
    """An unknown name that resembles a report's is an error that names the setting and the near
    ones."""
    with pytest.raises(SettingsError) as error:
        choose_reports(["vision", name])
    text = str(error.value)
    assert "the setting `reports` under [sources.wolkvox_billing]" in text
    assert repr(name) in text and "did you mean" in text and near in text.partition("mean")[2]


@pytest.mark.usefixtures("tables")
def test_reports_of_tomorrow_are_asked_for(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """A name that the vendor has not published is polled, with a warning; `new:` says that it is no
    misspelling."""
    row = {"operation": "ACME", "description": "Voice", "date": "2026-11-10"}
    reports = {"whatsapp_voice": "7", "ivr_minute": "8", "x1": "9"}
    for report, items in reports.items():
        project.vendor.answer(TOKEN, report, [{**row, "items": items}])
    with caplog.at_level(logging.WARNING, "wolkvox_billing"):
        assert project.load(reports=["whatsapp_voice", "new:ivr_minute", "x1"]).is_good
    assert caplog.messages == [
        "report 'whatsapp_voice' is not one of the 27 known ones",
        "report 'ivr_minute' is not one of the 27 known ones",
        "report 'x1' is not one of the 27 known ones",
    ]
    assert [call.report for call in project.vendor.calls] == [*reports]
    for report, items in reports.items():
        rows = project.query(f"SELECT description, items_raw FROM {report}")
        assert (report, rows) == (report, [("Voice", items)])


@pytest.mark.parametrize(
    "name",
    [
        *("polls", "readings", "answers", "rejected_rows", "rejected_documents", "month_closes"),
        *("invoice_lines", "invoice_documents", "line_map", "rate_card", "exchange_rates"),
        *("dlt_x", "x_dlt_loads"),
        *("_dlt_loads", "", "new:", "a b", "a.b", "a;b", "ñandu", "1st", "Xyz", "x" * 52, "a\n"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "new:"])
def test_a_report_takes_no_name_of_ours(name: str, prefix: str) -> None:
    """A name that one of our tables has, or that no table can have, is an error."""
    with pytest.raises(
        SettingsError, match=r"(?s)the setting `reports`.*cannot be a report's name"
    ):
        choose_reports([prefix + name])


@pytest.mark.parametrize("names", [[], "ivr_calls", [7], [None], ["ivr_calls", b"x"]])
def test_reports_are_a_list_of_names(names: Any) -> None:
    """Anything but a list of names is an error that shows one."""
    with pytest.raises(SettingsError, match=r'`reports` .* such as \["rsync_s3_mp3"\] or'):
        choose_reports(names)


# The source, and dlt's configuration.


def test_a_token_is_named_once(project: Project) -> None:
    """Two operations with one token would count one use twice: the token decides who answers."""
    twice = [{**ACME, "name": name} for name in ("one", "two")]
    with pytest.raises(SettingsError, match="'one' has the same token as another"):
        wolkvox_billing(operations=twice)


@pytest.mark.parametrize("name", ["TOKEN", "SERVER", "OPERATIONS"])
def test_a_variable_of_another_program_is_not_sent(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """dlt would take `TOKEN` of the environment for the setting: it may be another program's, and
    is refused by name, and not shown."""
    monkeypatch.delenv("SOURCES__WOLKVOX_BILLING__OPERATIONS")
    monkeypatch.setenv(name, "s3cr3t-of-somebody")
    with pytest.raises(SettingsError, match=f"the variable {name} would be taken") as error:
        project.load()
    assert "s3cr3t" not in str(error.value)
    assert project.vendor.calls == []


@pytest.mark.usefixtures("tables")
def test_force_and_probe_are_no_variables(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables named FORCE and PROBE change nothing."""
    monkeypatch.setenv("FORCE", "true")
    monkeypatch.setenv("PROBE", "true")
    assert project.load(reports=["vision", "ivr_calls"]).is_good
    assert [skip.reason for skip in project.load(reports=["vision", "ivr_calls"]).skips] == [
        "pace",
        "pace",
    ]
    assert len(project.vendor.calls) == 2


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("timezone", "Mars/Olympus"),
        ("timezone", "../../etc/passwd"),
        ("timezone", "/etc/localtime"),
        ("timezone", ""),
        ("timezone", "America"),
        ("timezone", "UTC\x00"),
        ("pace_minutes", -1),
        ("pace_minutes", float("nan")),
        ("pace_minutes", float("inf")),
        ("max_parallel", 0),
        ("retry_pause_seconds", -1),
        ("retry_pause_seconds", float("nan")),
        ("token_wait_seconds", -1),
        ("token_wait_seconds", float("inf")),
        ("connect_timeout_seconds", 0),
        ("connect_timeout_seconds", float("inf")),
        ("read_timeout_seconds", 0),
        ("read_timeout_seconds", -5),
    ],
)
def test_a_setting_out_of_range_is_named(project: Project, setting: str, value: Any) -> None:
    """A setting that cannot be meant is an error that names it, before anything is asked."""
    with pytest.raises(SettingsError, match=f"`{setting}`"):
        wolkvox_billing(**{setting: value})
    assert project.vendor.calls == []


@pytest.mark.parametrize("setting", ["pace_minutes", "max_parallel", "reports"])
def test_a_variable_that_cannot_be_read_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """A variable of the wrong type is an error that names the setting."""
    monkeypatch.setenv(f"SOURCES__WOLKVOX_BILLING__{setting.upper()}", "many")
    with pytest.raises(SettingsError, match=setting):
        project.load()
    assert project.vendor.calls == []


@pytest.mark.usefixtures("tables")
def test_settings_come_from_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short form and a list are read from dlt's variables."""
    monkeypatch.delenv("SOURCES__WOLKVOX_BILLING__OPERATIONS")
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__SERVER", "0010")
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__TOKEN", TOKEN)
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__REPORTS", '["ivr_calls", "vision"]')
    assert project.load().is_good
    assert [(call.token, call.report) for call in project.vendor.calls] == [
        (TOKEN, "ivr_calls"),
        (TOKEN, "vision"),
    ]
    assert project.query("SELECT DISTINCT operation_id, server FROM polls") == [("0010", "0010")]


def test_no_operation_is_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any operation the error says where to put one."""
    monkeypatch.delenv("SOURCES__WOLKVOX_BILLING__OPERATIONS")
    with pytest.raises(SettingsError) as error:
        project.load()
    assert ".dlt/secrets.toml" in str(error.value)
    assert "SOURCES__WOLKVOX_BILLING__TOKEN" in str(error.value)


DAYS = {"America/Bogota": ["2026-11-10"], "Pacific/Auckland": ["2026-11-10", "2026-11-11"]}


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(("zone", "other"), [*itertools.permutations(DAYS)])
def test_the_zone_decides_the_day(project: Project, zone: str, other: str) -> None:
    """A date is held against the calendar in `timezone`, the setting or the operation's own: at
    04:00 UTC on the 10th it is the 9th in Bogotá, the 10th in Auckland; a day ahead is taken."""
    project.vendor.now = NOON.replace(hour=4)
    row = {"operation": "ACME", "description": "Audios", "items": "7"}
    rows = [{**row, "date": f"2026-11-{day}"} for day in (10, 11, 12)]
    for name in ("acme", "beta"):
        project.vendor.answer(TOKENS[name], "rsync_s3_mp3", rows)
    operations = [ACME, {**BETA, "timezone": other}]
    assert project.load(operations=operations, timezone=zone).is_good
    dates = project.query("SELECT operation_id, date_raw FROM rsync_s3_mp3 ORDER BY 1, 2")
    of_acme, of_beta = [("acme", day) for day in DAYS[zone]], [("beta", day) for day in DAYS[other]]
    assert dates == of_acme + of_beta
