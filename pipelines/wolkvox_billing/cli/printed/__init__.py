"""What the verbs print with --json: a module for each verb, and in it a type for each form.

docs/json/<verb>.json is made of these types and their comments, and the tests hold whatever a verb
prints against it. Who scripts a verb relies on it: a field may come, but one that goes, or means or
counts something else, makes the `version` of all verbs another one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Form = TypeVar("Form", bound=DataclassInstance)

VERSION: Literal[1] = 1


@dataclass(frozen=True, kw_only=True)
class Printed:
    """What a verb prints; each form of each verb is one."""

    version: Annotated[
        Literal[1], "Of the form: another one where a field went, or means something else"
    ] = field(default=VERSION, init=False)


@dataclass(frozen=True, kw_only=True)
class PrintedError(Printed):
    """What any verb prints where it could not begin or go on, all of it on one line.

    A script that parses what it is given gets an object of ours whatever happens, and no empty
    text, whose parser's own complaint would hide the reason; the sentence is on stderr too, for a
    person and a log. `error` is in no other form, so it tells the two apart without the exit code.
    """

    error: Annotated[str, "What is wrong and what to do, as on stderr"]
    exit_code: Annotated[int, "1: something failed; 2: wrong words or settings, nobody was asked"]


def form_of(form: type[Form], result: object, **own: object) -> Form:
    """Return the form of a result: its fields are what the result has by the same names, but for
    those that are given. The tests hold each form against its types."""
    names = {f.name for f in fields(form) if f.init} - own.keys()
    alike = {name: getattr(result, name) for name in names if hasattr(result, name)}
    return form(**alike, **own)
