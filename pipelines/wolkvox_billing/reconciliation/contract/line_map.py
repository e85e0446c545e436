"""The line map: which invoice line bills which report. The first row of the file that fits wins."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wolkvox_billing.reconciliation.contract.csv_file import read_rows
from wolkvox_billing.reconciliation.contract.names import unknown_names
from wolkvox_billing.reconciliation.facts import MonthUse
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.tax_id import canonical_id

COLUMNS = ("supplier_id", "item_code", "pattern", "report", "operation_id", "product", "role")
ROLES = ("quantity", "price_component", "fee", "discount", "tax", "ignore")
COMPARED = ("quantity", "price_component", "discount")  # their amounts are part of a key
# What Excel makes of a long number.
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)


@dataclass(frozen=True)
class MapRow:
    """A row of the map; "" fits all, or means what the contract says of a blank."""

    line: int
    supplier_id: str
    item_code: str
    pattern: str
    report: str
    operation_id: str
    product: str
    role: str

    def fits(self, supplier_id: str | None, item_code: str | None, description: str | None) -> bool:
        """Whether a line of an invoice is one of these. Case and accents do not matter."""
        return (
            self.supplier_id in ("", supplier_id or "")
            and (not self.item_code or plain(self.item_code) == plain(item_code or ""))
            and (
                not self.pattern
                or fnmatch.fnmatchcase(plain(description or ""), plain(self.pattern))
            )
        )

    @property
    def fits_all(self) -> bool:
        return not (self.supplier_id or self.item_code or self.pattern.strip("*"))


def read_line_map(file: Path, reports: Iterable[str]) -> list[MapRow]:
    """The rows of a line map, in the file's order.

    Raises SettingsError with line and column for a role or report that nobody knows. Case and
    accents do not matter.
    """
    known = {plain(one): one for one in reports}
    found: list[MapRow] = []
    for row in read_rows(file, COLUMNS):
        cells = {**row.cells, "supplier_id": canonical_id(row.cells["supplier_id"])}
        cells["role"] = plain(cells["role"])
        cells["report"] = known.get(plain(cells["report"]), cells["report"])
        one = MapRow(row.line, **cells)
        for column in ("supplier_id", "item_code"):
            if _SHORTENED.fullmatch(cells[column]):
                raise row.wrong(
                    column,
                    f"{cells[column]!r}: expected all digits; Excel has shortened it: format the "
                    "column as text, and write it again",
                )
        if one.role not in ROLES:
            raise row.wrong("role", f"{row.cells['role']!r}: expected one of {', '.join(ROLES)}")
        if one.role in COMPARED and plain(one.report) not in known:
            raise row.wrong("report", f"{one.report!r} is no report: expected rsync_s3_mp3 or such")
        found.append(one)
    return found


def warnings_of(
    rows: Sequence[MapRow],
    lines: Sequence[tuple[str | None, str | None, str | None]],
    file: str,
    operations: Collection[str] = (),
    months: Sequence[MonthUse] = (),
) -> list[str]:
    """Rows that fit nothing or everything, or name what nobody has, by line and column. `lines`:
    supplier, code, description of the invoice lines there are; `operations` and `months`: those
    that there are."""
    said: list[str] = []
    used = {one.line for line in lines if (one := first_fit(rows, *line))}
    for n, one in enumerate(rows):
        where = f"{file}, line {one.line}, column pattern"
        if one.fits_all and n < len(rows) - 1:
            said.append(f"{where}: fits every line, so the rows below it are never looked at")
        elif one.fits_all:
            said.append(f"{where}: fits every line that no row above fits")
        elif lines and one.line not in used:
            whole = one.pattern and not any(mark in one.pattern for mark in "*?[")
            hint = f"; without * it must be the whole description: try *{one.pattern}*"
            said.append(f"{where}: no invoice line is taken by this row{hint if whole else ''}")
    compared = [one for one in rows if one.role in COMPARED]
    return said + unknown_names(compared, file, operations, months)


def first_fit(
    rows: Sequence[MapRow],
    supplier_id: str | None,
    item_code: str | None,
    description: str | None,
) -> MapRow | None:
    return next((one for one in rows if one.fits(supplier_id, item_code, description)), None)


Operations = Mapping[str, str | None]  # operation_id → the vendor's name for it


def operation_of(row: MapRow, named: str | None, operations: Operations) -> str | None:
    """The operation that a line bills: by the map, by its own word, or the only one there is."""
    if row.operation_id:
        same = [one for one in operations if plain(one) == plain(row.operation_id)]
        return row.operation_id if row.operation_id in same else min(same, default=row.operation_id)
    if named:
        for operation_id, name in operations.items():
            if plain(named) in (plain(operation_id), plain(name or "")):
                return operation_id
    return next(iter(operations)) if len(operations) == 1 and not named else None
