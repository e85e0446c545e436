"""The verbs that put a record elsewhere: `restore` and `copy`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wolkvox_billing.cli.options import Place, json_option, place_options
from wolkvox_billing.cli.printed import form_of
from wolkvox_billing.cli.terminal import print_json, print_table, say, spinning

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wolkvox_billing.cli.printed.copy import PrintedCopy
    from wolkvox_billing.verbs.restore import Copied


@click.command()
@click.argument("path", metavar="COPY")
@place_options
@json_option
def restore(path: str, as_json: bool, **place: Unpack[Place]) -> None:
    """Put back what `publish` wrote, into a destination that is empty or lost.

    COPY is a DuckDB file, or a folder of Parquet. All raw tables go there, and are held against the
    copy row by row; the marts are made anew by the settings. A DuckDB file that a kill has torn is
    taken too; the record's own, such as wolkvox.duckdb, is mended where it lies.
    """
    from wolkvox_billing.cli.printed.restore import PrintedRestore
    from wolkvox_billing.verbs.restore import restore as verb

    with spinning(f"restoring {path}") as update:
        copied = verb(path, on_table=update, **place)
    _print(copied, place["dataset"], PrintedRestore if as_json else None)


@click.command()
@click.option("--to", required=True, metavar="DESTINATION", help="Where to: duckdb or postgres.")
@place_options
@json_option
def copy(to: str, as_json: bool, **place: Unpack[Place]) -> None:
    """Put the record into another, empty destination; the first one stays as it is.

    All raw tables go there, and are held against it row by row; the marts are made anew.
    """
    from wolkvox_billing.cli.printed.copy import PrintedCopy
    from wolkvox_billing.verbs.restore import copy as verb

    with spinning(f"copying to {to}") as update:
        copied = verb(to, on_table=update, **place)
    _print(copied, place["dataset"], PrintedCopy if as_json else None)


def _print(copied: Copied, dataset: str, form: type[PrintedCopy] | None) -> None:
    if form:
        print_json(form_of(form, copied, failures=copied.problems))
    else:
        for text in copied.problems:
            say(f"warning: {text}")
        print_table(["table", "rows"], [[table, f"{n:,}"] for table, n in copied.rows.items()])
        say(f"tables: {copied.location}, dataset {dataset}")
    sys.exit(1 if copied.problems else 0)
