"""The letter of a claim, as a Word document that a person can edit.

The same claim gives the same bytes: what python-docx writes of its own, such as the moment, is that
of the claim. Of the papers' texts nothing is obeyed: what does not print is shown by its number,
and a long one is cut.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from wolkvox_billing.claims.letter_words import TEXTS
from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.settled import InvoiceComponent
from wolkvox_billing.reconciliation.acceptance import Deadlines
from wolkvox_billing.reconciliation.billed_documents import BilledDocument
from wolkvox_billing.reconciliation.claimed import Claim
from wolkvox_billing.reconciliation.components import TAX
from wolkvox_billing.reconciliation.settlement import Settled
from wolkvox_billing.reconciliation.settlement_words import SettlementWriter
from wolkvox_billing.values.archives import describe_member
from wolkvox_billing.values.locales import format_date, language_tag
from wolkvox_billing.values.periods import DAY, format_period
from wolkvox_billing.values.texts import harmless
from wolkvox_billing.values.translation import translate
from wolkvox_billing.vendor.reports import REPORTS

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.table import _Row as WordRow

_NOTHING = Decimal()
_MOST_LETTERS = 200  # of a text of the papers'
_MOST_OF_SENTENCE = 1500
_WIDTH_OF_PAGE, _HEIGHT_OF_PAGE, _MARGIN = 21.59, 27.94, 2.2  # cm: a letter, as in Colombia
_LETTERS_IN_POINTS = 10
_POINTS_BELOW_TABLE = 4


@dataclass(frozen=True)
class Letter:
    """What a letter is written of.

    claim: its row, be it that it is recorded already. day: that of the claim, in the vendor's time
    zone. before: what became of the claim before it on the same document.
    """

    claim: Claim
    day: date
    document: BilledDocument
    settled: Settled
    verdicts: Sequence[ReconciledRow]
    deadlines: Deadlines
    before: OpenClaim | None
    locale: str

    @property
    def claimed(self) -> list[InvoiceComponent]:
        return [part for part in self.settled.components if part.claimed_amount]

    @property
    def questioned(self) -> list[InvoiceComponent]:
        """The parts that are questioned beyond what is claimed of them."""
        return [
            part
            for part in self.settled.components
            if part.questioned_amount and part.questioned_amount != part.claimed_amount
        ]

    @property
    def tax(self) -> Decimal:
        amounts = (part.claimed_amount for part in self.claimed if part.component == TAX)
        return sum(amounts, _NOTHING)


def write_letter(letter: Letter) -> bytes:
    """Return the bytes of a .docx."""
    import docx  # as slow to import as a poll

    page = _Page(letter, docx.Document())
    page.set_up()
    page.write()
    return page.as_bytes()


class _Form(NamedTuple):
    """A table's columns: how wide each is in cm, and how many of the last ones are numbers, which
    stand to the right. `has_total`: its last row is their sum."""

    widths: Sequence[float]
    numbers: int = 0
    has_total: bool = False


class _Page:
    """A letter on its way into Word."""

    def __init__(self, letter: Letter, word: WordDocument) -> None:
        self.letter, self.word = letter, word
        self.texts = {name: translate(text, letter.locale) for name, text in TEXTS.items()}
        claim = letter.claim
        self.writer = SettlementWriter(letter.locale, claim.billing_currency or "")
        self.title = self.writer.title(claim.document_kind, _cut(claim.document_number) or None)

    def set_up(self) -> None:
        """Set page, font, language and what a file says of itself."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import Cm, Pt

        [section] = self.word.sections
        section.page_width, section.page_height = Cm(_WIDTH_OF_PAGE), Cm(_HEIGHT_OF_PAGE)
        section.left_margin = section.right_margin = Cm(_MARGIN)
        section.top_margin = section.bottom_margin = Cm(_MARGIN)
        font = self.word.styles["Normal"].font
        font.name, font.size = "Calibri", Pt(_LETTERS_IN_POINTS)
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), language_tag(self.letter.locale))
        font.element.get_or_add_rPr().append(language)
        about = self.word.core_properties
        about.author, about.title = "", self.texts["subject"].format(title=self.title)
        about.comments = about.keywords = about.last_modified_by = ""
        at = self.letter.claim.claimed_at.astimezone(timezone.utc).replace(tzinfo=None)
        about.created = about.modified = at
        about.language = language_tag(self.letter.locale)

    def write(self) -> None:
        """Write the letter from its head to the place to sign."""
        self.word.add_heading(self.texts["subject"].format(title=self.title), 1)
        self.word.add_paragraph(self._day(self.letter.day))
        self._write_parties()
        self._write_document()
        self._write_intro()
        self._write_claimed()
        self._write_verdicts()
        self._write_questioned()
        self._write_request()
        self._write_deadline()
        self._write_evidence()
        self._write_signature()

    def as_bytes(self) -> bytes:
        """Return the document, packed in one way whenever it is packed."""
        loose, packed = io.BytesIO(), io.BytesIO()
        self.word.save(loose)
        with (
            zipfile.ZipFile(loose) as source,
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
        ):
            for info in source.infolist():
                member = describe_member(info.filename)
                target.writestr(member, source.read(info), compresslevel=9)
        return packed.getvalue()

    def _write_parties(self) -> None:
        document, blank = self.letter.document, self.texts["blank"]
        facts = {
            "name": (document.customer_name, document.supplier_name),
            "tax_id": (document.customer_id, document.supplier_id),
        }
        rows = [
            [self.texts[label], *(_cut(text) or blank for text in both)]
            for label, both in facts.items()
        ]
        self._table(["", self.texts["from"], self.texts["to"]], rows, _Form((2.4, 7.1, 7.1)))

    def _write_document(self) -> None:
        document, row, texts = self.letter.document, self.letter.settled.document, self.texts
        start, end = row.billing_period_start, row.billing_period_end
        period = ""
        if start and end:
            period = texts["period_text"].format(start=self._day(start), end=self._day(end - DAY))
        facts = {
            "number": _cut(document.number),
            "cufe": _cut(document.uuid),
            "issued": self._day(document.issued) if document.issued else "",
            "due": self._day(document.due) if document.due else "",
            "period": period,
            "asks": self.writer.money(row.payable_amount),
        }
        self.word.add_heading(texts["document"], 2)
        rows = [[texts[name], says] for name, says in facts.items() if says]
        self._table([], rows, _Form((3.4, 13.2)))

    def _write_intro(self) -> None:
        row, money = self.letter.settled.document, self.writer.money
        self.word.add_paragraph()
        self.word.add_paragraph(
            self.texts["intro"].format(
                payable=money(row.payable_amount),
                agreed=money(row.agreed_amount),
                questioned=money(row.questioned_amount),
                claimed=money(row.claimed_amount),
            )
        )
        if before := self.letter.before:
            name = "rest" if before.credited_amount else "replaces"
            self.word.add_paragraph(
                self.texts[name].format(
                    day=self._day(before.claimed_on),
                    claimed=money(before.claimed_amount),
                    credited=money(before.credited_amount),
                    notes=_cut(before.credit_notes).replace(",", ", "),
                )
            )

    def _write_claimed(self) -> None:
        texts, amount = self.texts, self.writer.amount
        currency = f" ({self.writer.currency})"
        self.word.add_heading(texts["claimed"], 2)
        rows = [
            [
                self.writer.component(part),
                _cut(part.reason if part.component == TAX else part.description),
                *map(amount, (part.amount, part.agreed_amount, part.claimed_amount)),
            ]
            for part in self.letter.claimed
        ]
        total = sum((part.claimed_amount for part in self.letter.claimed), _NOTHING)
        rows.append([texts["sum"], "", "", "", amount(total)])
        headings = [texts["part"], texts["description"]]
        headings += [texts[name] + currency for name in ("asked", "agreed", "amount")]
        self._table(headings, rows, _Form((3.0, 5.2, 2.8, 2.8, 2.8), 3, has_total=True))
        for part in self.letter.claimed:
            if not part.report and part.component != TAX:  # no verdict says why
                self._sentence(f"{self.writer.component(part)}: {part.reason}")

    def _write_verdicts(self) -> None:
        texts, verdicts = self.texts, self.letter.verdicts
        if not verdicts:
            return
        self.word.add_heading(texts["found"], 2)
        rows: list[list[str]] = []
        for row in verdicts:
            unit = REPORTS[row.report].unit if row.report in REPORTS else ""
            writer = self.writer._replace(unit=unit)
            quantities = (row.consumed_quantity, row.billed_quantity, row.quantity_variance)
            period = format_period(row.billing_period_start, row.billing_period_end, writer.locale)
            product = row.product or f"{row.report}, {texts['whole_report']}"
            money = row.cost_variance
            rows.append(
                [
                    _cut(", ".join(filter(None, (row.operation_id, product, period)))),
                    *("" if value is None else writer.quantity(value) for value in quantities),
                    "" if money is None else writer.money(money, signed=True),
                ]
            )
        headings = [texts[name] for name in ("used", "measured", "billed", "difference", "money")]
        self._table(headings, rows, _Form((5.0, 2.8, 2.8, 2.8, 3.2), 4))
        for row in verdicts:
            self._sentence(row.explanation)

    def _write_questioned(self) -> None:
        parts, texts = self.letter.questioned, self.texts
        if not parts:
            return
        self.word.add_heading(texts["questioned"], 2)
        self.word.add_paragraph(texts["explain"]).paragraph_format.keep_with_next = True
        rows = [
            [
                self.writer.component(part),
                _cut(part.description),
                self.writer.money(part.questioned_amount - part.claimed_amount),
                _cut(part.reason, _MOST_OF_SENTENCE),
            ]
            for part in parts
        ]
        headings = [texts[name] for name in ("part", "description", "question", "why")]
        self._table(headings, rows, _Form((2.6, 4.6, 3.4, 6.0)))

    def _write_request(self) -> None:
        claimed, tax = self.letter.claim.claimed_amount, self.letter.tax
        self.word.add_heading(self.texts["request_title"], 2)
        text = self.texts["request" if tax else "request_net"].format(
            claimed=self.writer.money(claimed),
            title=self.title,
            net=self.writer.money(claimed - tax),
            tax=self.writer.money(tax),
        )
        self.word.add_paragraph().add_run(text).bold = True

    def _write_deadline(self) -> None:
        texts, last = self.texts, self.letter.claim.acceptance_deadline
        self.word.add_heading(texts["deadline_title"], 2)
        if last:
            self.word.add_paragraph(texts["deadline"].format(day=self._day(last)))
            for name, day in self.letter.deadlines._asdict().items():
                if day:
                    is_by_mail = name == "receipt" and self.letter.document.came_by_mail
                    text = texts["receipt_by_mail" if is_by_mail else name]
                    text = text.format(day=self._day(day))
                    self.word.add_paragraph(text, style="List Bullet")
        else:
            self.word.add_paragraph(texts["no_deadline"])
        self.word.add_paragraph().add_run(texts["no_advice"]).italic = True

    def _write_evidence(self) -> None:
        claim = self.letter.claim
        self.word.add_heading(self.texts["evidence_title"], 2)
        self.word.add_paragraph(self.texts["evidence"].format(file=_cut(claim.evidence_name)))
        self.word.add_paragraph(claim.evidence_sha256 or "")

    def _write_signature(self) -> None:
        blank = self.texts["blank"] * 2
        self.word.add_paragraph()
        for name in ("sign", "name", "role", "day"):
            paragraph = self.word.add_paragraph(f"{self.texts[name]}: {blank}")
            paragraph.paragraph_format.keep_with_next = name != "day"

    def _day(self, day: date) -> str:
        return format_date(day, self.letter.locale)

    def _sentence(self, text: str) -> None:
        """Add what stands below a table."""
        from docx.shared import Pt

        paragraph = self.word.add_paragraph(_cut(text, _MOST_OF_SENTENCE))
        paragraph.paragraph_format.space_before = Pt(_POINTS_BELOW_TABLE)

    def _table(self, headings: Sequence[str], rows: Iterable[Sequence[str]], form: _Form) -> None:
        """Add a table, whose headings may be none."""
        from docx.shared import Cm

        listed = [[*headings], *rows] if headings else [*rows]
        table = self.word.add_table(len(listed), len(form.widths), style="Table Grid")
        table.autofit = False
        for column, width in zip(table.columns, form.widths, strict=True):
            column.width = Cm(width)
        for n, cells in enumerate(listed):
            is_total = form.has_total and n == len(listed) - 1
            is_bold = is_total or (n == 0 and bool(headings))
            _fill_row(table.rows[n], cells, form, is_bold=is_bold)


def _fill_row(row: WordRow, cells: Sequence[str], form: _Form, *, is_bold: bool) -> None:
    """Fill a row, which no page's end cuts; a bold one stays with what follows."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.shared import Cm

    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    for n, (cell, text, width) in enumerate(zip(row.cells, cells, form.widths, strict=True)):
        cell.width = Cm(width)
        [paragraph] = cell.paragraphs
        paragraph.paragraph_format.keep_with_next = is_bold
        paragraph.add_run(text).bold = is_bold or (n == 0 and not form.numbers)
        if n >= len(cells) - form.numbers:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _cut(text: str | None, most: int = _MOST_LETTERS) -> str:
    """Return a text of somebody else's in one line, as far as it prints, and not endless."""
    line = " ".join(harmless(text or "").split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
