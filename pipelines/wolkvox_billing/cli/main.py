"""The command line: words and exit codes; no logic.

Exit codes: 0 all well, 1 something failed (the rest was loaded), 2 wrong words or settings.
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, NoReturn

import click

from wolkvox_billing.cli import (
    billing,
    bucket,
    calls,
    claims,
    copies,
    operations,
    readers,
    setting_up,
)
from wolkvox_billing.cli.printed import PrintedError
from wolkvox_billing.cli.terminal import complain, language, print_json, spinning, take_any_text
from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.values.translation import Sentence
from wolkvox_billing.version import __version__

# Python's own 700 make it search dlt's modules for rubbish 180 times while they are imported:
# an eighth of a load of one row.
OBJECTS_BETWEEN_COLLECTIONS = 100_000
_AS_JSON = f"{__name__}.as_json"
_NO_TEMPORARY = "no folder takes temporary files: set TMPDIR to one that can be written to"
_NO_ROOM = "the disk is full: what was to be printed is not whole"


class Group(click.Group):
    """Turns our errors into one line and an exit code; a traceback is for bugs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_AS_JSON] = "--json" in args  # before a wrong word of the verb ends it
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # as click has it: what the verb returns
        take_any_text()
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _print_error(ctx, error.format_message(), error.exit_code)
            raise
        except WolkvoxError as error:
            says, code = _says(error), 2 if isinstance(error, SettingsError) else 1
        except OSError as error:
            if error.errno == errno.ENOSPC:  # of what is printed: whoever writes a file tells of it
                complain(_NO_ROOM)
                ctx.exit(1)
            if "usable temporary directory" not in str(error):  # as `tempfile` says it
                raise
            says, code = _NO_TEMPORARY, 1
        complain(says)
        _print_error(ctx, says, code)
        ctx.exit(code)


def _says(error: WolkvoxError) -> str:
    """Return what an error says, in the language of the settings where it has it."""
    says = error.args[0] if error.args else ""
    return says.say(language()) if isinstance(says, Sentence) else str(error)


def _print_error(ctx: click.Context, says: str, code: int) -> None:
    """Print what ended a verb, where its JSON was asked for: see PrintedError."""
    if ctx.meta[_AS_JSON]:
        print_json(PrintedError(error=says, exit_code=code), in_a_line=True)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wolkvox-billing")
def main() -> None:
    """Keeps your own record of what wolkvox's billing API says.

    Settings come from .dlt/config.toml, .dlt/secrets.toml or the environment, as in any dlt
    project; docs/settings.md lists them. Exit codes: 0 all well, 1 something failed (the rest
    was loaded), 2 wrong words or settings.
    """
    # One line per call where nobody watches; progress where somebody does.
    logger = logging.getLogger("wolkvox_billing")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
        logger.addHandler(handler)
        logger.propagate = False
    logger.setLevel(logging.INFO)
    # It warns of headers that end half-way with a traceback; the outcome of the call says it.
    logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


def run() -> NoReturn:
    """Run the command line as a process of its own, and end that process at once: to take down
    dlt and a database module by module takes a fifth of a load, and a third of that of a poll, and
    nothing is left to do. Files and connections are closed where they are used."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    code: object = 1
    try:
        main(prog_name="wolkvox-billing")
    except SystemExit as end:
        code = end.code
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # nobody reads it any more
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


@main.command()
def demo() -> None:
    """Live through two months against a stand-in vendor, in a scratch folder."""
    if find_spec("wolkvox_demo") is None:
        raise SettingsError(
            "the demo comes with the project's repository and not with the wheel: clone it, and "
            "run `make demo` there"
        )
    logging.getLogger("wolkvox_billing").setLevel(logging.ERROR)  # the story tells of refusals
    from wolkvox_demo.demo import demo as verb
    from wolkvox_demo.story import tell

    with spinning("living through September and October 2026") as update:
        story = verb(lambda day: update(f"living through {day:%d %B %Y}"))
    tell(story)


for command in (
    setting_up.init, setting_up.reports,
    calls.poll, calls.load, calls.check,
    billing.invoices, billing.documents, billing.reconcile, billing.explain, billing.close,
    billing.verify, claims.claim, operations.operations, copies.restore, copies.copy,
    bucket.bucket, readers.status, readers.refresh, readers.publish, readers.sql, readers.dbt,
):  # fmt: skip
    main.add_command(command)
