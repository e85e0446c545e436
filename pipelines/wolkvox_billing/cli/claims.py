"""The verb `claim`: letters to suppliers, and what is open of them.

click hands each option over as an argument: a verb has as many as it has options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wolkvox_billing.cli.listing import amounts_of, kind_and_number
from wolkvox_billing.cli.options import Place, json_option, place_options, signed_options
from wolkvox_billing.cli.terminal import Teller, print_json, say
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.values.translation import N_, Sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from wolkvox_billing.marts.claimed import OpenClaim
    from wolkvox_billing.verbs.claim import ClaimedMonth

CLAIM_HEADINGS = [
    N_("document"), N_("supplier"), N_("currency"), N_("claimed"), N_("credited"), N_("open"),
    N_("open since"), N_("claim until"), N_("status"),
]  # fmt: skip


@click.command()
@click.argument("month", required=False)
@click.option("--document", metavar="N", help="Only this one, by its number or id.")
@click.option(
    "--out", metavar="PATH", help="A folder for the letters, or a file that ends in .docx."
)
@click.option("--evidence", metavar="FILE", help="The month's evidence; written without it.")
@click.option(
    "--files",
    multiple=True,
    metavar="PATH",
    help="Where the invoices' files are, to be put in the evidence; may be repeated.",
)
@signed_options("Why it is withdrawn.", "Who claims; your login name without it.")
@click.option(
    "--withdraw", "is_withdrawn", is_flag=True, help="Withdraw the claim on a --document."
)
@place_options
@json_option
def claim(  # each is a word of the command
    month: str | None,
    document: str | None,
    out: str | None,
    evidence: str | None,
    files: tuple[str, ...],
    by: str | None,
    is_withdrawn: bool,
    reason: str | None,
    as_json: bool,
    **place: Unpack[Place],
) -> None:
    """Write the letters that claim back what a MONTH such as 2026-11 bills too much.

    One Word document for each document with something claimed, to be edited, signed and sent by a
    person, and a row in the table `claims`. Without a MONTH: the claims that are open. Nothing in
    it is legal advice.
    """
    from wolkvox_billing.verbs import claim as verbs

    if not month:
        if document or out or evidence or files or by or is_withdrawn or reason:
            raise SettingsError(Sentence(N_("say which MONTH to claim, such as 2026-11")))
        _list_claims(as_json, **place)
        return
    if is_withdrawn:
        if not document or out or evidence or files:
            text = N_("--withdraw goes with --document, --reason and --by alone")
            raise SettingsError(Sentence(text))
        result = verbs.withdraw_claim(month, document=document, reason=reason, by=by, **place)
    elif reason:
        text = N_("--reason goes with --withdraw: a letter says why by itself")
        raise SettingsError(Sentence(text))
    else:
        result = verbs.claim(
            month, document=document, out=out or ".", evidence=evidence, files=files, by=by, **place
        )
    if as_json:
        from wolkvox_billing.cli.printed.claim import claims_as_form

        print_json(claims_as_form(result))
    else:
        _print_claimed(result)
        Teller(result.language).place(result.location, place["dataset"])


def _list_claims(as_json: bool, **place: Unpack[Place]) -> None:
    from wolkvox_billing.verbs.claim import list_claims

    claims, language = list_claims(**place)
    if as_json:
        from wolkvox_billing.cli.printed.claim import PrintedOpenClaims

        print_json(PrintedOpenClaims(claims_open=claims))
    else:
        print_claims(claims, language)


def _print_claimed(result: ClaimedMonth) -> None:
    for each in result.claimed:
        say(each.says)
        say(f"  {each.letter}, sha256 {each.claim.letter_sha256}")
    for other in result.unclaimed:
        say(other.says)
    if result.says:
        say(result.says)
    if result.evidence:
        Teller(result.language)(N_("evidence: {file}"), file=result.evidence)


def print_claims(claims: Sequence[OpenClaim], locale: str) -> None:
    """Print the claims that are open, the oldest first."""
    from wolkvox_billing.claims.claim_words import ClaimWriter
    from wolkvox_billing.reconciliation.captions import caption

    if not claims:
        say(ClaimWriter(locale).text("none_open"))
        return
    rows = [
        [
            kind_and_number(row.document_kind, row.document_number, locale),
            row.supplier_id,
            row.billing_currency,
            *amounts_of(locale, row.claimed_amount, row.credited_amount, row.open_amount),
            row.open_since,
            row.acceptance_deadline,
            caption(row.status, locale),
        ]
        for row in claims
    ]
    Teller(locale).table(CLAIM_HEADINGS, rows)
