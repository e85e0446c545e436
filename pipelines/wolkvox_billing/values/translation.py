"""Translation: texts in the language of a locale, and the values in them as it writes them.

The text in the code is English, and the key of its translation in `locale/es`. `N_` and `Plural`
mark it where it stands, so that `make words` finds it; `translate` is given what they marked.
English asks for no catalogue. A wheel has the catalogue compiled; a clone has what people edit, and
Babel reads that.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wolkvox_billing.values.locales import ENGLISH, format_day, language_of, say_month, short_date
from wolkvox_billing.values.numbers import format_amount, format_number

if TYPE_CHECKING:
    from gettext import GNUTranslations

CATALOGUES = Path(__file__).parents[1] / "locale"
DOMAIN = "wolkvox_billing"


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a text that is translated where it is shown, and return it."""
    return text


class Plural(NamedTuple):
    """A text about one thing, and about many."""

    singular: str
    plural: str


Message = str | Plural


def translate(message: Message, locale: str, quantity: float | Decimal = 1) -> str:
    """Return a marked text in the language of a locale, in English where it has no translation;
    of two the one for so many."""
    singular, plural = message if isinstance(message, Plural) else (message, message)
    is_single = plural is message or abs(quantity) == 1
    if language_of(locale) == ENGLISH or not singular:  # "" is the catalogue's own head
        return singular if is_single else plural
    catalogue = _catalogue(language_of(locale))
    if plural is message and (text := catalogue.gettext(singular)) != singular:
        return text
    # A text that is marked alone too, such as `day`, stands there with that of many.
    return catalogue.ngettext(singular, plural, 1 if is_single else 2)


class Amount(NamedTuple):
    """Money in a sentence."""

    amount: Decimal
    currency: str | None = None
    is_signed: bool = False


class BillingMonth(NamedTuple):
    """A month in a sentence, by its first day."""

    first: date

    @classmethod
    def named(cls, name: str) -> BillingMonth:
        """Return the month of a name such as 2026-10."""
        return cls(date.fromisoformat(f"{name}-01"))


class Day(NamedTuple):
    """A day of this year or the last, without its year."""

    day: date


def phrase(
    message: Message, locale: str, quantity: float | Decimal = 1, /, **values: object
) -> str:
    """Return a marked text in the language of a locale, with values as it writes them: numbers with
    its marks, money to the cent."""
    written = {name: _written(value, locale) for name, value in values.items()}
    return translate(message, locale, quantity).format(**written)


def _written(value: object, locale: str) -> object:
    if isinstance(value, Amount):
        amount = format_amount(value.amount, signed=value.is_signed, locale=locale)
        return f"{amount} {say_in(locale, value.currency or '')}".strip()
    if isinstance(value, BillingMonth):
        return say_month(value.first, locale)
    if isinstance(value, Day):
        return format_day(value.day, locale)
    if isinstance(value, date) and not isinstance(value, datetime):
        return short_date(value, locale)
    if isinstance(value, str):
        return say_in(locale, value)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(_written(part, locale)) for part in value)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return format_number(value, locale=locale)
    return value


class Sentence(str):
    """A text in English, as it is logged and compared, that can be said in another language where
    a person is shown it: it knows the marked text and the values in it."""

    message: Message
    quantity: float | Decimal
    values: dict[str, object]

    def __new__(
        cls, message: Message, quantity: float | Decimal = 1, /, **values: object
    ) -> Sentence:
        sentence = super().__new__(cls, phrase(message, ENGLISH, quantity, **values))
        sentence.message, sentence.quantity, sentence.values = message, quantity, values
        return sentence

    def __getnewargs_ex__(self) -> tuple[tuple[object, ...], dict[str, object]]:
        return (self.message, self.quantity), self.values  # of a copy, as `asdict` makes

    def say(self, locale: str) -> str:
        return phrase(self.message, locale, self.quantity, **self.values)


def together(texts: Iterable[str], between: str = "; ") -> Sentence:
    """Return several sentences as one."""
    values = {f"text{place}": text for place, text in enumerate(texts)}
    return Sentence(between.join(f"{{{name}}}" for name in values), **values)


class ContractWord(str):
    """A status or another word of the contract's: in English as it is, and may be looked for; in
    another language as a person reads it."""

    def say(self, locale: str) -> str:
        is_english = language_of(locale) == ENGLISH
        return str(self) if is_english else translate(self.replace("_", " "), locale)


def say_in(locale: str, text: str) -> str:
    """Return a sentence or a contract's word in a locale's language; any other text as it is."""
    return text.say(locale) if isinstance(text, (Sentence, ContractWord)) else text


@lru_cache
def _catalogue(language: str) -> GNUTranslations:
    from gettext import GNUTranslations

    folder = CATALOGUES / language / "LC_MESSAGES"
    compiled = folder / f"{DOMAIN}.mo"
    if compiled.exists():
        with compiled.open("rb") as file:
            return GNUTranslations(file)
    return GNUTranslations(io.BytesIO(compile_catalogue(folder / f"{DOMAIN}.po")))


def compile_catalogue(file: Path) -> bytes:
    """Return a catalogue that people edit as gettext reads it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, abort_invalid=True))
    return compiled.getvalue()
