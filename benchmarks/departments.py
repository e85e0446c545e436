"""Documents of an honest billing department, over what a Counter says it may bill.

A Department makes of an account the documents of all its months. Each of them bills the same use;
what differs is when it comes, which period it names and how it is rounded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from counters import second_of

from builders.documents import declared, line, period, ubl

MONTHS = ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
          "octubre", "noviembre", "diciembre")  # fmt: skip
ONE = timedelta(days=1)


class Issued(NamedTuple):
    """A document, from its day of issue on."""

    on: date
    xml: bytes


@dataclass(frozen=True)
class Account:
    """What is billed under one code. `used`: between two moments; `price`: of a unit, in COP;
    `months`: the first day of each, with that of the month after the last."""

    code: str
    used: Callable[[int, int], Decimal]
    price: Decimal
    months: Sequence[date]

    def between(self, start: date, end: date) -> Decimal:
        return self.used(second_of(start), second_of(end))

    def spans(self) -> Sequence[tuple[date, date]]:
        return list(pairwise(self.months))


Department = Callable[[Account], list[Issued]]
Rounding = Callable[[Decimal], Decimal]


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def pesos(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1))


class Item(NamedTuple):
    """A line of a document."""

    quantity: Decimal
    net: Decimal
    description: str = "Consumo del servicio"
    unit: str = "94"
    span: tuple[date, date] | None = None  # its own period, the end exclusive


def issue(
    account: Account,
    issued: date,
    *items: Item,
    span: tuple[date, date] | None = None,
    kind: str = "Invoice",
    corrects: str | None = None,
) -> Issued:
    """A UBL document with these lines; `span` is the period that it states, the end exclusive."""
    letter = {"Invoice": "F", "CreditNote": "N"}[kind]
    number = f"{letter}-{account.code}-{issued:%Y%m%d}"
    net = sum((item.net for item in items), Decimal())
    texts = [
        line(
            f"{item.quantity:f}",
            f"{item.net:f}",
            kind=kind,
            number=str(place),
            description=item.description,
            code=account.code,
            unit=item.unit,
            price=None,
            tax=None,
            more=_period(item.span),
        )
        for place, item in enumerate(items, 1)
    ]
    text = ubl(
        *texts, kind=kind, number=number, uuid=None, issued=f"{issued}", periods=_period(span),
        corrects=corrects, tax=None, net=f"{net:f}", payable=f"{net:f}",
    )  # fmt: skip
    return Issued(issued, declared(text))


def _period(span: tuple[date, date] | None) -> str:
    return period(f"{span[0]}", f"{span[1] - ONE}") if span else ""


def _named(day: date, between: str = " ") -> str:
    return f"{MONTHS[day.month - 1]}{between}{day.year}"


def monthly(  # what differs is independent, and named where it is not the usual
    *,
    after: int = 3,
    states: bool = True,
    amount: Rounding = cents,
    quantity: Rounding = lambda exact: exact,
    counts: bool = True,
    lines: int = 1,
    per: tuple[int, str] = (1, "94"),
) -> Department:
    """A document for each month.

    after: days from the month's end to its issue. states: the period, else it names none.
    amount, quantity: how each is rounded; the amount is of the exact quantity. counts: else the
    quantity is 1. lines: over which the quantity is divided. per: units in one of the invoice, and
    their code.
    """

    def department(account: Account) -> list[Issued]:
        documents = []
        for start, end in account.spans():
            items = []
            for part in _divided(account.between(start, end), lines):
                shown = quantity(part / per[0]) if counts else Decimal(1)
                items.append(Item(shown, amount(part * account.price), unit=per[1]))
            issued = end + timedelta(days=after - 1)
            documents.append(issue(account, issued, *items, span=(start, end) if states else None))
        return documents

    return department


EACH_MONTH = monthly()  # the plain way


def _divided(quantity: Decimal, lines: int) -> list[Decimal]:
    part = quantity // lines
    return [*[part] * (lines - 1), quantity - part * (lines - 1)]


def rounded_and_priced(rounding: Rounding) -> Department:
    """The quantity is rounded, and the amount is that of the rounded one."""

    def department(account: Account) -> list[Issued]:
        documents = []
        for start, end in account.spans():
            quantity = rounding(account.between(start, end))
            item = Item(quantity, cents(quantity * account.price))
            documents.append(issue(account, end + 2 * ONE, item, span=(start, end)))
        return documents

    return department


def _item(account: Account, quantity: Decimal, description: str = "Consumo del servicio") -> Item:
    return Item(quantity, cents(quantity * account.price), description)


def waived(units: int) -> Department:
    """So many units are not charged."""

    def department(account: Account) -> list[Issued]:
        return [
            issue(account, end + 2 * ONE,
                  _item(account, max(account.between(start, end) - units, Decimal())),
                  span=(start, end))
            for start, end in account.spans()
        ]  # fmt: skip

    return department


def by_text(account: Account) -> list[Issued]:
    """The month is named by the line's text alone."""
    return [
        issue(account, end + 2 * ONE,
              _item(account, account.between(start, end), f"Consumo {_named(start)}"))
        for start, end in account.spans()
    ]  # fmt: skip


def two_months(*, states: bool) -> Department:
    """Every second month, one document with a line for each, which has its own period where it
    `states` any, and else names the month in its text."""

    def department(account: Account) -> list[Issued]:
        documents, spans = [], account.spans()
        for place in range(0, len(spans), 2):
            both = spans[place : place + 2]
            items = []
            for span in both:
                text = "Consumo del servicio" if states else f"Consumo {_named(span[0])}"
                item = _item(account, account.between(*span), text)
                items.append(item._replace(span=span if states else None))
            documents.append(issue(account, both[-1][1] + 2 * ONE, *items))
        return documents

    return department


def caught_up(*, states: bool) -> Department:
    """A document bills 97 % of its month, and what was left of the month before: that one is named
    by the line's text alone. The last document holds what was left, and nothing else. Where it
    `states` a period, that is the month of the larger line."""

    def department(account: Account) -> list[Issued]:
        documents, left, before = [], Decimal(), account.months[0]
        for start, end in account.spans():
            used = account.between(start, end)
            first = (used * 97 / 100).to_integral_value()
            items = [_item(account, first, f"Consumo {_named(start)}")]
            if left:
                items.append(_item(account, left, f"Ajuste consumo {_named(before)}"))
            span = (start, end) if states else None
            documents.append(issue(account, end + 2 * ONE, *items, span=span))
            left, before = used - first, start
        adjustment = _item(account, left, f"Ajuste consumo {_named(before)}")
        documents.append(issue(account, account.months[-1] + 24 * ONE, adjustment))
        return documents

    return department


def in_advance(account: Account) -> list[Issued]:
    """Issued on the first day of the month that it bills, and names no period; that of the month
    after the last one is there too."""
    return [
        issue(account, start, _item(account, account.between(start, start + ONE)))
        for start in account.months
    ]


def plan_and_excess(account: Account) -> list[Issued]:
    """One plan, whose price is that of its units, and the units beyond it."""
    documents = []
    for start, end in account.spans():
        used = account.between(start, end)
        plan = used // 2
        first = Item(Decimal(1), cents(plan * account.price), "Plan mensual")
        more = _item(account, used - plan, "Consumo adicional")
        documents.append(issue(account, end + 2 * ONE, first, more, span=(start, end)))
    return documents


def before_the_end(account: Account) -> list[Issued]:
    """Issued on the 28th for its whole month: the last days are estimated."""
    documents = []
    for start, end in account.spans():
        issued = start.replace(day=28)
        seen, days = account.between(start, issued), Decimal((issued - start).days)
        quantity = (seen * (end - start).days / days).to_integral_value()
        documents.append(issue(account, issued, _item(account, quantity), span=(start, end)))
    return documents


def cycle(first_day: int) -> Department:
    """Periods from this day of a month to the day before it in the next, which are stated, and
    invoiced two days after; the first begins with the account."""

    def department(account: Account) -> list[Issued]:
        turns = [account.months[0], *(start.replace(day=first_day) for start in account.months)]
        return [
            issue(account, end + 2 * ONE, _item(account, account.between(start, end)),
                  span=(start, end))
            for start, end in pairwise(turns)
        ]  # fmt: skip

    return department


def fortnightly(*, states: bool) -> Department:
    """Two documents a month, which state their periods, or name them in the text of the line."""

    def department(account: Account) -> list[Issued]:
        documents = []
        for start, end in account.spans():
            middle = start.replace(day=16)
            for first, after in ((start, middle), (middle, end)):
                days = f"{first.day} al {(after - ONE).day} de {_named(first, ' de ')}"
                item = _item(account, account.between(first, after), f"Consumo del {days}")
                span = (first, after) if states else None
                documents.append(issue(account, after + 2 * ONE, item, span=span))
        return documents

    return department


def credited(account: Account) -> list[Issued]:
    """A wrong invoice, a note over all of it, and the right invoice."""
    documents = []
    for start, end in account.spans():
        right = account.between(start, end)
        wrong = _item(account, right + 1 + int(right) // 20)
        documents += [
            issue(account, end + 2 * ONE, wrong, span=(start, end)),
            issue(account, end + 5 * ONE, wrong, span=(start, end), kind="CreditNote",
                  corrects=f"F-{account.code}-{end + 2 * ONE:%Y%m%d}"),
            issue(account, end + 6 * ONE, _item(account, right), span=(start, end)),
        ]  # fmt: skip
    return documents


def pro_rata_lines(account: Account) -> list[Issued]:
    """Of a level of 20 that grew by 5: one line at the whole price, and one at a part of it, by the
    days that are left; its quantity is the five."""
    documents = []
    for start, end in account.spans():
        more = account.between(start, end) - 20
        added = Item(Decimal(5), cents(more * account.price), "Licencias adicionales")
        documents.append(
            issue(account, end + 2 * ONE, _item(account, Decimal(20)), added, span=(start, end))
        )
    return documents
