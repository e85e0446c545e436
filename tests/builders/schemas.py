"""The JSON Schema of what each verb prints with --json, made of the types in `cli/printed`.

By a few lines of our own: pydantic and msgspec write down what *they* would print, a NamedTuple as
an array and a span of time as `PT90S`, and no setting of theirs makes that what `json_text` prints.
Draft 7 is what every validator reads.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import fastjsonschema

from wolkvox_billing.cli.main import main
from wolkvox_billing.cli.printed import Printed, PrintedError
from wolkvox_billing.marts.reconciled import Column

Schema = dict[str, Any]  # as JSON has it
NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
PLAIN: dict[object, Schema] = {
    str: {"type": "string"},
    Path: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    NoneType: {"type": "null"},
    Decimal: {"type": "string", "pattern": NUMBER},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    timedelta: {"type": "integer", "description": "In seconds"},
}


def verbs_with_json() -> list[str]:
    """Return the verbs that have the option --json."""
    return sorted(
        name
        for name, command in main.commands.items()
        if any("--json" in option.opts for option in command.params)
    )


def forms_of(verb: str) -> list[type[Printed]]:
    """Return the types of what a verb prints, in their order."""
    module = import_module(f"wolkvox_billing.cli.printed.{verb}")
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Printed)
        and value.__module__ == module.__name__
    ]


def schema_of(verb: str, *, is_strict: bool = False) -> Schema:
    """Return the schema of what a verb prints, be it an error. A strict one has no field that the
    types do not have: for tests; who scripts a verb shall not fail at a field that came."""
    types = _Types(is_strict)
    forms = [types.reference(form) for form in (*forms_of(verb), PrintedError)]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"wolkvox-billing {verb} --json",
        "anyOf": forms,
        "definitions": dict(sorted(types.definitions.items())),
    }


def schema_text(verb: str) -> str:
    """Return docs/json/<verb>.json."""
    return json.dumps(schema_of(verb), ensure_ascii=False, indent=2) + "\n"


@cache
def validator_of(verb: str) -> Callable[[object], object]:
    """Return a function that raises JsonSchemaException for what a verb does not print."""
    validator: Callable[[object], object] = fastjsonschema.compile(schema_of(verb, is_strict=True))
    return validator


class _Types:
    """Types as schemas; those with fields are defined once, by name."""

    def __init__(self, is_strict: bool) -> None:
        self.is_strict = is_strict
        self.definitions: dict[str, Schema] = {}

    def reference(self, row: type) -> Schema:
        """Return where a dataclass or NamedTuple is defined."""
        name = row.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # it may refer to itself
            self.definitions[name] = self._define(row)
        return {"$ref": f"#/definitions/{name}"}

    def _define(self, row: type) -> Schema:
        hints = get_type_hints(row, include_extras=True)
        names = [f.name for f in fields(row)] if is_dataclass(row) else [*hints]
        schema: Schema = {
            "type": "object",
            "description": " ".join((row.__doc__ or "").split()),
            "properties": {name: self.schema(hints[name]) for name in names},
            "required": names,
        }
        return schema | ({"additionalProperties": False} if self.is_strict else {})

    def schema(self, hint: Any) -> Schema:
        """Return what a value of a type is in JSON."""
        origin, args = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return _described(self.schema(args[0]), _sentence_of(args[1]))
        if origin in (Union, UnionType):
            return self._any_of(args)
        if origin is Literal:
            return {"enum": [*args]}
        if origin is not None and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.schema(args[1])}
        if origin is tuple and Ellipsis not in args:
            items = [self.schema(arg) for arg in args]
            return {"type": "array", "items": items, "minItems": len(args), "maxItems": len(args)}
        if origin is not None and issubclass(origin, Sequence):
            return {"type": "array", "items": self.schema(args[0])}
        if hint in PLAIN:
            return dict(PLAIN[hint])
        if issubclass(hint, Enum):
            return {"enum": [member.value for member in hint]}
        return self.reference(hint)

    def _any_of(self, hints: Sequence[Any]) -> Schema:
        schemas = [self.schema(hint) for hint in hints]
        if len(schemas) == 2 and schemas[1] == {"type": "null"} and "type" in schemas[0]:
            return schemas[0] | {"type": [schemas[0]["type"], "null"]}
        return {"anyOf": schemas}


def _sentence_of(note: Any) -> str:
    """Return what a field is described by: a sentence, or the column of a mart or of a raw table,
    which is a pair of its kind and a sentence."""
    if isinstance(note, Column):
        return note.says
    return note if isinstance(note, str) else str(note[1])


def _described(schema: Schema, says: str) -> Schema:
    """Return the schema with a sentence; beside a reference nothing would be read."""
    if "$ref" in schema:
        return {"description": says, "allOf": [schema]}
    return {"description": says, **{k: v for k, v in schema.items() if k != "description"}}
