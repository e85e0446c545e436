"""Answers of the vendor, and the readings in them."""

from __future__ import annotations

from datetime import date

from wolkvox_billing.vendor.answer import Judgement, judge_answer

TODAY = date(2026, 11, 10)
ROW = {"operation": "ACME", "description": "Audios", "items": "7", "date": "2026-11-10"}


def answered(*rows: str) -> Judgement:
    """The judgement on an answer with these rows, each in JSON."""
    return judge_answer(
        200, b'{"code": 200, "error": null, "data": [%b]}' % ", ".join(rows).encode()
    )
