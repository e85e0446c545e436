"""What people are told of operations that count as another one, or not at all, in English and
Spanish."""

from __future__ import annotations

from collections.abc import Iterator

from wolkvox_billing.marts.identities import ALIKE, SAME, Identities
from wolkvox_billing.values.locales import ENGLISH, language_of
from wolkvox_billing.values.numbers import format_count

_TEXTS = {
    "en": {
        SAME: "{id} and {other} read the same operation (server {server}, {name!r}): it counts "
        "once, as {other}; `wolkvox-billing operations merge {id} {other}` settles it, and "
        "`operations restore {id}` says that they are two",
        ALIKE: "{id} and {other} are both {name!r} on server {server}, and what they read cannot "
        "be one counter: both count; `wolkvox-billing operations restore {id}` says that they are "
        "two, and `operations forget` leaves one of them out",
        "billed": "{id} is forgotten, and {lines} of invoices name it: nobody compares what they "
        "bill with its readings; `wolkvox-billing operations restore {id}` takes it back",
    },
    "es": {
        SAME: "{id} y {other} leen la misma operación (servidor {server}, {name!r}): cuenta una "
        "vez, como {other}; `wolkvox-billing operations merge {id} {other}` lo confirma, y "
        "`operations restore {id}` dice que son dos",
        ALIKE: "{id} y {other} se llaman {name!r} en el servidor {server}, y lo que leen no puede "
        "ser un solo contador: cuentan las dos; `wolkvox-billing operations restore {id}` dice que "
        "son dos, y `operations forget` deja fuera una de ellas",
        "billed": "{id} está olvidada, y {lines} de facturas la nombran: nadie compara lo que "
        "facturan con sus lecturas; `wolkvox-billing operations restore {id}` la devuelve",
    },
}


_LINES = {"en": ("line", "lines"), "es": ("línea", "líneas")}


def billed(operation_id: str, lines: int, locale: str = ENGLISH) -> str:
    """Return what to say of an operation that is left out, and that so many invoice lines name."""
    language = language_of(locale)
    named = format_count(lines, *_LINES[language])
    return _TEXTS[language]["billed"].format(id=operation_id, lines=named)


def undecided(identities: Identities, locale: str = ENGLISH) -> Iterator[str]:
    """Yield a sentence for each operation that shares server and vendor's name with another one,
    and of which nobody said yet whether they are one."""
    for row in identities.rows:
        if row.decision in (SAME, ALIKE):
            yield _TEXTS[language_of(locale)][row.decision].format(
                id=row.operation_id, other=row.other_id, server=row.server, name=row.operation_name
            )
