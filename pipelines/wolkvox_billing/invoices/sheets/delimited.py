"""The rows of a CSV file, in whichever encoding and with whichever separator it has."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.sheets.cells import MOST_COLUMNS, MOST_LOOKED_AT, NumberedRow
from wolkvox_billing.invoices.sheets.rows import EXPECTED, HEADER_WITHIN, find_header

MOST_BYTES = 20 * 1024 * 1024
DELIMITERS = (",", ";", "\t")


class _Probe(NamedTuple):
    """How many headings a text has by some delimiter, and what is wrong with its first rows."""

    headings: int
    complaint: str


def csv_rows(data: bytes) -> Iterator[NumberedRow]:
    """Yield the rows that are not blank, of a file with a header row. Raises Rejected."""
    if len(data) > MOST_BYTES:
        raise Rejected(f"a text of {len(data):,} bytes: {MOST_BYTES:,} are the most")
    text, _ = decoded(data)
    probes = {delimiter: _probe(text, delimiter) for delimiter in DELIMITERS}
    best = find_delimiter(lambda delimiter: probes[delimiter].headings)
    if not probes[best].headings:
        frequent = max(DELIMITERS, key=text[:10_000].count)
        if complaint := probes[frequent].complaint:
            raise Rejected(f"{complaint}; and no header row above that: {EXPECTED}")
        raise Rejected(
            f"neither XML nor zip, and as a spreadsheet without a header row: {EXPECTED}"
        )
    yield from _rows(text, best)


def find_delimiter(count_headings: Callable[[str], int]) -> str:
    """Return the delimiter by which a text has most headings; of equal ones, the first."""
    return max(DELIMITERS, key=count_headings)


def _probe(text: str, delimiter: str) -> _Probe:
    rows: list[NumberedRow] = []
    complaint = ""
    try:
        rows.extend(islice(_rows(text, delimiter), HEADER_WITHIN))
    except Rejected as error:
        complaint = str(error)
    header = find_header(rows)
    return _Probe(header.headings if header else 0, complaint)


def _rows(text: str, delimiter: str) -> Iterator[NumberedRow]:
    """Yield the rows that are not blank. Raises Rejected where one is not well-formed."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            if number > MOST_LOOKED_AT:
                raise Rejected(f"a CSV of more than {MOST_LOOKED_AT:,} rows, blank ones counted")
            if len(row) > MOST_COLUMNS:
                raise Rejected(f"row {number} is longer than {MOST_COLUMNS} cells")
            while any(row) and not row[-1].strip():
                row.pop()
            if any(row):
                yield NumberedRow(number, row)
    except csv.Error as error:
        raise Rejected(f"no well-formed CSV: row {number + 1}: {error}") from None


def decoded(data: bytes) -> tuple[str, str]:
    """Return a file's text, and its encoding. Without a BOM it is UTF-8 if it can be, else cp1252,
    Excel's on Windows.

    Raises Rejected.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif data[1:2] == b"\0" or data[:1] == b"\0":
        encodings = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding
    raise Rejected("neither XML, zip nor text: no kind of file that is read here")
