"""What a person sees on a terminal, and a machine in a pipe."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from wolkvox_billing.values.locales import short_date
from wolkvox_billing.values.numbers import format_count, format_number
from wolkvox_billing.values.texts import harmless
from wolkvox_billing.values.translation import N_, Message, phrase, translate

if TYPE_CHECKING:
    from wolkvox_billing.cli.printed import Printed
    from wolkvox_billing.polling.polls import Poll, Skip

_ROWS_OF_A_TABLE = 1000  # a longer one is printed in parts, each with its headings


@contextmanager
def watching(work: str) -> Iterator[Callable[[Poll | Skip], None]]:
    """Tell of each call as it ends: on a line that changes while a person watches, else by log."""
    logger, ended = logging.getLogger("wolkvox_billing"), count(1)
    with spinning(work) as update:
        if _is_watched():
            yield lambda event: update(f"{work}: {next(ended)} done, {describe_call(event)}")
        else:
            yield lambda event: logger.info(harmless(describe_call(event)))


def describe_call(event: Poll | Skip) -> str:
    """Return a line about a call: whose, what came of it, how many rows, how long it took."""
    from wolkvox_billing.polling.polls import Poll  # of no use to most verbs

    if isinstance(event, Poll):
        rows = format_count(event.judgement.count, "row")
        took = (event.finished_at - event.started_at).total_seconds()
        name = event.operation.operation_id
        return f"{name} {event.report} {event.outcome.value} {rows} {took:.2f} s"
    return f"{event.operation_id} {event.report} not asked: {event.detail}"


@contextmanager
def counting(work: str) -> Iterator[Callable[[object], None]]:
    """Count what is done, while a person watches; say nothing in a pipe."""
    done = count(1)
    with spinning(work) as update:
        yield lambda _: update(f"{work}: {next(done):,}")


@contextmanager
def spinning(work: str) -> Iterator[Callable[[str], None]]:
    """Show a line that changes while a person watches, and nothing in a pipe. Yield a function that
    takes the line's text."""
    if not _is_watched():
        yield lambda text: None
        return
    from rich.console import Console  # of no use in a pipe, where most loads run
    from rich.text import Text

    with Console(stderr=True).status(f"{work}...") as spinner:
        yield lambda text: spinner.update(Text(harmless(text)))


def _is_watched() -> bool:
    """Return whether a person sees what goes to stderr; a service may have none at all."""
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


def say(text: str, bold: bool = False) -> None:
    click.secho(harmless(text), bold=bold or None)


def language() -> str:
    """Return the language of the settings."""
    from wolkvox_billing.reconciliation.policy import read_language  # of no use to a poll

    return read_language()


class Teller(NamedTuple):
    """Says marked texts in the language of a locale."""

    locale: str

    def __call__(self, message: Message, quantity: int = 1, /, **values: object) -> None:
        say(phrase(message, self.locale, quantity, **values))

    def warn(self, texts: Iterable[str]) -> None:
        """Say warnings, a line each."""
        for text in texts:
            self(N_("warning: {text}"), text=text)

    def place(self, location: str, dataset: str) -> None:
        """Say where the tables are."""
        self(N_("tables: {location}, dataset {dataset}"), location=location, dataset=dataset)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        cells = [[self._written(cell) for cell in row] for row in rows]
        print_table([translate(heading, self.locale) for heading in headings], cells)

    def _written(self, cell: object) -> object:
        if isinstance(cell, date) and not isinstance(cell, datetime):
            return short_date(cell, self.locale)
        return cell


def complain(text: str) -> None:
    click.echo(f"wolkvox-billing: {harmless(text)}", err=True)


def print_table(headings: list[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table with lines and headings on a terminal; in a pipe rows alone, with tabs between
    cells, so that each row is a line and each word whole."""
    from rich.console import Console

    out = Console(highlight=False)
    texts = [[harmless(_as_text(cell)) for cell in row] for row in rows]
    if not out.is_terminal:
        for cells in texts:
            click.echo("\t".join(" ".join(cell.split("\n")) for cell in cells))
        return
    from rich.table import Table
    from rich.text import Text

    for start in range(0, max(len(rows), 1), _ROWS_OF_A_TABLE):
        table = Table()
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for cells in texts[start : start + _ROWS_OF_A_TABLE]:
            table.add_row(*map(Text, cells))
        out.print(table)


def is_on_terminal() -> bool:
    """Return whether a person sees what is printed, and no program reads it."""
    return sys.stdout is not None and sys.stdout.isatty()


def print_lines(rows: Sequence[Sequence[object]]) -> None:
    """Print a line for each row, with tabs between its cells, for `grep`, `cut` and the like."""
    for row in rows:
        click.echo("\t".join(" ".join(harmless(_as_text(cell)).split()) for cell in row))


def print_json(form: Printed, *, in_a_line: bool = False) -> None:
    """Print numbers that count as strings, so that no reader makes a float of them; times in ISO
    8601; UTF-8, as JSON is, whatever the terminal has. What does not print is escaped: half a
    character, as a file's name may hold, ends no verb."""
    text = json_text(form, indent=None if in_a_line else 2)
    rows = (row if row.isprintable() else _escape(row) for row in text.split("\n"))
    click.echo("".join(f"{row}\n" for row in rows).encode(), nl=False)


def take_any_text() -> None:
    """Let whatever is printed come out where the terminal or pipe has not all characters: as `?`,
    since a word that does not print must end no verb."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a service may have none, a test its own
            stream.reconfigure(errors="replace")


def _escape(text: str) -> str:
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def json_text(form: Printed, indent: int | None = None) -> str:
    """Return a form as JSON, as its schema has it."""
    return json.dumps(_as_json(form), ensure_ascii=False, indent=indent)


def _as_json(value: object) -> object:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (str, Path)):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"  # of eight decimals 0 would be 0E-8
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return round(value.total_seconds())
    if is_dataclass(value):
        return {field.name: _as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _as_json(own) for name, own in value.items()}
    names = getattr(value, "_fields", None)  # of a NamedTuple
    if isinstance(value, (list, tuple)):
        own = [_as_json(part) for part in value]
        return dict(zip(names, own, strict=True)) if names else own
    raise TypeError(type(value))


def _as_text(cell: object) -> str:
    if isinstance(cell, Decimal):
        return format_number(cell)
    return "" if cell is None else str(cell)
