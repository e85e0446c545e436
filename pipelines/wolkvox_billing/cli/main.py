"""The command line: words and exit codes; no logic.

Exit codes: 0 all well, 1 something failed (the rest was loaded), 2 wrong words or settings.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, NoReturn, TypeVar

import click

from wolkvox_billing.cli.listing import (
    RECEIPT_HEADINGS,
    VERDICT_HEADINGS,
    alarm_of,
    lines_of,
    poll_as_row,
    poll_report_as_json,
    products_of,
    receipt_as_row,
    verdict_as_row,
)
from wolkvox_billing.cli.terminal import (
    complain,
    counting,
    print_json,
    print_table,
    say,
    spinning,
    watching,
)
from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.marts.dialects import DIALECTS
from wolkvox_billing.values.shown import ago, in_runs, shown_number
from wolkvox_billing.version import __version__

Report = TypeVar("Report")
# Python's own 700 make it search dlt's modules for rubbish 180 times while they are imported:
# an eighth of a load of one row.
OBJECTS_BETWEEN_COLLECTIONS = 100_000

destination_option = click.option(
    "--destination",
    default="duckdb",
    show_default=True,
    envvar="WOLKVOX_BILLING_DESTINATION",
    show_envvar=True,
    help="A dlt destination, such as duckdb, postgres or filesystem.",
)
dataset_option = click.option(
    "--dataset",
    default="wolkvox_billing",
    show_default=True,
    envvar="WOLKVOX_BILLING_DATASET",
    show_envvar=True,
    help="The dataset (schema) in it.",
)
report_option = click.option(
    "--report", "reports", multiple=True, help="A report to ask for; may be repeated."
)
force_option = click.option("--force", is_flag=True, help="Ask in spite of the pace.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


class Group(click.Group):
    """Turns our errors into one line and an exit code; a traceback is for bugs."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WolkvoxError as error:
            complain(str(error))
            ctx.exit(2 if isinstance(error, SettingsError) else 1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wolkvox-billing")
def main() -> None:
    """Keeps your own record of what wolkvox's billing API says.

    Settings come from .dlt/config.toml, .dlt/secrets.toml or the environment, as in any dlt
    project; the README lists them. Exit codes: 0 all well, 1 something failed (the rest was
    loaded), 2 wrong words or settings.
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
    except SystemExit as ended:
        code = ended.code
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # nobody reads it any more
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _asked(verb: Callable[..., Report], reports: tuple[str, ...], **words: Any) -> Report:
    """Run `poll` or `load`, and show its calls as they end."""
    with watching("asking wolkvox") as on_event:
        return verb(reports=list(reports) or None, on_event=on_event, **words)


@main.command()
@destination_option
@dataset_option
@report_option
@force_option
@json_option
def poll(
    destination: str, dataset: str, reports: tuple[str, ...], force: bool, as_json: bool
) -> None:
    """Ask every operation for every report that is due, and keep the answers safe in the spool.

    It needs no database, and costs next to nothing. `load` puts what waits into the tables.
    """
    from wolkvox_billing.verbs.poll import poll as verb

    result = _asked(verb, reports, destination=destination, dataset=dataset, force=force)
    if as_json:
        print_json(poll_report_as_json(result))
    else:
        for line in lines_of(result):
            say(line)
        say(f"working folder: {result.working_folder}")
        say(f"{result.waiting} answers wait there for the next load")
    sys.exit(0 if result.is_good else 1)


@main.command()
@destination_option
@dataset_option
@report_option
@force_option
@json_option
def load(
    destination: str, dataset: str, reports: tuple[str, ...], force: bool, as_json: bool
) -> None:
    """Ask every operation for every report once, and load the answers and all that waited."""
    from wolkvox_billing.verbs.load import load as verb

    result = _asked(verb, reports, destination=destination, dataset=dataset, force=force)
    if as_json:
        print_json({**poll_report_as_json(result), "location": result.location})
    else:
        rows = [poll_as_row(poll) for poll in result.polls]
        rows += [[s.operation_id, s.report, "not asked", "", s.detail] for s in result.skips]
        print_table(["operation", "report", "outcome", "rows", "what was said"], rows)
        say(f"tables: {result.location}, dataset {dataset}")
        say(f"working folder: {result.working_folder}")
        for line in (*result.problems, *(f"warning: {text}" for text in result.warnings)):
            say(line)
    sys.exit(0 if result.is_good else 1)


@main.command()
@destination_option
@dataset_option
@json_option
def refresh(destination: str, dataset: str, as_json: bool) -> None:
    """Make the marts anew by the settings as they are now; asks nobody.

    `load` does it too: this is for settings that changed, and for a load that did not come so far.
    """
    from wolkvox_billing.verbs.load import refresh_marts

    result = refresh_marts(destination=destination, dataset=dataset)
    failed = result.problems + result.warnings
    if as_json:
        print_json({"location": result.location, "failures": failed})
    else:
        for line in failed:
            say(f"warning: {line}")
        say(f"marts: {result.location}, dataset {dataset}_marts")
    sys.exit(1 if result.problems else 0)


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@destination_option
@dataset_option
@click.option(
    "--decimal",
    type=click.Choice([".", ","]),
    help="What is before decimals in spreadsheets, where a file does not show it.",
)
@json_option
def invoices(
    paths: tuple[str, ...], destination: str, dataset: str, decimal: str | None, as_json: bool
) -> None:
    """Read invoices out of files, folders and zips, and load them.

    UBL 2.1 (DIAN's electronic invoices, also as they come in a mail's zip; Peppol, EN 16931), CSV
    and XLSX. A file may be read again: what is loaded is never changed.
    """
    from wolkvox_billing.verbs.invoices import invoices as verb

    with counting("reading invoices") as on_found:
        result = verb(
            list(paths),
            destination=destination,
            dataset=dataset,
            decimal=decimal,
            on_found=on_found,
        )
    rejected = [
        f"{receipt.file_name}: {receipt.reason}"
        for receipt in result.receipts
        if receipt.made == "rejected"
    ]
    if as_json:
        print_json(
            {
                "documents": [asdict(receipt) for receipt in result.receipts],
                "counts": result.counts,
                "net_amounts": result.net_amounts,
                "other_kinds": result.other_kinds,
                "warnings": result.warnings,
                "location": result.location,
                "failures": rejected,
                "may_pass": False,
            }
        )
    else:
        documents = [receipt for receipt in result.receipts if receipt.document_id]
        if documents:
            print_table(RECEIPT_HEADINGS, [receipt_as_row(receipt) for receipt in documents])
        for receipt in documents:
            for text in receipt.warnings:
                say(f"warning: {receipt.document_number or receipt.file_name}: {text}")
        for text in rejected:
            say(f"rejected: {text}")
        for kind, count in result.other_kinds.items():
            say(f"no invoices, passed over: {count} x {kind}")
        for currency, net in result.net_amounts.items():
            say(f"net of all, credit notes taken off: {shown_number(net)} {currency}")
        say(", ".join(f"{count} {made}" for made, count in result.counts.items()) or "no file")
        for text in result.warnings:
            say(f"warning: {text}")
        say(f"tables: {result.location}, dataset {dataset}")
    sys.exit(1 if rejected else 0)


@main.command()
@click.option("--month", help="A month such as 2026-11; all months without it.")
@click.option("--init", "is_init", is_flag=True, help="Write a line map and a rate card to edit.")
@click.option(
    "--fail-on-material", is_flag=True, help="End in 1 where a difference is worth an alarm."
)
@click.option("--evidence", metavar="DIR", help="Write the month's evidence, one zip, in there.")
@click.option(
    "--files",
    multiple=True,
    metavar="PATH",
    help="Where the invoices' files are, to be put in the evidence; may be repeated.",
)
@destination_option
@dataset_option
@json_option
def reconcile(
    month: str | None,
    is_init: bool,
    fail_on_material: bool,
    evidence: str | None,
    files: tuple[str, ...],
    destination: str,
    dataset: str,
    as_json: bool,
) -> None:
    """Compare what was billed with what was measured, and say what to pay and what to question."""
    from wolkvox_billing.evidence import order_evidence
    from wolkvox_billing.verbs import reconcile as verbs

    if is_init:
        other = {"--month": month, "--fail-on-material": fail_on_material, "--evidence": evidence,
                 "--files": files}  # fmt: skip
        if others := [name for name, value in other.items() if value]:
            raise SettingsError(f"--init goes without {', '.join(others)}: run it first, by itself")
        written, proposed = verbs.init(destination=destination, dataset=dataset)
        if as_json:
            print_json({"written": written, "proposed": proposed})
            return
        for file in written:
            say(f"written: {file}: edit it, it says how")
        say(f"{len(proposed)} rows proposed for invoice lines that no row of the line map fits")
        return
    if (evidence and not month) or (files and not evidence):
        raise SettingsError("--evidence needs a --month, and --files needs --evidence")
    order = order_evidence(evidence, month, files) if evidence and month else None
    result = verbs.reconcile(month, destination=destination, dataset=dataset, evidence=order)
    material = [alarm_of(verdict) for verdict in result.rows if verdict.is_material]
    if as_json:
        print_json(
            {
                "month": result.month,
                "policy": result.policy.as_json(),
                "rows": [asdict(row) for row in result.rows],
                "totals": result.totals,
                "warnings": result.warnings,
                **({"evidence": result.evidence} if result.evidence else {}),
                "is_closed": result.is_closed,
                "failures": material,
                "may_pass": False,
            }
        )
    else:
        print_table(
            VERDICT_HEADINGS,
            [verdict_as_row(verdict) for verdict in result.rows],
        )
        for verdict in result.rows:
            mark = "! " if verdict.is_material else "  "
            say(f"{mark}{verdict.reconciliation_status}: {verdict.explanation}")
        for text in result.warnings:
            say(f"warning: {text}")
        if result.evidence:
            say(f"evidence: {result.evidence}")
        say(f"tables: {result.location}, dataset {dataset}")
    sys.exit(1 if fail_on_material and material else 0)


@main.command()
@click.argument("month")
@click.option("--reason", help="Why it is closed in spite of a finding, or reopened.")
@click.option("--evidence", metavar="FILE", help="The evidence file, whose SHA-256 is kept.")
@click.option("--by", metavar="NAME", help="Who signs; your login name without it.")
@click.option("--reopen", "is_reopened", is_flag=True, help="Reopen a month that was closed.")
@destination_option
@dataset_option
@json_option
def close(
    month: str,
    reason: str | None,
    evidence: str | None,
    by: str | None,
    is_reopened: bool,
    destination: str,
    dataset: str,
    as_json: bool,
) -> None:
    """Sign off a MONTH such as 2026-11; no record is ever changed.

    When something comes later that changes its verdicts, `reconcile` and `status` say that the
    close no longer holds: then reopen it, and close it again.
    """
    from wolkvox_billing import closing as verbs

    record = (verbs.reopen if is_reopened else verbs.close)(
        month, destination=destination, dataset=dataset, by=by, reason=reason, evidence=evidence
    )
    if as_json:
        parsed = {name: json.loads(getattr(record, name)) for name in ("policy", "stands_on")}
        print_json({**asdict(record), **parsed})
        return
    say(f"{record} (record {record.close_id})")
    if record.reason:
        say(f"reason: {record.reason}")
    if record.evidence_sha256:
        say(f"evidence: sha256 {record.evidence_sha256}")
    say(f"verdicts: sha256 {record.digest}")


@main.command()
@click.argument("month")
@click.option("--product", help="Only verdicts with this product, as the vendor names it.")
@click.option("--report", help="Only verdicts of this report.")
@destination_option
@dataset_option
@json_option
def explain(
    month: str,
    product: str | None,
    report: str | None,
    destination: str,
    dataset: str,
    as_json: bool,
) -> None:
    """Show what each verdict of a MONTH came from: readings, polls, documents and their hashes."""
    from wolkvox_billing.verbs.explain import as_lines
    from wolkvox_billing.verbs.explain import explain as verb

    explained = verb(
        month, product=product, report=report, destination=destination, dataset=dataset
    )
    if as_json:
        verdicts = [
            {**(traced := asdict(verdict)).pop("row"), **traced} for verdict in explained.verdicts
        ]
        print_json({"month": explained.month, "verdicts": verdicts})
        return
    for verdict in explained.verdicts:
        heading, *lines = as_lines(verdict)
        say(heading, bold=True)
        for line in lines:
            say(line)
    if not explained.verdicts:
        say(f"nothing was measured or billed in {explained.month}")
    say(f"tables: {explained.location}, dataset {dataset}; whole hashes: --json")


@main.command()
@click.argument("file")
@json_option
def verify(file: str, as_json: bool) -> None:
    """Check an evidence file against its manifest, and name what was changed."""
    from wolkvox_billing.evidence import examine

    examined = examine(file)
    if as_json:
        print_json(asdict(examined))
    else:
        for text in examined.problems:
            say(text)
        if not examined.problems:
            say(f"all {examined.members} members are as the manifest says")
        say(f"sha256 of the file: {examined.sha256}")
        say("only this sha256 proves the manifest itself: compare it with what `close` kept")
    sys.exit(1 if examined.problems else 0)


@main.command()
@json_option
def check(as_json: bool) -> None:
    """Ask each operation once, and say what works and what to do.

    On a machine of Airflow's it looks for the pool of the DAG's tasks too.
    """
    from wolkvox_billing.verbs.airflow_pool import look_at_pool
    from wolkvox_billing.verbs.check import check as verb

    pool = look_at_pool()
    if not pool.is_good:
        complain(pool.says)
    elif pool.says and not as_json:
        say(pool.says)
    with watching("asking wolkvox") as on_event:
        findings = verb(on_event=on_event)
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
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


@main.command()
@destination_option
@dataset_option
@click.option(
    "--stale-after",
    type=click.FloatRange(min=0),
    metavar="MINUTES",
    help="End in 1 where an operation was not answered for so long.",
)
@json_option
def status(destination: str, dataset: str, stale_after: float | None, as_json: bool) -> None:
    """Show what is loaded, how fresh it is, and where the gaps are."""
    from wolkvox_billing.verbs.status import status as verb

    state = verb(destination=destination, dataset=dataset)
    stale = [] if stale_after is None else state.stale(timedelta(minutes=stale_after))
    if as_json:
        print_json({**asdict(state), "failures": stale, "may_pass": False})
        sys.exit(1 if stale else 0)
    rows = [
        [
            row.operation_id,
            row.report,
            *product,
            ago(row.age),
            f"{row.polls_24h}, {row.refusals_24h} refused",
            in_runs(row.days_without_answer),
        ]
        for row in state.rows
        for product in products_of(row)
    ]
    if rows:
        headings = ["operation", "report", "product", "this month", "change", "age"]
        print_table([*headings, "polls in 24 h", "unread days"], rows)
    else:
        say("nothing is loaded yet: run `wolkvox-billing load`")
    for warning in state.warnings:
        say(f"warning: {warning}")
    say(f"tables: {state.location}, dataset {dataset}")
    say(f"working folder: {state.working_folder}")
    say(f"dlt's own tools: {state.dlt_command}")
    if state.waiting:
        say(f"{state.waiting} answers wait there for the next load")
    for text in stale:
        say(f"stale: {text}")
    sys.exit(1 if stale else 0)


@main.command()
@click.argument("path")
@destination_option
@dataset_option
@json_option
def publish(path: str, destination: str, dataset: str, as_json: bool) -> None:
    """Write a read-only copy for BI tools: a DuckDB file, or a folder of Parquet.

    PATH ends in .duckdb for a file. Readers keep what they have open; nobody sees half a copy.
    """
    from wolkvox_billing.verbs.publish import publish as verb

    snapshot = verb(path, destination=destination, dataset=dataset)
    if as_json:
        print_json(asdict(snapshot))
        return
    for text in snapshot.warnings:
        say(f"warning: {text}")
    print_table(["table", "rows"], [[table, f"{rows:,}"] for table, rows in snapshot.rows.items()])
    say(f"published: {snapshot.path}")


@main.command()
@click.argument("dialect", type=click.Choice(DIALECTS))
@dataset_option
def sql(dialect: str, dataset: str) -> None:
    """Print the statements that make the marts, for another engine.

    `load` runs them by itself on DuckDB and PostgreSQL. Elsewhere run them once a day: the
    calendar and the moment up to which the marts speak are in them.
    """
    from wolkvox_billing.verbs.load import marts_sql

    for statement in marts_sql(dialect, dataset=dataset):
        click.echo(f"{statement};")


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
