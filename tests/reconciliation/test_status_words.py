"""Each status has a line that says what it means."""

from __future__ import annotations

import re
from pathlib import Path

import wolkvox_billing.reconciliation as room
from wolkvox_billing.marts.settled import CLAIM, PAY, QUESTION, WAIT
from wolkvox_billing.reconciliation.status_words import MEANINGS, meanings_of
from wolkvox_billing.reconciliation.verdicts import STATUSES


def test_each_status_has_a_meaning() -> None:
    """Of verdicts, of each honest explanation that stands, and of documents; and no other has."""
    modules = "".join(file.read_text() for file in Path(room.__path__[0]).glob("*_doubts.py"))
    doubts = set(re.findall(r'"(inconclusive_\w+|unit_mismatch)"', modules))
    assert len(doubts) > 15
    named = {status for status, _ in STATUSES if status} | doubts
    assert named - MEANINGS.keys() == set()
    assert MEANINGS.keys() - named - {CLAIM, PAY, QUESTION, WAIT} == set()


def test_each_is_told_once() -> None:
    [told] = meanings_of(["matched", "matched", "of a later release"], "es_CO")
    assert told == ("matched", "lo facturado y lo medido coinciden")
