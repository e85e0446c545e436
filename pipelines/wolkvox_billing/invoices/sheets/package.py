"""The XML parts of an XLSX, read piece by piece: no DTD, only UTF-8, and not endless."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple
from xml.parsers import expat

from wolkvox_billing.invoices.document import Rejected

MOST_ELEMENTS = 2_000_000  # of all that is read: 50,000 rows of 20 cells
MOST_DEEP = 100
_CHUNK = 65_536
_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
_DTD = "an XLSX with a DTD inside, which none has and a hostile file may"

Attributes = dict[str, str]


class Handlers(NamedTuple):
    """What is called for the parts of an XML: a name without its namespace, a piece of text."""

    start: Callable[[str, Attributes], None]
    end: Callable[[str], None] | None = None
    text: Callable[[str], None] | None = None


class NoWorkbook(Rejected):
    """A package that holds something else, such as a text."""


class Package:
    """The parts, by their names in lower case. Raises Rejected, as does whatever reads them."""

    def __init__(self, parts: Mapping[str, bytes]) -> None:
        _check(parts)
        self._parts = {name.lower(): part for name, part in parts.items()}
        self._elements = 0

    def __contains__(self, path: str) -> bool:
        return path in self._parts

    def part(self, path: str) -> bytes:
        return self._parts.get(path, b"")

    def relationships(self, path: str, most: int = 1000) -> dict[str, str]:
        """Return the parts that a part, or "" (the package), refers to: by their ids, and the
        first of each type by that."""
        folder, name = posixpath.split(path)
        targets: dict[str, str] = {}

        def start(name: str, attributes: Attributes) -> None:
            if name == "Relationship" and len(targets) < most:
                target = posixpath.join("/", folder, attributes.get("Target", ""))
                part = posixpath.normpath(target).lstrip("/").lower()
                kind = attributes.get("Type", "").rpartition("/")[2]
                targets[attributes.get("Id", "")] = part
                targets.setdefault(kind, part)

        self.run(posixpath.join(folder, "_rels", f"{name}.rels"), Handlers(start))
        return targets

    def walk(self, path: str, handlers: Handlers) -> Iterator[None]:
        """Call the handlers for what is in a part, and stop after each piece of it."""
        depth = 0

        def started(name: str, attributes: Attributes) -> None:
            nonlocal depth
            self._elements += 1
            depth += 1
            if self._elements > MOST_ELEMENTS:
                raise Rejected(f"a workbook of more than {MOST_ELEMENTS:,} elements")
            if depth > MOST_DEEP:
                raise Rejected(f"an XLSX with XML inside that is more than {MOST_DEEP} deep")
            handlers.start(name.rpartition(":")[2], attributes)

        def ended(name: str) -> None:
            nonlocal depth
            depth -= 1
            if handlers.end:
                handlers.end(name.rpartition(":")[2])

        def doctype(*_: object) -> None:
            raise Rejected(_DTD)

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = started
        parser.StartDoctypeDeclHandler = doctype
        parser.EndElementHandler = ended
        parser.CharacterDataHandler = handlers.text
        part = self._parts.get(path, b"")
        try:
            for at in range(0, len(part), _CHUNK):
                parser.Parse(part[at : at + _CHUNK], False)
                yield
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise Rejected(f"not readable as XLSX: {path[:60]}: {error}") from None
        except (ValueError, LookupError, TypeError, ArithmeticError) as error:
            # Its text may quote a cell.
            raise Rejected(f"not readable as XLSX: {path[:60]}: {type(error).__name__}") from None
        yield

    def run(self, path: str, handlers: Handlers) -> None:
        """Call the handlers for all that is in a part, if it is there."""
        for _ in self.walk(path, handlers) if path in self else ():
            pass


def main_part(package: Package) -> str:
    """Return the name of the workbook's main part, whatever it is called. Raises Rejected where
    the package is of another program."""
    main = package.relationships("").get("officeDocument", "xl/workbook.xml")
    roots: list[str] = []
    with suppress(Rejected):  # whoever reads it says what is broken
        next(package.walk(main, Handlers(lambda name, _: roots.append(name))))
    if main not in package or (roots and roots[0] != "workbook"):
        raise NoWorkbook("an Office file that is no workbook, which cannot be read")
    return main


def _check(parts: Mapping[str, bytes]) -> None:
    """Raise Rejected where a part that is XML has a DTD, or is in UTF-16, where one could hide."""
    for part in parts.values():
        head = part[:100].lstrip(b"\xef\xbb\xbf\0 \t\r\n")
        if not head.startswith((b"<", *_BOMS)):
            continue
        if head.startswith(_BOMS) or b"\0" in part:
            raise Rejected("an XLSX with XML inside that is not in UTF-8, which a hostile file has")
        if b"<!DOCTYPE" in part or b"<!ENTITY" in part:
            raise Rejected(_DTD)
