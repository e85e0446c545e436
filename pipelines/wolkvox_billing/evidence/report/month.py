"""What is shown of a month, for the evidence's report and the notebook: the Page, and the Usage of
each counter in it, with the calls, the readings, and the stretches without an answer.
"""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.values.clock import day_start
from wolkvox_billing.values.durations import HOUR
from wolkvox_billing.values.numbers import format_number
from wolkvox_billing.vendor.answer import ANSWERS

Row = Mapping[str, Any]
Counter = tuple[str, str, str]  # operation_id, report, product


@dataclass
class Page:
    """What the page shows. `tables` are the members' rows; `zones` by operation, `""` for others;
    `measures` what a counter's numbers mean; `given` a document's member, None if not given."""

    month: str
    start: date
    end: date
    as_of: datetime
    rows: Sequence[ReconciledRow]
    tables: Mapping[str, Sequence[Row]]
    zones: Mapping[str, str]
    measures: Mapping[Counter, str]
    given: Mapping[str, str | None]
    policy: Mapping[str, Any]
    versions: Mapping[str, str]
    warnings: Sequence[str] = ()
    language: str = "en"

    def zone(self, operation_id: str | None) -> ZoneInfo:
        return ZoneInfo(self.zones.get(operation_id or "") or self.zones[""])


@dataclass
class Asked:
    """The calls of an operation and report in the month; times in seconds since 1970."""

    answered: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    days: set[date] = field(default_factory=set)


@dataclass(frozen=True)
class Usage:
    """What was read of a counter in the month, and when it was asked. `billed` are quantities, each
    with its label. Where it was never read, the product is ""."""

    counter: Counter
    start: date
    end: date
    as_of: datetime
    zone: ZoneInfo
    measure: str | None
    read: Sequence[Row]
    asked: Asked
    billed: Sequence[tuple[Decimal, str]]

    @property
    def title(self) -> str:
        return ", ".join(filter(None, self.counter))

    @property
    def span(self) -> tuple[int, int]:
        """The month's start and end."""
        return day_start(self.start, self.zone), day_start(self.end, self.zone)

    def gaps(self) -> tuple[list[tuple[int, int]], int]:
        """The stretches without an answer that stand out, and how long makes one so: three times
        the usual pace, at least 1 and at most 36 hours. What is left at the end always is one."""
        start, end = self.span
        end = max(min(end, int(self.as_of.timestamp())), start)
        points = [start, *(one for one in sorted(self.asked.answered) if start <= one <= end), end]
        apart = [b - a for a, b in itertools.pairwise(points[1:-1])]
        usual = 3 * statistics.median(apart) if apart else 36 * HOUR
        least = int(min(max(usual, HOUR), 36 * HOUR))
        pairs = list(itertools.pairwise(points))
        found = [(a, b) for a, b in pairs if b - a > least or (b == end and b > a)]
        return found, least


def usages(page: Page) -> list[Usage]:
    """The Usage of each counter; what was asked or billed, and never read, has one too."""
    asked: defaultdict[tuple[str, str], Asked] = defaultdict(Asked)
    for one in page.tables["polls"]:
        if page.start <= one["poll_date"] < page.end:
            calls = asked[one["operation_id"], one["report"]]
            is_answer = one["outcome"] in ANSWERS
            (calls.answered if is_answer else calls.refused).append(one["started_epoch"])
            if is_answer:
                calls.days.add(one["poll_date"])
    read: defaultdict[Counter, list[Row]] = defaultdict(list)
    for one in page.tables["readings"]:
        if page.start <= one["date"] < page.end and not one["is_repeated"]:
            read[one["operation_id"], one["report"], one["description"]].append(one)
    billed = {(row.operation_id or "", row.report) for row in page.rows if row.report}
    unread = {*asked, *billed} - {one[:2] for one in read}
    return [
        Usage(
            counter=counter,
            start=page.start,
            end=page.end,
            as_of=page.as_of,
            zone=page.zone(counter[0]),
            measure=page.measures.get(counter),
            read=read[counter],
            asked=asked[counter[:2]],
            billed=_billed(page, counter),
        )
        for counter in sorted([*read, *((*one, "") for one in unread)])
    ]


def _billed(page: Page, counter: Counter) -> list[tuple[Decimal, str]]:
    operation_id, report, product = counter
    found = []
    for row in page.rows:
        quantity = row.billed_quantity
        if (row.operation_id or "", row.report) != (operation_id, report) or quantity is None:
            continue
        if row.product in (None, product):
            of = " for the whole report" if row.product is None and product else ""
            found.append((quantity, f"billed{of}: {format_number(quantity)}"))
    return found
