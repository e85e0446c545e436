"""The verb that counts the copies: `bucket`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wolkvox_billing.cli.options import Place, json_option, place_options
from wolkvox_billing.cli.printed import form_of
from wolkvox_billing.cli.terminal import Teller, language, print_json, say, spinning
from wolkvox_billing.values.periods import format_period
from wolkvox_billing.values.translation import N_, ContractWord, Plural, Sentence, phrase, translate

if TYPE_CHECKING:
    from typing_extensions import Unpack

_LISTED = Plural(
    "{how}, {what}: {n} object, {bytes} bytes, {skipped} skipped, in {seconds} s",
    "{how}, {what}: {n} objects, {bytes} bytes, {skipped} skipped, in {seconds} s",
)
_LISTING = N_("listing the bucket")
_PACE = Plural("{n} object, {pace} a second", "{n} objects, {pace} a second")
_HOW = {"list": N_("list"), "inventory": N_("inventory")}


@click.command()
@click.option("--full", is_flag=True, help="List all of it, and not only what can have changed.")
@place_options
@json_option
def bucket(full: bool, as_json: bool, **place: Unpack[Place]) -> None:
    """Count the copies in your own bucket, beside what wolkvox counts and bills.

    It is only listed; nothing is ever written to it. The first look of a billing period lists all
    of it, the others what can have changed since. No name is stored: they hold phone numbers.
    """
    from wolkvox_billing.verbs.bucket import bucket as verb

    tell = Teller(language())
    work = translate(_LISTING, tell.locale)
    with spinning(work) as update:

        def show(objects: int, seconds: float) -> None:
            if seconds > 0.5:
                pace = round(objects / seconds)
                update(f"{work}: {phrase(_PACE, tell.locale, objects, n=objects, pace=pace)}")

        report = verb(full=full, on_progress=show, **place)
    listing = report.listing
    if as_json:
        from wolkvox_billing.cli.printed.bucket import PrintedBucket, PrintedListing

        print_json(form_of(PrintedBucket, report, listing=form_of(PrintedListing, listing)))
    else:
        tell(
            _LISTED,
            listing.objects,
            how=Sentence(_HOW[listing.how]),
            what=Sentence(N_("all of it") if listing.is_full else N_("what can have changed")),
            n=listing.objects,
            bytes=listing.bytes,
            skipped=listing.skipped,
            seconds=round(listing.seconds, 1),
        )
        for period in report.periods:
            start, end = period.billing_period_start, period.billing_period_end
            name = format_period(start, end, tell.locale)
            status = ContractWord(period.copy_status).say(tell.locale)
            say(f"{period.operation_id} {name} {status}: {period.explanation}")
        for text in report.failures:
            say(text)
        tell.warn(report.warnings)
        tell.place(report.location, place["dataset"])
    sys.exit(0 if report.is_good else 1)
