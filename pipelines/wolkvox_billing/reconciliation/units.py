"""The units of invoices' lines: how many of a report's units each is, by UN/ECE Rec 20 and by the
words that spreadsheets have; and which ones count something else."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.values.spelling import plain
from wolkvox_billing.vendor.reports import unit_of

_COUNTS = {
    12: "dzn docena docenas dozen",
    100: "cen hc ciento cientos centena hundred",
    144: "gro gruesa gross",
    1000: "mil t3 millar millares miles thousand thousands",
    10**6: "mio millon millones million",
}
_SECONDS = {
    1: "sec segundo segundos second seconds",
    60: "min minuto minutos minute minutes",
    3600: "hur hora horas hour hours",
}
_FACTORS = {name: Decimal(n) for n, names in _COUNTS.items() for name in names.split()}
_SECONDS_OF = {name: Decimal(n) for n, names in _SECONDS.items() for name in names.split()}
# Weights, lengths, areas, volumes, energy and data: of no report. `MON`, `ANN` and the like, in
# which services are billed whatever they count, say nothing.
_NEVER_COUNTED = (
    "kgm grm mgm tne ltr mlt mtr cmt mmt kmt mtk mtq inh fot kwh mwh wtt kwt 4l e34 ad 2p kg ton "
    "litro litros metro metros kilo kilos gb mb tb"
)
_OF_NOTHING = frozenset(_NEVER_COUNTED.split())


class Count(NamedTuple):
    """How much a line bills in its report's unit, and in which steps it is written: 16.67 hours are
    1,000.2 minutes, in steps of 0.6. Nothing where its unit is the report's."""

    quantity: Decimal
    step: Decimal = Decimal()


def count_in(quantity: Decimal, unit: str | None, report_unit: str) -> Count:
    """Return what a line's quantity is in its report's unit, as it is where nothing says that its
    unit is another one."""
    name = plain(unit or "")
    factor, divisor = _FACTORS.get(name), 1
    if report_unit == "minutes" and name in _SECONDS_OF:
        factor, divisor = _SECONDS_OF[name], 60
    if not factor or factor == divisor:
        return Count(quantity)
    return count_by(quantity, factor, divisor)


def count_by(quantity: Decimal, factor: Decimal, divisor: int = 1) -> Count:
    """Return what a quantity is in a unit of which there are so many in one of its own."""
    exponent = quantity.normalize().as_tuple().exponent
    written = Decimal(1).scaleb(min(int(exponent), 0))
    step = Decimal() if factor == divisor else written * factor / divisor
    return Count(round(quantity * factor / divisor, 4), step)


def is_of_something_else(unit: str | None, report: str | None) -> bool:
    """Return whether a line's unit cannot be counted into a report's; never where none is known."""
    name = plain(unit or "")
    if not report:
        return False
    return name in _OF_NOTHING or (name in _SECONDS_OF and unit_of(report) != "minutes")
