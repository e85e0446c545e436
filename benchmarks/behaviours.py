"""Behaviours of honest vendors and billing departments: each is odd in a way that is no fault.

A Behaviour is one way to count, to answer and to bill; all other ways are the plain ones.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

import answers
import counters
import departments
from answers import Face
from counters import Effect, Kind
from departments import Department

LAST_MONTH = date(2026, 10, 1)
WHOLE = Decimal(1)
Settings = dict[str, Any]  # fields of a Behaviour


@dataclass(frozen=True)
class Behaviour:
    """What is done, and by which settings it is judged.

    rare: uses a day, of a counter that moves seldom. growing_days: of a roll-out. parts: of use,
    such as seconds, in one unit that is billed. cast: `two` operations on one line, or `all` that
    have the report, or an operation that `moved` and is another one from the middle of the last
    month on. mapped: the product that the line map names. since: the day of the first month on
    which somebody began to ask. mixed: how many ways are put together. last: the last month that is
    judged, by the clocks of a zone. shows_power: whether wrong invoices are tried on it too.
    """

    name: str
    kind: Kind = counters.live
    effects: tuple[Effect, ...] = ()
    face: Face = answers.plain
    department: Department = departments.EACH_MONTH
    report: str = "ivr_calls"
    measure: str | None = "month_to_date"
    gauge_month: str = "max"
    period_rule: str = "month_before_issue"
    now: date = date(2026, 11, 30)
    price: Decimal = Decimal(100)
    rare: float | None = None
    growing_days: int = 0
    parts: int = 1
    cast: str = ""
    mapped: str = ""
    since: int = 1
    mixed: int = 0
    last: date = LAST_MONTH
    zone: str = "America/Bogota"
    shows_power: bool = False


def _counters() -> list[Behaviour]:
    return [
        Behaviour("live counter", shows_power=True),
        Behaviour("live counter of a report with a nightly name", report="rsync_s3_mp3"),
        Behaviour("live counter of minutes, two decimals", counters.minutes, report="rec_minutes",
                  parts=100, shows_power=True),
        *(
            Behaviour(f"nightly copy, billed by {measure}", counters.nightly(measure),
                      report="rsync_s3_mp3", shows_power=True)
            for measure in ("copied", "called", "after_first_night")
        ),
        *(
            Behaviour(f"nightly counter of another report, billed by {measure}",
                      counters.nightly(measure), report="rec_screen")
            for measure in ("copied", "called")
        ),
        *(
            Behaviour(f"nightly copy, billed by {measure}, judged on the 1st",
                      counters.nightly(measure), report="rsync_s3_mp3",
                      department=departments.monthly(after=1), now=date(2026, 11, 1))
            for measure in ("copied", "called", "after_first_night")
        ),
        Behaviour("nightly copy that failed once", counters.caught_up, report="rsync_s3_mp3"),
        Behaviour("frozen for the last 36 hours", effects=(counters.frozen(36),),
                  shows_power=True),
        Behaviour("frozen for 20 hours in mid-month", effects=(counters.stale_for(20),),
                  shows_power=True),
        Behaviour("dips by 3 % each midnight", effects=(counters.dipping(each_night=True),),
                  shows_power=True),
        Behaviour("computed anew on the last night, 3 % low",
                  effects=(counters.dipping(each_night=False),), shows_power=True),
        Behaviour("server moved in mid-month, counter anew", effects=(counters.moved,),
                  shows_power=True),
        Behaviour("updated every hour", effects=(counters.updated_every(1),), shows_power=True),
        Behaviour("updated every 6 hours", effects=(counters.updated_every(6),),
                  shows_power=True),
        Behaviour("asked since the 16th", since=16),
        Behaviour("lags 3 hours", effects=(counters.lagging(3),), shows_power=True),
        Behaviour("outage of the last day recovered after the turn",
                  effects=(counters.recovered,)),
        Behaviour("reset 5 minutes early", counters.turning(-300, bills_its_own=False),
                  shows_power=True),
        Behaviour("reset 3 hours late", counters.turning(3 * 3600, bills_its_own=False),
                  shows_power=True),
        Behaviour("reset by UTC, billed by UTC", counters.turning(-5 * 3600, bills_its_own=True),
                  shows_power=True),
        Behaviour("reset by UTC, billed by the calendar",
                  counters.turning(-5 * 3600, bills_its_own=False)),
        Behaviour("dated by UTC", effects=(counters.dated_by_utc,)),
        Behaviour("always dated the 1st", effects=(counters.dated_first,)),
        Behaviour("billed by the month of UTC", counters.billed_until(-5 * 3600)),
        Behaviour("billed by a month that is cut at 18:00", counters.billed_until(-6 * 3600)),
        *(Behaviour(f"rare, {rare} a day", rare=rare, shows_power=rare == 0.3)
          for rare in (0.05, 0.1, 0.3)),
    ]  # fmt: skip


def _guessed() -> list[Behaviour]:
    auto: Settings = {"measure": "auto", "report": "sentiment_analysis"}
    plain = [
        Behaviour("auto: live counter"),
        Behaviour("auto: nightly copy", counters.nightly("called")),
        Behaviour("auto: never reset", counters.never_reset),
        Behaviour("auto: one correction after the month", effects=(
            counters.corrected(date(2026, 11, 10)),)),
        Behaviour("auto: server moved in mid-month", effects=(counters.moved,)),
        Behaviour("auto: daily numbers", counters.daily),
        Behaviour("auto: daily numbers that rise", counters.daily, growing_days=130),
        Behaviour("auto: daily numbers, listed", counters.daily, face=answers.listed),
        Behaviour("auto: lists of month-to-date numbers", face=answers.listed),
        Behaviour("auto: month-to-date numbers of yesterday and today", face=answers.two_days),
        Behaviour("auto: gauge", counters.gauge(counters.stairs, "max")),
        *(Behaviour(f"auto: rare, {rare} a day", rare=rare) for rare in (0.05, 0.1, 0.3)),
        *(Behaviour(f"auto: rare daily numbers, {rare} a day", counters.daily, rare=rare)
          for rare in (0.05, 0.1, 0.3)),
    ]  # fmt: skip
    by_day: Settings = {"measure": "daily", "report": "interactions"}
    days = [
        Behaviour("daily numbers", counters.daily, shows_power=True),
        Behaviour("daily numbers, listed", counters.daily, face=answers.listed, shows_power=True),
        Behaviour("daily numbers, listed, late until 03:00", counters.daily,
                  face=answers.listed_late),
        Behaviour("daily numbers, yesterday's alone", counters.daily, face=answers.yesterday),
        Behaviour("daily numbers, rare", counters.daily, rare=0.1),
    ]  # fmt: skip
    return [
        *(replace(behaviour, **auto) for behaviour in plain),
        *(replace(behaviour, **by_day) for behaviour in days),
        Behaviour("daily numbers of a report that is called a gauge", counters.daily,
                  report="video_call", measure=None, rare=20),
    ]  # fmt: skip


def _gauges() -> list[Behaviour]:
    gauge = counters.gauge
    behaviours = [
        Behaviour("none at night, billed by max", gauge(counters.office_hours, "max"),
                  shows_power=True),
        Behaviour("none at night, billed by average", gauge(counters.office_hours, "average")),
        Behaviour("peak of 6 hours, billed by max", gauge(counters.peak, "max"),
                  shows_power=True),
        *(
            Behaviour(f"changed twice, billed by {billed}", gauge(counters.stairs, billed),
                      shows_power=billed == "max")
            for billed in ("max", "last", "first", "average", "pro rata")
        ),
        Behaviour("changed twice, average set and billed", gauge(counters.stairs, "average"),
                  gauge_month="average"),
        Behaviour("none at night, average set and billed",
                  gauge(counters.office_hours, "average"), gauge_month="average"),
        Behaviour("changed twice, last set and billed", gauge(counters.stairs, "last"),
                  gauge_month="last"),
        Behaviour("more join, two lines by the days left", gauge(counters.joining, "pro rata"),
                  department=departments.pro_rata_lines),
        Behaviour("the row vanishes, billed by average", gauge(counters.stairs, "average"),
                  face=answers.vanishing),
        Behaviour("billed in advance, no period named", gauge(counters.growing, "max"),
                  department=departments.in_advance),
    ]  # fmt: skip
    return [
        replace(behaviour, name=f"licences: {behaviour.name}", report="contact_center_licenses",
                measure=None, price=Decimal(50_000))
        for behaviour in behaviours
    ]  # fmt: skip


def _rows() -> list[Behaviour]:
    def unit(number: int) -> str:
        return f"{number:,} audios"

    faces: list[tuple[str, Face]] = [
        ("all rows have a unit behind the number", answers.written(unit)),
        ("dots between thousands", answers.written(answers.dotted)),
        ("in thousands, three decimals", answers.written(lambda number: f"{number / 1000:.3f}")),
        ("separator changed in mid-month", answers.separator_changed),
        ("a single row named TOTAL", answers.total_row),
        ("every tenth row unreadable", answers.unread_part(0.1)),
        ("unreadable from the 20th on", answers.unread_since(20)),
        ("one of two products unreadable",
         answers.two_products("Ventas", "Soporte", lambda number: f"{number},5")),
        ("two products", answers.two_products("Ventas", "Soporte")),
        ("case of a name changes", answers.respelled("RSYNC S3 MP3", "Rsync S3 mp3")),
        ("blanks of a name change", answers.respelled("RSYNC S3 MP3", "RSYNC  S3 MP3 ")),
        ("product renamed in mid-month", answers.renamed),
        ("sum replaced by its parts in mid-month", answers.divided),
        ("a row TOTAL GENERAL beside the parts", answers.with_sum("TOTAL GENERAL")),
        ("a sum with another name beside the parts", answers.with_sum("Grabaciones")),
        ("a row of percent", answers.with_percent),
        ("two rows of one name", answers.repeated),
        ("rows vanish in mid-month", answers.vanishing),
    ]  # fmt: skip
    return [
        *(Behaviour(f"rows: {name}", face=face) for name, face in faces),
        Behaviour("rows: product renamed in mid-month, the map names the old one",
                  face=answers.renamed, mapped="RSYNC S3 MP3"),
        Behaviour("rows: numbers with 12 decimals", counters.seconds, report="rec_minutes",
                  parts=60, face=answers.written(lambda number: repr(number / 60))),
    ]  # fmt: skip


def _documents() -> list[Behaviour]:
    four, two = Decimal("3.4567"), Decimal("3.46")
    minutes: Settings = {"kind": counters.minutes, "report": "rec_minutes", "parts": 100}
    monthly = departments.monthly
    of_calls = [
        Behaviour("period named by text", department=departments.by_text),
        Behaviour("two months in one document, by text",
                  department=departments.two_months(states=False)),
        Behaviour("two months in one document, by periods",
                  department=departments.two_months(states=True)),
        Behaviour("catch-up lines, by text", department=departments.caught_up(states=False)),
        Behaviour("catch-up lines, the document names its month",
                  department=departments.caught_up(states=True)),
        Behaviour("issued on the 3rd, no period named", department=monthly(states=False)),
        Behaviour("issued on the last day, no period named",
                  department=monthly(after=0, states=False)),
        Behaviour("issued on the 28th, the rest estimated", department=departments.before_the_end),
        Behaviour("issued on the 18th", department=monthly(after=18), now=date(2026, 11, 17)),
        Behaviour("billing cycle 26-25, on 18 Nov", department=departments.cycle(26),
                  now=date(2026, 11, 18)),
        Behaviour("fortnights", department=departments.fortnightly(states=True)),
        Behaviour("fortnights, by text", department=departments.fortnightly(states=False)),
        Behaviour("credited and issued anew", department=departments.credited),
        Behaviour("whole pesos, price of 4 decimals", department=monthly(amount=departments.pesos),
                  price=four),
        Behaviour("whole pesos, price of 2 decimals", department=monthly(amount=departments.pesos),
                  price=two),
        Behaviour("whole pesos, three lines", department=monthly(amount=departments.pesos, lines=3),
                  price=four),
        Behaviour("cents, three lines", department=monthly(lines=3), price=four),
        Behaviour("quantity 1, the whole amount", department=monthly(counts=False)),
        Behaviour("a plan and the units beyond it", department=departments.plan_and_excess),
        Behaviour("lines per thousand (MIL)", department=monthly(per=(1000, "MIL"))),
        Behaviour("lines per thousand, no unit said", department=monthly(per=(1000, "94"))),
        Behaviour("three units waived", department=departments.waived(3)),
        Behaviour("one line for two operations", cast="two"),
        Behaviour("one line for all operations of a report", cast="all", report="tts_chars"),
        Behaviour("one line for an operation that moved to another", cast="moved"),
    ]  # fmt: skip
    of_minutes = [
        Behaviour("minutes billed in hours (HUR)",
                  department=monthly(quantity=lambda exact: round(exact, 2), per=(60, "HUR"))),
        Behaviour("minutes rounded, amount exact", department=monthly(quantity=_rounded)),
        Behaviour("minutes rounded, amount too",
                  department=departments.rounded_and_priced(_rounded)),
        Behaviour("minutes rounded up, amount too",
                  department=departments.rounded_and_priced(_rounded_up)),
    ]  # fmt: skip
    return [
        *(replace(behaviour, name=f"invoice: {behaviour.name}") for behaviour in of_calls),
        *(
            replace(behaviour, name=f"invoice: {behaviour.name}", **minutes)
            for behaviour in of_minutes
        ),
    ]


def _rounded(quantity: Decimal) -> Decimal:
    return quantity.quantize(WHOLE, ROUND_HALF_UP)


def _rounded_up(quantity: Decimal) -> Decimal:
    return quantity.quantize(WHOLE, ROUND_CEILING)


def _calendars() -> list[Behaviour]:
    """Months of other lengths, the turn of the year, and clocks that are changed for the summer:
    in Santiago at midnight, in Madrid at one o'clock of UTC."""
    months: Sequence[tuple[str, date, Settings]] = (
        ("February of 28 days", date(2027, 2, 1), {}),
        ("February of 29 days", date(2028, 2, 1), {}),
        ("December and January", date(2027, 1, 1), {}),
        ("clocks go forward in Santiago", date(2026, 9, 1), {"zone": "America/Santiago"}),
        ("clocks go back in Santiago", date(2027, 4, 1), {"zone": "America/Santiago"}),
        ("clocks go forward in Madrid", date(2027, 3, 1), {"zone": "Europe/Madrid"}),
        ("clocks go back in Madrid", date(2026, 10, 1), {"zone": "Europe/Madrid"}),
    )
    level: Settings = {"report": "contact_center_licenses", "measure": None}
    by_day: Settings = {"report": "interactions", "measure": "daily", "kind": counters.daily}
    kinds: Sequence[tuple[str, Settings]] = (
        ("live counter", {}),
        ("nightly copy", {"kind": counters.nightly("called"), "report": "rsync_s3_mp3"}),
        ("daily numbers", by_day),
        ("daily numbers, listed", {**by_day, "face": answers.listed}),
        ("daily numbers, yesterday's alone", {**by_day, "face": answers.yesterday}),
        ("licences, changed twice", {**level, "kind": counters.gauge(counters.stairs, "max")}),
        (
            "licences, none at night",
            {**level, "kind": counters.gauge(counters.office_hours, "max")},
        ),
    )
    return [
        Behaviour(f"{calendar}: {name}", last=last, now=_month_later(last), **place, **settings)
        for calendar, last, place in months
        for name, settings in kinds
    ]


def _month_later(month: date) -> date:
    """The 28th of the month after a month."""
    return (month + timedelta(days=32)).replace(day=28)


BEHAVIOURS: Sequence[Behaviour] = [
    *_counters(), *_guessed(), *_gauges(), *_rows(), *_documents(),
]  # fmt: skip
CALENDARS: Sequence[Behaviour] = _calendars()

# What goes with anything of another list; a mixture takes at most one of each list.
_OTHER_KINDS = (
    "nightly copy, billed by called",
    "nightly copy, billed by copied",
    "reset 3 hours late",
    "rare, 0.3 a day",
)
_OTHER_EFFECTS = (
    "frozen for the last 36 hours",
    "frozen for 20 hours in mid-month",
    "dips by 3 % each midnight",
    "server moved in mid-month, counter anew",
    "lags 3 hours",
    "outage of the last day recovered after the turn",
)
_OTHER_ROWS = (
    "rows: every tenth row unreadable",
    "rows: two products",
    "rows: case of a name changes",
    "rows: product renamed in mid-month",
    "rows: a row TOTAL GENERAL beside the parts",
    "rows: two rows of one name",
    "rows: a row of percent",
)
_OTHER_DOCUMENTS = (
    "invoice: period named by text",
    "invoice: catch-up lines, by text",
    "invoice: issued on the last day, no period named",
    "invoice: fortnights",
    "invoice: issued on the 28th, the rest estimated",
    "invoice: credited and issued anew",
    "invoice: whole pesos, three lines",
    "invoice: three units waived",
    "invoice: quantity 1, the whole amount",
)


def mixtures(count: int, seed: int) -> list[Behaviour]:
    """So many mixtures of two or three behaviours, no two alike."""
    by_name = {behaviour.name: behaviour for behaviour in BEHAVIOURS}
    rng = random.Random(f"{seed} mixtures")  # noqa: S311
    made: dict[str, Behaviour] = {}
    while len(made) < count:
        lists = rng.sample(
            [_OTHER_KINDS, _OTHER_EFFECTS, _OTHER_ROWS, _OTHER_DOCUMENTS],
            rng.choice([2, 3]),
        )
        names = sorted(rng.choice(names) for names in lists)
        parts = [by_name[name] for name in names]
        mixture = Behaviour(" + ".join(names), mixed=len(names))
        for part in parts:
            plain = Behaviour(part.name)
            changed = {
                field: value
                for field, value in vars(part).items()
                if value != getattr(plain, field) and field != "shows_power"
            }
            mixture = replace(mixture, **changed)
        made[mixture.name] = mixture
    return list(made.values())
