"""HTML for the evidence's report and the notebook: texts, tables and the style. The templates
escape every value, and none of it needs a script, a font or a picture.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.values.locales import ENGLISH, short_date
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.values.texts import harmless
from wolkvox_billing.values.translation import phrase

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.environment import TemplateModule
    from markupsafe import Markup

# Within `.billing`, so that it changes nothing else of a page that holds it. What is small is so
# beside the text that it stands in, on paper too.
STYLE = """
.billing { color: #1b1b1b; background: #fff; font: 15px/1.5 system-ui, sans-serif; }
.billing :is(h1, h2, h3, th, strong) { font-weight: 700; }
.billing h1 { font-size: 1.6em; margin: 0 0 .3em; line-height: 1.25; }
.billing h2 { font-size: 1.25em; margin: 1.8em 0 .5em; padding-bottom: .2em;
  border-bottom: 2px solid #1b1b1b; }
.billing h3 { font-size: 1.05em; margin: 1.3em 0 .3em; }
.billing :is(.wide, .chart) { overflow-x: auto; }
.billing table { border-collapse: collapse; width: 100%; margin: .6em 0; font-size: .85em;
  font-variant-numeric: tabular-nums; }
.billing th, .billing td { border: 0 solid #bbb; border-bottom-width: 1px; padding: .28em .5em;
  text-align: left; vertical-align: top; }
.billing td { overflow-wrap: anywhere; min-width: 8em; }
.billing th { background: #eee; border-color: #555; vertical-align: bottom; }
.billing th.number, .billing td.number { text-align: right; }
.billing td.number, .billing td.short { white-space: nowrap; min-width: 0; }
.billing td.hash { min-width: 17em; }
.billing dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em;
  font-size: .85em; margin: .3em 0 .9em 1em; }
.billing dt { color: #444; } .billing dd { margin: 0; overflow-wrap: anywhere; }
.billing .cards { grid-template-columns: repeat(auto-fit, minmax(11em, 1fr)); gap: .6em;
  font-size: 1em; margin: 1em 0; }
.billing .cards div { border: 1px solid #888; border-top: .25em solid #1b1b1b;
  padding: .35em .7em .5em; }
.billing .cards dd { font-size: 1.25em; font-weight: 700; font-variant-numeric: tabular-nums; }
.billing .hash { font-family: ui-monospace, monospace; font-size: .75em; }
.billing figure { margin: .8em 0; } .billing svg { width: 100%; height: auto; }
.billing figcaption { font-size: .85em; color: #444; }
.billing .verdict { border-left: .3em solid #888; background: #f6f6f6; padding: .45em .8em;
  margin: .6em 0; overflow-wrap: anywhere; }
.billing .material { border-left: .7em double #1b1b1b; }
.billing summary { cursor: pointer; padding: .2em 0; font-size: .9em; }
.billing thead { display: table-header-group; }
@media (max-width: 40em) {
  .billing svg { min-width: 44rem; }
  .billing dl:not(.cards) { grid-template-columns: 1fr; gap: 0; margin-left: 0; }
  .billing dl:not(.cards) dd { margin: 0 0 .3em; }
  .billing .cards { grid-template-columns: 1fr 1fr; }
}
"""
_SHORT = 24  # a text up to so long stays on one line, but for texts with blanks
_HASH = 64


class Money(NamedTuple):
    """An amount in a currency, as a cell of a table; a difference has its sign."""

    amount: Decimal | None
    currency: str | None
    is_signed: bool = False

    def printed(self, locale: str = ENGLISH) -> str:
        if self.amount is None:
            return ""
        amount = format_amount(self.amount, signed=self.is_signed, locale=locale)
        return f"{amount} {self.currency or ''}".strip()


class Quantity(NamedTuple):
    """A difference in units, as a cell of a table, with its sign."""

    value: Decimal


class Cell(NamedTuple):
    """What is written, and how: `number`, `hash`, `short` or ''."""

    text: str
    kind: str = ""


def table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], locale: str = ENGLISH
) -> Markup:
    """Return a table; numbers and amounts stand to the right, written as the locale does, and the
    headings are in its language. `None.` where there are no rows."""
    kinds = [
        _kind(next((value for value in column if value is not None), ""))
        for column in zip(*rows, strict=True)
    ]
    named = [
        Cell(caption(heading, locale), kind if kind == "number" else "")
        for heading, kind in zip(headings, kinds, strict=bool(rows))
    ]
    cells = [[_cell(value, locale) for value in row] for row in rows]
    return part("table", locale, headings=named, rows=cells)


def facts(named: Mapping[str, object], locale: str = ENGLISH) -> list[tuple[str, Cell]]:
    """Return names, in the language of a locale, and values as they are written below each other,
    without those that are None."""
    return [
        (caption(name, locale), Cell(_printed(value, locale), "hash" if _is_hash(value) else ""))
        for name, value in named.items()
        if value is not None
    ]


def part(name: str, locale: str, **values: object) -> Markup:
    """Return a part of a page, by the macro of this name, with texts in the language of a
    locale."""
    macro = getattr(_parts(locale), name)
    return macro(**values)  # type: ignore[no-any-return]


def page(name: str, locale: str, **values: object) -> str:
    """Return a page by the template of this name."""
    template = _environment().get_template(f"{name}.html.jinja")
    return template.render(_=_phrases(locale), **values)


@lru_cache
def _parts(locale: str) -> TemplateModule:
    return _environment().get_template("parts.html.jinja").make_module({"_": _phrases(locale)})


def _phrases(locale: str) -> Callable[..., str]:
    return lambda message, /, **values: phrase(message, locale, **values)


@lru_cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("wolkvox_billing.evidence.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=written,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def written(value: object) -> object:
    """Return a value for a page: of a text, what does not print, or turns the direction of writing,
    by its number."""
    is_text = isinstance(value, str) and not hasattr(value, "__html__")
    return harmless(str(value)) if is_text else value


def _cell(value: object, locale: str) -> Cell:
    return Cell("" if value is None else _printed(value, locale), _kind(value))


def _printed(value: object, locale: str) -> str:
    if isinstance(value, Money):
        return value.printed(locale)
    if isinstance(value, Quantity):
        return format_number(value.value, signed=True, locale=locale)
    if isinstance(value, date) and not isinstance(value, datetime):
        return short_date(value, locale)
    return format_number(value, locale=locale) if isinstance(value, Decimal) else str(value)


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == _HASH and value.isalnum()


def _kind(value: object) -> str:
    if isinstance(value, (Decimal, Money, Quantity, int)):
        return "number"
    if _is_hash(value):
        return "hash"
    is_short = value is not None and len(str(value)) <= _SHORT
    return "short" if is_short and (not isinstance(value, str) or value.isascii()) else ""


def escape(text: str) -> str:
    """Return a text as HTML; what does not print, or turns the direction of writing, by its
    number."""
    return html.escape(harmless(text))
