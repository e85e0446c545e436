"""The line map: which invoice line bills which report. The first row of the file that fits wins."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from wolkvox_billing.reconciliation.contract.card_cells import Limit, find_decimal_mark, read_number
from wolkvox_billing.reconciliation.contract.csv_file import CsvRow, place_of, read_rows
from wolkvox_billing.reconciliation.contract.globs import compile_glob, literal_of, words_of
from wolkvox_billing.reconciliation.facts import BilledLine
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.tax_id import canonical_id
from wolkvox_billing.values.translation import N_, Sentence

COLUMNS = ("supplier_id", "item_code", "pattern", "report", "operation_id", "product", "role")
OPTIONAL = ("factor",)
ROLES = ("quantity", "price_component", "fee", "discount", "tax", "ignore", "accepted")
QUANTITY, FEE = ROLES[0], ROLES[2]
COMPARED = (QUANTITY, "price_component", "discount")  # their amounts are part of a key
ALL_OPERATIONS = "*"  # of a line that bills all operations together
_FACTOR = Limit(8, 10**9)
# What Excel makes of a long number.
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)


@dataclass(frozen=True)
class MapRow:
    """A row of the map; "" fits all, or means what the contract says of a blank. `factor`: units of
    the report in one unit of the line, None where its unit says it."""

    line: int
    supplier_id: str
    item_code: str
    pattern: str
    report: str
    operation_id: str
    product: str
    role: str
    factor: Decimal | None = None

    def fits(self, supplier_id: str, item_code: str, description: str) -> bool:
        """Whether it says what a line bills, whose code and description are plain."""
        return (
            self.supplier_id in ("", supplier_id)
            and (not self.item_code or plain(self.item_code) == item_code)
            and (not self.pattern or compile_glob(self.pattern)(description))
        )

    @property
    def names_no_line(self) -> bool:
        """Whether it is of all lines, of a supplier or of everybody."""
        return not (self.item_code or self.pattern.strip("*"))

    @property
    def fits_all(self) -> bool:
        return not self.supplier_id and self.names_no_line


def read_line_map(file: Path, reports: Iterable[str]) -> list[MapRow]:
    """Return the rows of a line map, in the file's order.

    Raises SettingsError with line and column for a role or report that nobody knows. Case and
    accents do not matter.
    """
    known = {plain(report): report for report in reports}
    rows = read_rows(file, COLUMNS, OPTIONAL)
    mark = find_decimal_mark(rows, "factor")
    return [_map_row(row, known, mark) for row in rows]


def _map_row(row: CsvRow, known: Mapping[str, str], mark: str | None) -> MapRow:
    cells = {column: row.cells[column] for column in COLUMNS}
    cells |= {"supplier_id": canonical_id(row.cells["supplier_id"])}
    cells["role"] = plain(cells["role"])
    cells["report"] = known.get(plain(cells["report"]), cells["report"])
    for column in ("supplier_id", "item_code"):
        if _SHORTENED.fullmatch(cells[column]):
            raise row.wrong(
                column,
                N_(
                    "{column}: expected all digits; Excel has shortened it: format the "
                    "column as text, and write it again"
                ),
                column=repr(cells[column]),
            )
    role, report = cells["role"], cells["report"]
    if role not in ROLES:
        raise row.wrong(
            "role",
            N_("{role}: expected one of {roles}"),
            role=repr(row.cells["role"]),
            roles=", ".join(ROLES),
        )
    if role in COMPARED and plain(report) not in known:
        raise row.wrong(
            "report",
            N_("{report} is no report: expected rsync_s3_mp3 or such"),
            report=repr(report),
        )
    return MapRow(row.line, **cells, factor=_factor(row, mark))


def _factor(row: CsvRow, mark: str | None) -> Decimal | None:
    if not row.cells.get("factor"):
        return None
    factor = read_number(row, "factor", mark, _FACTOR)
    if not factor:
        raise row.wrong("factor", N_("0: expected the units of the report in one of the line's"))
    return factor


def warn_of_map(
    rows: Sequence[MapRow], lines: Sequence[BilledLine], file: str, *, taking: Collection[int]
) -> list[str]:
    """Return a warning for each row that fits nothing or everything, by line and column. taking:
    the lines of rows that take one."""
    warnings: list[str] = []
    for n, row in enumerate(rows):
        where = place_of(file, row.line, "pattern")
        if row.fits_all and n < len(rows) - 1:
            text = N_("{where}: fits every line, so the rows below it are never looked at")
        elif row.fits_all:
            text = N_("{where}: fits every line that no row above fits")
        elif not lines or row.line in taking:
            continue
        elif row.pattern and not any(mark in row.pattern for mark in "*?["):
            text = N_(
                "{where}: no invoice line is taken by this row; without * it must be the whole "
                "description: try *{pattern}*"
            )
        else:
            text = N_("{where}: no invoice line is taken by this row")
        warnings.append(Sentence(text, where=where, pattern=row.pattern))
    return warnings


def first_fits(rows: Sequence[MapRow], lines: Iterable[BilledLine]) -> list[MapRow | None]:
    """Return of each line the row that says what it bills; None where no row fits."""
    known: dict[tuple[str, str, str], MapRow | None] = {}  # most lines come again each month
    by_word = _RowsByWord(rows)
    fits: list[MapRow | None] = []
    for line in lines:
        texts = (line.supplier_id or "", plain(line.item_code or ""), plain(line.description or ""))
        if texts not in known:
            fitting = (row for row in by_word.of(texts[-1]) if row.fits(*texts))
            known[texts] = next(fitting, None)
        fits.append(known[texts])
    return fits


class _RowsByWord:
    """The rows of a map by the word of their pattern that the fewest rows have: of a thousand few
    have a word of a line's."""

    def __init__(self, rows: Sequence[MapRow]) -> None:
        words = [words_of(row.pattern) for row in rows]
        counts = Counter(word for own in words for word in own)
        self._rows: defaultdict[str, list[tuple[int, str, MapRow]]] = defaultdict(list)
        for place, (row, own) in enumerate(zip(rows, words, strict=True)):
            rarest = min(own, key=lambda word: counts[word], default="")
            self._rows[rarest].append((place, literal_of(row.pattern), row))

    def of(self, description: str) -> list[MapRow]:
        """Return the rows that may fit a plain description, in the file's order."""
        own = ("", *dict.fromkeys(description.split()))
        rows = (entry for word in own for entry in self._rows.get(word, ()))
        entries = sorted(entry for entry in rows if entry[1] in description)
        return [row for _, _, row in entries]


class OperationNames:
    """The ids of operations by what people write for them: an id or the vendor's name, whose case
    and accents do not matter."""

    def __init__(self, operations: Mapping[str, str | None]) -> None:
        """operations: the vendor's names by id."""
        self._ids: defaultdict[str, list[str]] = defaultdict(list)
        self._named: dict[str, str] = {}
        self._only = next(iter(operations)) if len(operations) == 1 else None
        for operation_id, vendors_name in operations.items():
            self._ids[plain(operation_id)].append(operation_id)
            for name in (operation_id, vendors_name or ""):
                self._named.setdefault(plain(name), operation_id)

    def billed_by(self, row: MapRow, name: str | None) -> str | None:
        """Return the id of the operation that a line bills, ALL_OPERATIONS of one for all together:
        by the map, by the name in the line, or the only one there is; None where nothing says it.
        """
        if row.operation_id:
            same = self._ids.get(plain(row.operation_id), [])
            is_id = row.operation_id in same
            return row.operation_id if is_id else min(same, default=row.operation_id)
        return self._named.get(plain(name)) if name else self._only
