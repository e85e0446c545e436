"""Charts as SVG, without scripts: a counter's month, and the bridge from contract to invoice.

Colour says nothing that a pattern, a shape or a word does not say too. The `number` of a chart is
its own on its page: patterns are known by it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from decimal import Decimal

from wolkvox_billing.evidence.report.html import Money, text
from wolkvox_billing.evidence.report.month import Usage
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.values.clock import day_start
from wolkvox_billing.values.durations import HOUR, format_span
from wolkvox_billing.values.periods import format_month

_WIDTH, _HEIGHT = 960, 310
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 20, 30, 78  # margins of a counter's chart
_FLOOR = _HEIGHT - _BOTTOM
_MOST_DOTS = 200
_BAR, _ROW, _NAMES, _VALUES = 22, 36, 150, 190  # of a bridge
_TILTS = {"volume": 45, "price": -45}


def usage_chart(usage: Usage, number: int) -> str:
    """What a counter showed, when it was asked, the gaps, and what was billed."""
    start, end = usage.span
    gaps, _ = usage.gaps()
    # A day that was read after it was over stands at its end.
    points = sorted(
        (min(one["read_epoch"], day_start(one["date"], usage.zone) + 24 * HOUR - 1),
         one["read_epoch"], one["items"])
        for one in usage.read
    )  # fmt: skip
    billed = [] if usage.measure == "daily" else usage.billed
    values = [*(value for *_, value in points), *(value for value, _ in billed)]
    highest, lowest = max([*values, Decimal(1)]), min([*values, Decimal(0)])

    def x(at: float) -> float:
        return _LEFT + (at - start) / (end - start) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float | Decimal) -> float:
        part = (float(value) - float(lowest)) / (float(highest - lowest) * 1.08)
        return _FLOOR - part * (_FLOOR - _TOP)

    drawn = [_hatch(f"gap{number}", 45)]
    for a, b in gaps:
        drawn.append(_rect(x(a), _TOP, x(b) - x(a), _FLOOR - _TOP, f"gap{number}"))
        if x(b) - x(a) > 60:
            drawn.append(
                _label((x(a) + x(b)) / 2, _TOP - 8, f"no answer {format_span(b - a)}", "middle")
            )
    for at in _steps(float(lowest), float(highest)):
        drawn.append(_line(_LEFT - 4, y(at), _WIDTH - _RIGHT, y(at), 'stroke-opacity=".15"'))
        drawn.append(_label(_LEFT - 8, y(at) + 4, f"{at:,.10g}", "end"))
    drawn.append(_line(_LEFT, _FLOOR, _WIDTH - _RIGHT, _FLOOR))
    drawn.append(_line(_LEFT, _TOP, _LEFT, _FLOOR))
    for day in [d for d in range(1, (usage.end - usage.start).days + 1) if d == 1 or d % 5 == 0]:
        place = x(day_start(usage.start.replace(day=day), usage.zone))
        drawn.append(_line(place, _FLOOR, place, _FLOOR + 5))
        drawn.append(_label(place, _FLOOR + 20, str(day), "middle"))
    drawn.append(_label(_LEFT - 12, _FLOOR + 20, "day", "end"))
    # A tick for each call; many at one place are drawn once.
    drawn.append(_label(_LEFT - 8, _FLOOR + 43, "answered", "end"))
    for at in _places(x(one) for one in usage.asked.answered if start <= one <= end):
        drawn.append(_line(at, _FLOOR + 32, at, _FLOOR + 44))
    drawn.append(_label(_LEFT - 8, _FLOOR + 65, "refused", "end"))
    for at in _places(x(one) for one in usage.asked.refused if start <= one <= end):
        drawn.append(_line(at - 4, _FLOOR + 56, at + 4, _FLOOR + 64))
        drawn.append(_line(at - 4, _FLOOR + 64, at + 4, _FLOOR + 56))
    drawn += _curve([(x(a), y(value)) for a, _, value in points], [(x(a), x(b)) for a, b in gaps])
    for value, says in billed:
        dashed = 'stroke-width="2" stroke-dasharray="9 5"'
        drawn.append(_line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), dashed))
        drawn.append(_label(_LEFT + 8, y(value) + 16, says, "start"))
    label = f"{usage.title}: readings, calls and gaps in {format_month(usage.start)}"
    return _svg(_HEIGHT, label, drawn)


def _curve(points: list[tuple[float, float]], gaps: list[tuple[float, float]]) -> Iterator[str]:
    """A line through the points: dotted where it crosses a gap, since nobody knows how it went."""
    places = list(dict.fromkeys((round(a, 1), round(b, 1)) for a, b in points))
    for one, other in itertools.pairwise(places):
        in_gap = any(a - 0.1 <= one[0] and other[0] <= b + 0.1 for a, b in gaps)
        how = 'stroke-width="2" stroke-dasharray="1 5" stroke-linecap="round"'
        if in_gap:
            yield _line(*one, *other, how)
    solid: list[list[tuple[float, float]]] = [[]]
    for one in places:
        last = solid[-1][-1][0] if solid[-1] else one[0]
        if any(a - 0.1 <= last and one[0] <= b + 0.1 for a, b in gaps) and solid[-1]:
            solid.append([])
        solid[-1].append(one)
    for part in solid:
        if part:
            line = " ".join(f"{a:.1f},{b:.1f}" for a, b in part)
            yield f'<polyline points="{line}" fill="none" stroke="#000" stroke-width="2"/>'
    if len(places) <= _MOST_DOTS:
        for a, b in places:
            yield f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3"/>'


def has_bridge(row: ReconciledRow) -> bool:
    """Whether both effects are known, and the cost by contract is not what was billed."""
    known = (row.contracted_cost, row.volume_effect, row.price_effect)
    return None not in known and bool(row.cost_variance)


def bridge_chart(row: ReconciledRow, number: int) -> str:
    """From what the contract says to what was billed: contracted cost, volume and price effect,
    billed cost. The axis starts at zero, so that a bar's length is its amount."""
    cost, volume, price, billed = (
        getattr(row, name)
        for name in ("contracted_cost", "volume_effect", "price_effect", "billed_cost")
    )
    bars = [
        ("contracted cost", Decimal(), cost, f"{Money(cost, row.billing_currency)}", ""),
        ("volume effect", cost, cost + volume, _signed(volume), f"volume{number}"),
        ("price effect", cost + volume, billed, _signed(price), f"price{number}"),
        ("billed cost", Decimal(), billed, f"{Money(billed, row.billing_currency)}", ""),
    ]
    ends = [float(one) for _, a, b, *_ in bars for one in (a, b)]
    low, high = min(ends), max(ends)

    def x(value: Decimal) -> float:
        room = _WIDTH - _NAMES - _VALUES
        return _NAMES + (float(value) - low) / ((high - low) or 1) * room

    drawn = [_hatch(f"{name}{number}", tilt) for name, tilt in _TILTS.items()]
    for place, (name, before, after, says, pattern) in enumerate(bars):
        top = 8 + place * _ROW
        left, right = sorted((x(before), x(after)))
        drawn.append(_label(_NAMES - 10, top + 16, name, "end"))
        drawn.append(_rect(left, top, max(right - left, 1.5), _BAR, pattern))
        drawn.append(_label(right + 8, top + 16, says, "start"))
        if place < len(bars) - 1:  # where the next one starts
            at = x(after)
            drawn.append(_line(at, top + _BAR, at, top + _ROW, 'stroke-dasharray="2 2"'))
    drawn.append(_line(x(Decimal()), 2, x(Decimal()), 8 + len(bars) * _ROW - 8))
    told = ", ".join(f"{name} {says}" for name, *_, says, _ in bars)
    return _svg(12 + len(bars) * _ROW, f"From contract to invoice: {told}", drawn)


def _signed(amount: Decimal) -> str:
    """With a word, since a bar does not show its direction."""
    word = "more" if amount > 0 else "less" if amount < 0 else "none"
    return f"{amount:+,.2f} ({word})" if amount else "0.00 (none)"


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


def _places(found: Iterable[float]) -> Iterator[float]:
    yield from dict.fromkeys(float(round(one)) for one in sorted(found))


def _svg(height: int, label: str, drawn: list[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{text(label)}" '
        f'font-size="13" fill="#000">{"".join(drawn)}</svg>'
    )


def _hatch(name: str, tilt: int) -> str:
    return (
        f'<pattern id="{name}" width="8" height="8" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate({tilt})"><rect width="8" height="8" fill="#fff"/>'
        '<line x1="0" y1="0" x2="0" y2="8" stroke="#666" stroke-width="2"/></pattern>'
    )


def _rect(x: float, y: float, width: float, height: float, pattern: str) -> str:
    fill = f"url(#{pattern})" if pattern else "#d5d5d5"
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{fill}" stroke="#444" stroke-width=".8"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, more: str = "") -> str:
    places = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {places} stroke="#000" {more}/>'


def _label(x: float, y: float, said: str, anchor: str) -> str:
    """A text with a white edge, so that it is read on a pattern too."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" stroke="#fff" stroke-width="4" '
        f'paint-order="stroke">{text(said)}</text>'
    )
