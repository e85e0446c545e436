"""The rows of a CSV file, in whichever encoding and with whichever separator it has."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice

from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.sheets.cells import MOST_COLUMNS, MOST_LOOKED_AT, Numbered
from wolkvox_billing.invoices.sheets.rows import EXPECTED, HEADER_WITHIN, header_in

MOST_BYTES = 20 * 1024 * 1024
_DELIMITERS = (",", ";", "\t")


def csv_rows(data: bytes) -> Iterator[Numbered]:
    """The rows that are not blank, of a file with a header row. Raises Rejected."""
    if len(data) > MOST_BYTES:
        raise Rejected(f"a text of {len(data):,} bytes: {MOST_BYTES:,} are the most")
    text, _ = decoded(data)
    probed = {one: _probe(text, one) for one in _DELIMITERS}
    best = max(probed, key=lambda one: probed[one][0])
    if not probed[best][0]:
        frequent = max(_DELIMITERS, key=text[:10_000].count)
        if complaint := probed[frequent][1]:
            raise Rejected(f"{complaint}; and no header row above that: {EXPECTED}")
        raise Rejected(
            f"neither XML nor zip, and as a spreadsheet without a header row: {EXPECTED}"
        )
    yield from _rows(text, best)


def _probe(text: str, delimiter: str) -> tuple[int, str]:
    """How many headings a CSV has with this delimiter, and what is wrong with its first rows."""
    rows: list[Numbered] = []
    try:
        rows.extend(islice(_rows(text, delimiter), HEADER_WITHIN))
        complaint = ""
    except Rejected as error:
        complaint = str(error)
    return header_in(rows)[1], complaint


def _rows(text: str, delimiter: str) -> Iterator[Numbered]:
    """The rows that are not blank. Raises Rejected where one is not well-formed."""
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
                yield number, row
    except csv.Error as error:
        raise Rejected(f"no well-formed CSV: row {number + 1}: {error}") from None


def decoded(data: bytes) -> tuple[str, str]:
    """The file's text, and its encoding. Without a BOM it is UTF-8 if it can be, else cp1252,
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
