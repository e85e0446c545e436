"""A close holds what was asked, agreed, questioned and claimed of each document, too."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders.documents import element, line, ubl
from builders.evidence import forge, members_of, write_evidence
from builders.months import CARD, MAP, OCTOBER, READ, REPORT, bill, invoice, judged, local, read
from builders.project import Project
from builders.worlds import once
from wolkvox_billing.closing import Close, NoLongerHolds, close, find_broken_closes
from wolkvox_billing.closing.grounds import Ground, Grounds, compare_grounds, digest
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.marts.identities import NOBODY, Identities, Identity
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs import operations
from wolkvox_billing.verbs.documents import documents, reinstate, withdraw

pytestmark = pytest.mark.usefixtures("kept_open", "straight_records")
WITH_FEE = f"{MAP},,*soporte*,,,,fee\n,,*,{REPORT},,,quantity\n"
TERMS = f"{CARD.rstrip()},term,pattern\n{REPORT},,,0,100,COP,2026-01-01,,,\n"
FEE = ",,,0,{0},COP,2026-01-01,,fee,*soporte*\n"
TAX = ",,,0,{0},COP,2026-01-01,,tax_percent,\n"
BEGIN = "2026-10 was closed on 2026-11-30 17:00 UTC by ana, and no longer holds: "


def fee_and_use() -> str:
    """100,000 of use, 20,000 of support and 19 % of tax: 142,800 are asked for."""
    use = line("1000", "100000.00", description="Grabaciones", price=None, tax="19000.00")
    fee = line("1", "20000.00", number="2", description="Soporte", price=None, tax="3800.00")
    return ubl(use, fee, net="120000.00", tax="22800.00", periods=OCTOBER)


@pytest.fixture
def october(project: Project) -> Project:
    """A month whose invoice agrees with the record and with the contract."""
    once(project, _october)
    return project


def _october(project: Project) -> None:
    read(project, *READ)
    bill(project, fee_and_use())
    Path("line_map.csv").write_text(WITH_FEE)
    contract(FEE.format("20000"))
    project.vendor.now = local(30, month=11)


@pytest.fixture
def closed(project: Project) -> Project:
    """The same, and ana has closed it."""
    once(project, _closed)
    return project


def _closed(project: Project) -> None:
    once(project, _october)
    sign(project)


def contract(*rows: str) -> None:
    Path("rate_card.csv").write_text(TERMS + "".join(rows))


def sign(project: Project, **words: Any) -> Close:
    return close("2026-10", **{"by": "ana", "policy": Policy(), "clock": lambda: project.vendor.now,
                               **words})  # fmt: skip


def broken(project: Project) -> list[str]:
    """What `reconcile` warns of closes, which judges anew."""
    maps = Path("line_map.csv").read_text(), Path("rate_card.csv").read_text()
    return [text for text in judged(project, *maps).warnings if "no longer holds" in text]


def test_a_close_keeps_what_was_to_be_paid(october: Project) -> None:
    """Of each document, beside the verdicts, which have their own digest as ever."""
    [document] = json.loads(sign(october).settlement or "")
    sums = [document[name] for name in ("payable_amount", "agreed_amount", "questioned_amount",
                                        "claimed_amount", "settlement")]  # fmt: skip
    assert sums == ["142800.0000", "142800.0000", "0.0000", "0.0000", "pay"]
    assert find_broken_closes() == []  # by the verdicts of this moment


def test_a_fee_of_another_price_breaks_a_close(closed: Project) -> None:
    """No verdict is about it: 20,000 and its tax were agreed, and 15,000 are now. The same price
    again, and a comment in the card, break nothing."""
    contract(FEE.format("15000"))
    [told] = broken(closed)
    assert told.startswith(f"{BEGIN}invoice F-1: agreed_amount 142,800 -> ")
    assert "settlement pay -> " in told and "questioned_amount 0 -> " in told
    contract("# as agreed by mail\n", FEE.format("20000.00"))
    assert broken(closed) == []


def test_a_tax_of_another_rate_breaks_a_close(closed: Project) -> None:
    """The contract says 5 % where 19 % were billed and agreed."""
    contract(FEE.format("20000"), TAX.format("5"))
    [told] = broken(closed)
    assert told.startswith(f"{BEGIN}invoice F-1: agreed_amount 142,800 -> ")


def test_a_withdrawn_document_breaks_a_close(project: Project) -> None:
    """One that takes the place of another one of the same sums is told; when the decisions are
    undone the close holds again."""
    read(project, *READ)
    note = element("cbc:Note", "again")
    bill(project, invoice("1000", "100000.00"))
    bill(project, invoice("1000", "100000.00", before=note))
    Path("line_map.csv").write_text(WITH_FEE)
    contract()
    project.vendor.now = local(30, month=11)
    words: dict[str, Any] = {"by": "ana", "policy": Policy(), "clock": lambda: project.vendor.now}
    first, second = (row.document_id for row in documents(policy=Policy()).documents)
    withdraw(first, reason="sent again", **words)
    sign(project)
    assert find_broken_closes() == []
    reinstate(first, **words)
    decided = withdraw(second, reason="the note is wrong", **words)
    told = decided.warnings[-1]
    assert "other documents bill it, with the same amounts" in told
    assert "invoice F-1 is gone: it asked for 100,000" in told
    assert "invoice F-1 is new: payable_amount 100,000, agreed_amount 100,000, questioned" in told
    reinstate(second, **words)
    withdraw(first, reason="sent again", **words)
    assert broken(project) == []


def test_a_close_of_an_earlier_release_holds_by_its_verdicts(closed: Project) -> None:
    """It kept no settlement, in a table without the column, or with the next close's: that is no
    reason to reopen it, and a verdict that changes is."""
    closed.execute("UPDATE wolkvox_billing.month_closes SET settlement = NULL")
    contract(FEE.format("15000"))
    assert broken(closed) == []
    closed.execute("ALTER TABLE wolkvox_billing.month_closes DROP COLUMN settlement")
    assert broken(closed) == []
    Path("rate_card.csv").write_text(TERMS.replace(",100,", ",90,") + FEE.format("15000"))
    [told] = broken(closed)
    assert "contracted_unit_price 100 -> 90" in told and "agreed_amount" not in told


def test_evidence_of_another_settlement_is_not_signed(october: Project) -> None:
    """A fee's price changed since it was written; nor is what an earlier release wrote, which had
    no settlement in it."""
    write = {"policy": Policy(), "clock": lambda: october.vendor.now}
    file = write_evidence("evidence", "2026-10", **write)
    contract(FEE.format("15000"))
    with pytest.raises(SettingsError, match="what is to be paid by it is not that of now: invoice"):
        sign(october, evidence=file, reason="-")
    contract(FEE.format("20000"))
    members = members_of(file)
    late = ("invoice_components", "invoice_settlement", "document_decisions")
    versions = {**json.loads(members["versions.json"]), "evidence": "2"}
    old = forge(file, {
        **{name: None for name in members if name.startswith(late)},
        "versions.json": json.dumps(versions).encode(),
    })  # fmt: skip
    with pytest.raises(SettingsError, match="an earlier release wrote it, without what is to be"):
        sign(october, evidence=old)
    assert sign(october, evidence=file).evidence_sha256


def test_many_changes_of_verdicts_hide_none_of_a_document() -> None:
    """The first five of each kind are told."""
    record = Close("2026-10.0001", "2026-10", local(1), "ana", "closed", None, "{}", None, "", "[]")
    told = str(NoLongerHolds(record, [f"v{n}" for n in range(8)], ["invoice F-1 is gone"]))
    assert told.endswith("v0; v1; v2; v3; v4; and 3 more; invoice F-1 is gone")


def ground(operation_id: str = "acme", **fields: str | None) -> Ground:
    """A verdict as a close keeps it: 100 units at 10,000, as the contract has them."""
    own = Ground("900123456", operation_id, REPORT, None, "2026-10-01", "2026-11-01", "COP",
                 "matched", "100.0000", "100.0000", "100.0000", "10000.0000", "10000.0000",
                 "0.0000", "0.0000", "0.0000", "0.0000", "d1", None, False, "0.0000")  # fmt: skip
    return own._replace(**fields)


def signed(*rows: Ground, without: str = "") -> Close:
    """A close of these verdicts; without: a field that an earlier release did not keep."""
    kept = [{name: value for name, value in row._asdict().items() if name != without}
            for row in rows]  # fmt: skip
    text = json.dumps(kept, sort_keys=True)
    return Close("2026-10.0001", "2026-10", local(1), "ana", "closed", None, "{}", None,
                 digest(text), text)  # fmt: skip


def changes(close: Close, *now: Ground, identities: Identities = NOBODY) -> list[str]:
    """What is told of a close, [] where it holds."""
    doubt = compare_grounds(close, Grounds(now), identities)
    return doubt.changes if doubt else []


def test_a_close_keeps_the_exchange_effect() -> None:
    """31,000 by the exchange rate are 31,000 by the price now: the cost is the same, the verdict's
    parts are not. A close of an earlier release did not keep it, and holds."""
    by_rate = ground(cost_variance="31000.0000", exchange_effect="31000.0000")
    by_price = ground(cost_variance="31000.0000", price_effect="31000.0000")
    assert changes(signed(by_rate), by_rate) == []
    [told] = changes(signed(by_rate), by_price)
    assert told.endswith("price_effect 0 -> 31,000, exchange_effect 31,000 -> 0")
    old = signed(by_rate, without="exchange_effect")
    assert changes(old, by_rate) == []
    [told] = changes(old, ground(cost_variance="31000.0000", volume_effect="31000.0000"))
    assert told.endswith("volume_effect 0 -> 31,000")
    assert compare_grounds(replace(old, digest="another"), Grounds([by_rate])) is not None


def test_a_close_under_an_older_name_of_an_operation_holds() -> None:
    """It was renamed later; a change of a number is told all the same, under the new name."""
    renamed = Identities([Identity("acme", "bogota", "renamed")])
    close = signed(ground(), ground("other"))
    now = ground("bogota"), ground("other")
    assert changes(close, *now, identities=renamed) == []
    told = changes(close, ground("bogota", billed_cost="9000.0000"), now[1], identities=renamed)
    assert told == [f"bogota {REPORT}: billed_cost 10,000 -> 9,000"]


def test_a_close_of_two_operations_that_are_one_now_holds_where_they_add_up() -> None:
    """100 and 50 units are 150 of the merged one, which two documents bill; 160 are something
    else, and so are verdicts of two kinds."""
    merged = Identities([Identity("moved", "acme", "merged")])
    half = ground("moved", consumed_quantity="50.0000", billed_quantity="50.0000",
                  contracted_cost="5000.0000", billed_cost="5000.0000",
                  invoice_ids="d2")  # fmt: skip
    both = ground(consumed_quantity="150.0000", billed_quantity="150.0000",
                  contracted_cost="15000.0000", billed_cost="15000.0000",
                  invoice_ids="d1,d2")  # fmt: skip
    assert changes(signed(half, ground()), both, identities=merged) == []
    more = both._replace(consumed_quantity="160.0000")
    [told] = changes(signed(half, ground()), more, identities=merged)
    assert told == f"acme {REPORT}: consumed_quantity 150 -> 160"
    odd = half._replace(reconciliation_status="overbilled_quantity")
    assert changes(signed(ground(), odd), both, identities=merged) != []


def test_a_rename_reopens_no_close(closed: Project) -> None:
    """The verb renames the operation of a month that is closed: the close holds, and breaks when
    something else changes."""
    operations.rename("acme", "bogota", by="ana", clock=lambda: closed.vendor.now)
    assert broken(closed) == []
    contract(FEE.format("15000"))
    assert len(broken(closed)) == 1
