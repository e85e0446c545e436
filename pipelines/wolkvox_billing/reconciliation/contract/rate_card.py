"""The rate card: the terms of the contract, as a finance person writes them down."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from wolkvox_billing.reconciliation.contract.card_cells import (
    Limit,
    Marks,
    find_decimal_mark,
    read_day,
    read_number,
    read_word,
)
from wolkvox_billing.reconciliation.contract.csv_file import CsvRow, place_of, read_rows
from wolkvox_billing.reconciliation.contract.rate import (
    EVERY,
    FEE,
    FOREVER,
    GRADUATED,
    MINIMUM,
    MONTH,
    OPERATION,
    PACKAGE,
    PERCENTS,
    POOLED,
    TERMS,
    TIERS,
    UNIT_PRICE,
    Rate,
)
from wolkvox_billing.values.currencies import is_currency_code
from wolkvox_billing.values.periods import DAY, Period
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.translation import N_, Sentence

COLUMNS = ("report", "operation_id", "product", "from_quantity", "unit_price", "currency",
           "valid_from", "valid_to")  # fmt: skip
OPTIONAL = ("rounding", "term", "per", "tiers", "pooled", "every", "pattern")
_SOMETIME = 2099  # a year from which on a day means for ever
_OF_ANY_REPORT = (FEE, *PERCENTS)  # may leave the report blank
# Which terms a column says something of; in a row of another one it is blank.
_SPOKEN_OF = {
    "from_quantity": (UNIT_PRICE, PACKAGE),
    "per": (UNIT_PRICE,),
    "tiers": (UNIT_PRICE,),
    "pooled": (UNIT_PRICE, MINIMUM, PACKAGE),
    "every": (FEE,),
    "pattern": (FEE, PACKAGE),
    "rounding": (UNIT_PRICE,),
}
_DEFAULTS = {"from_quantity": "0", "per": "1", "tiers": GRADUATED, "pooled": OPERATION,
             "every": MONTH}  # fmt: skip
# What the columns of the table rate_card hold. DECIMAL(18, 8) holds a digit more than a price may
# have, since an average of prices rounded to cents may be larger than any of them.
_QUANTITY, _PRICE = Limit(4, 10**14), Limit(8, 10**9)
_AMOUNT, _PERCENT = Limit(8, 10**10), Limit(8, 1000)
_NUMBERS = ("from_quantity", "unit_price", "per")


def read_rate_card(file: Path, reports: Iterable[str]) -> list[Rate]:
    """Return the rates of a rate card, in the file's order.

    Raises SettingsError with line and column for what cannot be meant: an unknown report or term,
    no number or one that reads in two ways, no date, periods that overlap, a first tier that is
    not 0.
    """
    known = {plain(report): report for report in reports}
    rows = {row.line: row for row in read_rows(file, COLUMNS, OPTIONAL)}
    marks = {column: find_decimal_mark(list(rows.values()), column) for column in _NUMBERS}
    rates = [_rate(row, known, marks) for row in rows.values()]
    series: defaultdict[tuple[str, ...], list[Rate]] = defaultdict(list)
    for rate in rates:
        series[rate.subject].append(rate)
    for alike in series.values():
        _check(alike, rows)
    return rates


def warn_of_card(rates: Sequence[Rate], file: str) -> list[str]:
    """Return a warning for each row that seems to end a day early: at a month's last day, or a day
    before the next price begins."""
    warnings: list[str] = []
    begins = {(*rate.subject, rate.valid_from) for rate in rates}
    for rate in rates:
        if rate.valid_to.year >= _SOMETIME:
            continue
        next_day = rate.valid_to + DAY
        if next_day.day == 1 or (*rate.subject, next_day) in begins:
            warnings.append(
                Sentence(
                    N_(
                        "{where}: {day} is the first day on which the price no longer holds; if "
                        "it is the last one on which it does, write {next_day}"
                    ),
                    where=place_of(file, rate.line, "valid_to"),
                    day=rate.valid_to,
                    next_day=next_day,
                )
            )
    return warnings


def _rate(row: CsvRow, known: Mapping[str, str], marks: Marks) -> Rate:
    cells = row.cells
    term = read_word(row, "term", TERMS) or UNIT_PRICE
    _check_columns(row, term)
    report = known.get(plain(cells["report"]), "")
    if not report and (cells["report"] or term not in _OF_ANY_REPORT):
        raise row.wrong(
            "report", N_("{report} is no report that wolkvox has"), report=repr(cells["report"])
        )
    currency = cells["currency"].upper()
    if not is_currency_code(currency) and (currency or term not in PERCENTS):
        raise row.wrong(
            "currency", N_("{currency}: expected a code such as COP"), currency=repr(currency)
        )
    start = read_day(row, "valid_from")
    end = read_day(row, "valid_to") if cells["valid_to"] else FOREVER
    if end <= start:
        raise row.wrong(
            "valid_to", N_("{end} is not after valid_from, {start}"), end=end, start=start
        )
    return Rate(
        line=row.line,
        report=report,
        operation_id=cells["operation_id"],
        product=cells["product"],
        from_quantity=_from_quantity(row, term, marks),
        unit_price=_value(row, term, marks),
        currency=currency,
        valid_from=start,
        valid_to=end,
        rounding=_rounding(row),
        term=term,
        per=_per(row, marks),
        tiers=read_word(row, "tiers", TIERS) or GRADUATED,
        pooled=read_word(row, "pooled", POOLED) or OPERATION,
        every=(read_word(row, "every", EVERY) or MONTH) if term == FEE else "",
        pattern=cells.get("pattern", ""),
    )


def _check_columns(row: CsvRow, term: str) -> None:
    """Raise SettingsError where a row says what nothing of its term could be meant by."""
    for column, terms in _SPOKEN_OF.items():
        text = row.cells.get(column, "")
        if term not in terms and plain(text) not in ("", _DEFAULTS.get(column, "")):
            raise row.wrong(
                column,
                N_("{text}: expected nothing in a row of {term}, it is for {terms}"),
                term=term,
                terms=" and ".join(terms),
            )


def _from_quantity(row: CsvRow, term: str, marks: Marks) -> Decimal:
    if not row.cells["from_quantity"] and term != PACKAGE:
        return Decimal()
    quantity = read_number(row, "from_quantity", marks["from_quantity"], _QUANTITY)
    if term == PACKAGE and not quantity:
        raise row.wrong(
            "from_quantity",
            N_("{quantity}: expected the units that the package is of"),
            quantity=quantity,
        )
    return quantity


def _value(row: CsvRow, term: str, marks: Marks) -> Decimal:
    limit = _PERCENT if term in PERCENTS else _PRICE if term == UNIT_PRICE else _AMOUNT
    value = read_number(row, "unit_price", marks["unit_price"], limit)
    if term in PERCENTS and value > 100:
        raise row.wrong(
            "unit_price", N_("{value}: expected a percentage of at most 100"), value=value
        )
    return value


def _per(row: CsvRow, marks: Marks) -> Decimal:
    if not row.cells.get("per"):
        return Decimal(1)
    per = read_number(row, "per", marks["per"], _QUANTITY)
    if not per:
        raise row.wrong("per", N_("0: expected the units that the price is for, such as 1000"))
    return per


def _rounding(row: CsvRow) -> str:
    text = plain(row.cells.get("rounding", ""))
    if text and not re.fullmatch(r"minute|second|\d+_?(?:s|seconds)", text):
        raise row.wrong(
            "rounding", N_("{text}: expected minute, or 6_seconds and the like"), text=repr(text)
        )
    return text


def _check(rates: Sequence[Rate], rows: Mapping[int, CsvRow]) -> None:
    """Raise SettingsError unless the rates, which say the same of the same, can hold beside each
    other: packages do, others where their days do not overlap, and tiers on the same days."""
    stretches: defaultdict[Period, list[Rate]] = defaultdict(list)
    for rate in rates:
        stretches[rate.days].append(rate)
    before: Period | None = None
    for days, alike in sorted(stretches.items()):
        first = min(alike, key=lambda rate: rate.from_quantity)
        if before and days.start < before.end and first.term != PACKAGE:
            raise rows[first.line].wrong(
                "valid_from",
                N_("{start} lies before {end}, when the rate before it ends"),
                start=days.start,
                end=before.end,
            )
        if first.term == UNIT_PRICE:
            _check_tiers(alike, rows)
        elif len(alike) > 1:
            raise rows[alike[1].line].wrong(
                "valid_from",
                N_("{start}: line {line} says the same of these days"),
                start=days.start,
                line=str(alike[0].line),
            )
        before = days


def _check_tiers(tiers: Sequence[Rate], rows: Mapping[int, CsvRow]) -> None:
    """Raise SettingsError unless tiers of the same days begin at 0, each at another quantity, and
    count alike."""
    first = min(tiers, key=lambda tier: tier.from_quantity)
    if first.from_quantity:
        raise rows[first.line].wrong(
            "from_quantity",
            N_("{from_quantity}: the first tier of these days begins at 0"),
            from_quantity=first.from_quantity,
        )
    quantities = [tier.from_quantity for tier in tiers]
    for tier in tiers:
        if quantities.count(tier.from_quantity) > 1:
            raise rows[tier.line].wrong(
                "from_quantity",
                N_("{from_quantity} is there twice"),
                from_quantity=tier.from_quantity,
            )
        for column in ("tiers", "pooled"):
            own, other = getattr(tier, column), getattr(tiers[0], column)
            if own != other:
                raise rows[tier.line].wrong(
                    column,
                    N_(
                        "{own}, and {other} in line {line}: expected the same in all tiers "
                        "of these days"
                    ),
                    own=own,
                    other=other,
                    line=str(tiers[0].line),
                )
