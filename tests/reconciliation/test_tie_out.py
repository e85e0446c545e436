"""Whatever documents state, their components add up to what they ask for: a property."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.facts import known, rate, unseen_everywhere, use
from builders.fuzzing import tries
from builders.months import OCTOBER_PERIOD, REPORT
from wolkvox_billing.reconciliation import settlement
from wolkvox_billing.reconciliation.billed_documents import BilledDocument, StatedLine
from wolkvox_billing.reconciliation.billed_lines import bill_lines, share_out_lines
from wolkvox_billing.reconciliation.contract.line_map import MapRow
from wolkvox_billing.reconciliation.copied_verdicts import CopiedVerdicts
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import compare
from wolkvox_billing.reconciliation.mart import _storable, row_of
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.questions import CHARGE, LINE, Piece, spread
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.settlement import Settled, add_up, settle
from wolkvox_billing.reconciliation.totals import DoesNotTieOut
from wolkvox_billing.reconciliation.unread import NOTHING, Unread

WORDS = ("audios", "soporte", "paquete", "iva", "nadie")
ROLES = {"audios": "quantity", "soporte": "fee", "paquete": "ignore", "iva": "tax"}
LINE_MAP = [
    MapRow(n, "", "", word, REPORT, "acme", "", role)
    for n, (word, role) in enumerate(ROLES.items(), 2)
]
CENTS = st.integers(-50_000_00, 300_000_00).map(lambda n: Decimal(n) / 100)
LARGE = st.integers(0, 200_000_00).map(lambda n: Decimal(n) / 100)
SMALL = st.integers(-200, 200).map(lambda n: Decimal(n) / 100)
RATES = st.sampled_from([None, 0, 5, 19, 25])


@st.composite
def documents(draw: st.DrawFn) -> list[tuple[BilledDocument, list[StatedLine]]]:
    """One to three documents; their totals are what lines come to, or are off, or not stated."""
    return [
        draw(one_document(f"d{n}", draw(st.sampled_from(["COP", "USD"]))))
        for n in range(draw(st.integers(1, 3)))
    ]


@st.composite
def one_document(
    draw: st.DrawFn, name: str, currency: str
) -> tuple[BilledDocument, list[StatedLine]]:
    lines = [draw(stated_line(name, number)) for number in range(1, draw(st.integers(1, 5)) + 1)]
    net = sum((line.amount or Decimal() for line in lines), Decimal())
    tax = sum((line.tax or Decimal() for line in lines), Decimal())
    optional = {
        part: draw(st.one_of(st.none(), LARGE))
        for part in ("allowance", "charge", "prepaid", "withheld")
    }
    rounding = draw(st.one_of(st.none(), SMALL))
    allowance, charge, prepaid, withheld = (part or Decimal() for part in optional.values())
    asked = net - allowance + charge + tax + (rounding or Decimal()) - prepaid
    kind = draw(st.sampled_from(["invoice", "credit_note", "debit_note", "corrected_invoice"]))
    document = BilledDocument(
        document_id=name, supplier_id="900", kind=kind, number=draw(st.sampled_from(["F1", name])),
        period_start=OCTOBER_PERIOD.start, period_end=OCTOBER_PERIOD.end, period_source="document",
        corrects_number=None, currency=currency,
        tax=draw(st.one_of(st.none(), st.just(tax), LARGE)), issued=date(2026, 11, 3),
        is_test=False, format="ubl", net=draw(st.one_of(st.none(), st.just(net), LARGE)),
        payable=draw(st.one_of(st.none(), st.just(asked), st.just(asked - withheld), LARGE)),
        read_at=datetime(2026, 11, 4, tzinfo=timezone.utc), warnings=None, rounding=rounding,
        **optional,
    )  # fmt: skip
    return document, lines


@st.composite
def stated_line(draw: st.DrawFn, name: str, number: int) -> StatedLine:
    amount = draw(st.one_of(st.none(), CENTS))
    percent = draw(RATES)
    tax = None if percent is None else round((amount or Decimal()) * percent / 100, 2)
    return StatedLine(
        name, number, None, draw(st.sampled_from(WORDS)), None,
        draw(st.one_of(st.none(), st.integers(-100, 3000).map(Decimal))), amount,
        draw(st.sampled_from([None, "COP"])), None, None, tax, None,
    )  # fmt: skip


def settle_documents(
    documents: list[tuple[BilledDocument, list[StatedLine]]], **policy: Any
) -> list[Settled]:
    """The documents settled beside 1,000 audios of October at 100 COP and 0.03 USD each."""
    by_id = {document.document_id: document for document, _ in documents}
    stated = share_out_lines(by_id, [line for _, lines in documents for line in lines])
    facts = known([use(OCTOBER_PERIOD, 1000)], bill_lines(stated), stated=stated)
    comparison = compare(facts, LINE_MAP, "900")
    observed = unseen_everywhere(comparison, Unread(NOTHING))
    rules = Rules(Policy(**policy), [rate("100"), rate("0.03", "USD", line=3)])
    verdicts = judge(facts, comparison, observed, rules)
    copied = CopiedVerdicts(verdicts, (), rules.policy)
    rows = [_storable(row_of(verdict, facts, rules.policy, copied)) for verdict in verdicts]
    judged = [*zip(verdicts, rows, strict=True)]
    return settle(facts, comparison, judged, rules).documents


@settings(max_examples=tries(300), deadline=None)
@given(documents(), st.sampled_from(["en", "es_CO"]))
def test_components_add_up_to_what_is_asked_for(
    documents: list[tuple[BilledDocument, list[StatedLine]]], language: str
) -> None:
    """To the cent, whatever is stated; what is agreed and questioned of each is its amount, and
    nothing is claimed beyond what is questioned for a reason of the supplier's."""
    settled = settle_documents(documents, language=language)
    assert len(settled) == len(documents)
    by_id = {document.document_id: document for document, _ in documents}
    for row, parts in settled:
        document = by_id[row.document_id]
        sign = -1 if document.kind == "credit_note" else 1
        if document.payable is not None:
            assert row.payable_amount == sign * document.payable
        assert sum(part.amount for part in parts) == row.payable_amount
        assert row.agreed_amount + row.questioned_amount == row.payable_amount
        assert 0 <= row.claimed_amount <= max(row.questioned_amount, Decimal())
        assert (row.settlement == "claim") == (row.claimed_amount > 0)
        for part in parts:
            assert part.agreed_amount + part.questioned_amount == part.amount
            assert part.amount == round(part.amount, 4)
            assert part.questioned_amount == round(part.questioned_amount, 4)
            assert part.reason.endswith(".")
        assert [part.component_number for part in parts] == [*range(1, len(parts) + 1)]
        is_paid = row.settlement == "pay"
        assert is_paid == (not any(part.questioned_amount for part in parts))
    totals = add_up(each.document for each in settled)
    assert len({total.billing_currency for total in totals}) == len(totals)
    assert sum(total.payable_amount for total in totals) == sum(
        each.document.payable_amount for each in settled
    )


def only_line(amount: str) -> tuple[BilledDocument, list[StatedLine]]:
    document = BilledDocument(
        "d", "900", "invoice", "F-1", OCTOBER_PERIOD.start, OCTOBER_PERIOD.end, "document", None,
        "COP", None, date(2026, 11, 3), False, "ubl", Decimal(amount), Decimal(amount),
        datetime(2026, 11, 4, tzinfo=timezone.utc), None, None, None, None, None, None,
    )  # fmt: skip
    own = StatedLine("d", 1, None, "audios", None, Decimal(1000), Decimal(amount), "COP", None,
                     None, None, None)  # fmt: skip
    return document, [own]


@pytest.mark.parametrize("kind", ["credit_note", "invoice"])
def test_a_cent_of_tax_on_nothing_is_claimed_of_nobody(kind: str) -> None:
    """A document whose only amount is a tax of 0.01: it is within the tolerance, and on nothing
    that is questioned."""
    document, [own] = only_line("0")
    document = document._replace(kind=kind, tax=Decimal("0.01"), net=None, payable=None)
    [settled] = settle_documents([(document, [own._replace(amount=None, quantity=None)])])
    tax = settled.components[-1]
    assert (tax.component, tax.questioned_amount, tax.claimed_amount) == ("tax", 0, 0)
    assert settled.document.claimed_amount == 0


@pytest.mark.parametrize("field", ["amount", "questioned_amount"])
def test_what_does_not_tie_out_is_not_shown(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """A component that is off by a cent ends the settlement, and names the document."""
    split = settlement.Splitter.split

    def off_by_a_cent(self: Any, stated: Any) -> Any:
        first, *others = split(self, stated)
        return [first._replace(**{field: getattr(first, field) + Decimal("0.01")}), *others]

    monkeypatch.setattr(settlement.Splitter, "split", off_by_a_cent)
    with pytest.raises(DoesNotTieOut, match="invoice F-1"):
        settle_documents([only_line("100000")])


def test_a_variance_is_taken_out_of_what_explains_it() -> None:
    """Of 30 too much 20 are the charge, and the rest is the lines', by their amounts; too little is
    what was taken off."""
    pieces = [Piece(LINE, Decimal(300)), Piece(CHARGE, Decimal(20)), Piece(LINE, Decimal(100)),
              Piece(LINE, Decimal(-40))]  # fmt: skip
    thirty = [Decimal("7.50"), 20, Decimal("2.50"), 0]
    assert spread(Decimal(30), pieces) == thirty
    assert spread(Decimal(-30), pieces) == [0, 0, 0, -30]
    assert spread(Decimal("0.01"), pieces[:1] * 3) == [Decimal("0.01"), 0, 0]
