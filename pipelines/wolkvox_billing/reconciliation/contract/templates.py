"""`reconcile --init`: a line map and a rate card to begin with, and rows for new lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices.sheets.delimited import DELIMITERS
from wolkvox_billing.reconciliation.contract import line_map, rate_card
from wolkvox_billing.reconciliation.contract.csv_file import RUNS_AS_FORMULA, read_text
from wolkvox_billing.reconciliation.contract.line_map import MapRow, first_fit
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.tax_id import canonical_id
from wolkvox_billing.vendor.reports import REPORTS

_PROPOSED = re.compile(r"^\s*#\s*(?:proposed:)?\s*", re.IGNORECASE)
_LINE_MAP = """\
# Which line of an invoice bills which report. The first row that fits a line wins.
# pattern: * stands for any text; case and accents do not matter. A blank supplier_id, item_code or
#   pattern fits all; a blank operation_id is the one that the line names, or the only one there is;
#   a blank product is the report as a whole.
# role: quantity, price_component, fee, discount, tax or ignore.
# 900123456,,*grabaciones*s3*,rsync_s3_mp3,,,quantity
# ,,*cargo fijo*,,,,fee
"""
_RATE_CARD = """\
# What a unit costs by contract. Each price holds for the units beyond from_quantity, from
# valid_from to before valid_to (blank: further on). A blank operation_id or product means all.
# A column `rounding` may say to what each call is rounded up: minute, 6_seconds.
# rsync_s3_mp3,,,0,100,COP,2026-01-01,
# rsync_s3_mp3,,,10000,90,COP,2026-01-01,
"""


def write_templates(map_file: Path, card_file: Path) -> list[Path]:
    """Write the files that do not exist yet, and return them. Raises SettingsError."""
    written: list[Path] = []
    for file, text, columns in (
        (map_file, _LINE_MAP, line_map.COLUMNS),
        (card_file, _RATE_CARD, rate_card.COLUMNS),
    ):
        try:
            with file.open("x", encoding="utf-8") as out:
                out.write(text + ",".join(columns) + "\n")
            written.append(file)
        except FileExistsError:
            continue
        except OSError as error:
            raise SettingsError(f"{file} cannot be written: {error.strerror}") from None
    return written


def propose(
    file: Path, rows: Iterable[MapRow], lines: Iterable[BilledLine]
) -> list[dict[str, str]]:
    """Add a row to the line map for each kind of line that no row fits, and return these rows by
    column. They are commented out, since a person decides what a line bills, and written as the
    file is. Raises SettingsError."""
    known = list(rows)
    wanted: dict[tuple[str, ...], str] = {}
    for line in lines:
        if first_fit(known, line):
            continue
        pattern = _pattern(line.description or "")
        code = " ".join((line.item_code or "").split())  # on one line
        # A spreadsheet would run it; the pattern is enough.
        key = (line.supplier_id or "", "" if code.startswith(RUNS_AS_FORMULA) else code, pattern)
        wanted.setdefault(key, _report(pattern))
    written = read_text(file, line_map.COLUMNS)
    written_keys = set().union(*map(_keys_in, written.lines))
    proposed = [
        dict(zip(line_map.COLUMNS, (*key, report, "", "", "quantity"), strict=True))
        for key, report in sorted(wanted.items())
        if _key(key) not in written_keys
    ]
    out = io.StringIO(newline="")
    out.write("" if written.ends_line else "\n")
    for row in proposed:
        out.write("# proposed: ")
        csv.writer(out, delimiter=written.delimiter, lineterminator="\n").writerow(row.values())
    if not proposed:
        return proposed
    try:
        with file.open("ab") as end:
            end.write(out.getvalue().encode(written.encoding))
    except UnicodeEncodeError as error:
        raise SettingsError(
            f"{file} is in {written.encoding}, which cannot hold {error.object[error.start]!r} of "
            "an invoice line: save it in Excel as «CSV UTF-8»"
        ) from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}") from None
    return proposed


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


def _report(pattern: str) -> str:
    """Return the report that a description names; else the one that this project began with."""
    words = pattern.replace("_", " ")
    return next((r for r in REPORTS if r.replace("_", " ") in words), "rsync_s3_mp3")
