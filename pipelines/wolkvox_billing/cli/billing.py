"""The verbs about what is billed: `invoices`, `documents`, `reconcile`, `explain`, `close` and
`verify`.

click hands each option over as an argument: a verb has as many as it has options.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from wolkvox_billing.cli.listing import (
    DOCUMENT_HEADINGS,
    RECEIPT_HEADINGS,
    SETTLEMENT_HEADINGS,
    VERDICT_HEADINGS,
    alarm_of,
    captions,
    document_as_row,
    receipt_as_row,
    settlement_as_rows,
    verdict_as_row,
)
from wolkvox_billing.cli.options import Place, json_option, place_options, signed_options
from wolkvox_billing.cli.printed import form_of
from wolkvox_billing.cli.terminal import (
    Teller,
    counting,
    is_on_terminal,
    language,
    print_json,
    print_lines,
    say,
)
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.values.translation import N_, BillingMonth, Plural, Sentence, say_in, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from wolkvox_billing.marts.reconciled import ReconciledRow
    from wolkvox_billing.marts.settled import SettledDocument
    from wolkvox_billing.verbs.documents import Listing
    from wolkvox_billing.verbs.invoices import Intake, Receipt
    from wolkvox_billing.verbs.reconcile import Reconciliation


_PROPOSED = Plural(
    "{n} row proposed for invoice lines that no row of the line map fits",
    "{n} rows proposed for invoice lines that no row of the line map fits",
)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@place_options
@click.option(
    "--decimal",
    type=click.Choice([".", ","]),
    help="What is before decimals in spreadsheets, where a file does not show it.",
)
@click.option("--currency", help="The currency of spreadsheets that state none, such as COP.")
@click.option("--supplier", help="The supplier's NIT, for spreadsheets that state none.")
@json_option
def invoices(
    paths: tuple[str, ...],
    decimal: str | None,
    currency: str | None,
    supplier: str | None,
    as_json: bool,
    **place: Unpack[Place],
) -> None:
    """Read invoices out of files, folders and zips, and load them.

    UBL 2.1 (DIAN's electronic invoices, also as they come in a mail's zip; Peppol, EN 16931), CSV
    and XLSX. A file may be read again: what is loaded is never changed.
    """
    from wolkvox_billing.verbs.invoices import invoices as verb

    with counting("reading invoices") as on_paper:
        result = verb(
            list(paths),
            decimal=decimal,
            currency=currency,
            supplier=supplier,
            on_paper=on_paper,
            **place,
        )
    refused = [receipt for receipt in result.receipts if receipt.made == "rejected"]
    if as_json:
        from wolkvox_billing.cli.printed.invoices import PrintedIntake

        rejected = [f"{receipt.file_name}: {receipt.reason}" for receipt in refused]
        print_json(form_of(PrintedIntake, result, documents=result.receipts, failures=rejected))
    else:
        _print_intake(result, refused)
        Teller(result.language).place(result.location, place["dataset"])
    sys.exit(1 if refused else 0)


def _print_intake(intake: Intake, refused: list[Receipt]) -> None:
    from wolkvox_billing.reconciliation.paper_words import say_stored

    tell = Teller(intake.language)
    documents = [receipt for receipt in intake.receipts if receipt.document_id]
    if documents:
        rows = [receipt_as_row(receipt, intake.language) for receipt in documents]
        tell.table(RECEIPT_HEADINGS, rows)
    for receipt in documents:
        for text in receipt.warnings:
            name = receipt.document_number or receipt.file_name
            tell(N_("warning: {name}: {text}"), name=name, text=say_stored(text))
    for receipt in refused:
        reason = say_in(intake.language, say_stored(receipt.reason))
        tell(N_("rejected: {text}"), text=f"{receipt.file_name}: {reason}")
    for kind, count in intake.other_kinds.items():
        tell(N_("no invoices, passed over: {count} x {kind}"), count=count, kind=kind)
    for currency, net in intake.net_amounts.items():
        text = N_("net of all, credit notes taken off: {net} {currency}")
        tell(text, net=net, currency=currency)
    counts = [f"{n} {translate(result, intake.language)}" for result, n in intake.counts.items()]
    say(", ".join(counts) or translate(N_("no file"), intake.language))
    tell.warn(intake.warnings)


@click.command()
@click.argument(
    "action", type=click.Choice(["list", "withdraw", "reinstate"]), default="list", required=False
)
@click.argument("document", metavar="[ID]", required=False)
@signed_options("Why it does not count, or counts again.")
@place_options
@json_option
def documents(
    action: str,
    document: str | None,
    reason: str | None,
    by: str | None,
    as_json: bool,
    **place: Unpack[Place],
) -> None:
    """List the documents with whether each counts and why not; withdraw one, or reinstate it.

    ID is a document's id, a beginning of it that no other has, or its number where only one has it.
    What is withdrawn bills nothing, and is told by name; nothing is ever deleted.
    """
    from wolkvox_billing.cli.printed import documents as printed
    from wolkvox_billing.verbs import documents as verbs

    if action == "list":
        if document or reason or by:
            raise SettingsError(Sentence(N_("`documents list` takes no ID, --reason or --by")))
        listing = verbs.documents(**place)
        if as_json:
            print_json(form_of(printed.PrintedDocuments, listing))
        else:
            print_documents(listing)
        return
    if not document:
        text = N_("say which document to {action}: `wolkvox-billing documents` lists all")
        raise SettingsError(Sentence(text, action=action))
    decide = verbs.withdraw if action == "withdraw" else verbs.reinstate
    decided = decide(document, reason=reason, by=by, **place)
    if as_json:
        print_json(form_of(printed.PrintedDecision, decided))
        return
    say(decided.says)
    Teller(language()).warn(decided.warnings)


def print_documents(listing: Listing) -> None:
    """Print a table where a person watches, with a sentence for each document that does not simply
    count; in a pipe a line each, the sentence at its end."""
    headings = captions(DOCUMENT_HEADINGS, listing.language)
    rows = [document_as_row(row, listing.language) for row in listing.documents]
    whys = [row.why for row in listing.documents]
    if is_on_terminal():
        Teller(listing.language).table(DOCUMENT_HEADINGS, rows)
        for text in dict.fromkeys(filter(None, whys)):
            say(text)
    else:
        why = [translate(N_("why"), listing.language)]
        print_lines([[*headings, *why], *([*row, w] for row, w in zip(rows, whys, strict=True))])
    for cancelled in listing.cancelled:
        say(f"{cancelled.file_name}: {cancelled.says}")


@click.command()
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
@click.option("--xlsx", metavar="FILE", help="Write the month for Excel into this file.")
@place_options
@json_option
def reconcile(  # each is a word of the command
    month: str | None,
    is_init: bool,
    fail_on_material: bool,
    evidence: str | None,
    files: tuple[str, ...],
    xlsx: str | None,
    as_json: bool,
    **place: Unpack[Place],
) -> None:
    """Compare what was billed with what was measured, and say what to pay and what to question."""
    from wolkvox_billing.verbs import reconcile as verbs

    if is_init:
        options = {"--month": month, "--fail-on-material": fail_on_material,
                   "--evidence": evidence, "--files": files, "--xlsx": xlsx}  # fmt: skip
        if others := [name for name, value in options.items() if value]:
            text = N_("--init goes without {others}: run it first, by itself")
            raise SettingsError(Sentence(text, others=others))
        _write_contract(as_json, **place)
        return
    if (evidence and not month) or (files and not evidence):
        text = N_("--evidence needs a --month, and --files needs --evidence")
        raise SettingsError(Sentence(text))
    if xlsx is not None and not month:
        raise SettingsError(Sentence(N_("--xlsx needs a --month")))
    order = workbook = None
    if evidence and month:
        from wolkvox_billing.evidence import order_evidence

        order = order_evidence(evidence, month, files)
    if xlsx is not None and month:
        from wolkvox_billing.evidence.workbook import order_workbook

        workbook = order_workbook(xlsx, month)
    result = verbs.reconcile(month, evidence=order, workbook=workbook, **place)
    material = [alarm_of(row, row.reconciliation_status) for row in result.rows if row.is_material]
    material += [
        alarm_of(each.document, each.document.settlement)
        for each in result.settled
        if each.is_alarming
    ]
    if as_json:
        from wolkvox_billing.cli.printed.reconcile import reconciliation_as_form

        print_json(reconciliation_as_form(result, material))
    else:
        _print_reconciliation(result)
        Teller(result.policy.language).place(result.location, place["dataset"])
    sys.exit(1 if fail_on_material and material else 0)


def _write_contract(as_json: bool, **place: Unpack[Place]) -> None:
    """Write a line map and a rate card, and say where they are."""
    from wolkvox_billing.verbs.reconcile import init

    written, proposed = init(**place)
    if as_json:
        from wolkvox_billing.cli.printed.reconcile import PrintedContract

        print_json(PrintedContract(written=written, proposed=proposed))
        return
    tell = Teller(language())
    for file in written:
        tell(N_("written: {file}: edit it, it says how"), file=file)
    tell(_PROPOSED, len(proposed), n=len(proposed))
    if blank := sum(not row["report"] for row in proposed):
        text = N_("{n} of them without a report, since their lines name none, or several: write it")
        tell(text, n=blank)


def print_settlement(documents: Sequence[SettledDocument], locale: str) -> None:
    """Say what to pay: a table of all documents and their sums, and a sentence for each that is not
    simply paid."""
    if not documents:
        return
    Teller(locale).table(SETTLEMENT_HEADINGS, settlement_as_rows(documents, locale))
    for row in documents:
        if row.settlement != "pay":
            _say_why(row, row.settlement, locale)


def _say_why(row: SettledDocument | ReconciledRow, status: str, locale: str) -> None:
    from wolkvox_billing.reconciliation.captions import status_word

    mark = "! " if row.is_material else "  "
    say(f"{mark}{status_word(status, locale)}: {row.explanation}")


def _print_reconciliation(reconciliation: Reconciliation) -> None:
    verdicts = reconciliation.rows
    locale = reconciliation.policy.language
    print_settlement([each.document for each in reconciliation.settled], locale)
    tell = Teller(locale)
    tell.table(VERDICT_HEADINGS, [verdict_as_row(verdict, locale) for verdict in verdicts])
    for verdict in verdicts:
        _say_why(verdict, verdict.reconciliation_status, locale)
    tell.warn(reconciliation.warnings)
    if reconciliation.evidence:
        tell(N_("evidence: {file}"), file=reconciliation.evidence)
    if reconciliation.workbook:
        tell(N_("workbook: {file}"), file=reconciliation.workbook)


@click.command()
@click.argument("month")
@click.option("--product", help="Only verdicts with this product, as the vendor names it.")
@click.option("--report", help="Only verdicts of this report.")
@place_options
@json_option
def explain(
    month: str,
    product: str | None,
    report: str | None,
    as_json: bool,
    **place: Unpack[Place],
) -> None:
    """Show what each verdict of a MONTH came from: readings, polls, documents and their hashes."""
    from wolkvox_billing.verbs.explain import as_lines, component_lines
    from wolkvox_billing.verbs.explain import explain as verb

    explained = verb(month, product=product, report=report, **place)
    if as_json:
        from wolkvox_billing.cli.printed.explain import explanation_as_form

        print_json(explanation_as_form(explained))
        return
    print_settlement([each.document for each in explained.settled], explained.language)
    for each in explained.settled:
        say("\n".join(component_lines(each, explained.language)))
    for sentence in explained.not_counted:
        say(sentence)
    for verdict in explained.verdicts:
        heading, *lines = as_lines(verdict, explained.language)
        say(heading, bold=True)
        say("\n".join(lines))
    tell = Teller(explained.language)
    if not explained.verdicts:
        text = N_("nothing was measured or billed in {month}")
        tell(text, month=BillingMonth.named(explained.month))
    text = N_("tables: {location}, dataset {dataset}; whole hashes: --json")
    tell(text, location=explained.location, dataset=place["dataset"])


@click.command()
@click.argument("month")
@signed_options(
    "Why it is closed in spite of a finding, or reopened.",
    "Who signs; your login name without it.",
)
@click.option("--evidence", metavar="FILE", help="The month's evidence, whose SHA-256 is kept.")
@click.option("--reopen", "is_reopened", is_flag=True, help="Reopen a month that was closed.")
@place_options
@json_option
def close(  # each is a word of the command
    month: str,
    reason: str | None,
    evidence: str | None,
    by: str | None,
    is_reopened: bool,
    as_json: bool,
    **place: Unpack[Place],
) -> None:
    """Sign off a MONTH such as 2026-11; no record is ever changed.

    When something comes later that changes its verdicts, `reconcile` and `status` say that the
    close no longer holds: then reopen it, and close it again.
    """
    from wolkvox_billing import closing as verbs

    verb = verbs.reopen if is_reopened else verbs.close
    record = verb(month, by=by, reason=reason, evidence=evidence, **place)
    settled = verbs.settlement_of(month, **place)
    if as_json:
        from wolkvox_billing.cli.printed.close import close_as_form

        print_json(close_as_form(record, settled))
        return
    print_settlement(settled.documents, settled.language)
    for sentence in settled.claims:
        say(sentence)
    tell = Teller(settled.language)
    tell(N_("{says} (record {id})"), says=record.says, id=record.close_id)
    if record.reason:
        tell(N_("reason: {reason}"), reason=record.reason)
    if record.evidence_sha256:
        tell(N_("evidence: sha256 {digest}"), digest=record.evidence_sha256)
    tell(N_("verdicts: sha256 {digest}"), digest=record.digest)


@click.command()
@click.argument("file")
@json_option
def verify(file: str, as_json: bool) -> None:
    """Check an evidence file against its manifest, and name what was changed."""
    from wolkvox_billing.evidence import examine

    locale = language()
    examined = examine(file)
    examined = replace(examined, problems=[say_in(locale, text) for text in examined.problems])
    if as_json:
        from wolkvox_billing.cli.printed.verify import PrintedExamination

        print_json(form_of(PrintedExamination, examined, failures=examined.problems))
    else:
        tell = Teller(locale)
        for text in examined.problems:
            say(text)
        if not examined.problems:
            tell(N_("all {n} members are as the manifest says"), n=examined.members)
        tell(N_("sha256 of the file: {digest}"), digest=examined.sha256)
        text = N_("only this sha256 proves the manifest itself: compare it with what `close` kept")
        tell(text)
    sys.exit(1 if examined.problems else 0)
