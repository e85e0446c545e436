"""How the values of a verdict's sentence are written: in a locale, a currency and a unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, TypeAlias

from wolkvox_billing.reconciliation.unit_names import name_unit
from wolkvox_billing.values.currencies import shown_rate
from wolkvox_billing.values.durations import choose_unit
from wolkvox_billing.values.locales import format_day
from wolkvox_billing.values.numbers import format_amount, format_number, format_percent
from wolkvox_billing.values.translation import Message, Plural, phrase, translate

# A span of time by its unit: the last one of a period, any of it, and one that is of nothing.
_LAST = {
    "hours": Plural("the last hour", "the last {n} hours"),
    "minutes": Plural("the last minute", "the last {n} minutes"),
    "seconds": Plural("the last second", "the last {n} seconds"),
}
_ANY = {
    "hours": Plural("{n} hour of it", "{n} hours of it"),
    "minutes": Plural("{n} minute of it", "{n} minutes of it"),
    "seconds": Plural("{n} second of it", "{n} seconds of it"),
}


Values: TypeAlias = Mapping[str, Callable[[], str]]


class Written:
    """The values of sentences, each written when a sentence names it: few of them are needed."""

    def __init__(self, *values: Values) -> None:
        self._values: dict[str, Callable[[], str]] = {}
        for each in values:
            self._values |= each
        assert len(self._values) == sum(map(len, values)), "a name has two values"

    def __getitem__(self, name: str) -> str:
        return self._values[name]()


class Writer(NamedTuple):
    """A locale, the currency of amounts, and the unit of quantities, as `reports` names it."""

    locale: str
    currency: str = ""
    unit: str = ""

    def say(self, message: Message, quantity: Decimal | int = 1, /, **values: object) -> str:
        """Return a marked text in the language, with these values; of two the one for so many."""
        return phrase(message, self.locale, quantity, **values)

    def fill(self, message: Message, values: Written, quantity: Decimal | int = 1) -> str:
        """Return the same with those of the values that it names."""
        return translate(message, self.locale, quantity).format_map(values)

    def number(self, value: Decimal | None) -> str:
        return format_number(value or Decimal(), locale=self.locale)

    def quantity(self, value: Decimal | None) -> str:
        """Return a number with its unit: `12,400 audios`, `1 audio`."""
        quantity = value or Decimal()
        unit = name_unit(self.unit, quantity, self.locale)
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
        return self.say((_LAST if is_last else _ANY)[unit], length, n=self.number(Decimal(length)))

    def span(self, seconds: int) -> str:
        """Return a span of time that is of nothing: `12 hours`."""
        length, unit = choose_unit(seconds)
        return self._replace(unit=unit).quantity(Decimal(length))

    def day(self, day: date) -> str:
        return format_day(day, self.locale)

    def moment(self, at: datetime) -> str:
        return f"{self.day(at)} {at:%H:%M}"
