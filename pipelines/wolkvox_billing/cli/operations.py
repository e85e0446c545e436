"""The verb `operations`: what operations are called, which are one, and which are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wolkvox_billing.cli.options import Place, json_option, place_options, signed_options
from wolkvox_billing.cli.printed import form_of
from wolkvox_billing.cli.terminal import Teller, language, print_json, say
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.values.translation import N_, Sentence, phrase, translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from wolkvox_billing.verbs.operations import DecidedOperation, ListedOperation, Listing

HEADINGS = [
    N_("operation"), N_("counts as"), N_("at wolkvox"), N_("server"), N_("first answer"),
    N_("last answer"), N_("in the settings"), N_("decided"),
]  # fmt: skip
NAMES = {"list": 0, "rename": 2, "merge": 2, "forget": 1, "restore": 1}


@click.command()
@click.argument("action", type=click.Choice([*NAMES]), default="list", required=False)
@click.argument("names", metavar="[ID]...", nargs=-1)
@signed_options("Why, in your words.")
@place_options
@json_option
def operations(
    action: str,
    names: tuple[str, ...],
    reason: str | None,
    by: str | None,
    as_json: bool,
    **place: Unpack[Place],
) -> None:
    """List the operations; rename OLD NEW, merge A into B, forget one, or restore it.

    The marts of all months follow: `rename` shows the old history under the new name, `merge` makes
    what was read of A part of B, `forget` leaves one out that was mistyped or only tried, and
    `restore` undoes the last of these. Nothing is ever deleted.
    """
    from wolkvox_billing.cli.printed import operations as printed
    from wolkvox_billing.verbs import operations as verbs

    if len(names) != NAMES[action]:
        wanted = {0: "no name", 1: "one name", 2: "two names"}[NAMES[action]]
        text = N_("`operations {action}` takes {wanted}: `wolkvox-billing operations` lists all")
        raise SettingsError(Sentence(text, action=action, wanted=wanted))
    if action == "list":
        if reason or by:
            raise SettingsError(Sentence(N_("`operations list` takes no --reason or --by")))
        listing = verbs.operations(**place)
        if as_json:
            print_json(form_of(printed.PrintedOperations, listing))
        else:
            _print_listing(listing)
        return
    by_action: dict[str, Callable[..., DecidedOperation]] = {
        "rename": verbs.rename,
        "merge": verbs.merge,
        "forget": verbs.forget,
        "restore": verbs.restore,
    }
    decided = by_action[action](*names, reason=reason, by=by, **place)
    if as_json:
        print_json(form_of(printed.PrintedOperation, decided))
        return
    say(decided.says)
    Teller(language()).warn(decided.warnings)


def _print_listing(listing: Listing) -> None:
    tell = Teller(language())
    tell.table(HEADINGS, [_as_row(row, tell.locale) for row in listing.operations])
    tell(N_("tables: {location}"), location=listing.location)


def _as_row(row: ListedOperation, locale: str) -> list[object]:
    moments = (row.first_answer_at, row.last_answer_at)
    decided = "" if row.standing == "counts" else translate(row.standing, locale)
    if row.decided_by and row.decided_at:
        text = N_("{decided} by {name}, {day}")
        day = row.decided_at.date()
        decided = phrase(text, locale, decided=decided, name=row.decided_by, day=day)
    return [
        row.operation_id,
        row.counts_as or translate(N_("nothing"), locale),
        ", ".join(row.operation_names),
        ", ".join(row.servers),
        *(f"{at:%Y-%m-%d %H:%M}" if at else "" for at in moments),
        translate({None: "", True: N_("yes"), False: N_("no")}[row.in_settings], locale),
        decided + (f": {row.reason}" if row.reason else ""),
    ]
