"""The charts: a counter's month, the bridge from contract to invoice, coverage, and the months
beside each other. Altair describes them, and the browser draws them.

Colour says nothing that a shape, a place or a word does not say too. A time stands where the clock
of the vendor's time zone had it: 23:50 of the 7th is on the 7th.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import altair as alt
from altair.utils.schemapi import debug_mode

from wolkvox_billing.evidence.report.html import Money
from wolkvox_billing.evidence.report.month import DayCoverage, LoadedReading, Usage
from wolkvox_billing.marts.ahead import Forecast
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.screen.pages import say_moment
from wolkvox_billing.values.clock import day_start
from wolkvox_billing.values.durations import HOUR, format_span
from wolkvox_billing.values.locales import (
    format_day_and_year,
    format_month_name,
    marks_of,
    short_month,
)
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.values.periods import DAY, Period, month_of, months_of
from wolkvox_billing.values.translation import N_, phrase, say_in, translate
from wolkvox_billing.verbs.notebook import Month, MonthlyCost

Datum = Mapping[str, object]

_BLUE, _ORANGE, _GREY, _RED = "#3b82d6", "#d9730d", "#8a94a3", "#d64550"
_QUIET = "#717b88"  # of a text, on a light page and on a dark one
_MOST_POINTS = 1500  # beyond, an hour's last reading stands for it
_MOST_MONTHS, _LEAST_MONTHS = 13, 6
_LEVELS = ((1, N_("up to 1 h")), (6, N_("up to 6 h")), (24, N_("up to 1 day")))
_NO_ANSWER = N_("no answer")
_SAYS = alt.Tooltip("says:N", title=" ")
_DAY_OF = N_("day of {month}")
Chart = alt.LayerChart | alt.FacetChart | alt.Chart
# Altair holds each part of a chart against its schema, which takes eight times as long as the chart
# itself; a test holds whole charts against it.
unchecked = debug_mode(False)


@unchecked
def draw_counter(usage: Usage, forecasts: Sequence[Forecast] = ()) -> Chart:
    """Return a counter's month: what it showed, when nobody was answered, what was billed, and
    what is expected by its end where one of the forecasts is the counter's."""
    own = (row for row in forecasts if (row.operation_id, row.report, row.product) == usage.counter)
    return _CounterChart(usage, next(own, None)).draw()


class _CounterChart:
    """A counter's month: from left to right its days, from bottom to top what it showed."""

    def __init__(self, usage: Usage, forecast: Forecast | None) -> None:
        self.usage, self.locale, self.forecast = usage, usage.locale, forecast
        self.gaps, _ = usage.gaps()
        self.unit = usage.unit
        start, end = usage.period
        noons = [_wall(day_start(start + DAY * n, usage.zone) + 12 * HOUR, usage.zone)
                 for n in range(usage.days)]  # fmt: skip
        self.x = alt.X(
            "at:T",
            scale=alt.Scale(type="utc", domain=[_midnight(start), _midnight(end)], nice=False),
            axis=alt.Axis(values=noons, labelExpr="utcdate(datum.value)", ticks=False, grid=False,
                          labelOverlap="greedy", labelSeparation=6),
            title=self.say(_DAY_OF, month=format_month_name(start, self.locale)),
        )  # fmt: skip
        self.y = alt.Y("value:Q", title=self.unit, scale=alt.Scale(zero=True))

    def say(self, text: str, **values: object) -> str:
        return phrase(text, self.locale, **values)

    def draw(self) -> Chart:
        own = self._days() if self.usage.measure == "daily" else self._curve()
        layers = [self._midnights(), *self._gap_bands(), *own, *self._ahead(),
                  *self._bills(), *self._refusals()]  # fmt: skip
        title = ", ".join(filter(None, self.usage.counter))
        month = format_month_name(self.usage.period.start, self.locale)
        said = self.say(N_("{name}: what was read in {month}"), name=title, month=month)
        return _finished(alt.layer(*layers), self.locale, 280, said)

    def _midnights(self) -> Chart:
        start, _ = self.usage.period
        days = [{"at": _midnight(start + DAY * n)} for n in range(self.usage.days + 1)]
        rules: Chart = _of(days).mark_rule(color=_GREY, opacity=0.18).encode(x=self.x)
        return rules

    def _gap_bands(self) -> list[Chart]:
        zone = self.usage.zone
        bands = [
            {
                "at": _wall(a, zone),
                "until": _wall(b, zone),
                "middle": _wall((a + b) // 2, zone),
                "says": self.say(N_("no answer for {span}"), span=format_span(b - a)),
                "is_wide": b - a > 4 * 24 * HOUR,
            }
            for a, b in self.gaps
        ]
        if not bands:
            return []
        area = (
            _of(bands)
            .mark_rect(color=_GREY, opacity=0.22, stroke=_GREY, strokeDash=[3, 3])
            .encode(x=self.x, x2="until:T", tooltip=[_SAYS])
        )
        wide = [band for band in bands if band["is_wide"]]
        label = (
            _of(wide)
            .mark_text(color=_QUIET, dy=-6, baseline="top", fontSize=12)
            .encode(x=alt.X("middle:T", scale=alt.Scale(type="utc")), y=alt.value(12),
                    text="says:N")
        )  # fmt: skip
        return [area, label] if wide else [area]

    def _curve(self) -> list[Chart]:
        """A line through the readings, a gauge's as steps; dotted where it crosses a gap, since
        nobody knows how it went."""
        points = self._points()
        if not points:
            return []
        shape: Literal["step-after", "linear"] = (
            "step-after" if self.usage.measure == "gauge" else "linear"
        )
        stretches = self._stretches(points)
        line = (
            _of(stretches)
            .mark_line(color=_BLUE, strokeWidth=2, interpolate=shape)
            .encode(x=self.x, y=self.y, detail="stretch:N",
                    strokeDash=alt.StrokeDash("kind:N", legend=None,
                                              scale=alt.Scale(domain=["read", "unread"],
                                                              range=[[1, 0], [2, 5]])))
        )  # fmt: skip
        dots = (
            _of(points)
            .mark_point(color=_BLUE, filled=True, size=34, opacity=1)
            .encode(x=self.x, y=self.y, tooltip=self._tooltip())
        )
        return [line, dots]

    def _days(self) -> list[Chart]:
        """A bar for each day, whose own value it is."""
        bars = [
            {**self._datum(row), "at": _midnight(day), "until": _midnight(day + DAY)}
            for day, row in self.usage.last_of_days().items()
        ]
        if not bars:
            return []
        return [
            _of(bars)
            .mark_rect(color=_BLUE, opacity=0.85)
            .encode(x=self.x, x2="until:T", y=self.y, y2=alt.datum(0), tooltip=self._tooltip())
        ]

    def _bills(self) -> list[Chart]:
        if self.usage.measure == "daily":
            return []
        bills = [{"value": float(bill.quantity), "says": bill.label} for bill in self.usage.bills]
        if not bills:
            return []
        rule = _of(bills).mark_rule(color=_ORANGE, strokeWidth=2, strokeDash=[8, 4])
        label = _of(bills).mark_text(color=_ORANGE, align="left", dx=6, dy=-7, fontSize=12)
        return [
            rule.encode(y=self.y, tooltip=[_SAYS]),
            label.encode(y=self.y, x=alt.value(0), text="says:N"),
        ]

    def _ahead(self) -> list[Chart]:
        """A band from the last reading to what the month will end at, four times in five."""
        row = self.forecast
        if self.usage.measure != "month_to_date" or not row or not self.usage.readings:
            return []
        last = max(self.usage.readings, key=lambda reading: reading.read_epoch)
        values = (row.low_quantity, row.expected_quantity, row.high_quantity)
        low, expected, high = (float(value or last.items) for value in values)
        now = float(last.items)
        says = self.say(
            N_("expected by the month's end: {expected}; four times in five {low} to {high}"),
            low=row.low_quantity or 0,
            expected=row.expected_quantity or 0,
            high=row.high_quantity or 0,
        )
        ends: list[Datum] = [
            {"at": _wall(last.read_epoch, self.usage.zone), "low": now, "value": now, "high": now,
             "says": says},
            {"at": _midnight(self.usage.period.end), "low": low, "value": expected, "high": high,
             "says": says},
        ]  # fmt: skip
        y = alt.Y("low:Q", title=self.unit)
        return [
            _of(ends).mark_area(color=_BLUE, opacity=0.2).encode(
                x=self.x, y=y, y2="high:Q", tooltip=[_SAYS]
            ),
            _of(ends).mark_line(color=_BLUE, strokeDash=[4, 4]).encode(
                x=self.x, y=self.y, tooltip=[_SAYS]
            ),
        ]  # fmt: skip

    def _refusals(self) -> list[Chart]:
        zone = self.usage.zone
        calls = [  # one of each hour
            {
                "at": _wall(at, zone),
                "says": say_moment(datetime.fromtimestamp(at, timezone.utc), zone, self.locale),
            }
            for at in {at // HOUR: at for at in sorted(self.usage.asked.refused)}.values()
        ]
        if not calls:
            return []
        tooltip = [alt.Tooltip("says:N", title=self.say(N_("refused or not answered")))]
        marks = _of(calls).mark_point(shape="cross", angle=45, size=60, color=_RED, filled=True)
        return [marks.encode(x=self.x, y=alt.value(274), tooltip=tooltip)]

    def _points(self) -> list[Datum]:
        rows = sorted(self.usage.readings, key=lambda row: row.read_epoch)
        if len(rows) > _MOST_POINTS:
            rows = list({(row.date, row.read_epoch // HOUR): row for row in rows}.values())
        return [self._datum(row) for row in rows]

    def _datum(self, row: LoadedReading) -> Datum:
        at, zone = self.usage.stands_at(row), self.usage.zone
        return {
            "at": _wall(at, zone),
            "epoch": at,
            "value": float(row.items),
            "says": f"{format_number(row.items, locale=self.locale)} {self.unit}",
            "moment": say_moment(row.read_at, zone, self.locale),
            "call": row.poll_id,
        }

    def _stretches(self, points: Sequence[Datum]) -> list[Datum]:
        """Return the points by the stretches of a line, and those that cross a gap on their own."""
        rows: list[Datum] = []
        stretch = 0
        for before, after in itertools.pairwise(points):
            is_crossed = self._crosses(before, after)
            stretch += is_crossed
            own: Datum = {"kind": "unread" if is_crossed else "read", "stretch": stretch}
            rows += [{**before, **own}, {**after, **own}]
            stretch += is_crossed
        return rows

    def _crosses(self, before: Datum, after: Datum) -> bool:
        start, end = before["epoch"], after["epoch"]
        assert isinstance(start, int)
        assert isinstance(end, int)
        return any(start <= a + 60 and b - 60 <= end for a, b in self.gaps)

    def _tooltip(self) -> list[alt.Tooltip]:
        names = {"says": N_("value"), "moment": N_("moment"), "call": N_("call")}
        return [alt.Tooltip(f"{key}:N", title=self.say(name)) for key, name in names.items()]


class BridgeStep(NamedTuple):
    """A part of the way from contracted to billed cost; a total begins at zero."""

    name: str
    amount: Decimal
    is_total: bool


class Bridge(NamedTuple):
    """The way from contracted to billed cost in a currency, and how many verdicts it is of."""

    currency: str
    steps: Sequence[BridgeStep]
    verdicts: int


def has_bridge(row: ReconciledRow) -> bool:
    """Whether an invoice is in it, and both effects are known."""
    return row.is_billed and None not in (row.contracted_cost, row.volume_effect, row.price_effect)


def bridges_of(verdicts: Iterable[ReconciledRow], locale: str) -> list[Bridge]:
    """Return the Bridge of each currency: the sum of those verdicts that have one."""
    by_currency: defaultdict[str, list[ReconciledRow]] = defaultdict(list)
    for row in filter(has_bridge, verdicts):
        by_currency[row.billing_currency or ""].append(row)
    columns = ("contracted_cost", "volume_effect", "price_effect", "exchange_effect", "billed_cost")
    bridges: list[Bridge] = []
    for currency, rows in sorted(by_currency.items()):
        amounts = {
            name: sum((getattr(row, name) or Decimal() for row in rows), Decimal())
            for name in columns
        }
        steps = [
            BridgeStep(caption(name, locale), amounts[name], name.endswith("cost"))
            for name in columns
            if amounts[name] or name != "exchange_effect"
        ]
        bridges.append(Bridge(currency, steps, len(rows)))
    return bridges


@unchecked
def draw_bridge(bridge: Bridge, locale: str) -> Chart:
    """Return a chart of a Bridge. The axis starts at zero, so that a bar's length is its amount."""
    bars: list[Datum] = []
    at = Decimal()
    for place, step in enumerate(bridge.steps):
        start = Decimal() if step.is_total else at
        at = start + step.amount
        word = format_amount(step.amount, signed=not step.is_total, locale=locale)
        bars.append({
            "step": f"{step.name}|{word} {bridge.currency}".strip(),
            "place": place,
            "from": float(start),
            "to": float(at),
            "kind": "total" if step.is_total else "more" if step.amount > 0 else "less",
            "name": step.name,
            "says": f"{word} {bridge.currency}".strip(),
        })  # fmt: skip
    # Names and amounts stand beside the bars, in two lines: a label within would hide a bar.
    axis = alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=170, ticks=False)
    y = alt.Y("step:N", sort=[str(bar["step"]) for bar in bars], title=None, axis=axis)
    x = alt.X("from:Q", title=bridge.currency or None, scale=alt.Scale(zero=True))
    colour = alt.Color(
        "kind:N",
        legend=None,
        scale=alt.Scale(domain=["total", "more", "less"], range=[_GREY, _ORANGE, _BLUE]),
    )
    tooltip = [alt.Tooltip("name:N", title=" "), _SAYS]
    bar = _of(bars).mark_bar(height=20).encode(x=x, x2="to:Q", y=y, color=colour, tooltip=tooltip)
    return _finished(bar, locale, 44 * len(bars), translate(N_("From contract to invoice"), locale))


@unchecked
def draw_coverage(month: Month) -> Chart | None:
    """Return a heat map of the month's days by operation and report: how long the longest time
    without an answer was; a cross where there was no answer, and `!` where some were refused. None
    where nobody was asked."""
    locale = month.language
    if not month.coverage:
        return None
    levels = [translate(says, locale) for _, says in _LEVELS] + [translate(_NO_ANSWER, locale)]
    reports = {day.report for day in month.coverage}
    cells = [
        {
            **_coverage_cell(day, levels, locale),
            "whose": day.operation_id if len(reports) == 1 else f"{day.operation_id} {day.report}",
        }
        for day in month.coverage
    ]
    start, end = month.period
    days = [(start + DAY * n).day for n in range((end - start).days)]
    x = alt.X(
        "day:O",
        title=phrase(_DAY_OF, locale, month=format_month_name(start, locale)),
        scale=alt.Scale(domain=days),
        axis=alt.Axis(labelAngle=0, labelOverlap="greedy", labelSeparation=6, ticks=False),
    )
    y = alt.Y("whose:N", title=None, axis=alt.Axis(labelLimit=150, ticks=False))
    colour = alt.Color(
        "level:N",
        title=translate(N_("longest time without an answer"), locale),
        scale=alt.Scale(domain=levels, range=["#1f5fae", "#5b96dc", "#a9c8ee", "#e3b1b1"]),
        legend=alt.Legend(orient="top", titleLimit=320, columns=2),
    )
    tooltip = [
        alt.Tooltip(f"{field}:N", title=caption(name, locale))
        for field, name in (("whose", "operation"), ("says", "day"), ("calls", "calls"),
                            ("answered", "answered"), ("refused", "refused"),
                            ("gap", "longest gap"))
    ]  # fmt: skip
    base = _of(cells).encode(x=x, y=y, tooltip=tooltip)
    squares = base.mark_rect(stroke="white", strokeWidth=1).encode(color=colour)
    glyphs = base.mark_text(color="#1a1a1a", fontWeight="bold", fontSize=12).encode(text="glyph:N")
    rows = len({cell["whose"] for cell in cells})
    said = translate(N_("On which days each operation and report was answered"), locale)
    return _finished(alt.layer(squares, glyphs), locale, max(26 * rows, 52), said)


def _coverage_cell(day: DayCoverage, levels: Sequence[str], locale: str) -> Datum:
    hours = day.largest_gap_minutes / 60
    place = next((n for n, (most, _) in enumerate(_LEVELS) if hours <= most), len(_LEVELS) - 1)
    return {
        "day": day.poll_date.day,
        "says": format_day_and_year(day.poll_date, locale),
        "level": levels[place] if day.polls_answered else levels[-1],
        "glyph": "\u00d7" if not day.polls_answered else "!" if day.refusals else "",
        "calls": day.polls,
        "answered": day.polls_answered,
        "refused": day.refusals,
        "gap": say_in(locale, format_span(day.largest_gap_minutes * 60)),
    }


class MonthCost(NamedTuple):
    """What was billed in a month, in one currency, and what that costs by contract."""

    start: date
    billed: Decimal
    contracted: Decimal
    without_price: int


def costs_by_month(
    costs: Iterable[MonthlyCost], operation_id: str | None
) -> dict[str, list[MonthCost]]:
    """Return the newest months of each currency, of one operation or of all, the oldest first."""
    sums: dict[str, dict[date, MonthCost]] = {}
    for cost in costs:
        if operation_id not in (None, cost.operation_id):
            continue
        start = cost.billing_period_start.replace(day=1)
        months = sums.setdefault(cost.billing_currency or "", {})
        before = months.get(start, MonthCost(start, Decimal(), Decimal(), 0))
        months[start] = MonthCost(
            start,
            before.billed + (cost.billed_cost or 0),
            before.contracted + (cost.contracted_cost or 0),
            before.without_price + int(cost.without_price),
        )
    return {
        currency: [months[start] for start in sorted(months)][-_MOST_MONTHS:]
        for currency, months in sorted(sums.items())
    }


@unchecked
def draw_months(currency: str, months: Sequence[MonthCost], locale: str) -> Chart:
    """Return the months of a currency beside each other: by contract, and billed."""
    kinds = [caption("contracted cost", locale), caption("billed cost", locale)]
    bars: list[Datum] = [
        {
            "month": short_month(month.start, locale),
            "kind": kind,
            "value": float(amount),
            "says": Money(amount, currency).printed(locale),
        }
        for month in months
        for kind, amount in zip(kinds, (month.contracted, month.billed), strict=True)
    ]
    chart = (
        _of(bars)
        .mark_bar()
        .encode(
            x=alt.X("month:O", title=None, scale=alt.Scale(domain=_months_shown(months, locale)),
                    axis=alt.Axis(labelAngle=0, labelOverlap="greedy", labelSeparation=6,
                                  ticks=False)),
            xOffset=alt.XOffset("kind:N", sort=kinds),
            y=alt.Y("value:Q", title=currency or None),
            color=alt.Color("kind:N", title=None, sort=kinds, legend=alt.Legend(orient="top"),
                            scale=alt.Scale(domain=kinds, range=[_GREY, _ORANGE])),
            tooltip=[alt.Tooltip("month:N", title=" "), alt.Tooltip("kind:N", title=" "),
                     _SAYS],
        )
    )  # fmt: skip
    said = N_("Billed and by contract, month by month, in {currency}")
    return _finished(chart, locale, 220, phrase(said, locale, currency=currency))


def _months_shown(months: Sequence[MonthCost], locale: str) -> list[str]:
    """Return the months up to the newest one, without a hole, and so many that a bar is no wall."""
    newest, oldest = months[-1].start, months[0].start
    starts = [period.start for period in months_of(Period(oldest, newest + DAY))]
    while len(starts) < _LEAST_MONTHS:
        starts.insert(0, month_of(starts[0] - DAY).start)
    return [short_month(start, locale) for start in starts]


def _of(rows: Sequence[Datum]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def _finished(chart: Chart, locale: str, height: int, says: str) -> Chart:
    """Return a chart as wide as its place, with the locale's numbers, and a text for who does not
    see it."""
    marks = marks_of(locale)
    number = {"decimal": marks.decimal, "thousands": marks.thousands, "grouping": [3],
              "currency": ["", ""]}  # fmt: skip
    finished: Chart = (
        chart.properties(width="container", height=height, description=says)
        .properties(background="transparent")
        .configure(locale={"number": number}, font="PT Sans, system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(gridColor=_GREY, gridOpacity=0.2, labelFontSize=12, titleFontSize=12,
                        titleFontWeight="normal", domainColor=_GREY)
        .configure_legend(labelFontSize=12, titleFontSize=12, titleFontWeight="normal")
    )  # fmt: skip
    return finished


def _wall(at: int, zone: ZoneInfo) -> int:
    """Return what a clock of a time zone shows at a moment, in milliseconds as if it were UTC."""
    wall = datetime.fromtimestamp(at, zone).replace(tzinfo=timezone.utc)
    return int(wall.timestamp() * 1000)


def _midnight(day: date) -> int:
    return _wall(day_start(day, ZoneInfo("UTC")), ZoneInfo("UTC"))
