"""`reconcile --init`: a line map, a rate card and exchange rates to begin with, and rows for new
lines."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from wolkvox_billing.invoices.sheets.delimited import DELIMITERS
from wolkvox_billing.reconciliation.contract import exchange_rates, line_map, rate_card
from wolkvox_billing.reconciliation.contract.csv_file import RUNS_AS_FORMULA, read_text, wrong_file
from wolkvox_billing.reconciliation.contract.line_map import MapRow, first_fits
from wolkvox_billing.reconciliation.contract.names import named_reports
from wolkvox_billing.reconciliation.contract.template_texts import (
    EXCHANGE_RATES,
    LINE_MAP,
    RATE_CARD,
)
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.values.locales import ENGLISH, language_of, list_separator
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.tax_id import canonical_id
from wolkvox_billing.values.translation import N_, translate

_PROPOSED = re.compile(r"^\s*#\s*(?:proposed:)?\s*", re.IGNORECASE)
_UNWRITABLE = N_("{file} cannot be written: {why}")
# An example of a row, and no sentence: a comma of which has a blank behind it.
_EXAMPLE = re.compile(r"# (?!.*, )(?:[^,\n]*,){3,}.*")


def write_templates(
    map_file: Path, card_file: Path, locale: str = ENGLISH, rates_file: Path | None = None
) -> list[Path]:
    """Write the files that do not exist yet as Excel opens them in a locale, in its language, and
    return them. Raises SettingsError."""
    written: list[Path] = []
    delimiter = list_separator(locale)
    # By the BOM Excel knows UTF-8.
    encoding = "utf-8" if language_of(locale) == ENGLISH else "utf-8-sig"
    for file, text, columns in (
        (map_file, LINE_MAP, (*line_map.COLUMNS, *line_map.OPTIONAL)),
        (card_file, RATE_CARD, (*rate_card.COLUMNS, *rate_card.OPTIONAL)),
        (rates_file, EXCHANGE_RATES, exchange_rates.COLUMNS),
    ):
        if not file:
            continue
        comments = translate(text, locale)
        own = _EXAMPLE.sub(lambda example: example[0].replace(",", delimiter), comments)
        try:
            with file.open("x", encoding=encoding) as out:
                out.write(own + delimiter.join(columns) + "\n")
            written.append(file)
        except FileExistsError:
            continue
        except OSError as error:
            raise wrong_file(_UNWRITABLE, file=file, why=error.strerror) from None
    return written


def propose(
    file: Path, rows: Iterable[MapRow], lines: Iterable[BilledLine]
) -> list[dict[str, str]]:
    """Add a row to the line map for each kind of line that no row fits, and return these rows by
    column. They are commented out, since a person decides what a line bills, and written as the
    file is. The report is the one that the line names; where it names none, or several, it is
    blank, and a comment says so. Raises SettingsError."""
    known = list(rows)
    named: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    billed = list(lines)
    for line, row in zip(billed, first_fits(known, billed), strict=True):
        if row:
            continue
        code = " ".join((line.item_code or "").split())  # on one line
        # A spreadsheet would run it; the pattern is enough.
        code = "" if code.startswith(RUNS_AS_FORMULA) else code
        key = (line.supplier_id or "", code, _pattern(line.description or ""))
        named[key] |= named_reports(line.description or "", line.item_code or "")
    written = read_text(file, line_map.COLUMNS)
    written_keys = set().union(*map(_keys_in, written.lines))
    proposed: list[dict[str, str]] = []
    out = io.StringIO(newline="")
    out.write("" if written.ends_line else "\n")
    for key, reports in sorted(named.items()):
        if _key(key) in written_keys:
            continue
        report = min(reports) if len(reports) == 1 else ""
        cells = (*key, report, "", "", "quantity")
        proposed.append(dict(zip(line_map.COLUMNS, cells, strict=True)))
        out.write("" if report else f"# {_say_named(reports)}: write the one that it bills\n")
        out.write("# proposed: ")
        csv.writer(out, delimiter=written.delimiter, lineterminator="\n").writerow(cells)
    if proposed:
        _append(file, out.getvalue(), written.encoding)
    return proposed


def _say_named(reports: Collection[str]) -> str:
    """Return what a line names that does not name one report, without a mark that separates
    cells."""
    return f"names {' and '.join(sorted(reports))}" if reports else "names no report"


def _append(file: Path, text: str, encoding: str) -> None:
    """Add a text to a file. Raises SettingsError where it cannot be written."""
    try:
        with file.open("ab") as end:
            end.write(text.encode(encoding))
    except UnicodeEncodeError as error:
        problem = N_(
            "{file} is in {encoding}, which cannot hold {character} of an invoice line: save it in "
            "Excel as «CSV UTF-8»"
        )
        character = repr(error.object[error.start])
        raise wrong_file(problem, file=file, encoding=encoding, character=character) from None
    except OSError as error:
        raise wrong_file(_UNWRITABLE, file=file, why=error.strerror) from None


def _keys_in(text: str) -> set[tuple[str, ...]]:
    """Return the keys of what a line may be a row for, by whichever separator: Excel writes
    comments anew, in quotes and with another one, or a whole row as one cell."""
    keys: set[tuple[str, ...]] = set()
    for delimiter in DELIMITERS:
        first, *others = next(csv.reader([text], delimiter=delimiter), [""]) or [""]
        first = _PROPOSED.sub("", first)
        keys.add(_key([first, *others]))
        keys |= {
            _key(cells)
            for inner in DELIMITERS
            for cells in csv.reader([first], delimiter=inner)
            if cells
        }
    return keys


def _key(cells: Sequence[str]) -> tuple[str, ...]:
    """Return supplier, item code and pattern as they are compared."""
    return tuple(map(plain, (canonical_id(cells[0]), *cells[1:3])))


def _pattern(description: str) -> str:
    """Return a description with what changes from month to month as `*`."""
    text = re.sub(r"[\[\]?*\r\n]", "*", plain(description))
    text = re.sub(r"[*\s]*\*[*\s]*", "*", re.sub(r"\d[\d.,/-]*", "*", text)) or "*"
    return f"*{text}" if text.startswith(RUNS_AS_FORMULA) else text
