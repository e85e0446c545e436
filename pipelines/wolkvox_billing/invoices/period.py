"""The period of a document: from a day to a day (exclusive), and by whose word.

The first that gives one counts: the document's own, its lines', a month that its text names, or the
setting `period_rule`. What the others say is compared, and a contradiction is told with both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

DAY = timedelta(days=1)
RULES = ("month_before_issue", "issue_month")


class Period(NamedTuple):
    """From `start` to before `end`."""

    start: date
    end: date

    def __str__(self) -> str:
        return f"{self.start} to {self.end - DAY}"

    def holds(self, other: Period) -> bool:
        return self.start <= other.start and other.end <= self.end


class Settled(NamedTuple):
    """A document's period, which of `document`, `line`, `text` and `rule` gave it, and warnings."""

    period: Period | None
    source: str | None
    warnings: list[str]


def settle(
    own: Period | None,
    lines: Iterable[Period],
    texts: Sequence[Sequence[str]],
    issued: date | None,
    rule: str,
) -> Settled:
    """What a document's period is. Of `texts`, the first group that names a period counts; a text
    that names several different ones is not taken."""
    warnings: list[str] = []
    given: list[tuple[str, str, Period]] = []
    if own:
        given.append(("document", "the document's own period", own))
    if of_lines := sorted(set(lines)):
        span = Period(of_lines[0].start, max(one.end for one in of_lines))
        given.append(("line", "the period of its lines", span))
        if not own and len(of_lines) > 1:
            warnings.append(f"its lines have {len(of_lines)} periods: taken is all of {span}")
    for group in texts:
        named = sorted({period for text in group for period in periods_in(text)})
        if len(named) > 1 and not (own and all(own.holds(one) for one in named)):
            listed = " and ".join(map(str, named[:4]))
            warnings.append(f"the text names {listed}: none is taken")
        elif len(named) == 1:
            given.append(("text", "the period that its text names", named[0]))
        if named:
            break
    if not given:
        if not issued:
            return Settled(None, None, [*warnings, "no period, and no issue date to tell one by"])
        return Settled(by_rule(issued, rule), "rule", warnings)
    source, called, period = given[0]
    warnings += [
        f"{called} is {period}, and {other_called} is {other}"
        for _, other_called, other in given[1:]
        if not period.holds(other)
    ]
    return Settled(period, source, warnings)


def by_rule(issued: date, rule: str) -> Period:
    """The month by the setting `period_rule`."""
    this = month_of(issued)
    return this if rule == "issue_month" else month_of(this.start - DAY)


def month_of(day: date) -> Period:
    first = day.replace(day=1)
    return Period(first, (first + timedelta(days=32)).replace(day=1))


def between(start: date | None, end: date | None, what: str) -> tuple[Period | None, str | None]:
    """The period from a first to a last day (inclusive), and a warning where it is not plain."""
    if start and end:
        if end < start:
            return None, f"{what} ends ({end}) before it starts ({start}): not taken"
        return Period(start, end + DAY), None
    if start:
        period = Period(start, month_of(start).end)
        return period, f"{what} has no end: taken is the month's, {period}"
    if end:
        period = Period(month_of(end).start, end + DAY)
        return period, f"{what} has no start: taken is the month's, {period}"
    return None, None


# What a text names. Spanish and English; case and accents do not matter.

_NAMES = (
    "enero ene january jan", "febrero feb february", "marzo mar march", "abril abr april apr",
    "mayo may", "junio jun june", "julio jul july", "agosto ago august aug",
    "septiembre setiembre sept sep set september", "octubre oct october",
    "noviembre nov november", "diciembre dic december dec",
)  # fmt: skip
_MONTHS = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}
_MONTH = rf"(?<![a-z])(?:{'|'.join(sorted(_MONTHS, key=len, reverse=True))})(?![a-z])\.?"
_OF = r"\s*(?:,|\bdel?\b|\bof\b)?\s*"
_TO = r"\s*(?:[-\u2013\u2014]|\b(?:al?|hasta|hasta el|y|e|to|through|and)\b)\s*"
_DAY = r"(?<![\w/.,-])(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"20\d\d(?!\d)"
_IN = rf"(?:{_OF}|\s*[-/]\s*)"
# `oct-26`: two digits are a year only behind one of these marks; `oct 26` is a day.
_SHORT_YEAR = rf"(?:{_IN}{_YEAR}|\s*[-/']\s*\d\d(?![\d/-]))"
_ISO = r"(?<![\d/.-])20\d\d-\d\d-\d\d(?![\d-])"
_FULL = rf"(?:{_ISO}|(?<![\d/.-])\d{{1,2}}[/-]\d{{1,2}}[/-]20\d\d(?![\d/-]))"

# In this order: what an earlier pattern has read, a later one does not see.
_PATTERNS = [
    ("days", re.compile(rf"(?P<a>{_FULL}){_TO}(?P<b>{_FULL})")),
    ("days", re.compile(  # 1 [de octubre [de 2026]] al 31 de octubre de 2026
        rf"(?P<d1>{_DAY})(?:{_IN}(?P<m1>{_MONTH})(?:{_IN}(?P<y1>{_YEAR}))?)?{_TO}"
        rf"(?P<d2>{_DAY}){_IN}(?P<m2>{_MONTH}){_IN}(?P<y2>{_YEAR})")),
    ("days", re.compile(  # October 1 to [October] 31, 2026
        rf"(?P<m1>{_MONTH})\s*(?P<d1>{_DAY})(?:,?\s*(?P<y1>{_YEAR}))?{_TO}"
        rf"(?:(?P<m2>{_MONTH})\s*)?(?P<d2>{_DAY}),?\s*(?P<y2>{_YEAR})")),
    ("date", re.compile(  # one day is no period
        rf"{_FULL}|{_DAY}{_IN}{_MONTH}{_IN}(?:{_YEAR}|\d\d(?!\d))"
        rf"|{_MONTH}\s*{_DAY},?\s*{_YEAR}")),
    ("months", re.compile(  # octubre [de 2026] a diciembre de 2026
        rf"(?P<m1>{_MONTH})(?:{_IN}(?P<y1>{_YEAR}))?{_TO}(?P<m2>{_MONTH})(?P<y2>{_SHORT_YEAR})")),
    ("months", re.compile(rf"(?P<m2>{_MONTH})(?P<y2>{_SHORT_YEAR})")),
    ("months", re.compile(r"(?<![\d/.-])(?P<m2>0?[1-9]|1[0-2])[/-](?P<y2>20\d\d)(?![\d/-]|\.\d)")),
    ("months", re.compile(r"(?<![\d/.-])(?P<y2>20\d\d)[/-](?P<m2>0[1-9]|1[0-2])(?![\d/-]|\.\d)")),
]  # fmt: skip
_MOST_CHARACTERS = 10_000
_PERHAPS = re.compile(r"20\d\d|[-/']\s?\d\d")


@lru_cache(maxsize=1000)
def periods_in(text: str) -> tuple[Period, ...]:
    """The periods that a text names, in no order: months with a year, and runs of days.

    `octubre 2026`, `oct-26`, `10/2026`, `2026-10`, `consumo del 1 al 31 de octubre de 2026`,
    `October 1 to 31, 2026`, `01/10/2026 - 31/10/2026` (day first). One single day is no period.
    """
    if not _PERHAPS.search(text):
        return ()
    plain = unicodedata.normalize("NFKD", text[:_MOST_CHARACTERS]).casefold()
    # Blanks one at a time, or the patterns would try each run of them in every way.
    plain = " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
    found: list[Period] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(plain):
            named = match.groupdict()
            try:
                if kind == "days":
                    found.append(_days(named))
                elif kind == "months":
                    found.append(_months(named))
            except ValueError:
                continue  # 31 June, or an end before its start: it names nothing
        plain = pattern.sub(" | ", plain)
    return tuple(found)


def _days(named: dict[str, str | None]) -> Period:
    if named.get("a"):
        first, last = _full(named["a"] or ""), _full(named["b"] or "")
    else:
        last_month = _month(named["m2"] or named["m1"])
        last_year = _year(named["y2"])
        first_month = _month(named["m1"]) if named["m1"] else last_month
        # `del 15 de diciembre al 14 de enero de 2027` began in the year before.
        first_year = _year(named["y1"]) if named["y1"] else last_year - (first_month > last_month)
        first = date(first_year, first_month, _number(named["d1"]))
        last = date(last_year, last_month, _number(named["d2"]))
    if last < first:
        raise ValueError
    return Period(first, last + DAY)


def _months(named: dict[str, str | None]) -> Period:
    month, year = _month(named["m2"]), _year(named["y2"])
    last = month_of(date(year, month, 1))
    if not named.get("m1"):
        return last
    first_month = _month(named["m1"])
    first_year = _year(named["y1"]) if named.get("y1") else year - (first_month > month)
    first = date(first_year, first_month, 1)
    if first > last.start:
        raise ValueError
    return Period(first, last.end)


def _full(text: str) -> date:
    if re.fullmatch(_ISO, text):
        return date.fromisoformat(text)
    day, month, year = map(int, re.split("[/-]", text))
    return date(year, month, day)


def _month(text: str | None) -> int:
    name = (text or "").rstrip(".")
    return _MONTHS.get(name) or int(name)


def _year(text: str | None) -> int:
    year = _number(text)
    return year if year > 99 else 2000 + year


def _number(text: str | None) -> int:
    return int(re.sub(r"\D", "", text or ""))
