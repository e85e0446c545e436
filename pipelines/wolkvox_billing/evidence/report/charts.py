"""Charts as SVG, without scripts: a counter's month, and the bridge from contract to invoice.

Colour says nothing that a pattern, a shape or a word does not say too, and prints grey; what a
pointer rests on tells its value and moment. The `number` of a chart is
its own on its page: patterns are known by it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from wolkvox_billing.evidence.report.html import Money, escape
from wolkvox_billing.evidence.report.month import Usage
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.values.clock import day_start, format_moment
from wolkvox_billing.values.durations import format_span
from wolkvox_billing.values.locales import ENGLISH
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.values.translation import N_, BillingMonth, phrase

if TYPE_CHECKING:
    from markupsafe import Markup

_WIDTH, _HEIGHT = 960, 310
_LEFT, _RIGHT, _TOP, _BOTTOM = 112, 20, 30, 78  # margins of a counter's chart
_FLOOR = _HEIGHT - _BOTTOM
_MOST_DOTS = 200
_BAR, _ROW, _NAMES, _VALUES = 22, 36, 150, 190  # of a bridge
_TILTS = {"volume": 45, "price": -45, "exchange": 0}
_BLUE, _ORANGE, _GREY = "#1d4f91", "#a33c00", "#666"  # of dark, half-dark and light grey on paper
_COLOURS = {"volume": _ORANGE, "price": _BLUE, "exchange": _GREY}


def draw_usage(usage: Usage, number: int) -> Markup:
    """Return a chart of what a counter showed, when it was asked, the gaps, and what was billed."""
    label = phrase(
        N_("{whose}: readings, calls and gaps in {month}"),
        usage.locale,
        whose=usage.title,
        month=BillingMonth(usage.period.start),
    )
    return _svg(_HEIGHT, label, list(_UsageChart(usage).elements(f"gap{number}")))


class _UsageChart:
    """A counter's month: from left to right its days, from bottom to top what it showed."""

    def __init__(self, usage: Usage) -> None:
        self.usage = usage
        self.gaps, _ = usage.gaps()
        self.bills = [] if usage.measure == "daily" else usage.bills
        self.points = sorted(
            _Point(
                usage.stands_at(row),
                row.items,
                f"{format_moment(row.read_at, usage.zone)}: "
                f"{format_number(row.items, locale=usage.locale)} {usage.unit}, {row.poll_id}",
            )
            for row in usage.readings
        )
        values = [*(point.value for point in self.points),
                  *(bill.quantity for bill in self.bills)]  # fmt: skip
        self.highest, self.lowest = max([*values, Decimal(1)]), min([*values, Decimal(0)])

    def x(self, at: float) -> float:
        start, end = self.usage.span
        return _LEFT + (at - start) / (end - start) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float | Decimal) -> float:
        height = float(self.highest - self.lowest) * 1.08
        return _FLOOR - (float(value) - float(self.lowest)) / height * (_FLOOR - _TOP)

    def elements(self, pattern: str) -> Iterator[str]:
        yield _hatch(pattern, 45, _GREY)
        gaps = [(self.x(start), self.x(end)) for start, end in self.gaps]
        for (start, end), (left, right) in zip(self.gaps, gaps, strict=True):
            text, span = N_("no answer {span}"), format_span(end - start)
            says = phrase(text, self.usage.locale, span=span)
            since = datetime.fromtimestamp(start, self.usage.zone)
            title = f"{format_moment(since)}: {says}"
            yield _rect(left, _TOP, right - left, _FLOOR - _TOP, pattern, title)
            if right - left > 60:
                yield _label((left + right) / 2, _TOP - 8, says, "middle")
        yield from self._axes()
        yield from self._calls()
        points = [(self.x(point.at), self.y(point.value), point.title) for point in self.points]
        yield from _curve(points, gaps, is_stepped=self.usage.measure == "gauge")
        for bill in self.bills:
            place = self.y(bill.quantity)
            dashed = 'stroke-width="2" stroke-dasharray="9 5"'
            yield _line(_LEFT, place, _WIDTH - _RIGHT, place, dashed, _ORANGE)
            yield _label(_LEFT + 8, place + 16, bill.label, "start")

    def _axes(self) -> Iterator[str]:
        for value in _steps(float(self.lowest), float(self.highest)):
            place = self.y(value)
            yield _line(_LEFT - 4, place, _WIDTH - _RIGHT, place, 'stroke-opacity=".15"')
            number = format_number(Decimal(f"{value:.10g}"), locale=self.usage.locale)
            yield _label(_LEFT - 8, place + 4, number, "end")
        yield _line(_LEFT, _FLOOR, _WIDTH - _RIGHT, _FLOOR)
        yield _line(_LEFT, _TOP, _LEFT, _FLOOR)
        yield _label(_LEFT - 8, _TOP - 8, self.usage.unit, "end")
        first = self.usage.period.start
        edges = [
            self.x(day_start(first + timedelta(days=n), self.usage.zone))
            for n in range(self.usage.days + 1)
        ]
        # A day is between two ticks, and its number in the middle: 23:50 of the 7th is over the 7.
        for day, (start, end) in enumerate(itertools.pairwise(edges), 1):
            yield _line(start, _FLOOR, start, _FLOOR + 5)
            if day in (1, self.usage.days) or day % 5 == 0:
                yield _label((start + end) / 2, _FLOOR + 20, str(day), "middle")
        yield _label(_LEFT - 12, _FLOOR + 20, caption("day", self.usage.locale), "end")

    def _calls(self) -> Iterator[str]:
        """A tick for each that was answered, and a cross for each that was not."""
        yield _label(_LEFT - 8, _FLOOR + 43, caption("answered", self.usage.locale), "end")
        for place in self._places(self.usage.asked.answered):
            yield _line(place, _FLOOR + 32, place, _FLOOR + 44)
        yield _label(_LEFT - 8, _FLOOR + 65, caption("refused", self.usage.locale), "end")
        for place in self._places(self.usage.asked.refused):
            yield _line(place - 4, _FLOOR + 56, place + 4, _FLOOR + 64)
            yield _line(place - 4, _FLOOR + 64, place + 4, _FLOOR + 56)

    def _places(self, moments: Iterable[int]) -> Iterator[float]:
        """Where calls of the month stand; many at one place are drawn once."""
        start, end = self.usage.span
        places = sorted(self.x(at) for at in moments if start <= at <= end)
        yield from dict.fromkeys(float(round(place)) for place in places)


class _Point(NamedTuple):
    """A reading: where it stands in time, what it shows, and what is told of it."""

    at: int
    value: Decimal
    title: str


def _curve(
    points: list[tuple[float, float, str]],
    gaps: list[tuple[float, float]],
    *,
    is_stepped: bool,
) -> Iterator[str]:
    """A line through the points: dotted where it crosses a gap, since nobody knows how it went; of
    a level steps, since it holds until another one was seen."""

    def is_in_gap(left: float, right: float) -> bool:
        return any(start - 0.1 <= left and right <= end + 0.1 for start, end in gaps)

    titles = {(round(x, 1), round(y, 1)): title for x, y, title in points}
    places = [*titles]
    strokes: list[list[tuple[float, float]]] = [places[:1]]
    for last, place in itertools.pairwise(places):
        corner = [(place[0], last[1])] if is_stepped else []
        if is_in_gap(last[0], place[0]):
            dotted = 'stroke-width="2" stroke-dasharray="1 5" stroke-linecap="round"'
            for start, end in itertools.pairwise([last, *corner, place]):
                yield _line(*start, *end, dotted, _BLUE)
            strokes.append([])
        elif corner:
            strokes[-1] += corner
        strokes[-1].append(place)
    for stroke in filter(None, strokes):
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in stroke)
        yield f'<polyline points="{line}" fill="none" stroke="{_BLUE}" stroke-width="2"/>'
    if len(places) <= _MOST_DOTS:
        for (x, y), title in titles.items():
            told = f"<title>{escape(title)}</title>"
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{_BLUE}">{told}</circle>'


def has_bridge(row: ReconciledRow) -> bool:
    """Whether an invoice is in it, both effects are known, and the cost by contract is not what was
    billed."""
    known = (row.contracted_cost, row.volume_effect, row.price_effect)
    return row.is_billed and None not in known and bool(row.cost_variance)


class _Bar(NamedTuple):
    name: str
    start: Decimal
    end: Decimal
    label: str
    pattern: str


def draw_bridge(row: ReconciledRow, number: int, locale: str = ENGLISH) -> Markup:
    """Return a chart from what the contract says to what was billed: contracted cost, volume and
    price effect, that of the exchange rate if there is one, billed cost. The axis starts at zero,
    so that a bar's length is its amount.

    row: one that `has_bridge`.
    """
    bars = _bars_of(row, number, locale)
    ends = [float(amount) for bar in bars for amount in (bar.start, bar.end)]
    low, high = min(ends), max(ends)

    def x(value: Decimal) -> float:
        room = _WIDTH - _NAMES - _VALUES
        return _NAMES + (float(value) - low) / ((high - low) or 1) * room

    elements = [_hatch(f"{name}{number}", tilt, _COLOURS[name]) for name, tilt in _TILTS.items()
                if name != "exchange" or row.exchange_effect]  # fmt: skip
    for place, bar in enumerate(bars):
        top = 8 + place * _ROW
        left, right = sorted((x(bar.start), x(bar.end)))
        elements.append(_label(_NAMES - 10, top + 16, bar.name, "end"))
        elements.append(_rect(left, top, max(right - left, 1.5), _BAR, bar.pattern,
                              f"{bar.name}: {bar.label}"))  # fmt: skip
        elements.append(_label(right + 8, top + 16, bar.label, "start"))
        if place < len(bars) - 1:  # where the next one starts
            at = x(bar.end)
            elements.append(_line(at, top + _BAR, at, top + _ROW, 'stroke-dasharray="2 2"'))
    elements.append(_line(x(Decimal()), 2, x(Decimal()), 8 + len(bars) * _ROW - 8))
    summary = ", ".join(f"{bar.name} {bar.label}" for bar in bars)
    text = N_("From contract to invoice: {parts}")
    return _svg(12 + len(bars) * _ROW, phrase(text, locale, parts=summary), elements)


def _bars_of(row: ReconciledRow, number: int, locale: str) -> list[_Bar]:
    """Return the bars of a bridge, each effect from where the amounts before it end."""
    amounts = row.contracted_cost, row.volume_effect, row.price_effect, row.exchange_effect
    contracted, *effects = (amount or Decimal() for amount in amounts)
    billed = row.billed_cost or Decimal()
    names = {"volume": "volume effect", "price": "price effect", "exchange": "exchange effect"}

    def whole(name: str, amount: Decimal) -> _Bar:
        printed = Money(amount, row.billing_currency).printed(locale)
        return _Bar(caption(name, locale), Decimal(), amount, printed, "")

    bars, end = [whole("contracted cost", contracted)], contracted
    for (pattern, name), effect in zip(names.items(), effects, strict=True):
        if effect or pattern != "exchange":  # of one currency there is none
            start, end = end, end + effect
            says = _signed(effect, locale)
            bars.append(_Bar(caption(name, locale), start, end, says, f"{pattern}{number}"))
    return [*bars, whole("billed cost", billed)]


def _signed(amount: Decimal, locale: str) -> str:
    """With a word, since a bar does not show its direction."""
    word = caption("more" if amount > 0 else "less" if amount < 0 else "nothing", locale)
    return f"{format_amount(amount, signed=True, locale=locale)} ({word})"


def _steps(low: float, high: float) -> Iterator[float]:
    """Round values from low to high, about four."""
    step = 1.0
    while step < (high - low) / 4:
        step *= 2.5 if f"{step:e}"[0] == "2" else 2
    at = (low // step) * step
    while at <= high * 1.05:
        if at >= low:
            yield at
        at += step


def _svg(height: int, label: str, elements: list[str]) -> Markup:
    from markupsafe import Markup

    return Markup(  # noqa: S704 - each text in it is escaped
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(label)}" '
        f'font-size="13" fill="#000">{"".join(elements)}</svg>'
    )


def _hatch(name: str, tilt: int, colour: str) -> str:
    return (
        f'<pattern id="{name}" width="8" height="8" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate({tilt})"><rect width="8" height="8" fill="#fff"/>'
        '<line x1="0" y1="0" x2="0" y2="8" '
        f'stroke="{colour}" stroke-width="2"/></pattern>'
    )


# SVG's own four numbers, and how it is drawn.
def _rect(x: float, y: float, width: float, height: float, pattern: str, title: str) -> str:
    fill = f"url(#{pattern})" if pattern else "#d5d5d5"
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{fill}" stroke="#444" stroke-width=".8"><title>{escape(title)}</title></rect>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, more: str = "", colour: str = "#000") -> str:
    places = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {places} stroke="{colour}" {more}/>'


def _label(x: float, y: float, text: str, anchor: str) -> str:
    """A text with a white edge, so that it is read on a pattern too."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" stroke="#fff" stroke-width="4" '
        f'paint-order="stroke">{escape(text)}</text>'
    )
