"""Days of the calendar out of what programs and people write.

    reader             of whom                    takes, beside 2026-11-03
    read_sent_day      the vendor                 2026/11/3, 20261103, 29/11/2026, and a time of
                                                  day behind it
    read_sent_month    the vendor                 2026-11, 202611, 11/2026, noviembre 2026, nov-26;
                                                  returns the month's first day
    read_xml_day       a program that bills       a time zone or a time behind it
    read_typed_day     who fills in a sheet       2026/11/3, 3/11/2026, 3-11-26, anything behind it
    read_entered_day   who edits a CSV of ours    2026-11-3, 3/11/2026

Each takes one writer's forms and no other, since what that writer does not write is a slip. Each
returns None for a text of another form, and raises ValueError for what is no day of the calendar.
"""

from __future__ import annotations

import re
from datetime import date, time

_CLOCK = r"(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?)?"
_SENT = re.compile(rf"(\d{{4}})([-/])(\d{{1,2}})\2(\d{{1,2}}){_CLOCK}", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_SENT_DAY_FIRST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_CLOCK}", re.ASCII)
_SENT_MONTHS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"(?P<y>20\d\d)[-/](?P<m>\d{1,2})",
        r"(?P<y>20(?:1[3-9]|[2-9]\d))(?P<m>\d\d)",  # 201012 may be a day: 20 Oct 2012
        r"(?P<m>\d{1,2})[-/](?P<y>20\d\d)",
        # `nov 26` is a day: two digits are a year only behind a mark.
        r"(?P<name>[a-z]+)\.?(?:(?: del? |,? |[-/])(?P<y>20\d\d)|[-/'](?P<short>[2-9]\d))",
        r"(?P<y>20\d\d)[-/ ](?P<name>[a-z]+)\.?",
    )
)
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "enero ene january jan", "febrero feb february", "marzo mar march",
            "abril abr april apr", "mayo may", "junio jun june", "julio jul july",
            "agosto ago august aug", "septiembre setiembre sept sep set september",
            "octubre oct october", "noviembre nov november", "diciembre dic december dec",
        ), 1
    )
    for name in names.split()
}  # fmt: skip
_XML = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d|T.*)?", re.ASCII)
_TYPED = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[T ].*)?", re.ASCII)
# A year of two digits is one of this invoice's time, or `26-11-03` would be a day of 2003.
_TYPED_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|[2-9]\d)(?:\s.*)?", re.ASCII)
_ENTERED = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_ENTERED_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)  # ISO, saved by Excel


class MonthFirst(ValueError):
    """A text can only be a day with its month first, such as 11/23/2026."""


def read_sent_day(text: str) -> date | None:
    """Return the day of a text of the vendor's; see above."""
    if match := _COMPACT.fullmatch(text):
        return date(*map(int, match.groups()))
    if match := _SENT.fullmatch(text):
        year, _, month, day, *clock = match.groups(default="0")
    elif match := _SENT_DAY_FIRST.fullmatch(text):
        day, _, month, year, *clock = match.groups(default="0")
        # 10/11/2026 is a day of two months; 29/11 and 11/11 are not.
        if int(day) <= 12 and int(day) != int(month):
            return None
    else:
        return None
    hour, minute, second = map(int, clock)
    time(hour, minute, second)  # raises ValueError for 25:00
    return date(int(year), int(month), int(day))


def read_sent_month(text: str) -> date | None:
    """Return the first day of the month that a text of the vendor's is; see above."""
    text = " ".join(text.casefold().split())
    for pattern in _SENT_MONTHS:
        if match := pattern.fullmatch(text):
            groups = match.groupdict()
            if (name := groups.get("name")) and name not in MONTHS:
                return None
            month = MONTHS[name] if name else int(groups["m"])
            return date(read_year(groups.get("y") or groups["short"]), month, 1)
    return None


def read_xml_day(text: str) -> date | None:
    """Return the day of a text in an electronic invoice; see above."""
    match = _XML.fullmatch(text)
    return date.fromisoformat(match[1]) if match else None


def read_typed_day(text: str) -> date | None:
    """Return the day of a text in a spreadsheet; see above. Raises MonthFirst too."""
    if match := _TYPED.fullmatch(text):
        return date(int(match[1]), int(match[3]), int(match[4]))
    if match := _TYPED_DAY_FIRST.fullmatch(text):
        day, month = int(match[1]), int(match[3])
        if month > 12 >= day >= 1:
            raise MonthFirst
        return date(read_year(match[4]), month, day)
    return None


def read_entered_day(text: str) -> date | None:
    """Return the day of a text in a CSV file of ours; see above. Raises MonthFirst too."""
    if match := _ENTERED.fullmatch(text):
        return date(*map(int, match.groups()))
    if match := _ENTERED_DAY_FIRST.fullmatch(text):
        day, month, year = map(int, match.groups())
        if month > 12 >= day:
            raise MonthFirst
        return date(year, month, day)
    return None


def read_year(text: str) -> int:
    """Return a year of four digits, or of the two that people write for this century's."""
    return int(text) + (2000 if len(text) == 2 else 0)
