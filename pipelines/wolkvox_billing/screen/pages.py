"""HTML of ours: templates in which every text is escaped, and numbers and days are the locale's."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wolkvox_billing.evidence.report.html import Money, written
from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.screen.marks import mark_of
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.locales import ENGLISH, format_day_and_year
from wolkvox_billing.values.numbers import format_number
from wolkvox_billing.values.translation import translate

TEMPLATES = Path(__file__).parent / "templates"
STYLE = (TEMPLATES / "screen.css").read_text()
NOTHING = "\u2013"  # where nothing is known, which is not 0


def render(template: str, locale: str, **values: object) -> str:
    """Return a template's HTML in the language of a locale."""
    page = _environment(locale).get_template(template).render(**values)
    return f'<div class="wb">{page}</div>'


def render_heading(text: str, count: int | None = None) -> str:
    """Return a heading, and how many there are of it."""
    return render("heading.html.jinja", ENGLISH, text=text, count=count)


def render_note(text: str) -> str:
    """Return a text in a small voice; what it has between backticks is typed."""
    return render("text.html.jinja", ENGLISH, text=text)


def render_title(title: str, as_of: str, locale: str) -> str:
    return render("title.html.jinja", locale, title=title, as_of=as_of)


@lru_cache
def _environment(locale: str) -> Environment:
    environment = Environment(
        autoescape=True,
        finalize=_or_nothing,
        loader=FileSystemLoader(TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        caption=partial(caption, locale=locale),
        money=lambda amount, currency: Money(amount, currency).printed(locale) or None,
        quantity=lambda value: None if value is None else format_number(value, locale=locale),
        day=lambda day: None if day is None else format_day_and_year(day, locale),
        moment=partial(say_moment, locale=locale),
    )
    environment.globals.update(mark_of=mark_of, _=partial(translate, locale=locale))
    return environment


def _or_nothing(value: object) -> object:
    """Return a value as a page has it."""
    return NOTHING if value is None else written(value)


def say_moment(at: datetime, zone: ZoneInfo, locale: str) -> str:
    """Return a moment as a person of the locale reads it: `31 Oct 2026, 23:50 -05`."""
    moment = at.astimezone(zone)
    _, time, name = format_moment(at, zone).split(" ", 2)
    return f"{format_day_and_year(moment.date(), locale)}, {time} {name}"
