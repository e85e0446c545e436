"""What people are told of operations that count as another one, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from wolkvox_billing.marts.identities import ALIKE, SAME, Identities
from wolkvox_billing.values.locales import ENGLISH
from wolkvox_billing.values.translation import N_, Plural, phrase, translate

_TEXTS = {
    SAME: N_(
        "{id} and {other} read the same operation (server {server}, {name!r}): it counts once, as "
        "{other}; `wolkvox-billing operations merge {id} {other}` settles it, and `operations "
        "restore {id}` says that they are two"
    ),
    ALIKE: N_(
        "{id} and {other} are both {name!r} on server {server}, and what they read cannot be one "
        "counter: both count; `wolkvox-billing operations restore {id}` says that they are two, "
        "and `operations forget` leaves one of them out"
    ),
}
_BILLED = N_(
    "{id} is forgotten, and {lines} of invoices name it: nobody compares what they bill with its "
    "readings; `wolkvox-billing operations restore {id}` takes it back"
)
_LINES = Plural("{n} line", "{n} lines")


def billed(operation_id: str, lines: int, locale: str = ENGLISH) -> str:
    """Return what to say of an operation that is left out, and that so many invoice lines name."""
    named = phrase(_LINES, locale, lines, n=lines)
    return phrase(_BILLED, locale, id=operation_id, lines=named)


def undecided(identities: Identities, locale: str = ENGLISH) -> Iterator[str]:
    """Yield a sentence for each operation that shares server and vendor's name with another one,
    and of which nobody said yet whether they are one."""
    for row in identities.rows:
        if row.decision in (SAME, ALIKE):
            yield translate(_TEXTS[row.decision], locale).format(
                id=row.operation_id, other=row.other_id, server=row.server, name=row.operation_name
            )
