"""`operations`: an operation is renamed, merged into another one, forgotten and restored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from builders.months import BOGOTA, CARD, MAP, bill, invoice, judged, local
from builders.project import NOON, SERVERS, TOKENS, Project
from builders.record import REPORT, Call, write_polls
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs import operations as verbs
from wolkvox_billing.verbs.load import marts_sql
from wolkvox_billing.verbs.operations import DecidedOperation
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.status import status

pytestmark = pytest.mark.usefixtures("kept_open", "straight_records")
ANA = {"reason": "typed wrong", "by": "Ana"}


@pytest.fixture(autouse=True)
def _operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """acme on server 0010 is what the settings say; beside it others were read."""
    for name, server in (("0010", "0010"), ("ventas", "0010"), ("9999", "9999")):
        monkeypatch.setitem(SERVERS, name, server)
        monkeypatch.setitem(TOKENS, name, f"{len(name)}{server[:1]}" * 32)


def call(operation: str, at: datetime, items: str, name: str) -> Call:
    day = f"{at.astimezone(BOGOTA):%Y-%m-%d}"
    row = {"operation": name, "description": "AUDIOS", "items": items, "date": day}
    return Call(at, [row], operation=operation)


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def write(project: Project, *calls: Call) -> None:
    write_polls(project, *calls, measures={REPORT: "month_to_date"})


def decide(project: Project, verb: Callable[..., DecidedOperation], *names: str) -> str:
    """Decide as Ana does; return what is said."""
    clock = lambda: project.vendor.now  # noqa: E731
    return verb(*names, **ANA, destination=project.destination, policy=Policy(), clock=clock).says


def refused(project: Project, verb: Callable[..., DecidedOperation], *names: str) -> str:
    """Return why it is not recorded."""
    with pytest.raises(SettingsError) as error:
        decide(project, verb, *names)
    return str(error.value)


def months(project: Project) -> list[tuple[Any, ...]]:
    return project.query(
        "SELECT operation_id, consumed_quantity FROM wolkvox_billing_marts.usage_monthly ORDER BY 1"
    )


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["operations", *words], catch_exceptions=False)
    return result.exit_code, " ".join(result.output.split())


OTHERS = (call("acme", NOON, "100", "ACME"), call("9999", after(hours=1), "7", "OTHER"))


@pytest.mark.by_dlt
@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_an_operation_is_renamed_and_called_back(warehouse: Project) -> None:
    """All that was read of it is under the new name in each mart, what comes under the old name
    too, and the old name may come back. On PostgreSQL: the marts follow each decision on each
    engine in test_marts_made_by_hand_follow_what_was_decided."""
    write(warehouse, *OTHERS)
    assert decide(warehouse, verbs.rename, "acme", "bogota") == (
        "acme is bogota now, with all that was read of it"
    )
    assert months(warehouse) == [("9999", Decimal(7)), ("bogota", Decimal(100))]
    assert warehouse.query(
        "SELECT operation_id, decision, new_operation_id, decided_by, reason "
        "FROM operation_decisions"
    ) == [("acme", "renamed", "bogota", "Ana", "typed wrong")]
    write(warehouse, call("acme", after(hours=2), "120", "ACME"))
    assert months(warehouse) == [("9999", Decimal(7)), ("bogota", Decimal(120))]
    for mart in ("usage_daily", "poll_coverage", "operations"):
        assert warehouse.query(
            f"SELECT DISTINCT operation_id FROM wolkvox_billing_marts.{mart} ORDER BY 1"
        ) == [("9999",), ("bogota",)]
    decide(warehouse, verbs.rename, "bogota", "acme")
    assert months(warehouse) == [("9999", Decimal(7)), ("acme", Decimal(120))]


def test_an_operation_that_moved_to_another_server_is_merged(project: Project) -> None:
    """What two ids read one after the other is one counter: no unit is in two rows, and its
    moving is no restatement."""
    write(project, call("9999", NOON, "100", "ACME"), call("9999", after(days=1), "250", "ACME"))
    write(project, call("acme", after(days=1, hours=1), "260", "ACME"))
    assert months(project) == [("9999", Decimal(250)), ("acme", Decimal(260))]
    assert decide(project, verbs.merge, "9999", "acme") == (
        "all that was read of 9999 is acme's now"
    )
    assert months(project) == [("acme", Decimal(260))]
    assert project.query("SELECT * FROM wolkvox_billing_marts.usage_restatements") == []
    assert decide(project, verbs.merge, "9999", "acme").startswith("9999 is acme already, merged")
    assert decide(project, verbs.restore, "9999").startswith("undone: 9999 was merged into acme")
    assert months(project) == [("9999", Decimal(250)), ("acme", Decimal(260))]


def test_an_operation_that_was_mistyped_is_forgotten(project: Project) -> None:
    """It is in no mart, and no sum, and `status` says nothing of it; its readings are there, and
    come back."""
    write(project, *OTHERS)
    assert decide(project, verbs.forget, "9999") == (
        "9999 is in no mart any more; nothing of it is deleted, and `wolkvox-billing operations "
        "restore 9999` takes it back"
    )
    assert months(project) == [("acme", Decimal(100))]
    state = status(destination=project.destination, clock=lambda: after(hours=2))
    assert [row.operation_id for row in state.rows] == ["acme"]
    assert (state.retired, state.warnings) == ([], [])
    assert project.query("SELECT COUNT(*) FROM readings") == [(2,)]
    publish("copy.duckdb", clock=lambda: after(hours=2))
    assert [
        (row.operation_id, row.counts_as, row.standing, row.decided_by)
        for row in verbs.operations(destination=project.destination).operations
    ] == [("9999", None, "forgotten", "Ana"), ("acme", "acme", "counts", None)]
    assert decide(project, verbs.forget, "9999").startswith("9999 was forgotten already on 2026")
    decide(project, verbs.restore, "9999")
    assert months(project) == [("9999", Decimal(7)), ("acme", Decimal(100))]


def test_a_guess_is_settled_either_way(project: Project) -> None:
    """What server and name say is confirmed by `merge`, and refused by `restore`."""
    write(
        project, call("0010", NOON, "90", "VENTAS"), call("ventas", after(hours=1), "95", "VENTAS")
    )
    assert months(project) == [("ventas", Decimal(95))]
    assert (
        decide(project, verbs.restore, "0010")
        == "0010 and ventas are two operations, and both count"
    )
    assert months(project) == [("0010", Decimal(90)), ("ventas", Decimal(95))]
    assert decide(project, verbs.restore, "0010").startswith("0010 and ventas are two already")
    decide(project, verbs.merge, "ventas", "0010")
    assert months(project) == [("0010", Decimal(95))]
    state = status(destination=project.destination, clock=lambda: after(hours=2))
    assert not [text for text in state.warnings if "0010 and ventas" in text]


def test_what_cannot_be_meant_is_refused_and_recorded_nowhere(project: Project) -> None:
    """Names that nobody has, are in use or lead back, and operations that cannot be one, with what
    to do."""
    write(project, *OTHERS, call("acme", after(hours=2), "110", "ACME"))
    assert refused(project, verbs.rename, "99999", "x") == (
        "no operation is '99999': did you mean 9999?"
    )
    assert refused(project, verbs.forget, "nobody") == (
        "no operation is 'nobody': `wolkvox-billing operations` lists all"
    )
    assert "`wolkvox-billing operations merge acme 9999` makes them one" in refused(
        project, verbs.rename, "acme", "9999"
    )
    assert refused(project, verbs.rename, "acme", "acme") == "acme is called so already"
    assert "cannot be merged into itself" in refused(project, verbs.merge, "acme", "acme")
    assert "wolkvox calls them 'OTHER' and 'ACME'" in refused(project, verbs.merge, "9999", "acme")
    assert "nothing was decided on acme" in refused(project, verbs.restore, "acme")
    assert "printable" in refused(project, verbs.rename, "acme", " ")
    assert "operation_decisions" not in {
        name for (name,) in project.query("SELECT table_name FROM information_schema.tables")
    }


def test_chains_are_followed_and_what_they_lead_through_is_refused(project: Project) -> None:
    """An older name says what it is now; a name that was given up is nobody else's; what another
    decision builds on is undone after that."""
    write(project, *OTHERS)
    decide(project, verbs.rename, "acme", "bogota")
    assert re.fullmatch(
        "acme is bogota, renamed on 2026-11-10 .* UTC by Ana: say bogota",
        refused(project, verbs.forget, "acme"),
    )
    assert refused(project, verbs.rename, "9999", "acme") == (
        "acme is what bogota was read as, and counts there: choose another name"
    )
    decide(project, verbs.rename, "bogota", "centro")
    assert "bogota was renamed into centro" in refused(project, verbs.restore, "acme")
    assert "acme is centro, renamed" in refused(project, verbs.merge, "acme", "9999")
    decide(project, verbs.forget, "centro")
    assert "centro was forgotten" in refused(project, verbs.merge, "9999", "centro")
    assert "is the name of one that is forgotten" in refused(
        project, verbs.rename, "9999", "centro"
    )
    decide(project, verbs.restore, "centro")
    decide(project, verbs.restore, "bogota")
    decide(project, verbs.restore, "acme")
    assert months(project) == [("9999", Decimal(7)), ("acme", Decimal(100))]


@pytest.mark.by_dlt
def test_the_settings_that_still_say_the_old_name_are_told(project: Project) -> None:
    """What the next load asks counts as decided, and it says so; of a forgotten one too."""
    write_polls(project, OTHERS[0])
    decide(project, verbs.rename, "acme", "bogota")
    project.later(hours=1)
    loaded = project.load()
    assert loaded.is_good
    assert "the settings say acme, which is bogota now: write that there" in loaded.warnings
    assert {name for name, _ in months(project)} == {"bogota"}
    decide(project, verbs.forget, "bogota")
    project.later(hours=1)
    [told] = [text for text in project.load().warnings if "forgotten" in text]
    assert told.startswith("the settings say acme, which is forgotten: it is asked, and in no mart")


def test_a_name_that_another_operation_takes_up_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old name on another server would count where the old one does."""
    write(project, *OTHERS)
    decide(project, verbs.rename, "acme", "bogota")
    monkeypatch.setitem(SERVERS, "acme", "0077")
    write(project, call("acme", after(hours=3), "130", "ACME"))
    state = status(destination=project.destination, clock=lambda: after(hours=4))
    assert any("acme was read from the servers 0010 and 0077" in text for text in state.warnings)


def test_verdicts_and_contract_follow_a_name(project: Project) -> None:
    """A line map and a rate card that say the old name mean the new one, and a month that was
    closed is told as it is: its verdicts are the other name's."""
    write(
        project,
        call("acme", local(1), "10", "ACME"),
        call("acme", local(31, 23, 50), "1000", "ACME"),
    )
    bill(project, invoice("1000", "100000"))
    line_map = f"{MAP},,*grabaciones*,{REPORT},acme,,quantity\n"
    card = f"{CARD}{REPORT},acme,,0,100,COP,2026-01-01,\n"
    first = judged(project, line_map, card)
    assert [(row.operation_id, row.reconciliation_status) for row in first.rows] == [
        ("acme", "matched")
    ]
    decide(project, verbs.rename, "acme", "bogota")
    after_it = judged(project, line_map, card)
    assert [(row.operation_id, row.reconciliation_status) for row in after_it.rows] == [
        ("bogota", "matched")
    ]
    assert not [text for text in after_it.warnings if "operation_id" in text]


def test_an_invoice_that_bills_a_forgotten_operation_is_told(project: Project) -> None:
    """By its name in the line map, and where a line may bill it beside the one that is left nobody
    is accused of too much."""
    write(
        project,
        call("acme", local(1), "10", "ACME"),
        call("9999", local(2), "30", "OTHER"),
        call("9999", local(30), "400", "OTHER"),
        call("acme", local(31, 23, 50), "1000", "ACME"),
    )
    decide(project, verbs.forget, "9999")
    bill(project, invoice("1400", "140000"))
    both = judged(project)
    assert [row.reconciliation_status for row in both.rows] == ["inconclusive_operation"]
    assert "operation 9999" in both.rows[0].explanation
    named = judged(project, f"{MAP},,*grabaciones*,{REPORT},9999,,quantity\n")
    assert (
        "9999 is forgotten, and 1 line of invoices name it: nobody compares what they bill with "
        "its readings; `wolkvox-billing operations restore 9999` takes it back"
    ) in named.warnings
    assert not [row for row in named.rows if row.operation_id == "9999" and row.is_billed
                and row.reconciliation_status == "invoiced_without_usage"]  # fmt: skip


def test_the_command_line_says_what_it_did(project: Project) -> None:
    """In words and as JSON; what cannot be meant ends in 2."""
    write(project, *OTHERS)
    code, said = run("rename", "9999", "oficina-2", "--by", "Ana", "--reason", "a name")
    assert (code, said.split(";")[0]) == (
        0, "9999 is oficina-2 now, with all that was read of it"
    )  # fmt: skip
    code, said = run("--json")
    listed = json.loads(said)["operations"]
    assert (code, [(row["operation_id"], row["counts_as"], row["reason"]) for row in listed]) == (
        0,
        [
            ("9999", "oficina-2", "a name"),
            ("acme", "acme", None),
            ("oficina-2", "oficina-2", None),
        ],
    )  # fmt: skip
    for words in (("rename", "9999"), ("forget",), ("forget", "nobody"), ("list", "x")):
        assert run(*words)[0] == 2
    assert "oficina-2" in run()[1]


def test_marts_made_by_hand_follow_what_was_decided(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statements of `sql` have each decision that stands in the record, and each operation's
    time zone; on the engine itself, run as they are printed, the marts hold the same rows."""
    measures = f'{{"{REPORT}": "month_to_date"}}'
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__MEASURES", measures)
    write(warehouse, *OTHERS, call("ventas", after(hours=2), "30", "VENTAS"))
    decide(warehouse, verbs.rename, "acme", "bogota")
    decide(warehouse, verbs.forget, "9999")
    decide(warehouse, verbs.merge, "ventas", "bogota")
    expected = months(warehouse)
    record = None if warehouse.destination == "duckdb" else warehouse.destination
    identities = next(
        statement
        for statement in marts_sql("spark", record=record, clock=lambda: warehouse.vendor.now)
        if statement.startswith("INSERT INTO wolkvox_billing_marts.identities")
    )
    assert re.findall(r"\('(\w+)', (\S+), '(\w+)'", identities) == [
        ("9999", "NULL", "forgotten"),
        ("acme", "'bogota'", "renamed"),
        ("ventas", "'bogota'", "merged"),
    ]
    for statement in marts_sql(warehouse.destination, clock=lambda: warehouse.vendor.now):
        warehouse.execute(statement)
    assert months(warehouse) == expected
    assert {name for name, _ in expected} == {"bogota"}


def test_statements_of_no_record_have_no_decision(project: Project) -> None:
    """Where nothing is loaded the statements are those of a new record, and no file is made; a
    record that is named and is not there is said."""
    assert not any("INTO wolkvox_billing_marts.identities" in text for text in marts_sql("spark"))
    assert not (project.folder / "wolkvox.duckdb").exists()
    with pytest.raises(WarehouseError, match=r"there is no .*wolkvox\.duckdb yet"):
        marts_sql("spark", record="duckdb")
