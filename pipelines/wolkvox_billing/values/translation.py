"""Translation: texts in the language of a locale.

The text in the code is English, and the key of its translation in `locale/es`. `N_` and `Plural`
mark it where it stands, so that `make words` finds it; `translate` is given what they marked.
English asks for no catalogue. A wheel has the catalogue compiled; a clone has what people edit, and
Babel reads that.
"""

from __future__ import annotations

import io
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wolkvox_billing.values.locales import ENGLISH, language_of

if TYPE_CHECKING:
    from gettext import GNUTranslations

CATALOGUES = Path(__file__).parents[1] / "locale"
DOMAIN = "wolkvox_billing"


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a text that is translated where it is shown, and return it."""
    return text


class Plural(NamedTuple):
    """A text about one thing, and about many."""

    one: str
    many: str


Message = str | Plural


def translate(message: Message, locale: str, count: float | Decimal = 1) -> str:
    """Return a marked text in the language of a locale, in English where it has no translation;
    of two the one for so many."""
    one, many = message if isinstance(message, Plural) else (message, message)
    is_one = many is message or abs(count) == 1
    if language_of(locale) == ENGLISH or not one:  # "" is the catalogue's own head
        return one if is_one else many
    catalogue = _catalogue(language_of(locale))
    if many is message and (text := catalogue.gettext(one)) != one:
        return text
    # A text that is marked alone too, such as `day`, stands there with that of many.
    return catalogue.ngettext(one, many, 1 if is_one else 2)


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
