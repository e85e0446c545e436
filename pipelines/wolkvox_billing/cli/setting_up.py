"""The verbs of a first day: `init` and `reports`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from wolkvox_billing.cli.options import json_option
from wolkvox_billing.cli.terminal import Teller, language, print_json, print_table, say, watching
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.values.numbers import format_count
from wolkvox_billing.values.translation import N_, say_in, translate

_SCHEDULE = """\
  CRON_TZ=America/Bogota
  */5 * * * *        cd {folder} && {program} poll > poll.log 2>&1 || cat poll.log
  2 * * * *          cd {folder} && {program} load > load.log 2>&1 || cat load.log
  53,59 23 28-31 * * cd {folder} && {program} load --force > load.log 2>&1 || cat load.log
  10 * * * *         cd {folder} && {program} status {alarm} > age.log || cat age.log\
"""
_SERVER = N_("server, such as 0010 of wv0010.wolkvox.com")
_REPORTS = N_(
    "reports to ask for, with commas (all: each of the 27; `wolkvox-billing reports` has them)"
)
_ALARM = "--stale-after 35 --fail-on-warning"


@click.command()
@click.option("--server", help="Its server, such as 0010 of wv0010.wolkvox.com.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    help="A report to ask for; may be repeated. `wolkvox-billing reports` lists them.",
)
@click.pass_context
def init(context: click.Context, server: str | None, reports: tuple[str, ...]) -> None:
    """Write the settings of a new project folder, ask once, and say what to schedule.

    The token is asked for, and is no word of the command: those are in the shell's history.
    """
    from wolkvox_billing.cli.calls import check
    from wolkvox_billing.verbs.init import check_place
    from wolkvox_billing.verbs.init import init as verb

    check_place()  # before a person types what would not be kept
    tell = Teller(language())
    server = server or _ask("--server", translate(_SERVER, tell.locale))
    token = _read_token()
    chosen = reports or _ask(
        "--report", translate(_REPORTS, tell.locale), default="rsync_s3_mp3"
    ).replace(" ", "").split(",")
    for line in verb(server.strip(), token.strip(), list(chosen)):
        say(say_in(tell.locale, line))
    program = shutil.which("wolkvox-billing") or f"{sys.executable} -m wolkvox_billing"
    text = N_(
        "what to schedule, with cron (the hours are the vendor's: a month ends at its midnight):"
    )
    tell(text)
    say(_SCHEDULE.format(folder=Path.cwd(), program=program, alarm=_ALARM))
    tell(N_("which reports have rows: `wolkvox-billing reports --probe` (27 calls)"))
    context.invoke(check, as_json=False)


def _ask(option: str, text: str, default: str | None = None) -> str:
    """Return what a person answers. Raises SettingsError where a pipe ends before."""
    try:
        return str(click.prompt(text, default=default))
    except click.Abort:
        if sys.stdin.isatty():  # Ctrl-C or Ctrl-D: who did that knows
            raise
        raise _input_ended(f"it said what {option} would") from None


def _read_token() -> str:
    """Return the token that is typed, which no terminal shows; or the next line of a pipe."""
    if sys.stdin.isatty():
        return str(click.prompt("token", hide_input=True))
    click.echo("token: ")
    line = sys.stdin.readline()
    if not line:
        raise _input_ended("the token")
    return line


def _input_ended(before: str) -> SettingsError:
    return SettingsError(
        f"the input ended before {before}, and nothing is written: pipe the server, the token and "
        "the reports, a line each, but for those that an option gives"
    )


@click.command()
@click.option("--probe", "is_probe", is_flag=True, help="Ask for each: 27 calls an operation.")
@json_option
def reports(is_probe: bool, as_json: bool) -> None:
    """List the vendor's reports, with unit and meaning; with --probe those that have rows."""
    from wolkvox_billing.cli.printed import reports as printed
    from wolkvox_billing.verbs import reports as verb

    lines = verb.list_reports()
    if not is_probe:
        if as_json:
            print_json(printed.PrintedReports(reports=lines))
            return
        print_table(
            ["report", "items", "unit", "what it says", "asked for"],
            [[*line[:4], "yes" if line.is_asked_for else ""] for line in lines],
        )
        say("each report is a call per operation and run: set `reports` to what you are billed for")
        return
    settings = verb.probe_settings()
    operations = len(settings.operations)
    calls = operations * len(settings.reports)
    cost = (
        f"{format_count(calls, 'call')}, of the day's licences x 1,000 that all tokens of an "
        f"operation share: {len(settings.reports)} reports of "
        f"{format_count(operations, 'operation')}; nothing is stored"
    )
    if not as_json:
        say(cost)
    with watching("asking wolkvox") as on_event:
        probes = verb.probe(settings, on_event=on_event)
    with_rows = verb.reports_with_rows(probes)
    refusals = [*printed.refusals_of(probes)]
    if as_json:
        form = printed.PrintedProbes(
            calls=calls,
            probes=probes,
            with_rows=with_rows,
            failures=refusals,
            warnings=settings.warnings,
        )
        print_json(form)
    else:
        print_table(
            ["operation", "report", "outcome", "rows", "what was said"], [*map(list, probes)]
        )
        names = ", ".join(f'"{name}"' for name in with_rows)
        say(f"those with rows: reports = [{names}]")
    sys.exit(1 if refusals else 0)
