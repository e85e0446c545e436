"""HTML of ours: templates in which every text is escaped, and numbers and days are the locale's."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.screen.marks import mark_of
from wolkvox_billing.values.clock import format_moment
from wolkvox_billing.values.locales import ENGLISH, format_day_and_year
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.values.texts import harmless
from wolkvox_billing.values.translation import N_, translate

TEMPLATES = Path(__file__).parent / "templates"
STYLE = (TEMPLATES / "screen.css").read_text()
NOTHING = "\u2013"  # where nothing is known, which is not 0


def render(template: str, locale: str, **values: object) -> str:
    """Return a template's HTML in the language of a locale."""
    page = _environment().get_template(template).render(locale=locale, **values)
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
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        finalize=_shown,
        loader=FileSystemLoader(TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        caption=_caption, money=_money, quantity=_quantity, day=_day, say=_say, moment=_moment
    )
    environment.globals.update(mark_of=mark_of)
    return environment


def _shown(value: object) -> object:
    """Return a value as a page has it: what does not print is shown by its number."""
    if value is None:
        return NOTHING
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@pass_context
def _caption(context: Context, text: str) -> str:
    return caption(text, context["locale"])


@pass_context
def _say(context: Context, text: str) -> str:
    return translate(text, context["locale"])


@pass_context
def _money(context: Context, amount: Decimal | None, currency: str | None) -> str | None:
    return None if amount is None else say_money(amount, currency, context["locale"])


@pass_context
def _quantity(context: Context, value: Decimal | None) -> str | None:
    return None if value is None else format_number(value, locale=context["locale"])


@pass_context
def _day(context: Context, day: date | None) -> str | None:
    return None if day is None else format_day_and_year(day, context["locale"])


@pass_context
def _moment(context: Context, at: datetime, zone: ZoneInfo) -> str:
    return say_moment(at, zone, context["locale"])


def say_money(amount: Decimal, currency: str | None, locale: str) -> str:
    """Return an amount with its currency."""
    return f"{format_amount(amount, locale=locale)} {currency or ''}".rstrip()


def say_moment(at: datetime, zone: ZoneInfo, locale: str) -> str:
    """Return a moment as a person of the locale reads it: `31 Oct 2026, 23:50 -05`."""
    moment = at.astimezone(zone)
    _, time, name = format_moment(at, zone).split(" ", 2)
    return f"{format_day_and_year(moment.date(), locale)}, {time} {name}"


# What templates say.
TEXTS = {
    "measured": N_("Measured: the last reading of each product"),
    "billed": N_("Billed: each line"),
    "parts": N_("What it is made of"),
    "none": N_("None."),
    "excluded": N_("Looked at, and excluded"),
    "settle": N_("What would settle it"),
    "alarm": N_("Worth an alarm"),
    "calls": N_("calls in this period"),
    "answered": N_("of them answered"),
}
