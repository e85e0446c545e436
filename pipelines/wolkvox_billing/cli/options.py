"""The options that several verbs have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypedDict, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Place(TypedDict):
    """Where the tables are: what `place_options` hands to a command, and that to its verb."""

    destination: str
    dataset: str


def span_within(
    least: timedelta, most: timedelta
) -> Callable[[click.Context, click.Parameter, str | None], timedelta | None]:
    """Return the callback of an option that is a span of time such as 5m, within these."""

    def read(_: click.Context, __: click.Parameter, text: str | None) -> timedelta | None:
        if text is None:
            return None
        # Of no use to a poll, which it would take longer than its call.
        from wolkvox_billing.values.durations import format_duration, read_duration

        try:
            span = read_duration(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
        if not least <= span <= most:
            bounds = f"{format_duration(least)} to {format_duration(most)}"
            raise click.BadParameter(f"{text!r} is not within {bounds}")
        return span

    return read


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
every_option = click.option(
    "--every",
    metavar="SPAN",
    callback=span_within(timedelta(seconds=10), timedelta(days=1)),
    help="Stay, and ask so often, such as 5m: see docs/operate.md.",
)
load_every_option = click.option(
    "--load-every",
    metavar="SPAN",
    callback=span_within(timedelta(seconds=10), timedelta(days=7)),
    help="With --every: load so often.  [default: 1h]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


def place_options(command: Command) -> Command:
    """Add --destination and --dataset: where the tables are."""
    return destination_option(dataset_option(command))


def signed_options(
    why: str, who: str = "Who decides; your login name without it."
) -> Callable[[Command], Command]:
    """Return what adds --reason and --by, of a record that a person makes."""

    def add(command: Command) -> Command:
        reason = click.option("--reason", help=why)
        return reason(click.option("--by", metavar="NAME", help=who)(command))

    return add
