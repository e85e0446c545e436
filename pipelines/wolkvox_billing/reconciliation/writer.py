"""How the values of a verdict's sentence are written: in a locale, a currency and a unit."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from wolkvox_billing.reconciliation.unit_names import name_unit
from wolkvox_billing.values.currencies import shown_rate
from wolkvox_billing.values.durations import choose_unit
from wolkvox_billing.values.locales import format_day, language_of
from wolkvox_billing.values.numbers import format_amount, format_number, format_percent

# Of a span of time: one and many, where it is the last of a period, and where it is any.
_SPANS = {
    "en": {
        "hours": ("the last hour", "the last {n} hours", "{n} hour of it", "{n} hours of it"),
        "minutes": (
            "the last minute", "the last {n} minutes", "{n} minute of it", "{n} minutes of it",
        ),
        "seconds": (
            "the last second", "the last {n} seconds", "{n} second of it", "{n} seconds of it",
        ),
    },
    "es": {
        "hours": ("la última hora", "las últimas {n} horas", "{n} hora de él", "{n} horas de él"),
        "minutes": (
            "el último minuto", "los últimos {n} minutos", "{n} minuto de él", "{n} minutos de él",
        ),
        "seconds": (
            "el último segundo", "los últimos {n} segundos", "{n} segundo de él",
            "{n} segundos de él",
        ),
    },
}  # fmt: skip


# One, and many.
_WORDS = {
    "en": {
        "hours": ("hour", "hours"), "minutes": ("minute", "minutes"),
        "seconds": ("second", "seconds"),
    },
    "es": {
        "hours": ("hora", "horas"), "minutes": ("minuto", "minutos"),
        "seconds": ("segundo", "segundos"),
    },
}  # fmt: skip


class Writer(NamedTuple):
    """A locale, the currency of amounts, and the unit of quantities, as `reports` names it."""

    locale: str
    currency: str = ""
    unit: str = ""

    @property
    def language(self) -> str:
        return language_of(self.locale)

    def number(self, value: Decimal | None) -> str:
        return format_number(value or Decimal(), locale=self.locale)

    def quantity(self, value: Decimal | None) -> str:
        """Return a number with its unit: `12,400 audios`, `1 audio`."""
        quantity = value or Decimal()
        unit = name_unit(self.unit, quantity, self.language)
        return f"{self.number(quantity)} {unit}".strip()

    def rows(self, count: int) -> str:
        """Return how many rows there are: `3 rows`."""
        return self._replace(unit="rows").quantity(Decimal(count))

    def money(self, value: Decimal | None, *, signed: bool = False) -> str:
        return f"{self.amount(value, signed=signed)} {self.currency}".strip()

    def amount(self, value: Decimal | None, *, signed: bool = False) -> str:
        """Return an amount whose currency was said."""
        return format_amount(value or Decimal(), signed=signed, locale=self.locale)

    def rate(self, parity: Decimal) -> str:
        """Return what one of another currency is: `4,012.53 COP`."""
        return f"{self.number(shown_rate(parity))} {self.currency}".strip()

    def percent(self, variance: Decimal, consumed: Decimal) -> str:
        """Return a share in brackets, '' where there is none."""
        if not consumed:
            return ""
        share = (variance * 100 / consumed).quantize(Decimal("0.1"), ROUND_HALF_UP)
        return f" ({format_percent(share, locale=self.locale)})" if share else ""

    def duration(self, seconds: int, *, is_last: bool) -> str:
        length, unit = choose_unit(seconds)
        last_singular, last_plural, any_singular, any_plural = _SPANS[self.language][unit]
        singular, plural = (last_singular, last_plural) if is_last else (any_singular, any_plural)
        return (singular if length == 1 else plural).format(n=self.number(Decimal(length)))

    def span(self, seconds: int) -> str:
        """Return a span of time that is of nothing: `12 hours`."""
        length, unit = choose_unit(seconds)
        singular, plural = _WORDS[self.language][unit]
        return f"{self.number(Decimal(length))} {singular if length == 1 else plural}"

    def day(self, day: date) -> str:
        return format_day(day, self.locale)

    def moment(self, at: datetime) -> str:
        return f"{self.day(at)} {at:%H:%M}"
