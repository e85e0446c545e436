"""Rows of an answer that nobody can read: each verb says how many of how many, and why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from builders.project import TOKENS, Project, configure
from wolkvox_billing.cli.main import main
from wolkvox_billing.vendor.readings import TOTAL
from wolkvox_billing.vendor.rejections import UnreadableRows, unreadable_rows
from wolkvox_billing.verbs.check import check
from wolkvox_billing.verbs.status import Status, status

pytestmark = pytest.mark.usefixtures("kept_open", "tables")
REPORT = "rsync_s3_mp3"
WORDS = "'7 audios' is not an amount that reads in one way only: expected digits, with commas " \
    "between thousands and a dot before decimals"  # fmt: skip
ALL = (
    f"acme rsync_s3_mp3: none of 2 rows could be read (the first: {WORDS}), and their use is in no "
    "sum: look at the table rejected_rows, and show its rows to wolkvox, and to us"
)
SOME = (
    f"acme rsync_s3_mp3: 1 of 3 rows could not be read ({WORDS}), and their use is in no sum: see "
    "the table rejected_rows"
)


def tell(project: Project, *items: str, operation: str = "acme", **products: str) -> None:
    """From now on the vendor answers a row for each of these amounts, and each product's."""
    amounts = {f"Audios {n}": amount for n, amount in enumerate(items)} | products
    rows = [
        {"operation": "ACME", "description": product, "items": amount, "date": "2026-11-10"}
        for product, amount in amounts.items()
    ]
    project.vendor.answer(TOKENS[operation], REPORT, rows)


def status_of(project: Project) -> Status:
    return status(destination=project.destination, clock=lambda: project.vendor.now)


def command(*words: str) -> tuple[int, Any]:
    """Run a verb with --json; return its exit code and what it printed."""
    result = CliRunner().invoke(main, [*words, "--json"])
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize(
    ("rows", "reasons", "expected"),
    [
        (3, [], None),
        (3, ["a", "b"], UnreadableRows(3, 2, "a")),
        (3, ["a", "b", "c"], UnreadableRows(3, 3, "a")),
        (3, [TOTAL], None),
        (3, [TOTAL, "b"], UnreadableRows(3, 1, "b")),
        (3, [TOTAL, "b", "c"], UnreadableRows(3, 3, "b")),
        (1, [TOTAL], UnreadableRows(1, 1, TOTAL)),
        (0, [], None),
    ],
)
def test_a_total_row_is_a_loss_where_nothing_else_was_read(
    rows: int, reasons: list[str], expected: UnreadableRows | None
) -> None:
    """A TOTAL row beside readings is no loss; alone, or beside rows that are none either, it is."""
    assert unreadable_rows(rows, reasons) == expected


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (UnreadableRows(3, 1, "r"), "1 of 3 rows could not be read (r)"),
        (UnreadableRows(3, 2, "r"), "2 of 3 rows could not be read (the first: r)"),
        (UnreadableRows(3, 3, "r"), "none of 3 rows could be read (the first: r)"),
        (UnreadableRows(1, 1, "r"), "the only row could not be read (r)"),
    ],
)
def test_what_could_not_be_read_in_words(rows: UnreadableRows, says: str) -> None:
    """How many of how many, and the first reason."""
    assert str(rows) == says


def test_what_a_load_and_status_say(warehouse: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no row of an answer could be read, `load` is no success and says what to do: and no
    new try mends it. Where some could, it is a success that warns. A row that sums up the others is
    rejected, and nobody is alarmed; one that came alone is all that there was. `status` warns until
    an answer can be read. Each operation's unreadable rows are its own."""
    configure(monkeypatch, warehouse.vendor, "acme", "beta", "gama")
    tell(warehouse, "7 audios", "9 audios")
    tell(warehouse, "5", "7 audios", "6", operation="beta")
    tell(warehouse, operation="gama", TOTAL="11")
    report = warehouse.load()
    assert (report.is_good, report.may_pass) == (False, False)
    none, alone = sorted(report.problems)
    assert none == ALL
    assert alone.startswith(f"gama rsync_s3_mp3: the only row could not be read ({TOTAL}), and")
    assert sorted(report.failures) == [none, alone]
    some = SOME.replace("acme", "beta", 1)
    assert report.warnings == [some]
    unreadable = {poll.operation.operation_id: poll.unreadable for poll in report.polls}
    assert unreadable == {
        "acme": UnreadableRows(2, 2, WORDS),
        "beta": UnreadableRows(3, 1, WORDS),
        "gama": UnreadableRows(1, 1, TOTAL),
    }
    assert {poll.operation.operation_id: poll.rejected for poll in report.polls} == {
        "acme": 2, "beta": 1, "gama": 1
    }  # fmt: skip
    assert warehouse.query(f"SELECT DISTINCT operation_id FROM {REPORT}") == [("beta",)]
    state = status_of(warehouse)
    of_none, of_some, of_total = state.warnings
    assert of_none == (
        "acme rsync_s3_mp3: in the newest answer none of 2 rows could be read (the first: "
        f"{WORDS}), and their use is in no sum: see the table rejected_rows"
    )
    newest_of_some = some.replace("mp3: ", "mp3: in the newest answer ")
    assert of_some == newest_of_some
    assert of_total.startswith("gama rsync_s3_mp3: in the newest answer the only row could not be")
    assert {row.operation_id: row.unreadable for row in state.rows} == unreadable

    warehouse.later(hours=1)
    tell(warehouse, "7", "9")
    tell(warehouse, "5", "6", operation="gama", TOTAL="11")
    report = warehouse.load()
    assert (report.is_good, report.problems, report.warnings) == (True, [], [some])
    polls = {poll.operation.operation_id: (poll.rejected, poll.unreadable) for poll in report.polls}
    assert (polls["acme"], polls["gama"]) == ((0, None), (1, None))
    state = status_of(warehouse)
    assert state.warnings == [newest_of_some]
    assert [row.operation_id for row in state.rows if row.unreadable] == ["beta"]


def test_answers_that_waited_are_told_of_once(project: Project) -> None:
    """Each `poll` warns and is a success, since the answer is safe as it came; the `load` that
    takes them says it of the newest one, and how many are like it. The next one says nothing."""
    for items in (["1 audio"], ["5", "6 audios"], ["7 audios", "9 audios"], ["7"]):
        tell(project, *items)
        report = project.poll()
        assert report.is_good and not report.problems
        assert len(report.warnings) == (items != ["7"])
        project.later(minutes=10)
    report = project.load(pace_minutes=44640)
    assert report.problems == [
        ALL.replace("), and", "), and so in 1 more answers of this load, and", 1)
    ]
    [warning] = report.warnings
    assert warning.startswith("acme rsync_s3_mp3: 1 of 2 rows could not be read ('6 audios' is")
    assert status_of(project).warnings == []
    report = project.load(pace_minutes=44640)
    assert (report.is_good, report.warnings) == (True, [])


def test_what_a_poll_says(project: Project) -> None:
    """A `poll` says what `load` will not be able to read."""
    tell(project, "5", "7 audios", "6")
    report = project.poll()
    assert report.warnings == [
        f"acme rsync_s3_mp3: 1 of 3 rows could not be read ({WORDS}): the answer is kept, and "
        "`load` puts what could not be read into the table rejected_rows"
    ]
    [poll] = report.polls
    assert (poll.rejected, poll.judgement.count, poll.judgement.rows) == (1, 3, [])


def test_an_answer_that_was_not_loaded_is_told_of_when_it_is(project: Project) -> None:
    """What the destination did not take is told of by the load that brings it there."""
    tell(project, "7 audios", "9 audios")
    with project.away():
        report = project.load()
    assert report.may_pass and ALL not in report.problems
    report = project.load(pace_minutes=44640)
    assert (report.polls, report.problems, report.may_pass) == ([], [ALL], False)


def test_what_check_says(project: Project) -> None:
    """`check` says how many of how many; it fails at the format where that is all."""
    tell(project, "5", "7 audios", "6", TOTAL="18")
    [finding] = check(clock=lambda: project.vendor.now)
    assert (finding.failed_step, finding.unreadable) == (None, UnreadableRows(4, 1, WORDS))
    assert finding.says.endswith(f"; 1 of 4 rows could not be read ({WORDS})")
    tell(project, "5", "6", TOTAL="11")
    [finding] = check(clock=lambda: project.vendor.now)
    assert (finding.failed_step, finding.unreadable) == (None, None)
    assert "could" not in finding.says
    tell(project, TOTAL="11")
    [finding] = check(clock=lambda: project.vendor.now)
    assert (finding.failed_step, finding.unreadable) == ("format", UnreadableRows(1, 1, TOTAL))


def test_what_machines_are_told(project: Project) -> None:
    """The JSON of each verb has how many rows of how many could not be read and the first reason;
    `load` ends in 1 where these are all of an answer, and in 0 where they are not."""
    all_rows = {"rows": 2, "count": 2, "reason": WORDS}
    some_rows = {"rows": 3, "count": 1, "reason": WORDS}
    for items, rows, code in (
        (["7 audios", "9 audios"], all_rows, 1),
        (["5", "7 audios", "6"], some_rows, 0),
        (["5"], None, 0),
    ):
        tell(project, *items)
        ended, printed = command("load", "--force")
        assert (ended, printed["polls"][0]["unreadable"]) == (code, rows)
        assert printed["may_pass"] is False
        assert printed["problems"] == printed["failures"] == [ALL] * code
        ended, printed = command("status")
        assert (ended, printed["rows"][0]["unreadable"]) == (0, rows)
        ended, printed = command("check")
        assert (ended, printed["findings"][0]["unreadable"]) == (code, rows)
        ended, printed = command("poll", "--force", "--dataset", "another")  # it waits for no load
        assert (ended, printed["polls"][0]["unreadable"]) == (0, rows)
