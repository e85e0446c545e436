"""The evidence's `report.html`: one page that needs nothing from outside, for eyes and for paper.

Colour says nothing that a pattern, a shape or a word does not say too. Every text is escaped.
"""

from __future__ import annotations

import html
import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox_billing.verdict import Outcome

Row = Mapping[str, Any]
Counter = tuple[str, str, str]  # operation_id, report, product

HOUR = 3600
ANSWERS = {one.value for one in Outcome if one.is_answer}
_WIDTH, _HEIGHT = 960, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 24, 60  # margins of a chart
_STYLE = """
:root { color: #111; background: #fff; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2rem; } h3 { font-size: 1.05rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .85rem; }
th, td { border: 1px solid #888; padding: .2rem .45rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
th { background: #eee; } td.number { text-align: right; white-space: nowrap; }
figure { margin: 1rem 0; } svg { width: 100%; height: auto; } figcaption { font-size: .85rem; }
.verdict { border-left: .3rem solid #111; padding: .1rem .8rem; margin: .8rem 0; }
.material { border-left-style: double; border-left-width: .6rem; }
thead { display: table-header-group; }
@media print {
  body { margin: 0; max-width: none; font-size: 11px; }
  tr, figure, .verdict { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""


@dataclass
class Page:
    """What the page shows. `tables` are the members' rows; `zones` by operation, `""` for others;
    `measures` what a counter's numbers mean; `given` a document's member, None if not given."""

    month: str
    start: date
    end: date
    as_of: datetime
    rows: Sequence[Row]
    tables: Mapping[str, Sequence[Row]]
    zones: Mapping[str, str]
    measures: Mapping[Counter, str]
    given: Mapping[str, str | None]
    policy: Mapping[str, Any]
    versions: Mapping[str, str]
    warnings: Sequence[str] = ()
    language: str = "en"


def report(page: Page) -> str:
    """The page as HTML."""
    parts = [
        f"<h1>Usage and invoices of {_text(page.month)}</h1>",
        f"<p>As of {_text(_moment(page.as_of, _zone(page, '')))}. Every figure here comes from the "
        "files beside this page; <code>manifest.json</code> holds the SHA-256 of each.</p>",
        "<h2>Verdicts</h2>",
        *(_verdict(one, page.language) for one in page.rows),
        _verdicts(page.rows),
        "<h2>Totals</h2>",
        _totals(page.rows),
        *(f"<p>Warning: {_text(one)}</p>" for one in page.warnings),
        "<h2>What was read</h2>",
        *_charts(page),
        "<h2>Values that changed after their day, or that fell</h2>",
        _table(
            ["operation", "report", "product", "day", "before", "then", "read at"],
            [
                [one["operation_id"], one["report"], one["product"], one["usage_date"],
                 one["previous_quantity"], one["quantity"],
                 _moment(one["read_at"], _zone(page, one["operation_id"]))]
                for one in page.tables["usage_restatements"]
            ],
        ),
        "<h2>Documents</h2>",
        _documents(page),
        "<h2>Policy</h2>",
        _table(["setting", "value"], [[name, _plain(v)] for name, v in page.policy.items()]),
        "<h2>Versions</h2>",
        _table(["what", "version"], [[name, value] for name, value in page.versions.items()]),
    ]  # fmt: skip
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # Nothing is fetched and nothing runs, even if a text were to get through.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Usage and invoices of {_text(page.month)}</title>\n<style>{_STYLE}</style>\n"
        "</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _verdict(row: Row, language: str) -> str:
    kind, mark = ("verdict material", "Worth an alarm: ") if row["is_material"] else ("verdict", "")
    return (
        f'<p class="{kind}">{mark}<strong>{_text(row["reconciliation_status"])}</strong>: '
        f'<span lang="{_text(language)}">{_text(row["explanation"])}</span></p>'
    )


def _verdicts(rows: Sequence[Row]) -> str:
    return _table(
        ["operation", "report, product", "period", "measured", "billed", "by contract",
         "billed amount", "volume effect", "price effect", "status"],
        [
            [row["operation_id"], ", ".join(filter(None, (row["report"], row["product"]))),
             f"{row['billing_period_start']} to before {row['billing_period_end']}",
             row["consumed_quantity"], row["billed_quantity"],
             *(_money(row[name], row["billing_currency"]) for name in
               ("contracted_cost", "billed_cost", "volume_effect", "price_effect")),
             row["reconciliation_status"]]
            for row in rows
        ],
    )  # fmt: skip


@dataclass
class _Sum:
    keys: int = 0
    billed: Decimal = Decimal()
    contracted: Decimal = Decimal()
    unknown: int = 0


def _totals(rows: Sequence[Row]) -> str:
    """What each status comes to in each currency; a contract's cost that nobody knows is said."""
    sums: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)
    for row in rows:
        for status in (row["reconciliation_status"], "all"):
            one = sums[status, row["billing_currency"] or ""]
            one.keys += 1
            one.billed += row["billed_cost"] or 0
            one.contracted += row["contracted_cost"] or 0
            one.unknown += row["contracted_cost"] is None
    ordered = sorted(sums.items(), key=lambda item: (item[0][0] == "all", item[0]))
    return _table(
        ["status", "verdicts", "billed", "by contract", "without a known cost by contract"],
        [
            [status, Decimal(one.keys), _money(one.billed, currency),
             _money(one.contracted, currency), Decimal(one.unknown)]
            for (status, currency), one in ordered
        ],
    )  # fmt: skip


def _documents(page: Page) -> str:
    return _table(
        ["kind", "number", "supplier", "issued", "net", "file", "SHA-256 of the file", "in here"],
        [
            [str(one["document_kind"]).replace("_", " ") + (" (a test)" if one["is_test"] else ""),
             one["document_number"], one["supplier_id"], one["issue_date"],
             _money(one["net_amount"], one["billing_currency"]), one["file_name"],
             one["file_sha256"], page.given[one["document_id"]] or "not given"]
            for one in page.tables["invoice_documents"]
        ],
    )  # fmt: skip


@dataclass
class _Asked:
    """The calls of an operation and report in the month; times in seconds since 1970."""

    answered: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    days: set[date] = field(default_factory=set)

    def gaps(self, start: int, end: int) -> tuple[list[tuple[int, int]], int]:
        """The stretches without an answer that stand out, and how long makes one so: three times
        the usual pace, at least 1 and at most 36 hours. What is left at the end always is one."""
        points = [start, *(one for one in self.answered if start <= one <= end), end]
        apart = [b - a for a, b in itertools.pairwise(points[1:-1])]
        usual = 3 * statistics.median(apart) if apart else 36 * HOUR
        least = int(min(max(usual, HOUR), 36 * HOUR))
        pairs = list(itertools.pairwise(points))
        found = [(a, b) for a, b in pairs if b - a > least or (b == end and b > a)]
        return found, least


def _charts(page: Page) -> Iterable[str]:
    asked: defaultdict[tuple[str, str], _Asked] = defaultdict(_Asked)
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
    # What was asked or billed, and never read, has its chart too.
    billed = {(row["operation_id"], row["report"]) for row in page.rows if row["report"]}
    unread = {*asked, *billed} - {one[:2] for one in read}
    shown = sorted([*read, *((*one, "") for one in unread)])
    if not shown:
        yield "<p>Nothing was asked in this month.</p>"
    for number, counter in enumerate(shown):
        yield _chart(page, number, counter, read[counter], asked[counter[:2]])


def _chart(page: Page, number: int, counter: Counter, read: list[Row], asked: _Asked) -> str:
    operation_id, name, product = counter
    zone = _zone(page, operation_id)
    start, end = (_epoch(day, zone) for day in (page.start, page.end))
    until = max(min(end, int(page.as_of.timestamp())), start)
    asked.answered.sort()
    gaps, least = asked.gaps(start, until)
    # A day that was read after it was over stands at its end.
    points = sorted(
        (min(one["read_epoch"], _epoch(one["date"], zone) + 24 * HOUR - 1), one["read_epoch"],
         one["items"])
        for one in read
    )  # fmt: skip
    measure = page.measures.get(counter)
    billed = [] if measure == "daily" else _billed(page, counter)
    highest = max([*(value for *_, value in points), *(value for value, _ in billed), Decimal(1)])
    lowest = min([*(value for *_, value in points), *(value for value, _ in billed), Decimal(0)])
    step = _step(float(highest - lowest) / 4)
    title = f"{operation_id}, {name}" + (f", {product}" if product else "")

    def x(at: float) -> str:
        return f"{_LEFT + (at - start) / (end - start) * (_WIDTH - _LEFT - _RIGHT):.1f}"

    def y(value: float | Decimal) -> str:
        part = (float(value) - float(lowest)) / (float(highest - lowest) * 1.08)
        return f"{_HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM):.1f}"

    floor, roof = _HEIGHT - _BOTTOM, _TOP
    drawn = [
        f'<pattern id="gap{number}" width="8" height="8" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="8" height="8" fill="#fff"/>'
        '<line x1="0" y1="0" x2="0" y2="8" stroke="#777" stroke-width="2"/></pattern>'
    ]
    for a, b in gaps:
        width = float(x(b)) - float(x(a))
        drawn.append(
            f'<rect x="{x(a)}" y="{roof}" width="{width:.1f}" height="{floor - roof}" '
            f'fill="url(#gap{number})" stroke="#777" stroke-width=".5"/>'
        )
        if width > 70:
            drawn.append(
                _label((float(x(a)) + float(x(b))) / 2, roof + 14, f"no answer {_hours(b - a)}",
                       "middle")
            )  # fmt: skip
    at = (float(lowest) // step) * step
    while at <= float(highest) * 1.05:
        if at >= float(lowest):
            drawn.append(_line(str(_LEFT - 4), y(at), str(_LEFT), y(at)))
            drawn.append(_label(_LEFT - 7, float(y(at)) + 4, f"{at:,.10g}", "end"))
        at += step
    drawn.append(_line(str(_LEFT), str(floor), str(_WIDTH - _RIGHT), str(floor)))
    drawn.append(_line(str(_LEFT), str(roof), str(_LEFT), str(floor)))
    days = (page.end - page.start).days
    for day in [d for d in range(1, days + 1) if d == 1 or d % 5 == 0]:
        place = x(_epoch(page.start.replace(day=day), zone))
        drawn.append(_line(place, str(floor), place, str(floor + 5)))
        drawn.append(_label(float(place), floor + 48, str(day), "middle"))
    # A tick for each call; many at one place are drawn once.
    for place in dict.fromkeys(x(one) for one in asked.answered if start <= one <= end):
        drawn.append(_line(place, str(floor + 8), place, str(floor + 18)))
    for place in dict.fromkeys(x(one) for one in sorted(asked.refused) if start <= one <= end):
        left, right = f"{float(place) - 4:.1f}", f"{float(place) + 4:.1f}"
        drawn.append(_line(left, str(floor + 22), right, str(floor + 30)))
        drawn.append(_line(left, str(floor + 30), right, str(floor + 22)))
    places = list(dict.fromkeys(f"{x(a)},{y(value)}" for a, _, value in points))
    if places:
        drawn.append(
            f'<polyline points="{" ".join(places)}" fill="none" stroke="#000" stroke-width="2"/>'
        )
    if len(places) <= 200:
        drawn += [
            f'<circle cx="{one.split(",")[0]}" cy="{one.split(",")[1]}" r="3"/>' for one in places
        ]
    for value, says in billed:
        drawn.append(
            _line(str(_LEFT), y(value), str(_WIDTH - _RIGHT), y(value),
                  'stroke-width="2" stroke-dasharray="9 5"')
        )  # fmt: skip
        drawn.append(_label(_LEFT + 8, float(y(value)) - 5, says, "start"))
    notes = [
        f"Line: what was read{f' ({measure})' if measure else ''}. Ticks below: calls that were "
        "answered; crosses: refused or not answered. Hatched: more than "
        f"{_hours(least)} without an answer, and what was left at the end."
    ]
    if billed:
        notes.append("Dashed: what was billed.")
    elif measure == "daily" and (daily := _billed(page, counter)):
        notes.append(f"Each value is a day's own; for the whole month: {daily[0][1]}.")
    gap = max((b - a for a, b in gaps), default=0)
    last_of_day = {one["date"]: one for one in sorted(read, key=lambda one: one["read_epoch"])}
    return "\n".join(
        [
            f"<h3>{_text(title)}</h3>",
            f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-label="{_text(title)}: readings, calls and gaps in {_text(page.month)}" '
            f'font-size="12">{"".join(drawn)}</svg>'
            f"<figcaption>{_text(' '.join(notes))}</figcaption></figure>",
            "<p>Coverage: "
            f"{len(asked.days)} of {days} days answered; {len(asked.answered)} calls answered, "
            f"{len(asked.refused)} refused or not answered; longest time without an answer that "
            f"stands out: {_hours(gap)}.</p>",
            _table(
                ["no answer from", "to", "for"],
                [
                    [*(_moment(datetime.fromtimestamp(e, timezone.utc), zone) for e in pair),
                     _hours(pair[1] - pair[0])]
                    for pair in gaps
                ],
            ),
            _table(
                ["day", "last value read", "read at", "call"],
                [
                    [day, one["items"], _moment(one["read_at"], zone), one["poll_id"]]
                    for day, one in sorted(last_of_day.items())
                ],
            ),
        ]
    )  # fmt: skip


def _billed(page: Page, counter: Counter) -> list[tuple[Decimal, str]]:
    """The quantities billed for a counter, each with its label."""
    operation_id, report, product = counter
    found = []
    for row in page.rows:
        if (row["operation_id"], row["report"]) != (operation_id, report):
            continue
        if row["billed_quantity"] is not None and row["product"] in (None, product):
            of = " for the whole report" if row["product"] is None and product else ""
            found.append((row["billed_quantity"], f"billed{of}: {_number(row['billed_quantity'])}"))
    return found


def _step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, ... that is not below `least`."""
    step = 1.0
    while step < least:
        step *= 2.5 if f"{step:e}"[0] == "2" else 2
    return step


def _line(x1: str, y1: str, x2: str, y2: str, more: str = "") -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#000" {more}/>'


def _label(x: float, y: float, text: str, anchor: str) -> str:
    """A text with a white edge, so that it is read on a pattern too."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" stroke="#fff" stroke-width="4" '
        f'paint-order="stroke">{_text(text)}</text>'
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return "<p>None.</p>"
    head = "".join(f'<th scope="col">{_text(one)}</th>' for one in headings)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return f'<td class="number">{_number(value)}</td>'
    return f"<td>{_text('' if value is None else str(value))}</td>"


def _text(text: str) -> str:
    """A text as HTML; what does not print, or turns the direction of writing, by its number."""
    return html.escape("".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text))


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _number(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def _money(value: Decimal | None, currency: str | None) -> str:
    return "" if value is None else f"{value:,.2f} {currency or ''}".strip()


def _hours(seconds: int) -> str:
    if seconds < 2 * HOUR:
        return f"{seconds // 60} min"
    return f"{seconds // HOUR} h" if seconds < 72 * HOUR else f"{seconds // (24 * HOUR)} days"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _zone(page: Page, operation_id: str | None) -> ZoneInfo:
    return ZoneInfo(page.zones.get(operation_id or "") or page.zones[""])


def _epoch(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
