"""HTML for the evidence's report and the notebook: texts, tables and the style. Every text is
escaped, and none of it needs a script, a font or a picture.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.reconciliation.captions import caption
from wolkvox_billing.values.locales import ENGLISH
from wolkvox_billing.values.numbers import format_amount, format_number
from wolkvox_billing.values.texts import harmless

# Within `.billing`, so that it changes nothing else of a page that holds it.
STYLE = """
.billing { color: #1b1b1b; background: #fff; font: 15px/1.5 system-ui, sans-serif; }
.billing :is(h1, h2, h3, th, strong) { font-weight: 700; }
.billing h1 { font-size: 1.6rem; margin: 0 0 .4rem; }
.billing h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; padding-bottom: .2rem;
  border-bottom: 2px solid #1b1b1b; }
.billing h3 { font-size: 1.05rem; margin: 1.4rem 0 .3rem; }
.billing .wide { overflow-x: auto; }
.billing table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .85rem;
  font-variant-numeric: tabular-nums; }
.billing th, .billing td { border: 0 solid #bbb; border-bottom-width: 1px; padding: .28rem .5rem;
  text-align: left; vertical-align: top; }
.billing td { overflow-wrap: anywhere; min-width: 8rem; }
.billing th { background: #eee; border-color: #555; vertical-align: bottom; }
.billing th.number, .billing td.number { text-align: right; }
.billing td.number, .billing td.short { white-space: nowrap; min-width: 0; }
.billing td.hash { min-width: 17rem; }
.billing dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem;
  font-size: .85rem; margin: .3rem 0 .9rem 1rem; }
.billing dt { color: #444; } .billing dd { margin: 0; overflow-wrap: anywhere; }
.billing .hash { font-family: ui-monospace, monospace; font-size: .75rem; }
.billing figure { margin: .8rem 0; } .billing svg { width: 100%; height: auto; }
.billing figcaption { font-size: .85rem; color: #444; }
.billing .verdict { border-left: .3rem solid #888; background: #f6f6f6; padding: .45rem .8rem;
  margin: .6rem 0; }
.billing .material { border-left: .7rem double #1b1b1b; }
.billing summary { cursor: pointer; padding: .2rem 0; font-size: .9rem; }
.billing thead { display: table-header-group; }
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


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], locale: str = ENGLISH) -> str:
    """Return a table; numbers and amounts stand to the right, written as the locale does, and the
    headings are in its language. `None.` where there are no rows."""
    if not rows:
        return "<p>None.</p>"
    kinds = [
        _kind(next((value for value in column if value is not None), ""))
        for column in zip(*rows, strict=True)
    ]
    head = "".join(
        f'<th scope="col"{kind if "number" in kind else ""}>{escape(caption(heading, locale))}</th>'
        for heading, kind in zip(headings, kinds, strict=True)
    )
    body = "".join(f"<tr>{''.join(_cell(value, locale) for value in row)}</tr>\n" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>'
        "</div>"
    )


def facts(named: Mapping[str, object], locale: str = ENGLISH) -> str:
    """Return names and values below each other, without those that are None."""
    listed = "".join(
        f"<dt>{escape(name)}</dt>"
        f"<dd{_kind(value) if _is_hash(value) else ''}>{_printed(value, locale)}</dd>"
        for name, value in named.items()
        if value is not None
    )
    return f"<dl>{listed}</dl>"


def _cell(value: object, locale: str) -> str:
    return f"<td{_kind(value)}>{'' if value is None else _printed(value, locale)}</td>"


def _printed(value: object, locale: str) -> str:
    if isinstance(value, Money):
        return escape(value.printed(locale))
    if isinstance(value, Quantity):
        return format_number(value.value, signed=True, locale=locale)
    return escape(format_number(value, locale=locale) if isinstance(value, Decimal) else str(value))


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == _HASH and value.isalnum()


def _kind(value: object) -> str:
    if isinstance(value, (Decimal, Money, Quantity, int)):
        return ' class="number"'
    if _is_hash(value):
        return ' class="hash"'
    is_short = value is not None and len(str(value)) <= _SHORT
    return ' class="short"' if is_short and (not isinstance(value, str) or value.isascii()) else ""


def escape(text: str) -> str:
    """Return a text as HTML; what does not print, or turns the direction of writing, by its
    number."""
    return html.escape(harmless(text))


def folded(summary: str, inside: str) -> str:
    """Return what one click shows."""
    return f"<details><summary>{escape(summary)}</summary>\n{inside}</details>"
