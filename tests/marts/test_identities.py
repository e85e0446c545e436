"""Two ids that read one operation count once, whatever they are called and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from builders.project import SERVERS, TOKENS, Project
from builders.record import REPORT, Call, write_polls
from wolkvox_billing.marts.decisions import (
    FORGOTTEN,
    MERGED,
    RENAMED,
    RESTORED,
    OperationDecision,
)
from wolkvox_billing.marts.identities import (
    ALIKE,
    SAME,
    Identities,
    Identity,
    find_identities,
    follow,
)

pytestmark = pytest.mark.usefixtures("kept_open")
NOON = datetime(2026, 11, 10, 17, tzinfo=timezone.utc)  # 12:00 in Bogotá


@pytest.fixture(autouse=True)
def _operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick start's operation, a second id of the same, and another operation."""
    for name, server, token in (
        ("0010", "0010", "d4"),
        ("ventas", "0010", "d4"),
        ("soporte", "0011", "e5"),
    ):
        monkeypatch.setitem(SERVERS, name, server)
        monkeypatch.setitem(TOKENS, name, token * 32)


def call(operation: str, at: datetime, items: str, name: str = "VENTAS") -> Call:
    day = f"{at - timedelta(hours=5):%Y-%m-%d}"
    row = {"operation": name, "description": "AUDIOS", "items": items, "date": day}
    return Call(at, [row], operation=operation)


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def write(project: Project, *calls: Call, measure: str = "month_to_date") -> None:
    write_polls(project, *calls, measures={REPORT: measure})


def months(project: Project) -> list[tuple[Any, ...]]:
    return project.query(
        "SELECT operation_id, consumed_quantity FROM wolkvox_billing_marts.usage_monthly ORDER BY 1"
    )


def identities(project: Project) -> list[tuple[Any, ...]]:
    return project.query(
        "SELECT operation_id, current_id, decision, other_id, server, operation_name "
        "FROM wolkvox_billing_marts.identities ORDER BY 1"
    )


GROWN = (
    call("0010", NOON, "100"),
    call("0010", after(days=1), "250"),
    call("ventas", after(days=1, hours=1), "260"),
    call("ventas", after(days=2), "400"),
    call("soporte", after(days=2), "30", "SOPORTE"),
)


def test_an_operation_that_grew_into_a_second_id_counts_once(warehouse: Project) -> None:
    """From the quick start's `server` to a name: one series by time, under the name that came last,
    in each mart, and the months and days of the first id are its own."""
    write(warehouse, *GROWN)
    assert months(warehouse) == [("soporte", Decimal(30)), ("ventas", Decimal(400))]
    assert identities(warehouse) == [("0010", "ventas", "same", "ventas", "0010", "VENTAS")]
    assert warehouse.query(
        "SELECT operation_id, usage_date, consumed_quantity FROM wolkvox_billing_marts.usage_daily "
        "WHERE operation_id <> 'soporte' ORDER BY usage_date"
    ) == [
        ("ventas", date(2026, 11, 10), Decimal(100)),
        ("ventas", date(2026, 11, 11), Decimal(160)),
        ("ventas", date(2026, 11, 12), Decimal(140)),
    ]
    assert warehouse.query(
        "SELECT operation_id, poll_date, polls FROM wolkvox_billing_marts.poll_coverage "
        "WHERE operation_id <> 'soporte' ORDER BY poll_date"
    ) == [
        ("ventas", date(2026, 11, 10), 1),
        ("ventas", date(2026, 11, 11), 2),
        ("ventas", date(2026, 11, 12), 1),
    ]
    assert warehouse.query("SELECT * FROM wolkvox_billing_marts.usage_restatements") == []
    assert warehouse.query("SELECT operation_id FROM wolkvox_billing_marts.operations ORDER BY 1")


def test_days_that_each_id_reads_alone_add_up(warehouse: Project) -> None:
    """Of a report whose days each have their own number, the days of both ids add up to a month,
    and the one that both have read counts once."""
    write(warehouse, *GROWN, measure="daily")
    assert months(warehouse) == [("soporte", Decimal(30)), ("ventas", Decimal(100 + 260 + 400))]


def test_two_that_are_asked_side_by_side_count_once(warehouse: Project) -> None:
    """Two hosts that read one operation under two ids, an hour apart, for days: the later id's."""
    calls = [call("0010", after(hours=2 * n), str(100 + 2 * n)) for n in range(30)]
    calls += [call("ventas", after(hours=2 * n + 1), str(101 + 2 * n)) for n in range(30)]
    write(warehouse, *sorted(calls, key=lambda own: own.at))
    assert months(warehouse) == [("ventas", Decimal(159))]


def test_two_counters_of_one_name_on_one_server_both_count(warehouse: Project) -> None:
    """Where what two ids read cannot be one counter, since it falls from one to the other again and
    again, nothing is lost: both count, and who reads the marts can tell."""
    calls = [call("0010", after(hours=2 * n), str(5000 + 2 * n)) for n in range(10)]
    calls += [call("ventas", after(hours=2 * n + 1), str(100 + 2 * n)) for n in range(10)]
    write(warehouse, *sorted(calls, key=lambda own: own.at))
    assert months(warehouse) == [("0010", Decimal(5018)), ("ventas", Decimal(118))]
    assert identities(warehouse) == [("0010", "0010", "alike", "ventas", "0010", "VENTAS")]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(call("soporte", after(hours=1), "100"), id="another server"),
        pytest.param(call("ventas", after(hours=1), "100", "VENTAS 2"), id="another name"),
    ],
)
def test_who_shares_only_server_or_name_is_another(project: Project, other: Call) -> None:
    """Operations of one server, and offices of one name on two, are their own."""
    write(project, call("0010", NOON, "100"), other)
    assert [quantity for _, quantity in months(project)] == [Decimal(100)] * 2
    assert identities(project) == []


def test_a_new_id_that_was_only_tried_gives_way_again(project: Project) -> None:
    """Whoever goes back to the first id finds all under it, two days after the other's last
    answer."""
    tried = [call("0010", NOON, "100"), call("ventas", after(hours=1), "110")]
    write(project, *tried, call("0010", after(hours=47), "300"))
    assert months(project) == [("ventas", Decimal(300))]
    write(project, call("0010", after(hours=50), "310"))
    assert months(project) == [("0010", Decimal(310))]


def test_an_operation_whose_zone_nobody_noted_is_in_the_marts(warehouse: Project) -> None:
    """A reading counts, by the zone of the settings, be it that no load has noted its operation."""
    write(warehouse, call("0010", NOON, "100"))
    write(warehouse, call("soporte", after(hours=1), "30", "SOPORTE"))
    warehouse.execute("DELETE FROM wolkvox_billing_marts.operations WHERE operation_id = 'soporte'")
    assert months(warehouse) == [("0010", Decimal(100)), ("soporte", Decimal(30))]


def test_a_renaming_of_wolkvoxs_across_two_ids_goes_on(project: Project) -> None:
    """The vendor's own renaming, known of the name under one id, holds for what another id read."""
    older, newer = call("0010", NOON, "90", "VENTAS SAS"), call("0010", after(hours=1), "100")
    write(project, older, newer, call("ventas", after(hours=2), "120"))
    assert months(project) == [("ventas", Decimal(120))]


def test_spellings_of_a_product_across_two_ids_are_one_product(project: Project) -> None:
    """A product in capitals under one id, and not under the other, is one."""
    write(project, call("0010", NOON, "100"))
    row = {"operation": "VENTAS", "description": "Audios", "items": "150", "date": "2026-11-10"}
    write(project, Call(after(hours=1), [row], operation="ventas"))
    assert months(project) == [("ventas", Decimal(150))]


# What people decided.


def decided(*words: str) -> list[OperationDecision]:
    """Decisions such as `renamed 0010 ventas`, in their order; `undo 000001` undoes."""
    decisions = []
    for number, text in enumerate(words, 1):
        kind, name, *other = text.split()
        undoes = other.pop() if kind == RESTORED and other and other[0].isdigit() else None
        decisions.append(
            OperationDecision(
                f"{number:06}", name, kind, other[0] if other else None, undoes, NOON, "Ana", None
            )
        )
    return decisions


@pytest.mark.parametrize(
    ("words", "current"),
    [
        ([f"{RENAMED} a b"], {"a": "b"}),
        ([f"{RENAMED} a b", f"{RENAMED} b c"], {"a": "c", "b": "c"}),
        ([f"{RENAMED} a b", f"{RENAMED} b a"], {"b": "a"}),
        ([f"{MERGED} a b", f"{MERGED} b c"], {"a": "c", "b": "c"}),
        ([f"{MERGED} a b", f"{MERGED} c b", f"{RENAMED} b d"], {"a": "d", "b": "d", "c": "d"}),
        ([f"{MERGED} a b", f"{FORGOTTEN} b"], {"a": None, "b": None}),
        ([f"{MERGED} a b", f"{MERGED} c b", f"{RESTORED} a 000001"], {"c": "b"}),
        ([f"{FORGOTTEN} a", f"{RESTORED} a 000001"], {}),
    ],
)
def test_decisions_are_followed_in_their_order(
    words: Sequence[str], current: dict[str, str | None]
) -> None:
    """Chains end where the last decision leads, what comes back to itself is itself, and what was
    undone never was."""
    rows = find_identities(lambda _: [], "raw", [], decided(*words)).rows
    assert {row.operation_id: row.current_id for row in rows} == current


def test_whom_a_person_holds_apart_is_apart() -> None:
    """A pair that is restored without a decision is two, be it of one server and one name."""
    assert follow(decided(f"{RESTORED} a b")).apart == {frozenset("ab")}


def test_an_operation_is_read_under_each_of_its_ids() -> None:
    """Conditions and tables for queries name the ids that were read, and no others."""
    own = Identities([Identity("a", "b", SAME), Identity("x", None, FORGOTTEN),
                      Identity("y", "y", ALIKE)])  # fmt: skip
    assert own.read_as("b") == ["a", "b"]
    assert own.read_as("a") == []
    assert own.are("operation_id", "y") == "operation_id = 'y'"
    assert own.are("operation_id", "x") == "1 = 0"
    assert (own.current("a"), own.current("x"), own.current("z")) == ("b", None, "z")
