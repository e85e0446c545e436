"""What the fuzzing makes, and readings of its own of what it made: they share no code with the
product, so that one mistake is not made twice.

Each number is drawn first, and then written in one of the ways that people and programs write it,
now and then with a slip. What the product takes it for must be what was drawn, or, after a slip,
what the text says by the readings here.
"""

from __future__ import annotations

import calendar
import csv
import io
import os
import random
import string
import sys
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

T = TypeVar("T")
SECONDS = float(os.environ.get("WOLKVOX_TEST_FUZZ_SECONDS", "0"))  # `make faults` sets it


def tries(many: int) -> int:
    """Return with how many examples a dear property is tried: `many` where there is time for it,
    else a quarter of them."""
    return many if SECONDS else many // 4


def at_length(short: list[T], *more: T) -> list[T]:
    """Return cases of a test: these, and where there is time for it those that differ in degree."""
    return [*short, *more] if SECONDS else short


@dataclass
class Fuzz:
    """Tries a check on many examples: a few, or as many as there is time for."""

    seconds: float
    tried: int = 0

    def __call__(
        self, examples: st.SearchStrategy[T], check: Callable[[T], None], few: int
    ) -> None:
        def counted(example: T) -> None:
            self.tried += 1
            check(example)

        manner = settings(
            max_examples=few,
            deadline=None,  # a busy machine is no defect
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        end = time.monotonic() + self.seconds
        while True:
            seed(random.randrange(2**32))(manner(given(examples)(counted)))()  # noqa: S311
            if time.monotonic() >= end:
                return


# Texts.

_STRANGE = st.sampled_from(
    ["\x00", "\n", "\r", "\t", "\x1b[31m", "\u202e", "\ufeff", "\xa0", "'", '"', ";", ",", "<b>",
     "&", "%", "=", "\ud800", "\uf026", "\u0661", "\u0130", "\xdf", "\u2028", "--", "a" * 300]
)  # fmt: skip
texts = st.lists(st.text(max_size=8) | _STRANGE, max_size=3).map("".join)
# Hypothesis draws words out of the product's own code, such as those that tell a total or a row
# that is no bill; behind "Audios" they are what they look like, the name of a product.
_DESCRIPTIONS = (
    st.text(string.ascii_letters + string.digits + " .-áÑ", min_size=1, max_size=12)
    .filter(lambda text: text.strip() == text and "total" not in text.lower())
    .map("Audios {}".format)
)


@st.composite
def slipped(draw: st.DrawFn, text: str) -> str:
    """Draw a text with a slip in it: a character more, less or another."""
    at = draw(st.integers(0, len(text)))
    into = draw(st.sampled_from(["", " ", ".", ",", "-", "+", "0", "7", "O", "l", "e2", "%", "'",
                                 "\u2212", "\u0663", "\xa0", "$", "(", ")", "_", "\x00", "1,000"])
                | texts)  # fmt: skip
    return text[:at] + into + text[at + draw(st.integers(0, 2)) :]


amounts = st.one_of(
    st.integers(0, 20).map(Decimal),
    st.integers(-99_999, 9_999_999).map(Decimal),
    st.decimals(-9999, 999_999, places=2),
    st.decimals(-(10**14) + 1, 10**14 - 1, places=4),
    st.decimals(-10, 10**16, places=6),  # more than a table holds
)


@st.composite
def written(draw: st.DrawFn, number: Decimal, point: str = ".") -> str:
    """Draw a number as somebody writes it who has this mark before decimals."""
    form = draw(st.sampled_from(["f", ",f"]))
    text = f"{number:{form}}"
    if draw(st.booleans()) and number == number.to_integral():
        text = f"{int(number):,}" if form == ",f" else str(int(number))
    if point == ",":
        text = text.replace(",", "_").replace(".", ",").replace("_", ".")
    return draw(st.sampled_from(["", " "])) + text + draw(st.sampled_from(["", " "]))


def number_said(text: str, point: str = ".") -> Decimal | None:
    """Return what a text says by this mark before decimals and the other between thousands: a
    sign, digits in one piece or in threes, decimals. Return None where it says nothing, or
    something else."""
    text = text.strip()
    negative = text.startswith("-")
    text = text[1:] if text[:1] in ("-", "+") else text
    whole, mark, decimals = text.partition(point)
    first, *threes = whole.split("," if point == "." else ".")
    digits = [first, *threes] + ([decimals] if mark else [])
    if not all(part and all(c in "0123456789" for c in part) for part in digits):
        return None
    if threes and (len(first) > 3 or first[0] == "0" or any(len(part) != 3 for part in threes)):
        return None
    number = Decimal(int("".join([first, *threes, decimals]))).scaleb(-len(decimals))
    return -number if negative else number


# Answers.

TODAY = date(2026, 11, 10)
_DAYS = st.dates(date(1999, 12, 30), date(2026, 11, 13))
_DATE_FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%Y/%m/%dT%H:%M",
               "%d/%m/%Y", "%m-%d-%Y")  # fmt: skip
_VALUES = st.none() | st.booleans() | texts | st.lists(texts, max_size=1)


@st.composite
def rows(draw: st.DrawFn) -> Any:
    """Draw a row of an answer, or what stands in its place."""
    if draw(st.integers(0, 30)) == 0:
        return draw(_VALUES)
    number = draw(amounts)
    items: Any = draw(written(number) | st.just(number))
    if isinstance(items, str) and draw(st.integers(0, 3)) == 0:
        items = draw(slipped(items) | slipped(f"{items} %"))
    day = draw(_DAYS).strftime(draw(st.sampled_from(_DATE_FORMS)))
    row: dict[str, Any] = {
        "operation": draw(st.sampled_from(["ACME", "Ventas  Norte"]) | texts),
        "description": draw(st.sampled_from(["Audios", "RSYNC S3 MP3", "TOTAL"]) | texts),
        "items": items,
        "date": draw(slipped(day)) if draw(st.integers(0, 5)) == 0 else day,
    }
    for name in draw(st.lists(st.sampled_from(list(row)), max_size=1)):
        if draw(st.integers(0, 4)) == 0:
            row[name] = draw(_VALUES)
            if draw(st.booleans()):
                del row[name]
    if draw(st.integers(0, 4)) == 0:
        row[draw(texts | st.sampled_from(["Zone", "poll_id", "a_b"]))] = draw(_VALUES)
    return row


def count_said(value: Any) -> Decimal | None:
    """Return the count that `items` says, to 4 decimals: a text by `number_said`, maybe with a %; a
    JSON number."""
    if isinstance(value, str):
        text = value.strip()
        value = number_said(text.removesuffix("%")) if len(text) <= 60 else None
    if not isinstance(value, Decimal):
        return None
    if abs(value) >= 10**14:
        return None
    rounded = value.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return rounded if abs(rounded) < 10**14 else None


def _days_of_month(year: int, month: int) -> set[date]:
    return {date(year, month, n + 1) for n in range(calendar.monthrange(year, month)[1])}


def days_said(value: Any) -> set[date]:
    """Return the days that a `date` may mean, by Python's own calendar: of a month all."""
    days = set()
    for form in ("%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%Y%m"):
        with suppress(ValueError):
            month = datetime.strptime(str(value).strip(), form)  # noqa: DTZ007
            is_compact_day = form == "%Y%m" and month.year < 2013
            days |= set() if is_compact_day else _days_of_month(month.year, month.month)
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d-%m-%Y"):
        for more in ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f"):
            try:
                text = " ".join(str(value).replace("T", " ").split())
                days.add(datetime.strptime(text, form + more).date())  # noqa: DTZ007
            except ValueError:
                continue
    if len(text := str(value).strip()) == 8 and text.isdecimal():
        with suppress(ValueError):
            days.add(date(int(text[:4]), int(text[4:6]), int(text[6:])))
    return days


# Invoices. A document's truth is its number and, of each line, quantity, price, net and tax.

HEADINGS = ["Nº Factura", "Fecha", "NIT", "Concepto", "Cantidad", "Vr. Unitario", "Subtotal", "IVA",
            "Moneda"]  # fmt: skip
AMOUNTS = ("quantity", "unit_price", "net_amount", "tax_amount")


@dataclass
class Drawn:
    """A document as it was drawn."""

    number: str
    currency: str
    issued: date
    lines: list[tuple[str, list[Decimal]]]  # description; the AMOUNTS


_MONEY = st.integers(-99, 99_999_999).map(Decimal) | st.decimals(-99, 9_999_999, places=2)
_MONTHS = ("enero", "feb", "marzo", "abril", "may", "junio", "jul.", "agosto", "sept", "octubre",
           "nov", "diciembre")  # fmt: skip


@st.composite
def dressed(draw: st.DrawFn, number: Decimal, point: str) -> str:
    """Draw a number as an accountant writes it: with a currency, and a minus in one of its
    places."""
    bare = draw(written(abs(number), point)).strip()
    signs = ["-{}", "({})", "{}-", "\u2212{}", "$ -{}", "-$ {}"] if number < 0 else ["{}"]
    text = draw(st.sampled_from(signs)).format(bare)
    form = (
        "{}"
        if set(text) & set("$(")
        else draw(st.sampled_from(["{}", "{}", "$ {}", "COP {}", "{} USD"]))
    )
    return form.format(text)


@st.composite
def dated(draw: st.DrawFn, day: date) -> str:
    """Draw a day as people write it who put the day before the month."""
    form = draw(st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%y", "%d.%m.%Y", "{}", "{} de"]))
    name = _MONTHS[day.month - 1]
    if form == "{} de":
        return f"{day.day} de {name} de {day.year}"
    return f"{day.day}-{name}-{day.year}" if form == "{}" else day.strftime(form)


_LINES = st.tuples(
    _DESCRIPTIONS,
    st.tuples(_MONEY, st.decimals(0, 9999, places=4), _MONEY, _MONEY).map(list),
)
documents = st.builds(
    Drawn,
    number=st.integers(1, 99999).map("FE-{}".format),
    currency=st.sampled_from(["COP", "USD", "EUR"]),
    issued=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    lines=st.lists(_LINES, min_size=1, max_size=4),
)


@st.composite
def sheets(draw: st.DrawFn) -> tuple[list[Drawn], list[list[str]], str]:
    """Draw documents, the rows of a spreadsheet with them, and its mark before decimals."""
    point = draw(st.sampled_from(".,"))
    several = st.lists(documents, min_size=1, max_size=3, unique_by=lambda drawn: drawn.number)
    drawn = draw(several)
    rows = [
        [document.number, draw(dated(document.issued)), "900123456", description,
         *(draw(dressed(number, point)) for number in numbers), document.currency]
        for document in drawn
        for description, numbers in document.lines
    ]  # fmt: skip
    return drawn, [HEADINGS, *rows], point


def as_csv(rows: list[list[str]], delimiter: str, quoting: Any = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO(newline="")
    if sys.version_info < (3, 11):  # whose writer writes no NUL
        rows = [[cell.replace("\0", "") for cell in row] for row in rows]
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows(rows)
    return text.getvalue()


# The line map.


def letters(text: str) -> str:
    """Return a text as people compare it: without case, accents and more than one blank."""
    apart = unicodedata.normalize("NFD", text.lower())
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


def is_like(text: str, pattern: str) -> bool:
    """Return whether a text is like a pattern with * and ?, letter by letter."""
    reached = {0}
    for mark in pattern:
        if mark == "*":
            reached = set(range(min(reached, default=len(text) + 1), len(text) + 1))
        else:
            reached = {n + 1 for n in reached if n < len(text) and mark in ("?", text[n])}
    return len(text) in reached


def cell_said(text: str, point: str) -> Decimal | None:
    """Return what a cell of a spreadsheet says by this mark before decimals: digits, and around
    them at most one minus or a pair of parentheses, and a currency. A dash alone is zero."""
    text = " ".join(text.replace("\u2212", "-").split())
    places = [n for n, c in enumerate(text) if c in string.digits]
    if not places:
        return Decimal() if _around(text).strip("-\u2013\u2014 ") == "" and text else None
    before, core, after = (
        text[: places[0]],
        text[places[0] : places[-1] + 1],
        text[places[-1] + 1 :],
    )
    around = _around(before) + _around(after)
    signs = "".join(around.split())
    if signs not in ("", "-", "+", "()"):
        return None
    other = "," if point == "." else "."
    if " " in core and other in core:
        return None
    number = number_said(core.replace(" ", other), point)
    return -number if number is not None and signs in ("-", "()") else number


def _around(text: str) -> str:
    """Return what stands around a number without one currency."""
    text = text.upper()
    for currency in ("COP", "USD", "EUR", "US"):
        if currency in text:
            text = text.replace(currency, "", 1)
            break
    return text.replace("$", "", 1) if "$" in text else text.replace("\u20ac", "", 1)


def ubl_said(text: str) -> Decimal | None:
    """Return what an amount of an XML invoice says, with four decimals: digits and at most one
    dot."""
    sign, digits = (text.strip()[:1], text.strip()[1:]) if text.strip()[:1] in "+-" else ("", text)
    whole, _, decimals = digits.strip().partition(".")
    if not whole + decimals:
        return None
    assert all(c in string.digits for c in whole + decimals), text
    number = round(Decimal(int(whole + decimals)).scaleb(-len(decimals)), 4)
    return -number if sign == "-" else number
