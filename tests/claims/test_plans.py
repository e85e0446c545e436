"""What becomes of a claim on F-1: claimed again, anew, credited, withdrawn; in pesos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from builders.claims import SUPPLIER_ID, invoice, note, on, settled
from builders.months import BOGOTA
from wolkvox_billing.claims.plans import Plan, Planner, choose_document
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.reconciliation.billed_documents import StatedDocument
from wolkvox_billing.reconciliation.claimed import Claim, claims_by_name, open_claims
from wolkvox_billing.reconciliation.settlement import Settled

FIRST, SECOND = date(2026, 11, 5), date(2026, 11, 12)


def planner(
    claims: Sequence[Claim] = (), notes: Sequence[StatedDocument] = (), day: int = 5
) -> Planner:
    """Of October, on a day of November, with these claims before it."""
    documents = [invoice(), invoice("b"), *notes]
    stated = {each.document.document_id: each for each in documents}
    return Planner("2026-10", on(day), "ana", BOGOTA, stated, claims_by_name(claims))


def state(claims: Sequence[Claim], *notes: StatedDocument) -> list[tuple[int, int, int, str, date]]:
    """Of each row of `claims_open` what is claimed, credited and open, its status, since when."""
    return [
        (int(row.claimed_amount), int(row.credited_amount), int(row.open_amount), row.status,
         row.open_since)
        for row in open_claims(claims, notes, BOGOTA)
    ]  # fmt: skip


def kind(plan: Plan) -> tuple[str, str, bool]:
    return plan.made, plan.claim.claim_id, plan.is_again


def claim_first() -> Claim:
    """45,000, on 5 November."""
    return planner().plan(settled(45_000)).claim


def test_the_same_amount_is_the_same_claim() -> None:
    """With its row as it is; the first of a document has the number 1."""
    first = planner().plan(settled(45_000))
    assert kind(first) == ("claimed", "a.0001", False)
    again = planner([first.claim], day=12).plan(settled(45_000))
    assert kind(again) == ("claimed_before", "a.0001", True)
    assert again.claim == first.claim


def test_another_amount_counts_instead_since_the_first_day() -> None:
    """A second row, which replaces the first in the mart; its letter, again, says so too."""
    first = claim_first()
    second = planner([first], day=12).plan(settled(75_000))
    assert kind(second) == ("claimed_anew", "a.0002", False)
    assert second.before and second.before.claimed_amount == 45_000
    claims = [first, second.claim]
    assert state(claims) == [(75_000, 0, 75_000, "open", FIRST)]
    again = planner(claims, [note("n", 10_000)], day=13).plan(settled(75_000))
    assert again.made == "claimed_anew"  # 65,000 of it are open
    again = planner(claims, day=13).plan(settled(75_000))
    assert again.before == second.before


def test_no_clock_decides_which_claim_is_the_newest() -> None:
    """One that was made by a clock that was behind counts by its number."""
    first = claim_first()
    second = planner([first], day=3).plan(settled(75_000)).claim
    assert state([second, first])[0][:3] == (75_000, 0, 75_000)


def test_notes_that_come_close_a_claim() -> None:
    """In part, and in whole; what is left is the same claim, and what is billed too much after that
    is another one."""
    first = claim_first()
    part, rest = note("n", 20_000), note("m", 30_000)
    assert state([first], part) == [(45_000, 20_000, 25_000, "credited_in_part", FIRST)]
    left = planner([first], [part], day=12).plan(settled(25_000))
    assert kind(left) == ("claimed_before", "a.0001", False)
    assert isinstance(left.before, OpenClaim) and left.before.credit_notes == "N"
    assert state([first], part, rest) == [(45_000, 50_000, 0, "credited", FIRST)]
    later = planner([first], [part, rest], day=12).plan(settled(7000))
    assert kind(later) == ("claimed", "a.0002", False) and later.before is None
    assert state([first, later.claim], part, rest) == [(7000, 0, 7000, "open", SECOND)]


def test_a_note_that_was_there_closes_nothing() -> None:
    """It is in the verdict already, be it issued later than the claim was made."""
    known = note("n", 20_000)
    first = planner([], [known]).plan(settled(25_000)).claim
    assert first.notes_before == "n"
    assert state([first], known) == [(25_000, 0, 25_000, "open", FIRST)]


@pytest.mark.parametrize(
    "other",
    [
        {"supplier_id": "900999888"},
        {"currency": "USD"},
        {"corrects_number": "F-2"},
        {"issued": date(2026, 11, 2)},  # before the invoice
    ],
)
def test_a_note_on_something_else_closes_nothing(other: dict[str, object]) -> None:
    """Of another supplier, in another currency, on another number, or older than the invoice."""
    assert state([claim_first()], note("n", 20_000, **other))[0][:3] == (45_000, 0, 45_000)


def test_a_document_that_is_read_again_is_claimed_once() -> None:
    """From a list, and then as an electronic invoice: one number of a supplier is one document."""
    first = claim_first()
    electronic = planner([first], day=12).plan(settled(45_000, "b", "F 0001"))
    assert kind(electronic) == ("claimed_before", "a.0001", True)
    changed = planner([first], day=12).plan(settled(46_000, "b", "F 0001"))
    assert kind(changed) == ("claimed_anew", "b.0002", False)
    assert len(state([first, changed.claim])) == 1


def test_a_claim_that_is_withdrawn_is_open_no_more() -> None:
    """By a row of 0 with a reason; the same may be claimed again, from then on."""
    first = claim_first()
    row, before = planner([first], day=9).withdrawal("f1", "nobody had mapped it")
    assert (row.claim_id, row.claimed_amount, row.reason) == ("a.0002", 0, "nobody had mapped it")
    assert (row.letter_sha256, row.evidence_sha256, before.open_amount) == (None, None, 45_000)
    assert state([first, row]) == []
    with pytest.raises(SettingsError, match="0 claims of 2026-10 are on 'f1'"):
        planner([first, row]).withdrawal("f1", "again")
    third = planner([first, row], day=12).plan(settled(45_000))
    assert kind(third) == ("claimed", "a.0003", False) and third.before is None
    assert state([first, row, third.claim]) == [(45_000, 0, 45_000, "open", SECOND)]
    assert planner([first, row, third.claim]).plan(settled(45_000)).before is None


def test_a_document_is_named_by_its_number_or_id() -> None:
    """However the number is spelled; a name that means several, or none, is told with what there
    is."""
    documents: list[Settled] = [settled(1, "a" * 64), settled(2, "b" * 64, "F-2")]
    assert choose_document("f 02", documents, "2026-10") is documents[1]
    assert choose_document("aaaaaaaa", documents, "2026-10") is documents[0]
    with pytest.raises(SettingsError, match="no document ' ' bills 2026-10: there is F-1, F-2"):
        choose_document(" ", documents, "2026-10")
    twice = [documents[0], settled(3, "c" * 64)]
    with pytest.raises(SettingsError, match="'F1' is 2 documents of 2026-10: name one by its id"):
        choose_document("F1", twice, "2026-10")


def test_a_document_without_a_number_is_claimed_by_its_id() -> None:
    """And no note refers to it."""
    first = planner().plan(settled(45_000, number=None)).claim
    assert planner([first]).plan(settled(45_000, number=None)).is_again
    assert state([replace(first, claimed_amount=Decimal(1))], note("n", 1))[0][1] == 0
    assert SUPPLIER_ID not in first.name
