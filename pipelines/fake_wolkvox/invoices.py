"""The vendor's invoices: what a customer is billed for a month, and by whom."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha384
from operator import index
from typing import NamedTuple

from . import world
from .world import REPORTS, Operation

CENT = Decimal("0.01")
IVA = Decimal("0.19")
PREFIX = "WVX"
NOTE_PREFIX = "NC"
CLOCK = "08:00:00-05:00"  # the time of day when an invoice is issued


class Company(NamedTuple):
    name: str
    nit: str  # Colombia's number of a taxpayer, without its check digit
    city: str = "Bogotá, D.C."
    city_code: str = "11001"  # begins with the department's
    department: str = "Bogotá"
    street: str = ""
    phone: str = ""
    mail: str = ""

    @property
    def check_digit(self) -> int:
        """Return the digit behind the NIT: its digits, weighed from the right, modulo 11."""
        weights = (3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71)
        weighed = (int(d) * weight for d, weight in zip(reversed(self.nit), weights, strict=False))
        remainder = sum(weighed) % 11
        return remainder if remainder < 2 else 11 - remainder


# Both are made up.
SUPPLIER = Company(
    "WOLKVOX DE DEMOSTRACION SAS", "900123456", "Medellín", "05001", "Antioquia",
    "Calle Ficticia 10 # 20-30", "6040000000", "facturacion@example.com",
)  # fmt: skip
CUSTOMER = Company(
    "CLIENTE DE DEMOSTRACION SAS", "999888777",
    street="Carrera Ficticia 40 # 50-60", phone="6010000000", mail="compras@example.com",
)  # fmt: skip


class Line(NamedTuple):
    """One product of a report, billed."""

    report: str
    product: str
    quantity: int
    unit_price: Decimal

    @property
    def net(self) -> Decimal:
        return _rounded(self.quantity * self.unit_price)

    @property
    def tax(self) -> Decimal:
        return _rounded(self.net * IVA)


@dataclass(frozen=True)
class Invoice:
    """What an operation is billed for the month of these days, both included."""

    operation: Operation
    start: date
    end: date
    lines: Sequence[Line]

    @property
    def issued(self) -> date:
        return self.end + timedelta(days=3)

    @property
    def serial(self) -> int:
        """Depends on operation and month alone: a month that is billed again keeps its number."""
        name, server = self.operation[:2]
        return int(f"{self.start:%y%m}{world.drawn(10_000, 'invoice', name, server):04}")

    @property
    def number(self) -> str:
        return f"{PREFIX}{self.serial}"

    @property
    def net(self) -> Decimal:
        return sum((line.net for line in self.lines), 0 * CENT)

    @property
    def tax(self) -> Decimal:
        return sum((line.tax for line in self.lines), 0 * CENT)

    @property
    def total(self) -> Decimal:
        return self.net + self.tax

    @property
    def cufe(self) -> str:
        """The code that only this invoice has, over what DIAN puts into it, in DIAN's order."""
        amounts = f"{self.net}01{self.tax}040.00030.00{self.total}"
        end = f"{SUPPLIER.nit}{CUSTOMER.nit}no technical key1"
        return sha384(f"{self.number}{self.issued}{CLOCK}{amounts}{end}".encode()).hexdigest()


@dataclass(frozen=True)
class CreditNote(Invoice):
    """What is given back of an invoice, a week after it came."""

    corrects: Invoice

    @property
    def issued(self) -> date:
        return self.corrects.issued + timedelta(days=7)

    @property
    def number(self) -> str:
        return f"{NOTE_PREFIX}{self.serial}"


def credit(invoice: Invoice, quantity: int) -> CreditNote:
    """Give back so many units of an invoice's first line, at its price."""
    if not 0 < index(quantity) <= invoice.lines[0].quantity:
        raise ValueError(f"the invoice bills {invoice.lines[0].quantity}: {quantity} is no part")
    lines = [invoice.lines[0]._replace(quantity=quantity)]
    return CreditNote(invoice.operation, invoice.start, invoice.end, lines, corrects=invoice)


def bill(  # what `Vendor.invoice` is told
    operation: Operation,
    month: str,
    zone: tzinfo,
    *,
    extra: int,
    unit_price: str,
    reports: Iterable[str],
) -> Invoice:
    """Bill what the reports show in a month's last second; the first line has `extra` on top."""
    if not re.fullmatch("20[0-9]{2}-[0-9]{2}", month):
        raise ValueError(f"a month is written as in 2026-10, not {month!r}")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", unit_price):
        raise ValueError(f"a unit price is written as in 100 or 0.25, not {unit_price!r}")
    start = date.fromisoformat(f"{month}-01")
    end = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    last_second = datetime(end.year, end.month, end.day, 23, 59, 59, tzinfo=zone)
    price = Decimal(unit_price) + 0 * CENT  # at least two decimals
    lines: list[Line] = []
    for report in reports:
        if report not in REPORTS:
            raise ValueError(f"there is no report {report!r}")
        for product in world.products(report):
            used = world.amount(operation.name, report, product, last_second)
            lines.append(Line(report, product, used if lines else used + index(extra), price))
    if not lines:
        raise ValueError("an invoice has a report at least")
    return Invoice(operation, start, end, lines)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
