"""A CSV file that a finance person edits: rows by its columns, with their places for complaints."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wolkvox_billing.errors import SettingsError


class Row(NamedTuple):
    """One row: its line in the file, and its cells by column, without blanks around."""

    file: str
    line: int
    cells: dict[str, str]

    def wrong(self, column: str, says: str) -> SettingsError:
        """The error that names the row and the column."""
        return SettingsError(f"{self.file}, line {self.line}, column {column}: {says}")


def read_rows(file: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a file with these columns, in any order; lines that begin with # are comments.

    Raises SettingsError where the file is not there, or has other columns.
    """
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(
            f"there is no {file}: write one with `wolkvox-billing reconcile --init`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None
    lines = text.splitlines()
    kept = [(n, one) for n, one in enumerate(lines, 1) if one.strip(" ,;\t") and one[:1] != "#"]
    if not kept:
        raise SettingsError(f"{file} is empty: expected a first line {','.join(columns)}")
    delimiter = ";" if ";" in kept[0][1] else ","
    try:
        parsed = [(n, next(csv.reader([one], delimiter=delimiter, strict=True))) for n, one in kept]
    except csv.Error as error:
        raise SettingsError(f"{file} is no CSV: {error}") from None
    header = [one.strip().lower() for one in parsed[0][1]]
    if sorted(header) != sorted(columns):
        raise SettingsError(
            f"{file}, line {parsed[0][0]}: expected the columns {','.join(columns)}; "
            f"it has {','.join(header)}"
        )
    rows: list[Row] = []
    for line, cells in parsed[1:]:
        named = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
        row = Row(file.name, line, {name: named.get(name, "") for name in columns})
        if len(cells) > len(header):
            raise row.wrong(header[-1], f"{len(cells)} cells, and {len(header)} columns")
        rows.append(row)
    return rows
