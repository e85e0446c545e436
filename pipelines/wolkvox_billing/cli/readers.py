"""The verbs for those who read the tables: `status`, `refresh`, `publish`, `sql` and `dbt`."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from wolkvox_billing.cli.listing import FRESHNESS_HEADINGS, freshness_as_rows
from wolkvox_billing.cli.options import Place, dataset_option, json_option, place_options
from wolkvox_billing.cli.printed import form_of
from wolkvox_billing.cli.terminal import Teller, print_json, print_table, say
from wolkvox_billing.marts.engine import DIALECTS
from wolkvox_billing.values.translation import N_, Plural

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wolkvox_billing.verbs.status import Status


@click.command()
@place_options
@click.option(
    "--stale-after",
    type=click.FloatRange(min=0),
    metavar="MINUTES",
    help="End in 1 where an operation was not answered for so long.",
)
@click.option("--fail-on-warning", is_flag=True, help="End in 1 where there is a warning.")
@json_option
def status(
    stale_after: float | None, fail_on_warning: bool, as_json: bool, **place: Unpack[Place]
) -> None:
    """Show what is loaded, how fresh it is, and where the gaps are."""
    from wolkvox_billing.verbs.status import status as verb

    state = verb(**place)
    stale = [] if stale_after is None else state.stale(timedelta(minutes=stale_after))
    failures = [*stale, *(state.warnings if fail_on_warning else ())]
    if as_json:
        from wolkvox_billing.cli.printed.status import PrintedStatus

        print_json(form_of(PrintedStatus, state, failures=failures))
    else:
        _print_status(state, place["dataset"], stale)
    sys.exit(1 if failures else 0)


_WAITING = Plural(
    "{n} answer waits there for the next load", "{n} answers wait there for the next load"
)


def _print_status(state: Status, dataset: str, stale: list[str]) -> None:
    from wolkvox_billing.verbs.call_budget import CALLS_OF_A_LICENCE

    tell = Teller(state.language)
    if state.rows:
        rows = [cells for row in state.rows for cells in freshness_as_rows(row, state.language)]
        tell.table(FRESHNESS_HEADINGS, rows)
    else:
        tell(N_("nothing is loaded yet: run `wolkvox-billing load`"))
    tell.warn(state.warnings)
    for own in state.calls:
        text = N_("calls today of {operation}: {calls} of {allowed}")
        if not own.allowed:
            text = N_("calls today of {operation}: {calls}, of licences x {a_licence}")
        values = {"calls": own.calls, "allowed": own.allowed, "a_licence": CALLS_OF_A_LICENCE}
        tell(text, operation=own.operation_id, **values)
    for text in state.retired:
        say(text)
    tell.place(state.location, dataset)
    tell(N_("working folder: {folder}"), folder=state.working_folder)
    tell(N_("dlt's own tools: {command}"), command=state.dlt_command)
    if state.waiting:
        tell(_WAITING, state.waiting, n=state.waiting)
    for text in stale:
        tell(N_("stale: {text}"), text=text)


@click.command()
@place_options
@json_option
def refresh(as_json: bool, **place: Unpack[Place]) -> None:
    """Make the marts anew by the settings as they are now; asks nobody.

    `load` does it too: this is for settings that changed, and for a load that did not come so far.
    """
    from wolkvox_billing.verbs.load import refresh_marts

    result = refresh_marts(**place)
    if as_json:
        from wolkvox_billing.cli.printed.refresh import PrintedRefresh

        print_json(form_of(PrintedRefresh, result, failures=result.problems))
    else:
        for line in result.problems + result.warnings:
            say(f"warning: {line}")
        say(f"marts: {result.location}, dataset {place['dataset']}_marts")
    sys.exit(1 if result.problems else 0)


@click.command()
@click.argument("path")
@place_options
@json_option
def publish(path: str, as_json: bool, **place: Unpack[Place]) -> None:
    """Write a read-only copy for BI tools: a DuckDB file, or a folder of Parquet.

    PATH ends in .duckdb for a file. Readers keep what they have open; nobody sees half a copy.
    """
    from wolkvox_billing.verbs.publish import publish as verb

    snapshot = verb(path, **place)
    if as_json:
        from wolkvox_billing.cli.printed.publish import PrintedSnapshot

        print_json(form_of(PrintedSnapshot, snapshot))
        return
    for text in snapshot.warnings:
        say(f"warning: {text}")
    print_table(["table", "rows"], [[table, f"{rows:,}"] for table, rows in snapshot.rows.items()])
    say(f"published: {snapshot.path}")


@click.command()
@click.option(
    "--out", metavar="DIR", default=".", help="The folder, such as models of your project."
)
@place_options
@json_option
def dbt(out: str, as_json: bool, **place: Unpack[Place]) -> None:
    """Write sources.yml, by which a dbt project reads the tables and marts.

    It has each table that is there, with descriptions, keys as tests, and the freshness of answers.
    """
    from wolkvox_billing.verbs.dbt import write_dbt_sources

    sources = write_dbt_sources(out, **place)
    if as_json:
        from wolkvox_billing.cli.printed.dbt import PrintedSources

        print_json(form_of(PrintedSources, sources))
        return
    for name, tables in sources.tables.items():
        say(f"{name}: {', '.join(tables) or 'none'}")
    say(f"written: {sources.path}")


@click.command()
@click.argument("dialect", type=click.Choice(DIALECTS))
@click.option(
    "--record",
    metavar="DESTINATION",
    envvar="WOLKVOX_BILLING_DESTINATION",
    help="Whose decisions on operations hold: duckdb or postgres.",
)
@dataset_option
def sql(dialect: str, record: str | None, dataset: str) -> None:
    """Print the statements that make the marts, for another engine.

    `load` runs them by itself on DuckDB and PostgreSQL. Elsewhere run them once a day: the
    calendar, the moment up to which the marts speak, and what `operations` decided are in them.
    """
    from wolkvox_billing.verbs.load import marts_sql

    for statement in marts_sql(dialect, record=record, dataset=dataset):
        click.echo(f"{statement};")
