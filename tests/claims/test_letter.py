"""What a letter is made of: texts of the papers' that mean harm, and bytes that are the same."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.claims import blank, document
from builders.fuzzing import tries
from wolkvox_billing.claims.letter import Letter, write_letter
from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent, SettledDocument
from wolkvox_billing.reconciliation.acceptance import Deadlines
from wolkvox_billing.reconciliation.claimed import Claim
from wolkvox_billing.reconciliation.settlement import Settled

DAY = date(2026, 11, 5)
HARM = [
    "a\0b\x1b[31m\x07\x9b",
    "\ud800 half, \ufffe none, \u202egpj.exe",
    "<w:p>&amp;</w:p> {claimed} %s {0} ]]>",
    "line\nbreak\r\n\ttab\x0b\x0c\u2028",
    "x" * 100_000,
    '=HYPERLINK("http://evil.example")',
    "",
]


def letter(text: str = "Grabaciones en S3", locale: str = "en") -> Letter:
    """A letter in which each text of somebody else's is this one."""
    amounts = {
        "payable_amount": Decimal(172550), "agreed_amount": Decimal(119000),
        "questioned_amount": Decimal(53550), "claimed_amount": Decimal(53550),
        "billing_currency": "COP", "document_kind": "invoice", "document_number": text,
    }  # fmt: skip
    claim = blank(
        Claim, **amounts, claim_id="1", document_id="1", month="2026-10", claimed_by=text,
        claimed_at=datetime(2026, 11, 5, 17, tzinfo=timezone.utc), acceptance_deadline=DAY,
        letter_sha256="", evidence_sha256="e" * 64, evidence_name="evidence.zip", reason=text,
    )  # fmt: skip
    parts = [
        blank(
            InvoiceComponent, component=component, line_number=1, description=text, reason=text,
            amount=Decimal(145000), agreed_amount=Decimal(100000),
            questioned_amount=Decimal(60000), claimed_amount=Decimal(45000), report=report,
        )
        for component, report in (("line", "rsync_s3_mp3"), ("charge", None), ("tax", None))
    ]  # fmt: skip
    verdict = blank(
        ReconciledRow, operation_id=text, product=text, report="rsync_s3_mp3", explanation=text,
        consumed_quantity=Decimal(1000), billed_quantity=Decimal(1450),
        quantity_variance=Decimal(450), cost_variance=Decimal(45000),
    )  # fmt: skip
    before = blank(
        OpenClaim, claimed_amount=Decimal(60000), credited_amount=Decimal(6450), claimed_on=DAY,
        billing_currency="COP", credit_notes=text,
    )  # fmt: skip
    return Letter(
        claim=claim,
        day=DAY,
        document=document(
            number=text, uuid=text, issued=DAY, customer_name=text, supplier_name=text
        ),
        settled=Settled(blank(SettledDocument, **amounts), parts),
        verdicts=[verdict],
        deadlines=Deadlines(DAY, DAY, None),
        before=before,
        locale=locale,
    )


def texts_in(data: bytes) -> list[str]:
    word = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    return [*(paragraph.text for paragraph in word.paragraphs), *cells]


@pytest.mark.parametrize("text", HARM)
def test_no_text_of_the_papers_breaks_a_letter(text: str) -> None:
    """Control characters, halves of characters, markup, line breaks and very long texts: it can be
    read again, nothing in it is without a print, and no text is endless."""
    texts = texts_in(write_letter(letter(text)))
    assert all(shown.isprintable() for shown in texts)
    assert max(map(len, texts)) < 2000
    assert any("60,000.00 COP. Since then 6,450.00 COP" in shown for shown in texts)


@pytest.mark.parametrize("locale", ["en", "es", "es_CO", "es_MX", "en_GB"])
def test_the_same_letter_is_the_same_bytes(locale: str) -> None:
    """Whenever it is written."""
    written = letter(locale=locale)
    data = write_letter(written)
    assert data == write_letter(written)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        properties = archive.read("docProps/core.xml").decode()
    assert "2026-11-05T17:00:00Z" in properties and "python-docx" not in properties


def test_another_amount_is_another_letter() -> None:
    written = letter()
    other = replace(written, claim=replace(written.claim, claimed_amount=Decimal(1)))
    assert write_letter(other) != write_letter(written)


@settings(max_examples=tries(20), deadline=None)
@given(st.text(max_size=300))
def test_any_text_of_the_papers_is_one_line_that_prints(text: str) -> None:
    """Whatever characters are in it."""
    assert all(shown.isprintable() for shown in texts_in(write_letter(letter(text))))


def test_a_letter_says_why_a_part_is_not_claimed() -> None:
    """It is the end of what a long verdict says, which stands in the table whole."""
    own, why = letter(), "14,000.00 COP of it is not claimed."
    parts = [own.settled.components[0]._replace(reason=f"{'1,000 audios; ' * 40}{why}")]
    written = replace(own, settled=Settled(own.settled.document, parts))
    assert any(text.endswith(why) for text in texts_in(write_letter(written)))


def test_a_letter_says_which_claim_it_replaces() -> None:
    """Of a claim before it of which nothing was credited."""
    written = letter()
    assert written.before
    before = replace(written.before, credited_amount=Decimal())
    assert "This letter replaces our claim over 60,000.00 COP of November 5, 2026." in texts_in(
        write_letter(replace(written, before=before))
    )


def test_a_document_without_a_last_day_says_so() -> None:
    """And names none."""
    written = letter()
    claim = replace(written.claim, acceptance_deadline=None)
    texts = texts_in(write_letter(replace(written, claim=claim, deadlines=Deadlines())))
    assert "We know of no day until which this document has to be claimed." in texts
    assert not any("three business days" in text for text in texts)
