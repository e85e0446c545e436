"""A CSV file that a finance person edits, as Excel or a text editor leaves it: rows by its columns,
with their places for complaints."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices.document import Rejected, short
from wolkvox_billing.invoices.sheets.delimited import DELIMITERS, decoded, find_delimiter
from wolkvox_billing.invoices.sheets.headings import letters_of
from wolkvox_billing.values.translation import N_, Sentence

RUNS_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a text in a spreadsheet that begins so
_LINE_END = re.compile(r"\r\n|\r|\n")
_SEP = re.compile(r'"?sep=(.)"?[\s,;]*', re.IGNORECASE)  # Excel's own first line
# What Excel saves for a formula that fails, and for a column too narrow: like a comment.
_EXCEL_ERROR = re.compile(r"#(?:##+|N/[AD]|[¡¿]?[A-ZÁÉÍÓÚÑ0-9/]+[!?])")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx, xls
_SAVE_AS = Sentence(N_("save it in Excel as «CSV UTF-8»"))


def place_of(file: str, line: int, column: str) -> Sentence:
    """Return where something stands in a file, as a person looks for it."""
    text = N_("{file}, line {line}, column {column}")
    return Sentence(text, file=file, line=str(line), column=column)


class CsvRow(NamedTuple):
    """A row: its line in the file, and its cells by column, without blanks around."""

    file: str
    line: int
    cells: dict[str, str]
    hint: str = ""

    def wrong(self, column: str, problem: str, /, **values: object) -> SettingsError:
        """Return the error that names the row and the column. problem: a marked text, of which
        `text` is what the cell has."""
        own = {"text": repr(self.cells.get(column, "")), **values}
        return wrong_file(
            N_("{file}, line {line}, column {column}: {problem}{hint}"),
            file=self.file,
            line=str(self.line),
            column=column,
            problem=Sentence(problem, **own),
            hint=self.hint,
        )


def wrong_file(message: str, /, **values: object) -> SettingsError:
    """Return the error of a marked text with these values."""
    return SettingsError(Sentence(message, **values))


class CsvText(NamedTuple):
    """A file as it is written: what is added to it has to be written so too."""

    lines: list[str]
    encoding: str
    delimiter: str
    ends_line: bool


class _Layout(NamedTuple):
    """How rows stand in a file. `header` has the column of each place, "" for a place without."""

    file: str
    columns: Sequence[str]
    delimiter: str
    header: Sequence[str]


class _Record(NamedTuple):
    """A row's cells, the line on which it begins, and its text."""

    line: int
    cells: list[str]
    text: str


class _Malformed(Exception):
    """A row that is no CSV."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


def read_rows(file: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> list[CsvRow]:
    """Return the rows of a file with these columns, in any order, without comments (#). An
    optional one may be missing.

    Raises SettingsError where the file is not there or no text, or has other columns.
    """
    written = read_text(file, (*columns, *optional))
    try:
        records = list(_records(written.lines, written.delimiter))
    except _Malformed as error:
        problem = N_("{file}, line {line}: {error}")
        raise wrong_file(problem, file=file.name, line=str(error.line), error=error) from None
    if not records:
        problem = N_("{file} is empty: expected a first line {columns}")
        raise wrong_file(problem, file=file, columns=",".join(columns))
    header = _header(file, records[0].line, records[0].cells, columns, optional)
    present = [column for column in (*columns, *optional) if column in header]
    layout = _Layout(file.name, present, written.delimiter, header)
    return [
        _row(record.line, _typed_cells(record, written.delimiter, len(columns)), layout)
        for record in records[1:]
    ]


def read_text(file: Path, columns: Sequence[str]) -> CsvText:
    """Return a file's lines, and how they are written. Raises SettingsError where it is no text."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        problem = N_("there is no {file}: write one with `wolkvox-billing reconcile --init`")
        raise wrong_file(problem, file=file) from None
    except OSError as error:
        problem = N_("{file} cannot be read: {why}")
        raise wrong_file(problem, file=file, why=error.strerror) from None
    if data.startswith(_WORKBOOKS):
        problem = N_("{file} is a workbook, and no CSV: {save_as}")
        raise wrong_file(problem, file=file, save_as=_SAVE_AS)
    try:
        text, encoding = decoded(data)
    except Rejected:
        problem = N_("{file} is no text in UTF-8 or Windows-1252: {save_as}")
        raise wrong_file(problem, file=file, save_as=_SAVE_AS) from None
    lines = _LINE_END.split(text)
    separator = _SEP.fullmatch(lines[0])
    if separator:
        lines[0] = ""
    if encoding == "utf-16":  # what is added needs no BOM
        encoding = "utf-16-le" if data.startswith(b"\xff\xfe") else "utf-16-be"
    return CsvText(
        lines,
        "utf-8" if encoding == "utf-8-sig" else encoding,
        separator[1] if separator else _delimiter(lines, columns),
        not lines[-1],
    )


def _delimiter(lines: Sequence[str], columns: Sequence[str]) -> str:
    """Return the delimiter by which the first row has most of the columns."""
    wanted = set(map(letters_of, columns))

    def count_known(delimiter: str) -> int:
        try:
            first = next(_records(lines, delimiter), None)
        except _Malformed:
            return 0
        return len(wanted & set(map(letters_of, first.cells))) if first else 0

    return find_delimiter(count_known)


def _records(lines: Sequence[str], delimiter: str) -> Iterator[_Record]:
    """Yield the rows that are neither blank nor a comment."""
    line, is_first, padding = 0, True, ""
    texts: list[str] = []  # of the row that is read

    def uncommented() -> Iterator[str]:
        nonlocal line, is_first
        for n, text in enumerate(lines, 1):
            # A comment is not parsed, or a quote in it would open a cell.
            if is_first and _is_comment(text.strip().split(delimiter, 1)):
                continue
            line, is_first = (n, False) if is_first else (line, False)
            texts.append(text.rstrip(padding) if padding else text)
            yield f"{texts[-1]}\n"

    reader = csv.reader(uncommented(), delimiter=delimiter, strict=True)
    is_header = True
    while True:
        is_first = True
        texts.clear()
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            unclosed = "unexpected end" in str(error) or "field limit" in str(error)
            problem = "a quote is opened and never closed" if unclosed else "text behind a quote"
            raise _Malformed(
                line, f"{problem}: a cell with a quote in it is written " + '"like ""this"""'
            ) from None
        if not _has_text(cells) or _is_comment(cells):
            continue
        if is_header:
            padding = _padding_of(texts[-1], delimiter)
            cells[-1] = cells[-1].rstrip(padding) if padding else cells[-1]
            is_header = False
        yield _Record(line, cells, "\n".join(texts))


def _padding_of(header: str, delimiter: str) -> str:
    """Return the delimiter that Excel has put behind a header that it shows in one column, since a
    row below was typed into several; '' where it has not."""
    last = header.rstrip(" ")[-1:]
    return last if last in DELIMITERS and last != delimiter else ""


def _typed_cells(record: _Record, delimiter: str, columns: int) -> list[str]:
    """Return the cells of a row; where it was typed with another delimiter than its file's, as
    Excel does below a header that it shows in one column, by that one. `columns`: how many a row
    has at least but for the last, which may be blank."""
    if len(record.cells) >= columns - 1:
        return record.cells
    for other in DELIMITERS:
        try:
            cells = next(csv.reader([record.text], delimiter=other, strict=True), [])
        except csv.Error:
            continue
        if other != delimiter and len(cells) >= columns - 1:
            return [cell.strip() for cell in cells]
    return record.cells


def _has_text(cells: Sequence[str]) -> bool:
    return any(cell.strip(" ,;\t") for cell in cells)


def _is_comment(cells: Sequence[str]) -> bool:
    """Whether a row is one. `#REF!` with something beside it is none, or a row would get lost."""
    return cells[0].startswith("#") and not (
        _EXCEL_ERROR.fullmatch(cells[0].strip()) and _has_text(cells[1:])
    )


def _header(
    file: Path, line: int, cells: Sequence[str], columns: Sequence[str], optional: Sequence[str]
) -> list[str]:
    """Return the column of each place, "" for a place without one. Case and blanks do not matter.
    Raises SettingsError for other columns."""
    every = (*columns, *optional)
    known = {letters_of(column): column for column in every}
    header = [known.get(letters_of(cell), cell) for cell in cells]
    problems = {
        "missing": [column for column in columns if column not in header],
        "unknown": [short(cell) for cell in header if cell and cell not in every],
        "twice": [column for column in every if header.count(column) > 1],
    }
    if any(problems.values()):
        text = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in problems.items() if names)
        problem = N_("{file}, line {line}: expected the columns {columns}; {text}")
        own = {"file": file, "line": str(line), "columns": ",".join(columns)}
        raise wrong_file(problem, **own, text=text)
    return header


def _row(line: int, cells: Sequence[str], layout: _Layout) -> CsvRow:
    """Return a row by its columns. Raises SettingsError where cells are too many, or no value."""
    file, columns, delimiter, header = layout
    named = dict.fromkeys(columns, "") | {
        name: cell for name, cell in zip(header, cells, strict=False) if name
    }
    row = CsvRow(file, line, named)
    filled = [n for n, cell in enumerate(cells) if cell]
    beyond = [n for n in filled if n >= len(header) or not header[n]]
    text = N_("a {delimiter} inside a number or text must stand in quotes")
    quote = Sentence(text, delimiter=repr(delimiter))
    if beyond:
        last = [column for column in header if column][-1]
        raise row.wrong(
            last,
            N_("{cells} cells, and {columns} columns: {quote}"),
            cells=beyond[-1] + 1,
            columns=len(columns),
            quote=quote,
        )
    if len(filled) == 1 and len(re.findall(r"[,;\t]", cells[filled[0]])) >= len(columns) - 1:
        raise row.wrong(
            columns[0],
            N_(
                "the whole row stands in one cell: take away the quotes around it, and open "
                "the file in Excel with {delimiter} as separator"
            ),
            delimiter=repr(delimiter),
        )
    for column, cell in named.items():
        if _EXCEL_ERROR.fullmatch(cell):
            raise row.wrong(
                column,
                N_(
                    "{cell}: expected a value; that is what Excel saves for a formula that "
                    "fails or a column too narrow to show it: mend it there, and save again"
                ),
                cell=repr(cell),
            )
    if len(cells) > len(header):
        row = row._replace(hint=Sentence(
            N_(" (the row has {cells} cells, the header {header}: {quote})"),
            cells=len(cells), header=len(header), quote=quote))  # fmt: skip
    return row
