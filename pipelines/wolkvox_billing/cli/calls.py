"""The verbs that call the vendor: `poll`, `load` and `check`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wolkvox_billing.cli.listing import advice_of, poll_as_row, poll_report_as_lines, sum_of
from wolkvox_billing.cli.options import (
    Place,
    every_option,
    force_option,
    json_option,
    load_every_option,
    place_options,
    report_option,
)
from wolkvox_billing.cli.terminal import complain, print_json, print_table, say, watching
from wolkvox_billing.values.numbers import format_count

if TYPE_CHECKING:
    from typing_extensions import Unpack

Report = TypeVar("Report")


def _ask(verb: Callable[..., Report], reports: tuple[str, ...], **options: Any) -> Report:
    """Run `poll` or `load`, and show its calls as they end."""
    with watching("asking wolkvox") as on_event:
        return verb(reports=list(reports) or None, on_event=on_event, **options)


@click.command()
@place_options
@report_option
@force_option
@json_option
def poll(reports: tuple[str, ...], force: bool, as_json: bool, **place: Unpack[Place]) -> None:
    """Ask every operation for every report that is due, and keep the answers safe in the spool.

    It needs no database, and costs next to nothing. `load` puts what waits into the tables.
    """
    from wolkvox_billing.verbs.poll import poll as verb

    result = _ask(verb, reports, force=force, **place)
    if as_json:
        from wolkvox_billing.cli.printed.poll import PrintedPoll, poll_as_form

        print_json(poll_as_form(result, PrintedPoll))
    else:
        for line in poll_report_as_lines(result):
            say(line)
        say(f"working folder: {result.working_folder}")
        answers = format_count(result.waiting, "answer waits", "answers wait")
        say(f"{answers} there for the next load")
    sys.exit(0 if result.is_good else 1)


@click.command()
@place_options
@report_option
@force_option
@json_option
@every_option
@load_every_option
def load(
    reports: tuple[str, ...],
    force: bool,
    as_json: bool,
    every: timedelta | None,
    load_every: timedelta | None,
    **place: Unpack[Place],
) -> None:
    """Ask every operation for every report once, and load the answers and all that waited.

    With --every it stays, and does both again and again until TERM or Ctrl-C.
    """
    if every:
        if force:
            raise click.UsageError("--force is for one call: with --every the pace holds")
        from wolkvox_billing.cli.staying import LOAD_EVERY, stay_and_tell
        from wolkvox_billing.polling.schedule import Rhythm
        from wolkvox_billing.verbs.stay import Plan

        rhythm = Rhythm(every, load_every or LOAD_EVERY)
        stay_and_tell(Plan(rhythm, reports=reports, **place), as_json=as_json)
        return
    if load_every:
        raise click.UsageError("--load-every goes with --every")
    from wolkvox_billing.verbs.load import load as verb

    result = _ask(verb, reports, force=force, **place)
    if as_json:
        from wolkvox_billing.cli.printed.load import PrintedLoad
        from wolkvox_billing.cli.printed.poll import poll_as_form

        print_json(poll_as_form(result, PrintedLoad))
    else:
        rows = [poll_as_row(poll) for poll in result.polls]
        rows += [[s.operation_id, s.report, "not asked", "", s.detail] for s in result.skips]
        print_table(["operation", "report", "outcome", "rows", "what was said"], rows)
        for line in advice_of(result):
            say(line)
        say(f"tables: {result.location}, dataset {place['dataset']}")
        say(f"working folder: {result.working_folder}")
        for line in (*result.problems, *(f"warning: {text}" for text in result.warnings)):
            say(line)
        say(sum_of(result))
    sys.exit(0 if result.is_good else 1)


@click.command()
@json_option
def check(as_json: bool) -> None:
    """Ask each operation once, and say what works and what to do.

    On a machine of Airflow's it looks for the pool of the DAG's tasks too.
    """
    from wolkvox_billing.polling.settings import read_poll_settings
    from wolkvox_billing.verbs.airflow_pool import look_at_pool
    from wolkvox_billing.verbs.check import check as verb

    pool, warnings = look_at_pool(), read_poll_settings().warnings
    if not pool.is_good:
        complain(pool.says)
    elif pool.says and not as_json:
        say(pool.says)
    with watching("asking wolkvox") as on_event:
        findings = verb(on_event=on_event)
    if as_json:
        from wolkvox_billing.cli.printed.check import check_as_form

        print_json(check_as_form(findings, pool, warnings))
    else:
        for text in warnings:
            say(f"warning: {text}")
        for finding in findings:
            state = f"fails at: {finding.failed_step}" if finding.failed_step else "works"
            say(
                f"{finding.operation_id} (server {finding.server}, {finding.report}): {state}",
                bold=True,
            )
            if finding.says:
                say(f"  it says: {finding.says}")
            say(f"  to do: {finding.advice}" if finding.failed_step else f"  {finding.advice}")
            if finding.rows:
                print_table(list(finding.rows[0]), [list(row.values()) for row in finding.rows])
    sys.exit(1 if not pool.is_good or any(finding.failed_step for finding in findings) else 0)
