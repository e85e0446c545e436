"""`load`, `status` and `reconcile` tell who counts as another one, and go by who is meant."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from builders.months import BOGOTA, ONE_LINE, invoice, judged, local
from builders.months import bill as bill_month
from builders.project import NOON, SERVERS, TOKENS, Project
from builders.record import REPORT, Call, write_polls
from wolkvox_billing.verbs.status import Status, status

pytestmark = pytest.mark.usefixtures("kept_open")
TWO = ({"name": "0010", "server": "0010"}, {"name": "ventas", "server": "0010"})
ONE_OPERATION = (
    "0010 and ventas read the same operation (server 0010, 'ACME'): it counts once, as ventas; "
    "`wolkvox-billing operations merge 0010 ventas` settles it, and `operations restore 0010` says "
    "that they are two"
)


@pytest.fixture(autouse=True)
def _same_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, server in (("0010", "0010"), ("ventas", "0010"), ("9999", "9999")):
        monkeypatch.setitem(SERVERS, name, server)
        monkeypatch.setitem(TOKENS, name, TOKENS["acme"] if server == "0010" else "f9" * 32)


def call(operation: str, at: Any, items: str, name: str = "ACME") -> Call:
    day = f"{at.astimezone(BOGOTA):%Y-%m-%d}"
    row = {"operation": name, "description": "AUDIOS", "items": items, "date": day}
    return Call(at, [row], operation=operation)


def mean(monkeypatch: pytest.MonkeyPatch, *names: str, reports: str = f'["{REPORT}"]') -> None:
    """Let the settings say these operations, each with a token of its own."""
    operations = [
        {"name": name, "server": SERVERS[name], "token": f"{n:02}" * 32}
        for n, name in enumerate(names)
    ]
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps(operations))
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__REPORTS", reports)


def status_after(project: Project, **time: float) -> Status:
    return status(
        destination=project.destination, clock=lambda: project.vendor.now + timedelta(**time)
    )


@pytest.mark.usefixtures("tables")
def test_load_tells_of_an_operation_that_grew_into_a_second_id(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From `server` and `token` to `operations`, as the quick start grows: told at the first load
    with both, and good."""
    own = {"server": "0010", "token": TOKENS["acme"]}
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps([own]))
    first = project.load()
    assert (first.is_good, first.warnings) == (True, [])
    project.later(hours=1)
    monkeypatch.setenv(
        "SOURCES__WOLKVOX_BILLING__OPERATIONS", json.dumps([{**own, "name": "ventas"}])
    )
    second = project.load()
    # The stand-in calls whoever has this token so, and settings differ in nothing else.
    assert (second.is_good, second.warnings) == (True, [ONE_OPERATION.replace("ACME", "VENTAS")])
    assert project.query(
        "SELECT DISTINCT operation_id FROM wolkvox_billing_marts.usage_monthly"
    ) == [("ventas",)]


def test_a_month_that_two_ids_read_is_billed_once(project: Project) -> None:
    """The only operation that there is is billed by a line that names none, as before it had two
    ids; a line map that still says the older id means it too, and an invoice that names it."""
    write_polls(
        project,
        call("0010", local(1), "10"),
        call("0010", local(20), "700"),
        call("ventas", local(20, 13), "705"),
        call("ventas", local(31, 23, 50), "1000"),
        measures={REPORT: "month_to_date"},
    )
    bill_month(project, invoice("1000", "100000"))
    result = judged(project)
    assert [(row.operation_id, row.reconciliation_status) for row in result.rows] == [
        ("ventas", "matched")
    ]
    assert ONE_OPERATION in result.warnings
    of_the_older = judged(project, line_map=ONE_LINE.replace(",,,quantity", ",0010,,quantity"))
    assert [row.reconciliation_status for row in of_the_older.rows] == ["matched"]


def test_status_tells_it_in_the_language_of_the_settings(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each `status` tells it until somebody decides, in Spanish where that is set."""
    write_polls(project, call("0010", NOON, "7"), call("ventas", NOON + timedelta(hours=1), "8"))
    mean(monkeypatch, "ventas")
    assert status_after(project).warnings == [ONE_OPERATION]
    monkeypatch.setenv("RECONCILIATION__LANGUAGE", "es")
    [told] = status_after(project).warnings
    assert told.startswith("0010 y ventas leen la misma operación (servidor 0010, 'ACME'): cuenta")


def test_what_is_not_in_the_settings_is_not_stale_and_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operation that was mistyped once is not late for ever, nor gone in silence: the settings
    know who is meant."""
    write_polls(project, call("9999", NOON, "7", "OTHER"), call("acme", NOON, "8"))
    mean(monkeypatch, "acme")
    state = status_after(project, minutes=18)
    assert state.stale(timedelta(minutes=30)) == []
    assert [text.split(":")[0] for text in state.stale(timedelta(minutes=10))] == [
        "acme rsync_s3_mp3"
    ]
    assert state.retired == [
        "not in the settings any more: 9999, last answered 18 min ago; if it was never meant: "
        "`operations forget 9999`"
    ]


def test_a_report_that_is_asked_no_more_is_told_with_its_operation(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an operation that is meant, only the report is not: nothing is to be forgotten."""
    write_polls(project, call("acme", NOON, "8"))
    mean(monkeypatch, "acme", reports='["ivr_minutes"]')
    state = status_after(project, days=50)
    assert state.retired == [
        "not in the settings any more: acme rsync_s3_mp3, not answered in 40 days"
    ]
    assert state.warnings == [
        "acme ivr_minutes: is in the settings, and was never asked: run `load`"
    ]
    assert len(state.stale(timedelta(minutes=10))) == 1


def test_without_settings_status_goes_by_the_record(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has no secrets, such as a reader of a BI tool, is told by what was asked lately."""
    write_polls(project, call("9999", NOON, "7", "OTHER"), call("acme", NOON, "8"))
    monkeypatch.delenv("SOURCES__WOLKVOX_BILLING__OPERATIONS", raising=False)
    for name in ("SERVER", "TOKEN"):
        monkeypatch.delenv(f"SOURCES__WOLKVOX_BILLING__{name}", raising=False)
    state = status_after(project, minutes=18)
    assert (state.meant, state.retired) == (None, [])
    assert len(state.stale(timedelta(minutes=10))) == 2
