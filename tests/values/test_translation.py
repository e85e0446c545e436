"""The catalogue of Spanish: whole, and with the values of the English texts in it."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from wolkvox_billing.values.translation import CATALOGUES, DOMAIN, Plural, translate

PACKAGE = CATALOGUES.parent
PO = CATALOGUES / "es" / "LC_MESSAGES" / f"{DOMAIN}.po"
KEYWORDS = {"N_": None, "Plural": (1, 2), "Column": (1,), "_": None}


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    with PO.open("rb") as file:
        return [message for message in read_po(file, abort_invalid=True) if message.id]


def parts(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def marked_in(file: Path) -> set[tuple[str, ...]]:
    """Return the texts that a module or template marks."""
    if not re.search(r"\b(N_|Plural|Column|_)\(", file.read_text()):
        return set()  # Babel takes long to read a module
    method = "python" if file.suffix == ".py" else "jinja2"
    return {parts(text) for _, text, _, _ in extract_from_file(method, file, keywords=KEYWORDS)}


def test_the_catalogue_holds_just_the_texts_of_the_code(messages: list[Message]) -> None:
    """`make words` brings a new one here."""
    marked = set[tuple[str, ...]]().union(
        *map(marked_in, [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.jinja")])
    )
    plurals = {single for single, *many in marked if many}  # of one that is marked alone too
    marked -= {(text,) for text in plurals}
    assert {parts(message.id) for message in messages} == marked


def test_each_text_is_translated(messages: list[Message]) -> None:
    """By a person: a guess of gettext's is marked fuzzy."""
    assert [m.id for m in messages if m.fuzzy or not all(parts(m.string))] == []


def test_a_translation_has_the_values_of_its_text(messages: list[Message]) -> None:
    def values(text: str) -> set[str]:
        return {field for _, field, _, _ in Formatter().parse(text) if field}

    assert [
        message.id
        for message in messages
        for english, spanish in zip(parts(message.id), parts(message.string), strict=True)
        if values(english) != values(spanish)
    ] == []


def test_what_is_typed_stays_as_it_is(messages: list[Message]) -> None:
    """Verbs, settings and columns between backticks."""

    def typed(text: str) -> list[str]:
        return sorted(re.findall(r"`[^`]*`", text))

    texts = [(m.id, m.string) for m in messages if isinstance(m.id, str)]
    assert [english for english, spanish in texts if typed(english) != typed(spanish)] == []


@pytest.mark.parametrize(
    ("locale", "count", "text"),
    [("en", 1, "call"), ("en", 2, "calls"), ("en_US", 0, "calls"), ("es", 1, "llamada"),
     ("es_CO", -1, "llamada"), ("es_MX", 2, "llamadas"), ("es", 0, "llamadas")],
)  # fmt: skip
def test_of_one_and_of_many(locale: str, count: int, text: str) -> None:
    assert translate(Plural("call", "calls"), locale, count) == text


def test_what_has_no_translation_is_english() -> None:
    assert translate("a new sentence", "es_CO") == "a new sentence"
    assert translate("", "es") == ""
