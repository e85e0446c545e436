"""Sheets as an XLSX file: numbers and days as Excel has them, texts as texts whatever they begin
with, and the same bytes for the same sheets."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import IO, Any, NamedTuple
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from wolkvox_billing.errors import WolkvoxError
from wolkvox_billing.evidence.report.html import Money, Quantity
from wolkvox_billing.evidence.workbook.cells import Sheet, Tone, Value, Word
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.reconciliation.contract.csv_file import RUNS_AS_FORMULA
from wolkvox_billing.values.archives import describe_member
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.locales import say_month
from wolkvox_billing.values.numbers import format_number
from wolkvox_billing.values.texts import harmless

MOST_DIGITS = 15  # that Excel keeps of a number
MOST_CHARACTERS = 32_767  # in a cell; openpyxl cuts the rest off, and says nothing
MOST_ROWS = 1_048_576
# Widths of columns, in characters: of one that is printed, and of any other.
_NARROWEST, _WIDEST, _WIDEST_BEHIND = 9, 48, 24
_MEASURED_ROWS = 500
_LINE_HEIGHT, _MOST_LINES = 13.5, 30  # points; Excel takes up to 409
_CENTS = 2  # decimals that any amount is shown with, as elsewhere
_HASH = re.compile(r"[0-9a-f,]{40,}")
# Excel reads `_x0041_` as A, and this as `_x0041_`.
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
_DAY, _MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
_FIRST_DAY = date(1900, 3, 1)  # before it Excel counts a 29 February that there was not
_LETTER = 1  # the paper of the Americas
_FILLS = {
    Tone.GOOD: ("C6EFCE", "0B5A1E"),
    Tone.OPEN: ("E7E6E6", "333333"),
    Tone.DOUBTFUL: ("FFEB9C", "6B4A00"),
    Tone.BLAMED: ("FFC7CE", "8A0010"),
}
_HEADING = ("1F3864", "FFFFFF")


@dataclass(frozen=True)
class Book:
    """What a workbook holds, and of when it is: of a month by its first day, times by a zone."""

    month: date
    as_of: datetime
    zone: ZoneInfo
    locale: str
    sheets: Sequence[Sheet]

    @property
    def month_name(self) -> str:
        return say_month(self.month, self.locale)

    def localized(self, at: datetime) -> datetime:
        """Return a moment by the book's zone, which Excel has no place for in a cell."""
        aware = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
        return aware.astimezone(self.zone).replace(tzinfo=None)


class _Look(NamedTuple):
    """How a cell is shown."""

    form: str = "General"
    tone: Tone = Tone.PLAIN
    is_bold: bool = False
    is_heading: bool = False
    align: str | None = None
    wraps: bool = False
    is_quoted: bool = False  # stays a text when somebody edits it


class _Shown(NamedTuple):
    """A value as Excel has it, its look, and how many characters wide it is."""

    value: str | int | float | Decimal | date | datetime | None
    look: _Look
    width: int


def pack_book(book: Book, file: IO[bytes]) -> None:
    """Write a Book into a file. Raises WolkvoxError where a sheet has more rows than Excel."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.properties.creator = "wolkvox-billing"
    workbook.properties.created = book.as_of.astimezone(timezone.utc).replace(tzinfo=None)
    looks = _Looks(workbook)
    for sheet in book.sheets:
        _Page(book, sheet, workbook.create_sheet(sheet.title), looks).write()
    packed = io.BytesIO()
    workbook.save(packed)
    # openpyxl says when it wrote, in the file and of each member.
    created = f"{workbook.properties.created:%Y-%m-%dT%H:%M:%SZ}".encode()
    with (
        zipfile.ZipFile(packed) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = _MODIFIED.sub(rb"\g<1>" + created, data)
            archive.writestr(describe_member(name), data)


@dataclass
class _Looks:
    """The styles of a workbook, each made once: openpyxl takes long to compare them."""

    workbook: Workbook
    styles: dict[_Look, Any] = field(default_factory=dict)  # openpyxl's own array

    def style(self, look: _Look) -> Any:
        if look not in self.styles:
            self.styles[look] = self._make(look)
        return self.styles[look]

    def _make(self, look: _Look) -> Any:
        cell = WriteOnlyCell(self.workbook.worksheets[0])
        fill, colour = _HEADING if look.is_heading else _FILLS.get(look.tone, ("", "000000"))
        cell.number_format = look.form
        cell.font = Font(name="Calibri", size=10, bold=look.is_bold, color=colour)
        cell.alignment = Alignment(
            horizontal=look.align,
            vertical="center" if look.is_heading else "top",
            wrap_text=look.wraps or None,
            indent=1 if look.align == "left" else 0,
        )
        if fill:
            cell.fill = PatternFill("solid", start_color=fill)
        cell.border = Border(bottom=Side("hair", color="999999"))
        cell.quotePrefix = look.is_quoted
        return cell._style  # type: ignore[attr-defined]  # no stub has it


@dataclass
class _Page:
    """A sheet while it is written: title, sums, headings, rows."""

    book: Book
    sheet: Sheet
    page: Worksheet
    looks: _Looks

    def write(self) -> None:
        sheet, page = self.sheet, self.page
        columns = list(sheet.headings)
        heading = 2 + len(sheet.sums)
        last = heading + len(sheet.rows)
        if last > MOST_ROWS:
            raise WolkvoxError(
                f"{sheet.title} has {len(sheet.rows):,} rows, and Excel takes {MOST_ROWS:,}: use "
                "`publish` for so much"
            )
        as_of = format_moment(self.book.as_of, self.book.zone)
        title = (
            f"{sheet.title} {self.book.month_name}, {caption('as of', self.book.locale)} {as_of}"
        )
        self._put(1, 1, _text(title, _Look(is_bold=True)))
        for at, total in enumerate(sheet.sums, 2):
            self._put_row(at, [total.get(column) for column in columns], is_bold=True)
        heading_look = _Look(is_bold=True, is_heading=True, align="center", wraps=True)
        for place, text in enumerate(sheet.headings.values(), 1):
            self._put(heading, place, _text(text, heading_look))
        rows = [
            self._put_row(at, [row.get(column) for column in columns])
            for at, row in enumerate(sheet.rows, heading + 1)
        ]
        if not sheet.rows:
            self._put(heading + 1, 1, _text(caption("none", self.book.locale), _Look()))
        widths = self._widths(rows)
        for place, width in enumerate(widths, 1):
            page.column_dimensions[get_column_letter(place)].width = width + 1
        for at, cell_text in enumerate(rows, heading + 1):
            # What is not printed makes no row higher.
            printed = zip(cell_text[: sheet.leading or None], widths, strict=False)
            lines = max(_lines_of(cell, width) for cell, width in printed)
            page.row_dimensions[at].height = _LINE_HEIGHT * min(lines, _MOST_LINES)
        self._lay_out(heading, last)

    def _widths(self, rows: Sequence[Sequence[_Shown]]) -> list[int]:
        """Return the width of each column: of its longest heading word, and of its contents."""
        sheet = self.sheet
        widths: list[int] = []
        for place, text in enumerate(sheet.headings.values()):
            widest = sheet.widest or (_WIDEST if place < sheet.leading else _WIDEST_BEHIND)
            contents = (row[place].width for row in rows[:_MEASURED_ROWS])
            word = max(map(len, text.split())) + 3
            widths.append(max(_NARROWEST, word, min(max(contents, default=0), widest)))
        return widths

    def _put_row(self, at: int, values: Sequence[Value], *, is_bold: bool = False) -> list[_Shown]:
        row: list[_Shown] = []
        for place, value in enumerate(values, 1):
            cell_text = _NOTHING if value is None else _show(value, self.book)
            if is_bold:
                cell_text = cell_text._replace(
                    look=cell_text.look._replace(is_bold=True, wraps=False)
                )
            self._put(at, place, cell_text)
            row.append(cell_text)
        return row

    def _put(self, row: int, column: int, cell_text: _Shown) -> None:
        cell = self.page.cell(row, column)
        assert isinstance(cell, Cell)  # and not one that is merged into another
        if cell_text.value is not None:
            cell.value = cell_text.value
            if isinstance(cell_text.value, str):
                cell.data_type = "s"  # openpyxl makes a formula of a text that looks like one
        style = self.looks.style(cell_text.look)
        cell._style = style  # type: ignore[attr-defined]  # no stub has it

    def _lay_out(self, heading: int, last: int) -> None:
        """Let the headings stay where they are, filter, and print what leads on whole pages."""
        page, columns = self.page, len(self.sheet.headings)
        right = get_column_letter(columns)
        page.freeze_panes = f"{'C' if columns > 5 else 'A'}{heading + 1}"
        page.auto_filter.ref = f"A{heading}:{right}{last}"
        page.row_dimensions[heading].height = 3 * _LINE_HEIGHT
        page.print_title_rows = f"{heading}:{heading}"
        leading = get_column_letter(self.sheet.leading or columns)
        page.print_area = f"A1:{leading}{max(last, heading + 1)}"
        page.page_setup.orientation = "landscape"
        page.page_setup.paperSize = _LETTER
        page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
        page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        page.page_margins.left = page.page_margins.right = 0.4
        footer = page.oddFooter
        assert footer is not None
        assert footer.left is not None
        assert footer.right is not None
        footer.left.text = f"{self.sheet.title} {self.book.month_name}"
        footer.right.text = "&P / &N"


def _show(value: Value, book: Book) -> _Shown:
    """Return a value as Excel has it."""
    match value:
        case Money(amount, currency, is_signed):
            return _number(amount, book.locale, currency, is_money=True, is_signed=is_signed)
        case Quantity(quantity):
            return _number(quantity, book.locale, is_signed=True)
        case Word(text, tone):
            return _text(text, _Look(tone=tone, align="left", wraps=True))
        case int() | Decimal():
            return _number(Decimal(value), book.locale)
        case datetime():
            return _Shown(book.localized(value), _Look(_MOMENT, align="center"), len(_MOMENT))
        case date() if value >= _FIRST_DAY:
            return _Shown(value, _Look(_DAY, align="center"), len(_DAY))
    return _text(str(value), _Look(align="left", wraps=True))


_NOTHING = _Shown(None, _Look(), 0)


def _text(text: str, look: _Look) -> _Shown:
    """Return a text, with what a cell cannot hold by its number; one that is too long is cut, and
    says so. What would run when somebody edits the cell is marked as a text."""
    safe = _ESCAPED.sub("_x005F_", harmless(text))
    if len(safe) > MOST_CHARACTERS:
        more = f"… (+{len(safe):,})"
        safe = safe[: MOST_CHARACTERS - len(more)] + more
    is_hash = bool(_HASH.fullmatch(safe))
    look = look._replace(
        is_quoted=safe.startswith(RUNS_AS_FORMULA), wraps=look.wraps and not is_hash
    )
    return _Shown(safe, look, max(map(len, safe.split("\n"))) + 1)


def _lines_of(cell_text: _Shown, width: int) -> int:
    """Return how many lines a cell takes in a column so wide."""
    if not (cell_text.look.wraps and isinstance(cell_text.value, str)):
        return 1
    # Words are not cut, so that a line holds somewhat less than its width.
    return sum(
        1 if len(line) < width else 1 + len(line) * 11 // (width * 10)
        for line in cell_text.value.split("\n")
    )


def _number(
    number: Decimal | None,
    locale: str,
    currency: str | None = None,
    *,
    is_money: bool = False,
    is_signed: bool = False,
) -> _Shown:
    """Return a number with all decimals that it has, of money at least cents; as a text
    where it has more digits than Excel keeps, since a figure that is not the one on the paper is
    none."""
    if number is None:
        return _NOTHING
    own = number.normalize()
    exponent = int(own.as_tuple().exponent)
    decimals = max(-exponent, _CENTS if is_money else 0)
    code = f" {currency}" if is_money and _is_code(currency) else ""
    digits = len(own.as_tuple().digits) + max(exponent, 0)
    if digits > MOST_DIGITS:
        text = format_number(number, signed=is_signed, locale=locale) + code
        return _Shown(text, _Look(align="right", is_quoted=is_signed), len(text))
    form = "#,##0" + ("." + "0" * decimals if decimals else "")
    form += f'" {currency}"' if code else ""
    if is_signed:
        form = f"+{form};-{form};{form}"
    width = len(f"{own:,f}") + max(decimals + exponent, 0) + len(code) + is_signed + 2
    return _Shown(int(own) if exponent >= 0 else own, _Look(form, align="right"), width)


def _is_code(currency: str | None) -> bool:
    """Whether it is a code such as COP, and no text that would be read as a format."""
    return bool(currency and re.fullmatch("[A-Z]{3}", currency))
