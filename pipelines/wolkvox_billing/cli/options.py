"""The options that several verbs have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

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


def place_options(command: Command) -> Command:
    """Add --destination and --dataset: where the tables are."""
    return destination_option(dataset_option(command))
