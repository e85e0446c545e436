"""`reconcile --init`: a line map and a rate card to begin with, and rows for new lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices.spelling import plain
from wolkvox_billing.reconciliation import line_map, rate_card
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.reconciliation.line_map import MapRow, first_fit

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
# rsync_s3_mp3,,,0,100,COP,2026-01-01,
# rsync_s3_mp3,,,10000,90,COP,2026-01-01,
"""


def write_templates(map_file: Path, card_file: Path) -> list[Path]:
    """Writes the files that are not there yet, and gives them. Raises SettingsError."""
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


def propose(file: Path, rows: Iterable[MapRow], lines: Iterable[BilledLine]) -> int:
    """Adds a row to the line map for each kind of line that no row fits, commented out, since a
    person decides what it bills; how many."""
    known = list(rows)
    wanted: dict[tuple[str, ...], str] = {}
    for line in lines:
        if first_fit(known, line.supplier_id, line.item_code, line.description):
            continue
        pattern = _pattern(line.description or "")
        key = (line.supplier_id or "", line.item_code or "", pattern)
        wanted.setdefault(key, _report(pattern))
    text = file.read_text("utf-8")
    out = io.StringIO()
    for (supplier, code, pattern), report in sorted(wanted.items()):
        row = io.StringIO()
        csv.writer(row, lineterminator="").writerow(
            [supplier, code, pattern, report, "", "", "quantity"]
        )
        if row.getvalue() not in text:
            out.write(f"# proposed: {row.getvalue()}\n")
    with file.open("a", encoding="utf-8") as end:
        end.write(out.getvalue())
    return len(out.getvalue().splitlines())


def _pattern(description: str) -> str:
    """A description with what changes from month to month as `*`."""
    text = re.sub(r"[\[\]?*\r\n]", "*", plain(description))
    return re.sub(r"[*\s]*\*[*\s]*", "*", re.sub(r"\d[\d.,/-]*", "*", text)) or "*"


def _report(pattern: str) -> str:
    """The report that a description names; the one that this project began with otherwise."""
    from wolkvox_billing.reports import REPORTS

    words = pattern.replace("_", " ")
    return next((r for r in REPORTS if r.replace("_", " ") in words), "rsync_s3_mp3")
